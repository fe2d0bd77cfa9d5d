//! From symbols to a grammar: what can be reached from the start and produced, as Lark.
//!
//! A rule that nothing can produce is left out with all ways that need it, so that no text of the
//! grammar leads into a dead end. Rules that are the same are one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::rules::{Asked, Grade, Piece, Scene, Symbol, Terminal, Way};
use super::{Language, body, go, python, rust, typescript};

/// The most rules that are looked at. What is left is far less; this keeps the time bounded.
const MAX_SYMBOLS: usize = 20_000;

/// Why there is no grammar.
pub(super) enum NotEmitted {
    /// Nothing can produce the start.
    Nothing,
    /// There are too many rules.
    TooMany,
}

/// The ways of a symbol that need no word of the language that the context takes for something else.
fn ways(scene: &Scene, symbol: &Symbol) -> Vec<Way> {
    let mut ways = all_ways(scene, symbol);
    let context = scene.context;
    let variables = context.variables.iter().map(|v| &v.name);
    let mut own: BTreeSet<&String> = variables.chain(context.functions.iter().map(|f| &f.name)).collect();
    own.extend(context.types.iter().map(|ty| &ty.name));
    // A block declares the local variables itself.
    if matches!(symbol, Symbol::Value { .. }) {
        own.extend(scene.locals.iter().map(|local| &local.name));
    }
    let mut hidden: BTreeSet<&String> =
        own.iter().copied().filter(|name| scene.language.uses(name)).collect();
    hidden.extend(&context.hidden);
    if hidden.is_empty() {
        return ways;
    }
    let has = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        // What has the name stands alone, or is called.
        let is_own = own.iter().any(|name| text.strip_suffix('(').unwrap_or(text) == name.as_str());
        !is_own && words.any(|word| hidden.iter().any(|name| *name == word))
    };
    ways.retain(|way| !way.iter().any(|piece| matches!(piece, Piece::Text(text) if has(text))));
    ways
}

fn all_ways(scene: &Scene, symbol: &Symbol) -> Vec<Way> {
    match symbol {
        Symbol::Value { ty, grade, depth, scope } => {
            let asked = Asked { scene, ty, grade: *grade, depth: *depth, scope: *scope };
            match scene.language {
                Language::Python => python::ways(&asked),
                Language::TypeScript => typescript::ways(&asked),
                Language::Rust => rust::ways(&asked),
                Language::Go => go::ways(&asked),
            }
        }
        Symbol::Block { scope, indent, left } => body::ways(scene, *scope, *indent, *left),
    }
}

fn symbols(way: &Way) -> impl Iterator<Item = &Symbol> {
    way.iter().filter_map(|piece| match piece {
        Piece::Symbol(symbol) => Some(symbol),
        _ => None,
    })
}

/// The rules and terminals of a grammar, without its comments.
pub(super) fn emit(scene: &Scene, start: &Symbol) -> Result<String, NotEmitted> {
    let mut rules = reached(start, |symbol| ways(scene, symbol))?;
    keep_productive(&mut rules);
    if !rules.contains_key(start) {
        return Err(NotEmitted::Nothing);
    }
    let start = merge(&mut rules, start);
    let rules = reached(&start, |symbol| rules.get(symbol).cloned().unwrap_or_default())?;
    Ok(lark(&rules, &start))
}

type Rules = BTreeMap<Symbol, Vec<Way>>;

fn reached(start: &Symbol, ways: impl Fn(&Symbol) -> Vec<Way>) -> Result<Rules, NotEmitted> {
    let mut rules = Rules::new();
    let mut waiting = vec![start.clone()];
    while let Some(symbol) = waiting.pop() {
        if rules.contains_key(&symbol) {
            continue;
        }
        if rules.len() == MAX_SYMBOLS {
            return Err(NotEmitted::TooMany);
        }
        let mut own = ways(&symbol);
        let mut seen = BTreeSet::new();
        own.retain(|way| seen.insert(way.clone()));
        waiting.extend(own.iter().flat_map(symbols).cloned());
        rules.insert(symbol, own);
    }
    Ok(rules)
}

/// Leaves what can be produced.
fn keep_productive(rules: &mut Rules) {
    let mut productive: BTreeSet<Symbol> = BTreeSet::new();
    loop {
        let can = |way: &Way| symbols(way).all(|symbol| productive.contains(symbol));
        let new: Vec<Symbol> = rules
            .iter()
            .filter(|(symbol, ways)| !productive.contains(*symbol) && ways.iter().any(can))
            .map(|(symbol, _)| symbol.clone())
            .collect();
        if new.is_empty() {
            break;
        }
        productive.extend(new);
    }
    rules.retain(|symbol, ways| {
        ways.retain(|way| symbols(way).all(|symbol| productive.contains(symbol)));
        productive.contains(symbol)
    });
}

