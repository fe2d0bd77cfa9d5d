//! A saved trace in words alone: every step a sentence, nothing told by its place in a line.

use std::io::Write;

use crate::commands::output::Sink;
use crate::engine::export::facts;
use crate::engine::export::text::{kind, percent};
use crate::engine::trace::Candidate;
use crate::engine::{Step, Trace, Vocabulary};

/// The whole trace.
pub fn show(out: &mut Sink, trace: &Trace) -> std::io::Result<()> {
    for (name, value) in facts::of(trace) {
        let value = match name {
            // Without the pictures of spaces and line ends.
            "prompt" => format!("{} tokens: {}", trace.prompt.len(), quoted(trace.request.prompt.as_bytes())),
            _ => out.shown_in_line(&value).into_owned(),
        };
        let name = if name.is_empty() { "vocabulary" } else { name };
        writeln!(out, "{name}: {value}")?;
    }
    let text = out.shown(&trace.text()).into_owned();
    writeln!(out, "output:\n{}\nend of output", text.trim_end_matches('\n'))?;
    for (i, step) in trace.steps.iter().enumerate() {
        let told = told(step);
        writeln!(out, "step {}: {told}", i + 1)?;
    }
    Ok(())
}

/// One step, with its candidates.
pub fn show_step(
    out: &mut Sink,
    trace: &Trace,
    number: usize,
    vocabulary: Option<&Vocabulary>,
) -> std::io::Result<()> {
    let Some(step) = trace.steps.get(number - 1) else { return Ok(()) };
    writeln!(out, "step {number} of {}: {}", trace.steps.len(), told(step))?;
    let Some(insight) = &step.insight else { return writeln!(out, "it was saved without detail") };
    writeln!(out, "entropy before the mask: {:.2} bits", insight.entropy_before)?;
    writeln!(out, "entropy after the mask: {:.2} bits", insight.entropy_after)?;
    for (when, candidates) in [("before", &insight.before), ("after", &insight.after)] {
        for (i, &Candidate { token, before, after, chance }) in candidates.iter().take(10).enumerate() {
            let text = vocabulary.map_or_else(String::new, |v| format!(", {}", quoted(v.bytes(token))));
            let (before, after, chance) = (percent(before), percent(after), percent(chance));
            writeln!(
                out,
                "candidate {} {when} the mask: token {token}{text}, before {before}, after {after}, chance {chance}",
                i + 1
            )?;
        }
    }
    Ok(())
}

/// What there is to say about a step.
fn told(step: &Step) -> String {
    let token = format!("{}, token {}, {}", kind(step.kind), step.token, quoted(&step.bytes));
    step.insight.as_ref().map_or_else(
        || token.clone(),
        |n| {
            format!(
                "{token}, {} of {} tokens allowed, {} removed, chosen {}",
                n.allowed.count(),
                n.allowed.width(),
                percent(n.mass_removed),
                percent(n.chosen.before)
            )
        },
    )
}

/// The text of a token in quotes, with escapes for what is not to be heard.
fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}
