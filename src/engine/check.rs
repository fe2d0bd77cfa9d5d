//! Whether a text follows a grammar, and if not, the first byte that does not.
//!
//! The answer is about bytes: it does not depend on how a model would cut the text into tokens.
//! Special tokens have no bytes, so a grammar that asks for one accepts no text here.

use super::constraint::{Constraint, ConstraintStop};
use super::diagnostic::Position;
use super::grammar::Compiled;
use super::trace::FinishReason;

/// What a grammar says to a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is a complete text of the grammar.
    Accepted,
    /// It is the beginning of a text of the grammar.
    Incomplete {
        /// The bytes that could follow, rising.
        expected: Vec<u8>,
    },
    /// It cannot be continued to a text of the grammar.
    Rejected(Rejection),
}

/// The place where a text leaves a grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The first byte that the grammar does not allow, counted from 0.
    pub offset: usize,
    /// Its line and its column in characters. Bytes that are not UTF-8 count as one each.
    pub position: Position,
    /// The bytes that the grammar allows there, rising.
    pub expected: Vec<u8>,
    /// Whether the text before it is complete.
    pub could_end: bool,
}

/// Why it cannot be told whether a text follows a grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// The text takes the grammar past llguidance's limits.
    Limit(ConstraintStop),
    /// The caller did not want to wait any longer.
    Stopped,
}

/// Bytes that are compared between two questions whether to go on.
const PART: usize = 512;

/// Compares `text` with a grammar.
///
/// # Errors
/// If the text takes the grammar past llguidance's limits.
pub fn check_text(grammar: &Compiled, text: &[u8]) -> Result<Verdict, ConstraintStop> {
    check_text_while(grammar, text, &mut || true).map_err(|undecided| match undecided {
        Undecided::Limit(stop) => stop,
        Undecided::Stopped => {
            ConstraintStop { reason: FinishReason::Cancelled, message: "cancelled".to_owned() }
        }
    })
}

/// Compares `text` with a grammar as long as `go_on` says so. It is asked every few hundred bytes.
///
/// # Errors
/// [`Undecided`].
pub fn check_text_while(
    grammar: &Compiled,
    text: &[u8],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Verdict, Undecided> {
    let mut constraint = grammar.constraint();
    let (taken, expected) = feed(&mut constraint, text, go_on)?;
    if taken == text.len() {
        let is_complete = constraint.is_accepting().map_err(Undecided::Limit)?;
        return Ok(if is_complete { Verdict::Accepted } else { Verdict::Incomplete { expected } });
    }
    // The constraint stands before the token that was refused, not before the byte.
    let mut before = grammar.constraint();
    feed(&mut before, &text[..taken], go_on)?;
    Ok(Verdict::Rejected(Rejection {
        offset: taken,
        position: position(text, taken),
        expected,
        could_end: before.is_accepting().map_err(Undecided::Limit)?,
    }))
}

/// [`check_text_while`] where only that counts whether the text is accepted.
///
/// # Errors
/// Why there is no answer.
pub fn accepts_while(
    grammar: &Compiled,
    text: &[u8],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<bool, Undecided> {
    let mut constraint = grammar.constraint();
    let (taken, _) = feed(&mut constraint, text, go_on)?;
    Ok(taken == text.len() && constraint.is_accepting().map_err(Undecided::Limit)?)
}

/// Feeds a text in parts; how many of its bytes went in, and which could follow those.
fn feed(
    constraint: &mut Constraint,
    text: &[u8],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(usize, Vec<u8>), Undecided> {
    let mut taken = 0;
    loop {
        let mut end = text.len().min(taken + PART);
        // Not every vocabulary has tokens for the parts of a character.
        while end < text.len() && end > taken + PART - 4 && text[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        let fed = constraint.feed(&text[taken..end]).map_err(Undecided::Limit)?;
        taken += fed.taken;
        if taken < end || end == text.len() {
            return Ok((taken, fed.expected));
        }
        if !go_on() {
            return Err(Undecided::Stopped);
        }
    }
}

/// The line and the column, in characters, of a byte of a text. Bytes that are not UTF-8 count as one
/// character each.
pub fn position(text: &[u8], offset: usize) -> Position {
    let before: String = text[..offset.min(text.len())]
        .utf8_chunks()
        .flat_map(|chunk| {
            let invalid = chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER);
            chunk.valid().chars().chain(invalid)
        })
        .collect();
    Position::of(&before, before.len())
}

/// A set of bytes in words: `"a" to "z", "_" or a line break`. Long sets are cut short.
pub fn describe(bytes: &[u8]) -> String {
    const MOST: usize = 8;
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for &byte in bytes {
        match runs.last_mut() {
            // Only letters and digits have an order that people know.
            Some((_, last)) if byte == *last + 1 && same_class(*last, byte) => *last = byte,
            _ => runs.push((byte, byte)),
        }
    }
    let mut words: Vec<String> = Vec::new();
    for &(from, to) in &runs {
        let word = match to - from {
            1.. if from < b' ' => "a control character".to_owned(),
            _ if from >= 0x80 => "a character outside of ASCII".to_owned(),
            0 => name(from),
            1 => format!("{} or {}", name(from), name(to)),
            _ => format!("{} to {}", name(from), name(to)),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let more = words.len().saturating_sub(MOST);
    words.truncate(MOST);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    match words.pop() {
        None => "the end of the text".into(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
    }
}

fn same_class(a: u8, b: u8) -> bool {
    let class = |x: u8| match x {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        0x80.. => 4,
        b'\t' | b'\n' | b' '..0x80 => 0,
        _ => 5,
    };
    class(a) == class(b) && class(a) != 0
}

fn name(byte: u8) -> String {
    match byte {
        b'\n' => "a line break".into(),
        b'\t' => "a tab".into(),
        b' ' => "a space".into(),
        0x21..0x7f => format!("`{}`", char::from(byte)),
        _ => format!("byte 0x{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_sets_read_as_words() {
        assert_eq!(describe(b""), "the end of the text");
        assert_eq!(describe(b"x"), "`x`");
        assert_eq!(describe(b"\n 01"), "a line break, a space or `0` or `1`");
        assert_eq!(describe(b"()_abcd"), "`(`, `)`, `_` or `a` to `d`");
        assert_eq!(describe(&(0x80..0xf5).collect::<Vec<u8>>()), "a character outside of ASCII");
        let all_but = |byte: u8| (0..0x21).filter(|b| *b != byte).collect::<Vec<u8>>();
        assert_eq!(describe(&all_but(b'\n')), "a control character, a tab or a space");
        assert_eq!(describe(b"!\"#$%&'()*"), "`!`, `\"`, `#`, `$`, `%`, `&`, `'`, `(` or 2 more");
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(position("é\nüx".as_bytes(), 5), Position { line: 2, column: 2 });
        assert_eq!(position(b"\xff\xfex", 2), Position { line: 1, column: 3 });
    }
}
