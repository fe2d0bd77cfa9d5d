//! What a session does before its first step: checks the request, makes the prompt's tokens, and reads most of them.

use std::sync::Arc;
use std::time::Instant;

use super::Session;
use crate::engine::chat::{ChatError, ChatPrompt, PromptMode, ThinkingStyle};
use crate::engine::error::EngineError;
use crate::engine::grammar::Compiled;
use crate::engine::guide::thinking::Thinking;
use crate::engine::guide::{Canceller, Guide};
use crate::engine::trace::{FinishReason, Request, Step, StepKind, Timings, TokenId, Trace};
use crate::engine::vocabulary::Vocabulary;

/// Prompts go through the model in chunks of this many tokens, so that a cancel is noticed.
const PREFILL_CHUNK: usize = 256;

/// The prompt as the model reads it: the text itself, or the model's own template around it.
///
/// # Errors
/// [`EngineError::Chat`] if the model has no template or it cannot be used, [`EngineError::Setting`]
/// if the tokenizer refuses the text.
pub fn prompt(vocabulary: &Vocabulary, text: &str, mode: &PromptMode) -> Result<ChatPrompt, EngineError> {
    match mode {
        PromptMode::Raw => {
            let tokens = vocabulary.encode_prompt(text).map_err(|e| EngineError::Setting(e.to_string()))?;
            Ok(ChatPrompt { tokens, thinking: None })
        }
        PromptMode::Chat(settings) => {
            let template = vocabulary.chat().ok_or(ChatError::NoTemplate)?;
            Ok(template.prompt(vocabulary, text, settings)?)
        }
    }
}

/// What a session begins with.
pub(in crate::engine) struct Prepared {
    /// The prompt.
    pub tokens: Vec<TokenId>,
    /// What the answer follows.
    pub guide: Guide,
    /// Whether the prompt's last token is left to the answer.
    pub is_healed: bool,
}

/// Checks a request against its grammar and the tokens that a model can hold, before anything is
/// changed.
pub(in crate::engine) fn prepare(
    context: usize,
    vocabulary: &Arc<Vocabulary>,
    grammar: Option<Arc<Compiled>>,
    request: &Request,
    canceller: &Canceller,
) -> Result<Prepared, EngineError> {
    request.sampler.validate().map_err(EngineError::Setting)?;
    let mut guide = constrained(vocabulary, grammar.clone(), request, canceller)?;
    let ChatPrompt { tokens, thinking } = prompt(vocabulary, &request.prompt, &request.mode)?;
    match tokens.len() {
        0 => return Err(EngineError::EmptyPrompt),
        n if n > context => return Err(EngineError::PromptTooLong { tokens: n, context }),
        _ => {}
    }
    let is_healed = match seam(vocabulary, request, &tokens).map_or(Ok(false), |bytes| guide.heal(bytes)) {
        Ok(is_healed) => is_healed,
        // A parser that has given up says so where its first token is asked for.
        Err(_) => {
            guide = constrained(vocabulary, grammar, request, canceller)?;
            false
        }
    };
    let thinking = thinking.map(|style| block(&style, vocabulary, &request.mode, context - tokens.len()));
    Ok(Prepared { tokens, guide: guide.after(thinking), is_healed })
}

/// The bytes of the prompt's last token, if the answer may begin with them: a template ends where the model has
/// learned that the answer begins, and special tokens are no text.
fn seam<'v>(vocabulary: &'v Vocabulary, request: &Request, tokens: &[TokenId]) -> Option<&'v [u8]> {
    match tokens {
        [_, .., last] if request.mode == PromptMode::Raw && !vocabulary.is_special(*last) => {
            Some(vocabulary.bytes(*last))
        }
        _ => None,
    }
}

/// The guide of a run in the past. Its prompt is not made anew: a template may write the date into it.
pub(in crate::engine) fn recorded(
    trace: &Trace,
    vocabulary: &Arc<Vocabulary>,
    grammar: Option<Arc<Compiled>>,
) -> Result<Guide, EngineError> {
    let Trace { request, model, prompt, .. } = trace;
    let mut guide = constrained(vocabulary, grammar, request, &Canceller::default())?;
    let seam = trace.steps.first().map_or(&[][..], |step| step.prompt_bytes());
    if !seam.is_empty() && !matches!(guide.heal(seam), Ok(true)) {
        let reason = "the first step of the trace begins in its prompt, where no token of its grammar begins";
        return Err(EngineError::Setting(reason.into()));
    }
    if !matches!(&request.mode, PromptMode::Chat(settings) if settings.thinking.is_some()) {
        return Ok(guide);
    }
    let style = vocabulary.chat().and_then(|template| template.thinking(vocabulary)).ok_or_else(|| {
        let reason = "the model of the trace thinks before its answer, and this one has no chat template \
                      that says where the thinking ends";
        EngineError::Setting(reason.into())
    })?;
    let room = model.context.saturating_sub(prompt.len());
    Ok(guide.after(Some(block(&style, vocabulary, &request.mode, room))))
}

/// A guide for a request whose grammar was compiled; a request for a grammar never gets a free one.
fn constrained(
    vocabulary: &Arc<Vocabulary>,
    grammar: Option<Arc<Compiled>>,
    request: &Request,
    canceller: &Canceller,
) -> Result<Guide, EngineError> {
    match (&request.grammar, grammar) {
        (None, None) => Ok(Guide::free(vocabulary)),
        (Some(_), Some(compiled)) => Guide::grammar(vocabulary, compiled, canceller),
        (Some(source), None) => {
            Err(EngineError::Grammar { name: source.name.clone(), diagnostics: Vec::new() })
        }
        (None, Some(_)) => {
            Err(EngineError::Constraint("a grammar was given that the request does not name".into()))
        }
    }
}

/// The thinking before an answer, in half of the `room` at most: the answer needs some too.
fn block(style: &ThinkingStyle, vocabulary: &Vocabulary, mode: &PromptMode, room: usize) -> Thinking {
    let asked = match mode {
        PromptMode::Chat(settings) => settings.thinking.unwrap_or_default(),
        PromptMode::Raw => 0,
    };
    Thinking::new(style, vocabulary, asked.min(room / 2))
}

impl Session {
    /// Runs all but the last chunk of a long prompt through the model, and of what was generated after
    /// it if the model has not read that. False if that was cancelled.
    pub(super) fn prefill(&mut self) -> Result<bool, EngineError> {
        let recorded = self.prompt + self.trace.steps.len();
        let last_chunk = recorded.saturating_sub(PREFILL_CHUNK);
        while self.model.len() < last_chunk {
            if self.canceller.is_cancelled() {
                break;
            }
            let clock = Instant::now();
            let from = self.model.len();
            let chunk = &self.tokens[from..last_chunk.min(from + PREFILL_CHUNK)];
            self.model.run(chunk, 1)?.done(clock)?;
            self.prefill += clock.elapsed();
        }
        if self.canceller.is_cancelled() {
            self.end(FinishReason::Cancelled, None);
            return Ok(false);
        }
        Ok(true)
    }
}

/// A step of the prompt. Generated steps differ in what is known about them.
pub(super) fn prompt_step(vocabulary: &Vocabulary, token: TokenId) -> Step {
    Step {
        token,
        bytes: vocabulary.bytes(token).into(),
        special: vocabulary.is_special(token),
        of_prompt: 0,
        thinking: false,
        kind: StepKind::Prompt,
        insight: None,
        timings: Timings::default(),
    }
}
