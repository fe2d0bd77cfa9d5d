//! The decode step on a GPU: its logits against those of the CPU and of transformers, its tokens against those
//! of the sampler on the host, and what a run says that does not fit.
//!
//! Needs an NVIDIA GPU: `cargo test --release --features cuda --test cuda -- --ignored`.
#![cfg(feature = "cuda")]

use std::ops::ControlFlow;
use std::time::Duration;

use candle_core::quantized::GgmlDType;
use candle_core::{DType, Device, Tensor};
use maze::engine::load::{DeviceSpec, Loaded, random};
use maze::engine::model::away::Logits;
use maze::engine::model::config::{Architecture, Biases, Config};
use maze::engine::model::cpu::CpuNetwork;
use maze::engine::model::cuda::work;
use maze::engine::model::decoder::{Decoder, Network};
use maze::engine::model::device::DeviceNetwork;
use maze::engine::model::random::Shape;
use maze::engine::model::rope::{Rope, Scaling};
use maze::engine::model::weights::{Source, Weights};
use maze::engine::model::{LanguageModel, ModelInfo, cuda_graph};
use maze::engine::{Engine, GrammarSource, ModelError, Request, SamplerSettings, StepKind, TokenId, Trace};

mod picks;
mod transformers;

const GPU: DeviceSpec = DeviceSpec::Cuda(0);

fn gpu() -> Device {
    let device = Device::new_cuda_with_stream(0).expect("a CUDA device");
    cuda_graph::prepare(&device);
    device
}

/// A block of each kind, with heads of both sizes and groups of several.
fn config(architecture: Architecture) -> Config {
    let (heads, kv_heads, head_dim, scaling) = match architecture {
        Architecture::Llama => {
            let scaling = Scaling::Llama3 { factor: 8., low: 1., high: 4., original: 128. };
            (8, 2, 64, scaling)
        }
        Architecture::Mistral => (8, 1, 128, Scaling::None),
        Architecture::Qwen2 => (28, 4, 64, Scaling::None),
        Architecture::Qwen3 => (6, 2, 128, Scaling::None),
    };
    Config {
        architecture,
        hidden: 768,
        intermediate: 2304,
        layers: 3,
        heads,
        kv_heads,
        head_dim,
        // Not a multiple of anything.
        vocab: 5003,
        context: 600,
        window: None,
        rms_eps: 1e-6,
        rope: Rope { theta: 1e4, scaling },
        biases: Biases { qkv: architecture == Architecture::Qwen2, ..Biases::default() },
        qk_norm: architecture == Architecture::Qwen3,
        tied: Some(architecture == Architecture::Qwen2),
    }
}

fn decoder(config: &Config, dtype: GgmlDType, device: &Device) -> Decoder {
    let source = Source::Random(dtype);
    let weights = Weights::load(&source, config, device, &mut |_, _| ControlFlow::Continue(())).unwrap();
    let info = ModelInfo { vocab: config.vocab, context: config.context, ..ModelInfo::default() };
    let network: Box<dyn Network> = if device.is_cpu() {
        Box::new(CpuNetwork::new(config.clone(), weights, config.context))
    } else {
        let network = DeviceNetwork::new(config.clone(), weights, config.context, device).unwrap();
        Box::new(network.with_fixed_step().unwrap())
    };
    Decoder::new(info, network)
}

/// `‖a - b‖ / ‖b‖`
fn error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum = |f: &dyn Fn(f64, f64) -> f64| {
        a.iter().zip(b).map(|(a, b)| f(f64::from(*a), f64::from(*b))).sum::<f64>()
    };
    (sum(&|a, b| (a - b) * (a - b)) / sum(&|_, b| b * b)).sqrt()
}

/// The largest logit's token, and how far the second is behind, in spreads of all.
fn first(logits: &[f32]) -> (TokenId, f64) {
    let mut order: Vec<(f32, TokenId)> = logits.iter().copied().zip(0..).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let spread = (logits.iter().map(|l| f64::from(*l).powi(2)).sum::<f64>() / logits.len() as f64).sqrt();
    (order[0].1, f64::from(order[0].0 - order[1].0) / spread)
}

