//! Whole frames after keys, as snapshots; and what a snapshot of the text cannot show.

use super::playground::Playground;
use maze::app::event::ModelEvent;
use maze::app::keymap;
use maze::app::state::Pane;
use maze::engine::trace::StepKind;
use maze::hub::Status;
use maze::ui::theme::{Role, Theme, ThemeName};
use ratatui::style::Modifier;

/// The name of a frame, and how a person gets there.
pub type Frame = (&'static str, fn(&mut Playground));

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (160, 45)];

pub fn snapshot(name: &str, prepare: impl Fn(&mut Playground)) {
    for (width, height) in SIZES {
        let mut p = Playground::new(width, height);
        prepare(&mut p);
        check(&format!("{name}_{width}x{height}"), &p.screen());
    }
}

/// Compares a text with what was accepted under this name.
pub fn check(name: &str, text: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name.to_owned(), text);
    });
}

#[test]
fn start() {
    snapshot("start", |_| {});
}

#[test]
fn running() {
    snapshot("running", |p| {
        p.press("F5");
        p.advance(30);
    });
}

#[test]
fn a_step_selected() {
    snapshot("selected", |p| {
        p.press("F5");
        p.advance(30);
        p.press("F5");
        p.press("Alt-3");
        p.press("Home");
        p.press("→");
        p.press("→");
    });
}

#[test]
fn tokens_searched() {
    snapshot("search", |p| {
        p.press("F10");
        p.press("Alt-4");
        p.press("t");
        p.press("t");
        p.press("/");
        p.type_text("se");
    });
}

#[test]
fn a_broken_grammar() {
    snapshot("broken", |p| {
        p.press("Ctrl-End");
        p.type_text("NAME: /[a-z/");
        p.press("F5");
    });
}

#[test]
fn a_download() {
    snapshot("download", |p| {
        p.press("F4");
        p.type_text("Qwen/Qwen3-0.6B");
        p.press("Enter");
        let status = Status {
            file: "model.safetensors".into(),
            done: 180_000_000,
            total: 1_503_300_328,
            speed: Some(23_100_000),
            note: None,
        };
        p.load(ModelEvent::Loading(format!("downloading {status}"), None));
    });
}

#[test]
fn toasts() {
    snapshot("toasts", |p| {
        p.press("Alt-M");
        p.load(ModelEvent::Failed("model.gguf is not a GGUF file: it begins with \"<!DOCTYPE\"".into()));
    });
}

#[test]
fn the_tour() {
    snapshot("tour", |p| p.press("Alt-?"));
}

#[test]
fn finished_with_one_pane() {
    snapshot("finished", |p| {
        p.press("F5");
        p.advance(12);
        p.press("Esc");
        p.press("Alt-3");
        p.press("z");
    });
}

#[test]
fn the_smallest_screen() {
    let mut p = Playground::new(40, 10);
    p.press("F5");
    p.advance(12);
    let first = p.screen();
    p.press("Alt-3");
    let both = format!("{first}\n{}", p.screen());
    check("smallest_40x10", &both);
}

/// The figures of a run are not taken for those of the model that came after it.
#[test]
fn a_finished_run_names_its_model_once_another_is_in_use() {
    let mut p = Playground::new(160, 45);
    p.press("F5");
    p.advance(500);
    let screen = p.screen();
    assert!(screen.contains("■ ended by the model  40 tokens"), "{screen}");
    let before = p.state.run.trace.as_ref().expect("a run").model.name.clone();
    p.switch("other");
    let screen = p.screen();
    assert!(screen.contains(&format!("■ ended by the model with {before}  40 tokens")), "{screen}");
}

/// Forced tokens are underlined and no others, and the selected token has its colours.
#[test]
fn forced_and_selected_tokens_are_marked() {
    let mut p = Playground::new(160, 45);
    p.press("F5");
    p.advance(12);
    p.press("Alt-3");
    p.press("Home");
    let theme = Theme::shipped(ThemeName::Dark);
    let area = maze::ui::output::area(&p.state).unwrap();
    let steps = p.state.run.steps().to_vec();
    assert!(steps.iter().any(|s| s.kind == StepKind::Forced), "the grammar forces its punctuation");
    let line_width = usize::from(area.width);
    let mut column = 0;
    let buffer = p.draw().clone();
    for (i, step) in steps.iter().enumerate() {
        let text = String::from_utf8(step.bytes.to_vec()).unwrap();
        for c in text.chars() {
            if c == '\n' || column >= line_width {
                return;
            }
            let cell = &buffer[(area.x + column as u16, area.y)];
            assert_eq!(cell.symbol(), c.to_string());
            if i == 0 {
                assert_eq!(Some(cell.bg), theme.style(Role::Selected).bg);
            } else {
                let is_underlined = cell.modifier.contains(Modifier::UNDERLINED);
                assert_eq!(is_underlined, step.kind == StepKind::Forced, "token {i} {text:?}");
            }
            column += 1;
        }
    }
}

