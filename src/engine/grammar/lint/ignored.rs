//! Traps of `%ignore`: where it is not applied, what it takes away, and that it never has to end.

use std::collections::HashSet;

use llguidance::derivre::RegexAst;

use super::edits::{put, with_option};
use super::lexemes::quoted;
use super::{Finding, Fix};
use crate::engine::grammar::dfa::Dfa;
use crate::engine::grammar::flow::{Flow, Lexeme, START, has, numbers};
use crate::engine::grammar::scan::{self, Scan, Token};
use crate::engine::grammar::tree::{Kind, Tree};
use crate::engine::grammar::{common, json};

/// The longest white space that fixes allow.
const LONGEST: &str = "{1,40}";

pub(super) fn traps(flow: &Flow<'_, '_>) -> Vec<Finding> {
    let mut found = taken(flow);
    found.extend(endless(flow));
    found
}

/// Terminals of which `%ignore` takes every text, wherever they stand.
pub(super) fn taken(flow: &Flow<'_, '_>) -> Vec<Finding> {
    let Some(ignored) = &flow.ignored else { return Vec::new() };
    let scan = Scan::new(flow.tree.text).outermost();
    // The second of two in a row is read.
    if is_set(&scan, "ignore_once") {
        return Vec::new();
    }
    let is_skipped_first = is_set(&scan, "allow_initial_skip");
    let is_taken = |l: &Lexeme<'_>| {
        l.dfa().is_some_and(|dfa| !dfa.is_empty() && !dfa.takes_empty() && dfa.is_within(ignored))
    };
    // Attributes make something else of the terminals that a rule is made of.
    let plain = flow.tree.rules().filter(|r| !r.has_attributes).flat_map(|r| r.body.walk());
    let used: HashSet<usize> = plain.filter_map(|part| flow.number(part)).collect();
    let never_first = (START + 1..flow.lexemes.len())
        .filter(|n| used.contains(n) && (is_skipped_first || !has(&flow.after[START], *n)));
    let lexemes = never_first.map(|n| &flow.lexemes[n]).filter(|l| is_taken(l));
    let finding = |l: &Lexeme<'_>| {
        let message = format!("{} is never read: `%ignore` takes every text of it", quoted(l.text));
        Finding::new(l.span.clone(), "ignored-terminal", message)
            .help("leave it out of what is ignored, as in `%ignore /[ \\t]+/`, or out of the rule")
    };
    lexemes.map(finding).collect()
}

/// White space that may go on and on, in rules and in what is ignored.
fn endless(flow: &Flow<'_, '_>) -> Vec<Finding> {
    let space = space();
    let mut found: Vec<Finding> = in_rules(flow, &space).into_iter().collect();
    found.extend(in_ignored(flow, &space));
    found
}

/// The first terminal, or repetition of one, that is endless white space.
fn in_rules(flow: &Flow<'_, '_>, space: &Dfa) -> Option<Finding> {
    let is_space = |n: usize| flow.lexemes[n].dfa().is_some_and(|d| !d.is_empty() && d.is_within(space));
    let is_endless = |n: &usize| is_space(*n) && flow.lexemes[*n].dfa().is_some_and(Dfa::is_endless);
    let terminal = (START + 1..flow.lexemes.len()).find(is_endless).map(|n| {
        let lexeme = &flow.lexemes[n];
        (flow.tree.get(lexeme.text).map_or(lexeme.span.clone(), |d| d.span.clone()), lexeme.text)
    });
    let repeated = || {
        let parts = flow.tree.rules().flat_map(|r| r.body.walk());
        let mut repeats = parts.filter(|part| match &part.kind {
            Kind::Repeat(inner, _, None) => {
                let ends = flow.ends(inner);
                let all = numbers(&ends.first).into_iter().chain(numbers(&ends.last));
                let leaves = inner
                    .walk()
                    .into_iter()
                    .all(|e| !matches!(e.kind, Kind::Name(_)) || flow.number(e).is_some());
                leaves
                    && !numbers(&ends.first).is_empty()
                    && all.into_iter().all(|n| n > START && is_space(n))
            }
            _ => false,
        });
        repeats.next().map(|part| (part.span.clone(), flow.tree.str(&part.span)))
    };
    let (span, text) = terminal.or_else(repeated)?;
    let message = format!("{} can go on and on: a model may never leave it", quoted(text));
    Some(Finding::new(span, "endless-space", message).help("bound it, as in `/[ \\t\\n]{1,40}/`"))
}

