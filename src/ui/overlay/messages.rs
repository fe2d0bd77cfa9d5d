//! What the program has said, the newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::state::State;
use crate::app::toast::HISTORY;
use crate::ui::layout;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::wrap;

use super::{centred, open, overlay_text};

/// Columns of the overlay, and those before a message's text.
const COLUMNS: u16 = 84;
const INDENT: usize = 3;

/// A row of a message.
struct Line {
    text: String,
    is_first: bool,
    is_error: bool,
}

/// How far it can be scrolled.
pub fn last_top(state: &State) -> usize {
    let inside = layout::inside(area(state));
    lines(state, inside.width).len().saturating_sub(usize::from(inside.height))
}

pub(super) fn area(state: &State) -> Rect {
    let columns = centred(state.size, COLUMNS, 1).width.saturating_sub(2);
    centred(state.size, COLUMNS, (lines(state, columns).len().max(1) as u16).saturating_add(2))
}

fn lines(state: &State, columns: u16) -> Vec<Line> {
    let mut out = Vec::new();
    for toast in state.toasts.history().rev() {
        let text = crate::sanitize::line(&toast.text);
        let width = usize::from(columns).saturating_sub(INDENT + 1);
        for (i, row) in wrap::rows(&text, width).iter().enumerate() {
            let text = text[row.start..row.end].trim_end().to_owned();
            out.push(Line { text, is_first: i == 0, is_error: toast.is_error });
        }
    }
    out
}

/// Draws it.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, top: usize) {
    let area = area(state);
    let inside = open(buffer, theme, area, &format!("The last {HISTORY} messages"));
    let lines = lines(state, inside.width);
    let height = usize::from(inside.height);
    let top = top.min(lines.len().saturating_sub(height));
    if lines.len() > height {
        let more = format!(" {}–{} of {} ", top + 1, top + height, lines.len());
        let bottom = Rect { y: area.bottom() - 1, height: 1, width: area.width - 2, ..area };
        Pen::new(buffer, bottom, 0).at_right(&more, overlay_text(theme, Role::Dim));
    }
    if lines.is_empty() {
        Pen::new(buffer, inside, 0).skip(1).put("There were none yet.", overlay_text(theme, Role::Dim));
    }
    for (y, line) in lines.iter().skip(top).take(height).enumerate() {
        let (mark, role) = if line.is_error { ("●", Role::Error) } else { ("·", Role::Title) };
        let style = overlay_text(theme, role);
        let mark = if line.is_first { mark } else { "" };
        Pen::new(buffer, inside, y as u16).skip(1).column(mark, INDENT - 1, style).put(&line.text, style);
    }
}
