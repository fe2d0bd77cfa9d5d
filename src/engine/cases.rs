//! Cases: texts that a grammar is to accept or to reject, and whether it does.
//!
//! A grammar's cases stand beside its file, in the file `NAME.cases` ([`list`]) or in the folders
//! `NAME.accept` and `NAME.reject` ([`folder`]), in comments of the grammar itself ([`block`]), or in
//! the `examples` of a JSON Schema. Everything about them is bounded: how many there are, how long they
//! are, and how long one may take. This file must never change a file; [`block`], [`list`] and
//! [`folder`] say what a new case would be, and somebody else writes it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::check::position;
use super::diagnostic::Position;
use super::grammar::{GrammarKind, GrammarSource, library};

pub mod block;
pub mod coverage;
mod entries;
pub mod folder;
mod lines;
pub mod list;
pub mod near;
mod ran;
mod schema;

pub use entries::Entries;
pub use lines::{New, Place};
pub use ran::{Failure, Ran, Unsure, run};

/// Most cases of a grammar.
pub const MAX_CASES: usize = 500;

/// The longest text of a case, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Most bytes of all cases of a grammar together.
pub const MAX_BYTES_TOGETHER: usize = 8 << 20;

/// How long one case may take. A text of the longest kind takes a third of a second.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);

/// A text and what a grammar is to say to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is called: its file's name, or what its block says.
    pub name: String,
    /// The entry point that it is for; none if it is for the grammar's own start.
    pub entry: Option<String>,
    /// What the grammar is to say.
    pub wants: Wants,
    /// The text.
    pub text: Arc<[u8]>,
    /// Where it stands.
    pub origin: Origin,
}

impl Case {
    /// Whether it is for what a grammar begins with as it is, whose [`entry`](GrammarSource::entry) is `start`.
    pub fn is_of(&self, start: Option<&str>) -> bool {
        self.entry.is_none() || self.entry.as_deref() == start
    }

    /// What is wrong with it, where it stands; `source` is the text of the grammar.
    fn problem(&self, source: &GrammarSource, message: String) -> Problem {
        let (file, text, start) = match &self.origin {
            Origin::Listed(file, place) => (Some(file.path.clone()), &*file.text, place.span.start),
            Origin::Block(place) => (None, &*source.text, place.span.start),
            Origin::File(path) => return Problem { file: Some(path.clone()), position: None, message },
            Origin::Example(_) => return Problem { file: None, position: None, message },
        };
        Problem { file, position: Some(position(text.as_bytes(), start)), message }
    }
}

/// What a grammar is to say to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// That it is complete.
    Accept,
    /// That it is not, and, if that is said, from where on.
    Reject(Option<At>),
}

/// The place where a text is to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// At this byte, counted from 0.
    Byte(usize),
    /// At this line and column.
    Position(Position),
    /// At its end: it is the beginning of a text that the grammar accepts.
    End,
}

impl At {
    /// Reads `end`, a byte such as `12`, or a line and a column such as `1:5` or `1-5`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| text.parse::<usize>().ok()).flatten()
        };
        if text == "end" {
            return Some(Self::End);
        }
        match text.split_once([':', '-']) {
            None => Some(Self::Byte(number(text)?)),
            Some((line, column)) => {
                let (line, column) = (number(line)?, number(column)?);
                (line > 0 && column > 0).then_some(Self::Position(Position { line, column }))
            }
        }
    }

    /// Whether it is the byte `offset` of `text`, which is its length if the text ends too early.
    fn is(self, text: &[u8], offset: usize) -> bool {
        match self {
            Self::Byte(byte) => byte == offset,
            Self::Position(wanted) => wanted == position(text, offset),
            Self::End => offset == text.len(),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(byte) => write!(f, "byte {byte}"),
            Self::Position(Position { line, column }) => write!(f, "{line}:{column}"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// Where a case stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a file of its own.
    File(PathBuf),
    /// In the file of cases.
    Listed(Arc<list::ListFile>, Place),
    /// In the text of the grammar.
    Block(Place),
    /// Among the `examples` of a JSON Schema, counted from 1.
    Example(usize),
}

/// What a grammar has for cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// The cases: those of the file of cases, files that it accepts, files that it rejects, blocks. Those
    /// of other entry points come after all of the grammar's own start.
    pub list: Vec<Case>,
    /// What looks like a case and is none, or could not be read.
    pub problems: Vec<Problem>,
    /// The file of cases beside the grammar's, if it is there.
    pub file: Option<PathBuf>,
    /// The folders beside the grammar's file that are there.
    pub folders: Vec<PathBuf>,
    /// Files that were not read, as those before them are too many or too long.
    unread: usize,
}

/// Something that looks like a case and is none, or could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file it is in; none if it is the grammar.
    pub file: Option<PathBuf>,
    /// The place in the text of the grammar, or of the file.
    pub position: Option<Position>,
    /// What is wrong and what to do.
    pub message: String,
}

/// Where the cases of a grammar are looked for besides its own text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Beside {
    /// Nowhere.
    #[default]
    Nothing,
    /// In the file and the folders beside this file.
    File(PathBuf),
    /// Among those that come with the program, by the grammar's name.
    Shipped,
}

impl Cases {
    /// Every case of a grammar.
    pub fn of(source: &GrammarSource, beside: &Beside) -> Self {
        Self::of_while(source, beside, &mut || true).unwrap_or_default()
    }

