//! A session: what is under edit, the settings, and a list of its runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::{file, folder, journal, name, run};
use crate::engine::GrammarKind;
use crate::engine::trace::FinishReason;

/// The largest `session.json` that is read and written.
pub const MAX_BYTES: u64 = 64 << 20;

/// A session as its file holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// The grammar.
    pub grammar: Grammar,
    /// The prompt.
    pub prompt: Text,
    /// The system prompt of a chat.
    pub system: Text,
    /// Whether the prompt's pane shows the system prompt.
    pub shows_system: bool,
    /// The pane with the focus, by its name.
    pub focus: String,
    /// `auto`, `raw` or `chat`.
    pub mode: String,
    /// Whether the model thinks before its answer.
    pub thinks: bool,
    /// Most tokens of that; 0 if nobody has said.
    pub budget: usize,
    /// What the output will be written in, by its name.
    pub language: String,
    /// Settings that differ from those the program started with, each as its flag would be given.
    pub settings: Vec<(String, String)>,
    /// The runs, the oldest first.
    pub runs: Vec<RunNote>,
}

/// A text under edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Text {
    /// The text.
    pub text: Arc<str>,
    /// The caret's line, from 0.
    pub line: usize,
    /// The caret's byte in the line.
    pub byte: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { text: Arc::from(""), line: 0, byte: 0 }
    }
}

/// A grammar under edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grammar {
    /// Its text.
    pub text: Text,
    /// What it is written in.
    pub kind: GrammarKind,
    /// What it is called.
    pub name: String,
    /// The file that it is saved to.
    pub file: Option<PathBuf>,
}

impl Default for Grammar {
    fn default() -> Self {
        Self { text: Text::default(), kind: GrammarKind::Lark, name: "grammar.lark".into(), file: None }
    }
}

/// What a list says about a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunNote {
    /// Its number in the session, from 1.
    pub number: u32,
    /// The first line of its prompt.
    pub prompt: String,
    /// What its grammar is called.
    pub grammar: String,
    /// What its model is called.
    pub model: String,
    /// What its output is written in, by its name.
    pub language: String,
    /// How many tokens were generated.
    pub tokens: usize,
    /// How it ended; `None` if it failed.
    pub outcome: Option<FinishReason>,
    /// Whether the program ended before it did.
    pub is_cut_off: bool,
    /// When, in seconds since 1970; 0 if nobody knows.
    pub when: i64,
}

/// What a list says about a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionNote {
    /// Its name.
    pub name: String,
    /// What its grammar is called.
    pub grammar: String,
    /// The first line of its prompt.
    pub prompt: String,
    /// How many runs it has.
    pub runs: usize,
    /// When it was saved last, in seconds since 1970.
    pub saved: i64,
    /// Whether another program has it open.
    pub is_elsewhere: bool,
}

/// The parts of a session that a list shows.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Glimpse {
    name: String,
    grammar: GlimpseOfGrammar,
    prompt: Text,
    runs: Vec<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GlimpseOfGrammar {
    name: String,
}

/// The folder of the session of this name.
pub fn folder(store: &Path, name: &str) -> PathBuf {
    store.join("sessions").join(name::folder(name))
}

/// The session in a folder; `None` if it is new. One that cannot be used is set aside with everything
/// in its folder, and a note tells so.
///
/// # Errors
/// If the folder cannot be made again.
pub fn read(folder: &Path, name: &str) -> Result<(Option<Session>, Option<String>), String> {
    let problem = match file::read::<Session>(&folder.join("session.json"), MAX_BYTES) {
        Ok(session) => return Ok((session.map(|s| Session { name: name.to_owned(), ..s }), None)),
        Err(problem) => problem,
    };
    let note = file::set_aside(folder, &problem);
    folder::create(folder)?;
    Ok((None, Some(format!("The session {name}: {note}"))))
}

/// Writes a session.
///
/// # Errors
/// If it is too large or cannot be written.
pub fn write(folder: &Path, session: &Session) -> Result<(), String> {
    let texts = [&session.grammar.text, &session.prompt, &session.system];
    // Control characters take six bytes.
    let most: usize = texts.iter().map(|text| text.text.len().saturating_mul(6)).sum();
    if most as u64 > MAX_BYTES - (1 << 20) {
        return Err("The texts are too long to be kept for the next start: 10 MB are the limit.".into());
    }
    file::write(&folder.join("session.json"), session)
}

/// The name of the session that was saved last.
pub fn last(store: &Path) -> String {
    let newest = folders(store).max_by_key(|folder| saved(folder));
    let glimpse =
        newest.and_then(|f| file::read::<Glimpse>(&f.join("session.json"), MAX_BYTES).ok().flatten());
    let named = glimpse.map(|g| g.name).and_then(|name| name::check(&name).ok());
    named.unwrap_or_else(|| name::DEFAULT.to_owned())
}

/// All sessions: the one that is open here first, then those saved last.
pub fn list(store: &Path, open: &str) -> Vec<SessionNote> {
    let note = |folder: PathBuf| {
        let glimpse = file::read::<Glimpse>(&folder.join("session.json"), MAX_BYTES).ok().flatten()?;
        let name = name::check(&glimpse.name).ok()?;
        // A copy that somebody has made by hand has the name of another.
        (self::folder(store, &name) == folder).then(|| SessionNote {
            is_elsewhere: name != open && is_elsewhere(store, &name),
            prompt: first_line(&glimpse.prompt.text),
            grammar: glimpse.grammar.name,
            runs: glimpse.runs.len(),
            saved: saved(&folder),
            name,
        })
    };
    let mut notes: Vec<SessionNote> = folders(store).filter_map(note).collect();
    notes.sort_by(|a, b| {
        let is_other = |note: &SessionNote| note.name != open;
        let by_time = || b.saved.cmp(&a.saved).then_with(|| a.name.cmp(&b.name));
        is_other(a).cmp(&is_other(b)).then_with(by_time)
    });
    notes
}

/// Whether another program has the session of this name open.
pub fn is_elsewhere(store: &Path, name: &str) -> bool {
    let folder = folder(store, name);
    folder.exists() && matches!(folder::lock(&folder), folder::Lock::Elsewhere)
}

/// Removes what a program that was killed has left behind: files that were not finished, and runs that
/// no list names.
pub fn clean(folder: &Path, session: &Session) {
    clean_unfinished(folder);
    let is_known = |name: &str| {
        let mut files =
            session.runs.iter().flat_map(|r| [run::file_name(r.number), journal::file_name(r.number)]);
        files.any(|file| file == name)
    };
    remove(&folder.join("runs"), |name| !is_known(name));
}

/// Removes files in a folder that were not finished. Nobody else may be writing there.
pub fn clean_unfinished(folder: &Path) {
    remove(folder, |name| name.starts_with(".tmp"));
}

fn remove(folder: &Path, is_wanted: impl Fn(&str) -> bool) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_file()));
    for entry in files.filter(|e| is_wanted(&e.file_name().to_string_lossy())) {
        // What cannot be removed takes room, no more.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// The first line of a text that says something, not longer than a row.
pub fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(200).collect()
}

fn folders(store: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(store.join("sessions")).into_iter().flatten().flatten();
    // What was set aside has a dot in its name.
    let entries = entries.filter(|e| !e.file_name().to_string_lossy().contains('.'));
    entries.map(|e| e.path()).filter(|path| path.join("session.json").is_file())
}

fn saved(folder: &Path) -> i64 {
    let modified = std::fs::metadata(folder.join("session.json")).and_then(|m| m.modified()).ok();
    let since = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs().min(i64::MAX as u64) as i64)
}
