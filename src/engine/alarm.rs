//! Alarms: a run that writes nothing but white space, or the same thing over and over, or that the
//! grammar never lets end.
//!
//! A grammar that allows something again and again lets a weak model repeat it until the tokens run
//! out. [`Watch`] follows the text token by token, in constant time for each byte, and says from which
//! step on it repeats. That is a function of the steps, so that a trace that is read again has the
//! same alarms. Whether the text can still become complete only the grammar knows ([`endless_from`]),
//! and the watch is told of it. It never ends a run.
//!
//! A text repeats itself if its end has an exact period: each byte is the one that stood a period
//! before. Rows of data with different values, indentation and rules of a table have none for long
//! enough.

use std::sync::Arc;

use serde::Serialize;

use super::grammar::Compiled;
use super::trace::{Step, StepKind};
use crate::sanitize;

mod endless;

pub use endless::{endless_from, first_endless};

/// The longest period that is looked for, in bytes.
const MAX_PERIOD: usize = 256;

/// A text repeats itself if so many bytes of it do ...
const REPEATED_BYTES: usize = 200;

/// ... and so many times.
const REPEATED_TIMES: usize = 6;

/// Tokens that the model has chosen among those that repeat, at least: what a grammar forces is what
/// it wants.
const CHOSEN_TOKENS: usize = 6;

/// White space is too much if it has so many bytes ...
const BLANK_BYTES: usize = 64;

/// ... in so many tokens that the model has chosen, ...
const BLANK_TOKENS: usize = 16;

/// ... or so many line breaks, ...
const BLANK_BREAKS: usize = 16;

/// ... or so many bytes, in however few tokens.
const BLANK_BYTES_ALONE: usize = 256;

/// What a run does that it should not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Nothing can complete its text any more: no accepting state can be reached.
    Endless,
    /// It writes nothing but white space.
    WhiteSpace,
    /// It writes this over and over.
    Repetition {
        /// What is repeated.
        #[serde(serialize_with = "lossy")]
        unit: Box<[u8]>,
        /// How often.
        times: usize,
    },
}

fn lossy<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

/// Steps in which a run does what it should not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// What it does.
    pub kind: AlarmKind,
    /// The first of the steps, counted from 0.
    pub from: usize,
    /// One past the last of them.
    pub to: usize,
}

impl Alarm {
    /// What is wrong, in a few words.
    pub fn words(&self) -> String {
        match &self.kind {
            AlarmKind::Endless => "can never be complete".to_owned(),
            AlarmKind::WhiteSpace => format!("only white space for {} tokens", self.to - self.from),
            AlarmKind::Repetition { unit, times } => format!("repeats {} {times} times", shown(unit)),
        }
    }

    /// The same in a sentence with the place, without a full stop.
    pub fn sentence(&self) -> String {
        let first = self.from + 1;
        match &self.kind {
            AlarmKind::Endless => {
                format!(
                    "no accepting state can be reached: whatever comes, the text is never complete, from \
                     token {first} on"
                )
            }
            AlarmKind::WhiteSpace => {
                format!(
                    "the output is only white space for {} tokens, from token {first} on",
                    self.to - self.from
                )
            }
            AlarmKind::Repetition { unit, times } => {
                format!("the output repeats {} {times} times, from token {first} on", shown(unit))
            }
        }
    }
}

/// What is repeated, in quotes, not too long.
fn shown(unit: &[u8]) -> String {
    const MOST: usize = 24;
    let text = sanitize::token(unit).replace('·', " ");
    let cut: String = text.chars().take(MOST).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("`{cut}{dots}`")
}

/// The alarms of a run that its steps alone tell.
pub fn alarms(steps: &[Arc<Step>]) -> Vec<Alarm> {
    Watch::of(steps).alarms
}

/// The alarms of a run that follows `grammar`.
pub fn alarms_in(grammar: &Compiled, steps: &[Arc<Step>]) -> Vec<Alarm> {
    let mut watch = Watch::of(steps);
    watch.learn(endless_from(grammar, steps));
    watch.endless().into_iter().chain(watch.alarms).collect()
}

/// Follows a run, and says when it repeats itself.
#[derive(Clone, Debug)]
pub struct Watch {
    alarms: Vec<Alarm>,
    /// From which step on nothing can complete the text, if that is so.
    endless: Option<usize>,
    /// Whether the last of the alarms still goes on, and with which period.
    open: Option<Open>,
    /// How many bytes there were, and how many chosen tokens, at the end of every step.
    ends: Vec<(usize, usize)>,
    /// The last bytes, two periods of them at least.
    tail: Vec<u8>,
    /// For every period, how many bytes in a row are those of a period before.
    same: Vec<u32>,
    blank: Blank,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    WhiteSpace,
    Repetition(usize),
}

/// The white space at the end.
#[derive(Clone, Copy, Debug, Default)]
struct Blank {
    from: usize,
    bytes: usize,
    breaks: usize,
    tokens: usize,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            alarms: Vec::new(),
            endless: None,
            open: None,
            ends: Vec::new(),
            tail: Vec::new(),
            same: vec![0; MAX_PERIOD + 1],
            blank: Blank::default(),
        }
    }
}

