//! The grammars that come with the program, by language.
