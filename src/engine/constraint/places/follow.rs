//! Follows the tokens of one text from place to place, when a mask is asked for and not before.
//!
//! It must never name a place after a token that it cannot follow.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use llguidance::api::ParserLimits;
use llguidance::earley::CGrammar;
use llguidance::toktrie::TokTrie;

use super::ahead::Seat;
use super::{Known, Place};
use crate::engine::trace::TokenId;

/// What all copies of one compiled grammar's parser share.
pub(in crate::engine::constraint) struct Shared {
    limits: ParserLimits,
    /// Whether what is ignored may come once at most between two lexemes; `None` if that is not known.
    ignores_once: Option<bool>,
    known: OnceLock<Option<Mutex<Known>>>,
}

impl Shared {
    pub(super) fn known(&self) -> Option<MutexGuard<'_, Known>> {
        // What a panic has left half done is not used again.
        self.known.get()?.as_ref()?.lock().ok()
    }

    /// How many masks were asked for at places that can be followed, how many of them were known, and how many
    /// bytes all that is known takes, about.
    pub fn use_of(&self) -> Option<[u64; 3]> {
        self.known().map(|known| [known.asked, known.found, known.size() as u64])
    }

    /// Asks for the mask at a place; `None` if llguidance has to compute it.
    pub fn ask<T>(&self, ask: impl FnOnce(&mut Known) -> Option<T>) -> Option<T> {
        ask(&mut *self.known()?)
    }
}

/// Follows the tokens of one text.
#[derive(Clone)]
pub(in crate::engine::constraint) struct Places {
    pub shared: Arc<Shared>,
    /// Before each token and after the last; `None` from where the text cannot be followed.
    places: Vec<Option<Place>>,
    age: u32,
}

impl Places {
    /// For a grammar whose places are not to be followed.
    pub fn none() -> Self {
        Self::new(&ParserLimits::default(), None)
    }

    /// For a grammar at its start.
    pub fn new(limits: &ParserLimits, ignores_once: Option<bool>) -> Self {
        let shared = Shared { limits: limits.clone(), ignores_once, known: OnceLock::new() };
        Self { shared: Arc::new(shared), places: Vec::new(), age: 0 }
    }

    /// Goes back to the first `count` tokens.
    pub fn truncate(&mut self, count: usize) {
        self.places.truncate(count + 1);
    }

    /// The place after `tokens`, which begin with those of the last time.
    pub fn after(&mut self, grammar: &CGrammar, tokens: &[TokenId], trie: &TokTrie) -> Option<Place> {
        let shared = &self.shared;
        let ignores_once = shared.ignores_once?;
        let made = || Known::new(grammar, &shared.limits, ignores_once).map(Mutex::new);
        shared.known.get_or_init(made);
        let known = &mut *shared.known()?;
        known.start();
        if self.age != known.age || self.places.is_empty() {
            self.places.clear();
            self.age = known.age;
            self.places.push(Some(known.first_place()));
        }
        for &token in tokens.get(self.places.len() - 1..)? {
            let mut at = self.places[self.places.len() - 1];
            let bytes = trie.token(token);
            known.renew();
            for &byte in bytes {
                at = at.and_then(|at| known.advance(&mut Seat::at(at), byte));
            }
            let is_text = !bytes.is_empty()
                && bytes[0] != TokTrie::SPECIAL_TOKEN_MARKER
                && !trie.eos_tokens().contains(&token);
            self.places.push(at.filter(|_| is_text && !known.is_lost()));
        }
        self.places[self.places.len() - 1]
    }
}
