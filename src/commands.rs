//! The commands, one file each, thin over the engine; `play` opens the playground.
//!
//! A command prints what it was asked for on stdout and everything else on stderr, and returns how
//! the process shall end. Only this folder and `main.rs` print.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{Cli, Command, GrammarArgs};
use crate::config::{self as settings, Config};
use crate::engine::grammar::library;
use crate::engine::load::{self, Progress};
use crate::engine::model::cuda::work;
use crate::engine::{EngineError, GrammarKind, GrammarSource, LoadError};
use output::Sink;
use progress::ProgressLine;
use signals::Signals;

mod bench;
mod check;
mod completions;
mod config;
mod doctor;
mod explain;
mod explain_code;
mod export;
mod generate;
mod grammar;
mod grammars;
mod man;
mod models;
mod output;
mod play;
mod progress;
mod replay;
mod sample;
mod shrink;
mod signals;
mod snippet;
mod test;

/// How a command failed.
#[derive(Debug)]
enum Failure {
    /// The input or the usage is wrong: exit code 2.
    Input(String),
    /// It went wrong while running: exit code 1.
    Run(String),
    /// The reason has been printed already.
    Told(u8),
    /// A signal ended it: exit code 128 and its number.
    Signal(u8),
    /// Nobody reads the output any more, which is no failure.
    BrokenPipe,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Run(format!("cannot write the output: {error}")),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Run(error.to_string()) }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Load(error) => error.into(),
            EngineError::Grammar { .. }
            | EngineError::EmptyPrompt
            | EngineError::PromptTooLong { .. }
            | EngineError::Chat(_)
            | EngineError::Setting(_) => Self::Input(error.to_string()),
            _ => Self::Run(error.to_string()),
        }
    }
}

/// How long the end waits for the driver's compiler, and how long without a word.
const PATIENCE: Duration = Duration::from_secs(120);
const SILENCE: Duration = Duration::from_secs(2);

/// Runs what the arguments ask for: a command, or the playground.
pub fn run(cli: &Cli) -> ExitCode {
    let plain = Config::is_plain(cli.play.plain, settings::environment).map_err(Failure::Input);
    let result = plain.and_then(|plain| {
        output::set_plain(plain);
        perform(cli)
    });
    // What waits in the buffer would be lost in silence at the end of the process.
    let code = exit_code(result.and_then(|()| Ok(io::stdout().flush()?)));
    settle(code);
    ExitCode::from(code)
}

/// Waits for threads in the driver's compiler, whose work the next start finds done. A signal ends that, and so does
/// time.
fn settle(code: u8) {
    let clock = Instant::now();
    let mut is_said = false;
    while !work::wait(Duration::from_millis(50)) {
        if signals::has_come() || clock.elapsed() > PATIENCE {
            work::leave(i32::from(code));
        }
        if clock.elapsed() > SILENCE && !std::mem::replace(&mut is_said, true) {
            // If even stderr is gone, it waits in silence.
            let _ = writeln!(Sink::stderr(), "The GPU's driver is still compiling for this machine ...");
        }
    }
}

fn perform(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Some(Command::Generate(args)) => generate::run(args),
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::ExplainCode(args)) => explain_code::run(args),
        Some(Command::Sample(args)) => sample::run(args),
        Some(Command::Test(args)) => test::run(args),
        Some(Command::Grammars(args)) => grammars::run(args),
        Some(Command::Grammar(args)) => grammar::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        Some(Command::Models(args)) => models::run(args),
        Some(Command::Replay(args)) => replay::run(args),
        Some(Command::Shrink(args)) => shrink::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Config(args)) => config::run(args, cli.play.plain),
        Some(Command::Completions(args)) => completions::run(args),
        Some(Command::Man(args)) => man::run(args),
        None => play::run(&cli.play),
    }
}

/// Prints what the parser of the arguments has to say: help, the version, or what is wrong.
pub fn say(mut error: clap::Error) -> ExitCode {
    let sub = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string);
    if let (ErrorKind::ArgumentConflict, Some(sub)) = (error.kind(), sub) {
        let tip = format!("the options of a command stand after its name: maze {sub} ...");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    // The arguments are not understood, so this is all that is known of what was asked for.
    let flag = std::env::args().any(|a| a == "--plain").then_some(true);
    let printed = if Config::is_plain(flag, settings::environment).unwrap_or_default() {
        let text = error.render().to_string();
        let mut stream = if error.use_stderr() { Sink::stderr() } else { Sink::stdout() };
        stream.write_all(text.as_bytes())
    } else {
        error.print()
    };
    match printed.and_then(|()| io::stdout().flush()) {
        // Of stderr only the exit code is left.
        Ok(()) => ExitCode::from(code),
        Err(_) if error.use_stderr() => ExitCode::from(code),
        Err(failed) => ExitCode::from(exit_code(Err(failed.into()))),
    }
}

