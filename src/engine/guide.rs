//! What decides over the next token: a grammar, or nothing at all.
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

/// What decides over the next token.
pub enum Guide {
    /// No constraint was asked for: every token that is not padding may come.
    Free(Mask),
    /// A grammar, part of the way through the output.
    Grammar(Box<Guided>),
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
    /// The start of a grammar, which `canceller` can stop.
    ///
    /// # Errors
    /// If the system gives no thread for the masks.
    pub fn grammar(compiled: Arc<Compiled>, canceller: &Canceller) -> Result<Self, EngineError> {
        let worker = MaskWorker::spawn()
            .map_err(|e| EngineError::Constraint(format!("no thread for the masks: {e}")))?;
        let mut constraint = Box::new(compiled.constraint());
        canceller.watch(&mut constraint);
        Ok(Self::Grammar(Box::new(Guided { compiled, constraint: Some(constraint), worker })))
    }

    /// Runs `work`, and beside it computes the mask of the next token.
    pub fn beside<T>(
        &mut self,
        work: impl FnOnce() -> T,
    ) -> (T, Option<Result<Mask, ConstraintStop>>, MaskTimes) {
        match self {
            Self::Free(mask) => (work(), Some(Ok(mask.clone())), Default::default()),
            Self::Grammar(guided) => match guided.constraint.take() {
                Some(constraint) => {
                    let (done, computed, wait) = guided.worker.overlap(constraint, work);
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

    /// Takes a token. False if the grammar does not allow it; nothing has changed then.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn commit(&mut self, token: TokenId) -> Result<bool, ConstraintStop> {
        match self {
            Self::Free(_) => Ok(true),
            Self::Grammar(guided) => guided.constraint()?.commit(token),
        }
    }

    /// The reason to end here, if the text is complete and nothing can follow.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn ended(&mut self) -> Result<Option<FinishReason>, ConstraintStop> {
        match self {
            Self::Free(_) => Ok(None),
            Self::Grammar(guided) => guided.constraint()?.ended(),
        }
    }

    /// The tokens that must come now, or the reason why none can.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn forced(&mut self) -> Result<(Vec<TokenId>, Option<FinishReason>), ConstraintStop> {
        let Self::Grammar(guided) = self else { return Ok((Vec::new(), None)) };
        let constraint = guided.constraint()?;
        match constraint.ended()? {
            Some(reason) => Ok((Vec::new(), Some(reason))),
            None => Ok((constraint.forced()?, None)),
        }
    }

    /// Takes back the last `count` tokens, also after an end or a cancel.
    ///
    /// # Errors
    /// If the grammar cannot be brought back to that place.
    pub fn rollback(&mut self, count: usize, canceller: &Canceller) -> Result<(), EngineError> {
        let Self::Grammar(guided) = self else { return Ok(()) };
        let template = guided.compiled.constraint();
        let constraint = guided.constraint().map_err(|e| EngineError::Constraint(e.message))?;
        constraint.rollback(count, &template).map_err(|e| EngineError::Constraint(e.message))?;
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
