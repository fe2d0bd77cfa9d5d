//! What words do within the lexeme under way, whatever the grammar makes of it.
//!
//! As long as a word stays in one lexeme, the lexer alone says how it goes on. So the walk over words is taken
//! apart: what it finds before the first lexeme ends is worked out once for a state of the lexer, and what is
//! left for each place is to go on from the ends. This file must never ask what the grammar allows.

use std::ops::Range;
use std::sync::Arc;

use llguidance::toktrie::SimpleVob;

use super::slices::{Inside, NONE, TEXT, Words};

/// Tokens from which on a mask is kept and not a list.
const MANY: usize = 1024;

/// What the words after a node, or all words, do in a state of the lexer until their first lexeme ends.
#[derive(Default)]
pub(super) struct Within {
    /// Those that stay in the lexeme.
    few: Vec<u32>,
    many: Option<SimpleVob>,
    /// And those of slices that the state takes: a cut and the place of the slice in it.
    slices: Vec<(u32, u32)>,
    /// And texts of no more characters.
    upto: Option<usize>,
    /// What is matched, and the node with whose byte the next lexeme begins; by what is matched.
    pub ends: Vec<(u32, u32)>,
    /// What is matched, and the node whose byte is the last one of the lexeme; by what is matched.
    pub closes: Vec<(u32, u32)>,
}

/// What a byte does to a lexeme.
pub(super) enum Step<S> {
    /// It goes on.
    On(S),
    /// It is over, and the byte is the first one of the next.
    Ends(u32),
    /// The byte is its last one.
    Closes(u32),
    Dead,
}

/// A lexer without a grammar.
pub(super) trait Lexing {
    type State: Copy;

    /// Where a byte leads. When nobody waits any more every byte is [`Dead`](Step::Dead), so that a walk ends.
    fn step(&mut self, state: Self::State, byte: u8) -> Step<Self::State>;

    /// Whether a state takes every text of a slice.
    fn takes(&mut self, state: Self::State, slice: usize) -> bool;

    /// Where every character of a text leads from a state.
    fn character(&mut self, state: Self::State) -> Characters<Self::State>;
}

/// What the characters of a text do to a lexeme.
#[derive(Clone, Copy)]
pub(super) enum Characters<S> {
    /// Each leads to the same state.
    On(S),
    /// None may come.
    Dead,
    /// Neither.
    Differ,
}

impl Within {
    /// Allows the words that stay in the lexeme.
    pub fn allow(&self, words: &Words, mask: &mut SimpleVob) {
        self.few.iter().for_each(|&token| mask.allow_token(token));
        if let Some(many) = &self.many {
            mask.or(many);
        }
        if let Some(count) = self.upto {
            mask.or(&words.texts.upto[count]);
        }
        for &(cut, slice) in &self.slices {
            match &words.cuts[cut as usize].slices[slice as usize].inside {
                Inside::Few(tokens) => tokens.iter().for_each(|&token| mask.allow_token(token)),
                Inside::Many(many) => mask.or(many),
            }
        }
    }

    /// Bytes, about.
    pub fn size(&self) -> usize {
        let many = self.many.as_ref().map_or(0, |mask| size_of_val(mask.as_slice()));
        let pairs = self.slices.len() + self.ends.len() + self.closes.len();
        size_of::<Self>() + 4 * self.few.len() + many + 8 * pairs
    }
}

impl Words {
    /// How many nodes come after `node`; after [`NONE`] come all words.
    pub fn size_after(&self, node: u32) -> usize {
        self.nodes.get(node as usize).map_or(self.all.len(), |node| node.size as usize - 1)
    }

    /// The token that ends at a node, or [`NONE`], and its byte.
    pub fn at(&self, node: u32) -> (u32, u8) {
        self.nodes.get(node as usize).map_or((NONE, 0), |node| (node.token, node.byte))
    }

    /// The cut after a node, the nodes after it, and how many bytes words have there.
    pub fn after(&self, node: u32) -> (u32, Range<usize>, u16) {
        match self.nodes.get(node as usize) {
            Some(found) => (found.cut, node as usize + 1..(node + found.size) as usize, found.depth),
            None => (self.start, self.all.clone(), 0),
        }
    }

    /// What the words after a node do in a state.
    pub fn within<L: Lexing>(&self, node: u32, state: L::State, lexer: &mut L) -> Arc<Within> {
        let mut found = Within::default();
        let (cut, range, depth) = self.after(node);
        if node != NONE || !self.stay_in_text(state, lexer, &mut found) {
            self.stay(cut, range, depth, &mut vec![state], lexer, &mut found);
        }
        found.ends.sort_unstable();
        found.closes.sort_unstable();
        if found.few.len() >= MANY {
            let mut many = self.env.tok_trie().alloc_token_set();
            found.few.drain(..).for_each(|token| many.allow_token(token));
            found.many = Some(many);
        }
        found.few.shrink_to_fit();
        found.ends.shrink_to_fit();
        Arc::new(found)
    }

    /// The same for all words where a lexeme has room for a text of so many characters and has no other bound: which
    /// characters these are does not matter, so that words which begin with as many of them are walked over together.
    /// False if the state is no such.
    fn stay_in_text<L: Lexing>(&self, state: L::State, lexer: &mut L, found: &mut Within) -> bool {
        // Without a bound, all that is a text is stepped over at once.
        if lexer.takes(state, TEXT) {
            return false;
        }
        let most = self.texts.upto.len() - 1;
        let (mut states, mut ends) = (vec![state], false);
        while states.len() <= most && !ends {
            match lexer.character(states[states.len() - 1]) {
                Characters::On(next) => states.push(next),
                Characters::Dead => ends = true,
                Characters::Differ => return false,
            }
        }
        found.upto = Some(states.len() - 1);
        for (&state, range) in states.iter().zip(&self.texts.after) {
            self.stay(NONE, range.clone(), 0, &mut vec![state], lexer, found);
        }
        if !ends {
            self.stay(NONE, self.texts.long.clone(), 0, &mut vec![state], lexer, found);
        }
        true
    }

    /// Walks over the words in `range`, or over those that are left of them after a slice of `cut`. The last one
    /// of the states is that before them.
    fn stay<L: Lexing>(
        &self,
        cut: u32,
        mut range: Range<usize>,
        depth: u16,
        states: &mut Vec<L::State>,
        lexer: &mut L,
        found: &mut Within,
    ) {
        let before = states.len();
        let Some(&state) = states.last() else { return };
        if let Some(slices) = self.cuts.get(cut as usize).map(|cut| &cut.slices)
            && let Some(taken) = slices.iter().position(|slice| lexer.takes(state, slice.index))
        {
            found.slices.push((cut, taken as u32));
            range = slices[taken].rest.clone();
        }
        let Range { start: mut p, end } = range;
        while p < end {
            let node = self.nodes[p];
            states.truncate(before + usize::from(node.depth - depth) - 1);
            let Some(&state) = states.last() else { return };
            let next = match lexer.step(state, node.byte) {
                Step::On(next) => next,
                other => {
                    match other {
                        Step::Ends(matched) => found.ends.push((matched, p as u32)),
                        Step::Closes(matched) => found.closes.push((matched, p as u32)),
                        Step::On(_) | Step::Dead => {}
                    }
                    p += node.size as usize;
                    continue;
                }
            };
            states.push(next);
            if node.token != NONE {
                found.few.push(node.token);
            }
            if node.cut != NONE {
                let (cut, range, depth) = self.after(p as u32);
                self.stay(cut, range, depth, states, lexer, found);
                p += node.size as usize;
            } else {
                p += 1;
            }
        }
        states.truncate(before);
    }
}