fn in_ignored(flow: &Flow<'_, '_>, space: &Dfa) -> Option<Finding> {
    let ignored = flow.ignored.as_ref()?;
    let scan = Scan::new(flow.tree.text).outermost();
    let is_once = is_set(&scan, "ignore_once");
    let takes_space = [" ", "\n", "\t"].iter().any(|s| ignored.takes(s.as_bytes()));
    if !takes_space || (is_once && !ignored.is_endless()) {
        return None;
    }
    let ignore = flow.tree.ignored.first()?;
    let message = "what is ignored can go on and on: a model may never leave it";
    let finding = Finding::new(ignore.span.clone(), "endless-space", message).help(
        "set `\"ignore_once\": true` in `%llguidance` and bound what is ignored, as in `/[ \\t\\n]{1,40}/`",
    );
    // With comments the two could not alternate any more.
    let [only] = &flow.tree.ignored[..] else { return Some(finding) };
    Some(match bounded(flow, flow.tree.str(&only.span)).filter(|_| ignored.is_within(space)) {
        Some(body) => {
            let mut edits = vec![put(only.span.clone(), body)];
            if !is_once {
                edits.push(with_option(&scan, "\"ignore_once\": true"));
            }
            finding.fix(Fix::new("bound it", edits).unsafe_to_apply())
        }
        None => finding,
    })
}

/// What is ignored, bounded, if it is written simply.
fn bounded(flow: &Flow<'_, '_>, text: &str) -> Option<String> {
    if let Some(definition) = flow.tree.get(text) {
        return bounded(flow, flow.tree.str(&definition.body.span));
    }
    if let Some((_, there, _)) = flow.tree.imports.iter().find(|(here, ..)| *here == text) {
        return bounded(flow, &format!("/{}/", common::pattern(there)?));
    }
    if text == "\" \"" {
        return Some(format!("/ {LONGEST}/"));
    }
    let pattern = text.strip_prefix('/')?.strip_suffix('/')?;
    let class = pattern.strip_suffix(['+', '*']).unwrap_or(pattern);
    let is_class = class.starts_with('[') && class.ends_with(']') && class.matches([']', '[']).count() == 2;
    (is_class || matches!(class, " " | "\\s")).then(|| format!("/{class}{LONGEST}/"))
}

/// White space of any length.
fn space() -> Dfa {
    Dfa::of(&RegexAst::Regex("\\s*".into())).unwrap_or_else(Dfa::nothing)
}

/// The object of each `%llguidance`.
fn objects<'a>(scan: &Scan<'a>) -> Vec<&'a str> {
    let pairs =
        scan.tokens.windows(2).filter(|p| scan.str(&p[0]) == "%llguidance" && p[1].kind == scan::Kind::Json);
    pairs.map(|p| scan.str(&p[1])).collect()
}

/// Whether an option of `%llguidance` is on.
fn is_set(scan: &Scan<'_>, option: &str) -> bool {
    let is_on = |object: &&str| {
        let value = serde_json::from_str::<serde_json::Value>(object).unwrap_or_default();
        value[option] == serde_json::Value::Bool(true)
    };
    objects(scan).iter().any(is_on)
}

/// Nothing is ignored before the first terminal and after the last one.
pub(super) fn options(tree: &Tree<'_>, scan: &Scan<'_>) -> Option<Finding> {
    let first = tree.ignored.first()?;
    // Who names the option knows of it.
    let keys = objects(scan).into_iter().flat_map(json::strings);
    if keys.filter(|t| t.is_key).any(|t| t.value == "allow_initial_skip") {
        return None;
    }
    let message =
        "nothing is ignored before the first terminal, nor after the last one unless more could follow";
    let edit = with_option(scan, "\"allow_initial_skip\": true");
    Some(
        Finding::new(first.span.clone(), "initial-skip", message)
            .help("`%llguidance {\"allow_initial_skip\": true}` allows it at the start, `false` says that this is meant")
            .fix(Fix::new("allow it at the start", vec![edit]).unsafe_to_apply()),
    )
}

/// `%json` after something else: nothing is ignored before it.
pub(super) fn before_json(scan: &Scan<'_>) -> Option<Finding> {
    scan.tokens.iter().find(|t| scan.str(t) == "%ignore")?;
    let is_after = |pair: &&[Token]| {
        let [before, json] = pair else { return false };
        let text = scan.str(before);
        scan.str(json) == "%json" && before.kind != scan::Kind::Newline && !matches!(text, ":" | "|" | "(")
    };
    let pair = scan.tokens.windows(2).find(is_after)?;
    let message = "nothing is ignored between what stands before `%json` and the JSON";
    Some(Finding::new(pair[1].span.clone(), "ignore-before-json", message).help(
        "allow white space there with a terminal that `%ignore` does not take, or write the JSON as rules",
    ))
}
