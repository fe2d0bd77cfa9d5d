//! The kernels that a step is made of, each with what it is given: for one token, or for a batch of them.

use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::quantized::GgmlDType;
use candle_core::{DType, Result, Tensor};

use super::kernels::{Kernels, Launch, address, place};
use super::params::{Attention, Embed, Lay, Product};
use super::plan::{BATCH, Layout, NORMED, Plan};
use crate::engine::model::device::{DeviceLayer, DeviceNetwork};
use crate::engine::model::matrix::Matrix;

/// The modes of a product: its sums are stored, added to what is there, or gate those of as many more rows.
const STORE: i32 = 0;
const ADD: i32 = 1;
const GATE: i32 = 2;

/// One kernel of the step.
pub enum Call {
    Embed(String, Launch, Embed),
    Lay(String, Launch, Lay),
    Product(String, Launch, Product),
    Attention(&'static str, Launch, Attention),
}

impl Call {
    /// Launches it.
    ///
    /// # Errors
    /// If the driver refuses.
    pub fn launch(&self, kernels: &Kernels) -> Result<()> {
        match self {
            Self::Embed(kernel, launch, param) => kernels.launch(kernel, *launch, param),
            Self::Lay(kernel, launch, param) => kernels.launch(kernel, *launch, param),
            Self::Product(kernel, launch, param) => kernels.launch(kernel, *launch, param),
            Self::Attention(kernel, launch, param) => kernels.launch(kernel, *launch, param),
        }
    }
}

/// A matrix where the kernels can read it.
pub struct Weights {
    /// The kernels' name for the type, and its sizes.
    pub layout: Layout,
    /// Where they begin.
    pub address: u64,
    /// Outputs.
    pub rows: usize,
    columns: usize,
}

impl Weights {
    /// Those of a matrix. `None` if no kernel knows their type.
    ///
    /// # Errors
    /// If they are not on the device.
    pub fn of(matrix: &Matrix) -> Result<Option<Self>> {
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
    /// The weights of the norm that the input goes through, or 0.
    norm: u64,
    /// One number per row, or 0.
    bias: u64,
    /// What becomes of a sum.
    mode: i32,
}

/// Tensors that the kernels know by their address, and what keeps them.
pub struct Kept<'a> {
    network: &'a DeviceNetwork,
    tensors: Vec<Tensor>,
}

impl<'a> Kept<'a> {
    /// None so far.
    pub fn new(network: &'a DeviceNetwork) -> Self {
        Self { network, tensors: Vec::new() }
    }

    /// Where a tensor lies.
    fn keep(&mut self, tensor: Tensor) -> Result<u64> {
        let at = address(&tensor)?;
        self.tensors.push(tensor);
        Ok(at)
    }

    /// Room for so many numbers.
    fn room(&mut self, len: usize) -> Result<u64> {
        self.keep(Tensor::zeros(len, DType::F32, self.network.device())?)
    }

    /// A vector of the model as the kernels read it, or 0.
    fn wide(&mut self, vector: Option<&Tensor>) -> Result<u64> {
        match vector {
            Some(vector) => self.keep(vector.to_dtype(DType::F32)?.contiguous()?),
            None => Ok(0),
        }
    }

    /// The model's vectors.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn vectors(&mut self) -> Result<Vectors> {
        let network = self.network;
        let (cos, sin) = network.config.rope.tables(network.config.head_dim, network.context());
        let (cos, sin) = (Tensor::new(cos, network.device())?, Tensor::new(sin, network.device())?);
        let mut layers = Vec::with_capacity(network.layers.len());
        for layer in &network.layers {
            let DeviceLayer { qkv_bias, output_bias, gate_up_bias, down_bias, qk_norm, .. } = layer;
            layers.push(LayerVectors {
                attention_norm: self.wide(Some(&layer.attention_norm))?,
                qkv_bias: self.wide(qkv_bias.as_ref())?,
                query_norm: self.wide(qk_norm.as_ref().map(|[query, _]| query))?,
                key_norm: self.wide(qk_norm.as_ref().map(|[_, key]| key))?,
                output_bias: self.wide(output_bias.as_ref())?,
                mlp_norm: self.wide(Some(&layer.mlp_norm))?,
                gate_up_bias: self.wide(gate_up_bias.as_ref())?,
                down_bias: self.wide(down_bias.as_ref())?,
            });
        }
        let norm = self.wide(Some(&network.norm))?;
        Ok(Vectors { cos: self.keep(cos)?, sin: self.keep(sin)?, layers, norm })
    }

