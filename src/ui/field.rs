//! A line to type into.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::app::field::Field;

use super::glyphs::{glyphs, width};
use super::pen::Pen;

/// Draws a field into the first row of `area`, or `hint` while it is empty; returns the cell of the
/// caret. Of a text that is too long, the part around the caret is shown.
pub fn draw(buffer: &mut Buffer, area: Rect, field: &Field, style: Style, hint: (&str, Style)) -> Position {
    if field.text().is_empty() {
        Pen::new(buffer, area, 0).put(hint.0, hint.1);
    } else {
        Pen::new(buffer, area, 0).put(&field.text()[start(area, field)..], style);
    }
    caret(area, field)
}

/// The cell of the caret of a field that is drawn there.
pub fn caret(area: Rect, field: &Field) -> Position {
    let before = &field.text()[start(area, field)..field.caret()];
    Position::new(area.x + width(before, 0).min(room(area)) as u16, area.y)
}

/// The first byte that is shown: as much of what is before the caret as fits.
fn start(area: Rect, field: &Field) -> usize {
    let before = &field.text()[..field.caret()];
    let fits = |at: &usize| width(&before[*at..], 0) <= room(area);
    glyphs(before, 0).map(|glyph| glyph.offset).find(fits).unwrap_or(before.len())
}

/// The columns of a field, but for the one that the caret needs at its end.
fn room(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(1)
}
