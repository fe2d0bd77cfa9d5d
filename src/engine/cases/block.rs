//! Cases in the text of a grammar, in lines that are comments.
//!
//! ```text
//! // accept "1 + 2"
//! // reject @1:5: an operator too many
//! // | 1 + * 2
//! ```
//!
//! In GBNF, and in a regular expression that begins with `(?x)`, comments begin with `#`. A comment
//! that is no case is left alone. This file must never change a text: it says what a case would be
//! there, and somebody else writes it.

use super::lines::{self, NO_TEXT, What};
use super::{Case, Cases, New, Origin, Problem};
use crate::engine::grammar::{GrammarKind, GrammarSource};

pub use super::lines::append;

/// What begins a comment.
fn marks(source: &GrammarSource) -> &'static [&'static str] {
    match source.kind {
        GrammarKind::Lark => &["//", "#"],
        GrammarKind::Gbnf => &["#"],
        GrammarKind::Regex if source.text.starts_with("(?x)") => &["#"],
        GrammarKind::Regex | GrammarKind::JsonSchema => &[],
    }
}

/// What a case in the text of this grammar begins with; `None` if none can stand there.
pub fn mark(source: &GrammarSource) -> Option<&'static str> {
    marks(source).first().copied()
}

/// What stands after a mark, in a line that is a comment.
fn comment<'a>(line: &'a str, marks: &[&str]) -> Option<&'a str> {
    let inner = line.trim_start_matches([' ', '\t']);
    marks.iter().find_map(|mark| inner.strip_prefix(mark))
}

/// Reads the cases of a text.
pub(super) fn read(source: &GrammarSource, cases: &mut Cases) {
    let marks = marks(source);
    for found in lines::read(&source.text, |line| comment(line, marks)) {
        let position = found.position();
        let message = match found.what {
            What::Case { name, entry, wants, text, place } => {
                let (text, origin) = (text.into_bytes().into(), Origin::Block(place));
                cases.list.push(Case { name, entry, wants, text, origin });
                continue;
            }
            What::Wrong(message) => message,
            What::NoText(name) if name.is_empty() => NO_TEXT.to_owned(),
            // With a name it reads like any comment that ends in a colon and some words.
            What::NoText(_) | What::Other(_) => continue,
        };
        cases.problems.push(Problem { file: None, position, message });
    }
}

/// A case as comment lines, with a line break at the end; `None` if this grammar has no comments or
/// the text is not UTF-8.
pub fn write(source: &GrammarSource, new: &New<'_>) -> Option<String> {
    lines::write(&format!("{} ", mark(source)?), new)
}

#[cfg(test)]
mod tests;
