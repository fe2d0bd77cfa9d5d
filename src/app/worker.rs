//! The threads behind the screen: one for every model that is in use or loads; one checks grammars;
//! one reads and writes files.
//!
//! They take commands and send [`Event`]s through bounded queues, and share nothing else with the
//! screen but the handles that stop a run and a load. They must never touch the terminal or the state.
//!
//! # Which models are held
//!
//! The one in use, and beside it the one that loads. Once the new one is ready it takes the next run,
//! and the one before is let go: at once, or when its run has ended, been stopped or been replaced.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::Sender;

use crate::catalog::Catalog;
use crate::engine::ModelSpec;
use crate::engine::error::LoadError;
use crate::engine::load::{Loaded, OnProgress};
use crate::engine::session::prepare;
use crate::engine::vocabulary::Vocabulary;
use crate::store::Store;
use crate::ui::highlight;

use super::event::{Back, Effect, Event, LoadId, ModelEvent, RunEvent, RunId, Wanted};
use super::store::Ask as StoreAsk;
use super::whereabouts::Ask;

mod checker;
mod disk;
mod engine;
mod exporter;
mod files;
pub mod keeper;
pub mod locator;

use checker::Inbox;
use engine::{Command, Handle, Start};
use files::Files;

/// Loads a model, on a thread of its own. Given from outside, so that a test can give another.
pub type Loader = Arc<dyn Fn(&ModelSpec, OnProgress<'_>) -> Result<Loaded, LoadError> + Send + Sync>;

/// Finds the models that can be picked, on a thread of its own.
pub type Lister = Arc<dyn Fn() -> Catalog + Send + Sync>;

/// Where models come from.
pub struct Models {
    /// Loads one.
    pub loader: Loader,
    /// Finds all.
    pub lister: Lister,
}

/// The threads, as the screen sees them. Dropping it ends them.
pub struct Worker {
    events: Sender<Event>,
    models: Models,
    grammars: Arc<Inbox>,
    /// Questions to the thread that follows the run in its grammar.
    places: SyncSender<Box<Ask>>,
    /// The thread that reads and writes files.
    files: Files,
    /// What is kept for the next start, if anything is.
    store: Option<Arc<Mutex<Store>>>,
    engines: Mutex<Engines>,
}

/// The engines, each of which has a model.
#[derive(Default)]
struct Engines {
    /// The one that loads its model, or waits for it to be taken.
    loading: Option<Handle>,
    /// The one that takes the next run.
    in_use: Option<Handle>,
    /// The one that has the latest run.
    running: Option<Handle>,
}

impl Worker {
    /// Starts the threads. There is no model yet.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(models: Models, events: Sender<Event>) -> io::Result<Self> {
        let grammars = Arc::new(Inbox::default());
        checker::start(grammars.clone(), events.clone())?;
        let files = Files::start(events.clone())?;
        let places = locator::start(events.clone())?;
        Ok(Self { events, models, grammars, places, files, store: None, engines: Mutex::default() })
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
            Effect::Check(revision, source, beside) => self.grammars.put(revision, source, beside),
            Effect::Sample(revision, source, name) => self.grammars.sample(revision, source, name),
            Effect::Start { id, request, grammar, vocabulary, paused } => {
                self.run(&vocabulary, id, Command::Start(Start { id, request, grammar, paused }));
            }
            Effect::Locate(ask) => {
                let run = ask.run;
                if self.places.try_send(ask).is_err() {
                    self.answer(Event::Located(run, Err("its thread has ended".into())));
                }
            }
            Effect::Back(back) => self.back(back),
            Effect::Store(ask) => self.keep(ask),
            Effect::Pause => self.command(Command::Pause),
            Effect::Resume => self.command(Command::Resume),
            Effect::Step => self.command(Command::Step),
            Effect::Stop => {
                self.command(Command::Stop);
                self.cancel();
            }
            Effect::Load(id, wanted) => self.load(id, wanted),
            Effect::CancelLoad => self.cancel_load(),
            Effect::Use(id, vocabulary) => self.take(id, vocabulary),
            Effect::ListModels => self.list_models(),
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
                let thread = std::thread::Builder::new().name("maze-prompt".into());
                let _ = thread.spawn(move || {
                    let make = || prepare::prompt(&vocabulary, &prompt, &mode).map_err(|e| e.to_string());
                    let made = guarded(make).unwrap_or_else(Err);
                    let _ = events.blocking_send(Event::Rendered(number, made.map(|p| p.tokens)));
                });
            }
            other => return Some(other),
        }
        None
    }

    /// Loads a model on a thread of its own, in place of the load before.
    fn load(&self, id: LoadId, wanted: Wanted) {
        self.cancel_load();
        match Handle::start(id, wanted, self.models.loader.clone(), self.events.clone()) {
            Ok(handle) => self.engines().loading = Some(handle),
            Err(error) => self.answer(Event::Model(id, ModelEvent::Failed(error.to_string()))),
        }
    }

    fn cancel_load(&self) {
        if let Some(loading) = self.engines().loading.take() {
            loading.cancel_load();
        }
    }

    /// Takes the model of a load for grammars and for the next run. The run under way goes on.
    fn take(&self, id: LoadId, vocabulary: Arc<Vocabulary>) {
        let mut engines = self.engines();
        let Some(mut loaded) = engines.loading.take_if(|loading| loading.load == id) else { return };
        self.grammars.use_vocabulary(vocabulary.clone());
        loaded.vocabulary = Some(vocabulary);
        if let Some(before) = engines.in_use.replace(loaded) {
            before.command(Command::Retire);
        }
    }

    /// Gives a run to the engine whose tokens it is about. The run before ends, if another has it.
    fn run(&self, vocabulary: &Arc<Vocabulary>, id: RunId, command: Command) {
        let mut engines = self.engines();
        let Engines { in_use, running, .. } = &mut *engines;
        let is_it = |handle: &&Handle| handle.vocabulary.as_ref().is_some_and(|v| Arc::ptr_eq(v, vocabulary));
        let engine = running.as_ref().filter(is_it).or(in_use.as_ref().filter(is_it)).cloned();
        let is_taken = engine.as_ref().is_some_and(|engine| {
            if let Some(before) = &*running {
                before.cancel();
            }
            engine.command(command)
        });
        if is_taken {
            *running = engine;
        } else {
            let gone = "its model is not in use any more; a new run takes the one that is".to_owned();
            self.answer(Event::Run(id, RunEvent::Failed(gone)));
        }
    }

    fn back(&self, back: Box<Back>) {
        let (vocabulary, id) = (back.vocabulary.clone(), back.id);
        self.run(&vocabulary, id, Command::Back(back));
    }

    /// Tells the run's engine something. One that has ended has said so.
    fn command(&self, command: Command) {
        if let Some(engine) = &self.engines().running {
            engine.command(command);
        }
    }

    /// Ends the run, in the middle of a long computation too.
    fn cancel(&self) {
        if let Some(engine) = &self.engines().running {
            engine.cancel();
        }
    }

    fn keep(&self, ask: StoreAsk) {
        if let Some(store) = &self.store {
            keeper::perform(&self.files, store, ask);
        }
    }

    fn list_models(&self) {
        let (lister, events) = (self.models.lister.clone(), self.events.clone());
        // Without the thread the list stays as it was; a name can still be typed.
        let thread = std::thread::Builder::new().name("maze-models".into());
        let _ = thread.spawn(move || drop(events.blocking_send(Event::Models(Arc::new(lister())))));
    }

    /// Sends an event from the thread of the screen, which must not wait for itself.
    fn answer(&self, event: Event) {
        let _ = self.events.try_send(event);
    }

    fn engines(&self) -> MutexGuard<'_, Engines> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.cancel();
        self.cancel_load();
        self.grammars.close();
    }
}

/// Runs code that may panic; the panic's words in its place, if it does.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        format!("this is a bug in maze: {text}")
    })
}
