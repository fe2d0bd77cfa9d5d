//! One decode step whose shapes do not depend on the position, so that CUDA can record it once as a
//! graph and replay it: at small models, launching the kernels one by one takes longer than
//! running them.
//!
//! Token and position are read from device memory; attention looks at the whole cache and a mask
//! hides what is not there yet. Without CUDA the step runs operation by operation, which is how the
//! tests check it.

use candle_core::{DType, Device, Result, Tensor};

use super::device::{DeviceNetwork, Slot, Window};
use crate::engine::trace::TokenId;

/// Bytes of stack that the driver keeps ready for every thread that the device can run: 1024 by default, a quarter of
/// a gigabyte on a large one. A kernel that is known to need more gets more; none of ours needs any.
#[cfg(feature = "cuda")]
const STACK: usize = 64;

/// Makes a device fit for recording. To be called before anything is allocated on it; without
/// effect on the CPU.
pub fn prepare(device: &Device) {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(cuda) = device {
        use candle_core::cuda_backend::cudarc::driver::sys::CUlimit_enum::CU_LIMIT_STACK_SIZE;
        let stream = cuda.cuda_stream();
        // Once for the process: what runs would have to end first. Where it fails, there is less room and nothing else.
        if stream.context().get_limit(CU_LIMIT_STACK_SIZE).is_ok_and(|stack| stack > STACK) {
            stream.context().set_limit(CU_LIMIT_STACK_SIZE, STACK).ok();
        }
        // SAFETY: CUDA events order work between streams; all work on this device goes through
        // its one stream, or is ordered by events of its own. They would make a step impossible to record.
        unsafe { cuda.disable_event_tracking() };
    }
    #[cfg(not(feature = "cuda"))]
    let _ = device;
}

/// The inputs and outputs of the step, at fixed places on the device.
pub struct FixedStep {
    token: Tensor,
    position: Tensor,
    /// `0..context`.
    positions: Tensor,
    visible: Tensor,
    hidden: Tensor,
    /// `[1, vocab]` in f32.
    logits: Tensor,
    #[cfg(feature = "cuda")]
    recording: recording::Recording,
}

impl FixedStep {
    /// Makes room for the step's inputs and outputs.
    ///
    /// # Errors
    /// If the device has no memory for them.
    pub fn new(network: &DeviceNetwork) -> Result<Self> {
        let (context, device) = (network.context(), network.device());
        Ok(Self {
            token: Tensor::zeros(1, DType::U32, device)?,
            position: Tensor::zeros(1, DType::U32, device)?,
            positions: Tensor::arange(0, context as u32, device)?,
            visible: Tensor::zeros((1, context), DType::F32, device)?,
            hidden: Tensor::full(f32::NEG_INFINITY, (1, context), device)?,
            logits: Tensor::zeros((1, network.config().vocab), DType::F32, device)?,
            #[cfg(feature = "cuda")]
            recording: recording::Recording::default(),
        })
    }

    /// The logits after `token` at `position`.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn run(&self, network: &DeviceNetwork, token: TokenId, position: usize) -> Result<Vec<f32>> {
        let device = network.device();
        self.token.slice_set(&Tensor::new(&[token], device)?, 0, 0)?;
        self.position.slice_set(&Tensor::new(&[position as u32], device)?, 0, 0)?;
        #[cfg(feature = "cuda")]
        self.recording.replay(device, &|| self.compute(network))?;
        #[cfg(not(feature = "cuda"))]
        self.compute(network)?;
        self.logits.flatten_all()?.to_vec1()
    }

    fn compute(&self, network: &DeviceNetwork) -> Result<()> {
        let c = network.config();
        let seen = self.positions.broadcast_le(&self.position)?.unsqueeze(0)?;
        let index = self.position.reshape((1, 1, 1))?.broadcast_as((c.kv_heads, 1, c.head_dim))?;
        let (cos, sin) = network.angles();
        let window = Window {
            cos: cos.index_select(&self.position, 0)?,
            sin: sin.index_select(&self.position, 0)?,
            len: network.context(),
            mask: Some(seen.where_cond(&self.visible, &self.hidden)?),
            slot: Slot::Index(index.contiguous()?),
        };
        let x = network.blocks(&self.token, &window)?;
        self.logits.slice_set(&network.logits(&x)?, 0, 0)
    }
}

#[cfg(feature = "cuda")]
mod recording {
    use std::cell::RefCell;
    use std::thread::{ThreadId, current};

    use candle_core::cuda_backend::WrapErr;
    use candle_core::cuda_backend::cudarc::driver::{CudaGraph, sys};
    use candle_core::{Device, Result};

    /// Times the step runs operation by operation before it is recorded, so that kernels are
    /// loaded and libraries have their workspaces.
    const REHEARSALS: usize = 2;

    /// A recorded step and the thread that recorded it: the tensor library keeps what the
    /// recording reads in that thread's storage.
    #[derive(Default)]
    pub(super) struct Recording(RefCell<State>);

    #[derive(Default)]
    enum State {
        #[default]
        Empty,
        Ready(CudaGraph, ThreadId),
        /// This device or model cannot be recorded.
        Refused,
    }

    // SAFETY: a graph is a driver handle that any thread may use as long as no two do at once;
    // the network that owns it is behind `&mut` and `RefCell`, so no two do.
    unsafe impl Send for Recording {}

    impl Recording {
        /// Runs `step`, from the recording if there is one.
        pub(super) fn replay(&self, device: &Device, step: &dyn Fn() -> Result<()>) -> Result<()> {
            let mut state = self.0.borrow_mut();
            if let State::Ready(_, thread) = &*state
                && *thread != current().id()
            {
                *state = State::Empty;
            }
            if let State::Empty = &*state {
                *state = match record(device, step) {
                    Ok(Some(graph)) => State::Ready(graph, current().id()),
                    Ok(None) | Err(_) => State::Refused,
                };
            }
            match &*state {
                State::Ready(graph, _) => graph.launch().w(),
                _ => step(),
            }
        }
    }

    fn record(device: &Device, step: &dyn Fn() -> Result<()>) -> Result<Option<CudaGraph>> {
        let Device::Cuda(cuda) = device else { return Ok(None) };
        // Events between streams cannot be recorded; there is only one stream here.
        if cuda.is_event_tracking() {
            return Ok(None);
        }
        let _uploads_are_kept = cuda.enable_cuda_graph_htod_cache();
        for _ in 0..REHEARSALS {
            step()?;
        }
        device.synchronize()?;
        let stream = cuda.cuda_stream();
        stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED).w()?;
        let outcome = step();
        // Ends the capture also when the step failed, or the stream could not be used again.
        let graph = stream
            .end_capture(sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH)
            .w();
        outcome?;
        let graph = graph?;
        if let Some(graph) = &graph {
            graph.upload().w()?;
        }
        Ok(graph)
    }
}
