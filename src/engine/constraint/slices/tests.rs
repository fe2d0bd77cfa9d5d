//! Masks with cuts are those of a plain walk over all words, at every token of cases of the shipped grammars.

use llguidance::api::TopLevelGrammar;

use super::*;
use crate::engine::GrammarKind;
use crate::engine::cases::{Beside, Cases};
use crate::engine::constraint::{Constraint, ConstraintFactory};
use crate::engine::grammar::library;
use crate::engine::model::tokenizer::synthetic;
use crate::engine::vocabulary::SpecialTokens;
use crate::engine::{TokenId, Vocabulary};

/// llguidance's own walk, which steps over nothing and knows of no places.
pub(in crate::engine::constraint) struct Plain(pub TokEnv);

impl BiasComputer for Plain {
    fn compute_bias(&self, parser: &mut ParserRecognizer<'_>, start: &[u8]) -> SimpleVob {
        let mut mask = self.trie().alloc_token_set();
        self.trie().add_bias(parser, &mut mask, start);
        mask
    }

    fn trie(&self) -> &TokTrie {
        self.0.tok_trie()
    }
}

/// How many masks are the same along the text, and how many nodes each way walked. The constraint computes its
/// own masks on the way, so that its copies know what it has found out, and is gone back in and asked again.
fn compare(factory: &ConstraintFactory, grammar: TopLevelGrammar, text: &[u8]) -> (usize, [usize; 2]) {
    let (constraint, _) = factory.create(grammar).expect("it compiles");
    let mut constraint = constraint.by_llguidance();
    let template = constraint.fork();
    let plain: Arc<dyn BiasComputer> = Arc::new(Plain(factory.environment().clone()));
    let (mut same, mut walked) = (0, [0, 0]);
    let mut before: Vec<TokenId> = Vec::new();
    let mut compare = |constraint: &Constraint, before: &[u8]| {
        let mut masks = Vec::new();
        for (computer, walked) in [Some(plain.clone()), None].into_iter().zip(&mut walked) {
            let mut fork = constraint.fork();
            if let Some(computer) = computer {
                fork.parser.bias_computer = computer;
            }
            fork.parser.parser.invalidate_bias_cache();
            let start = fork.parser.parser.stats().trie_nodes_walked;
            masks.push(fork.mask().map(|mask| mask.iter().collect::<Vec<_>>()));
            *walked += fork.parser.parser.stats().trie_nodes_walked - start;
        }
        assert_eq!(masks[0], masks[1], "after {:?}", String::from_utf8_lossy(before));
        same += 1;
    };
    let tokens = factory.environment().tok_trie().greedy_tokenize(text);
    for &token in &tokens {
        let said = factory.environment().tok_trie().decode(&before);
        compare(&constraint, &said);
        let _ = constraint.mask();
        if !constraint.commit(token).unwrap_or(false) {
            break;
        }
        before.push(token);
    }
    // What was found out on the way is known at the places before.
    while before.pop().is_some() {
        constraint.rollback(1, &template).expect("it was there before");
        if before.len().is_multiple_of(7) {
            compare(&constraint, &factory.environment().tok_trie().decode(&before));
        }
    }
    (same, walked)
}

#[test]
fn cut_words_make_the_same_masks() {
    let vocabulary = synthetic(20_000).expect("words");
    let factory = ConstraintFactory::new(&vocabulary).expect("a factory");
    for shipped in library::ALL {
        let source = shipped.source();
        let (mut same, mut walked) = (0, [0, 0]);
        let cases = Cases::of(&source, &Beside::Shipped).list;
        for case in cases.iter().step_by(cases.len().div_ceil(25)) {
            let source = match &case.entry {
                Some(entry) => source.with_entry(entry).expect("it is listed"),
                None => source.clone(),
            };
            let grammar = match source.kind {
                GrammarKind::Lark => TopLevelGrammar::from_lark(source.text),
                GrammarKind::JsonSchema => {
                    TopLevelGrammar::from_json_schema(serde_json::from_str(&source.text).expect("JSON"))
                }
                GrammarKind::Gbnf | GrammarKind::Regex => continue,
            };
            let (more, steps) = compare(&factory, grammar, &case.text);
            same += more;
            walked = [walked[0] + steps[0], walked[1] + steps[1]];
        }
        let is_read = matches!(source.kind, GrammarKind::Gbnf | GrammarKind::Regex) || same > cases.len();
        assert!(is_read && walked[1] <= walked[0] * 11 / 10, "{}: {same} masks, {walked:?}", shipped.name);
    }
}

/// Strings of JSON are stepped over as a whole, within their bounds.
#[test]
fn bounded_strings_make_the_same_masks() {
    let vocabulary = synthetic(20_000).expect("words");
    let factory = ConstraintFactory::new(&vocabulary).expect("a factory");
    for bound in ["", r#", "maxLength": 12"#, r#", "maxLength": 40"#] {
        let schema = format!(r#"{{"type": "array", "items": {{"type": "string"{bound}}}}}"#);
        let grammar = TopLevelGrammar::from_json_schema(serde_json::from_str(&schema).expect("JSON"));
        let text = "[\"a bit of text\", \"x\\\"y\", \"\u{e9}t\u{e9} en France\"]";
        let (same, walked) = compare(&factory, grammar, text.as_bytes());
        assert!(same > 3 && walked[1] < walked[0], "{bound}: {same} masks, {walked:?}");
    }
}

/// Words that several tokens are, longer ones after them, special tokens, and bytes that are no text.
#[test]
fn odd_words_make_the_same_masks() {
    let many = (0..200).flat_map(|n| [format!("x{n}"), format!(" x{n}"), format!("\"x{n}\"")]);
    let words =
        ["a", "a", "a", "ab", "ab", " ", " ", "  ", "\"", "\"a", "x", "x", ";", ";\n"].map(String::from);
    let mut words: Vec<Vec<u8>> = words.into_iter().chain(many).map(String::into_bytes).collect();
    words.extend([vec![0xff], vec![0xc3], vec![b'a', 0xc3], Vec::new(), vec![b'x'; 300], b"<eos>".to_vec()]);
    let eos = words.len() as TokenId - 1;
    let vocabulary =
        Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![eos] }).expect("words");
    let factory = ConstraintFactory::new(&vocabulary).expect("a factory");
    let text = "start: (NAME | STRING) (\" \" start)*\nNAME: /[a-z][a-z0-9]*/ & ~(\"x7\" | \"a\")\n\
                STRING: /\"[^\"\\x00-\\x1f]*\"/\n";
    let (same, _) = compare(&factory, TopLevelGrammar::from_lark(text.into()), b"ab x1 \"x2\" x \"a b\" x71");
    assert!(same > 10, "{same}");
    let mut constraint = factory.create(TopLevelGrammar::from_lark(text.into())).expect("it compiles").0;
    let mask = constraint.mask().expect("a mask");
    for (token, word) in ["a", "a", "a", "ab", "ab"].iter().enumerate() {
        assert!(mask.allows(token as TokenId), "{word}");
    }
}
