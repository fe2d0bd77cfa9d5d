//! The text that a person edits: lines, a caret, a selection, undo and redo.
//!
//! [`EditorBuffer`] goes by grapheme, so that what looks like one character is one, undoes by word,
//! and makes line ends of every system `\n`. Everything else that is typed or pasted is kept byte
//! for byte; making it safe to show is [`glyphs`](crate::ui::glyphs)' work. A key costs what it
//! changes, so a text of a megabyte is edited like a short one. It must never know a terminal, a key
//! or a grammar.

use crate::ui::wrap::{self, Lines, Place, RowRef};

use self::history::{Edit, History};
pub use self::motion::Motion;
use self::text::{Text, end_of, normalised};

pub mod brackets;
mod history;
pub mod lines;
mod motion;
mod text;
pub mod vim;
pub mod words;

#[cfg(test)]
mod tests;

/// A text under edit.
#[derive(Clone, Debug)]
pub struct EditorBuffer {
    text: Text,
    caret: Place,
    /// The other end of the selection, if there is one.
    anchor: Option<Place>,
    /// What the selection holds besides what is between its ends.
    grasp: Grasp,
    history: History,
    /// The column that vertical movement tries to keep.
    goal: Option<usize>,
    /// The first row on the screen.
    top: RowRef,
    revision: u64,
}

/// What a selection holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grasp {
    /// What is between its ends.
    #[default]
    Exact,
    /// The character at its later end, too.
    Characters,
    /// All of its lines.
    Lines,
}

/// A part of a text, and what is to be in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Where it begins.
    pub start: Place,
    /// Where it ends.
    pub end: Place,
    /// What is put there; its line ends are `\n`.
    pub text: String,
}

impl Lines for EditorBuffer {
    fn count(&self) -> usize {
        self.text.count()
    }

    fn line(&self, index: usize) -> &str {
        self.text.line(index)
    }
}

impl EditorBuffer {
    /// A buffer that holds `text`, the caret at its start.
    pub fn new(text: &str) -> Self {
        Self {
            text: Text::new(&normalised(text)),
            caret: Place::default(),
            anchor: None,
            grasp: Grasp::Exact,
            history: History::default(),
            goal: None,
            top: RowRef::default(),
            revision: 0,
        }
    }

    /// Replaces the whole text, as a change that can be undone. The caret goes to the start.
    pub fn set_text(&mut self, text: &str) {
        let whole = Replacement { start: Place::default(), end: self.text.end(), text: normalised(text) };
        self.apply(&[whole]);
        self.go_to(Place::default());
        self.top = RowRef::default();
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.text.whole()
    }

    /// What lies between two places.
    pub fn slice(&self, start: Place, end: Place) -> String {
        let (start, end) = (self.text.clamped(start), self.text.clamped(end));
        if start < end { self.text.slice(start, end) } else { String::new() }
    }

    /// The byte of the whole text that is at `place`.
    pub fn offset(&self, place: Place) -> usize {
        self.text.offset(self.text.clamped(place))
    }

    /// The place of a byte of the whole text; its end if the text is shorter.
    pub fn place(&self, offset: usize) -> Place {
        self.text.clamped(self.text.place(offset))
    }

    /// One past the last character.
    pub fn end(&self) -> Place {
        self.text.end()
    }

    /// Where the caret is.
    pub fn caret(&self) -> Place {
        self.caret
    }

    /// The first row on the screen.
    pub fn top(&self) -> RowRef {
        self.top
    }

    /// Rises with every change of the text.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is selected, from the first to one past the last character; `None` if nothing is.
    pub fn selection(&self) -> Option<(Place, Place)> {
        let anchor = self.anchor?;
        let (start, end) = (anchor.min(self.caret), anchor.max(self.caret));
        let next_line = |line: usize| self.text.clamped(Place { line: line + 1, byte: 0 });
        let (start, end) = match self.grasp {
            Grasp::Exact => (start, end),
            Grasp::Characters => (start, Motion::Right.target(self, end, None, 1)),
            Grasp::Lines => (Place { byte: 0, ..start }, next_line(end.line)),
        };
        (start < end).then_some((start, end))
    }

    /// Whether something is being selected, were it nothing yet.
    pub fn is_selecting(&self) -> bool {
        self.anchor.is_some() && (self.grasp != Grasp::Exact || self.selection().is_some())
    }

