//! The prompt pane: plain text with a caret; the prompt, or the system prompt of a chat.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::state::State;

use super::View;
use super::editor::{self, Parts};
use super::wrap;

/// Draws the pane's inside.
pub fn draw(buffer: &mut Buffer, state: &State, view: &View, inside: Rect) {
    let parts = Parts { text: editor::padded(inside), ..Parts::default() };
    let text = state.prompt_text();
    let rows = wrap::visible(text, text.top(), parts.wrap_width(), parts.height());
    let style = editor::with_selection(text, &view.theme, |_, _| view.theme.base());
    editor::draw_rows(buffer, parts.text, text, &rows, style);
}
