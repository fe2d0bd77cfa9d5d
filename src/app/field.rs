//! A line to type into: the query of a menu, the answer to a question, what is to be found.
//!
//! [`TextArea`] holds the line, the caret, the selection and the history. It moves and deletes by
//! `char`, so it is told by how many to go: a field goes by grapheme and word, as texts do. It is
//! drawn by [`ui::field`](crate::ui::field), and never reads keys.

use tui_textarea::{CursorMove, TextArea};

use super::action::Action;
use super::editor::Motion;
use crate::ui::wrap::{Lines, Place};

/// Wider than any line: a field is never wrapped.
const WIDTH: usize = 1 << 20;

/// A field takes no more characters: nobody types more, and the text area counts with 16 bits.
const MOST: usize = 4096;

/// One line of text under edit.
#[derive(Clone, Debug)]
pub struct Field {
    area: TextArea<'static>,
}

impl Default for Field {
    fn default() -> Self {
        Self::new("")
    }
}

/// A line as texts see it.
struct Line<'a>(&'a str);

impl Lines for Line<'_> {
    fn count(&self) -> usize {
        1
    }

    fn line(&self, index: usize) -> &str {
        if index == 0 { self.0 } else { "" }
    }
}

impl Field {
    /// A field that holds the first line of `text`, the caret at its end.
    pub fn new(text: &str) -> Self {
        let line: String = first_line(text).chars().take(MOST).collect();
        let mut area = TextArea::new(vec![line]);
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// The byte that the caret is before.
    pub fn caret(&self) -> usize {
        self.byte(self.area.cursor().1)
    }

    /// The bytes that are selected; `None` if none are.
    pub fn selection(&self) -> Option<std::ops::Range<usize>> {
        let ((_, start), (_, end)) = self.area.selection_range()?;
        (start != end).then(|| self.byte(start)..self.byte(end))
    }

    /// Puts the first line of `text` at the caret, in place of what is selected, as far as there is
    /// room.
    pub fn insert(&mut self, text: &str) {
        self.delete_selection();
        let room = MOST.saturating_sub(self.text().chars().count());
        let text: String = first_line(text).chars().take(room).collect();
        self.area.insert_str(text);
    }

    /// Moves, selects or deletes, if that is what `action` is about. Whether it is.
    pub fn act(&mut self, action: Action) -> bool {
        match action {
            Action::SelectAll => {
                self.area.move_cursor(CursorMove::Head);
                self.area.start_selection();
                self.area.move_cursor(CursorMove::End);
            }
            Action::Undo => drop(self.area.undo()),
            Action::Redo => drop(self.area.redo()),
            _ => match movement(action) {
                Some((motion, Use::Go)) => self.go(motion),
                Some((motion, Use::Select)) => {
                    if !self.area.is_selecting() {
                        self.area.start_selection();
                    }
                    self.put_caret(self.target(motion));
                }
                Some((motion, Use::Delete)) => self.delete(motion),
                None => return false,
            },
        }
        true
    }

    /// Puts the caret before `byte`, or a little before it if that is inside of a character.
    pub fn go_to(&mut self, byte: usize) {
        self.area.cancel_selection();
        self.put_caret(byte);
    }

    /// Removes what is selected. Whether anything was.
    pub fn delete_selection(&mut self) -> bool {
        let has = self.selection().is_some();
        if has {
            self.area.cut();
        }
        self.area.cancel_selection();
        has
    }

    fn go(&mut self, motion: Motion) {
        match (self.selection(), motion) {
            (Some(selected), Motion::Left) => self.go_to(selected.start),
            (Some(selected), Motion::Right) => self.go_to(selected.end),
            _ => self.go_to(self.target(motion)),
        }
    }

    fn delete(&mut self, motion: Motion) {
        if self.delete_selection() {
            return;
        }
        let (caret, to) = (self.caret(), self.target(motion));
        let (start, end) = (caret.min(to), caret.max(to));
        let length = self.text()[start..end].chars().count();
        self.put_caret(start);
        self.area.delete_str(length);
    }

    fn target(&self, motion: Motion) -> usize {
        let from = Place { line: 0, byte: self.caret() };
        motion.target(&Line(self.text()), from, None, WIDTH).byte
    }

    fn put_caret(&mut self, byte: usize) {
        let characters = self.text().char_indices().take_while(|(at, c)| at + c.len_utf8() <= byte).count();
        self.area.move_cursor(CursorMove::Jump(0, u16::try_from(characters).unwrap_or(u16::MAX)));
    }

    fn byte(&self, column: usize) -> usize {
        let text = self.text();
        text.char_indices().nth(column).map_or(text.len(), |(at, _)| at)
    }
}

/// What a movement is for.
enum Use {
    Go,
    Select,
    Delete,
}

fn movement(action: Action) -> Option<(Motion, Use)> {
    Some(match action {
        Action::Left => (Motion::Left, Use::Go),
        Action::Right => (Motion::Right, Use::Go),
        Action::Home => (Motion::LineStart, Use::Go),
        Action::End => (Motion::LineEnd, Use::Go),
        Action::WordLeft => (Motion::WordLeft, Use::Go),
        Action::WordRight => (Motion::WordRight, Use::Go),
        Action::SelectLeft => (Motion::Left, Use::Select),
        Action::SelectRight => (Motion::Right, Use::Select),
        Action::SelectHome => (Motion::LineStart, Use::Select),
        Action::SelectEnd => (Motion::LineEnd, Use::Select),
        Action::SelectWordLeft => (Motion::WordLeft, Use::Select),
        Action::SelectWordRight => (Motion::WordRight, Use::Select),
        Action::DeleteLeft => (Motion::Left, Use::Delete),
        Action::DeleteRight => (Motion::Right, Use::Delete),
        Action::DeleteWord => (Motion::WordLeft, Use::Delete),
        Action::DeleteWordRight => (Motion::WordRight, Use::Delete),
        Action::DeleteToEnd => (Motion::LineEnd, Use::Delete),
        _ => return None,
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_to_one_line() {
        let mut field = Field::new("one two\nthree");
        field.insert(" x\r\ny");
        assert_eq!(field.text(), "one two x");
        assert!(field.act(Action::DeleteWord) && field.act(Action::Home) && !field.act(Action::Up));
        field.insert("\n");
        field.insert("a");
        assert_eq!((field.text(), field.caret()), ("aone two ", 1));
        field.insert(&"é".repeat(5000));
        assert_eq!(field.text().chars().count(), MOST);
    }

    #[test]
    fn a_field_goes_by_grapheme_and_selects() {
        let mut field = Field::new("a👨‍👩‍👧e\u{301}z");
        for action in [Action::Left, Action::DeleteLeft, Action::DeleteLeft] {
            assert!(field.act(action));
        }
        assert_eq!((field.text(), field.caret()), ("az", 1));
        assert!(field.act(Action::SelectHome));
        assert_eq!(field.selection(), Some(0..1));
        field.insert("日本");
        assert_eq!((field.text(), field.caret(), field.selection()), ("日本z", 6, None));
        assert!(field.act(Action::SelectAll) && field.act(Action::DeleteRight));
        assert_eq!(field.text(), "");
        assert!(field.act(Action::Undo));
        assert_eq!(field.text(), "日本z");
    }
}
