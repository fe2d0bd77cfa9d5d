//! `maze bench`: what a grammar and the trace cost, measured beside the model alone.

use std::fmt::Write as _;
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::json;

use super::output::Sink;
use super::{Failure, load_watched, source};
use crate::cli::{BenchArgs, SamplerArgs};
use crate::config::{self, Config};
use crate::engine::bench::{self, Generation, LoadClock, LoadTimes};
use crate::engine::error::EngineError;
use crate::engine::grammar::library;
use crate::engine::load as loading;
use crate::engine::model::Limits;
use crate::engine::{Engine, GrammarSource, Request, SamplerSettings};

/// One way to generate, and what its rounds measured.
struct Row {
    name: &'static str,
    request: Request,
    /// Whether the kernels of a step are launched one by one.
    is_eager: bool,
    rounds: Vec<Generation>,
}

pub(super) fn run(args: &BenchArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let context = args.prompt_tokens + args.tokens;
    let mut clock = LoadClock::default();
    let loaded = match args.shape {
        Some(shape) => loading::random(shape, config.device, args.weights, context, &mut |progress| {
            clock.tell(&progress);
            ControlFlow::Continue(())
        })?,
        None => load_watched(&config, &mut |progress| clock.tell(progress))?,
    };
    let grammar = match source(&args.grammar)? {
        Some(grammar) => grammar,
        None => library::find("python").map(library::Shipped::source).ok_or_else(|| {
            Failure::Run("the Python grammar is not shipped; name another with --grammar".into())
        })?,
    };
    let load = clock.times();
    let mut engine = Engine::new(loaded)?;
    let has_eager = engine.model().is_some_and(|model| model.set_recorded(true));
    let mut rows = rows(&engine, args, &sampler(&args.sampler), &grammar, has_eager);
    // Once unmeasured: caches, clocks and the GPU's memory pool settle.
    for row in &mut rows {
        row.measure(&mut engine, args.tokens.min(16))?;
    }
    for _ in 0..args.rounds {
        for row in &mut rows {
            let round = row.measure(&mut engine, args.tokens)?;
            row.rounds.push(round);
        }
    }
    let limits = match engine.model() {
        Some(model) => model.limits().map_err(EngineError::from)?,
        None => None,
    };
    show(args, &engine, &grammar, &rows, &Place { load, limits })
}

/// How tokens are picked: as the arguments say, and nothing else, so that figures can be compared.
fn sampler(args: &SamplerArgs) -> SamplerSettings {
    let greedy = SamplerSettings::default();
    SamplerSettings {
        temperature: args.temperature.unwrap_or(greedy.temperature),
        top_k: args.top_k.unwrap_or(greedy.top_k),
        top_p: args.top_p.unwrap_or(greedy.top_p),
        min_p: args.min_p.unwrap_or(greedy.min_p),
        repetition_penalty: args.repetition_penalty.unwrap_or(greedy.repetition_penalty),
        seed: args.seed.unwrap_or(greedy.seed),
    }
}

impl Row {
    fn measure(&self, engine: &mut Engine, tokens: usize) -> Result<Generation, EngineError> {
        if let Some(model) = engine.model() {
            model.set_recorded(!self.is_eager);
        }
        bench::generate(engine, &self.request, tokens)
    }
}

/// What is known of the model where it is, and of how it came there.
struct Place {
    load: LoadTimes,
    limits: Option<Limits>,
}

impl Place {
    /// The share of the bandwidth that so many tokens a second take.
    fn share(&self, tokens_per_second: f64) -> Option<f64> {
        let limits = self.limits.as_ref()?;
        Some(tokens_per_second * limits.token_bytes as f64 / limits.bandwidth)
    }

    /// In a sentence or two.
    fn sentences(&self, free: f64) -> String {
        let LoadTimes { tokenizer_seconds, weights_seconds, weights_bytes, first_pass_seconds } = self.load;
        let mut text = format!(
            "loaded in {:.2} s: tokenizer {tokenizer_seconds:.2} s, {:.2} GB of weights {weights_seconds:.2} s \
             ({:.1} GB/s), first pass {first_pass_seconds:.2} s",
            self.load.seconds(),
            weights_bytes as f64 / 1e9,
            weights_bytes as f64 / 1e9 / weights_seconds.max(1e-9),
        );
        if let Some(limits) = &self.limits {
            let _ = write!(
                text,
                "\n{}: a copy moves {:.2} TB/s, a token {:.3} GB, so that {:.0} tokens/s are the limit and \
                 \"free\" has {:.2} of it; {:.2} GB of memory in use",
                stdout_safe(&limits.hardware),
                limits.bandwidth / 1e12,
                limits.token_bytes as f64 / 1e9,
                limits.bandwidth / limits.token_bytes.max(1) as f64,
                self.share(free).unwrap_or_default(),
                limits.memory_used as f64 / 1e9,
            );
        }
        text
    }
}

/// With and without a grammar, each with and without the record of every step.
fn rows(
    engine: &Engine,
    args: &BenchArgs,
    sampler: &SamplerSettings,
    grammar: &GrammarSource,
    has_eager: bool,
) -> Vec<Row> {
    let row = |name, grammar: Option<&GrammarSource>, detail| {
        let request = Request {
            prompt: prompt(engine, args.prompt_tokens),
            grammar: grammar.cloned(),
            sampler: sampler.clone(),
            detail,
            ..Request::default()
        };
        Row { name, request, is_eager: false, rounds: Vec::new() }
    };
    let mut rows = vec![
        row("free", None, false),
        row("free, trace", None, true),
        row("grammar", Some(grammar), false),
        row("grammar, trace", Some(grammar), true),
    ];
    if has_eager {
        rows.push(Row { is_eager: true, ..row("free, eager", None, false) });
    }
    rows
}

