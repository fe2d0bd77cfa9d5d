//! The matrices that the decoders multiply with, and how they are put together from the rows of a
//! file, piece by piece.
//!
//! What is quantised stays so, and a piece is laid out before the next is read: so a model takes
//! about as much memory as its file, also while it is loaded.

use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QTensor, ggml_file::qtensor_from_ggml};
use candle_core::{CpuStorage, DType, Device, Result, Storage, Tensor};
use half::{bf16, f16};

#[cfg(feature = "cuda")]
use super::cuda::upload::Upload;
use super::kernels;
use super::q4k::Q4k;
use super::quants::Quants;
use super::raw::{is_dense, row_bytes};
use super::rows::Rows;

/// Bytes that a matrix takes in main memory that takes `bytes` in a file: plain numbers are widened
/// to f32.
pub fn memory(dtype: GgmlDType, bytes: u64) -> u64 {
    match dtype {
        GgmlDType::F16 | GgmlDType::BF16 => bytes.saturating_mul(2),
        GgmlDType::Q4K if Q4k::is_supported() => Q4k::memory(bytes),
        _ => bytes,
    }
}

/// A matrix under construction.
pub struct MatrixBuilder {
    dtype: GgmlDType,
    columns: usize,
    rows: usize,
    content: Content,
}

enum Content {
    /// Plain numbers on the CPU, widened.
    Dense(Vec<f32>),
    Q4k(Q4k),
    Quants(Quants),
    Rows(Rows),
    /// As in the file, for a device.
    Bytes(Vec<u8>),
    /// On the device already.
    #[cfg(feature = "cuda")]
    Upload(Upload),
}

impl MatrixBuilder {
    /// A matrix of `rows` rows at most, for a device.
    pub fn new(dtype: GgmlDType, rows: usize, columns: usize, device: &Device) -> Self {
        #[cfg(feature = "cuda")]
        if let Device::Cuda(cuda) = device {
            let content = Content::Upload(Upload::new(cuda, dtype, rows, columns));
            return Self { dtype, columns, rows: 0, content };
        }
        let content = if !device.is_cpu() {
            Content::Bytes(Vec::with_capacity(rows * row_bytes(dtype, columns)))
        } else if is_dense(dtype) {
            Content::Dense(Vec::with_capacity(rows * columns))
        } else if dtype == GgmlDType::Q4K && Q4k::is_supported() {
            Content::Q4k(Q4k::with_capacity(rows, columns))
        } else if let Some(quants) = Quants::with_capacity(dtype, rows, columns) {
            Content::Quants(quants)
        } else {
            Content::Rows(Rows::new(dtype, columns))
        };
        Self { dtype, columns, rows: 0, content }
    }

    /// Whether rows of this kind can be appended.
    pub fn takes(&self, dtype: GgmlDType, columns: usize) -> bool {
        (self.dtype, self.columns) == (dtype, columns)
    }

    /// Appends whole rows.
    pub fn push(&mut self, data: &[u8]) {
        self.rows += data.len() / row_bytes(self.dtype, self.columns).max(1);
        match &mut self.content {
            Content::Bytes(bytes) => bytes.extend_from_slice(data),
            #[cfg(feature = "cuda")]
            Content::Upload(upload) => upload.push(data),
            Content::Q4k(matrix) => matrix.push(data),
            Content::Quants(matrix) => matrix.push(data),
            Content::Rows(rows) => rows.push(data),
            Content::Dense(values) => match self.dtype {
                GgmlDType::F16 => {
                    values.extend(data.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()))
                }
                GgmlDType::BF16 => {
                    values.extend(data.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()))
                }
                _ => values.extend(data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            },
        }
    }

    /// Bytes that can be on their way to a device at once, if they need not pass through other memory of the host.
    pub fn room(&self) -> Option<usize> {
        #[cfg(feature = "cuda")]
        if let Content::Upload(_) = &self.content {
            return Some(Upload::ROOM);
        }
        None
    }

    /// Appends whole rows that `fill` puts where a device reads them, or anywhere else.
    ///
    /// # Errors
    /// Those of `fill`, and of the way to the device.
    pub fn push_filled<E: From<candle_core::Error>>(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        #[cfg(feature = "cuda")]
        if let Content::Upload(upload) = &mut self.content {
            self.rows += len / row_bytes(self.dtype, self.columns).max(1);
            return upload.push_filled(len, fill);
        }
        let mut rows = vec![0; len];
        fill(&mut rows)?;
        self.push(&rows);
        Ok(())
    }

    /// The matrix on its device: plain numbers in `dtype`, blocks as they are.
    ///
    /// # Errors
    /// If the device has no memory for it.
    pub fn finish(self, device: &Device, dtype: DType) -> Result<Matrix> {
        let dims = [self.rows, self.columns];
        match self.content {
            Content::Q4k(matrix) => Ok(Matrix::Q4k(Arc::new(matrix))),
            Content::Quants(matrix) => Ok(Matrix::Quants(Arc::new(matrix))),
            Content::Rows(rows) => Ok(Matrix::Rows(Arc::new(rows))),
            Content::Dense(values) => {
                Ok(Matrix::Dense(Tensor::from_vec(values, &dims, device)?.to_dtype(dtype)?))
            }
            #[cfg(feature = "cuda")]
            Content::Upload(upload) => upload.finish(dtype),
            Content::Bytes(data) if is_dense(self.dtype) => {
                let from = match self.dtype {
                    GgmlDType::F16 => DType::F16,
                    GgmlDType::BF16 => DType::BF16,
                    _ => DType::F32,
                };
                let tensor = Tensor::from_raw_buffer(&data, from, &dims, &Device::Cpu)?;
                // Widening on the CPU is slower than sending the narrow numbers first.
                Ok(Matrix::Dense(tensor.to_device(device)?.to_dtype(dtype)?))
            }
            Content::Bytes(data) => {
                Ok(Matrix::Blocks(Arc::new(qtensor_from_ggml(self.dtype, &data, dims.to_vec(), device)?)))
            }
        }
    }
}

