//! The tokenizer as the engine needs it: bytes of every token, text to tokens, and the trie that
//! llguidance walks.
//!
//! One `Vocabulary` is shared by everything that speaks of a model's tokens. It is as wide as the
//! model's logits: ids past the tokenizer's last are padding, have no bytes and are never allowed.
//! It must never touch the file system; [`model`](super::model) hands it the text of a
//! `tokenizer.json` or the parts that it found in a GGUF file.

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use llguidance::panic_utils;
use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenizerEnv};

use self::text::TextTokenizer;
use super::chat::ChatTemplate;
use super::trace::TokenId;

mod bytes;
mod control;
mod json;
pub(super) mod parts;
mod text;

pub use self::json::{MAX_DEPTH, MAX_PATTERN_BYTES};
pub(super) use self::parts::Parts;
pub use self::parts::{MAX_ADDED_TOKENS, MAX_TOKEN_BYTES};

/// A tokenizer, padded to the width of a model's logits.
#[derive(Clone)]
pub struct Vocabulary {
    env: TokEnv,
    tokenizer: Option<Arc<TextTokenizer>>,
    /// What comes before every prompt.
    start: Vec<TokenId>,
    chat: Option<Arc<ChatTemplate>>,
}

/// Which tokens start and end a text; from the model's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Put before every prompt, if the model was trained that way and its tokenizer puts nothing
    /// there by itself.
    pub bos: Option<TokenId>,
    /// Every token that ends a generation: all ids of `generation_config.json`, not only the
    /// first. At least one.
    pub eos: Vec<TokenId>,
}

/// A tokenizer that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// The text is not a tokenizer.
    #[error("not a usable tokenizer: {0}")]
    Parse(String),
    /// Tokens have no bytes of their own, so nothing could be masked.
    #[error(
        "{0}, so the bytes of its tokens are unknown; supported are ByteLevel, ByteFallback, Metaspace and WordPiece"
    )]
    Decoder(String),
    /// The tokenizer refuses a text.
    #[error("the tokenizer refuses the text: {0}")]
    Encode(String),
    /// The tokenizer knows ids that the model has no logits for.
    #[error("the tokenizer has token ids up to {largest}, the model's logits are only {width} wide")]
    TooWide {
        /// The largest id.
        largest: usize,
        /// The width of the logits.
        width: usize,
    },
    /// No end-of-sequence token is known, so a generation could not end.
    #[error("the model names no end-of-sequence token")]
    NoEos,
    /// An id of [`SpecialTokens`] is not in the tokenizer.
    #[error("the model's {role} token id {id} is not in its tokenizer")]
    UnknownSpecial {
        /// `start` or `end`.
        role: &'static str,
        /// The id.
        id: TokenId,
    },
}

impl Vocabulary {
    /// Reads the text of a Hugging Face `tokenizer.json` and pads it to `width` logits.
    ///
    /// # Errors
    /// If the text is not a tokenizer whose tokens have bytes, or does not fit the model.
    pub fn from_tokenizer_json(
        text: &[u8],
        special: &SpecialTokens,
        width: usize,
    ) -> Result<Self, VocabularyError> {
        Self::from_parts(Parts::from_json(text)?, special, width)
    }

    /// Builds a tokenizer from its parts and pads it to `width` logits.
    ///
    /// # Errors
    /// If the parts do not fit each other or the model.
    pub(super) fn from_parts(
        parts: Parts,
        special: &SpecialTokens,
        width: usize,
    ) -> Result<Self, VocabularyError> {
        let words = parts.words(width)?;
        // The two do not need each other, and each takes a good part of the time.
        let (tokenizer, trie) = rayon::join(
            || guarded(|| TextTokenizer::new(parts.build()?).map_err(parts::parse)),
            || trie(words, special),
        );
        Ok(Self::new(trie?, Some(tokenizer?), special))
    }

    /// A vocabulary of the given words, without a tokenizer: text is cut greedily into the longest
    /// words. An empty word is padding. Words listed in `special.eos` become special tokens. For
    /// tests and for the scripted model.
    ///
    /// # Errors
    /// If an end-of-sequence id is missing or out of range.
    pub fn from_words(words: Vec<Vec<u8>>, special: &SpecialTokens) -> Result<Self, VocabularyError> {
        Ok(Self::new(trie(words, special)?, None, special))
    }

