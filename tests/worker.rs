//! The engine's thread: models that take each other's place while a person watches.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use maze::app::event::{Back, Checked, Effect, Event, LoadId, ModelEvent, RunEvent, RunId, Wanted};
use maze::app::scripted;
use maze::app::worker::{Models, Worker};
use maze::catalog::Catalog;
use maze::engine::cases::{Beside, Report};
use maze::engine::error::ModelError;
use maze::engine::grammar::GrammarSource;
use maze::engine::load::{DeviceSpec, Loaded, OnProgress, Progress, Stage, load};
use maze::engine::model::scripted::ScriptedModel;
use maze::engine::sampler::SamplerSettings;
use maze::engine::session::Session;
use maze::engine::trace::{Step, StepKind, TokenId};
use maze::engine::{FinishReason, LanguageModel, LoadError, ModelInfo, ModelSpec, Request, Vocabulary};
use maze::hub::HubModel;

/// A worker whose model `slow/model` never ends to load, and `no/model` fails.
struct Bench {
    worker: Worker,
    events: tokio::sync::mpsc::Receiver<Event>,
    /// When the slow load was given up.
    ended: Receiver<Instant>,
    /// When a watched model was dropped.
    dropped: Receiver<Instant>,
}

impl Bench {
    fn new() -> Self {
        let (sender, events) = tokio::sync::mpsc::channel(64);
        let (at_end, ended) = channel();
        let (at_drop, dropped) = channel();
        let loader = Arc::new(move |model: &ModelSpec, on: OnProgress<'_>| match model {
            ModelSpec::Hub(HubModel { repo, .. }) if repo == "slow/model" => stall(on, &at_end),
            ModelSpec::Hub(HubModel { repo, .. }) if repo == "panics/load" => panic!("no such load"),
            ModelSpec::Hub(_) => Err(LoadError::Device("no such device".into())),
            ModelSpec::Path(path) if path.as_os_str() == "watched" => {
                let Loaded { model, vocabulary } = scripted::loader(2000)(model, on)?;
                Ok(Loaded { model: Box::new(Watched(model, at_drop.clone())), vocabulary })
            }
            ModelSpec::Path(path) if path.as_os_str() == "panics" => {
                let Loaded { vocabulary, .. } = scripted::loader(0)(model, on)?;
                let model = ScriptedModel::new(vocabulary.len(), 4096, |_| panic!("no such token"));
                Ok(Loaded { model: Box::new(model), vocabulary })
            }
            // Ten milliseconds a chunk of a prompt, as a model that thinks for a while.
            ModelSpec::Path(path) if path.as_os_str() == "typist" => scripted::loader(100)(model, on),
            ModelSpec::Embedded => load(model, DeviceSpec::Cpu, None, on),
            _ => scripted::loader(2000)(model, on),
        });
        let models = Models { loader, lister: Arc::new(|| Catalog { entries: Vec::new(), free: 7 }) };
        Self { worker: Worker::start(models, sender).unwrap(), events, ended, dropped }
    }

    fn load(&self, id: u64, name: &str) {
        self.worker.perform(Effect::Load(LoadId(id), Wanted::Named(name.into())));
    }

    /// The first event that `wanted` takes; those before it are dropped.
    fn wait<T>(&mut self, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < end, "the event does not come");
            match self.events.try_recv() {
                Ok(event) => {
                    if let Some(found) = wanted(event) {
                        return found;
                    }
                }
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Waits for a model and takes it.
    fn ready(&mut self, id: u64) -> Arc<Vocabulary> {
        let vocabulary = self.wait(|event| match event {
            Event::Model(LoadId(of), ModelEvent::Ready(_, vocabulary)) if of == id => Some(vocabulary),
            _ => None,
        });
        self.worker.perform(Effect::Use(LoadId(id), vocabulary.clone()));
        vocabulary
    }

    fn failed(&mut self, id: u64) -> String {
        self.wait(|event| match event {
            Event::Model(LoadId(of), ModelEvent::Failed(message)) if of == id => Some(message),
            _ => None,
        })
    }

    fn checked(&mut self, revision: u64) -> Checked {
        self.worker.perform(Effect::Check(
            revision,
            GrammarSource::lark("g", "start: /[a-z ]+/"),
            Beside::Nothing,
        ));
        self.wait(|event| match event {
            Event::Checked(of, checked) if of == revision => Some(checked),
            _ => None,
        })
    }

    fn request(&self, checked: &Checked, max_tokens: usize) -> Request {
        let grammar = checked.compiled.as_ref().unwrap().source().clone();
        Request { prompt: "x".into(), grammar: Some(grammar), max_tokens, ..Request::default() }
    }

    fn start(&self, id: u64, checked: &Checked) {
        self.start_with(id, checked, self.request(checked, 100_000));
    }

    fn start_with(&self, id: u64, checked: &Checked, request: Request) {
        self.worker.perform(Effect::Start {
            id: RunId(id),
            request: Box::new(request),
            grammar: checked.compiled.clone().unwrap(),
            vocabulary: checked.vocabulary.clone(),
            paused: false,
        });
    }

    /// All steps of a run from its start to its end.
    fn whole(&mut self, id: u64, checked: &Checked, request: &Request) -> Vec<Arc<Step>> {
        self.start_with(id, checked, request.clone());
        self.rest(id)
    }

    /// The steps of a run that are still to come.
    fn rest(&mut self, id: u64) -> Vec<Arc<Step>> {
        let mut all = Vec::new();
        loop {
            let event = self.run_event(id, Some);
            match event {
                RunEvent::Steps(steps) => all.extend(steps),
                RunEvent::Finished(_) => return all,
                RunEvent::Failed(message) | RunEvent::Refused(message) => panic!("{message}"),
                _ => {}
            }
        }
    }

    fn run_event<T>(&mut self, id: u64, wanted: impl Fn(RunEvent) -> Option<T>) -> T {
        self.wait(|event| match event {
            Event::Run(RunId(of), event) if of == id => wanted(event),
            _ => None,
        })
    }
}

