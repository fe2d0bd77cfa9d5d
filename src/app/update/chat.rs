//! The keys about chats: the mode, the system prompt, thinking, and the prompt as the model reads it.

use crate::app::action::Action;
use crate::app::chat::Rendered;
use crate::app::event::Effect;
use crate::app::state::{ModelState, Overlay, Pane, State};
use crate::engine::chat::ModeChoice;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::PromptMode => switch(state),
        Action::SystemPrompt if wants_chat(state, "The system prompt") => {
            state.chat.shows_system = !state.chat.shows_system;
            state.focus = Pane::Prompt;
        }
        Action::Thinking if wants_chat(state, "Thinking") => think(state),
        Action::Rendered => return look(state),
        _ => {}
    }
    Vec::new()
}

/// From raw to chat, and back.
fn switch(state: &mut State) {
    if state.is_chat() {
        state.chat.choice = ModeChoice::Raw;
        state.chat.shows_system = false;
        state.say("Raw: the model writes on from the prompt as it is.");
    } else if matches!(state.model, ModelState::Ready(..)) && !state.has_template() {
        state.warn("The model has no chat template: it can only write on from the prompt.");
    } else {
        state.chat.choice = ModeChoice::Chat;
        state.say("Chat: the prompt goes into the model's own template.");
    }
}

/// From answering at once to thinking first, and back.
fn think(state: &mut State) {
    let thinks = !state.chat.thinks;
    if thinks && state.model.vocabulary().is_some_and(|v| !thinks_at_all(v)) {
        state.warn("The model's chat template has no mark for thinking: it answers at once.");
        return;
    }
    state.chat.thinks = thinks;
    state.say(if thinks {
        format!("The model thinks first, in up to {} tokens.", state.chat.budget)
    } else {
        "The model answers at once.".to_owned()
    });
}

/// Whether the model's template tells where a thought ends.
fn thinks_at_all(vocabulary: &Vocabulary) -> bool {
    vocabulary.chat().is_some_and(|template| template.thinking(vocabulary).is_some())
}

/// Whether the mode is chat; if not, says that `what` needs it.
fn wants_chat(state: &mut State, what: &str) -> bool {
    let is_chat = state.is_chat();
    if !is_chat {
        let key = state.keymap.first_key(Action::PromptMode);
        state.say(format!("{what} is for chats; {key} switches between raw and chat."));
    }
    is_chat
}

/// Asks for the prompt as the model reads it.
fn look(state: &mut State) -> Vec<Effect> {
    let ModelState::Ready(_, vocabulary) = &state.model else {
        state.say("The prompt can be looked at when the model is loaded.");
        return Vec::new();
    };
    let number = state.chat.rendered.number + 1;
    let effect = Effect::Render {
        number,
        vocabulary: vocabulary.clone(),
        prompt: state.prompt.text(),
        mode: Box::new(state.mode()),
    };
    state.chat.rendered = Rendered { number, tokens: None };
    state.overlay = Some(Overlay::Rendered { top: 0 });
    vec![effect]
}

/// Takes in the prompt as the model reads it, unless another look has been asked for since.
pub(super) fn rendered(state: &mut State, number: u64, tokens: Result<Vec<TokenId>, String>) {
    if number == state.chat.rendered.number {
        state.chat.rendered.tokens = Some(tokens);
    }
}
