//! Random completions, checked by the languages' own checkers.
//!
//! Ignored, as it needs them: mypy, pyright, tsc, rustc and go in the path.
//! `cargo test --release --test typed -- --ignored --nocapture` says which were there. Each checks
//! 1,000 expressions and 1,000 bodies, which come after the file that they complete.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use maze::engine::GrammarSource;
use maze::engine::typed::{Context, Entry, Language, Wanted, grammar};

use crate::derive::Rules;
use crate::random::Random;
use crate::{compiled, walk};

/// Completions of each kind, unless `MAZE_TYPED_COUNT` says otherwise.
const COUNT: usize = 1000;

struct Case {
    language: Language,
    /// The file that is completed.
    file: &'static str,
    /// The function whose parameters are known.
    inside: &'static str,
    /// A function: `NAME`, `TYPE` and `BODY` stand for its parts.
    function: &'static str,
    /// What an expression is returned with.
    result: &'static str,
    /// What is returned, by turns.
    returns: &'static [&'static str],
    /// A local variable of bodies.
    local: [(&'static str, &'static str); 2],
    /// The checkers; the file's name comes last.
    checkers: Checkers,
}

type Checkers = &'static [&'static [&'static str]];

const PYTHON: Checkers = &[&["mypy", "--strict", "--no-incremental"], &["pyright"]];
const TYPESCRIPT: Checkers = &[&[
    "tsc",
    "--strict",
    "--noUncheckedIndexedAccess",
    "--noImplicitReturns",
    "--noEmit",
    "--target",
    "es2022",
    "--module",
    "esnext",
    "--ignoreConfig",
]];
const RUST: Checkers =
    &[&["rustc", "--crate-type", "lib", "--edition", "2024", "-A", "warnings", "--out-dir", "rust_out"]];
const GO: Checkers = &[&["go", "vet"]];

const CASES: [Case; 8] = [
    Case {
        language: Language::Python,
        file: "shop.py",
        inside: "price_of",
        function: "def NAME(cart: Cart, name: str, count: int, sale: bool) -> TYPE:\nBODY\n",
        result: "    return RESULT\n",
        returns: &[
            "float",
            "int",
            "bool",
            "str",
            "Item",
            "Item | None",
            "list[Item]",
            "list[str | None]",
            "dict[str, list[int]]",
            "Cart",
            "Callable[[float, int], float]",
            "Optional[bool]",
        ],
        local: [("total", "int"), ("found", "Item | None")],
        checkers: PYTHON,
    },
    Case {
        language: Language::TypeScript,
        file: "shop.ts",
        inside: "priceOf",
        function: "function NAME(cart: Cart, name: string, count: number, sale: boolean, other?: Item): TYPE {\nBODY}\n",
        result: "    return RESULT;\n",
        returns: &[
            "number",
            "string",
            "boolean",
            "Item",
            "Item | undefined",
            "Item | null",
            "string[]",
            "Cart",
            "Point",
            "Map<string, number>",
            "Record<string, boolean>",
            "(number | undefined)[]",
            "boolean | undefined",
            "(price: number, count: number) => number",
        ],
        local: [("total", "boolean"), ("found", "Item | undefined")],
        checkers: TYPESCRIPT,
    },
    Case {
        language: Language::Rust,
        file: "shop.rs",
        inside: "price_of",
        function: "fn NAME(cart: &Cart, name: String, count: i32, sale: bool, best: Option<Item>) -> TYPE {\nBODY}\n",
        result: "    RESULT\n",
        returns: &[
            "f64",
            "i32",
            "u8",
            "usize",
            "bool",
            "String",
            "Item",
            "Option<Item>",
            "Vec<Item>",
            "Vec<String>",
            "Kind",
            "Cart",
            "HashMap<String, i64>",
            "Option<bool>",
            "fn(f64, i32) -> f64",
            "&'static str",
        ],
        local: [("total", "i32"), ("found", "Option<Item>")],
        checkers: RUST,
    },
    Case {
        language: Language::Go,
        file: "shop.go",
        inside: "priceOf",
        function: "func NAME(cart Cart, name string, count int, sale bool) TYPE {\nBODY}\n",
        result: "\treturn RESULT\n",
        returns: &[
            "float64",
            "int",
            "bool",
            "string",
            "Item",
            "*Item",
            "[]Item",
            "map[string]int",
            "Cart",
            "uint8",
            "[]*Item",
            "func(float64, int) float64",
            "*bool",
        ],
        local: [("total", "int"), ("found", "*Item")],
        checkers: GO,
    },
    Case {
        language: Language::Python,
        file: "odd.py",
        inside: "complete",
        function: "def NAME(node: Node, shape: Shape, points: list[Point], by_name: dict[str, Square]) -> TYPE:\nBODY\n",
        result: "    return RESULT\n",
        returns: &[
            "int",
            "float",
            "bool",
            "str",
            "Point",
            "Node",
            "Square",
            "list[list[float]]",
            "Dict[str, Dict[int, Optional[bool]]]",
            "dict[bool, str]",
            "Optional[list[int]]",
            "Callable[[], int]",
            "Callable[[int], bool]",
            "Shape",
        ],
        local: [("near", "Point"), ("names", "list[str]")],
        checkers: PYTHON,
    },
    Case {
        language: Language::TypeScript,
        file: "odd.ts",
        inside: "complete",
        function: "function NAME(node: Node, shape: Shape, options: Options | null, nodes: (Node | undefined)[], \
            flag: boolean): TYPE {\nBODY}\n",
        result: "    return RESULT;\n",
        returns: &[
            "number",
            "string",
            "boolean",
            "Node",
            "Node | null",
            "Node | undefined",
            "number[][]",
            "Options",
            "Empty",
            "Map<string, Map<number, boolean | undefined>>",
            "Record<string, string[]>",
            "(Node | undefined)[]",
            "string | null",
            "(f: (x: number) => boolean, x: number) => boolean",
            "boolean | undefined",
            "Options | null",
        ],
        local: [("near", "boolean | undefined"), ("text2", "string")],
        checkers: TYPESCRIPT,
    },
    Case {
        language: Language::Rust,
        file: "odd.rs",
        inside: "complete",
        function: "fn NAME(node: Node, token: Token, point: &Point, deep: &HashMap<u32, Vec<Option<i64>>>, \
            names: Vec<String>, grid: &[Vec<i64>], words: Vec<&'static str>, label: &str, number: &i64, \
            found: Option<Token>, byte: u8) -> TYPE {\nBODY}\n",
        result: "    RESULT\n",
        returns: &[
            "i64",
            "i8",
            "u8",
            "i32",
            "u64",
            "f32",
            "usize",
            "bool",
            "String",
            "Node",
            "Point",
            "Token",
            "Shape",
            "isize",
            "u128",
            "Option<Token>",
            "HashMap<u32, Vec<Option<i64>>>",
            "Vec<&'static str>",
            "fn(i64) -> bool",
            "Option<usize>",
        ],
        local: [("near", "i64"), ("text", "String")],
        checkers: RUST,
    },
    Case {
        language: Language::Go,
        file: "odd.go",
        inside: "complete",
        function: "func NAME(node *Node, point Point, numbers []uint16, name string, flag bool, \
            deep map[string][]Point) TYPE {\nBODY}\n",
        result: "\treturn RESULT\n",
        returns: &[
            "int64",
            "int8",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "int32",
            "float32",
            "float64",
            "bool",
            "string",
            "*int",
            "Point",
            "*Point",
            "*Node",
            "Node",
            "[][]float64",
            "map[bool]string",
            "map[string]map[int]*bool",
            "func(int64) bool",
            "func(func(int64) bool, int64) bool",
        ],
        local: [("near", "int64"), ("text", "string")],
        checkers: GO,
    },
];

#[test]
#[ignore = "needs mypy, pyright, tsc, rustc and go"]
fn random_completions_pass_the_checkers() {
    let folder = std::env::var_os("MAZE_TYPED_FOLDER").map(std::path::PathBuf::from);
    let own = tempfile::tempdir().expect("a folder");
    let folder = folder.as_deref().unwrap_or(own.path());
    let mut failed = Vec::new();
    let file = std::env::var("MAZE_TYPED_FILE").unwrap_or_default();
    for case in CASES.into_iter().filter(|case| case.file.contains(&file)) {
        for entry in [Entry::Expression, Entry::Body] {
            let path = folder.join(format!("{}_{entry:?}", case.file)).join(case.file);
            fs::create_dir_all(path.parent().expect("in a folder")).expect("writable");
            let text = completed(&case, entry);
            fs::write(&path, format!("{text}{}", wrong(&case))).expect("writable");
            let (found, ran) = checked(&case, entry, &path);
            assert_eq!(found.len(), ran, "a checker is content with a mistake");
            fs::write(&path, text).expect("writable");
            failed.extend(checked(&case, entry, &path).0);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// The file with functions of random completions behind it.
fn completed(case: &Case, entry: Entry) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/typed").join(case.file);
    let mut text = fs::read_to_string(source).expect("a context of the tests");
    let mut context = Context::from_source(case.language, &text).expect("it can be read");
    context.enter(case.language, case.inside).expect("it is there");
    let locals = case.local.map(|(name, ty)| (name.to_owned(), ty.to_owned()));
    let mut random = Random(0x5eed_0000 + entry as u64);
    for (turn, returns) in case.returns.iter().enumerate() {
        for depth in 1..=3 {
            let locals = if entry == Entry::Body { &locals[..usize::from(depth) - 1] } else { &[] };
            let wanted = Wanted { language: case.language, context: &context, returns, entry, depth, locals };
            let made = grammar(&wanted, "the tests").unwrap_or_else(|e| panic!("{returns}: {e}"));
            let rules = Rules::of(&made);
            let compiled = compiled(&GrammarSource::lark(*returns, made));
            let count = std::env::var("MAZE_TYPED_COUNT").ok().and_then(|n| n.parse().ok()).unwrap_or(COUNT);
            let count = count.div_ceil(case.returns.len() * 3);
            for n in 0..count {
                // By turns over bytes, as a model goes, and over alternatives, so that each comes.
                let completion = match n % 2 {
                    0 => walk::walk(compiled.constraint(), &mut random),
                    _ => rules.text(&mut random),
                };
                let body = match entry {
                    Entry::Expression => case.result.replace("RESULT", &completion),
                    Entry::Body => completion,
                };
                let function = case.function.replace("NAME", &format!("typed_{turn}_{depth}_{n}"));
                let _ = write!(text, "\n{}", function.replace("TYPE", returns).replace("BODY", &body));
            }
        }
    }
    text
}

/// A function that no checker may be content with.
fn wrong(case: &Case) -> String {
    let ty = case.returns[0];
    let value = if case.language == Language::Python { "None" } else { "\"wrong\"" };
    let body = case.result.replace("RESULT", value);
    format!("\n{}", case.function.replace("NAME", "typed_wrong").replace("TYPE", ty).replace("BODY", &body))
}

/// The checkers that find something, and how many are there.
fn checked(case: &Case, entry: Entry, path: &Path) -> (Vec<String>, usize) {
    let folder = path.parent().expect("in a folder");
    let (mut failed, mut count) = (Vec::new(), 0);
    if case.language == Language::Go {
        fs::write(folder.join("go.mod"), "module shop\n\ngo 1.22\n").expect("writable");
    }
    for checker in case.checkers {
        let run = Command::new(checker[0]).args(&checker[1..]).arg(case.file).current_dir(folder).output();
        let name = format!("{} {entry:?}: {}", case.file, checker[0]);
        match run {
            Err(error) => println!("{name} did not run: {error}"),
            Ok(output) if output.status.success() => {
                println!("{name} is content");
                count += 1;
            }
            Ok(output) => {
                count += 1;
                println!("{name}:\n{}", String::from_utf8_lossy(&output.stdout));
                println!("{}", String::from_utf8_lossy(&output.stderr));
                failed.push(name);
            }
        }
    }
    (failed, count)
}
