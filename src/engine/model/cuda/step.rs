//! One token through all blocks in kernels of our own, and what is asked about its logits.

use std::time::Instant;

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaEvent, CudaSlice};
use candle_core::quantized::GgmlDType;
use candle_core::{CudaDevice, DType, Device, Result, Tensor};

use super::Ahead;
use super::digest::Digester;
use super::kernels::{Aim, Attention, Compiling, Embed, Graph, Kernels, Launch, Product, address, place};
use super::plan::{EARLY, Layout, NORMED, Plan};
use crate::engine::model::away::{Digest, Question};
use crate::engine::model::config::Config;
use crate::engine::model::device::{DeviceLayer, DeviceNetwork};
use crate::engine::model::matrix::Matrix;
use crate::engine::trace::TokenId;

/// Most tokens that ever go through the step one by one.
pub const MOST_ALONE: usize = 8;
/// The widest group of query heads that the kernels are made for.
const WIDEST_GROUP: usize = 8;

/// The modes of a product.
const STORE: i32 = 0;
const ADD: i32 = 1;
const GATE: i32 = 2;

/// The step, its memory, and where the logits of the last forward pass are.
pub struct OwnStep {
    kernels: Kernels,
    /// The kernels of a step in order. The last one computes the logits.
    launches: Vec<Call>,
    /// The step as recorded: without and with its logits.
    graphs: Option<[Graph; 2]>,
    /// Whether steps are launched as recorded.
    recorded: bool,
    /// The token and its position.
    inputs: CudaSlice<u32>,
    /// The token, and its position, whose step was started before anybody asked for it.
    begun: Option<(TokenId, usize)>,
    /// Comes after the last forward pass.
    end: CudaEvent,
    /// When that was seen to have come.
    seen: Option<Instant>,
    /// `[1, vocab]`
    logits: Tensor,
    /// Logits of several steps: `[MOST_ALONE, vocab]`.
    rows: Tensor,
    held: Held,
    digester: Option<Digester>,
    fetched: Vec<f32>,
    /// What the launches point to beside the network.
    _kept: Vec<Tensor>,
}

/// Where logits are.
enum Held {
    /// Where the step writes them.
    Step,
    /// Where those of several steps were put together.
    Rows,
    /// Where the stock operations left them.
    Tensor(Tensor),
}

/// One kernel of the step.
enum Call {
    Embed(String, Launch, Embed),
    Product(String, Launch, Product),
    Attention(&'static str, Launch, Attention),
}

/// A matrix where the kernels can read it.
struct Weights {
    layout: Layout,
    address: u64,
    rows: usize,
    columns: usize,
}

impl Weights {
    fn of(matrix: &Matrix) -> Result<Option<Self>> {
        let (dtype, address) = match matrix {
            Matrix::Dense(t) if t.dtype() == DType::BF16 && t.is_contiguous() => {
                (GgmlDType::BF16, address(t)?)
            }
            Matrix::Blocks(q) => (q.dtype(), q.device_ptr()? as u64),
            _ => return Ok(None),
        };
        let (rows, columns) = (matrix.dims()[0], matrix.dims()[1]);
        Ok(Layout::of(dtype).map(|layout| Self { layout, address, rows, columns }))
    }
}

/// What a product does beside multiplying.
#[derive(Clone, Copy, Default)]
struct With {
    norm: u64,
    bias: u64,
    mode: i32,
}

struct Builder<'a> {
    kernels: &'a Kernels,
    eps: f32,
    calls: Vec<Call>,
}

impl Builder<'_> {
    /// Adds a product. False if the kernels cannot do it.
    fn product(&mut self, weights: &Weights, input: u64, output: u64, with: With) -> bool {
        let gated = with.mode == GATE;
        let Some(plan) = Plan::new(&weights.layout, weights.rows, weights.columns, gated, self.kernels.chip)
        else {
            return false;
        };
        if with.norm != 0 && weights.columns > NORMED {
            return false;
        }
        let launch = Launch { shared: plan.shared as u32, ..Launch::new(plan.blocks, plan.threads) };
        let product = Product {
            weights: weights.address,
            bias: with.bias,
            input,
            norm: with.norm,
            output,
            pitch: weights.layout.pitch(weights.columns) as u64,
            rows: weights.rows as i32,
            columns: weights.columns as i32,
            mode: with.mode,
            eps: self.eps,
            split: plan.split as i32,
            most: plan.most as i32,
            early: EARLY as i32,
        };
        self.calls.push(Call::Product(plan.kernel, launch, product));
        true
    }
}

