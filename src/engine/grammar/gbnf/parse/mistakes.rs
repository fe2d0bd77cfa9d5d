//! What is wrong where a text cannot be read on, in the words of somebody who meant something.

use std::ops::Range;

use super::{Expr, Finding, GiveUp, MAX_DEPTH, Parser, Read, Rule, is_name};
use crate::engine::fix::Fix;

const CONTINUES: &str = "a rule goes on in the next line only after a `|` or inside of parentheses";
const LARK: Option<&str> = Some("name the file .lark, or write `root ::= …`");

impl<'a> Parser<'a> {
    /// No rule starts where one should.
    pub(super) fn no_rule<T>(&mut self) -> Read<T> {
        let line = self.rest().lines().next().unwrap_or_default();
        let at = self.at;
        match line.bytes().next() {
            Some(b'%') => {
                let end = at + line.find([' ', '\t']).unwrap_or(line.len());
                self.stop(at..end, "lark", "this looks like Lark: GBNF has no directives", LARK)
            }
            Some(b'|') => self.stop(
                at..at + 1,
                "newline-alternative",
                "a line cannot start with `|` here",
                Some("put the `|` at the end of the line before, or the whole rule in parentheses"),
            ),
            Some(b'?') if line[1..].bytes().next().is_some_and(is_name) && line.contains(':') => {
                self.stop(at..at + 1, "lark", "this looks like Lark: `?` cannot stand before a name", LARK)
            }
            Some(b'/') if line.starts_with("//") => {
                let end = at + line.len();
                self.at = end;
                self.comment(at..end)
            }
            _ => {
                let end = self.thing_end();
                let message = format!("expected a rule, found `{}`", &self.text[at..end]);
                self.stop(at..end, "syntax", message, Some(CONTINUES))
            }
        }
    }

    /// After `name` there is no `::=`.
    pub(super) fn no_definition<T>(&mut self, name: &'a str, span: Range<usize>) -> Read<T> {
        let (at, rest) = (self.at, self.rest());
        if rest.starts_with(':') && !rest.starts_with("::") && !rest.starts_with(":=") {
            return self.stop(at..at + 1, "lark", "this looks like Lark: a rule is written with `::=`", LARK);
        }
        let sign = ["::", ":=", "->", "=>", "==", "="].into_iter().find(|s| rest.starts_with(s));
        if let Some(sign) = sign {
            // What it means is clear, so that nothing else needs to be said of it.
            let body = self.push(Expr::Seq(Vec::new()));
            self.grammar.rules.push(Rule { name, span, body });
            let message = format!("a rule is written with `::=`, not with `{sign}`");
            let place = at..at + sign.len();
            self.findings.push(
                Finding::new(place.clone(), "equals-sign", message)
                    .help("write `name ::= …`")
                    .fix(Fix::replace("write `::=`", place, "::=")),
            );
            return Err(GiveUp);
        }
        self.stop(span, "syntax", format!("expected `::=` after `{name}`"), Some(CONTINUES))
    }

    /// The next rule starts before this one is complete.
    pub(super) fn cut_short<T>(&mut self, open: Option<usize>) -> Read<T> {
        if let Some(open) = open {
            return self.unclosed(open);
        }
        let before = self.text[..self.at].trim_end();
        let last = before.len().saturating_sub(1);
        if before.ends_with('|') {
            return self.stop(
                last..last + 1,
                "syntax",
                "an alternative is missing after this `|`",
                Some("write `\"\"` for the empty text"),
            );
        }
        if self.text[..self.at].rsplit('\n').next().is_some_and(|line| !line.trim().is_empty()) {
            let at = self.at;
            let end = self.thing_end();
            return self.stop(at..end, "syntax", "a rule starts on a line of its own", None);
        }
        let rule = self.grammar.rules.last().map_or(0..0, |r| r.span.clone());
        let name = &self.text[rule.clone()];
        let message = format!("`{name}` is not given any text");
        self.stop(rule, "syntax", message, Some("write `\"\"` for the empty text"))
    }

    pub(super) fn unclosed<T>(&mut self, open: usize) -> Read<T> {
        self.stop(open..open + 1, "unclosed-group", "this `(` is never closed", None)
    }

    pub(super) fn too_deep<T>(&mut self, at: usize) -> Read<T> {
        let message = format!("groups nest more than {MAX_DEPTH} deep");
        let help = Some("name the inner groups as rules of their own");
        self.stop(at..at + 1, "too-deep", message, help)
    }

    /// Something that no item of a sequence starts with.
    pub(super) fn unexpected<T>(&mut self) -> Read<T> {
        let (at, end) = (self.at, self.thing_end());
        let found = &self.text[at..end];
        match found.as_bytes().first() {
            Some(b'/') => self.comment(at..end),
            Some(b')' | b']' | b'}') => {
                let message = format!("nothing is open that this `{found}` could close");
                self.stop(at..end, "syntax", message, None)
            }
            Some(b';') => {
                self.findings.push(
                    Finding::new(at..end, "stray-character", "rules do not end with `;`")
                        .help("remove it: a rule ends with its line")
                        .fix(Fix::replace("remove it", at..at + 1, "")),
                );
                Err(GiveUp)
            }
            _ => {
                let message = format!("`{found}` cannot stand here");
                self.stop(at..end, "stray-character", message, None)
            }
        }
    }

    /// A comment as C writes it.
    fn comment<T>(&mut self, span: Range<usize>) -> Read<T> {
        let finding = Finding::new(span.clone(), "comment", "comments start with `#`");
        let is_line = self.text[span.start..].starts_with("//");
        let fix = || Fix::replace("write `#`", span.start..span.start + 2, "#");
        self.findings.push(if is_line { finding.fix(fix()) } else { finding });
        Err(GiveUp)
    }

    /// A string or a regular expression as other languages write them. The rule can be read on.
    pub(super) fn foreign(&mut self) -> Expr<'static> {
        let (at, end) = (self.at, self.thing_end());
        self.at = end;
        let text = &self.text[at..end];
        self.findings.push(if text.starts_with('/') {
            Finding::new(at..end, "no-regex", "GBNF has no regular expressions")
                .help("write characters as `[a-z]` and repeat them with `*`, `+`, `?` or `{2,5}`")
        } else {
            let inner = text.trim_matches('\'').replace('"', "\\\"");
            Finding::new(at..end, "single-quotes", "strings are written in double quotes")
                .help(format!("use double quotes: `\"{inner}\"`"))
                .fix(Fix::replace("use double quotes", at..end, format!("\"{inner}\"")))
        });
        Expr::Seq(Vec::new())
    }

    /// The end of what starts here: a quoted text, a word or a character.
    fn thing_end(&self) -> usize {
        let rest = self.rest();
        let line = rest.lines().next().unwrap_or_default();
        let Some(first) = line.chars().next() else { return (self.at + 1).min(self.text.len()) };
        if line.starts_with("//") {
            return self.at + line.len();
        }
        if let '\'' | '"' | '/' = first {
            let body = &line[1..];
            let mut escaped = false;
            let close = body.char_indices().find(|&(_, c)| {
                let closes = c == first && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            });
            return self.at + close.map_or(line.len(), |(i, _)| i + 2);
        }
        self.at + line.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(line.len()).max(first.len_utf8())
    }
}
