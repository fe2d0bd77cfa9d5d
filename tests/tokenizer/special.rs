//! Special tokens: where their names count, and which of them start and end a text.

use candle_core::quantized::gguf_file::Value;
use maze::engine::chat::{ChatSettings, ChatTemplate};
use maze::engine::vocabulary::Vocabulary;
use serde_json::{Value as Json, json};

use crate::corpus::texts;
use crate::files::{Metadata, byte_level, fixture, ids, of_json, oracle};

fn chat() -> Json {
    byte_level(&fixture("pipelines.json")["qwen2"])
}

#[test]
fn the_name_of_a_special_token_is_text_when_a_person_writes_it() {
    let vocabulary = of_json(&chat(), 0, 1804).unwrap();
    let text = "say <|im_end|> and <|im_end|>";
    let recognised = vocabulary.encode_prompt(text).unwrap();
    assert_eq!(recognised.iter().filter(|&&t| t == 2).count(), 2);
    for tokens in [vocabulary.encode_text(text).unwrap(), vocabulary.encode(text)] {
        assert!(tokens.iter().all(|&t| !vocabulary.is_special(t)), "{tokens:?}");
        assert_eq!(vocabulary.decode(&tokens), text.as_bytes());
    }
    // Where there is no such name, both are the same.
    let text = "fn main() {\n\tprintln!(\"größe 42 👩‍🔬\");\n}\n";
    assert_eq!(vocabulary.encode_prompt(text).unwrap(), vocabulary.encode_text(text).unwrap());
    // Added tokens that are no control tokens are words like others.
    assert_eq!(vocabulary.encode_text("<think>").unwrap(), [1800]);
    assert!(!vocabulary.is_special(1800));
}

/// The tokens of a chat in which a person says `text`, and nothing else is said.
fn said(vocabulary: &Vocabulary, text: &str) -> Vec<u32> {
    let source = "{{ messages[0].content }}{# <tool> <think> aa #}";
    let template = ChatTemplate::new(source, "test.jinja", serde_json::Map::new());
    template.prompt(vocabulary, text, &ChatSettings::default()).unwrap().tokens
}

/// Whatever a tokenizer makes of a text before it looks for names, and whatever its model finds by
/// itself: no control token comes of what a person says, and nothing of it is lost.
#[test]
fn no_tokenizer_finds_a_control_token_in_what_a_person_says() {
    let added = |id: u32, name: &str, special: bool| {
        json!({"id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": true, "special": special})
    };
    let mut folded = chat();
    folded["normalizer"] = json!({"type": "NFKC"});
    for id in 0..3 {
        folded["added_tokens"][id]["normalized"] = true.into();
    }
    folded["added_tokens"].as_array_mut().unwrap().extend([
        added(1802, "◆", true),
        added(1803, "aa", false),
        added(1804, "(株)", true),
    ]);
    let pieces = fixture("pieces.tokenizer.json");
    for (json, width, texts) in [
        (&fixture("unigram.json"), 1000, &["</s>", "a </s><s> b", "<</s>", "x<tool>y"][..]),
        (&pieces, 1400, &["</s>", "a <s></s> b", "</s</s>>", "x<tool>y", "<tool> <tool></s>"]),
        (&fixture("wordpiece.json"), 900, &["[CLS]", "a [SEP] b"]),
        (&folded, 1805, &["<|im_end|>", "＜|im_end|＞", "a◆b", "◆", "㈱ ◆◆", "aaa", "<think>", "＜think＞"]),
    ] {
        let vocabulary = of_json(json, 2, width).unwrap();
        for text in texts {
            let tokens = said(&vocabulary, text);
            let control = |t: &u32| vocabulary.is_special(*t) || [3, 1800, 1803].contains(t) && width != 900;
            assert!(!tokens.iter().any(control), "{text:?}: {tokens:?}");
            let spelled = String::from_utf8(vocabulary.decode(&tokens)).unwrap();
            let folded = text.replace('＜', "<").replace('＞', ">").replace('㈱', "(株)");
            let squeezed = |text: &str| text.replace(' ', "");
            match width {
                900 => assert_eq!(squeezed(&spelled), squeezed(&folded)),
                _ => assert_eq!(spelled.strip_prefix(' ').unwrap_or(&spelled), folded),
            }
        }
    }
}

