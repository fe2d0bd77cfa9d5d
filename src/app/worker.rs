//! The threads behind the screen: one loads models, owns the one in use and runs sessions; one checks
//! grammars.
//!
//! They take commands and send [`Event`]s through bounded queues, and share nothing else with the
//! screen but the handles that stop a run and a load. They must never touch the terminal or the state.

use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

use crate::catalog::Catalog;
use crate::engine::error::LoadError;
use crate::engine::grammar::Compiled;
use crate::engine::guide::Canceller;
use crate::engine::load::{Loaded, OnProgress, Progress, Stage};
use crate::engine::session::{Session, prepare};
use crate::engine::trace::{FinishReason, Request};
use crate::engine::{LanguageModel, ModelSpec, Vocabulary};
use crate::store::Store;
use crate::ui::highlight;

use super::event::{Effect, Event, LoadId, ModelEvent, RunEvent, RunId, Wanted};
use super::store::Ask;

mod checker;
mod disk;
mod exporter;
mod files;
mod keeper;

use checker::Inbox;
use files::Files;

/// Loads a model, on the engine's thread. Given from outside, so that a test can give another.
pub type Loader = Box<dyn FnMut(&ModelSpec, OnProgress<'_>) -> Result<Loaded, LoadError> + Send>;

/// Finds the models that can be picked, on a thread of its own.
pub type Lister = Arc<dyn Fn() -> Catalog + Send + Sync>;

/// Where models come from.
pub struct Models {
    /// Loads one.
    pub loader: Loader,
    /// Finds all.
    pub lister: Lister,
}

/// How often a load tells how far it is, at most.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Commands that wait for the engine; a person cannot type that far ahead.
const COMMANDS: usize = 64;

/// The threads, as the screen sees them. Dropping it ends them.
pub struct Worker {
    commands: SyncSender<Command>,
    events: Sender<Event>,
    grammars: Arc<Inbox>,
    running: Running,
    lister: Lister,
    /// The thread that reads and writes files.
    files: Files,
    /// What is kept for the next start, if anything is.
    store: Option<Arc<Mutex<Store>>>,
    /// Ends the latest load.
    load: Mutex<Arc<AtomicBool>>,
}

/// The handle of the run under way: a run in the middle of a long computation does not look at its
/// commands.
type Running = Arc<Mutex<Option<Canceller>>>;

enum Command {
    Load { id: LoadId, wanted: Wanted, cancelled: Arc<AtomicBool> },
    Start(Start),
    Pause,
    Resume,
    Step,
    Stop,
}

/// A run as it is asked for.
struct Start {
    id: RunId,
    request: Box<Request>,
    grammar: Arc<Compiled>,
    vocabulary: Arc<Vocabulary>,
    paused: bool,
}

impl Worker {
    /// Starts the threads. There is no model yet.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(models: Models, events: Sender<Event>) -> io::Result<Self> {
        let Models { loader, lister } = models;
        let (commands, inbox) = sync_channel(COMMANDS);
        let grammars = Arc::new(Inbox::default());
        let running = Running::default();
        let engine = Engine {
            events: events.clone(),
            running: running.clone(),
            grammars: grammars.clone(),
            model: None,
        };
        spawn("maze-engine", events.clone(), move || engine.main(loader, &inbox))?;
        checker::start(grammars.clone(), events.clone())?;
        let files = Files::start(events.clone())?;
        Ok(Self { commands, events, grammars, running, lister, files, store: None, load: Mutex::default() })
    }

    /// Lets the thread for files have the store.
    #[must_use]
    pub fn keeping(mut self, store: Option<Store>) -> Self {
        self.store = store.map(|store| Arc::new(Mutex::new(store)));
        self
    }

    /// Does what the threads are for; other effects come back.
    pub fn perform(&self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Check(revision, source) => self.grammars.put(revision, source),
            Effect::Start { id, request, grammar, vocabulary, paused } => {
                self.command(Command::Start(Start { id, request, grammar, vocabulary, paused }));
            }
            Effect::Load(id, wanted) => {
                let cancelled = self.cancel_load();
                self.command(Command::Load { id, wanted, cancelled });
                self.cancel();
            }
            Effect::CancelLoad => drop(self.cancel_load()),
            Effect::ListModels => self.list_models(),
            Effect::Store(ask) => self.keep(ask),
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
            Effect::Export(job) => self.files.later(move |events| exporter::perform(*job, events)),
            Effect::Files(job) => self.files.later(move |events| disk::perform(job, events)),
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

    fn keep(&self, ask: Ask) {
        if let Some(store) = &self.store {
            keeper::perform(&self.files, store, ask);
        }
    }

    /// Ends the load before, and returns what ends the next one.
    fn cancel_load(&self) -> Arc<AtomicBool> {
        let mut latest = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(AtomicBool::new(false));
        std::mem::replace(&mut *latest, next.clone()).store(true, Ordering::Release);
        next
    }

    fn list_models(&self) {
        let (lister, events) = (self.lister.clone(), self.events.clone());
        // Without the thread the list stays as it was; a name can still be typed.
        let thread = std::thread::Builder::new().name("maze-models".into());
        let _ = thread.spawn(move || drop(events.blocking_send(Event::Models(Arc::new(lister())))));
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
        self.cancel_load();
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
            let _ = events.blocking_send(Event::Broken(message));
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
    grammars: Arc<Inbox>,
    /// The model in use; a run has it while it lasts.
    model: Option<Loaded>,
}

impl Engine {
    fn main(mut self, mut loader: Loader, commands: &Receiver<Command>) {
        let mut next = None;
        while let Some(command) = next.take().or_else(|| commands.recv().ok()) {
            let done = match command {
                Command::Load { id, wanted, cancelled } => self.load(&mut loader, id, &wanted, &cancelled),
                Command::Start(start) => self.start(start, commands).map(|command| next = command),
                // What comes after the end of its run has nothing to act on.
                Command::Pause | Command::Resume | Command::Step | Command::Stop => Ok(()),
            };
            if done.is_err() {
                return;
            }
        }
    }

    /// Loads a model, which takes the place of the one in use if all goes well.
    fn load(
        &mut self,
        loader: &mut Loader,
        id: LoadId,
        wanted: &Wanted,
        cancelled: &AtomicBool,
    ) -> Result<(), Gone> {
        let events = self.events.clone();
        let tell = |event| events.blocking_send(Event::Model(id, event)).map_err(|_| Gone);
        let spec = match wanted {
            Wanted::Model(spec) => Ok(spec.clone()),
            Wanted::Named(text) => text.parse(),
        };
        let mut told: Option<(Instant, &str)> = None;
        let mut on = |progress: Progress| {
            let (what, share) = describe(&progress);
            // Rarely, so that the screen has time for keys; but always what is done next.
            let is_news = told.as_ref().is_none_or(|(at, stage)| {
                at.elapsed() >= TELL_EVERY || *stage != stage_name(&progress.stage)
            });
            if is_news {
                told = Some((Instant::now(), stage_name(&progress.stage)));
                if tell(ModelEvent::Loading(what, share)).is_err() {
                    return ControlFlow::Break(());
                }
            }
            if cancelled.load(Ordering::Acquire) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let loaded = spec.and_then(|spec| loader(&spec, &mut on).map_err(|error| error.to_string()));
        match loaded {
            // Who has cancelled it knows.
            _ if cancelled.load(Ordering::Acquire) => Ok(()),
            Err(message) => tell(ModelEvent::Failed(message)),
            Ok(loaded) => {
                let ready = ModelEvent::Ready(loaded.model.info().clone(), loaded.vocabulary.clone());
                self.grammars.use_vocabulary(loaded.vocabulary.clone());
                tell(ready)?;
                self.model = Some(loaded);
                Ok(())
            }
        }
    }

    /// Starts a run and sees it through. Returns the command that ended it, if it is to be heard
    /// by whoever comes next.
    fn start(&mut self, start: Start, commands: &Receiver<Command>) -> Result<Option<Command>, Gone> {
        let Start { id, request, grammar, vocabulary, paused } = start;
        // A model may have been loaded since this was asked for, and the grammar is not for it.
        let Some(loaded) = self.model.take_if(|loaded| Arc::ptr_eq(&loaded.vocabulary, &vocabulary)) else {
            let message = "the model has changed; run again".into();
            return self.send(Event::Run(id, RunEvent::Failed(message))).map(|()| None);
        };
        let (model, next) = match Session::start(loaded.model, vocabulary.clone(), Some(grammar), *request) {
            Ok(session) => self.drive(Run { id, session, going: !paused, single: paused }, commands)?,
            Err((error, model)) => {
                self.send(Event::Run(id, RunEvent::Failed(error.to_string())))?;
                (model, None)
            }
        };
        self.model = Some(Loaded { model, vocabulary });
        Ok(next)
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
                Some(other @ (Command::Start(_) | Command::Load { .. })) => {
                    run.session.finish(FinishReason::Cancelled);
                    next = Some(other);
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

/// What a load is doing, and the share of it that is done, if that is not part of the words.
fn describe(progress: &Progress) -> (String, Option<f32>) {
    if let Stage::Download(status) = &progress.stage {
        return (format!("downloading {status}"), None);
    }
    let share = (progress.total > 0).then(|| progress.done as f32 / progress.total as f32);
    (format!("loading {}", stage_name(&progress.stage)), share)
}

fn stage_name(stage: &Stage) -> &'static str {
    match stage {
        Stage::Download(_) => "files",
        Stage::Tokenizer => "tokenizer",
        Stage::Weights => "weights",
        Stage::WarmUp => "model",
    }
}
