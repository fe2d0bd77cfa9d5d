//! Masks at places are those of llguidance's own walk, at every token, whether they were known or not.

use std::sync::Arc;

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::TokTrie;

use crate::engine::cases::{Beside, Cases};
use crate::engine::constraint::slices::tests::Plain;
use crate::engine::constraint::{Constraint, ConstraintFactory, ConstraintStop, Mask};
use crate::engine::grammar::library;
use crate::engine::model::tokenizer::synthetic;
use crate::engine::splitmix::{STEP, mix};
use crate::engine::vocabulary::SpecialTokens;
use crate::engine::{FinishReason, GrammarKind, GrammarSource, TokenId, Vocabulary};

pub(super) fn words() -> (Vocabulary, ConstraintFactory) {
    let vocabulary = synthetic(12_000).expect("words");
    let factory = ConstraintFactory::new(&vocabulary).expect("a factory");
    (vocabulary, factory)
}

pub(super) fn read(source: &GrammarSource) -> Option<TopLevelGrammar> {
    match source.kind {
        GrammarKind::Lark => Some(TopLevelGrammar::from_lark(source.text.clone())),
        GrammarKind::JsonSchema => {
            Some(TopLevelGrammar::from_json_schema(serde_json::from_str(&source.text).expect("JSON")))
        }
        GrammarKind::Gbnf | GrammarKind::Regex => None,
    }
}

/// One text, followed with what is known about places and without.
pub(super) struct Both {
    pub placed: Constraint,
    pub plain: Constraint,
    starts: [Constraint; 2],
    pub masks: usize,
}

impl Both {
    pub fn new(factory: &ConstraintFactory, start: &Constraint) -> Self {
        let bare = || {
            let mut plain = start.fork();
            plain.parser.bias_computer = Arc::new(Plain(factory.environment().clone()));
            plain.parser.parser.invalidate_bias_cache();
            plain
        };
        Self { placed: start.fork(), plain: bare(), starts: [start.fork(), bare()], masks: 0 }
    }

    /// The mask, which both have.
    pub fn mask(&mut self, trie: &TokTrie) -> Result<Mask, ConstraintStop> {
        self.masks += 1;
        // What llguidance remembers itself is not what is tested.
        self.placed.parser.parser.invalidate_bias_cache();
        let (placed, plain) = (self.placed.mask(), self.plain.mask());
        let said = || String::from_utf8_lossy(&trie.decode(self.placed.tokens())).into_owned();
        match (&placed, &plain) {
            (Ok(placed), Ok(plain)) => {
                let wrong = placed.iter().find(|&t| !plain.allows(t));
                let wrong = wrong.or_else(|| plain.iter().find(|&t| !placed.allows(t)));
                let wrong = wrong.map(|t| (trie.token_dbg(t), plain.allows(t)));
                assert_eq!(wrong, None, "after {:?}", said());
            }
            _ => assert_eq!(placed.as_ref().err(), plain.as_ref().err(), "after {:?}", said()),
        }
        placed
    }

    pub fn commit(&mut self, token: TokenId) -> bool {
        let [placed, plain] = [&mut self.placed, &mut self.plain].map(|c| c.commit(token).unwrap_or(false));
        assert_eq!(placed, plain);
        placed
    }

    pub fn rollback(&mut self, count: usize) {
        self.placed.rollback(count, &self.starts[0]).expect("it was there before");
        self.plain.rollback(count, &self.starts[1]).expect("it was there before");
    }

    /// Along a text, as far as it goes.
    pub fn along(&mut self, text: &[u8], trie: &TokTrie) {
        for token in trie.greedy_tokenize(text) {
            if self.mask(trie).is_err() || !self.commit(token) {
                return;
            }
        }
        let _ = self.mask(trie);
    }

