//! All weights of a model on its device, from whichever kind of file.
//!
//! The file formats name the same tensors differently and GGUF orders the rows of Llama's query
//! and key projections for another pairing in the rotary embedding; both differences end here.
//! Tensors that the block does not know are an error: they would change the result.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use candle_core::quantized::GgmlDType;
use candle_core::{DType, Device};

use super::config::{Architecture, Config};
use super::raw::{Matrix, RawTensor, dtype_name, is_dense};
use crate::engine::error::LoadError;

mod source;

pub use source::Source;
use source::{Global, Part};

/// Everything a decoder multiplies with.
#[derive(Debug)]
pub struct Weights {
    /// `[vocab, hidden]`.
    pub embedding: Matrix,
    /// The blocks.
    pub layers: Vec<Layer>,
    /// The last norm, `hidden` values.
    pub norm: Vec<f32>,
    /// `[vocab, hidden]`; the embedding again if they are tied.
    pub head: Matrix,
    /// What the plain numbers are on the device.
    pub dtype: DType,
    /// Facts for [`ModelInfo`](super::ModelInfo).
    pub summary: Summary,
}

/// One block.
#[derive(Debug)]
pub struct Layer {
    /// `hidden` values.
    pub attention_norm: Vec<f32>,
    /// Query, key and value projection, stacked: `[q_width + 2 kv_width, hidden]`.
    pub qkv: Stack,
    /// As long as `qkv` is high. This and the other biases are empty where the block has none.
    pub qkv_bias: Vec<f32>,
    /// The norms of every query head and every key head, `head_dim` values each; `None` without.
    pub qk_norm: Option<[Vec<f32>; 2]>,
    /// `[hidden, q_width]`.
    pub output: Matrix,
    /// `hidden` values.
    pub output_bias: Vec<f32>,
    /// `hidden` values.
    pub mlp_norm: Vec<f32>,
    /// Gate and up projection, stacked: `[2 intermediate, hidden]`.
    pub gate_up: Stack,
    /// `2 intermediate` values.
    pub gate_up_bias: Vec<f32>,
    /// `[hidden, intermediate]`.
    pub down: Matrix,
    /// `hidden` values.
    pub down_bias: Vec<f32>,
}

/// Matrices whose results are wanted side by side. Those of one block type are one matrix.
#[derive(Debug)]
pub struct Stack(pub Vec<Matrix>);

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Number of parameters, tied ones once.
    pub parameters: u64,
    /// The block type with the most parameters, `f32` or `Q4_K`.
    pub weights: String,
    /// Hash over names, shapes, types and samples of all tensors.
    pub fingerprint: String,
}

/// Tensors in these files that carry nothing that the config does not.
const REDUNDANT: [&str; 2] = ["rope_freqs.weight", "rotary_emb.inv_freq"];

impl Weights {
    /// Reads all tensors onto `device`. `progress` gets the bytes done and in total, and may break.
    ///
    /// # Errors
    /// [`LoadError`] naming file, tensor and expectation.
    pub fn load(
        source: &Source,
        config: &Config,
        device: &Device,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<Self, LoadError> {
        let mut loader = Loader {
            source,
            config,
            device,
            dtype: DType::F32,
            unused: source.names(),
            total: source.bytes(config),
            done: 0,
            counts: Vec::new(),
            hash: Fnv::default(),
            progress,
        };
        loader.load()
    }
}

struct Loader<'a> {
    source: &'a Source,
    config: &'a Config,
    device: &'a Device,
    dtype: DType,
    unused: BTreeSet<String>,
    total: u64,
    done: u64,
    /// Parameters per block type.
    counts: Vec<(GgmlDType, u64)>,
    hash: Fnv,
    progress: &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>,
}

