//! From the files around a model to its [`Vocabulary`]: the tokenizer, and which of its tokens
//! start and end a text.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{Content, Value, VersionedMagic};
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use serde::Deserialize;
use serde_json::Value as Json;

use super::config::{Config, Keys};
use super::embedded;
use super::gguf::Gguf;
use crate::engine::error::LoadError;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::{SpecialTokens, Vocabulary};

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
                match std::fs::read(&path) {
                    Ok(text) => Ok(Some(text)),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(LoadError::Read { path, source }),
                }
            }
        }
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
/// `tokenizer.json`; with it, its metadata may hold the tokenizer instead.
///
/// # Errors
/// If there is no usable tokenizer, if it knows more tokens than the logits are wide, or if no
/// token is known to end a text; naming the file.
pub fn vocabulary(files: &SideFiles, gguf: Option<&Gguf>, width: usize) -> Result<Vocabulary, LoadError> {
    let (path, text) = match (files.read("tokenizer.json")?, gguf) {
        (Some(text), _) => (files.path("tokenizer.json"), text),
        (None, Some(gguf)) => (gguf.blob().path().to_owned(), from_metadata(gguf)?),
        (None, None) => {
            let path = files.path("tokenizer.json");
            return Err(LoadError::Read { path, source: std::io::ErrorKind::NotFound.into() });
        }
    };
    let names = Names::read(&text).map_err(|message| LoadError::Format { path: path.clone(), message })?;
    let special = special_tokens(files, gguf, &names)?;
    Vocabulary::from_tokenizer_json(&text, &special, width)
        .map_err(|e| LoadError::Format { path, message: e.to_string() })
}

/// A vocabulary of any width for measuring: the embedded model's words, then pairs of them, so
/// that masks over it cost what masks over a code model's vocabulary cost. Id 0 ends a text.
///
/// # Errors
/// If the embedded tokenizer cannot be read.
pub fn synthetic(width: usize) -> Result<Vocabulary, LoadError> {
    let gguf = Gguf::open(embedded::gguf())?;
    let config = Config::from_gguf(&gguf, None).map_err(|message| gguf.blob().error(message))?;
    let real = vocabulary(&SideFiles::Embedded, Some(&gguf), config.vocab)?;
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
        .map_err(|e| gguf.blob().error(e.to_string()))
}

/// The text of a `tokenizer.json` made from GGUF metadata, for byte-pair tokenizers whose way of
/// splitting words is known; another way would give other tokens than the model was trained on.
fn from_metadata(gguf: &Gguf) -> Result<Vec<u8>, LoadError> {
    let error = |reason: &dyn std::fmt::Display| {
        gguf.blob().error(format!(
            "its metadata holds no usable tokenizer ({reason}); put the model's tokenizer.json beside the file"
        ))
    };
    let mut metadata: HashMap<_, _> = gguf
        .metadata()
        .iter()
        .filter(|(key, _)| key.starts_with("tokenizer."))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut set = |key: &str, value| metadata.insert(format!("tokenizer.ggml.{key}"), value);
    match gguf.string("tokenizer.ggml.pre").unwrap_or("default") {
        "default" | "gpt-2" | "gpt2" | "qwen2" => {}
        "llama3" | "llama-bpe" | "llama-v3" => {
            set("pre", Value::String("llama3".into()));
            set("ignore_merges", Value::Bool(true));
        }
        other => return Err(error(&format!("unknown way of splitting words {other:?}"))),
    }
    let content = Content {
        magic: VersionedMagic::GgufV3,
        metadata,
        tensor_infos: HashMap::new(),
        tensor_data_offset: 0,
    };
    let tokenizer = tokenizers::Tokenizer::from_gguf(&content).map_err(|e| error(&e))?;
    let mut json = serde_json::to_value(&tokenizer).map_err(|e| error(&e))?;
    // GPT-2's own tokenizer has no space before the text; candle's default has.
    if let Some(space) = json.pointer_mut("/pre_tokenizer/add_prefix_space") {
        *space = false.into();
    }
    serde_json::to_vec(&json).map_err(|e| error(&e))
}

/// The named tokens of a tokenizer.
struct Names(HashMap<String, TokenId>);

impl Names {
    fn read(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            added_tokens: Vec<Added>,
        }
        #[derive(Deserialize)]
        struct Added {
            id: TokenId,
            content: String,
        }
        let file: File = serde_json::from_slice(text).map_err(|e| format!("not a tokenizer: {e}"))?;
        Ok(Self(file.added_tokens.into_iter().map(|t| (t.content, t.id)).collect()))
    }

    /// The id of a token given as its text or as an object with `content`.
    fn id(&self, token: Option<&Json>) -> Option<TokenId> {
        let token = token?;
        let name = token.as_str().or_else(|| token.get("content")?.as_str())?;
        self.0.get(name).copied()
    }
}

/// Collects what the files say. Every file may name end tokens, and all count; a start token is
/// put before a prompt only where a file says so.
fn special_tokens(files: &SideFiles, gguf: Option<&Gguf>, names: &Names) -> Result<SpecialTokens, LoadError> {
    let generation = files.json("generation_config.json")?;
    // Beside a GGUF file, a config.json belongs to who knows what.
    let config = if gguf.is_some() { Json::Null } else { files.json("config.json")? };
    let tokenizer = files.json("tokenizer_config.json")?;
    let mut special = SpecialTokens::default();
    for (name, json) in [("generation_config.json", &generation), ("config.json", &config)] {
        let ids = ids(json.get("eos_token_id"))
            .map_err(|message| LoadError::Format { path: files.path(name), message })?;
        special.eos.extend(ids);
    }
    special.eos.extend(names.id(tokenizer.get("eos_token")));

    let truth = |key| {
        Keys(&tokenizer)
            .truth(key)
            .map_err(|message| LoadError::Format { path: files.path("tokenizer_config.json"), message })
    };
    let mut add_bos = truth("add_bos_token")?;
    let mut bos = names.id(tokenizer.get("bos_token"));
    for json in [&generation, &config] {
        bos = bos.or_else(|| ids(json.get("bos_token_id")).ok()?.first().copied());
    }
    if let Some(gguf) = gguf {
        let id = |key: &str| gguf.integer(key).and_then(|id| TokenId::try_from(id).ok());
        for role in ["eos", "eot", "eom"] {
            special.eos.extend(id(&format!("tokenizer.ggml.{role}_token_id")));
        }
        bos = id("tokenizer.ggml.bos_token_id").or(bos);
        // SentencePiece tokenizers add it unless they say otherwise.
        let default = (gguf.string("tokenizer.ggml.model") == Some("llama")).then_some(true);
        add_bos = gguf.boolean("tokenizer.ggml.add_bos_token").or(add_bos).or(default);
    }
    if add_bos == Some(true) {
        special.bos = bos;
    }
    let mut seen = std::collections::HashSet::new();
    special.eos.retain(|id| seen.insert(*id));
    Ok(special)
}

/// One id, a list of ids, or nothing.
fn ids(json: Option<&Json>) -> Result<Vec<TokenId>, String> {
    let one = |v: &Json| {
        v.as_u64().and_then(|id| TokenId::try_from(id).ok()).ok_or_else(|| format!("{v} is not a token id"))
    };
    match json {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(list)) => list.iter().map(one).collect(),
        Some(id) => Ok(vec![one(id)?]),
    }
}
