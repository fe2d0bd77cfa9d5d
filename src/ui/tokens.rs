//! The allowed or the rejected tokens of a step as a list that can be searched. Only the rows on
//! the screen are looked at, so it scrolls alike over ten tokens and over 152,000.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::app::inspector::list::Listing;
use crate::app::inspector::{Cursor, Part};
use crate::app::state::{Pane, State};
use crate::engine::trace::{Insight, Step, TokenId};
use crate::sanitize;

use super::format::percent;
use super::inspector::Target;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{field, glyphs, scroll};

/// Rows of the heading and the query.
pub const HEADING: u16 = 2;

/// Columns between two headings, of an id, and of a percentage.
const GAP: usize = 2;
const ID: usize = 6;
const PERCENT: usize = 8;

/// Columns of the place in the list: `152064 / 152064`.
const PLACE: u16 = 16;

/// From this width on, a row has both probabilities.
const BOTH: usize = 44;

/// What an empty query says.
const HINT: &str = "text, \\x0a, or #id";

fn cursor(state: &State, area: Rect, listing: &Listing) -> Cursor {
    state.inspector.list.within(listing.len(), usize::from(area.height.saturating_sub(HEADING)))
}

/// What is under a cell of `area`.
pub fn target(state: &State, area: Rect, insight: &Insight, at: Position) -> Option<Target> {
    let Some(y) = at.y.checked_sub(area.y + HEADING) else {
        let tab = tabs(state, area, insight).into_iter().find(|(_, _, columns)| columns.contains(&at.x));
        return Some(if at.y > area.y {
            Target::Query
        } else {
            Target::Part(tab.map_or(state.inspector.part, |(part, ..)| part))
        });
    };
    let listing = state.inspector.listing(insight);
    let row = cursor(state, area, &listing).top + usize::from(y);
    (row < listing.len()).then_some(Target::Row(row))
}

/// Draws the list with its heading.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect, step: &Step, insight: &Insight) {
    let listing = state.inspector.listing(insight);
    let is_active = state.focus == Pane::Inspector && state.inspector.part != Part::Candidates;
    let cursor = cursor(state, area, &listing);
    for (part, name, columns) in tabs(state, area, insight) {
        let is_shown = part == side(state);
        let style = match (is_shown, is_active) {
            (true, true) => theme.text(Role::TitleFocused).add_modifier(Modifier::UNDERLINED),
            (true, false) => theme.text(Role::Title).add_modifier(Modifier::BOLD),
            (false, _) => theme.text(Role::Dim),
        };
        let x = columns.start;
        Pen::new(buffer, Rect { x, width: area.right().saturating_sub(x), ..area }, 0).put(&name, style);
    }
    let place =
        if listing.is_empty() { "0".to_owned() } else { format!("{} / {}", cursor.row + 1, listing.len()) };
    search_line(buffer, area, state, theme, &place);

    let rows = area.height.saturating_sub(HEADING);
    for y in 0..rows {
        let index = cursor.top + usize::from(y);
        let Some(token) = listing.get(index) else { break };
        let is_row = is_active && index == cursor.row;
        row(buffer, area, y + HEADING, state, theme, insight, token, is_row, token == step.token);
    }
    if listing.is_empty() {
        Pen::new(buffer, area, HEADING).put("no such token", theme.text(Role::Dim));
    }
    let bar = Rect { x: area.right(), y: area.y + HEADING, width: 1, height: rows };
    scroll::draw(buffer, bar, cursor.top, listing.len(), theme.text(Role::Dim));
}

/// The part that is listed.
fn side(state: &State) -> Part {
    if state.inspector.lists_rejected() { Part::Rejected } else { Part::Allowed }
}

