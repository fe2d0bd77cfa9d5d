//! Text to tokens, in the three ways the engine needs: as the model's own tokenizer cuts a prompt,
//! the same for a rendered template in which some parts were written by a person, and without any
//! change for text that goes on from another.
//!
//! The large model exists once; only the small parts around it exist in several variants.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use tokenizers::{
    AddedVocabulary, Model, NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential, OffsetType,
    PreTokenizer, PreTokenizerWrapper, Result, Tokenizer,
};

use crate::engine::trace::TokenId;

/// A tokenizer, and its small parts in the variants that plain text needs.
pub(super) struct TextTokenizer {
    tokenizer: Tokenizer,
    /// What the tokenizer puts before every text.
    start: Vec<TokenId>,
    /// As the tokenizer does it, but names of special tokens stay text.
    plain: Around,
    /// `plain` for text that is not at the start of a prompt.
    later: Around,
    /// `plain` for text that goes on in the middle of a person's text.
    inside: Around,
    /// Without anything that would change the text.
    exact: Around,
    /// The added tokens that are control tokens.
    special: HashSet<TokenId>,
}

/// What is around a model: it finds added tokens, changes the text and cuts it into words.
struct Around {
    added: Arc<AddedVocabulary>,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
}

/// A text whose sections lie between the special tokens of a template.
struct Sections<'t> {
    text: &'t str,
    /// Where to cut them.
    cuts: Vec<usize>,
    /// Where the names of control tokens can be cut.
    marks: Vec<usize>,
    /// The special tokens that were named by a person.
    typed: Vec<TokenId>,
}

impl TextTokenizer {
    pub(super) fn new(tokenizer: Tokenizer) -> Result<Self> {
        let mut added = tokenizer.get_added_vocabulary().clone();
        added.set_encode_special_tokens(true);
        let added = Arc::new(added);
        let around = |edit: fn(&Value) -> Option<Value>| Around::new(&tokenizer, &added, edit);
        let (plain, later) = (around(|part| Some(part.clone()))?, around(|part| Some(without_first(part)))?);
        let (inside, exact) = (around(without_prefix)?, around(exact)?);
        // The only way to learn what a post-processor puts where.
        let bare = tokenizer.encode_fast("a", false)?;
        let whole = tokenizer.encode_fast("a", true)?;
        let before = whole
            .get_ids()
            .windows(bare.len().max(1))
            .position(|window| window == bare.get_ids())
            .unwrap_or(0);
        let start = whole.get_ids()[..before].to_vec();
        let decoder = tokenizer.get_added_tokens_decoder();
        let special = decoder.into_iter().filter(|(_, token)| token.special).map(|(id, _)| id).collect();
        Ok(Self { tokenizer, start, plain, later, inside, exact, special })
    }

    /// What the tokenizer puts before a text. What it puts behind one is left out: generation goes
    /// on there.
    pub(super) fn start(&self) -> &[TokenId] {
        &self.start
    }

    /// Names of added tokens become those tokens, but for those that touch a range of `typed`, in
    /// bytes.
    pub(super) fn template(&self, text: &str, typed: &[Range<usize>]) -> Result<Vec<TokenId>> {
        let found = self.added_tokens(text);
        let touching = |at: &Range<usize>| typed.iter().find(|t| t.start < at.end && at.start < t.end);
        if !found.iter().any(|(at, _)| touching(at).is_some()) {
            return Ok(self.tokenizer.encode_fast(text, false)?.get_ids().to_vec());
        }
        let (special, other): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(_, token)| self.special.contains(token));
        let everywhere = || typed.iter().map(|range| range.start);
        let mut sections =
            Sections { text, cuts: Vec::new(), marks: everywhere().collect(), typed: Vec::new() };
        // A section knows no special tokens, but it knows the other added ones, unless those are cut.
        for (at, _) in other {
            if let Some(range) = touching(&at) {
                let second = text[at.start..].chars().next().map_or(at.end, |c| at.start + c.len_utf8());
                sections.cuts.push(range.start.max(second));
            }
        }
        if !sections.cuts.is_empty() {
            // What is left of a name may be another one.
            sections.cuts.extend(everywhere());
            sections.cuts.sort_unstable();
        }
        let (typed, own): (Vec<_>, Vec<_>) = special.into_iter().partition(|(at, _)| touching(at).is_some());
        sections.typed = typed.into_iter().map(|(_, token)| token).collect();
        let mut tokens = Vec::new();
        let mut done = 0;
        for (at, token) in own {
            tokens.extend(self.section(&sections, done..at.start)?);
            tokens.push(token);
            done = at.end;
        }
        tokens.extend(self.section(&sections, done..text.len())?);
        Ok(tokens)
    }

    /// The tokens of a section. Some models find the names of special tokens in plain text by
    /// themselves: then it is cut inside of every name.
    fn section(&self, sections: &Sections<'_>, at: Range<usize>) -> Result<Vec<TokenId>> {
        let mut tokens = self.pieces(sections.text, at.clone(), &sections.cuts)?;
        if tokens.iter().any(|token| sections.typed.contains(token)) {
            tokens = self.pieces(sections.text, at, &sections.marks)?;
            tokens.retain(|token| !sections.typed.contains(token));
        }
        Ok(tokens)
    }

    /// The tokens of the pieces between `cuts`.
    fn pieces(&self, text: &str, at: Range<usize>, cuts: &[usize]) -> Result<Vec<TokenId>> {
        let mut around = if at.start == 0 { &self.plain } else { &self.later };
        let mut tokens = Vec::new();
        let mut from = at.start;
        for &cut in cuts.iter().filter(|&&cut| at.start < cut && cut < at.end) {
            tokens.extend(around.encode(&self.tokenizer, &text[from..cut])?);
            (from, around) = (cut, &self.inside);
        }
        tokens.extend(around.encode(&self.tokenizer, &text[from..at.end])?);
        Ok(tokens)
    }

    /// Where added tokens are named in a text, and which they are.
    pub(super) fn added_tokens(&self, text: &str) -> Vec<(Range<usize>, TokenId)> {
        let added = self.tokenizer.get_added_vocabulary();
        let pieces = added.extract_and_normalize(self.tokenizer.get_normalizer(), text);
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits
            .into_iter()
            .filter_map(|(_, (start, end), tokens)| {
                let start = (0..=start).rev().find(|&at| text.is_char_boundary(at))?;
                let end = (end..=text.len()).find(|&at| text.is_char_boundary(at))?;
                Some((start..end, tokens.as_ref()?.first()?.id))
            })
            .collect()
    }

    /// The tokens that were added as a whole, special ones among them.
    pub(super) fn added(&self) -> Vec<(String, TokenId)> {
        let added = self.tokenizer.get_added_tokens_decoder();
        added.into_iter().map(|(id, token)| (token.content, id)).collect()
    }

    /// Names of special tokens stay text, and nothing is added to it or changed in it, as far as
    /// the model's vocabulary can spell it.
    pub(super) fn exact(&self, text: &str) -> Result<Vec<TokenId>> {
        self.exact.encode(&self.tokenizer, text)
    }
}

