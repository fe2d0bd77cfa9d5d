//! A line to type into.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::app::field::Field;

use super::glyphs::{glyphs, width};
use super::pen::Pen;

/// Draws a field into the first row of `area`, or `hint` while it is empty; returns the cell of the
/// caret. Of a text that is too long, the part around the caret is shown.
pub fn draw(buffer: &mut Buffer, area: Rect, field: &Field, style: Style, hint: (&str, Style)) -> Position {
    let text = field.text();
    if text.is_empty() {
        Pen::new(buffer, area, 0).put(hint.0, hint.1);
        return caret(area, field);
    }
    let start = first_shown(field, area);
    let selected = field.selection().unwrap_or_default();
    let cut = |at: usize| at.clamp(start, text.len());
    let (from, to) = (cut(selected.start), cut(selected.end));
    Pen::new(buffer, area, 0)
        .put(&text[start..from], style)
        .put(&text[from..to], style.add_modifier(Modifier::REVERSED))
        .put(&text[to..], style);
    caret(area, field)
}

/// The cell of the caret in a field that is drawn into `area`.
pub fn caret(area: Rect, field: &Field) -> Position {
    let before = &field.text()[first_shown(field, area)..field.caret()];
    let column = width(before, 0).min(usize::from(area.width).saturating_sub(1));
    Position::new(area.x + column as u16, area.y)
}

/// The byte of the field that a click on `column` is about.
pub fn byte_at(area: Rect, field: &Field, column: u16) -> usize {
    let start = first_shown(field, area);
    let wanted = usize::from(column.saturating_sub(area.x));
    let mut right = 0;
    let found = glyphs(&field.text()[start..], 0).find(|glyph| {
        right += glyph.width;
        right > wanted
    });
    found.map_or(field.text().len(), |glyph| start + glyph.offset)
}

/// The first byte on the screen: as much of what is before the caret as fits is shown.
fn first_shown(field: &Field, area: Rect) -> usize {
    let room = usize::from(area.width).saturating_sub(1);
    let before = &field.text()[..field.caret()];
    let mut left = width(before, 0);
    let start = glyphs(before, 0).find(|glyph| {
        let fits = left <= room;
        left -= if fits { 0 } else { glyph.width };
        fits
    });
    start.map_or(before.len(), |glyph| glyph.offset)
}
