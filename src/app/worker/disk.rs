//! What the thread for files does for the grammar and the settings: reading, writing, looking around.
//!
//! It runs on that thread only. Every mistake is a sentence that names the file and what is wrong
//! with it; what is written appears whole or not at all.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use crate::app::event::Event;
use crate::app::files::{ConfigKey, FileEvent, FileJob, GrammarFile, Opened, Replaces, WriteError};
use crate::atomic::AtomicFile;
use crate::config::{self, file, themes};
use crate::engine::cases::list;
use crate::engine::grammar::{GrammarKind, MAX_BYTES};

mod walk;

/// Names of grammar files, for messages.
const ENDINGS: &str = ".lark, .gbnf, .json (JSON Schema) or .regex";

/// Does it, and tells what came of it.
pub(super) fn perform(job: FileJob, events: &Sender<Event>) {
    let told = match job {
        FileJob::List => FileEvent::Listed(walk::list(Path::new("."))),
        FileJob::Complete(typed) => {
            let (text, names) = walk::complete(&typed, &absolute);
            FileEvent::Completed { typed, text, names }
        }
        FileJob::Read(path) => {
            let read = read(&absolute(&path));
            FileEvent::Read(path, read)
        }
        FileJob::Base(path) => {
            let text = text(&path, MAX_BYTES).ok();
            FileEvent::Base(path, text)
        }
        FileJob::Write { path, text, replaces } => {
            let written = write(&absolute(&path), &text, &replaces);
            FileEvent::Written(path, written)
        }
        FileJob::KeepCase { folder, extension, text } => {
            FileEvent::CaseKept(keep_case(&folder, extension, &text))
        }
        FileJob::AppendCase { file, lines } => FileEvent::CaseKept(append_case(&file, &lines)),
        FileJob::SetConfig(key, value) => FileEvent::Said(set_config(key, value.as_deref())),
        FileJob::Themes => {
            let (found, problems) = themes::read_all(&config::environment);
            FileEvent::Themes(found, problems)
        }
    };
    // Nobody is there any more.
    let _ = events.blocking_send(Event::Files(told));
}

/// The path from the root of one as a person types it.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let expanded = match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    };
    std::path::absolute(&expanded).unwrap_or(expanded)
}

/// A path as short as can be: from the current folder, or from the person's own.
pub(super) fn short(path: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.as_os_str().len() > 1);
    if let Ok(rest) = std::env::current_dir().map_or(Err(()), |here| path.strip_prefix(here).map_err(drop)) {
        return rest.display().to_string();
    }
    match home.as_deref().map(|home| path.strip_prefix(home)) {
        Some(Ok(rest)) => format!("~/{}", rest.display()),
        _ => path.display().to_string(),
    }
}

fn read(path: &Path) -> Result<Opened, String> {
    let name = short(path);
    let failed = |reason: &str| format!("cannot open {name}: {reason}");
    let kind = GrammarKind::of_path(path);
    let text = text(path, MAX_BYTES).map_err(|reason| failed(&reason))?;
    if kind.is_none() {
        return Err(failed(&format!("a grammar's name ends in {ENDINGS}")));
    }
    let file = GrammarFile { path: path.to_owned(), text: text.into() };
    Ok(Opened { file, name, kind })
}

/// The text of a file of no more than `most` bytes.
fn text(path: &Path, most: usize) -> Result<String, String> {
    // Asked before it is opened: opening a pipe would wait for its other end.
    let about = std::fs::metadata(path).map_err(|e| reason(&e))?;
    if about.is_dir() {
        return Err("it is a folder".into());
    }
    if !about.is_file() {
        return Err("it is no file but a device or a pipe".into());
    }
    let file = std::fs::File::open(path).map_err(|e| reason(&e))?;
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|e| reason(&e))?;
    if bytes.len() > most {
        return Err(format!("it has more than {} KiB, the most that is read", most / 1024));
    }
    String::from_utf8(bytes)
        .map_err(|e| format!("it is not UTF-8 text (byte {})", e.utf8_error().valid_up_to()))
}

/// What went wrong, in a few words.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

fn write(path: &Path, new: &Arc<str>, replaces: &Replaces) -> Result<Opened, WriteError> {
    let name = short(path);
    let failed = |reason: String| WriteError::Failed(format!("cannot save {name}: {reason}"));
    let there = match std::fs::metadata(path) {
        Ok(about) => Some(about),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(failed(reason(&e))),
    };
    if let Some(about) = &there {
        if !about.is_file() {
            return Err(failed(if about.is_dir() { "it is a folder" } else { "it is no file" }.into()));
        }
        match replaces {
            Replaces::Nothing => return Err(WriteError::Exists),
            Replaces::Text(old) if text(path, MAX_BYTES).ok().as_deref() != Some(old) => {
                return Err(WriteError::Changed);
            }
            Replaces::Text(_) | Replaces::Anything => {}
        }
        if about.permissions().readonly() {
            return Err(failed("it is read-only".into()));
        }
    }
    replace(path, new, there.map(|about| about.permissions())).map_err(|e| {
        let is_lost = path.parent().is_some_and(|folder| !folder.exists());
        failed(if is_lost { "there is no such folder".into() } else { reason(&e) })
    })?;
    let file = GrammarFile { path: path.to_owned(), text: new.clone() };
    Ok(Opened { file, name, kind: GrammarKind::of_path(path) })
}

/// Writes a file whole, or not at all.
fn replace(path: &Path, text: &str, permissions: Option<Permissions>) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    if let Some(permissions) = permissions {
        file.permissions(permissions)?;
    }
    file.write_all(text.as_bytes())?;
    file.commit()
}

