//! The start of the program: opens the store, and puts what it holds into the state before the first
//! frame is drawn. Runs and the history, which are larger, come after it.

use std::path::PathBuf;

use crate::engine::ModelSpec;
use crate::store::Store;

use super::state::State;
use super::store::recall::{self, Explicit};
use super::store::settings;
use super::tour::Tour;

/// What is kept, and what of it does not count this time.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// The folder of the store; nothing is read or written without one.
    pub folder: Option<PathBuf>,
    /// The session to open, in place of the last one.
    pub session: Option<String>,
    /// What was said for this start.
    pub explicit: Explicit,
}

/// Opens the store and recalls the session; `model` becomes the one that it names. Without a store the
/// program goes on all the same.
pub fn open(state: &mut State, keep: Keep, model: &mut ModelSpec) -> Option<Store> {
    state.store.started = settings::started(state, &model.to_string());
    state.store.model = Some(model.to_string());
    let (mut store, opened) = match Store::open(keep.folder?, keep.session.as_deref()) {
        Ok(opened) => opened,
        Err(reason) => {
            state.warn(format!("Nothing is kept for the next start: {reason}"));
            return None;
        }
    };
    let (looks, note) = store.looks();
    recall::looks(state, &looks, &keep.explicit);
    if state.tour == Tour::Ahead {
        state.tour = Tour::begin();
    }
    if let Some(session) = &opened.session {
        recall::session(state, session, Some(&keep.explicit));
    }
    let named = state.store.model.as_ref().and_then(|named| named.parse::<ModelSpec>().ok());
    if let Some(named) = named.filter(|named| named != model) {
        state.store.fallback = Some(std::mem::replace(model, named));
    }
    opened.notes.into_iter().chain(note).for_each(|note| state.warn(note));
    state.store.session = Some(opened.name);
    Some(store)
}
