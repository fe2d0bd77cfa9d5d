//! The definitions of a Lark text as trees with places, for what is asked about their meaning.
//!
//! It reads texts that compile. What it cannot read makes no tree, and what it does not understand
//! (special tokens, nested grammars, parameters) is [`Kind::Opaque`], about which nothing may be
//! said. It must never decide whether a text is valid.

use std::collections::HashMap;
use std::ops::Range;

use super::scan::{self, Scan, Token, bare};

/// A part of a definition and its place.
#[derive(Clone, Debug)]
pub(super) struct Expr<'a> {
    pub kind: Kind<'a>,
    pub span: Range<usize>,
}

/// What a part is.
#[derive(Clone, Debug)]
pub(super) enum Kind<'a> {
    /// One of these.
    Alt(Vec<Expr<'a>>),
    /// One after the other; the empty text if there is none.
    Seq(Vec<Expr<'a>>),
    /// What all of these match.
    And(Vec<Expr<'a>>),
    /// What this does not match.
    Not(Box<Expr<'a>>),
    /// This often: at least, at most.
    Repeat(Box<Expr<'a>>, u32, Option<u32>),
    /// A rule or terminal, by its name.
    Name(&'a str),
    /// `"…"`: its value, and whether case counts not.
    Text(String, bool),
    /// `/…/`: the pattern and its flags.
    Regex(&'a str, &'a str),
    /// `"a".."z"`.
    Range(char, char),
    /// Something that nothing is known about.
    Opaque,
}

impl Expr<'_> {
    /// The parts that it is made of.
    pub fn parts(&self) -> &[Self] {
        match &self.kind {
            Kind::Alt(parts) | Kind::Seq(parts) | Kind::And(parts) => parts,
            Kind::Not(part) | Kind::Repeat(part, ..) => std::slice::from_ref(&**part),
            _ => &[],
        }
    }

    /// This and everything below it, outer parts first.
    pub fn walk(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while next < all.len() {
            all.extend(all[next].parts());
            next += 1;
        }
        all
    }
}

/// A rule or terminal.
#[derive(Clone, Debug)]
pub(super) struct Definition<'a> {
    pub name: &'a str,
    /// The place of its name.
    pub span: Range<usize>,
    /// The place of all of it, up to its last token.
    pub whole: Range<usize>,
    pub is_terminal: bool,
    /// Whether it has a parameter.
    pub has_parameter: bool,
    /// Whether attributes such as `stop=` change how it is read.
    pub has_attributes: bool,
    pub body: Expr<'a>,
}

/// A text's definitions.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub text: &'a str,
    pub definitions: Vec<Definition<'a>>,
    /// What each `%ignore` ignores.
    pub ignored: Vec<Expr<'a>>,
    /// What `%import common.…` brings in: the name here, the name there, and its place.
    pub imports: Vec<(&'a str, &'a str, Range<usize>)>,
    by_name: HashMap<&'a str, usize>,
}

impl<'a> Tree<'a> {
    /// The tree of a text that compiles, from its [outermost](Scan::outermost) tokens.
    pub fn of(text: &'a str, scan: &Scan<'a>) -> Option<Self> {
        let mut tree = Tree {
            text,
            definitions: Vec::new(),
            ignored: Vec::new(),
            imports: Vec::new(),
            by_name: HashMap::new(),
        };
        for statement in scan.statements() {
            let tokens: Vec<&Token> = statement.iter().filter(|t| t.kind != scan::Kind::Newline).collect();
            let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { continue };
            let whole = first.span.start..last.span.end;
            match scan.str(first) {
                "%ignore" => {
                    tree.ignored.push(Reader { scan, tokens: &tokens[1..], at: 0 }.read(whole.end)?);
                }
                "%import" => tree.import(scan, &tokens[1..]),
                _ if matches!(first.kind, scan::Kind::Rule | scan::Kind::Terminal) => {
                    tree.define(scan, &tokens, whole)?;
                }
                _ => {}
            }
        }
        Some(tree)
    }

    fn define(&mut self, scan: &Scan<'a>, tokens: &[&Token], whole: Range<usize>) -> Option<()> {
        let head = tokens[0];
        let colon = tokens.iter().position(|t| scan.str(t) == ":")?;
        let texts: Vec<&str> = tokens[1..colon].iter().map(|t| scan.str(t)).collect();
        // `capture` changes nothing about what is read.
        let words = |t: &&&str| t.starts_with(|c: char| c.is_ascii_lowercase());
        let has_attributes =
            texts.first() == Some(&"[") && texts.iter().filter(words).any(|t| *t != "capture");
        let body = Reader { scan, tokens: &tokens[colon + 1..], at: 0 }.read(whole.end)?;
        let name = bare(scan.str(head));
        self.by_name.insert(name, self.definitions.len());
        self.definitions.push(Definition {
            name,
            span: head.span.clone(),
            whole,
            is_terminal: head.kind == scan::Kind::Terminal,
            has_parameter: texts.first() == Some(&"::"),
            has_attributes,
            body,
        });
        Some(())
    }

    /// `common.A`, `common.A -> B` and `common (A, B)`.
    fn import(&mut self, scan: &Scan<'a>, tokens: &[&Token]) {
        if tokens.first().is_none_or(|t| scan.str(t) != "common") {
            return;
        }
        let names: Vec<&&Token> = tokens[1..]
            .iter()
            .filter(|t| matches!(t.kind, scan::Kind::Terminal | scan::Kind::Rule))
            .collect();
        let has_alias = tokens.iter().any(|t| scan.str(t) == "->");
        match names[..] {
            [there, here] if has_alias => {
                self.imports.push((scan.str(here), scan.str(there), there.span.clone()));
            }
            _ => {
                let all = names.iter().map(|t| (scan.str(t), scan.str(t), t.span.clone()));
                self.imports.extend(all);
            }
        }
    }

    /// The definition of a name; imported ones have none.
    pub fn get(&self, name: &str) -> Option<&Definition<'a>> {
        self.by_name.get(name).map(|&at| &self.definitions[at])
    }

    /// The rules, without the terminals.
    pub fn rules(&self) -> impl Iterator<Item = &Definition<'a>> {
        self.definitions.iter().filter(|d| !d.is_terminal)
    }

    /// The text of a part.
    pub fn str(&self, span: &Range<usize>) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }
}

