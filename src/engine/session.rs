//! The live counterpart of a [`Trace`]: a model, its KV cache, a constraint, and the tokens so far.
//!
//! The constrained loop, one [`Session::step`] at a time:
//!
//! 1. the forward pass over the tokens that the KV cache lacks, while another thread computes the
//!    mask that follows them;
//! 2. the sampler picks among the allowed tokens, and the model is asked about those that the grammar forced before;
//! 3. each of the forced ones has a step in the trace;
//! 4. the token is committed to the grammar, which may end the run or force the next tokens: those
//!    wait for the next forward pass, which takes them all at once;
//! 5. the model may begin with that pass, while what is to be said of the tokens is put into their steps.
//!
//! A model that thinks before it answers goes through the same loop; the guide knows which of the two it does.
//!
//! At first it may be open whether the answer begins after the prompt or takes its last token in, which
//! `seam.rs` decides.
//!
//! One invariant carries rewinding: at rest, the KV cache holds fewer tokens than the session, so
//! the logits that follow the last token can always be had by one forward pass. The session must
//! never let a token into `tokens` that the guide has not taken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::EngineError;
use super::grammar::Compiled;
use super::guide::{Canceller, Forced, Guide};
use super::model::LanguageModel;
use super::sampler::Sampler;
use super::trace::{FinishReason, Insight, Outcome, Request, Step, StepKind, Timings, TokenId, Trace};
use super::vocabulary::Vocabulary;

mod advance;
pub mod prepare;
mod seam;
mod stop;

use prepare::{Prepared, prepare, prompt_step};

/// A generation that can be stepped, rewound and steered.
pub struct Session {
    model: Box<dyn LanguageModel>,
    vocabulary: Arc<Vocabulary>,
    guide: Guide,
    sampler: Sampler,
    trace: Trace,
    /// Prompt and generated tokens, forced ones that have no step yet included.
    tokens: Vec<TokenId>,
    /// How many of them are the prompt's: all of its tokens, or all but the last, which the answer takes in then.
    prompt: usize,
    /// Whether the first pick decides which of the two it is.
    is_undecided: bool,
    /// Why the run will end once the forced tokens have their steps.
    ending: Option<(FinishReason, Option<String>)>,
    canceller: Canceller,
    /// How often tokens were forced.
    followed: usize,
    active: Duration,
    prefill: Duration,
}

