//! Where a text stands: what may come next, and which rules are open.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::chart::{Item, Row};
use super::lexer::{DEAD, Lexer};
use super::place::{Crumb, Expected, Limit, Place, Standing, Terminal};
use super::rules::NONE;
use super::schema::MAX_TERMINALS;
use super::set::ByteSet;
use super::{Shadow, Stop};

/// An item and the row that it is in.
pub(super) type At = (u32, u32);

/// What may come: in the row of the lexeme under way, and in the row after it.
pub(super) struct Front {
    pub stop: Stop,
    /// Whether a lexeme is under way.
    pub is_pending: bool,
    /// The row after the lexeme under way, if it may end here.
    pub after: Option<Row>,
    /// The bound that the row after it hit.
    pub limit: Option<Limit>,
}

impl Shadow {
    pub(super) fn front(&self, lexer: &mut Lexer) -> Front {
        let stop = self.stop();
        let is_pending = self.is_pending(stop);
        let after = if is_pending { self.after_lexeme(lexer, stop) } else { Ok(None) };
        let limit = after.as_ref().err().map(|&too_large| too_large.into());
        let after = after.ok().flatten().map(|made| made.row);
        Front { stop, is_pending, after, limit }
    }

    /// Whether the text may end here, as far as that is known within bounds.
    pub fn may_end(&self) -> bool {
        let front = self.front(&mut self.shared.lexer());
        self.accepts(&front)
    }

    fn accepts(&self, front: &Front) -> bool {
        let row = if front.is_pending { front.after.as_ref() } else { self.row(front.stop.row) };
        row.is_some_and(|r| r.is_accepting(&self.shared.rules))
    }

    /// The bytes that may come next. Tokens that stand for themselves are not among them.
    pub fn next_bytes(&self) -> ByteSet {
        let lexer = &mut *self.shared.lexer();
        let front = self.front(lexer);
        self.bytes(&front, lexer)
    }

    /// None where a bound was hit, now or before.
    fn bytes(&self, front: &Front, lexer: &mut Lexer) -> ByteSet {
        let bytes = lexer.mask(front.stop.state, front.after.as_ref().map_or(DEAD, |r| r.start));
        if self.bound(front, lexer).is_some() { ByteSet::default() } else { bytes }
    }

    /// The bound that was hit, if one was.
    pub(super) fn bound(&self, front: &Front, lexer: &Lexer) -> Option<Limit> {
        let lexer = || lexer.limit().map(|message| Limit::Lexer(message.to_owned()));
        self.limit.clone().or_else(|| front.limit.clone()).or_else(lexer)
    }

    pub(super) fn row(&self, row: u32) -> Option<&Row> {
        self.chart.rows.get(row as usize)
    }

    /// Where what begins in a row begins in the text: after what is ignored there.
    pub(super) fn begins(&self, origin: u32) -> usize {
        self.row(self.last_copy(origin)).map_or(0, |r| r.from as usize)
    }

    /// The row after all that is ignored after a row.
    pub(super) fn last_copy(&self, origin: u32) -> u32 {
        let rows = self.chart.rows.iter().skip(origin as usize);
        origin + rows.take_while(|r| r.base == origin).count().saturating_sub(1) as u32
    }

    /// Everything about the place where the text stands.
    pub fn place(&self) -> Place {
        let lexer = &mut *self.shared.lexer();
        let front = self.front(lexer);
        let expected = self.expected(&front, lexer);
        Place {
            at: self.text.len(),
            path: self.path(&front, lexer),
            here: expected.first().map(|(e, _)| Arc::clone(&e.terminal)),
            next_bytes: self.bytes(&front, lexer),
            expected: expected.into_iter().map(|(expected, _)| expected).collect(),
            may_end: self.accepts(&front),
            limit: self.bound(&front, lexer),
        }
    }

