//! GGUF files of the fixtures' weights, in every block type, against transformers' logits and against
//! the same weights in plain numbers.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use maze::engine::model::LanguageModel;
use maze::engine::model::blob::Blob;
use maze::engine::model::config::Config;
use maze::engine::model::gguf::Gguf;
use maze::engine::model::weights::Source;
use serde_json::{Value as Json, json};

#[path = "support/models.rs"]
mod models;

use models::{assert_expected, distance, folder, in_tensor_operations, open};

/// A model in the terms of Hugging Face.
struct Model {
    config: Json,
    tensors: BTreeMap<String, Tensor>,
}

impl Model {
    fn fixture(case: &str) -> Self {
        let config =
            serde_json::from_slice(&std::fs::read(folder(case).join("config.json")).unwrap()).unwrap();
        let mut tensors = BTreeMap::new();
        for entry in std::fs::read_dir(folder(case)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "safetensors") {
                for (name, tensor) in candle_core::safetensors::load(path, &Device::Cpu).unwrap() {
                    tensors.insert(name, tensor.to_dtype(candle_core::DType::F32).unwrap());
                }
            }
        }
        Self { config, tensors }
    }

    fn number(&self, key: &str) -> u32 {
        self.config[key].as_u64().unwrap_or_else(|| panic!("{key}")) as u32
    }

    /// Writes it as llama.cpp's converter does: Mistral is a `llama`, whose queries and keys go from
    /// halves to neighbouring pairs, and vectors stay in f32.
    fn write(&self, dtype: GgmlDType, path: &Path, extra: &[(&str, Value)], factors: Option<Vec<f32>>) {
        let metadata = self.metadata(extra);
        let mut tensors = self.quantised(dtype);
        if let Some(factors) = factors {
            let tensor = Tensor::new(factors, &Device::Cpu).unwrap();
            tensors.push(("rope_freqs.weight".into(), QTensor::quantize(&tensor, GgmlDType::F32).unwrap()));
        }
        write(path, &metadata, &tensors);
    }

    fn metadata(&self, extra: &[(&str, Value)]) -> Vec<(String, Value)> {
        let kind = self.config["model_type"].as_str().unwrap();
        let arch = if kind == "mistral" { "llama" } else { kind };
        let text = |text: &str| Value::String(text.to_owned());
        let mut metadata = vec![("general.architecture".to_owned(), text(arch))];
        let mut set = |key: &str, value| metadata.push((format!("{arch}.{key}"), value));
        for (key, value) in [
            ("context_length", self.number("max_position_embeddings")),
            ("embedding_length", self.number("hidden_size")),
            ("block_count", self.number("num_hidden_layers")),
            ("feed_forward_length", self.number("intermediate_size")),
            ("attention.head_count", self.number("num_attention_heads")),
            ("attention.head_count_kv", self.number("num_key_value_heads")),
            ("attention.key_length", self.head_dim() as u32),
            ("attention.value_length", self.head_dim() as u32),
            ("rope.dimension_count", self.head_dim() as u32),
        ] {
            set(key, Value::U32(value));
        }
        set("attention.layer_norm_rms_epsilon", Value::F32(1e-5));
        let rope = self.config.get("rope_parameters").unwrap_or(&self.config["rope_scaling"]);
        let theta = rope["rope_theta"].as_f64().or(self.config["rope_theta"].as_f64()).unwrap();
        set("rope.freq_base", Value::F32(theta as f32));
        let kind = rope["rope_type"].as_str().unwrap_or("default");
        if kind == "linear" || kind == "yarn" {
            set("rope.scaling.type", text(kind));
            set("rope.scaling.factor", Value::F32(rope["factor"].as_f64().unwrap() as f32));
        }
        if kind == "yarn" {
            let original = rope["original_max_position_embeddings"].as_u64().unwrap();
            set("rope.scaling.original_context_length", Value::U32(original as u32));
            set("rope.scaling.yarn_beta_fast", Value::F32(rope["beta_fast"].as_f64().unwrap() as f32));
        }
        metadata.extend(extra.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
        metadata
    }

    fn head_dim(&self) -> usize {
        let derived = self.number("hidden_size") / self.number("num_attention_heads");
        self.config["head_dim"].as_u64().unwrap_or(u64::from(derived)) as usize
    }

    fn quantised(&self, dtype: GgmlDType) -> Vec<(String, QTensor)> {
        let llama = ["llama", "mistral"].contains(&self.config["model_type"].as_str().unwrap());
        self.tensors
            .iter()
            .map(|(name, tensor)| {
                let paired = llama && (name.contains("q_proj") || name.contains("k_proj"));
                let tensor = if paired { pair(tensor, self.head_dim()) } else { tensor.clone() };
                (gguf_name(name), QTensor::quantize(&tensor, fitting(&tensor, dtype)).unwrap())
            })
            .collect()
    }
}

