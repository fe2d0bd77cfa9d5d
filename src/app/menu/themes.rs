//! The themes: those that are shipped and the person's own.

use crate::app::state::State;
use crate::ui::theme::ThemeName;

use super::{Pick, Row};

/// Every theme, the shipped ones first.
pub(super) fn rows(state: &State) -> Vec<Row> {
    let row = |section, theme: ThemeName| {
        Row::new(section, theme.name(), Pick::Theme(theme.clone()))
            .about(theme.about())
            .current(theme.name() == state.theme.name())
    };
    let own = state.themes.iter().map(|theme| row("Your own", ThemeName::Own(theme.clone())));
    ThemeName::ALL.into_iter().map(|theme| row("Shipped", theme)).chain(own).collect()
}
