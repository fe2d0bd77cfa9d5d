//! What rules, alternatives and terminals are called, and where they stand, worked out once for a
//! grammar.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::lexer::Lexer;
use super::place::{Spot, Terminal, TerminalKind};
use super::rules::{NONE, Rules, Symbol};
use crate::engine::diagnostic::Position;
use crate::engine::grammar::annotate::{Marks, UseKind};
use crate::engine::grammar::document::Document;

/// A rule's name and place.
pub(super) struct RuleName {
    pub name: Arc<str>,
    pub spot: Option<Spot>,
    pub is_hidden: bool,
}

/// An alternative's number in its rule and its place.
pub(super) struct AlternativeName {
    pub rule: u32,
    pub index: usize,
    pub spot: Option<Spot>,
    pub is_empty: bool,
}

/// All names.
pub(super) struct Names {
    pub rules: Vec<RuleName>,
    pub alternatives: Vec<AlternativeName>,
    /// The alternatives that a text can use at all: those of rules that lead from the start.
    pub reached: HashSet<u32>,
    /// By use: its place.
    pub uses: Vec<Option<Spot>>,
    /// By use, for those that are terminals.
    of_use: Vec<Option<Arc<Terminal>>>,
    /// By symbol, for terminals.
    of_symbol: Vec<Option<Arc<Terminal>>>,
    /// By class.
    ignored: Vec<Arc<Terminal>>,
    /// Where the properties and definitions of a JSON Schema stand, those that it has once.
    keys: HashMap<String, Spot>,
    /// A JSON Schema and its text.
    schema: Option<(Document, String)>,
}

/// Finds places of a text by its lines.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn of(text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    fn position(&self, at: usize) -> Position {
        let line = self.starts.partition_point(|&s| s <= at);
        let start = self.starts[line.saturating_sub(1)];
        let before = self.text.get(start..at).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    pub fn spot(&self, span: &Range<usize>) -> Spot {
        Spot { span: span.clone(), start: self.position(span.start), end: self.position(span.end) }
    }
}

impl Names {
    pub fn of(text: &str, marks: &Marks, rules: &Rules, lexer: &Lexer) -> Self {
        let lines = Lines::of(text);
        let slice = |span: &Range<usize>| text.get(span.clone()).unwrap_or_default().trim().to_owned();
        let rule_names = marks
            .rules
            .iter()
            .map(|r| RuleName {
                name: r.name.as_str().into(),
                spot: Some(lines.spot(&r.span)),
                is_hidden: r.is_hidden,
            })
            .collect();
        let named: HashSet<u32> = rules.symbols.iter().map(|s| s.name).collect();
        let mut reached: HashSet<u32> = rules.rules.iter().map(|r| r.alternative).collect();
        // An empty alternative leaves no rule.
        let empty = marks.alternatives.iter().enumerate().filter(|(_, a)| a.is_empty);
        reached.extend(empty.filter(|(_, a)| named.contains(&(a.rule as u32))).map(|(i, _)| i as u32));
        let alternatives = marks.alternatives.iter().map(|a| AlternativeName {
            rule: a.rule as u32,
            index: a.index,
            spot: Some(lines.spot(&a.span)),
            is_empty: a.is_empty,
        });
        // A definition is used many times and may be long.
        let mut patterns: HashMap<Range<usize>, Arc<str>> = HashMap::new();
        let of_use = marks.uses.iter().map(|used| {
            let target = used.target.map(|t| &marks.rules[t]);
            let (kind, definition) = match used.kind {
                UseKind::Rule => (TerminalKind::Expression, target.map(|t| t.whole.clone())),
                UseKind::Json | UseKind::Lark { .. } => return None,
                UseKind::Terminal => (TerminalKind::Named, used.definition.clone()),
                UseKind::String => (TerminalKind::Literal, None),
                UseKind::Regex => (TerminalKind::Regex, None),
                UseKind::Expression => (TerminalKind::Expression, None),
                UseKind::Special => (TerminalKind::Special, None),
            };
            if used.kind == UseKind::Rule && !target.is_some_and(|t| t.is_terminal) {
                return None;
            }
            Some(Arc::new(Terminal {
                name: slice(&used.span),
                kind,
                pattern: match &definition {
                    Some(place) => {
                        Arc::clone(patterns.entry(place.clone()).or_insert_with(|| slice(place).into()))
                    }
                    None => slice(&used.span).into(),
                },
                rule: Some(marks.rules[used.rule].name.clone()),
                pointer: None,
                spot: Some(lines.spot(&used.span)),
                definition: definition.map(|d| lines.spot(&d)),
            }))
        });
        let of_symbol = rules.symbols.iter().map(|symbol| {
            (symbol.lexeme != NONE).then(|| {
                let description = lexer.description(symbol.lexeme);
                Arc::new(unmarked(&description, &symbol.label, lexer.is_special(symbol.lexeme)))
            })
        });
        let ignored = rules.skips.iter().enumerate().map(|(class, &skip)| {
            let spans = if class == 0 { &marks.ignored[..] } else { &[] };
            let pattern = match spans {
                [] => unmarked(&lexer.description(skip), "", false).pattern,
                spans => spans.iter().map(slice).collect::<Vec<_>>().join(" | ").into(),
            };
            Arc::new(Terminal {
                name: spans.first().map_or_else(|| "white space".to_owned(), slice),
                kind: TerminalKind::Ignored,
                pattern,
                rule: None,
                pointer: None,
                spot: spans.first().map(|s| lines.spot(s)),
                definition: None,
            })
        });
        Self {
            rules: rule_names,
            alternatives: alternatives.collect(),
            reached,
            uses: marks.uses.iter().map(|u| Some(lines.spot(&u.span))).collect(),
            of_use: of_use.collect(),
            of_symbol: of_symbol.collect(),
            ignored: ignored.collect(),
            keys: marks
                .schema
                .iter()
                .flat_map(Document::keys)
                .map(|(key, at)| (key, lines.spot(&at)))
                .collect(),
            schema: marks.schema.as_ref().map(|schema| (schema.clone(), text.to_owned())),
        }
    }

