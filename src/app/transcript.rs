//! The generated text as lines, and which token every part of it came from.
//!
//! An index over the [`Trace`](crate::engine::trace::Trace)'s steps, extended as they come: a step
//! costs its own bytes, never the length of the text. It must be a function of the steps alone.

use std::sync::Arc;

use crate::engine::trace::Step;
use crate::ui::wrap::{Lines, Place};

/// A line longer than this is continued as another, so that no work per line grows without bound.
const MAX_LINE: usize = 512;

/// Text made of tokens.
#[derive(Clone, Debug)]
pub struct Transcript {
    lines: Vec<Line>,
    /// Where each token ends.
    ends: Vec<Place>,
    /// The start of a character whose other bytes have not come yet.
    incomplete: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    text: String,
    /// Whether it ends in a newline, rather than being continued or the last.
    ended: bool,
}

impl Default for Transcript {
    fn default() -> Self {
        Self { lines: vec![Line::default()], ends: Vec::new(), incomplete: Vec::new() }
    }
}

impl Lines for Transcript {
    fn count(&self) -> usize {
        self.lines.len()
    }

    fn line(&self, index: usize) -> &str {
        self.lines.get(index).map_or("", |l| &l.text)
    }
}

impl Transcript {
    /// The text of `steps`.
    pub fn of(steps: &[Arc<Step>]) -> Self {
        let mut transcript = Self::default();
        transcript.extend(steps);
        transcript
    }

    /// Appends the text of `steps`.
    pub fn extend(&mut self, steps: &[Arc<Step>]) {
        for step in steps {
            self.incomplete.extend_from_slice(step.text_bytes());
            let bytes = std::mem::take(&mut self.incomplete);
            let mut chunks = bytes.utf8_chunks().peekable();
            while let Some(chunk) = chunks.next() {
                self.append(chunk.valid());
                if chunk.invalid().is_empty() {
                    continue;
                }
                let may_go_on = chunks.peek().is_none() && is_prefix(chunk.invalid());
                if may_go_on {
                    self.incomplete = chunk.invalid().to_vec();
                } else {
                    self.append("\u{fffd}");
                }
            }
            self.ends.push(self.end());
        }
    }

    /// How many tokens there are.
    pub fn tokens(&self) -> usize {
        self.ends.len()
    }

    /// Whether line `index` ends in a newline.
    pub fn is_ended(&self, index: usize) -> bool {
        self.lines.get(index).is_some_and(|l| l.ended)
    }

    /// Where the text ends.
    pub fn end(&self) -> Place {
        let line = self.lines.len() - 1;
        Place { line, byte: self.lines[line].text.len() }
    }

    /// Where the text of token `index` starts and ends; equal if it has none.
    pub fn span(&self, index: usize) -> (Place, Place) {
        let place = |i: usize| self.ends.get(i).copied().unwrap_or_else(|| self.end());
        let mut start = index.checked_sub(1).map_or_else(Place::default, place);
        let end = place(index);
        // The end of a line that is continued is the start of its continuation.
        let is_full = start.byte == self.line(start.line).len() && !self.is_ended(start.line);
        if is_full && start < end && start.line + 1 < self.lines.len() {
            start = Place { line: start.line + 1, byte: 0 };
        }
        (start, end)
    }

    /// The token whose text is at `place`; the last one if there is none.
    pub fn token_at(&self, place: Place) -> Option<usize> {
        let index = self.ends.partition_point(|&end| end <= place);
        (!self.ends.is_empty()).then(|| index.min(self.ends.len() - 1))
    }

    fn append(&mut self, text: &str) {
        for c in text.chars() {
            let last = self.lines.len() - 1;
            if c == '\n' {
                self.lines[last].ended = true;
                self.lines.push(Line::default());
            } else if self.lines[last].text.len() + c.len_utf8() > MAX_LINE {
                self.lines.push(Line { text: c.to_string(), ended: false });
            } else {
                self.lines[last].text.push(c);
            }
        }
    }
}

/// Whether more bytes could make `bytes` a character.
fn is_prefix(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|e| e.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trace::{StepKind, Timings};

    fn steps(tokens: &[&[u8]]) -> Vec<Arc<Step>> {
        let step = |bytes: &&[u8]| {
            Arc::new(Step {
                token: 0,
                bytes: (*bytes).into(),
                special: false,
                of_prompt: 0,
                thinking: false,
                kind: StepKind::Sampled,
                insight: None,
                timings: Timings::default(),
            })
        };
        tokens.iter().map(step).collect()
    }

    fn transcript(tokens: &[&[u8]]) -> Transcript {
        let mut t = Transcript::default();
        t.extend(&steps(tokens));
        t
    }

    fn text(t: &Transcript) -> String {
        (0..t.count()).map(|i| t.line(i).to_owned() + if t.is_ended(i) { "\n" } else { "" }).collect()
    }

    #[test]
    fn tokens_keep_their_places() {
        let t = transcript(&[b"def f", b"():\n  ", b"\n", b"x"]);
        let at = |line, byte| Place { line, byte };
        assert_eq!(t.span(0), (at(0, 0), at(0, 5)));
        assert_eq!(t.span(1), (at(0, 5), at(1, 2)));
        assert_eq!(t.span(2), (at(1, 2), at(2, 0)));
        assert_eq!(
            [at(0, 0), at(0, 6), at(1, 1), at(1, 2), at(2, 0), at(9, 9)].map(|p| t.token_at(p)),
            [Some(0), Some(1), Some(1), Some(2), Some(3), Some(3)]
        );
        assert_eq!(Transcript::default().token_at(at(0, 0)), None);
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let whole = "é日🦀\n".as_bytes();
        let singles: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(text(&transcript(&singles)), "é日🦀\n");
        assert_eq!(text(&transcript(&[b"\xe2\x82", b"\xacx", b"\xff\xe2", b"y"])), "€x\u{fffd}\u{fffd}y");
    }

    /// One call with all steps and one call a step give the same, and long lines are cut.
    #[test]
    fn long_lines_are_continued_and_nothing_is_lost() {
        let token: &[u8] = "[1, é]".as_bytes();
        let all = vec![token; 1000];
        let whole = transcript(&all);
        let mut bit_by_bit = Transcript::default();
        steps(&all).iter().for_each(|s| bit_by_bit.extend(std::slice::from_ref(s)));
        assert_eq!(text(&whole), "[1, é]".repeat(1000));
        assert_eq!(text(&whole), text(&bit_by_bit));
        assert!((0..whole.count()).all(|i| whole.line(i).len() <= MAX_LINE));
        for i in 0..1000 {
            let (start, end) = whole.span(i);
            assert!(start < end, "{i}");
            assert_eq!(whole.token_at(start), Some(i));
        }
    }
}
