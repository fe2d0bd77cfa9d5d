//! The decoder on the CPU, in f32 on plain slices.
//!
//! Only the matrix products go through candle, which has the quantised kernels and the threads;
//! a tensor operation per step would cost more than the step at the sizes that run on a laptop.

use candle_core::{CpuStorage, Device, Result, Tensor};

use super::config::Config;
use super::decoder::Network;
use super::kernels::{self, Keys};
use super::matrix::Matrix;
use super::weights::{Layer, Stack, Weights};
use crate::engine::trace::TokenId;

/// A decoder whose weights and cache are in main memory.
pub struct CpuNetwork {
    config: Config,
    weights: Weights,
    context: usize,
    /// Cosines and sines, `head_dim / 2` of each per position.
    angles: (Vec<f32>, Vec<f32>),
    caches: Vec<Cache>,
}

/// One layer's keys and values: all positions of the first head, then of the second.
struct Cache {
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl CpuNetwork {
    /// A network whose cache holds `context` tokens. The memory for it is zero pages until it is
    /// used.
    pub fn new(config: Config, weights: Weights, context: usize) -> Self {
        let angles = config.rope.tables(config.head_dim, context);
        let caches = (0..config.layers)
            .map(|_| Cache {
                keys: vec![0.; config.kv_heads * Keys::size(context, config.head_dim)],
                values: vec![0.; config.kv_width() * context],
            })
            .collect();
        Self { config, weights, context, angles, caches }
    }

    /// Whether the system has the memory for a cache of `context` tokens, as far as it tells before the
    /// memory is used.
    ///
    /// # Errors
    /// How much it would be.
    pub fn has_room(config: &Config, context: usize) -> std::result::Result<(), String> {
        let per_token = [config.layers, 2 * config.kv_width(), size_of::<f32>()];
        let bytes = per_token.into_iter().fold(context, usize::saturating_mul);
        let gib = bytes as f64 / f64::from(1 << 30);
        // A large piece of memory that nothing is written to costs nothing.
        Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| {
            format!("there is no memory for a context of {context} tokens, which takes {gib:.1} GiB")
        })
    }

    /// Normalises and rotates queries and keys, and writes keys and values into the cache.
    fn remember(&mut self, layer: usize, qkv: &mut [f32], position: usize) {
        let c = &self.config;
        let norms = self.weights.layers[layer].qk_norm.as_ref();
        let (dim, half) = (c.head_dim, c.head_dim / 2);
        let cache = &mut self.caches[layer];
        for (i, row) in qkv.chunks_exact_mut(c.q_width() + 2 * c.kv_width()).enumerate() {
            let position = position + i;
            let (turned, values) = row.split_at_mut(c.q_width() + c.kv_width());
            if let Some([query, key]) = norms {
                let (queries, keys) = turned.split_at_mut(c.q_width());
                kernels::rms_norm(queries, query, c.rms_eps);
                kernels::rms_norm(keys, key, c.rms_eps);
            }
            let angles = position * half..(position + 1) * half;
            kernels::rotate(turned, &self.angles.0[angles.clone()], &self.angles.1[angles]);
            let keys = turned[c.q_width()..].chunks_exact(dim);
            for (head, (key, value)) in keys.zip(values.chunks_exact(dim)).enumerate() {
                let size = Keys::size(self.context, dim);
                Keys(&mut cache.keys[head * size..(head + 1) * size]).set(position, key);
                let at = (head * self.context + position) * dim;
                cache.values[at..at + dim].copy_from_slice(value);
            }
        }
    }