/// The sizes that the kernels are compiled for: of a head, and of a group of query heads. `None` for those
/// that they are not made for.
pub fn variant(config: &Config) -> Option<(usize, usize)> {
    let group = config.heads / config.kv_heads;
    (matches!(config.head_dim, 64 | 128) && group <= WIDEST_GROUP).then_some((config.head_dim, group))
}

impl OwnStep {
    /// The step of a network on a CUDA device. `None` if the kernels do not know its block, its types or
    /// the device.
    ///
    /// # Errors
    /// If the compiler fails or the device has no memory.
    pub fn new(network: &DeviceNetwork, ahead: Ahead) -> Result<Option<Self>> {
        let c = &network.config;
        let Device::Cuda(cuda) = &network.device else { return Ok(None) };
        let cache = match network.dtype {
            DType::BF16 => "attention_bf16",
            DType::F32 => "attention_f32",
            _ => return Ok(None),
        };
        let Some(variant) = variant(c) else { return Ok(None) };
        let mut layouts: Vec<Layout> = Vec::new();
        let mut matrices = vec![&network.embedding, &network.head];
        for layer in &network.layers {
            matrices
                .extend([&layer.output, &layer.down].into_iter().chain(&layer.qkv.0).chain(&layer.gate_up.0));
        }
        for matrix in matrices {
            match Weights::of(matrix)? {
                Some(weights) if layouts.contains(&weights.layout) => {}
                Some(weights) => layouts.push(weights.layout),
                None => return Ok(None),
            }
        }
        let compiling = ahead.kernels.filter(|compiling| compiling.has(&layouts));
        let Some(compiling) = compiling.or_else(|| Compiling::start(cuda, Some(variant), layouts)) else {
            return Ok(None);
        };
        let Some(kernels) = compiling.finish()? else { return Ok(None) };
        Self::build(network, cuda, kernels, cache)
    }