    /// What a rule without a name of the person's is called, if it means something: a member of a
    /// JSON object, a definition of a JSON Schema.
    pub fn label<'s>(&self, symbol: &'s Symbol) -> Option<(&'s str, Option<Spot>)> {
        let own = unnumbered(&symbol.label);
        if let Some(key) = own.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
            // Places are known by what a key says, not by how it is written.
            let said = serde_json::from_str::<String>(own).ok();
            return Some((key, said.and_then(|said| self.keys.get(&said).cloned())));
        }
        let name = own.strip_prefix("#/")?.rsplit('/').next()?;
        Some((own, self.keys.get(name).cloned()))
    }

    /// Whether the grammar is a JSON Schema.
    pub fn is_schema(&self) -> bool {
        self.schema.is_some()
    }

    /// What of a JSON Schema the labels of open symbols mean, from the outermost on: its JSON pointer
    /// and its place. `None` if that is not certain.
    pub fn pointer<'s>(&self, symbols: impl Iterator<Item = &'s Symbol>) -> Option<(String, Spot)> {
        let (schema, text) = self.schema.as_ref()?;
        let steps: Vec<String> = symbols.filter_map(|symbol| step(unnumbered(&symbol.label))).collect();
        let (pointer, place) = schema.find(steps.iter().map(String::as_str))?;
        Some((pointer, Lines::of(text).spot(&place)))
    }

    /// The terminal after a dot.
    pub fn terminal(&self, rules: &Rules, dot: u32) -> Option<Arc<Terminal>> {
        let used = self.of_use.get(rules.uses[dot as usize] as usize).cloned().flatten();
        used.or_else(|| self.of_symbol.get(rules.after(dot) as usize).cloned().flatten())
    }

    /// What is ignored, by its lexeme.
    pub fn ignored(&self, rules: &Rules, lexeme: u32) -> Option<Arc<Terminal>> {
        let class = rules.skips.iter().position(|&s| s == lexeme)?;
        self.ignored.get(class).cloned()
    }
}

/// The step of a path through a JSON Schema that a label is: a definition or a property.
fn step(label: &str) -> Option<String> {
    match label.as_bytes().first()? {
        b'#' => label.starts_with("#/").then(|| label.to_owned()),
        b'"' => serde_json::from_str(label).ok(),
        _ => None,
    }
}

/// A symbol's name without the number that llguidance gives to what it has named before: `"a"#2`.
fn unnumbered(label: &str) -> &str {
    match label.rsplit_once('#') {
        Some((own, number)) if !own.is_empty() && number.parse::<u32>().is_ok() => own,
        _ => label,
    }
}

/// A terminal of which only llguidance's description is known: `[3] "name" "\"name\""`.
fn unmarked(description: &str, label: &str, is_special: bool) -> Terminal {
    let rest = description.split_once("] ").map_or(description, |(_, rest)| rest);
    let pattern = rest.strip_prefix(unnumbered(label)).unwrap_or(rest).trim();
    let pattern = pattern.split_once("] ").filter(|_| rest.starts_with('[')).map_or(pattern, |(_, p)| p);
    Terminal {
        name: pattern.to_owned(),
        kind: match pattern.as_bytes().first() {
            _ if is_special => TerminalKind::Special,
            Some(b'"') => TerminalKind::Literal,
            _ => TerminalKind::Regex,
        },
        pattern: pattern.into(),
        rule: None,
        pointer: None,
        spot: None,
        definition: None,
    }
}
