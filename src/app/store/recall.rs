//! From what was saved to the state. What cannot be used is left as it is.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::action::Action;
use crate::app::editor::EditorBuffer;
use crate::app::language::Language;
use crate::app::runs::Purpose;
use crate::app::state::State;
use crate::app::update;
use crate::engine::GrammarSource;
use crate::engine::chat::ModeChoice;
use crate::store::looks::Looks;
use crate::store::session::{Session, Text};
use crate::ui::wrap::Place;

use super::settings;

/// What the flags and the environment say, which wins over what was saved.
#[derive(Clone, Debug, Default)]
pub struct Explicit {
    /// A grammar.
    pub grammar: bool,
    /// A prompt.
    pub prompt: bool,
    /// A prompt's mode.
    pub mode: bool,
    /// A system prompt.
    pub system: bool,
    /// Thinking.
    pub thinking: bool,
    /// Settings, by their names.
    pub settings: Vec<&'static str>,
}

/// Puts the looks of the last time onto the screen.
pub fn looks(state: &mut State, looks: &Looks, explicit: &Explicit) {
    let theme = looks.theme.clone().map(|value| ("theme".to_owned(), value));
    let mouse = looks.mouse.map(|value| ("mouse".to_owned(), value.to_string()));
    for (name, value) in theme.into_iter().chain(mouse) {
        set(state, &name, &value, explicit);
    }
    put(&mut state.layout, &looks.layout);
    put(&mut state.look, &looks.look);
    put(&mut state.graphs, &looks.graphs);
    put(&mut state.tour, &looks.tour);
    state.files.recents = looks.recents.iter().map(std::path::PathBuf::from).collect();
    let action = |name: &String| Action::ALL.iter().find(|action| action.key_name() == *name).copied();
    state.used = looks.used.iter().filter_map(action).collect();
}

/// Sets a setting, unless a flag or the environment has; then it is kept for a start without them.
fn set(state: &mut State, name: &str, value: &str, explicit: &Explicit) {
    if explicit.settings.contains(&name) {
        state.store.hidden.push((name.to_owned(), value.to_owned()));
    } else {
        settings::apply(state, name, value);
    }
}

/// Puts a session into the editors. At the start, flags win for what they name, and what they replace
/// goes to the history; later there are none, and what is replaced can be had again by undoing.
pub fn session(state: &mut State, session: &Session, start: Option<&Explicit>) {
    let none = Explicit::default();
    let explicit = start.unwrap_or(&none);
    let text = |buffer: &mut EditorBuffer, text: &Text| put_text(buffer, text, start.is_some());
    if explicit.grammar {
        let before =
            GrammarSource::new(session.grammar.kind, &session.grammar.name, &*session.grammar.text.text);
        if before.text != state.grammar.buffer.text() {
            state.history.keep(&before);
        }
    } else {
        text(&mut state.grammar.buffer, &session.grammar.text);
        (state.grammar.kind, state.grammar.name) = (session.grammar.kind, session.grammar.name.clone());
        state.grammar.forget();
        state.draft_of(session.grammar.file.clone());
        let language = Language::ALL.iter().find(|l| l.name() == session.language);
        state.language = language.copied().unwrap_or_default();
    }
    if explicit.prompt {
        let before = crate::store::history::Addition::Prompt(session.prompt.text.clone());
        state.history.add(before);
    } else {
        text(&mut state.prompt, &session.prompt);
    }
    if !explicit.mode {
        state.chat.choice = match session.mode.as_str() {
            "raw" => ModeChoice::Raw,
            "chat" => ModeChoice::Chat,
            _ => ModeChoice::Auto,
        };
    }
    if !explicit.system {
        text(&mut state.chat.system, &session.system);
    }
    state.chat.shows_system = session.shows_system;
    if !explicit.thinking {
        state.chat.thinks = session.thinks;
        state.chat.budget =
            if session.budget > 0 { session.budget.min(1_000_000) } else { state.chat.budget };
    }
    state.store.hidden.retain(|(name, _)| ["theme", "mouse"].contains(&name.as_str()));
    for (name, value) in &session.settings {
        set(state, name, value, explicit);
    }
    put(&mut state.focus, &Value::String(session.focus.clone()));
    state.runs.recall(&session.runs);
    state.run = crate::app::state::Run::default();
    state.runs.reading = state.runs.newest().map(|newest| (newest, Purpose::Recall));
    update::reveal(state);
}

/// Puts a text into an editor. At the start nobody has typed anything yet: there is nothing to undo.
fn put_text(buffer: &mut EditorBuffer, saved: &Text, is_start: bool) {
    if is_start {
        *buffer = EditorBuffer::new(&saved.text);
    } else if buffer.text() != *saved.text {
        buffer.set_text(&saved.text);
    }
    buffer.go_to(Place { line: saved.line, byte: saved.byte });
}

/// Puts a saved value in place of another, if it is one.
fn put<T: DeserializeOwned>(to: &mut T, saved: &Value) {
    if let Ok(value) = T::deserialize(saved) {
        *to = value;
    }
}
