//! Grammars made to break the program: each ends in a diagnostic or compiles, within bounds, and
//! the process lives on.
//!
//! Where the other hostile inputs are tested:
//!
//! | input | test |
//! |---|---|
//! | many distinct grammars in one process | `tests/leaks.rs` |
//! | invalid Lark, schema, regex; `{m,n}` reversed or huge; look-around; quantifier on nothing | `tests/data/diagnostics.txt` |
//! | a run whose grammar does not compile | `tests/engine.rs`: `bad_requests_are_refused`; `tests/cli.rs` |
//! | the same for GBNF | `tests/gbnf.rs` |
//! | nesting, nullable loops, rule chains, state explosion, recursion, mutations | here |
//! | repetitions, arguments and terminals without end, followed by the second parser | `tests/shadow/bounds.rs` |
//! | a cancel in the middle of a slow step | `tests/engine.rs`: `a_cancel_interrupts_a_slow_grammar` |
//! | numbers at and past the ends of their ranges | `src/cli.rs`, `src/engine/sampler/tests.rs` |
//! | GGUF and safetensors headers, files cut short, widths that disagree | `tests/model_files.rs`, `tests/model.rs` |
//! | escape sequences and deceptive characters from others | `tests/terminal/hostile.rs`, `tests/cli.rs` |
//! | disk full, read-only home, no home | nothing is written but `--trace FILE`, which is checked before the run (`tests/cli.rs`) |
//! | kill -9 while saving | `--trace FILE` appears whole or not at all; nothing else is saved |
//! | terminals from 0x0 to 500x200, resized while generating | `tests/terminal/hostile.rs`, `tests/pty.rs` |

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use maze::engine::check::{Verdict, check_text};
use maze::engine::grammar::library;
use maze::engine::grammar::{Compiled, Compiler, GrammarKind, GrammarSource, MAX_BYTES};
use maze::engine::{DeviceSpec, Diagnostic, Engine, FinishReason, ModelSpec, Request, Severity};

#[path = "support/nano.rs"]
mod nano;
#[path = "support/random.rs"]
mod random;

use random::Random;

fn compile(kind: GrammarKind, text: impl Into<String>) -> (Option<Compiled>, Vec<Diagnostic>) {
    nano::COMPILER.compile(&GrammarSource::new(kind, "hostile", text))
}

/// The code of the first error.
fn refused(kind: GrammarKind, text: impl Into<String>) -> &'static str {
    let (compiled, found) = compile(kind, text);
    assert!(compiled.is_none(), "it compiles");
    found.first().expect("a reason").code
}

fn accepts(kind: GrammarKind, grammar: &str, text: &str) -> bool {
    let (compiled, found) = compile(kind, grammar);
    let compiled = compiled.unwrap_or_else(|| panic!("{grammar}: {found:?}"));
    check_text(&compiled, text.as_bytes()).expect("within the limits") == Verdict::Accepted
}

use GrammarKind::{JsonSchema, Lark, Regex};

#[test]
fn brackets_nested_a_hundred_thousand_deep() {
    let nest = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(100_000), close.repeat(100_000))
    };
    for (open, close) in [("(", ")"), ("[", "]"), ("(", ""), ("", ")")] {
        let code = refused(Lark, format!("start: {}", nest(open, "\"a\"", close)));
        assert!(matches!(code, "too-deep" | "syntax"), "{open}{close}: {code}");
    }
    let condition = format!("start: a::0\na::_: \"x\" %if {}", nest("n(", "true", ")").replace('n', "not"));
    assert_eq!(refused(Lark, condition), "too-large");
    let condition = "not(".repeat(5_000) + "true" + &")".repeat(5_000);
    assert_eq!(refused(Lark, format!("start: a::0\na::_: \"x\" %if {condition}")), "too-deep");
    assert_eq!(refused(Regex, nest("(", "a", ")")), "invalid-regex");
    assert_eq!(refused(Lark, format!("start: /{}/", nest("(", "a", ")"))), "invalid-regex");
    assert_eq!(refused(JsonSchema, nest("[", "", "]")), "too-deep");
    assert_eq!(refused(JsonSchema, "{\"items\":".repeat(20_000) + "{}" + &"}".repeat(20_000)), "too-deep");
    assert_eq!(refused(Lark, "start: ".to_owned() + &"%lark { start: ".repeat(5_000)), "too-deep");
}

