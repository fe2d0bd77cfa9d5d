//! The palette of commands: what can be asked for by name, and what cannot be done now and why.
//!
//! Movements of the caret and the like are left out: nobody looks for them by name.

use crate::app::action::Action;
use crate::app::inspector::Part;
use crate::app::state::{Pane, RunStatus, State};

use super::{Pick, Row};

/// The heading of the commands that were used last.
const RECENT: &str = "Used last";

/// How many of them are listed.
const RECENT_ROWS: usize = 5;

/// The commands with their titles, by section.
const COMMANDS: &[(&str, &[(Action, &str)])] = &[
    (
        "Run",
        &[
            (Action::Run, "Run, pause or go on"),
            (Action::Step, "Take one step"),
            (Action::Rewind, "Rewind to before the selected token"),
            (Action::Force, "Put the token under the cursor here"),
            (Action::Models, "Pick the model"),
            (Action::Settings, "Settings"),
            (Action::Runs, "Earlier runs"),
            (Action::Compare, "Compare with an earlier run"),
            (Action::Export, "Export the run"),
        ],
    ),
    (
        "Grammar",
        &[
            (Action::Open, "Open a grammar"),
            (Action::Save, "Save the grammar"),
            (Action::SaveAs, "Save the grammar as"),
            (Action::New, "New grammar"),
            (Action::NextFinding, "Next mistake"),
            (Action::Definition, "Go to the definition of a name"),
            (Action::Uses, "Uses of a name"),
            (Action::JumpBack, "Back to before the jump"),
            (Action::Fix, "Fix the mistake"),
            (Action::Entry, "Next entry point"),
            (Action::Cases, "Cases"),
            (Action::KeepAccepted, "Keep the output as an accepted case"),
            (Action::KeepRejected, "Keep the output as a rejected case"),
        ],
    ),
    (
        "Prompt",
        &[
            (Action::Prompts, "Earlier prompts"),
            (Action::PromptMode, "Raw or chat"),
            (Action::SystemPrompt, "Edit the system prompt"),
            (Action::Thinking, "Thinking on or off"),
            (Action::Rendered, "Look at the whole prompt"),
        ],
    ),
    (
        "Text",
        &[
            (Action::ExternalEditor, "Edit in an external editor"),
            (Action::Find, "Find"),
            (Action::Replace, "Find and replace"),
            (Action::GoToLine, "Go to line"),
            (Action::Bracket, "Go to the matching bracket"),
            (Action::Comment, "Comment lines in or out"),
            (Action::Indent, "Indent lines"),
            (Action::Outdent, "Outdent lines"),
            (Action::LineUp, "Move line up"),
            (Action::LineDown, "Move line down"),
            (Action::SelectAll, "Select all"),
            (Action::Copy, "Copy"),
            (Action::Cut, "Cut"),
            (Action::Paste, "Paste"),
            (Action::Undo, "Undo"),
            (Action::Redo, "Redo"),
        ],
    ),
    (
        "Look",
        &[
            (Action::Tint, "Tokens in the output: next look"),
            (Action::Graphs, "Graphs under the output"),
            (Action::NextSurprise, "Next token the mask changed"),
            (Action::PreviousSurprise, "Previous token the mask changed"),
            (Action::NextList, "Next part of the inspector"),
            (Action::Search, "Search the inspected tokens"),
            (Action::Themes, "Theme"),
            (Action::FocusGrammar, "Focus the grammar"),
            (Action::FocusPrompt, "Focus the prompt"),
            (Action::FocusOutput, "Focus the output"),
            (Action::FocusInspector, "Focus the inspector"),
            (Action::Zoom, "Zoom the pane"),
            (Action::Grow, "Make the pane larger"),
            (Action::Shrink, "Make the pane smaller"),
            (Action::Hide, "Hide the pane"),
            (Action::ResetLayout, "Reset the panes"),
        ],
    ),
    (
        "Program",
        &[
            (Action::Sessions, "Sessions"),
            (Action::Mouse, "Mouse on or off"),
            (Action::Messages, "Messages"),
            (Action::Help, "Keys"),
            (Action::Tour, "Hints for the first minutes"),
            (Action::Suspend, "Suspend to the shell"),
            (Action::Quit, "Quit"),
        ],
    ),
];

/// The headings of the commands, in order.
pub(in crate::app) fn sections() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(section, _)| *section)
}

/// The heading of a command; `None` if an action is none.
pub(in crate::app) fn section(wanted: Action) -> Option<&'static str> {
    all().find(|(_, action, _)| *action == wanted).map(|(section, ..)| section)
}

