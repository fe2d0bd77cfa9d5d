//! GGUF files made of the fixtures, with F32 tensors unless said otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::refusals::message;
use super::{assert_cuts_do_not_matter, assert_expected, fixtures, open, try_open};

/// Fixtures, and the architectures that their GGUF files name.
pub const MADE: [(&str, &str); 4] =
    [("phi", "phi2"), ("phi3", "phi3"), ("glm4", "glm4"), ("gemma3-linear", "gemma3")];

/// Writes a fixture as GGUF with the names that llama.cpp's converter gives. Matrices whose rows
/// are whole blocks of `dtype` are stored as such.
fn write_gguf(case: &str, arch: &str, dtype: GgmlDType, path: &Path, extra: &[(&str, Value)]) {
    let config: Json =
        serde_json::from_slice(&std::fs::read(fixtures().join(case).join("config.json")).unwrap()).unwrap();
    let number = |key: &str| Value::U32(config[key].as_u64().unwrap() as u32);
    let mut metadata = vec![("general.architecture".to_owned(), Value::String(arch.to_owned()))];
    let mut add = |key: &str, value| metadata.push((format!("{arch}.{key}"), value));
    add("context_length", number("max_position_embeddings"));
    add("embedding_length", number("hidden_size"));
    add("feed_forward_length", number("intermediate_size"));
    add("block_count", number("num_hidden_layers"));
    add("attention.head_count", number("num_attention_heads"));
    add("attention.head_count_kv", number("num_key_value_heads"));
    add("rope.freq_base", Value::F32(if arch == "gemma3" { 1e6 } else { 10_000. }));
    let rotary = if matches!(arch, "phi3" | "gemma3") { 8 } else { 4 };
    add("rope.dimension_count", Value::U32(rotary));
    add("attention.key_length", Value::U32(8));
    for (key, ours) in [("layer_norm_rms_epsilon", "rms_norm_eps"), ("layer_norm_epsilon", "layer_norm_eps")]
    {
        if let Some(eps) = config[ours].as_f64() {
            add(&format!("attention.{key}"), Value::F32(eps as f32));
        }
    }
    if arch == "gemma3" {
        add("attention.value_length", Value::U32(8));
        add("rope.scaling.type", Value::String("linear".into()));
        add("rope.scaling.factor", Value::F32(8.));
        add("attention.sliding_window", number("sliding_window"));
    }
    for (key, value) in extra {
        metadata.retain(|(k, _)| k != key);
        metadata.push(((*key).to_owned(), value.clone()));
    }
    let stored =
        candle_core::safetensors::load(fixtures().join(case).join("model.safetensors"), &Device::Cpu);
    let mut tensors = BTreeMap::new();
    for (name, tensor) in stored.unwrap() {
        let mut tensor = tensor.to_dtype(DType::F32).unwrap();
        if arch == "gemma3" && name.ends_with("norm.weight") {
            tensor = (tensor + 1.).unwrap();
        }
        tensors.insert(name, tensor);
    }
    // Phi's converter stacks the three projections.
    for layer in 0..2 {
        for kind in ["weight", "bias"] {
            let name = |part: &str| format!("model.layers.{layer}.self_attn.{part}_proj.{kind}");
            if arch == "phi2" {
                let parts = ["q", "k", "v"].map(|part| tensors.remove(&name(part)).unwrap());
                tensors.insert(name("qkv"), Tensor::cat(&parts, 0).unwrap());
            }
        }
    }
    let short = |name: &str| {
        [
            ("model.embed_tokens", "token_embd"),
            ("model.final_layernorm", "output_norm"),
            ("model.norm", "output_norm"),
            ("lm_head", "output"),
            ("model.layers", "blk"),
            ("input_layernorm", "attn_norm"),
            ("post_attention_layernorm", if arch == "gemma3" { "post_attention_norm" } else { "ffn_norm" }),
            ("pre_feedforward_layernorm", "ffn_norm"),
            ("post_feedforward_layernorm", "post_ffw_norm"),
            ("post_self_attn_layernorm", "post_attention_norm"),
            ("post_mlp_layernorm", "post_ffw_norm"),
            ("self_attn.qkv_proj", "attn_qkv"),
            ("self_attn.q_norm", "attn_q_norm"),
            ("self_attn.k_norm", "attn_k_norm"),
            ("self_attn.q_proj", "attn_q"),
            ("self_attn.k_proj", "attn_k"),
            ("self_attn.v_proj", "attn_v"),
            ("self_attn.o_proj", "attn_output"),
            ("self_attn.dense", "attn_output"),
            ("mlp.gate_up_proj", "ffn_up"),
            ("mlp.gate_proj", "ffn_gate"),
            ("mlp.up_proj", "ffn_up"),
            ("mlp.down_proj", "ffn_down"),
            ("mlp.fc1", "ffn_up"),
            ("mlp.fc2", "ffn_down"),
        ]
        .into_iter()
        .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
    };
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, t)| {
            let fits = t.rank() == 2 && t.dims()[1].is_multiple_of(dtype.block_size());
            let dtype = if fits { dtype } else { GgmlDType::F32 };
            (short(name), QTensor::quantize(t, dtype).unwrap())
        })
        .collect();
    let metadata: Vec<_> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