struct Reader<'a, 's> {
    scan: &'s Scan<'a>,
    tokens: &'s [&'s Token],
    at: usize,
}

impl<'a> Reader<'a, '_> {
    /// All of the tokens. `end` is a place for what is empty.
    fn read(mut self, end: usize) -> Option<Expr<'a>> {
        let expr = self.alternatives(end)?;
        (self.at == self.tokens.len()).then_some(expr)
    }

    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", |t| self.scan.str(t))
    }

    fn next(&mut self, text: &str) -> Option<()> {
        let found = self.peek() == text;
        self.at += usize::from(found);
        found.then_some(())
    }

    fn alternatives(&mut self, end: usize) -> Option<Expr<'a>> {
        let mut all = vec![self.conjuncts(end)?];
        while self.next("|").is_some() {
            all.push(self.conjuncts(end)?);
        }
        Some(joined(all, Kind::Alt))
    }

    fn conjuncts(&mut self, end: usize) -> Option<Expr<'a>> {
        let mut all = vec![self.sequence(end)?];
        while self.next("&").is_some() {
            all.push(self.sequence(end)?);
        }
        if self.next("->").is_some() {
            self.at += 1;
        }
        if self.next("%if").is_some() {
            self.call()?;
        }
        Some(joined(all, Kind::And))
    }

    /// `name` or `name(…)`: a condition or an argument.
    fn call(&mut self) -> Option<()> {
        let is_call = self.tokens.get(self.at).is_some_and(|token| self.scan.is_call(token));
        self.at += 1;
        if !is_call || self.peek() != "(" {
            return Some(());
        }
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            match self.peek() {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
        None
    }

    fn sequence(&mut self, end: usize) -> Option<Expr<'a>> {
        let start = self.tokens.get(self.at).map_or(end, |t| t.span.start);
        let mut all = Vec::new();
        while !matches!(self.peek(), "" | "|" | "&" | ")" | "]" | "->" | "%if") {
            all.push(self.repeated()?);
        }
        let span = start..all.last().map_or(start, |e: &Expr<'_>| e.span.end);
        Some(Expr { kind: Kind::Seq(all), span })
    }

    fn repeated(&mut self) -> Option<Expr<'a>> {
        let part = self.atom()?;
        let start = part.span.start;
        let (min, max) = match self.peek() {
            "*" => (0, None),
            "+" => (1, None),
            "?" => (0, Some(1)),
            "~" => {
                self.at += 1;
                let min: u32 = self.peek().parse().ok()?;
                if self.tokens.get(self.at + 1).is_some_and(|t| self.scan.str(t) == "..") {
                    self.at += 2;
                }
                (min, Some(self.peek().parse().ok()?))
            }
            "{" => {
                self.at += 1;
                let min = self.peek().parse().ok();
                self.at += usize::from(min.is_some());
                let max = if self.next(",").is_some() { self.peek().parse().ok() } else { Some(min?) };
                self.at += usize::from(self.peek() != "}");
                if self.peek() != "}" {
                    return None;
                }
                (min.unwrap_or(0), max)
            }
            _ => return Some(part),
        };
        let end = self.tokens.get(self.at)?.span.end;
        self.at += 1;
        Some(Expr { kind: Kind::Repeat(Box::new(part), min, max), span: start..end })
    }

    fn atom(&mut self) -> Option<Expr<'a>> {
        let token = *self.tokens.get(self.at)?;
        let (text, start) = (self.scan.str(token), token.span.start);
        self.at += 1;
        let kind = match (text, token.kind) {
            ("~", _) => Kind::Not(Box::new(self.atom()?)),
            ("(", _) => {
                let inner = self.alternatives(token.span.end)?;
                self.next(")")?;
                inner.kind
            }
            ("[", _) => {
                let inner = self.alternatives(token.span.end)?;
                self.next("]")?;
                Kind::Repeat(Box::new(inner), 0, Some(1))
            }
            ("@", _) => {
                self.at += 1;
                Kind::Opaque
            }
            (_, scan::Kind::Rule | scan::Kind::Terminal) if self.next("::").is_some() => {
                // `f::0`, `f::_` and `f::incr(_)`; the parameter only narrows what may follow.
                self.call()?;
                Kind::Name(bare(text))
            }
            (_, scan::Kind::Rule | scan::Kind::Terminal) => Kind::Name(bare(text)),
            (_, scan::Kind::String) if self.next("..").is_some() => {
                let to = *self.tokens.get(self.at)?;
                self.at += 1;
                Kind::Range(only_char(text)?, only_char(self.scan.str(to))?)
            }
            (_, scan::Kind::String) => {
                let (text, ignores_case) = string(text)?;
                Kind::Text(text, ignores_case)
            }
            (_, scan::Kind::Regex) => {
                let (pattern, flags) = text.get(1..)?.rsplit_once('/')?;
                Kind::Regex(pattern, flags)
            }
            (_, scan::Kind::Special | scan::Kind::Nested) => Kind::Opaque,
            ("%json" | "%regex", _) => {
                self.at += 1;
                Kind::Opaque
            }
            _ => return None,
        };
        let end = self.tokens[self.at.min(self.tokens.len()) - 1].span.end;
        Some(Expr { kind, span: start..end })
    }
}