    /// Attention of every query row and head over the cache: `rows * q_width` values.
    fn attention(&self, layer: usize, qkv: &[f32], position: usize) -> Vec<f32> {
        let c = &self.config;
        let dim = c.head_dim;
        let row_width = c.q_width() + 2 * c.kv_width();
        let rows = qkv.len() / row_width;
        let cache = &self.caches[layer];
        let size = Keys::size(self.context, dim);
        let group = c.heads / c.kv_heads;
        let mut out = vec![0.; rows * c.q_width()];
        let work = 2 * out.len() * (position + rows);
        kernels::for_chunks(&mut out, group * dim, work, |i, out| {
            let (row, head) = (i / c.kv_heads, i % c.kv_heads);
            let queries = &qkv[row * row_width + head * group * dim..][..group * dim];
            let keys = &cache.keys[head * size..(head + 1) * size];
            let values = &cache.values[head * self.context * dim..(head + 1) * self.context * dim];
            let mut scores = Vec::new();
            for (query, out) in queries.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
                kernels::attend(query, keys, values, position + row + 1, &mut scores, out);
            }
        });
        out
    }

    fn compute(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        rows: usize,
        logits: &mut Vec<f32>,
    ) -> Result<()> {
        let (hidden, eps) = (self.config.hidden, self.config.rms_eps);
        let count = tokens.len();
        let mut x = embed(&self.weights.embedding, tokens)?;
        // What the last sub-layer adds to `x`; the next norm adds it on its way.
        let mut delta: Vec<f32> = Vec::new();
        let mut normed = Activations::new(count * hidden);
        let mut inner = Activations::new(count * self.config.intermediate);
        for index in 0..self.config.layers {
            let layer = self.layer(index);
            kernels::add_rms_norm(&mut x, &delta, &layer.attention_norm, eps, normed.values());
            let mut qkv = layer.qkv.apply(&normed.0, count)?;
            kernels::add_bias(&mut qkv, &layer.qkv_bias);
            self.remember(index, &mut qkv, position);
            let attention = self.attention(index, &qkv, position);
            let layer = self.layer(index);
            let mut delta_attention = layer.output.apply(&CpuStorage::F32(attention), count)?;
            kernels::add_bias(&mut delta_attention, &layer.output_bias);
            kernels::add_rms_norm(&mut x, &delta_attention, &layer.mlp_norm, eps, normed.values());
            let mut gate_up = layer.gate_up.apply(&normed.0, count)?;
            kernels::add_bias(&mut gate_up, &layer.gate_up_bias);
            kernels::swiglu(&gate_up, self.config.intermediate, inner.values());
            delta = layer.down.apply(&inner.0, count)?;
            kernels::add_bias(&mut delta, &layer.down_bias);
        }
        if rows > 0 {
            let from = (count - rows) * hidden;
            let mut last = Activations::new(rows * hidden);
            kernels::add_rms_norm(&mut x[from..], &delta[from..], &self.weights.norm, eps, last.values());
            logits.extend(self.weights.head.apply(&last.0, rows)?);
        }
        Ok(())
    }

    fn layer(&self, index: usize) -> &Layer {
        &self.weights.layers[index]
    }
}

impl Network for CpuNetwork {
    fn run(&mut self, tokens: &[TokenId], position: usize, rows: usize, logits: &mut Vec<f32>) -> Result<()> {
        kernels::among_threads(|| self.compute(tokens, position, rows, logits))
    }
}

/// The embeddings of tokens, one after the other.
fn embed(embedding: &Matrix, tokens: &[TokenId]) -> Result<Vec<f32>> {
    embedding.rows(&Tensor::new(tokens, &Device::Cpu)?)?.flatten_all()?.to_vec1()
}

/// A buffer of f32 in the form that the matrix products take.
struct Activations(CpuStorage);

impl Activations {
    fn new(len: usize) -> Self {
        Self(CpuStorage::F32(vec![0.; len]))
    }

    fn values(&mut self) -> &mut [f32] {
        match &mut self.0 {
            CpuStorage::F32(values) => values,
            _ => &mut [],
        }
    }
}

impl Stack {
    /// The results of all matrices side by side, row by row.
    fn apply(&self, x: &CpuStorage, rows: usize) -> Result<Vec<f32>> {
        if let [only] = self.0.as_slice() {
            return only.apply(x, rows);
        }
        let parts = self.0.iter().map(|m| m.apply(x, rows)).collect::<Result<Vec<_>>>()?;
        let mut out = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        for row in 0..rows {
            for part in &parts {
                let width = part.len() / rows;
                out.extend_from_slice(&part[row * width..(row + 1) * width]);
            }
        }
        Ok(out)
    }
}
