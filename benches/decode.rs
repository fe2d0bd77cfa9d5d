//! The embedded model on the CPU: ours against candle-transformers' `quantized_llama`, one token
//! at a time after 200 and the 200 at once.
//!
//! `cargo bench --bench decode`. Both use all cores; measure on a machine that has nothing else
//! to do, because candle's threads wait for each other in a spin loop.

use std::hint::black_box;
use std::ops::ControlFlow;

use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use criterion::{Criterion, criterion_group, criterion_main};
use maze::engine::load::{DeviceSpec, ModelSpec, load};

const PROMPT: usize = 200;

fn prompt() -> Vec<u32> {
    (0..PROMPT as u32).map(|i| i * 7 + 1).collect()
}

fn ours(c: &mut Criterion) {
    let loaded = load(&ModelSpec::Embedded, DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(()));
    let mut model = loaded.expect("the embedded model loads").model;
    let prompt = prompt();
    c.bench_function("prefill/maze", |b| {
        b.iter(|| {
            model.truncate(0);
            black_box(model.forward(&prompt, 1).expect("a forward pass"));
        });
    });
    c.bench_function("decode/maze", |b| {
        b.iter(|| {
            model.truncate(PROMPT);
            black_box(model.forward(&[5], 1).expect("a forward pass"));
        });
    });
}

fn theirs(c: &mut Criterion) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/nano/nano-q4_k.gguf");
    let mut file = std::fs::File::open(path).expect("the model's file");
    let content = Content::read(&mut file).expect("a GGUF file");
    let mut model = ModelWeights::from_gguf(content, &mut file, &Device::Cpu).expect("a llama");
    let tensor = |tokens: &[u32]| Tensor::new(tokens, &Device::Cpu).and_then(|t| t.unsqueeze(0));
    let prompt = tensor(&prompt()).expect("a tensor");
    let token = tensor(&[5]).expect("a tensor");
    let values = |t: Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("logits");
    c.bench_function("prefill/candle-transformers", |b| {
        b.iter(|| black_box(values(model.forward(&prompt, 0).expect("a forward pass"))));
    });
    // Its cache cannot be rolled back: every token makes it longer, so it starts over in time.
    let mut position = PROMPT;
    c.bench_function("decode/candle-transformers", |b| {
        b.iter(|| {
            if position >= PROMPT + 100 {
                model.forward(&prompt, 0).expect("a forward pass");
                position = PROMPT;
            }
            black_box(values(model.forward(&token, position).expect("a forward pass")));
            position += 1;
        });
    });
}

criterion_group!(benches, ours, theirs);
criterion_main!(benches);
