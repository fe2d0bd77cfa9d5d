//! `maze test`: what it says of grammars and their cases, and how it ends.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::{ran, str};

/// A grammar with cases in one file, in files of their own and in comments: four pass, seven fail.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let put = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    };
    put(
        "sum.lark",
        b"// accept \"1 + 2\"\n// reject @1:5 \"1 + * 2\"\n// accept: two rows\n// | 1 +\n// | 2\n\
          start: NUM (\" + \" NUM)*\nNUM: /[0-9]+/\n",
    );
    put(
        "sum.cases",
        b"// Of the second number.\nreject @end: no number\n| 1 + \n\naccept: a bracket\n| 1 + 2\n|\n| )\n",
    );
    put("sum.accept/letter.txt", b"1 + x");
    put("sum.accept/short.txt", b"1 + ");
    put("sum.accept/bytes.txt", b"\xff1");
    put("sum.reject/fine.txt", b"1 + 2");
    put("sum.reject/end@end.txt", b"1 +");
    put("sum.reject/elsewhere@1-2.txt", b"1 + 2\ty");
    folder
}

#[test]
fn failures_name_the_place_and_what_is_wanted() {
    let folder = folder();
    let grammar = folder.path().join("sum.lark");
    let (code, stdout, stderr) = ran(&["test", str(&grammar)]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{stdout}");
    let here = format!("{}/", folder.path().display());
    let shown = stdout.replace(&here, "");
    let wanted = "\
sum.lark: FAILED, 7 of 11 cases
sum.cases:6:8: error[not-accepted]: the grammar does not allow byte 5; it wants a space or `0` to `9`, or the end: NUM (in start, 6:19), \" + \" (in start, 6:13)
 6 | | 1 + 2
   |        ^
sum.accept/bytes.txt:1:1: error[not-accepted]: the grammar does not allow byte 0; it wants `0` to `9`: NUM (in start, 6:8)
 1 | \u{fffd}1
   | ^
sum.accept/letter.txt:1:5: error[not-accepted]: the grammar does not allow byte 4; it wants `0` to `9`: NUM (in start, 6:19)
 1 | 1 + x
   |     ^
sum.accept/short.txt:1:5: error[too-short]: the grammar wants more after the end; it wants `0` to `9`: NUM (in start, 6:19)
 1 | 1 + 
   |     ^
sum.reject/elsewhere@1-2.txt:1:6: error[rejected-elsewhere]: it is rejected at 1:6 and not at 1:2; it wants a space or `0` to `9`, or the end: NUM (in start, 6:19), \" + \" (in start, 6:13)
 1 | 1 + 2    y
   |      ^^^^
sum.reject/fine.txt:1:1: error[not-rejected]: the grammar accepts it
 1 | 1 + 2
   | ^
sum.lark:4:9: error[not-accepted]: the grammar does not allow byte 3; it wants a space: \" + \" (in start, 6:13)
 4 | // | 1 +
   |         ^
";
    assert_eq!(shown, wanted);
    let (code, stdout, _) = ran(&["test", str(&grammar), "--json"]);
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    let tested = &json["grammars"][0];
    assert_eq!((code, &tested["passed"], &tested["failed"]), (1, &4.into(), &7.into()));
    let letter = tested["cases"].as_array().expect("a list").iter().find(|c| c["name"] == "letter.txt");
    let letter = letter.expect("it is there");
    let bracket = &tested["cases"][1];
    assert!(bracket["file"].as_str().is_some_and(|file| file.ends_with("/sum.cases")), "{bracket}");
    assert_eq!((&bracket["name"], &bracket["byte"]), (&"a bracket".into(), &5.into()));
    assert_eq!((&letter["byte"], &letter["line"], &letter["column"]), (&4.into(), &1.into(), &5.into()));
    assert_eq!((&letter["failure"], &letter["wants"]), (&"not-accepted".into(), &"accept".into()));
    // Every terminal stands where it is said to stand.
    let text = fs::read_to_string(&grammar).expect("a grammar");
    let mut named = 0;
    for terminal in tested["cases"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|case| case["terminals"].as_array())
        .flatten()
    {
        let of = |name: &str| terminal["place"][name].as_u64().expect("a number") as usize;
        let (line, column) = (of("line"), of("column"));
        let there = text.lines().nth(line - 1).expect("a line").chars().skip(column - 1).collect::<String>();
        assert!(there.starts_with(terminal["text"].as_str().expect("text")), "{terminal}: {there}");
        named += 1;
    }
    assert_eq!(named, 8);
}

#[test]
fn shipped_grammars_pass_by_name_and_by_file() {
    let (code, stdout, _) = ran(&["test", "json", "grammars/date.regex", "grammars/chess.gbnf"]);
    assert_eq!(code, 0, "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("json.lark: ok, 100 cases (44 to accept, 56 to reject) in "), "{stdout}");
    assert!(
        lines[1].starts_with("grammars/date.regex: ok, 21 cases (8 to accept, 13 to reject) in "),
        "{stdout}"
    );
    assert_eq!(lines[3], "3 grammars, 142 cases: 142 pass, 0 fail");
}

#[test]
fn wrong_input_is_told_from_failures() {
    let folder = TempDir::new().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writable");
        path
    };
    for (name, text, wanted) in [
        ("none.lark", "start: \"x\"\n", "none.cases, such as `accept \"a text\"`"),
        ("broken.lark", "// accept \"x\"\nstart: x\n", "not tested, because it does not compile"),
        (
            "odd.lark",
            "// accept \"x\nstart: \"x\"\n",
            "odd.lark:1:1: error[case]: the text must be one string",
        ),
    ] {
        let path = put(name, text);
        let (code, stdout, stderr) = ran(&["test", str(&path)]);
        assert_eq!((code, stderr.as_str()), (2, ""), "{name}: {stdout}");
        assert!(stdout.contains(wanted), "{name}: {stdout}");
    }
    // A line that is no case is told with its place.
    let path = put("list.lark", "start: \"x\"\n");
    put("list.cases", "accept \"x\"\n\naccept x\n");
    let (code, stdout, _) = ran(&["test", str(&path)]);
    assert_eq!(code, 2, "{stdout}");
    assert!(stdout.contains("list.cases:3:1: error[case]: `accept x` is no case"), "{stdout}");
    // A grammar without cases beside one with cases that pass is told, and is no failure.
    let none = put("none.lark", "start: \"x\"\n");
    let (code, stdout, _) = ran(&["test", "json", str(&none)]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.ends_with("2 grammars, 100 cases: 100 pass, 0 fail, 1 without cases\n"), "{stdout}");
    for (args, wanted) in [
        (&["test"][..], "required"),
        (&["test", "no-such"][..], "a grammar's name ends in"),
        (&["test", "no-such.lark"][..], "cannot read no-such.lark"),
        (&["test", "json", "--near-misses", "0"][..], "from 1 to 1000"),
        (&["test", "json", "--seed", "3"][..], "--near-misses"),
    ] {
        let (code, stdout, stderr) = ran(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains(wanted), "{args:?}: {stderr}");
    }
}

#[test]
fn a_run_that_repeats_itself_says_so() {
    let folder = TempDir::new().expect("a folder");
    let trace = folder.path().join("t.json");
    let args = ["generate", "x", "--regex", "[ \n]+", "--max-tokens", "60", "--json", "--trace", str(&trace)];
    let (_, stdout, stderr) = ran(&args);
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    let traced: Value = serde_json::from_slice(&fs::read(&trace).expect("written")).expect("JSON");
    // The model is free to end at once; if it does not, it is told on stderr, in the summary and the trace.
    let is_long = json["tokens"] == 60;
    assert_eq!(is_long, json["alarms"][0]["kind"] == "white_space", "{json}");
    assert_eq!(is_long, traced["alarms"] == json["alarms"], "{json}");
    assert_eq!(is_long, stderr.starts_with("warning: the output is only white space for "), "{stderr}");
    // The trace is read as ever.
    assert_eq!(ran(&["replay", str(&trace), "--masks-only"]).0, 0);
}

/// From some token on no accepting state can be reached: the run says from which, and that nothing
/// will help. A grammar that only goes on for long says nothing.
#[test]
fn a_run_without_an_end_says_so() {
    let folder = TempDir::new().expect("a folder");
    let (loops, ends) = (folder.path().join("loops.lark"), folder.path().join("ends.lark"));
    fs::write(&loops, "start: \"a\" loop\nloop: /[b-z]/ loop\n").expect("writable");
    fs::write(&ends, "start: \"a\" loop\nloop: /[b-z]/ loop | \"a\"{40}\n").expect("writable");
    let trace = folder.path().join("t.json");
    let args =
        |path| ["generate", "x", "--grammar", path, "--max-tokens", "4", "--json", "--trace", str(&trace)];
    let (_, stdout, stderr) = ran(&args(str(&loops)));
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(json["alarms"], serde_json::json!([{ "kind": "endless", "from": 0, "to": 4 }]), "{json}");
    let traced: Value = serde_json::from_slice(&fs::read(&trace).expect("written")).expect("JSON");
    assert_eq!(traced["alarms"], json["alarms"]);
    let wanted = "warning: no accepting state can be reached: whatever comes, the text is never complete, \
                  from token 1 on\n";
    assert_eq!(stderr, wanted);
    let (_, stdout, stderr) = ran(&args(str(&ends)));
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((&json["alarms"], stderr.as_str()), (&serde_json::json!([]), ""), "{json}");
}

#[test]
fn coverage_names_what_no_case_uses() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("value.lark");
    let text = "start: value\nvalue: NUM | \"yes\" | list\nlist: \"[\" value \"]\"\nNUM: /[0-9]+/\n\
                // accept \"yes\"\n// reject \"[1]]\"\n";
    fs::write(&path, text).expect("writable");
    let (code, stdout, _) = ran(&["test", str(&path), "--coverage"]);
    assert_eq!(code, 0, "{stdout}");
    let shown = stdout.replace(str(&path), "value.lark");
    for wanted in [
        "value.lark: coverage 40 %: 2 of 3 rules, 2 of 5 alternatives\n",
        "value.lark:2:8: not used: alternative 1 of rule value: `NUM`\n",
        "value.lark:2:22: not used: alternative 3 of rule value: `list`\n",
        "not used: rule list",
    ] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    fs::write(&path, text.replace("\"yes\"\n// r", "\"[yes]\"\n// accept \"7\"\n// r")).expect("writable");
    let (_, stdout, _) = ran(&["test", str(&path), "--coverage", "--json"]);
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(json["grammars"][0]["coverage"]["percent"], 100, "{json}");
}

