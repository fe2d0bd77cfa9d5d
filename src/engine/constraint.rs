//! The grammar at run time: which tokens may follow, which are forced, when it is complete.
//!
//! llguidance's parser takes every token, after it has said that it may come. Most masks come from
//! `constraint/places.rs`, and are the same as llguidance's.
//!
//! This file and its folder are the only ones that name llguidance's parser types. It upholds two invariants: the
//! engine never fails open (every error is a reason to stop, never a reason to allow), and the
//! parser is never fed an unchecked token (a bad token is a permanent error state there).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use llguidance::api::{ParserLimits, StopReason, TopLevelGrammar};
use llguidance::toktrie::{InferenceCapabilities, SimpleVob, TokEnv};
use llguidance::{CancellationHandle, ParserFactory, TokenParser, panic_utils};

use super::trace::{FinishReason, TokenId};
use super::vocabulary::Vocabulary;

mod places;
mod probe;
mod rows;
mod seam;
mod slices;
mod specialise;
mod stop;
mod watch;
mod within;

use places::Places;
pub use probe::{Ignore, Probe};
use seam::{Seam, given};
use slices::{Computer, SLICES, Words};
pub use specialise::{MAX_PARTS, MAX_RULES};
use specialise::{Specialised, TooMany, specialise};

/// Builds constraints over one vocabulary.
pub struct ConstraintFactory {
    factory: ParserFactory,
    words: Arc<Words>,
}

/// A warning of ours, with the name of a rule and how many arguments were found for it: rules with parameters
/// would have to be written more than [`MAX_RULES`] times, of [`MAX_PARTS`], for llguidance to tell their uses
/// apart.
pub const MANY_ARGUMENTS: &str = "too many arguments: ";

impl ConstraintFactory {
    /// A factory over `vocabulary`. Takes about 30 ms at 8k tokens and 300 ms at 128k.
    ///
    /// # Errors
    /// If llguidance cannot work with the vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self, String> {
        let caps = InferenceCapabilities { ff_tokens: true, ..Default::default() };
        let env = vocabulary.env();
        let slices = SLICES.map(String::from);
        let mut factory =
            panic_utils::catch_unwind(AssertUnwindSafe(|| ParserFactory::new(env, caps, &slices)))
                .map_err(|e| first_line(&e.to_string()))?;
        // It logs to stderr by default, which is the person's screen.
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        factory.limits_mut().step_max_items = 250_000;
        Ok(Self { factory, words: Arc::new(Words::new(env)?) })
    }

    /// The limits llguidance works under.
    pub fn limits(&self) -> &ParserLimits {
        self.factory.limits()
    }

    /// The tokens, as llguidance takes them.
    pub(super) fn environment(&self) -> &TokEnv {
        self.factory.tok_env()
    }

    /// Whether `token` ends a generation.
    pub fn is_eos(&self, token: TokenId) -> bool {
        self.factory.tok_env().tok_trie().eos_tokens().contains(&token)
    }

    /// A constraint at the start of `grammar`, and llguidance's warnings about it; among them
    /// [`MANY_ARGUMENTS`].
    ///
    /// # Errors
    /// llguidance's message, as it words it; `grammar/messages.rs` reads it.
    pub fn create(&self, grammar: TopLevelGrammar) -> Result<(Constraint, Vec<String>), String> {
        panic_utils::catch_unwind(AssertUnwindSafe(|| {
            let places = Places::new(self.limits(), ignores_once(&grammar));
            let Specialised { init, inexact } = specialise(grammar, self.environment(), self.limits())?;
            let mut parser = self.factory.create_parser_from_init_default(init)?;
            let masks = Arc::new(Computer::new(self.words.clone(), places.shared.clone()));
            parser.bias_computer = masks.clone();
            parser.start_without_prompt();
            let mut warnings = parser.grammar_warnings();
            let is_exact = inexact.is_none();
            warnings.extend(
                inexact.map(|TooMany { rule, arguments }| format!("{MANY_ARGUMENTS}{rule} {arguments}")),
            );
            Ok((Constraint { parser, masks, places, tokens: Vec::new(), seam: None, is_exact }, warnings))
        }))
        .map_err(|e| e.to_string())
    }
}

/// Whether what a grammar ignores may come once at most between two lexemes, which llguidance does not tell.
/// `None` where it depends on options that are not read here.
fn ignores_once(grammar: &TopLevelGrammar) -> Option<bool> {
    let [grammar] = &grammar.grammars[..] else { return None };
    match &grammar.lark_grammar {
        // The options are JSON, in which a name can be written with escapes.
        Some(text) if text.contains("%llguidance") && text.contains("\\u") => None,
        Some(text) => (!text.contains("ignore_once")).then_some(false),
        None => grammar.json_schema.is_some().then_some(true),
    }
}

