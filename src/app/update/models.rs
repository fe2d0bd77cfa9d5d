//! Loading models and picking among them.

use crate::app::action::Action;
use crate::app::event::{Effect, LoadId, ModelEvent, Wanted};
use crate::app::state::{Loading, ModelState, Overlay, RunStatus, State};

/// Opens the picker. What is in the cache may have changed since the last time.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.picker.query.clear();
    state.overlay = Some(Overlay::Models { selected: 0 });
    vec![Effect::ListModels]
}

/// What a key does in the picker.
pub(super) fn act(state: &mut State, selected: usize, action: Action) -> Vec<Effect> {
    let last = state.picker.rows().len().saturating_sub(1);
    let by: isize = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -10,
        Action::PageDown => 10,
        Action::Enter => return pick(state, selected),
        Action::DeleteLeft => {
            state.picker.query.pop();
            isize::MIN
        }
        Action::DeleteWord | Action::DeleteToEnd => {
            state.picker.query.clear();
            isize::MIN
        }
        _ => return Vec::new(),
    };
    let selected = selected.saturating_add_signed(by).min(last);
    state.overlay = Some(Overlay::Models { selected });
    Vec::new()
}

/// Puts text into the line of the picker.
pub(super) fn type_text(state: &mut State, text: &str) {
    state.picker.query.push_str(text.lines().next().unwrap_or_default());
    state.overlay = Some(Overlay::Models { selected: 0 });
}

fn pick(state: &mut State, selected: usize) -> Vec<Effect> {
    let Some(wanted) = state.picker.rows().get(selected).map(|row| row.wanted()) else { return Vec::new() };
    state.overlay = None;
    load(state, wanted)
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
            state.loading = None;
            state.model = ModelState::Ready(info, vocabulary.clone());
            // What was compiled is for other tokens.
            (state.grammar.checked, state.grammar.compiled) = (None, None);
            vec![Effect::Use(id, vocabulary), super::check(state)]
        }
        ModelEvent::Failed(message) => {
            state.loading = None;
            state.warn(message.clone());
            wait_no_more(state);
            if state.model.vocabulary().is_none() {
                state.model = ModelState::Failed(message);
            }
            Vec::new()
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
