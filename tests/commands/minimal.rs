//! What `maze shrink` leaves is the smallest that one step leads to: without any one rule, alternative,
//! item, member or byte the reason is another one. What a step is, this file finds out by itself, with
//! a reader of a few lines that shares nothing with the one that shrinks.

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use maze::engine::explain::{Case, Explainer};
use maze::engine::shrink::shrink;
use maze::engine::{DeviceSpec, Engine, GrammarKind, GrammarSource, ModelSpec};
use serde_json::Value;

const LARK: &str = "// Calls.\nstart: call (\";\" call)* -> calls\n\
    call: NAME \"(\" (args | \"void\")? \")\"\nargs: arg (\",\" arg){0,9}\n\
    arg: NAME \"=\" value | value | [\"*\" NAME]\nvalue: NUM | \"\\\"\" /[^\"]*/ \"\\\"\" | call\n\
    NAME: /[a-zé]+/ & ~(\"void\" | \"if\")\nNUM: DIGIT+ (\".\" DIGIT+)?\nDIGIT: \"0\"..\"9\"\n%ignore / +/\n";

const GBNF: &str = "# A list.\nroot ::= \"[\" ws (item (\",\" ws item)*)? \"]\"\n\
    item ::= number | string | root\nnumber ::= \"-\"? [0-9]{1,9}\nstring ::= \"\\\"\" [^\"|#]* \"\\\"\"\n\
    ws ::= [ \\n]{0,4}\n";

const SCHEMA: &str = r#"{"type": "object", "title": "an order", "properties": {"id": {"type": "integer"},
    "lines": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object", "properties":
    {"sku": {"type": "string", "pattern": "^[A-Z]{2}$"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["sku"], "additionalProperties": false}]}}}, "required": ["id"], "additionalProperties": false}"#;

#[test]
fn no_single_part_can_be_taken_out() {
    let engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu).expect("the embedded model");
    let file = |name: &str| std::fs::read_to_string(format!("grammars/{name}")).expect("a shipped grammar");
    let json = file("json.lark");
    for (kind, grammar, text) in [
        (GrammarKind::Lark, LARK, "foo(a, b = 1); bar(\"x\", *é, baz(2.5)); q(void"),
        (GrammarKind::Lark, LARK, "foo(a, b = 1.); bar()"),
        (GrammarKind::Lark, LARK, "x(); é(void); if(1)"),
        (GrammarKind::Lark, LARK, "foo(é = \"é!\" 7)"),
        (GrammarKind::Lark, &json, "{\"name\": \"Ada\", \"born\": 1815, \"tags\": [1, 2,]}"),
        (GrammarKind::Lark, &json, "[1, {\"a\": [tru]}]"),
        (GrammarKind::Gbnf, GBNF, "[1, \"a b\", [-23, \"#\"]]"),
        (GrammarKind::Gbnf, GBNF, "[1,\n[[-]]]"),
        (GrammarKind::Gbnf, &file("chess.gbnf"), "1. e4 e5 2. Nf3 Nc9"),
        (GrammarKind::Regex, "(?:[a-z]+|[0-9]{1,3}|é)(?:-(?:x|yy|\\d)+)*!?", "abc-x-yy-7-é"),
        (GrammarKind::Regex, &file("date.regex"), "2026-02-31"),
        (GrammarKind::JsonSchema, SCHEMA, "{\"id\": 7, \"lines\": [\"a\", {\"sku\": \"AB\", \"count\": 0}]}"),
        (GrammarKind::JsonSchema, SCHEMA, "{\"id\": 7, \"lines\": [{\"sku\": \"ABC\"}]}"),
    ] {
        let source = GrammarSource::new(kind, "grammar", grammar);
        let until = Instant::now() + Duration::from_secs(600);
        let go_on = &mut |_| ControlFlow::Continue(());
        let (compiled, _) = engine.compile(&source).expect("it compiles");
        let shrunk = shrink(engine.compiler(), engine.vocabulary(), compiled, text.as_bytes(), until, go_on);
        let shrunk = shrunk.unwrap_or_else(|| panic!("{text} is refused"));
        assert!(shrunk.is_smallest, "{text}");
        let (small, left) = (&shrunk.grammar, &shrunk.case);
        let has_reason = |grammar: &str, text: &[u8]| {
            let source = GrammarSource { text: grammar.to_owned(), ..small.clone() };
            case(&engine, &source, text).is_some_and(|found| found.mark == left.mark)
        };
        assert!(has_reason(&small.text, &left.text), "{}", small.text);
        // The bytes of the text, but the one that is refused and what belongs to it.
        for at in 0..left.at {
            let mut shorter = left.text.clone();
            shorter.remove(at);
            assert!(!has_reason(&small.text, &shorter), "byte {at} of {:?} in\n{}", left.text, small.text);
        }
        let smaller = match kind {
            GrammarKind::JsonSchema => without_members(&small.text),
            _ => without_parts(kind, &small.text),
        };
        for (what, smaller) in smaller {
            assert!(!has_reason(&smaller, &left.text), "{text}: {what} can go in\n{}", small.text);
        }
    }
}

