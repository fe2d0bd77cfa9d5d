//! What the program remembers between two starts: sessions with their drafts and runs, the history of
//! prompts and grammars, and how the person likes the screen.
//!
//! ```text
//! $MAZE_STATE, or maze/ in $XDG_STATE_HOME or in ~/.local/state
//! ├── looks.json            theme, panes, recent files: the same in every session
//! ├── history.json          prompts and grammars, newest first
//! ├── lock                  held while one of the two is written
//! └── sessions/NAME/
//!     ├── session.json      texts, settings, and a list of the runs
//!     ├── lock              held by the program that has the session open
//!     └── runs/
//!         ├── 7.json.gz     a run: its trace, and the names of the tokens in it
//!         └── 8.part.gz     the run under way, or one that was when the program was killed
//! ```
//!
//! Every file is replaced whole ([`atomic`](crate::atomic)), so that a program that is killed leaves
//! the one before or the one after; only that of a run under way grows ([`journal`]). A session is open in one program at a time. What cannot be read is
//! set aside under another name and told about; it never keeps the program from starting. Nothing here
//! knows the terminal or the engine's thread.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::trace::Trace;
use crate::engine::vocabulary::Vocabulary;

pub mod file;
pub mod folder;
pub mod history;
pub mod journal;
pub mod looks;
pub mod name;
pub mod run;
pub mod session;

use history::{Addition, History};
use looks::Looks;
use session::{Session, SessionNote};

/// The largest `history.json` that is read; what is kept takes less.
const MAX_HISTORY: u64 = 64 << 20;

/// The largest `looks.json` that is read.
const MAX_LOOKS: u64 = 1 << 20;

/// Programs that can have a session of one name and its numbered siblings open at once.
const MOST_SIBLINGS: usize = 99;

/// An open store, with one session of it open.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    open: Open,
    /// What was written last, so that it is not written again.
    written: Option<Session>,
    looks: Option<Looks>,
}

/// The session that is open.
#[derive(Debug)]
struct Open {
    name: String,
    folder: PathBuf,
    /// Held until the session is closed or the program ends, however it ends.
    _lock: Option<File>,
}

/// What was found when a session was opened.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// Its name, which may be another than was asked for.
    pub name: String,
    /// What it holds; nothing if it is new.
    pub session: Option<Session>,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// What is to be saved.
#[derive(Clone, Debug)]
pub struct Save {
    /// The session.
    pub session: Session,
    /// How the screen looks.
    pub looks: Looks,
    /// What is new in the history, oldest first.
    pub history: Vec<Addition>,
    /// Runs whose files are not written yet.
    pub runs: Vec<RunToWrite>,
    /// Runs whose files can go.
    pub dropped: Vec<u32>,
    /// Whether the session is to count as the one used last, even if nothing has changed.
    pub is_last: bool,
}

/// A run and what its file needs.
#[derive(Clone, Debug)]
pub struct RunToWrite {
    /// Its number in the session.
    pub number: u32,
    /// What happened in it.
    pub trace: Arc<Trace>,
    /// The names of its tokens.
    pub vocabulary: Option<Arc<Vocabulary>>,
}

impl Store {
    /// Opens the store in `folder`, which is made if need be, and the session of this name; without a
    /// name, the one that was used last.
    ///
    /// # Errors
    /// If the folder cannot be used; a sentence that names it.
    pub fn open(folder: PathBuf, wanted: Option<&str>) -> Result<(Self, Opened), String> {
        folder::create(&folder.join("sessions"))?;
        if let folder::Lock::Held(_lock) = folder::lock(&folder) {
            session::clean_unfinished(&folder);
        }
        let wanted = wanted.map_or_else(|| session::last(&folder), str::to_owned);
        let (open, opened) = open_session(&folder, &wanted)?;
        Ok((Self { folder, open, written: opened.session.clone(), looks: None }, opened))
    }

    /// The name of the open session.
    pub fn name(&self) -> &str {
        &self.open.name
    }

