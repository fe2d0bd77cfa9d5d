//! The network on a device through kernels of our own: which tokens go through the step one by one and which together
//! through the stock operations, and its logits as seen from afar.

use std::time::Instant;

use candle_core::{Result, Tensor};

use super::step::{MOST_ALONE, OwnStep};
use crate::engine::error::ModelError;
use crate::engine::model::away::{Away, Digest, Question};
use crate::engine::model::decoder::Remote;
use crate::engine::model::device::DeviceNetwork;
use crate::engine::trace::TokenId;

impl DeviceNetwork {
    /// Runs the tokens through the step and brings their logits here. False if that is not for the step.
    pub(in crate::engine::model) fn run_own(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        rows: usize,
        logits: &mut Vec<f32>,
    ) -> Result<bool> {
        let Some(own) = &mut self.own else { return Ok(false) };
        let begun = own.has_begun(tokens, position);
        let is_one = tokens.len() == 1 && rows == 1;
        if !is_one && self.has_stock(position + tokens.len())? {
            return Ok(false);
        }
        let Some(own) = &mut self.own else { return Ok(false) };
        for (i, &token) in tokens.iter().enumerate() {
            let counts = i + rows >= tokens.len();
            if !(is_one && begun) {
                own.start(token, position + i, counts)?;
            }
            if counts {
                logits.extend(own.fetch(0)?);
            }
        }
        Ok(true)
    }

    /// Whether the stock operations are ready, which takes the driver long the first time on a machine. Until
    /// then, tokens go through the step one by one. The cache from `free` on is not in use.
    fn has_stock(&mut self, free: usize) -> Result<bool> {
        if let Some(thread) = &self.rehearsal {
            if !thread.is_finished() {
                return Ok(false);
            }
            self.rehearsal = None;
            self.alone = self.compare(free)?;
        }
        Ok(true)
    }

    /// Measures how many steps take as long as a few tokens together, at positions that are not in use.
    pub(in crate::engine::model) fn compare(&mut self, free: usize) -> Result<usize> {
        let ids = [0u32; 4];
        if self.context() < free + ids.len() {
            return Ok(1);
        }
        let mut times = [0.; 2];
        // The second time counts: with the first, kernels are loaded.
        for _ in 0..2 {
            let clock = Instant::now();
            if let Some(own) = &mut self.own {
                own.start(0, free, true)?;
                own.wait()?;
            }
            times[0] = clock.elapsed().as_secs_f64();
            let clock = Instant::now();
            let x = self.blocks(&Tensor::new(&ids, self.device())?, &self.window(free, ids.len())?)?;
            self.logits(&x)?;
            self.device().synchronize()?;
            times[1] = clock.elapsed().as_secs_f64();
        }
        Ok(((times[1] / times[0].max(1e-9)) as usize).clamp(1, MOST_ALONE))
    }

    /// Whether a step is begun before it is asked for: with the tokens that follow it, its token may go through
    /// the network sooner than by itself.
    fn may_begin(&self, alone: bool) -> bool {
        alone || self.alone == MOST_ALONE
    }
}

impl Remote for DeviceNetwork {
    fn run_there(&mut self, tokens: &[TokenId], position: usize, rows: usize) -> Result<bool> {
        let has_stock = self.has_stock(position + tokens.len())?;
        let Some(own) = &mut self.own else { return Ok(false) };
        let begun = own.has_begun(tokens, position);
        own.set_next(position + tokens.len());
        let (tokens, position, begun) = match tokens {
            // The first is done, and nobody asks for its logits.
            [_, rest @ ..] if begun && rows <= rest.len() => (rest, position + 1, false),
            all => (all, position, begun),
        };
        let silent = tokens.len() - rows;
        if tokens.len() <= self.alone || (!has_stock && rows <= MOST_ALONE) {
            for (i, &token) in tokens.iter().enumerate() {
                if i > 0 || !begun {
                    own.start(token, position + i, i >= silent)?;
                }
                if tokens.len() > 1 && i >= silent {
                    own.put(i - silent)?;
                }
            }
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

    fn begin(&mut self, token: TokenId, position: usize, alone: bool) {
        let may = self.may_begin(alone);
        if let Some(own) = &mut self.own
            && may
        {
            own.begin(token, position);
        }
    }
}

impl Away for DeviceNetwork {
    fn go_on(&mut self, alone: bool) {
        let (may, context) = (self.may_begin(alone), self.context());
        if let Some(own) = &mut self.own
            && may
        {
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

    fn fetch(&mut self, row: usize) -> std::result::Result<&[f32], ModelError> {
        match &mut self.own {
            Some(own) => Ok(own.fetch(row)?),
            None => Ok(&[]),
        }
    }
}
