//! `maze config`, and who wins over whom.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{finished, maze, str};

/// Runs with this config file.
fn with(path: &Path, args: &[&str]) -> (i32, String, String) {
    finished(maze().args(args).env("MAZE_CONFIG", path))
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("config.toml");
    let seed = |flag: &[&str], variable: Option<&str>| {
        let mut command = maze();
        command.args(["generate", "x", "--json"]).args(flag).env("MAZE_CONFIG", &path);
        variable.map(|v| command.env("MAZE_SEED", v));
        let (code, stdout, stderr) = finished(&mut command);
        assert_eq!((code, stderr.as_str()), (0, ""));
        let value: Value = serde_json::from_str(&stdout).expect("JSON");
        (value["seed"].as_u64().expect("a seed"), value["tokens"].as_u64().expect("a count"))
    };
    assert_eq!(seed(&["--max-tokens", "2"], None), (0, 2));
    fs::write(&path, "seed = 1\nmax_tokens = 3\n").expect("writable");
    assert_eq!(seed(&[], None), (1, 3));
    assert_eq!(seed(&[], Some("2")), (2, 3));
    assert_eq!(seed(&["--seed", "3"], Some("2")), (3, 3));
    assert_eq!(seed(&[], Some("")), (1, 3), "an empty variable says nothing");
}

#[test]
fn a_long_value_keeps_the_columns() {
    let model = "/a/folder/with/a/long/name/model.gguf";
    let (code, stdout, _) = finished(maze().args(["config", "list"]).env("MAZE_MODEL", model));
    assert_eq!(code, 0);
    let column = |line: &str| line.rfind("  ").expect("three columns");
    let columns: Vec<usize> = stdout.lines().map(column).collect();
    assert!(columns.len() > 5 && columns.iter().all(|&c| c == columns[0]), "{stdout}");
}

#[test]
fn every_setting_is_listed_with_its_origin() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, "# mine\ntop_k = 40\n").expect("writable");
    let mut command = maze();
    let (code, stdout, _) = finished(
        command.args(["config", "list", "--json"]).env("MAZE_CONFIG", &path).env("MAZE_THEME", "light"),
    );
    assert_eq!(code, 0);
    let value: Value = serde_json::from_str(&stdout).expect("JSON");
    let find = |key: &str| {
        let settings = value["settings"].as_array().expect("settings");
        let found = settings.iter().find(|s| s["key"] == key).expect(key);
        (found["value"].as_str().expect("text").to_owned(), found["from"].as_str().expect("text").to_owned())
    };
    assert_eq!(find("top_k"), ("40".into(), format!("{}:2", str(&path))));
    assert_eq!(find("theme"), ("light".into(), "MAZE_THEME".into()));
    assert_eq!(find("model"), ("maze-nano".into(), "default".into()));

    let (code, stdout, _) = with(&path, &["--print-config", "--min-p", "0.25"]);
    assert_eq!(code, 0);
    let line = |key: &str| {
        let line = stdout.lines().find(|l| l.split_whitespace().next() == Some(key)).expect(key);
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("min_p"), ["0.25", "--min-p"]);
    assert_eq!(line("top_k"), ["40".to_owned(), format!("{}:2", str(&path))]);
    assert_eq!(with(&path, &["config", "get", "top_k"]), (0, "40\n".into(), String::new()));
    assert_eq!(with(&path, &["config", "path"]).1, format!("{}\n", str(&path)));
}

#[test]
fn set_and_unset_change_one_line() {
    let folder = TempDir::new().expect("a folder");
    // The folders on the way are made.
    let path = folder.path().join("a/b/config.toml");
    assert_eq!(with(&path, &["config", "set", "temperature", "0.7"]).0, 0);
    assert_eq!(with(&path, &["config", "get", "temperature"]).1, "0.7\n");
    fs::write(&path, "# one\nseed = 1 # two\n\n# three\ntemprature = 1\n").expect("writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
    // What is broken can be mended.
    assert_eq!(with(&path, &["config", "unset", "temprature"]).0, 0);
    assert_eq!(with(&path, &["config", "set", "seed", "2"]).0, 0);
    assert_eq!(fs::read_to_string(&path).expect("there"), "# one\nseed = 2 # two\n");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(with(&path, &["config", "unset", "seed"]).0, 0);
    assert_eq!(with(&path, &["config", "get", "seed"]).1, "0\n");
    let link = folder.path().join("link.toml");
    symlink(&path, &link).expect("a link");
    assert_eq!(with(&link, &["config", "set", "seed", "5"]).0, 0);
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink(), "a link stays one");
    assert_eq!(with(&path, &["config", "get", "seed"]).1, "5\n");
    let left = fs::read_dir(path.parent().expect("a folder")).expect("readable").count();
    assert_eq!(left, 1, "no temporary file is left");
}

