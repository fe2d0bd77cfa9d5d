//! What may come in the place of a prompt's last token is what llguidance's own token healing says.

use llguidance::TokenParser;
use llguidance::api::TopLevelGrammar;

use crate::engine::constraint::specialise::specialise;
use crate::engine::constraint::{Constraint, ConstraintFactory};
use crate::engine::grammar::library;
use crate::engine::vocabulary::{SpecialTokens, Vocabulary};
use crate::engine::{FinishReason, TokenId};

fn nano() -> (Vocabulary, ConstraintFactory) {
    let text = include_bytes!("../../../../models/nano/tokenizer.json");
    let special = SpecialTokens { bos: Some(0), eos: vec![0] };
    let vocabulary = Vocabulary::from_tokenizer_json(text, &special, 8192).expect("the shipped tokenizer");
    let factory = ConstraintFactory::new(&vocabulary).expect("a factory");
    (vocabulary, factory)
}

/// A shipped grammar from an entry point on, as text.
fn shipped(name: &str, entry: &str) -> String {
    library::find(name).expect("shipped").source().with_entry(entry).expect("an entry point").text
}

fn constraint(factory: &ConstraintFactory, text: &str) -> Constraint {
    factory.create(TopLevelGrammar::from_lark(text.into())).expect("it compiles").0
}

/// llguidance's own parser after a prompt, and how many tokens of that it leaves.
fn healed(factory: &ConstraintFactory, text: &str, prompt: &[TokenId]) -> (TokenParser, usize) {
    let grammar = TopLevelGrammar::from_lark(text.into());
    let written = specialise(grammar, factory.environment(), factory.limits()).expect("it can be read");
    let mut parser = factory.factory.create_parser_from_init_default(written.init).expect("it compiles");
    let left = parser.process_prompt(prompt.to_vec()).len();
    (parser, left)
}

#[test]
fn the_tokens_are_those_of_llguidance() {
    let (vocabulary, factory) = nano();
    let grammars = [
        shipped("python", "body"),
        shipped("python", "function"),
        shipped("rust", "body"),
        shipped("sql", "statement"),
        shipped("json", "value"),
        "start: /[ \\n]{0,8}[a-z0-9]+/".into(),
        "start: /.*/".into(),
    ];
    let prompts = [
        "def f(x: int) -> bool:",
        "def f(x):\n    \"\"\"Return x.\"\"\"",
        "# Python: Return the largest\n",
        "fn main() {",
        "total = ",
        "the tallest tree in a",
        "{\"name\":",
        "-- SQL: all\n\n",
    ];
    let (mut compared, mut longer) = (0, 0);
    for text in &grammars {
        let start = constraint(&factory, text);
        for prompt in prompts {
            let tokens = vocabulary.encode_prompt(prompt).expect("tokens");
            let last = vocabulary.bytes(*tokens.last().expect("not empty"));
            let (mut parser, left) = healed(&factory, text, &tokens);
            let mut ours = start.fork();
            let may_heal = ours.heal(last).expect("within the limits");
            if left + 1 != tokens.len() {
                // It leaves out as many tokens as a longer one could span; here that is none or one.
                assert!(left + 1 < tokens.len() || !may_heal, "{prompt:?} before {text:.60}");
                continue;
            }
            let mask = parser.compute_mask().expect("a mask");
            // Tokens that end within the last one are allowed there.
            let theirs: Vec<TokenId> =
                mask.iter().filter(|&t| vocabulary.bytes(t).starts_with(last)).collect();
            assert_eq!(may_heal, theirs.len() > 1, "{prompt:?} before {text:.60}");
            if may_heal {
                assert_eq!(ours.mask().expect("a mask").iter().collect::<Vec<_>>(), theirs);
                longer += 1;
            }
            compared += 1;
        }
    }
    assert!(compared >= 20 && longer >= 10, "{longer} of {compared}");
}

