//! [`Config`] from a Hugging Face `config.json`, with the defaults that transformers has.

use serde_json::Value as Json;

use super::{Architecture, Biases, Config, Keys};
use crate::engine::model::rope::Rope;
use crate::engine::model::stock;

/// The window of a file that says there is one but not how long.
const DEFAULT_WINDOW: usize = 4096;

impl Config {
    /// Reads the text of a Hugging Face `config.json`.
    ///
    /// # Errors
    /// A message naming the key and what was expected.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(text).map_err(|e| format!("not JSON: {e}"))?;
        let keys = Keys(&json);
        let Some(name) = keys.text("model_type")? else {
            return Err("model_type is missing: it is not the config of a model in transformers' form".into());
        };
        let architecture = Architecture::of(name).ok_or_else(|| stock::refusal(name))?;
        refuse_quantised(&json)?;
        for (key, only) in [("hidden_act", "silu"), ("activation_function", "silu")] {
            if let Some(value) = keys.text(key)?.filter(|v| *v != only) {
                return Err(format!("{key} is {value:?}, only {only:?} is supported"));
            }
        }
        for key in ["num_experts", "num_local_experts", "n_routed_experts"] {
            if let Some(count) = keys.optional_size(key)?.filter(|&n| n > 0) {
                return Err(format!("{key} is {count}: mixtures of experts are not supported"));
            }
        }
        let hidden = keys.size("hidden_size")?;
        let heads = keys.size("num_attention_heads")?;
        let layers = keys.size("num_hidden_layers")?;
        let context = keys.size("max_position_embeddings")?;
        let rope = Rope::from_json(&json, context)?;
        Self {
            architecture,
            hidden,
            intermediate: keys.size("intermediate_size")?,
            layers,
            heads,
            kv_heads: keys.optional_size("num_key_value_heads")?.unwrap_or(heads),
            head_dim: match keys.optional_size("head_dim")? {
                Some(dim) => dim,
                None if architecture == Architecture::Qwen3 => 128,
                None => hidden / heads.max(1),
            },
            vocab: keys.size("vocab_size")?,
            context: rope.extended(context),
            window: window(&keys, architecture, layers)?,
            rms_eps: keys.number("rms_norm_eps")?.unwrap_or(1e-6) as f32,
            rope,
            biases: biases(&keys, architecture)?,
            qk_norm: architecture == Architecture::Qwen3,
            tied: Some(keys.truth("tie_word_embeddings")?.unwrap_or(false)),
        }
        .checked()
    }
}

/// Refuses weights that another program has quantised in its own way.
///
/// # Errors
/// A message naming the way and what to use instead.
pub(in crate::engine::model) fn refuse_quantised(json: &Json) -> Result<(), String> {
    let Some(how) = json.get("quantization_config").filter(|v| !v.is_null()) else { return Ok(()) };
    let method = Keys(how).text("quant_method")?.unwrap_or("without a quant_method");
    Err(format!(
        "quantization_config is {method:?}, which is not supported: take the model's unquantised safetensors \
         (F32, F16, BF16) or a GGUF file of it"
    ))
}

fn biases(keys: &Keys<'_>, architecture: Architecture) -> Result<Biases, String> {
    let attention = keys.truth("attention_bias")? == Some(true);
    let mlp = keys.truth("mlp_bias")? == Some(true);
    Ok(match architecture {
        Architecture::Llama => Biases { qkv: attention, output: attention, mlp },
        Architecture::Mistral => Biases::default(),
        Architecture::Qwen2 => Biases { qkv: true, ..Biases::default() },
        Architecture::Qwen3 => Biases { qkv: attention, output: attention, mlp: false },
    })
}

/// The sliding window, if any layer has one.
fn window(keys: &Keys<'_>, architecture: Architecture, layers: usize) -> Result<Option<usize>, String> {
    let slides = match architecture {
        Architecture::Llama => false,
        // `null` is how a file says that there is none.
        Architecture::Mistral => {
            return match keys.0.get("sliding_window") {
                None => Ok(Some(DEFAULT_WINDOW)),
                Some(_) => keys.optional_size("sliding_window"),
            };
        }
        Architecture::Qwen2 | Architecture::Qwen3 => {
            let some_layer = match keys.0.get("layer_types").and_then(Json::as_array) {
                Some(kinds) => kinds.iter().any(|kind| kind == "sliding_attention"),
                None => keys.optional_size("max_window_layers")?.unwrap_or(28) < layers,
            };
            keys.truth("use_sliding_window")? == Some(true) && some_layer
        }
    };
    if !slides {
        return Ok(None);
    }
    Ok(Some(keys.optional_size("sliding_window")?.unwrap_or(DEFAULT_WINDOW)))
}