    /// A random text, now and then some tokens back. Half of the tokens are short ones, so that it gets somewhere.
    fn wander(&mut self, seed: u64, steps: usize, trie: &TokTrie) {
        let mut state = mix(seed);
        let mut random = move |below: usize| {
            state = state.wrapping_add(STEP);
            mix(state) as usize % below.max(1)
        };
        for _ in 0..steps {
            let Ok(mask) = self.mask(trie) else { return };
            let allowed: Vec<TokenId> = mask.iter().collect();
            let short: Vec<TokenId> = allowed.iter().copied().filter(|&t| trie.token_len(t) < 3).collect();
            let among = if short.is_empty() || random(2) == 0 { &allowed } else { &short };
            let mut token = among[random(among.len())];
            if trie.eos_tokens().contains(&token) {
                // Nothing comes after it.
                let Some(&other) = allowed.iter().find(|t| !trie.eos_tokens().contains(t)) else { return };
                token = other;
            }
            assert!(self.commit(token), "{}", trie.token_dbg(token));
            let length = self.placed.tokens().len();
            if random(6) == 0 {
                self.rollback(random(5.min(length + 1)));
            }
        }
    }
}

/// The masks along the texts, and along random ones; how many masks there were, and how many of them were known.
fn hold(
    factory: &ConstraintFactory,
    grammar: TopLevelGrammar,
    texts: &[&[u8]],
    wander: u64,
) -> (usize, [u64; 2]) {
    let trie = factory.environment().tok_trie();
    let (start, _) = factory.create(grammar).expect("it compiles");
    let mut masks = 0;
    for text in texts {
        let mut both = Both::new(factory, &start);
        both.along(text, trie);
        // What was found out later is known where the text was before.
        let length = both.placed.tokens().len();
        if length > 3 {
            both.rollback(length / 2);
            let _ = both.mask(trie);
        }
        masks += both.masks;
    }
    for seed in 0..wander {
        let mut both = Both::new(factory, &start);
        both.wander(seed, 25, trie);
        masks += both.masks;
    }
    let [asked, found, _] = start.remembered().unwrap_or_default();
    (masks, [asked, found])
}

#[test]
fn shipped_grammars_have_the_same_masks() {
    let (_, factory) = words();
    for shipped in library::ALL {
        let source = shipped.source();
        let cases = Cases::of(&source, &Beside::Shipped).list;
        let mut entries: Vec<Option<String>> = cases.iter().map(|case| case.entry.clone()).collect();
        entries.sort_unstable();
        entries.dedup();
        for entry in entries {
            let of_entry = match &entry {
                Some(entry) => source.with_entry(entry).expect("it is listed"),
                None => source.clone(),
            };
            let Some(grammar) = read(&of_entry) else { continue };
            let texts: Vec<&[u8]> =
                cases.iter().filter(|case| case.entry == entry).map(|case| &case.text[..]).collect();
            let texts: Vec<&[u8]> = texts.iter().copied().step_by(texts.len().div_ceil(12).max(1)).collect();
            let (masks, [asked, found]) = hold(&factory, grammar, &texts, 2);
            let name = shipped.name;
            println!("{name} {entry:?}: {masks} masks, {asked} at places, {found} known");
            assert!(asked > 0, "{name}, {entry:?}: no place is followed in {masks} masks");
        }
    }
}

