//! What keys do in the inspector: they move in its candidates and its list.

use crate::app::action::Action;
use crate::app::inspector::{self, Part};
use crate::app::state::State;

use super::output::select_by;

pub(super) fn act(state: &mut State, action: Action) {
    match action {
        Action::Enter => state.inspector.is_searching = false,
        Action::DeleteLeft => {
            state.inspector.query.pop();
            state.inspector.row = 0;
        }
        Action::Left if !state.inspector.is_searching => select_by(state, -1),
        Action::Right if !state.inspector.is_searching => select_by(state, 1),
        Action::Up => move_in_list(state, -1),
        Action::Down => move_in_list(state, 1),
        Action::PageUp => move_in_list(state, -20),
        Action::PageDown => move_in_list(state, 20),
        Action::Home => move_in_list(state, isize::MIN),
        Action::End => move_in_list(state, isize::MAX),
        _ => {}
    }
}

/// Moves in the candidates or in the list, whichever the keys are for.
pub(super) fn move_in_list(state: &mut State, by: isize) {
    let Some((_, step)) = state.run.inspected() else { return };
    let Some(insight) = &step.insight else { return };
    if state.inspector.part == Part::Candidates {
        let last = insight.before.len().max(insight.after.len()).saturating_sub(1);
        state.inspector.candidates_top = state.inspector.candidates_top.saturating_add_signed(by).min(last);
        return;
    }
    let Some(vocabulary) = &state.run.vocabulary else { return };
    let of_inspector = &state.inspector;
    let listed = inspector::listed(insight, of_inspector.lists_rejected(), &of_inspector.query, vocabulary);
    let last = listed.len().saturating_sub(1);
    state.inspector.row = state.inspector.row.min(last).saturating_add_signed(by).min(last);
}
