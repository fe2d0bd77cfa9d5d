//! The allowed or the rejected tokens of a step as a list that can be searched. Only the rows on
//! the screen are looked at, so it scrolls alike over ten tokens and over 152,000.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::app::inspector::list::Listing;
use crate::app::inspector::{Cursor, Part};
use crate::app::state::State;
use crate::engine::trace::{Insight, Step, TokenId};
use crate::sanitize;

use super::editor::paragraph;
use super::format::percent;
use super::inspector::Target;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{field, scroll, tabs};

/// Rows of the headings and the query.
pub const HEADING: u16 = 2;

/// Rows of the reason, at most.
const REASON: u16 = 5;

/// Columns of an id, and of a percentage.
const ID: usize = 6;
const PERCENT: usize = 8;

/// Columns of the place in the list: `152064 / 152064`.
const PLACE: u16 = 16;

/// From this width on, a row has both probabilities.
const BOTH: usize = 44;

/// What an empty query says.
const HINT: &str = "text, \\x0a, or #id";

/// The rows of tokens in the list of a part; below the rejected ones is why the one at the cursor is.
pub fn rows(area: Rect, part: Part) -> u16 {
    let rows = area.height.saturating_sub(HEADING);
    if part == Part::Rejected { rows - (rows / 2).min(REASON) } else { rows }
}

fn cursor(state: &State, area: Rect, listing: &Listing) -> Cursor {
    state.inspector.list.within(listing.len(), usize::from(rows(area, state.inspector.below())))
}

/// What is under a cell of `area`.
pub fn target(state: &State, area: Rect, insight: &Insight, at: Position) -> Option<Target> {
    let Some(y) = at.y.checked_sub(area.y + HEADING) else { return Some(Target::Query) };
    let listing = state.inspector.listing(insight);
    let row = cursor(state, area, &listing).top + usize::from(y);
    (y < rows(area, state.inspector.below()) && row < listing.len()).then_some(Target::Row(row))
}

/// Draws the list with its query, below the headings.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect, step: &Step, insight: &Insight) {
    let listing = state.inspector.listing(insight);
    let is_active = tabs::is_active(state);
    let cursor = cursor(state, area, &listing);
    let place =
        if listing.is_empty() { "0".to_owned() } else { format!("{} / {}", cursor.row + 1, listing.len()) };
    search_line(buffer, area, state, theme, &place);

    let rows = rows(area, state.inspector.below());
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
    let below = Rect { y: bar.bottom(), height: area.bottom().saturating_sub(bar.bottom()), ..area };
    let inspected = state.run.inspected().zip(state.located());
    if let (Some(token), Some(((at, _), located))) = (listing.get(cursor.row), inspected) {
        reason(buffer, below, located.why(at, token).unwrap_or_default(), theme);
    }
}

/// Why the token at the cursor may come or not; the first sentence says it, the others what else could.
fn reason(buffer: &mut Buffer, area: Rect, sentences: &[String], theme: &Theme) {
    let mut left = area;
    for (i, sentence) in sentences.iter().enumerate() {
        let style = if i == 0 { theme.base() } else { theme.text(Role::Dim) };
        let used = paragraph(buffer, left, sentence, style);
        left = Rect { y: left.y + used, height: left.height - used, ..left };
    }
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