/// Every command, those that were used last first.
pub(super) fn rows(state: &State) -> Vec<Row> {
    let titled = |wanted: Action| all().find(|(_, action, _)| *action == wanted);
    let used = state.used.iter().filter_map(|&action| titled(action));
    let recent = used.take(RECENT_ROWS).map(|(_, action, title)| row(RECENT, action, title, state));
    let rest = all().map(|(section, action, title)| row(section, action, title, state));
    let recent: Vec<Row> = recent.collect();
    let is_recent = |row: &Row| recent.iter().any(|r| r.pick == row.pick);
    let rest: Vec<Row> = rest.filter(|row| !is_recent(row)).collect();
    recent.into_iter().chain(rest).collect()
}

fn all() -> impl Iterator<Item = (&'static str, Action, &'static str)> {
    COMMANDS.iter().flat_map(|(section, rows)| rows.iter().map(|(action, title)| (*section, *action, *title)))
}

fn row(section: &'static str, action: Action, title: &str, state: &State) -> Row {
    Row::new(section, title, Pick::Act(action))
        .about(action.doc())
        .right(state.keymap.first_key(action))
        .blocked(blocked(action, state))
}

/// Why a command cannot be done now.
fn blocked(action: Action, state: &State) -> Option<&'static str> {
    let is_editor = matches!(state.focus, Pane::Grammar | Pane::Prompt);
    let (is_wrong, reason) = match action {
        Action::NextFinding => (state.grammar.diagnostics.is_empty(), "the grammar has no mistakes"),
        Action::Definition | Action::Uses => {
            (state.name_at_caret().is_none(), "put the caret at a name of the grammar first")
        }
        Action::JumpBack => (state.grammar.jumps.is_empty(), "the caret has not jumped"),
        Action::Fix => (state.grammar.fixable().is_none(), "there is nothing to fix in one step"),
        Action::Entry => (state.grammar.source().entries().is_empty(), "the grammar names no entry points"),
        Action::PromptMode | Action::SystemPrompt | Action::Thinking => {
            (!state.has_template(), "the model has no chat template")
        }
        Action::Rewind | Action::Export | Action::Compare => {
            (state.run.trace.is_none(), "there is no run yet")
        }
        Action::KeepAccepted | Action::KeepRejected => {
            (state.run.steps().is_empty(), "there is no output yet")
        }
        Action::Force => match state.run.inspected() {
            None => (true, "there is no run yet"),
            Some(_) => (
                state.inspector.part != Part::Allowed && state.focus != Pane::Inspector,
                "pick a token in the inspector first",
            ),
        },
        Action::Search | Action::NextList => (state.run.inspected().is_none(), "there is no token yet"),
        Action::Copy => (!is_editor && state.run.trace.is_none(), "there is no output yet"),
        Action::Step => (state.run.status == RunStatus::Starting, "the prompt is being read"),
        Action::Find
        | Action::Replace
        | Action::GoToLine
        | Action::Bracket
        | Action::Comment
        | Action::Indent
        | Action::Outdent
        | Action::LineUp
        | Action::LineDown
        | Action::SelectAll
        | Action::Cut
        | Action::Paste
        | Action::Undo
        | Action::Redo
        | Action::ExternalEditor => (!is_editor, "focus the grammar or the prompt first"),
        _ => (false, ""),
    };
    is_wrong.then_some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not in the palette moves, selects, deletes, or only makes sense as a key.
    #[test]
    fn every_command_is_listed_once() {
        let keys_only = [
            "Close",
            "Commands",
            "NextPane",
            "PreviousPane",
            "Left",
            "Right",
            "Up",
            "Down",
            "PageUp",
            "PageDown",
            "Home",
            "End",
            "Enter",
            "WordLeft",
            "WordRight",
            "TextStart",
            "TextEnd",
            "DeleteLeft",
            "DeleteRight",
            "DeleteWord",
            "DeleteWordRight",
            "DeleteToEnd",
            "FindNext",
            "FindPrevious",
            "ReplaceAll",
            "PromptBefore",
            "PromptAfter",
        ];
        for action in Action::ALL {
            let name = action.name();
            let is_key = keys_only.contains(&name) || (name.starts_with("Select") && name != "SelectAll");
            let times = all().filter(|(_, other, _)| other == action).count();
            assert_eq!(times, usize::from(!is_key), "{name}");
        }
    }

    #[test]
    fn titles_are_short_and_their_own() {
        let titles: Vec<&str> = all().map(|(.., title)| title).collect();
        for (i, title) in titles.iter().enumerate() {
            assert!(title.len() <= 36 && !title.ends_with('.'), "{title}");
            assert!(!titles[..i].contains(title), "{title}");
        }
    }
}
