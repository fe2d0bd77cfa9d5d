//! What the inspector shows of a step: its candidates, and the allowed or the rejected tokens as a
//! list that can be searched.

use crate::engine::trace::{Candidate, Insight, TokenId};
use crate::engine::vocabulary::Vocabulary;

/// A part of the inspector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The most probable tokens before and after the mask.
    #[default]
    Candidates,
    /// The tokens that the grammar allowed.
    Allowed,
    /// The tokens that it did not.
    Rejected,
}

impl Part {
    /// The next part, around.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Candidates => Self::Allowed,
            Self::Allowed => Self::Rejected,
            Self::Rejected => Self::Candidates,
        }
    }
}

/// Where the person is in the inspector.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    /// The part that the keys move in.
    pub part: Part,
    /// The first candidate shown.
    pub candidates_top: usize,
    /// The row of the list that the person is at.
    pub row: usize,
    /// What the list is searched for; all of it if empty.
    pub query: String,
    /// Whether keys type into the query.
    pub is_searching: bool,
}

impl Inspector {
    /// Whether the list, where it is shown, is of the rejected tokens.
    pub fn lists_rejected(&self) -> bool {
        self.part == Part::Rejected
    }
}

/// The tokens on one side of the mask that match `query`: those whose probability is known first,
/// falling, then the others by id. Padding has no text and is left out.
///
/// A query is a part of the token's text, in either case if it has no capital letter, or an id
/// after `#`.
pub fn listed(insight: &Insight, rejected: bool, query: &str, vocabulary: &Vocabulary) -> Vec<TokenId> {
    let query = Query::new(query);
    let allowed = &insight.allowed;
    let is_listed = |token: TokenId| {
        allowed.contains(token) != rejected
            && !vocabulary.is_padding(token)
            && query.matches(token, vocabulary.bytes(token))
    };
    let mut known: Vec<Candidate> = insight.before.iter().chain(&insight.after).copied().collect();
    known.sort_by(|a, b| b.before.total_cmp(&a.before).then(a.token.cmp(&b.token)));
    known.dedup_by_key(|c| c.token);
    let mut out: Vec<TokenId> = known.iter().map(|c| c.token).filter(|&t| is_listed(t)).collect();
    let mut first = out.clone();
    first.sort_unstable();
    let others = 0..allowed.width() as TokenId;
    out.extend(others.filter(|&t| is_listed(t) && first.binary_search(&t).is_err()));
    out
}

enum Query<'a> {
    All,
    Id(&'a str),
    Exact(&'a [u8]),
    AnyCase(&'a [u8]),
}

impl<'a> Query<'a> {
    fn new(query: &'a str) -> Self {
        match query.strip_prefix('#') {
            Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => Self::Id(id),
            _ if query.is_empty() => Self::All,
            _ if query.bytes().any(|b| b.is_ascii_uppercase()) => Self::Exact(query.as_bytes()),
            _ => Self::AnyCase(query.as_bytes()),
        }
    }

    fn matches(&self, token: TokenId, bytes: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Id(id) => token.to_string().starts_with(id),
            Self::Exact(part) => bytes.windows(part.len()).any(|w| w == *part),
            Self::AnyCase(part) => bytes.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::AllowedSet;
    use crate::engine::vocabulary::SpecialTokens;

    #[test]
    fn lists_are_searched_and_begin_with_the_probable() {
        let words = ["<eos>", " if", "If", "}", "", "elif", "12"].map(|w| w.as_bytes().to_vec());
        let special = SpecialTokens { bos: None, eos: vec![0] };
        let vocabulary = Vocabulary::from_words(words.to_vec(), &special).unwrap();
        let candidate = |token, before| Candidate { token, before, after: 0.0, chance: 0.0 };
        let insight = Insight {
            before: vec![candidate(5, 0.5), candidate(3, 0.2)],
            after: vec![candidate(6, 0.1)],
            allowed: AllowedSet::from_bits(&[0b0100_0010], 7),
            mass_removed: 0.7,
            entropy_before: 1.0,
            entropy_after: 0.0,
            chosen: candidate(6, 0.1),
        };
        let list = |rejected, query| listed(&insight, rejected, query, &vocabulary);
        assert_eq!(list(false, ""), [6, 1]);
        assert_eq!(list(true, ""), [5, 3, 0, 2], "padding is no token");
        assert_eq!(list(true, "if"), [5, 2]);
        assert_eq!(list(true, "If"), [2]);
        assert_eq!(list(false, " i"), [1]);
        assert_eq!(list(true, "#5"), [5]);
        assert_eq!(list(true, "#"), [0; 0]);
    }
}
