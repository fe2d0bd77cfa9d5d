//! The lexemes of a grammar as one automaton, made from the same expressions as llguidance's own.
//!
//! All forks of a shadow parser share one: what a fork has worked out is there for the others. Its
//! work is bounded; past the bound it says so and never guesses. llguidance's automaton is of no use
//! after that, so it is made anew, and the states are reached again when they are asked for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use llguidance::api::ParserLimits;
use llguidance::derivre::{NextByte, StateID};
use llguidance::earley::lexerspec::{LexemeIdx, LexerSpec};
use llguidance::earley::regexvec::{LexemeSet, RegexVec, StateDesc};
use llguidance::toktrie::TokTrie;

use super::predict::Predictions;
use super::set::ByteSet;
use crate::engine::trace::TokenId;

/// A state: what has been read of the lexemes that are possible. It means the same when the
/// automaton has been made anew, whose own numbers do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct State(u32);

/// No lexeme goes on.
pub(super) const DEAD: State = State(0);

/// How a state is reached.
enum Way {
    /// It stands before these lexemes.
    Start(Arc<[u32]>),
    /// From a state, by a byte.
    After(State, u8),
}

/// What a byte may cost, in the steps that llguidance counts. A state that is known costs nothing.
const FUEL: u64 = 2_000_000;

/// The most states, each about a kilobyte.
const MAX_STATES: usize = 100_000;

/// The most start states and byte sets that are kept.
const MAX_KEPT: usize = 50_000;

/// The most states that a search for a shortest text looks at.
const MAX_SEARCHED: usize = 5_000;

/// Every byte that text can hold, those that people read most easily first.
pub(super) const READABLE: [u8; 255] = readable();

const fn readable() -> [u8; 255] {
    let first = *b"abcdefghijklmnopqrstuvwxyz1023456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_ ";
    let mut bytes = [0; 255];
    let mut seen = [false; 256];
    let mut count = 0;
    while count < first.len() {
        bytes[count] = first[count];
        seen[first[count] as usize] = true;
        count += 1;
    }
    // Other printable ones, line breaks, the rest.
    let mut round = 0;
    while round < 3 {
        let mut byte = 0;
        while byte < 255 {
            let fits = match round {
                0 => byte >= 0x21 && byte < 0x7f,
                1 => byte == 0x0a,
                _ => true,
            };
            if fits && !seen[byte] {
                bytes[count] = byte as u8;
                seen[byte] = true;
                count += 1;
            }
            byte += 1;
        }
        round += 1;
    }
    bytes
}

/// A search for a shortest text went past its bound.
pub(super) struct GaveUp {
    /// The text has no fewer bytes than these.
    pub at_least: u32,
}

/// The automaton and what is known about it.
pub(super) struct Lexer {
    automaton: RegexVec,
    spec: LexerSpec,
    limits: ParserLimits,
    /// For each state how it is reached.
    ways: Vec<Way>,
    /// For each state its number in the automaton, `MISSING` if it was not asked for since that was
    /// made.
    inner: Vec<StateID>,
    /// For each number in the automaton the state, [`DEAD`] if it has none.
    outer: Vec<State>,
    starts: HashMap<Arc<[u32]>, State>,
    masks: HashMap<(State, State), ByteSet>,
    limit: Option<String>,
    pub predictions: Predictions,
}

/// What one byte does.
pub(super) enum Step {
    /// No lexeme goes on with it.
    Dead,
    /// Some lexemes go on.
    On(State),
    /// It completes lexemes that are not to go on.
    Done(State),
}

impl Lexer {
    /// The automaton of `spec`.
    ///
    /// # Errors
    /// llguidance's message.
    pub fn new(spec: LexerSpec, limits: &ParserLimits) -> Result<Self, String> {
        Ok(Self {
            automaton: automaton(&spec, limits)?,
            spec,
            limits: limits.clone(),
            ways: vec![Way::Start(Arc::default())],
            inner: vec![StateID::DEAD],
            outer: vec![DEAD],
            starts: HashMap::new(),
            masks: HashMap::new(),
            limit: None,
            predictions: Predictions::default(),
        })
    }

