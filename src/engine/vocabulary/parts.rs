//! A tokenizer in parts, checked: what a `tokenizer.json` or the metadata of a GGUF file say,
//! before the `tokenizers` crate sees it.
//!
//! That crate trusts its input: a merge that is too long, an empty piece or a doubled id makes it
//! panic, loop or pick one of two meanings. Whatever is wrong is found here and named.

use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::{
    AddedToken, DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper,
    Tokenizer,
};
use toktrie::TokTrie;

use super::VocabularyError;
use super::bytes::TokenBytes;
use crate::engine::trace::TokenId;

/// The longest token, in bytes; llguidance's trie cannot hold longer ones.
pub const MAX_TOKEN_BYTES: usize = 1024;
/// The most tokens that may be added to a vocabulary.
pub const MAX_ADDED_TOKENS: usize = 1 << 17;

/// A tokenizer in parts.
#[derive(Default)]
pub(crate) struct Parts {
    /// How a word is cut into tokens.
    pub model: Model,
    /// Tokens that are found in a text before anything else, with their ids.
    pub added: Vec<(TokenId, AddedToken)>,
    /// Ids that have a name and stand for nothing: the model was never trained on them.
    pub unused: Vec<TokenId>,
    pub normalizer: Option<NormalizerWrapper>,
    pub pre_tokenizer: Option<PreTokenizerWrapper>,
    pub post_processor: Option<PostProcessorWrapper>,
    pub decoder: Option<DecoderWrapper>,
}

/// How a word is cut into tokens.
pub(crate) enum Model {
    /// Byte-pair encoding: pairs are merged in the order of the list.
    Bpe(Bpe),
    /// The most likely pieces. An id is a place in the list.
    Unigram { pieces: Vec<(String, f64)>, unknown: Option<usize>, byte_fallback: bool },
    /// The longest word, then the longest continuations.
    WordPiece { vocab: Vocab, unknown: String, prefix: String, longest: usize },
}

/// What byte-pair encoding needs.
#[derive(Default)]
pub(crate) struct Bpe {
    pub vocab: Vocab,
    pub merges: Merges,
    pub unknown: Option<String>,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub fuse_unknown: bool,
    pub byte_fallback: bool,
    /// A word that is in the vocabulary is one token, whatever the merges say.
    pub ignore_merges: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self::Bpe(Bpe::default())
    }
}

impl Model {
    /// All tokens, in no order.
    fn iter(&self) -> Box<dyn Iterator<Item = (&str, TokenId)> + '_> {
        match self {
            Self::Bpe(Bpe { vocab, .. }) | Self::WordPiece { vocab, .. } => {
                Box::new(vocab.iter().map(|(name, &id)| (name.as_str(), id)))
            }
            Self::Unigram { pieces, .. } => {
                Box::new((0..).zip(pieces).map(|(id, (name, _))| (name.as_str(), id)))
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bpe(Bpe { vocab, .. }) | Self::WordPiece { vocab, .. } => vocab.len(),
            Self::Unigram { pieces, .. } => pieces.len(),
        }
    }

    fn id(&self, name: &str) -> Option<TokenId> {
        match self {
            Self::Bpe(Bpe { vocab, .. }) | Self::WordPiece { vocab, .. } => vocab.get(name).copied(),
            Self::Unigram { pieces, .. } => {
                pieces.iter().position(|(p, _)| p == name).map(|id| id as TokenId)
            }
        }
    }
}

impl Parts {
    /// The id of a token by its name.
    pub fn id(&self, name: &str) -> Option<TokenId> {
        let added = self.added.iter().find(|(_, token)| token.content == name).map(|(id, _)| *id);
        added.or_else(|| self.model.id(name))
    }

    /// The bytes of every token; special tokens as llguidance marks them, padding empty.
    ///
    /// # Errors
    /// If two tokens share an id, an id is past `width`, a token is too long, or the bytes of a
    /// token depend on its neighbours.
    pub fn words(&self, width: usize) -> Result<Vec<Vec<u8>>, VocabularyError> {
        let ids = self.model.iter().map(|(_, id)| id).chain(self.added.iter().map(|(id, _)| *id));
        match ids.max() {
            None => return Err(VocabularyError::Parse("it has no tokens".into())),
            Some(largest) if largest as usize >= width => {
                return Err(VocabularyError::TooWide { largest: largest as usize, width });
            }
            Some(_) => {}
        }
        if self.added.len() > MAX_ADDED_TOKENS {
            return Err(VocabularyError::Parse(format!(
                "it adds {} tokens to its vocabulary, at most {MAX_ADDED_TOKENS} are read",
                self.added.len()
            )));
        }
        let scheme = TokenBytes::of(self.decoder.as_ref())?;
        let mut names: Vec<Option<&str>> = vec![None; width];
        let mut words = vec![Vec::new(); width];
        for (name, id) in self.model.iter() {
            if let Some(other) = names[id as usize].replace(name) {
                return Err(shared(id, other, name));
            }
            words[id as usize] = scheme.of_piece(name);
        }
        let mut added = vec![false; width];
        for (id, token) in &self.added {
            let index = *id as usize;
            match names[index].replace(&token.content) {
                Some(other) if other != token.content => return Err(shared(*id, other, &token.content)),
                _ if std::mem::replace(&mut added[index], true) => {
                    return Err(shared(*id, &token.content, &token.content));
                }
                _ => {}
            }
            words[index] =
                if token.special { special_word(&token.content) } else { scheme.of_added(&token.content) };
        }
        for &id in &self.unused {
            if let Some(word) = words.get_mut(id as usize) {
                word.clear();
            }
        }
        match words.iter().position(|word| word.len() > MAX_TOKEN_BYTES) {
            Some(id) => Err(VocabularyError::Parse(format!(
                "token {id} has {} bytes, a token may have at most {MAX_TOKEN_BYTES}",
                words[id].len()
            ))),
            None => Ok(words),
        }
    }

