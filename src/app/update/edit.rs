//! What keys do in the grammar and the prompt.

use crate::app::action::Action;
use crate::app::editor::{EditorBuffer, Motion, brackets, lines};
use crate::app::event::Effect;
use crate::app::question::{Ask, Question};
use crate::app::state::{Overlay, Pane, State};
use crate::app::texts::TextId;
use crate::engine::grammar::GrammarKind;
use crate::ui::editor;
use crate::ui::wrap::Place;

use super::{clipboard, find, names, outside};

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(parts) = editor::parts(state, state.focus) else { return Vec::new() };
    let (width, page) = (parts.wrap_width(), parts.height().max(1) as isize);
    let Some(id) = state.text_in(state.focus) else { return Vec::new() };
    let kind = state.grammar.kind;
    let buffer = state.text_mut(id);
    if let Some((motion, selects)) = movement(action, page) {
        if selects {
            buffer.select(motion, width)
        } else {
            buffer.go(motion, width)
        }
        return Vec::new();
    }
    match action {
        Action::SelectAll => buffer.select_between(Place::default(), buffer.end()),
        Action::Copy => return clipboard::copy(state, false),
        Action::Cut => return clipboard::copy(state, true),
        Action::Enter => lines::new_line(buffer, openers(id, kind)),
        Action::DeleteLeft => buffer.delete(Motion::Left, width),
        Action::DeleteRight => buffer.delete(Motion::Right, width),
        Action::DeleteWord => buffer.delete(Motion::WordLeft, width),
        Action::DeleteWordRight => buffer.delete(Motion::WordRight, width),
        Action::DeleteToEnd => buffer.delete(Motion::LineEnd, width),
        Action::Undo => drop(buffer.undo()),
        Action::Redo => drop(buffer.redo()),
        Action::Indent => lines::indent(buffer),
        Action::Outdent => lines::outdent(buffer),
        Action::LineUp => drop(lines::shift(buffer, false)),
        Action::LineDown => drop(lines::shift(buffer, true)),
        Action::Bracket => to_partner(state, id),
        Action::Definition => names::definition(state),
        Action::Uses => names::uses(state),
        Action::Comment => comment(state, id),
        Action::Find => find::open(state, false),
        Action::Replace => find::open(state, true),
        Action::ReplaceAll => find::replace_all(state),
        Action::FindNext => find::step(state, true),
        Action::FindPrevious => find::step(state, false),
        Action::GoToLine => state.overlay = Some(Overlay::Question(Question::new(Ask::Line, ""))),
        Action::ExternalEditor => return outside::open(state, id),
        _ => {}
    }
    Vec::new()
}

/// Where a key leads the caret, and whether it selects.
fn movement(action: Action, page: isize) -> Option<(Motion, bool)> {
    Some(match action {
        Action::Left => (Motion::Left, false),
        Action::Right => (Motion::Right, false),
        Action::Up => (Motion::Rows(-1), false),
        Action::Down => (Motion::Rows(1), false),
        Action::PageUp => (Motion::Rows(-page), false),
        Action::PageDown => (Motion::Rows(page), false),
        Action::Home => (Motion::LineStart, false),
        Action::End => (Motion::LineEnd, false),
        Action::WordLeft => (Motion::WordLeft, false),
        Action::WordRight => (Motion::WordRight, false),
        Action::TextStart => (Motion::TextStart, false),
        Action::TextEnd => (Motion::TextEnd, false),
        Action::SelectLeft => (Motion::Left, true),
        Action::SelectRight => (Motion::Right, true),
        Action::SelectUp => (Motion::Rows(-1), true),
        Action::SelectDown => (Motion::Rows(1), true),
        Action::SelectHome => (Motion::LineStart, true),
        Action::SelectEnd => (Motion::LineEnd, true),
        Action::SelectWordLeft => (Motion::WordLeft, true),
        Action::SelectWordRight => (Motion::WordRight, true),
        Action::SelectTextStart => (Motion::TextStart, true),
        Action::SelectTextEnd => (Motion::TextEnd, true),
        _ => return None,
    })
}