/// A grammar part of the way through a text.
pub struct Constraint {
    parser: TokenParser,
    masks: Arc<Computer>,
    places: Places,
    /// Everything committed, so that a grammar that cannot roll back can be replayed.
    tokens: Vec<TokenId>,
    /// How the first of them begins, if that is within the prompt.
    seam: Option<Seam>,
    /// Whether rules with parameters are told apart by their arguments.
    is_exact: bool,
}

/// Why a constraint cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConstraintStop {
    /// The reason, as a run reports it.
    pub reason: FinishReason,
    /// More, for people; for a limit, which one it was.
    pub message: String,
}

/// Cancels a mask computation from another thread.
#[derive(Clone, Default)]
pub struct CancelMask(CancellationHandle);

impl CancelMask {
    /// Makes the computation under way, and every later one, stop with [`FinishReason::Cancelled`].
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

impl Constraint {
    /// Whether rules with parameters are told apart by their arguments. Where a grammar asks for too many,
    /// llguidance does not.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// An independent copy at the same place, sharing no lock with the original.
    pub fn fork(&self) -> Self {
        let mut parser = self.parser.deep_clone();
        let masks = Arc::new(self.masks.fork());
        parser.bias_computer = masks.clone();
        let (places, tokens, seam) = (self.places.clone(), self.tokens.clone(), self.seam.clone());
        Self { parser, masks, places, tokens, seam, is_exact: self.is_exact }
    }

    /// A copy at the same place whose masks llguidance computes alone, to compare the others with.
    pub fn by_llguidance(&self) -> Self {
        let places = Places::none();
        let mut copy = self.fork();
        let masks = Arc::new(Computer::new(self.masks.words(), places.shared.clone()));
        copy.parser.bias_computer = masks.clone();
        copy.parser.parser.invalidate_bias_cache();
        Self { masks, places, ..copy }
    }

    /// A handle that stops this constraint's work from another thread. Permanent.
    pub fn canceller(&mut self) -> CancelMask {
        CancelMask(self.parser.enable_cancellation())
    }

    /// Every token committed so far.
    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// Of all masks of this grammar: how many were asked for at places that can be followed, how many of those
    /// were known, and how many bytes what is known takes, about.
    pub fn remembered(&self) -> Option<[u64; 3]> {
        self.places.shared.use_of()
    }

    /// The tokens that may come next, one bit each, as wide as the vocabulary.
    ///
    /// # Errors
    /// [`FinishReason::GrammarComplete`] if nothing can follow a complete text,
    /// [`FinishReason::DeadEnd`] if nothing can follow an incomplete one,
    /// [`FinishReason::ParserLimit`] and [`FinishReason::Cancelled`].
    pub fn mask(&mut self) -> Result<Mask, ConstraintStop> {
        if let Some(seam) = self.open_seam() {
            return Ok(seam.mask.clone());
        }
        let width = self.parser.token_env.tok_trie().vocab_size();
        // Not a copy, where nothing was healed: this is done at every token.
        let given = given(&self.tokens, self.seam.as_ref());
        // The mask before all texts is computed while compiling, and kept by llguidance.
        let has_begun = !given.is_empty();
        let trie = self.parser.token_env.tok_trie();
        let handle = self.parser.cancellation_handle();
        let is_cancelled = || handle.as_ref().is_some_and(CancellationHandle::is_cancelled);
        let grammar = self.parser.parser.grammar();
        let after = || Ok(self.places.after(grammar, &given, trie, &is_cancelled));
        // Without a place the mask is llguidance's, so nothing is lost if it cannot be found out.
        let place = has_begun.then(|| panic_utils::catch_unwind(AssertUnwindSafe(after)).ok().flatten());
        self.masks.stands(place.flatten());
        let bits = self.guarded(TokenParser::compute_mask)?;
        Ok(Mask { bits, width })
    }

    /// The tokens that the grammar leaves no choice about, in the model's own tokenization.
    ///
    /// # Errors
    /// [`FinishReason::ParserLimit`] after two seconds, where a grammar leaves no choice for ever.
    pub fn forced(&mut self) -> Result<Vec<TokenId>, ConstraintStop> {
        if self.open_seam().is_some() {
            return Ok(Vec::new());
        }
        self.within_limit(|constraint| constraint.guarded(|p| Ok(p.compute_ff_tokens())))
    }

