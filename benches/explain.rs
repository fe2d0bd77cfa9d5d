//! How long reasons take: of one token, and of all of a vocabulary, over the embedded model's words and
//! over 152k of them.
//!
//! ```sh
//! cargo bench --bench explain
//! ```
//!
//! Places are spread over the texts beside the shipped grammars. Prints a table and judges nothing: the
//! goals are 1 ms for one token and 250 ms for all.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use maze::engine::cases::{Beside, Cases, Wants};
use maze::engine::explain::Explainer;
use maze::engine::grammar::{Compiler, library};
use maze::engine::model::tokenizer::synthetic;
use maze::engine::{TokenId, Vocabulary};

/// Places in each text.
const PLACES: usize = 6;

/// Tokens at each place.
const TOKENS: usize = 64;

fn main() {
    println!(
        "| vocabulary | grammar | to the place | one token p50, p99, max | all tokens p50, max | mask p50, max |"
    );
    println!("|---|---|---|---|---|---|");
    for width in [8_192, 151_936] {
        let vocabulary = Arc::new(synthetic(width).expect("the embedded words"));
        let compiler = Compiler::new(&vocabulary).expect("a compiler");
        for name in ["python", "typescript", "sql", "json", "person"] {
            measure(&vocabulary, &compiler, name);
        }
    }
}

fn measure(vocabulary: &Arc<Vocabulary>, compiler: &Compiler, name: &str) {
    let shipped = library::find(name).expect("shipped");
    let compiled = Arc::new(compiler.compile(&shipped.source()).0.expect("it compiles"));
    let mut explainer = Explainer::new(compiled.clone(), vocabulary.clone());
    let (mut reached, mut one, mut all, mut masks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for text in texts(name) {
        let tokens = vocabulary.encode(&text);
        for place in 0..PLACES {
            let tokens = &tokens[..tokens.len() * place / PLACES];
            let clock = Instant::now();
            let Ok(mut at) = explainer.at(tokens) else { continue };
            reached.push(clock.elapsed());
            for i in 0..TOKENS {
                let token = (i * 7919 % vocabulary.len()) as TokenId;
                let clock = Instant::now();
                black_box(at.why(token));
                one.push(clock.elapsed());
            }
            let clock = Instant::now();
            black_box(at.all());
            all.push(clock.elapsed());
            let mut constraint = compiled.constraint();
            if tokens.iter().all(|&t| constraint.commit(t) == Ok(true)) {
                let clock = Instant::now();
                let _ = black_box(constraint.mask());
                masks.push(clock.elapsed());
            }
        }
    }
    let figures = [&mut reached, &mut one, &mut all, &mut masks];
    for times in figures {
        times.sort();
    }
    println!(
        "| {} | {name} | {} | {}, {}, {} | {}, {} | {}, {} |",
        vocabulary.len(),
        ms(&reached, 50),
        ms(&one, 50),
        ms(&one, 99),
        ms(&one, 100),
        ms(&all, 50),
        ms(&all, 100),
        ms(&masks, 50),
        ms(&masks, 100)
    );
}

/// The texts beside a shipped grammar that it accepts.
fn texts(name: &str) -> Vec<String> {
    let shipped = library::find(name).expect("it is shipped");
    let source = shipped.source();
    let cases = Cases::of(&source, &Beside::Shipped).list;
    let start = source.entry();
    let accepted = cases.into_iter().filter(|case| case.wants == Wants::Accept && case.is_of(start));
    accepted.filter_map(|case| String::from_utf8(case.text.to_vec()).ok()).collect()
}

fn ms(times: &[Duration], share: usize) -> String {
    let at = (times.len() * share / 100).min(times.len().saturating_sub(1));
    times.get(at).map_or_else(|| "-".into(), |time| format!("{:.2} ms", time.as_secs_f64() * 1e3))
}
