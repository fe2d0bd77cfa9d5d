//! Beginning, skipping and ending the hints for the first minutes.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::state::State;
use crate::app::tour::{Look, Tour};

/// Shows the hints from the first on, or no more.
pub(super) fn toggle(state: &mut State) {
    match state.tour {
        Tour::On(_) => skip(state),
        Tour::Ahead | Tour::Over => state.tour = Tour::begin(),
    }
}

/// Ends the hints, if they are shown: the person does not want them.
pub(super) fn skip(state: &mut State) {
    if state.tour.hint().is_some() {
        state.tour = Tour::Over;
        let key = state.keymap.first_key(Action::Tour);
        state.say(format!("{key} shows the hints again."));
    }
}

/// Goes on to the next hint if what the one on the screen says was done.
pub(super) fn watch(state: &mut State, before: &Look, effects: &[Effect]) {
    let after = Look::at(state);
    if state.tour.watch(before, &after, effects) {
        let key = state.keymap.first_key(Action::Help);
        state.say(format!("That was the last hint. {key} shows every key."));
    }
}
