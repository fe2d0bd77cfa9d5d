//! A few tokens through all blocks at once: the weights are read once for all of them.

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CudaDevice, DType, Result, Tensor};

use super::calls::{Builder, Call, Kept, Vectors};
use super::kernels::{Graph, Kernels, Launch, address, place};
use super::params::Aim;
use super::plan::BATCH;
use crate::engine::model::device::DeviceNetwork;
use crate::engine::trace::TokenId;

/// The kernels for a batch, and the logits that it leaves.
pub struct Batch {
    /// In order. The last one computes the logits.
    launches: Vec<Call>,
    /// As recorded: with the logits, and without them.
    graphs: Option<[Graph; 2]>,
    /// The tokens and the position of the first.
    inputs: CudaSlice<u32>,
    /// `[BATCH, vocab]`
    pub logits: Tensor,
}

impl Batch {
    /// For a network. `cache`: the kernel for attention over its cache. `None` if the kernels cannot do it.
    ///
    /// # Errors
    /// If the device has no memory.
    pub fn new(
        kept: &mut Kept<'_>,
        kernels: &Kernels,
        cuda: &CudaDevice,
        network: &DeviceNetwork,
        vectors: &Vectors,
        cache: &'static str,
    ) -> Result<Option<Self>> {
        let inputs = cuda.alloc_zeros(BATCH + 1)?;
        let logits = Tensor::zeros((BATCH, network.config.vocab), DType::F32, &network.device)?;
        let builder = Builder::new(kept, kernels, &inputs)?;
        let Some(mut builder) = builder.blocks(vectors, cache)? else { return Ok(None) };
        if !builder.head(vectors, address(&logits)?)? {
            return Ok(None);
        }
        Ok(Some(Self { launches: builder.finish(), graphs: None, inputs, logits }))
    }

    /// Starts the pass of tokens, no more than a batch has, of which the first is at `position`: with their logits,
    /// or only for the cache. What the cache holds behind them is overwritten.
    ///
    /// # Errors
    /// If the device fails.
    pub fn start(
        &mut self,
        kernels: &Kernels,
        tokens: &[TokenId],
        position: usize,
        logits: bool,
        recorded: bool,
    ) -> Result<()> {
        let mut all = [0; BATCH];
        for (to, from) in all.iter_mut().zip(tokens) {
            *to = *from;
        }
        let aim = Aim::new(place(&self.inputs, kernels.stream()), &all, position);
        kernels.launch("aim", Launch::new(1, 32), &aim)?;
        if !recorded {
            return self.enqueue(kernels, logits);
        }
        let graphs = match self.graphs.take() {
            Some(graphs) => graphs,
            None => {
                // Once as it is, so that the kernels are loaded.
                self.enqueue(kernels, true)?;
                kernels.stream().synchronize().w()?;
                let record = |logits| kernels.record(|| self.enqueue(kernels, logits));
                [record(true)?, record(false)?]
            }
        };
        let [full, silent] = self.graphs.insert(graphs);
        if logits { full.launch() } else { silent.launch() }
    }

    fn enqueue(&self, kernels: &Kernels, logits: bool) -> Result<()> {
        let count = self.launches.len() - usize::from(!logits);
        self.launches.iter().take(count).try_for_each(|call| call.launch(kernels))
    }
}
