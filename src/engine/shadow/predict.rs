//! What a set of symbols may start with: worked out once for each set and kept.
//!
//! In most rows of a parse nearly all items are predictions, and the same few sets of predictions
//! come again and again. A row holds a reference to one of them instead of the items.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::chart::{MAX_ITEMS, TooLarge};
use super::rules::{NONE, Rules};

/// The most sets that are kept.
const MAX_KEPT: usize = 20_000;

/// A symbol and the argument that it is used with.
pub(super) type Root = (u32, u64);

/// All items that a set of symbols brings, in the order in which they are found.
pub(super) struct Predicted {
    /// The place of each item's dot.
    pub dots: Vec<u32>,
    /// Each item's parameter. Empty without parameters.
    pub parameters: Vec<u64>,
    /// For an item whose dot has passed symbols that are empty: the item it comes from.
    pub before: Vec<u32>,
    /// Each symbol after a dot and the item, by symbol and then by item.
    waiting: Vec<(u32, u32)>,
    /// The items before a terminal.
    pub terminals: Vec<u32>,
    /// The lexemes of those, rising.
    pub lexemes: Vec<u32>,
    /// The classes of those.
    pub classes: Vec<u8>,
    /// The classes of the nested grammars that start, once for each item.
    pub nested: Vec<u8>,
    /// Whether one of the items completes the grammar's start.
    pub accepts: bool,
}

impl Predicted {
    /// The items whose dot stands before `symbol`.
    pub fn waiting(&self, symbol: u32) -> impl Iterator<Item = u32> + '_ {
        let from = self.waiting.partition_point(|w| w.0 < symbol);
        self.waiting[from..].iter().take_while(move |w| w.0 == symbol).map(|w| w.1)
    }

    pub fn parameter(&self, item: u32) -> u64 {
        self.parameters.get(item as usize).copied().unwrap_or(0)
    }
}

/// The sets that are known.
#[derive(Default)]
pub(super) struct Predictions {
    known: HashMap<Vec<Root>, Arc<Predicted>>,
}

impl Predictions {
    /// What `roots` bring; sorted, each once.
    pub fn of(&mut self, rules: &Rules, roots: &[Root]) -> Result<Arc<Predicted>, TooLarge> {
        if let Some(known) = self.known.get(roots) {
            return Ok(Arc::clone(known));
        }
        let predicted = Arc::new(predict(rules, roots)?);
        if self.known.len() >= MAX_KEPT {
            self.known.clear();
        }
        self.known.insert(roots.to_vec(), Arc::clone(&predicted));
        Ok(predicted)
    }
}

fn predict(rules: &Rules, roots: &[Root]) -> Result<Predicted, TooLarge> {
    let mut found = Predicted {
        dots: Vec::new(),
        parameters: Vec::new(),
        before: Vec::new(),
        waiting: Vec::new(),
        terminals: Vec::new(),
        lexemes: Vec::new(),
        classes: Vec::new(),
        nested: Vec::new(),
        accepts: false,
    };
    let mut seen: HashSet<(u32, u64)> = HashSet::new();
    let mut symbols: HashSet<Root> = roots.iter().copied().collect();
    for &(symbol, argument) in roots {
        start(rules, symbol, argument, &mut seen, &mut found);
    }
    let mut at = 0;
    while at < found.dots.len() {
        // A rule that uses itself with ever new arguments has no end.
        if found.dots.len() > MAX_ITEMS {
            return Err(TooLarge);
        }
        let (dot, parameter) = (found.dots[at], found.parameter(at as u32));
        let symbol = rules.after(dot);
        found.accepts |= symbol == NONE && rules.lhs(dot) == rules.start;
        if symbol != NONE {
            let data = &rules.symbols[symbol as usize];
            found.waiting.push((symbol, at as u32));
            let argument = rules.argument(dot, parameter);
            if data.lexeme != NONE {
                found.terminals.push(at as u32);
                found.lexemes.push(data.lexeme);
                found.classes.push(data.class);
            } else {
                found.nested.extend(data.nested);
                // A nested grammar takes the parameter of the rule that it stands in.
                let argument = if data.nested.is_some() { parameter } else { argument };
                if symbols.insert((symbol, argument)) {
                    start(rules, symbol, argument, &mut seen, &mut found);
                }
            }
            if rules.is_nullable(symbol, argument) && seen.insert((dot + 1, parameter)) {
                add(rules, dot + 1, parameter, at as u32, &mut found);
            }
        }
        at += 1;
    }
    found.waiting.sort_unstable();
    found.lexemes.sort_unstable();
    found.lexemes.dedup();
    found.classes.sort_unstable();
    found.classes.dedup();
    Ok(found)
}

/// Adds the rules of a symbol.
fn start(rules: &Rules, symbol: u32, argument: u64, seen: &mut HashSet<(u32, u64)>, found: &mut Predicted) {
    for rule in rules.usable((symbol, argument)) {
        let first = rules.rules[rule as usize].first;
        if seen.insert((first, argument)) {
            add(rules, first, argument, NONE, found);
        }
    }
}

fn add(rules: &Rules, dot: u32, parameter: u64, before: u32, found: &mut Predicted) {
    found.dots.push(dot);
    found.before.push(before);
    if rules.is_parametric() {
        found.parameters.push(parameter);
    }
}
