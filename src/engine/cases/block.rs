//! Cases in the text of a grammar, as comments.
//!
//! A short text stands in quotes, written as in JSON, on one line:
//!
//! ```text
//! // accept "1 + 2"
//! // reject @1:5 "1 + * 2"
//! // reject @end "(1"
//! ```
//!
//! A longer one stands in lines of its own, each after a bar and a blank; it may have a name. Between
//! two lines is a line break, so that a text that ends with one ends in an empty line:
//!
//! ```text
//! // accept: a table of two rows
//! // | name,age
//! // | Ada,36
//! // |
//! ```
//!
//! In GBNF, and in a regular expression that begins with `(?x)`, comments begin with `#`. Any text of
//! UTF-8 can be written in one of these forms ([`write()`]) and is the same text when it is read again.
//! A comment that does not have one of these forms is no case.

use std::ops::Range;

use super::{At, Case, Cases, Origin, Problem, Wants};
use crate::engine::diagnostic::Position;
use crate::engine::grammar::{GrammarKind, GrammarSource};
use crate::sanitize;

/// Where a block stands in the text of its grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its lines, without the last line break, in bytes of the grammar.
    pub span: Range<usize>,
    /// For the first byte of every part of the case's text, the byte of the grammar.
    parts: Vec<(usize, usize)>,
}

impl Place {
    /// The byte of the grammar where the byte `offset` of the case's text stands.
    pub fn of(&self, offset: usize) -> usize {
        let at = self.parts.partition_point(|(text, _)| *text <= offset);
        let part = at.checked_sub(1).and_then(|i| self.parts.get(i));
        part.map_or(self.span.start, |(text, grammar)| (grammar + (offset - text)).min(self.span.end))
    }
}

/// What begins a comment.
fn marks(source: &GrammarSource) -> &'static [&'static str] {
    match source.kind {
        GrammarKind::Lark => &["//", "#"],
        GrammarKind::Gbnf => &["#"],
        GrammarKind::Regex if source.text.starts_with("(?x)") => &["#"],
        GrammarKind::Regex | GrammarKind::JsonSchema => &[],
    }
}

/// What a case in the text of this grammar begins with; `None` if none can stand there.
pub fn mark(source: &GrammarSource) -> Option<&'static str> {
    marks(source).first().copied()
}

/// What stands in a comment, and where: after the mark, without the blanks at its end.
struct Comment<'a> {
    text: &'a str,
    start: usize,
}

/// Reads the cases of a text.
pub(super) fn read(source: &GrammarSource, cases: &mut Cases) {
    let marks = marks(source);
    if marks.is_empty() {
        return;
    }
    let mut at = 0;
    let mut lines = Vec::new();
    for line in source.text.split_inclusive('\n') {
        lines.push((at, line.trim_end_matches('\n').trim_end_matches('\r')));
        at += line.len();
    }
    let comment = |i: usize| {
        let &(start, line) = lines.get(i)?;
        let inner = line.trim_start_matches([' ', '\t']);
        let text = marks.iter().find_map(|mark| inner.strip_prefix(mark))?;
        Some(Comment { text, start: start + line.len() - text.len() })
    };
    let mut i = 0;
    while i < lines.len() {
        let (start, line) = lines[i];
        let number = i + 1;
        i += 1;
        let Some(head) = comment(number - 1).and_then(|comment| head(&comment)) else { continue };
        let position = Some(Position { line: number, column: 1 });
        let Head { wants, name, quoted } = match head {
            Ok(head) => head,
            Err(message) => {
                cases.problems.push(Problem { file: None, position, message });
                continue;
            }
        };
        let mut place = Place { span: start..start + line.len(), parts: Vec::new() };
        let text = match quoted {
            Some(Ok((text, parts))) => {
                place.parts = parts;
                text
            }
            Some(Err(message)) => {
                cases.problems.push(Problem { file: None, position, message });
                continue;
            }
            None => {
                let mut text = String::new();
                while let Some((line, at)) = comment(i).and_then(|comment| body(&comment)) {
                    if !place.parts.is_empty() {
                        text.push('\n');
                    }
                    place.parts.push((text.len(), at));
                    text.push_str(line);
                    place.span.end = lines[i].0 + lines[i].1.len();
                    i += 1;
                }
                if place.parts.is_empty() {
                    // With a name it reads like any comment that ends in a colon and some words.
                    if name.is_empty() {
                        let message = "a case without a text: write it in quotes on this line, or on the next \
                                       ones after `|`";
                        cases.problems.push(Problem { file: None, position, message: message.into() });
                    }
                    continue;
                }
                text
            }
        };
        let name = if name.is_empty() { format!("line {number}") } else { name };
        cases.list.push(Case { name, wants, text: text.as_bytes().into(), origin: Origin::Block(place) });
    }
}

/// A text with the places of its parts, as in [`Place`].
type Quoted = (String, Vec<(usize, usize)>);

/// The first line of a case.
struct Head {
    wants: Wants,
    name: String,
    /// A text in quotes: the text with the places of its parts, or what is wrong with it.
    quoted: Option<Result<Quoted, String>>,
}

