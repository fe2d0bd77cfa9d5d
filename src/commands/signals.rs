//! Ctrl-C and the polite kinds of kill, turned into a cancel.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::engine::Canceller;
use crate::engine::model::cuda::work;

/// Which signal came, and the run that it stops.
#[derive(Clone, Default)]
pub struct Signals {
    number: Arc<AtomicU8>,
    run: Arc<Mutex<Option<Canceller>>>,
    /// Whether there is nothing that has to end in order.
    at_once: Arc<AtomicBool>,
}

/// Whether a signal has come.
static HAS_COME: AtomicBool = AtomicBool::new(false);

/// Whether a signal has come that somebody listens for.
pub(super) fn has_come() -> bool {
    HAS_COME.load(Ordering::SeqCst)
}

impl Signals {
    /// Listens, on a thread of its own, until the process ends. A second signal ends it at once.
    ///
    /// # Errors
    /// If the system gives no thread or no handler.
    pub(super) fn listen() -> Result<Self, Failure> {
        Self::start().map_err(|e| Failure::Run(format!("cannot listen for signals: {e}")))
    }

    fn start() -> std::io::Result<Self> {
        let signals = Self::default();
        let seen = signals.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupt, mut terminate) = {
            let _context = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        std::thread::Builder::new().name("maze-signals".into()).spawn(move || {
            runtime.block_on(async {
                loop {
                    let number = tokio::select! {
                        _ = interrupt.recv() => SignalKind::interrupt(),
                        _ = terminate.recv() => SignalKind::terminate(),
                    };
                    seen.arrived(number.as_raw_value());
                }
            });
        })?;
        Ok(signals)
    }

    /// The exit code that the shell expects, if a signal came.
    pub fn exit_code(&self) -> Option<u8> {
        match self.number.load(Ordering::SeqCst) {
            0 => None,
            number => Some(128 + number),
        }
    }

    /// From now on a signal cancels this run; one that came before does so at once.
    pub fn cancels(&self, run: &Canceller) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
        if self.exit_code().is_some() {
            run.cancel();
        }
    }

    /// From now on a signal ends the process at once; one that came before does so now.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::SeqCst);
        if let Some(code) = self.exit_code() {
            work::leave(i32::from(code));
        }
    }

    fn arrived(&self, number: i32) {
        let number = u8::try_from(number).unwrap_or(1);
        HAS_COME.store(true, Ordering::SeqCst);
        if self.number.swap(number, Ordering::SeqCst) != 0 || self.at_once.load(Ordering::SeqCst) {
            work::leave(i32::from(128 + number));
        }
        if let Some(run) = &*self.run.lock().unwrap_or_else(PoisonError::into_inner) {
            run.cancel();
        }
    }
}
