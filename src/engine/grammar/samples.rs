//! Texts that a terminal matches, made from the grammar itself: what an editor shows beside a name.

use super::{Compiler, GrammarKind, GrammarSource, Symbols};
use crate::engine::shadow::{NearestEnd, Shadow};

/// How many bytes of a sample are chosen before it is brought to its end.
const CHOSEN: usize = 8;

/// How often another sample is tried for.
const TRIES: u64 = 12;

/// The rule that leads to the terminal alone. No grammar of a person has it.
const ENTRY: &str = "start";

impl Compiler {
    /// Up to `most` different texts that the terminal or rule `name` of a Lark grammar matches,
    /// shortest first; none if it cannot be followed alone. The same for the same grammar.
    pub fn samples(&self, source: &GrammarSource, name: &str, most: usize) -> Vec<String> {
        let Some(alone) = alone(source, name) else { return Vec::new() };
        let Ok(compiled) = self.try_compile(&alone) else { return Vec::new() };
        let Ok(shadow) = compiled.shadow() else { return Vec::new() };
        let mut found: Vec<String> = Vec::new();
        for seed in 0..TRIES {
            if let Some(sample) = sample(shadow.fork(), seed).filter(|s| !found.contains(s)) {
                found.push(sample);
            }
        }
        found.sort_by_key(String::len);
        found.truncate(most);
        found
    }
}

/// The same grammar with a start that leads to `name`.
fn alone(source: &GrammarSource, name: &str) -> Option<GrammarSource> {
    if source.kind != GrammarKind::Lark {
        return None;
    }
    let symbols = Symbols::of(source);
    symbols.iter().find(|symbol| symbol.name == name && !symbol.definitions.is_empty())?;
    let mut text = source.text.clone();
    if let Some(start) = symbols.iter().find(|symbol| symbol.name == ENTRY) {
        let mut places: Vec<_> = start.definitions.iter().chain(&start.uses).collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.start));
        for place in places {
            text.replace_range(place.clone(), "the-first-rule");
        }
    }
    let name = if name == ENTRY { "the-first-rule" } else { name };
    Some(GrammarSource::lark("sample", format!("{text}\n{ENTRY}: {name}\n")))
}

/// One text: the shortest for seed 0, a longer one for others.
fn sample(mut shadow: Shadow, seed: u64) -> Option<String> {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let wanted = if seed == 0 { 0 } else { 1 + seed as usize % CHOSEN };
    for _ in 0..wanted {
        let bytes: Vec<u8> = shadow.next_bytes().iter().filter(|b| (0x20..0x7f).contains(b)).collect();
        // Letters and digits read best.
        let plain: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
        let pool = if plain.is_empty() { bytes } else { plain };
        if pool.is_empty() {
            break;
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        shadow.push(pool[(random >> 33) as usize % pool.len()]);
    }
    match shadow.nearest_end() {
        NearestEnd::Here => {}
        NearestEnd::Text { bytes, .. } => {
            shadow.feed(&bytes);
        }
        _ => return None,
    }
    (shadow.may_end() && !shadow.text().is_empty())
        .then(|| String::from_utf8(shadow.text().to_vec()).ok())
        .flatten()
}
