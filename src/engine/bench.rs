//! How fast a model is by itself, and what a grammar and the trace cost on top of it.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::{EngineError, ModelError};
use super::generate::Engine;
use super::load::{Progress, Stage};
use super::model::LanguageModel;
use super::trace::{Request, StepKind, TokenId};

/// What [`decode`] measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// Tokens in the prompt.
    pub prompt_tokens: usize,
    /// Seconds for the prompt, in one call.
    pub prefill_seconds: f64,
    /// Tokens generated after it.
    pub tokens: usize,
    /// Seconds for them, the choice of the most probable token on the host included.
    pub decode_seconds: f64,
    /// Generated tokens per second.
    pub tokens_per_second: f64,
    /// The median time of one token, in milliseconds.
    pub median_ms: f64,
    /// The 99th percentile of the time of one token, in milliseconds.
    pub p99_ms: f64,
}

/// Puts a made-up prompt through the model and generates greedily after it; end tokens do not
/// end it. The model's cache is empty before and after.
///
/// # Errors
/// Those of the forward pass; a context too small for `prompt_len + tokens` among them.
pub fn decode(model: &mut dyn LanguageModel, prompt_len: usize, tokens: usize) -> Result<Timing, ModelError> {
    model.truncate(0);
    let vocab = model.info().vocab as TokenId;
    let prompt: Vec<TokenId> = (0..prompt_len.max(1) as TokenId).map(|i| (i * 7 + 1) % vocab).collect();
    let start = Instant::now();
    let mut token = argmax(model.forward(&prompt, 1)?);
    let prefill = start.elapsed();
    let mut times = Vec::with_capacity(tokens);
    for _ in 0..tokens {
        let start = Instant::now();
        token = argmax(model.forward(&[token], 1)?);
        times.push(start.elapsed());
    }
    model.truncate(0);
    let total: Duration = times.iter().sum();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(0., |t| t.as_secs_f64() * 1e3);
    Ok(Timing {
        prompt_tokens: prompt.len(),
        prefill_seconds: prefill.as_secs_f64(),
        tokens,
        decode_seconds: total.as_secs_f64(),
        tokens_per_second: tokens as f64 / total.as_secs_f64().max(f64::MIN_POSITIVE),
        median_ms: at(50),
        p99_ms: at(99),
    })
}

/// How long the stages of a load took, a download left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LoadTimes {
    /// Seconds for the tokenizer, and for all before it.
    pub tokenizer_seconds: f64,
    /// Seconds for reading the weights and moving them to the device.
    pub weights_seconds: f64,
    /// How many bytes those are.
    pub weights_bytes: u64,
    /// Seconds from there to the end of the first forward pass.
    pub first_pass_seconds: f64,
}

impl LoadTimes {
    /// Seconds in all.
    pub fn seconds(&self) -> f64 {
        self.tokenizer_seconds + self.weights_seconds + self.first_pass_seconds
    }
}

/// Takes the times of a load while it goes on.
pub struct LoadClock {
    start: Instant,
    times: LoadTimes,
}

impl Default for LoadClock {
    fn default() -> Self {
        Self { start: Instant::now(), times: LoadTimes::default() }
    }
}

impl LoadClock {
    /// To be told of all progress.
    pub fn tell(&mut self, progress: &Progress) {
        let now = self.start.elapsed().as_secs_f64();
        let times = &mut self.times;
        match &progress.stage {
            Stage::Download(_) => *self = Self::default(),
            Stage::Tokenizer => times.tokenizer_seconds = now,
            Stage::Weights => {
                times.weights_seconds = now - times.tokenizer_seconds;
                times.weights_bytes = progress.total;
            }
            Stage::WarmUp => {
                times.first_pass_seconds = now - times.tokenizer_seconds - times.weights_seconds;
            }
        }
    }

    /// What was taken.
    pub fn times(self) -> LoadTimes {
        self.times
    }
}

/// What [`generate`] measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Generation {
    /// Tokens generated.
    pub tokens: usize,
    /// How many of them the grammar forced.
    pub forced: usize,
    /// Seconds for them, prefills left out.
    pub seconds: f64,
    /// Generated tokens per second. The first token of a run comes with its prefill and does not count.
    pub tokens_per_second: f64,
    /// Time to compute a mask, hidden or not.
    pub mask_us: Percentiles,
    /// The part of the mask's time that the forward pass did not hide.
    pub mask_wait_us: Percentiles,
    /// Time to pick a token and to record the statistics.
    pub sample_us: Percentiles,
}

/// The usual three figures about a set of times, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Percentiles {
    /// The percentiles of some times; zeros of none.
    pub fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut us: Vec<f64> = times.map(|t| t.as_secs_f64() * 1e6).collect();
        us.sort_unstable_by(f64::total_cmp);
        // The nearest rank: the smallest value that at least this share is not above.
        let at = |share: f64| {
            let rank = (us.len() as f64 * share).ceil() as usize;
            us.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        Self { p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

/// Runs `request` through the whole constrained loop, again and again with new seeds until
/// `tokens` tokens have come. Nothing is known of its grammar before the first of these runs.
///
/// # Errors
/// If the request cannot run, or generates nothing.
pub fn generate(engine: &mut Engine, request: &Request, tokens: usize) -> Result<Generation, EngineError> {
    let mut steps = Vec::new();
    let (mut seconds, mut runs) = (0.0, 0);
    let mut request = request.clone();
    engine.forget_grammar();
    while steps.len() < tokens {
        request.max_tokens = tokens - steps.len();
        let trace = engine.run(request.clone())?;
        request.sampler.seed = request.sampler.seed.wrapping_add(1);
        runs += 1;
        if trace.steps.is_empty() {
            let reason = trace.outcome.map_or("nothing", |o| o.reason.name());
            return Err(EngineError::Setting(format!(
                "the run to be measured generated no token ({reason})"
            )));
        }
        if let Some(outcome) = &trace.outcome {
            seconds += (outcome.elapsed - outcome.prefill).as_secs_f64();
        }
        steps.extend(trace.steps);
    }
    let sampled = || steps.iter().filter(|s| s.kind == StepKind::Sampled).map(|s| s.timings);
    Ok(Generation {
        tokens: steps.len(),
        forced: steps.iter().filter(|s| s.kind == StepKind::Forced).count(),
        seconds,
        tokens_per_second: (steps.len() - runs) as f64 / seconds.max(f64::MIN_POSITIVE),
        mask_us: Percentiles::of(sampled().map(|t| t.mask)),
        mask_wait_us: Percentiles::of(sampled().map(|t| t.mask_wait)),
        sample_us: Percentiles::of(sampled().map(|t| t.sample)),
    })
}

/// The index of the largest value, the first of equals.
fn argmax(logits: &[f32]) -> TokenId {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter().position(|&l| l == largest).unwrap_or(0) as TokenId
}
