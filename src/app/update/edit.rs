//! What keys do in the grammar and the prompt.

use crate::app::action::Action;
use crate::app::editor::Motion;
use crate::app::event::Effect;
use crate::app::state::State;
use crate::sanitize;
use crate::ui::editor;

use super::keys::buffer_of;

/// The longest text that goes to the clipboard, in bytes; many terminals drop what is longer.
const MAX_COPY: usize = 64 * 1024;

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(parts) = editor::parts(state, state.focus) else { return Vec::new() };
    let (width, page) = (parts.wrap_width(), parts.height().max(1) as isize);
    let Some(buffer) = buffer_of(state, state.focus) else { return Vec::new() };
    match action {
        Action::Copy => return copy(state, false),
        Action::Cut => return copy(state, true),
        Action::Left => buffer.go(Motion::Left, width),
        Action::Right => buffer.go(Motion::Right, width),
        Action::Up => buffer.go(Motion::Rows(-1), width),
        Action::Down => buffer.go(Motion::Rows(1), width),
        Action::PageUp => buffer.go(Motion::Rows(-page), width),
        Action::PageDown => buffer.go(Motion::Rows(page), width),
        Action::Home => buffer.go(Motion::LineStart, width),
        Action::End => buffer.go(Motion::LineEnd, width),
        Action::WordLeft => buffer.go(Motion::WordLeft, width),
        Action::WordRight => buffer.go(Motion::WordRight, width),
        Action::TextStart => buffer.go(Motion::TextStart, width),
        Action::TextEnd => buffer.go(Motion::TextEnd, width),
        Action::SelectLeft => buffer.select(Motion::Left, width),
        Action::SelectRight => buffer.select(Motion::Right, width),
        Action::SelectUp => buffer.select(Motion::Rows(-1), width),
        Action::SelectDown => buffer.select(Motion::Rows(1), width),
        Action::SelectHome => buffer.select(Motion::LineStart, width),
        Action::SelectEnd => buffer.select(Motion::LineEnd, width),
        Action::Enter => buffer.insert("\n"),
        Action::DeleteLeft => buffer.delete(Motion::Left, width),
        Action::DeleteRight => buffer.delete(Motion::Right, width),
        Action::DeleteWord => buffer.delete(Motion::WordLeft, width),
        Action::DeleteToEnd => buffer.delete(Motion::LineEnd, width),
        Action::Undo => drop(buffer.undo()),
        Action::Redo => drop(buffer.redo()),
        _ => {}
    }
    Vec::new()
}

/// Copies what is selected in an editor, made harmless. What is too long is not copied in part, and
/// what is not copied is not cut.
fn copy(state: &mut State, cuts: bool) -> Vec<Effect> {
    let Some(buffer) = buffer_of(state, state.focus) else { return Vec::new() };
    let text = sanitize::visible(&buffer.selected_text()).into_owned();
    if text.is_empty() {
        state.say("Nothing is selected: Shift with the arrow keys selects.");
        return Vec::new();
    }
    if text.len() > MAX_COPY {
        state.warn("Terminals take up to 64 KiB at once: select less.");
        return Vec::new();
    }
    if cuts {
        buffer.delete_selection();
    }
    state.say("Copied, if the terminal lets programs use the clipboard.");
    vec![Effect::Copy(text)]
}
