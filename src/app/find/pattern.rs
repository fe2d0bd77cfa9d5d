//! What is looked for, made ready to search with.
//!
//! A text is searched line by line, so that nothing that is found goes over a line end that nobody has
//! asked for; a regular expression with `\n` (or `(?s)`) in it searches the text as a whole.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use crate::ui::wrap::{Lines, Place};

/// Where no word is cut in two: no part of one before it, or none behind it.
const EDGE: &str = r"(?:\b{start-half}|\b{end-half})";

/// How a query is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// As a regular expression.
    pub is_regex: bool,
    /// With its capitals, even if it has none: else a query without capitals finds any.
    pub exact: bool,
    /// As a whole word.
    pub words: bool,
}

/// A query that can be searched with.
pub(super) struct Pattern {
    regex: Regex,
    wanted: Wanted,
    crosses_lines: bool,
}

/// What is searched at once: a line, or the whole text.
pub(super) struct Haystack<'a> {
    lines: &'a dyn Lines,
    /// The text, and where its lines begin; `None` if lines are searched.
    whole: Option<(String, Vec<usize>)>,
}

impl<'a> Haystack<'a> {
    /// A text, as a whole or line by line.
    pub(super) fn new(lines: &'a dyn Lines, as_whole: bool) -> Self {
        let whole = || {
            let mut text = String::new();
            let starts = (0..lines.count()).map(|index| {
                if index > 0 {
                    text.push('\n');
                }
                let start = text.len();
                text.push_str(lines.line(index));
                start
            });
            let starts: Vec<usize> = starts.collect();
            (text, starts)
        };
        Self { lines, whole: as_whole.then(whole) }
    }

    /// What is searched at a place, and its byte there.
    fn at(&self, place: Place) -> Option<(&str, usize)> {
        match &self.whole {
            Some((text, starts)) => Some((text, starts.get(place.line)? + place.byte)),
            None => Some((self.lines.line(place.line), place.byte)),
        }
    }
}

impl Pattern {
    /// The query as it is searched with; `None` if there is nothing to look for.
    ///
    /// # Errors
    /// What is wrong with a regular expression.
    pub(super) fn new(query: &str, wanted: Wanted) -> Result<Option<Self>, String> {
        if query.is_empty() {
            return Ok(None);
        }
        let Wanted { is_regex, exact, words } = wanted;
        let pattern = if is_regex { Cow::Borrowed(query) } else { Cow::Owned(regex::escape(query)) };
        // What is wrong is told of what was typed.
        let build = |pattern: &str| {
            RegexBuilder::new(pattern)
                .case_insensitive(!exact && !has_capital(query, is_regex))
                .multi_line(true)
                .build()
                .map_err(|error| reason(&error))
        };
        let regex = build(&pattern)?;
        let regex = if words { build(&format!("{EDGE}(?:{pattern}){EDGE}"))? } else { regex };
        Ok(Some(Self { regex, wanted, crosses_lines: is_regex && has_line_end(query) }))
    }

    /// Whether what is found may go over line ends.
    pub(super) fn crosses_lines(&self) -> bool {
        self.crosses_lines
    }

    /// Every place in a text, in order. An empty place is neither seen nor replaced.
    pub(super) fn all(&self, text: &dyn Lines) -> Vec<(Place, Place)> {
        let haystack = Haystack::new(text, self.crosses_lines);
        let Some((whole, starts)) = &haystack.whole else {
            let in_line = |line: usize| {
                let places = self.regex.find_iter(text.line(line)).filter(|found| !found.is_empty());
                places.map(move |f| (Place { line, byte: f.start() }, Place { line, byte: f.end() }))
            };
            return (0..text.count()).flat_map(in_line).collect();
        };
        let place = |at: usize| {
            let line = starts.partition_point(|&start| start <= at) - 1;
            Place { line, byte: at - starts[line] }
        };
        let found = self.regex.find_iter(whole).filter(|found| !found.is_empty());
        found.map(|f| (place(f.start()), place(f.end()))).collect()
    }

    /// What is put in place of what was found at a place; `None` if it is not there any more. In a
    /// regular expression, `$1` and `${name}` stand for its groups, `\n` for a line end.
    pub(super) fn replaced(
        &self,
        haystack: &Haystack<'_>,
        (start, end): (Place, Place),
        template: &str,
    ) -> Option<String> {
        let (text, from) = haystack.at(start)?;
        let (_, to) = haystack.at(end)?;
        let captures = text.is_char_boundary(from).then(|| self.regex.captures_at(text, from)).flatten()?;
        if captures.get(0)?.range() != (from..to) {
            return None;
        }
        let mut out = String::new();
        if self.wanted.is_regex {
            captures.expand(&unescaped(template), &mut out);
        } else {
            out.push_str(template);
        }
        Some(out)
    }
}

/// A text as a regular expression that finds it and nothing else.
pub(super) fn escaped(text: &str) -> String {
    text.lines().map(regex::escape).collect::<Vec<_>>().join(r"\n")
}

/// A text as a replacement that puts it there as it is.
pub(super) fn template(text: &str) -> String {
    text.replace('\\', r"\\").replace('$', "$$").replace('\n', r"\n")
}

/// What a replacement means: `\n`, `\t` and `\\` in it.
fn unescaped(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('\\', Some(next @ ('n' | 't' | '\\'))) => {
                rest.next();
                out.push(match next {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
            }
            _ => out.push(c),
        }
    }
    out
}

/// Whether a regular expression speaks of line ends.
fn has_line_end(query: &str) -> bool {
    let mut is_escaped = false;
    let is_written = query.chars().any(|c| {
        let was_escaped = is_escaped;
        is_escaped = c == '\\' && !was_escaped;
        was_escaped && c == 'n'
    });
    is_written || query.contains("(?s")
}

/// Whether capitals matter. In a regular expression, `\W` has none.
fn has_capital(query: &str, is_regex: bool) -> bool {
    let mut is_escaped = false;
    query.chars().any(|c| {
        let counts = c.is_uppercase() && !is_escaped;
        is_escaped = is_regex && c == '\\' && !is_escaped;
        counts
    })
}

/// What is wrong with a regular expression, in a few words.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}
