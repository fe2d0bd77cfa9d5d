//! Finding and replacing, as a person does it: keys into the bar, and what it shows.

use maze::app::event::Event;
use maze::ui::wrap::Place;

use super::playground::Playground;

/// A playground with this grammar.
fn with(text: &str) -> Playground {
    let mut p = Playground::new(80, 24);
    p.press("Alt-A");
    p.event(Event::Paste(text.into()));
    p.press("Ctrl-Home");
    p
}

/// The row of the screen that holds the bar.
fn bar(p: &mut Playground) -> String {
    let screen = p.screen();
    let row = screen.lines().find(|line| line.contains("▸Find") || line.contains("▸Regex"));
    row.unwrap_or_else(|| panic!("no bar:\n{screen}")).split('│').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn capitals_and_words_are_switched_in_the_bar() {
    let mut p = with("ab AB abc\nab\n");
    p.press("Ctrl-F");
    p.type_text("ab");
    assert!(bar(&mut p).ends_with("1/4 "), "{}", bar(&mut p));
    p.press("Alt-W");
    assert!(bar(&mut p).ends_with("W 1/3 "), "{}", bar(&mut p));
    p.press("Alt-C");
    assert!(bar(&mut p).ends_with("Aa W 1/2 "), "{}", bar(&mut p));
    assert!(p.screen().contains("Alt-C any case") && p.screen().contains("Alt-W parts"), "{}", p.screen());
    p.press("F3");
    assert_eq!(p.state.grammar.buffer.caret(), Place { line: 1, byte: 0 });
    p.press("Alt-W");
    p.press("Alt-C");
    assert!(bar(&mut p).ends_with("4/4 "), "{}", bar(&mut p));
    // Outside of the bar the keys do what they always do.
    p.press("Esc");
    p.press("Alt-W");
    assert!(p.state.overlay.is_some());
}

#[test]
fn lines_are_found_and_replaced() {
    let mut p = with("a: b\n   | c\nd: e\n   | f\n");
    p.press("Ctrl-F");
    p.press("Ctrl-F");
    p.type_text("\\n +\\|");
    assert!(bar(&mut p).contains("Regex") && bar(&mut p).ends_with("1/2 "), "{}", bar(&mut p));
    p.press("Alt-R");
    p.type_text(" |");
    p.press("Alt-Enter");
    assert_eq!(p.state.grammar.buffer.text(), "a: b | c\nd: e | f\n");
    p.press("Ctrl-U");
    assert_eq!(p.state.grammar.buffer.text(), "a: b\n   | c\nd: e\n   | f\n", "in one change");
}

#[test]
fn what_is_selected_or_pasted_may_have_lines() {
    let mut p = with("a(b\n  c\nd\na(b\n  c\n");
    for _ in 0..2 {
        p.press("Shift-↓");
    }
    p.press("Ctrl-F");
    assert!(bar(&mut p).contains(r"a\(b\n  c") && bar(&mut p).ends_with("1/2 "), "{}", bar(&mut p));
    p.press("Enter");
    assert_eq!(p.state.grammar.buffer.caret(), Place { line: 3, byte: 0 });
    p.press("Alt-A");
    p.event(Event::Paste("c\r\nd\n".into()));
    assert!(bar(&mut p).contains(r"c\nd ") && bar(&mut p).ends_with("1/1 "), "{}", bar(&mut p));
    assert_eq!(p.state.grammar.buffer.caret(), Place { line: 1, byte: 2 });
}
