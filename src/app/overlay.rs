//! What floats above the panes: one thing at a time, which takes the keys.

use super::compare::Compare;
use super::help::Help;
use super::menu::{Menu, MenuKind, Pick, Row};
use super::question::{Confirm, Question};
use super::settings::Settings;
use super::state::State;
use crate::ui::theme::ThemeName;

/// What floats above the panes and takes the keys.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// The keys.
    Help(Help),
    /// What the program has said.
    Messages {
        /// The first row shown.
        top: usize,
    },
    /// The prompt as the model reads it.
    Rendered {
        /// The first row shown.
        top: usize,
    },
    /// The models to pick from, and a line to type into.
    Models {
        /// The row the person is at.
        selected: usize,
    },
    /// A list that is searched by typing.
    Menu(Menu),
    /// A question with a line for its answer.
    Question(Question),
    /// A question that is answered by one letter.
    Confirm(Confirm),
    /// The settings.
    Settings(Settings),
    /// Two runs side by side.
    Compare(Compare),
    /// A case of the grammar.
    Case {
        /// Its place in the report.
        index: usize,
        /// The first row shown; none to show the byte that is not allowed.
        top: Option<usize>,
    },
}

impl Overlay {
    /// Whether keys type text into it.
    pub fn takes_text(&self) -> bool {
        match self {
            Self::Models { .. } | Self::Menu(_) | Self::Question(_) | Self::Help(_) => true,
            Self::Settings(settings) => settings.edited.is_some(),
            Self::Rendered { .. }
            | Self::Messages { .. }
            | Self::Compare(_)
            | Self::Confirm(_)
            | Self::Case { .. } => false,
        }
    }
}

impl State {
    /// The colours on the screen: those that are chosen, or that are looked at in the menu of themes.
    pub fn shown_theme(&self) -> ThemeName {
        match &self.overlay {
            Some(Overlay::Menu(menu)) if menu.kind == MenuKind::Themes => match menu.chosen(self) {
                Some(Row { pick: Pick::Theme(theme), .. }) => theme,
                _ => self.theme.clone(),
            },
            _ => self.theme.clone(),
        }
    }
}
