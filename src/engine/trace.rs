//! The record of one generation: what was asked, what happened at every token, how it ended.
//!
//! [`Trace`] is the central data type of the project. Output text, the inspector, statistics,
//! exports and replay are functions of `&Trace`; nobody keeps a second copy, which is why the
//! steps are shared ([`Arc<Step>`]) between the session that makes them and whoever watches.
//! This file must never know how a step was computed or how it is shown.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::allowed::AllowedSet;
use super::chat::PromptMode;
use super::explain::Case;
use super::grammar::GrammarSource;
use super::model::ModelInfo;
use super::sampler::SamplerSettings;

mod file;

pub use file::{Format, MAX_BYTES};

/// A token's id: its row in the embedding matrix and its column in the logits.
pub type TokenId = u32;

/// How many candidates a step keeps from each side of the mask.
pub const CANDIDATES: usize = 64;

/// Everything that determines a generation. Two equal requests on the same model and device give
/// the same tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The text before the first generated token; in a chat, what the person says.
    pub prompt: String,
    /// How the prompt becomes what the model reads.
    #[serde(default)]
    pub mode: PromptMode,
    /// The grammar the answer must follow; `None` means that no constraint was asked for.
    pub grammar: Option<GrammarSource>,
    /// How a token is picked from the masked distribution.
    pub sampler: SamplerSettings,
    /// The run ends after this many generated tokens, forced ones counted. What the model thinks
    /// before its answer has its own limit.
    pub max_tokens: usize,
    /// The run ends when the answer contains one of these.
    pub stop: Vec<String>,
    /// Whether steps record candidates, the allowed set and the statistics. Without it a step
    /// holds its token, kind and timings only.
    pub detail: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            mode: PromptMode::Raw,
            grammar: None,
            sampler: SamplerSettings::default(),
            max_tokens: 512,
            stop: Vec::new(),
            detail: true,
        }
    }
}

/// One generation, complete or under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trace {
    /// The version of the file format.
    pub maze_trace: Format,
    /// What was asked.
    pub request: Request,
    /// The model that answered.
    pub model: ModelInfo,
    /// The prompt's tokens, each of kind [`StepKind::Prompt`].
    pub prompt: Vec<Arc<Step>>,
    /// The generated tokens, in order.
    pub steps: Vec<Arc<Step>>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// The text that the grammar refuses, if the trace is of no run but of a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
}

impl Trace {
    /// An empty trace of a run that is about to start.
    pub fn new(request: Request, model: ModelInfo) -> Self {
        Self {
            maze_trace: Format,
            request,
            model,
            prompt: Vec::new(),
            steps: Vec::new(),
            outcome: None,
            case: None,
        }
    }

    /// The tokens of the prompt that the model has read: not the last one where the first step is in its place.
    pub fn read(&self) -> &[Arc<Step>] {
        let is_healed = self.steps.first().is_some_and(|step| step.of_prompt > 0);
        &self.prompt[..self.prompt.len() - usize::from(is_healed && !self.prompt.is_empty())]
    }

    /// The bytes of the answer: of everything that was generated, unless the model thought first.
    /// They may end inside a character while the run is under way. Special tokens, the end of
    /// sequence among them, have no text.
    pub fn bytes(&self) -> Vec<u8> {
        self.steps.iter().filter(|s| !s.thinking).flat_map(|s| s.text_bytes()).copied().collect()
    }

    /// What the model thought before its answer, invalid UTF-8 replaced.
    pub fn thoughts(&self) -> String {
        let thought = self.steps.iter().filter(|s| s.thinking).flat_map(|s| s.text_bytes());
        String::from_utf8_lossy(&thought.copied().collect::<Vec<_>>()).into_owned()
    }

    /// The first step of the answer; the number of steps if it has not begun.
    pub fn answer_from(&self) -> usize {
        self.steps.partition_point(|s| s.thinking)
    }

    /// The text of the answer, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// How many of the generated tokens the grammar forced.
    pub fn forced(&self) -> usize {
        self.steps.iter().filter(|s| s.kind == StepKind::Forced).count()
    }
}

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Part of the prompt.
    Prompt,
    /// The only token the grammar left; no choice was made.
    Forced,
    /// Picked by the sampler among the allowed tokens.
    Sampled,
    /// Put there by the person, after a check against the grammar.
    Overridden,
}

/// One token of a trace and everything that was known when it was picked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The token.
    pub token: TokenId,
    /// The token's bytes; for a special token, its name.
    pub bytes: Box<[u8]>,
    /// Whether the token is a special (control) token, which adds no text to the output.
    pub special: bool,
    /// How many of the bytes are the prompt's: the first token of an answer may be in the place of the prompt's
    /// last one, whose bytes it begins with.
    #[serde(skip_serializing_if = "is_zero")]
    #[serde(default)]
    pub of_prompt: usize,
    /// Whether the token is part of what the model thinks before its answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[serde(default)]
    pub thinking: bool,
    /// Where the token came from.
    pub kind: StepKind,
    /// What the model and the mask said; `None` for prompt tokens and with detail off.
    pub insight: Option<Box<Insight>>,
    /// Where the time went.
    pub timings: Timings,
}

