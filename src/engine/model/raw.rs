//! Tensors as a file stores them.
//!
//! All formats meet here: a tensor is rows of blocks in one of ggml's block types (F32, F16 and
//! BF16 are blocks of one). Rows can be permuted without decoding them.

use candle_core::quantized::{GgmlDType, ggml_file::qtensor_from_ggml};
use candle_core::{Device, Result};

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

/// Bytes of a row of `columns` numbers.
pub fn row_bytes(dtype: GgmlDType, columns: usize) -> usize {
    columns / dtype.block_size() * dtype.type_size()
}

/// The values of a tensor in f32.
///
/// # Errors
/// If the block type cannot be decoded.
pub fn values(dtype: GgmlDType, dims: &[usize], data: &[u8]) -> Result<Vec<f32>> {
    let tensor = qtensor_from_ggml(dtype, data, dims.to_vec(), &Device::Cpu)?;
    tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1()
}

/// Reorders the rows of every head, `row` items each, from neighbouring pairs to halves: row
/// `2 i + j` becomes row `i + j * head_dim / 2`, which turns rotary embedding of neighbours into that
/// of halves.
pub fn unpair_rows<T: Copy>(data: &mut [T], head_dim: usize, row: usize) {
    let mut paired = Vec::new();
    for head in data.chunks_exact_mut(head_dim * row) {
        paired.clear();
        paired.extend_from_slice(head);
        for (to, out) in head.chunks_exact_mut(row).enumerate() {
            let (half, i) = (to / (head_dim / 2), to % (head_dim / 2));
            out.copy_from_slice(&paired[(2 * i + half) * row..][..row]);
        }
    }
}
