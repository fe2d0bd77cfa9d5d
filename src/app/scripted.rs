//! A model that types a text at a given speed: for measuring and testing the terminal, and for
//! recordings of it, without the speed of a real model getting in the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::error::LoadError;
use crate::engine::load::Loaded;
use crate::engine::model::scripted::ScriptedModel;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::{SpecialTokens, Vocabulary};

use super::worker::Loader;

/// What it types, over and over.
const TEXT: &str = "def count(words):\n    seen = {}\n    for word in words:\n        \
                    seen[word] = seen.get(word, 0) + 1\n    return seen\n\n";

/// Longer than any run that a test or a recording makes.
const CONTEXT: usize = 1 << 20;

/// The words of the text, and every byte, so that any grammar can be followed.
fn words() -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = vec![b"<|end|>".to_vec()];
    words.extend((0..=u8::MAX).map(|byte| vec![byte]));
    for piece in pieces() {
        if piece.len() > 1 && !words.contains(&piece.to_vec()) {
            words.push(piece.to_vec());
        }
    }
    words
}

/// The text cut before every space and after every line.
fn pieces() -> Vec<&'static [u8]> {
    let mut out: Vec<&[u8]> = Vec::new();
    let mut start = 0;
    let bytes = TEXT.as_bytes();
    for i in 1..=bytes.len() {
        let is_cut = i == bytes.len() || (bytes[i] == b' ' && bytes[i - 1] != b' ') || bytes[i - 1] == b'\n';
        if is_cut {
            out.push(&bytes[start..i]);
            start = i;
        }
    }
    out
}

/// Loads a model that generates `rate` tokens a second; 0 is as fast as it can.
pub fn loader(rate: u32) -> Loader {
    Arc::new(move |_, _| load(rate))
}

fn load(rate: u32) -> Result<Loaded, LoadError> {
    let words = words();
    let script: Vec<TokenId> = pieces()
        .iter()
        .filter_map(|piece| words.iter().position(|word| word == piece))
        .map(|id| id as TokenId)
        .collect();
    let width = words.len();
    let special = SpecialTokens { bos: Some(0), eos: vec![0] };
    let vocabulary = Vocabulary::from_words(words, &special)
        .map_err(|e| LoadError::Format { path: "scripted".into(), message: e.to_string() })?;

    let pause = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
    let mut due = Instant::now();
    let (mut seen, mut typed) = (0, 0);
    let model = ScriptedModel::new(width, CONTEXT, move |tokens: &[TokenId]| {
        let now = Instant::now();
        std::thread::sleep(due.saturating_duration_since(now));
        due = due.max(now - pause) + pause;
        // The words typed say where in the text the next one is. After a way back they are read anew.
        if tokens.len() <= seen {
            (seen, typed) = (0, 0);
        }
        for token in &tokens[seen..] {
            if script.get(typed) == Some(token) {
                typed = (typed + 1) % script.len();
            }
        }
        seen = tokens.len();
        let wanted = script[typed];
        let noise = |id: usize| ((id * 7919 + tokens.len() * 104_729) % 97) as f32 / 24.0;
        (0..width).map(|id| if id as TokenId == wanted { 6.0 } else { noise(id) }).collect()
    });
    Ok(Loaded { model: Box::new(model), vocabulary: Arc::new(vocabulary) })
}
