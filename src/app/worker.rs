//! The threads behind the screen: one owns the model and runs sessions, one checks grammars.
//!
//! They take commands and send [`Event`]s through bounded queues, and share nothing else with the
//! screen but the handle that stops a run. They must never touch the terminal or the state.

use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::Sender;

use crate::engine::LanguageModel;
use crate::engine::error::LoadError;
use crate::engine::grammar::Compiled;
use crate::engine::guide::Canceller;
use crate::engine::load::{Loaded, Progress, Stage};
use crate::engine::session::{Session, prepare};
use crate::engine::trace::{FinishReason, Request};
use crate::ui::highlight;

use super::event::{Effect, Event, ModelEvent, RunEvent, RunId};

mod checker;

use checker::Inbox;

/// Loads the model, on the engine's thread. Given from outside, so that a test can give another.
pub type Loader =
    Box<dyn FnOnce(&mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Loaded, LoadError> + Send>;

/// Commands that wait for the engine; a person cannot type that far ahead.
const COMMANDS: usize = 64;

/// The threads, as the screen sees them. Dropping it ends them.
pub struct Worker {
    commands: SyncSender<Command>,
    grammars: Arc<Inbox>,
    running: Running,
    events: Sender<Event>,
}

/// The handle of the run under way: a run in the middle of a long computation does not look at its
/// commands.
type Running = Arc<Mutex<Option<Canceller>>>;

enum Command {
    Start { id: RunId, request: Box<Request>, grammar: Arc<Compiled>, paused: bool },
    Pause,
    Resume,
    Step,
    Stop,
}

impl Worker {
    /// Starts the threads; the model begins to load.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(loader: Loader, events: Sender<Event>) -> io::Result<Self> {
        let (commands, inbox) = sync_channel(COMMANDS);
        let grammars = Arc::new(Inbox::default());
        let running = Running::default();
        let engine = Engine { events: events.clone(), running: running.clone() };
        let for_checker = grammars.clone();
        spawn("maze-engine", events.clone(), move || engine.main(loader, &inbox, &for_checker))?;
        checker::start(grammars.clone(), events.clone())?;
        Ok(Self { commands, grammars, running, events })
    }

    /// Does what the threads are for; other effects come back.
    pub fn perform(&self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Check(revision, source) => self.grammars.put(revision, source),
            Effect::Start { id, request, grammar, paused } => {
                self.command(Command::Start { id, request, grammar, paused });
            }
            Effect::Pause => self.command(Command::Pause),
            Effect::Resume => self.command(Command::Resume),
            Effect::Step => self.command(Command::Step),
            Effect::Stop => {
                self.command(Command::Stop);
                self.cancel();
            }
            Effect::Warm(language) => {
                // Without the thread, the first frame that needs the language is late; no more.
                let thread = std::thread::Builder::new().name("maze-highlight".into());
                let _ = thread.spawn(move || highlight::warm(language));
            }
            Effect::Render { number, vocabulary, prompt, mode } => {
                let events = self.events.clone();
                // Without the thread, the look stays empty; no more.
                let _ = spawn("maze-prompt", events.clone(), move || {
                    let made = prepare::prompt(&vocabulary, &prompt, &mode);
                    let tokens = made.map(|p| p.tokens).map_err(|e| e.to_string());
                    let _ = events.blocking_send(Event::Rendered(number, tokens));
                });
            }
            other => return Some(other),
        }
        None
    }

    fn cancel(&self) {
        if let Some(canceller) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            canceller.cancel();
        }
    }

    fn command(&self, command: Command) {
        // A full queue means that the engine is stuck and the person impatient: the command is
        // dropped rather than the screen held. An engine that has ended has said so.
        if let Err(TrySendError::Full(_)) = self.commands.try_send(command) {
            self.cancel();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.cancel();
        self.grammars.close();
    }
}

