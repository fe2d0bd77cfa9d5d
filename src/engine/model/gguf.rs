//! A GGUF file, or one that was split into several, read without trusting it.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Every count, length and
//! offset is checked against what is left of the file before anything is allocated for it, and
//! every error names the key or the tensor. Tensor data is read later, one tensor at a time.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;

use super::blob::Blob;
use super::raw;
use crate::engine::error::LoadError;

mod header;
pub mod types;

use header::Header;
use types::{BlockType, SUPPORTED};

const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_ALIGNMENT: u64 = 1 << 20;
/// Bytes of the longest list of rotary divisors: a head has a few hundred dimensions. It is read when models
/// are listed.
const MAX_FACTORS: u64 = 1 << 16;

/// A GGUF model whose header is in memory.
#[derive(Debug)]
pub struct Gguf {
    parts: Vec<Blob>,
    metadata: HashMap<String, Value>,
    tensors: BTreeMap<String, Entry>,
}

/// Where a tensor lies and what it is.
#[derive(Debug)]
struct Entry {
    kind: BlockType,
    /// Outermost first, the order of the rest of the project; GGUF has them reversed.
    dims: Vec<usize>,
    /// Which of the files.
    part: usize,
    offset: u64,
    bytes: u64,
}

impl Gguf {
    /// Reads and checks the header of a model that is one file.
    ///
    /// # Errors
    /// [`LoadError::Format`] naming the key or tensor, for anything that is not a well-formed
    /// little-endian GGUF of version 2 or 3.
    pub fn open(blob: Blob) -> Result<Self, LoadError> {
        Self::open_parts(vec![blob])
    }

    /// Reads and checks the headers of a model that `llama-gguf-split` cut into several files, in
    /// their order. The metadata is that of the first.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if they are not the parts of one model.
    pub fn open_parts(blobs: Vec<Blob>) -> Result<Self, LoadError> {
        let mut all = Self { parts: Vec::new(), metadata: HashMap::new(), tensors: BTreeMap::new() };
        let count = blobs.len();
        for blob in blobs {
            all.add(blob, count)?;
        }
        Ok(all)
    }

    fn add(&mut self, blob: Blob, count: usize) -> Result<(), LoadError> {
        let (metadata, mut tensors, end) = blob.stream(|stream| Header::new(&blob, stream).read())?;
        let part = self.parts.len();
        let number = |key: &str| metadata.get(key).and_then(unsigned);
        let of = number("split.count").unwrap_or(1).max(1);
        if of != count as u64 || (of > 1 && number("split.no") != Some(part as u64)) {
            return Err(blob.error(format!(
                "it is one of {of} parts of a model; expected all of them in one folder, named like \
                 model-00001-of-{of:05}.gguf"
            )));
        }
        let alignment = match metadata.get("general.alignment") {
            None => DEFAULT_ALIGNMENT,
            Some(value) => unsigned(value)
                .filter(|a| a.is_power_of_two() && (8..=MAX_ALIGNMENT).contains(a))
                .ok_or_else(|| {
                    blob.error(format!(
                        "general.alignment must be a power of two from 8 to {MAX_ALIGNMENT}, is {value:?}"
                    ))
                })?,
        };
        place(&blob, &mut tensors, end.next_multiple_of(alignment), alignment)?;
        for (name, mut tensor) in tensors {
            tensor.part = part;
            if let Some(first) = self.blob_of(&name) {
                let first = first.path().display();
                return Err(blob.error(format!("tensor {name} occurs twice; the first is in {first}")));
            }
            self.tensors.insert(name, tensor);
        }
        if part == 0 {
            self.metadata = metadata;
        }
        self.parts.push(blob);
        Ok(())
    }

    /// The file, or the first of several, for messages.
    pub fn path(&self) -> &std::path::Path {
        self.parts.first().map_or(std::path::Path::new(""), Blob::path)
    }

    /// The file that holds a tensor.
    pub fn blob_of(&self, name: &str) -> Option<&Blob> {
        self.parts.get(self.tensors.get(name)?.part)
    }

    /// An error about the file, or the first of several.
    pub fn error(&self, message: impl Into<String>) -> LoadError {
        LoadError::Format { path: self.path().to_owned(), message: message.into() }
    }

    /// All metadata.
    pub fn metadata(&self) -> &HashMap<String, Value> {
        &self.metadata
    }

