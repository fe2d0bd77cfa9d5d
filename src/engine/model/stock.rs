//! Families of models that our own decoder does not compute, through candle-transformers.
//!
//! candle's models cannot roll their KV caches back, most give the logits of the last token only,
//! and several are wrong when a pass of several tokens follows another. [`StockModel`] keeps
//! [`LanguageModel`]'s promises all the same: it remembers the tokens, empties the cache and
//! computes the whole prefix again after a [`truncate`](LanguageModel::truncate), and cuts the
//! input into passes that the family computes right.
//!
//! All of them compute in f32, on a GPU too: most make their tables of rotary angles in the type of
//! the weights, and bf16 has no odd positions above 256.
//!
//! Nothing is offered that was not compared: a family is in [`family::FAMILIES`] because its logits
//! are within 1e-4 of those of transformers in f32, in any cut and after any rollback (`tests/stock/`).
//!
//! | `model_type` | what is done, or not, beside calling candle |
//! |---|---|
//! | `gemma`, `olmo`, `olmo2`, `glm4`, `smollm3`, `helium` | nothing |
//! | `gemma2` | its mask has one window for all layers: the context ends with the window |
//! | `gemma3_text` | beyond the window, several tokens see one too many: single tokens only; no scaled rotary embedding (so 270M and 1B) |
//! | `gemma2`, `gemma3_text` | the scale of the queries is moved into weights |
//! | `phi` | a second pass of several tokens fails: single tokens after the first |
//! | `phi3` | knows no window: the context ends with it; longrope's factors are inverted, its attention factor is moved into weights, and the context ends where the long factors begin |
//! | `starcoder2`, `mixtral` | their masks are one token too wide: the context ends with the window |
//! | `granite`, `granitemoehybrid` | both through candle's Granite 4, whose model of Granite 3 lacks the multipliers; attention layers only |
//! | `lfm2`, `recurrent_gemma` | the state starts anew with a pass of several tokens: single tokens after the first; the context of `recurrent_gemma` ends with its window |
//! | `qwen2_moe`, `qwen3_moe` | every layer a mixture, no window |
//! | `deepseek_v2` | the greedy choice of experts only: the other one ranks the wrong scores |
//!
//! What else candle-transformers has is named with the reason by [`family::LEFT_OUT`]. Of the
//! quantised models, `phi2`, `phi3` and `glm4` are offered for GGUF. Not offered: `gemma3` has SiLU where
//! Gemma has GELU; the caches of `lfm2` cannot be emptied; `qwen3moe` computes with CUDA only; the
//! others do not read GGUF or are blocks of our own decoder.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

use super::gguf::Gguf;
use super::safetensors::Safetensors;
use super::weights::Summary;
use super::{LanguageModel, ModelInfo, check_forward};
use crate::engine::error::{LoadError, ModelError};
use crate::engine::load::OnProgress;
use crate::engine::trace::TokenId;

mod background;
pub mod family;
pub mod gguf;
mod prepare;
mod settings;
mod source;

pub use family::{refusal, refusal_in_gguf};
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
            let logits = guarded(|| self.network.pass(&ids, done))?;
            done += size;
            if done > first_row {
                let row = logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
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

/// What a load needs beside settings and files.
pub struct Order<'a> {
    /// The `config.json` or the GGUF file, for messages.
    pub path: &'a Path,
    /// The name people know the model by.
    pub name: &'a str,
    /// Where to compute.
    pub device: &'a Device,
    /// What that place is called.
    pub device_name: &'a str,
    /// How many tokens the cache shall hold.
    pub context: usize,
}

impl Order<'_> {
    fn model(
        &self,
        (network, summary): (Box<dyn Network>, Summary),
        architecture: &str,
        vocab: usize,
        passes: Passes,
    ) -> StockModel {
        let info = ModelInfo {
            name: self.name.to_owned(),
            architecture: architecture.to_owned(),
            weights: summary.weights,
            device: self.device_name.to_owned(),
            parameters: summary.parameters,
            vocab,
            context: self.context,
            fingerprint: summary.fingerprint,
        };
        StockModel::new(info, network, passes, self.device.clone())
    }
}

/// Builds a model from the tensors of a Hugging Face folder. The order's context is at most
/// [`Settings::context`].
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
    let (device, path) = (order.device.clone(), order.path.to_owned());
    let built = background::run(total, progress, move |ticket| {
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let source = source::Source::new(files, folder, &settings, ticket);
        let variables = VarBuilder::from_backend(Box::new(source.clone()), DType::F32, device);
        let built = guarded(|| (family.build)(&settings, variables));
        let summary = source.finish(family.name, built.is_ok())?;
        let network = built.map_err(|e| LoadError::Format {
            path,
            message: format!("candle cannot build this {} model: {}", family.name, first_line(&e)),
        })?;
        Ok((network, summary))
    })?;
    Ok(order.model(built, family.name, vocab, passes))
}

/// Builds a model from a GGUF file. The order's context is at most [`gguf::Model::context`].
///
/// # Errors
/// [`LoadError`] naming the file, or [`LoadError::Cancelled`].
pub fn load_gguf(
    model: gguf::Model,
    file: Gguf,
    order: &Order<'_>,
    progress: OnProgress<'_>,
) -> Result<StockModel, LoadError> {
    let (device, context) = (order.device.clone(), order.context);
    let built = background::run(file.tensor_bytes(), progress, move |ticket| {
        gguf::build(file, model, context, &device, ticket)
    })?;
    Ok(order.model(built, model.family.name, model.vocab, model.family.passes))
}

/// Calls into candle's models, whose panics are errors here.
fn guarded<T>(call: impl FnOnce() -> candle_core::Result<T>) -> candle_core::Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| candle_core::bail!("candle's model panicked"))
}

/// An error's message without its backtrace.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
