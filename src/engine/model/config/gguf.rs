//! [`Config`] from GGUF metadata.

use super::{Architecture, Biases, Config};
use crate::engine::model::gguf::Gguf;
use crate::engine::model::rope::Rope;

impl Config {
    /// Reads GGUF metadata. `factors` is the content of the tensor `rope_freqs.weight`, if any.
    ///
    /// # Errors
    /// A message naming the key and what was expected.
    pub fn from_gguf(gguf: &Gguf, factors: Option<Vec<f32>>) -> Result<Self, String> {
        let name = gguf.string("general.architecture").ok_or("general.architecture is missing")?;
        let architecture = Architecture::of(name)?;
        if architecture == Architecture::Mistral {
            // Whether its rows are paired like those of `llama` would be a guess.
            return Err("general.architecture is \"mistral\"; Mistral's GGUF files call it \"llama\"".into());
        }
        let meta = Metadata { gguf, architecture: name };
        if let Some(count) = meta.optional("expert_count")?.filter(|&n| n > 0) {
            let key = meta.key("expert_count");
            return Err(format!("{key} is {count}: mixtures of experts are not supported"));
        }
        let hidden = meta.size("embedding_length")?;
        let heads = meta.size("attention.head_count")?;
        let head_dim = meta.optional("attention.key_length")?.unwrap_or(hidden / heads.max(1));
        let embedding = gguf.dims("token_embd.weight").ok_or("tensor token_embd.weight is missing")?;
        for (suffix, what) in [
            ("rope.dimension_count", "partial rotary embedding is"),
            ("attention.value_length", "values of another size are"),
        ] {
            if let Some(size) = meta.optional(suffix)?.filter(|&n| n != head_dim) {
                let key = meta.key(suffix);
                return Err(format!("{key} is {size}, the head size {head_dim}; {what} not supported"));
            }
        }
        if let Some(scale) = meta.number("attention.scale").filter(|&s| s != 0.) {
            return Err(format!("{} is {scale}, which is not supported", meta.key("attention.scale")));
        }
        let context = meta.size("context_length")?;
        let rope = Rope::from_gguf(&meta, factors, context)?;
        let has = |tensor: &str| gguf.dims(tensor).is_some();
        let rms_eps = "attention.layer_norm_rms_epsilon";
        Self {
            architecture,
            hidden,
            intermediate: meta.size("feed_forward_length")?,
            layers: meta.size("block_count")?,
            heads,
            kv_heads: meta.optional("attention.head_count_kv")?.unwrap_or(heads),
            head_dim,
            vocab: embedding[0],
            context: rope.extended(context),
            window: meta.optional("attention.sliding_window")?.filter(|&n| n > 0),
            rms_eps: meta.number(rms_eps).ok_or_else(|| format!("{} is missing", meta.key(rms_eps)))? as f32,
            rope,
            biases: Biases {
                qkv: architecture == Architecture::Qwen2 || has("blk.0.attn_q.bias"),
                output: has("blk.0.attn_output.bias"),
                mlp: has("blk.0.ffn_down.bias"),
            },
            qk_norm: architecture == Architecture::Qwen3,
            tied: None,
        }
        .checked()
    }
}

/// Typed access to the keys below an architecture's name.
pub(in crate::engine::model) struct Metadata<'a> {
    gguf: &'a Gguf,
    architecture: &'a str,
}

impl Metadata<'_> {
    /// The whole name of a key.
    pub fn key(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.architecture)
    }

    pub fn text(&self, suffix: &str) -> Option<&str> {
        self.gguf.string(&self.key(suffix))
    }

    pub fn number(&self, suffix: &str) -> Option<f64> {
        self.gguf.number(&self.key(suffix))
    }

    pub fn optional(&self, suffix: &str) -> Result<Option<usize>, String> {
        let key = self.key(suffix);
        match self.gguf.integer(&key) {
            Some(value) => usize::try_from(value).map(Some).map_err(|_| format!("{key} is {value}")),
            None if self.gguf.metadata().contains_key(&key) => Err(format!("{key} is not a whole number")),
            None => Ok(None),
        }
    }

    pub fn size(&self, suffix: &str) -> Result<usize, String> {
        self.optional(suffix)?.ok_or_else(|| format!("{} is missing", self.key(suffix)))
    }
}
