//! Traps of rules that use themselves: lists that reach the parser's limit, and operators that can
//! be read in many ways.

use super::edits::put;
use super::{Finding, Fix, Scan, edits};
use crate::engine::grammar::tree::{Definition, Expr, Kind, Tree};

pub(super) fn traps(tree: &Tree<'_>, scan: &Scan<'_>) -> Vec<Finding> {
    let plain = tree.rules().filter(|r| !r.has_parameter && !r.has_attributes);
    plain.flat_map(|rule| ambiguous(tree, scan, rule).or_else(|| right_recursive(tree, rule))).collect()
}

/// The parts of an alternative.
fn sequence<'e, 'a>(part: &'e Expr<'a>) -> &'e [Expr<'a>] {
    match &part.kind {
        Kind::Seq(parts) => parts,
        _ => std::slice::from_ref(part),
    }
}

fn alternatives<'e, 'a>(rule: &'e Definition<'a>) -> Vec<&'e [Expr<'a>]> {
    match &rule.body.kind {
        Kind::Alt(parts) => parts.iter().map(sequence).collect(),
        _ => vec![sequence(&rule.body)],
    }
}

fn is_name(part: Option<&Expr<'_>>, name: &str) -> bool {
    part.is_some_and(|p| matches!(p.kind, Kind::Name(n) if n == name))
}

fn uses(parts: &[Expr<'_>], name: &str) -> bool {
    parts.iter().flat_map(Expr::walk).any(|e| is_name(Some(e), name))
}

/// The text of some parts that stand together.
fn text<'a>(tree: &Tree<'a>, parts: &[Expr<'_>]) -> &'a str {
    match parts {
        [] => "",
        [first, .., last] => tree.str(&(first.span.start..last.span.end)),
        [one] => tree.str(&one.span),
    }
}

/// One of some alternatives, as a part that an operator may follow.
fn grouped(tree: &Tree<'_>, all: &[&[Expr<'_>]]) -> String {
    let texts: Vec<&str> = all.iter().map(|parts| text(tree, parts)).collect();
    match (all, &texts[..]) {
        ([[one]], [text]) if is_unit(one, text) => (*text).to_owned(),
        _ => format!("({})", texts.join(" | ")),
    }
}

/// Whether a part needs no parentheses before an operator.
fn is_unit(part: &Expr<'_>, text: &str) -> bool {
    match part.kind {
        Kind::Name(_) => !text.contains("::"),
        Kind::Text(..) | Kind::Regex(..) => true,
        // In a sequence these stand in parentheses.
        Kind::Alt(_) | Kind::Seq(_) => text.starts_with('('),
        _ => false,
    }
}

/// Whether a rule's body can be written anew: labels and comments in it would be lost.
fn is_plain(tree: &Tree<'_>, rule: &Definition<'_>) -> bool {
    let body = tree.str(&(rule.span.end..rule.whole.end));
    let scan = Scan::new(body);
    let words = ["->", "%if"];
    !scan.tokens.iter().any(|t| words.contains(&scan.str(t))) && !body.contains("//") && !body.contains('#')
}

