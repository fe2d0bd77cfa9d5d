//! Opening, naming and deleting sessions.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::menu::MenuKind;
use crate::app::question::{Ask as Asked, Question};
use crate::app::state::{Overlay, State};
use crate::app::store::{Ask, snapshot};
use crate::store::name;

use super::menu;

/// Opens the list of the sessions, as they are on the disk now.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !state.store.is_on() {
        state.say("Nothing is kept: maze was started with --fresh, or MAZE_STATE is empty.");
        return Vec::new();
    }
    state.store.deleting = None;
    let mut effects = menu::open(state, MenuKind::Sessions);
    effects.push(Effect::Store(Ask::List));
    effects
}

/// Goes to another session.
pub(super) fn go(state: &mut State, name: String) -> Vec<Effect> {
    if is_busy(state) || state.store.session.as_ref() == Some(&name) {
        return Vec::new();
    }
    let save = Box::new(snapshot::last(state));
    vec![Effect::Store(Ask::Open(name, save))]
}

/// Goes on with everything in a new session.
pub(super) fn save_as(state: &mut State, name: String) -> Vec<Effect> {
    if is_busy(state) {
        return Vec::new();
    }
    let save = Box::new(snapshot::last(state));
    vec![Effect::Store(Ask::SaveAs(name, save))]
}

/// A run would go on in a session that it does not belong to.
fn is_busy(state: &mut State) -> bool {
    let is_busy = state.run.status.is_live();
    if is_busy {
        let key = state.keymap.first_key(Action::Close);
        state.say(format!("A run is under way; {key} stops it, then another session can be opened."));
    }
    is_busy
}

/// Asks for a new name of the open session.
pub(super) fn ask_name(state: &mut State) -> Vec<Effect> {
    let name = state.store.session.clone().unwrap_or_default();
    state.overlay = Some(Overlay::Question(Question::new(Asked::SessionName, &name)));
    Vec::new()
}

/// Takes in the new name.
///
/// # Errors
/// What is wrong with it.
pub(super) fn rename(state: &mut State, answer: &str) -> Result<Vec<Effect>, String> {
    let name = name::check(answer)?;
    if state.store.session.as_ref() == Some(&name) {
        return Ok(Vec::new());
    }
    Ok(vec![Effect::Store(Ask::Rename(name))])
}

/// Asks whether a session is really to be deleted.
pub(super) fn ask_delete(state: &mut State, name: String) -> Vec<Effect> {
    state.store.deleting = Some(name);
    menu::open(state, MenuKind::DeleteSession)
}

/// Deletes a session, and shows those that are left.
pub(super) fn delete(state: &mut State, name: String) -> Vec<Effect> {
    state.store.sessions.retain(|session| session.name != name);
    let mut effects = vec![Effect::Store(Ask::Delete(name))];
    effects.extend(open(state));
    effects
}
