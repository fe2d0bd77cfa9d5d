//! Writes a grammar down in llguidance's Lark.
//!
//! Names are numbers: `r3` is the rule 3 of the text, `g7` the expression 7, which had no name.
//! In upper case they are terminals: `R3` and `T7` match all of their texts, `V3` and `U7` all but
//! the empty one, because a terminal of a rule never matches the empty text.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write;
use std::ops::Range;

use super::merge::{Plan, plan};
use super::{CharSet, Expr, ExprId, Grammar, Line, Marked, ROOT};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Definition {
    Rule(usize),
    Group(ExprId),
    TerminalRule(usize),
    Terminal(ExprId),
    NonEmptyRule(usize),
    NonEmpty(ExprId),
}

struct Writer<'w, 't> {
    grammar: &'w Grammar<'t>,
    plan: Plan,
    /// What is used and not yet written, with the rule that it belongs to.
    open: VecDeque<(Definition, usize)>,
    known: HashSet<Definition>,
    /// The rule that is being written.
    rule: usize,
    /// Whether every terminal, and every use of a rule, gets a name.
    marks: bool,
}

/// The Lark text, and the rule of each line as the place of its name.
pub(super) fn write(grammar: &mut Grammar<'_>) -> (String, Vec<Range<usize>>) {
    let (lark, lines) = definitions(grammar, false);
    (lark, lines.into_iter().map(|(_, rule)| grammar.rules[rule].span.clone()).collect())
}

/// The Lark text with names for all terminals, and where everything comes from.
pub(super) fn write_marked(grammar: &mut Grammar<'_>) -> Marked {
    let (lark, lines) = definitions(grammar, true);
    let span = |definition: Definition| match definition {
        Definition::Rule(r) | Definition::TerminalRule(r) | Definition::NonEmptyRule(r) => {
            grammar.rules[r].span.clone()
        }
        Definition::Group(e) | Definition::Terminal(e) | Definition::NonEmpty(e) => grammar.span(e),
    };
    let names = lines.iter().map(|&(definition, _)| (name(definition), span(definition))).collect();
    let line = |&(definition, _): &(Definition, usize)| {
        let (rule, body) = match definition {
            Definition::Rule(r) | Definition::TerminalRule(r) | Definition::NonEmptyRule(r) => {
                (Some(grammar.rules[r].name.to_owned()), grammar.rules[r].body)
            }
            Definition::Group(e) | Definition::Terminal(e) | Definition::NonEmpty(e) => (None, e),
        };
        let alternatives = match &grammar.exprs[body] {
            Expr::Alt(parts) => parts.iter().map(|&p| grammar.span(p)).collect(),
            _ => vec![grammar.span(body)],
        };
        Line { rule, span: span(definition), body: grammar.span(body), alternatives }
    };
    let lines = lines.iter().map(line).collect();
    Marked { lark, lines, names }
}

