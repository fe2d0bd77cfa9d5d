//! `maze generate`: text on stdout as it comes, a summary on stderr.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::output::Sink;
use super::signals::Signals;
use super::{Failure, load_until};
use crate::atomic::AtomicFile;
use crate::cli::GenerateArgs;
use crate::config::{self, Config};
use crate::engine::alarm::Alarm;
use crate::engine::bench::Percentiles;
use crate::engine::{Engine, EngineError, Event, FinishReason, PromptMode, Request, Trace};

mod pick;

use pick::{Picked, pick};

pub(super) fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let config = Config::generate(args, config::environment).map_err(Failure::Input)?;
    let Picked { grammar, prompt, line_end, said } = pick(&args.grammar, prompt(&args.prompt)?)?;
    if let Some(said) = said {
        let mut stderr = Sink::stderr();
        let said = stderr.shown_in_line(&said).into_owned();
        // Without a reader it is done all the same.
        let _ = writeln!(stderr, "{said}");
    }
    let mut request = Request {
        mode: PromptMode::Raw,
        prompt,
        grammar,
        sampler: config.sampler.clone(),
        max_tokens: config.max_tokens,
        stop: args.stop.clone(),
        detail: args.trace.is_some(),
    };
    // A path that cannot be written to is better known before the run than after it.
    let trace_file = args.trace.as_deref().map(TraceFile::create).transpose()?;
    let signals = Signals::listen()?;
    let loaded = load_until(&config, &signals, &mut |_| {})?;
    request.mode = args.chat.mode(loaded.vocabulary.chat().is_some()).map_err(Failure::Input)?;
    if request.mode == PromptMode::Raw {
        request.prompt += line_end;
    }
    let mut engine = Engine::new(loaded)?;
    let mut stdout = Sink::stdout();
    let (trace, ran) = stream(&mut engine, request, args.json, &signals, &mut stdout)?;
    let alarms = engine.alarms(&trace);
    // The trace of a run that failed is the one that somebody wants to look at.
    if let Some(file) = trace_file {
        file.write(&trace, &alarms)?;
    }
    ran?;
    if args.json {
        stdout.json(&summary(&trace, &alarms))?;
    } else if stdout.is_terminal() && !trace.bytes().ends_with(b"\n") {
        writeln!(stdout)?;
    }
    report(&trace, &alarms, args.json);
    if let Some(code) = signals.exit_code() {
        return Err(Failure::Signal(code));
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

/// Generates, and writes the text as it comes unless it shall be quiet. There is a trace if the run
/// could start, also of one that failed or whose text nobody wanted.
fn stream(
    engine: &mut Engine,
    request: Request,
    quiet: bool,
    signals: &Signals,
    stdout: &mut Sink,
) -> Result<(Trace, Result<(), Failure>), Failure> {
    let mut written = Ok(());
    let grammar = request.grammar.as_ref().map_or_else(String::new, |g| g.text.clone());
    let mut thoughts = Thoughts::default();
    let result = engine.run_recorded(request, |event| {
        match event {
            Event::Started(_, canceller) => signals.cancels(canceller),
            Event::Step(_, step) if !quiet && step.thinking => thoughts.write(step.text_bytes()),
            Event::Step(_, step) if !quiet => {
                thoughts.end();
                written = stdout.generated(step.text_bytes());
            }
            _ => {}
        }
        if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (trace, ran) = match result {
        Err(EngineError::Grammar { name, diagnostics }) => {
            let mut stderr = Sink::stderr();
            for diagnostic in &diagnostics {
                // Without a reader the exit code still tells.
                let _ = stderr.diagnostic(&name, &grammar, diagnostic);
            }
            return Err(Failure::Told(2));
        }
        result => result?,
    };
    thoughts.end();
    let written = written.and_then(|()| stdout.finish_generated());
    Ok((trace, ran.map_err(Failure::from).and_then(|()| Ok(written?))))
}

/// What the model thinks, on stderr, so that stdout has the answer alone. Nothing is lost if stderr
/// is gone.
#[derive(Default)]
struct Thoughts {
    sink: Option<Sink>,
    ends_a_line: bool,
}

impl Thoughts {
    fn write(&mut self, bytes: &[u8]) {
        let sink = self.sink.get_or_insert_with(|| {
            let mut sink = Sink::stderr();
            let _ = if sink.is_plain() { writeln!(sink, "thinking:") } else { sink.dim(true) };
            sink
        });
        let _ = sink.generated(bytes);
        self.ends_a_line = bytes.last().map_or(self.ends_a_line, |&b| b == b'\n');
    }

    fn end(&mut self) {
        let Some(mut sink) = self.sink.take() else { return };
        let _ = sink.finish_generated();
        let _ = sink.dim(false);
        if !self.ends_a_line {
            let _ = writeln!(sink);
        }
        if sink.is_plain() {
            let _ = writeln!(sink, "answer:");
        }
    }
}

/// What `--json` prints.
fn summary(trace: &Trace, alarms: &[Alarm]) -> serde_json::Value {
    let numbers = Numbers::of(trace);
    json!({
        "text": trace.text(),
        "thinking": (trace.answer_from() > 0).then(|| trace.thoughts()),
        "grammar": trace.request.grammar.as_ref().map(|grammar| &grammar.name),
        "entry": trace.request.grammar.as_ref().and_then(|grammar| grammar.entry()),
        "mode": trace.request.mode.name(),
        "tokens": trace.steps.len(),
        "forced_tokens": trace.forced(),
        "finish_reason": numbers.reason.name(),
        "seconds": numbers.elapsed.as_secs_f64(),
        "tokens_per_second": numbers.rate,
        "mask_us": numbers.mask,
        "alarms": alarms,
        "model": trace.model.name,
        "device": trace.model.device,
        "seed": trace.request.sampler.seed,
    })
}

/// One line on stderr, and another for each alarm and if the run did not end well. Nothing is lost if
/// stderr is gone.
fn report(trace: &Trace, alarms: &[Alarm], quiet: bool) {
    let mut stderr = Sink::stderr();
    let numbers = Numbers::of(trace);
    if !quiet && stderr.is_plain() {
        list(&mut stderr, trace, &numbers);
    } else if !quiet {
        let model = stderr.shown_in_line(&trace.model.name).into_owned();
        let _ = writeln!(
            stderr,
            "{}: {} tokens ({} forced{}) in {:.2} s, {:.0} tokens/s, mask {:.0} us (p99 {:.0}), {}, {model} on {}, seed {}",
            numbers.reason.name(),
            trace.steps.len(),
            trace.forced(),
            match trace.answer_from() {
                0 => String::new(),
                thought => format!(", {thought} of thinking"),
            },
            numbers.elapsed.as_secs_f64(),
            numbers.rate,
            numbers.mask.p50,
            numbers.mask.p99,
            trace.request.mode.name(),
            trace.model.device,
            trace.request.sampler.seed,
        );
    }
    for alarm in alarms {
        let sentence = stderr.shown_in_line(&alarm.sentence()).into_owned();
        let _ = writeln!(stderr, "warning: {sentence}");
    }
    if trace.answer_from() > 0 && trace.answer_from() == trace.steps.len() {
        let _ = writeln!(stderr, "warning: there is no answer: the run ended while the model was thinking");
    }
    if !numbers.reason.is_success() {
        let detail = trace.outcome.as_ref().and_then(|o| o.detail.as_deref()).unwrap_or("no more is known");
        let detail = stderr.shown_in_line(detail).into_owned();
        let _ = writeln!(stderr, "error: the run ended in {}: {detail}", numbers.reason.name());
    }
}

/// Every figure on a line of its own, with its name.
fn list(stderr: &mut Sink, trace: &Trace, numbers: &Numbers) {
    for (name, value) in [
        ("finish", numbers.reason.name().to_owned()),
        ("tokens", trace.steps.len().to_string()),
        ("forced tokens", trace.forced().to_string()),
        ("tokens of thinking", trace.answer_from().to_string()),
        ("seconds", format!("{:.2}", numbers.elapsed.as_secs_f64())),
        ("tokens per second", format!("{:.0}", numbers.rate)),
        ("mask", format!("{:.0} us, 99th percentile {:.0} us", numbers.mask.p50, numbers.mask.p99)),
        ("mode", trace.request.mode.name().to_owned()),
        ("model", trace.model.name.clone()),
        ("device", trace.model.device.clone()),
        ("seed", trace.request.sampler.seed.to_string()),
    ] {
        let value = stderr.shown_in_line(&value).into_owned();
        let _ = writeln!(stderr, "{name}: {value}");
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

/// The file of a trace: whole or not at all, unless it is a pipe or a device that is there already.
enum TraceFile<'a> {
    Whole(&'a Path, AtomicFile),
    Stream(&'a Path, std::fs::File),
}

impl<'a> TraceFile<'a> {
    fn create(path: &'a Path) -> Result<Self, Failure> {
        let failed = |e: std::io::Error| Failure::Input(format!("cannot write {}: {e}", path.display()));
        if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            let file = std::fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
            return Ok(Self::Stream(path, file));
        }
        Ok(Self::Whole(path, AtomicFile::create(path).map_err(failed)?))
    }

    fn write(self, trace: &Trace, alarms: &[Alarm]) -> Result<(), Failure> {
        let (path, written) = match self {
            Self::Stream(path, file) => (path, write_json(std::io::BufWriter::new(file), trace, alarms)),
            Self::Whole(path, mut file) => {
                (path, write_json(&mut file, trace, alarms).and_then(|()| file.commit()))
            }
        };
        written.map_err(|e| Failure::Run(format!("cannot write {}: {e}", path.display())))
    }
}

fn write_json(mut out: impl Write, trace: &Trace, alarms: &[Alarm]) -> std::io::Result<()> {
    trace.write(alarms, &mut out)?;
    out.flush()
}
