//! Which terminal can follow which in the texts of a Lark grammar.
//!
//! A terminal here is what llguidance's lexer knows: a string, a regex or an upper-case name in a
//! rule. The sets are never too small: a rule is taken to go on after it wherever it is used. So
//! what cannot happen by them cannot happen. What nothing is known about is [`UNKNOWN`], and of a
//! set that holds it nothing may be said.

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use llguidance::derivre::RegexAst;

use super::common;
use super::components::components;
use super::dfa::{Bytes, Dfa};
use super::tree::{Definition, Expr, Kind, Tree};

/// A terminal of which nothing is known.
pub(super) const UNKNOWN: usize = 0;

/// The start of the text, as something before the first terminal.
pub(super) const START: usize = 1;

/// The most terminals of a grammar that is looked at, and the longest text. It is looked at with
/// every key that is typed.
const MOST: usize = 400;
const LONGEST: usize = 48 * 1024;

/// The most terminals of which each is compared with each.
const MOST_PAIRED: usize = 200;

/// The deepest that terminals may be made of terminals.
const DEEPEST: usize = 32;

/// Some terminals, by number.
pub(super) type Set = Vec<u64>;

/// A terminal as the lexer knows it.
pub(super) struct Lexeme<'a> {
    /// Its text in the grammar: `"if"`, `/[a-z]+/` or `NAME`.
    pub text: &'a str,
    /// Where a rule first uses it.
    pub span: Range<usize>,
    ast: Option<RegexAst>,
    dfa: OnceCell<Option<Dfa>>,
    swallows: OnceCell<Bytes>,
    first: OnceCell<Bytes>,
}

impl Lexeme<'_> {
    /// What it matches, if that is known.
    pub fn dfa(&self) -> Option<&Dfa> {
        self.dfa.get_or_init(|| self.ast.as_ref().and_then(Dfa::of)).as_ref()
    }

    /// The bytes that nothing can begin with which follows it; none if it is not known.
    pub fn swallows(&self) -> &Bytes {
        self.swallows.get_or_init(|| self.dfa().map_or([false; 256], Dfa::swallows))
    }

    /// The bytes that it can begin with; all if it is not known.
    pub fn first(&self) -> &Bytes {
        self.first.get_or_init(|| self.dfa().map_or([true; 256], Dfa::first))
    }

    /// Whether it and another one match the same text, as far as is known.
    fn looks_like(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (self.dfa(), other.dfa()) else { return true };
        if a.takes_empty() && b.takes_empty() {
            return true;
        }
        self.first().iter().zip(other.first()).any(|(a, b)| *a && *b) && a.may_share(b)
    }
}

/// What can come before and after one another.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Ends {
    pub nullable: bool,
    pub first: Set,
    pub last: Set,
}

/// A grammar's terminals and their order.
pub(super) struct Flow<'a, 't> {
    pub tree: &'t Tree<'a>,
    pub lexemes: Vec<Lexeme<'a>>,
    /// For each terminal those that can follow it.
    pub after: Vec<Set>,
    /// What `%ignore` takes; `None` if there is none, or if it is not known.
    pub ignored: Option<Dfa>,
    rules: HashMap<&'a str, Ends>,
    numbers: HashMap<&'a str, usize>,
    alike: OnceCell<Vec<Set>>,
}

impl<'a, 't> Flow<'a, 't> {
    /// The flow of a grammar; `None` if it is too large to be looked at with every key.
    pub fn of(tree: &'t Tree<'a>) -> Option<Self> {
        if tree.text.len() > LONGEST {
            return None;
        }
        let nothing = |text| lexeme(text, 0..0, None);
        let mut flow = Self {
            tree,
            lexemes: vec![nothing(""), nothing("")],
            after: Vec::new(),
            ignored: None,
            rules: HashMap::new(),
            numbers: HashMap::new(),
            alike: OnceCell::new(),
        };
        for rule in tree.rules() {
            flow.collect(&rule.body);
        }
        if flow.lexemes.len() > MOST {
            return None;
        }
        let ignored: Option<Vec<RegexAst>> = tree.ignored.iter().map(|e| ast(tree, e, DEEPEST)).collect();
        flow.ignored = ignored.filter(|all| !all.is_empty()).and_then(|all| Dfa::of(&RegexAst::Or(all)));
        flow.after = vec![flow.none(); flow.lexemes.len()];
        flow.solve();
        flow.link();
        Some(flow)
    }

