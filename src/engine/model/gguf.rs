//! The header of a GGUF file, read without trusting it.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Every count, length and
//! offset is checked against what is left of the file before anything is allocated for it, and
//! every error names the key or the tensor. Tensor data is read later, one tensor at a time.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;

use super::blob::Blob;
use super::raw::RawTensor;
use crate::engine::error::LoadError;

/// `GGUF`, little-endian.
const MAGIC: u32 = 0x4655_4747;
const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_ALIGNMENT: u64 = 1 << 20;
const MAX_DIMS: u32 = 4;
/// Longest key and tensor name.
const MAX_NAME: u64 = 1 << 16;
/// Longest string value; chat templates are the longest in practice, some tens of KB.
const MAX_STRING: u64 = 1 << 26;
/// Most elements of an array; the longest in practice are merges, some hundred thousand.
const MAX_ARRAY: u64 = 1 << 24;
const MAX_DEPTH: usize = 4;

/// A GGUF file whose header is in memory.
#[derive(Debug)]
pub struct Gguf {
    blob: Blob,
    metadata: HashMap<String, Value>,
    tensors: BTreeMap<String, Entry>,
}

/// Where a tensor lies and what it is.
#[derive(Debug)]
struct Entry {
    dtype: GgmlDType,
    /// Outermost first, the order of the rest of the project; GGUF has them reversed.
    dims: Vec<usize>,
    offset: u64,
    bytes: u64,
}

impl Gguf {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// [`LoadError::Format`] naming the key or tensor, for anything that is not a well-formed
    /// little-endian GGUF of version 2 or 3.
    pub fn open(blob: Blob) -> Result<Self, LoadError> {
        let (metadata, mut tensors, end) = blob.stream(|stream| Header::new(&blob, stream).read())?;
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
        let start = end.next_multiple_of(alignment);
        place(&blob, &mut tensors, start, alignment)?;
        Ok(Self { blob, metadata, tensors })
    }

