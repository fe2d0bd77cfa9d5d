//! The reasons of all tokens of a vocabulary at one place, small enough to be kept.
//!
//! Tokens share their first bytes, so the vocabulary is walked once as a trie, and what is refused
//! after the same bytes is refused for the same reason: a token holds only the number of that place.
//! The whole [`Reason`](super::Reason) of a token is made when somebody looks at it.

use toktrie::{TokTrie, TrieNode};

use super::walk::{Visit, tokens_under, walk_tokens};
use super::{At, Expected, Explainer, Reason};
use crate::engine::allowed::AllowedSet;
use crate::engine::constraint::ConstraintStop;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

/// Why each token of a vocabulary may come at a place, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// A [class](Class) from the top of the numbers, or the number of a place in `places`.
    of: Box<[u32]>,
    places: Vec<Failing>,
    counts: [usize; Class::ALL.len()],
}

/// A place inside of tokens at which the grammar refuses the next byte: all of them have the same
/// bytes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// How many bytes of each may come.
    pub accepted: usize,
    /// One of the tokens.
    pub sample: TokenId,
    /// How many tokens it is the place of.
    pub tokens: usize,
}

/// The kinds of reasons, without what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// It may come.
    Allowed,
    /// One of its bytes may not come.
    Byte,
    /// Its text is cut into other tokens here; at the start of an answer also: it ends within the prompt's last.
    Tokenization,
    /// A special token that the grammar does not name here.
    Special,
    /// The end, but the text is not complete.
    Incomplete,
    /// An id without a token.
    Padding,
    /// The parser or the lexer has given up.
    Limit,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Allowed,
        Self::Byte,
        Self::Tokenization,
        Self::Special,
        Self::Incomplete,
        Self::Padding,
        Self::Limit,
    ];

    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Byte => "byte",
            Self::Tokenization => "tokenization",
            Self::Special => "special",
            Self::Incomplete => "incomplete",
            Self::Padding => "padding",
            Self::Limit => "limit",
        }
    }

    /// The number that stands for it in place of a place's.
    fn code(self) -> u32 {
        u32::MAX - self as u32
    }

    fn of_code(code: u32) -> Self {
        Self::ALL.into_iter().find(|class| class.code() == code).unwrap_or(Self::Byte)
    }
}

impl Reasons {
    /// The class of `token`'s reason.
    pub fn class(&self, token: TokenId) -> Class {
        self.of.get(token as usize).map_or(Class::Padding, |&code| Class::of_code(code))
    }

    /// The place at which `token` is refused, if that is for one of its bytes.
    pub fn failing(&self, token: TokenId) -> Option<&Failing> {
        self.places.get(*self.of.get(token as usize)? as usize)
    }

    /// How many tokens have a reason of this class.
    pub fn count(&self, class: Class) -> usize {
        self.counts[class as usize]
    }

    /// Every place at which tokens are refused, that of the most tokens first.
    pub fn places(&self) -> &[Failing] {
        &self.places
    }

    /// All tokens of one class.
    fn all(len: usize, class: Class, vocabulary: &Vocabulary) -> Self {
        let code = |token| if vocabulary.is_padding(token) { Class::Padding } else { class }.code();
        Self::counted((0..len as TokenId).map(code).collect(), Vec::new())
    }

    /// The places with the most tokens first.
    fn sorted(mut of: Box<[u32]>, places: Vec<Failing>) -> Self {
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|&place| std::cmp::Reverse(places[place].tokens));
        let mut moved = vec![0_u32; places.len()];
        order.iter().zip(0..).for_each(|(&from, to)| moved[from] = to);
        for code in &mut of {
            *code = moved.get(*code as usize).copied().unwrap_or(*code);
        }
        Self::counted(of, order.into_iter().map(|place| places[place]).collect())
    }

    fn counted(of: Box<[u32]>, places: Vec<Failing>) -> Self {
        let mut counts = [0; Class::ALL.len()];
        of.iter().for_each(|&code| counts[Class::of_code(code) as usize] += 1);
        Self { of, places, counts }
    }
}

/// Why `token` may come, or not, where a model still thinks. `allowed` is what its step recorded: there
/// the grammar has not begun.
pub fn while_thinking(allowed: &AllowedSet, token: TokenId, vocabulary: &Vocabulary) -> Reason {
    if vocabulary.is_padding(token) {
        return Reason::Padding;
    }
    if allowed.contains(token) {
        return Reason::Allowed { ends: false };
    }
    let only =
        (allowed.count() == 1).then(|| (0..vocabulary.len() as TokenId).find(|&t| allowed.contains(t)));
    let control = vocabulary.is_special(token) || vocabulary.is_eos(token);
    Reason::Thinking { forced: only.flatten(), control }
}

