//! Traps of a GBNF text without mistakes: lists that reach the parser's limit, operators that can be
//! read in many ways, white space and any text that never have to end, loops of nothing.
//!
//! GBNF has no terminals, so what a lexer would do wrong cannot happen here. As in Lark, only what is
//! certain is said, of rules that `root` reaches.

use std::ops::Range;

use super::check::{below, nullable, nullable_rules, reached, root, used_rules};
use super::{CharSet, Expr, ExprId, Finding, Grammar};
use crate::engine::fix::Fix;

/// The longest white space that fixes allow.
const LONGEST: u32 = 40;

/// Everything that will surprise.
pub(super) fn traps(grammar: &Grammar<'_>, text: &str) -> Vec<Finding> {
    let uses: Vec<Vec<usize>> = grammar.rules.iter().map(|r| used_rules(grammar, r.body)).collect();
    let nullable = nullable_rules(grammar, &uses);
    let lint = Lint { grammar, text, nullable };
    let spaces = lint.spaces();
    let reached = reached(&uses, root(grammar));
    let rules: Vec<usize> = (0..grammar.rules.len()).filter(|&r| reached[r]).collect();
    let of_lists =
        |&rule: &usize| lint.ambiguous(rule).or_else(|| lint.right_recursive(rule).filter(|_| !spaces[rule]));
    let mut found: Vec<Finding> = rules.iter().filter_map(of_lists).collect();
    // One place of the grammar is enough to see what is meant.
    let endless = rules.iter().filter_map(|&rule| lint.endless_space(rule, &spaces));
    found.extend(endless.min_by_key(|f| f.span.start));
    let free = lint.free();
    for part in rules.iter().flat_map(|&r| below(grammar, grammar.rules[r].body)) {
        found.extend(lint.empty_loop(part));
        found.extend(lint.any_text(part, &free));
    }
    found
}

struct Lint<'g, 'a> {
    grammar: &'g Grammar<'a>,
    text: &'a str,
    /// For each rule, whether the empty text follows it.
    nullable: Vec<bool>,
}

