//! Rotary position embedding (Su et al. 2021, <https://arxiv.org/abs/2104.09864>): frequencies
//! and their scaling.
//!
//! Pair `i` of a head's dimensions turns by `position * frequency[i]`. The decoders always pair
//! dimension `i` with `i + head_dim / 2`; files that pair neighbours are permuted when they are
//! read ([`weights`](super::weights)).

mod read;

/// Base and scaling of the frequencies.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    /// The base: `frequency[i] = theta ^ (-2 i / head_dim)`.
    pub theta: f32,
    /// What was done to reach longer contexts.
    pub scaling: Scaling,
}

/// How the frequencies are stretched.
#[derive(Clone, Debug, PartialEq)]
pub enum Scaling {
    /// Not at all.
    None,
    /// All divided by one factor.
    Linear(f32),
    /// Llama 3.1: wavelengths longer than the old context are divided by `factor`, short ones
    /// kept, those between blended.
    Llama3 {
        /// Divides the low frequencies.
        factor: f32,
        /// `original / low` is the wavelength from which on the full factor applies.
        low: f32,
        /// `original / high` is the wavelength up to which nothing changes.
        high: f32,
        /// The context before the extension.
        original: f32,
    },
    /// YaRN (Peng et al. 2023, <https://arxiv.org/abs/2309.00071>): by how often a pair turns within
    /// the old context.
    Yarn(Yarn),
    /// One divisor per frequency, from a GGUF's `rope_freqs.weight`.
    Factors(Vec<f32>),
}

/// The constants of YaRN. Pairs that turn more than `fast` times within the old context keep their
/// frequency, those that turn less than `slow` times have it divided by `factor`, those between
/// are blended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Yarn {
    /// Divides the low frequencies.
    pub factor: f32,
    /// The context before the extension, in tokens.
    pub original: f32,
    /// Turns from which on nothing changes.
    pub fast: f32,
    /// Turns up to which the full factor applies.
    pub slow: f32,
    /// Whether the blend begins and ends at whole pairs.
    pub truncate: bool,
    /// Multiplies cosines and sines.
    pub amplitude: f32,
}

impl Rope {
    /// Refuses values that would make frequencies other than positive numbers.
    pub(super) fn check(&self, head_dim: usize) -> Result<(), String> {
        if let Scaling::Factors(factors) = &self.scaling
            && factors.len() != head_dim / 2
        {
            return Err(format!("rope_freqs.weight has {} values, expected {}", factors.len(), head_dim / 2));
        }
        if let Some(bad) = self.frequencies(head_dim).iter().find(|f| !(f.is_finite() && **f > 0.)) {
            return Err(format!("the rotary embedding has a frequency of {bad}: {self:?}"));
        }
        let amplitude = self.amplitude();
        if !(amplitude.is_finite() && amplitude > 0.) {
            return Err(format!("the rotary embedding has an attention factor of {amplitude}"));
        }
        Ok(())
    }

    /// The longest text for these frequencies, in tokens, for a model that says `context`. Files
    /// often give YaRN's factor and the old context only.
    pub(super) fn extended(&self, context: usize) -> usize {
        match &self.scaling {
            Scaling::Yarn(yarn) => context.max((yarn.original * yarn.factor) as usize),
            _ => context,
        }
    }

    /// The frequency of every pair of dimensions, in radians per position: `head_dim / 2` values.
    pub fn frequencies(&self, head_dim: usize) -> Vec<f32> {
        (0..head_dim / 2)
            .map(|i| {
                let frequency = 1. / self.theta.powf(2. * i as f32 / head_dim as f32);
                match &self.scaling {
                    Scaling::None => frequency,
                    Scaling::Linear(factor) => frequency / factor,
                    Scaling::Factors(factors) => frequency / factors.get(i).copied().unwrap_or(1.),
                    Scaling::Yarn(yarn) => {
                        let divided = yarn.divided(i, head_dim, self.theta);
                        divided * frequency / yarn.factor + (1. - divided) * frequency
                    }
                    &Scaling::Llama3 { factor, low, high, original } => {
                        let wavelength = 2. * std::f32::consts::PI / frequency;
                        if wavelength < original / high {
                            frequency
                        } else if wavelength > original / low {
                            frequency / factor
                        } else {
                            let smooth = (original / wavelength - low) / (high - low);
                            (1. - smooth) * frequency / factor + smooth * frequency
                        }
                    }
                }
            })
            .collect()
    }

    /// What cosines and sines are multiplied by: 1 for all but YaRN.
    fn amplitude(&self) -> f32 {
        match &self.scaling {
            Scaling::Yarn(yarn) => yarn.amplitude,
            _ => 1.,
        }
    }

    /// Cosines and sines for the positions `0..context`: each `context * head_dim / 2` values,
    /// one row per position.
    pub fn tables(&self, head_dim: usize, context: usize) -> (Vec<f32>, Vec<f32>) {
        let (frequencies, amplitude) = (self.frequencies(head_dim), self.amplitude());
        let angles = (0..context).flat_map(|p| frequencies.iter().map(move |f| p as f32 * f));
        angles.map(|angle| (amplitude * angle.cos(), amplitude * angle.sin())).unzip()
    }
}

impl Yarn {
    /// The share of the factor that pair `i` gets, from 0 to 1.
    fn divided(&self, i: usize, head_dim: usize, theta: f32) -> f32 {
        // The pair that turns so many times within the old context, as a fraction.
        let pair = |turns: f32| {
            let length = f64::from(self.original) / (f64::from(turns) * 2. * std::f64::consts::PI);
            head_dim as f64 * length.ln() / (2. * f64::from(theta).ln())
        };
        let (mut first, mut last) = (pair(self.fast), pair(self.slow));
        if self.truncate {
            (first, last) = (first.floor(), last.ceil());
        }
        let (first, mut last) = (first.max(0.), last.min(head_dim as f64 - 1.));
        if first == last {
            last += 0.001;
        }
        ((i as f64 - first) / (last - first)).clamp(0., 1.) as f32
    }
}
