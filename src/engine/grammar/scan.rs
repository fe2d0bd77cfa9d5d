//! Cuts Lark text into tokens with byte spans, so that diagnostics can point at the thing itself.
//!
//! It follows llguidance's lexer where the text is well formed and goes on where llguidance stops:
//! no text makes it fail. It gives no meaning to what it finds, and never decides whether a grammar
//! is valid.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A lower-case name, its leading `?` and `!` included.
    Rule,
    /// An upper-case name.
    Terminal,
    /// `"…"`, with its `i` if it has one.
    String,
    /// `/…/flags`.
    Regex,
    /// A string or regex that the line, or the text, ends before its last delimiter.
    Unterminated,
    /// `'…'`, which is not Lark. Ends with the quote, or with the line.
    SingleQuoted,
    /// `<…>`: a special token.
    Special,
    /// `%name`.
    Directive,
    /// A nested grammar, `%lark { … }`, as [`grammars`](Scan::grammars) have it.
    Nested,
    /// The JSON value after `%json`, `%regex` or `%llguidance`.
    Json,
    /// Digits.
    Number,
    /// An operator or bracket.
    Punctuation,
    /// The end of a line, with the blank lines after it.
    Newline,
    /// Anything else.
    Stray,
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
}

/// A Lark text, cut up.
pub(super) struct Scan<'a> {
    text: &'a str,
    pub tokens: Vec<Token>,
}

/// The head of a rule or terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition<'a> {
    /// The name, without `?` and `!`.
    pub name: &'a str,
    pub span: Range<usize>,
}

