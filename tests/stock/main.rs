//! The families that run through candle-transformers against what transformers computes, and
//! against themselves. Fixtures: `tests/fixtures/README.md`.

mod gemma3;
mod gguf;
mod refusals;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use candle_core::Device;
use maze::engine::error::{LoadError, ModelError};
use maze::engine::grammar::{Compiler, GrammarKind, GrammarSource};
use maze::engine::load::{DeviceSpec, Loaded, ModelSpec, load};
use maze::engine::model::{LanguageModel, stock};
use maze::engine::sampler::SamplerSettings;
use maze::engine::session::Session;
use maze::engine::trace::{Request, TokenId};
use refusals::changed;
use serde_json::{Value as Json, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stock")
}

/// Every fixture; there is at least one for each family.
fn cases() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn try_open(path: &Path, context: Option<usize>) -> Result<Loaded, LoadError> {
    load(&ModelSpec::Path(path.to_owned()), DeviceSpec::Cpu, context, &mut |_| ControlFlow::Continue(()))
}

fn open(path: &Path) -> Box<dyn LanguageModel> {
    try_open(path, None).unwrap_or_else(|e| panic!("{e}")).model
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

fn assert_expected(case: &str, model: &mut dyn LanguageModel) {
    let vocab = model.info().vocab;
    for Expected { tokens, rows, logits } in expected(case) {
        model.truncate(0);
        let all = model.forward(&tokens, tokens.len()).unwrap();
        for (row, right) in rows.iter().zip(&logits) {
            let distance = distance(&all[row * vocab..(row + 1) * vocab], right);
            assert!(distance < 1e-4, "{case}: row {row} of {} is off by {distance}", tokens.len());
        }
        // The last row alone comes from passes of several tokens.
        model.truncate(0);
        let distance = distance(model.forward(&tokens, 1).unwrap(), logits.last().unwrap());
        assert!(distance < 1e-4, "{case}: the last of {} is off by {distance}", tokens.len());
    }
}

/// Cutting the input into calls must not change the logits, whatever the cut, and neither must
/// tokens that were taken back.
fn assert_cuts_do_not_matter(case: &str, model: &mut dyn LanguageModel) {
    let tokens = expected(case).pop().unwrap().tokens;
    let vocab = model.info().vocab;
    model.truncate(0);
    let whole = model.forward(&tokens, tokens.len()).unwrap().to_vec();
    for sizes in [vec![3, 1, 7, 2, 11], vec![tokens.len() - 1, 1]] {
        model.truncate(0);
        let mut rest = tokens.as_slice();
        for size in sizes.into_iter().cycle() {
            let from = tokens.len() - rest.len();
            let (piece, after) = rest.split_at(size.min(rest.len()));
            // A wrong turn that is taken back.
            model.forward(&[7, 8, 9][..3.min(model.info().context - from)], 1).unwrap();
            model.truncate(from);
            assert_eq!(model.len(), from);
            for rows in [1, piece.len()] {
                model.truncate(from);
                let right = &whole[(from + piece.len() - rows) * vocab..(from + piece.len()) * vocab];
                let distance = distance(model.forward(piece, rows).unwrap(), right);
                assert!(
                    distance < 5e-5,
                    "{case}: after {from} tokens, {} at once, {rows} rows: {distance}",
                    piece.len()
                );
            }
            assert_eq!(model.len(), from + piece.len());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
}

#[test]
fn every_family_is_compared() {
    let kind = |case: &String| {
        let config = std::fs::read(fixtures().join(case).join("config.json")).unwrap();
        serde_json::from_slice::<Json>(&config).unwrap()["model_type"].as_str().unwrap().to_owned()
    };
    let compared: BTreeSet<String> = cases().iter().map(kind).collect();
    let offered: BTreeSet<String> = stock::family::FAMILIES.iter().map(|f| f.name.to_owned()).collect();
    assert_eq!(compared, offered);
    let compared: BTreeSet<&str> = gguf::MADE.iter().map(|(_, arch)| *arch).collect();
    let offered: BTreeSet<&str> = stock::gguf::FAMILIES.iter().map(|f| f.name).collect();
    assert_eq!(compared, offered);
}

#[test]
fn logits_are_those_of_transformers() {
    for case in cases() {
        assert_expected(&case, open(&fixtures().join(&case)).as_mut());
    }
}

#[test]
fn cuts_and_tokens_taken_back_do_not_change_the_logits() {
    for case in cases() {
        assert_cuts_do_not_matter(&case, open(&fixtures().join(&case)).as_mut());
    }
}

#[test]
fn the_model_says_what_it_is() {
    for case in cases() {
        let folder = fixtures().join(&case);
        let info = open(&folder).info().clone();
        let config: Json =
            serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
        let stored = candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap();
        let heard =
            stored.iter().filter(|(name, _)| !name.contains("vision") && !name.contains("multi_modal"));
        let elements: usize = heard.map(|(_, tensor)| tensor.elem_count()).sum();
        assert_eq!(info.name, case);
        assert_eq!(Some(info.architecture.as_str()), config["model_type"].as_str());
        assert_eq!((info.weights.as_str(), info.device.as_str(), info.vocab), ("bf16", "cpu", 160));
        assert_eq!(info.parameters, elements as u64, "{case}");
        let context = match case.as_str() {
            "gemma2" | "phi3-window" | "recurrent_gemma" | "starcoder2" => 48,
            "phi3-longrope" | "phi3-longrope-old" => 64,
            _ => 128,
        };
        assert_eq!(info.context, context, "{case}");
    }
}

#[test]
fn a_refused_call_changes_nothing() {
    for case in ["gemma3", "deepseek_v2"] {
        let mut model = try_open(&fixtures().join(case), Some(6)).unwrap().model;
        let right = model.forward(&[1, 2, 3, 4], 1).unwrap().to_vec();
        model.truncate(3);
        assert!(matches!(model.forward(&[160], 1), Err(ModelError::TokenRange { token: 160, vocab: 160 })));
        assert!(matches!(model.forward(&[1, 2], 3), Err(ModelError::Rows { rows: 3, tokens: 2 })));
        let full = model.forward(&[1, 2, 3, 4], 1);
        assert!(matches!(full, Err(ModelError::ContextFull { context: 6, len: 3, more: 4 })));
        assert_eq!(model.len(), 3);
        model.truncate(100);
        assert_eq!(model.forward(&[4], 1).unwrap(), right);
        assert_eq!(model.forward(&[5, 6], 2).unwrap().len(), 2 * 160);
        assert_eq!(model.len(), 6);
    }
}

/// A gap of 256 tokens is where long inputs are cut into passes.
#[test]
fn long_inputs_give_the_logits_of_single_tokens() {
    for case in ["phi", "olmo", "lfm2", "gemma3-linear"] {
        let (_keep, folder) = changed(case, |c| c["max_position_embeddings"] = json!(2048));
        let mut model = open(&folder);
        let tokens: Vec<TokenId> = (0..1100).map(|i| i * 7 % 160).collect();
        let right = model.forward(&tokens, 1).unwrap().to_vec();
        model.truncate(0);
        for piece in tokens.chunks(1) {
            model.forward(piece, 1).unwrap();
        }
        model.truncate(1099);
        let last = model.forward(&tokens[1099..], 1).unwrap();
        assert!(distance(last, &right) < 1e-4, "{case}: {}", distance(last, &right));
    }
}

#[test]
fn a_constrained_run_with_rewinds_is_that_without() {
    for case in ["gemma3", "phi3"] {
        let Loaded { model, vocabulary } = try_open(&fixtures().join(case), None).unwrap();
        let grammar =
            GrammarSource::new(GrammarKind::Lark, "test", r#"start: ("ab" /[a-f]{1,4}/ ","){8} ".""#);
        let compiled = Compiler::new(&vocabulary).unwrap().compile(&grammar).0.map(Arc::new);
        let sampler = SamplerSettings { temperature: 1., seed: 3, ..SamplerSettings::default() };
        let request = Request {
            prompt: "text".into(),
            grammar: Some(grammar),
            max_tokens: 100,
            sampler,
            ..Request::default()
        };
        let run = |model, backs: &[usize]| {
            let mut session = Session::start(model, vocabulary.clone(), compiled.clone(), request.clone())
                .map_err(|e| e.0)
                .unwrap();
            let end = |session: &mut Session| {
                while session.trace().outcome.is_none() {
                    session.step().unwrap();
                }
            };
            end(&mut session);
            for &back in backs {
                session.rewind(back).unwrap();
                end(&mut session);
            }
            let (model, trace) = session.into_model();
            (model, trace.steps.iter().map(|s| s.token).collect::<Vec<_>>())
        };
        let (model, straight) = run(model, &[]);
        let (_, winding) = run(model, &[7, 1, 20, 0, 3]);
        assert_eq!(straight, winding, "{case}");
        let text = String::from_utf8(vocabulary.decode(&straight)).unwrap();
        let letters =
            |p: &str| p.len() > 2 && p.starts_with("ab") && p.chars().all(|c| ('a'..='f').contains(&c));
        let parts: Vec<&str> = text.split(',').collect();
        assert!(
            parts.len() == 9 && parts[..8].iter().all(|p| letters(p)) && parts[8] == ".",
            "{case}: {text}"
        );
    }
}

#[test]
fn the_program_generates_with_a_stock_model() {
    let output = Command::new(env!("CARGO_BIN_EXE_maze"))
        .args(["generate", "x", "--regex", "[a-c]{5}-[0-9]{3}", "--device", "cpu", "--model"])
        .arg(fixtures().join("gemma3"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (letters, digits) = text.trim_end().split_once('-').unwrap();
    assert!(letters.len() == 5 && letters.chars().all(|c| ('a'..='c').contains(&c)), "{text:?}");
    assert!(digits.len() == 3 && digits.chars().all(|c| c.is_ascii_digit()), "{text:?}");
}
