//! The engine's errors: what went wrong, where, and how to fix it.
//!
//! Broken grammars are not here: they are values ([`Diagnostic`]),
//! because a person who types makes them all the time.

use std::path::{Path, PathBuf};

use super::chat::ChatError;
use super::diagnostic::Diagnostic;
use super::trace::TokenId;
use crate::hub::HubError;

/// A model could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}: {source}{}", path.display(), hub_hint(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is not what its name says, or a value in it is out of range.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong in it, with the key or tensor it is about and what was expected.
        message: String,
    },
    /// The device does not exist or is not built in.
    #[error("{0}")]
    Device(String),
    /// The tensor library failed.
    #[error("{0}")]
    Tensor(#[from] candle_core::Error),
    /// The model could not be had from the hub.
    #[error(transparent)]
    Hub(Box<HubError>),
    /// The load was cancelled.
    #[error("loading was cancelled")]
    Cancelled,
}

impl From<HubError> for LoadError {
    fn from(error: HubError) -> Self {
        Self::Hub(Box::new(error))
    }
}

impl LoadError {
    /// Whether somebody stopped it.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Hub(error) => matches!(**error, HubError::Cancelled),
            error => matches!(error, Self::Cancelled),
        }
    }

    /// Whether another input would help, rather than another try.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Hub(error) => error.is_input(),
            Self::Tensor(_) | Self::Cancelled => false,
            Self::Read { .. } | Self::Format { .. } | Self::Device(_) => true,
        }
    }
}

/// A forward pass failed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The KV cache cannot take the tokens.
    #[error("the context of {context} tokens is full: it holds {len} and {more} more were given")]
    ContextFull {
        /// What the cache can hold.
        context: usize,
        /// What it holds.
        len: usize,
        /// What was to be added.
        more: usize,
    },
    /// A token id is outside of the vocabulary.
    #[error("token id {token} is outside of the model's vocabulary of {vocab}")]
    TokenRange {
        /// The id.
        token: TokenId,
        /// The width of the logits.
        vocab: usize,
    },
    /// More rows were asked for than tokens given, or none.
    #[error("{rows} rows of logits asked for, with {tokens} tokens given")]
    Rows {
        /// Rows asked for.
        rows: usize,
        /// Tokens given.
        tokens: usize,
    },
    /// The tensor library failed.
    #[error("the forward pass failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

/// A generation could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The model could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The forward pass failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The grammar does not compile, so nothing was generated.
    #[error("the grammar {name} does not compile: {}", first_message(diagnostics))]
    Grammar {
        /// The grammar's name.
        name: String,
        /// What is wrong with it.
        diagnostics: Vec<Diagnostic>,
    },
    /// The grammar engine failed in a way that is neither a dead end nor a limit.
    #[error("the grammar engine failed: {0}")]
    Constraint(String),
    /// The prompt has no tokens, and the model has no start token to begin from.
    #[error("the prompt is empty and the model has no start token; write a prompt")]
    EmptyPrompt,
    /// The prompt is longer than the context.
    #[error("the prompt has {tokens} tokens, the model's context only {context}; shorten the prompt")]
    PromptTooLong {
        /// The prompt's length.
        tokens: usize,
        /// The model's context.
        context: usize,
    },
    /// The prompt could not be put into the model's chat template.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// A token was to be forced that the grammar does not allow there.
    #[error("token {token} is not allowed at step {step}")]
    NotAllowed {
        /// The token.
        token: TokenId,
        /// The step it was to be put at.
        step: usize,
    },
    /// A setting is out of its range.
    #[error("{0}")]
    Setting(String),
}

/// A single word that is no file may be meant as a model of the hub.
fn hub_hint(path: &Path) -> &'static str {
    let is_word = path.components().count() == 1 && path.extension().is_none();
    if is_word && !path.exists() { " (a model of the Hugging Face hub is written org/name)" } else { "" }
}

fn first_message(diagnostics: &[Diagnostic]) -> &str {
    diagnostics.first().map_or("unknown reason", |d| d.message.as_str())
}
