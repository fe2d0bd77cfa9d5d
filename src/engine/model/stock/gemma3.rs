//! Gemma 3, all sizes, on candle's tensor operations.
//!
//! candle's own model is not used: it has no scaled rotary embedding, which all sizes from 4B have,
//! lets several tokens see one too many beyond the window, and its GGUF form has SiLU where Gemma has
//! GELU. The block is that of the Gemma 3 report (<https://arxiv.org/abs/2503.19786>), in the
//! order of operations of transformers' `modeling_gemma3.py`.
//!
//! Everything is computed in f32, on any device; matrices of a GGUF file stay quantised. Keys and
//! values are kept for all positions, so a pass may begin anywhere before the end of the last one.
//! This file must not know where weights come from: that is [`Weights`].

use candle_core::quantized::QMatMul;
use candle_core::{DType, Device, Module, Result as Candle, Tensor};
use candle_nn::VarBuilder;
use candle_nn::ops::{rms_norm, softmax_last_dim};
use candle_nn::rotary_emb::rope;
use serde::Deserialize;

use super::Network;

pub mod gguf;

/// The cache grows in steps of this many positions at least.
const STEP: usize = 256;

/// What a layer's attention sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// The last tokens, as many as the window holds.
    SlidingAttention,
    /// Everything before.
    FullAttention,
}

impl Attention {
    /// That of a layer, counted from 1, if every `period`-th layer sees everything.
    pub fn every(period: usize, layer: usize) -> Self {
        if layer.is_multiple_of(period) { Self::FullAttention } else { Self::SlidingAttention }
    }
}

/// Sizes and constants, by the names of `config.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward layer.
    pub intermediate_size: usize,
    /// Number of query heads.
    pub num_attention_heads: usize,
    /// Number of key/value heads; divides the query heads.
    pub num_key_value_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
    /// Added to the mean square before its root is taken.
    pub rms_norm_eps: f64,
    /// Scores are divided by its root.
    pub query_pre_attn_scalar: f64,
    /// How many tokens sliding attention sees, the token itself among them; not 0.
    pub sliding_window: usize,
    /// One for each layer.
    pub layer_types: Vec<Attention>,
    /// The base of the rotary embedding under full attention.
    pub rope_theta: f64,
    /// Positions under full attention are divided by it.
    pub rope_factor: f64,
    /// The base of the rotary embedding under sliding attention.
    pub rope_local_base_freq: f64,
}

/// Where weights come from. Names are those of `model.safetensors`, without `model.` and `.weight`.
pub trait Weights {
    /// A matrix of the given shape.
    ///
    /// # Errors
    /// If it is missing or has another shape.
    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Candle<QMatMul>;

    /// What a norm of the given size multiplies with.
    ///
    /// # Errors
    /// If it is missing or has another size.
    fn norm(&mut self, name: &str, size: usize) -> Candle<Tensor>;
}

/// The tensors of a folder. They are below `model`, or where the models that also see have the
/// language model: before and since transformers 5.
struct Folder<'a>(VarBuilder<'a>);

impl<'a> Folder<'a> {
    fn new(variables: &VarBuilder<'a>) -> Self {
        let places = ["language_model.model", "model.language_model"];
        let found = places.into_iter().find(|p| variables.pp(p).contains_tensor("embed_tokens.weight"));
        Self(variables.pp(found.unwrap_or("model")))
    }
}

impl Weights for Folder<'_> {
    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Candle<QMatMul> {
        Ok(QMatMul::Tensor(self.0.pp(name).get((rows, columns), "weight")?))
    }

    fn norm(&mut self, name: &str, size: usize) -> Candle<Tensor> {
        self.0.pp(name).get(size, "weight")? + 1.
    }
}

/// The model with its cache.
pub struct Gemma3 {
    config: Config,
    device: Device,
    /// Also the head.
    embedding: QMatMul,
    layers: Vec<Layer>,
    norm: Tensor,
}

struct Layer {
    attention: Attention,
    query: QMatMul,
    key: QMatMul,
    value: QMatMul,
    output: QMatMul,
    gate: QMatMul,
    up: QMatMul,
    down: QMatMul,
    query_norm: Tensor,
    key_norm: Tensor,
    before_attention: Tensor,
    after_attention: Tensor,
    before_mlp: Tensor,
    after_mlp: Tensor,
    keys: Cache,
    values: Cache,
}

