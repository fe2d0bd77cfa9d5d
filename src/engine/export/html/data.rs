//! What was known at every step, for the page's script: one JSON object, as short as may be.
//!
//! ```text
//! {"names": {"12": "·the"}, "steps": [
//!   [token, kind, [forward, mask, wait, pick, commit], allowed, of, [removed, before, after],
//!    [chosen before, after, chance], [[ids], [probabilities], "xx.x"], [[ids], [probabilities]]]
//! ]}
//! ```
//!
//! Times are in microseconds; a step without a record ends after them. The third part of the first
//! list has an `x` for each candidate that the mask removed.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use crate::engine::export::Names;
use crate::engine::export::text::kind;
use crate::engine::trace::{Candidate, Step, TokenId, Trace};

use super::KEPT;

pub(super) fn write(out: &mut dyn Write, trace: &Trace, names: &Names<'_>) -> io::Result<()> {
    let named: BTreeSet<TokenId> = trace.steps.iter().flat_map(|step| tokens(step)).collect();
    write!(out, "{{\"names\":{{")?;
    for (i, &token) in named.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}\"{token}\":{}", quoted(&names.of(token)))?;
    }
    write!(out, "}},\n\"steps\":[")?;
    for (i, step) in trace.steps.iter().enumerate() {
        write!(out, "{}\n{}", if i == 0 { "" } else { "," }, row(step))?;
    }
    write!(out, "\n]}}")
}

/// The tokens that a step shows.
fn tokens(step: &Step) -> impl Iterator<Item = TokenId> {
    let insight = step.insight.as_deref();
    let kept = insight.into_iter().flat_map(|i| kept(&i.before).iter().chain(kept(&i.after)));
    kept.map(|candidate| candidate.token).chain([step.token])
}

fn kept(candidates: &[Candidate]) -> &[Candidate] {
    &candidates[..candidates.len().min(KEPT)]
}

fn row(step: &Step) -> String {
    let t = &step.timings;
    let micros = |time: Duration| number(time.as_secs_f64() * 1e6, 4);
    let times = [t.forward, t.mask, t.mask_wait, t.sample, t.commit].map(micros).join(",");
    let mut out = format!("[{},\"{}\",[{times}]", step.token, kind(step.kind));
    if let Some(insight) = step.insight.as_deref() {
        let chosen = insight.chosen;
        let figures = [insight.mass_removed, insight.entropy_before, insight.entropy_after];
        let chances = [chosen.before, chosen.after, chosen.chance];
        let list = |figures: [f32; 3]| figures.map(|f| number(f.into(), 4)).join(",");
        let (allowed, of) = (insight.allowed.count(), insight.allowed.width());
        out += &format!(",{allowed},{of},[{}],[{}]", list(figures), list(chances));
        let marks: String = kept(&insight.before)
            .iter()
            .map(|c| if insight.allowed.contains(c.token) { '.' } else { 'x' })
            .collect();
        out += &format!(",[{},\"{marks}\"]", candidates(&insight.before, |c| c.before));
        out += &format!(",[{}]", candidates(&insight.after, |c| c.after));
    }
    out + "]"
}

fn candidates(all: &[Candidate], probability: impl Fn(&Candidate) -> f32) -> String {
    let all = kept(all);
    let ids: Vec<String> = all.iter().map(|c| c.token.to_string()).collect();
    let shares: Vec<String> = all.iter().map(|c| number(probability(c).into(), 3)).collect();
    format!("[{}],[{}]", ids.join(","), shares.join(","))
}

/// A number in JSON with so many digits that count.
fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "null".into();
    }
    let short = format!("{value:.*e}", digits - 1);
    let rounded: f64 = short.parse().unwrap_or(value);
    if rounded != 0.0 && rounded.abs() < 1e-4 { format!("{rounded:e}") } else { rounded.to_string() }
}

/// A JSON string that cannot end the element that it stands in.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' | '<' | '>' | '&' | '\u{0}'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                out += &format!("\\u{:04x}", c as u32);
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_json() {
        let values = [0.0, 1.0, 0.123_456, 12.345_6, 0.000_012_345, 123_456.0, f64::NAN, f64::INFINITY];
        assert_eq!(
            values.map(|v| number(v, 3)),
            ["0", "1", "0.123", "12.3", "1.23e-5", "123000", "null", "null"]
        );
    }

    #[test]
    fn strings_cannot_leave_their_element() {
        let text = "</script><!-- \" \\ & \u{7} \u{2028} é";
        let quoted = quoted(text);
        assert!(!quoted.contains(['<', '>', '&']));
        assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }
}
