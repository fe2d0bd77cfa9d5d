//! The decoders against what transformers computes, against candle-transformers, and against
//! themselves. Fixtures: `tests/fixtures/README.md`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::quantized::{GgmlDType, gguf_file};
use candle_core::{Device, Tensor};
use maze::engine::error::ModelError;
use maze::engine::load::{DeviceSpec, Loaded, ModelSpec, load, random};
use maze::engine::model::LanguageModel;
use maze::engine::model::blob::Blob;
use maze::engine::model::config::Config;
use maze::engine::model::decoder::Decoder;
use maze::engine::model::q4k::Q4k;
use maze::engine::model::random::Shape;
use maze::engine::model::safetensors::Safetensors;
use maze::engine::model::weights::Source;

#[path = "support/models.rs"]
mod models;

use models::{assert_expected, distance, expected, folder, open};

const CASES: [&str; 11] = [
    "llama-tied",
    "llama-untied-sharded-bf16",
    "llama-rope3",
    "llama-rope-linear",
    "llama-yarn-biases",
    "mistral",
    "qwen2-untied",
    "qwen2-tied-f16",
    "qwen2-yarn",
    "qwen3-tied",
    "qwen3-untied",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
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
    models::in_tensor_operations(&Source::Safetensors(files, folder), config, fixed_step)
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
fn equal_weights_have_equal_fingerprints() {
    let fingerprint = |case: &str| open(&folder(case)).unwrap().model.info().fingerprint.clone();
    let all: std::collections::HashSet<_> = CASES.iter().map(|c| fingerprint(c)).collect();
    assert_eq!(all.len(), CASES.len());
    assert_eq!(fingerprint(CASES[0]), fingerprint(CASES[0]));
}
