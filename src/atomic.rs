//! Files that appear whole or not at all.
//!
//! What is written goes to a temporary file beside the target, which takes the target's name once
//! everything is on the disk. Whatever happens before, the old file stays as it was.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file that is being written. Dropped without [`commit`](Self::commit), it leaves nothing.
pub struct AtomicFile {
    target: PathBuf,
    temporary: io::BufWriter<tempfile::NamedTempFile>,
}

impl AtomicFile {
    /// Begins a file at `path`; a link there is followed, so that it stays one.
    ///
    /// # Errors
    /// If no file can be made in that folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // As readable as any new file; the process's umask takes its share.
        let permissions = Permissions::from_mode(0o666);
        let temporary = tempfile::Builder::new().permissions(permissions).tempfile_in(folder)?;
        Ok(Self { temporary: io::BufWriter::new(temporary), target })
    }

    /// Gives it other permissions than a new file has.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn permissions(&mut self, permissions: Permissions) -> io::Result<()> {
        self.temporary.get_ref().as_file().set_permissions(permissions)
    }

    /// Lets it take its name.
    ///
    /// # Errors
    /// If the disk is full, or the name cannot be taken; the old file is as before.
    pub fn commit(self) -> io::Result<()> {
        let temporary = self.temporary.into_inner().map_err(io::IntoInnerError::into_error)?;
        temporary.as_file().sync_all()?;
        temporary.persist(self.target).map(drop).map_err(io::Error::from)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}
