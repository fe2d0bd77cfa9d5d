//! Families of models that our own decoder does not compute, almost all through candle-transformers.
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
//! | `gemma2` | the scale of the queries is moved into weights |
//! | `gemma3_text`, `gemma3` | not candle's: our own [`gemma3`] on its tensors, with all sizes, as candle's lacks the scaled rotary embedding and errs beyond the window; of `gemma3`, which also sees, the language model alone |
//! | `phi` | a second pass of several tokens fails: single tokens after the first |
//! | `phi3` | knows no window: the context ends with it; longrope's factors are inverted, its attention factor is moved into weights, and the context ends where the long factors begin |
//! | `starcoder2`, `mixtral` | their masks are one token too wide: the context ends with the window |
//! | `granite`, `granitemoehybrid` | both through candle's Granite 4, whose model of Granite 3 lacks the multipliers; attention layers only |
//! | `lfm2`, `recurrent_gemma` | the state starts anew with a pass of several tokens: single tokens after the first; the context of `recurrent_gemma` ends with its window |
//! | `qwen2_moe`, `qwen3_moe` | no window, no layers that `mlp_only_layers` takes out of the mixture |
//! | `deepseek_v2` | the greedy choice of experts only: the other one ranks the wrong scores |
//!
//! What else candle-transformers has is named with the reason by [`family::LEFT_OUT`]. Of the
//! quantised models, `phi2`, `phi3` and `glm4` are offered for GGUF, and our own `gemma3` (candle's has
//! SiLU where Gemma has GELU). Not offered: the caches of `lfm2` cannot be emptied; `qwen3moe`
//! computes with CUDA only; the others do not read GGUF or are blocks of our own decoder.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

use super::gguf::Gguf;
use super::safetensors::Safetensors;
use super::{LanguageModel, ModelInfo, check_forward};
use crate::engine::error::{LoadError, ModelError};
use crate::engine::trace::TokenId;

pub mod family;
pub mod gemma3;
pub mod gguf;
mod prepare;
mod settings;
mod source;

pub use family::{refusal, refusal_in_gguf};
pub use settings::Settings;

/// A model with its KV cache: one of candle-transformers, or [`gemma3`].
pub trait Network: Send {
    /// Appends `tokens` (`[1, n]`) at position `offset`, where the cache ends, and gives the
    /// logits of the last one.
    ///
    /// # Errors
    /// If the tensor library fails.
    fn pass(&mut self, tokens: &Tensor, offset: usize) -> candle_core::Result<Tensor>;

    /// Empties the cache.
    fn reset(&mut self);

    /// Whether a pass may begin before the end of the last one, which takes the tokens after it back.
    fn takes_back(&self) -> bool {
        false
    }
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
            self.stale |= !self.network.takes_back();
        }
    }
}

/// Who is told the bytes done and in total, and may stop the load.
pub type Report<'a> = &'a mut (dyn FnMut(u64, u64) -> ControlFlow<()> + Send);

/// A model of which all but the weights was read.
pub enum Opened {
    /// A Hugging Face folder.
    Folder(Settings, Safetensors, PathBuf),
    /// A GGUF file.
    Gguf(gguf::Model, Gguf),
}

impl Opened {
    /// The longest context that candle computes right.
    pub fn context(&self) -> usize {
        match self {
            Self::Folder(settings, ..) => settings.context,
            Self::Gguf(model, _) => model.context,
        }
    }

    /// The context that the model was trained for.
    pub fn trained(&self) -> usize {
        match self {
            Self::Folder(settings, ..) => settings.trained,
            Self::Gguf(model, _) => model.trained,
        }
    }

    /// Reads the weights. `info` has the name, the place and the context, which must be at most
    /// [`context`](Self::context); `path` is the file for messages about candle.
    ///
    /// # Errors
    /// [`LoadError`] naming file and tensor, or [`LoadError::Cancelled`].
    pub fn build(
        self,
        info: ModelInfo,
        path: &Path,
        device: &Device,
        report: Report<'_>,
    ) -> Result<StockModel, LoadError> {
        let (architecture, vocab, passes) = match &self {
            Self::Folder(settings, ..) => (settings.family.name, settings.vocab, settings.passes),
            Self::Gguf(model, _) => (model.family.name, model.vocab, model.family.passes),
        };
        let (built, summary) = match self {
            Self::Folder(settings, files, folder) => {
                let settings = settings.with_context(info.context);
                let source = source::Source::new(&files, &folder, &settings, report);
                let variables =
                    VarBuilder::from_backend(Box::new(source.clone()), DType::F32, device.clone());
                let built = guarded(|| (settings.family.build)(&settings, variables));
                let summary = source.finish(architecture, built.is_ok())?;
                (built, summary)
            }
            Self::Gguf(model, file) => gguf::build(&file, model, info.context, device, report)?,
        };
        let network = built.map_err(|e| LoadError::Format {
            path: path.to_owned(),
            message: format!("this {architecture} model cannot be built: {}", first_line(&e)),
        })?;
        let info = ModelInfo { architecture: architecture.to_owned(), vocab, ..info.with(&summary) };
        Ok(StockModel::new(info, network, passes, device.clone()))
    }
}

/// Calls into candle's models, whose panics are errors here.
fn guarded<T>(call: impl FnOnce() -> candle_core::Result<T>) -> candle_core::Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| candle_core::bail!("candle's model panicked"))
}

/// An error's message without its backtrace.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
