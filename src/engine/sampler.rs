//! From logits and a mask to a token.

use serde::Serialize;

/// How a token is picked from the masked distribution.
///
/// Applied in this order: repetition penalty, mask, temperature, top-k, top-p, min-p, draw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SamplerSettings {
    /// 0 picks the most probable token; 1 samples the model's own distribution. At least 0.
    pub temperature: f32,
    /// Keep only this many of the most probable tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the fewest tokens whose probabilities sum to at least this; 1 keeps all. In `0..=1`.
    pub top_p: f32,
    /// Keep tokens at least this fraction as probable as the best one; 0 keeps all. In `0..=1`.
    pub min_p: f32,
    /// Divides the positive logits of tokens already generated, multiplies the negative ones;
    /// 1 changes nothing. More than 0.
    pub repetition_penalty: f32,
    /// Equal seeds give equal tokens.
    pub seed: u64,
}

impl Default for SamplerSettings {
    fn default() -> Self {
        Self { temperature: 0.0, top_k: 0, top_p: 1.0, min_p: 0.0, repetition_penalty: 1.0, seed: 0 }
    }
}
