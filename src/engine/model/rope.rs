//! Rotary position embedding (Su et al. 2021, <https://arxiv.org/abs/2104.09864>): frequencies
//! and their scaling.
//!
//! Pair `i` of a head's dimensions turns by `position * frequency[i]`. The decoders always pair
//! dimension `i` with `i + head_dim / 2`; files that pair neighbours are permuted when they are
//! read ([`weights`](super::weights)).

use serde_json::Value as Json;

use super::config::Keys;

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
    /// One divisor per frequency, from a GGUF's `rope_freqs.weight`.
    Factors(Vec<f32>),
}

impl Rope {
    /// Reads `rope_theta` and `rope_scaling`, or `rope_parameters`, which newer files have
    /// instead.
    ///
    /// # Errors
    /// A message naming the key.
    pub fn from_json(config: &Json) -> Result<Self, String> {
        let outer = Keys(config);
        let inner = ["rope_parameters", "rope_scaling"].iter().find_map(|key| config.get(key));
        let Some(json) = inner.filter(|v| !v.is_null()) else {
            return Ok(Self {
                theta: outer.number("rope_theta")?.unwrap_or(10_000.) as f32,
                scaling: Scaling::None,
            });
        };
        let keys = Keys(json);
        let number = |key: &str| {
            let value = keys.number(key)?.ok_or_else(|| format!("{key} of the rope scaling is missing"))?;
            Ok::<_, String>(value as f32)
        };
        let kind = match keys.text("rope_type")? {
            Some(kind) => kind,
            None => keys.text("type")?.unwrap_or("default"),
        };
        let scaling = match kind {
            "default" => Scaling::None,
            "linear" => Scaling::Linear(number("factor")?),
            "llama3" => Scaling::Llama3 {
                factor: number("factor")?,
                low: number("low_freq_factor")?,
                high: number("high_freq_factor")?,
                original: number("original_max_position_embeddings")?,
            },
            other => {
                return Err(format!(
                    "the rope scaling {other:?} is not supported (supported: default, linear, llama3)"
                ));
            }
        };
        let theta = match keys.number("rope_theta")? {
            Some(theta) => Some(theta),
            None => outer.number("rope_theta")?,
        };
        Ok(Self { theta: theta.unwrap_or(10_000.) as f32, scaling })
    }

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
        Ok(())
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

    /// Cosines and sines for the positions `0..context`: each `context * head_dim / 2` values,
    /// one row per position.
    pub fn tables(&self, head_dim: usize, context: usize) -> (Vec<f32>, Vec<f32>) {
        let frequencies = self.frequencies(head_dim);
        let angles = (0..context).flat_map(|p| frequencies.iter().map(move |f| p as f32 * f));
        angles.map(|angle| (angle.cos(), angle.sin())).unzip()
    }
}
