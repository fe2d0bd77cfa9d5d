//! Why a token, or a piece of text, may come at a place or not.
//!
//! An [`Explainer`] stands at a place of a text and gives [`Reason`]s: the first byte of a token that
//! may not come and what could come instead, another cut of forced text, a special token against the
//! same text, the end of an incomplete text. It finds the mask anew, byte by byte and without asking
//! for it, so that it can be compared with the mask. It stands at one place at a time and goes from
//! place to place as cheaply as a run does.
//!
//! ```
//! use std::sync::Arc;
//! use maze::engine::explain::{Explainer, Reason};
//! use maze::engine::{DeviceSpec, Engine, GrammarSource, ModelSpec};
//!
//! let engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu)?;
//! let (grammar, _) = engine.compile(&GrammarSource::lark("sum", "start: /[0-9]+/ (\"+\" /[0-9]+/)*"))?;
//! let mut explainer = Explainer::new(grammar, engine.vocabulary().clone());
//! let mut at = explainer.at_text(b"1+")?;
//! let Reason::Byte { accepted, byte, expected, .. } = at.why_text(b"2++") else {
//!     return Err("the second plus may not come".into());
//! };
//! assert_eq!((accepted, byte), (2, b'+'));
//! assert_eq!(expected.bytes, b"0123456789");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use super::constraint::{Constraint, ConstraintStop, Ignore, Mask};
use super::grammar::{self, Compiled};
use super::trace::{FinishReason, TokenId};
use super::vocabulary::Vocabulary;

mod case;
mod names;
mod reason;
mod reasons;
mod walk;
mod words;

pub use case::{Case, Mark, Refusal};
pub use reason::{Crumb, Expected, Finish, Ignored, LimitKind, MOST_SPECIALS, Reason, Terminal, Where};
pub use reasons::{Class, Failing, Reasons, while_thinking};
pub use words::{character_name, completion, listed, sentences};

use names::{Names, Piece};
use walk::{Walk, any_token, walk_text};

/// Explains places of texts of one grammar.
pub struct Explainer {
    vocabulary: Arc<Vocabulary>,
    compiled: Arc<Compiled>,
    constraint: Constraint,
    names: Names,
}

/// A place cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The grammar does not take one of the tokens before it.
    #[error("the grammar does not take token {token}, the {}th of those before the place", index + 1)]
    Refused {
        /// Its number among them, from 0.
        index: usize,
        /// The token.
        token: TokenId,
    },
    /// The text before it leaves the grammar.
    #[error("the text leaves the grammar at byte {taken}, before the place")]
    Left {
        /// How many of its bytes the grammar takes.
        taken: usize,
    },
    /// No token spells a byte of the text before it.
    #[error("{0}")]
    Unspelled(String),
}

impl Explainer {
    /// An explainer at the start of a text.
    pub fn new(compiled: Arc<Compiled>, vocabulary: Arc<Vocabulary>) -> Self {
        let constraint = compiled.constraint();
        Self { vocabulary, compiled, constraint, names: Names::new() }
    }

    /// The same without the names of what is expected, which takes less time.
    pub fn unnamed(compiled: Arc<Compiled>, vocabulary: Arc<Vocabulary>) -> Self {
        let names = Names::none("they were not asked for".into());
        Self { names, ..Self::new(compiled, vocabulary) }
    }

    /// The grammar.
    pub fn grammar(&self) -> &Compiled {
        &self.compiled
    }

    /// Lets the answers that are asked about from here on begin with these bytes, which are the prompt's: those
    /// [of the first step](super::trace::Step::prompt_bytes). A text has none.
    pub fn begin_with(&mut self, of_prompt: &[u8]) {
        if self.constraint.of_prompt() != of_prompt {
            self.constraint = self.compiled.constraint();
            // A token that cannot come is refused when it is asked about.
            let _ = self.constraint.heal(of_prompt);
        }
    }

