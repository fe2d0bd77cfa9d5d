//! What a query finds among the tokens of a vocabulary. The search is the only thing that looks at all
//! tokens, and it does not depend on the step: moving from step to step searches nothing.
//!
//! A query is a part of a token's text, in either case if it has no capital letter, with `\n`, `\t`,
//! `\r`, `\\` and `\x0a` for what cannot be typed; or the beginning of an id after `#`.

use std::sync::Arc;

use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

/// The tokens that a query finds.
#[derive(Clone, Debug)]
pub struct Found {
    vocabulary: Arc<Vocabulary>,
    query: String,
    /// Every id that has a token, one bit each; padding has none.
    present: Arc<[u32]>,
    /// Those of them that were found.
    bits: Arc<[u32]>,
}

impl Found {
    /// Searches. `before` is what was found last: if the query goes on from that one, only its tokens
    /// are looked at.
    pub fn new(vocabulary: &Arc<Vocabulary>, query: &str, before: Option<&Self>) -> Self {
        let before = before.filter(|before| Arc::ptr_eq(&before.vocabulary, vocabulary));
        let width = vocabulary.len();
        let present = before.map_or_else(
            || bits_of(width, |token| !vocabulary.is_padding(token)).into(),
            |before| before.present.clone(),
        );
        let wanted = Query::new(query);
        let looked_at = before.filter(|before| wanted.goes_on_from(&Query::new(&before.query)));
        let looked_at = looked_at.map_or(&present, |before| &before.bits);
        let bits = match &wanted {
            Query::All => present.clone(),
            Query::Id(id) => {
                let ids = with_prefix(width, id);
                ids.iter().zip(present.iter()).map(|(ids, present)| ids & present).collect()
            }
            Query::Text { text, any_case } => {
                let mut kept = looked_at.to_vec();
                for (index, word) in kept.iter_mut().enumerate() {
                    for bit in ones(*word) {
                        let bytes = vocabulary.bytes(index as TokenId * 32 + bit);
                        *word ^= u32::from(!contains(bytes, text, *any_case)) << bit;
                    }
                }
                kept.into()
            }
        };
        Self { vocabulary: vocabulary.clone(), query: query.to_owned(), present, bits }
    }

    /// Whether it is what this query finds there.
    pub fn is_of(&self, vocabulary: &Arc<Vocabulary>, query: &str) -> bool {
        Arc::ptr_eq(&self.vocabulary, vocabulary) && self.query == query
    }

    /// What was found, one bit a token.
    pub fn bits(&self) -> &[u32] {
        &self.bits
    }

    /// How many tokens there are in all.
    pub fn tokens(&self) -> usize {
        self.present.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// The ones of a word, rising.
pub(super) fn ones(mut word: u32) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        (bit < 32).then_some(bit)
    })
}

fn bits_of(width: usize, is_in: impl Fn(TokenId) -> bool) -> Vec<u32> {
    let mut bits = vec![0; width.div_ceil(32)];
    for token in (0..width as TokenId).filter(|&token| is_in(token)) {
        bits[token as usize / 32] |= 1 << (token % 32);
    }
    bits
}

/// The ids below `width` whose digits begin with these.
fn with_prefix(width: usize, digits: &str) -> Vec<u32> {
    let (first, is_plain) = (digits.parse::<usize>().ok(), digits == "0" || !digits.starts_with('0'));
    let ranges = std::iter::successors(first.filter(|_| is_plain).map(|id| (id, 1_usize)), |&(id, many)| {
        (id > 0 && id < width).then(|| (id * 10, many * 10))
    });
    let mut bits = vec![0; width.div_ceil(32)];
    for (id, many) in ranges {
        for token in id.min(width)..id.saturating_add(many).min(width) {
            bits[token / 32] |= 1 << (token % 32);
        }
    }
    bits
}

/// What is searched for.
#[derive(Debug, PartialEq, Eq)]
enum Query {
    All,
    Id(String),
    Text { text: Vec<u8>, any_case: bool },
}

impl Query {
    fn new(query: &str) -> Self {
        match query.strip_prefix('#') {
            _ if query.is_empty() => Self::All,
            Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => Self::Id(id.to_owned()),
            _ => text(query),
        }
    }

    /// Whether whatever this finds the other one has found too.
    fn goes_on_from(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text { text, any_case }, Self::Text { text: less, any_case: in_any_case }) => {
                text.starts_with(less) && (*in_any_case || !any_case)
            }
            _ => false,
        }
    }
}

