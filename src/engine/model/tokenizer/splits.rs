//! How byte-level tokenizers split a text into words: a table from the names that GGUF files use
//! (`tokenizer.ggml.pre`) to the steps of the pre-tokenizer in those models' own `tokenizer.json`.
//!
//! The patterns are those of the models' published files. Whoever splits in another way gives a
//! model other tokens than it was trained on, so a name that is not in the table is an error.

use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{PreTokenizerWrapper, SplitDelimiterBehavior};

/// How one family of models splits.
pub(super) struct Rules {
    /// What GGUF files call it.
    pub names: &'static [&'static str],
    /// One after the other, each within the pieces of the one before.
    pub steps: &'static [Step],
    /// Text is composed (Unicode NFC) first.
    pub nfc: bool,
    /// A word that is in the vocabulary is one token, whatever the merges say.
    pub ignore_merges: bool,
    /// The start token comes before a prompt where the file does not say.
    pub add_bos: bool,
}

/// One step of a pre-tokenizer.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Every match of the pattern, and what is between matches, is a piece.
    Split(&'static str),
    /// Every digit is a piece.
    Digits,
    /// Every run of digits is a piece.
    Numbers,
    /// Every run of punctuation is a piece.
    Punctuation,
    /// GPT-2's words, then bytes as characters.
    Gpt2,
    /// Bytes as characters.
    Bytes,
}

use Step::{Bytes, Digits as EachDigit, Gpt2, Numbers, Punctuation as PunctuationRuns, Split as Cut};

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const O200K: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
// Characters whose composed form is another one are written by their numbers.
const DEEPSEEK_LETTERS: &str = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\x{1F5F}-\x{1F7D}ᾀ-ᾴᾶ-\x{1FBC}\x{1FBE}ῂ-ῄῆ-ῌ\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\x{2126}\x{2128}\x{212A}-\x{212D}ℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
const DEEPSEEK_HAN: &str = r"[一-龥ࠀ-一가-퟿]+";
const CJK: &str = r"[一-龥぀-ゟ゠-ヿ]+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const BLOOM: &str = r" ?[^(\s|[.,!?…。，、।۔،])]+";
const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const SEED_CODER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const EXAONE_MOE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
const MINICPM5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const JAIS2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";

const PLAIN: Rules = Rules { names: &[], steps: &[], nfc: false, ignore_merges: false, add_bos: false };

