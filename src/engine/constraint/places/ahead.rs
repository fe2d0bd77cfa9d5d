//! The walk over the words from a place.
//!
//! It goes from end to end of lexemes: what words do within one is known for the lexer's state. It must never
//! keep anything itself.

use llguidance::derivre::StateID;
use llguidance::toktrie::SimpleVob;

use super::question::Question;
use super::{Place, UNKNOWN};
use crate::engine::constraint::rows::NONE;
use crate::engine::constraint::slices::{Reader, Words};
use crate::engine::constraint::within::Lexing;

/// Nodes from which on what words do within a lexeme is worth keeping.
const WORTH: usize = 64;

/// Lexemes of one word from which on it is walked byte by byte, so that no word is too deep for the stack.
const DEEP: usize = 64;

/// A place on the way, and the row after it if its lexeme ends there: [`UNKNOWN`] until that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Seat {
    pub place: Place,
    pub ended: u32,
}

impl Seat {
    pub fn at(place: Place) -> Self {
        Self { place, ended: UNKNOWN }
    }
}

/// A walk ahead of a place.
pub(super) struct Ahead<'q, 'a> {
    question: &'q mut Question<'a>,
    words: &'q Words,
    mask: &'q mut SimpleVob,
    seats: Vec<Seat>,
}

impl<'q, 'a> Ahead<'q, 'a> {
    pub fn new(question: &'q mut Question<'a>, words: &'q Words, mask: &'q mut SimpleVob) -> Self {
        Self { question, words, mask, seats: Vec::new() }
    }

    /// Allows the words that may come at a place: all of them unless the question is over before.
    pub fn all(&mut self, at: Place) {
        self.spread(NONE, at, 0);
    }

    /// Allows the words after a node that may come at a place.
    fn spread(&mut self, node: u32, at: Place, depth: usize) {
        if self.question.is_lost() {
            return;
        }
        let words = self.words;
        if words.size_after(node) < WORTH || depth > DEEP {
            self.walk(node, at);
            return;
        }
        let within = self.question.within(words, node, at.state);
        if !self.question.stop.goes_on(within.size() / 4) {
            return;
        }
        within.allow(words, self.mask);
        // What is matched comes in groups.
        let (mut last, mut row) = (NONE, None);
        for &(matched, end) in &within.ends {
            if !self.question.stop.goes_on(1) {
                return;
            }
            if std::mem::replace(&mut last, matched) != matched {
                row = self.row_after(at, matched);
            }
            let Some(row) = row else { continue };
            let (token, byte) = words.at(end);
            if let Some(place) = self.question.open(row, byte) {
                self.arrive(end, token, place, depth);
            }
        }
        last = NONE;
        for &(matched, end) in &within.closes {
            if !self.question.stop.goes_on(1) {
                return;
            }
            if std::mem::replace(&mut last, matched) != matched {
                row = self.row_after(at, matched);
            }
            if let Some(place) = row {
                self.arrive(end, words.at(end).0, place, depth);
            }
        }
    }

    fn row_after(&mut self, at: Place, matched: u32) -> Option<Place> {
        let row = self.question.next_row(at.row, matched);
        self.question.begin(row, at.age)
    }

    fn arrive(&mut self, node: u32, token: u32, place: Place, depth: usize) {
        if token != NONE {
            self.mask.allow_token(token);
        }
        if self.words.size_after(node) > 0 {
            self.spread(node, place, depth + 1);
        }
    }

    /// The same for few words, byte by byte.
    fn walk(&mut self, node: u32, at: Place) {
        let mut steps = Steps { question: self.question, seats: std::mem::take(&mut self.seats) };
        steps.seats.clear();
        steps.seats.push(Seat::at(at));
        self.words.read(node, &mut steps, self.mask);
        self.seats = steps.seats;
    }
}

/// Steps from place to place, and back.
struct Steps<'q, 'a> {
    question: &'q mut Question<'a>,
    seats: Vec<Seat>,
}

impl Reader for Steps<'_, '_> {
    fn push(&mut self, byte: u8) -> bool {
        let Some(seat) = self.seats.last_mut() else { return false };
        let next = self.question.advance(seat, byte);
        self.seats.extend(next.map(Seat::at));
        next.is_some()
    }

    fn pop(&mut self, count: usize) {
        self.seats.truncate(self.seats.len() - count);
    }

    fn takes(&mut self, slice: usize) -> bool {
        let state = self.seats.last().map_or(StateID::DEAD, |seat| seat.place.state);
        self.question.takes(state, slice)
    }

    fn is_cancelled(&mut self) -> bool {
        self.question.is_lost()
    }
}
