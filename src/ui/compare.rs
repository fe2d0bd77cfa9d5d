//! Two runs side by side: their figures and what differs in what was asked for, both texts with the place
//! where they part, and the candidates of both at one token.
//!
//! What both have in common is dim; the first token that differs is underlined and its row is marked.
//! Up to there both columns show the same rows, so the texts stand level where they part.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::compare::{self, Compare, Formats, Line};
use crate::app::state::{Run, State};
use crate::app::transcript::Transcript;
use crate::engine::trace::{Candidate, Insight, Step};
use crate::sanitize;

use super::format::{percent, rate};
use super::inspector::kind_name;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::wrap::{self, Place, RowRef};
use super::{editor, overlay};

/// Columns of a figure's name.
const NAME: usize = 12;

/// Columns of a percentage.
const PERCENT: usize = 7;

/// Columns of a candidate's name, at most: its figures stay near it.
const CANDIDATE: usize = 40;

/// Columns before a text: the mark of the row where the texts part.
const GUTTER: u16 = 2;

/// The parts of the screen.
struct Parts {
    /// One column for each run, from the figures down.
    sides: [Rect; 2],
    figures: u16,
    candidates: u16,
}

/// Where the comparison is: it needs all the room there is, above the footer.
pub fn area(state: &State) -> Rect {
    Rect::new(0, 0, state.size.0, state.size.1.saturating_sub(1))
}

fn parts(state: &State, lines: usize) -> Parts {
    let inside = super::layout::inside(area(state));
    let half = inside.width.saturating_sub(1) / 2;
    let sides = [
        Rect { width: half, ..inside },
        Rect { x: inside.x + half + 1, width: inside.width.saturating_sub(half + 1), ..inside },
    ];
    // The texts come first: half of the room is theirs.
    let figures = (lines as u16).min(inside.height.saturating_sub(2) / 3);
    let candidates = (inside.height.saturating_sub(figures + 2) / 3).min(14);
    Parts { sides, figures, candidates }
}

impl Parts {
    /// Where the text of a run is, its gutter left out.
    fn text(&self, side: usize) -> Rect {
        let area = self.sides[side];
        let above = self.figures + 2;
        Rect {
            x: area.x + GUTTER.min(area.width),
            y: area.y + above.min(area.height),
            width: area.width.saturating_sub(GUTTER),
            height: area.height.saturating_sub(above + self.candidates),
        }
    }
}

/// The columns that the texts are wrapped at, and their rows.
pub fn text_size(state: &State, shown: &Compare) -> (usize, usize) {
    let lines = lines(state, shown).map_or(0, |lines| lines.len());
    let text = parts(state, lines).text(0);
    (width(text), usize::from(text.height))
}

/// One column is kept for the ends of lines. Both sides have the same, or their rows would differ.
fn width(text: Rect) -> usize {
    usize::from(text.width.saturating_sub(1).max(1))
}

/// The two runs, if both are in memory.
pub fn runs<'a>(state: &'a State, shown: &Compare) -> Option<[&'a Run; 2]> {
    Some([state.run_of(shown.runs[0])?, state.run_of(shown.runs[1])?])
}

fn lines(state: &State, shown: &Compare) -> Option<Vec<Line>> {
    let runs = runs(state, shown)?;
    let traces = [runs[0].trace.as_ref()?, runs[1].trace.as_ref()?];
    let mut lines = compare::differences(traces);
    let stats = runs.map(|run| &run.stats);
    lines.extend(compare::figures(traces, stats, &Formats { rate, percent }));
    Some(lines)
}

