//! What keys do in the output: they select steps.

use crate::app::action::Action;
use crate::app::state::{Pane, State};
use crate::ui::{output, wrap};

use super::keys::focus;

pub(super) fn act(state: &mut State, action: Action) {
    let page = output::size(state).map_or(1, |(_, height)| height.max(1) as isize);
    match action {
        Action::Left => select_by(state, -1),
        Action::Right => select_by(state, 1),
        Action::Up => select_row(state, -1),
        Action::Down => select_row(state, 1),
        Action::PageUp => select_row(state, -page),
        Action::PageDown => select_row(state, page),
        Action::Home => select(state, Some(0)),
        Action::End => select(state, None),
        Action::Enter => focus(state, Pane::Inspector),
        _ => {}
    }
}

/// Selects the step `by` after the one under inspection. Past the newest, the newest is followed.
pub(super) fn select_by(state: &mut State, by: isize) {
    let Some((at, _)) = state.run.inspected() else { return };
    let to = at.saturating_add_signed(by);
    let follows = state.run.selected.is_none() && by > 0;
    select(state, (!follows && to < state.run.steps().len()).then_some(to));
}

/// Selects the step that is shown `by` rows below the one under inspection.
fn select_row(state: &mut State, by: isize) {
    let (Some((at, _)), Some((width, _))) = (state.run.inspected(), output::size(state)) else { return };
    let text = &state.run.transcript;
    let start = text.span(at).0;
    let row = wrap::row_of(text, start, width);
    let to = wrap::advance(text, row, by, width);
    if to == row && by > 0 {
        return select(state, None);
    }
    let column = wrap::column_of(text, start, width);
    let token = text.token_at(wrap::place_at(text, to, column, width));
    select(state, token);
}

/// Puts a step under inspection, or follows the newest, and scrolls there.
pub(super) fn select(state: &mut State, step: Option<usize>) {
    let step = step.filter(|&index| index < state.run.steps().len());
    if step != state.run.selected {
        state.inspector.to_top();
    }
    state.run.selected = step;
    let Some((width, height)) = output::size(state) else { return };
    let text = &state.run.transcript;
    state.run.top = step.map(|index| {
        let top = state.run.top.unwrap_or_else(|| wrap::bottom(text, width, height));
        wrap::reveal(text, top, text.span(index).0, width, height)
    });
}
