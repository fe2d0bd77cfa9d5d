//! `maze export`: a saved trace as a page, as text and as JSON.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::{ran, str};

const ALICE: &str = "// JSON: a user with name Alice, age 30 and tags admin, rust\n";

/// A folder with `trace.json` in it, and that trace.
fn saved() -> (TempDir, Value) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("trace.json");
    let (code, _, stderr) = ran(&["generate", ALICE, "--language", "user", "--trace", str(&path)]);
    assert_eq!(code, 0, "{stderr}");
    let value = serde_json::from_slice(&fs::read(&path).expect("the trace")).expect("JSON");
    (folder, value)
}

#[test]
fn json_is_the_trace_again() {
    let (folder, value) = saved();
    let (trace, again) = (folder.path().join("trace.json"), folder.path().join("again.json"));
    let (code, stdout, stderr) = ran(&["export", str(&trace), "--format", "json", "-o", str(&again)]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
    let copy: Value = serde_json::from_slice(&fs::read(&again).expect("written")).expect("JSON");
    assert_eq!(copy, value);
    let (code, stdout, _) = ran(&["export", str(&trace), "--format", "json"]);
    assert_eq!((code, serde_json::from_str::<Value>(&stdout).expect("JSON")), (0, value));
}

#[test]
fn text_has_the_output_and_a_row_for_every_step() {
    let (folder, value) = saved();
    let (code, stdout, stderr) = ran(&["export", str(&folder.path().join("trace.json")), "--format", "text"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let steps = value["steps"].as_array().expect("steps");
    let mut marked = String::new();
    for step in steps {
        let bytes: Vec<u8> = serde_json::from_value(step["bytes"].clone()).expect("bytes");
        let text =
            if step["special"] == true { String::new() } else { String::from_utf8(bytes).expect("text") };
        marked += &if step["kind"] == "forced" { format!("«{text}»") } else { text };
    }
    assert!(stdout.contains(&marked.replace("»«", "")), "{stdout}");
    for (i, step) in steps.iter().enumerate() {
        let number = (i + 1).to_string();
        let row = stdout.lines().find(|l| l.split_whitespace().next() == Some(&number)).expect("a row");
        let allowed = step["insight"]["allowed"]["count"].to_string();
        let removed = step["insight"]["mass_removed"].as_f64().expect("a number") * 100.0;
        assert!(row.contains(&format!(" {allowed} ")) && row.contains(&format!(" {removed:.2}% ")), "{row}");
    }
}

#[test]
fn a_page_names_candidates_by_their_texts_if_the_model_is_known() {
    let (folder, value) = saved();
    let (trace, page) = (folder.path().join("trace.json"), folder.path().join("page.html"));
    let (code, stdout, stderr) = ran(&["export", str(&trace), "-o", str(&page)]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
    let text = fs::read_to_string(&page).expect("written");
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"));
    let data = text.split("id=\"data\">").nth(1).and_then(|t| t.split("</script>").next()).expect("the data");
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data["steps"].as_array().map(Vec::len), value["steps"].as_array().map(Vec::len));
    let names = data["names"].as_object().expect("names");
    assert!(names.len() > 20 && names.values().all(|n| !n.as_str().expect("a text").is_empty()));
    let numbers = names.iter().filter(|(id, name)| **name == format!("#{id}"));
    assert_eq!(numbers.count(), 0, "the embedded model knows its tokens");

    // Of another model, the run's own tokens have texts and the others numbers.
    let mut other = value;
    other["model"]["vocab"] = 9000.into();
    for step in other["steps"].as_array_mut().expect("steps") {
        step["insight"]["allowed"]["of"] = 9000.into();
    }
    fs::write(&trace, other.to_string()).expect("a file");
    let (code, _, stderr) = ran(&["export", str(&trace), "-o", str(&page)]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.starts_with("note: candidates are named by their numbers; --model"), "{stderr}");
    assert!(fs::read_to_string(&page).expect("written").contains(":\"#"), "numbers");
    let (code, _, stderr) = ran(&["export", str(&trace), "-o", str(&page), "--model", "maze-nano"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("it has 9000 tokens, this one 8192"), "{stderr}");
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let (folder, _) = saved();
    let trace = folder.path().join("trace.json");
    let (code, _, stderr) = ran(&["export", "/no/such/trace.json"]);
    assert_eq!(code, 2);
    assert!(stderr.starts_with("error: cannot read /no/such/trace.json: "), "{stderr}");
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"maze_trace\": 1, \"request\": 7}").expect("a file");
    let (code, _, stderr) = ran(&["export", str(&broken)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("broken.json:1:") && stderr.contains("not a trace"), "{stderr}");
    let (code, _, stderr) = ran(&["export", str(&trace), "-o", "/no/such/folder/x.html"]);
    assert_eq!(code, 1);
    assert!(stderr.starts_with("error: cannot write /no/such/folder/x.html: "), "{stderr}");
    let (code, _, stderr) = ran(&["export", str(&trace), "--format", "pdf"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("must be html, text or json"), "{stderr}");
}
