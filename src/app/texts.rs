//! The texts that can be edited, by name.

use super::editor::EditorBuffer;
use super::editor::vim::{Mode, Vim};
use super::register::Register;
use super::state::{Pane, State};
use crate::engine::grammar::GrammarKind;

/// A text that can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextId {
    /// The grammar.
    Grammar,
    /// The prompt.
    Prompt,
    /// The system prompt.
    System,
}

impl TextId {
    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grammar => "grammar",
            Self::Prompt => "prompt",
            Self::System => "system prompt",
        }
    }
}

impl State {
    /// The text that a pane edits; `None` if it edits none.
    pub fn text_in(&self, pane: Pane) -> Option<TextId> {
        match pane {
            Pane::Grammar => Some(TextId::Grammar),
            Pane::Prompt if self.shows_system() => Some(TextId::System),
            Pane::Prompt => Some(TextId::Prompt),
            Pane::Output | Pane::Inspector => None,
        }
    }

    /// A text.
    pub fn text(&self, id: TextId) -> &EditorBuffer {
        match id {
            TextId::Grammar => &self.grammar.buffer,
            TextId::Prompt => &self.prompt,
            TextId::System => &self.chat.system,
        }
    }

    /// A text, to be edited.
    pub fn text_mut(&mut self, id: TextId) -> &mut EditorBuffer {
        match id {
            TextId::Grammar => &mut self.grammar.buffer,
            TextId::Prompt => &mut self.prompt,
            TextId::System => &mut self.chat.system,
        }
    }

    /// The focused text, to be edited.
    pub fn focused_text_mut(&mut self) -> Option<&mut EditorBuffer> {
        let id = self.text_in(self.focus)?;
        Some(self.text_mut(id))
    }

    /// The keys of vi, if they are on, with a text and what was copied.
    pub fn vim_parts(&mut self, id: TextId) -> Option<(&mut Vim, &mut EditorBuffer, &mut Register)> {
        let buffer = match id {
            TextId::Grammar => &mut self.grammar.buffer,
            TextId::Prompt => &mut self.prompt,
            TextId::System => &mut self.chat.system,
        };
        Some((self.vim.as_mut()?, buffer, &mut self.register))
    }

    /// Switches the keys of vi on or off.
    pub fn use_vim(&mut self, on: bool) {
        if on != self.vim.is_some() {
            self.vim = on.then(Vim::default);
        }
        if !on {
            for id in [TextId::Grammar, TextId::Prompt, TextId::System] {
                self.text_mut(id).end_group();
            }
        }
    }

    /// What the keys of vi do in the focused text; `None` if they are off, or something else has them.
    pub fn vim_mode(&self) -> Option<Mode> {
        self.text_in(self.focus)?;
        self.vim.as_ref().map(|vim| vim.mode)
    }

    /// The extension of a file that holds this text, by which editors find its syntax.
    pub fn extension(&self, id: TextId) -> &'static str {
        match (id, self.grammar.kind) {
            (TextId::Grammar, GrammarKind::Lark) => "lark",
            (TextId::Grammar, GrammarKind::Gbnf) => "gbnf",
            (TextId::Grammar, GrammarKind::JsonSchema) => "json",
            (TextId::Grammar, GrammarKind::Regex) => "regex",
            (TextId::Prompt | TextId::System, _) => "md",
        }
    }
}