    /// For each of the terminals that a [`place`](Self::place) expects, the bytes with which it goes on
    /// or begins there. None where a bound was hit, and for tokens that stand for themselves.
    pub fn openings(&self) -> Vec<ByteSet> {
        let lexer = &mut *self.shared.lexer();
        let front = self.front(lexer);
        let taken = if front.is_pending { lexer.mask(front.stop.state, DEAD) } else { ByteSet::default() };
        let expected = self.expected(&front, lexer);
        let mut openings: HashMap<(u32, bool), ByteSet> = HashMap::new();
        let of = |(expected, lexeme): (Expected, u32)| {
            let is_begun = front.is_pending && expected.standing == Standing::InProgress;
            *openings.entry((lexeme, is_begun)).or_insert_with(|| match is_begun {
                true => lexer.going(front.stop.state, lexeme),
                false => lexer.first_bytes(lexeme).iter().filter(|b| !taken.contains(*b)).collect(),
            })
        };
        let openings: Vec<ByteSet> = expected.into_iter().map(of).collect();
        if self.bound(&front, lexer).is_some() { vec![ByteSet::default(); openings.len()] } else { openings }
    }

    /// What is expected, each with its lexeme.
    fn expected(&self, front: &Front, lexer: &mut Lexer) -> Vec<(Expected, u32)> {
        let mut found = Vec::new();
        let Some(row) = self.row(front.stop.row) else { return found };
        let state = front.stop.state;
        if front.is_pending {
            let going: Vec<u32> = row.lexemes.iter().copied().filter(|&l| lexer.goes_on(state, l)).collect();
            let of = |lexeme: u32| going.contains(&lexeme);
            self.terminals((front, row), of, Standing::InProgress, row.from as usize, &mut found);
        }
        let next = if front.is_pending { front.after.as_ref() } else { Some(row) };
        if let Some(next) = next {
            // A byte that goes on with what is under way starts nothing new.
            let taken = if front.is_pending { lexer.mask(state, DEAD) } else { ByteSet::default() };
            let coming: Vec<u32> = next
                .lexemes
                .iter()
                .copied()
                .filter(|&l| lexer.is_special(l) || lexer.first_bytes(l).iter().any(|b| !taken.contains(b)))
                .collect();
            let of = |lexeme: u32| coming.contains(&lexeme);
            self.terminals((front, next), of, Standing::Next, self.text.len(), &mut found);
        }
        found
    }

    /// Every terminal of `row` whose lexeme is wanted, each use once, and what may be ignored.
    fn terminals(
        &self,
        (front, row): (&Front, &Row),
        wanted: impl Fn(u32) -> bool,
        standing: Standing,
        from: usize,
        found: &mut Vec<(Expected, u32)>,
    ) {
        let (rules, names) = (&self.shared.rules, &self.shared.names);
        let mut seen: HashSet<(u32, u32)> = HashSet::new();
        let mut add = |terminal: Option<Arc<Terminal>>, lexeme: u32| {
            found.extend(terminal.map(|terminal| (Expected { terminal, standing, from }, lexeme)));
        };
        let in_schema = names.is_schema() && row.terminals().count() <= MAX_TERMINALS;
        for index in row.terminals() {
            let dot = row.item(index).dot;
            let used = rules.uses[dot as usize];
            let key = if used == NONE { (NONE, rules.after(dot)) } else { (used, 0) };
            if wanted(rules.lexeme_after(dot)) && seen.insert(key) {
                let terminal = names.terminal(rules, dot);
                let symbol = rules.after(dot);
                let terminal = match in_schema {
                    true => terminal.map(|terminal| self.in_schema(front, row, symbol, &terminal)),
                    false => terminal,
                };
                add(terminal, rules.lexeme_after(dot));
            }
        }
        for &lexeme in row.lexemes.iter().filter(|&&l| rules.is_skip(l) && wanted(l)) {
            add(names.ignored(rules, lexeme), lexeme);
        }
    }

