//! Makes text safe and honest to show in a terminal.
//!
//! Model output, file names, error texts and model metadata are written by others and may hold
//! escape sequences, direction overrides or invisible characters. Everything that reaches a screen,
//! a title, a log or the clipboard passes here first. Nothing is dropped: what cannot be shown as
//! itself is shown as a name, so that a person sees that it is there.
//!
//! This file must never know who wrote the text: all text is treated the same.

use std::borrow::Cow;
use std::fmt::Write;

/// How a character is shown if it must not reach a terminal as itself; `None` if it may.
///
/// C0 controls and DEL become control pictures (`␛`), all others their code point (`⟨U+202E⟩`).
/// Newline and tab are controls here too: whoever lays text out handles them before asking.
///
/// ```
/// use maze::sanitize::stand_in;
/// assert_eq!(stand_in('\u{1b}').as_deref(), Some("␛"));
/// assert_eq!(stand_in('\u{202e}').as_deref(), Some("⟨U+202E⟩"));
/// assert_eq!(stand_in('é'), None);
/// ```
pub fn stand_in(c: char) -> Option<Cow<'static, str>> {
    if !is_deceptive(c) {
        return None;
    }
    let picture = match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        _ => None,
    };
    Some(match picture {
        Some(picture) => Cow::Owned(picture.to_string()),
        None => Cow::Owned(format!("⟨U+{:04X}⟩", c as u32)),
    })
}

/// `text` with every deceptive character replaced by its [`stand_in`]; newlines and tabs stay.
/// For text of several lines, such as the output of a command.
pub fn visible(text: &str) -> Cow<'_, str> {
    replace(text, |c| matches!(c, '\n' | '\t'))
}

/// `text` on one line: newlines and tabs are replaced as well. For names, titles and messages.
pub fn line(text: &str) -> Cow<'_, str> {
    replace(text, |_| false)
}

/// The bytes of one token on one line, so that its shape can be seen: spaces as `·`, newlines as
/// `⏎`, tabs as `⇥`, bytes that are no UTF-8 as `⟨E2⟩`.
pub fn token(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 4);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                ' ' => out.push('·'),
                '\n' => out.push('⏎'),
                '\t' => out.push('⇥'),
                _ => match stand_in(c) {
                    Some(name) => out.push_str(&name),
                    None => out.push(c),
                },
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(out, "⟨{byte:02X}⟩");
        }
    }
    out
}

fn replace(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_deceptive(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match stand_in(c) {
            Some(name) if !keep(c) => out.push_str(&name),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Characters that steer a terminal, reorder text, or are there without being seen.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'       // C0, DEL, C1
        | '\u{ad}' | '\u{34f}' | '\u{61c}'          // soft hyphen, grapheme joiner, Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' // Khmer vowels, Mongolian selectors
        | '\u{200b}'..='\u{200f}'                   // zero width, direction marks
        | '\u{2028}'..='\u{202e}'                   // line separators, direction overrides
        | '\u{2060}'..='\u{206f}'                   // word joiner, direction isolates
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}'      // selectors without a known glyph, byte order mark
        | '\u{fff9}'..='\u{fffb}'                   // interlinear annotation
        | '\u{e0000}'..='\u{e0fff}'                 // tags, more selectors
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may reach a terminal: no control characters but the ones the caller asked for.
    #[test]
    fn no_control_character_survives() {
        let all: String = ('\0'..='\u{ffff}').collect();
        assert!(!line(&all).chars().any(char::is_control));
        assert!(visible(&all).chars().filter(|c| c.is_control()).all(|c| c == '\n' || c == '\t'));
    }

    #[test]
    fn every_zero_width_character_that_stands_alone_is_named() {
        use unicode_width::UnicodeWidthChar;
        // Combining marks have width 0 and are seen; format characters (Cf) are not.
        for c in ['\u{200b}', '\u{200d}', '\u{2066}', '\u{feff}', '\u{e0001}', '\u{e0101}', '\u{ad}'] {
            let named = stand_in(c).unwrap_or_else(|| panic!("{:x}", c as u32));
            assert!(named.chars().all(|c| c.width().is_some_and(|w| w > 0)), "{named}");
        }
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(visible("fn main() {\n\tok\n}"), Cow::Borrowed(_)));
        assert!(matches!(line("Grüße 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn escape_sequences_become_pictures() {
        assert_eq!(line("\u{1b}]0;owned\u{7}"), "␛]0;owned␇");
        assert_eq!(visible("a\u{9b}31mb\r\n"), "a⟨U+009B⟩31mb␍\n");
    }

    #[test]
    fn tokens_show_their_shape() {
        assert_eq!(token(b" if\n"), "·if⏎");
        assert_eq!(token(b"\xe2\x82"), "⟨E2⟩⟨82⟩");
        assert_eq!(token("\u{202e}x".as_bytes()), "⟨U+202E⟩x");
    }
}
