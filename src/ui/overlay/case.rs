//! A case of the grammar: its text, the byte that is not allowed, and what the grammar says to it.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::state::State;
use crate::engine::cases::{Origin, Ran, Wants};
use crate::engine::check::position;
use crate::engine::diagnostic::{Position, shown};
use crate::ui::glyphs::glyphs;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::{layout, wrap};

use super::{centred, open, overlay_text};

/// Columns of the overlay, where there is room.
const COLUMNS: u16 = 100;

/// Bytes of the text that are laid out, around the byte that is not allowed: more than anybody scrolls.
const MOST: usize = 32 << 10;

/// Rows for what the grammar says, at most.
const SENTENCE_ROWS: usize = 6;

/// The text of a case as rows, the byte that is not allowed among them.
struct Look {
    rows: Vec<Row>,
    /// The row and the byte in it of the byte that is not allowed.
    mark: Option<(usize, usize)>,
    sentence: Vec<String>,
    passes: bool,
    title: String,
    /// Where all of it stands.
    area: Rect,
}

/// A row of the text, or a note of what is left out.
struct Row {
    /// The number of the line that begins here.
    number: Option<usize>,
    text: String,
    /// The columns of its line that are before it.
    column: usize,
    is_note: bool,
}

impl Row {
    fn left_out(bytes: usize, at: &str) -> Option<Self> {
        let text = format!("… {bytes} bytes {at} are not shown");
        (bytes > 0).then_some(Self { number: None, text, column: 0, is_note: true })
    }
}

fn ran(state: &State, index: usize) -> Option<&Ran> {
    state.grammar.cases.as_ref()?.ran.get(index)
}

/// Columns before the text: the number of the line.
const GUTTER: usize = 5;

/// The part of a text that is laid out: most of it before the byte that is looked at.
fn window(text: &str, at: usize) -> Range<usize> {
    let boundary =
        |at: usize| (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    let start = boundary(at.saturating_sub(MOST / 4 * 3));
    start..boundary(start + MOST)
}

fn look(state: &State, index: usize) -> Option<Look> {
    let ran = ran(state, index)?;
    let columns = usize::from(centred(state.size, COLUMNS, 1).width.saturating_sub(2));
    let (text, at) = shown(&ran.case.text, ran.offset().unwrap_or(0));
    let offset = ran.offset().map(|_| at);
    let shown = window(&text, at);
    let width = columns.saturating_sub(GUTTER + 2).max(1);
    let mut rows: Vec<Row> = Row::left_out(shown.start, "before").into_iter().collect();
    let (mut mark, mut start) = (None, shown.start);
    let first = text[..shown.start].matches('\n').count() + 1;
    for (number, line) in (first..).zip(text[shown.clone()].split('\n')) {
        for (i, row) in wrap::rows(line, width).iter().enumerate() {
            let part = &line[row.start..row.end];
            let is_last = row.end == line.len();
            let here = offset.and_then(|at| at.checked_sub(start + row.start));
            if let Some(at) = here.filter(|&at| at < part.len() || (is_last && at == part.len())) {
                mark.get_or_insert((rows.len(), at));
            }
            let number = (i == 0).then_some(number);
            rows.push(Row { number, text: part.to_owned(), column: row.column, is_note: false });
        }
        start += line.len() + 1;
    }
    rows.extend(Row::left_out(text.len() - shown.end, "after"));
    let sentence = crate::sanitize::line(&sentence(ran)).into_owned();
    let cut = wrap::rows(&sentence, columns.saturating_sub(2).max(1));
    let sentence = cut.iter().map(|r| sentence[r.start..r.end].trim_end().to_owned()).take(SENTENCE_ROWS);
    let sentence: Vec<String> = sentence.collect();
    let wants = if ran.case.wants == Wants::Accept { "to be accepted" } else { "to be rejected" };
    let entry = ran.case.entry.as_ref().map_or_else(String::new, |entry| format!(" as {entry}"));
    let height = (rows.len() + sentence.len() + 1).min(1000) as u16 + 2;
    Some(Look {
        rows,
        mark,
        sentence,
        passes: ran.passes(),
        title: format!("{} · {wants}{entry}{}", ran.case.name, place(ran)),
        area: centred(state.size, COLUMNS, height),
    })
}

impl Look {
    /// The rows of the text that are on the screen at once.
    fn height(&self) -> usize {
        usize::from(layout::inside(self.area).height).saturating_sub(self.sentence.len() + 1).max(1)
    }

    /// How far the text can be scrolled.
    fn last_top(&self) -> usize {
        self.rows.len().saturating_sub(self.height())
    }

    /// The first row that is shown: the byte that is not allowed is on the screen.
    fn first_top(&self) -> usize {
        let wanted = self.mark.map_or(0, |(row, _)| (row + 1).saturating_sub(self.height() * 2 / 3));
        wanted.min(self.last_top())
    }
}

/// Where a case of a file of cases stands: at the byte that is not allowed, or where its text begins.
fn place(ran: &Ran) -> String {
    let Origin::Listed(file, place) = &ran.case.origin else { return String::new() };
    let Position { line, column } = position(file.text.as_bytes(), place.of(ran.offset().unwrap_or(0)));
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    format!(" · {name}:{line}:{column}")
}

fn sentence(ran: &Ran) -> String {
    let mut letters = ran.sentence.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str() + "."
}

pub(super) fn area(state: &State, index: usize) -> Rect {
    look(state, index).map_or_else(|| centred(state.size, COLUMNS, 4), |look| look.area)
}

/// The first row that is shown, and how far the text can be scrolled.
pub fn tops(state: &State, index: usize) -> (usize, usize) {
    look(state, index).map_or((0, 0), |look| (look.first_top(), look.last_top()))
}

/// Draws it.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, index: usize, top: Option<usize>) {
    let dim = overlay_text(theme, Role::Dim);
    let Some(look) = look(state, index) else {
        let inside = open(buffer, theme, area(state, index), "Case");
        Pen::new(buffer, inside, 0).skip(1).put("The cases are run again.", dim);
        return;
    };
    let (sign, role) = if look.passes { ("✓", Role::Good) } else { ("✗", Role::Error) };
    let inside = open(buffer, theme, look.area, &format!("{sign} {}", look.title));
    let (height, count) = (look.height(), look.rows.len());
    let top = top.unwrap_or_else(|| look.first_top()).min(look.last_top());
    let base = theme.style(Role::Overlay);
    let marked = overlay_text(theme, role).add_modifier(Modifier::REVERSED | Modifier::UNDERLINED);
    for (y, shown) in look.rows.iter().enumerate().skip(top).take(height) {
        let mut pen = Pen::new(buffer, inside, (y - top) as u16);
        let number = shown.number.map_or_else(String::new, |number| number.to_string());
        pen.right_column(&number, GUTTER - 1, overlay_text(theme, Role::Gutter)).skip(1);
        let mark = look.mark.filter(|(row, _)| *row == y).map(|(_, at)| at);
        let style = if shown.is_note { dim } else { base };
        row(&mut pen, &shown.text, shown.column, mark, style, marked);
    }
    if count > height {
        let shown = format!(" {}–{} of {count} ", top + 1, (top + height).min(count));
        let Rect { width, .. } = look.area;
        let bottom =
            Rect { y: look.area.bottom().saturating_sub(1), height: 1, width: width - 2, ..look.area };
        Pen::new(buffer, bottom, 0).at_right(&shown, dim);
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
