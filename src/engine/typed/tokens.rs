//! The words and signs of a source file, without its comments; and going through them.
//!
//! Enough to read signatures in four languages, and no more: what stands inside of texts is one
//! token, and most signs are one character. A [`Cursor`] never goes past the end.

use super::TypedError;
use super::language::Language;

/// How deep types and texts inside of each other are read.
const MAX_DEPTH: usize = 32;

/// A word, a number, a text or a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub text: &'a str,
    pub is_word: bool,
    /// From 1.
    pub line: usize,
    /// The bytes before it in its line.
    pub column: usize,
}

/// Signs of several characters. `>>` is two, as in `Vec<Vec<u8>>`.
const SIGNS: [&str; 8] = ["...", "->", "=>", "::", ":=", "**", "?.", "=="];

/// The tokens of a text, without a byte order mark.
///
/// # Errors
/// The line of a text or a regular expression that does not end.
pub(super) fn tokens(language: Language, text: &str) -> Result<Vec<Token<'_>>, TypedError> {
    let mut found: Vec<Token> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut at, mut line, mut start) = (0, 1, 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = comment(language, rest).or_else(|| space(rest));
        if let Some(length) = length {
            let (count, last) = lines(&rest[..length]);
            if let Some(last) = last {
                (line, start) = (line + count, at + last + 1);
            }
            at += length;
            continue;
        }
        let quoted = quoted(language, rest, may_be_regex(&found)).map_err(|what| {
            TypedError::new(format!("{what}, so that nothing after it can be told")).at(line)
        })?;
        let (length, is_word) = if let Some(length) = quoted {
            (length, false)
        } else if c.is_alphanumeric() || matches!(c, '_' | '$') {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$'));
            (end.unwrap_or(rest.len()), !c.is_numeric())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (sign.len(), false)
        } else {
            (c.len_utf8(), false)
        };
        let token = &rest[..length];
        found.push(Token { text: token, is_word, line, column: at - start });
        if let (count, Some(last)) = lines(token) {
            (line, start) = (line + count, at + last + 1);
        }
        at += length;
    }
    Ok(found)
}

/// Whether `/` begins a regular expression after these tokens, and divides nothing.
fn may_be_regex(before: &[Token]) -> bool {
    let is_value = |t: &Token| {
        let is_written = t.text.starts_with(|c: char| c.is_numeric() || matches!(c, '"' | '\'' | '`'));
        t.is_word
            || is_written
            || matches!(t.text, ")" | "]" | "}")
            || t.text.len() > 1 && t.text.starts_with('/')
    };
    let [.., last] = before else { return true };
    let second = before.len().checked_sub(2).and_then(|n| before.get(n));
    match last.text {
        "return" | "typeof" | "case" | "in" | "of" | "do" | "else" | "throw" | "void" | "delete"
        | "await" | "yield" => second.is_none_or(|t| !matches!(t.text, "." | "?.")),
        // `x++ / y` and `x! / y` divide.
        "+" | "-" => {
            !second.is_some_and(|t| t.text == last.text && t.line == last.line && t.column + 1 == last.column)
        }
        "!" => !second.is_some_and(is_value),
        _ => !is_value(last),
    }
}

/// How many line breaks there are, and where the last is.
fn lines(text: &str) -> (usize, Option<usize>) {
    (text.matches('\n').count(), text.rfind('\n'))
}

fn space(rest: &str) -> Option<usize> {
    let length = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
    // A backslash before a line break joins the lines.
    if length == 0 && rest.starts_with("\\\n") { Some(2) } else { Some(length).filter(|l| *l > 0) }
}