impl<'a> Lint<'_, 'a> {
    fn expr(&self, part: ExprId) -> &Expr<'a> {
        &self.grammar.exprs[part]
    }

    /// What a part is without the parentheses around it.
    fn bare(&self, mut part: ExprId) -> ExprId {
        while let Expr::Seq(parts) = self.expr(part)
            && let [one] = parts[..]
        {
            part = one;
        }
        part
    }

    /// The parts of one alternative.
    fn sequence(&self, part: ExprId) -> Vec<ExprId> {
        match self.expr(self.bare(part)) {
            Expr::Seq(parts) => parts.clone(),
            _ => vec![self.bare(part)],
        }
    }

    /// The alternatives of a rule, each with its parts.
    fn alternatives(&self, rule: usize) -> Vec<Vec<ExprId>> {
        let body = self.bare(self.grammar.rules[rule].body);
        match self.expr(body) {
            Expr::Alt(parts) => parts.iter().map(|&part| self.sequence(part)).collect(),
            _ => vec![self.sequence(body)],
        }
    }

    fn is_rule(&self, part: Option<&ExprId>, rule: usize) -> bool {
        part.is_some_and(|&part| matches!(self.expr(part), Expr::Rule(r) if *r == rule))
    }

    fn uses(&self, parts: &[ExprId], rule: usize) -> bool {
        parts.iter().any(|&part| used_rules(self.grammar, part).contains(&rule))
    }

    fn is_nullable(&self, part: ExprId) -> bool {
        nullable(self.grammar, part, &self.nullable)
    }

    /// From the first of some parts that stand together to the last.
    fn span(&self, parts: &[ExprId]) -> Range<usize> {
        let (first, last) = (parts.first(), parts.last());
        let span = |part: Option<&ExprId>| part.map_or(0..0, |&part| self.grammar.span(part));
        span(first).start..span(last).end
    }

    fn str(&self, parts: &[ExprId]) -> &'a str {
        self.text.get(self.span(parts)).unwrap_or_default()
    }

    fn name(&self, rule: usize) -> &'a str {
        self.grammar.rules[rule].name
    }

    /// A finding at the name of a rule.
    fn at_rule(&self, rule: usize, code: &'static str, message: String) -> Finding {
        Finding::new(self.grammar.rules[rule].span.clone(), code, message)
    }

    /// A fix that writes the body of a rule anew; none if a comment would be lost.
    fn rewritten(&self, rule: usize, title: &str, body: &str) -> Option<Fix> {
        let place = self.grammar.span(self.grammar.rules[rule].body);
        let old = self.text.get(place.clone())?;
        (!old.is_empty() && !old.contains('#')).then(|| Fix::replace(title, place, body))
    }

    /// `e ::= e "+" e`: a text with n operators has exponentially many readings.
    fn ambiguous(&self, rule: usize) -> Option<Finding> {
        let is_both = |parts: &&Vec<ExprId>| {
            parts.len() > 1 && self.is_rule(parts.first(), rule) && self.is_rule(parts.last(), rule)
        };
        let all = self.alternatives(rule);
        let parts = all.iter().find(is_both)?;
        let message =
            format!("`{}` can be read in many ways: time grows with the cube of the length", self.str(parts));
        let finding = Finding::new(self.span(parts), "ambiguous-operator", message);
        Some(finding.help("let one side be something smaller: `sum ::= term (\"+\" term)*`"))
    }

    /// A list that uses itself at its end: one more item of the parser for each of its elements.
    fn right_recursive(&self, rule: usize) -> Option<Finding> {
        let body = match &self.alternatives(rule)[..] {
            [one] => self.optional_tail(rule, one)?,
            all => self.listed(rule, all)?,
        };
        let name = self.name(rule);
        let message = format!("`{name}` recurses at its end: after 2,000 elements the parser can give up");
        let finding = self
            .at_rule(rule, "right-recursion", message)
            .help(format!("repeat instead: `{name} ::= {body}`"));
        Some(match self.rewritten(rule, "repeat instead", &body) {
            Some(fix) => finding.fix(fix),
            None => finding,
        })
    }

    /// `item ("," list)?` as a repetition.
    fn optional_tail(&self, rule: usize, parts: &[ExprId]) -> Option<String> {
        let (&last, before) = parts.split_last()?;
        let Expr::Repeat(inner, 0, Some(1)) = *self.expr(self.bare(last)) else { return None };
        let inner = self.sequence(inner);
        let (own, between) = inner.split_last()?;
        if !self.is_rule(Some(own), rule) || self.uses(between, rule) || self.uses(before, rule) {
            return None;
        }
        match (before, between) {
            ([], []) => None,
            ([], step) => Some(format!("{}*", self.grouped(&[step]))),
            (item, []) => Some(format!("{}+", self.grouped(&[item]))),
            (item, step) => {
                let item = self.str(item);
                Some(format!("{item} ({} {item})*", self.str(step)))
            }
        }
    }

    /// `item "," list | item` as a repetition. A list has elements: what ends it is an element too, or
    /// nothing. A prefix operator is no list.
    fn listed(&self, rule: usize, all: &[Vec<ExprId>]) -> Option<String> {
        let is_step = |parts: &&Vec<ExprId>| self.is_rule(parts.last(), rule);
        let steps: Vec<&[ExprId]> = all.iter().filter(is_step).map(|p| &p[..p.len() - 1]).collect();
        let ends: Vec<&[ExprId]> = all.iter().filter(|p| !is_step(p)).map(Vec::as_slice).collect();
        let same = |step: &&[ExprId]| {
            let begins = |end: &&[ExprId]| {
                step.len() >= end.len()
                    && step.iter().zip(*end).all(|(&a, &b)| self.str(&[a]) == self.str(&[b]))
            };
            !step.is_empty() && !self.uses(step, rule) && ends.iter().any(begins)
        };
        if steps.is_empty() || !steps.iter().all(same) || ends.iter().any(|end| self.uses(end, rule)) {
            return None;
        }
        let step = self.grouped(&steps);
        let rest: Vec<&str> = ends.iter().filter(|end| !end.is_empty()).map(|end| self.str(end)).collect();
        let optional = if rest.len() < ends.len() { "?" } else { "" };
        Some(match rest[..] {
            [] => format!("{step}*"),
            [one] if optional.is_empty() => format!("{step}* {one}"),
            _ => format!("{step}* ({}){optional}", rest.join(" | ")),
        })
    }

    /// Some sequences as one part of a longer one.
    fn grouped(&self, all: &[&[ExprId]]) -> String {
        match all {
            [one] if one.len() == 1 => self.str(one).to_owned(),
            _ => format!("({})", all.iter().map(|parts| self.str(parts)).collect::<Vec<_>>().join(" | ")),
        }
    }

    /// For each rule, whether it has characters, and they are all white space.
    fn spaces(&self) -> Vec<bool> {
        let mut spaces = vec![true; self.grammar.rules.len()];
        loop {
            let is_space =
                |rule: usize| spaces[rule] && self.is_space(self.grammar.rules[rule].body, &spaces);
            let next: Vec<bool> = (0..spaces.len()).map(is_space).collect();
            if next == spaces {
                return spaces;
            }
            spaces = next;
        }
    }

    /// Whether a part has characters, and they are all white space.
    fn is_space(&self, part: ExprId, spaces: &[bool]) -> bool {
        let is_white = |c: u32| char::from_u32(c).is_some_and(char::is_whitespace);
        let mut any = false;
        let all = below(self.grammar, part).into_iter().all(|part| match self.expr(part) {
            Expr::Set(set) => {
                any = true;
                // The longest run of white space in Unicode has eleven characters.
                set.ranges().iter().all(|&(from, to)| to - from < 16 && (from..=to).all(is_white))
            }
            Expr::Literal(chars) => {
                any = true;
                chars.iter().all(|c| c.is_whitespace())
            }
            Expr::Rule(rule) => {
                any = true;
                spaces[*rule]
            }
            Expr::Token { .. } | Expr::TokenId { .. } | Expr::Name(..) => false,
            _ => true,
        });
        any && all
    }

    /// White space that may go on and on: a repetition without a bound, or a rule that is white space
    /// and uses itself.
    fn endless_space(&self, rule: usize, spaces: &[bool]) -> Option<Finding> {
        let name = self.name(rule);
        let body = self.grammar.rules[rule].body;
        let help = "bound it, as in `[ \\t\\n]{0,40}`";
        if spaces[rule] && self.uses(&[body], rule) {
            let message = format!("`{name}` can go on and on: a model may never leave it");
            let finding = self.at_rule(rule, "endless-space", message).help(help);
            let again = match &self.alternatives(rule)[..] {
                [one] => self.optional_tail(rule, one),
                all => self.listed(rule, all),
            };
            let bounded = again.as_deref().and_then(|again| again.strip_suffix('*')).map(bounded);
            let fix = bounded.and_then(|body| self.rewritten(rule, "bound it", &body));
            return Some(match fix {
                Some(fix) => finding.fix(fix.unsafe_to_apply()),
                None => finding,
            });
        }
        let repeats = below(self.grammar, body).into_iter().filter(|&part| match *self.expr(part) {
            Expr::Repeat(inner, _, None) => self.is_space(inner, spaces),
            _ => false,
        });
        let part = repeats.min_by_key(|&part| self.span(&[part]).start)?;
        let shown = self.str(&[part]);
        let message = format!("`{shown}` can go on and on: a model may never leave it");
        let finding = Finding::new(self.span(&[part]), "endless-space", message).help(help);
        let replaced = match (shown.strip_suffix('*'), shown.strip_suffix('+')) {
            (Some(inner), _) => bounded(inner),
            (None, Some(inner)) => format!("{inner}{{1,{LONGEST}}}"),
            (None, None) => return Some(finding),
        };
        Some(finding.fix(Fix::replace("bound it", self.span(&[part]), replaced).unsafe_to_apply()))
    }

    /// A repetition without a bound of something that may be empty.
    fn empty_loop(&self, part: ExprId) -> Option<Finding> {
        let Expr::Repeat(inner, _, None) = *self.expr(part) else { return None };
        self.is_nullable(inner).then(|| {
            let message =
                format!("`{}` repeats what may be empty, which llama.cpp refuses", self.str(&[part]));
            Finding::new(self.span(&[part]), "empty-loop", message)
                .help("repeat what is never empty: `(\"a\" | \"b\")*` instead of `(\"a\"* \"b\"?)*`")
        })
    }

    /// For each rule, whether it can end with a repetition of any character.
    fn free(&self) -> Vec<bool> {
        let mut free = vec![false; self.grammar.rules.len()];
        loop {
            let is_free = |rule: usize| free[rule] || self.is_free(self.grammar.rules[rule].body, &free);
            let next: Vec<bool> = (0..free.len()).map(is_free).collect();
            if next == free {
                return free;
            }
            free = next;
        }
    }

    /// Whether a part can end with a repetition of any character.
    fn is_free(&self, part: ExprId, free: &[bool]) -> bool {
        match self.expr(part) {
            Expr::Repeat(inner, _, None) if self.is_any(*inner) => true,
            Expr::Repeat(inner, ..) => self.is_free(*inner, free),
            Expr::Alt(parts) => parts.iter().any(|&part| self.is_free(part, free)),
            Expr::Seq(parts) => {
                let ends = parts.iter().rposition(|&part| !self.is_nullable(part)).unwrap_or(0);
                parts[ends.min(parts.len())..].iter().any(|&part| self.is_free(part, free))
            }
            Expr::Rule(rule) => free[*rule],
            _ => false,
        }
    }

    fn is_any(&self, part: ExprId) -> bool {
        matches!(self.expr(self.bare(part)), Expr::Set(set) if *set == CharSet::any())
    }

    /// Any text before something that has to follow: what follows is any text too.
    fn any_text(&self, part: ExprId, free: &[bool]) -> Option<Finding> {
        let Expr::Seq(parts) = self.expr(part) else { return None };
        let last = parts.iter().rposition(|&part| !self.is_nullable(part))?;
        let &part = parts[..last].iter().find(|&&part| self.is_free(part, free))?;
        let message = format!(
            "after `{}` any text may go on and on, and what has to follow it is never asked for",
            self.str(&[part])
        );
        let finding = Finding::new(self.span(&[part]), "any-text", message);
        Some(finding.help("say what may not come, as in `[^\"]*`, or bound it, as in `.{0,200}`"))
    }
}

/// A part that comes at most so often.
fn bounded(part: &str) -> String {
    format!("{part}{{0,{LONGEST}}}")
}
