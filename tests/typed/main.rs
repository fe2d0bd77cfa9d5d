//! Grammars of types: what they hold, what they leave out, and what is said about bad input.

use maze::engine::GrammarSource;
use maze::engine::grammar::Compiled;

mod cases;
mod derive;
mod found;
#[path = "../support/nano.rs"]
mod nano;
mod proof;
#[path = "../support/random.rs"]
#[allow(dead_code, reason = "nothing here changes texts")]
mod random;
mod shown;
mod walk;

/// The grammar, without a finding.
fn compiled(source: &GrammarSource) -> Compiled {
    let (compiled, findings) = nano::COMPILER.compile(source);
    assert!(findings.is_empty(), "{}: {findings:?}\n{}", source.name, source.text);
    compiled.expect("no findings, so it compiled")
}
