//! Loading models and picking among them.

use crate::app::action::Action;
use crate::app::event::{Effect, LoadId, ModelEvent, Wanted};
use crate::app::field::Field;
use crate::app::state::{Loading, ModelState, Overlay, RunStatus, State};
use crate::ui::overlay::models as look;

/// Opens the picker. What is in the cache may have changed since the last time.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.picker.query = Field::default();
    state.overlay = Some(Overlay::Models { selected: 0 });
    vec![Effect::ListModels]
}

/// What a key does in the picker.
pub(super) fn act(state: &mut State, selected: usize, action: Action) -> Vec<Effect> {
    match action {
        Action::Enter => return pick(state, selected),
        Action::Up | Action::PreviousPane => scroll(state, -1),
        Action::Down | Action::NextPane => scroll(state, 1),
        Action::PageUp => scroll(state, -10),
        Action::PageDown => scroll(state, 10),
        Action::Home | Action::TextStart => scroll(state, isize::MIN),
        Action::End | Action::TextEnd => scroll(state, isize::MAX),
        _ if state.picker.query.act(action) => state.overlay = Some(Overlay::Models { selected: 0 }),
        _ => {}
    }
    Vec::new()
}

/// Moves in the list.
pub(super) fn scroll(state: &mut State, by: isize) {
    let Some(Overlay::Models { selected }) = state.overlay else { return };
    let last = state.picker.rows().len().saturating_sub(1);
    let selected = selected.min(last).saturating_add_signed(by).min(last);
    state.overlay = Some(Overlay::Models { selected });
}

/// Picks the row that was clicked on.
pub(super) fn click(state: &mut State, column: u16, row: u16) -> Vec<Effect> {
    look::row_at(state, column, row).map_or_else(Vec::new, |row| pick(state, row))
}

/// Puts text into the line of the picker.
pub(super) fn type_text(state: &mut State, text: &str) {
    state.picker.query.insert(text);
    state.overlay = Some(Overlay::Models { selected: 0 });
}

fn pick(state: &mut State, selected: usize) -> Vec<Effect> {
    let Some(wanted) = state.picker.rows().get(selected).map(|row| row.wanted()) else { return Vec::new() };
    state.overlay = None;
    load(state, wanted)
}

/// Loads the model in use again, to where models are wanted now.
pub(super) fn reload(state: &mut State) -> Vec<Effect> {
    let loading = state.loading.as_ref().map(|loading| loading.wanted.clone());
    let wanted = loading.or_else(|| state.picker.in_use.clone());
    wanted.map_or_else(Vec::new, |wanted| load(state, wanted))
}

/// Asks for a model. The one in use stays until the new one is there.
fn load(state: &mut State, wanted: Wanted) -> Vec<Effect> {
    state.load = LoadId(state.load.0 + 1);
    state.loading = Some(Loading::new(wanted.clone()));
    vec![Effect::Load(state.load, wanted)]
}

/// Ends the load under way; `None` if there is none.
pub(super) fn cancel(state: &mut State) -> Option<Vec<Effect>> {
    let loading = state.loading.take()?;
    // Whatever it still tells is not listened to.
    state.load = LoadId(state.load.0 + 1);
    state.say(format!("Loading {} was cancelled.", loading.wanted));
    Some(vec![Effect::CancelLoad])
}

/// Takes in what a load tells. One that nobody waits for any more is not listened to.
pub(super) fn happened(state: &mut State, id: LoadId, event: ModelEvent) -> Vec<Effect> {
    if id != state.load {
        return Vec::new();
    }
    match event {
        ModelEvent::Loading(what, share) => {
            if let Some(loading) = &mut state.loading {
                (loading.what, loading.share) = (what, share);
            }
            Vec::new()
        }
        ModelEvent::Ready(info, vocabulary) => {
            if let Some(loading) = state.loading.take() {
                state.store.model = Some(loading.wanted.to_string());
                state.store.fallback = None;
                state.picker.in_use = Some(loading.wanted);
            }
            state.model = ModelState::Ready(info, vocabulary.clone());
            state.name_tokens(Some(&vocabulary));
            // What was compiled is for other tokens.
            state.grammar.forget_check();
            vec![Effect::Use(id, vocabulary), super::check(state)]
        }
        ModelEvent::Failed(message) => {
            let loading = state.loading.take();
            state.warn(message.clone());
            // The model of the last time is gone: the one of the settings takes its place.
            if let Some(model) = state.store.fallback.take() {
                return load(state, Wanted::Model(model));
            }
            let mut effects = Vec::new();
            if let (Some(Loading { wanted: Wanted::Named(name), .. }), None) = (loading, &state.overlay) {
                // What was typed is at hand to be mended.
                effects = open(state);
                state.picker.query = Field::new(&name);
            }
            wait_no_more(state);
            if state.model.vocabulary().is_none() {
                state.model = ModelState::Failed(message);
            }
            effects
        }
    }
}

/// The engine of the model in use is gone. Its run, if it had one, has said so.
pub(super) fn broken(state: &mut State, message: String) {
    state.warn(message.clone());
    state.model = ModelState::Failed(message);
    if state.loading.is_none() {
        wait_no_more(state);
    }
}

/// A run that waits for a model that does not come is not asked for any more.
fn wait_no_more(state: &mut State) {
    if let RunStatus::Waiting { .. } = state.run.status {
        state.run.rest();
    }
}
