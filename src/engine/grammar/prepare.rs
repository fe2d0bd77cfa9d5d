//! The text of a grammar in the form llguidance takes, once it is known to be within bounds.

use std::ops::Range;

use llguidance::api::TopLevelGrammar;

use super::annotate::{Marks, UseKind, annotate};
use super::document::Document;
use super::gbnf::{self, NamedToken};
use super::messages::{self, Finding};
use super::{Failure, GrammarKind, GrammarSource, scan};
use crate::engine::diagnostic::Diagnostic;
use crate::engine::shadow::Origin;

/// The longest grammar that is compiled, in bytes. 5,000 lines of Lark are about 200 KiB.
pub const MAX_BYTES: usize = 256 * 1024;

/// The deepest brackets may nest in Lark. llguidance itself stops at 30 groups; conditions and
/// arguments have no limit there.
const MAX_DEPTH: usize = 64;

/// A grammar for llguidance.
pub(super) struct Prepared {
    pub grammar: TopLevelGrammar,
    /// The length of the text that llguidance reads.
    pub size: usize,
    /// For a text that was converted: the place in it that each converted line comes from.
    pub lines: Vec<Range<usize>>,
    /// What was found on the way.
    pub warnings: Vec<Finding>,
}

impl Prepared {
    fn new(grammar: TopLevelGrammar, size: usize) -> Self {
        Self { grammar, size, lines: Vec::new(), warnings: Vec::new() }
    }
}

/// Reads `source`. `tokens` are those with a name in angle brackets, `vocabulary` counts all.
pub(super) fn prepare(
    source: &GrammarSource,
    tokens: &[NamedToken],
    vocabulary: usize,
) -> Result<Prepared, Failure> {
    let text = &source.text;
    if text.len() > MAX_BYTES {
        let message = format!("the grammar has {} bytes, more than the limit of {MAX_BYTES}", text.len());
        return Err(Failure::bound(Diagnostic::error(text, 0..0, "too-large", message)));
    }
    match source.kind {
        GrammarKind::Lark => {
            let scan = scan::Scan::new(text);
            if scan.tokens.iter().all(|t| t.kind == scan::Kind::Newline) {
                return Err(Failure::bound(messages::empty(source)));
            }
            let (depth, at) = scan.depth();
            if depth > MAX_DEPTH {
                let message = format!("brackets nest {depth} deep, more than the limit of {MAX_DEPTH}");
                return Err(Failure::bound(
                    Diagnostic::error(text, at..at + 1, "too-deep", message)
                        .with_help("name the inner groups as rules of their own"),
                ));
            }
            Ok(Prepared::new(TopLevelGrammar::from_lark(text.clone()), text.len()))
        }
        GrammarKind::Gbnf => {
            let is_blank = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
            if text.lines().all(is_blank) {
                return Err(Failure::bound(messages::empty(source)));
            }
            let converted = gbnf::to_lark(text, tokens, vocabulary).map_err(Failure::Found)?;
            let size = converted.lark.len();
            Ok(Prepared {
                grammar: TopLevelGrammar::from_lark(converted.lark),
                size,
                lines: converted.lines,
                warnings: converted.warnings,
            })
        }
        GrammarKind::JsonSchema => {
            if text.trim().is_empty() {
                return Err(Failure::bound(messages::empty(source)));
            }
            let schema = serde_json::from_str(text).map_err(Failure::NotJson)?;
            Ok(Prepared::new(TopLevelGrammar::from_json_schema(schema), text.len()))
        }
        GrammarKind::Regex => {
            let pattern = regex_pattern(text);
            if pattern.is_empty() {
                return Err(Failure::bound(messages::empty(source)));
            }
            let lark = regex_in_lark(pattern).ok_or_else(|| {
                let end = pattern.len();
                Failure::bound(
                    Diagnostic::error(
                        text,
                        end - 1..end,
                        "invalid-regex",
                        "the pattern ends in an unfinished escape",
                    )
                    .with_help("write `\\\\` for a backslash"),
                )
            })?;
            Ok(Prepared::new(TopLevelGrammar::from_lark(format!("start: /{lark}/")), text.len()))
        }
    }
}

