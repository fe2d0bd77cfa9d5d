//! `maze explain`: where a text leaves a grammar, and why a token may come there or not.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use super::{maze, ran, str};

fn file(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a writable folder");
    path
}

/// What is printed, with the folder's name left out.
fn printed(folder: &TempDir, args: &[&str]) -> (i32, String) {
    let (code, stdout, stderr) = ran(args);
    assert_eq!(stderr, "", "{args:?}");
    (code, stdout.replace(str(folder.path()), "."))
}

const CALL: &str = "start: call\ncall: NAME \"(\" (NAME (\",\" NAME)*)? \")\"\nNAME: /[a-z]+/\n";

#[test]
fn the_place_where_a_text_leaves_its_grammar() {
    let folder = TempDir::new().expect("a folder");
    let grammar = file(&folder, "call.lark", CALL);
    let text = file(&folder, "text.txt", "f(x,)");
    let (code, stdout) = printed(&folder, &["explain", str(&grammar), "--text", str(&text)]);
    let expected = "\
./text.txt:1:5: error[byte]: `)` may not come here
 1 | f(x,)
   |     ^
Here may come `a` to `z`.
./call.lark:2:27: expected NAME, in call
 2 | call: NAME \"(\" (NAME (\",\" NAME)*)? \")\"
   |                           ^^^^
in: start > call
The shortest end from here is `a)`, 2 bytes.
";
    assert_eq!((code, stdout.as_str()), (1, expected));

    let text = file(&folder, "text.txt", "f(x");
    let (code, stdout) = printed(&folder, &["explain", str(&grammar), "--text", str(&text)]);
    assert_eq!(code, 1);
    assert!(stdout.starts_with("./text.txt:1:4: error[incomplete]: the text is not complete\n"), "{stdout}");
    assert!(stdout.contains("\nHere may come `)`, `,` or `a` to `z`.\n"), "{stdout}");
    assert!(stdout.contains("\nThe shortest end from here is `)`, one byte.\n"), "{stdout}");

    let text = file(&folder, "text.txt", "f()");
    let (code, stdout) = printed(&folder, &["explain", str(&grammar), "--text", str(&text)]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("./text.txt:1:4: the text is complete and may end here\n"), "{stdout}");
}

#[test]
fn tokens_and_pieces_of_text_at_any_place() {
    let folder = TempDir::new().expect("a folder");
    let (grammar, text) = (file(&folder, "call.lark", CALL), file(&folder, "text.txt", "f(x)"));
    let explained = |more: &[&str]| {
        let args = [&["explain", str(&grammar), "--text", str(&text)], more].concat();
        printed(&folder, &args)
    };
    let (code, stdout) = explained(&["--at", "1", "--token", "("]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("./text.txt:1:2: token `(` (#"), "{stdout}");
    assert!(
        stdout.contains(" may come here\n") && stdout.contains(" tokens may come here; refused are "),
        "{stdout}"
    );
    // A piece of text that is no token.
    let (code, stdout) = explained(&["--at", "1:3", "--token", "zzzzz,,"]);
    assert_eq!(code, 1);
    assert!(stdout.starts_with("./text.txt:1:3: error[byte]: `zzzzz,,` may not come here\n"), "{stdout}");
    let said =
        "\nIts first 6 bytes, `zzzzz,`, may come; `,` after them may not.\nHere may come `a` to `z`.\n";
    assert!(stdout.contains(said), "{stdout}");
    assert!(stdout.contains("call.lark:2:27: expected NAME, in call\n"), "{stdout}");
    // A token that is not text, by its name and by its number.
    let (code, stdout) = explained(&["--at", "2", "--token", "#0"]);
    assert!(code == 1 && stdout.contains("error[incomplete]: special token `"), "{stdout}");
    let name = stdout.split('`').nth(1).expect("a name").to_owned();
    assert_eq!(explained(&["--at", "2", "--token", &name]), (1, stdout));
    let (code, stdout) = explained(&["--at", "4", "--token", "#0"]);
    assert!(code == 0 && stdout.contains(" may come here\n"), "{stdout}");
    let (code, stdout) = explained(&["--at", "4", "--token", r"\n"]);
    assert!(code == 1 && stdout.contains("The text is complete: nothing but its end may come."), "{stdout}");
    // In words alone.
    let (_, stdout) = explained(&["--at", "4", "--token", r"\n", "--plain"]);
    assert!(!stdout.contains('^') && !stdout.contains('⏎'), "{stdout}");
}