#[test]
#[ignore = "needs a GPU"]
fn steps_have_the_logits_of_the_cpu() {
    let device = gpu();
    for architecture in Architecture::ALL {
        let config = config(architecture);
        // A cache in bf16 rounds keys and values to 8 bits.
        let types = [
            (GgmlDType::BF16, 1e-2),
            (GgmlDType::Q8_0, 5e-4),
            (GgmlDType::Q4K, 5e-4),
            (GgmlDType::Q6K, 5e-4),
        ];
        for (dtype, most) in types {
            let mut right = decoder(&config, dtype, &Device::Cpu);
            let mut ours = decoder(&config, dtype, &device);
            assert!(ours.set_recorded(true), "{architecture:?} {dtype:?} has no kernels");
            let (mut token, mut worst, mut differ) = (1, 0f64, 0);
            for step in 0..200 {
                let expected = right.forward(&[token], 1).unwrap().to_vec();
                let logits = ours.forward(&[token], 1).unwrap();
                let (off, (best, gap)) = (error(logits, &expected), first(&expected));
                assert!(off < most, "{architecture:?} {dtype:?} is off by {off} at {step}");
                worst = worst.max(off);
                if first(logits).0 != best {
                    differ += 1;
                    assert!(gap < 8. * off, "{architecture:?} {dtype:?} at {step}: another token");
                }
                // Every step of the prompt is a new token; a greedy text of random weights is a loop.
                token = if step < 40 { (token * 31 + 7) % config.vocab as TokenId } else { best };
            }
            println!("{architecture:?} {dtype:?}: off by {worst:.1e} at most, {differ} of 200 tokens differ");
        }
    }
}

/// Matrices of different sizes are read in different ways.
#[test]
#[ignore = "needs a GPU"]
fn large_matrices_have_the_logits_of_the_cpu() {
    let device = gpu();
    for vocab in [20_011, 60_013] {
        let config = Config { vocab, layers: 1, ..config(Architecture::Qwen3) };
        let mut right = decoder(&config, GgmlDType::BF16, &Device::Cpu);
        let mut ours = decoder(&config, GgmlDType::BF16, &device);
        for token in [1, 7, 4999] {
            let expected = right.forward(&[token], 1).unwrap().to_vec();
            let logits = ours.forward(&[token], 1).unwrap();
            let spread = expected.iter().map(|l| l * l).sum::<f32>().sqrt() / (vocab as f32).sqrt();
            let off = logits.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
            assert!(off < 0.05 * spread, "{vocab}: a logit is off by {off}, where the spread is {spread}");
        }
    }
}

#[test]
#[ignore = "needs a GPU"]
fn batches_and_steps_go_on_from_each_other() {
    let device = gpu();
    let config = config(Architecture::Qwen2);
    for (dtype, most) in [(GgmlDType::BF16, 2e-2), (GgmlDType::Q8_0, 3e-2)] {
        let mut right = decoder(&config, dtype, &Device::Cpu);
        let mut ours = decoder(&config, dtype, &device);
        let mut from = 1;
        let sizes =
            [(40, 1), (1, 1), (2, 2), (5, 3), (1, 1), (8, 8), (30, 12), (1, 1), (17, 17), (80, 2), (1, 1)];
        for (index, (len, rows)) in sizes.into_iter().cycle().take(3 * sizes.len()).enumerate() {
            let tokens: Vec<TokenId> = (from..from + len).map(|i| i * 7 % 5003).collect();
            from += len;
            let expected = right.forward(&tokens, rows).unwrap().to_vec();
            // Guesses that come true, in part or whole, and some that do not.
            match index % 6 {
                0 => ours.anticipate(&tokens[..1], 1),
                1 => ours.anticipate(&[tokens[0] ^ 1], 1),
                2 => ours.anticipate(&tokens, rows),
                3 => ours.anticipate(&tokens, 1),
                4 => {
                    ours.anticipate(&tokens[..1], 1);
                    ours.anticipate(&tokens, rows);
                }
                _ => ours.anticipate(&tokens.iter().map(|t| t ^ 1).collect::<Vec<_>>(), rows),
            }
            let off = error(&rows_of(&mut ours, &tokens, rows), &expected);
            assert!(off < most, "{dtype:?}: {len} tokens, {rows} rows are off by {off} at {index}");
            // Goes back into the middle, where a guess of before must not be taken for true: one of another token, or
            // of the same at another position.
            if len == 5 {
                for (guess, position) in [(&[3][..], 30), (&[9], 30), (&[9, 4], 30), (&[9, 4], 31)] {
                    ours.anticipate(guess, 1);
                    right.truncate(position);
                    ours.truncate(position);
                    let expected = right.forward(&[9, 4], 2).unwrap().to_vec();
                    let off = error(&rows_of(&mut ours, &[9, 4], 2), &expected);
                    assert!(off < most, "{dtype:?} after going back from {guess:?} to {position}");
                }
                // A step that was begun, then others at its place.
                ours.anticipate(&[9], 1);
                let all: Vec<TokenId> = (0..70).map(|i| i * 11 % 5003).collect();
                let (expected, logits) = (right.forward(&all, 1).unwrap(), ours.forward(&all, 1).unwrap());
                assert!(error(logits, expected) < most, "{dtype:?} after a step in vain");
                let (expected, logits) = (right.forward(&[9], 1).unwrap(), ours.forward(&[9], 1).unwrap());
                assert!(error(logits, expected) < most, "{dtype:?} after many");
            }
        }
    }
}

