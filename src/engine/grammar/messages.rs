//! llguidance's error strings, turned into diagnostics with a place, a code and a way out.
//!
//! This file and its folder are the only place that reads what llguidance says. Its messages may
//! change with any version: a message that nothing here knows is passed on in its own words with
//! the code `invalid-grammar`, never dropped.

use std::ops::Range;

use super::super::constraint::{MANY_ARGUMENTS, MAX_PARTS, MAX_RULES};
use super::super::diagnostic::{Diagnostic, Severity};
use super::super::explain::LimitKind;
use super::super::fix::Fix;
use super::prepare::regex_pattern;
use super::{GrammarKind, GrammarSource, Warnings, lint, scan};

mod lark;
mod pattern;
mod schema;
mod syntax;

/// What is wrong, before its place is turned into lines and columns.
#[derive(Debug)]
pub(super) struct Finding {
    pub span: Range<usize>,
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
    pub fix: Option<Box<Fix>>,
}

impl Finding {
    pub fn new(span: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        Self { span, code, message: message.into(), help: None, fix: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(Box::new(fix));
        self
    }

    /// The same finding in a text in which the part it speaks of starts at `offset`.
    pub fn moved(mut self, offset: usize) -> Self {
        self.span = self.span.start + offset..self.span.end + offset;
        self.fix = self.fix.map(|fix| Box::new(fix.moved(offset)));
        self
    }

    pub fn into_diagnostic(self, text: &str) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(text, self.span, self.code, self.message);
        (diagnostic.help, diagnostic.fix) = (self.help, self.fix);
        diagnostic
    }
}

/// What llguidance's error says about `source`. `special_tokens` are the model's, for help.
pub(super) fn explain(source: &GrammarSource, error: &str, special_tokens: &[String]) -> Vec<Finding> {
    let text = source.text.as_str();
    if let Some(finding) = beyond_limits(error) {
        vec![finding]
    } else {
        match source.kind {
            GrammarKind::Lark => lark::explain(text, error, special_tokens),
            GrammarKind::JsonSchema => schema::explain(text, error),
            GrammarKind::Regex => vec![pattern::explain_regex_grammar(regex_pattern(text), error)],
            // What can be wrong with GBNF itself has been found before llguidance saw it.
            GrammarKind::Gbnf => vec![Finding::new(0..0, "invalid-grammar", first_line(error))],
        }
    }
}

/// The warning that only the empty text matches; not one of llguidance's.
pub(super) const ONLY_EMPTY: &str = "only the empty text matches";

/// What was noticed while a grammar was compiled.
pub(super) fn warnings(source: &GrammarSource, warnings: Warnings) -> Vec<Diagnostic> {
    let said = warnings.said.iter().map(|w| warning(source, w));
    said.chain(warnings.found.into_iter().map(|finding| warn(source, finding))).collect()
}

/// The traps in a grammar that compiles.
pub(super) fn traps(source: &GrammarSource) -> Vec<Diagnostic> {
    lint::lint(source).into_iter().map(|finding| warn(source, finding)).collect()
}

/// The traps that explain why nothing can be generated under a grammar.
pub(super) fn deadly(source: &GrammarSource) -> Vec<Diagnostic> {
    let found = if source.kind == GrammarKind::Lark { lint::deadly(&source.text) } else { Vec::new() };
    found.into_iter().map(|finding| warn(source, finding)).collect()
}

/// The most findings that are listed. What follows is counted.
const MOST: usize = 20;

/// The errors that `findings` are, in the order of their places.
pub(super) fn listed(text: &str, mut findings: Vec<Finding>) -> Vec<Diagnostic> {
    findings.sort_by_key(|f| f.span.start);
    let more = findings.len().saturating_sub(MOST);
    let next = findings.get(MOST).map(|f| f.span.clone());
    findings.truncate(MOST);
    let message = format!("{more} more mistake{} from here on", if more == 1 { "" } else { "s" });
    findings.extend(next.map(|span| Finding::new(span, "more", message)));
    findings.into_iter().map(|f| f.into_diagnostic(text)).collect()
}

/// llguidance's error about a text that was converted: `lines` are the places that its lines come
/// from. Everything that a person can get wrong has been found before; what is left are limits.
pub(super) fn converted(lines: &[Range<usize>], error: &str) -> Finding {
    let finding = beyond_limits(error)
        .unwrap_or_else(|| Finding::new(0..0, "invalid-grammar", first_line(error).to_owned()));
    let line =
        error.strip_prefix("at ").unwrap_or(error).split_once('(').and_then(|(line, _)| line.parse().ok());
    let place = line.and_then(|line: usize| lines.get(line.checked_sub(1)?));
    Finding { span: place.cloned().unwrap_or(0..0), ..finding }
}

