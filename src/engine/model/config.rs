//! A model's sizes and constants, from `config.json` or from GGUF metadata, checked.
//!
//! [`Config`] is all that the decoders know of a model beside its weights. Whatever a file says
//! that the decoders do not do is an error here rather than a wrong answer later.

use serde_json::Value as Json;

use super::gguf::Gguf;
use super::rope::{Rope, Scaling};
use super::stock;

/// The blocks that the decoders can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// RMSNorm, RoPE, grouped-query attention and SwiGLU, without biases.
    Llama,
    /// The same with biases on the query, key and value projections.
    Qwen2,
}

impl Architecture {
    /// The name used by `config.json` and by GGUF.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Llama, Self::Qwen2].into_iter().find(|a| a.name() == name)
    }
}

/// The names of the architectures above, for messages.
const OWN: &str = "llama, qwen2";

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
    /// The longest text the model was trained on, in tokens.
    pub context: usize,
    /// Added to the mean square before its root is taken.
    pub rms_eps: f32,
    /// Rotary position embedding.
    pub rope: Rope,
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

    /// Reads the text of a Hugging Face `config.json`.
    ///
    /// # Errors
    /// A message naming the key and what was expected.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(text).map_err(|e| format!("not JSON: {e}"))?;
        let keys = Keys(&json);
        let name = keys.text("model_type")?.unwrap_or("without a model_type");
        let architecture = Architecture::of(name).ok_or_else(|| stock::refusal(name, OWN))?;
        for (key, only) in [("hidden_act", "silu"), ("activation_function", "silu")] {
            if let Some(value) = keys.text(key)?.filter(|v| *v != only) {
                return Err(format!("{key} is {value:?}, only {only:?} is supported"));
            }
        }
        for key in ["mlp_bias", "attention_bias"] {
            if keys.truth(key)? == Some(true) && architecture == Architecture::Llama {
                return Err(format!("{key} is true, which is not supported for llama"));
            }
        }
        let hidden = keys.size("hidden_size")?;
        let heads = keys.size("num_attention_heads")?;
        let mut context = keys.size("max_position_embeddings")?;
        // Within the window, sliding-window attention is full attention.
        if keys.truth("use_sliding_window")? == Some(true)
            && let Some(window) = keys.optional_size("sliding_window")?
        {
            context = context.min(window);
        }
        Self {
            architecture,
            hidden,
            intermediate: keys.size("intermediate_size")?,
            layers: keys.size("num_hidden_layers")?,
            heads,
            kv_heads: keys.optional_size("num_key_value_heads")?.unwrap_or(heads),
            head_dim: match keys.optional_size("head_dim")? {
                Some(dim) => dim,
                None => hidden / heads.max(1),
            },
            vocab: keys.size("vocab_size")?,
            context,
            rms_eps: keys.number("rms_norm_eps")?.unwrap_or(1e-6) as f32,
            rope: Rope::from_json(&json)?,
            tied: Some(keys.truth("tie_word_embeddings")?.unwrap_or(false)),
        }
        .checked()
    }

    /// Reads GGUF metadata. `factors` is the content of the tensor `rope_freqs.weight`, if any.
    ///
    /// # Errors
    /// A message naming the key and what was expected.
    pub fn from_gguf(gguf: &Gguf, factors: Option<Vec<f32>>) -> Result<Self, String> {
        let name = gguf.string("general.architecture").ok_or("general.architecture is missing")?;
        let architecture = Architecture::of(name).ok_or_else(|| stock::refusal_in_gguf(name, OWN))?;
        let key = |suffix: &str| format!("{name}.{suffix}");
        let optional = |suffix: &str| match gguf.integer(&key(suffix)) {
            Some(value) => {
                usize::try_from(value).map(Some).map_err(|_| format!("{} is {value}", key(suffix)))
            }
            None if gguf.metadata().contains_key(&key(suffix)) => {
                Err(format!("{} is not a whole number", key(suffix)))
            }
            None => Ok(None),
        };
        let size = |suffix: &str| {
            optional(suffix).and_then(|v| v.ok_or_else(|| format!("{} is missing", key(suffix))))
        };
        let hidden = size("embedding_length")?;
        let heads = size("attention.head_count")?;
        let head_dim = optional("attention.key_length")?.unwrap_or(hidden / heads.max(1));
        let embedding = gguf.dims("token_embd.weight").ok_or("tensor token_embd.weight is missing")?;
        if optional("rope.dimension_count")?.is_some_and(|n| n != head_dim) {
            return Err(format!(
                "{} differs from the head size {head_dim}; partial rotary embedding is not supported",
                key("rope.dimension_count")
            ));
        }
        Self {
            architecture,
            hidden,
            intermediate: size("feed_forward_length")?,
            layers: size("block_count")?,
            heads,
            kv_heads: optional("attention.head_count_kv")?.unwrap_or(heads),
            head_dim,
            vocab: embedding[0],
            context: size("context_length")?,
            rms_eps: gguf
                .number(&key("attention.layer_norm_rms_epsilon"))
                .ok_or_else(|| format!("{} is missing", key("attention.layer_norm_rms_epsilon")))?
                as f32,
            rope: Rope {
                theta: gguf.number(&key("rope.freq_base")).unwrap_or(10_000.) as f32,
                scaling: match (
                    factors,
                    gguf.string(&key("rope.scaling.type")),
                    gguf.number(&key("rope.scaling.factor")),
                ) {
                    (Some(factors), _, _) => Scaling::Factors(factors),
                    (None, None | Some("none"), _) => Scaling::None,
                    (None, Some("linear"), Some(factor)) => Scaling::Linear(factor as f32),
                    (None, Some(other), _) => {
                        return Err(format!("{} {other:?} is not supported", key("rope.scaling.type")));
                    }
                },
            },
            tied: None,
        }
        .checked()
    }

    /// Refuses sizes that do not fit each other or that no memory could hold.
    ///
    /// # Errors
    /// A message naming the size.
    pub fn checked(self) -> Result<Self, String> {
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
