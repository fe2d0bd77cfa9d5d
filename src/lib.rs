//! maze
pub mod cli;
pub mod commands;
pub mod config;
pub mod engine;
pub mod sanitize;
