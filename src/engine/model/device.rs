//! The decoder in stock tensor operations, for accelerators.
//!
//! Keys and values lie in preallocated tensors on the device. Nothing here is specific to CUDA:
//! the tests run it on the CPU, against the same oracles as [`cpu`](super::cpu).

#[cfg(feature = "cuda")]
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::{rms_norm, softmax_last_dim};
use candle_nn::rotary_emb::rope;

#[cfg(feature = "cuda")]
use super::Limits;
use super::config::Config;
use super::cuda::Ahead;
#[cfg(feature = "cuda")]
use super::cuda::measure;
#[cfg(feature = "cuda")]
use super::cuda::rehearsal::Rehearsal;
#[cfg(feature = "cuda")]
use super::cuda::step::OwnStep;
use super::cuda_graph::FixedStep;
use super::decoder::Network;
#[cfg(feature = "cuda")]
use super::decoder::Remote;
use super::matrix::Matrix;
use super::weights::{Stack, Weights};
use crate::engine::trace::TokenId;

/// A decoder whose weights and cache are on a device.
pub struct DeviceNetwork {
    pub(super) config: Config,
    pub(super) dtype: DType,
    pub(super) device: Device,
    pub(super) embedding: Matrix,
    pub(super) head: Matrix,
    pub(super) norm: Tensor,
    pub(super) layers: Vec<DeviceLayer>,
    /// Cosines and sines, `[context, head_dim / 2]`.
    angles: (Tensor, Tensor),
    /// Single tokens go through one of these, if it is there.
    step: Option<FixedStep>,
    #[cfg(feature = "cuda")]
    pub(super) own: Option<OwnStep>,
    /// Up to how many tokens our own kernels are quicker than the stock operations.
    #[cfg(feature = "cuda")]
    pub(super) few: usize,
    /// Makes the stock operations ready, on another thread.
    #[cfg(feature = "cuda")]
    pub(super) rehearsal: Option<Arc<Rehearsal>>,
}

/// One block of it.
pub(super) struct DeviceLayer {
    pub(super) attention_norm: Tensor,
    pub(super) qkv: Stack,
    pub(super) qkv_bias: Option<Tensor>,
    /// Of the query and the key heads.
    pub(super) qk_norm: Option<[Tensor; 2]>,
    pub(super) output: Matrix,
    pub(super) output_bias: Option<Tensor>,
    pub(super) mlp_norm: Tensor,
    pub(super) gate_up: Stack,
    pub(super) gate_up_bias: Option<Tensor>,
    pub(super) down: Matrix,
    pub(super) down_bias: Option<Tensor>,
    /// `[kv_heads, context, head_dim]`.
    pub(super) keys: Tensor,
    pub(super) values: Tensor,
}

impl DeviceNetwork {
    /// A network whose cache holds `context` tokens.
    ///
    /// # Errors
    /// If the device has no memory for the cache.
    pub fn new(config: Config, weights: Weights, context: usize, device: &Device) -> Result<Self> {
        let dtype = weights.dtype;
        let vector = |values: &[f32]| Tensor::new(values, device)?.to_dtype(dtype);
        let bias = |values: &[f32]| match values {
            [] => Ok(None),
            bias => vector(bias).map(Some),
        };
        let mut layers = Vec::with_capacity(config.layers);
        for layer in weights.layers {
            let cache = || Tensor::zeros((config.kv_heads, context, config.head_dim), dtype, device);
            layers.push(DeviceLayer {
                attention_norm: vector(&layer.attention_norm)?,
                qkv: layer.qkv,
                qkv_bias: bias(&layer.qkv_bias)?,
                qk_norm: match &layer.qk_norm {
                    Some([query, key]) => Some([vector(query)?, vector(key)?]),
                    None => None,
                },
                output: layer.output,
                output_bias: bias(&layer.output_bias)?,
                mlp_norm: vector(&layer.mlp_norm)?,
                gate_up: layer.gate_up,
                gate_up_bias: bias(&layer.gate_up_bias)?,
                down: layer.down,
                down_bias: bias(&layer.down_bias)?,
                keys: cache()?,
                values: cache()?,
            });
        }
        let (cos, sin) = config.rope.tables(config.head_dim, context);
        let table = |values| {
            Tensor::from_vec(values, (context, config.head_dim / 2), &Device::Cpu)?
                .to_dtype(dtype)?
                .to_device(device)
        };
        Ok(Self {
            dtype,
            device: device.clone(),
            embedding: weights.embedding,
            head: weights.head,
            norm: vector(&weights.norm)?,
            layers,
            angles: (table(cos)?, table(sin)?),
            step: None,
            #[cfg(feature = "cuda")]
            own: None,
            #[cfg(feature = "cuda")]
            few: 0,
            #[cfg(feature = "cuda")]
            rehearsal: None,
            config,
        })
    }