    fn collect(&mut self, body: &Expr<'a>) {
        for part in body.walk() {
            let is_lexeme = match &part.kind {
                Kind::Name(name) => self.tree.get(name).is_none_or(|d| d.is_terminal),
                Kind::Text(..) | Kind::Regex(..) | Kind::Range(..) | Kind::Not(_) => true,
                _ => false,
            };
            let text = self.tree.str(&part.span);
            if is_lexeme && !self.numbers.contains_key(text) {
                self.numbers.insert(text, self.lexemes.len());
                let (span, ast) = (part.span.clone(), ast(self.tree, part, DEEPEST));
                self.lexemes.push(lexeme(text, span, ast));
            }
        }
    }

    /// The number of the terminal that a part of a rule is.
    pub fn number(&self, part: &Expr<'a>) -> Option<usize> {
        match part.kind {
            Kind::Name(name) if self.tree.get(name).is_some_and(|d| !d.is_terminal) => None,
            Kind::Opaque => Some(UNKNOWN),
            Kind::Text(ref text, _) if text.is_empty() => None,
            Kind::Alt(_) | Kind::Seq(_) | Kind::And(_) | Kind::Repeat(..) => None,
            _ => self.numbers.get(self.tree.str(&part.span)).copied(),
        }
    }

    /// The empty set.
    pub fn none(&self) -> Set {
        vec![0; self.lexemes.len().div_ceil(64)]
    }

    fn one(&self, number: usize) -> Set {
        let mut set = self.none();
        set[number / 64] |= 1 << (number % 64);
        set
    }

