//! Random texts of a grammar, byte by byte, by nothing but what the constraint allows.

use maze::engine::constraint::Constraint;

use crate::random::Random;

/// A text of the grammar at whose start `constraint` is. Every text has an end, so a dead end or a
/// limit of the parser is a failure.
pub fn walk(mut constraint: Constraint, random: &mut Random) -> String {
    let mut text = Vec::new();
    let mut expected = constraint.feed(b"").expect("within the limits").expected;
    loop {
        let can_end = constraint.is_accepting().expect("within the limits");
        if expected.is_empty() || can_end && random.below(4) == 0 {
            let text = String::from_utf8(text).expect("grammars of types are ASCII");
            assert!(can_end, "a dead end after {text:?}");
            return text;
        }
        let byte = chosen(&expected, random);
        let fed = constraint.feed(&[byte]).expect("within the limits");
        assert_eq!(fed.taken, 1, "an expected byte is taken");
        text.push(byte);
        expected = fed.expected;
    }
}

/// One of the bytes. Texts in quotes end soon, and a number is one choice of many: or most of what is
/// walked would be in them.
fn chosen(expected: &[u8], random: &mut Random) -> u8 {
    let is_quoted = expected.len() > 60 && expected.contains(&b'"');
    if is_quoted && random.below(4) == 0 {
        return b'"';
    }
    let others: Vec<u8> = expected.iter().copied().filter(|b| !b.is_ascii_digit()).collect();
    let from = if others.is_empty() || random.below(8) == 0 { expected } else { &others };
    from[random.below(from.len())]
}
