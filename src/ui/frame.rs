//! Borders and the titles in them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Widget};

use crate::app::state::{Pane, State};
use crate::engine::chat::{ChatSettings, PromptMode};

use super::glyphs::width;
use super::layout::{self, Areas};
use super::pen::Pen;
use super::theme::{Role, Theme};

/// The column of a border at which its title begins.
const TITLE: u16 = 2;

/// A name that would be cut to less than this is left out.
const LEAST_NAME: usize = 5;

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
    pen.skip(usize::from(TITLE));
    let tabs = tabs(state, areas, pane);
    for tab in &tabs {
        let (mark, role) = match (state.focus == tab.pane, areas.single) {
            (true, _) => ("▸", Role::TitleFocused),
            (false, true) => (" ", Role::Dim),
            (false, false) => (" ", Role::Title),
        };
        pen.put(&tab.key, theme.text(if state.focus == tab.pane { Role::Key } else { Role::Dim }));
        pen.put(mark, theme.text(role)).put(tab.pane.name(), theme.text(role)).put(" ", theme.text(role));
    }
    let note = note(state, pane).map(|(text, role)| (format!(" {text} "), role));
    let note = note.filter(|(text, _)| width(text, 0) < pen.left());
    let room = pen.left() - note.as_ref().map_or(0, |(text, _)| width(text, 0) + 1);
    if tabs.len() <= 1 {
        detail(&mut pen, state, theme, pane, room);
    }
    if let Some((text, role)) = note {
        pen.at_right(&text, theme.text(role));
    }
    layout::inside(area)
}

/// What a pane is about, after its name, in at most `room` columns. Where a name is too long, it is
/// cut, and not what stands after it.
fn detail(pen: &mut Pen, state: &State, theme: &Theme, pane: Pane, room: usize) {
    let (name, mut after) = about(state, pane);
    if pane == Pane::Grammar {
        let kind = format!(", {}", state.grammar.kind.name());
        let left = |after: usize| room.saturating_sub(after + 3);
        let (without, with) = (left(width(&after, 0)), left(width(&after, 0) + width(&kind, 0)));
        // The ending of a file says its kind too, the kind does not say the name. Where that is cut in any
        // case, a little less of it does.
        let name = width(&name, 0);
        if name <= with || (name > without && with >= LEAST_NAME) {
            after += &kind;
        }
    }
    // With what stands around them: a dot and two blanks.
    let Some(room) = room.checked_sub(width(&after, 0) + 3) else { return };
    if !(name.is_empty() && after.is_empty()) && room >= LEAST_NAME.min(width(&name, 0)) {
        let dim = theme.text(Role::Dim);
        pen.put("· ", dim).put_within(&name, room, dim).put(&after, dim).put(" ", dim);
    }
}

/// The title of a pane, or one of those that Tab leads to while one pane has the screen.
struct Tab {
    pane: Pane,
    /// The key that goes there; empty where there is no room.
    key: String,
    /// The first column.
    x: u16,
}

impl Tab {
    /// Its columns: the key, the mark, the name, a blank.
    fn columns(&self) -> u16 {
        (self.key.len() + 1 + self.pane.name().len() + 1) as u16
    }
}

/// The titles in the border of a pane: its own, and while it has the screen also those of the others.
fn tabs(state: &State, areas: &Areas, of: Pane) -> Vec<Tab> {
    let is_tab = |pane: &Pane| *pane == of || (areas.single && state.layout.shows(*pane));
    let with_keys = |has_keys: bool| -> Vec<Tab> {
        let mut x = TITLE;
        let place = |pane: Pane| {
            let key = if has_keys { digit(state, pane) } else { String::new() };
            let tab = Tab { pane, key, x };
            x += tab.columns();
            tab
        };
        Pane::ALL.into_iter().filter(is_tab).map(place).collect()
    };
    let tabs = with_keys(true);
    let room = areas.pane(of).width.saturating_sub(2);
    if tabs.last().is_none_or(|t| t.x + t.columns() <= room) { tabs } else { with_keys(false) }
}

