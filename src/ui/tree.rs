//! How the text of the run was read: its parse tree, a part of it in each row.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::app::inspector::Cursor;
use crate::app::state::State;
use crate::app::whereabouts::{Located, Reading};
use crate::engine::shadow::NodeKind;
use crate::sanitize;

use super::glyphs::width;
use super::inspector::Target;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{scroll, tabs, whereabouts};

/// Rows of the headings.
pub const HEADING: u16 = 1;

/// The longest text that a row quotes, in bytes.
const QUOTED: usize = 200;

fn cursor(state: &State, area: Rect, located: &Located) -> Cursor {
    let row = state.inspector.tree_row(located).unwrap_or(0);
    let height = usize::from(area.height.saturating_sub(HEADING));
    Cursor { row, ..state.inspector.tree }.within(located.reading.tree.nodes.len(), height)
}

/// What is under a cell of `area`, below the headings.
pub fn target(state: &State, area: Rect, at: Position) -> Option<Target> {
    let located = state.located()?;
    let row = cursor(state, area, located).top + usize::from(at.y.checked_sub(area.y + HEADING)?);
    (row < located.reading.tree.nodes.len()).then_some(Target::Node(row))
}

/// Draws what is below the headings.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect) {
    let Some(located) = state.located() else {
        return whereabouts::why_not(buffer, state, theme, area);
    };
    let nodes = &located.reading.tree.nodes;
    if nodes.is_empty() {
        Pen::new(buffer, area, HEADING).put("There is no text yet.", theme.text(Role::Dim));
        return;
    }
    let cursor = cursor(state, area, located);
    let rows = area.height.saturating_sub(HEADING);
    for y in 0..rows {
        let index = cursor.top + usize::from(y);
        if index >= nodes.len() {
            break;
        }
        row(
            buffer,
            area,
            y + HEADING,
            &located.reading,
            index,
            (index == cursor.row, tabs::is_active(state)),
            theme,
        );
    }
    let bar = Rect { x: area.right(), y: area.y + HEADING, width: 1, height: rows };
    scroll::draw(buffer, bar, cursor.top, nodes.len(), theme.text(Role::Dim));
    whereabouts::dim_if_old(buffer, state, theme, area, located);
}

fn row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    reading: &Reading,
    index: usize,
    (is_row, is_active): (bool, bool),
    theme: &Theme,
) {
    let Some(node) = reading.tree.nodes.get(index) else { return };
    let background = if is_row && is_active { theme.style(Role::Row).bg } else { None };
    let over = |style: Style| background.map_or(style, |bg| style.bg(bg));
    let columns = usize::from(area.width);
    Pen::new(buffer, area, y).column(&" ".repeat(columns), columns, over(theme.base()));
    // Deep trees keep room for names.
    let indent = (2 * reading.depth(index)).min(columns / 2);
    let name = match node.kind {
        NodeKind::Rule => over(theme.base().add_modifier(Modifier::BOLD)),
        NodeKind::Terminal => over(theme.base()),
        NodeKind::Ignored => over(theme.text(Role::Dim)),
    };
    let end = node.bytes.end.min(node.bytes.start + QUOTED);
    let bytes = reading.text.get(node.bytes.start..end).unwrap_or_default();
    let quoted = sanitize::token(bytes);
    let label = sanitize::line(&node.name);
    // A literal names its own text, and so does a token that the grammar names.
    let is_token = label.starts_with('<') && label == quoted;
    let is_same = is_token || *node.name == *format!("{:?}", String::from_utf8_lossy(bytes));
    let mut pen = Pen::new(buffer, area, y);
    pen.column(if is_row { "▸" } else { "" }, 2, over(theme.base())).skip(indent);
    let room = pen.left();
    pen.put_within(&label, room, name);
    if node.is_open {
        pen.put(" …", over(theme.text(Role::Key)));
    }
    if !is_same && pen.left() > 2 && width(&quoted, 0) > 0 {
        pen.skip(2).put(&quoted, over(theme.text(Role::Dim)));
    }
}
