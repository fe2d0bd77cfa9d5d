//! Whether a saved trace comes out the same again.
//!
//! The grammar of the trace is walked with the tokens of the trace, exactly as a
//! [`Session`](super::Session) walks it, and what it allows at every step is compared with what was
//! recorded: every token, not only how many. With the same model at hand the probabilities are
//! computed anew as well. Nothing is sampled, so the walk cannot stray from the record.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::allowed::AllowedSet;
use super::constraint::{ConstraintStop, Mask};
use super::error::EngineError;
use super::generate::Engine;
use super::grammar::Compiled;
use super::guide::Guide;
use super::model::LanguageModel;
use super::sampler::{Sampler, SamplerSettings};
use super::session::prepare::recorded;
use super::trace::{Insight, Step, StepKind, TokenId, Trace};
use super::vocabulary::Vocabulary;

/// How many tokens go through the model at once; their logits are held together.
const CHUNK: usize = 32;

/// What was found to be as recorded, up to the first difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    /// Steps whose mask was reproduced.
    pub masks: usize,
    /// Steps without a recorded mask.
    pub unrecorded: usize,
    /// What came of the probabilities.
    pub probabilities: Probabilities,
    /// The first difference.
    pub difference: Option<Difference>,
}

/// What came of the probabilities.
#[derive(Clone, Debug, PartialEq)]
pub enum Probabilities {
    /// They were not computed, and why.
    Left(String),
    /// They were.
    Compared {
        /// At so many steps.
        steps: usize,
        /// The largest difference to a recorded one.
        largest: f64,
        /// What it may be at most.
        tolerance: f64,
    },
}

impl Default for Probabilities {
    fn default() -> Self {
        Self::Left("they were not asked for".into())
    }
}

/// A step that does not come out as recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its number, from 1.
    pub step: usize,
    /// Its token.
    pub token: TokenId,
    /// What differs.
    pub kind: DifferenceKind,
}

/// What differs.
#[derive(Clone, Debug, PartialEq)]
pub enum DifferenceKind {
    /// Other tokens are allowed.
    Mask {
        /// How many were.
        recorded: usize,
        /// How many are.
        computed: usize,
        /// The first token that only one of the two sets has.
        first: TokenId,
    },
    /// The mask is as recorded, yet the grammar refuses the token.
    Refused,
    /// The grammar cannot go on, and why.
    Stopped(String),
    /// The token is part of the thinking in the trace and of the answer now, or the other way round.
    Thinking {
        /// Whether it is thinking in the trace.
        recorded: bool,
    },
    /// A probability is further off than the tolerance.
    Probability {
        /// Which one.
        name: &'static str,
        /// As recorded.
        recorded: f32,
        /// As computed.
        computed: f32,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, token, kind } = self;
        write!(f, "step {step} (token {token}): ")?;
        match kind {
            DifferenceKind::Mask { recorded, computed, first } => write!(
                f,
                "the trace has {recorded} allowed tokens, the grammar allows {computed}; \
                 the first that differs is token {first}"
            ),
            DifferenceKind::Refused => f.write_str("the grammar refuses the token"),
            DifferenceKind::Stopped(reason) => write!(f, "the grammar allows nothing here: {reason}"),
            DifferenceKind::Thinking { recorded: true } => {
                f.write_str("it is part of the thinking in the trace, and of the answer now")
            }
            DifferenceKind::Thinking { recorded: false } => {
                f.write_str("it is part of the answer in the trace, and of the thinking now")
            }
            DifferenceKind::Probability { name, recorded, computed } => {
                write!(f, "{name} is {recorded:.6} in the trace and {computed:.6} now")
            }
        }
    }
}

/// Whether the trace's tokens mean the same to `vocabulary`.
///
/// # Errors
/// The first thing that says otherwise.
pub fn same_tokens(trace: &Trace, vocabulary: &Vocabulary) -> Result<(), String> {
    let (theirs, ours) = (trace.model.vocab, vocabulary.len());
    if theirs != ours {
        return Err(format!("it has {theirs} tokens, this one {ours}"));
    }
    let differs = |step: &&Arc<Step>| *step.bytes != *vocabulary.bytes(step.token);
    match trace.prompt.iter().chain(&trace.steps).find(differs) {
        Some(step) => Err(format!("token {} is another one there", step.token)),
        None => Ok(()),
    }
}

