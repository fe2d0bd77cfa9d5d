//! The shortest texts: of a terminal, of a rule with an argument, of what is left of a rule.
//!
//! Worked out when asked for and kept. Lengths are lower bounds: they do not know that two terminals
//! side by side may read as one, and they end at the largest number. [`finish`](super::finish) sees
//! to that. What goes past a bound is left out, as if nothing matched it, and noted.

use std::collections::HashMap;

use super::lexer::Lexer;
use super::predict::Root;
use super::rules::{NONE, Rules};

/// The most symbols, each with one argument, that are worked out. Arguments may be without end.
const MAX_KNOWN: usize = 20_000;

/// A shortest text of a symbol: its length and the rule it uses, [`NONE`] for the empty text.
type Best = Option<(u32, u32)>;

/// Nothing was left out.
pub(super) const NOT_CUT: u32 = u32::MAX;

/// What has been worked out.
pub(super) struct Yields {
    /// By lexeme. `None` if it matches nothing, or nothing was found.
    words: HashMap<u32, Option<Vec<u8>>>,
    places: HashMap<Root, usize>,
    known: Vec<(Root, Best)>,
    /// A text that needs what was left out has no fewer bytes than these, or is [`NOT_CUT`].
    pub cut: u32,
    /// Whether arguments are not minded: what any argument allows is allowed.
    is_loose: bool,
}

impl Default for Yields {
    fn default() -> Self {
        let (words, places) = (HashMap::new(), HashMap::new());
        Self { words, places, known: Vec::new(), cut: NOT_CUT, is_loose: false }
    }
}

impl Yields {
    /// Those of a grammar whose arguments are not minded: nothing longer than they really are.
    pub fn loose() -> Self {
        Self { is_loose: true, ..Self::default() }
    }

    /// The shortest text of a lexeme. A token that stands for itself counts as one byte and is
    /// empty here.
    pub fn word(&mut self, lexer: &mut Lexer, lexeme: u32) -> Option<&[u8]> {
        let known = self.words.entry(lexeme).or_insert_with(|| {
            if lexer.is_special(lexeme) {
                return Some(Vec::new());
            }
            let start = lexer.start(&[lexeme]);
            lexer.shortest(start, lexeme, false).unwrap_or_else(|left_out| {
                self.cut = self.cut.min(left_out.at_least);
                None
            })
        });
        known.as_deref()
    }

    fn word_length(&mut self, lexer: &mut Lexer, lexeme: u32) -> Option<u32> {
        self.word(lexer, lexeme).map(|word| (word.len() as u32).max(1))
    }

    /// The length of the shortest text of the symbols from `dot` to the end of its rule.
    pub fn rest(&mut self, rules: &Rules, lexer: &mut Lexer, mut dot: u32, parameter: u64) -> Option<u32> {
        let mut length = 0;
        while rules.after(dot) != NONE {
            let symbol = self.symbol(rules, dot, parameter);
            length = self.of(rules, lexer, symbol)?.saturating_add(length);
            dot += 1;
        }
        Some(length)
    }

    /// The symbol after a dot with its argument.
    fn symbol(&self, rules: &Rules, dot: u32, parameter: u64) -> Root {
        let symbol = rules.after(dot);
        let data = &rules.symbols[symbol as usize];
        match (data.lexeme, data.nested) {
            _ if self.is_loose => (symbol, 0),
            (NONE, None) => (symbol, rules.argument(dot, parameter)),
            (NONE, Some(_)) => (symbol, parameter),
            _ => (symbol, 0),
        }
    }

    /// The rules of a symbol that its argument allows.
    fn usable(&self, rules: &Rules, root: Root) -> Vec<u32> {
        match self.is_loose {
            true => rules.symbols[root.0 as usize].rules.clone().collect(),
            false => rules.usable(root).collect(),
        }
    }

    fn is_nullable(&self, rules: &Rules, root: Root) -> bool {
        let may_be = self.is_loose && !rules.symbols[root.0 as usize].nullable_if.is_empty();
        may_be || rules.is_nullable(root.0, root.1)
    }

    /// The length of the shortest text of a symbol.
    fn of(&mut self, rules: &Rules, lexer: &mut Lexer, root: Root) -> Option<u32> {
        if !self.places.contains_key(&root) {
            self.work_out(rules, lexer, root);
        }
        let place = *self.places.get(&root)?;
        self.known[place].1.map(|(length, _)| length)
    }

    /// Finds all symbols that `root` leads to, and their shortest texts.
    fn work_out(&mut self, rules: &Rules, lexer: &mut Lexer, root: Root) {
        let first = self.known.len();
        let mut open = vec![root];
        while let Some(root) = open.pop() {
            if self.places.contains_key(&root) {
                continue;
            }
            if self.known.len() >= MAX_KNOWN {
                self.cut = 1;
                break;
            }
            self.places.insert(root, self.known.len());
            let symbol = &rules.symbols[root.0 as usize];
            let best = match symbol.lexeme {
                NONE if self.is_nullable(rules, root) => Some((0, NONE)),
                NONE => None,
                lexeme => self.word_length(lexer, lexeme).map(|length| (length, NONE)),
            };
            self.known.push((root, best));
            for rule in self.usable(rules, root) {
                let dots = (rules.rules[rule as usize].first..).take_while(|&d| rules.after(d) != NONE);
                open.extend(dots.map(|dot| self.symbol(rules, dot, root.1)));
            }
        }
        // Lengths only fall, and each round settles at least one symbol.
        let mut changed = true;
        while changed {
            changed = false;
            for place in first..self.known.len() {
                let root = self.known[place].0;
                for rule in self.usable(rules, root) {
                    let length = self.body(rules, rules.rules[rule as usize].first, root.1);
                    if let Some(length) = length
                        && self.known[place].1.is_none_or(|(known, _)| known > length)
                    {
                        self.known[place].1 = Some((length, rule));
                        changed = true;
                    }
                }
            }
        }
    }

    /// The length of a body, of what is known so far.
    fn body(&self, rules: &Rules, first: u32, parameter: u64) -> Option<u32> {
        let mut length = 0_u32;
        for dot in (first..).take_while(|&d| rules.after(d) != NONE) {
            let place = *self.places.get(&self.symbol(rules, dot, parameter))?;
            length = length.saturating_add(self.known[place].1?.0);
        }
        Some(length)
    }

    /// The lexemes of a shortest text of the symbols from `dot` to the end of its rule, added to
    /// `out`. Their lengths must have been asked for.
    pub fn spell(&self, rules: &Rules, dot: u32, parameter: u64, out: &mut Vec<u32>) {
        let symbols = |dot: u32, parameter: u64| {
            let dots = (dot..).take_while(|&d| rules.after(d) != NONE);
            let roots: Vec<Root> = dots.map(|dot| self.symbol(rules, dot, parameter)).collect();
            roots.into_iter().rev()
        };
        let mut open: Vec<Root> = symbols(dot, parameter).collect();
        while let Some(root) = open.pop() {
            let lexeme = rules.symbols[root.0 as usize].lexeme;
            let best = self.places.get(&root).and_then(|&place| self.known[place].1);
            match best {
                _ if lexeme != NONE => out.push(lexeme),
                Some((_, rule)) if rule != NONE => {
                    open.extend(symbols(rules.rules[rule as usize].first, root.1));
                }
                _ => {}
            }
        }
    }
}
