//! Cases: texts that a grammar is to accept or to reject, and whether it does.
//!
//! A grammar's cases stand beside its file, in the folders `NAME.accept` and `NAME.reject`
//! ([`folder`]), in comments of the grammar itself ([`block`]), or in the `examples` of a JSON
//! Schema. Everything about them is bounded: how many there are, how long they are, and how long one
//! may take. This file must never change a file; [`block`] and [`folder`] say what a new case would
//! be, and somebody else writes it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::check::{Undecided, Verdict, check_text_while, describe, position};
use super::diagnostic::Position;
use super::explain::{self, Terminal};
use super::grammar::{Compiled, GrammarKind, GrammarSource, library};

pub mod block;
pub mod coverage;
pub mod folder;
pub mod near;
mod schema;

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
    /// What the grammar is to say.
    pub wants: Wants,
    /// The text.
    pub text: Arc<[u8]>,
    /// Where it stands.
    pub origin: Origin,
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
    /// In the text of the grammar.
    Block(block::Place),
    /// Among the `examples` of a JSON Schema, counted from 1.
    Example(usize),
}

/// What a grammar has for cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// The cases: files that it accepts, files that it rejects, blocks.
    pub list: Vec<Case>,
    /// What looks like a case and is none, or could not be read.
    pub problems: Vec<Problem>,
    /// The folders beside the grammar's file that are there.
    pub folders: Vec<PathBuf>,
    /// Files that were not read, as there is too much in those before them.
    unread: usize,
}

/// Something that looks like a case and is none, or could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file it is in; none if it is the grammar.
    pub file: Option<PathBuf>,
    /// The place in the text of the grammar.
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
    /// In the folders beside this file.
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
            Beside::File(path) => folder::read(path, &mut cases, go_on)?,
            Beside::Shipped => {
                let shipped = library::ALL.iter().find(|shipped| shipped.file == source.name);
                for (name, text) in shipped.map_or(&[][..], |shipped| shipped.cases()) {
                    folder::take(PathBuf::from(name), text, &mut cases);
                }
            }
        }
        match source.kind {
            GrammarKind::JsonSchema => schema::read(&source.text, &mut cases),
            _ => block::read(source, &mut cases),
        }
        cases.limit();
        Some(cases)
    }

    /// Runs them all. `None` if `go_on` said no.
    pub fn run(self, grammar: &Compiled, go_on: &mut dyn FnMut() -> bool) -> Option<Report> {
        let mut ran = Vec::with_capacity(self.list.len());
        for case in &self.list {
            if !go_on() {
                return None;
            }
            ran.push(run(grammar, case, go_on)?);
        }
        Some(Report { ran, problems: self.problems, folders: self.folders })
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
            let message = format!(
                "{left_out} cases are left out: a grammar has at most {MAX_CASES}, of {} MiB together",
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
    /// The folders beside the grammar's file that are there.
    pub folders: Vec<PathBuf>,
}

impl Report {
    /// The cases that fail.
    pub fn failures(&self) -> impl Iterator<Item = &Ran> {
        self.ran.iter().filter(|ran| !ran.passes())
    }

    /// The cases that are to be accepted and are.
    pub fn accepted(&self) -> Vec<&Case> {
        let is_accepted = |ran: &&Ran| ran.case.wants == Wants::Accept && ran.passes();
        self.ran.iter().filter(is_accepted).map(|ran| &ran.case).collect()
    }
}

/// A case that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The case.
    pub case: Case,
    /// What the grammar says to its text.
    pub verdict: Result<Verdict, Unsure>,
    /// What is wrong; nothing if the grammar says what it was to say.
    pub failure: Option<Failure>,
    /// Of a case that fails at a byte, or at its end: the terminals that may come there, as the person
    /// wrote them. None where they are not known.
    pub terminals: Vec<Terminal>,
    /// What the grammar says to the text, in a sentence without a full stop.
    pub sentence: String,
    /// How long that took.
    pub elapsed: Duration,
}