    /// Every case of a grammar. `None` if `go_on`, which is asked between files, said no.
    pub fn of_while(
        source: &GrammarSource,
        beside: &Beside,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Self> {
        let mut cases = Self::default();
        match beside {
            Beside::Nothing => {}
            Beside::File(path) => {
                list::read(path, &mut cases);
                folder::read(path, &mut cases, go_on)?;
            }
            Beside::Shipped => {
                if let Some(shipped) = library::ALL.iter().find(|shipped| shipped.file == source.name) {
                    list::take(list::beside(Path::new(shipped.file)), shipped.cases.to_owned(), &mut cases);
                }
            }
        }
        match source.kind {
            GrammarKind::JsonSchema => schema::read(&source.text, &mut cases),
            _ => block::read(source, &mut cases),
        }
        let start = source.entry();
        cases.list.sort_by_key(|case| !case.is_of(start));
        cases.limit();
        Some(cases)
    }

    /// Those of the grammar's own start, with all that is wrong, and those of other entry points.
    #[must_use]
    pub fn apart(mut self, source: &GrammarSource) -> (Self, Self) {
        let start = source.entry();
        let at = self.list.partition_point(|case| case.is_of(start));
        let others = Self { list: self.list.split_off(at), ..Self::default() };
        (self, others)
    }

    /// Runs them all. `None` if `go_on` said no.
    ///
    /// A case of an entry point that the grammar does not have, or with which it does not compile, is
    /// not run: that is told among the problems.
    pub fn run(self, grammars: &mut Entries<'_>, go_on: &mut dyn FnMut() -> bool) -> Option<Report> {
        let (mut ran, mut problems) = (Vec::with_capacity(self.list.len()), self.problems);
        let source = grammars.source();
        for case in self.list {
            if !go_on() {
                return None;
            }
            match grammars.of(case.entry.as_deref()) {
                Ok(grammar) => ran.push(run(grammar, case, go_on)?),
                Err(reason) => problems.push(case.problem(source, reason.to_owned())),
            }
        }
        Some(Report { ran, problems, file: self.file, folders: self.folders, waiting: 0 })
    }

    fn limit(&mut self) {
        let mut bytes = 0;
        let fit = self.list.iter().take(MAX_CASES).take_while(|case| {
            bytes += case.text.len();
            bytes <= MAX_BYTES_TOGETHER
        });
        let fit = fit.count();
        let left_out = self.list.len() - fit + self.unread;
        if left_out > 0 {
            let are = if left_out == 1 { "case is" } else { "cases are" };
            let message = format!(
                "{left_out} {are} left out: a grammar has at most {MAX_CASES}, of {} MiB together",
                MAX_BYTES_TOGETHER >> 20
            );
            self.problems.push(Problem { file: None, position: None, message });
            self.list.truncate(fit);
        }
    }
}

/// What came of the cases of a grammar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The cases.
    pub ran: Vec<Ran>,
    /// What looks like a case and is none, or could not be read.
    pub problems: Vec<Problem>,
    /// The file of cases beside the grammar's, if it is there.
    pub file: Option<PathBuf>,
    /// The folders beside the grammar's file that are there.
    pub folders: Vec<PathBuf>,
    /// How many more cases, of other entry points, are still to run.
    pub waiting: usize,
}

impl Report {
    /// With what came of more cases.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.ran.extend(more.ran);
        self.problems.extend(more.problems);
        Self { waiting: more.waiting, ..self }
    }

    /// The cases that fail.
    pub fn failures(&self) -> impl Iterator<Item = &Ran> {
        self.ran.iter().filter(|ran| !ran.passes())
    }

    /// The cases of an entry point, or of the grammar's own start, that are to be accepted and are.
    pub fn accepted(&self, entry: Option<&str>) -> Vec<&Case> {
        self.accepted_of(|case| case.entry.as_deref() == entry)
    }

    /// The cases of what the grammar begins with as it is, also by its name, that are to be accepted and are.
    pub fn accepted_at_start(&self, source: &GrammarSource) -> Vec<&Case> {
        let start = source.entry();
        self.accepted_of(|case| case.is_of(start))
    }

    fn accepted_of(&self, is_wanted: impl Fn(&Case) -> bool) -> Vec<&Case> {
        let cases = self.ran.iter().filter(|ran| ran.passes()).map(|ran| &ran.case);
        cases.filter(|case| case.wants == Wants::Accept && is_wanted(case)).collect()
    }

    /// The entry points that cases were run for, besides the grammar's own start.
    pub fn entries(&self) -> BTreeSet<&str> {
        self.ran.iter().filter_map(|ran| ran.case.entry.as_deref()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_strictly() {
        let position = |line, column| Some(At::Position(Position { line, column }));
        assert_eq!(At::parse("end"), Some(At::End));
        assert_eq!(At::parse("12"), Some(At::Byte(12)));
        assert_eq!((At::parse("1:5"), At::parse("2-13")), (position(1, 5), position(2, 13)));
        for bad in ["", "End", "1:", ":1", "0:1", "1:0", "+1", "1:2:3", "-1", "99999999999999999999", "1.5"] {
            assert_eq!(At::parse(bad), None, "{bad}");
        }
    }
}
