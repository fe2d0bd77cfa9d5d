//! The shipped grammars of languages against parsers of those languages: texts of every entry point, drawn at
//! random and as the embedded model chooses them, are texts of the language to tree-sitter's grammar of it, to
//! SQLite, or to serde_json.
//!
//! An entry point that is a part of a file is put into one. What a parser refuses although the language has it
//! is listed beside the language, with a reason.

use std::cell::RefCell;

use rusqlite::fallible_iterator::FallibleIterator;
use tree_sitter::{Node, Parser};

use maze::engine::grammar::library;
use maze::engine::sample;
use maze::engine::{DeviceSpec, Engine, GrammarSource, ModelSpec, Request, SamplerSettings};

#[path = "support/nano.rs"]
mod nano;

/// Random texts of every entry point.
const RANDOM: u64 = 1_000;

/// Most tokens of a random text before it takes the shortest way to its end.
const RANDOM_TOKENS: usize = 40;

/// Texts of every entry point that the model chooses.
const CHOSEN: u64 = 1_000;

/// As many of them as every run of the tests has the time for.
const FEW: u64 = 10;

/// Most tokens of a text that the model chooses before it takes the shortest way to its end.
const CHOSEN_TOKENS: usize = 100;

/// Most texts of a thousand that an entry point's parser may refuse as it is known to: random ones, and chosen ones.
const KNOWN: [usize; 2] = [3, 25];

/// Threads for a language where all that the model chooses is tried.
const THREADS: u64 = 4;

/// What the model is asked for, in turns.
const REQUESTS: [&str; 8] = [
    "add two numbers",
    "reverse a string",
    "count the words of a text",
    "a user with a name, an age and a list of tags",
    "the largest of a list, or an error if it is empty",
    "read a file line by line and sum up the numbers in it",
    "the orders of the last week per customer, the newest first",
    "a stack with push and pop",
];

/// An entry point: its name, and what stands before and after its text in a file.
type Entry = (&'static str, &'static str, &'static str);

/// What a parser has against a file, if anything.
type Refuses = Box<dyn FnMut(&str) -> Option<String>>;

/// A language as its parser knows it.
struct Language {
    /// The name of its grammar.
    name: &'static str,
    /// What a request to the model begins with.
    request: &'static str,
    entries: Vec<Entry>,
    refuses: Refuses,
    /// Whether the language has it nonetheless: of a file, and what is said against it.
    is_known: fn(&str, &str) -> bool,
}

impl Language {
    /// Every text that is drawn with one of the seeds is one of the language, at every entry point.
    fn reads<D: FnMut(u64) -> Vec<u8>>(
        &mut self,
        seeds: &[u64],
        most: usize,
        draws: impl Fn(&GrammarSource, Entry) -> D,
    ) {
        let source = library::find(self.name).expect("it is shipped").source();
        let names: Vec<&str> = self.entries.iter().map(|(name, ..)| *name).collect();
        assert_eq!(source.entries(), names, "every entry point is tried");
        let mut refused = String::new();
        for &(entry, before, after) in &self.entries {
            let source = source.with_entry(entry).expect("it is listed");
            let mut draw = draws(&source, (entry, before, after));
            let mut known = 0;
            for &seed in seeds {
                let text = String::from_utf8(draw(seed)).expect("UTF-8");
                let file = format!("{before}{text}{after}");
                match (self.refuses)(&file) {
                    None => {}
                    Some(said) if (self.is_known)(&file, &said) => known += 1,
                    Some(said) => refused += &format!("{entry}, seed {seed}, {said}:\n{file}\n\n"),
                }
            }
            let (most, count) = ((most * seeds.len()).div_ceil(1_000), seeds.len());
            assert!(known <= most, "{}, {entry}: {known} of {count} are refused as is known", self.name);
        }
        let said: String = refused.chars().take(3_000).collect();
        let refusals = refused.matches(", seed ").count();
        assert!(refused.is_empty(), "{}: {refusals} are refused, such as {said}", self.name);
    }

    /// The same for random texts, and for some that the model chooses.
    fn is_read(&mut self) {
        self.reads(&Vec::from_iter(0..RANDOM), KNOWN[0], |source, (entry, ..)| {
            let grammar = nano::COMPILER.try_compile(source).expect("it compiles");
            move |seed| {
                sample::text(&grammar, &nano::VOCABULARY, seed, RANDOM_TOKENS)
                    .unwrap_or_else(|e| panic!("{}, {entry}, seed {seed}: {e}", grammar.source().name))
            }
        });
        self.reads_chosen(&Vec::from_iter(0..FEW));
    }

    /// The same for texts that the embedded model chooses at temperature 1.
    fn reads_chosen(&mut self, seeds: &[u64]) {
        let engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu).expect("the embedded model");
        let (engine, asked) = (&RefCell::new(engine), self.request);
        self.reads(seeds, KNOWN[1], |source, (entry, before, _)| {
            let (grammar, _) = engine.borrow().compile(source).expect("it compiles");
            move |seed| {
                let request = REQUESTS[seed as usize % REQUESTS.len()];
                let request = Request {
                    prompt: format!("{asked}{request}\n{before}"),
                    grammar: Some(grammar.source().clone()),
                    sampler: SamplerSettings { temperature: 1.0, seed, ..SamplerSettings::default() },
                    max_tokens: CHOSEN_TOKENS,
                    detail: false,
                    ..Request::default()
                };
                let trace = engine.borrow_mut().run(request).expect("a run");
                // The longest beginning of which an end is known.
                let beginnings = (0..=trace.steps.len()).rev().map(|count| {
                    trace.steps[..count]
                        .iter()
                        .flat_map(|step| step.text_bytes())
                        .copied()
                        .collect::<Vec<u8>>()
                });
                let mut ended = beginnings.filter_map(|beginning| sample::end(&grammar, &beginning).ok());
                ended
                    .next()
                    .unwrap_or_else(|| panic!("{}, {entry}, seed {seed}: no end", grammar.source().name))
            }
        });
    }
}

