//! The thread that checks grammars and runs their cases. Only the latest text matters: one that is
//! replaced before its turn is never checked, and its cases stop running.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::Sender;

use crate::app::event::{Checked, Event};
use crate::engine::cases::{Beside, Cases, Entries, Report};
use crate::engine::grammar::{Compiled, Compiler, GrammarSource, Symbols};
use crate::engine::{Diagnostic, Vocabulary};

use super::guarded;

/// Where the latest text waits.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    vocabulary: Option<Arc<Vocabulary>>,
    source: Option<(u64, GrammarSource, Beside)>,
    /// A name, and the text that it is in.
    sample: Option<(u64, GrammarSource, String)>,
    is_closed: bool,
}

impl Inbox {
    /// Puts a text in, in place of one that still waits.
    pub(super) fn put(&self, revision: u64, source: GrammarSource, beside: Beside) {
        self.lock().source = Some((revision, source, beside));
        self.changed.notify_one();
    }

    /// Asks for samples of a name, in place of one that still waits.
    pub(super) fn sample(&self, revision: u64, source: GrammarSource, name: String) {
        self.lock().sample = Some((revision, source, name));
        self.changed.notify_one();
    }

    /// Says which tokens grammars are checked for. Texts wait until then.
    pub(super) fn use_vocabulary(&self, vocabulary: Arc<Vocabulary>) {
        self.lock().vocabulary = Some(vocabulary);
        self.changed.notify_one();
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Whether nothing waits, so that there is time for cases.
    fn is_empty(&self) -> bool {
        let waiting = self.lock();
        waiting.source.is_none() && waiting.vocabulary.is_none() && !waiting.is_closed
    }

    /// Waits until `ready` finds something; `None` when the inbox is closed.
    fn wait<T>(&self, mut ready: impl FnMut(&mut Waiting) -> Option<T>) -> Option<T> {
        let mut waiting = self.lock();
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(found) = ready(&mut waiting) {
                return Some(found);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many texts are made for a name.
const SAMPLES: usize = 4;

/// What the thread does next.
enum Next {
    Use(Arc<Vocabulary>),
    Check(u64, GrammarSource, Beside),
    Sample(u64, GrammarSource, String),
}

/// Starts the thread.
///
/// # Errors
/// If the system gives none.
pub(super) fn start(inbox: Arc<Inbox>, events: Sender<Event>) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("maze-grammar".into());
    thread.spawn(move || check_all(&inbox, &events)).map(drop)
}

fn check_all(inbox: &Inbox, events: &Sender<Event>) {
    let mut current: Option<(Arc<Vocabulary>, Result<Compiler, String>)> = None;
    loop {
        // The vocabulary first: a text that waits is to be checked for the tokens of now.
        let next = inbox.wait(|w| match (w.vocabulary.take(), &current) {
            (Some(vocabulary), _) => Some(Next::Use(vocabulary)),
            (None, Some(_)) => {
                let check =
                    w.source.take().map(|(revision, source, beside)| Next::Check(revision, source, beside));
                check.or_else(|| w.sample.take().map(|(r, source, name)| Next::Sample(r, source, name)))
            }
            (None, None) => None,
        });
        match next {
            None => return,
            Some(Next::Sample(revision, source, name)) => {
                let Some((_, Ok(compiler))) = &current else { continue };
                let samples = guarded(|| compiler.samples(&source, &name, SAMPLES)).unwrap_or_default();
                if events.blocking_send(Event::Sampled(revision, name, samples)).is_err() {
                    return;
                }
            }
            Some(Next::Use(vocabulary)) => {
                let compiler = guarded(|| Compiler::new(&vocabulary)).unwrap_or_else(Err);
                current = Some((vocabulary, compiler));
            }
            Some(Next::Check(revision, source, beside)) => {
                let Some((vocabulary, compiler)) = &current else { continue };
                // A check that fails is told of as what is wrong with the text; the next one goes well.
                let checked = match compiler {
                    Ok(compiler) => guarded(|| compiler.compile(&source)),
                    Err(reason) => Ok((None, vec![unusable(&source, reason)])),
                };
                let (compiled, diagnostics) =
                    checked.unwrap_or_else(|panic| (None, vec![failed(&source, &panic)]));
                let compiled = compiled.map(Arc::new);
                let checked = Checked {
                    vocabulary: vocabulary.clone(),
                    compiled: compiled.clone(),
                    diagnostics,
                    symbols: Arc::new(Symbols::of(&source)),
                };
                if events.blocking_send(Event::Checked(revision, checked)).is_err() {
                    return;
                }
                let Some(compiled) = compiled else { continue };
                let Ok(compiler) = compiler else { continue };
                let mut go_on = || inbox.is_empty();
                let tell = |result: Result<Report, String>| {
                    let tested = Event::Tested(revision, vocabulary.clone(), result.map(Arc::new));
                    events.blocking_send(tested).is_ok()
                };
                let run = || {
                    let cases = Cases::of_while(&source, &beside, &mut go_on)?;
                    test(cases, &compiled, compiler, &mut |report| tell(Ok(report)), &mut go_on)
                };
                // Cases that were stopped have no result: what stopped them has them run again.
                let Some(result) = guarded(run).transpose() else { continue };
                if !tell(result) {
                    return;
                }
            }
        }
    }
}

/// Runs cases. What came of those of the grammar's own start is told `first`, if there are others: their
/// grammars have to be compiled. `None` if one of the two said no.
fn test(
    cases: Cases,
    grammar: &Compiled,
    compiler: &Compiler,
    first: &mut dyn FnMut(Report) -> bool,
    go_on: &mut dyn FnMut() -> bool,
) -> Option<Report> {
    let (own, others) = cases.apart(grammar.source());
    let mut grammars = Entries::new(grammar, compiler);
    let report = own.run(&mut grammars, go_on)?;
    let waiting = others.list.len();
    if waiting > 0 && !first(Report { waiting, ..report.clone() }) {
        return None;
    }
    Some(report.and(others.run(&mut grammars, go_on)?))
}

/// Says that the check itself went wrong.
fn failed(source: &GrammarSource, panic: &str) -> Diagnostic {
    let message = format!("this grammar cannot be checked: {panic}");
    Diagnostic::error(&source.text, 0..0, "check-failed", message)
}

/// Says of any grammar that the model's tokens cannot be masked.
fn unusable(source: &GrammarSource, reason: &str) -> Diagnostic {
    let message = format!("grammars cannot be used with this model: {reason}");
    Diagnostic::error(&source.text, 0..0, "unusable-vocabulary", message)
}
