//! The shipped examples: a grammar, a prompt that goes with it, and what to try.

use crate::engine::grammar::GrammarKind;

use super::language::Language;

/// Something to start from.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its name in the picker.
    pub name: &'static str,
    /// What to try, in one line.
    pub about: &'static str,
    /// What the grammar is written in.
    pub kind: GrammarKind,
    /// The grammar's file name.
    pub file: &'static str,
    /// The grammar.
    pub grammar: &'static str,
    /// The prompt.
    pub prompt: &'static str,
    /// What the output is written in.
    pub language: Language,
}

/// All of them; the first is open at the start.
pub const EXAMPLES: &[Example] = &[Example {
    name: "JSON, by hand",
    about: "A person as JSON: watch the punctuation being forced.",
    kind: GrammarKind::Lark,
    file: "person.lark",
    grammar: "// A person, as JSON with a fixed order of keys.\n\
start: \"{\" name \",\" age \",\" tags \"}\"\n\
name: \"\\\"name\\\": \" STRING\n\
age: \" \\\"age\\\": \" /[1-9][0-9]?/\n\
tags: \" \\\"tags\\\": [\" (STRING (\", \" STRING)*)? \"]\"\n\
STRING: /\"[a-zA-Z ]{1,20}\"/\n",
    prompt: "// JSON: a person with a name, an age and tags\n",
    language: Language::Json,
}];
