//! The decoders against what transformers computes, against candle-transformers, and against
//! themselves. Fixtures: `tests/fixtures/README.md`.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use maze::engine::error::{LoadError, ModelError};
use maze::engine::load::{DeviceSpec, Loaded, ModelSpec, load, random};
use maze::engine::model::blob::Blob;
use maze::engine::model::config::Config;
use maze::engine::model::decoder::Decoder;
use maze::engine::model::device::DeviceNetwork;
use maze::engine::model::q4k::Q4k;
use maze::engine::model::random::Shape;
use maze::engine::model::safetensors::Safetensors;
use maze::engine::model::weights::{Source, Weights};
use maze::engine::model::{LanguageModel, ModelInfo};

const CASES: [&str; 6] = [
    "llama-tied",
    "llama-untied-sharded-bf16",
    "llama-rope3",
    "llama-rope-linear",
    "qwen2-untied",
    "qwen2-tied-f16",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn folder(case: &str) -> PathBuf {
    fixtures().join("models").join(case)
}

fn open(path: &Path) -> Result<Loaded, LoadError> {
    load(&ModelSpec::Path(path.to_owned()), DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(()))
}

fn embedded() -> Loaded {
    load(&ModelSpec::Embedded, DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// The same files through the decoder for accelerators, on the CPU.
fn in_tensor_operations(case: &str, fixed_step: bool) -> Decoder {
    let folder = folder(case);
    let config = Config::from_json(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let mut shards: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    shards.retain(|p| p.extension().is_some_and(|e| e == "safetensors"));
    let files = Safetensors::open(shards.iter().map(|p| Blob::open(p).unwrap()).collect()).unwrap();
    let source = Source::Safetensors(files, folder);
    let weights =
        Weights::load(&source, &config, &Device::Cpu, &mut |_, _| ControlFlow::Continue(())).unwrap();
    let info = ModelInfo { vocab: config.vocab, context: config.context, ..ModelInfo::default() };
    let mut network = DeviceNetwork::new(config, weights, info.context, &Device::Cpu).unwrap();
    if fixed_step {
        network = network.with_fixed_step().unwrap();
    }
    Decoder::new(info, Box::new(network))
}

#[derive(serde::Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    rows: Vec<usize>,
    logits: Vec<Vec<f32>>,
}

fn expected(case: &str) -> Vec<Expected> {
    serde_json::from_slice(&std::fs::read(folder(case).join("expected.json")).unwrap()).unwrap()
}

/// Largest difference.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0., f32::max)
}

fn assert_expected(case: &str, model: &mut dyn LanguageModel, tolerance: f32) {
    let vocab = model.info().vocab;
    for Expected { tokens, rows, logits } in expected(case) {
        model.truncate(0);
        let all = model.forward(&tokens, tokens.len()).unwrap();
        for (row, right) in rows.iter().zip(&logits) {
            let ours = &all[row * vocab..(row + 1) * vocab];
            let distance = distance(ours, right);
            assert!(distance < tolerance, "{case}: row {row} of {} is off by {distance}", tokens.len());
        }
    }
}

#[test]
fn logits_are_those_of_transformers() {
    for case in CASES {
        assert_expected(case, open(&folder(case)).unwrap().model.as_mut(), 1e-4);
    }
}

#[test]
fn logits_in_tensor_operations_are_those_of_transformers() {
    for case in CASES {
        assert_expected(case, &mut in_tensor_operations(case, false), 1e-4);
    }
}

/// Cutting the input into calls must not change the logits, whatever the cut, and neither must
/// tokens that were rolled back.
fn assert_cuts_do_not_matter(model: &mut dyn LanguageModel, tokens: &[u32], tolerance: f32) {
    let vocab = model.info().vocab;
    model.truncate(0);
    let whole = model.forward(tokens, tokens.len()).unwrap().to_vec();
    for sizes in [vec![1; tokens.len()], vec![3, 1, 7, 2, 11], vec![tokens.len() - 1, 1]] {
        model.truncate(0);
        let mut rest = tokens;
        let mut sizes = sizes.into_iter().cycle();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes.next().unwrap().min(rest.len()));
            let from = tokens.len() - rest.len();
            // A wrong turn that is taken back.
            model.forward(&[7, 8, 9], 1).unwrap();
            model.truncate(from);
            assert_eq!(model.len(), from);
            let rows = model.forward(piece, piece.len()).unwrap();
            let right = &whole[from * vocab..(from + piece.len()) * vocab];
            assert!(
                distance(rows, right) < tolerance,
                "after {from} tokens, {} at once: {}",
                piece.len(),
                distance(rows, right)
            );
            rest = after;
        }
    }
}

