//! The part of a text that an operator is about.

use crate::app::register::Register;
use crate::ui::wrap::Place;

use super::super::{EditorBuffer, lines};

/// What an operator is about.
#[derive(Clone, Copy)]
pub enum Part {
    /// From one place to before another.
    Characters(Place, Place),
    /// From one line to another, both whole.
    Lines(usize, usize),
}

impl Part {
    /// Its first and its last line.
    pub fn lines(self) -> (usize, usize) {
        match self {
            Self::Characters(start, end) => (start.line, end.line),
            Self::Lines(first, last) => (first, last),
        }
    }

    /// It, as it is put elsewhere.
    pub fn text(self, buffer: &EditorBuffer) -> Register {
        match self {
            Self::Characters(start, end) => Register { text: buffer.slice(start, end), is_lines: false },
            Self::Lines(first, last) => {
                Register { text: lines::text_of_lines(buffer, first, last), is_lines: true }
            }
        }
    }
}
