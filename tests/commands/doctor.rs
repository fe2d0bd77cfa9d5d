//! `maze doctor`.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::{finished, maze};

#[test]
fn a_sound_machine_has_no_failure() {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir_all(folder.path().join("hub/models--org--name")).expect("writable");
    let mut command = maze();
    command.args(["doctor", "--json"]).env("HF_HOME", folder.path()).env_remove("HF_HUB_CACHE");
    let (code, stdout, stderr) = finished(&mut command);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let value: Value = serde_json::from_str(&stdout).expect("JSON");
    let find = |topic: &str| {
        let findings = value["findings"].as_array().expect("findings");
        let found = findings.iter().find(|f| f["topic"] == topic).expect(topic);
        found["text"].as_str().expect("text").to_owned()
    };
    assert!(find("version").starts_with(&format!("maze {}, ", env!("CARGO_PKG_VERSION"))));
    assert_eq!(find("models"), "maze-nano in the program, 1 downloaded");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    if let Some(line) = memory.lines().find_map(|l| l.strip_prefix("MemTotal:")) {
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        let shown = find("memory");
        let total: f64 = shown
            .split(" of ")
            .nth(1)
            .and_then(|t| t.strip_suffix(" GiB"))
            .expect("a size")
            .parse()
            .expect("a number");
        assert!((total - kib / 1024.0 / 1024.0).abs() <= 0.51, "{shown}");
    }
    let test = find("self-test");
    let texts: usize = test
        .strip_prefix("cpu: ")
        .and_then(|t| t.split(' ').next())
        .expect("a count")
        .parse()
        .expect("a number");
    assert!(texts >= 2 && test.contains(" texts follow their grammar, "), "{test}");
    assert_eq!(value["failures"], 0);
}

#[test]
fn a_failure_says_what_to_do_and_lines_fit() {
    let mut command = maze();
    command.arg("doctor").env("MAZE_TOP_P", "2");
    let (code, stdout, stderr) = finished(&mut command);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let failure = "FAIL  settings  MAZE_TOP_P=2: must be a number from 0 to 1\n                -> ";
    assert!(stdout.contains(failure), "{stdout}");
    assert!(stdout.contains("\n1 failure, "), "{stdout}");
    assert!(stdout.lines().all(|l| l.chars().count() <= 80), "{stdout}");
}
