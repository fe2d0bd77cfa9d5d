//! Where in the grammar the token under inspection is: the open rules, what was expected there with
//! its place, and whether the text could end.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::app::action::Action;
use crate::app::inspector::{Cursor, Part};
use crate::app::state::State;
use crate::app::whereabouts::Located;
use crate::engine::shadow::{Expected, NearestEnd, Place, Standing};
use crate::sanitize;

use super::editor::paragraph;
use super::glyphs::width;
use super::inspector::Target;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{scroll, tabs};

/// Rows of the headings, the open rules and the end.
pub const HEADING: u16 = 3;

/// Between two rules, the inner one at the right.
const INTO: &str = " › ";

/// Columns of a terminal's name, at most.
const NAME: usize = 20;

/// What is said of a terminal that the text is in the middle of.
const GOES_ON: &str = "goes on ";

fn cursor(state: &State, area: Rect, place: &Place) -> Cursor {
    state.inspector.places.within(place.expected.len(), usize::from(area.height.saturating_sub(HEADING)))
}

/// What is under a cell of `area`, below the headings.
pub fn target(state: &State, area: Rect, at: Position) -> Option<Target> {
    let place = &state.located()?.place;
    let row = cursor(state, area, place).top + usize::from(at.y.checked_sub(area.y + HEADING)?);
    Some(if row < place.expected.len() { Target::Place(row) } else { Target::Part(Part::Where) })
}

/// Draws what is below the headings.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect) {
    let Some(located) = state.located() else { return why_not(buffer, state, theme, area) };
    let (place, dim) = (&located.place, theme.text(Role::Dim));
    let mut pen = Pen::new(buffer, area, 1);
    pen.put(&path(place, usize::from(area.width)), theme.base());
    end(&mut Pen::new(buffer, area, 2), located, theme);
    let cursor = cursor(state, area, place);
    let rows = area.height.saturating_sub(HEADING);
    for y in 0..rows {
        let index = cursor.top + usize::from(y);
        let Some(expected) = place.expected.get(index) else { break };
        let is_row = tabs::is_active(state) && index == cursor.row;
        row(buffer, area, y + HEADING, expected, is_row, theme);
    }
    let bar = Rect { x: area.right(), y: area.y + HEADING, width: 1, height: rows };
    scroll::draw(buffer, bar, cursor.top, place.expected.len(), dim);
    dim_if_old(buffer, state, theme, area, located);
}

/// Dims what is known about another step than the one under inspection, whose answer is on its way.
pub(super) fn dim_if_old(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect, located: &Located) {
    if state.run.inspected().is_none_or(|(at, _)| at != located.at) {
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        buffer.set_style(below, theme.text(Role::Dim));
    }
}

/// Why there is nothing to be seen.
pub(super) fn why_not(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect) {
    let reason = match state.whereabouts.reason(state.run.id) {
        Some(reason) => format!("Nothing can be said about the place in the grammar: {reason}."),
        // One that is under way is about to have it.
        None if state.run.grammar.is_none() && !state.run.status.is_live() => {
            let key = state.keymap.first_key(Action::Rewind);
            format!(
                "The grammar of this run is not compiled any more. Going back in the run ({key}) compiles it."
            )
        }
        None => "…".to_owned(),
    };
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    paragraph(buffer, below, &sanitize::line(&reason), theme.text(Role::Dim));
}

/// The open rules, the innermost last. Where they do not fit, the outer ones are left out.
pub(super) fn path(place: &Place, room: usize) -> String {
    let names: Vec<String> = place
        .path
        .iter()
        .map(|crumb| match crumb.parameter {
            Some(parameter) => format!("{}({parameter})", crumb.rule),
            None => crumb.rule.clone(),
        })
        .collect();
    let whole = sanitize::line(&names.join(INTO)).into_owned();
    if width(&whole, 0) <= room {
        return whole;
    }
    (1..names.len())
        .map(|from| sanitize::line(&format!("…{INTO}{}", names[from..].join(INTO))).into_owned())
        .find(|text| width(text, 0) <= room)
        .unwrap_or_else(|| sanitize::line(names.last().map_or("", String::as_str)).into_owned())
}

/// Whether the text could end there, and the shortest way to its end.
fn end(pen: &mut Pen, located: &Located, theme: &Theme) {
    let (place, dim) = (&located.place, theme.text(Role::Dim));
    if let Some(limit) = &place.limit {
        pen.put(&sanitize::line(&limit.to_string()), theme.text(Role::Warning));
        return;
    }
    match &located.end {
        NearestEnd::Here if place.expected.is_empty() => {
            pen.put("complete: nothing may follow", dim);
        }
        NearestEnd::Here => {
            pen.put("may end here, or go on", dim);
        }
        NearestEnd::Text { bytes, .. } => {
            let count = if bytes.len() == 1 { "1 byte".into() } else { format!("{} bytes", bytes.len()) };
            pen.put(&format!("{count} to the nearest end: "), dim).put(&sanitize::token(bytes), theme.base());
        }
        NearestEnd::NeedsToken { token } => {
            pen.put("to the end it needs the token ", dim).put(&sanitize::line(token), theme.base());
        }
        NearestEnd::Never => {
            pen.put("✗ nothing can complete the text any more", theme.text(Role::Error));
        }
        NearestEnd::Unknown { at_least } => {
            pen.put(&format!("at least {at_least} bytes to the nearest end"), dim);
        }
    }
}

/// A terminal with what it matches, its rule and its place in the grammar.
fn row(buffer: &mut Buffer, area: Rect, y: u16, expected: &Expected, is_row: bool, theme: &Theme) {
    let background = if is_row { theme.style(Role::Row).bg } else { None };
    let over = |style: Style| background.map_or(style, |bg| style.bg(bg));
    let terminal = &expected.terminal;
    let columns = usize::from(area.width);
    Pen::new(buffer, area, y).column(&" ".repeat(columns), columns, over(theme.base()));
    let spot = terminal.spot.as_ref().map(|spot| format!("{}:{}", spot.start.line, spot.start.column));
    let spot = spot.unwrap_or_default();
    let name = sanitize::line(&terminal.name);
    let pattern = sanitize::line(&terminal.pattern);
    let mut pen = Pen::new(buffer, area, y);
    pen.column(if is_row { "▸" } else { "" }, 2, over(theme.base()));
    let names = NAME.min(columns / 3);
    let is_named = *terminal.pattern != *terminal.name && width(&name, 0) <= names;
    let standing = if expected.standing == Standing::InProgress { GOES_ON } else { "" };
    // What it matches is worth more than its rule, which the place leads to.
    let taken = if is_named { names + 1 + width(&pattern, 0) } else { width(&name, 0) };
    let room = pen.left().saturating_sub(taken + 1);
    let within = terminal.rule.as_deref().or(terminal.pointer.as_deref());
    let with_rule = within.map(|within| format!("{spot} {}", sanitize::line(within)));
    let fits = |at: &String| width(standing, 0) + width(at, 0) <= room;
    let at = with_rule.filter(fits).unwrap_or(spot);
    let room = pen.left().saturating_sub(width(standing, 0) + width(&at, 0) + 1);
    pen.column(&name, if is_named { names } else { room }, over(theme.base())).skip(1);
    if is_named {
        pen.column(&pattern, room.saturating_sub(names + 1), over(theme.text(Role::Dim))).skip(1);
    }
    pen.put(standing, over(theme.text(Role::Key))).at_right(at.trim(), over(theme.text(Role::Dim)));
}
