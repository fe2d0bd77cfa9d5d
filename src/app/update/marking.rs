//! Selecting text with the mouse: a click places the caret, a drag selects, two clicks select a word
//! and three a line; Shift selects from where the caret was.

use crossterm::event::{KeyModifiers, MouseEvent};

use crate::app::editor::{EditorBuffer, words};
use crate::app::marking::{Marking, Unit};
use crate::app::state::{Pane, State};
use crate::ui::editor::{self, Parts};
use crate::ui::wrap::{self, Lines, Place};
use crate::ui::{field, find};

use super::keys::{self, buffer_of};

/// The button goes down in an editor, for the `count`th time in a row.
pub(super) fn press(state: &mut State, pane: Pane, event: MouseEvent, count: u8) {
    let Some(parts) = editor::parts(state, pane) else { return };
    if parts.bar.contains((event.column, event.row).into()) {
        return in_bar(state, parts, event);
    }
    if event.row < parts.text.y || event.row >= parts.text.bottom() {
        return;
    }
    let unit = Unit::of(count);
    let Some(buffer) = buffer_of(state, pane) else { return };
    let at = place(buffer, parts, event);
    let from = if event.modifiers.contains(KeyModifiers::SHIFT) {
        (buffer.anchor(), buffer.anchor())
    } else {
        around(buffer, at, unit)
    };
    state.marking = Marking { held: Some(pane), from, unit };
    extend(state, pane, at);
}

/// The mouse moves while the button is down. Whether it selects.
pub(super) fn drag(state: &mut State, event: MouseEvent) -> bool {
    let Some(pane) = state.marking.held else { return false };
    let Some(parts) = editor::parts(state, pane) else { return false };
    let Some(buffer) = buffer_of(state, pane) else { return false };
    let at = place(buffer, parts, event);
    extend(state, pane, at);
    keys::reveal(state);
    true
}

/// The button goes up.
pub(super) fn release(state: &mut State) {
    state.marking.held = None;
}

/// Selects from what the first click selected to what is at `to`.
fn extend(state: &mut State, pane: Pane, to: Place) {
    let (from, unit) = (state.marking.from, state.marking.unit);
    let Some(buffer) = buffer_of(state, pane) else { return };
    let to = around(buffer, to, unit);
    if to.0 < from.0 {
        buffer.select_between(from.1, to.0);
    } else {
        buffer.select_between(from.0, to.1.max(from.1));
    }
}

/// The place under the mouse. Above or below the text it is one row farther than what is shown, so
/// that a drag scrolls.
fn place(buffer: &EditorBuffer, parts: Parts, event: MouseEvent) -> Place {
    let width = parts.wrap_width();
    let rows = match event.row {
        row if row < parts.text.y => -1,
        row if row >= parts.text.bottom() => parts.height() as isize,
        row => (row - parts.text.y) as isize,
    };
    let row = wrap::advance(buffer, buffer.top(), rows, width);
    wrap::place_at(buffer, row, usize::from(event.column.saturating_sub(parts.text.x)), width)
}

/// What is selected at once around a place.
fn around(buffer: &EditorBuffer, at: Place, unit: Unit) -> (Place, Place) {
    let Place { line, .. } = at;
    match unit {
        Unit::Character => (at, at),
        Unit::Word => {
            let word = words::around(buffer.line(line), at.byte, false);
            (Place { line, byte: word.start }, Place { line, byte: word.end })
        }
        Unit::Line => {
            let next = Place { line: line + 1, byte: 0 };
            (Place { line, byte: 0 }, if next.line < buffer.count() { next } else { buffer.end() })
        }
    }
}

/// A click into the bar for finding and replacing.
fn in_bar(state: &mut State, parts: Parts, event: MouseEvent) {
    state.find.in_replacement = state.find.replaces && event.row > parts.bar.y;
    let line = find::field_area(state, parts.bar, event.row - parts.bar.y);
    let field = state.find.field();
    let byte = field::byte_at(line, field, event.column);
    field.go_to(byte);
}
