//! Cases in files: `NAME.accept/*` and `NAME.reject/*` beside the grammar's file.
//!
//! `NAME` is the name of the grammar's file without its ending; for `person.schema.json` it is
//! `person`. The name of a file of `NAME.reject` may say where its text is to be refused:
//! `what@LINE-COLUMN.ext`, `what@BYTE.ext`, `what@end.ext`. A file whose name begins with a dot or
//! ends with `~` is none of them. This file must never write anything.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{At, Case, Cases, MAX_BYTES, MAX_BYTES_TOGETHER, MAX_CASES, Origin, Problem, Wants};

/// What the name of a folder of cases ends with, and what they are.
const KINDS: [(&str, Wants); 2] = [("accept", Wants::Accept), ("reject", Wants::Reject(None))];

/// The folder for the cases of the grammar in `path`, whether it is there or not.
pub fn beside(path: &Path, wants: Wants) -> PathBuf {
    named(path, kind(wants))
}

/// What is called after the grammar in `path`, and ends with this.
pub(super) fn named(path: &Path, ending: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_suffix(".schema").filter(|name| !name.is_empty()).unwrap_or(&stem);
    path.with_file_name(format!("{stem}.{ending}"))
}

fn kind(wants: Wants) -> &'static str {
    match wants {
        Wants::Accept => "accept",
        Wants::Reject(_) => "reject",
    }
}

/// Reads the cases beside a grammar's file, up to those that are too much. `None` if `go_on`, which is
/// asked between files, said no.
pub(super) fn read(path: &Path, cases: &mut Cases, go_on: &mut dyn FnMut() -> bool) -> Option<()> {
    let mut bytes = 0;
    for (_, wants) in KINDS {
        let folder = beside(path, wants);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                cases.problems.push(problem(folder, format!("the folder cannot be read: {error}")));
                continue;
            }
        };
        // The first ones by their names, as many as are run.
        let mut files = BTreeSet::new();
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| is_case(path)) {
            if !go_on() {
                return None;
            }
            files.insert(path);
            if files.len() > MAX_CASES {
                files.pop_last();
                cases.unread += 1;
            }
        }
        cases.folders.push(folder);
        for path in files {
            if !go_on() {
                return None;
            }
            if bytes > MAX_BYTES_TOGETHER {
                cases.unread += 1;
                continue;
            }
            match text(&path, MAX_BYTES) {
                Ok(text) => {
                    bytes += text.len();
                    take(path, &text, cases);
                }
                Err(reason) => cases.problems.push(problem(path, reason)),
            }
        }
    }
    Some(())
}

fn is_case(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && !name.ends_with('~')
}

