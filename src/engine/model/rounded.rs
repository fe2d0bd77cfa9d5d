//! Activations rounded to 16 bits, for products with quantised weights.
//!
//! 16 bits lose nothing that the weights still have; ggml's kernels take 8.

use crate::engine::simd::wide;

/// Numbers in a block.
pub const BLOCK: usize = 256;
/// Groups in a block.
pub const GROUPS: usize = 8;

/// As many activations as a block of weights has, as 16-bit numbers.
#[derive(Clone)]
pub struct Rounded {
    /// By group and half of a group.
    pub values: [[[i16; 16]; 2]; GROUPS],
    /// What a value of 1 stands for.
    pub scale: f32,
    /// The sum of every group, scaled.
    pub sums: [f32; GROUPS],
}

impl Rounded {
    /// All rows of activations, one after the other; rows are whole blocks.
    pub fn all(x: &[f32]) -> Vec<Self> {
        let empty = Self { values: [[[0; 16]; 2]; GROUPS], scale: 0., sums: [0.; GROUPS] };
        let (x, _) = x.as_chunks::<BLOCK>();
        let mut blocks = vec![empty; x.len()];
        wide(|| {
            for (x, block) in x.iter().zip(&mut blocks) {
                block.round(x);
            }
        });
        blocks
    }

    #[inline(always)]
    fn round(&mut self, x: &[f32; BLOCK]) {
        const LARGEST: f32 = i16::MAX as f32;
        let mut lanes = [0f32; 32];
        for x in x.as_chunks::<32>().0 {
            for i in 0..32 {
                lanes[i] = if x[i].abs() > lanes[i] { x[i].abs() } else { lanes[i] };
            }
        }
        let largest = lanes.into_iter().fold(0., f32::max);
        let inverse = if largest > 0. { LARGEST / largest } else { 0. };
        self.scale = largest / LARGEST;
        for (g, (values, x)) in self
            .values
            .as_flattened_mut()
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(x.as_chunks::<32>().0)
            .enumerate()
        {
            let mut sum = 0;
            for (value, x) in values.as_flattened_mut().iter_mut().zip(x) {
                // Half away from zero; the conversion cuts off.
                *value = (x * inverse + 0.5f32.copysign(*x)) as i16;
                sum += i32::from(*value);
            }
            self.sums[g] = sum as f32 * self.scale;
        }
    }
}