    /// The tensors.
    pub fn into_tensors(self) -> Vec<Tensor> {
        self.tensors
    }
}

/// Where the model's vectors lie, in f32.
pub struct Vectors {
    cos: u64,
    sin: u64,
    layers: Vec<LayerVectors>,
    norm: u64,
}

struct LayerVectors {
    attention_norm: u64,
    qkv_bias: u64,
    query_norm: u64,
    key_norm: u64,
    output_bias: u64,
    mlp_norm: u64,
    gate_up_bias: u64,
    down_bias: u64,
}

/// Puts the kernels of a step together.
pub struct Builder<'a> {
    network: &'a DeviceNetwork,
    kernels: &'a Kernels,
    /// Where the first token's number is; behind the tokens is the first one's position.
    tokens: u64,
    /// How many there are: one, or a batch.
    count: usize,
    x: u64,
    qkv: u64,
    attended: u64,
    inner: u64,
    /// Of a batch: where inputs are laid out.
    laid: u64,
    /// So far, in order.
    calls: Vec<Call>,
}

impl<'a> Builder<'a> {
    /// For as many tokens as there are inputs but one.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new<'n: 'a>(kept: &mut Kept<'n>, kernels: &'a Kernels, inputs: &CudaSlice<u32>) -> Result<Self> {
        let (network, count) = (kept.network, inputs.len() - 1);
        let c = &network.config;
        let widest = c.hidden.max(c.q_width()).max(c.intermediate);
        Ok(Self {
            network,
            kernels,
            tokens: place(inputs, kernels.stream()),
            count,
            x: kept.room(count * c.hidden)?,
            qkv: kept.room(count * (c.q_width() + 2 * c.kv_width()))?,
            attended: kept.room(count * c.q_width())?,
            inner: kept.room(count * c.intermediate)?,
            laid: if count > 1 { kept.room(count * widest)? } else { 0 },
            calls: Vec::new(),
        })
    }

    /// The kernels up to the end of the last block. `cache`: the one for attention over the network's cache.
    /// `None` if they cannot do it.
    ///
    /// # Errors
    /// If the weights are not on the device.
    pub fn blocks(mut self, vectors: &Vectors, cache: &'static str) -> Result<Option<Self>> {
        let (network, c) = (self.network, &self.network.config);
        let Some(embedding) = Weights::of(&network.embedding)? else { return Ok(None) };
        let embed = Embed {
            rows: embedding.address,
            token: self.tokens,
            output: self.x,
            pitch: embedding.layout.pitch(c.hidden) as u64,
            columns: c.hidden as i32,
        };
        // What comes after it may read the position at once, so this one waits for whoever wrote it.
        let launch = Launch { grid: (8, self.count as u32, 1), early: false, ..Launch::new(8, 256) };
        self.calls.push(Call::Embed(format!("embed_{}", embedding.layout.name), launch, embed));
        for (layer, v) in network.layers.iter().zip(&vectors.layers) {
            let width = c.q_width() + 2 * c.kv_width();
            let mut from = 0;
            for part in &layer.qkv.0 {
                let bias = if v.qkv_bias == 0 { 0 } else { v.qkv_bias + from };
                let with = With { norm: v.attention_norm, bias, mode: STORE };
                if !self.product(part, self.x, self.qkv + from, width, with)? {
                    return Ok(None);
                }
                from += 4 * part.dims()[0] as u64;
            }
            self.attention(layer, v, vectors, cache)?;
            let [gate_up] = layer.gate_up.0.as_slice() else { return Ok(None) };
            let plain = With { norm: 0, bias: 0, mode: ADD };
            let (x, attended, inner) = (self.x, self.attended, self.inner);
            let gate = With { norm: v.mlp_norm, bias: v.gate_up_bias, mode: GATE };
            let products = [
                (&layer.output, attended, x, c.hidden, With { bias: v.output_bias, ..plain }),
                (gate_up, x, inner, c.intermediate, gate),
                (&layer.down, inner, x, c.hidden, With { bias: v.down_bias, ..plain }),
            ];
            for (matrix, input, output, stride, with) in products {
                if !self.product(matrix, input, output, stride, with)? {
                    return Ok(None);
                }
            }
        }
        Ok(Some(self))
    }

    /// The kernels for the logits too, which are to be at an address. False if there are none for that.
    ///
    /// # Errors
    /// If the weights are not on the device.
    pub fn head(&mut self, vectors: &Vectors, logits: u64) -> Result<bool> {
        let with = With { norm: vectors.norm, bias: 0, mode: STORE };
        self.product(&self.network.head, self.x, logits, self.network.config.vocab, with)
    }

    /// All of them so far.
    pub fn finish(self) -> Vec<Call> {
        self.calls
    }

    fn attention(
        &mut self,
        layer: &DeviceLayer,
        v: &LayerVectors,
        vectors: &Vectors,
        kernel: &'static str,
    ) -> Result<()> {
        let c = &self.network.config;
        // Several tokens are enough blocks for the device.
        let cluster = if self.count > 1 { 4 } else { self.kernels.cluster };
        let launch = Launch {
            grid: (cluster, c.kv_heads as u32, self.count as u32),
            threads: 128,
            shared: 0,
            cluster: Some(cluster),
            early: true,
        };
        let attention = Attention {
            qkv: self.qkv,
            query_norm: v.query_norm,
            key_norm: v.key_norm,
            cos: vectors.cos,
            sin: vectors.sin,
            keys: address(&layer.keys)?,
            values: address(&layer.values)?,
            position: self.tokens + 4 * self.count as u64,
            output: self.attended,
            context: self.network.context() as i32,
            eps: c.rms_eps,
        };
        self.calls.push(Call::Attention(kernel, launch, attention));
        Ok(())
    }

    /// Adds a product, whose output has so many numbers for every token. False if the kernels cannot do it.
    fn product(
        &mut self,
        matrix: &Matrix,
        input: u64,
        output: u64,
        stride: usize,
        with: With,
    ) -> Result<bool> {
        let Some(weights) = Weights::of(matrix)? else { return Ok(false) };
        let Weights { layout, address, rows, columns } = weights;
        let is_batch = self.count > 1;
        let (gated, chip) = (with.mode == GATE, self.kernels.chip);
        let plan = if is_batch { Plan::batch } else { Plan::new };
        let Some(plan) = plan(&layout, rows, columns, gated, chip) else { return Ok(false) };
        if with.norm != 0 && columns > NORMED {
            return Ok(false);
        }
        let eps = self.network.config.rms_eps;
        if is_batch {
            let lay = Lay { input, norm: with.norm, output: self.laid, columns: columns as i32, eps };
            let grid = (columns.div_ceil(4 * 256) as u32, BATCH as u32, 1);
            self.calls.push(Call::Lay(
                format!("lay_{}", layout.name),
                Launch { grid, ..Launch::new(1, 256) },
                lay,
            ));
        }
        let launch = Launch { shared: plan.shared as u32, ..Launch::new(plan.blocks, plan.threads) };
        let product = Product {
            weights: address,
            bias: with.bias,
            input: if is_batch { self.laid } else { input },
            norm: with.norm,
            output,
            pitch: layout.pitch(columns) as u64,
            rows: rows as i32,
            columns: columns as i32,
            mode: with.mode,
            eps,
            split: plan.split as i32,
            most: plan.most as i32,
            early: plan.early as i32,
            stride: stride as i32,
        };
        self.calls.push(Call::Product(plan.kernel, launch, product));
        Ok(true)
    }
}
