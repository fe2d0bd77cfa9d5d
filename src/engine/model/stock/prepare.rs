//! What each family's `config.json` must say for its model to be right.
//!
//! A function here refuses what the model of its family does not compute, and corrects what can
//! be corrected: keys, the context, the size of passes, or the weights (see [`Fix`]).

use serde_json::{Map, Value as Json, json};

use super::family::Prepared;
use super::gemma3::Attention;
use super::settings::{Fix, RopeScaling, Settings, numbers};

/// Most tokens in a pass where only the first may take several.
const WHOLE: usize = 1024;

/// What holds for every family: the plain rope kind, and keys that candle wants.
pub fn plain(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    if let Some(rope) = rope {
        return Err(s.rope_refusal(&rope.kind));
    }
    common(s)
}

fn common(s: &mut Settings) -> Prepared {
    s.default("rope_theta", 10_000.0);
    s.default("attention_bias", false);
    s.default("mlp_bias", false);
    s.default("use_cache", true);
    s.default("hidden_act", "silu");
    s.default("n_group", 1);
    s.default("topk_group", 1);
    for key in ["bos_token_id", "eos_token_id", "pad_token_id"] {
        // Some files have several; the models do not need them.
        s.set(key, 0);
    }
    Ok(())
}

/// candle's Gemma models use the embedding as the head.
pub fn gemma(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.only("tie_word_embeddings", true)?;
    s.json.remove("use_bidirectional_attention").filter(|v| *v == json!(true)).map_or(Ok(()), |_| {
        Err("use_bidirectional_attention is true, only models that generate text are supported".to_owned())
    })?;
    // Older files have a `hidden_act` that transformers does not read.
    s.json.remove("hidden_act");
    s.default("hidden_activation", "gelu_pytorch_tanh");
    Ok(())
}

/// The factor that makes of candle's `1 / sqrt(head_dim)` the scale that the file asks for.
fn query_factor(s: &mut Settings) -> Result<f32, String> {
    let scalar = s.size("query_pre_attn_scalar")?.unwrap_or(s.head_dim);
    if scalar == 0 {
        return Err("query_pre_attn_scalar is 0".into());
    }
    s.set("query_pre_attn_scalar", s.head_dim);
    Ok((s.head_dim as f32 / scalar as f32).sqrt())
}

pub fn gemma2(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    gemma(s, rope)?;
    s.stay_in_window()?;
    let factors = vec![query_factor(s)?; s.heads * s.head_dim];
    s.fixes.push(Fix { suffix: "self_attn.q_proj.weight", plus: 0., factors });
    Ok(())
}

/// What published Gemma 3 leaves out because transformers assumes it.
const GEMMA3: [(&str, f64); 10] = [
    ("vocab_size", 262_208.),
    ("num_attention_heads", 8.),
    ("num_key_value_heads", 4.),
    ("head_dim", 256.),
    ("max_position_embeddings", 131_072.),
    ("rms_norm_eps", 1e-6),
    ("query_pre_attn_scalar", 256.),
    ("sliding_window", 4096.),
    ("rope_theta", 1e6),
    ("rope_local_base_freq", 10_000.),
];

/// The models that also see have the language model's keys in `text_config`.
pub fn gemma3_keys(mut all: Map<String, Json>) -> Map<String, Json> {
    let tied = all.get("tie_word_embeddings").cloned();
    let mut keys = match all.remove("text_config") {
        Some(Json::Object(keys)) => keys,
        _ => all,
    };
    keys.retain(|_, value| !value.is_null());
    if let Some(tied) = tied {
        keys.entry("tie_word_embeddings").or_insert(tied);
    }
    for (key, usual) in GEMMA3 {
        let usual = if usual < 1. { json!(usual) } else { json!(usual as u64) };
        keys.entry(key).or_insert(usual);
    }
    keys
}

