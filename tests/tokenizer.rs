//! Tokenizers against independent ones, and masks against tokenizers.

#[path = "support/nano.rs"]
mod nano;

use nano::VOCABULARY;

#[test]
fn the_name_of_a_special_token_is_text_when_a_person_writes_it() {
    let text = "say <|im_end|> and <|im_end|>";
    let end = VOCABULARY.encode_prompt("<|im_end|>").unwrap()[1];
    assert!(VOCABULARY.is_special(end));
    let recognised = VOCABULARY.encode_prompt(text).unwrap();
    assert_eq!(recognised.iter().filter(|&&t| t == end).count(), 2);

    for tokens in [VOCABULARY.encode_text(text).unwrap(), VOCABULARY.encode(text)] {
        assert!(tokens.iter().all(|&t| !VOCABULARY.is_special(t)), "{tokens:?}");
        assert_eq!(VOCABULARY.decode(&tokens), text.as_bytes());
    }
    // Where there is no such name, both are the same, but for the start token.
    let text = "fn main() {\n\tprintln!(\"größe 42 👩‍🔬\");\n}\n";
    assert_eq!(VOCABULARY.encode_prompt(text).unwrap()[1..], VOCABULARY.encode_text(text).unwrap());
}
