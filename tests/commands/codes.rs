//! `maze explain-code` and `maze check --fix`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{ran, str};

#[test]
fn a_code_is_explained_by_number_and_by_name() {
    let (code, by_number, stderr) = ran(&["explain-code", "M024"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        by_number.starts_with("M024 single-quotes (error)\nSingle quotes around a string\n"),
        "{by_number}"
    );
    assert!(
        by_number.contains("    start: 'yes'\n") && by_number.contains("    start: \"yes\"\n"),
        "{by_number}"
    );
    assert_eq!(ran(&["explain-code", "Single-Quotes"]).1, by_number);
    // As it is copied from a message.
    assert_eq!(ran(&["explain-code", "[M024 single-quotes]"]).1, by_number);
    let (code, json, _) = ran(&["explain-code", "m024", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, &value["number"], &value["severity"][0]), (0, &"M024".into(), &"error".into()));
}

#[test]
fn without_a_code_all_are_listed() {
    let (code, all, _) = ran(&["explain-code"]);
    assert_eq!(code, 0);
    let count = all.lines().filter(|l| l.starts_with('M')).count();
    assert!(count > 70 && count == all.lines().count(), "{all}");
    assert_eq!(ran(&["explain-code", "--list"]).1, all);
    let (_, json, _) = ran(&["explain-code", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["codes"].as_array().map(Vec::len), Some(count));
}

#[test]
fn an_unknown_code_is_a_mistake_with_a_guess() {
    let (code, stdout, stderr) = ran(&["explain-code", "single-quote"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("did you mean M024 (single-quotes)?"), "{stderr}");
    let (code, _, stderr) = ran(&["explain-code", "xyzzy"]);
    assert!(code == 2 && stderr.contains("--list"), "{stderr}");
}

const BROKEN: &str = "start = a 'b' | INT ;\na: /\"(.*?)\"/ \"end\"\nleft: \"over\"\n";
const MENDED: &str = "%import common.INT\nstart : a \"b\" | INT \na: /\"([^\"\\n]*)\"/ \"end\"\n";

#[test]
fn files_are_mended_and_what_was_done_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("g.lark");
    fs::write(&file, BROKEN).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("permissions");
    // A dry run says the same and writes nothing.
    let (code, dry, _) = ran(&["check", "--fix", "--dry-run", str(&file)]);
    assert_eq!(fs::read_to_string(&file).expect("a file"), BROKEN);
    assert!(code == 0 && dry.contains("would fix[M024 single-quotes]: use double quotes\n"), "{dry}");
    let (_, json, _) = ran(&["check", "--fix", "--dry-run", "--json", str(&file)]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let fixed = &json["files"][0]["fixed"];
    assert_eq!(fixed["text"], MENDED);
    assert_eq!(fixed["fixes"].as_array().expect("a list").len(), dry.matches("would fix[").count());
    let (code, told, _) = ran(&["check", "--fix", str(&file)]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(told.replace("fixed[", "would fix["), dry);
    assert_eq!(fs::read_to_string(&file).expect("a file"), MENDED);
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o640);
    let done: Vec<&str> =
        told.lines().filter_map(|l| l.split_once("fixed[")?.1.split_once(']')).map(|l| l.0).collect();
    for code in [
        "M023 equals-sign",
        "M024 single-quotes",
        "M025 stray-character",
        "M050 undefined-name",
        "M103 never-lazy",
    ] {
        assert!(done.contains(&code), "{told}");
    }
    // A second time there is nothing left to do.
    assert_eq!(ran(&["check", "--fix", str(&file)]), (0, String::new(), String::new()));
}

#[test]
fn what_needs_a_decision_is_left_and_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("g.lark");
    let text = "start: \"a\" \"b\"\n%ignore \" \"\n";
    fs::write(&file, text).expect("a file");
    let (code, told, _) = ran(&["check", "--fix", str(&file)]);
    assert!(code == 0 && told.contains("warning[M111 initial-skip]"), "{told}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), text);
    let (code, _, stderr) = ran(&["check", "--dry-run", str(&file)]);
    assert!(code == 2 && stderr.contains("--fix"), "{stderr}");
}

#[test]
fn a_fix_that_brings_in_an_error_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("g.lark");
    // Of these repetitions an automaton that ends at the first match is too large.
    let text = "start: T \"b\" 'c'\nT: /(a|[^x]{0,1000}?y){1,100}/\n";
    fs::write(&file, text).expect("a file");
    let (code, told, _) = ran(&["check", "--fix", str(&file)]);
    assert!(code == 0 && told.contains("fixed[M024 single-quotes]: use double quotes\n"), "{told}");
    let refused = "not fixed[M103 never-lazy]: end at the first match, after which there would be an error: \
                   the grammar is too complex";
    assert!(told.contains(refused) && told.contains("warning[M103 never-lazy]"), "{told}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), text.replace("'c'", "\"c\""));
}

#[test]
fn fixes_are_in_the_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("g.lark");
    fs::write(&file, "start: 'a'").expect("a file");
    let (code, json, _) = ran(&["check", "--json", str(&file)]);
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let finding = &value["files"][0]["diagnostics"][0];
    assert_eq!((code, &finding["number"], &finding["code"]), (2, &"M024".into(), &"single-quotes".into()));
    assert_eq!(finding["fix"]["edits"][0]["text"], "\"a\"");
    assert_eq!(finding["fix"]["edits"][0]["span"]["start"], 7);
}