    /// The bound that was hit since [`clear_limit`](Self::clear_limit), if one was: nothing that was
    /// said since can be relied on.
    pub fn limit(&self) -> Option<&str> {
        self.limit.as_deref()
    }

    /// Begins a new question, which has all of its bounds before it.
    pub fn clear_limit(&mut self) {
        self.limit = None;
    }

    /// Notices whether the automaton has hit a bound; if so, makes it anew.
    fn is_past_limit(&mut self) -> bool {
        if let Some(message) = self.automaton.get_error() {
            self.limit = Some(message);
            // It was made of the same once already.
            if let Ok(new) = automaton(&self.spec, &self.limits) {
                self.automaton = new;
                self.inner[1..].fill(StateID::MISSING);
                self.outer.truncate(1);
            }
        }
        self.limit.is_some()
    }

    /// Asks once more in the new automaton if a bound is hit: what others had left in the old one
    /// may have been too much.
    fn twice<T>(&mut self, ask: impl Fn(&mut Self) -> T) -> T {
        let is_past_limit = self.limit.is_some();
        let answer = ask(self);
        if is_past_limit || self.limit.is_none() {
            return answer;
        }
        self.limit = None;
        ask(self)
    }

    /// The automaton's number for a state.
    fn inner(&mut self, state: State) -> StateID {
        let mut missing = Vec::new();
        let mut at = state;
        while !self.inner[at.0 as usize].is_valid() {
            missing.push(at);
            match self.ways[at.0 as usize] {
                Way::After(before, _) => at = before,
                Way::Start(_) => break,
            }
        }
        for at in missing.into_iter().rev() {
            let inner = match &self.ways[at.0 as usize] {
                Way::Start(lexemes) => self.inner_start(&Arc::clone(lexemes)),
                &Way::After(before, byte) => self.inner_after(self.inner[before.0 as usize], byte),
            };
            if self.limit.is_some() {
                return StateID::DEAD;
            }
            self.inner[at.0 as usize] = inner;
            self.number(inner, at);
        }
        self.inner[state.0 as usize]
    }

    fn inner_start(&mut self, lexemes: &[u32]) -> StateID {
        let mut set = self.spec.alloc_lexeme_set();
        for &lexeme in lexemes {
            set.add(LexemeIdx(lexeme));
        }
        let state = self.automaton.initial_state(&set);
        if self.is_past_limit() { StateID::DEAD } else { state }
    }

    /// The state after `byte`; dead once a bound has been hit.
    fn inner_after(&mut self, state: StateID, byte: u8) -> StateID {
        if self.limit.is_some() {
            return StateID::DEAD;
        }
        self.automaton.set_fuel(FUEL);
        let next = self.automaton.transition(state, byte);
        if self.is_past_limit() { StateID::DEAD } else { next }
    }

    /// The state of the automaton's number: `new`, if it has none yet.
    fn number(&mut self, inner: StateID, new: State) -> State {
        let number = inner.as_usize();
        if self.outer.len() <= number {
            self.outer.resize(number + 1, DEAD);
        }
        if self.outer[number] == DEAD && !inner.is_dead() {
            self.outer[number] = new;
        }
        self.outer[number]
    }

    /// The state of the automaton's number, which is reached this way.
    fn outer(&mut self, inner: StateID, way: impl FnOnce() -> Way) -> State {
        let new = State(self.ways.len() as u32);
        let state = self.number(inner, new);
        if state == new {
            self.ways.push(way());
            self.inner.push(inner);
        }
        state
    }

    /// The state before `lexemes`, which are rising.
    pub fn start(&mut self, lexemes: &[u32]) -> State {
        if let Some(&state) = self.starts.get(lexemes) {
            return state;
        }
        let inner = self.twice(|lexer| lexer.inner_start(lexemes));
        let lexemes: Arc<[u32]> = lexemes.into();
        let state = self.outer(inner, || Way::Start(Arc::clone(&lexemes)));
        if self.limit.is_none() {
            if self.starts.len() >= MAX_KEPT {
                self.starts.clear();
            }
            self.starts.insert(lexemes, state);
        }
        state
    }

