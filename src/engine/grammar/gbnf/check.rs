//! Names: whether every used one exists, whether it can be reached, and whether it can ever end.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{Expr, Finding, Grammar, NamedToken, ROOT};
use crate::engine::fix::Fix;
use crate::engine::grammar::components::components;
use crate::engine::grammar::messages::closest;

const WAY_OUT: &str = "give it an alternative that does not lead back to it";

/// Puts rules and tokens in the place of names.
pub(super) fn resolve(grammar: &mut Grammar<'_>, tokens: &[NamedToken], vocabulary: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut rules: HashMap<&str, usize> = HashMap::new();
    for (i, rule) in grammar.rules.iter().enumerate() {
        if rules.insert(rule.name, i).is_some() {
            let message = format!("`{}` is defined twice", rule.name);
            findings.push(
                Finding::new(rule.span.clone(), "duplicate-name", message)
                    .help("join the two with `|`, or rename one; llama.cpp would forget the first"),
            );
        }
    }
    if !rules.contains_key(ROOT) {
        findings.push(no_root(grammar));
    }
    let mut unknown: HashSet<&str> = HashSet::new();
    for i in 0..grammar.exprs.len() {
        match &grammar.exprs[i] {
            Expr::Name(name, span) => match rules.get(name) {
                Some(&rule) => grammar.exprs[i] = Expr::Rule(rule),
                None if unknown.insert(name) => findings.push(undefined(name, span.clone(), &rules)),
                None => {}
            },
            Expr::Token { negated, name, span } => match token_id(name, tokens, vocabulary) {
                Ok(id) => grammar.exprs[i] = Expr::TokenId { negated: *negated, id },
                Err(finding) => findings.push(Finding { span: span.clone(), ..finding }),
            },
            _ => {}
        }
    }
    findings
}

fn no_root(grammar: &Grammar<'_>) -> Finding {
    let names = || grammar.rules.iter().map(|r| r.name);
    let likely = closest(ROOT, names())
        .or_else(|| names().find(|n| matches!(*n, "start" | "main" | "grammar" | "Root")));
    let rule = |name: Option<&str>| grammar.rules.iter().find(|r| Some(r.name) == name);
    let finding = |span: Range<usize>| Finding::new(span, "missing-start", "there is no rule `root`");
    match (rule(likely), grammar.rules.first()) {
        (Some(rule), _) => finding(rule.span.clone()).help(format!("rename `{}` to `root`", rule.name)),
        (None, Some(first)) => {
            let line = format!("root ::= {}", first.name);
            let help = format!("add `{line}`");
            let fix = Fix::replace(&*help, 0..0, format!("{line}\n"));
            finding(first.span.clone()).help(help).fix(fix)
        }
        (None, None) => finding(0..0).help("add `root ::= …`"),
    }
}

fn undefined(name: &str, span: Range<usize>, rules: &HashMap<&str, usize>) -> Finding {
    let finding = Finding::new(span, "undefined-name", format!("`{name}` is not defined"));
    match closest(name, rules.keys().copied()) {
        Some(meant) => {
            let fix = Fix::replace(format!("write `{meant}`"), finding.span.clone(), meant);
            finding.help(format!("did you mean `{meant}`?")).fix(fix)
        }
        None if name == "i" => finding.help("strings have no flags: write both cases, as `[aA]`"),
        None => finding,
    }
}

/// The id of `<name>` or `<[id]>`.
fn token_id(name: &str, tokens: &[NamedToken], vocabulary: usize) -> Result<u32, Finding> {
    if let Some(digits) = name.strip_prefix("<[").and_then(|n| n.strip_suffix("]>")) {
        return match digits.parse::<u32>() {
            Ok(id) if (id as usize) < vocabulary => Ok(id),
            Ok(_) => {
                let message = format!("the model has only {vocabulary} tokens");
                Err(Finding::new(0..0, "bad-token-range", message))
            }
            Err(_) => Err(Finding::new(0..0, "bad-token-range", "a token's id is a number")),
        };
    }
    if let Some((_, id)) = tokens.iter().find(|(known, _)| known == name) {
        return Ok(*id);
    }
    let finding = Finding::new(0..0, "unknown-special-token", format!("the model has no token `{name}`"));
    let known = || tokens.iter().map(|(known, _)| known.as_str());
    Err(match closest(name, known()) {
        Some(meant) => finding.help(format!("did you mean `{meant}`?")),
        None => {
            let shown: Vec<_> = known().take(8).map(|t| format!("`{t}`")).collect();
            finding.help(format!("it has {}", shown.join(", ")))
        }
    })
}

