//! What stands around the panes' contents: edges that move, panes that hide, toasts, the hints for the
//! first minutes, titles and the footer, with keys and with the mouse.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEventKind};
use maze::app::event::{ModelEvent, Wanted};
use maze::app::layout::Edge;
use maze::app::state::{Loading, Pane, State};
use maze::app::tour::Hint;
use maze::ui::corner::{self, Note};
use ratatui::layout::Rect;

use super::playground::Playground;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (160, 45)];
const DRAG: MouseEventKind = MouseEventKind::Drag(MouseButton::Left);
const UP: MouseEventKind = MouseEventKind::Up(MouseButton::Left);

fn area(p: &Playground, pane: Pane) -> Rect {
    p.state.areas().unwrap().pane(pane)
}

fn is_error(note: Note, state: &State) -> bool {
    state.toasts.shown().iter().any(|t| t.is_error && note == Note::Toast(t.id))
}

/// What stands in the boxes for which `is_wanted`, read cell by cell, in words.
fn words_in_boxes(p: &mut Playground, is_wanted: impl Fn(Note, &State) -> bool) -> String {
    let buffer = p.draw().clone();
    let mut text = String::new();
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            if corner::at(&p.state, x, y).is_some_and(|note| is_wanted(note, &p.state)) {
                text += buffer[(x, y)].symbol();
            }
        }
        text.push(' ');
    }
    let words = text.split(|c: char| c.is_whitespace() || "╭╮╰╯│─●".contains(c));
    words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The columns of a text in a row of the screen.
fn find(p: &mut Playground, row: u16, text: &str) -> u16 {
    let screen = p.screen();
    let line: Vec<char> = screen.lines().nth(usize::from(row)).unwrap().chars().skip(1).collect();
    let wanted: Vec<char> = text.chars().collect();
    line.windows(wanted.len()).position(|w| w == wanted).unwrap_or_else(|| panic!("{text}:\n{screen}")) as u16
}

#[test]
fn edges_follow_the_mouse_both_ways() {
    for (width, height) in SIZES {
        for edge in Edge::ALL {
            let mut p = Playground::new(width, height);
            let before = p.state.areas().unwrap();
            let cells = before.edge(edge);
            for grip in [0, 1] {
                let lies = cells.height == 2;
                let (x, y) = if lies { (cells.x + 12, cells.y + grip) } else { (cells.x + grip, 2) };
                p.click(x, y);
                assert!(p.screen().contains(if lies { '━' } else { '┃' }), "the edge is lit");
                p.mouse(DRAG, x + 3, y + 2);
                let (dx, dy) = if lies { (0, 2) } else { (3, 0) };
                let moved = p.state.areas().unwrap().edge(edge);
                assert_eq!((moved.x, moved.y), (cells.x + dx, cells.y + dy), "{edge:?} at {width}x{height}");
                p.mouse(DRAG, 0, 0);
                p.mouse(DRAG, x, y);
                p.mouse(UP, x, y);
                assert_eq!(p.state.areas().unwrap(), before, "{edge:?} at {width}x{height}");
                assert!(!p.screen().contains(['━', '┃']), "{}", p.screen());
                p.mouse(DRAG, x + 5, y + 5);
                assert_eq!(p.state.areas().unwrap(), before, "nothing is held any more");
            }
        }
    }
}

/// Sizes are shares: they are the same after the terminal was smaller for a while.
#[test]
fn sizes_survive_another_terminal() {
    let mut p = Playground::new(120, 40);
    for _ in 0..3 {
        p.press("Alt-=");
    }
    let before = p.state.areas();
    for (width, height) in [(40, 10), (80, 24), (10, 3), (200, 60), (120, 40)] {
        p.resize(width, height);
        p.draw();
    }
    assert_eq!(p.state.areas(), before);
    p.press("Alt-0");
    assert_eq!(p.state.areas(), Playground::new(120, 40).state.areas());
}

#[test]
fn keys_make_a_pane_larger_and_smaller() {
    for (width, height) in SIZES {
        for pane in Pane::ALL {
            let mut p = Playground::new(width, height);
            p.state.focus = pane;
            let before = p.state.areas();
            let size = area(&p, pane).area();
            p.press("Alt-=");
            assert!(area(&p, pane).area() > size, "{pane:?} at {width}x{height}");
            p.press("Alt--");
            assert_eq!(p.state.areas(), before, "{pane:?} at {width}x{height}");
            for _ in 0..60 {
                p.press("Alt-=");
            }
            let largest = area(&p, pane).area();
            assert!(p.screen().contains("cannot be larger"), "{}", p.screen());
            p.press("Alt--");
            assert!(area(&p, pane).area() < largest, "the way back begins at once");
        }
    }
}

