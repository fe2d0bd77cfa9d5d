//! The picker of models: a line to type into, the models it finds, and more about the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::picker::{Picker, Row};
use crate::app::state::{Overlay, State};
use crate::catalog::{Catalog, Entry};
use crate::engine::load::Survey;
use crate::hub::HubModel;
use crate::hub::status::bytes;
use crate::ui::pen::Pen;
use crate::ui::theme::{Role, Theme};
use crate::ui::{field, format, layout, wrap};

use super::{centred, open, overlay_text, scroll_mark};

/// Columns of the figures at the right of a row.
const WEIGHTS: usize = 10;
const SIZE: usize = 9;
const CONTEXT: usize = 7;
const RUNS: usize = 6;

/// Rows around the list: the line to type into, the heading, and what is said about the selected
/// row.
const ABOVE: u16 = 2;
const BELOW: u16 = 3;

/// The first row on the screen and how many there are; the selected one is among them.
fn view(inside: Rect, selected: usize, rows: usize) -> (usize, usize) {
    let shown = usize::from(inside.height.saturating_sub(ABOVE + BELOW)).max(1);
    (selected.saturating_sub(shown / 2).min(rows.saturating_sub(shown)), shown)
}

/// The row at a cell of the screen.
pub fn row_at(state: &State, column: u16, row: u16) -> Option<usize> {
    let Some(Overlay::Models { selected }) = state.overlay else { return None };
    let (inside, rows) = (layout::inside(area(state)), state.picker.rows().len());
    let (top, shown) = view(inside, selected.min(rows.saturating_sub(1)), rows);
    let list = Rect { y: inside.y + ABOVE, height: shown as u16, ..inside }.intersection(inside);
    let at = list.contains((column, row).into()).then(|| top + usize::from(row - list.y));
    at.filter(|at| *at < rows)
}

/// Where it is.
pub(super) fn area(state: &State) -> Rect {
    let height = (state.picker.rows().len() as u16).clamp(3, 20) + ABOVE + BELOW + 2;
    centred(state.size, 100, height)
}

/// Draws it; returns where the terminal's own cursor goes.
pub(super) fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, selected: usize) -> Option<Position> {
    let picker = &state.picker;
    let rows = picker.rows();
    let inside = open(buffer, theme, area(state), "Models");
    Pen::new(buffer, inside, 0).skip(1).put("/ ", overlay_text(theme, Role::Key));
    let line = Rect { x: inside.x + 3, width: inside.width.saturating_sub(3), ..inside };
    let hint = ("part of a name, org/name[:file] of the hub, or a path", overlay_text(theme, Role::Dim));
    let caret = field::draw(buffer, line, &picker.query, theme.style(Role::Overlay), hint);
    heading(buffer, theme, inside);

    let selected = selected.min(rows.len().saturating_sub(1));
    let (top, shown) = view(inside, selected, rows.len());
    let counted = (rows.len() > 1).then_some((selected, rows.len()));
    scroll_mark(buffer, theme, area(state), (top, shown, rows.len()), counted);
    for (i, of_list) in rows.iter().enumerate().skip(top).take(shown) {
        row(
            buffer,
            theme,
            inside,
            ABOVE + (i - top) as u16,
            picker.catalog.as_deref(),
            of_list,
            i == selected,
        );
    }
    let about = about(picker, rows.get(selected));
    let dim = overlay_text(theme, Role::Dim);
    for (i, at) in wrap::rows(&about, usize::from(inside.width).saturating_sub(2)).iter().take(2).enumerate()
    {
        let y = inside.height.saturating_sub(2) + i as u16;
        Pen::new(buffer, inside, y).skip(1).put(about[at.start..at.end].trim_end(), dim);
    }
    Some(caret)
}

fn heading(buffer: &mut Buffer, theme: &Theme, area: Rect) {
    let dim = overlay_text(theme, Role::Dim);
    let name = name_columns(area);
    Pen::new(buffer, area, 1)
        .skip(3)
        .column("model", name, dim)
        .column("weights", WEIGHTS, dim)
        .right_column("size", SIZE, dim)
        .right_column("context", CONTEXT + 1, dim)
        .right_column("runs", RUNS, dim);
}

fn name_columns(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(3 + WEIGHTS + SIZE + CONTEXT + 1 + RUNS + 1)
}

fn row(
    buffer: &mut Buffer,
    theme: &Theme,
    area: Rect,
    y: u16,
    catalog: Option<&Catalog>,
    row: &Row<'_>,
    is_selected: bool,
) {
    let (mark, role) = if is_selected { ("▸", Role::TitleFocused) } else { ("", Role::Title) };
    let style = overlay_text(theme, role);
    let mut pen = Pen::new(buffer, area, y);
    pen.skip(1).column(mark, 2, style);
    let entry = match row {
        Row::Typed(text) => {
            // Only a name of the hub can be downloaded.
            let verb = if text.parse::<HubModel>().is_ok() { "load or download " } else { "load " };
            pen.put(verb, overlay_text(theme, Role::Dim)).put(text, style);
            return;
        }
        Row::Listed(entry) => entry,
    };
    pen.column(&entry.model.to_string(), name_columns(area).saturating_sub(1), style).skip(1);
    let dim = overlay_text(theme, Role::Dim);
    match &entry.survey {
        Ok(survey) => pen
            .column(&survey.weights, WEIGHTS, dim)
            .right_column(&bytes(survey.file_bytes), SIZE, dim)
            .right_column(&format::tokens(survey.context), CONTEXT + 1, dim),
        Err(reason) => pen.column(reason, WEIGHTS + SIZE + CONTEXT + 1, dim),
    };
    let (text, role) = match entry.obstacle(catalog.map_or(0, |c| c.free)) {
        None => ("yes", Role::Good),
        Some(_) => ("no", Role::Warning),
    };
    pen.right_column(text, RUNS, overlay_text(theme, role));
}

/// More about the selected row.
fn about(picker: &Picker, row: Option<&Row<'_>>) -> String {
    let text = match (row, &picker.catalog) {
        (Some(Row::Typed(_)), _) => {
            "A .gguf file or a folder, or a model of the Hugging Face hub: org/name, \
             org/name:Q4_K_M, org/name@revision:file.gguf"
                .to_owned()
        }
        (Some(Row::Listed(entry)), Some(catalog)) => described(entry, catalog.free),
        (_, None) => "Looking for models…".to_owned(),
        (None, Some(_)) => String::new(),
    };
    crate::sanitize::line(&text).into_owned()
}

fn described(entry: &Entry, free: u64) -> String {
    let obstacle = entry.obstacle(free);
    let Ok(Survey { format, architecture, parameters, .. }) = &entry.survey else {
        return obstacle.unwrap_or_default();
    };
    let facts = format!("{architecture} in {format}, {} parameters", format::count(*parameters));
    match (obstacle, entry.memory()) {
        (Some(obstacle), _) => format!("{facts}. It would not run: {obstacle}"),
        (None, Some(memory)) => format!("{facts}, {} of memory, {} are free", bytes(memory), bytes(free)),
        (None, None) => facts,
    }
}
