//! The engine: grammars, models, and generation that follows the grammar exactly.
//!
//! It works without a terminal and without an async runtime; everything in it can be used from a
//! test or another program. [`Engine`] is the way in, [`Trace`] is what comes out.

pub mod alarm;
pub mod allowed;
pub mod bench;
pub mod cases;
pub mod chat;
pub mod check;
pub mod codes;
pub mod constraint;
pub mod diagnostic;
pub mod error;
pub mod explain;
pub mod export;
pub mod fix;
pub mod generate;
pub mod grammar;
pub mod guide;
pub mod heat;
pub mod load;
mod mask_worker;
pub mod model;
pub mod replay;
pub mod sample;
pub mod sampler;
pub mod session;
pub mod shadow;
pub mod shrink;
pub mod simd;
mod splitmix;
pub mod trace;
pub mod typed;
pub mod vocabulary;

pub use allowed::AllowedSet;
pub use chat::{ChatError, ChatSettings, ChatTemplate, PromptMode};
pub use diagnostic::{Diagnostic, Position, Severity};
pub use error::{EngineError, LoadError, ModelError};
pub use fix::{Fix, TextEdit};
pub use generate::{Engine, Event, Run, RunEvent};
pub use grammar::{GrammarKind, GrammarSource};
pub use guide::Canceller;
pub use load::{DeviceSpec, ModelSpec};
pub use model::{LanguageModel, ModelInfo};
pub use sampler::SamplerSettings;
pub use session::Session;
pub use trace::{Candidate, FinishReason, Insight, Outcome, Request, Step, StepKind, TokenId, Trace};
pub use vocabulary::Vocabulary;
