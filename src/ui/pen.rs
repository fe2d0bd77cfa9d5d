//! Writing short texts into a row of the screen, cut where the row ends.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::glyphs::{glyphs, width};

/// Writes from left to right into one row.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    right: u16,
    y: u16,
}

impl<'a> Pen<'a> {
    /// A pen at the left of row `row` of `area`. Outside of the area or the screen it writes
    /// nothing.
    pub fn new(buffer: &'a mut Buffer, area: Rect, row: u16) -> Self {
        let area = area.intersection(buffer.area);
        let y = area.y.saturating_add(row);
        let right = if row < area.height { area.right() } else { area.x };
        Self { buffer, x: area.x, right, y }
    }

    /// Columns left.
    pub fn left(&self) -> usize {
        usize::from(self.right.saturating_sub(self.x))
    }

    /// Writes `text`, made safe, and cuts it with `…` if it does not fit.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        let room = self.left();
        self.put_within(text, room, style)
    }

    /// Writes `text` into at most `room` columns.
    pub fn put_within(&mut self, text: &str, room: usize, style: Style) -> &mut Self {
        let room = room.min(self.left());
        let fits = width(text, 0) <= room;
        let room = if fits { room } else { room.saturating_sub(1) };
        let mut used = 0;
        for glyph in glyphs(text, 0) {
            if used + glyph.width > room {
                break;
            }
            self.buffer.set_stringn(self.x, self.y, &glyph.symbol, glyph.width, style);
            self.x += glyph.width as u16;
            used += glyph.width;
        }
        if !fits && self.left() > 0 {
            self.buffer.set_stringn(self.x, self.y, "…", 1, style);
            self.x += 1;
        }
        self
    }

    /// Writes `text` and blanks up to `columns` columns.
    pub fn column(&mut self, text: &str, columns: usize, style: Style) -> &mut Self {
        let end = self.left().saturating_sub(columns);
        self.put_within(text, columns, style);
        let blanks = self.left().saturating_sub(end);
        self.skip(blanks)
    }

    /// Writes `text` so that it ends `columns` columns further on.
    pub fn right_column(&mut self, text: &str, columns: usize, style: Style) -> &mut Self {
        let blanks = columns.saturating_sub(width(text, 0));
        self.skip(blanks).put_within(text, columns, style)
    }

    /// Writes `text` at the right end of the row.
    pub fn at_right(&mut self, text: &str, style: Style) -> &mut Self {
        let blanks = self.left().saturating_sub(width(text, 0));
        self.skip(blanks).put(text, style)
    }

    /// Leaves `columns` columns as they are.
    pub fn skip(&mut self, columns: usize) -> &mut Self {
        self.x += columns.min(self.left()) as u16;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(columns: u16, write: impl Fn(&mut Pen)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, 1));
        let area = buffer.area;
        write(&mut Pen::new(&mut buffer, area, 0));
        buffer.content.iter().map(|c| c.symbol()).collect()
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        let style = Style::new();
        assert_eq!(
            written(5, |p| {
                p.put("abcde", style);
            }),
            "abcde"
        );
        assert_eq!(
            written(5, |p| {
                p.put("abcdef", style);
            }),
            "abcd…"
        );
        assert_eq!(
            written(8, |p| {
                p.column("ab", 4, style).put("x", style);
            }),
            "ab  x   "
        );
        assert_eq!(
            written(8, |p| {
                p.right_column("12", 4, style).put("x", style);
            }),
            "  12x   "
        );
        assert_eq!(
            written(6, |p| {
                p.put("a", style).at_right("zz", style);
            }),
            "a   zz"
        );
        assert_eq!(
            written(3, |p| {
                p.put("\u{1b}[m", style);
            }),
            "␛[m"
        );
        assert_eq!(
            written(0, |p| {
                p.put("x", style).at_right("y", style);
            }),
            ""
        );
    }

    #[test]
    fn rows_outside_of_the_area_take_nothing() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 2));
        Pen::new(&mut buffer, Rect::new(0, 0, 3, 1), 1).put("x", Style::new());
        Pen::new(&mut buffer, Rect::new(9, 9, 3, 1), 0).put("x", Style::new());
        assert!(buffer.content.iter().all(|c| c.symbol() == " "));
    }
}
