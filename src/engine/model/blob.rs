//! Bytes at an offset, from a file or from the binary itself.
//!
//! Model files are read piece by piece with plain reads: a file that shrinks while it is read is
//! an error here, where a memory map would end the process. Nothing here knows a format.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::engine::error::LoadError;

/// A file or an embedded slice, with the name it has in messages.
#[derive(Debug)]
pub struct Blob {
    path: PathBuf,
    len: u64,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Static(&'static [u8]),
    File(Mutex<File>),
}

impl Blob {
    /// Opens a file.
    ///
    /// # Errors
    /// [`LoadError::Read`] if it cannot be opened or is a folder.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let error = |source| LoadError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(error)?;
        let metadata = file.metadata().map_err(error)?;
        if metadata.is_dir() {
            return Err(error(std::io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self { path: path.to_owned(), len: metadata.len(), bytes: Bytes::File(Mutex::new(file)) })
    }

    /// Wraps bytes that are part of the program.
    pub fn embedded(name: &str, bytes: &'static [u8]) -> Self {
        Self { path: PathBuf::from(name), len: bytes.len() as u64, bytes: Bytes::Static(bytes) }
    }

    /// The name for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes, as it was when the blob was opened.
    pub fn size(&self) -> u64 {
        self.len
    }

    /// An error about this file's content.
    pub fn error(&self, message: impl Into<String>) -> LoadError {
        LoadError::Format { path: self.path.clone(), message: message.into() }
    }

    /// The `len` bytes from `offset` on.
    ///
    /// # Errors
    /// [`LoadError::Format`] if they lie outside of the file, [`LoadError::Read`] if the system
    /// does not deliver them.
    pub fn read(&self, offset: u64, len: u64) -> Result<Cow<'_, [u8]>, LoadError> {
        let end = offset.checked_add(len).filter(|&end| end <= self.len).ok_or_else(|| {
            self.error(format!(
                "truncated: {len} bytes at {offset} are needed, the file has {} bytes",
                self.len
            ))
        })?;
        match &self.bytes {
            Bytes::Static(bytes) => Ok(Cow::Borrowed(&bytes[offset as usize..end as usize])),
            Bytes::File(file) => {
                let mut data = vec![0; len as usize];
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                file.seek(SeekFrom::Start(offset))
                    .and_then(|_| file.read_exact(&mut data))
                    .map_err(|source| LoadError::Read { path: self.path.clone(), source })?;
                Ok(Cow::Owned(data))
            }
        }
    }

    /// Calls `f` with a buffered reader over the whole blob, from its beginning.
    ///
    /// # Errors
    /// Those of `f`, and [`LoadError::Read`].
    pub fn stream<T>(&self, f: impl FnOnce(&mut dyn Read) -> Result<T, LoadError>) -> Result<T, LoadError> {
        match &self.bytes {
            Bytes::Static(bytes) => f(&mut &**bytes),
            Bytes::File(file) => {
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                file.rewind().map_err(|source| LoadError::Read { path: self.path.clone(), source })?;
                f(&mut BufReader::with_capacity(1 << 16, &mut *file))
            }
        }
    }
}
