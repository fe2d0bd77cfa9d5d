//! The config file: where it is, what is in it, and changing one line of it.
//!
//! A file that is not there is an empty one. One that is there and wrong is an error that names
//! its place; nothing here guesses. Changes keep comments and order, and reach the disk whole.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use toml_edit::{Document, DocumentMut, Formatted, Item, Value};

use super::bindings::{self, Bindings};
use super::keys::{self, Key, Kind};
use crate::atomic::AtomicFile;
use crate::engine::Position;

/// The largest file that is read. A real one has a few hundred bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What a new file begins with.
const HEADER: &str = "# Settings of maze; `maze config --help` explains them.\n";

/// What a config file says.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its table of keys, or what is wrong with it: that concerns the playground only.
    pub bindings: Result<Bindings, String>,
    entries: Vec<Entry>,
}

/// A line of the file.
#[derive(Clone, Debug)]
pub struct Entry {
    key: &'static Key,
    /// The value as its flag would be given.
    pub value: String,
    /// Its line, from 1.
    pub line: usize,
}

/// Where the config file is, or would be: `$MAZE_CONFIG`, or `maze/config.toml` in
/// `$XDG_CONFIG_HOME` or in `~/.config`. `None` if the environment names no home.
pub fn path(environment: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let own = environment("MAZE_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from);
    own.or_else(|| Some(folder(environment)?.join("config.toml")))
}

/// The folder of the program's config files: `maze` in `$XDG_CONFIG_HOME` or in `~/.config`.
pub fn folder(environment: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let variable = |name| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The XDG specification has relative paths ignored.
    let folder = variable("XDG_CONFIG_HOME").filter(|p| p.is_absolute());
    let folder = folder.or_else(|| Some(variable("HOME")?.join(".config")))?;
    Some(folder.join("maze"))
}

impl ConfigFile {
    /// Reads the file at [`path`]; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read or something in it is wrong, with the place.
    pub fn read(environment: &impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let Some(path) = path(environment) else { return Ok(None) };
        match text(&path)? {
            Some(text) => {
                Ok(Some(Self { entries: entries(&path, &text)?, bindings: bindings(&path, &text), path }))
            }
            None => Ok(None),
        }
    }

    /// What it says about a key.
    pub fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.name == key.name)
    }
}

/// Puts a key's line into the file, in place of the one there is. The file is made if need be.
///
/// # Errors
/// If the value is not valid, or the file cannot be read or written.
pub fn set(path: &Path, key: &Key, value: &str) -> Result<(), String> {
    (key.check)(value).map_err(|e| format!("{} = {value}: {e}", key.name))?;
    change(path, |document| {
        let mut new = written(key, value);
        match document.get_mut(key.name) {
            Some(Item::Value(old)) => {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            _ => add(document, key.name, new),
        }
    })
}

/// Puts a new line at the end; comments without a line after them come before it.
fn add(document: &mut DocumentMut, name: &str, value: Value) {
    let comments = document.is_empty().then(|| document.trailing().as_str().unwrap_or_default().to_owned());
    document[name] = Item::Value(value);
    if let (Some(comments), Some(mut key)) = (comments, document.key_mut(name)) {
        key.leaf_decor_mut().set_prefix(comments);
        document.set_trailing("");
    }
}

/// Takes a key's line out of the file. False if there was none.
///
/// # Errors
/// If the file cannot be read or written.
pub fn unset(path: &Path, name: &str) -> Result<bool, String> {
    let mut found = false;
    change(path, |document| found = document.remove(name).is_some())?;
    Ok(found)
}

/// Reads, changes and saves. The rest of the file need not make sense: this is how it is mended.
fn change(path: &Path, edit: impl FnOnce(&mut DocumentMut)) -> Result<(), String> {
    let failed = |e: io::Error| format!("cannot write {}: {e}", path.display());
    let there = std::fs::metadata(path).ok();
    if there.as_ref().is_some_and(|m| !m.is_file()) {
        return Err(format!("cannot write {}: it is not a file", path.display()));
    }
    if there.as_ref().is_some_and(|m| m.permissions().readonly()) {
        return Err(format!("cannot write {}: it is read-only", path.display()));
    }
    let before = text(path)?;
    let old = before.as_deref().unwrap_or(HEADER);
    let mut document: DocumentMut = old.parse().map_err(|e| wrong_syntax(path, old, &e))?;
    edit(&mut document);
    let new = document.to_string();
    if new == old {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = AtomicFile::create(path).map_err(failed)?;
    if let Some(there) = there {
        file.permissions(there.permissions()).map_err(failed)?;
    }
    file.write_all(new.as_bytes()).and_then(|()| file.commit()).map_err(failed)
}

/// The text of the file; `None` if there is none.
fn text(path: &Path) -> Result<Option<String>, String> {
    let failed = |reason: String| format!("cannot read {}: {reason}", path.display());
    let file = match std::fs::File::open(path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        file => file.map_err(|e| failed(e.to_string()))?,
    };
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| failed(e.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(format!("it has more than {MAX_BYTES} bytes, which is no config file")));
    }
    let text = String::from_utf8(bytes);
    text.map(Some)
        .map_err(|e| failed(format!("it is not UTF-8 text (byte {})", e.utf8_error().valid_up_to())))
}

/// The name of the table of keys.
const BINDINGS: &str = "keys";

fn bindings(path: &Path, text: &str) -> Result<Bindings, String> {
    let document = Document::parse(text).map_err(|e| wrong_syntax(path, text, &e))?;
    document.get(BINDINGS).map_or_else(|| Ok(Bindings::default()), |item| bindings::read(path, text, item))
}

fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, String> {
    let document = Document::parse(text).map_err(|e| wrong_syntax(path, text, &e))?;
    let mut entries = Vec::new();
    for (name, item) in document.as_table() {
        if name == BINDINGS {
            continue;
        }
        let written = document.as_table().key(name);
        let at = |span: Option<std::ops::Range<usize>>| Position::of(text, span.map_or(0, |s| s.start));
        let start = at(written.and_then(toml_edit::Key::span).or_else(|| item.span()));
        let key = keys::find(name).map_err(|e| placed(path, start, &e))?;
        let value_start = item.span().map_or(start, |s| at(Some(s)));
        let wrong = |shown: &str, e: &str| placed(path, value_start, &format!("{name} = {shown}: {e}"));
        let value = plain(key, item).ok_or_else(|| {
            let shown = item.to_string();
            wrong(shown.trim(), &format!("must be {}{}", key.range, quotes(key)))
        })?;
        (key.check)(&value).map_err(|e| wrong(&value, &e))?;
        entries.push(Entry { key, value, line: start.line });
    }
    Ok(entries)
}

fn quotes(key: &Key) -> &'static str {
    if key.kind == Kind::Text { ", in quotes" } else { "" }
}

