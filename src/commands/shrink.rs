//! `maze shrink`: the smallest grammar and text with the same reason, as a file to look at again.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::export::save;
use super::output::Sink;
use super::{Failure, check, explain, load, read_grammar};
use crate::cli::ShrinkArgs;
use crate::config::{self, Config};
use crate::engine::grammar::Compiler;
use crate::engine::load::Loaded;
use crate::engine::shrink::{Progress, Shrunk, shrink};
use crate::engine::{Request, Trace};

/// The longest that one smaller grammar may take to compile.
const EACH: Duration = Duration::from_secs(1);

/// How often the line is rewritten.
const EVERY: Duration = Duration::from_millis(200);

pub(super) fn run(args: &ShrinkArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let source = read_grammar(&args.grammar)?;
    let (name, text) = check::read_bytes(&args.text)?;
    let Loaded { vocabulary, model } = load(&config)?;
    let grammar = explain::compile(&vocabulary, &source)?;
    let compiler = Compiler::new(&vocabulary).map_err(Failure::Run)?.with_time_limit(EACH);
    let until = Instant::now() + args.seconds;
    let mut line = Line { stderr: Sink::stderr(), told: Instant::now(), is_open: false };
    let shrunk = shrink(&compiler, &vocabulary, grammar, &text, until, &mut |progress| line.tell(progress));
    line.wipe();
    let Some(shrunk) = shrunk else {
        return Err(Failure::Run(format!(
            "{name}: {} accepts the text, there is nothing to shrink",
            source.name
        )));
    };
    let request = Request { grammar: Some(shrunk.grammar.clone()), ..Request::default() };
    let case = Some(shrunk.case.clone());
    let trace = Trace { case, ..Trace::new(request, model.info().clone()) };
    let write = |out: &mut dyn Write| -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &trace)?;
        writeln!(out)
    };
    let mut stderr = Sink::stderr();
    let told = told(&shrunk, source.text.len(), text.len());
    match &args.output {
        Some(path) => {
            save(path, write).map_err(|e| Failure::Input(format!("cannot write {}: {e}", path.display())))?;
            let mut stdout = Sink::stdout();
            show(&mut stdout, &shrunk)?;
        }
        None => write(&mut Sink::stdout())?,
    }
    // Without a reader the file is as good.
    let _ = writeln!(stderr, "{told}");
    Ok(())
}

fn told(shrunk: &Shrunk, grammar: usize, text: usize) -> String {
    let Shrunk { grammar: small, case, tried, is_smallest } = shrunk;
    let end =
        if *is_smallest { "nothing more can be taken out" } else { "there was no time to try the rest" };
    format!(
        "grammar: {grammar} to {} bytes, text: {text} to {} bytes, {tried} tries; {end}",
        small.text.len(),
        case.text.len()
    )
}

/// The grammar and the text that are left.
fn show(out: &mut Sink, shrunk: &Shrunk) -> std::io::Result<()> {
    let grammar = out.shown(shrunk.grammar.text.trim_end()).into_owned();
    let text = out.shown_in_line(&crate::sanitize::token(&shrunk.case.text)).into_owned();
    writeln!(out, "{grammar}\n\ntext: {text}")
}

/// How far it is, on a terminal.
struct Line {
    stderr: Sink,
    told: Instant,
    is_open: bool,
}

impl Line {
    fn tell(&mut self, progress: Progress) -> ControlFlow<()> {
        if self.stderr.is_terminal() && !self.stderr.is_plain() && self.told.elapsed() >= EVERY {
            let Progress { tried, grammar, text } = progress;
            let _ = write!(self.stderr, "\r{tried} tries, grammar {grammar}, text {text} bytes\x1b[K");
            let _ = self.stderr.flush();
            (self.told, self.is_open) = (Instant::now(), true);
        }
        ControlFlow::Continue(())
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let _ = write!(self.stderr, "\r\x1b[K");
            let _ = self.stderr.flush();
        }
    }
}
