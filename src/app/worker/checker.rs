//! The thread that checks grammars. Only the latest text matters: one that is replaced before its
//! turn is never checked.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::Sender;

use crate::app::event::{Checked, Event, ModelEvent};
use crate::engine::Vocabulary;
use crate::engine::grammar::{Compiler, GrammarSource};

/// Where the latest text waits.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    vocabulary: Option<Arc<Vocabulary>>,
    source: Option<(u64, GrammarSource)>,
    is_closed: bool,
}

impl Inbox {
    /// Puts a text in, in place of one that still waits.
    pub(super) fn put(&self, revision: u64, source: GrammarSource) {
        self.lock().source = Some((revision, source));
        self.changed.notify_one();
    }

    /// Says which tokens grammars are checked for. Texts wait until then.
    pub(super) fn use_vocabulary(&self, vocabulary: Arc<Vocabulary>) {
        self.lock().vocabulary = Some(vocabulary);
        self.changed.notify_one();
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits until `ready` finds something; `None` when the inbox is closed.
    fn wait<T>(&self, mut ready: impl FnMut(&mut Waiting) -> Option<T>) -> Option<T> {
        let mut waiting = self.lock();
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(found) = ready(&mut waiting) {
                return Some(found);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread.
///
/// # Errors
/// If the system gives none.
pub(super) fn start(inbox: Arc<Inbox>, events: Sender<Event>) -> io::Result<()> {
    super::spawn("maze-grammar", events.clone(), move || check_all(&inbox, &events))
}

fn check_all(inbox: &Inbox, events: &Sender<Event>) {
    let Some(vocabulary) = inbox.wait(|w| w.vocabulary.take()) else { return };
    let compiler = match Compiler::new(&vocabulary) {
        Ok(compiler) => compiler,
        Err(reason) => {
            let message = format!("grammars cannot be used with this model: {reason}");
            let _ = events.blocking_send(Event::Model(ModelEvent::Failed(message)));
            return;
        }
    };
    while let Some((revision, source)) = inbox.wait(|w| w.source.take()) {
        let (compiled, diagnostics) = compiler.compile(&source);
        let checked = Checked { compiled: compiled.map(Arc::new), diagnostics };
        if events.blocking_send(Event::Checked(revision, checked)).is_err() {
            return;
        }
    }
}
