//! The words of a language that a source file takes for something else.
//!
//! A file may define or import its own `min`, `Map` or `append`. Whatever looks like it counts, in
//! functions as well: a word too many only leaves out what a grammar could hold. Nothing
//! here may look at more than words and signs.

use std::collections::BTreeSet;

use super::language::Language;
use super::tokens::Token;

/// The words that completions use and that the file declares or imports.
pub(super) fn words(language: Language, tokens: &[Token]) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let at = |n: usize| tokens.get(n).map_or("", |t| t.text);
    let mut take = |range: &[Token]| {
        let words = range.iter().map(|t| t.text).filter(|word| language.uses(word));
        found.extend(words.map(str::to_owned));
    };
    for (n, token) in tokens.iter().enumerate() {
        let rest = tokens.get(n + 1..).unwrap_or_default();
        let until = |end: &dyn Fn(&Token) -> bool| {
            let count = rest.iter().position(end).unwrap_or(rest.len());
            rest.get(..count).unwrap_or_default()
        };
        let next = rest.get(..1).unwrap_or_default();
        match (language, token.text) {
            (Language::Python, "def" | "class" | "type" | "as" | "global" | "nonlocal") => take(next),
            (Language::Python, "for") => take(until(&|t| matches!(t.text, "in" | ":"))),
            (Language::Python, "import") => take(imported(tokens, n)),
            (Language::Python, ":=") => take(tokens.get(n.saturating_sub(1)..n).unwrap_or_default()),
            (Language::Python, "=") => take(assigned(tokens, n)),
            // An annotation declares as well.
            (Language::Python, ":") if n > 0 && starts_line(tokens, n - 1) => {
                take(tokens.get(n - 1..n).unwrap_or_default());
            }
            (Language::TypeScript, "import") => take(until(&|t| t.text == "from" || t.text == ";")),
            (Language::TypeScript, "const" | "let" | "var") if matches!(at(n + 1), "{" | "[") => {
                take(until(&|t| matches!(t.text, "=" | ";")));
            }
            (
                Language::TypeScript,
                "function" | "class" | "interface" | "enum" | "type" | "namespace" | "module" | "const"
                | "let" | "var",
            ) => take(next),
            (Language::TypeScript, "*") if n > 0 && at(n - 1) == "function" => take(next),
            (Language::TypeScript, ",") if matches!(at(n + 2), "=" | ":") => take(next),
            (Language::Rust, "use") => take_used(until(&|t| t.text == ";"), &mut take),
            (
                Language::Rust,
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "mod" | "const" | "static",
            ) => take(next),
            (Language::Rust, "!") if n > 0 && at(n - 1) == "macro_rules" => take(next),
            (Language::Rust, "mut") if n > 0 && at(n - 1) == "static" => take(next),
            // Names of the whole file begin in the first column, or in a group's bracket.
            (Language::Go, "func" | "type" | "var" | "const" | "import") if token.column == 0 => {
                if at(n + 1) != "(" {
                    take(named(rest));
                } else if token.text != "func" {
                    let group = until(&|t| t.text == ")" && t.column == 0);
                    for first in (1..group.len()).filter(|n| *n == 1 || starts_line(group, *n)) {
                        take(named(group.get(first..).unwrap_or_default()));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn starts_line(tokens: &[Token], n: usize) -> bool {
    let line = |n: usize| tokens.get(n).map(|t| t.line);
    n == 0 || line(n - 1) < line(n) || tokens.get(n - 1).is_some_and(|t| t.text == ";")
}

/// The words that commas part, from the first token on.
fn named<'a, 'b>(tokens: &'b [Token<'a>]) -> &'b [Token<'a>] {
    let mut count = usize::from(tokens.first().is_some_and(|t| t.is_word));
    while count > 0 && tokens.get(count).is_some_and(|t| t.text == ",") {
        count += 2;
    }
    tokens.get(..count).unwrap_or_default()
}

/// What the `import` at `n` brings. What comes from the language's own modules is what it is called.
fn imported<'a, 'b>(tokens: &'b [Token<'a>], n: usize) -> &'b [Token<'a>] {
    let rest = tokens.get(n + 1..).unwrap_or_default();
    let mut depth = 0usize;
    let mut count = 0;
    let line = tokens.get(n).map_or(0, |t| t.line);
    for token in rest {
        if token.line > line && depth == 0 {
            break;
        }
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        count += 1;
    }
    let before = |by: usize| n.checked_sub(by).and_then(|n| tokens.get(n)).map_or("", |t| t.text);
    let is_standard = matches!(before(1), "typing" | "typing_extensions") && before(2) == "from"
        || before(1) == "abc" && before(2) == "." && before(3) == "collections";
    if is_standard { &[] } else { rest.get(..count).unwrap_or_default() }
}

/// What stands on the left of the `=` at `n`, unless it is an annotation with a default.
fn assigned<'a, 'b>(tokens: &'b [Token<'a>], n: usize) -> &'b [Token<'a>] {
    let mut first = n;
    while let Some(before) = first.checked_sub(1) {
        let is_part = |t: &Token| t.is_word || matches!(t.text, "," | "(" | ")" | "[" | "]" | "*");
        if !tokens.get(before).is_some_and(is_part) {
            break;
        }
        first = before;
        if starts_line(tokens, first) {
            break;
        }
    }
    // Behind a colon is a type, or a block in one line, which begins with a word for it.
    let is_annotation = first.checked_sub(1).and_then(|n| tokens.get(n)).is_some_and(|t| {
        let opens = tokens.iter().find(|other| other.line == t.line).map_or("", |t| t.text);
        let is_block =
            matches!(opens, "if" | "elif" | "else" | "try" | "finally" | "except" | "for" | "while" | "with");
        matches!(t.text, ":" | "|" | "." | "->") && !(is_block && t.text == ":")
    });
    if is_annotation && !starts_line(tokens, first) { &[] } else { tokens.get(first..n).unwrap_or_default() }
}