impl Watch {
    /// Follows these steps.
    pub fn of(steps: &[Arc<Step>]) -> Self {
        let mut watch = Self::default();
        watch.extend(steps);
        watch
    }

    /// Follows more steps.
    pub fn extend(&mut self, steps: &[Arc<Step>]) {
        steps.iter().for_each(|step| self.push(step));
    }

    /// Is told from which step on nothing can complete the text. That never changes again.
    pub fn learn(&mut self, endless: Option<usize>) {
        self.endless = self.endless.or(endless);
    }

    /// The alarm about the end of the text, if there is one: the gravest.
    pub fn now(&self) -> Option<Alarm> {
        self.endless().or_else(|| self.open.and(self.alarms.last().cloned()))
    }

    /// The alarm about a step, if there is one: the gravest.
    pub fn at(&self, step: usize) -> Option<Alarm> {
        let is_here = |alarm: &Alarm| (alarm.from..alarm.to).contains(&step);
        self.endless().filter(is_here).or_else(|| self.alarms.iter().find(|alarm| is_here(alarm)).cloned())
    }

    /// That nothing can complete the text, if that is known.
    fn endless(&self) -> Option<Alarm> {
        let from = self.endless?;
        Some(Alarm { kind: AlarmKind::Endless, from, to: self.ends.len().max(from + 1) })
    }

    fn push(&mut self, step: &Step) {
        let index = self.ends.len();
        let is_chosen = usize::from(step.kind != StepKind::Forced);
        let (bytes, chosen) = self.ends.last().copied().unwrap_or_default();
        let text = step.text_bytes();
        text.iter().for_each(|&byte| self.byte(byte, index));
        self.ends.push((bytes + text.len(), chosen + is_chosen));
        if !text.is_empty() && self.blank.bytes > 0 {
            self.blank.tokens += is_chosen;
        }
        match self.found() {
            Some((open, alarm)) if self.open == Some(open) => {
                if let Some(last) = self.alarms.last_mut() {
                    *last = Alarm { from: last.from, ..alarm };
                }
            }
            Some((open, alarm)) => {
                self.open = Some(open);
                self.alarms.push(alarm);
            }
            // What adds no text, such as a special token, ends nothing.
            None if text.is_empty() => {}
            None => self.open = None,
        }
    }

