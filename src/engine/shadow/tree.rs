//! How a text was read: its parse tree, complete or as far as it goes, and what of the grammar it
//! used.
//!
//! Groups and repetitions have no node: their parts belong to the rule that they stand in. Trees
//! may be as deep as the text is long, so nothing here recurses.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::Shadow;
use super::answer::{At, Front};
use super::chart::{EMPTY, LEXEME, Row};
use super::place::Spot;
use super::rules::NONE;

/// What a node of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A rule and what it consists of.
    Rule,
    /// A terminal.
    Terminal,
    /// Ignored text.
    Ignored,
}

/// A node of a parse tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// The rule's name, or the terminal as the person wrote it.
    pub name: Arc<str>,
    /// Its text.
    pub bytes: Range<usize>,
    /// Where the rule or terminal is defined.
    pub definition: Option<Spot>,
    /// Where it is used by the rule above it.
    pub used_at: Option<Spot>,
    /// For a rule: which of its alternatives it is, counted from 0.
    pub alternative: Option<usize>,
    /// That alternative's place.
    pub active: Option<Spot>,
    /// Whether it goes on after the text so far.
    pub is_open: bool,
    /// The node above it.
    pub parent: Option<usize>,
    /// One past its last descendant.
    pub end: usize,
}

/// A parse tree: every node comes before what it consists of, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// The nodes. The first is the start rule; there is none before the first byte.
    pub nodes: Vec<Node>,
    /// Whether it is the tree of a complete text. If not, the rules on the way to the end of the
    /// text are open.
    pub is_complete: bool,
}

impl Tree {
    /// What the node `at` consists of.
    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes.get(at).map_or(0, |n| n.end);
        std::iter::successors(Some(at + 1), |&child| self.nodes.get(child).map(|n| n.end))
            .take_while(move |&child| child < end)
    }

    /// The innermost node that the byte at `offset` of the text belongs to.
    pub fn at(&self, offset: usize) -> Option<usize> {
        let holds = |n: usize| self.nodes.get(n).is_some_and(|n| n.bytes.contains(&offset));
        let mut found = Some(0).filter(|&n| holds(n))?;
        while let Some(inner) = self.children(found).find(|&c| holds(c)) {
            found = inner;
        }
        Some(found)
    }
}

/// How often a text used an alternative of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// The rule's name.
    pub rule: String,
    /// Which alternative, counted from 0.
    pub alternative: usize,
    /// Its place.
    pub spot: Option<Spot>,
    /// How often.
    pub count: usize,
}

/// A piece of a rule's text.
enum Part {
    /// A completed item, and the dot before its use.
    Rule(At, u32),
    /// A terminal: the dot before it, its bytes, and the row before it.
    Leaf(u32, Range<usize>, u32),
    /// An empty symbol, the dot before it and where it is.
    Empty(u32, usize),
}

impl Shadow {
    /// How the text so far was read. The tree is complete where the text may end.
    pub fn tree(&self) -> Tree {
        self.grow().tree
    }

    /// What the text so far used of the grammar: every alternative of every rule that can be
    /// reached, in the order of the grammar, those that were not used with a count of 0.
    pub fn used(&self) -> Vec<Used> {
        let counts = self.grow().used;
        let names = &self.shared.names;
        let alternatives = names.alternatives.iter().zip(counts).enumerate();
        let reached = alternatives.filter(|(i, _)| names.reached.contains(&(*i as u32)));
        let used = reached.filter_map(|(_, (alternative, count))| {
            let rule = names.rules.get(alternative.rule as usize).filter(|r| !r.is_hidden)?;
            Some(Used {
                rule: rule.name.to_string(),
                alternative: alternative.index,
                spot: alternative.spot.clone(),
                count,
            })
        });
        used.collect()
    }

    fn grow(&self) -> Grower<'_> {
        let (front, active) = {
            let lexer = &mut *self.shared.lexer();
            let front = self.front(lexer);
            let active = self.active(&front, lexer);
            (front, active)
        };
        let used = vec![0; self.shared.names.alternatives.len()];
        let mut grower = Grower { shadow: self, front, tree: Tree::default(), used, ignored_to: 0 };
        if !grower.complete()
            && let Some(active) = active
        {
            grower.partial(active);
        }
        grower
    }
}

struct Grower<'s> {
    shadow: &'s Shadow,
    front: Front,
    tree: Tree,
    /// By alternative.
    used: Vec<usize>,
    /// Where the ignored text that has a node ends.
    ignored_to: usize,
}

