//! Finding and replacing, as a person does it: keys into the bar, and what it shows.

use maze::app::editor::EditorBuffer;
use maze::app::event::Event;
use maze::app::field::Field;
use maze::app::find::{Find, Wanted};
use maze::app::texts::TextId;
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

/// What is found, as lines and bytes.
type Found = ((usize, usize), (usize, usize));

fn search(query: &str, wanted: Wanted, text: &str) -> (Find, EditorBuffer) {
    let mut find = Find::new(query, wanted);
    let text = EditorBuffer::new(text);
    find.update(TextId::Prompt, 0, &text);
    (find, text)
}

fn found(query: &str, wanted: Wanted, text: &str) -> Vec<Found> {
    let at = |place: Place| (place.line, place.byte);
    search(query, wanted, text).0.places().iter().map(|(start, end)| (at(*start), at(*end))).collect()
}

fn starts(query: &str, wanted: Wanted, text: &str) -> Vec<(usize, usize)> {
    found(query, wanted, text).into_iter().map(|(start, _)| start).collect()
}

const REGEX: Wanted = Wanted { is_regex: true, exact: false, words: false };

#[test]
fn capitals_and_words_can_be_asked_for() {
    let exact = Wanted { exact: true, ..Wanted::default() };
    assert_eq!(starts("a", exact, "A a"), [(0, 2)]);
    let words = Wanted { words: true, ..Wanted::default() };
    assert_eq!(starts("ab", words, "ab abc cab, AB\nab_ ab"), [(0, 0), (0, 12), (1, 4)]);
    assert_eq!(starts("(a", words, "x(a (ab (a"), [(0, 1), (0, 8)], "a mark is no part of a word");
    let both = Wanted { words: true, exact: true, ..REGEX };
    assert_eq!(starts("a|bc", both, "a ab bc BC"), [(0, 0), (0, 5)]);
}

#[test]
fn a_query_with_a_line_end_goes_over_lines() {
    let text = "a: b\n   | c\n\nd: e\n   | f\\n";
    assert_eq!(found(r"\w\n +\|", REGEX, text), [((0, 3), (1, 4)), ((3, 3), (4, 4))]);
    assert_eq!(found(r"\n\n", REGEX, text), [((1, 6), (3, 0))]);
    assert_eq!(found(r"(?s)b.*d", REGEX, text), [((0, 3), (3, 1))]);
    assert_eq!(found(r"[^a]+c$", REGEX, text), [((1, 0), (1, 6))], "no other query goes over a line end");
    assert_eq!(found(r"\\n", REGEX, text), [((4, 6), (4, 8))], "a backslash and a letter are no line end");
    assert_eq!(starts(r"\n", Wanted::default(), text), [(4, 6)], "in a text it is what it looks like");
    assert_eq!(starts(r"a\n", REGEX, "a\na"), [(0, 0)], "the end of the text is no line end");
}

#[test]
fn several_lines_are_looked_for_as_they_are() {
    let mut find = Find::new("a|", Wanted::default());
    find.insert_lines("b.\r\n  c\\n");
    assert_eq!(find.query.text(), r"a\|b\.\n  c\\n");
    assert_eq!(found(find.query.text(), find.wanted, "a|b.\n  c\\n a|b!\n  c"), [((0, 0), (1, 5))]);
}

#[test]
fn line_ends_can_be_put_and_taken() {
    let replaced = |query, wanted, replacement, text| {
        let (mut find, mut text) = search(query, wanted, text);
        find.replacement = Field::new(replacement);
        text.apply(&find.replacements(&text, 0..find.places().len()));
        text.text()
    };
    assert_eq!(replaced(r" \| ", REGEX, r"\n  | $0\\n\t", "a | b"), "a\n  |  | \\n\tb");
    assert_eq!(replaced(r"(\w)\n(\w)", REGEX, "$2$1", "a\nb\nc\nd"), "ba\ndc");
    assert_eq!(replaced("b", Wanted::default(), r"\n", "abc"), r"a\nc", "in a text it is what it looks like");
}
