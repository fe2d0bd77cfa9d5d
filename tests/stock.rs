//! The families that run through candle-transformers against what transformers computes, and
//! against themselves. Fixtures: `tests/fixtures/README.md`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use maze::engine::error::{LoadError, ModelError};
use maze::engine::load::{DeviceSpec, Loaded, ModelSpec, load};
use maze::engine::model::LanguageModel;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stock")
}

fn cases() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn open(path: &Path) -> Result<Loaded, LoadError> {
    load(&ModelSpec::Path(path.to_owned()), DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(()))
}

#[derive(serde::Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    rows: Vec<usize>,
    logits: Vec<Vec<f32>>,
}

fn expected(case: &str) -> Vec<Expected> {
    serde_json::from_slice(&std::fs::read(fixtures().join(case).join("expected.json")).unwrap()).unwrap()
}

/// Largest difference.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0., f32::max)
}

#[test]
fn try_all() {
    for case in cases() {
        let mut loaded = match open(&fixtures().join(&case)) {
            Ok(l) => l,
            Err(e) => {
                println!("{case}: {e}");
                continue;
            }
        };
        let model = loaded.model.as_mut();
        let vocab = model.info().vocab;
        let mut worst = 0f32;
        let mut cuts = 0f32;
        for Expected { tokens, rows, logits } in expected(&case) {
            model.truncate(0);
            let all = model.forward(&tokens, tokens.len()).unwrap().to_vec();
            for (row, right) in rows.iter().zip(&logits) {
                worst = worst.max(distance(&all[row * vocab..(row + 1) * vocab], right));
            }
            for n in [tokens.len(), 3, 7, 16] {
                model.truncate(0);
                let mut done = 0;
                for piece in tokens.chunks(n) {
                    done += piece.len();
                    let row = match model.forward(piece, 1) {
                        Ok(r) => r,
                        Err(e) => {
                            println!("{case}: cut {n}: {e}");
                            break;
                        }
                    };
                    cuts = cuts.max(distance(row, &all[(done - 1) * vocab..done * vocab]));
                }
            }
        }
        println!("{case}: {worst:.6} cuts {cuts:.6} {:?}", model.info());
    }
}
