//! The rows of an Earley parse: what may stand between two lexemes.
//!
//! It follows llguidance's parser step for step, its classes of ignored text and its stack of
//! nested grammars included, so that both accept the same. A rule with a parameter ends those uses of it
//! that wait for its argument; where the grammar has too many arguments for llguidance to tell them apart,
//! it ends every use of it in the row, as there.

use std::sync::Arc;

use super::lexer::{Lexer, State};
use super::place::Limit;
use super::predict::{Predicted, Root};
use super::rules::{NONE, Rules};

/// A rule with a dot in it, and the row in which the rule began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Item {
    pub dot: u32,
    pub origin: u32,
    pub parameter: u64,
}

/// What an item's dot has passed last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Back {
    /// The row and the item before that.
    pub row: u32,
    pub item: u32,
    /// The completed item of this row that was passed, [`LEXEME`] or [`EMPTY`].
    pub child: u32,
}

/// A terminal was passed.
pub(super) const LEXEME: u32 = u32::MAX;
/// A symbol that is empty was passed.
pub(super) const EMPTY: u32 = u32::MAX - 1;

/// The most items of a row. llguidance gives up at 2,000.
pub(super) const MAX_ITEMS: usize = 10_000;

/// From how many items on a kernel has an index.
const INDEXED: usize = 12;

/// The items of a row that are not predictions: those that began in an earlier row.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub items: Vec<Item>,
    pub backs: Vec<Back>,
    /// The items before a terminal.
    pub terminals: Vec<u32>,
    /// Each symbol after a dot and the item, by symbol; only in large kernels.
    waiting: Vec<(u32, u32)>,
}

/// What may stand between two lexemes.
#[derive(Clone)]
pub(super) struct Row {
    pub kernel: Arc<Kernel>,
    pub predicted: Arc<Predicted>,
    /// The row in which the predictions were made: another one if only ignored text came since.
    pub base: u32,
    /// The lexer's state before the next lexeme.
    pub start: State,
    /// The lexemes that may come next, to be narrowed when something is ignored once.
    pub lexemes: Arc<[u32]>,
    /// Where the next lexeme starts, in bytes of the text.
    pub from: u32,
    /// The innermost nested grammar, and how many there have been.
    pub top: u32,
    pub nested: u32,
}

/// A nested grammar that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nested {
    pub outer: u32,
    pub class: u8,
}

/// A row that is not yet part of the chart.
pub(super) struct Made {
    pub row: Row,
    pub nested: Vec<Nested>,
}

/// All rows.
#[derive(Clone)]
pub(super) struct Chart {
    pub rows: Vec<Row>,
    pub nested: Vec<Nested>,
}

/// A row would be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

impl From<TooLarge> for Limit {
    fn from(_: TooLarge) -> Self {
        Self::Items(MAX_ITEMS)
    }
}

impl Row {
    /// How many items there are.
    pub fn len(&self) -> u32 {
        (self.kernel.items.len() + self.predicted.dots.len()) as u32
    }

    /// An item: first those of the kernel, then the predictions.
    pub fn item(&self, index: u32) -> Item {
        match self.kernel.items.get(index as usize) {
            Some(&item) => item,
            None => {
                let index = index - self.kernel.items.len() as u32;
                Item {
                    dot: self.predicted.dots[index as usize],
                    origin: self.base,
                    parameter: self.predicted.parameter(index),
                }
            }
        }
    }

    /// What an item's dot has passed last, in the row `own` or one that copies it.
    pub fn back(&self, own: u32, index: u32) -> Option<Back> {
        match self.kernel.backs.get(index as usize) {
            Some(&back) => Some(back),
            None => {
                let kernel = self.kernel.items.len() as u32;
                let before = self.predicted.before[(index - kernel) as usize];
                (before != NONE).then_some(Back { row: own, item: before + kernel, child: EMPTY })
            }
        }
    }

    /// The items whose dot stands before `symbol`.
    pub fn waiting(&self, symbol: u32, rules: &Rules, mut found: impl FnMut(u32)) {
        let kernel = &self.kernel;
        if kernel.waiting.is_empty() {
            for (i, item) in kernel.items.iter().enumerate() {
                if rules.after(item.dot) == symbol {
                    found(i as u32);
                }
            }
        } else {
            let from = kernel.waiting.partition_point(|w| w.0 < symbol);
            kernel.waiting[from..].iter().take_while(|w| w.0 == symbol).for_each(|w| found(w.1));
        }
        let offset = kernel.items.len() as u32;
        self.predicted.waiting(symbol).for_each(|i| found(i + offset));
    }

