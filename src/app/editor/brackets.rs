//! Brackets that belong together.
//!
//! Brackets in `"strings"` are text: from outside they are passed over, and one inside of a string has
//! its partner in the same string. A string ends with its line.

use crate::ui::wrap::{Lines, Place};

/// The partner is looked for in so many bytes; what is farther away is not on the screen either.
const REACH: usize = 256 * 1024;

/// Lines longer than this are data; nobody pairs brackets in them by eye.
const MAX_LINE: usize = 64 * 1024;

const PAIRS: [(u8, u8); 3] = [(b'(', b')'), (b'[', b']'), (b'{', b'}')];

/// The bracket at the caret, or before it if there is none, and its partner.
pub fn pair(text: &dyn Lines, caret: Place) -> Option<(Place, Place)> {
    let before = caret.byte.checked_sub(1).map(|byte| Place { byte, ..caret });
    [Some(caret), before].into_iter().flatten().find_map(|at| Some((at, partner(text, at)?)))
}

/// The bracket that belongs to the one at `at`.
fn partner(text: &dyn Lines, at: Place) -> Option<Place> {
    let bracket = *text.line(at.line).as_bytes().get(at.byte)?;
    let &(open, close) = PAIRS.iter().find(|(open, close)| *open == bracket || *close == bracket)?;
    let forward = bracket == open;
    if text.line(at.line).len() > MAX_LINE {
        return None;
    }
    let own = strings(text.line(at.line));
    let home = own.get(at.byte).copied().flatten();
    let (mut depth, mut left, mut line) = (0usize, REACH, at.line);
    loop {
        let bytes = text.line(line).as_bytes();
        let of = if line == at.line { own.clone() } else { strings(text.line(line)) };
        let mut count = |byte: usize| {
            if of[byte] != home || (bytes[byte] != open && bytes[byte] != close) {
                return false;
            }
            depth = if bytes[byte] == bracket { depth + 1 } else { depth.saturating_sub(1) };
            depth == 0
        };
        let found = match (forward, line == at.line) {
            (true, same) => (if same { at.byte } else { 0 }..bytes.len()).find(|&byte| count(byte)),
            (false, same) => {
                (0..if same { at.byte + 1 } else { bytes.len() }).rev().find(|&byte| count(byte))
            }
        };
        if let Some(byte) = found {
            return Some(Place { line, byte });
        }
        left = left.checked_sub(bytes.len() + 1)?;
        let is_last = if forward { line + 1 >= text.count() } else { line == 0 };
        // A string does not go on in another line.
        if is_last || home.is_some() {
            return None;
        }
        line = if forward { line + 1 } else { line - 1 };
        if text.line(line).len() > MAX_LINE {
            return None;
        }
    }
}

/// For every byte of a line, the string that it is in, by where that begins.
fn strings(line: &str) -> Vec<Option<usize>> {
    let bytes = line.as_bytes();
    let mut of = vec![None; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => match end_of_string(&bytes[at + 1..]) {
                // One that does not end is a quotation mark, no more.
                None => at += 1,
                Some(length) => {
                    let end = at + 1 + length;
                    of[at + 1..end].fill(Some(at));
                    at = end + 1;
                }
            },
            _ => at += 1,
        }
    }
    of
}

/// How many bytes come before the quotation mark that ends a string.
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::editor::EditorBuffer;

    fn found(text: &str, line: usize, byte: usize) -> Option<(Place, Place)> {
        pair(&EditorBuffer::new(text), Place { line, byte })
    }

    #[test]
    fn partners_are_found_over_lines_and_nesting() {
        let text = "a: (b [c]\n  | {d})\n)";
        let at = |line, byte| Place { line, byte };
        assert_eq!(found(text, 0, 3), Some((at(0, 3), at(1, 7))));
        assert_eq!(found(text, 1, 7), Some((at(1, 7), at(0, 3))));
        assert_eq!(found(text, 0, 9), Some((at(0, 8), at(0, 6))), "the one before the caret counts");
        assert_eq!(found(text, 2, 0), None);
        assert_eq!(found(text, 0, 0), None);
    }

    #[test]
    fn strings_are_text() {
        let at = |byte| Place { line: 0, byte };
        let text = r#"( ")" "(\"x)" ) ""#;
        assert_eq!(found(text, 0, 0), Some((at(0), at(14))));
        assert_eq!(found(text, 0, 3), None);
        assert_eq!(found(text, 0, 7), Some((at(7), at(11))));
        assert_eq!(found("é(日)", 0, 2), Some((at(2), at(6))));
        assert_eq!(found("\"(\n)", 0, 1), Some((at(1), Place { line: 1, byte: 0 })));
    }

    /// Every bracket's partner has that bracket for its own.
    #[test]
    fn partners_are_mutual() {
        let mut seed = 88172645463325252u64;
        for _ in 0..300 {
            let text: String = (0..40)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    ['(', ')', '[', ']', '"', '\\', '\n', 'é'][(seed % 8) as usize]
                })
                .collect();
            let b = EditorBuffer::new(&text);
            for line in 0..b.count() {
                for byte in 0..b.line(line).len() {
                    let at = Place { line, byte };
                    if let Some(other) = partner(&b, at) {
                        assert_eq!(partner(&b, other), Some(at), "{text:?} {at:?} {other:?}");
                    }
                }
            }
        }
    }
}