/// Rows of every head from halves to neighbouring pairs.
fn pair(tensor: &Tensor, head_dim: usize) -> Tensor {
    let heads = tensor.dims()[0] / head_dim;
    let columns = tensor.elem_count() / tensor.dims()[0];
    let halves = tensor.reshape((heads, 2, head_dim / 2, columns)).unwrap();
    halves.transpose(1, 2).unwrap().contiguous().unwrap().reshape(tensor.shape()).unwrap()
}

/// The block type, or f16 where rows are no whole blocks; f32 for vectors.
fn fitting(tensor: &Tensor, dtype: GgmlDType) -> GgmlDType {
    match tensor.dims() {
        [_] => GgmlDType::F32,
        [.., row] if row % dtype.block_size() == 0 => dtype,
        _ => GgmlDType::F16,
    }
}

fn gguf_name(name: &str) -> String {
    [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers", "blk"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ]
    .into_iter()
    .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

fn write(path: &Path, metadata: &[(String, Value)], tensors: &[(String, QTensor)]) {
    let metadata: Vec<_> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

/// A folder with the small files of the fixtures, which all have the same tokenizer.
fn place() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    for file in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        std::fs::copy(folder("llama-tied").join(file), temporary.path().join(file)).unwrap();
    }
    let path = temporary.path().join("model.gguf");
    (temporary, path)
}

/// The file through the decoder for accelerators, on the CPU.
fn in_operations(path: &Path, fixed_step: bool) -> impl LanguageModel {
    let gguf = Gguf::open(Blob::open(path).unwrap()).unwrap();
    let config = Config::from_gguf(&gguf, gguf.read_factors().unwrap()).unwrap();
    in_tensor_operations(&Source::Gguf(gguf), config, fixed_step)
}

/// Llama 3.1's scaling travels in GGUF as one divisor per frequency; these are those of the fixture.
fn llama3_factors() -> Vec<f32> {
    let factor = |i| {
        let wavelength = 2. * std::f64::consts::PI * 500_000f64.powf(2. * f64::from(i) / 8.);
        let smooth = (32. / wavelength - 1.) / (4. - 1.);
        1. / if wavelength < 8. {
            1.
        } else if wavelength > 32. {
            1. / 8.
        } else {
            (1. - smooth) / 8. + smooth
        }
    };
    (0..4).map(|i| factor(i) as f32).collect()
}

#[test]
fn gguf_gives_the_logits_of_transformers() {
    let (_keep, path) = place();
    for case in [
        "llama-tied",
        "llama-untied-sharded-bf16",
        "llama-rope3",
        "llama-rope-linear",
        "llama-yarn-biases",
        "mistral",
        "qwen2-untied",
        "qwen2-tied-f16",
        "qwen3-tied",
        "qwen3-untied",
    ] {
        let factors = (case == "llama-rope3").then(llama3_factors);
        let model = Model::fixture(case);
        for (dtype, tolerance) in
            [(GgmlDType::F32, 1e-4), (GgmlDType::F16, 0.02), (GgmlDType::BF16, 0.1), (GgmlDType::Q8_0, 0.3)]
        {
            model.write(dtype, &path, &[], factors.clone());
            let mut loaded = open(&path).unwrap();
            assert_eq!(loaded.vocabulary.eos(), [1, 2]);
            assert_expected(case, loaded.model.as_mut(), tolerance);
        }
        model.write(GgmlDType::F32, &path, &[], factors);
        assert_expected(case, &mut in_operations(&path, false), 1e-4);
    }
}

/// Numbers of about the spread of a normal distribution, the same for the same seed.
fn noise(dims: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let count = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|_| (0..6).map(|_| uniform()).sum::<f32>() - 3.).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

/// A block wide enough for blocks of 256.
fn wide(kind: &str) -> Model {
    let config = json!({
        "model_type": kind, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 1,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 160,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
        "attention_bias": kind != "qwen2", "mlp_bias": true, "sliding_window": null,
        "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
    });
    let mut tensors = BTreeMap::new();
    let mut add = |name: &str, dims: &[usize]| {
        let noise = noise(dims, tensors.len() as u64 + 1);
        let (scale, mean) = match dims {
            [_] if name.contains("norm") => (0.2, 1.),
            [_] => (0.5, 0.),
            _ => (1.2 / (dims[1] as f64).sqrt(), 0.),
        };
        tensors.insert(name.to_owned(), noise.affine(scale, mean).unwrap());
    };
    add("model.embed_tokens.weight", &[160, 256]);
    add("lm_head.weight", &[160, 256]);
    add("model.norm.weight", &[256]);
    let layer = "model.layers.0";
    for (name, rows, columns) in [
        ("self_attn.q_proj", 256, 256),
        ("self_attn.k_proj", 128, 256),
        ("self_attn.v_proj", 128, 256),
        ("self_attn.o_proj", 256, 256),
        ("mlp.gate_proj", 512, 256),
        ("mlp.up_proj", 512, 256),
        ("mlp.down_proj", 256, 512),
    ] {
        add(&format!("{layer}.{name}.weight"), &[rows, columns]);
        let biased = match kind {
            "llama" => true,
            "qwen2" => ["q_proj", "k_proj", "v_proj"].iter().any(|p| name.ends_with(p)),
            "qwen3" => name.starts_with("self_attn"),
            _ => false,
        };
        if biased {
            add(&format!("{layer}.{name}.bias"), &[rows]);
        }
    }
    add(&format!("{layer}.input_layernorm.weight"), &[256]);
    add(&format!("{layer}.post_attention_layernorm.weight"), &[256]);
    if kind == "qwen3" {
        add(&format!("{layer}.self_attn.q_norm.weight"), &[64]);
        add(&format!("{layer}.self_attn.k_norm.weight"), &[64]);
    }
    Model { config, tensors }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The weights that a file's blocks stand for, in plain numbers, give the same logits but for the
/// rounding of activations; the weights before they were rounded give similar ones.
#[test]
fn every_block_type_gives_the_logits_of_its_weights() {
    let (keep, path) = place();
    let tokens: Vec<u32> = (0..33).map(|i| i * 37 % 160).collect();
    for kind in ["llama", "mistral", "qwen2", "qwen3"] {
        let exact = wide(kind);
        let plain = keep.path().join("plain.gguf");
        let forward = |path: &Path| {
            let mut loaded = open(path).unwrap();
            let info = loaded.model.info().clone();
            (loaded.model.forward(&tokens, tokens.len()).unwrap().to_vec(), info.weights)
        };
        exact.write(GgmlDType::F32, &plain, &[], None);
        let (unrounded, _) = forward(&plain);
        let spread = unrounded.iter().fold(0f32, |most, l| most.max(l.abs()));
        for (dtype, name, least) in [
            (GgmlDType::F16, "f16", 0.9999),
            (GgmlDType::BF16, "bf16", 0.9999),
            (GgmlDType::Q8_0, "Q8_0", 0.999),
            (GgmlDType::Q6K, "Q6_K", 0.995),
            (GgmlDType::Q5K, "Q5_K", 0.99),
            (GgmlDType::Q5_1, "Q5_1", 0.99),
            (GgmlDType::Q5_0, "Q5_0", 0.99),
            (GgmlDType::Q4K, "Q4_K", 0.97),
            (GgmlDType::Q4_1, "Q4_1", 0.97),
            (GgmlDType::Q4_0, "Q4_0", 0.96),
            (GgmlDType::Q3K, "Q3_K", 0.85),
            (GgmlDType::Q2K, "Q2_K", 0.5),
        ] {
            let rounded = exact.tensors.iter().map(|(name, tensor)| {
                let quantised = QTensor::quantize(tensor, fitting(tensor, dtype)).unwrap();
                (name.clone(), quantised.dequantize(&Device::Cpu).unwrap())
            });
            let rounded = Model { config: exact.config.clone(), tensors: rounded.collect() };
            rounded.write(GgmlDType::F32, &plain, &[], None);
            exact.write(dtype, &path, &[], None);
            let ((right, _), (ours, weights)) = (forward(&plain), forward(&path));
            assert_eq!(weights, name);
            let off = distance(&right, &ours) / spread;
            assert!(off < 0.03, "{kind} in {name}: off by {off} of the largest logit");
            let alike = cosine(&unrounded, &ours);
            assert!(alike > least && alike < 1.0001, "{kind} in {name}: cosine {alike}");
            for fixed_step in [false, true] {
                let mut model = in_operations(&path, fixed_step);
                let mut off = 0f32;
                for (token, right) in tokens.iter().zip(right.chunks(160)) {
                    off = off.max(distance(model.forward(&[*token], 1).unwrap(), right) / spread);
                }
                assert!(off < 0.03, "{kind} in {name} token by token, {fixed_step}: off by {off}");
            }
        }
    }
}

#[test]
fn a_gguf_file_may_carry_its_tokenizer() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("alone.gguf");
    let json: Json =
        serde_json::from_slice(&std::fs::read(folder("llama-tied").join("tokenizer.json")).unwrap()).unwrap();
    let ids: HashMap<String, usize> = serde_json::from_value(json["model"]["vocab"].clone()).unwrap();
    let mut words: Vec<_> = ids.into_iter().collect();
    words.sort_by_key(|(_, id)| *id);
    let kinds = (0..words.len()).map(|i| Value::I32(if i < 2 { 3 } else { 1 })).collect();
    let words = words.into_iter().map(|(word, _)| Value::String(word)).collect();
    let extra = [
        ("tokenizer.ggml.model", Value::String("gpt2".into())),
        ("tokenizer.ggml.tokens", Value::Array(words)),
        ("tokenizer.ggml.token_type", Value::Array(kinds)),
        ("tokenizer.ggml.merges", Value::Array(vec![])),
        ("tokenizer.ggml.bos_token_id", Value::U32(0)),
        ("tokenizer.ggml.eos_token_id", Value::U32(1)),
        ("tokenizer.ggml.eot_token_id", Value::U32(5)),
        ("tokenizer.ggml.add_bos_token", Value::Bool(true)),
    ];
    Model::fixture("llama-tied").write(GgmlDType::F32, &path, &extra, None);
    let alone = open(&path).unwrap().vocabulary;
    let beside = open(&folder("llama-tied")).unwrap().vocabulary;
    let text = "Hello, </s> world!";
    assert_eq!(alone.encode_prompt(text).unwrap(), beside.encode_prompt(text).unwrap());
    assert_eq!(alone.eos(), [1, 5]);
    assert_eq!(alone.len(), beside.len());

    Model::fixture("llama-tied").write(GgmlDType::F32, &path, &[], None);
    let message = open(&path).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("alone.gguf") && message.contains("tokenizer.json beside"), "{message}");
}

