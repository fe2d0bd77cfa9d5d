//! Nobody reads, or nothing can be written: quiet for the one, an error for the other.

use std::fs::{self, OpenOptions};
use std::process::Stdio;

use tempfile::TempDir;

use super::{finished, maze, ran, str};

/// Every command that prints, `TRACE` standing for a saved trace.
const COMMANDS: [&[&str]; 17] = [
    &["generate", "x", "--max-tokens", "4"],
    &["generate", "x", "--max-tokens", "4", "--json"],
    &["check", "grammars/json.lark", "--text", "grammars/person.schema.json"],
    &["check", "grammars/json.lark", "--json"],
    &["grammars"],
    &["grammars", "python"],
    &["bench", "--rounds", "1", "--tokens", "2", "--prompt-tokens", "16"],
    &["replay", "TRACE"],
    &["replay", "TRACE", "--json"],
    &["doctor", "--json"],
    &["config"],
    &["config", "get", "seed"],
    &["config", "path"],
    &["completions", "bash"],
    &["man"],
    &["--print-config"],
    &["--help"],
];

fn trace(folder: &TempDir) -> String {
    let path = folder.path().join("trace.json");
    let (code, ..) = ran(&["generate", "x", "--max-tokens", "4", "--trace", str(&path)]);
    assert_eq!(code, 0);
    str(&path).to_owned()
}

/// The writing end of a pipe that nobody reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn nobody_reading_is_quiet() {
    let folder = TempDir::new().expect("a folder");
    let trace = trace(&folder);
    for args in COMMANDS {
        let args: Vec<&str> = args.iter().map(|&a| if a == "TRACE" { trace.as_str() } else { a }).collect();
        let (code, _, stderr) = {
            let child = maze().args(&args).stdout(closed_pipe()).stderr(Stdio::piped()).spawn();
            let output = child.expect("the binary starts").wait_with_output().expect("it ends");
            (output.status.code(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
        };
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else { return };
    let folder = TempDir::new().expect("a folder");
    let trace = trace(&folder);
    for args in COMMANDS {
        let args: Vec<&str> = args.iter().map(|&a| if a == "TRACE" { trace.as_str() } else { a }).collect();
        let stdout = full.try_clone().expect("a second handle");
        let child = maze().args(&args).stdout(stdout).stderr(Stdio::piped()).spawn();
        let output = child.expect("the binary starts").wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: cannot write the output: "), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    }
}

#[test]
fn errors_keep_their_exit_code_when_nobody_reads_them() {
    let folder = TempDir::new().expect("a folder");
    let broken = folder.path().join("broken.lark");
    fs::write(&broken, "start: naem\n").expect("writable");
    let cases: [&[&str]; 5] = [
        &["generate", "x", "--grammar", str(&broken)],
        &["generate", "x", "--language", "cobol"],
        &["replay", "no/such/file"],
        &["config", "set", "seed", "-1"],
        &["bogus"],
    ];
    for args in cases {
        let mut child =
            maze().args(args).stdout(closed_pipe()).stderr(closed_pipe()).spawn().expect("the binary starts");
        assert_eq!(child.wait().expect("it ends").code(), Some(2), "{args:?}");
    }
    // A run whose summary nobody reads is a run all the same.
    let args = ["generate", "x", "--max-tokens", "4"];
    let mut child = maze().args(args).stdout(Stdio::null()).stderr(closed_pipe()).spawn().expect("it starts");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn options_before_a_command_say_where_they_belong() {
    let (code, _, stderr) = ran(&["--temperature", "0.5", "generate", "x"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("stand after its name: maze generate ..."), "{stderr}");
}

#[test]
fn a_trace_is_kept_when_nobody_reads_the_text() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("trace.json");
    let args =
        ["generate", "def f(x):\n", "--language", "none", "--max-tokens", "400", "--trace", str(&path)];
    let child = maze().args(args).stdout(closed_pipe()).stderr(Stdio::piped()).spawn();
    let output = child.expect("the binary starts").wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let (code, stdout, stderr) = finished(maze().args(["replay", str(&path), "--json"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let value: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(value["outcome"]["reason"], "cancelled");
    let steps = value["steps"].as_array().expect("steps").len();
    assert!((1..400).contains(&steps), "{steps}");
}
