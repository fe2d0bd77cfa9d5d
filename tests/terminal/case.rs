//! The overlay of one case: the byte that is not allowed is on the screen, wherever it is; and cases of
//! the file beside the grammar.

use std::fs;

use maze::app::event::{Effect, Event};
use maze::app::files::{FileEvent, FileJob, GrammarFile, Opened};
use maze::engine::GrammarKind;
use ratatui::style::Modifier;

use super::playground::Playground;

/// A grammar of words of a to z, with a text that is to be accepted.
fn opened(text: &str) -> Playground {
    let mut p = Playground::new(80, 24);
    p.press("Alt-A");
    p.event(Event::Paste(format!("start: /[a-zè]+/\n// accept \"{text}\"\n")));
    p.press("Alt-;");
    p.press("Enter");
    p
}

/// What is marked on the screen.
fn marked(p: &mut Playground) -> String {
    let cells = p.draw().content().iter();
    let is_marked = |m: Modifier| m.contains(Modifier::REVERSED) && m.contains(Modifier::UNDERLINED);
    cells.filter(|cell| is_marked(cell.modifier)).map(|cell| cell.symbol()).collect()
}

#[test]
fn far_into_a_long_line() {
    let (before, after) = ("a".repeat(60_000), "b".repeat(50_000));
    let mut p = opened(&format!("{before}!{after}"));
    assert_eq!(marked(&mut p), "!", "{}", p.screen());
    // Nothing is left out in silence.
    let left_out = |p: &mut Playground| {
        let screen = p.screen();
        let row = screen.lines().find(|row| row.contains("are not shown"));
        row.unwrap_or_else(|| panic!("{screen}")).to_owned()
    };
    for _ in 0..100 {
        p.press("PgUp");
    }
    let first = left_out(&mut p);
    for _ in 0..100 {
        p.press("PgDn");
    }
    let last = left_out(&mut p);
    let count = |row: &str| -> usize {
        row.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{row}"))
    };
    let (first, last) = (count(&first), count(&last));
    assert_eq!(first + last + (32 << 10), 110_001, "all but the part that is laid out");
    assert!(first < before.len() && last < after.len());
}

#[test]
fn inside_of_a_character() {
    // `è` and `é` have their first byte in common.
    assert_eq!(marked(&mut opened("aé€")), "é");
    assert_eq!(marked(&mut opened("aé")), "é");
    assert_eq!(marked(&mut opened("a€")), "€");
}

/// A case of another entry point says which, and leads to its byte as any other does.
#[test]
fn of_another_entry_point() {
    let mut p = Playground::new(80, 24);
    p.press("Alt-A");
    p.event(Event::Paste(
        "// entries: words, word\nstart: words\nwords: word (\" \" word)*\nword: /[a-z]+/\n\
         // accept \"a b\"\n// accept word: two\n// | a\n// | b\n"
            .into(),
    ));
    assert!(p.screen().contains("✗ 1 of 2 cases"), "{}", p.screen());
    p.press("Alt-;");
    assert!(p.screen().contains("accept word"), "{}", p.screen());
    p.press("Enter");
    assert!(p.screen().contains("✗ two · to be accepted as word"), "{}", p.screen());
    assert!(p.screen().contains("As word, the grammar does not allow byte 1"), "{}", p.screen());
    p.press("Esc");
    assert_eq!(p.state.grammar.buffer.caret().line, 6, "{}", p.screen());
    // What is kept is for the entry point that it was made with.
    p.press("F5");
    p.advance(2);
    p.press("Esc");
    p.press("Ctrl-P");
    p.type_text("keep the output as an acc");
    p.press("Enter");
    assert!(p.state.grammar.buffer.text().contains("\n\n// accept words \""), "{}", p.screen());
    p.press("Alt-A");
    p.event(Event::Paste("start: \"a\"\n// accept word \"a\"\n".into()));
    assert!(p.screen().contains("✗ 1 cases unread"), "{}", p.screen());
    p.press("Alt-;");
    assert!(p.screen().contains("line 2") && p.screen().contains("has no entry"), "{}", p.screen());
}

/// A case of the file of cases is shown with its place there, and the output is kept there too.
#[test]
fn of_the_file_beside_the_grammar() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("words.cases");
    fs::write(&list, "accept \"a b\"\n\nreject @1:2: a sign\n| a!\n\naccept: two\n| a\n| b\n")
        .expect("writable");
    let path = folder.path().join("words.lark");
    let file = GrammarFile { path: path.clone(), text: "start: /[a-z ]+/\n".into() };
    let opened = Opened { file, name: "words.lark".into(), kind: Some(GrammarKind::Lark) };
    let mut p = Playground::new(80, 24);
    p.event(Event::Files(FileEvent::Read(path, Ok(opened))));
    assert!(p.screen().contains("✗ 1 of 3 cases"), "{}", p.screen());
    p.press("Alt-;");
    p.press("Enter");
    assert!(p.screen().contains("✗ two · to be accepted · words.cases:7:4"), "{}", p.screen());
    p.press("Esc");
    p.press("F5");
    p.advance(3);
    p.press("Esc");
    p.effects.clear();
    p.press("Ctrl-P");
    p.type_text("keep the output as an acc");
    p.press("Enter");
    let output = p.state.run.trace.as_ref().expect("a run").bytes();
    let output = String::from_utf8(output).expect("of a to z");
    match &p.effects[..] {
        [Effect::Files(FileJob::AppendCase { file, lines })] => {
            assert_eq!((file, lines.as_str()), (&list, format!("accept \"{output}\"\n").as_str()));
        }
        other => panic!("{other:?}"),
    }
    // It is run at once.
    p.event(Event::Files(FileEvent::CaseKept(Ok("words.cases".into()))));
    assert!(p.screen().contains("The case is in words.cases."), "{}", p.screen());
    // Beside another file there is no such file.
    p.state.grammar.file.as_mut().expect("it has one").path = folder.path().join("other.lark");
    p.effects.clear();
    p.press("Ctrl-P");
    p.type_text("keep the output as an acc");
    p.press("Enter");
    assert!(p.effects.is_empty(), "{:?}", p.effects);
    assert!(p.screen().contains("kept at the end of the grammar"), "{}", p.screen());
}