/// Verifies a trace whose tokens are [those](same_tokens) of the engine's vocabulary: the masks, and
/// the probabilities too if `with_probabilities` and the model is the trace's.
///
/// # Errors
/// If the trace's grammar does not compile, or the model fails.
pub fn verify(engine: &mut Engine, trace: &Trace, with_probabilities: bool) -> Result<Verified, EngineError> {
    let grammar = trace.request.grammar.as_ref().map(|source| engine.compile(source)).transpose()?;
    let vocabulary = engine.vocabulary().clone();
    let mut walk = Walk::new(trace, &vocabulary, grammar.map(|(compiled, _)| compiled))?;
    let mut verified = Verified::default();
    let mut logits = match obstacle(engine, trace) {
        _ if !with_probabilities => None,
        Some(obstacle) => {
            verified.probabilities = Probabilities::Left(obstacle);
            None
        }
        None => engine.model().map(|model| Logits::new(model, trace)),
    };
    if let Some(logits) = &logits {
        let tolerance = logits.tolerance;
        verified.probabilities = Probabilities::Compared { steps: 0, largest: 0.0, tolerance };
    }
    for (i, step) in trace.steps.iter().enumerate() {
        if let Err(kind) = verify_step(&mut walk, logits.as_mut(), i, step, &mut verified)? {
            verified.difference = Some(Difference { step: i + 1, token: step.token, kind });
            break;
        }
    }
    Ok(verified)
}

fn verify_step(
    walk: &mut Walk<'_>,
    logits: Option<&mut Logits<'_>>,
    i: usize,
    step: &Step,
    verified: &mut Verified,
) -> Result<Result<(), DifferenceKind>, EngineError> {
    let mask = match walk.mask(step) {
        Ok(mask) => mask,
        Err(kind) => return Ok(Err(kind)),
    };
    let Some(insight) = &step.insight else {
        verified.unrecorded += 1;
        return Ok(walk.commit(i, step));
    };
    if let Err(kind) = same_mask(&insight.allowed, &mask) {
        return Ok(Err(kind));
    }
    verified.masks += 1;
    if let (Some(logits), Probabilities::Compared { steps, largest, .. }) =
        (logits, &mut verified.probabilities)
    {
        match logits.compare(i, insight, &mask)? {
            Ok(difference) => *largest = largest.max(difference),
            Err(kind) => return Ok(Err(kind)),
        }
        *steps += 1;
    }
    Ok(walk.commit(i, step))
}

fn same_mask(recorded: &AllowedSet, mask: &Mask) -> Result<(), DifferenceKind> {
    let computed = AllowedSet::from_bits(mask.words(), mask.width());
    if *recorded == computed {
        return Ok(());
    }
    let all = 0..recorded.width().max(computed.width()) as TokenId;
    let first = all.into_iter().find(|&t| recorded.contains(t) != computed.contains(t)).unwrap_or_default();
    Err(DifferenceKind::Mask { recorded: recorded.count(), computed: computed.count(), first })
}

/// The grammar of a trace, part of the way through its tokens.
struct Walk<'t> {
    vocabulary: &'t Vocabulary,
    guide: Guide,
    /// What the grammar has forced and the steps have not had yet.
    forced: VecDeque<TokenId>,
    /// Why nothing can follow.
    stopped: Option<ConstraintStop>,
}

impl<'t> Walk<'t> {
    fn new(
        trace: &Trace,
        vocabulary: &'t Arc<Vocabulary>,
        grammar: Option<Arc<Compiled>>,
    ) -> Result<Self, EngineError> {
        let guide = recorded(trace, vocabulary, grammar)?;
        let mut walk = Self { vocabulary, guide, forced: VecDeque::new(), stopped: None };
        walk.look_ahead();
        Ok(walk)
    }

    /// What may come at this step. A forced token is alone there.
    fn mask(&mut self, step: &Step) -> Result<Mask, DifferenceKind> {
        let width = self.vocabulary.len();
        let as_forced = step.kind == StepKind::Forced && self.forced.front() == Some(&step.token);
        if !as_forced && step.kind != StepKind::Overridden && !self.forced.is_empty() {
            // A rewind into the middle of forced tokens has the grammar look anew.
            self.look_ahead();
        }
        if step.kind == StepKind::Overridden {
            self.forced.clear();
        } else if let Some(token) = self.forced.pop_front() {
            return Ok(Mask::only(width, token));
        }
        if let Some(stop) = self.stopped.take() {
            return Err(DifferenceKind::Stopped(stop.message));
        }
        match self.guide.beside(|| (), |()| true).1 {
            Some(Ok(mask)) => Ok(mask),
            // As when it was recorded: the mask knows only one way to cut forced text into tokens.
            _ if step.kind == StepKind::Overridden => Ok(Mask::only(width, step.token)),
            Some(Err(stop)) => Err(DifferenceKind::Stopped(stop.message)),
            None => Err(DifferenceKind::Stopped("there is no mask".into())),
        }
    }

