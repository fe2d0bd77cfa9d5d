//! The decoder in stock tensor operations, for accelerators.
//!
//! Keys and values lie in preallocated tensors on the device. Nothing here is specific to CUDA:
//! the tests run it on the CPU, against the same oracles as [`cpu`](super::cpu).

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::{rms_norm, softmax_last_dim};
use candle_nn::rotary_emb::rope;

use super::config::Config;
use super::decoder::Network;
use super::raw::Matrix;
use super::weights::{Stack, Weights};
use crate::engine::trace::TokenId;

/// A decoder whose weights and cache are on a device.
pub struct DeviceNetwork {
    config: Config,
    dtype: DType,
    device: Device,
    embedding: Matrix,
    head: Matrix,
    norm: Tensor,
    layers: Vec<DeviceLayer>,
    /// Cosines and sines, `[context, head_dim / 2]`.
    angles: (Tensor, Tensor),
}

struct DeviceLayer {
    attention_norm: Tensor,
    qkv: Stack,
    qkv_bias: Option<Tensor>,
    output: Matrix,
    mlp_norm: Tensor,
    gate_up: Stack,
    down: Matrix,
    /// `[kv_heads, context, head_dim]`.
    keys: Tensor,
    values: Tensor,
}

impl DeviceNetwork {
    /// A network whose cache holds `context` tokens.
    ///
    /// # Errors
    /// If the device has no memory for the cache.
    pub fn new(config: Config, weights: Weights, context: usize, device: &Device) -> Result<Self> {
        let dtype = weights.dtype;
        let vector = |values: &[f32]| Tensor::new(values, device)?.to_dtype(dtype);
        let mut layers = Vec::with_capacity(config.layers);
        for layer in weights.layers {
            let cache = || Tensor::zeros((config.kv_heads, context, config.head_dim), dtype, device);
            layers.push(DeviceLayer {
                attention_norm: vector(&layer.attention_norm)?,
                qkv: layer.qkv,
                qkv_bias: match layer.qkv_bias.as_slice() {
                    [] => None,
                    bias => Some(vector(bias)?),
                },
                output: layer.output,
                mlp_norm: vector(&layer.mlp_norm)?,
                gate_up: layer.gate_up,
                down: layer.down,
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
            config,
        })
    }

    /// What hides later tokens from earlier ones: `[rows, position + rows]`, nothing for one row.
    fn mask(&self, rows: usize, position: usize) -> Result<Option<Tensor>> {
        if rows == 1 {
            return Ok(None);
        }
        let len = position + rows;
        let hidden = |i: usize| if i % len > position + i / len { f32::NEG_INFINITY } else { 0. };
        let mask: Vec<f32> = (0..rows * len).map(hidden).collect();
        Ok(Some(Tensor::from_vec(mask, (rows, len), &self.device)?))
    }

    /// The block's attention before the output projection: `[rows, q_width]`.
    fn attention(
        &self,
        layer: &DeviceLayer,
        x: &Tensor,
        position: usize,
        mask: Option<&Tensor>,
    ) -> Result<Tensor> {
        let c = &self.config;
        let (rows, dim) = (x.dim(0)?, c.head_dim);
        let mut qkv = layer.qkv.forward(x)?;
        if let Some(bias) = &layer.qkv_bias {
            qkv = qkv.broadcast_add(bias)?;
        }
        let heads = |from: usize, heads: usize| {
            qkv.narrow(1, from, heads * dim)?.reshape((rows, heads, dim))?.transpose(0, 1)?.contiguous()
        };
        let cos = self.angles.0.narrow(0, position, rows)?;
        let sin = self.angles.1.narrow(0, position, rows)?;
        let rotated = |x: Tensor| rope(&x.unsqueeze(0)?, &cos, &sin)?.squeeze(0);
        let q = rotated(heads(0, c.heads)?)?;
        let k = rotated(heads(c.q_width(), c.kv_heads)?)?;
        let v = heads(c.q_width() + c.kv_width(), c.kv_heads)?;
        layer.keys.slice_set(&k, 1, position)?;
        layer.values.slice_set(&v, 1, position)?;

        let len = position + rows;
        let group = c.heads / c.kv_heads;
        // The query heads that share a key head are rows of one product.
        let q = q.reshape((c.kv_heads, group * rows, dim))?;
        let keys = layer.keys.narrow(1, 0, len)?.transpose(1, 2)?;
        let scale = 1. / (dim as f64).sqrt();
        let mut scores = (q.matmul(&keys)?.to_dtype(DType::F32)? * scale)?;
        if let Some(mask) = mask {
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

    fn logits(&self, tokens: &[TokenId], position: usize, rows: usize) -> Result<Option<Tensor>> {
        let c = &self.config;
        let ids = Tensor::new(tokens, &self.device)?;
        let mut x = self.embedding.rows(&ids)?.to_dtype(self.dtype)?;
        let mask = self.mask(tokens.len(), position)?;
        for layer in &self.layers {
            let normed = rms_norm(&x, &layer.attention_norm, c.rms_eps)?;
            let attention = self.attention(layer, &normed, position, mask.as_ref())?;
            x = (x + layer.output.forward(&attention)?)?;
            let normed = rms_norm(&x, &layer.mlp_norm, c.rms_eps)?;
            let gate_up = layer.gate_up.forward(&normed)?;
            let gate = gate_up.narrow(1, 0, c.intermediate)?.contiguous()?.silu()?;
            let inner = (gate * gate_up.narrow(1, c.intermediate, c.intermediate)?)?;
            x = (x + layer.down.forward(&inner)?)?;
        }
        if rows == 0 {
            return Ok(None);
        }
        let last = x.narrow(0, tokens.len() - rows, rows)?.contiguous()?;
        let last = rms_norm(&last, &self.norm, c.rms_eps)?;
        Ok(Some(self.head.forward(&last)?.to_dtype(DType::F32)?))
    }
}

impl Network for DeviceNetwork {
    fn run(&mut self, tokens: &[TokenId], position: usize, rows: usize, logits: &mut Vec<f32>) -> Result<()> {
        if let Some(values) = self.logits(tokens, position, rows)? {
            logits.extend(values.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(())
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