/// Cuts a fixture into parts as `llama-gguf-split` does: the first has the metadata.
fn write_parts(folder: &Path, case: &str, count: usize) -> Vec<PathBuf> {
    let model = Model::fixture(case);
    let mut parts: Vec<Vec<(String, QTensor)>> = (0..count).map(|_| Vec::new()).collect();
    for (i, tensor) in model.quantised(GgmlDType::F32).into_iter().enumerate() {
        parts[i % count].push(tensor);
    }
    let tensors: usize = parts.iter().map(Vec::len).sum();
    let name = |n| folder.join(format!("part-{:05}-of-{count:05}.gguf", n + 1));
    for (n, part) in parts.iter().enumerate() {
        let mut metadata = if n == 0 { model.metadata(&[]) } else { Vec::new() };
        metadata.push(("split.no".into(), Value::U16(n as u16)));
        metadata.push(("split.count".into(), Value::U16(count as u16)));
        metadata.push(("split.tensors.count".into(), Value::I32(tensors as i32)));
        write(&name(n), &metadata, part);
    }
    (0..count).map(name).collect()
}

#[test]
fn a_gguf_model_in_parts_is_one_model() {
    let (keep, _) = place();
    let parts = write_parts(keep.path(), "llama-tied", 3);
    for path in [&parts[0], &parts[2], &keep.path().to_owned()] {
        assert_expected("llama-tied", open(path).unwrap().model.as_mut(), 1e-4);
    }
    let message = |path: &Path| open(path).map(|_| ()).unwrap_err().to_string();
    let says = |found: String, fragments: &[&str]| {
        assert!(fragments.iter().all(|f| found.contains(f)), "{fragments:?} in {found}");
    };
    // A part under another name, in another's place, and not there at all.
    let lone = keep.path().join("lone.gguf");
    std::fs::copy(&parts[1], &lone).unwrap();
    says(message(&lone), &["lone.gguf", "one of 3 parts", "model-00001-of-00003.gguf"]);
    std::fs::copy(&parts[0], &parts[1]).unwrap();
    says(message(&parts[0]), &["part-00002-of-00003.gguf", "one of 3 parts"]);
    std::fs::remove_file(&parts[1]).unwrap();
    says(message(&parts[0]), &["cannot read", "part-00002-of-00003.gguf"]);
}
