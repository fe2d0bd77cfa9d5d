//! GGUF files through the quantised models of candle-transformers, and our own of Gemma 3.
//!
//! candle's models read the metadata themselves; what it would read wrong is refused before. The header it is given
//! is the one that our own [`Gguf`] has checked, and the data comes through a reader that counts
//! the bytes and fails once the load is cancelled.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read, Seek, SeekFrom};

use candle_core::quantized::gguf_file::{Content, TensorInfo, Value, VersionedMagic};
use candle_core::{DType, Device, Error, Shape};
use candle_transformers::models::{quantized_glm4, quantized_phi, quantized_phi3};

use super::family::{Built, running};
use super::gemma3::{Config as Gemma3Config, Gemma3};
use super::settings;
use super::{Passes, Report};
use crate::engine::error::LoadError;
use crate::engine::model::gguf::Gguf;
use crate::engine::model::raw::dtype_name;
use crate::engine::model::weights::{Fnv, PIECE, Summary};

/// A family of quantised models.
#[derive(Debug)]
pub struct Family {
    /// `general.architecture`.
    pub name: &'static str,
    /// Refuses what candle's model does not compute; gives the longest context it does.
    check: fn(&Sizes<'_>) -> Result<usize, String>,
    /// Which passes are right.
    pub passes: Passes,
    /// The kinds of rotary embedding beside the plain one.
    ropes: &'static [&'static str],
    build: fn(&Model, Content, &mut Reader<'_>, &Device) -> Built,
}

/// All of them take several tokens at any position.
const PASSES: Passes = Passes { most: settings::PIECE, until: usize::MAX, again: true };

/// The families whose logits are those of transformers.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "phi2",
        check: phi2,
        passes: PASSES,
        ropes: &[],
        build: |_, c, r, d| {
            running(quantized_phi::ModelWeights::from_gguf(c, r, d)?, quantized_phi::ModelWeights::forward)
        },
    },
    Family {
        name: "phi3",
        check: phi3,
        passes: PASSES,
        ropes: &[],
        build: |_, c, r, d| {
            running(
                quantized_phi3::ModelWeights::from_gguf(false, c, r, d)?,
                quantized_phi3::ModelWeights::forward,
            )
        },
    },
    Family {
        name: "glm4",
        check: glm4,
        passes: PASSES,
        ropes: &[],
        build: |_, c, r, d| {
            running(
                quantized_glm4::ModelWeights::from_gguf(c, r, d, DType::F32)?,
                quantized_glm4::ModelWeights::forward,
            )
        },
    },
    Family {
        name: "gemma3",
        check: |sizes| Gemma3Config::of_gguf(sizes.gguf, sizes.head_dim, sizes.vocab).map(|_| sizes.context),
        passes: PASSES,
        ropes: &["linear"],
        build: |m, c, r, d| {
            let config = Gemma3Config::of_gguf(r.gguf, m.head_dim, m.vocab).map_err(Error::Msg)?;
            Ok(Box::new(Gemma3::of_gguf(config, &c, r, d)?))
        },
    },
];

/// What a file says of its model, checked.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The family.
    pub family: &'static Family,
    /// Width of the logits.
    pub vocab: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// The context that the model was trained for.
    pub trained: usize,
    /// The longest context that candle computes right.
    pub context: usize,
}

/// The metadata of a family's file.
struct Sizes<'a> {
    gguf: &'a Gguf,
    name: &'a str,
    context: usize,
    head_dim: usize,
    vocab: usize,
}

impl Sizes<'_> {
    fn integer(&self, suffix: &str) -> Option<u64> {
        self.gguf.integer(&format!("{}.{suffix}", self.name))
    }

    /// Refuses another number under a key, which may be absent.
    fn only(&self, suffix: &str, only: f64) -> Result<(), String> {
        let key = format!("{}.{suffix}", self.name);
        match self.gguf.number(&key) {
            Some(value) if value != only => {
                Err(format!("{key} is {value}, candle's model of {} computes only {only}", self.name))
            }
            _ => Ok(()),
        }
    }
}