#[test]
fn chains_of_five_thousand_rules() {
    let rules: String = (0..5_000).map(|i| format!("r{i}: r{}\n", i + 1)).collect();
    assert!(accepts(Lark, &format!("start: r0\n{rules}r5000: \"x\""), "x"));
    let terminals: String = (0..5_000).map(|i| format!("T{i}: T{}\n", i + 1)).collect();
    assert!(accepts(Lark, &format!("start: T0\n{terminals}T5000: \"x\""), "x"));
}

/// The deepest recursion that a text within the size limit can cause: rules in 27 groups each.
#[test]
fn the_stack_is_deep_enough_for_every_text_within_the_limit() {
    let groups = ("(".repeat(27), ")".repeat(27));
    let mut text = String::from("start: r0\n");
    let mut rule = 0;
    while text.len() < MAX_BYTES - 100 {
        text += &format!("r{rule}:{}r{}{}\n", groups.0, rule + 1, groups.1);
        rule += 1;
    }
    assert!(accepts(Lark, &format!("{text}r{rule}: \"x\""), "x"));
}

/// Masks and texts are worked on by threads with an ordinary stack.
#[test]
fn long_and_deep_expressions_need_no_deep_stack_afterwards() {
    let word = "ab".repeat(30_000);
    assert!(accepts(Lark, &format!("start: \"{word}\""), &word));
    assert!(accepts(Regex, &"(ab|cd)".repeat(20_000), &"cd".repeat(20_000)));
    let nested = format!("{}a{}", "(".repeat(100), "b)".repeat(100));
    assert!(accepts(Regex, &nested, &("a".to_owned() + &"b".repeat(100))));
    let sum = "start: s\ns: \"(\" s \")\" | \"x\"";
    let deep = "(".repeat(400) + "x" + &")".repeat(400);
    assert!(accepts(Lark, sum, &deep));
}

#[test]
fn repetitions_of_repetitions() {
    assert!(accepts(Lark, "start: (\"a\"*)*", "aaa"));
    assert!(accepts(Lark, "start: a*\na: b*\nb: c*\nc: \"x\"*", "xx"));
    assert!(accepts(Regex, "(a*)*", "aaa"));
    assert!(accepts(Regex, "[ab]*a[ab]{30}", &("a".to_owned() + &"b".repeat(30))));
    assert_eq!(refused(Lark, "start: \"a\"{5,0}"), "bad-repeat");
    assert_eq!(refused(Lark, "start: a{5,2}\na: \"x\""), "bad-repeat");
    assert_eq!(refused(Lark, "start: \"a\"{99999999999}"), "bad-repeat");
    assert_eq!(refused(Regex, "a{5,0}"), "invalid-regex");
    // A billion copies of a rule are counted, not made.
    assert!(accepts(Lark, "start: a{0,1000000000}\na: \"x\" b\nb: \"y\"", "xyxy"));
    assert_eq!(refused(Regex, "(?<=x)*"), "unsupported-regex");
}

#[test]
fn recursion_from_both_sides() {
    assert!(accepts(Lark, "start: e\ne: e \"+\" e | e \"*\" e | e e | \"x\"", "x+x*xx"));
    assert!(accepts(Lark, "start: start \"a\" | \"a\"", "aaa"));
    for endless in ["start: start \"a\"", "start: a\na: a", "start: a\na: b\nb: a \"x\""] {
        assert_eq!(refused(Lark, endless), "matches-nothing", "{endless}");
    }
    for circle in [
        r##"{"$ref": "#"}"##,
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##,
    ] {
        assert_eq!(refused(JsonSchema, circle), "matches-nothing", "{circle}");
    }
    assert!(accepts(
        JsonSchema,
        r##"{"type": "object", "properties": {"a": {"$ref": "#"}}, "additionalProperties": false}"##,
        r#"{"a":{"a":{}}}"#
    ));
}