impl Grower<'_> {
    /// A row of the chart, or the one after the lexeme under way.
    fn row(&self, number: u32) -> Option<&Row> {
        self.shadow
            .row(number)
            .or_else(|| self.front.after.as_ref().filter(|_| number as usize == self.shadow.chart.rows.len()))
    }

    /// The tree of a complete text, if it is one.
    fn complete(&mut self) -> bool {
        let number =
            if self.front.is_pending { self.shadow.chart.rows.len() as u32 } else { self.front.stop.row };
        let rules = &self.shadow.shared.rules;
        let Some(row) = self.row(number) else { return false };
        let Some(end) = (0..row.len()).find(|&i| row.ends_start(rules, i)) else { return false };
        self.tree.is_complete = true;
        self.parts(Part::Rule((number, end), NONE), None);
        true
    }

    /// The tree as far as it goes: the open rules, from the start to `active`.
    fn partial(&mut self, active: At) {
        let Some(item) = self.row(active.0).map(|r| r.item(active.1)) else { return };
        let mut levels = self.shadow.ancestors(item);
        levels.reverse();
        levels.push(active);
        let text = self.shadow.text.len();
        let mut open: Vec<usize> = Vec::new();
        let mut user = None;
        for &(number, index) in &levels {
            let Some(row) = self.row(number) else { break };
            let item = row.item(index);
            let from = self.shadow.begins(item.origin);
            if let Some(mut node) = self.rule_node(item.dot, user, from..text, open.last().copied()) {
                self.ignored(self.shadow.last_copy(item.origin), open.last().copied());
                node.is_open = true;
                open.push(self.tree.nodes.len());
                self.tree.nodes.push(node);
            }
            let mut parts = self.parts_of((number, index));
            while let Some(part) = parts.pop() {
                self.parts(part, open.last().copied());
            }
            user = Some(item.dot);
        }
        let stop = self.front.stop;
        if self.front.is_pending && active.0 == stop.row {
            let from = self.shadow.row(stop.row).map_or(0, |r| r.from as usize);
            let at = self.tree.nodes.len();
            self.leaf(item.dot, from..text, stop.row, open.last().copied());
            if let Some(node) = self.tree.nodes[at..].last_mut() {
                node.is_open = true;
            }
        }
        let end = self.tree.nodes.len();
        for node in open {
            self.tree.nodes[node].end = end;
        }
    }

    /// Adds a part and all that it consists of.
    fn parts(&mut self, part: Part, parent: Option<usize>) {
        enum Task {
            Grow(Part, Option<usize>),
            Close(usize),
        }
        let mut tasks = vec![Task::Grow(part, parent)];
        while let Some(task) = tasks.pop() {
            match task {
                Task::Close(node) => self.tree.nodes[node].end = self.tree.nodes.len(),
                Task::Grow(Part::Leaf(dot, bytes, row), parent) => self.leaf(dot, bytes, row, parent),
                Task::Grow(Part::Empty(dot, at), parent) => self.empty(dot, at, parent),
                Task::Grow(Part::Rule(at, user), parent) => {
                    let Some(row) = self.row(at.0) else { continue };
                    let item = row.item(at.1);
                    let from = self.shadow.begins(item.origin);
                    let to = self.ends(at.0).max(from);
                    let user = Some(user).filter(|&u| u != NONE);
                    let mut inner = parent;
                    let alternative = self.shadow.shared.rules.rule(item.dot).alternative;
                    if let Some(count) = self.used.get_mut(alternative as usize) {
                        *count += 1;
                    }
                    if let Some(mut node) = self.rule_node(item.dot, user, from..to, parent) {
                        self.ignored(self.shadow.last_copy(item.origin), parent);
                        node.end = self.tree.nodes.len() + 1;
                        inner = Some(self.tree.nodes.len());
                        tasks.push(Task::Close(self.tree.nodes.len()));
                        self.tree.nodes.push(node);
                    }
                    // The parts come last first, which is how tasks are taken.
                    tasks.extend(self.parts_of(at).into_iter().map(|part| Task::Grow(part, inner)));
                }
            }
        }
    }

    /// What an item's dot has passed, last first.
    fn parts_of(&self, at: At) -> Vec<Part> {
        let mut found = Vec::new();
        let (mut number, mut index) = at;
        while let Some(row) = self.row(number)
            && let Some(back) = row.back(number, index)
        {
            let Some(before) = self.row(back.row) else { break };
            let dot = before.item(back.item).dot;
            found.push(match back.child {
                LEXEME => {
                    let bytes = before.from as usize..self.ends(number);
                    Part::Leaf(dot, bytes, back.row)
                }
                EMPTY => Part::Empty(dot, self.ends(number)),
                child => Part::Rule((number, child), dot),
            });
            (number, index) = (back.row, back.item);
        }
        found
    }

    /// Where what is completed in a row ends: before what is ignored after it.
    fn ends(&self, number: u32) -> usize {
        let base = self.row(number).and_then(|row| self.row(row.base));
        base.map_or(0, |row| row.from as usize)
    }

    /// The ignored text that a row comes after, unless it has its node already: it stands before
    /// the outermost rule that begins there.
    fn ignored(&mut self, number: u32, parent: Option<usize>) {
        let shared = &self.shadow.shared;
        let Some(row) = self.shadow.row(number) else { return };
        let from = self.shadow.row(row.base).map_or(row.from, |base| base.from) as usize;
        let bytes = from..row.from as usize;
        if bytes.is_empty() || bytes.end <= self.ignored_to {
            return;
        }
        let class = self.shadow.chart.nested.get(row.top as usize).map_or(0, |n| n.class);
        let skip = shared.rules.skips.get(class as usize).copied().unwrap_or(NONE);
        let terminal = shared.names.ignored(&shared.rules, skip);
        self.ignored_to = bytes.end;
        self.tree.nodes.push(Node {
            kind: NodeKind::Ignored,
            name: terminal.as_ref().map_or_else(|| "".into(), |t| t.name.as_str().into()),
            bytes,
            definition: terminal.and_then(|t| t.spot.clone()),
            used_at: None,
            alternative: None,
            active: None,
            is_open: false,
            parent,
            end: self.tree.nodes.len() + 1,
        });
    }

    fn leaf(&mut self, dot: u32, bytes: Range<usize>, before: u32, parent: Option<usize>) {
        self.ignored(before, parent);
        let shared = &self.shadow.shared;
        let Some(terminal) = shared.names.terminal(&shared.rules, dot) else { return };
        let end = self.tree.nodes.len() + 1;
        self.tree.nodes.push(Node {
            kind: NodeKind::Terminal,
            name: terminal.name.as_str().into(),
            bytes,
            definition: terminal.definition.clone(),
            used_at: terminal.spot.clone(),
            alternative: None,
            active: None,
            is_open: false,
            parent,
            end,
        });
    }

    /// A rule that is empty here.
    fn empty(&mut self, dot: u32, at: usize, parent: Option<usize>) {
        let shared = &self.shadow.shared;
        let symbol = &shared.rules.symbols[shared.rules.after(dot) as usize];
        let Some(rule) = shared.names.rules.get(symbol.name as usize) else { return };
        let is_it = |a: &super::names::AlternativeName| a.is_empty && a.rule == symbol.name;
        let alternative = shared.names.alternatives.iter().position(is_it);
        let node = Node {
            kind: NodeKind::Rule,
            name: Arc::clone(&rule.name),
            bytes: at..at,
            definition: rule.spot.clone(),
            used_at: shared.names.uses.get(shared.rules.uses[dot as usize] as usize).cloned().flatten(),
            alternative: alternative.map(|a| shared.names.alternatives[a].index),
            active: alternative.and_then(|a| shared.names.alternatives[a].spot.clone()),
            is_open: false,
            parent,
            end: self.tree.nodes.len() + 1,
        };
        if let Some(count) = alternative.and_then(|a| self.used.get_mut(a)) {
            *count += 1;
        }
        self.tree.nodes.push(node);
    }

    /// The node of the rule of `dot`, if it has a name.
    fn rule_node(
        &self,
        dot: u32,
        user: Option<u32>,
        bytes: Range<usize>,
        parent: Option<usize>,
    ) -> Option<Node> {
        let (rules, names) = (&self.shadow.shared.rules, &self.shadow.shared.names);
        let rule = rules.rule(dot);
        let symbol = &rules.symbols[rule.lhs as usize];
        let alternative = names.alternatives.get(rule.alternative as usize);
        let (name, definition) = match names.rules.get(symbol.name as usize) {
            Some(name) => (Arc::clone(&name.name), name.spot.clone()),
            None => names.label(symbol).map(|(name, spot)| (Arc::from(name), spot))?,
        };
        Some(Node {
            kind: NodeKind::Rule,
            name,
            bytes,
            definition,
            used_at: user
                .and_then(|dot| names.uses.get(rules.uses[dot as usize] as usize).cloned().flatten()),
            alternative: alternative.map(|a| a.index),
            active: alternative.and_then(|a| a.spot.clone()),
            is_open: false,
            parent,
            end: self.tree.nodes.len() + 1,
        })
    }
}
