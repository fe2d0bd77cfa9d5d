//! What is there again at the next start, earlier runs and comparing them, and sessions by name. The store
//! is a real one; a start of the program is a new playground over the same folder.

use std::path::Path;
use std::time::Duration;

use maze::app::event::{Effect, ModelEvent};
use maze::app::state::{Overlay, Pane};
use maze::app::store::{Ask, snapshot};
use maze::ui::wrap::Place;

use super::overlays::run;
use super::playground::Playground;

pub const SECOND: Duration = Duration::from_secs(1);

pub fn start(folder: &Path) -> Playground {
    let mut p = Playground::new(80, 24);
    p.keep(folder);
    p
}

/// Ends the program as a signal would.
fn end(mut p: Playground) {
    let save = Box::new(snapshot::last(&mut p.state));
    p.ask(Ask::Save(save));
}

#[test]
fn what_is_typed_is_there_again_without_a_proper_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.press("Alt-2");
    p.type_text("typed é ");
    p.press("Alt-1");
    p.press("Ctrl-End");
    p.type_text("// more");
    p.press("v");
    p.wait(SECOND);
    drop(p);
    let mut p = start(folder.path());
    assert_eq!(p.state.prompt.text(), "typed é # Python: count the words of a text\n");
    assert!(p.state.grammar.buffer.text().ends_with("// morev"));
    assert_eq!((p.state.focus, p.state.prompt.caret()), (Pane::Grammar, Place { line: 0, byte: 9 }));
    p.type_text("!");
    assert!(p.state.grammar.buffer.text().ends_with("// morev!"), "the caret is where it was");
    assert!(p.screen().contains("// morev!"), "and on the screen");
}

#[test]
fn a_change_is_saved_once_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.wait(SECOND);
    let file = folder.path().join("sessions/default/session.json");
    let written = |p: &mut Playground| {
        let _ = std::fs::remove_file(&file);
        p.wait(SECOND);
        file.exists()
    };
    p.type_text("x");
    assert!(written(&mut p));
    p.press("F1");
    p.press("Esc");
    assert!(!written(&mut p), "looking at the help changes nothing");
    p.press("→");
    assert!(written(&mut p), "the caret has moved");
}

#[test]
fn looks_and_settings_are_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.press("Alt-V");
    p.press("Alt-Z");
    p.press("Alt-M");
    p.state.template.sampler.temperature = 0.8;
    p.press("Alt-2");
    p.wait(SECOND);
    let before = (p.state.look, p.state.layout.clone(), p.state.mouse, p.state.focus);
    assert_ne!(before.0, Playground::new(80, 24).state.look);
    drop(p);
    let p = start(folder.path());
    assert_eq!((p.state.look, p.state.layout.clone(), p.state.mouse, p.state.focus), before);
    assert_eq!(p.state.template.sampler.temperature, 0.8);
}

#[test]
fn the_last_run_is_on_the_screen_again_with_its_candidates() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    run(&mut p, 12);
    p.press("Alt-3");
    p.press("Home");
    p.wait(SECOND);
    let before = p.screen();
    let candidates =
        |screen: &str| screen.lines().filter(|l| l.contains('%')).map(str::to_owned).collect::<Vec<_>>();
    assert!(candidates(&before).len() > 3, "{before}");
    drop(p);
    let mut p = start(folder.path());
    // Before any model is loaded the names come from the run itself.
    p.state.model = maze::app::state::ModelState::Absent;
    p.press("Home");
    let after = p.screen();
    assert_eq!(candidates(&after), candidates(&before), "{after}");
    assert!(after.contains("def ") && !after.contains("earlier"), "{after}");
}

#[test]
fn a_run_that_was_under_way_is_kept_as_far_as_it_had_come() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.press("F5");
    p.advance(9);
    let steps = p.state.run.steps().len();
    assert!(p.state.run.status.is_live() && steps >= 9);
    end(p);
    let mut p = start(folder.path());
    assert_eq!(p.state.run.steps().len(), steps);
    assert!(p.screen().contains("stopped: the program ended"), "{}", p.screen());
}

