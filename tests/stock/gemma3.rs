//! What only Gemma 3 has: a folder of a model that also sees, and GGUF files as llama.cpp reads them.

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use maze::engine::load::survey;
use maze::engine::model::stock::Settings;
use maze::engine::model::stock::gemma3::{Attention, Config};
use serde_json::json;

use super::gguf::{gguf, gguf_of};
use super::refusals::{changed, message};
use super::{assert_expected, distance, expected, fixtures, open, try_open};

const SEES: &str = "gemma3-sees";
const FILE: &str = "gemma3-linear";

/// The whole `text_config` of the 4B model as it was published, and the `Gemma3TextConfig` that
/// transformers 5.23 makes of it.
#[test]
fn what_published_settings_leave_out_is_what_transformers_assumes() {
    let published = json!({
        "model_type": "gemma3",
        "text_config": {
            "hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
            "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
            "sliding_window": 1024
        }
    });
    let settings = Settings::read(published.to_string().as_bytes()).unwrap().unwrap();
    assert_eq!((settings.context, settings.trained, settings.tied), (131_072, 131_072, true));
    let config: Config = settings.parse().unwrap();
    let heads = (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
    assert_eq!((config.vocab_size, heads, config.sliding_window), (262_208, (8, 4, 256), 1024));
    assert_eq!((config.rope_theta, config.rope_factor, config.rope_local_base_freq), (1e6, 8., 1e4));
    assert_eq!((config.rms_norm_eps, config.query_pre_attn_scalar), (1e-6, 256.));
    let full: Vec<usize> =
        (0..34).filter(|&layer| config.layer_types[layer] == Attention::FullAttention).collect();
    assert_eq!((config.layer_types.len(), full), (34, vec![5, 11, 17, 23, 29]));
}

#[test]
fn the_names_of_transformers_5_are_read_too() {
    let (_keep, folder) = changed(SEES, |_| {});
    let path = folder.join("model.safetensors");
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let renamed: std::collections::HashMap<_, _> = tensors
        .into_iter()
        .map(|(name, tensor)| match name.strip_prefix("language_model.model.") {
            Some(rest) => (format!("model.language_model.{rest}"), tensor),
            None => (format!("model.{name}"), tensor),
        })
        .collect();
    candle_core::safetensors::save(&renamed, &path).unwrap();
    let mut model = open(&folder);
    assert_expected(SEES, model.as_mut());
    assert_eq!(model.info().parameters, open(&fixtures().join(SEES)).info().parameters);
}

#[test]
fn only_the_parts_that_see_are_left_out() {
    let (_keep, folder) = changed(SEES, |_| {});
    let path = folder.join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let norm = tensors["language_model.model.norm.weight"].clone();
    tensors.insert("language_model.model.layers.0.extra_norm.weight".into(), norm);
    candle_core::safetensors::save(&tensors, &path).unwrap();
    let found = message(try_open(&folder, None), &path);
    assert!(found.contains("layers.0.extra_norm.weight is not part of the gemma3 block"), "{found}");
}

#[test]
fn a_survey_sees_the_language_model() {
    let folder = fixtures().join(SEES);
    let (found, info) = (survey(&folder).unwrap(), open(&folder).info().clone());
    assert_eq!(found.problem, None);
    assert_eq!(
        (found.architecture, found.parameters, found.context, found.vocab),
        (info.architecture, info.parameters, info.context, info.vocab)
    );
    // Four layers with one head of 8, keys and values in f32; weights in f32.
    assert_eq!((found.kv_bytes_per_token, found.weight_bytes), (4 * 8 * 2 * 4, 4 * info.parameters));
    let yarn = |c: &mut serde_json::Value| c["text_config"]["rope_scaling"] = json!({"rope_type": "yarn"});
    let (_keep, folder) = changed(SEES, yarn);
    let problem = survey(&folder).unwrap().problem.unwrap();
    assert!(
        problem.contains("\"yarn\" is not supported for gemma3 (supported: default, linear)"),
        "{problem}"
    );
}

/// These random weights make much of small differences: without the rounding of activations the logits
/// are off by up to 2.6, and one number that rounds the other way is seen after many tokens.
#[test]
fn a_q8_0_file_gives_the_logits_of_transformers_with_q8_0() {
    let (_keep, path) = gguf_of(GgmlDType::Q8_0, FILE, "gemma3", &[]);
    let mut model = open(&path);
    assert_eq!(model.info().weights, "Q8_0");
    let right = std::fs::read(fixtures().join(FILE).join("q8_0.json")).unwrap();
    let right: Vec<Vec<f32>> = serde_json::from_slice(&right).unwrap();
    for ((case, right), limit) in expected(FILE).iter().zip(&right).zip([1e-3, 0.3]) {
        model.truncate(0);
        let off = distance(model.forward(&case.tokens, 1).unwrap(), right);
        assert!(off < limit, "off by {off} after {} tokens", case.tokens.len());
    }
}

/// What a file says of window, bases and scaling is what is computed: any other number changes the
/// logits, and the usual numbers do not.
#[test]
fn the_metadata_of_a_file_matter() {
    let tokens = expected(FILE).pop().unwrap().tokens;
    let logits = |extra: &[(&str, Value)]| {
        let (_keep, path) = gguf(FILE, "gemma3", extra);
        open(&path).forward(&tokens, 1).unwrap().to_vec()
    };
    let right = logits(&[]);
    for (key, usual, other) in [
        ("gemma3.rope.freq_base_swa", Value::F32(10_000.), Value::F32(500.)),
        ("gemma3.attention.sliding_window_pattern", Value::U32(6), Value::U32(2)),
        ("gemma3.attention.sliding_window", Value::U32(8), Value::U32(9)),
        ("gemma3.rope.freq_base", Value::F32(1e6), Value::F32(1e4)),
        ("gemma3.rope.scaling.factor", Value::F32(8.), Value::F32(1.)),
    ] {
        assert_eq!(logits(&[(key, usual)]), right, "{key}");
        assert!(distance(&logits(&[(key, other)]), &right) > 1e-3, "{key}");
    }
}

#[test]
fn a_file_that_says_something_else_is_refused() {
    let text = |text: &str| Value::String(text.into());
    for (key, value, fragment) in [
        ("rope.scaling.type", text("yarn"), "(supported: none, linear)"),
        ("rope.scaling.factor", Value::F32(0.), "rope.scaling.factor is 0, expected a positive number"),
        ("final_logit_softcapping", Value::F32(30.), "final_logit_softcapping is 30"),
        ("attention.scale", Value::F32(0.5), "attention.scale is 0.5"),
        ("attention.value_length", Value::U32(4), "attention.value_length is 4, expected the head size 8"),
        ("attention.sliding_window", Value::U32(0), "attention.sliding_window is 0"),
        ("attention.sliding_window_pattern", Value::U32(0), "attention.sliding_window_pattern is 0"),
        ("feed_forward_length", Value::U32(9), "tensor blk.0.ffn_gate.weight has the shape [4, 32]"),
        ("attention.layer_norm_rms_epsilon", text("small"), "attention.layer_norm_rms_epsilon is missing"),
        ("block_count", Value::U32(7), "cannot find tensor"),
        ("block_count", Value::U32(5), "is not part of the gemma3 block"),
    ] {
        let (_keep, path) = gguf(FILE, "gemma3", &[(&format!("gemma3.{key}"), value)]);
        let found = message(try_open(&path, None), &path);
        assert!(found.contains(fragment), "{key}: {found}");
    }
}
