//! The graphs of a page, as shapes: removed mass, both entropies and time over the steps. A page of a
//! long run shows the highest of several steps in a column, so that its size stays in bounds.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::engine::export::text::percent;
use crate::engine::trace::{Step, Trace};

/// Most columns of a graph: more than a screen shows.
const COLUMNS: usize = 1000;

/// The height of a graph, in its own units.
const HEIGHT: f32 = 40.0;

type Figure = fn(&Step) -> Option<f32>;

/// Writes a value with its unit.
type Text = fn(f32) -> String;

pub(super) fn write(out: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    if trace.steps.is_empty() {
        return Ok(());
    }
    let bits: Text = |value| format!("{value:.2} bits");
    let graphs: [(&str, Figure, Text); 4] = [
        ("removed mass", |s| Some(s.insight.as_deref()?.mass_removed), percent),
        ("entropy before the mask", |s| Some(s.insight.as_deref()?.entropy_before), bits),
        ("entropy after the mask", |s| Some(s.insight.as_deref()?.entropy_after), bits),
        ("time of a step", |s| Some(s.timings.total().as_secs_f32()), |v| format!("{:.2} ms", v * 1e3)),
    ];
    let per_column = trace.steps.len().div_ceil(COLUMNS);
    let series = graphs.map(|(_, figure, _)| columns(trace, figure, per_column));
    let highest = series.each_ref().map(|all| all.iter().flatten().copied().fold(0.0, f32::max));
    // One scale for both entropies, so that they compare; all of the probability for what was removed.
    let entropy = highest[1].max(highest[2]);
    let scales = [1.0, entropy, entropy, highest[3]];
    writeln!(out, "<div class=\"graphs\" id=\"graphs\">")?;
    for (i, (name, _, text)) in graphs.iter().enumerate() {
        let (path, width) = (path(&series[i], scales[i]), series[i].len());
        let highest = text(highest[i]);
        writeln!(
            out,
            "<figure><figcaption>{name}<small>highest {highest}</small></figcaption>\
             <svg viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{name}, step by step; the highest is {highest}\"><path d=\"{path}\"/>\
             <rect class=\"at\" y=\"0\" width=\"0\" height=\"{HEIGHT}\"/></svg></figure>"
        )?;
    }
    let note = match per_column {
        1 => "A column is a step.".to_owned(),
        _ => format!("A column is {per_column} steps, the highest of them."),
    };
    writeln!(
        out,
        "<p class=\"note\">{note} Tokens that shared a pass of the model have equal shares of its time.</p></div>"
    )
}

/// The highest figure of every column.
fn columns(trace: &Trace, figure: Figure, per_column: usize) -> Vec<Option<f32>> {
    let figures = |steps: &[std::sync::Arc<Step>]| {
        steps.iter().filter_map(|s| figure(s)).filter(|f| f.is_finite()).reduce(f32::max)
    };
    trace.steps.chunks(per_column).map(figures).collect()
}

/// The outline of the columns.
fn path(figures: &[Option<f32>], scale: f32) -> String {
    let mut out = format!("M0 {HEIGHT}");
    for figure in figures {
        let share = figure.map_or(0.0, |f| if scale > 0.0 { (f / scale).clamp(0.0, 1.0) } else { 0.0 });
        // Tenths are finer than any screen shows. Writing to a String cannot fail.
        let _ = write!(out, "V{}h1", ((1.0 - share) * HEIGHT * 10.0).round() / 10.0);
    }
    out + &format!("V{HEIGHT}z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_rise_with_the_figures() {
        assert_eq!(path(&[Some(1.0), None, Some(0.25), Some(9.0)], 1.0), "M0 40V0h1V40h1V30h1V0h1V40z");
        assert_eq!(path(&[Some(0.0)], 0.0), "M0 40V40h1V40z");
    }
}
