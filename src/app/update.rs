//! The reducer: what happens to the [`State`] when something happens, and what is to be done then.
//!
//! It must never read a clock, a file or a channel, nor start anything: a test, a replay and the
//! running program all get the same states from the same events.

use std::sync::Arc;

use super::event::{Checked, Effect, Event, Wake};
use super::state::State;
use super::store::snapshot;
use super::tour::Look;

mod cases;
mod chat;
mod clipboard;
mod compare;
mod edit;
mod export;
mod files;
mod find;
mod inspector;
mod keys;
mod layout;
mod marking;
mod menu;
mod models;
mod names;
mod output;
mod outside;
mod overlay;
mod pointer;
mod run;
mod runs;
mod sessions;
mod settings;
mod store;
mod tour;
mod travel;
mod vim;
mod whereabouts;

/// What is to be done at the start.
pub fn init(state: &State) -> Vec<Effect> {
    let mut effects = vec![check(state), Effect::Warm(state.language), Effect::CaptureMouse(state.mouse)];
    effects.extend(store::init(state));
    effects.extend(state.loading.iter().map(|loading| Effect::Load(state.load, loading.wanted.clone())));
    effects
}

/// Takes in an event.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let revision = state.grammar.buffer.revision();
    let before = Look::at(state);
    let is_kept = store::is_of_interest(&event);
    let mut effects = match event {
        Event::Key(key) => {
            let effects = keys::press(state, key);
            state.toasts.somebody_is_there();
            keys::reveal(state);
            effects
        }
        Event::Paste(text) => {
            let effects = keys::paste(state, &text);
            keys::reveal(state);
            effects
        }
        Event::Mouse(mouse) => pointer::mouse(state, mouse),
        Event::Resize(width, height) => {
            state.size = (width, height);
            keys::reveal(state);
            Vec::new()
        }
        Event::Model(id, event) => models::happened(state, id, event),
        Event::Models(catalog) => {
            state.picker.catalog = Some(catalog);
            Vec::new()
        }
        Event::Broken(message) => {
            models::broken(state, message);
            Vec::new()
        }
        Event::Checked(revision, result) => {
            checked(state, revision, result);
            Vec::new()
        }
        Event::Tested(revision, vocabulary, result) => {
            cases::tested(state, revision, &vocabulary, result);
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
        Event::Sampled(revision, name, samples) => {
            names::sampled(state, revision, name, samples);
            Vec::new()
        }
        Event::Located(id, answer) => {
            whereabouts::answered(state, id, answer);
            Vec::new()
        }
        Event::Edited(id, edited) => {
            outside::returned(state, id, edited);
            Vec::new()
        }
        Event::Exported(told) => {
            export::happened(state, told);
            Vec::new()
        }
        Event::Files(event) => files::happened(state, event),
        Event::Store(answer) => store::answered(state, answer),
        Event::Wake(wake) => woken(state, wake),
    };
    find::refresh(state);
    vim::settle(state);
    if state.grammar.buffer.revision() != revision {
        effects.push(check(state));
    }
    effects.extend(run::start_if_ready(state));
    if let Some(vocabulary) = &state.run.vocabulary {
        state.inspector.search(vocabulary);
    }
    effects.extend(names::watch(state));
    effects.extend(whereabouts::watch(state));
    tour::watch(state, &before, &effects);
    state.list_run();
    if is_kept {
        effects.extend(store::watch(state));
    }
    effects.extend(state.toasts.alarms());
    effects
}

/// The time that was asked for has passed.
fn woken(state: &mut State, wake: Wake) -> Vec<Effect> {
    match wake {
        Wake::Toast(id) => state.toasts.wake(id),
        Wake::Click => state.pointer.rest(),
        Wake::Autosave => return snapshot::changes(state),
    }
    Vec::new()
}

/// Scrolls the editors to their carets.
pub(super) fn reveal(state: &mut State) {
    keys::reveal(state);
}

fn check(state: &State) -> Effect {
    let grammar = &state.grammar;
    Effect::Check(grammar.buffer.revision(), grammar.source(), grammar.beside())
}

/// A result for a text or a model that has changed since is dropped: the check of what there is now
/// is on its way.
fn checked(state: &mut State, revision: u64, result: Checked) {
    let is_current = state.model.vocabulary().is_some_and(|v| Arc::ptr_eq(v, &result.vocabulary));
    let grammar = &mut state.grammar;
    if revision != grammar.buffer.revision() || !is_current {
        return;
    }
    grammar.checked = Some(revision);
    grammar.diagnostics = result.diagnostics;
    grammar.compiled = result.compiled;
    grammar.symbols = result.symbols;
    if grammar.compiled.is_none() {
        grammar.cases = None;
    }
}
