//! A question that is answered in one line: the number of a line, the name of a file.

use super::field::Field;

/// An open question.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    /// The answer so far.
    pub answer: Field,
    /// What is wrong with the last answer.
    pub error: Option<String>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The number of a line to go to.
    Line,
    /// Another name for the open session.
    SessionName,
}

impl Ask {
    /// The title of the overlay.
    pub fn title(self) -> &'static str {
        match self {
            Self::Line => "Go to line",
            Self::SessionName => "Rename the session",
        }
    }
}

impl Question {
    /// A question with an answer to begin with.
    pub fn new(ask: Ask, answer: &str) -> Self {
        Self { ask, answer: Field::new(answer), error: None }
    }
}