#[test]
fn earlier_runs_are_shown_and_left_again() {
    let folder = tempfile::tempdir().unwrap();
    for restart in [false, true] {
        let mut p = start(folder.path());
        if !restart {
            run(&mut p, 4);
            run(&mut p, 9);
            p.wait(SECOND);
            drop(p);
            p = start(folder.path());
        }
        p.press("F9");
        let screen = p.screen();
        assert!(screen.contains("Runs of this session") && screen.contains("▸•2  # Python"), "{screen}");
        p.press("↓");
        p.press("Enter");
        let screen = p.screen();
        assert!(screen.contains("run 1 of 2, earlier"), "{screen}");
        assert_eq!(p.state.run.number, 1);
        p.press("Esc");
        p.press("Esc");
        assert_eq!(p.state.run.number, 2);
        assert!(!p.screen().contains("earlier"));
    }
}

/// A run from an earlier start is not taken for the newest, and a new one gets a number of its own.
#[test]
fn a_new_run_after_an_earlier_one_is_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    run(&mut p, 3);
    run(&mut p, 5);
    p.press("F9");
    p.press("End");
    p.press("Enter");
    assert_eq!(p.state.run.number, 1);
    run(&mut p, 7);
    let numbers: Vec<u32> = p.state.runs.notes().map(|note| note.number).collect();
    assert_eq!((p.state.run.number, numbers), (3, vec![1, 2, 3]));
    assert!(!p.state.shows_earlier_run());
}

#[test]
fn only_so_many_runs_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    for _ in 0..23 {
        run(&mut p, 1);
        p.wait(SECOND);
    }
    p.wait(SECOND);
    let numbers: Vec<u32> = p.state.runs.notes().map(|note| note.number).collect();
    assert_eq!(numbers, (4..=23).collect::<Vec<u32>>());
    let files = std::fs::read_dir(folder.path().join("sessions/default/runs")).unwrap().count();
    assert_eq!(files, 20);
}

#[test]
fn two_runs_are_compared_where_they_part() {
    for (width, height) in [(40, 10), (80, 24), (160, 45)] {
        let mut p = Playground::new(width, height);
        run(&mut p, 10);
        p.press("Alt-1");
        p.press("Ctrl-End");
        p.type_text("\n// another");
        run(&mut p, 14);
        p.press("Alt-D");
        let Some(Overlay::Compare(shown)) = p.state.overlay else { panic!("{}", p.screen()) };
        let texts = [1, 2].map(|n| p.state.run_of(n).unwrap().trace.as_ref().unwrap().text());
        let steps = [1, 2].map(|n| p.state.run_of(n).unwrap().steps().to_vec());
        let parted = steps[0].iter().zip(&steps[1]).take_while(|(a, b)| a.bytes == b.bytes).count();
        assert_eq!(shown.at, parted.min(steps[1].len() - 1), "{texts:?}");
        let screen = p.screen();
        assert!(screen.contains("Runs 1 and 2"), "{screen}");
        if height >= 24 {
            for text in ["Run 1 ", "Run 2, the newest", "≠ grammar", "tokens/s", "before  after", "token "]
            {
                assert!(screen.contains(text), "{text:?} is not in:\n{screen}");
            }
        }
        p.press("Home");
        p.press("→");
        let Some(Overlay::Compare(shown)) = p.state.overlay else { panic!("{}", p.screen()) };
        assert_eq!(shown.at, 1);
        for key in ["End", "↑", "↓", "PgUp", "PgDn", "Enter", "→", "←"] {
            p.press(key);
            p.draw();
        }
        p.press("Esc");
        assert!(p.state.overlay.is_none() && p.state.run.number == 2);
    }
}

#[test]
fn with_more_than_two_runs_the_other_is_picked() {
    let mut p = Playground::new(80, 24);
    p.press("Alt-D");
    assert!(p.screen().contains("Comparing takes two runs"), "{}", p.screen());
    for decisions in [3, 5, 7] {
        run(&mut p, decisions);
    }
    p.press("Alt-D");
    assert!(p.screen().contains("Compare with which run?"), "{}", p.screen());
    p.press("↓");
    p.press("Enter");
    assert!(p.screen().contains("Runs 1 and 3"), "{}", p.screen());
}

