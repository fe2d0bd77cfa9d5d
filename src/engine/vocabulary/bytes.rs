//! The bytes that a token stands for, from the tokenizer's decoder.
//!
//! A mask needs bytes that are the token's own. Decoders that join tokens in a way that depends
//! on their neighbours have none, and are refused by name. What a decoder does to the start of a
//! whole text (taking the space off that was put there) does not count: what a model writes
//! follows a prompt, and a space there is a space.

use serde_json::Value;
use tokenizers::decoders::wordpiece::WordPiece;
use tokenizers::{Decoder, DecoderWrapper};

use super::VocabularyError;

/// How the names of tokens in a vocabulary spell bytes.
#[derive(Default)]
pub(super) struct TokenBytes(Vec<Step>);

enum Step {
    /// One text for another; SentencePiece's `▁` is a space.
    Replace(String, String),
    /// `<0x0A>` is the byte 10.
    Hex,
    /// GPT-2's: every byte is one printable character.
    ByteLevel(Box<[Option<u8>; 512]>),
    /// `##ing` goes on with a word, everything else begins one with a space.
    WordPiece(WordPiece),
}

impl TokenBytes {
    pub fn of(decoder: Option<&DecoderWrapper>) -> Result<Self, VocabularyError> {
        let Some(decoder) = decoder else {
            return Err(VocabularyError::Decoder("it has no decoder".into()));
        };
        let mut scheme = Self::default();
        match decoder {
            DecoderWrapper::WordPiece(words) => scheme.0.push(Step::WordPiece(words.clone())),
            other => {
                let json = serde_json::to_value(other).map_err(super::parts::parse)?;
                scheme.add(&json, &mut false)?;
            }
        }
        Ok(scheme)
    }

    /// Adds the steps of a decoder; `fused` says that one before has joined the tokens.
    fn add(&mut self, decoder: &Value, fused: &mut bool) -> Result<(), VocabularyError> {
        let text = |path: &str| decoder.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let kind = text("/type").unwrap_or_default();
        match kind.as_str() {
            "Sequence" => {
                let steps = decoder.get("decoders").and_then(Value::as_array).into_iter().flatten();
                steps.into_iter().try_for_each(|step| self.add(step, fused))?;
            }
            "Fuse" => *fused = true,
            "ByteFallback" => self.0.push(Step::Hex),
            "ByteLevel" => self.0.push(Step::ByteLevel(Box::new(byte_level_table()))),
            "Metaspace" => {
                let mark = text("/replacement").unwrap_or_else(|| "\u{2581}".into());
                self.0.push(Step::Replace(mark, " ".into()));
            }
            // Of the whole text, only its start.
            "Strip" if *fused && decoder.get("stop").and_then(Value::as_u64) == Some(0) => {}
            "Replace" if text("/pattern/String").is_some_and(|pattern| !pattern.is_empty()) => {
                let pattern = text("/pattern/String").unwrap_or_default();
                self.0.push(Step::Replace(pattern, text("/content").unwrap_or_default()));
            }
            other => {
                return Err(VocabularyError::Decoder(format!(
                    "its decoder {other} joins tokens in a way that depends on their neighbours"
                )));
            }
        }
        Ok(())
    }

    /// The bytes of a token of the model's own vocabulary.
    pub fn of_piece(&self, name: &str) -> Vec<u8> {
        self.spell(name, |table, text| {
            let bytes = text.chars().map(|c| table.get(c as usize).copied().flatten());
            bytes.collect::<Option<Vec<u8>>>().unwrap_or_else(|| text.as_bytes().to_vec())
        })
    }

    /// The bytes of a token added to it: its name is text, not byte-level characters.
    pub fn of_added(&self, name: &str) -> Vec<u8> {
        self.spell(name, |_, text| text.as_bytes().to_vec())
    }

    fn spell(&self, name: &str, byte_level: impl Fn(&[Option<u8>; 512], &str) -> Vec<u8>) -> Vec<u8> {
        let mut text = name.to_owned();
        for step in &self.0 {
            match step {
                Step::Replace(from, to) => text = text.replace(from, to),
                Step::Hex => {
                    if let Some(byte) = hex_byte(&text) {
                        return vec![byte];
                    }
                }
                Step::ByteLevel(table) => return byte_level(table, &text),
                Step::WordPiece(words) => {
                    // The first of a text is another matter.
                    let pair = words.decode_chain(vec![String::new(), text.clone()]).unwrap_or_default();
                    text = pair.into_iter().nth(1).unwrap_or(text);
                }
            }
        }
        text.into_bytes()
    }
}

/// `<0x0A>` is the byte 10.
fn hex_byte(name: &str) -> Option<u8> {
    let digits = name.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// The inverse of GPT-2's `bytes_to_unicode`: printable Latin-1 characters stand for themselves,
/// the other 68 bytes for the characters from U+0100 on, in order.
fn byte_level_table() -> [Option<u8>; 512] {
    let mut table = [None; 512];
    let mut next = 0x100;
    for byte in 0..=u8::MAX {
        let printable = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let index = if printable { usize::from(byte) } else { next };
        table[index] = Some(byte);
        if !printable {
            next += 1;
        }
    }
    table
}
