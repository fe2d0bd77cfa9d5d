//! The architecture's invariants, checked against the source text.
//!
//! Each test names the rule it guards; `src/lib.rs` explains them.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file under `folder`, with its text.
fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of the project").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no Rust files");
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a readable source file");
            (path.strip_prefix(root).expect("inside the project").to_owned(), text)
        })
        .collect()
}

/// The code of a file: comments, doc comments and the unit tests at its end left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(n, line)| (n + 1, line))
}

/// Lines of code under `folder` that contain one of `words`, outside of the files in `except`.
fn lines_with(folder: &str, words: &[&str], except: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in rust_files(folder) {
        if except.iter().any(|e| path == Path::new(e)) || path.ends_with("tests.rs") {
            continue;
        }
        for (n, line) in code(&text) {
            if words.iter().any(|w| line.contains(w)) {
                found.push(format!("{}:{n}: {}", path.display(), line.trim()));
            }
        }
    }
    found
}

fn assert_none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn the_engine_knows_no_terminal_and_no_async_runtime() {
    let words = ["ratatui", "crossterm", "tokio::", "crate::app", "crate::ui"];
    assert_none(lines_with("src/engine", &words, &[]), "src/engine must work without a terminal");
}

#[test]
fn the_hub_knows_no_terminal_no_async_runtime_and_no_engine() {
    let words = ["ratatui", "crossterm", "tokio::", "crate::app", "crate::ui", "crate::engine"];
    assert_none(lines_with("src/hub", &words, &[]), "src/hub works for any program");
}

#[test]
fn one_file_names_the_parser_types() {
    let words = ["TokenParser", "ParserFactory", "llguidance::Matcher", "llguidance::Constraint"];
    let found = lines_with("src", &words, &["src/engine/constraint.rs"]);
    assert_none(found, "only src/engine/constraint.rs touches llguidance's parser");
}

#[test]
fn reducing_and_drawing_touch_no_clock_file_or_channel() {
    let words = [
        "Instant::now",
        "SystemTime",
        "std::fs",
        "File::",
        "std::env",
        "mpsc",
        ".send(",
        "blocking_send",
        "thread::",
    ];
    let mut found = lines_with("src/ui", &words, &[]);
    found.extend(lines_with("src", &words, &[]).into_iter().filter(|line| {
        let pure =
            ["src/ui.rs", "src/app/update.rs", "src/app/state.rs", "src/app/action.rs", "src/app/keymap.rs"];
        pure.iter().any(|file| line.starts_with(file)) || line.starts_with("src/app/update/")
    }));
    assert_none(found, "update and draw are functions of their arguments");
}

#[test]
fn only_the_command_line_prints() {
    let words = ["println!", "print!(", "eprintln!", "eprint!(", "dbg!("];
    let found: Vec<String> = lines_with("src", &words, &["src/main.rs"])
        .into_iter()
        .filter(|line| !line.starts_with("src/commands"))
        .collect();
    assert_none(found, "nothing else may write to stdout or stderr, the terminal is drawn on");
}

#[test]
fn the_library_does_not_panic_on_purpose() {
    let words = [".unwrap()", ".expect(\"", "panic!(", "todo!(", "unimplemented!(", "unreachable!("];
    assert_none(lines_with("src", &words, &["src/app/terminal.rs"]), "errors are values");
}

#[test]
fn files_stay_short_and_say_what_they_are_for() {
    for (path, text) in rust_files("src") {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines; split it by purpose", path.display());
        let first = text.lines().next().unwrap_or_default();
        let documented = first.starts_with("//!") && first.len() > 20;
        assert!(documented, "{} must begin with a module doc", path.display());
        assert!(!path.ends_with("mod.rs"), "{}: modules are foo.rs + foo/", path.display());
    }
}

#[test]
fn the_top_level_holds_only_what_was_agreed() {
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "grammars",
        "themes",
        "tests",
        "benches",
        "examples",
        "models",
        "deploy",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "target",
    ];
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("the project's folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let fine = name.starts_with('.') || name.starts_with("target") || agreed.contains(&name.as_str());
        assert!(fine, "{name} is not part of the layout");
    }
}

#[test]
fn unsafe_is_for_cuda_only() {
    let found = lines_with(
        "src",
        &["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"],
        &[
            "src/engine/model/cuda_graph.rs",
            "src/engine/model/cuda/kernels.rs",
            "src/engine/model/cuda/upload.rs",
            "src/engine/model/cuda/work.rs",
        ],
    );
    assert_none(found, "unsafe needs a reason that only CUDA has");
}
