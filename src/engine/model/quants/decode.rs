//! ggml's blocks as 16-bit numbers with factors.
//!
//! Layouts: <https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h>. All functions are
//! plain loops over arrays of fixed length, which the compiler turns into the vector instructions of
//! whoever inlines them.

use candle_core::quantized::GgmlDType;

use crate::engine::model::rounded::{BLOCK, GROUPS};

/// The block types that can be decoded here.
#[cfg(test)]
pub(super) const KNOWN: [GgmlDType; 7] = [
    GgmlDType::Q4_0,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q8_0,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

/// 256 weights in groups of 32: `weight = factor * value - offset`.
#[derive(Clone, Default)]
pub(super) struct Decoded {
    /// By group and half of a group, at most 4096 from 0.
    pub values: [[[i16; 16]; 2]; GROUPS],
    pub factors: [f32; GROUPS],
    pub offsets: [f32; GROUPS],
}

impl Decoded {
    pub fn weights(&self) -> impl Iterator<Item = f32> {
        (0..BLOCK).map(|i| {
            let group = i / 32;
            f32::from(self.values[group][i % 32 / 16][i % 16]) * self.factors[group] - self.offsets[group]
        })
    }
}

/// Whether [`row`] can decode the block type.
pub(super) fn is_known(dtype: GgmlDType) -> bool {
    use GgmlDType as D;
    matches!(dtype, D::Q4_0 | D::Q4_1 | D::Q5_0 | D::Q5_1 | D::Q8_0 | D::Q5K | D::Q6K)
}

/// Decodes a row of whole blocks of 256.
#[inline(always)]
pub(super) fn row(dtype: GgmlDType, data: &[u8], out: &mut [Decoded]) {
    match dtype {
        GgmlDType::Q6K => each(data, out, q6k),
        GgmlDType::Q5K => each(data, out, q5k),
        GgmlDType::Q8_0 => each(data, out, |bytes: &[u8; 8 * 34], out| groups(bytes, out, q8_0)),
        GgmlDType::Q4_0 => each(data, out, |bytes: &[u8; 8 * 18], out| groups(bytes, out, q4_0)),
        GgmlDType::Q4_1 => each(data, out, |bytes: &[u8; 8 * 20], out| groups(bytes, out, q4_1)),
        GgmlDType::Q5_0 => each(data, out, |bytes: &[u8; 8 * 22], out| groups(bytes, out, q5_0)),
        GgmlDType::Q5_1 => each(data, out, |bytes: &[u8; 8 * 24], out| groups(bytes, out, q5_1)),
        _ => {}
    }
}

#[inline(always)]
fn each<const N: usize>(data: &[u8], out: &mut [Decoded], decode: impl Fn(&[u8; N], &mut Decoded)) {
    for (bytes, out) in data.as_chunks::<N>().0.iter().zip(out) {
        decode(bytes, out);
    }
}

/// Blocks of 32: every group has its own factor.
#[inline(always)]
fn groups<const N: usize>(
    bytes: &[u8],
    out: &mut Decoded,
    decode: impl Fn(&[u8; N], &mut [[i16; 16]; 2]) -> (f32, f32),
) {
    for (group, bytes) in bytes.as_chunks::<N>().0.iter().enumerate() {
        (out.factors[group], out.offsets[group]) = decode(bytes, &mut out.values[group]);
    }
}

#[inline(always)]
fn half(bytes: &[u8], at: usize) -> f32 {
    half::f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

#[inline(always)]
fn q8_0(bytes: &[u8; 34], out: &mut [[i16; 16]; 2]) -> (f32, f32) {
    for (part, out) in out.iter_mut().enumerate() {
        for (i, out) in out.iter_mut().enumerate() {
            *out = i16::from(bytes[2 + 16 * part + i] as i8);
        }
    }
    (half(bytes, 0), 0.)
}

/// The low four bits are the first 16 numbers, the high ones the others.
#[inline(always)]
fn nibbles(bytes: &[u8], out: &mut [[i16; 16]; 2], centre: i16) {
    for (part, out) in out.iter_mut().enumerate() {
        for (out, byte) in out.iter_mut().zip(bytes) {
            *out = i16::from(byte >> (4 * part) & 15) - centre;
        }
    }
}

/// Adds the fifth bits, which are those of one number.
#[inline(always)]
fn fifths(bytes: &[u8], out: &mut [[i16; 16]; 2]) {
    for (part, out) in out.iter_mut().enumerate() {
        let bits = u16::from_le_bytes([bytes[2 * part], bytes[2 * part + 1]]);
        for (i, out) in out.iter_mut().enumerate() {
            *out += ((bits >> i & 1) << 4) as i16;
        }
    }
}

#[inline(always)]
fn q4_0(bytes: &[u8; 18], out: &mut [[i16; 16]; 2]) -> (f32, f32) {
    nibbles(&bytes[2..], out, 8);
    (half(bytes, 0), 0.)
}

#[inline(always)]
fn q4_1(bytes: &[u8; 20], out: &mut [[i16; 16]; 2]) -> (f32, f32) {
    nibbles(&bytes[4..], out, 0);
    (half(bytes, 0), -half(bytes, 2))
}

#[inline(always)]
fn q5_0(bytes: &[u8; 22], out: &mut [[i16; 16]; 2]) -> (f32, f32) {
    nibbles(&bytes[6..], out, 16);
    fifths(&bytes[2..6], out);
    (half(bytes, 0), 0.)
}

#[inline(always)]
fn q5_1(bytes: &[u8; 24], out: &mut [[i16; 16]; 2]) -> (f32, f32) {
    nibbles(&bytes[8..], out, 0);
    fifths(&bytes[4..8], out);
    (half(bytes, 0), -half(bytes, 2))
}

#[inline(always)]
fn q5k(bytes: &[u8; 176], out: &mut Decoded) {
    let (d, dmin) = (half(bytes, 0), half(bytes, 2));
    let packed = &bytes[4..16];
    let (sixteens, _) = bytes[16..].as_chunks::<16>();
    for group in 0..GROUPS {
        // Six bits each, packed as in Q4_K.
        let (scale, min) = match group {
            0..4 => (packed[group] & 63, packed[group + 4] & 63),
            _ => (
                packed[group + 4] & 15 | packed[group - 4] >> 6 << 4,
                packed[group + 4] >> 4 | packed[group] >> 6 << 4,
            ),
        };
        let scale = i16::from(scale);
        for part in 0..2 {
            let (high, low) = (&sixteens[part], &sixteens[2 + group / 2 * 2 + part]);
            for i in 0..16 {
                let q = low[i] >> (4 * (group % 2)) & 15 | (high[i] >> group & 1) << 4;
                out.values[group][part][i] = i16::from(q) * scale;
            }
        }
        out.factors[group] = d;
        out.offsets[group] = dmin * f32::from(min);
    }
}

#[inline(always)]
fn q6k(bytes: &[u8; 210], out: &mut Decoded) {
    let (sixteens, _) = bytes.as_chunks::<16>();
    let scales = &sixteens[12];
    for group in 0..GROUPS {
        let (half, quarter) = (group / 4, group % 4);
        for part in 0..2 {
            let low = &sixteens[4 * half + 2 * (quarter % 2) + part];
            let high = &sixteens[8 + 2 * half + part];
            let scale = i16::from(scales[2 * group + part] as i8);
            for i in 0..16 {
                let q = low[i] >> (4 * (quarter / 2)) & 15 | (high[i] >> (2 * quarter) & 3) << 4;
                out.values[group][part][i] = (i16::from(q) - 32) * scale;
            }
        }
    }
    out.factors = [half(bytes, 208); GROUPS];
    out.offsets = [0.; GROUPS];
}
