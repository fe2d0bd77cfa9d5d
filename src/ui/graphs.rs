//! The graphs under the output: removed mass, entropy and time, step by step or of the whole run.
//!
//! All have the same columns, so that what happened at one step stands in one line, and the selected
//! step is marked in all of them. A frame reads as many figures as there are columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::look::Graphs;
use crate::app::series::Figures;
use crate::app::state::{Run, State};

use super::editor::padded;
use super::format;
use super::layout;
use super::pen::Pen;
use super::theme::{Role, Theme};

/// What a graph is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The probability that the mask removed.
    Removed,
    /// The entropy before the mask.
    Before,
    /// The entropy after the mask.
    After,
    /// The time of a step.
    Time,
}

impl Metric {
    fn of(self, figures: &Figures) -> f32 {
        match self {
            Self::Removed => figures.removed,
            Self::Before => figures.before,
            Self::After => figures.after,
            Self::Time => figures.time,
        }
    }

    fn text(self, value: f32) -> String {
        match self {
            _ if value.is_nan() => "-".to_owned(),
            Self::Removed => format::percent(value),
            Self::Before | Self::After => format!("{value:.2}"),
            Self::Time => format::duration(std::time::Duration::try_from_secs_f32(value).unwrap_or_default()),
        }
    }

    /// The least that the full height of the graph stands for.
    fn least_scale(self) -> f32 {
        match self {
            Self::Removed | Self::Before | Self::After => 1.0,
            Self::Time => 1e-6,
        }
    }
}

/// Where the graphs are, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// The line above them; empty if there is no room for it.
    pub heading: Rect,
    /// The columns, over all graphs.
    pub columns: Rect,
    /// The rows of one graph.
    pub rows: u16,
    /// The graphs, from above.
    pub metrics: &'static [(Metric, &'static str)],
}

use Metric::{After, Before, Removed, Time};

/// The graphs where there is room, and where there is not.
const ALL: &[(Metric, &str)] =
    &[(Removed, "removed"), (Before, "entropy"), (After, "  after"), (Time, "time")];
const FEW: &[(Metric, &str)] = &[(Removed, "removed"), (After, "entropy"), (Time, "time")];

/// Columns of a name, of a figure, and of the highest figure.
const NAME: u16 = 8;
const FIGURE: u16 = 7;
const HIGHEST: u16 = 8;

/// The least room for the graphs beside a little text.
const LEAST: (u16, u16) = (34, 7);

/// The least room in which they are shown unasked.
const UNASKED: (u16, u16) = (36, 16);

/// Cuts the inside of the output's pane into the text and the graphs, if there are any.
pub fn split(state: &State, inside: Rect) -> (Rect, Option<Plot>) {
    let least = match state.graphs {
        Graphs::Hidden => return (inside, None),
        Graphs::Auto => UNASKED,
        Graphs::Steps | Graphs::Whole => LEAST,
    };
    if state.run.series.is_empty() || inside.width < least.0 || inside.height < least.1 {
        return (inside, None);
    }
    let (metrics, rows, heading) = match inside.height {
        30.. => (ALL, 2, 1),
        18..30 => (ALL, 1, 1),
        _ => (FEW, 1, 0),
    };
    let graphs = metrics.len() as u16 * rows;
    let (above, below) = (inside.height - graphs - heading, inside.height - graphs);
    let area = padded(Rect { y: inside.y + below, height: graphs, ..inside });
    // Where a graph has two rows, its figure stands under its name.
    let left = if rows > 1 { NAME + 1 } else { NAME + FIGURE };
    let columns = Rect { x: area.x + left, width: area.width.saturating_sub(left + HIGHEST).max(1), ..area };
    let heading = Rect { y: inside.y + above, height: heading, ..inside };
    (Rect { height: above, ..inside }, Some(Plot { heading, columns, rows, metrics }))
}

/// The graphs of the output's pane, where it is shown and has any.
pub fn plot(state: &State) -> Option<Plot> {
    let area = state.areas()?.output;
    if area.is_empty() { None } else { split(state, layout::inside(area)).1 }
}

/// Which figures the columns show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Their level: each column stands for `1 << level` steps.
    pub level: usize,
    /// The figure in the first column.
    pub from: usize,
}

