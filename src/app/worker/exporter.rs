//! What the thread for files does for a run: writes it, whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use tokio::sync::mpsc::Sender;

use crate::app::event::Event;
use crate::app::export::{Job, Told};
use crate::atomic::AtomicFile;
use crate::engine::export;
use crate::ui::palette::palette;

use super::disk::{absolute, reason, short};

/// Does it, and tells what came of it.
pub(super) fn perform(job: Job, events: &Sender<Event>) {
    // Nobody is there any more.
    let _ = events.blocking_send(Event::Exported(write(job)));
}

fn write(job: Job) -> Told {
    let path = absolute(&job.path);
    let name = short(&path);
    let failed = |reason: String| format!("cannot write {name}: {reason}");
    match std::fs::metadata(&path) {
        Ok(about) if !about.is_file() => {
            let what = if about.is_dir() { "it is a folder" } else { "it is no file" };
            return Told::Failed(job.format, job.path, failed(what.into()));
        }
        Ok(_) if !job.replaces => return Told::Exists(job.format, job.path),
        _ => {}
    }
    match written(&job, &path) {
        Ok(bytes) => Told::Written(name, bytes),
        Err(e) => {
            let is_lost = path.parent().is_some_and(|folder| !folder.exists());
            let reason = if is_lost { "there is no such folder".into() } else { reason(&e) };
            Told::Failed(job.format, job.path, failed(reason))
        }
    }
}

fn written(job: &Job, path: &Path) -> io::Result<u64> {
    let mut file = Counted { file: AtomicFile::create(path)?, bytes: 0 };
    export::write(&mut file, job.format, &job.trace, job.vocabulary.as_deref(), &palette())?;
    file.file.commit()?;
    Ok(file.bytes)
}

/// A file and how much has been written to it.
struct Counted {
    file: AtomicFile,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::export::Format;
    use crate::engine::trace::{Request, Trace};

    #[test]
    fn a_file_is_replaced_only_if_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        let job = |path: &Path, replaces| Job {
            format: Format::Json,
            path: path.to_owned(),
            replaces,
            trace: Trace::new(Request::default(), Default::default()),
            vocabulary: None,
        };
        let Told::Written(name, bytes) = write(job(&path, false)) else { panic!("not written") };
        assert!(name.ends_with("run.json"), "{name}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
        std::fs::write(&path, "mine").unwrap();
        assert_eq!(write(job(&path, false)), Told::Exists(Format::Json, path.clone()));
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        assert!(matches!(write(job(&path, true)), Told::Written(..)));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
        for (path, reason) in
            [(folder.path().join("no/x.json"), "no such folder"), (folder.path().into(), "it is a folder")]
        {
            let Told::Failed(_, _, said) = write(job(&path, true)) else { panic!("written") };
            assert!(said.contains(reason), "{said}");
        }
    }
}
