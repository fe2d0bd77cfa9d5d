//! Reads a GGUF header front to back.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use candle_core::quantized::gguf_file::Value;

use super::types::{BlockType, SUPPORTED};
use super::{Blob, Entry};
use crate::engine::error::LoadError;

/// `GGUF`, little-endian.
const MAGIC: u32 = 0x4655_4747;
const MAX_DIMS: u32 = 4;
/// Longest key and tensor name.
const MAX_NAME: u64 = 1 << 16;
/// Longest string value; chat templates are the longest in practice, some tens of KB.
const MAX_STRING: u64 = 1 << 26;
/// Most elements of an array; the longest in practice are merges, some hundred thousand.
const MAX_ARRAY: u64 = 1 << 22;
/// Most elements of all arrays together; in memory each takes many times what it takes in the file.
const MAX_ELEMENTS: u64 = 1 << 23;
const MAX_DEPTH: usize = 4;

/// Metadata, tensors with their offsets within the data section, and where the header ends.
pub(super) type Parsed = (HashMap<String, Value>, BTreeMap<String, Entry>, u64);

/// Reads the header front to back and knows how much of the file is left.
pub(super) struct Header<'a> {
    blob: &'a Blob,
    stream: &'a mut dyn Read,
    position: u64,
    /// Array elements so far.
    elements: u64,
    /// What is being read, for messages.
    subject: String,
}

impl<'a> Header<'a> {
    pub fn new(blob: &'a Blob, stream: &'a mut dyn Read) -> Self {
        Self { blob, stream, position: 0, elements: 0, subject: "the header".into() }
    }

    pub fn read(mut self) -> Result<Parsed, LoadError> {
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
        let kind = BlockType::of(number)
            .ok_or_else(|| self.error(format!("has the unknown type {number} (supported: {SUPPORTED})")))?;
        // GGUF's first dimension is a row; rows are made of whole blocks.
        if !(dims[0] as u64).is_multiple_of(kind.elements) {
            let BlockType { name, elements, .. } = kind;
            return Err(self.error(format!("has rows of {}, {name} needs a multiple of {elements}", dims[0])));
        }
        // At most 2^48 elements of at most 8 bytes.
        let bytes = elements / kind.elements * kind.bytes;
        dims.reverse();
        let offset = self.u64()?;
        if bytes > self.blob.size() {
            return Err(self.blob.error(format!(
                "truncated: tensor {name} needs {bytes} bytes, the file has {}",
                self.blob.size()
            )));
        }
        Ok(Entry { kind, dims, part: 0, offset, bytes })
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
        self.elements += len;
        if self.elements > MAX_ELEMENTS {
            return Err(self.error(format!(
                "makes {} array elements in all metadata, {MAX_ELEMENTS} are the limit",
                self.elements
            )));
        }
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
