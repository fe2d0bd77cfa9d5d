//! What is refused, and how it says so.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::Value;
use candle_core::{Device, Tensor};
use maze::engine::error::LoadError;
use maze::engine::load::{DeviceSpec, Loaded, ModelSpec, Progress, Stage, load, survey};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::gguf::gguf;
use super::{cases, fixtures, open, try_open};

/// The error's text, which must name `path`.
pub fn message(result: Result<Loaded, LoadError>, path: &Path) -> String {
    let error = result.err().unwrap_or_else(|| panic!("{} loads", path.display())).to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    error
}

/// Copies a fixture and lets `change` break its settings.
pub fn changed(case: &str, change: impl FnOnce(&mut Json)) -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().to_owned();
    for entry in std::fs::read_dir(fixtures().join(case)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let path = folder.join("config.json");
    let mut json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut json);
    std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
    (temporary, folder)
}

#[test]
fn a_context_that_candle_computes_wrong_is_refused() {
    let folder = fixtures().join("phi3-window");
    let found = message(try_open(&folder, Some(49)), &folder.join("config.json"));
    assert!(found.contains("has 1 to 48, beyond which candle's model of it is wrong"), "{found}");
    assert_eq!(try_open(&folder, Some(48)).unwrap().model.info().context, 48);
    let window = ("phi3.attention.sliding_window", Value::U32(30));
    let (_keep, path) = gguf("phi3", "phi3", &[window]);
    assert_eq!(open(&path).info().context, 30);
}

#[test]
fn what_candle_does_not_compute_is_refused() {
    let linear = json!({"rope_type": "linear", "factor": 8.0});
    let cases = [
        ("phi3", "model_type", json!("falcon"), "\"falcon\" is not supported: candle's model approximates"),
        (
            "phi3",
            "model_type",
            json!("nonesuch"),
            "\"nonesuch\" is not supported (supported: llama, mistral, qwen2, qwen3, gemma",
        ),
        ("phi3", "model_type", json!("phimoe"), "\"phimoe\", a mixture of experts, is not supported"),
        ("phi3", "quantization_config", json!({"quant_method": "awq"}), "quantization_config is \"awq\""),
        ("gemma", "rope_scaling", linear.clone(), "the rope kind \"linear\" is not supported for gemma"),
        ("phi3", "rope_parameters", linear, "\"linear\" is not supported for phi3"),
        ("gemma", "rope_scaling", json!({"factor": 2.0}), "expected an object with a \"rope_type\""),
        ("phi3-longrope", "num_attention_heads", json!(0), "num_attention_heads is 0"),
        ("phi3-longrope-old", "partial_rotary_factor", json!(0.25), "expected 1 positive numbers"),
        ("phi3", "hidden_size", json!(17), "hidden_size 17 is not a multiple of 2 heads"),
        ("phi3", "num_key_value_heads", json!(3), "2 query heads cannot share 3 key/value heads"),
        ("phi3", "vocab_size", json!("many"), "vocab_size is \"many\""),
        ("gemma3", "head_dim", json!(7), "head size is 7"),
        ("gemma3", "tie_word_embeddings", json!(false), "tie_word_embeddings is false"),
        ("gemma3", "use_bidirectional_attention", json!(true), "use_bidirectional_attention is true"),
        ("gemma3", "query_pre_attn_scalar", json!(0), "query_pre_attn_scalar is 0"),
        ("gemma3", "layer_types", json!(["full_attention"]), "layer_types has 1 entries for 3 layers"),
        ("gemma3", "layer_types", json!(["chunked_attention"]), "unknown variant `chunked_attention`"),
        ("gemma3", "attn_logit_softcapping", json!(50.0), "attn_logit_softcapping is 50.0"),
        ("gemma3", "hidden_activation", json!("silu"), "hidden_activation is \"silu\""),
        ("gemma3", "sliding_window", json!(0), "sliding_window is 0"),
        ("gemma3-scalar", "rope_scaling", json!({"rope_type": "linear"}), "expected a positive \"factor\""),
        ("gemma3-scalar", "sliding_window_pattern", json!(0), "sliding_window_pattern is 0"),
        ("phi", "qk_layernorm", json!(true), "qk_layernorm is true"),
        ("smollm3", "use_sliding_window", json!(true), "use_sliding_window is true"),
        ("granitemoehybrid", "num_local_experts", json!(4), "mixtures of experts are not supported"),
        ("granitemoehybrid", "layer_types", json!(["mamba", "attention"]), "layer_types has \"mamba\""),
        ("granite", "position_embedding_type", json!("nope"), "position_embedding_type is \"nope\""),
        ("mixtral", "num_experts_per_tok", json!(9), "num_experts_per_tok is 9 of num_local_experts 4"),
        ("qwen2_moe", "mlp_only_layers", json!([1]), "mlp_only_layers is [1]"),
        ("deepseek_v2", "topk_method", json!("group_limited_greedy"), "computes only \"greedy\""),
        ("deepseek_v2", "moe_layer_freq", json!(0), "moe_layer_freq is 0"),
        ("lfm2", "layer_types", json!(["conv"]), "layer_types is not a list of 2 layers"),
        ("olmo", "intermediate_size", json!(null), "missing field `intermediate_size`"),
        ("olmo", "hidden_act", json!("nonesuch"), "unknown variant `nonesuch`"),
    ];
    for (case, key, value, fragment) in cases {
        let (_keep, folder) = changed(case, |config| config[key] = value.clone());
        let found = message(try_open(&folder, None), &folder.join("config.json"));
        assert!(found.contains(fragment), "{case}, {key} = {value}: {found}");
    }
}

