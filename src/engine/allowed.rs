//! The set of tokens that the mask allowed at one step, small enough to keep for every step.
//!
//! A mask over 152k tokens is 19 KB; most masks allow either a handful of tokens or nearly all.
//! The three encodings here make a typical step cost a few hundred bytes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::trace::TokenId;

/// A set of token ids out of `0..width`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedSet {
    width: usize,
    count: usize,
    ids: Encoding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Encoding {
    /// The members, rising.
    Only(Box<[TokenId]>),
    /// The others, rising.
    AllBut(Box<[TokenId]>),
    /// One bit a token, as llguidance lays them out: bit `t % 32` of word `t / 32`.
    Bits(Box<[u32]>),
}

impl AllowedSet {
    /// From a bit mask of `width` bits, bit `t % 32` of word `t / 32` for token `t`.
    pub fn from_bits(words: &[u32], width: usize) -> Self {
        let count: usize = words.iter().map(|w| w.count_ones() as usize).sum();
        let bits_cost = words.len();
        let ids = if count < bits_cost {
            Encoding::Only(ones(words.iter().copied(), width))
        } else if width - count < bits_cost {
            Encoding::AllBut(ones(words.iter().map(|w| !w), width))
        } else {
            Encoding::Bits(words.into())
        };
        Self { width, count, ids }
    }

    /// From rising ids below `width`: the members, or all others.
    ///
    /// The memory it takes is that of the list, however large `width` claims to be.
    fn from_list(ids: Vec<TokenId>, is_complement: bool, width: usize) -> Self {
        let words = width.div_ceil(32);
        let count = if is_complement { width - ids.len() } else { ids.len() };
        if ids.len() < words {
            let ids = ids.into();
            let ids = if is_complement { Encoding::AllBut(ids) } else { Encoding::Only(ids) };
            return Self { width, count, ids };
        }
        let mut bits = vec![0; words];
        for id in ids {
            bits[id as usize / 32] |= 1 << (id % 32);
        }
        if is_complement {
            for (i, word) in bits.iter_mut().enumerate() {
                let inside = (width - i * 32).min(32);
                *word = !*word & (u32::MAX >> (32 - inside));
            }
        }
        Self::from_bits(&bits, width)
    }

    /// How many tokens are in the set.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many tokens the set was taken from.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether `token` is in the set.
    pub fn contains(&self, token: TokenId) -> bool {
        (token as usize) < self.width
            && match &self.ids {
                Encoding::Only(ids) => ids.binary_search(&token).is_ok(),
                Encoding::AllBut(ids) => ids.binary_search(&token).is_err(),
                Encoding::Bits(words) => bit(words, token),
            }
    }

    /// As a bit mask: bit `t % 32` of word `t / 32` for token `t`, and no bit at or past the width.
    pub fn to_bits(&self) -> Vec<u32> {
        let words = self.width.div_ceil(32);
        let with = |ids: &[TokenId], start: u32| {
            let mut bits = vec![start; words];
            for &id in ids {
                bits[id as usize / 32] ^= 1 << (id % 32);
            }
            bits
        };
        let mut bits = match &self.ids {
            Encoding::Only(ids) => with(ids, 0),
            Encoding::AllBut(ids) => with(ids, u32::MAX),
            Encoding::Bits(bits) => bits.to_vec(),
        };
        if let (Some(last), over @ 1..) = (bits.last_mut(), words * 32 - self.width) {
            *last &= u32::MAX >> over;
        }
        bits
    }

    /// The members, rising.
    pub fn iter(&self) -> impl Iterator<Item = TokenId> + '_ {
        (0..self.width as TokenId).filter(|&t| self.contains(t))
    }
}

/// The positions below `width` of the ones in a sequence of words, rising.
fn ones(words: impl Iterator<Item = u32>, width: usize) -> Box<[TokenId]> {
    let mut found = Vec::new();
    for (i, mut word) in words.enumerate() {
        while word != 0 {
            let token = i * 32 + word.trailing_zeros() as usize;
            if token < width {
                found.push(token as TokenId);
            }
            word &= word - 1;
        }
    }
    found.into()
}

