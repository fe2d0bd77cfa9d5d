//! Looking at an earlier run again, and coming back.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::menu::MenuKind;
use crate::app::runs::Purpose;
use crate::app::state::State;
use crate::app::store::Ask;

use super::{menu, output};

/// Opens the list of the runs.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    menu::open(state, MenuKind::Runs)
}

/// Puts a run on the screen. One that is on the disk is read first.
pub(super) fn show(state: &mut State, number: u32) -> Vec<Effect> {
    if state.run.status.is_live() {
        let key = state.keymap.first_key(Action::Close);
        state.say(format!("A run is under way; {key} stops it, then earlier ones can be looked at."));
        return Vec::new();
    }
    state.run.rest();
    if !state.show_run(number) {
        state.runs.reading = Some((number, Purpose::Show));
        return vec![Effect::Store(Ask::Run(number))];
    }
    output::select(state, state.run.selected);
    if state.shows_earlier_run() {
        let key = state.keymap.first_key(Action::Close);
        state.say(format!("Run {number}, as it was; {key} goes back to the newest."));
    }
    Vec::new()
}

/// Goes back to the newest run, if an earlier one is on the screen.
pub(super) fn back(state: &mut State) -> Option<Vec<Effect>> {
    let newest = state.runs.newest().filter(|_| state.shows_earlier_run())?;
    Some(show(state, newest))
}
