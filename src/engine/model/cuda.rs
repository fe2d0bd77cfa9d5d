//! The decode step of our decoder in kernels of our own, for NVIDIA GPUs from compute capability 9.0 on.
//!
//! One token costs five kernels a block, recorded once as a CUDA graph; two to eight go through others
//! together. Every kernel starts while the one before it still runs and brings its weights near; sums are in
//! f32. Of the logits only a
//! [digest](super::away) leaves the device, and the step of the token that it picks starts there by
//! itself. The kernels are the `.cu` files beside this one, compiled when a model is loaded. What they
//! cannot do, the step of stock operations does.

#[cfg(feature = "cuda")]
use std::sync::Arc;

use candle_core::Device;
use candle_core::quantized::GgmlDType;

use super::config::Config;

pub mod plan;

#[cfg(feature = "cuda")]
mod batch;
#[cfg(feature = "cuda")]
mod calls;
#[cfg(feature = "cuda")]
mod digest;
#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
pub(super) mod measure;
#[cfg(feature = "cuda")]
mod params;
#[cfg(feature = "cuda")]
pub(super) mod rehearsal;
#[cfg(feature = "cuda")]
mod remote;
#[cfg(feature = "cuda")]
pub(super) mod step;
#[cfg(feature = "cuda")]
pub(super) mod upload;
pub mod work;

/// Kernels that are being compiled while something else is done: those of the step by us while the weights are
/// loaded, those of the stock operations by the driver, which takes seconds for them the first time on a machine, and
/// begins with them when the model is loaded then.
#[derive(Default)]
pub struct Ahead {
    #[cfg(feature = "cuda")]
    kernels: Option<kernels::Compiling>,
    #[cfg(feature = "cuda")]
    pub(super) rehearsal: Option<Arc<rehearsal::Rehearsal>>,
}

impl Ahead {
    /// Begins to compile what a model with matrices of these types needs, if the device has kernels.
    #[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "there is no compiler then"))]
    pub fn start(device: &Device, config: &Config, types: &[GgmlDType]) -> Self {
        #[cfg(feature = "cuda")]
        if let Device::Cuda(cuda) = device {
            let layouts = types.iter().filter_map(|dtype| plan::Layout::of(*dtype)).collect();
            let rehearsal = rehearsal::Rehearsal::new(device, config, types).map(Arc::new);
            // Where the driver has compiled ours before, it has candle's too: those do not hold up anything then.
            let known = rehearsal.clone();
            let if_known = move || known.iter().for_each(|rehearsal| rehearsal.begin());
            return Self {
                kernels: kernels::Compiling::start(cuda, step::variant(config), layouts, if_known),
                rehearsal,
            };
        }
        Self::default()
    }
}

/// Bytes that are free on a device, and all that it has, if the device says so.
#[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "only CUDA says so"))]
pub fn memory(device: &Device) -> Option<(u64, u64)> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(cuda) = device {
        return measure::memory(cuda).ok();
    }
    None
}
