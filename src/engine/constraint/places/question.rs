//! A question about places, within its bounds: where bytes lead, and which words may come.
//!
//! llguidance has bounds for the work of a mask, and they hold here too: a row's items and what the lexer spends.
//! When the question is over no byte leads anywhere, so that each walk comes to its end. It must never keep what
//! was found after that.

use std::sync::Arc;

use llguidance::derivre::{NextByte, StateID};
use llguidance::earley::lexerspec::LexemeIdx;
use llguidance::toktrie::SimpleVob;

use super::ahead::{Ahead, Seat};
use super::{Complete, Known, Place, UNKNOWN, weight};
use crate::engine::constraint::rows::NONE;
use crate::engine::constraint::slices::{BUDGET, Words};
use crate::engine::constraint::stop::Stop;
use crate::engine::constraint::within::{Characters, Lexing, Step, Within};

/// What the lexer may spend on any one step, about 4 ms, or twice that; past that it is broken.
const LEAST: u64 = 50_000;

/// States of the lexer that a question may make, each about a kilobyte.
const STATES: usize = 20_000;

/// A question under way.
pub(super) struct Question<'a> {
    pub known: &'a mut Known,
    pub stop: Stop<'a>,
    weight: usize,
    /// What the lexer has before it at least.
    least: u64,
    /// States that the lexer may have.
    states: usize,
}

impl<'a> Question<'a> {
    pub fn new(known: &'a mut Known, is_cancelled: &'a dyn Fn() -> bool) -> Self {
        let limits = &known.limits;
        let least = LEAST.min(limits.step_lexer_fuel / 2);
        known.lexer.set_max_states(limits.max_lexer_states);
        known.lexer.set_fuel(2 * least);
        let stop = Stop::new(is_cancelled, limits.step_max_items, limits.step_lexer_fuel);
        let states = known.lexer.stats().num_states + STATES;
        Self { weight: weight(&known.spec), known, stop, least, states }
    }

    /// Whether nothing that was said can be relied on.
    pub fn is_lost(&self) -> bool {
        self.stop.over().is_some() || self.known.lexer.has_error()
    }

    /// The place before every text.
    pub fn first_place(&mut self) -> Place {
        let row = u32::from(!self.known.spec.allow_initial_skip);
        Place { row, state: self.row_start(row), age: self.known.age }
    }

    /// The state before the next lexeme of a row.
    fn row_start(&mut self, row: u32) -> StateID {
        let known = &mut *self.known;
        let start = known.starts.get(row as usize).copied().unwrap_or(StateID::MISSING);
        if start != StateID::MISSING {
            return start;
        }
        let (set, may_ignore) = (row / 2, row.is_multiple_of(2));
        let mut key = vec![known.sets.predicted(set), u32::from(may_ignore)];
        key.extend(known.sets.going(set));
        self.stop.goes_on(key.len());
        let start = match known.known_starts.get(&key[..]) {
            Some(&start) => start,
            None => {
                let mut lexemes = known.spec.alloc_lexeme_set();
                let all = known.sets.going(set).chain(known.sets.beginning(set));
                all.for_each(|lexeme| lexemes.add(LexemeIdx(lexeme)));
                if may_ignore && !lexemes.is_empty() {
                    lexemes.add(LexemeIdx(known.sets.skip()));
                }
                self.stop.goes_on(4 * lexemes.len());
                let start = known.lexer.initial_state(&lexemes);
                known.boxed += 4 * key.len();
                known.known_starts.insert(key.into(), start);
                start
            }
        };
        if known.starts.len() <= row as usize {
            known.starts.resize(row as usize + 2, StateID::MISSING);
        }
        known.starts[row as usize] = start;
        start
    }

    /// The row after what is matched in a row, [`NONE`] if there is none.
    pub fn next_row(&mut self, row: u32, matched: u32) -> u32 {
        if matched == NONE {
            return NONE;
        }
        if let Some(&next) = self.known.after.get(&(row, matched)) {
            return next;
        }
        // What the question was over for is not kept, to be found again.
        let Some(next) = self.make_row(row, matched) else { return NONE };
        self.known.after.insert((row, matched), next);
        next
    }

    fn make_row(&mut self, row: u32, matched: u32) -> Option<u32> {
        let known = &mut *self.known;
        let matched = &known.matches[matched as usize];
        if matched.contains(&known.sets.skip()) {
            return Some(if known.ignores_once { row | 1 } else { row });
        }
        let set = known.sets.scan(row / 2, matched, &mut self.stop)?;
        Some(if set == NONE { NONE } else { 2 * set })
    }

