//! The tokenizer in the metadata of a GGUF file, as [`Parts`].
//!
//! Three kinds hold everything that is needed: byte-level BPE (`gpt2`) with the name of its way of
//! splitting words, SentencePiece's BPE (`llama`), whose merges follow from the scores of its
//! tokens, and Gemma 4's BPE, which has both `▁` and merges. Normalizers are not in the metadata;
//! the table of [`splits`](super::splits) knows which models have one.

use candle_core::quantized::gguf_file::Value;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::models::bpe::{Merges, Vocab};
use tokenizers::normalizers::{NFC, Prepend, Replace, Sequence as Normalizers};
use tokenizers::{AddedToken, NormalizerWrapper};

use super::splits::{Rules, TABLE};
use crate::engine::model::gguf::Gguf;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Parts;
use crate::engine::vocabulary::parts::{Bpe, Model};

/// SentencePiece's mark for a space.
const SPACE: &str = "\u{2581}";

/// What a token is for, by GGUF's numbers. Everything else is text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// Reads the tokenizer of a GGUF file.
///
/// # Errors
/// What is missing, not known or does not fit, without the file's name.
pub(super) fn parts(gguf: &Gguf) -> Result<Parts, String> {
    let tokens = strings(gguf, "tokens")?.ok_or("it has no tokenizer.ggml.tokens")?;
    let kinds = kinds(gguf, tokens.len())?;
    let mut parts = match gguf.string("tokenizer.ggml.model") {
        Some("gpt2") => byte_level(gguf, &tokens)?,
        Some("llama") => sentence_piece(gguf, &tokens, &kinds)?,
        Some("gemma4") => gemma4(gguf, &tokens)?,
        Some(other) => return Err(format!("its tokenizer is {other:?}; known are gpt2, llama and gemma4")),
        None => return Err("it has no tokenizer.ggml.model".into()),
    };
    let of = |wanted: Kind| (0..).zip(&kinds).filter(move |(_, kind)| **kind == wanted).map(|(id, _)| id);
    // Phi 3 was trained with the white space behind its control tokens left out, and the metadata
    // have no place for that.
    let name = gguf.string("general.name").unwrap_or_default().to_lowercase();
    let is_phi3 = name.contains("phi-3") || name.contains("phi3");
    let control = |id: TokenId| {
        let name = tokens[id as usize];
        let strips = is_phi3 && !["<unk>", "<s>", "<|endoftext|>"].contains(&name);
        (id, AddedToken::from(name, true).rstrip(strips))
    };
    let known: Vec<TokenId> = parts.added.iter().map(|(id, _)| *id).collect();
    let user = |id: TokenId| (id, AddedToken::from(tokens[id as usize], false).normalized(false));
    let special = of(Kind::Control).chain(of(Kind::Unknown)).map(control);
    parts.added.extend(special.chain(of(Kind::UserDefined).filter(|id| !known.contains(id)).map(user)));
    parts.unused = of(Kind::Unused).collect();
    Ok(parts)
}

/// The ids that a prompt starts with and a generation ends with where the file does not say.
pub(super) struct Defaults {
    pub add_bos: bool,
    pub bos: Option<TokenId>,
    pub eos: Option<TokenId>,
}

/// What the kind of a tokenizer tells of its special tokens.
pub(super) fn defaults(gguf: &Gguf) -> Defaults {
    match gguf.string("tokenizer.ggml.model") {
        Some("llama") => Defaults { add_bos: true, bos: Some(1), eos: Some(2) },
        Some("gemma4") => Defaults { add_bos: true, bos: None, eos: None },
        _ => {
            let rules = Rules::of(gguf.string("tokenizer.ggml.pre").unwrap_or("default"));
            Defaults { add_bos: rules.is_some_and(|rules| rules.add_bos), bos: None, eos: None }
        }
    }
}