fn comment(language: Language, rest: &str) -> Option<usize> {
    let line = if language == Language::Python { "#" } else { "//" };
    if rest.starts_with(line) {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if language == Language::Python || !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") && (depth == 0 || language == Language::Rust) {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(rest.len())
}

/// The length of a text that `close` ends, `open` bytes long where it begins. Nothing if it does not end.
fn ends(rest: &str, open: usize, close: &str, escapes: bool, is_line: bool) -> Option<usize> {
    let mut at = open;
    while !rest[at..].starts_with(close) {
        let mut chars = rest[at..].chars();
        let c = chars.next().filter(|c| !is_line || *c != '\n')?;
        at += c.len_utf8();
        if escapes && c == '\\' {
            at += chars.next().map_or(0, char::len_utf8);
        }
    }
    Some(at + close.len())
}

/// The length of a regular expression. A slash between square brackets does not end it.
fn regex(rest: &str) -> Option<usize> {
    let mut is_class = false;
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => return None,
            '\\' => {
                chars.next().filter(|(_, c)| *c != '\n')?;
            }
            '[' => is_class = true,
            ']' => is_class = false,
            '/' if !is_class => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of a template, in which there may be others.
fn template(rest: &str, depth: usize) -> Option<usize> {
    let mut at = 1;
    // Brackets that are open in each `${`; only one, as those inside are other calls.
    let mut open = 0usize;
    loop {
        let here = &rest[at..];
        let c = here.chars().next()?;
        at += match c {
            '\\' if open == 0 => 1 + here[1..].chars().next()?.len_utf8(),
            '`' if open == 0 => return Some(at + 1),
            '$' if open == 0 && here.starts_with("${") => {
                open = 1;
                2
            }
            '`' if depth == MAX_DEPTH => return None,
            '`' => template(here, depth + 1)?,
            '"' | '\'' if open > 0 => ends(here, 1, &here[..1], true, true)?,
            '/' if open > 0 => comment(Language::TypeScript, here).unwrap_or(1),
            '{' | '}' if open > 0 => {
                open = if c == '{' { open + 1 } else { open - 1 };
                1
            }
            _ => c.len_utf8(),
        };
    }
}

/// The length of a text in quotes, or of a regular expression. An error says what does not end.
fn quoted(language: Language, rest: &str, may_be_regex: bool) -> Result<Option<usize>, String> {
    let Some(first) = rest.chars().next() else { return Ok(None) };
    let text = |length: Option<usize>| length.map(Some).ok_or_else(|| "this text does not end".to_owned());
    match (language, first) {
        (Language::Python, '"' | '\'') => {
            let three = if first == '"' { "\"\"\"" } else { "\'\'\'" };
            let is_long = rest.starts_with(three);
            let close = if is_long { three } else { &three[..1] };
            text(ends(rest, close.len(), close, true, !is_long))
        }
        (Language::Rust, '"') => text(ends(rest, 1, "\"", true, false)),
        (_, '"') => text(ends(rest, 1, "\"", true, true)),
        (Language::TypeScript | Language::Go, '\'') => text(ends(rest, 1, "'", true, true)),
        (Language::TypeScript, '`') => template(rest, 1).map(Some).ok_or_else(|| {
            format!("this template does not end, or is deeper than the {MAX_DEPTH} that are read")
        }),
        (Language::TypeScript, '/') if may_be_regex => {
            regex(rest).map(Some).ok_or_else(|| "this regular expression does not end in its line".to_owned())
        }
        (Language::Go, '`') => text(ends(rest, 1, "`", false, false)),
        (Language::Rust, '\'') => {
            // A character, or else a lifetime.
            let mut chars = rest[1..].chars();
            match (chars.next(), chars.next()) {
                (Some('\\'), _) => text(ends(rest, 1, "'", true, true)),
                (Some(c), Some('\'')) => Ok(Some(c.len_utf8() + 2)),
                _ => {
                    let end = rest[1..].find(|c: char| !c.is_alphanumeric() && c != '_');
                    Ok(Some(end.map_or(rest.len(), |l| l + 1)))
                }
            }
        }
        (Language::Rust, 'r' | 'b' | 'c') => {
            let Some(open) = ["r", "br", "cr"].iter().find(|open| rest.starts_with(**open)) else {
                return Ok(None);
            };
            let hashes = rest[open.len()..].bytes().take_while(|b| *b == b'#').count();
            let before = open.len() + hashes;
            if !rest[before..].starts_with('"') {
                return Ok(None);
            }
            text(ends(rest, before + 1, &format!("\"{}", "#".repeat(hashes)), false, false))
        }
        _ => Ok(None),
    }
}

/// A place among tokens.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a, 'b> {
    tokens: &'b [Token<'a>],
    pub at: usize,
    end: Token<'a>,
    /// How many types the one that is read is in.
    depth: usize,
}

