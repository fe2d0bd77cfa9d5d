//! Products with quantised matrices that stay as they are in the file.
//!
//! A row of weights is decoded to 16-bit numbers, multiplied with all rows of activations while it is
//! in the cache, and forgotten: so a model takes no more memory than its file, and several rows cost
//! little more than one. As with [`q4k`](super::q4k), threads share work by stealing and
//! activations are rounded to 16 bits. It needs AVX2; without it, for rows that are no whole blocks
//! of 256 and for the block types Q2_K and Q3_K, [`rows`](super::rows) is used instead.

use candle_core::quantized::GgmlDType;

use super::kernels;
use super::raw::row_bytes;
use super::rounded::{BLOCK, Rounded};
use crate::engine::simd;

mod decode;

use decode::Decoded;

/// A matrix `[rows, columns]`.
#[derive(Debug)]
pub struct Quants {
    dtype: GgmlDType,
    data: Vec<u8>,
    dims: [usize; 2],
}

impl Quants {
    /// A matrix with room for `rows` rows, which has none yet; `None` if there are no kernels for it.
    pub fn with_capacity(dtype: GgmlDType, rows: usize, columns: usize) -> Option<Self> {
        let possible = simd::has_avx2() && decode::is_known(dtype) && columns.is_multiple_of(BLOCK);
        possible.then(|| Self {
            dtype,
            data: Vec::with_capacity(rows * row_bytes(dtype, columns)),
            dims: [0, columns],
        })
    }

    /// Appends whole rows as they are in a file.
    pub fn push(&mut self, data: &[u8]) {
        self.data.extend_from_slice(data);
        self.dims[0] = self.data.len() / row_bytes(self.dtype, self.dims[1]).max(1);
    }

    /// `[rows, columns]`.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The weights of a row; nothing if there is no such row.
    pub fn row(&self, index: usize) -> Vec<f32> {
        let size = row_bytes(self.dtype, self.dims[1]);
        let row = self.data.chunks_exact(size).nth(index).unwrap_or(&[]);
        let mut decoded = vec![Decoded::default(); self.dims[1] / BLOCK];
        decode::row(self.dtype, row, &mut decoded);
        match row {
            [] => Vec::new(),
            _ => decoded.iter().flat_map(Decoded::weights).collect(),
        }
    }

    /// `x * self^T` for `rows` rows of activations.
    pub fn apply(&self, x: &[f32], rows: usize) -> Vec<f32> {
        let [height, columns] = self.dims;
        let x = Rounded::all(&x[..rows * columns]);
        let x: Vec<&[Rounded]> = x.chunks_exact(columns / BLOCK).collect();
        let size = row_bytes(self.dtype, columns);
        // One row of results per weight row, so that threads write to separate places.
        let mut by_weight = vec![0.; height * rows];
        let share = kernels::share(height, height * columns * rows);
        kernels::for_chunks(&mut by_weight, share * rows, height * columns * rows, |i, out| {
            products(self.dtype, &self.data[i * share * size..], size, &x, out);
        });
        if rows == 1 {
            return by_weight;
        }
        let mut out = vec![0.; rows * height];
        for (row, out) in out.chunks_exact_mut(height).enumerate() {
            out.iter_mut().zip(by_weight[row..].iter().step_by(rows)).for_each(|(o, v)| *o = *v);
        }
        out
    }
}

/// The products of rows of weights, `size` bytes each, with all rows of activations.
#[cfg(target_arch = "x86_64")]
fn products(dtype: GgmlDType, data: &[u8], size: usize, x: &[&[Rounded]], out: &mut [f32]) {
    struct Task<'a>(GgmlDType, &'a [u8], usize, &'a [&'a [Rounded]], &'a mut [f32]);
    impl simd::Avx2Task for Task<'_> {
        type Output = ();

        #[inline(always)]
        fn run(self, v3: pulp::x86::V3) {
            let Self(dtype, data, size, x, out) = self;
            let mut decoded = vec![Decoded::default(); x[0].len()];
            for (row, out) in data.chunks_exact(size).zip(out.chunks_exact_mut(x.len())) {
                decode::row(dtype, row, &mut decoded);
                for (x, out) in x.iter().zip(out) {
                    *out = dot(v3, &decoded, x);
                }
            }
        }
    }
    if !x.is_empty() {
        simd::with_avx2(Task(dtype, data, size, x, out));
    }
}

/// Without AVX2 nobody comes here.
#[cfg(not(target_arch = "x86_64"))]
fn products(_dtype: GgmlDType, _data: &[u8], _size: usize, _x: &[&[Rounded]], _out: &mut [f32]) {}

// Loops rather than closures: a closure is compiled without AVX2, and every instruction in it would
// be a call.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn dot(v3: pulp::x86::V3, weights: &[Decoded], x: &[Rounded]) -> f32 {
    use pulp::{cast, f32x8, i16x16};
    let mut total = v3.splat_f32x8(0.);
    for (weights, x) in weights.iter().zip(x) {
        // Two sums, so that one addition need not wait for the other.
        let mut sums = [v3.splat_f32x8(0.); 2];
        for (group, (w, x)) in weights.values.iter().zip(&x.values).enumerate() {
            // At most 4096 * 32767 each, and four of them: that fits 32 bits.
            let products = v3.wrapping_add_i32x8(
                v3.multiply_wrapping_add_adjacent_i16x16(
                    cast::<[i16; 16], i16x16>(w[0]),
                    cast::<[i16; 16], i16x16>(x[0]),
                ),
                v3.multiply_wrapping_add_adjacent_i16x16(
                    cast::<[i16; 16], i16x16>(w[1]),
                    cast::<[i16; 16], i16x16>(x[1]),
                ),
            );
            let factor = v3.splat_f32x8(weights.factors[group]);
            sums[group % 2] = v3.mul_add_f32x8(v3.convert_i32x8_to_f32x8(products), factor, sums[group % 2]);
        }
        total = v3.mul_add_f32x8(v3.add_f32x8(sums[0], sums[1]), v3.splat_f32x8(x.scale), total);
        let offsets = v3.mul_f32x8(cast::<[f32; 8], f32x8>(weights.offsets), cast::<[f32; 8], f32x8>(x.sums));
        total = v3.sub_f32x8(total, offsets);
    }
    super::rounded::sum(cast(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::model::rounded::reference::Reference;

    #[test]
    fn products_are_those_of_the_decoded_weights() {
        let (height, columns) = (37, 768);
        for dtype in decode::KNOWN {
            let reference = Reference::new(dtype, height, columns);
            let Some(mut matrix) = Quants::with_capacity(dtype, height, columns) else { return };
            for rows in reference.quantised.data().unwrap().chunks(row_bytes(dtype, columns) * 9) {
                matrix.push(rows);
            }
            assert_eq!(matrix.dims(), [height, columns]);
            reference.check_rows(|index| matrix.row(index));
            for rows in [1, 3, 9] {
                reference.check_products(rows, |x, rows| matrix.apply(x, rows));
            }
        }
        assert!(Quants::with_capacity(GgmlDType::Q6K, 1, 128).is_none());
        assert!(Quants::with_capacity(GgmlDType::Q2K, 1, 256).is_none());
    }
}
