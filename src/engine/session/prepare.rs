//! What a session does before its first step: checks the request, and makes the prompt's tokens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::chat::{ChatError, ChatPrompt, PromptMode};
use crate::engine::error::{EngineError, ModelError};
use crate::engine::grammar::Compiled;
use crate::engine::guide::thinking::Thinking;
use crate::engine::guide::{Canceller, Guide};
use crate::engine::model::LanguageModel;
use crate::engine::trace::{Request, Step, StepKind, Timings, TokenId};
use crate::engine::vocabulary::Vocabulary;

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

/// Checks a request against its grammar and the tokens that a model can hold, before anything is
/// changed.
pub(in crate::engine) fn prepare(
    context: usize,
    vocabulary: &Arc<Vocabulary>,
    grammar: Option<Arc<Compiled>>,
    request: &Request,
    canceller: &Canceller,
) -> Result<(Vec<TokenId>, Guide), EngineError> {
    request.sampler.validate().map_err(EngineError::Setting)?;
    let guide = match (&request.grammar, grammar) {
        (None, None) => Guide::free(vocabulary),
        (Some(_), Some(compiled)) => Guide::grammar(vocabulary, compiled, canceller)?,
        (Some(source), None) => {
            return Err(EngineError::Grammar { name: source.name.clone(), diagnostics: Vec::new() });
        }
        (None, Some(_)) => {
            return Err(EngineError::Constraint("a grammar was given that the request does not name".into()));
        }
    };
    let ChatPrompt { tokens, thinking } = prompt(vocabulary, &request.prompt, &request.mode)?;
    match tokens.len() {
        0 => return Err(EngineError::EmptyPrompt),
        n if n > context => return Err(EngineError::PromptTooLong { tokens: n, context }),
        _ => {}
    }
    let PromptMode::Chat(settings) = &request.mode else { return Ok((tokens, guide)) };
    // An answer needs room too.
    let budget = settings.thinking.unwrap_or_default().min((context - tokens.len()) / 2);
    let thinking = thinking.map(|style| Thinking::new(&style, vocabulary, budget));
    Ok((tokens, guide.after(thinking)))
}

/// A forward pass to be run, with the time it takes.
pub(super) fn forward_pass<'m>(
    model: &'m mut dyn LanguageModel,
    pending: &'m [TokenId],
    rows: usize,
) -> impl FnOnce() -> (Result<&'m [f32], ModelError>, Duration) + 'm {
    move || {
        let clock = Instant::now();
        let logits = model.forward(pending, rows);
        (logits, clock.elapsed())
    }
}

/// A step of the prompt. Generated steps differ in what is known about them.
pub(super) fn prompt_step(vocabulary: &Vocabulary, token: TokenId) -> Step {
    Step {
        token,
        bytes: vocabulary.bytes(token).into(),
        special: vocabulary.is_special(token),
        thinking: false,
        kind: StepKind::Prompt,
        insight: None,
        timings: Timings::default(),
    }
}
