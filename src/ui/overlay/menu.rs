//! A menu: a line to type into and the rows it finds.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::menu::{Menu, Row};
use crate::app::state::State;
use crate::ui::field;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};

use super::{centred, open, overlay_text};

/// Rows above the list.
const ABOVE: u16 = 2;

/// Draws it; returns where the terminal's own cursor goes.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, menu: &Menu) -> Position {
    let rows = menu.rows(state);
    let row_height = if rows.iter().any(|r| !r.about.is_empty()) { 2 } else { 1 };
    let height = (rows.len().max(1) as u16).saturating_mul(row_height).min(30);
    let area = centred(state.size, 84, height + ABOVE + 2);
    let inside = open(buffer, theme, area, menu.kind.title());
    Pen::new(buffer, inside, 0).skip(1).put("/ ", overlay_text(theme, Role::Key));
    let line = Rect { x: inside.x + 3, width: inside.width.saturating_sub(3), ..inside };
    let hint = (menu.kind.hint(), overlay_text(theme, Role::Dim));
    let caret = field::draw(buffer, line, &menu.query, theme.style(Role::Overlay), hint);

    let shown = usize::from(inside.height.saturating_sub(ABOVE) / row_height).max(1);
    let selected = menu.selected.min(rows.len().saturating_sub(1));
    // The selected one stays on the screen.
    let top = selected.saturating_sub(shown / 2).min(rows.len().saturating_sub(shown));
    for (i, of_list) in rows.iter().enumerate().skip(top).take(shown) {
        let y = ABOVE + (i - top) as u16 * row_height;
        row(buffer, inside, y, theme, of_list, i == selected);
    }
    if rows.is_empty() {
        Pen::new(buffer, inside, ABOVE).skip(3).put("nothing of that name", overlay_text(theme, Role::Dim));
    }
    caret
}

fn row(buffer: &mut Buffer, inside: Rect, y: u16, theme: &Theme, row: &Row, is_selected: bool) {
    let (mark, role) = if is_selected { ("▸", Role::TitleFocused) } else { ("", Role::Title) };
    Pen::new(buffer, inside, y)
        .skip(1)
        .column(mark, 2, overlay_text(theme, role))
        .put_within(
            &row.title,
            usize::from(inside.width).saturating_sub(row.right.chars().count() + 5),
            overlay_text(theme, role),
        )
        .at_right(&format!("{} ", row.right), overlay_text(theme, Role::Dim));
    Pen::new(buffer, inside, y + 1).skip(3).put(&row.about, overlay_text(theme, Role::Dim));
}