/// Why a grammar says nothing to a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsure {
    /// The text takes the grammar past llguidance's limits.
    #[error("{0}")]
    Limit(String),
    /// It takes too long.
    #[error("it takes longer than the limit of {} s", TIME_LIMIT.as_secs())]
    Time,
}

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was to be accepted, and is refused at this byte.
    Refused(usize),
    /// It was to be accepted, and ends too early.
    TooShort,
    /// It was to be rejected, and is accepted.
    Accepted,
    /// It is rejected, but not at the place where it was to be, but at this byte.
    Elsewhere(usize, At),
    /// The grammar says nothing to it.
    Unsure(Unsure),
}

impl Ran {
    /// A case with what the grammar says to its text. If it fails, `terminals` are those that may come
    /// at a byte of it.
    fn new(
        case: Case,
        verdict: Result<Verdict, Unsure>,
        elapsed: Duration,
        terminals: impl FnOnce(&Case, usize) -> Vec<Terminal>,
    ) -> Self {
        let (terminals_there, sentence) = (Vec::new(), String::new());
        let mut ran = Self { case, verdict, failure: None, terminals: terminals_there, sentence, elapsed };
        ran.failure = ran.wrong();
        if let (Some(_), Some(offset)) = (&ran.failure, ran.offset()) {
            ran.terminals = terminals(&ran.case, offset);
        }
        ran.sentence = ran.said();
        ran
    }

    fn wrong(&self) -> Option<Failure> {
        let verdict = match &self.verdict {
            Ok(verdict) => verdict,
            Err(unsure) => return Some(Failure::Unsure(unsure.clone())),
        };
        let length = self.case.text.len();
        let offset = match verdict {
            Verdict::Accepted => None,
            Verdict::Incomplete { .. } => Some(length),
            Verdict::Rejected(rejection) => Some(rejection.offset),
        };
        match (self.case.wants, offset) {
            (Wants::Accept, None) => None,
            (Wants::Accept, Some(offset)) if offset == length => Some(Failure::TooShort),
            (Wants::Accept, Some(offset)) => Some(Failure::Refused(offset)),
            (Wants::Reject(_), None) => Some(Failure::Accepted),
            (Wants::Reject(None), Some(_)) => None,
            (Wants::Reject(Some(at)), Some(offset)) => {
                // Only a text that goes no further is rejected at its end.
                (!at.is(&self.case.text, offset)).then_some(Failure::Elsewhere(offset, at))
            }
        }
    }

    /// Whether the grammar says what it was to say.
    pub fn passes(&self) -> bool {
        self.failure.is_none()
    }

    /// The byte of the text that the grammar does not allow, or its length if it ends too early.
    pub fn offset(&self) -> Option<usize> {
        match self.verdict.as_ref().ok()? {
            Verdict::Accepted => None,
            Verdict::Incomplete { .. } => Some(self.case.text.len()),
            Verdict::Rejected(rejection) => Some(rejection.offset),
        }
    }

    /// What the grammar wants at that byte, in words.
    pub fn expected(&self) -> Option<String> {
        match self.verdict.as_ref().ok()? {
            Verdict::Accepted => None,
            Verdict::Incomplete { expected } => Some(describe(expected)),
            Verdict::Rejected(rejection) => {
                let end = rejection.could_end && !rejection.expected.is_empty();
                Some(describe(&rejection.expected) + if end { ", or the end" } else { "" })
            }
        }
    }

    fn said(&self) -> String {
        let wants = || {
            let terminals = match &self.terminals[..] {
                [] => String::new(),
                terminals => format!(": {}", explain::listed(terminals)),
            };
            self.expected().map_or_else(String::new, |bytes| format!("; it wants {bytes}{terminals}"))
        };
        match &self.failure {
            Some(Failure::Refused(byte)) => format!("the grammar does not allow byte {byte}{}", wants()),
            Some(Failure::TooShort) => format!("the grammar wants more after the end{}", wants()),
            Some(Failure::Accepted) => "the grammar accepts it".to_owned(),
            Some(Failure::Elsewhere(byte, at)) => {
                let place = match *byte == self.case.text.len() {
                    true => "its end".to_owned(),
                    false => position_name(&self.case.text, *byte),
                };
                format!("it is rejected at {place} and not at {at}{}", wants())
            }
            Some(Failure::Unsure(unsure)) => format!("cannot tell: {unsure}"),
            None => match self.offset() {
                None => "accepted".to_owned(),
                Some(byte) if byte == self.case.text.len() => format!("rejected at its end{}", wants()),
                Some(byte) => format!("rejected at {}{}", position_name(&self.case.text, byte), wants()),
            },
        }
    }