/// A weight matrix `[out, in]` on its device.
#[derive(Clone, Debug)]
pub enum Matrix {
    /// Plain numbers.
    Dense(Tensor),
    /// Blocks on an accelerator.
    Blocks(Arc<QTensor>),
    /// Blocks in main memory, of types that only candle has kernels for.
    Rows(Arc<Rows>),
    /// Blocks in main memory that our own kernels multiply.
    Quants(Arc<Quants>),
    /// Q4_K blocks in main memory, on a processor that our own kernels run on.
    Q4k(Arc<Q4k>),
}

impl Matrix {
    /// `[out, in]`.
    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Dense(t) => t.dims(),
            Self::Blocks(q) => q.shape().dims(),
            Self::Rows(rows) => rows.dims(),
            Self::Quants(q) => q.dims(),
            Self::Q4k(q) => q.dims(),
        }
    }

    /// Bytes that a product reads of a matrix that is on an accelerator.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Dense(t) => (t.elem_count() * t.dtype().size_in_bytes()) as u64,
            Self::Blocks(q) => q.storage_size_in_bytes() as u64,
            Self::Rows(_) | Self::Quants(_) | Self::Q4k(_) => 0,
        }
    }

    /// The rows of the given indices, as `[ids, in]`.
    ///
    /// # Errors
    /// If an index is out of range.
    pub fn rows(&self, ids: &Tensor) -> Result<Tensor> {
        match self {
            Self::Dense(t) => t.index_select(ids, 0),
            Self::Blocks(q) => q.embedding(ids),
            Self::Rows(rows) => {
                let values = rows.rows(&ids.to_vec1::<u32>()?)?;
                Tensor::from_vec(values, (ids.elem_count(), rows.dims()[1]), &Device::Cpu)
            }
            Self::Quants(q) => gathered(ids, q.dims()[1], |id| q.row(id)),
            Self::Q4k(q) => gathered(ids, q.dims()[1], |id| q.row(id)),
        }
    }

    /// `x * self^T` for a tensor `[rows, in]` on the matrix's device.
    ///
    /// # Errors
    /// If the sizes do not match.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Dense(t) => x.matmul(&t.t()?),
            Self::Blocks(q) => x.apply_op1_no_bwd(q.as_ref()),
            Self::Rows(_) | Self::Quants(_) | Self::Q4k(_) => {
                let rows = x.dim(0)?;
                let x = CpuStorage::F32(x.flatten_all()?.to_vec1::<f32>()?);
                Tensor::from_vec(self.apply(&x, rows)?, (rows, self.dims()[0]), &Device::Cpu)
            }
        }
    }

    /// `x * self^T` for `rows` rows in CPU memory.
    ///
    /// # Errors
    /// If the matrix is not on the CPU or the sizes do not match.
    pub fn apply(&self, x: &CpuStorage, rows: usize) -> Result<Vec<f32>> {
        let (out, width) = (self.dims()[0], self.dims()[1]);
        match self {
            Self::Q4k(q) => Ok(q.apply(x.as_slice()?, rows)),
            Self::Quants(q) => Ok(q.apply(x.as_slice()?, rows)),
            Self::Rows(blocks) => blocks.apply(&x.as_slice()?[..rows * width], rows),
            Self::Blocks(_) => candle_core::bail!("the matrix is not in main memory"),
            Self::Dense(t) => {
                let x = x.as_slice::<f32>()?;
                if rows == 1 {
                    let (storage, _) = t.storage_and_layout();
                    let Storage::Cpu(weights) = &*storage else {
                        candle_core::bail!("the matrix is not in CPU memory")
                    };
                    let mut y = vec![0.; out];
                    kernels::matvec(weights.as_slice()?, x, &mut y);
                    return Ok(y);
                }
                let x = Tensor::from_slice(&x[..rows * width], (rows, width), &Device::Cpu)?;
                x.matmul(&t.t()?)?.flatten_all()?.to_vec1()
            }
        }
    }
}

/// The rows of the given indices, one below the other.
fn gathered(ids: &Tensor, columns: usize, row: impl Fn(usize) -> Vec<f32>) -> Result<Tensor> {
    let values = ids.to_vec1::<u32>()?.into_iter().flat_map(|id| row(id as usize)).collect();
    Tensor::from_vec(values, (ids.elem_count(), columns), &Device::Cpu)
}
