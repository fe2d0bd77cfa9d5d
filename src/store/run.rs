//! A run in a file: its trace, which other programs read as such once it is unpacked, and the names
//! of the tokens in it. A trace names only the tokens that were generated; the inspector shows others
//! too, also after the model is gone.

use std::collections::BTreeSet;
use std::io::{BufReader, BufWriter, IntoInnerError, Read, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::file;
use crate::engine::model::ModelInfo;
use crate::engine::trace::{Format, MAX_BYTES, Outcome, Request, Step, TokenId, Trace};
use crate::engine::vocabulary::{SpecialTokens, Vocabulary};

/// The largest file that is read, packed.
pub(super) const MAX_PACKED: u64 = 256 << 20;

/// A wider vocabulary than any known gets no names.
const MOST_TOKENS: usize = 1 << 20;

/// A run as it was read.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What happened in it.
    pub trace: Trace,
    /// The tokens whose names are known. The others have none.
    pub vocabulary: Option<Arc<Vocabulary>>,
    /// Whether the program ended before the run did: it is in the file of a run under way.
    pub is_cut_off: bool,
}

/// A trace's own fields, so that the file is a trace, and the names.
#[derive(Serialize)]
struct Written<'a> {
    maze_trace: Format,
    request: &'a Request,
    model: &'a ModelInfo,
    prompt: &'a [Arc<Step>],
    steps: &'a [Arc<Step>],
    outcome: &'a Option<Outcome>,
    names: Vec<Name<'a>>,
}

/// A token and its bytes; whether it is special.
pub(super) type Name<'a> = (TokenId, bool, &'a [u8]);

/// The same, as it is read.
pub(super) type ReadName = (TokenId, bool, Box<[u8]>);

#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    names: Vec<ReadName>,
}

/// The name of the file of a run.
pub fn file_name(number: u32) -> String {
    format!("{number}.json.gz")
}

/// Writes a run.
///
/// # Errors
/// A sentence that names the file.
pub fn write(path: &Path, trace: &Trace, vocabulary: Option<&Vocabulary>) -> Result<(), String> {
    let names = vocabulary
        .map_or_else(Vec::new, |vocabulary| names(trace.prompt.iter().chain(&trace.steps), vocabulary));
    // A run is no case.
    let Trace { maze_trace, request, model, prompt, steps, outcome, case: _ } = trace;
    let written = Written { maze_trace: *maze_trace, request, model, prompt, steps, outcome, names };
    file::replace(path, |out| {
        // JSON comes in small pieces, and packing each on its own takes a hundred times as long.
        let mut packed = BufWriter::with_capacity(1 << 16, GzEncoder::new(out, Compression::fast()));
        serde_json::to_writer(&mut packed, &written)?;
        packed.into_inner().map_err(IntoInnerError::into_error)?.finish()?.flush()
    })
}

/// The tokens that some steps speak of.
pub(super) fn names<'a, 'b>(
    steps: impl Iterator<Item = &'b Arc<Step>>,
    vocabulary: &'a Vocabulary,
) -> Vec<Name<'a>> {
    let mut tokens = BTreeSet::new();
    for step in steps {
        tokens.insert(step.token);
        let insight = step.insight.iter();
        tokens.extend(insight.flat_map(|i| i.before.iter().chain(&i.after)).map(|candidate| candidate.token));
    }
    // Without a token that ends a text there is no vocabulary.
    tokens.extend(vocabulary.eos());
    let name = |token: TokenId| (token, vocabulary.is_special(token), vocabulary.bytes(token));
    tokens.into_iter().map(name).filter(|(_, _, bytes)| !bytes.is_empty()).collect()
}

/// Reads a run.
///
/// # Errors
/// A sentence that names the file.
pub fn read(path: &Path) -> Result<Stored, String> {
    let failed = |reason: String| format!("cannot read the run {}: {reason}", path.display());
    let packed = file::bytes(path, MAX_PACKED).map_err(|e| failed(e.to_string()))?;
    let packed = packed.ok_or_else(|| failed("it is gone".into()))?;
    let mut text = Vec::new();
    // A small file can unpack to a huge one.
    GzDecoder::new(BufReader::new(packed.as_slice()))
        .take(MAX_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|e| failed(e.to_string()))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(failed(format!("it has more than {MAX_BYTES} bytes")));
    }
    let trace = Trace::from_json(&text).map_err(failed)?;
    let names: Names = serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?;
    let vocabulary = vocabulary(&trace, names.names);
    Ok(Stored { trace, vocabulary, is_cut_off: false })
}

/// A vocabulary of the tokens whose names are known, as wide as the model's.
pub(super) fn vocabulary(trace: &Trace, names: Vec<ReadName>) -> Option<Arc<Vocabulary>> {
    // The width is what the file claims.
    let width = Some(trace.model.vocab).filter(|&width| width <= MOST_TOKENS)?;
    let mut words = vec![Vec::new(); width];
    let mut special = Vec::new();
    for (token, is_special, bytes) in names {
        if let Some(word) = words.get_mut(token as usize) {
            *word = bytes.into();
            special.extend(is_special.then_some(token));
        }
    }
    special.sort_unstable();
    special.dedup();
    let special = SpecialTokens { bos: None, eos: special };
    Vocabulary::from_words(words, &special).ok().map(Arc::new)
}
