//! A file of cases is read as it is meant, and every line of it that is none of its own is told.

use std::fs;

use super::*;
use crate::engine::cases::lines::tests::{Written, written};
use crate::engine::cases::{At, Wants};

fn of(text: &str) -> Cases {
    let mut cases = Cases::default();
    take("g.cases".into(), text.to_owned(), &mut cases);
    cases
}

#[test]
fn cases_blank_lines_and_comments_are_read() {
    let text = "\u{feff}accept \"1\\n2\"\n\n// of rows\nreject @2:1: two rows\n| a\n|  b\n|\n|c\n  \n\
                \treject @end \"\"\n\n//accept: none\nreject:\n|\n";
    let at = |line, column| Wants::Reject(Some(At::Position(Position { line, column })));
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.trim_end().to_owned()] {
        let cases = of(&text);
        let listed: Vec<_> = cases.list.iter().map(|c| (&*c.name, c.wants, &*c.text)).collect();
        assert_eq!(
            listed,
            [
                ("line 1", Wants::Accept, &b"1\n2"[..]),
                ("two rows", at(2, 1), b"a\n b\n\nc"),
                ("line 10", Wants::Reject(Some(At::End)), b""),
                ("line 13", Wants::Reject(None), b""),
            ]
        );
        assert_eq!(cases.problems, []);
    }
}

#[test]
fn every_other_line_is_told() {
    for (lines, line, wanted) in [
        ("accept: a name", 2, "without a text"),
        ("accept:\n\n| x", 2, "without a text"),
        ("reject @1:5", 2, "a colon or a text in quotes"),
        ("accept @1:5 \"x\"", 2, "leave out the `@`"),
        ("reject @0:1 \"x\"", 2, "`@0:1` is no place"),
        ("accept \"x\" y", 2, "one string as JSON"),
        ("| x", 2, "a line of a text without its case"),
        ("accept: x\n| a\n\n| b", 5, "an empty line of it is `|`"),
        ("accept: x\n| a\nb", 4, "`b` is no case"),
        ("accept", 2, "`accept` is no case"),
        ("accepts: x", 2, "`accepts: x` is no case"),
        ("accept body", 2, "`accept body` is no case"),
        ("accept body: a name", 2, "without a text"),
        ("accept body @1:5 \"x\"", 2, "leave out the `@`"),
        ("reject body @5:0: x", 2, "`@5:0` is no place"),
        ("accept two words: x\n| x", 2, "`accept two words: x` is no case"),
        ("# a comment", 2, "begins with `//`"),
        ("\u{202e}x", 2, "`⟨U+202E⟩x` is no case"),
    ] {
        let cases = of(&format!("accept \"fine\"\n{lines}\n"));
        let problem = cases.problems.first().unwrap_or_else(|| panic!("{lines} is taken: {cases:?}"));
        assert!(problem.message.contains(wanted), "{lines}: {}", problem.message);
        assert_eq!(problem.position, Some(Position { line, column: 1 }), "{lines}");
        assert_eq!(problem.file.as_deref(), Some(Path::new("g.cases")));
    }
}

#[test]
fn every_text_comes_back() {
    let (mut file, mut all) = (String::new(), Vec::new());
    for (i, Written { wants, name, text }) in written().into_iter().enumerate() {
        let entry = (i % 2 == 0).then(|| "body_2".to_owned());
        let new = New { entry: entry.as_deref(), wants, name, text: text.as_bytes() };
        let lines = write(&new).expect("UTF-8");
        file = append(&file, &lines);
        all.push((entry, wants, text));
    }
    for file in [file.clone(), file.replace('\n', "\r\n")] {
        let cases = of(&file);
        assert_eq!(cases.problems, []);
        assert_eq!(cases.list.len(), all.len());
        for (case, (entry, wants, text)) in cases.list.iter().zip(&all) {
            assert_eq!((&case.entry, case.wants, &*case.text), (entry, *wants, text.as_bytes()));
            let Origin::Listed(list, place) = &case.origin else { panic!("{case:?}") };
            assert_eq!(list.text, file);
            let is_quoted = !file[place.span.clone()].contains('\n');
            for (offset, c) in text.char_indices().filter(|(_, c)| *c != '\n' || is_quoted) {
                let there = &file[place.of(offset)..];
                assert!(
                    there.starts_with(c) || (is_quoted && there.starts_with('\\')),
                    "{offset} of {text:?}"
                );
            }
        }
    }
    assert_eq!(write(&New { entry: None, wants: Wants::Accept, name: "", text: b"\xff" }), None);
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let grammar = folder.path().join("g.schema.json");
    let path = beside(&grammar);
    assert_eq!(path.file_name(), Some("g.cases".as_ref()));
    let read = || {
        let mut cases = Cases::default();
        super::read(&grammar, &mut cases);
        cases
    };
    assert_eq!(read(), Cases::default());
    fs::write(&path, b"accept \"x\"\n\naccept: bytes\n| \xff\n").expect("writable");
    let cases = read();
    assert_eq!((cases.list.len(), &cases.file), (0, &Some(path.clone())));
    assert_eq!(cases.problems[0].position, Some(Position { line: 4, column: 1 }));
    assert!(cases.problems[0].message.contains("is not UTF-8"), "{:?}", cases.problems);
    fs::write(&path, vec![b'\n'; MAX_FILE_BYTES + 1]).expect("writable");
    assert!(read().problems[0].message.contains("8192 KiB"), "{:?}", read().problems);
    fs::write(&path, format!("accept: long\n| {}\naccept \"x\"\n", "x".repeat(MAX_BYTES + 1)))
        .expect("writable");
    let cases = read();
    assert_eq!(cases.list.len(), 1);
    assert!(cases.problems[0].message.contains("1024 KiB"), "{:?}", cases.problems);
    fs::remove_file(&path).expect("it is there");
    fs::create_dir(&path).expect("writable");
    assert!(read().problems[0].message.contains("is a folder"), "{:?}", read().problems);
}
