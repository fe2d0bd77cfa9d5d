//! The fixtures, and GGUF files that hold the tokenizers of a `tokenizer.json`.

use std::path::PathBuf;

use candle_core::quantized::gguf_file::{self, Value};
use maze::engine::model::blob::Blob;
use maze::engine::model::gguf::Gguf;
use maze::engine::model::tokenizer::{SideFiles, vocabulary};
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use serde_json::Value as Json;

/// A fixture's text.
pub fn fixture(name: &str) -> Json {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizers").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The byte-level tokenizer with another way of splitting words.
pub fn byte_level(pipeline: &Json) -> Json {
    let mut json = fixture("bytes.json");
    for part in ["normalizer", "pre_tokenizer"] {
        json[part] = pipeline[part].clone();
    }
    json
}

pub fn oracle(json: &Json) -> tokenizers::Tokenizer {
    tokenizers::Tokenizer::from_bytes(serde_json::to_vec(json).unwrap()).unwrap()
}

/// The ids of the oracle, with nothing put around them.
pub fn ids(oracle: &tokenizers::Tokenizer, text: &str) -> Vec<u32> {
    oracle.encode_fast(text, false).unwrap().get_ids().to_vec()
}

/// Our vocabulary of a `tokenizer.json`; `eos` ends a text.
pub fn of_json(json: &Json, eos: u32, width: usize) -> Result<Vocabulary, String> {
    let special = SpecialTokens { bos: None, eos: vec![eos] };
    Vocabulary::from_tokenizer_json(&serde_json::to_vec(json).unwrap(), &special, width)
        .map_err(|e| e.to_string())
}

/// Metadata of a GGUF file, and what lies beside it.
pub struct Metadata(pub Vec<(String, Value)>);

impl Metadata {
    pub fn new(model: &str) -> Self {
        Self(Vec::new()).with("model", Value::String(model.into()))
    }

    pub fn with(mut self, key: &str, value: Value) -> Self {
        let key = format!("tokenizer.ggml.{key}");
        self.0.retain(|(other, _)| *other != key);
        self.0.push((key, value));
        self
    }

    /// The metadata that a converter writes for a byte-level `tokenizer.json`.
    pub fn of_byte_level(json: &Json, pre: &str) -> Self {
        let mut tokens: Vec<(String, u64, i32)> = json["model"]["vocab"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, id)| (name.clone(), id.as_u64().unwrap(), 1))
            .collect();
        for token in json["added_tokens"].as_array().unwrap() {
            let (name, id) = (token["content"].as_str().unwrap().to_owned(), token["id"].as_u64().unwrap());
            tokens.retain(|(_, other, _)| *other != id);
            tokens.push((name, id, if token["special"] == true { 3 } else { 4 }));
        }
        tokens.sort_by_key(|(_, id, _)| *id);
        let merge = |m: &Json| match m {
            Json::String(text) => text.clone(),
            pair => format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()),
        };
        let merges = json["model"]["merges"].as_array().unwrap().iter().map(merge);
        Self::new("gpt2")
            .with("pre", Value::String(pre.into()))
            .with("merges", texts(merges))
            .with("token_type", Value::Array(tokens.iter().map(|t| Value::I32(t.2)).collect()))
            .with("tokens", texts(tokens.into_iter().map(|t| t.0)))
            .with("eos_token_id", Value::U32(0))
    }

    /// The metadata of the SentencePiece fixture.
    pub fn of_pieces(pieces: &Json) -> Self {
        let list = |key: &str| pieces[key].as_array().unwrap().iter();
        Self::new("llama")
            .with("tokens", texts(list("tokens").map(|t| t.as_str().unwrap().to_owned())))
            .with(
                "scores",
                Value::Array(list("scores").map(|s| Value::F32(s.as_f64().unwrap() as f32)).collect()),
            )
            .with(
                "token_type",
                Value::Array(list("types").map(|t| Value::I32(t.as_i64().unwrap() as i32)).collect()),
            )
    }

    pub fn load(&self, width: usize) -> Result<Vocabulary, String> {
        self.load_beside(width, &[])
    }

    /// Writes the file, and others beside it, and reads its tokenizer.
    pub fn load_beside(&self, width: usize, beside: &[(&str, Json)]) -> Result<Vocabulary, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, json) in beside {
            std::fs::write(folder.path().join(name), serde_json::to_vec(json).unwrap()).unwrap();
        }
        let path = folder.path().join("model.gguf");
        let pairs: Vec<(&str, &Value)> = self.0.iter().map(|(key, value)| (key.as_str(), value)).collect();
        gguf_file::write(&mut std::fs::File::create(&path).unwrap(), &pairs, &[]).unwrap();
        let gguf = Gguf::open(Blob::open(&path).unwrap()).map_err(|e| e.to_string())?;
        let side = SideFiles::Folder(folder.path().to_owned());
        vocabulary(&side, Some(&gguf), width, &mut |_, _| Ok(())).map_err(|e| e.to_string())
    }
}

pub fn texts(list: impl Iterator<Item = String>) -> Value {
    Value::Array(list.map(Value::String).collect())
}