/// The logits of the last `rows` of some tokens.
fn rows_of(model: &mut Decoder, tokens: &[TokenId], rows: usize) -> Vec<f32> {
    match model.run(tokens, rows).unwrap() {
        Logits::Here(logits) => logits.to_vec(),
        Logits::Away(away) => (0..rows).flat_map(|row| away.fetch(row).unwrap().to_vec()).collect(),
    }
}

#[test]
#[ignore = "needs a GPU"]
fn a_few_tokens_at_once_are_as_one_by_one() {
    let device = gpu();
    for architecture in Architecture::ALL {
        let config = config(architecture);
        for dtype in [GgmlDType::BF16, GgmlDType::Q8_0, GgmlDType::Q4K, GgmlDType::Q6K] {
            let mut single = decoder(&config, dtype, &device);
            let mut several = decoder(&config, dtype, &device);
            let (mut from, mut worst, mut differ) = (1, 0f64, 0);
            // Every size at several places.
            for size in (2..=8).chain((2..=8).rev()).cycle().take(40) {
                let tokens: Vec<TokenId> = (from..from + size).map(|i| i as TokenId * 31 % 5003).collect();
                from += size;
                // Not all of their logits are always wanted.
                let rows = if from % 3 == 0 { 1 } else { size };
                let mut expected = Vec::new();
                for (i, &token) in tokens.iter().enumerate() {
                    let logits = single.forward(&[token], 1).unwrap();
                    if i + rows >= size {
                        expected.extend_from_slice(logits);
                    }
                }
                let logits = rows_of(&mut several, &tokens, rows);
                for (ours, right) in logits.chunks(config.vocab).zip(expected.chunks(config.vocab)) {
                    let (off, (best, gap)) = (error(ours, right), first(right));
                    assert!(off < 1e-3, "{architecture:?} {dtype:?}: {size} tokens are off by {off}");
                    worst = worst.max(off);
                    if first(ours).0 != best {
                        differ += 1;
                        assert!(gap < 8. * off, "{architecture:?} {dtype:?}: another token among {size}");
                    }
                }
            }
            println!(
                "{architecture:?} {dtype:?}: batches are off by {worst:.1e} at most, {differ} tokens differ"
            );
        }
    }
}

/// At its end, where a batch would reach beyond it, the cache is as good as elsewhere.
#[test]
#[ignore = "needs a GPU"]
fn batches_end_with_the_context() {
    let device = gpu();
    let config = Config { context: 21, ..config(Architecture::Qwen3) };
    for size in 2..=8 {
        let mut single = decoder(&config, GgmlDType::Q8_0, &device);
        let mut several = decoder(&config, GgmlDType::Q8_0, &device);
        let tokens: Vec<TokenId> = (1..=21).collect();
        let (before, last) = tokens.split_at(21 - size);
        for &token in before {
            single.forward(&[token], 1).unwrap();
            several.forward(&[token], 1).unwrap();
        }
        let mut expected = Vec::new();
        for &token in last {
            expected.extend_from_slice(single.forward(&[token], 1).unwrap());
        }
        let off = error(&rows_of(&mut several, last, size), &expected);
        assert!(off < 1e-3, "{size} tokens are off by {off}");
        // Whatever was written there, what came before is still right.
        several.truncate(9);
        single.truncate(9);
        let off = error(several.forward(&[7], 1).unwrap(), single.forward(&[7], 1).unwrap());
        assert!(off < 1e-3, "after {size} tokens it is off by {off}");
    }
}

/// A model that computes token by token, whose logits are always brought here, and which guesses nothing.
struct Near(Box<dyn LanguageModel>, Vec<f32>);

