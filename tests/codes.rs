//! The table of codes against what the engine really says: every code that is emitted is explained,
//! every example has what it is an example of, and every fix fixes.

use std::fs;
use std::path::{Path, PathBuf};

use maze::engine::check::{Verdict, check_text};
use maze::engine::codes::{self, Code, Example};
use maze::engine::grammar::{GrammarKind, GrammarSource, library};
use maze::engine::{Diagnostic, Severity};

#[path = "support/nano.rs"]
mod nano;

/// Codes that no short grammar has: limits of time and memory, failures of the system or of
/// llguidance itself, and the line after the twentieth mistake.
const WITHOUT_EXAMPLE: [&str; 11] = [
    "too-large",
    "limit",
    "time-limit",
    "compiler-busy",
    "no-thread",
    "internal",
    "more",
    "invalid-grammar",
    "llguidance",
    "check-failed",
    "unusable-vocabulary",
];

fn found(example: &Example) -> Vec<Diagnostic> {
    nano::COMPILER.compile(&GrammarSource::new(example.kind, "example", example.text)).1
}

fn said(found: &[Diagnostic]) -> String {
    found.iter().map(|d| format!("\n  {} {}: {}", d.number, d.code, d.message)).collect()
}

#[test]
fn every_example_has_its_code_and_is_put_right() {
    let mut wrong = String::new();
    for code in codes::all() {
        let Code { number, slug, bad, good, .. } = code;
        let (Some(bad), Some(good)) = (bad, good) else {
            assert!(WITHOUT_EXAMPLE.contains(slug), "{number} {slug} needs an example");
            continue;
        };
        let in_bad = found(bad);
        match in_bad.iter().find(|d| d.code == *slug) {
            None => wrong += &format!("\n{number} {slug}: the bad example has not got it:{}", said(&in_bad)),
            Some(d) if !code.severities.contains(&d.severity) => {
                wrong += &format!("\n{number} {slug} is a {}", d.severity.name());
            }
            Some(d) => assert_eq!(d.number, *number),
        }
        let in_good = found(good);
        if in_good.iter().any(|d| d.code == *slug || d.severity == Severity::Error) {
            wrong += &format!("\n{number} {slug}: the good example is not good:{}", said(&in_good));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The arguments of every call in `text` of one of `functions` that are a string and nothing else.
fn literal_arguments<'a>(text: &'a str, functions: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for function in functions {
        for (at, _) in text.match_indices(function) {
            let rest = &text[at + function.len()..];
            let (mut depth, mut start, mut in_string, mut escaped) = (0, 0, false, false);
            for (i, c) in rest.char_indices() {
                match c {
                    _ if escaped => escaped = false,
                    '\\' if in_string => escaped = true,
                    '"' => in_string = !in_string,
                    _ if in_string => {}
                    '(' | '[' | '{' => depth += 1,
                    ',' if depth == 0 => {
                        found.push(rest[start..i].trim());
                        start = i + 1;
                    }
                    ')' | ']' | '}' if depth == 0 => {
                        found.push(rest[start..i].trim());
                        break;
                    }
                    ')' | ']' | '}' => depth -= 1,
                    _ => {}
                }
            }
        }
    }
    let is_slug = |s: &str| s.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !s.is_empty();
    let literal = |s: &'a str| s.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
    found.into_iter().filter_map(literal).filter(|s| is_slug(s)).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the project").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_code_that_is_emitted_is_explained() {
    let mut files = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // Commands place what they say of texts with findings too; those are not about grammars.
    rust_files(&src.join("engine"), &mut files);
    rust_files(&src.join("app"), &mut files);
    let calls = ["Finding::new(", ".finding(", "Diagnostic::error(", ".stop(", ".note(", "diagnostic("];
    let mut emitted: Vec<String> = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        emitted.extend(literal_arguments(text, &calls).into_iter().map(str::to_owned));
        for part in text.split("code: \"").skip(1) {
            emitted.extend(part.split('"').next().map(str::to_owned));
        }
    }
    emitted.sort();
    emitted.dedup();
    assert!(emitted.len() > 60, "only {} were found: {emitted:?}", emitted.len());
    let unknown: Vec<&String> = emitted.iter().filter(|slug| codes::find(slug).is_none()).collect();
    assert!(unknown.is_empty(), "src/engine/codes.txt does not explain {unknown:?}");
    let silent: Vec<&str> =
        codes::all().iter().map(|c| c.slug).filter(|s| !emitted.iter().any(|e| e == s)).collect();
    assert!(silent.is_empty(), "nothing emits {silent:?}");
}

#[test]
fn no_shipped_grammar_has_a_finding() {
    for grammar in library::ALL {
        let source = grammar.source();
        let (_, found) = nano::COMPILER.compile(&source);
        assert!(found.is_empty(), "{}:{}", grammar.name, said(&found));
    }
}

/// Codes whose example is put right by a fix.
const FIXED: [&str; 29] = [
    "missing-start",
    "gbnf",
    "equals-sign",
    "single-quotes",
    "stray-character",
    "comment",
    "bad-repeat",
    "undefined-name",
    "unknown-import",
    "rule-in-terminal",
    "unknown-attribute",
    "unknown-option",
    "unknown-special-token",
    "unsupported",
    "invalid-json",
    "unknown-type",
    "unused-name",
    "never-lazy",
    "doubled-escape",
    "swallows-next",
    "glued-keyword",
    "keyword-as-name",
    "initial-skip",
    "endless-space",
    "sniffed-as-gbnf",
    "slow-repeat",
    "insensitive-unicode",
    "unicode-class",
    "right-recursion",
];

#[test]
fn every_fix_leaves_a_grammar_that_compiles_and_has_it_no_more() {
    let mut wrong = String::new();
    let more = ["ambiguous-operator", "json-white-space"];
    for code in codes::all() {
        let Some(bad) = &code.bad else { continue };
        let fix = found(bad).into_iter().find(|d| d.code == code.slug).and_then(|d| d.fix);
        let promised = FIXED.contains(&code.slug) || more.contains(&code.slug);
        let Some(fix) = fix else {
            if promised {
                wrong += &format!("\n{} has no fix", code.slug);
            }
            continue;
        };
        let text = fix.apply(bad.text);
        let left = nano::COMPILER.compile(&GrammarSource::new(bad.kind, "fixed", &*text)).1;
        let is_left = |d: &Diagnostic| d.code == code.slug || d.severity == Severity::Error;
        if left.iter().any(is_left) {
            wrong += &format!("\n{}: {} leaves\n{text}{}", code.slug, fix.label, said(&left));
        }
        if !promised {
            wrong += &format!("\n{} has a fix that is not listed", code.slug);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A grammar with a finding, and what the fix must not change: texts that are accepted before and
/// after, and texts that are refused after.
struct Kept {
    code: &'static str,
    kind: GrammarKind,
    text: &'static str,
    accepted: &'static [&'static str],
    refused: &'static [&'static str],
}

const fn lark(
    code: &'static str,
    text: &'static str,
    accepted: &'static [&'static str],
    refused: &'static [&'static str],
) -> Kept {
    Kept { code, kind: GrammarKind::Lark, text, accepted, refused }
}