    fn build(
        network: &DeviceNetwork,
        cuda: &CudaDevice,
        kernels: Kernels,
        cache: &'static str,
    ) -> Result<Option<Self>> {
        let (c, device) = (&network.config, &network.device);
        let mut kept = Vec::new();
        let mut keep = |tensor: Tensor| -> Result<u64> {
            let at = address(&tensor)?;
            kept.push(tensor);
            Ok(at)
        };
        let zeros = |len: usize| Tensor::zeros(len, DType::F32, device);
        let inputs: CudaSlice<u32> = cuda.alloc_zeros(2)?;
        let token = place(&inputs, kernels.stream());
        let position = token + 4;
        let x = keep(zeros(c.hidden)?)?;
        let qkv = keep(zeros(c.q_width() + 2 * c.kv_width())?)?;
        let attended = keep(zeros(c.q_width())?)?;
        let inner = keep(zeros(c.intermediate)?)?;
        let logits = Tensor::zeros((1, c.vocab), DType::F32, device)?;
        let rows = Tensor::zeros((MOST_ALONE, c.vocab), DType::F32, device)?;
        let (cos, sin) = c.rope.tables(c.head_dim, network.context());
        let (cos, sin) = (keep(Tensor::new(cos, device)?)?, keep(Tensor::new(sin, device)?)?);
        let mut wide = |tensor: Option<&Tensor>| match tensor {
            Some(tensor) => keep(tensor.to_dtype(DType::F32)?.contiguous()?),
            None => Ok(0),
        };

        let mut builder = Builder { kernels: &kernels, eps: c.rms_eps, calls: Vec::new() };
        let Some(embedding) = Weights::of(&network.embedding)? else { return Ok(None) };
        let embed = Embed {
            rows: embedding.address,
            token,
            output: x,
            pitch: embedding.layout.pitch(c.hidden) as u64,
            columns: c.hidden as i32,
        };
        let name = format!("embed_{}", embedding.layout.name);
        builder.calls.push(Call::Embed(name, Launch::new(8, 256), embed));
        for layer in &network.layers {
            let DeviceLayer { qkv_bias, output_bias, gate_up_bias, down_bias, qk_norm, .. } = layer;
            let (norm, bias) = (wide(Some(&layer.attention_norm))?, wide(qkv_bias.as_ref())?);
            let mut from = 0;
            for part in &layer.qkv.0 {
                let Some(weights) = Weights::of(part)? else { return Ok(None) };
                let bias = if bias == 0 { 0 } else { bias + from };
                if !builder.product(&weights, x, qkv + from, With { norm, bias, mode: STORE }) {
                    return Ok(None);
                }
                from += 4 * weights.rows as u64;
            }
            let launch = Launch {
                grid: (kernels.cluster, c.kv_heads as u32),
                threads: 128,
                shared: 0,
                cluster: Some(kernels.cluster),
            };
            let attention = Attention {
                qkv,
                query_norm: wide(qk_norm.as_ref().map(|[query, _]| query))?,
                key_norm: wide(qk_norm.as_ref().map(|[_, key]| key))?,
                cos,
                sin,
                keys: address(&layer.keys)?,
                values: address(&layer.values)?,
                position,
                output: attended,
                context: network.context() as i32,
                eps: c.rms_eps,
            };
            builder.calls.push(Call::Attention(cache, launch, attention));
            let [gate_up] = layer.gate_up.0.as_slice() else { return Ok(None) };
            let norm = wide(Some(&layer.mlp_norm))?;
            let products = [
                (&layer.output, attended, x, With { norm: 0, bias: wide(output_bias.as_ref())?, mode: ADD }),
                (gate_up, x, inner, With { norm, bias: wide(gate_up_bias.as_ref())?, mode: GATE }),
                (&layer.down, inner, x, With { norm: 0, bias: wide(down_bias.as_ref())?, mode: ADD }),
            ];
            for (matrix, input, output, with) in products {
                let Some(weights) = Weights::of(matrix)? else { return Ok(None) };
                if !builder.product(&weights, input, output, with) {
                    return Ok(None);
                }
            }
        }
        let Some(head) = Weights::of(&network.head)? else { return Ok(None) };
        let with = With { norm: wide(Some(&network.norm))?, bias: 0, mode: STORE };
        if !builder.product(&head, x, address(&logits)?, with) {
            return Ok(None);
        }
        let launches = builder.calls;
        let digester = Digester::new(cuda, &kernels, c.vocab)?;
        let end = kernels.stream().context().new_event(None).w()?;
        Ok(Some(Self {
            kernels,
            launches,
            graphs: None,
            recorded: true,
            inputs,
            begun: None,
            end,
            seen: None,
            logits,
            rows,
            held: Held::Step,
            digester,
            fetched: Vec::new(),
            _kept: kept,
        }))
    }

    fn enqueue(&self, logits: bool) -> Result<()> {
        let count = self.launches.len() - usize::from(!logits);
        for call in &self.launches[..count] {
            match call {
                Call::Embed(kernel, launch, param) => self.kernels.launch(kernel, *launch, param)?,
                Call::Product(kernel, launch, param) => self.kernels.launch(kernel, *launch, param)?,
                Call::Attention(kernel, launch, param) => self.kernels.launch(kernel, *launch, param)?,
            }
        }
        Ok(())
    }

    /// Starts the step for `token` at `position`, with its logits or only for the cache.
    ///
    /// # Errors
    /// If the device fails.
    pub fn start(&mut self, token: TokenId, position: usize, logits: bool) -> Result<()> {
        self.begun = None;
        let inputs = place(&self.inputs, self.kernels.stream());
        let aim = Aim { inputs, token, position: position as u32 };
        self.kernels.launch("aim", Launch::new(1, 32), &aim)?;
        self.held = Held::Step;
        if !self.recorded {
            self.enqueue(logits)?;
            return self.mark();
        }
        let graphs = match self.graphs.take() {
            Some(graphs) => graphs,
            None => {
                // Once as it is, so that the kernels are loaded.
                self.enqueue(true)?;
                self.wait()?;
                let record = |logits| self.kernels.record(|| self.enqueue(logits));
                [record(false)?, record(true)?]
            }
        };
        let [silent, whole] = self.graphs.insert(graphs);
        if logits {
            whole.launch()?
        } else {
            silent.launch()?
        }
        self.mark()
    }

