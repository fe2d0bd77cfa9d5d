//! A second parser beside llguidance's, which remembers what llguidance forgets: the names of
//! rules, the places of terminals in the person's text, and how the text so far was read.
//!
//! llguidance decides what is allowed and says nothing about why. A [`Shadow`] follows the same
//! text, byte by byte, over the same grammar and the same automaton of terminals, and accepts
//! exactly what llguidance's byte parser accepts: `tests/shadow.rs` holds the two to each other at
//! every byte. It answers where in the grammar a text stands ([`Shadow::place`]), how it was read
//! ([`Shadow::tree`]) and how it could end soonest ([`Shadow::nearest_end`]).
//!
//! It must never decide what a model may generate: masks are the constraint's. What it cannot follow it
//! says ([`CannotFollow`], [`Limit`]) and does not guess.
//!
//! Where a text can be read in several ways, all of them are followed. The one that is shown is the
//! one found first: the reading that completes the innermost rule, then the alternative that stands
//! first in the grammar. So the answers are the same every time.
//!
//! ```
//! use maze::engine::grammar::{Compiler, GrammarSource};
//! use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
//!
//! let words = (0..=255).map(|byte| vec![byte]).chain([b"<eos>".to_vec()]).collect();
//! let vocabulary = Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![256] })?;
//! let grammar = GrammarSource::lark("call", "start: call\ncall: NAME \"(\" (NAME (\",\" NAME)*)? \")\"\nNAME: /[a-z]+/");
//! let compiler = Compiler::new(&vocabulary)?;
//! let (compiled, _) = compiler.compile(&grammar);
//! let mut shadow = compiled.ok_or("a grammar that compiles")?.shadow()?;
//!
//! assert_eq!(shadow.feed(b"f(x;"), 3);
//! let place = shadow.place();
//! let path: Vec<&str> = place.path.iter().map(|c| &*c.rule).collect();
//! assert_eq!(path, ["start", "call"]);
//! let expected: Vec<&str> = place.expected.iter().map(|e| &*e.terminal.name).collect();
//! assert_eq!(expected, ["NAME", "\")\"", "\",\""]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::chart::{Chart, Made, TooLarge};
use self::lexer::{DEAD, Lexer, State, Step};
use self::names::Names;
use self::rules::Rules;
use self::yields::Yields;
use super::trace::{Step as RunStep, TokenId};

mod answer;
mod build;
mod chart;
mod finish;
mod lexer;
mod names;
mod place;
mod predict;
mod rules;
mod schema;
mod set;
mod tree;
mod yields;

pub(super) use self::build::{Origin, build};
pub use self::finish::NearestEnd;
pub use self::place::{CannotFollow, Crumb, Expected, Limit, Place, Spot, Standing, Terminal, TerminalKind};
pub use self::set::ByteSet;
pub use self::tree::{Node, NodeKind, Tree, Used};

/// What all forks of a shadow parser share.
struct Shared {
    rules: Rules,
    names: Names,
    /// Locked before [`Shared::yields`] where both are.
    lexer: Mutex<Lexer>,
    yields: Mutex<Yields>,
}

impl Shared {
    /// The automaton, for one question. A fork that panicked has left it whole: each of its steps is
    /// complete or not taken.
    fn lexer(&self) -> MutexGuard<'_, Lexer> {
        let mut lexer = self.lexer.lock().unwrap_or_else(PoisonError::into_inner);
        lexer.clear_limit();
        lexer
    }

    /// The shortest texts that are known.
    fn yields(&self) -> MutexGuard<'_, Yields> {
        self.yields.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a byte has led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stop {
    row: u32,
    state: State,
}

/// A text under way in a grammar, with names and places. See the [module](self).
#[derive(Clone)]
pub struct Shadow {
    shared: Arc<Shared>,
    chart: Chart,
    /// One before the text, and one after each of its bytes.
    stops: Vec<Stop>,
    text: Vec<u8>,
    limit: Option<Limit>,
}

impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow")
            .field("at", &self.text.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Shadow {
    fn new(shared: Shared, allow_initial_skip: bool) -> Result<Self, CannotFollow> {
        let chart = {
            let lexer = &mut *shared.lexer();
            let chart = Chart::new(&shared.rules, lexer, allow_initial_skip);
            match lexer.limit() {
                Some(limit) => return Err(CannotFollow::Lexer(limit.to_owned())),
                None => chart.map_err(|TooLarge| CannotFollow::Items(self::chart::MAX_ITEMS))?,
            }
        };
        let start = Stop { row: 0, state: chart.rows[0].start };
        Ok(Self { shared: Arc::new(shared), chart, stops: vec![start], text: Vec::new(), limit: None })
    }

    /// An independent parser at the same place. Costs a microsecond for each hundred terminals so
    /// far; to look ahead, [`push`](Self::push) and [`truncate`](Self::truncate) are cheaper.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.clone()
    }

    /// The text so far.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The bound that the byte after the text hit, if it did. Nothing is accepted after that, until
    /// [`truncate`](Self::truncate) goes back to the text before it.
    pub fn limit(&self) -> Option<&Limit> {
        self.limit.as_ref()
    }

    fn stop(&self) -> Stop {
        // There is always the one before the text.
        self.stops.last().copied().unwrap_or(Stop { row: 0, state: DEAD })
    }

    /// Adds a byte if the grammar allows it here; says whether it does. If not, nothing changes.
    pub fn push(&mut self, byte: u8) -> bool {
        let shared = Arc::clone(&self.shared);
        self.advance(&mut shared.lexer(), byte)
    }

    /// Adds as much of `text` as the grammar allows; gives the number of bytes.
    pub fn feed(&mut self, text: &[u8]) -> usize {
        let shared = Arc::clone(&self.shared);
        let mut lexer = shared.lexer();
        text.iter().take_while(|&&byte| self.advance(&mut lexer, byte)).count()
    }

    /// Drops all but the first `len` bytes of the text.
    pub fn truncate(&mut self, len: usize) {
        if len < self.text.len() {
            self.text.truncate(len);
            self.stops.truncate(len + 1);
            self.chart.truncate(self.stop().row as usize + 1);
        }
        if len <= self.text.len() {
            self.limit = None;
        }
    }

    /// Adds a token that stands for itself and not for text (`<|im_end|>`), if the grammar names it
    /// here. `text` is how it is to count in the text: at least one byte.
    pub fn push_special(&mut self, token: TokenId, text: &[u8]) -> bool {
        let shared = Arc::clone(&self.shared);
        let lexer = &mut *shared.lexer();
        let (rows, stop) = (self.chart.rows.len(), self.stop());
        if text.is_empty() || self.limit.is_some() || !self.flush(lexer, stop) {
            return false;
        }
        let start = self.chart.rows.last().map_or(DEAD, |r| r.start);
        let at = if self.is_pending(stop) { start } else { stop.state };
        let end = self.text.len() + text.len();
        let row = lexer.special(at, token).and_then(|special| self.enter(lexer, &[special], end));
        self.notice(lexer);
        let Some(row) = row.filter(|_| self.limit.is_none()) else {
            self.chart.truncate(rows);
            return false;
        };
        let inside = Stop { row: stop.row, state: DEAD };
        self.stops.resize(self.stops.len() + text.len() - 1, inside);
        self.stops.push(Stop { row, state: self.chart.rows[row as usize].start });
        self.text.extend_from_slice(text);
        true
    }

    /// Adds the text of a step of a run. What was thought is no part of the text, and a token that
    /// ends the text, rather than one that the grammar names, adds nothing.
    ///
    /// # Errors
    /// The bound that was hit, or where the text leaves the grammar.
    pub fn follow(&mut self, step: &RunStep) -> Result<(), String> {
        let bytes = step.text_bytes();
        if step.thinking {
            return Ok(());
        }
        if step.special {
            self.push_special(step.token, &step.bytes);
        } else if self.feed(bytes) < bytes.len() {
            let lost = || format!("the shadow parser has lost the text at byte {}", self.text.len());
            return Err(self.limit.as_ref().map_or_else(lost, ToString::to_string));
        }
        Ok(())
    }

    /// Whether a lexeme is under way.
    fn is_pending(&self, stop: Stop) -> bool {
        (self.text.len() as u32) > self.chart.rows[stop.row as usize].from
    }

    /// Ends the lexeme under way, if there is one: adds the row after it.
    fn flush(&mut self, lexer: &mut Lexer, stop: Stop) -> bool {
        if !self.is_pending(stop) {
            return true;
        }
        let complete = lexer.complete(stop.state);
        !complete.is_empty() && self.enter(lexer, &complete, self.text.len()).is_some()
    }

    /// The row after the lexeme under way, if it may end here.
    fn after_lexeme(&self, lexer: &mut Lexer, stop: Stop) -> Result<Option<Made>, TooLarge> {
        let complete = lexer.complete(stop.state);
        if complete.is_empty() {
            return Ok(None);
        }
        self.chart.scan(&self.shared.rules, lexer, &complete, self.text.len() as u32)
    }

    /// Adds the row after `matched` lexemes, which end at byte `to`; gives its number.
    fn enter(&mut self, lexer: &mut Lexer, matched: &[u32], to: usize) -> Option<u32> {
        let shared = Arc::clone(&self.shared);
        match self.chart.scan(&shared.rules, lexer, matched, to as u32) {
            Ok(made) => {
                self.chart.push(made?);
                Some(self.chart.rows.len() as u32 - 1)
            }
            Err(too_large) => {
                self.limit = Some(too_large.into());
                None
            }
        }
    }

    /// Takes over the bound that the lexer hit, if it did.
    fn notice(&mut self, lexer: &Lexer) {
        if let Some(message) = lexer.limit() {
            self.limit = Some(Limit::Lexer(message.to_owned()));
        }
    }

    fn advance(&mut self, lexer: &mut Lexer, byte: u8) -> bool {
        if self.limit.is_some() || byte == u8::MAX {
            return false;
        }
        let rows = self.chart.rows.len();
        let next = self.step(lexer, byte);
        self.notice(lexer);
        match next.filter(|_| self.limit.is_none()) {
            Some(stop) => {
                self.stops.push(stop);
                self.text.push(byte);
                true
            }
            None => {
                self.chart.truncate(rows);
                false
            }
        }
    }

    /// Where `byte` leads; may add rows.
    fn step(&mut self, lexer: &mut Lexer, byte: u8) -> Option<Stop> {
        let stop = self.stop();
        let at = self.text.len();
        let on = |row: u32, state: State| Some(Stop { row, state });
        match lexer.step(stop.state, byte) {
            Step::On(state) => on(stop.row, state),
            Step::Done(state) => self.close(lexer, state, at + 1, byte),
            Step::Dead => {
                let complete = lexer.complete(stop.state);
                if complete.is_empty() {
                    return None;
                }
                let row = self.enter(lexer, &complete, at)?;
                let state = lexer.after(self.chart.rows[row as usize].start, byte);
                if state == DEAD {
                    return None;
                }
                if !lexer.must_end(state) {
                    return on(row, state);
                }
                // A lexeme of one byte ends at once.
                let single = lexer.complete(state);
                let row = self.enter(lexer, &single, at + 1)?;
                on(row, self.chart.rows[row as usize].start)
            }
        }
    }

    /// Ends the lexemes that `state` completes with the byte before `to`.
    fn close(&mut self, lexer: &mut Lexer, state: State, to: usize, byte: u8) -> Option<Stop> {
        let done = lexer.done(state);
        let first = done.first().copied()?;
        let hidden = if self.shared.rules.hides[first as usize] { lexer.hidden(state) } else { 0 };
        if hidden == 0 {
            let row = self.enter(lexer, &done, to)?;
            return Some(Stop { row, state: self.chart.rows[row as usize].start });
        }
        let hidden_from = to.saturating_sub(hidden);
        let mut bytes = self.text.get(hidden_from..).unwrap_or_default().to_vec();
        bytes.push(byte);
        let row = self.enter(lexer, &done, hidden_from)?;
        let start = self.chart.rows[row as usize].start;
        if !lexer.are_forced(start, &bytes) {
            // What ended the lexeme is taken back from the text that follows: the next lexeme
            // starts after it, in the next token.
            self.chart.rows[row as usize].from = to as u32;
            return Some(Stop { row, state: start });
        }
        // What ended the lexeme is how the next one must start.
        let mut state = start;
        for &b in &bytes {
            match lexer.step(state, b) {
                Step::On(next) => state = next,
                Step::Done(next) => {
                    let done = lexer.done(next);
                    let row = self.enter(lexer, &done, to)?;
                    return Some(Stop { row, state: self.chart.rows[row as usize].start });
                }
                Step::Dead => return None,
            }
        }
        Some(Stop { row, state })
    }
}