impl Window {
    /// The column of a step.
    pub fn column_of(self, step: usize) -> Option<usize> {
        (step >> self.level).checked_sub(self.from)
    }
}

/// The figures in `columns` columns: the newest, or those around the selected step that were there
/// before; or all of them.
pub fn window(run: &Run, graphs: Graphs, columns: usize) -> Window {
    if graphs == Graphs::Whole {
        return Window { level: run.series.level_within(columns), from: 0 };
    }
    let last = run.series.len().saturating_sub(columns);
    let from = match run.selected {
        Some(step) => {
            let from = run.graphs_from.unwrap_or(last);
            from.clamp((step + 1).saturating_sub(columns), step).min(last)
        }
        None => last,
    };
    Window { level: 0, from }
}

/// The step under a cell of the screen. In a column of several, it is the one whose figure is shown.
pub fn step_at(state: &State, column: u16, row: u16) -> Option<usize> {
    let plot = plot(state)?;
    if !plot.columns.contains((column, row).into()) {
        return None;
    }
    let run = &state.run;
    let Window { level, from } = window(run, state.graphs, usize::from(plot.columns.width));
    let at = from + usize::from(column - plot.columns.x);
    let figures = run.series.level(0);
    let steps = at << level..((at + 1) << level).min(figures.len());
    let metric = plot.metrics.get(usize::from((row - plot.columns.y) / plot.rows))?.0;
    let value = |step: &usize| metric.of(&figures[*step]);
    // What was not recorded is lower than anything, and of equals the first is meant.
    let rank = |step: &usize| if value(step).is_nan() { f32::NEG_INFINITY } else { value(step) };
    steps.rev().max_by(|a, b| rank(a).total_cmp(&rank(b)))
}

/// Draws the graphs.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, plot: &Plot) {
    let run = &state.run;
    let width = usize::from(plot.columns.width);
    let window = window(run, state.graphs, width);
    let level = run.series.level(window.level);
    let shown = &level[window.from.min(level.len())..(window.from + width).min(level.len())];
    if !plot.heading.is_empty() {
        heading(buffer, plot.heading, theme, window.level);
    }
    let inspected = run.inspected().and_then(|(index, _)| run.series.level(0).get(index));
    let entropy = highest(shown, Before).max(highest(shown, After));
    for (y, (metric, name)) in (plot.columns.y..).step_by(usize::from(plot.rows)).zip(plot.metrics) {
        // One scale for both entropies, so that they compare.
        let scale = match metric {
            Removed => 1.0,
            Before | After if plot.metrics == ALL => entropy,
            _ => highest(shown, *metric),
        };
        let area = Rect { y, height: plot.rows, ..plot.columns };
        let scale = scale.max(metric.least_scale());
        let current = inspected.map_or_else(String::new, |figures| metric.text(metric.of(figures)));
        labels(buffer, area, theme, name, &current, &metric.text(scale));
        for (x, figures) in (area.x..area.right()).zip(shown) {
            for (y, cell) in (area.y..).zip(bar(metric.of(figures), scale, usize::from(plot.rows))) {
                buffer.set_stringn(x, y, cell, 1, theme.text(Role::Graph));
            }
        }
    }
    let column = run.selected.and_then(|step| window.column_of(step)).filter(|&column| column < shown.len());
    if let Some(column) = column {
        let x = plot.columns.x + column as u16;
        buffer.set_style(Rect { x, width: 1, ..plot.columns }, theme.style(Role::Selected));
    }
}

fn highest(figures: &[Figures], metric: Metric) -> f32 {
    figures.iter().map(|f| metric.of(f)).fold(0.0, f32::max)
}

/// The name and the figure of the inspected step at the left; what the full height stands for at the
/// right.
fn labels(buffer: &mut Buffer, area: Rect, theme: &Theme, name: &str, current: &str, highest: &str) {
    let dim = theme.text(Role::Dim);
    let is_tall = area.height > 1;
    let left = if is_tall { NAME + 1 } else { NAME + FIGURE };
    let left = Rect { x: area.x - left, width: left, ..area };
    let right = Rect { x: area.right(), width: HIGHEST, ..area };
    if is_tall {
        Pen::new(buffer, left, 0).put(name, dim);
        Pen::new(buffer, left, 1).put(current, theme.base());
        Pen::new(buffer, right, 0).skip(1).put(highest, dim);
        Pen::new(buffer, right, area.height - 1).skip(1).put("0", dim);
    } else {
        let figure = usize::from(FIGURE) - 1;
        Pen::new(buffer, left, 0).column(name, NAME.into(), dim).put_within(current, figure, theme.base());
        Pen::new(buffer, right, 0).skip(1).put(highest, dim);
    }
}

