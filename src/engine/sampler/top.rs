//! The most probable tokens of a row, without sorting the row.

use std::cmp::Ordering;

use super::super::constraint::Mask;
use super::super::trace::TokenId;

/// A logit and its token.
type Entry = (f32, TokenId);

/// Whether `a` comes before `b`: larger logits first, and the smaller id among equals, so that the
/// order is total and the same everywhere.
pub fn ranks_before(a: Entry, b: Entry) -> bool {
    order(&a, &b) == Ordering::Less
}

fn order(a: &Entry, b: &Entry) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// The first allowed token in rank. `None` if no allowed logit is a number above -inf.
pub fn best(logits: &[f32], mask: &Mask) -> Option<Entry> {
    first(logits, mask.iter(), 1).first().copied()
}

/// The first `size` of `tokens` in rank order, logits of NaN and -inf left out. `tokens` rise.
pub fn first(logits: &[f32], tokens: impl Iterator<Item = TokenId>, size: usize) -> Vec<Entry> {
    // Twice the size is collected between two selections, so the work per token is constant.
    let limit = size.saturating_mul(2).max(size.saturating_add(64));
    let mut kept: Vec<Entry> = Vec::new();
    let mut least = f32::NEG_INFINITY;
    for token in tokens {
        let Some(&logit) = logits.get(token as usize) else { continue };
        // Tokens come in rising order, so an equal logit ranks after those already here.
        if logit > least {
            kept.push((logit, token));
            if kept.len() >= limit {
                kept.select_nth_unstable_by(size - 1, order);
                kept.truncate(size);
                least = kept[size - 1].0;
            }
        }
    }
    kept.sort_unstable_by(order);
    kept.truncate(size);
    kept
}
