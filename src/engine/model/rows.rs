//! Products with quantised matrices in main memory, of any block type that candle has.
//!
//! candle's own `QTensor` keeps a second, rearranged copy of some types for its fastest kernels,
//! which doubles the memory of a model. Here are its plain kernels on the blocks as the file has them.
//! The rows are kept in pieces, so that loading needs no second copy either.

use candle_core::quantized::{GgmlDType, QuantizedType};
use candle_core::{CpuStorage, Result};

/// Some rows of the matrix.
struct Piece {
    blocks: Box<dyn QuantizedType>,
    rows: usize,
}

/// A matrix `[rows, columns]`.
pub struct Rows {
    dtype: GgmlDType,
    dims: [usize; 2],
    pieces: Vec<Piece>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("dtype", &self.dtype).field("dims", &self.dims).finish_non_exhaustive()
    }
}

impl Rows {
    /// A matrix without rows.
    pub fn new(dtype: GgmlDType, columns: usize) -> Self {
        Self { dtype, dims: [0, columns], pieces: Vec::new() }
    }

    /// Appends whole rows as they are in a file.
    pub fn push(&mut self, data: &[u8]) {
        let rows = data.len() / (self.dims[1] / self.dtype.block_size() * self.dtype.type_size()).max(1);
        self.dims[0] += rows;
        self.pieces.push(Piece { blocks: self.dtype.from_data(data.into()), rows });
    }

    /// `[rows, columns]`.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The weights of some rows, one after the other.
    ///
    /// # Errors
    /// If there is no such row.
    pub fn rows(&self, ids: &[u32]) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(ids.len() * self.dims[1]);
        for &id in ids {
            let mut row = id as usize;
            let mut pieces = self.pieces.iter();
            let piece = loop {
                match pieces.next() {
                    Some(piece) if row < piece.rows => break piece,
                    Some(piece) => row -= piece.rows,
                    None => candle_core::bail!("row {id} of a matrix with {} rows", self.dims[0]),
                }
            };
            match piece.blocks.embedding(&[row as u32], piece.rows, self.dims[1])? {
                CpuStorage::F32(row) => values.extend(row),
                _ => candle_core::bail!("expected f32 values"),
            }
        }
        Ok(values)
    }

    /// `x * self^T` for `rows` rows of activations.
    ///
    /// # Errors
    /// If the kernels fail.
    pub fn apply(&self, x: &[f32], rows: usize) -> Result<Vec<f32>> {
        let [height, columns] = self.dims;
        let mut out = vec![0.; rows * height];
        let mut part = Vec::new();
        let mut from = 0;
        for Piece { blocks, rows: size } in &self.pieces {
            let shape = (rows, columns, *size);
            if rows == 1 {
                blocks.matmul_t(shape, x, &mut out[from..from + size])?;
            } else {
                part.resize(rows * size, 0.);
                blocks.matmul_t(shape, x, &mut part)?;
                for (out, part) in out.chunks_exact_mut(height).zip(part.chunks_exact(*size)) {
                    out[from..from + size].copy_from_slice(part);
                }
            }
            from += size;
        }
        Ok(out)
    }
}