#[test]
fn enums_and_states_past_the_limits() {
    let numbers = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(refused(JsonSchema, format!("{{\"enum\":[{}]}}", numbers(1_000_000))), "too-large");
    let (compiled, found) = compile(JsonSchema, format!("{{\"enum\":[{}]}}", numbers(30_000)));
    assert!(compiled.is_some() || found[0].code == "limit", "{found:?}");
    let words: Vec<String> =
        ('a'..='n').enumerate().map(|(i, c)| format!("/.*{c}.{{{}}}/", 3 * i + 5)).collect();
    let (_, found) = compile(Lark, format!("start: A\nA: {}", words.join(" & ")));
    assert_eq!(found[0].code, "limit");
    assert!(found[0].message.contains("fuel exhausted"), "it says which limit: {}", found[0].message);
}

#[test]
fn a_compilation_that_takes_too_long_is_given_up() {
    let compiler =
        Compiler::new(&nano::VOCABULARY).expect("a compiler").with_time_limit(Duration::from_millis(20));
    let properties: Vec<String> = (0..1_000).map(|i| format!("\"k{i}\":{{\"type\":\"string\"}}")).collect();
    let schema = format!("{{\"type\":\"object\",\"properties\":{{{}}}}}", properties.join(","));
    let source = GrammarSource::json_schema("slow", schema);
    let start = Instant::now();
    for code in ["time-limit", "time-limit", "compiler-busy"] {
        let (compiled, found) = compiler.compile(&source);
        assert!(compiled.is_none());
        assert_eq!(found[0].code, code, "{}", found[0].message);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // The abandoned ones end by themselves, and the compiler works again.
    let quick = GrammarSource::lark("quick", "start: \"a\"");
    let deadline = Instant::now() + Duration::from_secs(60);
    while compiler.compile(&quick).0.is_none() {
        assert!(Instant::now() < deadline, "the compiler never came back");
        std::thread::yield_now();
    }
}

/// Traps are looked for within the same limit; a grammar compiles without that, too.
#[test]
fn traps_that_take_too_long_to_find_are_left_out() {
    let limit = Duration::from_secs(3);
    let compiler = Compiler::new(&nano::VOCABULARY).expect("a compiler").with_time_limit(limit);
    let terminal = |i: u8| {
        let (first, second) = (char::from(b'a' + i % 26), char::from(b'a' + i / 26));
        format!("T{i}: /[a-z]*{first}[a-z]{{{}}}{second}[a-z]*/\n", 6 + i % 3)
    };
    let names: Vec<String> = (0..150).map(|i| format!("T{i}")).collect();
    let terminals: String = (0..150).map(terminal).collect();
    let lark = format!("start: \"if\" NAME | {}\nNAME: /[a-z]+/\n{terminals}", names.join(" | "));
    let source = GrammarSource::lark("slow", lark);
    let start = Instant::now();
    assert!(compiler.compile(&source).0.is_some());
    assert!(start.elapsed() < 5 * limit, "{:?}", start.elapsed());
}

/// Looking for what a terminal and its opposite share is given up.
#[test]
fn opposites_of_terminals_are_answered() {
    let hard = "start: /[0-9]{20}/ A\nA: \"x\" | H\nH: /[ab]*aa[ab]{23}c/ & ~/[ab]*a[ab]{24}c/";
    let compiler =
        Compiler::new(&nano::VOCABULARY).expect("a compiler").with_time_limit(Duration::from_secs(1));
    let start = Instant::now();
    assert_eq!(compiler.compile(&GrammarSource::lark("hard", hard)).1[0].code, "time-limit");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn every_prefix_of_every_shipped_grammar_is_answered() {
    for shipped in library::ALL {
        let text = shipped.text;
        // Every prefix of the beginning, then a sample with a step that hits every kind of place.
        let ends = (0..text.len()).filter(|&i| i < 150 || i % 61 == 0).filter(|&i| text.is_char_boundary(i));
        for end in ends {
            answered(shipped.kind, &text[..end]);
        }
    }
}

/// A generator of numbers that is the same everywhere (xorshift64).
#[test]
fn mutated_grammars_are_answered() {
    let pieces = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "/",
        "'",
        "|",
        "*",
        "+",
        "?",
        "~",
        "&",
        ":",
        "::",
        "_",
        "\n",
        "\\",
        "%json ",
        "%ignore ",
        "%import ",
        "%lark {",
        "->",
        "..",
        "<",
        ">",
        "@",
        "é",
        "\u{0}",
        "{3,",
        "start",
        "NAME",
        "%if ",
        "incr(",
        "0x",
        "99999999999",
        "\"a\"",
        "/b/",
        "<|im_end|>",
        "#",
        "//",
        "\t",
    ];
    let small = ["user", "arithmetic", "csv", "json", "date", "person", "sql"];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..1_500 {
        let shipped = library::find(small[round % small.len()]).expect("shipped");
        let mut text: Vec<char> = shipped.text.chars().collect();
        random.mutate(&mut text, &pieces);
        answered(shipped.kind, &text.into_iter().collect::<String>());
    }
}

/// It compiles, or there is an error with a place inside the text; and the engine did not panic.
fn answered(kind: GrammarKind, text: &str) {
    let (compiled, found) = compile(kind, text);
    let errors: Vec<_> = found.iter().filter(|d| d.severity == Severity::Error).collect();
    assert_eq!(compiled.is_none(), !errors.is_empty(), "{text}\n{found:?}");
    for diagnostic in found {
        assert_ne!(diagnostic.code, "internal", "{text}\n{}", diagnostic.message);
        assert!(diagnostic.span.end <= text.len() && diagnostic.span.start <= diagnostic.span.end, "{text}");
        assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains('\n'), "{text}");
    }
}

