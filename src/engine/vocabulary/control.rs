//! The tokens that are not text: their names, and the tokens of what a chat template wrote, in
//! which those names stand for the tokens.

use std::ops::Range;
use std::sync::Arc;

use super::text::TextTokenizer;
use super::{Vocabulary, guarded};
use crate::engine::chat::ChatTemplate;
use crate::engine::trace::TokenId;

impl Vocabulary {
    /// The same vocabulary with the model's chat template.
    #[must_use]
    pub fn with_chat(self, chat: Option<ChatTemplate>) -> Self {
        Self { chat: chat.map(Arc::new), ..self }
    }

    /// The model's chat template, if it has one.
    pub fn chat(&self) -> Option<&Arc<ChatTemplate>> {
        self.chat.as_ref()
    }

    /// The names of all tokens that text may be mistaken for, and whether the token is special.
    /// The others were added to the tokenizer as a whole, like `<tool_call>`.
    pub fn control_names(&self) -> impl Iterator<Item = (String, bool)> {
        let special = self.specials().map(|(name, _)| (String::from_utf8_lossy(name).into_owned(), true));
        let added = self.tokenizer.iter().flat_map(|t| t.added()).filter(|(_, id)| !self.is_special(*id));
        special.chain(added.map(|(name, _)| (name, false)))
    }

    /// Where the tokenizer sees special or added tokens in a text, and which. Some change a text before
    /// they look, so that `＜s＞` is such a name too.
    pub fn named(&self, text: &str) -> Vec<(Range<usize>, TokenId)> {
        let seen = |tokenizer: &Arc<TextTokenizer>| guarded(|| Ok(tokenizer.added_tokens(text)));
        // A text that it cannot look at gives no prompt either.
        self.tokenizer.as_ref().and_then(|tokenizer| seen(tokenizer).ok()).unwrap_or_default()
    }

    /// The special or added token of this name.
    pub fn control_token(&self, name: &str) -> Option<TokenId> {
        let special = self.specials().find(|(word, _)| *word == name.as_bytes()).map(|(_, id)| id);
        let added = || self.tokenizer.iter().flat_map(|t| t.added()).find(|(word, _)| word == name);
        special.or_else(|| added().map(|(_, id)| id))
    }

    /// The tokens of a text without a tokenizer: names of special tokens become those tokens, but for
    /// those that touch a range of `typed`; the rest is cut into the longest words.
    pub(super) fn longest_words(&self, text: &[u8], typed: &[Range<usize>]) -> Vec<TokenId> {
        let specials: Vec<(&[u8], TokenId)> = self.specials().collect();
        let is_typed = |at: Range<usize>| typed.iter().any(|t| t.start < at.end && at.start < t.end);
        let mut tokens = Vec::new();
        let mut done = 0;
        for at in 0..text.len() {
            let here = specials.iter().filter(|(name, _)| text[at..].starts_with(name));
            let Some((name, id)) = here.max_by_key(|(name, _)| name.len()) else { continue };
            if at < done || is_typed(at..at + name.len()) {
                continue;
            }
            tokens.extend(self.trie().greedy_tokenize(&text[done..at]));
            tokens.push(*id);
            done = at + name.len();
        }
        tokens.extend(self.trie().greedy_tokenize(&text[done..]));
        tokens
    }

    /// Tokens whose bytes are exactly `text`, in the model's own tokenization if that has no other
    /// bytes: some tokenizers put a space before every text.
    pub fn spell(&self, text: &str) -> Vec<TokenId> {
        let own = self.encode(text);
        let bytes: Vec<u8> = own.iter().flat_map(|&t| self.bytes(t)).copied().collect();
        if bytes == text.as_bytes() { own } else { self.trie().greedy_tokenize(text.as_bytes()) }
    }

    fn specials(&self) -> impl Iterator<Item = (&[u8], TokenId)> {
        (0..self.len() as TokenId).filter(|&t| self.is_special(t)).map(|t| (self.bytes(t), t))
    }
}