/// A list that uses itself at its end: one more item of the parser for each of its elements.
fn right_recursive(tree: &Tree<'_>, rule: &Definition<'_>) -> Option<Finding> {
    let all = alternatives(rule);
    let (steps, ends, body) = match all[..] {
        [one] => {
            let (last, before) = one.split_last()?;
            let Kind::Repeat(inner, 0, Some(1)) = &last.kind else { return None };
            let inner = sequence(inner);
            let (own, between) = inner.split_last()?;
            if !is_name(Some(own), rule.name)
                || uses(between, rule.name)
                || before.is_empty()
                || uses(before, rule.name)
            {
                return None;
            }
            let item = text(tree, before);
            let step = format!("{} {item}", text(tree, between));
            let body = if between.is_empty() {
                format!("{}+", grouped(tree, &[before]))
            } else {
                format!("{item} ({})*", step.trim())
            };
            (vec![before], Vec::new(), body)
        }
        _ => {
            let is_step = |parts: &&&[Expr<'_>]| is_name(parts.last(), rule.name);
            let steps: Vec<&[Expr<'_>]> = all.iter().filter(is_step).map(|p| &p[..p.len() - 1]).collect();
            let ends: Vec<&[Expr<'_>]> = all.iter().filter(|p| !is_step(p)).copied().collect();
            if ends.iter().any(|p| uses(p, rule.name)) {
                return None;
            }
            let step = grouped(tree, &steps);
            let is_empty = |parts: &&&[Expr<'_>]| matches!(text(tree, parts), "" | "\"\"");
            let rest: Vec<&str> = ends.iter().filter(|p| !is_empty(p)).map(|p| text(tree, p)).collect();
            let optional = if rest.len() < ends.len() { "?" } else { "" };
            let body = match rest[..] {
                [] => format!("{step}*"),
                [one] if optional.is_empty() => format!("{step}* {one}"),
                _ => format!("{step}* ({}){optional}", rest.join(" | ")),
            };
            (steps, ends, body)
        }
    };
    // A list has elements: what ends it is an element too, or nothing. A prefix operator is no list.
    let same = |step: &&[Expr<'_>]| {
        let is_start = |end: &&[Expr<'_>]| {
            let end: Vec<&str> = end.iter().map(|p| tree.str(&p.span)).filter(|t| *t != "\"\"").collect();
            step.len() >= end.len() && step.iter().zip(&end).all(|(a, b)| tree.str(&a.span) == *b)
        };
        !step.is_empty() && !uses(step, rule.name) && (ends.is_empty() || ends.iter().any(is_start))
    };
    if steps.is_empty() || !steps.iter().all(same) {
        return None;
    }
    let message = format!("`{}` recurses at its end: after 2,000 elements the parser can give up", rule.name);
    let finding = Finding::new(rule.span.clone(), "right-recursion", message);
    let fix = Fix::new("repeat instead", vec![put(rule.body.span.clone(), &*body)]);
    let finding = finding.help(format!("repeat instead: `{}: {body}`", rule.name));
    Some(if is_plain(tree, rule) { finding.fix(fix) } else { finding })
}

/// `e: e "+" e`: a text with n operators has exponentially many readings, and the parser keeps all.
fn ambiguous(tree: &Tree<'_>, scan: &Scan<'_>, rule: &Definition<'_>) -> Option<Finding> {
    let all = alternatives(rule);
    let begins = |p: &[Expr<'_>]| is_name(p.first(), rule.name);
    let ends = |p: &[Expr<'_>]| is_name(p.last(), rule.name);
    let both: Vec<&&[Expr<'_>]> = all.iter().filter(|p| p.len() > 1 && begins(p) && ends(p)).collect();
    let first = both.first()?;
    let message = format!(
        "{} can be read in many ways: time grows with the cube of the length",
        super::lexemes::quoted(text(tree, first))
    );
    let span = first.first()?.span.start..first.last()?.span.end;
    let finding = Finding::new(span, "ambiguous-operator", message);
    let rest: Vec<&[Expr<'_>]> = all.iter().filter(|p| !begins(p) && !ends(p)).copied().collect();
    let operators: Vec<&[Expr<'_>]> = both.iter().map(|p| &p[1..p.len() - 1]).collect();
    let help = "let one side be something smaller: `sum: sum \"+\" term | term`";
    let is_simple = rest.len() + both.len() == all.len() && !rest.is_empty() && is_plain(tree, rule);
    // What stands between the two must not use the rule at its own ends either.
    let inner = both.iter().all(|p| !uses(&p[1..p.len() - 1], rule.name));
    if !is_simple || !inner {
        return Some(finding.help(help));
    }
    let name = edits::new_name(scan, &format!("{}_part", rule.name));
    let operators: Vec<&[Expr<'_>]> = operators.into_iter().filter(|o| !o.is_empty()).collect();
    let step = if operators.is_empty() {
        name.clone()
    } else if operators.len() < both.len() {
        format!("{}? {name}", grouped(tree, &operators))
    } else {
        format!("{} {name}", grouped(tree, &operators))
    };
    let rest: Vec<&str> = rest.iter().map(|p| text(tree, p)).collect();
    let lines = format!("{name}: {}", rest.join(" | "));
    let body = format!("{name} ({step})*");
    let fix = Fix::new(
        "repeat operators",
        vec![put(rule.body.span.clone(), body), edits::at_end(tree.text, &lines)],
    );
    Some(finding.help(help).fix(fix))
}
