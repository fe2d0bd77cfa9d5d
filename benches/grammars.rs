//! How long a grammar takes to compile, and its masks along texts that people wrote.
//!
//! ```sh
//! cargo bench --bench grammars -- --words qwen.tiktoken --entry file grammars/python.lark texts/*.py
//! ```
//!
//! `--words` reads the ranks of a tokenizer in tiktoken's form (a word in base64 and its rank on each line);
//! without it the embedded model's words are taken. `--entry` begins with that entry point. `--plain` measures the
//! masks of llguidance alone, and `--compare` computes both and stops where they differ.
//!
//! Times are of the program's own work, not of the clock on the wall, so that other programs do not count.
//! Prints a table and judges nothing: the goals are 15 ms for compiling, 0.1 ms for the median of the masks,
//! 2 ms for the 99th percentile and 20 ms for the longest.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::time::{ClockId, clock_gettime};

use maze::engine::grammar::{Compiled, Compiler};
use maze::engine::model::tokenizer::synthetic;
use maze::engine::vocabulary::SpecialTokens;
use maze::engine::{GrammarKind, GrammarSource, Vocabulary};

/// The embedded model's words.
const EMBEDDED: usize = 8_192;

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    words: Option<PathBuf>,
    entry: Option<String>,
    /// Compute masks with llguidance alone; or both, and compare them.
    is_plain: bool,
    is_compared: bool,
    files: Vec<PathBuf>,
}

fn main() {
    let mut asked = Asked::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--words" => asked.words = args.next().map(PathBuf::from),
            "--entry" => asked.entry = args.next(),
            "--plain" => asked.is_plain = true,
            "--compare" => asked.is_compared = true,
            // What cargo adds.
            "--bench" => {}
            _ => asked.files.push(arg.into()),
        }
    }
    let Some((grammar, texts)) = asked.files.split_first() else {
        println!("usage: grammars [--words FILE] [--entry NAME] [--plain | --compare] GRAMMAR TEXT…");
        return;
    };
    let vocabulary =
        asked.words.as_ref().map_or_else(|| synthetic(EMBEDDED).expect("the embedded words"), read);
    let compiler = Compiler::new(&vocabulary).expect("a compiler");
    let kind = GrammarKind::of_path(grammar).expect("the name says what kind of grammar it is");
    let text = fs::read_to_string(grammar).expect("a readable grammar");
    let mut source = GrammarSource::new(kind, grammar.display().to_string(), text);
    if let Some(entry) = &asked.entry {
        source = source.with_entry(entry).expect("an entry point");
    }
    // The first one warms up what all grammars share.
    let mut compiling = Vec::new();
    let mut compiled = None;
    for _ in 0..5 {
        // A grammar is compiled on a thread of its own.
        let clock = work(ClockId::CLOCK_PROCESS_CPUTIME_ID);
        compiled = compiler.try_compile(&source).ok();
        compiling.push(work(ClockId::CLOCK_PROCESS_CPUTIME_ID).saturating_sub(clock));
    }
    compiling.sort_unstable();
    let compiled = compiled.expect("a grammar that compiles");
    println!("{} words; compiling takes {:.1} ms", vocabulary.len(), millis(compiling[0]));
    println!("| texts | refused | masks | mean | p50 | p99 | p99.9 | max | over 20 ms |");
    println!("|---|---|---|---|---|---|---|---|---|");
    measure(&compiled, &vocabulary, texts, &asked);
}

/// The words of a tokenizer, and one that ends the text.
fn read(path: &PathBuf) -> Vocabulary {
    let text = fs::read_to_string(path).expect("a readable file of words");
    let mut words: Vec<Vec<u8>> =
        text.lines().filter_map(|line| STANDARD.decode(line.split(' ').next()?).ok()).collect();
    words.push(b"<|endoftext|>".to_vec());
    let eos = vec![words.len() as u32 - 1];
    Vocabulary::from_words(words, &SpecialTokens { bos: None, eos }).expect("words")
}

fn measure(compiled: &Compiled, vocabulary: &Vocabulary, texts: &[PathBuf], asked: &Asked) {
    let mut times = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    let mut refused = 0;
    for path in texts {
        let text = fs::read_to_string(path).expect("a readable text");
        let mut constraint = compiled.constraint();
        if asked.is_plain {
            constraint = constraint.by_llguidance();
        }
        let mut plain = asked.is_compared.then(|| constraint.by_llguidance());
        let mut before = 0;
        let mut forced = Vec::new();
        for token in vocabulary.encode(&text) {
            if forced.is_empty() {
                let clock = work(ClockId::CLOCK_THREAD_CPUTIME_ID);
                forced = constraint.forced().unwrap_or_default();
                let is_free = forced.is_empty();
                let mask = is_free.then(|| constraint.mask());
                let took = work(ClockId::CLOCK_THREAD_CPUTIME_ID).saturating_sub(clock);
                times.push(took);
                if let (Some(Ok(mask)), Some(plain)) = (&mask, &mut plain) {
                    let other = plain.mask().expect("a mask here too");
                    assert!(mask.words() == other.words(), "{}, byte {before}", path.display());
                }
                if matches!(mask, Some(Err(_))) {
                    refused += 1;
                    break;
                }
                if took > slowest.0 {
                    let line = text[..before].matches('\n').count() + 1;
                    slowest = (took, format!("{}:{line}", path.display()));
                }
            }
            if forced.first() == Some(&token) {
                forced.remove(0);
            } else {
                forced.clear();
            }
            if let Some(plain) = &mut plain {
                let _ = plain.commit(token);
            }
            if !matches!(constraint.commit(token), Ok(true)) {
                refused += 1;
                break;
            }
            before += vocabulary.bytes(token).len();
        }
    }
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    let sum: Duration = times.iter().sum();
    println!(
        "| {} | {refused} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {} |",
        texts.len(),
        times.len(),
        millis(sum) / times.len().max(1) as f64,
        millis(at(0.5)),
        millis(at(0.99)),
        millis(at(0.999)),
        millis(slowest.0),
        times.iter().filter(|time| **time > Duration::from_millis(20)).count(),
    );
    println!("slowest at {}", slowest.1);
    if let Some([asked, found, bytes]) = compiled.constraint().remembered() {
        let share = found as f64 / asked.max(1) as f64;
        println!("{asked} asked for at places, {share:.2} of them known; {:.1} MB kept", bytes as f64 / 1e6);
    }
}

/// What this thread, or the process, has worked so far.
fn work(clock: ClockId) -> Duration {
    clock_gettime(clock).expect("a clock of this process").into()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
