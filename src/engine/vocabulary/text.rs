//! Text to tokens, in the two ways the engine needs: with the names of special tokens recognised
//! (what a template wrote) and without (what a person or a model wrote).
//!
//! One tokenizer serves both: only the small table of added tokens exists twice.

use tokenizers::{AddedVocabulary, Model, OffsetType, PreTokenizer, Result, Tokenizer};

use crate::engine::trace::TokenId;

/// A tokenizer, and its added tokens as they are found in plain text.
pub(super) struct TextTokenizer {
    tokenizer: Tokenizer,
    /// The added tokens, where the special ones are never found.
    plain: AddedVocabulary,
}

impl TextTokenizer {
    pub(super) fn new(tokenizer: Tokenizer) -> Self {
        let mut plain = tokenizer.get_added_vocabulary().clone();
        plain.set_encode_special_tokens(true);
        Self { tokenizer, plain }
    }

    /// Names of special tokens become those tokens; what the tokenizer puts around a text is put.
    pub(super) fn prompt(&self, text: &str) -> Result<Vec<TokenId>> {
        Ok(self.tokenizer.encode_fast(text, true)?.get_ids().to_vec())
    }

    /// Names of special tokens become those tokens; nothing is put around it.
    pub(super) fn template(&self, text: &str) -> Result<Vec<TokenId>> {
        Ok(self.tokenizer.encode_fast(text, false)?.get_ids().to_vec())
    }

    /// The tokens that were added as a whole, special ones among them.
    pub(super) fn added(&self) -> Vec<(String, TokenId)> {
        let added = self.tokenizer.get_added_tokens_decoder();
        added.into_iter().map(|(id, token)| (token.content, id)).collect()
    }

    /// Names of special tokens stay text; nothing is put around it.
    pub(super) fn plain(&self, text: &str) -> Result<Vec<TokenId>> {
        let mut pieces = self.plain.extract_and_normalize(self.tokenizer.get_normalizer(), text);
        if let Some(splitter) = self.tokenizer.get_pre_tokenizer() {
            splitter.pre_tokenize(&mut pieces)?;
        }
        let model = self.tokenizer.get_model();
        pieces.tokenize(|piece| model.tokenize(piece.get()))?;
        Ok(pieces.into_encoding(None, 0, OffsetType::None)?.get_ids().to_vec())
    }
}
