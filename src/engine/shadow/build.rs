//! Makes a shadow parser from a grammar's text: compiles the annotated copy with llguidance, and
//! the text itself if llguidance refuses the copy.

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use llguidance::api::{GrammarInit, ParserLimits, TopLevelGrammar};
use llguidance::earley::CGrammar;
use llguidance::panic_utils;
use toktrie::TokEnv;

use super::lexer::Lexer;
use super::names::{Lines, Names};
use super::place::CannotFollow;
use super::rules::Rules;
use super::{Shadow, Shared};
use crate::engine::grammar::annotate::Marks;
use crate::engine::grammar::document::Document;

/// What a shadow parser is made from.
pub(in crate::engine) struct Origin {
    /// The person's text.
    pub text: String,
    /// The copy with marks, and what they mean in places of the person's text.
    pub annotated: Option<(TopLevelGrammar, Marks)>,
    /// The grammar without marks.
    pub plain: TopLevelGrammar,
    /// A JSON Schema with its places.
    pub schema: Option<Document>,
}

/// Builds the parser. `is_exact` says whether the constraint tells rules with parameters apart by their
/// arguments. llguidance recurses, so the caller sees to a stack that is deep enough.
///
/// # Errors
/// What cannot be followed.
pub(in crate::engine) fn build(
    origin: Origin,
    is_exact: bool,
    environment: &TokEnv,
    limits: &ParserLimits,
) -> Result<Shadow, CannotFollow> {
    let compile = |grammar: TopLevelGrammar| {
        panic_utils::catch_unwind(AssertUnwindSafe(|| {
            let environment = Some(environment.clone());
            let (grammar, spec) =
                GrammarInit::Serialized(grammar).to_internal(environment, limits.clone())?;
            grammar.compile(spec, limits)
        }))
        .map_err(|e| CannotFollow::Broken(e.to_string().lines().next().unwrap_or_default().to_owned()))
    };
    let annotated = origin.annotated.and_then(|(grammar, marks)| Some((compile(grammar).ok()?, marks)));
    let (grammar, marks) = match annotated {
        Some(found) => found,
        None => (compile(origin.plain)?, Marks { schema: origin.schema, ..Marks::default() }),
    };
    let spec = grammar.lexer_spec();
    if spec.has_max_tokens {
        return Err(max_tokens(&origin.text, &marks));
    }
    let mut shared = panic_utils::catch_unwind(AssertUnwindSafe(|| {
        shared(&origin.text, &grammar, &marks, limits).map_err(anyhow::Error::msg)
    }))
    .map_err(|e| CannotFollow::Lexer(e.to_string()))?;
    shared.rules.is_exact = is_exact;
    Shadow::new(shared, spec.allow_initial_skip)
}

fn shared(text: &str, grammar: &CGrammar, marks: &Marks, limits: &ParserLimits) -> Result<Shared, String> {
    let lexer = Lexer::new(grammar.lexer_spec().clone(), limits)?;
    let rules = Rules::of(grammar, marks);
    let names = Names::of(text, marks, &rules, &lexer);
    Ok(Shared { rules, names, lexer: Mutex::new(lexer), yields: Mutex::default() })
}

/// The first rule with `max_tokens=`.
fn max_tokens(text: &str, marks: &Marks) -> CannotFollow {
    let head = |whole: &Range<usize>| {
        let definition = text.get(whole.clone()).unwrap_or_default();
        definition.split(']').next().is_some_and(|head| head.contains("max_tokens"))
    };
    let rule = marks.rules.iter().find(|r| r.is_terminal && head(&r.whole));
    CannotFollow::MaxTokens {
        rule: rule.map(|r| r.name.clone()),
        spot: rule.map(|r| Lines::of(text).spot(&r.whole)),
    }
}
