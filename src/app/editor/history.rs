//! Undo and redo: the edits that were made, grouped into what a person calls one change.
//!
//! An [`Edit`] knows what it took away and what it put there, so it can be reversed. Typing within one
//! word is one change; so is everything between [`History::begin_group`] and
//! [`History::end_group`]. It goes by what is typed, never by a clock, so that a replay undoes the
//! same.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation;

use crate::ui::wrap::Place;

use super::text::{Text, end_of};

/// How many changes are remembered.
pub const MAX_CHANGES: usize = 10_000;

/// How many bytes of text they may hold together. The latest change is kept however large it is.
const MAX_BYTES: usize = 64 << 20;

/// At `at`, `removed` made place for `inserted`.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Where.
    pub at: Place,
    /// What was there before.
    pub removed: String,
    /// What is there since.
    pub inserted: String,
}

/// The changes that can be undone and redone, the last to be made (taken back) at the end.
#[derive(Clone, Debug)]
pub struct History {
    undo: VecDeque<Change>,
    redo: Vec<Change>,
    /// How many are remembered at most.
    pub(super) most: usize,
    /// The bytes of all changes that can be undone.
    bytes: usize,
    group: Group,
}

/// Edits that are undone together.
#[derive(Clone, Debug)]
struct Change {
    edits: Vec<Edit>,
    /// Where the caret was before.
    caret: Place,
    /// The word that it ends with, if the next character may still belong to it.
    word: Option<Word>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    end: Place,
    ends_with_space: bool,
}

/// Whether edits are joined into one change on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    None,
    /// The next edit begins one.
    Begun,
    /// The next edit belongs to the last change.
    Open,
}

impl Default for History {
    fn default() -> Self {
        let (undo, redo) = (VecDeque::new(), Vec::new());
        Self { undo, redo, most: MAX_CHANGES, bytes: 0, group: Group::None }
    }
}

impl History {
    /// Records an edit, made when the caret was at `caret`.
    pub fn remember(&mut self, edit: Edit, caret: Place) {
        self.redo.clear();
        self.bytes += edit.removed.len() + edit.inserted.len();
        let word = Word::of(&edit);
        if self.group == Group::Open
            && let Some(last) = self.undo.back_mut()
        {
            last.edits.push(edit);
            return;
        }
        if self.group == Group::None
            && let Some(last) = self.undo.back_mut()
            && let (Some(before), Some(word), Some(open)) = (last.word, word, last.edits.last_mut())
            && before.goes_on(&edit)
        {
            open.inserted.push_str(&edit.inserted);
            last.word = Some(word);
            return;
        }
        if self.group == Group::Begun {
            self.group = Group::Open;
        }
        self.undo.push_back(Change { edits: vec![edit], caret, word });
        while self.undo.len() > self.most.max(1) || (self.bytes > MAX_BYTES && self.undo.len() > 1) {
            let forgotten = self.undo.pop_front();
            self.bytes -= forgotten.map_or(0, |change| change.bytes());
        }
    }

    /// Every edit from now on is one change, until the end of the group.
    pub fn begin_group(&mut self) {
        if self.group == Group::None {
            self.group = Group::Begun;
        }
    }

    /// Ends the group. What is typed then begins a new change.
    pub fn end_group(&mut self) {
        self.group = Group::None;
        if let Some(last) = self.undo.back_mut() {
            last.word = None;
        }
    }

    /// Takes back the last change; returns where the caret was before it. `None` if there is none.
    pub fn undo(&mut self, text: &mut Text) -> Option<Place> {
        let change = self.undo.pop_back()?;
        self.bytes -= change.bytes();
        for edit in change.edits.iter().rev() {
            text.replace(edit.at, end_of(edit.at, &edit.inserted), &edit.removed);
        }
        let caret = change.caret;
        self.redo.push(change);
        self.interrupt();
        Some(caret)
    }

    /// Makes the last change that was taken back again; returns where it ends.
    pub fn redo(&mut self, text: &mut Text) -> Option<Place> {
        let change = self.redo.pop()?;
        self.bytes += change.bytes();
        let mut caret = change.caret;
        for edit in &change.edits {
            text.replace(edit.at, end_of(edit.at, &edit.removed), &edit.inserted);
            caret = end_of(edit.at, &edit.inserted);
        }
        self.undo.push_back(change);
        self.interrupt();
        Some(caret)
    }

    /// What is typed next does not belong to a change that was there before an undo.
    fn interrupt(&mut self) {
        if self.group == Group::Open {
            self.group = Group::Begun;
        }
    }
}

impl Change {
    fn bytes(&self) -> usize {
        self.edits.iter().map(|edit| edit.removed.len() + edit.inserted.len()).sum()
    }
}

impl Word {
    /// The word that is typed with this edit, if it stays on its line.
    fn of(edit: &Edit) -> Option<Self> {
        let ends_with_space = edit.inserted.ends_with(char::is_whitespace);
        let is_typing = !edit.inserted.is_empty() && !edit.inserted.contains('\n');
        is_typing.then(|| Self { end: end_of(edit.at, &edit.inserted), ends_with_space })
    }

    /// Whether the edit is still the same word, or the white space behind it.
    fn goes_on(self, edit: &Edit) -> bool {
        let starts_word = self.ends_with_space && !edit.inserted.starts_with(char::is_whitespace);
        let is_one = edit.inserted.graphemes(true).nth(1).is_none();
        self.end == edit.at && edit.removed.is_empty() && !starts_word && is_one
    }
}