/// A text of about `tokens` tokens.
fn prompt(engine: &Engine, tokens: usize) -> String {
    let mut text = String::new();
    while engine.vocabulary().encode(&text).len() < tokens.saturating_sub(8) {
        text += "# Return the sum of the numbers in a list.\n";
    }
    text + "def total(numbers):\n"
}

fn show(
    args: &BenchArgs,
    engine: &Engine,
    grammar: &GrammarSource,
    rows: &[Row],
    place: &Place,
) -> Result<(), Failure> {
    let medians: Vec<Generation> = rows.iter().map(|row| median(&row.rounds)).collect();
    let free = medians.first().map_or(1.0, |m| m.tokens_per_second);
    let mut stdout = Sink::stdout();
    let info = engine.info();
    let sampler = rows.first().map(|row| row.request.sampler.clone()).unwrap_or_default();
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .zip(&medians)
            .map(|(row, m)| {
                let share = place.share(m.tokens_per_second);
                let ratio = m.tokens_per_second / free;
                json!({ "name": row.name, "median": m, "ratio": ratio, "bandwidth_share": share })
            })
            .collect();
        return Ok(stdout.json(&json!({
            "model": info,
            "grammar": grammar.name,
            "sampler": sampler,
            "load": place.load,
            "limits": place.limits,
            "rows": rows,
        }))?);
    }
    writeln!(
        stdout,
        "{} ({}, {:.2} billion parameters) on {}, grammar {}, {} tokens after about {}, {}, median of {}",
        stdout_safe(&info.name),
        info.weights,
        info.parameters as f64 / 1e9,
        info.device,
        stdout_safe(&grammar.name),
        args.tokens,
        args.prompt_tokens,
        picked(&sampler),
        args.rounds,
    )?;
    writeln!(stdout, "{}", place.sentences(free))?;
    if stdout.is_plain() {
        return Ok(list(&mut stdout, rows, &medians)?);
    }
    writeln!(
        stdout,
        "{:<16}{:>10}{:>8}{:>9}{:>22}{:>22}{:>12}",
        "", "tokens/s", "ratio", "forced", "mask us p50 p99", "mask wait us p50 p99", "pick us p50"
    )?;
    for (row, m) in rows.iter().zip(&medians) {
        writeln!(
            stdout,
            "{:<16}{:>10.1}{:>8.2}{:>8.0}%{:>13.0} {:>8.0}{:>13.1} {:>8.1}{:>12.0}",
            row.name,
            m.tokens_per_second,
            m.tokens_per_second / free,
            100.0 * m.forced as f64 / m.tokens.max(1) as f64,
            m.mask_us.p50,
            m.mask_us.p99,
            m.mask_wait_us.p50,
            m.mask_wait_us.p99,
            m.sample_us.p50,
        )?;
    }
    Ok(())
}

/// How tokens are picked, in a few words.
fn picked(sampler: &SamplerSettings) -> String {
    let SamplerSettings { temperature, top_k, top_p, min_p, repetition_penalty, .. } = sampler;
    let is_greedy = *temperature == 0.0;
    let cuts = [("top-k", *top_k as f32, 0.0), ("top-p", *top_p, 1.0), ("min-p", *min_p, 0.0)];
    let cuts = cuts.iter().filter(|_| !is_greedy);
    let mut text = if is_greedy { "greedy".into() } else { format!("temperature {temperature}") };
    for (name, value, nothing) in cuts.chain(&[("repetition penalty", *repetition_penalty, 1.0)]) {
        if value != nothing {
            let _ = write!(text, ", {name} {value}");
        }
    }
    text
}

/// Each way to generate in a sentence.
fn list(stdout: &mut Sink, rows: &[Row], medians: &[Generation]) -> std::io::Result<()> {
    let free = medians.first().map_or(1.0, |m| m.tokens_per_second);
    for (row, m) in rows.iter().zip(medians) {
        writeln!(
            stdout,
            "{}: {:.1} tokens/s, ratio {:.2}, forced {:.0}%, mask {:.0} us and {:.0} us at the 99th \
             percentile, mask wait {:.1} us and {:.1} us, pick {:.0} us",
            row.name,
            m.tokens_per_second,
            m.tokens_per_second / free,
            100.0 * m.forced as f64 / m.tokens.max(1) as f64,
            m.mask_us.p50,
            m.mask_us.p99,
            m.mask_wait_us.p50,
            m.mask_wait_us.p99,
            m.sample_us.p50,
        )?;
    }
    Ok(())
}

fn stdout_safe(text: &str) -> std::borrow::Cow<'_, str> {
    crate::sanitize::line(text)
}

/// The round whose speed is the median.
fn median(rounds: &[Generation]) -> Generation {
    let mut sorted: Vec<&Generation> = rounds.iter().collect();
    sorted.sort_by(|a, b| a.tokens_per_second.total_cmp(&b.tokens_per_second));
    sorted.get(sorted.len() / 2).map_or_else(Generation::default, |g| (*g).clone())
}