/// What a column is, as far as it fits into the line above the graphs.
fn heading(buffer: &mut Buffer, area: Rect, theme: &Theme, level: usize) {
    let line = "─".repeat(usize::from(area.width));
    Pen::new(buffer, area, 0).put(&line, theme.text(Role::Border));
    let column = match level {
        0 => " a column is a step ".to_owned(),
        _ => format!(" a column is {} steps, the highest of them ", 1_usize << level),
    };
    let mut pen = Pen::new(buffer, area, 0);
    pen.skip(1).put(&column, theme.text(Role::Dim));
    let sharing = "· forced ones share a pass ";
    if super::glyphs::width(sharing, 0) < pen.left() {
        pen.put(sharing, theme.text(Role::Dim));
    }
}

/// One column of a graph of `rows` rows, from above: `value` on a scale from 0 to `scale`. Nothing
/// recorded is blank, and nothing at all is still a line.
pub fn bar(value: f32, scale: f32, rows: usize) -> Vec<&'static str> {
    const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    if value.is_nan() {
        return vec![" "; rows];
    }
    let most = rows * 8;
    let filled = ((value / scale).clamp(0.0, 1.0) * most as f32).round() as usize;
    let filled = filled.clamp(1, most);
    (0..rows).rev().map(|row| EIGHTHS[filled.saturating_sub(row * 8).min(8)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trace::{Step, StepKind, Timings};
    use std::sync::Arc;
    use std::time::Duration;

    fn run(count: u64) -> Run {
        let step = |i: u64| {
            Arc::new(Step {
                token: 0,
                bytes: (*b"x").into(),
                special: false,
                of_prompt: 0,
                thinking: false,
                kind: StepKind::Sampled,
                insight: None,
                timings: Timings { forward: Duration::from_micros(i), ..Timings::default() },
            })
        };
        let mut run = Run::default();
        run.series.extend(&(0..count).map(step).collect::<Vec<_>>());
        run
    }

    #[test]
    fn bars_fill_their_rows_from_below() {
        let bars = [0.0, 0.01, 0.25, 0.5, 0.75, 1.0, 9.0].map(|v| bar(v, 1.0, 2).concat());
        assert_eq!(bars, [" ▁", " ▁", " ▄", " █", "▄█", "██", "██"]);
        assert_eq!(bar(f32::NAN, 1.0, 2).concat(), "  ");
        assert_eq!([0.0, 4.0, 8.0].map(|v| bar(v, 8.0, 1).concat()), ["▁", "▄", "█"]);
    }

    #[test]
    fn the_newest_is_followed_and_the_selected_stays_in_sight() {
        let mut run = run(100);
        let from = |run: &Run| window(run, Graphs::Steps, 20).from;
        assert_eq!(from(&run), 80);
        run.selected = Some(90);
        run.graphs_from = Some(80);
        for (selected, wanted) in [(90, 80), (79, 79), (10, 10), (20, 10), (29, 10), (31, 12), (99, 80)] {
            run.selected = Some(selected);
            run.graphs_from = Some(from(&run));
            assert_eq!(run.graphs_from, Some(wanted), "{selected}");
            let window = window(&run, Graphs::Steps, 20);
            assert!(window.column_of(selected).is_some_and(|column| column < 20));
        }
        assert_eq!(window(&self::run(5), Graphs::Steps, 20), Window { level: 0, from: 0 });
    }

    #[test]
    fn the_whole_run_always_fits() {
        for count in [1, 19, 20, 21, 100, 5000] {
            let run = run(count);
            let Window { level, from } = window(&run, Graphs::Whole, 20);
            let columns = run.series.level(level).len();
            assert!(from == 0 && columns <= 20 && (level == 0 || columns > 10), "{count}: {columns}");
            assert_eq!(highest(run.series.level(level), Time), (count - 1) as f32 / 1e6);
        }
    }
}
