//! `maze sample`, entry points, and the grammar that a prompt asks for.

use std::fs;

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use super::{ran, str};

const LIST: &str = "// entries: list, item\nstart: list\nlist: item (\",\" item)*\nitem: /[a-z]{1,9}/\n";

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("list.lark"), LIST).expect("writable");
    folder
}

fn texts(args: &[&str]) -> Vec<String> {
    let (code, stdout, stderr) = ran(args);
    assert_eq!((code, &*stderr), (0, ""), "{args:?}");
    let value: Value = serde_json::from_str(&stdout).expect("JSON");
    let texts = value["texts"].as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// What is drawn matches the same language in another engine, and chance comes from the seed alone.
#[test]
fn texts_follow_the_grammar_and_the_seed() {
    let folder = folder();
    let path = folder.path().join("list.lark");
    let sample = |more: &[&str]| texts(&[&["sample", str(&path), "--json", "-n", "40"], more].concat());
    let list = Regex::new("^[a-z]{1,9}(,[a-z]{1,9})*$").expect("a regex");
    let drawn = sample(&[]);
    assert_eq!(drawn.len(), 40);
    for text in &drawn {
        assert!(list.is_match(text), "{text:?}");
    }
    assert!(drawn.iter().any(|text| text.contains(',')), "{drawn:?}");
    assert_eq!(sample(&["--seed", "0"]), drawn);
    assert_eq!(sample(&["--seed", "1"])[..39], drawn[1..]);
    for text in sample(&["--entry", "item"]) {
        assert!(list.is_match(&text) && !text.contains(','), "{text:?}");
    }
    for text in texts(&["sample", str(&path), "--json", "-n", "2", "--temperature", "1", "--max-tokens", "9"])
    {
        assert!(list.is_match(&text), "{text:?}");
    }
}

#[test]
fn each_text_is_a_file() {
    let folder = folder();
    let to = folder.path().join("out");
    let (code, stdout, stderr) = ran(&["sample", "date", "-n", "3", "--to", str(&to)]);
    assert_eq!((code, &*stdout), (0, ""));
    assert!(stderr.starts_with("3 texts in"), "{stderr}");
    let (_, shown, _) = ran(&["sample", "date", "-n", "3"]);
    let files = (1..=3).map(|n| fs::read_to_string(to.join(format!("{n}.txt"))).expect("a file"));
    let files: Vec<String> =
        files.enumerate().map(|(i, text)| format!("── {} of 3\n{text}\n", i + 1)).collect();
    assert_eq!(shown, files.concat());
}

#[test]
fn what_cannot_be_sampled_is_said() {
    let folder = folder();
    let list = folder.path().join("list.lark");
    for (args, said) in [
        (&["sample", "nothing"][..], "a grammar's name ends in"),
        (&["sample", str(&list), "--entry", "itm"], "did you mean item?"),
        (&["sample", "date", "--entry", "x"], "only a grammar in Lark can name some"),
        (&["sample", str(&list), "-n", "0"], "from 1 to 100000"),
        (&["sample", str(&list), "--prompt", "x"], "--temperature"),
        (&["sample", str(&list), "--to", str(&list)], "cannot make"),
    ] {
        let (code, stdout, stderr) = ran(args);
        assert_eq!((code, &*stdout), (2, ""), "{args:?}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
}

/// `--entry` begins with another rule wherever a grammar is named.
#[test]
fn entries_begin_with_another_rule() {
    let folder = folder();
    let (list, text) = (folder.path().join("list.lark"), folder.path().join("text"));
    fs::write(&text, "ab,c").expect("writable");
    let (list, text) = (str(&list), str(&text));
    assert_eq!(ran(&["check", list, "--text", text]).0, 0);
    let (code, stdout, _) = ran(&["check", list, "--text", text, "--entry", "item"]);
    assert_eq!((code, stdout.contains("1:3")), (1, true), "{stdout}");
    let (code, stdout, _) = ran(&["explain", list, "--text", text, "--entry", "item", "--at", "2"]);
    assert_eq!((code, stdout.contains("`,` may not come here")), (1, true), "{stdout}");
    let (code, stdout, _) = ran(&["generate", "x", "--grammar", list, "--entry", "item", "--json"]);
    let value: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((code, &value["entry"]), (0, &Value::from("item")));
    assert!(!value["text"].as_str().expect("a text").contains(','));
    let (code, _, stderr) = ran(&["generate", "x", "--entry", "item"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--entry needs the grammar"), "{stderr}");
}

#[test]
fn a_prompt_gets_the_grammar_that_it_asks_for() {
    let generate = |args: &[&str]| {
        let (code, stdout, stderr) = ran(&[&["generate", "--json", "--max-tokens", "2"], args].concat());
        assert_eq!(code, 0, "{stderr}");
        let value: Value = serde_json::from_str(&stdout).expect("JSON");
        (value["grammar"].clone(), stderr)
    };
    let (grammar, stderr) = generate(&["Create a Python function with type hints"]);
    assert_eq!(grammar, "python.lark");
    assert!(stderr.starts_with("grammar: python, "), "{stderr}");
    assert!(stderr.contains("because the prompt says \"Python\""), "{stderr}");
    assert_eq!(generate(&["Create a Python function", "--language", "json"]).0, "json.lark");
    for (args, grammar) in [
        (&["Create a Python function", "--language", "none"][..], Value::Null),
        (&["Once upon a time"], Value::Null),
        (&["Python", "--regex", "[a-c]+"], "--regex".into()),
    ] {
        let (picked, stderr) = generate(args);
        assert_eq!(picked, grammar);
        assert!(!stderr.contains("grammar: "), "{stderr}");
    }
    for (args, said) in [
        (&["x", "--language", "none", "--entry", "y"][..], "--language none has no entry points"),
        (&["a CSV file", "--entry", "y"], "because the prompt says \"CSV\""),
    ] {
        let (code, _, stderr) = ran(&[&["generate"], args].concat());
        assert_eq!((code, stderr.contains(said)), (2, true), "{stderr}");
    }
    // A signature tells the entry point of the language that is named too.
    assert!(generate(&["def f(x):", "--language", "python"]).1.contains("python, body, because"));
    assert!(!generate(&["fn f() {", "--language", "python"]).1.contains("because"));
}
