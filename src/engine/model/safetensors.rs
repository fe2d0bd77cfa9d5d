//! The headers of one or several safetensors files, read without trusting them.
//!
//! Format: <https://huggingface.co/docs/safetensors/index#format>. The tensors of a file must
//! cover its data section exactly, without gaps and overlaps, and a name may occur only once
//! over all shards. Tensor data is read later, one tensor at a time.

use std::collections::BTreeMap;
use std::fmt;

use candle_core::quantized::GgmlDType;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::blob::{Blob, OnRead};
use crate::engine::error::LoadError;

/// The longest header; the format's own limit.
const MAX_HEADER: u64 = 100_000_000;

/// The tensors of all shards of a model.
#[derive(Debug, Default)]
pub struct Safetensors {
    shards: Vec<Blob>,
    tensors: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    shard: usize,
    dtype: String,
    dims: Vec<usize>,
    offset: u64,
    bytes: u64,
}

/// One entry of a header as it is written.
#[derive(Debug, Deserialize)]
struct Description {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Safetensors {
    /// Reads and checks the headers of all shards.
    ///
    /// # Errors
    /// [`LoadError::Format`] naming the file and the tensor.
    pub fn open(blobs: Vec<Blob>) -> Result<Self, LoadError> {
        let mut all = Self::default();
        for blob in blobs {
            all.add(blob)?;
        }
        Ok(all)
    }