/// A value as its flag would be given; `None` if it is of the wrong kind.
fn plain(key: &Key, item: &Item) -> Option<String> {
    match (item.as_value()?, key.kind) {
        (Value::String(s), _) => Some(s.value().clone()),
        (Value::Integer(n), Kind::Number) => Some(n.value().to_string()),
        (Value::Float(n), Kind::Number) => Some(n.value().to_string()),
        (Value::Boolean(b), Kind::Switch) => Some(b.value().to_string()),
        _ => None,
    }
}

/// A value as the file writes it.
fn written(key: &Key, value: &str) -> Value {
    let number = || match value.parse::<i64>() {
        Ok(n) => Some(Value::Integer(Formatted::new(n))),
        // Only what TOML reads as the same number: not `1e39`, which is infinite in `f32`.
        Err(_) => value.parse().ok().filter(|n: &f64| n.is_finite()).map(|n| Value::Float(Formatted::new(n))),
    };
    let is_whole = value.bytes().all(|b| b.is_ascii_digit());
    let typed = match key.kind {
        Kind::Text => None,
        // Beyond 64 bits with a sign: a number would lose digits.
        Kind::Number if is_whole && value.parse::<i64>().is_err() => None,
        Kind::Number => number(),
        Kind::Switch => value.parse().ok().map(|b| Value::Boolean(Formatted::new(b))),
    };
    typed.unwrap_or_else(|| Value::String(Formatted::new(value.to_owned())))
}

fn wrong_syntax(path: &Path, text: &str, error: &toml_edit::TomlError) -> String {
    let at = Position::of(text, error.span().map_or(0, |s| s.start));
    // The key that the line begins with, if it has got that far.
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    let name = line.split_once('=').map_or("", |(name, _)| name.trim());
    let reason = error.message().lines().next().unwrap_or("not TOML");
    placed(path, at, &if name.is_empty() { reason.to_owned() } else { format!("{name}: {reason}") })
}

pub(super) fn placed(path: &Path, at: Position, message: &str) -> String {
    format!("{}:{}:{}: {message}", path.display(), at.line, at.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str, name: &str, value: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, before).expect("writable");
        set(&path, keys::find(name).expect("a key"), value).expect("it is valid");
        std::fs::read_to_string(&path).expect("it is there")
    }

    #[test]
    fn a_change_keeps_everything_else() {
        let before = "# mine\n\ntop_k   =  40   # forty\nmodel = 'a b' # where\n# end\n";
        assert_eq!(changed(before, "top_k", "7"), before.replace("40", "7"));
        assert_eq!(changed(before, "model", "c\"d"), before.replace("'a b'", "'c\"d'"));
        let added = changed(before, "temperature", "0.8");
        assert_eq!(added, before.replace("# end\n", "temperature = 0.8\n# end\n"));
        assert_eq!(changed("", "mouse", "false"), "mouse = false\n");
        assert_eq!(changed("# mine\n\n", "mouse", "false"), "# mine\n\nmouse = false\n");
    }

    #[test]
    fn what_is_set_is_read_as_the_same() {
        for (name, value) in [
            ("seed", "18446744073709551615"),
            ("seed", "7"),
            ("temperature", "0.1"),
            ("temperature", "1e1"),
            ("context", "auto"),
            ("model", "/a b/\u{1b}\"é\\.gguf"),
            ("mouse", "false"),
        ] {
            let text = changed("", name, value);
            let found = entries(Path::new("c"), &text).expect("valid");
            let number = |t: &str| t.parse::<f64>().ok();
            assert!(found[0].value == value || number(&found[0].value) == number(value), "{text}");
        }
    }

    #[test]
    fn mistakes_are_placed() {
        for (text, expected) in [
            (
                "top_k = 1\ntemprature = 1\n",
                "c:2:1: there is no key `temprature`; did you mean `temperature`?",
            ),
            ("\n  temperature = 200 # hot\n", "c:2:17: temperature = 200: must be a number from 0 to 100"),
            ("theme = dark\n", "c:1:9: theme: "),
            (
                "model = 7\n",
                "c:1:9: model = 7: must be a folder, a .gguf file or org/name of the hub, in quotes",
            ),
            ("mouse = 'yes'\n", "c:1:9: mouse = yes: must be true or false"),
            ("seed = [1]\n", "c:1:8: seed = [1]: must be a whole number"),
            ("seed = 1\nseed = 2\n", "c:2:1: seed: duplicate key"),
            ("[sampler]\nseed = 1\n", "c:1:2: there is no key `sampler`"),
        ] {
            let error = entries(Path::new("c"), text).expect_err(text);
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
