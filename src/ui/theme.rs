//! Colours: one `tmTheme` file dresses the whole screen, code and chrome alike.
//!
//! Code takes the usual scopes; everything else takes scopes below `maze.`, one for each [`Role`].
//! A theme that leaves a role out falls back to the role's parent scope and then to plain text: it
//! never fails whole. Nothing outside of this file and the theme files names a colour.

use ratatui::style::{Color, Modifier, Style};
use syntect::highlighting::{self, FontStyle, Highlighter, ThemeSet};
use syntect::parsing::Scope;

/// The shipped themes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// For dark surroundings.
    #[default]
    Dark,
    /// For light surroundings.
    Light,
}

impl ThemeName {
    /// Every shipped theme.
    pub const ALL: [Self; 2] = [Self::Dark, Self::Light];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Dark,
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    /// The text of the theme file.
    pub fn source(self) -> &'static str {
        match self {
            Self::Dark => include_str!("../../themes/maze-dark.tmTheme"),
            Self::Light => include_str!("../../themes/maze-light.tmTheme"),
        }
    }
}

impl std::fmt::Display for ThemeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for ThemeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::name);
        Self::ALL
            .into_iter()
            .find(|t| t.name() == text)
            .ok_or_else(|| format!("there is no theme {text:?}; there are {}", known.join(" and ")))
    }
}

/// Declares the roles with their scopes.
macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $name:ident = $scope:literal,)+) => {
        /// A part of the screen that is not code, named for what it means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Role {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Role {
            /// Every role.
            pub const ALL: &[Role] = &[$(Role::$name,)+];

            /// The scope that a theme file gives it a style by.
            pub fn scope(self) -> &'static str {
                match self {
                    $(Role::$name => $scope,)+
                }
            }
        }
    };
}

roles! {
    /// What is there to be found, not to be read: labels, hints, units.
    Dim = "maze.dim",
    /// A pane's border.
    Border = "maze.border",
    /// The focused pane's border.
    BorderFocused = "maze.border.focused",
    /// A pane's title.
    Title = "maze.title",
    /// The focused pane's title.
    TitleFocused = "maze.title.focused",
    /// Line numbers.
    Gutter = "maze.gutter",
    /// The number of the caret's line.
    GutterCurrent = "maze.gutter.current",
    /// The name of a key.
    Key = "maze.key",
    /// Something is wrong.
    Error = "maze.error",
    /// Something will surprise.
    Warning = "maze.warning",
    /// Something is as it should be.
    Good = "maze.good",
    /// Something is going on.
    Running = "maze.running",
    /// A token that the grammar forced.
    Forced = "maze.forced",
    /// A special token, which is no text.
    Special = "maze.special",
    /// What the model thinks before its answer.
    Thinking = "maze.thinking",
    /// The token under inspection.
    Selected = "maze.selected",
    /// Where the next token will be.
    Caret = "maze.caret",
    /// The bar of a probability.
    Bar = "maze.bar",
    /// The bar of a token that the mask removed.
    BarRejected = "maze.bar.rejected",
    /// A token that the mask removed.
    Rejected = "maze.rejected",
    /// The token that was chosen.
    Chosen = "maze.chosen",
    /// The row of a list that the person is at.
    Row = "maze.row",
    /// What floats above the panes.
    Overlay = "maze.overlay",
    /// A sentence that comes and goes.
    Toast = "maze.toast",
    /// A place that was found.
    Match = "maze.match",
    /// The place that was found and is gone to.
    MatchCurrent = "maze.match.current",
    /// A bracket and the one that belongs to it.
    Bracket = "maze.bracket",
    /// Every second token, where tokens are told apart.
    Boundary = "maze.boundary",
    /// The lowest value of a scale; those between are mixed from both ends.
    HeatLow = "maze.heat.low",
    /// The highest value of a scale.
    HeatHigh = "maze.heat.high",
    /// The line of a graph.
    Graph = "maze.graph",
}

/// A theme, ready to draw with.
pub struct Theme {
    name: ThemeName,
    code: highlighting::Theme,
    base: Style,
    roles: Vec<Style>,
}

