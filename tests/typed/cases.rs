//! Well and ill typed texts, written by hand (`cases.toml`), against the grammars.

use std::fs;
use std::path::{Path, PathBuf};

use maze::engine::GrammarSource;
use maze::engine::check::{Verdict, check_text};
use maze::engine::typed::{Context, Entry, Language, Wanted, grammar};
use toml_edit::{DocumentMut, Table};

use crate::compiled;
use crate::derive::Rules;
use crate::random::Random;
use crate::walk::walk;

/// A file of the tests.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/typed").join(name)
}

/// The context in a file of the tests.
pub fn context(language: Language, name: &str) -> Context {
    let text = fs::read_to_string(path(name)).expect("a context of the tests");
    let read = if name.ends_with(".toml") { Context::from_toml } else { Context::from_source };
    read(language, &text).unwrap_or_else(|e| panic!("{name}:{e}"))
}

/// A language by its name.
pub fn language(name: &str) -> Language {
    Language::ALL.into_iter().find(|l| l.name() == name).expect("a language")
}

fn made(table: &Table) -> String {
    let text = |key: &str| table[key].as_str().unwrap_or_else(|| panic!("{key} is a text"));
    let language = language(text("language"));
    let context = context(language, text("context"));
    let locals: Vec<(String, String)> = table
        .get("local")
        .and_then(|l| l.as_array())
        .into_iter()
        .flatten()
        .map(|pair| {
            let part = |n| pair.as_array().and_then(|p| p.get(n)).and_then(|v| v.as_str());
            (part(0).expect("a name").to_owned(), part(1).expect("a type").to_owned())
        })
        .collect();
    let entry = if table.contains_key("entry") { Entry::Body } else { Entry::Expression };
    let depth = table["depth"].as_integer().and_then(|d| u8::try_from(d).ok()).expect("a depth");
    let wanted =
        Wanted { language, context: &context, returns: text("returns"), entry, depth, locals: &locals };
    grammar(&wanted, "the tests").unwrap_or_else(|e| panic!("{}: {e}", text("returns")))
}

#[test]
fn well_typed_texts_are_accepted_and_others_refused_where_they_go_wrong() {
    let text = fs::read_to_string(path("cases.toml")).expect("the cases");
    let document: DocumentMut = text.parse().expect("TOML");
    let mut wrong = Vec::new();
    for table in document["grammar"].as_array_of_tables().expect("grammars") {
        let name = format!("{} of {}", table["returns"], table["context"]);
        let grammar = compiled(&GrammarSource::lark(name.clone(), made(table)));
        let cases = |kind: &str| {
            let all = table[kind].as_array().unwrap_or_else(|| panic!("{name} has cases to {kind}"));
            all.iter().map(|v| v.as_str().expect("a text").to_owned()).collect::<Vec<_>>()
        };
        for text in cases("accept") {
            let verdict = check_text(&grammar, text.as_bytes()).expect("within the limits");
            if verdict != Verdict::Accepted {
                wrong.push(format!("{name}: {text:?} is not accepted: {verdict:?}"));
            }
        }
        for marked in cases("reject") {
            let at = marked.find('‸').unwrap_or_else(|| panic!("{marked:?} says where"));
            let text = marked.replace('‸', "");
            let found = match check_text(&grammar, text.as_bytes()).expect("within the limits") {
                Verdict::Accepted => None,
                Verdict::Incomplete { .. } => Some(text.len()),
                Verdict::Rejected(rejection) => Some(rejection.offset),
            };
            // The end of a text that could go on counts as the place.
            if found != Some(at) {
                wrong.push(format!("{name}: {marked:?} is refused at {found:?}, not at {at}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The files of the tests, with a function in each.
const SOURCES: [(&str, &str); 8] = [
    ("shop.py", "price_of"),
    ("odd.py", "complete"),
    ("shop.ts", "priceOf"),
    ("odd.ts", "complete"),
    ("shop.rs", "price_of"),
    ("odd.rs", "complete"),
    ("shop.go", "priceOf"),
    ("odd.go", "complete"),
];

/// What the rules derive, the parser accepts: no terminal takes away what another needs. And what the
/// parser allows comes to an end.
#[test]
fn every_derivation_is_accepted_and_every_walk_ends() {
    for (file, function) in SOURCES {
        let language =
            Language::ALL.into_iter().find(|l| file.ends_with(l.extension())).expect("one of them");
        let mut context = context(language, file);
        let returns = language.spell(&context.enter(language, function).expect("it is there"));
        let mut random = Random(0x7_1e5);
        for (entry, depth, count) in
            [(Entry::Expression, 3, 150), (Entry::Body, 2, 100), (Entry::Expression, 6, 6)]
        {
            let wanted = Wanted { language, context: &context, returns: &returns, entry, depth, locals: &[] };
            let text = grammar(&wanted, "the tests").unwrap_or_else(|e| panic!("{file}: {e}"));
            let compiled = compiled(&GrammarSource::lark(file, text.clone()));
            let rules = Rules::of(&text);
            for _ in 0..count {
                let derived = rules.text(&mut random);
                let verdict = check_text(&compiled, derived.as_bytes()).expect("within the limits");
                assert_eq!(verdict, Verdict::Accepted, "{file}: {derived}");
            }
            for _ in 0..count / 5 {
                walk(compiled.constraint(), &mut random);
            }
        }
    }
}
