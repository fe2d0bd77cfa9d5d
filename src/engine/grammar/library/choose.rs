//! Which shipped grammar, and which of its entry points, a prompt asks for.
//!
//! A prompt that ends in the signature of a function wants its body. One that names a programming language
//! and what is wanted of it ("a Python function"), or begins with a comment that does (`# Python: …`), wants
//! that; only if it names none, a data format counts. What may mean something else, as two languages do, is
//! not chosen.

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
    /// What a model that goes on with the prompt as it is misses at its end, so that the answer begins on a
    /// line of its own, as it does wherever people write code. Nothing where the grammar begins with it.
    pub line_end: &'static str,
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
        let line_end = if trimmed.ends_with('{') { "\n" } else { "" };
        return Some(Choice {
            grammar,
            entry: Some(entry),
            why: Why::Signature(name),
            prompt: trimmed,
            line_end,
        });
    }
    let (language, word) = named(prompt)?;
    let grammar = find(language)?;
    let entry = kind(prompt).filter(|entry| grammar.source().entries().contains(entry));
    Some(Choice { grammar, entry, why: Why::Word(word), prompt, line_end: line_end(prompt) })
}

/// What a request in words lacks at its end: a comment the end of its line, a sentence an empty line.
fn line_end(prompt: &str) -> &'static str {
    let (before, last) =
        prompt.rsplit_once('\n').map_or((None, prompt), |(before, last)| (Some(before), last));
    let is_comment = ["#", "//", "--"].iter().any(|mark| last.trim_start().starts_with(mark));
    match (before, is_comment) {
        // A line that is not a request may be code that is to be gone on with.
        _ if last.trim().is_empty() => "",
        (_, true) => "\n",
        (None, false) => "\n\n",
        (Some(_), false) => "",
    }
}

/// The language, the entry point and the function's name, if the text ends in a signature.
fn signature(text: &str) -> Option<(&'static str, &'static str, &str)> {
    // The last line on which a function begins.
    let mut starts = text.match_indices('\n').map(|(at, _)| at + 1).collect::<Vec<_>>();
    starts.insert(0, 0);
    starts.into_iter().rev().find_map(|start| of_line(&text[start..]))
}

