//! What the mouse does: a click focuses and selects, the wheel scrolls what is under it, an edge
//! between panes can be moved, and what the screen says about keys can be clicked.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::app::event::{Effect, Wake};
use crate::app::state::{Pane, State};
use crate::ui::wrap::{self, RowRef};
use crate::ui::{corner, editor, frame, output, status};

use super::{inspector, keys, layout, marking, overlay, tour};

/// Rows that one notch of the wheel scrolls.
const WHEEL: isize = 3;

/// The most time between the two clicks of a double click.
const DOUBLE: Duration = Duration::from_millis(400);

pub(super) fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    let (column, row) = (event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollUp => scroll(state, column, row, -WHEEL),
        MouseEventKind::ScrollDown => scroll(state, column, row, WHEEL),
        MouseEventKind::Down(MouseButton::Left) => {
            let count = state.pointer.click(column, row);
            let mut effects = press(state, event, count);
            effects.push(Effect::Wake(DOUBLE, Wake::Click));
            return effects;
        }
        MouseEventKind::Drag(MouseButton::Left) => moved(state, event),
        MouseEventKind::Up(MouseButton::Left) => {
            state.pointer.drag = None;
            marking::release(state);
        }
        _ => {}
    }
    Vec::new()
}

/// The mouse moves with its button down: it moves an edge, selects text, or selects tokens.
fn moved(state: &mut State, event: MouseEvent) {
    let (column, row) = (event.column, event.row);
    if !layout::move_edge(state, column, row) && !marking::drag(state, event) {
        drag(state, column, row);
    }
}

fn scroll(state: &mut State, column: u16, row: u16, by: isize) {
    if state.overlay.is_some() {
        return overlay::scroll(state, by);
    }
    if let Some(pane) = state.areas().and_then(|a| a.at(column, row)) {
        wheel(state, pane, by);
    }
}

/// The button goes down for the `count`th time on this cell. What lies on top comes first.
fn press(state: &mut State, event: MouseEvent, count: u8) -> Vec<Effect> {
    let (column, row) = (event.column, event.row);
    state.pointer.drag = None;
    match corner::at(state, column, row) {
        Some(corner::Note::Toast(id)) => {
            state.toasts.dismiss(id);
            return Vec::new();
        }
        Some(corner::Note::Hint) => {
            tour::skip(state);
            return Vec::new();
        }
        None => state.toasts.somebody_is_there(),
    }
    if let Some(action) = status::hint_at(state, column, row) {
        return keys::act(state, action);
    }
    if state.overlay.is_some() {
        return overlay::click(state, column, row);
    }
    let Some(areas) = state.areas() else { return Vec::new() };
    let is_edge = layout::take_edge(state, column, row);
    if let Some(pane) = frame::title_at(state, &areas, column, row) {
        keys::focus(state, pane);
        if count == 2 {
            state.layout.zoomed = !state.layout.zoomed;
        }
    } else if let Some(pane) = areas.at(column, row) {
        keys::focus(state, pane);
        match pane {
            _ if is_edge => {}
            Pane::Inspector => return inspector::click(state, column, row, count),
            _ => click(state, pane, event, count),
        }
    }
    Vec::new()
}

/// A click into a pane that has the focus.
fn click(state: &mut State, pane: Pane, event: MouseEvent, count: u8) {
    match pane {
        Pane::Output => super::output::click(state, event.column, event.row),
        Pane::Grammar | Pane::Prompt => marking::press(state, pane, event, count),
        Pane::Inspector => {}
    }
}

/// The mouse moves with its button down: in the output, the token under it is selected.
fn drag(state: &mut State, column: u16, row: u16) {
    let is_inside = state.areas().is_some_and(|a| a.at(column, row) == Some(Pane::Output));
    if state.overlay.is_none() && state.focus == Pane::Output && is_inside {
        super::output::click(state, column, row);
    }
}

fn wheel(state: &mut State, pane: Pane, by: isize) {
    match pane {
        Pane::Output => {
            let Some((width, height)) = output::size(state) else { return };
            let text = &state.run.transcript;
            let bottom: RowRef = wrap::bottom(text, width, height);
            let top = wrap::advance(text, output::top(state, width, height), by, width);
            state.run.top = (top < bottom || state.run.selected.is_some()).then_some(top.min(bottom));
        }
        Pane::Inspector => inspector::scroll(state, by),
        Pane::Grammar | Pane::Prompt => {
            let Some(parts) = editor::parts(state, pane) else { return };
            if let Some(buffer) = keys::buffer_of(state, pane) {
                buffer.scroll(by, parts.wrap_width(), parts.height());
            }
        }
    }
}