impl Step {
    /// The bytes that this token adds to the output text.
    pub fn text_bytes(&self) -> &[u8] {
        if self.special { &[] } else { self.bytes.get(self.of_prompt..).unwrap_or_default() }
    }

    /// The bytes of the prompt that this token begins with.
    pub fn prompt_bytes(&self) -> &[u8] {
        self.bytes.get(..self.of_prompt).unwrap_or_default()
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The distribution at one step, before and after the mask.
///
/// Probabilities are of the model itself, at temperature 1 and without penalties, so that they
/// compare across settings: `before = softmax(logits)`, `after = softmax(logits where allowed)`.
/// Both sum to one over the vocabulary.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Insight {
    /// The [`CANDIDATES`] most probable tokens before the mask, falling.
    pub before: Vec<Candidate>,
    /// The [`CANDIDATES`] most probable allowed tokens, falling.
    pub after: Vec<Candidate>,
    /// Which tokens the grammar allowed here.
    pub allowed: AllowedSet,
    /// Probability before the mask of everything that the mask removed, in `0..=1`.
    pub mass_removed: f32,
    /// Entropy of the distribution before the mask, in bits.
    pub entropy_before: f32,
    /// Entropy of the distribution after the mask, in bits.
    pub entropy_after: f32,
    /// The chosen token's probability before and after the mask.
    pub chosen: Candidate,
}

/// One token with its probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The token.
    pub token: TokenId,
    /// Its probability before the mask.
    pub before: f32,
    /// Its probability after the mask; 0 if the mask removed it.
    pub after: f32,
    /// Its chance of being picked, after temperature, penalties and truncation by top-k, top-p
    /// and min-p; 0 if one of them cut it off.
    pub chance: f32,
}

/// Where the time of one step went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// The forward pass that led to this token. Tokens that shared a pass have equal shares.
    #[serde(with = "micros")]
    pub forward: Duration,
    /// Computing the mask, whether or not it was hidden behind the forward pass.
    #[serde(with = "micros")]
    pub mask: Duration,
    /// The part of `mask` that the forward pass did not hide.
    #[serde(with = "micros")]
    pub mask_wait: Duration,
    /// Sampling and recording the statistics.
    #[serde(with = "micros")]
    pub sample: Duration,
    /// Committing the token to the grammar and looking for forced tokens.
    #[serde(with = "micros")]
    pub commit: Duration,
}

impl Timings {
    /// The wall time this step took.
    pub fn total(&self) -> Duration {
        self.forward + self.mask_wait + self.sample + self.commit
    }
}

/// Durations are written as microseconds, the unit that the numbers are read in.
mod micros {
    use super::Duration;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64((d.as_nanos() as f64) / 1e3)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        let micros = f64::deserialize(d)?;
        Duration::try_from_secs_f64(micros / 1e6)
            .map_err(|_| D::Error::custom(format_args!("{micros} is no time in microseconds")))
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Why it ended.
    pub reason: FinishReason,
    /// More about the reason, for people: the parser limit that was hit, the stop string found.
    pub detail: Option<String>,
    /// From the request to the end, prefill included.
    #[serde(with = "micros")]
    pub elapsed: Duration,
    /// The prefill's part of `elapsed`.
    #[serde(with = "micros")]
    pub prefill: Duration,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The grammar is complete and nothing can follow.
    GrammarComplete,
    /// The model chose an end-of-sequence token where the grammar allows the end.
    Eos,
    /// The limit of generated tokens was reached.
    MaxTokens,
    /// A stop string appeared.
    StopString,
    /// The model's context window is full.
    ContextFull,
    /// The grammar is not complete, yet no token can follow.
    DeadEnd,
    /// llguidance gave up: the grammar needs more lexer states, items or fuel than its limits.
    ParserLimit,
    /// The person or the caller stopped it.
    Cancelled,
    /// The model failed; the outcome's detail says how.
    Failed,
}

impl FinishReason {
    /// Whether the output is as the request wanted it, so far as the machine can tell.
    pub fn is_success(self) -> bool {
        !matches!(self, Self::DeadEnd | Self::ParserLimit | Self::Failed)
    }

    /// What it is called on a screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::GrammarComplete => "grammar complete",
            Self::Eos => "ended by the model",
            Self::MaxTokens => "token limit",
            Self::StopString => "stop string",
            Self::ContextFull => "context full",
            Self::DeadEnd => "dead end",
            Self::ParserLimit => "parser limit",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// The name used in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GrammarComplete => "grammar_complete",
            Self::Eos => "eos",
            Self::MaxTokens => "max_tokens",
            Self::StopString => "stop_string",
            Self::ContextFull => "context_full",
            Self::DeadEnd => "dead_end",
            Self::ParserLimit => "parser_limit",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}
