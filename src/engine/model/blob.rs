//! Bytes at an offset, from a file or from the binary itself.
//!
//! Model files are read piece by piece with plain reads: a file that shrinks while it is read is
//! an error here, where a memory map would end the process. Nothing here knows a format.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::engine::error::LoadError;

/// Bytes between two looks at whether to go on: a tenth of a second from a slow disk.
const BETWEEN_LOOKS: usize = 1 << 20;

/// Who is told how many bytes were read since the last call, and may stop the load.
pub type OnRead<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

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
    File(File),
}

impl Blob {
    /// Opens a file.
    ///
    /// # Errors
    /// [`LoadError::Read`] if it cannot be opened or is a folder.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let error = |source| LoadError::Read { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(error)?;
        if metadata.is_dir() {
            return Err(error(ErrorKind::IsADirectory.into()));
        }
        // Opening a pipe would wait for someone to write to it.
        if !metadata.is_file() {
            let message = "it is not a regular file".into();
            return Err(LoadError::Format { path: path.to_owned(), message });
        }
        let file = File::open(path).map_err(error)?;
        let len = file.metadata().map_err(error)?.len();
        Ok(Self { path: path.to_owned(), len, bytes: Bytes::File(file) })
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
        let end = self.end(offset, len)?;
        match &self.bytes {
            Bytes::Static(bytes) => Ok(Cow::Borrowed(&bytes[offset as usize..end as usize])),
            Bytes::File(_) => {
                let mut data = Vec::new();
                let go_on = &mut |_| ControlFlow::Continue(());
                self.pieces(offset, len, BETWEEN_LOOKS, go_on, &mut |piece| data.extend_from_slice(piece))?;
                Ok(Cow::Owned(data))
            }
        }
    }

    /// The same, `piece` bytes at a time, each handed to `sink`. `on_read` is asked after every
    /// megabyte.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`LoadError::Cancelled`].
    pub fn pieces(
        &self,
        offset: u64,
        len: u64,
        piece: usize,
        on_read: OnRead<'_>,
        sink: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), LoadError> {
        self.end(offset, len)?;
        let size = len.min(piece as u64) as usize;
        let mut buffer = Vec::new();
        buffer
            .try_reserve_exact(size)
            .map_err(|_| self.error(format!("there is no memory for the {len} bytes at {offset}")))?;
        buffer.resize(size, 0);
        let mut done = 0;
        while done < len {
            let piece = &mut buffer[..size.min((len - done) as usize)];
            for (i, part) in piece.chunks_mut(BETWEEN_LOOKS).enumerate() {
                self.fill(part, offset + done + (i * BETWEEN_LOOKS) as u64)?;
                if on_read(part.len() as u64).is_break() {
                    return Err(LoadError::Cancelled);
                }
            }
            done += piece.len() as u64;
            sink(piece);
        }
        Ok(())
    }

    /// Fills the buffer with what is at `offset`, which must be in the file.
    fn fill(&self, buffer: &mut [u8], offset: u64) -> Result<(), LoadError> {
        match &self.bytes {
            Bytes::Static(bytes) => buffer.copy_from_slice(&bytes[offset as usize..][..buffer.len()]),
            Bytes::File(file) => {
                file.read_exact_at(buffer, offset).map_err(|source| match source.kind() {
                    ErrorKind::UnexpectedEof => self.error(format!(
                        "truncated while it was read: it had {} bytes when it was opened",
                        self.len
                    )),
                    _ => LoadError::Read { path: self.path.clone(), source },
                })?;
            }
        }
        Ok(())
    }

    fn end(&self, offset: u64, len: u64) -> Result<u64, LoadError> {
        offset.checked_add(len).filter(|&end| end <= self.len).ok_or_else(|| {
            self.error(format!(
                "truncated: {len} bytes at {offset} are needed, the file has {} bytes",
                self.len
            ))
        })
    }

    /// Calls `f` with a buffered reader over the whole blob, from its beginning.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn stream<T>(&self, f: impl FnOnce(&mut dyn Read) -> Result<T, LoadError>) -> Result<T, LoadError> {
        match &self.bytes {
            Bytes::Static(bytes) => f(&mut &**bytes),
            Bytes::File(file) => f(&mut BufReader::with_capacity(1 << 16, FromStart { file, position: 0 })),
        }
    }
}

/// Reads a shared file from its beginning, without moving the place where others read.
struct FromStart<'a> {
    file: &'a File,
    position: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
