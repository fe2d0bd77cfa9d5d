//! `maze replay`: a saved trace for people, and the proof that it can be had again.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::output::Sink;
use super::{Failure, load};
use crate::cli::ReplayArgs;
use crate::config::{self, Config};
use crate::engine::export::facts;
use crate::engine::export::text::{cut, kind, marked, padded, percent};
use crate::engine::replay::{self, Probabilities, Verified};
use crate::engine::trace::{Candidate, MAX_BYTES};
use crate::engine::{Engine, EngineError, Step, Trace, Vocabulary};
use crate::sanitize;

mod case;
pub(super) mod plain;

/// Columns for a token.
const TOKEN: usize = 26;

pub(super) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let trace = read(&args.trace)?;
    let name = args.trace.display().to_string();
    if let Some(step) = args.step.filter(|&n| n > trace.steps.len()) {
        let steps = trace.steps.len();
        return Err(Failure::Input(format!("{name}: there is no step {step}, the trace has {steps}")));
    }
    if let Some(case) = &trace.case {
        return case::run(args, &config, &name, &trace, case);
    }
    let mut stdout = Sink::stdout();
    if !args.json && args.step.is_none() {
        if stdout.is_plain() {
            plain::show(&mut stdout, &trace)?
        } else {
            show(&mut stdout, &trace)?
        };
        stdout.flush()?;
    }
    let mut engine = engine(&config, &name, &trace)?;
    if let (false, Some(step)) = (args.json, args.step) {
        let vocabulary = engine.as_ref().map(|e| &**e.vocabulary());
        let show = if stdout.is_plain() { plain::show_step } else { show_step };
        show(&mut stdout, &trace, step, vocabulary)?;
    }
    let verified = match &mut engine {
        Some(engine) => Some(verify(engine, &trace, !args.masks_only)?),
        None => None,
    };
    if args.json {
        stdout.json(&as_json(args, &trace, verified.as_ref()))?;
    } else {
        writeln!(stdout, "{}", conclusion(verified.as_ref()))?;
    }
    match verified.and_then(|v| v.difference) {
        Some(_) if args.json => Err(Failure::Told(1)),
        Some(difference) => Err(Failure::Run(format!("{name}: {difference}"))),
        None => Ok(()),
    }
}

/// Reads a trace file.
pub(super) fn read(path: &Path) -> Result<Trace, Failure> {
    let name = path.display();
    let failed = |reason: String| Failure::Input(format!("cannot read {name}: {reason}"));
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| failed(e.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(format!("it is longer than the limit of {MAX_BYTES} bytes")));
    }
    Trace::from_json(&bytes).map_err(|e| {
        let separator = if e.starts_with(|c: char| c.is_ascii_digit()) { ":" } else { ": " };
        Failure::Input(format!("{name}{separator}{e}"))
    })
}

/// The model that the trace is verified with; `None` if there is nothing to verify.
fn engine(config: &Config, name: &str, trace: &Trace) -> Result<Option<Engine>, Failure> {
    if trace.steps.iter().all(|step| step.insight.is_none()) {
        return Ok(None);
    }
    let engine = Engine::new(load(config)?)?;
    replay::same_tokens(trace, engine.vocabulary())
        .map_err(|difference| other_tokens(name, trace, &engine.info().name, &difference))?;
    Ok(Some(engine))
}

/// The trace is of a model that has other tokens than the one that was given.
pub(super) fn other_tokens(name: &str, trace: &Trace, ours: &str, difference: &str) -> Failure {
    let theirs = &trace.model;
    let article = if theirs.name == ours { "another" } else { "the" };
    Failure::Input(format!(
        "{name}: the trace is of {article} model {} ({}, {}, fingerprint {}), \
         which has other tokens than {ours}: {difference}; give the trace's model with --model",
        theirs.name, theirs.architecture, theirs.weights, theirs.fingerprint
    ))
}

fn verify(engine: &mut Engine, trace: &Trace, with_probabilities: bool) -> Result<Verified, Failure> {
    match replay::verify(engine, trace, with_probabilities) {
        Err(EngineError::Grammar { name, diagnostics }) => {
            let mut stderr = Sink::stderr();
            let text = trace.request.grammar.as_ref().map_or("", |source| source.text.as_str());
            for diagnostic in &diagnostics {
                // Without a reader the exit code still tells.
                let _ = stderr.diagnostic(&name, text, diagnostic);
            }
            Err(Failure::Told(2))
        }
        verified => Ok(verified?),
    }
}

/// What the verification came to, in a sentence.
fn conclusion(verified: Option<&Verified>) -> String {
    let Some(verified) = verified else {
        return "The trace was saved without its masks: there is nothing to verify.".into();
    };
    let masks = match verified.unrecorded {
        0 => format!("{} masks are reproduced", verified.masks),
        without => format!("{} masks are reproduced, {without} were not recorded", verified.masks),
    };
    let probabilities = match &verified.probabilities {
        Probabilities::Compared { steps, largest, tolerance } => {
            format!(
                "the probabilities of {steps} steps too, within {largest:.6} (at most {tolerance} is fine)"
            )
        }
        Probabilities::Left(reason) => {
            format!("probabilities are not verified: {}", sanitize::line(reason))
        }
    };
    let word = if verified.difference.is_some() { "Up to there" } else { "Verified" };
    format!("{word}: {masks};\n{probabilities}.")
}