#[test]
fn constructs_of_lark_have_the_same_masks() {
    let (_, factory) = words();
    // Whether places are followed; the grammar; texts.
    let cases: [(bool, &str, &[&str]); 23] = [
        (
            true,
            "%llguidance {\"allow_invalid_utf8\": true}\nstart: \"a\" /[^x\\x00-\\x1f]+/ \"x\"",
            &["abc dx", "a\u{e9} x"],
        ),
        (true, "start: (\"(\" start \")\")* NAME\nNAME: /[a-z]+/", &["(a)((b)c)d", "((((((x"]),
        (true, "start: x+\nx: \"a\" | \"a\" x | x \"b\"", &["aaabbb", "ababab"]),
        (true, "start: a b? c* d\na: \"a\"?\nb: \"b\"*\nc: (a b)+\nd: \"d\"?", &["abbabd", "", "bd"]),
        (
            true,
            "start: (NAME | KEYWORD)+\nNAME: /[a-z]+/\nKEYWORD: \"if\"\n%ignore / +/",
            &["if iff x", "  a"],
        ),
        (true, "start: e\ne: e \"+\" e | e \"*\" e | \"(\" e \")\" | /[0-9]+/", &["1+2*(3+4)*5", "((1))+2"]),
        (true, "start: t \"x\" start?\nt[lazy]: /a.*b/", &["a123bxab", "aabxa"]),
        (true, "start: t /[a-z]+/\nt[suffix=\".\"]: /[a-z0-9 ]*/", &["ab 1.cd", ".x"]),
        (true, "start: t+ \"!\" | \"x\"\nt[temperature=0.5]: /[a-z]+ ?/", &["ab cd x"]),
        (true, "start: \"ab\" \"cd\" /e+/ \"\u{e9}\"*", &["abcdee\u{e9}\u{e9}"]),
        (
            true,
            "start: \"a\" /[b-d]+/\n%ignore / +/\n%llguidance {\"allow_initial_skip\": true}",
            &["  a bcd", "a  b"],
        ),
        (true, "start: \"a\" /[b-d]+/\n%ignore / +/", &["  a bcd", "a  b"]),
        (
            true,
            "start: /[a-z]+/ \" forced words \" /[a-z]+/\n%llguidance {\"no_forcing\": true}",
            &["ab forced words cd"],
        ),
        (true, "start: \"a\"? (/\u{e9}+/ | /[^a-z]/) \"b\"", &["a\u{e9}\u{e9}b", "a\u{4e2d}b"]),
        (
            false,
            "start: \"<\" %lark {\nstart: NAME \"-\" NAME\nNAME: /[a-z]+/\n%ignore / +/\n} \">\"",
            &["<ab - cd>"],
        ),
        (false, "start: x\nx[stop=\"\"]: /[a-z]+/", &["abc"]),
        (false, "start: \"a\" x\nx[stop=\"\", max_tokens=9]: /[a-z ]+/", &["a b c"]),
        (false, "start: x \"!\"\nx[stop=\".\"]: /[a-z]+/", &["ab.!", "abc"]),
        (false, "start: x \"!\"\nx[max_tokens=3]: /[a-z ]+/", &["ab cd ef gh!"]),
        (false, "start: \"a\" <[0-20]> \"b\"", &["a"]),
        (
            false,
            "start: a \"-\" %json {\"type\": \"array\", \"items\": {\"type\": \"boolean\"}}\na: /[a-z]+/",
            &["ab-[true, false]"],
        ),
        (
            false,
            "start: \"a\" \"b\" x\nx: /[a-z]+/\n%ignore / /\n%llguidance {\"ignore_once\": true}",
            &["a b cd"],
        ),
        (
            false,
            "start: \"a\" \"b\" x\nx: /[a-z]+/\n%ignore / /\n%llguidance {\"ignore\\u005fonce\": true}",
            &["a b cd"],
        ),
    ];
    for (is_followed, grammar, texts) in cases {
        let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        let (masks, [asked, found]) = hold(&factory, TopLevelGrammar::from_lark(grammar.into()), &texts, 12);
        assert_eq!(asked > 0, is_followed, "{masks} masks, {asked} at places, {found} known: {grammar}");
    }
}

