//! Asks the device about rows of logits.

use std::sync::Arc;

use candle_core::Result;
use candle_core::cuda_backend::cudarc::driver::{CudaEvent, CudaSlice, CudaStream};
use candle_core::cuda_backend::{CudaDevice, WrapErr};

use super::kernels::{Kernels, Launch, Pinned, place};
use super::params;
use super::plan::BATCH;
use crate::engine::model::away::{Digest, Entry, Question};
use crate::engine::trace::{CANDIDATES, TokenId};

/// Logits of a block.
const TILE: usize = 2048;
/// Parts of a block that each have a first logit.
const SHARES: usize = 8;
/// The blocks that the kernels can put together.
const TILES: usize = 128;
/// Candidates there can be for a list: as many of every block as the list has.
const COLLECTED: usize = TILES * CANDIDATES;
/// Sums over the row.
const SUMS: usize = 5;
/// Numbers of 64 bits in an answer.
const ANSWER: usize = 2 * CANDIDATES + 2 + SUMS + 1;
/// Rows that the kernels have room for: one that a token is picked from, and behind it those of tokens that are set.
const ROWS: usize = 1 + BATCH;
/// Answers there can be at once about tokens that somebody else has set.
const SET: usize = 8 * BATCH;

/// The memory that the kernels work in. Of what they compute, all is for [`ROWS`] rows.
pub struct Digester {
    width: usize,
    tiles: usize,
    mask: CudaSlice<u32>,
    mask_here: Pinned<u32>,
    /// The mask that is on the device.
    sent: Vec<u32>,
    best: CudaSlice<u64>,
    candidates: CudaSlice<u64>,
    collected: CudaSlice<u32>,
    sums: CudaSlice<f64>,
    answer: Pinned<u64>,
    /// Comes when the answer is there.
    ready: CudaEvent,
    /// What is answered about tokens that are set.
    set: Pinned<u64>,
    /// Where masks arrive while a step runs, and lists are made while the next one does.
    aside: Arc<CudaStream>,
    masked: CudaEvent,
    surveyed: CudaEvent,
}

/// The step that goes on from the answer by itself.
#[derive(Clone, Copy)]
pub struct Then {
    /// Where its token and position go.
    pub inputs: u64,
    /// Its position.
    pub position: u32,
}

