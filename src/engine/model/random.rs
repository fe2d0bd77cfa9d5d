//! Weights of real shapes and random values, for measuring speed without a download.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::config::{Architecture, Biases, Config};
use super::rope::{Rope, Scaling};
use crate::engine::error::LoadError;

/// A model's shape without its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Four layers of width 256: fast enough for tests.
    Tiny,
    /// Qwen2.5-0.5B.
    Qwen05,
    /// Qwen2.5-1.5B.
    Qwen15,
    /// Qwen2.5-7B.
    Qwen7,
    /// Qwen2.5-32B.
    Qwen32,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Tiny, Self::Qwen05, Self::Qwen15, Self::Qwen7, Self::Qwen32];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Qwen05 => "qwen2.5-0.5b",
            Self::Qwen15 => "qwen2.5-1.5b",
            Self::Qwen7 => "qwen2.5-7b",
            Self::Qwen32 => "qwen2.5-32b",
        }
    }

    /// The sizes, as in the models' own `config.json`.
    pub fn config(self) -> Config {
        let (hidden, intermediate, layers, heads, kv_heads, vocab) = match self {
            Self::Tiny => (256, 1024, 4, 4, 2, 4096),
            Self::Qwen05 => (896, 4864, 24, 14, 2, 151_936),
            Self::Qwen15 => (1536, 8960, 28, 12, 2, 151_936),
            Self::Qwen7 => (3584, 18_944, 28, 28, 4, 152_064),
            Self::Qwen32 => (5120, 27_648, 64, 40, 8, 152_064),
        };
        Config {
            architecture: Architecture::Qwen2,
            hidden,
            intermediate,
            layers,
            heads,
            kv_heads,
            head_dim: hidden / heads,
            vocab,
            context: 32_768,
            window: None,
            rms_eps: 1e-6,
            rope: Rope { theta: 1e6, scaling: Scaling::None },
            biases: Biases { qkv: true, ..Biases::default() },
            qk_norm: false,
            tied: Some(!matches!(self, Self::Qwen7 | Self::Qwen32)),
        }
    }
}

impl std::str::FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or_else(|| {
            format!("unknown shape {text:?} (known: {})", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// How many different values a tensor has; larger ones repeat them, which no timing notices.
const DISTINCT: usize = 1 << 20;

/// The block type that a tensor gets where `dtype` is asked for.
pub(super) fn type_of(dims: &[usize], dtype: GgmlDType) -> GgmlDType {
    let width = dims.last().copied().unwrap_or(1);
    match dtype {
        _ if dims.len() == 1 => GgmlDType::F32,
        _ if width.is_multiple_of(dtype.block_size()) => dtype,
        _ if width.is_multiple_of(GgmlDType::Q8_0.block_size()) => GgmlDType::Q8_0,
        _ => GgmlDType::F32,
    }
}

/// Distinct data of a tensor, and how many bytes it has in all: it repeats them. Uniform values with the
/// spread of an initialised model (norms are ones, biases zeros), the same on every call.
pub(super) fn data(name: &str, dims: &[usize], dtype: GgmlDType) -> Result<(Vec<u8>, usize), LoadError> {
    let width = dims.last().copied().unwrap_or(1);
    let rows = dims.iter().product::<usize>() / width;
    let made = rows.min(DISTINCT.div_ceil(width));
    let values = if dims.len() > 1 {
        uniform(name, made * width)
    } else {
        vec![if name.ends_with("bias") { 0. } else { 1. }; width]
    };
    let distinct: Vec<u8> = match type_of(dims, dtype) {
        GgmlDType::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        GgmlDType::BF16 => values.iter().flat_map(|&v| half::bf16::from_f32(v).to_le_bytes()).collect(),
        GgmlDType::F16 => values.iter().flat_map(|&v| half::f16::from_f32(v).to_le_bytes()).collect(),
        _ => {
            let tensor = Tensor::from_vec(values, (made, width), &Device::Cpu)?;
            QTensor::quantize(&tensor, type_of(dims, dtype))?.data()?.into_owned()
        }
    };
    let bytes = distinct.len() / made * rows;
    Ok((distinct, bytes))
}

/// Xorshift (Marsaglia 2003), seeded by the name.
fn uniform(name: &str, count: usize) -> Vec<f32> {
    let mut state = name.bytes().fold(0x9e37_79b9_u32, |s, b| s.rotate_left(5) ^ u32::from(b)) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as f32 / u32::MAX as f32 - 0.5) * 0.07
    };
    (0..count).map(|_| next()).collect()
}
