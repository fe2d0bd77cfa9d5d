//! The engine.

pub mod allowed;
pub mod bench;
pub mod constraint;
pub mod diagnostic;
pub mod error;
pub mod grammar;
pub mod load;
pub mod model;
pub mod sampler;
pub mod trace;
pub mod vocabulary;

pub use diagnostic::{Diagnostic, Position, Severity};
