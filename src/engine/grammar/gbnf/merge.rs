//! Which expressions may be one terminal each.
//!
//! llguidance reads lexemes in parallel, and ends one only when the next byte fits none of those
//! that go on. A parse in which a terminal ends earlier is lost. So a terminal `T` of several
//! characters is exact only if this never matters: whenever a text `w` of a terminal `S` that may
//! stand in the same place is the beginning of a text of `T`, what continues `w` inside of `T` must
//! not be what can follow `S` in the grammar. That is decided here, for sets that contain the true
//! ones (counted repetitions count as endless, all uses of one terminal as one), so a yes is always
//! right.
//! Characters that share their first byte count as the same: bytes are what llguidance compares.
//! What fails is taken apart, down to single characters, which are always exact: no character's
//! UTF-8 is the beginning of another's.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::chars::Alphabet;
use super::check::{nullable_rules, used_rules};
use super::{Expr, ExprId, Grammar};
use crate::engine::grammar::components::components;

mod automaton;
mod follow;
mod info;

use automaton::Automaton;
pub(super) use info::Info;

/// How much work the proof may be. Above it, every terminal is one character.
const FUEL: usize = 1_000_000;

/// Alphabets of more pieces are not worth it.
const MAX_PIECES: usize = 2_048;

/// What is one terminal.
pub(super) struct Plan {
    /// For each expression: what is known about it.
    pub info: Vec<Info>,
    /// For each rule: what is known about its body.
    pub rules: Vec<Info>,
    /// For each expression but the use of a rule: it is one terminal, wherever it stands in a rule.
    whole: Vec<bool>,
    /// For each rule: so is each use of it.
    whole_rule: Vec<bool>,
}

impl Plan {
    /// Whether `expr` is a terminal where it stands in a rule.
    pub fn is_terminal(&self, grammar: &Grammar<'_>, expr: ExprId) -> bool {
        match grammar.exprs[expr] {
            Expr::Set(_) => true,
            Expr::Rule(rule) => self.whole_rule[rule],
            _ => self.whole[expr],
        }
    }

    /// Takes up expressions that are new, as what they may be at most.
    fn update(&mut self, grammar: &Grammar<'_>) {
        for expr in self.whole.len()..grammar.exprs.len() {
            let info = info::of(grammar, expr, &self.info, &self.rules);
            self.info.push(info);
            self.whole.push(info.can_be_terminal());
        }
    }
}

/// A terminal, as far as it matters which ones are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Token(ExprId),
    Char(char),
    Set(ExprId),
    Rule(usize),
    Expr(ExprId),
}

/// Plans the terminals of `grammar`, which gets new expressions: runs of what can be one. With
/// `small`, a terminal is at most a class or a literal of the text, so that each part of a rule
/// can still be told from the others.
pub(super) fn plan(grammar: &mut Grammar<'_>, small: bool) -> Plan {
    let uses: Vec<Vec<usize>> = grammar.rules.iter().map(|r| used_rules(grammar, r.body)).collect();
    let order = components(&uses);
    let (info, rules) = info::all(grammar, &uses, &order);
    let whole = info.iter().map(Info::can_be_terminal).collect();
    let whole_rule = rules.iter().map(Info::can_be_terminal).collect();
    let mut plan = Plan { info, rules, whole, whole_rule };
    if small {
        let is_small = |expr: &Expr<'_>| matches!(expr, Expr::Set(_) | Expr::Literal(_));
        plan.whole.iter_mut().zip(&grammar.exprs).for_each(|(whole, expr)| *whole &= is_small(expr));
        plan.whole_rule.fill(false);
    } else {
        group_runs(grammar, &mut plan);
    }
    let sets = grammar.exprs.iter().filter_map(|e| if let Expr::Set(set) = e { Some(set) } else { None });
    let chars =
        grammar.exprs.iter().flat_map(|e| if let Expr::Literal(chars) = e { &chars[..] } else { &[] });
    let alphabet = Alphabet::new(sets, chars.copied());
    let proof = (alphabet.len() <= MAX_PIECES).then(|| {
        let empty = nullable_rules(grammar, &uses);
        Proof { alphabet, empty, order, automata: BTreeMap::new(), fuel: FUEL }
    });
    if proof.and_then(|mut proof| proof.take_apart(grammar, &mut plan)).is_none() {
        plan.whole.fill(false);
        plan.whole_rule.fill(false);
    }
    plan
}