    fn commit(&mut self, i: usize, step: &Step) -> Result<(), DifferenceKind> {
        match self.guide.commit(step.token) {
            Ok(true) => {}
            Ok(false) => return Err(DifferenceKind::Refused),
            Err(stop) => return Err(DifferenceKind::Stopped(stop.message)),
        }
        // What a trace calls thinking is not shown as the answer.
        if step.thinking != (i < self.guide.thought()) {
            return Err(DifferenceKind::Thinking { recorded: step.thinking });
        }
        if self.forced.is_empty() {
            self.look_ahead();
        }
        Ok(())
    }

    fn look_ahead(&mut self) {
        match self.guide.forced() {
            Ok(forced) => self.forced = forced.tokens.into(),
            Err(stop) => self.stopped = Some(stop),
        }
    }
}

/// Why the engine's model cannot give the trace's probabilities again.
fn obstacle(engine: &Engine, trace: &Trace) -> Option<String> {
    let (ours, theirs) = (engine.info(), &trace.model);
    // The last token needs no place.
    let needed = (trace.read().len() + trace.steps.len()).saturating_sub(1);
    if trace.prompt.is_empty() {
        Some("the trace has no prompt".into())
    } else if (&ours.architecture, &ours.weights, &ours.fingerprint)
        != (&theirs.architecture, &theirs.weights, &theirs.fingerprint)
    {
        Some(format!("the trace is of other weights ({}, {})", theirs.weights, theirs.fingerprint))
    } else if needed > ours.context {
        Some(format!("the trace has {needed} tokens, give --context {needed} to have room for them"))
    } else {
        None
    }
}

/// The logits of a trace's steps, computed again.
struct Logits<'m> {
    model: &'m mut dyn LanguageModel,
    /// Prompt and steps.
    tokens: Vec<TokenId>,
    prompt: usize,
    sampler: Sampler,
    tolerance: f64,
    /// The rows of the steps from `first` on.
    rows: Vec<f32>,
    first: usize,
}

impl<'m> Logits<'m> {
    fn new(model: &'m mut dyn LanguageModel, trace: &Trace) -> Self {
        model.truncate(0);
        let tokens = trace.read().iter().chain(&trace.steps).map(|step| step.token).collect();
        // A GPU's kernels for one row and for many round differently, and so do those of another device.
        let both_cpu = model.info().device == "cpu" && trace.model.device == "cpu";
        let tolerance = if both_cpu { 0.001 } else { 0.05 };
        let sampler = Sampler::new(SamplerSettings::default());
        Self { model, tokens, prompt: trace.read().len(), sampler, tolerance, rows: Vec::new(), first: 0 }
    }

    /// The largest difference to what a step recorded.
    fn compare(
        &mut self,
        step: usize,
        recorded: &Insight,
        mask: &Mask,
    ) -> Result<Result<f64, DifferenceKind>, EngineError> {
        let width = self.model.info().vocab;
        if step >= self.first + self.rows.len() / width {
            self.compute(step)?;
        }
        let at = (step - self.first) * width;
        let row = self.rows.get(at..at + width).unwrap_or_default();
        let computed = self.sampler.overridden(row, mask, recorded.chosen.token);
        let mut largest = 0.0_f64;
        for (name, recorded, computed) in [
            ("the token's probability before the mask", recorded.chosen.before, computed.chosen.before),
            ("the token's probability after the mask", recorded.chosen.after, computed.chosen.after),
            ("the probability that the mask removes", recorded.mass_removed, computed.mass_removed),
        ] {
            let difference = f64::from((recorded - computed).abs());
            if difference > self.tolerance {
                return Ok(Err(DifferenceKind::Probability { name, recorded, computed }));
            }
            largest = largest.max(difference);
        }
        Ok(Ok(largest))
    }

    /// The rows of `step` and those after it.
    fn compute(&mut self, step: usize) -> Result<(), EngineError> {
        // The logits of a step come after the token before it.
        let from = self.prompt + step;
        while self.model.len() + 1 < from {
            let have = self.model.len();
            self.model.forward(&self.tokens[have..(from - 1).min(have + CHUNK)], 1)?;
        }
        // Nothing comes after the last token.
        let until = (from - 1 + CHUNK).min(self.tokens.len() - 1);
        let pending = &self.tokens[from - 1..until];
        let rows = self.model.forward(pending, pending.len())?;
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.first = step;
        Ok(())
    }
}