    /// How the screen looked last. What is wrong with the file is told, and the file set aside.
    pub fn looks(&mut self) -> (Looks, Option<String>) {
        let path = self.folder.join("looks.json");
        let (looks, note) = file::read_or_set_aside(&path, MAX_LOOKS);
        self.looks.clone_from(&looks);
        (looks.unwrap_or_default(), note)
    }

    /// The history. What is wrong with the file is told, and the file set aside.
    pub fn history(&self) -> (History, Option<String>) {
        let (history, note) =
            file::read_or_set_aside::<History>(&self.folder.join("history.json"), MAX_HISTORY);
        let mut history = history.unwrap_or_default();
        history.bound();
        (history, note)
    }

    /// Saves what has changed.
    ///
    /// # Errors
    /// If something cannot be written; a sentence that names it. What was there stays.
    pub fn save(&mut self, save: &Save) -> Result<(), String> {
        folder::create(&self.open.folder.join("runs"))?;
        // Runs first: a list that names a run whose file is not there would be worse than a file that
        // no list names.
        for run in &save.runs {
            run::write(&self.run_path(run.number), &run.trace, run.vocabulary.as_deref())?;
            // What was written while it was under way is in it.
            let _ = std::fs::remove_file(self.open.part_path(run.number));
        }
        let mut session = save.session.clone();
        session.name.clone_from(&self.open.name);
        if save.is_last || self.written.as_ref() != Some(&session) {
            session::write(&self.open.folder, &session)?;
            self.written = Some(session);
        }
        for path in save.dropped.iter().flat_map(|&number| self.open.paths(number)) {
            // One that is gone already is as wanted.
            let _ = std::fs::remove_file(path);
        }
        self.save_shared(save)
    }

    /// Writes what is new in a run under way.
    ///
    /// # Errors
    /// If it cannot be written; a sentence that names the file, which holds what it held before.
    pub fn append(&mut self, piece: &journal::Piece) -> Result<(), String> {
        folder::create(&self.open.folder.join("runs"))?;
        journal::append(&self.open.part_path(piece.number), piece)
    }

    /// Saves what all sessions share. Another program may do so too, one after the other.
    fn save_shared(&mut self, save: &Save) -> Result<(), String> {
        let has_new_looks = self.looks.as_ref() != Some(&save.looks);
        if !has_new_looks && save.history.is_empty() {
            return Ok(());
        }
        let _lock = folder::lock_and_wait(&self.folder);
        if has_new_looks {
            file::write(&self.folder.join("looks.json"), &save.looks)?;
            self.looks = Some(save.looks.clone());
        }
        if !save.history.is_empty() {
            let mut history = self.history().0;
            for addition in &save.history {
                history.add(addition.clone());
            }
            file::write(&self.folder.join("history.json"), &history)?;
        }
        Ok(())
    }

    /// Opens another session, which is made if there is none of that name. The one before is closed.
    ///
    /// # Errors
    /// If it cannot be opened; the one before stays open.
    pub fn switch(&mut self, name: &str) -> Result<Opened, String> {
        if name == self.open.name {
            return Err(format!("The session {name} is open already."));
        }
        if session::is_elsewhere(&self.folder, name) {
            return Err(format!("The session {name} is open in another maze."));
        }
        let (open, opened) = open_session(&self.folder, name)?;
        self.open = open;
        self.written.clone_from(&opened.session);
        Ok(opened)
    }

    /// Saves, and goes on with everything in a new session.
    ///
    /// # Errors
    /// If there is a session of that name, or it cannot be written.
    pub fn save_as(&mut self, name: &str, save: &Save) -> Result<(), String> {
        let folder = session::folder(&self.folder, name);
        if folder.exists() {
            return Err(format!("There is a session {name} already."));
        }
        self.save(save)?;
        let (open, _) = open_session(&self.folder, name)?;
        folder::create(&open.folder.join("runs"))?;
        for number in save.session.runs.iter().map(|run| run.number) {
            for (from, to) in self.open.paths(number).iter().zip(&open.paths(number)) {
                if from.exists() {
                    folder::link_or_copy(from, to)?;
                }
            }
        }
        (self.open, self.written) = (open, None);
        self.save(&Save { runs: Vec::new(), history: Vec::new(), ..save.clone() })
    }