/// What the tokens of a pass see and how they are rotated.
struct View {
    /// The first position seen.
    first: usize,
    /// The position of the first token.
    offset: usize,
    /// `[tokens, positions seen]`, 0 or minus infinity; not needed for one token.
    mask: Option<Tensor>,
    /// `[tokens, head_dim / 2]`.
    cos: Tensor,
    sin: Tensor,
}

impl Gemma3 {
    /// Reads a folder's weights.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape.
    pub fn of_folder(config: Config, variables: &VarBuilder<'_>) -> Candle<Self> {
        Self::new(config, &mut Folder::new(variables), variables.device())
    }

    /// Takes the weights from wherever they are.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape.
    pub fn new(config: Config, weights: &mut dyn Weights, device: &Device) -> Candle<Self> {
        let embedding = weights.matrix("embed_tokens", config.vocab_size, config.hidden_size)?;
        let layers = config.layer_types.iter().enumerate();
        let layers =
            layers.map(|(i, &kind)| Layer::new(&config, i, kind, weights)).collect::<Candle<Vec<_>>>()?;
        let norm = weights.norm("norm", config.hidden_size)?;
        Ok(Self { config, device: device.clone(), embedding, layers, norm })
    }

    fn view(&self, attention: Attention, offset: usize, tokens: usize) -> Candle<View> {
        let Config { head_dim, sliding_window, rope_theta, rope_factor, rope_local_base_freq, .. } =
            self.config;
        let (window, base, factor) = match attention {
            Attention::SlidingAttention => (sliding_window, rope_local_base_freq, 1.),
            Attention::FullAttention => (usize::MAX, rope_theta, rope_factor),
        };
        let positions = offset..offset + tokens;
        let angles = positions.clone().flat_map(|position| {
            (0..head_dim).step_by(2).map(move |i| {
                let power = (base as f32).powf(i as f32 / head_dim as f32);
                position as f32 * (1. / power / factor as f32)
            })
        });
        let angles: Vec<f32> = angles.collect();
        let table = |of: fn(f32) -> f32| {
            let numbers = angles.iter().map(|&angle| of(angle)).collect();
            Tensor::from_vec(numbers, (tokens, head_dim / 2), &self.device)
        };
        let first = (offset + 1).saturating_sub(window);
        let seen = first..positions.end;
        let width = seen.len();
        let mask = positions.flat_map(|at| {
            let seen = seen.clone();
            seen.map(move |other| if other <= at && at - other < window { 0f32 } else { f32::NEG_INFINITY })
        });
        let mask = match tokens {
            1 => None,
            _ => Some(Tensor::from_vec(mask.collect(), (tokens, width), &self.device)?),
        };
        Ok(View { first, offset, mask, cos: table(f32::cos)?, sin: table(f32::sin)? })
    }
}

impl Network for Gemma3 {
    fn pass(&mut self, tokens: &Tensor, offset: usize) -> Candle<Tensor> {
        let ids = tokens.flatten_all()?;
        let count = ids.elem_count();
        let sliding = self.view(Attention::SlidingAttention, offset, count)?;
        let full = self.view(Attention::FullAttention, offset, count)?;
        let mut hidden = (self.embedding.embedding(&ids)? * (self.config.hidden_size as f64).sqrt())?;
        for layer in &mut self.layers {
            let view = match layer.attention {
                Attention::SlidingAttention => &sliding,
                Attention::FullAttention => &full,
            };
            hidden = layer.forward(&self.config, view, &hidden)?;
        }
        let last = hidden.narrow(0, count - 1, 1)?;
        self.embedding.forward(&rms_norm(&last, &self.norm, self.config.rms_norm_eps as f32)?)
    }

    fn reset(&mut self) {
        for layer in &mut self.layers {
            (layer.keys, layer.values) = Default::default();
        }
    }

    fn takes_back(&self) -> bool {
        true
    }
}

