//! What is kept between two starts: round trips, damaged and hostile files, two programs at once, and a
//! program that is killed while it saves.

use maze::store::looks::Looks;
use maze::store::session::Session;
use maze::store::{Opened, Save, Store};

mod hostile;
mod journal;
mod kill;
mod names;
#[path = "../support/random.rs"]
#[allow(dead_code, reason = "shared with tests that change texts")]
mod random;
mod runs;

/// A store in `folder` with a session of this name, or the last one.
fn open(folder: &std::path::Path, name: Option<&str>) -> (Store, Opened) {
    Store::open(folder.join("maze"), name).unwrap()
}

/// What is saved of a session with this prompt.
fn save(prompt: &str) -> Save {
    let mut session = Session::default();
    session.prompt.text = prompt.into();
    session.grammar.text.text = "start: \"é\u{1b}\"\n".into();
    Save {
        session,
        looks: Looks::default(),
        history: Vec::new(),
        runs: Vec::new(),
        dropped: Vec::new(),
        is_last: false,
    }
}

/// The prompt that a session was opened with.
fn prompt(opened: &Opened) -> String {
    opened.session.as_ref().map_or_else(String::new, |s| s.prompt.text.to_string())
}
