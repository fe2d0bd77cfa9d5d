//! The rows of an Earley parse, each kept once, whatever text led to it.
//!
//! A row is what may stand between two lexemes. Here an item refers to the row in which it began by what that
//! row is, not by its number in one text; so two texts after which the same may follow come to the same row,
//! in all copies of a parser, and what a row does with a lexeme is worked out once. An item that is complete is
//! left out: it has done its work when its row is made.
//!
//! It follows llguidance's parser step for step, for the grammars that it takes ([`Rules::of`]). It must never
//! guess about others.

use llguidance::derivre::HashMap;
use llguidance::earley::{CGrammar, CSymIdx};

use super::stop::Stop;

/// No symbol, no lexeme, no row.
pub(super) const NONE: u32 = u32::MAX;

/// From how many items on they are looked up by a hash.
const MANY: usize = 24;

/// Slots for sets at first.
const SLOTS: usize = 1 << 12;

/// A compiled grammar, as rows need it.
#[derive(Default)]
pub(super) struct Rules {
    /// For each place of a dot: the symbol after it, [`NONE`] at the end of a rule.
    after: Vec<u32>,
    /// For each place of a dot: the symbol that the rule makes.
    makes: Vec<u32>,
    symbols: Vec<Symbol>,
    start: u32,
    /// What is ignored.
    skip: u32,
}

#[derive(Clone)]
struct Symbol {
    lexeme: u32,
    is_nullable: bool,
    /// The dots before the first symbols of its rules.
    rules: Vec<u32>,
}

impl Rules {
    /// The rules of `grammar`; `None` if it has what rows do not know: nested grammars, parameters, tokens that
    /// stand for themselves, and limits that depend on more than the text. Also if the question is over.
    pub fn of(grammar: &CGrammar, stop: &mut Stop<'_>) -> Option<Self> {
        let spec = grammar.lexer_spec();
        let [skip] = spec.skip_by_class[..] else { return None };
        let is_special = !spec.token_range_lexemes(&spec.all_lexemes()).is_empty();
        if grammar.parametric() || spec.has_max_tokens || spec.has_stop || is_special {
            return None;
        }
        let mut rules = Self {
            after: Vec::new(),
            makes: Vec::new(),
            symbols: Vec::new(),
            start: grammar.start().as_index() as u32,
            skip: skip.0,
        };
        let mut open = vec![grammar.start()];
        let mut seen = vec![false];
        while let Some(symbol) = open.pop() {
            let number = symbol.as_index();
            if seen.len() <= number {
                seen.resize(number + 1, false);
                rules
                    .symbols
                    .resize(number + 1, Symbol { lexeme: NONE, is_nullable: false, rules: Vec::new() });
            }
            if std::mem::replace(&mut seen[number], true) {
                continue;
            }
            let data = grammar.sym_data(symbol);
            if data.gen_grammar.is_some() || !data.cond_nullable.is_empty() {
                return None;
            }
            for &rule in &data.rules {
                let (body, ..) = grammar.rule_rhs(rule);
                if !stop.goes_on(4 * (1 + body.len())) {
                    return None;
                }
                let first = rule.as_index();
                let end = first + body.len();
                if rules.after.len() <= end {
                    rules.after.resize(end + 1, NONE);
                    rules.makes.resize(end + 1, NONE);
                }
                for (dot, used) in (first..).zip(body) {
                    rules.after[dot] = used.as_index() as u32;
                }
                rules.after[end] = NONE;
                rules.makes[first..=end].fill(number as u32);
                open.extend(body.iter().copied().filter(|&used: &CSymIdx| used != CSymIdx::NULL));
            }
            rules.symbols[number] = Symbol {
                lexeme: data.lexeme.map_or(NONE, |lexeme| lexeme.0),
                is_nullable: data.is_nullable,
                rules: data.rules.iter().map(|rule| rule.as_index() as u32).collect(),
            };
        }
        Some(rules)
    }

    fn after(&self, dot: u32) -> u32 {
        self.after[dot as usize]
    }

    fn symbol_after(&self, dot: u32) -> Option<&Symbol> {
        self.symbols.get(self.after(dot) as usize)
    }

    /// The lexeme after a dot, [`NONE`] if there is none.
    fn lexeme_after(&self, dot: u32) -> u32 {
        self.symbol_after(dot).map_or(NONE, |symbol| symbol.lexeme)
    }
}

