//! Numbers that are random and yet the same in every run, and texts changed by them.

/// Marsaglia's xorshift with 64 bits.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    /// One to four changes: a character goes, two change places, the end goes, a piece comes.
    pub fn mutate(&mut self, text: &mut Vec<char>, pieces: &[&str]) {
        for _ in 0..=self.below(4) {
            if text.is_empty() {
                return;
            }
            let at = self.below(text.len());
            match self.below(4) {
                0 => drop(text.remove(at)),
                1 => {
                    let other = self.below(text.len());
                    text.swap(at, other);
                }
                2 => text.truncate(at.max(1)),
                _ => drop(text.splice(at..at, pieces[self.below(pieces.len())].chars())),
            }
        }
    }
}