/// A language that tree-sitter reads.
fn tree_sitter_reads(
    name: &'static str,
    request: &'static str,
    grammar: &tree_sitter::Language,
    entries: [Entry; 5],
    is_known: fn(&str, &str) -> bool,
) -> Language {
    let mut parser = Parser::new();
    parser.set_language(grammar).expect("a grammar of this version");
    let refuses = move |file: &str| {
        let tree = parser.parse(file, None).expect("nobody stops it");
        tree.root_node().has_error().then(|| format!("at {}", wrong(tree.root_node())))
    };
    Language { name, request, entries: entries.to_vec(), refuses: Box::new(refuses), is_known }
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

/// What comes after blanks and comments.
fn after_blanks(text: &str) -> &str {
    let text = text.trim_start();
    let end = if text.starts_with("//") {
        text.find('\n')
    } else if text.starts_with("/*") {
        text.find("*/").map(|at| at + 2)
    } else {
        return text;
    };
    end.map_or("", |end| after_blanks(&text[end..]))
}

/// Whether something like this comes after such a word, or after such signs.
fn comes(file: &str, word: &str, is_like: impl Fn(&str) -> bool) -> bool {
    let is_whole = |at: usize| !word.starts_with(is_of_name) || !file[..at].ends_with(is_of_name);
    file.match_indices(word).any(|(at, _)| is_whole(at) && is_like(after_blanks(&file[at + word.len()..])))
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || ['_', '$'].contains(&c)
}

/// Whether a comment comes between a question mark and what ends a parameter, or its type.
fn has_commented_question(file: &str) -> bool {
    file.match_indices('?').any(|(at, _)| {
        let rest = file[at + 1..].trim_start();
        rest.starts_with('/') && after_blanks(rest).starts_with([')', ',', ':'])
    })
}

/// Whether a brace comes after a group that is an operand, not the head of a branch, nor arguments.
fn has_initialised_group(file: &str) -> bool {
    file.match_indices(')').any(|(end, _)| {
        let mut depth = 0;
        let start = file[..=end].rfind(|c| {
            depth += i32::from(c == ')') - i32::from(c == '(');
            depth == 0
        });
        let before = file[..start.unwrap_or(0)].trim_end();
        let is_head = before.ends_with(|c| is_of_name(c) || [')', ']', '}', '"', ':'].contains(&c));
        let is_operand =
            !is_head || ["and", "or", "catch", "return"].iter().any(|word| before.ends_with(word));
        is_operand && after_blanks(&file[end + 1..]).starts_with('{')
    })
}

fn python() -> Language {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "def f():", ""),
        ("method_body", "class A:\n    def f(self):", ""),
        ("expression", "x = ", "\n"),
    ];
    // tree-sitter ends the block where what stands in brackets goes on in a line with less indentation; Python
    // does not.
    let is_known = |file: &str, _: &str| {
        let (mut open, mut begun) = (0, 0);
        file.lines().any(|line| {
            let indentation = line.len() - line.trim_start().len();
            let goes_back = open > 0 && indentation < begun;
            if open == 0 {
                begun = indentation;
            }
            open += line.matches(['(', '[', '{']).count();
            open = open.saturating_sub(line.matches([')', ']', '}']).count());
            goes_back
        })
    };
    tree_sitter_reads("python", "# Python: ", &tree_sitter_python::LANGUAGE.into(), entries, is_known)
}

fn typescript() -> Language {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "async function f() {", ""),
        ("block", "async function f()", ""),
        ("expression", "const x = (", "\n);\n"),
    ];
    // tree-sitter takes `?.6` after an expression for an optional chain, and reads no comment after the question mark
    // of a parameter, no `undefined` before an arrow, `using` only where it declares, and no member that is called `.6`
    // in a line of its own; TypeScript does.
    let is_known = |file: &str, _: &str| {
        let is_fraction = |line: &str| {
            line.trim_start()
                .strip_prefix('.')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        file.contains("?.")
            || has_commented_question(file)
            || file.lines().any(is_fraction)
            || comes(file, "undefined", |after| after.starts_with("=>"))
            || comes(file, "using", |after| !after.starts_with(is_of_name))
    };
    let grammar = tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into();
    tree_sitter_reads("typescript", "// TypeScript: ", &grammar, entries, is_known)
}