impl Layer {
    fn new(c: &Config, index: usize, attention: Attention, weights: &mut dyn Weights) -> Candle<Self> {
        let (hidden, middle, width) = (c.hidden_size, c.intermediate_size, c.head_dim);
        let (queries, keys) = (c.num_attention_heads * width, c.num_key_value_heads * width);
        let name = |part: &str| format!("layers.{index}.{part}");
        Ok(Self {
            attention,
            query: weights.matrix(&name("self_attn.q_proj"), queries, hidden)?,
            key: weights.matrix(&name("self_attn.k_proj"), keys, hidden)?,
            value: weights.matrix(&name("self_attn.v_proj"), keys, hidden)?,
            output: weights.matrix(&name("self_attn.o_proj"), hidden, queries)?,
            gate: weights.matrix(&name("mlp.gate_proj"), middle, hidden)?,
            up: weights.matrix(&name("mlp.up_proj"), middle, hidden)?,
            down: weights.matrix(&name("mlp.down_proj"), hidden, middle)?,
            query_norm: weights.norm(&name("self_attn.q_norm"), width)?,
            key_norm: weights.norm(&name("self_attn.k_norm"), width)?,
            before_attention: weights.norm(&name("input_layernorm"), hidden)?,
            after_attention: weights.norm(&name("post_attention_layernorm"), hidden)?,
            before_mlp: weights.norm(&name("pre_feedforward_layernorm"), hidden)?,
            after_mlp: weights.norm(&name("post_feedforward_layernorm"), hidden)?,
            keys: Cache::default(),
            values: Cache::default(),
        })
    }

    /// `hidden` is `[tokens, hidden_size]`, and so is what comes out.
    fn forward(&mut self, c: &Config, view: &View, hidden: &Tensor) -> Candle<Tensor> {
        let eps = c.rms_norm_eps as f32;
        let input = rms_norm(hidden, &self.before_attention, eps)?;
        let attended = self.attend(c, view, &input)?;
        let hidden = (hidden + rms_norm(&attended, &self.after_attention, eps)?)?;
        let input = rms_norm(&hidden, &self.before_mlp, eps)?;
        let gated = (self.gate.forward(&input)?.gelu()? * self.up.forward(&input)?)?;
        hidden + rms_norm(&self.down.forward(&gated)?, &self.after_mlp, eps)?
    }

    fn attend(&mut self, c: &Config, view: &View, input: &Tensor) -> Candle<Tensor> {
        let (tokens, width, kv_heads) = (input.dim(0)?, c.head_dim, c.num_key_value_heads);
        let group = c.num_attention_heads / kv_heads;
        let split = |all: Tensor| all.reshape((tokens, (), width));
        let rotated = |heads: Tensor, norm: &Tensor| {
            let heads = rms_norm(&heads, norm, c.rms_norm_eps as f32)?.transpose(0, 1)?.contiguous()?;
            rope(&heads.unsqueeze(0)?, &view.cos, &view.sin)?.squeeze(0)
        };
        let queries = rotated(split(self.query.forward(input)?)?, &self.query_norm)?;
        let keys = rotated(split(self.key.forward(input)?)?, &self.key_norm)?;
        let values = split(self.value.forward(input)?)?.transpose(0, 1)?.contiguous()?;
        let keys = self.keys.put(&keys, view)?;
        let values = self.values.put(&values, view)?;
        // The query heads that share a key/value head are one matrix.
        let queries = queries.reshape((kv_heads, group * tokens, width))?;
        let mut scores = (queries.matmul(&keys.transpose(1, 2)?)? * c.query_pre_attn_scalar.powf(-0.5))?;
        if let Some(mask) = &view.mask {
            let shape = scores.shape().clone();
            scores = scores.reshape((kv_heads * group, tokens, ()))?.broadcast_add(mask)?.reshape(shape)?;
        }
        let mixed = softmax_last_dim(&scores)?.matmul(&values)?;
        let mixed = mixed.reshape((kv_heads * group, tokens, width))?.transpose(0, 1)?;
        self.output.forward(&mixed.contiguous()?.reshape((tokens, ()))?)
    }
}

/// The keys or the values of a layer by position, `[kv_heads, positions, head_dim]`, with room for more.
#[derive(Default)]
struct Cache(Option<Tensor>);

impl Cache {
    /// Puts those of a pass at their positions and gives all that the pass sees.
    fn put(&mut self, new: &Tensor, view: &View) -> Candle<Tensor> {
        let (heads, tokens, width) = new.dims3()?;
        let end = view.offset + tokens;
        let room = self.0.as_ref().map_or(Ok(0), |all| all.dim(1))?;
        let all = match self.0.take() {
            Some(all) if end <= room => all,
            old => {
                let positions = end.max(room + room / 2).next_multiple_of(STEP);
                let larger = Tensor::zeros((heads, positions, width), DType::F32, new.device())?;
                if let Some(old) = old {
                    larger.slice_set(&old, 1, 0)?;
                }
                larger
            }
        };
        all.slice_set(new, 1, view.offset)?;
        let seen = all.narrow(1, view.first, end - view.first);
        self.0 = Some(all);
        seen
    }
}
