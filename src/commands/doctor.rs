//! `maze doctor`: what this machine and this build have, and whether they do what they should.
//!
//! Every finding is a line: fine, worth knowing, or failed, and then with what to do about it.

use std::io::Write;

use serde_json::json;

use super::Failure;
use super::output::Sink;
use crate::cli::DoctorArgs;
use crate::config;
use crate::sanitize;

mod gpu;
mod machine;
mod self_test;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
struct Finding {
    verdict: Verdict,
    /// What was looked at.
    topic: &'static str,
    /// What was seen.
    text: String,
    /// What to do about it.
    advice: Option<String>,
}

impl Finding {
    fn ok(topic: &'static str, text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, topic, text: text.into(), advice: None }
    }

    fn warn(topic: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, topic, text: text.into(), advice: Some(advice.into()) }
    }

    fn fail(topic: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, topic, text: text.into(), advice: Some(advice.into()) }
    }
}

pub(super) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    let mut stdout = Sink::stdout();
    let mut findings = Vec::new();
    // Shown as they come: the last ones take seconds.
    for look in [machine::look, gpu::look, self_test::look] {
        for finding in look(&config::environment) {
            if !args.json {
                show(&mut stdout, &finding)?;
            }
            findings.push(finding);
        }
    }
    let count = |verdict| findings.iter().filter(|f| f.verdict == verdict).count();
    let (failed, warned) = (count(Verdict::Fail), count(Verdict::Warn));
    if args.json {
        let lines: Vec<_> = findings
            .iter()
            .map(|f| {
                let verdict = f.verdict.name().to_lowercase();
                json!({ "topic": f.topic, "verdict": verdict, "text": f.text, "advice": f.advice })
            })
            .collect();
        stdout.json(&json!({ "findings": lines, "warnings": warned, "failures": failed }))?;
    } else {
        let plural = |n, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let gap = if stdout.is_plain() { "" } else { "\n" };
        writeln!(stdout, "{gap}{}, {}", plural(failed, "failure"), plural(warned, "warning"))?;
    }
    if failed > 0 { Err(Failure::Told(1)) } else { Ok(()) }
}

/// A finding on lines of 80 columns.
fn show(out: &mut Sink, finding: &Finding) -> std::io::Result<()> {
    if out.is_plain() {
        return tell(out, finding);
    }
    let advice = finding.advice.iter().map(|advice| format!("-> {advice}"));
    let mut head = format!("{:<4}  {:<9} ", finding.verdict.name(), finding.topic);
    for text in std::iter::once(finding.text.clone()).chain(advice) {
        for line in wrapped(&sanitize::line(&text), 64) {
            writeln!(out, "{head}{line}")?;
            head = " ".repeat(16);
        }
    }
    out.flush()
}

/// A finding as a sentence, and its advice as another.
fn tell(out: &mut Sink, finding: &Finding) -> std::io::Result<()> {
    let text = out.shown_in_line(&finding.text).into_owned();
    let verdict = finding.verdict.name().to_lowercase();
    writeln!(out, "{}: {verdict}: {text}", finding.topic)?;
    if let Some(advice) = &finding.advice {
        let advice = out.shown_in_line(advice).into_owned();
        writeln!(out, "{}: advice: {advice}", finding.topic)?;
    }
    out.flush()
}

/// Lines of at most so many characters, cut at spaces where there are any.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        // A path longer than a line is not cut: it is there to be copied.
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                line.push_str(word);
            } else if line.chars().count() + 1 + word.chars().count() <= most {
                line.push(' ');
                line.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_spaces() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a/very/long/path b", 5), ["a/very/long/path", "b"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
