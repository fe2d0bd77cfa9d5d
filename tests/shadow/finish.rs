//! How a text could end soonest: what is given completes the text, and nothing shorter does.

use maze::engine::cases::{Beside, Cases};
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
    let (mut exact, mut all) = (0, 0);
    for shipped in library::ALL {
        let grammar = compile(&shipped.source());
        let cases = Cases::of(&shipped.source(), &Beside::Shipped).list;
        let text = cases.first().expect("an example").text.clone();
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

#[test]
fn what_is_called_endless_is() {
    let endless = |lark: &str, text: &str| after(lark, text).is_endless();
    for (lark, text, is_endless) in [
        ("start: \"a\" loop\nloop: \"b\" loop", "", true),
        ("start: \"a\" loop\nloop: \"b\" loop", "abb", true),
        ("start: \"a\" loop\nloop: \"b\" loop | \"c\"", "abb", false),
        ("start: \"x\" | \"a\" loop\nloop: \"b\" loop", "", false),
        ("start: \"x\" | \"a\" loop\nloop: \"b\" loop", "a", true),
        // A terminal that nothing matches.
        ("start: \"a\" (NO | \"b\" NO)\nNO: /[a-z]/ & /[0-9]/", "a", true),
        // A text is as complete after what is ignored as before it.
        ("start: a | a loop\na: \"a\"\nloop: \"b\" loop\n%ignore /#[^\\n]*\\n/", "a#x", false),
        // A token that stands for itself is a way to the end.
        ("start: \"a\" <|end|>", "a", false),
    ] {
        assert_eq!(endless(lark, text), is_endless, "{lark}\n{text:?}");
    }
    let dead = "start: \"a\" f::0\nf::_: \"x\" %if eq(_, 5) | \"b\" f::_";
    assert_eq!((endless(dead, "a"), nearest(dead, "a").as_str()), (true, "Never"));
    // With arguments without bound, llguidance may allow what they forbid: where two uses wait in one
    // place, the end of either is the end of both.
    let dead = "start: \"a\" f::0 n::0\nf::_: \"x\" %if eq(_, 5) | \"b\" f::_\nn::_: \"\" | \"n\" n::incr(_)";
    assert_eq!((endless(dead, "a"), nearest(dead, "a").as_str()), (false, "Unknown { at_least: 1 }"));
    assert!(endless("start: \"a\" f::0\nf::_: \"b\" f::incr(_) | \"c\" f::incr(_)", "ab"));
}

/// Where a search for the shortest text of a terminal ends before it is through, or a text is too
/// long to be spelled out, nothing is claimed.
#[test]
fn what_is_only_far_is_not_called_endless() {
    let far = after("start: \"a\" LONG\nLONG: /[ab]{7000}/", "a");
    assert!(!far.is_endless() && far.nearest_end() == NearestEnd::Unknown { at_least: 5001 });
    // Each rule is twice the one before: 2^40 bytes.
    let doubled: Vec<String> = (1..=40).map(|n| format!("r{n}: r{} r{}", n - 1, n - 1)).collect();
    let lark = format!("start: \"a\" r40\nr0: \"x\"\n{}", doubled.join("\n"));
    let far = after(&lark, "ax");
    assert!(!far.is_endless());
    let NearestEnd::Unknown { at_least } = far.nearest_end() else { panic!("{:?}", far.nearest_end()) };
    assert!(at_least > 1 << 30, "{at_least}");
}
