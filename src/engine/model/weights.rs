//! All weights of a model on its device, from whichever kind of file.
//!
//! The file formats name the same tensors differently and GGUF orders the rows of Llama's query
//! and key projections for another pairing in the rotary embedding; both differences end here.
//! Tensors that the block does not know are an error: they would change the result.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use candle_core::quantized::GgmlDType;
use candle_core::{DType, Device};

use super::config::{Architecture, Config};
use super::gguf::Gguf;
use super::raw::{Matrix, RawTensor, dtype_name, is_dense};
use super::safetensors::Safetensors;
use crate::engine::error::LoadError;

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
    /// As long as `qkv` is high; empty without biases.
    pub qkv_bias: Vec<f32>,
    /// `[hidden, q_width]`.
    pub output: Matrix,
    /// `hidden` values.
    pub mlp_norm: Vec<f32>,
    /// Gate and up projection, stacked: `[2 intermediate, hidden]`.
    pub gate_up: Stack,
    /// `[hidden, intermediate]`.
    pub down: Matrix,
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

/// Where tensors come from.
pub enum Source<'a> {
    /// A GGUF file.
    Gguf(&'a Gguf),
    /// A Hugging Face folder.
    Safetensors(&'a Safetensors, PathBuf),
    /// Made up when asked for, of a type; for measuring.
    Random(GgmlDType),
}

/// The roles of a block's tensors, with their Hugging Face and GGUF names.
#[derive(Clone, Copy)]
enum Part {
    AttentionNorm,
    Query,
    Key,
    Value,
    Output,
    MlpNorm,
    Gate,
    Up,
    Down,
}

impl Part {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AttentionNorm => ("input_layernorm", "attn_norm"),
            Self::Query => ("self_attn.q_proj", "attn_q"),
            Self::Key => ("self_attn.k_proj", "attn_k"),
            Self::Value => ("self_attn.v_proj", "attn_v"),
            Self::Output => ("self_attn.o_proj", "attn_output"),
            Self::MlpNorm => ("post_attention_layernorm", "ffn_norm"),
            Self::Gate => ("mlp.gate_proj", "ffn_gate"),
            Self::Up => ("mlp.up_proj", "ffn_up"),
            Self::Down => ("mlp.down_proj", "ffn_down"),
        }
    }
}

/// Tensors in these files that carry nothing that the config does not.
const REDUNDANT: [&str; 2] = ["rope_freqs.weight", "rotary_emb.inv_freq"];

impl Weights {
    /// Reads all tensors onto `device`. `progress` gets the bytes done and in total, and may break.
    ///
    /// # Errors
    /// [`LoadError`] naming file, tensor and expectation.
    pub fn load(
        source: &Source<'_>,
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

impl Source<'_> {
    fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Gguf(gguf) => gguf.names().map(str::to_owned).collect(),
            Self::Safetensors(files, _) => files.names().map(str::to_owned).collect(),
            Self::Random(_) => BTreeSet::new(),
        }
    }

    fn bytes(&self, config: &Config) -> u64 {
        match self {
            Self::Gguf(gguf) => gguf.tensor_bytes(),
            Self::Safetensors(files, _) => files.tensor_bytes(),
            Self::Random(dtype) => {
                let per_layer =
                    (config.q_width() * 2 + config.kv_width() * 2 + config.intermediate * 3) * config.hidden;
                let heads = if config.tied == Some(true) { 1 } else { 2 };
                let parameters = per_layer * config.layers + heads * config.vocab * config.hidden;
                (parameters / dtype.block_size() * dtype.type_size()) as u64
            }
        }
    }

    fn read(&self, name: &str, dims: &[usize]) -> Result<Option<RawTensor>, LoadError> {
        match self {
            Self::Gguf(gguf) => gguf.tensor(name),
            Self::Safetensors(files, _) => files.tensor(name),
            Self::Random(dtype) => super::random::tensor(name, dims, *dtype).map(Some),
        }
    }

    /// An error about a tensor, with the file that has it or should.
    fn error(&self, name: &str, message: String) -> LoadError {
        let path = match self {
            Self::Gguf(gguf) => gguf.blob().path().to_owned(),
            Self::Safetensors(files, folder) => {
                files.blob(name).map_or_else(|| folder.clone(), |b| b.path().to_owned())
            }
            Self::Random(_) => PathBuf::from("random weights"),
        };
        LoadError::Format { path, message: format!("tensor {name} {message}") }
    }
}

