//! Cases in one file, `NAME.cases` beside the grammar's: the lines that cases in comments have, and nothing
//! around them.
//!
//! ```text
//! // What the rule `sum` is about.
//! accept "1 + 2"
//! reject @1:5: an operator too many
//! | 1 + * 2
//! ```
//!
//! `NAME` is that of the folders of cases ([`folder`]). Every other line is blank or begins with `//`; one that does not is
//! told, so that no case is lost to a slip. This file must never write anything: it says what a case
//! would be there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lines::{self, NO_TEXT, What};
use super::{Case, Cases, MAX_BYTES, MAX_BYTES_TOGETHER, New, Origin, Problem, folder};
use crate::engine::diagnostic::Position;
use crate::sanitize;

pub use super::lines::append;

/// The most that a file of cases may have, in bytes.
pub const MAX_FILE_BYTES: usize = MAX_BYTES_TOGETHER;

/// A file of cases as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct ListFile {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// The file for the cases of the grammar in `path`, whether it is there or not.
pub fn beside(path: &Path) -> PathBuf {
    folder::named(path, "cases")
}

/// Reads the file of cases beside a grammar's, if there is one.
pub(super) fn read(path: &Path, cases: &mut Cases) {
    let path = beside(path);
    match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        _ => cases.file = Some(path.clone()),
    }
    let problem = |position, message| Problem { file: Some(path.clone()), position, message };
    match folder::text(&path, MAX_FILE_BYTES).map(String::from_utf8) {
        Ok(Ok(text)) => take(path, text, cases),
        Ok(Err(error)) => {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].split(|&byte| byte == b'\n').count();
            let message = "is not UTF-8 text; a text of other bytes stands in a file of its own, in NAME.accept \
                           or NAME.reject";
            cases.problems.push(problem(Some(Position { line, column: 1 }), message.to_owned()));
        }
        Err(message) => cases.problems.push(problem(None, message)),
    }
}

/// Takes in the cases of a text.
pub(super) fn take(path: PathBuf, text: String, cases: &mut Cases) {
    let file = Arc::new(ListFile { path, text });
    // Some editors write a mark before the first line.
    let whole = |line| Some(str::strip_prefix(line, '\u{feff}').unwrap_or(line));
    for found in lines::read(&file.text, whole) {
        let position = found.position();
        let message = match found.what {
            What::Case { text, .. } if text.len() > MAX_BYTES => {
                format!("its text has more than {} KiB, the most that a case may have", MAX_BYTES >> 10)
            }
            What::Case { name, entry, wants, text, place } => {
                let (text, origin) = (text.into_bytes().into(), Origin::Listed(file.clone(), place));
                cases.list.push(Case { name, entry, wants, text, origin });
                continue;
            }
            What::Wrong(message) => message,
            What::NoText(_) => NO_TEXT.to_owned(),
            What::Other(line) => match wrong(line) {
                Some(message) => message,
                None => continue,
            },
        };
        cases.problems.push(Problem { file: Some(file.path.clone()), position, message });
    }
}

/// What is wrong with a line that is no case; nothing if none was meant.
fn wrong(line: &str) -> Option<String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with("//") {
        return None;
    }
    Some(match line.starts_with('|') {
        true => {
            "a line of a text without its case: it begins with `accept:` or `reject:`, and goes on to the \
                 first line without a bar; an empty line of it is `|`"
                .to_owned()
        }
        false => {
            let line: String = sanitize::line(line).chars().take(40).collect();
            format!(
                "`{line}` is no case: it begins with `accept:` or `reject:` and has its text in quotes, or in the \
                 lines below, each after `| `; a line that is none begins with `//`"
            )
        }
    })
}

/// A case as lines of such a file, with a line break at the end; `None` if the text is not UTF-8.
pub fn write(new: &New<'_>) -> Option<String> {
    lines::write("", new)
}

#[cfg(test)]
mod tests;
