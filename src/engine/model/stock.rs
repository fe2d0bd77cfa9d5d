//! Families of models that our own decoder does not compute, through candle-transformers.
//!
//! Those models cannot roll their KV caches back, most give the logits of the last token only,
//! and several are wrong when a pass of several tokens follows another. [`StockModel`] keeps
//! [`LanguageModel`]'s promises all the same: it remembers the tokens, empties the cache and
//! computes the whole prefix again after a [`truncate`](LanguageModel::truncate), and cuts the
//! input into passes that the family computes right. All of them compute in f32, on a GPU too: their tables
//! of rotary angles are made in the type of the weights, and bf16 has no odd positions above 256.
//!
//! Nothing is offered that was not compared: a family is in [`family::FAMILIES`] only if its
//! logits are those of transformers (`tests/stock.rs`). What else is in candle-transformers
//! and why it is not offered: [`family::LEFT_OUT`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;

use super::safetensors::Safetensors;
use super::{LanguageModel, ModelInfo, check_forward};
use crate::engine::error::{LoadError, ModelError};
use crate::engine::load::OnProgress;
use crate::engine::trace::TokenId;

mod background;
pub mod family;
mod prepare;
mod settings;
mod source;

pub use family::refusal;
pub use settings::Settings;

/// A model of candle-transformers with its KV cache.
pub trait Network: Send {
    /// Appends `tokens` (`[1, n]`) at position `offset`, where the cache ends, and gives the
    /// logits of the last one.
    ///
    /// # Errors
    /// If the tensor library fails.
    fn pass(&mut self, tokens: &Tensor, offset: usize) -> candle_core::Result<Tensor>;

    /// Empties the cache.
    fn reset(&mut self);
}

/// Which passes a family computes right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passes {
    /// Most tokens in a pass.
    pub most: usize,
    /// A pass of several tokens must end at this position or before.
    pub until: usize,
    /// Whether a pass of several tokens may follow another pass.
    pub again: bool,
}

impl Passes {
    /// How many of the `wanted` tokens at position `offset` go through in one pass.
    fn size(self, offset: usize, wanted: usize) -> usize {
        if offset > 0 && !self.again {
            return 1;
        }
        wanted.min(self.most).min(self.until.saturating_sub(offset)).max(1)
    }
}

/// A [`Network`] as a [`LanguageModel`].
pub struct StockModel {
    info: ModelInfo,
    network: Box<dyn Network>,
    passes: Passes,
    device: Device,
    tokens: Vec<TokenId>,
    /// The network's cache holds something else than `tokens`.
    stale: bool,
    logits: Vec<f32>,
}

impl StockModel {
    /// A model with an empty cache.
    pub fn new(info: ModelInfo, network: Box<dyn Network>, passes: Passes, device: Device) -> Self {
        Self { info, network, passes, device, tokens: Vec::new(), stale: false, logits: Vec::new() }
    }

    /// Computes `tokens` after the first `done` of them and keeps the logits of the last `rows`.
    fn compute(&mut self, tokens: &[TokenId], mut done: usize, rows: usize) -> candle_core::Result<()> {
        let first_row = tokens.len() - rows;
        while done < tokens.len() {
            // A pass gives one row, so it must not run over a token whose row is wanted.
            let size = self.passes.size(done, (first_row + 1).saturating_sub(done).max(1));
            let ids = Tensor::new(&tokens[done..done + size], &self.device)?.unsqueeze(0)?;
            let network = &mut self.network;
            let logits = catch_unwind(AssertUnwindSafe(|| network.pass(&ids, done)))
                .unwrap_or_else(|_| candle_core::bail!("candle's model panicked"))?;
            done += size;
            if done > first_row {
                let row = logits.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
                if row.len() != self.info.vocab {
                    candle_core::bail!("{} logits, {} expected", row.len(), self.info.vocab);
                }
                self.logits.extend(row);
            }
        }
        Ok(())
    }
}

impl LanguageModel for StockModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.tokens.len()
    }

    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError> {
        check_forward(&self.info, self.tokens.len(), tokens, rows)?;
        self.logits.clear();
        if self.stale {
            self.network.reset();
        }
        let done = if self.stale { 0 } else { self.tokens.len() };
        // A pass that fails leaves some layers with its keys and some without.
        self.stale = true;
        let all = [&self.tokens, tokens].concat();
        self.compute(&all, done, rows)?;
        self.tokens = all;
        self.stale = false;
        Ok(&self.logits)
    }

    fn truncate(&mut self, len: usize) {
        if len < self.tokens.len() {
            self.tokens.truncate(len);
            self.stale = true;
        }
    }
}

/// What [`load_folder`] needs beside the settings and the files.
pub struct Order<'a> {
    /// The `config.json`, for messages.
    pub config: &'a Path,
    /// The model's folder.
    pub folder: &'a Path,
    /// The name people know the model by.
    pub name: &'a str,
    /// Where to compute.
    pub device: &'a Device,
    /// What that place is called.
    pub device_name: &'a str,
    /// How many tokens the cache shall hold; at most [`Settings::context`].
    pub context: usize,
}

/// Builds a model from the tensors of a Hugging Face folder.
///
/// # Errors
/// [`LoadError`] naming file and tensor, or [`LoadError::Cancelled`].
pub fn load_folder(
    settings: Settings,
    files: Safetensors,
    order: &Order<'_>,
    progress: OnProgress<'_>,
) -> Result<StockModel, LoadError> {
    let settings = settings.with_context(order.context);
    let (family, vocab, passes) = (settings.family, settings.vocab, settings.passes);
    let total = files.tensor_bytes();
    let (device, folder, config): (_, PathBuf, PathBuf) =
        (order.device.clone(), order.folder.into(), order.config.into());
    let (network, summary) = background::run(total, progress, move |ticket| {
        let source = source::Source::new(files, folder, &settings, ticket);
        let variables = VarBuilder::from_backend(Box::new(source.clone()), candle_core::DType::F32, device);
        let built = catch_unwind(AssertUnwindSafe(|| (family.build)(&settings, variables)))
            .unwrap_or_else(|_| candle_core::bail!("candle's model panicked while it was built"));
        let summary = source.finish(family.name)?;
        let network = built.map_err(|e| LoadError::Format {
            path: config,
            message: format!("candle cannot build this {} model: {}", family.name, first_line(&e)),
        })?;
        Ok((network, summary))
    })?;
    let info = ModelInfo {
        name: order.name.to_owned(),
        architecture: family.name.to_owned(),
        weights: summary.weights,
        device: order.device_name.to_owned(),
        parameters: summary.parameters,
        vocab,
        context: order.context,
        fingerprint: summary.fingerprint,
    };
    Ok(StockModel::new(info, network, passes, order.device.clone()))
}

/// An error's message without its backtrace.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
