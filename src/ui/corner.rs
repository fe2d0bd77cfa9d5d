//! The small boxes in the corner: what the program says, and the hints for the first minutes. They
//! take no keys; a click sends them away.
//!
//! They stand at the lower right, above the status line, or at the top where they would hide the line
//! that is typed in. A hint to look at tokens stands at the left, since they are at the right. A small
//! terminal has no room for boxes: there the status line says it. A hint, which stays, needs more room
//! than a toast: elsewhere it stands in the footer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget};

use crate::app::state::State;
use crate::app::toast::Toast;
use crate::app::tour::Hint;

use super::glyphs::width;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{frame, layout, wrap};

/// From here on, there is room for boxes.
const ROOM: (u16, u16) = (60, 16);

/// And from here on for one that stays.
const ROOM_TO_STAY: (u16, u16) = (100, 30);

/// Columns of text in a box: a hint, which stays, is narrow; a toast, which goes, is flat.
const COLUMNS: std::ops::RangeInclusive<u16> = 34..=60;

/// Rows of text in a box, at most.
const ROWS: usize = 8;

/// What a box is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The toast of this number.
    Toast(u64),
    /// The hint for the first minutes.
    Hint,
}

/// A box with its text.
struct Placed {
    note: Note,
    area: Rect,
    rows: Vec<String>,
    title: String,
    foot: &'static str,
    role: Role,
    at_left: bool,
}

/// The box under a cell of the screen, or the hint in the footer.
pub fn at(state: &State, column: u16, row: u16) -> Option<Note> {
    if in_footer(state).is_some() && state.areas().is_some_and(|areas| areas.footer.y == row) {
        return Some(Note::Hint);
    }
    placed(state).into_iter().find(|p| p.area.contains((column, row).into())).map(|p| p.note)
}

/// The toast that the status line has to show, for want of room: the latest error, else the latest.
pub fn in_status_line(state: &State) -> Option<&Toast> {
    let shown = state.toasts.shown();
    let latest = shown.iter().rev().find(|t| t.is_error).or(shown.last());
    latest.filter(|_| !has_room(state, ROOM))
}

/// The hint that the footer has to show, for want of room. While something runs or loads, the keys for
/// that are weightier.
pub fn in_footer(state: &State) -> Option<Hint> {
    let is_busy = state.run.status.is_live() || state.loading.is_some();
    let is_free = state.overlay.is_none() && !state.find.is_open && !state.inspector.is_searching;
    state.tour.hint().filter(|_| is_free && !is_busy && !has_room(state, ROOM_TO_STAY))
}

/// Draws the boxes.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    for Placed { area, rows, title, foot, role, .. } in placed(state) {
        let ground = theme.style(Role::Toast);
        let text = |role| -> Style { ground.patch(theme.text(role)) };
        Clear.render(area, buffer);
        let border = if role == Role::Error { role } else { Role::Border };
        frame::draw(buffer, area, ground, text(border));
        let edge = |y| Rect { y, height: 1, width: area.width - 1, ..area };
        Pen::new(buffer, edge(area.y), 0).skip(1).put(&title, text(Role::TitleFocused));
        Pen::new(buffer, edge(area.bottom() - 1), 0).at_right(foot, text(Role::Dim));
        for (y, row) in (0..).zip(&rows) {
            let style = if role == Role::Error { text(role) } else { ground };
            Pen::new(buffer, layout::inside(area), y).skip(1).put(row, style);
        }
    }
}

fn has_room(state: &State, (columns, rows): (u16, u16)) -> bool {
    state.size.0 >= columns && state.size.1 >= rows
}

