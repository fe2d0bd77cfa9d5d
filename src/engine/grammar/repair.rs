//! The other mistakes of a text in which llguidance has named one.
//!
//! llguidance stops at the first mistake. So what it names is taken out of a copy of the text, in
//! which everything else keeps its place, and the copy is compiled, until nothing more is found.
//! A mistake must not cause a second message: what used the part that was taken out still finds
//! something there. This file must never decide what is wrong.

use std::collections::HashSet;
use std::ops::Range;

use super::messages::Finding;
use super::scan::{Kind, Scan, Token, bare};
use super::{GrammarKind, GrammarSource, json};

/// The most copies that are compiled.
const ROUNDS: usize = 20;

/// The most text that is compiled for it, in bytes. A keystroke waits for it.
const BUDGET: usize = 40 * 1024;

/// `first` and what `find` finds in copies of `source` without what is known to be wrong.
pub(super) fn rest(
    source: &GrammarSource,
    first: Vec<Finding>,
    find: impl Fn(&GrammarSource) -> Vec<Finding>,
) -> Vec<Finding> {
    let rounds = ROUNDS.min(BUDGET / source.text.len().max(1));
    let mut all = first;
    let mut new = 0..all.len();
    let mut mended = source.text.clone();
    for _ in 0..rounds {
        let Some(next) = (match source.kind {
            GrammarKind::Lark => without_statements(&source.text, &all),
            GrammarKind::JsonSchema => without_members(&mended, &all[new.clone()]),
            GrammarKind::Gbnf | GrammarKind::Regex => None,
        }) else {
            break;
        };
        mended = next;
        let mut found = find(&GrammarSource { text: mended.clone(), ..source.clone() });
        // What was put in is not the person's, and nothing is named twice.
        found.retain(|f| f.span.end <= source.text.len() && !all.iter().any(|a| touch(&a.span, &f.span)));
        if found.is_empty() {
            break;
        }
        for fix in found.iter_mut().filter_map(|f| f.fix.as_mut()) {
            fix.edits.retain(|e| e.span.end <= source.text.len());
        }
        new = all.len()..all.len() + found.len();
        all.extend(found);
    }
    all
}

fn touch(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end.max(b.start + 1) && b.start < a.end.max(a.start + 1)
}

/// A Lark text in which the statements that hold `findings` are blank, and what they define, and
/// the names that nothing defines, are defined at the end. `None` if it would not help.
fn without_statements(text: &str, findings: &[Finding]) -> Option<String> {
    // These are about the text as a whole.
    if findings.iter().any(|f| matches!(f.code, "gbnf" | "limit" | "internal" | "too-deep")) {
        return None;
    }
    let scan = Scan::new(text).outermost();
    let statements = scan.statements();
    let mut mended = text.as_bytes().to_vec();
    let mut defined: HashSet<&str> = HashSet::new();
    let mut wanted: Vec<(&str, String)> = Vec::new();
    // Of a directive, what it defines.
    let names = scan.definitions();
    let wrong = |statement: &[Token]| {
        let start = statement.first().map_or(0, |t| t.span.start);
        let end = statement.last().map_or(0, |t| t.span.end);
        let holds = |f: &&Finding| start <= f.span.start && f.span.start < end.max(start + 1);
        findings.iter().filter(|f| !is_name(text, f)).find(holds)
    };
    // Whether what follows may belong to a statement that is wrong.
    let mut goes_on = false;
    for statement in &statements {
        let head = statement.first().filter(|t| matches!(t.kind, Kind::Rule | Kind::Terminal));
        let is_definition = head.is_some() && statement.iter().any(|t| scan.str(t) == ":");
        let finding = wrong(statement);
        goes_on = match finding {
            Some(f) => matches!(f.code, "newline-in-group" | "unclosed-group" | "syntax"),
            None => goes_on && !is_definition && statement[0].kind != Kind::Directive,
        };
        if finding.is_none() && !goes_on {
            defined.extend(head.map(|t| bare(scan.str(t))));
            let places = statement[0].span.start..statement[statement.len() - 1].span.end;
            defined.extend(names.iter().filter(|d| places.contains(&d.span.start)).map(|d| d.name));
            continue;
        }
        for token in *statement {
            let bytes = &mut mended[token.span.clone()];
            bytes.iter_mut().filter(|b| !matches!(b, b'\n' | b'\r')).for_each(|b| *b = b' ');
        }
        // `fooBar` is three names, and a directive may define several.
        let is_directive = statement[0].kind == Kind::Directive;
        let mut glued_to = head.map(|t| t.span.start);
        for token in statement.iter().filter(|t| matches!(t.kind, Kind::Rule | Kind::Terminal)) {
            if is_directive || glued_to == Some(token.span.start) {
                let name = bare(scan.str(token));
                wanted.push((name, stub(&scan, statement, name)));
                glued_to = Some(token.span.end);
            }
        }
    }
    for finding in findings.iter().filter(|f| is_name(text, f)) {
        let name = &text[finding.span.clone()];
        wanted.push((name, format!("{name}: \"x\"")));
    }
    if !defined.contains("start") && !wanted.iter().any(|(name, _)| *name == "start") {
        let rules = statements.iter().filter_map(|s| s.first()).filter(|t| t.kind == Kind::Rule);
        let rules: Vec<_> = rules.map(|t| bare(scan.str(t))).filter(|n| defined.contains(n)).collect();
        let body = if rules.is_empty() { "\"x\"".into() } else { rules.join(" | ") };
        wanted.push(("start", format!("start: {body}")));
    }
    let mut mended = String::from_utf8(mended).ok()?;
    for (name, definition) in wanted {
        if defined.insert(name) {
            mended.push('\n');
            mended.push_str(&definition);
        }
    }
    Some(mended)
}

