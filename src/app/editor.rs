//! The text that a person edits: lines, a caret, undo and redo.
//!
//! [`TextArea`] holds the lines, the caret, the selection and the history of edits. It is wrapped,
//! because it moves and deletes by `char`, undoes one edit at a time, keeps a lone `\r`, and draws
//! each line in one style. [`EditorBuffer`] goes by grapheme, so that what looks like one character
//! is one, undoes by word, and makes line ends of every system `\n`. Everything else that is typed
//! or pasted is kept byte for byte; making it safe to show is [`glyphs`](crate::ui::glyphs)' work.
//! It must never know a terminal, nor let the text area draw or read keys.

use tui_textarea::TextArea;

use crate::ui::wrap::{self, Lines, Place, RowRef};

use self::history::History;
pub use self::motion::Motion;

mod caret;
mod history;
mod motion;

/// A text under edit.
#[derive(Clone, Debug)]
pub struct EditorBuffer {
    area: TextArea<'static>,
    history: History,
    /// The column that vertical movement tries to keep.
    goal: Option<usize>,
    /// The first row on the screen.
    top: RowRef,
    revision: u64,
}

impl Lines for EditorBuffer {
    fn count(&self) -> usize {
        self.area.lines().len()
    }

    fn line(&self, index: usize) -> &str {
        self.area.lines().get(index).map_or("", String::as_str)
    }
}

