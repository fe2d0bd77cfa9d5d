//! Looks for the texts at which a run shall end.

use super::Session;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

impl Session {
    /// The stop string that the answer has just come to contain.
    pub(super) fn found_stop(&self) -> Option<String> {
        let answer = self.tokens.get(self.prompt + self.guide.thought()..).unwrap_or_default();
        let of_prompt = self.begun().map_or(0, |last| last.bytes.len());
        found(&self.trace.request.stop, answer, of_prompt, &self.vocabulary)
    }
}

/// The one of `stops` that the text of `tokens` has come to contain with the last of them. The first bytes of the
/// first one may be `of_prompt`.
fn found(stops: &[String], tokens: &[TokenId], of_prompt: usize, vocabulary: &Vocabulary) -> Option<String> {
    let longest = stops.iter().map(String::len).max().filter(|&n| n > 0)?;
    let text = |(at, &token): (usize, &TokenId)| match vocabulary.bytes(token) {
        _ if vocabulary.is_special(token) => &[][..],
        bytes if at == 0 => bytes.get(of_prompt..).unwrap_or_default(),
        bytes => bytes,
    };
    // A new occurrence ends inside the last token.
    let last = text(tokens.iter().enumerate().next_back()?).len();
    let mut tail: Vec<u8> = Vec::new();
    for token in tokens.iter().enumerate().rev() {
        tail.extend(text(token).iter().rev());
        if tail.len() >= longest + last {
            break;
        }
    }
    tail.reverse();
    let found = |stop: &&String| !stop.is_empty() && tail.windows(stop.len()).any(|w| w == stop.as_bytes());
    stops.iter().find(found).cloned()
}
