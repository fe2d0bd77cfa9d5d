//! The signals that concern the terminal: those that end the program, Ctrl-Z of another program, and
//! waking up after it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that concern the terminal.
pub struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    stop: Signal,
    go_on: Signal,
}

/// What a signal asks for.
pub enum Caught {
    /// Leave with this exit code: 128 and the signal's number.
    End(u8),
    /// Stop the whole job.
    Suspend,
    /// Go on after a stop.
    Resume,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system gives no handler.
    pub fn new() -> io::Result<Self> {
        let raw = |signal: nix::sys::signal::Signal| SignalKind::from_raw(signal as i32);
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(raw(nix::sys::signal::Signal::SIGTSTP))?,
            go_on: signal(raw(nix::sys::signal::Signal::SIGCONT))?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Caught {
        tokio::select! {
            _ = self.terminate.recv() => Caught::End(143),
            _ = self.hangup.recv() => Caught::End(129),
            _ = self.interrupt.recv() => Caught::End(130),
            _ = self.stop.recv() => Caught::Suspend,
            _ = self.go_on.recv() => Caught::Resume,
        }
    }
}