/// What a `use` brings, save what the standard library has.
fn take_used(used: &[Token], take: &mut dyn FnMut(&[Token])) {
    let is_standard =
        used.iter().find(|t| t.is_word).is_some_and(|t| matches!(t.text, "std" | "core" | "alloc"));
    for (n, token) in used.iter().enumerate() {
        let is_renamed = n > 0 && used.get(n - 1).is_some_and(|t| t.text == "as");
        // `std` itself, where a path begins, is not brought.
        let is_path = used.get(n + 1).is_some_and(|t| t.text == "::");
        // All values of an enumeration, which may be called so.
        if token.text == "*"
            && n > 1
            && used.get(n - 2).is_some_and(|t| t.text.starts_with(char::is_uppercase))
        {
            let own = ["Some", "None", "Ok", "Err"];
            own.iter().for_each(|text| take(&[Token { text, is_word: true, ..*token }]));
        }
        if is_renamed || !is_standard && !is_path {
            take(std::slice::from_ref(token));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn hidden(language: Language, text: &str) -> String {
        let tokens = tokens(language, text).expect("tokens");
        words(language, &tokens).into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_a_file_declares_or_imports_is_found() {
        for (text, expected) in [
            ("from m import min\nimport m as len\n", "len min"),
            ("from m import (\n    a,\n    max,\n)\n", "max"),
            ("def max(a, b):\n    return a\n", "max"),
            ("str = 3\nx: int = 3\ndef f(a: float = 1) -> list[int]: ...\n", "str"),
            ("if x: min = 3\na, len = 1, 2\nfor max in x: ...\n", "len max min"),
            ("from typing import List, Optional\nfrom collections.abc import Callable\n", ""),
            ("from typing import Any as str\n", "str"),
        ] {
            assert_eq!(hidden(Language::Python, text), expected, "{text}");
        }
        for (text, expected) in [
            ("function String<T>(x: T) { }", "String"),
            ("import { Map } from \"immutable\";\nconst x: Record<string, number> = {};", "Map"),
            ("const { Math, a: String } = x;", "Math String"),
            ("let a = 1, Array = 2;", "Array"),
            ("const x = new Map<string, String>();", ""),
        ] {
            assert_eq!(hidden(Language::TypeScript, text), expected, "{text}");
        }
        for (text, expected) in [
            ("use hashbrown::HashMap;", "HashMap"),
            ("use std::{collections::HashMap, vec::Vec};", ""),
            ("use std::io::Result as Option;", "Option"),
            ("type String = u8; macro_rules! vec { () => {} }", "String vec"),
        ] {
            assert_eq!(hidden(Language::Rust, text), expected, "{text}");
        }
        for (text, expected) in [
            ("func append(a []int) int {\n\tlen := 3\n\treturn len\n}\n", "append"),
            ("func (s Stack) len() int {\n\treturn 1\n}\n", ""),
            ("const (\n\ta = 1\n\tlen = 3\n)\n", "len"),
            ("import len \"strings\"\n", "len"),
        ] {
            assert_eq!(hidden(Language::Go, text), expected, "{text}");
        }
    }
}
