//! A Hugging Face `tokenizer.json` into [`Parts`].
//!
//! The large tables are read straight into the maps that the tokenizer will use; `tokenizers`
//! itself goes through a tree of JSON values, which takes three times as long. Settings for
//! training and batching (dropout, truncation, padding) are left out: they would change or cut
//! the text.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokenizers::AddedToken;
use tokenizers::models::bpe::Vocab;

use super::VocabularyError;
use super::parts::{Bpe, Model, Parts, parse};
use crate::engine::trace::TokenId;

/// How deep lists and objects of a pre-tokenizer, normalizer or decoder may lie in each other.
pub const MAX_DEPTH: usize = 16;
/// The longest pattern of a pre-tokenizer or normalizer, in bytes.
pub const MAX_PATTERN_BYTES: usize = 16 << 10;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    decoder: Option<Value>,
    model: ModelFile,
}

#[derive(Deserialize)]
struct Added {
    id: TokenId,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    special: bool,
    normalized: Option<bool>,
}

#[derive(Deserialize)]
struct ModelFile {
    r#type: Option<String>,
    vocab: Table,
    merges: Option<Vec<Merge>>,
    unk_token: Option<String>,
    unk_id: Option<usize>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    fuse_unk: Option<bool>,
    byte_fallback: Option<bool>,
    ignore_merges: Option<bool>,
}

/// Names to ids, or names with their scores in the order of their ids.
enum Table {
    Ids(Vocab),
    Scores(Vec<(String, f64)>),
}

/// `"a b"`, or `["a", "b"]` in newer files.
struct Merge(String, String);

impl Parts {
    /// Reads the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// If it is not a tokenizer of a kind that we know, or one of its parts is not usable.
    pub fn from_json(text: &[u8]) -> Result<Self, VocabularyError> {
        super::guarded(|| Self::from_file(serde_json::from_slice(text).map_err(parse)?))
    }

    fn from_file(file: File) -> Result<Self, VocabularyError> {
        Ok(Self {
            model: file.model.into_model()?,
            added: file.added_tokens.into_iter().map(Added::into_token).collect(),
            unused: Vec::new(),
            normalizer: component("normalizer", file.normalizer)?,
            pre_tokenizer: component("pre_tokenizer", file.pre_tokenizer)?,
            post_processor: component("post_processor", file.post_processor)?,
            decoder: component("decoder", file.decoder)?,
        })
    }
}

impl Added {
    fn into_token(self) -> (TokenId, AddedToken) {
        let token = AddedToken::from(self.content, self.special)
            .single_word(self.single_word)
            .lstrip(self.lstrip)
            .rstrip(self.rstrip)
            .normalized(self.normalized.unwrap_or(!self.special));
        (self.id, token)
    }
}

impl ModelFile {
    fn into_model(self) -> Result<Model, VocabularyError> {
        // Old files do not say what they are.
        let kind = self.r#type.unwrap_or_else(|| {
            let kind = match (&self.vocab, &self.merges) {
                (Table::Scores(_), _) => "Unigram",
                (Table::Ids(_), Some(_)) => "BPE",
                (Table::Ids(_), None) => "WordPiece",
            };
            kind.to_owned()
        });
        match (kind.as_str(), self.vocab) {
            ("BPE", Table::Ids(vocab)) => Ok(Model::Bpe(Bpe {
                vocab,
                merges: self.merges.unwrap_or_default().into_iter().filter_map(Merge::pair).collect(),
                unknown: self.unk_token,
                prefix: self.continuing_subword_prefix,
                suffix: self.end_of_word_suffix,
                fuse_unknown: self.fuse_unk.unwrap_or(false),
                byte_fallback: self.byte_fallback.unwrap_or(false),
                ignore_merges: self.ignore_merges.unwrap_or(false),
            })),
            ("Unigram", Table::Scores(pieces)) => Ok(Model::Unigram {
                pieces,
                unknown: self.unk_id,
                byte_fallback: self.byte_fallback.unwrap_or(false),
            }),
            ("WordPiece", Table::Ids(vocab)) => Ok(Model::WordPiece {
                vocab,
                unknown: self.unk_token.unwrap_or_else(|| "[UNK]".into()),
                prefix: self.continuing_subword_prefix.unwrap_or_else(|| "##".into()),
                longest: self.max_input_chars_per_word.unwrap_or(100),
            }),
            (kind @ ("BPE" | "Unigram" | "WordPiece"), _) => {
                Err(parse(format!("the vocabulary of its {kind} model has the form of another kind")))
            }
            (other, _) => Err(parse(format!(
                "its model is of the kind {other:?}; supported are BPE, Unigram and WordPiece"
            ))),
        }
    }
}

impl Merge {
    /// The first line of a merges file names its version, and old files still have it.
    fn pair(self) -> Option<(String, String)> {
        (self.0 != "#version:").then_some((self.0, self.1))
    }
}

/// Reads one of the small parts.
fn component<T: serde::de::DeserializeOwned>(
    name: &str,
    value: Option<Value>,
) -> Result<Option<T>, VocabularyError> {
    let Some(value) = value else { return Ok(None) };
    if !is_tame(&value, MAX_DEPTH) {
        return Err(parse(format!(
            "its {name} is nested deeper than {MAX_DEPTH} levels or has a pattern of more than \
             {MAX_PATTERN_BYTES} bytes"
        )));
    }
    serde_json::from_value(value).map(Some).map_err(|e| parse(format!("its {name}: {e}")))
}

fn is_tame(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::Array(items) => items.iter().all(|item| is_tame(item, depth - 1)),
        Value::Object(fields) => fields.iter().all(|(key, field)| match (key.as_str(), field) {
            ("Regex" | "String", Value::String(pattern)) => pattern.len() <= MAX_PATTERN_BYTES,
            _ => is_tame(field, depth - 1),
        }),
        _ => true,
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tokens with their ids, or a list of tokens with their scores")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let mut ids = Vocab::default();
                while let Some((name, id)) = map.next_entry::<String, TokenId>()? {
                    if let Some(other) = ids.insert(name, id) {
                        return Err(A::Error::custom(format_args!(
                            "the token with the id {id} has the id {other} too"
                        )));
                    }
                }
                Ok(Table::Ids(ids))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Table, A::Error> {
                let mut scores = Vec::new();
                while let Some(piece) = list.next_element()? {
                    scores.push(piece);
                }
                Ok(Table::Scores(scores))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two tokens, in a list or with a space between them")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Merge, E> {
                match text.split_once(' ') {
                    Some((left, right)) if !right.contains(' ') => Ok(Merge(left.into(), right.into())),
                    _ => Err(E::custom(format_args!("the merge {text:?} is not two tokens"))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Merge, A::Error> {
                let missing = || A::Error::custom("a merge is not two tokens");
                let left = list.next_element()?.ok_or_else(missing)?;
                let right = list.next_element()?.ok_or_else(missing)?;
                match list.next_element::<serde::de::IgnoredAny>()? {
                    None => Ok(Merge(left, right)),
                    Some(_) => Err(missing()),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}
