//! The smallest grammar and text with the same reason.
//!
//! A text that a grammar refuses is often long, and the grammar longer. What does not matter is taken
//! out, of the text character by character and of the grammar [part](super::grammar) by part, as long
//! as what is left compiles and refuses for the same reason: of the same kind, at the same byte, with
//! the same bytes expected ([`Mark`](super::explain::Mark)). At the end no part and no byte can be
//! taken out alone, unless time ran out; `tests/commands/minimal.rs` finds that out by itself.

use std::ops::ControlFlow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::diagnostic::characters;
use super::explain::{Case, Explainer};
use super::grammar::{self, Compiled, Compiler, GrammarSource, NotCompiled};
use super::vocabulary::Vocabulary;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The grammar that is left.
    pub grammar: GrammarSource,
    /// The text that is left, and its reason.
    pub case: Case,
    /// How many smaller ones were tried.
    pub tried: usize,
    /// Whether nothing more can be taken out; else there was no time to find out.
    pub is_smallest: bool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many smaller ones were tried.
    pub tried: usize,
    /// Bytes of the grammar.
    pub grammar: usize,
    /// Bytes of the text.
    pub text: usize,
}

/// Shrinks `grammar` and `text` until `until`, or until `progress` breaks; `compiler` is for smaller
/// grammars. `None` if the grammar accepts the text.
pub fn shrink(
    compiler: &Compiler,
    vocabulary: &Arc<Vocabulary>,
    grammar: Arc<Compiled>,
    text: &[u8],
    until: Instant,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Option<Shrunk> {
    let case = Explainer::unnamed(grammar.clone(), vocabulary.clone()).case(text)?;
    let mut work = Work {
        compiler,
        vocabulary,
        grammar: grammar.source().clone(),
        compiled: grammar,
        case,
        until,
        progress,
        tried: 0,
        stopped: false,
        untried: false,
    };
    work.run();
    let Work { grammar, case, tried, stopped, untried, .. } = work;
    Some(Shrunk { grammar, case, tried, is_smallest: !stopped && !untried })
}

/// Up to so many characters, every piece of a text is tried.
const WINDOWS: usize = 64;

struct Work<'a> {
    compiler: &'a Compiler,
    vocabulary: &'a Arc<Vocabulary>,
    grammar: GrammarSource,
    compiled: Arc<Compiled>,
    case: Case,
    until: Instant,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    tried: usize,
    stopped: bool,
    /// Whether a smaller grammar of this round could not be compiled in time.
    untried: bool,
}

