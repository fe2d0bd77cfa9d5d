//! Nothing is told by colour alone: what a person must tell apart differs in its signs, or in what a
//! terminal without colours shows too: bold, faint, underlined, reversed.

use super::overlays::{OVERLAYS, run};
use super::playground::Playground;
use super::states::STATES;
use maze::app::state::Pane;
use maze::engine::trace::StepKind;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// A playground on a terminal without colours.
fn plain(width: u16, height: u16) -> Playground {
    let mut p = Playground::new(width, height);
    p.without_colours();
    p
}

/// Where a text first stands on the screen.
fn find(buffer: &Buffer, text: &str) -> Option<(u16, u16)> {
    let width = text.chars().count() as u16;
    let area = buffer.area;
    let rows = (area.y..area.bottom()).flat_map(|y| (area.x..area.right()).map(move |x| (x, y)));
    rows.into_iter().find(|&(x, y)| {
        let cells = (x..(x + width).min(area.right())).map(|x| buffer[(x, y)].symbol());
        cells.eq(text.chars().map(|c| c.to_string()))
    })
}

/// The cells of a text on the screen.
fn cells(p: &mut Playground, text: &str) -> Vec<Cell> {
    let buffer = p.draw().clone();
    let (x, y) = find(&buffer, text).unwrap_or_else(|| panic!("no {text:?}\n{}", p.screen()));
    (x..x + text.chars().count() as u16).map(|x| buffer[(x, y)].clone()).collect()
}

fn all_have(cells: &[Cell], modifier: Modifier) -> bool {
    cells.iter().all(|cell| cell.modifier.contains(modifier))
}

#[test]
fn no_frame_has_a_colour() {
    for (name, prepare) in OVERLAYS.iter().chain(STATES) {
        let mut p = plain(120, 40);
        prepare(&mut p);
        let has_colour = |cell: &&Cell| {
            [cell.fg, cell.bg, cell.underline_color].iter().any(|color| *color != Color::Reset)
        };
        let found = p.draw().content.iter().find(has_colour).cloned();
        assert_eq!(found, None, "{name}");
    }
}

#[test]
fn the_focus_is_a_sign() {
    for (key, pane) in ["Alt-1", "Alt-2", "Alt-3", "Alt-4"].iter().zip(Pane::ALL) {
        let mut p = plain(160, 45);
        p.press(key);
        let screen = p.screen();
        for other in Pane::ALL {
            let title = format!("▸{}", other.name());
            assert_eq!(screen.contains(&title), other == pane, "{title}\n{screen}");
        }
    }
}

#[test]
fn mistakes_and_warnings_have_signs_of_their_own() {
    let mark = |text: &str| {
        let mut p = plain(160, 45);
        p.press("Ctrl-End");
        p.type_text(text);
        let line = p.state.grammar.finding().expect("a finding").start.line;
        let parts = maze::ui::editor::parts(&p.state, Pane::Grammar).unwrap();
        let y = parts.text.y + line as u16 - 1;
        let sign = p.draw()[(parts.gutter.x, y)].symbol().to_owned();
        let text: Vec<Cell> = (parts.text.x..parts.text.right()).map(|x| p.draw()[(x, y)].clone()).collect();
        let is_underlined = text.iter().any(|cell| cell.modifier.contains(Modifier::UNDERLINED));
        assert!(is_underlined, "{text:?} is not underlined");
        let status = p.screen().lines().rev().nth(1).unwrap().to_owned();
        (sign, status.contains("✗ grammar"))
    };
    let (mistake, warning) = (mark("NAME: /[a-z/"), mark("unused: \"x\"\n"));
    assert_eq!(mistake, ("●".into(), true));
    assert!(!warning.1 && warning.0 != mistake.0 && warning.0.trim() != "", "{warning:?}");
}

#[test]
fn the_state_of_a_run_is_a_sign_and_a_word() {
    let mut p = plain(160, 45);
    let mut seen = Vec::new();
    let status = |p: &mut Playground| {
        let screen = p.screen();
        let line = screen.lines().rev().nth(1).unwrap();
        line.trim_start_matches(['"', ' ']).to_owned()
    };
    seen.push(status(&mut p));
    p.press("F5");
    p.advance(5);
    seen.push(status(&mut p));
    p.press("F5");
    seen.push(status(&mut p));
    p.press("Esc");
    seen.push(status(&mut p));
    for (seen, wanted) in seen.iter().zip(["○ ready", "● running", "‖ paused", "■ cancelled"]) {
        assert!(seen.starts_with(wanted), "{seen:?} is not {wanted}");
    }
}

