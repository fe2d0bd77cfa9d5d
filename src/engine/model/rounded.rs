//! Activations rounded to 16 bits, for products with quantised weights.
//!
//! 16 bits lose nothing that the weights still have; ggml's kernels take 8.

use crate::engine::simd::wide;

/// Numbers in a block.
pub const BLOCK: usize = 256;
/// Groups in a block.
pub const GROUPS: usize = 8;

/// The sum of a vector's numbers.
#[inline(always)]
pub fn sum(v: [f32; 8]) -> f32 {
    ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
}

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

/// What the kernels of every kind of block are tested against.
#[cfg(test)]
pub mod reference {
    use candle_core::quantized::{GgmlDType, QTensor};
    use candle_core::{Device, Tensor};

    /// Weights as candle quantises them, and as candle decodes them again.
    pub struct Reference {
        /// The blocks.
        pub quantised: QTensor,
        /// The numbers that they stand for, by row.
        pub decoded: Vec<Vec<f32>>,
        columns: usize,
    }

    fn number(i: usize) -> f32 {
        ((i * 7919 % 1009) as f32 / 504.5 - 1.).powi(3)
    }

    impl Reference {
        /// Some matrix in blocks of `dtype`.
        pub fn new(dtype: GgmlDType, height: usize, columns: usize) -> Self {
            let weights: Vec<f32> = (0..height * columns).map(number).collect();
            let tensor = Tensor::from_vec(weights, (height, columns), &Device::Cpu).unwrap();
            let quantised = QTensor::quantize(&tensor, dtype).unwrap();
            let decoded = quantised.dequantize(&Device::Cpu).unwrap().to_vec2().unwrap();
            Self { quantised, decoded, columns }
        }

        /// Panics unless `row` gives the decoded rows, and none past the last.
        pub fn check_rows(&self, row: impl Fn(usize) -> Vec<f32>) {
            for (index, decoded) in self.decoded.iter().enumerate() {
                let row = row(index);
                assert_eq!(row.len(), decoded.len());
                assert!(row.iter().zip(decoded).all(|(a, b)| (a - b).abs() < 1e-6), "row {index}");
            }
            assert!(row(self.decoded.len()).is_empty());
        }

        /// Panics unless `apply` gives the products of the decoded weights with `rows` rows of
        /// activations, as f64 has them.
        pub fn check_products(&self, rows: usize, apply: impl Fn(&[f32], usize) -> Vec<f32>) {
            let (height, columns) = (self.decoded.len(), self.columns);
            let x: Vec<f32> = (0..rows * columns).map(|i| number(i + 17) * 30.).collect();
            let ours = apply(&x, rows);
            assert_eq!(ours.len(), rows * height);
            for (i, ours) in ours.iter().enumerate() {
                let (x, weights) = (&x[i / height * columns..][..columns], &self.decoded[i % height]);
                let right: f64 = x.iter().zip(weights).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                assert!((f64::from(*ours) - right).abs() < 0.02, "{rows} rows, {i}: {ours} for {right}");
            }
        }
    }
}