    /// Computes every rule's ends, rules before those that use them.
    fn solve(&mut self) {
        let rules: Vec<&Definition<'a>> = self.tree.rules().collect();
        let at: HashMap<&str, usize> = rules.iter().enumerate().map(|(i, r)| (r.name, i)).collect();
        let uses = |rule: &&Definition<'a>| {
            let names = rule.body.walk().into_iter().filter_map(|e| match e.kind {
                Kind::Name(name) => at.get(name).copied(),
                _ => None,
            });
            names.collect::<Vec<usize>>()
        };
        let edges: Vec<Vec<usize>> = rules.iter().map(uses).collect();
        let mut users = vec![Vec::new(); rules.len()];
        edges.iter().enumerate().for_each(|(user, used)| used.iter().for_each(|&r| users[r].push(user)));
        // In a circle, a rule is computed again when one that it uses has changed.
        let mut waits = vec![false; rules.len()];
        for circle in components(&edges) {
            circle.iter().for_each(|&rule| waits[rule] = true);
            let mut open = VecDeque::from(circle);
            while let Some(number) = open.pop_front() {
                waits[number] = false;
                let rule = rules[number];
                let ends = if rule.has_attributes { self.unknown() } else { self.ends(&rule.body) };
                if self.rules.get(rule.name) == Some(&ends) {
                    continue;
                }
                self.rules.insert(rule.name, ends);
                // Those outside of the circle have not been computed at all yet.
                for &user in users[number].iter().filter(|&&user| self.rules.contains_key(rules[user].name)) {
                    if !std::mem::replace(&mut waits[user], true) {
                        open.push_back(user);
                    }
                }
            }
        }
    }

    fn unknown(&self) -> Ends {
        Ends { nullable: true, first: self.one(UNKNOWN), last: self.one(UNKNOWN) }
    }

    /// What a part begins and ends with.
    pub fn ends(&self, part: &Expr<'a>) -> Ends {
        if let Some(number) = self.number(part) {
            let lexeme = &self.lexemes[number];
            // Only what is known not to match the empty text is known to be there.
            let nullable = match &part.kind {
                Kind::Text(..) | Kind::Range(..) => false,
                _ => lexeme.dfa().is_none_or(Dfa::takes_empty),
            };
            return Ends { nullable, first: self.one(number), last: self.one(number) };
        }
        let empty = || Ends { nullable: true, first: self.none(), last: self.none() };
        match &part.kind {
            Kind::Alt(parts) => {
                let mut all = Ends { nullable: false, ..empty() };
                for part in parts {
                    let ends = self.ends(part);
                    all.nullable |= ends.nullable;
                    add(&mut all.first, &ends.first);
                    add(&mut all.last, &ends.last);
                }
                all
            }
            Kind::Seq(parts) => {
                let mut all = empty();
                for part in parts {
                    let ends = self.ends(part);
                    if all.nullable {
                        add(&mut all.first, &ends.first);
                    }
                    if !ends.nullable {
                        all.last = self.none();
                    }
                    add(&mut all.last, &ends.last);
                    all.nullable &= ends.nullable;
                }
                all
            }
            Kind::Repeat(part, min, _) => {
                let ends = self.ends(part);
                Ends { nullable: ends.nullable || *min == 0, ..ends }
            }
            Kind::Name(name) => {
                self.rules.get(name).cloned().unwrap_or_else(|| Ends { nullable: false, ..empty() })
            }
            Kind::Text(..) => empty(),
            _ => self.unknown(),
        }
    }

    /// Notes what follows what, in every rule.
    fn link(&mut self) {
        let rules: Vec<&Definition<'a>> = self.tree.rules().filter(|r| !r.has_attributes).collect();
        for rule in rules {
            for part in rule.body.walk() {
                match &part.kind {
                    Kind::Seq(parts) => {
                        // What can stand before the part at hand.
                        let mut before = self.none();
                        for part in parts {
                            let ends = self.ends(part);
                            self.follow(&before, &ends.first);
                            if !ends.nullable {
                                before = self.none();
                            }
                            add(&mut before, &ends.last);
                        }
                    }
                    Kind::Repeat(part, _, max) if *max != Some(1) => {
                        let ends = self.ends(part);
                        self.follow(&ends.last, &ends.first);
                    }
                    _ => {}
                }
            }
        }
        if let Some(start) = self.rules.get("start").map(|ends| ends.first.clone()) {
            self.after[START] = start;
        }
    }

    fn follow(&mut self, before: &Set, first: &Set) {
        for number in numbers(before) {
            add(&mut self.after[number], first);
        }
    }

    /// What may be read where `number` may: what can follow those that it can follow, or that look
    /// the same as one of those.
    pub fn rivals(&self, number: usize) -> Set {
        if self.lexemes.len() > MOST_PAIRED {
            return vec![u64::MAX; self.none().len()];
        }
        let alike = self.alike.get_or_init(|| {
            let all = || START + 1..self.lexemes.len();
            let mut alike = vec![self.none(); self.lexemes.len()];
            for a in all() {
                for b in all().filter(|b| *b < a && self.lexemes[a].looks_like(&self.lexemes[*b])) {
                    alike[a][b / 64] |= 1 << (b % 64);
                    alike[b][a / 64] |= 1 << (a % 64);
                }
            }
            alike
        });
        let mut before = self.none();
        for p in (0..self.lexemes.len()).filter(|p| has(&self.after[*p], number)) {
            add(&mut before, &self.one(p));
            add(&mut before, &alike[p]);
        }
        let mut all = self.none();
        for p in numbers(&before) {
            add(&mut all, &self.after[p]);
        }
        all
    }
}

fn lexeme<'a>(text: &'a str, span: Range<usize>, ast: Option<RegexAst>) -> Lexeme<'a> {
    Lexeme { text, span, ast, dfa: OnceCell::new(), swallows: OnceCell::new(), first: OnceCell::new() }
}

/// Adds `more` to a set.
pub(super) fn add(set: &mut Set, more: &Set) {
    set.iter_mut().zip(more).for_each(|(own, new)| *own |= new);
}

/// Whether a set has a number.
pub(super) fn has(set: &Set, number: usize) -> bool {
    set[number / 64] >> (number % 64) & 1 == 1
}

/// The numbers of a set.
pub(super) fn numbers(set: &Set) -> Vec<usize> {
    (0..set.len() * 64).filter(|&n| has(set, n)).collect()
}

