//! The shadow parser: that it agrees with llguidance at every byte, and what it answers.

use std::sync::LazyLock;

use maze::engine::grammar::{Compiled, Compiler, GrammarSource};
use maze::engine::shadow::Shadow;
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};

mod agreement;
mod answers;
mod bounds;
mod finish;
mod parameters;

/// A token for each byte that text can hold, two that stand for themselves, and the end.
pub static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut words: Vec<Vec<u8>> = (0..=254).map(|byte| vec![byte]).collect();
    words.extend([b"<eos>".to_vec(), b"\xff<|tool|>".to_vec(), b"\xff<|end|>".to_vec()]);
    Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![255] }).expect("a vocabulary")
});

pub static COMPILER: LazyLock<Compiler> = LazyLock::new(|| Compiler::new(&VOCABULARY).expect("a compiler"));

pub fn compile(source: &GrammarSource) -> Compiled {
    let (compiled, found) = COMPILER.compile(source);
    compiled.unwrap_or_else(|| panic!("{found:?}\n{}", source.text))
}

pub fn shadow(lark: &str) -> Shadow {
    compile(&GrammarSource::lark("test", lark)).shadow().unwrap_or_else(|e| panic!("{e}\n{lark}"))
}

/// A shadow parser that has read `text`.
pub fn after(lark: &str, text: &str) -> Shadow {
    let mut shadow = shadow(lark);
    assert_eq!(shadow.feed(text.as_bytes()), text.len(), "{text:?}");
    shadow
}