    /// The file, for messages.
    pub fn blob(&self) -> &Blob {
        &self.blob
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

    /// A tensor's block type, its sizes, outermost first, and its place in the file.
    pub fn layout(&self, name: &str) -> Option<(GgmlDType, &[usize], u64)> {
        self.tensors.get(name).map(|t| (t.dtype, t.dims.as_slice(), t.offset))
    }

    /// Bytes of all tensors together.
    pub fn tensor_bytes(&self) -> u64 {
        self.tensors.values().map(|t| t.bytes).sum()
    }

    /// Reads one tensor's data; `None` if there is none of that name.
    ///
    /// # Errors
    /// If the file ends early or cannot be read.
    pub fn tensor(&self, name: &str) -> Result<Option<RawTensor>, LoadError> {
        let Some(entry) = self.tensors.get(name) else { return Ok(None) };
        let data = self.blob.read(entry.offset, entry.bytes)?.into_owned();
        Ok(Some(RawTensor { name: name.to_owned(), dtype: entry.dtype, dims: entry.dims.clone(), data }))
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

/// ggml's number for a block type; those that candle can compute with.
fn block_type(number: u32) -> Option<GgmlDType> {
    Some(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}

type Parsed = (HashMap<String, Value>, BTreeMap<String, Entry>, u64);

/// Reads the header front to back and knows how much of the file is left.
struct Header<'a> {
    blob: &'a Blob,
    stream: &'a mut dyn Read,
    position: u64,
    /// What is being read, for messages.
    subject: String,
}

impl<'a> Header<'a> {
    fn new(blob: &'a Blob, stream: &'a mut dyn Read) -> Self {
        Self { blob, stream, position: 0, subject: "the header".into() }
    }

    fn read(mut self) -> Result<Parsed, LoadError> {
        if self.blob.size() < 4 || self.u32()? != MAGIC {
            return Err(self.blob.error("not a GGUF file: it does not begin with the letters GGUF"));
        }
        let version = self.u32()?;
        if !(2..=3).contains(&version) {
            return Err(self.blob.error(format!(
                "GGUF version {version} is not supported (2 and 3 in little-endian order are)"
            )));
        }
        let tensor_count = self.u64()?;
        let key_count = self.u64()?;
        // An entry is at least a name's length, a type and a byte of value; a tensor at least
        // a name's length, the number of dimensions, a type and an offset.
        self.expect(key_count, 13, "metadata entries")?;
        self.expect(tensor_count, 24, "tensors")?;

        let mut metadata = HashMap::new();
        for index in 0..key_count {
            self.subject = format!("the key of metadata entry {index}");
            let key = self.string(MAX_NAME)?;
            self.subject = format!("metadata {key}");
            let kind = self.u32()?;
            let value = self.value(kind, 0)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(self.blob.error(format!("metadata {key} occurs twice")));
            }
        }
        let mut tensors = BTreeMap::new();
        for index in 0..tensor_count {
            self.subject = format!("the name of tensor {index}");
            let name = self.string(MAX_NAME)?;
            self.subject = format!("tensor {name}");
            let tensor = self.tensor(&name)?;
            if tensors.insert(name.clone(), tensor).is_some() {
                return Err(self.blob.error(format!("tensor {name} occurs twice")));
            }
        }
        Ok((metadata, tensors, self.position))
    }

    fn tensor(&mut self, name: &str) -> Result<Entry, LoadError> {
        let rank = self.u32()?;
        if !(1..=MAX_DIMS).contains(&rank) {
            return Err(self.error(format!("has {rank} dimensions, 1 to {MAX_DIMS} are possible")));
        }
        let mut dims = Vec::new();
        let mut elements = 1u64;
        for _ in 0..rank {
            let dim = self.u64()?;
            elements = elements
                .checked_mul(dim)
                .filter(|&n| dim > 0 && n <= 1 << 48)
                .ok_or_else(|| self.error(format!("has an impossible dimension {dim}")))?;
            dims.push(dim as usize);
        }
        let number = self.u32()?;
        let dtype = block_type(number).ok_or_else(|| {
            self.error(format!(
                "has the unsupported type {number} (supported: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K)"
            ))
        })?;
        let block = dtype.block_size();
        // GGUF's first dimension is a row; rows are made of whole blocks.
        if !dims[0].is_multiple_of(block) {
            return Err(self.error(format!("has rows of {}, {dtype:?} needs a multiple of {block}", dims[0])));
        }
        let bytes = elements / block as u64 * dtype.type_size() as u64;
        dims.reverse();
        let offset = self.u64()?;
        if bytes > self.blob.size() {
            return Err(self.blob.error(format!(
                "truncated: tensor {name} needs {bytes} bytes, the file has {}",
                self.blob.size()
            )));
        }
        Ok(Entry { dtype, dims, offset, bytes })
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value, LoadError> {
        Ok(match kind {
            0 => Value::U8(self.bytes::<1>()?[0]),
            1 => Value::I8(i8::from_le_bytes(self.bytes()?)),
            2 => Value::U16(u16::from_le_bytes(self.bytes()?)),
            3 => Value::I16(i16::from_le_bytes(self.bytes()?)),
            4 => Value::U32(self.u32()?),
            5 => Value::I32(i32::from_le_bytes(self.bytes()?)),
            6 => Value::F32(f32::from_le_bytes(self.bytes()?)),
            7 => match self.bytes::<1>()?[0] {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => return Err(self.error(format!("is a bool of value {other}, 0 or 1 expected"))),
            },
            8 => Value::String(self.string(MAX_STRING)?),
            9 => self.array(depth)?,
            10 => Value::U64(self.u64()?),
            11 => Value::I64(i64::from_le_bytes(self.bytes()?)),
            12 => Value::F64(f64::from_le_bytes(self.bytes()?)),
            _ => return Err(self.error(format!("has the unknown value type {kind}"))),
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, LoadError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(format!("nests arrays more than {MAX_DEPTH} deep")));
        }
        let kind = self.u32()?;
        let len = self.u64()?;
        let smallest = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            9 => 12,
            _ => 8,
        };
        if len > MAX_ARRAY {
            return Err(self.error(format!("is an array of {len} elements, {MAX_ARRAY} are the limit")));
        }
        self.expect(len, smallest, "array elements")?;
        let mut items = Vec::new();
        for _ in 0..len {
            items.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn string(&mut self, limit: u64) -> Result<String, LoadError> {
        let len = self.u64()?;
        if len > limit {
            return Err(self.error(format!("has a string of {len} bytes, {limit} are the limit")));
        }
        self.expect(len, 1, "bytes of text")?;
        let mut text = vec![0; len as usize];
        self.fill(&mut text)?;
        // Token tables hold pieces that are not UTF-8 on their own.
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Fails unless `count` things of at least `size` bytes can still follow.
    fn expect(&self, count: u64, size: u64, what: &str) -> Result<(), LoadError> {
        let left = self.blob.size() - self.position;
        if count.checked_mul(size).is_some_and(|needed| needed <= left) {
            return Ok(());
        }
        Err(self.error(format!("announces {count} {what}, but only {left} bytes follow")))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), LoadError> {
        self.expect(buffer.len() as u64, 1, "bytes")?;
        self.stream
            .read_exact(buffer)
            .map_err(|source| LoadError::Read { path: self.blob.path().to_owned(), source })?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let mut buffer = [0; N];
        self.fill(&mut buffer)?;
        Ok(buffer)
    }

    fn u32(&mut self) -> Result<u32, LoadError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Result<u64, LoadError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn error(&self, message: impl std::fmt::Display) -> LoadError {
        self.blob.error(format!("{} {message}", self.subject))
    }
}
