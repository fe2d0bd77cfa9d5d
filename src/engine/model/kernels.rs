//! The arithmetic between the matrix products, on slices of f32.
//!
//! Everything here is written so that the compiler turns it into vector instructions: no
//! branches and no order-dependent sums in the inner loops. [`wide`] runs a piece of code with
//! the widest instructions that the processor has. Nothing here allocates per element or knows a
//! model.

use std::sync::LazyLock;

use rayon::prelude::*;

use crate::engine::simd::wide;

/// Positions per block of keys; see [`Keys`].
const BLOCK: usize = 32;

/// Multiplications below which a second thread costs more than it helps.
const WORTH_SHARING: usize = 1 << 16;

/// The threads that share the work. Not candle's: those wait for each other in a spin loop, which
/// starves on a machine that has other things to do.
static THREADS: LazyLock<Option<rayon::ThreadPool>> = LazyLock::new(|| {
    rayon::ThreadPoolBuilder::new()
        .num_threads(candle_core::utils::get_num_threads())
        .thread_name(|i| format!("maze-model-{i}"))
        .build()
        .ok()
});

/// Runs `f` on one of the threads that share work, so that what it shares need not be handed
/// over each time.
pub fn among_threads<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    match &*THREADS {
        Some(threads) => threads.install(f),
        None => f(),
    }
}

/// Calls `f(i, chunk)` for every chunk of `size` values, on several threads if the `work` (in
/// multiplications, all chunks together) is worth it and the caller is [`among_threads`].
pub fn for_chunks(out: &mut [f32], size: usize, work: usize, f: impl Fn(usize, &mut [f32]) + Sync + Send) {
    if work < WORTH_SHARING || rayon::current_thread_index().is_none() {
        out.chunks_mut(size).enumerate().for_each(|(i, chunk)| f(i, chunk));
    } else {
        out.par_chunks_mut(size).enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
}

/// How many of `items` to put into a chunk for [`for_chunks`]: a few chunks per thread, so that one
/// that is held up leaves its share to the others.
pub fn share(items: usize, work: usize) -> usize {
    let chunks = (work / WORTH_SHARING).clamp(1, 4 * rayon::current_num_threads());
    items.div_ceil(chunks).max(1)
}

/// `y = weights * x`, with `weights` of `y.len()` rows.
pub fn matvec(weights: &[f32], x: &[f32], y: &mut [f32]) {
    let width = weights.len() / y.len();
    let share = share(y.len(), weights.len());
    for_chunks(y, share, weights.len(), |i, y| {
        let weights = &weights[i * share * width..];
        wide(|| {
            for (y, row) in y.iter_mut().zip(weights.chunks_exact(width)) {
                *y = dot(row, x);
            }
        });
    });
}

/// Sum of products, in 32 partial sums.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; BLOCK];
    let (a_blocks, a_rest) = a.as_chunks::<BLOCK>();
    let (b_blocks, b_rest) = b.as_chunks::<BLOCK>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..BLOCK {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sum(&sums) + rest
}

/// Sum of a block, halving it.
#[inline(always)]
fn sum(block: &[f32; BLOCK]) -> f32 {
    let mut block = *block;
    let mut half = BLOCK / 2;
    while half > 0 {
        for i in 0..half {
            block[i] += block[i + half];
        }
        half /= 2;
    }
    block[0]
}

/// `x += delta`, then `out = x / rms(x) * weight` row by row (Zhang and Sennrich 2019,
/// <https://arxiv.org/abs/1910.07467>). An empty `delta` adds nothing.
pub fn add_rms_norm(x: &mut [f32], delta: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let width = weight.len();
    wide(|| {
        x.iter_mut().zip(delta).for_each(|(x, d)| *x += d);
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let scale = 1. / (dot(x, x) / width as f32 + eps).sqrt();
            for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
                *out = x * scale * w;
            }
        }
    });
}

