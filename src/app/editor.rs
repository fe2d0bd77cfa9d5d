//! The text that a person edits: lines, a caret, undo and redo.
//!
//! Movement and deletion go by grapheme, so that what looks like one character is one. Undo goes by
//! word. The buffer keeps what is typed or pasted byte for byte, save that line ends become `\n`;
//! making it safe to show is [`glyphs`](crate::ui::glyphs)' work. It must never know a terminal.

use unicode_segmentation::UnicodeSegmentation;

use crate::ui::wrap::{self, Lines, Place, RowRef};

/// How many steps can be undone.
const MAX_UNDO: usize = 1000;

/// A text under edit.
#[derive(Clone, Debug)]
pub struct EditorBuffer {
    lines: Vec<String>,
    caret: Place,
    /// The column that vertical movement tries to keep.
    goal: Option<usize>,
    /// The first row on the screen.
    top: RowRef,
    revision: u64,
    undo: Vec<Change>,
    redo: Vec<Change>,
}

/// One replacement: at `at`, `removed` gave way to `inserted`.
#[derive(Clone, Debug)]
struct Change {
    at: Place,
    removed: String,
    inserted: String,
}

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
}

impl Lines for EditorBuffer {
    fn count(&self) -> usize {
        self.lines.len()
    }

    fn line(&self, index: usize) -> &str {
        self.lines.get(index).map_or("", String::as_str)
    }
}

impl EditorBuffer {
    /// A buffer that holds `text`, the caret at its start.
    pub fn new(text: &str) -> Self {
        Self {
            lines: normalised(text).split('\n').map(str::to_owned).collect(),
            caret: Place::default(),
            goal: None,
            top: RowRef::default(),
            revision: 0,
            undo: Vec::new(),
            redo: Vec::new(),
        }
    }

    /// Replaces the whole text, as a change that can be undone. The caret goes to the start.
    pub fn set_text(&mut self, text: &str) {
        let text = normalised(text);
        let removed = self.splice(Place::default(), self.last_place(), &text);
        self.remember(Change { at: Place::default(), removed, inserted: text });
        self.caret = Place::default();
        self.top = RowRef::default();
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Where the caret is.
    pub fn caret(&self) -> Place {
        self.caret
    }

    /// The first row on the screen.
    pub fn top(&self) -> RowRef {
        self.top
    }

    /// Rises with every change of the text.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Puts `text` at the caret. Line ends of other systems become `\n`.
    pub fn insert(&mut self, text: &str) {
        let text = normalised(text);
        if text.is_empty() {
            return;
        }
        let at = self.caret;
        self.splice(at, at, &text);
        self.remember(Change { at, removed: String::new(), inserted: text });
    }

    /// Removes what lies between the caret and where `motion` leads. `width` is the pane's.
    pub fn delete(&mut self, motion: Motion, width: usize) {
        let to = self.target(motion, width);
        let (start, end) = if to < self.caret { (to, self.caret) } else { (self.caret, to) };
        if start == end {
            return;
        }
        let removed = self.splice(start, end, "");
        self.remember(Change { at: start, removed, inserted: String::new() });
    }

    /// Moves the caret. `width` is the width that the rows are wrapped at.
    pub fn go(&mut self, motion: Motion, width: usize) {
        let to = self.target(motion, width);
        let keeps_goal = matches!(motion, Motion::Rows(_));
        self.goal = keeps_goal.then(|| self.goal.unwrap_or_else(|| wrap::column_of(self, self.caret, width)));
        self.caret = to;
    }

    /// Moves the caret to the character boundary at or before `place`.
    pub fn go_to(&mut self, place: Place) {
        let line = place.line.min(self.lines.len() - 1);
        let mut byte = place.byte.min(self.lines[line].len());
        while !self.lines[line].is_char_boundary(byte) {
            byte -= 1;
        }
        self.caret = Place { line, byte };
        self.goal = None;
    }

    /// Takes back the last change. Whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(change) = self.undo.pop() else { return false };
        self.splice(change.at, end_of(change.at, &change.inserted), &change.removed);
        self.redo.push(change);
        true
    }

    /// Makes the last change that was taken back again. Whether there was one.
    pub fn redo(&mut self) -> bool {
        let Some(change) = self.redo.pop() else { return false };
        self.splice(change.at, end_of(change.at, &change.removed), &change.inserted);
        self.undo.push(change);
        true
    }

    /// Scrolls so that the caret is on a screen of this size.
    pub fn reveal_caret(&mut self, width: usize, height: usize) {
        self.top = wrap::reveal(self, self.top, self.caret, width, height);
    }

