//! Random texts of a grammar: what does it accept that nobody thought of?
//!
//! A text is a walk over the masks, each allowed token as likely as any other, that goes for the
//! nearest end after a while. Equal seeds give equal texts. A text is only ever given if the grammar's
//! own parser accepts it whole: this file must never trust the way that found it.

use std::fmt;

use super::check::{Verdict, check_text};
use super::constraint::ConstraintStop;
use super::grammar::Compiled;
use super::shadow::NearestEnd;
use super::splitmix::{Random, STEP, mix};
use super::trace::FinishReason;
use super::vocabulary::Vocabulary;

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoText {
    /// The parser stopped on the way.
    Stopped(ConstraintStop),
    /// No way was found to end what was begun, which is here.
    NoEnd(Vec<u8>),
}

impl fmt::Display for NoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stop) => write!(f, "the parser stopped: {stop}"),
            Self::NoEnd(text) => write!(f, "no end was found for a text begun, of {} bytes", text.len()),
        }
    }
}

impl std::error::Error for NoText {}

impl From<ConstraintStop> for NoText {
    fn from(stop: ConstraintStop) -> Self {
        Self::Stopped(stop)
    }
}

/// A text of `grammar`: up to `most` tokens at random, and then the nearest end. Where none is known, it is
/// that of a beginning that has one.
///
/// # Errors
/// [`NoText`]: a limit of the parser, or no end that is known.
pub fn text(grammar: &Compiled, vocabulary: &Vocabulary, seed: u64, most: usize) -> Result<Vec<u8>, NoText> {
    let mut random = Random(mix(seed.wrapping_add(STEP)));
    let mut constraint = grammar.constraint();
    let mut text = Vec::new();
    let mut beginnings = vec![0];
    for _ in 0..1 + random.below(most.max(1)) {
        let mask = match constraint.mask() {
            Ok(mask) => mask,
            Err(stop) if stop.reason == FinishReason::GrammarComplete => break,
            Err(stop) => return Err(stop.into()),
        };
        let nth = random.below(mask.count().max(1));
        let Some(token) = mask.iter().nth(nth).filter(|&token| !vocabulary.is_eos(token)) else { break };
        if !constraint.commit(token)? {
            break;
        }
        text.extend_from_slice(vocabulary.bytes(token));
        beginnings.push(text.len());
    }
    // Beginnings are tried more and more rarely, for each is read anew.
    let mut back = 0;
    while let Some(&length) = beginnings.iter().nth_back(back) {
        if let Some(whole) = ended(grammar, &text[..length])? {
            return Ok(whole);
        }
        back += 1 + back / 8;
    }
    Err(NoText::NoEnd(text))
}

/// `text` with the fewest bytes after it that make it whole.
///
/// # Errors
/// As [`text`].
pub fn end(grammar: &Compiled, text: &[u8]) -> Result<Vec<u8>, NoText> {
    ended(grammar, text)?.ok_or_else(|| NoText::NoEnd(text.to_vec()))
}

fn ended(grammar: &Compiled, text: &[u8]) -> Result<Option<Vec<u8>>, NoText> {
    let mut whole = text.to_vec();
    if let Ok(mut shadow) = grammar.shadow() {
        if shadow.feed(text) < text.len() {
            return Ok(None);
        }
        match shadow.nearest_end() {
            NearestEnd::Text { bytes, .. } => whole.extend(bytes),
            NearestEnd::Here => {}
            _ => return Ok(None),
        }
    }
    Ok((check_text(grammar, &whole)? == Verdict::Accepted).then_some(whole))
}