/// What will surprise in a text without mistakes, or why nothing can follow it.
pub(super) fn meaning(grammar: &Grammar<'_>) -> Result<Vec<Finding>, Finding> {
    let uses: Vec<Vec<usize>> = grammar.rules.iter().map(|r| used_rules(grammar, r.body)).collect();
    let root = root(grammar);
    let ends = can_end(grammar, &uses);
    let reached = reached(&uses, root);
    let at = |rule: usize| grammar.rules[rule].span.clone();
    let name = |rule: usize| grammar.rules[rule].name;
    // Of rules that never end, those that lead back to themselves are to blame, and of each circle
    // its first rule.
    let blamed: Vec<usize> = components(&uses)
        .into_iter()
        .filter(|circle| {
            let inside = |r: usize| circle.contains(&r);
            let is_circle = circle.iter().any(|&r| uses[r].iter().any(|&u| inside(u)));
            let others_end = || circle.iter().all(|&r| uses[r].iter().all(|&u| ends[u] || inside(u)));
            is_circle && circle.iter().all(|&r| reached[r] && !ends[r]) && others_end()
        })
        .filter_map(|circle| circle.into_iter().min())
        .collect();
    if !ends[root] {
        let rule = blamed.first().copied().unwrap_or(root);
        let message = format!("no text can match: `{}` always needs itself again", name(rule));
        return Err(Finding::new(at(rule), "matches-nothing", message).help(WAY_OUT));
    }
    let mut warnings: Vec<Finding> = Vec::new();
    for rule in blamed {
        let message = format!("a text that enters `{}` never ends: it always needs itself again", name(rule));
        warnings.push(Finding::new(at(rule), "endless-rule", message).help(WAY_OUT));
    }
    for rule in left_recursive(grammar, &uses) {
        let message = format!("`{}` can begin with itself, which llama.cpp refuses", name(rule));
        warnings
            .push(Finding::new(at(rule), "left-recursion", message).help(
                "it works here; for llama.cpp write `item (\",\" item)*` instead of `list \",\" item`",
            ));
    }
    for rule in (0..grammar.rules.len()).filter(|&r| !reached[r]) {
        let message = format!("nothing that `root` reaches uses `{}`", name(rule));
        warnings.push(Finding::new(at(rule), "unused-name", message));
    }
    Ok(warnings)
}

/// The rule that a text has to follow.
pub(super) fn root(grammar: &Grammar<'_>) -> usize {
    grammar.rules.iter().position(|r| r.name == ROOT).unwrap_or(0)
}

/// The expressions below `expr`, itself included.
pub(super) fn below(grammar: &Grammar<'_>, expr: usize) -> Vec<usize> {
    let mut found = vec![expr];
    let mut next = 0;
    while next < found.len() {
        found.extend(grammar.exprs[found[next]].children());
        next += 1;
    }
    found
}

pub(super) fn used_rules(grammar: &Grammar<'_>, expr: usize) -> Vec<usize> {
    let of = |e: usize| match grammar.exprs[e] {
        Expr::Rule(rule) => Some(rule),
        _ => None,
    };
    below(grammar, expr).into_iter().filter_map(of).collect()
}

pub(super) fn reached(uses: &[Vec<usize>], root: usize) -> Vec<bool> {
    let mut reached = vec![false; uses.len()];
    let mut open = vec![root];
    while let Some(rule) = open.pop() {
        if !std::mem::replace(&mut reached[rule], true) {
            open.extend(&uses[rule]);
        }
    }
    reached
}

/// For each rule, whether it has a text at all.
fn can_end(grammar: &Grammar<'_>, uses: &[Vec<usize>]) -> Vec<bool> {
    fixpoint(uses, |rule, ends| {
        holds(grammar, grammar.rules[rule].body, &|e| match e {
            Expr::Rule(rule) => ends[*rule],
            Expr::Set(set) => !set.is_empty(),
            _ => true,
        })
    })
}

/// For each rule, whether the empty text follows it.
pub(super) fn nullable_rules(grammar: &Grammar<'_>, uses: &[Vec<usize>]) -> Vec<bool> {
    fixpoint(uses, |rule, empty| nullable(grammar, grammar.rules[rule].body, empty))
}

/// Whether the empty text follows `expr`, given the rules that it follows.
pub(super) fn nullable(grammar: &Grammar<'_>, expr: usize, rules: &[bool]) -> bool {
    holds(grammar, expr, &|e| matches!(e, Expr::Rule(rule) if rules[*rule]))
}

/// Whether all parts of a sequence, one of the alternatives and so on have what `leaf` says of
/// a leaf.
fn holds(grammar: &Grammar<'_>, expr: usize, leaf: &impl Fn(&Expr<'_>) -> bool) -> bool {
    match &grammar.exprs[expr] {
        Expr::Seq(parts) => parts.iter().all(|&e| holds(grammar, e, leaf)),
        Expr::Alt(parts) => parts.iter().any(|&e| holds(grammar, e, leaf)),
        Expr::Repeat(part, min, max) => *min == 0 || *max == Some(0) || holds(grammar, *part, leaf),
        e => leaf(e),
    }
}

/// The least set of rules that `holds` makes, rules before those that use them so that almost
/// everything is known after one pass.
fn fixpoint(uses: &[Vec<usize>], holds: impl Fn(usize, &[bool]) -> bool) -> Vec<bool> {
    let mut state = vec![false; uses.len()];
    for component in components(uses) {
        loop {
            let mut changed = false;
            for &rule in component.iter().rev() {
                if !state[rule] && holds(rule, &state) {
                    state[rule] = true;
                    changed = true;
                }
            }
            if !changed || component.len() == 1 {
                break;
            }
        }
    }
    state
}

/// The rules that can begin with themselves, one of each circle.
fn left_recursive(grammar: &Grammar<'_>, uses: &[Vec<usize>]) -> Vec<usize> {
    let empty = nullable_rules(grammar, uses);
    let mut begins: Vec<Vec<usize>> = Vec::with_capacity(uses.len());
    for rule in &grammar.rules {
        let (mut found, mut open) = (Vec::new(), vec![rule.body]);
        while let Some(expr) = open.pop() {
            match &grammar.exprs[expr] {
                Expr::Rule(rule) => found.push(*rule),
                Expr::Seq(parts) => {
                    for &part in parts {
                        open.push(part);
                        if !nullable(grammar, part, &empty) {
                            break;
                        }
                    }
                }
                other => open.extend(other.children()),
            }
        }
        begins.push(found);
    }
    let is_circle = |c: &Vec<usize>| c.len() > 1 || begins[c[0]].contains(&c[0]);
    components(&begins).into_iter().filter(is_circle).filter_map(|c| c.into_iter().min()).collect()
}