impl At<'_> {
    /// Why each token may come here, or not. One walk over the vocabulary.
    pub fn all(&mut self) -> Reasons {
        let vocabulary = self.explainer.vocabulary.clone();
        if self.stop.is_none() {
            match self.walk_all(&vocabulary) {
                Ok(reasons) => return reasons,
                Err(stop) => self.stop = Some(stop),
            }
        }
        Reasons::all(vocabulary.len(), Class::Limit, &vocabulary)
    }

    /// Says of each terminal that is `expected` here how many of the tokens that may come begin with it:
    /// go on with it, if it has begun. A token may count for several.
    pub fn count(&mut self, reasons: &Reasons, expected: &mut Expected) {
        let Explainer { names, compiled, vocabulary, .. } = &mut *self.explainer;
        let Some(openings) = names.openings(&self.before, compiled, vocabulary) else { return };
        if self.of_prompt > 0 || openings.len() != expected.terminals.len() {
            return;
        }
        let mut by_first = [0_usize; 256];
        let allowed = (0..vocabulary.len() as TokenId).filter(|&t| reasons.class(t) == Class::Allowed);
        for token in allowed.filter(|&token| !vocabulary.is_special(token)) {
            vocabulary.bytes(token).first().into_iter().for_each(|&byte| by_first[usize::from(byte)] += 1);
        }
        for (terminal, opening) in expected.terminals.iter_mut().zip(openings) {
            let tokens = || opening.iter().map(|byte| by_first[usize::from(byte)]).sum();
            terminal.tokens = (!opening.is_empty()).then(tokens);
        }
    }

    fn walk_all(&mut self, vocabulary: &Vocabulary) -> Result<Reasons, ConstraintStop> {
        let trie = vocabulary.trie();
        let unseen = Class::Padding.code();
        let of = vec![unseen; vocabulary.len()].into_boxed_slice();
        let mut found = Found { trie, forced: self.forced, shortest: self.of_prompt, of, places: Vec::new() };
        let mut place = None;
        for first in trie.node_children(trie.root()) {
            if first.byte() == TokTrie::SPECIAL_TOKEN_MARKER {
                continue;
            }
            let (pending, found, place) = (&self.pending, &mut found, &mut place);
            // Each part has the limits of a mask, so that the whole is not held to those of one.
            let constraint = &mut self.explainer.constraint;
            let ((), named) =
                constraint.probe(|probe| walk_tokens(probe, pending, trie, first, place, found))?;
            self.named = Some(named);
        }
        let Found { mut of, places, .. } = found;
        for token in 0..of.len() as TokenId {
            if of[token as usize] != unseen || vocabulary.is_padding(token) {
                continue;
            }
            let ends = vocabulary.is_eos(token);
            of[token as usize] = if !vocabulary.is_special(token) {
                // Begins with the byte that marks special tokens, which no text has.
                Class::Byte.code()
            } else if self.allows_special(token, ends) {
                Class::Allowed.code()
            } else if ends {
                Class::Incomplete.code()
            } else {
                Class::Special.code()
            };
        }
        Ok(Reasons::sorted(of, places))
    }
}

/// What a walk along all tokens has found.
struct Found<'t> {
    trie: &'t TokTrie,
    forced: Option<TokenId>,
    /// The fewest bytes that a token may have.
    shortest: usize,
    of: Box<[u32]>,
    places: Vec<Failing>,
}

impl<'t> Visit<'t> for Found<'t> {
    fn accept(&mut self, token: TokenId) {
        let is_whole = self.trie.token_len(token) >= self.shortest;
        let allowed = is_whole && self.forced.is_none_or(|forced| forced == token);
        let class = if allowed { Class::Allowed } else { Class::Tokenization };
        self.set(token, class.code());
    }

    fn refuse(&mut self, accepted: usize, node: &'t TrieNode, place: &mut Option<u32>) {
        let number = *place.get_or_insert(self.places.len() as u32);
        let trie = self.trie;
        tokens_under(trie, node, |token| {
            match self.places.get_mut(number as usize) {
                Some(place) => place.tokens += 1,
                None => self.places.push(Failing { accepted, sample: token, tokens: 1 }),
            }
            self.set(token, number);
        });
    }
}

impl Found<'_> {
    fn set(&mut self, token: TokenId, code: u32) {
        if let Some(known) = self.of.get_mut(token as usize) {
            *known = code;
        }
    }
}
