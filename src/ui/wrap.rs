//! Soft wrapping: the rows that lines take at a width, and moving among them.
//!
//! Only the lines that are asked about are laid out, and of a long line only a stretch around the
//! place, so the cost follows the height of the screen, not the length of the text nor that of a line.
//! Rows end after white space where they can, else anywhere.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use super::glyphs::glyphs;

/// A longer line is laid out in stretches of about so many bytes. The last row of a stretch may be
/// short; a line that is one stretch looks as if there were none.
const STRETCH: usize = 8 * 1024;

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
    /// The byte in the line that the row begins with.
    pub start: usize,
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
    let mut rows = rows_around(text, 0, width);
    while let Some(next) = rows.last().map(|row| row.end).filter(|&end| end < text.len()) {
        rows.extend(rows_around(text, next, width));
    }
    rows
}

/// The rows of the stretch of `text` that holds `byte`. At least one.
fn rows_around(text: &str, byte: usize, width: usize) -> Vec<Row> {
    let stretch = stretch(text, byte);
    let (width, text) = (width.max(1), &text[..stretch.end]);
    let mut rows = Vec::new();
    // Columns are those of the unwrapped stretch. A row may end after the last white space in it.
    let mut row = Row { start: stretch.start, end: stretch.start, column: 0 };
    let (mut break_at, mut break_column) = (0, 0);
    let mut column = 0;
    for glyph in glyphs(&text[stretch.start..], 0) {
        let offset = stretch.start + glyph.offset;
        while column + glyph.width > row.column + width && offset > row.start {
            if break_at <= row.start {
                (break_at, break_column) = (offset, column);
            }
            rows.push(Row { end: break_at, ..row });
            row = Row { start: break_at, end: break_at, column: break_column };
        }
        column += glyph.width;
        if matches!(text.as_bytes()[offset], b' ' | b'\t') {
            (break_at, break_column) = (offset + glyph.len, column);
        }
    }
    rows.push(Row { end: text.len(), ..row });
    rows
}

/// The stretch that holds `byte`, or the end of the text.
fn stretch(text: &str, byte: usize) -> Range<usize> {
    if text.len() <= STRETCH {
        return 0..text.len();
    }
    let byte = byte.min(text.len() - 1);
    let mut index = byte / STRETCH;
    while boundary(text, index * STRETCH) > byte {
        index -= 1;
    }
    boundary(text, index * STRETCH)..boundary(text, (index + 1) * STRETCH)
}

/// The first boundary between graphemes at or after `byte`.
fn boundary(text: &str, byte: usize) -> usize {
    let Some(at) = (byte..text.len()).find(|&at| text.is_char_boundary(at)) else { return text.len() };
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        _ => cursor.next_boundary(text, 0).ok().flatten().unwrap_or(text.len()),
    }
}

/// The row of `text` that holds `byte`.
fn row_at(text: &str, byte: usize, width: usize) -> Row {
    let all = rows_around(text, byte, width);
    let index = all.partition_point(|row| row.start <= byte).saturating_sub(1);
    all[index]
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
        let text = lines.line(line);
        let mut from = if line == top.line { top.start } else { 0 };
        loop {
            for row in rows_around(text, from, width).into_iter().skip_while(|row| row.start < from) {
                if out.len() == height {
                    return out;
                }
                let (is_first, is_last) = (row.start == 0, row.end == text.len());
                out.push(VisibleRow { line, is_first, is_last, row });
            }
            from = stretch(text, from).end;
            if from == text.len() {
                break;
            }
        }
    }
    out
}

/// The row that shows `place`.
pub fn row_of(lines: &dyn Lines, place: Place, width: usize) -> RowRef {
    RowRef { line: place.line, start: row_at(lines.line(place.line), place.byte, width).start }
}

/// The row `delta` rows below `from` (above, if negative), or the last (first) one.
pub fn advance(lines: &dyn Lines, from: RowRef, delta: isize, width: usize) -> RowRef {
    let mut at = clamp(lines, from, width);
    let mut left = delta.unsigned_abs();
    loop {
        let text = lines.line(at.line);
        let all = rows_around(text, at.start, width);
        let index = all.partition_point(|row| row.start < at.start);
        let room = if delta < 0 { index } else { all.len() - 1 - index };
        if left <= room {
            at.start = all[if delta < 0 { index - left } else { index + left }].start;
            return at;
        }
        left -= room + 1;
        let stretch = stretch(text, at.start);
        let beside = if delta < 0 {
            match stretch.start.checked_sub(1) {
                Some(byte) => Some(Place { line: at.line, byte }),
                None => at.line.checked_sub(1).map(|line| Place { line, byte: lines.line(line).len() }),
            }
        } else if stretch.end < text.len() {
            Some(Place { line: at.line, byte: stretch.end })
        } else {
            Some(Place { line: at.line + 1, byte: 0 }).filter(|place| place.line < lines.count())
        };
        at = match beside {
            Some(place) => row_of(lines, place, width),
            None if delta < 0 => return RowRef::default(),
            None => return last(lines, width),
        };
    }
}