impl Work<'_> {
    fn run(&mut self) {
        loop {
            self.untried = false;
            let before = (self.grammar.text.len(), self.case.text.len());
            self.shrink_text();
            let lists = grammar::parts(self.grammar.kind, &self.grammar.text).len();
            for list in 0..lists {
                self.shrink_grammar(list);
            }
            if self.stopped {
                self.tidy();
                break;
            }
            // What is tidied up may let more be taken out.
            let is_same = before == (self.grammar.text.len(), self.case.text.len());
            if is_same && !self.shrink_windows() && !self.tidy() {
                break;
            }
        }
    }

    /// Whether to go on; counts a try.
    fn goes_on(&mut self) -> bool {
        let (grammar, text) = (self.grammar.text.len(), self.case.text.len());
        let told = (self.progress)(Progress { tried: self.tried, grammar, text });
        self.stopped |= told.is_break() || Instant::now() >= self.until;
        self.tried += usize::from(!self.stopped);
        !self.stopped
    }

    /// Takes any piece out of a text that is short already: what belongs together, such as a pair of
    /// brackets, goes together or not at all. Says whether one could go.
    fn shrink_windows(&mut self) -> bool {
        let characters: Vec<Range<usize>> = characters(&self.case.text[..self.case.at]).collect();
        if characters.len() > WINDOWS {
            return false;
        }
        for length in (2..=characters.len()).rev() {
            for window in characters.windows(length) {
                let (Some(first), Some(last)) = (window.first(), window.last()) else { continue };
                let text = without(&self.case.text, std::iter::once(first.start..last.end).collect());
                let compiled = self.compiled.clone();
                if !self.goes_on() {
                    return false;
                }
                if self.try_text(&compiled, &text) {
                    return true;
                }
            }
        }
        false
    }

    fn shrink_text(&mut self) {
        take_out(
            self,
            |work| characters(&work.case.text[..work.case.at]).map(|range| vec![range]).collect(),
            |work, ranges| {
                let text = without(&work.case.text, ranges);
                let compiled = work.compiled.clone();
                work.try_text(&compiled, &text)
            },
        );
    }

    /// Takes `text` if `compiled` refuses it for the same reason.
    fn try_text(&mut self, compiled: &Arc<Compiled>, text: &[u8]) -> bool {
        let found = Explainer::unnamed(compiled.clone(), self.vocabulary.clone()).case(text);
        match found.filter(|case| case.mark == self.case.mark) {
            Some(case) => {
                self.case = case;
                true
            }
            None => false,
        }
    }

    fn shrink_grammar(&mut self, list: usize) {
        take_out(
            self,
            |work| {
                grammar::parts(work.grammar.kind, &work.grammar.text)
                    .into_iter()
                    .nth(list)
                    .unwrap_or_default()
            },
            |work, ranges| {
                let text = without(work.grammar.text.as_bytes(), ranges);
                String::from_utf8(text).is_ok_and(|text| work.try_grammar(text))
            },
        );
    }

    /// Takes the grammar `text` if it refuses the case for the same reason.
    fn try_grammar(&mut self, text: String) -> bool {
        let source = GrammarSource { text, ..self.grammar.clone() };
        let compiled = match self.compiler.try_compile(&source) {
            Ok(compiled) => Arc::new(compiled),
            Err(why) => {
                self.untried |= why == NotCompiled::Unknown;
                return false;
            }
        };
        let case = self.case.text.clone();
        if !self.try_text(&compiled, &case) {
            return false;
        }
        (self.grammar, self.compiled) = (source, compiled);
        true
    }

    /// Leaves out the white space that nothing needs. Says whether there was any.
    fn tidy(&mut self) -> bool {
        let lines: Vec<&str> =
            self.grammar.text.lines().map(str::trim_end).filter(|l| !l.trim().is_empty()).collect();
        let mut text = lines.join("\n");
        while text.contains("  ") && self.grammar.kind != super::GrammarKind::Regex {
            let shorter = text.replace("  ", " ");
            let source = GrammarSource { text: shorter.clone(), ..self.grammar.clone() };
            if self.compiler.try_compile(&source).is_err() {
                break;
            }
            text = shorter;
        }
        text.push('\n');
        let is_shorter = text.len() < self.grammar.text.len();
        self.try_grammar(text) && is_shorter
    }
}

/// Takes out parts in runs, long ones first, until no single one can be.
fn take_out(
    work: &mut Work<'_>,
    parts: impl Fn(&Work<'_>) -> Vec<Vec<Range<usize>>>,
    mut try_without: impl FnMut(&mut Work<'_>, Vec<Range<usize>>) -> bool,
) {
    let mut found = parts(work);
    let mut run = found.len();
    while run > 0 {
        let (mut at, mut any) = (0, false);
        while at < found.len() {
            if !work.goes_on() {
                return;
            }
            let together = found[at..(at + run).min(found.len())].concat();
            if try_without(work, together) {
                any = true;
                found = parts(work);
            } else {
                at += run;
            }
        }
        if run > 1 || !any {
            run /= 2;
        }
    }
}

/// `text` without the ranges, which may overlap.
fn without(text: &[u8], mut ranges: Vec<Range<usize>>) -> Vec<u8> {
    ranges.sort_by_key(|range| range.start);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        out.extend_from_slice(text.get(at..range.start).unwrap_or_default());
        at = at.max(range.end);
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}
