//! Which of the text area's edits are undone together.
//!
//! The text area keeps the edits; this only counts how many of them make one change to a person. It
//! goes by what is typed, never by a clock, so that a replay undoes the same.

use tui_textarea::TextArea;
use unicode_segmentation::UnicodeSegmentation;

use crate::ui::wrap::Place;

/// How many edits the text area remembers.
pub const MAX_EDITS: usize = 10_000;

/// The changes that can be undone and redone, the last to be made (taken back) at the end.
#[derive(Clone, Debug, Default)]
pub struct History {
    undo: Vec<Change>,
    redo: Vec<Change>,
}

/// Consecutive edits that are one change.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// At least one.
    edits: usize,
    /// The word that it ends with, if the next character may still belong to it.
    word: Option<Word>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    end: Place,
    ends_with_space: bool,
}

impl History {
    /// Records a change of `edits` edits.
    pub fn remember(&mut self, edits: usize) {
        self.push(Change { edits, word: None });
    }

    /// Records that `text` was put between `start` and `end`, in place of what one
    /// more edit removed if it `replaces`; typing within one word becomes one change.
    pub fn remember_insertion(&mut self, text: &str, replaces: bool, start: Place, end: Place) {
        let ends_with_space = text.ends_with(char::is_whitespace);
        let word = (!text.contains('\n')).then_some(Word { end, ends_with_space });
        if !replaces
            && let (Some(last), Some(_)) = (self.undo.last_mut(), word)
            && last.word.is_some_and(|word| word.goes_on(text, start))
        {
            self.redo.clear();
            last.edits += 1;
            last.word = word;
            return;
        }
        self.push(Change { edits: 1 + usize::from(replaces), word });
    }

    /// Takes back the last change. Whether there was one.
    pub fn undo(&mut self, area: &mut TextArea) -> bool {
        replay(&mut self.undo, &mut self.redo, || area.undo())
    }

    /// Makes the last change that was taken back again. Whether there was one.
    pub fn redo(&mut self, area: &mut TextArea) -> bool {
        replay(&mut self.redo, &mut self.undo, || area.redo())
    }

    fn push(&mut self, change: Change) {
        if change.edits == 0 {
            return;
        }
        self.redo.clear();
        // The text area has forgotten the edits of a change as old as this.
        if self.undo.len() == MAX_EDITS {
            self.undo.remove(0);
        }
        self.undo.push(change);
    }
}

impl Word {
    /// Whether typing `text` at `at` is still the same word, or the white space behind it.
    fn goes_on(self, text: &str, at: Place) -> bool {
        let starts_word = self.ends_with_space && !text.starts_with(char::is_whitespace);
        self.end == at && !starts_word && text.graphemes(true).count() == 1
    }
}

/// Moves the last change of `from` to `to`, edit by edit. The oldest change may have lost edits
/// that the text area no longer remembers; only those that it replayed are counted.
fn replay(from: &mut Vec<Change>, to: &mut Vec<Change>, mut edit: impl FnMut() -> bool) -> bool {
    let Some(change) = from.pop() else { return false };
    let edits = (0..change.edits).take_while(|_| edit()).count();
    if edits > 0 {
        to.push(Change { edits, ..change });
    }
    edits > 0
}
