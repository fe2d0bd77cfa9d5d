//! A frame of every state that the panes can be in, at three sizes.

use maze::app::event::{Event, ModelEvent, RunEvent, Wanted};
use maze::app::state::{Loading, ModelState};

use super::frames::{Frame, check, snapshot};
use super::overlays::{run, two_runs};
use super::playground::Playground;

/// The name of each frame, and how a person gets there.
pub const STATES: &[Frame] = &[
    ("loading", |p| {
        p.state.model = ModelState::Absent;
        p.state.loading = Some(Loading::new(Wanted::Named("Qwen/Qwen3-0.6B".into())));
        p.load(ModelEvent::Loading("reading model.safetensors".into(), Some(0.4)));
    }),
    ("waiting", |p| {
        p.state.model = ModelState::Absent;
        p.press("F5");
    }),
    ("no_model", |p| {
        p.state.model = ModelState::Absent;
        p.load(ModelEvent::Failed("model.gguf is not a GGUF file: it begins with \"<!DOCTYPE\"".into()));
        p.press("Esc");
        p.press("F5");
    }),
    ("stepped", |p| p.press("F10")),
    ("paused", |p| {
        p.press("F5");
        p.advance(12);
        p.press("F5");
    }),
    ("ended", |p| {
        p.press("F5");
        p.advance(500);
    }),
    ("failed", |p| {
        p.press("F5");
        p.advance(12);
        let id = p.state.run.id;
        p.event(Event::Run(id, RunEvent::Failed("the device is out of memory".into())));
    }),
    ("earlier", |p| {
        two_runs(p);
        p.press("F9");
        p.press("End");
        p.press("Enter");
    }),
    ("other_grammar", |p| {
        run(p, 12);
        p.press("Alt-1");
        p.type_text("// changed\n");
    }),
    ("rewound", |p| {
        p.press("F5");
        p.advance(12);
        p.press("F5");
        for key in ["Alt-3", "Home", "→", "→", "Alt-4", "↓", "f"] {
            p.press(key);
        }
    }),
    ("warned", |p| {
        p.press("Ctrl-End");
        p.type_text("unused: \"x\"\n");
    }),
    ("find", |p| {
        p.press("Ctrl-F");
        p.type_text("line");
    }),
    ("find_wrong", |p| {
        p.press("Ctrl-F");
        p.press("Ctrl-F");
        p.type_text("(a");
    }),
    ("replace", |p| {
        p.press("Alt-2");
        p.press("Alt-R");
        p.type_text("lines");
    }),
    ("vim_normal", |p| {
        p.state.use_vim(true);
        p.type_text("2d");
    }),
    ("vim_insert", |p| {
        p.state.use_vim(true);
        p.type_text("inew ");
    }),
    ("vim_lines", |p| {
        p.state.use_vim(true);
        p.type_text("jVj");
    }),
    ("zoomed", |p| p.press("Alt-Z")),
    ("zoomed_inspector", |p| {
        run(p, 12);
        p.press("Alt-4");
        p.press("z");
    }),
    ("hidden", |p| {
        run(p, 12);
        p.press("Alt-2");
        p.press("Alt-H");
        p.press("Alt-4");
        p.press("Alt-H");
    }),
    ("resized", |p| {
        run(p, 12);
        for key in ["Alt-3", "Alt-=", "Alt-=", "Alt-=", "Alt-="] {
            p.press(key);
        }
    }),
    ("tokens", |p| {
        run(p, 30);
        p.press("Alt-3");
        p.press("v");
    }),
    ("mass", |p| {
        run(p, 30);
        p.press("Alt-3");
        p.press("v");
        p.press("v");
    }),
    ("graphs", |p| {
        run(p, 30);
        p.press("Alt-3");
        p.press("Home");
        p.press("g");
    }),
    ("graphs_whole", |p| {
        run(p, 30);
        p.press("Alt-3");
        p.press("g");
        p.press("g");
    }),
    ("allowed", |p| {
        run(p, 12);
        p.press("Alt-4");
        p.press("t");
        p.press("↓");
    }),
    ("rejected", |p| {
        run(p, 12);
        p.press("Alt-4");
        p.press("t");
        p.press("t");
    }),
    ("long_text", |p| {
        let line = |i: usize| {
            format!(
                "rule_{i}: \"a terminal of number {i}\" | /[a-z]+/ \",\" rule_{i} \"so long that it wraps around\"\n"
            )
        };
        p.press("Ctrl-End");
        p.event(Event::Paste((0..60).map(line).collect()));
        p.type_text("x");
    }),
    ("mouse_off", |p| p.press("Alt-M")),
];

#[test]
fn every_state_looks_as_it_did() {
    for (name, prepare) in STATES {
        snapshot(name, prepare);
    }
}

#[test]
fn in_ascii() {
    let mut p = Playground::new(80, 24);
    p.in_ascii();
    run(&mut p, 30);
    p.press("Alt-3");
    p.press("v");
    let panes = p.screen();
    p.press("Ctrl-P");
    let text = format!("{panes}\n{}", p.screen());
    assert!(text.is_ascii(), "{text}");
    check("ascii_80x24", &text);
}

#[test]
fn too_small() {
    let mut all = String::new();
    for (width, height) in [(39, 12), (30, 9), (10, 3), (3, 1)] {
        let mut p = Playground::new(width, height);
        all += &format!("{width}x{height}\n{}\n", p.screen());
    }
    check("too_small", &all);
}
