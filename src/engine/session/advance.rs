//! One decision of a session: the forward pass, the pick, and what follows from it.
//!
//! What a device waits for comes first, what only the trace wants comes last. This file must never put a token
//! into a session but through [`accept`](Session::accept).

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Session;
use super::prepare::prompt_step;
use crate::engine::constraint::Mask;
use crate::engine::error::{EngineError, ModelError};
use crate::engine::model::LanguageModel;
use crate::engine::model::away::Logits;
use crate::engine::sampler::RowPick;
use crate::engine::trace::{FinishReason, Step, StepKind, Timings, TokenId};

/// Tokens are likely to come alone where others were forced after fewer than one of so many.
const SELDOM: usize = 32;

impl Session {
    /// Steps for the forced tokens, then a sampled one. After an error it can be asked for again.
    pub(super) fn advance(&mut self) -> Result<(), EngineError> {
        let read = self.model.len();
        let decided = self.decide_next();
        if decided.is_err() {
            // What the pass has left is gone with it.
            self.model.truncate(read);
        }
        decided
    }

    fn decide_next(&mut self) -> Result<(), EngineError> {
        if !self.prefill()? {
            return Ok(());
        }
        let detail = self.trace.request.detail;
        let prompt = self.prompt;
        let base = self.trace.steps.len();
        let (pending, rows) = self.pending();
        let mut own_numbers = self.at_seam().then(|| self.sampler.apart());
        let ending = self.ending.take();
        let Self { model, vocabulary, guide, sampler, trace, tokens, .. } = self;
        let sampler = own_numbers.as_mut().unwrap_or(sampler);
        let forced = &tokens[prompt + base..];
        let decisions = forced.len() + usize::from(ending.is_none());
        let first = model.len() < prompt;
        let width = model.info().vocab;

        let forward = forward_pass(&mut **model, &tokens[pending], rows);
        let (pass, mask, mask_times) = if ending.is_some() {
            (forward(), None, (Duration::ZERO, Duration::ZERO))
        } else {
            guide.beside(forward, is_done)
        };
        let mut pass = match pass {
            Ok(pass) => pass,
            Err(error) => {
                self.ending = ending;
                return Err(error.into());
            }
        };
        let clock = Instant::now();
        let at = base + forced.len();
        let goes_on = at + 1 < trace.request.max_tokens + guide.thought();
        let pick = mask.as_ref().and_then(|mask| mask.as_ref().ok()).map(|mask| {
            if goes_on && self.followed * SELDOM <= at {
                pass.logits.go_on();
            }
            // May be asked for while the pass is still under way, so that nothing waits in between.
            sampler.pick_row(&mut pass.logits, rows - 1, width, mask, &tokens[prompt..], detail)
        });
        let picked = Instant::now();
        let told = pass.done().map_err(EngineError::from).and_then(|(end, took)| {
            let forced =
                if detail { sampler.forced_rows(&mut pass.logits, width, forced)? } else { Vec::new() };
            Ok((end, took, forced))
        });
        let (end, took, told) = match told {
            Ok(told) => told,
            Err(error) => {
                self.ending = ending;
                return Err(error);
            }
        };
        let forward = took / decisions as u32;
        for &token in forced {
            let thinking = trace.steps.len() < guide.thought();
            let timings = Timings { forward, ..Timings::default() };
            let step = Step { thinking, kind: StepKind::Forced, timings, ..prompt_step(vocabulary, token) };
            trace.steps.push(Arc::new(step));
        }
        let (mask, pick) = match (mask, pick) {
            (Some(Ok(mask)), Some(Ok(pick))) => (mask, pick),
            (mask, pick) => {
                self.tell(base, told, width);
                if let Some(Err(error)) = pick {
                    return Err(error);
                }
                let (reason, detail) = match mask {
                    Some(Err(stop)) => (stop.reason, Some(stop.message)),
                    _ => ending.unwrap_or((FinishReason::DeadEnd, None)),
                };
                self.end(reason, detail);
                return Ok(());
            }
        };
        if first {
            self.prefill += took;
        }
        let token = pick.token;
        if std::mem::take(&mut self.is_undecided) && self.at_seam() && self.is_last_of_prompt(token) {
            return self.begin_after_prompt(took);
        }
        let kind = if mask.count() == 1 { StepKind::Forced } else { StepKind::Sampled };
        let (mask_time, mask_wait) = mask_times;
        let timings = Timings { forward, mask: mask_time, mask_wait, ..Timings::default() };
        let accepted = self.accept(token, kind, None, timings);
        if goes_on && accepted.is_ok() {
            self.anticipate();
        }
        self.tell(base, told, width);
        let telling = Instant::now();
        let insight = pick.insight(&mask);
        if let Some(step) = self.trace.steps.get_mut(at).and_then(Arc::get_mut) {
            step.insight = insight;
            step.timings.sample = picked.saturating_duration_since(clock.max(end)) + telling.elapsed();
        }
        accepted.map(|_| ())
    }

