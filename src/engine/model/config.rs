//! A model's sizes and constants, from `config.json` or from GGUF metadata, checked.
//!
//! [`Config`] is all that the decoders know of a model beside its weights. Whatever a file says
//! that the decoders do not do is an error rather than a wrong answer later.

use serde_json::Value as Json;

use super::rope::Rope;

mod gguf;
mod json;

pub(super) use gguf::Metadata;

/// The blocks that the decoders can compute: RMSNorm, RoPE, grouped-query attention and SwiGLU, with
/// the additions that each names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Biases where the file says so.
    Llama,
    /// No biases, in early versions a sliding window. GGUF files call it `llama`.
    Mistral,
    /// Biases on the query, key and value projections.
    Qwen2,
    /// A norm over every query and key head.
    Qwen3,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Llama, Self::Mistral, Self::Qwen2, Self::Qwen3];

    /// The name used by `config.json` and by GGUF.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
        }
    }

    /// The architecture of a `model_type` or `general.architecture`.
    ///
    /// # Errors
    /// A message naming it and those that are supported.
    pub fn of(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| {
            let kind = if name.contains("moe") || name == "mixtral" { ", a mixture of experts," } else { "" };
            let supported = Self::ALL.map(Self::name).join(", ");
            format!("the architecture {name:?}{kind} is not supported (supported: {supported})")
        })
    }
}

/// Which projections have a bias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Biases {
    /// Query, key and value.
    pub qkv: bool,
    /// The one after attention.
    pub output: bool,
    /// Gate, up and down.
    pub mlp: bool,
}

/// Sizes and constants of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Which block.
    pub architecture: Architecture,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width inside the feed-forward layer.
    pub intermediate: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of query heads.
    pub heads: usize,
    /// Number of key/value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
    /// Rows of the embedding, columns of the logits.
    pub vocab: usize,
    /// The longest text that is computed as the model was trained for it, in tokens. Not longer than
    /// `window`.
    pub context: usize,
    /// How many tokens back attention looks, where that is less than the model's context. Within the
    /// window it is full attention, so the decoders go no further.
    pub window: Option<usize>,
    /// Added to the mean square before its root is taken.
    pub rms_eps: f32,
    /// Rotary position embedding.
    pub rope: Rope,
    /// Which projections have a bias.
    pub biases: Biases,
    /// Whether every query and key head goes through a norm before it is rotated.
    pub qk_norm: bool,
    /// Whether the embedding is also the output projection. `None`: if there is no other.
    pub tied: Option<bool>,
}

impl Config {
    /// Width of all query heads together.
    pub fn q_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key heads together, and of all value heads.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Refuses sizes that do not fit each other or that no memory could hold.
    ///
    /// # Errors
    /// A message naming the size.
    pub fn checked(mut self) -> Result<Self, String> {
        if let Some(window) = self.window {
            self.context = self.context.min(window);
        }
        let limits = [
            ("the hidden size", self.hidden, 1 << 16),
            ("the feed-forward size", self.intermediate, 1 << 18),
            ("the number of layers", self.layers, 1 << 10),
            ("the number of heads", self.heads, 1 << 10),
            ("the number of key/value heads", self.kv_heads, 1 << 10),
            ("the head size", self.head_dim, 1 << 10),
            ("the vocabulary size", self.vocab, 1 << 22),
            ("the context length", self.context, 1 << 30),
        ];
        for (what, size, limit) in limits {
            if !(1..=limit).contains(&size) {
                return Err(format!("{what} is {size}, expected 1 to {limit}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(format!(
                "{} query heads cannot share {} key/value heads evenly",
                self.heads, self.kv_heads
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("the head size is {}, expected an even number", self.head_dim));
        }
        if !(self.rms_eps > 0. && self.rms_eps < 1.) {
            return Err(format!("the norm's epsilon is {}, expected 0 to 1", self.rms_eps));
        }
        self.rope.check(self.head_dim)?;
        Ok(self)
    }
}

/// Typed access to the keys of a JSON object; `null` counts as absent.
pub(super) struct Keys<'a>(pub &'a Json);

impl<'a> Keys<'a> {
    fn get(&self, key: &str) -> Option<&'a Json> {
        self.0.get(key).filter(|v| !v.is_null())
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        self.get(key)
            .map(|v| v.as_str().ok_or_else(|| format!("{key} is {v}, expected a string")))
            .transpose()
    }

    pub fn truth(&self, key: &str) -> Result<Option<bool>, String> {
        self.get(key)
            .map(|v| v.as_bool().ok_or_else(|| format!("{key} is {v}, expected true or false")))
            .transpose()
    }

    pub fn number(&self, key: &str) -> Result<Option<f64>, String> {
        self.get(key)
            .map(|v| v.as_f64().ok_or_else(|| format!("{key} is {v}, expected a number")))
            .transpose()
    }

    pub fn optional_size(&self, key: &str) -> Result<Option<usize>, String> {
        self.get(key)
            .map(|v| {
                v.as_u64()
                    .and_then(|n| usize::try_from(n).ok())
                    .ok_or_else(|| format!("{key} is {v}, expected a whole number"))
            })
            .transpose()
    }

    pub fn size(&self, key: &str) -> Result<usize, String> {
        self.optional_size(key)?.ok_or_else(|| format!("{key} is missing"))
    }
}
