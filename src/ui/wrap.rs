//! Soft wrapping: the rows that lines take at a width, and moving among them.
//!
//! Only the lines that are asked about are laid out, so the cost follows the height of the screen,
//! not the length of the text. Rows end after white space where they can, else anywhere.

use super::glyphs::glyphs;

/// Numbered lines of text.
pub trait Lines {
    /// How many lines there are; at least one.
    fn count(&self) -> usize;
    /// The line `index`, without its end; empty past the last.
    fn line(&self, index: usize) -> &str;
}

/// A place in lines of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 0.
    pub line: usize,
    /// The byte in the line.
    pub byte: usize,
}

/// A row of the screen that a line takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowRef {
    /// The line, from 0.
    pub line: usize,
    /// Which of its rows, from 0.
    pub row: usize,
}

/// What a row shows of its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its first byte in the line.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The column of its first byte if the line were not wrapped, for tab stops.
    pub column: usize,
}

/// The rows that `text` takes in `width` columns. At least one.
pub fn rows(text: &str, width: usize) -> Vec<Row> {
    let width = width.max(1);
    let mut rows = Vec::new();
    // Columns are those of the unwrapped line. A row may end after the last white space in it.
    let mut row = Row::default();
    let (mut break_at, mut break_column) = (0, 0);
    let mut column = 0;
    for glyph in glyphs(text, 0) {
        while column + glyph.width > row.column + width && glyph.offset > row.start {
            if break_at <= row.start {
                (break_at, break_column) = (glyph.offset, column);
            }
            rows.push(Row { end: break_at, ..row });
            row = Row { start: break_at, end: break_at, column: break_column };
        }
        column += glyph.width;
        if matches!(text.as_bytes()[glyph.offset], b' ' | b'\t') {
            (break_at, break_column) = (glyph.offset + glyph.len, column);
        }
    }
    rows.push(Row { end: text.len(), ..row });
    rows
}

/// A row on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisibleRow {
    /// The line it belongs to.
    pub line: usize,
    /// Whether it is the line's first.
    pub is_first: bool,
    /// Whether it is the line's last.
    pub is_last: bool,
    /// What it shows.
    pub row: Row,
}

/// The rows on a screen of `height` rows whose first is `top`.
pub fn visible(lines: &dyn Lines, top: RowRef, width: usize, height: usize) -> Vec<VisibleRow> {
    let mut out = Vec::with_capacity(height);
    let top = clamp(lines, top, width);
    for line in top.line..lines.count() {
        let all = rows(lines.line(line), width);
        let skip = if line == top.line { top.row } else { 0 };
        for (index, row) in all.iter().enumerate().skip(skip) {
            if out.len() == height {
                return out;
            }
            let is_last = index + 1 == all.len();
            out.push(VisibleRow { line, is_first: index == 0, is_last, row: *row });
        }
    }
    out
}

/// The row that shows `place`.
pub fn row_of(lines: &dyn Lines, place: Place, width: usize) -> RowRef {
    let row = rows(lines.line(place.line), width).partition_point(|r| r.start <= place.byte);
    RowRef { line: place.line, row: row.saturating_sub(1) }
}

/// The row `delta` rows below `from` (above, if negative), or the last (first) one.
pub fn advance(lines: &dyn Lines, from: RowRef, delta: isize, width: usize) -> RowRef {
    let height = |line: usize| rows(lines.line(line), width).len();
    let mut at = clamp(lines, from, width);
    let mut left = delta.unsigned_abs();
    if delta < 0 {
        while left > at.row {
            if at.line == 0 {
                return RowRef::default();
            }
            left -= at.row + 1;
            at.line -= 1;
            at.row = height(at.line) - 1;
        }
        at.row -= left;
    } else {
        loop {
            let below = height(at.line) - 1 - at.row;
            if left <= below || at.line + 1 >= lines.count() {
                at.row += left.min(below);
                break;
            }
            left -= below + 1;
            at = RowRef { line: at.line + 1, row: 0 };
        }
    }
    at
}

/// The last row.
pub fn last(lines: &dyn Lines, width: usize) -> RowRef {
    let line = lines.count().saturating_sub(1);
    RowRef { line, row: rows(lines.line(line), width).len() - 1 }
}

/// The first row of a screen of `height` rows that shows the end of the text.
pub fn bottom(lines: &dyn Lines, width: usize, height: usize) -> RowRef {
    advance(lines, last(lines, width), 1 - (height.max(1) as isize), width)
}

/// The first row of a screen of `height` rows that shows `place`, as near to `top` as can be.
pub fn reveal(lines: &dyn Lines, top: RowRef, place: Place, width: usize, height: usize) -> RowRef {
    let target = row_of(lines, place, width);
    let lowest_top = advance(lines, target, 1 - (height.max(1) as isize), width);
    clamp(lines, top, width).clamp(lowest_top, target)
}

