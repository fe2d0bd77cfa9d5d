//! The allowed or the rejected tokens of a step as a list that can be searched. Only the rows on
//! the screen are drawn, so it scrolls alike over ten tokens and over 152,000.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::inspector::{self, Part};
use crate::app::state::{Pane, State};
use crate::engine::trace::{Insight, Step, TokenId};
use crate::sanitize;

use super::View;
use super::format::percent;
use super::pen::Pen;
use super::theme::{Role, Theme};

/// The list that was drawn last, so that a frame need not search the vocabulary again.
#[derive(Default)]
pub struct ListCache {
    of: Option<(Arc<Step>, bool, String)>,
    tokens: Vec<TokenId>,
}

impl ListCache {
    fn update(&mut self, state: &State, step: &Arc<Step>, insight: &Insight) {
        let (rejected, query) = (state.inspector.lists_rejected(), &state.inspector.query);
        let is_same =
            |(s, r, q): &(Arc<Step>, bool, String)| Arc::ptr_eq(s, step) && *r == rejected && q == query;
        if self.of.as_ref().is_some_and(is_same) {
            return;
        }
        self.tokens = state
            .run
            .vocabulary
            .as_ref()
            .map_or_else(Vec::new, |vocabulary| inspector::listed(insight, rejected, query, vocabulary));
        self.of = Some((step.clone(), rejected, query.clone()));
    }
}

/// Draws the list with its heading.
pub fn draw(
    buffer: &mut Buffer,
    state: &State,
    view: &mut View,
    area: Rect,
    step: &Arc<Step>,
    insight: &Insight,
) {
    view.list.update(state, step, insight);
    let (theme, tokens) = (&view.theme, &view.list.tokens);
    let is_active = state.focus == Pane::Inspector && state.inspector.part != Part::Candidates;
    let at = state.inspector.row.min(tokens.len().saturating_sub(1));
    heading(buffer, area, state, theme, (at, tokens.len()), is_active);
    search_line(buffer, area, state, theme);

    let rows = usize::from(area.height.saturating_sub(2));
    // The row the person is at stays in the middle, so that both sides of it are seen.
    let top = at.saturating_sub(rows / 2).min(tokens.len().saturating_sub(rows));
    for (y, &token) in tokens.iter().skip(top).take(rows).enumerate() {
        let is_row = is_active && top + y == at;
        row(buffer, area, y as u16 + 2, state, theme, insight, token, is_row, token == step.token);
    }
    if tokens.is_empty() {
        Pen::new(buffer, area, 2).put("no such token", theme.text(Role::Dim));
    }
}

fn heading(
    buffer: &mut Buffer,
    area: Rect,
    state: &State,
    theme: &Theme,
    (at, of): (usize, usize),
    is_active: bool,
) {
    let style = |is_shown: bool| match (is_shown, is_active) {
        (true, true) => theme.text(Role::TitleFocused).add_modifier(Modifier::UNDERLINED),
        (true, false) => theme.text(Role::Title).add_modifier(Modifier::BOLD),
        (false, _) => theme.text(Role::Dim),
    };
    let rejected = state.inspector.lists_rejected();
    let place = if of == 0 { "0".to_owned() } else { format!("{} / {of}", at + 1) };
    Pen::new(buffer, area, 0)
        .put("allowed", style(!rejected))
        .skip(2)
        .put("rejected", style(rejected))
        .at_right(&place, theme.text(Role::Dim));
}

fn search_line(buffer: &mut Buffer, area: Rect, state: &State, theme: &Theme) {
    let query = &state.inspector.query;
    let mut pen = Pen::new(buffer, area, 1);
    pen.put("/", theme.text(Role::Key)).skip(1);
    if query.is_empty() && !state.inspector.is_searching {
        pen.put("part of a token, or #id", theme.text(Role::Dim));
    } else {
        pen.put(query, theme.base());
        if state.inspector.is_searching {
            pen.put(" ", theme.style(Role::Caret));
        }
    }
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
    let over = |role: Option<Role>| {
        let style = role.map_or(theme.base(), |r| theme.text(r));
        background.map_or(style, |bg| style.bg(bg))
    };
    let name = state.run.vocabulary.as_ref().map_or_else(String::new, |v| sanitize::token(v.bytes(token)));
    let known = insight.before.iter().chain(&insight.after).find(|c| c.token == token);
    let share = known.map_or_else(String::new, |c| percent(c.before));
    let token_role = match (is_chosen, state.inspector.lists_rejected()) {
        (true, _) => Some(Role::Chosen),
        (false, true) => Some(Role::Rejected),
        (false, false) => None,
    };
    let width = usize::from(area.width);
    let mut pen = Pen::new(buffer, area, y);
    pen.column(&" ".repeat(width), width, over(None));
    Pen::new(buffer, area, y)
        .column(if is_row { "▸" } else { "" }, 2, over(None))
        .right_column(&token.to_string(), 6, over(Some(Role::Dim)))
        .skip(2)
        .column(&name, width.saturating_sub(18), over(token_role))
        .right_column(&share, 8, over(Some(Role::Dim)));
}
