//! The inspector: what the model wanted at one step, what the mask left of it, and how long it
//! took. At small sizes it shows the part that the person has chosen, at large sizes all of it.
//!
//! Both drawing and the mouse ask [`parts`] where things are, so what is seen and what is clicked
//! cannot differ.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::action::Action;
use crate::app::inspector::Part;
use crate::app::state::State;
use crate::engine::alarm::AlarmKind;
use crate::engine::trace::{Insight, Step, StepKind, Timings};
use crate::sanitize;

use super::editor::{padded, paragraph};
use super::format::{duration, percent};
use super::glyphs::width;
use super::layout;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::{candidates, look, tabs, tokens, tree, whereabouts};

/// From this height on, candidates and list are shown together.
const TALL: u16 = 22;

/// Rows of the summary where there is room, the last one blank, and where there is not.
const SUMMARY: (u16, u16) = (7, 4);

/// Columns of the names in the summary.
const LABEL: usize = 9;

/// Where the parts are. One that is not shown has no area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The token, the mask in figures, the times.
    pub summary: Rect,
    /// The candidates with their heading.
    pub candidates: Rect,
    /// The list with its heading and its query.
    pub list: Rect,
}

impl Parts {
    /// How many rows of a part are shown at once.
    pub fn rows(&self, part: Part) -> usize {
        usize::from(match part {
            Part::Candidates => self.candidates.height.saturating_sub(candidates::HEADING),
            Part::Allowed | Part::Rejected => tokens::rows(self.list, part),
            Part::Where => self.list.height.saturating_sub(whereabouts::HEADING),
            Part::Tree => self.list.height.saturating_sub(tree::HEADING),
        })
    }
}

/// What can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The heading of a part.
    Part(Part),
    /// The line that the list is searched with.
    Query,
    /// The candidate of this row after the mask; clicked there, or where it stands before the mask.
    Candidate {
        /// The row.
        row: usize,
        /// Whether it was clicked after the mask.
        is_after: bool,
    },
    /// This row of the list.
    Row(usize),
    /// This one of the expected terminals.
    Place(usize),
    /// This part of the tree.
    Node(usize),
}

/// Where the parts are; `None` if the inspector is not shown.
pub fn parts(state: &State) -> Option<Parts> {
    let area = state.areas()?.inspector;
    (!area.is_empty()).then(|| cut(state, layout::inside(area)))
}

/// Cuts the pane's inside. The last column is for the bars that show the place.
fn cut(state: &State, inside: Rect) -> Parts {
    let area = Rect { width: padded(inside).width.saturating_sub(1), ..padded(inside) };
    let is_tall = area.height >= TALL;
    let height = if is_tall { SUMMARY.0 } else { SUMMARY.1 }.min(area.height);
    let summary = Rect { height, ..area };
    let rest = Rect { y: area.y + height, height: area.height - height, ..area };
    let mut parts = Parts { summary, ..Parts::default() };
    if is_tall {
        let upper = rest.height / 2;
        // The last row of the upper part stays blank.
        parts.candidates = Rect { height: upper.saturating_sub(1), ..rest };
        parts.list = Rect { y: rest.y + upper, height: rest.height - upper, ..rest };
    } else if state.inspector.part == Part::Candidates {
        parts.candidates = rest;
    } else {
        parts.list = rest;
    }
    parts
}

/// What is under a cell of the screen.
pub fn target(state: &State, column: u16, row: u16) -> Option<Target> {
    let (parts, at) = (parts(state)?, Position::new(column, row));
    let (_, step) = state.run.inspected()?;
    let insight = step.insight.as_ref()?;
    if parts.candidates.contains(at) {
        return candidates::target(state, parts.candidates, insight, at);
    }
    if parts.list.contains(at) {
        if at.y == parts.list.y {
            return Some(Target::Part(tabs::target(state, parts.list, insight, at)));
        }
        return match state.inspector.below() {
            Part::Where => whereabouts::target(state, parts.list, at),
            Part::Tree => tree::target(state, parts.list, at),
            _ => tokens::target(state, parts.list, insight, at),
        };
    }
    // The figures lead to the tokens that they count.
    match row.checked_sub(parts.summary.y).filter(|_| parts.summary.contains(at)) {
        Some(1) => Some(Target::Part(Part::Allowed)),
        Some(2) => Some(Target::Part(Part::Rejected)),
        _ => None,
    }
}

