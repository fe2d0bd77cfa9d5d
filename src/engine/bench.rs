//! How fast a model is by itself, without a grammar and without a sampler.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::ModelError;
use super::model::LanguageModel;
use super::trace::TokenId;

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

/// The index of the largest value, the first of equals.
fn argmax(logits: &[f32]) -> TokenId {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter().position(|&l| l == largest).unwrap_or(0) as TokenId
}