#[test]
fn cuts_and_rollbacks_do_not_change_the_logits() {
    for case in CASES {
        let tokens = expected(case).remove(3).tokens;
        assert_cuts_do_not_matter(open(&folder(case)).unwrap().model.as_mut(), &tokens, 1e-4);
        for fixed_step in [false, true] {
            assert_cuts_do_not_matter(&mut in_tensor_operations(case, fixed_step), &tokens, 1e-4);
        }
    }
}

#[test]
fn inputs_longer_than_a_piece_give_the_rows_that_were_asked_for() {
    let mut model = random_tiny(GgmlDType::F32, 700);
    let vocab = model.info().vocab;
    let tokens: Vec<u32> = (0..600).map(|i| i * 37 % vocab as u32).collect();
    let all = model.forward(&tokens, 600).unwrap().to_vec();
    assert_eq!(all.len(), 600 * vocab);
    for rows in [1, 87, 88, 89, 400] {
        model.truncate(0);
        let last = model.forward(&tokens, rows).unwrap();
        assert_eq!(last.len(), rows * vocab);
        assert!(distance(last, &all[(600 - rows) * vocab..]) < 1e-4, "{rows} rows");
    }
}

#[test]
fn a_refused_call_leaves_the_cache_as_it_was() {
    let mut model = random_tiny(GgmlDType::F32, 8);
    let vocab = model.info().vocab;
    model.forward(&[1, 2, 3], 1).unwrap();
    let next = model.forward(&[4], 1).unwrap().to_vec();
    model.truncate(3);
    assert!(matches!(
        model.forward(&[0; 6], 1),
        Err(ModelError::ContextFull { context: 8, len: 3, more: 6 })
    ));
    assert!(matches!(model.forward(&[4, vocab as u32], 1), Err(ModelError::TokenRange { .. })));
    assert!(matches!(model.forward(&[4], 2), Err(ModelError::Rows { rows: 2, tokens: 1 })));
    assert!(matches!(model.forward(&[4], 0), Err(ModelError::Rows { .. })));
    assert!(matches!(model.forward(&[], 0), Err(ModelError::Rows { .. })));
    assert_eq!(model.len(), 3);
    assert_eq!(model.forward(&[4], 1).unwrap(), next);
    model.forward(&[1, 1, 1, 1], 1).unwrap();
    assert_eq!(model.len(), 8);
    model.truncate(100);
    assert_eq!(model.len(), 8);
}

fn random_tiny(dtype: GgmlDType, context: usize) -> Box<dyn LanguageModel> {
    random(Shape::Tiny, DeviceSpec::Cpu, dtype, context, &mut |_| ControlFlow::Continue(())).unwrap().model
}

/// Every block type computes about what the plain numbers do: the same random weights, rounded.
#[test]
fn every_block_type_computes() {
    let tokens = [5, 900, 17, 4000, 2];
    let exact = random_tiny(GgmlDType::F32, 16).forward(&tokens, 5).unwrap().to_vec();
    for (dtype, least) in [
        (GgmlDType::BF16, 0.9999),
        (GgmlDType::F16, 0.9999),
        (GgmlDType::Q8_0, 0.999),
        (GgmlDType::Q6K, 0.998),
        (GgmlDType::Q5K, 0.99),
        (GgmlDType::Q4K, 0.96),
        (GgmlDType::Q4_0, 0.96),
    ] {
        let mut model = random_tiny(dtype, 16);
        let rounded = model.forward(&tokens, 5).unwrap();
        let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let cosine = dot(&exact, rounded) / (dot(&exact, &exact) * dot(rounded, rounded)).sqrt();
        assert!(cosine > least && cosine < 1.0001, "{dtype:?}: {cosine}");
        assert_eq!(
            model.info().weights.to_uppercase().replace("_K", "K"),
            format!("{dtype:?}").to_uppercase()
        );
    }
}