/// The last row.
pub fn last(lines: &dyn Lines, width: usize) -> RowRef {
    let line = lines.count().saturating_sub(1);
    row_of(lines, Place { line, byte: lines.line(line).len() }, width)
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
    let row = row_at(text, place.byte, width);
    let before = place.byte.clamp(row.start, text.len());
    super::glyphs::width(&text[row.start..before], row.column)
}

/// The place nearest to `column` in a row.
pub fn place_at(lines: &dyn Lines, at: RowRef, column: usize, width: usize) -> Place {
    let text = lines.line(at.line);
    let row = row_at(text, at.start, width);
    let mut right = 0;
    for glyph in glyphs(&text[row.start..row.end], row.column) {
        right += glyph.width;
        let byte = row.start + glyph.offset;
        // The end of a wrapped row is the start of the next, so the last glyph stands for it.
        if right > column || (byte + glyph.len >= row.end && row.end < text.len()) {
            return Place { line: at.line, byte };
        }
    }
    Place { line: at.line, byte: text.len() }
}

/// The row that `at` is, or is in since the text has changed.
fn clamp(lines: &dyn Lines, at: RowRef, width: usize) -> RowRef {
    if at.line >= lines.count() {
        return last(lines, width);
    }
    row_of(lines, Place { line: at.line, byte: at.start }, width)
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
        assert_eq!(advance(&text, RowRef { line: 9, start: 9 }, 0, 3), last(&text, 3));
    }

    #[test]
    fn places_and_columns_are_inverse() {
        let text = Text(vec!["ab cdef \t日本 x", ""]);
        for byte in [0, 3, 5, 8, 9, 12] {
            let place = Place { line: 0, byte };
            let (row, column) = (row_of(&text, place, 6), column_of(&text, place, 6));
            assert_eq!(place_at(&text, row, column, 6), place, "{byte}");
        }
        assert_eq!(place_at(&text, RowRef { line: 1, start: 0 }, 7, 6), Place { line: 1, byte: 0 });
    }

    #[test]
    fn reveal_moves_as_little_as_it_can() {
        let text = Text(vec!["a"; 50]);
        let at = |line| RowRef { line, start: 0 };
        let place = |line| Place { line, byte: 0 };
        assert_eq!(reveal(&text, at(10), place(12), 5, 5), at(10));
        assert_eq!(reveal(&text, at(10), place(3), 5, 5), at(3));
        assert_eq!(reveal(&text, at(10), place(20), 5, 5), at(16));
        assert_eq!(bottom(&text, 5, 5), at(45));
    }

    /// A long line is laid out around the place that is asked about, and yet its rows are the same from
    /// wherever one looks.
    #[test]
    fn long_lines_have_the_same_rows_from_everywhere() {
        let long = "ab cdé 日本 e\u{301}\t🇩🇪x ".repeat(2000);
        let text = Text(vec!["one", Box::leak(long.clone().into_boxed_str()), "two"]);
        let all = rows(&long, 17);
        assert!(all.windows(2).all(|w| w[0].end == w[1].start) && all[all.len() - 1].end == long.len());
        let mut at = RowRef { line: 1, start: 0 };
        for row in &all {
            assert_eq!(at.start, row.start);
            let shown = visible(&text, at, 17, 1)[0];
            assert_eq!((shown.row, shown.is_last), (*row, row.end == long.len()));
            at = advance(&text, at, 1, 17);
        }
        assert_eq!(at, RowRef { line: 2, start: 0 });
        assert_eq!(advance(&text, at, -(all.len() as isize), 17), RowRef { line: 1, start: 0 });
        assert_eq!(advance(&text, RowRef::default(), all.len() as isize + 1, 17), at);
        assert_eq!(visible(&text, RowRef::default(), 17, all.len() + 9).len(), all.len() + 2);
        assert!(row_at(&long, long.len(), 17).end == long.len());
    }
}
