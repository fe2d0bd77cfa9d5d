//! A line to type into: the query of a menu, the answer to a question.
//!
//! An [`EditorBuffer`] that keeps to one line, so a field has every movement and deletion that a
//! text has.

use super::action::Action;
use super::editor::{EditorBuffer, Motion};
use crate::ui::wrap::Lines;

/// Wider than any line: a field is never wrapped.
const WIDTH: usize = 1 << 20;

/// One line of text under edit.
#[derive(Clone, Debug)]
pub struct Field {
    buffer: EditorBuffer,
}

impl Default for Field {
    fn default() -> Self {
        Self::new("")
    }
}

impl Field {
    /// A field that holds the first line of `text`, the caret at its end.
    pub fn new(text: &str) -> Self {
        let mut buffer = EditorBuffer::new(first_line(text));
        buffer.go(Motion::TextEnd, WIDTH);
        Self { buffer }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.buffer.line(0)
    }

    /// The byte that the caret is before.
    pub fn caret(&self) -> usize {
        self.buffer.caret().byte
    }

    /// Puts the first line of `text` at the caret.
    pub fn insert(&mut self, text: &str) {
        self.buffer.insert(first_line(text));
    }

    /// Moves or deletes, if that is what `action` is about. Whether it is.
    pub fn act(&mut self, action: Action) -> bool {
        let buffer = &mut self.buffer;
        match action {
            Action::Left => buffer.go(Motion::Left, WIDTH),
            Action::Right => buffer.go(Motion::Right, WIDTH),
            Action::Home => buffer.go(Motion::LineStart, WIDTH),
            Action::End => buffer.go(Motion::LineEnd, WIDTH),
            Action::WordLeft => buffer.go(Motion::WordLeft, WIDTH),
            Action::WordRight => buffer.go(Motion::WordRight, WIDTH),
            Action::DeleteLeft => buffer.delete(Motion::Left, WIDTH),
            Action::DeleteRight => buffer.delete(Motion::Right, WIDTH),
            Action::DeleteWord => buffer.delete(Motion::WordLeft, WIDTH),
            Action::DeleteWordRight => buffer.delete(Motion::WordRight, WIDTH),
            Action::DeleteToEnd => buffer.delete(Motion::LineEnd, WIDTH),
            Action::Undo => drop(buffer.undo()),
            Action::Redo => drop(buffer.redo()),
            _ => return false,
        }
        true
    }
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
    }
}
