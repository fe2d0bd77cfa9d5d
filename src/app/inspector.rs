//! Where the person is in the inspector: which part the keys move in, the rows they are at, and what
//! the list of tokens is searched for.

use std::sync::Arc;

use crate::engine::trace::{Insight, TokenId};
use crate::engine::vocabulary::Vocabulary;

use super::field::Field;
use super::state::Run;
use super::whereabouts::Located;

pub mod found;
pub mod list;

use found::Found;
use list::Listing;

/// A part of the inspector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The most probable tokens before and after the mask.
    #[default]
    Candidates,
    /// The tokens that the grammar allowed.
    Allowed,
    /// The tokens that it did not.
    Rejected,
    /// Where in the grammar the token is: the open rules and what was expected.
    Where,
    /// How the text of the run was read.
    Tree,
}

impl Part {
    /// The next part, around.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Candidates => Self::Allowed,
            Self::Allowed => Self::Rejected,
            Self::Rejected => Self::Where,
            Self::Where => Self::Tree,
            Self::Tree => Self::Candidates,
        }
    }

    /// Its name in headings where there is little room.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::Candidates => "top",
            Self::Allowed => "allow",
            Self::Rejected => "reject",
            Self::Where => "where",
            Self::Tree => "tree",
        }
    }

    /// Its name in headings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Candidates => "candidates",
            Self::Allowed => "allowed",
            Self::Rejected => "rejected",
            Self::Where => "where",
            Self::Tree => "tree",
        }
    }
}

/// The place in something that scrolls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The row that the person is at.
    pub row: usize,
    /// The first row shown.
    pub top: usize,
}

impl Cursor {
    /// The cursor where it is drawn: in a list of `count` rows, of which `height` are shown.
    #[must_use]
    pub fn within(self, count: usize, height: usize) -> Self {
        let row = self.row.min(count.saturating_sub(1));
        let top = self.top.min(count.saturating_sub(height)).min(row);
        Self { row, top: top.max((row + 1).saturating_sub(height)).min(row) }
    }

    /// Moves by so many rows; what is shown follows.
    pub fn step(&mut self, by: isize, count: usize, height: usize) {
        let here = self.within(count, height);
        *self = Self { row: here.row.saturating_add_signed(by), ..here }.within(count, height);
    }

    /// Shows what is so many rows further on; the row stays among what is shown.
    pub fn scroll(&mut self, by: isize, count: usize, height: usize) {
        let here = self.within(count, height);
        let top = here.top.saturating_add_signed(by).min(count.saturating_sub(height));
        *self =
            Self { row: here.row.min((top + height).saturating_sub(1)).max(top), top }.within(count, height);
    }
}

/// Where the person is in the inspector.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    /// The part that the keys move in.
    pub part: Part,
    /// The place among the candidates after the mask: those before it scroll along.
    pub candidates: Cursor,
    /// The place in the list.
    pub list: Cursor,
    /// What the list is searched for; all of it if empty.
    pub query: Field,
    /// Whether keys type into the query.
    pub is_searching: bool,
    /// The place among the terminals that were expected.
    pub places: Cursor,
    /// The place in the tree.
    pub tree: Cursor,
    /// The part of the tree that the person has chosen, while this step is under inspection.
    pub tree_at: Option<(usize, usize)>,
    /// What was shown last below the candidates.
    below: Option<Part>,
    /// What the query has found.
    found: Option<Arc<Found>>,
}

impl Inspector {
    /// Turns to a part; the other list is shown from its top.
    pub fn turn(&mut self, part: Part) {
        let below = self.below();
        (self.below, self.part) = (Some(below), part);
        if self.below() != below {
            self.list = Cursor::default();
        }
    }

    /// Goes to the top of everything: another step is shown.
    pub fn to_top(&mut self) {
        (self.candidates, self.list, self.places) = Default::default();
    }

    /// What is shown below the candidates, where both are.
    pub fn below(&self) -> Part {
        match self.part {
            Part::Candidates => self.below.unwrap_or(Part::Allowed),
            part => part,
        }
    }

    /// Whether the list, where it is shown, is of the rejected tokens.
    pub fn lists_rejected(&self) -> bool {
        self.below() == Part::Rejected
    }

    /// The part of the tree that the person is at: the one they chose, or the innermost of the token.
    pub fn tree_row(&self, located: &Located) -> Option<usize> {
        let chosen =
            self.tree_at.filter(|(at, row)| *at == located.at && *row < located.reading.tree.nodes.len());
        chosen.map(|(_, row)| row).or_else(|| located.node())
    }

    /// Searches the vocabulary, if the query or the vocabulary is another than the last time. A list
    /// of any step is made from what was found without looking at the tokens again.
    pub fn search(&mut self, vocabulary: &Arc<Vocabulary>) {
        let query = self.query.text();
        if !self.found.as_ref().is_some_and(|found| found.is_of(vocabulary, query)) {
            self.found = Some(Arc::new(Found::new(vocabulary, query, self.found.as_deref())));
        }
    }

    /// The tokens that the query has found on the side of the mask that is listed.
    pub fn listing(&self, insight: &Insight) -> Listing {
        self.found
            .as_ref()
            .map_or_else(Listing::default, |found| Listing::new(insight, self.lists_rejected(), found))
    }

    /// How many tokens there are in all, which is known once they have been searched.
    pub fn tokens(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.tokens())
    }

    /// The token at the cursor of the list, where a list is shown.
    pub fn listed(&self, run: &Run) -> Option<TokenId> {
        let insight = run.inspected()?.1.insight.as_ref()?;
        if !matches!(self.below(), Part::Allowed | Part::Rejected) {
            return None;
        }
        let listing = self.listing(insight);
        listing.get(self.list.row.min(listing.len().checked_sub(1)?))
    }

    /// The token that the person is at.
    pub fn token(&self, run: &Run) -> Option<TokenId> {
        let insight = run.inspected()?.1.insight.as_ref()?;
        if self.part == Part::Candidates {
            // Those before the mask may be more, and scroll on.
            let last = insight.after.len().checked_sub(1)?;
            return insight.after.get(self.candidates.row.min(last)).map(|candidate| candidate.token);
        }
        self.listed(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stays_in_its_list_and_on_the_screen() {
        let mut cursor = Cursor::default();
        let at = |cursor: &Cursor| (cursor.row, cursor.top);
        cursor.step(4, 100, 5);
        assert_eq!(at(&cursor), (4, 0));
        cursor.step(1, 100, 5);
        assert_eq!(at(&cursor), (5, 1));
        cursor.step(isize::MAX, 100, 5);
        assert_eq!(at(&cursor), (99, 95));
        cursor.step(-1, 100, 5);
        assert_eq!(at(&cursor), (98, 95));
        cursor.scroll(-3, 100, 5);
        assert_eq!(at(&cursor), (96, 92));
        cursor.scroll(isize::MIN, 100, 5);
        assert_eq!(at(&cursor), (4, 0));
        // A shorter list than before, a screen without rows, a list without rows.
        cursor = Cursor { row: 90, top: 88 };
        assert_eq!(at(&cursor.within(10, 5)), (9, 5));
        for (count, height) in [(0, 5), (0, 0), (10, 0)] {
            cursor.step(1, count, height);
            cursor.scroll(1, count, height);
            assert!(cursor.row <= count.saturating_sub(1) && cursor.top <= cursor.row, "{cursor:?}");
        }
    }
}