/// What a line that is to be continued may end with, brackets apart.
pub(super) fn openers(id: TextId, kind: GrammarKind) -> &'static [&'static str] {
    match (id, kind) {
        (TextId::Grammar, GrammarKind::Lark) => &[":", "|"],
        (TextId::Grammar, GrammarKind::Gbnf) => &["::=", "|"],
        _ => &[],
    }
}

/// Goes to the bracket that belongs to the one at the caret.
fn to_partner(state: &mut State, id: TextId) {
    let buffer = state.text_mut(id);
    match brackets::pair(buffer, buffer.caret()) {
        Some((_, partner)) => buffer.go_to(partner),
        None => state.say("There is no bracket with a partner at the caret."),
    }
}

/// Makes the chosen lines comments, where there are any.
pub(super) fn comment(state: &mut State, id: TextId) {
    let mark = match (id, state.grammar.kind) {
        (TextId::Grammar, GrammarKind::Lark) => "//",
        (TextId::Grammar, GrammarKind::Gbnf) => "#",
        (TextId::Grammar, kind) => {
            return state.say(format!("There are no comments in a {}.", kind.name()));
        }
        (id, _) => return state.say(format!("There are no comments in a {}.", id.name())),
    };
    lines::toggle_comment(state.text_mut(id), mark);
}

/// Goes to the next thing that is wrong with the grammar, around its end.
pub(super) fn next_finding(state: &mut State) {
    let mut places: Vec<Place> = state.grammar.diagnostics.iter().map(|d| place(state, d)).collect();
    places.sort();
    let caret = state.grammar.buffer.caret();
    match places.iter().find(|place| **place > caret).or(places.first()) {
        Some(&place) => {
            super::keys::focus(state, Pane::Grammar);
            state.grammar.buffer.go_to(place);
        }
        None => state.say("There is no mistake in the grammar."),
    }
}

/// Makes the fix of the finding that is told about, as one change.
pub(super) fn fix(state: &mut State) {
    let (next, undo) = (state.keymap.first_key(Action::NextFinding), state.keymap.first_key(Action::Undo));
    let Some(finding) = state.grammar.fixable() else {
        return state.say(match (state.grammar.is_checked(), state.grammar.diagnostics.is_empty()) {
            (false, _) => "The grammar is still being checked.".to_owned(),
            (true, true) => "There is nothing to fix in the grammar.".to_owned(),
            (true, false) => format!("This one has no fix in one step; {next} goes on to the next."),
        });
    };
    let Some(fix) = finding.fix.clone() else { return };
    let told = format!("Fixed {}: {}; {undo} undoes it.", finding.number, fix.label);
    let place = place(state, finding);
    super::keys::focus(state, Pane::Grammar);
    let buffer = &mut state.grammar.buffer;
    buffer.replace_text(&fix.apply(&buffer.text()));
    // What was put at the end or at the start of the text is not where the person looks.
    buffer.go_to(place);
    state.say(told);
}

/// Has the grammar begin with the entry point after the one that `start` names, as one change.
pub(super) fn entry(state: &mut State) {
    let source = state.grammar.source();
    let entries = source.entries();
    let now = source.entry().and_then(|entry| entries.iter().position(|name| *name == entry));
    let next = now.map_or(0, |now| (now + 1) % entries.len());
    // One that is not listed is not there, and the reason is what is to be said.
    let told = match source.with_entry(entries.get(next).copied().unwrap_or_default()) {
        Ok(changed) => {
            let place = state.grammar.buffer.caret();
            state.grammar.buffer.replace_text(&changed.text);
            state.grammar.buffer.go_to(place);
            format!("A text is now: {} ({} of {}).", entries[next], next + 1, entries.len())
        }
        Err(error) => error.to_string(),
    };
    state.say(told);
}

/// Where a finding begins.
fn place(state: &State, finding: &crate::engine::diagnostic::Diagnostic) -> Place {
    use crate::ui::wrap::Lines;
    let buffer: &EditorBuffer = &state.grammar.buffer;
    let line = finding.start.line.saturating_sub(1);
    let text = buffer.line(line);
    let byte = text.char_indices().nth(finding.start.column.saturating_sub(1));
    Place { line, byte: byte.map_or(text.len(), |(at, _)| at) }
}
