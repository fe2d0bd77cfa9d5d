//! What the mouse does: a click focuses and selects, the wheel scrolls what is under it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::app::event::Effect;
use crate::app::state::{Pane, State};
use crate::ui::wrap::{self, RowRef};
use crate::ui::{editor, output};

use super::{keys, overlay};

/// Rows that one notch of the wheel scrolls.
const WHEEL: isize = 3;

pub(super) fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    let by = match event.kind {
        MouseEventKind::ScrollUp => -WHEEL,
        MouseEventKind::ScrollDown => WHEEL,
        MouseEventKind::Down(MouseButton::Left) => 0,
        MouseEventKind::Drag(MouseButton::Left) => {
            drag(state, event.column, event.row);
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    if state.overlay.is_some() {
        if by == 0 {
            return overlay::click(state, event.column, event.row);
        }
        overlay::scroll(state, by);
        return Vec::new();
    }
    let Some(pane) = state.areas().and_then(|a| a.at(event.column, event.row)) else { return Vec::new() };
    if by != 0 {
        wheel(state, pane, by);
    } else {
        state.message = None;
        click(state, pane, event.column, event.row);
    }
    Vec::new()
}

fn click(state: &mut State, pane: Pane, column: u16, row: u16) {
    state.focus = pane;
    state.inspector.is_searching = false;
    if pane == Pane::Output {
        return super::output::click(state, column, row);
    }
    let Some(parts) = editor::parts(state, pane) else { return };
    let width = parts.wrap_width();
    let Some(buffer) = keys::buffer_of(state, pane) else { return };
    if parts.text.y <= row && row < parts.text.bottom() {
        let at = wrap::advance(buffer, buffer.top(), (row - parts.text.y) as isize, width);
        let place = wrap::place_at(buffer, at, usize::from(column.saturating_sub(parts.text.x)), width);
        buffer.go_to(place);
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
        Pane::Inspector => super::inspector::move_in_list(state, by),
        Pane::Grammar | Pane::Prompt => {
            let Some(parts) = editor::parts(state, pane) else { return };
            if let Some(buffer) = keys::buffer_of(state, pane) {
                buffer.scroll(by, parts.wrap_width(), parts.height());
            }
        }
    }
}