    /// Gives the open session another name.
    ///
    /// # Errors
    /// If there is a session of that name, or the system refuses.
    pub fn rename(&mut self, name: &str) -> Result<(), String> {
        let folder = session::folder(&self.folder, name);
        if folder.exists() {
            return Err(format!("There is a session {name} already."));
        }
        folder::create(&self.open.folder)?;
        std::fs::rename(&self.open.folder, &folder)
            .map_err(|e| format!("The session cannot be renamed to {name}: {e}"))?;
        (self.open.folder, self.open.name) = (folder, name.to_owned());
        if let Some(session) = &mut self.written {
            session.name = name.to_owned();
            session::write(&self.open.folder, session)?;
        }
        Ok(())
    }

    /// Deletes a session that is open nowhere, with its runs.
    ///
    /// # Errors
    /// If it is open, or the system refuses.
    pub fn delete(&mut self, name: &str) -> Result<(), String> {
        if name == self.open.name || session::is_elsewhere(&self.folder, name) {
            return Err(format!("The session {name} is open."));
        }
        let failed = |e: std::io::Error| format!("The session {name} cannot be deleted: {e}");
        std::fs::remove_dir_all(session::folder(&self.folder, name)).map_err(failed)
    }

    /// All sessions: the open one first, then those saved last.
    pub fn sessions(&self) -> Vec<SessionNote> {
        session::list(&self.folder, &self.open.name)
    }

    /// Reads a run of the open session.
    ///
    /// # Errors
    /// If it cannot be read; a sentence that names the file.
    pub fn run(&self, number: u32) -> Result<run::Stored, String> {
        let [whole, part] = self.open.paths(number);
        if part.exists() && !whole.exists() { journal::read(&part) } else { run::read(&whole) }
    }

    fn run_path(&self, number: u32) -> PathBuf {
        self.open.run_path(number)
    }
}

impl Open {
    fn run_path(&self, number: u32) -> PathBuf {
        self.folder.join("runs").join(run::file_name(number))
    }

    fn part_path(&self, number: u32) -> PathBuf {
        self.folder.join("runs").join(journal::file_name(number))
    }

    /// The files that a run may have.
    fn paths(&self, number: u32) -> [PathBuf; 2] {
        [self.run_path(number), self.part_path(number)]
    }
}

/// Opens a session. If another program has it, the first of its numbered siblings that is free: two
/// programs that write one draft would lose what is typed in one of them.
fn open_session(store: &Path, wanted: &str) -> Result<(Open, Opened), String> {
    let mut name = wanted.to_owned();
    for number in 2..=MOST_SIBLINGS {
        let folder = session::folder(store, &name);
        folder::create(&folder)?;
        match folder::lock(&folder) {
            folder::Lock::Elsewhere => name = name::sibling(wanted, number),
            lock => {
                let (session, note) = session::read(&folder, &name)?;
                let taken = (name != wanted)
                    .then(|| format!("The session {wanted} is open in another maze; this is {name}."));
                // What was set aside has taken its lock along.
                let lock = if note.is_some() { folder::lock(&folder) } else { lock };
                let lock = if let folder::Lock::Held(file) = lock { Some(file) } else { None };
                let notes = taken.into_iter().chain(note).collect();
                if let Some(session) = &session {
                    session::clean(&folder, session);
                }
                return Ok((
                    Open { name: name.clone(), folder, _lock: lock },
                    Opened { name, session, notes },
                ));
            }
        }
    }
    Err(format!("The session {wanted} is open {MOST_SIBLINGS} times."))
}
