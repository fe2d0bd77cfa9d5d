//! Editing a text in the person's own editor: handing it over, and taking it back.

use crate::app::event::{Edited, Effect};
use crate::app::outside::Draft;
use crate::app::state::State;
use crate::app::texts::TextId;

/// Hands a text over. The terminal goes with it.
pub(super) fn open(state: &mut State, id: TextId) -> Vec<Effect> {
    let draft = Draft { id, text: state.text(id).text(), extension: state.extension(id) };
    vec![Effect::EditOutside(Box::new(draft))]
}

/// Takes the text back, in one change that can be undone.
pub(super) fn returned(state: &mut State, id: TextId, edited: Edited) {
    match edited {
        Edited::Changed(text) => {
            state.text_mut(id).replace_text(&text);
            super::keys::reveal(state);
            state.say(format!("The {} is as your editor has saved it.", id.name()));
        }
        Edited::Unchanged => state.say(format!("The {} is unchanged.", id.name())),
        Edited::Failed(reason) => state.warn(reason),
    }
}