impl Digester {
    /// For rows of `width` logits. `None` if those are more than the kernels can put together.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new(cuda: &CudaDevice, kernels: &Kernels, width: usize) -> Result<Option<Self>> {
        let tiles = width.div_ceil(TILE);
        if tiles > TILES {
            return Ok(None);
        }
        let words = width.div_ceil(32);
        Ok(Some(Self {
            width,
            tiles,
            mask: cuda.alloc_zeros(words)?,
            mask_here: kernels.pinned(words)?,
            sent: Vec::new(),
            best: cuda.alloc_zeros(ROWS * 2 * tiles * SHARES)?,
            candidates: cuda.alloc_zeros(ROWS * 2 * COLLECTED)?,
            collected: cuda.alloc_zeros(ROWS * 2)?,
            sums: cuda.alloc_zeros(ROWS * SUMS * tiles)?,
            answer: kernels.pinned(ANSWER)?,
            ready: kernels.stream().context().new_event(None).w()?,
            set: kernels.pinned(SET * ANSWER)?,
            aside: kernels.stream().context().new_stream().w()?,
            masked: kernels.stream().context().new_event(None).w()?,
            surveyed: kernels.stream().context().new_event(None).w()?,
        }))
    }

    /// Asks a question about the row at an address, which need not be there yet. With `then`, what is started next
    /// in the stream finds the token and its position; lists are made beside it, from a row that it must leave
    /// alone. False if the question cannot be answered.
    ///
    /// # Errors
    /// If the device fails.
    pub fn ask(
        &mut self,
        kernels: &Kernels,
        logits: u64,
        question: &Question<'_>,
        then: Option<Then>,
    ) -> Result<bool> {
        let stream: &Arc<CudaStream> = kernels.stream();
        let mask = match question.allowed {
            Some(words) if words.len() != self.width.div_ceil(32) => return Ok(false),
            Some(words) => {
                // Within a text, one mask often follows its like.
                if self.sent != words {
                    self.sent.clear();
                    // The last question has been answered, so nobody reads the last mask any more. Waiting here
                    // costs less than the device's waiting in the stream would: mostly the step is not done yet.
                    self.mask_here.send(words, &mut self.mask, &self.aside)?;
                    self.masked.record(&self.aside).w()?;
                    self.masked.synchronize().w()?;
                    self.sent.extend_from_slice(words);
                }
                place(&self.mask, stream)
            }
            None => 0,
        };
        let cut = question.cut.unwrap_or_default();
        let param = params::Digest {
            mask,
            result: self.answer.address()?,
            u: question.drawn.unwrap_or(0.),
            // As the sampler on the host computes it.
            inverse_temperature: 1. / question.temperature.max(f32::MIN_POSITIVE),
            listed: i32::from(question.listed || question.cut.is_some()),
            drawn: i32::from(question.drawn.is_some()),
            cut: i32::from(question.cut.is_some()),
            top_k: cut.top_k.min(i32::MAX as usize) as i32,
            top_p: cut.top_p,
            min_p: cut.min_p,
            asked: [question.asked.map_or(-1, |token| token as i32); BATCH],
            inputs: then.map_or(0, |then| then.inputs),
            position: then.map_or(0, |then| then.position),
            ..self.plain(kernels, logits, 0)
        };
        let (tiles, one) = (Launch::new(self.tiles, 256), Launch::new(1, 256));
        kernels.launch("survey", tiles, &param)?;
        if then.is_some() && question.listed && question.drawn.is_none() {
            // The next step needs only the first token.
            self.surveyed.record(stream).w()?;
            kernels.launch("draw", one, &params::Digest { listed: 0, ..param })?;
            self.aside.wait(&self.surveyed).w()?;
            let rest = params::Digest { inputs: 0, ..param };
            // The wait comes before it.
            kernels.launch_in(&self.aside, "weigh", Launch { early: false, ..tiles }, &rest)?;
            kernels.launch_in(&self.aside, "draw", one, &rest)?;
            self.ready.record(&self.aside).w()?;
            return Ok(true);
        }
        // Also the draw is among what is listed: its sum is needed then.
        if question.listed || question.drawn.is_some() {
            kernels.launch("weigh", tiles, &param)?;
        }
        kernels.launch("draw", one, &param)?;
        self.ready.record(stream).w()?;
        Ok(true)
    }

    /// Waits for the answer. `listed` is that of the question.
    ///
    /// # Errors
    /// If the device fails.
    pub fn answer(&self, listed: bool) -> Result<Option<Digest>> {
        self.ready.synchronize().w()?;
        Ok(digest(self.answer.read()?, listed))
    }

    /// Answers for each of the rows from an address on, which are there `after` that, what the model says of the
    /// token that is set there. What runs in the stream goes on beside it.
    ///
    /// # Errors
    /// If the device fails.
    pub fn of_set(
        &mut self,
        kernels: &Kernels,
        logits: u64,
        tokens: &[TokenId],
        after: &CudaEvent,
    ) -> Result<Option<Vec<Digest>>> {
        let mut digests = Vec::with_capacity(tokens.len());
        self.aside.wait(after).w()?;
        for (index, tokens) in tokens.chunks(SET).enumerate() {
            let from = logits + (4 * index * SET * self.width) as u64;
            for (index, tokens) in tokens.chunks(BATCH).enumerate() {
                let first = index * BATCH;
                let mut param = self.plain(kernels, from + (4 * first * self.width) as u64, 1);
                param.result = self.set.address()? + (8 * first * ANSWER) as u64;
                param.listed = 1;
                for (to, token) in param.asked.iter_mut().zip(tokens) {
                    *to = *token as i32;
                }
                for (kernel, blocks) in [("survey", self.tiles), ("weigh", self.tiles), ("draw", 1)] {
                    let grid = (blocks as u32, tokens.len() as u32, 1);
                    // The first of all comes after the wait.
                    let launch = Launch { grid, early: kernel != "survey", ..Launch::new(blocks, 256) };
                    kernels.launch_in(&self.aside, kernel, launch, &param)?;
                }
            }
            self.ready.record(&self.aside).w()?;
            self.ready.synchronize().w()?;
            let answers = self.set.read()?.chunks_exact(ANSWER).take(tokens.len());
            digests.extend(answers.map_while(|answer| digest(answer, true)));
        }
        Ok(Some(digests))
    }

    /// A question about rows from an address on that says nothing yet. `row`: the first that the kernels work with.
    fn plain(&self, kernels: &Kernels, logits: u64, row: usize) -> params::Digest {
        let stream = kernels.stream();
        let at = |address: u64, size: usize, each: usize| address + (size * row * each) as u64;
        params::Digest {
            logits,
            mask: 0,
            best: at(place(&self.best, stream), 8, 2 * self.tiles * SHARES),
            candidates: at(place(&self.candidates, stream), 8, 2 * COLLECTED),
            collected: at(place(&self.collected, stream), 4, 2),
            sums: at(place(&self.sums, stream), 8, SUMS * self.tiles),
            result: 0,
            u: 0.,
            inverse_temperature: 1.,
            width: self.width as i32,
            tiles: self.tiles as i32,
            listed: 0,
            drawn: 0,
            cut: 0,
            top_k: 0,
            top_p: 1.,
            min_p: 0.,
            asked: [-1; BATCH],
            inputs: 0,
            position: 0,
        }
    }
}

/// Reads the device's answer.
fn digest(answer: &[u64], listed: bool) -> Option<Digest> {
    let halves = |at: usize| answer.get(at).map(|x| (*x as u32, (*x >> 32) as u32));
    let float = |at: usize| answer.get(at).map(|x| f64::from_bits(*x));
    let list = |from: usize| -> Vec<Entry> {
        let entries = answer.iter().skip(from).take(if listed { CANDIDATES } else { 0 });
        entries.map_while(|x| entry(*x)).collect()
    };
    let first_sum = 2 * CANDIDATES + 2;
    let (token, logit) = halves(first_sum + SUMS)?;
    Some(Digest {
        best: [entry(*answer.get(2 * CANDIDATES)?), entry(*answer.get(2 * CANDIDATES + 1)?)],
        lists: [list(0), list(CANDIDATES)],
        totals: [float(first_sum)?, float(first_sum + 2)?],
        moments: [float(first_sum + 1)?, float(first_sum + 3)?],
        shaped: float(first_sum + 4)?,
        token,
        logit: f32::from_bits(logit),
    })
}

/// A logit and its token out of the number that orders them.
fn entry(packed: u64) -> Option<Entry> {
    let key = (packed >> 32) as u32;
    let bits = if key >> 31 == 1 { key & 0x7fff_ffff } else { !key };
    (packed != 0).then_some((f32::from_bits(bits), !(packed as u32)))
}
