//! Follows the tokens of one text from place to place, when a mask is asked for and not before.
//!
//! It must never name a place after a token that it cannot follow, nor wait for another thread that asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llguidance::api::ParserLimits;
use llguidance::earley::CGrammar;
use llguidance::toktrie::TokTrie;

use super::ahead::Seat;
use super::question::Question;
use super::{Known, Place};
use crate::engine::constraint::stop::{Over, Stop};
use crate::engine::trace::TokenId;

/// Bytes of a text that one question follows at most, a few milliseconds; the next goes on from there.
const FOLLOWED: usize = 100_000;

/// What all copies of one compiled grammar's parser share.
pub(in crate::engine::constraint) struct Shared {
    limits: ParserLimits,
    /// Whether what is ignored may come once at most between two lexemes; `None` if that is not known.
    ignores_once: Option<bool>,
    known: Mutex<Slot>,
}

/// What is known, once it was asked for.
#[derive(Default)]
pub(super) enum Slot {
    #[default]
    Unasked,
    /// The grammar's places are not to be followed, or it takes too much to begin.
    Off,
    Made(Box<Known>),
}

impl Slot {
    pub fn known(&mut self) -> Option<&mut Known> {
        match self {
            Self::Made(known) => Some(known),
            Self::Unasked | Self::Off => None,
        }
    }
}

impl Shared {
    /// `None` if another thread asks just now.
    fn slot(&self) -> Option<MutexGuard<'_, Slot>> {
        // What a panic has left half done is not used again.
        self.known.try_lock().ok()
    }

    /// How many masks were asked for at places that can be followed, how many of them were known, and how many
    /// bytes all that is known takes, about. Waits for a question under way.
    pub fn use_of(&self) -> Option<[u64; 3]> {
        let mut slot = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        slot.known().map(|known| [known.asked, known.found, known.size() as u64])
    }

    /// Asks something at a place; `None` if llguidance has to answer it.
    pub fn ask<T>(&self, ask: impl FnOnce(&mut Known) -> Option<T>) -> Option<T> {
        ask(self.slot()?.known()?)
    }

    #[cfg(test)]
    pub(super) fn locked(&self) -> MutexGuard<'_, Slot> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the tokens of one text.
#[derive(Clone)]
pub(in crate::engine::constraint) struct Places {
    pub shared: Arc<Shared>,
    /// Before each token and after the last; `None` from where the text cannot be followed.
    pub(super) places: Vec<Option<Place>>,
    age: u32,
}

impl Places {
    /// For a grammar whose places are not to be followed.
    pub fn none() -> Self {
        Self::new(&ParserLimits::default(), None)
    }

    /// For a grammar at its start.
    pub fn new(limits: &ParserLimits, ignores_once: Option<bool>) -> Self {
        let shared = Shared { limits: limits.clone(), ignores_once, known: Mutex::default() };
        Self { shared: Arc::new(shared), places: Vec::new(), age: 0 }
    }

    /// Goes back to the first `count` tokens.
    pub fn truncate(&mut self, count: usize) {
        self.places.truncate(count + 1);
    }

    /// The place after `tokens`, which begin with those of the last time. `None` if it is not known, which it may
    /// be the next time.
    pub fn after(
        &mut self,
        grammar: &CGrammar,
        tokens: &[TokenId],
        trie: &TokTrie,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Option<Place> {
        let shared = Arc::clone(&self.shared);
        let ignores_once = shared.ignores_once?;
        let mut slot = shared.slot()?;
        if matches!(*slot, Slot::Unasked) {
            let mut stop = Stop::new(is_cancelled, usize::MAX, u64::MAX);
            let known = Known::new(grammar, &shared.limits, ignores_once, &mut stop);
            *slot = match known {
                Some(known) => Slot::Made(Box::new(known)),
                // It was not the grammar's fault.
                None if stop.over() == Some(Over::Cancelled) => return None,
                None => Slot::Off,
            };
        }
        let mut question = slot.known()?.ask(is_cancelled)?;
        if self.age != question.known.age || self.places.is_empty() {
            self.places.clear();
            self.age = question.known.age;
            let first = question.first_place();
            if question.is_lost() {
                return None;
            }
            self.places.push(Some(first));
        }
        self.follow(&mut question, tokens, trie)
    }

    fn follow(&mut self, question: &mut Question<'_>, tokens: &[TokenId], trie: &TokTrie) -> Option<Place> {
        let (mut followed, begun) = (0, self.places.len());
        for &token in tokens.get(self.places.len() - 1..)? {
            let mut at = self.places[self.places.len() - 1];
            let bytes = trie.token(token);
            followed += 1 + bytes.len();
            if followed > FOLLOWED && self.places.len() > begun {
                return None;
            }
            for &byte in bytes {
                at = at.and_then(|at| question.advance(&mut Seat::at(at), byte));
            }
            match question.stop.over() {
                Some(Over::Cancelled) => return None,
                // The next question has all of its bounds for it.
                Some(Over::Spent) if self.places.len() > begun => return None,
                Some(Over::Spent) | None => {}
            }
            let is_text = !bytes.is_empty()
                && bytes[0] != TokTrie::SPECIAL_TOKEN_MARKER
                && !trie.eos_tokens().contains(&token);
            self.places.push(at.filter(|_| is_text && !question.is_lost()));
            if question.is_lost() {
                return None;
            }
        }
        self.places[self.places.len() - 1]
    }
}
