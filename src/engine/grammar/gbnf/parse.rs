//! Reads GBNF as llama.cpp does, and goes on after a mistake: a rule that cannot be read is given
//! up, the next one is read again. Whether names exist is for `check.rs`.

use std::ops::Range;

use super::{CharSet, Expr, ExprId, Finding, Grammar, Rule};

mod items;
mod mistakes;

/// The deepest that groups, and repetitions of repetitions, may nest.
const MAX_DEPTH: usize = 24;

/// After this many mistakes nothing more is read.
const MAX_FINDINGS: usize = 100;

/// The rule cannot be read any further; why has been noted.
struct GiveUp;

type Read<T> = Result<T, GiveUp>;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    grammar: Grammar<'a>,
    findings: Vec<Finding>,
}

/// The rules that can be read, and what is wrong with the others.
pub(super) fn parse(text: &str) -> (Grammar<'_>, Vec<Finding>) {
    let mut parser = Parser { text, at: 0, depth: 0, grammar: Grammar::default(), findings: Vec::new() };
    parser.space(true);
    while parser.at < text.len() && parser.findings.len() < MAX_FINDINGS {
        if parser.rule().is_err() {
            if parser.findings.last().is_some_and(|f| f.code == "lark") {
                break;
            }
            parser.next_rule();
        }
        parser.space(true);
    }
    (parser.grammar, parser.findings)
}

impl<'a> Parser<'a> {
    fn rule(&mut self) -> Read<()> {
        let start = self.at;
        let name = self.name();
        if name.is_empty() {
            return self.no_rule();
        }
        let span = start..self.at;
        self.space(false);
        if !self.rest().starts_with("::=") {
            return self.no_definition(name, span);
        }
        self.at += 3;
        self.space(true);
        // The rule counts as defined even if its body cannot be read.
        let body = self.push(Expr::Seq(Vec::new()));
        self.grammar.rules.push(Rule { name, span, body });
        let rule = self.grammar.rules.len() - 1;
        self.depth = 0;
        let body = self.alternatives(None)?;
        self.grammar.rules[rule].body = body;
        match self.peek() {
            None | Some(b'\n' | b'\r') => Ok(()),
            Some(_) => self.unexpected(),
        }
    }

    /// `a b | c`. `open` is the place of the parenthesis that they are in.
    fn alternatives(&mut self, open: Option<usize>) -> Read<ExprId> {
        let mut all = vec![self.sequence(open)?];
        while self.peek() == Some(b'|') {
            self.at += 1;
            self.space(true);
            all.push(self.sequence(open)?);
        }
        let all = self.join_sets(all);
        Ok(if let [one] = all[..] { one } else { self.push(Expr::Alt(all)) })
    }

    /// Alternatives that are single characters are one set.
    fn join_sets(&mut self, all: Vec<ExprId>) -> Vec<ExprId> {
        let set = |id: &ExprId| match &self.grammar.exprs[*id] {
            Expr::Set(set) => Some(set),
            _ => None,
        };
        let sets: Vec<&CharSet> = all.iter().filter_map(set).collect();
        if sets.len() < 2 {
            return all;
        }
        let joined = CharSet::new(sets.iter().flat_map(|s| s.ranges()).copied().collect());
        let places = all.iter().filter(|id| set(id).is_some()).map(|&id| self.grammar.span(id));
        let place = places.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
        let mut rest: Vec<ExprId> = all.iter().copied().filter(|id| set(id).is_none()).collect();
        rest.push(self.push_at(Expr::Set(joined), place.unwrap_or(0..0)));
        rest
    }

