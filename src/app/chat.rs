//! What the playground knows about chats: the mode, the system prompt, and the prompt as the model
//! reads it.

use crate::cli::DEFAULT_THINKING;
use crate::engine::chat::{ChatSettings, ModeChoice, PromptMode};
use crate::engine::trace::TokenId;

use super::editor::EditorBuffer;
use super::state::State;

/// The prompt's mode and what goes with a chat.
#[derive(Clone, Debug)]
pub struct Chat {
    /// What the person has asked for.
    pub choice: ModeChoice,
    /// The system prompt; none if it is empty.
    pub system: EditorBuffer,
    /// Whether the prompt's pane shows the system prompt, as long as the mode is chat.
    pub shows_system: bool,
    /// Whether the model thinks before its answer.
    pub thinks: bool,
    /// Most tokens of that.
    pub budget: usize,
    /// The latest look at the prompt as the model reads it.
    pub rendered: Rendered,
}

/// A look at the prompt as the model reads it.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// How many looks there were; the answer to an older one is dropped.
    pub number: u64,
    /// The tokens, or why there are none; nothing as long as they are made.
    pub tokens: Option<Result<Vec<TokenId>, String>>,
}

impl Default for Chat {
    fn default() -> Self {
        Self::new(ModeChoice::default(), "", None)
    }
}

impl Chat {
    /// A choice, a system prompt, and the most tokens of thinking if there is to be any.
    pub fn new(choice: ModeChoice, system: &str, thinking: Option<usize>) -> Self {
        Self {
            choice,
            system: EditorBuffer::new(system),
            shows_system: false,
            thinks: thinking.is_some(),
            budget: thinking.unwrap_or(DEFAULT_THINKING),
            rendered: Rendered::default(),
        }
    }
}

impl State {
    /// Whether the model, as far as it is known, has a chat template.
    pub fn has_template(&self) -> bool {
        self.model.vocabulary().is_some_and(|v| v.chat().is_some())
    }

    /// Whether the next run is a chat.
    pub fn is_chat(&self) -> bool {
        self.chat.choice.is_chat(self.has_template())
    }

    /// The mode of the next run.
    pub fn mode(&self) -> PromptMode {
        if !self.is_chat() {
            return PromptMode::Raw;
        }
        let system = Some(self.chat.system.text()).filter(|text| !text.is_empty());
        PromptMode::Chat(ChatSettings { system, thinking: self.chat.thinks.then_some(self.chat.budget) })
    }

    /// Whether the prompt's pane shows the system prompt. Another model may have no template, and
    /// without one the prompt alone counts.
    pub fn shows_system(&self) -> bool {
        self.chat.shows_system && self.is_chat()
    }

    /// The text in the prompt's pane: the prompt, or the system prompt of a chat.
    pub fn prompt_text(&self) -> &EditorBuffer {
        if self.shows_system() { &self.chat.system } else { &self.prompt }
    }

    /// The same, to be edited.
    pub fn prompt_text_mut(&mut self) -> &mut EditorBuffer {
        if self.shows_system() { &mut self.chat.system } else { &mut self.prompt }
    }
}