impl<'a> Scan<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0 };
        let mut tokens = Vec::new();
        while let Some(token) = scanner.next() {
            let takes_json = token.kind == Kind::Directive
                && matches!(&text[token.span.clone()], "%json" | "%regex" | "%llguidance");
            tokens.push(token);
            if takes_json && let Some(json) = scanner.json() {
                tokens.push(json);
            }
        }
        Self { text, tokens }
    }

    /// The outermost of its [grammars](Scan::grammars).
    pub fn outermost(&self) -> Self {
        Self { text: self.text, tokens: self.split().into_iter().next().unwrap_or_default() }
    }

    /// The grammars of the text, each with those nested in it as one token, as the names in them are
    /// their own. The outermost is the first.
    pub fn grammars(&self) -> Vec<Self> {
        self.split().into_iter().map(|tokens| Self { text: self.text, tokens }).collect()
    }

    fn split(&self) -> Vec<Vec<Token>> {
        let mut all = vec![Vec::new()];
        // The grammars that are open, and how many braces are in each.
        let mut open = vec![(0, 0_usize)];
        let close = |open: &mut Vec<(usize, usize)>, all: &mut Vec<Vec<Token>>, end: usize| {
            open.pop();
            if let Some(nested) = open.last().and_then(|(around, _)| all[*around].last_mut()) {
                nested.span.end = end;
            }
        };
        for (at, token) in self.tokens.iter().enumerate() {
            let Some((own, depth)) = open.last_mut() else { break };
            let (text, before) = (self.str(token), *depth);
            let next = self.tokens.get(at + 1).map_or("", |t| self.str(t));
            if text == "%lark" && next == "{" {
                all[*own].push(Token { kind: Kind::Nested, span: token.span.clone() });
                open.push((all.len(), 0));
                all.push(Vec::new());
                continue;
            }
            match text {
                "{" => *depth += 1,
                "}" => *depth = depth.saturating_sub(1),
                _ => {}
            }
            // The braces around a nested grammar belong to no one.
            if *own == 0 || before > 0 && *depth > 0 {
                all[*own].push(token.clone());
            } else if *depth == 0 {
                close(&mut open, &mut all, token.span.end);
            }
        }
        while open.len() > 1 {
            close(&mut open, &mut all, self.text.len());
        }
        all
    }

    /// The text of a token.
    pub fn str(&self, token: &Token) -> &'a str {
        &self.text[token.span.clone()]
    }

    /// The first token of `kind` with exactly this text.
    pub fn find(&self, kind: Kind, text: &str) -> Option<&Token> {
        self.tokens.iter().find(|t| t.kind == kind && self.str(t) == text)
    }

    /// Every rule and terminal that the text defines, in order: a name that starts a line and is
    /// followed by `:` on it, and what `%import` brings in.
    pub fn definitions(&self) -> Vec<Definition<'a>> {
        let mut found = Vec::new();
        for line in self.tokens.split(|t| t.kind == Kind::Newline) {
            let Some(first) = line.first() else { continue };
            if matches!(first.kind, Kind::Rule | Kind::Terminal) {
                // Between the name and the colon may stand `::_`, `{params}`, `.1` and `[attributes]`.
                if line[1..].iter().any(|t| self.str(t) == ":") {
                    found.push(self.definition(first));
                }
            } else if self.str(first) == "%import" {
                // `a.B`, `a.B -> C` and `a (B, C)`: every name that no dot follows, the last of an alias.
                let alias = line.iter().position(|t| self.str(t) == "->");
                let names = line[alias.map_or(1, |at| at + 1)..].iter();
                let after = line[1..].iter().skip(1 + alias.unwrap_or(0));
                let ends = after.map(|t| self.str(t)).chain(std::iter::once(""));
                for (token, next) in names.zip(ends) {
                    if matches!(token.kind, Kind::Rule | Kind::Terminal) && next != "." && next != "(" {
                        found.push(self.definition(token));
                    }
                }
            }
        }
        found
    }

    fn definition(&self, token: &Token) -> Definition<'a> {
        Definition { name: bare(self.str(token)), span: token.span.clone() }
    }

    /// Every use of a name in the body of a rule or terminal, or in `%ignore`.
    pub fn references(&self) -> Vec<Definition<'a>> {
        let mut found = Vec::new();
        let mut in_body = false;
        // Inside of what follows `->` (an alias), `::` (an argument) or `%if` (a condition): how many
        // parentheses are open there.
        let mut argument: Option<usize> = None;
        let mut line_start = true;
        for token in &self.tokens {
            let text = self.str(token);
            match token.kind {
                Kind::Newline => argument = None,
                Kind::Directive if line_start => in_body = text == "%ignore",
                Kind::Directive => argument = (text == "%if").then_some(0),
                // A line that starts with `|` continues the rule above it.
                _ if line_start && text != "|" => in_body = false,
                _ => {}
            }
            match (text, argument) {
                (":", None) => in_body = true,
                ("|" | "]", _) => argument = None,
                ("->" | "::", _) => argument = Some(0),
                ("(", Some(open)) => argument = Some(open + 1),
                // `f::0`, `f::_` and `f::incr(_)` end with their last token.
                (")", Some(0 | 1)) | ("_", Some(0)) => argument = None,
                (")", Some(open)) => argument = Some(open - 1),
                (_, Some(0)) if token.kind == Kind::Number => argument = None,
                (_, None) if in_body && matches!(token.kind, Kind::Rule | Kind::Terminal) => {
                    found.push(self.definition(token));
                }
                _ => {}
            }
            line_start = token.kind == Kind::Newline;
        }
        found
    }

    /// Whether the argument that begins with this token is a call: `incr(_)`, and not `_` or a number, after
    /// which a bracket is a group.
    pub fn is_call(&self, token: &Token) -> bool {
        token.kind != Kind::Number && self.str(token) != "_"
    }

    /// The tokens of each statement: a line that does not start with `|`, and the lines that go on
    /// with it. Never empty.
    pub fn statements(&self) -> Vec<&[Token]> {
        let mut starts: Vec<usize> = Vec::new();
        let mut starts_line = true;
        for (i, token) in self.tokens.iter().enumerate() {
            let is_end = token.kind == Kind::Newline;
            if starts_line && !is_end && self.str(token) != "|" {
                starts.push(i);
            }
            starts_line = is_end;
        }
        let ends = starts.iter().skip(1).copied().chain([self.tokens.len()]);
        starts.iter().zip(ends).map(|(&start, end)| &self.tokens[start..end]).collect()
    }

    /// The deepest nesting of brackets, and where it is reached.
    pub fn depth(&self) -> (usize, usize) {
        let (mut depth, mut deepest) = (0_usize, (0, 0));
        for token in &self.tokens {
            match self.str(token) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > deepest.0 {
                deepest = (depth, token.span.start);
            }
        }
        deepest
    }
}

