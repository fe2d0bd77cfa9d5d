//! The names of a grammar: where each is defined and where it is used, in places of the person's
//! text. An editor goes from one to the other with it.
//!
//! It reads texts that do not compile too, as far as they can be read, and never decides whether a
//! grammar is valid.

use std::collections::HashMap;
use std::ops::Range;

use super::scan::{Kind, Scan};
use super::{GrammarKind, GrammarSource, gbnf, json};

/// A rule, a terminal or a definition of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The name, without marks such as `?`.
    pub name: String,
    /// Whether it stands for a part of the text that is matched as a whole.
    pub is_terminal: bool,
    /// Where its name is defined. More than one if the text defines it twice, none if not at all.
    pub definitions: Vec<Range<usize>>,
    /// What the first definition says it is; empty if there is none.
    pub body: Range<usize>,
    /// Where it is used, in order.
    pub uses: Vec<Range<usize>>,
}

/// Every name of a grammar.
///
/// ```
/// use maze::engine::grammar::{GrammarSource, Symbols};
///
/// let text = "start: pair+\npair: KEY \"=\" KEY\nKEY: /[a-z]+/";
/// let symbols = Symbols::of(&GrammarSource::lark("pairs", text));
/// let key = symbols.at(text.rfind("KEY").unwrap()).unwrap();
/// assert_eq!((key.name.as_str(), key.uses.len()), ("KEY", 2));
/// assert_eq!(&text[key.body.clone()], "/[a-z]+/");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    symbols: Vec<Symbol>,
    /// Every place, rising, with the symbol that it is about.
    places: Vec<(Range<usize>, usize)>,
}

impl Symbols {
    /// The names of `source`. A regular expression has none.
    pub fn of(source: &GrammarSource) -> Self {
        let mut found = Finder::default();
        match source.kind {
            GrammarKind::Lark => found.lark(&source.text),
            GrammarKind::Gbnf => found.gbnf(&source.text),
            GrammarKind::JsonSchema => found.schema(&source.text),
            GrammarKind::Regex => {}
        }
        found.done()
    }

    /// The symbol whose name is at the byte `offset`, or ends there.
    pub fn at(&self, offset: usize) -> Option<&Symbol> {
        let after = self.places.partition_point(|(span, _)| span.start <= offset);
        let (span, symbol) = self.places.get(after.checked_sub(1)?)?;
        (offset <= span.end).then(|| &self.symbols[*symbol])
    }

    /// All of them, in the order of their first places.
    pub fn iter(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter()
    }
}

#[derive(Default)]
struct Finder {
    symbols: Vec<Symbol>,
    by_name: HashMap<String, usize>,
}

impl Finder {
    fn symbol(&mut self, name: &str, is_terminal: bool) -> &mut Symbol {
        let next = self.symbols.len();
        let index = *self.by_name.entry(name.to_owned()).or_insert(next);
        if index == next {
            let (definitions, uses) = (Vec::new(), Vec::new());
            self.symbols.push(Symbol { name: name.to_owned(), is_terminal, definitions, body: 0..0, uses });
        }
        &mut self.symbols[index]
    }

    fn define(&mut self, name: &str, is_terminal: bool, span: Range<usize>, body: Range<usize>) {
        let symbol = self.symbol(name, is_terminal);
        if symbol.definitions.is_empty() {
            symbol.body = body;
        }
        symbol.definitions.push(span);
    }

    fn lark(&mut self, text: &str) {
        for scan in Scan::new(text).grammars() {
            // What others call the same is something else.
            self.by_name.clear();
            self.grammar(&scan);
        }
    }

    fn grammar(&mut self, scan: &Scan<'_>) {
        let statements = scan.statements();
        let is_terminal = |name: &str| name.trim_start_matches('_').starts_with(|c: char| c.is_uppercase());
        for definition in scan.definitions() {
            let at = statements.partition_point(|s| s[0].span.start <= definition.span.start);
            let statement = at.checked_sub(1).map_or(&[][..], |i| statements[i]);
            let colon = statement.iter().position(|t| scan.str(t) == ":").map_or(1, |at| at + 1);
            let mut tokens = statement.iter().skip(colon).filter(|t| t.kind != Kind::Newline);
            let body = tokens.next().map_or(0..0, |first| {
                let last = tokens.next_back().unwrap_or(first);
                first.span.start..last.span.end
            });
            self.define(definition.name, is_terminal(definition.name), definition.span, body);
        }
        for used in scan.references() {
            self.symbol(used.name, is_terminal(used.name)).uses.push(used.span);
        }
    }

    fn gbnf(&mut self, text: &str) {
        let names = gbnf::names(text);
        for (i, (name, span)) in names.rules.iter().enumerate() {
            let end = names.rules.get(i + 1).map_or(text.len(), |(_, next)| next.start);
            let body = text[span.end..end].find("::=").map_or(span.end..span.end, |sign| {
                let from = span.end + sign + 3;
                let body = text[from..end].trim_end();
                let blank = body.len() - body.trim_start().len();
                from + blank..from + body.len()
            });
            self.define(name, false, span.clone(), body);
        }
        for (name, span) in names.uses {
            self.symbol(name, false).uses.push(span);
        }
    }

