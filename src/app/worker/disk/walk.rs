//! Looking for grammar files: those below a folder, and those that a path can go on to.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::engine::grammar::GrammarKind;

/// The most files that are listed.
const FILES: usize = 300;

/// The most names that are looked at, and the longest time: a folder may be endless, or slow.
const NAMES: usize = 50_000;
const TIME: Duration = Duration::from_millis(500);

/// The deepest folder that is looked into.
const DEPTH: usize = 8;

/// Folders that hold what programs have made.
const MADE: [&str; 4] = ["target", "node_modules", "venv", "__pycache__"];

/// The names of the grammar files in `root` and below, nearest first; hidden folders, links to folders
/// and what programs have made are left out.
pub(super) fn list(root: &Path) -> Vec<String> {
    let (clock, mut seen) = (Instant::now(), 0);
    let mut found = Vec::new();
    let mut folders = VecDeque::from([(root.to_owned(), String::new(), 0)]);
    while let Some((folder, prefix, depth)) = folders.pop_front() {
        let mut files = Vec::new();
        let mut below = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > NAMES || clock.elapsed() > TIME {
                break;
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            let path = format!("{prefix}{name}");
            if kind.is_dir() && depth < DEPTH && !name.starts_with('.') && !MADE.contains(&&*name) {
                below.push((entry.path(), format!("{path}/"), depth + 1));
            } else if !kind.is_dir() && is_grammar(&name) {
                files.push(path);
            }
        }
        files.sort();
        below.sort();
        found.extend(files);
        folders.extend(below);
        if found.len() >= FILES || seen > NAMES || clock.elapsed() > TIME {
            break;
        }
    }
    found.truncate(FILES);
    found
}

/// Whether a file of this name is meant as a grammar. Most `.json` files are something else.
fn is_grammar(name: &str) -> bool {
    match GrammarKind::of_path(Path::new(name)) {
        Some(GrammarKind::JsonSchema) => name.ends_with(".schema.json"),
        kind => kind.is_some(),
    }
}

/// What a path can go on to: the path with all that the possible names have in common, and the paths
/// of these. Folders end in `/`; hidden names are for those who ask for them.
pub(super) fn complete(typed: &str, absolute: &dyn Fn(&Path) -> PathBuf) -> (String, Vec<String>) {
    if typed == "~" {
        return ("~/".into(), Vec::new());
    }
    let (folder, start) = typed.rsplit_once('/').map_or(("", typed), |(f, s)| (&typed[..=f.len()], s));
    let place = absolute(Path::new(if folder.is_empty() { "." } else { folder }));
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten().take(NAMES) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_hidden = name.starts_with('.') && !start.starts_with('.');
        if is_hidden || !name.starts_with(start) {
            continue;
        }
        // Through links.
        let is_folder = std::fs::metadata(entry.path()).is_ok_and(|about| about.is_dir());
        if is_folder {
            names.push(format!("{folder}{name}/"));
        } else if GrammarKind::of_path(Path::new(&name)).is_some() {
            names.push(format!("{folder}{name}"));
        }
    }
    names.sort();
    let common = names.split_first().map_or(typed, |(first, rest)| {
        let shared = |a: &str, b: &str| {
            a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
        };
        let end = rest.iter().map(|name| shared(first, name)).min().unwrap_or(first.len());
        &first[..end]
    });
    let text = common.to_owned();
    names.truncate(FILES);
    (text, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [
            "b.lark",
            "a.gbnf",
            "c.schema.json",
            "package.json",
            "sub/d.regex",
            "sub/deep/e.lark",
            "target/f.lark",
            "node_modules/g.lark",
            ".git/h.lark",
            "notes.txt",
            "sub/data.json",
            "été.lark",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(path, "").expect("writable");
        }
        folder
    }

    #[test]
    fn grammars_are_found_nearest_first() {
        let folder = folder();
        let wanted = ["a.gbnf", "b.lark", "c.schema.json", "été.lark", "sub/d.regex", "sub/deep/e.lark"];
        assert_eq!(list(folder.path()), wanted);
    }

    #[test]
    fn paths_go_on_as_in_a_shell() {
        let folder = folder();
        let at = |path: &Path| folder.path().join(path);
        let complete = |typed: &str| complete(typed, &at);
        assert_eq!(complete("s"), ("sub/".into(), vec!["sub/".into()]));
        let (text, names) = complete("sub/d");
        assert_eq!(
            (text.as_str(), names),
            ("sub/d", vec!["sub/d.regex".into(), "sub/data.json".into(), "sub/deep/".into()])
        );
        assert_eq!(complete("sub/de").0, "sub/deep/");
        assert_eq!(complete(".g").0, ".git/");
        assert_eq!(complete("é").0, "été.lark");
        assert_eq!(complete("nothing"), ("nothing".into(), vec![]));
        assert_eq!(complete("no/such/x"), ("no/such/x".into(), vec![]));
    }
}
