//! The looks of the output and the graphs under it: what the cells say.

use std::sync::Arc;

use super::playground::Playground;
use super::steps;
use crossterm::event::{MouseButton, MouseEventKind};
use maze::app::event::{Effect, Event};
use maze::app::export::{Job, Told};
use maze::app::look::{Graphs, Look};
use maze::engine::export::Format;
use maze::engine::heat;
use maze::engine::trace::{Step, StepKind};
use maze::ui::depth::{self, ColorDepth};
use maze::ui::theme::{Role, Theme, ThemeName};
use maze::ui::{graphs, heat as colours, output};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

/// Words, one with a tab and one with the end of a line in it.
const WORDS: [&str; 8] = ["let ", "x", " =", "\t", "12", ";\n", "y", " = 3"];

/// A step whose removed mass, time and lost first choice depend on its place.
fn step(i: usize) -> Arc<Step> {
    let step = steps::step(i, WORDS[i % WORDS.len()].as_bytes(), 8192);
    let mut insight = step.insight.clone().expect("steps have details");
    insight.mass_removed = (i % 10) as f32 / 10.0;
    Arc::new(Step { insight: Some(insight), ..Step::clone(&step) })
}

/// A playground whose run has so many steps, held and with the output focused.
fn playground(width: u16, height: u16, count: usize) -> Playground {
    let mut p = Playground::new(width, height);
    p.press("F5");
    p.steps((0..count).map(step).collect());
    p.press("F5");
    p.press("Alt-3");
    p
}

/// The cells of the first token of the text, in its first row.
fn cells_of(p: &mut Playground, token: usize) -> Vec<Cell> {
    let area = output::area(&p.state).expect("the output is shown");
    let before: String = WORDS[..token].concat();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let row = before.matches('\n').count() as u16;
    // The tab in the first line reaches the next stop of four.
    let columns = |text: &str| text.chars().fold(0, |x, c| if c == '\t' { x / 4 * 4 + 4 } else { x + 1 });
    let start = columns(&before[line_start..]);
    let end = columns((before[line_start..].to_owned() + WORDS[token].trim_end_matches('\n')).as_str());
    let buffer = p.draw();
    (start..end).map(|x| buffer[(area.x + x, area.y + row)].clone()).collect()
}

fn theme() -> Theme {
    Theme::shipped(ThemeName::Dark)
}

#[test]
fn tokens_are_told_apart_and_what_is_invisible_is_marked() {
    let mut p = playground(160, 45, 8);
    p.press("v");
    assert_eq!(p.state.look, Look::Tokens);
    let boundary = theme().style(Role::Boundary).bg.unwrap();
    for token in 0..8 {
        let is_odd = token % 2 == 1;
        for cell in cells_of(&mut p, token) {
            assert_eq!(cell.bg == boundary, is_odd, "{token}: {cell:?}");
        }
    }
    let symbols = |p: &mut Playground, token| -> String {
        cells_of(p, token).iter().map(|c| c.symbol().to_owned()).collect()
    };
    assert_eq!(symbols(&mut p, 0), "let·");
    assert_eq!(symbols(&mut p, 3).trim_end(), "⇥");
    let area = output::area(&p.state).unwrap();
    let end = area.x + "let x =\t12;".replace('\t', " ").len() as u16;
    assert_eq!(p.draw()[(end, area.y)].symbol(), "⏎");
    assert!(p.screen().contains("⏎ line "), "the legend says what the marks mean");
    p.press("v");
    assert_eq!(symbols(&mut p, 0), "let ");
}

#[test]
fn forced_tokens_are_underlined_in_every_look() {
    let mut p = playground(160, 45, 8);
    for look in [Look::Text, Look::Tokens, Look::Mass] {
        assert_eq!(p.state.look, look);
        for token in 0..8 {
            let is_forced = step(token).kind == StepKind::Forced;
            for cell in cells_of(&mut p, token) {
                assert_eq!(cell.modifier.contains(Modifier::UNDERLINED), is_forced, "{look:?} {token}");
            }
        }
        p.press("v");
    }
    p.press("Home");
    assert!(cells_of(&mut p, 0).iter().all(|c| c.modifier.contains(Modifier::UNDERLINED)), "selected too");
}

#[test]
fn tints_are_those_of_the_removed_mass() {
    let mut p = playground(160, 45, 8);
    p.state.look = Look::Mass;
    let scale = colours::scale(&theme());
    for token in 0..8 {
        let wanted = scale[heat::level(token as f32 / 10.0)];
        for cell in cells_of(&mut p, token) {
            assert_eq!((Some(cell.bg), Some(cell.fg)), (wanted.bg, wanted.fg), "{token}");
        }
    }
    p.press("Home");
    let selected = theme().style(Role::Selected).bg;
    assert!(cells_of(&mut p, 0).iter().all(|c| Some(c.bg) == selected), "the selected token is still seen");
    assert!(p.screen().contains("removed %  0  1  5 20 50 80 95"), "{}", p.screen());
}

