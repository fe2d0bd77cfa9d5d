//! Greedy tokens and logits against transformers, in f32 on the same weights.
//!
//! With `MAZE_GPU_MODELS` set to the folder that `benches/gpu/transformers.py` has written.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use candle_core::quantized::GgmlDType;
use candle_core::{DType, Device};
use maze::engine::load::{DeviceSpec, ModelSpec, load};
use maze::engine::model::blob::Blob;
use maze::engine::model::config::Config;
use maze::engine::model::cuda::{Ahead, work};
use maze::engine::model::decoder::Decoder;
use maze::engine::model::device::DeviceNetwork;
use maze::engine::model::safetensors::Safetensors;
use maze::engine::model::weights::{Source, Weights};
use maze::engine::model::{LanguageModel, ModelInfo};
use maze::engine::trace::TokenId;

use super::{GPU, error, first, gpu};

/// How far logits may be off where nothing is rounded to bf16: the one in the middle, and the last.
const EXACT: (f64, f64) = (5e-4, 1e-3);

/// What transformers says of a model, in f32.
#[derive(serde::Deserialize)]
struct Expected {
    prompt: Vec<TokenId>,
    /// Its greedy tokens after the prompt.
    greedy: Vec<TokenId>,
    /// The logits that each of them was picked by, every 50th.
    sparse: Vec<Vec<f32>>,
    /// How far the second token was behind, in spreads of all logits.
    gaps: Vec<f64>,
    /// How far its own logits are off when it computes in bf16; nothing for a quantised model.
    bf16: Vec<f64>,
}

#[test]
#[ignore = "needs a GPU"]
fn greedy_tokens_are_those_of_transformers() {
    let Ok(folder) = std::env::var("MAZE_GPU_MODELS") else {
        eprintln!("MAZE_GPU_MODELS is not set: nothing is compared with transformers");
        return;
    };
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert_eq!(cases.len(), 12, "four blocks in three types");
    for case in cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let expected = std::fs::read(case.join("expected.json")).unwrap();
        let expected: Expected = serde_json::from_slice(&expected).unwrap();
        let gguf = case.join("model.gguf");
        if gguf.exists() {
            for device in [DeviceSpec::Cpu, GPU] {
                compare(&format!("{name} on {device}"), &mut *of(&gguf, device), &expected, EXACT);
            }
            continue;
        }
        let rounded = middle(&expected.bf16);
        println!("{name}: transformers in bf16 is off by {:.1e}, {:.1e} at most", rounded.0, rounded.1);
        compare(&format!("{name} on cpu"), &mut *of(&case, DeviceSpec::Cpu), &expected, EXACT);
        // As it is, its cache is in bf16; with one in f32 nothing is rounded but what is read.
        compare(&format!("{name} on cuda, cache in f32"), &mut exact(&case), &expected, EXACT);
        compare(&format!("{name} on cuda"), &mut *of(&case, GPU), &expected, rounded);
    }
    assert!(work::wait(Duration::from_secs(120)), "the driver compiles for ever");
}

fn of(path: &Path, device: DeviceSpec) -> Box<dyn LanguageModel> {
    load(&ModelSpec::Path(path.to_owned()), device, None, &mut |_| ControlFlow::Continue(())).unwrap().model
}

/// The model of a folder on the GPU, with vectors and cache in f32.
fn exact(folder: &Path) -> Decoder {
    let device: Device = gpu();
    let config = Config::from_json(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let blob = Blob::open(&folder.join("model.safetensors")).unwrap();
    let source = Source::Safetensors(Safetensors::open(vec![blob]).unwrap(), folder.to_owned());
    let go_on = &mut |_, _| ControlFlow::Continue(());
    let weights = Weights::load(&source, &config, &device, go_on).unwrap();
    let weights = Weights { dtype: DType::F32, ..weights };
    let info = ModelInfo { vocab: config.vocab, context: config.context, ..ModelInfo::default() };
    // What the stock operations are compared for would go through them, and they want one type.
    let ahead = Ahead::start(&device, &config, &[GgmlDType::BF16]);
    let network = DeviceNetwork::new(config.clone(), weights, config.context, &device).unwrap();
    let mut model = Decoder::new(info, Box::new(network.with_step(ahead).unwrap()));
    assert!(model.set_recorded(true), "there are no kernels");
    model
}

/// The one in the middle, and the largest.
fn middle(errors: &[f64]) -> (f64, f64) {
    let mut sorted = errors.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[sorted.len() / 2], sorted[sorted.len() - 1])
}

/// Compares a model with what is expected of it. `most`: how far the logits may be off, in the middle and at most.
/// If they are exact all tokens have to be the same but for ties that are closer than that; else those that differ
/// have to be nearly as probable.
fn compare(name: &str, model: &mut dyn LanguageModel, expected: &Expected, most: (f64, f64)) {
    let (mut token, before) = expected.prompt.split_last().unwrap();
    for &token in before {
        model.forward(&[token], 1).unwrap();
    }
    let (mut errors, mut gaps) = (Vec::new(), Vec::new());
    for (step, (right, sparse)) in expected.greedy.iter().zip(&expected.sparse).enumerate() {
        let logits = model.forward(&[*token], 1).unwrap();
        let some: Vec<f32> = logits.iter().step_by(50).copied().collect();
        errors.push(error(&some, sparse));
        if first(logits).0 != *right {
            gaps.push(expected.gaps[step]);
        }
        token = right;
    }
    let (usual, worst) = middle(&errors);
    let (count, gap) = (gaps.len(), gaps.iter().copied().fold(0., f64::max));
    println!(
        "{name}: off by {usual:.1e}, {worst:.1e} at most; {count} of {} tokens differ, at gaps up to {gap:.1e}",
        expected.greedy.len()
    );
    assert!(usual < most.0 && worst < most.1, "{name} is off");
    let tie = if most == EXACT { worst } else { 8. * worst };
    assert!(gap < tie, "{name}: other tokens");
}
