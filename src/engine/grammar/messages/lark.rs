//! Errors in Lark grammars.

use std::collections::HashSet;
use std::ops::Range;

use super::pattern::{PatternError, reason_after_pattern};
use super::{Finding, between, closest, first_line, schema};
use crate::engine::fix::{Fix, TextEdit};
use crate::engine::grammar::common;
use crate::engine::grammar::scan::{Definition, Kind, Scan, Token, bare};
use crate::engine::grammar::shape::Shape;

/// The place of the rule `start`, if there is one.
pub(super) fn start(text: &str) -> Range<usize> {
    Scan::new(text).outermost().definitions().into_iter().find(|d| d.name == "start").map_or(0..0, |d| d.span)
}

/// A rule that keeps every text from ending, if one can be blamed.
pub(super) fn endless(text: &str) -> Option<(String, Range<usize>)> {
    let scan = Scan::new(text).outermost();
    let shape = Shape::of(&scan);
    let unused: Vec<usize> = shape.unused(&[]).map(|d| d.span.start).collect();
    let blamed = shape.endless().into_iter().find(|d| !unused.contains(&d.span.start));
    blamed.map(|d| (d.name.to_owned(), d.span.clone()))
}

/// What llguidance says about a Lark text.
pub(super) fn explain(text: &str, error: &str, special_tokens: &[String]) -> Vec<Finding> {
    let scan = Scan::new(text);
    let (offset, message, found) = locate(text, error);
    if let Some(finding) = broken_json(text, &scan) {
        return vec![finding];
    }
    let in_rule = error.contains("only supported on TERMINALS");
    let context = Context { text, scan, offset, message, found, in_rule };
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

/// Reads `at LINE(COLUMN): message` and `LINE(COLUMN): message (at "token" (KIND))` into the place,
/// the message and the quoted token. Columns are bytes. Without a place it is the start of the text.
fn locate<'a>(text: &str, error: &'a str) -> (usize, &'a str, &'a str) {
    let mut message = error;
    let mut offset = 0;
    while let Some((at, rest)) = place(text, message) {
        (offset, message) = (at, rest);
    }
    while let Some(rest) = message.strip_prefix("at EOF: ") {
        (offset, message) = (text.len(), rest);
    }
    let line = first_line(message);
    match line.rfind(" (at \"") {
        Some(end) => (offset, &line[..end], between(&line[end..], " (at ", " (").unwrap_or_default()),
        None => (offset, line, ""),
    }
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
pub(super) struct Context<'a> {
    pub text: &'a str,
    pub scan: Scan<'a>,
    pub offset: usize,
    pub message: &'a str,
    /// The token that llguidance found there, quoted; empty if it does not say.
    found: &'a str,
    /// Whether it is about a rule whose attributes make it a terminal.
    in_rule: bool,
}

impl<'a> Context<'a> {
    /// A finding at the token that llguidance points at.
    pub fn finding(&self, code: &'static str, message: impl Into<String>) -> Finding {
        let span = self.token().map_or(self.offset..self.offset, |t| t.span.clone());
        Finding::new(span, code, message)
    }

    /// The token that llguidance points at. Its columns are one too small after a token that needs
    /// no look at the next byte, so the token must also be the one it quotes.
    pub fn token(&self) -> Option<&Token> {
        let quoted = |t: &&Token| format!("{:?}", self.scan.str(t)) == self.found;
        let near = self.scan.tokens.iter().filter(|t| t.span.end > self.offset).take(2);
        near.clone().find(quoted).or_else(|| near.clone().next())
    }

    /// The first token from the place on that `wanted` takes.
    pub fn next(&self, wanted: impl Fn(&Token) -> bool) -> Option<&Token> {
        self.scan.tokens.iter().find(|t| t.span.end > self.offset && wanted(t))
    }

    /// The definition whose body llguidance points at.
    pub fn definition(&self) -> Range<usize> {
        let heads = self.scan.definitions();
        heads.into_iter().rfind(|d| d.span.start <= self.offset).map_or(self.offset..self.offset, |d| d.span)
    }

    /// Puts `new` in the place of every token of a grammar that is the name `old`, but for a `?` or `!`
    /// before it.
    fn renamed(grammar: &Scan<'_>, old: &str, new: &str) -> Fix {
        let is_name = |t: &&Token| matches!(t.kind, Kind::Rule | Kind::Terminal);
        let places = grammar.tokens.iter().filter(is_name).filter(|t| bare(grammar.str(t)) == old);
        let edits =
            places.map(|t| TextEdit { span: t.span.end - old.len()..t.span.end, text: new.to_owned() });
        Fix::new(format!("write `{new}`"), edits.collect())
    }