    pub fn step(&mut self, state: State, byte: u8) -> Step {
        let next = self.twice(|lexer| {
            let inner = lexer.inner(state);
            lexer.inner_after(inner, byte)
        });
        let is_done = next.has_lowest_match();
        match self.outer(next, || Way::After(state, byte)) {
            DEAD => Step::Dead,
            next if is_done => Step::Done(next),
            next => Step::On(next),
        }
    }

    /// The state after `byte`, whether it completes something or not.
    pub fn after(&mut self, state: State, byte: u8) -> State {
        match self.step(state, byte) {
            Step::Dead => DEAD,
            Step::On(next) | Step::Done(next) => next,
        }
    }

    /// Whether a state can only end here.
    pub fn must_end(&mut self, state: State) -> bool {
        let inner = self.inner(state);
        self.automaton.next_byte(inner) == NextByte::ForcedEOI
    }

    fn describe(&mut self, state: State) -> &StateDesc {
        let inner = self.inner(state);
        self.automaton.state_desc(inner)
    }

    /// The lexemes that are complete in a state and could go on.
    pub fn complete(&mut self, state: State) -> Vec<u32> {
        self.describe(state).greedy_accepting.as_slice().iter().map(|l| l.0).collect()
    }

    /// The lexemes that [`Step::Done`] completes.
    pub fn done(&mut self, state: State) -> Vec<u32> {
        self.describe(state).lazy_accepting.as_slice().iter().map(|l| l.0).collect()
    }

    /// How many bytes at the end of what [`Step::Done`] completes are not part of the text.
    pub fn hidden(&mut self, state: State) -> usize {
        self.describe(state).lazy_hidden_len as usize
    }

    /// The lexeme among the possible ones of `state` that `token`, as one token, is.
    pub fn special(&mut self, state: State, token: TokenId) -> Option<u32> {
        let possible = self.describe(state).possible.clone();
        let found = possible.iter().find(|&l| self.spec.lexeme_spec(l).contains_token(token));
        found.map(|l| l.0)
    }

    fn only(&self, lexeme: LexemeIdx) -> LexemeSet {
        let mut set = self.spec.alloc_lexeme_set();
        set.add(lexeme);
        set
    }

    /// Whether a lexeme is one token of the model and not text.
    pub fn is_special(&self, lexeme: u32) -> bool {
        !self.spec.token_range_lexemes(&self.only(LexemeIdx(lexeme))).is_empty()
    }

    /// What a lexeme matches, in llguidance's notation.
    pub fn description(&self, lexeme: u32) -> String {
        self.spec.lexeme_def_to_string(LexemeIdx(lexeme))
    }

    /// Whether all lexemes that can start in `state` can only start with `bytes`.
    pub fn are_forced(&mut self, state: State, bytes: &[u8]) -> bool {
        let lexemes = self.describe(state).possible.clone();
        let mut specs = lexemes.iter().map(|lexeme| self.spec.lexeme_spec(lexeme));
        !lexemes.is_empty() && specs.all(|spec| self.spec.has_forced_bytes(spec, bytes))
    }

    /// The bytes that may come in `state`, where `after` is the state before whatever follows what
    /// is complete in it.
    pub fn mask(&mut self, state: State, after: State) -> ByteSet {
        if let Some(&known) = self.masks.get(&(state, after)) {
            return known;
        }
        let then = if self.complete(state).is_empty() { DEAD } else { after };
        let mask = self.twice(|lexer| {
            let mut mask = ByteSet::default();
            let (here, then) = (lexer.inner(state), lexer.inner(then));
            for byte in 0..TokTrie::SPECIAL_TOKEN_MARKER {
                if !lexer.inner_after(here, byte).is_dead() || !lexer.inner_after(then, byte).is_dead() {
                    mask.insert(byte);
                }
            }
            mask
        });
        if self.limit.is_none() {
            if self.masks.len() >= MAX_KEPT {
                self.masks.clear();
            }
            self.masks.insert((state, after), mask);
        }
        mask
    }

