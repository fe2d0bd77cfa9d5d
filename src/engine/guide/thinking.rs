//! What a model thinks before its answer: free text that ends at a mark, after which the grammar
//! begins.
//!
//! The end of the thinking is always the end of a token, so that the answer is whole. Tokens that
//! end a generation, and other control tokens, are never allowed here: a run does not end without
//! the answer having begun, but for a reason that it names.

use std::sync::Arc;

use crate::engine::chat::ThinkingStyle;
use crate::engine::constraint::Mask;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

/// A thinking block, part of the way through.
pub struct Thinking {
    rules: Arc<Rules>,
    tokens: Vec<TokenId>,
    /// The last bytes, in which the mark may have begun.
    tail: Vec<u8>,
    state: State,
}

enum State {
    /// The model thinks.
    Open,
    /// These tokens must come.
    Closing(Vec<TokenId>),
    /// The answer may begin.
    Closed,
}

/// What does not change during the thinking.
struct Rules {
    mark: Vec<u8>,
    /// The token that is the mark, if that is a control token: text like it is not the mark then.
    token: Option<TokenId>,
    /// The tokens of the white space after the mark, and that text.
    after: (Vec<TokenId>, String),
    /// The tokens that end the thinking when it has taken too long.
    closing: Vec<TokenId>,
    /// Most tokens before that.
    budget: usize,
    /// Every token with text, and the mark.
    allowed: Mask,
    /// For each number of bytes of the mark that have come: the tokens that would complete it and
    /// begin the answer too.
    overshoots: Vec<Vec<TokenId>>,
    /// The white space that follows the mark, cut at every place, for tokens that hold the mark and
    /// a part of that.
    rests: Vec<Vec<TokenId>>,
}

impl Thinking {
    /// The start of a thinking block of at most `budget` tokens, the closing mark not counted.
    pub fn new(style: &ThinkingStyle, vocabulary: &Vocabulary, budget: usize) -> Self {
        let token = vocabulary.control_token(&style.close).filter(|&t| vocabulary.is_special(t));
        let after = vocabulary.spell(&style.after);
        let mut closing = vocabulary.spell(&style.before);
        match token {
            Some(token) => closing.extend(token_and(token, &after)),
            None => {
                closing.extend(vocabulary.spell(&style.close));
                closing.extend(&after);
            }
        }
        let mut allowed = Mask::all(vocabulary);
        let control = |t: &TokenId| vocabulary.is_special(*t) || vocabulary.is_eos(*t);
        for t in (0..vocabulary.len() as TokenId).filter(control).filter(|&t| Some(t) != token) {
            allowed.forbid(t);
        }
        let mark = style.close.clone().into_bytes();
        let mut rules = Rules {
            overshoots: vec![Vec::new(); mark.len()],
            rests: (0..=style.after.len())
                .map(|at| vocabulary.spell(style.after.get(at..).unwrap_or("")))
                .collect(),
            after: (after, style.after.clone()),
            mark,
            token,
            closing,
            budget,
            allowed,
        };
        if token.is_none() {
            rules.find_overshoots(vocabulary);
        }
        let mut thinking =
            Self { rules: Arc::new(rules), tokens: Vec::new(), tail: Vec::new(), state: State::Open };
        thinking.spend();
        thinking
    }

    /// How many tokens it has so far.
    pub fn taken(&self) -> usize {
        self.tokens.len()
    }

    /// Whether the model still thinks, or ends its thinking.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed)
    }

    /// The tokens that must come now.
    pub fn forced(&self) -> &[TokenId] {
        match &self.state {
            State::Closing(rest) => rest,
            State::Open | State::Closed => &[],
        }
    }

    /// The tokens that may come next.
    pub fn mask(&self) -> Mask {
        let mut mask = self.rules.allowed.clone();
        match &self.state {
            State::Closing(rest) => {
                let first = rest.first().copied().unwrap_or(TokenId::MAX);
                return Mask::only(mask.width(), first);
            }
            State::Open | State::Closed => {}
        }
        for come in self.begun() {
            self.rules.overshoots.get(come).into_iter().flatten().for_each(|&t| mask.forbid(t));
        }
        mask
    }

    /// Takes a token. False if it may not come here; nothing has changed then.
    pub fn commit(&mut self, token: TokenId, vocabulary: &Vocabulary) -> bool {
        match &mut self.state {
            State::Closing(rest) if rest.first() == Some(&token) => {
                rest.remove(0);
                self.tokens.push(token);
                if self.forced().is_empty() {
                    self.state = State::Closed;
                }
                true
            }
            State::Open => {
                if !self.mask().allows(token) {
                    return false;
                }
                self.tokens.push(token);
                self.follow(token, vocabulary);
                true
            }
            State::Closing(_) | State::Closed => false,
        }
    }

    /// Takes back all but the first `keep` tokens.
    pub fn truncate(&mut self, keep: usize, vocabulary: &Vocabulary) {
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.truncate(keep);
        (self.tail, self.state) = (Vec::new(), State::Open);
        self.spend();
        for token in tokens {
            self.commit(token, vocabulary);
        }
    }

    /// Looks whether the mark has come with the last token.
    fn follow(&mut self, token: TokenId, vocabulary: &Vocabulary) {
        let rules = self.rules.clone();
        let mut end = None;
        if rules.token == Some(token) {
            end = Some(0);
        } else if rules.token.is_none() {
            self.tail.extend_from_slice(vocabulary.bytes(token));
            end = find(&self.tail, &rules.mark).map(|at| self.tail.len() - at - rules.mark.len());
            let keep = self.tail.len().saturating_sub(rules.mark.len() - 1);
            self.tail.drain(..keep);
        }
        let Some(come) = end else { return self.spend() };
        let rest = rules.rests.get(come).cloned().unwrap_or_default();
        self.state = if rest.is_empty() { State::Closed } else { State::Closing(rest) };
    }

    /// Ends the thinking if it may not go on.
    fn spend(&mut self) {
        if self.tokens.len() >= self.rules.budget {
            self.state = State::Closing(self.rules.closing.clone());
        }
    }

    /// How many bytes of the mark the text may end with: 0, and every other possibility.
    fn begun(&self) -> impl Iterator<Item = usize> {
        (0..self.rules.mark.len()).filter(|&n| self.tail.ends_with(&self.rules.mark[..n]))
    }
}

impl Rules {
    fn find_overshoots(&mut self, vocabulary: &Vocabulary) {
        let goes_too_far = |rest: &[u8]| !self.after.1.as_bytes().starts_with(rest);
        for token in (0..vocabulary.len() as TokenId).filter(|&t| self.allowed.allows(t)) {
            let bytes = vocabulary.bytes(token);
            if let Some(at) = find(bytes, &self.mark)
                && goes_too_far(&bytes[at + self.mark.len()..])
            {
                self.overshoots[0].push(token);
            }
            for come in 1..self.mark.len() {
                if bytes.strip_prefix(&self.mark[come..]).is_some_and(goes_too_far) {
                    self.overshoots[come].push(token);
                }
            }
        }
    }
}

fn token_and(token: TokenId, after: &[TokenId]) -> impl Iterator<Item = TokenId> {
    std::iter::once(token).chain(after.iter().copied())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|w| w == part)
}
