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
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread::available_parallelism;
use std::time::Duration;

use rayon::prelude::*;

use crate::engine::error::LoadError;

/// Bytes between two looks at whether to go on: a tenth of a second from a slow disk.
const BETWEEN_LOOKS: usize = 1 << 20;

/// Most threads that read ahead. More get no more out of a disk or out of main memory.
const READERS: usize = 8;

/// Bytes that one of several threads reads into a caller's memory at a time.
const SHARE: usize = 256 << 10;

/// How often a caller is asked whether to go on while nothing comes.
const PATIENCE: Duration = Duration::from_millis(50);

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

    /// The same, `piece` bytes at a time, each handed to `sink` in order. `on_read` is asked after every
    /// megabyte. Where there are processors to spare, others read what comes next meanwhile.
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
        let readers = (available_parallelism().map_or(1, usize::from) / 2).min(READERS);
        if readers > 1 && matches!(self.bytes, Bytes::File(_)) && len > (2 * readers * piece) as u64 {
            return self.pieces_ahead((offset, len), piece, readers, on_read, sink);
        }
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

    /// The pieces from so many threads, which take turns.
    fn pieces_ahead(
        &self,
        (offset, len): (u64, u64),
        piece: usize,
        readers: usize,
        on_read: OnRead<'_>,
        sink: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), LoadError> {
        let count = len.div_ceil(piece as u64);
        let size = |n: u64| (len - n * piece as u64).min(piece as u64) as usize;
        let read = |n: u64, mut buffer: Vec<u8>| {
            buffer.resize(size(n), 0);
            self.fill(&mut buffer, offset + n * piece as u64).map(|()| buffer)
        };
        let work = |first: u64, full: &SyncSender<_>, empty: &Receiver<Vec<u8>>| {
            for n in (first..count).step_by(readers) {
                let outcome = read(n, empty.try_recv().unwrap_or_default());
                let failed = outcome.is_err();
                // Nobody is there to take it if the load was given up.
                if full.send(outcome).is_err() || failed {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            let mut hands = Vec::new();
            for first in 0..readers as u64 {
                let (full, filled) = sync_channel(1);
                let (empty, emptied) = channel();
                scope.spawn(move || work(first, &full, &emptied));
                hands.push((filled, empty));
            }
            for (n, (filled, empty)) in (0..count).zip(hands.iter().cycle()) {
                let mut buffer = loop {
                    match filled.recv_timeout(PATIENCE) {
                        Ok(outcome) => break outcome?,
                        Err(RecvTimeoutError::Timeout) if on_read(0).is_continue() => {}
                        Err(_) => return Err(LoadError::Cancelled),
                    }
                };
                if on_read(size(n) as u64).is_break() {
                    return Err(LoadError::Cancelled);
                }
                sink(&mut buffer);
                // A reader that has read all its pieces needs no buffer.
                empty.send(buffer).ok();
            }
            Ok(())
        })
    }

    /// Reads what is at `offset` into memory of the caller, all of it, with several threads if it is long: where the
    /// system has it in its own memory already, copying is all that there is to do.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_into(&self, memory: &mut [u8], offset: u64) -> Result<(), LoadError> {
        self.end(offset, memory.len() as u64)?;
        let parts = memory.par_chunks_mut(SHARE).enumerate();
        parts.try_for_each(|(n, part)| self.fill(part, offset + (n * SHARE) as u64))
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A file of so many bytes, none like its neighbours.
    fn file(len: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
        let bytes: Vec<u8> = (0..len).map(|i| (i * 31 % 251) as u8).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        (file, bytes)
    }

    #[test]
    fn pieces_that_others_read_come_in_order() {
        let (file, bytes) = file(10_007);
        let blob = Blob::open(file.path()).unwrap();
        for (readers, piece) in [(2, 1000), (8, 17), (3, 20_000)] {
            let (mut read, mut told) = (Vec::new(), 0);
            let on_read = &mut |count| {
                told += count;
                ControlFlow::Continue(())
            };
            let sink = &mut |piece: &mut [u8]| read.extend_from_slice(piece);
            blob.pieces_ahead((7, 10_000), piece, readers, on_read, sink).unwrap();
            assert!(read == bytes[7..], "{readers} readers, pieces of {piece}");
            assert_eq!(told, 10_000);
        }
    }

    #[test]
    fn memory_is_filled_by_several_threads() {
        let (file, bytes) = file(3 * SHARE + 77);
        let blob = Blob::open(file.path()).unwrap();
        let mut memory = vec![0; 3 * SHARE + 70];
        blob.read_into(&mut memory, 7).unwrap();
        assert!(memory == bytes[7..]);
        let past = blob.read_into(&mut memory, 8).unwrap_err().to_string();
        assert!(past.contains("truncated"), "{past}");
        file.as_file().set_len(2 * SHARE as u64).unwrap();
        let short = blob.read_into(&mut memory, 7).unwrap_err().to_string();
        assert!(short.contains("truncated while it was read"), "{short}");
    }

    #[test]
    fn reading_ahead_can_be_given_up_and_tells_of_a_file_that_shrinks() {
        let (file, _) = file(10_000);
        let blob = Blob::open(file.path()).unwrap();
        let mut pieces = 0;
        let stopped =
            blob.pieces_ahead((0, 10_000), 100, 4, &mut |_| ControlFlow::Break(()), &mut |_| pieces += 1);
        assert!(matches!(stopped, Err(LoadError::Cancelled)));
        assert_eq!(pieces, 0);
        file.as_file().set_len(5_000).unwrap();
        let go_on = &mut |_| ControlFlow::Continue(());
        let short = blob.pieces_ahead((0, 10_000), 100, 4, go_on, &mut |_| pieces += 1).unwrap_err();
        assert!(short.to_string().contains("truncated while it was read"), "{short}");
        assert_eq!(pieces, 50);
    }
}
