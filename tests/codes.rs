//! The table of codes against what the engine really says: every code that is emitted is explained,
//! every example has what it is an example of, and its fix puts it right.

use std::fs;
use std::path::{Path, PathBuf};

use maze::engine::codes::{self, Code, Example};
use maze::engine::grammar::{GrammarSource, library};
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
    let calls =
        ["Finding::new(", "bound(", ".finding(", "Diagnostic::error(", ".stop(", ".note(", "diagnostic("];
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
