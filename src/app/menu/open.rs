//! What can be opened: what is typed as a path, recent files, examples, and the grammar files below
//! the current folder. And what a new grammar can be written in.

use std::path::{Path, PathBuf};

use crate::app::examples::{EXAMPLES, Example};
use crate::app::files;
use crate::app::state::State;
use crate::engine::grammar::GrammarKind;

use super::{Pick, Row};

/// The rows of the menu Open.
pub(super) fn rows(typed: &str, state: &State) -> Vec<Row> {
    let mut rows = of_path(typed.trim(), &state.files.names);
    let is_open = |path: &Path| state.grammar.file.as_ref().is_some_and(|file| file.path == path);
    let recents = state.files.recents.iter().map(|path| {
        Row::new("Recent", shown(path), Pick::File(path.clone())).right(kind(path)).current(is_open(path))
    });
    rows.extend(recents);
    rows.extend(EXAMPLES.iter().map(example));
    let found = state.files.found.iter().flatten().map(|name| {
        Row::new("In this folder and below", name, Pick::File(PathBuf::from(name)))
            .right(kind(Path::new(name)))
    });
    rows.extend(found);
    rows.extend(super::kept::grammars(state));
    rows
}

/// A path that is typed, and what it can go on to once Tab has asked.
fn of_path(typed: &str, names: &[String]) -> Vec<Row> {
    let path = Path::new(typed);
    let is_path = typed.contains('/') || typed.starts_with('~') || GrammarKind::of_path(path).is_some();
    if typed.is_empty() || !is_path {
        return Vec::new();
    }
    const SECTION: &str = "Path";
    let mut rows = Vec::new();
    if !names.iter().any(|name| name == typed) && !typed.ends_with('/') {
        rows.push(
            Row::new(SECTION, typed, Pick::File(path.to_owned())).about("opens this file").right(kind(path)),
        );
    }
    rows.extend(names.iter().filter(|name| name.starts_with(typed)).map(|name| {
        if name.ends_with('/') {
            Row::new(SECTION, name, Pick::Type(name.clone())).about("goes on in this folder")
        } else {
            Row::new(SECTION, name, Pick::File(PathBuf::from(name))).right(kind(Path::new(name)))
        }
    }));
    rows
}

fn example(example: &'static Example) -> Row {
    Row::new("Examples", example.name, Pick::Example(example))
        .about(example.about)
        .right(example.language.name())
}

fn kind(path: &Path) -> &'static str {
    GrammarKind::of_path(path).map_or("", GrammarKind::name)
}

/// A path whose end can be read in a narrow list: the file first, then its folder.
fn shown(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match path.parent().map(|folder| folder.display().to_string()) {
        Some(folder) if !folder.is_empty() => format!("{name}  {folder}"),
        _ => name,
    }
}

/// The rows of the menu New.
pub(super) fn kinds() -> Vec<Row> {
    let row = |kind: GrammarKind, about| {
        Row::new("", kind.name(), Pick::New(kind)).about(about).right(files::beginning(kind).name)
    };
    vec![
        row(GrammarKind::Lark, "rules and regular expressions, the richest of them"),
        row(GrammarKind::Gbnf, "llama.cpp's own language"),
        row(GrammarKind::JsonSchema, "JSON of a certain shape"),
        row(GrammarKind::Regex, "one regular expression for the whole output"),
    ]
}