/// Starts a thread whose panic becomes an event.
fn spawn(name: &'static str, events: Sender<Event>, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let guarded = move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            let text = panic
                .downcast_ref::<&str>()
                .map(|s| (*s).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let message = format!("the thread {name} has failed; this is a bug in maze: {text}");
            let _ = events.blocking_send(Event::Model(ModelEvent::Failed(message)));
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(guarded).map(drop)
}

/// The screen is gone: there is nobody to work for.
struct Gone;

/// The engine's thread.
struct Engine {
    events: Sender<Event>,
    running: Running,
}

impl Engine {
    fn main(self, loader: Loader, commands: &Receiver<Command>, grammars: &Inbox) {
        let mut told = None;
        let loaded = loader(&mut |progress| {
            let (what, share) = describe(progress);
            // One event a percent, not one a tensor.
            let percent = share.map(|s| (s * 100.0) as u32);
            if told.replace((what, percent)) == Some((what, percent)) {
                return ControlFlow::Continue(());
            }
            match self.send(Event::Model(ModelEvent::Loading(what.to_owned(), share))) {
                Ok(()) => ControlFlow::Continue(()),
                Err(Gone) => ControlFlow::Break(()),
            }
        });
        let Loaded { mut model, vocabulary } = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                let _ = self.send(Event::Model(ModelEvent::Failed(error.to_string())));
                return;
            }
        };
        grammars.use_vocabulary(vocabulary.clone());
        let ready = ModelEvent::Ready(model.info().clone(), vocabulary.clone());
        if self.send(Event::Model(ready)).is_err() {
            return;
        }
        let mut next = None;
        while let Some(command) = next.take().or_else(|| commands.recv().ok()) {
            // Commands that come after the end of their run have nothing to act on.
            let Command::Start { id, request, grammar, paused } = command else { continue };
            match Session::start(model, vocabulary.clone(), Some(grammar), *request) {
                Ok(session) => {
                    let run = Run { id, session, going: !paused, single: paused };
                    match self.drive(run, commands) {
                        Ok((back, command)) => (model, next) = (back, command),
                        Err(Gone) => return,
                    }
                }
                Err((error, back)) => {
                    model = back;
                    if self.send(Event::Run(id, RunEvent::Failed(error.to_string()))).is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Runs a session to its end. Gives the model back, and the command that ended the run if it
    /// is to be heard by whoever comes next.
    fn drive(
        &self,
        mut run: Run,
        commands: &Receiver<Command>,
    ) -> Result<(Box<dyn LanguageModel>, Option<Command>), Gone> {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.session.canceller());
        let tell = |event| self.send(Event::Run(run.id, event));
        tell(RunEvent::Started { prompt: run.session.trace().prompt.clone() })?;
        let mut shown = 0;
        let mut next = None;
        loop {
            let steps = &run.session.trace().steps;
            if steps.len() > shown {
                tell(RunEvent::Steps(steps[shown..].to_vec()))?;
                shown = steps.len();
            }
            if let Some(outcome) = &run.session.trace().outcome {
                tell(RunEvent::Finished(outcome.clone()))?;
                break;
            }
            let waits = !run.going && !run.single;
            let command =
                if waits { commands.recv().map_err(|_| Gone).map(Some)? } else { commands.try_recv().ok() };
            match command {
                Some(Command::Pause) => {
                    (run.going, run.single) = (false, false);
                    tell(RunEvent::Paused)?;
                    continue;
                }
                Some(Command::Resume) => {
                    run.going = true;
                    // Said even if it was going: a pause from before may just be on its way.
                    tell(RunEvent::Resumed)?;
                }
                Some(Command::Step) => run.single = true,
                Some(Command::Stop) => {
                    run.session.finish(FinishReason::Cancelled);
                    continue;
                }
                Some(start @ Command::Start { .. }) => {
                    run.session.finish(FinishReason::Cancelled);
                    next = Some(start);
                    continue;
                }
                None => {}
            }
            let is_single = std::mem::take(&mut run.single);
            if let Err(error) = run.session.step() {
                tell(RunEvent::Failed(error.to_string()))?;
                break;
            }
            if is_single && !run.going {
                tell(RunEvent::Paused)?;
            }
        }
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok((run.session.into_model().0, next))
    }

    fn send(&self, event: Event) -> Result<(), Gone> {
        self.events.blocking_send(event).map_err(|_| Gone)
    }
}

/// A session and what it was last told to do.
struct Run {
    id: RunId,
    session: Session,
    /// Steps are taken until something else is said.
    going: bool,
    /// One step is to be taken.
    single: bool,
}

fn describe(progress: Progress) -> (&'static str, Option<f32>) {
    let what = match progress.stage {
        Stage::Tokenizer => "tokenizer",
        Stage::Weights => "weights",
        Stage::WarmUp => "model",
    };
    (what, (progress.total > 0).then(|| progress.done as f32 / progress.total as f32))
}
