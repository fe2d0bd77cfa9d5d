//! The reducer: what happens to the [`State`] when something happens, and what is to be done then.
//!
//! It must never read a clock, a file or a channel, nor start anything: a test, a replay and the
//! running program all get the same states from the same events.

use super::event::{Checked, Effect, Event, ModelEvent};
use super::state::{ModelState, RunStatus, State};

mod chat;
mod keys;
mod pointer;
mod run;

/// What is to be done at the start.
pub fn init(state: &State) -> Vec<Effect> {
    vec![check(state), Effect::Warm(state.language), Effect::CaptureMouse(state.mouse)]
}

/// Takes in an event.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let revision = state.grammar.buffer.revision();
    let mut effects = match event {
        Event::Key(key) => {
            state.message = None;
            let effects = keys::press(state, key);
            keys::reveal(state);
            effects
        }
        Event::Paste(text) => {
            keys::paste(state, &text);
            keys::reveal(state);
            Vec::new()
        }
        Event::Mouse(mouse) => pointer::mouse(state, mouse),
        Event::Resize(width, height) => {
            state.size = (width, height);
            keys::reveal(state);
            Vec::new()
        }
        Event::Model(event) => {
            model(state, event);
            Vec::new()
        }
        Event::Checked(revision, result) => {
            checked(state, revision, result);
            Vec::new()
        }
        Event::Rendered(number, tokens) => {
            chat::rendered(state, number, tokens);
            Vec::new()
        }
        Event::Run(id, event) => {
            run::happened(state, id, event);
            Vec::new()
        }
    };
    if state.grammar.buffer.revision() != revision {
        effects.push(check(state));
    }
    effects.extend(run::start_if_ready(state));
    effects
}

fn check(state: &State) -> Effect {
    Effect::Check(state.grammar.buffer.revision(), state.grammar.source())
}

fn model(state: &mut State, event: ModelEvent) {
    state.model = match event {
        ModelEvent::Loading(what, share) => ModelState::Loading(what, share),
        ModelEvent::Ready(info, vocabulary) => ModelState::Ready(info, vocabulary),
        ModelEvent::Failed(message) => {
            // A run goes down with its model; one that waits for it waits no more.
            state.run.status = if state.run.trace.is_some() { RunStatus::Ended } else { RunStatus::Idle };
            state.warn(message.clone());
            ModelState::Failed(message)
        }
    };
}

/// A result for a text that has changed since is dropped: the check of the new one is on its way.
fn checked(state: &mut State, revision: u64, result: Checked) {
    let grammar = &mut state.grammar;
    if revision != grammar.buffer.revision() {
        return;
    }
    grammar.checked = Some(revision);
    grammar.diagnostics = result.diagnostics;
    grammar.compiled = result.compiled;
}
