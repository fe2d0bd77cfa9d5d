//! The tokenizer as the engine needs it: bytes of every token, text to tokens, and the trie that
//! llguidance walks.
//!
//! One `Vocabulary` is shared by everything that speaks of a model's tokens. It is as wide as the
//! model's logits: ids past the tokenizer's last are padding, have no bytes and are never allowed.
//! It must never touch the file system; [`model`](super::model) hands it the text of a
//! `tokenizer.json`.

use std::sync::Arc;

use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenizerEnv};

use self::text::TextTokenizer;
use super::chat::ChatTemplate;
use super::trace::TokenId;

mod control;
mod text;

/// A tokenizer, padded to the width of a model's logits.
#[derive(Clone)]
pub struct Vocabulary {
    env: TokEnv,
    tokenizer: Option<Arc<TextTokenizer>>,
    bos: Option<TokenId>,
    chat: Option<Arc<ChatTemplate>>,
}

/// Which tokens start and end a text; from the model's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Put before every prompt, if the model was trained that way.
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
    /// If the text is not a byte-level or byte-fallback tokenizer, or does not fit the model.
    pub fn from_tokenizer_json(
        text: &[u8],
        special: &SpecialTokens,
        width: usize,
    ) -> Result<Self, VocabularyError> {
        let tokenizer =
            tokenizers::Tokenizer::from_bytes(text).map_err(|e| VocabularyError::Parse(e.to_string()))?;
        let scheme = ByteScheme::of(&tokenizer)?;
        let added = tokenizer.get_added_tokens_decoder();
        let mut words = vec![Vec::new(); width];
        for (name, id) in tokenizer.get_vocab(true) {
            let index = id as usize;
            let Some(word) = words.get_mut(index) else {
                return Err(VocabularyError::TooWide { largest: index, width });
            };
            *word = match added.get(&id) {
                Some(token) if token.special => special_word(&name),
                Some(_) => name.into_bytes(),
                None => scheme.bytes(&name),
            };
        }
        Self::build(words, Some(Arc::new(TextTokenizer::new(tokenizer))), special)
    }

    /// A vocabulary of the given words, without a tokenizer: text is cut greedily into the longest
    /// words. An empty word is padding. Words listed in `special.eos` become special tokens. For
    /// tests and for the scripted model.
    ///
    /// # Errors
    /// If an end-of-sequence id is missing or out of range.
    pub fn from_words(mut words: Vec<Vec<u8>>, special: &SpecialTokens) -> Result<Self, VocabularyError> {
        for &id in &special.eos {
            if let Some(word) = words.get_mut(id as usize)
                && word.first() != Some(&TokTrie::SPECIAL_TOKEN_MARKER)
            {
                word.insert(0, TokTrie::SPECIAL_TOKEN_MARKER);
            }
        }
        Self::build(words, None, special)
    }

    fn build(
        words: Vec<Vec<u8>>,
        tokenizer: Option<Arc<TextTokenizer>>,
        special: &SpecialTokens,
    ) -> Result<Self, VocabularyError> {
        let first_eos = *special.eos.first().ok_or(VocabularyError::NoEos)?;
        let known = |id: TokenId| words.get(id as usize).is_some_and(|w| !w.is_empty());
        for (role, id) in special.eos.iter().map(|&id| ("end", id)).chain(special.bos.map(|id| ("start", id)))
        {
            if !known(id) {
                return Err(VocabularyError::UnknownSpecial { role, id });
            }
        }
        let info = TokRxInfo::new(words.len() as u32, first_eos);
        let trie = TokTrie::from(&info, &words).with_eos_tokens(&special.eos);
        let env = Arc::new(Env { trie, tokenizer: tokenizer.clone() });
        Ok(Self { env, tokenizer, bos: special.bos, chat: None })
    }

    /// The environment llguidance works in.
    pub(super) fn env(&self) -> &TokEnv {
        &self.env
    }

    fn trie(&self) -> &TokTrie {
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
        let word = self.trie().token(token);
        word.strip_prefix(&[TokTrie::SPECIAL_TOKEN_MARKER]).filter(|rest| !rest.is_empty()).unwrap_or(word)
    }

    /// Whether the token is a control token rather than text.
    pub fn is_special(&self, token: TokenId) -> bool {
        (token as usize) < self.len() && self.trie().is_special_token(token)
    }

    /// Whether the id has no token: the model has a logit for it, the tokenizer has nothing.
    pub fn is_padding(&self, token: TokenId) -> bool {
        self.bytes(token).is_empty()
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
        let mut tokens = match &self.tokenizer {
            Some(tokenizer) => tokenizer.prompt(text).map_err(|e| VocabularyError::Encode(e.to_string()))?,
            None => self.trie().greedy_tokenize(text.as_bytes()),
        };
        if let Some(bos) = self.bos
            && tokens.first() != Some(&bos)
        {
            tokens.insert(0, bos);
        }
        Ok(tokens)
    }

    /// The tokens of a text that a person or a model wrote: nothing is added, and the name of a
    /// special token in it is text like any other.
    ///
    /// # Errors
    /// If the tokenizer refuses the text.
    pub fn encode_text(&self, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
        match &self.tokenizer {
            Some(tokenizer) => tokenizer.plain(text).map_err(|e| VocabularyError::Encode(e.to_string())),
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
            .field("bos", &self.bos)
            .field("eos", &self.eos())
            .finish()
    }
}

