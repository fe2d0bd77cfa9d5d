//! The engine's thread: models that take each other's place while a person watches.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use maze::app::event::{Checked, Effect, Event, LoadId, ModelEvent, RunEvent, RunId, Wanted};
use maze::app::scripted;
use maze::app::worker::{Models, Worker};
use maze::catalog::Catalog;
use maze::engine::grammar::GrammarSource;
use maze::engine::load::{OnProgress, Progress, Stage};
use maze::engine::{FinishReason, LoadError, ModelSpec, Request, Vocabulary};
use maze::hub::HubModel;

/// A worker whose model `slow/model` never ends to load, and `no/model` fails.
struct Bench {
    worker: Worker,
    events: tokio::sync::mpsc::Receiver<Event>,
    /// When the slow load was given up.
    ended: Receiver<Instant>,
}

impl Bench {
    fn new() -> Self {
        let (sender, events) = tokio::sync::mpsc::channel(64);
        let (at_end, ended) = channel();
        let loader = Box::new(move |model: &ModelSpec, on: OnProgress<'_>| match model {
            ModelSpec::Hub(HubModel { repo, .. }) if repo == "slow/model" => stall(on, &at_end),
            ModelSpec::Hub(_) => Err(LoadError::Device("no such device".into())),
            _ => scripted::loader(2000)(model, on),
        });
        let models = Models { loader, lister: Arc::new(|| Catalog { entries: Vec::new(), free: 7 }) };
        Self { worker: Worker::start(models, sender).unwrap(), events, ended }
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

    fn ready(&mut self, id: u64) -> Arc<Vocabulary> {
        self.wait(|event| match event {
            Event::Model(LoadId(of), ModelEvent::Ready(_, vocabulary)) if of == id => Some(vocabulary),
            _ => None,
        })
    }

    fn failed(&mut self, id: u64) -> String {
        self.wait(|event| match event {
            Event::Model(LoadId(of), ModelEvent::Failed(message)) if of == id => Some(message),
            _ => None,
        })
    }

    fn checked(&mut self, revision: u64) -> Checked {
        self.worker.perform(Effect::Check(revision, GrammarSource::lark("g", "start: /[a-z ]+/")));
        self.wait(|event| match event {
            Event::Checked(of, checked) if of == revision => Some(checked),
            _ => None,
        })
    }

    fn start(&self, id: u64, checked: &Checked) {
        let grammar = checked.compiled.clone().unwrap();
        let request = Request {
            prompt: "x".into(),
            grammar: Some(grammar.source().clone()),
            max_tokens: 100_000,
            ..Request::default()
        };
        self.worker.perform(Effect::Start {
            id: RunId(id),
            request: Box::new(request),
            grammar,
            vocabulary: checked.vocabulary.clone(),
            paused: false,
        });
    }

    fn run_event<T>(&mut self, id: u64, wanted: impl Fn(RunEvent) -> Option<T>) -> T {
        self.wait(|event| match event {
            Event::Run(RunId(of), event) if of == id => wanted(event),
            _ => None,
        })
    }
}

/// Reports as a load does, until nobody wants it any more.
fn stall(on: OnProgress<'_>, ended: &Sender<Instant>) -> Result<maze::engine::load::Loaded, LoadError> {
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

/// A new model ends the run of the one before, and wants its grammar checked anew.
#[test]
fn a_new_model_takes_over() {
    let mut bench = Bench::new();
    bench.load(1, "scripted");
    bench.ready(1);
    let old = bench.checked(1);
    bench.start(1, &old);
    bench.run_event(1, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
    bench.load(2, "scripted");
    let reason = bench.run_event(1, |event| match event {
        RunEvent::Finished(outcome) => Some(outcome.reason),
        _ => None,
    });
    assert_eq!(reason, FinishReason::Cancelled);
    let vocabulary = bench.ready(2);
    // What was compiled for the old model's tokens does not run on the new one.
    bench.start(2, &old);
    let message = bench.run_event(2, |event| match event {
        RunEvent::Failed(message) => Some(message),
        _ => None,
    });
    assert_eq!(message, "the model has changed; run again");
    let new = bench.checked(2);
    assert!(Arc::ptr_eq(&new.vocabulary, &vocabulary));
    bench.start(3, &new);
    bench.run_event(3, |event| matches!(event, RunEvent::Steps(_)).then_some(()));
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
