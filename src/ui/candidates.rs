//! The most probable tokens before the mask beside those after it, with bars.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::state::State;
use crate::engine::trace::{Candidate, Insight, Step};
use crate::sanitize;

use super::format::{bar, percent};
use super::pen::Pen;
use super::theme::{Role, Theme};

/// Columns of the mark before a token, and of the percentage.
const MARK: usize = 2;
const PERCENT: usize = 6;

/// Draws both columns, as many rows as fit.
pub fn draw(
    buffer: &mut Buffer,
    state: &State,
    theme: &Theme,
    area: Rect,
    step: &Step,
    insight: &Insight,
    is_active: bool,
) {
    let half = area.width.saturating_sub(2) / 2;
    let left = Rect { width: half, ..area };
    let right = Rect { x: area.x + half + 2, width: area.width.saturating_sub(half + 2), ..area };
    let heading = if is_active {
        theme.text(Role::TitleFocused).add_modifier(Modifier::UNDERLINED)
    } else {
        theme.text(Role::Title)
    };
    Pen::new(buffer, left, 0).skip(MARK).put("before the mask", heading);
    Pen::new(buffer, right, 0).skip(MARK).put("after", heading);

    let longest = insight.before.len().max(insight.after.len());
    let rows = usize::from(area.height.saturating_sub(1));
    let top = state.inspector.candidates_top.min(longest.saturating_sub(rows));
    for y in 0..rows {
        for (side, candidates, of) in
            [(left, &insight.before, Probability::Before), (right, &insight.after, Probability::After)]
        {
            if let Some(candidate) = candidates.get(top + y) {
                let is_allowed = insight.allowed.contains(candidate.token);
                let looks = looks(candidate.token == step.token, is_allowed);
                row(buffer, side, y as u16 + 1, state, theme, candidate, of, looks);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Probability {
    Before,
    After,
}

/// The mark, the token's role and the bar's role. The mark says without colour what they say with.
fn looks(is_chosen: bool, is_allowed: bool) -> (&'static str, Option<Role>, Role) {
    match (is_chosen, is_allowed) {
        (true, _) => ("▸", Some(Role::Chosen), Role::Bar),
        (false, true) => ("", None, Role::Bar),
        (false, false) => ("✗", Some(Role::Rejected), Role::BarRejected),
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
    of: Probability,
    (mark, token_role, bar_role): (&str, Option<Role>, Role),
) {
    let share = match of {
        Probability::Before => candidate.before,
        Probability::After => candidate.after,
    };
    let room = usize::from(area.width).saturating_sub(MARK + PERCENT + 1);
    let bar_width = (room * 2 / 5).clamp(2, 12);
    let name = state.run.vocabulary.as_ref().map_or_else(
        || format!("#{}", candidate.token),
        |vocabulary| sanitize::token(vocabulary.bytes(candidate.token)),
    );
    let style = token_role.map_or(theme.base(), |role| theme.text(role));
    Pen::new(buffer, area, y)
        .column(mark, MARK, style)
        .column(&name, room.saturating_sub(bar_width), style)
        .skip(1)
        .column(&bar(share, bar_width), bar_width, theme.text(bar_role))
        .right_column(&percent(share), PERCENT, style.remove_modifier(Modifier::BOLD));
}
