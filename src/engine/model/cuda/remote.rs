//! The network on a device through kernels of our own: which tokens go through those and which through the stock
//! operations, and its logits as seen from afar.

use std::time::Instant;

use candle_core::{Result, Tensor};

use super::plan::BATCH;
use super::step::{Begun, MOST, OwnStep};
use crate::engine::error::ModelError;
use crate::engine::model::away::{Away, Digest, Question};
use crate::engine::model::decoder::Remote;
use crate::engine::model::device::DeviceNetwork;
use crate::engine::trace::TokenId;

impl DeviceNetwork {
    /// Runs the tokens through our kernels and brings their logits here. False if that is not for them.
    pub(in crate::engine::model) fn run_own(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        rows: usize,
        logits: &mut Vec<f32>,
    ) -> Result<bool> {
        let Some(own) = &mut self.own else { return Ok(false) };
        let begun = own.take_begun(tokens, position, rows);
        if !self.are_few(tokens.len(), position)? {
            return Ok(false);
        }
        let Some(own) = &mut self.own else { return Ok(false) };
        let silent = tokens.len() - rows;
        let mut done = 0;
        for piece in tokens.chunks(BATCH) {
            let rows = (done + piece.len()).saturating_sub(silent.max(done));
            if !(begun == Begun::All && tokens.len() == 1) {
                own.run(piece, position + done, rows)?;
            }
            for row in 0..rows {
                logits.extend(own.fetch(row)?);
            }
            done += piece.len();
        }
        Ok(true)
    }

    /// Whether so many tokens from `position` on go through our kernels: those of a batch, more as long as that is
    /// quicker, all until the stock operations are ready, which takes the driver long the first time on a machine.
    fn are_few(&mut self, count: usize, position: usize) -> Result<bool> {
        if count <= BATCH {
            return Ok(true);
        }
        if let Some(rehearsal) = &self.rehearsal {
            if !rehearsal.has_ended() {
                return Ok(true);
            }
            self.rehearsal = None;
            // Also if it cannot be measured.
            self.few = BATCH;
            self.few = self.compare(position + count)?;
        }
        Ok(count <= self.few)
    }

    /// Measures how many tokens our kernels take as long for as the stock operations for half of the most, at
    /// positions from `free` on, which are not in use.
    pub(in crate::engine::model) fn compare(&mut self, free: usize) -> Result<usize> {
        let ids = [0u32; MOST / 2];
        if self.context() < free + ids.len() {
            return Ok(BATCH);
        }
        let mut times = [0.; 2];
        // The second time counts: with the first, kernels are loaded.
        for _ in 0..2 {
            let clock = Instant::now();
            if let Some(own) = &mut self.own {
                own.run(&ids[..BATCH], free, 1)?;
                own.wait()?;
            }
            times[0] = clock.elapsed().as_secs_f64();
            let clock = Instant::now();
            let x = self.blocks(&Tensor::new(&ids, self.device())?, &self.window(free, ids.len())?)?;
            self.logits(&x)?;
            self.device().synchronize()?;
            times[1] = clock.elapsed().as_secs_f64();
        }
        let batches = (times[1] / times[0].max(1e-9)) as usize;
        Ok((batches * BATCH).clamp(BATCH, MOST))
    }
}

impl Remote for DeviceNetwork {
    fn run_there(&mut self, tokens: &[TokenId], position: usize, rows: usize) -> Result<bool> {
        let are_few = rows <= MOST && self.are_few(tokens.len(), position)?;
        let Some(own) = &mut self.own else { return Ok(false) };
        let begun = own.take_begun(tokens, position, rows);
        own.set_next(position + tokens.len());
        let (tokens, position) = begun.left(tokens, position, rows);
        if tokens.is_empty() {
            return Ok(true);
        }
        let silent = tokens.len() - rows;
        if are_few {
            own.run(tokens, position, rows)?;
            return Ok(true);
        }
        let ids = Tensor::new(tokens, self.device())?;
        let x = self.blocks(&ids, &self.window(position, tokens.len())?)?;
        let logits = self.logits(&x.narrow(0, silent, rows)?.contiguous()?)?;
        if let Some(own) = &mut self.own {
            own.hold(logits);
            own.mark()?;
        }
        Ok(true)
    }

    fn begin(&mut self, tokens: &[TokenId], position: usize, rows: usize) {
        // Nothing is measured in the middle of an answer.
        let are_few = rows <= MOST && tokens.len() <= self.few.max(BATCH);
        if are_few && let Some(own) = &mut self.own {
            own.begin(tokens, position, rows);
        }
    }
}

impl Away for DeviceNetwork {
    fn go_on(&mut self) {
        let context = self.context();
        if let Some(own) = &mut self.own {
            own.go_on(context);
        }
    }

    fn is_done(&mut self) -> bool {
        self.own.as_mut().is_none_or(OwnStep::is_done)
    }

    fn done(&mut self) -> std::result::Result<Instant, ModelError> {
        match &mut self.own {
            Some(own) => Ok(own.done()?),
            None => Ok(Instant::now()),
        }
    }

    fn digest(
        &mut self,
        row: usize,
        question: &Question<'_>,
    ) -> std::result::Result<Option<Digest>, ModelError> {
        match &mut self.own {
            Some(own) => Ok(own.digest(row, question)?),
            None => Ok(None),
        }
    }

    fn digests(&mut self, tokens: &[TokenId]) -> std::result::Result<Option<Vec<Digest>>, ModelError> {
        match &mut self.own {
            Some(own) => Ok(own.digests(tokens)?),
            None => Ok(None),
        }
    }

    fn fetch(&mut self, row: usize) -> std::result::Result<&[f32], ModelError> {
        match &mut self.own {
            Some(own) => Ok(own.fetch(row)?),
            None => Ok(&[]),
        }
    }
}
