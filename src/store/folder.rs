//! The folder of the store: where it is, making folders that nobody else can read, and locks.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where the store is, or would be: `$MAZE_STATE`, or `maze` in `$XDG_STATE_HOME` or in
/// `~/.local/state`. `None` if `MAZE_STATE` is empty, which keeps nothing, or if the environment names
/// no home.
pub fn path(environment: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(path) = environment("MAZE_STATE") {
        return (!path.is_empty()).then(|| path.into());
    }
    let variable = |name| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The XDG specification has relative paths ignored.
    let folder = variable("XDG_STATE_HOME").filter(|p| p.is_absolute());
    let folder = folder.or_else(|| Some(variable("HOME")?.join(".local/state")))?;
    Some(folder.join("maze"))
}

/// Makes a folder and those it is in, for this person only.
///
/// # Errors
/// A sentence that names the folder.
pub fn create(folder: &Path) -> Result<(), String> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| format!("cannot make the folder {}: {e}", folder.display()))
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Lock {
    /// It is held until the file is dropped.
    Held(File),
    /// Another program holds it.
    Elsewhere,
    /// The file system has none, or the file cannot be made: whoever writes last wins, whole.
    Unknown,
}

/// Takes the lock of a folder, if it is free.
pub fn lock(folder: &Path) -> Lock {
    let Ok(file) = lock_file(folder) else { return Lock::Unknown };
    match file.try_lock() {
        Ok(()) => Lock::Held(file),
        Err(TryLockError::WouldBlock) => Lock::Elsewhere,
        Err(TryLockError::Error(_)) => Lock::Unknown,
    }
}

/// Takes the lock of a folder, and waits for it if another program has it: it writes a small file.
pub fn lock_and_wait(folder: &Path) -> Option<File> {
    let file = lock_file(folder).ok()?;
    file.lock().ok().map(|()| file)
}

fn lock_file(folder: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join("lock"))
}

/// Gives a file a second name, or makes a copy where that cannot be.
///
/// # Errors
/// A sentence that names the file.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::hard_link(from, to)
        .or_else(|_| std::fs::copy(from, to).map(drop))
        .map_err(|e| format!("cannot copy {}: {e}", from.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_where() {
        let env = |pairs: &'static [(&str, &str)]| {
            path(&move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(env(&[("MAZE_STATE", "/s"), ("HOME", "/h")]), Some("/s".into()));
        assert_eq!(env(&[("MAZE_STATE", ""), ("HOME", "/h")]), None);
        assert_eq!(env(&[("XDG_STATE_HOME", "/x"), ("HOME", "/h")]), Some("/x/maze".into()));
        assert_eq!(env(&[("XDG_STATE_HOME", "x"), ("HOME", "/h")]), Some("/h/.local/state/maze".into()));
        assert_eq!(env(&[]), None);
    }
}