#[test]
fn the_same_as_json() {
    let folder = TempDir::new().expect("a folder");
    let (grammar, text) = (file(&folder, "call.lark", CALL), file(&folder, "text.txt", "f(x,)"));
    let (code, stdout, _) = ran(&["explain", str(&grammar), "--text", str(&text), "--json"]);
    let value: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((code, &value["allowed"], &value["place"]["byte"]), (1, &false.into(), &4.into()));
    let reason = &value["reason"];
    assert_eq!(
        (&reason["kind"], &reason["byte"], &reason["accepted"]),
        (&"byte".into(), &41.into(), &0.into())
    );
    let terminal = &reason["expected"]["terminals"][0];
    assert_eq!((&terminal["text"], &terminal["rule"]), (&"NAME".into(), &"call".into()));
    assert_eq!((&terminal["place"]["line"], &terminal["place"]["column"]), (&2.into(), &27.into()));
    assert_eq!(value["path"][1]["rule"], "call");
    let counts = value["tokens"].as_object().expect("counts");
    let sum: u64 = counts.values().map(|count| count.as_u64().expect("a count")).sum();
    assert_eq!(sum, 8192);
    // Every token that may come begins with a terminal: here with this one, ...
    assert_eq!(
        (&terminal["tokens"], value["expected"]["terminals"].as_array().map(Vec::len)),
        (&counts["allowed"], Some(1))
    );
    // ... and in the middle of a name with one of three that begin with different bytes.
    let args = ["explain", str(&grammar), "--text", str(&text), "--at", "3", "--token", ";", "--json"];
    let value: Value = serde_json::from_str(&ran(&args).1).expect("JSON");
    let terminals = value["reason"]["expected"]["terminals"].as_array().expect("a list");
    let tokens: Vec<u64> = terminals.iter().map(|t| t["tokens"].as_u64().expect("a count")).collect();
    assert!(tokens.len() == 3 && tokens.iter().all(|&count| count > 0), "{value}");
    assert_eq!(Some(tokens.iter().sum()), value["tokens"]["allowed"].as_u64(), "{value}");
    let (_, stdout) = printed(&folder, &args[..args.len() - 1]);
    assert!(
        stdout.contains(&format!("./call.lark:2:17: expected NAME, in call: {} tokens\n", tokens[0])),
        "{stdout}"
    );
}

#[test]
fn a_step_of_a_run() {
    let folder = TempDir::new().expect("a folder");
    let trace = folder.path().join("trace.json");
    // The grammar wants a capital letter.
    let prompt = "// JSON: a user with name alice, age 30 and tags admin, rust\n";
    let (code, ..) = ran(&["generate", prompt, "--language", "user", "--trace", str(&trace)]);
    assert_eq!(code, 0);
    let saved: Value = serde_json::from_slice(&fs::read(&trace).expect("written")).expect("JSON");
    let steps = saved["steps"].as_array().expect("steps");
    let refused = |step: &Value| -> Option<u64> {
        let (first, allowed) = (&step["insight"]["before"][0]["token"], &step["insight"]["allowed"]["only"]);
        (!allowed.as_array()?.contains(first)).then(|| first.as_u64()).flatten()
    };
    let number = steps.iter().position(|s| refused(s).is_some()).expect("the mask took something away");
    let (code, stdout) =
        printed(&folder, &["explain", "--trace", str(&trace), "--step", &(number + 1).to_string()]);
    let first = refused(&steps[number]).expect("it was");
    assert!(
        code == 1 && stdout.starts_with(&format!("./trace.json: step {} of {}: ", number + 1, steps.len())),
        "{stdout}"
    );
    assert!(
        stdout.lines().next().is_some_and(|l| l.contains(&format!("(#{first}) may not come here"))),
        "{stdout}"
    );
    let allowed = steps[number]["insight"]["allowed"]["count"].as_u64().expect("a count");
    assert!(stdout.contains(&format!("\n{allowed} of 8192 tokens may come here")), "{stdout}");
    let (code, stdout) = printed(&folder, &["explain", "--trace", str(&trace)]);
    assert!(code == 0 && stdout.starts_with("./trace.json: the end: the text is complete"), "{stdout}");
    let (code, _, stderr) = ran(&["explain", "--trace", str(&trace), "--step", "999"]);
    assert!(code == 2 && stderr.contains("there is no step 999"), "{stderr}");
}

