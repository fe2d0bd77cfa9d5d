//! Which key asks for which action, where. The footer, the help and the README are made from it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;

mod parse;
mod remap;

/// Where a key has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere.
    Everywhere,
    /// In the grammar, the prompt and the search line.
    Text,
    /// In the output, the inspector and lists, where keys do not type.
    Panes,
}

impl Context {
    /// The heading in the help and the README.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Text => "In text",
            Self::Panes => "In the output, the inspector and lists",
        }
    }
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const fn key(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::NONE }
}

const fn char(c: char) -> Key {
    key(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
}

const fn alt(c: char) -> Key {
    Key { code: KeyCode::Char(c), modifiers: KeyModifiers::ALT }
}

const fn with_ctrl(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::CONTROL }
}

const fn with_alt(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::ALT }
}

const fn with_ctrl_shift(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::CONTROL.union(KeyModifiers::SHIFT) }
}

const fn with_shift(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::SHIFT }
}

impl From<KeyEvent> for Key {
    /// Terminals disagree on whether Shift is reported with a character that it has changed
    /// already, so it counts with other keys only.
    fn from(event: KeyEvent) -> Self {
        let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let mut modifiers = event.modifiers & known;
        let mut code = event.code;
        if let KeyCode::Char(c) = code {
            modifiers -= KeyModifiers::SHIFT;
            if modifiers.contains(KeyModifiers::CONTROL) {
                code = KeyCode::Char(c.to_ascii_lowercase());
            }
        }
        if code == KeyCode::BackTab {
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code, modifiers }
    }
}

impl Key {
    /// The key, and the one that some terminals send for it.
    pub fn and_its_stand_in(self) -> Vec<Self> {
        if self == ctrl('/') { vec![self, ctrl('7')] } else { vec![self] }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.modifiers.is_empty() => write!(f, "{c}"),
            KeyCode::Char(c) => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::Delete => f.write_str("Del"),
            other => write!(f, "{other:?}"),
        }
    }
}

use Context::{Everywhere, Panes, Text};

/// A key where it has a meaning, and the meaning.
pub type Binding = (Context, Key, Action);

