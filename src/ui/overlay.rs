//! What floats above the panes: the keys, menus, questions, the whole prompt.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use crate::app::state::{Overlay, State};

use super::layout;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{compare, frame, rendered};

pub mod case;
mod help;
pub mod menu;
mod messages;
pub mod models;
pub mod question;
pub mod settings;

pub use messages::last_top as last_messages_top;

/// Draws the overlay that is open; returns where the terminal's own cursor goes.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) -> Option<Position> {
    match state.overlay.as_ref()? {
        Overlay::Help(open) => return Some(help::draw(buffer, state, theme, open)),
        Overlay::Messages { top } => messages::draw(buffer, state, theme, *top),
        Overlay::Rendered { top } => rendered::draw(buffer, state, theme, *top),
        Overlay::Compare(shown) => compare::draw(buffer, state, theme, shown),
        Overlay::Case { index, top } => case::draw(buffer, state, theme, *index, *top),
        Overlay::Models { selected } => return models::draw(buffer, state, theme, *selected),
        Overlay::Menu(menu) => return Some(menu::draw(buffer, state, theme, menu)),
        Overlay::Question(asked) => return Some(question::draw(buffer, state, theme, asked)),
        Overlay::Confirm(asked) => question::confirm(buffer, state, theme, asked),
        Overlay::Settings(open) => return settings::draw(buffer, state, theme, open),
    }
    None
}

/// Where the open overlay is; `None` if there is none.
pub fn area(state: &State) -> Option<Rect> {
    Some(match state.overlay.as_ref()? {
        Overlay::Help(_) => help::area(state),
        Overlay::Messages { .. } => messages::area(state),
        Overlay::Rendered { .. } => rendered::area(state),
        Overlay::Compare(_) => compare::area(state),
        Overlay::Case { index, .. } => case::area(state, *index),
        Overlay::Models { .. } => models::area(state),
        Overlay::Menu(open) => menu::area(state, open),
        Overlay::Question(asked) => question::area(state, asked),
        Overlay::Confirm(asked) => question::confirm_area(state, asked),
        Overlay::Settings(_) => settings::area(state),
    })
}

/// How far the help can be scrolled.
pub fn last_help_top(state: &State) -> usize {
    help::last_top(state)
}

fn overlay_text(theme: &Theme, role: Role) -> ratatui::style::Style {
    theme.style(Role::Overlay).patch(theme.text(role))
}

/// Draws an empty overlay with a title; returns its inside.
pub fn open(buffer: &mut Buffer, theme: &Theme, area: Rect, title: &str) -> Rect {
    let area = area.intersection(buffer.area);
    Clear.render(area, buffer);
    buffer.set_style(area, theme.style(Role::Overlay));
    frame::draw(buffer, area, theme.style(Role::Overlay), overlay_text(theme, Role::BorderFocused));
    let top = Rect { height: 1, width: area.width.saturating_sub(1), ..area };
    Pen::new(buffer, top, 0)
        .skip(2)
        .put(&format!(" {title} "), overlay_text(theme, Role::TitleFocused))
        .at_right(" Esc closes ", overlay_text(theme, Role::Dim));
    layout::inside(area)
}

/// Shows on the border of a list which part of it is on the screen: `(first, shown, all)` lines; and
/// the number of the selected row among all rows.
fn scroll_mark(
    buffer: &mut Buffer,
    theme: &Theme,
    area: Rect,
    (first, shown, all): (usize, usize, usize),
    counted: Option<(usize, usize)>,
) {
    let area = area.intersection(buffer.area);
    if area.height < 3 || area.width < 12 {
        return;
    }
    if let Some((at, rows)) = counted {
        let bottom = Rect { y: area.bottom() - 1, height: 1, width: area.width - 2, ..area };
        let text = format!(" {} / {rows} ", at + 1);
        Pen::new(buffer, bottom, 0).at_right(&text, overlay_text(theme, Role::Dim));
    }
    if all <= shown {
        return;
    }
    let track = usize::from(area.height - 2);
    let length = (track * shown / all).max(1);
    let start = (track - length) * first / (all - shown).max(1);
    for y in start..(start + length).min(track) {
        let column = Rect { x: area.right() - 1, y: area.y + 1 + y as u16, width: 1, height: 1 };
        Pen::new(buffer, column, 0).put("┃", overlay_text(theme, Role::BorderFocused));
    }
}

/// A rectangle in the middle of a screen of `size`, not larger than that.
pub fn centred(size: (u16, u16), width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(size.0.saturating_sub(2)), height.min(size.1.saturating_sub(2)));
    Rect::new((size.0 - width) / 2, (size.1 - height) / 2, width, height)
}