    /// Lets single tokens go through kernels of our own where there are such, else through a
    /// [`FixedStep`].
    ///
    /// # Errors
    /// If the device has no memory for it.
    pub fn with_fixed_step(self) -> Result<Self> {
        self.with_step(Ahead::default())
    }

    /// The same with kernels that are being compiled.
    ///
    /// # Errors
    /// As [`with_fixed_step`](Self::with_fixed_step).
    #[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "there are no kernels then"))]
    pub fn with_step(mut self, ahead: Ahead) -> Result<Self> {
        #[cfg(feature = "cuda")]
        {
            let mut ahead = ahead;
            let rehearsal = ahead.rehearsal.take();
            if let Some(mut own) = OwnStep::new(&self, ahead)? {
                own.warm_up()?;
                self.own = Some(own);
                match rehearsal {
                    Some(rehearsal) => {
                        rehearsal.begin();
                        self.rehearsal = Some(rehearsal);
                    }
                    None => self.few = self.compare(0)?,
                }
                return Ok(self);
            }
        }
        self.step = Some(FixedStep::new(&self)?);
        Ok(self)
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Cosines and sines, `[context, head_dim / 2]`.
    pub(super) fn angles(&self) -> (&Tensor, &Tensor) {
        (&self.angles.0, &self.angles.1)
    }

    /// How many tokens the cache holds.
    pub(super) fn context(&self) -> usize {
        self.angles.0.dims()[0]
    }

    /// Where `rows` tokens from `position` on stand, with shapes that are as small as can be.
    pub(super) fn window(&self, position: usize, rows: usize) -> Result<Window> {
        let len = position + rows;
        let hidden = |i: usize| if i % len > position + i / len { f32::NEG_INFINITY } else { 0. };
        let mask = match rows {
            1 => None,
            _ => {
                let mask: Vec<f32> = (0..rows * len).map(hidden).collect();
                Some(Tensor::from_vec(mask, (rows, len), &self.device)?)
            }
        };
        Ok(Window {
            cos: self.angles.0.narrow(0, position, rows)?,
            sin: self.angles.1.narrow(0, position, rows)?,
            len,
            mask,
            slot: Slot::At(position),
        })
    }

    /// The block's attention before the output projection: `[rows, q_width]`.
    fn attention(&self, layer: &DeviceLayer, x: &Tensor, window: &Window) -> Result<Tensor> {
        let c = &self.config;
        let (rows, dim) = (x.dim(0)?, c.head_dim);
        let qkv = biased(layer.qkv.forward(x)?, layer.qkv_bias.as_ref())?;
        let heads = |from: usize, heads: usize| {
            qkv.narrow(1, from, heads * dim)?.reshape((rows, heads, dim))?.transpose(0, 1)?.contiguous()
        };
        let rotated = |x: Tensor| rope(&x.unsqueeze(0)?, &window.cos, &window.sin)?.squeeze(0);
        let (mut q, mut k) = (heads(0, c.heads)?, heads(c.q_width(), c.kv_heads)?);
        if let Some([query, key]) = &layer.qk_norm {
            (q, k) = (rms_norm(&q, query, c.rms_eps)?, rms_norm(&k, key, c.rms_eps)?);
        }
        let (q, k) = (rotated(q)?, rotated(k)?);
        let v = heads(c.q_width() + c.kv_width(), c.kv_heads)?;
        for (cache, new) in [(&layer.keys, &k), (&layer.values, &v)] {
            match &window.slot {
                Slot::At(position) => cache.slice_set(new, 1, *position)?,
                Slot::Index(index) => cache.scatter_set(index, new, 1)?,
            }
        }

        let len = window.len;
        let group = c.heads / c.kv_heads;
        // The query heads that share a key head are rows of one product.
        let q = q.reshape((c.kv_heads, group * rows, dim))?;
        let keys = layer.keys.narrow(1, 0, len)?.transpose(1, 2)?;
        let scale = 1. / (dim as f64).sqrt();
        let mut scores = (q.matmul(&keys)?.to_dtype(DType::F32)? * scale)?;
        if let Some(mask) = &window.mask {
            scores = scores.reshape((c.kv_heads * group, rows, len))?.broadcast_add(mask)?.reshape((
                c.kv_heads,
                group * rows,
                len,
            ))?;
        }
        let scores = softmax_last_dim(&scores)?.to_dtype(self.dtype)?;
        scores
            .matmul(&layer.values.narrow(1, 0, len)?)?
            .reshape((c.heads, rows, dim))?
            .transpose(0, 1)?
            .reshape((rows, c.q_width()))
    }

    /// The residual stream after all blocks: `[ids, hidden]`.
    pub(super) fn blocks(&self, ids: &Tensor, window: &Window) -> Result<Tensor> {
        let c = &self.config;
        let mut x = self.embedding.rows(ids)?.to_dtype(self.dtype)?;
        for layer in &self.layers {
            let normed = rms_norm(&x, &layer.attention_norm, c.rms_eps)?;
            let attention = self.attention(layer, &normed, window)?;
            x = (x + biased(layer.output.forward(&attention)?, layer.output_bias.as_ref())?)?;
            let normed = rms_norm(&x, &layer.mlp_norm, c.rms_eps)?;
            let gate_up = biased(layer.gate_up.forward(&normed)?, layer.gate_up_bias.as_ref())?;
            let gate = gate_up.narrow(1, 0, c.intermediate)?.contiguous()?.silu()?;
            let inner = (gate * gate_up.narrow(1, c.intermediate, c.intermediate)?)?;
            x = (x + biased(layer.down.forward(&inner)?, layer.down_bias.as_ref())?)?;
        }
        Ok(x)
    }

    /// The logits after every row of the residual stream, in f32: `[rows, vocab]`.
    pub(super) fn logits(&self, x: &Tensor) -> Result<Tensor> {
        let normed = rms_norm(x, &self.norm, self.config.rms_eps)?;
        self.head.forward(&normed)?.to_dtype(DType::F32)
    }
}

/// The bias added to every row, if there is one.
fn biased(x: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        Some(bias) => x.broadcast_add(bias),
        None => Ok(x),
    }
}

