//! The grammar as the shadow parser reads it: rules of numbers, each with what it is called and
//! where it stands.
//!
//! Made from llguidance's compiled grammar before it is optimised. The rules that only carry a mark
//! ([`annotate`](crate::engine::grammar::annotate)) are taken out again, so that the grammar is no
//! larger than the person's.

use std::collections::{HashMap, HashSet, VecDeque};

use llguidance::earley::lexerspec::LexemeIdx;
use llguidance::earley::{CGrammar, CSymIdx, ParamCond, ParamExpr, ParamValue};

use super::chart::Item;
use crate::engine::grammar::annotate::{Marks, UseKind};

/// No symbol, no use, no alternative, no rule.
pub(super) const NONE: u32 = u32::MAX;

/// All rules of a grammar.
pub(super) struct Rules {
    pub start: u32,
    pub symbols: Vec<Symbol>,
    pub rules: Vec<Rule>,
    /// For each place of a dot: the symbol after it, [`NONE`] at the end of a rule.
    pub after: Vec<u32>,
    /// For each place of a dot: the use that the symbol after it is, if it has a mark.
    pub uses: Vec<u32>,
    /// For each place of a dot: its rule.
    pub rule_at: Vec<u32>,
    /// For each place of a dot: the argument of the symbol after it. Empty without parameters.
    pub arguments: Vec<ParamExpr>,
    /// For each lexeme: its class, which is what may be ignored around it.
    pub class_of: Vec<u8>,
    /// For each class: its lexeme for what is ignored.
    pub skips: Vec<u32>,
    /// For each class: whether it is ignored once at most.
    pub skip_once: Vec<bool>,
    /// For each lexeme: whether its last part is no part of the text but only ends it (`stop=`).
    pub hides: Vec<bool>,
    /// Whether rules with parameters are told apart by their arguments.
    pub is_exact: bool,
}

/// A terminal, a rule, or a group.
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    /// Into [`Marks::rules`], for a rule with a name.
    pub name: u32,
    /// What llguidance calls it.
    pub label: String,
    /// For a terminal.
    pub lexeme: u32,
    pub class: u8,
    /// Into [`Rules::rules`].
    pub rules: std::ops::Range<u32>,
    pub nullable: bool,
    pub nullable_if: Vec<ParamCond>,
    /// For a nested grammar: the class of what it starts with.
    pub nested: Option<u8>,
    /// Whether it has a parameter.
    pub is_parametric: bool,
}

/// One alternative of a symbol.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub lhs: u32,
    /// The dot before its first symbol.
    pub first: u32,
    pub condition: ParamCond,
    /// Into [`Marks::alternatives`].
    pub alternative: u32,
}

impl Rules {
    pub fn of(grammar: &CGrammar, marks: &Marks) -> Self {
        let mut users: HashMap<usize, u32> = HashMap::new();
        let mut seen = HashSet::from([grammar.start().as_index()]);
        let mut open = vec![grammar.start()];
        while let Some(symbol) = open.pop() {
            for &rule in &grammar.sym_data(symbol).rules {
                for &used in grammar.rule_rhs(rule).0 {
                    *users.entry(used.as_index()).or_default() += 1;
                    if seen.insert(used.as_index()) {
                        open.push(used);
                    }
                }
            }
        }
        let mut builder = Builder {
            grammar,
            marks,
            users,
            ids: HashMap::new(),
            queue: VecDeque::new(),
            inherited: HashMap::new(),
            nested_once: HashMap::new(),
            out: Self::empty(grammar, marks),
        };
        builder.run();
        builder.out
    }

    fn empty(grammar: &CGrammar, marks: &Marks) -> Self {
        let spec = grammar.lexer_spec();
        let lexemes = spec.lexemes.len();
        let mut skip_once = vec![false; spec.skip_by_class.len()];
        if let Some(root) = skip_once.first_mut() {
            *root = marks.ignore_once;
        }
        let hides = |lexeme: usize| {
            // llguidance tells only in its description whether the end belongs to the text.
            spec.has_stop
                && !spec.lexeme_spec(LexemeIdx::new(lexeme)).to_string(64, None).ends_with(" suffix")
        };
        Self {
            start: 0,
            symbols: Vec::new(),
            rules: Vec::new(),
            after: Vec::new(),
            uses: Vec::new(),
            rule_at: Vec::new(),
            arguments: Vec::new(),
            class_of: spec.lexemes.iter().map(|l| l.class().as_usize() as u8).collect(),
            skips: spec.skip_by_class.iter().map(|l| l.0).collect(),
            skip_once,
            hides: (0..lexemes).map(hides).collect(),
            is_exact: true,
        }
    }

