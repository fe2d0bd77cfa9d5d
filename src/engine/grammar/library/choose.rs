//! Which shipped grammar, and which of its entry points, a prompt asks for.
//!
//! A prompt that ends in the signature of a function wants its body; one that names a language wants
//! that language, a function of it unless it speaks of a file or an expression. What is not certain is
//! not chosen: this file must never guess a language from the look of a text alone.

use std::fmt;

use super::{Shipped, find};

/// What a prompt asks for.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The grammar.
    pub grammar: &'static Shipped,
    /// The entry point, if the grammar has it; none means the one that `start` names.
    pub entry: Option<&'static str>,
    /// Why.
    pub why: Why<'a>,
    /// The prompt as the entry point wants it: without what stands after a signature.
    pub prompt: &'a str,
}

/// What was seen in the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why<'a> {
    /// It ends in the signature of a function of this name.
    Signature(&'a str),
    /// It says this word.
    Word(&'a str),
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(name) => write!(f, "the prompt ends in the signature of `{name}`"),
            Self::Word(word) => write!(f, "the prompt says {word:?}"),
        }
    }
}

/// What `prompt` asks for, if it says so.
pub fn choose(prompt: &str) -> Option<Choice<'_>> {
    let trimmed = prompt.trim_end();
    if let Some((language, entry, name)) = signature(trimmed) {
        let grammar = find(language).filter(|grammar| grammar.source().entries().contains(&entry))?;
        return Some(Choice { grammar, entry: Some(entry), why: Why::Signature(name), prompt: trimmed });
    }
    let (language, word) = named(prompt)?;
    let grammar = find(language)?;
    let entry = kind(prompt).filter(|entry| grammar.source().entries().contains(entry));
    Some(Choice { grammar, entry, why: Why::Word(word), prompt })
}

/// The language, the entry point and the function's name, if the text ends in a signature.
fn signature(text: &str) -> Option<(&'static str, &'static str, &str)> {
    // The last line on which a function begins.
    let mut starts = text.match_indices('\n').map(|(at, _)| at + 1).collect::<Vec<_>>();
    starts.insert(0, 0);
    starts.into_iter().rev().find_map(|start| of_line(&text[start..]))
}

fn of_line(text: &str) -> Option<(&'static str, &'static str, &str)> {
    let indented = text.starts_with([' ', '\t']);
    let text = text.trim_start();
    let after =
        |words: &[&str]| words.iter().fold(text, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    if let Some(rest) = after(&["async "]).strip_prefix("def ") {
        let (name, after) = header(rest)?;
        let entry = if indented { "method_body" } else { "body" };
        let is_whole =
            after.ends_with(':') && (after == ":" || after.starts_with(" ->") || after.starts_with("->"));
        return is_whole.then_some(("python", entry, name));
    }
    let braces = |after: &str| if after.ends_with('{') { "body" } else { "block" };
    // Go's methods have their receiver before the name.
    if let Some(rest) = text.strip_prefix("func ") {
        let rest = match rest.strip_prefix('(') {
            Some(receiver) => receiver.split_once(')')?.1.trim_start(),
            None => rest,
        };
        let (name, after) = header(rest)?;
        return is_type(after).then_some(("go", braces(after), name));
    }
    let public = after(&["export ", "pub ", "pub(crate) ", "inline ", "const ", "async ", "unsafe "]);
    if let Some(rest) = public.strip_prefix("fn ") {
        let (name, after) = header(rest)?;
        // Rust has an arrow before the type, Zig has always a type.
        let is_rust = after.is_empty()
            || after.starts_with("->")
            || after.starts_with('{')
            || after.starts_with("where");
        return is_type(after).then_some((if is_rust { "rust" } else { "zig" }, braces(after), name));
    }
    if let Some(rest) = after(&["export ", "default ", "async "]).strip_prefix("function ") {
        let (name, after) = header(rest)?;
        let is_whole = after.is_empty() || after == "{" || after.starts_with(':');
        return (is_whole && is_type(after)).then_some(("typescript", braces(after), name));
    }
    None
}

/// The name of a function, and what follows its parameters.
fn header(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').filter(|&end| end > 0)?;
    let (name, mut rest) = text.split_at(end);
    // Type parameters.
    if rest.starts_with(['<', '[']) {
        rest = &rest[closed(rest)?..];
    }
    let rest = rest.trim_start();
    let after = if rest.starts_with('(') { &rest[closed(rest)?..] } else { return None };
    Some((name, after.trim()))
}

/// Where the bracket is closed that a text begins with; an arrow in it closes nothing.
fn closed(text: &str) -> Option<usize> {
    let (mut depth, mut before) = (0_usize, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if matches!(before, '-' | '=') => {}
            ')' | ']' | '}' | '>' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + c.len_utf8());
        }
        before = c;
    }
    None
}

