//! Which families are offered, and which of candle-transformers are not.
//!
//! A family's `prepare` is a function of `stock/prepare.rs`, its `build` calls the constructor.

use candle_core::{Result as Candle, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::deepseek2::DeepSeekV2;
use candle_transformers::models::glm4_new::ModelForCausalLM as Glm4;
use candle_transformers::models::qwen3_moe::ModelForCausalLM as Qwen3Moe;
use candle_transformers::models::smol::smollm3::ModelForCausalLM as SmolLm3;
use candle_transformers::models::{
    gemma, gemma2, granitemoehybrid, helium, lfm2, mixtral, olmo, olmo2, phi, phi3, qwen2_moe,
    recurrent_gemma, starcoder2,
};
use serde_json::{Map, Value as Json};

use super::gemma3::Gemma3;
use super::settings::{RopeScaling, Settings};
use super::{Network, gguf, prepare};
use crate::engine::model::config::Architecture;

/// A model ready for its first pass.
pub type Built = Candle<Box<dyn Network>>;
/// Whether a model can be computed, with the reason if not.
pub type Prepared = Result<(), String>;

/// A family of models.
#[derive(Debug)]
pub struct Family {
    /// `model_type` in `config.json`.
    pub name: &'static str,
    /// Whether the head is the embedding if nothing is said.
    pub tied: bool,
    /// Finds the keys of the language model among those of the file.
    pub open: fn(Map<String, Json>) -> Map<String, Json>,
    /// Checks and completes the settings.
    pub prepare: fn(&mut Settings, Option<RopeScaling>) -> Prepared,
    /// Makes the model.
    pub build: fn(&Settings, VarBuilder<'_>) -> Built,
    /// The stored tensors whose rows make up one that candle asks for.
    pub rename: fn(&str) -> Option<Vec<String>>,
    /// How the names of tensors begin that are no part of the language model.
    pub without: &'static [&'static str],
}

/// The families whose logits are those of transformers.
pub const FAMILIES: &[Family] = &[
    of("gemma", prepare::gemma, |s, v| {
        running(gemma::Model::new(false, &s.parse()?, v)?, gemma::Model::forward)
    })
    .tied(),
    of("gemma2", prepare::gemma2, |s, v| {
        running(gemma2::Model::new(false, &s.parse()?, v)?, gemma2::Model::forward)
    })
    .tied(),
    of("gemma3_text", prepare::gemma3, build_gemma3).tied().opened(prepare::gemma3_keys),
    of("gemma3", prepare::gemma3, build_gemma3).tied().opened(prepare::gemma3_keys).without(&[
        "vision_tower.",
        "multi_modal_projector.",
        "model.vision_tower.",
        "model.multi_modal_projector.",
    ]),
    of("phi", prepare::phi, |s, v| {
        running(phi::Model::new(&s.parse()?, v)?, |m, tokens, _| m.forward(tokens))
    }),
    of("phi3", prepare::phi3, |s, v| running(phi3::Model::new(&s.parse()?, v)?, phi3::Model::forward)),
    of("olmo", prepare::plain, |s, v| running(olmo::Model::new(&s.parse()?, v)?, olmo::Model::forward)),
    of("olmo2", prepare::plain, |s, v| running(olmo2::Model::new(&s.parse()?, v)?, olmo2::Model::forward)),
    of("recurrent_gemma", prepare::recurrent_gemma, |s, v| {
        running(recurrent_gemma::Model::new(&s.parse()?, v.pp("model"))?, recurrent_gemma::Model::forward)
    })
    .tied(),
    of("starcoder2", prepare::starcoder2, |s, v| {
        running(starcoder2::Model::new(&s.parse()?, v)?, starcoder2::Model::forward)
    })
    .tied(),
    of("glm4", prepare::glm4, |s, v| running(Glm4::new(&s.parse()?, v)?, Glm4::forward)),
    of("smollm3", prepare::smollm3, |s, v| running(SmolLm3::new(&s.parse()?, v)?, SmolLm3::forward)).tied(),
    of("helium", prepare::helium, |s, v| {
        running(helium::Model::new(&s.parse()?, v)?, helium::Model::forward)
    }),
    of("granite", prepare::granite, build_granite).tied().renamed(prepare::granite_names),
    of("granitemoehybrid", prepare::granite, build_granite).tied(),
    of("lfm2", prepare::lfm2, build_lfm2).tied(),
    of("mixtral", prepare::mixtral, |s, v| {
        running(mixtral::Model::new(&s.parse()?, v)?, mixtral::Model::forward)
    }),
    of("qwen2_moe", prepare::qwen_moe, |s, v| {
        running(qwen2_moe::Model::new(&s.parse()?, v)?, qwen2_moe::Model::forward)
    }),
    of("qwen3_moe", prepare::qwen_moe, |s, v| {
        if v.device().is_cuda() {
            candle_core::bail!("on CUDA it computes in half precision only; use the device cpu");
        }
        running(Qwen3Moe::new(&s.parse()?, v)?, Qwen3Moe::forward)
    }),
    of("deepseek_v2", prepare::deepseek2, |s, v| Ok(Box::new(DeepSeekV2::new(&s.parse()?, v)?))),
];

const fn of(
    name: &'static str,
    prepare: fn(&mut Settings, Option<RopeScaling>) -> Prepared,
    build: fn(&Settings, VarBuilder<'_>) -> Built,
) -> Family {
    Family { name, tied: false, open: |keys| keys, prepare, build, rename: |_| None, without: &[] }
}

impl Family {
    const fn tied(mut self) -> Self {
        self.tied = true;
        self
    }

    const fn renamed(mut self, rename: fn(&str) -> Option<Vec<String>>) -> Self {
        self.rename = rename;
        self
    }

    const fn opened(mut self, open: fn(Map<String, Json>) -> Map<String, Json>) -> Self {
        self.open = open;
        self
    }

    const fn without(mut self, parts: &'static [&'static str]) -> Self {
        self.without = parts;
        self
    }

    /// Whether a stored tensor belongs to something else than the language model.
    pub fn leaves_out(&self, tensor: &str) -> bool {
        self.without.iter().any(|part| tensor.starts_with(part))
    }
}

/// A model and what it was before its first pass. Clones share the weights.
struct Running<M> {
    fresh: M,
    model: M,
    pass: fn(&mut M, &Tensor, usize) -> Candle<Tensor>,
}

impl<M: Clone + Send> Network for Running<M> {
    fn pass(&mut self, tokens: &Tensor, offset: usize) -> Candle<Tensor> {
        (self.pass)(&mut self.model, tokens, offset)
    }

    /// Not all of candle's models can empty their caches.
    fn reset(&mut self) {
        self.model = self.fresh.clone();
    }
}

/// A model that is emptied by taking the clone from before its first pass.
///
/// # Errors
/// None; the type is that of a [`Family`]'s `build`.
pub fn running<M: Clone + Send + 'static>(
    model: M,
    pass: fn(&mut M, &Tensor, usize) -> Candle<Tensor>,
) -> Built {
    Ok(Box::new(Running { fresh: model.clone(), model, pass }))
}

