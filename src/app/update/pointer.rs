//! What the mouse does: a click focuses and selects, the wheel scrolls what is under it.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::app::event::{Effect, Wake};
use crate::app::state::{Pane, State};
use crate::ui::wrap::{self, RowRef};
use crate::ui::{editor, output};

use super::{keys, overlay};

/// Rows that one notch of the wheel scrolls.
const WHEEL: isize = 3;

/// The most time between the two clicks of a double click.
const DOUBLE: Duration = Duration::from_millis(400);

pub(super) fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    let by = match event.kind {
        MouseEventKind::ScrollUp => -WHEEL,
        MouseEventKind::ScrollDown => WHEEL,
        MouseEventKind::Down(MouseButton::Left) => 0,
        _ => return Vec::new(),
    };
    if state.overlay.is_some() {
        if by == 0 {
            state.overlay = None;
        } else {
            overlay::scroll(state, by);
        }
        return Vec::new();
    }
    let Some(pane) = state.areas().and_then(|a| a.at(event.column, event.row)) else { return Vec::new() };
    if by != 0 {
        wheel(state, pane, by);
    } else {
        state.message = None;
        let count = state.pointer.click(event.column, event.row);
        let mut effects = click(state, pane, event.column, event.row, count);
        effects.push(Effect::Wake(DOUBLE, Wake::Click));
        return effects;
    }
    Vec::new()
}

fn click(state: &mut State, pane: Pane, column: u16, row: u16, count: u8) -> Vec<Effect> {
    keys::focus(state, pane);
    match pane {
        Pane::Inspector => return super::inspector::click(state, column, row, count),
        Pane::Output => in_output(state, column, row),
        Pane::Grammar | Pane::Prompt => in_editor(state, pane, column, row),
    }
    Vec::new()
}

fn in_output(state: &mut State, column: u16, row: u16) {
    let Some(inside) = output::area(state) else { return };
    let (width, height) = (output::wrap_width(inside), usize::from(inside.height));
    if !inside.contains((column, row).into()) {
        return;
    }
    let text = &state.run.transcript;
    let top = output::top(state, width, height);
    let at = wrap::advance(text, top, (row - inside.y) as isize, width);
    let token = text.token_at(wrap::place_at(text, at, usize::from(column.saturating_sub(inside.x)), width));
    super::output::select(state, token);
}

fn in_editor(state: &mut State, pane: Pane, column: u16, row: u16) {
    let Some(parts) = editor::parts(state, pane) else { return };
    let width = parts.wrap_width();
    let Some(buffer) = keys::buffer_of(state, pane) else { return };
    if parts.text.y <= row && row < parts.text.bottom() {
        let at = wrap::advance(buffer, buffer.top(), (row - parts.text.y) as isize, width);
        let place = wrap::place_at(buffer, at, usize::from(column.saturating_sub(parts.text.x)), width);
        buffer.go_to(place);
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
        Pane::Inspector => super::inspector::scroll(state, by),
        Pane::Grammar | Pane::Prompt => {
            let Some(parts) = editor::parts(state, pane) else { return };
            if let Some(buffer) = keys::buffer_of(state, pane) {
                buffer.scroll(by, parts.wrap_width(), parts.height());
            }
        }
    }
}