impl Model {
    /// Reads the metadata; `None` if the architecture is not one of the [`FAMILIES`].
    ///
    /// # Errors
    /// A message naming the key and what was expected.
    pub fn read(gguf: &Gguf) -> Result<Option<Self>, String> {
        let Some(name) = gguf.string("general.architecture") else { return Ok(None) };
        let Some(family) = FAMILIES.iter().find(|f| f.name == name) else { return Ok(None) };
        let size = |suffix: &str, most: u64| {
            let key = format!("{name}.{suffix}");
            match gguf.integer(&key) {
                Some(n) if (1..=most).contains(&n) => Ok(n as usize),
                Some(n) => Err(format!("{key} is {n}, expected 1 to {most}")),
                None => Err(format!("{key} is missing or not a whole number")),
            }
        };
        let (hidden, heads) = (size("embedding_length", 1 << 16)?, size("attention.head_count", 1 << 10)?);
        size("block_count", 1 << 10)?;
        let trained = size("context_length", 1 << 30)?;
        let kv_heads = size("attention.head_count_kv", 1 << 10)?;
        if !heads.is_multiple_of(kv_heads) {
            return Err(format!("{heads} query heads cannot share {kv_heads} key/value heads evenly"));
        }
        let head_dim = match gguf.integer(&format!("{name}.attention.key_length")) {
            Some(n) if n > 0 && n <= 1 << 10 => n as usize,
            None if hidden.is_multiple_of(heads) => hidden / heads,
            _ => return Err(format!("the head size is not {hidden} / {heads}")),
        };
        let kinds = [&["none"], family.ropes].concat();
        let kind = gguf.string(&format!("{name}.rope.scaling.type"));
        if let Some(kind) = kind.filter(|kind| !kinds.contains(kind)) {
            return Err(format!(
                "the rope kind {kind:?} is not supported for {name} in GGUF (supported: {})",
                kinds.join(", ")
            ));
        }
        if let Some(factors) = gguf.names().find(|n| n.starts_with("rope_f")) {
            return Err(format!(
                "tensor {factors}: scaled rotary embeddings are not supported for {name} in GGUF"
            ));
        }
        let vocab = match gguf.dims("token_embd.weight") {
            Some(&[vocab, width]) if width == hidden => vocab,
            Some(dims) => {
                return Err(format!(
                    "tensor token_embd.weight has the shape {dims:?}, expected {hidden} columns"
                ));
            }
            None => return Err("tensor token_embd.weight is missing".into()),
        };
        let context = (family.check)(&Sizes { gguf, name, context: trained, head_dim, vocab })?;
        Ok(Some(Self { family, vocab, head_dim, trained, context }))
    }
}

/// candle's tables are for a base of 10,000 and 4096 tokens.
fn phi2(sizes: &Sizes<'_>) -> Result<usize, String> {
    sizes.only("rope.freq_base", 10_000.)?;
    Ok(sizes.context.min(quantized_phi::MAX_SEQ_LEN))
}

/// candle rotates whole heads, with a base of 10,000, and sees no sliding window.
fn phi3(sizes: &Sizes<'_>) -> Result<usize, String> {
    sizes.only("rope.freq_base", 10_000.)?;
    sizes.only("rope.dimension_count", sizes.head_dim as f64)?;
    sizes.only("rope.scaling.attn_factor", 1.)?;
    if sizes.gguf.dims("output.weight").is_none() {
        return Err(
            "tensor output.weight is missing; candle's model of phi3 does not tie it to the embedding".into(),
        );
    }
    let window = sizes.integer("attention.sliding_window").filter(|&w| w > 0);
    Ok(window.map_or(sizes.context, |w| sizes.context.min(w as usize)))
}

/// candle rotates half of every head.
fn glm4(sizes: &Sizes<'_>) -> Result<usize, String> {
    sizes.only("rope.dimension_count", sizes.head_dim as f64 / 2.)?;
    Ok(sizes.context)
}