impl Network for DeepSeekV2 {
    fn pass(&mut self, tokens: &Tensor, offset: usize) -> Candle<Tensor> {
        self.forward(tokens, offset)
    }

    fn reset(&mut self) {
        self.clear_kv_cache();
    }
}

fn build_gemma3(settings: &Settings, variables: VarBuilder<'_>) -> Built {
    Ok(Box::new(Gemma3::of_folder(settings.parse()?, &variables)?))
}

fn build_granite(settings: &Settings, variables: VarBuilder<'_>) -> Built {
    use granitemoehybrid::{GraniteMoeHybrid, GraniteMoeHybridCache, GraniteMoeHybridConfig};
    let config = settings.parse::<GraniteMoeHybridConfig>()?.into_config(false);
    let cache = GraniteMoeHybridCache::new(true, variables.dtype(), &config, variables.device())?;
    let model = GraniteMoeHybrid::load(variables, &config)?;
    running((model, cache), |(model, cache), tokens, offset| model.forward(tokens, offset, cache))
}

fn build_lfm2(settings: &Settings, variables: VarBuilder<'_>) -> Built {
    let mut config = settings.parse::<lfm2::Lfm2Config>()?.into_config(false);
    config.intermediate_size = settings.size("intermediate_size").ok().flatten().unwrap_or_default();
    let cache = lfm2::Cache::new(true, variables.dtype(), &config, variables.device())?;
    let model = lfm2::Model::new(&config, variables)?;
    running((model, cache), |(model, cache), tokens, offset| model.forward(tokens, offset, cache))
}

/// Families that candle-transformers has and that are not offered, with the reason.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("falcon", "candle's model approximates its GELU, the logits are off by 0.001"),
    ("gemma4", "candle's model lacks the layer scalars and the inputs per layer"),
    ("gemma4_text", "candle's model lacks the layer scalars and the inputs per layer"),
    ("gpt_bigcode", "the cache of candle's model cannot be emptied"),
    ("mamba", "candle's model reads one token at a time"),
    ("mamba2", "candle's model reads one token at a time"),
    ("mpt", "candle's model is that of one checkpoint"),
    ("rwkv", "candle's model reads one token at a time"),
    ("stablelm", "the cache of candle's model cannot be emptied"),
];

/// Why an architecture that neither our own decoder nor a family here computes is refused.
pub fn refusal(name: &str) -> String {
    let own = own();
    let supported: Vec<&str> = FAMILIES.iter().map(|f| f.name).collect();
    let reason =
        LEFT_OUT.iter().find(|(n, _)| *n == name).map_or_else(String::new, |(_, why)| format!(": {why}"));
    let kind = kind(name);
    format!(
        "the architecture {name:?}{kind} is not supported{reason} (supported: {own}, {})",
        supported.join(", ")
    )
}

/// The same for a GGUF file.
pub fn refusal_in_gguf(name: &str) -> String {
    let own = own();
    let supported: Vec<&str> = gguf::FAMILIES.iter().map(|f| f.name).collect();
    let folder = match FAMILIES.iter().any(|f| f.name.replace("_", "") == name) {
        true => ", but a folder with safetensors of it is",
        false => "",
    };
    format!(
        "the architecture {name:?}{} is not supported in GGUF{folder} (supported in GGUF: {own}, {})",
        kind(name),
        supported.join(", ")
    )
}

fn kind(name: &str) -> &'static str {
    if name.contains("moe") || name == "mixtral" { ", a mixture of experts," } else { "" }
}

fn own() -> String {
    Architecture::ALL.map(Architecture::name).join(", ")
}
