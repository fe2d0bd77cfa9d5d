//! Opening and saving the grammar, and what comes back from the thread for files.

use std::path::PathBuf;

use crate::app::action::Action;
use crate::app::editor::EditorBuffer;
use crate::app::event::Effect;
use crate::app::field::Field;
use crate::app::files::{FileEvent, FileJob, Opened, Replaces, WriteError, beginning};
use crate::app::menu::{Menu, MenuKind, Pick};
use crate::app::question::{Ask, Confirm, Question};
use crate::app::state::{Overlay, Pane, State};
use crate::engine::grammar::{GrammarKind, GrammarSource};

use super::export;

/// Opens the menu of grammars, and looks for those below the current folder.
pub(super) fn menu(state: &mut State) -> Vec<Effect> {
    state.files.names.clear();
    state.overlay = Some(Overlay::Menu(Menu::new(MenuKind::Open)));
    vec![Effect::Files(FileJob::List)]
}

/// Saves the grammar, because a person has asked for that alone.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    state.files.then = None;
    if action == Action::Save { save(state) } else { ask_name(state) }
}

/// Opens the menu of themes; those of the person's own may have changed.
pub(super) fn themes(state: &mut State) -> Vec<Effect> {
    let mut effects = super::menu::open(state, MenuKind::Themes);
    effects.push(Effect::Files(FileJob::Themes));
    effects
}

/// Asks what a path that is being typed goes on to.
pub(super) fn complete(typed: &str) -> Vec<Effect> {
    vec![Effect::Files(FileJob::Complete(typed.trim_start().to_owned()))]
}

/// Puts another grammar in the place of the one that is open, after asking about its changes.
pub(super) fn open(state: &mut State, pick: Pick) -> Vec<Effect> {
    if state.is_saved() {
        return open_now(state, pick);
    }
    state.overlay = Some(Overlay::Confirm(Confirm::SaveFirst(pick)));
    Vec::new()
}

fn open_now(state: &mut State, pick: Pick) -> Vec<Effect> {
    match pick {
        Pick::Example(example) => state.open(example),
        Pick::New(kind) => {
            state.open_grammar(beginning(kind), None);
            // It is there to be typed in.
            super::keys::focus(state, Pane::Grammar);
        }
        Pick::Grammar(grammar) => state.open_grammar(GrammarSource::clone(&grammar), None),
        Pick::File(path) => return vec![Effect::Files(FileJob::Read(path))],
        _ => return Vec::new(),
    }
    vec![Effect::Warm(state.language)]
}

/// Saves the grammar to its file; without one, asks for a name.
pub(super) fn save(state: &mut State) -> Vec<Effect> {
    match &state.grammar.file {
        Some(file) => {
            let (path, replaces) = (file.path.clone(), Replaces::Text(file.text.clone()));
            write(state, path, replaces)
        }
        None => ask_name(state),
    }
}

/// Asks for the name of a file for the grammar.
pub(super) fn ask_name(state: &mut State) -> Vec<Effect> {
    let path = state.grammar.file.as_ref().map(|file| file.path.display().to_string());
    let name = path.unwrap_or_else(|| state.grammar.name.clone());
    let is_file_name = GrammarKind::of_path(name.as_ref()).is_some();
    state.overlay =
        Some(Overlay::Question(Question::new(Ask::SaveAs, if is_file_name { &name } else { "" })));
    Vec::new()
}

/// Takes the name of a file.
pub(super) fn save_as(state: &mut State, answer: Field) -> Vec<Effect> {
    let name = answer.text().trim().to_owned();
    let error = match GrammarKind::of_path(name.as_ref()) {
        _ if name.is_empty() => "type the name of a file",
        _ if name.ends_with('/') => "that is a folder: go on with a name",
        None => "the name must end in .lark, .gbnf, .json (JSON Schema) or .regex",
        Some(_) => return write(state, PathBuf::from(name), Replaces::Nothing),
    };
    let question = Question { ask: Ask::SaveAs, answer, error: Some(error.to_owned()) };
    state.overlay = Some(Overlay::Question(question));
    Vec::new()
}

fn write(state: &mut State, path: PathBuf, replaces: Replaces) -> Vec<Effect> {
    // The answer to the first one says what the file holds then.
    if std::mem::replace(&mut state.files.is_saving, true) {
        return Vec::new();
    }
    let text = state.grammar.buffer.text();
    let has_crlf = state.grammar.file.as_ref().is_some_and(|file| file.text.contains("\r\n"));
    let text = if has_crlf { text.replace('\n', "\r\n") } else { text };
    vec![Effect::Files(FileJob::Write { path, text: text.into(), replaces })]
}

/// Takes a letter as the answer to a question.
pub(super) fn confirm(state: &mut State, asked: Confirm, letter: char) -> Vec<Effect> {
    let is_yes = match letter.to_ascii_lowercase() {
        'y' => true,
        'n' => false,
        _ => return Vec::new(),
    };
    state.overlay = None;
    match (asked, is_yes) {
        (Confirm::SaveFirst(pick), true) => {
            state.files.then = Some(pick);
            save(state)
        }
        (Confirm::SaveFirst(pick), false) => open_now(state, pick),
        (Confirm::Exists(path) | Confirm::Changed(path), true) => write(state, path, Replaces::Anything),
        (Confirm::Exists(path), false) => {
            state.overlay = Some(Overlay::Question(Question::new(Ask::SaveAs, &path.display().to_string())));
            Vec::new()
        }
        (Confirm::ReplaceRun(format, path), is_yes) => export::confirmed(state, format, path, is_yes),
        (Confirm::Changed(_), false) => ask_name(state),
    }
}

