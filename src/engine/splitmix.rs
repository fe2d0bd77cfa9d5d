//! SplitMix64 (Steele, Lea and Flood, 2014): pseudo-random numbers that are the same everywhere.
//!
//! They decide what a run samples and which texts are tried. Nothing here may ever change: the same
//! seed has to give the same numbers in every version.

/// What the state grows by from number to number.
pub(super) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The number of a state.
pub(super) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Numbers that look random, from a seed.
pub(super) struct Random(pub u64);

impl Random {
    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(STEP);
        // The high half of the product: what is left over by a division would not be as even.
        ((u128::from(mix(self.0)) * end as u128) >> 64) as usize
    }

    /// One of `of`; `None` of nothing.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// Any order of `list` is as likely as any other.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_are_published() {
        // The first two of the authors' program, from the state 0.
        assert_eq!([mix(STEP), mix(STEP.wrapping_mul(2))], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }
}
