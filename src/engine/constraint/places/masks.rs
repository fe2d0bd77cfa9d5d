//! Masks that are kept, as many as there is memory for. It must never hold more.

use llguidance::derivre::HashMap;
use llguidance::toktrie::SimpleVob;

/// Bytes of masks that are kept.
const MOST: usize = 64 << 20;

/// Masks by their places; the oldest gives way.
#[derive(Default)]
pub(super) struct Masks {
    known: HashMap<(u32, u32), u32>,
    kept: Vec<((u32, u32), SimpleVob)>,
    oldest: usize,
}

impl Masks {
    pub fn get(&self, key: (u32, u32)) -> Option<&SimpleVob> {
        self.known.get(&key).map(|&at| &self.kept[at as usize].1)
    }

    pub fn insert(&mut self, key: (u32, u32), mask: SimpleVob) {
        let most = MOST / size_of_val(mask.as_slice()).max(1);
        if self.kept.len() < most {
            self.known.insert(key, self.kept.len() as u32);
            self.kept.push((key, mask));
            return;
        }
        let Some(oldest) = self.kept.get_mut(self.oldest) else { return };
        if self.known.get(&oldest.0) == Some(&(self.oldest as u32)) {
            self.known.remove(&oldest.0);
        }
        *oldest = (key, mask);
        self.known.insert(key, self.oldest as u32);
        self.oldest = (self.oldest + 1) % self.kept.len();
    }

    /// Forgets all. Their memory is used again one by one: to free it at once takes too long for a step.
    pub fn clear(&mut self) {
        self.known.clear();
    }

    pub fn size(&self) -> usize {
        self.kept.first().map_or(0, |(_, mask)| self.kept.len() * size_of_val(mask.as_slice()))
    }
}
