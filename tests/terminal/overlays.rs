//! A frame of everything that can float above the panes, at three sizes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use maze::app::event::{Event, ModelEvent};
use maze::app::export::Told;
use maze::app::files::{FileEvent, WriteError};
use maze::app::state::Overlay;
use maze::engine::export::Format;

use super::frames::{Frame, check, snapshot};
use super::kinds;
use super::playground::Playground;

/// The name of each frame, and how a person gets there.
pub const OVERLAYS: &[Frame] = &[
    ("help", |p| p.press("F1")),
    ("help_searched", |p| {
        p.press("F1");
        p.type_text("select");
    }),
    ("messages", |p| {
        p.press("Alt-M");
        p.load(ModelEvent::Failed("model.gguf is not a GGUF file: it begins with \"<!DOCTYPE\"".into()));
        p.press("Esc");
        p.state.overlay = Some(Overlay::Messages { top: 0 });
    }),
    ("rendered_raw", |p| p.press("Alt-P")),
    ("models", |p| {
        p.press("F4");
        p.list_models();
        p.press("↓");
        p.press("↓");
    }),
    ("palette", |p| p.press("Ctrl-P")),
    ("palette_searched", |p| {
        p.press("Ctrl-P");
        p.type_text("run");
    }),
    ("palette_in_vain", |p| {
        p.press("Ctrl-P");
        p.type_text("zzz");
    }),
    ("examples", |p| p.press("Ctrl-O")),
    ("open_files", |p| {
        p.press("Ctrl-O");
        let found = ["grammars/date.lark", "schemas/user.json", "notes/numbers.gbnf"];
        p.event(Event::Files(FileEvent::Listed(found.map(str::to_owned).into())));
        p.type_text("s");
    }),
    ("new", |p| p.press("Alt-N")),
    ("themes", |p| {
        p.press("Ctrl-T");
        p.press("↓");
    }),
    ("export", |p| {
        run(p, 12);
        p.press("Alt-X");
    }),
    ("export_name", |p| {
        run(p, 12);
        p.press("Alt-X");
        p.press("Enter");
    }),
    ("export_exists", |p| {
        run(p, 12);
        let path = PathBuf::from("runs/maze-run-function-1.html");
        p.event(Event::Exported(Told::Exists(Format::Html, path)));
    }),
    ("uses", |p| {
        p.press("Ctrl-G");
        p.type_text("5");
        p.press("Enter");
        p.press("Alt-U");
    }),
    ("cases", |p| {
        with_cases(p);
        p.press("Alt-;");
    }),
    ("cases_none", |p| p.press("Alt-;")),
    ("case", |p| {
        with_cases(p);
        p.press("Alt-;");
        p.press("Enter");
    }),
    ("prompts", |p| {
        two_runs(p);
        p.press("F6");
    }),
    ("prompts_none", |p| p.press("F6")),
    ("runs", |p| {
        two_runs(p);
        p.press("F9");
    }),
    ("compare", |p| {
        two_runs(p);
        p.press("Alt-D");
    }),
    ("compare_with", |p| {
        two_runs(p);
        run(p, 5);
        p.press("Alt-D");
    }),
    ("sessions", sessions),
    ("session_name", |p| {
        sessions(p);
        p.type_text("rename");
        p.press("Enter");
    }),
    ("session_name_wrong", |p| {
        sessions(p);
        p.type_text("rename");
        p.press("Enter");
        p.press("Alt-A");
        p.press("Backspace");
        p.press("Enter");
    }),
    ("session_deleted", |p| {
        sessions(p);
        p.type_text("default");
        p.press("Del");
    }),
    ("save_as", |p| p.press("Alt-W")),
    ("save_as_wrong", |p| {
        p.press("Alt-W");
        p.type_text(".txt");
        p.press("Enter");
    }),
    ("save_exists", |p| {
        let path = PathBuf::from("grammars/of/a/project/whose/folders/have/long/names/function.lark");
        p.event(Event::Files(FileEvent::Written(path, Err(WriteError::Exists))));
    }),
    ("save_changed", |p| {
        p.event(Event::Files(FileEvent::Written("function.lark".into(), Err(WriteError::Changed))));
    }),
    ("save_first", |p| {
        p.type_text("// changed\n");
        p.press("Ctrl-O");
        p.press("Enter");
    }),
    ("go_to_line", |p| {
        p.press("Ctrl-G");
        p.type_text("x");
        p.press("Enter");
    }),
    ("vim_command", |p| {
        p.state.use_vim(true);
        p.type_text(":wrong");
        p.press("Enter");
    }),
    ("settings", |p| p.press("F2")),
    ("settings_typed", |p| {
        p.press("F2");
        for _ in 0..5 {
            p.press("↓");
        }
        p.type_text("7");
        p.press("Enter");
    }),
];

/// Cases in comments, of which one fails.
fn with_cases(p: &mut Playground) {
    p.press("Ctrl-End");
    p.event(Event::Paste(
        "// accept: two lines\n// | def count(words):\n// |     return 1\n// |     pass\n// |\n\
         // reject @1:5 \"def 1\"\n// accept: a cut one\n// | def count(words):\n// |\treturn\n"
            .into(),
    ));
}

/// Runs to the end, or so many decisions and stops.
pub fn run(p: &mut Playground, decisions: usize) {
    p.press("F5");
    p.advance(decisions);
    // The first may close a toast.
    while p.state.run.status.is_live() {
        p.press("Esc");
    }
}

pub fn two_runs(p: &mut Playground) {
    run(p, 10);
    p.press("Alt-2");
    p.type_text("Another. ");
    p.state.template.sampler.seed = 7;
    p.state.template.sampler.temperature = 1.0;
    run(p, 14);
}

fn sessions(p: &mut Playground) {
    let folder = tempfile::tempdir().unwrap();
    p.keep(folder.path());
    two_runs(p);
    p.wait(Duration::from_secs(1));
    p.press("F7");
    p.type_text("json");
    p.press("Enter");
    p.press("F7");
}

#[test]
fn every_overlay_looks_as_it_did() {
    for (name, prepare) in OVERLAYS {
        snapshot(name, prepare);
    }
}

/// Every kind of overlay has a frame above.
#[test]
fn every_overlay_has_a_frame() {
    let shown = |(_, prepare): &Frame| {
        let mut p = Playground::new(80, 24);
        prepare(&mut p);
        p.state.overlay.as_ref().map(kinds::of)
    };
    let shown: BTreeSet<String> = OVERLAYS.iter().filter_map(shown).collect();
    let missing: Vec<_> = kinds::all().difference(&shown).cloned().collect();
    assert!(missing.is_empty(), "no frame shows {missing:?}");
}

/// On the smallest screen no overlay is cut so that its keys or its line to type into are gone.
#[test]
fn every_overlay_fits_the_smallest_screen() {
    let mut all = String::new();
    for (name, prepare) in OVERLAYS {
        let mut p = Playground::new(40, 10);
        prepare(&mut p);
        all += &format!("{name}\n{}\n", p.screen());
    }
    check("overlays_40x10", &all);
}
