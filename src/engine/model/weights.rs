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
use super::matrix::{Matrix, MatrixBuilder};
use super::raw::{self, dtype_name, is_dense, row_bytes};
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

/// Bytes that are read before they are laid out.
pub(super) const PIECE: usize = 2 << 20;

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
        let name = self.source.global(Global::Embedding);
        let dims = [c.vocab, c.hidden];
        if let Some((stored, _)) = self.source.find(&name, &dims)? {
            self.dtype = compute_dtype(self.device, stored);
        }
        let embedding = self.matrix(&name, dims)?;
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
            fingerprint: self.hash.hex(),
        };
        Ok(Weights { embedding, layers, norm, head, dtype: self.dtype, summary })
    }

    fn head(&mut self, embedding: &Matrix) -> Result<Matrix, LoadError> {
        let c = self.config;
        let (name, dims) = (self.source.global(Global::Head), [c.vocab, c.hidden]);
        let stored = match self.source {
            // Random weights hold what is asked for.
            Source::Random(_) => c.tied != Some(true),
            _ => self.source.find(&name, &dims)?.is_some(),
        };
        match (c.tied, stored) {
            (Some(false), _) | (None, true) => self.matrix(&name, dims),
            // Some tied models repeat the embedding as the head.
            (Some(true), _) | (None, false) => {
                self.unused.remove(&name);
                Ok(embedding.clone())
            }
        }
    }

    fn layer(&mut self, index: usize) -> Result<Layer, LoadError> {
        let c = self.config;
        let (q, kv) = (c.q_width(), c.kv_width());
        let qkv = [(Part::Query, q), (Part::Key, kv), (Part::Value, kv)];
        let gate_up = [(Part::Gate, c.intermediate), (Part::Up, c.intermediate)];
        let weight = |part| self.source.name(index, part, "weight");
        let (output, down) = (weight(Part::Output), weight(Part::Down));
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
            output: self.matrix(&output, [c.hidden, q])?,
            output_bias: self.biases(index, &[(Part::Output, c.hidden)], c.biases.output)?,
            gate_up: self.stack(index, &gate_up)?,
            gate_up_bias: self.biases(index, &gate_up, c.biases.mlp)?,
            down: self.matrix(&down, [c.hidden, c.intermediate])?,
            down_bias: self.biases(index, &[(Part::Down, c.hidden)], c.biases.mlp)?,
        })
    }

    /// The matrices of `hidden` columns and the given heights.
    fn stack(&mut self, index: usize, parts: &[(Part, usize)]) -> Result<Stack, LoadError> {
        let mut stack = Vec::new();
        let height = parts.iter().map(|(_, height)| height).sum();
        for &(part, rows) in parts {
            let name = self.source.name(index, part, "weight");
            let dims = [rows, self.config.hidden];
            self.append(&mut stack, &name, dims, height, self.is_paired(part))?;
        }
        let finished = stack.into_iter().map(|part| part.finish(self.device, self.dtype));
        Ok(Stack(finished.collect::<candle_core::Result<_>>()?))
    }

    fn matrix(&mut self, name: &str, dims: [usize; 2]) -> Result<Matrix, LoadError> {
        let mut stack = Vec::new();
        self.append(&mut stack, name, dims, dims[0], false)?;
        match stack.pop() {
            Some(matrix) => Ok(matrix.finish(self.device, self.dtype)?),
            None => Err(self.source.error(name, "has no rows".into())),
        }
    }

    /// Reads a matrix to the end of the last one of the stack, if it is of the same kind, or behind
    /// it. `height` is that of all that will follow.
    fn append(
        &mut self,
        stack: &mut Vec<MatrixBuilder>,
        name: &str,
        dims: [usize; 2],
        height: usize,
        paired: bool,
    ) -> Result<(), LoadError> {
        let dtype = self.find(name, &dims)?;
        let columns = dims[1];
        if !stack.last().is_some_and(|last| last.takes(dtype, columns)) {
            stack.push(MatrixBuilder::new(dtype, height, columns, self.device));
        }
        let Some(matrix) = stack.last_mut() else { return Ok(()) };
        let (row, head) = (row_bytes(dtype, columns), self.config.head_dim);
        let group = if paired { head * row } else { row };
        let piece = group * (PIECE / group).max(1);
        if let Some(room) = matrix.room().filter(|room| *room >= piece)
            && let Some((blob, mut offset, bytes)) = self.source.place(name)
        {
            let end = offset + bytes;
            while offset < end {
                let size = (end - offset).min((room / piece * piece) as u64);
                let hash = &mut self.hash;
                matrix.push_filled(size as usize, |memory| {
                    blob.read_into(memory, offset)?;
                    for rows in memory.chunks_mut(piece) {
                        hash.sample(rows);
                        if paired {
                            raw::unpair_rows(rows, head, row);
                        }
                    }
                    Ok::<_, LoadError>(())
                })?;
                offset += size;
                self.done += size;
                if (self.progress)(self.done.min(self.total), self.total).is_break() {
                    return Err(LoadError::Cancelled);
                }
            }
            return Ok(());
        }
        self.read(name, &dims, piece, &mut |rows| {
            if paired {
                raw::unpair_rows(rows, head, row);
            }
            matrix.push(rows);
        })
    }

    fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, LoadError> {
        let dtype = self.find(name, &[len])?;
        let mut data = Vec::new();
        self.read(name, &[len], PIECE, &mut |piece| data.extend_from_slice(piece))?;
        Ok(raw::values(dtype, &[len], &data)?)
    }

    /// The biases of matrices, one after the other; empty if there shall be none.
    fn biases(&mut self, index: usize, parts: &[(Part, usize)], any: bool) -> Result<Vec<f32>, LoadError> {
        let mut all = Vec::new();
        for &(part, height) in parts.iter().filter(|_| any) {
            let mut bias = self.vector(&self.source.name(index, part, "bias"), height)?;
            if self.is_paired(part) {
                raw::unpair_rows(&mut bias, self.config.head_dim, 1);
            }
            all.extend(bias);
        }
        Ok(all)
    }

    /// Llama's queries and keys are paired by neighbours in GGUF, everything else by halves.
    fn is_paired(&self, part: Part) -> bool {
        let llama = self.source.is_gguf() && self.config.architecture == Architecture::Llama;
        llama && matches!(part, Part::Query | Part::Key)
    }

    /// The block type of a tensor that must be there in the given shape. Counts it.
    fn find(&mut self, name: &str, dims: &[usize]) -> Result<GgmlDType, LoadError> {
        let dtype = match self.source.find(name, dims)? {
            Some((dtype, found)) if found == dims => dtype,
            Some((_, found)) => {
                let message = format!("has the shape {found:?}, expected {dims:?}");
                return Err(self.source.error(name, message));
            }
            None => {
                let message = format!("is missing (expected with the shape {dims:?})");
                return Err(self.source.error(name, message));
            }
        };
        self.unused.remove(name);
        let elements = dims.iter().product::<usize>() as u64;
        match self.counts.iter_mut().find(|(d, _)| *d == dtype) {
            Some((_, count)) => *count += elements,
            None => self.counts.push((dtype, elements)),
        }
        self.hash.bytes(format!("{name}{dtype:?}{dims:?}").as_bytes());
        Ok(dtype)
    }

    /// Reads a tensor that was found, `piece` bytes at a time, and hashes some of it.
    fn read(
        &mut self,
        name: &str,
        dims: &[usize],
        piece: usize,
        sink: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), LoadError> {
        let on_read = &mut |bytes: u64| {
            self.done += bytes;
            (self.progress)(self.done.min(self.total), self.total)
        };
        let hash = &mut self.hash;
        self.source.pieces(name, dims, piece, on_read, &mut |data| {
            hash.sample(data);
            sink(data);
        })
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
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Some bytes of the data.
    pub(super) fn sample(&mut self, data: &[u8]) {
        let step = (data.len() / 1024).max(1) | 1;
        data.iter().step_by(step).for_each(|&byte| self.bytes(&[byte]));
    }

    /// The hash so far.
    pub(super) fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}