/// What is in a file of no more than `most` bytes, or why that cannot be used.
pub(super) fn text(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    // Asked before it is opened: opening a pipe would wait for its other end.
    let about = fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?;
    if !about.is_file() {
        return Err(if about.is_dir() { "is a folder, not a file" } else { "is no file" }.into());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() > most {
        return Err(format!("has more than {} KiB, the most that is read", most >> 10));
    }
    Ok(bytes)
}

/// Takes in the text of a file whose folder's name says what it is.
fn take(path: PathBuf, text: &[u8], cases: &mut Cases) {
    let folder = path.parent().and_then(Path::extension).unwrap_or_default();
    let Some((_, wants)) = KINDS.iter().find(|(kind, _)| folder == *kind) else { return };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let wants = match (wants, stem.rsplit_once('@')) {
        (Wants::Accept, _) => Wants::Accept,
        (Wants::Reject(_), None) => Wants::Reject(None),
        (Wants::Reject(_), Some((_, at))) => match At::parse(at) {
            Some(at) => Wants::Reject(Some(at)),
            None => {
                let message = format!(
                    "`@{at}` is no place: write @LINE-COLUMN, @BYTE or @end before the ending of the name"
                );
                cases.problems.push(problem(path, message));
                return;
            }
        },
    };
    cases.list.push(Case { name, entry: None, wants, text: text.into(), origin: Origin::File(path) });
}

fn problem(file: PathBuf, message: String) -> Problem {
    Problem { file: Some(file), position: None, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_named_after_the_grammar() {
        let named = |path: &str| beside(Path::new(path), Wants::Accept).display().to_string();
        assert_eq!(named("a/json.lark"), "a/json.accept");
        assert_eq!(named("person.schema.json"), "person.accept");
        assert_eq!(named("v1.2.gbnf"), "v1.2.accept");
        assert_eq!(named(".schema.json"), ".schema.accept");
    }

    #[test]
    fn files_say_what_they_are_by_their_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            fs::write(path, text).expect("writable");
        };
        put("g.accept/b@1.txt", b"\xff");
        put("g.accept/a", b"");
        put("g.accept/.hidden", b"");
        put("g.accept/a~", b"");
        put("g.reject/x@2-13.tar.gz", b"x");
        put("g.reject/x@end.txt", b"x");
        put("g.reject/x.txt", b"x");
        put("g.reject/user@example.txt", b"x");
        put("g.reject/sub/x.txt", b"x");
        put("g.reject/long.txt", &vec![b'x'; MAX_BYTES + 1]);
        let mut cases = Cases::default();
        read(&folder.path().join("g.lark"), &mut cases, &mut || true).expect("to the end");
        let names: Vec<(&str, Wants)> = cases.list.iter().map(|c| (c.name.as_str(), c.wants)).collect();
        assert_eq!(
            names,
            [
                ("a", Wants::Accept),
                ("b@1.txt", Wants::Accept),
                ("x.txt", Wants::Reject(None)),
                ("x@end.txt", Wants::Reject(Some(At::End))),
            ]
        );
        let problems: Vec<&str> = cases.problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems[0].contains("1024 KiB"), "{problems:?}");
        assert!(problems[1].contains("is a folder"), "{problems:?}");
        assert!(problems[2].contains("`@example`"), "{problems:?}");
        assert!(problems[3].contains("`@2-13.tar`"), "{problems:?}");
        assert_eq!(cases.folders.len(), 2);
    }

    #[test]
    fn no_more_is_read_than_can_be_run() {
        let folder = tempfile::tempdir().expect("a folder");
        for kind in ["g.accept", "g.reject"] {
            fs::create_dir(folder.path().join(kind)).expect("writable");
            for number in 10..20 {
                let path = folder.path().join(kind).join(number.to_string());
                fs::write(path, vec![b'x'; MAX_BYTES]).expect("writable");
            }
        }
        let path = folder.path().join("g.lark");
        let mut cases = Cases::default();
        read(&path, &mut cases, &mut || true).expect("to the end");
        // One more than fits is needed to see that there is more.
        assert_eq!((cases.list.len(), cases.unread), (9, 11));
        let cases = Cases::of(
            &crate::engine::grammar::GrammarSource::lark("g", ""),
            &super::super::Beside::File(path.clone()),
        );
        assert_eq!(cases.list.len(), 8);
        assert!(cases.problems[0].message.starts_with("12 cases are left out"), "{:?}", cases.problems);
        for most in [3, 13] {
            let mut asked = 0;
            let mut go_on = || {
                asked += 1;
                asked < most
            };
            assert!(read(&path, &mut Cases::default(), &mut go_on).is_none());
            assert_eq!(asked, most);
        }
    }

    #[test]
    fn all_that_is_left_out_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("g.lark");
        let said = |more: std::ops::Range<usize>| {
            fs::create_dir_all(folder.path().join("g.accept")).expect("writable");
            for number in more {
                fs::write(folder.path().join(format!("g.accept/{number:04}")), b"").expect("writable");
            }
            let source = crate::engine::grammar::GrammarSource::lark("g", "");
            let cases = Cases::of(&source, &super::super::Beside::File(path.clone()));
            let names: Vec<String> = cases.list.iter().map(|case| case.name.clone()).collect();
            assert!(names.len() == MAX_CASES.min(names.len()) && names.is_sorted());
            assert_eq!(names.last(), Some(&"0499".to_owned()));
            cases.problems.first().map(|problem| problem.message.clone()).unwrap_or_default()
        };
        assert_eq!(said(0..500), "");
        assert!(said(500..501).starts_with("1 case is left out: "));
        assert!(said(501..502).starts_with("2 cases are left out: "));
        assert!(said(502..2600).starts_with("2100 cases are left out: "));
    }
}
