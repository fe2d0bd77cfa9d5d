//! Findings about a text: what is wrong, where, how to fix it. Data only; rendering is elsewhere.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;

use super::codes;
use super::fix::Fix;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text can be used, and will surprise.
    Warning,
}

impl Severity {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One finding about a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for this kind of finding: `undefined-name`, `single-quotes`.
    pub code: &'static str,
    /// The number of this kind, under which [`codes`] explains it: `M050`.
    pub number: &'static str,
    /// The place, in bytes of the text. Empty at the start of the text if nothing can be pointed at.
    pub span: Range<usize>,
    /// The place's first character, for people.
    pub start: Position,
    /// One past the place's last character.
    pub end: Position,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// How to fix it, if that is known.
    pub help: Option<String>,
    /// The change of the text that fixes it, if one can be made.
    pub fix: Option<Box<Fix>>,
}

impl Diagnostic {
    /// An error at `span` of `text`. The span is moved to character boundaries inside the text.
    pub fn error(text: &str, span: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        let start = floor_boundary(text, span.start);
        let end = ceil_boundary(text, span.end).max(start);
        Self {
            severity: Severity::Error,
            code,
            number: codes::number(code),
            span: start..end,
            start: Position::of(text, start),
            end: Position::of(text, end),
            message: message.into(),
            help: None,
            fix: None,
        }
    }

    /// The same finding with a hint how to fix it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A place in a text: both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The position of the byte `offset` of `text`.
    ///
    /// ```
    /// use maze::engine::Position;
    /// assert_eq!(Position::of("é\nab", 4), Position { line: 2, column: 2 });
    /// ```
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..floor_boundary(text, offset)];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// Every character of a text; a byte that is no part of one counts as one.
pub(super) fn characters(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let lengths = text
        .utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars().map(char::len_utf8).chain(chunk.invalid().iter().map(|_| 1)));
    lengths.scan(0, |at, length| {
        *at += length;
        Some(*at - length..*at)
    })
}

/// A text that may be no UTF-8 as it is shown, and where in that the character begins that has the byte
/// `at`: characters that stand for bytes are longer than those.
///
/// ```
/// use maze::engine::diagnostic::shown;
/// assert_eq!(shown("é€".as_bytes(), 1), ("é€".into(), 0));
/// assert_eq!(shown(b"\xffab", 2), ("\u{fffd}ab".into(), 4));
/// ```
pub fn shown(text: &[u8], at: usize) -> (Cow<'_, str>, usize) {
    let at = at.min(text.len());
    let is_inside = |&start: &usize| {
        let first = text[start..].utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        first.is_some_and(|c| at - start < c.len_utf8())
    };
    let start = (at.saturating_sub(3)..=at).find(is_inside).unwrap_or(at);
    (String::from_utf8_lossy(text), String::from_utf8_lossy(&text[..start]).len())
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut i = offset.min(text.len());
    while !text.is_char_boundary(i) {
        i -= 1;
    }
    i
}

fn ceil_boundary(text: &str, offset: usize) -> usize {
    let mut i = offset.min(text.len());
    while !text.is_char_boundary(i) {
        i += 1;
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole() {
        let all = |text: &[u8]| characters(text).collect::<Vec<_>>();
        assert_eq!(all("é\u{1f980}x".as_bytes()), [0..2, 2..6, 6..7]);
        assert_eq!(all(b"a\xff\xc3"), [0..1, 1..2, 2..3]);
        assert!(all(b"").is_empty());
    }
}
