//! Tokens through all blocks in kernels of our own, one by one or in batches, and what is asked about their logits.

use std::time::Instant;

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaEvent, CudaSlice};
use candle_core::{CudaDevice, DType, Device, Result, Tensor};

use super::Ahead;
use super::batch::Batch;
use super::calls::{Builder, Call, Kept, Weights};
use super::digest::{Digester, Then};
use super::kernels::{Compiling, Graph, Kernels, Launch, address, place};
use super::params::Aim;
use super::plan::{BATCH, Layout};
use crate::engine::model::away::{Digest, Question};
use crate::engine::model::config::Config;
use crate::engine::model::device::DeviceNetwork;
use crate::engine::trace::TokenId;

/// Most tokens that go through the kernels, a batch after another.
pub const MOST: usize = 8 * BATCH;
/// The widest group of query heads that the kernels are made for.
const WIDEST_GROUP: usize = 8;

/// The step, its memory, and where the logits of the last forward pass are.
pub struct OwnStep {
    kernels: Kernels,
    /// The kernels of a step in order. The last two compute the logits, one for either side.
    launches: Vec<Call>,
    /// The step as recorded: with its logits on either side, and without them.
    graphs: Option<[Graph; 3]>,
    /// Whether steps are launched as recorded.
    recorded: bool,
    /// The token and its position.
    inputs: CudaSlice<u32>,
    /// What was started before anybody asked for it.
    begun: Option<Started>,
    /// What a step leaves, in turns: one may be asked about while the next is under way.
    sides: [Side; 2],
    /// The one that is asked about.
    side: usize,
    /// Where the token after those of the last run stands, and whether its step may start on the device.
    next: (usize, bool),
    /// What several tokens go through.
    batch: Batch,
    /// `[MOST, vocab]`, once there have been logits of more tokens than a batch has.
    rows: Option<Tensor>,
    held: Held,
    digester: Option<Digester>,
    fetched: Vec<f32>,
    /// What the launches point to beside the network.
    _kept: Vec<Tensor>,
}

/// What a step leaves.
struct Side {
    /// `[1, vocab]`
    logits: Tensor,
    /// Comes after the forward pass.
    end: CudaEvent,
    /// When that was seen to have come.
    seen: Option<Instant>,
}

/// Tokens that run, from a position on, and how many rows of their logits there will be.
#[derive(PartialEq)]
struct Started {
    tokens: Vec<TokenId>,
    position: usize,
    rows: usize,
}

/// How much of what is asked for was started before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    Nothing,
    /// The first token, with its logits.
    First,
    All,
}

impl Begun {
    /// What is still to be run of tokens from a position on with so many rows of logits, and from where on.
    pub fn left(self, tokens: &[TokenId], position: usize, rows: usize) -> (&[TokenId], usize) {
        match (self, tokens) {
            (Self::All, _) => (&[], position),
            // Nobody asks for the logits of the first.
            (Self::First, [_, rest @ ..]) if rows <= rest.len() => (rest, position + 1),
            (_, all) => (all, position),
        }
    }
}

/// Where logits are.
enum Held {
    /// Where the step writes them.
    Step,
    /// Where a batch left them, from this row on.
    Batch(usize),
    /// Where those of several batches were gathered.
    Rows,
    /// Where the stock operations left them.
    Tensor(Tensor),
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
        let Some(compiling) = compiling.or_else(|| Compiling::start(cuda, Some(variant), layouts, || ()))
        else {
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
        let mut kept = Kept::new(network);
        let vectors = kept.vectors()?;
        let inputs: CudaSlice<u32> = cuda.alloc_zeros(2)?;
        let builder = Builder::new(&mut kept, &kernels, &inputs)?;
        let Some(mut builder) = builder.blocks(&vectors, cache)? else { return Ok(None) };
        let side = || -> Result<Side> {
            let logits = Tensor::zeros((1, network.config.vocab), DType::F32, &network.device)?;
            Ok(Side { logits, end: kernels.stream().context().new_event(None).w()?, seen: None })
        };
        let sides = [side()?, side()?];
        for side in &sides {
            if !builder.head(&vectors, address(&side.logits)?)? {
                return Ok(None);
            }
        }
        let launches = builder.finish();
        let batch = Batch::new(&mut kept, &kernels, cuda, network, &vectors, cache)?;
        let Some(batch) = batch else { return Ok(None) };
        let digester = Digester::new(cuda, &kernels, network.config.vocab)?;
        Ok(Some(Self {
            kernels,
            launches,
            graphs: None,
            recorded: true,
            inputs,
            begun: None,
            sides,
            side: 0,
            next: (0, false),
            batch,
            rows: None,
            held: Held::Step,
            digester,
            fetched: Vec::new(),
            _kept: kept.into_tensors(),
        }))
    }