    fn sequence(&mut self, open: Option<usize>) -> Read<ExprId> {
        let nested = open.is_some();
        let mut items: Vec<ExprId> = Vec::new();
        // How often the last item is repeated already.
        let mut stacked = 0;
        while let Some(byte) = self.peek() {
            let start = self.at;
            if let b'*' | b'+' | b'?' | b'{' = byte {
                let (min, max) = self.repetition(byte);
                let Some(item) = items.pop() else {
                    return self.stop(
                        start..self.at,
                        "syntax",
                        "there is nothing before this to repeat",
                        None,
                    );
                };
                stacked += 1;
                if stacked > MAX_DEPTH {
                    return self.too_deep(start);
                }
                let place = self.grammar.span(item).start..self.at;
                items.push(self.push_at(Expr::Repeat(item, min, max), place));
                self.space(nested);
                continue;
            }
            let item = match byte {
                b'"' => self.literal()?,
                b'[' => self.class()?,
                b'(' => self.group()?,
                b'.' => {
                    self.at += 1;
                    Expr::Set(CharSet::any())
                }
                b'<' | b'!' => self.token()?,
                b'\'' | b'/' if !self.rest().starts_with("//") => self.foreign(),
                _ if is_name(byte) => {
                    if self.is_head(start) {
                        return self.cut_short(open);
                    }
                    let name = self.name();
                    Expr::Name(name, start..self.at)
                }
                _ => break,
            };
            stacked = 0;
            let item = self.push_at(item, start..self.at);
            items.push(item);
            self.space(nested);
        }
        Ok(if let [one] = items[..] { one } else { self.push(Expr::Seq(items)) })
    }

    fn group(&mut self) -> Read<Expr<'a>> {
        let open = self.at;
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.too_deep(open);
        }
        self.space(true);
        let inner = self.alternatives(Some(open))?;
        match self.peek() {
            Some(b')') => self.at += 1,
            None => return self.unclosed(open),
            Some(_) => return self.unexpected(),
        }
        self.depth -= 1;
        Ok(Expr::Seq(vec![inner]))
    }

    /// Notes a mistake that the rest of the rule cannot be read after.
    fn stop<T>(
        &mut self,
        span: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        help: Option<&str>,
    ) -> Read<T> {
        let finding = Finding::new(span, code, message);
        self.findings.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
        Err(GiveUp)
    }

    /// Notes a mistake that does not matter for what follows.
    fn note(&mut self, span: Range<usize>, code: &'static str, message: impl Into<String>) {
        self.findings.push(Finding::new(span, code, message));
    }

    /// Moves to the next place where a rule starts, here or at the start of a line, or to the end.
    fn next_rule(&mut self) {
        let mut found = self.is_head(self.at);
        while self.at < self.text.len() && !found {
            self.at = self.rest().find('\n').map_or(self.text.len(), |n| self.at + n + 1);
            while matches!(self.peek(), Some(b' ' | b'\t')) {
                self.at += 1;
            }
            // With the wrong sign it is a rule too.
            found = ["::=", ":=", "="].iter().any(|sign| self.starts(self.at, sign));
        }
    }

    /// Whether `name ::=` starts at `at`.
    fn is_head(&self, at: usize) -> bool {
        self.starts(at, "::=")
    }

    /// Whether a name and then `sign` start at `at`.
    fn starts(&self, at: usize, sign: &str) -> bool {
        let rest = &self.text[at..];
        let name = rest.bytes().take_while(|&b| is_name(b)).count();
        name > 0 && rest[name..].trim_start_matches([' ', '\t']).starts_with(sign)
    }

    fn name(&mut self) -> &'a str {
        let len = self.rest().bytes().take_while(|&b| is_name(b)).count();
        self.at += len;
        &self.text[self.at - len..self.at]
    }

    /// Skips white space and comments, over the ends of lines if a rule may go on there.
    fn space(&mut self, newlines: bool) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' if newlines => self.at += 1,
                b'#' => self.at = self.rest().find(['\n', '\r']).map_or(self.text.len(), |n| self.at + n),
                _ => return,
            }
        }
    }

    fn push(&mut self, expr: Expr<'a>) -> ExprId {
        self.push_at(expr, 0..0)
    }

    /// The same at a place; without one, an expression is where its parts are.
    fn push_at(&mut self, expr: Expr<'a>, place: Range<usize>) -> ExprId {
        self.grammar.exprs.push(expr);
        self.grammar.spans.push(place);
        self.grammar.exprs.len() - 1
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.byte(0)
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