impl Loader<'_> {
    fn load(&mut self) -> Result<Weights, LoadError> {
        let c = self.config;
        // The largest come first: while one is read there are two copies of it.
        let embedding = self.tensor(&self.source.global(Global::Embedding), &[c.vocab, c.hidden])?;
        self.dtype = compute_dtype(self.device, embedding.dtype);
        let embedding = self.place(embedding)?;
        let head = self.head(&embedding)?;
        let mut layers = Vec::new();
        for index in 0..c.layers {
            layers.push(self.layer(index)?);
        }
        let norm = self.vector(&self.source.global(Global::Norm), c.hidden)?;
        if let Some(name) = self.unused.iter().find(|n| !REDUNDANT.iter().any(|r| n.ends_with(r))) {
            let message = format!("is not part of the {} block", c.architecture.name());
            return Err(self.source.error(name, message));
        }
        let largest = self.counts.iter().max_by_key(|(_, n)| *n).map_or(GgmlDType::F32, |(d, _)| *d);
        let summary = Summary {
            parameters: self.counts.iter().map(|(_, n)| n).sum(),
            weights: dtype_name(largest).to_owned(),
            fingerprint: format!("{:016x}", self.hash.0),
        };
        Ok(Weights { embedding, layers, norm, head, dtype: self.dtype, summary })
    }

    fn head(&mut self, embedding: &Matrix) -> Result<Matrix, LoadError> {
        let c = self.config;
        let name = self.source.global(Global::Head);
        let random = matches!(self.source, Source::Random(_));
        let stored = match c.tied {
            // Random weights hold what is asked for, so a tied model must not ask.
            Some(true) if random => None,
            _ => self.optional(&name, &[c.vocab, c.hidden])?,
        };
        match (c.tied, stored) {
            // Some tied models repeat the embedding as the head.
            (Some(true), _) | (None, None) => Ok(embedding.clone()),
            (_, Some(head)) => self.place(head),
            (Some(false), None) => Err(self.source.error(&name, "is missing".into())),
        }
    }

    fn layer(&mut self, index: usize) -> Result<Layer, LoadError> {
        let c = self.config;
        let (q, kv) = (c.q_width(), c.kv_width());
        let qkv = [(Part::Query, q), (Part::Key, kv), (Part::Value, kv)];
        let gate_up = [(Part::Gate, c.intermediate), (Part::Up, c.intermediate)];
        let output = self.tensor(&self.source.name(index, Part::Output, "weight"), &[c.hidden, q])?;
        let output = self.place(output)?;
        let down =
            self.tensor(&self.source.name(index, Part::Down, "weight"), &[c.hidden, c.intermediate])?;
        let down = self.place(down)?;
        let mut norm = |part, len| self.vector(&self.source.name(index, part, "weight"), len);
        Ok(Layer {
            attention_norm: norm(Part::AttentionNorm, c.hidden)?,
            mlp_norm: norm(Part::MlpNorm, c.hidden)?,
            qk_norm: match c.qk_norm {
                true => Some([norm(Part::QueryNorm, c.head_dim)?, norm(Part::KeyNorm, c.head_dim)?]),
                false => None,
            },
            qkv: self.stack(index, &qkv)?,
            qkv_bias: self.biases(index, &qkv, c.biases.qkv)?,
            output,
            output_bias: self.biases(index, &[(Part::Output, c.hidden)], c.biases.output)?,
            gate_up: self.stack(index, &gate_up)?,
            gate_up_bias: self.biases(index, &gate_up, c.biases.mlp)?,
            down,
            down_bias: self.biases(index, &[(Part::Down, c.hidden)], c.biases.mlp)?,
        })
    }

    /// The matrices of `hidden` columns and the given heights, on the device.
    fn stack(&mut self, index: usize, parts: &[(Part, usize)]) -> Result<Stack, LoadError> {
        let mut merged: Vec<RawTensor> = Vec::new();
        for &(part, height) in parts {
            let name = self.source.name(index, part, "weight");
            let matrix = self.tensor(&name, &[height, self.config.hidden])?;
            let matrix = self.in_halves(part, matrix);
            let rest = match merged.last_mut() {
                Some(last) => last.stack(matrix).err(),
                None => Some(matrix),
            };
            merged.extend(rest);
        }
        Ok(Stack(merged.into_iter().map(|part| self.place(part)).collect::<Result<_, _>>()?))
    }

    /// The biases of the same matrices, one after the other; empty if there shall be none.
    fn biases(&mut self, index: usize, parts: &[(Part, usize)], any: bool) -> Result<Vec<f32>, LoadError> {
        let mut all = Vec::new();
        for &(part, height) in parts.iter().filter(|_| any) {
            let bias = self.tensor(&self.source.name(index, part, "bias"), &[height])?;
            all.extend(self.in_halves(part, bias).values()?);
        }
        Ok(all)
    }

    /// Llama's queries and keys are paired by neighbours in GGUF, everything else by halves.
    fn in_halves(&self, part: Part, tensor: RawTensor) -> RawTensor {
        let paired = self.source.is_gguf() && self.config.architecture == Architecture::Llama;
        match part {
            Part::Query | Part::Key if paired => tensor.unpair_rows(self.config.head_dim),
            _ => tensor,
        }
    }

    /// Reads a tensor that must be there.
    fn tensor(&mut self, name: &str, dims: &[usize]) -> Result<RawTensor, LoadError> {
        self.optional(name, dims)?
            .ok_or_else(|| self.source.error(name, format!("is missing (expected with the shape {dims:?})")))
    }

    /// Reads a tensor of the given shape, counts and hashes it.
    fn optional(&mut self, name: &str, dims: &[usize]) -> Result<Option<RawTensor>, LoadError> {
        let on_read = &mut |bytes: u64| {
            self.done += bytes;
            (self.progress)(self.done.min(self.total), self.total)
        };
        if on_read(0).is_break() {
            return Err(LoadError::Cancelled);
        }
        let has =
            |found: &[usize]| self.source.error(name, format!("has the shape {found:?}, expected {dims:?}"));
        // Before memory is taken for it.
        if let Some(found) = self.source.dims(name).filter(|found| *found != dims) {
            return Err(has(found));
        }
        let Some(tensor) = self.source.read(name, dims, on_read)? else { return Ok(None) };
        self.unused.remove(name);
        let elements = dims.iter().product::<usize>() as u64;
        match self.counts.iter_mut().find(|(d, _)| *d == tensor.dtype) {
            Some((_, count)) => *count += elements,
            None => self.counts.push((tensor.dtype, elements)),
        }
        self.hash.tensor(&tensor);
        Ok(Some(tensor))
    }

    fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, LoadError> {
        Ok(self.tensor(name, &[len])?.values()?)
    }

    fn place(&self, tensor: RawTensor) -> Result<Matrix, LoadError> {
        Ok(tensor.matrix(self.device, self.dtype)?)
    }
}

/// What to compute in: f32 on the CPU and between quantised matrices, else the files' own half
/// precision, or bf16, which has the range of f32.
fn compute_dtype(device: &Device, stored: GgmlDType) -> DType {
    match stored {
        _ if device.is_cpu() || !is_dense(stored) => DType::F32,
        GgmlDType::F16 => DType::F16,
        _ => DType::BF16,
    }
}

/// FNV-1a, 64 bits: a hash that is the same in every build.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Name, type, shape, and every so many bytes of the data.
    fn tensor(&mut self, tensor: &RawTensor) {
        self.bytes(tensor.name.as_bytes());
        self.bytes(format!("{:?}{:?}", tensor.dtype, tensor.dims).as_bytes());
        let step = (tensor.data.len() / 4096).max(1) | 1;
        for &byte in tensor.data.iter().step_by(step) {
            self.bytes(&[byte]);
        }
    }
}
