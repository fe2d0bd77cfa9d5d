//! Work that may take too long: on a thread of its own, with a stack that is deep enough and a time
//! limit.
//!
//! Late work cannot be stopped. It goes on until it ends by itself, its result is dropped, and while
//! too much of it goes on nothing new begins. What the work is must never matter here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How much work past its time limit may go on before new work is refused.
const MAX_LATE: usize = 2;

/// A time limit, and what goes on past it.
#[derive(Clone, Debug)]
pub(super) struct Bounded {
    pub limit: Duration,
    late: Arc<AtomicUsize>,
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// Earlier work is late and still goes on.
    Busy,
    /// There is no thread to work on.
    NoThread(std::io::Error),
    /// The time limit has passed.
    Late,
    /// The work failed without a word.
    Died,
}

impl Bounded {
    pub fn new(limit: Duration) -> Self {
        Self { limit, late: Arc::default() }
    }

    /// Does the work with `stack` bytes of stack, which cost nothing where they are not touched.
    pub fn run<T: Send + 'static>(
        &self,
        name: &str,
        stack: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        if self.late.load(Ordering::Relaxed) >= MAX_LATE {
            return Err(Unfinished::Busy);
        }
        // Without a buffer, the result is either taken or known not to be.
        let (sender, receiver) = mpsc::sync_channel(0);
        let late = Arc::clone(&self.late);
        let work = move || {
            let result = catch_unwind(AssertUnwindSafe(work));
            if sender.send(result).is_err() {
                late.fetch_sub(1, Ordering::Relaxed);
            }
        };
        let thread = std::thread::Builder::new().name(name.into()).stack_size(stack).spawn(work);
        thread.map_err(Unfinished::NoThread)?;
        match receiver.recv_timeout(self.limit) {
            Ok(result) => result.map_err(|_| Unfinished::Died),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(Unfinished::Died),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // Counted before the work can find that nobody waits for it.
                self.late.fetch_add(1, Ordering::Relaxed);
                drop(receiver);
                Err(Unfinished::Late)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_work_is_left_alone_and_refused_when_there_is_much() {
        let bounded = Bounded::new(Duration::from_millis(10));
        let (go, gate) = mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        for _ in 0..MAX_LATE {
            let gate = Arc::clone(&gate);
            let wait = move || gate.lock().map(|gate| gate.recv().is_ok()).unwrap_or(false);
            assert!(matches!(bounded.run("slow", 1 << 16, wait), Err(Unfinished::Late)));
        }
        assert!(matches!(bounded.run("quick", 1 << 16, || ()), Err(Unfinished::Busy)));
        drop(go);
        while matches!(bounded.run("quick", 1 << 16, || ()), Err(Unfinished::Busy)) {
            std::thread::yield_now();
        }
        assert_eq!(Bounded::new(Duration::MAX).run("sum", 1 << 16, || 1 + 1).unwrap(), 2);
    }

    #[test]
    fn work_that_panics_is_said_to_have_failed() {
        let died = Bounded::new(Duration::from_secs(60)).run("panic", 1 << 16, || panic!("on purpose"));
        assert!(matches!(died, Err(Unfinished::Died)));
    }
}