/// Words that are no text, halves of letters, several tokens of one word, and special ones.
#[test]
fn odd_words_have_the_same_masks() {
    let letters = (0x20..0x7f_u8).map(|byte| vec![byte]);
    let pairs = (b'a'..=b'z').flat_map(|a| (b'a'..=b'z').map(move |b| vec![b' ', a, b]));
    let halves =
        [&b"\xc3"[..], b"\xa9", b"a\xc3", b"\xa9b", b"\xe4\xb8", b"\xad", b"\xff", b"\xfe", b"\xff["];
    let twice = [&b"ab"[..], b"ab", b"ab", b"a\x00", b"\xf0\x9f\x92", b"\xa9 x", b"", b"<eos>"];
    let words: Vec<Vec<u8>> =
        letters.chain(pairs).chain([halves.as_slice(), &twice].concat().into_iter().map(Vec::from)).collect();
    let eos = words.len() as TokenId - 1;
    let vocabulary =
        Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![eos] }).expect("words");
    let factory = ConstraintFactory::new(&vocabulary).expect("a factory");
    let grammar = "start: (/[a-z]+/ | /\u{e9}+/ | /[^a-z ]/) (\" \" start)?";
    let texts = ["ab \u{e9}\u{e9} \u{4e2d} x", "ab b"].map(str::as_bytes);
    let (masks, [asked, _]) = hold(&factory, TopLevelGrammar::from_lark(grammar.into()), &texts, 12);
    assert!(asked > 0, "{masks} masks");
}

#[test]
fn json_schemas_have_the_same_masks() {
    let (_, factory) = words();
    let schemas = [
        r#"{"type": "array", "items": {"type": "string", "maxLength": 12}}"#,
        r##"{"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "maximum": 120},
            "b": {"enum": ["x", "xy", null]}, "c": {"$ref": "#/$defs/o"}}, "$defs": {"o": {"type": "object"}}, "required": ["a"], "additionalProperties": false}"##,
        r#"{"type": "object", "additionalProperties": {"type": "string", "pattern": "^[a-z]+-[0-9]{2}$"}}"#,
        r#"{"anyOf": [{"type": "string", "format": "date"}, {"type": "array", "minItems": 2, "maxItems": 3}]}"#,
        "{}",
    ];
    let texts = [
        r#"["a bit of text", "x\"y", "été"]"#,
        r#"{"a": 17, "b": "xy", "c": {"a":3}}"#,
        r#"{ "q": "ab-12", "r" : "c-00" }"#,
        r#""2026-11-30""#,
        r#"[{"a": [1, -2.5e3, null]},  true, "x"]"#,
    ];
    let texts = texts.map(str::as_bytes);
    for schema in schemas {
        let grammar = TopLevelGrammar::from_json_schema(serde_json::from_str(schema).expect("JSON"));
        let (masks, [asked, found]) = hold(&factory, grammar, &texts, 12);
        assert!(asked > 0 && found > 0, "{masks} masks, {asked} at places, {found} known: {schema}");
    }
}