/// The tokens with text that belongs to the name at the caret have the colours of what is found; a line under
/// them still says that they were forced.
#[test]
fn the_text_of_a_name_is_marked() {
    let mut p = Playground::new(160, 45);
    p.press("F5");
    p.advance(12);
    p.press("Esc");
    let found = Theme::shipped(ThemeName::Dark).style(Role::Match).bg;
    let marked = |p: &mut Playground| -> String {
        let area = maze::ui::output::area(&p.state).unwrap();
        let buffer = p.draw();
        let row = (area.x..area.right()).map(|x| &buffer[(x, area.y)]);
        row.filter(|cell| Some(cell.bg) == found).map(|cell| cell.symbol()).collect()
    };
    p.press("Alt-1");
    p.press("Ctrl-Home");
    assert_eq!(marked(&mut p), "", "there is no name at the caret");
    for (line, text) in [(2, "def count(words):"), (4, " count(words):")] {
        p.press("Ctrl-Home");
        (0..line).for_each(|_| p.press("↓"));
        assert_eq!(marked(&mut p).trim_end(), text, "line {line}");
    }
}

/// The terminal's own cursor stands where typing goes, so that input methods find it.
#[test]
fn the_cursor_is_where_typing_goes() {
    let mut p = Playground::new(120, 40);
    p.press("Ctrl-End");
    p.type_text("x: \"日本\"");
    let (x, y) = p.cursor();
    let parts = maze::ui::editor::parts(&p.state, Pane::Grammar).unwrap();
    let row = p.state.grammar.buffer.text().lines().count() as u16 - 1;
    assert_eq!((x, y), (parts.text.x + 9, parts.text.y + row));
}

/// The error's characters are underlined in its colour, and its line has a mark.
#[test]
fn errors_are_shown_where_they_are() {
    let mut p = Playground::new(120, 40);
    p.press("↓");
    p.press("End");
    p.type_text(" nowhere");
    let finding = p.state.grammar.finding().cloned().expect("an undefined name is an error");
    let parts = maze::ui::editor::parts(&p.state, Pane::Grammar).unwrap();
    let y = parts.text.y + finding.start.line as u16 - 1;
    let red = Theme::shipped(ThemeName::Dark).style(Role::Error).fg.unwrap();
    let buffer = p.draw().clone();
    let underlined: String = (parts.text.x..parts.text.right())
        .map(|x| &buffer[(x, y)])
        .filter(|c| c.underline_color == red && c.modifier.contains(Modifier::UNDERLINED))
        .map(|c| c.symbol().to_owned())
        .collect();
    assert_eq!(underlined, &p.state.grammar.buffer.text()[finding.span.clone()]);
    assert_eq!(buffer[(parts.gutter.x, y)].symbol(), "●");
}

/// Every key of the table does something somewhere: the state or the effects change.
#[test]
fn every_key_does_something() {
    for (context, key, action) in keymap::BINDINGS {
        let changes = [Pane::Grammar, Pane::Prompt, Pane::Output, Pane::Inspector].iter().any(|&pane| {
            let mut p = Playground::new(80, 24);
            p.press("F5");
            p.advance(30);
            p.press("F5");
            p.state.focus = Pane::Grammar;
            for key in ["↓", "↓", "↓", "Alt-."] {
                p.press(key);
            }
            p.type_text("x y ");
            p.press("Ctrl-U");
            p.press("→");
            p.press("Shift-→");
            p.state.focus = pane;
            p.state.run.selected = Some(9);
            p.state.inspector.part = maze::app::inspector::Part::Rejected;
            p.state.inspector.list.row = 5;
            p.effects.clear();
            let before = (format!("{:?}", p.state), p.effects.len());
            p.press(&key.to_string());
            before != (format!("{:?}", p.state), p.effects.len())
        });
        assert!(changes, "{key} ({}) in {context:?} does nothing anywhere", action.name());
    }
}

#[test]
fn what_is_selected_is_marked() {
    let theme = Theme::shipped(ThemeName::Dark);
    for pane in [Pane::Grammar, Pane::Prompt] {
        let mut p = Playground::new(160, 45);
        p.state.focus = pane;
        p.press("→");
        p.press("Shift-→");
        p.press("Shift-→");
        let text = maze::ui::editor::parts(&p.state, pane).unwrap().text;
        let buffer = p.draw();
        let is_marked = |column| Some(buffer[(text.x + column, text.y)].bg) == theme.style(Role::Selected).bg;
        assert_eq!([0, 1, 2, 3].map(is_marked), [false, true, true, false], "{pane:?}");
    }
}
