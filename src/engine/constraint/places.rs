//! Places in texts of a grammar, and the masks that are known at them.
//!
//! A place is a state of the lexer in a [row](super::rows). After two texts that lead to the same place the same
//! may follow: its mask is computed once for a compiled grammar, whatever text, run or copy of a parser comes
//! there, and so is every step from row to row that the walk over the words takes. What is known is kept within
//! [one bound of memory](KEPT), and each [question](question) within bounds of work.
//!
//! llguidance takes every token and refuses what is not allowed, says where a text may end, and computes the
//! masks where places cannot be followed, where a question is past a bound, and while another thread asks. The
//! masks here are the same as its own: `places/tests.rs` holds the two to each other at every token, and
//! `--compare` of `benches/grammars.rs` along any texts. This file must never answer for a grammar that [`Rules`]
//! do not take, nor after a text or a bound that it cannot follow.
//!
//! Whether a bound is hit depends on what is known already, as it does for llguidance, whose lexer keeps its
//! states too: what one question did the next need not do again. So where llguidance by itself would give up at
//! its limits there may be a mask here, or the other way about: llguidance may have to give up because what is
//! known here is not known there. It can be no other mask: an answer is whole or there is none. It allows what
//! llguidance without limits would, and the token that is picked has to be taken by llguidance, within its own.

use std::sync::Arc;

use llguidance::api::ParserLimits;
use llguidance::derivre::{HashMap, StateID};
use llguidance::earley::CGrammar;
use llguidance::earley::lexerspec::{LexemeIdx, LexerSpec};
use llguidance::earley::regexvec::RegexVec;
use llguidance::toktrie::SimpleVob;

use super::rows::{NONE, Rows, Rules};
use super::slices::Words;
use super::stop::Stop;
use super::within::{Characters, Within};
use masks::Masks;
use question::Question;

mod ahead;
mod character;
mod follow;
mod masks;
mod question;

pub(super) use follow::{Places, Shared};

/// Bytes of all that is kept besides masks, about; and what one question adds, which is no more than it may work.
const KEPT: usize = 80 << 20;

/// Steps from row to row that there is room for, so that no question has to make room.
const STEPS: usize = 400_000;

/// Steps that one question may need, most of the time.
const NEXT_STEPS: usize = 20_000;

/// What the lexer may spend while it is made, about 10 ms. llguidance has made the same one before.
const MAKING: u64 = 500_000;

/// Questions from which on what was forgotten was worth finding out.
const WORTH: u32 = 256;

/// The fewest and the most questions that llguidance answers alone after that was not worth it.
const PAUSES: [u32; 2] = [16, 1 << 16];

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
    /// The lexemes that are complete in it, by [`Complete`]: into [`Known::matches`], or [`NONE`].
    complete: [u32; 2],
    /// For each slice two bits: whether it was asked for, and whether the state takes it.
    slices: u16,
    /// Where the characters of a text lead, once that was asked for.
    character: Option<Characters<StateID>>,
}

/// Which of the lexemes that are complete in a state.
#[derive(Clone, Copy)]
enum Complete {
    /// Those that end if they do not go on.
    Greedy,
    /// Those that end with the byte that led to the state.
    Lazy,
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
    /// What words do within lexemes, by their node and the state.
    within: HashMap<(u32, u32), Arc<Within>>,
    /// Bytes of what is in boxes of the above, about.
    boxed: usize,
    /// What may be kept, [`KEPT`].
    room: usize,
    ignores_once: bool,
    /// Grows when all places are forgotten.
    age: u32,
    /// How many questions there were since then, for how many more llguidance answers alone, and for how many it
    /// did so after the last time that was too soon.
    questions: u32,
    rest: u32,
    pause: u32,
    /// How many masks were asked for, and how many of them were known.
    pub asked: u64,
    pub found: u64,
}

impl Known {
    /// Nothing yet. `None` for a grammar whose places are not to be followed, and if the question is over.
    fn new(
        grammar: &CGrammar,
        limits: &ParserLimits,
        ignores_once: bool,
        stop: &mut Stop<'_>,
    ) -> Option<Self> {
        let rules = Rules::of(grammar, stop)?;
        let spec = grammar.lexer_spec().clone();
        let fuel = limits.initial_lexer_fuel.min(MAKING);
        let mut making = ParserLimits { initial_lexer_fuel: fuel, ..limits.clone() };
        let fresh = spec.to_regex_vec(&mut making).ok()?;
        let mut lexer = fresh.clone();
        lexer.set_fuel(fuel);
        let begin = lexer.initial_state(&spec.all_lexemes());
        let mut first = [false; 256];
        for byte in 0..=u8::MAX {
            if !stop.goes_on(weight(&spec)) {
                return None;
            }
            first[usize::from(byte)] = !lexer.transition(begin, byte).is_dead();
        }
        let is_made = !lexer.has_error();
        is_made.then(|| Self {
            spec,
            limits: limits.clone(),
            fresh,
            lexer,
            states: Vec::new(),
            first,
            sets: Rows::new(rules),
            starts: Vec::new(),
            known_starts: HashMap::default(),
            after: HashMap::with_capacity_and_hasher(STEPS, Default::default()),
            matches: Vec::new(),
            known_matches: HashMap::default(),
            masks: Masks::default(),
            within: HashMap::default(),
            boxed: 0,
            room: KEPT,
            ignores_once,
            age: 0,
            questions: 0,
            rest: 0,
            pause: 0,
            asked: 0,
            found: 0,
        })
    }

