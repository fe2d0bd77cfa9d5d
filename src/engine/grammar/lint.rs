//! What compiles and will surprise: the traps of Lark texts, regular expressions and schemas.
//!
//! Only what is certain is said; a text without a finding may still surprise. What one file of the
//! folder looks for, its first lines say. What a trap means is in `codes.txt`. Nothing here may ask
//! llguidance's parser; what its lexer would do is known from [`flow`](super::flow).

use std::collections::HashSet;

use super::flow::Flow;
use super::messages::{Finding, closest};
use super::scan::{Kind, Scan, Token};
use super::shape::Shape;
use super::tree::Tree;
use super::{GrammarKind, GrammarSource, entries, json};
use crate::engine::fix::Fix;

mod edits;
mod ignored;
mod lexemes;
mod names;
mod recursion;
mod regexes;
mod schema;

/// The keys that `%llguidance` takes. It ignores others without a word.
const OPTIONS: [&str; 4] = ["no_forcing", "allow_invalid_utf8", "allow_initial_skip", "ignore_once"];

/// The traps in a text that compiles.
pub(super) fn lint(source: &GrammarSource) -> Vec<Finding> {
    match source.kind {
        GrammarKind::Lark => lark(&source.text),
        GrammarKind::Regex => regexes::alone(&source.text),
        GrammarKind::JsonSchema => schema::white_space(&source.text).into_iter().collect(),
        GrammarKind::Gbnf => Vec::new(),
    }
}

/// The traps of a Lark text that explain why nothing can be generated, though it compiles.
pub(super) fn deadly(text: &str) -> Vec<Finding> {
    let scan = Scan::new(text).outermost();
    let Some(tree) = Tree::of(text, &scan) else { return Vec::new() };
    let Some(flow) = Flow::of(&tree) else { return Vec::new() };
    let mut found = lexemes::empty(&flow);
    found.extend(ignored::taken(&flow));
    found
}

fn lark(text: &str) -> Vec<Finding> {
    let all = Scan::new(text);
    // A nested grammar has names and options of its own.
    let scan = all.outermost();
    let shape = Shape::of(&scan);
    let mut found = Vec::new();
    let mut known: HashSet<&str> = scan.definitions().iter().map(|d| d.name).collect();
    // llguidance looks only at what can be reached from `start`.
    for reference in scan.references().into_iter().filter(|r| known.insert(r.name)) {
        let message =
            format!("`{}` is not defined, and nothing that `start` reaches uses it", reference.name);
        found.push(Finding::new(reference.span, "undefined-name", message));
    }
    let entries: Vec<_> = entries::listed(text).collect();
    for (span, name) in entries.iter().filter(|(_, name)| !shape.defines(name)) {
        let message = format!("no rule is called `{name}`, so it is no entry point");
        found.push(Finding::new(span.clone(), "unknown-entry", message));
    }
    let entries: Vec<&str> = entries.into_iter().map(|(_, name)| name).collect();
    // A definition with an unknown name in it has been spoken of.
    let spoken_of = |statement: &[Token]| {
        let (start, end) = (statement[0].span.start, statement[statement.len() - 1].span.end);
        found.iter().any(|f| start <= f.span.start && f.span.start < end)
    };
    let statements = scan.statements();
    let unused = shape.unused(&entries).filter_map(|definition| {
        let after = statements.partition_point(|s| s[0].span.start <= definition.span.start);
        let statement = after.checked_sub(1).map(|at| statements[at]);
        (!statement.is_some_and(spoken_of)).then_some((definition, statement))
    });
    let unused = unused.map(|(definition, statement)| {
        let message = format!("nothing that `start` reaches uses `{}`", definition.name);
        let finding = Finding::new(definition.span.clone(), "unused-name", message);
        match statement.and_then(|statement| edits::without_definition(text, statement)) {
            Some(edit) => finding.fix(Fix::new(format!("delete `{}`", definition.name), vec![edit])),
            None => finding,
        }
    });
    let unused: Vec<Finding> = unused.collect();
    let is_unused = |start: usize| unused.iter().any(|f| f.span.start == start);
    let endless = shape.endless().into_iter().filter(|d| !is_unused(d.span.start)).map(|definition| {
        let name = definition.name;
        let message = format!("a text that enters `{name}` never ends: it always needs itself again");
        Finding::new(definition.span.clone(), "endless-rule", message)
            .help("give it an alternative that does not lead back to it")
    });
    let endless: Vec<Finding> = endless.collect();
    found.extend(unused);
    found.extend(endless);
    for (i, token) in all.tokens.iter().enumerate() {
        match token.kind {
            Kind::Regex => found.extend(regexes::lazy_or_doubled(&all, i)),
            Kind::String => found.extend(layout(&all, token)),
            Kind::Json => {
                let json = all.str(token);
                let of_json = match i.checked_sub(1).map(|i| all.str(&all.tokens[i])) {
                    Some("%llguidance") => options(json),
                    Some("%json") => schema::white_space(json).into_iter().collect(),
                    _ => Vec::new(),
                };
                found.extend(of_json.into_iter().map(|f| f.moved(token.span.start)));
            }
            _ => {}
        }
    }
    found.extend(regexes::wide_classes(&all));
    found.extend(regexes::wide_case(&all));
    found.extend(names::sniffed(text, &scan));
    if let Some(tree) = Tree::of(text, &scan) {
        // What nothing uses has been spoken of.
        let is_used = |at: usize| !found.iter().any(|f| f.code == "unused-name" && f.span.start == at);
        let mut more = recursion::traps(&tree, &all);
        more.extend(ignored::options(&tree, &scan));
        more.extend(ignored::before_json(&scan));
        if let Some(flow) = Flow::of(&tree) {
            more.extend(lexemes::traps(&flow));
            more.extend(ignored::traps(&flow));
            more.extend(names::traps(&flow));
        }
        more.retain(|f| {
            let of = tree.definitions.iter().find(|d| d.whole.contains(&f.span.start));
            of.is_none_or(|d| is_used(d.span.start))
        });
        found.extend(more);
    }
    found
}

/// Marks that Lark's own indenter writes; here they are text.
fn layout(scan: &Scan<'_>, token: &Token) -> Option<Finding> {
    let text = scan.str(token);
    matches!(text, "\"<INDENT>\"" | "\"<DEDENT>\"" | "\"<NEWLINE>\"").then(|| {
        Finding::new(token.span.clone(), "indent-text", format!("this is the text {text}, not an indentation"))
            .help("count spaces with a parametric rule: `ind::_: \"\" %if eq(_, 0) | \"    \" ind::decr(_) %if gt(_, 0)`")
    })
}

/// Keys of `%llguidance` that do nothing.
fn options(object: &str) -> Vec<Finding> {
    let keys = json::strings(object).into_iter().filter(|t| t.is_key && t.parent.is_none());
    let unknown = keys.filter(|t| !OPTIONS.contains(&t.value.as_str()));
    unknown
        .map(|key| {
            let message = format!("`%llguidance` has no option `{}` and ignores it", key.value);
            let finding = Finding::new(key.span, "unknown-option", message);
            match closest(&key.value, OPTIONS) {
                Some(meant) => {
                    let place = finding.span.clone();
                    let fix = Fix::replace(format!("write `{meant}`"), place, format!("\"{meant}\""));
                    finding.help(format!("did you mean `{meant}`?")).fix(fix)
                }
                None => finding.help(format!("there are {}", OPTIONS.join(", "))),
            }
        })
        .collect()
}
