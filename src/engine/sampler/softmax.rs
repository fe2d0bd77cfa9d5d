//! Softmax sums over a whole row of logits or over the allowed part of it, in one vectorised pass.

use super::super::constraint::Mask;

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
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        Self::empty(max, 1.0).map(|mut s| {
            s.add_row(logits);
            s
        })
    }

    /// Over the allowed logits. `None` if none of them is a number above -inf.
    pub fn masked(logits: &[f32], mask: &Mask, temperature: f32) -> Option<Self> {
        let mut max = f32::NEG_INFINITY;
        runs(logits, mask, |row| max = row.iter().copied().fold(max, f32::max));
        let mut s = Self::empty(max, 1.0 / temperature.max(f32::MIN_POSITIVE))?;
        runs(logits, mask, |row| s.add_row(row));
        Some(s)
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

    fn add_row(&mut self, row: &[f32]) {
        // Eight sums side by side let the compiler use vector registers; blocks keep them short,
        // so that f32 does not lose small weights next to large sums.
        const LANES: usize = 8;
        for block in row.chunks(1024) {
            let (mut weights, mut moments) = ([0f32; LANES], [0f32; LANES]);
            let chunks = block.chunks_exact(LANES);
            let rest = chunks.remainder();
            for chunk in chunks {
                for lane in 0..LANES {
                    let x = self.exponent(chunk[lane]);
                    let w = exp(x);
                    weights[lane] += w;
                    moments[lane] += w * x;
                }
            }
            for (lane, &logit) in rest.iter().enumerate() {
                let x = self.exponent(logit);
                let w = exp(x);
                weights[lane] += w;
                moments[lane] += w * x;
            }
            self.total += weights.iter().map(|&w| f64::from(w)).sum::<f64>();
            self.moment += moments.iter().map(|&m| f64::from(m)).sum::<f64>();
        }
    }

    #[inline(always)]
    fn exponent(&self, logit: f32) -> f32 {
        // `max` answers the other number for NaN.
        ((logit - self.max) * self.inverse_temperature).max(FLOOR).min(0.0)
    }

    /// The weight of a logit, 1 for the largest.
    pub fn weight(&self, logit: f32) -> f64 {
        let x = self.exponent(logit);
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

/// Calls `f` with every run of allowed logits: whole words of the mask at once where they are full.
fn runs(logits: &[f32], mask: &Mask, mut f: impl FnMut(&[f32])) {
    let mut full: Option<usize> = None;
    for (i, &word) in mask.words().iter().enumerate() {
        let start = i * 32;
        let end = (start + 32).min(logits.len());
        if word == u32::MAX {
            full.get_or_insert(start);
            continue;
        }
        if let Some(from) = full.take() {
            f(&logits[from..start.min(logits.len())]);
        }
        let mut bits = word;
        while bits != 0 {
            let at = start + bits.trailing_zeros() as usize;
            if at < end {
                f(&logits[at..=at]);
            }
            bits &= bits - 1;
        }
    }
    if let Some(from) = full {
        f(&logits[from.min(logits.len())..]);
    }
}

/// `e^x` for `-87 <= x <= 0` within 2e-7 of the true value, without a call, so that a loop over it
/// becomes vector code. Splits `x = n ln 2 + r` with `|r| <= ln 2 / 2` (two-part ln 2 as in
/// Cody and Waite, 1980) and takes `e^r` from its Taylor series to the seventh power.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let n = (x * std::f32::consts::LOG2_E - 0.5) as i32 as f32;
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let p = 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    p * f32::from_bits(((n as i32 + 127) << 23) as u32)
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
