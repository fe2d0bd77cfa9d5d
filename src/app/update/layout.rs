//! Resizing, zooming and hiding panes, with keys and with the mouse.

use crate::app::action::Action;
use crate::app::layout::{Edge, Sizes, Wishes};
use crate::app::pointer::Drag;
use crate::app::state::{Pane, State};
use crate::ui::layout::Areas;

use super::keys;

/// Columns and rows that a key moves an edge by.
const STEP: (i32, i32) = (4, 2);

/// Takes in an action.
pub(super) fn act(state: &mut State, action: Action) {
    match action {
        Action::Zoom => state.layout.zoomed = !state.layout.zoomed,
        Action::Grow => resize(state, 1),
        Action::Shrink => resize(state, -1),
        Action::Hide => hide(state),
        Action::ResetLayout => {
            state.layout = Wishes::default();
            state.say("Every pane has its first place and size.");
        }
        _ => {}
    }
}

/// The pane `by` places after the focused one, those that are hidden left out.
pub(super) fn next_shown(state: &State, by: usize) -> Pane {
    let shown: Vec<Pane> =
        Pane::ALL.into_iter().filter(|&p| p == state.focus || state.layout.shows(p)).collect();
    let at = shown.iter().position(|&p| p == state.focus).unwrap_or(0);
    // One place back is all but one forward.
    let by = if by == 1 { 1 } else { shown.len() - 1 };
    shown[(at + by) % shown.len()]
}

fn hide(state: &mut State) {
    let hidden = state.focus;
    let next = next_shown(state, 1);
    if next == hidden {
        return state.say("The last pane that is shown cannot be hidden.");
    }
    keys::focus(state, next);
    state.layout.hidden.push(hidden);
    let key = state.keymap.first_key(hidden.action());
    state.say(format!("{} is hidden; {key} shows it again.", hidden.name()));
}

/// Moves all edges of the focused pane outwards, or inwards.
fn resize(state: &mut State, sign: i32) {
    let Some(before) = state.areas() else { return };
    if before.single {
        return state.say("One pane has the whole screen: there is nothing to resize.");
    }
    let pane = before.pane(state.focus);
    for edge in Edge::ALL {
        let cells = before.edge(edge);
        if !cells.intersects(pane) {
            continue;
        }
        let is_lying = cells.height == 2;
        let is_before_pane = if is_lying { cells.y < pane.y } else { cells.x < pane.x };
        let by = if is_before_pane { -sign } else { sign };
        let moved = |at: u16, step: i32| at.saturating_add_signed((by * step) as i16);
        put_edge(state, edge, moved(cells.x + 1, STEP.0), moved(cells.y + 1, STEP.1));
    }
    if state.areas() == Some(before) {
        let what = if sign > 0 { "larger: the others need their room" } else { "smaller" };
        state.say(format!("{} cannot be {what}.", state.focus.name()));
    }
}

/// Puts an edge before a cell, or as near as the panes' least sizes allow.
fn put_edge(state: &mut State, edge: Edge, column: u16, row: u16) {
    let Some(areas) = state.areas() else { return };
    *sizes(state, &areas).of(edge) = Some(areas.size_at(edge, column, row));
    // What is remembered is where it went: the way back is not longer than the way there.
    let Some(areas) = state.areas() else { return };
    let cells = areas.edge(edge);
    if !cells.is_empty() {
        *sizes(state, &areas).of(edge) = Some(areas.size_at(edge, cells.x + 1, cells.y + 1));
    }
}

fn sizes<'a>(state: &'a mut State, areas: &Areas) -> &'a mut Sizes {
    if areas.wide { &mut state.layout.wide } else { &mut state.layout.medium }
}

/// Takes hold of the edge under the mouse; whether there is one.
pub(super) fn take_edge(state: &mut State, column: u16, row: u16) -> bool {
    let Some(areas) = state.areas() else { return false };
    let Some(edge) = areas.edge_at(column, row) else { return false };
    let cells = areas.edge(edge);
    state.pointer.drag = Some(Drag { edge, grip: (column - cells.x, row - cells.y) });
    true
}

/// Moves the edge that the mouse holds; whether it holds one.
pub(super) fn move_edge(state: &mut State, column: u16, row: u16) -> bool {
    let Some(Drag { edge, grip }) = state.pointer.drag else { return false };
    // The screen may have changed under the mouse.
    if state.areas().is_some_and(|areas| !areas.edge(edge).is_empty()) {
        put_edge(state, edge, (column + 1).saturating_sub(grip.0), (row + 1).saturating_sub(grip.1));
    }
    true
}
