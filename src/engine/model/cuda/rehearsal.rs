//! Makes the driver ready for the stock operations, beside whatever a model does meanwhile: the first time on a
//! machine it takes many seconds to compile them.

use std::sync::OnceLock;
use std::thread::JoinHandle;

use candle_core::quantized::GgmlDType;
use candle_core::{Device, DeviceLocation};

use super::work::Work;
use crate::engine::model::config::Config;
use crate::engine::model::cuda_graph;
use crate::engine::model::decoder::Network;
use crate::engine::model::device::DeviceNetwork;
use crate::engine::model::raw::is_dense;
use crate::engine::model::weights::{Source, Weights};

/// A small model that makes the driver ready, on a thread of its own.
pub struct Rehearsal {
    gpu: usize,
    config: Config,
    dtype: GgmlDType,
    /// `None` in it if the system gave no thread.
    thread: OnceLock<Option<JoinHandle<()>>>,
}

impl Rehearsal {
    /// One of the same block and types as a model. `None` if that is not on a GPU.
    pub fn new(device: &Device, config: &Config, types: &[GgmlDType]) -> Option<Self> {
        let quantised = types.iter().find(|dtype| !is_dense(**dtype));
        let dtype = quantised.copied().unwrap_or(GgmlDType::BF16);
        let DeviceLocation::Cuda { gpu_id: gpu } = device.location() else { return None };
        let (hidden, heads, kv_heads, layers, context) = (512, 4, 2, 1, 16);
        let sizes =
            Config { hidden, intermediate: hidden, heads, kv_heads, layers, context, ..config.clone() };
        Some(Self { gpu, config: Config { vocab: 512, ..sizes }, dtype, thread: OnceLock::new() })
    }

    /// Lets it begin, if it has not. While the driver compiles, a kernel that has not run yet may have to wait for
    /// that, so those of the model come first.
    pub fn begin(&self) {
        self.thread.get_or_init(|| {
            let (work, gpu, config, dtype) = (Work::begin(), self.gpu, self.config.clone(), self.dtype);
            let run = move || {
                let _work = work;
                // What fails here fails again where somebody is told.
                run(gpu, config, dtype);
            };
            std::thread::Builder::new().name("maze-rehearsal".into()).spawn(run).ok()
        });
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        match self.thread.get() {
            Some(Some(thread)) => thread.is_finished(),
            Some(None) => true,
            None => false,
        }
    }
}

/// Runs the small model.
fn run(gpu: usize, config: Config, dtype: GgmlDType) -> Option<()> {
    // In a stream of its own: what is recorded meanwhile must not hold these kernels.
    let device = Device::new_cuda_with_stream(gpu).ok()?;
    cuda_graph::prepare(&device);
    let go_on = &mut |_, _| std::ops::ControlFlow::Continue(());
    let weights = Weights::load(&Source::Random(dtype), &config, &device, go_on).ok()?;
    let context = config.context;
    let mut network = DeviceNetwork::new(config, weights, context, &device).ok()?;
    network.run(&[1, 2, 3, 4], 0, 2, &mut Vec::new()).ok()
}
