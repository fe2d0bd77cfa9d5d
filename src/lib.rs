//! `maze`: write a grammar, type a prompt, watch a language model generate under that grammar, and
//! see at every step which tokens were allowed, which were masked, and how much that mattered.
//!
//! This page is the map of the code. The library works without the terminal:
//!
//! ```
//! use maze::engine::{DeviceSpec, Engine, GrammarSource, ModelSpec, Request};
//!
//! let mut engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu)?;
//! let trace = engine.run(Request {
//!     prompt: "// JSON: a user with name Alice\n".into(),
//!     grammar: Some(GrammarSource::lark(
//!         "user",
//!         r#"start: "{\"name\": \"" /[A-Z][a-z]{1,10}/ "\"}""#,
//!     )),
//!     ..Request::default()
//! })?;
//! assert!(trace.text().starts_with("{\"name\": \""));
//! for step in &trace.steps {
//!     let insight = step.insight.as_ref().ok_or("recorded by default")?;
//!     assert!(insight.allowed.contains(step.token));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it hangs together
//!
//! ```text
//! keys, mouse, resize ──┐
//!                       ├─► Event ─► app::update(&mut State, Event) ─► Vec<Effect> ─► app::worker ─┐
//! engine, grammar ──────┘                       │                                                  │
//!       ▲                                       └─► ui::draw(&mut Frame, &State, &Theme)           │
//!       └───────────── engine thread: engine::Session, one step at a time ◄────────────────────────┘
//! ```
//!
//! | where | what |
//! |---|---|
//! | [`engine`] | everything about grammars, models and generation; the heart |
//! | [`engine::trace`] | the record of a run: what every view, export and statistic is a function of |
//! | [`engine::session`] | the constrained loop, with rewind and force |
//! | [`engine::constraint`] | the only door to llguidance's parser |
//! | [`engine::shadow`] | the parser beside it that knows names and places: where a text stands, and why |
//! | [`engine::chat`] | a model's own chat template, and what may not come through it |
//! | [`engine::grammar`] | grammars as people write them, and what is wrong with them |
//! | [`engine::explain`] | why a token may come at a place, or not; [`engine::shrink`] makes a case of it small |
//! | [`engine::model`] | the decoder, its file formats, the embedded model |
//! | [`hub`] | models of the Hugging Face hub: the shared cache, downloads |
//! | [`catalog`] | the models at hand, and whether they would run |
//! | [`app`] | the terminal program: events, state, the reducer, the threads |
//! | [`ui`] | the screen, drawn from the state |
//! | [`cli`], [`commands`] | the command line and its headless commands |
//! | [`config`] | flags, environment, config file and defaults, joined |
//! | [`store`] | what is there again at the next start: drafts, runs, history |
//! | [`sanitize`] | neutralises text that the terminal must not obey |
//!
//! # Invariants
//!
//! `tests/tidy.rs` holds the code to these:
//!
//! - Nothing under [`engine`] imports the terminal or an async runtime.
//! - One file names llguidance's parser types; one file reads its error messages.
//! - The reducer and the drawing code touch no clock, no file and no channel.
//! - The engine never fails open: no grammar, a broken grammar or a dead parser never yields
//!   unconstrained output.
//! - Only the command line prints; nothing does while the terminal is drawn on.
//! - Every byte of model output is neutralised before it reaches a terminal, a title or a
//!   clipboard.
//! - The library does not panic on purpose; `unsafe` is for CUDA.

pub mod app;
pub mod atomic;
pub mod catalog;
pub mod cli;
pub mod commands;
pub mod config;
pub mod engine;
pub mod hub;
pub mod sanitize;
pub mod store;
pub mod ui;