fn bit(words: &[u32], token: TokenId) -> bool {
    words.get(token as usize / 32).is_some_and(|w| w >> (token % 32) & 1 == 1)
}

/// Written as its shorter side: `{"count": 3, "of": 8192, "only": [1, 5, 9]}`, or `all_but`.
impl Serialize for AllowedSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("AllowedSet", 3)?;
        out.serialize_field("count", &self.count)?;
        out.serialize_field("of", &self.width)?;
        if self.count * 2 <= self.width {
            out.serialize_field("only", &self.iter().collect::<Vec<_>>())?;
        } else {
            let others: Vec<TokenId> = (0..self.width as TokenId).filter(|&t| !self.contains(t)).collect();
            out.serialize_field("all_but", &others)?;
        }
        out.end()
    }
}

/// Takes what [`Serialize`] writes; anything else about the numbers is refused.
impl<'de> Deserialize<'de> for AllowedSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            count: usize,
            of: usize,
            only: Option<Vec<TokenId>>,
            all_but: Option<Vec<TokenId>>,
        }
        let Written { count, of, only, all_but } = Written::deserialize(deserializer)?;
        let (ids, is_complement) = match (only, all_but) {
            (Some(ids), None) => (ids, false),
            (None, Some(ids)) => (ids, true),
            _ => return Err(D::Error::custom("an allowed set has either `only` or `all_but`")),
        };
        if ids.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(D::Error::custom("the tokens of an allowed set must rise"));
        }
        if let Some(last) = ids.last().filter(|&&last| last as usize >= of) {
            return Err(D::Error::custom(format_args!("token {last} is not one of {of}")));
        }
        let set = Self::from_list(ids, is_complement, of);
        if set.count != count {
            let found = set.count;
            return Err(D::Error::custom(format_args!("{count} tokens were announced, {found} are there")));
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every encoding answers as the plain bits do, and is chosen when it is the smallest.
    #[test]
    fn encodings_agree_with_the_bits() {
        let width = 1000_usize;
        let member =
            [|t: u32| t == 7, |t: u32| t != 7 && t != 999, |t: u32| t.is_multiple_of(3), |_| false, |_| true];
        for wanted in member {
            let mut words = vec![0u32; width.div_ceil(32)];
            for t in (0..width as u32).filter(|&t| wanted(t)) {
                words[t as usize / 32] |= 1 << (t % 32);
            }
            let set = AllowedSet::from_bits(&words, width);
            let members: Vec<u32> = (0..width as u32).filter(|&t| wanted(t)).collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), members);
            assert_eq!(set.count(), members.len());
            assert_eq!(set.to_bits(), words);
            assert!(!set.contains(width as u32), "past the end is never allowed");
            let size = match &set.ids {
                Encoding::Only(ids) | Encoding::AllBut(ids) => ids.len(),
                Encoding::Bits(words) => words.len(),
            };
            assert!(size <= words.len());
            let text = serde_json::to_string(&set).expect("numbers");
            assert_eq!(serde_json::from_str::<AllowedSet>(&text).expect("as it was written"), set);
        }
    }

    #[test]
    fn a_set_that_contradicts_itself_is_refused() {
        for (text, expected) in [
            (r#"{"count":2,"of":8,"only":[3,3]}"#, "must rise"),
            (r#"{"count":2,"of":8,"only":[3,8]}"#, "token 8 is not one of 8"),
            (r#"{"count":3,"of":8,"only":[3,4]}"#, "3 tokens were announced, 2 are there"),
            (r#"{"count":1,"of":8,"only":[3],"all_but":[]}"#, "either `only` or `all_but`"),
            (r#"{"count":1,"of":8}"#, "either `only` or `all_but`"),
            (r#"{"count":1,"of":18446744073709551615,"only":[4294967296]}"#, "u32"),
        ] {
            let error = serde_json::from_str::<AllowedSet>(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        // A width that nobody could give memory to costs none.
        let wide = r#"{"count":18446744073709551614,"of":18446744073709551615,"all_but":[7]}"#;
        let set: AllowedSet = serde_json::from_str(wide).expect("it holds together");
        assert!(set.contains(6) && !set.contains(7));
    }
}