/// All that are known. The first is for files that name none: it is what other programs do then,
/// and no model's own.
pub(super) const TABLE: &[Rules] = &[
    Rules {
        names: &["default"],
        steps: &[Cut(r"[\p{P}\$\+<=>\^~\|]+"), Cut(GPT2), Cut(r"\p{N}+"), Cut("[0-9][0-9][0-9]"), Bytes],
        ..PLAIN
    },
    Rules {
        names: &[
            "gpt-2",
            "gpt2",
            "phi-2",
            "jina-es",
            "jina-de",
            "jina-v1-en",
            "jina-v2-es",
            "jina-v2-de",
            "jina-v2-code",
            "roberta-bpe",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "jais",
            "trillion",
            "granite-docling",
            "exaone4",
        ],
        steps: &[Gpt2],
        ..PLAIN
    },
    Rules { names: &["mpt", "olmo"], steps: &[Gpt2], nfc: true, ..PLAIN },
    Rules {
        names: &[
            "llama3",
            "llama-v3",
            "llama-bpe",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
        ],
        steps: &[Cut(LLAMA3), Bytes],
        ignore_merges: true,
        add_bos: true,
        ..PLAIN
    },
    Rules { names: &["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], steps: &[Cut(LLAMA3), Bytes], ..PLAIN },
    Rules {
        names: &["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2"],
        steps: &[Cut(QWEN2), Bytes],
        nfc: true,
        ..PLAIN
    },
    Rules { names: &["hunyuan", "solar-open", "grok-2"], steps: &[Cut(QWEN2), Bytes], ..PLAIN },
    Rules { names: &["qwen35"], steps: &[Cut(QWEN35), Bytes], nfc: true, ..PLAIN },
    Rules {
        names: &["deepseek-llm"],
        steps: &[
            Cut(r"[\r\n]"),
            Cut(DEEPSEEK_LETTERS),
            Cut(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
            Cut(r"\s+$"),
            Cut(DEEPSEEK_HAN),
            EachDigit,
            Bytes,
        ],
        ..PLAIN
    },
    Rules {
        names: &["deepseek-coder"],
        steps: &[Cut(r"[\r\n]"), Cut(r"\s?\p{L}+"), Cut(r"\s?\p{P}+"), Cut(DEEPSEEK_HAN), EachDigit, Bytes],
        ..PLAIN
    },
    Rules {
        names: &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        steps: &[Cut(r"\p{N}{1,3}"), Cut(CJK), Cut(DEEPSEEK3), Bytes],
        ..PLAIN
    },
    Rules {
        names: &["starcoder", "refact", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
        steps: &[EachDigit, Gpt2],
        ..PLAIN
    },
    Rules { names: &["command-r"], steps: &[EachDigit, Gpt2], nfc: true, ..PLAIN },
    // Digits are looked for among the characters that stand for bytes, as in the model's own file.
    Rules { names: &["falcon"], steps: &[PunctuationRuns, Gpt2, Numbers, Cut("[0-9][0-9][0-9]")], ..PLAIN },
    Rules { names: &["bloom", "poro-chat", "gpt3-finnish"], steps: &[Cut(BLOOM), Bytes], ..PLAIN },
    Rules { names: &["viking"], steps: &[Cut(BLOOM), EachDigit, Bytes], ..PLAIN },
    Rules { names: &["tekken"], steps: &[Cut(TEKKEN), Bytes], ignore_merges: true, add_bos: true, ..PLAIN },
    Rules {
        names: &["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
        steps: &[Cut(O200K), Bytes],
        ..PLAIN
    },
    Rules {
        names: &["tiny_aya", "cohere2moe"],
        steps: &[Cut(r"\d{1,3}(?=(?:\d{3})*\b)"), Cut(O200K), Bytes],
        ..PLAIN
    },
    Rules { names: &["bailingmoe", "bailingmoe2", "llada-moe"], steps: &[Cut(BAILING), Bytes], ..PLAIN },
    Rules { names: &["seed-coder"], steps: &[Cut(SEED_CODER), Bytes], ..PLAIN },
    Rules { names: &["exaone-moe"], steps: &[Cut(EXAONE_MOE), Bytes], ..PLAIN },
    Rules {
        names: &["minicpm5"],
        steps: &[Cut(r"\p{N}{1,3}"), Cut(MINICPM5), Bytes],
        ignore_merges: true,
        ..PLAIN
    },
    Rules { names: &["jais-2"], steps: &[Cut(JAIS2), Bytes], ..PLAIN },
];

impl Rules {
    /// The rules of a name.
    pub fn of(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|rules| rules.names.contains(&name))
    }

    /// The pre-tokenizer that follows them.
    ///
    /// # Errors
    /// If a pattern does not compile.
    pub fn pre_tokenizer(&self) -> tokenizers::Result<PreTokenizerWrapper> {
        let steps: tokenizers::Result<Vec<_>> = self.steps.iter().map(|step| step.build()).collect();
        Ok(Sequence::new(steps?).into())
    }
}

impl Step {
    fn build(self) -> tokenizers::Result<PreTokenizerWrapper> {
        Ok(match self {
            Cut(pattern) => {
                let pattern = SplitPattern::Regex(pattern.to_owned());
                Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?.into()
            }
            EachDigit => Digits::new(true).into(),
            Numbers => Digits::new(false).into(),
            PunctuationRuns => Punctuation::new(SplitDelimiterBehavior::Contiguous).into(),
            Gpt2 => ByteLevel::new(false, true, true).into(),
            Bytes => ByteLevel::new(false, true, false).into(),
        })
    }
}
