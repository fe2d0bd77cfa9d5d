//! A menu: a line to type into and the rows it finds, under their headings. What is shown and what
//! is clicked are computed by the same functions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::app::menu::{Found, Menu};
use crate::app::state::State;
use crate::ui::glyphs::{glyphs, width};
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::{field, layout, wrap};

use super::{centred, open, overlay_text, scroll_mark};

/// The widest that a menu is.
const WIDTH: u16 = 100;

/// The most rows of a list.
const ROWS: usize = 30;

/// Rows at the bottom that tell more about the selected row.
const BELOW: u16 = 2;

/// Less than this and titles have the whole row.
const ABOUT: usize = 24;

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Heading(&'static str),
    /// The row of this number among those found.
    Row(usize),
}

/// A menu as it is on the screen.
struct Look {
    area: Rect,
    list: Rect,
    below: u16,
    found: Vec<Found>,
    lines: Vec<Line>,
    /// The first line shown.
    top: usize,
    selected: usize,
    /// Columns of the titles, if something stands beside them.
    titles: Option<usize>,
}

fn look(state: &State, menu: &Menu) -> Look {
    let rows = menu.rows(state);
    let headings = rows.chunk_by(|a, b| a.section == b.section).filter(|s| !s[0].section.is_empty()).count();
    let tells = rows.iter().any(|row| !row.about.is_empty() || row.blocked.is_some());
    let widest = rows.iter().map(|row| width(&row.title, 0)).max().unwrap_or(0);
    let below = if tells { BELOW } else { 0 };
    // As large as for all rows, so that it stands still while one types.
    let height = (rows.len() + headings).clamp(1, ROWS) as u16 + above(ROWS as u16) + below + 2;
    let area = centred(state.size, WIDTH, height);
    let inside = layout::inside(area);
    let above = above(inside.height);
    let list = Rect {
        y: inside.y + above.min(inside.height),
        height: inside.height.saturating_sub(above + below),
        ..inside
    };
    let found = menu.found(state);
    let mut lines = Vec::with_capacity(found.len() + headings);
    let mut section = "";
    for (i, of_list) in found.iter().enumerate() {
        if of_list.row.section != section {
            section = of_list.row.section;
            lines.push(Line::Heading(section));
        }
        lines.push(Line::Row(i));
    }
    let selected = menu.selected.min(found.len().saturating_sub(1));
    let shown = usize::from(list.height);
    let at = lines.iter().position(|line| *line == Line::Row(selected)).unwrap_or(0);
    // The selected one stays on the screen.
    let top = at.saturating_sub(shown / 2).min(lines.len().saturating_sub(shown));
    let room = usize::from(list.width).saturating_sub(4);
    let titles = widest.min(room * 2 / 5) + 2;
    let titles = (menu.kind.words().tells && room >= titles + ABOUT).then_some(titles);
    Look { area, list, below, found, lines, top, selected, titles }
}

/// Rows above the list: the query, and a blank one if there is room.
fn above(height: u16) -> u16 {
    if height >= 9 { 2 } else { 1 }
}

/// Where the menu is.
pub fn area(state: &State, menu: &Menu) -> Rect {
    look(state, menu).area
}

/// The row, among those found, at a cell of the screen.
pub fn row_at(state: &State, menu: &Menu, column: u16, row: u16) -> Option<usize> {
    let look = look(state, menu);
    if !look.list.contains((column, row).into()) {
        return None;
    }
    match look.lines.get(look.top + usize::from(row - look.list.y))? {
        Line::Row(i) => Some(*i),
        Line::Heading(_) => None,
    }
}

/// How many rows a page has.
pub fn page(state: &State, menu: &Menu) -> usize {
    usize::from(look(state, menu).list.height.saturating_sub(1)).max(1)
}

/// Draws it; returns where the terminal's own cursor goes.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, menu: &Menu) -> Position {
    let look = look(state, menu);
    let words = menu.kind.words();
    let inside = open(buffer, theme, look.area, words.title);
    Pen::new(buffer, inside, 0).skip(1).put("/ ", overlay_text(theme, Role::Key));
    let line = Rect { x: inside.x + 3, width: inside.width.saturating_sub(3), ..inside };
    let hint = (words.hint, overlay_text(theme, Role::Dim));
    let caret = field::draw(buffer, line, &menu.query, theme.style(Role::Overlay), hint);
    let shown = usize::from(look.list.height);
    for (y, line) in look.lines.iter().skip(look.top).take(shown).enumerate() {
        match *line {
            Line::Heading(title) => {
                let style = overlay_text(theme, Role::Dim).add_modifier(Modifier::BOLD);
                Pen::new(buffer, look.list, y as u16).skip(1).put(title, style);
            }
            Line::Row(i) => row(buffer, theme, &look, y as u16, i),
        }
    }
    if look.found.is_empty() {
        let is_searched = !menu.query.text().trim().is_empty();
        let text = if is_searched { "nothing matches; Backspace takes letters back" } else { words.empty };
        Pen::new(buffer, look.list, 0).skip(3).put(text, overlay_text(theme, Role::Dim));
    }
    let counted = (look.found.len() > 1).then_some((look.selected, look.found.len()));
    scroll_mark(buffer, theme, look.area, (look.top, shown, look.lines.len()), counted);
    below(buffer, theme, inside, &look);
    caret
}