/// GPT-2's kind: every byte is a character, and the rest is merges.
fn byte_level(gguf: &Gguf, tokens: &[&str]) -> Result<Parts, String> {
    let name = gguf.string("tokenizer.ggml.pre").unwrap_or("default");
    let rules = Rules::of(name).ok_or_else(|| {
        let known: Vec<_> = TABLE.iter().filter_map(|rules| rules.names.first().copied()).collect();
        format!("unknown way of splitting words {name:?}; known are {} and their kin", known.join(", "))
    })?;
    let vocab = ids(tokens)?;
    let merges = merges(gguf, &vocab)?;
    Ok(Parts {
        model: Model::Bpe(Bpe { vocab, merges, ignore_merges: rules.ignore_merges, ..Bpe::default() }),
        normalizer: rules.nfc.then(|| NFC.into()),
        pre_tokenizer: Some(rules.pre_tokenizer().map_err(|e| e.to_string())?),
        decoder: Some(ByteLevel::default().into()),
        ..Parts::default()
    })
}

/// SentencePiece's BPE, which merges the pair whose token has the highest score: the same as
/// merges in the order of the scores.
fn sentence_piece(gguf: &Gguf, tokens: &[&str], kinds: &[Kind]) -> Result<Parts, String> {
    let vocab = ids(tokens)?;
    let scores = numbers(gguf, "scores")?.ok_or("it has no tokenizer.ggml.scores")?;
    if scores.len() < tokens.len() {
        return Err(format!("it has {} tokens and {} scores", tokens.len(), scores.len()));
    }
    let is_piece = |id: usize| matches!(kinds[id], Kind::Text | Kind::UserDefined);
    let piece = |text: &str| vocab.get(text).is_some_and(|&id| is_piece(id as usize));
    let mut ranked = Vec::new();
    for (id, token) in tokens.iter().enumerate().filter(|(id, _)| is_piece(*id)) {
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if piece(left) && piece(right) {
                ranked.push((scores[id], left, right));
            }
        }
    }
    // Among equals the longer left part first: it is the one that lies further left in a run.
    ranked
        .sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.len().cmp(&a.1.len())).then(b.2.len().cmp(&a.2.len())));
    let merges = ranked.into_iter().map(|(_, left, right)| (left.to_owned(), right.to_owned())).collect();
    let prefix = gguf.boolean("tokenizer.ggml.add_space_prefix").unwrap_or(true);
    with_spaces(vocab, merges, kinds.iter().position(|k| *k == Kind::Unknown).map(|id| tokens[id]), prefix)
}

/// Gemma 4's: spaces as `▁` and bytes as `<0x0A>`, but with merges. Those leave out line breaks: a
/// run of them that has a token is that token.
fn gemma4(gguf: &Gguf, tokens: &[&str]) -> Result<Parts, String> {
    let vocab = ids(tokens)?;
    let merges = merges(gguf, &vocab)?;
    let runs = (0..).zip(tokens).filter(|(_, token)| token.len() > 1 && token.bytes().all(|b| b == b'\n'));
    let added = runs.map(|(id, run)| (id, AddedToken::from(*run, false).normalized(false))).collect();
    Ok(Parts { added, ..with_spaces(vocab, merges, None, false)? })
}

/// The parts around a BPE that writes spaces as `▁` and falls back to bytes.
fn with_spaces(vocab: Vocab, merges: Merges, unknown: Option<&str>, prefix: bool) -> Result<Parts, String> {
    let text = |e: tokenizers::Error| e.to_string();
    let mut steps: Vec<NormalizerWrapper> = vec![Replace::new(" ", SPACE).map_err(text)?.into()];
    if prefix {
        steps.insert(0, Prepend::new(SPACE.into()).into());
    }
    let decoders = vec![
        Replace::new(SPACE, " ").map_err(text)?.into(),
        ByteFallback::default().into(),
        Fuse::default().into(),
    ];
    Ok(Parts {
        model: Model::Bpe(Bpe {
            vocab,
            merges,
            unknown: unknown.map(str::to_owned),
            fuse_unknown: true,
            byte_fallback: true,
            ..Bpe::default()
        }),
        normalizer: Some(Normalizers::new(steps).into()),
        decoder: Some(Decoders::new(decoders).into()),
        ..Parts::default()
    })
}

