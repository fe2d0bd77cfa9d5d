//! What a model is and needs, from its headers alone: quick enough for a list of many.

use std::path::Path;

use candle_core::quantized::GgmlDType;
use serde::Serialize;
use serde_json::Value as Json;

use super::files::{self, Files};
use crate::engine::error::LoadError;
use crate::engine::model::blob::Blob;
use crate::engine::model::config::Config;
use crate::engine::model::embedded;
use crate::engine::model::gguf::Gguf;
use crate::engine::model::matrix::memory;
use crate::engine::model::safetensors::{self, Safetensors};
use crate::engine::model::stock;
use crate::engine::model::tokenizer::SideFiles;

/// What a model is and what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// `safetensors` or `gguf`.
    pub format: String,
    /// The block it is built of, as its files name it: `llama`, `qwen3`.
    pub architecture: String,
    /// How most of its weights are stored: `bf16`, `Q4_K`.
    pub weights: String,
    /// Number of parameters.
    pub parameters: u64,
    /// Bytes of its weight files.
    pub file_bytes: u64,
    /// Bytes that the weights take in main memory.
    pub weight_bytes: u64,
    /// Bytes that every token of the context takes in main memory; 0 if the files do not tell.
    pub kv_bytes_per_token: u64,
    /// The longest text that it can be used with, in tokens; 0 if the files do not tell.
    pub context: usize,
    /// Width of the logits; 0 if the files do not tell.
    pub vocab: usize,
    /// Why it would not load; `None` if it should.
    pub problem: Option<String>,
}

/// Reads the headers of the model at a path: a folder with safetensors, or a GGUF file.
///
/// # Errors
/// [`LoadError`] if there is no model or its headers are broken. A sound model that cannot be used is
/// no error, but has a [`problem`](Survey::problem).
///
/// # Examples
/// ```
/// let nano = concat!(env!("CARGO_MANIFEST_DIR"), "/models/nano/nano-q4_k.gguf");
/// let survey = maze::engine::load::survey(nano.as_ref())?;
/// assert_eq!((survey.format.as_str(), survey.weights.as_str()), ("gguf", "Q4_K"));
/// assert_eq!(survey.problem, None);
/// # Ok::<(), maze::engine::LoadError>(())
/// ```
pub fn survey(path: &Path) -> Result<Survey, LoadError> {
    match files::at(path)? {
        Files::Gguf(parts) => gguf(&parts),
        Files::Safetensors(folder, shards) => folder_of(&folder, &shards),
    }
}

/// Reads the headers of the model in the program.
///
/// # Errors
/// As [`survey`]; a sound build has none.
pub fn survey_embedded() -> Result<Survey, LoadError> {
    of_gguf(vec![embedded::gguf()], true)
}

fn gguf(parts: &[std::path::PathBuf]) -> Result<Survey, LoadError> {
    let blobs = parts.iter().map(|p| Blob::open(p)).collect::<Result<Vec<_>, _>>()?;
    let beside = parts.first().is_some_and(|path| path.with_file_name("tokenizer.json").exists());
    of_gguf(blobs, beside)
}

/// `beside`: whether there is a `tokenizer.json` next to it.
fn of_gguf(blobs: Vec<Blob>, beside: bool) -> Result<Survey, LoadError> {
    let file_bytes = blobs.iter().map(Blob::size).sum();
    let gguf = Gguf::open_parts(blobs)?;
    let factors = gguf.read_factors()?;
    let config = match stock::gguf::Model::read(&gguf) {
        Ok(None) => Config::from_gguf(&gguf, factors).map(|config| Some(Sizes::from(config))),
        other => other.map(|_| None),
    };
    let architecture = gguf.string("general.architecture").unwrap_or_default().to_owned();
    let size = |key: &str| gguf.integer(&format!("{architecture}.{key}")).unwrap_or(0);
    let loose = Sizes {
        layers: size("block_count"),
        kv_heads: size("attention.head_count_kv"),
        head_dim: match size("attention.key_length") {
            0 => size("embedding_length").checked_div(size("attention.head_count")).unwrap_or(0),
            known => known,
        },
        context: size("context_length") as usize,
        vocab: gguf.dims("token_embd.weight").map_or(0, |dims| dims[0]),
    };
    let mut tally = Tally::default();
    for (_, kind, elements) in gguf.types() {
        tally.add(kind.name, kind.dtype, elements, elements / kind.elements * kind.bytes);
    }
    let tokenizer = match gguf.string("tokenizer.ggml.model") {
        None if !beside => Err(format!(
            "{}: it holds no tokenizer, and there is no tokenizer.json beside it",
            gguf.path().display()
        )),
        _ => Ok(()),
    };
    let types = gguf.check_types().map_err(|e| e.to_string());
    Ok(tally.survey("gguf", architecture, file_bytes, loose, config, types.and(tokenizer)))
}

