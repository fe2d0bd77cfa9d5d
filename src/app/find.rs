//! What is looked for in a text, where it is, and what is to be put in its place.
//!
//! It must never change a text: it says what is to be replaced, and [`update`](super::update) does it.

use super::editor::Replacement;
use super::field::Field;
use super::state::Pane;
use super::texts::TextId;
use crate::ui::wrap::{Lines, Place};

mod pattern;

pub use pattern::Wanted;
use pattern::{Haystack, Pattern};

/// What is looked for, and the bar to type it into.
#[derive(Clone, Debug)]
pub struct Find {
    /// Whether the bar is open.
    pub is_open: bool,
    /// The pane whose text is searched.
    pub pane: Pane,
    /// What is looked for.
    pub query: Field,
    /// What is to be put in its place.
    pub replacement: Field,
    /// Whether the bar has a line for the replacement.
    pub replaces: bool,
    /// Whether keys go to that line.
    pub in_replacement: bool,
    /// How the query is meant.
    pub wanted: Wanted,
    /// Where the caret was when the bar was opened: the search begins there.
    pub origin: Place,
    /// Every place that was found, in order, or what is wrong with the query.
    pub found: Result<Vec<(Place, Place)>, String>,
    /// What `found` is the answer to.
    of: Option<Asked>,
}

/// A search: the query, how it is meant, and the text by name and revision.
type Asked = (String, Wanted, TextId, u64);

impl Default for Find {
    fn default() -> Self {
        Self {
            is_open: false,
            pane: Pane::Grammar,
            query: Field::default(),
            replacement: Field::default(),
            replaces: false,
            in_replacement: false,
            wanted: Wanted::default(),
            origin: Place::default(),
            found: Ok(Vec::new()),
            of: None,
        }
    }
}

impl Find {
    /// A search that nobody has typed.
    pub fn new(query: &str, wanted: Wanted) -> Self {
        Self { query: Field::new(query), wanted, ..Self::default() }
    }

    /// The line that keys type into.
    pub fn field(&mut self) -> &mut Field {
        if self.in_replacement { &mut self.replacement } else { &mut self.query }
    }

    /// The places that were found; none if the query is wrong.
    pub fn places(&self) -> &[(Place, Place)] {
        self.found.as_deref().unwrap_or_default()
    }

    /// Which of the places begins at `caret`.
    pub fn current(&self, caret: Place) -> Option<usize> {
        self.places().binary_search_by_key(&caret, |(start, _)| *start).ok()
    }

    /// Searches `text`, unless it has been searched for the same. Whether the query is another one.
    pub fn update(&mut self, id: TextId, revision: u64, text: &dyn Lines) -> bool {
        let asked = (self.query.text().to_owned(), self.wanted, id, revision);
        if self.of.as_ref() == Some(&asked) {
            return false;
        }
        let is_other =
            self.of.as_ref().is_none_or(|(query, wanted, ..)| (query, wanted) != (&asked.0, &asked.1));
        let pattern = Pattern::new(self.query.text(), self.wanted);
        self.found = pattern.map(|pattern| pattern.map_or_else(Vec::new, |pattern| pattern.all(text)));
        self.of = Some(asked);
        is_other
    }

    /// The first place from `from` on (after it, if `beyond`), or the very first.
    pub fn next(&self, from: Place, beyond: bool) -> Option<Place> {
        let all = self.places();
        let index = all.partition_point(|(start, _)| *start < from || (beyond && *start == from));
        all.get(index).or(all.first()).map(|(start, _)| *start)
    }

    /// The last place before `from`, or the very last.
    pub fn previous(&self, from: Place) -> Option<Place> {
        let all = self.places();
        let index = all.partition_point(|(start, _)| *start < from);
        index.checked_sub(1).and_then(|i| all.get(i)).or(all.last()).map(|(start, _)| *start)
    }

    /// What replacing the places of `which` changes in `text`. A text that was put in place of the one
    /// that was searched may hold something else at a place; nothing is replaced there.
    pub fn replacements(&self, text: &dyn Lines, which: std::ops::Range<usize>) -> Vec<Replacement> {
        let Ok(Some(pattern)) = Pattern::new(self.query.text(), self.wanted) else { return Vec::new() };
        let haystack = Haystack::new(text, pattern.crosses_lines());
        let places = self.places().get(which).unwrap_or_default().iter();
        let replacement = |&(start, end): &(Place, Place)| {
            let text = pattern.replaced(&haystack, (start, end), self.replacement.text())?;
            Some(Replacement { start, end, text })
        };
        places.filter_map(replacement).collect()
    }

