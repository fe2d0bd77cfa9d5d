//! Errors in Lark grammars.

use std::ops::Range;

use super::pattern::{PatternError, reason_after_pattern};
use super::{Finding, between, closest, first_line, schema};
use crate::engine::grammar::scan::{Definition, Kind, Scan, Token};

/// The place of the rule `start`, if there is one.
pub(super) fn start(text: &str) -> Range<usize> {
    Scan::new(text).definitions().into_iter().find(|d| d.name == "start").map_or(0..0, |d| d.span)
}

/// What llguidance says about a Lark text.
pub(super) fn explain(text: &str, error: &str, special_tokens: &[String]) -> Vec<Finding> {
    let scan = Scan::new(text);
    let (offset, message) = locate(text, error);
    if let Some(finding) = broken_json(text, &scan) {
        return vec![finding];
    }
    let context = Context { text, scan, offset, message };
    if let Some(name) = message
        .strip_prefix("unknown name: ")
        .or_else(|| message.strip_prefix("rule ").filter(|m| m.ends_with(" not found")))
        .and_then(|rest| between(rest, "\"", "\""))
    {
        return context.undefined(name);
    }
    if let Some(at) = error.find("failed to compile JSON schema: ") {
        return context.in_schema(&error[at + "failed to compile JSON schema: ".len()..]);
    }
    if error.contains("invalid regex ") {
        return vec![context.in_regex(error)];
    }
    let finding = if message.contains("special token") && message.starts_with("unknown") {
        Some(context.special_token(special_tokens))
    } else {
        context.meaning().or_else(|| context.syntax())
    };
    vec![finding.unwrap_or_else(|| context.finding("invalid-grammar", first_line(message).to_owned()))]
}

/// Reads `at LINE(COLUMN): message` and `LINE(COLUMN): message (at "token" (KIND))`. Columns are
/// bytes. Without a place the offset is the start of the text.
fn locate<'a>(text: &str, error: &'a str) -> (usize, &'a str) {
    let mut message = error;
    let mut offset = 0;
    while let Some((at, rest)) = place(text, message) {
        (offset, message) = (at, rest);
    }
    while let Some(rest) = message.strip_prefix("at EOF: ") {
        (offset, message) = (text.len(), rest);
    }
    let line = first_line(message);
    (offset, line.rfind(" (at \"").map_or(line, |end| &line[..end]))
}

fn place<'a>(text: &str, error: &'a str) -> Option<(usize, &'a str)> {
    let rest = error.strip_prefix("at ").unwrap_or(error);
    let (line, rest) = rest.split_once('(')?;
    let (column, rest) = rest.split_once("): ")?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    Some(((line_start + column.saturating_sub(1)).min(text.len()), rest))
}

/// llguidance reports broken JSON without saying where it stands, so it is looked for first.
fn broken_json(text: &str, scan: &Scan<'_>) -> Option<Finding> {
    scan.tokens.iter().filter(|t| t.kind == Kind::Json).find_map(|token| {
        let error = serde_json::from_str::<serde_json::Value>(scan.str(token)).err()?;
        Some(schema::not_json(&text[token.span.clone()], &error).moved(token.span.start))
    })
}

/// A message with the text it speaks of.
struct Context<'a> {
    text: &'a str,
    scan: Scan<'a>,
    offset: usize,
    message: &'a str,
}

impl<'a> Context<'a> {
    /// A finding at the token that llguidance points at.
    fn finding(&self, code: &'static str, message: impl Into<String>) -> Finding {
        let span = self.scan.at(self.offset).map_or(self.offset..self.offset, |t| t.span.clone());
        Finding::new(span, code, message)
    }

    /// The first token from the place on that `wanted` takes.
    fn next(&self, wanted: impl Fn(&Token) -> bool) -> Option<&Token> {
        self.scan.tokens.iter().find(|t| t.span.end > self.offset && wanted(t))
    }

    /// The definition whose body llguidance points at.
    fn definition(&self) -> Range<usize> {
        let heads = self.scan.definitions();
        heads.into_iter().rfind(|d| d.span.start <= self.offset).map_or(self.offset..self.offset, |d| d.span)
    }