fn ids(tokens: &[&str]) -> Result<Vocab, String> {
    let mut vocab = Vocab::default();
    vocab.reserve(tokens.len());
    for (id, token) in (0..).zip(tokens) {
        if let Some(other) = vocab.insert((*token).to_owned(), id) {
            let short: String = token.chars().take(40).collect();
            return Err(format!("the token {short:?} has the ids {other} and {id}"));
        }
    }
    Ok(vocab)
}

/// The merges of tokens that are there. Some files list more, and those can never come about.
fn merges(gguf: &Gguf, vocab: &Vocab) -> Result<Merges, String> {
    let lines = strings(gguf, "merges")?.ok_or("it has no tokenizer.ggml.merges")?;
    let mut merges = Merges::with_capacity(lines.len());
    let mut whole = String::new();
    for line in lines {
        // The first part may begin with a space, the second never does.
        let at = line.char_indices().skip(1).find(|(_, c)| *c == ' ').map(|(at, _)| at);
        let Some((left, right)) = at.map(|at| (&line[..at], &line[at + 1..])) else {
            let short: String = line.chars().take(40).collect();
            return Err(format!("the merge {short:?} is not two tokens"));
        };
        whole.clear();
        whole.push_str(left);
        whole.push_str(right);
        if [left, right, &whole].iter().all(|token| vocab.contains_key(*token)) {
            merges.push((left.to_owned(), right.to_owned()));
        }
    }
    Ok(merges)
}

fn kinds(gguf: &Gguf, count: usize) -> Result<Vec<Kind>, String> {
    let Some(numbers) = numbers(gguf, "token_type")? else { return Ok(vec![Kind::Text; count]) };
    if numbers.len() < count {
        return Err(format!("it has {count} tokens and {} types", numbers.len()));
    }
    let kind = |number: &f32| match *number as i64 {
        2 => Kind::Unknown,
        3 => Kind::Control,
        4 => Kind::UserDefined,
        5 => Kind::Unused,
        6 => Kind::Byte,
        _ => Kind::Text,
    };
    Ok(numbers[..count].iter().map(kind).collect())
}

fn list<'a>(gguf: &'a Gguf, key: &str) -> Result<Option<&'a [Value]>, String> {
    match gguf.metadata().get(&format!("tokenizer.ggml.{key}")) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(format!("tokenizer.ggml.{key} is not a list")),
    }
}

fn strings<'a>(gguf: &'a Gguf, key: &str) -> Result<Option<Vec<&'a str>>, String> {
    let Some(items) = list(gguf, key)? else { return Ok(None) };
    let text = |(at, item): (usize, &'a Value)| match item {
        Value::String(text) => Ok(text.as_str()),
        _ => Err(format!("item {at} of tokenizer.ggml.{key} is not a text")),
    };
    items.iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
}

fn numbers(gguf: &Gguf, key: &str) -> Result<Option<Vec<f32>>, String> {
    let Some(items) = list(gguf, key)? else { return Ok(None) };
    let number = |(at, item): (usize, &Value)| match *item {
        Value::F32(v) => Ok(v),
        Value::F64(v) => Ok(v as f32),
        Value::I32(v) => Ok(v as f32),
        Value::U32(v) => Ok(v as f32),
        Value::I8(v) => Ok(f32::from(v)),
        Value::U8(v) => Ok(f32::from(v)),
        Value::I16(v) => Ok(f32::from(v)),
        Value::U16(v) => Ok(f32::from(v)),
        Value::I64(v) => Ok(v as f32),
        Value::U64(v) => Ok(v as f32),
        _ => Err(format!("item {at} of tokenizer.ggml.{key} is not a number")),
    };
    items.iter().enumerate().map(number).collect::<Result<_, _>>().map(Some)
}