#[test]
fn what_cannot_be_set_changes_nothing() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("config.toml");
    let before = "seed = 1\n";
    fs::write(&path, before).expect("writable");
    let cases: [(&[&str], &str); 6] = [
        (&["set", "temperature", "-1"], "temperature = -1: must be a number from 0 to 100"),
        (&["set", "top-k", "3"], "there is no key `top-k`; did you mean `top_k`?"),
        (&["set", "device", "gpu"], "device = gpu: unknown device"),
        (&["set", "mouse", "on"], "mouse = on: must be true or false"),
        (&["get", "tempature"], "did you mean `temperature`?"),
        (&["unset", "nothing"], "there is no key `nothing`"),
    ];
    for (args, expected) in cases {
        let args: Vec<&str> = ["config"].iter().chain(args).copied().collect();
        let (code, stdout, stderr) = with(&path, &args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
        assert_eq!(fs::read_to_string(&path).expect("there"), before);
    }
    fs::write(&path, "seed = = 1\n").expect("writable");
    let (code, _, stderr) = with(&path, &["config", "set", "seed", "2"]);
    assert!(code == 2 && stderr.contains("config.toml:1:8: seed: "), "{stderr}");
    assert_eq!(fs::read_to_string(&path).expect("there"), "seed = = 1\n");
}

#[test]
fn a_file_that_is_none_is_read_as_none_and_not_written() {
    let folder = TempDir::new().expect("a folder");
    let read_only = folder.path().join("read-only.toml");
    fs::write(&read_only, "seed = 1\n").expect("writable");
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o444)).expect("ours");
    let below_a_file = read_only.join("config.toml");
    for (path, seed, expected) in [
        (folder.path(), "0\n", "it is not a file"),
        (read_only.as_path(), "1\n", "it is read-only"),
        (below_a_file.as_path(), "0\n", "cannot write"),
        (Path::new("/dev/null"), "0\n", "it is not a file"),
    ] {
        assert_eq!(with(path, &["config", "get", "seed"]), (0, seed.into(), String::new()));
        let (code, _, stderr) = with(path, &["config", "set", "seed", "2"]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(expected) && stderr.contains(str(path)), "{stderr}");
    }
    let homeless = |args: &[&str]| {
        finished(maze().args(args).env_remove("MAZE_CONFIG").env_remove("XDG_CONFIG_HOME").env_remove("HOME"))
    };
    assert_eq!(homeless(&["config", "get", "seed"]).0, 0);
    let (code, _, stderr) = homeless(&["config", "set", "seed", "2"]);
    assert!(code == 2 && stderr.contains("set HOME, or MAZE_CONFIG"), "{stderr}");
    let xdg = |folder: &str| {
        let mut command = maze();
        command.args(["config", "path"]).env_remove("MAZE_CONFIG").env("HOME", "/h");
        finished(command.env("XDG_CONFIG_HOME", folder)).1
    };
    assert_eq!(xdg("/x"), "/x/maze/config.toml\n");
    assert_eq!(xdg("relative"), "/h/.config/maze/config.toml\n");
    assert_eq!(xdg(""), "/h/.config/maze/config.toml\n");
}

#[test]
fn a_broken_file_stops_commands_with_its_place() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("config.toml");
    for (text, expected) in [
        (&b"seed = 1\ntop_p = 1.5 # far\n"[..], ":2:9: top_p = 1.5: must be a number from 0 to 1"),
        (b"colour = 1\n", ":1:1: there is no key `colour`"),
        (b"theme = \"a/b\"\n", ":1:9: theme = a/b: must be auto, dark, light"),
        (b"seed 1\n", ":1:"),
        (b"\xff\n", "not UTF-8 text (byte 0)"),
    ] {
        fs::write(&path, text).expect("writable");
        for args in [&["generate", "x"][..], &["check", "grammars/json.lark"], &["config"], &["bench"]] {
            let (code, stdout, stderr) = with(&path, args);
            assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
            assert!(stderr.starts_with("error: ") && stderr.contains(str(&path)), "{stderr}");
            assert!(stderr.contains(expected), "{args:?}: {stderr}");
        }
    }
}
