//! What keys and the mouse do in a menu, and what its rows are for.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::field::Field;
use crate::app::menu::{Menu, MenuKind, Pick};
use crate::app::state::{Overlay, Pane, State};
use crate::ui::overlay::menu as look;

use super::{cases, compare, export, files, keys, names, runs, sessions};

/// Opens a menu, at what there is already.
pub(super) fn open(state: &mut State, kind: MenuKind) -> Vec<Effect> {
    state.overlay = Some(Overlay::Menu(Menu::at_current(kind, state)));
    Vec::new()
}

/// Takes in an action.
pub(super) fn act(state: &mut State, mut menu: Menu, action: Action) -> Vec<Effect> {
    let page = look::page(state, &menu) as isize;
    let by = match action {
        Action::Enter => return choose(state, &menu),
        Action::NextPane if menu.kind == MenuKind::Open && menu.query.text().contains(['/', '~', '.']) => {
            return files::complete(menu.query.text());
        }
        Action::Up | Action::PreviousPane => -1,
        Action::Down | Action::NextPane => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::Home | Action::TextStart => isize::MIN,
        Action::End | Action::TextEnd => isize::MAX,
        // At the end of what is typed there is nothing to delete but the row.
        Action::DeleteRight if menu.query.caret() == menu.query.text().len() => {
            let delete = menu.chosen(state).and_then(|row| row.delete);
            return delete.map_or_else(Vec::new, |delete| pick(state, delete));
        }
        _ => {
            if menu.query.act(action) {
                menu.selected = 0;
                state.overlay = Some(Overlay::Menu(menu));
            }
            return Vec::new();
        }
    };
    scroll(state, menu, by);
    Vec::new()
}

/// Moves in the list.
pub(super) fn scroll(state: &mut State, mut menu: Menu, by: isize) {
    let last = menu.found(state).len().saturating_sub(1);
    menu.selected = menu.selected.min(last).saturating_add_signed(by).min(last);
    state.overlay = Some(Overlay::Menu(menu));
}

/// Chooses the row that was clicked on.
pub(super) fn click(state: &mut State, mut menu: Menu, column: u16, row: u16) -> Vec<Effect> {
    let Some(clicked) = look::row_at(state, &menu, column, row) else { return Vec::new() };
    menu.selected = clicked;
    state.overlay = Some(Overlay::Menu(menu.clone()));
    choose(state, &menu)
}

/// Does what the selected row is for, unless it cannot be done now; the menu says why.
fn choose(state: &mut State, menu: &Menu) -> Vec<Effect> {
    let Some(row) = menu.chosen(state).filter(|row| row.blocked.is_none()) else { return Vec::new() };
    if let Pick::Type(text) = &row.pick {
        let menu = Menu { query: Field::new(text), selected: 0, ..menu.clone() };
        state.overlay = Some(Overlay::Menu(menu));
        return files::complete(text);
    }
    state.overlay = None;
    if let (MenuKind::Commands, Pick::Act(action)) = (menu.kind, &row.pick) {
        state.used.retain(|used| used != action);
        state.used.insert(0, *action);
    }
    pick(state, row.pick)
}

/// Does what a row is for. The menu is closed before, unless the row is deleted.
pub(super) fn pick(state: &mut State, pick: Pick) -> Vec<Effect> {
    match pick {
        Pick::Act(action) => keys::act(state, action),
        Pick::Example(_) | Pick::File(_) | Pick::New(_) | Pick::Grammar(_) => files::open(state, pick),
        Pick::Theme(theme) => {
            state.theme = theme;
            Vec::new()
        }
        Pick::Prompt(text) => {
            state.prompt.set_text(&text);
            state.chat.shows_system = false;
            keys::focus(state, Pane::Prompt);
            Vec::new()
        }
        Pick::Jump(offset) => {
            names::jump(state, offset);
            Vec::new()
        }
        Pick::Run(number) => runs::show(state, number),
        Pick::CompareWith(number) => compare::with(state, number),
        Pick::Session(name) => sessions::go(state, name),
        Pick::SaveSession(name) => sessions::save_as(state, name),
        Pick::RenameSession => sessions::ask_name(state),
        Pick::AskDelete(name) => sessions::ask_delete(state, name),
        Pick::DeleteSession(name) => sessions::delete(state, name),
        Pick::Export(format) => export::ask(state, format),
        Pick::Case(index) => cases::look(state, index),
        Pick::Type(_) => Vec::new(),
    }
}