const KEPT: &[Kept] = &[
    lark(
        "right-recursion",
        "start: list\nlist: \"x\" \",\" list | \"x\"",
        &["x", "x,x", "x,x,x"],
        &["", "x,", ",x", "xx"],
    ),
    lark("right-recursion", "start: list\nlist: \"x\" list | \"\"", &["", "x", "xxx"], &["y", "xy"]),
    lark(
        "right-recursion",
        "start: list\nlist: \"x\" (\",\" list)?",
        &["x", "x,x", "x,x,x"],
        &["", "x,", "xx"],
    ),
    lark("right-recursion", "start: a\na: \"x\" \"y\" a?", &["xy", "xyxy"], &["", "x", "xyx"]),
    lark(
        "right-recursion",
        "start: a\na: b a | c a | b | c\nb: \"b\"\nc: \"c\"",
        &["b", "c", "bcb"],
        &["", "x"],
    ),
    lark(
        "right-recursion",
        "start: a\na: \"b\" \",\" a | \"b\" | \"\"",
        &["", "b", "b,b", "b,"],
        &[",", "bb"],
    ),
    lark(
        "ambiguous-operator",
        "start: e\ne: e \"+\" e | e \"*\" e | \"(\" e \")\" | /[0-9]/",
        &["1", "1+2*3", "(1+2)*3", "((1))"],
        &["", "1+", "+1", "12", "()"],
    ),
    lark("ambiguous-operator", "start: e\ne: e (\"+\" | \"-\") e | \"x\"", &["x", "x+x-x"], &["x+", "xx"]),
    lark("ambiguous-operator", "start: e\ne: e e | \"x\"", &["x", "xx", "xxx"], &["", "y"]),
    lark("single-quotes", "start: 'a\"b' | \"c\"", &["a\"b", "c"], &["a"]),
    lark("sniffed-as-gbnf", "?start: \"a\" start | \"b\"", &["b", "ab"], &["a"]),
    lark("sniffed-as-gbnf", "start[capture]: \"a\"", &["a"], &["b"]),
    lark("insensitive-unicode", "start: \"as/k\"i", &["as/k", "AS/K", "aS/k"], &["aſ/k", "as/\u{212a}"]),
    lark("never-lazy", "start: /\"(.*?)\"/", &["\"\"", "\"a b\""], &["\"a\"b\"", "\"a"]),
    lark("never-lazy", "start: C\nC: /\\/\\*.*?\\*\\//s", &["/**/", "/* a * / \n **/"], &["/* */ */", "/*/"]),
    lark(
        "never-lazy",
        "start: C\nC: /<!--.*?-->/",
        &["<!---->", "<!-- a - -> b -->"],
        &["<!-- --> -->", "<!-->"],
    ),
    lark("swallows-next", "start: /.+/ \";\"", &[], &["a", ";;"]),
    lark(
        "keyword-as-name",
        "start: \"if\"i N | N\nN: /[a-z]+/ | /[0-9]/",
        &["ifx", "x", "iffy", "7"],
        &["if", "iF"],
    ),
    lark("keyword-as-name", "start: \"if\"i N | N\nN: /[a-zA-Z]+/ & ~\"if\"", &["x"], &["if", "iF"]),
    lark(
        "keyword-as-name",
        "%import common.CNAME\nstart: \"if \" CNAME | \"if\"",
        &["if x", "if"],
        &["if if"],
    ),
    lark(
        "glued-keyword",
        "start: \"let\" N\nN: /[a-z]+/\n%ignore / +/",
        &["let x", "let  xy"],
        &["letx", "let"],
    ),
    lark("glued-keyword", "start: \"let\" N\nN: /[a-z]+/", &[], &["letx"]),
    lark("slow-repeat", "start: /[a-z]/+ \"1\"", &["a1", "abc1"], &["1", "a"]),
    lark("slow-repeat", "start: w \"1\"\nw: (L | \"_\")*\nL: /[a-z]/", &["1", "a1", "a_c1"], &["", "a"]),
    lark("initial-skip", "start: \"a\" \"b\"\n%ignore / /", &["a b", "ab"], &["a"]),
    lark(
        "initial-skip",
        "%llguidance {\"no_forcing\": true}\nstart: \"a\" \"b\"\n%ignore / /",
        &["a b", "ab"],
        &["a"],
    ),
    lark(
        "endless-space",
        "start: \"a\" \"b\"\n%ignore WS\n%import common.WS",
        &["a b", "a \n b", "ab"],
        &["a"],
    ),
    lark("rule-in-terminal", "start: D\nD: y y\ny: /[0-9]/", &[], &["1", "123"]),
    lark("unused-name", "start: \"a\"\nb: \"b\"\n  | \"c\"\n", &["a"], &["b"]),
    lark("unused-name", "b: \"b\"\nstart: \"a\"", &["a"], &["b"]),
    lark("missing-start", "root: \"a\" root | \"b\"", &[], &["a"]),
    lark("gbnf", "root ::= (\"a\" | [b-c])+ d?\nd ::= \"d\"", &[], &["", "dd"]),
    lark("doubled-escape", "start: /\\\\d+\\\\./", &[], &["\\d."]),
    Kept {
        code: "json-white-space",
        kind: GrammarKind::JsonSchema,
        text: "{\"x-guidance\": {\"lenient\": true}, \"type\": \"array\", \"items\": {\"type\": \"null\"}}",
        accepted: &["[]", "[null, null]", "[\n null]"],
        refused: &["[", "[1]"],
    },
];