/// The key that focuses a pane, where it is Alt with a character.
fn digit(state: &State, pane: Pane) -> String {
    let key = state.keymap.first_key(pane.action());
    key.strip_prefix("Alt-").filter(|rest| rest.len() == 1).unwrap_or_default().to_owned()
}

/// The pane whose title, or whose tab, is under a cell of the screen.
pub fn title_at(state: &State, areas: &Areas, column: u16, row: u16) -> Option<Pane> {
    let pane = areas.at(column, row).filter(|&pane| areas.pane(pane).y == row)?;
    let tab = tabs(state, areas, pane).into_iter().find(|t| (t.x..t.x + t.columns()).contains(&column));
    Some(tab.filter(|_| areas.single).map_or(pane, |tab| tab.pane))
}

/// Draws the edge that is being moved, so that it is seen without colours too.
pub fn light_edge(buffer: &mut Buffer, state: &State, theme: &Theme, areas: &Areas) {
    let Some(drag) = state.pointer.drag else { return };
    for position in areas.edge(drag.edge).intersection(buffer.area).positions() {
        let cell = &mut buffer[position];
        let heavy = match cell.symbol() {
            "│" => "┃",
            "─" => "━",
            "╭" => "┏",
            "╮" => "┓",
            "╰" => "┗",
            "╯" => "┛",
            _ => continue,
        };
        cell.set_symbol(heavy).set_style(theme.text(Role::BorderFocused));
    }
}

/// A name and what stands after it.
fn about(state: &State, pane: Pane) -> (String, String) {
    let after = match pane {
        Pane::Grammar => {
            // What is not saved is told by a mark, not by a colour.
            let mark = if state.is_saved() { "" } else { "*" };
            return (state.grammar.name.clone(), mark.to_owned());
        }
        Pane::Output => {
            let language = if state.run.trace.is_some() { state.run.language } else { state.language };
            // What an earlier run is said to be is said where it stands.
            if state.shows_earlier_run() {
                let newest = state.runs.newest().unwrap_or_default();
                format!("run {} of {newest}, earlier", state.run.number)
            } else {
                language.name().to_owned()
            }
        }
        Pane::Prompt => match (state.is_chat(), state.shows_system()) {
            (true, true) => "chat, system".to_owned(),
            (true, false) => "chat".to_owned(),
            (false, _) => "raw".to_owned(),
        },
        Pane::Inspector => String::new(),
    };
    (String::new(), after)
}

/// What the grammar says to its cases; while they run, how many there were before.
fn cases(state: &State) -> Option<(String, Role)> {
    let report = state.grammar.cases.as_ref()?;
    let (count, failed) = (report.ran.len() + report.waiting, report.failures().count());
    let s = if count == 1 { "" } else { "s" };
    let is_running = !state.grammar.is_tested() || (report.waiting > 0 && failed == 0);
    if count > 0 && is_running {
        return Some((format!("… {count} case{s}"), Role::Dim));
    }
    match (count, failed, report.problems.len()) {
        (_, 0, problems @ 1..) => Some((format!("✗ {problems} cases unread"), Role::Error)),
        (0, ..) => None,
        (_, 0, _) => Some((format!("✓ {count} case{s}"), Role::Good)),
        _ => Some((format!("✗ {failed} of {count} case{s}"), Role::Error)),
    }
}

fn note(state: &State, pane: Pane) -> Option<(String, Role)> {
    // Which keys do what matters more than anything else that could stand there.
    if let (Some(vim), true) = (&state.vim, state.focus == pane && state.vim_mode().is_some()) {
        return Some((format!("{} {}", vim.pending(), vim.mode.name()).trim().to_owned(), Role::Key));
    }
    match pane {
        Pane::Grammar => {
            let errors = state.grammar.errors();
            let errors = (errors > 1).then(|| (format!("{errors} errors"), Role::Error));
            errors.or_else(|| cases(state))
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