    /// Starts the step of a token that will be asked for next, as it seems.
    pub fn begin(&mut self, token: TokenId, position: usize) {
        // What fails here fails again when it is asked for.
        if self.start(token, position, true).is_ok() {
            self.begun = Some((token, position));
        }
    }

    /// Whether the step of the first of these tokens has been begun. It is forgotten then: what runs next
    /// goes on from it, or makes it wrong.
    pub fn has_begun(&mut self, tokens: &[TokenId], position: usize) -> bool {
        let begun = self.begun.take();
        tokens.first().is_some_and(|&token| begun == Some((token, position)))
    }

    /// Lets steps be launched as recorded, or kernel by kernel.
    pub fn set_recorded(&mut self, recorded: bool) {
        self.recorded = recorded;
    }

    /// Puts the logits of the step that was started last to those of the others, as the row of that number.
    ///
    /// # Errors
    /// If the device fails.
    pub fn put(&mut self, row: usize) -> Result<()> {
        self.rows.slice_set(&self.logits, 0, row)?;
        self.held = Held::Rows;
        Ok(())
    }

    /// Takes logits that other operations computed: `[rows, vocab]` in f32.
    pub fn hold(&mut self, logits: Tensor) {
        self.held = Held::Tensor(logits);
    }

    /// Waits for all that was started.
    ///
    /// # Errors
    /// If the device fails.
    pub fn wait(&self) -> Result<()> {
        self.kernels.stream().synchronize().w()
    }

    /// Says that what was started until here is the forward pass.
    ///
    /// # Errors
    /// If the device fails.
    pub fn mark(&mut self) -> Result<()> {
        self.seen = None;
        self.end.record(self.kernels.stream()).w()
    }

    /// See [`Away`](crate::engine::model::away::Away). A failure is said by what follows.
    pub fn is_done(&mut self) -> bool {
        if self.seen.is_none() && !matches!(self.end.try_is_complete(), Ok(false)) {
            self.seen = Some(Instant::now());
        }
        self.seen.is_some()
    }

    /// See [`Away`](crate::engine::model::away::Away).
    ///
    /// # Errors
    /// If the device fails.
    pub fn done(&mut self) -> Result<Instant> {
        match self.seen {
            Some(seen) => Ok(seen),
            None => {
                self.end.synchronize().w()?;
                Ok(*self.seen.insert(Instant::now()))
            }
        }
    }

    fn tensor(&self) -> &Tensor {
        match &self.held {
            Held::Step => &self.logits,
            Held::Rows => &self.rows,
            Held::Tensor(tensor) => tensor,
        }
    }

    /// See [`Away`](crate::engine::model::away::Away).
    ///
    /// # Errors
    /// If the device fails.
    pub fn digest(&mut self, row: usize, question: &Question<'_>) -> Result<Option<Digest>> {
        let held = self.tensor();
        let width = held.dim(1)?;
        let at = address(held)? + (4 * row * width) as u64;
        let asked = match &mut self.digester {
            Some(digester) => digester.ask(&self.kernels, at, question)?,
            None => false,
        };
        self.done()?;
        match &self.digester {
            Some(digester) if asked => digester.answer(&self.kernels, question.listed),
            _ => Ok(None),
        }
    }

    /// See [`Away`](crate::engine::model::away::Away).
    ///
    /// # Errors
    /// If the device fails.
    pub fn fetch(&mut self, row: usize) -> Result<&[f32]> {
        self.done()?;
        self.fetched = self.tensor().narrow(0, row, 1)?.flatten_all()?.to_vec1()?;
        Ok(&self.fetched)
    }
}