    /// The place at the start of a row.
    pub fn begin(&mut self, row: u32, age: u32) -> Option<Place> {
        (row != NONE).then(|| Place { row, state: self.row_start(row), age })
    }

    /// Where a byte leads: llguidance's `Lexer::advance` and `advance_parser` in one.
    pub fn advance(&mut self, seat: &mut Seat, byte: u8) -> Option<Place> {
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
    pub fn open(&mut self, row: Place, byte: u8) -> Option<Place> {
        if !self.goes_on() {
            return None;
        }
        let state = self.transition(row.state, byte);
        if state.is_dead() {
            return None;
        }
        if self.known.lexer.next_byte(state) != NextByte::ForcedEOI {
            return Some(Place { state, ..row });
        }
        // A lexeme of one byte ends at once.
        let matched = self.known.complete(state, Complete::Greedy);
        let after = self.next_row(row.row, matched);
        self.begin(after, row.age)
    }

    /// Whether the lexer may take another step.
    #[inline]
    fn goes_on(&mut self) -> bool {
        self.stop.spends(self.weight) || self.look()
    }

    #[cold]
    fn look(&mut self) -> bool {
        if self.known.lexer.stats().num_states > self.states {
            self.stop.spent();
        }
        self.stop.look()
    }

    #[inline]
    fn transition(&mut self, state: StateID, byte: u8) -> StateID {
        let next = self.known.lexer.transition(state, byte);
        if self.known.lexer.get_fuel() < self.least {
            self.refuel();
        }
        next
    }

    #[cold]
    fn refuel(&mut self) {
        let spent = 2 * self.least - self.known.lexer.get_fuel();
        self.known.lexer.set_fuel(2 * self.least);
        self.stop.takes_fuel(spent);
    }

    /// What the words after a node do in a state.
    pub fn within(&mut self, words: &Words, node: u32, state: StateID) -> Arc<Within> {
        if let Some(known) = self.known.within.get(&(node, state.as_u32())) {
            return Arc::clone(known);
        }
        let found = words.within(node, state, self);
        if !self.is_lost() {
            self.known.boxed += found.size();
            self.known.within.insert((node, state.as_u32()), Arc::clone(&found));
        }
        found
    }

    /// The mask at a place; `None` if the question is over before.
    pub fn mask(&mut self, words: &Words, at: Place) -> Option<SimpleVob> {
        if at.age != self.known.age {
            return None;
        }
        self.known.asked += 1;
        let key = (at.row, at.state.as_u32());
        if let Some(mask) = self.known.masks.get(key) {
            self.known.found += 1;
            return Some(mask.clone());
        }
        let mut mask = words.env.tok_trie().alloc_token_set();
        Ahead::new(self, words, &mut mask).all(at);
        if self.is_lost() {
            return None;
        }
        self.known.masks.insert(key, mask.clone());
        Some(mask)
    }
}

impl Lexing for Question<'_> {
    type State = StateID;

    fn step(&mut self, state: StateID, byte: u8) -> Step<StateID> {
        if !self.goes_on() {
            return Step::Dead;
        }
        let next = self.transition(state, byte);
        if next.is_dead() {
            let matched = if self.known.first[usize::from(byte)] {
                self.known.complete(state, Complete::Greedy)
            } else {
                NONE
            };
            if matched == NONE { Step::Dead } else { Step::Ends(matched) }
        } else if next.has_lowest_match() {
            match self.known.complete(next, Complete::Lazy) {
                NONE => Step::Dead,
                matched => Step::Closes(matched),
            }
        } else {
            Step::On(next)
        }
    }

    fn takes(&mut self, state: StateID, slice: usize) -> bool {
        let (asked, taken) = (1 << (2 * slice), 2 << (2 * slice));
        if self.known.state(state).slices & asked == 0 {
            // A question of the lexer's own, which has a bound of its own.
            if !self.stop.goes_on(8 * BUDGET as usize) {
                return false;
            }
            let known = &mut *self.known;
            let extra = known.spec.extra_lexeme(slice);
            let takes = known.lexer.subsume_possible(state)
                && known.lexer.check_subsume(state, extra, BUDGET).unwrap_or(false);
            known.state(state).slices |= asked | if takes { taken } else { 0 };
        }
        self.known.state(state).slices & taken != 0
    }

    fn character(&mut self, state: StateID) -> Characters<StateID> {
        if let Some(known) = self.known.state(state).character {
            return known;
        }
        let found = self.find_character(state);
        if !self.is_lost() {
            self.known.state(state).character = Some(found);
        }
        found
    }
}

#[cfg(test)]
mod tests;
