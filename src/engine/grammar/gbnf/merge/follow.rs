//! Which terminals may stand in the same place, and what can follow each.
//!
//! Sets here hold pieces of the alphabet and terminals alike: the pieces first, then one bit for
//! each terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::chars::{Pieces, add};
use super::super::check::nullable;
use super::super::{Expr, ExprId, Grammar, ROOT};
use super::{Automaton, Key, Plan, Proof};

/// The terminals of a planned grammar.
pub(super) struct Rows {
    /// For each: the characters that can follow it, and those that share their first byte.
    pub next_chars: Vec<Pieces>,
    /// For each: the terminals that may stand where it stands.
    together: Vec<Pieces>,
}

impl Rows {
    /// Whether two terminals may stand in the same place.
    pub fn meet(&self, a: usize, b: usize) -> bool {
        has(&self.together[a], b)
    }
}

/// The terminals of a planned grammar.
pub(super) fn keys(grammar: &Grammar<'_>, plan: &Plan) -> Vec<Key> {
    let mut keys = BTreeSet::new();
    let mut seen = vec![false; grammar.rules.len()];
    let mut open: Vec<ExprId> = Vec::new();
    let root = root(grammar);
    if plan.whole_rule[root] {
        return vec![Key::Rule(root)];
    }
    seen[root] = true;
    open.push(grammar.rules[root].body);
    while let Some(expr) = open.pop() {
        match (key(grammar, plan, expr), &grammar.exprs[expr]) {
            (Some(key), _) => drop(keys.insert(key)),
            (None, Expr::Literal(chars)) => keys.extend(chars.iter().map(|&c| Key::Char(c))),
            (None, Expr::Rule(rule)) => {
                if !std::mem::replace(&mut seen[*rule], true) {
                    open.push(grammar.rules[*rule].body);
                }
            }
            (None, other) => open.extend(other.children()),
        }
    }
    keys.into_iter().collect()
}

fn root(grammar: &Grammar<'_>) -> usize {
    grammar.rules.iter().position(|r| r.name == ROOT).unwrap_or(0)
}

/// The terminal that `expr` is, if it is one.
fn key(grammar: &Grammar<'_>, plan: &Plan, expr: ExprId) -> Option<Key> {
    match grammar.exprs[expr] {
        Expr::TokenId { .. } => Some(Key::Token(expr)),
        Expr::Set(_) => Some(Key::Set(expr)),
        Expr::Rule(rule) => plan.whole_rule[rule].then_some(Key::Rule(rule)),
        _ => plan.is_terminal(grammar, expr).then_some(Key::Expr(expr)),
    }
}

/// Finds out about the terminals `keys`, which have these automata. `None` if the fuel is spent.
pub(super) fn rows(
    proof: &mut Proof,
    grammar: &Grammar<'_>,
    plan: &Plan,
    keys: &[Key],
    automata: &[Rc<Automaton>],
) -> Option<Rows> {
    let words = proof.alphabet.none().len();
    let width = words + keys.len().div_ceil(64);
    let mut leaves = BTreeMap::new();
    for (i, (&key, automaton)) in keys.iter().zip(automata).enumerate() {
        let mut first = automaton.first_chars().clone();
        first.resize(width, 0);
        first[words + i / 64] |= 1 << (i % 64);
        leaves.insert(key, first);
    }
    let none = vec![0; width];
    let firsts = vec![none.clone(); grammar.rules.len()];
    let follow = keys.iter().map(|&key| (key, none.clone())).collect();
    let of_rule = vec![None; grammar.rules.len()];
    let mut walk = Walk { proof, grammar, plan, leaves, none, firsts, follow, of_rule, open: Vec::new() };
    walk.first_sets()?;
    let start = walk.follow_sets()?;
    let follow: Vec<Pieces> = walk.follow.into_values().collect();
    let bits: Vec<Pieces> = follow.iter().map(|f| f[words..].to_vec()).collect();
    let together = together(&mut proof.fuel, automata, &start[words..].to_vec(), &bits)?;
    let next_chars = follow.iter().map(|f| proof.alphabet.with_same_lead(&f[..words].to_vec())).collect();
    Some(Rows { next_chars, together })
}

fn has(bits: &[u64], i: usize) -> bool {
    bits[i / 64] >> (i % 64) & 1 == 1
}

fn members(bits: &[u64]) -> Vec<usize> {
    (0..bits.len() * 64).filter(|&i| has(bits, i)).collect()
}

/// For each terminal those that may stand in the same place: at the start, after the same terminal,
/// or after two that may stand in the same place and have a text in common. `next` are those that
/// can follow each.
fn together(
    fuel: &mut usize,
    automata: &[Rc<Automaton>],
    start: &Pieces,
    next: &[Pieces],
) -> Option<Vec<Pieces>> {
    let mut together = vec![vec![0; start.len()]; next.len()];
    let after: Vec<Vec<usize>> = next.iter().map(|n| members(n)).collect();
    // The pairs with a text in common whose followers have been put together.
    let mut done = together.clone();
    for s in members(start) {
        add(&mut together[s], start);
    }
    let mut changed = true;
    while changed {
        changed = false;
        for a in 0..next.len() {
            *fuel = fuel.checked_sub(next.len() / 16 + 1)?;
            for b in 0..=a {
                if (a != b && !has(&together[a], b)) || has(&done[a], b) {
                    continue;
                }
                done[a][b / 64] |= 1 << (b % 64);
                // A token, which has no characters, may be any text.
                let is_token = automata[a].is_token() || automata[b].is_token();
                if a != b && !is_token && !automata[a].meets(&automata[b], fuel)? {
                    continue;
                }
                *fuel = fuel.checked_sub(after[a].len() + after[b].len())?;
                for &s in &after[a] {
                    changed |= add(&mut together[s], &next[b]);
                }
                for &s in &after[b] {
                    changed |= add(&mut together[s], &next[a]);
                }
            }
        }
    }
    Some(together)
}

