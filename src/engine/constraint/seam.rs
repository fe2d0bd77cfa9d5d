//! The seam between a prompt and an answer: token healing.
//!
//! A tokenizer writes the last bytes of a prompt and the first ones of its answer as one token where it has one,
//! and a model knows texts in such tokens. So the prompt's last token can be left to the answer: the first token
//! begins with its bytes then, and goes on as the grammar may begin.
//!
//! The grammar is given what comes after those bytes and nothing else. This file must never let a first token
//! through that does not begin with all of them.

use std::borrow::Cow;

use llguidance::toktrie::TokTrie;

use super::{Constraint, ConstraintStop, Mask};
use crate::engine::trace::TokenId;

/// The prompt's last token, which the first one of the answer takes in.
#[derive(Clone)]
pub(super) struct Seam {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What may come in its place.
    pub mask: Mask,
    /// The tokens that the parser was given for the first one, once that has come.
    pub rest: Option<Vec<TokenId>>,
}

impl Constraint {
    /// Leaves the prompt's last token, of these bytes, to the answer, if a longer one may come in its place. Says
    /// whether that is so; if not, or if the answer has begun, nothing has changed.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn heal(&mut self, bytes: &[u8]) -> Result<bool, ConstraintStop> {
        if !self.tokens.is_empty() || bytes.is_empty() || bytes.contains(&TokTrie::SPECIAL_TOKEN_MARKER) {
            return Ok(false);
        }
        self.split();
        let mask = self.within_limit(|constraint| constraint.longer(bytes))?;
        let trie = self.parser.token_env.tok_trie();
        let is_longer = |token: TokenId| trie.token_len(token) > bytes.len();
        let may_heal = mask.iter().any(is_longer);
        if may_heal {
            self.seam = Some(Seam { bytes: bytes.to_vec(), mask, rest: None });
        }
        Ok(may_heal)
    }

    /// Takes [`heal`](Self::heal) back, if the answer has not begun.
    pub fn split(&mut self) {
        if self.tokens.is_empty() {
            self.seam = None;
        }
    }

    /// The bytes of the prompt that the first token begins with.
    pub fn of_prompt(&self) -> &[u8] {
        self.seam.as_ref().map_or(&[], |seam| &seam.bytes)
    }

    /// The seam, while the first token has not come.
    pub(super) fn open_seam(&self) -> Option<&Seam> {
        self.seam.as_ref().filter(|seam| seam.rest.is_none())
    }

    /// The tokens that begin with `bytes` and go on as the grammar may begin, or not at all.
    fn longer(&mut self, bytes: &[u8]) -> Result<Mask, ConstraintStop> {
        let masks = self.masks.clone();
        let allowed = self.guarded(|tokens| {
            let is_canonical = tokens.token_env.tokenize_is_canonical();
            let parser = &mut tokens.parser;
            if is_canonical && !parser.grammar().lexer_spec().no_forcing {
                parser.force_bytes();
            }
            let start = [bytes, parser.currently_forced_bytes()].concat();
            let allowed = parser.compute_bias(&*masks, &start);
            parser.get_error().map_or(Ok(allowed), |error| Err(anyhow::anyhow!(error.message())))
        })?;
        let trie = self.parser.token_env.tok_trie();
        let width = trie.vocab_size();
        let mut mask = Mask::only(width, TokenId::MAX);
        for token in (Mask { bits: allowed, width }).iter() {
            // llguidance also allows tokens that end within the bytes.
            if let Some(rest) = trie.token(token).strip_prefix(bytes)
                && spells(trie, rest)
            {
                mask.allow(token);
            }
        }
        Ok(mask)
    }

    /// [`commit`](Self::commit) of the token that takes the prompt's last one in.
    pub(super) fn commit_first(&mut self, token: TokenId) -> Result<bool, ConstraintStop> {
        let Some(seam) = self.open_seam().filter(|seam| seam.mask.allows(token)) else { return Ok(false) };
        let trie = self.parser.token_env.tok_trie();
        let rest = trie.greedy_tokenize(trie.token(token).get(seam.bytes.len()..).unwrap_or_default());
        if self.guarded(|parser| parser.validate_tokens_raw(&rest))? < rest.len() {
            return Ok(false);
        }
        for &part in &rest {
            self.guarded(|parser| parser.consume_token(part))?;
        }
        self.tokens.push(token);
        if let Some(seam) = &mut self.seam {
            seam.rest = Some(rest);
        }
        Ok(true)
    }

    /// Forgets all but the first `keep` tokens, which the parser has done already.
    pub(super) fn keep(&mut self, keep: usize) {
        self.tokens.truncate(keep);
        if let (0, Some(seam)) = (keep, &mut self.seam) {
            seam.rest = None;
        }
    }
}

/// What the parser was given for `tokens`, the first ones of an answer with this seam.
pub(super) fn given<'t>(tokens: &'t [TokenId], seam: Option<&Seam>) -> Cow<'t, [TokenId]> {
    match (seam.and_then(|seam| seam.rest.as_ref()), tokens) {
        (Some(rest), [_, others @ ..]) => Cow::Owned([rest, others].concat()),
        _ => Cow::Borrowed(tokens),
    }
}

/// Whether there are tokens for all of these bytes.
fn spells(trie: &TokTrie, bytes: &[u8]) -> bool {
    trie.greedy_tokenize(bytes).iter().map(|&token| trie.token_len(token)).sum::<usize>() == bytes.len()
}

#[cfg(test)]
mod tests;
