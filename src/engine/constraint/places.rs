//! Places in texts of a grammar, and the masks that are known at them.
//!
//! A place is a state of the lexer in a [row](super::rows). After two texts that lead to the same place the same
//! may follow: its mask is computed once for a compiled grammar, whatever text, run or copy of a parser comes
//! there, and so is every step from row to row that the walk over the words takes. What is known is kept within
//! bounds of memory.
//!
//! llguidance takes every token and refuses what is not allowed, says where a text may end, and computes the
//! masks where places cannot be followed. The masks here are the same as its own: `places/tests.rs` holds the two
//! to each other at every token, and `--compare` of `benches/grammars.rs` along any texts. This file must never
//! answer for a grammar that [`Rules`] do not take, nor after a text or a bound that it cannot follow.

use std::sync::Arc;

use llguidance::api::ParserLimits;
use llguidance::derivre::{HashMap, NextByte, StateID};
use llguidance::earley::CGrammar;
use llguidance::earley::lexerspec::{LexemeIdx, LexerSpec};
use llguidance::earley::regexvec::{MatchingLexemes, RegexVec};
use llguidance::toktrie::SimpleVob;

use super::rows::{NONE, Rows, Rules};
use super::slices::{BUDGET, Words};
use super::within::{Lexing, Step, Within};
use ahead::{Ahead, Seat};
use masks::Masks;

mod ahead;
mod follow;
mod masks;

pub(super) use follow::{Places, Shared};

/// Sets of items that are kept, each about a hundred bytes.
const SETS: usize = 200_000;

/// Steps from row to row that are kept.
const STEPS: usize = 400_000;

/// States of the lexer that are kept, each about a kilobyte.
const STATES: usize = 50_000;

/// Steps that one question may need, most of the time; more would only take more memory.
const NEXT_STEPS: usize = 20_000;

/// Bytes of what words do within lexemes that are kept.
const WITHIN: usize = 32 << 20;

/// Bounds of the lexer that may be hit before llguidance computes all masks. Some lexemes need more than a step
/// may cost, each time.
const FAILURES: u32 = 3;

/// Not known yet.
const UNKNOWN: u32 = u32::MAX - 1;

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Twice the number of a set of items; one more if what may be ignored has been, and that only once.
    row: u32,
    state: StateID,
    /// [`Known::age`], for places do not outlive it.
    age: u32,
}

/// What has been found out about a state of the lexer.
#[derive(Clone, Copy)]
struct State {
    /// The lexemes that are complete in it if they do not go on, and those that are not to go on: into
    /// [`Known::matches`], or [`NONE`].
    greedy: u32,
    lazy: u32,
    /// For each slice two bits: whether it was asked for, and whether the state takes it.
    slices: u16,
}

/// All that is known about the places of one grammar.
pub(super) struct Known {
    spec: LexerSpec,
    limits: ParserLimits,
    /// The lexer with no states, and as it is.
    fresh: RegexVec,
    lexer: RegexVec,
    states: Vec<State>,
    /// The bytes with which lexemes begin.
    first: [bool; 256],
    sets: Rows,
    /// For each row the state before its next lexeme, [`StateID::MISSING`] if it was not asked for.
    starts: Vec<StateID>,
    /// The same by what may begin and what may go on, for most rows are alike in that.
    known_starts: HashMap<Box<[u32]>, StateID>,
    /// The row after a row and what is matched.
    after: HashMap<(u32, u32), u32>,
    matches: Vec<Box<[u32]>>,
    known_matches: HashMap<Box<[u32]>, u32>,
    masks: Masks,
    /// What words do within lexemes, by their node and the state, and how many bytes it takes, about.
    within: HashMap<(u32, u32), Arc<Within>>,
    within_size: usize,
    ignores_once: bool,
    /// Grows when all places are forgotten.
    age: u32,
    /// Whether a bound was hit on the way.
    is_spent: bool,
    /// How often one of the lexer's was.
    failures: u32,
    /// How many masks were asked for, and how many of them were known.
    pub asked: u64,
    pub found: u64,
}

impl Known {
    fn new(grammar: &CGrammar, limits: &ParserLimits, ignores_once: bool) -> Option<Self> {
        let sets = Rows::new(Rules::of(grammar)?);
        let spec = grammar.lexer_spec().clone();
        let fresh = spec.to_regex_vec(&mut limits.clone()).ok()?;
        let mut lexer = fresh.clone();
        let begin = lexer.initial_state(&spec.all_lexemes());
        let first = std::array::from_fn(|byte| !lexer.transition(begin, byte as u8).is_dead());
        Some(Self {
            spec,
            limits: limits.clone(),
            fresh,
            lexer,
            states: Vec::new(),
            first,
            sets,
            starts: Vec::new(),
            known_starts: HashMap::default(),
            after: HashMap::with_capacity_and_hasher(STEPS, Default::default()),
            matches: Vec::new(),
            known_matches: HashMap::default(),
            masks: Masks::default(),
            within: HashMap::default(),
            within_size: 0,
            ignores_once,
            age: 0,
            is_spent: false,
            failures: 0,
            asked: 0,
            found: 0,
        })
    }