/// A rule with a dot in it, and what the row in which it began holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Item {
    dot: u32,
    /// Into [`Rows::sets`].
    origin: u32,
}

/// All items that some symbols bring where they may begin.
#[derive(Default)]
struct Predicted {
    /// Each symbol after a dot, which is no terminal, and the dot, by symbol.
    waiting: Vec<(u32, u32)>,
    /// Each lexeme after a dot, and the dot, by lexeme.
    terminals: Vec<(u32, u32)>,
}

impl Predicted {
    fn of(list: &[(u32, u32)], wanted: u32) -> impl Iterator<Item = u32> + '_ {
        let from = list.partition_point(|(symbol, _)| *symbol < wanted);
        list[from..].iter().take_while(move |(symbol, _)| *symbol == wanted).map(|(_, dot)| *dot)
    }
}

/// The items of a row.
#[derive(Clone, Copy)]
struct Set {
    /// Those that began in an earlier row and are not complete, rising: in [`Rows::kernels`].
    from: u32,
    to: u32,
    /// Into [`Rows::predicted`].
    predicted: u32,
    hash: u32,
}

/// All rows that are known.
pub(super) struct Rows {
    rules: Rules,
    sets: Vec<Set>,
    kernels: Vec<Item>,
    /// The sets by the hashes of their kernels, [`NONE`] where there is none: twice as many as sets, or more.
    slots: Vec<u32>,
    predicted: Vec<Predicted>,
    known_predicted: HashMap<Box<[u32]>, u32>,
    /// For the row that is made: its items so far, those of them that are found by a hash, and what they predict.
    items: Vec<Item>,
    table: HashMap<Item, ()>,
    roots: Vec<u32>,
    /// Bytes of what is predicted, about.
    predicted_size: usize,
}

impl Rows {
    /// The set before everything is number 0.
    pub fn new(rules: Rules) -> Self {
        let mut rows = Self {
            rules,
            sets: Vec::new(),
            kernels: Vec::new(),
            slots: vec![NONE; SLOTS],
            predicted: Vec::new(),
            known_predicted: HashMap::default(),
            items: Vec::new(),
            table: HashMap::default(),
            roots: Vec::new(),
            predicted_size: 0,
        };
        rows.begin();
        rows
    }

    /// Forgets all sets but that before everything. Their memory is used again.
    pub fn clear(&mut self) {
        self.sets.clear();
        self.kernels.clear();
        self.slots.fill(NONE);
        self.begin();
    }

    /// The same, and what symbols predict, and gives the memory back.
    pub fn clear_all(&mut self) {
        *self = Self::new(std::mem::take(&mut self.rules));
    }

    fn begin(&mut self) {
        self.roots.clear();
        self.roots.push(self.rules.start);
        // What a grammar begins with is no more than the grammar.
        let mut stop = Stop::new(&|| false, usize::MAX, u64::MAX);
        let predicted = self.predict(&mut stop).unwrap_or_default();
        self.sets.push(Set { from: 0, to: 0, predicted, hash: 0 });
    }

    /// Bytes, about.
    pub fn size(&self) -> usize {
        let items = self.kernels.capacity() + self.items.capacity() + self.table.capacity();
        size_of::<Set>() * self.sets.capacity()
            + size_of::<Item>() * items
            + size_of::<u32>() * self.slots.len()
            + self.predicted_size
    }

    /// What the symbols that may begin in a set are, as a number.
    pub fn predicted(&self, set: u32) -> u32 {
        self.sets[set as usize].predicted
    }

    fn kernel(&self, set: u32) -> &[Item] {
        let set = &self.sets[set as usize];
        &self.kernels[set.from as usize..set.to as usize]
    }

    /// What is ignored.
    pub fn skip(&self) -> u32 {
        self.rules.skip
    }

