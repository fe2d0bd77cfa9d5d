//! `maze doctor`.

use std::fs;

use maze::hub::status::bytes;
use serde_json::Value;
use tempfile::TempDir;

use super::{finished, maze};

#[test]
fn a_sound_machine_has_no_failure() {
    let folder = TempDir::new().expect("a folder");
    // The start of a download, and a folder that another program has made.
    let blobs = folder.path().join("hub/models--org--name/blobs");
    fs::create_dir_all(&blobs).expect("writable");
    fs::write(blobs.join("0.incomplete"), "x").expect("writable");
    fs::create_dir_all(folder.path().join("hub/models--org--none")).expect("writable");
    let of_hub = |args: &[&str]| {
        let mut command = maze();
        command.args(args).env("HF_HOME", folder.path());
        for name in ["HF_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"] {
            command.env_remove(name);
        }
        command
    };
    let (_, listed, _) = finished(&mut of_hub(&["models", "--json"]));
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed["models"].as_array().map(Vec::len), Some(2), "{listed}");
    let mut command = of_hub(&["doctor", "--json"]);
    let (code, stdout, stderr) = finished(&mut command);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let value: Value = serde_json::from_str(&stdout).expect("JSON");
    let find = |topic: &str| {
        let findings = value["findings"].as_array().expect("findings");
        let found = findings.iter().find(|f| f["topic"] == topic).expect(topic);
        found["text"].as_str().expect("text").to_owned()
    };
    assert!(find("version").starts_with(&format!("maze {}, ", env!("CARGO_PKG_VERSION"))));
    assert_eq!(
        find("models"),
        "maze-nano in the program, 1 downloaded, of which 0 would run (see `maze models`)"
    );
    let (cache, shown) = (find("cache"), folder.path().join("hub"));
    assert!(cache.contains(&format!("at {}, downloads come from https://", shown.display())), "{cache}");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    if let Some(line) = memory.lines().find_map(|l| l.strip_prefix("MemTotal:")) {
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        // In a container, its limit counts.
        let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
        let total = (kib * 1024.0).min(limit.trim().parse().unwrap_or(f64::MAX)) as u64;
        let shown = find("memory");
        assert!(shown.ends_with(&format!(" free of {}", bytes(total))), "{shown}");
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
    command.arg("doctor").env("MAZE_TOP_P", "2").env("HF_ENDPOINT", "x");
    let (code, stdout, stderr) = finished(&mut command);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let failure = "FAIL  settings  MAZE_TOP_P=2: must be a number from 0 to 1\n                -> ";
    assert!(stdout.contains(failure), "{stdout}");
    assert!(stdout.contains("FAIL  cache     HF_ENDPOINT is \"x\", not"), "{stdout}");
    assert!(stdout.contains("\n2 failures, "), "{stdout}");
    assert!(stdout.lines().all(|l| l.chars().count() <= 80), "{stdout}");
}
