//! The fixtures of `tests/fixtures/models`, and what transformers computes for them.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::Device;
use maze::engine::error::LoadError;
use maze::engine::load::{DeviceSpec, Loaded, ModelSpec, load};
use maze::engine::model::config::Config;
use maze::engine::model::decoder::Decoder;
use maze::engine::model::device::DeviceNetwork;
use maze::engine::model::weights::{Source, Weights};
use maze::engine::model::{LanguageModel, ModelInfo};

/// A fixture's folder.
pub fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(case)
}

pub fn open(path: &Path) -> Result<Loaded, LoadError> {
    load(&ModelSpec::Path(path.to_owned()), DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(()))
}

/// Files through the decoder for accelerators, on the CPU.
pub fn in_tensor_operations(source: &Source, config: Config, fixed_step: bool) -> Decoder {
    let weights =
        Weights::load(source, &config, &Device::Cpu, &mut |_, _| ControlFlow::Continue(())).unwrap();
    let info = ModelInfo { vocab: config.vocab, context: config.context, ..ModelInfo::default() };
    let mut network = DeviceNetwork::new(config, weights, info.context, &Device::Cpu).unwrap();
    if fixed_step {
        network = network.with_fixed_step().unwrap();
    }
    Decoder::new(info, Box::new(network))
}

/// What transformers says: all logits at some positions, some at all.
#[derive(serde::Deserialize)]
pub struct Expected {
    pub tokens: Vec<u32>,
    rows: Vec<usize>,
    logits: Vec<Vec<f32>>,
    /// Every 20th logit.
    sparse: Vec<Vec<f32>>,
}

/// What it says of a fixture.
pub fn expected(case: &str) -> Vec<Expected> {
    serde_json::from_slice(&std::fs::read(folder(case).join("expected.json")).unwrap()).unwrap()
}

/// Largest difference.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0., f32::max)
}

pub fn assert_expected(case: &str, model: &mut dyn LanguageModel, tolerance: f32) {
    let vocab = model.info().vocab;
    for Expected { tokens, rows, logits, sparse } in expected(case) {
        model.truncate(0);
        let all: Vec<&[f32]> = model.forward(&tokens, tokens.len()).unwrap().chunks(vocab).collect();
        assert_eq!((sparse.len(), sparse[0].len()), (tokens.len(), vocab / 20));
        let some = |row: &[f32]| row.iter().step_by(20).copied().collect::<Vec<_>>();
        let sparse = all.iter().zip(&sparse).map(|(ours, right)| distance(&some(ours), right));
        let full = rows.iter().zip(&logits).map(|(row, right)| distance(all[*row], right));
        let worst = sparse.chain(full).fold(0., f32::max);
        assert!(worst < tolerance, "{case}: {} tokens are off by {worst}", tokens.len());
    }
}
