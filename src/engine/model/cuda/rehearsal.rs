//! Makes the driver ready for the stock operations, beside the loading of the model: the first time on a machine it
//! takes many seconds to compile them.

use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use candle_core::quantized::GgmlDType;
use candle_core::{Device, DeviceLocation};

use crate::engine::model::config::Config;
use crate::engine::model::cuda_graph;
use crate::engine::model::decoder::Network;
use crate::engine::model::device::DeviceNetwork;
use crate::engine::model::raw::is_dense;
use crate::engine::model::weights::{Source, Weights};

/// Runs a small model of the same block and types on another thread, once nobody can send to `after` any more. `None` if
/// the system gives no thread.
pub fn start(
    device: &Device,
    config: &Config,
    types: &[GgmlDType],
    after: Receiver<()>,
) -> Option<JoinHandle<()>> {
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
    let run = move || {
        after.recv().ok();
        run();
    };
    std::thread::Builder::new().name("maze-rehearsal".into()).spawn(run).ok()
}
