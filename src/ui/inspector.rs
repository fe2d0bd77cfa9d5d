//! The inspector: what the model wanted at one step, what the mask left of it, and how long it
//! took. At small sizes it shows the part that the person has chosen, at large sizes all of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::inspector::Part;
use crate::app::state::{Pane, State};
use crate::engine::trace::{Insight, Step, StepKind};
use crate::sanitize;

use super::View;
use super::candidates;
use super::editor::padded;
use super::format::{duration, percent};
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::tokens;

/// From this height on, candidates and list are shown together.
const TALL: u16 = 24;

/// Rows of the summary where there is room, and where there is not.
const SUMMARY: (u16, u16) = (6, 4);

/// Columns of the names in the summary.
const LABEL: usize = 9;

/// Draws the pane's inside.
pub fn draw(buffer: &mut Buffer, state: &State, view: &mut View, inside: Rect) {
    let area = Rect { width: padded(inside).width.saturating_sub(1), ..padded(inside) };
    let Some((index, step)) = state.run.inspected() else {
        let text = "What the mask does, token by token.";
        Pen::new(buffer, area, 0).put(text, view.theme.text(Role::Dim));
        return;
    };
    let is_tall = area.height >= TALL;
    let summary_height = if is_tall { SUMMARY.0 } else { SUMMARY.1 }.min(area.height);
    summary(buffer, Rect { height: summary_height, ..area }, state, index, step, &view.theme);
    let rest = Rect { y: area.y + summary_height, height: area.height - summary_height, ..area };
    let Some(insight) = &step.insight else {
        Pen::new(buffer, rest, 0).put("No details were recorded for this token.", view.theme.text(Role::Dim));
        return;
    };
    let part = state.inspector.part;
    if is_tall {
        let candidates_height = rest.height / 2;
        // The last row of the upper part stays blank.
        let upper = Rect { height: candidates_height.saturating_sub(1), ..rest };
        let lower = Rect { y: rest.y + candidates_height, height: rest.height - candidates_height, ..rest };
        let is_active = state.focus == Pane::Inspector && part == Part::Candidates;
        candidates::draw(buffer, state, &view.theme, upper, step, insight, is_active);
        tokens::draw(buffer, state, view, lower, step, insight);
    } else if part == Part::Candidates {
        candidates::draw(buffer, state, &view.theme, rest, step, insight, state.focus == Pane::Inspector);
    } else {
        tokens::draw(buffer, state, view, rest, step, insight);
    }
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
    Pen::new(buffer, area, 0)
        .put_within(&sanitize::token(&step.bytes), room, theme.style(Role::Selected))
        .skip(1)
        .put(kind_name(step.kind), dim)
        .put(if step.thinking { ", thinking" } else { "" }, dim)
        .at_right(&of, dim);
    let timings = &step.timings;
    let Some(insight) = &step.insight else {
        times(buffer, area, 1, timings, theme);
        return;
    };
    let label = |pen: &mut Pen, name: &str| {
        pen.column(name, LABEL, dim);
    };
    let mut pen = Pen::new(buffer, area, 1);
    label(&mut pen, "allowed");
    pen.put(&insight.allowed.count().to_string(), text).put(&format!(" of {}", insight.allowed.width()), dim);
    let mut pen = Pen::new(buffer, area, 2);
    label(&mut pen, "removed");
    pen.put(&percent(insight.mass_removed), text);
    if area.height == SUMMARY.0 {
        pen.put(" of the probability", dim);
        let mut pen = Pen::new(buffer, area, 3);
        label(&mut pen, "entropy");
        entropy(&mut pen, insight, theme);
        pen.put(" bit", dim);
        times(buffer, area, 4, timings, theme);
    } else {
        pen.put("  entropy ", dim);
        entropy(&mut pen, insight, theme);
        times(buffer, area, 3, timings, theme);
    }
}

/// The entropy before and after the mask.
fn entropy(pen: &mut Pen, insight: &Insight, theme: &Theme) {
    pen.put(&format!("{:.2}", insight.entropy_before), theme.base())
        .put(" → ", theme.text(Role::Dim))
        .put(&format!("{:.2}", insight.entropy_after), theme.base());
}

/// Where the time went; what took none is left out.
fn times(buffer: &mut Buffer, area: Rect, row: u16, timings: &crate::engine::trace::Timings, theme: &Theme) {
    let mut pen = Pen::new(buffer, area, row);
    pen.column("time", LABEL, theme.text(Role::Dim));
    for (name, time) in [("forward ", timings.forward), ("mask ", timings.mask), ("pick ", timings.sample)] {
        let value = duration(time);
        if time.is_zero() {
            continue;
        }
        if pen.left() < name.len() + value.chars().count() {
            break;
        }
        pen.put(name, theme.text(Role::Dim)).put(&value, theme.base()).skip(1);
    }
}
