//! The kernels that a step is made of, each with what it is given.

use candle_core::quantized::GgmlDType;
use candle_core::{DType, Result};

use super::kernels::{Attention, Embed, Kernels, Launch, Product, address};
use super::plan::{EARLY, Layout, NORMED, Plan};
use crate::engine::model::matrix::Matrix;

/// The modes of a product: its sums are stored, added to what is there, or gate those of as many more rows.
pub const STORE: i32 = 0;
pub const ADD: i32 = 1;
pub const GATE: i32 = 2;

/// One kernel of the step.
pub enum Call {
    Embed(String, Launch, Embed),
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
pub struct With {
    /// The weights of the norm that the input goes through, or 0.
    pub norm: u64,
    /// One number per row, or 0.
    pub bias: u64,
    /// What becomes of a sum.
    pub mode: i32,
}

/// Puts the kernels of a step together.
pub struct Builder<'a> {
    /// What is compiled.
    pub kernels: &'a Kernels,
    /// Of the norms.
    pub eps: f32,
    /// So far, in order.
    pub calls: Vec<Call>,
}

impl Builder<'_> {
    /// Adds a product. False if the kernels cannot do it.
    pub fn product(&mut self, weights: &Weights, input: u64, output: u64, with: With) -> bool {
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
