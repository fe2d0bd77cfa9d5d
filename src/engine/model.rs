//! What the engine needs of a language model, and what it tells about itself.
//!
//! [`LanguageModel`] is small on purpose: tokens in, logits out, and a KV cache that rolls back.
//! Implementations live in the folder beside this file. Nothing here may know a grammar.

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::trace::TokenId;

pub mod away;
pub mod blob;
pub mod config;
pub mod cpu;
pub mod cuda;
pub mod cuda_graph;
pub mod decoder;
pub mod device;
pub mod embedded;
pub mod gguf;
pub mod kernels;
pub mod matrix;
pub mod q4k;
pub mod quants;
pub mod random;
pub mod raw;
pub mod rope;
mod rounded;
pub mod rows;
pub mod safetensors;
pub mod scripted;
pub mod stock;
pub mod tokenizer;
pub mod weights;

/// A causal language model with its KV cache.
///
/// The cache holds the tokens of all [`forward`](Self::forward) calls since the last
/// [`truncate`](Self::truncate). A model is used from one thread at a time.
pub trait LanguageModel: Send {
    /// What the model is.
    fn info(&self) -> &ModelInfo;

    /// How many tokens the KV cache holds.
    fn len(&self) -> usize;

    /// Whether the KV cache is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends `tokens` to the cache and returns the logits that follow each of the last `rows`
    /// of them: `rows * info().vocab` values in f32, row-major, oldest first.
    ///
    /// One call with k tokens and k calls with one token give the same logits.
    ///
    /// # Errors
    /// [`ModelError::ContextFull`] if the cache cannot take them, [`ModelError::TokenRange`] for
    /// an id outside the vocabulary, [`ModelError::Rows`] unless `1 <= rows <= tokens.len()`; the
    /// cache is then as before.
    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError>;

    /// As [`forward`](Self::forward), but leaves the logits where they were computed, if the model can
    /// answer questions about them there.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn run(&mut self, tokens: &[TokenId], rows: usize) -> Result<away::Logits<'_>, ModelError> {
        self.forward(tokens, rows).map(away::Logits::Here)
    }

    /// Says what will be run next, as it seems, with the logits of how many rows: a device may begin with it
    /// while the host is at work on what came before. Nobody asks for the last logits any more. Changes nothing
    /// but times.
    fn anticipate(&mut self, _tokens: &[TokenId], _rows: usize) {}

    /// For measuring: lets a device launch the operations of a token all at once, as they were recorded, or
    /// one by one. False if there is no such choice.
    fn set_recorded(&mut self, _recorded: bool) -> bool {
        false
    }

    /// For measuring: what bounds the speed of the model, if that is known.
    ///
    /// # Errors
    /// If the device fails.
    fn limits(&mut self) -> Result<Option<Limits>, ModelError> {
        Ok(None)
    }

    /// Forgets all but the first `len` tokens, in constant time. Longer than the cache: no effect.
    fn truncate(&mut self, len: usize);
}

/// What bounds the speed of a model where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    /// The hardware, as its driver names it.
    pub hardware: String,
    /// Bytes of weights that are read for every token.
    pub token_bytes: u64,
    /// Bytes a second that a large copy reads and writes, measured.
    pub bandwidth: f64,
    /// Bytes of the device's memory that this program and others have taken.
    pub memory_used: u64,
}

/// What a model is: identity for the trace, sizes for the engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The name people know it by: a folder's or file's name, or `maze-nano`.
    pub name: String,
    /// The block it is built of, as its files name it: `llama`, `qwen2`.
    pub architecture: String,
    /// How the weights are stored: `f32`, `bf16`, `Q4_K`.
    pub weights: String,
    /// Where it runs: `cpu`, `cuda:0`.
    pub device: String,
    /// Number of parameters.
    pub parameters: u64,
    /// Width of the logits. May be more than the tokenizer has: the rest is padding.
    pub vocab: usize,
    /// Most tokens the KV cache can hold.
    pub context: usize,
    /// Short hash over the weights' description, so that a trace says what made it.
    pub fingerprint: String,
}

impl ModelInfo {
    /// The same with what is known of the weights once they are read.
    #[must_use]
    pub fn with(self, summary: &weights::Summary) -> Self {
        Self {
            weights: summary.weights.clone(),
            parameters: summary.parameters,
            fingerprint: summary.fingerprint.clone(),
            ..self
        }
    }
}

/// The checks that every [`LanguageModel::forward`] makes before it changes anything.
///
/// # Errors
/// As [`LanguageModel::forward`].
pub fn check_forward(
    info: &ModelInfo,
    len: usize,
    tokens: &[TokenId],
    rows: usize,
) -> Result<(), ModelError> {
    if rows == 0 || rows > tokens.len() {
        return Err(ModelError::Rows { rows, tokens: tokens.len() });
    }
    if tokens.len() > info.context.saturating_sub(len) {
        return Err(ModelError::ContextFull { context: info.context, len, more: tokens.len() });
    }
    match tokens.iter().find(|&&t| t as usize >= info.vocab) {
        Some(&token) => Err(ModelError::TokenRange { token, vocab: info.vocab }),
        None => Ok(()),
    }
}