    /// Scrolls by `delta` rows; the caret stays where it is.
    pub fn scroll(&mut self, delta: isize, width: usize, height: usize) {
        let lowest = wrap::bottom(self, width, height);
        self.top = wrap::advance(self, self.top, delta, width).min(lowest);
    }

    fn target(&self, motion: Motion, width: usize) -> Place {
        let Place { line, byte } = self.caret;
        let text = &self.lines[line];
        match motion {
            Motion::Left => match text[..byte].graphemes(true).next_back() {
                Some(g) => Place { line, byte: byte - g.len() },
                None => self.end_of_line_before(line),
            },
            Motion::Right => match text[byte..].graphemes(true).next() {
                Some(g) => Place { line, byte: byte + g.len() },
                None => self.start_of_line_after(line),
            },
            Motion::WordLeft if byte == 0 => self.end_of_line_before(line),
            Motion::WordLeft => {
                let word = text[..byte].split_word_bound_indices().rfind(|(_, w)| !w.trim().is_empty());
                Place { line, byte: word.map_or(0, |(at, _)| at) }
            }
            Motion::WordRight if byte == text.len() => self.start_of_line_after(line),
            Motion::WordRight => {
                let word = text[byte..].split_word_bound_indices().find(|(_, w)| !w.trim().is_empty());
                Place { line, byte: word.map_or(text.len(), |(at, w)| byte + at + w.len()) }
            }
            Motion::LineStart => Place { line, byte: 0 },
            Motion::LineEnd => Place { line, byte: text.len() },
            Motion::TextStart => Place::default(),
            Motion::TextEnd => self.last_place(),
            Motion::Rows(delta) => {
                let row = wrap::row_of(self, self.caret, width);
                let column = self.goal.unwrap_or_else(|| wrap::column_of(self, self.caret, width));
                let to = wrap::advance(self, row, delta, width);
                if to == row {
                    return if delta < 0 { Place::default() } else { self.last_place() };
                }
                wrap::place_at(self, to, column, width)
            }
        }
    }

    fn last_place(&self) -> Place {
        let line = self.lines.len() - 1;
        Place { line, byte: self.lines[line].len() }
    }

    fn end_of_line_before(&self, line: usize) -> Place {
        match line.checked_sub(1) {
            Some(line) => Place { line, byte: self.lines[line].len() },
            None => Place::default(),
        }
    }

    fn start_of_line_after(&self, line: usize) -> Place {
        if line + 1 < self.lines.len() { Place { line: line + 1, byte: 0 } } else { self.last_place() }
    }

    /// Replaces `start..end` by `text`, puts the caret behind it, and returns what was there.
    fn splice(&mut self, start: Place, end: Place, text: &str) -> String {
        let tail = self.lines[end.line].split_off(end.byte);
        let mut removed_lines: Vec<String> = self.lines.drain(start.line + 1..=end.line).collect();
        let first_removed = self.lines[start.line].split_off(start.byte);
        removed_lines.insert(0, first_removed);
        let removed = removed_lines.join("\n");

        let mut pieces = text.split('\n');
        self.lines[start.line].push_str(pieces.next().unwrap_or_default());
        let new_lines: Vec<String> = pieces.map(str::to_owned).collect();
        let last = start.line + new_lines.len();
        self.lines.splice(start.line + 1..start.line + 1, new_lines);
        self.caret = Place { line: last, byte: self.lines[last].len() };
        self.lines[last].push_str(&tail);
        self.goal = None;
        self.revision += 1;
        removed
    }

    /// Records a change; typing within one word becomes one change.
    fn remember(&mut self, change: Change) {
        self.redo.clear();
        if let Some(last) = self.undo.last_mut()
            && last.removed.is_empty()
            && change.removed.is_empty()
            && end_of(last.at, &last.inserted) == change.at
            && continues_word(&last.inserted, &change.inserted)
        {
            last.inserted.push_str(&change.inserted);
            return;
        }
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push(change);
    }
}

/// Whether typing `next` after `typed` is still the same word.
fn continues_word(typed: &str, next: &str) -> bool {
    let is_one_character = next.graphemes(true).count() == 1;
    let starts_word = typed.ends_with(char::is_whitespace) && !next.starts_with(char::is_whitespace);
    is_one_character && !next.contains('\n') && !typed.contains('\n') && !starts_word
}

