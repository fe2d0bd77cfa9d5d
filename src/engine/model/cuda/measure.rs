//! What a GPU is and what it can do, measured.

use candle_core::cuda_backend::WrapErr;
use candle_core::{CudaDevice, Result};

use crate::engine::model::Limits;

/// Bytes of the copy that is timed: many times what the caches hold.
const COPIED: usize = 1 << 30;
/// Copies in a row.
const COPIES: usize = 10;

/// What bounds a model that reads so many bytes for a token.
///
/// # Errors
/// If the device fails or has no memory for a copy.
pub fn limits(cuda: &CudaDevice, token_bytes: u64) -> Result<Limits> {
    let stream = cuda.cuda_stream();
    let context = stream.context();
    let (free, total) = context.mem_get_info().w()?;
    let from = cuda.alloc_zeros::<u8>(COPIED)?;
    let mut to = cuda.alloc_zeros::<u8>(COPIED)?;
    let mut seconds = Vec::new();
    // The first round wakes the device up.
    for _ in 0..4 {
        stream.synchronize().w()?;
        let clock = std::time::Instant::now();
        for _ in 0..COPIES {
            stream.memcpy_dtod(&from, &mut to).w()?;
        }
        stream.synchronize().w()?;
        seconds.push(clock.elapsed().as_secs_f64());
    }
    let best = seconds.into_iter().skip(1).fold(f64::INFINITY, f64::min);
    Ok(Limits {
        hardware: context.name().w()?,
        token_bytes,
        bandwidth: (2 * COPIES * COPIED) as f64 / best,
        memory_used: (total - free) as u64,
    })
}

/// Bytes that are free on the device, and all that it has.
///
/// # Errors
/// If the driver fails.
pub fn memory(cuda: &CudaDevice) -> Result<(u64, u64)> {
    let (free, total) = cuda.cuda_stream().context().mem_get_info().w()?;
    Ok((free as u64, total as u64))
}
