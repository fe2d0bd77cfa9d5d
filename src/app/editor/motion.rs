//! Where a key leads the caret: by grapheme, by word, by line, and by row of the screen.

use unicode_segmentation::UnicodeSegmentation;

use crate::ui::glyphs::{glyphs, width as columns};
use crate::ui::wrap::{self, Lines, Place};

/// Where the caret goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// One character to the left, over line ends.
    Left,
    /// One character to the right, over line ends.
    Right,
    /// To the start of the word on the left.
    WordLeft,
    /// To the end of the word on the right.
    WordRight,
    /// To the start of the line.
    LineStart,
    /// To the end of the line.
    LineEnd,
    /// To the start of the text.
    TextStart,
    /// To the end of the text.
    TextEnd,
    /// This many rows of the screen down; up, if negative.
    Rows(isize),
    /// This many lines down, however many rows they take; up, if negative.
    Lines(isize),
}

impl Motion {
    /// Where it leads from `from`. Vertical movement tries to keep the column `goal`, or that of
    /// `from`, in rows of `width` columns.
    pub(in crate::app) fn target(
        self,
        lines: &dyn Lines,
        from: Place,
        goal: Option<usize>,
        width: usize,
    ) -> Place {
        let Place { line, byte } = from;
        let text = lines.line(line);
        let (left, right) = text.split_at(byte);
        match self {
            Self::Left => match left.graphemes(true).next_back() {
                Some(g) => Place { line, byte: byte - g.len() },
                None => end_of_line_before(lines, line),
            },
            Self::Right => match right.graphemes(true).next() {
                Some(g) => Place { line, byte: byte + g.len() },
                None => start_of_line_after(lines, line),
            },
            Self::WordLeft if left.is_empty() => end_of_line_before(lines, line),
            Self::WordLeft => {
                let word = left.split_word_bound_indices().rfind(|(_, w)| !w.trim().is_empty());
                Place { line, byte: word.map_or(0, |(at, _)| at) }
            }
            Self::WordRight if right.is_empty() => start_of_line_after(lines, line),
            Self::WordRight => {
                let word = right.split_word_bound_indices().find(|(_, w)| !w.trim().is_empty());
                Place { line, byte: word.map_or(text.len(), |(at, w)| byte + at + w.len()) }
            }
            Self::LineStart => Place { line, byte: 0 },
            Self::LineEnd => Place { line, byte: text.len() },
            Self::TextStart => Place::default(),
            Self::TextEnd => end_of(lines),
            Self::Rows(delta) => {
                let row = wrap::row_of(lines, from, width);
                let column = goal.unwrap_or_else(|| wrap::column_of(lines, from, width));
                let to = wrap::advance(lines, row, delta, width);
                if to == row {
                    return if delta < 0 { Place::default() } else { end_of(lines) };
                }
                wrap::place_at(lines, to, column, width)
            }
            Self::Lines(delta) => {
                let column = goal.unwrap_or_else(|| columns(left, 0));
                let line = line.saturating_add_signed(delta).min(lines.count() - 1);
                Place { line, byte: byte_at(lines.line(line), column) }
            }
        }
    }
}

impl Motion {
    /// The column that vertical movement from `from` tries to keep; `None` after any other.
    pub(super) fn goal(
        self,
        lines: &dyn Lines,
        from: Place,
        goal: Option<usize>,
        width: usize,
    ) -> Option<usize> {
        match self {
            Self::Rows(_) => goal.or_else(|| Some(wrap::column_of(lines, from, width))),
            Self::Lines(_) => goal.or_else(|| Some(columns(&lines.line(from.line)[..from.byte], 0))),
            _ => None,
        }
    }
}

/// The byte of the character in a column of a line that is not wrapped.
fn byte_at(text: &str, column: usize) -> usize {
    let mut right = 0;
    let found = glyphs(text, 0).find(|glyph| {
        right += glyph.width;
        right > column
    });
    found.map_or(text.len(), |glyph| glyph.offset)
}

fn end_of(lines: &dyn Lines) -> Place {
    let line = lines.count() - 1;
    Place { line, byte: lines.line(line).len() }
}

fn end_of_line_before(lines: &dyn Lines, line: usize) -> Place {
    line.checked_sub(1).map_or(Place::default(), |line| Place { line, byte: lines.line(line).len() })
}

fn start_of_line_after(lines: &dyn Lines, line: usize) -> Place {
    if line + 1 < lines.count() { Place { line: line + 1, byte: 0 } } else { end_of(lines) }
}
