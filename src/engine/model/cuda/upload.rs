//! Matrices on their way to the device, piece by piece: the host never holds a whole one.
//!
//! Pieces go through memory that the device reads by itself, which files are read into at once, and while one is on
//! its way the next is read.

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
const SLOT: usize = 8 << 20;
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

impl Staging {
    /// That of the device, made anew if there is none.
    fn of<'a>(staging: &'a mut Option<Self>, cuda: &CudaDevice) -> Result<&'a mut Self> {
        let stream = cuda.cuda_stream();
        let device = stream.context().ordinal();
        let kept = match staging.take().filter(|staging| staging.device == device) {
            Some(staging) => staging,
            None => {
                let slots = (0..SLOTS).map(|_| pinned(stream.context(), SLOT)).collect::<Result<_>>()?;
                Self { device, slots, next: 0 }
            }
        };
        Ok(staging.insert(kept))
    }

    fn next(&mut self) -> &mut Pinned<u8> {
        let slot = self.next;
        self.next = (slot + 1) % SLOTS;
        &mut self.slots[slot]
    }
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

    /// Bytes that can be appended at once.
    pub const ROOM: usize = SLOT;

    /// Appends bytes. What fails is said by [`finish`](Self::finish).
    pub fn push(&mut self, data: &[u8]) {
        for piece in data.chunks(SLOT) {
            let copied = self.push_filled(piece.len(), |memory| {
                let parts = memory.par_chunks_mut(SHARE).zip(piece.par_chunks(SHARE));
                parts.for_each(|(to, from)| to.copy_from_slice(from));
                Ok::<_, candle_core::Error>(())
            });
            if let Err(error) = copied {
                self.memory = Err(error);
            }
        }
    }

    /// Appends bytes that `fill` puts where the device reads them, no more than [`ROOM`](Self::ROOM).
    ///
    /// # Errors
    /// Those of `fill` and of the copy. Why there is no memory is said by [`finish`](Self::finish).
    pub fn push_filled<E: From<candle_core::Error>>(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let Ok(memory) = &self.memory else { return Ok(()) };
        if self.len + len > self.bytes {
            return Err(candle_core::Error::msg("more rows than were announced").into());
        }
        let address = memory.address(&self.cuda)? + self.len as u64;
        STAGING.with_borrow_mut(|staging| {
            let slot = Staging::of(staging, &self.cuda)?.next();
            fill(&mut slot.room()?[..len])?;
            slot.send_to(address, len, &self.cuda.cuda_stream())?;
            Ok::<_, E>(())
        })?;
        self.len += len;
        Ok(())
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

/// The same memory, holding `count` numbers.
fn typed<T: DeviceRepr>(memory: CudaSlice<u8>, count: usize) -> CudaSlice<T> {
    let stream = memory.stream().clone();
    // SAFETY: the memory was allocated on this stream and is at least as long as `count` numbers of the type,
    // which has no bits without meaning.
    unsafe { stream.upgrade_device_ptr(memory.leak(), count) }
}
