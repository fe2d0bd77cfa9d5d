//! Copying, cutting and putting: in the texts and in every line to type into.
//!
//! What is copied is kept by the program and handed to the terminal, which may drop it.

use crate::app::action::Action;
use crate::app::editor::lines;
use crate::app::event::Effect;
use crate::app::field::Field;
use crate::app::register::Register;
use crate::app::state::{Overlay, State};
use crate::sanitize;
use crate::ui::wrap::{Lines, Place};

/// The longest text that goes to the clipboard, in bytes; many terminals drop what is longer.
const MAX_COPY: usize = 64 * 1024;

/// What Copy, Cut and Paste do where a line is typed into; `None` if that is not so, or they are not
/// asked for.
pub(super) fn in_field(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    if !matches!(action, Action::Copy | Action::Cut | Action::Paste) {
        return None;
    }
    let is_text = state.overlay.is_none() && !state.find.is_open;
    if action == Action::Paste && state.is_typing() && !is_text {
        let text = state.register.text.clone();
        return Some(super::keys::paste(state, &text));
    }
    let field = field(state)?;
    let text = field.selection().map_or("", |range| &field.text()[range]).to_owned();
    if text.is_empty() {
        state.say("Nothing is selected: Shift with the arrow keys selects.");
        return Some(Vec::new());
    }
    if action == Action::Cut {
        field.delete_selection();
    }
    Some(take(state, Register { text, is_lines: false }))
}

/// The line that keys type into, if it is one.
fn field(state: &mut State) -> Option<&mut Field> {
    match &mut state.overlay {
        Some(Overlay::Menu(menu)) => Some(&mut menu.query),
        Some(Overlay::Question(question)) => Some(&mut question.answer),
        Some(Overlay::Help(help)) => Some(&mut help.query),
        Some(Overlay::Settings(settings)) => settings.edited.as_mut(),
        Some(_) => None,
        None if state.find.is_open => Some(state.find.field()),
        None => None,
    }
}

/// Copies or cuts what is selected in the focused text; if nothing is, the caret's line.
pub(super) fn copy(state: &mut State, cuts: bool) -> Vec<Effect> {
    let Some(buffer) = state.focused_text_mut() else { return Vec::new() };
    let text = buffer.selected_text();
    let is_lines = text.is_empty();
    let line = buffer.caret().line;
    let text = if is_lines { lines::text_of_lines(buffer, line, line) } else { text };
    if cuts && is_lines {
        let (start, end) = lines::whole_line(buffer);
        buffer.replace(start, end, "");
        let line = line.min(buffer.count() - 1);
        buffer.go_to(Place { line, byte: 0 });
    } else if cuts {
        buffer.delete_selection();
    }
    take(state, Register { text, is_lines })
}

/// Copies what the model has written.
pub(super) fn copy_output(state: &mut State) -> Vec<Effect> {
    let text = state.run.trace.as_ref().map_or_else(String::new, |trace| trace.text());
    if text.is_empty() {
        state.say("There is no output to copy yet.");
        return Vec::new();
    }
    take(state, Register { text, is_lines: false })
}

/// Keeps a text, and hands it to the terminal if that will take it; made harmless there.
pub(super) fn take(state: &mut State, register: Register) -> Vec<Effect> {
    let what = if register.is_lines { "Copied the line" } else { "Copied" };
    state.register = register;
    let effects = hand_over(state);
    if effects.is_empty() {
        let key = state.keymap.first_key(Action::Paste);
        state.say(format!("{what} for {key} only: terminals take up to 64 KiB at once."));
    } else {
        state.say(format!("{what}, if the terminal lets programs use the clipboard."));
    }
    effects
}

/// Hands what was copied last to the terminal, made harmless; nothing that it would not take.
pub(super) fn hand_over(state: &State) -> Vec<Effect> {
    let text = sanitize::visible(&state.register.text).into_owned();
    if text.len() > MAX_COPY { Vec::new() } else { vec![Effect::Copy(text)] }
}

/// Puts what was copied last into the focused text: lines above the caret's line, all else at the
/// caret, in place of what is selected.
pub(super) fn paste(state: &mut State) {
    let Register { text, is_lines } = state.register.clone();
    if text.is_empty() {
        return state.say("Nothing has been copied here yet; the terminal's own paste works too.");
    }
    let Some(buffer) = state.focused_text_mut() else { return };
    if is_lines && buffer.selection().is_none() {
        let at = Place { byte: 0, ..buffer.caret() };
        let caret = buffer.caret();
        buffer.replace(at, at, &text);
        let line = buffer.caret().line;
        buffer.go_to(Place { line, ..caret });
    } else {
        buffer.insert(&text);
    }
}