/// The same in a folder with the fixture's tokenizer.
pub fn gguf(case: &str, arch: &str, extra: &[(&str, Value)]) -> (TempDir, PathBuf) {
    gguf_of(GgmlDType::F32, case, arch, extra)
}

/// The same with matrices of another type.
pub fn gguf_of(dtype: GgmlDType, case: &str, arch: &str, extra: &[(&str, Value)]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(fixtures().join(case).join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().join("model.gguf");
    write_gguf(case, arch, dtype, &path, extra);
    (folder, path)
}

#[test]
fn gguf_gives_the_logits_of_transformers() {
    for (case, arch) in MADE {
        let (_keep, path) = gguf(case, arch, &[]);
        let mut model = open(&path);
        assert_expected(case, model.as_mut());
        assert_cuts_do_not_matter(case, model.as_mut());
        let info = model.info().clone();
        assert_eq!((info.architecture.as_str(), info.weights.as_str(), info.context), (arch, "f32", 128));
        assert_eq!(info.parameters, open(&fixtures().join(case)).info().parameters);
    }
}

#[test]
fn gguf_that_candle_computes_wrong_is_refused() {
    let number = |key: &'static str, value| (key, Value::F32(value));
    let text = |key: &'static str, value: &str| (key, Value::String(value.into()));
    let cases = [
        (
            "phi3",
            text("general.architecture", "olmo2"),
            "not supported in GGUF, but a folder with safetensors of it is",
        ),
        (
            "phi3",
            text("general.architecture", "bert"),
            "\"bert\" is not supported in GGUF (supported in GGUF: llama, mistral",
        ),
        ("phi3", number("phi3.rope.freq_base", 500_000.), "phi3.rope.freq_base is 500000"),
        ("phi3", text("phi3.rope.scaling.type", "longrope"), "the rope kind \"longrope\" is not supported"),
        ("phi3", ("phi3.rope.dimension_count", Value::U32(6)), "rope.dimension_count is 6"),
        ("phi3", ("phi3.attention.head_count", Value::U32(0)), "attention.head_count is 0"),
        ("phi3", ("phi3.block_count", Value::U32(3)), "cannot find tensor"),
        ("phi3", ("phi3.block_count", Value::U32(1)), "is not part of the phi3 block"),
        ("glm4", ("glm4.rope.dimension_count", Value::U32(8)), "rope.dimension_count is 8"),
    ];
    for (arch, extra, fragment) in cases {
        let (_keep, path) = gguf(arch, arch, &[extra]);
        let found = message(try_open(&path, None), &path);
        assert!(found.contains(fragment), "{arch}: {found}");
    }
}