/// Where a text has room for so many characters, words that begin with as many of them are walked over together.
#[test]
fn bounded_texts_have_the_same_masks() {
    let (_, factory) = words();
    let long = format!("\"{}\"", "words and \u{e9}\u{4e2d}\u{1f600}, ".repeat(9));
    let texts =
        ["\"ab\"", "\"a bit of text, t\\u00e9l, \u{e9}t\u{e9} \u{1f600}\"", &long, "abc de fgh!", "--.--=="];
    let texts = texts.map(str::as_bytes);
    let strings = [(0, 3), (2, 12), (5, 45), (0, 130), (60, 130)];
    let schemas = strings.map(|(least, most)| {
        let schema = serde_json::json!({ "type": "string", "minLength": least, "maxLength": most });
        TopLevelGrammar::from_json_schema(schema)
    });
    let grammars = [
        // Characters that differ: one is missing, one ends it, one counts for two, some lead elsewhere.
        r#"start: "\"" /[^"\\x]{3,30}/ "\"""#,
        r#"start: "\"" /[^"\\\u{e9}\x00-\x1f]{3,30}/ "\"""#,
        r#"start: /"([^"\\]|\\u[0-9a-f]{4}){2,20}"/"#,
        r#"start: /[ -~]{2,9}!/ "=""#,
        r#"start: /([a-m]|[ -~][^a-m]){2,9}/ "!""#,
        r#"start: /[^\x00-\x1f"\\]{4}/ /[^\x00-\x1f"\\]{4,7}/ /.{1,5}/"#,
        r#"start: t "\""
t[lazy]: "\"" /[^\x00-\x1f"\\]{2,20}/ /e/"#,
        r#"start: /[^\x00-\x1f"\\]{3,6}/ /[^\x00-\x1f"\\]{0,30}/"#,
    ];
    let grammars = grammars.map(|grammar| TopLevelGrammar::from_lark(grammar.into()));
    for (index, grammar) in schemas.into_iter().chain(grammars).enumerate() {
        let (masks, [asked, _]) = hold(&factory, grammar, &texts, 12);
        assert!(asked > 0, "{masks} masks of {index}, none at places");
    }
}

/// Words of more characters than are counted, and of just so many.
#[test]
fn long_words_have_the_same_masks_in_bounded_texts() {
    let letters = (0x20..0x7f_u8).map(|byte| vec![byte]);
    let lengths = (30..50).flat_map(|n| [b"ab".repeat(n / 2), [&b" ".repeat(n)[..], b"\"\n"].concat()]);
    let others = ["\u{e9}".repeat(39), "\u{4e2d}".repeat(40), "\u{1f600}".repeat(41) + "\""];
    let words: Vec<Vec<u8>> =
        letters.chain(lengths).chain(others.map(String::into_bytes)).chain([b"<eos>".to_vec()]).collect();
    let eos = words.len() as TokenId - 1;
    let vocabulary =
        Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![eos] }).expect("words");
    let factory = ConstraintFactory::new(&vocabulary).expect("a factory");
    for most in [39, 40, 41, 90] {
        let schema = serde_json::json!({ "type": "string", "maxLength": most });
        let text = format!("\"{}\"", "ab".repeat(most / 2));
        let (masks, [asked, _]) =
            hold(&factory, TopLevelGrammar::from_json_schema(schema), &[text.as_bytes()], 6);
        assert!(asked > 0, "{masks} masks");
    }
}

/// What is known is dropped at its bounds, and places are found again by the tokens.
#[test]
fn what_is_forgotten_is_found_again() {
    let (_, factory) = words();
    let trie = factory.environment().tok_trie();
    let source =
        library::find("python").expect("it is shipped").source().with_entry("function").expect("an entry");
    let (start, _) = factory.create(read(&source).expect("Lark")).expect("it compiles");
    let text = b"def f(a, b):\n    if a:\n        return [b, (a, 1)]\n    return {'x': f(b)[0]}\n";
    let mut both = Both::new(&factory, &start);
    let mut other = start.fork();
    for (step, token) in trie.greedy_tokenize(text).into_iter().enumerate() {
        both.mask(trie).expect("a mask");
        assert!(both.commit(token) && other.commit(token).expect("no limit"));
        if let (true, Some(known)) = (step % 3 == 1, both.placed.places.shared.locked().known()) {
            known.forget();
        }
        // One that is not asked at every step.
        if step % 5 == 4 {
            let [asked, found, _] = start.remembered().expect("places");
            let [mine, others] = [both.mask(trie).expect("a mask"), other.mask().expect("a mask")];
            assert_eq!(mine.words(), others.words());
            assert_eq!(
                start.remembered().map(|now| [now[0] - asked, now[1] - found]),
                Some([2, 1]),
                "{step}"
            );
        }
    }
}

/// A mask that is stopped is not kept.
#[test]
fn what_is_cancelled_is_not_known() {
    let (_, factory) = words();
    let source = library::find("json").expect("it is shipped").source();
    let (start, _) = factory.create(read(&source).expect("a grammar")).expect("it compiles");
    let trie = factory.environment().tok_trie();
    let mut both = Both::new(&factory, &start);
    both.along(b"{\"a\": [1", trie);
    let mut cancelled = both.placed.fork();
    assert!(cancelled.commit(trie.greedy_tokenize(b",")[0]).expect("no limit"));
    cancelled.canceller().cancel();
    assert_eq!(cancelled.mask().err().map(|stop| stop.reason), Some(FinishReason::Cancelled));
    both.along(b", \"b\"]}", trie);
    assert!(both.placed.remembered().expect("places")[0] > 5);
}
