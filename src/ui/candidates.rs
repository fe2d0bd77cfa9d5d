//! The most probable tokens before the mask beside those after it, with bars. The two scroll together;
//! the cursor is among those after the mask, which can be put in place of the chosen one, and the same
//! token is marked where it stands before the mask.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use crate::app::inspector::{Cursor, Part};
use crate::app::state::{Pane, State};
use crate::engine::trace::{Candidate, Insight, Step, TokenId};
use crate::sanitize;

use super::format::{bar, percent};
use super::inspector::Target;
use super::pen::Pen;
use super::scroll;
use super::theme::{Role, Theme};

/// Rows of the heading.
pub const HEADING: u16 = 1;

/// Columns of the mark before a token, and of the percentage.
const MARK: usize = 2;
const PERCENT: usize = 6;

/// From this width of a column on, it shows the probability of the other side too.
const BOTH: usize = 34;

/// The columns before and after the mask.
fn columns(area: Rect) -> (Rect, Rect) {
    let half = area.width.saturating_sub(2) / 2;
    let right = Rect { x: area.x + half + 2, width: area.width.saturating_sub(half + 2), ..area };
    (Rect { width: half, ..area }, right)
}

fn count(insight: &Insight) -> usize {
    insight.before.len().max(insight.after.len())
}

fn cursor(state: &State, area: Rect, insight: &Insight) -> Cursor {
    state.inspector.candidates.within(count(insight), usize::from(area.height.saturating_sub(HEADING)))
}

/// What is under a cell of `area`.
pub fn target(state: &State, area: Rect, insight: &Insight, at: Position) -> Option<Target> {
    let Some(y) = at.y.checked_sub(area.y + HEADING) else { return Some(Target::Part(Part::Candidates)) };
    let row = cursor(state, area, insight).top + usize::from(y);
    let (before, after) = columns(area);
    if after.contains(at) && row < insight.after.len() {
        return Some(Target::Candidate { row, is_after: true });
    }
    let token = insight.before.get(row).filter(|_| before.contains(at)).map(|candidate| candidate.token);
    let row = insight.after.iter().position(|candidate| Some(candidate.token) == token);
    Some(row.map_or(Target::Part(Part::Candidates), |row| Target::Candidate { row, is_after: false }))
}

/// Draws both columns, as many rows as fit.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect, step: &Step, insight: &Insight) {
    let is_active = state.focus == Pane::Inspector && state.inspector.part == Part::Candidates;
    let (left, right) = columns(area);
    let heading = if is_active {
        theme.text(Role::TitleFocused).add_modifier(Modifier::UNDERLINED)
    } else {
        theme.text(Role::Title)
    };
    let cursor = cursor(state, area, insight);
    let count_after = insight.after.len();
    let place = format!("{} / {count_after}", (cursor.row + 1).min(count_after));
    Pen::new(buffer, left, 0).skip(MARK).put("before the mask", heading);
    let mut pen = Pen::new(buffer, right, 0);
    pen.skip(MARK).put("after", heading);
    if is_active && pen.left() > place.len() {
        pen.at_right(&place, theme.text(Role::Dim));
    }

    let rows = area.height.saturating_sub(HEADING);
    let at = is_active.then(|| state.inspector.token(&state.run)).flatten();
    for y in 0..rows {
        for (column, candidates, side) in
            [(left, &insight.before, Side::Before), (right, &insight.after, Side::After)]
        {
            if let Some(candidate) = candidates.get(cursor.top + usize::from(y)) {
                let looks = Looks::of(candidate.token, step, insight, at);
                row(buffer, column, y + HEADING, state, theme, candidate, side, looks);
            }
        }
    }
    let bar = Rect { x: area.right(), y: area.y + HEADING, width: 1, height: rows };
    scroll::draw(buffer, bar, cursor.top, count(insight), theme.text(Role::Dim));
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    After,
}

/// What a row looks like. The mark says without colour what the roles say with.
#[derive(Clone, Copy)]
struct Looks {
    mark: &'static str,
    token: Option<Role>,
    bar: Role,
    /// Whether the person is at this token.
    is_at: bool,
}

impl Looks {
    fn of(token: TokenId, step: &Step, insight: &Insight, at: Option<TokenId>) -> Self {
        let is_at = at == Some(token);
        let (marks, role, bar) = match (token == step.token, insight.allowed.contains(token)) {
            (true, _) => (["●", "▸●"], Some(Role::Chosen), Role::Bar),
            (false, true) => (["", "▸"], None, Role::Bar),
            (false, false) => (["✗", "▸✗"], Some(Role::Rejected), Role::BarRejected),
        };
        Self { mark: marks[usize::from(is_at)], token: role, bar, is_at }
    }
}

#[expect(clippy::too_many_arguments, reason = "one row of a table: where, of what, in which looks")]
fn row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    state: &State,
    theme: &Theme,
    candidate: &Candidate,
    side: Side,
    looks: Looks,
) {
    let (share, other) = match side {
        Side::Before => (candidate.before, format!("→ {}", percent(candidate.after))),
        Side::After => (candidate.after, format!("← {}", percent(candidate.before))),
    };
    let width = usize::from(area.width);
    let both = if width >= BOTH { PERCENT + 4 } else { 0 };
    let room = width.saturating_sub(MARK + PERCENT + 1 + both);
    let bar_width = (room * 2 / 5).clamp(2, 12);
    let name = state.run.vocabulary.as_ref().map_or_else(
        || format!("#{}", candidate.token),
        |vocabulary| sanitize::token(vocabulary.bytes(candidate.token)),
    );
    let background = if looks.is_at { theme.style(Role::Row).bg } else { None };
    let over = |role: Option<Role>| {
        let style = role.map_or(theme.base(), |role| theme.text(role));
        background.map_or(style, |bg| style.bg(bg))
    };
    if background.is_some() {
        Pen::new(buffer, area, y).put(&" ".repeat(width), over(None));
    }
    let style = over(looks.token);
    Pen::new(buffer, area, y)
        .column(looks.mark, MARK, style)
        .column(&name, room.saturating_sub(bar_width), style)
        .skip(1)
        .column(&bar(share, bar_width), bar_width, over(Some(looks.bar)))
        .right_column(&percent(share), PERCENT, style.remove_modifier(Modifier::BOLD))
        .right_column(&other, both, over(Some(Role::Dim)));
}