/// Where the terminal's own cursor goes while keys type into it.
pub fn caret(state: &State) -> Option<Position> {
    state.run.inspected()?.1.insight.as_ref()?;
    let is_list = matches!(state.inspector.below(), Part::Allowed | Part::Rejected);
    is_list.then(|| tokens::caret(state, parts(state)?.list)).flatten()
}

/// Draws the pane's inside.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, inside: Rect) {
    let parts = cut(state, inside);
    let Some((index, step)) = state.run.inspected() else {
        let area = padded(inside);
        let used = paragraph(buffer, area, "What the mask does, token by token.", theme.text(Role::Dim));
        let rest = Rect { y: area.y + used + 1, height: area.height.saturating_sub(used + 1), ..area };
        let (left, right) = (state.keymap.first_key(Action::Left), state.keymap.first_key(Action::Right));
        let more = format!(
            "For each token of the output: how many the grammar allowed, how much probability the mask \
             removed, and the candidates before and after it. In the output, {left} and {right} choose the token."
        );
        paragraph(buffer, rest, &more, theme.text(Role::Dim));
        return;
    };
    summary(buffer, parts.summary, state, index, step, theme);
    let Some(insight) = &step.insight else {
        let rest = if parts.candidates.is_empty() { parts.list } else { parts.candidates };
        Pen::new(buffer, rest, 0).put("No details were recorded for this token.", theme.text(Role::Dim));
        return;
    };
    if !parts.candidates.is_empty() {
        candidates::draw(buffer, state, theme, parts.candidates, step, insight);
    }
    if !parts.list.is_empty() {
        tabs::draw(buffer, state, theme, parts.list, insight);
        match state.inspector.below() {
            Part::Where => whereabouts::draw(buffer, state, theme, parts.list),
            Part::Tree => tree::draw(buffer, state, theme, parts.list),
            _ => tokens::draw(buffer, state, theme, parts.list, step, insight),
        }
    }
    legend(buffer, inside, theme);
}

/// Says in the border below what the marks mean.
fn legend(buffer: &mut Buffer, inside: Rect, theme: &Theme) {
    let dim = theme.text(Role::Dim);
    let parts = [
        (" ●".to_owned(), theme.text(Role::Chosen)),
        (" taken".to_owned(), dim),
        ("  ✗".to_owned(), theme.text(Role::Rejected)),
        (" rejected by the grammar ".to_owned(), dim),
    ];
    look::say(buffer, Rect { y: inside.bottom(), height: 1, ..inside }, &parts);
}

/// How a step came to be, in a word.
pub fn kind_name(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Prompt => "prompt",
        StepKind::Forced => "forced",
        StepKind::Sampled => "sampled",
        StepKind::Overridden => "put by you",
    }
}

fn summary(buffer: &mut Buffer, area: Rect, state: &State, index: usize, step: &Step, theme: &Theme) {
    let (text, dim) = (theme.base(), theme.text(Role::Dim));
    let of = format!("{} / {}", index + 1, state.run.steps().len());
    let room = usize::from(area.width).saturating_sub(of.len() + 12);
    let alarm = match state.run.watch.at(index).map(|alarm| alarm.kind) {
        Some(AlarmKind::Endless) => ", no end",
        Some(AlarmKind::WhiteSpace) => ", white space",
        Some(AlarmKind::Repetition { .. }) => ", repeats",
        None => "",
    };
    let seam = if step.of_prompt > 0 { ", begins in the prompt" } else { "" };
    let room = room.saturating_sub(alarm.len() + seam.len());
    Pen::new(buffer, area, 0)
        .put_within(&sanitize::token(&step.bytes), room, theme.style(Role::Selected))
        .skip(1)
        .put(kind_name(step.kind), if step.kind == StepKind::Overridden { text } else { dim })
        .put(if step.thinking { ", thinking" } else { "" }, dim)
        .put(seam, dim)
        .put(alarm, theme.text(Role::Warning))
        .at_right(&of, dim);
    let is_tall = area.height == SUMMARY.0;
    let Some(insight) = &step.insight else {
        times(buffer, area, 1, &step.timings, is_tall, theme);
        return;
    };
    let mut pen = labelled(buffer, area, 1, "allowed", theme);
    allowed(&mut pen, step.kind, insight, theme);
    let mut pen = labelled(buffer, area, 2, "removed", theme);
    pen.put(&percent(insight.mass_removed), text);
    if is_tall {
        pen.put(" of the probability", dim);
        let mut pen = labelled(buffer, area, 3, "entropy", theme);
        entropy(&mut pen, insight, theme);
        pen.put(" bit", dim);
        times(buffer, area, 4, &step.timings, is_tall, theme);
    } else {
        pen.put("  entropy ", dim);
        entropy(&mut pen, insight, theme);
        times(buffer, area, 3, &step.timings, is_tall, theme);
    }
}