    /// The place before every text.
    fn first_place(&mut self) -> Place {
        let row = u32::from(!self.spec.allow_initial_skip);
        Place { row, state: self.row_start(row), age: self.age }
    }

    /// Forgets all places.
    fn forget(&mut self) {
        self.sets.clear();
        self.starts.clear();
        self.after.clear();
        self.masks.clear();
        self.age += 1;
    }

    /// Begins a question, which has all of its bounds before it.
    fn start(&mut self) {
        if self.lexer.has_error() {
            self.failures += 1;
            self.lexer = self.fresh.clone();
            self.states.clear();
            self.known_starts.clear();
            self.within.clear();
            self.within_size = 0;
            self.forget();
        }
        if self.sets.len() > SETS || self.after.len() + NEXT_STEPS > STEPS {
            self.forget();
        }
        if self.within_size > WITHIN {
            self.within.clear();
            self.within_size = 0;
        }
        self.lexer.set_max_states(STATES.min(self.limits.max_lexer_states));
        self.is_spent = false;
        self.renew();
    }

    /// Gives the work that a step may take.
    fn renew(&mut self) {
        self.lexer.set_fuel(self.limits.step_lexer_fuel);
        self.sets.work = self.limits.step_max_items;
    }

    /// Bytes, about.
    fn size(&self) -> usize {
        let steps =
            self.after.capacity() * size_of::<[u32; 3]>() + self.starts.capacity() * size_of::<StateID>();
        self.masks.size() + self.sets.size() + steps + self.within_size + self.lexer.num_bytes()
    }

    /// Whether nothing that was said since [`start`](Self::start) can be relied on.
    fn is_lost(&self) -> bool {
        self.is_spent || self.lexer.has_error() || self.failures >= FAILURES
    }

    /// The state before the next lexeme of a row.
    fn row_start(&mut self, row: u32) -> StateID {
        let known = self.starts.get(row as usize).copied().unwrap_or(StateID::MISSING);
        if known != StateID::MISSING {
            return known;
        }
        let (set, may_ignore) = (row / 2, row.is_multiple_of(2));
        let mut key = vec![self.sets.predicted(set), u32::from(may_ignore)];
        key.extend(self.sets.going(set));
        let start = match self.known_starts.get(&key[..]) {
            Some(&start) => start,
            None => {
                let mut lexemes = self.spec.alloc_lexeme_set();
                let all = self.sets.going(set).chain(self.sets.beginning(set));
                all.for_each(|lexeme| lexemes.add(LexemeIdx(lexeme)));
                if may_ignore && !lexemes.is_empty() {
                    lexemes.add(LexemeIdx(self.sets.skip()));
                }
                let start = self.lexer.initial_state(&lexemes);
                if !self.lexer.has_error() {
                    self.known_starts.insert(key.into(), start);
                }
                start
            }
        };
        if self.starts.len() <= row as usize {
            self.starts.resize(row as usize + 2, StateID::MISSING);
        }
        self.starts[row as usize] = start;
        start
    }

    fn state(&mut self, state: StateID) -> &mut State {
        let at = state.as_usize();
        if at >= self.states.len() {
            self.states.resize(at + 1, State { greedy: UNKNOWN, lazy: UNKNOWN, slices: 0 });
        }
        &mut self.states[at]
    }

    fn matched(&mut self, lexemes: &MatchingLexemes) -> u32 {
        let lexemes: Box<[u32]> = lexemes.as_slice().iter().map(|lexeme| lexeme.0).collect();
        if lexemes.is_empty() {
            return NONE;
        }
        let number = self.matches.len() as u32;
        let known = *self.known_matches.entry(lexemes.clone()).or_insert(number);
        if known == number {
            self.matches.push(lexemes);
        }
        known
    }

    /// The lexemes that are complete in a state and could go on.
    fn greedy(&mut self, state: StateID) -> u32 {
        let known = self.state(state).greedy;
        if known != UNKNOWN {
            return known;
        }
        let matched = self.lexer.state_desc(state).greedy_accepting.clone();
        let matched = self.matched(&matched);
        self.state(state).greedy = matched;
        matched
    }

    /// The lexemes that end with the byte that led to a state.
    fn lazy(&mut self, state: StateID) -> u32 {
        let known = self.state(state).lazy;
        if known != UNKNOWN {
            return known;
        }
        let matched = self.lexer.state_desc(state).lazy_accepting.clone();
        let matched = self.matched(&matched);
        self.state(state).lazy = matched;
        matched
    }

