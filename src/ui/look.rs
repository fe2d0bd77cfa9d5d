//! How a token looks in the output: as text, told from its neighbours, or tinted by what the mask
//! removed; and the line that says what the looks mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::look::Look;
use crate::app::state::State;
use crate::engine::heat::{self, LEVELS};
use crate::engine::trace::{Step, StepKind};

use super::glyphs::width;
use super::heat as colours;
use super::pen::Pen;
use super::theme::{Role, Theme};

/// The styles of a look, made once a frame.
pub struct Looks {
    look: Look,
    boundary: Style,
    thinking: Style,
    forced: Style,
    scale: [Style; LEVELS],
}

impl Looks {
    /// The styles of `look`.
    pub fn new(look: Look, theme: &Theme) -> Self {
        let scale = if look == Look::Mass { colours::scale(theme) } else { Default::default() };
        let boundary = Style { bg: theme.style(Role::Boundary).bg, ..Style::new() };
        Self { look, boundary, thinking: theme.text(Role::Thinking), forced: underline(theme), scale }
    }

    /// The style of token `index`, whose text would have the style `code`.
    pub fn style(&self, index: usize, step: &Step, code: Style) -> Style {
        let style = if step.thinking { self.thinking } else { code };
        let style = match self.look {
            Look::Text => style,
            // Without colours, bold letters tell every second token.
            Look::Tokens if index % 2 == 1 => style.remove_modifier(Modifier::BOLD).patch(self.boundary),
            Look::Tokens => style.remove_modifier(Modifier::BOLD),
            Look::Mass => match &step.insight {
                Some(insight) => {
                    style.remove_modifier(Modifier::BOLD).patch(self.scale[heat::level(insight.mass_removed)])
                }
                None => style,
            },
        };
        self.mark(step, style)
    }

    /// A style with the faint line of forced tokens.
    pub fn mark(&self, step: &Step, style: Style) -> Style {
        if step.kind == StepKind::Forced { style.patch(self.forced) } else { style }
    }
}

/// Forced tokens keep their colours and get a faint line.
fn underline(theme: &Theme) -> Style {
    let style = theme.style(Role::Forced);
    Style {
        fg: None,
        bg: None,
        add_modifier: style.add_modifier | Modifier::UNDERLINED,
        underline_color: style.fg,
        ..Style::new()
    }
}

/// Says in the border under the output what the look means: as much of it as there is room for.
pub fn legend(buffer: &mut Buffer, inside: Rect, state: &State, theme: &Theme) {
    let row = Rect { y: inside.bottom(), height: 1, ..inside };
    let dim = theme.text(Role::Dim);
    let looks = Looks::new(state.look, theme);
    let forced = ("forced".to_owned(), theme.base().patch(looks.forced));
    let parts: Vec<(String, Style)> = match state.look {
        Look::Text if state.run.stats.forced == 0 => return,
        Look::Text => {
            vec![(" ".to_owned(), dim), forced, (": the grammar left one way ".to_owned(), dim)]
        }
        Look::Tokens => {
            let plain = theme.base();
            let tokens = [(" one", plain), (" token", plain.patch(looks.boundary)), (" each ", plain)];
            let marks = [" · space", " ⏎ line", " ⇥ tab "];
            let tokens = tokens.map(|(word, style)| (word.to_owned(), style));
            let marks = marks.map(|mark| (mark.to_owned(), dim));
            tokens.into_iter().chain([forced]).chain(marks).collect()
        }
        Look::Mass => {
            let is_recorded = state.run.steps().iter().take(1).all(|s| s.insight.is_some());
            if !is_recorded {
                return say(buffer, row, &[(" the run was not recorded ".to_owned(), dim)]);
            }
            let mut parts = vec![(" removed %".to_owned(), dim)];
            parts.extend(
                heat::FROM
                    .iter()
                    .zip(&looks.scale)
                    .map(|(from, style)| (format!("{:>3.0}", from * 100.0), *style)),
            );
            parts.extend([(" ".to_owned(), dim), forced, (" ".to_owned(), dim)]);
            parts
        }
    };
    say(buffer, row, &parts);
}

/// Writes what fits, part by part.
pub fn say(buffer: &mut Buffer, row: Rect, parts: &[(String, Style)]) {
    let mut pen = Pen::new(buffer, row, 0);
    for (text, style) in parts {
        if width(text, 0) > pen.left() {
            break;
        }
        pen.put(text, *style);
    }
}
