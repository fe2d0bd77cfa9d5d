//! Logits that lie where they were computed, and the little that is asked of them.
//!
//! A row of 152k logits is 600 KB: fetching it and working on it on the host costs more than a small
//! model's forward pass. So a device answers a [`Question`] with a [`Digest`]. What a token is picked
//! by, and what the trace says, is the sampler's matter.

use std::time::Instant;

use crate::engine::error::ModelError;
use crate::engine::trace::TokenId;

/// A logit and its token.
pub type Entry = (f32, TokenId);

/// What is asked about a row.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// One bit per token: those that are allowed. `None`: all are.
    pub allowed: Option<&'a [u32]>,
    /// Of [`Digest::shaped`] and of the draw; more than 0.
    pub temperature: f32,
    /// Where the draw falls in the cumulative distribution of the allowed tokens, in `0..1`; `None`
    /// if no token shall be drawn.
    pub drawn: Option<f64>,
    /// Draws only among what this leaves of them. [`listed`](Self::listed) has to be wanted then.
    pub cut: Option<Cut>,
    /// Whether [`Digest::lists`] and the sums are wanted.
    pub listed: bool,
    /// The token whose logit is wanted rather than that of the drawn or the first one.
    pub asked: Option<TokenId>,
    /// Whether the drawn or the first token is the one that is picked.
    pub decides: bool,
}

/// What a draw leaves of the allowed tokens: first top-k, then top-p of what that leaves, then min-p; see
/// [`SamplerSettings`](crate::engine::sampler::SamplerSettings).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// 0 leaves all.
    pub top_k: usize,
    /// 1 leaves all.
    pub top_p: f32,
    /// 0 leaves all.
    pub min_p: f32,
}

impl Default for Cut {
    fn default() -> Self {
        Self { top_k: 0, top_p: 1.0, min_p: 0.0 }
    }
}

impl<'a> Question<'a> {
    /// What the model says of a token that somebody else has set among the allowed ones.
    pub fn of_set(allowed: Option<&'a [u32]>, token: TokenId) -> Self {
        Self {
            allowed,
            temperature: 1.0,
            drawn: None,
            cut: None,
            listed: true,
            asked: Some(token),
            decides: false,
        }
    }
}

/// The answer. Everything of the whole row comes first, of the allowed logits second. Logits of NaN and
/// minus infinity do not count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// The largest logits; the smaller token among equals.
    pub best: [Option<Entry>; 2],
    /// The [`CANDIDATES`](crate::engine::trace::CANDIDATES) largest, or as many as there are, falling.
    pub lists: [Vec<Entry>; 2],
    /// Sums of weights at temperature 1, where the largest logit has weight 1.
    pub totals: [f64; 2],
    /// Sums of weight times exponent.
    pub moments: [f64; 2],
    /// The sum of the allowed weights at the question's temperature.
    pub shaped: f64,
    /// The token that was drawn, or the first allowed one. Where a cut leaves more than the lists have, not the
    /// right one: whoever asked can tell from them.
    pub token: TokenId,
    /// Its logit, or that of the token that was asked about.
    pub logit: f32,
}

/// Holds the logits of the last forward pass, which may still be under way.
pub trait Away {
    /// Says that a token will be picked by what the next question is answered with, and that it will be run
    /// then, alone as it seems: its step may start on the device by itself.
    fn go_on(&mut self) {}

    /// Whether the forward pass has ended. Does not wait.
    fn is_done(&mut self) -> bool;

    /// Waits for its end, if nobody has, and says when that was seen.
    ///
    /// # Errors
    /// If the device fails.
    fn done(&mut self) -> Result<Instant, ModelError>;

    /// Answers a question about one of the rows, the oldest first. `None` if it cannot be answered from
    /// afar: the row has to be fetched.
    ///
    /// # Errors
    /// If the device fails.
    fn digest(&mut self, row: usize, question: &Question<'_>) -> Result<Option<Digest>, ModelError>;

    /// Answers for each of the first rows what is to be said of the token of that number, set where all are
    /// allowed: as [`digest`](Self::digest) does one by one.
    ///
    /// # Errors
    /// If the device fails.
    fn digests(&mut self, tokens: &[TokenId]) -> Result<Option<Vec<Digest>>, ModelError> {
        let rows = tokens.iter().enumerate();
        rows.map(|(row, &token)| self.digest(row, &Question::of_set(None, token))).collect()
    }

    /// Brings a row here.
    ///
    /// # Errors
    /// If the device fails.
    fn fetch(&mut self, row: usize) -> Result<&[f32], ModelError>;
}

/// The logits of a forward pass, wherever they are.
pub enum Logits<'a> {
    /// Here, row by row.
    Here(&'a [f32]),
    /// On a device, or on their way.
    Away(&'a mut dyn Away),
}

impl Logits<'_> {
    /// See [`Away::go_on`].
    pub fn go_on(&mut self) {
        if let Self::Away(away) = self {
            away.go_on();
        }
    }

    /// Whether they are there.
    pub fn is_done(&mut self) -> bool {
        match self {
            Self::Here(_) => true,
            Self::Away(away) => away.is_done(),
        }
    }

    /// Waits until they are there, and says when they came, if that was after `then`.
    ///
    /// # Errors
    /// If the device fails.
    pub fn done(&mut self, then: Instant) -> Result<Instant, ModelError> {
        match self {
            Self::Here(_) => Ok(then),
            Self::Away(away) => Ok(away.done()?.max(then)),
        }
    }
}

#[cfg(test)]
pub mod answer;