fn case(engine: &Engine, source: &GrammarSource, text: &[u8]) -> Option<Case> {
    let compiled = engine.compiler().try_compile(source).ok()?;
    Explainer::unnamed(compiled.into(), engine.vocabulary().clone()).case(text)
}

/// A schema without each member of each object, and each element of each array.
fn without_members(text: &str) -> Vec<(String, String)> {
    let whole: Value = serde_json::from_str(text).expect("JSON");
    let (mut found, mut open) = (Vec::new(), vec![String::new()]);
    while let Some(pointer) = open.pop() {
        let keys: Vec<String> = match whole.pointer(&pointer) {
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            Some(Value::Array(all)) => (0..all.len()).map(|i| i.to_string()).collect(),
            _ => continue,
        };
        for key in keys {
            let mut smaller = whole.clone();
            match smaller.pointer_mut(&pointer) {
                Some(Value::Object(members)) => drop(members.shift_remove(&key)),
                Some(Value::Array(all)) => drop(all.remove(key.parse().expect("a number"))),
                _ => {}
            }
            let inner = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            found.push((inner.clone(), smaller.to_string()));
            open.push(inner);
        }
    }
    found
}

/// A grammar without each of its rules, alternatives and items.
fn without_parts(kind: GrammarKind, text: &str) -> Vec<(String, String)> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let words: Vec<Range<usize>> =
            words(kind, line).into_iter().map(|w| start + w.start..start + w.end).collect();
        let body = match kind {
            GrammarKind::Regex => 0,
            _ => {
                ranges.push(start..start + line.len());
                let head = words.iter().position(|w| matches!(&text[w.clone()], ":" | "::="));
                head.map_or(words.len(), |head| head + 1)
            }
        };
        in_body(text, &words[body..], &mut ranges);
        start += line.len();
    }
    ranges
        .into_iter()
        .map(|r| (text[r.clone()].to_owned(), [&text[..r.start], &text[r.end..]].concat()))
        .collect()
}

/// The alternatives and items of a body, and of all brackets in it.
fn in_body(text: &str, words: &[Range<usize>], found: &mut Vec<Range<usize>>) {
    let is = |at: usize, any: &[&str]| words.get(at).is_some_and(|w| any.contains(&&text[w.clone()]));
    let closing = |open: usize| {
        let mut depth = 0_usize;
        (open..words.len()).find(|&at| {
            depth += usize::from(is(at, &["(", "[", "(?:"]));
            depth -= usize::from(is(at, &[")", "]"]));
            depth == 0
        })
    };
    // Items, each with what repeats it.
    let (mut at, mut bars) = (0, Vec::new());
    while at < words.len() {
        let from = at;
        if is(at, &["|"]) {
            bars.push(at);
            at += 1;
            continue;
        }
        while is(at, &["&", "~"]) {
            at += 1;
        }
        if is(at, &["(", "[", "(?:"])
            && let Some(close) = closing(at)
        {
            in_body(text, &words[at + 1..close], found);
            at = close;
        }
        at += 1;
        let repeats = |w: &Range<usize>| text[w.clone()].starts_with(['*', '+', '?', '{']);
        while words.get(at).is_some_and(repeats) {
            at += 1;
        }
        if let (Some(first), Some(last)) = (words.get(from), words[..at.min(words.len())].last()) {
            found.push(first.start..last.end);
        }
    }
    // Alternatives, each with one bar.
    for (i, &bar) in bars.iter().enumerate() {
        let before = if i == 0 { 0 } else { bars[i - 1] + 1 };
        let after = bars.get(i + 1).copied().unwrap_or(words.len());
        found.push(words[before].start..words[bar].end);
        found.push(words[bar].start..words[after - 1].end);
    }
}

/// The words of a line.
fn words(kind: GrammarKind, line: &str) -> Vec<Range<usize>> {
    let pattern = match kind {
        GrammarKind::Regex => r"\\.|\[(?:\\.|[^\]])*\]|\{[^}]*\}|\(\?:|[^\n]",
        GrammarKind::Gbnf => r#""(?:\\.|[^"])*"|\[(?:\\.|[^\]])*\]|\{[^}]*\}|::=|[A-Za-z0-9_-]+|[^\s]"#,
        _ => r#""(?:\\.|[^"])*"(?:\.\."(?:\\.|[^"])*")?i?|/(?:\\.|[^/])+/|\{[^}]*\}|->|[A-Za-z0-9_%]+|[^\s]"#,
    };
    let pattern = regex::Regex::new(pattern).expect("a pattern");
    pattern.find_iter(line).map(|found| found.range()).collect()
}
