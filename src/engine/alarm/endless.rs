//! Whether the text of a run can still become complete.
//!
//! A grammar with a rule that always needs itself again, or that asks for text that no terminal has,
//! leads into places from which no accepting state can be reached. Whatever the model writes there,
//! its text is never complete. This is said only where it is proven ([`Shadow::is_endless`]).

use std::sync::Arc;

use crate::engine::grammar::Compiled;
use crate::engine::shadow::Shadow;
use crate::engine::trace::Step;

/// The first of `steps` after which nothing can complete the text; `None` if it can be completed, or
/// if that is not certain.
pub fn endless_from(grammar: &Compiled, steps: &[Arc<Step>]) -> Option<usize> {
    let mut shadow = grammar.shadow().ok()?;
    let mut ends = Vec::with_capacity(steps.len());
    for step in steps {
        // What is not followed is not judged.
        shadow.follow(step).ok()?;
        ends.push(shadow.text().len());
    }
    first_endless(&shadow, ends)
}

/// The first step after which nothing can complete the text of `shadow`; `ends` says for each step
/// where it ends in the text.
pub fn first_endless(shadow: &Shadow, ends: impl IntoIterator<Item = usize>) -> Option<usize> {
    if !shadow.is_endless() {
        return None;
    }
    let ends: Vec<usize> = ends.into_iter().collect();
    // What cannot be completed cannot be completed by going on, so the first is found by halves.
    let is_open = |&end: &usize| {
        let mut before = shadow.fork();
        before.truncate(end);
        !before.is_endless()
    };
    Some(ends.partition_point(is_open).min(ends.len().saturating_sub(1)))
}
