//! Where a model's files keep its chat template: `chat_template.jinja`, `tokenizer_config.json`, or
//! the metadata of a GGUF file. The files' order is transformers' own.

use serde_json::{Map, Value as Json};

use crate::engine::error::LoadError;
use crate::engine::model::gguf::Gguf;
use crate::engine::model::tokenizer::SideFiles;
use crate::engine::vocabulary::Vocabulary;

use super::ChatTemplate;

impl ChatTemplate {
    /// The template of a model; `None` if it has none, as base models do. A GGUF file's own
    /// metadata comes before the files around it.
    ///
    /// # Errors
    /// If a file that should hold it cannot be read.
    pub fn find(
        files: &SideFiles,
        gguf: Option<&Gguf>,
        vocabulary: &Vocabulary,
    ) -> Result<Option<Self>, LoadError> {
        if let Some(gguf) = gguf
            && let Some(source) = gguf.string("tokenizer.chat_template")
        {
            let origin = format!("{} (tokenizer.chat_template)", gguf.path().display());
            return Ok(Some(Self::new(source, origin, gguf_tokens(gguf, vocabulary))));
        }
        let config = files.json("tokenizer_config.json")?;
        let tokens = config_tokens(&config);
        if let Some(bytes) = files.read("chat_template.jinja")? {
            let path = files.path("chat_template.jinja");
            let source = String::from_utf8(bytes).map_err(|e| LoadError::Format {
                path: path.clone(),
                message: format!("not UTF-8 text (byte {})", e.utf8_error().valid_up_to()),
            })?;
            return Ok(Some(Self::new(source, path.display().to_string(), tokens)));
        }
        let origin = format!("{} (chat_template)", files.path("tokenizer_config.json").display());
        Ok(of_config(&config).map(|source| Self::new(source, origin, tokens)))
    }
}

/// One template, or the one called `default` among several.
fn of_config(config: &Json) -> Option<&str> {
    match config.get("chat_template")? {
        Json::String(source) => Some(source),
        Json::Array(several) => {
            let default = several.iter().find(|t| t.get("name").and_then(Json::as_str) == Some("default"));
            default.or_else(|| several.first().filter(|_| several.len() == 1))?.get("template")?.as_str()
        }
        _ => None,
    }
}

/// The special tokens of a `tokenizer_config.json`: each a text, or an object with `content`.
fn config_tokens(config: &Json) -> Map<String, Json> {
    let named = config.as_object().into_iter().flatten().filter(|(key, _)| key.ends_with("_token"));
    let text = |token: &Json| token.as_str().or_else(|| token.get("content")?.as_str()).map(Json::from);
    named.filter_map(|(key, token)| Some((key.clone(), text(token)?))).collect()
}

/// The special tokens of a GGUF file, by transformers' names.
fn gguf_tokens(gguf: &Gguf, vocabulary: &Vocabulary) -> Map<String, Json> {
    let roles =
        [("bos", "bos"), ("eos", "eos"), ("unknown", "unk"), ("separator", "sep"), ("padding", "pad")];
    let text = |role: &str| {
        let id = gguf.integer(&format!("tokenizer.ggml.{role}_token_id"))?;
        let name = String::from_utf8_lossy(vocabulary.bytes(u32::try_from(id).ok()?)).into_owned();
        (!name.is_empty()).then(|| Json::from(name))
    };
    roles.iter().filter_map(|(role, name)| Some((format!("{name}_token"), text(role)?))).collect()
}
