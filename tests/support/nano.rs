//! The embedded model's tokenizer as a vocabulary, for tests that need no model.

use std::sync::LazyLock;

use maze::engine::grammar::Compiler;
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};

/// The vocabulary.
pub static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let text = include_bytes!("../../models/nano/tokenizer.json");
    let special = SpecialTokens { bos: Some(0), eos: vec![0] };
    Vocabulary::from_tokenizer_json(text, &special, 8192).expect("the shipped tokenizer")
});

/// A compiler over it.
pub static COMPILER: LazyLock<Compiler> =
    LazyLock::new(|| Compiler::new(&VOCABULARY).expect("a compiler over the shipped tokenizer"));
