//! A model that answers runs, one at a time and step by step: what the engine's thread does with the
//! commands of a person.
//!
//! It keeps the session of the latest run after its end, so that the person can go back in it. It must
//! never wait, send or look at a clock: the caller decides when the next step is taken, and tells the
//! screen what came of it.

use std::sync::Arc;

use crate::engine::LanguageModel;
use crate::engine::error::EngineError;
use crate::engine::grammar::{Compiled, Compiler};
use crate::engine::guide::Canceller;
use crate::engine::load::Loaded;
use crate::engine::session::Session;
use crate::engine::trace::{FinishReason, Request};
use crate::engine::vocabulary::Vocabulary;

use super::event::{Back, RunEvent, RunId};

/// A model and the run that it is at.
pub struct Runner {
    vocabulary: Arc<Vocabulary>,
    /// Away while a run has it.
    model: Option<Box<dyn LanguageModel>>,
    run: Option<Open>,
    /// Compiles the grammars of runs from the disk, once there was one.
    compiler: Option<Compiler>,
}

/// A session and what it was last told to do.
struct Open {
    id: RunId,
    session: Session,
    /// Steps are taken until something else is said.
    going: bool,
    /// One step is to be taken.
    single: bool,
    /// Steps and the end that were told of already.
    shown: usize,
    is_end_told: bool,
}

impl Runner {
    /// A model without a run.
    pub fn new(loaded: Loaded) -> Self {
        Self { vocabulary: loaded.vocabulary, model: Some(loaded.model), run: None, compiler: None }
    }

    /// The model's tokens.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// The run that it is at, which may have ended.
    pub fn id(&self) -> Option<RunId> {
        self.run.as_ref().map(|run| run.id)
    }

    /// Whether there is a run that has not ended.
    pub fn is_open(&self) -> bool {
        self.run.as_ref().is_some_and(Open::is_open)
    }