/// Whatever a key says instead of what it should, the answer is a model or an error that names the
/// folder.
#[test]
fn no_setting_makes_a_load_panic() {
    for case in cases() {
        let config: Json =
            serde_json::from_slice(&std::fs::read(fixtures().join(&case).join("config.json")).unwrap())
                .unwrap();
        let place = if config["text_config"].is_object() { "/text_config" } else { "" };
        for (key, value) in config.pointer(place).unwrap().as_object().unwrap() {
            if !value.is_number() || key == "vocab_size" {
                continue;
            }
            for bad in [json!(0), json!(3), json!(-1.5)] {
                let set = |config: &mut Json| config.pointer_mut(place).unwrap()[key] = bad.clone();
                let (_keep, folder) = changed(&case, set);
                if let Err(error) = try_open(&folder, None) {
                    let text = error.to_string();
                    assert!(text.contains(folder.to_str().unwrap()), "{case}, {key} = {bad}: {text}");
                    assert!(!text.contains("panicked"), "{case}, {key} = {bad}: {text}");
                }
            }
        }
    }
}

#[test]
fn wrong_tensors_are_named_with_their_file() {
    type Tensors = std::collections::HashMap<String, Tensor>;
    type Case = (&'static str, fn(&mut Tensors), &'static [&'static str]);
    let cases: [Case; 4] = [
        (
            "gemma3",
            |t| drop(t.remove("model.norm.weight")),
            &["tensor model.norm.weight is missing", "the shape [16]"],
        ),
        (
            "phi3",
            |t| {
                let short = t["model.norm.weight"].narrow(0, 0, 8).unwrap();
                t.insert("model.norm.weight".into(), short);
            },
            &["model.safetensors", "tensor model.norm.weight has the shape [8], expected [16]"],
        ),
        (
            "olmo",
            |t| {
                let bias = t["lm_head.weight"].narrow(1, 0, 1).unwrap();
                t.insert("lm_head.bias".into(), bias);
            },
            &["model.safetensors", "tensor lm_head.bias is not part of the olmo block"],
        ),
        (
            "granite",
            |t| drop(t.remove("model.layers.1.mlp.up_proj.weight")),
            &["tensor model.layers.1.mlp.up_proj.weight is missing"],
        ),
    ];
    for (case, change, fragments) in cases {
        let (_keep, folder) = changed(case, |_| {});
        let path = folder.join("model.safetensors");
        let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        change(&mut tensors);
        candle_core::safetensors::save(&tensors, &path).unwrap();
        let found = message(try_open(&folder, None), &folder);
        for fragment in fragments {
            assert!(found.contains(fragment), "{case}: {found}");
        }
    }
}

#[test]
fn a_survey_knows_what_would_load() {
    let found = survey(&fixtures().join("phi3-window")).unwrap();
    assert_eq!((found.architecture.as_str(), found.context, found.problem), ("phi3", 48, None));
    let (_keep, folder) = changed("gemma3", |config| config["rope_scaling"] = json!({"rope_type": "yarn"}));
    // The newer key wins over the older one.
    assert_eq!(survey(&folder).unwrap().problem, None);
    let (_keep, folder) =
        changed("gemma3-scalar", |config| config["rope_scaling"] = json!({"rope_type": "yarn"}));
    assert!(survey(&folder).unwrap().problem.unwrap().contains("\"yarn\" is not supported for gemma3_text"));
    let (_keep, path) = gguf("glm4", "glm4", &[]);
    let found = survey(&path).unwrap();
    assert_eq!((found.architecture.as_str(), found.vocab, found.problem), ("glm4", 160, None));
}

#[test]
fn a_load_can_be_watched_and_stopped() {
    let folder = fixtures().join("gemma3");
    let (_keep, file) = gguf("phi3", "phi3", &[]);
    for path in [&folder, &file] {
        let spec = ModelSpec::Path(path.clone());
        let mut seen = Vec::new();
        let mut watch = |p: Progress| {
            seen.push((p.stage, p.done, p.total));
            ControlFlow::Continue(())
        };
        load(&spec, DeviceSpec::Cpu, None, &mut watch).unwrap();
        let weights: Vec<_> = seen.iter().filter(|s| s.0 == Stage::Weights).collect();
        let total = weights[0].2;
        assert!(total > 4096 && weights.last().unwrap().1 == total, "{seen:?}");
        assert!(weights.is_sorted_by_key(|s| s.1), "{seen:?}");
        for stage in [Stage::Tokenizer, Stage::Weights, Stage::WarmUp] {
            let stopped = load(&spec, DeviceSpec::Cpu, None, &mut |p| {
                if p.stage == stage { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert!(matches!(stopped.map(|_| ()), Err(LoadError::Cancelled)), "{stage:?}");
        }
    }
}
