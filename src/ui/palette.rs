//! The colours of the shipped themes for pages that are made of runs.

use ratatui::style::Color;

use crate::engine::export::{Colours, Palette, Rgb};

use super::heat;
use super::theme::{Role, Theme, ThemeName};

/// The colours of the first light and the first dark theme.
pub fn palette() -> Palette {
    Palette {
        light: colours(&Theme::shipped(ThemeName::Light)),
        dark: colours(&Theme::shipped(ThemeName::Dark)),
    }
}

fn colours(theme: &Theme) -> Colours {
    let base = (rgb(theme.base().bg), rgb(theme.base().fg));
    let text = |role| rgb(theme.style(role).fg);
    let selected = theme.style(Role::Selected);
    Colours {
        base,
        selected: (rgb(selected.bg), rgb(selected.fg)),
        heat: heat::scale(theme).map(|style| (rgb(style.bg), rgb(style.fg))),
        boundary: rgb(theme.style(Role::Boundary).bg),
        dim: text(Role::Dim),
        border: text(Role::Border),
        accent: text(Role::TitleFocused),
        forced: text(Role::Forced),
        thinking: text(Role::Thinking),
        bar: text(Role::Bar),
        bar_rejected: text(Role::BarRejected),
        rejected: text(Role::Rejected),
        chosen: text(Role::Chosen),
        graph: text(Role::Graph),
    }
}

/// Shipped themes name all their colours; a grey that can be seen on any ground stands for one that is
/// not.
fn rgb(color: Option<Color>) -> Rgb {
    match color {
        Some(Color::Rgb(r, g, b)) => [r, g, b],
        _ => [0x80; 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_is_light_and_dark_is_dark() {
        let Palette { light, dark } = palette();
        let sum = |rgb: Rgb| rgb.map(u32::from).iter().sum::<u32>();
        assert!(sum(light.base.0) > 600 && sum(light.base.1) < 200);
        assert!(sum(dark.base.0) < 150 && sum(dark.base.1) > 500);
        assert_ne!(light.heat[0], light.heat[6]);
    }
}