    /// Lets every kernel run once, and records what is recorded: nothing has to be loaded later on.
    ///
    /// # Errors
    /// If the device fails.
    pub fn warm_up(&mut self) -> Result<()> {
        self.run(&[0, 0], 0, 1)?;
        self.start(0, 0, true)?;
        self.digest(0, &Question::of_set(None, 0))?;
        self.wait()
    }

    /// Launches the kernels of a step one by one: with its logits on a side, or without them.
    fn enqueue(&self, side: Option<usize>) -> Result<()> {
        let heads = self.launches.len() - self.sides.len();
        let head = side.and_then(|side| self.launches.get(heads + side));
        for call in self.launches[..heads].iter().chain(head) {
            call.launch(&self.kernels)?;
        }
        Ok(())
    }

    /// Starts the step for `token` at `position`, with its logits or only for the cache.
    ///
    /// # Errors
    /// If the device fails.
    pub fn start(&mut self, token: TokenId, position: usize, logits: bool) -> Result<()> {
        self.begun = None;
        self.side = 1 - self.side;
        self.held = Held::Step;
        self.aim(token, position)?;
        self.pass(logits.then_some(self.side))?;
        self.mark()
    }

    /// Starts the passes of tokens, with the logits of the last `rows`, no more than [`MOST`]: of one token the
    /// step, of more the batch. The logits of the last tokens are together, so what does not fill a batch comes first.
    ///
    /// # Errors
    /// If the device fails.
    pub fn run(&mut self, tokens: &[TokenId], position: usize, rows: usize) -> Result<()> {
        let silent = tokens.len() - rows;
        let (mut done, mut gathered) = (0, 0);
        while done < tokens.len() {
            let left = tokens.len() - done;
            let count = if left.is_multiple_of(BATCH) { BATCH } else { left % BATCH };
            let (piece, at) = (&tokens[done..done + count], position + done);
            let wanted = (done + count).saturating_sub(silent.max(done));
            done += count;
            if let [token] = piece {
                self.start(*token, at, wanted > 0)?;
            } else {
                self.begun = None;
                self.batch.start(&self.kernels, piece, at, wanted > 0, self.recorded)?;
                self.held = Held::Batch(count - wanted);
            }
            if rows > BATCH && wanted > 0 {
                self.gather(gathered, wanted)?;
                gathered += wanted;
            }
        }
        if gathered > 0 {
            self.held = Held::Rows;
        }
        self.mark()
    }

    /// Copies so many rows of logits to where those of several batches are, behind others.
    fn gather(&mut self, before: usize, count: usize) -> Result<()> {
        let (held, _) = self.logits();
        let (from, width, device) = (self.row(0)?, held.dim(1)?, held.device().clone());
        let rows = match self.rows.take() {
            Some(rows) => rows,
            None => Tensor::zeros((MOST, width), DType::F32, &device)?,
        };
        let to = address(self.rows.insert(rows))? + (4 * before * width) as u64;
        self.kernels.copy(from, to, 4 * count * width)
    }

    /// Says on the device which token the step is for.
    fn aim(&self, token: TokenId, position: usize) -> Result<()> {
        let aim = Aim::new(place(&self.inputs, self.kernels.stream()), &[token], position);
        self.kernels.launch("aim", Launch::new(1, 32), &aim)
    }

    /// Starts the step of the token that the device knows.
    fn pass(&mut self, side: Option<usize>) -> Result<()> {
        if !self.recorded {
            return self.enqueue(side);
        }
        let graphs = match self.graphs.take() {
            Some(graphs) => graphs,
            None => {
                // Once as it is, so that the kernels are loaded; never over logits that are asked about.
                self.enqueue(Some(side.unwrap_or(self.side)))?;
                self.wait()?;
                let record = |side| self.kernels.record(|| self.enqueue(side));
                [record(Some(0))?, record(Some(1))?, record(None)?]
            }
        };
        let [first, second, silent] = self.graphs.insert(graphs);
        match side {
            Some(0) => first.launch(),
            Some(_) => second.launch(),
            None => silent.launch(),
        }
    }

    /// Starts what will be asked for next, as it seems.
    pub fn begin(&mut self, tokens: &[TokenId], position: usize, rows: usize) {
        let started = Started { tokens: tokens.to_vec(), position, rows };
        if self.begun.as_ref() == Some(&started) {
            return;
        }
        let has_begun = match tokens {
            // On the other side, from where it is taken.
            [token] => self.aim(*token, position).and_then(|()| self.ahead()),
            _ => {
                let (left, from) = self.take_begun(tokens, position, rows).left(tokens, position, rows);
                self.run(left, from, rows)
            }
        };
        // What fails here fails again when it is asked for.
        self.begun = has_begun.is_ok().then_some(started);
    }

    /// Starts the next step on the other side.
    fn ahead(&mut self) -> Result<()> {
        let other = 1 - self.side;
        self.pass(Some(other))?;
        self.mark_side(other)
    }

