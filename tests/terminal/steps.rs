//! Steps that no engine made: many, fast, or with hostile text.

use std::sync::Arc;
use std::time::Duration;

use maze::engine::AllowedSet;
use maze::engine::trace::{Candidate, Insight, Step, StepKind, Timings};

/// A step with this text, as the engine would record it over a vocabulary of `width` tokens.
pub fn step(index: usize, text: &[u8], width: usize) -> Arc<Step> {
    let token = (index * 7 % width) as u32;
    let candidate = |rank: usize| Candidate {
        token: ((index + rank * 13) % width) as u32,
        before: 0.5 / (rank + 1) as f32,
        after: 0.6 / (rank + 1) as f32,
        chance: 0.0,
    };
    let words: Vec<u32> =
        (0..width.div_ceil(32)).map(|w| 0x5a5a_0f0f_u32.rotate_left((w % 32) as u32)).collect();
    let insight = Insight {
        before: (0..64).map(candidate).collect(),
        after: (0..64).map(candidate).collect(),
        allowed: AllowedSet::from_bits(&words, width / 32 * 32),
        mass_removed: 0.25,
        entropy_before: 3.5,
        entropy_after: 1.25,
        chosen: candidate(0),
    };
    let micros = Duration::from_micros;
    Arc::new(Step {
        token,
        bytes: text.into(),
        special: false,
        of_prompt: 0,
        thinking: false,
        kind: if index.is_multiple_of(3) { StepKind::Forced } else { StepKind::Sampled },
        insight: Some(Box::new(insight)),
        timings: Timings { forward: micros(400), mask: micros(30 + index as u64 % 50), ..Timings::default() },
    })
}

/// `count` steps of Python, from step `first` on.
pub fn python(first: usize, count: usize, width: usize) -> Vec<Arc<Step>> {
    const WORDS: [&str; 12] = [
        "def ", "count", "(", "words", "):\n", "    ", "return ", "'text'", " + ", "len(x)", "\n", "# note\n",
    ];
    (first..first + count).map(|i| step(i, WORDS[i % WORDS.len()].as_bytes(), width)).collect()
}
