//! A question with a line for its answer.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::question::Question;
use crate::app::state::State;
use crate::ui::field;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};

use super::{centred, open, overlay_text};

/// Where it is.
pub(super) fn area(state: &State) -> Rect {
    centred(state.size, 60, 4)
}

/// Draws it; returns where the terminal's own cursor goes.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, question: &Question) -> Position {
    let inside = open(buffer, theme, area(state), question.ask.title());
    let line = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let caret = field::draw(buffer, line, &question.answer, theme.style(Role::Overlay), ("", theme.base()));
    if let Some(error) = &question.error {
        Pen::new(buffer, inside, 1).skip(1).put(error, overlay_text(theme, Role::Error));
    }
    caret
}