    /// `name` is undefined. Says so of every undefined name, at its first use.
    fn undefined(&self, name: &str) -> Vec<Finding> {
        let definitions = self.scan.definitions();
        let references = self.scan.references();
        let known = |n: &str| definitions.iter().any(|d| d.name == n);
        if known(name) {
            // A rule exists; what uses it is a terminal, which llguidance points at.
            let at = references.iter().find(|r| r.name == name && r.span.end > self.offset);
            let span = at.map_or(self.offset..self.offset, |r| r.span.clone());
            return vec![
                Finding::new(span, "rule-in-terminal", format!("a terminal cannot use the rule `{name}`"))
                    .help(format!("make it a terminal: `{}`", name.to_uppercase())),
            ];
        }
        let mut found: Vec<Finding> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for reference in references.iter().filter(|r| !known(r.name)) {
            if !seen.contains(&reference.name) {
                seen.push(reference.name);
                found.push(self.undefined_at(reference, &definitions));
            }
        }
        if !seen.contains(&name) {
            found.insert(0, self.finding("undefined-name", format!("`{name}` is not defined")));
        }
        found
    }

    fn undefined_at(&self, reference: &Definition<'a>, definitions: &[Definition<'a>]) -> Finding {
        let name = reference.name;
        let finding =
            Finding::new(reference.span.clone(), "undefined-name", format!("`{name}` is not defined"));
        // `fooBar` is the rule `foo` and the terminal `B` with the rule `ar`.
        if self.glued(reference.span.clone()) {
            return finding.help("names are all lower case (rules) or all upper case (terminals)");
        }
        if let Some(meant) = closest(name, definitions.iter().map(|d| d.name)) {
            return finding.help(format!("did you mean `{meant}`?"));
        }
        if COMMON.contains(&name) {
            return finding.help(format!("import it: `%import common.{name}`"));
        }
        finding
    }

    /// Whether a name touches another name.
    fn glued(&self, span: Range<usize>) -> bool {
        let is_name = |t: &&Token| matches!(t.kind, Kind::Rule | Kind::Terminal);
        self.scan.tokens.iter().filter(is_name).any(|t| t.span.end == span.start || t.span.start == span.end)
    }

    fn special_token(&self, special_tokens: &[String]) -> Finding {
        let name = between(self.message, "\"", "\"").unwrap_or_default();
        let span = self.scan.find(Kind::Special, name).map_or(self.offset..self.offset, |t| t.span.clone());
        let finding =
            Finding::new(span, "unknown-special-token", format!("the model has no special token `{name}`"));
        if let Some(meant) = closest(name, special_tokens.iter().map(String::as_str)) {
            return finding.help(format!("did you mean `{meant}`?"));
        }
        let shown: Vec<_> = special_tokens.iter().take(8).map(|t| format!("`{t}`")).collect();
        let more = if special_tokens.len() > shown.len() { ", …" } else { "" };
        finding.help(format!("it has {}{more}", shown.join(", ")))
    }

    /// An error in the schema after a `%json`; llguidance points at the rule that holds it.
    fn in_schema(&self, error: &str) -> Vec<Finding> {
        let Some(json) = self.next(|t| t.kind == Kind::Json) else {
            return vec![self.finding("invalid-schema", first_line(error))];
        };
        let findings = schema::explain(self.scan.str(json), error);
        findings.into_iter().map(|f| f.moved(json.span.start)).collect()
    }

    /// An error in a regex; llguidance points at the rule that holds it, and quotes it.
    fn in_regex(&self, error: &str) -> Finding {
        let quoted = &error[error.find("invalid regex ").map_or(0, |at| at + "invalid regex ".len())..];
        for token in self.scan.tokens.iter().filter(|t| t.kind == Kind::Regex) {
            let (body, flags) = self.scan.str(token)[1..].rsplit_once('/').unwrap_or_default();
            let prefix = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
            if quoted.starts_with(&format!("{:?}", format!("{prefix}{body}"))) {
                let mut read = PatternError::read(&error[error.len() - quoted.len()..]);
                if !error.contains("regex parse error") && read.code == "invalid-regex" {
                    read.message = format!("invalid regex: {}", reason_after_pattern(first_line(quoted)));
                }
                return read.finding(body, token.span.start + 1, prefix.chars().count());
            }
        }
        let read = PatternError::read(quoted);
        self.finding(read.code, read.message)
    }

    /// Errors about a text that could be parsed.
    fn meaning(&self) -> Option<Finding> {
        let message = self.message;
        let name = between(message, "\"", "\"").or_else(|| between(message, "'", "'")).unwrap_or_default();
        let definition = |nth: usize| {
            let mut of_name = self.scan.definitions().into_iter().filter(|d| d.name == name);
            of_name.nth(nth).map_or(0..0, |d| d.span)
        };
        let reference = || {
            let of_name = self.scan.references().into_iter().find(|d| d.name == name);
            of_name.map_or(0..0, |d| d.span)
        };
        Some(if message.starts_with("no start rule found") {
            self.no_start()
        } else if message.starts_with("duplicate ") {
            Finding::new(definition(1), "duplicate-name", format!("`{name}` is defined twice"))
                .help("join the two with `|`, or rename one")
        } else if message.starts_with("circular reference in token") {
            Finding::new(definition(0), "circular-terminal", format!("the terminal `{name}` contains itself"))
                .help("a terminal is a regular expression; use a rule, in lower case, to recurse")
        } else if let Some(statement) = message.strip_suffix(" statement not supported yet") {
            self.finding("unsupported", format!("`%{statement}` is not supported"))
        } else if message.starts_with("priority not supported") {
            Finding::new(self.definition(), "unsupported", "priorities (`NAME.2`) are not supported")
                .help("remove the priority; exclude texts with `A & ~B` instead")
        } else if message.starts_with("params not supported") || message.starts_with("template usage") {
            Finding::new(self.definition(), "unsupported", "templates (`name{x}`) are not supported")
                .help("write the rule once for each argument")
        } else if message.starts_with("& is only supported") {
            let span = self.next(|t| self.scan.str(t) == "&").map_or(self.definition(), |t| t.span.clone());
            Finding::new(span, "and-in-rule", "`&` works in terminals only")
                .help("move it to a definition with an upper-case name")
        } else if let Some(path) = between(message, "Unknown common regex: ", ";") {
            self.unknown_import(path)
        } else if message.starts_with("range end must") || message.starts_with("range start must be >=") {
            let span = self.next(|t| matches!(self.scan.str(t), "{" | "~")).map(|t| t.span.start);
            let start = span.unwrap_or(self.offset);
            let end = self.text[start..].find(['}', '\n']).map_or(self.text.len(), |n| start + n + 1);
            Finding::new(start..end, "bad-repeat", "the repetition ends before it starts")
                .help("write the smaller number first")
        } else if message.starts_with("range start must") || message.contains("must be a single character") {
            self.character_range("both ends of a character range must be single characters")
        } else if message.starts_with("invalid range order") {
            self.character_range("the character range ends before it starts")
        } else if message.contains("oken range") {
            let span = self.next(|t| t.kind == Kind::Special && self.scan.str(t).starts_with("<["));
            let span = span.map_or(self.offset..self.offset, |t| t.span.clone());
            Finding::new(span, "bad-token-range", lower_first(message))
        } else if let Some(grammar) = message.strip_prefix("unknown grammar ") {
            let at = self.text.find(grammar).unwrap_or(0);
            Finding::new(at..at + grammar.len(), "undefined-name", format!("there is no grammar `{grammar}`"))
                .help("`@name` needs a list of grammars; write the rules here instead")
        } else if message.contains("is parametric, but no parameter") {
            Finding::new(reference(), "parameter", format!("`{name}` needs a parameter"))
                .help(format!("write `{name}::0`, or `{name}::_` inside of a parametric rule"))
        } else if message.contains("is not parametric, but parameter") {
            Finding::new(reference(), "parameter", format!("`{name}` takes no parameter"))
                .help(format!("define it as `{name}::_: …`, or write `{name}` alone"))
        } else if message.contains("but its body doesn't need parameters") {
            Finding::new(definition(0), "parameter", format!("`{name}` never uses its parameter"))
                .help("pass it on (`rule::_`) or test it (`%if eq(_, 0)`), or remove `::_`")
        } else if message.contains("but its body requires parameters") {
            Finding::new(
                definition(0),
                "parameter",
                format!("`{name}` uses a parameter that it does not have"),
            )
            .help(format!("define it as `{name}::_: …`"))
        } else if message.contains("cannot be used in terminals")
            || message.contains("not supported in terminals")
        {
            Finding::new(self.definition(), "not-in-terminal", lower_first(message))
                .help("use a rule: a lower-case name")
        } else if let Some(reason) = message.strip_prefix("failed to parse %llguidance declaration: ") {
            let span = self.next(|t| t.kind == Kind::Json).map_or(self.definition(), |t| t.span.clone());
            Finding::new(span, "unknown-option", format!("`%llguidance`: {reason}"))
        } else {
            return None;
        })
    }

    fn no_start(&self) -> Finding {
        let definitions = self.scan.definitions();
        let finding = |span| Finding::new(span, "missing-start", "there is no rule `start`");
        let rules = || definitions.iter().filter(|d| d.name.starts_with(|c: char| c.is_lowercase()));
        let likely = closest("start", rules().map(|d| d.name)).or_else(|| {
            rules().map(|d| d.name).find(|n| matches!(*n, "root" | "main" | "program" | "grammar"))
        });
        match (likely.and_then(|name| rules().find(|d| d.name == name)), rules().next()) {
            (Some(rule), _) => finding(rule.span.clone()).help(format!("rename `{}` to `start`", rule.name)),
            (None, Some(first)) => finding(first.span.clone()).help(format!("add `start: {}`", first.name)),
            (None, None) => finding(0..0).help("add `start: …`; rules have lower-case names"),
        }
    }

    fn unknown_import(&self, path: &str) -> Finding {
        let span = self.text[self.offset..]
            .find(path)
            .map_or(self.offset..self.offset, |n| self.offset + n..self.offset + n + path.len());
        let finding = Finding::new(span, "unknown-import", format!("there is no `{path}` to import"));
        let name = path.strip_prefix("common.").unwrap_or(path);
        match closest(name, COMMON) {
            Some(meant) => finding.help(format!("did you mean `common.{meant}`?")),
            None => finding.help(format!("there are common.{}", COMMON.join(", "))),
        }
    }

    fn character_range(&self, message: &str) -> Finding {
        let at = self.scan.tokens.iter().position(|t| t.span.end > self.offset && self.scan.str(t) == "..");
        let span = match at
            .map(|i| (i.checked_sub(1).and_then(|b| self.scan.tokens.get(b)), self.scan.tokens.get(i + 1)))
        {
            Some((Some(from), Some(to))) => from.span.start..to.span.end,
            _ => self.definition(),
        };
        Finding::new(span, "bad-range", message)
    }

    /// Errors about a text that could not be parsed.
    fn syntax(&self) -> Option<Finding> {
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
            return Some(
                Finding::new(at, "gbnf", "this looks like GBNF: `::=` is not Lark")
                    .help("write `name: …`, and call the first rule `start`"),
            );
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
            return Some(
                Finding::new(span, "unknown-attribute", format!("`{name}` is not an attribute of rules"))
                    .help("there are capture, lazy, max_tokens, stop, stop_capture, suffix and temperature"),
            );
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
                Finding::new(span, "single-quotes", "strings are written in double quotes")
                    .help(format!("use double quotes: `\"{inner}\"`"))
            }
            Kind::Unterminated if text.starts_with('/') => {
                Finding::new(span, "unterminated-regex", "the regex has no closing `/`")
            }
            Kind::Unterminated => Finding::new(span, "unterminated-string", "the string has no closing `\"`")
                .help("a string ends on its line; write `\\n` for a line break"),
            _ if text == ";" => Finding::new(span, "stray-character", "rules do not end with `;`")
                .help("remove it: a rule ends with its line"),
            _ => Finding::new(span, "stray-character", format!("`{text}` cannot stand here")),
        }
    }

    /// `Expected token A, found B`, and the like.
    fn unexpected(&self) -> Finding {
        let message = self.message;
        let token = self.scan.at(self.offset).filter(|t| t.kind != Kind::Newline);
        let text = token.map_or("", |t| self.scan.str(t));
        if text == "=" && message.contains("':'") {
            return self
                .finding("equals-sign", "a definition is written with `:`, not with `=`")
                .help("write `name: …`");
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
        let found = if text.is_empty() { "the line ends".into() } else { format!("found `{text}`") };
        let expected = match message {
            m if m.starts_with("Expected value") => "a name, a string, a regex or a group".to_owned(),
            m if m.starts_with("expecting rule") => "a definition or a statement".to_owned(),
            m => expected_token(m).unwrap_or_else(|| lower_first(m)),
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

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// What `%import common.…` has.
const COMMON: [&str; 25] = [
    "DIGIT",
    "HEXDIGIT",
    "INT",
    "SIGNED_INT",
    "DECIMAL",
    "_EXP",
    "FLOAT",
    "SIGNED_FLOAT",
    "NUMBER",
    "SIGNED_NUMBER",
    "ESCAPED_STRING",
    "LCASE_LETTER",
    "UCASE_LETTER",
    "LETTER",
    "WORD",
    "CNAME",
    "WS_INLINE",
    "WS",
    "CR",
    "LF",
    "NEWLINE",
    "SH_COMMENT",
    "CPP_COMMENT",
    "C_COMMENT",
    "SQL_COMMENT",
];
