//! Questions: those that are answered in one line (the number of a line, the name of a file), and
//! those that are answered by one letter (whether something is to be lost).

use std::path::PathBuf;

use super::field::Field;
use super::menu::Pick;
use crate::engine::export::Format;

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
    /// A command of vi.
    Command,
    /// The name of a file for the grammar.
    SaveAs,
    /// Another name for the open session.
    SessionName,
    /// The name of a file for the run.
    Export(Format),
}

impl Ask {
    /// The title of the overlay.
    pub fn title(self) -> &'static str {
        match self {
            Self::Line => "Go to line",
            Self::Command => "Command",
            Self::SessionName => "Rename the session",
            Self::Export(Format::Html) => "Write the page to",
            Self::Export(Format::Json) => "Write the trace to",
            Self::Export(Format::Text) => "Write the text to",
            Self::SaveAs => "Save the grammar as",
        }
    }

    /// What may be answered.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Line => "a number, or line:column",
            Self::Command => "w saves, q quits, wq does both, e opens; or the number of a line",
            Self::SessionName => "its runs and its grammar stay with it",
            Self::Export(_) => "a file; Tab completes its name",
            Self::SaveAs => "a .lark, .gbnf, .json or .regex file; Tab completes its name",
        }
    }

    /// Whether the answer is short.
    pub fn is_short(self) -> bool {
        self == Self::Line
    }
}

/// A question that is answered by one letter; Esc leaves everything as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Confirm {
    /// The grammar has changes that are not saved, and this puts another in its place.
    SaveFirst(Pick),
    /// The file is there already.
    Exists(PathBuf),
    /// The file has changed since it was read.
    Changed(PathBuf),
    /// The file that the run is to be written to is there already.
    ReplaceRun(Format, PathBuf),
}

impl Confirm {
    /// The title of the overlay.
    pub fn title(&self) -> &'static str {
        match self {
            Self::SaveFirst(_) => "Not saved",
            Self::Exists(_) | Self::ReplaceRun(..) => "There is such a file",
            Self::Changed(_) => "Changed meanwhile",
        }
    }

    /// What is asked about the grammar of this name.
    pub fn text(&self, name: &str) -> String {
        match self {
            Self::SaveFirst(_) => format!("Save the changes to {name}?"),
            Self::Exists(path) => {
                format!("{} is there already. Put the grammar in its place?", path.display())
            }
            Self::ReplaceRun(_, path) => {
                format!("{} is there already. Replace it with the run?", path.display())
            }
            Self::Changed(path) => {
                format!("{} has been changed by another program. Overwrite these changes?", path.display())
            }
        }
    }

    /// The letters, and what they do.
    pub fn answers(&self) -> [(char, &'static str); 2] {
        match self {
            Self::SaveFirst(_) => [('y', "save"), ('n', "lose them")],
            Self::Exists(_) | Self::ReplaceRun(..) => [('y', "overwrite"), ('n', "another name")],
            Self::Changed(_) => [('y', "overwrite"), ('n', "save as another")],
        }
    }
}

impl Question {
    /// A question with an answer to begin with.
    pub fn new(ask: Ask, answer: &str) -> Self {
        Self { ask, answer: Field::new(answer), error: None }
    }
}