    /// The place after `tokens`, which are those of an answer from its first one.
    ///
    /// # Errors
    /// [`ExplainError::Refused`] at the first token that the grammar does not take.
    pub fn at(&mut self, tokens: &[TokenId]) -> Result<At<'_>, ExplainError> {
        let had = self.constraint.tokens();
        let common = had.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        let back = had.len() - common;
        if self.constraint.rollback(back, self.compiled.template()).is_err() {
            let of_prompt = self.constraint.of_prompt().to_vec();
            self.constraint = self.compiled.constraint();
            self.begin_with(&of_prompt);
        }
        let mut stop = None;
        for (index, &token) in tokens.iter().enumerate().skip(self.constraint.tokens().len()) {
            match self.constraint.commit(token) {
                Ok(true) => {}
                Ok(false) => return Err(ExplainError::Refused { index, token }),
                Err(stopped) => {
                    stop = Some(stopped);
                    break;
                }
            }
        }
        let mut before = Vec::new();
        for &token in tokens {
            if self.vocabulary.is_special(token) {
                before.push(Piece::Special(token));
            } else {
                before.extend(self.vocabulary.bytes(token).iter().copied().map(Piece::Byte));
            }
        }
        if !tokens.is_empty() {
            before.drain(..self.constraint.of_prompt().len().min(before.len()));
        }
        Ok(self.stand(before, stop))
    }

    /// The place after `text`, whatever its tokens.
    ///
    /// # Errors
    /// [`ExplainError::Left`] if the grammar does not take the text so far.
    pub fn at_text(&mut self, text: &[u8]) -> Result<At<'_>, ExplainError> {
        self.begin_with(&[]);
        let back = self.constraint.tokens().len();
        if self.constraint.rollback(back, self.compiled.template()).is_err() {
            self.constraint = self.compiled.constraint();
        }
        let stop = match self.constraint.feed(text) {
            Ok(fed) if fed.taken < text.len() => return Err(ExplainError::Left { taken: fed.taken }),
            Ok(_) => None,
            Err(stop) if stop.reason == FinishReason::DeadEnd => {
                return Err(ExplainError::Unspelled(stop.message));
            }
            Err(stop) => Some(stop),
        };
        Ok(self.stand(text.iter().copied().map(Piece::Byte).collect(), stop))
    }

    fn stand(&mut self, before: Vec<Piece>, stop: Option<ConstraintStop>) -> At<'_> {
        let mut at = At {
            explainer: self,
            before,
            pending: Vec::new(),
            of_prompt: 0,
            forced: None,
            accepting: false,
            named: None,
            any: None,
            stop,
        };
        if at.stop.is_none() {
            at.stop = at.look().err();
        }
        at
    }
}

/// A place in a text, at which reasons are asked for.
pub struct At<'e> {
    explainer: &'e mut Explainer,
    /// What comes before it.
    before: Vec<Piece>,
    /// The bytes that must come next.
    pending: Vec<u8>,
    /// How many of them are the prompt's.
    of_prompt: usize,
    /// The token that must come next.
    forced: Option<TokenId>,
    accepting: bool,
    /// The special tokens that the grammar's text allows here; known after the first question.
    named: Option<Mask>,
    /// Whether any token of text may come.
    any: Option<bool>,
    /// Why nothing can be said.
    stop: Option<ConstraintStop>,
}