impl Around {
    /// The parts of a tokenizer, each changed by `edit` or left out.
    fn new(
        tokenizer: &Tokenizer,
        added: &Arc<AddedVocabulary>,
        edit: fn(&Value) -> Option<Value>,
    ) -> Result<Self> {
        fn part<T, U>(part: Option<&T>, edit: fn(&Value) -> Option<Value>) -> Result<Option<U>>
        where
            T: serde::Serialize,
            U: serde::de::DeserializeOwned,
        {
            let Some(part) = part else { return Ok(None) };
            Ok(edit(&serde_json::to_value(part)?).map(serde_json::from_value).transpose()?)
        }
        let normalizer = part(tokenizer.get_normalizer(), edit)?;
        let mut added = added.clone();
        // Searching for them anew is dear where there are many, and most are of plain letters.
        let old = tokenizer.get_normalizer();
        let changed =
            added.get_added_tokens_decoder().values().filter(|token| token.normalized).any(|token| {
                normalized(old, &token.content) != normalized(normalizer.as_ref(), &token.content)
            });
        if changed {
            let mut own = AddedVocabulary::clone(&added);
            own.refresh_normalized_tokens(normalizer.as_ref())?;
            added = Arc::new(own);
        }
        Ok(Self { added, normalizer, pre_tokenizer: part(tokenizer.get_pre_tokenizer(), edit)? })
    }

    fn encode(&self, tokenizer: &Tokenizer, text: &str) -> Result<Vec<TokenId>> {
        let mut pieces = self.added.extract_and_normalize(self.normalizer.as_ref(), text);
        if let Some(splitter) = &self.pre_tokenizer {
            splitter.pre_tokenize(&mut pieces)?;
        }
        let model = tokenizer.get_model();
        pieces.tokenize(|piece| model.tokenize(piece.get()))?;
        Ok(pieces.into_encoding(None, 0, OffsetType::None)?.get_ids().to_vec())
    }
}

fn normalized(normalizer: Option<&NormalizerWrapper>, text: &str) -> Option<String> {
    let mut text = NormalizedString::from(text);
    normalizer.map_or(Ok(()), |normalizer| normalizer.normalize(&mut text)).ok()?;
    Some(text.get().to_owned())
}

/// A part that puts nothing before text which is not at the start.
fn without_first(part: &Value) -> Value {
    let mut part = part.clone();
    if let Some(steps) = part.get_mut("pretokenizers").and_then(Value::as_array_mut) {
        steps.iter_mut().for_each(|step| *step = without_first(step));
    }
    if let Some(scheme) = part.get_mut("prepend_scheme")
        && scheme == "first"
    {
        *scheme = "never".into();
    }
    part
}

/// A part that puts nothing before a text.
fn without_prefix(part: &Value) -> Option<Value> {
    let mut kept = part.clone();
    for steps in ["normalizers", "pretokenizers"] {
        if let Some(list) = kept.get_mut(steps).and_then(Value::as_array_mut) {
            *list = list.iter().filter_map(without_prefix).collect();
        }
    }
    for (key, value) in [("prepend_scheme", Value::from("never")), ("add_prefix_space", false.into())] {
        if let Some(setting) = kept.get_mut(key) {
            *setting = value;
        }
    }
    (part.get("type").is_none_or(|kind| kind != "Prepend")).then_some(kept)
}

/// A part that keeps every byte: steps that only spell or split stay, those that add, drop or
/// replace text go.
fn exact(part: &Value) -> Option<Value> {
    let mut kept = without_prefix(part)?;
    for steps in ["normalizers", "pretokenizers"] {
        if let Some(list) = kept.get_mut(steps).and_then(Value::as_array_mut) {
            *list = list.iter().filter_map(exact).collect();
        }
    }
    let keeps = match part.get("type").and_then(Value::as_str)? {
        "Replace" => part.pointer("/pattern/String").is_some_and(|pattern| pattern == " "),
        "Split" | "Punctuation" => part.get("behavior").is_some_and(|behavior| behavior != "Removed"),
        "Sequence" | "ByteLevel" | "Metaspace" | "Digits" | "UnicodeScripts" => true,
        _ => false,
    };
    keeps.then_some(kept)
}