    /// Says where the token stands that follows those that are run.
    pub fn set_next(&mut self, position: usize) {
        self.next = (position, false);
    }

    /// Lets the step of the token that is picked next start on the device.
    pub fn go_on(&mut self, context: usize) {
        self.next.1 = self.next.0 < context;
    }

    /// How much of this was started. It is forgotten then: what runs next goes on from it, or makes it wrong.
    pub fn take_begun(&mut self, tokens: &[TokenId], position: usize, rows: usize) -> Begun {
        let Some(begun) = self.begun.take().filter(|begun| begun.position == position) else {
            return Begun::Nothing;
        };
        let is_all = begun.tokens == tokens && begun.rows == rows;
        match (begun.tokens.as_slice(), tokens) {
            ([first], [token, ..]) if first == token => {
                self.side = 1 - self.side;
                self.held = Held::Step;
                if is_all { Begun::All } else { Begun::First }
            }
            _ if is_all => Begun::All,
            _ => Begun::Nothing,
        }
    }

    /// Lets steps be launched as recorded, or kernel by kernel.
    pub fn set_recorded(&mut self, recorded: bool) {
        self.recorded = recorded;
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
        self.mark_side(self.side)
    }

    fn mark_side(&mut self, side: usize) -> Result<()> {
        let Side { end, seen, .. } = &mut self.sides[side];
        *seen = None;
        end.record(self.kernels.stream()).w()
    }

    /// See [`Away`](crate::engine::model::away::Away). A failure is said by what follows.
    pub fn is_done(&mut self) -> bool {
        let Side { end, seen, .. } = &mut self.sides[self.side];
        if seen.is_none() && !matches!(end.try_is_complete(), Ok(false)) {
            *seen = Some(Instant::now());
        }
        seen.is_some()
    }

    /// See [`Away`](crate::engine::model::away::Away).
    ///
    /// # Errors
    /// If the device fails.
    pub fn done(&mut self) -> Result<Instant> {
        let Side { end, seen, .. } = &mut self.sides[self.side];
        match *seen {
            Some(seen) => Ok(seen),
            None => {
                end.synchronize().w()?;
                Ok(*seen.insert(Instant::now()))
            }
        }
    }

    /// The logits, and the first of their rows that was asked for.
    fn logits(&self) -> (&Tensor, usize) {
        match &self.held {
            Held::Step => (&self.sides[self.side].logits, 0),
            Held::Batch(first) => (&self.batch.logits, *first),
            Held::Rows => (self.rows.as_ref().unwrap_or(&self.batch.logits), 0),
            Held::Tensor(tensor) => (tensor, 0),
        }
    }

    /// Where the row of that number begins, of those that were asked for.
    fn row(&self, row: usize) -> Result<u64> {
        let (held, first) = self.logits();
        Ok(address(held)? + (4 * (first + row) * held.dim(1)?) as u64)
    }

    /// See [`Away`](crate::engine::model::away::Away). Where the answer decides what is run next, that is started
    /// behind the question, before the answer is here.
    ///
    /// # Errors
    /// If the device fails.
    pub fn digest(&mut self, row: usize, question: &Question<'_>) -> Result<Option<Digest>> {
        let at = self.row(row)?;
        let (next, goes_on) = self.next;
        let chained = goes_on && question.decides;
        let inputs = place(&self.inputs, self.kernels.stream());
        let then = chained.then_some(Then { inputs, position: next as u32 });
        let asked = match &mut self.digester {
            Some(digester) => digester.ask(&self.kernels, at, question, then)?,
            None => false,
        };
        if asked && chained {
            self.begun = None;
            self.next.1 = false;
            self.ahead()?;
        }
        self.done()?;
        let digest = match &self.digester {
            Some(digester) if asked => digester.answer(question.listed)?,
            _ => None,
        };
        if chained
            && let Some(digest) = &digest
            && digest.best[1].is_some()
        {
            self.begun = Some(Started { tokens: vec![digest.token], position: next, rows: 1 });
        }
        Ok(digest)
    }

    /// See [`Away`](crate::engine::model::away::Away).
    ///
    /// # Errors
    /// If the device fails.
    pub fn digests(&mut self, tokens: &[TokenId]) -> Result<Option<Vec<Digest>>> {
        let at = self.row(0)?;
        match &mut self.digester {
            Some(digester) => digester.of_set(&self.kernels, at, tokens, &self.sides[self.side].end),
            None => Ok(None),
        }
    }

    /// See [`Away`](crate::engine::model::away::Away).
    ///
    /// # Errors
    /// If the device fails.
    pub fn fetch(&mut self, row: usize) -> Result<&[f32]> {
        self.done()?;
        let (held, first) = self.logits();
        self.fetched = held.narrow(0, first + row, 1)?.flatten_all()?.to_vec1()?;
        Ok(&self.fetched)
    }
}
