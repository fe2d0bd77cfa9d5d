//! Tensors as a file stores them, and the matrices the decoders multiply with.
//!
//! All formats meet here: a [`RawTensor`] is rows of blocks in one of ggml's block types (F32,
//! F16 and BF16 are blocks of one). Rows can be stacked and permuted without decoding them.

use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QTensor, ggml_file::qtensor_from_ggml};
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Storage, Tensor};

use super::kernels;
use super::q4k::Q4k;

/// A tensor's bytes as they are in the file.
#[derive(Clone, Debug)]
pub struct RawTensor {
    /// The name in the file.
    pub name: String,
    /// The block type.
    pub dtype: GgmlDType,
    /// Sizes, outermost first; the last is a row.
    pub dims: Vec<usize>,
    /// All rows.
    pub data: Vec<u8>,
}

/// Whether the blocks are plain numbers.
pub fn is_dense(dtype: GgmlDType) -> bool {
    matches!(dtype, GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16)
}

/// The name that people know a block type by.
pub fn dtype_name(dtype: GgmlDType) -> &'static str {
    match dtype {
        GgmlDType::F32 => "f32",
        GgmlDType::F16 => "f16",
        GgmlDType::BF16 => "bf16",
        GgmlDType::Q4_0 => "Q4_0",
        GgmlDType::Q4_1 => "Q4_1",
        GgmlDType::Q5_0 => "Q5_0",
        GgmlDType::Q5_1 => "Q5_1",
        GgmlDType::Q8_0 => "Q8_0",
        GgmlDType::Q8_1 => "Q8_1",
        GgmlDType::Q2K => "Q2_K",
        GgmlDType::Q3K => "Q3_K",
        GgmlDType::Q4K => "Q4_K",
        GgmlDType::Q5K => "Q5_K",
        GgmlDType::Q6K => "Q6_K",
        GgmlDType::Q8K => "Q8_K",
    }
}

/// Bytes that a matrix takes in main memory that takes `bytes` in a file: plain numbers are widened
/// to f32.
pub fn memory(dtype: GgmlDType, bytes: u64) -> u64 {
    match dtype {
        GgmlDType::F16 | GgmlDType::BF16 => bytes.saturating_mul(2),
        GgmlDType::Q4K if Q4k::is_supported() => Q4k::memory(bytes),
        _ => bytes,
    }
}

impl RawTensor {
    /// Bytes of one row.
    fn row_bytes(&self) -> usize {
        let columns = self.dims.last().copied().unwrap_or(1);
        columns / self.dtype.block_size() * self.dtype.type_size()
    }

    /// The values in f32.
    ///
    /// # Errors
    /// If the block type cannot be decoded.
    pub fn values(&self) -> Result<Vec<f32>> {
        let tensor = qtensor_from_ggml(self.dtype, &self.data, self.dims.clone(), &Device::Cpu)?;
        tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1()
    }

    /// Reorders the rows of every head from neighbouring pairs to halves: row `2 i + j` becomes
    /// row `i + j * head_dim / 2`, which turns rotary embedding of neighbours into that of halves.
    #[must_use]
    pub fn unpair_rows(mut self, head_dim: usize) -> Self {
        let row = self.row_bytes();
        let mut data = Vec::with_capacity(self.data.len());
        for head in self.data.chunks(head_dim * row) {
            for half in 0..2 {
                for i in 0..head_dim / 2 {
                    let from = (2 * i + half) * row;
                    data.extend_from_slice(&head[from..from + row]);
                }
            }
        }
        self.data = data;
        self
    }

    /// Appends the rows of matrices of the same block type to this one.
    ///
    /// # Errors
    /// Gives `other` back if the block types or the widths differ.
    pub fn stack(&mut self, other: Self) -> std::result::Result<(), Self> {
        if other.dtype != self.dtype || other.dims[1..] != self.dims[1..] {
            return Err(other);
        }
        self.dims[0] += other.dims[0];
        self.data.extend_from_slice(&other.data);
        Ok(())
    }

    /// The matrix on a device: plain numbers in `dtype`, blocks as they are.
    ///
    /// # Errors
    /// If the device has no memory for it.
    pub fn matrix(self, device: &Device, dtype: DType) -> Result<Matrix> {
        if self.dtype == GgmlDType::Q4K
            && device.is_cpu()
            && Q4k::is_supported()
            && let &[rows, columns] = self.dims.as_slice()
            && let Some(matrix) = Q4k::new(&self.data, [rows, columns])
        {
            return Ok(Matrix::Q4k(Arc::new(matrix)));
        }
        if !is_dense(self.dtype) {
            return Ok(Matrix::Blocks(Arc::new(qtensor_from_ggml(
                self.dtype, &self.data, self.dims, device,
            )?)));
        }
        let from = match self.dtype {
            GgmlDType::F16 => DType::F16,
            GgmlDType::BF16 => DType::BF16,
            _ => DType::F32,
        };
        let tensor = Tensor::from_raw_buffer(&self.data, from, &self.dims, &Device::Cpu)?;
        // Widening on the CPU is slower than sending the narrow numbers first.
        Ok(Matrix::Dense(tensor.to_device(device)?.to_dtype(dtype)?))
    }
}

/// A weight matrix `[out, in]` on its device.
#[derive(Clone, Debug)]
pub enum Matrix {
    /// Plain numbers.
    Dense(Tensor),
    /// ggml blocks, multiplied by candle's kernels.
    Blocks(Arc<QTensor>),
    /// Q4_K blocks on a CPU that our own kernels run on.
    Q4k(Arc<Q4k>),
}

impl Matrix {
    /// `[out, in]`.
    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Dense(t) => t.dims(),
            Self::Blocks(q) => q.shape().dims(),
            Self::Q4k(q) => q.dims(),
        }
    }

    /// Bytes on the device.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Dense(t) => t.elem_count() * t.dtype().size_in_bytes(),
            Self::Blocks(q) => q.storage_size_in_bytes(),
            Self::Q4k(q) => q.bytes(),
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
            Self::Q4k(q) => {
                let rows = ids.to_vec1::<u32>()?.into_iter().flat_map(|id| q.row(id as usize)).collect();
                Tensor::from_vec(rows, (ids.elem_count(), q.dims()[1]), &Device::Cpu)
            }
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
            Self::Q4k(q) => {
                let rows = x.dim(0)?;
                let values = q.apply(&x.flatten_all()?.to_vec1::<f32>()?, rows);
                Tensor::from_vec(values, (rows, q.dims()[0]), &Device::Cpu)
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
            Self::Blocks(q) => floats(q.cpu_fwd(x, &Layout::contiguous((rows, width)))?.0),
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

/// The f32 values of a CPU storage.
fn floats(storage: CpuStorage) -> Result<Vec<f32>> {
    match storage {
        CpuStorage::F32(values) => Ok(values),
        other => candle_core::bail!(
            "expected f32 values, got {:?}",
            candle_core::backend::BackendStorage::dtype(&other)
        ),
    }
}
