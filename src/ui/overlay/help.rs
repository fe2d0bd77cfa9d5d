//! The keys: grouped, each with what it does; what is typed leaves those that have it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::help::{self, Help};
use crate::app::state::{Overlay, State};
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::{field, layout, wrap};

use super::{centred, open, overlay_text, scroll_mark};

/// The widest that it is.
const WIDTH: u16 = 90;

/// Columns of the keys.
const KEYS: usize = 24;

/// The row to type into.
const ABOVE: u16 = 1;

enum Line {
    Title(&'static str),
    Keys(String, String),
    Blank,
}

/// Where it is: as large as for all keys, so that it stands still while one types.
pub(super) fn area(state: &State) -> Rect {
    let width = layout::inside(centred(state.size, WIDTH, 1)).width;
    let lines = lines(state, "", usize::from(width)).len();
    centred(state.size, WIDTH, (lines as u16).saturating_add(2 + ABOVE))
}

/// How far it can be scrolled.
pub(super) fn last_top(state: &State) -> usize {
    let Some(Overlay::Help(help)) = &state.overlay else { return 0 };
    let inside = layout::inside(area(state));
    let lines = lines(state, help.query.text(), usize::from(inside.width));
    lines.len().saturating_sub(usize::from(inside.height.saturating_sub(ABOVE)))
}

fn lines(state: &State, query: &str, width: usize) -> Vec<Line> {
    let query = query.trim().to_lowercase();
    let keys_width = KEYS.min(width / 2);
    let mut lines = Vec::new();
    for (title, rows) in help::groups(&state.keymap) {
        let holds = |text: &str| text.to_lowercase().contains(&query);
        let rows: Vec<_> = rows.into_iter().filter(|(keys, doc)| holds(keys) || holds(doc)).collect();
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::Blank);
        }
        lines.push(Line::Title(title));
        for (keys, doc) in rows {
            let keys_cut = wrap::rows(&keys, keys_width);
            let doc_cut = wrap::rows(doc, width.saturating_sub(keys_width + 3));
            let part = |text: &str, cut: &[wrap::Row], i: usize| {
                cut.get(i).map_or_else(String::new, |row| text[row.start..row.end].trim_end().to_owned())
            };
            for i in 0..keys_cut.len().max(doc_cut.len()) {
                lines.push(Line::Keys(part(&keys, &keys_cut, i), part(doc, &doc_cut, i)));
            }
        }
    }
    lines
}

/// Draws it; returns where the terminal's own cursor goes.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, help: &Help) -> Position {
    let area = area(state);
    let inside = open(buffer, theme, area, "Keys");
    Pen::new(buffer, inside, 0).skip(1).put("/ ", overlay_text(theme, Role::Key));
    let line = Rect { x: inside.x + 3, width: inside.width.saturating_sub(3), ..inside };
    let hint = ("type a key or a word", overlay_text(theme, Role::Dim));
    let caret = field::draw(buffer, line, &help.query, theme.style(Role::Overlay), hint);
    let list = Rect { y: inside.y + ABOVE, height: inside.height.saturating_sub(ABOVE), ..inside };
    let width = usize::from(inside.width);
    let lines = lines(state, help.query.text(), width);
    let shown = usize::from(list.height);
    let top = help.top.min(lines.len().saturating_sub(shown));
    scroll_mark(buffer, theme, area, (top, shown, lines.len()), None);
    if lines.is_empty() {
        Pen::new(buffer, list, 0).skip(1).put("no key does that", overlay_text(theme, Role::Dim));
    }
    for (y, line) in lines.iter().skip(top).take(shown).enumerate() {
        let mut pen = Pen::new(buffer, list, y as u16);
        match line {
            Line::Blank => {}
            Line::Title(title) => {
                pen.skip(1).put(title, overlay_text(theme, Role::TitleFocused));
            }
            Line::Keys(keys, doc) => {
                pen.skip(1)
                    .column(keys, KEYS.min(width / 2), overlay_text(theme, Role::Key))
                    .skip(1)
                    .put(doc, theme.style(Role::Overlay));
            }
        }
    }
    caret
}
