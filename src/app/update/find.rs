//! What keys do while the bar for finding and replacing is open, and the keys that open it.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::field::Field;
use crate::app::find::Find;
use crate::app::state::{Pane, State};

use super::keys::buffer_of;

/// The longest selection that is taken for what is looked for.
const LONGEST: usize = 1000;

/// Opens the bar. What is selected is looked for, if it is not long; else what was looked for last.
pub(super) fn open(state: &mut State, replaces: bool) {
    let pane = state.focus;
    let Some(buffer) = buffer_of(state, pane) else { return };
    let selected = buffer.selected_text();
    let origin = buffer.selection().map_or(buffer.caret(), |(start, _)| start);
    buffer.go_to(origin);
    let find = &mut state.find;
    find.in_replacement = false;
    if !selected.is_empty() && selected.len() <= LONGEST {
        (find.query, find.wanted.is_regex) = (Field::default(), false);
        put(find, &selected);
    }
    // What is typed now takes its place.
    find.query.act(Action::SelectAll);
    (find.is_open, find.pane, find.origin, find.replaces) = (true, pane, origin, replaces);
    refresh(state);
}

/// Closes the bar, if it is open; the caret stays. Whether it was.
pub(super) fn close(state: &mut State) -> bool {
    std::mem::take(&mut state.find.is_open)
}

/// What an action does in the bar; `None` if it is none of the bar's.
pub(super) fn act(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    let find = &mut state.find;
    match action {
        Action::Find => find.wanted.is_regex = !find.wanted.is_regex,
        // As in other editors: Alt-C for capitals, Alt-W for words.
        Action::PromptMode => find.wanted.exact = !find.wanted.exact,
        Action::SaveAs => find.wanted.words = !find.wanted.words,
        Action::Replace => {
            find.replaces = !find.replaces;
            find.in_replacement = find.replaces;
        }
        // What was replaced is undone, not what was typed into the bar.
        Action::Undo | Action::Redo => return None,
        Action::NextPane | Action::PreviousPane if find.replaces => {
            find.in_replacement = !find.in_replacement;
        }
        Action::Down if find.replaces => find.in_replacement = true,
        Action::Up if find.replaces => find.in_replacement = false,
        Action::Enter if find.replaces && find.in_replacement => replace(state),
        // In vi, Enter ends the search where it has led.
        Action::Enter if state.vim.is_some() && !find.replaces => state.find.is_open = false,
        Action::Enter | Action::FindNext | Action::Down => step(state, true),
        Action::FindPrevious | Action::Up => step(state, false),
        Action::ReplaceAll => replace_all(state),
        _ if find.field().act(action) => {}
        _ => return None,
    }
    refresh(state);
    Some(Vec::new())
}

/// Goes to the next place, or the one before.
pub(super) fn step(state: &mut State, forward: bool) {
    if state.find.query.text().is_empty() {
        return open(state, false);
    }
    let pane = if state.find.is_open { state.find.pane } else { state.focus };
    search(state, pane);
    let Some(caret) = buffer_of(state, pane).map(|buffer| buffer.caret()) else { return };
    let to = if forward { state.find.next(caret, true) } else { state.find.previous(caret) };
    if let Some(to) = to {
        state.find.origin = to;
        if let Some(buffer) = buffer_of(state, pane) {
            buffer.go_to(to);
        }
    } else if !state.find.is_open {
        let wanted = state.find.query.text();
        state.warn(match &state.find.found {
            Ok(_) => format!("There is no “{wanted}” in the text."),
            Err(reason) => format!("“{wanted}” is no regular expression: {reason}"),
        });
    }
}

/// Replaces the place at the caret and goes on to the next; elsewhere, only goes there.
fn replace(state: &mut State) {
    let pane = state.find.pane;
    let Some(caret) = buffer_of(state, pane).map(|buffer| buffer.caret()) else { return };
    let Some(index) = state.find.current(caret) else { return step(state, true) };
    let find = state.find.clone();
    let Some(buffer) = buffer_of(state, pane) else { return };
    for part in find.replacements(buffer, index..index + 1) {
        buffer.replace(part.start, part.end, &part.text);
    }
    // From behind the replacement: what was looked for may be a part of it.
    let caret = buffer.caret();
    search(state, pane);
    let to = state.find.next(caret, false).unwrap_or(caret);
    if let Some(buffer) = buffer_of(state, pane) {
        buffer.go_to(to);
    }
    state.find.origin = to;
}

/// Replaces every place, in one change.
pub(super) fn replace_all(state: &mut State) {
    if !state.find.is_open {
        return open(state, true);
    }
    let pane = state.find.pane;
    let find = state.find.clone();
    let Some(buffer) = buffer_of(state, pane) else { return };
    buffer.apply(&find.replacements(buffer, 0..find.places().len()));
    let count = find.places().len();
    state.find.origin = buffer.caret();
    search(state, pane);
    let key = state.keymap.first_key(Action::Undo);
    state.say(match count {
        0 => "There is nothing to replace.".to_owned(),
        1 => format!("Replaced 1 place; {key} undoes it."),
        _ => format!("Replaced {count} places; {key} undoes it."),
    });
}

/// Types into the bar.
pub(super) fn type_text(state: &mut State, text: &str) {
    put(&mut state.find, text);
    refresh(state);
}

/// Puts text into the line that keys type into. Lines have line ends between them; one at the end is
/// none that anybody looks for.
fn put(find: &mut Find, text: &str) {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.contains('\n') {
        find.insert_lines(text);
    } else {
        find.field().insert(text);
    }
}

/// Keeps what was found in step with the query and the text. With another query, the caret goes to
/// the first place from where the search began.
pub(super) fn refresh(state: &mut State) {
    if !state.find.is_open {
        return;
    }
    if state.focus != state.find.pane || !matches!(state.focus, Pane::Grammar | Pane::Prompt) {
        close(state);
        return;
    }
    let (pane, origin) = (state.find.pane, state.find.origin);
    if search(state, pane) {
        let to = state.find.next(origin, false).unwrap_or(origin);
        if let Some(buffer) = buffer_of(state, pane) {
            buffer.go_to(to);
        }
    }
}

/// Searches the text of a pane. Whether the query is another one than before.
fn search(state: &mut State, pane: Pane) -> bool {
    let Some(id) = state.text_in(pane) else { return false };
    // The text and the search are both parts of the state.
    let mut find = std::mem::take(&mut state.find);
    let text = state.text(id);
    let is_other = find.update(id, text.revision(), text);
    state.find = find;
    is_other
}
