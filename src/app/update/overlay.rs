//! What keys do while something floats above the panes.

use crossterm::event::KeyCode;

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::help::Help;
use crate::app::question::{Ask, Confirm, Question};
use crate::app::settings::Settings;
use crate::app::state::{Overlay, State};
use crate::ui::wrap::{Lines, Place};
use crate::ui::{overlay, rendered};

use super::{compare, export, files, keys, menu, models, sessions, settings, vim};

/// Takes in an action.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(open) = state.overlay.clone() else { return Vec::new() };
    if let Some(opens) = opened_by(&open) {
        if opens == action {
            state.overlay = None;
            return Vec::new();
        }
        if OPENING.contains(&action) {
            state.overlay = None;
            return keys::act(state, action);
        }
    }
    match (open, action) {
        (Overlay::Help(mut help), _) => {
            if help.query.act(action) {
                state.overlay = Some(Overlay::Help(Help { top: 0, ..help }));
            } else {
                scroll(state, rows(action));
            }
        }
        (Overlay::Case { .. }, Action::Enter) => state.overlay = None,
        (Overlay::Rendered { .. } | Overlay::Messages { .. } | Overlay::Case { .. }, _) => {
            scroll(state, rows(action));
        }
        (Overlay::Models { selected }, _) => return models::act(state, selected, action),
        (Overlay::Menu(open), _) => return menu::act(state, open, action),
        (Overlay::Settings(settings), _) => return settings::act(state, settings, action),
        (Overlay::Compare(shown), _) => return compare::act(state, shown, action),
        (Overlay::Question(_), Action::Enter) => return answer(state),
        (Overlay::Question(asked), Action::NextPane) if matches!(asked.ask, Ask::SaveAs | Ask::Export(_)) => {
            return files::complete(asked.answer.text());
        }
        (Overlay::Question(mut asked), _) => {
            if asked.answer.act(action) {
                asked.error = None;
                state.overlay = Some(Overlay::Question(asked));
            }
        }
        (Overlay::Confirm(asked @ Confirm::SaveFirst(_)), Action::Enter) => {
            return files::confirm(state, asked, 'y');
        }
        (Overlay::Confirm(_), _) => {}
    }
    Vec::new()
}

/// The actions that open something in place of what is open.
const OPENING: [Action; 14] = [
    Action::Commands,
    Action::Open,
    Action::New,
    Action::Messages,
    Action::Settings,
    Action::Models,
    Action::Prompts,
    Action::Sessions,
    Action::Runs,
    Action::Export,
    Action::Themes,
    Action::Help,
    Action::Rendered,
    Action::Cases,
];

/// The action that has opened an overlay, and closes it; `None` if only an answer does.
fn opened_by(open: &Overlay) -> Option<Action> {
    match open {
        Overlay::Help(_) => Some(Action::Help),
        Overlay::Rendered { .. } => Some(Action::Rendered),
        Overlay::Models { .. } => Some(Action::Models),
        Overlay::Settings(_) => Some(Action::Settings),
        Overlay::Menu(menu) => menu.kind.opened_by(),
        Overlay::Messages { .. } => Some(Action::Messages),
        Overlay::Compare(_) => Some(Action::Compare),
        Overlay::Case { .. } => None,
        Overlay::Question(_) | Overlay::Confirm(_) => None,
    }
}

/// Closes what is open, or what is open in it. Whether there was anything.
pub(super) fn close(state: &mut State) -> bool {
    let Some(open) = state.overlay.take() else { return false };
    state.files.then = None;
    if let Overlay::Settings(settings) = open
        && settings.edited.is_some()
    {
        state.overlay = Some(Overlay::Settings(Settings { edited: None, error: None, ..settings }));
    }
    true
}

/// Takes in what is typed or pasted.
pub(super) fn type_text(state: &mut State, text: &str) -> Vec<Effect> {
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
        Some(Overlay::Settings(Settings { edited: Some(field), error, .. })) => {
            field.insert(text);
            *error = None;
        }
        // The key that opens the help where keys do not type closes it.
        Some(Overlay::Help(help)) if text == "?" && help.query.text().is_empty() => state.overlay = None,
        Some(Overlay::Help(help)) => {
            help.query.insert(text);
            help.top = 0;
        }
        _ => {}
    }
    Vec::new()
}

