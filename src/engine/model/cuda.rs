//! The decode step of our decoder in kernels of our own, for NVIDIA GPUs from compute capability 9.0 on.
//!
//! One token costs five kernels a block, recorded once as a CUDA graph. Every kernel starts while the
//! one before it still runs and brings its weights near; sums are in f32. Of the logits only a
//! [digest](super::away) leaves the device. The kernels are the `.cu` files beside this one, compiled
//! when a model is loaded. What they cannot do, the step of stock operations does.

pub mod plan;

#[cfg(feature = "cuda")]
mod digest;
#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
pub(super) mod step;