/// What a part of a terminal matches; `None` if that is not known.
pub(super) fn ast<'a>(tree: &Tree<'a>, part: &Expr<'a>, deepest: usize) -> Option<RegexAst> {
    let deepest = deepest.checked_sub(1)?;
    let all = |parts: &[Expr<'a>]| parts.iter().map(|e| ast(tree, e, deepest)).collect::<Option<Vec<_>>>();
    Some(match &part.kind {
        Kind::Alt(parts) => RegexAst::Or(all(parts)?),
        Kind::Seq(parts) => RegexAst::Concat(all(parts)?),
        Kind::And(parts) => RegexAst::And(all(parts)?),
        Kind::Not(part) => RegexAst::Not(Box::new(ast(tree, part, deepest)?)),
        Kind::Repeat(part, min, max) => {
            RegexAst::Repeat(Box::new(ast(tree, part, deepest)?), *min, max.unwrap_or(u32::MAX))
        }
        Kind::Name(name) => match tree.get(name) {
            Some(definition) if definition.is_terminal => ast(tree, &definition.body, deepest)?,
            Some(_) => return None,
            None => {
                let (_, there, _) = tree.imports.iter().find(|(here, ..)| here == name)?;
                RegexAst::Regex(common::pattern(there)?.into())
            }
        },
        Kind::Text(text, false) => RegexAst::Literal(text.clone()),
        Kind::Text(text, true) => RegexAst::Regex(format!("(?i){}", regex::escape(text))),
        Kind::Regex(pattern, "") => RegexAst::Regex((*pattern).into()),
        Kind::Regex(pattern, flags) => RegexAst::Regex(format!("(?{flags}){pattern}")),
        Kind::Range(from, to) => {
            RegexAst::Regex(format!("[\\x{{{:x}}}-\\x{{{:x}}}]", *from as u32, *to as u32))
        }
        Kind::Opaque => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::grammar::scan::Scan;

    fn followers(text: &'static str, of: &str) -> Vec<&'static str> {
        let scan = Scan::new(text);
        let tree = Tree::of(text, &scan).unwrap();
        let flow = Flow::of(&tree).unwrap();
        let of = if of.is_empty() { START } else { flow.lexemes.iter().position(|l| l.text == of).unwrap() };
        let mut found: Vec<&str> =
            numbers(&flow.after[of]).into_iter().map(|n| flow.lexemes[n].text).collect();
        found.sort_unstable();
        found
    }

    const GRAMMAR: &str = "start: stmt (\";\" stmt)*\nstmt: \"if\" expr | NAME \"=\" expr | block\n\
        expr: NAME? \"!\"~1..2 | /x*/ \"(\" expr \")\"\nblock: \"{\" \"}\" | <|end|>\nNAME: /[a-z]+/";

    #[test]
    fn what_follows_what() {
        // Of the special token it is not known that it is there, so `;` may come first.
        let first = ["", "\";\"", "\"if\"", "\"{\"", "NAME"];
        assert_eq!(followers(GRAMMAR, ""), first);
        assert_eq!(followers(GRAMMAR, "\"if\""), ["\"!\"", "\"(\"", "/x*/", "NAME"]);
        assert_eq!(followers(GRAMMAR, "\"!\""), ["\"!\"", "\")\"", "\";\""]);
        assert_eq!(followers(GRAMMAR, "NAME"), ["\"!\"", "\"=\""]);
        assert_eq!(followers(GRAMMAR, "\";\""), first);
    }

    /// Each rule learns from the one after it, the last from the first: one of them at a time.
    #[test]
    fn a_large_circle_is_gone_through_a_few_times() {
        let rules: String = (0..2_000).map(|n| format!("r{n}: r{} \"y\" |\n", (n + 1) % 2_000)).collect();
        let text = format!("start: r0 \"z\"\n{rules}");
        let scan = Scan::new(&text);
        let tree = Tree::of(&text, &scan).unwrap();
        let start = std::time::Instant::now();
        let flow = Flow::of(&tree).unwrap();
        assert_eq!(numbers(&flow.after[START]).len(), 2);
        assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
    }

    #[test]
    fn circles_of_rules_come_to_an_end() {
        let text = "start: a\na: b \"x\" | \"y\"\nb: a \"z\" | start? \"w\"";
        assert_eq!(followers(text, "\"x\""), ["\"w\"", "\"z\""]);
        assert_eq!(followers(text, ""), ["\"w\"", "\"y\""]);
    }
}