/// A rule's name as references write it.
pub(super) fn bare(name: &str) -> &str {
    name.trim_start_matches(['?', '!'])
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<Token> {
        loop {
            self.skip(|b| matches!(b, b' ' | b'\t'));
            match (self.peek(0)?, self.peek(1)) {
                (b'#', _) | (b'/', Some(b'/')) => self.skip(|b| b != b'\n'),
                _ => break,
            }
        }
        let start = self.at;
        let kind = self.token();
        // A token of more than one byte may end inside a character if the text is not Lark.
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        Some(Token { kind, span: start..self.at })
    }

    /// Moves past one token; the next byte is not white space.
    fn token(&mut self) -> Kind {
        let byte = self.bytes[self.at];
        self.at += 1;
        match byte {
            b'\n' | b'\r' => {
                self.skip(|b| matches!(b, b'\n' | b'\r'));
                Kind::Newline
            }
            b'"' => {
                let kind = self.delimited(b'"', Kind::String);
                let glued = self.peek(1).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
                if self.peek(0) == Some(b'i') && !glued {
                    self.at += 1;
                }
                kind
            }
            b'/' => {
                let kind = self.delimited(b'/', Kind::Regex);
                self.skip(|b| b"imslux".contains(&b));
                kind
            }
            b'\'' => {
                self.delimited(b'\'', Kind::SingleQuoted);
                Kind::SingleQuoted
            }
            b'%' => {
                self.skip(|b| b.is_ascii_alphabetic());
                Kind::Directive
            }
            b'<' => {
                self.skip(|b| !b.is_ascii_whitespace() && b != b'<' && b != b'>');
                if self.peek(0) == Some(b'>') {
                    self.at += 1;
                    return Kind::Special;
                }
                Kind::Stray
            }
            b'0'..=b'9' => {
                // `0x1F`, while `2T` is a number and a name.
                if byte == b'0' && matches!(self.peek(0), Some(b'x' | b'X')) {
                    self.at += 1;
                    self.skip(|b| b.is_ascii_hexdigit());
                } else {
                    self.skip(|b| b.is_ascii_digit());
                }
                Kind::Number
            }
            b'!' | b'?' | b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.name(byte),
            b'.' | b'-' | b':' => {
                let pair = [byte, self.peek(0).unwrap_or(0)];
                self.at += usize::from(matches!(&pair, b".." | b"->" | b"::"));
                Kind::Punctuation
            }
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|' | b'*' | b'+' | b'~' | b'&' | b',' | b'='
            | b'@' => Kind::Punctuation,
            _ => Kind::Stray,
        }
    }

    /// A name after its first byte. `?` and `_` alone are operators.
    fn name(&mut self, first: u8) -> Kind {
        let mut last = first;
        while matches!(last, b'!' | b'?' | b'_') {
            match self.peek(0) {
                Some(next) if next.is_ascii_alphabetic() || (last != b'_' && matches!(next, b'?' | b'_')) => {
                    last = next;
                    self.at += 1;
                }
                _ => return Kind::Punctuation,
            }
        }
        let upper = last.is_ascii_uppercase();
        self.skip(|b| {
            b.is_ascii_digit()
                || b == b'_'
                || b == b'-'
                || (b.is_ascii_alphabetic() && b.is_ascii_uppercase() == upper)
        });
        if upper { Kind::Terminal } else { Kind::Rule }
    }

    /// Moves past the closing `delimiter`, or to the end of the line.
    fn delimited(&mut self, delimiter: u8, kind: Kind) -> Kind {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' => return Kind::Unterminated,
                b'\\' if self.peek(1).is_some_and(|b| b != b'\n') => self.at += 2,
                _ => self.at += 1,
            }
            if byte == delimiter {
                return kind;
            }
        }
        Kind::Unterminated
    }

    /// The JSON value that starts here, up to its last bracket or the end of the text.
    fn json(&mut self) -> Option<Token> {
        self.skip(|b| b.is_ascii_whitespace());
        let start = self.at;
        let (mut depth, mut in_string) = (0_usize, false);
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'"' => in_string = !in_string,
                b'\\' if in_string => self.at = (self.at + 1).min(self.bytes.len()),
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && !in_string {
                break;
            }
        }
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        (self.at > start).then_some(Token { kind: Kind::Json, span: start..self.at })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let scan = Scan::new(text);
        scan.tokens.iter().map(|t| (t.kind, scan.str(t))).collect()
    }

    #[test]
    fn tokens_of_a_line() {
        assert_eq!(
            kinds("?start: NAME \"a\\\"b\"i /x\\/y/is ~ 2..3 // end"),
            [
                (Kind::Rule, "?start"),
                (Kind::Punctuation, ":"),
                (Kind::Terminal, "NAME"),
                (Kind::String, "\"a\\\"b\"i"),
                (Kind::Regex, "/x\\/y/is"),
                (Kind::Punctuation, "~"),
                (Kind::Number, "2"),
                (Kind::Punctuation, ".."),
                (Kind::Number, "3"),
            ]
        );
    }

    #[test]
    fn a_number_ends_before_a_name() {
        let texts = |text| kinds(text).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts("a~2T*12b 0x1Fg"), ["a", "~", "2", "T", "*", "12", "b", "0x1F", "g"]);
    }

    #[test]
    fn broken_text_is_cut_up_too() {
        assert_eq!(kinds("a: 'é'")[2], (Kind::SingleQuoted, "'é'"));
        assert_eq!(kinds("a: \"é\nb")[2], (Kind::Unterminated, "\"é"));
        assert_eq!(kinds("a: /é")[2], (Kind::Unterminated, "/é"));
        assert_eq!(kinds("é")[0], (Kind::Stray, "é"));
        assert_eq!(kinds("%json {\"é\\")[1], (Kind::Json, "{\"é\\"));
    }

    #[test]
    fn definitions_and_references() {
        let scan = Scan::new(
            "%import common.INT\n%import common.WS -> SPACE\n%import common (LF, CR)\n\
             start: ind::0 x -> label\n  | INT %if eq(_, 0)\nind::_: \"\" %if true | x\nx[capture=\"y\"]: z",
        );
        let names = |list: Vec<Definition<'static>>| list.iter().map(|d| d.name).collect::<Vec<_>>();
        assert_eq!(names(scan.definitions()), ["INT", "SPACE", "LF", "CR", "start", "ind", "x"]);
        assert_eq!(names(scan.references()), ["ind", "x", "INT", "x", "z"]);
    }

    #[test]
    fn a_nested_grammar_keeps_its_names_to_itself() {
        let text = "start: a %lark {\n start: a{2} %lark { start: c }\n a: b\n} b\na: c";
        let all = Scan::new(text);
        let scan = all.outermost();
        let names = |list: Vec<Definition<'static>>| list.iter().map(|d| d.name).collect::<Vec<_>>();
        assert_eq!(names(scan.definitions()), ["start", "a"]);
        assert_eq!(names(scan.references()), ["a", "b", "c"]);
        assert_eq!(scan.statements().len(), 2);
        let nested: Vec<&Token> = scan.tokens.iter().filter(|t| t.kind == Kind::Nested).collect();
        assert_eq!(nested.iter().map(|t| scan.str(t).lines().count()).collect::<Vec<_>>(), [4]);
        let inner: Vec<_> = all.grammars().iter().skip(1).map(|g| names(g.references())).collect();
        assert_eq!(inner, [vec!["a", "b"], vec!["c"]]);
        // One without an end goes on to that of the text.
        let open = Scan::new("a: %lark { b: %lark {c\n").grammars();
        assert_eq!(
            open.iter().map(|g| g.tokens.last().map(|t| t.span.end)).collect::<Vec<_>>(),
            [Some(23); 3]
        );
    }

    #[test]
    fn json_hides_its_brackets_from_names_but_not_from_depth() {
        let scan = Scan::new("start: %json {\"a\": [{\"b\": \"}\"}]} tail\ntail: (((\"x\")))");
        assert_eq!(scan.depth().0, 3);
        assert_eq!(scan.references()[0].name, "tail");
    }
}
