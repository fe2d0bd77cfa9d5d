//! What the grammar and the prompt have in common: where their parts are, and text with a caret.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::app::editor::{EditorBuffer, brackets};
use crate::app::state::{Pane, State};

use super::glyphs::glyphs;
use super::layout;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::wrap::{self, Lines, Place, VisibleRow};
use super::{find, grammar};

/// The parts of an editor's pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Marks and line numbers; empty in the prompt.
    pub gutter: Rect,
    /// The text.
    pub text: Rect,
    /// What is wrong with the text; empty if nothing is.
    pub message: Rect,
    /// What is looked for in the text; empty if nothing is.
    pub bar: Rect,
}

impl Parts {
    /// The columns that text is wrapped at. One is kept for a caret at the end of a full row.
    pub fn wrap_width(&self) -> usize {
        usize::from(self.text.width.saturating_sub(1).max(1))
    }

    /// The rows of text.
    pub fn height(&self) -> usize {
        usize::from(self.text.height)
    }
}

/// The parts of `pane`; `None` if it is not shown or not an editor.
pub fn parts(state: &State, pane: Pane) -> Option<Parts> {
    let area = state.areas()?.pane(pane);
    if area.is_empty() {
        return None;
    }
    let (inside, bar) = find::split(state, pane, layout::inside(area));
    match pane {
        Pane::Grammar => Some(Parts { bar, ..grammar::parts(state, inside) }),
        Pane::Prompt => Some(Parts { text: padded(inside), bar, ..Parts::default() }),
        Pane::Output | Pane::Inspector => None,
    }
}

/// `area` without its first column, which keeps text off the border.
pub fn padded(area: Rect) -> Rect {
    Rect { x: area.x.saturating_add(1), width: area.width.saturating_sub(1), ..area }
}

/// Says in an empty text what belongs there.
pub fn placeholder(buffer: &mut Buffer, area: Rect, text: &dyn Lines, words: &str, theme: &Theme) {
    if text.count() == 1 && text.line(0).is_empty() {
        paragraph(buffer, area, words, theme.text(Role::Dim));
    }
}

/// Draws a wrapped text, as much of it as fits; returns how many rows it took.
pub fn paragraph(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let rows = wrap::rows(text, usize::from(area.width.saturating_sub(1)));
    let mut used = 0;
    for row in rows.iter().take(usize::from(area.height)) {
        Pen::new(buffer, area, used).put(text[row.start..row.end].trim_end(), style);
        used += 1;
    }
    used
}

/// Draws the rows of `text` that are on the screen and returns them. `style(line, byte)` is the
/// style of the character there.
pub fn draw_rows(
    buffer: &mut Buffer,
    area: Rect,
    text: &dyn Lines,
    rows: &[VisibleRow],
    mut style: impl FnMut(usize, usize) -> Style,
) {
    for (y, visible) in rows.iter().enumerate().take(usize::from(area.height)) {
        let row = visible.row;
        let line = text.line(visible.line);
        let mut column = 0;
        for glyph in glyphs(&line[row.start..row.end], row.column) {
            let room = usize::from(area.width).saturating_sub(column);
            if room == 0 {
                break;
            }
            let at = (area.x + column as u16, area.y + y as u16);
            let style = style(visible.line, row.start + glyph.offset);
            buffer.set_stringn(at.0, at.1, &glyph.symbol, room.min(glyph.width), style);
            column += glyph.width;
        }
    }
}

/// What is marked in a text, whatever its syntax: the selection, brackets that belong together, and
/// what was found. No mark is told by its colour alone.
pub struct Marks<'a> {
    selection: Option<(Place, Place)>,
    brackets: Option<(Place, Place)>,
    found: &'a [(Place, Place)],
    current: Option<usize>,
    selected: Style,
    bracket: Style,
    of_found: Style,
    of_current: Style,
}

impl<'a> Marks<'a> {
    /// The marks in the text of a pane.
    pub fn new(state: &'a State, pane: Pane, text: &EditorBuffer, theme: &Theme) -> Self {
        let is_focused = state.focus == pane && state.overlay.is_none();
        let finds = state.find.is_open && state.find.pane == pane;
        let found = if finds { state.find.places() } else { &[] };
        let near = is_focused && !finds;
        Self {
            selection: text.selection(),
            brackets: near.then(|| brackets::pair(text, text.caret())).flatten(),
            found,
            current: state.find.current(text.caret()).filter(|_| finds),
            selected: theme.style(Role::Selected),
            bracket: theme.style(Role::Bracket).add_modifier(Modifier::UNDERLINED),
            of_found: theme.style(Role::Match),
            of_current: theme.style(Role::MatchCurrent).add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
        }
    }

    /// `style` with the marks of the character at a place.
    pub fn over(&self, style: Style, line: usize, byte: usize) -> Style {
        let at = Place { line, byte };
        let holds = |range: Option<(Place, Place)>| range.is_some_and(|(start, end)| start <= at && at < end);
        if holds(self.selection) {
            return style.patch(self.selected);
        }
        if self.brackets.is_some_and(|(one, other)| at == one || at == other) {
            return style.patch(self.bracket);
        }
        let index = self.found.partition_point(|(_, end)| *end <= at);
        match holds(self.found.get(index).copied()) {
            true if self.current == Some(index) => style.patch(self.of_current),
            true => style.patch(self.of_found),
            false => style,
        }
    }
}

/// The cell of the caret, if it is on the screen.
pub fn caret(text: &EditorBuffer, parts: &Parts) -> Option<Position> {
    let width = parts.wrap_width();
    let row = wrap::row_of(text, text.caret(), width);
    let rows = wrap::visible(text, text.top(), width, parts.height());
    let y = rows.iter().position(|r| r.line == row.line && r.row.start == row.start)?;
    let x = wrap::column_of(text, text.caret(), width).min(usize::from(parts.text.width).saturating_sub(1));
    Some(Position::new(parts.text.x + x as u16, parts.text.y + y as u16))
}

/// The style of `byte` in the spans of its line.
pub fn span_style(spans: &[(Style, std::ops::Range<usize>)], byte: usize) -> Option<Style> {
    let index = spans.partition_point(|(_, range)| range.end <= byte);
    spans.get(index).filter(|(_, range)| range.start <= byte).map(|(style, _)| *style)
}
