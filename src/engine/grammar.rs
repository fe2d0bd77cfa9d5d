//! A grammar as the person writes it, compiled into a constraint.
//!
//! Broken input is a value: [`Compiler::compile`] gives diagnostics with places in the person's
//! text, and a [`Compiled`] grammar only if generation may start with it. Text from anywhere is
//! safe to compile: its size, its nesting and the time it may take are bounded, and what it makes
//! llguidance do happens on a thread with a stack that is deep enough. This file must never name
//! llguidance's parser types (that is [`constraint`](super::constraint)) nor read its error
//! messages (that is `grammar/messages.rs`).

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use llguidance::api::TopLevelGrammar;
use serde::{Deserialize, Serialize};

use super::constraint::{Constraint, ConstraintFactory};
use super::diagnostic::Diagnostic;
use super::shadow::{self, CannotFollow, Shadow};
use super::trace::FinishReason;
use super::vocabulary::Vocabulary;
use bounded::{Bounded, Unfinished};
use messages::Finding;
use prepare::{Prepared, prepare};

pub(in crate::engine) mod annotate;
mod bounded;
mod common;
mod components;
mod dfa;
pub(in crate::engine) mod document;
mod entries;
mod flow;
mod gbnf;
mod json;
pub mod library;
mod lint;
mod messages;
mod parts;
mod prepare;
mod repair;
mod samples;
mod scan;
mod shape;
mod symbols;
mod tree;

pub use entries::NoEntry;
pub use prepare::MAX_BYTES;
pub use symbols::{Symbol, Symbols};

pub(super) use messages::limit_kind;
pub(super) use parts::parts;

pub(crate) use messages::closest;

/// The languages a constraint can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrammarKind {
    /// llguidance's dialect of Lark.
    Lark,
    /// llama.cpp's GBNF.
    Gbnf,
    /// A JSON Schema.
    JsonSchema,
    /// A regular expression, in Rust's syntax, that the whole output must match. Line breaks at
    /// its end do not count.
    Regex,
}

impl GrammarKind {
    /// What a file's name says it holds: `.lark`, `.gbnf`, `.json` or `.regex`.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "lark" => Some(Self::Lark),
            "gbnf" => Some(Self::Gbnf),
            "json" => Some(Self::JsonSchema),
            "regex" => Some(Self::Regex),
            _ => None,
        }
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lark => "Lark",
            Self::Gbnf => "GBNF",
            Self::JsonSchema => "JSON Schema",
            Self::Regex => "regex",
        }
    }
}

/// The text of a grammar and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GrammarSource {
    /// What the text is written in.
    pub kind: GrammarKind,
    /// A file's or example's name, for messages.
    pub name: String,
    /// The text.
    pub text: String,
}

impl GrammarSource {
    /// A grammar in any language.
    pub fn new(kind: GrammarKind, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind, name: name.into(), text: text.into() }
    }

    /// A Lark grammar.
    pub fn lark(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(GrammarKind::Lark, name, text)
    }

    /// A GBNF grammar.
    pub fn gbnf(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(GrammarKind::Gbnf, name, text)
    }

    /// A JSON Schema.
    pub fn json_schema(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(GrammarKind::JsonSchema, name, text)
    }

    /// A regular expression.
    pub fn regex(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(GrammarKind::Regex, name, text)
    }
}

/// A grammar that compiled: a constraint at its start, ready to be forked for a run.
pub struct Compiled {
    source: GrammarSource,
    template: Constraint,
    shadow: OnceLock<Result<Shadow, CannotFollow>>,
    parts: Arc<Parts>,
    bounded: Bounded,
}

impl Compiled {
    /// The text it was compiled from.
    pub fn source(&self) -> &GrammarSource {
        &self.source
    }

    /// The constraint at the start of the grammar.
    pub(super) fn template(&self) -> &Constraint {
        &self.template
    }

    /// A new constraint at the start of the grammar.
    pub fn constraint(&self) -> Constraint {
        self.template.fork()
    }

    /// A new shadow parser at the start of the grammar: it follows a text as the constraint does
    /// and knows names and places. It is built at the first call, in a few milliseconds.
    ///
    /// # Errors
    /// What of the grammar it cannot follow.
    pub fn shadow(&self) -> Result<Shadow, CannotFollow> {
        if let Some(known) = self.shadow.get() {
            return known.clone();
        }
        let built = self.parts.shadow(&self.source, self.template.is_exact(), &self.bounded);
        // Later there may be time for it.
        if matches!(built, Err(CannotFollow::Busy)) {
            built
        } else {
            self.shadow.get_or_init(|| built).clone()
        }
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("name", &self.source.name).finish_non_exhaustive()
    }
}

/// Stack for compiling, per byte of text. llguidance recurses from rule to rule: chains of rules,
/// each in 27 groups, need 0.8 KiB a byte. Untouched stack costs nothing.
const STACK_PER_BYTE: usize = 2048;