    /// Whether `lexeme`, among what is under way in `state`, can take another byte.
    pub fn goes_on(&mut self, state: State, lexeme: u32) -> bool {
        self.twice(|lexer| lexer.goes_on_once(state, lexeme))
    }

    fn goes_on_once(&mut self, state: State, lexeme: u32) -> bool {
        let inner = self.inner(state);
        if !self.automaton.state_desc(inner).possible.contains(LexemeIdx(lexeme)) {
            return false;
        }
        let only = self.only(LexemeIdx(lexeme));
        let alone = self.automaton.limit_state_to(inner, &only);
        let goes_on = !alone.is_dead() && self.automaton.next_byte(alone) != NextByte::ForcedEOI;
        goes_on && !self.is_past_limit()
    }

    /// The shortest bytes after `state` that complete `lexeme`, the most readable of them. None at
    /// all if it is complete already and may be left so (`as_is`).
    ///
    /// # Errors
    /// If the search goes past a bound.
    pub fn shortest(&mut self, state: State, lexeme: u32, as_is: bool) -> Result<Option<Vec<u8>>, GaveUp> {
        self.twice(|lexer| lexer.search(state, lexeme, as_is))
    }

    fn search(&mut self, state: State, lexeme: u32, as_is: bool) -> Result<Option<Vec<u8>>, GaveUp> {
        let lexeme = LexemeIdx(lexeme);
        let start = self.inner(state);
        if self.limit.is_some() {
            return Err(GaveUp { at_least: 0 });
        }
        let start_desc = self.automaton.state_desc(start);
        if !start_desc.possible.contains(lexeme) {
            return Ok(None);
        }
        if as_is && start_desc.greedy_accepting.contains(lexeme) {
            return Ok(Some(Vec::new()));
        }
        // Each state with the one it was reached from, the byte, and the length so far.
        let mut reached: Vec<(StateID, usize, u8, u32)> = vec![(start, 0, 0, 0)];
        let mut seen: HashSet<StateID> = HashSet::from([start]);
        let mut at = 0;
        let (mut last, end) = 'search: loop {
            let Some(&(from, .., length)) = reached.get(at) else { return Ok(None) };
            if at >= MAX_SEARCHED {
                return Err(GaveUp { at_least: length + 1 });
            }
            for byte in READABLE {
                let next = self.inner_after(from, byte);
                if self.limit.is_some() {
                    return Err(GaveUp { at_least: length + 1 });
                }
                if next.is_dead() {
                    continue;
                }
                let is_done = next.has_lowest_match();
                let desc = self.automaton.state_desc(next);
                let complete = if is_done { &desc.lazy_accepting } else { &desc.greedy_accepting };
                if complete.contains(lexeme) {
                    break 'search (at, byte);
                }
                if !is_done && desc.possible.contains(lexeme) && seen.insert(next) {
                    reached.push((next, at, byte, length + 1));
                }
            }
            at += 1;
        };
        let mut word = vec![end];
        while last > 0 {
            word.push(reached[last].2);
            last = reached[last].1;
        }
        word.reverse();
        Ok(Some(word))
    }

    /// The bytes with which `lexeme`, among what is under way in `state`, goes on.
    pub fn going(&mut self, state: State, lexeme: u32) -> ByteSet {
        let goes_on = |&byte: &u8| match self.step(state, byte) {
            Step::Dead => false,
            Step::On(next) => self.describe(next).possible.contains(LexemeIdx(lexeme)),
            Step::Done(next) => self.done(next).contains(&lexeme),
        };
        (0..TokTrie::SPECIAL_TOKEN_MARKER).filter(goes_on).collect()
    }

    /// The bytes that `lexeme` can start with.
    pub fn first_bytes(&mut self, lexeme: u32) -> ByteSet {
        let start = self.start(&[lexeme]);
        self.mask(start, DEAD)
    }
}

fn automaton(spec: &LexerSpec, limits: &ParserLimits) -> Result<RegexVec, String> {
    let mut automaton = spec.to_regex_vec(&mut limits.clone()).map_err(|e| e.to_string())?;
    automaton.set_max_states(MAX_STATES);
    Ok(automaton)
}
