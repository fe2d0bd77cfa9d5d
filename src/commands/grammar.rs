//! `maze grammar typed`: a grammar in which only well-typed completions exist.

use std::io::Write;
use std::path::Path;

use super::output::Sink;
use super::{Failure, load, read_text};
use crate::cli::{GrammarCommand, GrammarCommandArgs, ModelArgs, TypedArgs};
use crate::config::{self, Config};
use crate::engine::grammar::Compiler;
use crate::engine::typed::types::Type;
use crate::engine::typed::{self, Context, Language, TypedError, Wanted};
use crate::engine::{GrammarSource, Severity};

pub(super) fn run(args: &GrammarCommandArgs) -> Result<(), Failure> {
    match &args.command {
        GrammarCommand::Typed(args) => typed(args),
    }
}

fn typed(args: &TypedArgs) -> Result<(), Failure> {
    let model = ModelArgs { model: args.model.clone(), device: args.device, context: None };
    let config = Config::new(&model, config::environment).map_err(Failure::Input)?;
    let language = args.language.language();
    let text = read_text(&args.context)?;
    let is_table = args.context.extension().is_some_and(|ending| ending == "toml");
    let read = if is_table { Context::from_toml } else { Context::from_source };
    let mut context = read(language, &text).map_err(|e| placed(&args.context, &e))?;
    let inside =
        args.inside.as_deref().map(|name| entered(&mut context, language, name, is_table)).transpose();
    let inside = inside.map_err(|e| placed(&args.context, &e))?;
    let mut stderr = Sink::stderr();
    for skipped in &context.skipped {
        let place = skipped.line.map_or(String::new(), |line| format!(":{line}"));
        let line = format!("{}{place}: {} is skipped: {}", args.context.display(), skipped.what, skipped.why);
        let line = stderr.shown_in_line(&line).into_owned();
        writeln!(stderr, "{line}")?;
    }
    let returns = args.returns.clone().or_else(|| inside.map(|ty| language.spell(&ty))).unwrap_or_default();
    let wanted = Wanted {
        language,
        context: &context,
        returns: &returns,
        entry: args.entry.entry(),
        depth: args.depth,
        locals: &args.local,
    };
    let text = typed::grammar(&wanted, &made_by(args)).map_err(|e| placed(&args.context, &e))?;
    let source = GrammarSource::lark("the grammar", text);
    // What is printed can be generated with.
    let loaded = load(&config)?;
    let compiler = Compiler::new(&loaded.vocabulary).map_err(Failure::Run)?;
    let (compiled, found) = compiler.compile(&source);
    if compiled.is_none() {
        let errors = found.iter().filter(|d| d.severity == Severity::Error);
        let why: Vec<&str> = errors.map(|d| d.message.as_str()).collect();
        let size = format!("more than the parser's limits allow ({})", why.join("; "));
        return Err(placed(&args.context, &typed::too_large(&size, &wanted)));
    }
    write!(Sink::stdout(), "{}", source.text)?;
    Ok(())
}

/// Makes the function the one that is completed.
fn entered(
    context: &mut Context,
    language: Language,
    name: &str,
    is_table: bool,
) -> Result<Type, TypedError> {
    let takes = context.functions.iter().any(|f| f.name == name && !f.takes.is_empty());
    if is_table && takes {
        let message = format!(
            "what {name:?} takes has no names in a TOML context; put its parameters in [variables] and say with \
             --returns what it gives, instead of --inside"
        );
        return Err(TypedError { line: None, message });
    }
    context.enter(language, name)
}

fn placed(path: &Path, error: &TypedError) -> Failure {
    let separator = if error.line.is_some() { ":" } else { ": " };
    Failure::Input(format!("{}{separator}{error}", path.display()))
}

/// The command that makes this grammar again.
fn made_by(args: &TypedArgs) -> String {
    let mut words =
        vec!["maze grammar typed --language".to_owned(), args.language.language().name().to_owned()];
    let mut option = |name: &str, value: &str| {
        let is_plain =
            value.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c)) && !value.is_empty();
        let quoted = format!("'{}'", value.replace('\'', "'\\''"));
        words.extend([format!("--{name}"), if is_plain { value.to_owned() } else { quoted }]);
    };
    option("context", &args.context.display().to_string());
    if let Some(returns) = &args.returns {
        option("returns", returns);
    }
    if let Some(inside) = &args.inside {
        option("inside", inside);
    }
    if args.entry == crate::cli::EntryName::Body {
        option("entry", "body");
    }
    option("depth", &args.depth.to_string());
    for (name, ty) in &args.local {
        option("local", &format!("{name}:{ty}"));
    }
    words.join(" ")
}
