//! Questions to the grammar at run time about single bytes, without taking any of them.
//!
//! Why a token may not come is a matter of bytes: which of its bytes may come, and what could come
//! instead. A [`Probe`] walks ahead of a [`Constraint`] and forgets where it has been. It works
//! within the limits of one mask, so that no question takes longer than a mask may. It must never
//! change what the constraint allows.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};

use llguidance::earley::{BiasComputer, ParserRecognizer};
use llguidance::panic_utils;
use llguidance::toktrie::{Recognizer, SimpleVob, TokEnv, TokTrie};

use super::{Constraint, ConstraintStop, Mask, first_line};
use crate::engine::trace::FinishReason;

/// A grammar that is asked byte by byte.
pub struct Probe<'a, 'p> {
    recognizer: &'a mut ParserRecognizer<'p>,
    depth: usize,
}

/// What `%ignore` has to do with a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignore {
    /// Nothing: nothing that is ignored begins with it.
    No,
    /// The grammar ignores such text, but not here.
    NotHere {
        /// Whether a terminal has just ended, so that something ignored could come by its nature.
        between: bool,
        /// Whether it is the grammar around an embedded one that ignores it.
        outer: bool,
    },
}

impl Probe<'_, '_> {
    /// Goes on by `byte`, if the grammar allows it.
    pub fn push(&mut self, byte: u8) -> bool {
        let taken = byte != TokTrie::SPECIAL_TOKEN_MARKER && self.recognizer.try_push_byte(byte);
        self.depth += usize::from(taken);
        taken
    }

    /// Goes back by so many bytes.
    pub fn pop(&mut self, count: usize) {
        let count = count.min(self.depth);
        self.recognizer.pop_bytes(count);
        self.depth -= count;
    }

    /// How many bytes it is ahead of the constraint.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The bytes that may come next, rising.
    pub fn expected(&mut self) -> Vec<u8> {
        (0..TokTrie::SPECIAL_TOKEN_MARKER).filter(|&b| self.recognizer.byte_allowed(b)).collect()
    }

    /// What `%ignore` has to do with `byte`, which may not come next.
    pub fn ignore(&mut self, byte: u8) -> Ignore {
        let state = self.recognizer.lexer_state();
        let lexer = self.recognizer.lexer_mut();
        let possible = lexer.possible_lexemes(state).clone();
        let spec = lexer.lexer_spec();
        let active: Vec<usize> =
            possible.iter().map(|lexeme| spec.lexeme_spec(lexeme).class().as_usize()).collect();
        // Each grammar, embedded ones included, has its own.
        let skips: Vec<_> = spec
            .skip_by_class
            .iter()
            .map(|&skip| {
                let mut set = spec.alloc_lexeme_set();
                set.add(skip);
                set
            })
            .collect();
        let begins_skip = |set: &_| {
            let start = lexer.start_state(set);
            !lexer.transition_start_state(start, Some(byte), &None).is_dead()
        };
        let ignoring: Vec<bool> = skips.iter().map(begins_skip).collect();
        if !ignoring.contains(&true) {
            return Ignore::No;
        }
        let between = lexer.start_state(&possible) == state;
        let outer = !active.is_empty() && !active.iter().any(|&class| ignoring.get(class) == Some(&true));
        Ignore::NotHere { between, outer }
    }
}

/// A question in the shape in which llguidance asks for a mask.
struct Ask<F, T> {
    env: TokEnv,
    question: Mutex<Option<F>>,
    answer: Mutex<Option<T>>,
}

impl<F, T> BiasComputer for Ask<F, T>
where
    F: FnOnce(&mut Probe<'_, '_>) -> T + Send,
    T: Send,
{
    fn compute_bias(&self, recognizer: &mut ParserRecognizer<'_>, _: &[u8]) -> SimpleVob {
        let question = self.question.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(question) = question {
            recognizer.trie_started("probe");
            let mut probe = Probe { recognizer, depth: 0 };
            let answer = question(&mut probe);
            let depth = probe.depth;
            probe.pop(depth);
            recognizer.trie_finished();
            *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
        self.env.tok_trie().alloc_token_set()
    }

    fn trie(&self) -> &TokTrie {
        self.env.tok_trie()
    }
}

impl Constraint {
    /// The bytes that no token has spelled yet and that must come: those of the prompt's last token, if the
    /// answer begins with them, and those that the grammar has forced, which are known after
    /// [`forced`](Self::forced).
    pub fn pending(&self) -> Vec<u8> {
        let of_prompt = self.open_seam().map_or(&[][..], |seam| &seam.bytes);
        [of_prompt, self.parser.parser.currently_forced_bytes()].concat()
    }

    /// How many tokens there are.
    pub fn width(&self) -> usize {
        self.parser.token_env.tok_trie().vocab_size()
    }

    /// Asks about the bytes that follow the [pending](Self::pending) ones. With the answer come the
    /// special tokens that the grammar's text names and that may come there.
    ///
    /// # Errors
    /// [`FinishReason::ParserLimit`] if the answer takes more than a mask may, which is permanent, and
    /// [`FinishReason::Cancelled`].
    pub fn probe<T: Send>(
        &mut self,
        question: impl FnOnce(&mut Probe<'_, '_>) -> T + Send,
    ) -> Result<(T, Mask), ConstraintStop> {
        let width = self.width();
        let parser = &mut self.parser.parser;
        let env = self.parser.token_env.clone();
        let ask = Ask { env, question: Mutex::new(Some(question)), answer: Mutex::new(None) };
        let asked = panic_utils::catch_unwind(AssertUnwindSafe(|| {
            // The answer is no mask: it must not be found in the cache, nor be kept there.
            parser.invalidate_bias_cache();
            let bits = parser.compute_bias(&ask, &[]);
            parser.invalidate_bias_cache();
            Ok(bits)
        }));
        let limit = |message: &str| ConstraintStop {
            reason: FinishReason::ParserLimit,
            message: first_line(message),
        };
        let bits = asked.map_err(|e| limit(&e.to_string()))?;
        if let Some(error) = parser.get_error() {
            let cancelled = matches!(error, llguidance::earley::ParserError::Cancelled);
            let reason = if cancelled { FinishReason::Cancelled } else { FinishReason::ParserLimit };
            return Err(ConstraintStop { reason, message: first_line(&error.message()) });
        }
        let answer = ask.answer.into_inner().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(answer) => Ok((answer, Mask { bits, width })),
            None => Err(limit("the grammar engine gave no answer")),
        }
    }
}