    /// Has the selection hold more than what is between its ends, until it is another one.
    pub fn grasp(&mut self, grasp: Grasp) {
        self.grasp = grasp;
    }

    /// Where the selection began, or would begin: its other end is the caret.
    pub fn anchor(&self) -> Place {
        self.anchor.unwrap_or(self.caret)
    }

    /// The text that is selected; empty if none is.
    pub fn selected_text(&self) -> String {
        self.selection().map_or_else(String::new, |(start, end)| self.text.slice(start, end))
    }

    /// The first and the last line that an action on lines is about: those of the selection, save one
    /// that it only touches the start of, or that of the caret.
    pub fn chosen_lines(&self) -> (usize, usize) {
        let (start, end) = self.selection().unwrap_or((self.caret, self.caret));
        let touches = end.byte == 0 && end.line > start.line;
        (start.line, if touches { end.line - 1 } else { end.line })
    }

    /// Puts `text` at the caret, in place of what is selected. Line ends of other systems become `\n`.
    pub fn insert(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let (start, end) = self.selection().unwrap_or((self.caret, self.caret));
        self.edit(start, end, normalised(text));
    }

    /// Removes what is selected, else what lies between the caret and where `motion` leads. `width`
    /// is the pane's.
    pub fn delete(&mut self, motion: Motion, width: usize) {
        if self.delete_selection() {
            return;
        }
        let to = self.target(motion, width);
        self.edit(self.caret.min(to), self.caret.max(to), String::new());
    }

    /// Removes what is selected. Whether anything was.
    pub fn delete_selection(&mut self) -> bool {
        let Some((start, end)) = self.selection() else { return false };
        self.edit(start, end, String::new());
        true
    }

    /// Makes every replacement, in one change. They are in order and do not overlap. The caret and the
    /// selection stay at the text they were at; inside of a replaced part they go to its end.
    pub fn apply(&mut self, replacements: &[Replacement]) {
        let (Some(first), Some(last)) = (replacements.first(), replacements.last()) else { return };
        let mut text = String::new();
        let mut from = first.start;
        for part in replacements {
            text.push_str(&self.slice(from, part.start));
            text.push_str(&part.text);
            from = part.end;
        }
        let caret = carried(self.caret, replacements);
        let anchor = self.anchor.map(|anchor| carried(anchor, replacements));
        self.edit(first.start, last.end, text);
        self.caret = self.text.clamped(caret);
        self.anchor = anchor.map(|anchor| self.text.clamped(anchor));
    }

    /// Puts `text` in place of what lies between two places; the caret goes behind it.
    pub fn replace(&mut self, start: Place, end: Place, text: &str) {
        self.edit(start, end, normalised(text));
    }

    /// The same text but for what differs: replaces that, in one change.
    pub fn replace_text(&mut self, text: &str) {
        let (old, new) = (self.text.whole(), normalised(text));
        if old == new {
            return;
        }
        let same = |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let head: usize = old.chars().take(same(&old, &new)).map(char::len_utf8).sum();
        let (old_rest, new_rest) = (&old[head..], &new[head..]);
        let pairs = old_rest.chars().rev().zip(new_rest.chars().rev());
        let tail: usize = pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        let start = end_of(Place::default(), &old[..head]);
        let end = end_of(start, &old_rest[..old_rest.len() - tail]);
        self.edit(start, end, new_rest[..new_rest.len() - tail].to_owned());
    }

    /// Moves the caret; nothing stays selected. `width` is the width that the rows are wrapped at.
    /// One step aside from a selection leads to its end on that side.
    pub fn go(&mut self, motion: Motion, width: usize) {
        if let (Some((start, end)), Motion::Left | Motion::Right) = (self.selection(), motion) {
            return self.go_to(if motion == Motion::Left { start } else { end });
        }
        (self.anchor, self.grasp) = (None, Grasp::Exact);
        self.move_caret(motion, width);
    }

    /// Moves the caret and selects, or selects on, what it passes.
    pub fn select(&mut self, motion: Motion, width: usize) {
        (self.anchor, self.grasp) = (Some(self.anchor()), Grasp::Exact);
        self.move_caret(motion, width);
    }