    fn byte(&mut self, byte: u8, step: usize) {
        let length = self.tail.len().min(MAX_PERIOD);
        let before = self.tail[self.tail.len() - length..].iter().rev();
        for (same, &other) in self.same[1..].iter_mut().zip(before) {
            *same = if other == byte { same.saturating_add(1) } else { 0 };
        }
        if self.tail.len() >= 8 * MAX_PERIOD {
            self.tail.drain(..self.tail.len() - 2 * MAX_PERIOD);
        }
        self.tail.push(byte);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                if self.blank.bytes == 0 {
                    self.blank.from = step;
                }
                self.blank.bytes += 1;
                self.blank.breaks += usize::from(byte == b'\n');
            }
            _ => self.blank = Blank::default(),
        }
    }

    /// What is wrong with the end of the text as it is.
    fn found(&self) -> Option<(Open, Alarm)> {
        let to = self.ends.len();
        let Blank { from, bytes, breaks, tokens } = self.blank;
        if bytes > 0 {
            let is_much = (bytes >= BLANK_BYTES && tokens >= BLANK_TOKENS)
                || (tokens > 0 && (breaks >= BLANK_BREAKS || bytes >= BLANK_BYTES_ALONE));
            if is_much {
                return Some((Open::WhiteSpace, Alarm { kind: AlarmKind::WhiteSpace, from, to }));
            }
        }
        let repeats = |period: usize| {
            let bytes = self.same[period] as usize + period;
            self.same[period] > 0 && bytes >= REPEATED_BYTES.max(REPEATED_TIMES * period)
        };
        let period = match self.open {
            Some(Open::Repetition(period)) if repeats(period) => period,
            _ => (1..=MAX_PERIOD).find(|&period| repeats(period))?,
        };
        let (total, chosen) = self.ends.last().copied()?;
        let length = self.same[period] as usize + period;
        let start = total.saturating_sub(length);
        let from = self.ends.partition_point(|(end, _)| *end <= start);
        let chosen_before = from.checked_sub(1).map_or(0, |step| self.ends[step].1);
        if chosen - chosen_before < CHOSEN_TOKENS {
            return None;
        }
        // One whole repetition, as it begins at the start.
        let end = self.tail.len() - length % period;
        let unit: Box<[u8]> = self.tail.get(end.checked_sub(period)?..end)?.into();
        if unit.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let kind = AlarmKind::Repetition { unit, times: length / period };
        Some((Open::Repetition(period), Alarm { kind, from, to }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trace::Timings;

    fn step(text: &str, kind: StepKind) -> Arc<Step> {
        Arc::new(Step {
            token: 0,
            bytes: text.as_bytes().into(),
            special: false,
            of_prompt: 0,
            thinking: false,
            kind,
            insight: None,
            timings: Timings::default(),
        })
    }

    fn steps<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Arc<Step>> {
        texts.into_iter().map(|text| step(text, StepKind::Sampled)).collect()
    }

    fn repeated(text: &str, times: usize) -> Vec<Arc<Step>> {
        steps(std::iter::repeat_n(text, times))
    }

    #[test]
    fn white_space_alarms_from_where_it_begins() {
        let mut run = steps(["a", " b"]);
        run.extend(repeated("    ", 16));
        let found = alarms(&run);
        assert_eq!(found, [Alarm { kind: AlarmKind::WhiteSpace, from: 2, to: 18 }]);
        assert_eq!(found[0].words(), "only white space for 16 tokens");
        assert_eq!(alarms(&run[..17]), []);
        // Line breaks need not be many bytes, and what a token ends in counts.
        let mut breaks = steps(["{\n"]);
        breaks.extend(repeated("\n", 15));
        assert_eq!(alarms(&breaks)[0].from, 0);
        // It goes on, ends, and comes again.
        run.extend(repeated("\n", 2));
        run.extend(steps(["x"]));
        run.extend(repeated("\n", 20));
        let found = alarms(&run);
        assert_eq!(found.iter().map(|a| (a.from, a.to)).collect::<Vec<_>>(), [(2, 20), (21, 41)]);
    }

    #[test]
    fn a_repeated_text_alarms_whatever_its_tokens() {
        let mut run = steps(["[", "0"]);
        run.extend(repeated(", 0", 80));
        let found = alarms(&run);
        let [Alarm { kind: AlarmKind::Repetition { unit, times }, from, to }] = &*found else {
            panic!("{found:?}");
        };
        // Of `[0, 0, 0`, what repeats begins with the first `0`.
        assert_eq!((&**unit, *times, *from, *to), (&b"0, "[..], 80, 1, 82));
        // The same text in other tokens.
        let text: String = std::iter::repeat_n("total = total + 1\n", 20).collect();
        let pieces: Vec<&str> = text.as_bytes().chunks(7).map(|c| std::str::from_utf8(c).unwrap()).collect();
        let found = alarms(&steps(pieces));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].words(), "repeats `total = total + 1⏎` 20 times");
    }

    #[test]
    fn periods_agree_with_their_definition() {
        let mut seed = 7_u64;
        for round in 0..60 {
            let mut text = Vec::new();
            let mut next = |n: u64| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (seed >> 33) % n
            };
            while text.len() < 3000 {
                let unit: Vec<u8> = (0..1 + next(60)).map(|_| b'a' + next(3) as u8).collect();
                for _ in 0..next(14) {
                    text.extend(&unit);
                }
            }
            let run: Vec<Arc<Step>> = text
                .chunks(1 + round % 5)
                .map(|c| step(std::str::from_utf8(c).unwrap(), StepKind::Sampled))
                .collect();
            let (mut watch, mut so_far) = (Watch::default(), Vec::new());
            for step in &run {
                watch.push(step);
                so_far.extend_from_slice(&step.bytes);
                // The longest end with the period, by comparing it with itself.
                let is_loop = (1..=MAX_PERIOD).any(|p| {
                    let same = (p..so_far.len()).rev().take_while(|&i| so_far[i] == so_far[i - p]).count();
                    same > 0 && same + p >= REPEATED_BYTES.max(REPEATED_TIMES * p)
                });
                assert_eq!(watch.now().is_some(), is_loop, "round {round} at {}", so_far.len());
            }
        }
    }

    #[test]
    fn ordinary_texts_have_no_alarm() {
        let rows: String = (0..100).map(|i| format!("{{\"id\": {i}, \"value\": {}}},\n", i * i)).collect();
        let nested: String = (0..15).map(|i| format!("{}if x:\n", "    ".repeat(i))).collect();
        let ruled = format!("{}\n{}\n", "=".repeat(120), "-".repeat(120));
        for text in [rows, nested, ruled, "\n\n\n".repeat(2)] {
            let one_each: Vec<String> = text.chars().map(String::from).collect();
            assert_eq!(alarms(&steps(one_each.iter().map(String::as_str))), [], "{text}");
        }
    }

    #[test]
    fn what_a_grammar_forces_is_no_alarm() {
        let forced: Vec<Arc<Step>> = (0..100).map(|_| step("abc", StepKind::Forced)).collect();
        assert_eq!(alarms(&forced), []);
        let blanks: Vec<Arc<Step>> = (0..100).map(|_| step("   \n", StepKind::Forced)).collect();
        assert_eq!(alarms(&blanks), []);
        // Forced rows that the model asks for again and again are one.
        let rows = (0..20)
            .flat_map(|_| [step("0, 0, 0, 0, 0, 0", StepKind::Forced), step(",\n", StepKind::Sampled)]);
        assert_eq!(alarms(&rows.collect::<Vec<_>>()).len(), 1);
    }
}
