//! A case of the grammar: its text, the byte that is not allowed, and what the grammar says to it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::state::State;
use crate::engine::cases::{Ran, Wants};
use crate::ui::glyphs::glyphs;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::{layout, wrap};

use super::{centred, open, overlay_text};

/// Columns of the overlay, where there is room.
const COLUMNS: u16 = 100;

/// The longest line that is laid out, in bytes, and the most lines.
const MOST_LINE: usize = 4096;
const MOST_LINES: usize = 2000;

/// Rows for what the grammar says, at most.
const SENTENCE_ROWS: usize = 3;

/// The text of a case as rows, the byte that is not allowed among them.
struct Look {
    /// Rows of text; of each line the number for its first row.
    rows: Vec<(Option<usize>, String, usize)>,
    /// The row and the byte in it of the byte that is not allowed.
    mark: Option<(usize, usize)>,
    sentence: Vec<String>,
    passes: bool,
    title: String,
}

fn ran(state: &State, index: usize) -> Option<&Ran> {
    state.grammar.cases.as_ref()?.ran.get(index)
}

/// Columns before the text: the number of the line.
const GUTTER: usize = 5;

fn look(state: &State, index: usize, columns: u16) -> Option<Look> {
    let ran = ran(state, index)?;
    let text = String::from_utf8_lossy(&ran.case.text);
    // Bytes that are no UTF-8 have become longer.
    let offset = ran
        .offset()
        .map(|offset| String::from_utf8_lossy(&ran.case.text[..offset.min(ran.case.text.len())]).len());
    let width = usize::from(columns).saturating_sub(GUTTER + 2).max(1);
    let (mut rows, mut mark, mut start) = (Vec::new(), None, 0);
    for (number, whole) in text.split('\n').enumerate().take(MOST_LINES) {
        let end = (0..=whole.len().min(MOST_LINE)).rev().find(|&end| whole.is_char_boundary(end));
        let line = &whole[..end.unwrap_or(0)];
        for (i, row) in wrap::rows(line, width).iter().enumerate() {
            let part = &line[row.start..row.end];
            let is_last = row.end == line.len();
            let here = offset.and_then(|at| at.checked_sub(start + row.start));
            if let Some(at) = here.filter(|&at| at < part.len() || (is_last && at == part.len())) {
                mark.get_or_insert((rows.len(), at));
            }
            rows.push(((i == 0).then_some(number + 1), part.to_owned(), row.column));
        }
        start += whole.len() + 1;
    }
    let sentence = crate::sanitize::line(&sentence(ran)).into_owned();
    let cut = wrap::rows(&sentence, usize::from(columns).saturating_sub(4).max(1));
    let sentence = cut.iter().map(|r| sentence[r.start..r.end].trim_end().to_owned()).take(SENTENCE_ROWS);
    let wants = if ran.case.wants == Wants::Accept { "to be accepted" } else { "to be rejected" };
    Some(Look {
        rows,
        mark,
        sentence: sentence.collect(),
        passes: ran.passes(),
        title: format!("{} · {wants}", ran.case.name),
    })
}

fn sentence(ran: &Ran) -> String {
    let mut letters = ran.sentence.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str() + "."
}

pub(super) fn area(state: &State, index: usize) -> Rect {
    let columns = centred(state.size, COLUMNS, 1).width.saturating_sub(2);
    let rows = look(state, index, columns).map_or(1, |look| look.rows.len() + look.sentence.len() + 1);
    centred(state.size, COLUMNS, (rows.min(1000) as u16).saturating_add(2))
}

fn height(inside: Rect, look: &Look) -> usize {
    usize::from(inside.height).saturating_sub(look.sentence.len() + 1).max(1)
}

/// How far the text can be scrolled.
pub fn last_top(state: &State, index: usize) -> usize {
    let inside = layout::inside(area(state, index));
    look(state, index, inside.width).map_or(0, |look| look.rows.len().saturating_sub(height(inside, &look)))
}

/// The first row that is shown: the byte that is not allowed is on the screen.
pub fn first_top(state: &State, index: usize) -> usize {
    let inside = layout::inside(area(state, index));
    let Some(look) = look(state, index, inside.width) else { return 0 };
    let height = height(inside, &look);
    let wanted = look.mark.map_or(0, |(row, _)| (row + 1).saturating_sub(height * 2 / 3));
    wanted.min(look.rows.len().saturating_sub(height))
}

/// Draws it.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, index: usize, top: Option<usize>) {
    let area = area(state, index);
    let columns = layout::inside(area).width;
    let Some(look) = look(state, index, columns) else {
        let inside = open(buffer, theme, area, "Case");
        Pen::new(buffer, inside, 0).skip(1).put("The cases are run again.", overlay_text(theme, Role::Dim));
        return;
    };
    let (sign, role) = if look.passes { ("✓", Role::Good) } else { ("✗", Role::Error) };
    let inside = open(buffer, theme, area, &format!("{sign} {}", look.title));
    let height = height(inside, &look);
    let top = top.unwrap_or_else(|| first_top(state, index)).min(look.rows.len().saturating_sub(height));
    let base = theme.style(Role::Overlay);
    let marked = overlay_text(theme, role).add_modifier(Modifier::REVERSED | Modifier::UNDERLINED);
    for (y, (number, text, column)) in look.rows.iter().enumerate().skip(top).take(height) {
        let mut pen = Pen::new(buffer, inside, (y - top) as u16);
        let number = number.map_or_else(String::new, |number| number.to_string());
        pen.right_column(&number, GUTTER - 1, overlay_text(theme, Role::Gutter)).skip(1);
        let mark = look.mark.filter(|(row, _)| *row == y).map(|(_, at)| at);
        row(&mut pen, text, *column, mark, base, marked);
    }
    if look.rows.len() > height {
        let shown = format!(" {}–{} of {} ", top + 1, (top + height).min(look.rows.len()), look.rows.len());
        let bottom = Rect { y: area.bottom().saturating_sub(1), height: 1, width: area.width - 2, ..area };
        Pen::new(buffer, bottom, 0).at_right(&shown, overlay_text(theme, Role::Dim));
    }
    let first = inside.height.saturating_sub(look.sentence.len() as u16);
    for (y, line) in look.sentence.iter().enumerate() {
        Pen::new(buffer, inside, first + y as u16).skip(1).put(line, overlay_text(theme, role));
    }
}

/// A row of the text, the byte that is not allowed marked; at the end of a line, the place after it.
fn row(pen: &mut Pen<'_>, text: &str, column: usize, mark: Option<usize>, base: Style, marked: Style) {
    for glyph in glyphs(text, column) {
        let is_marked = mark.is_some_and(|at| (glyph.offset..glyph.offset + glyph.len).contains(&at));
        pen.put(&glyph.symbol, if is_marked { marked } else { base });
    }
    if mark == Some(text.len()) {
        pen.put("⏎", marked);
    }
}
