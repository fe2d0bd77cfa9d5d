//! How a text could end soonest: what is given completes the text, and nothing shorter does.

use std::fs;
use std::path::Path;

use maze::engine::check::{Verdict, check_text};
use maze::engine::grammar::library;
use maze::engine::shadow::{NearestEnd, Shadow};

use super::{after, compile, shadow};

fn nearest(lark: &str, text: &str) -> String {
    match after(lark, text).nearest_end() {
        NearestEnd::Text { bytes, .. } => String::from_utf8(bytes).expect("readable"),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_is_missing_is_spelled_readably() {
    let json = "start: value\nvalue: \"{\" (pair (\",\" pair)*)? \"}\" | \"[\" value* \"]\" | STRING | \"null\"\n\
                pair: STRING \":\" value\nSTRING: /\"[^\"]*\"/\n%ignore / /";
    for (text, missing) in [
        ("", "[]"),
        ("{", "}"),
        ("{\"a", "\":[]}"),
        ("{\"a\"", ":[]}"),
        ("[[[{ ", "}]]]"),
        ("[n", "ull]"),
        ("{\"a\": null,", "\"\":[]}"),
    ] {
        let found = nearest(json, text);
        assert_eq!(found.len(), missing.len(), "{text:?}: {found:?}");
        let whole = format!("{text}{found}");
        assert!(after(json, &whole).may_end(), "{whole:?}");
    }
    assert_eq!(nearest(json, "{}"), "Here");
}

#[test]
fn words_that_would_read_as_one_are_kept_apart() {
    let lark = "start: \"if\" NAME \"then\" NAME\nNAME: /[a-z]+/\n%ignore / +/";
    assert_eq!(nearest(lark, "if"), "a thena");
    assert_eq!(nearest(lark, "if x th"), "ena");
}

#[test]
fn there_may_be_no_end() {
    let lark = "start: \"a\" b | \"c\"\nb: \"b\" b";
    assert_eq!(nearest(lark, "a"), "Never");
    assert_eq!(nearest(lark, ""), "c");
    let special = after("start: \"a\" <|end|>", "a").nearest_end();
    assert_eq!(special, NearestEnd::NeedsToken { token: "<|end|>".into() });
}

#[test]
fn parameters_are_counted() {
    let lark = "start: f::0\nf::_: \"x\" %if eq(_, 3) | \"a\" f::incr(_) %if lt(_, 3)";
    assert_eq!(nearest(lark, "a"), "aax");
}

/// The length of the shortest completion, found by trying everything.
fn shortest(shadow: &Shadow, most: usize) -> Option<usize> {
    let mut open = vec![shadow.fork()];
    for length in 0..=most {
        if open.iter().any(Shadow::may_end) {
            return Some(length);
        }
        let mut next = Vec::new();
        for here in open {
            next.extend(here.next_bytes().iter().map(|byte| {
                let mut on = here.fork();
                assert!(on.push(byte));
                on
            }));
        }
        open = next;
    }
    None
}

#[test]
fn nothing_shorter_completes_the_text() {
    for (lark, texts) in [
        ("start: e\ne: e \"+\" e | \"(\" e \")\" | /[01]+/", &["", "(", "((1+", "(1)+("][..]),
        ("start: \"a\" NAME+ \"ba\"\nNAME: /[ab]+/\n%ignore \" \"", &["", "a", "ab b", "ab"]),
        ("start: (A | B) \"!\"\nA: \"aaa\"\nB: \"b\" /c{4,}/", &["", "a", "b", "bcc"]),
        ("start: text+ \"!\"\ntext[suffix=\"--\"]: /a*/", &["", "a", "aa-"]),
    ] {
        for text in texts {
            let here = after(lark, text);
            let NearestEnd::Text { bytes, at_least } = here.nearest_end() else { panic!("{text:?}") };
            let best = shortest(&here, bytes.len()).expect("some end");
            assert_eq!((bytes.len(), at_least <= best), (best, true), "{lark}\n{text:?} {at_least}");
        }
    }
    assert_eq!(shortest(&shadow("start: \"abc\""), 2), None);
}

#[test]
fn every_beginning_of_every_example_can_be_completed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    let (mut exact, mut all) = (0, 0);
    for shipped in library::ALL {
        let grammar = compile(&shipped.source());
        let entry =
            fs::read_dir(folder.join(format!("{}.accept", shipped.name))).expect("examples").flatten().next();
        let text = fs::read(entry.expect("an example").path()).expect("a readable example");
        let mut shadow = grammar.shadow().expect("it can be followed");
        for (i, &byte) in text.iter().enumerate().take(400) {
            assert!(shadow.push(byte));
            if i % 7 != 0 {
                continue;
            }
            match shadow.nearest_end() {
                NearestEnd::Here => assert!(shadow.may_end()),
                NearestEnd::Text { bytes, at_least } => {
                    let whole = [shadow.text(), &bytes].concat();
                    let verdict = check_text(&grammar, &whole).expect("within the limits");
                    assert_eq!(verdict, Verdict::Accepted, "{}", String::from_utf8_lossy(&whole));
                    assert!(bytes.len() >= at_least);
                    exact += usize::from(bytes.len() == at_least);
                    all += 1;
                }
                other => {
                    panic!("{}: {other:?} after {:?}", shipped.name, String::from_utf8_lossy(shadow.text()))
                }
            }
        }
    }
    println!("{exact} of {all} completions have exactly the least length");
}
