//! An end to what a parser does, where llguidance may find none.
//!
//! 1.9.1 forces bytes for ever where a terminal that must follow matches only what is ignored. It must never
//! touch the parser unless its time is over.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::{Constraint, ConstraintStop};
use crate::engine::trace::FinishReason;

/// The longest that one step may take.
const LIMIT: Duration = Duration::from_secs(2);

impl Constraint {
    /// Runs `work`, and cancels the parser for good if that takes longer than two seconds.
    ///
    /// # Errors
    /// Those of `work`, and [`FinishReason::ParserLimit`] after the time.
    pub(in crate::engine) fn within_limit<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, ConstraintStop>,
    ) -> Result<T, ConstraintStop> {
        let cancel = self.canceller();
        let (done, waits) = sync_channel::<()>(0);
        // Without a thread nothing is watched, and all is as it was.
        let watch = std::thread::Builder::new().name("maze-watch".into()).spawn(move || {
            let is_late = waits.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
            if is_late {
                cancel.cancel();
            }
            is_late
        });
        let result = work(self);
        drop(done);
        let is_late = watch.is_ok_and(|thread| thread.join().unwrap_or(false));
        if is_late {
            let message = format!("a step takes longer than the limit of {} s", LIMIT.as_secs());
            return Err(ConstraintStop { reason: FinishReason::ParserLimit, message });
        }
        result
    }
}
