//! The tokens on one side of the mask, in the order that they are shown: those whose probability is
//! known first, falling, then the others by id.
//!
//! Made from two bit sets, it costs the same for ten tokens and for 152,000: no token is looked at.

use crate::engine::trace::{Candidate, Insight, TokenId};

use super::found::{Found, ones};

/// A list of tokens, of which any row can be had at once.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Those whose probability is known.
    first: Vec<TokenId>,
    /// The others, one bit each.
    rest: Vec<u32>,
    /// How many of the others come before each word of `rest`, and in all.
    before: Vec<u32>,
}

impl Listing {
    /// The allowed or the `rejected` ones of the tokens that were `found`.
    pub fn new(insight: &Insight, rejected: bool, found: &Found) -> Self {
        let mut rest = found.bits().to_vec();
        let mut allowed = insight.allowed.to_bits();
        allowed.resize(rest.len(), 0);
        let side = if rejected { u32::MAX } else { 0 };
        rest.iter_mut().zip(allowed).for_each(|(word, allowed)| *word &= allowed ^ side);

        let known = insight.before.iter().chain(&insight.after).chain([&insight.chosen]);
        let mut known: Vec<Candidate> = known.copied().filter(|c| is_in(&rest, c.token)).collect();
        known.sort_by(|a, b| b.before.total_cmp(&a.before).then(a.token.cmp(&b.token)));
        known.dedup_by_key(|c| c.token);
        for candidate in &known {
            rest[candidate.token as usize / 32] &= !(1 << (candidate.token % 32));
        }

        let mut before = Vec::with_capacity(rest.len() + 1);
        let mut count = 0;
        for word in &rest {
            before.push(count);
            count += word.count_ones();
        }
        before.push(count);
        Self { first: known.iter().map(|c| c.token).collect(), rest, before }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.first.len() + self.before.last().map_or(0, |&count| count as usize)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token of a row.
    pub fn get(&self, row: usize) -> Option<TokenId> {
        let Some(row) = row.checked_sub(self.first.len()) else { return self.first.get(row).copied() };
        let row = u32::try_from(row).ok()?;
        let index = self.before.partition_point(|&before| before <= row).checked_sub(1)?;
        let bit = ones(*self.rest.get(index)?).nth((row - self.before[index]) as usize)?;
        Some(index as TokenId * 32 + bit)
    }
}

fn is_in(bits: &[u32], token: TokenId) -> bool {
    bits.get(token as usize / 32).is_some_and(|word| word >> (token % 32) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::AllowedSet;
    use crate::engine::vocabulary::{SpecialTokens, Vocabulary};

    fn candidate(token: TokenId, before: f32) -> Candidate {
        Candidate { token, before, after: 0.0, chance: 0.0 }
    }

    fn insight(allowed: AllowedSet, before: Vec<Candidate>, after: Vec<Candidate>) -> Insight {
        let chosen = after.first().copied().unwrap_or(candidate(0, 0.0));
        Insight { before, after, allowed, mass_removed: 0.7, entropy_before: 1.0, entropy_after: 0.0, chosen }
    }

    fn rows(insight: &Insight, rejected: bool, found: &Found) -> Vec<TokenId> {
        let listing = Listing::new(insight, rejected, found);
        assert_eq!(listing.get(listing.len()), None);
        assert_eq!(listing.is_empty(), listing.get(0).is_none());
        (0..listing.len()).filter_map(|row| listing.get(row)).collect()
    }

    #[test]
    fn lists_are_searched_and_begin_with_the_probable() {
        let words = ["<eos>", " if", "If", "}", "", "elif", "12"].map(|w| w.as_bytes().to_vec());
        let special = SpecialTokens { bos: None, eos: vec![0] };
        let vocabulary = Arc::new(Vocabulary::from_words(words.to_vec(), &special).unwrap());
        let insight = insight(
            AllowedSet::from_bits(&[0b0100_0010], 7),
            vec![candidate(5, 0.5), candidate(3, 0.2)],
            vec![candidate(6, 0.1)],
        );
        let list = |rejected, query| rows(&insight, rejected, &Found::new(&vocabulary, query, None));
        assert_eq!(list(false, ""), [6, 1]);
        assert_eq!(list(true, ""), [5, 3, 0, 2], "padding is no token");
        assert_eq!(list(true, "if"), [5, 2]);
        assert_eq!(list(false, "if"), [1]);
        assert_eq!(list(false, "no such"), [0; 0]);
    }

    /// The same list as sorting all tokens gives.
    #[test]
    fn lists_equal_a_plain_sort() {
        let width = 1003_usize;
        let words: Vec<Vec<u8>> = (0..width)
            .map(|i| if i % 17 == 3 { Vec::new() } else { format!("t{i:x}").into_bytes() })
            .collect();
        let special = SpecialTokens { bos: None, eos: vec![0] };
        let vocabulary = Arc::new(Vocabulary::from_words(words, &special).unwrap());
        let members: [fn(u32) -> bool; 4] =
            [|t| t == 7, |t| t != 8 && t != 999, |t| t.wrapping_mul(2_654_435_761) >> 30 == 1, |_| true];
        for is_member in members {
            let mut bits = vec![0u32; width.div_ceil(32)];
            (0..width as u32).filter(|&t| is_member(t)).for_each(|t| bits[t as usize / 32] |= 1 << (t % 32));
            let known =
                |from: u32| (0..64).map(move |i| candidate((from + i * 13) % 1003, 1.0 / (i + 1) as f32));
            let insight =
                insight(AllowedSet::from_bits(&bits, width), known(5).collect(), known(5).skip(3).collect());
            for (rejected, query) in [(false, ""), (true, ""), (false, "a"), (true, "a"), (true, "#9")] {
                let of = |t: u32| insight.before.iter().find(|c| c.token == t).map_or(-1.0, |c| c.before);
                let mut expected: Vec<u32> = (0..width as u32)
                    .filter(|&t| !vocabulary.is_padding(t) && is_member(t) != rejected)
                    .filter(|&t| match query {
                        "#9" => t.to_string().starts_with('9'),
                        query => String::from_utf8_lossy(vocabulary.bytes(t)).contains(query),
                    })
                    .collect();
                expected.sort_by(|&a, &b| of(b).total_cmp(&of(a)).then(a.cmp(&b)));
                assert_eq!(rows(&insight, rejected, &Found::new(&vocabulary, query, None)), expected);
            }
        }
    }
}