#[test]
fn in_a_template_only_the_templates_own_names_count() {
    for json in [chat(), fixture("pieces.tokenizer.json")] {
        let theirs = oracle(&json);
        let vocabulary = of_json(&json, 2, 1804).unwrap();
        let end = String::from_utf8(vocabulary.bytes(2).to_vec()).unwrap();
        let (before, typed, after) = (format!("{end}user\n"), format!("hi {end} there"), format!("{end}\n"));
        let text = format!("{before}{typed}{after}");
        let place = before.len()..before.len() + typed.len();
        let tokens = vocabulary.encode_template(&text, &[place]).unwrap();
        let at: Vec<usize> = (0..tokens.len()).filter(|&i| tokens[i] == 2).collect();
        assert_eq!((at.len(), at[0]), (2, 0), "{tokens:?}");
        // Between two special tokens a tokenizer does what it does for a text of its own.
        let middle = &tokens[1..at[1]];
        assert!(middle.iter().all(|&t| !vocabulary.is_special(t)));
        let spelled = String::from_utf8(vocabulary.decode(middle)).unwrap();
        assert_eq!(spelled.trim_start(), format!("user\n{typed}"));
        // A name that is only half typed is none.
        let half = before.len() + 1..before.len() + 2;
        let kept = vocabulary.encode_template(&format!("{before}{end}"), &[half]).unwrap();
        assert_eq!(kept.iter().filter(|&&t| t == 2).count(), 1);
        // With nothing typed it is the tokenizer's own way.
        for line in texts(300, 21) {
            let text = format!("{before}{line}{after}");
            assert_eq!(vocabulary.encode_template(&text, &[]).unwrap(), ids(&theirs, &text));
        }
    }
}

