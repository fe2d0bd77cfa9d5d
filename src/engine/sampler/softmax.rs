//! Softmax sums over a whole row of logits or over the allowed part of it, in one vectorised pass.

use super::super::constraint::Mask;
use super::super::simd::wide;
use super::masked::{Visit, visit};

/// Numbers that are worked on side by side.
const LANES: usize = 8;

/// The parts of a softmax that a probability needs: `p(x) = exp((x - max) / t) / total`.
pub struct Softmax {
    max: f32,
    inverse_temperature: f32,
    /// Sum of the weights.
    total: f64,
    /// Sum of weight times exponent, for the entropy.
    moment: f64,
}

/// Exponents below this have no weight an f32 could add up; it also stands in for NaN and -inf.
const FLOOR: f32 = -87.0;

impl Softmax {
    /// Over all logits, at temperature 1. `None` if none of them is a number above -inf.
    pub fn whole(logits: &[f32]) -> Option<Self> {
        wide(
            #[inline(always)]
            || {
                let mut largest = Largest(f32::NEG_INFINITY);
                largest.row(0, logits);
                let mut softmax = Self::empty(largest.0, 1.0)?;
                softmax.row(0, logits);
                Some(softmax)
            },
        )
    }

    /// Over the allowed logits. `None` if none of them is a number above -inf.
    pub fn masked(logits: &[f32], mask: &Mask, temperature: f32) -> Option<Self> {
        wide(
            #[inline(always)]
            || {
                let mut largest = Largest(f32::NEG_INFINITY);
                visit(logits, mask, &mut largest);
                let mut softmax = Self::empty(largest.0, 1.0 / temperature.max(f32::MIN_POSITIVE))?;
                visit(logits, mask, &mut softmax);
                Some(softmax)
            },
        )
    }

    fn empty(max: f32, inverse_temperature: f32) -> Option<Self> {
        (max > f32::NEG_INFINITY).then_some(Self {
            // An infinite logit takes all the weight; as a finite one it can be subtracted.
            max: max.min(f32::MAX),
            inverse_temperature,
            total: 0.0,
            moment: 0.0,
        })
    }

    /// From sums that were computed elsewhere, over logits of which `max` is the largest. `None` if that is
    /// no number above -inf.
    pub fn of_sums(max: f32, temperature: f32, total: f64, moment: f64) -> Option<Self> {
        let softmax = Self::empty(max, 1.0 / temperature.max(f32::MIN_POSITIVE))?;
        Some(Self { total, moment, ..softmax })
    }

    /// The weight of a logit, 1 for the largest.
    pub fn weight(&self, logit: f32) -> f64 {
        let x = exponent(logit, self.max, self.inverse_temperature);
        if x <= FLOOR { 0.0 } else { f64::from(exp(x)) }
    }

    /// The probability of a logit of the row.
    pub fn probability(&self, logit: f32) -> f32 {
        (self.weight(logit) / self.total) as f32
    }

    /// The sum of all weights.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Entropy in bits: `log2(total) - moment / (total ln 2)`.
    pub fn entropy(&self) -> f32 {
        ((self.total.ln() - self.moment / self.total) / std::f64::consts::LN_2).max(0.0) as f32
    }

    /// The share of `whole`'s probability that lies in this part of it; both at temperature 1.
    pub fn mass_within(&self, whole: &Softmax) -> f64 {
        f64::from(self.max - whole.max).exp() * self.total / whole.total
    }
}

/// The exponent of a logit's weight, between [`FLOOR`] and 0.
#[inline(always)]
fn exponent(logit: f32, max: f32, inverse_temperature: f32) -> f32 {
    let x = (logit - max) * inverse_temperature;
    // Written so that NaN, for which no comparison holds, becomes the floor.
    let x = if x > FLOOR { x } else { FLOOR };
    if x < 0.0 { x } else { 0.0 }
}

impl Visit for Softmax {
    #[inline(always)]
    fn row(&mut self, _start: usize, row: &[f32]) {
        // Eight sums side by side let the compiler use vector registers. Weights add up in f64: a token is drawn
        // by where it falls among them, and whoever sums in another order must find the same. Blocks keep the
        // sums of moments short, so that f32 does not lose small ones next to large ones.
        let (max, scale) = (self.max, self.inverse_temperature);
        for block in row.chunks(1024) {
            let (mut weights, mut moments) = ([0f64; LANES], [0f32; LANES]);
            let mut chunks = block.chunks_exact(LANES);
            for chunk in &mut chunks {
                for lane in 0..LANES {
                    let x = exponent(chunk[lane], max, scale);
                    let w = exp(x);
                    weights[lane] += f64::from(w);
                    moments[lane] += w * x;
                }
            }
            for (lane, &logit) in chunks.remainder().iter().enumerate() {
                let x = exponent(logit, max, scale);
                let w = exp(x);
                weights[lane] += f64::from(w);
                moments[lane] += w * x;
            }
            for lane in 0..LANES {
                self.total += weights[lane];
                self.moment += f64::from(moments[lane]);
            }
        }
    }
}

/// The largest number that was seen.
struct Largest(f32);

impl Visit for Largest {
    #[inline(always)]
    fn row(&mut self, _start: usize, row: &[f32]) {
        let mut largest = [f32::NEG_INFINITY; LANES];
        let mut chunks = row.chunks_exact(LANES);
        for chunk in &mut chunks {
            for lane in 0..LANES {
                // The comparison is false for NaN, which is left out so.
                largest[lane] = if chunk[lane] > largest[lane] { chunk[lane] } else { largest[lane] };
            }
        }
        for &logit in chunks.remainder().iter().chain(&largest) {
            if logit > self.0 {
                self.0 = logit;
            }
        }
    }
}

/// `e^x` for `-87 <= x <= 0` within 2e-7 of the true value, without a call, a branch or a
/// conversion, so that a loop over it becomes vector code. Splits `x = n ln 2 + r` with
/// `|r| <= ln 2 / 2` (two-part ln 2 as in Cody and Waite, 1980) and takes `e^r` from its Taylor
/// series to the seventh power. Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low
/// bits, from where it is moved into the exponent.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let p = 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_ten_millionths() {
        let mut worst = 0f64;
        for i in 0..=870_000 {
            let x = -(i as f32) / 10_000.0;
            let true_value = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - true_value).abs() / true_value);
        }
        assert!(worst < 2e-7, "relative error {worst}");
    }
}