/// The Lark text, and of each line what it defines and the rule that it comes from.
fn definitions(grammar: &mut Grammar<'_>, marks: bool) -> (String, Vec<(Definition, usize)>) {
    let plan = plan(grammar, marks);
    let root = grammar.rules.iter().position(|r| r.name == ROOT).unwrap_or(0);
    grammar.exprs.push(Expr::Rule(root));
    let start = grammar.exprs.len() - 1;
    let mut writer =
        Writer { grammar, plan, open: VecDeque::new(), known: HashSet::new(), rule: root, marks };
    let mut lark = format!("start: {}\n", writer.atom(start));
    let mut lines = vec![(Definition::Group(start), root)];
    while let Some((definition, rule)) = writer.open.pop_front() {
        writer.rule = rule;
        let body = match definition {
            Definition::Rule(rule) => writer.alternatives(grammar.rules[rule].body),
            Definition::Group(expr) => match grammar.exprs[expr] {
                Expr::Rule(rule) => writer.name(Definition::Rule(rule)),
                _ => writer.alternatives(expr),
            },
            Definition::TerminalRule(rule) => writer.terminal(grammar.rules[rule].body),
            Definition::Terminal(expr) => writer.terminal(expr),
            Definition::NonEmptyRule(rule) => writer.non_empty(grammar.rules[rule].body),
            Definition::NonEmpty(expr) => writer.non_empty(expr),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(lark, "{}: {body}", name(definition));
        lines.push((definition, rule));
    }
    (lark, lines)
}

fn name(definition: Definition) -> String {
    match definition {
        Definition::Rule(n) => format!("r{n}"),
        Definition::Group(n) => format!("g{n}"),
        Definition::TerminalRule(n) => format!("R{n}"),
        Definition::Terminal(n) => format!("T{n}"),
        Definition::NonEmptyRule(n) => format!("V{n}"),
        Definition::NonEmpty(n) => format!("U{n}"),
    }
}

impl Writer<'_, '_> {
    /// The name of something, which will be written.
    fn name(&mut self, definition: Definition) -> String {
        if self.known.insert(definition) {
            let rule = match definition {
                Definition::Rule(rule) | Definition::TerminalRule(rule) | Definition::NonEmptyRule(rule) => {
                    rule
                }
                _ => self.rule,
            };
            self.open.push_back((definition, rule));
        }
        name(definition)
    }

    // In rules.

    fn alternatives(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            Expr::Alt(parts) if !self.is_terminal(expr) => {
                parts.iter().map(|&p| self.sequence(p)).collect::<Vec<_>>().join(" | ")
            }
            _ => self.sequence(expr),
        }
    }

    fn sequence(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            _ if self.is_terminal(expr) => self.atom(expr),
            Expr::Seq(parts) if !parts.is_empty() => {
                parts.iter().map(|&p| self.atom(p)).collect::<Vec<_>>().join(" ")
            }
            Expr::Literal(chars) => chars.iter().map(|&c| literal(&[c])).collect::<Vec<_>>().join(" "),
            _ => self.atom(expr),
        }
    }

    /// Something that may stand in a sequence, perhaps with an operator after it.
    fn atom(&mut self, expr: ExprId) -> String {
        if let Some((name, optional)) = self.lexeme(expr) {
            return if optional { name + "?" } else { name };
        }
        match &self.grammar.exprs[expr] {
            Expr::Rule(_) if self.marks => self.name(Definition::Group(expr)),
            Expr::Rule(rule) => self.name(Definition::Rule(*rule)),
            Expr::TokenId { negated, id } => format!("<[{}{id}]>", if *negated { "^" } else { "" }),
            Expr::Seq(parts) if parts.is_empty() => "\"\"".into(),
            Expr::Seq(parts) if parts.len() == 1 => self.atom(parts[0]),
            Expr::Repeat(_, _, Some(0)) => "\"\"".into(),
            Expr::Repeat(part, min, max) => match self.lexeme(*part) {
                Some((name, true)) => name + &operator(0, *max),
                Some((name, false)) => name + &operator(*min, *max),
                None => self.operand(*part) + &operator(*min, *max),
            },
            _ => self.name(Definition::Group(expr)),
        }
    }

    /// An atom that an operator may follow.
    fn operand(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            Expr::Rule(_) | Expr::TokenId { .. } => self.atom(expr),
            _ => self.name(Definition::Group(expr)),
        }
    }

    /// If `expr` is a terminal: how to write it without an operator, and whether it may be left out.
    fn lexeme(&mut self, expr: ExprId) -> Option<(String, bool)> {
        if !self.is_terminal(expr) {
            return None;
        }
        let nullable = self.plan.info.get(expr).is_some_and(|i| i.nullable);
        Some(match &self.grammar.exprs[expr] {
            _ if self.marks && nullable => (self.name(Definition::NonEmpty(expr)), true),
            _ if self.marks => (self.name(Definition::Terminal(expr)), false),
            Expr::Set(set) => (class(set), false),
            Expr::Literal(chars) => (literal(chars), false),
            Expr::Rule(rule) if self.plan.rules[*rule].nullable => {
                (self.name(Definition::NonEmptyRule(*rule)), true)
            }
            Expr::Rule(rule) => (self.name(Definition::TerminalRule(*rule)), false),
            _ if nullable => (self.name(Definition::NonEmpty(expr)), true),
            _ => (self.name(Definition::Terminal(expr)), false),
        })
    }

    fn is_terminal(&self, expr: ExprId) -> bool {
        self.plan.is_terminal(self.grammar, expr)
    }

    // In terminals.

    /// All texts of `expr`.
    fn terminal(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            Expr::Alt(parts) => parts.iter().map(|&p| self.part(p)).collect::<Vec<_>>().join(" | "),
            Expr::Seq(parts) if parts.len() > 1 => {
                parts.iter().map(|&p| self.part(p)).collect::<Vec<_>>().join(" ")
            }
            _ => self.part(expr),
        }
    }

    fn part(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            Expr::Set(set) => class(set),
            Expr::Literal(chars) => literal(chars),
            Expr::Rule(rule) => self.name(Definition::TerminalRule(*rule)),
            Expr::Seq(parts) if parts.is_empty() => "\"\"".into(),
            Expr::Seq(parts) if parts.len() == 1 => self.part(parts[0]),
            Expr::Repeat(_, _, Some(0)) => "\"\"".into(),
            Expr::Repeat(part, min, max) => self.repeated(*part) + &operator(*min, *max),
            _ => self.name(Definition::Terminal(expr)),
        }
    }

    fn repeated(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            Expr::Set(_) | Expr::Literal(_) | Expr::Rule(_) => self.part(expr),
            _ => self.name(Definition::Terminal(expr)),
        }
    }

    /// All texts of `expr` but the empty one.
    fn non_empty(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            _ if !self.nullable(expr) => self.terminal(expr),
            Expr::Alt(parts) => {
                let parts = parts.iter().filter(|&&p| self.plan.info[p].size > 0);
                let parts = parts.copied().collect::<Vec<_>>();
                parts.iter().map(|&p| self.non_empty_part(p)).collect::<Vec<_>>().join(" | ")
            }
            Expr::Repeat(part, _, max) => self.non_empty_part(*part) + &operator(1, *max),
            Expr::Seq(parts) if parts.len() == 1 => self.non_empty_part(parts[0]),
            _ => self.non_empty_part(expr),
        }
    }

    /// The same without an operator.
    fn non_empty_part(&mut self, expr: ExprId) -> String {
        match &self.grammar.exprs[expr] {
            _ if !self.nullable(expr) => self.repeated(expr),
            Expr::Rule(rule) => self.name(Definition::NonEmptyRule(*rule)),
            _ => self.name(Definition::NonEmpty(expr)),
        }
    }

    fn nullable(&self, expr: ExprId) -> bool {
        self.plan.info[expr].nullable
    }
}

fn operator(min: u32, max: Option<u32>) -> String {
    match (min, max) {
        (0, None) => "*".into(),
        (1, None) => "+".into(),
        (0, Some(1)) => "?".into(),
        (1, Some(1)) => String::new(),
        (min, None) => format!("{{{min},}}"),
        (min, Some(max)) => format!("{{{min},{max}}}"),
    }
}

fn class(set: &CharSet) -> String {
    let mut out = String::from("/[");
    for &(from, to) in set.ranges() {
        let _ = write!(out, "\\x{{{from:X}}}");
        if to > from {
            let _ = write!(out, "-\\x{{{to:X}}}");
        }
    }
    out + "]/"
}

fn literal(chars: &[char]) -> String {
    let mut out = String::from("/");
    for c in chars {
        if c.is_ascii_alphanumeric() {
            out.push(*c);
        } else {
            let _ = write!(out, "\\x{{{:X}}}", *c as u32);
        }
    }
    out + "/"
}