/// The boxes that fit, each with its place.
fn placed(state: &State) -> Vec<Placed> {
    let Some(areas) = state.areas().filter(|_| has_room(state, ROOM)) else { return Vec::new() };
    let body = areas.body();
    let columns = |most: u16| (most - 4).clamp(*COLUMNS.start(), *COLUMNS.end());
    let mut boxes = boxes(state, columns(body.width / 3), columns(body.width / 4 * 3));
    if areas.single {
        boxes.iter_mut().for_each(|b| b.at_left = false);
    }
    // Those that were there first give way.
    let mut room = body.height - 2;
    boxes.retain(|b| {
        let fits = b.area.height <= room;
        room -= if fits { b.area.height } else { room };
        fits
    });
    let line = typed_line(state);
    let hides = |boxes: &[Placed]| line.is_some_and(|line| boxes.iter().any(|b| b.area.intersects(line)));
    put(&mut boxes, body, false);
    if hides(&boxes) {
        put(&mut boxes, body, true);
        if hides(&boxes) {
            put(&mut boxes, body, false);
        }
    }
    boxes
}

/// Puts the boxes one on the other at the bottom of `body`, or one under the other at its top. The
/// panes' own border stays to be seen.
fn put(boxes: &mut [Placed], body: Rect, at_top: bool) {
    let (mut used_left, mut used_right) = (1, 1);
    for Placed { area, at_left, .. } in boxes {
        let used = if *at_left { &mut used_left } else { &mut used_right };
        area.x = if *at_left { body.x + 1 } else { body.right() - 1 - area.width };
        area.y = if at_top { body.y + *used } else { body.bottom() - *used - area.height };
        *used += area.height;
    }
}

/// The boxes with their texts and sizes, the nearest to the corner first.
fn boxes(state: &State, of_hints: u16, of_toasts: u16) -> Vec<Placed> {
    let hint = state.tour.hint().filter(|_| state.overlay.is_none() && has_room(state, ROOM_TO_STAY));
    hint.map(|hint| of_hint(state, hint, of_hints))
        .into_iter()
        .chain(state.toasts.shown().iter().rev().map(|toast| of_toast(toast, of_toasts)))
        .collect()
}

fn of_hint(state: &State, hint: Hint, columns: u16) -> Placed {
    let title = format!(" Hint {} of {} ", hint.number(), Hint::ALL.len());
    // While something runs or loads, Esc ends that.
    let is_busy = state.run.status.is_live() || state.loading.is_some() || state.run.selected.is_some();
    let foot = if is_busy { " a click ends the hints " } else { " Esc or a click ends the hints " };
    let at_left = matches!(hint, Hint::Select | Hint::Step);
    let placed = sized(Note::Hint, &hint.text(&state.keymap), columns, title, foot, Role::Title);
    Placed { at_left, ..placed }
}

fn of_toast(toast: &Toast, columns: u16) -> Placed {
    let (mark, foot, role) =
        if toast.is_error { ("● ", " Esc ", Role::Error) } else { ("", "", Role::Title) };
    let text = format!("{mark}{}", crate::sanitize::line(&toast.text));
    sized(Note::Toast(toast.id), &text, columns, String::new(), foot, role)
}

fn sized(note: Note, text: &str, columns: u16, title: String, foot: &'static str, role: Role) -> Placed {
    let all = wrap::rows(text, usize::from(columns));
    let last = all.len().min(ROWS);
    let row = |(i, row): (usize, &wrap::Row)| {
        // What does not fit into the last row either is cut there, visibly, when it is drawn.
        let end = if i + 1 == last { text.len() } else { row.end };
        text[row.start..end].trim_end().to_owned()
    };
    let rows: Vec<String> = all.iter().take(ROWS).enumerate().map(row).collect();
    let widest = rows.iter().map(|r| width(r, 0)).max().unwrap_or(0);
    let widest = widest.max(width(&title, 0)).max(width(foot, 0)).min(usize::from(columns)) as u16;
    let area = Rect { width: widest + 4, height: rows.len() as u16 + 2, ..Rect::default() };
    Placed { note, area, rows, title, foot, role, at_left: false }
}

/// The row that is typed in.
fn typed_line(state: &State) -> Option<Rect> {
    let caret = super::caret(state)?;
    let inside = layout::inside(state.areas()?.pane(state.focus));
    Some(Rect { y: caret.y, height: 1, ..inside })
}
