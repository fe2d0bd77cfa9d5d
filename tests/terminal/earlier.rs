//! Runs of an earlier start of the program: going on with them, and those that were cut off when it was
//! killed.

use maze::app::state::{ModelState, RunStatus};
use maze::engine::ModelInfo;

use super::kept::{SECOND, start};
use super::overlays::run;
use super::playground::Playground;

/// As one that this start of the program has made: its grammar is compiled again from its text, whatever
/// stands in the editor now.
#[test]
fn a_run_of_an_earlier_start_is_gone_back_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    run(&mut p, 12);
    let tokens = |p: &Playground| p.state.run.steps().iter().map(|s| s.token).collect::<Vec<_>>();
    let whole = tokens(&p);
    p.press("Alt-1");
    p.type_text("broken ");
    p.wait(SECOND);
    drop(p);

    let mut p = start(folder.path());
    p.press("Alt-3");
    p.press("Home");
    (0..4).for_each(|_| p.press("→"));
    p.press("r");
    assert_eq!((p.state.run.status, p.state.run.number), (RunStatus::Paused, 2), "{}", p.screen());
    assert_eq!(tokens(&p), whole[..4]);
    p.press("F5");
    p.advance(12);
    assert_eq!(tokens(&p)[..whole.len()], whole[..], "it goes on as it did before");
    while p.state.run.status.is_live() {
        p.press("Esc");
    }
    // The first is as it was, and another token can be put in it.
    assert!(p.state.show_run(1));
    assert_eq!(tokens(&p), whole);
    let choice = |i: &usize| p.state.run.steps()[*i].insight.as_ref().unwrap().allowed.count() > 9;
    let at = (2..whole.len()).find(choice).expect("a place with a choice");
    p.press("Alt-3");
    p.press("Home");
    (0..at).for_each(|_| p.press("→"));
    p.press("Alt-4");
    p.press("↓");
    let put = p.state.inspector.token(&p.state.run).unwrap();
    p.press("f");
    assert_eq!((p.state.run.number, tokens(&p)), (3, [&whole[..at], &[put]].concat()), "{}", p.screen());
}

#[test]
fn a_run_of_another_model_says_why_it_cannot_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    run(&mut p, 6);
    p.wait(SECOND);
    drop(p);
    type Change = fn(&mut ModelInfo);
    let changes: [(Change, &str); 3] = [
        (|info| info.name = "other".into(), "wrote this run, other is in use; F4 picks another model."),
        (|info| info.vocab += 1, "has other tokens now."),
        (|info| info.fingerprint = "0".into(), "has other weights or tokens now."),
    ];
    for (change, reason) in changes {
        let mut p = Playground::new(80, 24);
        let ModelState::Ready(info, _) = &mut p.state.model else { panic!("no model") };
        change(info);
        p.keep(folder.path());
        p.press("Alt-3");
        p.press("r");
        let said = p.state.toasts.shown().last().unwrap().text.clone();
        assert!(said.ends_with(reason), "{said}");
        assert_eq!(p.state.run.number, 1);
    }
    let mut p = start(folder.path());
    p.state.model = ModelState::Absent;
    p.state.run.vocabulary = None;
    p.press("Alt-3");
    p.press("r");
    let said = p.state.toasts.shown().last().unwrap().text.clone();
    assert!(said.ends_with("is not loaded."), "{said}");
}

/// A program that is killed has no end: what was written while the run was under way is all there is.
#[test]
fn a_run_that_was_cut_off_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = |p: &Playground| p.state.run.steps().iter().map(|s| s.token).collect::<Vec<_>>();
    let mut p = start(folder.path());
    run(&mut p, 3);
    p.press("F5");
    p.advance(9);
    p.wait(SECOND);
    p.advance(4);
    p.wait(SECOND);
    // Back, and on: the file follows.
    p.press("F5");
    p.press("Alt-3");
    p.press("Home");
    (0..5).for_each(|_| p.press("→"));
    p.press("r");
    p.wait(SECOND);
    p.press("F5");
    p.advance(2);
    p.wait(SECOND);
    let kept = tokens(&p);
    assert!(kept.len() > 5 && p.state.run.status.is_live());
    p.advance(1);
    drop(p);

    let mut p = start(folder.path());
    assert_eq!((p.state.run.number, tokens(&p)), (2, kept.clone()), "up to a second before the kill");
    let screen = p.screen();
    assert!(screen.contains("Run 2 was cut off when the program ended"), "{screen}");
    p.press("Esc");
    assert!(p.screen().contains("stopped: the program ended"), "{}", p.screen());
    p.press("F9");
    assert!(p.screen().contains(&format!("{} tokens, cut off", kept.len())), "{}", p.screen());
    p.press("Esc");
    // It has become a run like any other, and is said of once.
    p.wait(SECOND);
    let names = |name: &str| folder.path().join("sessions/default/runs").join(name).exists();
    assert_eq!(["2.json.gz", "2.part.gz"].map(names), [true, false]);
    drop(p);
    let mut p = start(folder.path());
    assert!(!p.screen().contains("was cut off"));
    p.press("Alt-3");
    p.press("Home");
    (0..4).for_each(|_| p.press("→"));
    p.press("r");
    assert_eq!((p.state.run.number, tokens(&p)), (3, kept[..4].to_vec()));
}

/// Nothing is written while nothing comes, and no more than what is new.
#[test]
fn only_what_is_new_of_a_run_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.press("F5");
    p.advance(4);
    p.wait(SECOND);
    let part = folder.path().join("sessions/default/runs/1.part.gz");
    let size = || std::fs::metadata(&part).unwrap().len();
    let first = size();
    p.wait(SECOND * 9);
    assert_eq!(size(), first);
    p.advance(1);
    p.wait(SECOND);
    assert!(size() > first && size() - first < first, "{first} bytes, then {}", size());
    while p.state.run.status.is_live() {
        p.press("Esc");
    }
    p.wait(SECOND);
    assert!(!part.exists());
}

#[test]
fn a_run_that_cannot_be_written_says_so_once_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.wait(SECOND);
    // A folder stands where the file would be.
    std::fs::create_dir_all(folder.path().join("sessions/default/runs/1.part.gz")).unwrap();
    p.press("F5");
    p.advance(4);
    p.wait(SECOND);
    assert!(p.screen().contains("The run under way is not saved"), "{}", p.screen());
    p.press("Esc");
    p.advance(2);
    p.wait(SECOND);
    assert!(!p.screen().contains("is not saved") && p.state.run.status.is_live());
}
