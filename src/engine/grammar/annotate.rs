//! A copy of a Lark text that accepts the same texts and forgets nothing when it is compiled.
//!
//! llguidance joins rules that say the same and calls terminals by numbers. In the copy every
//! alternative of a rule, and every use of a rule or terminal in one, is a rule of its own with a
//! mark, which is a capture's name: captures are what llguidance keeps apart. [`Marks`] says what
//! stands behind each mark and where. This file must never decide whether a grammar is valid: a
//! text that llguidance refuses gives a copy that it refuses too.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use super::scan::{Kind, Scan, Token, bare};

mod marks;

pub(in crate::engine) use marks::{AlternativeMark, Marks, RuleMark, UseKind, UseMark};

/// The copy of `text` and what its marks mean.
pub(in crate::engine) fn annotate(text: &str) -> (String, Marks) {
    let scan = Scan::new(text);
    let mut annotator = Annotator {
        text,
        scan: &scan,
        marks: Marks { prefix: prefix(text), ..Marks::default() },
        helpers: Vec::new(),
        names: Vec::new(),
    };
    let (lark, options) = annotator.grammar(0..scan.tokens.len());
    annotator.marks.ignored = options.ignored;
    annotator.marks.ignore_once = options.ignore_once;
    (lark, annotator.marks)
}

/// How no name of the text begins, and short, because it is written again and again: the first of `zz`,
/// `zza`, `zzb`, … `zzaa`, … that the text lacks. It may not end in a digit that a mark would go on with.
fn prefix(text: &str) -> String {
    let letters = |mut number: u32| {
        let mut letters = String::from("zz");
        while number > 0 {
            number -= 1;
            letters.push(char::from(b'a' + (number % 26) as u8));
            number /= 26;
        }
        letters
    };
    (0..).map(letters).find(|prefix| !text.contains(prefix.as_str())).unwrap_or_default()
}

/// What a grammar's directives say.
#[derive(Default)]
struct Options {
    ignored: Vec<Range<usize>>,
    ignore_once: bool,
}

/// The names of one grammar.
#[derive(Default)]
struct Names<'a> {
    /// Into [`Marks::rules`].
    rules: HashMap<&'a str, usize>,
    /// The places of what terminals are defined as.
    terminals: HashMap<&'a str, Range<usize>>,
}

struct Annotator<'s, 'a> {
    text: &'a str,
    scan: &'s Scan<'a>,
    marks: Marks,
    /// The definitions of the marks of each open grammar.
    helpers: Vec<String>,
    names: Vec<Names<'a>>,
}

/// A rewritten piece of a rule's body.
#[derive(Default)]
struct Piece {
    text: String,
    /// Whether it uses the parameter of the rule that it stands in.
    uses_parameter: bool,
}