    /// Puts the parts together. [`words`](Self::words) has checked the ids.
    ///
    /// # Errors
    /// If the parts do not belong together: a merge of tokens that are not there, an added token
    /// whose id cannot be had.
    pub fn build(mut self) -> Result<Tokenizer, VocabularyError> {
        self.place_added()?;
        let model = match self.model {
            Model::Bpe(bpe) => bpe.build()?,
            Model::Unigram { pieces, unknown, byte_fallback } => {
                if pieces.iter().any(|(piece, score)| piece.is_empty() || !score.is_finite()) {
                    return Err(VocabularyError::Parse(
                        "a piece of its Unigram model is empty or its score is not a number".into(),
                    ));
                }
                ModelWrapper::Unigram(Unigram::from(pieces, unknown, byte_fallback).map_err(parse)?)
            }
            Model::WordPiece { vocab, unknown, prefix, longest } => ModelWrapper::WordPiece(
                WordPiece::builder()
                    .vocab(vocab)
                    .unk_token(unknown)
                    .continuing_subword_prefix(prefix)
                    .max_input_chars_per_word(longest)
                    .build()
                    .map_err(parse)?,
            ),
        };
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_normalizer(self.normalizer).map_err(parse)?;
        tokenizer.with_pre_tokenizer(self.pre_tokenizer);
        tokenizer.with_post_processor(self.post_processor);
        tokenizer.with_decoder(self.decoder);
        tokenizer.add_tokens(self.added.into_iter().map(|(_, token)| token)).map_err(parse)?;
        Ok(tokenizer)
    }

    /// Sees to it that every added token gets its own id. `tokenizers` gives a token that the
    /// model does not know the next free number, whatever the file says.
    fn place_added(&mut self) -> Result<(), VocabularyError> {
        self.added.sort_by_key(|(id, _)| *id);
        let known = match &self.model {
            // Looking a piece up by its name takes a walk through all of them.
            Model::Unigram { pieces, .. } => pieces.iter().map(|(name, _)| name.as_str()).zip(0..).collect(),
            _ => std::collections::HashMap::new(),
        };
        let mut fresh = Vec::new();
        for (id, token) in &self.added {
            let found = match &self.model {
                Model::Unigram { .. } => known.get(token.content.as_str()).copied(),
                model => model.id(&token.content),
            };
            match found {
                None => fresh.push((*id, token.content.clone())),
                Some(at) if at == *id => {}
                Some(at) => {
                    return Err(VocabularyError::Parse(format!(
                        "the added token {:?} has the id {id}, and {at} in the vocabulary",
                        token.content
                    )));
                }
            }
        }
        let first = self.model.len();
        if fresh.iter().map(|(id, _)| *id as usize).eq(first..first + fresh.len()) {
            return Ok(());
        }
        match &mut self.model {
            Model::Bpe(Bpe { vocab, .. }) | Model::WordPiece { vocab, .. } => {
                vocab.extend(fresh.into_iter().map(|(id, name)| (name, id)));
                Ok(())
            }
            Model::Unigram { pieces, .. } => Err(VocabularyError::Parse(format!(
                "the ids of its added tokens must follow on its {} pieces without a gap",
                pieces.len()
            ))),
        }
    }
}

impl Bpe {
    fn build(self) -> Result<ModelWrapper, VocabularyError> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let longest = self.vocab.keys().map(String::len).max().unwrap_or(0);
        for (number, (left, right)) in self.merges.iter().enumerate() {
            let whole = right.strip_prefix(prefix).map(|rest| left.len() + rest.len());
            if whole.is_none_or(|length| length > longest) {
                return Err(VocabularyError::Parse(format!(
                    "merge {number} makes a token that is not in the vocabulary"
                )));
            }
        }
        let mut builder = BPE::builder()
            .vocab_and_merges(self.vocab, self.merges)
            .fuse_unk(self.fuse_unknown)
            .byte_fallback(self.byte_fallback)
            .ignore_merges(self.ignore_merges);
        if let Some(unknown) = self.unknown {
            builder = builder.unk_token(unknown);
        }
        if let Some(prefix) = self.prefix {
            builder = builder.continuing_subword_prefix(prefix);
        }
        if let Some(suffix) = self.suffix {
            builder = builder.end_of_word_suffix(suffix);
        }
        Ok(ModelWrapper::BPE(builder.build().map_err(parse)?))
    }
}

/// llguidance tells special tokens from text by a leading byte that no UTF-8 text has.
pub(super) fn special_word(name: &str) -> Vec<u8> {
    let mut word = vec![TokTrie::SPECIAL_TOKEN_MARKER];
    word.extend_from_slice(name.as_bytes());
    word
}

fn shared(id: TokenId, one: &str, other: &str) -> VocabularyError {
    let short = |name: &str| name.chars().take(40).collect::<String>();
    VocabularyError::Parse(format!("the id {id} has two tokens, {:?} and {:?}", short(one), short(other)))
}

/// An error of a parser; it may quote the file, and a line of the file may be long.
pub(super) fn parse(error: impl std::fmt::Display) -> VocabularyError {
    VocabularyError::Parse(error.to_string().chars().take(300).collect())
}