/// One of llguidance's warnings about a grammar that compiled.
fn warning(source: &GrammarSource, message: &str) -> Diagnostic {
    let text = source.text.as_str();
    let message = message.strip_prefix("WARNING: ").unwrap_or(message);
    if let Some(rule) = message.strip_prefix(MANY_ARGUMENTS) {
        return warn(source, many_arguments(text, rule));
    }
    let mut diagnostic = if message == ONLY_EMPTY {
        Diagnostic::error(text, 0..0, "only-empty", message)
    } else {
        match source.kind {
            GrammarKind::JsonSchema => schema::explain(text, message)
                .into_iter()
                .next()
                .unwrap_or_else(|| Finding::new(0..0, "invalid-schema", message))
                .into_diagnostic(text),
            _ => Diagnostic::error(text, 0..0, "llguidance", first_line(message)),
        }
    };
    diagnostic.severity = Severity::Warning;
    diagnostic.message = diagnostic.message.replace("is not supported", "is ignored");
    diagnostic.help = None;
    diagnostic
}

/// Rules with parameters that are asked for with too many arguments: `about` is the one with the most, and how
/// many.
fn many_arguments(text: &str, about: &str) -> Finding {
    let (rule, arguments) = about.rsplit_once(' ').unwrap_or((about, "many"));
    let scan = scan::Scan::new(text);
    let definition = scan.definitions().into_iter().find(|d| d.name == rule);
    let rule = if definition.is_some() { format!("`{rule}`") } else { "one rule".to_owned() };
    let message = format!(
        "the rules with parameters are asked for with too many arguments, {rule} alone with {arguments} or more: \
         at most {MAX_RULES} rules, of {MAX_PARTS} parts, can be written out for theirs"
    );
    Finding::new(definition.map_or(0..0, |d| d.span), "many-arguments", message).help(
        "where a rule ends, llguidance now also ends its uses with other arguments; a bound such as \
         `%if lt(_, 20)` keeps them apart, or fewer rules that pass the argument on",
    )
}

fn warn(source: &GrammarSource, finding: Finding) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..finding.into_diagnostic(&source.text) }
}

/// There is nothing to compile.
pub(super) fn empty(source: &GrammarSource) -> Diagnostic {
    let example = match source.kind {
        GrammarKind::Lark => "start: \"yes\" | \"no\"",
        GrammarKind::Gbnf => "root ::= \"yes\" | \"no\"",
        GrammarKind::JsonSchema => "{\"type\": \"object\"}",
        GrammarKind::Regex => "[0-9]{4}-[0-9]{2}",
    };
    Diagnostic::error(&source.text, 0..0, "empty-grammar", "the grammar is empty")
        .with_help(format!("write one, for example `{example}`"))
}

/// It compiles, and no text matches.
pub(super) fn dead(source: &GrammarSource) -> Diagnostic {
    let text = source.text.as_str();
    let diagnostic = |span, message: &str| Diagnostic::error(text, span, "matches-nothing", message);
    match source.kind {
        GrammarKind::Lark => match lark::endless(text) {
            Some((name, span)) => {
                diagnostic(span, &format!("no text can match: `{name}` always needs itself again"))
                    .with_help("give it an alternative that does not lead back to it")
            }
            None => diagnostic(lark::start(text), "no text can match: `start` can never begin")
                .with_help("`A & B` is what both match, which may be nothing"),
        },
        GrammarKind::Gbnf => diagnostic(0..0, "no text can match"),
        GrammarKind::JsonSchema => diagnostic(0..0, "no JSON value can match this schema")
            .with_help("a `$ref` that leads back to itself describes nothing"),
        GrammarKind::Regex => diagnostic(0..regex_pattern(text).len(), "no text can match this pattern"),
    }
}

/// The first mask needs more than llguidance's limits.
pub(super) fn limit(text: &str, message: &str) -> Diagnostic {
    Diagnostic::error(text, 0..0, "limit", format!("the grammar is too complex: {}", first_line(message)))
        .with_help("use fewer or shorter repetitions, and fewer terminals that overlap")
}

/// Which limit llguidance says that it has reached while it parsed.
pub(in crate::engine) fn limit_kind(message: &str) -> LimitKind {
    let says = |part: &str| message.contains(part);
    if says("max is ") && says("Current row has") {
        LimitKind::Row
    } else if says("Too many items") {
        LimitKind::Items
    } else if says("too many states") {
        LimitKind::States
    } else if says("too many expressions") {
        LimitKind::Fuel
    } else if says("max_tokens") {
        LimitKind::MaxTokens
    } else {
        LimitKind::Other
    }
}

/// The text of a JSON Schema is not JSON.
pub(super) fn not_json(text: &str, error: &serde_json::Error) -> Diagnostic {
    schema::not_json(text, error).into_diagnostic(text)
}

