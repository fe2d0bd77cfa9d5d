//! The headless entry points: a loaded model that answers requests.
//!
//! [`Engine::run`] gives the finished trace, [`Engine::run_with`] shows every step as it comes and
//! can be stopped by its return value, [`Engine::spawn`] runs on a thread of its own. All three
//! are the same loop over [`Session::step`]; the playground drives a session itself, because a
//! person pauses and goes back.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::alarm::{self, Alarm};
use super::diagnostic::Diagnostic;
use super::error::EngineError;
use super::grammar::{Compiled, Compiler, GrammarSource};
use super::guide::Canceller;
use super::load::{DeviceSpec, Loaded, ModelSpec, load};
use super::model::{LanguageModel, ModelInfo};
use super::session::Session;
use super::trace::{FinishReason, Outcome, Request, Step, Trace};
use super::vocabulary::Vocabulary;

/// A loaded model with its vocabulary and a grammar compiler over it.
pub struct Engine {
    /// Away only while a session has it.
    model: Option<Box<dyn LanguageModel>>,
    info: ModelInfo,
    vocabulary: Arc<Vocabulary>,
    compiler: Arc<Compiler>,
    /// What the latest session follows.
    grammar: Option<Arc<Compiled>>,
}

/// What happens during a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// The prompt is tokenized, nothing has been generated. The handle stops the run from
    /// another thread.
    Started(&'a Trace, &'a Canceller),
    /// A token was generated: its number, from 0, and what is known about it.
    Step(usize, &'a Arc<Step>),
    /// The run has ended.
    Finished(&'a Outcome),
}

impl Engine {
    /// Loads a model with its own context length; [`load`] and [`new`](Self::new) apart give
    /// progress and a choice of it.
    ///
    /// # Errors
    /// If the model cannot be loaded.
    pub fn load(spec: &ModelSpec, device: DeviceSpec) -> Result<Self, EngineError> {
        Self::new(load(spec, device, None, &mut |_| ControlFlow::Continue(()))?)
    }

    /// An engine around a loaded model.
    ///
    /// # Errors
    /// If llguidance cannot work with the vocabulary.
    pub fn new(loaded: Loaded) -> Result<Self, EngineError> {
        let Loaded { model, vocabulary } = loaded;
        let compiler = Compiler::new(&vocabulary).map_err(EngineError::Constraint)?;
        let (info, compiler) = (model.info().clone(), Arc::new(compiler));
        Ok(Self { info, model: Some(model), vocabulary, compiler, grammar: None })
    }

    /// What the model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The model's tokens.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// The model, unless a session has it.
    pub fn model(&mut self) -> Option<&mut dyn LanguageModel> {
        match &mut self.model {
            Some(model) => Some(&mut **model),
            None => None,
        }
    }

    /// The grammar compiler over the model's tokens.
    pub fn compiler(&self) -> &Arc<Compiler> {
        &self.compiler
    }

    /// Compiles the grammar of a request.
    ///
    /// # Errors
    /// [`EngineError::Grammar`] with every diagnostic, if it does not compile.
    pub fn compile(&self, source: &GrammarSource) -> Result<(Arc<Compiled>, Vec<Diagnostic>), EngineError> {
        match self.compiler.compile(source) {
            (Some(compiled), warnings) => Ok((Arc::new(compiled), warnings)),
            (None, diagnostics) => Err(EngineError::Grammar { name: source.name.clone(), diagnostics }),
        }
    }

    /// A session for `request`, to be stepped by the caller. Give its model back with
    /// [`finish`](Self::finish) afterwards.
    ///
    /// # Errors
    /// If the grammar does not compile, or as [`Session::start`].
    pub fn session(&mut self, request: Request) -> Result<Session, EngineError> {
        let grammar = match (&request.grammar, &self.grammar) {
            // With the masks that earlier runs left.
            (Some(source), Some(kept)) if kept.source() == source => Some(Arc::clone(kept)),
            (Some(source), _) => Some(self.compile(source)?.0),
            (None, _) => None,
        };
        let model = self.model.take().ok_or_else(busy)?;
        self.grammar = grammar;
        let started = Session::start(model, self.vocabulary.clone(), self.grammar.clone(), request);
        started.map_err(|(error, model)| {
            self.model = Some(model);
            error
        })
    }

    /// Drops the grammar of the latest session and the masks that are known of it. For measuring: the next run
    /// has to compute them as a first one does.
    pub fn forget_grammar(&mut self) {
        self.grammar = None;
    }

    /// The alarms of the run of the latest session.
    pub fn alarms(&self, trace: &Trace) -> Vec<Alarm> {
        match &self.grammar {
            Some(grammar) => alarm::alarms_in(grammar, &trace.steps),
            None => alarm::alarms(&trace.steps),
        }
    }

    /// Takes the model back from a session and gives its trace.
    pub fn finish(&mut self, session: Session) -> Trace {
        let (model, trace) = session.into_model();
        self.model = Some(model);
        trace
    }

    /// Runs a request to its end.
    ///
    /// ```
    /// use maze::engine::{DeviceSpec, Engine, GrammarSource, ModelSpec, Request};
    ///
    /// let mut engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu)?;
    /// let grammar = GrammarSource::regex("a date", r"20[0-9]{2}-[01][0-9]-[0-3][0-9]");
    /// let trace = engine.run(Request {
    ///     prompt: "# Python: the date of today\ntoday = \"".into(),
    ///     grammar: Some(grammar),
    ///     ..Request::default()
    /// })?;
    /// assert_eq!(trace.text().len(), "2026-11-23".len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the grammar does not compile, the request cannot start, or the model fails.
    pub fn run(&mut self, request: Request) -> Result<Trace, EngineError> {
        self.run_with(request, |_| ControlFlow::Continue(()))
    }

    /// Runs a request to its end and shows every event as it happens. A break from `on` ends the
    /// run with [`FinishReason::Cancelled`].
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use maze::engine::{DeviceSpec, Engine, Event, FinishReason, ModelSpec, Request};
    ///
    /// let mut engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu)?;
    /// let request = Request { prompt: "# Python: Add two numbers\n".into(), ..Request::default() };
    /// let trace = engine.run_with(request, |event| match event {
    ///     Event::Step(2, _) => ControlFlow::Break(()),
    ///     _ => ControlFlow::Continue(()),
    /// })?;
    /// assert_eq!(trace.steps.len(), 3);
    /// assert_eq!(trace.outcome.map(|o| o.reason), Some(FinishReason::Cancelled));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with(
        &mut self,
        request: Request,
        on: impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Trace, EngineError> {
        let (trace, result) = self.run_recorded(request, on)?;
        result.map(|()| trace)
    }

    /// As [`run_with`](Self::run_with), but a run that fails on its way leaves its trace as well:
    /// with what it had generated, and [`FinishReason::Failed`].
    ///
    /// # Errors
    /// If the grammar does not compile or the request cannot start.
    pub fn run_recorded(
        &mut self,
        request: Request,
        mut on: impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(Trace, Result<(), EngineError>), EngineError> {
        let mut session = self.session(request)?;
        let result = drive(&mut session, &mut on);
        if result.is_err() {
            session.finish(FinishReason::Failed);
        }
        let mut trace = self.finish(session);
        if let (Err(error), Some(outcome)) = (&result, &mut trace.outcome) {
            outcome.detail = Some(error.to_string());
        }
        Ok((trace, result))
    }

    /// Runs a request on a thread of its own. Events wait in a bounded queue: a receiver that
    /// does not keep up slows the run down, one that is dropped cancels it.
    ///
    /// ```
    /// use maze::engine::{DeviceSpec, Engine, ModelSpec, Request, RunEvent};
    ///
    /// let engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu)?;
    /// let request = Request { prompt: "fn main() {\n".into(), max_tokens: 5, ..Request::default() };
    /// let run = engine.spawn(request)?;
    /// let steps = run.events.iter().filter(|e| matches!(e, RunEvent::Step(..))).count();
    /// let (_engine, trace) = run.join()?;
    /// assert_eq!(trace?.steps.len(), steps);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn spawn(mut self, request: Request) -> Result<Run, EngineError> {
        let (sender, events) = sync_channel(1024);
        let thread = std::thread::Builder::new()
            .name("maze-engine".into())
            .spawn(move || {
                let trace = self.run_with(request, |event| send(&sender, &event));
                (self, trace)
            })
            .map_err(|e| EngineError::Constraint(format!("no thread for the engine: {e}")))?;
        Ok(Run { events, thread })
    }
}

/// A run on its own thread.
pub struct Run {
    /// What happens, as it happens. Ends when the run has ended.
    pub events: Receiver<RunEvent>,
    thread: JoinHandle<(Engine, Result<Trace, EngineError>)>,
}

/// An [`Event`] that can leave its thread.
#[derive(Clone)]
pub enum RunEvent {
    /// The prompt is tokenized; the handle stops the run.
    Started(Canceller),
    /// A token was generated.
    Step(usize, Arc<Step>),
    /// The run has ended.
    Finished(Outcome),
}

impl Run {
    /// Waits for the end, and gives the engine back with the trace. Events not yet received are
    /// dropped, which cancels a run that is not at its end.
    ///
    /// # Errors
    /// If the run's thread panicked; the engine is lost then.
    pub fn join(self) -> Result<(Engine, Result<Trace, EngineError>), EngineError> {
        drop(self.events);
        self.thread.join().map_err(|_| EngineError::Constraint("the engine's thread panicked".into()))
    }
}

fn send(sender: &SyncSender<RunEvent>, event: &Event<'_>) -> ControlFlow<()> {
    let owned = match event {
        Event::Started(_, canceller) => RunEvent::Started((*canceller).clone()),
        Event::Step(n, step) => RunEvent::Step(*n, Arc::clone(step)),
        Event::Finished(outcome) => RunEvent::Finished((*outcome).clone()),
    };
    match sender.send(owned) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// The loop: steps until the trace has an outcome.
fn drive(
    session: &mut Session,
    on: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(), EngineError> {
    let canceller = session.canceller();
    let mut flow = on(Event::Started(session.trace(), &canceller));
    let mut shown = 0;
    loop {
        for (n, step) in session.trace().steps.iter().enumerate().skip(shown) {
            if flow.is_continue() {
                flow = on(Event::Step(n, step));
            }
        }
        shown = session.trace().steps.len();
        if flow.is_break() {
            session.finish(FinishReason::Cancelled);
        }
        if session.trace().outcome.is_some() {
            break;
        }
        session.step()?;
    }
    if let Some(outcome) = &session.trace().outcome {
        // Nothing is left to break out of.
        let _ = on(Event::Finished(outcome));
    }
    Ok(())
}

fn busy() -> EngineError {
    EngineError::Constraint("the model is in use by another session".into())
}