/// Draws both.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, shown: &Compare) {
    let title = format!("Runs {} and {}", shown.runs[0], shown.runs[1]);
    let inside = overlay::open(buffer, theme, area(state), &title);
    let (Some(runs), Some(lines)) = (runs(state, shown), lines(state, shown)) else {
        Pen::new(buffer, inside, 0).skip(1).put("Reading the run…", text_style(theme, Role::Dim));
        return;
    };
    let parts = parts(state, lines.len());
    let common = compare::common(runs[0].steps(), runs[1].steps());
    for y in 0..inside.height {
        Pen::new(buffer, inside, y)
            .skip(usize::from(parts.sides[0].width))
            .put("│", text_style(theme, Role::Border));
    }
    for (side, run) in runs.into_iter().enumerate() {
        let area = parts.sides[side];
        heading(buffer, area, state, theme, run, !lines.iter().any(|line| line.name == "prompt"));
        figures(buffer, area, theme, &lines, side, parts.figures);
        let steps = run.steps().len();
        let above = 1 + parts.figures;
        place(buffer, area, above, theme, shown.at, steps, common);
        text(buffer, parts.text(side), theme, run, shown.at, common);
        let y = area.height.saturating_sub(parts.candidates);
        let below = Rect { y: area.y + y, height: parts.candidates.min(area.height), ..area };
        candidates(buffer, below, theme, run, shown.at);
    }
}

fn text_style(theme: &Theme, role: Role) -> Style {
    theme.style(Role::Overlay).patch(theme.text(role))
}

/// Which run it is, with the prompt where that is not among what differs.
fn heading(buffer: &mut Buffer, area: Rect, state: &State, theme: &Theme, run: &Run, has_prompt: bool) {
    let newest = if state.runs.newest() == Some(run.number) { ", the newest" } else { "" };
    let trace = run.trace.as_ref().filter(|_| has_prompt);
    let prompt = trace.map_or("", |trace| trace.request.prompt.trim());
    Pen::new(buffer, area, 0)
        .skip(1)
        .put(&format!("Run {}{newest}", run.number), text_style(theme, Role::TitleFocused))
        .skip(2)
        .put(prompt.lines().next().unwrap_or_default(), text_style(theme, Role::Dim));
}

fn figures(buffer: &mut Buffer, area: Rect, theme: &Theme, lines: &[Line], side: usize, rows: u16) {
    let rows = usize::from(rows);
    for (y, line) in lines.iter().take(rows).enumerate() {
        let mut pen = Pen::new(buffer, area, y as u16 + 1);
        if y + 1 == rows && lines.len() > rows {
            pen.skip(1).put(
                &format!("… {} more with more rows", lines.len() - rows + 1),
                text_style(theme, Role::Dim),
            );
            return;
        }
        let (mark, role) = if line.is_same() { ("", Role::Dim) } else { ("≠", Role::Title) };
        pen.column(mark, 2, text_style(theme, Role::Warning))
            .column(line.name, NAME, text_style(theme, Role::Dim))
            .put(&line.values[side], text_style(theme, role));
    }
}

/// Which token is looked at, and where the texts part.
fn place(buffer: &mut Buffer, area: Rect, y: u16, theme: &Theme, at: usize, steps: usize, common: usize) {
    let of = if at < steps { format!("token {} / {steps}", at + 1) } else { format!("ended after {steps}") };
    let parted = match () {
        () if at < common => format!("same up to token {common}"),
        () if at == common => "the first that differs".to_owned(),
        () => format!("{} after they part", at - common),
    };
    Pen::new(buffer, area, y)
        .skip(GUTTER.into())
        .put(&of, text_style(theme, Role::Title))
        .skip(2)
        .put(&parted, text_style(theme, Role::Dim));
}

