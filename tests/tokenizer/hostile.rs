//! Tokenizers that are broken or traps: an error that says what is wrong, soon, and no panic.

use std::time::{Duration, Instant};

use candle_core::quantized::gguf_file::Value;
use maze::engine::error::LoadError;
use maze::engine::model::tokenizer::{SideFiles, vocabulary};
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use serde_json::{Value as Json, json};

use crate::corpus::texts;
use crate::files::{Metadata, byte_level, fixture, of_json};

/// Far more than any of them takes, far less than a person would wait.
const SOON: Duration = Duration::from_secs(20);

fn refused(json: &Json, fragments: &[&str]) {
    let start = Instant::now();
    let message = match of_json(json, 0, 2048) {
        Err(message) => message,
        Ok(_) => panic!("{fragments:?} is taken"),
    };
    assert!(start.elapsed() < SOON, "{fragments:?} took {:?}", start.elapsed());
    assert!(message.len() < 1000, "a message of {} bytes", message.len());
    for fragment in fragments {
        assert!(message.contains(fragment), "{message:?} lacks {fragment:?}");
    }
}

fn changed(change: impl FnOnce(&mut Json)) -> Json {
    let mut json = byte_level(&fixture("pipelines.json")["qwen2"]);
    change(&mut json);
    json
}

#[test]
fn ids_that_do_not_fit_are_named() {
    refused(&changed(|j| j["model"]["vocab"]["twice"] = 300.into()), &["id 300", "twice"]);
    refused(
        &changed(|j| j["model"]["vocab"]["far"] = 4_000_000_000_u32.into()),
        &["4000000000", "2048 wide"],
    );
    refused(&changed(|j| j["model"]["vocab"]["odd"] = (-1).into()), &["-1"]);
    refused(&changed(|j| j["added_tokens"][3]["id"] = 2048.into()), &["2048"]);
    refused(&changed(|j| j["added_tokens"][3]["id"] = 2.into()), &["id 2", "<think>"]);
    refused(&changed(|j| j["added_tokens"][3]["content"] = "return".into()), &["return"]);
    let empty = json!({"added_tokens": [], "decoder": {"type": "ByteFallback"}, "model": {"type": "BPE", "vocab": {}, "merges": []}});
    refused(&empty, &["no tokens"]);
}

/// A gap between the vocabulary and the added tokens: `tokenizers` would count on from the vocabulary.
#[test]
fn added_tokens_keep_the_ids_of_the_file() {
    let json = changed(|j| j["added_tokens"][3]["id"] = 1900.into());
    let vocabulary = of_json(&json, 0, 2048).unwrap();
    assert_eq!(vocabulary.encode_prompt("<think></think>").unwrap(), [1900, 1801]);
    assert_eq!(vocabulary.bytes(1900), b"<think>");
    assert!(vocabulary.is_padding(1800));
    let mut unigram = fixture("unigram.json");
    let new = json!({"id": 1500, "content": "<new>", "special": false});
    unigram["added_tokens"].as_array_mut().unwrap().push(new);
    refused(&unigram, &["without a gap"]);
}

#[test]
fn merges_of_tokens_that_are_not_there_are_named() {
    for merge in [json!(["zzz", "yyy"]), json!("fn main("), json!(["a"]), json!(["a", "b", "c"]), json!(7)] {
        refused(&changed(|j| j["model"]["merges"][0] = merge), &[]);
    }
    // Longer than every token: `tokenizers` panics.
    let long =
        |j: &Json| j["model"]["vocab"].as_object().unwrap().keys().max_by_key(|k| k.len()).unwrap().clone();
    refused(&changed(|j| j["model"]["merges"][5] = json!([long(j), long(j)])), &["merge 5"]);
    // A prefix that no token has.
    refused(&changed(|j| j["model"]["continuing_subword_prefix"] = "é".into()), &["merge 0"]);
}

