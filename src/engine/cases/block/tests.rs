//! Blocks are read as they are meant, whatever is written comes back, and comments stay comments.

use super::*;
use crate::engine::cases::lines::tests::{Written, written};
use crate::engine::cases::{At, Beside, MAX_CASES, Wants};
use crate::engine::diagnostic::Position;

fn of(source: &GrammarSource) -> Cases {
    Cases::of(source, &Beside::Nothing)
}

fn lark(text: &str) -> Cases {
    of(&GrammarSource::lark("g.lark", text))
}

fn texts(cases: &Cases) -> Vec<(&str, Wants, &str)> {
    cases
        .list
        .iter()
        .map(|case| (case.name.as_str(), case.wants, std::str::from_utf8(&case.text).expect("UTF-8")))
        .collect()
}

#[test]
fn both_forms_are_read() {
    let cases = lark(
        "// accept \"1 + 2\\n\"\n// reject @1:5 \"1 + * 2\"\nstart: \"x\"\n# reject: two rows\n\
         \t//| a\n// |  b\n//|\n// |c\n\n// reject @end:\n// |\n",
    );
    let at = |line, column| Wants::Reject(Some(At::Position(Position { line, column })));
    assert_eq!(
        texts(&cases),
        [
            ("line 1", Wants::Accept, "1 + 2\n"),
            ("line 2", at(1, 5), "1 + * 2"),
            ("two rows", Wants::Reject(None), "a\n b\n\nc"),
            ("line 10", Wants::Reject(Some(At::End)), ""),
        ]
    );
    assert_eq!(cases.problems, []);
}

#[test]
fn ordinary_comments_are_no_cases() {
    let cases = lark(
        "// accepts numbers\n// accept everything that follows:\n// accept all of \"a\" and \"b\"\n\
         // reject\n// reject: what does not fit\nstart: \"x\"\n// | a table | of things |\n//accept\n",
    );
    assert_eq!((cases.list.len(), cases.problems.len()), (0, 0), "{cases:?}");
    // In a language without comments nothing is one.
    let json = GrammarSource::json_schema("s.json", "{\"description\": \"\n// accept \\\"x\\\"\n\"}");
    assert_eq!(of(&json), Cases::default());
    assert_eq!(of(&GrammarSource::regex("r.regex", "a\n# accept \"a\"")), Cases::default());
    assert_eq!(of(&GrammarSource::regex("r.regex", "(?x)a\n# accept \"a\"")).list.len(), 1);
    assert_eq!(of(&GrammarSource::gbnf("g.gbnf", "# accept \"a\"\n// accept \"a\"")).list.len(), 1);
}

#[test]
fn a_case_may_be_for_an_entry_point() {
    let cases = lark(
        "// accept body: two\n// | a\n// |\n// reject expression @2:5: name\n// | b\n// accept _x1 \"c\"\n\
         // reject body @end \"d\"\n// accept: last\n// | e\n// accept numbers:\n// accept all: of them\n",
    );
    let listed: Vec<_> = cases.list.iter().map(|c| (c.entry.as_deref(), &*c.name, &*c.text)).collect();
    assert_eq!(
        listed,
        [
            // Those of the grammar's own start first.
            (None, "last", &b"e"[..]),
            (Some("body"), "two", b"a\n"),
            (Some("expression"), "name", b"b"),
            (Some("_x1"), "line 6", b"c"),
            (Some("body"), "line 7", b"d"),
        ]
    );
    assert_eq!(cases.list[2].wants, Wants::Reject(At::parse("2:5")));
    assert_eq!(cases.problems, []);
}

#[test]
fn what_is_almost_a_case_is_told() {
    for (line, wanted) in [
        ("// accept:", "without a text"),
        ("// reject @1:5:", "without a text"),
        ("// accept @1:5 \"x\"", "leave out the `@`"),
        ("// reject @1:0 \"x\"", "`@1:0` is no place"),
        ("// reject @end x", "a colon or a text in quotes"),
        ("// accept \"x", "one string as JSON"),
        ("// accept \"x\" and more", "one string as JSON"),
        ("// accept \"\\x\"", "one string as JSON"),
    ] {
        let cases = lark(&format!("start: \"x\"\n{line}\n"));
        assert_eq!(cases.list, [], "{line}");
        let [problem] = &*cases.problems else { panic!("{line}: {:?}", cases.problems) };
        assert!(problem.message.contains(wanted), "{line}: {}", problem.message);
        assert_eq!(problem.position, Some(Position { line: 2, column: 1 }));
    }
}

#[test]
fn every_text_comes_back() {
    for source in [GrammarSource::lark("g", "start: \"x\""), GrammarSource::gbnf("g", "root ::= \"x\"\n\n")] {
        for Written { wants, name, text } in written() {
            let lines =
                write(&source, &New { entry: None, wants, name, text: text.as_bytes() }).expect("UTF-8");
            // Between others of its kind, and in a file with the line ends of Windows.
            let twice = append(&append(&source.text, &lines), &lines);
            for grammar in [twice.clone(), twice.replace('\n', "\r\n"), append(&source.text, &lines)] {
                let cases = of(&GrammarSource { text: grammar.clone(), ..source.clone() });
                assert!(!cases.list.is_empty() && cases.problems.is_empty(), "{lines}");
                for case in &cases.list {
                    assert_eq!((case.wants, &*case.text), (wants, text.as_bytes()), "{lines}");
                    let Origin::Block(place) = &case.origin else { panic!("{case:?}") };
                    let block = &grammar[place.span.clone()];
                    assert!(lines.starts_with(block.replace("\r\n", "\n").as_str()), "{block}");
                    let quoted = block.contains(" \"") && !block.contains('\n');
                    for (offset, c) in text.char_indices().filter(|(_, c)| *c != '\n' || quoted) {
                        let there = &grammar[place.of(offset)..];
                        let is_there = there.starts_with(c) || (quoted && there.starts_with('\\'));
                        assert!(is_there, "{offset} of {text:?} in {block}");
                    }
                }
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_not_written() {
    let new = |text| New { entry: None, wants: Wants::Accept, name: "", text };
    assert_eq!(write(&GrammarSource::lark("g", ""), &new(b"\xff")), None);
    assert_eq!(write(&GrammarSource::json_schema("g", "{}"), &new(b"x")), None);
}

#[test]
fn there_are_no_more_than_can_be_run() {
    let cases = lark(&"// accept \"x\"\n".repeat(MAX_CASES + 3));
    assert_eq!(cases.list.len(), MAX_CASES);
    assert!(cases.problems[0].message.starts_with("3 cases are left out"), "{:?}", cases.problems);
}

#[test]
fn the_examples_of_a_schema_are_cases() {
    let text = r#"{"type": "object", "examples": [{"b": 1, "a": "x y"}, 3], "properties": {}}"#;
    let cases = of(&GrammarSource::json_schema("s.json", text));
    assert_eq!(
        texts(&cases),
        [("example 1", Wants::Accept, r#"{"b":1,"a":"x y"}"#), ("example 2", Wants::Accept, "3")]
    );
}
