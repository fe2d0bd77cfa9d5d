//! The shipped grammars of languages against parsers of those languages: random texts of every entry
//! point are texts of the language to tree-sitter's grammar of it, to SQLite, or to serde_json.
//!
//! An entry point that is a part of a file is put into one. What tree-sitter refuses although the language
//! has it is listed beside the language, with a reason.

use rusqlite::fallible_iterator::FallibleIterator;
use tree_sitter::{Language, Node, Parser};

use maze::engine::grammar::library;
use maze::engine::sample;

#[path = "support/nano.rs"]
mod nano;

/// Random texts of every entry point.
const TEXTS: u64 = 1_000;

/// Most texts of an entry point that tree-sitter may refuse as it is known to.
const KNOWN: usize = 3;

/// Most tokens of a text before it takes the shortest way to its end.
const TOKENS: usize = 40;

/// An entry point: its name, and what stands before and after its text in a file.
type Entry = (&'static str, &'static str, &'static str);

/// Every text of the entry points is one of the language.
fn all_are_read(name: &str, language: &Language, entries: &[Entry], is_known: fn(&str) -> bool) {
    let source = library::find(name).expect("it is shipped").source();
    let names: Vec<&str> = entries.iter().map(|(name, ..)| *name).collect();
    assert_eq!(source.entries(), names, "every entry point is tried");
    let mut parser = Parser::new();
    parser.set_language(language).expect("a grammar of this version");
    let mut refused = String::new();
    for (entry, before, after) in entries {
        let source = source.with_entry(entry).expect("it is listed");
        let grammar = nano::COMPILER.try_compile(&source).expect("it compiles");
        let mut known = 0;
        for seed in 0..TEXTS {
            let text = sample::text(&grammar, &nano::VOCABULARY, seed, TOKENS)
                .unwrap_or_else(|e| panic!("{name}, {entry}, seed {seed}: {e}"));
            let text = format!("{before}{}{after}", String::from_utf8(text).expect("UTF-8"));
            let tree = parser.parse(&text, None).expect("nobody stops it");
            if !tree.root_node().has_error() {
                continue;
            }
            if is_known(&text) {
                known += 1;
            } else {
                let place = wrong(tree.root_node());
                refused += &format!("{entry}, seed {seed}, at {place}:\n{text}\n\n");
            }
        }
        assert!(known <= KNOWN, "{name}, {entry}: {known} of {TEXTS} are refused as is known");
    }
    let count = refused.matches(", seed ").count();
    assert!(
        refused.is_empty(),
        "{name}: {count} are refused, such as {}",
        &refused[..refused.len().min(3_000)]
    );
}

/// The first place that the parser could not read, from 1.
fn wrong(node: Node<'_>) -> String {
    let mut node = node;
    while let Some(child) =
        (0..node.child_count() as u32).filter_map(|i| node.child(i)).find(|c| c.has_error() || c.is_missing())
    {
        node = child;
    }
    let at = node.start_position();
    format!("{}:{}", at.row + 1, at.column + 1)
}

#[test]
fn python() {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "def f():", ""),
        ("method_body", "class A:\n    def f(self):", ""),
        ("expression", "x = ", "\n"),
    ];
    // tree-sitter ends the block where an index goes on in a line with less indentation; Python does not.
    let is_known = |text: &str| text.contains("[\n");
    all_are_read("python", &tree_sitter_python::LANGUAGE.into(), &entries, is_known);
}

#[test]
fn typescript() {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "async function f() {", ""),
        ("block", "async function f()", ""),
        ("expression", "const x = (", "\n);\n"),
    ];
    // tree-sitter takes `?.6` after an expression for an optional chain.
    let is_known = |text: &str| text.contains("?.");
    all_are_read("typescript", &tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), &entries, is_known);
}

#[test]
fn rust() {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "fn f() {", ""),
        ("block", "fn f()", ""),
        ("expression", "const X: T = ", ";\n"),
    ];
    // tree-sitter does not read the names of primitive types where they are those of something else, and takes
    // `<` after a cast for the start of arguments; Rust does, and takes `<=` for what it is.
    let is_known = |text: &str| {
        let primitive = ["bool", "char", "str", "f32", "f64", "size", "8", "16", "32", "64", "128"];
        let is_other =
            |name: &&str| ["<", "{", " {", "!"].iter().any(|sign| text.contains(&format!("{name}{sign}")));
        text.contains(" as ") || primitive.iter().any(is_other)
    };
    all_are_read("rust", &tree_sitter_rust::LANGUAGE.into(), &entries, is_known);
}

#[test]
fn go() {
    // tree-sitter wants a line end after some last declarations of a file; Go takes the end of the file for one.
    let entries = [
        ("file", "", "\n"),
        ("function", "package p\n\n", ""),
        ("body", "package p\n\nfunc f() {", ""),
        ("block", "package p\n\nfunc f()", ""),
        ("expression", "package p\n\nvar x = ", "\n"),
    ];
    all_are_read("go", &tree_sitter_go::LANGUAGE.into(), &entries, |_| false);
}

#[test]
fn zig() {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "fn f() void {", ""),
        ("block", "fn f() void", ""),
        ("expression", "const x = ", ";\n"),
    ];
    // tree-sitter reads no initialiser after an anonymous one, and no call of a container; Zig does.
    let is_known = |text: &str| text.contains("}{") || text.contains("}(");
    all_are_read("zig", &tree_sitter_zig::LANGUAGE.into(), &entries, is_known);
}

/// Random texts of an entry point of the grammar `name`, by their seeds.
fn drawn(name: &str, entry: &str) -> impl Iterator<Item = (u64, String)> {
    let source =
        library::find(name).expect("it is shipped").source().with_entry(entry).expect("it is listed");
    let grammar = nano::COMPILER.try_compile(&source).expect("it compiles");
    (0..TEXTS).map(move |seed| {
        let text = sample::text(&grammar, &nano::VOCABULARY, seed, TOKENS).expect("a text");
        (seed, String::from_utf8(text).expect("UTF-8"))
    })
}

#[test]
fn json() {
    for entry in library::find("json").expect("it is shipped").source().entries() {
        for (seed, text) in drawn("json", entry) {
            let Err(error) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
            // RFC 8259 has no largest number, and half of a pair of surrogates may stand alone.
            let said = error.to_string();
            let is_known = said.contains("number out of range") || said.contains("surrogate");
            assert!(is_known, "{entry}, seed {seed}: {said}\n{text}");
        }
    }
}

/// SQLite's own parser. It parses a statement before it looks for its tables, so what it says tells one
/// mistake from the other; of a script it reads the statements up to the first whose tables are not there.
#[test]
fn sql() {
    let database = rusqlite::Connection::open_in_memory().expect("a database");
    let entries = [("file", ""), ("statement", ""), ("select", ""), ("expression", "SELECT ")];
    let source = library::find("sql").expect("it is shipped").source();
    assert_eq!(source.entries(), entries.map(|(name, _)| name), "every entry point is tried");
    for (entry, before) in entries {
        for (seed, text) in drawn("sql", entry) {
            let text = format!("{before}{text}");
            let mut batch = rusqlite::Batch::new(&database, &text);
            let error = loop {
                match batch.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => break String::new(),
                    Err(error) => break error.to_string(),
                }
            };
            let is_wrong =
                ["syntax error", "unrecognized token", "incomplete input"].iter().any(|e| error.contains(e));
            assert!(!is_wrong, "{entry}, seed {seed}: {error}\n{text}");
        }
    }
}
