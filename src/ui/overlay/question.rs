//! Questions: one with a line for its answer, and one with two answers of a letter each.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::question::{Confirm, Question};
use crate::app::state::State;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::{field, layout, wrap};

use super::{centred, open, overlay_text};

/// Where it is: the answer, and two rows for what may be answered or what is wrong with it.
pub(super) fn area(state: &State, question: &Question) -> Rect {
    centred(state.size, if question.ask.is_short() { 44 } else { 76 }, 5)
}

/// Draws it; returns where the terminal's own cursor goes.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, question: &Question) -> Position {
    let inside = open(buffer, theme, area(state, question), question.ask.title());
    let line = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let caret = field::draw(buffer, line, &question.answer, theme.style(Role::Overlay), ("", theme.base()));
    let (text, role) = match &question.error {
        Some(error) => (error.as_str(), Role::Error),
        None => (question.ask.hint(), Role::Dim),
    };
    let text = crate::sanitize::line(text);
    let rows = wrap::rows(&text, usize::from(line.width));
    let shown = rows.len().min(2);
    for (y, row) in rows.iter().take(shown).enumerate() {
        let y = inside.height.saturating_sub((shown - y) as u16).max(1);
        let row = text[row.start..row.end].trim_end();
        Pen::new(buffer, inside, y).skip(1).put(row, overlay_text(theme, role));
    }
    caret
}

/// Columns around an answer.
const GAP: u16 = 3;

/// Where the question is that is answered by a letter.
pub(super) fn confirm_area(state: &State, asked: &Confirm) -> Rect {
    let width = layout::inside(centred(state.size, 70, 6)).width;
    let rows = text_rows(&asked.text(&state.grammar.name), width).len().min(4) as u16;
    centred(state.size, 70, rows + 4)
}

/// The rows of the question's text.
fn text_rows(text: &str, width: u16) -> Vec<String> {
    let text = crate::sanitize::line(text);
    let rows = wrap::rows(&text, usize::from(width).saturating_sub(2));
    rows.iter().map(|row| text[row.start..row.end].trim_end().to_owned()).collect()
}

/// The letters of the answers with their words, and the cells where each stands.
fn answers(state: &State, asked: &Confirm) -> Vec<(Rect, char, &'static str)> {
    let inside = layout::inside(confirm_area(state, asked));
    let y = inside.bottom().saturating_sub(1);
    let mut x = inside.x + 1;
    let place = |(letter, word): (char, &'static str)| {
        let cells = Rect { x, y, width: 2 + word.len() as u16, height: 1 };
        x += cells.width + GAP;
        (cells, letter, word)
    };
    asked.answers().into_iter().map(place).collect()
}

/// The answer at a cell of the screen.
pub fn answer_at(state: &State, asked: &Confirm, column: u16, row: u16) -> Option<char> {
    let found = answers(state, asked).into_iter().find(|(cells, ..)| cells.contains((column, row).into()));
    found.map(|(_, letter, _)| letter)
}

/// Draws a question that is answered by a letter.
pub(super) fn confirm(buffer: &mut Buffer, state: &State, theme: &Theme, asked: &Confirm) {
    let inside = open(buffer, theme, confirm_area(state, asked), asked.title());
    let rows = text_rows(&asked.text(&state.grammar.name), inside.width);
    for (y, row) in rows.iter().take(usize::from(inside.height.saturating_sub(2))).enumerate() {
        Pen::new(buffer, inside, y as u16).skip(1).put(row, theme.style(Role::Overlay));
    }
    for (cells, letter, word) in answers(state, asked) {
        Pen::new(buffer, cells.intersection(inside), 0)
            .put(&letter.to_string(), overlay_text(theme, Role::Key))
            .skip(1)
            .put(word, overlay_text(theme, Role::Title));
    }
}