/// After the first token everything is as if the rest of it had come after the prompt.
#[test]
fn the_grammar_sees_the_rest() {
    let (vocabulary, factory) = nano();
    let start = constraint(&factory, &shipped("python", "body"));
    let first = vocabulary.find(b"):\n").expect("a token");
    let answer = vocabulary.encode("    return 1\n");
    let mut healed = start.fork();
    assert!(healed.heal(b"):").expect("within the limits"));
    assert!(
        !healed.commit(answer[0]).expect("within the limits"),
        "it does not begin with the prompt's last"
    );
    assert!(healed.commit(first).expect("within the limits"));
    let mut plain = start.fork();
    assert_eq!(plain.feed(b"\n").expect("within the limits").taken, 1);
    for &token in &answer {
        let masks = [&mut healed, &mut plain].map(|c| c.mask().expect("a mask").iter().collect::<Vec<_>>());
        assert_eq!(masks[0], masks[1]);
        assert!(healed.commit(token).expect("within the limits") && plain.commit(token).expect("the same"));
    }
    assert_eq!(healed.tokens(), [&[first], &answer[..]].concat());
    assert!(healed.is_accepting().expect("within the limits"));

    // Back to the start, it is the place of the prompt's last token again, also past a cancel.
    healed.rollback(answer.len(), &start).expect("it was there");
    assert_eq!(healed.tokens(), [first]);
    assert!(healed.commit(answer[0]).expect("within the limits"));
    healed.canceller().cancel();
    assert_eq!(healed.mask().err().map(|stop| stop.reason), Some(FinishReason::Cancelled));
    healed.rollback(2, &start).expect("a replay");
    assert!(healed.tokens().is_empty());
    assert!(healed.mask().expect("a mask").allows(first));
    assert!(!healed.is_accepting().expect("within the limits"));
    assert!(healed.fork().commit(first).expect("within the limits"));
    healed.split();
    assert!(!healed.mask().expect("a mask").allows(first));
}

fn of_words(words: [&str; 5]) -> ConstraintFactory {
    let special = SpecialTokens { bos: None, eos: vec![4] };
    let words = words.map(|word| word.as_bytes().to_vec());
    let vocabulary = Vocabulary::from_words(words.into(), &special).expect("words");
    ConstraintFactory::new(&vocabulary).expect("a factory")
}

/// A token whose rest no tokens spell cannot be given to the grammar.
#[test]
fn nothing_is_allowed_that_cannot_be_spelled() {
    let factory = of_words(["a", "ab", "ac", "b", "<eos>"]);
    let mut constraint = constraint(&factory, "start: /[bc]+/");
    assert!(constraint.heal(b"a").expect("within the limits"));
    assert_eq!(constraint.mask().expect("a mask").iter().collect::<Vec<_>>(), [0, 1]);
}

/// A first token whose rest is several tokens to the grammar, or none, is one token to go back over.
#[test]
fn a_first_token_is_one_whatever_its_rest() {
    let factory = of_words(["a", "abc", "b", "c", "<eos>"]);
    let start = constraint(&factory, "start: \"b\" \"c\" \"b\"+ | \"c\"");
    let allowed = |of: &mut Constraint| of.mask().expect("a mask").iter().collect::<Vec<_>>();
    for (first, rest) in [(1, &b"bc"[..]), (0, b"")] {
        let mut plain = start.fork();
        assert_eq!(plain.feed(rest).expect("within the limits").taken, rest.len());
        let mut healed = start.fork();
        assert!(healed.heal(b"a").expect("within the limits"));
        let at_first = allowed(&mut healed);
        for is_cancelled in [false, true] {
            assert!(healed.commit(first).expect("within the limits"));
            assert_eq!(allowed(&mut healed), allowed(&mut plain));
            if is_cancelled {
                healed.canceller().cancel();
                healed.rollback(0, &start).expect("a replay");
                assert_eq!(allowed(&mut healed), allowed(&mut plain));
            }
            assert_eq!(healed.tokens(), [first]);
            healed.rollback(1, &start).expect("it was there");
            assert!(healed.tokens().is_empty());
            assert_eq!(allowed(&mut healed), at_first);
        }
    }
}