fn folder_of(folder: &Path, shards: &[std::path::PathBuf]) -> Result<Survey, LoadError> {
    let path = folder.join("config.json");
    let text = SideFiles::Folder(folder.to_owned()).required("config.json")?;
    let json: Json = serde_json::from_slice(&text)
        .map_err(|e| LoadError::Format { path: path.clone(), message: format!("not JSON: {e}") })?;
    let blobs = shards.iter().map(|p| Blob::open(p)).collect::<Result<Vec<_>, _>>()?;
    let file_bytes = blobs.iter().map(Blob::size).sum();
    let files = Safetensors::open(blobs)?;
    // Models that also see keep the language model's sizes apart.
    let inner = json.get("text_config").unwrap_or(&json);
    let size = |key: &str| inner.get(key).and_then(Json::as_u64).unwrap_or(0);
    let heads = size("num_attention_heads");
    let loose = Sizes {
        layers: size("num_hidden_layers"),
        kv_heads: if inner.get("num_key_value_heads").is_some() {
            size("num_key_value_heads")
        } else {
            heads
        },
        head_dim: match size("head_dim") {
            0 => size("hidden_size").checked_div(heads).unwrap_or(0),
            known => known,
        },
        context: size("max_position_embeddings") as usize,
        vocab: size("vocab_size") as usize,
    };
    let stock = stock::Settings::read(&text);
    let mut tally = Tally::default();
    for (name, dtype, elements, bytes) in files.types() {
        match &stock {
            Ok(Some(settings)) if settings.family.leaves_out(name) => {}
            // These models compute in f32.
            Ok(Some(_)) => tally.add(&dtype.to_lowercase(), None, elements, elements.saturating_mul(4)),
            _ => tally.add(&dtype.to_lowercase(), safetensors::block_type(dtype), elements, bytes),
        }
    }
    let architecture = json.get("model_type").and_then(Json::as_str).unwrap_or_default().to_owned();
    let tokenizer = match folder.join("tokenizer.json").exists() {
        true => Ok(()),
        false => Err(format!("{}: there is no tokenizer.json", folder.display())),
    };
    let config = match stock {
        Ok(Some(settings)) => Ok(Some(Sizes {
            kv_heads: settings.kv_heads as u64,
            head_dim: settings.head_dim as u64,
            context: settings.context,
            vocab: settings.vocab,
            ..loose
        })),
        Ok(None) => Config::from_json(&text).map(|config| Some(Sizes::from(config))),
        Err(message) => Err(message),
    };
    let config = config.map_err(|message| format!("{}: {message}", path.display()));
    let types = files.check_types().map_err(|e| e.to_string());
    Ok(tally.survey("safetensors", architecture, file_bytes, loose, config, types.and(tokenizer)))
}

/// What the files say of a model whose block may be unknown.
#[derive(Clone, Copy)]
struct Sizes {
    layers: u64,
    kv_heads: u64,
    head_dim: u64,
    context: usize,
    vocab: usize,
}

impl From<Config> for Sizes {
    fn from(config: Config) -> Self {
        Self {
            layers: config.layers as u64,
            kv_heads: config.kv_heads as u64,
            head_dim: config.head_dim as u64,
            context: config.context,
            vocab: config.vocab,
        }
    }
}

/// Sums over all tensors.
#[derive(Default)]
struct Tally {
    /// Parameters per type.
    counts: Vec<(String, u64)>,
    memory: u64,
}

impl Tally {
    fn add(&mut self, name: &str, dtype: Option<GgmlDType>, elements: u64, bytes: u64) {
        self.memory = self.memory.saturating_add(dtype.map_or(bytes, |dtype| memory(dtype, bytes)));
        match self.counts.iter_mut().find(|(n, _)| n == name) {
            Some((_, count)) => *count += elements,
            None => self.counts.push((name.to_owned(), elements)),
        }
    }

    fn survey(
        self,
        format: &str,
        architecture: String,
        file_bytes: u64,
        loose: Sizes,
        config: Result<Option<Sizes>, String>,
        rest: Result<(), String>,
    ) -> Survey {
        let sizes = config.as_ref().ok().copied().flatten().unwrap_or(loose);
        // Keys and values in f32.
        let kv = [sizes.layers, sizes.kv_heads, sizes.head_dim, 2 * 4];
        Survey {
            format: format.to_owned(),
            architecture,
            weights: self
                .counts
                .iter()
                .max_by_key(|(_, n)| *n)
                .map_or_else(String::new, |(name, _)| name.clone()),
            parameters: self.counts.iter().map(|(_, n)| n).sum(),
            file_bytes,
            weight_bytes: self.memory,
            kv_bytes_per_token: kv.into_iter().fold(1, u64::saturating_mul),
            context: sizes.context,
            vocab: sizes.vocab,
            problem: config.map(|_| ()).and(rest).err(),
        }
    }
}