/// Takes in what came of a job.
pub(super) fn happened(state: &mut State, event: FileEvent) -> Vec<Effect> {
    match event {
        FileEvent::Listed(found) => state.files.found = Some(found),
        FileEvent::Completed { typed, text, names } => completed(state, &typed, &text, names),
        FileEvent::Read(_, Ok(opened)) => return read(state, opened),
        FileEvent::Read(path, Err(reason)) => {
            state.warn(reason);
            if state.overlay.is_none() {
                // What was typed is at hand to be mended.
                let query = Field::new(&path.display().to_string());
                state.overlay = Some(Overlay::Menu(Menu { query, ..Menu::new(MenuKind::Open) }));
            }
        }
        FileEvent::Base(path, text) => {
            if let Some(file) = state.grammar.file.as_mut().filter(|file| file.path == path) {
                let text = text.unwrap_or_default();
                state.grammar.base = EditorBuffer::new(&text).text().into();
                file.text = text.into();
            }
        }
        FileEvent::Written(path, result) => {
            state.files.is_saving = false;
            return written(state, path, result);
        }
        FileEvent::CaseKept(Ok(name)) => {
            state.say(format!("The case is in {name}."));
            return vec![super::check(state)];
        }
        FileEvent::CaseKept(Err(reason)) => state.warn(reason),
        FileEvent::Said(Ok(text)) => state.say(text),
        FileEvent::Said(Err(text)) => state.warn(text),
        FileEvent::Themes(themes, problems) => {
            state.themes = themes;
            if let Some(first) = problems.first() {
                let more = problems.len() - 1;
                let rest = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                state.warn(format!("{first}{rest}"));
            }
        }
    }
    Vec::new()
}

fn read(state: &mut State, opened: Opened) -> Vec<Effect> {
    let Opened { file, name, kind } = opened;
    let kind = kind.unwrap_or(state.grammar.kind);
    state.files.remember(&file.path);
    state.open_grammar(GrammarSource::new(kind, name, &*file.text), Some(file));
    vec![Effect::Warm(state.language)]
}

fn written(state: &mut State, path: PathBuf, result: Result<Opened, WriteError>) -> Vec<Effect> {
    let opened = match result {
        Ok(opened) => opened,
        Err(WriteError::Exists) => {
            state.overlay = Some(Overlay::Confirm(Confirm::Exists(path)));
            return Vec::new();
        }
        Err(WriteError::Changed) => {
            state.overlay = Some(Overlay::Confirm(Confirm::Changed(path)));
            return Vec::new();
        }
        Err(WriteError::Failed(reason)) => {
            let is_own = state.grammar.file.as_ref().is_some_and(|file| file.path == path);
            if is_own || state.overlay.is_some() {
                state.warn(reason);
            } else {
                let answer = Field::new(&path.display().to_string());
                let question = Question { ask: Ask::SaveAs, answer, error: Some(reason) };
                state.overlay = Some(Overlay::Question(question));
            }
            return Vec::new();
        }
    };
    let Opened { file, name, kind } = opened;
    state.say(format!("Saved to {name}."));
    state.files.remember(&file.path);
    let is_new = state.grammar.file.as_ref().is_none_or(|old| old.path != file.path);
    state.grammar.base = file.text.replace("\r\n", "\n").into();
    (state.grammar.name, state.grammar.file) = (name, Some(file));
    // The cases of another file are others.
    let mut effects = if is_new { vec![super::check(state)] } else { Vec::new() };
    // The file of `--schema` may have any name: only a new name says what is in it.
    if let (true, Some(kind)) = (is_new && kind != Some(state.grammar.kind), kind) {
        state.grammar.kind = kind;
        state.grammar.forget_check();
        effects = vec![super::check(state)];
    }
    if let Some(pick) = state.files.then.take() {
        effects.extend(open(state, pick));
    }
    effects
}

/// Puts what a path goes on with into the line that it was typed in, if it is still there.
fn completed(state: &mut State, typed: &str, text: &str, names: Vec<String>) {
    let line = match &mut state.overlay {
        Some(Overlay::Menu(menu)) if menu.kind == MenuKind::Open => {
            menu.selected = 0;
            &mut menu.query
        }
        Some(Overlay::Question(question)) if matches!(question.ask, Ask::SaveAs | Ask::Export(_)) => {
            question.error = match names.len() {
                0 => Some("nothing there goes on like that".into()),
                1 => None,
                _ if text != typed => None,
                _ => Some(listed(&names)),
            };
            &mut question.answer
        }
        _ => return,
    };
    if line.text().trim() == typed {
        *line = Field::new(text);
        state.files.names = names;
    }
}

/// The ends of paths, for a line.
fn listed(names: &[String]) -> String {
    let end = |name: &String| {
        let inner = name.trim_end_matches('/');
        let start = inner.rfind('/').map_or(0, |at| at + 1);
        name[start..].to_owned()
    };
    names.iter().map(end).collect::<Vec<_>>().join("  ")
}
