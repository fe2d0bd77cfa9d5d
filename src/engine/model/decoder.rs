//! The decoder as a [`LanguageModel`]: the books around the arithmetic.
//!
//! Here are the checks, the position in the KV cache and the cutting of long inputs into pieces.
//! How a piece is computed is a [`Network`]'s matter: [`cpu`](super::cpu) or
//! [`device`](super::device).

use super::super::error::ModelError;
use super::super::trace::TokenId;
use super::away::{Away, Logits};
use super::{LanguageModel, Limits, ModelInfo, check_forward};

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

    /// The network, if it can leave logits where it computed them.
    fn remote(&mut self) -> Option<&mut dyn Remote> {
        None
    }

    /// Lets single tokens be computed as recorded or operation by operation; see
    /// [`LanguageModel::set_recorded`].
    fn set_recorded(&mut self, _recorded: bool) -> bool {
        false
    }

    /// See [`LanguageModel::limits`].
    ///
    /// # Errors
    /// If the device fails.
    fn limits(&mut self) -> candle_core::Result<Option<Limits>> {
        Ok(None)
    }
}

/// A network that can leave logits where it computed them.
pub trait Remote: Away {
    /// As [`Network::run`] with at least one row, which [`Away`] answers for until the next run. False
    /// if these rows cannot stay where they are: nothing has happened then.
    ///
    /// # Errors
    /// As [`Network::run`].
    fn run_there(&mut self, tokens: &[TokenId], position: usize, rows: usize) -> candle_core::Result<bool>;

    /// Starts what such a run would, if it can be begun, and does not wait for it. The next run may be of others.
    fn begin(&mut self, tokens: &[TokenId], position: usize, rows: usize);
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

    fn run(&mut self, tokens: &[TokenId], rows: usize) -> Result<Logits<'_>, ModelError> {
        check_forward(&self.info, self.len, tokens, rows)?;
        // Rows of several pieces are brought here, where they fit together.
        let last = tokens.len() - (tokens.len() - 1) % PIECE - 1;
        let stays = rows <= tokens.len() - last;
        if !stays || self.network.remote().is_none() {
            return self.forward(tokens, rows).map(Logits::Here);
        }
        self.logits.clear();
        for (index, piece) in tokens[..last].chunks(PIECE).enumerate() {
            self.network.run(piece, self.len + index * PIECE, 0, &mut self.logits)?;
        }
        let (piece, position) = (&tokens[last..], self.len + last);
        let ran = match self.network.remote() {
            Some(remote) => remote.run_there(piece, position, rows)?,
            None => false,
        };
        if !ran {
            self.network.run(piece, position, rows, &mut self.logits)?;
        }
        self.len += tokens.len();
        match self.network.remote() {
            Some(remote) if ran => Ok(Logits::Away(remote)),
            _ => Ok(Logits::Here(&self.logits)),
        }
    }

    fn anticipate(&mut self, tokens: &[TokenId], rows: usize) {
        if check_forward(&self.info, self.len, tokens, rows).is_ok()
            && let Some(remote) = self.network.remote()
        {
            remote.begin(tokens, self.len, rows);
        }
    }

    fn set_recorded(&mut self, recorded: bool) -> bool {
        self.network.set_recorded(recorded)
    }

    fn limits(&mut self) -> Result<Option<Limits>, ModelError> {
        Ok(self.network.limits()?)
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}
