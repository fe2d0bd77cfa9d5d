//! Which grammar and which entry point a prompt gets: those that are named, else those it asks for.
//!
//! It must never leave out a grammar that was named.

use crate::cli::GrammarArgs;
use crate::commands::{Failure, source, with_entry};
use crate::engine::GrammarSource;
use crate::engine::grammar::library::{self, Choice};

/// The name that stands for no grammar, whatever the prompt says.
const NONE: &str = "none";

/// What was picked.
pub(super) struct Picked {
    /// The grammar, beginning with its entry point.
    pub grammar: Option<GrammarSource>,
    /// The prompt that goes with it.
    pub prompt: String,
    /// What was picked and why, if nobody named it.
    pub said: Option<String>,
}

/// The grammar for `prompt`.
///
/// # Errors
/// A grammar or entry point that does not exist or cannot be read.
pub(super) fn pick(args: &GrammarArgs, prompt: String) -> Result<Picked, Failure> {
    let is_none = args.language.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(NONE));
    if is_none && args.entry.is_some() {
        return Err(Failure::Input("--language none has no entry points".into()));
    }
    let is_named =
        args.grammar.is_some() || args.schema.is_some() || args.regex.is_some() || args.language.is_some();
    if is_none {
        return Ok(Picked { grammar: None, prompt, said: None });
    }
    match library::choose(&prompt) {
        // A signature tells the entry point of its language too.
        Some(choice) if !is_named || (args.entry.is_none() && is_of(&choice, args)) => {
            let entry = args.entry.as_deref().or(choice.entry);
            let grammar = with_entry(choice.grammar.source(), entry)?;
            let said = format!(
                "grammar: {}, {}, because {}; --language and --entry take another, --language none takes none",
                choice.grammar.name,
                grammar.entry().unwrap_or("start"),
                choice.why
            );
            let prompt = if grammar.entry() == choice.entry { choice.prompt.to_owned() } else { prompt };
            Ok(Picked { grammar: Some(grammar), prompt, said: Some(said) })
        }
        _ => Ok(Picked { grammar: source(args)?, prompt, said: None }),
    }
}

/// Whether the grammar that is named is that of the choice.
fn is_of(choice: &Choice<'_>, args: &GrammarArgs) -> bool {
    args.language.as_deref().and_then(library::find).is_some_and(|named| named.name == choice.grammar.name)
}