    /// Forgets all places: the rows, whose memory is used again, and their masks. If what holds for all rows is
    /// most of what is kept, or is broken, that too.
    fn forget(&mut self) {
        self.sets.clear();
        self.starts.clear();
        self.after.clear();
        self.masks.clear();
        if self.lexer.has_error() || self.kept() > self.room / 4 * 3 {
            self.sets.clear_all();
            self.starts = Vec::new();
            self.known_starts = HashMap::default();
            self.after = HashMap::with_capacity_and_hasher(STEPS, Default::default());
            self.lexer = self.fresh.clone();
            self.states = Vec::new();
            self.matches = Vec::new();
            self.known_matches = HashMap::default();
            self.within = HashMap::default();
            self.boxed = 0;
        }
        self.age += 1;
    }

    /// Begins a question, which has all of its bounds before it; `None` while llguidance answers alone. That is
    /// so after there was too much to keep, or too much for the lexer in one step, and the longer the sooner
    /// that comes again, so that no more is lost than won.
    fn ask<'a>(&'a mut self, is_cancelled: &'a dyn Fn() -> bool) -> Option<Question<'a>> {
        let is_full = self.kept() > self.room || self.after.len() + NEXT_STEPS > STEPS;
        if is_full || self.lexer.has_error() {
            self.forget();
            let [fewest, most] = PAUSES;
            self.pause = if self.questions < WORTH { (2 * self.pause).clamp(fewest, most) } else { 0 };
            (self.rest, self.questions) = (self.pause, 0);
        }
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        self.questions = self.questions.saturating_add(1);
        Some(Question::new(self, is_cancelled))
    }

    /// The mask at a place; `None` if llguidance has to compute it.
    pub fn mask(&mut self, words: &Words, at: Place, is_cancelled: &dyn Fn() -> bool) -> Option<SimpleVob> {
        self.ask(is_cancelled)?.mask(words, at)
    }

    /// Bytes of what is kept besides masks, about.
    fn kept(&self) -> usize {
        let maps = self.after.capacity() * size_of::<((u32, u32), u32)>()
            + self.within.capacity() * size_of::<((u32, u32), Arc<Within>)>()
            + self.known_starts.capacity() * size_of::<(Box<[u32]>, StateID)>()
            + self.known_matches.capacity() * size_of::<(Box<[u32]>, u32)>();
        let lists = self.states.capacity() * size_of::<State>()
            + self.starts.capacity() * size_of::<StateID>()
            + self.matches.capacity() * size_of::<Box<[u32]>>();
        // Of each state the lexer has a set of lexemes too, which it does not count.
        let lexer = self.lexer.num_bytes() + self.states.len() * self.spec.lexemes.len() / 8;
        let lexer = lexer.saturating_sub(self.fresh.num_bytes());
        self.sets.size() + maps + lists + lexer + self.boxed
    }

    /// Bytes, about.
    fn size(&self) -> usize {
        self.masks.size() + self.kept() + 2 * self.fresh.num_bytes()
    }

    fn state(&mut self, state: StateID) -> &mut State {
        let at = state.as_usize();
        if at >= self.states.len() {
            self.states.resize(at + 1, State { complete: [UNKNOWN; 2], slices: 0, character: None });
        }
        &mut self.states[at]
    }

    /// The lexemes that are complete in a state.
    fn complete(&mut self, state: StateID, which: Complete) -> u32 {
        let known = self.state(state).complete[which as usize];
        if known != UNKNOWN {
            return known;
        }
        let about = self.lexer.state_desc(state);
        let lexemes = match which {
            Complete::Greedy => &about.greedy_accepting,
            Complete::Lazy => &about.lazy_accepting,
        };
        let lexemes: Box<[u32]> = lexemes.as_slice().iter().map(|lexeme| lexeme.0).collect();
        let matched = self.matched(lexemes);
        self.state(state).complete[which as usize] = matched;
        matched
    }

    fn matched(&mut self, lexemes: Box<[u32]>) -> u32 {
        if lexemes.is_empty() {
            return NONE;
        }
        if let Some(&known) = self.known_matches.get(&lexemes) {
            return known;
        }
        let number = self.matches.len() as u32;
        self.boxed += 2 * size_of_val(&*lexemes);
        self.known_matches.insert(lexemes.clone(), number);
        self.matches.push(lexemes);
        number
    }

    /// The lexemes that are possible where a text stands, so that they can be held to llguidance's.
    pub fn possible(&self, at: Place) -> Option<impl Iterator<Item = LexemeIdx> + '_> {
        (at.age == self.age).then(|| self.lexer.state_desc(at.state).possible.iter())
    }
}

/// The work of a step of a lexer, which is the more the more lexemes there are.
fn weight(spec: &LexerSpec) -> usize {
    1 + spec.lexemes.len() / 8
}

#[cfg(test)]
mod tests;