impl EditorBuffer {
    /// A buffer that holds `text`, the caret at its start.
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::from(normalised(text).split('\n'));
        area.set_max_histories(history::MAX_EDITS);
        Self { area, history: History::default(), goal: None, top: RowRef::default(), revision: 0 }
    }

    /// Replaces the whole text, as a change that can be undone. The caret goes to the start.
    pub fn set_text(&mut self, text: &str) {
        self.area.cancel_selection();
        let edits = usize::from(self.area.clear()) + usize::from(self.area.insert_str(normalised(text)));
        self.history.remember(edits);
        self.changed();
        caret::put(&mut self.area, Place::default());
        self.top = RowRef::default();
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Where the caret is.
    pub fn caret(&self) -> Place {
        caret::place(&self.area)
    }

    /// The first row on the screen.
    pub fn top(&self) -> RowRef {
        self.top
    }

    /// Rises with every change of the text.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is selected, from the first to one past the last character; `None` if nothing is.
    pub fn selection(&self) -> Option<(Place, Place)> {
        let (start, end) = self.area.selection_range()?;
        let place = |(line, column)| caret::place_of(&self.area, line, column);
        (start != end).then(|| (place(start), place(end)))
    }

    /// The text that is selected; empty if none is.
    pub fn selected_text(&self) -> String {
        let Some((start, end)) = self.selection() else { return String::new() };
        let part = |line: usize| {
            let text = self.line(line);
            let first = if line == start.line { start.byte } else { 0 };
            let last = if line == end.line { end.byte } else { text.len() };
            &text[first..last]
        };
        (start.line..=end.line).map(part).collect::<Vec<_>>().join("\n")
    }

    /// Puts `text` at the caret, in place of what is selected. Line ends of other systems become `\n`.
    pub fn insert(&mut self, text: &str) {
        let text = normalised(text);
        if text.is_empty() {
            return;
        }
        let (at, replaces) = (self.caret(), self.selection().is_some());
        self.area.insert_str(&text);
        self.history.remember_insertion(&text, replaces, at, self.caret());
        self.changed();
    }

    /// Removes what is selected, else what lies between the caret and where `motion` leads. `width`
    /// is the pane's.
    pub fn delete(&mut self, motion: Motion, width: usize) {
        if self.delete_selection() {
            return;
        }
        let (caret, to) = (self.caret(), self.target(motion, width));
        let (start, end) = (caret.min(to), caret.max(to));
        let length = caret::distance(&self.area, start, end);
        // A deletion from anywhere else than `start` would take something else.
        if length > 0 && caret::put(&mut self.area, start) && self.area.delete_str(length) {
            self.history.remember(1);
            self.changed();
        }
    }

    /// Removes what is selected. Whether anything was.
    pub fn delete_selection(&mut self) -> bool {
        let is_deleted = self.area.cut();
        if is_deleted {
            self.history.remember(1);
            self.changed();
        }
        is_deleted
    }

    /// Moves the caret; nothing stays selected. `width` is the width that the rows are wrapped at.
    pub fn go(&mut self, motion: Motion, width: usize) {
        self.area.cancel_selection();
        self.move_caret(motion, width);
    }

    /// Moves the caret and selects, or selects on, what it passes.
    pub fn select(&mut self, motion: Motion, width: usize) {
        if !self.area.is_selecting() {
            self.area.start_selection();
        }
        self.move_caret(motion, width);
    }

    fn move_caret(&mut self, motion: Motion, width: usize) {
        let to = self.target(motion, width);
        let keeps_goal = matches!(motion, Motion::Rows(_));
        self.goal =
            keeps_goal.then(|| self.goal.unwrap_or_else(|| wrap::column_of(self, self.caret(), width)));
        caret::put(&mut self.area, to);
    }

    /// Moves the caret to the character boundary at or before `place`; nothing stays selected.
    pub fn go_to(&mut self, place: Place) {
        self.area.cancel_selection();
        let line = place.line.min(self.count() - 1);
        let text = self.line(line);
        let byte = (0..=place.byte.min(text.len())).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0);
        caret::put(&mut self.area, Place { line, byte });
        self.goal = None;
    }

    /// Takes back the last change. Whether there was one.
    pub fn undo(&mut self) -> bool {
        let is_undone = self.history.undo(&mut self.area);
        if is_undone {
            self.changed();
        }
        is_undone
    }

    /// Makes the last change that was taken back again. Whether there was one.
    pub fn redo(&mut self) -> bool {
        let is_redone = self.history.redo(&mut self.area);
        if is_redone {
            self.changed();
        }
        is_redone
    }

    /// Scrolls so that the caret is on a screen of this size.
    pub fn reveal_caret(&mut self, width: usize, height: usize) {
        self.top = wrap::reveal(self, self.top, self.caret(), width, height);
    }

    /// Scrolls by `delta` rows; the caret stays where it is.
    pub fn scroll(&mut self, delta: isize, width: usize, height: usize) {
        let lowest = wrap::bottom(self, width, height);
        self.top = wrap::advance(self, self.top, delta, width).min(lowest);
    }

    fn target(&self, motion: Motion, width: usize) -> Place {
        motion.target(self, self.caret(), self.goal, width)
    }

    fn changed(&mut self) {
        self.goal = None;
        self.revision += 1;
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

    /// The text area jumps no farther than 16 bits count.
    #[test]
    fn long_lines_and_long_texts_are_edited_where_the_caret_is() {
        let long = "ab ".repeat(30_000);
        let mut b = EditorBuffer::new(&long);
        b.go(Motion::LineEnd, WIDTH);
        b.go(Motion::Left, WIDTH);
        b.go(Motion::Rows(-1), WIDTH);
        b.insert("é");
        b.delete(Motion::Right, WIDTH);
        assert_eq!(b.text(), format!("{}é{}", &long[..89_921], &long[89_922..]));
        b.delete(Motion::TextStart, WIDTH);
        assert_eq!(b.text(), long[89_922..]);
        while b.undo() {}
        assert_eq!(b.text(), long);

        let many = "a\n".repeat(70_000);
        let mut b = EditorBuffer::new(&many);
        b.go(Motion::TextEnd, WIDTH);
        b.go(Motion::Left, WIDTH);
        b.insert("b");
        assert_eq!(b.text(), format!("{}b\n", &many[..139_999]));
    }

    #[test]
    fn what_is_selected_is_replaced_in_one_change() {
        let mut b = EditorBuffer::new("one 👨‍👩‍👧\nthree");
        b.go(Motion::WordRight, WIDTH);
        b.select(Motion::Right, WIDTH);
        b.select(Motion::Right, WIDTH);
        b.select(Motion::Rows(1), WIDTH);
        b.select(Motion::LineStart, WIDTH);
        b.select(Motion::Right, WIDTH);
        assert_eq!(b.selected_text(), " 👨‍👩‍👧\nt");
        b.insert("x");
        b.insert("y");
        assert_eq!(b.text(), "onexyhree");
        b.select(Motion::LineStart, WIDTH);
        b.delete(Motion::Right, WIDTH);
        assert_eq!(b.text(), "hree");
        assert!(b.undo() && b.undo());
        assert_eq!(b.text(), "one 👨‍👩‍👧\nthree");
        assert!(!b.undo());

        b.select(Motion::LineEnd, WIDTH);
        b.go(Motion::Left, WIDTH);
        b.select(Motion::Left, WIDTH);
        b.select(Motion::Right, WIDTH);
        assert_eq!((b.selection(), b.selected_text()), (None, String::new()));
    }

    /// Only so many edits are remembered: what is forgotten stays, what is not is undone.
    #[test]
    fn a_change_whose_first_edits_are_forgotten_is_undone_as_far_as_can_be() {
        let mut b = EditorBuffer::new("");
        b.area.set_max_histories(7);
        typed(&mut b, "start mazes");
        typed(&mut b, " and");
        assert!(b.undo() && b.undo());
        assert_eq!(b.text(), "start ma");
        assert!(!b.undo());
        while b.redo() {}
        assert_eq!(b.text(), "start mazes and");
        assert!(b.undo());
        assert_eq!(b.text(), "start mazes ");
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
