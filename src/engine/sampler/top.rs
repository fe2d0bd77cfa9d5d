//! The most probable tokens of a row, without sorting the row.

use std::cmp::Ordering;

use super::super::constraint::Mask;
use super::super::simd::wide;
use super::super::trace::TokenId;
use super::masked::{Visit, visit};

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
    allowed(logits, mask, 1).first().copied()
}

/// The first `size` tokens in rank order, logits of NaN and -inf left out.
pub fn all(logits: &[f32], size: usize) -> Vec<Entry> {
    let mut first = First::new(size);
    wide(
        #[inline(always)]
        || first.row(0, logits),
    );
    first.sorted()
}

/// The first `size` allowed tokens in rank order, logits of NaN and -inf left out.
pub fn allowed(logits: &[f32], mask: &Mask, size: usize) -> Vec<Entry> {
    let mut first = First::new(size);
    wide(
        #[inline(always)]
        || visit(logits, mask, &mut first),
    );
    first.sorted()
}

/// Collects the first entries in rank order out of rows that come in rising order.
struct First {
    size: usize,
    kept: Vec<Entry>,
    /// Logits up to this one can no longer be among the first.
    least: f32,
}

impl First {
    fn new(size: usize) -> Self {
        Self { size, kept: Vec::new(), least: f32::NEG_INFINITY }
    }

    /// Drops all but the first `size`. Between two of these, as many again are collected, so that
    /// the work per token is constant.
    #[cold]
    fn select(&mut self) {
        self.kept.select_nth_unstable_by(self.size - 1, order);
        self.kept.truncate(self.size);
        self.least = self.kept[self.size - 1].0;
    }

    fn sorted(mut self) -> Vec<Entry> {
        self.kept.sort_unstable_by(order);
        self.kept.truncate(self.size);
        self.kept
    }
}

impl Visit for First {
    #[inline(always)]
    fn row(&mut self, start: usize, row: &[f32]) {
        const BLOCK: usize = 32;
        for (i, block) in row.chunks(BLOCK).enumerate() {
            // Nearly every block has nothing to offer, which one vectorised look tells.
            let mut some = false;
            for &logit in block {
                some |= logit > self.least;
            }
            if !some {
                continue;
            }
            for (j, &logit) in block.iter().enumerate() {
                // Tokens come in rising order, so an equal logit ranks after those already here.
                if logit > self.least {
                    self.kept.push((logit, (start + i * BLOCK + j) as TokenId));
                    if self.kept.len() >= self.size.saturating_mul(2).max(self.size.saturating_add(64)) {
                        self.select();
                    }
                }
            }
        }
    }
}
