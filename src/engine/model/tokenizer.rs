//! From the files around a model to its [`Vocabulary`]: the tokenizer, and which of its tokens
//! start and end a text.

use std::collections::HashSet;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::config::Config;
use super::embedded;
use super::gguf::Gguf;
use crate::engine::error::LoadError;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::{Parts, SpecialTokens, Vocabulary};

mod metadata;
mod special;
mod splits;

/// The largest file beside the weights that is read, in bytes: four times the largest tokenizer
/// that is known.
pub const MAX_SIDE_FILE: u64 = 128 << 20;

/// The small files that lie around the weights.
#[derive(Clone, Debug)]
pub enum SideFiles {
    /// In the program.
    Embedded,
    /// In a folder.
    Folder(PathBuf),
}

impl SideFiles {
    /// The name of a file for messages.
    pub fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Embedded => Path::new("models/nano").join(name),
            Self::Folder(folder) => folder.join(name),
        }
    }

    /// A file's content; `None` if there is no such file.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, LoadError> {
        match self {
            Self::Embedded => Ok(embedded::side_file(name).map(<[u8]>::to_vec)),
            Self::Folder(folder) => {
                let path = folder.join(name);
                // Opening a pipe would wait for someone to write to it.
                if std::fs::metadata(&path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
                    return Err(LoadError::Format { path, message: "it is not a regular file".into() });
                }
                let mut text = Vec::new();
                let opened = std::fs::File::open(&path);
                match opened.and_then(|file| file.take(MAX_SIDE_FILE + 1).read_to_end(&mut text)) {
                    Ok(_) if text.len() as u64 > MAX_SIDE_FILE => {
                        let message =
                            format!("larger than {} MiB, the limit for such a file", MAX_SIDE_FILE >> 20);
                        Err(LoadError::Format { path, message })
                    }
                    Ok(_) => Ok(Some(text)),
                    Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(LoadError::Read { path, source }),
                }
            }
        }
    }

    /// The content of a file that must be there.
    ///
    /// # Errors
    /// If it is not there or cannot be read.
    pub fn required(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        let missing = || {
            let path = self.path(name);
            let source = std::fs::metadata(&path).err().unwrap_or_else(|| ErrorKind::NotFound.into());
            LoadError::Read { path, source }
        };
        self.read(name)?.ok_or_else(missing)
    }

    /// A file's content as JSON; null if there is no such file.
    ///
    /// # Errors
    /// If it is there and cannot be read, or is not JSON.
    pub fn json(&self, name: &str) -> Result<Json, LoadError> {
        let Some(text) = self.read(name)? else { return Ok(Json::Null) };
        serde_json::from_slice(&text)
            .map_err(|e| LoadError::Format { path: self.path(name), message: format!("not JSON: {e}") })
    }
}

/// Builds the vocabulary for logits of the given width. Without `gguf` there must be a
/// `tokenizer.json`; with it, its metadata may hold the tokenizer instead. `step` is asked between
/// the parts of the work whether to go on, with the parts done and the parts in all.
///
/// # Errors
/// If there is no usable tokenizer, if it knows more tokens than the logits are wide, or if no
/// token is known to end a text; naming the file. Whatever `step` returns.
pub fn vocabulary(
    files: &SideFiles,
    gguf: Option<&Gguf>,
    width: usize,
    step: &mut dyn FnMut(u64, u64) -> Result<(), LoadError>,
) -> Result<Vocabulary, LoadError> {
    step(0, 3)?;
    let (path, parts) = match (files.read("tokenizer.json")?, gguf) {
        (Some(text), _) => {
            step(1, 3)?;
            (files.path("tokenizer.json"), Parts::from_json(&text).map_err(|e| e.to_string()))
        }
        (None, Some(gguf)) => {
            let parts = metadata::parts(gguf).map_err(|reason| {
                format!(
                    "its metadata hold no usable tokenizer ({reason}); put the model's tokenizer.json beside \
                     the file"
                )
            });
            (gguf.path().to_owned(), parts)
        }
        (None, None) => return Err(no_tokenizer(files)),
    };
    let format = |message: String| LoadError::Format { path: path.clone(), message };
    let parts = parts.map_err(format)?;
    step(2, 3)?;
    let special = special::special_tokens(files, gguf, &parts)?;
    let vocabulary = Vocabulary::from_parts(parts, &special, width).map_err(|e| format(e.to_string()))?;
    step(3, 3)?;
    Ok(vocabulary)
}

/// Older repositories have the tokenizer in forms that only Python reads.
fn no_tokenizer(files: &SideFiles) -> LoadError {
    let older = ["tokenizer.model", "vocab.json", "vocab.txt"].map(|name| (name, files.path(name).exists()));
    let message = match older.iter().find(|(_, exists)| *exists) {
        Some((name, _)) => format!(
            "there is no such file, and {name} is not read; AutoTokenizer.from_pretrained(...).save_pretrained(...) \
             in transformers writes it"
        ),
        None => "there is no such file; a model needs its tokenizer".into(),
    };
    LoadError::Format { path: files.path("tokenizer.json"), message }
}

/// A vocabulary of any width for measuring: the embedded model's words, then pairs of them, so
/// that masks over it cost what masks over a code model's vocabulary cost. Id 0 ends a text.
///
/// # Errors
/// If the embedded tokenizer cannot be read.
pub fn synthetic(width: usize) -> Result<Vocabulary, LoadError> {
    let gguf = Gguf::open(embedded::gguf())?;
    let config = Config::from_gguf(&gguf, None).map_err(|message| gguf.error(message))?;
    let real = vocabulary(&SideFiles::Embedded, Some(&gguf), config.vocab, &mut |_, _| Ok(()))?;
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let words = || (0..config.vocab as TokenId).filter(|&t| !real.is_special(t)).map(|t| real.bytes(t));
    let pairs = words().flat_map(|first| words().step_by(97).map(move |second| [first, second].concat()));
    let mut all = vec![b"<end>".to_vec()];
    all.extend(
        words()
            .map(<[u8]>::to_vec)
            .chain(pairs)
            .filter(|w| !w.is_empty() && seen.insert(w.clone()))
            .take(width - 1),
    );
    all.resize(width, Vec::new());
    Vocabulary::from_words(all, &SpecialTokens { bos: None, eos: vec![0] })
        .map_err(|e| gguf.error(e.to_string()))
}