    /// The item that stands for the place: the terminal that is under way, or the innermost rule
    /// that is open. `None` if nothing is open but the end.
    pub(super) fn active(&self, front: &Front, lexer: &mut Lexer) -> Option<At> {
        let rules = &self.shared.rules;
        let row = self.row(front.stop.row)?;
        let under_way = front.is_pending.then(|| {
            let mut terminals = row.terminals();
            terminals.find(|&i| lexer.goes_on(front.stop.state, rules.lexeme_after(row.item(i).dot)))
        });
        if let Some(item) = under_way.flatten() {
            return Some((front.stop.row, item));
        }
        // Not yet a row of the chart if the lexeme under way can only end.
        let (number, row) = match (&front.after, front.is_pending) {
            (Some(after), true) => (self.chart.rows.len() as u32, after),
            _ => (front.stop.row, row),
        };
        let kernel = row.kernel.items.len() as u32;
        let open = (0..kernel).find(|&i| rules.after(row.item(i).dot) != NONE);
        open.or_else(|| (kernel == 0 && row.len() > 0).then_some(0)).map(|item| (number, item))
    }

    /// The item that waits for what `item` of row `at` begins: of those with the right argument, the
    /// first.
    pub(super) fn parent(&self, item: Item) -> Option<At> {
        let rules = &self.shared.rules;
        let lhs = rules.lhs(item.dot);
        if lhs == rules.start {
            return None;
        }
        let row = self.row(item.origin)?;
        let (mut first, mut exact) = (None, None);
        row.waiting(lhs, rules, |index| {
            let waits = row.item(index);
            first = first.or(Some(index));
            if exact.is_none() && rules.argument(waits.dot, waits.parameter) == item.parameter {
                exact = Some(index);
            }
        });
        exact.or(first).map(|index| (item.origin, index))
    }

    /// The items from `item` outwards to the start.
    pub(super) fn ancestors(&self, mut item: Item) -> Vec<At> {
        let mut found = Vec::new();
        // Every step goes to an earlier row, or to an earlier prediction of the same.
        while let Some(at) = self.parent(item).filter(|_| found.len() < 1 << 20) {
            found.push(at);
            match self.row(at.0) {
                Some(row) => item = row.item(at.1),
                None => break,
            }
        }
        found
    }

    fn path(&self, front: &Front, lexer: &mut Lexer) -> Vec<Crumb> {
        let Some((number, index)) = self.active(front, lexer) else {
            return self.root().into_iter().collect();
        };
        let row = match self.row(number).or(front.after.as_ref()) {
            Some(row) => row,
            None => return Vec::new(),
        };
        let item = row.item(index);
        let outer = self.ancestors(item);
        let mut items = vec![item];
        items.extend(outer.iter().filter_map(|&(row, index)| Some(self.row(row)?.item(index))));
        let mut path: Vec<Crumb> = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let user = items.get(i + 1).map(|parent| parent.dot);
            let crumb = self.crumb(*item, user);
            path.extend(crumb.map(|crumb| match self.shared.names.is_schema() {
                true => self.crumb_in_schema(&items[i..], crumb),
                false => crumb,
            }));
        }
        path.reverse();
        path
    }

    /// The start rule by itself, for a text that is complete.
    fn root(&self) -> Option<Crumb> {
        let row = self.row(0)?;
        (0..row.len()).find_map(|i| self.crumb(row.item(i), None)).map(|c| Crumb {
            alternative: None,
            active: None,
            ..c
        })
    }

    /// A rule with a name, as a step of the path; `user` is the dot before its use.
    fn crumb(&self, item: Item, user: Option<u32>) -> Option<Crumb> {
        let (rules, names) = (&self.shared.rules, &self.shared.names);
        let rule = rules.rule(item.dot);
        let symbol = &rules.symbols[rule.lhs as usize];
        let alternative = names.alternatives.get(rule.alternative as usize);
        let used_at =
            user.and_then(|dot| names.uses.get(rules.uses[dot as usize] as usize).cloned().flatten());
        let (name, definition) = match names.rules.get(symbol.name as usize) {
            Some(name) => (name.name.to_string(), name.spot.clone()),
            None => names.label(symbol).map(|(name, spot)| (name.to_owned(), spot))?,
        };
        Some(Crumb {
            rule: name,
            pointer: None,
            definition,
            alternative: alternative.map(|a| a.index),
            active: alternative.and_then(|a| a.spot.clone()),
            used_at,
            from: self.begins(item.origin),
            parameter: rules.symbols[rules.lhs(item.dot) as usize].is_parametric.then_some(item.parameter),
        })
    }
}