#[test]
fn hidden_panes_are_skipped_and_come_back() {
    let mut p = Playground::new(80, 24);
    p.press("Alt-4");
    p.press("Alt-H");
    assert_eq!((p.state.focus, area(&p, Pane::Inspector).is_empty()), (Pane::Grammar, true));
    assert!(p.screen().contains("Inspector is hidden; Alt-4 shows it again."), "{}", p.screen());
    for focus in [Pane::Prompt, Pane::Output, Pane::Grammar] {
        p.press("Tab");
        assert_eq!(p.state.focus, focus);
    }
    p.press("Shift-Tab");
    assert_eq!(p.state.focus, Pane::Output);
    for _ in 0..2 {
        p.press("Alt-H");
    }
    let last = p.state.focus;
    p.press("Alt-H");
    assert_eq!(area(&p, last).width, 80, "the last one stays, and has the screen");
    assert!(p.screen().contains("cannot be hidden"), "{}", p.screen());
    for (key, pane) in [("Alt-1", Pane::Grammar), ("Alt-3", Pane::Output), ("Alt-4", Pane::Inspector)] {
        p.press(key);
        assert!(p.state.focus == pane && !area(&p, pane).is_empty());
    }
    assert_eq!(p.state.areas().map(|a| a.single), Some(false));
}

#[test]
fn titles_can_be_clicked() {
    let mut p = Playground::new(120, 40);
    let output = area(&p, Pane::Output);
    p.click(output.x + 4, output.y);
    assert_eq!((p.state.focus, p.state.layout.zoomed), (Pane::Output, false));
    p.wait(Duration::from_secs(1));
    p.click(output.x + 4, output.y);
    assert!(!p.state.layout.zoomed, "two slow clicks are no double click");
    p.click(output.x + 4, output.y);
    assert!(p.state.layout.zoomed && area(&p, Pane::Output).width == 120);
    // Zoomed, the others are tabs.
    let column = find(&mut p, 0, "4 Inspector");
    p.click(column + 5, 0);
    assert!(p.state.layout.zoomed && p.state.focus == Pane::Inspector, "{}", p.screen());
    p.resize(40, 10);
    let column = find(&mut p, 0, "Prompt");
    p.click(column, 0);
    assert_eq!(p.state.focus, Pane::Prompt);
}

/// A long name is cut, and not what stands after it; a note keeps its place.
#[test]
fn titles_are_cut_where_it_hurts_least() {
    let mut p = Playground::new(80, 24);
    p.state.grammar.name = "a-very-long-name-of-a-grammar-in-a-deep-folder.lark".into();
    let screen = p.screen();
    assert!(screen.contains("1▸Grammar · a-very-long-name…, Lark ─╮"), "{screen}");
    p.press("F5");
    p.advance(20);
    p.press("Alt-3");
    p.press("Home");
    for _ in 0..30 {
        p.press("Alt--");
    }
    assert!(p.screen().contains("token 1 / "), "{}", p.screen());
}

