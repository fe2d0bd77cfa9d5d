//! The grammars that come with the program, by language and name.
//!
//! Their texts are the files in `grammars/`, each with a file of cases that it accepts and rejects.

use super::{GrammarKind, GrammarSource};

mod choose;

pub use choose::{Choice, Why, choose};

/// A grammar that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// What it is called: a language, or what the text describes.
    pub name: &'static str,
    /// What it is called too.
    pub aliases: &'static [&'static str],
    /// What it is for, in one line.
    pub about: &'static str,
    /// What it is written in.
    pub kind: GrammarKind,
    /// Its file under `grammars/`.
    pub file: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The text of its file of cases.
    pub cases: &'static str,
}

impl Shipped {
    /// The grammar, named after its file.
    pub fn source(&self) -> GrammarSource {
        GrammarSource::new(self.kind, self.file, self.text)
    }
}

macro_rules! shipped {
    ($name:literal, $aliases:expr, $kind:ident, $file:literal, $about:literal) => {
        Shipped {
            name: $name,
            aliases: &$aliases,
            about: $about,
            kind: GrammarKind::$kind,
            file: $file,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/", $file)),
            cases: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/", $name, ".cases")),
        }
    };
}

/// All of them, languages first.
pub const ALL: &[Shipped] = &[
    shipped!("python", ["py"], Lark, "python.lark", "Python 3.12: functions, files, bodies, expressions"),
    shipped!(
        "typescript",
        ["ts"],
        Lark,
        "typescript.lark",
        "TypeScript 5: functions, files, bodies, expressions"
    ),
    shipped!("rust", ["rs"], Lark, "rust.lark", "Rust 2024: functions, files, bodies, expressions"),
    shipped!("go", ["golang"], Lark, "go.lark", "Go 1.22: functions, files, bodies, expressions"),
    shipped!("zig", [], Lark, "zig.lark", "Zig: functions, files, bodies, expressions"),
    shipped!("sql", [], Lark, "sql.lark", "SQL for both SQLite and PostgreSQL: statements, scripts"),
    shipped!("json", [], Lark, "json.lark", "any JSON value"),
    shipped!("user", [], Lark, "user.lark", "a user as one line of JSON"),
    shipped!("arithmetic", ["calc"], Lark, "arithmetic.lark", "sums and products of numbers"),
    shipped!("robot", [], Lark, "robot.lark", "programs for a robot, a grammar to learn from"),
    shipped!("csv", [], Lark, "csv.lark", "a table with three columns"),
    shipped!("chess", [], Gbnf, "chess.gbnf", "the moves of a chess game, in llama.cpp's GBNF"),
    shipped!("date", [], Regex, "date.regex", "a calendar date, as a regular expression"),
    shipped!("person", [], JsonSchema, "person.schema.json", "a person, as a JSON Schema"),
];

/// The grammar of this name or alias, in any case.
pub fn find(name: &str) -> Option<&'static Shipped> {
    let is_it = |other: &&str| other.eq_ignore_ascii_case(name);
    ALL.iter().find(|g| is_it(&g.name) || g.aliases.iter().any(is_it))
}

/// Every name, in order.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|g| g.name).collect()
}
