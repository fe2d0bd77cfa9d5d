//! A run under way in a file that only grows, so that a program that is killed loses a second of it.
//!
//! ```text
//! {"maze_trace":1,"request":…,"model":…,"prompt":[…]}
//! {"from":0,"steps":[…],"names":[…]}
//! {"from":212,"steps":[…],"names":[…]}
//! ```
//!
//! Every line is packed on its own and appended. `from` is how many steps of the lines before stay: less
//! than all after the person has gone back. The last line may be cut off in the middle, and is left out
//! then. Once the run has ended, it gets the file of any other ([`run`](mod@super::run)), and this one goes.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::file;
use super::run::{self, MAX_PACKED, Stored};
use crate::engine::model::ModelInfo;
use crate::engine::trace::{FinishReason, Format, MAX_BYTES, Outcome, Request, Step, Trace};
use crate::engine::vocabulary::Vocabulary;

/// How a run ended whose program has ended before it.
pub const CUT_OFF: &str = "the program ended";

/// What is new in a run under way.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The number of the run in the session.
    pub number: u32,
    /// What was asked for, with the prompt's tokens and without steps.
    pub head: Arc<Trace>,
    /// How many steps of those that were written stay. With none, the file begins anew.
    pub from: usize,
    /// The steps after them.
    pub steps: Vec<Arc<Step>>,
    /// The names of its tokens.
    pub vocabulary: Option<Arc<Vocabulary>>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head<R, M, P> {
    maze_trace: Format,
    request: R,
    model: M,
    prompt: P,
}

/// Any other line.
#[derive(Serialize, Deserialize)]
struct Line<S, N> {
    from: usize,
    steps: S,
    names: Vec<N>,
}

/// The name of the file of a run under way.
pub fn file_name(number: u32) -> String {
    format!("{number}.part.gz")
}

/// Appends what is new.
///
/// # Errors
/// A sentence that names the file, which holds what it held before.
pub fn append(path: &Path, piece: &Piece) -> Result<(), String> {
    let written = || -> io::Result<()> {
        let mut bytes = Vec::new();
        let is_new = piece.from == 0;
        if is_new {
            let Trace { maze_trace, request, model, prompt, .. } = &*piece.head;
            pack(&mut bytes, &Head { maze_trace: *maze_trace, request, model, prompt })?;
            // Another name for the same file must not change with it.
            let _ = std::fs::remove_file(path);
        }
        let prompt = piece.head.prompt.iter().filter(|_| is_new);
        let steps = prompt.chain(&piece.steps);
        let names = piece.vocabulary.as_ref().map_or_else(Vec::new, |v| run::names(steps, v));
        pack(&mut bytes, &Line { from: piece.from, steps: &piece.steps, names })?;
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create_new(is_new).mode(0o600).open(path)?;
        let before = file.metadata()?.len();
        file.write_all(&bytes).inspect_err(|_| {
            // A line that is half there would hide those after it.
            let _ = file.set_len(before);
        })
    };
    written().map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// Packs a line.
fn pack(out: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut packed = GzEncoder::new(out, Compression::fast());
    packed.write_all(&text)?;
    packed.finish().map(drop)
}

/// Reads a run as far as it was written.
///
/// # Errors
/// A sentence that names the file.
pub fn read(path: &Path) -> Result<Stored, String> {
    let failed = |reason: String| format!("cannot read the run {}: {reason}", path.display());
    let packed = file::bytes(path, MAX_PACKED).map_err(|e| failed(e.to_string()))?;
    let packed = packed.ok_or_else(|| failed("it is gone".into()))?;
    // A small file can unpack to a huge one.
    let mut text = BufReader::new(MultiGzDecoder::new(packed.as_slice()).take(MAX_BYTES));
    let first = next(&mut text).ok_or_else(|| failed("nothing of it was written".into()))?;
    let head: Head<Request, ModelInfo, Vec<Arc<Step>>> =
        serde_json::from_slice(&first).map_err(|e| failed(e.to_string()))?;
    let mut trace = Trace { prompt: head.prompt, ..Trace::new(head.request, head.model) };
    let mut names = Vec::new();
    while let Some(text) = next(&mut text) {
        let line: Line<Vec<Arc<Step>>, run::ReadName> =
            serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?;
        if line.from > trace.steps.len() {
            return Err(failed(format!("step {} is missing", trace.steps.len() + 1)));
        }
        trace.steps.truncate(line.from);
        trace.steps.extend(line.steps);
        names.extend(line.names);
    }
    trace.check().map_err(failed)?;
    trace.outcome = Some(Outcome {
        reason: FinishReason::Cancelled,
        detail: Some(CUT_OFF.into()),
        elapsed: trace.steps.iter().map(|step| step.timings.total()).sum(),
        prefill: Duration::ZERO,
    });
    let vocabulary = run::vocabulary(&trace, names);
    Ok(Stored { trace, vocabulary, is_cut_off: true })
}

/// The next line, if it is whole.
fn next(text: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let read = text.read_until(b'\n', &mut line);
    (read.is_ok() && line.pop() == Some(b'\n')).then_some(line)
}