    /// The members of `$defs` and `definitions`, and the references to them.
    fn schema(&mut self, text: &str) {
        let members = json::members(text);
        for string in json::strings(text) {
            let inside = string.span.start + 1..string.span.end.saturating_sub(1).max(string.span.start + 1);
            match string.parent.as_deref() {
                Some("$defs" | "definitions") if string.is_key => {
                    let whole = members.iter().find(|m| m.start == string.span.start);
                    let body = whole.map_or(0..0, |whole| {
                        let from = text[string.span.end..whole.end]
                            .find(':')
                            .map_or(whole.end, |colon| string.span.end + colon + 1);
                        let value = &text[from..whole.end];
                        from + value.len() - value.trim_start().len()..whole.end
                    });
                    self.define(&string.value, false, inside, body);
                }
                Some("$ref") if !string.is_key => {
                    let name = string.value.strip_prefix("#/$defs/");
                    let name = name.or_else(|| string.value.strip_prefix("#/definitions/"));
                    if let Some(name) = name.filter(|name| !name.contains('/')) {
                        self.symbol(name, false).uses.push(inside);
                    }
                }
                _ => {}
            }
        }
    }

    fn done(self) -> Symbols {
        let places = self.symbols.iter().enumerate().flat_map(|(i, symbol)| {
            symbol.definitions.iter().chain(&symbol.uses).map(move |span| (span.clone(), i))
        });
        let mut places: Vec<(Range<usize>, usize)> = places.collect();
        places.sort_by_key(|(span, _)| span.start);
        Symbols { symbols: self.symbols, places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &GrammarSource) -> Vec<(String, Vec<String>, usize)> {
        let lines = |spans: &[Range<usize>]| {
            spans.iter().map(|s| source.text[s.clone()].to_owned()).collect::<Vec<_>>()
        };
        let symbols = Symbols::of(source);
        symbols
            .iter()
            .map(|s| (source.text[s.body.clone()].to_owned(), lines(&s.definitions), s.uses.len()))
            .collect()
    }

    #[test]
    fn names_of_lark() {
        let text = "?start: a _B // end\n\na: \"x\"\n | lost -> a\n_B: /b/\n%ignore _B\n%import common.INT\n";
        let source = GrammarSource::lark("t", text);
        let names: Vec<String> = Symbols::of(&source).iter().map(|s| s.name.clone()).collect();
        assert_eq!(names, ["start", "a", "_B", "INT", "lost"]);
        let own = |text: &str| text.to_owned();
        assert_eq!(
            told(&source)[..4],
            [
                (own("a _B"), vec![own("?start")], 0),
                (own("\"x\"\n | lost -> a"), vec![own("a")], 1),
                (own("/b/"), vec![own("_B")], 2),
                (own("common.INT"), vec![own("INT")], 0),
            ]
        );
        let symbols = Symbols::of(&source);
        assert_eq!(symbols.at(text.find("lost").unwrap_or(0) + 4).map(|s| s.definitions.len()), Some(0));
        assert_eq!(symbols.at(text.find("\"x\"").unwrap_or(0) + 1), None);
        assert!(symbols.iter().all(|s| s.is_terminal == matches!(s.name.as_str(), "_B" | "INT")));
    }

    #[test]
    fn a_nested_grammar_has_names_of_its_own() {
        let text = "start: a B\na: %lark {\n start: B\n B: \"b\"\n}\nB: \"c\"";
        let symbols = Symbols::of(&GrammarSource::lark("t", text));
        let body = |at: usize| symbols.at(at).map(|s| (&text[s.body.clone()], s.uses.len()));
        assert_eq!(body(text.find('B').unwrap_or(0)), Some(("\"c\"", 1)));
        assert_eq!(body(text.find("B\n B").unwrap_or(0)), Some(("\"b\"", 1)));
    }

    #[test]
    fn names_of_gbnf_and_of_schemas() {
        let source = GrammarSource::gbnf("t", "root ::= a \"b\" a\n# a\na ::= [x] |\n  root\n");
        let own = |text: &str| text.to_owned();
        let expected =
            [(own("a \"b\" a\n# a"), vec![own("root")], 1), (own("[x] |\n  root"), vec![own("a")], 2)];
        assert_eq!(told(&source), expected);

        let text =
            r##"{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"$defs": {}}}}}"##;
        let source = GrammarSource::json_schema("t", text);
        let expected = [(own(r#"{"type": "object", "properties": {"$defs": {}}}"#), vec![own("a")], 1)];
        assert_eq!(told(&source), expected);
    }

    #[test]
    fn broken_texts_have_names_too() {
        for text in [
            "",
            "a",
            "a:",
            "%import",
            "start: \"",
            "x: y ->",
            "root ::=",
            "{\"$ref\": ",
            "{\"$defs\": {\"a\"",
        ] {
            for kind in [GrammarKind::Lark, GrammarKind::Gbnf, GrammarKind::JsonSchema, GrammarKind::Regex] {
                let symbols = Symbols::of(&GrammarSource::new(kind, "t", text));
                for offset in 0..=text.len() + 1 {
                    let found = symbols.at(offset).map(|s| s.body.end);
                    assert!(found.is_none_or(|end| end <= text.len()), "{text} {offset}");
                }
            }
        }
    }
}