/// Our own model, which has all that the published ones have.
pub fn gemma3(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    s.default("rope_factor", 1.0);
    if let Some(rope) = rope {
        let factor = rope.keys.get("factor").and_then(Json::as_f64).filter(|f| f.is_finite() && *f > 0.);
        match (rope.kind.as_str(), factor) {
            ("linear", Some(factor)) => s.set("rope_factor", factor),
            ("linear", None) => {
                return Err(format!("rope_scaling is {}, expected a positive \"factor\"", rope.keys));
            }
            (kind, _) => {
                let name = s.family.name;
                return Err(format!(
                    "the rope kind {kind:?} is not supported for {name} (supported: default, linear)"
                ));
            }
        }
    }
    gemma(s, None)?;
    s.only("hidden_activation", "gelu_pytorch_tanh")?;
    s.only("attention_bias", false)?;
    for key in ["attn_logit_softcapping", "final_logit_softcapping"] {
        if let Some(value) = s.json.get(key) {
            return Err(format!("{key} is {value}, Gemma 3 has none"));
        }
    }
    for key in ["sliding_window", "query_pre_attn_scalar"] {
        if !s.json.get(key).and_then(Json::as_f64).is_some_and(|n| n >= 1.) {
            return Err(format!("{key} is {}, expected 1 or more", s.json[key]));
        }
    }
    s.set("head_dim", s.head_dim);
    s.alias("sliding_window_pattern", "_sliding_window_pattern");
    s.default("sliding_window_pattern", 6);
    let Some(period) = s.size("sliding_window_pattern")?.filter(|&n| n > 0) else {
        return Err("sliding_window_pattern is 0, expected 1 or more".into());
    };
    let layers = s.size("num_hidden_layers")?.unwrap_or_default();
    let full = |layer: usize| Attention::every(period, layer) == Attention::FullAttention;
    let name = |layer| if full(layer) { "full_attention" } else { "sliding_attention" };
    s.default("layer_types", (1..=layers).map(name).collect::<Vec<_>>());
    match serde_json::from_value::<Vec<Attention>>(s.json["layer_types"].clone()) {
        Ok(types) if types.len() == layers => Ok(()),
        Ok(types) => Err(format!("layer_types has {} entries for {layers} layers", types.len())),
        Err(e) => Err(format!("layer_types: {e}")),
    }
}

/// Attention sees everything in candle's model, and the recurrence takes one token after the first pass.
pub fn recurrent_gemma(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    gemma(s, rope)?;
    s.alias("sliding_window", "attention_window_size");
    s.stay_in_window()?;
    s.only("partial_rotary_factor", 0.5)?;
    s.default("partial_rotary_factor", 0.5);
    s.default("conv1d_width", 4);
    s.default("rms_norm_eps", 1e-6);
    s.default("logits_soft_cap", 30.0);
    s.alias("block_types", "_block_types");
    s.json.remove("_block_types");
    s.set("head_dim", s.head_dim);
    s.set("max_seq_len", s.context);
    s.passes.again = false;
    s.passes.most = WHOLE;
    match s.json.get("block_types").and_then(Json::as_array) {
        Some(types) if !types.is_empty() => Ok(()),
        _ => Err("block_types is missing or empty".into()),
    }
}

pub fn phi(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.only("qk_layernorm", false)?;
    s.default("qk_layernorm", false);
    s.default("partial_rotary_factor", 0.5);
    // The mask of a second pass of several tokens has the wrong shape.
    s.passes.again = false;
    s.passes.most = WHOLE;
    Ok(())
}

