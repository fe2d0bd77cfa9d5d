//! What a source file says in an odd way, and what has to be left out for it.

use maze::engine::typed::{Context, Entry, Language, Wanted, grammar};

fn read(language: Language, text: &str) -> Context {
    Context::from_source(language, text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The rules of a grammar, without its comments.
fn rules(context: &Context, language: Language, returns: &str, locals: &[(&str, &str)]) -> String {
    let locals: Vec<(String, String)> = locals.iter().map(|(n, t)| ((*n).into(), (*t).into())).collect();
    let entry = if locals.is_empty() { Entry::Expression } else { Entry::Body };
    let wanted = Wanted { language, context, returns, entry, depth: 2, locals: &locals };
    let text = grammar(&wanted, "the tests").unwrap_or_else(|e| panic!("{returns}: {e}"));
    text.lines().filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What is skipped, as one text.
fn skipped(context: &Context) -> String {
    context.skipped.iter().map(|s| format!("{}: {}\n", s.what, s.why)).collect()
}

#[test]
fn a_file_with_a_word_of_its_own_takes_it_from_the_language() {
    for (language, text, returns, word) in [
        (Language::Python, "def f(a: int) -> int: ...\n", "int", "min("),
        (Language::TypeScript, "function f(a: number): string { }\n", "string", "String("),
        (Language::Go, "func f(a []int) []int {\n}\n", "[]int", "append("),
        (Language::Rust, "fn f() -> Option<u8> { None }", "Option<u8>", "Some("),
    ] {
        assert!(rules(&read(language, text), language, returns, &[]).contains(word), "{word}");
        let own = match language {
            Language::Python => "from m import min\n",
            Language::TypeScript => "function String<T>(x: T) { }\n",
            Language::Go => "func append(a int) {\n}\n",
            Language::Rust => "use m::Some;\n",
        };
        let hidden = read(language, &(own.to_owned() + text));
        assert!(!rules(&hidden, language, returns, &[]).contains(word), "{word}");
    }
    for (language, text) in [
        (Language::Rust, "use hashbrown::HashMap;\nfn f(x: HashMap<u8, u8>) -> u8 { 0 }"),
        (Language::TypeScript, "import { Map } from 'm';\nfunction f(x: Map<string, number>): number { }"),
        (Language::Python, "str = 3\ndef f(x: str) -> int: ...\n"),
    ] {
        let context = read(language, text);
        assert!(context.functions.is_empty(), "{text}");
        assert!(skipped(&context).contains("of its own"), "{text}: {}", skipped(&context));
    }
}

#[test]
fn a_local_takes_its_name_from_the_language_and_some_names_cannot_be() {
    let python = read(Language::Python, "def f(a: list[int]) -> int: ...\na: list[int] = []\n");
    assert!(rules(&python, Language::Python, "int", &[("x", "int")]).contains("len("));
    assert!(!rules(&python, Language::Python, "int", &[("len", "int")]).contains("len("));
    let map = Context::from_toml(Language::TypeScript, "[variables]\nMap = \"number\"\n").expect("TOML");
    let found = rules(&map, Language::TypeScript, "Map<string, number> | undefined", &[]);
    assert!(!found.contains("new Map"), "{found}");
    let context = Context::default();
    let locals = [("None".to_owned(), "u8".to_owned())];
    let wanted = Wanted {
        language: Language::Rust,
        context: &context,
        returns: "u8",
        entry: Entry::Body,
        depth: 2,
        locals: &locals,
    };
    let error = grammar(&wanted, "the tests").expect_err("a pattern");
    assert!(error.message.contains("\"None\": this cannot be a name in rust"), "{error}");
}

#[test]
fn what_is_unsafe_or_may_be_compiled_out_is_not_used_in_rust() {
    let context = read(
        Language::Rust,
        "pub unsafe extern \"C\" fn danger() -> u8 { 0 }\nextern \"C\" fn call() -> u8 { 0 }\n\
         #[target_feature(enable = \"avx2\")]\nfn wide() -> u8 { 0 }\nconst unsafe fn odd() -> u8 { 0 }\n\
         #[cfg(test)]\nstruct Hidden { x: u8 }\nstruct Part { #[cfg(test)] x: u8, y: u8 }\n\
         enum E { #[cfg(test)] A, B }\nstruct S {}\n#[cfg(test)]\nimpl S { fn only(&self) -> u8 { 0 } }\n\
         extern \"C\" { fn raw() -> u8; }\nextern crate alloc;\nfn fine() -> u8 { 0 }\n",
    );
    let names: Vec<&str> = context.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["fine"], "{}", skipped(&context));
    let names: Vec<&str> = context.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["E::B"]);
    assert!(rules(&context, Language::Rust, "S", &[]).contains("\"S\" \" {}\""));
    assert!(!rules(&context, Language::Rust, "Vec<Part>", &[]).contains("\"Part\""));
    let notes = skipped(&context);
    for what in ["`danger`", "`call`", "`wide`", "`odd`", "`Hidden`", "`Part.x`", "`E::A`", "`impl S`"] {
        assert!(notes.contains(what), "{what}: {notes}");
    }
}

#[test]
fn numbers_that_rust_follows_come_from_what_it_does_not_know() {
    let text = "struct P { n: i32 }\nconst O: P = P { n: 0 };\nfn p() -> P { O }\nfn t(s: String) -> String { s }\n\
                fn g(f: fn(u8) -> u8, m: std::collections::HashMap<String, &'static str>) -> u8 { 0 }\n";
    let context = read(Language::Rust, text);
    let found = rules(&context, Language::Rust, "i32", &[("q", "P")]);
    assert!(found.contains("let q: P = \" p_term"), "{found}");
    assert!(!found.contains("\"O\""), "{found}");
    let map =
        |ty: &str| rules(&context, Language::Rust, &format!("std::collections::HashMap<String, {ty}>"), &[]);
    assert!(map("u8").contains("HashMap::from("));
    assert!(!map("fn(u8) -> u8").contains("HashMap::from("));
}

#[test]
fn what_may_be_made_otherwise_is_not_made_in_python() {
    for (text, is_made) in [
        ("@dataclass(frozen=True)\nclass A:\n    x: int\n", true),
        ("@dataclass(\n    kw_only=True\n)\nclass A:\n    x: int\n", false),
        ("@dataclass\nclass A:\n    x: int = dataclasses.field(init=False)\n", false),
        ("class A:\n    def __new__(cls) -> A: ...\n    def __init__(self) -> None: ...\n", false),
        ("class A:\n    @overload\n    def __init__(self) -> None: ...\n", false),
        ("class A(M):\n    def __init__(self) -> None: ...\n", false),
        ("class A(metaclass=M):\n    def __init__(self) -> None: ...\n", false),
        ("class A:\n    def __init__(self) -> None: ...\n", true),
    ] {
        let context = read(Language::Python, text);
        let found = rules(&context, Language::Python, "list[A]", &[]);
        assert_eq!(found.contains("A("), is_made, "{text}{found}");
    }
}

#[test]
fn types_are_read_to_a_depth() {
    let many = |open: &str, close: &str, count: usize| open.repeat(count) + "X" + &close.repeat(count);
    for (language, open, close, inner) in [
        (Language::Rust, "Vec<", ">", "u8"),
        (Language::TypeScript, "(", ")", "number"),
        (Language::TypeScript, "", "[]", "number"),
        (Language::Python, "list[", "]", "int"),
        (Language::Go, "[]", "", "int"),
    ] {
        let context = Context::default();
        let made = |count| {
            let returns = many(open, close, count).replace('X', inner);
            let wanted = Wanted {
                language,
                context: &context,
                returns: &returns,
                entry: Entry::Expression,
                depth: 1,
                locals: &[],
            };
            grammar(&wanted, "the tests")
        };
        assert!(made(20).is_ok(), "{open}");
        let error = made(100_000).expect_err("too deep");
        assert!(error.message.contains("types are read to a depth of 32"), "{error}");
    }
}

#[test]
fn parameters_without_a_name_of_use_are_left_out_with_a_note() {
    for (language, text, left) in [
        (Language::Rust, "fn f(_: u8, x: u8) -> u8 { 0 }", "the parameter `_` of `f`"),
        (Language::Go, "func f(len int, x []int) int {\n}\n", "the parameter `len` of `f`"),
        (Language::Python, "def f(len: int, x: str) -> int: ...\n", "the parameter `len` of `f`"),
    ] {
        let mut context = read(language, text);
        let returns = language.spell(&context.enter(language, "f").expect("it is there"));
        let found = rules(&context, language, &returns, &[]);
        assert!(!found.contains("len("), "{found}");
        assert!(skipped(&context).contains(left), "{}", skipped(&context));
    }
    let mut context = read(Language::Go, "func f(int) int {\n}\n");
    context.enter(Language::Go, "f").expect("it is there");
    assert!(skipped(&context).contains("a parameter of `f`"));
}

#[test]
fn what_a_list_of_fields_leaves_out_is_noted() {
    let go = read(Language::Go, "type P struct { X int; Y int }\ntype Q struct {\n\t*P\n\tZ int\n}\n");
    let fields: Vec<&str> = go.types.iter().flat_map(|t| t.fields.iter().map(|(n, _)| n.as_str())).collect();
    assert_eq!(fields, ["X", "Y", "Z"]);
    assert!(skipped(&go).contains("an embedded type of `Q`"), "{}", skipped(&go));
    let python =
        read(Language::Python, "class A:\n    async def f(self) -> int: ...\n    def g(self) -> int: ...\n");
    assert!(skipped(&python).contains("`A.f`: it gives an awaitable"), "{}", skipped(&python));
    assert_eq!(python.types[0].methods.len(), 1);
}
