//! The grammar pane: highlighted text, line numbers, marks and a message for what is wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::action::Action;
use crate::app::language::Language;
use crate::app::state::{Pane, State};
use crate::app::whereabouts::Located;
use crate::engine::diagnostic::{Diagnostic, Position, Severity};
use crate::engine::grammar::{GrammarKind, Symbol};
use crate::engine::shadow::Crumb;
use crate::sanitize;

use super::View;
use super::editor::{self, Parts};
use super::highlight::Syntax;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::whereabouts;
use super::wrap::{self, Lines};

/// A message takes no more rows than this.
const MESSAGE_ROWS: usize = 4;

/// A pane of no more rows has none to spare for what a name stands for.
const LOW: u16 = 6;

/// Where the parts are inside of the pane's border.
pub fn parts(state: &State, inside: Rect) -> Parts {
    let digits = state.grammar.buffer.count().ilog10() as u16 + 1;
    let gutter_width = (digits.max(2) + 2).min(inside.width);
    let message_height = match state.grammar.finding() {
        // The text keeps most of the pane, however long the message.
        Some(finding) => {
            message_rows(state, finding, inside).len().min(usize::from(inside.height / 3).max(1)) as u16
        }
        None => {
            let has_more = state.known_name_at_caret().is_some() || standing(state).is_some();
            u16::from(inside.height > LOW && has_more)
        }
    };
    let text_height = inside.height.saturating_sub(message_height);
    Parts {
        gutter: Rect { width: gutter_width, height: text_height, ..inside },
        text: Rect {
            x: inside.x + gutter_width,
            width: inside.width - gutter_width,
            height: text_height,
            ..inside
        },
        message: Rect { y: inside.y + text_height, height: message_height, ..inside },
        ..Parts::default()
    }
}

/// Draws what is inside of the pane's border.
pub fn draw(buffer: &mut Buffer, state: &State, view: &mut View) {
    let Some(parts) = editor::parts(state, Pane::Grammar) else { return };
    let text = &state.grammar.buffer;
    let rows = wrap::visible(text, text.top(), parts.wrap_width(), parts.height());
    let wanted = rows.last().map_or(0, |r| r.line + 1);
    let theme = &view.theme;
    view.grammar.update(syntax(state.grammar.kind), theme, text.count(), wanted, |i| (text.line(i), true));

    let marks: Vec<Mark> = state.grammar.diagnostics.iter().map(|d| Mark::new(d, text)).collect();
    let standing = standing(state);
    let expected = standing.map_or_else(Vec::new, |located| Mark::expected(located, text));
    let over = editor::Marks::new(state, Pane::Grammar, text, theme);
    let style = |line: usize, byte: usize| {
        let style = editor::span_style(view.grammar.spans(line), byte).unwrap_or_default();
        let style = match marks.iter().find(|m| m.covers(line, byte)) {
            Some(mark) => style.patch(mark.underline(theme)),
            None if expected.iter().any(|m| m.covers(line, byte)) => {
                style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
            }
            None => style,
        };
        over.over(style, line, byte)
    };
    editor::draw_rows(buffer, parts.text, text, &rows, style);
    for (y, row) in rows.iter().enumerate().filter(|(_, r)| r.is_first) {
        let mark = marks.iter().filter(|m| m.lines.contains(&row.line)).min_by_key(|m| m.severity);
        let mark = match mark {
            Some(mark) => Some((mark.symbol(), mark.role())),
            None => standing.and_then(|located| active(located, row.line)),
        };
        gutter(buffer, parts.gutter, y as u16, row.line, mark, state, theme);
    }
    let key = state.keymap.first_key(Action::Open);
    let words = format!("What the model may write. {key} opens an example.");
    editor::placeholder(buffer, parts.text, text, &words, theme);
    message(buffer, parts.message, state, theme);
}

/// How a grammar is highlighted.
pub fn syntax(kind: GrammarKind) -> Syntax {
    match kind {
        GrammarKind::Lark => Syntax::Lark,
        GrammarKind::Gbnf => Syntax::Gbnf,
        GrammarKind::JsonSchema => Syntax::Of(Language::Json),
        GrammarKind::Regex => Syntax::Regex,
    }
}

fn gutter(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    line: usize,
    mark: Option<(&str, Role)>,
    state: &State,
    theme: &Theme,
) {
    let is_current = state.focus == Pane::Grammar && state.grammar.buffer.caret().line == line;
    let role = if is_current { Role::GutterCurrent } else { Role::Gutter };
    let mut pen = Pen::new(buffer, area, y);
    match mark {
        Some((symbol, role)) => pen.put(symbol, theme.text(role)),
        None => pen.skip(1),
    };
    pen.right_column(&(line + 1).to_string(), usize::from(area.width).saturating_sub(2), theme.text(role));
}

fn message(buffer: &mut Buffer, area: Rect, state: &State, theme: &Theme) {
    let Some(finding) = state.grammar.finding() else { return about_name(buffer, area, state, theme) };
    let inside = Rect { height: u16::MAX, ..area };
    let (symbol, role) = symbol(finding.severity);
    for (y, row) in message_rows(state, finding, inside).iter().enumerate() {
        let mut pen = Pen::new(buffer, area, y as u16);
        pen.column(if y == 0 { symbol } else { "" }, 2, theme.text(role)).put(row, theme.text(role));
    }
}

/// Where the run on the screen stands in the grammar on the screen.
fn standing(state: &State) -> Option<&Located> {
    let located = state.located().filter(|_| state.run.inspected().is_some())?;
    (!state.has_other_grammar()).then_some(located)
}