/// Whether what follows the parameters may be a type, and the bracket of a body after it: one line, and
/// no bracket closed too much.
fn is_type(after: &str) -> bool {
    !after.contains(['\n', ';']) && !after.trim_end_matches('{').contains('}')
}

/// What the languages are called in a prompt: alone, or, for words that mean something else too, only
/// written this way and before or after one of the words of [`BESIDE`].
const NAMES: [(&str, &str); 12] = [
    ("python", "python"),
    ("python3", "python"),
    ("typescript", "typescript"),
    ("rust", "rust"),
    ("golang", "go"),
    ("zig", "zig"),
    ("sql", "sql"),
    ("sqlite", "sql"),
    ("postgresql", "sql"),
    ("postgres", "sql"),
    ("json", "json"),
    ("csv", "csv"),
];

/// What stands beside `Go` where it is the language.
const BESIDE: [&str; 11] =
    ["in", "a", "the", "function", "program", "code", "file", "method", "struct", "package", "expression"];

/// The language that a prompt names first, and its word for it.
fn named(prompt: &str) -> Option<(&'static str, &str)> {
    let words: Vec<&str> =
        prompt.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().find_map(|(i, &word)| {
        let beside = |at: Option<usize>| at.and_then(|at| words.get(at)).is_some_and(|w| BESIDE.contains(w));
        if word == "Go" && (beside(i.checked_sub(1)) || beside(Some(i + 1)) || prompt.contains("Go:")) {
            return Some(("go", word));
        }
        let lower = word.to_lowercase();
        NAMES.iter().find(|(name, _)| *name == lower).map(|(_, language)| (*language, word))
    })
}

/// The entry point that a prompt speaks of, by its first word for one.
fn kind(prompt: &str) -> Option<&'static str> {
    let mut words = prompt.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.find_map(|word| match word.as_str() {
        "function" | "method" | "class" | "func" | "fn" => Some("function"),
        "file" | "module" | "program" | "script" | "package" | "test" | "tests" => Some("file"),
        "expression" => Some("expression"),
        "query" | "statement" => Some("statement"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_told_apart() {
        for (prompt, wanted) in [
            ("def mean(xs: list[float]) -> float:", Some(("python", "body", "mean"))),
            ("import os\n\nasync def f(a, b=(1, 2)):\n", Some(("python", "body", "f"))),
            ("class A:\n    def f(self):", Some(("python", "method_body", "f"))),
            ("def f(\n    a,\n    b,\n):", Some(("python", "body", "f"))),
            ("fn add(a: i32, b: i32) -> i32 {", Some(("rust", "body", "add"))),
            ("pub fn run<F: Fn(u8) -> u8>(f: F)", Some(("rust", "block", "run"))),
            ("pub fn add(a: i32, b: i32) i32 {", Some(("zig", "body", "add"))),
            ("fn main() !void", Some(("zig", "block", "main"))),
            ("func Map[T, U any](xs []T, f func(T) U) []U {", Some(("go", "body", "Map"))),
            ("func (s *Stack) Push(x int) {", Some(("go", "body", "Push"))),
            ("func main()", Some(("go", "block", "main"))),
            (
                "export async function load(url: string): Promise<Item[]> {",
                Some(("typescript", "body", "load")),
            ),
            ("function f(g: (x: number) => string)", Some(("typescript", "block", "f"))),
            ("def f(x): return x", None),
            ("fn add(a: i32", None),
            ("fn one() {\n}\n", None),
            ("function f() { return 1; }", None),
            ("a function of x", None),
            ("fn", None),
            ("", None),
        ] {
            assert_eq!(signature(prompt.trim_end()), wanted, "{prompt:?}");
        }
    }

    #[test]
    fn languages_are_named() {
        for (prompt, wanted) in [
            ("Create a Python function with type hints", Some(("python", "Python"))),
            ("a TypeScript file, not Rust", Some(("typescript", "TypeScript"))),
            ("write a function in Go that adds", Some(("go", "Go"))),
            ("// Go: reverse a slice", Some(("go", "Go"))),
            ("Go on with the story", None),
            ("go to the shop", None),
            ("a rusty nail", None),
            ("-- SQL: the ten oldest users", Some(("sql", "SQL"))),
            ("Once upon a time", None),
        ] {
            assert_eq!(named(prompt), wanted, "{prompt:?}");
        }
        assert_eq!(kind("a Python module with a function"), Some("file"));
        assert_eq!(kind("A Go function in a file"), Some("function"));
        assert_eq!(kind("a Rust expression"), Some("expression"));
    }
}