/// The bindings at the start. The first key of an action is the one that hints show.
pub const BINDINGS: &[Binding] = &[
    (Everywhere, key(KeyCode::F(5)), Action::Run),
    (Everywhere, ctrl('r'), Action::Run),
    (Everywhere, key(KeyCode::F(10)), Action::Step),
    (Everywhere, ctrl('n'), Action::Step),
    (Everywhere, key(KeyCode::Esc), Action::Close),
    (Everywhere, ctrl('p'), Action::Commands),
    (Everywhere, ctrl('o'), Action::Open),
    (Everywhere, ctrl('s'), Action::Save),
    (Everywhere, alt('w'), Action::SaveAs),
    (Everywhere, alt('n'), Action::New),
    (Everywhere, alt('e'), Action::ExternalEditor),
    (Everywhere, key(KeyCode::F(2)), Action::Settings),
    (Everywhere, alt('o'), Action::Settings),
    (Everywhere, key(KeyCode::F(4)), Action::Models),
    (Everywhere, alt('l'), Action::Models),
    (Everywhere, key(KeyCode::F(6)), Action::Prompts),
    (Everywhere, alt('y'), Action::Prompts),
    (Everywhere, key(KeyCode::F(7)), Action::Sessions),
    (Everywhere, alt('j'), Action::Sessions),
    (Everywhere, key(KeyCode::F(9)), Action::Runs),
    (Everywhere, alt('k'), Action::Runs),
    (Everywhere, alt('d'), Action::Compare),
    (Everywhere, alt('x'), Action::Export),
    (Everywhere, ctrl('t'), Action::Themes),
    (Everywhere, key(KeyCode::Tab), Action::NextPane),
    (Everywhere, key(KeyCode::BackTab), Action::PreviousPane),
    (Everywhere, alt('1'), Action::FocusGrammar),
    (Everywhere, alt('2'), Action::FocusPrompt),
    (Everywhere, alt('3'), Action::FocusOutput),
    (Everywhere, alt('4'), Action::FocusInspector),
    (Everywhere, alt('z'), Action::Zoom),
    (Panes, char('z'), Action::Zoom),
    (Everywhere, alt('='), Action::Grow),
    (Everywhere, alt('+'), Action::Grow),
    (Everywhere, alt('-'), Action::Shrink),
    (Everywhere, alt('h'), Action::Hide),
    (Everywhere, alt('0'), Action::ResetLayout),
    (Everywhere, alt('v'), Action::Tint),
    (Panes, char('v'), Action::Tint),
    (Everywhere, alt('g'), Action::Graphs),
    (Panes, char('g'), Action::Graphs),
    (Everywhere, key(KeyCode::F(8)), Action::NextFinding),
    (Everywhere, alt('i'), Action::NextFinding),
    (Everywhere, alt('\''), Action::Fix),
    (Everywhere, with_shift(KeyCode::F(8)), Action::Fix),
    (Everywhere, alt(':'), Action::Entry),
    (Everywhere, alt(';'), Action::Cases),
    (Everywhere, alt('c'), Action::PromptMode),
    (Everywhere, alt('s'), Action::SystemPrompt),
    (Everywhere, alt('t'), Action::Thinking),
    (Everywhere, alt('p'), Action::Rendered),
    (Everywhere, alt('m'), Action::Mouse),
    (Everywhere, key(KeyCode::F(1)), Action::Help),
    (Panes, char('?'), Action::Help),
    (Everywhere, alt('?'), Action::Tour),
    (Everywhere, ctrl('z'), Action::Suspend),
    (Everywhere, ctrl('q'), Action::Quit),
    (Everywhere, key(KeyCode::Left), Action::Left),
    (Everywhere, key(KeyCode::Right), Action::Right),
    (Everywhere, key(KeyCode::Up), Action::Up),
    (Everywhere, key(KeyCode::Down), Action::Down),
    (Everywhere, key(KeyCode::PageUp), Action::PageUp),
    (Everywhere, key(KeyCode::PageDown), Action::PageDown),
    (Everywhere, key(KeyCode::Home), Action::Home),
    (Text, ctrl('a'), Action::Home),
    (Everywhere, key(KeyCode::End), Action::End),
    (Text, ctrl('e'), Action::End),
    (Everywhere, key(KeyCode::Enter), Action::Enter),
    // Some terminals send a line feed for Enter, above all in what they paste.
    (Everywhere, ctrl('j'), Action::Enter),
    (Text, with_ctrl(KeyCode::Left), Action::WordLeft),
    (Text, alt('b'), Action::WordLeft),
    (Text, with_ctrl(KeyCode::Right), Action::WordRight),
    (Text, alt('f'), Action::WordRight),
    (Text, with_ctrl(KeyCode::Home), Action::TextStart),
    (Text, with_ctrl(KeyCode::End), Action::TextEnd),
    (Text, with_shift(KeyCode::Left), Action::SelectLeft),
    (Text, with_shift(KeyCode::Right), Action::SelectRight),
    (Text, with_shift(KeyCode::Up), Action::SelectUp),
    (Text, with_shift(KeyCode::Down), Action::SelectDown),
    (Text, with_shift(KeyCode::Home), Action::SelectHome),
    (Text, with_shift(KeyCode::End), Action::SelectEnd),
    (Text, with_ctrl_shift(KeyCode::Left), Action::SelectWordLeft),
    (Text, with_ctrl_shift(KeyCode::Right), Action::SelectWordRight),
    (Text, with_ctrl_shift(KeyCode::Home), Action::SelectTextStart),
    (Text, with_ctrl_shift(KeyCode::End), Action::SelectTextEnd),
    (Text, alt('a'), Action::SelectAll),
    (Text, ctrl('c'), Action::Copy),
    (Panes, char('y'), Action::Copy),
    (Text, ctrl('x'), Action::Cut),
    (Text, ctrl('v'), Action::Paste),
    (Text, key(KeyCode::Backspace), Action::DeleteLeft),
    (Text, ctrl('h'), Action::DeleteLeft),
    (Text, key(KeyCode::Delete), Action::DeleteRight),
    (Text, ctrl('d'), Action::DeleteRight),
    (Text, ctrl('w'), Action::DeleteWord),
    (Text, with_alt(KeyCode::Backspace), Action::DeleteWord),
    (Text, with_ctrl(KeyCode::Delete), Action::DeleteWordRight),
    (Text, ctrl('k'), Action::DeleteToEnd),
    (Text, ctrl('u'), Action::Undo),
    (Text, ctrl('y'), Action::Redo),
    (Text, ctrl('f'), Action::Find),
    (Text, alt('r'), Action::Replace),
    (Text, with_alt(KeyCode::Enter), Action::ReplaceAll),
    (Text, key(KeyCode::F(3)), Action::FindNext),
    // Not Shift-F3: what most terminals send for it is also their answer to where the cursor is.
    (Text, ctrl('l'), Action::FindPrevious),
    (Text, ctrl('g'), Action::GoToLine),
    (Text, alt(']'), Action::Bracket),
    (Text, key(KeyCode::F(12)), Action::Definition),
    (Text, alt('q'), Action::Definition),
    (Text, with_shift(KeyCode::F(12)), Action::Uses),
    (Text, alt('u'), Action::Uses),
    (Text, with_alt(KeyCode::Left), Action::JumpBack),
    (Text, ctrl('b'), Action::JumpBack),
    (Text, alt('/'), Action::Comment),
    // What terminals send for Ctrl-/.
    (Text, ctrl('7'), Action::Comment),
    (Text, ctrl('/'), Action::Comment),
    (Text, alt('.'), Action::Indent),
    (Text, alt(','), Action::Outdent),
    (Text, with_alt(KeyCode::Up), Action::LineUp),
    (Text, with_alt(KeyCode::Down), Action::LineDown),
    (Text, with_ctrl(KeyCode::Up), Action::PromptBefore),
    (Text, with_ctrl(KeyCode::Down), Action::PromptAfter),
    (Panes, char('t'), Action::NextList),
    (Panes, char('/'), Action::Search),
    (Panes, char('r'), Action::Rewind),
    (Panes, char('n'), Action::NextSurprise),
    (Panes, char('N'), Action::PreviousSurprise),
    (Panes, char('f'), Action::Force),
];

