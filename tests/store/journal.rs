//! A run under way on the disk: what comes back of it, wherever the program ended.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use maze::engine::trace::{FinishReason, Trace};
use maze::store::journal::{self, Piece};

use super::runs::{trace, vocabulary};
use super::{open, save};

/// What is new after the first `from` steps of a run.
fn piece(trace: &Trace, from: usize, to: usize) -> Piece {
    let head = Trace { steps: Vec::new(), outcome: None, ..trace.clone() };
    let vocabulary = Some(Arc::new(vocabulary()));
    Piece { number: 7, head: Arc::new(head), from, steps: trace.steps[from..to].to_vec(), vocabulary }
}

fn write(path: &Path, trace: &Trace, pieces: &[(usize, usize)]) {
    for &(from, to) in pieces {
        journal::append(path, &piece(trace, from, to)).unwrap();
    }
}

fn json(trace: &Trace) -> serde_json::Value {
    serde_json::to_value(&trace.steps).unwrap()
}

#[test]
fn a_run_grows_and_is_gone_back_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("7.part.gz");
    let whole = trace(40);
    write(&path, &whole, &[(0, 10), (10, 25), (25, 40)]);
    let stored = journal::read(&path).unwrap();
    assert_eq!(json(&stored.trace), json(&whole));
    assert_eq!(stored.trace.request, whole.request);
    let outcome = stored.trace.outcome.as_ref().unwrap();
    assert_eq!(
        (outcome.reason, outcome.detail.as_deref()),
        (FinishReason::Cancelled, Some("the program ended"))
    );
    let busy: std::time::Duration = whole.steps.iter().map(|step| step.timings.total()).sum();
    assert_eq!(outcome.elapsed, busy);
    let names = stored.vocabulary.unwrap();
    for step in &whole.steps {
        assert_eq!(names.bytes(step.token), vocabulary().bytes(step.token));
    }
    // Back to the fifth step, and on.
    write(&path, &whole, &[(5, 5)]);
    assert_eq!(journal::read(&path).unwrap().trace.steps.len(), 5);
    write(&path, &whole, &[(5, 30)]);
    assert_eq!(
        json(&journal::read(&path).unwrap().trace),
        json(&Trace { steps: whole.steps[..30].to_vec(), ..whole.clone() })
    );
    // Anew.
    write(&path, &whole, &[(0, 3)]);
    assert_eq!(journal::read(&path).unwrap().trace.steps.len(), 3);
}

/// Wherever the file ends, what was written before the last line is there.
#[test]
fn a_line_that_is_not_whole_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("7.part.gz");
    let whole = trace(6);
    let mut ends = Vec::new();
    for (from, to) in [(0, 2), (2, 3), (3, 6)] {
        write(&path, &whole, &[(from, to)]);
        ends.push((std::fs::metadata(&path).unwrap().len(), to));
    }
    let bytes = std::fs::read(&path).unwrap();
    for end in (0..=bytes.len()).step_by(211).chain([bytes.len()]) {
        std::fs::write(&path, &bytes[..end]).unwrap();
        let read = journal::read(&path);
        let least = ends.iter().rev().find(|(size, _)| *size <= end as u64).map_or(0, |(_, steps)| *steps);
        match read {
            Ok(stored) => {
                let count = stored.trace.steps.len();
                assert!(count >= least, "{count} of at least {least} steps at byte {end}");
                assert_eq!(
                    json(&stored.trace),
                    json(&Trace { steps: whole.steps[..count].to_vec(), ..whole.clone() })
                );
            }
            Err(reason) => assert!(least == 0 && reason.contains("7.part.gz"), "{reason}"),
        }
    }
}

#[test]
fn what_is_damaged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("7.part.gz");
    let whole = trace(9);
    write(&path, &whole, &[(0, 3), (5, 9)]);
    assert!(journal::read(&path).unwrap_err().ends_with("step 4 is missing"));
    let error = journal::read(&folder.path().join("none.part.gz")).unwrap_err();
    assert!(error.ends_with("it is gone"), "{error}");
    std::fs::write(&path, b"no such file").unwrap();
    assert!(journal::read(&path).unwrap_err().ends_with("nothing of it was written"));
    // A token outside of the vocabulary.
    std::fs::remove_file(&path).unwrap();
    let mut wrong = whole.clone();
    wrong.model.vocab = 3;
    write(&path, &wrong, &[(0, 3)]);
    assert!(journal::read(&path).unwrap_err().contains("step 1: "));
}

/// The store takes the run under way for the run, until it has a file of its own.
#[test]
fn the_file_goes_when_the_run_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path(), None);
    let whole = trace(8);
    store.append(&piece(&whole, 0, 5)).unwrap();
    let mut next = save("x");
    next.session.runs = vec![maze::store::session::RunNote { number: 7, ..Default::default() }];
    store.save(&next).unwrap();
    drop(store);
    let (mut store, _) = open(folder.path(), None);
    let stored = store.run(7).unwrap();
    assert_eq!((stored.trace.steps.len(), stored.is_cut_off), (5, true));
    store.save_as("copy", &next).unwrap();
    assert_eq!(store.run(7).unwrap().trace.steps.len(), 5, "it goes along");
    next.runs = vec![maze::store::RunToWrite { number: 7, trace: Arc::new(whole), vocabulary: None }];
    store.save(&next).unwrap();
    let stored = store.run(7).unwrap();
    assert_eq!((stored.trace.steps.len(), stored.is_cut_off), (8, false));
    let files = |session: &str| -> Vec<String> {
        let runs = folder.path().join("maze/sessions").join(session).join("runs");
        let mut names: Vec<String> =
            std::fs::read_dir(runs).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(
        (files("copy"), files("default")),
        (vec!["7.json.gz".to_owned()], vec!["7.part.gz".to_owned()])
    );
    // What no list names goes at the next start.
    store.append(&Piece { number: 9, ..piece(&trace(2), 0, 2) }).unwrap();
    drop(store);
    drop(open(folder.path(), Some("copy")));
    assert_eq!(files("copy"), ["7.json.gz"]);
}

/// What a second of 2,000 tokens costs the thread for files. Shown with --nocapture; the limit is many
/// times what an idle machine needs.
#[test]
fn a_second_of_a_fast_run_is_cheap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("7.part.gz");
    let piece = piece(&trace(2_000), 0, 2_000);
    let clock = Instant::now();
    journal::append(&path, &piece).unwrap();
    let written = clock.elapsed();
    let size = std::fs::metadata(&path).unwrap().len();
    let clock = Instant::now();
    journal::read(&path).unwrap();
    eprintln!("2,000 tokens: {written:?} ({size} bytes), read in {:?}", clock.elapsed());
    assert!(written.as_secs() < 10, "{written:?}");
}