    fn new(trie: TokTrie, tokenizer: Option<TextTokenizer>, special: &SpecialTokens) -> Self {
        let tokenizer = tokenizer.map(Arc::new);
        let start = tokenizer.as_ref().map(|t| t.start().to_vec()).unwrap_or_default();
        let start = if start.is_empty() { special.bos.into_iter().collect() } else { start };
        Self { env: Arc::new(Env { trie, tokenizer: tokenizer.clone() }), tokenizer, start, chat: None }
    }

    /// The environment llguidance works in.
    pub(super) fn env(&self) -> &TokEnv {
        &self.env
    }

    /// The words as a trie.
    pub(super) fn trie(&self) -> &TokTrie {
        self.env.tok_trie()
    }

    /// Number of ids, padding included: the width of the logits.
    pub fn len(&self) -> usize {
        self.trie().vocab_size()
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token's bytes; the name of a special token; nothing for padding and unknown ids.
    pub fn bytes(&self, token: TokenId) -> &[u8] {
        if token as usize >= self.len() {
            return &[];
        }
        bytes(self.trie(), token)
    }

    /// Whether the token is a control token rather than text.
    pub fn is_special(&self, token: TokenId) -> bool {
        (token as usize) < self.len() && self.trie().is_special_token(token)
    }

    /// Whether the id has no token: the model has a logit for it, the tokenizer has nothing.
    pub fn is_padding(&self, token: TokenId) -> bool {
        self.bytes(token).is_empty()
    }

    /// The token of text with exactly these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<TokenId> {
        self.trie().token_id_at_bytes(bytes).filter(|&token| !self.is_special(token))
    }

    /// Every token that ends a generation.
    pub fn eos(&self) -> &[TokenId] {
        self.trie().eos_tokens()
    }

    /// Whether the token ends a generation.
    pub fn is_eos(&self, token: TokenId) -> bool {
        self.eos().contains(&token)
    }

    /// The tokens of a prompt, with the start token before them if the model has one. Names of
    /// special tokens in the text become those tokens.
    ///
    /// # Errors
    /// If the tokenizer refuses the text.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
        let tokens = self.encode_template(text, &[])?;
        let start = if tokens.starts_with(&self.start) { &[] } else { self.start.as_slice() };
        Ok([start, &tokens].concat())
    }

    /// The tokens of a rendered template: nothing is put before it, and names of special tokens
    /// become those tokens, but for those that touch a range of `typed` (in bytes of `text`),
    /// where a person's words are.
    ///
    /// # Errors
    /// If the tokenizer refuses the text.
    pub fn encode_template(
        &self,
        text: &str,
        typed: &[Range<usize>],
    ) -> Result<Vec<TokenId>, VocabularyError> {
        match &self.tokenizer {
            Some(tokenizer) => encoded(|| tokenizer.template(text, typed)),
            None => Ok(self.longest_words(text.as_bytes(), typed)),
        }
    }

    /// The tokens of a text that goes on from another, as a model would have written it: nothing
    /// is added, nothing changed, and the name of a special token in it is text like any other.
    /// They [`decode`](Self::decode) to the very text, unless the vocabulary cannot spell it.
    ///
    /// Tokenizers that put a space before a text (SentencePiece's) do not put it here. The first
    /// token of such a text may yet begin with a space, and then the space is in the text.
    ///
    /// # Errors
    /// If the tokenizer refuses the text.
    pub fn encode_text(&self, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
        match &self.tokenizer {
            Some(tokenizer) => exact(self.trie(), tokenizer, text),
            None => Ok(self.trie().greedy_tokenize(text.as_bytes())),
        }
    }

    /// [`encode_text`](Self::encode_text), and the longest words for a text the tokenizer refuses.
    pub fn encode(&self, text: &str) -> Vec<TokenId> {
        self.env.tokenize(text)
    }

    /// The bytes of a sequence of tokens, special tokens left out.
    pub fn decode(&self, tokens: &[TokenId]) -> Vec<u8> {
        tokens.iter().filter(|&&t| !self.is_special(t)).flat_map(|&t| self.bytes(t)).copied().collect()
    }
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vocabulary")
            .field("len", &self.len())
            .field("start", &self.start)
            .field("eos", &self.eos())
            .finish()
    }
}

