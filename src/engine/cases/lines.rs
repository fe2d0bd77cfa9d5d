//! How cases are written in lines, in comments of a grammar ([`block`](super::block)) and in files of
//! cases ([`list`](super::list)).
//!
//! A short text stands in quotes, written as in JSON, on one line:
//!
//! ```text
//! accept "1 + 2"
//! reject @1:5 "1 + * 2"
//! reject @end "(1"
//! ```
//!
//! A longer one stands in lines of its own, each after a bar and a blank; it may have a name. Between
//! two lines is a line break, so that a text that ends with one ends in an empty line:
//!
//! ```text
//! accept: a table of two rows
//! | name,age
//! | Ada,36
//! |
//! ```
//!
//! Either may be for another entry point of the grammar, whose name stands after the first word:
//! `accept body: name`, `reject expression @2:5: name`, `accept expression "1 + 2"`.
//!
//! Any text of UTF-8 can be written in one of these forms ([`write()`]) and is the same text when it is
//! read again. This file must never decide what becomes of a line that has none of them.

use std::ops::Range;

use super::{At, Wants};
use crate::engine::diagnostic::Position;
use crate::sanitize;

/// Where a case in lines stands in the text that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its lines, without the last line break, in bytes of that text.
    pub span: Range<usize>,
    /// For the first byte of every part of the case's text, the byte of that text.
    parts: Vec<(usize, usize)>,
}

impl Place {
    /// The byte of that text where the byte `offset` of the case's own stands.
    pub fn of(&self, offset: usize) -> usize {
        let at = self.parts.partition_point(|(own, _)| *own <= offset);
        let part = at.checked_sub(1).and_then(|i| self.parts.get(i));
        part.map_or(self.span.start, |(own, there)| (there + (offset - own)).min(self.span.end))
    }
}

/// The part of a line that is read, and where it begins.
struct Line<'a> {
    text: &'a str,
    start: usize,
}

/// What was read, and the line that it begins in, counted from 1.
pub(super) struct Found<'a> {
    pub line: usize,
    pub what: What<'a>,
}

/// What one or more lines are.
pub(super) enum What<'a> {
    /// A case; without a name it is called after its line.
    Case { name: String, entry: Option<String>, wants: Wants, text: String, place: Place },
    /// What is almost a case: what is wrong and what to do.
    Wrong(String),
    /// The first line of a case that has no text below it: with its name, or the name of its entry
    /// point, if it has any of them.
    NoText(String),
    /// Something else.
    Other(&'a str),
}

impl Found<'_> {
    /// Where it begins.
    pub fn position(&self) -> Option<Position> {
        Some(Position { line: self.line, column: 1 })
    }
}

/// Said of a case without a text.
pub(super) const NO_TEXT: &str =
    "a case without a text: write it in quotes on this line, or on the next ones after `|`";

/// Reads a text. Of each of its lines `part` gives the end that is read; nothing if it is none of these.
pub(super) fn read<'a>(whole: &'a str, part: impl Fn(&'a str) -> Option<&'a str>) -> Vec<Found<'a>> {
    let mut at = 0;
    let mut lines = Vec::new();
    for line in whole.split_inclusive('\n') {
        lines.push((at, line.trim_end_matches('\n').trim_end_matches('\r')));
        at += line.len();
    }
    let part = |i: usize| {
        let &(start, line) = lines.get(i)?;
        let text = part(line)?;
        Some(Line { text, start: start + line.len() - text.len() })
    };
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(&(start, line)) = lines.get(i) {
        let number = i + 1;
        i += 1;
        let Some(first) = part(number - 1) else { continue };
        let mut place = Place { span: start..start + line.len(), parts: Vec::new() };
        let what = match head(&first) {
            None => What::Other(first.text),
            Some(Err(message)) => What::Wrong(message),
            Some(Ok(Head { entry, wants, name, quoted: Some((text, parts)) })) => {
                place.parts = parts;
                What::Case { name, entry, wants, text, place }
            }
            Some(Ok(Head { entry, wants, name, quoted: None })) => {
                let mut text = String::new();
                while let Some((line, at)) = part(i).and_then(|line| body(&line)) {
                    if !place.parts.is_empty() {
                        text.push('\n');
                    }
                    place.parts.push((text.len(), at));
                    text.push_str(line);
                    place.span.end = lines[i].0 + lines[i].1.len();
                    i += 1;
                }
                match place.parts.is_empty() {
                    true => What::NoText(entry.unwrap_or(name)),
                    false => What::Case { name, entry, wants, text, place },
                }
            }
        };
        let what = match what {
            What::Case { name, entry, wants, text, place } if name.is_empty() => {
                What::Case { name: format!("line {number}"), entry, wants, text, place }
            }
            what => what,
        };
        found.push(Found { line: number, what });
    }
    found
}

