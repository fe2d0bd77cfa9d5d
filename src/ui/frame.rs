//! Borders and the titles in them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Widget};

use crate::app::state::{Pane, State};
use crate::engine::chat::{ChatSettings, PromptMode};

use super::layout::{self, Areas};
use super::pen::Pen;
use super::theme::{Role, Theme};

/// Draws a border.
pub fn draw(buffer: &mut Buffer, area: Rect, background: Style, border: Style) {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .style(background)
        .border_style(border)
        .render(area, buffer);
}

/// Draws a pane's border and titles; returns what is left inside.
pub fn pane(buffer: &mut Buffer, state: &State, theme: &Theme, areas: &Areas, pane: Pane) -> Rect {
    let area = areas.pane(pane);
    let is_focused = state.focus == pane;
    let role = if is_focused { Role::BorderFocused } else { Role::Border };
    draw(buffer, area, theme.base(), theme.text(role));
    let top = Rect { height: 1, width: area.width.saturating_sub(2), ..area };
    let mut pen = Pen::new(buffer, top, 0);
    pen.skip(2);
    if areas.single {
        tabs(&mut pen, state, theme);
    } else {
        let (mark, role) = if is_focused { ("▸", Role::TitleFocused) } else { (" ", Role::Title) };
        pen.put(mark, theme.text(role)).put(&format!("{} ", name(pane)), theme.text(role));
        let detail = detail(state, pane);
        if !detail.is_empty() {
            pen.put(&format!("· {detail} "), theme.text(Role::Dim));
        }
        if let Some((text, role)) = note(state, pane) {
            pen.at_right(&format!(" {text} "), theme.text(role));
        }
    }
    layout::inside(area)
}

/// The panes that Tab leads to, while one of them has the screen.
fn tabs(pen: &mut Pen, state: &State, theme: &Theme) {
    for pane in Pane::ALL {
        let (mark, role) = if state.focus == pane { ("▸", Role::TitleFocused) } else { (" ", Role::Dim) };
        pen.put(mark, theme.text(role)).put(&format!("{} ", name(pane)), theme.text(role));
    }
}

fn name(pane: Pane) -> &'static str {
    match pane {
        Pane::Grammar => "Grammar",
        Pane::Prompt => "Prompt",
        Pane::Output => "Output",
        Pane::Inspector => "Inspector",
    }
}

fn detail(state: &State, pane: Pane) -> String {
    match pane {
        Pane::Grammar => format!("{}, {}", state.grammar.name, state.grammar.kind.name()),
        Pane::Output => {
            let language = if state.run.trace.is_some() { state.run.language } else { state.language };
            language.name().to_owned()
        }
        Pane::Prompt => match (state.is_chat(), state.shows_system()) {
            (true, true) => "chat, system".to_owned(),
            (true, false) => "chat".to_owned(),
            (false, _) => "raw".to_owned(),
        },
        Pane::Inspector => String::new(),
    }
}

fn note(state: &State, pane: Pane) -> Option<(String, Role)> {
    match pane {
        Pane::Grammar => {
            let errors = state.grammar.errors();
            (errors > 1).then(|| (format!("{errors} errors"), Role::Error))
        }
        Pane::Output => {
            let steps = state.run.steps().len();
            let legend = || (state.run.thought() > 0).then(|| ("thinking".to_owned(), Role::Thinking));
            // The text is not what the grammar beside it would give.
            let is_old = state.has_other_grammar();
            let old = || is_old.then(|| ("grammar changed since".to_owned(), Role::Warning));
            let place = state.run.selected.map(|at| (format!("token {} / {steps}", at + 1), Role::Dim));
            place.or_else(old).or_else(legend)
        }
        Pane::Inspector => state.run.inspected().map(|_| (state.inspector.part.name().to_owned(), Role::Dim)),
        Pane::Prompt => {
            let PromptMode::Chat(ChatSettings { system, thinking }) = state.mode() else { return None };
            // The title says it while the system prompt is on the screen.
            let has_system = system.is_some() && !state.shows_system();
            let parts = [(has_system, "system"), (thinking.is_some(), "thinks")];
            let said: Vec<&str> = parts.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
            (!said.is_empty()).then(|| (said.join(", "), Role::Dim))
        }
    }
}