    /// The lexemes that may go on what has begun before a set.
    pub fn going(&self, set: u32) -> impl Iterator<Item = u32> + '_ {
        self.kernel(set).iter().map(|item| self.rules.lexeme_after(item.dot)).filter(|&lexeme| lexeme != NONE)
    }

    /// The lexemes that may begin something in a set.
    pub fn beginning(&self, set: u32) -> impl Iterator<Item = u32> + '_ {
        self.predicted[self.predicted(set) as usize].terminals.iter().map(|(lexeme, _)| *lexeme)
    }

    /// The set after one of the `matched` lexemes, none of which is ignored; [`NONE`] if there is none. `None` if
    /// the question is over before that is known.
    pub fn scan(&mut self, set: u32, matched: &[u32], stop: &mut Stop<'_>) -> Option<u32> {
        self.items.clear();
        self.table.clear();
        let from = self.sets[set as usize];
        let rules = &self.rules;
        let (items, table) = (&mut self.items, &mut self.table);
        for item in &self.kernels[from.from as usize..from.to as usize] {
            if !stop.goes_on(1 + matched.len()) {
                return None;
            }
            if matched.contains(&rules.lexeme_after(item.dot)) {
                add(items, table, Item { dot: item.dot + 1, ..*item });
            }
        }
        for &lexeme in matched {
            if !stop.goes_on(4) {
                return None;
            }
            for dot in Predicted::of(&self.predicted[from.predicted as usize].terminals, lexeme) {
                if !stop.goes_on(4) {
                    return None;
                }
                add(items, table, Item { dot: dot + 1, origin: set });
            }
        }
        if items.is_empty() {
            return Some(NONE);
        }
        self.close(stop)?;
        self.intern(stop)
    }

    /// Completes what is complete; `None` if the question is over before.
    fn close(&mut self, stop: &mut Stop<'_>) -> Option<()> {
        let Self { rules, sets, kernels, predicted, items, table, .. } = self;
        self.roots.clear();
        let mut at = 0;
        while let Some(&item) = items.get(at) {
            at += 1;
            if !stop.takes_items(1) {
                return None;
            }
            let after = rules.after(item.dot);
            if after == NONE {
                let origin = &sets[item.origin as usize];
                let made = rules.makes[item.dot as usize];
                let kernel = &kernels[origin.from as usize..origin.to as usize];
                if !stop.goes_on(kernel.len()) {
                    return None;
                }
                for waits in kernel.iter().filter(|waits| rules.after(waits.dot) == made) {
                    add(items, table, Item { dot: waits.dot + 1, ..*waits });
                }
                for dot in Predicted::of(&predicted[origin.predicted as usize].waiting, made) {
                    if !stop.goes_on(4) {
                        return None;
                    }
                    add(items, table, Item { dot: dot + 1, origin: item.origin });
                }
            } else {
                let symbol = &rules.symbols[after as usize];
                if symbol.lexeme == NONE {
                    self.roots.push(after);
                }
                if symbol.is_nullable {
                    add(items, table, Item { dot: item.dot + 1, ..item });
                }
            }
        }
        Some(())
    }

    /// The set of [`items`](Self::items), which are all there are; `None` if the question is over before.
    fn intern(&mut self, stop: &mut Stop<'_>) -> Option<u32> {
        let rules = &self.rules;
        self.items.retain(|item| rules.after(item.dot) != NONE);
        self.items.sort_unstable();
        let hash = hash(&self.items);
        let mut slot = hash as usize & (self.slots.len() - 1);
        while let Some(&Set { from, to, hash: other, .. }) = self.sets.get(self.slots[slot] as usize) {
            if other == hash && self.kernels[from as usize..to as usize] == self.items {
                return Some(self.slots[slot]);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        let predicted = self.predict(stop)?;
        let (number, from) = (self.sets.len() as u32, self.kernels.len() as u32);
        self.kernels.extend(&self.items);
        self.sets.push(Set { from, to: self.kernels.len() as u32, predicted, hash });
        self.slots[slot] = number;
        if 2 * self.sets.len() > self.slots.len() {
            self.grow();
        }
        Some(number)
    }

    /// Makes the slots twice as many.
    fn grow(&mut self) {
        let mask = 2 * self.slots.len() - 1;
        self.slots = vec![NONE; mask + 1];
        // The set before everything is not looked for.
        for (number, set) in self.sets.iter().enumerate().skip(1) {
            let mut slot = set.hash as usize & mask;
            while self.slots[slot] != NONE {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = number as u32;
        }
    }

    /// What [`roots`](Self::roots) predict; `None` if the question is over before.
    fn predict(&mut self, stop: &mut Stop<'_>) -> Option<u32> {
        self.roots.sort_unstable();
        self.roots.dedup();
        if let Some(&known) = self.known_predicted.get(&self.roots[..]) {
            return Some(known);
        }
        let rules = &self.rules;
        if !stop.goes_on(rules.after.len() / 64) {
            return None;
        }
        let mut found = Predicted::default();
        let mut seen_symbol = vec![false; rules.symbols.len()];
        let mut seen = vec![false; rules.after.len()];
        let mut open: Vec<u32> = Vec::new();
        let mut begin = |symbol: u32, open: &mut Vec<u32>| {
            if !std::mem::replace(&mut seen_symbol[symbol as usize], true) {
                open.extend(&rules.symbols[symbol as usize].rules);
            }
        };
        self.roots.iter().for_each(|&root| begin(root, &mut open));
        while let Some(dot) = open.pop() {
            if std::mem::replace(&mut seen[dot as usize], true) {
                continue;
            }
            if !stop.takes_items(1) {
                return None;
            }
            let Some(symbol) = rules.symbol_after(dot) else { continue };
            match symbol.lexeme {
                NONE => {
                    found.waiting.push((rules.after(dot), dot));
                    begin(rules.after(dot), &mut open);
                }
                lexeme => found.terminals.push((lexeme, dot)),
            }
            if symbol.is_nullable {
                open.push(dot + 1);
            }
        }
        found.waiting.sort_unstable();
        found.terminals.sort_unstable();
        let number = self.predicted.len() as u32;
        let pairs = found.waiting.capacity() + found.terminals.capacity();
        self.predicted_size += 8 * pairs + 4 * self.roots.len() + size_of::<(Predicted, Box<[u32]>, u32)>();
        self.predicted.push(found);
        self.known_predicted.insert(self.roots.as_slice().into(), number);
        Some(number)
    }
}

/// Adds an item, unless it is there.
fn add(items: &mut Vec<Item>, table: &mut HashMap<Item, ()>, item: Item) {
    if items.len() < MANY {
        if !items.contains(&item) {
            items.push(item);
        }
        return;
    }
    if table.is_empty() {
        table.extend(items.iter().map(|&item| (item, ())));
    }
    if table.insert(item, ()).is_none() {
        items.push(item);
    }
}

fn hash(items: &[Item]) -> u32 {
    let mix = |hash: u64, item: &Item| {
        let item = u64::from(item.dot) << 32 | u64::from(item.origin);
        (hash.rotate_left(23) ^ item).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    (items.iter().fold(0, mix) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use llguidance::api::TopLevelGrammar;

    use super::*;
    use crate::engine::constraint::ConstraintFactory;
    use crate::engine::model::tokenizer::synthetic;

    /// A row of 20,000 items is given up where nobody waits, and made where somebody does.
    #[test]
    fn a_long_row_can_be_given_up() {
        const RULES: usize = 20_000;
        let factory = ConstraintFactory::new(&synthetic(1000).expect("words")).expect("a factory");
        let names: Vec<String> = (0..RULES).map(|n| format!("r{n}")).collect();
        let rules: Vec<String> = names.iter().map(|name| format!("{name}: \"z\" \"y\" \"x\"")).collect();
        let text = format!("start: \".\" all\nall: {}\n{}", names.join(" | "), rules.join("\n"));
        let (constraint, _) = factory.create(TopLevelGrammar::from_lark(text)).expect("it compiles");
        let grammar = constraint.parser.parser.grammar();
        let free = || Stop::new(&|| false, usize::MAX, u64::MAX);
        let cancelled = || Stop::new(&|| true, usize::MAX, u64::MAX);
        let mut rows = Rows::new(Rules::of(grammar, &mut free()).expect("rows know all of it"));
        // What is predicted is long here.
        let first: Vec<u32> = rows.beginning(0).take(1).collect();
        assert_eq!(rows.scan(0, &first, &mut cancelled()), None);
        assert_eq!((rows.sets.len(), rows.predicted.len()), (1, 1), "something is kept");
        let set = rows.scan(0, &first, &mut free()).expect("nothing stops it");
        // And here what is taken.
        let second: Vec<u32> = rows.beginning(set).take(1).collect();
        assert_eq!(rows.scan(set, &second, &mut cancelled()), None);
        assert!(rows.items.len() < RULES / 2, "{} items", rows.items.len());
        assert_eq!(rows.scan(set, &second, &mut Stop::new(&|| false, RULES / 2, u64::MAX)), None);
        let end = rows.scan(set, &second, &mut free()).expect("nothing stops it");
        assert_eq!((rows.kernel(end).len(), rows.sets.len()), (RULES, 3));
    }
}