/// What a shadow parser of `source` is made from, and the length of the text that llguidance reads.
/// `None` if the text cannot be read.
pub(super) fn annotated(
    source: &GrammarSource,
    tokens: &[NamedToken],
    vocabulary: usize,
) -> Option<(Origin, usize)> {
    let prepared = prepare(source, tokens, vocabulary).ok()?;
    let text = source.text.clone();
    if source.kind == GrammarKind::Gbnf {
        let marked = gbnf::to_marked_lark(&text, tokens, vocabulary)?;
        let (copy, mut marks) = annotate(&marked.lark);
        from_gbnf(&mut marks, &text, &marked);
        let size = copy.len();
        let annotated = Some((TopLevelGrammar::from_lark(copy), marks));
        return Some((Origin { text, annotated, plain: prepared.grammar, schema: None }, size));
    }
    let schema = (source.kind == GrammarKind::JsonSchema).then(|| Document::of(&text));
    let lark = prepared.grammar.grammars.first().and_then(|g| g.lark_grammar.clone());
    let annotated = lark.map(|lark| {
        let (copy, mut marks) = annotate(&lark);
        if source.kind == GrammarKind::Regex {
            let whole = 0..regex_pattern(&text).len();
            marks.move_to(|_| whole.clone());
        }
        (copy, marks)
    });
    let size = annotated.as_ref().map_or(prepared.size, |(copy, _)| copy.len());
    let annotated = annotated.map(|(copy, marks)| (TopLevelGrammar::from_lark(copy), marks));
    Some((Origin { text, annotated, plain: prepared.grammar, schema }, size))
}

/// Moves the marks of a converted text to the GBNF text: names and places.
fn from_gbnf(marks: &mut Marks, text: &str, marked: &gbnf::Marked) {
    let ends: Vec<usize> = marked.lark.match_indices('\n').map(|(at, _)| at).collect();
    let line = |span: &Range<usize>| marked.lines.get(ends.partition_point(|&end| end < span.start));
    let lines: Vec<Option<&gbnf::Line>> = marks.rules.iter().map(|r| line(&r.span)).collect();
    for used in &mut marks.uses {
        let name = marked.lark.get(used.span.clone()).unwrap_or_default();
        let within = lines[used.rule];
        // A line that is only a part and uses a rule is that use.
        let is_use = used.kind == UseKind::Rule && within.is_some_and(|l| l.rule.is_none());
        let place = match (is_use, marked.names.get(name)) {
            (false, Some(place)) => Some(place),
            _ => within.map(|l| &l.body),
        };
        used.span = place.cloned().unwrap_or(0..0);
        if used.kind == UseKind::Terminal {
            used.definition = None;
            used.kind = match text.as_bytes().get(used.span.start) {
                Some(b'"') => UseKind::String,
                Some(b'[' | b'.') => UseKind::Regex,
                _ => UseKind::Expression,
            };
        }
    }
    for alternative in &mut marks.alternatives {
        let places = lines[alternative.rule].map(|l| &l.alternatives[..]).unwrap_or_default();
        alternative.span = places.get(alternative.index).cloned().unwrap_or(0..0);
    }
    for (rule, line) in marks.rules.iter_mut().zip(lines) {
        let Some(line) = line else { continue };
        rule.is_hidden = line.rule.is_none();
        rule.name = line.rule.clone().unwrap_or_default();
        rule.span = line.span.clone();
        rule.whole = line.span.start..line.body.end.max(line.span.end);
    }
}

/// The part of a regex grammar's text that is the pattern.
pub(super) fn regex_pattern(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r'])
}

/// The pattern as it may stand between slashes: only the slashes change. `None` if it ends in the
/// middle of an escape, which would swallow the closing slash.
fn regex_in_lark(pattern: &str) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend([c, chars.next()?]),
            '/' => out.push_str("\\/"),
            _ => out.push(c),
        }
    }
    Some(out)
}
