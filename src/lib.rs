//! maze
pub mod app;
pub mod engine;
pub mod sanitize;
pub mod ui;