/// A text as it is typed: with escapes for what cannot be. A backslash before anything else is one.
fn text(query: &str) -> Query {
    let (mut text, mut any_case) = (Vec::with_capacity(query.len()), true);
    let mut rest = query;
    while let Some(c) = rest.chars().next() {
        let escaped = rest.strip_prefix('\\').and_then(|after| {
            let hex = after.strip_prefix('x').and_then(|digits| digits.get(..2));
            let byte = match after.bytes().next()? {
                b'n' => (b'\n', 2),
                b't' => (b'\t', 2),
                b'r' => (b'\r', 2),
                b'\\' => (b'\\', 2),
                _ => (hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())?, 4),
            };
            Some(byte)
        });
        if let Some((byte, length)) = escaped {
            text.push(byte);
            rest = &rest[length..];
        } else {
            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            any_case &= !c.is_ascii_uppercase();
            rest = &rest[c.len_utf8()..];
        }
    }
    Query::Text { text, any_case }
}

fn contains(bytes: &[u8], text: &[u8], any_case: bool) -> bool {
    let Some((first, others)) = text.split_first() else { return true };
    if bytes.len() < text.len() {
        return false;
    }
    let starts = &bytes[..=bytes.len() - text.len()];
    starts.iter().enumerate().any(|(at, byte)| {
        let tail = &bytes[at + 1..at + text.len()];
        if any_case {
            byte.eq_ignore_ascii_case(first) && tail.eq_ignore_ascii_case(others)
        } else {
            byte == first && tail == others
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::vocabulary::SpecialTokens;

    fn vocabulary(words: &[&[u8]]) -> Arc<Vocabulary> {
        let words = words.iter().map(|word| word.to_vec()).collect();
        let special = SpecialTokens { bos: None, eos: vec![0] };
        Arc::new(Vocabulary::from_words(words, &special).unwrap())
    }

    fn tokens(found: &Found) -> Vec<TokenId> {
        let of_word = |(index, word): (usize, &u32)| ones(*word).map(move |bit| index as TokenId * 32 + bit);
        found.bits().iter().enumerate().flat_map(of_word).collect()
    }

    #[test]
    fn text_escapes_and_ids_are_found() {
        let v = vocabulary(&[b"<eos>", b" if", b"If", b"}\n", b"", b"elif", b"\\n", b"\xe2\x82", b"#5"]);
        let found = |query| tokens(&Found::new(&v, query, None));
        assert_eq!(found(""), [0, 1, 2, 3, 5, 6, 7, 8], "padding is no token");
        assert_eq!(found("if"), [1, 2, 5]);
        assert_eq!(found("If"), [2]);
        assert_eq!(found(" i"), [1]);
        assert_eq!(found("\\n"), [3]);
        assert_eq!(found("}\\x0A"), [3], "the digits of an escape are no capital letters");
        assert_eq!(found("\\\\n"), [6]);
        assert_eq!(found("\\"), [6]);
        assert_eq!(found("\\xe2\\x82"), [7]);
        assert_eq!(found("\\xé"), [0; 0]);
        assert_eq!(found("#5"), [5]);
        assert_eq!(found("#0"), [0]);
        assert_eq!(found("#4"), [0; 0], "padding is no token");
        assert_eq!(found("#"), [8]);
        assert_eq!(found("#99999999999999999999999"), [0; 0]);
        assert_eq!(Found::new(&v, "if", None).tokens(), 8);
    }

    #[test]
    fn ids_are_found_by_their_first_digits() {
        let words: Vec<Vec<u8>> = (0..2500).map(|i| format!("w{i}").into_bytes()).collect();
        let v = vocabulary(&words.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for query in ["0", "1", "2", "24", "249", "2499", "2500", "01", "9"] {
            let expected: Vec<TokenId> = (0..2500).filter(|t| t.to_string().starts_with(query)).collect();
            assert_eq!(tokens(&Found::new(&v, &format!("#{query}"), None)), expected, "{query}");
        }
    }

    /// Typing on finds what a search from scratch finds, whatever was typed before.
    #[test]
    fn typing_on_finds_the_same() {
        let words: Vec<Vec<u8>> = (0..3000u32)
            .map(|i| format!("\\{}nN{i:x}\n", char::from(b'A' + (i % 26) as u8)).into_bytes())
            .collect();
        let v = vocabulary(&words.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let typed = ["n", "nN", "nNa", "nn", "nna", "\\", "\\n", "\\nx", "\\", "\\b", "#1", "#12", "1", ""];
        let mut before: Option<Found> = None;
        for query in typed {
            let next = Found::new(&v, query, before.as_ref());
            assert_eq!(tokens(&next), tokens(&Found::new(&v, query, None)), "{query:?}");
            before = Some(next);
        }
    }
}