    pub fn is_parametric(&self) -> bool {
        !self.arguments.is_empty()
    }

    /// The argument of the symbol after `dot`, given the parameter of the rule.
    pub fn argument(&self, dot: u32, parameter: u64) -> u64 {
        self.arguments.get(dot as usize).map_or(0, |a| a.eval(ParamValue(parameter)).0)
    }

    /// The argument of the symbol after an item's dot. A nested grammar takes the parameter of the rule that
    /// it stands in.
    pub fn wanted(&self, item: &Item) -> u64 {
        match self.symbols.get(self.after(item.dot) as usize).and_then(|symbol| symbol.nested) {
            Some(_) => item.parameter,
            None => self.argument(item.dot, item.parameter),
        }
    }

    pub fn rule(&self, dot: u32) -> &Rule {
        &self.rules[self.rule_at[dot as usize] as usize]
    }

    pub fn lhs(&self, dot: u32) -> u32 {
        self.rule(dot).lhs
    }

    pub fn after(&self, dot: u32) -> u32 {
        self.after[dot as usize]
    }

    /// The lexeme of the terminal after `dot`, [`NONE`] if there is none.
    pub fn lexeme_after(&self, dot: u32) -> u32 {
        match self.after(dot) {
            NONE => NONE,
            symbol => self.symbols[symbol as usize].lexeme,
        }
    }

    pub fn is_nullable(&self, symbol: u32, argument: u64) -> bool {
        let symbol = &self.symbols[symbol as usize];
        symbol.nullable || symbol.nullable_if.iter().any(|c| c.eval(ParamValue(argument)))
    }

    /// The rules of a symbol that its argument allows.
    pub fn usable(&self, (symbol, argument): (u32, u64)) -> impl Iterator<Item = u32> + '_ {
        let rules = self.symbols[symbol as usize].rules.clone();
        rules.filter(move |&r| self.rules[r as usize].condition.eval(ParamValue(argument)))
    }

    pub fn is_skip(&self, lexeme: u32) -> bool {
        self.skips.contains(&lexeme)
    }
}

/// What a mark says about a symbol.
enum Tag {
    None,
    Use(u32),
    Alternative(u32),
}

/// A symbol of a rule's body: itself, its argument, its use.
type Element = (CSymIdx, ParamExpr, u32);

struct Builder<'g> {
    grammar: &'g CGrammar,
    marks: &'g Marks,
    /// How often each symbol is used.
    users: HashMap<usize, u32>,
    ids: HashMap<usize, u32>,
    queue: VecDeque<CSymIdx>,
    /// The use that a symbol passes on to the terminal inside of it.
    inherited: HashMap<usize, u32>,
    /// For the symbol of a nested Lark grammar: whether it ignores only once.
    nested_once: HashMap<usize, bool>,
    out: Rules,
}