#[test]
fn parts_that_are_no_tokenizer_are_named() {
    let split = |pattern: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    refused(&changed(|j| j["pre_tokenizer"] = split("(unclosed")), &["pre_tokenizer"]);
    refused(
        &changed(|j| j["pre_tokenizer"] = split(&"a".repeat(1 << 20))),
        &["pre_tokenizer", "16384 bytes"],
    );
    refused(&changed(|j| j["pre_tokenizer"] = json!({"type": "Martian"})), &["pre_tokenizer"]);
    refused(&changed(|j| j["model"]["type"] = "Martian".into()), &["Martian", "BPE, Unigram and WordPiece"]);
    refused(&changed(|j| j["model"]["type"] = "WordLevel".into()), &["WordLevel"]);
    refused(&changed(|j| j["model"]["vocab"] = json!([["a", 0.0]])), &["form of another kind"]);
    refused(
        &changed(|j| j["normalizer"] = json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"})),
        &[],
    );
    refused(&json!([]), &[]);
    for depth in [30, 5_000] {
        let text = serde_json::to_string(&changed(|j| j["pre_tokenizer"] = "HERE".into())).unwrap();
        let text = text.replace("\"HERE\"", &nested(depth));
        let special = SpecialTokens { bos: None, eos: vec![0] };
        let error = Vocabulary::from_tokenizer_json(text.as_bytes(), &special, 2048).unwrap_err().to_string();
        assert!(error.contains("16 levels") || error.contains("recursion limit"), "{error}");
    }
    let endless = changed(|j| {
        j["model"] =
            json!({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["", 0.0], ["a", -1.0]]});
        j["added_tokens"] = json!([]);
    });
    refused(&endless, &["empty"]);
}

/// The text of a sequence in a sequence in a sequence.
fn nested(depth: usize) -> String {
    format!(
        "{}{{\"type\":\"Digits\",\"individual_digits\":true}}{}",
        "{\"type\":\"Sequence\",\"pretokenizers\":[".repeat(depth),
        "]}".repeat(depth)
    )
}

#[test]
fn huge_tokenizers_are_refused_soon() {
    let many: Vec<Json> = (0..1_000_000)
        .map(|n| json!({"id": 1800 + n, "content": format!("<extra{n}>"), "special": true}))
        .collect();
    let json = changed(|j| j["added_tokens"] = many.into());
    refused(&json, &["ids up to 1001799", "2048 wide"]);
    let start = Instant::now();
    let wide = of_json(&json, 0, 1 << 21).unwrap_err();
    assert!(wide.contains("adds 1000000 tokens") && start.elapsed() < SOON, "{wide}");

    let long = "x".repeat(100 << 20);
    refused(&changed(|j| j["model"]["vocab"][&long] = 1950.into()), &["token 1950 has 104857600 bytes"]);
    let long = "x".repeat(1 << 20);
    refused(&changed(|j| j["added_tokens"][3]["content"] = long.as_str().into()), &["1048576 bytes"]);
    refused(&changed(|j| j["model"]["merges"][0] = long.as_str().into()), &[]);
    refused(&changed(|j| j["model"]["type"] = long.as_str().into()), &[]);

    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("tokenizer.json")).unwrap();
    file.set_len(200 << 30).unwrap();
    let side = SideFiles::Folder(folder.path().to_owned());
    let message = vocabulary(&side, None, 2048, &mut |_, _| Ok(())).unwrap_err().to_string();
    assert!(message.contains("tokenizer.json") && message.contains("128 MiB"), "{message}");
}

#[test]
fn a_hundred_thousand_added_tokens_work() {
    let many: Vec<Json> = (0..100_000)
        .map(|n| json!({"id": 1800 + n, "content": format!("<audio_{n}>"), "special": false}))
        .collect();
    let start = Instant::now();
    let vocabulary = of_json(&changed(|j| j["added_tokens"] = many.into()), 0, 1 << 17).unwrap();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_eq!(vocabulary.encode_text("<audio_99999>").unwrap(), [101_799]);
}

