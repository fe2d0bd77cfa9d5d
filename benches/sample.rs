//! The sampler and its statistics over a vocabulary of 152k tokens, by how much the mask allows.

use criterion::{Criterion, criterion_group, criterion_main};
use maze::engine::SamplerSettings;
use maze::engine::constraint::Mask;
use maze::engine::sampler::Sampler;
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};

const WIDTH: usize = 151_936;

fn sample(c: &mut Criterion) {
    // Logits that fall off as a language model's do, in no order: a few stand out.
    let spread = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f32 / (1 << 24) as f32;
    let logits: Vec<f32> =
        (0..WIDTH as u64).map(|i| 5.0 * spread(i) - 2.0 * (1.0 - spread(i)).ln()).collect();
    // Words without bytes are padding, which the mask of everything leaves out.
    let masks = [("all", 1), ("every 3rd", 3), ("every 1000th", 1000)].map(|(name, step)| {
        let mut words: Vec<Vec<u8>> = vec![Vec::new(); WIDTH];
        for (i, word) in words.iter_mut().enumerate().step_by(step) {
            *word = format!("{i}").into_bytes();
        }
        let special = SpecialTokens { bos: None, eos: vec![0] };
        (name, Mask::all(&Vocabulary::from_words(words, &special).expect("a vocabulary")))
    });
    let warm = SamplerSettings { temperature: 0.8, top_p: 0.95, ..SamplerSettings::default() };
    for (settings, kind) in [(SamplerSettings::default(), "greedy"), (warm, "top-p")] {
        for (name, mask) in &masks {
            for detail in [false, true] {
                let mut sampler = Sampler::new(settings.clone());
                let trace = if detail { ", trace" } else { "" };
                c.bench_function(&format!("{kind}, {name} allowed{trace}"), |b| {
                    b.iter(|| sampler.pick(&logits, mask, &[], detail).map(|p| p.token));
                });
            }
        }
    }
}

criterion_group!(benches, sample);
criterion_main!(benches);
