//! Which tokens start and end a text, from everything that lies around a model.
//!
//! Every file may name end tokens, and all count: `generation_config.json` and `config.json` by
//! their ids, `tokenizer_config.json` by its name, GGUF metadata by the ids of the end of a
//! sequence, of a turn and of a message. Beside them count special tokens whose very name says
//! that a turn is over: many files name the end of a text and forget the end of a turn, and a
//! model that was trained on turns writes nothing sensible behind one. A grammar admits an end
//! token only where its text may end, so one more does no harm. Tokens for filling in the middle,
//! for tools or for roles are no ends.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{SideFiles, metadata};
use crate::engine::error::LoadError;
use crate::engine::model::config::Keys;
use crate::engine::model::gguf::Gguf;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::{Parts, SpecialTokens};

/// Special tokens of these names end a turn or a text, whatever the files name besides.
const ENDS: &[&str] = &[
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<turn|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<end_of_utterance>",
    "<｜end▁of▁sentence｜>",
    "<|EOT|>",
    "<EOT>",
    "[EOT]",
];

/// Names that count only where no file names any end: in some vocabularies they are something else.
const LAST_RESORT: &[&str] = &["</s>", "<eos>", "[EOS]"];

/// Collects what the files say. A start token is put before a prompt only where a file says so.
pub(super) fn special_tokens(
    files: &SideFiles,
    gguf: Option<&Gguf>,
    parts: &Parts,
) -> Result<SpecialTokens, LoadError> {
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
    special.eos.extend(named(parts, tokenizer.get("eos_token")));

    let truth = |key| {
        Keys(&tokenizer)
            .truth(key)
            .map_err(|message| LoadError::Format { path: files.path("tokenizer_config.json"), message })
    };
    let mut add_bos = truth("add_bos_token")?;
    let mut bos = named(parts, tokenizer.get("bos_token"));
    for json in [&generation, &config] {
        bos = bos.or_else(|| ids(json.get("bos_token_id")).ok()?.first().copied());
    }
    if let Some(gguf) = gguf {
        let id = |key: &str| gguf.integer(key).and_then(|id| TokenId::try_from(id).ok());
        let defaults = metadata::defaults(gguf);
        for role in ["eos", "eot", "eom"] {
            special.eos.extend(id(&format!("tokenizer.ggml.{role}_token_id")));
        }
        if special.eos.is_empty() {
            special.eos.extend(defaults.eos);
        }
        bos = id("tokenizer.ggml.bos_token_id").or(bos).or(defaults.bos);
        add_bos = gguf.boolean("tokenizer.ggml.add_bos_token").or(add_bos).or(Some(defaults.add_bos));
    }
    if add_bos == Some(true) {
        special.bos = bos;
    }
    special.eos.extend(ends_by_name(parts, special.eos.is_empty()));
    let mut seen = HashSet::new();
    special.eos.retain(|id| seen.insert(*id));
    Ok(special)
}

/// The ids of special tokens whose names say that they end something.
fn ends_by_name(parts: &Parts, last_resort: bool) -> Vec<TokenId> {
    let special = |name: &&str| {
        let mut added = parts.added.iter();
        added.find(|(_, token)| token.special && token.content == **name).map(|(id, _)| *id)
    };
    let mut found: Vec<_> = ENDS.iter().filter_map(|name| Some((*name, special(name)?))).collect();
    // In OpenAI's format a message ends with this and the turn goes on; others have the turn end.
    if ["<|return|>", "<|call|>"].iter().all(|name| found.iter().any(|(other, _)| other == name)) {
        found.retain(|(name, _)| *name != "<|end|>");
    }
    if found.is_empty() && last_resort {
        found.extend(LAST_RESORT.iter().filter_map(|name| Some((*name, special(name)?))));
    }
    found.into_iter().map(|(_, id)| id).collect()
}

/// The id of a token given as its text or as an object with `content`.
fn named(parts: &Parts, token: Option<&Json>) -> Option<TokenId> {
    let token = token?;
    parts.id(token.as_str().or_else(|| token.get("content")?.as_str())?)
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
