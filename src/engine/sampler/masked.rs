//! A row of logits as the mask leaves it, in blocks that vector code can work on.

use super::super::constraint::Mask;

/// Tokens in a word of the mask.
const WORD: usize = 32;

/// A run of consecutive tokens of a row, those that are not allowed at -inf.
pub trait Visit {
    /// `start` is the first token of `row`. Must be `#[inline(always)]`, so that it is compiled
    /// for the instructions of its caller.
    fn row(&mut self, start: usize, row: &[f32]);
}

/// Shows `visitor` every token that `mask` allows, in rising order. Long runs come as they lie in
/// memory; words of the mask that allow some of their tokens come as copies.
#[inline(always)]
pub fn visit(logits: &[f32], mask: &Mask, visitor: &mut impl Visit) {
    let mut full = 0..0;
    for (i, &word) in mask.words().iter().enumerate() {
        let start = i * WORD;
        let end = (start + WORD).min(logits.len());
        if start >= end {
            break;
        }
        if word == u32::MAX {
            if full.end != start {
                full.start = start;
            }
            full.end = end;
            continue;
        }
        if full.end == start && !full.is_empty() {
            visitor.row(full.start, &logits[full.clone()]);
            full = 0..0;
        }
        if word != 0 {
            let mut block = [f32::NEG_INFINITY; WORD];
            let row = &logits[start..end];
            for (lane, &logit) in row.iter().enumerate() {
                block[lane] = if word >> lane & 1 == 1 { logit } else { f32::NEG_INFINITY };
            }
            visitor.row(start, &block[..row.len()]);
        }
    }
    if !full.is_empty() {
        visitor.row(full.start, &logits[full]);
    }
}