fn exit_code(result: Result<(), Failure>) -> u8 {
    match result {
        Ok(()) | Err(Failure::BrokenPipe) => 0,
        Err(Failure::Told(code) | Failure::Signal(code)) => code,
        Err(Failure::Run(message)) => tell(&message, 1),
        Err(Failure::Input(message)) => tell(&message, 2),
    }
}

/// Prints an error. If even stderr is gone, the exit code still tells.
fn tell(message: &str, code: u8) -> u8 {
    let mut stderr = Sink::stderr();
    let message = stderr.shown(message).into_owned();
    let _ = writeln!(stderr, "error: {message}");
    code
}

/// The grammar that the arguments name; `None` if they name none.
fn source(args: &GrammarArgs) -> Result<Option<GrammarSource>, Failure> {
    let source = if let Some(path) = &args.grammar {
        read_grammar(path)?
    } else if let Some(path) = &args.schema {
        GrammarSource::json_schema(path.display().to_string(), read_text(path)?)
    } else if let Some(regex) = &args.regex {
        GrammarSource::regex("--regex", regex)
    } else if let Some(name) = args.language.as_deref().filter(|name| !is_none(name)) {
        let shipped = library::find(name).ok_or_else(|| {
            Failure::Input(format!(
                "no grammar {name:?} is shipped; there are {}",
                library::names().join(", ")
            ))
        })?;
        shipped.source()
    } else {
        return match &args.entry {
            Some(_) if args.language.is_some() => {
                Err(Failure::Input("--language none has no entry points".into()))
            }
            Some(_) => Err(Failure::Input("--entry needs the grammar that it is an entry point of".into())),
            None => Ok(None),
        };
    };
    with_entry(source, args.entry.as_deref()).map(Some)
}

/// Whether a name of a language stands for no grammar.
fn is_none(name: &str) -> bool {
    name.eq_ignore_ascii_case("none")
}

/// The grammar beginning with the rule `entry`, if one is asked for.
fn with_entry(source: GrammarSource, entry: Option<&str>) -> Result<GrammarSource, Failure> {
    match entry {
        Some(entry) => source.with_entry(entry).map_err(|e| Failure::Input(e.to_string())),
        None => Ok(source),
    }
}

/// A grammar in a file whose name says what it is.
fn read_grammar(path: &Path) -> Result<GrammarSource, Failure> {
    let kind = GrammarKind::of_path(path).ok_or_else(|| {
        let path = path.display();
        Failure::Input(format!(
            "{path}: a grammar's name ends in .lark, .gbnf, .json (JSON Schema) or .regex"
        ))
    })?;
    Ok(GrammarSource::new(kind, path.display().to_string(), read_text(path)?))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let unreadable = |reason: String| Failure::Input(format!("cannot read {}: {reason}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    String::from_utf8(bytes)
        .map_err(|e| unreadable(format!("it is not UTF-8 text (byte {})", e.utf8_error().valid_up_to())))
}

/// Loads the model for a command that a signal may end at any time, save in a download.
fn load(config: &Config) -> Result<load::Loaded, Failure> {
    load_watched(config, &mut |_| {})
}

/// The same, with somebody who looks on.
fn load_watched(
    config: &Config,
    watcher: &mut (dyn FnMut(&Progress) + Send),
) -> Result<load::Loaded, Failure> {
    let signals = Signals::listen()?;
    let loaded = load_until(config, &signals, watcher)?;
    signals.end_at_once();
    Ok(loaded)
}

/// Loads the model, unless a signal comes. A download tells on stderr how it goes, and what becomes
/// of it if it is stopped.
fn load_until(
    config: &Config,
    signals: &Signals,
    watcher: &mut (dyn FnMut(&Progress) + Send),
) -> Result<load::Loaded, Failure> {
    use std::ops::ControlFlow::{Break, Continue};
    let mut shown = ProgressLine::stderr();
    let mut watch = |progress: Progress| {
        shown.tell(&progress);
        watcher(&progress);
        if signals.exit_code().is_some() { Break(()) } else { Continue(()) }
    };
    let loaded = load::load(&config.model, config.device, config.context, &mut watch);
    drop(shown);
    loaded.map_err(|error| {
        let Some(code) = signals.exit_code() else { return error.into() };
        if let LoadError::Hub(error) = error {
            let mut stderr = Sink::stderr();
            let message = stderr.shown(&error.to_string()).into_owned();
            let _ = writeln!(stderr, "{message}");
        }
        Failure::Signal(code)
    })
}
