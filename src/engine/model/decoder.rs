//! The decoder as a [`LanguageModel`]: the books around the arithmetic.
//!
//! Here are the checks, the position in the KV cache and the cutting of long inputs into pieces.
//! How a piece is computed is a [`Network`]'s matter: [`cpu`](super::cpu) or
//! [`device`](super::device).

use super::super::error::ModelError;
use super::super::trace::TokenId;
use super::{LanguageModel, ModelInfo, check_forward};

/// Most tokens that go through the network at once: bounds the memory for activations.
const PIECE: usize = 256;

/// What computes logits. It holds the keys and values by position and never forgets one by
/// itself: positions that were rolled back are overwritten by whatever comes next.
pub trait Network: Send {
    /// Puts `tokens` at the positions from `position` on and appends the logits after the last
    /// `rows` of them, which may be none, to `logits`.
    ///
    /// # Errors
    /// If the tensor library fails; positions below `position` are then still intact.
    fn run(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        rows: usize,
        logits: &mut Vec<f32>,
    ) -> candle_core::Result<()>;
}

/// A network, how much of its cache is in use, and the logits of the last call.
pub struct Decoder {
    info: ModelInfo,
    network: Box<dyn Network>,
    len: usize,
    logits: Vec<f32>,
}

impl Decoder {
    /// A decoder with an empty cache. `info.vocab` and `info.context` must be the network's.
    pub fn new(info: ModelInfo, network: Box<dyn Network>) -> Self {
        Self { info, network, len: 0, logits: Vec::new() }
    }
}

impl LanguageModel for Decoder {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError> {
        check_forward(&self.info, self.len, tokens, rows)?;
        self.logits.clear();
        let silent = tokens.len() - rows;
        let mut done = 0;
        for piece in tokens.chunks(PIECE) {
            let rows = (done + piece.len()).saturating_sub(silent.max(done));
            self.network.run(piece, self.len + done, rows, &mut self.logits)?;
            done += piece.len();
        }
        self.len += done;
        Ok(&self.logits)
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}