fn of_line(text: &str) -> Option<(&'static str, &'static str, &str)> {
    let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
    let (indentation, text) = text.split_at(blanks);
    let after =
        |words: &[&str]| words.iter().fold(text, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    if let Some(rest) = after(&["async "]).strip_prefix("def ") {
        let (name, after) = header(rest)?;
        // As deep as the grammar's bodies are.
        let entry = match indentation {
            "" => "body",
            "    " => "method_body",
            _ => return None,
        };
        let is_whole =
            after == ":" || (after.starts_with("->") && after.ends_with(':') && !after.contains('\n'));
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
        // Swift and others have a sign before the type.
        let is_go = is_type(after) && !after.starts_with("->") && !after.contains(':');
        return is_go.then_some(("go", braces(after), name));
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
        // Without a type it may be another language's.
        let has_types = after.starts_with(':') || rest.contains(": ");
        let is_whole = after.is_empty() || after == "{" || after.starts_with(':');
        let is_typescript = has_types && is_whole && is_type(after) && !rest.contains('$');
        return is_typescript.then_some(("typescript", braces(after), name));
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

/// What the languages are called in a prompt; those that mean nothing else come first.
const LANGUAGES: [(&str, &str); 6] = [
    ("python", "python"),
    ("python3", "python"),
    ("typescript", "typescript"),
    ("rust", "rust"),
    ("golang", "go"),
    ("zig", "zig"),
];

/// What data is called.
const FORMATS: [(&str, &str); 6] = [
    ("sql", "sql"),
    ("sqlite", "sql"),
    ("postgresql", "sql"),
    ("postgres", "sql"),
    ("json", "json"),
    ("csv", "csv"),
];

/// What stands beside the name of a language where code is wanted: after it, or a few words before it.
const WANTED: [&str; 27] = [
    "function",
    "functions",
    "method",
    "class",
    "struct",
    "enum",
    "trait",
    "interface",
    "program",
    "script",
    "code",
    "file",
    "module",
    "package",
    "expression",
    "test",
    "tests",
    "query",
    "statement",
    "object",
    "array",
    "table",
    "value",
    "implementation",
    "snippet",
    "one-liner",
    "document",
];

/// What is said before a language that something is to be in.
const IN: [&str; 3] = ["in", "using", "as"];

/// The language or format that a prompt asks for, and its word for it.
fn named(prompt: &str) -> Option<(&'static str, &str)> {
    let languages = spoken_of(prompt, &LANGUAGES);
    match languages.as_slice() {
        [] => {}
        [first, rest @ ..] if rest.iter().all(|(language, _)| *language == first.0) => return Some(*first),
        // Which of them is not said.
        _ => return None,
    }
    spoken_of(prompt, &FORMATS).first().copied()
}

/// Every name of `names` in a prompt where something is wanted of what it names.
fn spoken_of<'a>(prompt: &'a str, names: &[(&str, &'static str)]) -> Vec<(&'static str, &'a str)> {
    let words: Vec<&str> = prompt
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
        .filter(|word| !word.is_empty())
        .collect();
    let is_wanted = |word: &&str| WANTED.contains(&word.to_lowercase().as_str());
    let found = words.iter().enumerate().filter_map(|(i, &word)| {
        // Go is a word of English too.
        let lower = if word == "Go" { "golang".to_owned() } else { word.to_lowercase() };
        let (_, language) = *names.iter().find(|(name, _)| *name == lower)?;
        let next = words.get(i + 1).is_some_and(is_wanted);
        let before = i.checked_sub(1).and_then(|at| words.get(at)).is_some_and(|w| IN.contains(w))
            && words[..i].iter().any(is_wanted);
        (next || before || is_comment(prompt, word)).then_some((language, word))
    });
    found.collect()
}

/// Whether a line of the prompt is a comment that begins with the word and a colon.
fn is_comment(prompt: &str, word: &str) -> bool {
    prompt.lines().any(|line| {
        let text = ["//", "#", "--"].iter().find_map(|sign| line.trim_start().strip_prefix(sign));
        text.is_some_and(|text| {
            text.trim_start().strip_prefix(word).is_some_and(|rest| rest.starts_with(':'))
        })
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
            ("def f(x) -> int:\n    if x > 0:", None),
            ("        def deep(self):", None),
            ("\tdef tabbed(self):", None),
            ("func add(a: Int, b: Int) -> Int {", None),
            ("func _ready():", None),
            ("function f($x) {", None),
            ("function f() {", None),
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
    fn what_a_prompt_lacks_at_its_end() {
        for (prompt, wanted) in [
            ("Write a Rust function that splits a line", "\n\n"),
            ("Write a Rust function that splits a line\n", ""),
            ("# Python: the mean of a list", "\n"),
            ("-- Tables: t(id)\n-- SQL: the ten oldest", "\n"),
            ("a Python function:\ndef mean(xs", ""),
            ("fn add(a: i32, b: i32) -> i32 {\n", "\n"),
            ("fn add(a: i32, b: i32) -> i32", ""),
            ("def mean(xs: list[float]) -> float:\n", ""),
        ] {
            let choice = choose(prompt).unwrap_or_else(|| panic!("{prompt:?} asks for something"));
            assert_eq!(choice.line_end, wanted, "{prompt:?}");
        }
    }

    #[test]
    fn languages_are_named() {
        for (prompt, wanted) in [
            ("Create a Python function with type hints", Some(("python", "Python"))),
            ("a TypeScript file, not Rust", Some(("typescript", "TypeScript"))),
            ("write a function in Go that adds", Some(("go", "Go"))),
            ("// Go: reverse a slice", Some(("go", "Go"))),
            ("-- Tables: t(id)\n-- SQL: the ten oldest users", Some(("sql", "SQL"))),
            ("Read a CSV file with a Python script", Some(("python", "Python"))),
            ("Given JSON, write a Rust struct", Some(("rust", "Rust"))),
            ("a JSON object with a name", Some(("json", "JSON"))),
            ("an SQL query for the oldest", Some(("sql", "SQL"))),
            ("a function in golang", Some(("go", "golang"))),
            ("Translate this Python function to a Rust function", None),
            ("Go on with the story", None),
            ("go to the shop", None),
            ("What is Rust?", None),
            ("covered in rust and dust", None),
            ("the road zig-zags", None),
            ("Monty Python's Flying Circus", None),
            ("a rusty nail", None),
            ("Once upon a time", None),
        ] {
            assert_eq!(named(prompt), wanted, "{prompt:?}");
        }
        assert_eq!(kind("a Python module with a function"), Some("file"));
        assert_eq!(kind("A Go function in a file"), Some("function"));
        assert_eq!(kind("a Rust expression"), Some("expression"));
    }
}
