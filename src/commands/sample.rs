//! `maze sample`: random texts of a grammar.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::output::Sink;
use super::{Failure, explain, load, test, with_entry};
use crate::cli::SampleArgs;
use crate::config::{self, Config};
use crate::engine::grammar::Compiled;
use crate::engine::sample::{self, NoText};
use crate::engine::{Engine, GrammarSource, PromptMode, Request, SamplerSettings};

pub(super) fn run(args: &SampleArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let (source, _) = test::grammar(&args.grammar)?;
    let source = with_entry(source, args.entry.as_deref())?;
    let loaded = load(&config)?;
    let grammar = explain::compile(&loaded.vocabulary, &source)?;
    if let Some(folder) = &args.to {
        fs::create_dir_all(folder)
            .map_err(|e| Failure::Input(format!("cannot make {}: {e}", folder.display())))?;
    }
    let mut engine = Engine::new(loaded)?;
    let (mut stdout, mut stderr) = (Sink::stdout(), Sink::stderr());
    let (mut texts, mut seeds, mut failed) = (Vec::new(), Vec::new(), 0);
    for number in 1..=args.count {
        let seed = args.seed.wrapping_add(number as u64 - 1);
        let text = match args.temperature {
            Some(temperature) => chosen(&mut engine, &grammar, args, temperature, seed)?,
            None => sample::text(&grammar, engine.vocabulary(), seed, args.max_tokens),
        };
        match text {
            Ok(text) if args.json => {
                texts.push(String::from_utf8_lossy(&text).into_owned());
                seeds.push(seed);
            }
            Ok(text) => match &args.to {
                Some(folder) => write(&folder.join(format!("{number}.txt")), &text)?,
                None => show(&mut stdout, number, args.count, &text)?,
            },
            Err(why) => {
                failed += 1;
                writeln!(stderr, "{} with seed {seed}: {why}", source.name)?;
            }
        }
    }
    if args.json {
        stdout.json(&json!({
            "grammar": source.name,
            "entry": entry(&source),
            "texts": texts,
            "seeds": seeds,
            "failed": failed,
        }))?;
    } else if let Some(folder) = &args.to {
        let folder = folder.display();
        writeln!(stderr, "{} texts in {folder}, {failed} failed", args.count - failed)?;
    }
    if failed == 0 { Ok(()) } else { Err(Failure::Told(1)) }
}

/// The rule that the texts are.
fn entry(source: &GrammarSource) -> &str {
    source.entry().unwrap_or("start")
}

/// A text as the model chooses it, ended the shortest way if it is not by then.
fn chosen(
    engine: &mut Engine,
    grammar: &Compiled,
    args: &SampleArgs,
    temperature: f32,
    seed: u64,
) -> Result<Result<Vec<u8>, NoText>, Failure> {
    let request = Request {
        mode: PromptMode::Raw,
        prompt: args.prompt.clone().unwrap_or_else(|| "\n".to_owned()),
        grammar: Some(grammar.source().clone()),
        sampler: SamplerSettings { temperature, seed, ..SamplerSettings::default() },
        max_tokens: args.max_tokens,
        stop: Vec::new(),
        detail: false,
    };
    let trace = engine.run(request)?;
    Ok(sample::end(grammar, &trace.bytes()))
}

fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| Failure::Run(format!("cannot write {}: {e}", path.display())))
}

fn show(stdout: &mut Sink, number: usize, count: usize, text: &[u8]) -> Result<(), Failure> {
    let line = if stdout.is_plain() {
        format!("text {number} of {count}")
    } else {
        format!("── {number} of {count}")
    };
    writeln!(stdout, "{line}")?;
    let text = String::from_utf8_lossy(text);
    let text = stdout.shown(&text).into_owned();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        writeln!(stdout)?;
    }
    Ok(())
}