/// `x / rms(x) * weight` in place, for every part of `x` that is as long as the weight.
pub fn rms_norm(x: &mut [f32], weight: &[f32], eps: f32) {
    let width = weight.len();
    wide(|| {
        for x in x.chunks_exact_mut(width) {
            let scale = 1. / (dot(x, x) / width as f32 + eps).sqrt();
            x.iter_mut().zip(weight).for_each(|(x, w)| *x *= scale * w);
        }
    });
}

/// Adds the bias to every row. An empty one adds nothing.
pub fn add_bias(x: &mut [f32], bias: &[f32]) {
    if bias.is_empty() {
        return;
    }
    wide(|| {
        for row in x.chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
        }
    });
}

/// Rotates dimension `i` with `i + head_dim / 2` of every head in `x` by the angles whose cosines
/// and sines are given.
pub fn rotate(x: &mut [f32], cos: &[f32], sin: &[f32]) {
    wide(|| {
        for head in x.chunks_exact_mut(2 * cos.len()) {
            let (low, high) = head.split_at_mut(cos.len());
            for (((a, b), c), s) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
            }
        }
    });
}

/// `silu(gate) * up` for rows that hold the gate and then the up projection, `width` each.
pub fn swiglu(gate_up: &[f32], width: usize, out: &mut [f32]) {
    wide(|| {
        for (row, out) in gate_up.chunks_exact(2 * width).zip(out.chunks_exact_mut(width)) {
            let (gate, up) = row.split_at(width);
            for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                *out = gate / (1. + exp(-gate)) * up;
            }
        }
    });
}

/// e^x to about two units in the last place, without a branch so that it vectorises; 0 and
/// infinity are approached, not reached.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, then a Taylor polynomial in r, and 2^n through the exponent
/// bits.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    /// Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number.
    const ROUND: f32 = 12_582_912.;
    let x = x.clamp(-87., 88.);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1. / 5040.;
    for c in [1. / 720., 1. / 120., 1. / 24., 1. / 6., 0.5, 1., 1.] {
        p = p * r + c;
    }
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    p * two_to_n
}

/// One layer's keys of one key/value head, in blocks of 32 positions: within a block, all
/// positions of dimension 0, then all of dimension 1, and so on. So the scores of a block are
/// sums of whole vectors, with no sum across one.
pub struct Keys<'a>(pub &'a mut [f32]);

impl Keys<'_> {
    /// How many values the keys of `context` positions take.
    pub fn size(context: usize, head_dim: usize) -> usize {
        context.next_multiple_of(BLOCK) * head_dim
    }

    /// Writes the key of a position.
    pub fn set(&mut self, position: usize, key: &[f32]) {
        let block = &mut self.0[position / BLOCK * BLOCK * key.len()..];
        for (lane, &value) in block[position % BLOCK..].iter_mut().step_by(BLOCK).zip(key) {
            *lane = value;
        }
    }
}

/// Attention of one query over the first `len` positions:
/// `out = softmax(query . keys / sqrt(head_dim)) . values`. `keys` are laid out as in [`Keys`],
/// `values` one position after the other; `scores` is scratch space.
pub fn attend(
    query: &[f32],
    keys: &[f32],
    values: &[f32],
    len: usize,
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    let width = query.len();
    let scale = 1. / (width as f32).sqrt();
    scores.clear();
    scores.resize(len.next_multiple_of(BLOCK), 0.);
    wide(|| {
        let (blocks, _) = scores.as_chunks_mut::<BLOCK>();
        for (scores, keys) in blocks.iter_mut().zip(keys.chunks_exact(BLOCK * width)) {
            let mut sums = [0f32; BLOCK];
            let (keys, _) = keys.as_chunks::<BLOCK>();
            for (q, keys) in query.iter().zip(keys) {
                for i in 0..BLOCK {
                    sums[i] += q * keys[i];
                }
            }
            *scores = sums.map(|s| s * scale);
        }
        // Positions past the end get no weight, whatever the last block holds there.
        scores[len..].fill(f32::NEG_INFINITY);
        let (blocks, _) = scores.as_chunks_mut::<BLOCK>();
        let mut most = [f32::NEG_INFINITY; BLOCK];
        for block in &*blocks {
            for i in 0..BLOCK {
                most[i] = if block[i] > most[i] { block[i] } else { most[i] };
            }
        }
        let most = most.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let mut total = [0f32; BLOCK];
        for block in blocks {
            for i in 0..BLOCK {
                block[i] = exp(block[i] - most);
                total[i] += block[i];
            }
        }
        scores[len..].fill(0.);
        weighted_sum(&scores[..len], values, 1. / sum(&total), out);
    });
}

