//! maze
pub mod engine;