impl<'a, 'b> Cursor<'a, 'b> {
    pub(super) fn new(tokens: &'b [Token<'a>]) -> Self {
        let line = tokens.last().map_or(1, |t| t.line);
        Self { tokens, at: 0, end: Token { text: "", is_word: false, line, column: 0 }, depth: 0 }
    }

    /// Reads one type more inside.
    ///
    /// # Errors
    /// What `read` says, or that it is too deep.
    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.need_depth(1)?;
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Whether `more` types may be around this one.
    pub(super) fn need_depth(&self, more: usize) -> Result<(), String> {
        if self.depth + more > MAX_DEPTH {
            return Err(format!("types are read to a depth of {MAX_DEPTH}"));
        }
        Ok(())
    }

    /// The same depth for a type that stands in a text.
    pub(super) fn as_deep_as(mut self, other: &Cursor) -> Self {
        self.depth = other.depth;
        self
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The token here; an empty one at the end.
    pub(super) fn token(&self) -> Token<'a> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, by: usize) -> Token<'a> {
        self.tokens.get(self.at + by).copied().unwrap_or(self.end)
    }

    /// The token before this one.
    pub(super) fn before(&self) -> Token<'a> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied().unwrap_or(self.end)
    }

    pub(super) fn text(&self) -> &'a str {
        self.token().text
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.text() == text
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.token();
        self.at += 1;
        token
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is = self.is(text);
        self.at += usize::from(is);
        is
    }

    pub(super) fn need(&mut self, text: &str) -> Result<(), String> {
        if self.eat(text) { Ok(()) } else { Err(format!("`{text}` is expected before {}", self.shown())) }
    }

    pub(super) fn word(&mut self) -> Result<&'a str, String> {
        if self.token().is_word {
            Ok(self.next().text)
        } else {
            Err(format!("a name is expected before {}", self.shown()))
        }
    }

    /// The token here, for a message.
    pub(super) fn shown(&self) -> String {
        let text: String = self.text().chars().take(20).collect();
        if text.is_empty() { "the end".into() } else { format!("`{text}`") }
    }

    /// Goes behind the bracket that closes the one here, or behind the one token here.
    pub(super) fn skip(&mut self) {
        let mut depth = 0usize;
        loop {
            match self.next().text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 || self.is_at_end() {
                return;
            }
        }
    }

    /// Goes to the first token outside of brackets that is one of `ends`, or to a closing bracket.
    pub(super) fn skip_to(&mut self, ends: &[&str]) {
        while !self.is_at_end() && !ends.contains(&self.text()) && !matches!(self.text(), ")" | "]" | "}") {
            self.skip();
        }
    }

    /// The same, unless the cursor is at the beginning of a line already.
    pub(super) fn end_line(&mut self) {
        if self.at > 0 && self.token().line == self.before().line {
            self.skip_line();
        }
    }

    /// Goes to the first token outside of brackets that begins a line.
    pub(super) fn skip_line(&mut self) {
        let mut line = self.token().line;
        while !self.is_at_end() && self.token().line == line {
            self.skip();
            // Where a bracket closes, its line goes on.
            line = self.before().line;
        }
    }
}

