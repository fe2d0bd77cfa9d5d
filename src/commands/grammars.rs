//! `maze grammars`: what is shipped.

use std::io::Write;

use super::Failure;
use super::output::Sink;
use crate::cli::GrammarsArgs;
use crate::engine::grammar::library;

pub(super) fn run(args: &GrammarsArgs) -> Result<(), Failure> {
    let mut stdout = Sink::stdout();
    let Some(name) = &args.name else {
        for grammar in library::ALL {
            let aliases = grammar.aliases.join(", ");
            if stdout.is_plain() {
                let aliases = if aliases.is_empty() { aliases } else { format!(", also {aliases}") };
                writeln!(stdout, "{}: {}{aliases}", grammar.name, grammar.about)?;
            } else {
                writeln!(stdout, "{:<12} {:<16} {}", grammar.name, aliases, grammar.about)?;
            }
        }
        return Ok(());
    };
    let grammar = library::find(name).ok_or_else(|| {
        Failure::Input(format!("no grammar {name:?} is shipped; there are {}", library::names().join(", ")))
    })?;
    write!(stdout, "{}", grammar.text)?;
    Ok(())
}
