//! One file of the store: JSON with the version of its format, written whole or not at all.
//!
//! What is read may have been damaged or written by anybody: it is read up to a size, and refused with
//! a reason. A file that is refused is set aside under another name, so that nothing in it is lost.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::atomic::AtomicFile;

/// The version of the format, as this program writes it. Fields may be added without a new one.
pub const VERSION: u64 = 1;

/// As many files that were set aside are kept beside one.
const MOST_ASIDE: usize = 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The system does not give it.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// It is no file, or larger than any that is written.
    #[error("it is no file of maze")]
    Strange,
    /// It has more bytes than are read.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// It is not what it should be.
    #[error("{0}")]
    Broken(String),
    /// A later version of the program has written it.
    #[error("it has format {0}, this version of maze reads format {VERSION}")]
    Newer(u64),
}

/// What a file holds and the version of its format.
#[derive(Serialize)]
struct Marked<'a, T> {
    maze_state: u64,
    #[serde(flatten)]
    content: &'a T,
}

#[derive(Deserialize)]
struct Mark {
    maze_state: u64,
}

/// Writes a file in place of the one before.
///
/// # Errors
/// A sentence that names the file.
pub fn write(path: &Path, content: &impl Serialize) -> Result<(), String> {
    replace(path, |out| {
        serde_json::to_writer(&mut *out, &Marked { maze_state: VERSION, content }).map_err(io::Error::from)
    })
}

/// Writes a file that only this person can read, in place of the one before.
///
/// # Errors
/// A sentence that names the file.
pub fn replace(path: &Path, write: impl FnOnce(&mut AtomicFile) -> io::Result<()>) -> Result<(), String> {
    let written = || {
        let mut file = AtomicFile::create(path)?;
        file.permissions(Permissions::from_mode(0o600))?;
        write(&mut file)?;
        file.flush()?;
        file.commit()
    };
    written().map_err(|e: io::Error| format!("cannot write {}: {e}", path.display()))
}

/// Reads a file of at most `most` bytes; `None` if there is none.
///
/// # Errors
/// What is wrong with it.
pub fn read<T: DeserializeOwned>(path: &Path, most: u64) -> Result<Option<T>, Problem> {
    let Some(text) = bytes(path, most)? else { return Ok(None) };
    let broken = |e: serde_json::Error| Problem::Broken(e.to_string());
    match serde_json::from_slice(&text).map_err(broken)? {
        Mark { maze_state: VERSION } => serde_json::from_slice(&text).map(Some).map_err(broken),
        Mark { maze_state } => Err(Problem::Newer(maze_state)),
    }
}

/// The bytes of a file, at most `most`; `None` if there is none.
///
/// # Errors
/// What is wrong with it.
pub fn bytes(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Problem> {
    // Looked at first: opening a pipe would wait for somebody to write into it.
    match std::fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.into()),
        Ok(there) if !there.is_file() => return Err(Problem::Strange),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(Problem::TooLarge(most)) } else { Ok(Some(bytes)) }
}

/// Reads a file. One that cannot be used is set aside; the sentence tells where it is now.
pub fn read_or_set_aside<T: DeserializeOwned>(path: &Path, most: u64) -> (Option<T>, Option<String>) {
    match read(path, most) {
        Ok(content) => (content, None),
        Err(problem) => (None, Some(set_aside(path, &problem))),
    }
}

/// Moves what cannot be used out of the way, and says so in a sentence.
pub fn set_aside(path: &Path, problem: &Problem) -> String {
    let shown = path.display();
    let moved = (1..=MOST_ASIDE).map(|n| aside(path, n)).find(|to| !to.exists());
    let to = moved.unwrap_or_else(|| aside(path, MOST_ASIDE));
    match std::fs::rename(path, &to) {
        Ok(()) => format!("{shown} cannot be used: {problem}. It is kept as {}.", to.display()),
        Err(error) => format!("{shown} cannot be used: {problem}. It could not be set aside: {error}."),
    }
}

/// The name under which the `n`th unusable file of this name is kept.
fn aside(path: &Path, n: usize) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(if n == 1 { ".broken".to_owned() } else { format!(".broken-{n}") });
    path.with_file_name(name)
}
