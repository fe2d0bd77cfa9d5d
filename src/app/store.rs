//! What the playground keeps for the next start: asking for it to be saved, and what comes back.
//!
//! A change asks to be woken up a second later ([`Wake::Autosave`](super::event::Wake)); what has
//! changed until then is saved at once, by the thread for files. Nothing here touches a file.

use std::sync::Arc;

use crate::store::history::History;
use crate::store::journal::Piece;
use crate::store::session::SessionNote;
use crate::store::{Opened, Save};

use super::editor::EditorBuffer;
use super::state::Run;

pub mod recall;
pub mod settings;
pub mod snapshot;

use settings::Settings;

/// Something that the thread for files is asked to do with the store; it answers with an [`Answer`].
#[derive(Clone, Debug)]
pub enum Ask {
    /// Save what has changed.
    Save(Box<Save>),
    /// Write what is new in the run under way.
    Append(Box<Piece>),
    /// Read the history.
    History,
    /// Read a run of the session.
    Run(u32),
    /// List the sessions.
    List,
    /// Save, and open another session.
    Open(String, Box<Save>),
    /// Go on with everything in a new session.
    SaveAs(String, Box<Save>),
    /// Give the session another name.
    Rename(String),
    /// Delete another session.
    Delete(String),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These runs, among others, were written, or were not.
    Saved(Vec<u32>, Result<(), String>),
    /// What is new in this run was written, or was not.
    Appended(u32, Result<(), String>),
    /// The history, and what is wrong with its file.
    History(History, Option<String>),
    /// A run, or why there is none.
    Run(u32, Result<Box<Run>, String>),
    /// The sessions.
    Listed(Vec<SessionNote>),
    /// Another session is open.
    Opened(Box<Opened>),
    /// The session has this name now.
    Named(String),
    /// What was asked for could not be done.
    Failed(String),
}

/// What the state knows about the store.
#[derive(Clone, Debug, Default)]
pub struct Keeping {
    /// The name of the open session; `None` if nothing is kept.
    pub session: Option<String>,
    /// The sessions, as they were listed last.
    pub sessions: Vec<SessionNote>,
    /// The session that the person is asked about before it is deleted.
    pub deleting: Option<String>,
    /// The settings that the program was started with.
    pub started: Settings,
    /// Settings of the session that flags and the environment stand before.
    pub hidden: Settings,
    /// The model in use, as it was asked for.
    pub model: Option<String>,
    /// The model to load in place of one that the session names and that cannot be loaded.
    pub fallback: Option<crate::engine::ModelSpec>,
    /// Whether a wake for saving is on its way.
    is_asked: bool,
    /// What was saved last.
    saved: Option<snapshot::Stamp>,
    grammar: Cached,
    prompt: Cached,
    system: Cached,
    /// Whether the last attempt to save has failed: that is said once.
    has_failed: bool,
}

impl Keeping {
    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.session.is_some()
    }

    /// Whether a wake for saving is to be asked for.
    pub(super) fn ask(&mut self) -> bool {
        self.is_on() && !std::mem::replace(&mut self.is_asked, true)
    }

    /// What became of saving; what the person should know about it.
    pub(super) fn saved(&mut self, result: Result<(), String>) -> Option<String> {
        let had_failed = std::mem::replace(&mut self.has_failed, result.is_err());
        if result.is_err() {
            // The next change tries again with everything.
            self.saved = None;
        }
        result.err().filter(|_| !had_failed).map(|reason| format!("Nothing is saved: {reason}"))
    }
}

/// A text as it was taken last, so that a text that has not changed is not put together again.
#[derive(Clone, Debug, Default)]
struct Cached(Option<(u64, Arc<str>)>);

impl Cached {
    fn text(&mut self, buffer: &EditorBuffer) -> Arc<str> {
        match &self.0 {
            Some((revision, text)) if *revision == buffer.revision() => text.clone(),
            _ => {
                let text: Arc<str> = buffer.text().into();
                self.0 = Some((buffer.revision(), text.clone()));
                text
            }
        }
    }
}
