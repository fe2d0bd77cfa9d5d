//! The examples in the picker: a shipped grammar, a prompt that goes with it, and what to try.

use crate::engine::grammar::library;
use crate::engine::{GrammarKind, GrammarSource};

use super::language::Language;

/// Something to start from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example {
    /// Its name in the picker.
    pub name: &'static str,
    /// What to try, in one line.
    pub about: &'static str,
    /// The name of the shipped grammar.
    pub grammar: &'static str,
    /// The entry point that the prompt asks for, if not the one that the file begins with.
    pub entry: Option<&'static str>,
    /// The prompt.
    pub prompt: &'static str,
    /// What the output is written in.
    pub language: Language,
}

impl Example {
    /// The grammar, named after its file.
    pub fn source(&self) -> GrammarSource {
        let source = library::find(self.grammar)
            .map_or_else(|| GrammarSource::lark(self.grammar, ""), library::Shipped::source);
        self.entry.and_then(|entry| source.with_entry(entry).ok()).unwrap_or(source)
    }

    /// The example whose grammar is in `file`.
    pub fn of_file(file: &str) -> Option<&'static Self> {
        EXAMPLES.iter().find(|e| e.source().name == file)
    }
}

/// What a grammar's output is written in, so far as its kind and name tell.
pub fn language_of(source: &GrammarSource) -> Language {
    match (Example::of_file(&source.name), source.kind) {
        (Some(example), _) => example.language,
        (None, GrammarKind::JsonSchema) => Language::Json,
        (None, _) => Language::Plain,
    }
}

/// All of them; the first is open at the start.
pub const EXAMPLES: &[Example] = &[
    Example {
        name: "A user as JSON",
        about: "Watch the keys being forced; then change a key and run again.",
        grammar: "user",
        entry: None,
        prompt: "// JSON: a user with name Alice, age 30 and tags admin, rust\n",
        language: Language::Json,
    },
    Example {
        name: "A Python function",
        about: "Step with F10 and look at what may follow `return`.",
        grammar: "python",
        entry: Some("function"),
        prompt: "# Python: Return the average of a list of numbers\n",
        language: Language::Python,
    },
    Example {
        name: "A TypeScript function",
        about: "Search the rejected tokens for `function` inside the body.",
        grammar: "typescript",
        entry: Some("function"),
        prompt: "// TypeScript: Return the largest number in an array\n",
        language: Language::TypeScript,
    },
    Example {
        name: "A Rust function",
        about: "See how rarely the mask has to remove anything.",
        grammar: "rust",
        entry: Some("function"),
        prompt: "// Rust: Return the sum of the even numbers in a slice\n",
        language: Language::Rust,
    },
    Example {
        name: "A Go function",
        about: "Take `for` out of the grammar and see how the model copes.",
        grammar: "go",
        entry: Some("function"),
        prompt: "// Go: Reverse a string\n",
        language: Language::Go,
    },
    Example {
        name: "A Zig function",
        about: "Rewrite the prompt and watch the signature follow.",
        grammar: "zig",
        entry: Some("function"),
        prompt: "// Zig: Return whether a number is divisible by 7\n",
        language: Language::Zig,
    },
    Example {
        name: "An SQL query",
        about: "Restrict the table names to the two in the prompt.",
        grammar: "sql",
        entry: Some("select"),
        prompt: "-- Tables: users(id, name, age, city), orders(id, user_id, total)\n-- SQL: Count the users older than 30 per city\n",
        language: Language::Sql,
    },
    Example {
        name: "A person by JSON Schema",
        about: "The same kind of output from a schema instead of rules.",
        grammar: "person",
        entry: None,
        prompt: "// JSON: a person named Grace Hopper who is 85 years old\n",
        language: Language::Json,
    },
    Example {
        name: "Arithmetic",
        about: "The smallest grammar with recursion: add a power operator.",
        grammar: "arithmetic",
        entry: None,
        prompt: "# the sum of the first ten numbers\ntotal = ",
        language: Language::Plain,
    },
    Example {
        name: "A robot's program",
        about: "A grammar to learn from: its comments say one idea each.",
        grammar: "robot",
        entry: None,
        prompt: "// JSON: a robot with name max that goes forward 3, turns left and says \"done\"\n",
        language: Language::Plain,
    },
    Example {
        name: "A chess game in GBNF",
        about: "llama.cpp's own language: forbid castling.",
        grammar: "chess",
        entry: None,
        prompt: "# Python: a game of chess\nmoves = \"\"\"\n",
        language: Language::Plain,
    },
    Example {
        name: "A date by regex",
        about: "Try to make 30 February impossible.",
        grammar: "date",
        entry: None,
        prompt: "# Python: the day of the release\nreleased = \"",
        language: Language::Plain,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_a_shipped_grammar() {
        for example in EXAMPLES {
            assert!(library::find(example.grammar).is_some(), "{}", example.name);
            assert_eq!(
                example.source().entry().filter(|_| example.entry.is_some()),
                example.entry,
                "{}",
                example.name
            );
            assert_eq!(language_of(&example.source()), example.language, "{}", example.name);
        }
    }
}
