//! What keys and the mouse do in the inspector: they move in its candidates and its list, search the
//! list, and put a token in place of another.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::inspector::{Cursor, Part};
use crate::app::state::{Pane, State};
use crate::ui::inspector::{self as view, Target};

use super::output::select_by;
use super::{keys, travel, whereabouts};

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if state.inspector.is_searching && edit_query(state, action) {
        return Vec::new();
    }
    let page = height(state).max(1) as isize;
    match action {
        Action::Enter if is_place(state) => whereabouts::enter(state),
        Action::Enter => return travel::force(state),
        Action::Left => select_by(state, -1),
        Action::Right => select_by(state, 1),
        Action::Up => step(state, -1),
        Action::Down => step(state, 1),
        Action::PageUp => step(state, -page),
        Action::PageDown => step(state, page),
        Action::Home => step(state, isize::MIN),
        Action::End => step(state, isize::MAX),
        _ => {}
    }
    Vec::new()
}

/// Puts text into the query.
pub(super) fn type_text(state: &mut State, text: &str) {
    state.inspector.query.insert(text);
    state.inspector.list = Default::default();
}

/// Lets keys type into the query.
pub(super) fn search(state: &mut State) {
    keys::focus(state, Pane::Inspector);
    if !matches!(state.inspector.part, Part::Allowed | Part::Rejected) {
        state.inspector.turn(if state.inspector.lists_rejected() { Part::Rejected } else { Part::Allowed });
    }
    state.inspector.is_searching = true;
}

/// Clears the query. False if there is nothing to clear.
pub(super) fn search_no_more(state: &mut State) -> bool {
    let has_query = !state.inspector.query.text().is_empty();
    let is_at_it = state.inspector.is_searching || (state.focus == Pane::Inspector && has_query);
    if is_at_it {
        state.inspector.is_searching = false;
        state.inspector.query = Default::default();
        state.inspector.list = Default::default();
    }
    is_at_it
}

/// What the keys of a text do while the query is typed; the others move in the list. Whether it was
/// one of them.
fn edit_query(state: &mut State, action: Action) -> bool {
    let inspector = &mut state.inspector;
    if action == Action::Enter {
        inspector.is_searching = false;
        return true;
    }
    let before = inspector.query.text().to_owned();
    let is_edit = inspector.query.act(action);
    if inspector.query.text() != before {
        inspector.list = Default::default();
    }
    is_edit
}

/// Moves in the candidates or in the list, whichever the keys are for.
fn step(state: &mut State, by: isize) {
    if state.inspector.part == Part::Tree {
        let height = height(state);
        return whereabouts::step_in_tree(state, by, height);
    }
    let (count, height) = (count(state), height(state));
    cursor(state).step(by, count, height);
}

/// Scrolls what the keys are for.
pub(super) fn scroll(state: &mut State, by: isize) {
    let (count, height) = (count(state), height(state));
    if state.inspector.part == Part::Tree {
        return whereabouts::scroll_tree(state, by, height);
    }
    cursor(state).scroll(by, count, height);
}

fn cursor(state: &mut State) -> &mut Cursor {
    let inspector = &mut state.inspector;
    match inspector.part {
        Part::Candidates => &mut inspector.candidates,
        Part::Allowed | Part::Rejected => &mut inspector.list,
        Part::Where => &mut inspector.places,
        Part::Tree => &mut inspector.tree,
    }
}

/// The rows that there are to move in.
fn count(state: &State) -> usize {
    let insight = state.run.inspected().and_then(|(_, step)| step.insight.as_ref());
    insight.map_or(0, |insight| match state.inspector.part {
        Part::Candidates => insight.after.len().max(insight.before.len()),
        Part::Where => state.located().map_or(0, |located| located.place.expected.len()),
        Part::Tree => state.located().map_or(0, |located| located.reading.tree.nodes.len()),
        Part::Allowed | Part::Rejected => state.inspector.listing(insight).len(),
    })
}

/// The rows of them that are shown.
fn height(state: &State) -> usize {
    view::parts(state).map_or(0, |parts| parts.rows(state.inspector.part))
}

/// Whether the keys move in places of the grammar, rather than among tokens.
fn is_place(state: &State) -> bool {
    matches!(state.inspector.part, Part::Where | Part::Tree)
}

/// A click chooses what it is on; the second of a double click puts the token there.
pub(super) fn click(state: &mut State, column: u16, row: u16, count: u8) -> Vec<Effect> {
    match view::target(state, column, row) {
        Some(Target::Part(part)) => state.inspector.turn(part),
        Some(Target::Query) => search(state),
        Some(Target::Candidate { row, is_after }) => {
            state.inspector.turn(Part::Candidates);
            state.inspector.candidates.row = row;
            // What is on the other side may scroll away under the mouse.
            if is_after && count == 2 {
                return travel::force(state);
            }
        }
        Some(Target::Place(row)) => {
            state.inspector.turn(Part::Where);
            state.inspector.places.row = row;
            if count == 2 {
                whereabouts::enter(state);
            }
        }
        Some(Target::Node(row)) => {
            state.inspector.turn(Part::Tree);
            let height = height(state);
            if let Some(located) = state.located().cloned() {
                whereabouts::go_to_node(state, &located, row, height);
            }
            if count == 2 {
                whereabouts::enter(state);
            }
        }
        Some(Target::Row(row)) => {
            let rejected = state.inspector.lists_rejected();
            state.inspector.turn(if rejected { Part::Rejected } else { Part::Allowed });
            state.inspector.list.row = row;
            if count == 2 {
                return travel::force(state);
            }
        }
        None => {}
    }
    Vec::new()
}
