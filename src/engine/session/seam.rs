//! Where the prompt ends and the answer begins: token healing.
//!
//! Where the grammar lets a longer token come in the place of the prompt's last one, the model is asked first what it
//! would write there. If that is the same token, the answer begins after the prompt, as always; if it is a longer one,
//! that is the answer's first token, which begins with the bytes of the prompt's last. What was decided stays so when
//! the run goes back to its start. A session must never begin an answer in the prompt that its guide begins after it.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use crate::engine::error::EngineError;
use crate::engine::trace::{Step, TokenId};

impl Session {
    /// The prompt's last token, if the answer begins with it.
    pub(super) fn begun(&self) -> Option<&Arc<Step>> {
        self.trace.prompt.get(self.prompt)
    }

    /// Whether the next token is the one that takes the prompt's last in.
    pub(super) fn at_seam(&self) -> bool {
        self.begun().is_some() && self.tokens.len() == self.prompt
    }

    /// Whether `token` is the prompt's last.
    pub(super) fn is_last_of_prompt(&self, token: TokenId) -> bool {
        self.trace.prompt.last().is_some_and(|last| last.token == token)
    }

    /// Goes on after the model has picked the prompt's last token itself, which took it some time.
    pub(super) fn begin_after_prompt(&mut self, took: Duration) -> Result<(), EngineError> {
        self.decide(false);
        self.follow();
        if self.trace.outcome.is_none() {
            self.advance()?;
        }
        if let Some(step) = self.trace.steps.first_mut().and_then(Arc::get_mut) {
            step.timings.forward += took;
        }
        Ok(())
    }

    /// Puts `token` next, as [`override_with`](Self::override_with). Where it is open how the answer begins, it
    /// begins after the prompt if the token may come there.
    pub(super) fn put(&mut self, token: TokenId) -> Result<bool, EngineError> {
        if !self.is_undecided {
            return self.override_with(token);
        }
        self.decide(false);
        let mut taken = self.override_with(token);
        if matches!(taken, Ok(true)) {
            return taken;
        }
        self.decide(true);
        if matches!(taken, Ok(false)) && !self.canceller.is_cancelled() {
            taken = self.override_with(token);
        }
        self.is_undecided = !matches!(taken, Ok(true)) && self.begun().is_some();
        taken
    }

    /// Lets the answer begin with the prompt's last token, or after it. Nothing of it may have come yet.
    pub(super) fn decide(&mut self, with_last: bool) {
        self.is_undecided = false;
        let all = self.trace.prompt.len();
        let Some(last) = self.trace.prompt.last().filter(|_| with_last != (self.prompt < all)) else {
            return;
        };
        if !with_last {
            self.guide.split();
            self.tokens.push(last.token);
        } else {
            // Past a cancel, which a parser never forgets. Where that fails, the next mask says so.
            let _ = self.guide.rollback(0, 0, &self.canceller);
            match self.guide.heal(&last.bytes) {
                Ok(true) => {
                    self.tokens.truncate(all - 1);
                    self.model.truncate(all.saturating_sub(2));
                }
                Ok(false) => {}
                Err(_) => drop(self.guide.rollback(0, 0, &self.canceller)),
            }
        }
        self.prompt = self.tokens.len();
    }
}
