//! A run as text: what it was, what it said, and a table of its steps. Also the columns of such tables.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::engine::trace::{Step, StepKind, Trace};
use crate::sanitize;

use super::{Names, facts};

/// Columns for a token.
const TOKEN: usize = 22;

/// Columns for a line about the run.
const FACT: usize = 100;

pub(super) fn write(out: &mut dyn Write, trace: &Trace, names: &Names<'_>) -> io::Result<()> {
    for (label, text) in facts::of(trace) {
        writeln!(out, "{label:<8} {}", cut(&text, FACT))?;
    }
    let marked = marked(trace);
    let output = sanitize::visible(&marked);
    writeln!(out, "\nOutput, forced tokens between « and »:\n\n{}\n", output.trim_end_matches('\n'))?;
    writeln!(
        out,
        "Steps: the tokens that the mask allowed, the probability that it removed, the entropy in bits\n\
         before and after it, the chosen token's probability before it, the time, and the token that the\n\
         model wanted most, if the mask removed it.\n"
    )?;
    writeln!(
        out,
        "{:>6}  {:<10}  {:<TOKEN$}  {:>8}  {:>8}  {:>6}  {:>6}  {:>8}  {:>9}  lost",
        "step", "kind", "token", "allowed", "removed", "before", "after", "chosen", "time"
    )?;
    for (i, step) in trace.steps.iter().enumerate() {
        row(out, i + 1, step, names)?;
    }
    Ok(())
}

fn row(out: &mut dyn Write, number: usize, step: &Step, names: &Names<'_>) -> io::Result<()> {
    let kind = if step.thinking { "thinking" } else { kind(step.kind) };
    let token = padded(&sanitize::token(&step.bytes), TOKEN);
    write!(out, "{number:>6}  {kind:<10}  {token}  ")?;
    let time = format!("{:.3} ms", step.timings.total().as_secs_f64() * 1e3);
    let Some(insight) = step.insight.as_deref() else {
        let none = "-";
        return writeln!(out, "{none:>8}  {none:>8}  {none:>6}  {none:>6}  {none:>8}  {time:>9}");
    };
    let first = insight.before.first().filter(|first| !insight.allowed.contains(first.token));
    let lost = first.map_or_else(String::new, |c| format!("  {} {}", names.of(c.token), percent(c.before)));
    let allowed = insight.allowed.count();
    let (removed, chosen) = (percent(insight.mass_removed), percent(insight.chosen.before));
    let (before, after) = (insight.entropy_before, insight.entropy_after);
    writeln!(out, "{allowed:>8}  {removed:>8}  {before:>6.2}  {after:>6.2}  {chosen:>8}  {time:>9}{lost}")
}

/// The output, with runs of forced tokens between « and ».
pub fn marked(trace: &Trace) -> String {
    let mut out = Vec::new();
    let mut is_forced = false;
    for step in trace.steps.iter().filter(|s| !s.text_bytes().is_empty()) {
        if is_forced != (step.kind == StepKind::Forced) {
            out.extend_from_slice(if is_forced { "»" } else { "«" }.as_bytes());
            is_forced = !is_forced;
        }
        out.extend_from_slice(step.text_bytes());
    }
    if is_forced {
        out.extend_from_slice("»".as_bytes());
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// How a step came to be, in a word.
pub fn kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Prompt => "prompt",
        StepKind::Forced => "forced",
        StepKind::Sampled => "sampled",
        StepKind::Overridden => "overridden",
    }
}

/// A share of one as a percentage.
pub fn percent(share: f32) -> String {
    format!("{:.2}%", share * 100.0)
}

/// A text in exactly so many columns.
pub fn padded(text: &str, columns: usize) -> String {
    let mut text = cut(text, columns);
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(text.width())));
    text
}

/// The start of a text in at most so many columns.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    text.chars().take_while(fits).chain(['…']).collect()
}
