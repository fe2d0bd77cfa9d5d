//! What the kernels are given. Every struct has its like in the source of a kernel, field by field.

use super::plan::BATCH;

/// What a kernel is given.
pub trait Param: Copy {}

/// See share.cu.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Product {
    pub weights: u64,
    pub bias: u64,
    pub input: u64,
    pub norm: u64,
    pub output: u64,
    pub pitch: u64,
    pub rows: i32,
    pub columns: i32,
    pub mode: i32,
    pub eps: f32,
    pub split: i32,
    pub most: i32,
    pub early: i32,
    pub stride: i32,
}

/// See batch.cu.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Lay {
    pub input: u64,
    pub norm: u64,
    pub output: u64,
    pub columns: i32,
    pub eps: f32,
}

/// See product.cu.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Aim {
    pub inputs: u64,
    pub count: i32,
    pub tokens: [u32; BATCH],
    pub position: u32,
}

/// See product.cu.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Embed {
    pub rows: u64,
    pub token: u64,
    pub output: u64,
    pub pitch: u64,
    pub columns: i32,
}

/// See attention.cu.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Attention {
    pub qkv: u64,
    pub query_norm: u64,
    pub key_norm: u64,
    pub cos: u64,
    pub sin: u64,
    pub keys: u64,
    pub values: u64,
    pub position: u64,
    pub output: u64,
    pub context: i32,
    pub eps: f32,
}

/// See digest.cu.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Digest {
    pub logits: u64,
    pub mask: u64,
    pub best: u64,
    pub candidates: u64,
    pub collected: u64,
    pub sums: u64,
    pub result: u64,
    pub u: f64,
    pub inverse_temperature: f32,
    pub width: i32,
    pub tiles: i32,
    pub listed: i32,
    pub drawn: i32,
    pub cut: i32,
    pub top_k: i32,
    pub top_p: f32,
    pub min_p: f32,
    pub asked: [i32; BATCH],
    pub inputs: u64,
    pub position: u32,
}

impl Aim {
    /// Says at an address that these tokens, no more than a batch has, come from `position` on.
    pub fn new(inputs: u64, tokens: &[u32], position: usize) -> Self {
        let mut all = [0; BATCH];
        for (to, from) in all.iter_mut().zip(tokens) {
            *to = *from;
        }
        Self { inputs, count: tokens.len().min(BATCH) as i32, tokens: all, position: position as u32 }
    }
}

impl Param for Product {}
impl Param for Lay {}
impl Param for Aim {}
impl Param for Embed {}
impl Param for Attention {}
impl Param for Digest {}