    /// The tokens that the model has not read and is to read next, and of how many the logits are wanted.
    fn pending(&self) -> (Range<usize>, usize) {
        let forced = self.tokens.len() - self.prompt - self.trace.steps.len();
        // A run that ends with the forced tokens needs only the logits before each of them.
        let ends = usize::from(self.ending.is_some());
        let rows = if self.trace.request.detail { forced + 1 - ends } else { 1 };
        (self.model.len()..self.tokens.len() - ends, rows)
    }

    /// Lets the model begin with the next pass, if there will be one.
    fn anticipate(&mut self) {
        if self.trace.outcome.is_none() {
            let (pending, rows) = self.pending();
            self.model.anticipate(&self.tokens[pending], rows);
        }
    }

    /// Puts what was said of forced tokens into their steps, from that of number `first` on.
    fn tell(&mut self, first: usize, told: Vec<RowPick>, width: usize) {
        for (step, told) in self.trace.steps.iter_mut().skip(first).zip(told) {
            if let Some(step) = Arc::get_mut(step) {
                step.insight = told.insight(&Mask::only(width, step.token));
            }
        }
    }

    /// The work of [`force`](Self::force). False if the grammar does not allow the token.
    pub(super) fn override_with(&mut self, token: TokenId) -> Result<bool, EngineError> {
        if !self.prefill()? {
            return Ok(false);
        }
        let Self { model, guide, sampler, tokens, .. } = self;
        let pending = &tokens[model.len()..];
        let width = model.info().vocab;
        let (pass, mask, (mask_time, mask_wait)) =
            guide.beside(forward_pass(&mut **model, pending, 1), is_done);
        let mut pass = pass?;
        let (_, forward) = pass.done()?;
        // The mask knows only the model's own tokenization of a forced text; the grammar may take
        // another one, which `accept` finds out.
        let mask = match mask {
            Some(Ok(mask)) => mask,
            Some(Err(stop)) if stop.reason == FinishReason::Cancelled => return Ok(false),
            _ => Mask::only(width, token),
        };
        let insight = match self.trace.request.detail {
            true => Some(sampler.overridden_row(&mut pass.logits, &mask, token)?),
            false => None,
        };
        let timings = Timings { forward, mask: mask_time, mask_wait, ..Timings::default() };
        self.accept(token, StepKind::Overridden, insight, timings)
    }
}

/// A forward pass, which may still be under way.
struct Pass<'m> {
    logits: Logits<'m>,
    started: Instant,
    /// When it had ended, if the logits were here by then.
    returned: Instant,
}

impl Pass<'_> {
    /// Waits for its end. Says when that was, and how long it took.
    fn done(&mut self) -> Result<(Instant, Duration), ModelError> {
        let end = self.logits.done(self.returned)?;
        Ok((end, end - self.started))
    }
}

/// A forward pass to be run.
fn forward_pass<'m>(
    model: &'m mut dyn LanguageModel,
    pending: &'m [TokenId],
    rows: usize,
) -> impl FnOnce() -> Result<Pass<'m>, ModelError> {
    move || {
        let started = Instant::now();
        let logits = model.run(pending, rows)?;
        Ok(Pass { logits, started, returned: Instant::now() })
    }
}

/// Whether it has ended.
fn is_done(pass: &mut Result<Pass<'_>, ModelError>) -> bool {
    pass.as_mut().map_or(true, |pass| pass.logits.is_done())
}