/// The line of the first bracket that nothing closes, or that closes nothing.
pub(super) fn unbalanced(tokens: &[Token]) -> Option<usize> {
    let mut open: Vec<&Token> = Vec::new();
    for token in tokens {
        let opens = match token.text {
            "(" | "[" | "{" => {
                open.push(token);
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        match open.pop() {
            Some(last) if last.text == opens => {}
            _ => return Some(token.line),
        }
    }
    open.last().map(|token| token.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(language: Language, text: &str) -> Vec<&str> {
        tokens(language, text).expect("tokens").into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn texts_and_comments_hide_what_is_in_them() {
        let python = "def f(a: 'B') -> int:  # {\n    \"\"\"(\n\"\"\"\n";
        assert_eq!(
            texts(Language::Python, python),
            ["def", "f", "(", "a", ":", "'B'", ")", "->", "int", ":", "\"\"\"(\n\"\"\""]
        );
        let rust = "fn f<'a>(c: char) { '{'; '\\''; r#\"}\"#; /* /* } */ */ x }";
        let expected = ["fn", "f", "<", "'a", ">", "(", "c", ":", "char", ")", "{", "'{'", ";", "'\\''", ";"];
        assert_eq!(texts(Language::Rust, rust)[..15], expected);
        assert_eq!(texts(Language::Rust, rust)[15..], ["r#\"}\"#", ";", "x", "}"]);
        assert_eq!(texts(Language::TypeScript, "a = /[{]/; b / c"), ["a", "=", "/[{]/", ";", "b", "/", "c"]);
        assert_eq!(texts(Language::Go, "`\\`, '\\'', \"\\\"\""), ["`\\`", ",", "'\\''", ",", "\"\\\"\""]);
    }

    #[test]
    fn places_are_right_after_texts_of_several_lines() {
        let all = tokens(Language::Python, "a = '''\n\n'''\n  b = (1,\n2)\nc\n").expect("tokens");
        let b = all.iter().find(|t| t.text == "b").expect("it is there");
        assert_eq!((b.line, b.column), (4, 2));
        let mut cursor = Cursor::new(&all);
        cursor.at = all.iter().position(|t| t.text == "b").expect("it is there");
        cursor.skip_line();
        assert_eq!(cursor.text(), "c");
        assert_eq!(unbalanced(&all), None);
        assert_eq!(unbalanced(&tokens(Language::Go, "x\n(\n{}\n").expect("tokens")), Some(2));
        assert_eq!(unbalanced(&tokens(Language::Go, "x\n}\n(").expect("tokens")), Some(2));
    }
    #[test]
    fn what_could_be_taken_for_a_text_or_a_bracket_is_not() {
        for (text, expected) in [
            ("return /[/{]\"/.test(x)", &["return", "/[/{]\"/", ".", "test", "(", "x", ")"][..]),
            ("x++ / y / z", &["x", "+", "+", "/", "y", "/", "z"]),
            ("x! / 2 / 3", &["x", "!", "/", "2", "/", "3"]),
            ("a.in / b / 4 / c", &["a", ".", "in", "/", "b", "/", "4", "/", "c"]),
            ("`a ${`}${\"`\"}`} {` + {}", &["`a ${`}${\"`\"}`} {`", "+", "{", "}"]),
        ] {
            assert_eq!(texts(Language::TypeScript, text), expected, "{text}");
        }
        assert_eq!(texts(Language::Rust, "br#\"\"}\"# cr\"{\" brx"), ["br#\"\"}\"#", "cr\"{\"", "brx"]);
        assert_eq!(tokens(Language::Go, "\u{feff}func").expect("tokens")[0].column, 0);
        let deep = "`${".repeat(40) + "1" + &"}`".repeat(40);
        for (language, text, line) in [
            (Language::TypeScript, "\nx = /a\n", 2),
            (Language::TypeScript, "\n\nx = 'a\n'", 3),
            (Language::TypeScript, deep.as_str(), 1),
            (Language::Python, "x = \"a\n\"\"\"", 1),
            (Language::Rust, "\nr#\"a\"", 2),
            (Language::Go, "\n`a", 2),
        ] {
            assert_eq!(tokens(language, text).expect_err(text).line, Some(line), "{text}");
        }
    }
}