/// Writes a fixture as GGUF: the rows of Llama's query and key projections go from halves to
/// neighbouring pairs, as llama.cpp's converter does it.
fn write_gguf(case: &str, dtype: GgmlDType, path: &Path, extra: &[(&str, Value)], factors: Option<Vec<f32>>) {
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder(case).join("config.json")).unwrap()).unwrap();
    let number = |key: &str| config[key].as_u64().unwrap() as u32;
    let arch = config["model_type"].as_str().unwrap();
    let heads = number("num_attention_heads");
    let head_dim = config["head_dim"].as_u64().unwrap_or(u64::from(number("hidden_size") / heads)) as usize;
    let mut metadata = vec![("general.architecture".to_owned(), Value::String(arch.to_owned()))];
    for (key, value) in [
        ("context_length", number("max_position_embeddings")),
        ("embedding_length", number("hidden_size")),
        ("block_count", number("num_hidden_layers")),
        ("feed_forward_length", number("intermediate_size")),
        ("attention.head_count", heads),
        ("attention.head_count_kv", number("num_key_value_heads")),
        ("attention.key_length", head_dim as u32),
    ] {
        metadata.push((format!("{arch}.{key}"), Value::U32(value)));
    }
    metadata.push((format!("{arch}.attention.layer_norm_rms_epsilon"), Value::F32(1e-5)));
    let theta = config["rope_parameters"]["rope_theta"].as_f64().unwrap() as f32;
    metadata.push((format!("{arch}.rope.freq_base"), Value::F32(theta)));
    metadata.extend(extra.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));

    let tensors =
        candle_core::safetensors::load(folder(case).join("model.safetensors"), &Device::Cpu).unwrap();
    let mut out = Vec::new();
    for (name, tensor) in tensors {
        let tensor = tensor.to_dtype(candle_core::DType::F32).unwrap();
        let short = [
            ("model.embed_tokens", "token_embd"),
            ("model.norm", "output_norm"),
            ("lm_head", "output"),
            ("model.layers", "blk"),
            ("input_layernorm", "attn_norm"),
            ("post_attention_layernorm", "ffn_norm"),
            ("self_attn.q_proj", "attn_q"),
            ("self_attn.k_proj", "attn_k"),
            ("self_attn.v_proj", "attn_v"),
            ("self_attn.o_proj", "attn_output"),
            ("mlp.gate_proj", "ffn_gate"),
            ("mlp.up_proj", "ffn_up"),
            ("mlp.down_proj", "ffn_down"),
        ]
        .into_iter()
        .fold(name.clone(), |name, (from, to)| name.replace(from, to));
        let paired = arch == "llama" && (short.contains("attn_q.") || short.contains("attn_k."));
        let tensor = if paired {
            let (rows, columns) = tensor.dims2().unwrap();
            let halves = (rows / head_dim, 2, head_dim / 2, columns);
            let pairs = tensor.reshape(halves).unwrap().transpose(1, 2).unwrap();
            pairs.contiguous().unwrap().reshape((rows, columns)).unwrap()
        } else {
            tensor
        };
        let dtype = if tensor.rank() == 1 { GgmlDType::F32 } else { dtype };
        out.push((short, QTensor::quantize(&tensor, dtype).unwrap()));
    }
    if let Some(factors) = factors {
        let tensor = Tensor::new(factors, &Device::Cpu).unwrap();
        out.push(("rope_freqs.weight".to_owned(), QTensor::quantize(&tensor, GgmlDType::F32).unwrap()));
    }
    let metadata: Vec<_> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<_> = out.iter().map(|(k, v)| (k.as_str(), v)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

#[test]
fn gguf_gives_the_logits_of_transformers() {
    let temporary = tempfile::tempdir().unwrap();
    // Llama 3.1's scaling travels in GGUF as one divisor per frequency.
    let rope3 = (0..4).map(|i| {
        let wavelength = 2. * std::f64::consts::PI * 500_000f64.powf(2. * f64::from(i) / 8.);
        let smooth = (32. / wavelength - 1.) / (4. - 1.);
        1. / if wavelength < 8. {
            1.
        } else if wavelength > 32. {
            1. / 8.
        } else {
            (1. - smooth) / 8. + smooth
        }
    });
    let rope3: Vec<f32> = rope3.map(|f| f as f32).collect();
    for (case, factors) in
        [("llama-tied", None), ("qwen2-untied", None), ("qwen2-tied-f16", None), ("llama-rope3", Some(rope3))]
    {
        let folder_of = temporary.path().join(case);
        std::fs::create_dir(&folder_of).unwrap();
        for file in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
            std::fs::copy(folder(case).join(file), folder_of.join(file)).unwrap();
        }
        for (dtype, tolerance) in [(GgmlDType::F32, 1e-4), (GgmlDType::F16, 0.02), (GgmlDType::Q8_0, 0.3)] {
            let path = folder_of.join(format!("{dtype:?}.gguf"));
            write_gguf(case, dtype, &path, &[], factors.clone());
            let mut loaded = open(&path).unwrap();
            assert_eq!(loaded.vocabulary.eos(), [1, 2]);
            assert_expected(case, loaded.model.as_mut(), tolerance);
        }
    }
}