/// One part as it is, several as `kind`.
fn joined<'a>(mut parts: Vec<Expr<'a>>, kind: impl Fn(Vec<Expr<'a>>) -> Kind<'a>) -> Expr<'a> {
    let span = parts.first().map_or(0, |e| e.span.start)..parts.last().map_or(0, |e| e.span.end);
    match parts.pop() {
        Some(one) if parts.is_empty() => one,
        last => {
            parts.extend(last);
            Expr { kind: kind(parts), span }
        }
    }
}

/// The value of `"…"` or `"…"i`, and whether case counts not.
pub(super) fn string(text: &str) -> Option<(String, bool)> {
    let ignores_case = text.ends_with('i');
    let quoted = text.strip_suffix('i').unwrap_or(text);
    // JSON has no `\xHH`; a backslash before it is itself escaped or not by those before it.
    let mut json = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match (c, (c == '\\').then(|| chars.next()).flatten()) {
            ('\\', Some('x')) => json.push_str("\\u00"),
            (_, Some(next)) => json.extend([c, next]),
            (_, None) => json.push(c),
        }
    }
    Some((serde_json::from_str(&json).ok()?, ignores_case))
}

fn only_char(text: &str) -> Option<char> {
    let (text, _) = string(text)?;
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_with_their_places() {
        let text = "start: a \"x\\x41\"i (B | /c/s)* -> label\n  | [a]~2..3 %if eq(_, 0)\n\
                    a[capture]: B{,4} | f::incr(_) \"a\"..\"z\" <|end|> %json {\"a\": []}\n\
                    B: (\"b\" & ~\"c\") \"\"\n%ignore / / | B\n%import common (WS, INT)\n%import common.WORD -> W";
        let scan = Scan::new(text);
        let tree = Tree::of(text, &scan).unwrap();
        let names: Vec<&str> = tree.definitions.iter().map(|d| d.name).collect();
        assert_eq!(names, ["start", "a", "B"]);
        let start = &tree.get("start").unwrap().body;
        let Kind::Alt(alternatives) = &start.kind else { panic!("{start:?}") };
        assert_eq!(tree.str(&alternatives[0].span), "a \"x\\x41\"i (B | /c/s)*");
        assert_eq!(tree.str(&alternatives[1].span), "[a]~2..3");
        let Kind::Seq(parts) = &alternatives[0].kind else { panic!("{alternatives:?}") };
        assert!(matches!(&parts[1].kind, Kind::Text(text, true) if text == "xA"));
        let Kind::Repeat(group, 0, None) = &parts[2].kind else { panic!("{parts:?}") };
        assert_eq!(tree.str(&group.span), "(B | /c/s)");
        assert!(!tree.get("a").unwrap().has_attributes);
        let opaque = tree.get("a").unwrap().body.walk();
        assert_eq!(opaque.iter().filter(|e| matches!(e.kind, Kind::Opaque)).count(), 2);
        assert!(matches!(opaque[1].parts()[0].kind, Kind::Repeat(_, 0, Some(4))), "{opaque:?}");
        assert_eq!(tree.ignored.len(), 1);
        let imports: Vec<_> = tree.imports.iter().map(|(here, there, _)| (*here, *there)).collect();
        assert_eq!(imports, [("WS", "WS"), ("INT", "INT"), ("W", "WORD")]);
    }

    #[test]
    fn what_cannot_be_read_makes_no_tree() {
        for text in ["start: (\"a\"", "start: \"a\" $", "start: %lark {\nstart: \"a\"\n}", "start: a{x}"] {
            assert!(Tree::of(text, &Scan::new(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn strings_are_those_of_lark() {
        assert_eq!(string(r#""a\\x41\x42\"""#), Some(("a\\x41B\"".into(), false)));
        assert_eq!(string(r#""s"i"#), Some(("s".into(), true)));
        assert_eq!(string(r#""\q""#), None);
    }
}