    /// Takes `token`, after a check that the grammar allows it here.
    ///
    /// # Errors
    /// `Ok(false)` if the grammar does not allow it (nothing has changed then); a stop if the
    /// parser cannot go on.
    pub fn commit(&mut self, token: TokenId) -> Result<bool, ConstraintStop> {
        let width = self.parser.token_env.tok_trie().vocab_size();
        if token as usize >= width {
            return Ok(false);
        }
        if self.open_seam().is_some() {
            return self.commit_first(token);
        }
        let is_eos = self.parser.token_env.tok_trie().eos_tokens().contains(&token);
        // A grammar may name an end-of-sequence token in its text; otherwise it may come where the
        // text is complete.
        let allowed = self.guarded(|p| p.validate_token(token))? || (is_eos && self.is_accepting()?);
        if !allowed {
            return Ok(false);
        }
        self.guarded(|p| p.consume_token(token))?;
        self.tokens.push(token);
        Ok(true)
    }

    /// Whether the text so far is a complete text of the grammar.
    pub fn is_accepting(&mut self) -> Result<bool, ConstraintStop> {
        Ok(self.open_seam().is_none() && self.guarded(|p| Ok(p.is_accepting()))?)
    }

    /// The reason to end here, if the text is complete and nothing can follow.
    ///
    /// # Errors
    /// If the parser cannot go on.
    pub fn ended(&mut self) -> Result<Option<FinishReason>, ConstraintStop> {
        if self.open_seam().is_some() || !self.parser.stopped() && !self.guarded(TokenParser::check_stop)? {
            return Ok(None);
        }
        match self.parser.stop_reason() {
            StopReason::NoExtension => Ok(Some(FinishReason::GrammarComplete)),
            StopReason::EndOfSentence => Ok(Some(FinishReason::Eos)),
            _ => Err(self.stop("the parser has stopped")),
        }
    }

    /// Takes back the last `count` tokens. `template` is the same grammar at its start, for
    /// grammars whose parser cannot go back (`stop=`, `max_tokens=`): they are replayed.
    ///
    /// # Errors
    /// If the replay fails, which it cannot unless the parser has hit a limit.
    pub fn rollback(&mut self, count: usize, template: &Constraint) -> Result<(), ConstraintStop> {
        let keep = self.tokens.len().saturating_sub(count);
        let kept = given(&self.tokens[..keep], self.seam.as_ref()).into_owned();
        let dropped = given(&self.tokens, self.seam.as_ref()).len() - kept.len();
        // A cancel is permanent for a parser: only a replay gets past it.
        let cancelled = self.parser.cancellation_handle().is_some_and(|h| h.is_cancelled());
        if keep == self.tokens.len() && !cancelled {
            return Ok(());
        }
        let rolled = panic_utils::catch_unwind(AssertUnwindSafe(|| self.parser.rollback(dropped)));
        if rolled.is_ok() && !cancelled {
            // llguidance 1.9.1 may serve a mask cached before the rollback otherwise.
            self.parser.invalidate_bias_cache();
            self.places.truncate(kept.len());
            self.keep(keep);
            return Ok(());
        }
        let mut replayed = template.fork();
        for &token in &kept {
            if !replayed.commit(token)? {
                return Err(ConstraintStop {
                    reason: FinishReason::DeadEnd,
                    message: format!("token {token} is no longer accepted in a replay of the same text"),
                });
            }
        }
        (replayed.tokens, replayed.seam) = (std::mem::take(&mut self.tokens), self.seam.take());
        *self = replayed;
        self.keep(keep);
        Ok(())
    }

    /// Commits as much of `text` as the grammar allows, byte by byte, whatever the tokenization.
    ///
    /// # Errors
    /// If the parser reaches a limit on the way.
    pub fn feed(&mut self, text: &[u8]) -> Result<Fed, ConstraintStop> {
        let mut taken = 0;
        // The trie leaves out bytes that no token has.
        for token in self.parser.token_env.tok_trie().greedy_tokenize(text) {
            let bytes = self.parser.token_env.tok_trie().token(token).to_vec();
            // What a mask may use is counted from the last one on, and here there are none.
            self.probe(|_| ())?;
            if !text[taken..].starts_with(&bytes) || !self.commit(token)? {
                break;
            }
            taken += bytes.len();
        }
        let (more, expected) = self.look_ahead(&text[taken..])?;
        if taken < text.len() && taken + more == text.len() {
            let message = format!("the model has no token for byte 0x{:02X}", text[taken]);
            return Err(ConstraintStop { reason: FinishReason::DeadEnd, message });
        }
        Ok(Fed { taken: taken + more, expected })
    }

