//! Masks agree with the tokenizer: whatever a grammar accepts, every token of the text's own
//! tokenization is allowed, one after the other.

use maze::engine::Vocabulary;
use maze::engine::constraint::Constraint;
use maze::engine::grammar::{Compiler, GrammarSource};
use rayon::prelude::*;
use serde_json::Value as Json;

use crate::corpus::{Chance, texts};
use crate::files::{byte_level, fixture, ids, of_json, oracle};

fn compile(compiler: &Compiler, source: &GrammarSource) -> Constraint {
    let (compiled, found) = compiler.compile(source);
    compiled.unwrap_or_else(|| panic!("{}: {found:?}", source.text)).constraint()
}

/// A grammar that accepts one text and nothing else.
fn exactly(text: &str) -> GrammarSource {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            c if c.is_alphanumeric() || c == ' ' => c.to_string(),
            c => format!("\\x{{{:x}}}", c as u32),
        })
        .collect();
    GrammarSource::regex("exactly", escaped)
}

/// Walks a text's tokens as a session does: what is forced must be the next tokens, and where there
/// is a choice, the mask must allow the next one. The text is complete then.
fn walk(vocabulary: &Vocabulary, mut constraint: Constraint, tokens: &[u32], text: &str) {
    let mut at = 0;
    while at < tokens.len() {
        let forced = constraint.forced().unwrap_or_else(|e| panic!("{text:?} at {at}: {}", e.message));
        assert!(tokens[at..].starts_with(&forced), "{text:?}: {forced:?} are forced at {at} of {tokens:?}");
        let next = if forced.is_empty() { &tokens[at..=at] } else { &forced };
        if forced.is_empty() {
            let mask = constraint.mask().unwrap_or_else(|e| panic!("{text:?} at {at}: {}", e.message));
            let word = String::from_utf8_lossy(vocabulary.bytes(next[0]));
            assert!(mask.allows(next[0]), "{text:?}: token {at}, {} {word:?}, is not allowed", next[0]);
        }
        for &token in next {
            assert!(constraint.commit(token).unwrap(), "{text:?}: token {token} is not taken at {at}");
        }
        at += next.len();
    }
    assert!(constraint.is_accepting().unwrap(), "{text:?} is not complete");
}

fn check(json: &Json, eos: u32, width: usize, texts: &[String]) {
    let vocabulary = of_json(json, eos, width).unwrap();
    let theirs = oracle(json);
    let compiler = Compiler::new(&vocabulary).unwrap();
    let (any, _) = compiler.compile(&GrammarSource::regex("any", "(?s:.*)"));
    let any = any.unwrap();
    texts.par_iter().filter(|text| !text.is_empty()).for_each(|text| {
        let tokens = vocabulary.encode_text(text).unwrap();
        assert_eq!(vocabulary.decode(&tokens), text.as_bytes(), "{text:?}");
        walk(&vocabulary, compile(&compiler, &exactly(text)), &tokens, text);
        walk(&vocabulary, any.constraint(), &tokens, text);
        // The tokenizer's own ids: they may begin with a space that is not in the text, and a
        // normalizer may have changed it; they spell a text all the same.
        let own = ids(&theirs, text);
        if own.iter().any(|&t| vocabulary.is_special(t)) {
            return;
        }
        walk(&vocabulary, any.constraint(), &own, text);
        let spelled = String::from_utf8(vocabulary.decode(&own)).unwrap();
        walk(&vocabulary, compile(&compiler, &exactly(&spelled)), &own, &spelled);
    });
}

#[test]
fn masks_agree_with_a_byte_level_tokenizer() {
    check(&byte_level(&fixture("pipelines.json")["qwen2"]), 0, 1808, &texts(1_000, 11));
}

#[test]
fn masks_agree_with_sentence_piece() {
    check(&fixture("pieces.tokenizer.json"), 2, 1408, &texts(1_000, 12));
}

#[test]
fn masks_agree_with_unigram() {
    check(&fixture("unigram.json"), 2, 1024, &texts(1_000, 13));
}

/// WordPiece cannot spell every text: its words begin with a space or go on with a word. What its
/// own tokens spell, it can.
#[test]
fn masks_agree_with_word_piece() {
    let json = fixture("wordpiece.json");
    let vocabulary = of_json(&json, 3, 900).unwrap();
    assert_eq!(vocabulary.decode(&ids(&oracle(&json), "the grammars")), b" the grammars");
    let mut chance = Chance::new(14);
    let texts: Vec<String> = (0..1_000)
        .map(|_| {
            let tokens: Vec<u32> = (0..1 + chance.below(10)).map(|_| 4 + chance.below(890) as u32).collect();
            String::from_utf8(vocabulary.decode(&tokens)).unwrap()
        })
        .collect();
    check(&json, 3, 900, &texts);
}