/// llguidance tells special tokens from text by a leading byte that no UTF-8 text has.
fn special_word(name: &str) -> Vec<u8> {
    let mut word = vec![TokTrie::SPECIAL_TOKEN_MARKER];
    word.extend_from_slice(name.as_bytes());
    word
}

/// How a tokenizer writes bytes as text in its vocabulary.
enum ByteScheme {
    /// GPT-2's: every byte is one printable character.
    ByteLevel(Box<[Option<u8>; 512]>),
    /// SentencePiece's: `▁` is a space, `<0x0A>` a byte.
    ByteFallback,
}

impl ByteScheme {
    fn of(tokenizer: &tokenizers::Tokenizer) -> Result<Self, VocabularyError> {
        let json = tokenizer.get_decoder().map(|d| serde_json::to_string(d).unwrap_or_default()).ok_or_else(
            || VocabularyError::Parse("it has no decoder, so the bytes of its tokens are unknown".into()),
        )?;
        if json.contains("\"ByteLevel\"") {
            Ok(Self::ByteLevel(Box::new(byte_level_table())))
        } else if json.contains("\"ByteFallback\"") {
            Ok(Self::ByteFallback)
        } else {
            Err(VocabularyError::Parse(
                "its decoder is neither ByteLevel nor ByteFallback, so the bytes of its tokens are unknown"
                    .into(),
            ))
        }
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        match self {
            Self::ByteLevel(table) => name
                .chars()
                .map(|c| table.get(c as usize).copied().flatten())
                .collect::<Option<Vec<u8>>>()
                .unwrap_or_else(|| name.as_bytes().to_vec()),
            Self::ByteFallback => match hex_byte(name) {
                Some(byte) => vec![byte],
                None => name.replace('\u{2581}', " ").into_bytes(),
            },
        }
    }
}

/// `<0x0A>` is the byte 10.
fn hex_byte(name: &str) -> Option<u8> {
    let digits = name.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// The inverse of GPT-2's `bytes_to_unicode`: printable Latin-1 characters stand for themselves,
/// the other 68 bytes for the characters from U+0100 on, in order.
fn byte_level_table() -> [Option<u8>; 512] {
    let mut table = [None; 512];
    let mut next = 0x100;
    for byte in 0..=u8::MAX {
        let printable = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let index = if printable { usize::from(byte) } else { next };
        table[index] = Some(byte);
        if !printable {
            next += 1;
        }
    }
    table
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
                tokenizer.plain(text).unwrap_or_else(|_| self.trie.greedy_tokenize(text.as_bytes()))
            }),
            None => self.trie.greedy_tokenize(bytes),
        }
    }
}
