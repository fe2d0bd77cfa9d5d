//! Matrices on their way to the device, piece by piece: the host never holds a whole one.
//!
//! Pieces go through memory that the device reads by itself, several processors copy each of them there, and
//! while one is on its way the next is read.

use std::cell::RefCell;

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DeviceRepr, result};
use candle_core::op::BackpropOp;
use candle_core::quantized::cuda::QCudaStorage;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{CudaDevice, CudaStorage, DType, Result, Storage, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

use super::kernels::{Pinned, pinned, place};
use crate::engine::model::matrix::Matrix;
use crate::engine::model::raw::is_dense;

/// Bytes of a part of a piece that one processor copies.
const SHARE: usize = 256 << 10;
/// Bytes that go to the device at once, and how many such pieces are on their way.
const SLOT: usize = 4 << 20;
const SLOTS: usize = 4;

thread_local! {
    /// Making such memory takes longer than sending it, so a thread that loads keeps its own.
    static STAGING: RefCell<Option<Staging>> = const { RefCell::new(None) };
}

struct Staging {
    /// The device whose driver made it.
    device: usize,
    slots: Vec<Pinned<u8>>,
    next: usize,
}

/// A matrix whose first bytes are on the device.
pub struct Upload {
    cuda: CudaDevice,
    dtype: GgmlDType,
    columns: usize,
    /// The memory, or why there is none.
    memory: Result<Memory>,
    bytes: usize,
    len: usize,
}

enum Memory {
    Plain(CudaSlice<u8>),
    Blocks(QCudaStorage),
}

impl Memory {
    fn new(cuda: &CudaDevice, dtype: GgmlDType, rows: usize, columns: usize, bytes: usize) -> Result<Self> {
        if is_dense(dtype) {
            // SAFETY: `finish` hands out no more than what `push` has written.
            Ok(Self::Plain(unsafe { cuda.alloc::<u8>(bytes) }?))
        } else {
            Ok(Self::Blocks(QCudaStorage::zeros(cuda, rows * columns, dtype)?))
        }
    }

    fn address(&self, cuda: &CudaDevice) -> Result<u64> {
        match self {
            Self::Plain(slice) => Ok(place(slice, &cuda.cuda_stream())),
            Self::Blocks(blocks) => Ok(blocks.device_ptr()? as u64),
        }
    }
}

impl Upload {
    /// Room for so many rows.
    pub fn new(cuda: &CudaDevice, dtype: GgmlDType, rows: usize, columns: usize) -> Self {
        let bytes = rows * columns / dtype.block_size() * dtype.type_size();
        let memory = Memory::new(cuda, dtype, rows, columns, bytes);
        Self { cuda: cuda.clone(), dtype, columns, memory, bytes, len: 0 }
    }

    /// Appends bytes. What fails is said by [`finish`](Self::finish).
    pub fn push(&mut self, data: &[u8]) {
        let Ok(memory) = &self.memory else { return };
        let sent = memory.address(&self.cuda).and_then(|address| {
            if self.len + data.len() > self.bytes {
                candle_core::bail!("more rows than were announced");
            }
            STAGING.with_borrow_mut(|staging| send(staging, &self.cuda, address + self.len as u64, data))
        });
        match sent {
            Ok(()) => self.len += data.len(),
            Err(error) => self.memory = Err(error),
        }
    }

    /// The matrix: plain numbers in `dtype`, blocks as they are.
    ///
    /// # Errors
    /// If the device had no memory or a copy failed.
    pub fn finish(self, dtype: DType) -> Result<Matrix> {
        let Self { cuda, columns, memory, bytes, len, .. } = self;
        let rows = len / self.dtype.type_size() * self.dtype.block_size() / columns.max(1);
        let (dims, count) = ([rows, columns], rows * columns);
        let storage = match memory? {
            Memory::Plain(memory) => match self.dtype {
                GgmlDType::F16 => CudaStorage::wrap_cuda_slice(typed::<f16>(memory, count), cuda),
                GgmlDType::BF16 => CudaStorage::wrap_cuda_slice(typed::<bf16>(memory, count), cuda),
                _ => CudaStorage::wrap_cuda_slice(typed::<f32>(memory, count), cuda),
            },
            Memory::Blocks(mut blocks) => {
                // Where the rows that follow are of another type, there are fewer of them than was announced.
                if len < bytes {
                    let (from, exact) = (blocks, QCudaStorage::zeros(&cuda, count, self.dtype)?);
                    let stream = cuda.cuda_stream();
                    let (to, from) = (exact.device_ptr()? as u64, from.device_ptr()? as u64);
                    // SAFETY: both have at least `len` bytes; the stream frees them after the copy.
                    unsafe { result::memcpy_dtod_async(to, from, len, stream.cu_stream()) }.w()?;
                    blocks = exact;
                }
                return Ok(Matrix::Blocks(QTensor::new(QStorage::Cuda(blocks), dims.to_vec())?.into()));
            }
        };
        let tensor = Tensor::from_storage(Storage::Cuda(storage), &dims, BackpropOp::none(), false);
        Ok(Matrix::Dense(tensor.to_dtype(dtype)?))
    }
}

/// Sends bytes to an address of the device.
fn send(staging: &mut Option<Staging>, cuda: &CudaDevice, address: u64, data: &[u8]) -> Result<()> {
    let stream = cuda.cuda_stream();
    let device = stream.context().ordinal();
    let staging = match staging {
        Some(staging) if staging.device == device => staging,
        _ => {
            let slots = (0..SLOTS).map(|_| pinned(stream.context(), SLOT)).collect::<Result<_>>()?;
            staging.insert(Staging { device, slots, next: 0 })
        }
    };
    let mut address = address;
    for piece in data.chunks(SLOT) {
        let slot = &mut staging.slots[staging.next];
        staging.next = (staging.next + 1) % SLOTS;
        let fill = |memory: &mut [u8]| {
            let parts = memory.par_chunks_mut(SHARE).zip(piece.par_chunks(SHARE));
            parts.for_each(|(to, from)| to[..from.len()].copy_from_slice(from));
        };
        slot.send_to(address, piece.len(), &stream, fill)?;
        address += piece.len() as u64;
    }
    Ok(())
}

/// The same memory, holding `count` numbers.
fn typed<T: DeviceRepr>(memory: CudaSlice<u8>, count: usize) -> CudaSlice<T> {
    let stream = memory.stream().clone();
    // SAFETY: the memory was allocated on this stream and is at least as long as `count` numbers of the type,
    // which has no bits without meaning.
    unsafe { stream.upgrade_device_ptr(memory.leak(), count) }
}
