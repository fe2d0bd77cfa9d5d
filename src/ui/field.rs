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
    let text = field.text();
    if text.is_empty() {
        Pen::new(buffer, area, 0).put(hint.0, hint.1);
        return Position::new(area.x, area.y);
    }
    let room = usize::from(area.width).saturating_sub(1);
    let before = &text[..field.caret()];
    // As much of what is before the caret as fits.
    let start = glyphs(before, 0).map(|g| g.offset).find(|&at| width(&before[at..], 0) <= room);
    let start = start.unwrap_or(before.len());
    Pen::new(buffer, area, 0).put(&text[start..], style);
    let column = width(&before[start..], 0).min(room) as u16;
    Position::new(area.x + column, area.y)
}