/// What to do about a mistake stands at the end of its message: none of it is cut away.
#[test]
fn a_long_message_is_shown_whole() {
    let message = "Qwen/Qwen3-0.6B is not in the cache (nothing of it is there), and HF_HUB_OFFLINE or \
                   TRANSFORMERS_OFFLINE forbids to download it";
    for (width, height) in [(40, 10), (59, 30), (60, 16), (80, 24), (160, 45)] {
        let mut p = Playground::new(width, height);
        p.load(ModelEvent::Failed(message.into()));
        let shown = if width < 60 {
            let screen = p.screen();
            screen.split(['"', ' ', '\n']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
        } else {
            words_in_boxes(&mut p, is_error)
        };
        assert!(shown.contains(message), "{}", p.screen());
        assert!(p.screen().contains("F5 run"), "the keys stay");
        p.press("Esc");
        assert!(!p.screen().contains("forbids"), "{}", p.screen());
    }
    let mut p = Playground::new(80, 24);
    p.load(ModelEvent::Failed("word ".repeat(300)));
    let shown = words_in_boxes(&mut p, is_error);
    assert!(shown.contains('…') && shown.split(' ').filter(|w| *w == "word").count() > 40, "{shown}");
}

#[test]
fn sentences_go_and_errors_wait_for_somebody() {
    let mut p = Playground::new(80, 24);
    p.press("F5");
    p.advance(2);
    p.press("Alt-M");
    p.load(ModelEvent::Failed("no such file".into()));
    p.press("→");
    assert!(p.screen().contains("The mouse is the") && p.screen().contains("no such file"));
    p.wait(Duration::from_secs(5));
    assert!(!p.screen().contains("The mouse is the") && p.screen().contains("no such file"));
    p.wait(Duration::from_secs(3600));
    assert!(p.screen().contains("no such file"), "nobody was there");
    p.press("→");
    assert!(!p.screen().contains("no such file"), "{}", p.screen());
    // A sentence takes no key; an error goes with Esc, which is for the run only then.
    p.load(ModelEvent::Failed("again".into()));
    p.press("Esc");
    assert!(p.state.run.status.is_live() && !p.screen().contains("again"));
    p.press("Esc");
    assert!(!p.state.run.status.is_live(), "{}", p.screen());
    p.press("F5");
    p.advance(2);
    p.press("Alt-M");
    p.press("Esc");
    assert!(!p.state.run.status.is_live() && !p.screen().contains("The mouse"), "{}", p.screen());
}

#[test]
fn a_click_sends_one_toast_away() {
    let mut p = Playground::new(120, 40);
    for message in ["one", "two", "three"] {
        p.load(ModelEvent::Failed(message.into()));
    }
    let first = p.state.toasts.shown()[0].id;
    let buffer = p.draw().clone();
    let cell = buffer.area.positions().find(|c| corner::at(&p.state, c.x, c.y) == Some(Note::Toast(first)));
    let cell = cell.expect("it is on the screen");
    p.click(cell.x, cell.y);
    assert_eq!(words_in_boxes(&mut p, is_error), "two Esc three Esc");
}

/// The line that is typed in stays to be seen, wherever it is.
#[test]
fn boxes_do_not_hide_what_is_typed() {
    for (width, height) in [(60, 16), (80, 24), (160, 45)] {
        for zoomed in [false, true] {
            for lines in 0..45 {
                let mut p = Playground::new(width, height);
                p.state.layout.zoomed = zoomed;
                p.state.grammar.buffer.set_text(&"\n".repeat(lines));
                p.press("Ctrl-End");
                p.type_text(&format!("here: {}", "x".repeat(14)));
                p.load(ModelEvent::Failed("something is wrong ".repeat(5)));
                let (_, y) = p.cursor();
                let buffer = p.draw();
                let row: String = (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect();
                assert!(row.contains(&format!("here: {}", "x".repeat(14))), "{}", p.screen());
                assert!(p.screen().contains("something is wrong"), "{}", p.screen());
            }
        }
    }
}

#[test]
fn hints_go_on_by_themselves_in_any_order() {
    let mut p = Playground::new(120, 40);
    assert!(!p.screen().contains("Hint"), "only who starts for the first time sees them");
    p.press("Alt-?");
    assert!(p.screen().contains("Hint 1 of 5") && p.screen().contains("F5 runs"), "{}", p.screen());
    p.press("F10");
    assert!(p.screen().contains("Hint 1 of 5"), "a step is not a run");
    p.press("F5");
    assert!(p.screen().contains("Hint 2 of 5"), "{}", p.screen());
    p.advance(3);
    p.press("Alt-3");
    p.press("←");
    assert!(p.screen().contains("Hint 4 of 5"), "the step was done before: {}", p.screen());
    p.press("Alt-1");
    p.type_text(" ");
    assert!(p.screen().contains("Hint 5 of 5"), "{}", p.screen());
    p.press("Ctrl-O");
    assert!(!p.screen().contains("Hint") && p.screen().contains("That was the last hint."), "{}", p.screen());
}

/// A hint that stays hides nothing: in a small terminal it stands in the footer, unless something runs.
#[test]
fn hints_make_way_in_small_terminals() {
    let mut p = Playground::new(80, 24);
    let footer = |p: &mut Playground| p.screen().lines().last().unwrap_or_default().to_owned();
    let keys = footer(&mut p);
    p.press("Alt-?");
    let hinted = footer(&mut p);
    assert!(
        hinted.contains("Hint 1 of 5") && hinted.contains("F5 runs") && hinted.contains("Esc"),
        "{hinted}"
    );
    assert!(!p.screen().contains("╭ Hint"), "{}", p.screen());
    p.press("F5");
    assert!(footer(&mut p).contains("F5 pause") && footer(&mut p).contains("Esc stop"), "{}", p.screen());
    p.advance(3);
    p.press("Esc");
    assert!(footer(&mut p).contains("Hint 2 of 5"), "{}", p.screen());
    p.click(20, 23);
    assert_eq!(p.state.tour.hint(), None);
    assert_eq!(footer(&mut p), keys);
}

#[test]
fn hints_can_be_skipped() {
    for by_mouse in [false, true] {
        let mut p = Playground::new(120, 40);
        p.press("Alt-?");
        assert_eq!(p.state.tour.hint(), Some(Hint::ALL[0]));
        if by_mouse {
            let buffer = p.draw().clone();
            let mut cells = buffer.area.positions();
            let cell = cells.find(|c| corner::at(&p.state, c.x, c.y) == Some(Note::Hint)).unwrap();
            p.click(cell.x, cell.y);
        } else {
            p.press("Esc");
        }
        assert_eq!(p.state.tour.hint(), None);
        assert!(p.screen().contains("Alt-? shows the hints again."), "{}", p.screen());
    }
}

/// Every hint of the footer is whole, the way to all keys is among them, and a click does it.
#[test]
fn the_footer_is_whole_and_can_be_clicked() {
    for width in 40..=160 {
        let mut p = Playground::new(width, 24);
        for prepare in ["Alt-1", "Alt-2", "F10", "Alt-3", "←", "Alt-4", "Alt-Z", "F8"] {
            p.press(prepare);
            let screen = p.screen();
            let footer = screen.lines().nth(23).unwrap();
            assert!(footer.contains("F1 keys") && !footer.contains('…'), "{width}: {footer}");
            assert!(footer.trim_end_matches('"').chars().count() <= usize::from(width) + 1);
        }
    }
    let mut p = Playground::new(80, 24);
    let column = find(&mut p, 23, "F1 keys");
    p.click(column + 4, 23);
    assert!(p.screen().contains("Esc closes"), "{}", p.screen());
    let column = find(&mut p, 23, "close");
    p.click(column, 23);
    assert!(!p.screen().contains("Esc closes"), "{}", p.screen());
    let column = find(&mut p, 23, "run");
    p.click(column, 23);
    assert!(p.screen().contains("F5 pause"), "{}", p.screen());
}

#[test]
fn a_load_has_a_bar() {
    let mut p = Playground::new(80, 24);
    p.press("F4");
    p.type_text("a/b");
    p.press("Enter");
    p.load(ModelEvent::Loading("reading the weights".into(), Some(0.5)));
    let screen = p.screen();
    let status = screen.lines().nth(22).unwrap();
    assert!(status.contains("reading the weights 50%  ▕████████        ▏"), "{screen}");
}

/// No sign of the program's own is left without a stand-in.
#[test]
fn everything_can_be_drawn_in_ascii() {
    for (width, height) in SIZES {
        let mut p = Playground::new(width, height);
        p.in_ascii();
        p.press("Alt-?");
        p.press("F5");
        p.advance(30);
        p.press("Alt-3");
        for key in ["←", "g", "v", "v", "z", "z", "Alt-4", "t", "F1", "Esc", "F2", "Esc", "F4", "Ctrl-P"] {
            p.press(key);
            p.load(ModelEvent::Failed("wrong".into()));
            let screen = p.screen();
            let odd = screen.chars().find(|c| !c.is_ascii());
            assert_eq!(odd, None, "after {key}:\n{screen}");
            p.press("Esc");
        }
    }
}

/// Beside a run there is little room; how far the load is stands there all the same.
#[test]
fn a_load_beside_a_run_tells_how_far_it_is() {
    let download = "downloading 34% of 8.58 MB, 193 kB/s, 30 s left, model.gguf";
    for (width, what, share, wanted) in [
        (80, download, None, "loading 34%"),
        (80, "loading weights", Some(0.5), "loading 50%"),
        (200, download, None, download),
    ] {
        let mut p = Playground::new(width, 45);
        p.press("F5");
        p.advance(3);
        p.state.loading = Some(Loading::new(Wanted::Named("org/name".into())));
        p.load(ModelEvent::Loading(what.into(), share));
        let screen = p.screen();
        assert!(screen.contains("● running") && screen.contains(wanted), "{screen}");
    }
}

/// A new grammar is there to be typed in, wherever the person was, and be its pane hidden.
#[test]
fn a_new_grammar_has_the_focus() {
    let mut p = Playground::new(80, 24);
    p.press("Alt-H");
    p.press("Alt-3");
    p.press("Alt-N");
    p.press("Enter");
    assert!(p.state.focus == Pane::Grammar && p.screen().contains("▸Grammar · untitled.lark, Lark"));
}
