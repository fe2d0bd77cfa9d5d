//! The grammars that cases are for: the grammar itself, and the same with its other entry points.
//!
//! One is compiled at its first case, and once. This file must never take a grammar for another: where
//! an entry point cannot be used, there is a reason and no grammar.

use std::collections::BTreeMap;

use crate::engine::diagnostic::Severity;
use crate::engine::grammar::{Compiled, Compiler, GrammarSource};

/// A grammar and its entry points.
pub struct Entries<'a> {
    grammar: &'a Compiled,
    compiler: &'a Compiler,
    /// The entry point that the grammar begins with as it is, if it lists it.
    own: Option<&'a str>,
    compiled: BTreeMap<String, Result<Compiled, String>>,
}

impl<'a> Entries<'a> {
    /// Those of a grammar; `compiler` is what it was compiled with.
    pub fn new(grammar: &'a Compiled, compiler: &'a Compiler) -> Self {
        let source = grammar.source();
        let own = source.entry().filter(|entry| source.entries().contains(entry));
        Self { grammar, compiler, own, compiled: BTreeMap::new() }
    }

    /// The text of the grammar.
    pub fn source(&self) -> &'a GrammarSource {
        self.grammar.source()
    }

    /// The grammar with an entry point, or with its own start.
    ///
    /// # Errors
    /// The reason why there is none, with the entry points there are.
    pub fn of(&mut self, entry: Option<&str>) -> Result<&Compiled, &str> {
        let (grammar, compiler) = (self.grammar, self.compiler);
        let Some(entry) = entry.filter(|&entry| self.own != Some(entry)) else { return Ok(grammar) };
        let compiled = self.compiled.entry(entry.to_owned());
        compiled.or_insert_with(|| compile(grammar, compiler, entry)).as_ref().map_err(String::as_str)
    }
}

fn compile(grammar: &Compiled, compiler: &Compiler, entry: &str) -> Result<Compiled, String> {
    let source = grammar.source();
    let wanted = source.with_entry(entry).map_err(|no_entry| no_entry.to_string())?;
    compiler.try_compile(&wanted).map_err(|_| {
        // Only now, as looking for the reason takes its time.
        let (_, found) = compiler.compile(&wanted);
        let first = found.iter().find(|d| d.severity == Severity::Error);
        let why = first.map_or("there was no time for it", |d| d.message.as_str());
        let known = source.entries().join(", ");
        format!("with the entry point {entry:?} the grammar does not compile: {why}; there are {known}")
    })
}