    fn add(&mut self, blob: Blob) -> Result<(), LoadError> {
        let size = blob.read(0, 8)?;
        let size = u64::from_le_bytes(std::array::from_fn(|i| size[i]));
        if size > MAX_HEADER || size > blob.size() - 8 {
            return Err(blob.error(format!(
                "the header is said to have {size} bytes, the file has {} (the limit is {MAX_HEADER})",
                blob.size()
            )));
        }
        let header = blob.read(8, size)?;
        let header: Entries = serde_json::from_slice(&header)
            .map_err(|e| blob.error(format!("the header is not that of a safetensors file: {e}")))?;
        let start = 8 + size;
        let shard = self.shards.len();
        let mut ranges = Vec::new();
        for (name, description) in header.0 {
            let entry = check(&blob, shard, start, &name, description)?;
            ranges.push((entry.offset, entry.bytes, name.clone()));
            if let Some(other) = self.tensors.insert(name.clone(), entry) {
                let other = self.shards.get(other.shard).map_or(blob.path(), Blob::path);
                return Err(
                    blob.error(format!("tensor {name} occurs twice; the first is in {}", other.display()))
                );
            }
        }
        ranges.sort_unstable();
        let mut end = start;
        for (offset, bytes, name) in ranges {
            if offset != end {
                let what = if offset > end { "a gap before" } else { "an overlap at" };
                return Err(blob.error(format!(
                    "{what} tensor {name}: it starts at {}, {} expected",
                    offset - start,
                    end - start
                )));
            }
            end += bytes;
        }
        if end != blob.size() {
            return Err(blob.error(format!(
                "the tensors end at byte {end}, the file has {}: it is truncated or has bytes that no tensor owns",
                blob.size()
            )));
        }
        self.shards.push(blob);
        Ok(())
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

    /// The file that holds the tensor.
    pub fn blob(&self, name: &str) -> Option<&Blob> {
        self.shards.get(self.tensors.get(name)?.shard)
    }

    /// Every tensor's name, type, number of elements and bytes.
    pub fn types(&self) -> impl Iterator<Item = (&str, &str, u64, u64)> {
        self.tensors.iter().map(|(name, t)| {
            let elements = t.dims.iter().map(|&d| d as u64).product();
            (name.as_str(), t.dtype.as_str(), elements, t.bytes)
        })
    }

    /// A tensor's type and sizes; `None` if there is none of that name.
    ///
    /// # Errors
    /// If its type is not F32, F16 or BF16.
    pub fn find(&self, name: &str) -> Result<Option<(GgmlDType, &[usize])>, LoadError> {
        let Some(entry) = self.tensors.get(name) else { return Ok(None) };
        match block_type(&entry.dtype) {
            Some(dtype) => Ok(Some((dtype, &entry.dims))),
            None => Err(self.unsupported(name, entry)),
        }
    }

    /// Fails if a tensor has a type that nothing can compute with.
    ///
    /// # Errors
    /// [`LoadError::Format`], naming the tensor, its type and those that are supported.
    pub fn check_types(&self) -> Result<(), LoadError> {
        match self.tensors.iter().find(|(_, t)| block_type(&t.dtype).is_none()) {
            Some((name, entry)) => Err(self.unsupported(name, entry)),
            None => Ok(()),
        }
    }

    fn unsupported(&self, name: &str, entry: &Entry) -> LoadError {
        let message = format!(
            "tensor {name} has the type {}, which is not supported (supported: F32, F16, BF16)",
            entry.dtype
        );
        let path = self.blob(name).map_or_else(Default::default, |b| b.path().to_owned());
        LoadError::Format { path, message }
    }

    /// Where a tensor's data lies: its file, where it begins, and its length.
    pub fn place(&self, name: &str) -> Option<(&Blob, u64, u64)> {
        let entry = self.tensors.get(name)?;
        Some((self.blob(name)?, entry.offset, entry.bytes))
    }

    /// Reads a tensor's data, `piece` bytes at a time; nothing if there is none of that name.
    ///
    /// # Errors
    /// If the file ends early or cannot be read, and [`LoadError::Cancelled`].
    pub fn pieces(
        &self,
        name: &str,
        piece: usize,
        on_read: OnRead<'_>,
        sink: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), LoadError> {
        match self.place(name) {
            Some((blob, offset, bytes)) => blob.pieces(offset, bytes, piece, on_read, sink),
            None => Ok(()),
        }
    }
}

/// The types that the decoders can compute with.
pub fn block_type(dtype: &str) -> Option<GgmlDType> {
    match dtype {
        "F32" => Some(GgmlDType::F32),
        "F16" => Some(GgmlDType::F16),
        "BF16" => Some(GgmlDType::BF16),
        _ => None,
    }
}

fn check(
    blob: &Blob,
    shard: usize,
    start: u64,
    name: &str,
    description: Description,
) -> Result<Entry, LoadError> {
    let (from, to) = description.data_offsets;
    let room = blob.size() - start;
    if from > to || to > room {
        return Err(blob.error(format!(
            "truncated: tensor {name} lies at {from}..{to}, the file has {room} bytes of data"
        )));
    }
    let size = match description.dtype.as_str() {
        "F32" => 4,
        "F16" | "BF16" => 2,
        // Tensors of other types may be there as long as nobody asks for them.
        _ => 0,
    };
    let mut elements = 1u64;
    for &dim in &description.shape {
        elements = elements
            .checked_mul(dim)
            .filter(|&n| n <= 1 << 48)
            .ok_or_else(|| blob.error(format!("tensor {name} has an impossible dimension {dim}")))?;
    }
    if size > 0 && elements * size != to - from {
        return Err(blob.error(format!(
            "tensor {name} of type {} and shape {:?} needs {} bytes, its offsets give it {}",
            description.dtype,
            description.shape,
            elements * size,
            to - from
        )));
    }
    Ok(Entry {
        shard,
        dtype: description.dtype,
        dims: description.shape.iter().map(|&d| d as usize).collect(),
        offset: start + from,
        bytes: to - from,
    })
}

/// The header's entries in order. A JSON map would keep only the last of two equal names.
struct Entries(Vec<(String, Description)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from tensor names to {dtype, shape, data_offsets}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        let description = map
                            .next_value()
                            .map_err(|e| serde::de::Error::custom(format!("tensor {name}: {e}")))?;
                        entries.push((name, description));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