/// Where the tokens of a call stand and what they see.
pub(super) struct Window {
    /// Cosines of their positions, `[rows, head_dim / 2]`.
    pub cos: Tensor,
    /// Sines of their positions.
    pub sin: Tensor,
    /// How much of the cache is looked at.
    pub len: usize,
    /// Added to the scores: minus infinity where a token must not look, `[rows, len]`.
    pub mask: Option<Tensor>,
    /// Where their keys and values go.
    pub slot: Slot,
}

/// A place in the cache.
pub(super) enum Slot {
    /// From this position on.
    At(usize),
    /// At the position that device memory holds, in the shape `[kv_heads, 1, head_dim]`.
    Index(Tensor),
}

impl Network for DeviceNetwork {
    fn run(&mut self, tokens: &[TokenId], position: usize, rows: usize, logits: &mut Vec<f32>) -> Result<()> {
        #[cfg(feature = "cuda")]
        if self.run_own(tokens, position, rows, logits)? {
            return Ok(());
        }
        if let (&[token], 1, Some(step)) = (tokens, rows, &self.step) {
            logits.extend(step.run(self, token, position)?);
            return Ok(());
        }
        let ids = Tensor::new(tokens, &self.device)?;
        let x = self.blocks(&ids, &self.window(position, tokens.len())?)?;
        if rows > 0 {
            let last = x.narrow(0, tokens.len() - rows, rows)?.contiguous()?;
            logits.extend(self.logits(&last)?.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn remote(&mut self) -> Option<&mut dyn Remote> {
        self.own.is_some().then_some(self)
    }

    #[cfg(feature = "cuda")]
    fn set_recorded(&mut self, recorded: bool) -> bool {
        self.own.as_mut().map(|own| own.set_recorded(recorded)).is_some()
    }

    #[cfg(feature = "cuda")]
    fn limits(&mut self) -> Result<Option<Limits>> {
        let Device::Cuda(cuda) = &self.device else { return Ok(None) };
        // Of the embedding, a step reads one row.
        let in_blocks = |layer: &DeviceLayer| {
            let stacks = layer.qkv.0.iter().chain(&layer.gate_up.0);
            stacks.chain([&layer.output, &layer.down]).map(Matrix::bytes).sum::<u64>()
        };
        let token_bytes = self.head.bytes() + self.layers.iter().map(in_blocks).sum::<u64>();
        measure::limits(cuda, token_bytes).map(Some)
    }
}

impl Stack {
    /// The results of all matrices side by side.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self.0.as_slice() {
            [only] => only.forward(x),
            parts => {
                let parts = parts.iter().map(|m| m.forward(x)).collect::<Result<Vec<_>>>()?;
                Tensor::cat(&parts, 1)
            }
        }
    }
}
