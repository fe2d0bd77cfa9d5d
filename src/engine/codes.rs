//! The kinds of findings: what each number means, with an example of it and of the way out.
//!
//! The text is in `codes.txt`; this file only reads it. What a finding says of one grammar is where
//! the finding is made, what is true of all of its kind is here. Numbers never change.

use std::sync::LazyLock;

use super::diagnostic::Severity;
use super::grammar::{GrammarKind, closest};

/// A kind of finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// `M001`.
    pub number: &'static str,
    /// `empty-grammar`: the name that a finding carries.
    pub slug: &'static str,
    /// How bad it is: one, or both if that depends on the place.
    pub severities: Vec<Severity>,
    /// What it is, in a few words without a full stop.
    pub title: &'static str,
    /// What it is about, in a few sentences; its lines are wrapped.
    pub text: &'static str,
    /// A grammar that has it, if a short one can.
    pub bad: Option<Example>,
    /// The same grammar put right.
    pub good: Option<Example>,
}

/// A grammar as an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// What it is written in.
    pub kind: GrammarKind,
    /// Its text.
    pub text: &'static str,
}

impl Code {
    /// `error`, `warning` or `error or warning`.
    pub fn severity(&self) -> String {
        let names: Vec<&str> = self.severities.iter().map(|s| s.name()).collect();
        names.join(" or ")
    }
}

static CODES: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let entries = include_str!("codes.txt").split("\n=== ").skip(1);
    entries.filter_map(read).collect()
});

/// Every kind, by number.
pub fn all() -> &'static [Code] {
    &CODES
}

/// The kind with this number or name, in any case.
pub fn find(name: &str) -> Option<&'static Code> {
    let is_it = |c: &&Code| c.number.eq_ignore_ascii_case(name) || c.slug.eq_ignore_ascii_case(name);
    CODES.iter().find(is_it)
}

/// The number of the kind with this name; `M000` if there is none, which a test excludes.
pub fn number(slug: &str) -> &'static str {
    CODES.iter().find(|c| c.slug == slug).map_or("M000", |c| c.number)
}

/// The kind that a misspelt number or name most likely means.
pub fn near(name: &str) -> Option<&'static Code> {
    let names = CODES.iter().flat_map(|c| [c.number, c.slug]);
    let part = || CODES.iter().find(|c| name.len() > 3 && c.slug.contains(&name.to_lowercase()));
    closest(name, names).and_then(find).or_else(part)
}

/// Reads `NUMBER SLUG SEVERITY`, the title, the text, and examples that `--- bad KIND` and
/// `--- good KIND` begin.
fn read(entry: &'static str) -> Option<Code> {
    let mut parts = entry.trim_end().split("\n--- ");
    let (head, about) = parts.next()?.split_once('\n')?;
    let (title, text) = about.split_once('\n').unwrap_or((about, ""));
    let mut words = head.split(' ');
    let (number, slug) = (words.next()?, words.next()?);
    let severities = words.filter_map(|word| match word {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        _ => None,
    });
    let severities = severities.collect();
    let (mut bad, mut good) = (None, None);
    for part in parts {
        let (head, text) = part.split_once('\n')?;
        let (which, kind) = head.split_once(' ')?;
        let kind = match kind {
            "gbnf" => GrammarKind::Gbnf,
            "schema" => GrammarKind::JsonSchema,
            "regex" => GrammarKind::Regex,
            _ => GrammarKind::Lark,
        };
        let example = Some(Example { kind, text });
        if which == "bad" { bad = example } else { good = example }
    }
    Some(Code { number, slug, severities, title, text, bad, good })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_and_none_is_there_twice() {
        let headings = include_str!("codes.txt").lines().filter(|l| l.starts_with("=== "));
        assert_eq!(headings.count(), all().len());
        for pair in all().windows(2) {
            assert!(pair[0].number < pair[1].number, "{} is out of order", pair[1].number);
        }
        for code in all() {
            assert_eq!(all().iter().filter(|c| c.slug == code.slug).count(), 1, "{}", code.slug);
            let digits = code.number.strip_prefix('M').unwrap_or_default();
            assert!(digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()), "{}", code.number);
            assert!(!code.severities.is_empty(), "{} is no error and no warning", code.number);
            assert!(!code.title.ends_with('.') && code.text.ends_with('.'), "{}", code.number);
            assert_eq!(code.bad.is_some(), code.good.is_some(), "{}", code.number);
        }
    }

    #[test]
    fn names_are_found_and_misspelt_ones_are_guessed() {
        assert_eq!(find("m050").map(|c| c.slug), Some("undefined-name"));
        assert_eq!(find("Undefined-Name").map(|c| c.number), Some("M050"));
        assert_eq!(find("M999"), None);
        assert_eq!(near("undefind-name").map(|c| c.number), Some("M050"));
        assert_eq!(near("quotes").map(|c| c.slug), Some("single-quotes"));
        assert_eq!(near("xyzzy"), None);
    }
}
