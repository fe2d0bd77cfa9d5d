//! Products with Q4_K matrices, the format of the embedded model and of most downloads.
//!
//! candle has kernels for it, but their threads wait for each other in a spin loop: on a machine
//! that is busy with something else, every wait can last a time slice. These share work by
//! stealing instead, read the blocks nearly as they are in the file, and round activations to 16
//! bits rather than 8, so that the result is that of the weights. They need AVX2; elsewhere
//! [`Matrix`](super::matrix::Matrix) stays with candle's.
//!
//! A Q4_K block holds 256 weights in 8 groups of 32: `weight = d * scale[g] * q - dmin * min[g]`
//! with `q` in `0..16`. Layout:
//! <https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h> (`block_q4_K`).

use rayon::prelude::*;

use super::kernels;
use super::rounded::{BLOCK, GROUPS, Rounded};
use crate::engine::simd;

/// Bytes of a block in a file.
const FILE_BLOCK: usize = 144;
/// Rows of activations that share one decoding of the weights.
const TOGETHER: usize = 4;

/// One block, its scales unpacked from 6 bits.
#[derive(Clone, Debug)]
struct Block {
    d: f32,
    dmin: f32,
    scales: [u8; GROUPS],
    mins: [u8; GROUPS],
    /// Number `i` of pair `p` holds, from the low bits up, four bits of weight `i` of group `2 p`, of
    /// weight `i` of group `2 p + 1`, of weight `16 + i` of group `2 p` and of `2 p + 1`.
    quants: [[u16; 16]; GROUPS / 2],
}

/// A matrix `[rows, columns]`.
#[derive(Debug)]
pub struct Q4k {
    blocks: Vec<Block>,
    dims: [usize; 2],
}

impl Q4k {
    /// Whether this processor can multiply with such matrices.
    pub fn is_supported() -> bool {
        simd::has_avx2()
    }

    /// A matrix with room for `rows` rows, which has none yet.
    pub fn with_capacity(rows: usize, columns: usize) -> Self {
        Self { blocks: Vec::with_capacity(rows * (columns / BLOCK)), dims: [0, columns] }
    }

    /// Appends whole rows as they are in a file.
    pub fn push(&mut self, data: &[u8]) {
        let (blocks, _) = data.as_chunks::<FILE_BLOCK>();
        kernels::among_threads(|| self.blocks.par_extend(blocks.par_iter().map(Block::read)));
        self.dims[0] = self.blocks.len() / (self.dims[1] / BLOCK).max(1);
    }

    /// `[rows, columns]`.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Bytes in memory of blocks that take `bytes` in a file.
    pub fn memory(bytes: u64) -> u64 {
        (bytes / FILE_BLOCK as u64).saturating_mul(size_of::<Block>() as u64)
    }

    /// The weights of a row; nothing if there is no such row.
    pub fn row(&self, index: usize) -> Vec<f32> {
        let width = self.dims[1] / BLOCK;
        self.blocks.chunks_exact(width).nth(index).unwrap_or(&[]).iter().flat_map(Block::weights).collect()
    }

    /// `x * self^T` for `rows` rows of activations.
    pub fn apply(&self, x: &[f32], rows: usize) -> Vec<f32> {
        let [height, columns] = self.dims;
        let width = columns / BLOCK;
        let x = Rounded::all(&x[..rows * columns]);
        let x: Vec<&[Rounded]> = x.chunks_exact(width).collect();
        // One row of results per weight row, so that threads write to separate places.
        let mut by_weight = vec![0.; height * rows];
        let share = kernels::share(height, height * columns * rows);
        kernels::for_chunks(&mut by_weight, share * rows, height * columns * rows, |i, out| {
            products(&self.blocks[i * share * width..], &x, out);
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

impl Block {
    fn read(bytes: &[u8; FILE_BLOCK]) -> Self {
        let half = |at: usize| half::f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32();
        let packed = &bytes[4..16];
        let mut block = Self {
            d: half(0),
            dmin: half(2),
            scales: [0; GROUPS],
            mins: [0; GROUPS],
            quants: std::array::from_fn(|pair| {
                let bytes = &bytes[16 + 32 * pair..];
                std::array::from_fn(|i| u16::from_le_bytes([bytes[i], bytes[16 + i]]))
            }),
        };
        for g in 0..4 {
            block.scales[g] = packed[g] & 63;
            block.mins[g] = packed[g + 4] & 63;
            block.scales[g + 4] = packed[g + 8] & 15 | packed[g] >> 6 << 4;
            block.mins[g + 4] = packed[g + 8] >> 4 | packed[g + 4] >> 6 << 4;
        }
        block
    }

    fn weights(&self) -> impl Iterator<Item = f32> {
        (0..BLOCK).map(|i| {
            let group = i / 32;
            let shift = 4 * (group % 2) + 8 * (i % 32 / 16);
            let q = self.quants[group / 2][i % 16] >> shift & 15;
            self.d * f32::from(self.scales[group]) * f32::from(q) - self.dmin * f32::from(self.mins[group])
        })
    }
}

/// The products of rows of weights with all rows of activations, row of weights by row of weights.
#[cfg(target_arch = "x86_64")]
fn products(blocks: &[Block], x: &[&[Rounded]], out: &mut [f32]) {
    struct Task<'a>(&'a [Block], &'a [&'a [Rounded]], &'a mut [f32]);
    impl simd::Avx2Task for Task<'_> {
        type Output = ();

        #[inline(always)]
        fn run(self, v3: pulp::x86::V3) {
            let Self(blocks, x, out) = self;
            let rows = blocks.chunks_exact(x[0].len());
            for (row, out) in rows.zip(out.chunks_exact_mut(x.len())) {
                let (fours, rest) = x.as_chunks::<TOGETHER>();
                let (out_fours, out_rest) = out.as_chunks_mut::<TOGETHER>();
                for (x, out) in fours.iter().zip(out_fours) {
                    *out = Dot { blocks: row, x }.run(v3);
                }
                for (x, out) in rest.as_chunks::<1>().0.iter().zip(out_rest) {
                    [*out] = Dot { blocks: row, x }.run(v3);
                }
            }
        }
    }
    if !x.is_empty() {
        simd::with_avx2(Task(blocks, x, out));
    }
}

/// Without AVX2 nobody comes here.
#[cfg(not(target_arch = "x86_64"))]
fn products(_blocks: &[Block], _x: &[&[Rounded]], _out: &mut [f32]) {}

/// A row of weights with `N` rows of activations.
#[cfg(target_arch = "x86_64")]
struct Dot<'a, const N: usize> {
    blocks: &'a [Block],
    x: &'a [&'a [Rounded]; N],
}

