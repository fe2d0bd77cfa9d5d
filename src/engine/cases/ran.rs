//! Running one case: what the grammar says to its text, and whether it was to say that.
//!
//! A case that fails says at which byte and what could have come there. This file must never know where
//! a case stands.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::{At, Case, TIME_LIMIT, Wants};
use crate::engine::check::{Undecided, Verdict, check_text_while, describe, position};
use crate::engine::diagnostic::Position;
use crate::engine::explain::{self, Terminal};
use crate::engine::grammar::Compiled;

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
        begun: Instant,
        terminals: impl FnOnce(&Case, usize) -> Vec<Terminal>,
    ) -> Self {
        let (terminals_there, sentence) = (Vec::new(), String::new());
        let elapsed = Duration::ZERO;
        let mut ran = Self { case, verdict, failure: None, terminals: terminals_there, sentence, elapsed };
        ran.failure = ran.wrong();
        if let (Some(_), Some(offset)) = (&ran.failure, ran.offset()) {
            ran.terminals = terminals(&ran.case, offset);
        }
        ran.sentence = ran.said();
        ran.elapsed = begun.elapsed();
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
        match (&self.case.entry, &self.failure) {
            (Some(entry), Some(_)) => format!("as {entry}, {}", self.said_of_the_text()),
            _ => self.said_of_the_text(),
        }
    }

    fn said_of_the_text(&self) -> String {
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
pub fn run(grammar: &Compiled, case: Case, go_on: &mut dyn FnMut() -> bool) -> Option<Ran> {
    let begun = Instant::now();
    run_until(grammar, case, begun, &mut || begun.elapsed() > TIME_LIMIT, go_on)
}

/// The same, with who says whether the case's time is over.
fn run_until(
    grammar: &Compiled,
    case: Case,
    begun: Instant,
    is_over: &mut dyn FnMut() -> bool,
    go_on: &mut dyn FnMut() -> bool,
) -> Option<Ran> {
    let is_late = Cell::new(false);
    let mut in_time = || {
        is_late.set(is_late.get() || is_over());
        !is_late.get() && go_on()
    };
    let verdict = check_text_while(grammar, &case.text, &mut in_time);
    let named = |case: &Case, offset: usize| terminals(grammar, &case.text[..offset], &mut in_time);
    let verdict = match verdict {
        Ok(verdict) => Ok(verdict),
        Err(Undecided::Limit(stop)) => Err(Unsure::Limit(stop.message)),
        Err(Undecided::Stopped) if is_late.get() => Err(Unsure::Time),
        Err(Undecided::Stopped) => return None,
    };
    Some(Ran::new(case, verdict, begun, named))
}

/// Bytes that are followed between two questions whether to go on.
const PART: usize = 256;

/// The terminals that may come after a text, as the person wrote them. None where the shadow parser
/// cannot follow, the case's time is over, or `go_on` said no: then nobody waits for them.
fn terminals(grammar: &Compiled, text: &[u8], go_on: &mut dyn FnMut() -> bool) -> Vec<Terminal> {
    if !go_on() {
        return Vec::new();
    }
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
    use crate::engine::GrammarSource;
    use crate::engine::cases::Origin;
    use crate::engine::check::Rejection;
    use crate::engine::grammar::Compiler;
    use crate::engine::model::tokenizer::synthetic;

    fn ran(text: &str, wants: Wants, verdict: Verdict) -> Ran {
        let case = Case {
            name: "x".into(),
            entry: None,
            wants,
            text: text.as_bytes().into(),
            origin: Origin::File("x".into()),
        };
        Ran::new(case, Ok(verdict), Instant::now(), |_, _| Vec::new())
    }

    #[test]
    fn the_time_of_a_case_is_that_of_its_terminals_too() {
        let compiler = Compiler::new(&synthetic(1000).expect("words")).expect("a compiler");
        let source = GrammarSource::lark("g", "start: (A | B)+ \".\"\nA: \"a\"\nB: \"b\"");
        let grammar = compiler.compile(&source).0.expect("it compiles");
        let case = Case {
            name: "x".into(),
            entry: None,
            wants: Wants::Accept,
            text: "ab".repeat(500).into_bytes().into(),
            origin: Origin::File("x".into()),
        };
        let until = |most: usize| {
            let mut asked = 0;
            let mut is_over = || {
                asked += 1;
                asked > most
            };
            let ran = run_until(&grammar, case.clone(), Instant::now(), &mut is_over, &mut || true);
            (ran.expect("nobody stops it"), asked)
        };
        let (whole, asked) = until(usize::MAX);
        assert_eq!((whole.failure.clone(), whole.terminals.len()), (Some(Failure::TooShort), 3));
        let (cut, _) = until(asked - 1);
        assert_eq!((cut.verdict, cut.terminals.len()), (whole.verdict, 0));
        assert_eq!(until(0).0.verdict, Err(Unsure::Time));
    }

    #[test]
    fn a_case_fails_for_the_reason_that_it_fails_for() {
        let incomplete = || Verdict::Incomplete { expected: b")".to_vec() };
        let rejected = |offset| {
            Verdict::Rejected(Rejection {
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