/// The mark of a line that the token under inspection is in: of the innermost rule, or of another.
fn active(located: &Located, line: usize) -> Option<(&'static str, Role)> {
    let is_in = |crumb: &Crumb| {
        let spot = crumb.active.as_ref().or(crumb.definition.as_ref());
        spot.is_some_and(|spot| (spot.start.line..=spot.end.line).contains(&(line + 1)))
    };
    let depth = located.place.path.iter().rposition(is_in)?;
    Some(if depth + 1 == located.place.path.len() { ("▸", Role::Chosen) } else { ("·", Role::Dim) })
}

/// What the name at the caret stands for, else the open rules, in one row.
fn about_name(buffer: &mut Buffer, area: Rect, state: &State, theme: &Theme) {
    let dim = theme.text(Role::Dim);
    let Some(symbol) = state.known_name_at_caret() else {
        if let Some(located) = standing(state) {
            let room = usize::from(area.width).saturating_sub(2);
            Pen::new(buffer, area, 0)
                .put("▸ ", theme.text(Role::Chosen))
                .put(&whereabouts::path(&located.place, room), dim);
        }
        return;
    };
    let mut pen = Pen::new(buffer, area, 0);
    pen.put("◆ ", dim).put(&sanitize::line(&symbol.name), theme.base());
    let key = state.keymap.first_key(Action::Uses);
    let uses = match symbol.uses.len() {
        1 => "1 use".to_owned(),
        n => format!("{n} uses"),
    };
    let end = if key.is_empty() { uses } else { format!("{uses} {key}") };
    let samples = match &state.grammar.samples {
        Some((revision, name, samples))
            if *revision == state.grammar.buffer.revision()
                && *name == symbol.name
                && !samples.is_empty() =>
        {
            format!("  matches {}", samples.join("  "))
        }
        _ => String::new(),
    };
    let room = pen.left().saturating_sub(end.chars().count() + 2);
    let body = match symbol.definitions.first() {
        None => "  is not defined here".to_owned(),
        Some(_) => format!("  {}", one_line(&body_of(state, symbol))),
    };
    let samples = sanitize::line(&samples);
    let of_body = room.saturating_sub(super::glyphs::width(&samples, 0)).max(room / 2);
    pen.put_within(&sanitize::line(&body), of_body, dim);
    let room = pen.left().saturating_sub(end.chars().count() + 2);
    pen.put_within(&samples, room, theme.base()).at_right(&end, dim);
}

fn body_of(state: &State, symbol: &Symbol) -> String {
    let text = &state.grammar.buffer;
    text.slice(text.place(symbol.body.start), text.place(symbol.body.end))
}

/// A text with its line breaks and what stands around them as single spaces.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The message about a finding, cut into rows.
fn message_rows(state: &State, finding: &Diagnostic, inside: Rect) -> Vec<String> {
    let Diagnostic { start, number, message, .. } = finding;
    let mut text = format!("{}:{} {number} {message}", start.line, start.column);
    // What a key does comes before what a person would have to do.
    if let Some(fix) = &finding.fix {
        text += &format!(" — {} {}", state.keymap.first_key(Action::Fix), fix.label);
    }
    // Some say no more than the fix.
    let label = finding.fix.as_ref().map_or("", |fix| &fix.label);
    if let Some(help) = finding.help.as_ref().filter(|h| label.is_empty() || !h.starts_with(label)) {
        text += &format!(" — {help}");
    }
    let text = sanitize::line(&text).into_owned();
    let rows = wrap::rows(&text, usize::from(inside.width.saturating_sub(3)));
    rows.iter().take(MESSAGE_ROWS).map(|r| text[r.start..r.end].to_owned()).collect()
}

fn symbol(severity: Severity) -> (&'static str, Role) {
    match severity {
        Severity::Error => ("●", Role::Error),
        Severity::Warning => ("▲", Role::Warning),
    }
}

/// The characters that a finding is about, by line.
struct Mark {
    lines: std::ops::RangeInclusive<usize>,
    first_byte: usize,
    end_byte: usize,
    severity: Severity,
}

impl Mark {
    fn new(finding: &Diagnostic, text: &dyn Lines) -> Self {
        Self::at((finding.start, finding.end), finding.severity, text)
    }

    fn at((start, end): (Position, Position), severity: Severity, text: &dyn Lines) -> Self {
        let (first, last) = (start.line - 1, end.line.max(start.line) - 1);
        let byte = |line: usize, column: usize| {
            let text = text.line(line);
            text.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| at)
        };
        let first_byte = byte(first, start.column);
        let end_byte = byte(last, end.column);
        // An empty place is shown as the character at it.
        let is_empty = first == last && first_byte == end_byte;
        Self {
            lines: first..=last,
            first_byte,
            end_byte: if is_empty { end_byte + 1 } else { end_byte },
            severity,
        }
    }

    /// The terminals that were expected, with the one that is in progress.
    fn expected(located: &Located, text: &dyn Lines) -> Vec<Self> {
        let spots = located.place.expected.iter().filter_map(|expected| expected.terminal.spot.as_ref());
        spots.map(|spot| Self::at((spot.start, spot.end), Severity::Warning, text)).collect()
    }

    fn covers(&self, line: usize, byte: usize) -> bool {
        self.lines.contains(&line)
            && (line > *self.lines.start() || byte >= self.first_byte)
            && (line < *self.lines.end() || byte < self.end_byte)
    }

    fn symbol(&self) -> &'static str {
        symbol(self.severity).0
    }

    fn role(&self) -> Role {
        symbol(self.severity).1
    }

    fn underline(&self, theme: &Theme) -> Style {
        let mut style = Style::new().add_modifier(Modifier::UNDERLINED);
        style.underline_color = theme.style(self.role()).fg;
        style
    }
}
