//! Words, as double clicks and vi's keys know them: runs of letters, digits and `_`, or runs of
//! other marks, between white space. A big word is everything between white space.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::ui::wrap::{Lines, Place};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Word,
    Mark,
}

fn class(grapheme: &str, is_big: bool) -> Class {
    match grapheme.chars().next() {
        Some(c) if c.is_whitespace() => Class::Space,
        Some(c) if is_big || c.is_alphanumeric() || c == '_' => Class::Word,
        Some(_) => Class::Mark,
        None => Class::Space,
    }
}

/// The word, the marks, or the white space that `byte` of a line is in; at its end, the last of them.
pub fn around(line: &str, byte: usize, is_big: bool) -> Range<usize> {
    let (left, right) = line.split_at(byte.min(line.len()));
    let here = right.graphemes(true).next().or_else(|| left.graphemes(true).next_back());
    let class_here = here.map_or(Class::Space, |g| class(g, is_big));
    let run = |g: &&str| class(g, is_big) == class_here;
    let before: usize = left.graphemes(true).rev().take_while(run).map(str::len).sum();
    let after: usize = right.graphemes(true).take_while(run).map(str::len).sum();
    left.len() - before..left.len() + after
}

/// A word with the white space behind it, or before it if there is none behind.
pub fn with_space(line: &str, word: Range<usize>) -> Range<usize> {
    let blanks = |text: &str| text.len() - text.trim_start().len();
    let behind = blanks(&line[word.end..]);
    if behind > 0 {
        return word.start..word.end + behind;
    }
    line[..word.start].trim_end().len()..word.end
}

/// The start of the next word. An empty line is a word.
pub fn next_start(lines: &dyn Lines, from: Place, is_big: bool) -> Place {
    let text = lines.line(from.line);
    let mut last = None;
    for (at, grapheme) in text[from.byte..].grapheme_indices(true) {
        let here = class(grapheme, is_big);
        if here != Class::Space && last.is_some_and(|last| last != here) {
            return Place { line: from.line, byte: from.byte + at };
        }
        last = Some(here);
    }
    for line in from.line + 1..lines.count() {
        let text = lines.line(line);
        let byte = text.len() - text.trim_start().len();
        if text.is_empty() || byte < text.len() {
            return Place { line, byte };
        }
    }
    end_of(lines)
}

/// The last character of this word, or of the next if `from` is at the end of one.
pub fn next_end(lines: &dyn Lines, from: Place, is_big: bool) -> Place {
    let first = lines.line(from.line)[from.byte..].graphemes(true).next().map_or(0, str::len);
    for line in from.line..lines.count() {
        let text = lines.line(line);
        let mut byte = if line == from.line { from.byte + first } else { 0 };
        byte += text[byte..].len() - text[byte..].trim_start().len();
        if byte < text.len() {
            let end = around(text, byte, is_big).end;
            let last = text[..end].graphemes(true).next_back().map_or(0, str::len);
            return Place { line, byte: end - last };
        }
    }
    end_of(lines)
}

/// The start of this word, or of the one before if `from` is at the start of one.
pub fn previous_start(lines: &dyn Lines, from: Place, is_big: bool) -> Place {
    for line in (0..=from.line).rev() {
        let text = lines.line(line);
        let before = if line == from.line { &text[..from.byte] } else { text };
        let said = before.trim_end();
        if !said.is_empty() {
            let last = said.graphemes(true).next_back().map_or(0, str::len);
            return Place { line, byte: around(said, said.len() - last, is_big).start };
        }
        if text.is_empty() && line < from.line {
            return Place { line, byte: 0 };
        }
    }
    Place::default()
}

fn end_of(lines: &dyn Lines) -> Place {
    let line = lines.count() - 1;
    Place { line, byte: lines.line(line).len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::editor::EditorBuffer;

    fn walk(text: &str, from: Place, step: impl Fn(&EditorBuffer, Place) -> Place) -> Vec<(usize, usize)> {
        let b = EditorBuffer::new(text);
        let mut at = from;
        let mut seen = Vec::new();
        loop {
            let to = step(&b, at);
            if to == at {
                return seen;
            }
            at = to;
            seen.push((at.line, at.byte));
        }
    }

    /// The stops are those that vim makes.
    #[test]
    fn words_are_those_of_vi() {
        let text = "foo_1(bar) -> é\n\n  x";
        let start = Place::default();
        let end = Place { line: 2, byte: 3 };
        assert_eq!(
            walk(text, start, |b, p| next_start(b, p, false)),
            [(0, 5), (0, 6), (0, 9), (0, 11), (0, 14), (1, 0), (2, 2), (2, 3)]
        );
        assert_eq!(
            walk(text, start, |b, p| next_start(b, p, true)),
            [(0, 11), (0, 14), (1, 0), (2, 2), (2, 3)]
        );
        assert_eq!(
            walk(text, start, |b, p| next_end(b, p, false)),
            [(0, 4), (0, 5), (0, 8), (0, 9), (0, 12), (0, 14), (2, 2), (2, 3)]
        );
        assert_eq!(
            walk(text, end, |b, p| previous_start(b, p, false)),
            [(2, 2), (1, 0), (0, 14), (0, 11), (0, 9), (0, 6), (0, 5), (0, 0)]
        );
    }

    #[test]
    fn what_is_around_a_place() {
        assert_eq!(around("ab  cd", 1, false), 0..2);
        assert_eq!(around("ab  cd", 3, false), 2..4);
        assert_eq!(around("ab  cd", 6, false), 4..6);
        assert_eq!(around("", 0, false), 0..0);
        assert_eq!(with_space("ab  cd", 0..2), 0..4);
        assert_eq!(with_space("ab  cd", 4..6), 2..6);
    }
}