/// Stack for compiling, in any case.
const STACK: usize = 4 << 20;

/// llguidance's own limits keep almost every grammar under a second; some JSON Schemas with
/// thousands of optional properties are quadratic.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// What grammars are compiled with.
struct Parts {
    factory: Arc<ConstraintFactory>,
    /// The tokens that GBNF can name.
    named_tokens: Vec<gbnf::NamedToken>,
    vocabulary: usize,
}

impl Parts {
    fn shadow(
        &self,
        source: &GrammarSource,
        is_exact: bool,
        bounded: &Bounded,
    ) -> Result<Shadow, CannotFollow> {
        let broken = || CannotFollow::Broken("its text cannot be read".into());
        let (origin, size) =
            prepare::annotated(source, &self.named_tokens, self.vocabulary).ok_or_else(broken)?;
        let factory = Arc::clone(&self.factory);
        // As deep as for compiling; the copy has a rule for every use of a name.
        let build = move || shadow::build(origin, is_exact, factory.environment(), factory.limits());
        bounded.run("shadow", STACK + size * STACK_PER_BYTE, build).unwrap_or_else(|unfinished| {
            Err(match unfinished {
                Unfinished::Busy => CannotFollow::Busy,
                Unfinished::Late => CannotFollow::Late,
                Unfinished::NoThread(error) => CannotFollow::Thread(error.to_string()),
                Unfinished::Died => CannotFollow::Broken("the grammar engine failed".into()),
            })
        })
    }
}

/// Turns grammars into constraints over one vocabulary.
pub struct Compiler {
    parts: Arc<Parts>,
    special_tokens: Vec<String>,
    /// For compiling. llguidance cannot be interrupted.
    bounded: Bounded,
    /// For the linter, which does not keep grammars from compiling.
    linting: Bounded,
}

/// Why there is no constraint.
enum Failure {
    /// llguidance refused, in its words.
    Refused(String),
    /// The text of a JSON Schema is not JSON.
    NotJson(serde_json::Error),
    /// It compiles, yet no token may come first.
    Dead,
    /// It compiles, yet its first mask needs more than llguidance's limits.
    Limit(String),
    /// A limit of ours.
    Bound(Box<Diagnostic>),
    /// All that is wrong with a text that we read ourselves.
    Found(Vec<Finding>),
}

/// Why [`Compiler::try_compile`] has nothing to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCompiled {
    /// The grammar is wrong, or too much for the parser.
    Refused,
    /// It may be right: there was no time for it, or no thread.
    Unknown,
}

impl Failure {
    fn in_short(&self) -> NotCompiled {
        match self {
            Self::Bound(bound) if matches!(bound.code, "time-limit" | "compiler-busy" | "no-thread") => {
                NotCompiled::Unknown
            }
            _ => NotCompiled::Refused,
        }
    }

    fn bound(diagnostic: Diagnostic) -> Self {
        Self::Bound(Box::new(diagnostic))
    }
}

/// What was noticed about a grammar that compiles.
struct Warnings {
    /// By us.
    found: Vec<Finding>,
    /// By llguidance, in its words.
    said: Vec<String>,
}

