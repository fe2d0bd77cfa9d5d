//! The bar for finding and replacing, in the last rows of the pane that is searched.
//!
//! ```text
//! │ Find  what is looked for                     3/17 │
//! │ With  what is put in its place      Alt-Enter all │
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::action::Action;
use crate::app::state::{Pane, State};

use super::glyphs::width;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{editor, field};

/// Columns of the word before a field, with the blanks around it.
const LABEL: u16 = 7;

/// Columns that a field keeps, whatever stands to its right.
const LEAST: usize = 12;

/// What the bar leaves of a pane's inside, and the bar; it is empty if it is not open there.
pub fn split(state: &State, pane: Pane, inside: Rect) -> (Rect, Rect) {
    let is_here = state.find.is_open && state.find.pane == pane;
    let rows = if state.find.replaces { 2 } else { 1 };
    let rows = if is_here { rows.min(inside.height) } else { 0 };
    let rest = inside.height - rows;
    (Rect { height: rest, ..inside }, Rect { y: inside.y + rest, height: rows, ..inside })
}

/// Where the field in a row of the bar is.
pub fn field_area(bar: Rect, row: u16) -> Rect {
    let label = LABEL.min(bar.width);
    Rect { x: bar.x + label, y: bar.y + row, width: bar.width - label, height: 1 }
}

/// Draws the bar, if it is open; returns the cell of the caret in it.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) -> Option<Position> {
    let find = &state.find;
    let bar = editor::parts(state, find.pane)?.bar;
    if bar.is_empty() {
        return None;
    }
    buffer.set_style(bar, theme.style(Role::Overlay));
    let over = |role| theme.style(Role::Overlay).patch(theme.text(role));
    let query = if find.is_regex { "Regex" } else { "Find" };
    let rows = [
        (query, &find.query, !find.in_replacement, summary(state)),
        ("With", &find.replacement, find.in_replacement, (all_key(state), Role::Dim)),
    ];
    let mut caret = None;
    for (y, (label, line, is_active, (right, right_role))) in (0..bar.height).zip(rows) {
        let role = if is_active { Role::Key } else { Role::Dim };
        let mark = if is_active { "▸" } else { " " };
        Pen::new(buffer, bar, y).put(mark, over(role)).put(label, over(role));
        let mut area = field_area(bar, y);
        let right_width = width(&right, 0) + 1;
        if usize::from(area.width) >= right_width + LEAST {
            Pen::new(buffer, bar, y).at_right(&format!("{right} "), over(right_role));
            area.width -= right_width as u16 + 1;
        }
        let cell = field::draw(buffer, area, line, theme.style(Role::Overlay), ("", theme.base()));
        caret = if is_active { Some(cell) } else { caret };
    }
    caret
}

/// Which of how many places the caret is at, or what is wrong.
fn summary(state: &State) -> (String, Role) {
    let find = &state.find;
    let caret = state.text_in(find.pane).map(|id| state.text(id).caret()).unwrap_or_default();
    match &find.found {
        Err(reason) => (reason.clone(), Role::Error),
        Ok(_) if find.query.text().is_empty() => {
            let key = state.keymap.first_key(Action::Find);
            let other = if find.is_regex { "text" } else { "regex" };
            (format!("{key} {other}"), Role::Dim)
        }
        Ok(places) if places.is_empty() => ("nothing found".to_owned(), Role::Warning),
        Ok(places) => match find.current(caret) {
            Some(at) => (format!("{}/{}", at + 1, places.len()), Role::Dim),
            None => (format!("{} found", places.len()), Role::Dim),
        },
    }
}

fn all_key(state: &State) -> String {
    format!("{} all", state.keymap.first_key(Action::ReplaceAll))
}
