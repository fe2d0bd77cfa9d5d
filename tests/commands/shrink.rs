//! `maze shrink`: what is left has the same reason, nothing more can go, and `maze replay` finds the
//! reason again.

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use maze::engine::explain::{Case, Explainer};
use maze::engine::grammar::Compiler;
use maze::engine::shrink::shrink;
use maze::engine::{DeviceSpec, Engine, GrammarSource, ModelSpec, Trace};
use tempfile::TempDir;

use super::{ran, str};

/// The case of a grammar and a text.
fn case(engine: &Engine, source: &GrammarSource, text: &[u8]) -> Option<Case> {
    let (compiled, _) = engine.compile(source).ok()?;
    Explainer::unnamed(compiled, engine.vocabulary().clone()).case(text)
}

#[test]
fn what_is_left_is_the_smallest() {
    let engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu).expect("the embedded model");
    let folder = TempDir::new().expect("a folder");
    let files = [
        ("json.lark", "grammars/json.lark", "{\"name\": \"Ada\", \"born\": 1815, \"tags\": [1, 2,]}"),
        ("person.json", "grammars/person.schema.json", "{\"name\": \"Ada\", \"age\": 1815}"),
        ("chess.gbnf", "grammars/chess.gbnf", "1. e4 e5 2. Nf3 Nc9"),
        ("date.regex", "grammars/date.regex", "2026-02-31"),
    ];
    for (name, path, text) in files {
        let (grammar, given, out) =
            (folder.path().join(name), folder.path().join("text.txt"), folder.path().join("case.json"));
        fs::copy(path, &grammar).expect("shipped");
        fs::write(&given, text).expect("writable");
        let (code, stdout, stderr) = ran(&["shrink", str(&grammar), "--text", str(&given), "-o", str(&out)]);
        assert_eq!(code, 0, "{name}: {stderr}");
        assert!(stderr.contains("nothing more can be taken out"), "{name}: {stderr}");
        assert!(stdout.contains("\ntext: "), "{name}: {stdout}");
        let trace = Trace::from_json(&fs::read(&out).expect("written")).expect("a trace");
        let (small, left) = (trace.request.grammar.expect("a grammar"), trace.case.expect("a case"));
        let before = fs::read_to_string(&grammar).expect("a grammar");
        assert!(
            small.text.len() < before.len() / 2 && left.text.len() <= text.len(),
            "{name}: {}",
            small.text
        );
        // The same reason as at first.
        let first = case(&engine, &GrammarSource { text: before, ..small.clone() }, text.as_bytes())
            .expect("refused");
        assert_eq!(
            (&left.mark, Some(&left)),
            (&first.mark, case(&engine, &small, &left.text).as_ref()),
            "{name}"
        );
        // No character of the text can go.
        let accepted = String::from_utf8(left.text[..left.at].to_vec()).expect("text");
        for (at, character) in accepted.char_indices() {
            let mut shorter = left.text.clone();
            shorter.drain(at..at + character.len_utf8());
            let found = case(&engine, &small, &shorter);
            assert!(
                found.is_none_or(|found| found.mark != left.mark),
                "{name}: byte {at} of {:?}",
                left.text
            );
        }
        // Nor can a line of the grammar.
        for at in 0..small.text.lines().count() {
            let lines = small.text.lines().enumerate().filter(|(i, _)| *i != at).map(|(_, line)| line);
            let shorter = GrammarSource { text: lines.collect::<Vec<_>>().join("\n"), ..small.clone() };
            let found = case(&engine, &shorter, &left.text);
            assert!(found.is_none_or(|found| found.mark != left.mark), "{name}: line {at} of {}", small.text);
        }

        let (code, stdout, stderr) = ran(&["replay", str(&out)]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{name}");
        assert!(
            stdout.contains("\nVerified: the text is refused at the same byte for the same reason."),
            "{stdout}"
        );
        // Another text is found out.
        let changed =
            fs::read_to_string(&out).expect("written").replace("\"kind\": \"byte\"", "\"kind\": \"limit\"");
        fs::write(&out, changed).expect("writable");
        let (code, _, stderr) = ran(&["replay", str(&out)]);
        assert!(
            code == 1 && stderr.contains("the reason is another one: limit at byte "),
            "{name}: {stderr}"
        );
    }
}

#[test]
fn what_there_was_no_time_to_compile_may_be_smaller() {
    let engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu).expect("the embedded model");
    let vocabulary = engine.vocabulary();
    let source = GrammarSource::lark("g", "start: a \"!\"\na: \"b\" | \"c\"\n");
    let is_smallest = |limit: Duration| {
        let (grammar, _) = engine.compile(&source).expect("it compiles");
        let compiler = Compiler::new(vocabulary).expect("a compiler").with_time_limit(limit);
        let until = Instant::now() + Duration::from_secs(60);
        let go_on = &mut |_| ControlFlow::Continue(());
        shrink(&compiler, vocabulary, grammar, b"bb", until, go_on).expect("it is refused").is_smallest
    };
    assert!(is_smallest(Duration::from_secs(5)) && !is_smallest(Duration::ZERO));
}

#[test]
fn what_cannot_be_shrunk_is_said() {
    let folder = TempDir::new().expect("a folder");
    let (good, broken) = (folder.path().join("good.lark"), folder.path().join("broken.lark"));
    let text = folder.path().join("text.txt");
    fs::write(&good, "start: \"a\"+\n").expect("writable");
    fs::write(&broken, "start: b\n").expect("writable");
    fs::write(&text, "aa").expect("writable");
    let (code, _, stderr) = ran(&["shrink", str(&good), "--text", str(&text)]);
    assert!(code == 1 && stderr.contains("accepts the text, there is nothing to shrink"), "{stderr}");
    let (code, _, stderr) = ran(&["shrink", str(&broken), "--text", str(&text)]);
    assert!(code == 2 && stderr.contains("undefined-name]: `"), "{stderr}");
    let (code, _, stderr) = ran(&["shrink", str(&good), "--text", str(&text), "--seconds", "0"]);
    assert!(code == 2 && stderr.contains("from 0.1 to 3600"), "{stderr}");
    fs::write(&text, "aab").expect("writable");
    let nowhere = folder.path().join("no/such/folder.json");
    let (code, _, stderr) = ran(&["shrink", str(&good), "--text", str(&text), "-o", str(&nowhere)]);
    assert!(code == 2 && stderr.contains("cannot write "), "{stderr}");
    // Without a file the case is printed.
    let (code, stdout, _) = ran(&["shrink", str(&good), "--text", str(&text)]);
    let case = Trace::from_json(stdout.as_bytes()).expect("a trace").case.expect("a case");
    assert_eq!((code, case.text.as_slice(), case.at), (0, &b"ab"[..], 1));
}
