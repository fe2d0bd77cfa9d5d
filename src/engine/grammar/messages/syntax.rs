//! Lark texts that llguidance could not parse.

use std::ops::Range;

use super::lark::{Context, lower_first};
use super::{Finding, between, closest};
use crate::engine::fix::Fix;
use crate::engine::grammar::gbnf;
use crate::engine::grammar::scan::{Kind, Token};

const ATTRIBUTES: [&str; 7] =
    ["capture", "lazy", "max_tokens", "stop", "stop_capture", "suffix", "temperature"];

impl Context<'_> {
    /// Errors about a text that could not be parsed.
    pub fn syntax(&self) -> Option<Finding> {
        let message = self.message;
        if !(message.contains("xpect")
            || message.contains("lexer error")
            || message.contains("number")
            || message.contains("too deeply")
            || message.starts_with("Unknown attribute"))
        {
            return None;
        }
        if let Some(at) = self.gbnf() {
            let finding = Finding::new(at, "gbnf", "this looks like GBNF: `::=` is not Lark")
                .help("name the file .gbnf, or write `name: …` and call the first rule `start`");
            return Some(match gbnf::to_lark(self.text, &[], 0) {
                Ok(converted) => {
                    let whole = 0..self.text.len();
                    // The rules get names that nobody chose.
                    finding.fix(Fix::replace("turn it into Lark", whole, converted.lark).unsafe_to_apply())
                }
                Err(_) => finding,
            });
        }
        if message.starts_with("lexer error") {
            return Some(self.stray());
        }
        if message.contains("too deeply nested") {
            return Some(
                self.finding("too-deep", "groups nest more than 28 deep")
                    .help("name the inner groups as rules of their own"),
            );
        }
        if let Some(name) = message.strip_prefix("Unknown attribute: ") {
            let named =
                self.scan.tokens.iter().rfind(|t| t.span.start <= self.offset && self.scan.str(t) == name);
            let span = named.map_or(self.offset..self.offset, |t| t.span.clone());
            let finding = Finding::new(
                span.clone(),
                "unknown-attribute",
                format!("`{name}` is not an attribute of rules"),
            )
            .help("there are capture, lazy, max_tokens, stop, stop_capture, suffix and temperature");
            return Some(match closest(name, ATTRIBUTES).filter(|_| !span.is_empty()) {
                Some(meant) => finding.fix(Fix::replace(format!("write `{meant}`"), span, meant)),
                None => finding,
            });
        }
        if message.contains("number") && !message.starts_with("Expected") {
            let open = self.scan.tokens.iter().rfind(|t| {
                t.span.start < self.offset && matches!(self.scan.str(t), "{" | "~" | "[" | "<" | "(")
            });
            let start = open.map_or(self.offset, |t| t.span.start);
            return Some(Finding::new(start..self.offset, "bad-repeat", "this number is out of range"));
        }
        Some(self.unexpected())
    }

    /// The place of `::=`.
    fn gbnf(&self) -> Option<Range<usize>> {
        let mut pairs = self.scan.tokens.windows(2);
        let pair = pairs.find(|p| {
            self.scan.str(&p[0]) == "::" && self.scan.str(&p[1]) == "=" && p[0].span.end == p[1].span.start
        })?;
        Some(pair[0].span.start..pair[1].span.end)
    }

    /// llguidance's lexer stops at the first byte that no token can have, which may be long after
    /// the quote that should not be there.
    fn stray(&self) -> Finding {
        let suspects = [Kind::SingleQuoted, Kind::Unterminated, Kind::Stray];
        let suspect =
            self.scan.tokens.iter().find(|t| suspects.contains(&t.kind) && t.span.start <= self.offset);
        let Some(token) = suspect else {
            let before = self.text.get(..self.offset).unwrap_or_default();
            if before.ends_with('\\') {
                let end = self.offset + self.text[self.offset..].chars().next().map_or(0, char::len_utf8);
                return Finding::new(self.offset - 1..end, "bad-escape", "strings have no such escape")
                    .help("write `\\\\` for a backslash, or use a regex: `/…/`");
            }
            return self.finding("stray-character", "this cannot stand here");
        };
        let (span, text) = (token.span.clone(), self.scan.str(token));
        match token.kind {
            Kind::SingleQuoted => {
                let inner = text.trim_matches('\'').replace('"', "\\\"");
                let finding =
                    Finding::new(span.clone(), "single-quotes", "strings are written in double quotes")
                        .help(format!("use double quotes: `\"{inner}\"`"));
                let is_closed = text.len() > 1 && text.ends_with('\'');
                let quoted = format!("\"{}\"", inner.replace("\\'", "'"));
                if is_closed { finding.fix(Fix::replace("use double quotes", span, quoted)) } else { finding }
            }
            Kind::Unterminated if text.starts_with('/') => {
                Finding::new(span, "unterminated-regex", "the regex has no closing `/`")
            }
            Kind::Unterminated => Finding::new(span, "unterminated-string", "the string has no closing `\"`")
                .help("a string ends on its line; write `\\n` for a line break"),
            _ if text == ";" => Finding::new(span.clone(), "stray-character", "rules do not end with `;`")
                .help("remove it: a rule ends with its line")
                .fix(Fix::replace("remove it", span, "")),
            _ => Finding::new(span, "stray-character", format!("`{text}` cannot stand here")),
        }
    }

    /// `Expected token A, found B`, and the like.
    fn unexpected(&self) -> Finding {
        let message = self.message;
        let token = self.token().filter(|t| t.kind != Kind::Newline);
        let text = token.map_or("", |t| self.scan.str(t));
        if text == "=" && message.contains("':'") {
            let finding = self.finding("equals-sign", "a definition is written with `:`, not with `=`");
            let span = finding.span.clone();
            // `:=` and `==` are one sign to whoever wrote them.
            let end = span.end + self.text[span.end..].bytes().take_while(|b| *b == b'=').count();
            return finding.help("write `name: …`").fix(Fix::replace("write `:`", span.start..end, ":"));
        }
        let closer = [")", "]", "}"].into_iter().find(|c| message.contains(&format!("Expected token '{c}'")));
        if closer.is_some() && token.is_none() {
            return self.open_group();
        }
        if let Some(token) = token
            && matches!(token.kind, Kind::Rule | Kind::Terminal)
            && self.glued(token.span.clone())
        {
            return self
                .finding("mixed-case-name", "a name cannot mix upper and lower case")
                .help("rules are all lower case, terminals all upper case");
        }
        if matches!(text, ")" | "]" | "}") && message.starts_with("expecting rule") {
            return self.finding("syntax", format!("nothing is open that this `{text}` could close"));
        }
        if let Some(function) = message.strip_prefix("Unexpected ") {
            let finding = self.finding("unknown-function", format!("unknown {function}"));
            return finding.help(
                "see llguidance's documentation on parametric rules: incr, decr, set_bit, eq, lt, bit_set, …",
            );
        }
        if message.starts_with("expecting rule") && !text.is_empty() {
            return self
                .finding("syntax", format!("expected a definition or a statement, found `{text}`"))
                .help("a definition goes on only on a line that starts with `|`");
        }
        let found = if text.is_empty() { "the line ends".into() } else { format!("found `{text}`") };
        let expected = match message {
            m if m.starts_with("Expected value") => "a name, a string, a regex or a group".to_owned(),
            m => expected_token(m)
                .unwrap_or_else(|| lower_first(m).trim_start_matches("expected ").replace('\'', "`")),
        };
        let finding = self.finding("syntax", format!("expected {expected}, {found}"));
        if expected == "`:`" { finding.help("a definition is written `name: …`") } else { finding }
    }

    /// A bracket that its line does not close.
    fn open_group(&self) -> Finding {
        let mut open: Vec<&Token> = Vec::new();
        for token in self.scan.tokens.iter().take_while(|t| t.span.start < self.offset) {
            match self.scan.str(token) {
                "(" | "[" | "{" => open.push(token),
                ")" | "]" | "}" => drop(open.pop()),
                _ => {}
            }
        }
        let Some(bracket) = open.last() else {
            return self.finding("syntax", "a closing bracket is missing");
        };
        let (span, text) = (bracket.span.clone(), self.scan.str(bracket));
        let next = self.next(|t| t.kind != Kind::Newline);
        let goes_on = next.is_some_and(|next| !self.scan.definitions().iter().any(|d| d.span == next.span));
        if goes_on {
            Finding::new(span, "newline-in-group", format!("this `{text}` is not closed on its line"))
                .help("a definition goes on only on a line that starts with `|`: join the lines")
        } else {
            Finding::new(span, "unclosed-group", format!("this `{text}` is never closed"))
        }
    }
}

/// What `Expected token X, found Y` expects, in words.
fn expected_token(message: &str) -> Option<String> {
    let token = between(message, "Expected token ", ", found")?;
    Some(match token {
        "'rule_name'" => "a rule name (lower case)".into(),
        "'TOKEN_NAME'" => "a terminal name (upper case)".into(),
        "'\\n'" => "the end of the line".into(),
        "\"string...\"" => "a string".into(),
        quoted => quoted.replace('\'', "`"),
    })
}
