//! A terminal that is closed under the program: its window is gone, or the connection to it.
//!
//! The system tells by a signal, but only the jobs of that terminal; a program in a session of its own
//! hears nothing. What reads keys never comes back then: an end of input is no key to it. So a thread
//! waits for the closing alone. It must never read: the keys are not its own.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::Notify;

use crate::engine::model::cuda::work;

/// The exit code of a program whose terminal was closed: 128 and the number of SIGHUP.
pub const CODE: u8 = 129;

/// So long the loop has to notice, should it be where it cannot; then the program ends without it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits for the terminal to be closed.
#[derive(Clone, Default)]
pub struct Hangup {
    closed: Arc<Notify>,
    is_noticed: Arc<AtomicBool>,
}

impl Hangup {
    /// Starts to wait, on a thread of its own.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn watch() -> io::Result<Self> {
        let hangup = Self::default();
        let told = hangup.clone();
        std::thread::Builder::new().name("maze-hangup".into()).spawn(move || {
            if waits_until_closed() {
                told.closed.notify_one();
                std::thread::sleep(PATIENCE);
                if !told.is_noticed.load(Ordering::SeqCst) {
                    work::leave(i32::from(CODE));
                }
            }
        })?;
        Ok(hangup)
    }

    /// Returns once the terminal is closed.
    pub async fn happened(&self) {
        self.closed.notified().await;
    }

    /// The program ends in order: nobody needs to end it.
    pub fn notice(&self) {
        self.is_noticed.store(true, Ordering::SeqCst);
    }
}

/// Whether the terminal is closed.
pub fn is_closed() -> bool {
    asked(PollTimeout::ZERO) == Ok(true)
}

/// Returns whether the terminal was closed; at once if this system cannot tell.
fn waits_until_closed() -> bool {
    loop {
        match asked(PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            answer => return answer == Ok(true),
        }
    }
}

fn asked(timeout: PollTimeout) -> nix::Result<bool> {
    let stdin = io::stdin();
    // A closed terminal is told of without being asked for, keys are not.
    let mut asked = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
    poll(&mut asked, timeout)?;
    Ok(asked[0].revents().is_some_and(|told| told.contains(PollFlags::POLLHUP)))
}
