//! The cases of the grammar: what came of them, looking at one, and keeping the output as another.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::files::FileJob;
use crate::app::menu::MenuKind;
use crate::app::state::{Overlay, Pane, State};
use crate::engine::Vocabulary;
use crate::engine::cases::{Beside, New, Origin, Report, Wants, block, folder, list};

use super::{keys, menu};

/// Takes in what came of the cases, unless the text or the model has changed since.
pub(super) fn tested(
    state: &mut State,
    revision: u64,
    vocabulary: &Arc<Vocabulary>,
    result: Result<Arc<Report>, String>,
) {
    let is_current = state.model.vocabulary().is_some_and(|v| Arc::ptr_eq(v, vocabulary));
    if !is_current || revision != state.grammar.buffer.revision() {
        return;
    }
    state.grammar.tested = Some(revision);
    state.grammar.cases = result.map_err(|reason| state.warn(format!("The cases cannot run: {reason}"))).ok();
}

/// Opens the list of the cases, and runs them again: their files may have changed.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let mut effects = menu::open(state, MenuKind::Cases);
    effects.push(super::check(state));
    effects
}

/// Looks at a case; in the grammar, the caret goes to the byte that is not allowed.
pub(super) fn look(state: &mut State, index: usize) -> Vec<Effect> {
    let Some(report) = state.grammar.cases.clone() else { return Vec::new() };
    let Some(ran) = report.ran.get(index) else { return Vec::new() };
    // In a text that has changed since, the case may stand elsewhere.
    if let (Origin::Block(place), true) = (&ran.case.origin, state.grammar.is_tested()) {
        let at = place.of(ran.offset().unwrap_or(0));
        keys::focus(state, Pane::Grammar);
        let place = state.grammar.buffer.place(at);
        state.grammar.buffer.go_to(place);
    }
    state.overlay = Some(Overlay::Case { index, top: None });
    Vec::new()
}

/// Keeps the output as a case: in the grammar's file of cases if it has one, in a file of its own if it
/// has folders of cases or no comments, else in a comment at its end.
pub(super) fn keep(state: &mut State, is_accepted: bool) -> Vec<Effect> {
    let text = state.run.trace.as_ref().map(|trace| trace.bytes()).unwrap_or_default();
    if text.is_empty() {
        let key = state.keymap.first_key(Action::Run);
        state.say(format!("There is no output to keep yet; {key} makes some."));
        return Vec::new();
    }
    let wants = if is_accepted { Wants::Accept } else { Wants::Reject(None) };
    let source = state.grammar.source();
    // What begins with another entry point tomorrow is still one of this.
    let entry = source.entry().filter(|entry| source.entries().contains(entry));
    let new = New { entry, wants, name: "", text: &text };
    let list = state.grammar.cases.as_ref().and_then(|report| report.file.clone());
    // What ran last may have been beside another file.
    let is_beside = |file: &PathBuf| match state.grammar.beside() {
        Beside::File(path) => list::beside(&path) == *file,
        _ => false,
    };
    if let (Some(file), Some(lines)) = (list.filter(is_beside), list::write(&new)) {
        return vec![Effect::Files(FileJob::AppendCase { file, lines })];
    }
    let has_folders = state.grammar.cases.as_ref().is_some_and(|report| !report.folders.is_empty());
    let lines = block::write(&source, &new).filter(|_| !has_folders || entry.is_some());
    match (lines, state.grammar.beside()) {
        (Some(lines), _) => {
            let buffer = &mut state.grammar.buffer;
            buffer.replace_text(&block::append(&source.text, &lines));
            buffer.go_to(buffer.end());
            let what = if is_accepted { "accepted" } else { "rejected" };
            state.say(format!("The output is kept at the end of the grammar, as a case to be {what}."));
            Vec::new()
        }
        (None, Beside::File(path)) => {
            let folder = folder::beside(&path, wants);
            let extension = state.run.language.extension();
            vec![Effect::Files(FileJob::KeepCase { folder, extension, text: text.as_slice().into() })]
        }
        (None, _) => {
            let key = state.keymap.first_key(Action::Save);
            state.warn(format!("Save the grammar first ({key}): this case stands in a file beside it."));
            Vec::new()
        }
    }
}