/// Puts neighbours that can be one terminal into an expression of their own.
fn group_runs(grammar: &mut Grammar<'_>, plan: &mut Plan) {
    for expr in 0..grammar.exprs.len() {
        if plan.info[expr].can_be_terminal() {
            continue;
        }
        let grouped = match grammar.exprs[expr].clone() {
            Expr::Seq(parts) => {
                let mut out: Vec<ExprId> = Vec::new();
                for run in parts.chunk_by(|&a, &b| plan.info[a].regular && plan.info[b].regular) {
                    if run.len() > 1 && run.len() < parts.len() {
                        grammar.exprs.push(Expr::Seq(run.to_vec()));
                        out.push(grammar.exprs.len() - 1);
                    } else {
                        out.extend(run);
                    }
                }
                Expr::Seq(out)
            }
            Expr::Alt(parts) => {
                let (can, mut rest): (Vec<_>, Vec<_>) =
                    parts.iter().copied().partition(|&p| plan.info[p].can_be_terminal());
                if can.len() > 1 && !rest.is_empty() {
                    grammar.exprs.push(Expr::Alt(can));
                    rest.push(grammar.exprs.len() - 1);
                    Expr::Alt(rest)
                } else {
                    continue;
                }
            }
            _ => continue,
        };
        grammar.exprs[expr] = grouped;
        plan.update(grammar);
    }
}

/// What the proof works with.
struct Proof {
    alphabet: Alphabet,
    /// The rules that the empty text follows.
    empty: Vec<bool>,
    /// Rules after those that they use.
    order: Vec<Vec<usize>>,
    /// What has been built so far; none for a terminal that is too large.
    automata: BTreeMap<Key, Option<Rc<Automaton>>>,
    fuel: usize,
}

impl Proof {
    /// Takes terminals apart until all are exact. `None` if that takes too long.
    fn take_apart(&mut self, grammar: &mut Grammar<'_>, plan: &mut Plan) -> Option<()> {
        loop {
            let inexact = self.inexact(grammar, plan)?;
            if inexact.is_empty() {
                return Some(());
            }
            for key in inexact {
                match key {
                    Key::Rule(rule) => {
                        plan.whole_rule[rule] = false;
                        split(grammar, plan, grammar.rules[rule].body);
                    }
                    Key::Expr(expr) => split(grammar, plan, expr),
                    Key::Char(_) | Key::Set(_) | Key::Token(_) => {}
                }
            }
        }
    }

    /// The terminals that are not exact.
    fn inexact(&mut self, grammar: &Grammar<'_>, plan: &Plan) -> Option<BTreeSet<Key>> {
        let keys = follow::keys(grammar, plan);
        let mut automata = Vec::with_capacity(keys.len());
        let mut found = BTreeSet::new();
        for &key in &keys {
            let known = self.automata.entry(key);
            match known.or_insert_with(|| Automaton::of(grammar, key, &self.alphabet).map(Rc::new)) {
                Some(automaton) => automata.push(Rc::clone(automaton)),
                None => drop(found.insert(key)),
            }
        }
        if !found.is_empty() {
            return Some(found);
        }
        let rows = follow::rows(self, grammar, plan, &keys, &automata)?;
        for (i, long) in automata.iter().enumerate().filter(|(_, a)| a.is_long()) {
            for (j, other) in automata.iter().enumerate().filter(|&(j, _)| rows.meet(i, j)) {
                if other.clashes(&rows.next_chars[j], long, &mut self.fuel)? {
                    found.insert(keys[i]);
                    break;
                }
            }
        }
        Some(found)
    }
}

/// Makes one terminal several smaller ones.
fn split(grammar: &mut Grammar<'_>, plan: &mut Plan, expr: ExprId) {
    plan.whole[expr] = false;
    // What most often is too greedy is the end of a sequence.
    if let Expr::Seq(parts) = &grammar.exprs[expr]
        && let [most @ .., last] = &parts[..]
        && most.len() > 1
    {
        let (most, last) = (most.to_vec(), *last);
        grammar.exprs.push(Expr::Seq(most));
        grammar.exprs[expr] = Expr::Seq(vec![grammar.exprs.len() - 1, last]);
        plan.update(grammar);
    }
}