/// Where there are no colours, letters are faint, plain or bold in their place.
#[test]
fn looks_are_seen_without_colours() {
    let fitted = |p: &mut Playground, depth| -> Buffer {
        let mut buffer = p.draw().clone();
        depth::fit(&mut buffer, depth, &theme());
        buffer
    };
    for depth in [ColorDepth::Mono, ColorDepth::Ansi16] {
        let mut p = playground(160, 45, 8);
        let area = output::area(&p.state).unwrap();
        p.state.look = Look::Tokens;
        let tokens = fitted(&mut p, depth);
        let is_bold = |x: u16| tokens[(area.x + x, area.y)].modifier.contains(Modifier::BOLD);
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(is_bold), [false, false, false, false, true, false, false]);
        p.state.look = Look::Mass;
        let masses = fitted(&mut p, depth);
        let shown = |row: u16, x: u16| masses[(area.x + x, area.y + row)].modifier - Modifier::UNDERLINED;
        assert_eq!(shown(0, 0), Modifier::DIM, "nothing");
        assert_eq!(shown(0, 4), Modifier::empty(), "a tenth");
        assert_eq!(shown(1, 0), Modifier::BOLD, "six tenths");
    }
}

#[test]
fn the_levels_stay_apart_in_256_colours() {
    for name in ThemeName::ALL {
        let theme = Theme::shipped(name.clone());
        let mut seen = Vec::new();
        for style in colours::scale(&theme) {
            let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 1, 1));
            buffer.set_string(0, 0, "x", style);
            depth::fit(&mut buffer, ColorDepth::Ansi256, &theme);
            seen.push(buffer[(0, 0)].bg);
        }
        seen.dedup();
        assert!(seen.len() >= 5, "{name}: {seen:?}");
    }
}

#[test]
fn graphs_have_room_or_are_asked_for() {
    assert!(graphs::plot(&playground(160, 45, 8).state).is_some());
    let mut p = playground(80, 24, 8);
    assert!(graphs::plot(&p.state).is_none());
    p.press("g");
    let plot = graphs::plot(&p.state).expect("asked for");
    assert_eq!(plot.metrics.len(), 3);
    assert!(output::size(&p.state).unwrap().1 >= 4, "the text keeps most of the pane");
    for name in ["removed 70.0%", "entropy 1.25", "time    400 µs"] {
        assert!(p.screen().contains(name), "{name}\n{}", p.screen());
    }
    p.press("g");
    assert_eq!(p.state.graphs, Graphs::Whole);
    p.press("g");
    assert!(graphs::plot(&p.state).is_none());
    // Too small for any: it says so.
    let mut p = playground(40, 10, 8);
    p.press("g");
    assert!(graphs::plot(&p.state).is_none());
    let said = p.state.toasts.shown().last().map(|toast| toast.text.clone());
    assert!(said.is_some_and(|text| text.contains("no room")), "{}", p.screen());
}

#[test]
fn a_column_is_clicked_and_its_step_is_marked_in_all_graphs() {
    let mut p = playground(160, 45, 100);
    let plot = graphs::plot(&p.state).unwrap();
    let width = usize::from(plot.columns.width);
    let column = plot.columns.x + 5;
    p.click(column, plot.columns.y + 3);
    assert_eq!(p.state.run.selected, Some(100 - width + 5), "the newest steps are shown");
    let selected = theme().style(Role::Selected).bg;
    let buffer = p.draw();
    for y in plot.columns.y..plot.columns.bottom() {
        let marked: Vec<u16> =
            (plot.columns.x..plot.columns.right()).filter(|&x| Some(buffer[(x, y)].bg) == selected).collect();
        assert_eq!(marked, [column], "row {y}");
    }
    // The columns stay where they are under the mouse, and follow the selection past their ends.
    p.mouse(MouseEventKind::Drag(MouseButton::Left), column + 2, plot.columns.y);
    assert_eq!(p.state.run.selected, Some(100 - width + 7));
    p.press("Home");
    assert_eq!(graphs::step_at(&p.state, plot.columns.x, plot.columns.y), Some(0));
    p.press("End");
    assert_eq!(graphs::step_at(&p.state, plot.columns.right() - 1, plot.columns.y), Some(99));
}

/// In a column of several steps, the click leads to the one whose figure is shown.
#[test]
fn the_whole_run_leads_to_its_highest_steps() {
    let mut p = playground(160, 45, 1000);
    p.state.graphs = Graphs::Whole;
    let plot = graphs::plot(&p.state).unwrap();
    let width = usize::from(plot.columns.width);
    let window = graphs::window(&p.state.run, Graphs::Whole, width);
    let per_column = 1 << window.level;
    assert!(per_column * width >= 1000 && per_column * width / 2 < 1000);
    let found = graphs::step_at(&p.state, plot.columns.x + 2, plot.columns.y).unwrap();
    let steps = 2 * per_column..3 * per_column;
    let highest = steps.clone().map(|i| i % 10).max();
    assert!(steps.contains(&found) && Some(found % 10) == highest, "{found}");
}