/// The headings with the columns they take: with how many tokens each has where there is room, and
/// with the candidates where those are not on the screen.
fn tabs(state: &State, area: Rect, insight: &Insight) -> Vec<(Part, String, Range<u16>)> {
    let allowed = insight.allowed.count();
    let rejected = state.inspector.tokens().saturating_sub(allowed);
    let is_alone = super::inspector::parts(state).is_some_and(|parts| parts.candidates.is_empty());
    let names = |counted: bool| {
        let name = |part: Part, count: usize| {
            (part, if counted { format!("{} {count}", part.name()) } else { part.name().to_owned() })
        };
        let mut names = vec![name(Part::Allowed, allowed), name(Part::Rejected, rejected)];
        if is_alone {
            names.insert(0, (Part::Candidates, Part::Candidates.name().to_owned()));
        }
        names
    };
    let takes =
        |names: &[(Part, String)]| names.iter().map(|(_, n)| glyphs::width(n, 0) + GAP).sum::<usize>();
    let counted = Some(names(true)).filter(|names| takes(names) <= usize::from(area.width) + GAP);
    let mut x = area.x;
    let place = |(part, name): (Part, String)| {
        let columns = x..x + glyphs::width(&name, 0) as u16;
        x = columns.end + GAP as u16;
        (part, name, columns)
    };
    counted.unwrap_or_else(|| names(false)).into_iter().map(place).collect()
}

fn search_line(buffer: &mut Buffer, area: Rect, state: &State, theme: &Theme, place: &str) {
    let (inspector, dim) = (&state.inspector, theme.text(Role::Dim));
    Pen::new(buffer, area, 1).put("/", theme.text(Role::Key)).at_right(place, dim);
    let line = query_line(area);
    if line.is_empty() {
        return;
    }
    let at = field::draw(buffer, line, &inspector.query, theme.base(), (HINT, dim));
    if let Some(cell) = buffer.cell_mut(at).filter(|_| inspector.is_searching) {
        cell.set_style(theme.style(Role::Caret));
    }
}

/// Where the query is: what stands at its right may be as long as two counts of all tokens.
fn query_line(area: Rect) -> Rect {
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(2 + PLACE),
        height: area.height.min(2).saturating_sub(1),
    }
}

/// Where the terminal's own cursor goes while keys type the query.
pub fn caret(state: &State, area: Rect) -> Option<Position> {
    let line = query_line(area);
    let is_here = state.inspector.is_searching && !line.is_empty();
    is_here.then(|| field::caret(line, &state.inspector.query))
}

#[expect(clippy::too_many_arguments, reason = "one row of a table: where, of what, in which looks")]
fn row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    state: &State,
    theme: &Theme,
    insight: &Insight,
    token: TokenId,
    is_row: bool,
    is_chosen: bool,
) {
    let background = if is_row { theme.style(Role::Row).bg } else { None };
    let over = |role: Option<Role>| -> Style {
        let style = role.map_or(theme.base(), |r| theme.text(r));
        background.map_or(style, |bg| style.bg(bg))
    };
    let name = state.run.vocabulary.as_ref().map_or_else(String::new, |v| sanitize::token(v.bytes(token)));
    let known = insight.before.iter().chain(&insight.after).chain([&insight.chosen]);
    let known = known.into_iter().find(|c| c.token == token);
    let (before, after) = known.map_or_else(Default::default, |c| (percent(c.before), percent(c.after)));
    let is_rejected = state.inspector.lists_rejected();
    let token_role = match (is_chosen, is_rejected) {
        (true, _) => Some(Role::Chosen),
        (false, true) => Some(Role::Rejected),
        (false, false) => None,
    };
    let mark = match (is_row, is_chosen) {
        (true, true) => "▸●",
        (true, false) => "▸",
        (false, true) => "●",
        (false, false) => "",
    };
    let width = usize::from(area.width);
    // What was rejected has no probability after the mask.
    let both = if width >= BOTH && !is_rejected { PERCENT + 2 } else { 0 };
    let after = if known.is_some() && both > 0 { format!("→ {after}") } else { String::new() };
    let mut pen = Pen::new(buffer, area, y);
    pen.column(&" ".repeat(width), width, over(None));
    Pen::new(buffer, area, y)
        .column(mark, 2, over(token_role))
        .right_column(&token.to_string(), ID, over(Some(Role::Dim)))
        .skip(2)
        .column(&name, width.saturating_sub(4 + ID + PERCENT + both), over(token_role))
        .right_column(&before, PERCENT, over(Some(Role::Dim)))
        .right_column(&after, both, over(Some(Role::Dim)));
}
