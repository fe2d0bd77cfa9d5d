//! Entry points: rules of a Lark grammar that a text may be, besides the one that `start` names.
//!
//! A grammar of a language is good for more than one kind of text. A comment at the start of a line
//! names the rules that are texts by themselves, and `start` names the one that is meant if nothing
//! else is said:
//!
//! ```text
//! // entries: file, function, expression
//! start: function
//! ```
//!
//! Another entry point is another name on that line and nothing else, so every place in the text stays
//! where it is. This file must never change what a rule means, nor decide which entry point is wanted.

use std::fmt;
use std::ops::Range;

use super::scan::{Kind, Scan};
use super::{GrammarKind, GrammarSource, closest};

/// Why a grammar has no such entry point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEntry {
    /// It names none. What it is called.
    None(String),
    /// It is not Lark, which alone can name some. What it is called.
    Kind(String),
    /// It names others.
    Unknown {
        /// What it is called.
        grammar: String,
        /// What was asked for.
        wanted: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// `start` is more than the name of one rule. What it is called.
    Start(String),
}

impl fmt::Display for NoEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(grammar) => write!(
                f,
                "{grammar} has no entry points: a line `// entries: NAME, NAME` names the rules that a text may be"
            ),
            Self::Kind(grammar) => {
                write!(f, "{grammar} has no entry points: only a grammar in Lark can name some")
            }
            Self::Unknown { grammar, wanted, known } => {
                write!(f, "{grammar} has no entry point {wanted:?}; there are {}", known.join(", "))?;
                match closest(wanted, known.iter().map(String::as_str)) {
                    Some(near) => write!(f, "; did you mean {near}?"),
                    None => Ok(()),
                }
            }
            Self::Start(grammar) => {
                write!(f, "in {grammar} `start` has to be the name of one rule, as in `start: file`")
            }
        }
    }
}

impl std::error::Error for NoEntry {}

impl GrammarSource {
    /// The entry points that the grammar names, in its order; none for other kinds than Lark.
    pub fn entries(&self) -> Vec<&str> {
        let mut names = Vec::new();
        if self.kind == GrammarKind::Lark {
            for (_, name) in listed(&self.text) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The rule that `start` is, if it is the name of one rule and nothing else.
    pub fn entry(&self) -> Option<&str> {
        let span = (self.kind == GrammarKind::Lark).then(|| named(&self.text)).flatten()?;
        self.text.get(span)
    }

    /// The same grammar beginning with the entry point `name`.
    ///
    /// # Errors
    /// [`NoEntry`]: the grammar does not name it, or `start` is no single name.
    pub fn with_entry(&self, name: &str) -> Result<Self, NoEntry> {
        if self.kind != GrammarKind::Lark {
            return Err(NoEntry::Kind(self.name.clone()));
        }
        let known = self.entries();
        if known.is_empty() {
            return Err(NoEntry::None(self.name.clone()));
        }
        if !known.contains(&name) {
            return Err(NoEntry::Unknown {
                grammar: self.name.clone(),
                wanted: name.to_owned(),
                known: known.into_iter().map(str::to_owned).collect(),
            });
        }
        let span = named(&self.text).ok_or_else(|| NoEntry::Start(self.name.clone()))?;
        let mut text = self.text.clone();
        text.replace_range(span, name);
        Ok(Self { text, ..self.clone() })
    }
}

/// The names in the first comment that lists entry points, with their places.
pub(super) fn listed(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let list = text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    });
    let list = list.filter_map(|(start, line)| {
        let rest = line.strip_prefix("//").or_else(|| line.strip_prefix('#'))?;
        let names = rest.trim_start().strip_prefix("entries:")?;
        Some((start + line.len() - names.len(), names))
    });
    list.take(1).flat_map(|(start, names)| {
        let at = move |name: &str, piece: usize| {
            let before = start + piece;
            before..before + name.len()
        };
        let mut piece = 0;
        names.split(',').filter_map(move |part| {
            let name = part.trim();
            let offset = piece + (part.len() - part.trim_start().len());
            piece += part.len() + 1;
            (!name.is_empty()).then(|| (at(name, offset), name))
        })
    })
}

/// Where the name of the rule stands that `start` is.
fn named(text: &str) -> Option<Range<usize>> {
    let scan = Scan::new(text).outermost();
    let statements = scan.statements();
    let is_start = |tokens: &&&[super::scan::Token]| {
        tokens.first().is_some_and(|t| t.kind == Kind::Rule && scan.str(t) == "start")
    };
    let statement = statements.iter().find(is_start)?;
    match statement.iter().filter(|t| t.kind != Kind::Newline).collect::<Vec<_>>()[..] {
        [_, colon, name] if scan.str(colon) == ":" && name.kind == Kind::Rule => Some(name.span.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grammar() -> GrammarSource {
        let text = "// A list.\n//  entries: list , item, list,\n# entries: other\n\nstart: list // the whole\n\
                    list: item (\",\" item)*\nitem: /[a-z]/\n";
        GrammarSource::lark("list.lark", text)
    }

    #[test]
    fn the_first_list_counts() {
        assert_eq!(grammar().entries(), ["list", "item"]);
        for (span, name) in listed(&grammar().text) {
            assert_eq!(&grammar().text[span], name);
        }
        assert_eq!(GrammarSource::lark("x", "start: \"// entries: a\"").entries(), [""; 0]);
        assert_eq!(GrammarSource::gbnf("x", "# entries: a\nroot ::= \"a\"").entries(), [""; 0]);
    }

    #[test]
    fn one_name_is_another() {
        let item = grammar().with_entry("item").expect("it is listed");
        assert_eq!(item.text, grammar().text.replace("start: list", "start: item"));
        assert_eq!((item.entry(), grammar().entry()), (Some("item"), Some("list")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said =
            |source: &GrammarSource, name| source.with_entry(name).expect_err("no such entry").to_string();
        assert_eq!(
            said(&grammar(), "items"),
            "list.lark has no entry point \"items\"; there are list, item; did you mean item?"
        );
        let several = GrammarSource::lark("x.lark", "// entries: a\nstart: a | a a\na: \"a\"");
        assert!(said(&several, "a").contains("`start` has to be the name of one rule"));
        let two_lines = GrammarSource::lark("x.lark", "// entries: a\nstart: a\n  | \"b\"\na: \"a\"");
        assert!(said(&two_lines, "a").contains("`start` has to be"));
        assert!(said(&GrammarSource::regex("x", "a"), "a").contains("has no entry points"));
    }
}
