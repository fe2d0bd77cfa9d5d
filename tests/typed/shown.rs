//! Small grammars as they are printed, and what is read from source files, to be looked at whole.

use maze::engine::typed::{Entry, Language, Wanted, grammar};

use crate::cases::context;

#[test]
fn small_grammars() {
    for language in Language::ALL {
        let (returns, local) = match language {
            Language::Python => ("Optional[str]", "int"),
            Language::TypeScript => ("string | undefined", "number"),
            Language::Rust => ("Option<i32>", "u8"),
            Language::Go => ("*User", "int"),
        };
        let context = context(language, &format!("small.{}.toml", language.name()));
        let local = [("n".to_owned(), local.to_owned())];
        let wanted =
            Wanted { language, context: &context, returns, entry: Entry::Body, depth: 1, locals: &local };
        let text = grammar(&wanted, "the tests").unwrap_or_else(|e| panic!("{returns}: {e}"));
        insta::assert_snapshot!(format!("small_{}", language.name()), text);
    }
}

/// The header lists what was read and what was not.
#[test]
fn what_is_read_from_source_files() {
    for name in ["shop", "odd"] {
        for language in Language::ALL {
            let context = context(language, &format!("{name}.{}", language.extension()));
            let returns = if language == Language::TypeScript { "boolean" } else { "bool" };
            let wanted = Wanted {
                language,
                context: &context,
                returns,
                entry: Entry::Expression,
                depth: 0,
                locals: &[],
            };
            let text = grammar(&wanted, "the tests").unwrap_or_else(|e| panic!("{name}: {e}"));
            let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("//")).collect();
            insta::assert_snapshot!(format!("{name}_{}", language.name()), header.join("\n"));
        }
    }
}