/// Which keys ask for what. A change of it changes the footer, the help and the palette alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bindings: BINDINGS.to_vec() }
    }
}

impl Keymap {
    /// Every binding.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// What `event` asks for where keys type (`typing`) or do not; `None` if it has no meaning there.
    pub fn action(&self, event: KeyEvent, typing: bool) -> Option<Action> {
        let pressed = Key::from(event);
        let here = if typing { Text } else { Panes };
        let holds = |(c, k, _): &&Binding| (*c == Everywhere || *c == here) && *k == pressed;
        self.bindings.iter().find(holds).map(|(_, _, a)| *a)
    }

    /// The keys of an action, and where the first of them works.
    pub fn keys(&self, action: Action) -> (Option<Context>, Vec<Key>) {
        let of_action = || self.bindings.iter().filter(|(_, _, a)| *a == action);
        (of_action().next().map(|b| b.0), of_action().map(|b| b.1).collect())
    }

    /// The key that hints name for an action; empty if it has none.
    pub fn first_key(&self, action: Action) -> String {
        self.keys(action).1.first().map_or_else(String::new, Key::to_string)
    }

    /// The help's lines: for each context its title and its actions with all their keys.
    pub fn help(&self) -> Vec<(&'static str, Vec<(String, &'static str)>)> {
        let rows = |context: Context| {
            let of_context = Action::ALL.iter().filter_map(|&action| {
                let (first, keys) = self.keys(action);
                let names: Vec<String> = keys.iter().map(Key::to_string).collect();
                (first == Some(context)).then(|| (names.join(" "), action.doc()))
            });
            of_context.collect()
        };
        [Everywhere, Text, Panes].map(|context| (context.title(), rows(context))).into()
    }

    /// The key table of the README, in Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::from("| keys | what they do |\n|---|---|\n");
        for (title, rows) in self.help() {
            out += &format!("| | **{title}** |\n");
            for (keys, doc) in rows {
                let keys: Vec<String> = keys.split(' ').map(|k| format!("`{k}`")).collect();
                out += &format!("| {} | {doc} |\n", keys.join(" "));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_key_and_no_key_two_meanings() {
        let keymap = Keymap::default();
        // What is rarely wanted is in the palette only.
        let in_palette = [Action::Messages, Action::KeepAccepted, Action::KeepRejected];
        for &action in Action::ALL.iter().filter(|a| !in_palette.contains(a)) {
            assert!(!keymap.first_key(action).is_empty(), "{} has no key", action.name());
        }
        for (i, (context, key, action)) in BINDINGS.iter().enumerate() {
            for (other_context, other_key, other) in &BINDINGS[i + 1..] {
                let overlap =
                    context == other_context || *context == Everywhere || *other_context == Everywhere;
                assert!(!(overlap && key == other_key), "{key}: {} and {}", action.name(), other.name());
            }
        }
    }

    /// Terminals send Tab for Ctrl-I, Enter for Ctrl-M and Esc for Ctrl-[.
    #[test]
    fn no_binding_is_ambiguous_in_a_terminal() {
        for (_, key, action) in BINDINGS {
            assert!(![ctrl('i'), ctrl('m'), ctrl('[')].contains(key), "{}", action.name());
        }
    }

    #[test]
    fn typing_keys_type() {
        let action = |event, typing| Keymap::default().action(event, typing);
        let press = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
        for c in ('!'..='~').chain([' ']) {
            assert_eq!(action(press(c), true), None, "{c}");
        }
        assert_eq!(action(press('?'), false), Some(Action::Help));
        let shifted = KeyEvent::new(KeyCode::Char('?'), KeyModifiers::SHIFT);
        assert_eq!(action(shifted, false), Some(Action::Help));
    }
}
