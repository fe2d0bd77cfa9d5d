//! The bar for finding and replacing, in the last rows of the pane that is searched.
//!
//! ```text
//! │ Find  what is looked for               Aa W  3/17 │
//! │ With  what is put in its place      Alt-Enter all │
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::action::Action;
use crate::app::field::Field;
use crate::app::find::Wanted;
use crate::app::state::{Pane, State};

use super::glyphs::width;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{editor, field};

/// Columns of the word before a field, with the blanks around it.
const LABEL: u16 = 7;

/// Columns that a field keeps, whatever stands to its right.
const LEAST: u16 = 12;

/// What the bar leaves of a pane's inside, and the bar; it is empty if it is not open there.
pub fn split(state: &State, pane: Pane, inside: Rect) -> (Rect, Rect) {
    let is_here = state.find.is_open && state.find.pane == pane;
    let rows = if state.find.replaces { 2 } else { 1 };
    let rows = if is_here { rows.min(inside.height) } else { 0 };
    let rest = inside.height - rows;
    (Rect { height: rest, ..inside }, Rect { y: inside.y + rest, height: rows, ..inside })
}

/// Where the field in a row of the bar is: between its label and what stands at the right, if there
/// is room for both.
pub fn field_area(state: &State, bar: Rect, row: u16) -> Rect {
    let label = LABEL.min(bar.width);
    let room = bar.width - label;
    let right = width(&note(state, row).0, 0) as u16 + 2;
    let width = if room >= right + LEAST { room - right } else { room };
    Rect { x: bar.x + label, y: bar.y + row, width, height: 1 }
}

/// Draws the bar, if it is open.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    let find = &state.find;
    let Some(parts) = editor::parts(state, find.pane) else { return };
    let bar = parts.bar;
    buffer.set_style(bar, theme.style(Role::Overlay));
    let over = |role| theme.style(Role::Overlay).patch(theme.text(role));
    for row in 0..bar.height {
        let is_active = find.in_replacement == (row == 1);
        let (mark, role) = if is_active { ("▸", Role::Key) } else { (" ", Role::Dim) };
        let label = match (row, find.wanted.is_regex) {
            (1, _) => "With",
            (_, true) => "Regex",
            (_, false) => "Find",
        };
        Pen::new(buffer, bar, row).put(mark, over(role)).put(label, over(role));
        let (right, right_role) = note(state, row);
        let area = field_area(state, bar, row);
        if area.right() < bar.right() {
            Pen::new(buffer, bar, row).at_right(&format!("{right} "), over(right_role));
        }
        field::draw(buffer, area, line(state, row), theme.style(Role::Overlay), ("", theme.base()));
    }
}

/// The cell of the caret in the bar.
pub fn caret(state: &State, bar: Rect) -> Option<Position> {
    let row = u16::from(state.find.in_replacement);
    (row < bar.height).then(|| field::caret(field_area(state, bar, row), line(state, row)))
}

fn line(state: &State, row: u16) -> &Field {
    if row == 1 { &state.find.replacement } else { &state.find.query }
}

/// What stands at the right end of a row.
fn note(state: &State, row: u16) -> (String, Role) {
    if row == 1 {
        (format!("{} all", state.keymap.first_key(Action::ReplaceAll)), Role::Dim)
    } else {
        let Wanted { exact, words, .. } = state.find.wanted;
        let (text, role) = summary(state);
        let marks = [(exact, "Aa "), (words, "W ")].into_iter().filter(|(is_on, _)| *is_on).map(|m| m.1);
        (marks.collect::<String>() + &text, role)
    }
}

/// Which of how many places the caret is at, or what is wrong.
fn summary(state: &State) -> (String, Role) {
    let find = &state.find;
    let caret = state.text_in(find.pane).map(|id| state.text(id).caret()).unwrap_or_default();
    match &find.found {
        Err(reason) => (reason.clone(), Role::Error),
        Ok(_) if find.query.text().is_empty() => {
            let key = state.keymap.first_key(Action::Find);
            let other = if find.wanted.is_regex { "text" } else { "regex" };
            (format!("{key} {other}"), Role::Dim)
        }
        Ok(places) if places.is_empty() => ("nothing found".to_owned(), Role::Warning),
        Ok(places) => match find.current(caret) {
            Some(at) => (format!("{}/{}", at + 1, places.len()), Role::Dim),
            None => (format!("{} found", places.len()), Role::Dim),
        },
    }
}
