//! Which grammar and which entry point a prompt gets: those that are named, else those it asks for.
//!
//! It must never leave out a grammar that was named.

use crate::cli::GrammarArgs;
use crate::commands::{Failure, source, with_entry};
use crate::engine::GrammarSource;
use crate::engine::grammar::library::{self, Choice, Why};

/// What was picked.
pub(super) struct Picked {
    /// The grammar, beginning with its entry point.
    pub grammar: Option<GrammarSource>,
    /// The prompt that goes with it.
    pub prompt: String,
    /// What it lacks at its end if the model goes on with it as it is, without a chat's frame.
    pub line_end: &'static str,
    /// What was picked and why, if the prompt told.
    pub said: Option<String>,
}

/// The grammar for `prompt`.
///
/// # Errors
/// A grammar or entry point that does not exist or cannot be read.
pub(super) fn pick(args: &GrammarArgs, prompt: String) -> Result<Picked, Failure> {
    let asked = library::choose(&prompt);
    let choice = asked.filter(|choice| !args.is_named() || is_body_of(choice, args));
    let Some(choice) = choice else {
        // A request in words is one whatever grammar was named.
        let words = asked.filter(|asked| matches!(asked.why, Why::Word(_)));
        let line_end = words.map_or("", |asked| asked.line_end);
        return Ok(Picked { grammar: source(args)?, prompt, line_end, said: None });
    };
    let entry = args.entry.as_deref().or(choice.entry);
    let name = choice.grammar.name;
    let grammar = with_entry(choice.grammar.source(), entry).map_err(|failure| match failure {
        Failure::Input(why) => Failure::Input(format!("{why} ({name} was taken because {})", choice.why)),
        other => other,
    })?;
    let begins = grammar.entry().unwrap_or("start");
    let said = format!(
        "grammar: {name}, {begins}, because {}; --language and --entry take another, --language none takes none",
        choice.why
    );
    let takes = grammar.entry() == choice.entry || matches!(choice.why, Why::Word(_));
    let (prompt, line_end) = if takes { (choice.prompt.to_owned(), choice.line_end) } else { (prompt, "") };
    Ok(Picked { grammar: Some(grammar), prompt, line_end, said: Some(said) })
}

/// Whether the prompt ends in a signature of the language that is named, so that it tells the entry point.
fn is_body_of(choice: &Choice<'_>, args: &GrammarArgs) -> bool {
    let named = args.language.as_deref().and_then(library::find);
    matches!(choice.why, Why::Signature(_))
        && args.entry.is_none()
        && named.is_some_and(|named| named.name == choice.grammar.name)
}