fn rust() -> Language {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "fn f() {", ""),
        ("block", "fn f()", ""),
        ("expression", "const X: T = ", ";\n"),
    ];
    // tree-sitter does not read the names of primitive types where they are those of something else, nor an array
    // at the end of a range, nor `A<B>::C` in `<…>`, and takes `<` after a cast for the start of arguments; Rust
    // does, and takes `<=` for what it is.
    let is_known = |file: &str, _: &str| {
        let primitive = ["bool", "char", "str", "f32", "f64", "size", "8", "16", "32", "64", "128"];
        let is_other =
            |name: &&str| ["<", "{", " {", "!"].iter().any(|sign| file.contains(&format!("{name}{sign}")));
        [" as ", "..[", ">::"].iter().any(|sign| file.contains(sign)) || primitive.iter().any(is_other)
    };
    tree_sitter_reads("rust", "// Rust: ", &tree_sitter_rust::LANGUAGE.into(), entries, is_known)
}

fn go() -> Language {
    // tree-sitter wants a line end after some last declarations of a file; Go takes the end of the file for one.
    let entries = [
        ("file", "", "\n"),
        ("function", "package p\n\n", ""),
        ("body", "package p\n\nfunc f() {", ""),
        ("block", "package p\n\nfunc f()", ""),
        ("expression", "package p\n\nvar x = ", "\n"),
    ];
    tree_sitter_reads("go", "// Go: ", &tree_sitter_go::LANGUAGE.into(), entries, |_, _| false)
}

fn zig() -> Language {
    let entries = [
        ("file", "", ""),
        ("function", "", ""),
        ("body", "fn f() void {", ""),
        ("block", "fn f() void", ""),
        // A line of a string goes on to the end of the line.
        ("expression", "const x = ", "\n;\n"),
    ];
    // tree-sitter reads no initialiser after an anonymous one or a group, no call of a container, no container without
    // anything in it, no label that is called as a value is, and `async` only as a keyword; Zig does.
    let is_known = |file: &str, _: &str| {
        let is_empty =
            |after: &str| after.strip_prefix('{').is_some_and(|inside| after_blanks(inside).starts_with('}'));
        comes(file, "}", |after| after.starts_with('{'))
            || file.contains("}(")
            || has_initialised_group(file)
            || comes(file, "async", |after| !after.starts_with(is_of_name))
            || ["true", "false", "null"]
                .iter()
                .any(|value| comes(file, value, |after| after.starts_with(':')))
            || ["struct", "enum", "union", "opaque", "(enum)"].iter().any(|kind| comes(file, kind, is_empty))
    };
    tree_sitter_reads("zig", "// Zig: ", &tree_sitter_zig::LANGUAGE.into(), entries, is_known)
}

fn json() -> Language {
    let refuses = |file: &str| serde_json::from_str::<serde_json::Value>(file).err().map(|e| e.to_string());
    Language {
        name: "json",
        request: "// JSON: ",
        entries: vec![("value", "", ""), ("object", "", ""), ("array", "", "")],
        refuses: Box::new(refuses),
        // RFC 8259 has no largest number, and half of a pair of surrogates may stand alone.
        is_known: |_, said| said.contains("number out of range") || said.contains("surrogate"),
    }
}

/// SQLite's own parser. It parses a statement before it looks for its tables, so what it says tells one
/// mistake from the other; of a script it reads the statements up to the first whose tables are not there.
fn sql() -> Language {
    let database = rusqlite::Connection::open_in_memory().expect("a database");
    let refuses = move |file: &str| {
        let mut batch = rusqlite::Batch::new(&database, file);
        let error = loop {
            match batch.next() {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => break error.to_string(),
            }
        };
        let of_syntax = ["syntax error", "unrecognized token", "incomplete input"];
        of_syntax.iter().any(|e| error.contains(e)).then_some(error)
    };
    Language {
        name: "sql",
        request: "-- SQL: ",
        entries: vec![
            ("file", "", ""),
            ("statement", "", ""),
            ("select", "", ""),
            ("expression", "SELECT ", ""),
        ],
        refuses: Box::new(refuses),
        is_known: |_, _| false,
    }
}

#[test]
fn python_is_read() {
    python().is_read();
}

#[test]
fn typescript_is_read() {
    typescript().is_read();
}

#[test]
fn rust_is_read() {
    rust().is_read();
}

#[test]
fn go_is_read() {
    go().is_read();
}

#[test]
fn zig_is_read() {
    zig().is_read();
}

#[test]
fn json_is_read() {
    json().is_read();
}

#[test]
fn sql_is_read() {
    sql().is_read();
}

#[test]
#[ignore = "takes a quarter of an hour on two cores"]
fn what_the_model_chooses_is_read() {
    let languages = [python, typescript, rust, go, zig, json, sql];
    std::thread::scope(|scope| {
        for (language, first) in languages.iter().flat_map(|l| (0..THREADS).map(move |first| (l, first))) {
            let seeds: Vec<u64> = (first..CHOSEN).step_by(THREADS as usize).collect();
            scope.spawn(move || language().reads_chosen(&seeds));
        }
    });
}
