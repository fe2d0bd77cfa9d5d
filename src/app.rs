//! The playground in the terminal.

pub mod action;
pub mod editor;
pub mod event;
pub mod examples;
pub mod inspector;
pub mod keymap;
pub mod language;
pub mod state;
pub mod stats;
pub mod transcript;
pub mod update;
