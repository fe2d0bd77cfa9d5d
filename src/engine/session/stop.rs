//! Looks for the texts at which a run shall end.

use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

/// The one of `stops` that the text of `tokens` has come to contain with the last of them.
pub(super) fn found(stops: &[String], tokens: &[TokenId], vocabulary: &Vocabulary) -> Option<String> {
    let longest = stops.iter().map(String::len).max().filter(|&n| n > 0)?;
    let text = |token: TokenId| if vocabulary.is_special(token) { &[][..] } else { vocabulary.bytes(token) };
    // A new occurrence ends inside the last token.
    let last = text(*tokens.last()?).len();
    let mut tail: Vec<u8> = Vec::new();
    for &token in tokens.iter().rev() {
        tail.extend(text(token).iter().rev());
        if tail.len() >= longest + last {
            break;
        }
    }
    tail.reverse();
    let found = |stop: &&String| !stop.is_empty() && tail.windows(stop.len()).any(|w| w == stop.as_bytes());
    stops.iter().find(found).cloned()
}
