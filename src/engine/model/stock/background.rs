//! Long work on a thread of its own, so that its progress can be watched and the wait be ended.
//!
//! candle builds a model in one call, which knows neither progress nor cancelling. Whoever waits
//! here is told of the bytes done every few milliseconds and leaves at once when it wants to; the
//! thread ends with the next tensor it asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::engine::error::LoadError;
use crate::engine::load::{OnProgress, Progress, Stage};

/// How often progress is told. Well below the 200 ms in which a cancel must be noticed.
const PERIOD: Duration = Duration::from_millis(40);

/// What the work tells and is told.
#[derive(Clone, Debug, Default)]
pub struct Ticket {
    done: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

impl Ticket {
    /// Adds bytes done.
    pub fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether nobody waits for the work any more.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Runs `work`, which has `total` bytes to do.
///
/// # Errors
/// Those of `work`, and [`LoadError::Cancelled`] as soon as `progress` breaks.
pub fn run<T: Send + 'static>(
    total: u64,
    progress: OnProgress<'_>,
    work: impl FnOnce(Ticket) -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    let ticket = Ticket::default();
    let (send, receive) = mpsc::sync_channel(1);
    let theirs = ticket.clone();
    std::thread::Builder::new()
        .name("load".into())
        .spawn(move || {
            let result = work(theirs);
            // Nobody listens after a cancel.
            let _ = send.send(result);
        })
        .map_err(|e| LoadError::Device(format!("no thread to load with: {e}")))?;
    let mut tell = |done: u64| {
        if progress(Progress { stage: Stage::Weights, done: done.min(total), total }).is_break() {
            ticket.cancelled.store(true, Ordering::Relaxed);
            return Err(LoadError::Cancelled);
        }
        Ok(())
    };
    tell(0)?;
    loop {
        match receive.recv_timeout(PERIOD) {
            Ok(result) => {
                let result = result?;
                tell(total)?;
                return Ok(result);
            }
            Err(RecvTimeoutError::Timeout) => tell(ticket.done.load(Ordering::Relaxed))?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(LoadError::Device("the thread that loads the model panicked".into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    /// The work here ends only after the caller was let go, so a caller that waited would hang.
    #[test]
    fn who_cancels_does_not_wait_for_the_work() {
        let (let_go, wait) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let mut calls = 0;
        let mut progress = |p: Progress| {
            calls += 1;
            assert_eq!(p.total, 10);
            if calls < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let result = run(10, &mut progress, move |ticket| {
            ticket.add(4);
            assert!(wait.recv().is_ok() && tell.send(ticket.is_cancelled()).is_ok());
            Ok(())
        });
        assert!(matches!(result, Err(LoadError::Cancelled)));
        assert!(let_go.send(()).is_ok());
        assert_eq!(told.recv(), Ok(true));
    }

    #[test]
    fn work_that_panics_is_an_error() {
        let result: Result<(), _> = run(1, &mut |_| ControlFlow::Continue(()), |_| {
            std::panic::resume_unwind(Box::new("no text is printed"))
        });
        assert!(matches!(result, Err(LoadError::Device(text)) if text.contains("panicked")));
    }
}
