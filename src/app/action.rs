//! Everything a key can ask for, by name.
//!
//! The help overlay, the footer and the key table of the README are made from these names, hints
//! and docs; what an action does is in [`update`](super::update).

/// Declares the actions with the text that documents them, so that the help cannot differ from it.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident = $hint:literal,)+) => {
        /// What a key can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Action {
            /// Every action, in the order of the help.
            pub const ALL: &[Action] = &[$(Action::$name,)+];

            /// What the action does, in one sentence.
            pub fn doc(self) -> &'static str {
                match self {
                    $(Action::$name => concat!($($doc),+).trim_ascii_start(),)+
                }
            }

            /// One or two words for the footer.
            pub fn hint(self) -> &'static str {
                match self {
                    $(Action::$name => $hint,)+
                }
            }

            /// The name in configuration files and in tests.
            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$name => stringify!($name),)+
                }
            }
        }
    };
}

actions! {
    /// Run, pause, or go on.
    Run = "run",
    /// Take one step: one sampled token and what it forces.
    Step = "step",
    /// Close what is open; else stop the run.
    Close = "stop",
    /// Focus the next pane.
    NextPane = "next pane",
    /// Focus the previous pane.
    PreviousPane = "previous pane",
    /// Focus the grammar.
    FocusGrammar = "grammar",
    /// Focus the prompt.
    FocusPrompt = "prompt",
    /// Focus the output.
    FocusOutput = "output",
    /// Focus the inspector.
    FocusInspector = "inspector",
    /// Give the focused pane the whole screen, or take it back.
    Zoom = "zoom",
    /// Switch between raw and chat: the prompt as it is, or in the model's chat template.
    PromptMode = "raw or chat",
    /// Edit the system prompt of a chat, or the prompt again.
    SystemPrompt = "system prompt",
    /// Let the model think before its answer, or answer at once.
    Thinking = "thinking",
    /// Show the prompt as the model reads it, with its special tokens.
    Rendered = "whole prompt",
    /// Open one of the shipped examples.
    Examples = "examples",
    /// Pick the model: one that is at hand, or one to download.
    Models = "model",
    /// Switch between the dark and the light theme.
    Theme = "theme",
    /// Let the terminal select text with the mouse, or take the mouse back.
    Mouse = "mouse",
    /// Show the keys.
    Help = "help",
    /// Suspend to the shell; `fg` comes back.
    Suspend = "suspend",
    /// Quit.
    Quit = "quit",
    /// Caret left; outside of text fields, the token before.
    Left = "token",
    /// Caret right; outside of text fields, the next token.
    Right = "token",
    /// Up one row; in the inspector, up the list.
    Up = "line",
    /// Down one row; in the inspector, down the list.
    Down = "line",
    /// Up one screen.
    PageUp = "page",
    /// Down one screen.
    PageDown = "page",
    /// Start of the line; in the output, the first token.
    Home = "first",
    /// End of the line; in the output, follow the newest token.
    End = "follow",
    /// One word left.
    WordLeft = "word",
    /// One word right.
    WordRight = "word",
    /// Start of the text.
    TextStart = "top",
    /// End of the text.
    TextEnd = "bottom",
    /// Select to the left.
    SelectLeft = "select",
    /// Select to the right.
    SelectRight = "select",
    /// Select up one row.
    SelectUp = "select",
    /// Select down one row.
    SelectDown = "select",
    /// Select to the start of the line.
    SelectHome = "select",
    /// Select to the end of the line.
    SelectEnd = "select",
    /// Copy what is selected to the clipboard.
    Copy = "copy",
    /// Copy what is selected and delete it.
    Cut = "cut",
    /// New line; in a list, choose.
    Enter = "choose",
    /// Delete the character before the caret.
    DeleteLeft = "delete",
    /// Delete the character under the caret.
    DeleteRight = "delete",
    /// Delete the word before the caret.
    DeleteWord = "delete word",
    /// Delete to the end of the line.
    DeleteToEnd = "delete line",
    /// Undo the last change of the text.
    Undo = "undo",
    /// Make it again.
    Redo = "redo",
    /// Next part of the inspector: candidates, allowed tokens, rejected tokens.
    NextList = "list",
    /// Search the allowed or the rejected tokens.
    Search = "search",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_documented() {
        for action in Action::ALL {
            assert!(action.doc().ends_with('.'), "{}", action.name());
            assert!(!action.hint().is_empty() && action.hint().len() <= 14, "{}", action.name());
        }
    }
}