/// A text with the places of its parts, as in [`Place`].
type Quoted = (String, Vec<(usize, usize)>);

/// The first line of a case.
struct Head {
    entry: Option<String>,
    wants: Wants,
    name: String,
    /// A text in quotes.
    quoted: Option<Quoted>,
}

/// Reads a first line. `None` if it is none. What is almost one is told with what is wrong.
fn head(line: &Line<'_>) -> Option<Result<Head, String>> {
    let whole = line.text.trim_end();
    let inner = whole.trim_start_matches([' ', '\t']);
    let (word, rest) = inner.split_at_checked(6)?;
    let mut wants = match word {
        "accept" => Wants::Accept,
        "reject" => Wants::Reject(None),
        _ => return None,
    };
    let (entry, mut rest) = entry(rest);
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
        let start = line.start + whole.len() - text.len();
        let head = |quoted| Head { entry, wants, name: String::new(), quoted: Some(quoted) };
        return Some(unquote(text, start).map(head));
    }
    match (has_colon, has_place) {
        (true, _) => Some(Ok(Head { entry, wants, name: text.to_owned(), quoted: None })),
        (false, true) => Some(Err("a case has a colon or a text in quotes after its place".into())),
        (false, false) => None,
    }
}

/// The entry point that stands after the first word, if there is one, and what comes after it.
fn entry(rest: &str) -> (Option<String>, &str) {
    let inner = rest.trim_start_matches([' ', '\t']);
    let end = inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inner.len());
    let (name, after) = inner.split_at(end);
    let next = after.trim_start_matches([' ', '\t']);
    let is_head = after.starts_with(':') || (next.len() < after.len() && next.starts_with(['@', '"']));
    // Anything else is a sentence.
    match !name.is_empty() && inner.len() < rest.len() && is_head {
        true => (Some(name.to_owned()), after),
        false => (None, rest),
    }
}

/// A line of a case's text, and where it begins.
fn body<'a>(line: &Line<'a>) -> Option<(&'a str, usize)> {
    let inner = line.text.trim_start_matches([' ', '\t']).strip_prefix('|')?;
    let text = inner.strip_prefix(' ').unwrap_or(inner);
    Some((text, line.start + line.text.len() - text.len()))
}

/// Reads a text in quotes that begins at the byte `start` of the text that it is in.
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

/// A case that is to be written.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// The entry point that it is for; none for the grammar's own start.
    pub entry: Option<&'a str>,
    /// What the grammar is to say.
    pub wants: Wants,
    /// What it is called; may be empty.
    pub name: &'a str,
    /// The text.
    pub text: &'a [u8],
}

/// A case as lines, each after `mark`, with a line break at the end; `None` if its text is not UTF-8.
pub(super) fn write(mark: &str, new: &New<'_>) -> Option<String> {
    let New { entry, wants, name, text } = *new;
    let text = std::str::from_utf8(text).ok()?;
    let entry = entry.map_or_else(String::new, |entry| format!(" {entry}"));
    let head = match wants {
        Wants::Accept => format!("accept{entry}"),
        Wants::Reject(None) => format!("reject{entry}"),
        Wants::Reject(Some(At::Byte(byte))) => format!("reject{entry} @{byte}"),
        Wants::Reject(Some(At::Position(p))) => format!("reject{entry} @{}:{}", p.line, p.column),
        Wants::Reject(Some(At::End)) => format!("reject{entry} @end"),
    };
    // What editors change or do not show is written out.
    let is_odd = |c: char| c != '\n' && c != '\t' && sanitize::stand_in(c).is_some();
    let is_fragile = text.contains(is_odd) || text.split('\n').any(|line| line.ends_with([' ', '\t']));
    if !text.contains('\n') || is_fragile {
        return Some(format!("{mark}{head} {}\n", quote(text)));
    }
    let name = sanitize::line(name);
    // A name in quotes would be taken for the text.
    let name = name.trim().trim_start_matches('"');
    let mut out = format!("{mark}{head}:{}{name}\n", if name.is_empty() { "" } else { " " });
    for line in text.split('\n') {
        out += &format!("{mark}|{}{line}\n", if line.is_empty() { "" } else { " " });
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

/// A text with these lines at its end, after a blank one, and with the line ends that it has.
pub fn append(text: &str, lines: &str) -> String {
    // Blanks may belong to the text of its last case.
    let before = text.trim_end_matches(['\n', '\r']);
    let gap = if before.is_empty() { "" } else { "\n\n" };
    let added = format!("{gap}{lines}");
    before.to_owned() + &if text.contains("\r\n") { added.replace('\n', "\r\n") } else { added }
}

#[cfg(test)]
pub(super) mod tests;