#[test]
fn prompts_are_walked_through_and_picked() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.press("Alt-2");
    for text in ["one ", "two "] {
        p.type_text(text);
        run(&mut p, 1);
    }
    p.wait(SECOND);
    drop(p);
    let mut p = start(folder.path());
    p.type_text("three ");
    let rest = "# Python: count the words of a text\n";
    let mut seen = Vec::new();
    for key in ["Ctrl-↑", "Ctrl-↑", "Ctrl-↑", "Ctrl-↓", "Ctrl-↓"] {
        p.press(key);
        seen.push(p.state.prompt.text().replace(rest, ""));
    }
    assert_eq!(seen, ["one two ", "one ", "one ", "one two ", "one two three "]);
    p.press("F6");
    p.type_text("one");
    p.press("↓");
    p.press("Enter");
    assert_eq!(p.state.prompt.text(), format!("one {rest}"));
    p.press("Ctrl-U");
    assert_eq!(p.state.prompt.text(), format!("one two three {rest}"), "what was there is one undo away");
}

#[test]
fn grammars_that_were_run_are_found_in_the_open_menu() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    run(&mut p, 1);
    p.wait(SECOND);
    drop(p);
    let mut p = start(folder.path());
    let text = p.state.grammar.buffer.text();
    p.state.grammar.buffer.set_text("start: \"x\"");
    p.press("Ctrl-O");
    p.press("End");
    let screen = p.screen();
    assert!(screen.contains("Earlier grammars") && screen.contains("function.lark"), "{screen}");
    p.press("Enter");
    // The text on the screen is not saved.
    p.press("n");
    assert_eq!(p.state.grammar.buffer.text(), text);
}

#[test]
fn sessions_are_made_opened_renamed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.resize(160, 45);
    run(&mut p, 3);
    p.press("F7");
    p.type_text("my work");
    assert!(p.screen().contains("Save as my work"), "{}", p.screen());
    p.press("Enter");
    assert!(p.screen().contains("session my work"), "{}", p.screen());
    assert_eq!(p.state.runs.notes().len(), 1, "runs go along");
    p.press("Alt-2");
    p.type_text("only here ");
    p.wait(SECOND);
    p.press("F7");
    p.type_text("default");
    p.press("Enter");
    assert!(!p.state.prompt.text().contains("only here"));
    assert!(p.screen().contains("session default now"), "{}", p.screen());

    p.press("F7");
    p.type_text("rename");
    p.press("Enter");
    p.press("Backspace");
    p.type_text("T");
    p.press("Enter");
    assert_eq!(p.state.store.session.as_deref(), Some("defaulT"));
    p.press("F7");
    p.type_text("my work");
    p.press("Del");
    assert!(p.screen().contains("Delete my work for good"), "{}", p.screen());
    p.press("Enter");
    assert_eq!(p.state.store.sessions.len(), 2, "the first row keeps it");
    p.type_text("my work");
    p.press("Del");
    p.press("↓");
    p.press("Enter");
    let names: Vec<&str> = p.state.store.sessions.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["defaulT"]);
}

#[test]
fn a_session_is_not_left_while_a_run_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.press("F5");
    p.advance(3);
    p.press("F7");
    p.type_text("other");
    p.press("Enter");
    assert_eq!(p.state.store.session.as_deref(), Some("default"));
    assert!(p.screen().contains("Esc stops it"), "{}", p.screen());
}

/// A model that the last session used and that is gone does not keep the program without one.
#[test]
fn a_model_that_is_gone_is_replaced_by_the_one_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.state.store.model = Some("/no/such/model.gguf".into());
    p.type_text("x");
    p.wait(SECOND);
    drop(p);
    let mut p = start(folder.path());
    assert_eq!(p.state.store.model.as_deref(), Some("/no/such/model.gguf"));
    p.load(ModelEvent::Failed("it is gone".into()));
    let wanted = p.effects.iter().find_map(|effect| match effect {
        Effect::Load(_, wanted) => Some(wanted.to_string()),
        _ => None,
    });
    assert_eq!(wanted.as_deref(), Some("maze-nano"));
}

#[test]
fn nothing_is_asked_for_where_nothing_is_kept() {
    let mut p = Playground::new(80, 24);
    p.type_text("x");
    run(&mut p, 2);
    p.press("F7");
    assert!(p.screen().contains("Nothing is kept"), "{}", p.screen());
    p.wait(SECOND);
    assert!(p.effects.iter().all(|effect| !matches!(effect, Effect::Store(_))), "{:?}", p.effects);
}
