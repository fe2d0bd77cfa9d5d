//! The settings: a row for each, and more about the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::app::settings::{Setting, Settings};
use crate::app::state::State;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::{field, layout, wrap};

use super::{centred, open, overlay_text, scroll_mark};

/// Columns of the names and of the values.
const NAMES: usize = 20;
const VALUES: usize = 24;

/// What a setting may be is not cut to fewer columns than this.
const LEAST_RANGE: usize = 16;

/// Rows at the bottom: what is said about the selected one, and the keys.
const BELOW: u16 = 4;

/// Where it is.
pub(super) fn area(state: &State) -> Rect {
    centred(state.size, 90, Setting::ALL.len() as u16 + BELOW + 3)
}

/// Rows of the list, and those below it.
fn parts(state: &State) -> (Rect, Rect) {
    let inside = layout::inside(area(state));
    let below = BELOW.min(inside.height.saturating_sub(3));
    let list = Rect { height: inside.height - below, ..inside };
    (list, Rect { y: list.bottom(), height: below, ..inside })
}

fn top(list: Rect, selected: usize) -> usize {
    let shown = usize::from(list.height);
    selected.saturating_sub(shown / 2).min(Setting::ALL.len().saturating_sub(shown))
}

/// The row at a cell of the screen.
pub fn row_at(state: &State, settings: &Settings, column: u16, row: u16) -> Option<usize> {
    let list = parts(state).0;
    let is_in = list.contains((column, row).into());
    let at = is_in.then(|| top(list, settings.selected) + usize::from(row - list.y));
    at.filter(|at| *at < Setting::ALL.len())
}

/// Draws it; returns where the terminal's own cursor goes.
pub(super) fn draw(
    buffer: &mut Buffer,
    state: &State,
    theme: &Theme,
    settings: &Settings,
) -> Option<Position> {
    open(buffer, theme, area(state), "Settings");
    let (list, below) = parts(state);
    let top = top(list, settings.selected);
    let shown = usize::from(list.height);
    let mut caret = None;
    for (y, (i, setting)) in Setting::ALL.iter().enumerate().skip(top).take(shown).enumerate() {
        let y = y as u16;
        let is_selected = i == settings.selected;
        let on = |role| {
            let style = overlay_text(theme, role);
            let row = Style { bg: theme.style(Role::Row).bg, ..Style::new() };
            if is_selected { style.patch(row) } else { style }
        };
        let words = setting.words();
        if is_selected {
            buffer.set_style(Rect { y: list.y + y, height: 1, ..list }, on(Role::Title));
        }
        let (mark, role) = if is_selected { ("▸", Role::TitleFocused) } else { ("", Role::Title) };
        let names = NAMES.min(usize::from(list.width) / 2);
        let mut pen = Pen::new(buffer, list, y);
        pen.skip(1).column(mark, 2, on(role)).column(&words.name.replace('_', " "), names, on(role));
        let start = 3 + names as u16;
        let value = setting.value(state);
        if let (true, Some(edited)) = (is_selected, &settings.edited) {
            let line = Rect {
                x: list.x + start,
                y: list.y + y,
                width: list.width.saturating_sub(start + 1),
                height: 1,
            };
            caret = Some(field::draw(buffer, line, edited, on(Role::Key), ("", on(Role::Dim))));
            continue;
        }
        // A value that is not the default is told by its weight, too.
        let role = if value == words.default { Role::Title } else { Role::Key };
        pen.column(&value, VALUES.min(pen.left()), on(role));
        // Cut to less it says nothing; the line below the list says it in full.
        if pen.left() > LEAST_RANGE {
            pen.put_within(words.range, pen.left() - 1, on(Role::Dim));
        }
    }
    scroll_mark(buffer, theme, area(state), (top, shown, Setting::ALL.len()), None);
    about(buffer, theme, below, state, settings);
    caret
}

/// What the embedded model is for, and where a bigger one comes from.
const EMBEDDED: &str = "maze-nano is built in (9 MB): short functions, JSON and SQL, asked for as in the \
    examples; no facts, no reasoning. For more, Enter: a folder, a .gguf file or org/name of the hub \
    (Qwen/Qwen2.5-Coder-1.5B-Instruct).";

fn about(buffer: &mut Buffer, theme: &Theme, area: Rect, state: &State, settings: &Settings) {
    let Some(setting) = Setting::ALL.get(settings.selected) else { return };
    let words = setting.words();
    let is_embedded = *setting == Setting::Model && setting.value(state) == words.default;
    let (text, role) = match &settings.error {
        Some(error) => (error.clone(), Role::Error),
        None if is_embedded => (EMBEDDED.to_owned(), Role::Title),
        None => (format!("{}: {}.", words.about, words.range), Role::Title),
    };
    let text = crate::sanitize::line(&text);
    let rows = if is_embedded { 3 } else { 2 };
    for (y, row) in wrap::rows(&text, usize::from(area.width).saturating_sub(2)).iter().take(rows).enumerate()
    {
        let line = text[row.start..row.end].trim_end();
        Pen::new(buffer, area, y as u16).skip(1).put(line, overlay_text(theme, role));
    }
    let when = match setting {
        Setting::Device | Setting::Context => "The model is loaded again.",
        Setting::Model | Setting::Theme | Setting::Graphs | Setting::Mouse | Setting::Vim => "",
        _ => "Counts from the next run.",
    };
    let dim = overlay_text(theme, Role::Dim);
    if !when.is_empty() {
        Pen::new(buffer, area, 2).skip(1).put(when, dim);
    }
    let keys = if settings.edited.is_some() {
        "Enter takes it  Esc leaves it as it was"
    } else {
        "←→ change  Enter type  d default  w write to the config file"
    };
    Pen::new(buffer, area, 3).skip(1).put(keys, dim);
}