/// Makes rules with the same ways one, and puts what a rule stands for in its place if that is one
/// symbol. Gives what the start has become.
fn merge(rules: &mut Rules, start: &Symbol) -> Symbol {
    let mut start = start.clone();
    loop {
        let mut instead: BTreeMap<Symbol, Symbol> = BTreeMap::new();
        let mut first: BTreeMap<Vec<Way>, Symbol> = BTreeMap::new();
        for (symbol, ways) in rules.iter() {
            if let [way] = ways.as_slice()
                && let [Piece::Symbol(only)] = way.as_slice()
            {
                instead.insert(symbol.clone(), only.clone());
                continue;
            }
            let mut sorted = ways.clone();
            sorted.sort();
            match first.get(&sorted) {
                Some(same) => {
                    instead.insert(symbol.clone(), same.clone());
                }
                None => {
                    first.insert(sorted, symbol.clone());
                }
            }
        }
        if instead.is_empty() {
            return start;
        }
        // One that stands for another, which stands for a third.
        let last = |symbol: &Symbol| {
            let mut symbol = symbol;
            while let Some(next) = instead.get(symbol) {
                symbol = next;
            }
            symbol.clone()
        };
        start = last(&start);
        rules.retain(|symbol, _| !instead.contains_key(symbol));
        for (symbol, ways) in rules.iter_mut() {
            for piece in ways.iter_mut().flatten() {
                if let Piece::Symbol(used) = piece {
                    *used = last(used);
                }
            }
            let mut seen = BTreeSet::new();
            // A rule that has become a part of itself says nothing new there.
            let itself = vec![Piece::Symbol(symbol.clone())];
            ways.retain(|way| *way != itself && seen.insert(way.clone()));
        }
    }
}

fn named(symbol: &Symbol) -> String {
    match symbol {
        Symbol::Value { ty, grade, depth, scope } => {
            let grade = match grade {
                Grade::Any => "",
                Grade::Plain => "_plain",
                Grade::Choice => "_choice",
                Grade::Operation => "_operation",
                Grade::Operand => "_operand",
                Grade::Side => "_side",
                Grade::Term => "_term",
                Grade::Place => "_place",
            };
            let scope = if *scope == 0 { String::new() } else { format!("_after_{scope}") };
            format!("{}{grade}{scope}_{depth}", ty.rule())
        }
        Symbol::Block { scope, indent, left } => format!("block_{indent}_after_{scope}_{left}"),
    }
}

fn lark(rules: &Rules, start: &Symbol) -> String {
    let mut names: BTreeMap<&Symbol, String> = BTreeMap::new();
    let mut taken = BTreeSet::from(["start".to_owned()]);
    for symbol in rules.keys() {
        let name = named(symbol);
        let free = (0..).map(|n| if n == 0 { name.clone() } else { format!("{name}_{n}") });
        let name = free.into_iter().find(|name| !taken.contains(name)).unwrap_or(name);
        taken.insert(name.clone());
        names.insert(symbol, name);
    }
    let mut terminals: BTreeSet<Terminal> = BTreeSet::new();
    let mut out = String::new();
    // Texts that touch stay apart: as one, `user.rename(` would hide `user` before `.name`.
    let shown = |way: &Way, terminals: &mut BTreeSet<Terminal>| {
        let parts = way.iter().map(|piece| match piece {
            Piece::Text(text) => quoted(text),
            Piece::Terminal(terminal) => {
                terminals.insert(*terminal);
                terminal.name.to_owned()
            }
            Piece::Symbol(symbol) => names.get(symbol).cloned().unwrap_or_default(),
        });
        parts.collect::<Vec<_>>().join(" ")
    };
    let first = names.get(start).cloned().unwrap_or_default();
    let _ = writeln!(out, "start: {first}");
    for (symbol, ways) in rules {
        let name = names.get(symbol).cloned().unwrap_or_default();
        let shown: Vec<String> = ways.iter().map(|way| shown(way, &mut terminals)).collect();
        let together = shown.join(" | ");
        if together.len() <= 100 {
            let _ = writeln!(out, "{name}: {together}");
        } else {
            let _ = writeln!(out, "{name}: {}", shown.join("\n    | "));
        }
    }
    out.push('\n');
    for terminal in terminals {
        let _ = writeln!(out, "{}: {}", terminal.name, terminal.lark);
    }
    out
}

/// A text as Lark writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