    /// Puts a line before the first of a grammar.
    fn at_top(&self, grammar: &Scan<'_>, line: &str) -> TextEdit {
        let first = |scan: &Scan<'_>| {
            scan.tokens.iter().find(|t| t.kind != Kind::Newline).map_or(0, |t| t.span.start)
        };
        // Before what is said about the whole.
        let at = if first(grammar) == first(&self.scan) { 0 } else { first(grammar) };
        TextEdit { span: at..at, text: format!("{line}\n") }
    }

    /// `name` is undefined. Says so of every undefined name, at its first use.
    fn undefined(&self, name: &str) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        let grammars = self.scan.grammars();
        for grammar in &grammars {
            let definitions = grammar.definitions();
            let mut seen: HashSet<&str> = definitions.iter().map(|d| d.name).collect();
            let unknown = grammar.references().into_iter().filter(|r| seen.insert(r.name));
            found.extend(unknown.map(|reference| self.undefined_at(&reference, grammar, &definitions)));
        }
        let is_it = |f: &Finding| self.text.get(f.span.clone()) == Some(name);
        if found.iter().any(is_it) {
            return found;
        }
        let references = self.scan.references();
        let names: HashSet<&str> = self.scan.definitions().iter().map(|d| d.name).collect();
        let known = |n: &str| names.contains(n);
        if known(name) {
            // A rule exists; what uses it is a terminal, which llguidance points at.
            let at = references.iter().find(|r| r.name == name && r.span.end > self.offset);
            let span = at.map_or(self.offset..self.offset, |r| r.span.clone());
            if self.in_rule {
                return vec![not_in_rule(span)];
            }
            let upper = name.to_uppercase();
            let finding =
                Finding::new(span, "rule-in-terminal", format!("a terminal cannot use the rule `{name}`"))
                    .help(format!("make it a terminal: `{upper}`"));
            // What it uses may be a rule in its turn; the next fix is for that one.
            let is_free = !known(&upper) && !name.starts_with('_');
            let fix = || Self::renamed(&self.scan, name, &upper).unsafe_to_apply();
            return vec![if is_free { finding.fix(fix()) } else { finding }];
        }
        found.insert(0, self.finding("undefined-name", format!("`{name}` is not defined")));
        found
    }

    fn undefined_at(
        &self,
        reference: &Definition<'a>,
        grammar: &Scan<'a>,
        definitions: &[Definition<'a>],
    ) -> Finding {
        let name = reference.name;
        let finding =
            Finding::new(reference.span.clone(), "undefined-name", format!("`{name}` is not defined"));
        // `fooBar` is the rule `foo` and the terminal `B` with the rule `ar`.
        if self.glued(reference.span.clone()) {
            return finding.help("names are all lower case (rules) or all upper case (terminals)");
        }
        if matches!(name, "_INDENT" | "_DEDENT" | "INDENT" | "DEDENT") {
            return finding.help(
                "there is no indenter: count spaces with a parametric rule, \
                 `ind::_: \"\" %if eq(_, 0) | \"    \" ind::decr(_) %if gt(_, 0)`",
            );
        }
        if let Some(meant) = closest(name, definitions.iter().map(|d| d.name)) {
            return finding.help(format!("did you mean `{meant}`?")).fix(Self::renamed(grammar, name, meant));
        }
        if common::pattern(name).is_some() {
            let line = format!("%import common.{name}");
            let help = format!("import it: `{line}`");
            return finding.help(help).fix(Fix::new("import it", vec![self.at_top(grammar, &line)]));
        }
        finding
    }

    /// Whether a name touches another name.
    pub fn glued(&self, span: Range<usize>) -> bool {
        let is_name = |t: &&Token| matches!(t.kind, Kind::Rule | Kind::Terminal);
        self.scan.tokens.iter().filter(is_name).any(|t| t.span.end == span.start || t.span.start == span.end)
    }

    fn special_token(&self, special_tokens: &[String]) -> Finding {
        let name = between(self.message, "\"", "\"").unwrap_or_default();
        let span = self.scan.find(Kind::Special, name).map_or(self.offset..self.offset, |t| t.span.clone());
        let finding =
            Finding::new(span, "unknown-special-token", format!("the model has no special token `{name}`"));
        if let Some(meant) = closest(name, special_tokens.iter().map(String::as_str)) {
            let fix = Fix::replace(format!("write `{meant}`"), finding.span.clone(), meant);
            return finding.help(format!("did you mean `{meant}`?")).fix(fix);
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
            self.priority()
        } else if message.starts_with("params not supported") || message.starts_with("template usage") {
            Finding::new(self.template(), "unsupported", "templates (`name{x}`) are not supported")
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
            let finding = Finding::new(start..end, "bad-repeat", "the repetition ends before it starts")
                .help("write the smaller number first");
            match swapped(&self.text[start..end]) {
                Some(text) => finding.fix(Fix::replace("write the smaller number first", start..end, text)),
                None => finding,
            }
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
        } else if self.in_rule {
            not_in_rule(self.definition())
        } else if message.starts_with("l-flag") {
            self.finding("unsupported-regex", "the flag `l` of regexes is not supported")
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
        let grammars = self.scan.grammars();
        let is_without = |g: &&Scan<'_>| g.definitions().iter().all(|d| d.name != "start");
        let grammar = grammars.iter().find(is_without).unwrap_or(&self.scan);
        let definitions = grammar.definitions();
        let finding = |span| Finding::new(span, "missing-start", "there is no rule `start`");
        let rules = || definitions.iter().filter(|d| d.name.starts_with(|c: char| c.is_lowercase()));
        let likely = closest("start", rules().map(|d| d.name)).or_else(|| {
            rules().map(|d| d.name).find(|n| matches!(*n, "root" | "main" | "program" | "grammar"))
        });
        match (likely.and_then(|name| rules().find(|d| d.name == name)), rules().next()) {
            (Some(rule), _) => finding(rule.span.clone())
                .help(format!("rename `{}` to `start`", rule.name))
                .fix(Self::renamed(grammar, rule.name, "start")),
            (None, Some(first)) => {
                let line = format!("start: {}", first.name);
                let help = format!("add `{line}`");
                let fix = Fix::new(&*help, vec![self.at_top(grammar, &line)]);
                finding(first.span.clone()).help(help).fix(fix)
            }
            (None, None) => finding(0..0).help("add `start: …`; rules have lower-case names"),
        }
    }

    /// `NAME.2` in a head.
    fn priority(&self) -> Finding {
        let head = self.definition();
        let finding = Finding::new(head.clone(), "unsupported", "priorities (`NAME.2`) are not supported")
            .help("remove the priority; exclude texts with `A & ~B` instead");
        let after =
            self.scan.tokens.iter().skip_while(|t| t.span.start < head.end).take(2).collect::<Vec<_>>();
        match after[..] {
            [dot, number] if self.scan.str(dot) == "." && number.kind == Kind::Number => {
                let place = dot.span.start..number.span.end;
                finding.fix(Fix::replace("remove the priority", place, "").unsafe_to_apply())
            }
            _ => finding,
        }
    }

    /// The first `name{x}` from the place on, its brace included.
    fn template(&self) -> Range<usize> {
        let is_name = |t: &Token| matches!(t.kind, Kind::Rule | Kind::Terminal);
        let from = self.definition().start;
        let found = self.scan.tokens.windows(3).find(|w| {
            w[0].span.start >= from
                && is_name(&w[0])
                && self.scan.str(&w[1]) == "{"
                && w[2].kind != Kind::Number
        });
        let Some([name, brace, ..]) = found else { return self.definition() };
        let close = self.text[brace.span.start..].find(['}', '\n']).map_or(1, |n| n + 1);
        name.span.start..brace.span.start + close
    }

    fn unknown_import(&self, path: &str) -> Finding {
        let span = self.text[self.offset..]
            .find(path)
            .map_or(self.offset..self.offset, |n| self.offset + n..self.offset + n + path.len());
        if let Some((module, _)) = path.rsplit_once('.').filter(|(module, _)| *module != "common") {
            let message =
                format!("`{path}` cannot be imported: only `common` is built in, and no file is read");
            let help = format!("copy what it needs of `{module}` into this text");
            return Finding::new(span, "unknown-import", message).help(help);
        }
        let finding = Finding::new(span, "unknown-import", format!("there is no `{path}` to import"));
        let name = path.strip_prefix("common.").unwrap_or(path);
        match closest(name, common::names()) {
            Some(meant) => {
                // The name here stays the one that the text uses.
                let alias = if self.text[finding.span.end..].trim_start().starts_with("->") {
                    String::new()
                } else {
                    format!(" -> {name}")
                };
                let whole = self.text[finding.span.start..].lines().next() == Some(path);
                let fix = Fix::replace(
                    format!("import `common.{meant}`"),
                    finding.span.clone(),
                    format!("common.{meant}{alias}"),
                );
                let finding = finding.help(format!("did you mean `common.{meant}`?"));
                if whole || alias.is_empty() { finding.fix(fix) } else { finding }
            }
            None => {
                finding.help(format!("there are common.{}", common::names().collect::<Vec<_>>().join(", ")))
            }
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
}

/// A rule with attributes that only a terminal can have.
fn not_in_rule(span: Range<usize>) -> Finding {
    let message = "a rule with `max_tokens` or `temperature` holds terminals only";
    Finding::new(span, "not-in-rule", message)
        .help("give what it uses an upper-case name, if that is a regular expression")
}

/// `{3,1}` or `~3..1` with the smaller number first.
fn swapped(text: &str) -> Option<String> {
    let numbers: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
    let [from, to] = numbers[..] else { return None };
    let middle = text.find(from)? + from.len();
    let rest = text[middle..].replacen(to, from, 1);
    Some(format!("{}{rest}", text[..middle].replacen(from, to, 1)))
}

pub(super) fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}