    /// The items before a terminal.
    pub fn terminals(&self) -> impl Iterator<Item = u32> + '_ {
        let offset = self.kernel.items.len() as u32;
        let predicted = self.predicted.terminals.iter().map(move |i| i + offset);
        self.kernel.terminals.iter().copied().chain(predicted)
    }

    /// Whether the text may end here.
    pub fn is_accepting(&self, rules: &Rules) -> bool {
        let kernel = self.kernel.items.len() as u32;
        self.predicted.accepts || (0..kernel).any(|i| self.ends_start(rules, i))
    }

    /// Whether an item completes the grammar's start.
    pub fn ends_start(&self, rules: &Rules, index: u32) -> bool {
        let dot = self.item(index).dot;
        rules.after(dot) == NONE && rules.lhs(dot) == rules.start
    }
}

impl Chart {
    /// The row before everything.
    pub fn new(rules: &Rules, lexer: &mut Lexer, allow_initial_skip: bool) -> Result<Self, TooLarge> {
        let mut chart = Self { rows: Vec::new(), nested: vec![Nested { outer: 0, class: 0 }] };
        let predicted = lexer.predictions.of(rules, &[(rules.start, 0)])?;
        let kernel = Kernel::default();
        let mut made = chart.finish(rules, lexer, kernel, predicted, 0, 0, Some(0));
        if !allow_initial_skip {
            let row = &mut made.row;
            row.lexemes = row.lexemes.iter().copied().filter(|&l| l != rules.skips[0]).collect();
            row.start = lexer.start(&row.lexemes);
        }
        chart.push(made);
        Ok(chart)
    }

    /// Adds a row.
    pub fn push(&mut self, made: Made) {
        self.nested.truncate(self.rows.last().map_or(self.nested.len(), |r| r.nested as usize));
        self.nested.extend(made.nested);
        self.rows.push(made.row);
    }

    /// Drops all rows but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.rows.truncate(count);
        self.nested.truncate(self.rows.last().map_or(1, |r| r.nested as usize));
    }

    /// The row after the last one, once one of the `matched` lexemes has been read; the next one
    /// starts at byte `to`.
    pub fn scan(
        &self,
        rules: &Rules,
        lexer: &mut Lexer,
        matched: &[u32],
        to: u32,
    ) -> Result<Option<Made>, TooLarge> {
        let number = self.rows.len() as u32;
        let Some(last) = self.rows.last() else { return Ok(None) };
        let (top, class) = self.leave(rules, last.top, matched);
        if let Some(&skip) = matched.iter().find(|&&l| rules.is_skip(l)) {
            let mut row = Row { from: to, top, nested: self.nested.len() as u32, ..last.clone() };
            let skip_class = rules.class_of[skip as usize];
            if rules.skip_once[skip_class as usize] {
                row.lexemes =
                    last.lexemes.iter().copied().filter(|&l| l != rules.skips[class as usize]).collect();
                row.start = lexer.start(&row.lexemes);
            }
            return Ok(Some(Made { row, nested: Vec::new() }));
        }
        let mut closure = Closure {
            rules,
            chart: self,
            kernel: Kernel::default(),
            roots: Vec::new(),
            seen: Seen::default(),
        };
        for index in last.terminals() {
            let item = last.item(index);
            if matched.contains(&rules.lexeme_after(item.dot)) {
                let next = Item { dot: item.dot + 1, ..item };
                closure.add(next, Back { row: number - 1, item: index, child: LEXEME });
            }
        }
        if closure.kernel.items.is_empty() {
            return Ok(None);
        }
        closure.run()?;
        let Closure { kernel, mut roots, .. } = closure;
        roots.sort_unstable();
        roots.dedup();
        let predicted = lexer.predictions.of(rules, &roots)?;
        Ok(Some(self.finish(rules, lexer, kernel, predicted, to, top, Some(class))))
    }

    /// The nested grammars that a lexeme leaves: the innermost one that it belongs to, and its class.
    fn leave(&self, rules: &Rules, mut top: u32, matched: &[u32]) -> (u32, u8) {
        while top > 0 {
            let nested = self.nested[top as usize];
            if matched.iter().any(|&l| rules.class_of[l as usize] == nested.class) {
                break;
            }
            top = nested.outer;
        }
        (top, self.nested[top as usize].class)
    }

    /// Completes a row: which lexemes may come, and which of the texts to ignore.
    #[allow(clippy::too_many_arguments)]
    fn finish(
        &self,
        rules: &Rules,
        lexer: &mut Lexer,
        mut kernel: Kernel,
        predicted: Arc<Predicted>,
        from: u32,
        mut top: u32,
        skip: Option<u8>,
    ) -> Made {
        let mut nested = Vec::new();
        let known = self.rows.last().map_or(self.nested.len() as u32, |r| r.nested);
        let mut lexemes = predicted.lexemes.clone();
        let mut classes = predicted.classes.clone();
        let mut enter = |class: u8, top: &mut u32| {
            nested.push(Nested { outer: *top, class });
            *top = known + nested.len() as u32 - 1;
        };
        for (i, item) in kernel.items.iter().enumerate() {
            let after = rules.after(item.dot);
            if after == NONE {
                continue;
            }
            let symbol = &rules.symbols[after as usize];
            if symbol.lexeme != NONE {
                kernel.terminals.push(i as u32);
                lexemes.push(symbol.lexeme);
                classes.push(symbol.class);
            } else if let Some(class) = symbol.nested {
                enter(class, &mut top);
            }
        }
        predicted.nested.iter().for_each(|&class| enter(class, &mut top));
        if kernel.items.len() >= INDEXED {
            let waiting = kernel.items.iter().enumerate().map(|(i, item)| (rules.after(item.dot), i as u32));
            kernel.waiting = waiting.collect();
            kernel.waiting.sort_unstable();
        }
        let node = |at: u32| match at.checked_sub(known) {
            Some(new) => nested[new as usize],
            None => self.nested[at as usize],
        };
        if let Some(class) = skip {
            let mut ignored = classes.contains(&class).then_some(class);
            // A nested grammar may have ended: the nearest one around it that goes on.
            let mut outer = top;
            while ignored.is_none() && outer > 0 {
                outer = node(outer).outer;
                ignored = Some(node(outer).class).filter(|c| classes.contains(c));
            }
            lexemes.extend(ignored.map(|class| rules.skips[class as usize]));
        }
        lexemes.sort_unstable();
        lexemes.dedup();
        let start = lexer.start(&lexemes);
        let row = Row {
            kernel: Arc::new(kernel),
            predicted,
            base: self.rows.len() as u32,
            start,
            lexemes: lexemes.into(),
            from,
            top,
            nested: known + nested.len() as u32,
        };
        Made { row, nested }
    }
}