/// The tensors' data one after the other, as candle reads it.
struct Reader<'a> {
    gguf: &'a Gguf,
    /// Where each tensor begins.
    starts: BTreeMap<u64, &'a str>,
    total: u64,
    position: u64,
    /// Where candle began to read.
    begun: BTreeSet<u64>,
    done: u64,
    report: Report<'a>,
    cancelled: bool,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((start, name)) = self.starts.range(..=self.position).next_back() else { return Ok(0) };
        let end = self.starts.range(self.position + 1..).next().map_or(self.total, |(&next, _)| next);
        let len = buffer.len().min(PIECE).min(usize::try_from(end - self.position).unwrap_or(PIECE));
        let data = self.gguf.read(name, self.position - start, len as u64).map_err(io::Error::other)?;
        buffer[..data.len()].copy_from_slice(&data);
        self.position += data.len() as u64;
        self.done += data.len() as u64;
        if (self.report)(self.done.min(self.total), self.total).is_break() {
            self.cancelled = true;
            return Err(io::Error::other("cancelled"));
        }
        Ok(data.len())
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(offset) => {
                self.begun.insert(offset);
                offset
            }
            SeekFrom::End(0) => self.total,
            _ => return Err(io::Error::other("candle seeks to offsets and to the end only")),
        };
        Ok(self.position)
    }
}

/// Builds the model of a file with tables and caches for `context` tokens.
///
/// # Errors
/// [`LoadError`] naming file and tensor, or [`LoadError::Cancelled`]; apart from that, candle's.
pub fn build(
    gguf: &Gguf,
    model: Model,
    context: usize,
    device: &Device,
    report: Report<'_>,
) -> Result<(Built, Summary), LoadError> {
    let name = model.family.name;
    let mut metadata = gguf.metadata().clone();
    metadata.insert(format!("{name}.context_length"), Value::U32(context as u32));
    let (mut infos, mut starts, mut total) = (HashMap::new(), BTreeMap::new(), 0);
    let (mut counts, mut hash) = (BTreeMap::new(), Fnv::default());
    for tensor in gguf.names() {
        let Some((dtype, dims)) = gguf.find(tensor)? else { continue };
        let elements = dims.iter().product::<usize>();
        let bytes = (elements / dtype.block_size() * dtype.type_size()) as u64;
        *counts.entry(dtype_name(dtype)).or_insert(0u64) += elements as u64;
        hash.bytes(format!("{tensor}{dtype:?}{dims:?}").as_bytes());
        hash.sample(&gguf.read(tensor, 0, bytes.min(1024))?);
        infos.insert(
            tensor.to_owned(),
            TensorInfo { ggml_dtype: dtype, shape: Shape::from(dims), offset: total },
        );
        starts.insert(total, tensor);
        total += bytes;
    }
    let summary = Summary {
        parameters: counts.values().sum(),
        weights: counts.iter().max_by_key(|(_, n)| **n).map_or("f32", |(d, _)| *d).to_owned(),
        fingerprint: hash.hex(),
    };
    let content =
        Content { magic: VersionedMagic::GgufV3, metadata, tensor_infos: infos, tensor_data_offset: 0 };
    let begun = BTreeSet::new();
    let mut reader = Reader { gguf, starts, total, position: 0, begun, done: 0, report, cancelled: false };
    let built = super::guarded(|| (model.family.build)(&model, content, &mut reader, device));
    if reader.cancelled {
        return Err(LoadError::Cancelled);
    }
    let unused = reader.starts.iter().find(|(start, _)| built.is_ok() && !reader.begun.contains(start));
    match unused {
        Some((_, tensor)) => {
            let blob = gguf.blob_of(tensor).map_or(gguf.path(), |blob| blob.path());
            let message = format!("tensor {tensor} is not part of the {name} block");
            Err(LoadError::Format { path: blob.to_owned(), message })
        }
        None => Ok((built, summary)),
    }
}
