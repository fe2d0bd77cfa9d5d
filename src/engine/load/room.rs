//! Whether a model has room on a GPU, and what a person can do if it has not.
//!
//! The check comes before anything is read. It only compares numbers; who measures them is not its matter.

use candle_core::quantized::GgmlDType;

use crate::engine::error::LoadError;
use crate::engine::model::config::Config;
use crate::engine::model::raw::is_dense;

/// What the model's kernels and activations take beside weights and cache.
const WORKSPACE: u64 = 500_000_000;

/// The memory that a model takes on a GPU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    weights: u64,
    cache: u64,
    context: usize,
}

impl Room {
    /// Of a model with so many bytes of weights of these types.
    pub(super) fn new(config: &Config, bytes: u64, types: &[GgmlDType], context: usize) -> Self {
        // Plain numbers are computed with in half precision.
        let number = if types.iter().all(|dtype| is_dense(*dtype)) { 2 } else { 4 };
        let weights = if types == [GgmlDType::F32] { bytes / 2 } else { bytes };
        let per_token = [config.layers, 2 * config.kv_width(), number];
        let cache = per_token.into_iter().fold(context, usize::saturating_mul) as u64;
        Self { weights, cache, context }
    }

    /// Whether a device has that much, of which `(free, total)` bytes are known.
    ///
    /// # Errors
    /// How much is needed, and what to change.
    pub(super) fn check(self, device: &str, memory: Option<(u64, u64)>) -> Result<(), LoadError> {
        match memory {
            Some((free, _)) if free < self.needed() => Err(self.error(device, memory)),
            _ => Ok(()),
        }
    }

    /// What went wrong on the device, in words that help if it has no memory left.
    pub(super) fn explain(self, error: candle_core::Error, device: &str, memory: Memory) -> LoadError {
        match error.to_string().contains("OUT_OF_MEMORY") {
            true => self.error(device, memory),
            false => LoadError::Tensor(error),
        }
    }

    fn needed(self) -> u64 {
        self.weights.saturating_add(self.cache).saturating_add(WORKSPACE)
    }

    fn error(self, device: &str, memory: Memory) -> LoadError {
        let gb = |bytes: u64| bytes as f64 / 1e9;
        let (needed, context) = (gb(self.needed()), self.context);
        let has = memory.map_or_else(String::new, |(free, total)| {
            format!("; {:.1} GB of {:.1} GB are free", gb(free), gb(total))
        });
        let too_large = memory.is_some_and(|(_, total)| self.weights.saturating_add(WORKSPACE) > total);
        let advice = if too_large {
            "a model is not spread over several GPUs: take a smaller or more quantised file, a larger GPU, or \
             the device cpu"
        } else {
            "take a smaller --context, a smaller or more quantised file, another device (cuda:1, cpu), or end \
             what else uses the GPU"
        };
        LoadError::Device(format!(
            "{device} has no room for the model, which needs {needed:.1} GB: {:.1} GB of weights, {:.1} GB for \
             a context of {context} tokens and {:.1} GB to compute in{has}; {advice}",
            gb(self.weights),
            gb(self.cache),
            gb(WORKSPACE),
        ))
    }
}

/// Bytes that are free on a device, and all that it has, if they are known.
type Memory = Option<(u64, u64)>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::model::random::Shape;

    const GB: u64 = 1_000_000_000;

    fn room(context: usize) -> Room {
        Room::new(&Shape::Qwen7.config(), 15 * GB, &[GgmlDType::BF16], context)
    }

    #[test]
    fn the_cache_is_keys_and_values_of_all_layers() {
        assert_eq!(room(1000).cache, 28 * 2 * 4 * 128 * 2 * 1000);
        let wide = Room::new(&Shape::Qwen7.config(), 30 * GB, &[GgmlDType::F32], 1000);
        assert_eq!((wide.weights, wide.cache), (15 * GB, room(1000).cache), "half precision on the device");
        let quantised = Room::new(&Shape::Qwen7.config(), 4 * GB, &[GgmlDType::F32, GgmlDType::Q4K], 1000);
        assert_eq!((quantised.weights, quantised.cache), (4 * GB, 2 * room(1000).cache));
    }

    #[test]
    fn what_does_not_fit_is_said_with_what_would_help() {
        assert!(room(4096).check("cuda:1", Some((16 * GB, 80 * GB))).is_ok());
        assert!(room(4096).check("cuda:1", None).is_ok(), "nothing is known");
        let error = room(32_768).check("cuda:1", Some((16 * GB, 80 * GB))).unwrap_err().to_string();
        for part in ["cuda:1", "17.4 GB:", "15.0 GB of weights", "1.9 GB for a context of 32768", "--context"]
        {
            assert!(error.contains(part), "{part} is missing: {error}");
        }
        let error = room(64).check("cuda:0", Some((7 * GB, 8 * GB))).unwrap_err().to_string();
        assert!(error.contains("not spread over several GPUs") && !error.contains("--context"), "{error}");
    }

    #[test]
    fn only_a_lack_of_memory_is_explained() {
        let driver = |text: &str| candle_core::Error::Msg(text.into());
        let explained = room(64).explain(driver("CUDA_ERROR_OUT_OF_MEMORY"), "cuda:0", None).to_string();
        assert!(explained.contains("needs 15.5 GB"), "{explained}");
        let other = room(64).explain(driver("CUDA_ERROR_LAUNCH_FAILED"), "cuda:0", None).to_string();
        assert!(other.contains("LAUNCH_FAILED"), "{other}");
    }
}
