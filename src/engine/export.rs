//! A run as a file for others: as JSON, which is a trace file; as a web page that needs nothing else;
//! as text.
//!
//! All three are functions of a [`Trace`], and of the vocabulary where there is one: a trace holds the
//! bytes of its own tokens only, so that the candidates of its steps have names by the vocabulary. What
//! a run says may have been written by anybody. Nothing of it is obeyed by a browser or a terminal.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::alarm;
use super::heat::LEVELS;
use super::trace::{TokenId, Trace};
use super::vocabulary::Vocabulary;

pub mod facts;
mod html;
pub mod text;

pub use html::KEPT;

/// What a run is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One page, with everything that it needs in it.
    Html,
    /// A trace file.
    Json,
    /// The output and a table of the steps.
    Text,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Html, Self::Json, Self::Text];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Text => "text",
        }
    }

    /// What it is, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Html => "Web page",
            Self::Json => "Trace as JSON",
            Self::Text => "Text",
        }
    }

    /// What it is good for, in one line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Html => "One file for any browser: tokens, tints, graphs, candidates of every step.",
            Self::Json => "Everything that is known; `maze replay` verifies it, `maze export` reads it.",
            Self::Text => "The output and a table of its steps, to read or to paste.",
        }
    }

    /// How its files' names end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Text => "txt",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|f| f.name() == text).ok_or_else(|| "must be html, text or json".into())
    }
}

/// A colour: red, green and blue.
pub type Rgb = [u8; 3];

/// The colours of a page in one kind of surroundings.
#[derive(Clone, Debug, PartialEq)]
pub struct Colours {
    /// Behind everything, and of text on it.
    pub base: (Rgb, Rgb),
    /// Behind the token under inspection, and of its text.
    pub selected: (Rgb, Rgb),
    /// Behind the tokens of each level of removed mass, and of their text.
    pub heat: [(Rgb, Rgb); LEVELS],
    /// Behind every second token.
    pub boundary: Rgb,
    /// Labels and units.
    pub dim: Rgb,
    /// Lines between parts.
    pub border: Rgb,
    /// Headings and what can be pressed.
    pub accent: Rgb,
    /// The line under forced tokens.
    pub forced: Rgb,
    /// What the model thinks before its answer.
    pub thinking: Rgb,
    /// Bars of allowed tokens.
    pub bar: Rgb,
    /// Bars of tokens that the mask removed.
    pub bar_rejected: Rgb,
    /// Tokens that the mask removed.
    pub rejected: Rgb,
    /// The token that was chosen.
    pub chosen: Rgb,
    /// Graphs.
    pub graph: Rgb,
}

/// The colours of a page in light and in dark surroundings.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// In light ones.
    pub light: Colours,
    /// In dark ones.
    pub dark: Colours,
}

/// Writes a run.
///
/// # Errors
/// If `out` does not take it.
pub fn write(
    out: &mut dyn Write,
    format: Format,
    trace: &Trace,
    vocabulary: Option<&Vocabulary>,
    palette: &Palette,
) -> io::Result<()> {
    match format {
        Format::Json => trace.write(&alarm::alarms(&trace.steps), &mut *out)?,
        Format::Html => html::write(out, trace, &Names::new(trace, vocabulary), palette)?,
        Format::Text => text::write(out, trace, &Names::new(trace, vocabulary))?,
    }
    out.flush()
}

/// What tokens are called.
pub struct Names<'a> {
    vocabulary: Option<&'a Vocabulary>,
    /// The tokens of the run itself.
    own: HashMap<TokenId, &'a [u8]>,
}

impl<'a> Names<'a> {
    /// The names that are known for a run.
    pub fn new(trace: &'a Trace, vocabulary: Option<&'a Vocabulary>) -> Self {
        let steps = trace.prompt.iter().chain(&trace.steps);
        Self { vocabulary, own: steps.map(|step| (step.token, &*step.bytes)).collect() }
    }

    /// A token as one line of harmless text: its bytes if they are known, else its number.
    pub fn of(&self, token: TokenId) -> String {
        let bytes = self.own.get(&token).copied().or_else(|| Some(self.vocabulary?.bytes(token)));
        match bytes {
            Some(bytes) if !bytes.is_empty() => crate::sanitize::token(bytes),
            _ => format!("#{token}"),
        }
    }
}