impl Theme {
    /// A shipped theme.
    pub fn shipped(name: ThemeName) -> Self {
        // A shipped file that does not load leaves an uncoloured screen; a test loads them all.
        let code = ThemeSet::load_from_reader(&mut std::io::Cursor::new(name.source())).unwrap_or_default();
        let settings = &code.settings;
        let base = Style::new()
            .fg(settings.foreground.map_or(Color::Reset, color))
            .bg(settings.background.map_or(Color::Reset, color));
        let highlighter = Highlighter::new(&code);
        let role = |role: &Role| {
            let scope = Scope::new(role.scope()).into_iter().collect::<Vec<_>>();
            let found = highlighter.style_mod_for_stack(&scope);
            let mut style = base;
            style.fg = found.foreground.map(color).or(style.fg);
            style.bg = found.background.map(color).or(style.bg);
            style.add_modifier(modifiers(found.font_style.unwrap_or_default()))
        };
        let roles = Role::ALL.iter().map(role).collect();
        Self { name, code, base, roles }
    }

    /// Which theme this is.
    pub fn name(&self) -> ThemeName {
        self.name
    }

    /// The style of plain text.
    pub fn base(&self) -> Style {
        self.base
    }

    /// The whole style of a role, background included.
    pub fn style(&self, role: Role) -> Style {
        self.roles.get(role as usize).copied().unwrap_or(self.base)
    }

    /// A role's colour and font, to be put over whatever background is there.
    pub fn text(&self, role: Role) -> Style {
        Style { bg: None, ..self.style(role) }
    }

    /// The colours of code.
    pub fn code(&self) -> &highlighting::Theme {
        &self.code
    }

    /// Backgrounds that carry meaning and must be shown by other means where there is no colour.
    pub fn meaningful_backgrounds(&self) -> Vec<Color> {
        let meaningful = [Role::Selected, Role::Row, Role::Caret, Role::Match, Role::MatchCurrent];
        meaningful.iter().filter_map(|&r| self.style(r).bg).collect()
    }
}

/// A style of code as the screen takes it. The background stays the pane's.
pub fn code_style(style: highlighting::Style) -> Style {
    Style::new().fg(color(style.foreground)).add_modifier(modifiers(style.font_style))
}

fn color(c: highlighting::Color) -> Color {
    Color::Rgb(c.r, c.g, c.b)
}

fn modifiers(font: FontStyle) -> Modifier {
    let mut out = Modifier::empty();
    for (flag, modifier) in [
        (FontStyle::BOLD, Modifier::BOLD),
        (FontStyle::ITALIC, Modifier::ITALIC),
        (FontStyle::UNDERLINE, Modifier::UNDERLINED),
    ] {
        if font.contains(flag) {
            out |= modifier;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1 contrast ratio.
    fn contrast(a: Color, b: Color) -> f64 {
        let luminance = |c: Color| {
            let Color::Rgb(r, g, b) = c else { panic!("{c:?} is not from the theme") };
            let linear = |v: u8| {
                let v = f64::from(v) / 255.0;
                if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_theme_defines_every_role() {
        for name in ThemeName::ALL {
            for role in Role::ALL {
                let entry = format!("<string>{}</string>", role.scope());
                assert!(name.source().contains(&entry), "{name:?} leaves out {}", role.scope());
            }
        }
    }

    /// What is read has a contrast of 4.5, what is only seen of 3; borders may be fainter.
    #[test]
    fn text_can_be_read() {
        for name in ThemeName::ALL {
            let theme = Theme::shipped(name);
            for &role in Role::ALL {
                let style = theme.style(role);
                let least = match role {
                    Role::Border => 1.3,
                    Role::Gutter | Role::Bar | Role::BarRejected | Role::BorderFocused => 2.5,
                    _ => 4.5,
                };
                let got = contrast(style.fg.unwrap(), style.bg.unwrap());
                assert!(got >= least, "{name:?} {role:?}: {got:.2} < {least}");
            }
            for item in &theme.code.scopes {
                let (Some(fg), false) = (item.style.foreground, item.style.background.is_some()) else {
                    continue;
                };
                let got = contrast(color(fg), theme.base.bg.unwrap());
                let is_chrome = format!("{:?}", item.scope).contains("maze");
                assert!(is_chrome || got >= 4.5, "{name:?} {:?}: {got:.2}", item.scope);
            }
        }
    }
}
