//! The output pane: what the model has written, highlighted, with its forced tokens marked and the
//! token under inspection lit.
//!
//! Only the rows on the screen are laid out, and only lines that changed are parsed: a frame costs
//! the same after ten thousand tokens as after ten.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::action::Action;
use crate::app::look::Look;
use crate::app::state::{ModelState, RunStatus, State};
use crate::app::transcript::Transcript;

use super::View;
use super::editor;
use super::glyphs::glyphs;
use super::graphs;
use super::highlight::Syntax;
use super::layout;
use super::look::{self, Looks};
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::wrap::{self, Lines, Place, RowRef, VisibleRow};

/// Where the text is; `None` if the pane is not shown.
pub fn area(state: &State) -> Option<Rect> {
    let area = state.areas()?.output;
    (!area.is_empty()).then(|| editor::padded(graphs::split(state, layout::inside(area)).0))
}

/// The columns that the text is wrapped at: one is kept for the caret and the ends of lines.
pub fn wrap_width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(1).max(1))
}

/// The columns that the text is wrapped at and the rows of the pane.
pub fn size(state: &State) -> Option<(usize, usize)> {
    area(state).map(|a| (wrap_width(a), usize::from(a.height)))
}

/// The first row on the screen.
pub fn top(state: &State, width: usize, height: usize) -> RowRef {
    let text = &state.run.transcript;
    let bottom = wrap::bottom(text, width, height);
    state.run.top.map_or(bottom, |top| top.min(bottom))
}

/// Draws the pane's inside.
pub fn draw(buffer: &mut Buffer, state: &State, view: &mut View, inside: Rect) {
    let (area, plot) = graphs::split(state, inside);
    let area = editor::padded(area);
    let run = &state.run;
    if run.steps().is_empty() && !run.status.is_live() {
        return draw_empty(buffer, state, &view.theme, area);
    }
    let text = &run.transcript;
    let (width, height) = (wrap_width(area), usize::from(area.height));
    let rows = wrap::visible(text, top(state, width, height), width, height);
    let wanted = rows.last().map_or(0, |r| r.line + 1);
    // What the model thinks is prose: the highlighter sees its lines as empty ones.
    let thought = run.thought();
    let answer_line = if thought == text.tokens() { usize::MAX } else { text.span(thought).0.line };
    view.output.update(Syntax::Of(run.language), &view.theme, text.count(), wanted, |i| {
        if thought > 0 && i < answer_line { ("", true) } else { (text.line(i), text.is_ended(i)) }
    });

    let theme = &view.theme;
    let looks = Looks::new(state.look, theme);
    let selected = run.selected.map(|index| text.span(index));
    let linked = state.linked();
    let is_linked = |index: usize| {
        let next = linked.partition_point(|part| part.end <= index);
        linked.get(next).is_some_and(|part| part.contains(&index))
    };
    // The rows go forward through the text, so the token of a place is found by walking on.
    let mut token = rows.first().and_then(|r| text.token_at(place(r, r.row.start)));
    editor::draw_rows(buffer, area, text, &rows, |line, byte| {
        let at = Place { line, byte };
        while let Some(index) = token
            && text.span(index).1 <= at
            && index + 1 < text.tokens()
        {
            token = Some(index + 1);
        }
        let style = editor::span_style(view.output.spans(line), byte).unwrap_or_default();
        let Some((index, step)) = token.and_then(|i| Some((i, run.steps().get(i)?))) else { return style };
        if selected.is_some_and(|(start, end)| start <= at && at < end) {
            return looks.mark(step, style.patch(theme.style(Role::Selected)));
        }
        let style = looks.style(index, step, style);
        if is_linked(index) { looks.mark(step, style.patch(theme.style(Role::Match))) } else { style }
    });
    if state.look == Look::Tokens {
        mark_blanks(buffer, area, &rows, text, theme);
    }
    if state.look != Look::Text {
        mark_ends(buffer, area, &rows, state, &looks, theme);
    }
    if let Some((start, end)) = selected {
        mark_selected(buffer, area, &rows, text, (start, end), theme);
    }
    if run.status.is_live() {
        mark_cell(buffer, area, &rows, text, text.end(), " ", theme.style(Role::Caret));
    }
    look::legend(buffer, inside, state, theme);
    if let Some(plot) = plot {
        graphs::draw(buffer, state, theme, &plot);
    }
}

fn place(row: &VisibleRow, byte: usize) -> Place {
    Place { line: row.line, byte }
}

