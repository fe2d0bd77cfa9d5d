//! A trace as a file: one JSON object, `{"maze_trace": 1, "request": …, "steps": […], …}`.
//!
//! What is read may have been written by anybody: everything that the rest of the program relies
//! on is checked here, and a refusal names the place. Memory stays in proportion to the text.

use std::io::{self, Write};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Candidate, Step, StepKind, Trace};
use crate::engine::alarm::Alarm;
use crate::engine::chat::PromptMode;

/// The version of the format, as this program writes it. Fields may be added without a new one.
const VERSION: u64 = 1;

/// The longest trace that is read. Ten thousand tokens of a large vocabulary take less.
pub const MAX_BYTES: u64 = 1 << 30;

/// Most tokens that a vocabulary may have. The largest known has a few hundred thousand.
const MAX_VOCABULARY: usize = 1 << 24;

/// The mark of a trace file, which holds the version of its format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(VERSION)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            VERSION => Ok(Self),
            other => Err(D::Error::custom(format_args!(
                "the trace has format {other}, this version of maze reads format {VERSION}"
            ))),
        }
    }
}

/// A trace as it is written: with what its steps say about it, for other programs.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    trace: &'a Trace,
    #[serde(skip_serializing_if = "<[Alarm]>::is_empty")]
    alarms: &'a [Alarm],
}

impl Trace {
    /// Writes the text of a trace file, with the run's alarms. These are a function of the steps and
    /// the grammar, and nobody reads them again.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, alarms: &[Alarm], out: impl Write) -> io::Result<()> {
        let written = Written { trace: self, alarms };
        serde_json::to_writer(out, &written).map_err(Into::into)
    }

    /// Reads the text of a trace file.
    ///
    /// # Errors
    /// A sentence that begins with the place: `1:533: …` for a line and a column in bytes,
    /// `step 5: …` for a step that contradicts the rest.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let trace: Self = serde_json::from_slice(text).map_err(|e| {
            let (line, column) = (e.line(), e.column());
            let message = e.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            format!("{line}:{column}: not a trace: {message}")
        })?;
        trace.check()?;
        Ok(trace)
    }

    /// Whether the parts fit together.
    ///
    /// # Errors
    /// A sentence that begins with the place.
    pub fn check(&self) -> Result<(), String> {
        let vocabulary = self.model.vocab;
        if !(1..=MAX_VOCABULARY).contains(&vocabulary) {
            return Err(format!(
                "model: a vocabulary of {vocabulary} tokens, but there must be 1 to {MAX_VOCABULARY}"
            ));
        }
        if let Some(case) = &self.case
            && (case.at > case.text.len() || self.request.grammar.is_none())
        {
            return Err("case: its place is not in its text, or it has no grammar".into());
        }
        self.request.sampler.validate().map_err(|e| format!("request: {e}"))?;
        let lists = [("prompt token", &self.prompt, true), ("step", &self.steps, false)];
        for (name, steps, is_prompt) in lists {
            let mut answers = is_prompt;
            for (i, step) in steps.iter().enumerate() {
                let wrong = |e: String| format!("{name} {}: {e}", i + 1);
                if step.thinking && answers {
                    return Err(wrong("it is thinking, but the answer has begun before it".into()));
                }
                answers |= !step.thinking;
                if (step.kind == StepKind::Prompt) != is_prompt {
                    return Err(wrong(format!("its kind cannot be {:?} here", step.kind)));
                }
                let may_heal = self.request.grammar.is_some() && self.request.mode == PromptMode::Raw;
                let is_first = i == 0 && !is_prompt && self.prompt.len() > 1;
                let last = self.prompt.last().filter(|_| may_heal && is_first);
                if step.of_prompt > 0 && last.is_none_or(|last| step.prompt_bytes() != &*last.bytes) {
                    return Err(wrong("it does not begin with the bytes of the prompt's last token".into()));
                }
                check_step(step, vocabulary).map_err(wrong)?;
            }
        }
        Ok(())
    }
}

fn check_step(step: &Step, vocabulary: usize) -> Result<(), String> {
    let known = |token: u32| match (token as usize) < vocabulary {
        true => Ok(()),
        false => Err(format!("token {token} is outside of the vocabulary of {vocabulary}")),
    };
    known(step.token)?;
    let Some(insight) = &step.insight else { return Ok(()) };
    if insight.allowed.width() != vocabulary {
        let width = insight.allowed.width();
        return Err(format!("its allowed set is out of {width} tokens, the vocabulary has {vocabulary}"));
    }
    if insight.chosen.token != step.token {
        return Err(format!("its token is {}, but token {} was chosen", step.token, insight.chosen.token));
    }
    let share = |name: &str, p: f32| match (0.0..=1.0).contains(&p) {
        true => Ok(()),
        false => Err(format!("{name} is {p}, but must be from 0 to 1")),
    };
    share("mass_removed", insight.mass_removed)?;
    let candidates = insight.before.iter().chain(&insight.after).chain([&insight.chosen]);
    for &Candidate { token, before, after, chance } in candidates {
        known(token)?;
        share("a probability", before)?;
        share("a probability", after)?;
        share("a chance", chance)?;
    }
    Ok(())
}