/// `out = scale * sum of weights[i] * rows[i]`, four rows at a time.
#[inline(always)]
fn weighted_sum(weights: &[f32], rows: &[f32], scale: f32, out: &mut [f32]) {
    let width = out.len();
    out.fill(0.);
    let (fours, rest) = weights.as_chunks::<4>();
    let mut rows = rows.chunks_exact(width);
    for w in fours {
        let (Some(a), Some(b), Some(c), Some(d)) = (rows.next(), rows.next(), rows.next(), rows.next())
        else {
            break;
        };
        for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *out += (w[0] * a + w[1] * b) + (w[2] * c + w[3] * d);
        }
    }
    for (w, row) in rest.iter().zip(rows) {
        out.iter_mut().zip(row).for_each(|(out, v)| *out += w * v);
    }
    out.iter_mut().for_each(|out| *out *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_the_exponential() {
        for i in -8700..8800 {
            let x = i as f32 / 100.;
            let right = f64::from(x).exp();
            let error = (f64::from(exp(x)) - right).abs() / right;
            assert!(error < 4e-7, "exp({x}) is off by {error:e}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn attention_is_softmax_over_the_visible_positions() {
        let (width, context) = (8, 70);
        let value = |seed: usize| ((seed * 7919 % 101) as f32 - 50.) / 25.;
        let mut keys = vec![f32::NAN; Keys::size(context, width)];
        let values: Vec<f32> = (0..context * width).map(|i| value(i + 3)).collect();
        let plain: Vec<f32> = (0..context * width).map(|i| value(i + 11)).collect();
        for (position, key) in plain.chunks(width).enumerate() {
            Keys(&mut keys).set(position, key);
        }
        let query: Vec<f32> = (0..width).map(|i| value(i + 5)).collect();
        for len in [1, 2, 5, 31, 32, 33, 64, 70] {
            let mut out = vec![0.; width];
            attend(&query, &keys, &values, len, &mut Vec::new(), &mut out);
            let scores: Vec<f64> = plain
                .chunks(width)
                .take(len)
                .map(|k| {
                    k.iter().zip(&query).map(|(k, q)| f64::from(k * q)).sum::<f64>() / (width as f64).sqrt()
                })
                .map(f64::exp)
                .collect();
            let total: f64 = scores.iter().sum();
            for (i, out) in out.iter().enumerate() {
                let right: f64 = scores
                    .iter()
                    .enumerate()
                    .map(|(p, s)| s / total * f64::from(values[p * width + i]))
                    .sum();
                assert!((f64::from(*out) - right).abs() < 1e-5, "{len} positions: {out} for {right}");
            }
        }
    }

    #[test]
    fn shared_and_lone_products_agree() {
        let (rows, width) = (515, 300);
        let weights: Vec<f32> = (0..rows * width).map(|i| ((i * 31 % 17) as f32 - 8.) / 8.).collect();
        let x: Vec<f32> = (0..width).map(|i| ((i * 13 % 7) as f32 - 3.) / 3.).collect();
        let mut y = vec![0.; rows];
        among_threads(|| matvec(&weights, &x, &mut y));
        for (y, row) in y.iter().zip(weights.chunks(width)) {
            let right: f64 = row.iter().zip(&x).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!((f64::from(*y) - right).abs() < 1e-3, "{y} for {right}");
        }
    }
}