    /// Whether a step is to be taken now.
    pub fn is_going(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.is_open() && (run.going || run.single))
    }

    /// What stops the run from another thread, in the middle of a long computation too.
    pub fn canceller(&self) -> Option<Canceller> {
        self.run.as_ref().map(|run| run.session.canceller())
    }

    /// Starts a run in place of the one before; with `paused`, for one step only.
    pub fn start(
        &mut self,
        id: RunId,
        request: Request,
        grammar: Arc<Compiled>,
        paused: bool,
    ) -> Vec<RunEvent> {
        match self.session(request, Some(grammar.clone())) {
            Ok(session) => {
                let prompt = session.trace().prompt.clone();
                let run = Open::new(id, session);
                self.run = Some(Open { going: !paused, single: paused, ..run });
                vec![RunEvent::Started { prompt, grammar: Some(grammar) }]
            }
            Err(error) => vec![RunEvent::Failed(error.to_string())],
        }
    }

    /// Goes back in a run, which waits there. The session of another run than the latest is gone: the
    /// steps that stay are given to a new one.
    pub fn back(&mut self, back: Back) -> Vec<RunEvent> {
        let Back { id, was, request, grammar, steps, put, .. } = back;
        let mut events = Vec::new();
        let rewound = match self.run.take() {
            Some(mut run) if run.id == was => {
                let rewound = run.session.rewind(steps.len());
                self.run = Some(Open::new(id, run.session));
                rewound
            }
            other => {
                self.run = other;
                let grammar = self.grammar(&request, grammar);
                grammar.and_then(|grammar| {
                    let mut session = self.session(*request, grammar.clone())?;
                    events.push(RunEvent::Started { prompt: session.trace().prompt.clone(), grammar });
                    let retraced = session.retrace(&steps);
                    self.run = Some(Open::new(id, session));
                    retraced
                })
            }
        };
        if let Err(error) = rewound {
            self.run.iter_mut().for_each(|run| run.session.finish(FinishReason::Failed));
            events.push(RunEvent::Failed(format!("there is no way back in this run: {error}")));
            return events;
        }
        let Some(run) = &mut self.run else { return events };
        run.shown = steps.len();
        let refused = put.and_then(|token| run.session.force(token).err());
        run.tell(&mut events);
        match refused {
            Some(error) => events.push(RunEvent::Refused(error.to_string())),
            None if run.is_open() => events.push(RunEvent::Paused),
            None => {}
        }
        events
    }

    /// Holds the run.
    pub fn pause(&mut self) -> Vec<RunEvent> {
        self.tell(|run| {
            (run.going, run.single) = (false, false);
            RunEvent::Paused
        })
    }

    /// Lets the run go on. Said even if it was going: a pause from before may just be on its way.
    pub fn resume(&mut self) -> Vec<RunEvent> {
        self.tell(|run| {
            run.going = true;
            RunEvent::Resumed
        })
    }

    /// Lets the run take one step.
    pub fn step(&mut self) {
        if let Some(run) = &mut self.run {
            run.single = true;
        }
    }

    /// Ends the run.
    pub fn stop(&mut self) -> Vec<RunEvent> {
        let mut events = Vec::new();
        if let Some(run) = &mut self.run {
            run.session.finish(FinishReason::Cancelled);
            run.tell(&mut events);
        }
        events
    }

    /// Takes a step. A run whose model fails has ended with it.
    pub fn advance(&mut self) -> Vec<RunEvent> {
        let mut events = Vec::new();
        let Some(run) = self.run.as_mut().filter(|run| run.is_open()) else { return events };
        let is_single = std::mem::take(&mut run.single) && !run.going;
        if let Err(error) = run.session.step() {
            run.session.finish(FinishReason::Failed);
            run.is_end_told = true;
            run.tell(&mut events);
            events.push(RunEvent::Failed(error.to_string()));
            return events;
        }
        run.tell(&mut events);
        if is_single && run.is_open() {
            events.push(RunEvent::Paused);
        }
        events
    }

    /// The grammar of a request for the tokens of this model: the one that there is, else compiled again.
    fn grammar(
        &mut self,
        request: &Request,
        compiled: Option<Arc<Compiled>>,
    ) -> Result<Option<Arc<Compiled>>, EngineError> {
        let (Some(source), None) = (&request.grammar, &compiled) else { return Ok(compiled) };
        let compiler = match self.compiler.take() {
            Some(compiler) => compiler,
            None => Compiler::new(&self.vocabulary).map_err(EngineError::Constraint)?,
        };
        let (compiled, diagnostics) = self.compiler.insert(compiler).compile(source);
        let refused = || EngineError::Grammar { name: source.name.clone(), diagnostics };
        compiled.map(|compiled| Some(Arc::new(compiled))).ok_or_else(refused)
    }

    /// A session of this model, in place of the one before.
    fn session(&mut self, request: Request, grammar: Option<Arc<Compiled>>) -> Result<Session, EngineError> {
        if let Some(run) = self.run.take() {
            self.model = Some(run.session.into_model().0);
        }
        let gone = || EngineError::Constraint("the model is in use by another run".into());
        let model = self.model.take().ok_or_else(gone)?;
        Session::start(model, self.vocabulary.clone(), grammar, request).map_err(|(error, model)| {
            self.model = Some(model);
            error
        })
    }

    /// What an open run has to say to a command; nothing comes after the end.
    fn tell(&mut self, command: impl FnOnce(&mut Open) -> RunEvent) -> Vec<RunEvent> {
        self.run.as_mut().filter(|run| run.is_open()).map(command).into_iter().collect()
    }
}

impl Open {
    /// A run that waits.
    fn new(id: RunId, session: Session) -> Self {
        Self { id, session, going: false, single: false, shown: 0, is_end_told: false }
    }

    fn is_open(&self) -> bool {
        self.session.trace().outcome.is_none()
    }

    /// Tells what has happened since the last time.
    fn tell(&mut self, events: &mut Vec<RunEvent>) {
        let trace = self.session.trace();
        if trace.steps.len() > self.shown {
            events.push(RunEvent::Steps(trace.steps[self.shown..].to_vec()));
            self.shown = trace.steps.len();
        }
        if let (Some(outcome), false) = (&trace.outcome, self.is_end_told) {
            events.push(RunEvent::Finished(outcome.clone()));
            self.is_end_told = true;
        }
    }
}