#[test]
fn a_gguf_file_may_carry_its_tokenizer() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("alone.gguf");
    let json: serde_json::Value =
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
    write_gguf("llama-tied", GgmlDType::F32, &path, &extra, None);
    let alone = open(&path).unwrap().vocabulary;
    let beside = open(&folder("llama-tied")).unwrap().vocabulary;
    let text = "Hello, </s> world!";
    assert_eq!(alone.encode_prompt(text).unwrap(), beside.encode_prompt(text).unwrap());
    assert_eq!(alone.eos(), [1, 5]);
    assert_eq!(alone.len(), beside.len());

    write_gguf("llama-tied", GgmlDType::F32, &path, &[], None);
    let message = open(&path).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("alone.gguf") && message.contains("tokenizer.json beside"), "{message}");
}

#[test]
fn the_vocabulary_is_as_wide_as_the_logits_and_knows_start_and_ends() {
    for case in CASES {
        let loaded = open(&folder(case)).unwrap();
        let Loaded { model, vocabulary } = loaded;
        assert_eq!((vocabulary.len(), model.info().vocab), (160, 160));
        assert_eq!(vocabulary.bytes(159), b"", "padding");
        assert_eq!(vocabulary.eos(), [1, 2], "all of generation_config.json, config.json's once");
        let start: &[u32] = if case.starts_with("llama") { &[0] } else { &[] };
        let prompt = vocabulary.encode_prompt("!").unwrap();
        assert_eq!(prompt, [start, &[2]].concat(), "{case}: a start token only where the files say so");
    }
    let nano = embedded();
    let end = |name: &str| *nano.vocabulary.encode_prompt(name).unwrap().last().unwrap();
    assert_eq!(nano.vocabulary.eos(), [end("<|endoftext|>"), end("<|im_end|>")]);
    assert_eq!(nano.vocabulary.encode_prompt("").unwrap(), [end("<|endoftext|>")]);
    assert_eq!(nano.vocabulary.len(), nano.model.info().vocab);
}

#[derive(serde::Deserialize)]
struct Part {
    name: String,
    tokens: usize,
    bits_per_byte: f64,
}

/// The shipped weights predict code as well as the ones they were made from.
#[test]
fn the_embedded_model_is_as_good_as_its_f16_weights() {
    let parts: Vec<Part> =
        serde_json::from_slice(&std::fs::read(fixtures().join("nano.json")).unwrap()).unwrap();
    let text = std::fs::read_to_string(fixtures().join("nano.txt")).unwrap();
    let Loaded { mut model, vocabulary } = embedded();
    let vocab = model.info().vocab;
    let (mut ours, mut reference, mut bytes) = (0., 0., 0);
    for (text, part) in text.split("\u{c}\n").zip(&parts) {
        let tokens = vocabulary.encode_prompt(text).unwrap();
        assert_eq!(tokens.len(), part.tokens, "{}", part.name);
        model.truncate(0);
        let logits = model.forward(&tokens, tokens.len()).unwrap();
        let mut bits = 0.;
        for (row, &next) in logits.chunks(vocab).zip(&tokens[1..]) {
            let total: f64 = row.iter().map(|&l| f64::from(l).exp()).sum();
            bits -= (f64::from(row[next as usize]) - total.ln()) / std::f64::consts::LN_2;
        }
        ours += bits;
        reference += part.bits_per_byte * text.len() as f64;
        bytes += text.len();
    }
    assert_eq!(text.split('\u{c}').count(), parts.len());
    let (ours, reference) = (ours / bytes as f64, reference / bytes as f64);
    let off = (ours - reference).abs() / reference;
    assert!(off < 0.01, "{ours:.4} bits per byte, {reference:.4} from the f16 weights");
}