fn show(out: &mut Sink, trace: &Trace) -> std::io::Result<()> {
    for (label, text) in facts::of(trace) {
        writeln!(out, "{label:<8} {}", cut(&text, 71))?;
    }
    let text = out.shown(&marked(trace)).into_owned();
    writeln!(out, "\nOutput, forced tokens between « and »:\n\n{}\n", text.trim_end_matches('\n'))?;
    writeln!(
        out,
        "{:>5}  {:<10}  {:<TOKEN$}  {:>8}  {:>8}  {:>8}",
        "step", "kind", "token", "allowed", "removed", "chosen"
    )?;
    for (i, step) in trace.steps.iter().enumerate() {
        row(out, i, step)?;
    }
    writeln!(out)
}

fn row(out: &mut Sink, i: usize, step: &Step) -> std::io::Result<()> {
    let insight = step.insight.as_deref();
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    writeln!(
        out,
        "{:>5}  {:<10}  {}  {:>8}  {:>8}  {:>8}",
        i + 1,
        kind(step.kind),
        padded(&sanitize::token(&step.bytes), TOKEN),
        or_dash(insight.map(|n| n.allowed.count().to_string())),
        or_dash(insight.map(|n| percent(n.mass_removed))),
        or_dash(insight.map(|n| percent(n.chosen.before))),
    )
}

/// One step, with its candidates.
fn show_step(
    out: &mut Sink,
    trace: &Trace,
    number: usize,
    vocabulary: Option<&Vocabulary>,
) -> std::io::Result<()> {
    let Some(step) = trace.steps.get(number - 1) else { return Ok(()) };
    let text = sanitize::token(&step.bytes);
    writeln!(
        out,
        "step {number} of {}: {}, token {} {text}",
        trace.steps.len(),
        kind(step.kind),
        step.token
    )?;
    let Some(insight) = &step.insight else { return writeln!(out, "saved without detail\n") };
    writeln!(
        out,
        "{} of {} tokens allowed, {} of the probability removed\n\
         entropy {:.2} bits before the mask, {:.2} after\n",
        insight.allowed.count(),
        insight.allowed.width(),
        percent(insight.mass_removed),
        insight.entropy_before,
        insight.entropy_after,
    )?;
    let text = |token| vocabulary.map_or_else(String::new, |v| sanitize::token(v.bytes(token)));
    for (title, candidates) in [("Before the mask", &insight.before), ("After the mask", &insight.after)] {
        writeln!(
            out,
            "{title}\n{:>8}  {:<TOKEN$}  {:>8}  {:>8}  {:>8}",
            "id", "token", "before", "after", "chance"
        )?;
        for &Candidate { token, before, after, chance } in candidates.iter().take(10) {
            let text = padded(&text(token), TOKEN);
            let (before, after, chance) = (percent(before), percent(after), percent(chance));
            writeln!(out, "{token:>8}  {text}  {before:>8}  {after:>8}  {chance:>8}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn as_json(args: &ReplayArgs, trace: &Trace, verified: Option<&Verified>) -> Value {
    let steps: Vec<Value> = trace
        .steps
        .iter()
        .enumerate()
        .filter(|(i, _)| args.step.is_none_or(|n| n == i + 1))
        .map(|(i, step)| {
            let insight = step.insight.as_deref();
            let mut row = json!({
                "step": i + 1,
                "token": step.token,
                "text": String::from_utf8_lossy(&step.bytes),
                "kind": step.kind,
                "allowed": insight.map(|n| n.allowed.count()),
                "mass_removed": insight.map(|n| n.mass_removed),
                "chosen": insight.map(|n| n.chosen),
            });
            if step.of_prompt > 0 {
                row["of_prompt"] = step.of_prompt.into();
            }
            row
        })
        .collect();
    let verified = verified.map(|v| {
        let probabilities = match &v.probabilities {
            Probabilities::Compared { steps, largest, tolerance } => {
                json!({ "steps": steps, "largest": largest, "tolerance": tolerance })
            }
            Probabilities::Left(reason) => json!({ "left": reason }),
        };
        let difference = v
            .difference
            .as_ref()
            .map(|d| json!({ "step": d.step, "token": d.token, "message": d.to_string() }));
        json!({
            "masks": v.masks,
            "unrecorded": v.unrecorded,
            "probabilities": probabilities,
            "difference": difference,
        })
    });
    json!({
        "model": trace.model,
        "request": trace.request,
        "text": trace.text(),
        "forced_tokens": trace.forced(),
        "outcome": trace.outcome,
        "steps": steps,
        "verified": verified,
    })
}
