//! The prompt pane: plain text with a caret; the prompt, or the system prompt of a chat.

use ratatui::buffer::Buffer;

use crate::app::state::{Pane, State};

use super::View;
use super::editor;
use super::wrap;

/// Draws what is inside of the pane's border.
pub fn draw(buffer: &mut Buffer, state: &State, view: &View) {
    let Some(parts) = editor::parts(state, Pane::Prompt) else { return };
    let text = state.prompt_text();
    let rows = wrap::visible(text, text.top(), parts.wrap_width(), parts.height());
    let marks = editor::Marks::new(state, Pane::Prompt, text, &view.theme);
    let style = |line: usize, byte: usize| marks.over(view.theme.base(), line, byte);
    editor::draw_rows(buffer, parts.text, text, &rows, style);
    let words = match (state.is_chat(), state.shows_system()) {
        (true, true) => "What the model is told before the prompt.",
        (true, false) => "What you ask the model for.",
        (false, _) => "The text that the model writes on from.",
    };
    editor::placeholder(buffer, parts.text, text, words, &view.theme);
}