fn softmax(logits: &[f32]) -> impl Iterator<Item = f64> {
    let total: f64 = logits.iter().map(|&l| f64::from(l).exp()).sum();
    logits.iter().map(move |&l| f64::from(l).exp() / total)
}

/// candle-transformers computes the same from the same file.
#[test]
fn the_embedded_model_agrees_with_candle_transformers() {
    use candle_transformers::models::quantized_llama::ModelWeights;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/nano/nano-q4_k.gguf");
    let mut file = std::fs::File::open(path).unwrap();
    let content = gguf_file::Content::read(&mut file).unwrap();
    let mut theirs = ModelWeights::from_gguf(content, &mut file, &Device::Cpu).unwrap();
    let Loaded { mut model, vocabulary } = embedded();
    let mut tokens = vocabulary.encode_prompt("# Python: return the larger of two numbers\n").unwrap();
    let mut position = 0;
    for _ in 0..40 {
        let input = Tensor::new(&tokens[position..], &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let right =
            theirs.forward(&input, position).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let ours = model.forward(&tokens[position..], 1).unwrap();
        position = tokens.len();
        // Activations are rounded to 8 bits before each product, so a different order of sums
        // can move a logit visibly, but not the distribution.
        let apart: f64 = softmax(ours).zip(softmax(&right)).map(|(a, b)| (a - b).abs() / 2.).sum();
        assert!(apart < 0.1, "token {position}: distributions are {apart} apart");
        let best = (0..right.len()).max_by(|&a, &b| right[a].total_cmp(&right[b])).unwrap();
        tokens.push(best as u32);
    }
    let text = String::from_utf8(vocabulary.decode(&tokens)).unwrap();
    assert!(text.contains("def ") && text.contains("return"), "{text}");
}

#[test]
fn the_embedded_model_computes_the_same_in_any_cut() {
    let Loaded { mut model, vocabulary } = embedded();
    let tokens = vocabulary.encode_prompt("fn main() {\n    println!(\"Hello\");\n}\n").unwrap();
    // candle's kernels round activations to 8 bits, ours to 16.
    let tolerance = if Q4k::is_supported() { 0.01 } else { 0.5 };
    assert_cuts_do_not_matter(model.as_mut(), &tokens, tolerance);
}

#[test]
fn a_load_can_be_watched_and_stopped() {
    let spec = ModelSpec::Path(folder("llama-tied"));
    let mut seen = Vec::new();
    let watched = load(&spec, DeviceSpec::Cpu, None, &mut |p| {
        seen.push(p);
        ControlFlow::Continue(())
    });
    assert_eq!(watched.unwrap().model.len(), 0);
    for pair in seen.windows(2).filter(|p| p[0].stage == p[1].stage) {
        assert!(pair[0].done <= pair[1].done && pair[1].done <= pair[1].total);
    }
    for stop_at in 0..seen.len() {
        let mut calls = 0;
        let stopped = load(&spec, DeviceSpec::Cpu, None, &mut |_| {
            calls += 1;
            if calls > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(LoadError::Cancelled)), "stopped at {stop_at}");
        assert_eq!(calls, stop_at + 1);
    }
}

#[test]
fn equal_weights_have_equal_fingerprints() {
    let fingerprint = |case: &str| open(&folder(case)).unwrap().model.info().fingerprint.clone();
    let all: std::collections::HashSet<_> = CASES.iter().map(|c| fingerprint(c)).collect();
    assert_eq!(all.len(), CASES.len());
    assert_eq!(fingerprint(CASES[0]), fingerprint(CASES[0]));
}