/// Works out the kernel of a row.
struct Closure<'c> {
    rules: &'c Rules,
    chart: &'c Chart,
    kernel: Kernel,
    roots: Vec<Root>,
    seen: Seen,
}

impl Closure<'_> {
    fn add(&mut self, item: Item, back: Back) {
        if self.seen.insert(&self.kernel.items, item) {
            self.kernel.items.push(item);
            self.kernel.backs.push(back);
        }
    }

    fn run(&mut self) -> Result<(), TooLarge> {
        let row = self.chart.rows.len() as u32;
        let mut at = 0;
        while at < self.kernel.items.len() {
            if self.kernel.items.len() > MAX_ITEMS {
                return Err(TooLarge);
            }
            let item = self.kernel.items[at];
            let after = self.rules.after(item.dot);
            if after == NONE {
                let origin = &self.chart.rows[item.origin as usize];
                let lhs = self.rules.lhs(item.dot);
                let mut others = Vec::new();
                origin.waiting(lhs, self.rules, |index| {
                    let waits = origin.item(index);
                    // Those that asked for this argument come first, so that they are what is shown.
                    if self.rules.wanted(&waits) == item.parameter {
                        let back = Back { row: item.origin, item: index, child: at as u32 };
                        self.add(Item { dot: waits.dot + 1, ..waits }, back);
                    } else if !self.rules.is_exact {
                        others.push(index);
                    }
                });
                for index in others {
                    let waits = origin.item(index);
                    let back = Back { row: item.origin, item: index, child: at as u32 };
                    self.add(Item { dot: waits.dot + 1, ..waits }, back);
                }
            } else if self.rules.lexeme_after(item.dot) == NONE {
                let argument = self.rules.wanted(&item);
                self.roots.push((after, argument));
                if self.rules.is_nullable(after, argument) {
                    let next = Item { dot: item.dot + 1, ..item };
                    self.add(next, Back { row, item: at as u32, child: EMPTY });
                }
            }
            at += 1;
        }
        Ok(())
    }
}

/// The items of a kernel, to find them again: in a list while it is short, else by a hash.
#[derive(Default)]
struct Seen {
    table: Vec<u32>,
}

impl Seen {
    /// Whether `item` is new to `items`, to which it is to be added then.
    fn insert(&mut self, items: &[Item], item: Item) -> bool {
        if items.len() < 2 * INDEXED {
            return !items.contains(&item);
        }
        if self.table.len() < items.len() * 2 + 2 {
            self.table = vec![NONE; (items.len() * 4).next_power_of_two()];
            for (i, known) in items.iter().enumerate() {
                let slot = self.slot(items, known);
                self.table[slot] = i as u32;
            }
        }
        let slot = self.slot(items, &item);
        let is_new = self.table[slot] == NONE;
        if is_new {
            self.table[slot] = items.len() as u32;
        }
        is_new
    }

    /// Where `item` is, or would be.
    fn slot(&self, items: &[Item], item: &Item) -> usize {
        let mask = self.table.len() - 1;
        let key = (u64::from(item.dot) << 32 | u64::from(item.origin)) ^ item.parameter.rotate_left(17);
        let mut slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask;
        while self.table[slot] != NONE && items[self.table[slot] as usize] != *item {
            slot = (slot + 1) & mask;
        }
        slot
    }
}
