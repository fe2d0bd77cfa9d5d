//! Sets of characters, and sets of pieces of the alphabet.

/// Characters, as ranges in rising order that neither touch nor overlap. Surrogates are no
/// characters and never in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CharSet(Vec<(u32, u32)>);

const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);
const LAST: u32 = 0x10_FFFF;

impl CharSet {
    /// The characters in any of these ranges, both ends included.
    pub fn new(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut out: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            let parts = [(from, to.min(SURROGATES.0 - 1)), (from.max(SURROGATES.1 + 1), to.min(LAST))];
            for (from, to) in parts.into_iter().filter(|(from, to)| from <= to) {
                match out.last_mut() {
                    Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                    _ => out.push((from, to)),
                }
            }
        }
        out.sort_unstable();
        Self(out)
    }

    /// One character.
    pub fn one(c: char) -> Self {
        Self(vec![(c as u32, c as u32)])
    }

    /// Every character.
    pub fn any() -> Self {
        Self::new(vec![(0, LAST)])
    }

    /// Every other character.
    pub fn negated(&self) -> Self {
        let mut out = Vec::new();
        let mut next = 0;
        for &(from, to) in &self.0 {
            if next < from {
                out.push((next, from - 1));
            }
            next = to + 1;
        }
        if next <= LAST {
            out.push((next, LAST));
        }
        Self::new(out)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }
}

/// The alphabet cut into the fewest pieces such that every set of a grammar, and every set of
/// characters whose UTF-8 starts with the same byte, is made of whole pieces.
pub(super) struct Alphabet {
    /// The first character of each piece.
    starts: Vec<u32>,
    /// For each piece, the pieces whose UTF-8 starts with the same byte.
    same_lead: Vec<(usize, usize)>,
}

/// Some pieces of an alphabet.
pub(super) type Pieces = Vec<u64>;

impl Alphabet {
    pub fn new<'a>(sets: impl Iterator<Item = &'a CharSet>, chars: impl Iterator<Item = char>) -> Self {
        let mut starts: Vec<u32> = lead_cuts().collect();
        for set in sets {
            starts.extend(set.0.iter().flat_map(|&(from, to)| [from, to + 1]));
        }
        starts.extend(chars.flat_map(|c| [c as u32, c as u32 + 1]));
        starts.sort_unstable();
        starts.dedup();
        let mut same_lead = vec![(0, 0); starts.len()];
        let mut first = 0;
        for i in 1..=starts.len() {
            if i == starts.len() || lead(starts[i]) != lead(starts[first]) {
                same_lead[first..i].fill((first, i));
                first = i;
            }
        }
        Self { starts, same_lead }
    }

    /// How many pieces there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// None of them.
    pub fn none(&self) -> Pieces {
        vec![0; self.len().div_ceil(64)]
    }

    /// The pieces that a set is made of.
    pub fn pieces(&self, set: &CharSet) -> Pieces {
        let mut out = self.none();
        for &(from, to) in &set.0 {
            let first = self.starts.partition_point(|&s| s <= from) - 1;
            let end = self.starts.partition_point(|&s| s <= to);
            (first..end).for_each(|i| out[i / 64] |= 1 << (i % 64));
        }
        out
    }

    /// All characters that start with the same byte as one of these.
    pub fn with_same_lead(&self, pieces: &Pieces) -> Pieces {
        let mut out = pieces.clone();
        for i in (0..self.len()).filter(|i| pieces[i / 64] >> (i % 64) & 1 == 1) {
            let (first, end) = self.same_lead[i];
            (first..end).for_each(|j| out[j / 64] |= 1 << (j % 64));
        }
        out
    }
}

/// Adds `more` to `pieces`; whether that changed it.
pub(super) fn add(pieces: &mut Pieces, more: &Pieces) -> bool {
    let mut changed = false;
    for (own, new) in pieces.iter_mut().zip(more) {
        changed |= *new & !*own != 0;
        *own |= new;
    }
    changed
}

/// Whether two sets share a piece.
pub(super) fn overlap(a: &Pieces, b: &Pieces) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

/// A number that is the same for characters whose UTF-8 starts with the same byte.
fn lead(c: u32) -> u32 {
    match c {
        0..0x80 => c,
        0x80..0x800 => 0xC0 | c >> 6,
        0x800..0x1_0000 => 0xE0 | c >> 12,
        _ => 0xF0 | c >> 18,
    }
}

/// Where the first byte of UTF-8 changes outside of ASCII, and where ASCII starts.
fn lead_cuts() -> impl Iterator<Item = u32> {
    let two = (0x80..0x800).step_by(0x40);
    let three = std::iter::once(0x800).chain((0x1000..0x1_0000).step_by(0x1000));
    let four = std::iter::once(0x1_0000).chain((0x4_0000..0x11_0000).step_by(0x4_0000));
    std::iter::once(0).chain(two).chain(three).chain(four)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negation_leaves_out_surrogates_and_covers_the_rest() {
        let set = CharSet::new(vec![(0x61, 0x7a), (0x41, 0x5a), (0x7a, 0x7c)]);
        assert_eq!(set.ranges(), [(0x41, 0x5a), (0x61, 0x7c)]);
        assert_eq!(set.negated().negated(), set);
        assert_eq!(CharSet::any().ranges(), [(0, 0xD7FF), (0xE000, 0x10_FFFF)]);
        assert!(CharSet::any().negated().is_empty());
        assert!(CharSet::new(vec![(0xD800, 0xDFFF)]).is_empty());
    }

    /// Characters share a lead byte exactly if UTF-8 says so.
    #[test]
    fn lead_bytes_are_those_of_utf8() {
        let sample: Vec<char> = (0..0x11_0000).step_by(57).filter_map(char::from_u32).collect();
        for pair in sample.windows(2) {
            let first = |c: char| c.to_string().as_bytes()[0];
            let same = first(pair[0]) == first(pair[1]);
            assert_eq!(lead(pair[0] as u32) == lead(pair[1] as u32), same, "{pair:?}");
        }
        let set = CharSet::one('é');
        let alphabet = Alphabet::new([&set].into_iter(), "aè".chars());
        let close = alphabet.with_same_lead(&alphabet.pieces(&set));
        assert!(overlap(&close, &alphabet.pieces(&CharSet::one('è'))));
        assert!(!overlap(&close, &alphabet.pieces(&CharSet::one('a'))));
        assert!(!overlap(&alphabet.pieces(&set), &alphabet.pieces(&CharSet::one('è'))));
    }
}