impl Compiler {
    /// A compiler for constraints over `vocabulary`.
    ///
    /// # Errors
    /// If llguidance cannot work with the vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self, String> {
        let special_tokens = (0..vocabulary.len() as u32)
            .filter(|&t| vocabulary.is_special(t))
            .filter_map(|t| String::from_utf8(vocabulary.bytes(t).to_vec()).ok())
            .collect();
        let named = |t: u32| {
            let is_name = |b: &[u8]| b.len() > 2 && b.starts_with(b"<") && b.ends_with(b">");
            let bytes = Some(vocabulary.bytes(t)).filter(|b| is_name(b))?;
            Some((String::from_utf8(bytes.to_vec()).ok()?, t))
        };
        Ok(Self {
            parts: Arc::new(Parts {
                factory: Arc::new(ConstraintFactory::new(vocabulary)?),
                named_tokens: (0..vocabulary.len() as u32).filter_map(named).collect(),
                vocabulary: vocabulary.len(),
            }),
            special_tokens,
            bounded: Bounded::new(TIME_LIMIT),
            linting: Bounded::new(TIME_LIMIT),
        })
    }

    /// The same compiler, giving up on a grammar after `limit` instead of 5 seconds. Looking for traps in
    /// it has as much time again; they are left out if that is not enough.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        (self.bounded, self.linting) = (Bounded::new(limit), Bounded::new(limit));
        self
    }

    /// Compiles `source` and computes its first mask, so that a grammar under which nothing can be
    /// generated is an error here and not a surprise later.
    ///
    /// There is a compiled grammar exactly if no diagnostic is an error. Diagnostics are in the
    /// order of their places.
    pub fn compile(&self, source: &GrammarSource) -> (Option<Compiled>, Vec<Diagnostic>) {
        let (compiled, mut found) = match self.build(source) {
            Ok((template, warnings)) => {
                let found = messages::warnings(source, warnings).into_iter();
                let found = found.chain(self.linted(source, messages::traps)).collect();
                (Some(self.compiled(source, template)), found)
            }
            Err(failure) => (None, self.explain(source, failure)),
        };
        found.sort_by_key(|d| d.span.start);
        (compiled, found)
    }

    /// [`compile`](Self::compile) without the diagnostics, which take the longest where there are any.
    ///
    /// # Errors
    /// [`NotCompiled`]: whether the grammar is wrong, or nobody knows.
    pub fn try_compile(&self, source: &GrammarSource) -> Result<Compiled, NotCompiled> {
        let (template, _) = self.build(source).map_err(|failure| failure.in_short())?;
        Ok(self.compiled(source, template))
    }

    fn compiled(&self, source: &GrammarSource, template: Constraint) -> Compiled {
        let (parts, bounded) = (Arc::clone(&self.parts), self.bounded.clone());
        Compiled { source: source.clone(), template, shadow: OnceLock::new(), parts, bounded }
    }

    /// What the linter finds in time.
    fn linted(&self, source: &GrammarSource, find: fn(&GrammarSource) -> Vec<Diagnostic>) -> Vec<Diagnostic> {
        let source = source.clone();
        self.linting.run("lint", STACK, move || find(&source)).unwrap_or_default()
    }

    fn explain(&self, source: &GrammarSource, failure: Failure) -> Vec<Diagnostic> {
        let findings = match failure {
            Failure::Refused(error) => {
                let first = messages::explain(source, &error, &self.special_tokens);
                repair::rest(source, first, |mended| match self.build(mended) {
                    Err(Failure::Refused(error)) => messages::explain(mended, &error, &self.special_tokens),
                    _ => Vec::new(),
                })
            }
            Failure::Found(findings) => findings,
            Failure::NotJson(error) => return vec![messages::not_json(&source.text, &error)],
            Failure::Dead => {
                let why = self.linted(source, messages::deadly);
                return std::iter::once(messages::dead(source)).chain(why).collect();
            }
            Failure::Limit(limit) => return vec![messages::limit(&source.text, &limit)],
            Failure::Bound(diagnostic) => {
                let is_lost = diagnostic.code == "time-limit";
                let why = if is_lost { self.linted(source, messages::deadly) } else { Vec::new() };
                return std::iter::once(*diagnostic).chain(why).collect();
            }
        };
        messages::listed(&source.text, findings)
    }

    fn build(&self, source: &GrammarSource) -> Result<(Constraint, Warnings), Failure> {
        let Prepared { grammar, size, lines, warnings: found } =
            prepare(source, &self.parts.named_tokens, self.parts.vocabulary)?;
        let factory = Arc::clone(&self.parts.factory);
        let compile = move || compile_and_probe(&factory, grammar);
        let bound = |code, message: String| Diagnostic::error(&source.text, 0..0, code, message);
        match self.bounded.run("compile", STACK + size * STACK_PER_BYTE, compile) {
            Ok(Ok((constraint, said))) => Ok((constraint, Warnings { found, said })),
            Ok(Err(Failure::Refused(error))) if !lines.is_empty() => {
                Err(Failure::Found(vec![messages::converted(&lines, &error)]))
            }
            Ok(Err(failure)) => Err(failure),
            Err(Unfinished::Died) => {
                Err(Failure::Refused("the grammar engine failed without a message".into()))
            }
            Err(Unfinished::Busy) => Err(Failure::bound(
                bound("compiler-busy", "earlier grammars are still compiling".into())
                    .with_help("wait a few seconds"),
            )),
            Err(Unfinished::NoThread(error)) => {
                Err(Failure::bound(bound("no-thread", format!("no thread to compile on: {error}"))))
            }
            Err(Unfinished::Late) => {
                let limit = self.bounded.limit.as_secs_f32();
                let message = format!("compiling takes longer than the limit of {limit} s");
                Err(Failure::bound(
                    bound("time-limit", message)
                        .with_help("use fewer alternatives or optional properties, or split the grammar"),
                ))
            }
        }
    }
}

fn compile_and_probe(
    factory: &ConstraintFactory,
    grammar: TopLevelGrammar,
) -> Result<(Constraint, Vec<String>), Failure> {
    let (mut constraint, mut warnings) = factory.create(grammar).map_err(Failure::Refused)?;
    match constraint.mask() {
        Ok(mask) => {
            // A complete text of which the end-of-sequence tokens are the only continuation.
            let only_empty = constraint.is_accepting().unwrap_or(false)
                && (0..mask.width() as u32).filter(|&t| mask.allows(t)).all(|t| factory.is_eos(t));
            if only_empty {
                warnings.push(messages::ONLY_EMPTY.into());
            }
            Ok((constraint, warnings))
        }
        Err(stop) if stop.reason == FinishReason::DeadEnd => Err(Failure::Dead),
        Err(stop) => Err(Failure::Limit(stop.message)),
    }
}
