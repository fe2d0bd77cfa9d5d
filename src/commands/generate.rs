//! `maze generate`: text on stdout as it comes, a summary on stderr.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::output::Sink;
use super::signals::Signals;
use super::{Failure, load, source};
use crate::cli::GenerateArgs;
use crate::config::{self, Config};
use crate::engine::bench::Percentiles;
use crate::engine::{Engine, EngineError, Event, FinishReason, Request, Trace};

pub(super) fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let request = Request {
        prompt: prompt(&args.prompt)?,
        grammar: source(&args.grammar)?,
        sampler: args.sampler.settings(),
        max_tokens: args.max_tokens,
        stop: args.stop.clone(),
        detail: args.trace.is_some(),
    };
    // A path that cannot be written to is better known before the run than after it.
    let trace_file = args.trace.as_deref().map(TraceFile::create).transpose()?;
    let signals = Signals::listen().map_err(|e| Failure::Run(format!("cannot listen for signals: {e}")))?;
    let stopped = |signals: &Signals| signals.exit_code().map(Failure::Signal);

    let loaded = match load(&config, || signals.exit_code().is_some()) {
        Ok(loaded) => loaded,
        Err(error) => return Err(stopped(&signals).unwrap_or(error.into())),
    };
    let mut engine = Engine::new(loaded)?;
    let mut stdout = Sink::stdout();
    let trace = stream(&mut engine, request, args.json, &signals, &mut stdout)?;
    if let Some(file) = trace_file {
        file.write(&trace)?;
    }
    if args.json {
        stdout.json(&summary(&trace))?;
    } else if stdout.is_terminal() && !trace.bytes().ends_with(b"\n") {
        writeln!(stdout)?;
    }
    report(&trace, args.json);
    if let Some(failure) = stopped(&signals) {
        return Err(failure);
    }
    match &trace.outcome {
        Some(outcome) if !outcome.reason.is_success() => Err(Failure::Told(1)),
        _ => Ok(()),
    }
}

/// The prompt, or stdin for `-`.
fn prompt(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::Input(format!("cannot read the prompt from stdin: {e}")))?;
    String::from_utf8(bytes).map_err(|e| {
        Failure::Input(format!(
            "the prompt on stdin is not UTF-8 text (byte {})",
            e.utf8_error().valid_up_to()
        ))
    })
}

/// Generates, and writes the text as it comes unless it shall be quiet.
fn stream(
    engine: &mut Engine,
    request: Request,
    quiet: bool,
    signals: &Signals,
    stdout: &mut Sink,
) -> Result<Trace, Failure> {
    let mut written = Ok(());
    let grammar = request.grammar.as_ref().map_or_else(String::new, |g| g.text.clone());
    let result = engine.run_with(request, |event| {
        match event {
            Event::Started(_, canceller) => signals.cancels(canceller),
            Event::Step(_, step) if !quiet => written = stdout.generated(step.text_bytes()),
            _ => {}
        }
        if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let trace = match result {
        Err(EngineError::Grammar { name, diagnostics }) => {
            let mut stderr = Sink::stderr();
            for diagnostic in &diagnostics {
                stderr.diagnostic(&name, &grammar, diagnostic)?;
            }
            return Err(Failure::Told(2));
        }
        result => result?,
    };
    written?;
    stdout.finish_generated()?;
    Ok(trace)
}

/// What `--json` prints.
fn summary(trace: &Trace) -> serde_json::Value {
    let numbers = Numbers::of(trace);
    json!({
        "text": trace.text(),
        "tokens": trace.steps.len(),
        "forced_tokens": trace.forced(),
        "finish_reason": numbers.reason.name(),
        "seconds": numbers.elapsed.as_secs_f64(),
        "tokens_per_second": numbers.rate,
        "mask_us": numbers.mask,
        "model": trace.model.name,
        "device": trace.model.device,
        "seed": trace.request.sampler.seed,
    })
}

/// One line on stderr, and another if the run did not end well. Nothing is lost if stderr is gone.
fn report(trace: &Trace, quiet: bool) {
    let mut stderr = Sink::stderr();
    let numbers = Numbers::of(trace);
    if !quiet {
        let model = stderr.shown_in_line(&trace.model.name).into_owned();
        let _ = writeln!(
            stderr,
            "{}: {} tokens ({} forced) in {:.2} s, {:.0} tokens/s, mask {:.0} us (p99 {:.0}), {model} on {}, seed {}",
            numbers.reason.name(),
            trace.steps.len(),
            trace.forced(),
            numbers.elapsed.as_secs_f64(),
            numbers.rate,
            numbers.mask.p50,
            numbers.mask.p99,
            trace.model.device,
            trace.request.sampler.seed,
        );
    }
    if !numbers.reason.is_success() {
        let detail = trace.outcome.as_ref().and_then(|o| o.detail.as_deref()).unwrap_or("no more is known");
        let detail = stderr.shown_in_line(detail).into_owned();
        let _ = writeln!(stderr, "error: the run ended in {}: {detail}", numbers.reason.name());
    }
}

/// The figures of a finished run.
struct Numbers {
    reason: FinishReason,
    elapsed: Duration,
    /// Generated tokens per second, after the prompt.
    rate: f64,
    /// Mask computations.
    mask: Percentiles,
}

impl Numbers {
    fn of(trace: &Trace) -> Self {
        let outcome = trace.outcome.as_ref();
        let elapsed = outcome.map_or(Duration::ZERO, |o| o.elapsed);
        let generating = elapsed.saturating_sub(outcome.map_or(Duration::ZERO, |o| o.prefill));
        // Forced tokens need no mask.
        let masks = trace.steps.iter().map(|s| s.timings.mask).filter(|t| !t.is_zero());
        Self {
            reason: outcome.map_or(FinishReason::Cancelled, |o| o.reason),
            elapsed,
            rate: if generating.is_zero() {
                0.0
            } else {
                trace.steps.len() as f64 / generating.as_secs_f64()
            },
            mask: Percentiles::of(masks),
        }
    }
}

/// A file that appears whole or not at all; a pipe or a device that is there already is written to.
enum TraceFile<'a> {
    Whole { path: &'a Path, target: PathBuf, temporary: tempfile::NamedTempFile },
    Stream { path: &'a Path, file: std::fs::File },
}

impl<'a> TraceFile<'a> {
    fn create(path: &'a Path) -> Result<Self, Failure> {
        let failed = |e: std::io::Error| Failure::Input(format!("cannot write {}: {e}", path.display()));
        if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            let file = std::fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
            return Ok(Self::Stream { path, file });
        }
        // A link is followed, so that it stays one.
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // As readable as any new file; the process's umask takes its share.
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let temporary =
            tempfile::Builder::new().permissions(permissions).tempfile_in(folder).map_err(failed)?;
        Ok(Self::Whole { path, target, temporary })
    }

    fn write(self, trace: &Trace) -> Result<(), Failure> {
        let (path, written) = match self {
            Self::Stream { path, file } => (path, write_json(file, trace)),
            Self::Whole { path, target, mut temporary } => {
                let written = write_json(&mut temporary, trace)
                    .and_then(|()| temporary.as_file().sync_all())
                    .and_then(|()| temporary.persist(target).map(drop).map_err(std::io::Error::from));
                (path, written)
            }
        };
        written.map_err(|e| Failure::Run(format!("cannot write {}: {e}", path.display())))
    }
}

fn write_json(out: impl Write, trace: &Trace) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(out);
    serde_json::to_writer(&mut out, trace)?;
    out.flush()
}
