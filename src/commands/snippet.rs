//! A line of a text with a mark under the part that a finding speaks of.
//!
//! The mark stands under the right characters whatever their width: tabs become spaces, wide
//! characters count two columns, and of a long line only the part around the place is shown. This
//! file must never write anything; what it gives has passed [`sanitize`](crate::sanitize).

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::engine::Diagnostic;
use crate::sanitize;

/// The most columns of a line that are shown.
const COLUMNS: usize = 100;

/// Columns of a tab.
const TAB: &str = "    ";

/// A line of source and its mark.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    /// The line's number, from 1.
    pub number: usize,
    /// The line, or the part of it around the place.
    pub line: String,
    /// Spaces up to the place, then one `^` for each of its columns.
    pub mark: String,
}

impl Snippet {
    /// The first line that `diagnostic` speaks of. `None` if it speaks of no place.
    pub fn of(text: &str, diagnostic: &Diagnostic) -> Option<Self> {
        let span = &diagnostic.span;
        if span.is_empty() && span.start == 0 {
            return None;
        }
        let start = text.get(..span.start)?.rfind('\n').map_or(0, |i| i + 1);
        let end = text[span.start..].find('\n').map_or(text.len(), |i| span.start + i);
        let line = text[start..end].trim_end_matches('\r');
        // Each character as it is shown, and the column that it starts at.
        let mut cells: Vec<(Cow<'_, str>, usize)> = Vec::new();
        let (mut column, mut from, mut to) = (0, None, None);
        for (offset, c) in line.char_indices() {
            let at = start + offset;
            if at >= span.start {
                from.get_or_insert(column);
            }
            if at >= span.end {
                to.get_or_insert(column);
            }
            let shown = match c {
                '\t' => Cow::Borrowed(TAB),
                c => sanitize::stand_in(c).unwrap_or_else(|| c.to_string().into()),
            };
            let width = shown.width();
            cells.push((shown, column));
            column += width;
        }
        let from = from.unwrap_or(column);
        let to = to.unwrap_or(column).max(from + 1);
        // The window starts a third before the place, unless the line fits as it is.
        let left = if column <= COLUMNS { 0 } else { from.saturating_sub(COLUMNS / 3) };
        let right = left + COLUMNS;
        let mut line: String = if left > 0 { "…".into() } else { String::new() };
        let shown = cells.iter().filter(|(_, at)| (left..right).contains(at));
        line.extend(shown.map(|(text, _)| text.as_ref()));
        if column > right {
            line.push('…');
        }
        // A wide character may start before the window and reach into it.
        let first = cells.iter().map(|(_, at)| *at).find(|at| *at >= left).unwrap_or(left);
        let indent = from.saturating_sub(first) + usize::from(left > 0);
        let mark = " ".repeat(indent) + &"^".repeat(to.min(right).saturating_sub(from).max(1));
        Some(Self { number: diagnostic.start.line, line, mark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, part: &str) -> (String, String) {
        let at = text.find(part).unwrap();
        let found =
            Snippet::of(text, &Diagnostic::error(text, at..at + part.len(), "code", "message")).unwrap();
        (found.line, found.mark)
    }

    #[test]
    fn the_mark_is_under_the_part() {
        assert_eq!(drawn("a\nstart: b c\nd", "b"), ("start: b c".into(), "       ^".into()));
        assert_eq!(drawn("\tbad x", "bad"), ("    bad x".into(), "    ^^^".into()));
        assert_eq!(drawn("日本 bad", "bad"), ("日本 bad".into(), "     ^^^".into()));
        assert_eq!(drawn("日本 bad", "本"), ("日本 bad".into(), "  ^^".into()));
        assert_eq!(drawn("\u{1b}[2J bad\r\n", "bad"), ("␛[2J bad".into(), "     ^^^".into()));
        // Of a place of several lines the first one is marked.
        assert_eq!(drawn("x (a\nb)", "(a\nb"), ("x (a".into(), "  ^^".into()));
    }

    #[test]
    fn a_place_after_the_last_character_is_marked_too() {
        let text = "start";
        let end = Snippet::of(text, &Diagnostic::error(text, 5..5, "code", "message")).unwrap();
        assert_eq!((end.number, end.line.as_str(), end.mark.as_str()), (1, "start", "     ^"));
        assert_eq!(Snippet::of(text, &Diagnostic::error(text, 0..0, "code", "message")), None);
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("{}bad{}", "x".repeat(500), "y".repeat(500));
        let (line, mark) = drawn(&text, "bad");
        assert!(line.starts_with("…x") && line.ends_with("y…"), "{line}");
        assert_eq!(line.width(), COLUMNS + 2);
        let at = line.chars().take_while(|&c| c != 'b').count();
        assert_eq!(mark, " ".repeat(at) + "^^^");
        let long = "z".repeat(5_000);
        assert_eq!(drawn(&long, &long).1.len(), COLUMNS);
    }
}