/// Reads a first line. `None` if it is an ordinary comment.
fn head(comment: &Comment<'_>) -> Option<Result<Head, String>> {
    let line = comment.text.trim_end();
    let inner = line.trim_start_matches([' ', '\t']);
    let (word, rest) = inner.split_at_checked(6)?;
    let mut wants = match word {
        "accept" => Wants::Accept,
        "reject" => Wants::Reject(None),
        _ => return None,
    };
    let mut rest = rest;
    let after_blanks = rest.trim_start_matches([' ', '\t']);
    if let Some(place) = after_blanks.strip_prefix('@').filter(|_| after_blanks.len() < rest.len()) {
        let end = place.find([' ', '\t']).unwrap_or(place.len());
        let (at, tail) = place.split_at(end);
        let (at, tail) = match at.strip_suffix(':') {
            Some(at) => (at, &place[end - 1..]),
            None => (at, tail),
        };
        wants = match (wants, At::parse(at)) {
            (Wants::Accept, _) => {
                return Some(Err("a case that is to be accepted has no place: leave out the `@`".into()));
            }
            (Wants::Reject(_), Some(at)) => Wants::Reject(Some(at)),
            (Wants::Reject(_), None) => {
                return Some(Err(format!("`@{at}` is no place: write @LINE:COLUMN, @BYTE or @end")));
            }
        };
        rest = tail;
    }
    let has_place = wants != Wants::Accept && wants != Wants::Reject(None);
    let after = rest.trim_start_matches([' ', '\t']);
    let has_colon = rest.starts_with(':');
    let text = if has_colon { rest[1..].trim_start_matches([' ', '\t']) } else { after };
    if text.starts_with('"') && (has_colon || after.len() < rest.len()) {
        let start = comment.start + line.len() - text.len();
        return Some(Ok(Head { wants, name: String::new(), quoted: Some(unquote(text, start)) }));
    }
    match (has_colon, has_place) {
        (true, _) => Some(Ok(Head { wants, name: text.to_owned(), quoted: None })),
        (false, true) => Some(Err("a case has a colon or a text in quotes after its place".into())),
        (false, false) => None,
    }
}

/// A line of a case's text, and where it begins.
fn body<'a>(comment: &Comment<'a>) -> Option<(&'a str, usize)> {
    let inner = comment.text.trim_start_matches([' ', '\t']).strip_prefix('|')?;
    let text = inner.strip_prefix(' ').unwrap_or(inner);
    Some((text, comment.start + comment.text.len() - text.len()))
}

/// Reads a text in quotes that begins at the byte `start` of the grammar.
fn unquote(quoted: &str, start: usize) -> Result<Quoted, String> {
    let text: String = serde_json::from_str(quoted)
        .map_err(|_| "the text must be one string as JSON writes it, and nothing after it".to_owned())?;
    let mut parts = vec![(0, start + 1)];
    let mut at = 1;
    for (offset, c) in text.char_indices() {
        let is_escaped = quoted[at..].starts_with('\\');
        at += match (is_escaped, quoted.as_bytes().get(at + 1)) {
            (true, Some(b'u')) => 6 * c.len_utf16(),
            (true, _) => 2,
            (false, _) => c.len_utf8(),
        };
        if is_escaped {
            parts.push((offset + c.len_utf8(), start + at));
        }
    }
    Ok((text, parts))
}

/// A case as comment lines, with a line break at the end; `None` if this grammar has no comments or
/// the text is not UTF-8.
pub fn write(source: &GrammarSource, wants: Wants, name: &str, text: &[u8]) -> Option<String> {
    let mark = marks(source).first()?;
    let text = std::str::from_utf8(text).ok()?;
    let head = match wants {
        Wants::Accept => "accept".to_owned(),
        Wants::Reject(None) => "reject".to_owned(),
        Wants::Reject(Some(At::Byte(byte))) => format!("reject @{byte}"),
        Wants::Reject(Some(At::Position(p))) => format!("reject @{}:{}", p.line, p.column),
        Wants::Reject(Some(At::End)) => "reject @end".to_owned(),
    };
    // What editors change or do not show is written out.
    let is_odd = |c: char| c != '\n' && c != '\t' && sanitize::stand_in(c).is_some();
    let is_fragile = text.contains(is_odd) || text.split('\n').any(|line| line.ends_with([' ', '\t']));
    if !text.contains('\n') || is_fragile {
        return Some(format!("{mark} {head} {}\n", quote(text)));
    }
    let name = sanitize::line(name);
    // A name in quotes would be taken for the text.
    let name = name.trim().trim_start_matches('"');
    let mut out = format!("{mark} {head}:{}{name}\n", if name.is_empty() { "" } else { " " });
    for line in text.split('\n') {
        out += &format!("{mark} |{}{line}\n", if line.is_empty() { "" } else { " " });
    }
    Some(out)
}

/// A text in quotes, as JSON writes it, of characters that can be seen.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            '\r' => out += "\\r",
            c if sanitize::stand_in(c).is_some() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out += &format!("\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text of a grammar with these lines at its end, after a blank one.
pub fn append(text: &str, lines: &str) -> String {
    let mut out = text.trim_end_matches(['\n', ' ', '\t']).to_owned();
    if !out.is_empty() {
        out += "\n\n";
    }
    out + lines
}

#[cfg(test)]
mod tests;
