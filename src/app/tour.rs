//! Five hints for the first minutes, one at a time. Each goes when the person does what it says, in
//! whatever order; none takes a key or waits for an answer.

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::event::Effect;
use super::keymap::Keymap;
use super::state::{Overlay, State};

/// How far somebody has come. It is saved: nobody is shown the hints twice unasked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tour {
    /// It has not begun.
    #[default]
    Ahead,
    /// These were done; the first that was not is shown.
    On(Vec<Hint>),
    /// All were done, or they were not wanted.
    Over,
}

/// Something to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hint {
    /// Run.
    Run,
    /// Look at a token.
    Select,
    /// Take one step.
    Step,
    /// Change the grammar.
    Edit,
    /// Open the examples or the palette.
    Open,
}

impl Hint {
    /// In the order they are shown.
    pub const ALL: [Self; 5] = [Self::Run, Self::Select, Self::Step, Self::Edit, Self::Open];

    /// Its place in the order, from one.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|&hint| hint == self).unwrap_or(0) + 1
    }

    /// What it says where there is one row for it.
    pub fn brief(self, keymap: &Keymap) -> String {
        let key = |action| keymap.first_key(action);
        match self {
            Self::Run => format!("{} runs: the model writes what the grammar allows.", key(Action::Run)),
            Self::Select => format!(
                "{}, then {} and {}: look at a token.",
                key(Action::FocusOutput),
                key(Action::Left),
                key(Action::Right)
            ),
            Self::Step => format!("{} takes one step at a time.", key(Action::Step)),
            Self::Edit => {
                format!("{} goes to the grammar: change it, and run again.", key(Action::FocusGrammar))
            }
            Self::Open => format!(
                "{} opens examples; {} finds every command.",
                key(Action::Open),
                key(Action::Commands)
            ),
        }
    }

    /// What it says.
    pub fn text(self, keymap: &Keymap) -> String {
        let key = |action| keymap.first_key(action);
        match self {
            Self::Run => format!(
                "{} runs: the model writes on from the prompt, and only what the grammar allows.",
                key(Action::Run)
            ),
            Self::Select => format!(
                "{} goes to the output; {} and {} select a token there. The inspector shows what the \
                 mask removed.",
                key(Action::FocusOutput),
                key(Action::Left),
                key(Action::Right)
            ),
            Self::Step => {
                format!("{} takes one step: see each choice before the next is made.", key(Action::Step))
            }
            Self::Edit => format!(
                "{} goes to the grammar. Change it: it is checked while you type. Then run again.",
                key(Action::FocusGrammar)
            ),
            Self::Open => format!(
                "{} opens examples, each with something to try; {} finds every command.",
                key(Action::Open),
                key(Action::Commands)
            ),
        }
    }
}

impl Tour {
    /// Shows the hints from the first on.
    pub fn begin() -> Self {
        Self::On(Vec::new())
    }

    /// The hint to show.
    pub fn hint(&self) -> Option<Hint> {
        let Self::On(done) = self else { return None };
        Hint::ALL.into_iter().find(|hint| !done.contains(hint))
    }

    /// Marks what was done between two looks; whether that was the last.
    pub fn watch(&mut self, before: &Look, after: &Look, effects: &[Effect]) -> bool {
        let Self::On(done) = self else { return false };
        let is_run = |e: &Effect| matches!(e, Effect::Resume | Effect::Start { paused: false, .. });
        let is_step = |e: &Effect| matches!(e, Effect::Step | Effect::Start { paused: true, .. });
        let is_done = |hint: Hint| match hint {
            Hint::Run => effects.iter().any(is_run),
            Hint::Select => after.selected.is_some() && after.selected != before.selected,
            Hint::Step => effects.iter().any(is_step),
            Hint::Edit => after.revision != before.revision,
            Hint::Open => after.has_menu && !before.has_menu,
        };
        for hint in Hint::ALL {
            if !done.contains(&hint) && is_done(hint) {
                done.push(hint);
            }
        }
        let is_over = self.hint().is_none();
        if is_over {
            *self = Self::Over;
        }
        is_over
    }
}

/// As much of the state as tells whether a hint was followed.
pub struct Look {
    selected: Option<usize>,
    revision: u64,
    has_menu: bool,
}

impl Look {
    /// Looks at the state.
    pub fn at(state: &State) -> Self {
        Self {
            selected: state.run.selected,
            revision: state.grammar.buffer.revision(),
            has_menu: matches!(state.overlay, Some(Overlay::Menu(_))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_its_keys() {
        let keymap = Keymap::default();
        let keys = [&["F5"][..], &["Alt-3", "←", "→"], &["F10"], &["Alt-1"], &["Ctrl-O", "Ctrl-P"]];
        for (hint, keys) in Hint::ALL.into_iter().zip(keys) {
            for text in [hint.text(&keymap), hint.brief(&keymap)] {
                assert!(keys.iter().all(|key| text.contains(key)) && text.ends_with('.'), "{text}");
            }
        }
    }

    #[test]
    fn how_far_somebody_came_is_saved() {
        for (tour, text) in [
            (Tour::Ahead, "\"ahead\""),
            (Tour::On(vec![Hint::Run, Hint::Edit]), "{\"on\":[\"run\",\"edit\"]}"),
            (Tour::Over, "\"over\""),
        ] {
            assert_eq!(serde_json::to_string(&tour).unwrap(), text);
            assert_eq!(serde_json::from_str::<Tour>(text).unwrap(), tour);
        }
    }
}
