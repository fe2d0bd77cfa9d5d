//! What each setting may be: the one parser for its flag, its variable and its line in the file.
//!
//! A refusal says what is expected. Whoever asked adds the name and the value.

use std::fmt;
use std::ops::RangeInclusive;

use crate::engine::{DeviceSpec, ModelSpec};

/// A value, or the choice of whatever suits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrAuto<T> {
    /// Whatever suits.
    Auto,
    /// This one.
    Is(T),
}

impl<T> OrAuto<T> {
    /// The value, unless something else shall choose it.
    pub fn chosen(self) -> Option<T> {
        match self {
            Self::Auto => None,
            Self::Is(value) => Some(value),
        }
    }
}

impl<T: fmt::Display> fmt::Display for OrAuto<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Is(value) => value.fmt(f),
        }
    }
}

/// A model's name, folder or file.
pub fn model(text: &str) -> Result<ModelSpec, String> {
    text.parse()
}

/// Where to compute.
pub fn device(text: &str) -> Result<DeviceSpec, String> {
    text.parse()
}

/// Tokens of context.
pub fn context(text: &str) -> Result<OrAuto<usize>, String> {
    const MOST: usize = 1 << 24;
    match text {
        "auto" => Ok(OrAuto::Auto),
        _ => whole(text, 1, MOST)
            .map(OrAuto::Is)
            .map_err(|_| format!("must be auto or a whole number from 1 to {MOST}")),
    }
}

/// The name of a theme. Which there are besides the shipped ones, the files say.
pub fn theme(text: &str) -> Result<OrAuto<String>, String> {
    let is_name = !text.trim().is_empty() && !text.contains(|c: char| c == '/' || c.is_control());
    match text {
        "auto" => Ok(OrAuto::Auto),
        _ if is_name => Ok(OrAuto::Is(text.to_owned())),
        _ => {
            Err("must be auto, dark, light, contrast-dark, contrast-light or the name of a theme of your own"
                .into())
        }
    }
}

/// On or off.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("must be true or false".into()),
    }
}

/// How many tokens to generate.
pub fn max_tokens(text: &str) -> Result<usize, String> {
    whole(text, 1, 1_000_000)
}

/// How many candidates to keep.
pub fn top_k(text: &str) -> Result<usize, String> {
    whole(text, 0, u32::MAX as usize)
}

/// What the random numbers start from.
pub fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

/// How flat the distribution is made.
pub fn temperature(text: &str) -> Result<f32, String> {
    real(text, 0.0..=100.0).ok_or_else(|| "must be a number from 0 to 100".into())
}

/// A share.
pub fn fraction(text: &str) -> Result<f32, String> {
    real(text, 0.0..=1.0).ok_or_else(|| "must be a number from 0 to 1".into())
}

/// How much a repetition costs.
pub fn penalty(text: &str) -> Result<f32, String> {
    real(text, f32::MIN_POSITIVE..=10.0).ok_or_else(|| "must be a number above 0, up to 10".into())
}

/// A whole number in a range.
pub fn whole(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (least..=most).contains(n));
    number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

/// A number in the range; NaN is in none.
fn real(text: &str, range: RangeInclusive<f32>) -> Option<f32> {
    text.parse().ok().filter(|n| range.contains(n))
}