/// Shows spaces and tabs, in the tokens' own colours.
fn mark_blanks(buffer: &mut Buffer, area: Rect, rows: &[VisibleRow], text: &Transcript, theme: &Theme) {
    let dim = Style { fg: theme.style(Role::Dim).fg, ..Style::new() };
    for (y, visible) in (area.y..area.bottom()).zip(rows) {
        let row = visible.row;
        let shown = &text.line(visible.line)[row.start..row.end];
        let mut x = area.x;
        for glyph in glyphs(shown, row.column) {
            let mark = match shown.as_bytes()[glyph.offset] {
                b' ' => "·",
                b'\t' => "⇥",
                _ => "",
            };
            if !mark.is_empty() && x < area.right() {
                buffer.set_stringn(x, y, mark, 1, dim);
            }
            x = x.saturating_add(glyph.width as u16);
        }
    }
}

/// Shows the ends of lines as the tokens look that they belong to, and the end of the output.
fn mark_ends(
    buffer: &mut Buffer,
    area: Rect,
    rows: &[VisibleRow],
    state: &State,
    looks: &Looks,
    theme: &Theme,
) {
    let (text, steps) = (&state.run.transcript, state.run.steps());
    let dim = theme.text(Role::Dim);
    // On a tint the text has the tint's own colour.
    let style_of = |index: usize| {
        let style = steps.get(index).map_or(dim, |step| looks.style(index, step, Style::new()));
        if style.fg.is_none() { dim.patch(style) } else { style }
    };
    for visible in rows.iter().filter(|r| r.is_last && text.is_ended(r.line)) {
        let at = Place { line: visible.line, byte: text.line(visible.line).len() };
        let style = text.token_at(at).map_or(dim, style_of);
        mark_cell(buffer, area, rows, text, at, "⏎", style);
    }
    let last = text.tokens().saturating_sub(1);
    if text.tokens() > 0 && text.span(last).0 == text.end() && text.span(last).1 == text.end() {
        mark_cell(buffer, area, rows, text, text.end(), "∎", style_of(last));
    }
}

/// Shows the parts of the selected token that have no cell of their own: line ends, and the end of
/// the text.
fn mark_selected(
    buffer: &mut Buffer,
    area: Rect,
    rows: &[VisibleRow],
    text: &Transcript,
    (start, end): (Place, Place),
    theme: &Theme,
) {
    let style = theme.style(Role::Selected);
    if start == end {
        mark_cell(buffer, area, rows, text, start, "∎", style);
    }
    for line in start.line..end.line {
        if text.is_ended(line) {
            let at = Place { line, byte: text.line(line).len() };
            mark_cell(buffer, area, rows, text, at, "⏎", style);
        }
    }
}

/// Puts a symbol at a place that is the end of a line.
fn mark_cell(
    buffer: &mut Buffer,
    area: Rect,
    rows: &[VisibleRow],
    text: &dyn Lines,
    at: Place,
    symbol: &str,
    style: Style,
) {
    let holds =
        |r: &VisibleRow| r.line == at.line && r.row.start <= at.byte && (at.byte < r.row.end || r.is_last);
    let Some(y) = rows.iter().position(holds) else { return };
    let row = rows[y].row;
    let x = super::glyphs::width(&text.line(at.line)[row.start..at.byte], row.column);
    if x < usize::from(area.width) {
        buffer.set_stringn(area.x + x as u16, area.y + y as u16, symbol, 1, style);
    }
}

/// What to do, while there is nothing to see; or why there is nothing.
fn draw_empty(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect) {
    let (text, role) = match (&state.model, state.run.status) {
        (ModelState::Failed(reason), _) if state.loading.is_none() => {
            let key = state.keymap.first_key(Action::Models);
            (format!("The model cannot be used: {reason}. {key} picks another."), Role::Error)
        }
        (_, RunStatus::Waiting { .. }) if state.loading.is_some() => {
            ("The run starts when the model is loaded.".to_owned(), Role::Dim)
        }
        (_, RunStatus::Ended) => ("Nothing was generated.".to_owned(), Role::Dim),
        _ => {
            let (run, step) = (state.keymap.first_key(Action::Run), state.keymap.first_key(Action::Step));
            let text = format!(
                "{run} writes on from the prompt, under the grammar. {step} goes one token at a time."
            );
            (text, Role::Dim)
        }
    };
    let text = crate::sanitize::line(&text);
    for (y, row) in wrap::rows(&text, wrap_width(area)).iter().enumerate().take(usize::from(area.height)) {
        Pen::new(buffer, area, y as u16).put(text[row.start..row.end].trim_end(), theme.text(role));
    }
}