#[cfg(target_arch = "x86_64")]
impl<const N: usize> Dot<'_, N> {
    // Loops rather than closures throughout: a closure is compiled without AVX2, and every
    // instruction in it would be a call.
    #[inline(always)]
    fn run(self, v3: pulp::x86::V3) -> [f32; N] {
        use pulp::{cast, f32x8, i16x16, u8x16, u16x16};
        let masks = [v3.splat_u16x16(0x0f), v3.splat_u16x16(0xf0)];
        // The second group of a pair is left four bits too high.
        let shifted = cast::<[f32; GROUPS], f32x8>([1., 1. / 16., 1., 1. / 16., 1., 1. / 16., 1., 1. / 16.]);
        let mut total = [v3.splat_f32x8(0.); N];
        for (index, block) in self.blocks.iter().enumerate() {
            let scales = v3.convert_u8x16_to_i32x8(cast::<[[u8; 8]; 2], u8x16>([block.scales, [0; 8]]));
            let scales = v3.mul_f32x8(v3.splat_f32x8(block.d), v3.convert_i32x8_to_f32x8(scales));
            let scales = v3.mul_f32x8(scales, shifted);
            let scales: [f32; GROUPS] = cast(scales);
            let mins = v3.convert_u8x16_to_i32x8(cast::<[[u8; 8]; 2], u8x16>([block.mins, [0; 8]]));
            let mins = v3.mul_f32x8(v3.splat_f32x8(block.dmin), v3.convert_i32x8_to_f32x8(mins));
            // Two sums per row, so that one addition need not wait for the other.
            let mut sums = [[v3.splat_f32x8(0.); 2]; N];
            for pair in 0..GROUPS / 2 {
                let first = cast::<[u16; 16], u16x16>(block.quants[pair]);
                let second = v3.shr_const_u16x16::<8>(first);
                for half in 0..2 {
                    let group = 2 * pair + half;
                    let scale = v3.splat_f32x8(scales[group]);
                    let a = cast::<u16x16, i16x16>(v3.and_u16x16(first, masks[half]));
                    let b = cast::<u16x16, i16x16>(v3.and_u16x16(second, masks[half]));
                    for (x, sums) in self.x.iter().zip(&mut sums) {
                        let [x, y] = x[index].values[group];
                        let products = v3.wrapping_add_i32x8(
                            v3.multiply_wrapping_add_adjacent_i16x16(a, cast::<[i16; 16], i16x16>(x)),
                            v3.multiply_wrapping_add_adjacent_i16x16(b, cast::<[i16; 16], i16x16>(y)),
                        );
                        let products = v3.convert_i32x8_to_f32x8(products);
                        sums[half] = v3.mul_add_f32x8(products, scale, sums[half]);
                    }
                }
            }
            for ((x, sums), total) in self.x.iter().zip(&sums).zip(&mut total) {
                let x = &x[index];
                let sum = v3.add_f32x8(sums[0], sums[1]);
                *total = v3.mul_add_f32x8(sum, v3.splat_f32x8(x.scale), *total);
                let offsets = v3.mul_f32x8(mins, cast::<[f32; GROUPS], f32x8>(x.sums));
                *total = v3.sub_f32x8(*total, offsets);
            }
        }
        let mut out = [0.; N];
        for (out, total) in out.iter_mut().zip(total) {
            *out = super::rounded::sum(cast(total));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::GgmlDType;

    use super::*;
    use crate::engine::model::rounded::reference::Reference;

    #[test]
    fn products_are_those_of_the_decoded_weights() {
        let (height, columns) = (70, 768);
        let reference = Reference::new(GgmlDType::Q4K, height, columns);
        let mut matrix = Q4k::with_capacity(height, columns);
        for rows in reference.quantised.data().unwrap().chunks(columns / BLOCK * FILE_BLOCK * 9) {
            matrix.push(rows);
        }
        assert_eq!(matrix.dims(), [height, columns]);
        reference.check_rows(|index| matrix.row(index));
        if Q4k::is_supported() {
            for rows in [1, 3, 4, 9] {
                reference.check_products(rows, |x, rows| matrix.apply(x, rows));
            }
        }
    }
}