/// llguidance's limits and failures, which no place in the text causes alone.
fn beyond_limits(error: &str) -> Option<Finding> {
    const LIMITS: [&str; 7] = [
        "initial lexer configuration (grammar) too big",
        "grammar size (number of symbols) too big",
        "lexer precomputation failed",
        "fuel exhausted when checking relevance of lexemes",
        "DNF too large",
        "Schema intersection stack level exceeded",
        "schema too large",
    ];
    if let Some(limit) = LIMITS.iter().find_map(|limit| error.find(limit)) {
        let message = format!("the grammar is too complex: {}", first_line(&error[limit..]));
        return Some(
            Finding::new(0..0, "limit", message).help(
                "use fewer or shorter repetitions, fewer alternatives, and fewer terminals that overlap",
            ),
        );
    }
    let panic = first_line(error.strip_prefix("panic: ")?);
    if panic.contains("symbols.len()") {
        let message = "the grammar is too large: it needs more than 65,525 symbols, llguidance's limit";
        return Some(Finding::new(0..0, "limit", message).help("use fewer alternatives"));
    }
    if panic.contains("is_self_ref()") {
        let message = "a parametric rule with one alternative passes on a computed parameter, as in `x::incr(_)`; \
             llguidance cannot inline it";
        return Some(
            Finding::new(0..0, "parameter", message)
                .help("write the rule's body where the rule is used, or give it a second alternative"),
        );
    }
    Some(
        Finding::new(0..0, "internal", format!("the grammar engine failed: {panic}"))
            .help("this is a bug; the grammar makes a good report"),
    )
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default().trim()
}

/// The text between the first `open` and the next `close` of `message`.
fn between<'a>(message: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let rest = &message[message.find(open)? + open.len()..];
    rest.find(close).map(|end| &rest[..end])
}

/// The candidate that a misspelt name most likely means, if one is close.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A name of one or two letters is close to everything.
    let limit = name.chars().count().div_ceil(3).min(3) * usize::from(name.chars().count() > 2);
    candidates
        .into_iter()
        .filter(|&c| c != name)
        .map(|c| (distance(&name.to_lowercase(), &c.to_lowercase()), c))
        .filter(|&(d, _)| d <= limit && limit > 0)
        .min()
        .map(|(_, c)| c)
}

/// Edits between two words (Levenshtein): insertions, deletions and substitutions of characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::grammar::Compiler;
    use crate::engine::model::tokenizer::synthetic;

    #[test]
    fn the_closest_name_is_close() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(closest("exprs", ["start", "expr", "express"]), Some("expr"));
        assert_eq!(closest("number", ["NUMBER", "string"]), Some("NUMBER"));
        assert_eq!(closest("a", ["bcd", "xyz"]), None);
    }

    /// Ninety rules of fifty arguments are more than can be written out, and none of them is without bound. What
    /// has no parameter does not count, nor does a rule with one argument.
    #[test]
    fn too_many_arguments_are_counted() {
        let compiler = Compiler::new(&synthetic(1000).expect("words")).expect("a compiler");
        let said = |rules: usize, most: usize, plain: usize| {
            let all: Vec<String> = (0..rules).map(|n| format!("r{n}::0")).collect();
            let mut text = format!("start: {}", all.join(" | "));
            for n in 0..rules {
                text += &format!("\nr{n}::_: \"a\" r{n}::incr(_) %if lt(_, {most})\n    | \"{n}\"");
            }
            for n in 0..plain {
                text += &format!("\np{n}: \"x\" \"y\"");
                text = text.replacen("start: ", &format!("start: p{n} | "), 1);
            }
            let (compiled, found) = compiler.compile(&GrammarSource::lark("g", text));
            let message = found.into_iter().find(|d| d.code == "many-arguments").map(|d| d.message);
            (compiled.expect("it compiles").constraint().is_exact(), message)
        };
        assert_eq!(said(9, 50, 0), (true, None));
        assert_eq!(said(2, 50, 4200), (true, None));
        let (is_exact, message) = said(90, 50, 0);
        let message = message.expect("a warning");
        assert!(!is_exact && message.contains("alone with 51 or more"), "{message}");
        assert!(message.contains("at most 4096 rules, of 65536 parts"), "{message}");
    }

    #[test]
    fn unknown_messages_are_passed_on() {
        let source = GrammarSource::lark("g", "start: \"a\"");
        let found = explain(&source, "something new happened\nwith details", &[]);
        assert_eq!((found[0].code, found[0].message.as_str()), ("invalid-grammar", "something new happened"));
        let found = explain(&source, "panic: index out of bounds\n<backtrace>", &[]);
        assert_eq!(found[0].code, "internal");
    }
}