#[test]
fn near_misses_show_what_a_grammar_is_too_generous_about() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("call.lark");
    // Blanks before the bracket, and a comma after the last argument, were not meant.
    let text = "start: NAME \" \"{0,2} \"(\" NAME (\", \" NAME)* \",\"? \")\"\nNAME: /[a-z]+/\n\
                // accept \"max(a, b)\"\n// accept \"f(x)\"\n";
    fs::write(&path, text).expect("writable");
    let (code, stdout, stderr) = ran(&["test", str(&path), "--near-misses", "6"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let all = stdout.lines().skip(1).collect::<Vec<_>>().join("\n");
    for wanted in ["max(a, b{+,+})", "max{+ +}(a, b)"] {
        assert!(all.contains(wanted), "{wanted}: {stdout}");
    }
    let again = ran(&["test", str(&path), "--near-misses", "6"]).1;
    // The first line has a time.
    assert_eq!(again.lines().skip(1).collect::<Vec<_>>(), stdout.lines().skip(1).collect::<Vec<_>>());
    let (_, json, _) = ran(&["test", str(&path), "--near-misses", "3", "--seed", "7", "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let list = json["grammars"][0]["near_misses"]["list"].as_array().expect("a list").clone();
    assert_eq!(list.len(), 3, "{json}");
    // Each of them is accepted indeed.
    for near in list {
        let text = folder.path().join("near.txt");
        fs::write(&text, near["text"].as_str().expect("a text")).expect("writable");
        assert_eq!(ran(&["check", str(&path), "--text", str(&text)]).0, 0, "{near}");
    }
}

/// Cases of other entry points stand wherever lines of cases do, and count together.
#[test]
fn cases_may_be_for_other_entry_points() {
    let folder = TempDir::new().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(&path, text).expect("writable");
        path
    };
    let text = "// entries: sum, list\n// accept list \"[1,2]\"\nstart: sum\nsum: NUM \"+\" NUM\n\
                list: \"[\" NUM (\",\" NUM)* \"]\"\nNUM: /[0-9]+/\n";
    let path = put("g.lark", text);
    put(
        "g.cases",
        "reject list @1:3: no number\n| [1\n| ]\n\naccept sum: by its name\n| 1+2\n\naccept: a list\n| [1]\n",
    );
    put("g.accept/sum.txt", "3+4");
    let shown = |stdout: String| stdout.replace(&format!("{}/", folder.path().display()), "");
    let (code, stdout, _) = ran(&["test", str(&path), "--coverage"]);
    assert_eq!(code, 1, "{stdout}");
    assert_eq!(
        shown(stdout),
        "\
g.lark: FAILED, 1 of 5 cases
g.cases:9:3: error[not-accepted]: the grammar does not allow byte 0; it wants `0` to `9`: NUM (in sum, 4:6)
 9 | | [1]
   |   ^
g.lark: coverage 100 %: 3 of 3 rules, 3 of 3 alternatives
"
    );
    // As a list it is fine; as a sum it is not, and that is said.
    put("g.cases", "accept list: a list\n| [1]\n\naccept sum \"[1]\"\n");
    let (code, stdout, _) = ran(&["test", str(&path), "--json"]);
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    let cases = json["grammars"][0]["cases"].as_array().expect("a list");
    let listed: Vec<_> = cases.iter().map(|c| (c["entry"].as_str(), c["passes"] == true)).collect();
    assert_eq!(
        (code, &listed[..]),
        (1, &[(Some("sum"), false), (None, true), (Some("list"), true), (Some("list"), true)][..])
    );
    let message = cases[0]["message"].as_str().expect("a sentence");
    assert!(message.starts_with("as sum, the grammar does not allow byte 0"), "{message}");
    // An entry point that is not listed, or that does not compile, is told where the case stands.
    put("g.cases", "accept sum \"1+2\"\n\naccept lists \"[1]\"\n\naccept odd: x\n| a\n");
    let (code, stdout, _) = ran(&["test", str(&path)]);
    let stdout = shown(stdout);
    assert_eq!(code, 2, "{stdout}");
    let wanted = "g.cases:3:1: error[case]: ";
    let told =
        stdout.lines().find_map(|line| line.strip_prefix(wanted)).unwrap_or_else(|| panic!("{stdout}"));
    assert!(told.contains("\"lists\"") && told.contains("there are sum, list"), "{told}");
    put("g.lark", &(text.replace("list\n// a", "list, odd\n// a") + "odd: NEVER\nNEVER: /a/ & /b/\n"));
    let (code, stdout, _) = ran(&["test", str(&path)]);
    let stdout = shown(stdout);
    assert_eq!(code, 2, "{stdout}");
    assert!(stdout.contains("g.cases:5:1: error[case]: "), "{stdout}");
    assert!(stdout.contains("the entry point \"odd\" the grammar does not compile: "), "{stdout}");
}
