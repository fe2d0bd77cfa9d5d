//! Gemma 3 in GGUF files, as llama.cpp's converter writes them.
//!
//! The metadata leave out what all published models have in common: every sixth layer sees
//! everything, the others rotate with a base of 10,000, and the scores of the 27B model (the one of
//! 62 layers) are scaled by another number than the head size. The norms have their 1 added.

use std::io::{Read, Seek};

use candle_core::quantized::QMatMul;
use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Result as Candle, Tensor};

use super::{Attention, Config, Gemma3, Weights};
use crate::engine::model::gguf::Gguf;

/// Names of parts in a folder and in a file.
const NAMES: [(&str, &str); 15] = [
    ("embed_tokens", "token_embd"),
    ("norm", "output_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "post_attention_norm"),
    ("pre_feedforward_layernorm", "ffn_norm"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
];

/// The name in a file of a tensor with this name in a folder.
fn stored_name(name: &str) -> String {
    let (layer, part) = match name.strip_prefix("layers.").and_then(|rest| rest.split_once('.')) {
        Some((layer, part)) => (format!("blk.{layer}."), part),
        None => (String::new(), name),
    };
    let part = NAMES.iter().find(|(ours, _)| *ours == part).map_or(part, |(_, theirs)| theirs);
    format!("{layer}{part}.weight")
}

impl Config {
    /// Reads the metadata, whose sizes were checked.
    ///
    /// # Errors
    /// A message naming the key and what was expected.
    pub fn of_gguf(gguf: &Gguf, head_dim: usize, vocab_size: usize) -> Result<Self, String> {
        let key = |suffix: &str| format!("gemma3.{suffix}");
        let size = |suffix: &str, most: u64| match gguf.integer(&key(suffix)) {
            Some(n) if (1..=most).contains(&n) => Ok(n as usize),
            Some(n) => Err(format!("{} is {n}, expected 1 to {most}", key(suffix))),
            None => Err(format!("{} is missing or not a whole number", key(suffix))),
        };
        let positive = |suffix: &str, usual: Option<f64>| match gguf.number(&key(suffix)).or(usual) {
            Some(n) if n.is_finite() && n > 0. => Ok(n),
            Some(n) => Err(format!("{} is {n}, expected a positive number", key(suffix))),
            None => Err(format!("{} is missing", key(suffix))),
        };
        for suffix in ["final_logit_softcapping", "attn_logit_softcapping", "attention.scale"] {
            if let Some(value) = gguf.number(&key(suffix)).filter(|&n| n != 0.) {
                return Err(format!("{} is {value}, which is not supported for gemma3", key(suffix)));
            }
        }
        for suffix in ["rope.dimension_count", "attention.value_length"] {
            if let Some(value) = gguf.integer(&key(suffix)).filter(|&n| n != head_dim as u64) {
                return Err(format!("{} is {value}, expected the head size {head_dim}", key(suffix)));
            }
        }
        if !head_dim.is_multiple_of(2) {
            return Err(format!("the head size is {head_dim}, expected an even number"));
        }
        let rope_factor = match gguf.string(&key("rope.scaling.type")) {
            None | Some("none") => 1.,
            Some(_) => positive("rope.scaling.factor", None)?,
        };
        let (hidden_size, layers) = (size("embedding_length", 1 << 16)?, size("block_count", 1 << 10)?);
        let num_attention_heads = size("attention.head_count", 1 << 10)?;
        let pattern = match gguf.metadata().contains_key(&key("attention.sliding_window_pattern")) {
            true => size("attention.sliding_window_pattern", 1 << 10)?,
            false => 6,
        };
        let scalar = if layers == 62 { hidden_size / num_attention_heads } else { head_dim };
        Ok(Self {
            vocab_size,
            hidden_size,
            intermediate_size: size("feed_forward_length", 1 << 18)?,
            num_attention_heads,
            num_key_value_heads: size("attention.head_count_kv", 1 << 10)?,
            head_dim,
            rms_norm_eps: positive("attention.layer_norm_rms_epsilon", None)?,
            query_pre_attn_scalar: scalar.max(1) as f64,
            sliding_window: size("attention.sliding_window", 1 << 30)?,
            layer_types: (1..=layers).map(|layer| Attention::every(pattern, layer)).collect(),
            rope_theta: positive("rope.freq_base", Some(1e6))?,
            rope_factor,
            rope_local_base_freq: positive("rope.freq_base_swa", Some(10_000.))?,
        })
    }
}

/// The tensors of a file.
struct File<'a, R> {
    content: &'a Content,
    reader: &'a mut R,
    device: &'a Device,
}

impl Gemma3 {
    /// Reads a file's weights.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape.
    pub fn of_gguf<R: Read + Seek>(
        config: Config,
        content: &Content,
        reader: &mut R,
        device: &Device,
    ) -> Candle<Self> {
        Self::new(config, &mut File { content, reader, device }, device)
    }
}

impl<R: Read + Seek> File<'_, R> {
    fn checked(&self, name: &str, expected: &[usize]) -> Candle<String> {
        let name = stored_name(name);
        match self.content.tensor_infos.get(&name).map(|info| info.shape.dims()) {
            Some(dims) if dims != expected => {
                candle_core::bail!("tensor {name} has the shape {dims:?}, expected {expected:?}")
            }
            _ => Ok(name),
        }
    }
}

impl<R: Read + Seek> Weights for File<'_, R> {
    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Candle<QMatMul> {
        let name = self.checked(name, &[rows, columns])?;
        QMatMul::from_qtensor(self.content.tensor(self.reader, &name, self.device)?)
    }

    fn norm(&mut self, name: &str, size: usize) -> Candle<Tensor> {
        let name = self.checked(name, &[size])?;
        self.content.tensor(self.reader, &name, self.device)?.dequantize(self.device)
    }
}
