//! The same ids as the tokenizers that the models were trained with.

use candle_core::quantized::gguf_file::Value;
use rayon::prelude::*;
use serde_json::{Value as Json, json};

use crate::corpus::texts;
use crate::files::{Metadata, byte_level, fixture, ids, of_json, oracle};

fn list(json: &Json) -> Vec<u32> {
    json.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

#[test]
fn a_byte_level_gguf_gives_the_ids_of_its_tokenizer_json() {
    let pipelines = fixture("pipelines.json");
    let lines = texts(10_000, 1);
    // The ways of splitting are told apart by these lines, or the comparison would mean little.
    let mut seen: Vec<(&str, Vec<Vec<u32>>)> = pipelines
        .as_object()
        .unwrap()
        .iter()
        .par_bridge()
        .map(|(name, pipeline)| {
            let mut json = byte_level(pipeline);
            json["model"]["ignore_merges"] = ["llama-bpe", "tekken"].contains(&name.as_str()).into();
            let theirs = oracle(&json);
            let ours = Metadata::of_byte_level(&json, name).load(1804).unwrap();
            // All lines for the families that most models are of.
            let main = ["llama-bpe", "qwen2", "deepseek-v3", "starcoder"].contains(&name.as_str());
            let found = lines.iter().take(if main { 10_000 } else { 2_000 }).map(|line| {
                let expected = ids(&theirs, line);
                assert_eq!(ours.encode_template(line, &[]).unwrap(), expected, "{name}: {line:?}");
                expected
            });
            (name.as_str(), found.collect())
        })
        .collect();
    seen.sort();
    assert_eq!(seen.len(), 14);
    for (at, (name, one)) in seen.iter().enumerate() {
        for (other, two) in &seen[..at] {
            // These two differ only in words that are tokens and cannot be merged.
            let kin = [name, other].iter().all(|name| ["dbrx", "llama-bpe"].contains(name));
            let both = one.len().min(two.len());
            assert!(kin || one[..both] != two[..both], "{name} and {other} split alike");
        }
    }
}

#[test]
fn every_known_name_of_a_way_of_splitting_works() {
    let json = byte_level(&fixture("pipelines.json")["gpt-2"]);
    let lines = texts(100, 2);
    // By family; kin share a row.
    for name in [
        "default",
        "gpt2",
        "olmo",
        "llama3",
        "llama-v3",
        "falcon3",
        "smaug-bpe",
        "glm4",
        "chatglm-bpe",
        "deepseek-r1-qwen",
        "stablelm2",
        "hunyuan",
        "deepseek-llm",
        "hunyuan-dense",
        "refact",
        "smollm",
        "codeshell",
        "exaone",
        "minerva-7b",
        "poro-chat",
        "viking",
        "llama4",
        "tiny_aya",
        "bailingmoe",
        "seed-coder",
        "exaone-moe",
        "minicpm5",
        "jais-2",
        "phi-2",
    ] {
        let ours = Metadata::of_byte_level(&json, name).load(1804).unwrap();
        for line in &lines {
            let spelled = ours.decode(&ours.encode_text(line).unwrap());
            assert_eq!(spelled, line.as_bytes(), "{name}");
        }
    }
    let unknown = Metadata::of_byte_level(&json, "martian").load(1804).unwrap_err();
    assert!(unknown.contains("\"martian\"") && unknown.contains("tokenizer.json beside"), "{unknown}");
}

#[test]
fn words_are_cut_where_the_models_cut_them() {
    let json = byte_level(&fixture("pipelines.json")["gpt-2"]);
    // What each family makes of digits and of a CJK run behind letters, from the models' own files.
    for (name, text, pieces) in [
        ("deepseek-llm", "ab12 Ὗώ!\n", vec!["ab", "1", "2", " Ὗώ", "!", "\n"]),
        ("deepseek-coder", "x1 漢字", vec!["x", "1", " 漢字"]),
        ("viking", "a12b", vec!["a", "1", "2", "b"]),
        ("llama3", "a12345", vec!["a", "123", "45"]),
        ("minicpm5", "12345", vec!["123", "45"]),
        ("default", "a+b 12345", vec!["a", "+", "b", " ", "123", "45"]),
    ] {
        let ours = Metadata::of_byte_level(&json, name).load(1804).unwrap();
        let apart: Vec<u32> =
            pieces.iter().flat_map(|piece| ours.encode_template(piece, &[]).unwrap()).collect();
        assert_eq!(ours.encode_template(text, &[]).unwrap(), apart, "{name}");
    }
}

#[test]
fn a_sentence_piece_gguf_gives_the_ids_of_sentence_piece() {
    let pieces = fixture("pieces.json");
    let ours = Metadata::of_pieces(&pieces).load(1400).unwrap();
    let lines = pieces["lines"].as_array().unwrap();
    assert!(lines.len() > 300);
    for (line, expected) in lines.iter().zip(pieces["ids"].as_array().unwrap()) {
        let line = line.as_str().unwrap();
        assert_eq!(ours.encode_template(line, &[]).unwrap(), list(expected), "{line:?}");
    }
    // A start token, since SentencePiece's models have one unless they say otherwise.
    assert_eq!(ours.encode_prompt("a").unwrap()[0], 1);
    assert_eq!(ours.eos(), [2]);

    let theirs = oracle(&fixture("pieces.tokenizer.json"));
    let beside = of_json(&fixture("pieces.tokenizer.json"), 2, 1400).unwrap();
    for line in texts(10_000, 3) {
        let expected = ids(&theirs, &line);
        assert_eq!(ours.encode_template(&line, &[]).unwrap(), expected, "{line:?}");
        assert_eq!(beside.encode_template(&line, &[]).unwrap(), expected, "{line:?}");
    }
    let bare = Metadata::of_pieces(&pieces).with("add_space_prefix", Value::Bool(false)).load(1400).unwrap();
    assert_eq!(bare.decode(&bare.encode_template("fn", &[]).unwrap()), b"fn");
    assert_eq!(ours.decode(&ours.encode_template("fn", &[]).unwrap()), b" fn");
}

#[test]
fn a_gemma_4_gguf_gives_the_ids_of_its_tokenizer_json() {
    let mut json = fixture("pieces.tokenizer.json");
    json["normalizer"] = json["normalizer"]["normalizers"][1].clone();
    let theirs = oracle(&json);
    let merges = json["model"]["merges"].as_array().unwrap().iter().map(|m| {
        m.as_str()
            .map_or_else(|| format!("{} {}", m[0].as_str().unwrap(), m[1].as_str().unwrap()), str::to_owned)
    });
    let ours = Metadata::of_pieces(&fixture("pieces.json"))
        .with("model", Value::String("gemma4".into()))
        .with("merges", crate::files::texts(merges))
        .with("eos_token_id", Value::U32(2))
        .load(1400)
        .unwrap();
    for line in texts(2_000, 5) {
        assert_eq!(ours.encode_template(&line, &[]).unwrap(), ids(&theirs, &line), "{line:?}");
    }
}

#[test]
fn unigram_gives_the_ids_of_sentence_piece() {
    let ours = of_json(&fixture("unigram.json"), 2, 1000).unwrap();
    let expected = fixture("unigram.ids.json");
    let pieces = fixture("pieces.json");
    let mut ties = 0;
    for (line, expected) in
        pieces["lines"].as_array().unwrap().iter().zip(expected["ids"].as_array().unwrap())
    {
        let (mut found, mut expected) =
            (ours.encode_template(line.as_str().unwrap(), &[]).unwrap(), list(expected));
        if found != expected {
            // The same pieces in another order have the same score, up to rounding.
            ties += 1;
            found.sort_unstable();
            expected.sort_unstable();
        }
        assert_eq!(found, expected, "{line}");
    }
    assert!(ties <= 1, "{ties}");
}

#[test]
fn decoding_is_what_the_decoder_says() {
    let byte_level = byte_level(&fixture("pipelines.json")["qwen2"]);
    let cases =
        [(byte_level, 1802), (fixture("pieces.tokenizer.json"), 1400), (fixture("unigram.json"), 1000)];
    for (json, width) in cases {
        let (ours, theirs) = (of_json(&json, 2, width).unwrap(), oracle(&json));
        for line in texts(1_000, 4) {
            // All of it typed: special tokens have no text.
            let prompt = ours.encode_template(&line, std::slice::from_ref(&(0..line.len()))).unwrap();
            let answer = ours.encode_text("= x;\n").unwrap();
            let said = theirs.decode(&[prompt.clone(), answer.clone()].concat(), false).unwrap();
            // The decoder takes away the space that the tokenizer has put before the text.
            let ours = String::from_utf8(ours.decode(&[prompt, answer].concat())).unwrap();
            assert!(said == ours || format!(" {said}") == ours, "{line:?}: {ours:?}, {said:?}");
            assert!(said.ends_with("= x;\n"));
        }
    }
}

#[test]
fn a_decoder_without_bytes_for_each_token_is_refused_by_name() {
    let mut json = fixture("bytes.json");
    let mut refused = |decoder: Json| {
        json["decoder"] = decoder;
        of_json(&json, 0, 1804).unwrap_err()
    };
    assert!(refused(Json::Null).contains("no decoder"));
    for kind in [
        json!({"type": "BPEDecoder", "suffix": "</w>"}),
        json!({"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": true}),
        json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}),
    ] {
        let message = refused(kind.clone());
        assert!(
            message.contains(kind["type"].as_str().unwrap()) && message.contains("supported are"),
            "{message}"
        );
    }
}