    /// The stable name of what is wrong, for programs.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self.failure.as_ref()? {
            Failure::Refused(_) => "not-accepted",
            Failure::TooShort => "too-short",
            Failure::Accepted => "not-rejected",
            Failure::Elsewhere(..) => "rejected-elsewhere",
            Failure::Unsure(_) => "undecided",
        })
    }
}

fn position_name(text: &[u8], offset: usize) -> String {
    let Position { line, column } = position(text, offset);
    format!("{line}:{column}")
}

/// Runs one case. `None` if `go_on` said no before it was decided.
pub fn run(grammar: &Compiled, case: &Case, go_on: &mut dyn FnMut() -> bool) -> Option<Ran> {
    let begun = Instant::now();
    let mut is_late = false;
    let verdict = check_text_while(grammar, &case.text, &mut || {
        is_late = begun.elapsed() > TIME_LIMIT;
        !is_late && go_on()
    });
    let verdict = match verdict {
        Ok(verdict) => Ok(verdict),
        Err(Undecided::Limit(stop)) => Err(Unsure::Limit(stop.message)),
        Err(Undecided::Stopped) if is_late => Err(Unsure::Time),
        Err(Undecided::Stopped) => return None,
    };
    let named = |case: &Case, offset: usize| terminals(grammar, &case.text[..offset], go_on);
    Some(Ran::new(case.clone(), verdict, begun.elapsed(), named))
}

/// Bytes that are followed between two questions whether to go on.
const PART: usize = 4096;

/// The terminals that may come after a text, as the person wrote them. None where the shadow parser
/// cannot follow, or `go_on` said no: then nobody waits for them.
fn terminals(grammar: &Compiled, text: &[u8], go_on: &mut dyn FnMut() -> bool) -> Vec<Terminal> {
    let Ok(mut shadow) = grammar.shadow() else { return Vec::new() };
    let follows = |part: &[u8]| go_on() && shadow.feed(part) == part.len();
    if !text.chunks(PART).all(follows) {
        return Vec::new();
    }
    shadow.place().expected.iter().map(Terminal::from).collect()
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

    fn ran(text: &str, wants: Wants, verdict: Verdict) -> Ran {
        let case =
            Case { name: "x".into(), wants, text: text.as_bytes().into(), origin: Origin::File("x".into()) };
        Ran::new(case, Ok(verdict), Duration::ZERO, |_, _| Vec::new())
    }

    #[test]
    fn a_case_fails_for_the_reason_that_it_fails_for() {
        let incomplete = || Verdict::Incomplete { expected: b")".to_vec() };
        let rejected = |offset| {
            Verdict::Rejected(super::super::check::Rejection {
                offset,
                position: position(b"(1+\n*", offset),
                expected: b"01".to_vec(),
                could_end: true,
            })
        };
        let text = "(1+\n*";
        let reject = |at: &str| Wants::Reject(At::parse(at));
        let failure = |wants, verdict| ran(text, wants, verdict).failure;
        assert_eq!(failure(Wants::Accept, Verdict::Accepted), None);
        assert_eq!(failure(Wants::Accept, incomplete()), Some(Failure::TooShort));
        assert_eq!(failure(Wants::Accept, rejected(4)), Some(Failure::Refused(4)));
        assert_eq!(failure(Wants::Reject(None), Verdict::Accepted), Some(Failure::Accepted));
        assert_eq!(failure(Wants::Reject(None), incomplete()), None);
        for at in ["4", "2:1"] {
            assert_eq!(failure(reject(at), rejected(4)), None);
            assert!(failure(reject(at), incomplete()).is_some());
        }
        for at in ["end", "5", "2:2"] {
            assert_eq!(failure(reject(at), incomplete()), None);
            assert!(failure(reject(at), rejected(4)).is_some());
        }
        assert_eq!(
            ran(text, reject("1:2"), rejected(4)).sentence,
            "it is rejected at 2:1 and not at 1:2; it wants `0` or `1`, or the end"
        );
        assert_eq!(
            ran(text, Wants::Accept, incomplete()).sentence,
            "the grammar wants more after the end; it wants `)`"
        );
    }
}
