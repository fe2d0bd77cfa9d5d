//! Which families of candle-transformers are offered, and which are not.
//!
//! A family's `prepare` is in [`prepare`](super::prepare), its `build` calls candle's constructor.

use candle_core::{Result as Candle, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::deepseek2::DeepSeekV2;
use candle_transformers::models::glm4_new::ModelForCausalLM as Glm4;
use candle_transformers::models::qwen3_moe::ModelForCausalLM as Qwen3Moe;
use candle_transformers::models::smol::smollm3::ModelForCausalLM as SmolLm3;
use candle_transformers::models::{
    gemma, gemma2, gemma3, granitemoehybrid, helium, lfm2, mixtral, olmo, olmo2, phi, phi3, qwen2_moe,
    starcoder2,
};

use super::Network;
use super::prepare::{
    deepseek2, gemma, gemma2, gemma3, granite, granite_names, helium, lfm2, mixtral, phi, phi3, plain,
    qwen_moe, smollm3, starcoder2,
};
use super::settings::{RopeScaling, Settings};

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
    /// Checks and completes the settings.
    pub prepare: fn(&mut Settings, Option<RopeScaling>) -> Prepared,
    /// Makes the model.
    pub build: fn(&Settings, VarBuilder<'_>) -> Built,
    /// The stored tensors whose rows make up one that candle asks for.
    pub rename: fn(&str) -> Option<Vec<String>>,
}

/// The families whose logits are those of transformers.
pub const FAMILIES: &[Family] = &[
    of("gemma", gemma, |s, v| running(gemma::Model::new(false, &s.parse()?, v)?, gemma::Model::forward))
        .tied(),
    of("gemma2", gemma2, |s, v| running(gemma2::Model::new(false, &s.parse()?, v)?, gemma2::Model::forward))
        .tied(),
    of("gemma3_text", gemma3, |s, v| {
        running(gemma3::Model::new(false, &s.parse()?, v)?, gemma3::Model::forward)
    })
    .tied(),
    of("phi", phi, |s, v| running(phi::Model::new(&s.parse()?, v)?, |m, tokens, _| m.forward(tokens))),
    of("phi3", phi3, |s, v| running(phi3::Model::new(&s.parse()?, v)?, phi3::Model::forward)),
    of("olmo", plain, |s, v| running(olmo::Model::new(&s.parse()?, v)?, olmo::Model::forward)),
    of("olmo2", plain, |s, v| running(olmo2::Model::new(&s.parse()?, v)?, olmo2::Model::forward)),
    of("starcoder2", starcoder2, |s, v| {
        running(starcoder2::Model::new(&s.parse()?, v)?, starcoder2::Model::forward)
    })
    .tied(),
    of("glm4", plain, |s, v| running(Glm4::new(&s.parse()?, v)?, Glm4::forward)),
    of("smollm3", smollm3, |s, v| running(SmolLm3::new(&s.parse()?, v)?, SmolLm3::forward)).tied(),
    of("helium", helium, |s, v| running(helium::Model::new(&s.parse()?, v)?, helium::Model::forward)),
    of("granite", granite, build_granite).tied().renamed(granite_names),
    of("granitemoehybrid", granite, build_granite).tied(),
    of("lfm2", lfm2, build_lfm2).tied(),
    of("mixtral", mixtral, |s, v| running(mixtral::Model::new(&s.parse()?, v)?, mixtral::Model::forward)),
    of("qwen2_moe", qwen_moe, |s, v| {
        running(qwen2_moe::Model::new(&s.parse()?, v)?, qwen2_moe::Model::forward)
    }),
    of("qwen3_moe", qwen_moe, |s, v| running(Qwen3Moe::new(&s.parse()?, v)?, Qwen3Moe::forward)),
    of("deepseek_v2", deepseek2, |s, v| Ok(Box::new(DeepSeekV2::new(&s.parse()?, v)?))),
];

const fn of(
    name: &'static str,
    prepare: fn(&mut Settings, Option<RopeScaling>) -> Prepared,
    build: fn(&Settings, VarBuilder<'_>) -> Built,
) -> Family {
    Family { name, tied: false, prepare, build, rename: |_| None }
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

fn running<M: Clone + Send + 'static>(model: M, pass: fn(&mut M, &Tensor, usize) -> Candle<Tensor>) -> Built {
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
    ("gemma3", "the models that also see have linearly scaled rotary embeddings, which candle's model lacks"),
    ("gemma4", "candle's model lacks the layer scalars and the inputs per layer"),
    ("gemma4_text", "candle's model lacks the layer scalars and the inputs per layer"),
    ("gpt_bigcode", "the cache of candle's model cannot be emptied"),
    ("mamba", "candle's model reads one token at a time"),
    ("mamba2", "candle's model reads one token at a time"),
    ("mpt", "candle's model is that of one checkpoint"),
    ("recurrent_gemma", "the state of candle's model cannot be emptied"),
    ("rwkv", "candle's model reads one token at a time"),
    ("stablelm", "the cache of candle's model cannot be emptied"),
];

/// Why an architecture that neither our own decoder nor a family here computes is refused.
/// `own` are the names our own decoder knows.
pub fn refusal(name: &str, own: &str) -> String {
    let supported: Vec<&str> = FAMILIES.iter().map(|f| f.name).collect();
    let reason =
        LEFT_OUT.iter().find(|(n, _)| *n == name).map_or_else(String::new, |(_, why)| format!(": {why}"));
    format!("the architecture {name:?} is not supported{reason} (supported: {own}, {})", supported.join(", "))
}