#[test]
fn wrong_input_is_named() {
    let folder = TempDir::new().expect("a folder");
    let (grammar, text) = (file(&folder, "call.lark", CALL), file(&folder, "text.txt", "f(x,)\n"));
    let broken = file(&folder, "broken.lark", "start: naem\n");
    let on = |more: &[&str]| ran(&[&["explain", str(&grammar), "--text", str(&text)], more].concat());
    for (args, said) in [
        (&["--at", "99"][..], "there is no byte 99, the text has 6"),
        (&["--at", "5"], "the text leaves the grammar before that place, at byte 4 (1:5)"),
        (&["--at", "9:1"], "there is no line 9, the text has 2"),
        (&["--at", "1:9"], "there is no column 9 in line 1, whose end is column 6"),
        (&["--at", "x"], "must be a byte counted from 0, or a line and a column"),
        (&["--token", "#8192"], "the tokens are #0 to #8191"),
        (&["--token", r"\q"], "a backslash is written"),
        (&["--token", ""], "the empty text is no token"),
        (&["--step", "1"], "cannot be used with"),
    ] {
        let (code, stdout, stderr) = on(args);
        assert!(code == 2 && stdout.is_empty() && stderr.contains(said), "{args:?}: {code} {stderr}");
    }
    let (code, _, stderr) = ran(&["explain", str(&broken), "--text", str(&text)]);
    assert!(code == 2 && stderr.contains("undefined-name]: `"), "{stderr}");
    for (grammar, text) in
        [("missing.lark", str(&text)), (str(&grammar), "missing.txt"), ("text.txt", str(&text))]
    {
        let (code, _, stderr) = ran(&["explain", grammar, "--text", text]);
        assert!(code == 2 && stderr.starts_with("error: "), "{stderr}");
    }
    assert_eq!(ran(&["explain", str(&grammar)]).0, 2);
    assert_eq!(ran(&["explain", "--text", str(&text)]).0, 2);
}

#[test]
fn stdin_and_hostile_bytes() {
    let folder = TempDir::new().expect("a folder");
    let grammar = file(&folder, "call.lark", CALL);
    let mut child = maze()
        .args(["explain", str(&grammar), "--text", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(b"f(\xff\x1b[2J").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout.starts_with("stdin:1:3: error[byte]: `⟨FF⟩` may not come here\n"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
}

/// A schema has no rules of the person's: what is expected is told by its JSON pointer, and by the
/// line of the schema that it names.
#[test]
fn a_schema_is_told_by_its_pointers() {
    let folder = TempDir::new().expect("a folder");
    let (schema, text) = (folder.path().join("person.json"), folder.path().join("text.txt"));
    let lines = "{\n  \"type\": \"object\",\n  \"properties\": {\n    \"name\": {\"type\": \"string\"},\n    \
                 \"age\": {\"type\": \"integer\", \"minimum\": 0}\n  },\n  \"required\": [\"name\", \"age\"],\n  \
                 \"additionalProperties\": false\n}\n";
    fs::write(&schema, lines).expect("writable");
    fs::write(&text, "{\"name\": \"x\", \"age\": \"y\"}").expect("writable");
    let (code, stdout, stderr) = ran(&["explain", str(&schema), "--text", str(&text)]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{stdout}");
    assert!(
        stdout.contains("person.json:5:5: expected ") && stdout.contains(", at /properties/age\n"),
        "{stdout}"
    );
    assert!(stdout.contains("in: age (/properties/age at 5:5)\n"), "{stdout}");
    let (_, stdout, _) = ran(&["explain", str(&schema), "--text", str(&text), "--json"]);
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    let whole: Value = serde_json::from_str(lines).expect("JSON");
    let terminals = json["expected"]["terminals"].as_array().expect("a list");
    let named: Vec<&str> = terminals.iter().filter_map(|t| t["pointer"].as_str()).collect();
    assert!(named.contains(&"/properties/age"), "{json}");
    assert!(named.iter().all(|pointer| whole.pointer(pointer).is_some()), "{named:?}");
    assert_eq!(json["path"][0]["pointer"], "/properties/age");
}

/// llguidance forces bytes for ever where a terminal that must follow matches only what is ignored.
#[test]
fn what_has_no_end_is_left_after_a_time() {
    let folder = TempDir::new().expect("a folder");
    let text = "start: \"x\" %json {\"type\": \"object\"} WS \"b\"\nWS: / +/\n%ignore WS\n";
    let grammar = file(&folder, "g.lark", text);
    let text = file(&folder, "t.txt", "x{} b");
    let (code, stdout, _) = ran(&["check", str(&grammar), "--text", str(&text)]);
    assert!(code == 1 && stdout.contains("does not allow byte 4"), "{stdout}");
    let (code, stdout, _) = ran(&["explain", str(&grammar), "--text", str(&text)]);
    assert!(code == 1 && stdout.contains("a step takes longer than the limit of 2 s"), "{code} {stdout}");
}
