//! What the thread for files does with the store. Whoever asks does not wait for it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::app::event::Event;
use crate::app::runs;
use crate::app::state::Run;
use crate::app::store::{Answer, Ask};
use crate::store::{Save, Store};

use super::files::Files;

/// Does what was asked for, after everything that was asked for before.
pub(super) fn perform(files: &Files, store: &Arc<Mutex<Store>>, ask: Ask) {
    let store = store.clone();
    files.later(move |events| {
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        for answer in answers(&mut store, ask) {
            // At the end of the program there is nobody to tell.
            let _ = events.blocking_send(Event::Store(answer));
        }
    });
}

/// Does what was asked for, and says what came of it.
pub fn answers(store: &mut Store, ask: Ask) -> Vec<Answer> {
    match ask {
        Ask::Save(save) => vec![saved(&save, store.save(&save))],
        Ask::Append(piece) => vec![Answer::Appended(piece.number, store.append(&piece))],
        Ask::History => {
            let (history, note) = store.history();
            vec![Answer::History(history, note)]
        }
        Ask::Run(number) => vec![Answer::Run(number, read(store, number).map(Box::new))],
        Ask::List => vec![Answer::Listed(store.sessions())],
        Ask::Open(name, save) => match store.save(&save) {
            Ok(()) => vec![store.switch(&name).map_or_else(Answer::Failed, |o| Answer::Opened(Box::new(o)))],
            // What is open is not left before it is safe.
            failed => vec![saved(&save, failed)],
        },
        Ask::SaveAs(name, save) => match store.save_as(&name, &save) {
            Ok(()) => vec![saved(&save, Ok(())), Answer::Named(name)],
            Err(message) => vec![saved(&save, Err(message.clone())), Answer::Failed(message)],
        },
        Ask::Rename(name) => vec![match store.rename(&name) {
            Ok(()) => Answer::Named(name),
            Err(message) => Answer::Failed(message),
        }],
        Ask::Delete(name) => {
            let failed = store.delete(&name).err().map(Answer::Failed);
            failed.into_iter().chain([Answer::Listed(store.sessions())]).collect()
        }
    }
}

fn saved(save: &Save, result: Result<(), String>) -> Answer {
    Answer::Saved(save.runs.iter().map(|run| run.number).collect(), result)
}

/// Reads a run and makes it ready to be shown.
fn read(store: &Store, number: u32) -> Result<Run, String> {
    Ok(runs::restored(number, store.run(number)?))
}
