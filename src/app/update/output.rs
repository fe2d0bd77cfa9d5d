//! What keys do in the output: they select steps.

use crate::app::action::Action;
use crate::app::look::Graphs;
use crate::app::state::{Pane, State};
use crate::engine::trace::Step;
use crate::ui::{graphs, output, wrap};

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
    state.run.graphs_from = match (step, graphs::plot(state)) {
        (Some(_), Some(plot)) => {
            Some(graphs::window(&state.run, Graphs::Steps, plot.columns.width.into()).from)
        }
        _ => None,
    };
    let Some((width, height)) = output::size(state) else { return };
    let text = &state.run.transcript;
    state.run.top = step.map(|index| {
        let top = state.run.top.unwrap_or_else(|| wrap::bottom(text, width, height));
        wrap::reveal(text, top, text.span(index).0, width, height)
    });
}

/// Selects the token or the step of the graphs that is under a cell of the pane.
pub(super) fn click(state: &mut State, column: u16, row: u16) {
    if let Some(step) = graphs::step_at(state, column, row) {
        return select(state, Some(step));
    }
    let Some(inside) = output::area(state).filter(|area| area.contains((column, row).into())) else { return };
    let (width, height) = (output::wrap_width(inside), usize::from(inside.height));
    let text = &state.run.transcript;
    let top = output::top(state, width, height);
    let at = wrap::advance(text, top, (row - inside.y) as isize, width);
    let token = text.token_at(wrap::place_at(text, at, usize::from(column - inside.x), width));
    select(state, token);
}

/// The next look of the tokens. The legend says what it shows, where there is something to see.
pub(super) fn tint(state: &mut State) {
    state.look = state.look.next();
    if output::area(state).is_none() || state.run.steps().is_empty() {
        state.say(state.look.about());
    }
}

/// The next kind of graphs, or none.
pub(super) fn next_graphs(state: &mut State) {
    state.graphs = state.graphs.next(graphs::plot(state).is_some());
    let is_missing = state.graphs != Graphs::Hidden && graphs::plot(state).is_none();
    if output::area(state).is_none() || state.run.series.is_empty() {
        state.say(state.graphs.about());
    } else if is_missing {
        let key = state.keymap.first_key(Action::Zoom);
        state.say(format!("There is no room for the graphs here; {key} in the output gives it the screen."));
    }
}

/// Selects the next step, or the one before, whose most probable token the mask removed.
pub(super) fn surprise(state: &mut State, forward: bool) {
    let steps = state.run.steps();
    let Some((at, _)) = state.run.inspected() else { return };
    let is_surprise = |&index: &usize| steps.get(index).is_some_and(|step| lost_its_first(step));
    let found = match (forward, state.run.selected) {
        // Nothing is selected: the newest step is not behind, it may be meant itself.
        (true, None) => None,
        (true, Some(at)) => (at + 1..steps.len()).find(is_surprise),
        (false, None) => (0..=at).rev().find(is_surprise),
        (false, Some(at)) => (0..at).rev().find(is_surprise),
    };
    match found {
        Some(step) => select(state, Some(step)),
        None => {
            let side = if forward { "after" } else { "before" };
            state.say(format!(
                "There is no token {side} this one where the mask took the model's first choice."
            ));
        }
    }
}

/// Whether the mask removed what the model wanted most.
fn lost_its_first(step: &Step) -> bool {
    let insight = step.insight.as_deref();
    insight.is_some_and(|i| i.before.first().is_some_and(|first| !i.allowed.contains(first.token)))
}
