//! What is too large to be followed or spelled out is said to be so, soon, and does no harm to what
//! comes after it.

use std::sync::Arc;

use maze::engine::grammar::GrammarSource;
use maze::engine::shadow::{Limit, NearestEnd};

use super::{after, compile, shadow};

/// A terminal that is only `x`; what else it could be is nothing at all, which takes long to see.
const HARD: &str = "A: \"x\" | H\nH: /[ab]*aa[ab]{13}c/ & ~/[ab]*a[ab]{14}c/";

#[test]
fn billions_of_lexemes_are_counted_and_not_spelled() {
    let billion = "start: a{1000000000}\na: \"x\" \"y\"";
    assert_eq!(shadow(billion).nearest_end(), NearestEnd::Unknown { at_least: 2_000_000_000 });
    assert_eq!(after(billion, "xyx").nearest_end(), NearestEnd::Unknown { at_least: 1_999_999_997 });
    let schema = r#"{"type": "array", "minItems": 100000000, "items": {"type": "boolean"}}"#;
    let schema = compile(&GrammarSource::json_schema("schema", schema)).shadow().expect("followed");
    let NearestEnd::Unknown { at_least } = schema.nearest_end() else { panic!("it is spelled") };
    assert_eq!(at_least, "[".len() + 100_000_000 * "true".len() + (100_000_000 - 1) * ",".len() + "]".len());
    assert!(matches!(shadow("start: a{30000}\na: \"x\" \"y\"").nearest_end(), NearestEnd::Text { .. }));
}

#[test]
fn lengths_past_all_numbers_are_still_lengths() {
    let most = NearestEnd::Unknown { at_least: u32::MAX as usize };
    for lark in [
        "start: a{2000000000} a{2000000000}\na: \"x\" \"y\"",
        "start: \"s\" (a{2000000000} b)\na: \"x\" \"y\"\nb: a{2000000000}",
    ] {
        assert_eq!(shadow(lark).nearest_end(), most, "{lark}");
    }
    assert_eq!(after("start: a{2000000000} a{2000000000}\na: \"x\" \"y\"", "x").nearest_end(), most);
}

#[test]
fn arguments_without_end_are_given_up() {
    let mut shadow = shadow("start: /[a-z]{30}/ f::0\nf::_: f::incr(_) \"a\" | \"b\"");
    assert_eq!(shadow.feed(&[b'x'; 30]), 29);
    assert!(matches!(shadow.limit(), Some(Limit::Items(_))), "{:?}", shadow.limit());
    // The byte that hit the bound is not there, so going back to before it forgets it.
    shadow.truncate(29);
    assert_eq!((shadow.limit(), shadow.place().limit), (None, None));
    assert!(shadow.next_bytes().contains(b'z'));
    // After that byte nothing more is known, and that is said.
    let after = after("start: /[a-z]{2,30}/ f::0\nf::_: f::incr(_) \"a\" | \"b\"", "xy");
    assert!(matches!(after.place().limit, Some(Limit::Items(_))));
    assert!(matches!(after.nearest_end(), NearestEnd::Unknown { .. }));
}

#[test]
fn what_was_not_found_is_not_said_to_be_missing() {
    assert_eq!(shadow("start: /[a-z]{6000}/").nearest_end(), NearestEnd::Unknown { at_least: 5001 });
    assert_eq!(after("start: /[a-z]{6000}/", "xx").nearest_end(), NearestEnd::Unknown { at_least: 5001 });
    assert_eq!(
        after("start: /[a-z]{6000}/", &"x".repeat(999)).nearest_end(),
        NearestEnd::Unknown { at_least: 5001 }
    );
    let text = |bytes: &str, at_least| NearestEnd::Text { bytes: bytes.into(), at_least };
    assert_eq!(after("start: /[a-z]{6000}/", &"x".repeat(1000)).nearest_end(), text(&"a".repeat(5000), 5000));
    assert_eq!(shadow("start: /[a-z]{6000}/ | \"yes\"").nearest_end(), text("yes", 3));
    // What was not found could be shorter.
    let seven = "start: /[a-z]{6000}/ | /[0-9]{500}/ /;{4000}/ /[0-9]{4000}/";
    let NearestEnd::Text { bytes, at_least } = shadow(seven).nearest_end() else { panic!("no text") };
    assert_eq!((bytes.len(), at_least), (8500, 5001));
}

#[test]
fn a_bound_of_the_terminals_harms_nothing_else() {
    let lark = format!("start: /[0-9]{{20}}/ A\n{HARD}");
    let digits = "12345678901234567890";
    let mut shadow = after(&lark, &digits[..10]);
    let (before, other) = (shadow.place(), after(&lark, digits));
    let rest = format!("{}a", &digits[10..]);
    assert_eq!(shadow.feed(rest.as_bytes()), 10);
    assert!(matches!(shadow.limit(), Some(Limit::Lexer(_))), "{:?}", shadow.limit());
    // Where a bound is hit on the way to an answer, the answer says so.
    let mut stuck = shadow.fork();
    stuck.truncate(20);
    assert!(matches!(stuck.place().limit, Some(Limit::Lexer(_))));
    assert!(stuck.next_bytes().is_empty());
    assert!(matches!(stuck.nearest_end(), NearestEnd::Unknown { .. }));
    assert!(stuck.push(b'x') && stuck.may_end());
    // Before that place, and in forks, all is as it was.
    shadow.truncate(10);
    assert_eq!(shadow.place(), before);
    assert_eq!(shadow.feed(&digits.as_bytes()[10..]), 10);
    let mut other = other.fork();
    assert!(other.push(b'x') && other.may_end() && !other.push(b'x'));
}

/// Terminals of many states, each of which is wanted once.
#[test]
fn many_states_are_followed_one_after_the_other() {
    let lark = "start: /[ab]*a[ab]{20}c/";
    let shadow = shadow(lark);
    let mut random = 1_u32;
    for _ in 0..40 {
        let mut here = shadow.fork();
        for at in 0..5_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            assert!(here.push(b"ab"[(random >> 31) as usize]), "{at}: {:?}", here.limit());
        }
    }
}

#[test]
fn uses_of_a_terminal_share_its_definition() {
    let lark = format!("start: NAME \"x\" | NAME \"y\"\nNAME: /{}/", "a".repeat(10_000));
    let place = shadow(&lark).place();
    let [first, second] = &place.expected[..] else { panic!("{:?}", place.expected) };
    assert_eq!(first.terminal.pattern.len(), 10_002);
    assert!(Arc::ptr_eq(&first.terminal.pattern, &second.terminal.pattern));
}
