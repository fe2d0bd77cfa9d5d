//! Traps of the lexer, which always takes the longest match and never goes back: terminals that
//! leave nothing for what follows them, that match nothing, or that are read one character a time.

use super::edits::{at_end, new_name, put};
use super::{Finding, Fix, Scan};
use crate::engine::grammar::flow::{Flow, Lexeme, START, Set, UNKNOWN, numbers};
use crate::engine::grammar::tree::{Expr, Kind};

/// A repetition that is allowed to go on for so long is worth being one terminal.
const LONG: u32 = 16;

/// A class of fewer characters is a choice, not a word that is spelled.
const MANY: usize = 10;

pub(super) fn traps(flow: &Flow<'_, '_>) -> Vec<Finding> {
    let mut found = empty(flow);
    for rule in flow.tree.rules().filter(|r| !r.has_attributes) {
        for part in rule.body.walk() {
            match &part.kind {
                Kind::Seq(parts) => {
                    let pairs = parts.windows(2);
                    found.extend(pairs.filter_map(|pair| swallowed(flow, &pair[0], &pair[1])));
                }
                Kind::Repeat(inner, min, max) if *max != Some(1) => {
                    if max.is_none_or(|max| max >= LONG)
                        && let Some(finding) = spelled(flow, rule.name, part, inner, *min, *max)
                    {
                        found.push(finding);
                    } else {
                        found.extend(swallowed(flow, inner, inner));
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// Terminals that match nothing.
pub(super) fn empty(flow: &Flow<'_, '_>) -> Vec<Finding> {
    let lexemes = flow.lexemes.iter().filter(|l| l.dfa().is_some_and(|dfa| dfa.is_empty()));
    let finding = |l: &Lexeme<'_>| {
        let span = flow.tree.get(l.text).map_or(l.span.clone(), |d| d.span.clone());
        Finding::new(span, "empty-terminal", format!("no text can match {}", quoted(l.text)))
            .help("`A & B` is what both match, and `~A` what A does not: together they leave nothing")
    };
    lexemes.map(finding).collect()
}

/// Whether nothing that begins with one of `next` can follow any of `before`.
fn is_dead(flow: &Flow<'_, '_>, before: &Set, next: &Set) -> bool {
    let (before, next) = (numbers(before), numbers(next));
    let ignored = flow.ignored.as_ref().map(|ignored| ignored.first());
    let dead = |x: usize, y: usize| -> Option<bool> {
        let (long, short) = (flow.lexemes[x].dfa()?, flow.lexemes[y].dfa()?);
        if x <= START
            || y <= START
            || long.takes_empty()
            || short.takes_empty()
            || long.is_empty()
            || short.is_empty()
        {
            return None;
        }
        let swallows = flow.lexemes[x].swallows();
        let starts = |first: &[bool; 256]| (0..256).any(|b| first[b] && !swallows[b]);
        // What is ignored may stand between the two.
        let between = match (&ignored, flow.tree.ignored.is_empty()) {
            (Some(ignored), _) => starts(ignored),
            (None, true) => false,
            (None, false) => return None,
        };
        Some(!starts(flow.lexemes[y].first()) && !between)
    };
    let known = |set: &[usize]| !set.is_empty() && !set.contains(&UNKNOWN);
    known(&before) && known(&next) && before.iter().all(|&x| next.iter().all(|&y| dead(x, y) == Some(true)))
}

/// `second` can never follow `first`, which takes what it begins with.
fn swallowed<'a>(flow: &Flow<'a, '_>, first: &Expr<'a>, second: &Expr<'a>) -> Option<Finding> {
    let (left, right) = (flow.ends(first), flow.ends(second));
    if left.nullable || right.nullable || !is_dead(flow, &left.last, &right.first) {
        return None;
    }
    let before = quoted(flow.lexemes[*numbers(&left.last).first()?].text);
    let next = quoted(flow.tree.str(&second.span));
    if first.span == second.span {
        let message = format!("{next} can never follow itself: {before} takes all that it begins with");
        let finding = Finding::new(second.span.clone(), "swallows-next", message);
        return Some(finding.help("the repetition does nothing; put between two what separates them"));
    }
    let message = format!("{next} can never follow: {before} takes all that it begins with");
    let finding = Finding::new(second.span.clone(), "swallows-next", message);
    match mend(flow, first, &left.last, &right.first) {
        Some((fix, text)) => Some(finding.help(format!("leave out what ends it: `{text}`")).fix(fix)),
        None => {
            Some(finding.help("the longest match wins and is never given back: leave out of it what ends it"))
        }
    }
}

/// A regex of one repeated class in `part`, without the bytes that what follows begins with.
fn mend<'a>(flow: &Flow<'a, '_>, part: &Expr<'a>, before: &Set, next: &Set) -> Option<(Fix, String)> {
    let [x] = numbers(before)[..] else { return None };
    let [y] = numbers(next)[..] else { return None };
    let lexeme = &flow.lexemes[x];
    let body = flow.tree.get(lexeme.text).map(|d| &d.body);
    let text = body.map_or(lexeme.text, |body| flow.tree.str(&body.span));
    let (pattern, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    let first = flow.lexemes[y].dfa()?.first();
    let bytes: Vec<u8> = (0..=255).filter(|&b| first[usize::from(b)]).collect();
    let [byte] = bytes[..] else { return None };
    let out = match byte {
        b'\n' => "\\n".to_owned(),
        b'\\' | b']' | b'^' | b'-' | b'/' | b'[' => format!("\\{}", char::from(byte)),
        0x20..0x7f => char::from(byte).to_string(),
        _ => return None,
    };
    let newline = if flags.contains('s') || byte == b'\n' { "" } else { "\\n" };
    let sign = pattern.chars().last().filter(|c| matches!(c, '+' | '*'))?;
    let class = &pattern[..pattern.len() - 1];
    let class = match class.strip_prefix("[^").and_then(|c| c.strip_suffix(']')) {
        _ if class == "." => format!("[^{out}{newline}]"),
        Some(left) if !left.contains(['[', ']']) => format!("[^{left}{out}]"),
        _ => return None,
    };
    let text = format!("/{class}{sign}/{flags}");
    // Other uses are followed by something else, and keep what they have.
    let everywhere = flow.tree.definitions.iter().map(|d| &d.body).chain(&flow.tree.ignored);
    let is_use = |e: &&Expr<'a>| e.parts().is_empty() && flow.tree.str(&e.span) == lexeme.text;
    let uses: Vec<&Expr<'_>> = everywhere.flat_map(Expr::walk).filter(is_use).collect();
    let here: Vec<&&Expr<'_>> = uses.iter().filter(|e| part.span.contains(&e.span.start)).collect();
    let (place, is_safe) = match (&here[..], &uses[..]) {
        ([here], [_]) => (body.map_or(&here.span, |body| &body.span), true),
        ([here], _) => (&here.span, false),
        (_, [only]) => (body.map_or(&only.span, |body| &body.span), false),
        _ => return None,
    };
    let fix = Fix::replace(format!("write `{text}`"), place.clone(), &*text);
    Some((if is_safe { fix } else { fix.unsafe_to_apply() }, text))
}

/// Single characters, one terminal each, that should be one terminal together.
fn spelled<'a>(
    flow: &Flow<'a, '_>,
    rule: &str,
    whole: &Expr<'a>,
    inner: &Expr<'a>,
    min: u32,
    max: Option<u32>,
) -> Option<Finding> {
    let leaves: Vec<usize> = inner
        .walk()
        .into_iter()
        .filter(|e| {
            !matches!(e.kind, Kind::Alt(_)) && !matches!(&e.kind, Kind::Seq(parts) if parts.len() == 1)
        })
        .map(|e| flow.number(e))
        .collect::<Option<_>>()?;
    let mut all = [false; 256];
    for &leaf in &leaves {
        let dfa = flow.lexemes.get(leaf).filter(|_| leaf > START)?.dfa()?;
        let first = dfa.first();
        for byte in (0..128_u8).filter(|&b| first[usize::from(b)]) {
            // One character, and nothing after it.
            let only = dfa.takes(&[byte]) && (0..=255).all(|next| !dfa.goes_on_after(&[byte, next]));
            if !only {
                return None;
            }
            all[usize::from(byte)] = true;
        }
    }
    let letters = (0..128_u8).filter(|&b| all[usize::from(b)] && b.is_ascii_alphanumeric()).count();
    if letters < MANY {
        return None;
    }
    let text = flow.tree.str(&whole.span);
    let between =
        if flow.tree.ignored.is_empty() { "" } else { ", and what is ignored may stand between them" };
    let message =
        format!("{} reads every character as a terminal of its own: this is slow{between}", quoted(text));
    let span = whole.span.clone();
    let finding = Finding::new(span.clone(), "slow-repeat", message);
    // `/[a-z]/+` becomes `/[a-z]+/`, anything else a terminal of its own.
    let sign = &text[inner.span.len()..];
    let alone = flow.tree.str(&inner.span);
    let pattern = alone.strip_prefix('/').and_then(|p| p.strip_suffix('/'));
    let fix = match pattern.filter(|p| p.starts_with('[') && p.ends_with(']') && p.matches('[').count() == 1)
    {
        Some(pattern) if sign != "*" && !sign.starts_with('~') => {
            Fix::replace("repeat inside of the regex", span, format!("/{pattern}{sign}/"))
        }
        _ => {
            let name = new_name(&Scan::new(flow.tree.text), &rule.to_uppercase().replace('-', "_"));
            let (used, repeated) = match (min, max) {
                (0, None) => (format!("{name}?"), "+".to_owned()),
                (0, Some(max)) => (format!("{name}?"), format!("{{1,{max}}}")),
                _ => (name.clone(), sign.to_owned()),
            };
            let group = if alone.starts_with('(') || leaves.len() == 1 {
                alone.to_owned()
            } else {
                format!("({alone})")
            };
            let lines = format!("{name}: {group}{repeated}");
            Fix::new("make it one terminal", vec![put(span, used), at_end(flow.tree.text, &lines)])
        }
    };
    Some(finding.help("make it one terminal: `/[a-z]+/`, or a name in upper case").fix(fix.unsafe_to_apply()))
}

/// A piece of the grammar as it is shown in a message.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= MOST {
        return format!("`{text}`");
    }
    format!("`{}…`", text.chars().take(MOST).collect::<String>())
}