/// Whether a finding says that the name at its place is not defined.
fn is_name(text: &str, finding: &Finding) -> bool {
    let name = text.get(finding.span.clone()).unwrap_or_default();
    finding.code == "undefined-name" && !name.is_empty() && !name.starts_with('@')
}

/// A definition of `name` for those who use it. It leads to the rules that `statement` leads to, so
/// that they are looked at too.
fn stub(scan: &Scan<'_>, statement: &[Token], name: &str) -> String {
    if statement.get(1).is_some_and(|t| scan.str(t) == "::") {
        return format!("{name}::_: \"x\" %if eq(_, 0)");
    }
    let body = statement.iter().skip_while(|t| scan.str(t) != ":");
    let heads: HashSet<&str> = scan.definitions().into_iter().map(|d| d.name).collect();
    let mut uses: Vec<&str> = Vec::new();
    let mut tokens = body.peekable();
    while let Some(token) = tokens.next() {
        let used = scan.str(token);
        let is_plain = tokens.peek().is_none_or(|next| scan.str(next) != "::");
        if token.kind == Kind::Rule && is_plain && used != name && heads.contains(used) {
            uses.push(used);
        }
    }
    let is_terminal = name.trim_start_matches('_').starts_with(|c: char| c.is_ascii_uppercase());
    if is_terminal || uses.is_empty() {
        format!("{name}: \"x\"")
    } else {
        format!("{name}: {}", uses.join(" | "))
    }
}

/// A JSON text in which the members that hold `findings` are blank. `None` if there are none.
fn without_members(text: &str, findings: &[Finding]) -> Option<String> {
    let members = json::members(text);
    let mut mended = text.as_bytes().to_vec();
    let mut changed = false;
    for finding in findings.iter().filter(|f| !f.span.is_empty()) {
        let holds = |m: &&Range<usize>| m.start <= finding.span.start && finding.span.end <= m.end;
        let Some(member) = members.iter().filter(holds).min_by_key(|m| m.len()) else { continue };
        mended[member.clone()].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        // Of the two commas around it one has to go.
        let comma = |b: u8| (b == b',').then_some(());
        let is_space = |b: &u8| b.is_ascii_whitespace();
        let after = (member.end..mended.len()).find(|&i| !is_space(&mended[i]));
        let before = (0..member.start).rfind(|&i| !is_space(&mended[i]));
        let which = [after, before].into_iter().flatten().find(|&i| comma(mended[i]).is_some());
        if let Some(i) = which {
            mended[i] = b' ';
        }
        changed = true;
    }
    String::from_utf8(mended).ok().filter(|_| changed)
}
