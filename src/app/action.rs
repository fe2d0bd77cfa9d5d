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

            /// The name in the source and in tests; [`key_name`](Self::key_name) is the one for people.
            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$name => stringify!($name),)+
                }
            }
        }
    };
}

impl Action {
    /// The name in the config file: `focus-grammar`.
    pub fn key_name(self) -> String {
        let mut out = String::new();
        for c in self.name().chars() {
            if c.is_ascii_uppercase() && !out.is_empty() {
                out.push('-');
            }
            out.push(c.to_ascii_lowercase());
        }
        out
    }
}

actions! {
    /// Run, pause, or go on.
    Run = "run",
    /// Take one step: one sampled token and what it forces.
    Step = "step",
    /// Close what is open; else stop the run.
    Close = "stop",
    /// Find any command by a part of its name; each is listed with its key.
    Commands = "commands",
    /// Open a grammar: an example, a recent file, or any other.
    Open = "open",
    /// Save the grammar to its file.
    Save = "save",
    /// Save the grammar to another file.
    SaveAs = "save as",
    /// Start an empty grammar.
    New = "new",
    /// Edit the focused text in the program that $VISUAL or $EDITOR names.
    ExternalEditor = "editor",
    /// Change the model's device, the sampler, the most tokens and the prompt's mode.
    Settings = "settings",
    /// Pick the model: one that is at hand, or one to download.
    Models = "model",
    /// Pick an earlier prompt.
    Prompts = "prompts",
    /// Open, name, or delete a session: a grammar, a prompt, settings and runs.
    Sessions = "sessions",
    /// Pick an earlier run of this session, to look at it again.
    Runs = "runs",
    /// Show the run beside an earlier one, and where they part.
    Compare = "compare",
    /// Write the run to a file: as JSON, as a web page, or as text.
    Export = "export",
    /// Pick the theme, and see each while you choose.
    Themes = "theme",
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
    /// Make the focused pane larger.
    Grow = "larger",
    /// Make the focused pane smaller.
    Shrink = "smaller",
    /// Hide the focused pane; focusing it shows it again.
    Hide = "hide",
    /// Give every pane its first place and size.
    ResetLayout = "reset panes",
    /// Next look of the output: text, its tokens, or its tokens tinted by what the mask removed.
    Tint = "tokens",
    /// Show the graphs under the output, of every step, of the whole run, or hide them.
    Graphs = "graphs",
    /// Go to the next mistake in the grammar.
    NextFinding = "next mistake",
    /// Put right what the message about the grammar speaks of.
    Fix = "fix",
    /// Begin the grammar with the next of its entry points.
    Entry = "entry point",
    /// List the cases of the grammar, and what it says to each.
    Cases = "cases",
    /// Keep the output as a case that the grammar is to accept.
    KeepAccepted = "keep accepted",
    /// Keep the output as a case that the grammar is to reject.
    KeepRejected = "keep rejected",
    /// Switch between raw and chat: the prompt as it is, or in the model's chat template.
    PromptMode = "raw or chat",
    /// Edit the system prompt of a chat, or the prompt again.
    SystemPrompt = "system prompt",
    /// Let the model think before its answer, or answer at once.
    Thinking = "thinking",
    /// Show the prompt as the model reads it, with its special tokens.
    Rendered = "whole prompt",
    /// Read again what the program has said.
    Messages = "messages",
    /// Let the terminal select text with the mouse, or take the mouse back.
    Mouse = "mouse",
    /// Show the keys.
    Help = "help",
    /// Show the hints for the first minutes again.
    Tour = "tour",
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
    /// New line; in a list, choose.
    Enter = "choose",
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
    /// Select the word to the left.
    SelectWordLeft = "select",
    /// Select the word to the right.
    SelectWordRight = "select",
    /// Select to the start of the text.
    SelectTextStart = "select",
    /// Select to the end of the text.
    SelectTextEnd = "select",
    /// Select the whole text.
    SelectAll = "select all",
    /// Copy what is selected; outside of text, the output.
    Copy = "copy",
    /// Copy what is selected and delete it.
    Cut = "cut",
    /// Put what was copied last here.
    Paste = "paste",
    /// Delete the character before the caret.
    DeleteLeft = "delete",
    /// Delete the character under the caret.
    DeleteRight = "delete",
    /// Delete the word before the caret.
    DeleteWord = "delete word",
    /// Delete the word after the caret.
    DeleteWordRight = "delete word",
    /// Delete to the end of the line.
    DeleteToEnd = "delete line",
    /// Undo the last change of the text.
    Undo = "undo",
    /// Make it again.
    Redo = "redo",
    /// Find text.
    Find = "find",
    /// Find text and replace it.
    Replace = "replace",
    /// Replace everything that is found.
    ReplaceAll = "replace all",
    /// Go to the next place that was found.
    FindNext = "find next",
    /// Go to the one before.
    FindPrevious = "find previous",
    /// Go to a line by its number.
    GoToLine = "line",
    /// Go to the bracket that belongs to the one at the caret.
    Bracket = "bracket",
    /// Go to where the name at the caret is defined.
    Definition = "definition",
    /// List every use of the name at the caret.
    Uses = "uses",
    /// Go back to where the caret was before the last jump.
    JumpBack = "jump back",
    /// Make the lines comments, or text again.
    Comment = "comment",
    /// Move the lines right by one level.
    Indent = "indent",
    /// Move the lines left by one level.
    Outdent = "outdent",
    /// Move the line up.
    LineUp = "line up",
    /// Move the line down.
    LineDown = "line down",
    /// In the prompt, the prompt of the run before.
    PromptBefore = "earlier prompt",
    /// In the prompt, the prompt of the run after.
    PromptAfter = "later prompt",
    /// Next part of the inspector: candidates, allowed and rejected tokens, where, tree.
    NextList = "list",
    /// Search the allowed or the rejected tokens.
    Search = "search",
    /// Go back to before the selected token, and go on from there.
    Rewind = "rewind",
    /// Go to the next token where the mask took the model's first choice.
    NextSurprise = "next removed",
    /// Go to the token before where the mask took the model's first choice.
    PreviousSurprise = "removed before",
    /// Put the token at the cursor of the inspector in place of the selected one, and go on.
    Force = "put token",
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