/// What one mask may use is counted from mask to mask. A text that is checked asks for none, and has the
/// same for each token.
#[test]
fn a_long_text_does_not_use_up_what_one_mask_may() {
    // Every letter makes another state, of three numbers.
    let text = "start: /([a-z]{1,60000}[0-9]|[a-y]{1,59000}[5-9]z|[a-x]{1,58000}[3-7]y)!/";
    let (grammar, found) = compile(GrammarKind::Lark, text);
    let grammar = grammar.unwrap_or_else(|| panic!("{found:?}"));
    let letters = "a".repeat(40_000);
    assert_eq!(
        check_text(&grammar, format!("{letters}5!").as_bytes()).expect("within the limits"),
        Verdict::Accepted
    );
}

/// llguidance forces bytes for ever where a terminal that must follow matches only what is ignored. A run
/// that comes there ends by itself, and says why.
#[test]
fn a_grammar_that_forces_for_ever_ends_the_run() {
    let object = r#"{"type": "object", "properties": {}, "additionalProperties": false,
        "x-guidance": {"whitespace_flexible": false}}"#;
    let text = format!("start: /[ab]/ %json {object} WS \"b\"\nWS: / +/\n%ignore WS\n");
    let mut engine = Engine::load(&ModelSpec::default(), DeviceSpec::Cpu).expect("the embedded model");
    let request = Request {
        prompt: "a".into(),
        grammar: Some(GrammarSource::lark("endless.lark", text)),
        max_tokens: 50,
        ..Request::default()
    };
    let (trace, _) = engine.run_recorded(request, |_| ControlFlow::Continue(())).expect("it can start");
    let outcome = trace.outcome.expect("it ended");
    assert_eq!(outcome.reason, FinishReason::ParserLimit, "{:?}", outcome.detail);
    assert!(outcome.detail.is_some_and(|detail| detail.contains("2 s")));
}