/// The column of `byte` in the row that shows it.
pub fn column_of(lines: &dyn Lines, place: Place, width: usize) -> usize {
    let text = lines.line(place.line);
    let at = row_of(lines, place, width).row;
    let row = rows(text, width)[at];
    let before = place.byte.clamp(row.start, text.len());
    super::glyphs::width(&text[row.start..before], row.column)
}

/// The place nearest to `column` in a row.
pub fn place_at(lines: &dyn Lines, at: RowRef, column: usize, width: usize) -> Place {
    let text = lines.line(at.line);
    let all = rows(text, width);
    let index = at.row.min(all.len() - 1);
    let row = all[index];
    let mut right = 0;
    for glyph in glyphs(&text[row.start..row.end], row.column) {
        right += glyph.width;
        let byte = row.start + glyph.offset;
        // The end of a wrapped row is the start of the next, so the last glyph stands for it.
        if right > column || (byte + glyph.len >= row.end && index + 1 < all.len()) {
            return Place { line: at.line, byte };
        }
    }
    Place { line: at.line, byte: text.len() }
}

fn clamp(lines: &dyn Lines, at: RowRef, width: usize) -> RowRef {
    if at.line >= lines.count() {
        return last(lines, width);
    }
    RowRef { line: at.line, row: at.row.min(rows(lines.line(at.line), width).len() - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(Vec<&'static str>);

    impl Lines for Text {
        fn count(&self) -> usize {
            self.0.len()
        }
        fn line(&self, index: usize) -> &str {
            self.0.get(index).copied().unwrap_or_default()
        }
    }

    fn cut(text: &str, width: usize) -> Vec<&str> {
        rows(text, width).into_iter().map(|r| &text[r.start..r.end]).collect()
    }

    #[test]
    fn rows_end_at_white_space_or_anywhere() {
        assert_eq!(cut("", 5), [""]);
        assert_eq!(cut("abcde", 5), ["abcde"]);
        assert_eq!(cut("ab cdef", 5), ["ab ", "cdef"]);
        assert_eq!(cut("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(cut("日本語", 3), ["日", "本", "語"]);
        assert_eq!(cut("日", 1), ["日"], "what is wider than the screen still takes a row");
    }

    #[test]
    fn rows_lose_nothing_and_fit() {
        let text = "let x = vec![1, 2, 3]; // \u{1b}[0m 日本語 and a verylongwordwithoutanyspace\tend";
        for width in 9..80 {
            let all = rows(text, width);
            assert_eq!(all.iter().map(|r| &text[r.start..r.end]).collect::<String>(), text);
            for row in &all {
                let within = |g: &super::super::glyphs::Glyph| (row.start..row.end).contains(&g.offset);
                let shown: usize = glyphs(text, 0).filter(within).map(|g| g.width).sum();
                assert!(shown <= width, "{shown} > {width}");
            }
        }
    }

    #[test]
    fn advance_walks_every_row_both_ways() {
        let text = Text(vec!["abcdefgh", "", "xy", "0123456789"]);
        let mut at = RowRef::default();
        let mut seen = vec![at];
        while at != last(&text, 3) {
            at = advance(&text, at, 1, 3);
            seen.push(at);
        }
        assert_eq!(seen.len(), 3 + 1 + 1 + 4);
        for (i, &row) in seen.iter().enumerate() {
            assert_eq!(advance(&text, RowRef::default(), i as isize, 3), row);
            assert_eq!(advance(&text, last(&text, 3), i as isize - 8, 3), row);
        }
        assert_eq!(advance(&text, RowRef { line: 9, row: 9 }, 0, 3), last(&text, 3));
    }

    #[test]
    fn places_and_columns_are_inverse() {
        let text = Text(vec!["ab cdef \t日本 x", ""]);
        for byte in [0, 3, 5, 8, 9, 12] {
            let place = Place { line: 0, byte };
            let (row, column) = (row_of(&text, place, 6), column_of(&text, place, 6));
            assert_eq!(place_at(&text, row, column, 6), place, "{byte}");
        }
        assert_eq!(place_at(&text, RowRef { line: 1, row: 0 }, 7, 6), Place { line: 1, byte: 0 });
    }

    #[test]
    fn reveal_moves_as_little_as_it_can() {
        let text = Text(vec!["a"; 50]);
        let at = |line| RowRef { line, row: 0 };
        let place = |line| Place { line, byte: 0 };
        assert_eq!(reveal(&text, at(10), place(12), 5, 5), at(10));
        assert_eq!(reveal(&text, at(10), place(3), 5, 5), at(3));
        assert_eq!(reveal(&text, at(10), place(20), 5, 5), at(16));
        assert_eq!(bottom(&text, 5, 5), at(45));
    }
}