fn labelled<'a>(buffer: &'a mut Buffer, area: Rect, row: u16, name: &str, theme: &Theme) -> Pen<'a> {
    let mut pen = Pen::new(buffer, area, row);
    pen.column(name, LABEL, theme.text(Role::Dim));
    pen
}

/// How many tokens the grammar allowed; where it was one, that this is no choice.
fn allowed(pen: &mut Pen, kind: StepKind, insight: &Insight, theme: &Theme) {
    let (count, of) = (insight.allowed.count(), insight.allowed.width());
    let ends = if kind == StepKind::Forced || count == 1 {
        let of = format!(" of {of}");
        [of + ", the grammar left one way", ", the grammar left one way".into(), ", one way".into()]
    } else {
        [format!(" of {of}"), String::new(), String::new()]
    };
    pen.put(&count.to_string(), theme.base());
    let end = ends.iter().find(|end| width(end, 0) <= pen.left()).map_or("", String::as_str);
    pen.put(end, theme.text(Role::Dim));
}

/// The entropy before and after the mask.
fn entropy(pen: &mut Pen, insight: &Insight, theme: &Theme) {
    pen.put(&format!("{:.2}", insight.entropy_before), theme.base())
        .put(" → ", theme.text(Role::Dim))
        .put(&format!("{:.2}", insight.entropy_after), theme.base());
}

/// Where the time went, from row `row` on; in a tall summary with how much of the mask was not
/// hidden behind the forward pass.
fn times(buffer: &mut Buffer, area: Rect, row: u16, timings: &Timings, is_tall: bool, theme: &Theme) {
    let (text, dim) = (theme.base(), theme.text(Role::Dim));
    let mut pen = labelled(buffer, area, row, "time", theme);
    let parts = if is_tall {
        pen.put(&duration(timings.total()), text).put(" in all", dim).skip(2);
        [("forward ", timings.forward), ("pick ", timings.sample), ("commit ", timings.commit)]
    } else {
        [("forward ", timings.forward), ("mask ", timings.mask), ("pick ", timings.sample)]
    };
    for (name, time) in parts.into_iter().filter(|(_, time)| !time.is_zero()) {
        let value = duration(time);
        if pen.left() < name.len() + value.chars().count() {
            break;
        }
        pen.put(name, dim).put(&value, text).skip(if is_tall { 2 } else { 1 });
    }
    if is_tall {
        let mut pen = labelled(buffer, area, row + 1, "mask", theme);
        mask_time(&mut pen, timings, theme);
    }
}

/// How long the mask took, and whether anybody had to wait for it.
fn mask_time(pen: &mut Pen, timings: &Timings, theme: &Theme) {
    let dim = theme.text(Role::Dim);
    if timings.mask.is_zero() {
        pen.put("none was needed", dim);
        return;
    }
    pen.put(&duration(timings.mask), theme.base());
    if timings.mask_wait.is_zero() {
        pen.put(", hidden behind the forward pass", dim);
    } else {
        let wait = duration(timings.mask_wait);
        pen.put(", ", dim).put(&wait, theme.base()).put(" of it waited for", dim);
    }
}