pub fn phi3(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    common(s)?;
    s.stay_in_window()?;
    let original = s.size("original_max_position_embeddings")?;
    s.json.remove("original_max_position_embeddings");
    let Some(rope) = rope else { return Ok(()) };
    if !matches!(rope.kind.as_str(), "longrope" | "su") {
        return Err(s.rope_refusal(&rope.kind));
    }
    let share = s.json.get("partial_rotary_factor").and_then(Json::as_f64).unwrap_or(1.);
    let rotary = (s.head_dim as f64 * share) as usize;
    // candle multiplies the frequencies with the factors, transformers divides.
    let factors = numbers(&rope.keys, "short_factor", rotary / 2)?;
    let inverse: Vec<f64> = factors.iter().map(|f| 1. / f).collect();
    s.set("rope_scaling", json!({"type": "longrope", "short_factor": inverse, "long_factor": []}));
    // Beyond the original context other factors hold, for the tokens before as well.
    let trained = s.context as f64;
    let nested = rope.keys.get("original_max_position_embeddings").and_then(Json::as_u64).map(|n| n as usize);
    let original = original.or(nested).unwrap_or(s.context);
    s.context = s.context.min(original);
    // candle leaves the attention factor out. On the rotated part of queries and keys it is the same.
    let stretch = trained / original.max(2) as f64;
    let computed =
        if stretch <= 1. { 1. } else { (1. + stretch.ln() / (original.max(2) as f64).ln()).sqrt() };
    let factor = rope.keys.get("attention_factor").and_then(Json::as_f64).unwrap_or(computed) as f32;
    let of_row = |row| if row % s.head_dim < rotary { factor } else { 1. };
    let queries_and_keys = (s.heads + s.kv_heads) * s.head_dim;
    let mut factors: Vec<f32> = (0..queries_and_keys).map(of_row).collect();
    factors.resize(queries_and_keys + s.kv_heads * s.head_dim, 1.);
    s.fixes.push(Fix { suffix: "self_attn.qkv_proj.weight", plus: 0., factors });
    Ok(())
}

/// The settings say of half of a head that it is rotated, or nothing.
pub fn glm4(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    s.default("partial_rotary_factor", 0.5);
    plain(s, rope)
}

pub fn starcoder2(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.stay_in_window()?;
    s.only("tie_word_embeddings", true)?;
    s.default("use_bias", true);
    s.default("norm_epsilon", 1e-5);
    Ok(())
}

pub fn smollm3(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.only("use_sliding_window", false)?;
    s.only("attention_bias", false)?;
    s.only("mlp_bias", false)?;
    s.default("no_rope_layer_interval", 4);
    match s.size("no_rope_layer_interval")? {
        Some(0) => Err("no_rope_layer_interval is 0, expected 1 or more".into()),
        _ => Ok(()),
    }
}

pub fn helium(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.set("head_dim", s.head_dim);
    Ok(())
}

/// Granite 3 and the dense members of Granite 4. candle's own model of Granite 3 leaves the
/// multipliers out, the one of Granite 4 has them; the blocks are the same but for names.
pub fn granite(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.only("tie_word_embeddings", true)?;
    s.only("attention_bias", false)?;
    s.only("mlp_bias", false)?;
    s.only("position_embedding_type", "rope")?;
    if s.size("num_local_experts")?.is_some_and(|n| n > 0) {
        return Err("num_local_experts is not 0; mixtures of experts are not supported for granite".into());
    }
    let types = s.json.remove("layer_types").unwrap_or(json!([]));
    if let Some(other) =
        types.as_array().into_iter().flatten().find(|t| *t != "attention" && *t != "full_attention")
    {
        return Err(format!("layer_types has {other}, only attention layers are supported for granite"));
    }
    s.alias("shared_intermediate_size", "intermediate_size");
    Ok(())
}

/// The gate and up projections are one tensor in Granite 4.
pub fn granite_names(name: &str) -> Option<Vec<String>> {
    let replaced = |by: &[&str], part: &str| by.iter().map(|by| name.replace(part, by)).collect();
    if name.contains("shared_mlp.input_linear") {
        return Some(replaced(&["mlp.gate_proj", "mlp.up_proj"], "shared_mlp.input_linear"));
    }
    name.contains("shared_mlp.output_linear")
        .then(|| replaced(&["mlp.down_proj"], "shared_mlp.output_linear"))
}

