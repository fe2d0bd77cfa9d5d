//! An end to what a parser does, where llguidance may find none.
//!
//! 1.9.1 forces bytes for ever where a terminal that must follow matches only what is ignored. One thread
//! looks after all parsers, so that watching costs a lock and no thread. It must never touch a parser unless
//! its time is over.

use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{CancelMask, Constraint, ConstraintStop};
use crate::engine::trace::FinishReason;

/// The longest that one step may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Work under way.
struct Watched {
    number: u64,
    until: Instant,
    cancel: CancelMask,
}

#[derive(Default)]
struct UnderWay {
    /// Oldest first, and so in the order of their ends.
    work: Vec<Watched>,
    /// How much work there has been.
    count: u64,
    /// Whether the thread knows of no work, and waits until it is told.
    is_asleep: bool,
}

#[derive(Default)]
struct Watch {
    under_way: Mutex<UnderWay>,
    /// There is work, and the thread knew of none.
    has_work: Condvar,
}

static WATCH: LazyLock<Option<&'static Watch>> = LazyLock::new(|| {
    let watch: &'static Watch = Box::leak(Box::default());
    // Without a thread nothing is watched, and all is as it was.
    let thread = std::thread::Builder::new().name("maze-watch".into()).spawn(|| watch.look());
    thread.ok().map(|_| watch)
});

impl Watch {
    fn locked(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cancels what takes too long, for ever.
    fn look(&self) {
        let mut under_way = self.locked();
        loop {
            let now = Instant::now();
            under_way.work.retain(|work| {
                let is_late = work.until <= now;
                if is_late {
                    work.cancel.cancel();
                }
                !is_late
            });
            under_way.is_asleep = under_way.work.is_empty();
            under_way = match under_way.work.first().map(|work| work.until - now) {
                // What begins by then ends later, and so the thread need not be woken for it.
                Some(rest) => {
                    let woken = self.has_work.wait_timeout(under_way, rest);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.has_work.wait(under_way).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn begin(&self, cancel: CancelMask) -> u64 {
        let mut under_way = self.locked();
        under_way.count += 1;
        let number = under_way.count;
        under_way.work.push(Watched { number, until: Instant::now() + LIMIT, cancel });
        if under_way.is_asleep {
            self.has_work.notify_one();
        }
        number
    }

    /// Whether the work was still in its time.
    fn end(&self, number: u64) -> bool {
        let mut under_way = self.locked();
        let place = under_way.work.iter().position(|work| work.number == number);
        place.map(|place| under_way.work.remove(place)).is_some()
    }
}

impl Constraint {
    /// Runs `work`, and cancels the parser for good if that takes longer than two seconds.
    ///
    /// # Errors
    /// Those of `work`, and [`FinishReason::ParserLimit`] after the time.
    pub(super) fn within_limit<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, ConstraintStop>,
    ) -> Result<T, ConstraintStop> {
        let Some(watch) = *WATCH else { return work(self) };
        let number = watch.begin(self.canceller());
        let result = work(self);
        if watch.end(number) {
            return result;
        }
        let message = format!("a step takes longer than the limit of {} s", LIMIT.as_secs());
        Err(ConstraintStop { reason: FinishReason::ParserLimit, message })
    }
}
