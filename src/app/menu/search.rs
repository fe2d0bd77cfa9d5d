//! Which rows of a menu match what is typed, how well, and by which letters.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::Row;

/// A row that matches.
#[derive(Clone, Debug)]
pub struct Found {
    /// The row.
    pub row: Row,
    /// Which graphemes of its title match, in order.
    pub letters: Vec<usize>,
    score: u32,
}

/// The rows that match every word of `query`: its letters in order in the title, or the whole word in
/// what the row says about itself. Titles count more.
pub(super) fn search(rows: Vec<Row>, query: &str) -> Vec<Found> {
    let query = query.trim();
    if query.is_empty() {
        return rows.into_iter().map(|row| Found { row, letters: Vec::new(), score: 0 }).collect();
    }
    let pattern = |kind| Pattern::new(query, CaseMatching::Ignore, Normalization::Smart, kind);
    let (letters_of, words_of) = (pattern(AtomKind::Fuzzy), pattern(AtomKind::Substring));
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<Found> = Vec::new();
    for row in rows {
        let mut letters = Vec::new();
        let title = Utf32Str::new(&row.title, &mut buffer);
        if let Some(score) = letters_of.indices(title, &mut matcher, &mut letters) {
            letters.sort_unstable();
            letters.dedup();
            let letters = letters.into_iter().map(|at| at as usize).collect();
            found.push(Found { row, letters, score: score.saturating_add(1) });
        } else if !row.about.is_empty() {
            let all = format!("{} {}", row.title, row.about);
            if words_of.score(Utf32Str::new(&all, &mut buffer), &mut matcher).is_some() {
                found.push(Found { row, letters: Vec::new(), score: 0 });
            }
        }
    }
    in_order(found)
}

/// The best first, sections together; equals stay as they were.
fn in_order(found: Vec<Found>) -> Vec<Found> {
    let mut sections: Vec<(&str, Vec<Found>)> = Vec::new();
    for row in found {
        let section = row.row.section;
        match sections.iter_mut().find(|(name, _)| *name == section) {
            Some((_, rows)) => rows.push(row),
            None => sections.push((section, vec![row])),
        }
    }
    for (_, rows) in &mut sections {
        rows.sort_by_key(|row| std::cmp::Reverse(row.score));
    }
    sections.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.first().map(|row| row.score)));
    sections.into_iter().flat_map(|(_, rows)| rows).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Pick;
    use super::*;

    fn found(query: &str) -> Vec<(String, Vec<usize>)> {
        let row = |section, title: &str, about: &str| {
            Row::new(section, title, Pick::Type(String::new())).about(about)
        };
        let rows = vec![
            row("a", "Save", "Write the grammar to its file"),
            row("a", "Save as", "Write the grammar to another file"),
            row("b", "Select all", ""),
            row("b", "Übersicht é", "für alle"),
            row("b", "Sessions", "Grammar, prompt and runs"),
        ];
        search(rows, query).into_iter().map(|f| (f.row.title, f.letters)).collect()
    }

    fn titles(query: &str) -> Vec<String> {
        found(query).into_iter().map(|(title, _)| title).collect()
    }

    #[test]
    fn letters_in_order_match_and_the_best_come_first() {
        assert_eq!(titles(""), ["Save", "Save as", "Select all", "Übersicht é", "Sessions"]);
        assert_eq!(found("sva"), [("Save as".to_owned(), vec![0, 2, 5])]);
        assert_eq!(titles("se")[..2], ["Select all", "Sessions"], "a section goes with its best row");
        assert_eq!(titles("SELALL"), ["Select all"]);
        assert_eq!(titles("all sel"), ["Select all"], "words match in any order");
        assert_eq!(titles("zz"), Vec::<String>::new());
    }

    #[test]
    fn words_of_the_sentence_match_after_titles() {
        assert_eq!(titles("another"), ["Save as"]);
        assert_eq!(titles("grammar file"), ["Save", "Save as"]);
        assert_eq!(titles("grm"), Vec::<String>::new(), "no letters here and there in a sentence");
    }

    #[test]
    fn accents_may_be_left_out() {
        assert_eq!(found("ubersichte"), [("Übersicht é".to_owned(), vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 10])]);
    }
}