#[test]
fn dragging_selects_what_is_under_the_mouse() {
    let mut p = playground(160, 45, 8);
    let area = output::area(&p.state).unwrap();
    p.click(area.x, area.y);
    assert_eq!(p.state.run.selected, Some(0));
    p.mouse(MouseEventKind::Drag(MouseButton::Left), area.x + 4, area.y);
    assert_eq!(p.state.run.selected, Some(1));
    p.mouse(MouseEventKind::Drag(MouseButton::Left), area.x, area.y + 1);
    assert_eq!(p.state.run.selected, Some(6));
    // Outside of the pane there is nothing to select.
    p.mouse(MouseEventKind::Drag(MouseButton::Left), 2, 2);
    assert_eq!((p.state.run.selected, p.state.focus), (Some(6), maze::app::state::Pane::Output));
    let before = p.state.run.selected;
    p.mouse(MouseEventKind::ScrollUp, area.x, area.y);
    assert_eq!(p.state.run.selected, before, "the wheel scrolls and selects nothing");
}

#[test]
fn the_next_token_whose_first_choice_was_taken_is_found() {
    let mut p = playground(160, 45, 60);
    let is_lost = |i: &usize| {
        let insight = step(*i).insight.clone().unwrap();
        !insight.allowed.contains(insight.before[0].token)
    };
    let all: Vec<usize> = (0..60).filter(is_lost).collect();
    assert!(all.len() > 2 && all.len() < 50, "{all:?}");
    p.press("Home");
    let mut seen = Vec::new();
    for _ in 0..all.len() {
        p.press("n");
        seen.push(p.state.run.selected.unwrap());
    }
    let mut wanted: Vec<usize> = all.iter().copied().filter(|&i| i > 0).collect();
    // Past the last there is none: the selection stays.
    wanted.resize(all.len(), *all.last().unwrap());
    assert_eq!(seen, wanted);
    p.press("N");
    assert_eq!(p.state.run.selected, all.len().checked_sub(2).map(|i| all[i]));
}

/// The run that the last effect asks to write.
fn asked(p: &mut Playground) -> Job {
    match p.effects.pop() {
        Some(Effect::Export(job)) => *job,
        other => panic!("{other:?} writes no run: {}", p.screen()),
    }
}

#[test]
fn a_run_is_written_under_a_name_that_is_asked_for() {
    let mut p = Playground::new(80, 24);
    p.press("Alt-X");
    assert!(p.screen().contains("There is no run to write yet"), "{}", p.screen());
    let mut p = playground(80, 24, 8);
    p.press("Alt-X");
    assert!(p.screen().contains("Web page") && p.screen().contains("Trace as JSON"), "{}", p.screen());
    p.type_text("page");
    p.press("Enter");
    assert!(p.screen().contains("maze-run-function-1.html"), "{}", p.screen());
    p.press("Enter");
    let job = asked(&mut p);
    assert_eq!(
        (job.format, job.path.to_str(), job.replaces),
        (Format::Html, Some("maze-run-function-1.html"), false)
    );
    assert_eq!(job.trace.steps.len(), 8);

    // It is there already: nothing is replaced before somebody says so.
    p.event(Event::Exported(Told::Exists(job.format, job.path.clone())));
    assert!(p.screen().contains("Replace it with the"), "{}", p.screen());
    p.press("n");
    assert!(p.screen().contains("maze-run-function-1.html"), "another name is asked for");
    p.press("Enter");
    assert!(!asked(&mut p).replaces);
    p.event(Event::Exported(Told::Exists(job.format, job.path.clone())));
    p.press("y");
    assert!(asked(&mut p).replaces);

    // What went wrong is said beside what was typed.
    p.event(Event::Exported(Told::Failed(job.format, job.path, "cannot write x: disk full".into())));
    assert!(p.screen().contains("disk full") && p.screen().contains("maze-run-function-1.html"));
    p.press("Esc");
    p.event(Event::Exported(Told::Written("~/run.html".into(), 5000)));
    assert!(p.screen().contains("The run is in ~/run.html (5 KiB)."), "{}", p.screen());
}

/// What the model has written goes to the clipboard whole, from wherever nothing is typed.
#[test]
fn the_output_is_copied() {
    let copied = |p: &Playground| {
        p.effects.iter().rev().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.clone()),
            _ => None,
        })
    };
    let mut p = Playground::new(80, 24);
    p.press("Alt-3");
    p.press("y");
    assert!(p.screen().contains("There is no output to copy yet"), "{}", p.screen());
    assert_eq!(copied(&p), None);
    p.press("F5");
    p.advance(600);
    let text = p.state.run.trace.as_ref().unwrap().text();
    for pane in ["Alt-3", "Alt-4"] {
        p.effects.clear();
        p.press(pane);
        p.press("y");
        assert_eq!(copied(&p), Some(text.clone()), "{pane}");
    }
    p.press("Alt-2");
    p.press("Ctrl-End");
    p.press("Ctrl-V");
    assert!(p.state.prompt.text().ends_with(&text));
}
