//! The thread of a model: it loads it, and runs sessions on it until another model has taken its
//! place. Each load has a thread of its own, so a run goes on while another model loads, and a CUDA
//! device is used from the thread that opened it.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

use crate::app::event::{Back, Event, LoadId, ModelEvent, RunEvent, RunId, Wanted};
use crate::app::runner::Runner;
use crate::engine::Vocabulary;
use crate::engine::grammar::Compiled;
use crate::engine::guide::Canceller;
use crate::engine::load::{Loaded, Progress, Stage};
use crate::engine::trace::Request;

use super::{Loader, guarded};

/// How often a load tells how far it is, at most.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Commands that wait for the engine; a person cannot type that far ahead.
const COMMANDS: usize = 64;

/// What a person wants of a run.
pub(super) enum Command {
    Start(Start),
    Back(Box<Back>),
    Pause,
    Resume,
    Step,
    Stop,
    /// Another model is in use: end as soon as no run is open.
    Retire,
}

/// A run as it is asked for.
pub(super) struct Start {
    pub(super) id: RunId,
    pub(super) request: Box<Request>,
    pub(super) grammar: Arc<Compiled>,
    pub(super) paused: bool,
}

/// The thread, as the worker sees it. It ends when nobody has a handle of it.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) load: LoadId,
    /// The tokens of the model, once it is in use.
    pub(super) vocabulary: Option<Arc<Vocabulary>>,
    commands: SyncSender<Command>,
    cancelled: Arc<AtomicBool>,
    running: Running,
}

/// The handle of the run under way: a run in the middle of a long computation does not look at its
/// commands.
type Running = Arc<Mutex<Option<Canceller>>>;

impl Handle {
    /// Starts a thread that loads a model and then waits for commands.
    ///
    /// # Errors
    /// If the system gives none.
    pub(super) fn start(
        load: LoadId,
        wanted: Wanted,
        loader: Loader,
        events: Sender<Event>,
    ) -> io::Result<Self> {
        let (commands, inbox) = sync_channel(COMMANDS);
        let handle =
            Self { load, vocabulary: None, commands, cancelled: Arc::default(), running: Running::default() };
        let engine = Engine {
            load,
            events,
            running: handle.running.clone(),
            cancelled: handle.cancelled.clone(),
            is_retired: false,
        };
        let thread = std::thread::Builder::new().name("maze-engine".into());
        thread.spawn(move || engine.main(&loader, &wanted, &inbox))?;
        Ok(handle)
    }

    /// Ends the load.
    pub(super) fn cancel_load(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    /// Ends the run, in the middle of a computation too.
    pub(super) fn cancel(&self) {
        if let Some(canceller) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            canceller.cancel();
        }
    }

    /// False if the thread has ended.
    pub(super) fn command(&self, command: Command) -> bool {
        match self.commands.try_send(command) {
            Ok(()) => true,
            // The engine is stuck and the person impatient: the command is dropped rather than the
            // screen held.
            Err(TrySendError::Full(_)) => {
                self.cancel();
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

/// The screen is gone: there is nobody to work for.
struct Gone;

struct Engine {
    load: LoadId,
    events: Sender<Event>,
    running: Running,
    cancelled: Arc<AtomicBool>,
    is_retired: bool,
}

impl Engine {
    fn main(mut self, loader: &Loader, wanted: &Wanted, commands: &Receiver<Command>) {
        // Who is gone needs no answer.
        let Ok(Some(loaded)) = guarded(|| self.load(loader, wanted)).unwrap_or_else(|panic| {
            self.tell_model(ModelEvent::Failed(format!("loading {wanted} has failed: {panic}")))
                .map(|()| None)
        }) else {
            return;
        };
        let mut runner = Runner::new(loaded);
        if let Err(panic) = guarded(|| self.serve(&mut runner, commands)) {
            let message = format!("the engine has failed: {panic}");
            if let Some(id) = runner.id().filter(|_| runner.is_open()) {
                let _ = self.send(Event::Run(id, RunEvent::Failed(message.clone())));
            }
            if !self.is_retired {
                let _ = self.send(Event::Broken(message));
            }
        }
    }

    /// Loads the model. `None` if it cannot be had, or is not wanted any more.
    fn load(&self, loader: &Loader, wanted: &Wanted) -> Result<Option<Loaded>, Gone> {
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
                if self.tell_model(ModelEvent::Loading(what, share)).is_err() {
                    return ControlFlow::Break(());
                }
            }
            if self.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let loaded = spec.and_then(|spec| loader(&spec, &mut on).map_err(|error| error.to_string()));
        match loaded {
            // Who has cancelled it knows.
            _ if self.is_cancelled() => Ok(None),
            Err(message) => self.tell_model(ModelEvent::Failed(message)).map(|()| None),
            Ok(loaded) => {
                let ready = ModelEvent::Ready(loaded.model.info().clone(), loaded.vocabulary.clone());
                self.tell_model(ready).map(|()| Some(loaded))
            }
        }
    }

    /// Does what it is told, and takes steps in between, until nobody wants anything any more.
    fn serve(&mut self, runner: &mut Runner, commands: &Receiver<Command>) -> Result<(), Gone> {
        while !self.is_retired || runner.is_open() {
            let command = if runner.is_going() {
                match commands.try_recv() {
                    Err(TryRecvError::Disconnected) => return Ok(()),
                    command => command.ok(),
                }
            } else {
                match commands.recv() {
                    Err(RecvError) => return Ok(()),
                    Ok(command) => Some(command),
                }
            };
            // All commands before the next step: a stop that waits must not wait for a long prompt.
            if let Some(command) = command {
                self.obey(runner, command)?;
                *self.running.lock().unwrap_or_else(PoisonError::into_inner) = runner.canceller();
            } else {
                let events = runner.advance();
                self.tell(runner, events)?;
            }
        }
        Ok(())
    }

    fn obey(&mut self, runner: &mut Runner, command: Command) -> Result<(), Gone> {
        let events = match command {
            Command::Start(Start { id, request, grammar, paused }) => {
                let events = runner.start(id, *request, grammar, paused);
                return events.into_iter().try_for_each(|event| self.send(Event::Run(id, event)));
            }
            Command::Back(back) => {
                let id = back.id;
                let events = runner.back(*back);
                return events.into_iter().try_for_each(|event| self.send(Event::Run(id, event)));
            }
            Command::Pause => runner.pause(),
            Command::Resume => runner.resume(),
            Command::Stop => runner.stop(),
            Command::Step => {
                runner.step();
                Vec::new()
            }
            Command::Retire => {
                self.is_retired = true;
                Vec::new()
            }
        };
        self.tell(runner, events)
    }

    /// Tells what the run of the runner has to say.
    fn tell(&self, runner: &Runner, events: Vec<RunEvent>) -> Result<(), Gone> {
        let Some(id) = runner.id() else { return Ok(()) };
        events.into_iter().try_for_each(|event| self.send(Event::Run(id, event)))
    }

    fn tell_model(&self, event: ModelEvent) -> Result<(), Gone> {
        self.send(Event::Model(self.load, event))
    }

    fn send(&self, event: Event) -> Result<(), Gone> {
        self.events.blocking_send(event).map_err(|_| Gone)
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
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