/// A run's text around a token.
fn text(buffer: &mut Buffer, area: Rect, theme: &Theme, run: &Run, at: usize, common: usize) {
    let lines = &run.transcript;
    let (columns, height) = (width(area), usize::from(area.height));
    let rows = wrap::visible(lines, top(lines, at, columns, height), columns, height);
    let base = theme.style(Role::Overlay);
    let parted = lines.span(common).0;
    let has_more = common < run.steps().len();
    let mut token =
        rows.first().and_then(|row| lines.token_at(Place { line: row.line, byte: row.row.start }));
    editor::draw_rows(buffer, area, lines, &rows, |line, byte| {
        let place = Place { line, byte };
        while let Some(index) = token
            && lines.span(index).1 <= place
            && index + 1 < lines.tokens()
        {
            token = Some(index + 1);
        }
        let index = token.unwrap_or(0);
        let style = if index < common { text_style(theme, Role::Dim) } else { base };
        let style =
            if index == common { style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD) } else { style };
        if index == at { style.patch(theme.style(Role::Selected)) } else { style }
    });
    for (y, row) in rows.iter().enumerate() {
        let starts = (row.line, row.row.start) <= (parted.line, parted.byte);
        let ends = (parted.line, parted.byte) < (row.line, row.row.end) || row.is_last;
        if has_more && starts && ends && row.line == parted.line {
            let gutter = Rect { x: area.x.saturating_sub(GUTTER), width: GUTTER, ..area };
            Pen::new(buffer, gutter, y as u16).put("≠", text_style(theme, Role::Warning));
        }
    }
}

/// The first row, so that a token stands in the middle.
fn top(lines: &Transcript, at: usize, columns: usize, height: usize) -> RowRef {
    let row = wrap::row_of(lines, lines.span(at).0, columns);
    wrap::advance(lines, row, -(height as isize / 2), columns)
}

/// What the model wanted at a token, and what the mask left of it.
fn candidates(buffer: &mut Buffer, area: Rect, theme: &Theme, run: &Run, at: usize) {
    if area.height == 0 {
        return;
    }
    let Some(step) = run.steps().get(at) else { return };
    let mut pen = Pen::new(buffer, area, 0);
    let room = usize::from(area.width).saturating_sub(2 * PERCENT + 1).min(CANDIDATE);
    pen.column("", 2, theme.style(Role::Overlay))
        .column(&shown(step), room.saturating_sub(2), theme.style(Role::Selected))
        .right_column("before", PERCENT, text_style(theme, Role::Dim))
        .right_column("after", PERCENT, text_style(theme, Role::Dim));
    let Some(insight) = &step.insight else { return };
    let listed = weightiest(insight);
    for (y, candidate) in listed.iter().take(usize::from(area.height) - 1).enumerate() {
        let is_chosen = candidate.token == step.token;
        let (mark, role) = match (is_chosen, insight.allowed.contains(candidate.token)) {
            (true, _) => ("▸", Role::Chosen),
            (false, true) => ("", Role::Title),
            (false, false) => ("✗", Role::Rejected),
        };
        let style = text_style(theme, role);
        Pen::new(buffer, area, y as u16 + 1)
            .column(mark, 2, style)
            .column(&name(run, candidate), room.saturating_sub(2), style)
            .right_column(&percent(candidate.before), PERCENT, text_style(theme, Role::Title))
            .right_column(&percent(candidate.after), PERCENT, text_style(theme, Role::Title));
    }
}

/// The candidates from both sides of the mask, the most probable on either side first, so that what the
/// model wanted and what it could have are both seen in few rows.
fn weightiest(insight: &Insight) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = insight.before.iter().chain(&insight.after).copied().collect();
    all.sort_by_key(|candidate| candidate.token);
    all.dedup_by_key(|candidate| candidate.token);
    let weight = |candidate: &Candidate| candidate.before.max(candidate.after);
    all.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    all
}

fn shown(step: &Step) -> String {
    format!("{} {}", sanitize::token(&step.bytes), kind_name(step.kind))
}

fn name(run: &Run, candidate: &Candidate) -> String {
    let bytes = run.vocabulary.as_ref().map(|v| v.bytes(candidate.token)).filter(|bytes| !bytes.is_empty());
    bytes.map_or_else(|| format!("#{}", candidate.token), sanitize::token)
}
