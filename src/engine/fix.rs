//! What puts a finding right: a few places of the text and what belongs there. Data only.

use std::ops::Range;

use serde::Serialize;

/// A way to put a finding right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does, in a few words that begin with a verb: `use double quotes`.
    pub label: String,
    /// Whether every text that the grammar accepted before and was meant to accept stays accepted,
    /// so that it can be made without asking.
    pub safe: bool,
    /// What changes, in the order of the places; they do not overlap.
    pub edits: Vec<TextEdit>,
}

/// A part of a text and what is to be in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextEdit {
    /// The part, in bytes; empty to put something in.
    pub span: Range<usize>,
    /// What is put there.
    pub text: String,
}

impl Fix {
    /// A fix that can be made without asking. Edits that overlap one before them are left out.
    pub fn new(label: impl Into<String>, mut edits: Vec<TextEdit>) -> Self {
        edits.sort_by_key(|e| (e.span.start, e.span.end));
        let mut end = 0;
        edits.retain(|e| {
            let is_free = e.span.start >= end;
            end = end.max(e.span.end);
            is_free
        });
        Self { label: label.into(), safe: true, edits }
    }

    /// A fix of one place.
    pub fn replace(label: impl Into<String>, span: Range<usize>, text: impl Into<String>) -> Self {
        Self::new(label, vec![TextEdit { span, text: text.into() }])
    }

    /// The same fix, as one that a person has to look at first.
    #[must_use]
    pub fn unsafe_to_apply(mut self) -> Self {
        self.safe = false;
        self
    }

    /// `text` with the edits made. A place outside of it, or inside of a character, is left alone.
    ///
    /// ```
    /// use maze::engine::Fix;
    /// let fix = Fix::replace("use double quotes", 7..10, "\"a\"");
    /// assert_eq!(fix.apply("start: 'a'"), "start: \"a\"");
    /// ```
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for edit in &self.edits {
            let (Some(kept), Some(_)) = (text.get(from..edit.span.start), text.get(edit.span.clone())) else {
                continue;
            };
            out.push_str(kept);
            out.push_str(&edit.text);
            from = edit.span.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// Where the edits stand in the text that they have made.
    pub fn places(&self) -> Vec<Range<usize>> {
        // How much longer the text has become so far, and how much shorter.
        let (mut more, mut less) = (0, 0);
        let place = |edit: &TextEdit| {
            let start = edit.span.start + more - less;
            (more, less) = (more + edit.text.len(), less + edit.span.len());
            start..start + edit.text.len()
        };
        self.edits.iter().map(place).collect()
    }

    /// The same fix in a text in which the part it speaks of starts at `offset`.
    #[must_use]
    pub fn moved(mut self, offset: usize) -> Self {
        for edit in &mut self.edits {
            edit.span = edit.span.start + offset..edit.span.end + offset;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_from_the_start_and_never_twice() {
        let edit = |span, text: &str| TextEdit { span, text: text.into() };
        let fix = Fix::new("x", vec![edit(4..5, "E"), edit(0..2, "AB"), edit(1..3, "no"), edit(6..6, "!")]);
        assert_eq!(fix.apply("abcdef"), "ABcdEf!");
        assert_eq!(fix.places(), [0..2, 4..5, 6..7]);
        let longer = Fix::new("x", vec![edit(0..1, "new"), edit(1..3, ""), edit(4..4, "!")]);
        let text = longer.apply("abcde");
        let parts: Vec<&str> = longer.places().into_iter().map(|place| &text[place]).collect();
        assert_eq!((&*text, &parts[..]), ("newd!e", &["new", "", "!"][..]));
        assert_eq!(fix.clone().moved(2).apply("..abcdef"), "..ABcdEf!");
        assert_eq!(Fix::replace("x", 1..2, "e").apply("é"), "é");
        assert_eq!(Fix::replace("x", 9..12, "e").apply("abc"), "abc");
    }
}
