//! The lexemes of a grammar as one automaton, made from the same expressions as llguidance's own.
//!
//! All forks of a shadow parser share one: what a fork has worked out is there for the others. Its
//! work is bounded; past the bound it says so and never guesses.

use std::collections::{HashMap, HashSet};

use llguidance::api::ParserLimits;
use llguidance::derivre::{NextByte, StateID};
use llguidance::earley::lexerspec::{LexemeIdx, LexerSpec};
use llguidance::earley::regexvec::{LexemeSet, RegexVec};
use llguidance::toktrie::TokTrie;

use super::predict::Predictions;
use super::set::ByteSet;
use crate::engine::trace::TokenId;

/// A state: what has been read of the lexemes that are possible.
pub(super) type State = StateID;

/// No lexeme goes on.
pub(super) const DEAD: State = StateID::DEAD;

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

/// The automaton and what is known about it.
pub(super) struct Lexer {
    automaton: RegexVec,
    spec: LexerSpec,
    starts: HashMap<Vec<u32>, State>,
    masks: HashMap<(State, State), ByteSet>,
    /// Whether a search for a shortest text has ended before it was through.
    is_cut: bool,
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
        let mut limits = limits.clone();
        let mut automaton = spec.to_regex_vec(&mut limits).map_err(|e| e.to_string())?;
        automaton.set_max_states(MAX_STATES);
        Ok(Self {
            automaton,
            spec,
            starts: HashMap::new(),
            masks: HashMap::new(),
            is_cut: false,
            predictions: Predictions::default(),
        })
    }

    /// The state before `lexemes`, which are rising.
    pub fn start(&mut self, lexemes: &[u32]) -> State {
        if let Some(&state) = self.starts.get(lexemes) {
            return state;
        }
        let mut set = self.spec.alloc_lexeme_set();
        for &lexeme in lexemes {
            set.add(LexemeIdx(lexeme));
        }
        let state = self.automaton.initial_state(&set);
        if self.starts.len() >= MAX_KEPT {
            self.starts.clear();
        }
        self.starts.insert(lexemes.to_vec(), state);
        state
    }

    pub fn step(&mut self, state: State, byte: u8) -> Step {
        self.automaton.set_fuel(FUEL);
        let next = self.automaton.transition(state, byte);
        if next.is_dead() {
            Step::Dead
        } else if next.has_lowest_match() {
            Step::Done(next)
        } else {
            Step::On(next)
        }
    }

    /// The state after `byte`, whether it completes something or not.
    pub fn after(&mut self, state: State, byte: u8) -> State {
        self.automaton.set_fuel(FUEL);
        self.automaton.transition(state, byte)
    }

    /// Whether a state can only end here.
    pub fn must_end(&mut self, state: State) -> bool {
        self.automaton.next_byte(state) == NextByte::ForcedEOI
    }

    /// The lexemes that are complete in a state and could go on.
    pub fn complete(&self, state: State) -> &[LexemeIdx] {
        self.automaton.state_desc(state).greedy_accepting.as_slice()
    }

    /// The lexemes that [`Step::Done`] completes.
    pub fn done(&self, state: State) -> &[LexemeIdx] {
        self.automaton.state_desc(state).lazy_accepting.as_slice()
    }

    /// How many bytes at the end of what [`Step::Done`] completes are not part of the text.
    pub fn hidden(&self, state: State) -> usize {
        self.automaton.state_desc(state).lazy_hidden_len as usize
    }

    /// The lexemes that are under way in a state, or could start.
    pub fn possible(&self, state: State) -> &LexemeSet {
        &self.automaton.state_desc(state).possible
    }

    /// The lexeme among the possible ones of `state` that `token`, as one token, is.
    pub fn special(&self, state: State, token: TokenId) -> Option<u32> {
        let found = self.possible(state).iter().find(|&l| self.spec.lexeme_spec(l).contains_token(token));
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

    /// Whether all of `lexemes` can only go on with `bytes` from their start.
    pub fn are_forced(&self, lexemes: &LexemeSet, bytes: &[u8]) -> bool {
        let mut any = false;
        for lexeme in lexemes.iter() {
            let spec = self.spec.lexeme_spec(lexeme);
            if !self.spec.has_forced_bytes(spec, bytes) {
                return false;
            }
            any = true;
        }
        any
    }

    /// The bytes that may come in `state`, where `after` is the state before whatever follows what
    /// is complete in it.
    pub fn mask(&mut self, state: State, after: State) -> ByteSet {
        if let Some(&known) = self.masks.get(&(state, after)) {
            return known;
        }
        let mut mask = ByteSet::default();
        let is_complete = !self.complete(state).is_empty();
        for byte in 0..TokTrie::SPECIAL_TOKEN_MARKER {
            let goes_on = !self.after(state, byte).is_dead();
            if goes_on || (is_complete && !self.after(after, byte).is_dead()) {
                mask.insert(byte);
            }
        }
        if self.limit().is_none() {
            if self.masks.len() >= MAX_KEPT {
                self.masks.clear();
            }
            self.masks.insert((state, after), mask);
        }
        mask
    }

    /// Whether `lexeme`, among what is under way in `state`, can take another byte.
    pub fn goes_on(&mut self, state: State, lexeme: u32) -> bool {
        if !self.possible(state).contains(LexemeIdx(lexeme)) {
            return false;
        }
        let only = self.only(LexemeIdx(lexeme));
        let alone = self.automaton.limit_state_to(state, &only);
        !alone.is_dead() && !self.must_end(alone)
    }

    /// The shortest bytes after `state` that complete `lexeme`, the most readable of them. None at
    /// all if it is complete already and may be left so (`as_is`).
    pub fn shortest(&mut self, state: State, lexeme: u32, as_is: bool) -> Option<Vec<u8>> {
        let lexeme = LexemeIdx(lexeme);
        if !self.possible(state).contains(lexeme) {
            return None;
        }
        if as_is && self.complete(state).contains(&lexeme) {
            return Some(Vec::new());
        }
        // Each state with the one it was reached from and the byte.
        let mut reached: Vec<(State, usize, u8)> = vec![(state, 0, 0)];
        let mut seen: HashSet<State> = HashSet::from([state]);
        let mut at = 0;
        let (mut last, end) = 'search: loop {
            let (from, ..) = *reached.get(at)?;
            if at >= MAX_SEARCHED {
                self.is_cut = true;
                return None;
            }
            for byte in READABLE {
                let (next, done) = match self.step(from, byte) {
                    Step::Dead => continue,
                    Step::Done(next) => (next, true),
                    Step::On(next) => (next, false),
                };
                let complete = if done { self.done(next) } else { self.complete(next) };
                if complete.contains(&lexeme) {
                    break 'search (at, byte);
                }
                if !done && self.possible(next).contains(lexeme) && seen.insert(next) {
                    reached.push((next, at, byte));
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
        Some(word)
    }

    /// The bytes that `lexeme` can start with.
    pub fn first_bytes(&mut self, lexeme: u32) -> ByteSet {
        let start = self.start(&[lexeme]);
        self.mask(start, DEAD)
    }

    /// Whether a bound was ever hit: what was not found may be there all the same.
    pub fn gave_up(&self) -> bool {
        self.is_cut || self.limit().is_some()
    }

    /// The bound that was hit, if one was: nothing that was said since can be relied on.
    pub fn limit(&self) -> Option<String> {
        self.automaton.get_error()
    }
}