fn row(buffer: &mut Buffer, theme: &Theme, look: &Look, y: u16, index: usize) {
    let Some(Found { row, letters, .. }) = look.found.get(index) else { return };
    let is_selected = index == look.selected;
    let on = |role: Role| {
        let style = overlay_text(theme, role);
        if is_selected { style.patch(Style { bg: theme.style(Role::Row).bg, ..Style::new() }) } else { style }
    };
    if is_selected {
        let whole = Rect { y: look.list.y + y, height: 1, ..look.list };
        buffer.set_style(whole, on(Role::Title));
    }
    let role = match (row.blocked.is_some(), is_selected) {
        (true, _) => Role::Dim,
        (false, true) => Role::TitleFocused,
        (false, false) => Role::Title,
    };
    let mark = match (is_selected, row.is_current) {
        (true, true) => "▸•",
        (true, false) => "▸",
        (false, true) => " •",
        (false, false) => "",
    };
    let mut pen = Pen::new(buffer, look.list, y);
    pen.skip(1).column(mark, 2, on(role));
    // Where there is no room for the reason, it is said at least that there is one.
    let not_now = if row.blocked.is_some() && look.titles.is_none() { "not now  " } else { "" };
    let at_right = format!("{not_now}{} ", row.right);
    let right = width(&at_right, 0);
    let room = pen.left().saturating_sub(right + 1);
    let room = look.titles.map_or(room, |columns| (columns - 1).min(room));
    let lit = on(Role::Key).add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
    let used = title(&mut pen, &row.title, letters, room, (on(role), lit));
    if let Some(columns) = look.titles {
        pen.skip(columns.saturating_sub(used));
        let room = pen.left().saturating_sub(right + 1);
        let about = row.blocked.as_deref().unwrap_or(&row.about);
        pen.put_within(about, room, on(Role::Dim));
    }
    pen.at_right(&at_right, on(Role::Dim));
}

/// Writes a title with the letters that match lit, into at most `room` columns; returns how many it
/// took.
fn title(pen: &mut Pen, text: &str, letters: &[usize], room: usize, styles: (Style, Style)) -> usize {
    let fits = width(text, 0) <= room;
    let room = if fits { room } else { room.saturating_sub(1) };
    let mut used = 0;
    for (i, glyph) in glyphs(text, 0).enumerate() {
        if used + glyph.width > room {
            break;
        }
        let style = if letters.binary_search(&i).is_ok() { styles.1 } else { styles.0 };
        pen.put(&text[glyph.offset..glyph.offset + glyph.len], style);
        used += glyph.width;
    }
    if !fits {
        pen.put("…", styles.0);
        used += 1;
    }
    used
}

/// More about the selected row, where its own line has not said all of it.
fn below(buffer: &mut Buffer, theme: &Theme, inside: Rect, look: &Look) {
    let Some(Found { row, .. }) = look.found.get(look.selected) else { return };
    let (text, role) = match &row.blocked {
        Some(reason) => (format!("Not now: {reason}."), Role::Warning),
        None => (row.about.clone(), Role::Dim),
    };
    let text = crate::sanitize::line(&text);
    let beside = look.titles.map_or(0, |titles| {
        usize::from(look.list.width).saturating_sub(3 + titles + width(&row.right, 0) + 2)
    });
    if row.blocked.is_none() && width(&text, 0) <= beside {
        return;
    }
    let rows = wrap::rows(&text, usize::from(inside.width).saturating_sub(2));
    let shown = rows.len().min(usize::from(look.below));
    for (i, at) in rows.iter().take(shown).enumerate() {
        // At the very bottom, so that a blank row keeps it from the list where there is one.
        let y = inside.height.saturating_sub((shown - i) as u16);
        let end = if i + 1 == shown { text.len() } else { at.end };
        Pen::new(buffer, inside, y).skip(1).put(text[at.start..end].trim_end(), overlay_text(theme, role));
    }
}