impl LanguageModel for Near {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError> {
        self.1.clear();
        for (i, &token) in tokens.iter().enumerate() {
            let logits = self.0.forward(&[token], 1)?;
            if i + rows >= tokens.len() {
                self.1.extend_from_slice(logits);
            }
        }
        Ok(&self.1)
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

fn tiny(device: DeviceSpec) -> Loaded {
    random(Shape::Tiny, device, GgmlDType::Q8_0, 600, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// The same run on the CPU, on the GPU with all logits brought here, and as it is.
#[test]
#[ignore = "needs a GPU"]
fn a_constrained_run_is_the_same_wherever_it_runs() {
    let near = |loaded: Loaded| Loaded { model: Box::new(Near(loaded.model, Vec::new())), ..loaded };
    let mut engines = [tiny(DeviceSpec::Cpu), near(tiny(GPU)), tiny(GPU)].map(|m| Engine::new(m).unwrap());
    let schema = r#"{"type":"object","properties":{"name":{"type":"string","maxLength":20},
        "numbers":{"type":"array","items":{"type":"integer"},"maxItems":9}},"required":["name","numbers"]}"#;
    let grammars = [
        None,
        Some(GrammarSource::json_schema("a schema", schema)),
        Some(GrammarSource::regex("words", "([a-z]{1,9} (and so on, ){1,2}){12}")),
        Some(GrammarSource::regex(
            "long words",
            "([a-z]{1,3} 0123456789, 9876543210; and so on and on; ){9}",
        )),
    ];
    let sampled = |seed| SamplerSettings { temperature: 0.8, top_k: 20, seed, ..SamplerSettings::default() };
    let whole = SamplerSettings { temperature: 0.7, seed: 8, ..SamplerSettings::default() };
    for grammar in grammars {
        for sampler in [SamplerSettings::default(), sampled(3), sampled(4), whole.clone()] {
            let mut texts = Vec::new();
            for detail in [true, false] {
                let request = Request {
                    prompt: "def f(x):".into(),
                    grammar: grammar.clone(),
                    sampler: sampler.clone(),
                    max_tokens: 80,
                    detail,
                    ..Request::default()
                };
                let [cpu, near, far] = engines.each_mut().map(|engine| engine.run(request.clone()).unwrap());
                let tokens = |t: &Trace| t.steps.iter().map(|s| s.token).collect::<Vec<_>>();
                assert_eq!(tokens(&near), tokens(&far), "{grammar:?} {sampler:?} {detail}");
                let forced = far.steps.iter().filter(|s| s.kind == StepKind::Forced).count();
                let same = tokens(&cpu).iter().zip(&tokens(&far)).take_while(|(a, b)| a == b).count();
                println!("{} tokens, {forced} forced, {same} as on the CPU", far.steps.len());
                // Random weights have no favourites: what a seed draws may turn on the last bit of a sum.
                assert!(
                    sampler.temperature > 0. || same == far.steps.len(),
                    "{grammar:?}: not those of the CPU"
                );
                for (a, b) in near.steps.iter().zip(&far.steps) {
                    let (Some(a), Some(b)) = (&a.insight, &b.insight) else { continue };
                    assert_eq!(a.allowed, b.allowed);
                    assert!((a.entropy_before - b.entropy_before).abs() < 1e-3);
                    assert!((a.mass_removed - b.mass_removed).abs() < 1e-3);
                    assert!((a.chosen.before - b.chosen.before).abs() < 1e-3);
                    assert!((a.chosen.chance - b.chosen.chance).abs() < 1e-3);
                }
                texts.push(tokens(&far));
            }
            // Forced tokens of a run without a trace go together, and sums fall out otherwise by a bit.
            assert!(sampler.temperature > 0. || texts[0] == texts[1], "the trace changes the text");
        }
    }
    assert!(work::wait(Duration::from_secs(120)), "the driver compiles for ever");
}

#[test]
#[ignore = "needs a GPU"]
fn what_does_not_fit_is_refused_before_it_is_read() {
    let go_on = &mut |_| ControlFlow::Continue(());
    let device = gpu();
    // Others use the GPU as well.
    let taken = Tensor::zeros(100_000_000_000_usize, DType::U8, &device).unwrap();
    device.synchronize().unwrap();
    let refused = random(Shape::Qwen32, GPU, GgmlDType::BF16, 32_768, go_on).err().map(|e| e.to_string());
    drop(taken);
    let refused = refused.expect("it fits beside 100 GB");
    println!("{refused}");
    assert!(refused.contains("cuda:0 has no room") && refused.contains("are free"), "{refused}");
    let missing = random(Shape::Tiny, DeviceSpec::Cuda(99), GgmlDType::BF16, 64, go_on).err();
    let missing = missing.expect("a hundred devices").to_string();
    assert!(missing.contains("CUDA device 99 cannot be used"), "{missing}");
}