/// Takes in a key where keys do not type.
pub(super) fn letter(state: &mut State, code: KeyCode) -> Vec<Effect> {
    match (state.overlay.clone(), code) {
        (Some(Overlay::Confirm(asked)), KeyCode::Char(c)) => files::confirm(state, asked, c),
        (Some(Overlay::Settings(settings)), KeyCode::Char(c)) => settings::letter(state, settings, c),
        (Some(Overlay::Settings(settings)), KeyCode::Delete | KeyCode::Backspace) => {
            settings::default(state, settings)
        }
        _ => Vec::new(),
    }
}

/// Takes in a click: outside of the overlay it closes it, on a row it chooses it.
pub(super) fn click(state: &mut State, column: u16, row: u16) -> Vec<Effect> {
    if overlay::area(state).is_none_or(|area| !area.contains((column, row).into())) {
        state.overlay = None;
        return Vec::new();
    }
    match state.overlay.clone() {
        Some(Overlay::Menu(open)) => menu::click(state, open, column, row),
        Some(Overlay::Models { .. }) => models::click(state, column, row),
        Some(Overlay::Settings(settings)) => settings::click(state, settings, column, row),
        Some(Overlay::Confirm(asked)) => match overlay::question::answer_at(state, &asked, column, row) {
            Some(letter) => files::confirm(state, asked, letter),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Scrolls what is longer than the screen, or moves in a list.
pub(super) fn scroll(state: &mut State, by: isize) {
    match state.overlay.clone() {
        Some(Overlay::Menu(open)) => return menu::scroll(state, open, by),
        Some(Overlay::Settings(settings)) => return settings::scroll(state, settings, by),
        Some(Overlay::Models { .. }) => return models::scroll(state, by),
        Some(Overlay::Compare(shown)) => return compare::scroll(state, shown, by),
        Some(Overlay::Case { index, top }) => {
            let (first, last) = overlay::case::tops(state, index);
            let top = Some(top.unwrap_or(first).saturating_add_signed(by).min(last));
            state.overlay = Some(Overlay::Case { index, top });
            return;
        }
        _ => {}
    }
    let last = match state.overlay {
        Some(Overlay::Help(_)) => overlay::last_help_top(state),
        Some(Overlay::Rendered { .. }) => rendered::last_top(state),
        Some(Overlay::Messages { .. }) => overlay::last_messages_top(state),
        _ => 0,
    };
    if let Some(Overlay::Help(Help { top, .. }) | Overlay::Rendered { top } | Overlay::Messages { top }) =
        &mut state.overlay
    {
        *top = top.saturating_add_signed(by).min(last);
    }
}

/// How many rows an action moves by.
pub(super) fn rows(action: Action) -> isize {
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
        Ask::SaveAs => return files::save_as(state, answer),
        Ask::Export(format) => return export::named(state, format, answer),
        Ask::SessionName => match sessions::rename(state, answer.text()) {
            Ok(effects) => return effects,
            Err(error) => {
                let error = Some(error);
                state.overlay = Some(Overlay::Question(Question { ask, answer, error }));
            }
        },
        Ask::Command => match vim::command(state, answer.text()) {
            Ok(effects) => return effects,
            Err(error) => {
                let error = Some(error);
                state.overlay = Some(Overlay::Question(Question { ask, answer, error }));
            }
        },
        Ask::Line => {
            let Some((line, column)) = line_and_column(answer.text()) else {
                let error = Some("a whole number from 1, or line:column".to_owned());
                state.overlay = Some(Overlay::Question(Question { ask, answer, error }));
                return Vec::new();
            };
            if let Some(buffer) = state.focused_text_mut() {
                let text = buffer.line(line - 1);
                let byte = text.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| at);
                buffer.go_to(Place { line: line - 1, byte });
            }
        }
    }
    Vec::new()
}

/// `12` or `12:5`, both from 1.
fn line_and_column(text: &str) -> Option<(usize, usize)> {
    let (line, column) = text.split_once(':').unwrap_or((text, "1"));
    let number = |text: &str| text.trim().parse().ok().filter(|&n: &usize| n > 0);
    Some((number(line)?, number(column)?))
}
