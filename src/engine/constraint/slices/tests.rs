//! Masks with cuts are those of a plain walk over all words, at every token of what the shipped grammars'
//! cases hold.

use llguidance::api::TopLevelGrammar;

use super::*;
use crate::engine::GrammarKind;
use crate::engine::cases::{Beside, Cases};
use crate::engine::constraint::ConstraintFactory;
use crate::engine::grammar::library;
use crate::engine::model::tokenizer::synthetic;

/// llguidance's own walk, which steps over nothing.
struct Plain(TokEnv);

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

/// How many masks are the same along the text, and how many nodes each way walked.
fn compare(factory: &ConstraintFactory, grammar: TopLevelGrammar, text: &[u8]) -> (usize, [usize; 2]) {
    let (mut constraint, _) = factory.create(grammar).expect("it compiles");
    let plain = Arc::new(Plain(factory.environment().clone()));
    let (mut same, mut walked) = (0, [0, 0]);
    for token in factory.environment().tok_trie().greedy_tokenize(text) {
        let computers: [Arc<dyn BiasComputer>; 2] = [plain.clone(), Arc::new(constraint.masks.fork())];
        let mut masks = Vec::new();
        for (computer, walked) in computers.into_iter().zip(&mut walked) {
            let mut fork = constraint.fork();
            fork.parser.bias_computer = computer;
            fork.parser.parser.invalidate_bias_cache();
            let before = fork.parser.parser.stats().trie_nodes_walked;
            masks.push(fork.mask().map(|mask| mask.iter().collect::<Vec<_>>()));
            *walked += fork.parser.parser.stats().trie_nodes_walked - before;
        }
        assert_eq!(masks[0], masks[1], "after {:?}", String::from_utf8_lossy(text));
        same += 1;
        if !constraint.commit(token).unwrap_or(false) {
            break;
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
                GrammarKind::Regex => TopLevelGrammar::from_regex(source.text.trim_end()),
                GrammarKind::JsonSchema => {
                    TopLevelGrammar::from_json_schema(serde_json::from_str(&source.text).expect("JSON"))
                }
                GrammarKind::Gbnf => continue,
            };
            let (more, steps) = compare(&factory, grammar, &case.text);
            same += more;
            walked = [walked[0] + steps[0], walked[1] + steps[1]];
        }
        println!("{}: {same} masks, {} and {} nodes", shipped.name, walked[0], walked[1]);
        assert!(walked[1] <= walked[0] * 11 / 10, "{}: {walked:?}", shipped.name);
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
