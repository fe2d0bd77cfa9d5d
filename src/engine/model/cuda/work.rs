//! Threads that are in the driver's compiler, for which the end of the process has to wait: the driver's libraries are
//! torn down then, under whoever is in them.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How many there are, and a call when one has ended.
static THREADS: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// One that is at work, until this is dropped.
pub struct Work(());

impl Work {
    /// Says that one begins.
    pub fn begin() -> Self {
        *THREADS.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        *THREADS.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        THREADS.1.notify_all();
    }
}

/// Waits until none is, or for so long. Says whether none is.
pub fn wait(most: Duration) -> bool {
    let count = THREADS.0.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = THREADS.1.wait_timeout_while(count, most, |count| *count > 0);
    *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_waits_for_who_is_at_work() {
        assert!(wait(Duration::ZERO));
        let (first, second) = (Work::begin(), Work::begin());
        assert!(!wait(Duration::from_millis(1)));
        drop(first);
        assert!(!wait(Duration::ZERO));
        let ends = std::thread::spawn(move || drop(second));
        assert!(wait(Duration::from_secs(60)));
        ends.join().unwrap();
    }
}
