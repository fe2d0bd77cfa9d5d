//! What keys do while something floats above the panes.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::question::{Ask, Question};
use crate::app::state::{Overlay, State};
use crate::ui::{overlay, rendered};

use super::{compare, keys, menu, models, sessions};

/// Takes in an action.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(open) = &mut state.overlay else { return Vec::new() };
    match (open, action) {
        (Overlay::Help { .. }, Action::Help) | (Overlay::Rendered { .. }, Action::Rendered) => {
            state.overlay = None;
        }
        (Overlay::Help { .. } | Overlay::Rendered { .. } | Overlay::Messages { .. }, _) => {
            scroll(state, rows(action));
        }
        (Overlay::Models { selected }, _) => {
            let selected = *selected;
            return models::act(state, selected, action);
        }
        (Overlay::Menu(open), _) => {
            let open = open.clone();
            return menu::act(state, open, action);
        }
        (Overlay::Compare(shown), _) => {
            let shown = *shown;
            return compare::act(state, shown, action);
        }
        (Overlay::Question(_), Action::Enter) => return answer(state),
        (Overlay::Question(question), _) => drop(question.answer.act(action)),
    }
    Vec::new()
}

/// Takes in what is typed or pasted.
pub(super) fn type_text(state: &mut State, text: &str) {
    match &mut state.overlay {
        Some(Overlay::Models { .. }) => models::type_text(state, text),
        Some(Overlay::Menu(menu)) => {
            menu.query.insert(text);
            menu.selected = 0;
        }
        Some(Overlay::Question(question)) => {
            question.answer.insert(text);
            question.error = None;
        }
        _ => {}
    }
}

/// Takes in a click: outside of the overlay it closes it, on a row it chooses it.
pub(super) fn click(state: &mut State, column: u16, row: u16) -> Vec<Effect> {
    if overlay::area(state).is_none_or(|area| !area.contains((column, row).into())) {
        state.overlay = None;
        return Vec::new();
    }
    match &state.overlay {
        Some(Overlay::Menu(open)) => {
            let open = open.clone();
            menu::click(state, open, column, row)
        }
        _ => Vec::new(),
    }
}

/// Scrolls what is longer than the screen, or moves in a list.
pub(super) fn scroll(state: &mut State, by: isize) {
    if let Some(Overlay::Menu(open)) = &state.overlay {
        let open = open.clone();
        return menu::scroll(state, open, by);
    }
    if let Some(Overlay::Compare(shown)) = state.overlay {
        return compare::scroll(state, shown, by);
    }
    let last = match state.overlay {
        Some(Overlay::Help { .. }) => overlay::last_help_top(state),
        Some(Overlay::Rendered { .. }) => rendered::last_top(state),
        Some(Overlay::Messages { .. }) => overlay::last_messages_top(state),
        _ => 0,
    };
    if let Some(Overlay::Help { top } | Overlay::Rendered { top } | Overlay::Messages { top }) =
        &mut state.overlay
    {
        *top = top.saturating_add_signed(by).min(last);
    }
}

/// How many rows an action moves by.
fn rows(action: Action) -> isize {
    match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -10,
        Action::PageDown => 10,
        Action::Home | Action::TextStart => isize::MIN,
        Action::End | Action::TextEnd => isize::MAX,
        _ => 0,
    }
}

/// Does what the question is for, or says what is wrong with the answer.
fn answer(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Question(Question { ask, answer, .. })) = state.overlay.take() else {
        return Vec::new();
    };
    match ask {
        Ask::SessionName => match sessions::rename(state, answer.text()) {
            Ok(effects) => return effects,
            Err(error) => {
                let error = Some(error);
                state.overlay = Some(Overlay::Question(Question { ask, answer, error }));
            }
        },
        Ask::Line => {
            let line: Option<usize> = answer.text().trim().parse().ok().filter(|&line| line > 0);
            let Some(line) = line else {
                let error = Some("a whole number from 1".to_owned());
                state.overlay = Some(Overlay::Question(Question { ask, answer, error }));
                return Vec::new();
            };
            if let Some(buffer) = keys::buffer_of(state, state.focus) {
                buffer.go_to(crate::ui::wrap::Place { line: line - 1, byte: 0 });
            }
        }
    }
    Vec::new()
}