/// Reports as a load does, until nobody wants it any more.
fn stall(on: OnProgress<'_>, ended: &Sender<Instant>) -> Result<Loaded, LoadError> {
    loop {
        if on(Progress { stage: Stage::Weights, done: 1, total: 4 }).is_break() {
            ended.send(Instant::now()).unwrap();
            return Err(LoadError::Cancelled);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_load_can_be_given_up_and_another_begun() {
    let mut bench = Bench::new();
    bench.load(1, "slow/model");
    let (what, share) = bench.wait(|event| match event {
        Event::Model(LoadId(1), ModelEvent::Loading(what, share)) => Some((what, share)),
        _ => None,
    });
    assert_eq!((what.as_str(), share), ("loading weights", Some(0.25)));
    let start = Instant::now();
    bench.worker.perform(Effect::CancelLoad);
    let late = bench.ended.recv_timeout(Duration::from_secs(20)).unwrap() - start;
    assert!(late < Duration::from_millis(200), "{late:?}");
    // Without a word in between, the next one takes the place of the one before it.
    bench.load(2, "slow/model");
    bench.load(3, "scripted");
    bench.ready(3);
    assert!(bench.ended.recv_timeout(Duration::from_secs(20)).is_ok());
}

#[test]
fn a_load_that_fails_leaves_the_model_in_use() {
    let mut bench = Bench::new();
    bench.load(1, "scripted");
    let vocabulary = bench.ready(1);
    bench.load(2, "no/model");
    assert_eq!(bench.failed(2), "no such device");
    bench.load(3, "org/name@../x");
    assert!(bench.failed(3).contains("is no revision"));
    let checked = bench.checked(1);
    assert!(Arc::ptr_eq(&checked.vocabulary, &vocabulary));
    bench.start(1, &checked);
    bench.run_event(1, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
}

/// While a model loads, a run goes on and another one can be started; when it is there, the run still
/// goes on, can be held and stepped, and the next run takes the new model.
#[test]
fn a_new_model_takes_the_next_run() {
    let mut bench = Bench::new();
    bench.load(1, "scripted");
    bench.ready(1);
    let old = bench.checked(1);
    bench.load(2, "slow/model");
    bench.start(1, &old);
    bench.run_event(1, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
    bench.load(3, "scripted");
    let vocabulary = bench.ready(3);
    bench.run_event(1, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
    bench.worker.perform(Effect::Pause);
    bench.run_event(1, |event| matches!(event, RunEvent::Paused).then_some(()));
    bench.worker.perform(Effect::Step);
    let steps = bench.run_event(1, |event| match event {
        RunEvent::Steps(steps) => Some(steps.len()),
        _ => None,
    });
    assert!(steps >= 1);
    let new = bench.checked(2);
    assert!(Arc::ptr_eq(&new.vocabulary, &vocabulary));
    bench.start(2, &new);
    bench.run_event(2, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
    // The one before has been let go: nothing runs on it any more.
    bench.start(3, &old);
    let message = bench.run_event(3, |event| match event {
        RunEvent::Failed(message) => Some(message),
        _ => None,
    });
    assert_eq!(message, "its model is not in use any more; a new run takes the one that is");
}

/// A model that says when it is dropped.
struct Watched(Box<dyn LanguageModel>, Sender<Instant>);

impl LanguageModel for Watched {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError> {
        self.0.forward(tokens, rows)
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.1.send(Instant::now());
    }
}

/// Two models are held no longer than needed: the one before goes when the new one is ready, or when its
/// run ends.
#[test]
fn the_model_before_is_let_go() {
    let mut bench = Bench::new();
    bench.load(1, "watched");
    bench.ready(1);
    let first = bench.checked(1);
    bench.start(1, &first);
    bench.worker.perform(Effect::Stop);
    bench.run_event(1, |event| matches!(event, RunEvent::Finished(_)).then_some(()));
    // Its ended run can be gone back in until then.
    assert!(bench.dropped.try_recv().is_err());
    bench.load(2, "watched");
    bench.ready(2);
    bench.dropped.recv_timeout(Duration::from_secs(20)).expect("the first is dropped");
    let second = bench.checked(2);
    bench.start(2, &second);
    bench.run_event(2, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
    bench.load(3, "watched");
    bench.ready(3);
    bench.run_event(2, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
    assert!(bench.dropped.try_recv().is_err(), "a run that is open keeps its model");
    bench.worker.perform(Effect::Stop);
    bench.dropped.recv_timeout(Duration::from_secs(20)).expect("the second is dropped");
    // A load that was given up when it was ready already.
    bench.load(4, "watched");
    bench.wait(|event| matches!(event, Event::Model(LoadId(4), ModelEvent::Ready(..))).then_some(()));
    bench.worker.perform(Effect::CancelLoad);
    bench.dropped.recv_timeout(Duration::from_secs(20)).expect("the fourth is dropped");
}

/// Going back, with and without another token, gives what a run gives that took that path from the
/// start; whether the engine still has the session or is given the steps again.
#[test]
fn a_run_that_was_gone_back_in_is_the_run_that_took_that_path() {
    let mut bench = Bench::new();
    bench.load(1, "maze-nano");
    bench.ready(1);
    let checked = bench.checked(1);
    let sampler = SamplerSettings { temperature: 1.0, seed: 7, ..SamplerSettings::default() };
    let request = Request { sampler, ..bench.request(&checked, 40) };
    let whole = bench.whole(1, &checked, &request);
    assert_eq!(whole.len(), 40);
    let mut id = 1;
    for (keep, put) in [(0, None), (7, None), (20, Some(b'q')), (39, Some(b'z')), (0, Some(b'x'))] {
        let put = put.map(|byte| token(&checked.vocabulary, byte));
        let path = path(&checked, &request, keep, put);
        assert_eq!(put, put.map(|_| path[keep].token));
        assert!(put.is_some() || recorded(&path) == recorded(&whole), "the seed decides");
        // From the session that the engine has, which is of the whole run, from the steps alone, and with the
        // grammar's text only.
        id += 1;
        assert_eq!(recorded(&bench.whole(id, &checked, &request)), recorded(&whole));
        for (was, has_grammar) in [(id, true), (0, true), (0, false)] {
            id += 1;
            let back = Back {
                id: RunId(id),
                was: RunId(was),
                request: Box::new(request.clone()),
                grammar: checked.compiled.clone().filter(|_| has_grammar),
                vocabulary: checked.vocabulary.clone(),
                steps: path[..keep].to_vec(),
                put,
            };
            bench.worker.perform(Effect::Back(Box::new(back)));
            bench.worker.perform(Effect::Resume);
            let mut steps = path[..keep].to_vec();
            steps.extend(bench.rest(id));
            assert_eq!(recorded(&steps), recorded(&path), "back to {keep} in {was} with {put:?}");
            let chance = |step: &Step| step.insight.as_ref().unwrap().chosen.before;
            let differ = steps.iter().zip(&path).any(|(a, b)| (chance(a) - chance(b)).abs() > 1e-3);
            assert!(!differ, "the model has read the same tokens");
        }
    }
}

/// The tokens, how they came to be, and what was allowed.
fn recorded(steps: &[Arc<Step>]) -> Vec<(TokenId, StepKind, usize)> {
    steps.iter().map(|s| (s.token, s.kind, s.insight.as_ref().map_or(0, |i| i.allowed.count()))).collect()
}

fn token(vocabulary: &Vocabulary, byte: u8) -> TokenId {
    (0..vocabulary.len() as TokenId).find(|&t| vocabulary.bytes(t) == [byte]).unwrap()
}

/// The steps of a session on a model of its own that takes this path from the start.
fn path(checked: &Checked, request: &Request, keep: usize, put: Option<TokenId>) -> Vec<Arc<Step>> {
    let model =
        load(&ModelSpec::Embedded, DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(())).unwrap().model;
    let grammar = checked.compiled.clone();
    let Ok(mut session) = Session::start(model, checked.vocabulary.clone(), grammar, request.clone()) else {
        panic!("the request is sound")
    };
    while session.trace().steps.len() < keep {
        session.step().unwrap();
    }
    put.iter().for_each(|&token| session.force(token).unwrap());
    while session.trace().outcome.is_none() {
        session.step().unwrap();
    }
    session.trace().steps.clone()
}

/// A prompt takes its time to be read: a stop does not wait for its end.
#[test]
fn a_stop_ends_the_reading_of_a_long_prompt() {
    let mut bench = Bench::new();
    bench.load(1, "typist");
    bench.ready(1);
    let checked = bench.checked(1);
    let request = Request { prompt: "x".repeat(100_000), ..bench.request(&checked, 60) };
    bench.start_with(1, &checked, request);
    bench.run_event(1, |event| matches!(event, RunEvent::Started { .. }).then_some(()));
    let clock = Instant::now();
    bench.worker.perform(Effect::Stop);
    let reason = bench.run_event(1, |event| match event {
        RunEvent::Finished(outcome) => Some(outcome.reason),
        _ => None,
    });
    assert_eq!(reason, FinishReason::Cancelled);
    // All of it would take four seconds.
    assert!(clock.elapsed() < Duration::from_secs(2), "{:?}", clock.elapsed());
}

/// A model that panics ends its run and says so; a load that panics leaves the model in use.
#[test]
fn panics_are_told_of_and_end_only_what_they_must() {
    let mut bench = Bench::new();
    bench.load(1, "scripted");
    bench.ready(1);
    bench.load(2, "panics/load");
    assert!(bench.failed(2).starts_with("loading panics/load has failed: this is a bug in maze: no such"));
    let checked = bench.checked(1);
    bench.start(1, &checked);
    bench.run_event(1, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
    bench.load(3, "panics");
    bench.ready(3);
    let checked = bench.checked(2);
    bench.start(2, &checked);
    let failed = bench.run_event(2, |event| match event {
        RunEvent::Failed(message) => Some(message),
        _ => None,
    });
    let broken = bench.wait(|event| match event {
        Event::Broken(message) => Some(message),
        _ => None,
    });
    assert_eq!(failed, "the engine has failed: this is a bug in maze: no such token");
    assert_eq!(broken, failed);
    // The next model works.
    bench.load(4, "scripted");
    bench.ready(4);
    let checked = bench.checked(3);
    bench.start(3, &checked);
    bench.run_event(3, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
}

/// Cases of another entry point wait for its grammar; those of the start do not wait for them.
#[test]
fn cases_of_the_start_come_first() {
    let mut bench = Bench::new();
    bench.load(1, "quick");
    bench.ready(1);
    let text = "// entries: words, word\n// accept word \"a\"\n// accept \"a b\"\n// accept word \"a b\"\n\
                start: words\nwords: word (\" \" word)*\nword: /[a-z]+/\n";
    bench.worker.perform(Effect::Check(3, GrammarSource::lark("g", text), Beside::Nothing));
    let mut tested = || {
        bench.wait(|event| match event {
            Event::Tested(3, _, result) => Some(result.expect("no bug")),
            _ => None,
        })
    };
    let (first, second) = (tested(), tested());
    let listed = |report: &Report| -> Vec<(Option<String>, bool)> {
        report.ran.iter().map(|ran| (ran.case.entry.clone(), ran.passes())).collect()
    };
    assert_eq!((listed(&first), first.waiting), (vec![(None, true)], 2));
    let word = || Some("word".to_owned());
    assert_eq!((listed(&second), second.waiting), (vec![(None, true), (word(), true), (word(), false)], 0));
}

#[test]
fn models_are_listed_while_a_load_is_under_way() {
    let mut bench = Bench::new();
    bench.load(1, "slow/model");
    bench.worker.perform(Effect::ListModels);
    let catalog = bench.wait(|event| match event {
        Event::Models(catalog) => Some(catalog),
        _ => None,
    });
    assert_eq!(catalog.free, 7);
}
