//! What is looked for in a text, where it is, and what is to be put in its place.
//!
//! A text is searched line by line: nothing that is found goes over a line end. Without a capital in
//! what is looked for, capitals do not matter. It must never change a text: it says what is to be
//! replaced, and [`update`](super::update) does it.

use regex::{Regex, RegexBuilder};

use super::editor::Replacement;
use super::field::Field;
use super::state::Pane;
use super::texts::TextId;
use crate::ui::wrap::{Lines, Place};

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
    /// Whether the query is a regular expression.
    pub is_regex: bool,
    /// Where the caret was when the bar was opened: the search begins there.
    pub origin: Place,
    /// Every place that was found, in order, or what is wrong with the query.
    pub found: Result<Vec<(Place, Place)>, String>,
    /// What `found` is the answer to.
    of: Option<Asked>,
}

/// A search: the query, whether it is a regular expression, and the text by name and revision.
type Asked = (String, bool, TextId, u64);

impl Default for Find {
    fn default() -> Self {
        Self {
            is_open: false,
            pane: Pane::Grammar,
            query: Field::default(),
            replacement: Field::default(),
            replaces: false,
            in_replacement: false,
            is_regex: false,
            origin: Place::default(),
            found: Ok(Vec::new()),
            of: None,
        }
    }
}

impl Find {
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
        let asked = (self.query.text().to_owned(), self.is_regex, id, revision);
        if self.of.as_ref() == Some(&asked) {
            return false;
        }
        let is_other =
            self.of.as_ref().is_none_or(|(query, regex, ..)| (query, regex) != (&asked.0, &asked.1));
        self.found = self.pattern().map(|pattern| match pattern {
            Some(pattern) => all(&pattern, text),
            None => Vec::new(),
        });
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

    /// What replacing the places of `which` changes in `text`.
    pub fn replacements(&self, text: &dyn Lines, which: std::ops::Range<usize>) -> Vec<Replacement> {
        let Ok(Some(pattern)) = self.pattern() else { return Vec::new() };
        let places = self.places().get(which).unwrap_or_default();
        let replacement = |&(start, end): &(Place, Place)| Replacement {
            start,
            end,
            text: self.put_for(&pattern, text.line(start.line), start.byte),
        };
        places.iter().filter(|place| is_there(&pattern, text, place)).map(replacement).collect()
    }

    /// What is put in place of what was found at `byte` of a line. In a regular expression, `$1` and
    /// `${name}` stand for its groups.
    fn put_for(&self, pattern: &Regex, line: &str, byte: usize) -> String {
        let template = self.replacement.text();
        let mut out = String::new();
        match pattern.captures_at(line, byte).filter(|_| self.is_regex) {
            Some(captures) => captures.expand(template, &mut out),
            None => out.push_str(template),
        }
        out
    }

    /// The query as it is searched with; `None` if there is nothing to look for.
    ///
    /// # Errors
    /// What is wrong with a regular expression.
    fn pattern(&self) -> Result<Option<Regex>, String> {
        let query = self.query.text();
        if query.is_empty() {
            return Ok(None);
        }
        let pattern = if self.is_regex { query.to_owned() } else { regex::escape(query) };
        let built = RegexBuilder::new(&pattern).case_insensitive(!has_capital(query, self.is_regex)).build();
        built.map(Some).map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim().trim_start_matches("error: ").to_owned()
        })
    }
}

/// Whether a place is still one: a text that was put in place of the one that was searched may hold
/// something else there.
fn is_there(pattern: &Regex, text: &dyn Lines, (start, end): &(Place, Place)) -> bool {
    let line = text.line(start.line);
    let found = line.is_char_boundary(start.byte).then(|| pattern.find_at(line, start.byte)).flatten();
    found.is_some_and(|found| found.range() == (start.byte..end.byte))
}

/// Whether capitals matter. In a regular expression, `\W` has none.
fn has_capital(query: &str, is_regex: bool) -> bool {
    let mut is_escaped = false;
    query.chars().any(|c| {
        let counts = c.is_uppercase() && !is_escaped;
        is_escaped = is_regex && c == '\\' && !is_escaped;
        counts
    })
}

fn all(pattern: &Regex, text: &dyn Lines) -> Vec<(Place, Place)> {
    let in_line = |line: usize| {
        // An empty place is neither seen nor replaced.
        let places = pattern.find_iter(text.line(line)).filter(|found| !found.is_empty());
        places.map(move |f| (Place { line, byte: f.start() }, Place { line, byte: f.end() }))
    };
    (0..text.count()).flat_map(in_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::editor::EditorBuffer;

    fn find(query: &str, is_regex: bool, text: &str) -> (Find, EditorBuffer) {
        let mut find = Find { query: Field::new(query), is_regex, ..Find::default() };
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
}
