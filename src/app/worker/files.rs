//! The thread that reads and writes files: one after the other, in the order that they were asked for,
//! so that a slow disk holds neither the screen nor the engine.

use std::io;
use std::sync::mpsc::{Sender as Queue, channel};
use std::thread::JoinHandle;

use tokio::sync::mpsc::Sender;

use crate::app::event::Event;

/// Something to be done with files; it tells what came of it, if anybody should know.
pub type Job = Box<dyn FnOnce(&Sender<Event>) + Send>;

/// The thread, as the worker sees it. Dropping it waits until everything asked for is done.
pub struct Files {
    jobs: Option<Queue<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Files {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start(events: Sender<Event>) -> io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let work = move || {
            while let Ok(job) = inbox.recv() {
                job(&events);
            }
        };
        let thread = std::thread::Builder::new().name("maze-files".into()).spawn(work)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does something, after everything that was asked for before.
    pub fn later(&self, job: impl FnOnce(&Sender<Event>) + Send + 'static) {
        if let Some(jobs) = &self.jobs {
            // A thread that has ended had nobody to tell.
            let _ = jobs.send(Box::new(job));
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