    fn move_caret(&mut self, motion: Motion, width: usize) {
        let to = self.target(motion, width);
        self.goal = motion.goal(self, self.caret, self.goal, width);
        self.caret = to;
    }

    /// Moves the caret to the character boundary at or before `place`; nothing stays selected.
    pub fn go_to(&mut self, place: Place) {
        self.caret = self.text.clamped(place);
        (self.anchor, self.grasp, self.goal) = (None, Grasp::Exact, None);
    }

    /// Moves the caret a little; the selection, and the column that vertical movement keeps, stay.
    pub(super) fn nudge(&mut self, place: Place) {
        self.caret = self.text.clamped(place);
    }

    /// From now on, vertical movement leads to the ends of lines.
    pub(super) fn keep_to_line_ends(&mut self) {
        self.goal = Some(usize::MAX);
    }

    /// Moves the caret there and selects, or selects on, what it passes.
    pub fn select_to(&mut self, place: Place) {
        let anchor = self.anchor();
        self.select_between(anchor, place);
    }

    /// Selects from `anchor` to `caret`, where the caret goes.
    pub fn select_between(&mut self, anchor: Place, caret: Place) {
        (self.anchor, self.caret) = (Some(self.text.clamped(anchor)), self.text.clamped(caret));
        (self.grasp, self.goal) = (Grasp::Exact, None);
    }

    /// Takes back the last change. Whether there was one.
    pub fn undo(&mut self) -> bool {
        let caret = self.history.undo(&mut self.text);
        self.replayed(caret)
    }

    /// Makes the last change that was taken back again. Whether there was one.
    pub fn redo(&mut self) -> bool {
        let caret = self.history.redo(&mut self.text);
        self.replayed(caret)
    }

    /// Every change from now on is undone with the first of them, until [`end_group`](Self::end_group).
    pub fn begin_group(&mut self) {
        self.history.begin_group();
    }

    /// Ends what [`begin_group`](Self::begin_group) began.
    pub fn end_group(&mut self) {
        self.history.end_group();
    }

    /// Scrolls so that the caret is on a screen of this size.
    pub fn reveal_caret(&mut self, width: usize, height: usize) {
        self.top = wrap::reveal(self, self.top, self.caret, width, height);
    }

    /// Scrolls by `delta` rows; the caret stays where it is.
    pub fn scroll(&mut self, delta: isize, width: usize, height: usize) {
        let lowest = wrap::bottom(self, width, height);
        self.top = wrap::advance(self, self.top, delta, width).min(lowest);
    }

    fn target(&self, motion: Motion, width: usize) -> Place {
        motion.target(self, self.caret, self.goal, width)
    }

    /// The one door to a change: puts `text` between two places, remembers that, and leaves the caret
    /// behind it.
    fn edit(&mut self, start: Place, end: Place, text: String) {
        let (start, end) = (self.text.clamped(start), self.text.clamped(end));
        if end < start || (start == end && text.is_empty()) {
            return;
        }
        let removed = self.text.replace(start, end, &text);
        let caret = end_of(start, &text);
        self.history.remember(Edit { at: start, removed, inserted: text }, self.caret);
        self.changed(caret);
    }

    fn replayed(&mut self, caret: Option<Place>) -> bool {
        if let Some(caret) = caret {
            let caret = self.text.clamped(caret);
            self.changed(caret);
        }
        caret.is_some()
    }

    fn changed(&mut self, caret: Place) {
        (self.caret, self.anchor, self.grasp, self.goal) = (caret, None, Grasp::Exact, None);
        self.revision += 1;
    }
}

/// Where a place is after the replacements.
fn carried(place: Place, replacements: &[Replacement]) -> Place {
    let (mut from, mut to) = (Place::default(), Place::default());
    for part in replacements.iter().take_while(|part| part.start <= place) {
        to = end_of(behind(part.start, from, to), &part.text);
        from = part.end;
        if place < part.end {
            return to;
        }
    }
    behind(place, from, to)
}

/// The place that is as far behind `to` as `place` is behind `from`.
fn behind(place: Place, from: Place, to: Place) -> Place {
    if place.line == from.line {
        return Place { line: to.line, byte: place.byte - from.byte + to.byte };
    }
    Place { line: place.line - from.line + to.line, byte: place.byte }
}