    /// The row after what is matched in a row, [`NONE`] if there is none.
    fn next_row(&mut self, row: u32, matched: u32) -> u32 {
        if matched == NONE {
            return NONE;
        }
        if let Some(&next) = self.after.get(&(row, matched)) {
            return next;
        }
        let next = self.make_row(row, matched);
        // What is lost is not to be found again.
        if !self.is_spent {
            self.after.insert((row, matched), next);
        }
        next
    }

    fn make_row(&mut self, row: u32, matched: u32) -> u32 {
        let matched = &self.matches[matched as usize];
        if matched.contains(&self.sets.skip()) {
            return if self.ignores_once { row | 1 } else { row };
        }
        match self.sets.scan(row / 2, matched) {
            Ok(set) => set.map_or(NONE, |set| 2 * set),
            Err(_) => {
                self.is_spent = true;
                NONE
            }
        }
    }

    /// The place at the start of a row.
    fn begin(&mut self, row: u32, age: u32) -> Option<Place> {
        (row != NONE).then(|| Place { row, state: self.row_start(row), age })
    }

    /// Where a byte leads: llguidance's `Lexer::advance` and `advance_parser` in one.
    fn advance(&mut self, seat: &mut Seat, byte: u8) -> Option<Place> {
        let at = seat.place;
        match self.step(at.state, byte) {
            Step::On(state) => Some(Place { state, ..at }),
            Step::Ends(matched) => {
                if seat.ended == UNKNOWN {
                    seat.ended = self.next_row(at.row, matched);
                }
                let row = self.begin(seat.ended, at.age)?;
                self.open(row, byte)
            }
            Step::Closes(matched) => {
                let row = self.next_row(at.row, matched);
                self.begin(row, at.age)
            }
            Step::Dead => None,
        }
    }

    /// Where the first byte of a lexeme leads.
    fn open(&mut self, row: Place, byte: u8) -> Option<Place> {
        let state = self.lexer.transition(row.state, byte);
        if state.is_dead() {
            return None;
        }
        if self.lexer.next_byte(state) != NextByte::ForcedEOI {
            return Some(Place { state, ..row });
        }
        // A lexeme of one byte ends at once.
        let matched = self.greedy(state);
        let after = self.next_row(row.row, matched);
        self.begin(after, row.age)
    }

    /// What the words after a node do in a state.
    fn within(&mut self, words: &Words, node: u32, state: StateID) -> Arc<Within> {
        if let Some(known) = self.within.get(&(node, state.as_u32())) {
            return Arc::clone(known);
        }
        let found = words.within(node, state, self);
        if !self.is_lost() {
            self.within_size += found.size();
            self.within.insert((node, state.as_u32()), Arc::clone(&found));
        }
        found
    }

    /// The lexemes that are possible where a text stands, so that they can be held to llguidance's.
    pub fn possible(&self, at: Place) -> Option<impl Iterator<Item = LexemeIdx> + '_> {
        (at.age == self.age).then(|| self.lexer.state_desc(at.state).possible.iter())
    }

    /// The mask at a place; `None` past a bound. `is_cancelled` says whether nobody waits for it any more.
    pub fn mask(&mut self, words: &Words, at: Place, is_cancelled: &dyn Fn() -> bool) -> Option<SimpleVob> {
        self.start();
        if at.age != self.age {
            return None;
        }
        self.asked += 1;
        let key = (at.row, at.state.as_u32());
        if let Some(mask) = self.masks.get(key) {
            self.found += 1;
            return Some(mask.clone());
        }
        let mut mask = words.env.tok_trie().alloc_token_set();
        if !Ahead::new(self, words, &mut mask, is_cancelled).all(at) {
            return None;
        }
        self.masks.insert(key, mask.clone());
        Some(mask)
    }
}

impl Lexing for Known {
    type State = StateID;

    fn step(&mut self, state: StateID, byte: u8) -> Step<StateID> {
        let next = self.lexer.transition(state, byte);
        if next.is_dead() {
            let matched = if self.first[usize::from(byte)] { self.greedy(state) } else { NONE };
            if matched == NONE { Step::Dead } else { Step::Ends(matched) }
        } else if next.has_lowest_match() {
            match self.lazy(next) {
                NONE => Step::Dead,
                matched => Step::Closes(matched),
            }
        } else {
            Step::On(next)
        }
    }

    fn takes(&mut self, state: StateID, slice: usize) -> bool {
        let (asked, taken) = (1 << (2 * slice), 2 << (2 * slice));
        if self.state(state).slices & asked == 0 {
            let extra = self.spec.extra_lexeme(slice);
            let takes = self.lexer.subsume_possible(state)
                && self.lexer.check_subsume(state, extra, BUDGET).unwrap_or(false);
            self.state(state).slices |= asked | if takes { taken } else { 0 };
        }
        self.state(state).slices & taken != 0
    }
}

#[cfg(test)]
mod tests;