/// A pattern that takes exponential time gives up, which is an error of the text and no panic.
#[test]
fn a_pattern_that_gives_up_is_an_error() {
    let split = json!({"type": "Split", "pattern": {"Regex": "(?:(?:a|a)+)+b"}, "behavior": "Isolated", "invert": false});
    let json = changed(|j| {
        j["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [split, {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]});
    });
    let vocabulary = of_json(&json, 0, 2048).unwrap();
    let text = "a".repeat(60);
    let start = Instant::now();
    let error = vocabulary.encode_prompt(&text).unwrap_err().to_string();
    assert!(error.contains("retry-limit"), "{error}");
    // What a grammar forces must come out whatever the pattern does.
    assert_eq!(vocabulary.decode(&vocabulary.encode(&text)), text.as_bytes());
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn broken_metadata_are_named() {
    let good = || Metadata::of_byte_level(&changed(|_| {}), "qwen2");
    let texts = |list: &[&str]| Value::Array(list.iter().map(|t| Value::String((*t).into())).collect());
    for (metadata, fragment) in [
        (good().with("model", Value::String("rwkv".into())), "\"rwkv\"; known are gpt2, llama and gemma4"),
        (good().with("model", Value::U32(1)), "no tokenizer.ggml.model"),
        (good().with("tokens", texts(&["a", "a"])), "\"a\" has the ids 0 and 1"),
        (good().with("tokens", texts(&[])), "no tokens"),
        (good().with("tokens", Value::U32(1)), "tokenizer.ggml.tokens is not a list"),
        (
            good().with("tokens", Value::Array(vec![Value::U32(1)])),
            "item 0 of tokenizer.ggml.tokens is not a text",
        ),
        (good().with("token_type", Value::Array(vec![Value::I32(1)])), "1802 tokens and 1 types"),
        (good().with("merges", texts(&["ab"])), "the merge \"ab\" is not two tokens"),
        (good().with("eos_token_id", Value::U32(9999)), "9999"),
        (good().with("model", Value::String("llama".into())), "no tokenizer.ggml.scores"),
    ] {
        let message = metadata.load(2048).unwrap_err();
        assert!(
            message.contains("model.gguf") && message.contains(fragment),
            "{message:?} lacks {fragment:?}"
        );
    }
    // More merges than tokens for them: other programs skip those too.
    assert!(good().with("merges", texts(&["zz yy", "a b"])).load(2048).is_ok());
}

#[test]
fn reading_a_tokenizer_can_be_cancelled_between_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let json = changed(|_| {});
    std::fs::write(folder.path().join("tokenizer.json"), serde_json::to_vec(&json).unwrap()).unwrap();
    let side = SideFiles::Folder(folder.path().to_owned());
    for stop in 0..3 {
        let mut asked = 0;
        let result = vocabulary(&side, None, 2048, &mut |done, total| {
            assert_eq!((done, total), (asked, 3));
            asked += 1;
            if done == stop { Err(LoadError::Cancelled) } else { Ok(()) }
        });
        assert!(matches!(result, Err(LoadError::Cancelled)), "{stop}");
        assert_eq!(asked, stop + 1);
    }
}

/// Text that no tokenizer was made for still comes out whole, from every kind.
#[test]
fn any_text_is_spelled() {
    for (json, eos) in
        [(changed(|_| {}), 0), (fixture("pieces.tokenizer.json"), 2), (fixture("unigram.json"), 2)]
    {
        let vocabulary = of_json(&json, eos, 2048).unwrap();
        let mut all = texts(2_000, 31);
        all.extend([
            String::new(),
            " ".repeat(20_000),
            "x".repeat(20_000),
            "👩‍🔬".repeat(2_000),
            "\n".repeat(5_000),
        ]);
        for text in all {
            assert_eq!(vocabulary.decode(&vocabulary.encode_text(&text).unwrap()), text.as_bytes());
        }
    }
}