impl<'a> Annotator<'_, 'a> {
    fn token(&self, at: usize) -> Option<&Token> {
        self.scan.tokens.get(at)
    }

    fn str(&self, at: usize) -> &'a str {
        self.token(at).map_or("", |t| &self.text[t.span.clone()])
    }

    fn kind(&self, at: usize) -> Kind {
        self.token(at).map_or(Kind::Newline, |t| t.kind)
    }

    /// The place from the token `from` to the token before `to`.
    fn span(&self, from: usize, to: usize) -> Range<usize> {
        let start = self.token(from).map_or(self.text.len(), |t| t.span.start);
        let end = to.checked_sub(1).and_then(|last| self.token(last)).map_or(start, |t| t.span.end);
        start..end.max(start)
    }

    fn source(&self, from: usize, to: usize) -> &'a str {
        &self.text[self.span(from, to)]
    }

    /// The statements among `tokens`: those of a nested grammar belong to the statement around it.
    fn statements(&self, tokens: Range<usize>) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let (mut depth, mut open) = (0_usize, None);
        for at in tokens.clone() {
            match self.str(at) {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if self.kind(at) == Kind::Newline {
                let next = (at..tokens.end).find(|&n| self.kind(n) != Kind::Newline);
                let goes_on = next.is_some_and(|n| self.str(n) == "|") && open.is_some();
                if depth == 0 && !goes_on {
                    found.extend(open.take().map(|start| start..at));
                }
            } else if open.is_none() {
                open = Some(at);
            }
        }
        found.extend(open.map(|start| start..tokens.end));
        found
    }

    /// Where the `:` of a definition stands.
    fn colon(&self, statement: &Range<usize>) -> Option<usize> {
        let mut depth = 0_usize;
        statement.clone().find(|&at| {
            match self.str(at) {
                "[" | "{" => depth += 1,
                "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && self.str(at) == ":"
        })
    }

    /// A whole grammar, the outermost or a nested one.
    fn grammar(&mut self, tokens: Range<usize>) -> (String, Options) {
        let statements = self.statements(tokens);
        let mut names = Names::default();
        let mut options = Options::default();
        for statement in &statements {
            let Range { start, end } = statement.clone();
            match (self.kind(start), self.str(start)) {
                (Kind::Rule, name) => {
                    let Some(colon) = self.colon(statement) else { continue };
                    names.rules.entry(bare(name)).or_insert(self.marks.rules.len());
                    self.marks.rules.push(RuleMark {
                        name: bare(name).to_owned(),
                        span: self.span(start, start + 1),
                        whole: self.span(start, end),
                        is_terminal: self.has_attributes(start, colon),
                        is_hidden: false,
                    });
                }
                (Kind::Terminal, name) => {
                    let Some(colon) = self.colon(statement) else { continue };
                    names.terminals.entry(name).or_insert(self.span(colon + 1, end));
                }
                (_, "%ignore") => options.ignored.push(self.span(start + 1, end)),
                (_, "%import") => self.imports(statement, &mut names),
                (_, "%llguidance") => {
                    let json = serde_json::from_str::<serde_json::Value>(self.str(start + 1));
                    let once = json.ok().and_then(|json| json.get("ignore_once")?.as_bool());
                    options.ignore_once = once.unwrap_or(options.ignore_once);
                }
                _ => {}
            }
        }
        self.names.push(names);
        self.helpers.push(String::new());
        let mut out = String::new();
        for statement in &statements {
            match (self.kind(statement.start), self.colon(statement)) {
                (Kind::Rule, Some(colon)) => self.rule(statement, colon, &mut out),
                _ => out.push_str(self.source(statement.start, statement.end)),
            }
            out.push('\n');
        }
        self.names.pop();
        out.push_str(&self.helpers.pop().unwrap_or_default());
        (out, options)
    }

    /// Whether the attributes before a rule's colon are more than a capture.
    fn has_attributes(&self, start: usize, colon: usize) -> bool {
        let more = ["lazy", "stop", "stop_capture", "suffix", "max_tokens", "temperature"];
        (start + 1..colon).any(|at| more.contains(&self.str(at)))
    }

    /// The names that `%import` brings: each stands for its own place.
    fn imports(&self, statement: &Range<usize>, names: &mut Names<'a>) {
        for at in statement.clone() {
            let next = if at + 1 < statement.end { self.str(at + 1) } else { "" };
            if self.kind(at) == Kind::Terminal && next != "." {
                names.terminals.entry(self.str(at)).or_insert(self.span(at, at + 1));
            }
        }
    }

    /// A rule's definition, its alternatives marked.
    fn rule(&mut self, statement: &Range<usize>, colon: usize, out: &mut String) {
        let name = bare(self.str(statement.start));
        let Some(&rule) = self.names.last().and_then(|n| n.rules.get(name)) else { return };
        out.push_str(self.source(statement.start, colon + 1));
        out.push(' ');
        let mut at = colon + 1;
        if self.marks.rules[rule].is_terminal {
            // Its body is one terminal, or one nested grammar.
            while at < statement.end {
                let is_lark = self.str(at) == "%lark" && self.str(at + 1) == "{";
                if is_lark {
                    out.push_str(&self.lark(&mut at, statement.end).0);
                } else {
                    if self.kind(at) != Kind::Newline {
                        out.push_str(self.source(at, at + 1));
                        out.push(' ');
                    }
                    at += 1;
                }
            }
            return;
        }
        out.push_str(&self.alternatives(&mut at, statement.end, rule, true).text);
    }

    /// Alternatives up to the bracket that closes them, or to `end`.
    fn alternatives(&mut self, at: &mut usize, end: usize, rule: usize, is_body: bool) -> Piece {
        let mut all = Piece::default();
        for index in 0.. {
            let start = *at;
            let mut piece = self.sequence(at, end, rule);
            let sequence_end = *at;
            let mut condition = String::new();
            // A label and a condition.
            while *at < end && !matches!(self.str(*at), "|" | ")" | "]" | "}") {
                if self.str(*at) == "->" {
                    *at += 2;
                } else if self.kind(*at) == Kind::Newline {
                    *at += 1;
                } else {
                    let opens = self.str(*at) == "(" || self.str(*at) == "[";
                    condition.push_str(if opens { "" } else { " " });
                    condition.push_str(self.str(*at));
                    *at += 1;
                    if opens {
                        self.argument(at, end, &mut condition);
                    }
                }
            }
            if is_body {
                let is_empty = matches!(piece.text.trim(), "" | "\"\"");
                let number = self.marks.alternatives.len();
                let last =
                    (start..*at).rev().find(|&n| self.kind(n) != Kind::Newline).map_or(start, |n| n + 1);
                let first = (start..last).find(|&n| self.kind(n) != Kind::Newline).unwrap_or(start);
                let span = self.span(first, last.max(sequence_end.min(last)));
                self.marks.alternatives.push(AlternativeMark { rule, index, span, is_empty });
                if !is_empty {
                    piece.text = self.mark("a", number, &piece);
                }
            }
            all.uses_parameter |= piece.uses_parameter || !condition.is_empty();
            all.text.push_str(&piece.text);
            all.text.push_str(&condition);
            while *at < end && self.kind(*at) == Kind::Newline {
                *at += 1;
            }
            if *at < end && self.str(*at) == "|" {
                *at += 1;
                all.text.push_str(" | ");
            } else {
                break;
            }
        }
        all
    }

    /// Copies what is left of an argument in parentheses or brackets.
    fn argument(&self, at: &mut usize, end: usize, out: &mut String) {
        let mut depth = 1;
        while *at < end && depth > 0 {
            match self.str(*at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                _ => {}
            }
            out.push_str(self.str(*at));
            *at += 1;
        }
    }

    /// One alternative, without its label and condition.
    fn sequence(&mut self, at: &mut usize, end: usize, rule: usize) -> Piece {
        let mut all = Piece::default();
        while *at < end {
            match self.str(*at) {
                "|" | ")" | "]" | "}" | "->" | "%if" => break,
                _ if self.kind(*at) == Kind::Newline => {
                    *at += 1;
                    continue;
                }
                _ => {}
            }
            let piece = self.atom(at, end, rule);
            all.uses_parameter |= piece.uses_parameter;
            all.text.push(' ');
            all.text.push_str(&piece.text);
            all.text.push_str(self.operator(at, end));
        }
        all
    }

    /// `*`, `+`, `?`, `{m,n}` or `~m..n`.
    fn operator(&self, at: &mut usize, end: usize) -> &'a str {
        let start = *at;
        match self.str(*at) {
            "*" | "+" | "?" => *at += 1,
            "{" => {
                *at = (*at..end).find(|&n| self.str(n) == "}").map_or(end, |n| n + 1);
            }
            "~" if self.kind(*at + 1) == Kind::Number => {
                *at += 2;
                if self.str(*at) == ".." {
                    *at += 2;
                }
            }
            _ => return "",
        }
        *at = (*at).min(end);
        self.source(start, *at)
    }

    fn atom(&mut self, at: &mut usize, end: usize, rule: usize) -> Piece {
        let start = *at;
        let (kind, text) = (self.kind(start), self.str(start));
        *at += 1;
        match kind {
            Kind::String if text == "\"\"" && self.str(*at) != ".." => {
                Piece { text: text.into(), ..Piece::default() }
            }
            Kind::String if self.str(*at) == ".." => {
                *at += 2;
                self.used(start, *at, UseKind::Expression, rule)
            }
            Kind::String => self.used(start, *at, UseKind::String, rule),
            Kind::Regex => self.used(start, *at, UseKind::Regex, rule),
            Kind::Special => self.used(start, *at, UseKind::Special, rule),
            Kind::Terminal => self.used(start, *at, UseKind::Terminal, rule),
            Kind::Rule => {
                let mut uses_parameter = false;
                if self.str(*at) == "::" {
                    uses_parameter = self.kind(*at + 1) != Kind::Number;
                    let is_call = self.token(*at + 1).is_some_and(|token| self.scan.is_call(token));
                    *at += 2;
                    if is_call && self.str(*at) == "(" {
                        *at += 1;
                        self.argument(at, end, &mut String::new());
                    }
                }
                let body = Piece { text: self.source(start, *at).to_owned(), uses_parameter };
                self.used_as(self.span(start, *at), UseKind::Rule, rule, &body)
            }
            Kind::Directive if text == "%json" || text == "%regex" => {
                *at += 1;
                let kind = if text == "%json" { UseKind::Json } else { UseKind::Expression };
                self.used(start, *at, kind, rule)
            }
            Kind::Directive if text == "%lark" && self.str(*at) == "{" => {
                *at = start;
                let (body, ignore_once) = self.lark(at, end);
                let body = Piece { text: body, ..Piece::default() };
                self.used_as(self.span(start, *at), UseKind::Lark { ignore_once }, rule, &body)
            }
            Kind::Punctuation if text == "~" => {
                self.skip_atom(at, end);
                self.used(start, *at, UseKind::Expression, rule)
            }
            Kind::Punctuation if text == "(" || text == "[" => {
                let inner = self.alternatives(at, end, rule, false);
                let close = if text == "(" { ")" } else { "]" };
                *at = (*at + 1).min(end);
                Piece { text: format!("{text}{}{close}", inner.text), uses_parameter: inner.uses_parameter }
            }
            _ => Piece { text: text.into(), ..Piece::default() },
        }
    }

    /// Moves past the operand of `~`.
    fn skip_atom(&self, at: &mut usize, end: usize) {
        let mut depth = 0_usize;
        while *at < end {
            match self.str(*at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "~" => {
                    *at += 1;
                    continue;
                }
                _ => {}
            }
            *at += 1;
            if depth == 0 {
                if self.str(*at) == ".." {
                    *at += 2;
                }
                break;
            }
        }
    }

    /// `%lark { … }` with its own rules marked, and whether it ignores only once.
    fn lark(&mut self, at: &mut usize, end: usize) -> (String, bool) {
        let open = *at + 1;
        let mut depth = 0_usize;
        let close = (open..end).find(|&n| {
            match self.str(n) {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let close = close.unwrap_or(end);
        let (inner, options) = self.grammar(open + 1..close);
        *at = (close + 1).min(end);
        (format!("%lark {{\n{inner}}}"), options.ignore_once)
    }

    /// Marks the use that the tokens `from..to` are.
    fn used(&mut self, from: usize, to: usize, kind: UseKind, rule: usize) -> Piece {
        let body = Piece { text: self.source(from, to).to_owned(), ..Piece::default() };
        self.used_as(self.span(from, to), kind, rule, &body)
    }

    fn used_as(&mut self, span: Range<usize>, kind: UseKind, rule: usize, body: &Piece) -> Piece {
        let name = bare(self.text[span.clone()].split("::").next().unwrap_or_default());
        let names = self.names.last();
        let target = names.filter(|_| kind == UseKind::Rule).and_then(|n| n.rules.get(name).copied());
        let is_name = kind == UseKind::Terminal;
        let definition = names.filter(|_| is_name).and_then(|n| n.terminals.get(name).cloned());
        let number = self.marks.uses.len();
        self.marks.uses.push(UseMark { rule, span, kind, target, definition });
        Piece { text: self.mark("u", number, body), uses_parameter: body.uses_parameter }
    }

    /// A rule of its own for `body`; gives its use.
    fn mark(&mut self, letter: &str, number: usize, body: &Piece) -> String {
        let parameter = if body.uses_parameter { "::_" } else { "" };
        let name = format!("{}{letter}{number}", self.marks.prefix);
        if let Some(helpers) = self.helpers.last_mut() {
            let _ = writeln!(helpers, "{name}{parameter}[capture=\"{name}\"]: {}", body.text.trim());
        }
        name + parameter
    }
}

#[cfg(test)]
mod tests;