impl Session {
    /// A session that has tokenized its prompt and not yet run the model.
    ///
    /// `grammar` must be the compiled form of `request.grammar`.
    ///
    /// # Errors
    /// The model comes back with the error: a request that asks for a grammar without a compiled
    /// one is refused, so is a setting out of range, an empty prompt without a start token, a
    /// prompt that fills the context, and a chat that the model has no template for.
    pub fn start(
        mut model: Box<dyn LanguageModel>,
        vocabulary: Arc<Vocabulary>,
        grammar: Option<Arc<Compiled>>,
        request: Request,
    ) -> Result<Self, (EngineError, Box<dyn LanguageModel>)> {
        let canceller = Canceller::default();
        let prepared = prepare(model.info().context, &vocabulary, grammar, &request, &canceller);
        let Prepared { mut tokens, guide, is_healed } = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Err((error, model)),
        };
        model.truncate(0);
        let sampler = Sampler::new(request.sampler.clone());
        let mut trace = Trace::new(request, model.info().clone());
        trace.prompt = tokens.iter().map(|&t| Arc::new(prompt_step(&vocabulary, t))).collect();
        let prompt = tokens.len() - usize::from(is_healed);
        tokens.truncate(prompt);
        let mut session = Self {
            model,
            vocabulary,
            guide,
            sampler,
            trace,
            tokens,
            prompt,
            is_undecided: is_healed,
            ending: None,
            canceller,
            followed: 0,
            active: Duration::ZERO,
            prefill: Duration::ZERO,
        };
        let clock = Instant::now();
        session.follow();
        session.account(clock);
        Ok(session)
    }

    /// The record so far. Its outcome is set once the run has ended.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// A handle that stops this session from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// The model, ready for the next session, and the record.
    pub fn into_model(self) -> (Box<dyn LanguageModel>, Trace) {
        (self.model, self.trace)
    }

    /// Takes one decision: steps for the tokens the grammar forced, then one sampled token.
    /// Returns how many steps that added. The run may end with it; see the trace's outcome.
    ///
    /// # Errors
    /// If the forward pass fails, or gives no usable logit. The session can be stepped again.
    pub fn step(&mut self) -> Result<usize, EngineError> {
        if self.trace.outcome.is_some() {
            return Ok(0);
        }
        let clock = Instant::now();
        let had = self.trace.steps.len();
        let result = self.advance();
        self.account(clock);
        result.map(|()| self.trace.steps.len() - had)
    }

    /// Goes back so that only the first `steps` generated tokens remain; the run is open again.
    /// The KV cache rolls back in constant time.
    ///
    /// # Errors
    /// If the grammar cannot be brought back to that place, which no known grammar does.
    pub fn rewind(&mut self, steps: usize) -> Result<(), EngineError> {
        let keep = steps.min(self.trace.steps.len());
        self.take_back(keep)?;
        self.trace.steps.truncate(keep);
        self.reopen();
        self.follow();
        Ok(())
    }

    /// Takes the steps of an earlier run of the same request as its own, without computing them again:
    /// the model reads their tokens with the next forward pass, as it reads a prompt. A run whose
    /// session is gone is taken up again with it.
    ///
    /// # Errors
    /// [`EngineError::NotAllowed`] at the first step that the grammar does not allow; the run is at its
    /// start then.
    pub fn retrace(&mut self, steps: &[Arc<Step>]) -> Result<(), EngineError> {
        self.rewind(0)?;
        self.take_back(0)?;
        if let Some(first) = steps.first() {
            self.decide(first.of_prompt > 0);
            if (first.of_prompt > 0) != self.begun().is_some() {
                self.rewind(0)?;
                return Err(EngineError::NotAllowed { token: first.token, step: 0 });
            }
        }
        for (index, step) in steps.iter().enumerate() {
            if !matches!(self.guide.commit(step.token), Ok(true)) {
                self.rewind(0)?;
                return Err(EngineError::NotAllowed { token: step.token, step: index });
            }
            self.tokens.push(step.token);
            self.trace.steps.push(step.clone());
        }
        self.reopen();
        self.follow();
        self.active += steps.iter().map(|step| step.timings.total()).sum::<Duration>();
        Ok(())
    }

    /// Puts `token` next, if the grammar allows it there.
    ///
    /// # Errors
    /// [`EngineError::NotAllowed`] if the grammar does not allow it; nothing has changed then.
    pub fn force(&mut self, token: TokenId) -> Result<(), EngineError> {
        let clock = Instant::now();
        let outcome = self.trace.outcome.clone();
        self.take_back(self.trace.steps.len())?;
        self.reopen();
        let result = self.put(token);
        if !matches!(result, Ok(true)) {
            // The forward pass has left no token to go on from.
            self.model.truncate(self.tokens.len().saturating_sub(1));
            self.follow();
            // A run that had ended stays ended.
            self.trace.outcome = outcome.or(self.trace.outcome.take());
        }
        self.account(clock);
        match result? {
            true => Ok(()),
            false => Err(EngineError::NotAllowed { token, step: self.trace.steps.len() }),
        }
    }

    /// Ends the run, if it has not ended.
    pub fn finish(&mut self, reason: FinishReason) {
        if self.trace.outcome.is_none() {
            self.end(reason, None);
        }
    }

    /// Commits a token, records its step, and looks what follows from it. False if the grammar
    /// does not take the token; nothing has changed then.
    fn accept(
        &mut self,
        token: TokenId,
        kind: StepKind,
        insight: Option<Box<Insight>>,
        timings: Timings,
    ) -> Result<bool, EngineError> {
        let clock = Instant::now();
        match self.guide.commit(token) {
            Ok(true) => {}
            Ok(false) if kind == StepKind::Overridden => return Ok(false),
            Ok(false) => {
                return Err(EngineError::Constraint(format!(
                    "token {token} is in the mask, but the grammar refuses it"
                )));
            }
            Err(stop) => {
                self.end(stop.reason, Some(stop.message));
                return Ok(kind != StepKind::Overridden);
            }
        }
        self.tokens.push(token);
        let at = self.trace.steps.len();
        let thinking = at < self.guide.thought();
        let of_prompt = self.begun().filter(|_| at == 0).map_or(0, |last| last.bytes.len());
        let step =
            Step { of_prompt, thinking, kind, insight, timings, ..prompt_step(&self.vocabulary, token) };
        self.trace.steps.push(Arc::new(step));
        if let Some(found) = self.found_stop() {
            self.end(FinishReason::StopString, Some(found));
        } else if self.guide.is_free() && self.vocabulary.is_eos(token) {
            self.end(FinishReason::Eos, None);
        } else {
            self.follow();
        }
        if let Some(step) = self.trace.steps.get_mut(at).and_then(Arc::get_mut) {
            step.timings.commit = clock.elapsed();
        }
        Ok(true)
    }

    /// Looks what the grammar says after the last token: ends the run if it is complete or a limit is reached,
    /// commits the tokens it forces otherwise. Every session at rest has been through here, or has ended.
    fn follow(&mut self) {
        let Forced { tokens: forced, thinking, end } = match self.guide.forced() {
            Ok(answer) => answer,
            Err(stop) => return self.end(stop.reason, Some(stop.message)),
        };
        let answered = self.tokens.len() - self.prompt - self.guide.thought();
        let most = self.trace.request.max_tokens.saturating_sub(answered) + thinking;
        // The last token needs no place in the KV cache.
        let room = (self.model.info().context + 1).saturating_sub(self.tokens.len());
        let before = self.tokens.len();
        let mut ending = end.map(|reason| (reason, None));
        for &token in forced.iter().take(most.min(room)) {
            match self.guide.commit(token) {
                Ok(true) => {
                    self.tokens.push(token);
                    if let Some(found) = self.found_stop() {
                        ending = Some((FinishReason::StopString, Some(found)));
                        break;
                    }
                }
                // The grammar names the end of sequence, which has no text to commit.
                Ok(false) if self.vocabulary.is_eos(token) => {
                    ending = Some((FinishReason::Eos, None));
                    break;
                }
                Ok(false) => {
                    let message = format!("the grammar forces token {token} and refuses it");
                    ending = Some((FinishReason::ParserLimit, Some(message)));
                    break;
                }
                Err(stop) => {
                    ending = Some((stop.reason, Some(stop.message)));
                    break;
                }
            }
        }
        let taken = self.tokens.len() - before;
        self.followed += usize::from(taken > 0);
        if ending.is_none() && taken > 0 {
            match self.guide.ended() {
                Ok(reason) => ending = reason.map(|r| (r, None)),
                Err(stop) => ending = Some((stop.reason, Some(stop.message))),
            }
        }
        if ending.is_none() && taken == most {
            ending = Some((FinishReason::MaxTokens, None));
        } else if ending.is_none() && taken == room {
            ending = Some((FinishReason::ContextFull, None));
        }
        match ending {
            // Without detail nobody asks what the model thinks of forced tokens.
            Some((reason, detail)) if taken == 0 || !self.trace.request.detail => self.end(reason, detail),
            ending => self.ending = ending,
        }
    }

    /// Steps for the forced tokens without asking the model about them.
    fn record_plainly(&mut self) {
        let recorded = self.prompt + self.trace.steps.len();
        for &token in &self.tokens[recorded..] {
            let thinking = self.trace.steps.len() < self.guide.thought();
            let step = Step { thinking, kind: StepKind::Forced, ..prompt_step(&self.vocabulary, token) };
            self.trace.steps.push(Arc::new(step));
        }
    }

    /// Ends the run. Tokens that the grammar has taken are part of the output: they get a step.
    fn end(&mut self, reason: FinishReason, detail: Option<String>) {
        self.record_plainly();
        self.ending = None;
        // A cancel needs no words: who has asked for it knows.
        let detail = detail.filter(|_| reason != FinishReason::Cancelled);
        self.trace.outcome = Some(Outcome { reason, detail, elapsed: self.active, prefill: self.prefill });
    }

    /// Takes back every token after the first `steps` generated ones, from the grammar, the
    /// token list and the KV cache. The trace is the caller's.
    fn take_back(&mut self, steps: usize) -> Result<(), EngineError> {
        let keep = self.prompt + steps;
        let drop = self.tokens.len().saturating_sub(keep);
        let generated = self.tokens.len() - self.prompt;
        self.guide.rollback(drop, generated, &self.canceller)?;
        self.tokens.truncate(keep);
        self.model.truncate(keep.saturating_sub(1));
        Ok(())
    }

    fn reopen(&mut self) {
        self.trace.outcome = None;
        self.ending = None;
        self.canceller.reset();
    }

    /// Adds the time since `clock` to the run's, pauses between the calls left out.
    fn account(&mut self, clock: Instant) {
        self.active += clock.elapsed();
        if let Some(outcome) = &mut self.trace.outcome {
            outcome.elapsed = self.active;
            outcome.prefill = self.prefill;
        }
    }
}

#[cfg(test)]
mod tests;
