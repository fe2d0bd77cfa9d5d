//! What decides over the next token: a grammar, or nothing at all; before either, perhaps, a block
//! in which the model thinks.
//!
//! "Nothing" is a choice that the request makes in words (`grammar: None`). A grammar that fails
//! never turns into it: every error here ends the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::constraint::{CancelMask, Constraint, ConstraintStop, Mask};
use super::error::EngineError;
use super::grammar::Compiled;
use super::mask_worker::MaskWorker;
use super::trace::{FinishReason, TokenId};
use super::vocabulary::Vocabulary;

pub mod thinking;

use thinking::Thinking;

/// What decides over the next token.
pub struct Guide {
    vocabulary: Arc<Vocabulary>,
    /// What comes before the answer.
    thinking: Option<Thinking>,
    /// What the answer follows.
    rule: Rule,
}

/// What an answer follows.
enum Rule {
    /// No constraint was asked for: every token that is not padding may come.
    Free(Mask),
    /// A grammar, part of the way through the answer.
    Grammar(Box<Guided>),
}

/// What must come next.
#[derive(Debug, Default)]
pub struct Forced {
    /// The tokens.
    pub tokens: Vec<TokenId>,
    /// How many of them still belong to the thinking.
    pub thinking: usize,
    /// The reason to end after them.
    pub end: Option<FinishReason>,
}

/// A grammar at work.
pub struct Guided {
    compiled: Arc<Compiled>,
    /// Away only while the mask worker has it.
    constraint: Option<Box<Constraint>>,
    worker: MaskWorker,
}

/// Stops a session from another thread.
#[derive(Clone, Default)]
pub struct Canceller {
    flag: Arc<AtomicBool>,
    mask: Arc<Mutex<CancelMask>>,
}

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canceller").field("cancelled", &self.is_cancelled()).finish()
    }
}

impl Canceller {
    /// Asks the session to end with [`FinishReason::Cancelled`] as soon as it can: between two
    /// tokens, between two chunks of the prompt, or within a mask computation.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Release);
        self.mask.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    /// Whether a cancel was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    fn watch(&self, constraint: &mut Constraint) {
        *self.mask.lock().unwrap_or_else(PoisonError::into_inner) = constraint.canceller();
    }

    /// Forgets a cancel, for a session that goes on.
    pub(super) fn reset(&self) {
        self.flag.store(false, Ordering::Release);
    }
}

/// How long a mask took, and how much of that the forward pass did not hide.
pub type MaskTimes = (Duration, Duration);

impl Guide {
    /// A guide that allows everything.
    pub fn free(vocabulary: &Arc<Vocabulary>) -> Self {
        let rule = Rule::Free(Mask::all(vocabulary));
        Self { vocabulary: vocabulary.clone(), thinking: None, rule }
    }

    /// The start of a grammar, which `canceller` can stop.
    ///
    /// # Errors
    /// If the system gives no thread for the masks.
    pub fn grammar(
        vocabulary: &Arc<Vocabulary>,
        compiled: Arc<Compiled>,
        canceller: &Canceller,
    ) -> Result<Self, EngineError> {
        let worker = MaskWorker::spawn()
            .map_err(|e| EngineError::Constraint(format!("no thread for the masks: {e}")))?;
        let mut constraint = Box::new(compiled.constraint());
        canceller.watch(&mut constraint);
        let rule = Rule::Grammar(Box::new(Guided { compiled, constraint: Some(constraint), worker }));
        Ok(Self { vocabulary: vocabulary.clone(), thinking: None, rule })
    }

    /// The same guide after a block of thinking.
    #[must_use]
    pub fn after(self, thinking: Option<Thinking>) -> Self {
        Self { thinking, ..self }
    }

