//! Colours: one `tmTheme` file dresses the whole screen, code and chrome alike.
//!
//! Code takes the usual scopes; everything else takes scopes below `maze.`, one for each [`Role`].
//! A theme of the person's own that leaves roles out gets readable colours made from its own
//! (`theme/derived.rs`): it never fails whole. Nothing outside of this file, what is below it and the
//! theme files names a colour.

use std::sync::Arc;

use ratatui::style::{Color, Modifier, Style};
use syntect::highlighting::{self, FontStyle, Highlighter, ThemeSet};
use syntect::parsing::Scope;

mod derived;
mod own;
#[cfg(test)]
mod tests;

pub use own::OwnTheme;

/// A theme that can be used.
#[derive(Clone, Debug, Default)]
pub enum ThemeName {
    /// For dark surroundings.
    #[default]
    Dark,
    /// For light surroundings.
    Light,
    /// For dark surroundings, with high contrast and colours that colour-blind people tell apart.
    ContrastDark,
    /// The same for light surroundings.
    ContrastLight,
    /// The person's own.
    Own(Arc<OwnTheme>),
}

impl PartialEq for ThemeName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // A file that was read again may have other colours.
            (Self::Own(a), Self::Own(b)) => Arc::ptr_eq(a, b),
            _ => self.name() == other.name() && self.source().is_some() && other.source().is_some(),
        }
    }
}

impl ThemeName {
    /// Every shipped theme.
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::ContrastDark, Self::ContrastLight];

    /// The name on the command line.
    pub fn name(&self) -> &str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::ContrastDark => "contrast-dark",
            Self::ContrastLight => "contrast-light",
            Self::Own(theme) => theme.name(),
        }
    }

    /// What it is for, in one line.
    pub fn about(&self) -> &'static str {
        match self {
            Self::Dark => "for dark surroundings",
            Self::Light => "for light surroundings",
            Self::ContrastDark => "dark, high contrast, told apart by colour-blind people too",
            Self::ContrastLight => "light, high contrast, told apart by colour-blind people too",
            Self::Own(_) => "your own",
        }
    }

    /// The text of a shipped theme's file.
    pub fn source(&self) -> Option<&'static str> {
        match self {
            Self::Dark => Some(include_str!("../../themes/maze-dark.tmTheme")),
            Self::Light => Some(include_str!("../../themes/maze-light.tmTheme")),
            Self::ContrastDark => Some(include_str!("../../themes/maze-contrast-dark.tmTheme")),
            Self::ContrastLight => Some(include_str!("../../themes/maze-contrast-light.tmTheme")),
            Self::Own(_) => None,
        }
    }

    /// The shipped theme of this name, in any case.
    pub fn shipped(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name().eq_ignore_ascii_case(name))
    }
}

impl std::fmt::Display for ThemeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
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
    /// A shipped theme, or one of the person's own.
    pub fn shipped(name: ThemeName) -> Self {
        let code = match &name {
            ThemeName::Own(own) => own.code().clone(),
            // A shipped file that does not load leaves an uncoloured screen; a test loads them all.
            shipped => {
                let source = shipped.source().unwrap_or_default();
                ThemeSet::load_from_reader(&mut std::io::Cursor::new(source)).unwrap_or_default()
            }
        };
        let settings = &code.settings;
        let base = Style::new()
            .fg(settings.foreground.map_or(Color::Reset, color))
            .bg(settings.background.map_or(Color::Reset, color));
        let chrome = chrome(&code);
        let highlighter = Highlighter::new(&chrome);
        let derived = derived::Derived::new(&code);
        let role = |&role: &Role| {
            let scope = Scope::new(role.scope()).into_iter().collect::<Vec<_>>();
            let found = highlighter.style_mod_for_stack(&scope);
            if found.foreground.is_none() && found.background.is_none() && found.font_style.is_none() {
                return derived.style(role);
            }
            let mut style = base;
            style.fg = found.foreground.map(color).or(style.fg);
            style.bg = found.background.map(color).or(style.bg);
            style.add_modifier(modifiers(found.font_style.unwrap_or_default()))
        };
        let roles = Role::ALL.iter().map(role).collect();
        Self { name, code, base, roles }
    }

    /// Which theme this is.
    pub fn name(&self) -> &ThemeName {
        &self.name
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

/// The part of a theme that is not about code: a rule for everything must not dress the screen.
fn chrome(code: &highlighting::Theme) -> highlighting::Theme {
    let Ok(maze) = Scope::new("maze") else { return code.clone() };
    let mut chrome = code.clone();
    chrome.scopes.retain(|item| {
        let mut scopes = item.scope.selectors.iter().flat_map(|selector| selector.path.as_slice());
        scopes.any(|scope| maze.is_prefix_of(*scope))
    });
    chrome
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
