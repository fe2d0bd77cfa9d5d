//! A thread that computes masks, so that they are ready when the forward pass is.
//!
//! The constraint moves to the thread and back: exactly one side owns it at any time, and no lock
//! is needed. This file must never decide anything; it only moves work in time.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use super::constraint::{Constraint, ConstraintStop, Mask};

/// What came of one mask computation.
pub struct Computed {
    /// The constraint, given back.
    pub constraint: Box<Constraint>,
    /// The mask, or why there is none.
    pub mask: Result<Mask, ConstraintStop>,
    /// How long the computation took.
    pub took: Duration,
}

/// The thread, which ends when this is dropped.
pub struct MaskWorker {
    jobs: SyncSender<Box<Constraint>>,
    results: Receiver<Computed>,
}

impl MaskWorker {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn spawn() -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel::<Box<Constraint>>(1);
        let (outbox, results) = sync_channel(1);
        std::thread::Builder::new().name("maze-mask".into()).spawn(move || {
            while let Ok(constraint) = inbox.recv() {
                if outbox.send(compute(constraint)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { jobs, results })
    }

    /// Starts `work` on this thread while the mask that follows `constraint` is computed on the
    /// other. The work may go on elsewhere: `is_done` says whether it has ended, and is asked until
    /// either has. Returns what came of both, and how long the mask took after the end of the work.
    /// `None` in place of the mask if the other thread died, the constraint with it.
    pub fn overlap<T>(
        &self,
        constraint: Box<Constraint>,
        work: impl FnOnce() -> T,
        mut is_done: impl FnMut(&mut T) -> bool,
    ) -> (T, Option<Computed>, Duration) {
        let given = self.jobs.send(constraint);
        let mut value = work();
        if given.is_err() {
            return (value, None, Duration::ZERO);
        }
        while !is_done(&mut value) {
            match self.results.try_recv() {
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
                outcome => return (value, outcome.ok(), Duration::ZERO),
            }
        }
        let clock = Instant::now();
        let computed = self.results.recv().ok();
        (value, computed, clock.elapsed())
    }
}

fn compute(mut constraint: Box<Constraint>) -> Computed {
    let clock = Instant::now();
    let mask = constraint.mask();
    Computed { constraint, mask, took: clock.elapsed() }
}