    /// Puts several lines into the line that keys type into: in a regular expression and in what replaces
    /// it, line ends can be written.
    pub fn insert_lines(&mut self, text: &str) {
        // The selection would not survive the change below.
        self.field().delete_selection();
        if !self.wanted.is_regex {
            self.query = Field::new(&regex::escape(self.query.text()));
            self.replacement = Field::new(&pattern::template(self.replacement.text()));
            self.wanted.is_regex = true;
        }
        let text = if self.in_replacement { pattern::template(text) } else { pattern::escaped(text) };
        self.field().insert(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::Action;
    use crate::app::editor::EditorBuffer;

    fn find(query: &str, is_regex: bool, text: &str) -> (Find, EditorBuffer) {
        let wanted = Wanted { is_regex, ..Wanted::default() };
        let mut find = Find::new(query, wanted);
        let text = EditorBuffer::new(text);
        find.update(TextId::Prompt, 0, &text);
        (find, text)
    }

    fn starts(query: &str, is_regex: bool, text: &str) -> Vec<(usize, usize)> {
        find(query, is_regex, text).0.places().iter().map(|(start, _)| (start.line, start.byte)).collect()
    }

    #[test]
    fn capitals_matter_if_there_are_some() {
        assert_eq!(starts("é", false, "é É\ne"), [(0, 0), (0, 3)]);
        assert_eq!(starts("É", false, "é É\ne"), [(0, 3)]);
        assert_eq!(starts(r"\w\W", true, "a b"), [(0, 0)]);
        assert_eq!(starts(r"\W", false, r"a \w \W"), [(0, 5)]);
        assert_eq!(starts(".", false, "a.b"), [(0, 1)]);
        assert_eq!(starts("", false, "a"), []);
        assert_eq!(starts("x*", true, "axxb"), [(0, 1)]);
    }

    #[test]
    fn a_wrong_expression_is_told() {
        let (find, _) = find("(a", true, "(a");
        assert_eq!(find.found, Err("unclosed group".to_owned()));
        assert_eq!((find.next(Place::default(), false), find.places().len()), (None, 0));
    }

    #[test]
    fn next_and_previous_go_around() {
        let (find, _) = find("a", false, "a b a\na");
        let at = |line, byte| Place { line, byte };
        assert_eq!(find.next(at(0, 0), false), Some(at(0, 0)));
        assert_eq!(find.next(at(0, 0), true), Some(at(0, 4)));
        assert_eq!(find.next(at(1, 0), true), Some(at(0, 0)));
        assert_eq!(find.previous(at(1, 0)), Some(at(0, 4)));
        assert_eq!(find.previous(at(0, 0)), Some(at(1, 0)));
        assert_eq!((find.current(at(1, 0)), find.current(at(0, 1))), (Some(2), None));
    }

    #[test]
    fn groups_are_put_back_where_the_replacement_says() {
        let replaced = |query, is_regex, replacement, text| {
            let (mut find, mut text) = find(query, is_regex, text);
            find.replacement = Field::new(replacement);
            text.apply(&find.replacements(&text, 0..find.places().len()));
            text.text()
        };
        assert_eq!(replaced(r"(\w)=(\w)", true, "$2:$1", "a=b c=d\ne=f"), "b:a d:c\nf:e");
        assert_eq!(replaced("a", false, "$1", "a a"), "$1 $1");
        assert_eq!(replaced(r"\bb", true, "x", "ab b"), "ab x", "what is around a place counts");
        assert_eq!(replaced("a", false, "", "aba"), "b");
    }

    #[test]
    fn lines_are_put_in_as_they_are() {
        let text = "a.b\n\\c$1\td";
        let (mut find, _) = find("old.", false, "");
        find.query.act(Action::SelectAll);
        find.insert_lines("x.y\nz");
        assert_eq!(find.query.text(), r"x\.y\nz", "what was selected is gone");
        find.in_replacement = true;
        find.replacement = Field::new("$2 ");
        find.insert_lines(text);
        let mut buffer = EditorBuffer::new("x.y\nz");
        find.update(TextId::Prompt, 0, &buffer);
        buffer.apply(&find.replacements(&buffer, 0..1));
        assert_eq!(buffer.text(), format!(" {text}"), "what was typed before is a template");
    }
}
