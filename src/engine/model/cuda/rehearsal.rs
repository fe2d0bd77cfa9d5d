//! Makes the driver ready for the stock operations, beside whatever a model does meanwhile: the first time on a
//! machine it takes many seconds to compile them.

use std::sync::mpsc::{Sender, channel};
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

/// A thread that makes the driver ready.
pub struct Rehearsal {
    thread: JoinHandle<()>,
    go: Sender<Work>,
}

impl Rehearsal {
    /// Lets it begin. While the driver compiles, a kernel that has not run yet may have to wait for that, so those of
    /// the model come first.
    pub fn begin(&self) {
        // A thread that is gone has nothing to be told.
        self.go.send(Work::begin()).ok();
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Gets ready to run a small model of the same block and types on another thread. `None` if the system gives no thread.
pub fn prepare(device: &Device, config: &Config, types: &[GgmlDType]) -> Option<Rehearsal> {
    let quantised = types.iter().find(|dtype| !is_dense(**dtype));
    let dtype = quantised.copied().unwrap_or(GgmlDType::BF16);
    let DeviceLocation::Cuda { gpu_id } = device.location() else { return None };
    let (hidden, heads, kv_heads, layers, context) = (512, 4, 2, 1, 16);
    let small = Config {
        hidden,
        intermediate: hidden,
        heads,
        kv_heads,
        layers,
        context,
        vocab: 512,
        ..config.clone()
    };
    let run = move || -> Option<()> {
        // In a stream of its own: what is recorded meanwhile must not hold these kernels.
        let device = Device::new_cuda_with_stream(gpu_id).ok()?;
        cuda_graph::prepare(&device);
        let go_on = &mut |_, _| std::ops::ControlFlow::Continue(());
        let weights = Weights::load(&Source::Random(dtype), &small, &device, go_on).ok()?;
        let mut network = DeviceNetwork::new(small, weights, context, &device).ok()?;
        network.run(&[1, 2, 3, 4], 0, 2, &mut Vec::new()).ok()
    };
    let (go, told) = channel::<Work>();
    let run = move || {
        // Nobody says so if there will be no model.
        if let Ok(_work) = told.recv() {
            run();
        }
    };
    let thread = std::thread::Builder::new().name("maze-rehearsal".into()).spawn(run).ok()?;
    Some(Rehearsal { thread, go })
}
