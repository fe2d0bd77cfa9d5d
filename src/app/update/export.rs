//! Writing the run to a file: which kind, under which name, and what came of it.

use std::path::PathBuf;

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::export::{Job, Told, proposal};
use crate::app::field::Field;
use crate::app::menu::{Menu, MenuKind};
use crate::app::question::{Ask, Confirm, Question};
use crate::app::state::{Overlay, State};
use crate::engine::export::Format;

/// Asks what the run is to be written as.
pub(super) fn menu(state: &mut State) -> Vec<Effect> {
    if state.run.steps().is_empty() {
        let key = state.keymap.first_key(Action::Run);
        state.say(format!("There is no run to write yet; {key} makes one."));
    } else {
        state.overlay = Some(Overlay::Menu(Menu::new(MenuKind::Export)));
    }
    Vec::new()
}

/// Asks for the name of the file.
pub(super) fn ask(state: &mut State, format: Format) -> Vec<Effect> {
    let Some(trace) = &state.run.trace else { return Vec::new() };
    let question = Question::new(Ask::Export(format), &proposal(trace, state.run.id.0, format));
    state.overlay = Some(Overlay::Question(question));
    Vec::new()
}

/// Takes the name of the file.
pub(super) fn named(state: &mut State, format: Format, answer: Field) -> Vec<Effect> {
    let name = answer.text().trim().to_owned();
    let error = match name.as_str() {
        "" => "type the name of a file",
        _ if name.ends_with('/') => "that is a folder: go on with a name",
        _ => return write(state, format, PathBuf::from(name), false),
    };
    let question = Question { ask: Ask::Export(format), answer, error: Some(error.to_owned()) };
    state.overlay = Some(Overlay::Question(question));
    Vec::new()
}

fn write(state: &State, format: Format, path: PathBuf, replaces: bool) -> Vec<Effect> {
    let Some(trace) = state.run.trace.clone() else { return Vec::new() };
    let vocabulary = state.run.vocabulary.clone();
    vec![Effect::Export(Box::new(Job { format, path, replaces, trace, vocabulary }))]
}

/// Takes the answer to whether a file is to be replaced.
pub(super) fn confirmed(state: &mut State, format: Format, path: PathBuf, is_yes: bool) -> Vec<Effect> {
    if is_yes {
        return write(state, format, path, true);
    }
    let question = Question::new(Ask::Export(format), &path.display().to_string());
    state.overlay = Some(Overlay::Question(question));
    Vec::new()
}

/// Takes in what came of it. What was typed is at hand to be mended.
pub(super) fn happened(state: &mut State, told: Told) {
    match told {
        Told::Written(path, bytes) => {
            let kib = bytes.div_ceil(1024);
            state.say(format!("The run is in {path} ({kib} KiB)."));
        }
        Told::Exists(format, path) if state.overlay.is_none() => {
            state.overlay = Some(Overlay::Confirm(Confirm::ReplaceRun(format, path)));
        }
        Told::Exists(_, path) => state.warn(format!("{} is there already.", path.display())),
        Told::Failed(format, path, reason) if state.overlay.is_none() => {
            let answer = Field::new(&path.display().to_string());
            let question = Question { ask: Ask::Export(format), answer, error: Some(reason) };
            state.overlay = Some(Overlay::Question(question));
        }
        Told::Failed(_, _, reason) => state.warn(reason),
    }
}