struct Walk<'w, 't> {
    proof: &'w mut Proof,
    grammar: &'w Grammar<'t>,
    plan: &'w Plan,
    /// What the texts of each terminal can begin with, and itself.
    leaves: BTreeMap<Key, Pieces>,
    none: Pieces,
    /// What the texts of each rule can begin with.
    firsts: Vec<Pieces>,
    /// What can follow each terminal.
    follow: BTreeMap<Key, Pieces>,
    /// What can follow each rule that has been come to.
    of_rule: Vec<Option<Pieces>>,
    /// Rules of which more is known than when they were walked through.
    open: Vec<usize>,
}

impl Walk<'_, '_> {
    fn first_sets(&mut self) -> Option<()> {
        for component in &self.proof.order.clone() {
            let mut changed = true;
            while changed {
                changed = false;
                for &rule in component.iter().rev() {
                    let first = self.first(self.grammar.rules[rule].body)?;
                    changed |= add(&mut self.firsts[rule], &first) && component.len() > 1;
                }
            }
        }
        Some(())
    }

    fn spend(&mut self) -> Option<()> {
        self.proof.fuel = self.proof.fuel.checked_sub(self.none.len() + 4)?;
        Some(())
    }

    fn nullable(&self, expr: ExprId) -> bool {
        nullable(self.grammar, expr, &self.proof.empty)
    }

    /// What the texts of `expr` can begin with.
    fn first(&mut self, expr: ExprId) -> Option<Pieces> {
        self.spend()?;
        if let Some(first) = key(self.grammar, self.plan, expr).and_then(|key| self.leaves.get(&key)) {
            return Some(first.clone());
        }
        let grammar = self.grammar;
        Some(match &grammar.exprs[expr] {
            Expr::Literal(chars) => self.leaves.get(&Key::Char(chars[0])).unwrap_or(&self.none).clone(),
            Expr::Rule(rule) => self.firsts[*rule].clone(),
            Expr::Repeat(part, ..) => self.first(*part)?,
            Expr::Alt(parts) => {
                let mut out = self.none.clone();
                for &part in parts {
                    add(&mut out, &self.first(part)?);
                }
                out
            }
            Expr::Seq(parts) => {
                let mut out = self.none.clone();
                for &part in parts {
                    add(&mut out, &self.first(part)?);
                    if !self.nullable(part) {
                        break;
                    }
                }
                out
            }
            _ => self.none.clone(),
        })
    }

    /// Finds what can follow each terminal; gives what a text can start with.
    fn follow_sets(&mut self) -> Option<Pieces> {
        let root = root(self.grammar);
        let nothing = self.none.clone();
        if self.plan.whole_rule[root] {
            return Some(self.leaves.get(&Key::Rule(root)).cloned().unwrap_or(nothing));
        }
        self.rule(root, &nothing);
        while let Some(rule) = self.open.pop() {
            let after = self.of_rule[rule].clone().unwrap_or_default();
            self.walk(self.grammar.rules[rule].body, after)?;
        }
        Some(self.firsts[root].clone())
    }

    fn walk(&mut self, expr: ExprId, after: Pieces) -> Option<()> {
        self.spend()?;
        let grammar = self.grammar;
        if let Some(key) = key(grammar, self.plan, expr) {
            self.terminal(key, &after);
            return Some(());
        }
        let mut after = after;
        match &grammar.exprs[expr] {
            Expr::Rule(rule) => self.rule(*rule, &after),
            Expr::Literal(chars) => {
                for &c in chars.iter().rev() {
                    self.spend()?;
                    self.terminal(Key::Char(c), &after);
                    after.clone_from(self.leaves.get(&Key::Char(c)).unwrap_or(&self.none));
                }
            }
            Expr::Alt(parts) => {
                for &part in parts {
                    self.walk(part, after.clone())?;
                }
            }
            Expr::Seq(parts) => {
                for &part in parts.iter().rev() {
                    let mut first = self.first(part)?;
                    if self.nullable(part) {
                        add(&mut first, &after);
                    }
                    self.walk(part, std::mem::replace(&mut after, first))?;
                }
            }
            Expr::Repeat(part, _, max) => {
                if *max != Some(1) {
                    let first = self.first(*part)?;
                    add(&mut after, &first);
                }
                self.walk(*part, after)?;
            }
            _ => {}
        }
        Some(())
    }

    fn terminal(&mut self, key: Key, after: &Pieces) {
        if let Some(follow) = self.follow.get_mut(&key) {
            add(follow, after);
        }
    }

    fn rule(&mut self, rule: usize, after: &Pieces) {
        let is_new = self.of_rule[rule].is_none();
        let follow = self.of_rule[rule].get_or_insert_with(|| self.none.clone());
        if (add(follow, after) || is_new) && !self.open.contains(&rule) {
            self.open.push(rule);
        }
    }
}
