//! Which rules and alternatives of a grammar its accepted cases use.
//!
//! The shadow parser reads every text again and counts. Where it cannot follow a grammar, nothing is
//! said about it.

use super::{Case, Entries, Report};
use crate::engine::diagnostic::Position;
use crate::engine::grammar::Compiled;

/// How often each rule and alternative was used, in the order of the grammar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The rules that can be reached.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its alternatives.
    pub alternatives: Vec<Alternative>,
}

/// An alternative of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Where it stands, if the language of the grammar has such places.
    pub position: Option<Position>,
    /// Its text, if it is known.
    pub text: Option<String>,
    /// How often it was used.
    pub count: usize,
}

impl Rule {
    /// Whether any of its alternatives was used.
    pub fn is_used(&self) -> bool {
        self.alternatives.iter().any(|alternative| alternative.count > 0)
    }
}

impl Coverage {
    /// How many rules were used, and how many there are.
    pub fn rules(&self) -> (usize, usize) {
        (self.rules.iter().filter(|rule| rule.is_used()).count(), self.rules.len())
    }

    /// How many alternatives were used, and how many there are.
    pub fn alternatives(&self) -> (usize, usize) {
        let all = || self.rules.iter().flat_map(|rule| &rule.alternatives);
        (all().filter(|alternative| alternative.count > 0).count(), all().count())
    }

    /// Adds what other cases use of the same grammar; what begins with another entry point may reach other
    /// rules.
    fn add(&mut self, other: Self) {
        for new in other.rules {
            let Some(rule) = self.rules.iter_mut().find(|rule| rule.name == new.name) else {
                self.rules.push(new);
                continue;
            };
            for (i, alternative) in new.alternatives.into_iter().enumerate() {
                // The same rule, unless it has a parameter; only that of `start` reads differently.
                let known = rule.alternatives.get_mut(i);
                match known.filter(|known| known.position == alternative.position) {
                    Some(known) => known.count += alternative.count,
                    None => rule.alternatives.push(alternative),
                }
            }
        }
    }

    /// The share of the alternatives that were used, in percent, rounded down.
    pub fn percent(&self) -> usize {
        let (used, all) = self.alternatives();
        (used * 100).checked_div(all).unwrap_or(100)
    }
}

/// What the accepted cases use of a grammar, those of all its entry points together.
///
/// # Errors
/// Why the shadow parser cannot follow the grammar or one of the texts.
pub fn coverage(grammars: &mut Entries<'_>, report: &Report) -> Result<Coverage, String> {
    let mut all = of_entry(grammars.of(None)?, &report.accepted(None))?;
    for entry in report.entries() {
        all.add(of_entry(grammars.of(Some(entry))?, &report.accepted(Some(entry)))?);
    }
    Ok(all)
}

fn of_entry(grammar: &Compiled, cases: &[&Case]) -> Result<Coverage, String> {
    let mut shadow = grammar.shadow().map_err(|reason| reason.to_string())?;
    let source = &grammar.source().text;
    let mut coverage = Coverage::default();
    let mut counts: Vec<usize> = Vec::new();
    for case in cases {
        shadow.truncate(0);
        let taken = shadow.feed(&case.text);
        if taken < case.text.len() || !shadow.may_end() {
            let limit =
                shadow.limit().map_or_else(|| "it is read differently".to_owned(), ToString::to_string);
            return Err(format!("{}: {limit}", case.name));
        }
        let used = shadow.used();
        counts.resize(used.len(), 0);
        counts.iter_mut().zip(&used).for_each(|(count, used)| *count += used.count);
    }
    shadow.truncate(0);
    counts.resize(shadow.used().len(), 0);
    for (used, count) in shadow.used().into_iter().zip(counts) {
        let text = used.spot.as_ref().and_then(|spot| source.get(spot.span.clone())).map(str::to_owned);
        let alternative = Alternative { position: used.spot.map(|spot| spot.start), text, count };
        match coverage.rules.last_mut().filter(|rule| rule.name == used.rule) {
            Some(rule) => rule.alternatives.push(alternative),
            None => coverage.rules.push(Rule { name: used.rule, alternatives: vec![alternative] }),
        }
    }
    if coverage.rules.is_empty() {
        return Err(format!("a {} has no rules of its own", grammar.source().kind.name()));
    }
    Ok(coverage)
}