struct Loader<'a> {
    source: &'a Source<'a>,
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
        let embedding = self.tensor(&self.global("embed_tokens", "token_embd"), &[c.vocab, c.hidden])?;
        self.dtype = compute_dtype(self.device, embedding.dtype);
        let embedding = self.place(embedding)?;
        let mut layers = Vec::new();
        for index in 0..c.layers {
            layers.push(self.layer(index)?);
        }
        let norm = self.vector(&self.global("norm", "output_norm"), c.hidden)?;
        let head_name = if self.is_gguf() { "output.weight" } else { "lm_head.weight" };
        let random = matches!(self.source, Source::Random(_));
        let stored = match c.tied {
            // Random weights hold what is asked for, so a tied model must not ask.
            Some(true) if random => None,
            _ => self.optional(head_name, &[c.vocab, c.hidden])?,
        };
        let head = match (c.tied, stored) {
            // Some tied models repeat the embedding as the head.
            (Some(true), _) | (None, None) => embedding.clone(),
            (_, Some(head)) => self.place(head)?,
            (Some(false), None) => return Err(self.source.error(head_name, "is missing".into())),
        };
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

    fn layer(&mut self, index: usize) -> Result<Layer, LoadError> {
        let c = self.config;
        let weight = |part| self.name(index, part, "weight");
        let names = [Part::Query, Part::Key, Part::Value].map(weight);
        let (gate, up) = (weight(Part::Gate), weight(Part::Up));
        let (output, down) = (weight(Part::Output), weight(Part::Down));
        let (attention_norm, mlp_norm) = (weight(Part::AttentionNorm), weight(Part::MlpNorm));
        let mut qkv_bias = Vec::new();
        if c.architecture == Architecture::Qwen2 {
            for (part, height) in self.projections() {
                let name = self.name(index, part, "bias");
                let bias = self.tensor(&name, &[height])?;
                qkv_bias.extend(bias.values()?);
            }
        }
        let mut qkv = Vec::new();
        for (name, (part, height)) in names.iter().zip(self.projections()) {
            let mut matrix = self.tensor(name, &[height, c.hidden])?;
            let paired = self.is_gguf() && c.architecture == Architecture::Llama;
            if paired && !matches!(part, Part::Value) {
                matrix = matrix.unpair_rows(c.head_dim);
            }
            qkv.push(matrix);
        }
        let gate_up = vec![
            self.tensor(&gate, &[c.intermediate, c.hidden])?,
            self.tensor(&up, &[c.intermediate, c.hidden])?,
        ];
        let output = self.tensor(&output, &[c.hidden, c.q_width()])?;
        let down = self.tensor(&down, &[c.hidden, c.intermediate])?;
        Ok(Layer {
            attention_norm: self.vector(&attention_norm, c.hidden)?,
            qkv: self.stack(qkv)?,
            qkv_bias,
            output: self.place(output)?,
            mlp_norm: self.vector(&mlp_norm, c.hidden)?,
            gate_up: self.stack(gate_up)?,
            down: self.place(down)?,
        })
    }

    fn projections(&self) -> [(Part, usize); 3] {
        let (q, kv) = (self.config.q_width(), self.config.kv_width());
        [(Part::Query, q), (Part::Key, kv), (Part::Value, kv)]
    }

    fn is_gguf(&self) -> bool {
        matches!(self.source, Source::Gguf(_))
    }

    fn global(&self, hugging_face: &str, gguf: &str) -> String {
        if self.is_gguf() { format!("{gguf}.weight") } else { format!("model.{hugging_face}.weight") }
    }

    fn name(&self, layer: usize, part: Part, kind: &str) -> String {
        let (hugging_face, gguf) = part.names();
        if self.is_gguf() {
            format!("blk.{layer}.{gguf}.{kind}")
        } else {
            format!("model.layers.{layer}.{hugging_face}.{kind}")
        }
    }

    /// Reads a tensor that must be there.
    fn tensor(&mut self, name: &str, dims: &[usize]) -> Result<RawTensor, LoadError> {
        self.optional(name, dims)?
            .ok_or_else(|| self.source.error(name, format!("is missing (expected with the shape {dims:?})")))
    }

    /// Reads a tensor of the given shape, counts and hashes it.
    fn optional(&mut self, name: &str, dims: &[usize]) -> Result<Option<RawTensor>, LoadError> {
        if (self.progress)(self.done, self.total).is_break() {
            return Err(LoadError::Cancelled);
        }
        let Some(tensor) = self.source.read(name, dims)? else { return Ok(None) };
        if tensor.dims != dims {
            let message = format!("has the shape {:?}, expected {dims:?}", tensor.dims);
            return Err(self.source.error(name, message));
        }
        self.unused.remove(name);
        self.done += tensor.data.len() as u64;
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

    fn stack(&self, parts: Vec<RawTensor>) -> Result<Stack, LoadError> {
        let mut merged: Vec<RawTensor> = Vec::new();
        for part in parts {
            let rest = match merged.last_mut() {
                Some(last) => last.stack(part).err(),
                None => Some(part),
            };
            merged.extend(rest);
        }
        Ok(Stack(merged.into_iter().map(|part| self.place(part)).collect::<Result<_, _>>()?))
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
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Name, type, shape, and every so many bytes of the data.
    pub(super) fn tensor(&mut self, tensor: &RawTensor) {
        self.bytes(tensor.name.as_bytes());
        self.bytes(format!("{:?}{:?}", tensor.dtype, tensor.dims).as_bytes());
        let step = (tensor.data.len() / 4096).max(1) | 1;
        for &byte in tensor.data.iter().step_by(step) {
            self.bytes(&[byte]);
        }
    }

    /// The hash so far.
    pub(super) fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}
