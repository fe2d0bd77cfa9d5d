//! Runs in files: what comes back of them, and what they cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use maze::engine::model::ModelInfo;
use maze::engine::trace::{
    Candidate, FinishReason, Insight, Outcome, Request, Step, StepKind, Timings, Trace,
};
use maze::engine::vocabulary::SpecialTokens;
use maze::engine::{AllowedSet, Vocabulary};
use maze::store::{RunToWrite, run};

use super::{open, prompt, save};

const WIDTH: usize = 4096;

fn step(index: usize) -> Arc<Step> {
    let candidate = |rank: usize| Candidate {
        token: ((index * 31 + rank * 13) % WIDTH) as u32,
        before: 0.7 / (rank + 1 + index % 7) as f32,
        after: 0.9 / (rank + 2 + index % 5) as f32,
        chance: 0.0,
    };
    let words: Vec<u32> =
        (0..WIDTH / 32).map(|w| 0x5a0f_33c1_u32.rotate_left((w + index) as u32 % 32)).collect();
    let insight = Insight {
        before: (0..64).map(candidate).collect(),
        after: (1..65).map(candidate).collect(),
        allowed: AllowedSet::from_bits(&words, WIDTH),
        mass_removed: 0.25,
        entropy_before: 3.5,
        entropy_after: 1.25,
        chosen: candidate(0),
    };
    Arc::new(Step {
        token: candidate(0).token,
        bytes: format!("w{} ", candidate(0).token).into_bytes().into(),
        special: false,
        of_prompt: 0,
        thinking: false,
        kind: StepKind::Sampled,
        insight: Some(Box::new(insight)),
        timings: Timings { forward: Duration::from_micros(400 + index as u64), ..Timings::default() },
    })
}

/// A run of so many tokens, as large as real ones are.
pub fn trace(tokens: usize) -> Trace {
    let model = ModelInfo { name: "test".into(), vocab: WIDTH, ..ModelInfo::default() };
    let mut trace = Trace::new(Request { prompt: "a prompt".into(), ..Request::default() }, model);
    trace.steps = (0..tokens).map(step).collect();
    trace.outcome = Some(Outcome {
        reason: FinishReason::MaxTokens,
        detail: None,
        elapsed: Duration::from_millis(1),
        prefill: Duration::ZERO,
    });
    trace
}

pub fn vocabulary() -> Vocabulary {
    let words = (0..WIDTH).map(|i| if i == 0 { b"<end>".to_vec() } else { format!("w{i} ").into_bytes() });
    Vocabulary::from_words(words.collect(), &SpecialTokens { bos: None, eos: vec![0] }).unwrap()
}

/// All of a trace comes back, with the names of every token that it speaks of; and what is unpacked is a
/// trace like any other.
#[test]
fn a_run_comes_back_with_the_names_of_its_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("7.json.gz");
    let (trace, vocabulary) = (trace(50), vocabulary());
    run::write(&path, &trace, Some(&vocabulary)).unwrap();
    let stored = run::read(&path).unwrap();
    let json = |trace: &Trace| serde_json::to_value(trace).unwrap();
    assert_eq!(json(&stored.trace), json(&trace));
    let names = stored.vocabulary.unwrap();
    assert_eq!((names.len(), names.is_special(0)), (WIDTH, true));
    let insights = trace.steps.iter().filter_map(|s| s.insight.as_ref());
    for candidate in insights.flat_map(|i| i.before.iter().chain(&i.after)) {
        assert_eq!(names.bytes(candidate.token), vocabulary.bytes(candidate.token));
    }
    assert!((0..WIDTH as u32).any(|token| names.is_padding(token)), "others have no name");

    let mut text = Vec::new();
    let packed = std::fs::File::open(&path).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut text).unwrap();
    assert_eq!(json(&Trace::from_json(&text).unwrap()), json(&trace));
}

#[test]
fn run_files_come_and_go_with_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path(), None);
    let mut with_runs = save("x");
    let to_write = |number| RunToWrite { number, trace: Arc::new(trace(3)), vocabulary: None };
    with_runs.runs = vec![to_write(1), to_write(2), to_write(3)];
    with_runs.session.runs =
        [2, 3].map(|number| maze::store::session::RunNote { number, ..Default::default() }).into();
    with_runs.dropped = vec![3];
    store.save(&with_runs).unwrap();
    assert_eq!(store.run(2).unwrap().trace.steps.len(), 3);
    assert!(store.run(3).unwrap_err().ends_with("it is gone"));
    assert_eq!(store.run(1).unwrap().trace.steps.len(), 3);
    store.save_as("copy", &save_list(&with_runs)).unwrap();
    assert_eq!(store.run(2).unwrap().trace.steps.len(), 3, "runs go along");
    drop(store);
    let (store, opened) = open(folder.path(), Some("default"));
    assert_eq!(prompt(&opened), "x");
    assert!(store.run(1).unwrap_err().ends_with("it is gone"), "no list names it");
    assert_eq!(store.run(2).unwrap().trace.steps.len(), 3);
}

/// The same list without anything to write.
fn save_list(save: &maze::store::Save) -> maze::store::Save {
    maze::store::Save { runs: Vec::new(), dropped: Vec::new(), ..save.clone() }
}

/// Shown with --nocapture. The limits are many times what an idle machine needs.
#[test]
fn saving_is_cheap() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path(), None);
    let mut large = save("x");
    large.session.grammar.text.text = "start: \"a\" // 1 MB\n".repeat(60_000).into();
    let clock = Instant::now();
    store.save(&large).unwrap();
    let session = clock.elapsed();
    large.runs = vec![RunToWrite {
        number: 1,
        trace: Arc::new(trace(2_000)),
        vocabulary: Some(Arc::new(vocabulary())),
    }];
    let clock = Instant::now();
    store.save(&large).unwrap();
    let run = clock.elapsed();
    let size = std::fs::metadata(folder.path().join("maze/sessions/default/runs/1.json.gz")).unwrap().len();
    let clock = Instant::now();
    store.run(1).unwrap();
    let read = clock.elapsed();
    drop(store);
    let clock = Instant::now();
    drop(open(folder.path(), None));
    let opened = clock.elapsed();
    eprintln!(
        "1 MB grammar: saved in {session:?}, opened in {opened:?}; 2,000 tokens: written in {run:?} \
         ({size} bytes), read in {read:?}"
    );
    assert!(session < Duration::from_secs(2) && opened < Duration::from_secs(2), "{session:?}, {opened:?}");
    assert!(run < Duration::from_secs(20) && read < Duration::from_secs(20), "{run:?}, {read:?}");
}