fn end_of(start: Place, text: &str) -> Place {
    match text.rfind('\n') {
        None => Place { line: start.line, byte: start.byte + text.len() },
        Some(at) => Place { line: start.line + text.matches('\n').count(), byte: text.len() - at - 1 },
    }
}

/// Line ends of every system become `\n`.
fn normalised(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 80;

    fn typed(buffer: &mut EditorBuffer, text: &str) {
        text.chars().for_each(|c| buffer.insert(&c.to_string()));
    }

    #[test]
    fn graphemes_are_one_character() {
        let family = "👨‍👩‍👧";
        let mut b = EditorBuffer::new(&format!("a{family}e\u{301}z"));
        b.go(Motion::LineEnd, WIDTH);
        b.delete(Motion::Left, WIDTH);
        b.delete(Motion::Left, WIDTH);
        assert_eq!(b.text(), format!("a{family}"));
        b.delete(Motion::Left, WIDTH);
        assert_eq!(b.text(), "a");
    }

    #[test]
    fn typing_is_undone_by_word_and_pastes_at_once() {
        let mut b = EditorBuffer::new("");
        typed(&mut b, "start: rule");
        b.insert("x\ny");
        assert!(b.undo());
        assert_eq!(b.text(), "start: rule");
        assert!(b.undo());
        assert_eq!(b.text(), "start: ");
        assert!(b.undo());
        assert!(!b.undo());
        while b.redo() {}
        assert_eq!(b.text(), "start: rulex\ny");
    }

    #[test]
    fn line_ends_are_normalised() {
        let mut b = EditorBuffer::new("a\r\nb\rc");
        assert_eq!(b.text(), "a\nb\nc");
        b.insert("1\r\n2\r3");
        assert_eq!(b.text(), "1\n2\n3a\nb\nc");
        assert_eq!(b.caret(), Place { line: 2, byte: 1 });
    }

    #[test]
    fn words_and_lines() {
        let mut b = EditorBuffer::new("one two\nthree");
        b.go(Motion::WordRight, WIDTH);
        b.go(Motion::WordRight, WIDTH);
        assert_eq!(b.caret().byte, 7);
        b.go(Motion::WordRight, WIDTH);
        assert_eq!(b.caret(), Place { line: 1, byte: 0 });
        b.delete(Motion::Left, WIDTH);
        assert_eq!(b.text(), "one twothree");
        b.delete(Motion::WordLeft, WIDTH);
        assert_eq!(b.text(), "one three");
        b.delete(Motion::LineEnd, WIDTH);
        assert_eq!(b.text(), "one ");
    }

    #[test]
    fn vertical_movement_keeps_its_column_over_short_rows() {
        let mut b = EditorBuffer::new("abcdef\nx\nabcdef");
        b.go(Motion::LineEnd, WIDTH);
        b.go(Motion::Rows(1), WIDTH);
        assert_eq!(b.caret(), Place { line: 1, byte: 1 });
        b.go(Motion::Rows(1), WIDTH);
        assert_eq!(b.caret(), Place { line: 2, byte: 6 });
        b.go(Motion::Rows(9), WIDTH);
        assert_eq!(b.caret(), Place { line: 2, byte: 6 });
        b.go(Motion::Rows(-9), WIDTH);
        assert_eq!(b.caret(), Place { line: 0, byte: 6 });
        b.go(Motion::Rows(-1), WIDTH);
        assert_eq!(b.caret(), Place::default(), "above the first row there is only the start");
    }

    /// Any edits, undone to the start, give the first text; redone, the last.
    #[test]
    fn random_edits_undo_and_redo() {
        let first = "start: a | b\n\na: \"x\"\nb: /é+/";
        let mut b = EditorBuffer::new(first);
        let mut random = 88172645463325252u64;
        let mut next = |n: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % n
        };
        for _ in 0..600 {
            match next(6) {
                0 => b.insert("é\n\tx"),
                1 => b.insert("q"),
                2 => b.delete(Motion::Left, 7),
                3 => b.delete(Motion::WordRight, 7),
                4 => b.go(Motion::Rows(next(7) as isize - 3), 7),
                _ => b.go_to(Place { line: next(9) as usize, byte: next(12) as usize }),
            }
            b.reveal_caret(7, 3);
            let rows = wrap::row_of(&b, b.caret(), 7);
            assert!(b.top() <= rows && rows <= wrap::advance(&b, b.top(), 2, 7));
        }
        let last = b.text();
        while b.undo() {}
        assert_eq!(b.text(), first);
        while b.redo() {}
        assert_eq!(b.text(), last);
    }
}