    /// How many bytes of `text` may come next, and which bytes may follow those. Changes nothing.
    fn look_ahead(&mut self, text: &[u8]) -> Result<(usize, Vec<u8>), ConstraintStop> {
        let mut taken = 0;
        // Bytes that the grammar forces are already inside of the parser.
        for &forced in self.parser.parser.currently_forced_bytes() {
            if text.get(taken) != Some(&forced) {
                return Ok((taken, vec![forced]));
            }
            taken += 1;
        }
        let rest = &text[taken..];
        let ((more, expected), _) = self.probe(|probe| {
            let more = rest.iter().take_while(|&&byte| probe.push(byte)).count();
            let expected = probe.expected();
            probe.pop(more);
            (more, expected)
        })?;
        Ok((taken + more, expected))
    }

    /// Runs `f` on the parser; panics and errors become a stop.
    fn guarded<T>(
        &mut self,
        f: impl FnOnce(&mut TokenParser) -> anyhow::Result<T>,
    ) -> Result<T, ConstraintStop> {
        let result = panic_utils::catch_unwind(AssertUnwindSafe(|| f(&mut self.parser)));
        result.map_err(|error| self.stop(&error.to_string()))
    }

    fn stop(&mut self, message: &str) -> ConstraintStop {
        let (reason, message) = match self.parser.stop_reason() {
            StopReason::NoExtension | StopReason::EndOfSentence => {
                (FinishReason::GrammarComplete, "the grammar is complete".to_owned())
            }
            // The mask was empty: nothing can follow. `is_complete` has answered first if the
            // text was complete.
            StopReason::NoExtensionBias => (FinishReason::DeadEnd, "no token can follow here".to_owned()),
            StopReason::Cancelled => (FinishReason::Cancelled, "cancelled".to_owned()),
            StopReason::MaxTokensTotal | StopReason::MaxTokensParser => {
                (FinishReason::MaxTokens, "the grammar's own max_tokens is reached".to_owned())
            }
            _ => (FinishReason::ParserLimit, first_line(message)),
        };
        ConstraintStop { reason, message }
    }
}

/// How far a text went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// How many of its bytes the grammar takes.
    pub taken: usize,
    /// The bytes that could follow those, rising.
    pub expected: Vec<u8>,
}

/// Which tokens may come next.
#[derive(Clone)]
pub struct Mask {
    bits: SimpleVob,
    width: usize,
}

impl Mask {
    /// A mask that allows every token with text or meaning: what a run without a grammar uses.
    /// Padding ids stay out.
    pub fn all(vocabulary: &Vocabulary) -> Self {
        let width = vocabulary.len();
        let mut bits = SimpleVob::alloc(width);
        for token in (0..width as TokenId).filter(|&t| !vocabulary.is_padding(t)) {
            bits.allow_token(token);
        }
        Self { bits, width }
    }

    /// A mask over `width` tokens that allows one, or none if that is out of range.
    pub fn only(width: usize, token: TokenId) -> Self {
        let mut mask = Self { bits: SimpleVob::alloc(width), width };
        mask.allow(token);
        mask
    }

    /// Allows `token` too, unless it is out of range.
    pub fn allow(&mut self, token: TokenId) {
        if (token as usize) < self.width {
            self.bits.allow_token(token);
        }
    }

    /// Forbids `token`.
    pub(super) fn forbid(&mut self, token: TokenId) {
        if (token as usize) < self.width {
            self.bits.disallow_token(token);
        }
    }

    /// One bit a token: bit `t % 32` of word `t / 32`. At least `width` bits.
    pub fn words(&self) -> &[u32] {
        &self.bits.as_slice()[..self.width.div_ceil(32)]
    }

    /// How many tokens the mask speaks of.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many tokens are allowed.
    pub fn count(&self) -> usize {
        self.words().iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether `token` is allowed.
    pub fn allows(&self, token: TokenId) -> bool {
        (token as usize) < self.width && self.words()[token as usize / 32] >> (token % 32) & 1 == 1
    }

    /// The allowed tokens, rising.
    pub fn iter(&self) -> impl Iterator<Item = TokenId> + '_ {
        let width = self.width as TokenId;
        self.words()
            .iter()
            .enumerate()
            .flat_map(|(i, &word)| Bits(word).map(move |b| i as TokenId * 32 + b))
            .take_while(move |&t| t < width)
    }
}

/// The positions of the ones in a word, rising.
struct Bits(u32);

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        (self.0 != 0).then(|| {
            let position = self.0.trailing_zeros();
            self.0 &= self.0 - 1;
            position
        })
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}