impl At<'_> {
    fn look(&mut self) -> Result<(), ConstraintStop> {
        let constraint = &mut self.explainer.constraint;
        let forced = constraint.forced()?.first().copied();
        self.pending = constraint.pending();
        self.of_prompt = if constraint.tokens().is_empty() { constraint.of_prompt().len() } else { 0 };
        // Where no token spells the first of the bytes, llguidance gives a token of later ones.
        let vocabulary = &self.explainer.vocabulary;
        self.forced =
            forced.filter(|&t| vocabulary.is_special(t) || self.pending.starts_with(vocabulary.bytes(t)));
        self.accepting = self.pending.is_empty() && constraint.is_accepting()?;
        Ok(())
    }

    /// Whether the text before the place is complete.
    pub fn is_complete(&self) -> bool {
        self.accepting
    }

    /// The token that must come here, if the grammar leaves no choice.
    pub fn forced(&self) -> Option<TokenId> {
        self.forced
    }

    /// Why nothing can be said here: a limit of the parser, or a cancel.
    pub fn stopped(&self) -> Option<&ConstraintStop> {
        self.stop.as_ref()
    }

    /// Why `token` may come here, or why not.
    pub fn why(&mut self, token: TokenId) -> Reason {
        let vocabulary = self.explainer.vocabulary.clone();
        if vocabulary.is_padding(token) {
            return Reason::Padding;
        }
        self.answered(|at| {
            if vocabulary.is_special(token) {
                return at.why_special(token, &vocabulary);
            }
            let bytes = vocabulary.bytes(token);
            let walk = at.walk(bytes)?;
            if walk.accepted < bytes.len() {
                return at.refused(bytes, walk);
            }
            Ok(match at.forced {
                _ if bytes.len() < at.of_prompt => {
                    Reason::Prompt { last: at.pending[..at.of_prompt].to_vec() }
                }
                Some(forced) if forced != token => {
                    Reason::Tokenization { forced, bytes: vocabulary.bytes(forced).to_vec() }
                }
                _ => Reason::Allowed { ends: false },
            })
        })
    }

    /// Why `text` may come here, whatever its tokens, or why not.
    pub fn why_text(&mut self, text: &[u8]) -> Reason {
        let of_prompt = self.of_prompt;
        let text = [&self.pending[..of_prompt], text].concat();
        let mut reason = self.answered(|at| {
            let walk = at.walk(&text)?;
            if walk.accepted < text.len() {
                at.refused(&text, walk)
            } else {
                Ok(Reason::Allowed { ends: false })
            }
        });
        if let Reason::Byte { accepted, .. } = &mut reason {
            *accepted -= of_prompt;
        }
        reason
    }

    /// Why the text may end here, or why not.
    pub fn why_end(&mut self) -> Reason {
        self.answered(|at| if at.accepting { Ok(Reason::Allowed { ends: true }) } else { at.incomplete() })
    }

    /// What may come here; `None` if nothing can be [said](Self::stopped).
    pub fn expected(&mut self) -> Option<Expected> {
        let mut found = None;
        self.answered(|at| {
            let walk = at.walk(&[])?;
            found = Some(at.expecting(&[], walk.expected));
            Ok(Reason::Unexplained)
        });
        found
    }

    /// The rules that are open here, from the first to the innermost, if that is known.
    pub fn path(&mut self) -> Option<Vec<Crumb>> {
        let Explainer { names, compiled, vocabulary, .. } = &mut *self.explainer;
        names.path(&self.before, compiled, vocabulary)
    }

    /// The shortest text that completes what has come, if that is known.
    pub fn finish(&mut self) -> Option<Finish> {
        let Explainer { names, compiled, vocabulary, .. } = &mut *self.explainer;
        names.finish(&self.before, compiled, vocabulary)
    }

    fn answered(&mut self, ask: impl FnOnce(&mut Self) -> Result<Reason, ConstraintStop>) -> Reason {
        if self.stop.is_none() {
            match ask(self) {
                Ok(reason) => return reason,
                Err(stop) => self.stop = Some(stop),
            }
        }
        let message = self.stop.as_ref().map_or("", |stop| &stop.message);
        Reason::Limit { limit: grammar::limit_kind(message), message: message.to_owned() }
    }

    /// How far `text` may come, and what may come after that.
    fn walk(&mut self, text: &[u8]) -> Result<Walk, ConstraintStop> {
        let pending = &self.pending;
        let (walk, named) = self.explainer.constraint.probe(|probe| walk_text(probe, pending, text))?;
        self.named = Some(named);
        Ok(walk)
    }

    fn why_special(&mut self, token: TokenId, vocabulary: &Vocabulary) -> Result<Reason, ConstraintStop> {
        let ends = vocabulary.is_eos(token);
        let name = vocabulary.bytes(token).to_vec();
        let walk = self.walk(&name)?;
        if self.allows_special(token, ends) {
            return Ok(Reason::Allowed { ends });
        }
        if ends {
            return self.incomplete();
        }
        let name_fits = walk.accepted == name.len();
        let walk = self.walk(&[])?;
        Ok(Reason::Special { name_fits, expected: self.expecting(&[], walk.expected) })
    }

    fn allows_special(&self, token: TokenId, ends: bool) -> bool {
        match self.forced {
            Some(forced) => forced == token,
            None => {
                self.pending.is_empty() && self.named.as_ref().is_some_and(|named| named.allows(token))
                    || ends && self.accepting
            }
        }
    }

    fn incomplete(&mut self) -> Result<Reason, ConstraintStop> {
        let walk = self.walk(&[])?;
        if let Some(dead) = self.dead_end(&walk.expected)? {
            return Ok(dead);
        }
        Ok(Reason::Incomplete { expected: self.expecting(&[], walk.expected), finish: self.finish() })
    }

    /// The reason of a text whose first bytes alone may come.
    fn refused(&mut self, text: &[u8], walk: Walk) -> Result<Reason, ConstraintStop> {
        let Walk { accepted, expected, ignore } = walk;
        if accepted == 0
            && let Some(dead) = self.dead_end(&expected)?
        {
            return Ok(dead);
        }
        if let Some(reason) = self.for_special(text) {
            return Ok(reason);
        }
        let expected = self.expecting(&text[..accepted], expected);
        let ignored = match ignore {
            Ignore::No => None,
            Ignore::NotHere { .. } if accepted == self.of_prompt && self.before.is_empty() => {
                Some(Ignored::BeforeFirst)
            }
            Ignore::NotHere { .. } if expected.may_end == Some(true) => Some(Ignored::AfterLast),
            Ignore::NotHere { between: true, outer: true } => Some(Ignored::Embedded),
            Ignore::NotHere { between: true, outer: false } => Some(Ignored::Here),
            Ignore::NotHere { between: false, .. } => None,
        };
        let byte = text.get(accepted).copied().unwrap_or_default();
        Ok(Reason::Byte { accepted, byte, expected, ignored })
    }

    /// The special token that must come where `text` spells its name.
    fn for_special(&self, text: &[u8]) -> Option<Reason> {
        let vocabulary = &self.explainer.vocabulary;
        let spells = |&special: &TokenId| {
            let name = vocabulary.bytes(special);
            text.len() > 1 && (name.starts_with(text) || text.starts_with(name))
        };
        let special = self.specials().find(spells)?;
        let name = String::from_utf8_lossy(vocabulary.bytes(special)).into_owned();
        Some(Reason::TextForSpecial { special, name })
    }

    /// The special tokens that may come here, save those that only end the text.
    fn specials(&self) -> impl Iterator<Item = TokenId> {
        let vocabulary = &self.explainer.vocabulary;
        let forced = self.forced.filter(|&t| vocabulary.is_special(t));
        let free = self.forced.is_none() && self.pending.is_empty();
        let named = self.named.iter().filter(move |_| free).flat_map(Mask::iter);
        forced.into_iter().chain(named)
    }

    /// The reason of everything where no token at all can come.
    fn dead_end(&mut self, wanted: &[u8]) -> Result<Option<Reason>, ConstraintStop> {
        if self.forced.is_some() || self.accepting || self.specials().next().is_some() {
            return Ok(None);
        }
        let any = match self.any {
            Some(any) => any,
            None => {
                let (vocabulary, pending) = (&self.explainer.vocabulary, &self.pending);
                let (any, _) =
                    self.explainer.constraint.probe(|probe| any_token(probe, pending, vocabulary.trie()))?;
                *self.any.insert(any)
            }
        };
        Ok((!any).then(|| Reason::DeadEnd { wanted: wanted.to_vec() }))
    }

    /// What may come after `ahead`, which may follow the place: these bytes.
    fn expecting(&mut self, ahead: &[u8], bytes: Vec<u8>) -> Expected {
        let accepted = ahead.len();
        let Some(ahead) = ahead.get(self.of_prompt..) else {
            let forced = self.pending[accepted..].to_vec();
            return Expected { bytes, forced, may_end: Some(false), ..Expected::default() };
        };
        let Explainer { names, compiled, vocabulary, .. } = &mut *self.explainer;
        let named = names.expected(&self.before, ahead, compiled, vocabulary);
        let vocabulary = &self.explainer.vocabulary;
        let name = |special| String::from_utf8_lossy(vocabulary.bytes(special)).into_owned();
        let specials = self.specials().filter(|_| accepted == 0).take(MOST_SPECIALS).map(name).collect();
        let is_text = |pending: &&[u8]| !pending.contains(&u8::MAX);
        let forced = self.pending.get(accepted..).filter(is_text).unwrap_or_default().to_vec();
        Expected {
            bytes,
            forced,
            specials,
            may_end: match &named {
                _ if accepted == 0 => Some(self.accepting),
                Ok(named) => Some(named.may_end),
                Err(_) => None,
            },
            unnamed: named.as_ref().err().cloned(),
            terminals: named.map_or_else(|_| Vec::new(), |named| named.terminals),
        }
    }
}