impl Builder<'_> {
    fn run(&mut self) {
        self.out.start = self.id(self.grammar.start());
        while let Some(symbol) = self.queue.pop_front() {
            let id = self.ids[&symbol.as_index()];
            self.symbol(symbol, id);
        }
    }

    fn id(&mut self, symbol: CSymIdx) -> u32 {
        if let Some(&id) = self.ids.get(&symbol.as_index()) {
            return id;
        }
        let data = self.grammar.sym_data(symbol);
        let nested = data.gen_grammar.as_ref().and_then(|_| {
            let start = self.grammar.rule_rhs(*data.rules.first()?).0.first()?;
            Some(self.grammar.sym_data(*start).props.grammar_id.as_usize() as u8)
        });
        if let (Some(class), Some(true)) = (nested, self.nested_once.get(&symbol.as_index())) {
            self.out.skip_once[class as usize] = true;
        }
        let id = self.out.symbols.len() as u32;
        self.out.symbols.push(Symbol {
            name: self.name(symbol),
            label: self.label(symbol),
            lexeme: data.lexeme.map_or(NONE, |l| l.0),
            class: data.props.grammar_id.as_usize() as u8,
            rules: 0..0,
            nullable: data.is_nullable,
            nullable_if: data.cond_nullable.clone(),
            nested,
            is_parametric: data.props.parametric,
        });
        self.ids.insert(symbol.as_index(), id);
        self.queue.push_back(symbol);
        id
    }

    /// What llguidance calls a symbol; for a member of a JSON object, its key.
    fn label(&self, symbol: CSymIdx) -> String {
        let named = match self.only_body(symbol) {
            Some(([key, ..], _)) if self.is_property(symbol) => *key,
            _ => symbol,
        };
        self.grammar.sym_name(named).to_owned()
    }

    fn tag(&self, symbol: CSymIdx) -> Tag {
        let Some(name) = &self.grammar.sym_data(symbol).props.capture_name else { return Tag::None };
        if self.marks.prefix.is_empty() {
            return Tag::None;
        }
        let Some(mark) = name.strip_prefix(&self.marks.prefix) else { return Tag::None };
        let number = |digits: &str, most: usize| digits.parse().ok().filter(|&n: &u32| (n as usize) < most);
        if let Some(use_) = mark.strip_prefix('u').and_then(|d| number(d, self.marks.uses.len())) {
            return Tag::Use(use_);
        }
        let alternative = mark.strip_prefix('a').and_then(|d| number(d, self.marks.alternatives.len()));
        let rule = alternative.map(|a| &self.marks.rules[self.marks.alternatives[a as usize].rule]);
        match alternative {
            // A part of a rule is no rule.
            Some(alternative) if rule.is_some_and(|r| !r.is_hidden) => Tag::Alternative(alternative),
            _ => Tag::None,
        }
    }

    /// The mark of a rule of one symbol that is a marked alternative.
    fn only_alternative(&self, body: &[CSymIdx]) -> Option<u32> {
        match body {
            [one] => match self.tag(*one) {
                Tag::Alternative(alternative) => Some(alternative),
                _ => None,
            },
            _ => None,
        }
    }

    /// The rule of the person's that a symbol is.
    fn name(&self, symbol: CSymIdx) -> u32 {
        let data = self.grammar.sym_data(symbol);
        let alternative = match self.tag(symbol) {
            Tag::Alternative(alternative) => Some(alternative),
            _ => data.rules.iter().find_map(|&r| self.only_alternative(self.grammar.rule_rhs(r).0)),
        };
        let rule = alternative.map(|a| self.marks.alternatives[a as usize].rule);
        rule.filter(|&r| !self.marks.rules[r].is_hidden).map_or(NONE, |r| r as u32)
    }

    /// The body of a symbol that has exactly one, without a condition.
    fn only_body(&self, symbol: CSymIdx) -> Option<(&[CSymIdx], &[ParamExpr])> {
        let data = self.grammar.sym_data(symbol);
        match (&data.rules[..], &data.rules_cond[..]) {
            ([rule], [condition]) if condition.is_true() && data.gen_grammar.is_none() => {
                let (symbols, arguments, _) = self.grammar.rule_rhs(*rule);
                Some((symbols, arguments))
            }
            _ => None,
        }
    }

    /// Follows symbols that only stand for another one.
    fn resolve(&self, mut symbol: CSymIdx, mut argument: ParamExpr) -> Element {
        let mut used = NONE;
        // A rule that is itself (`a: a`) has no end.
        for _ in 0..64 {
            let tag = self.tag(symbol);
            if matches!(tag, Tag::Alternative(_)) || symbol == self.grammar.start() {
                break;
            }
            let Some(([next], [inner])) = self.only_body(symbol) else { break };
            let data = self.grammar.sym_data(symbol);
            let next_data = self.grammar.sym_data(*next);
            let same_empty = data.is_nullable == next_data.is_nullable
                && (data.cond_nullable.is_empty() || next_data.cond_nullable == data.cond_nullable);
            if matches!(tag, Tag::None) && (!same_empty || self.is_property(symbol)) {
                break;
            }
            let Some(composed) = compose(&argument, inner) else { break };
            if let Tag::Use(mark) = tag {
                used = mark;
            }
            (symbol, argument) = (*next, composed);
        }
        (symbol, argument, used)
    }

    /// Whether a symbol is a member of a JSON object: its key, a colon, its value.
    fn is_property(&self, symbol: CSymIdx) -> bool {
        if !self.marks.prefix.is_empty() {
            return false;
        }
        matches!(self.only_body(symbol), Some(([key, _, _], _)) if self.grammar.sym_name(*key).starts_with('"'))
    }

    /// The elements of a body, groups that are used nowhere else opened.
    fn expand(
        &self,
        (symbols, arguments): (&[CSymIdx], &[ParamExpr]),
        outer: &ParamExpr,
        depth: usize,
        out: &mut Vec<Element>,
    ) -> Option<()> {
        for (&symbol, argument) in symbols.iter().zip(arguments) {
            let (symbol, argument, used) = self.resolve(symbol, compose(outer, argument)?);
            let data = self.grammar.sym_data(symbol);
            let is_group = used == NONE
                && depth < 16
                && matches!(self.tag(symbol), Tag::None)
                && self.name(symbol) == NONE
                && !data.is_nullable
                && data.cond_nullable.is_empty()
                && self.users.get(&symbol.as_index()) == Some(&1)
                && !self.is_property(symbol);
            let mark = out.len();
            let opened = is_group
                .then(|| self.only_body(symbol))
                .flatten()
                .and_then(|body| self.expand(body, &argument, depth + 1, out));
            if opened.is_none() {
                out.truncate(mark);
                out.push((symbol, argument, used));
            }
        }
        Some(())
    }

    /// Writes the rules of a symbol.
    fn symbol(&mut self, symbol: CSymIdx, id: u32) {
        let data = self.grammar.sym_data(symbol);
        let first_rule = self.out.rules.len() as u32;
        let own = match self.tag(symbol) {
            Tag::Alternative(alternative) => alternative,
            _ => NONE,
        };
        for (&rule, condition) in data.rules.iter().zip(&data.rules_cond) {
            let (symbols, arguments, _) = self.grammar.rule_rhs(rule);
            let mut alternative = own;
            let mut elements = Vec::new();
            if let Some(marked) =
                self.only_alternative(symbols).filter(|_| own == NONE && data.gen_grammar.is_none())
                && let Some(body) = self.only_body(symbols[0])
                && self.expand(body, &arguments[0], 0, &mut elements).is_some()
            {
                alternative = marked;
            } else {
                elements.clear();
                if self.expand((symbols, arguments), &ParamExpr::SelfRef, 0, &mut elements).is_none() {
                    elements = symbols.iter().zip(arguments).map(|(&s, a)| (s, a.clone(), NONE)).collect();
                }
            }
            self.rule(id, symbol, condition.clone(), alternative, elements);
        }
        self.out.symbols[id as usize].rules = first_rule..self.out.rules.len() as u32;
    }

    fn rule(
        &mut self,
        lhs: u32,
        symbol: CSymIdx,
        condition: ParamCond,
        alternative: u32,
        elements: Vec<Element>,
    ) {
        let number = self.out.rules.len() as u32;
        self.out.rules.push(Rule { lhs, first: self.out.after.len() as u32, condition, alternative });
        let inherited = self.inherited.get(&symbol.as_index()).copied().unwrap_or(NONE);
        for (element, argument, used) in elements {
            let used = if used == NONE { inherited } else { used };
            if let Some(mark) = self.marks.uses.get(used as usize) {
                if let UseKind::Lark { ignore_once } = mark.kind {
                    self.nested_once.insert(element.as_index(), ignore_once);
                }
                // A terminal that may be empty is one inside of a symbol that may.
                if self.name(element) == NONE && !self.ids.contains_key(&element.as_index()) {
                    self.inherited.insert(element.as_index(), used);
                }
            }
            let element = self.id(element);
            self.place(element, used, number, argument);
        }
        self.place(NONE, NONE, number, ParamExpr::Null);
    }

    fn place(&mut self, symbol: u32, used: u32, rule: u32, argument: ParamExpr) {
        self.out.after.push(symbol);
        self.out.uses.push(used);
        self.out.rule_at.push(rule);
        if self.grammar.parametric() {
            self.out.arguments.push(argument);
        }
    }
}

/// The argument `inner` of a symbol whose own parameter is `outer`; `None` if that cannot be
/// written as one expression.
fn compose(outer: &ParamExpr, inner: &ParamExpr) -> Option<ParamExpr> {
    Some(match (outer, inner) {
        (_, ParamExpr::Null | ParamExpr::Const(_)) | (ParamExpr::SelfRef | ParamExpr::Null, _) => {
            inner.clone()
        }
        (_, ParamExpr::SelfRef) => outer.clone(),
        (ParamExpr::Const(value), _) => ParamExpr::Const(inner.eval(*value)),
        _ => return None,
    })
}