/// Puts a case at the end of a file of cases; gives its name.
fn append_case(path: &Path, lines: &str) -> Result<String, String> {
    let failed = |reason: String| format!("cannot keep the case in {}: {reason}", short(path));
    let old = text(path, list::MAX_FILE_BYTES).map_err(failed)?;
    let permissions = std::fs::metadata(path).map_err(|e| failed(reason(&e)))?.permissions();
    if permissions.readonly() {
        return Err(failed("it is read-only".into()));
    }
    replace(path, &list::append(&old, lines), Some(permissions)).map_err(|e| failed(reason(&e)))?;
    Ok(short(path))
}

/// Writes a text to a new file of a folder of cases; gives its name.
fn keep_case(folder: &Path, extension: &str, text: &[u8]) -> Result<String, String> {
    const MOST: usize = 10_000;
    let failed = |e: io::Error| format!("cannot keep the case in {}: {}", short(folder), reason(&e));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let is_free = |path: &PathBuf| !path.exists();
    let mut paths = (1..MOST).map(|n| folder.join(format!("kept-{n}.{extension}")));
    let path = paths.find(is_free).ok_or_else(|| format!("there are too many cases in {}", short(folder)))?;
    let mut file = AtomicFile::create(&path).map_err(failed)?;
    file.write_all(text).and_then(|()| file.commit()).map_err(failed)?;
    Ok(short(&path))
}

/// Writes a setting into the config file, or takes it out.
fn set_config(ConfigKey(key): ConfigKey, value: Option<&str>) -> Result<String, String> {
    let path = file::path(&config::environment)
        .ok_or("there is no place for a config file: set HOME, or MAZE_CONFIG to a path")?;
    match value {
        Some(value) => {
            file::set(&path, key, value)?;
            Ok(format!("{} = {value} is in {}.", key.name, short(&path)))
        }
        None => match file::unset(&path, key.name)? {
            true => Ok(format!("{} is out of {}.", key.name, short(&path))),
            false => Ok(format!("{} is not in {}.", key.name, short(&path))),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn what_cannot_be_opened_is_told_with_its_reason() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.txt"), "x").expect("writable");
        std::fs::write(at("bytes.lark"), b"ab\xff").expect("writable");
        std::fs::write(at("large.lark"), vec![b' '; MAX_BYTES + 1]).expect("writable");
        std::fs::create_dir(at("dir.lark")).expect("writable");
        for (name, wanted) in [
            ("none.lark", "there is no such file"),
            ("a.txt", "ends in .lark, .gbnf, .json (JSON Schema) or .regex"),
            ("bytes.lark", "not UTF-8 text (byte 2)"),
            ("large.lark", "more than 256 KiB"),
            ("dir.lark", "it is a folder"),
        ] {
            let error = read(&at(name)).expect_err(name);
            assert!(error.contains(wanted) && error.contains(name), "{error}");
        }
        let error = read(Path::new("/dev/zero")).expect_err("endless");
        assert!(error.contains("a device"), "{error}");
    }

    #[test]
    fn a_case_takes_no_other_cases_place() {
        let folder = folder();
        let cases = folder.path().join("g.accept");
        for wanted in ["kept-1.json", "kept-2.json"] {
            let name = keep_case(&cases, "json", b"{}\n").expect("writable");
            assert!(name.ends_with(wanted), "{name}");
            assert_eq!(std::fs::read(cases.join(wanted)).expect("it is there"), b"{}\n");
        }
        std::fs::write(folder.path().join("file"), "x").expect("writable");
        let error = keep_case(&folder.path().join("file"), "txt", b"x").expect_err("no folder");
        assert!(error.contains("cannot keep the case in"), "{error}");
    }

    #[test]
    fn a_case_comes_after_those_that_are_there() {
        let folder = folder();
        let path = folder.path().join("g.cases");
        assert!(append_case(&path, "accept \"x\"\n").expect_err("gone").contains("no such file"));
        std::fs::write(&path, "// of mine\naccept: a\n| b ").expect("writable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("its owner may");
        let name = append_case(&path, "accept \"x\"\n").expect("writable");
        assert!(name.ends_with("g.cases"), "{name}");
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "// of mine\naccept: a\n| b \n\naccept \"x\"\n");
        assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o640);
        std::fs::write(&path, b"\xff").expect("writable");
        let error = append_case(&path, "accept \"x\"\n").expect_err("bytes");
        assert!(error.contains("cannot keep the case in") && error.contains("UTF-8"), "{error}");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"\xff");
    }

    #[test]
    fn a_file_is_written_only_over_what_was_read() {
        let folder = folder();
        let path = folder.path().join("a.lark");
        let new: Arc<str> = "new\r\n".into();
        write(&path, &new, &Replaces::Nothing).expect("nothing is there");
        assert_eq!(write(&path, &new, &Replaces::Nothing).expect_err("it is there"), WriteError::Exists);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("its owner may");
        let newer: Arc<str> = "newer\n".into();
        let opened = write(&path, &newer, &Replaces::Text(new.clone())).expect("it is as it was");
        assert_eq!((opened.kind, &*opened.file.text), (Some(GrammarKind::Lark), "newer\n"));
        assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o640);
        std::fs::write(&path, "by another").expect("writable");
        assert_eq!(write(&path, &new, &Replaces::Text(newer)).expect_err("changed"), WriteError::Changed);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "by another");
        write(&path, &new, &Replaces::Anything).expect("whatever is there");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "new\r\n");
        let error = write(&folder.path().join("no/a.lark"), &new, &Replaces::Nothing).expect_err("no folder");
        assert!(matches!(&error, WriteError::Failed(e) if e.contains("no such folder")), "{error:?}");
    }
}
