//! Threads that are in the driver's compiler, for which the end of the process has to wait: the driver's libraries are
//! torn down then, under whoever is in them.
//!
//! A program that has loaded a model onto a GPU ends with [`wait`] or [`leave`].

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// All that there are.
static THREADS: Threads = Threads { count: Mutex::new(0), fewer: Condvar::new() };

struct Threads {
    count: Mutex<usize>,
    /// Called when one has ended.
    fewer: Condvar,
}

impl Threads {
    fn begin(&'static self) -> Work {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Work(self)
    }

    fn wait(&self, most: Duration) -> bool {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.fewer.wait_timeout_while(count, most, |count| *count > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

/// One that is at work, until this is dropped.
pub struct Work(&'static Threads);

impl Work {
    /// Says that one begins.
    pub fn begin() -> Self {
        THREADS.begin()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.fewer.notify_all();
    }
}

/// Waits until none is at work, or for so long. Says whether none is.
pub fn wait(most: Duration) -> bool {
    THREADS.wait(most)
}

/// Ends the process without waiting, and without tearing anything down under who is at work.
pub fn leave(code: i32) -> ! {
    #[cfg(feature = "cuda")]
    if !wait(Duration::ZERO) {
        // SAFETY: it ends the process, and calls nothing that CUDA's libraries have asked to be called then.
        unsafe { nix::libc::_exit(code) }
    }
    std::process::exit(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_waits_for_who_is_at_work() {
        static SOME: Threads = Threads { count: Mutex::new(0), fewer: Condvar::new() };
        assert!(SOME.wait(Duration::ZERO));
        let (first, second) = (SOME.begin(), SOME.begin());
        assert!(!SOME.wait(Duration::from_millis(1)));
        drop(first);
        assert!(!SOME.wait(Duration::ZERO));
        let ends = std::thread::spawn(move || drop(second));
        assert!(SOME.wait(Duration::from_secs(60)));
        ends.join().unwrap();
    }
}