#[test]
fn forced_and_selected_tokens_are_marked() {
    let mut p = plain(160, 45);
    run(&mut p, 12);
    p.press("Alt-3");
    p.press("Home");
    let area = maze::ui::output::area(&p.state).unwrap();
    let steps = p.state.run.steps().to_vec();
    assert!(steps.iter().any(|s| s.kind == StepKind::Forced) && steps.len() > 4);
    let buffer = p.draw().clone();
    let mut x = area.x;
    for (i, step) in steps.iter().enumerate() {
        let text = String::from_utf8(step.bytes.to_vec()).unwrap();
        if text.contains('\n') {
            break;
        }
        let end = x + text.chars().count() as u16;
        let cells: Vec<Cell> = (x..end).map(|x| buffer[(x, area.y)].clone()).collect();
        assert_eq!(all_have(&cells, Modifier::UNDERLINED), step.kind == StepKind::Forced, "{i} {text:?}");
        assert_eq!(all_have(&cells, Modifier::REVERSED), i == 0, "{i} {text:?}");
        x = end;
    }
    // The inspector has a word for it.
    for step in &steps {
        let word = if step.kind == StepKind::Forced { "forced" } else { "sampled" };
        let screen = p.screen();
        let line = screen.lines().find(|line| line.contains(&format!("/ {} │", steps.len()))).unwrap();
        assert!(line.contains(word), "{line}");
        p.press("→");
    }
}

/// How much the mask removed is a number, a height, and faint, plain or bold text.
#[test]
fn the_removed_mass_is_told_three_times() {
    let mut p = plain(160, 45);
    run(&mut p, 30);
    p.press("Alt-3");
    p.press("Home");
    p.press("→");
    p.press("→");
    let screen = p.screen();
    let removed = p.state.run.steps()[2].insight.as_ref().unwrap().mass_removed * 100.0;
    assert!(screen.contains(&format!("removed  {removed:.1}% of the probability")), "{screen}");
    let row = screen.lines().find(|line| line.contains("│ removed  ▆")).expect("a graph");
    assert!("▁▂▃▄▅▆▇█".chars().filter(|c| row.contains(*c)).count() >= 2, "{row}");
    p.press("v");
    p.press("v");
    let area = maze::ui::output::area(&p.state).unwrap();
    let buffer = p.draw();
    let kinds: std::collections::HashSet<Modifier> = (area.y..area.bottom())
        .flat_map(|y| (area.x..area.right()).map(move |x| (x, y)))
        .map(|at| buffer[at].modifier & (Modifier::BOLD | Modifier::DIM))
        .collect();
    assert!(kinds.len() >= 2, "{kinds:?}");
}

#[test]
fn candidates_say_whether_they_were_allowed() {
    let mut p = plain(160, 45);
    run(&mut p, 12);
    p.press("Alt-3");
    p.press("Home");
    p.press("→");
    p.press("→");
    let screen = p.screen();
    assert!(screen.contains("│ ✗ ") && screen.contains("│ ● "), "{screen}");
}

#[test]
fn what_is_selected_in_texts_and_lists_is_marked() {
    let mut p = plain(160, 45);
    p.press("↓");
    p.press("Ctrl-Shift-→");
    assert!(all_have(&cells(&mut p, "start"), Modifier::REVERSED), "a selection");
    p.press("Ctrl-P");
    p.press("↓");
    let screen = p.screen();
    assert_eq!(screen.matches("│ ▸ ").count() + screen.matches("│▸ ").count(), 1, "{screen}");
    p.press("Esc");
    p.press("Ctrl-T");
    assert!(p.screen().contains("▸•dark"), "the theme in use and the row: {}", p.screen());
}

#[test]
fn what_is_found_is_marked_and_the_current_place_more_so() {
    let mut p = plain(160, 45);
    p.press("Ctrl-F");
    p.type_text("name");
    let buffer = p.draw().clone();
    let area = maze::ui::editor::parts(&p.state, Pane::Grammar).unwrap().text;
    let mut marked = Vec::new();
    for y in area.y..area.bottom() {
        let line: String = (area.x..area.right()).map(|x| buffer[(x, y)].symbol().to_owned()).collect();
        for (at, _) in line.match_indices("NAME") {
            marked.push(buffer[(area.x + at as u16, y)].modifier);
        }
    }
    assert_eq!(marked.len(), 3);
    let current = marked[0];
    assert!(marked[1..].iter().all(|other| other.contains(Modifier::REVERSED) && *other != current));
    assert!(current.contains(Modifier::REVERSED));
}