/// The trie over a vocabulary's words. End and start tokens are special even where the files do
/// not say so: a grammar's text must never spell them.
fn trie(mut words: Vec<Vec<u8>>, special: &SpecialTokens) -> Result<TokTrie, VocabularyError> {
    let first_eos = *special.eos.first().ok_or(VocabularyError::NoEos)?;
    for (role, id) in special.eos.iter().map(|&id| ("end", id)).chain(special.bos.map(|id| ("start", id))) {
        match words.get_mut(id as usize) {
            Some(word) if word.is_empty() => return Err(VocabularyError::UnknownSpecial { role, id }),
            None => return Err(VocabularyError::UnknownSpecial { role, id }),
            Some(word) if word.first() == Some(&TokTrie::SPECIAL_TOKEN_MARKER) => {}
            Some(word) => word.insert(0, TokTrie::SPECIAL_TOKEN_MARKER),
        }
    }
    let info = TokRxInfo::new(words.len() as u32, first_eos);
    guarded(|| Ok(TokTrie::from(&info, &words).with_eos_tokens(&special.eos)))
}

fn bytes(trie: &TokTrie, token: TokenId) -> &[u8] {
    let word = trie.token(token);
    word.strip_prefix(&[TokTrie::SPECIAL_TOKEN_MARKER]).filter(|rest| !rest.is_empty()).unwrap_or(word)
}

/// The tokens of a text that spell it byte by byte. Where the tokenizer's say something else (an
/// unknown character, SentencePiece's mark for a space, a tokenizer that knows no line breaks), the
/// next character is spelled on its own and the rest tried again; after some of those, or where that
/// is no help, all that is left is cut into the longest words.
fn exact(trie: &TokTrie, tokenizer: &TextTokenizer, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
    const TRIES: usize = 32;
    let mut all = Vec::new();
    let mut rest = text;
    for _ in 0..TRIES {
        let tokens = encoded(|| tokenizer.exact(rest))?;
        let (good, spelled) = agreeing(trie, &tokens, rest);
        all.extend_from_slice(&tokens[..good]);
        rest = &rest[spelled..];
        let Some(next) = rest.chars().next() else { return Ok(all) };
        let (one, left) = rest.split_at(next.len_utf8());
        let whole = |tokens: &Vec<TokenId>| agreeing(trie, tokens, one) == (tokens.len(), one.len());
        let own = encoded(|| tokenizer.exact(one))?;
        let Some(tokens) = [own, trie.greedy_tokenize(one.as_bytes())].into_iter().find(whole) else {
            // Only longer words have this character.
            break;
        };
        all.extend(tokens);
        rest = left;
    }
    all.extend(trie.greedy_tokenize(rest.as_bytes()));
    Ok(all)
}

/// How many of the first tokens spell the start of a text and end between two characters, and how
/// many bytes that is.
fn agreeing(trie: &TokTrie, tokens: &[TokenId], text: &str) -> (usize, usize) {
    let (mut best, mut spelled) = ((0, 0), 0);
    for (at, &token) in tokens.iter().enumerate() {
        let word = bytes(trie, token);
        if trie.is_special_token(token) || !text.as_bytes()[spelled..].starts_with(word) {
            break;
        }
        spelled += word.len();
        if text.is_char_boundary(spelled) {
            best = (at + 1, spelled);
        }
    }
    best
}

/// Runs an encoder; a pattern that gives up on a text panics in there.
fn encoded(
    encode: impl FnOnce() -> tokenizers::Result<Vec<TokenId>>,
) -> Result<Vec<TokenId>, VocabularyError> {
    guarded(|| encode().map_err(|e| VocabularyError::Encode(e.to_string())))
}

/// Runs code that panics on files and texts its authors did not think of.
fn guarded<T>(work: impl FnOnce() -> Result<T, VocabularyError>) -> Result<T, VocabularyError> {
    panic_utils::catch_unwind(AssertUnwindSafe(|| Ok(work()))).unwrap_or_else(|e| {
        let text = e.to_string();
        Err(parts::parse(text.lines().next().unwrap_or_default()))
    })
}

struct Env {
    trie: TokTrie,
    tokenizer: Option<Arc<TextTokenizer>>,
}

impl TokenizerEnv for Env {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        match &self.tokenizer {
            Some(tokenizer) => self.trie.tokenize_with_greedy_fallback(bytes, |text| {
                // A text that the tokenizer refuses is still a byte string the trie can cut.
                exact(&self.trie, tokenizer, text)
                    .unwrap_or_else(|_| self.trie.greedy_tokenize(text.as_bytes()))
            }),
            None => self.trie.greedy_tokenize(bytes),
        }
    }
}