#[test]
fn what_a_tokenizer_puts_before_a_text_is_put_once_and_nothing_behind_it() {
    let mut json = chat();
    let token = |id: u32, name: &str| json!({"id": name, "ids": [id], "tokens": [name]});
    let special = |id: u32, name: &str| json!({"SpecialToken": {"id": name, "type_id": id - id}});
    json["post_processor"] = json!({
        "type": "TemplateProcessing",
        "single": [special(1, "<|im_start|>"), {"Sequence": {"id": "A", "type_id": 0}}, special(2, "<|im_end|>")],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<|im_start|>": token(1, "<|im_start|>"), "<|im_end|>": token(2, "<|im_end|>")}
    });
    let vocabulary = of_json(&json, 2, 1804).unwrap();
    let tokens = vocabulary.encode_prompt("a").unwrap();
    assert_eq!((tokens[0], tokens.len()), (1, 2));
    assert_eq!(vocabulary.encode_prompt("<|im_start|>a").unwrap(), tokens);
    assert_eq!(vocabulary.encode_prompt("").unwrap(), [1]);
    // Cutting and padding are for batches.
    json["truncation"] =
        json!({"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0});
    assert_eq!(
        of_json(&json, 2, 1804).unwrap().encode_text("fn main() {}").unwrap().len(),
        vocabulary.encode_text("fn main() {}").unwrap().len()
    );
}

#[test]
fn every_end_counts() {
    let metadata = || Metadata::of_byte_level(&chat(), "qwen2");
    // The file's own, and those whose name says so.
    assert_eq!(metadata().load(1804).unwrap().eos(), [0, 2]);
    let all = metadata().with("eot_token_id", Value::U32(7)).with("eom_token_id", Value::U32(9));
    assert_eq!(all.load(1804).unwrap().eos(), [0, 7, 9, 2]);
    let beside = [
        ("generation_config.json", json!({"eos_token_id": [5, 2]})),
        ("tokenizer_config.json", json!({"eos_token": {"content": "<|im_start|>"}})),
        ("config.json", json!({"eos_token_id": 11})),
    ];
    // A config.json beside a GGUF file is another model's.
    let vocabulary = metadata().load_beside(1804, &beside).unwrap();
    assert_eq!(vocabulary.eos(), [5, 2, 1, 0]);
    // An end token is never text, even if the tokenizer has it as a word.
    assert!(vocabulary.is_special(5) && !vocabulary.is_special(6));
    assert!(vocabulary.decode(&[5]).is_empty());
}

/// The metadata of the byte-level fixture with other names for its three special tokens.
fn renamed(names: [&str; 3]) -> Metadata {
    let mut json = chat();
    for (id, name) in names.into_iter().enumerate() {
        json["added_tokens"][id]["content"] = name.into();
    }
    let mut metadata = Metadata::of_byte_level(&json, "qwen2");
    metadata.0.retain(|(key, _)| key != "tokenizer.ggml.eos_token_id");
    metadata
}

#[test]
fn names_that_end_a_turn_count_and_others_do_not() {
    let ends = |names| renamed(names).load(1804).map(|v| v.eos().to_vec());
    assert_eq!(ends(["<|fim_pad|>", "<|eot_id|>", "<|file_sep|>"]).unwrap(), [1]);
    assert_eq!(ends(["<｜end▁of▁sentence｜>", "<end_of_turn>", "<pad>"]).unwrap(), [1, 0]);
    // In OpenAI's format a message ends with <|end|>, and the turn goes on.
    assert_eq!(ends(["<|return|>", "<|call|>", "<|end|>"]).unwrap(), [0, 1]);
    assert_eq!(ends(["<|user|>", "<|end|>", "<pad>"]).unwrap(), [1]);
    // These count only where nothing else does.
    assert_eq!(ends(["</s>", "<|im_end|>", "<pad>"]).unwrap(), [1]);
    assert_eq!(ends(["</s>", "<s>", "<pad>"]).unwrap(), [0]);
    let none = ends(["<a>", "<b>", "<c>"]).unwrap_err();
    assert!(none.contains("no end-of-sequence token"), "{none}");
}

#[test]
fn unused_tokens_are_padding() {
    let mut metadata = Metadata::of_byte_level(&chat(), "qwen2");
    for (key, value) in &mut metadata.0 {
        match value {
            Value::Array(items) if key.ends_with("tokens") => items.push(Value::String("[PAD1802]".into())),
            Value::Array(items) if key.ends_with("token_type") => items.push(Value::I32(5)),
            _ => {}
        }
    }
    let vocabulary = metadata.load(1804).unwrap();
    assert!(vocabulary.is_padding(1802) && vocabulary.is_padding(1803) && !vocabulary.is_padding(1801));
    let text = "[PAD1802]";
    assert_eq!(vocabulary.decode(&vocabulary.encode_prompt(text).unwrap()), text.as_bytes());
}

/// As in the `tokenizer.json` of Phi 3, which is where the metadata come from.
#[test]
fn phi_3_leaves_out_the_white_space_behind_its_special_tokens() {
    let mut metadata = Metadata::of_byte_level(&chat(), "qwen2");
    let plain = metadata.load(1804).unwrap();
    metadata.0.push(("general.name".into(), Value::String("Phi-3-mini".into())));
    let phi = metadata.load(1804).unwrap();
    let (spaced, tight) = ("<|im_end|>\n hi", "<|im_end|>hi");
    assert_eq!(phi.encode_template(spaced, &[]).unwrap(), plain.encode_template(tight, &[]).unwrap());
    assert_ne!(plain.encode_template(spaced, &[]).unwrap(), plain.encode_template(tight, &[]).unwrap());
    let kept = "<|endoftext|>\n hi";
    assert_eq!(phi.encode_template(kept, &[]).unwrap(), plain.encode_template(kept, &[]).unwrap());
}