#[test]
fn fixes_keep_what_was_meant() {
    let mut wrong = String::new();
    for case in KEPT {
        let source = GrammarSource::new(case.kind, "before", case.text);
        let (before, found) = nano::COMPILER.compile(&source);
        let Some(fix) = found.iter().find(|d| d.code == case.code).and_then(|d| d.fix.as_deref()) else {
            wrong += &format!("\n{}: no fix for\n{}{}", case.code, case.text, said(&found));
            continue;
        };
        let text = fix.apply(case.text);
        let (after, found) = nano::COMPILER.compile(&GrammarSource::new(case.kind, "after", &*text));
        let Some(after) = after else {
            wrong += &format!("\n{}: this does not compile\n{text}{}", case.code, said(&found));
            continue;
        };
        if found.iter().any(|d| d.code == case.code) {
            wrong += &format!("\n{}: still there in\n{text}{}", case.code, said(&found));
        }
        let accepts =
            |grammar, text: &str| check_text(grammar, text.as_bytes()).ok() == Some(Verdict::Accepted);
        for sample in case.accepted {
            if before.as_ref().is_some_and(|before| !accepts(before, sample)) || !accepts(&after, sample) {
                wrong += &format!("\n{}: {sample:?} is not accepted by both\n{text}", case.code);
            }
        }
        for sample in case.refused.iter().filter(|sample| accepts(&after, sample)) {
            wrong += &format!("\n{}: {sample:?} is accepted by\n{text}", case.code);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