/// The convolutions start anew with every pass of several tokens.
pub fn lfm2(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.only("conv_bias", false)?;
    s.passes.again = false;
    s.passes.most = WHOLE;
    let tied = s.json.get("tie_embedding").and_then(Json::as_bool).unwrap_or(s.tied);
    s.tied = tied;
    s.set("tie_embedding", tied);
    s.alias("intermediate_size", "block_ff_dim");
    let mut width = s.size("intermediate_size")?.ok_or("intermediate_size is missing")?;
    if s.json.get("block_auto_adjust_ff_dim") != Some(&json!(false)) {
        let share = s.json.get("block_ffn_dim_multiplier").and_then(Json::as_f64).unwrap_or(1.);
        let multiple = s.size("block_multiple_of")?.unwrap_or(256).max(1);
        width = ((share * (2 * width / 3) as f64) as usize).div_ceil(multiple) * multiple;
    }
    s.set("intermediate_size", width);
    // candle's own idea of the width is not used, but computed.
    s.set("block_multiple_of", 256);
    let layers = s.size("num_hidden_layers")?.unwrap_or_default();
    if let Some(full) = s.json.get("full_attn_idxs").cloned() {
        let full = |i: usize| full.as_array().into_iter().flatten().any(|n| *n == json!(i));
        let types: Vec<_> = (0..layers).map(|i| if full(i) { "full_attention" } else { "conv" }).collect();
        s.default("layer_types", types);
    }
    match s.json.get("layer_types").and_then(Json::as_array) {
        Some(types) if types.len() == layers => Ok(()),
        _ => Err(format!("layer_types is not a list of {layers} layers")),
    }
}

pub fn mixtral(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.stay_in_window()?;
    // Wider than any context, so that the mask, which is one token too wide, does not matter.
    s.set("sliding_window", 1 << 30);
    s.set("use_flash_attn", false);
    experts(s, "num_local_experts")
}

pub fn qwen_moe(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    plain(s, rope)?;
    s.only("use_sliding_window", false)?;
    s.only("mlp_only_layers", json!([]))?;
    s.only("qkv_bias", true)?;
    s.default("use_sliding_window", false);
    s.set("sliding_window", 1 << 30);
    s.default("max_window_layers", 0);
    s.default("decoder_sparse_step", 1);
    s.default("norm_topk_prob", false);
    s.set("head_dim", s.head_dim);
    s.alias("num_experts", "num_local_experts");
    if s.size("decoder_sparse_step")? == Some(0) {
        return Err("decoder_sparse_step is 0, expected 1 or more".into());
    }
    experts(s, "num_experts")
}

pub fn deepseek2(s: &mut Settings, rope: Option<RopeScaling>) -> Prepared {
    common(s)?;
    if let Some(rope) = rope {
        if rope.kind != "yarn" {
            return Err(s.rope_refusal(&rope.kind));
        }
        let mut keys = rope.keys;
        for (key, value) in [("beta_fast", 32.), ("beta_slow", 1.), ("mscale", 1.), ("mscale_all_dim", 0.)] {
            if keys.get(key).is_none_or(Json::is_null) {
                keys[key] = json!(value);
            }
        }
        keys["type"] = json!("yarn");
        s.set("rope_scaling", keys);
    }
    // The other method picks the groups by the wrong scores.
    s.only("topk_method", "greedy")?;
    for key in ["qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "kv_lora_rank"] {
        if !s.size(key)?.is_some_and(|n| (1..=1 << 14).contains(&n)) {
            return Err(format!("{key} is missing or out of range"));
        }
    }
    s.default("moe_layer_freq", 1);
    s.default("moe_intermediate_size", 1);
    if s.size("moe_layer_freq")? == Some(0) {
        return Err("moe_layer_freq is 0, expected 1 or more".into());
    }
    if s.size("n_routed_experts")?.is_none() { Ok(()) } else { experts(s, "n_routed_experts") }
}

/// Every token must find as many experts as it asks for.
fn experts(s: &Settings, key: &str) -> Prepared {
    let all = s.size(key)?.ok_or_else(|| format!("{key} is missing"))?;
    let chosen = s.size("num_experts_per_tok")?.ok_or("num_experts_per_tok is missing")?;
    if chosen == 0 || chosen > all || all > 1 << 12 {
        return Err(format!("num_experts_per_tok is {chosen} of {key} {all}"));
    }
    Ok(())
}