    /// A string from the metadata.
    pub fn string(&self, key: &str) -> Option<&str> {
        match self.metadata.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A non-negative integer from the metadata.
    pub fn integer(&self, key: &str) -> Option<u64> {
        unsigned(self.metadata.get(key)?)
    }

    /// A number from the metadata.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.metadata.get(key)? {
            Value::F32(v) => Some(f64::from(*v)),
            Value::F64(v) => Some(*v),
            other => unsigned(other).map(|v| v as f64),
        }
    }

    /// A truth value from the metadata.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        match self.metadata.get(key)? {
            Value::Bool(v) => Some(*v),
            _ => None,
        }
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The sizes of a tensor, outermost first.
    pub fn dims(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|t| t.dims.as_slice())
    }

    /// Bytes of all tensors together.
    pub fn tensor_bytes(&self) -> u64 {
        self.tensors.values().map(|t| t.bytes).sum()
    }

    /// Every tensor's name, block type and number of elements.
    pub fn types(&self) -> impl Iterator<Item = (&str, BlockType, u64)> {
        self.tensors.iter().map(|(name, t)| (name.as_str(), t.kind, t.bytes / t.kind.bytes * t.kind.elements))
    }

    /// A tensor's block type and sizes; `None` if there is none of that name.
    ///
    /// # Errors
    /// If nothing can compute with its type.
    pub fn find(&self, name: &str) -> Result<Option<(GgmlDType, &[usize])>, LoadError> {
        let Some(entry) = self.tensors.get(name) else { return Ok(None) };
        match entry.kind.dtype {
            Some(dtype) => Ok(Some((dtype, &entry.dims))),
            None => Err(self.unsupported(name, entry)),
        }
    }

    /// Where a tensor's data lies: its file, where it begins, and its length.
    pub fn place(&self, name: &str) -> Option<(&Blob, u64, u64)> {
        let entry = self.tensors.get(name)?;
        Some((self.blob_of(name)?, entry.offset, entry.bytes))
    }

    /// The `len` bytes of a tensor from its byte `from` on; none if there is no tensor of that name.
    ///
    /// # Errors
    /// If the file ends early or cannot be read.
    pub fn read(&self, name: &str, from: u64, len: u64) -> Result<Cow<'_, [u8]>, LoadError> {
        match (self.tensors.get(name), self.blob_of(name)) {
            (Some(entry), Some(blob)) => blob.read(entry.offset.saturating_add(from), len),
            _ => Ok(Cow::Borrowed(&[])),
        }
    }

    /// The divisors of the rotary frequencies, which some files have as a tensor.
    ///
    /// # Errors
    /// If the tensor cannot be read.
    pub fn read_factors(&self) -> Result<Option<Vec<f32>>, LoadError> {
        let Some((name, entry)) = self.tensors.get_key_value("rope_freqs.weight") else { return Ok(None) };
        let (Some((dtype, dims)), Some(blob)) = (self.find(name)?, self.blob_of(name)) else {
            return Ok(None);
        };
        if entry.bytes > MAX_FACTORS {
            let message = format!("tensor {name} has {} bytes, {MAX_FACTORS} are the limit", entry.bytes);
            return Err(blob.error(message));
        }
        Ok(Some(raw::values(dtype, dims, &blob.read(entry.offset, entry.bytes)?)?))
    }

    /// Fails if a tensor has a type that nothing can compute with.
    ///
    /// # Errors
    /// [`LoadError::Format`], naming the tensor, its type and those that are supported.
    pub fn check_types(&self) -> Result<(), LoadError> {
        match self.tensors.iter().find(|(_, t)| t.kind.dtype.is_none()) {
            Some((name, entry)) => Err(self.unsupported(name, entry)),
            None => Ok(()),
        }
    }

    fn unsupported(&self, name: &str, entry: &Entry) -> LoadError {
        let kind = entry.kind.name;
        let message =
            format!("tensor {name} has the type {kind}, which is not supported (supported: {SUPPORTED})");
        let path = self.blob_of(name).map_or(self.path(), Blob::path).to_owned();
        LoadError::Format { path, message }
    }
}

/// Turns offsets within the data section into offsets within the file, and checks that every
/// tensor lies inside of it and none over another.
fn place(
    blob: &Blob,
    tensors: &mut BTreeMap<String, Entry>,
    start: u64,
    alignment: u64,
) -> Result<(), LoadError> {
    let mut ranges = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        if !tensor.offset.is_multiple_of(alignment) {
            return Err(blob.error(format!(
                "tensor {name}: its offset {} is not a multiple of the alignment {alignment}",
                tensor.offset
            )));
        }
        let end = start.checked_add(tensor.offset).and_then(|offset| {
            tensor.offset = offset;
            offset.checked_add(tensor.bytes)
        });
        match end {
            Some(end) if end <= blob.size() => ranges.push((tensor.offset, end, name.as_str())),
            _ => {
                return Err(blob.error(format!(
                    "truncated: tensor {name} needs {} bytes at {}, the file has {}",
                    tensor.bytes,
                    tensor.offset,
                    blob.size()
                )));
            }
        }
    }
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        if pair[1].0 < pair[0].1 {
            return Err(blob.error(format!("tensors {} and {} overlap", pair[0].2, pair[1].2)));
        }
    }
    Ok(())
}

fn unsigned(value: &Value) -> Option<u64> {
    match *value {
        Value::U8(v) => Some(v.into()),
        Value::U16(v) => Some(v.into()),
        Value::U32(v) => Some(v.into()),
        Value::U64(v) => Some(v),
        Value::I8(v) => v.try_into().ok(),
        Value::I16(v) => v.try_into().ok(),
        Value::I32(v) => v.try_into().ok(),
        Value::I64(v) => v.try_into().ok(),
        _ => None,
    }
}
