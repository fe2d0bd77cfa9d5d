//! The words and signs of a source file, without its comments; and going through them.
//!
//! Enough to read signatures in four languages, and no more: what stands inside of texts is one
//! token, and most signs are one character. A [`Cursor`] never goes past the end.

use super::language::Language;

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

/// The tokens of a text.
pub(super) fn tokens(language: Language, text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token> = Vec::new();
    let (mut at, mut line, mut start) = (0, 1, 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let may_be_regex = found.last().is_none_or(|t| !t.is_word && !matches!(t.text, ")" | "]" | "}"));
        let length = comment(language, rest).or_else(|| space(rest));
        if let Some(length) = length {
            let (count, last) = lines(&rest[..length]);
            if let Some(last) = last {
                (line, start) = (line + count, at + last + 1);
            }
            at += length;
            continue;
        }
        let quoted = quoted(language, rest, may_be_regex);
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
    found
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

/// The length of a text in quotes, or of a regular expression.
fn quoted(language: Language, rest: &str, may_be_regex: bool) -> Option<usize> {
    let ends = |open: usize, close: &str, escapes: bool| {
        let mut at = open;
        while at < rest.len() && !rest[at..].starts_with(close) {
            let skip = escapes && rest[at..].starts_with('\\');
            let mut chars = rest[at..].chars();
            at += chars.next().map_or(1, char::len_utf8);
            if skip {
                at += chars.next().map_or(0, char::len_utf8);
            }
        }
        (at + close.len()).min(rest.len())
    };
    let first = rest.chars().next()?;
    match (language, first) {
        (Language::Python, '"' | '\'') => {
            let three = if first == '"' { "\"\"\"" } else { "'''" };
            let close = if rest.starts_with(three) { three } else { &three[..1] };
            Some(ends(close.len(), close, true))
        }
        (_, '"') => Some(ends(1, "\"", true)),
        (Language::TypeScript, '\'') | (Language::Go, '\'') => Some(ends(1, &rest[..1], true)),
        (Language::TypeScript, '`') => Some(ends(1, "`", true)),
        (Language::TypeScript, '/') if may_be_regex => Some(ends(1, "/", true)),
        (Language::Go, '`') => Some(ends(1, "`", false)),
        (Language::Rust, '\'') => {
            // A character, or else a lifetime.
            let mut chars = rest[1..].chars();
            match (chars.next()?, chars.next()) {
                ('\\', _) => Some(ends(1, "'", true)),
                (c, Some('\'')) => Some(c.len_utf8() + 2),
                _ => Some(
                    rest[1..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(rest.len(), |l| l + 1),
                ),
            }
        }
        (Language::Rust, 'r') => {
            let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
            let is_raw = rest[1 + hashes..].starts_with('"');
            is_raw.then(|| ends(hashes + 2, &format!("\"{}", "#".repeat(hashes)), false))
        }
        _ => None,
    }
}

/// A place among tokens.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a, 'b> {
    tokens: &'b [Token<'a>],
    pub at: usize,
    end: Token<'a>,
}

impl<'a, 'b> Cursor<'a, 'b> {
    pub(super) fn new(tokens: &'b [Token<'a>]) -> Self {
        let line = tokens.last().map_or(1, |t| t.line);
        Self { tokens, at: 0, end: Token { text: "", is_word: false, line, column: 0 } }
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
        tokens(language, text).into_iter().map(|t| t.text).collect()
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
        let all = tokens(Language::Python, "a = '''\n\n'''\n  b = (1,\n2)\nc\n");
        let b = all.iter().find(|t| t.text == "b").expect("it is there");
        assert_eq!((b.line, b.column), (4, 2));
        let mut cursor = Cursor::new(&all);
        cursor.at = all.iter().position(|t| t.text == "b").expect("it is there");
        cursor.skip_line();
        assert_eq!(cursor.text(), "c");
        assert_eq!(unbalanced(&all), None);
        assert_eq!(unbalanced(&tokens(Language::Go, "x\n(\n{}\n")), Some(2));
        assert_eq!(unbalanced(&tokens(Language::Go, "x\n}\n(")), Some(2));
    }
}