    /// Leaves the prompt's last token, of these bytes, to the answer, if the grammar lets a longer one come in its
    /// place. Says whether that is so. A free answer begins after the prompt, and so does one after a thinking block.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn heal(&mut self, bytes: &[u8]) -> Result<bool, ConstraintStop> {
        match &mut self.rule {
            Rule::Grammar(guided) if self.thinking.is_none() => guided.constraint()?.heal(bytes),
            Rule::Grammar(_) | Rule::Free(_) => Ok(false),
        }
    }

    /// Takes [`heal`](Self::heal) back, if the answer has not begun.
    pub fn split(&mut self) {
        if let Rule::Grammar(guided) = &mut self.rule
            && let Ok(constraint) = guided.constraint()
        {
            constraint.split();
        }
    }

    /// Whether nothing constrains the answer.
    pub fn is_free(&self) -> bool {
        matches!(self.rule, Rule::Free(_))
    }

    /// How many of the tokens so far belong to the thinking.
    pub fn thought(&self) -> usize {
        self.thinking.as_ref().map_or(0, Thinking::taken)
    }

    /// The thinking, while it goes on.
    fn open(&mut self) -> Option<&mut Thinking> {
        self.thinking.as_mut().filter(|t| t.is_open())
    }

    /// Starts `work`, and beside it computes the mask of the next token. `is_done` says whether the work,
    /// which may go on elsewhere, has ended.
    pub fn beside<T>(
        &mut self,
        work: impl FnOnce() -> T,
        is_done: impl FnMut(&mut T) -> bool,
    ) -> (T, Option<Result<Mask, ConstraintStop>>, MaskTimes) {
        if let Some(thinking) = self.open() {
            return (work(), Some(Ok(thinking.mask())), Default::default());
        }
        match &mut self.rule {
            Rule::Free(mask) => (work(), Some(Ok(mask.clone())), Default::default()),
            Rule::Grammar(guided) => match guided.constraint.take() {
                Some(constraint) => {
                    let (done, computed, wait) = guided.worker.overlap(constraint, work, is_done);
                    let Some(computed) = computed else {
                        return (done, Some(Err(lost())), Default::default());
                    };
                    guided.constraint = Some(computed.constraint);
                    (done, Some(computed.mask), (computed.took, wait))
                }
                None => (work(), Some(Err(lost())), Default::default()),
            },
        }
    }

    /// Takes a token. False if it is not allowed here; nothing has changed then.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn commit(&mut self, token: TokenId) -> Result<bool, ConstraintStop> {
        let vocabulary = self.vocabulary.clone();
        if let Some(thinking) = self.open() {
            return Ok(thinking.commit(token, &vocabulary));
        }
        match &mut self.rule {
            Rule::Free(_) => Ok(true),
            Rule::Grammar(guided) => guided.constraint()?.commit(token),
        }
    }

    /// The reason to end here, if the text is complete and nothing can follow.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn ended(&mut self) -> Result<Option<FinishReason>, ConstraintStop> {
        if self.open().is_some() {
            return Ok(None);
        }
        match &mut self.rule {
            Rule::Free(_) => Ok(None),
            Rule::Grammar(guided) => guided.constraint()?.ended(),
        }
    }

    /// The tokens that must come now, or the reason why none can. Where the thinking ends with
    /// them, those that begin the answer are among them.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn forced(&mut self) -> Result<Forced, ConstraintStop> {
        let mut forced = Forced::default();
        if let Some(thinking) = self.open() {
            forced.tokens = thinking.forced().to_vec();
            forced.thinking = forced.tokens.len();
            if forced.thinking == 0 {
                return Ok(forced);
            }
        }
        let Rule::Grammar(guided) = &mut self.rule else { return Ok(forced) };
        let constraint = guided.constraint()?;
        forced.end = constraint.ended()?;
        if forced.end.is_none() {
            forced.tokens.extend(constraint.forced()?);
        }
        Ok(forced)
    }

    /// Takes back the last `count` of `total` tokens, also after an end or a cancel.
    ///
    /// # Errors
    /// If the grammar cannot be brought back to that place.
    pub fn rollback(&mut self, count: usize, total: usize, canceller: &Canceller) -> Result<(), EngineError> {
        let answer = total - self.thought().min(total);
        if let Some(thinking) = &mut self.thinking
            && count > answer
        {
            thinking.truncate(total - count, &self.vocabulary);
        }
        let Rule::Grammar(guided) = &mut self.rule else { return Ok(()) };
        let template = guided.compiled.constraint();
        let constraint = guided.constraint().map_err(|e| EngineError::Constraint(e.message))?;
        constraint.rollback(count.min(answer), &template).map_err(|e| EngineError::Constraint(e.message))?;
        canceller.watch(constraint);
        Ok(())
    }
}

impl Guided {
    fn constraint(&mut self) -> Result<&mut Constraint, ConstraintStop> {
        self.constraint.as_deref_mut().ok_or_else(lost)
    }
}

/// The mask worker did not give the constraint back. It always does; if it ever does not, the run
/// must end rather than go on without a grammar.
fn lost() -> ConstraintStop {
    ConstraintStop { reason: FinishReason::ParserLimit, message: "the grammar's state was lost".into() }
}
