//! Reasons agree with what llguidance does: they say "allowed" exactly for the tokens of its mask, and
//! the byte that they blame is the first one that cannot be taken.

use std::sync::Arc;

use maze::engine::cases::{Beside, Cases, Wants};
use maze::engine::constraint::Constraint;
use maze::engine::explain::{Class, ExplainError, Explainer, Ignored, LimitKind, Reason, sentences};
use maze::engine::grammar::{Compiled, GrammarKind, library};
use maze::engine::{GrammarSource, TokenId, Vocabulary};

#[path = "support/nano.rs"]
mod nano;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod random;

use random::Random;

fn vocabulary() -> Arc<Vocabulary> {
    Arc::new(nano::VOCABULARY.clone())
}

fn compile(source: &GrammarSource) -> Arc<Compiled> {
    let (compiled, diagnostics) = nano::COMPILER.compile(source);
    Arc::new(compiled.unwrap_or_else(|| panic!("{}: {diagnostics:?}", source.text)))
}

fn lark(text: &str) -> Explainer {
    Explainer::new(compile(&GrammarSource::lark("test", text)), vocabulary())
}

/// The texts beside a shipped grammar that it accepts.
fn accepted(name: &str) -> Vec<String> {
    let shipped = library::find(name).expect("it is shipped");
    let source = shipped.source();
    let cases = Cases::of(&source, &Beside::Shipped).list;
    let start = source.entry();
    let accepted = cases.into_iter().filter(|case| case.wants == Wants::Accept && case.is_of(start));
    accepted.map(|case| String::from_utf8(case.text.to_vec()).expect("a text")).collect()
}

fn token(name: &str) -> TokenId {
    let is_it =
        |&t: &TokenId| nano::VOCABULARY.bytes(t) == name.as_bytes() && !nano::VOCABULARY.is_special(t);
    (0..nano::VOCABULARY.len() as TokenId).find(is_it).unwrap_or_else(|| panic!("no token {name:?}"))
}

/// Which tokens llguidance lets through.
fn masked(constraint: &mut Constraint) -> Vec<bool> {
    let mask = constraint.mask().ok();
    (0..nano::VOCABULARY.len() as TokenId).map(|t| mask.as_ref().is_some_and(|mask| mask.allows(t))).collect()
}

/// At random places of the texts beside every shipped grammar, with the whole vocabulary.
#[test]
fn reasons_are_those_of_the_mask() {
    let vocabulary = vocabulary();
    let mut random = Random(0x6d61_7a65);
    let (mut places, mut refused, mut classes) = (0, 0, [0; Class::ALL.len()]);
    for shipped in library::ALL {
        let compiled = compile(&shipped.source());
        let mut explainer = Explainer::new(compiled.clone(), vocabulary.clone());
        for text in accepted(shipped.name) {
            let tokens = vocabulary.encode(&text);
            for _ in 0..4 {
                let tokens = &tokens[..random.below(tokens.len() + 1)];
                let mut constraint = compiled.constraint();
                if !tokens.iter().all(|&t| constraint.commit(t) == Ok(true)) {
                    continue;
                }
                let allowed = masked(&mut constraint.fork());
                let context = || format!("{} after {:?}", shipped.name, vocabulary.decode(tokens));
                let mut at = explainer.at(tokens).expect("it was taken before");
                let reasons = at.all();
                for class in Class::ALL {
                    classes[class as usize] += reasons.count(class);
                }
                let differs = (0..vocabulary.len() as TokenId)
                    .find(|&t| (reasons.class(t) == Class::Allowed) != allowed[t as usize]);
                assert_eq!(differs, None, "{}", context());
                let counted: usize = reasons.places().iter().map(|place| place.tokens).sum();
                assert_eq!(counted, reasons.count(Class::Byte));
                places += 1;
                for _ in 0..300 {
                    let token = random.below(vocabulary.len()) as TokenId;
                    let reason = at.why(token);
                    assert_eq!(
                        reason.is_allowed(),
                        allowed[token as usize],
                        "{}: {token} {reason:?}",
                        context()
                    );
                    let Reason::Byte { accepted, byte, expected, .. } = reason else { continue };
                    assert_eq!(reasons.failing(token).map(|f| f.accepted), Some(accepted), "{}", context());
                    if random.below(8) > 0 {
                        continue;
                    }
                    // Another parser, which is only ever fed.
                    let bytes = vocabulary.bytes(token);
                    let fed = constraint.fork().feed(bytes).expect("within the limits");
                    assert_eq!((fed.taken, bytes[accepted]), (accepted, byte), "{}: {token}", context());
                    assert_eq!(fed.expected, expected.bytes, "{}: {token}", context());
                    refused += 1;
                }
            }
        }
    }
    assert!(places > 80 && refused > 1000, "{places} places, {refused} tokens fed");
    println!("{places} places, {refused} refused tokens fed to another parser, {classes:?} by class");
}

#[test]
fn a_byte_that_may_not_come_has_its_terminals_with_their_places() {
    let mut explainer = lark("start: pair\npair: NAME \":\" NUMBER\nNAME: /[a-z]+/\nNUMBER: /[0-9]+/\n");
    let mut at = explainer.at_text(b"ab").expect("it is a name");
    let Reason::Byte { accepted, byte, expected, ignored } = at.why_text(b":x") else { panic!() };
    assert_eq!((accepted, byte, ignored), (1, b'x', None));
    assert_eq!(expected.bytes, b"0123456789");
    let [terminal] = &expected.terminals[..] else { panic!("{expected:?}") };
    let place = terminal.place.as_ref().expect("Lark has places");
    assert_eq!((terminal.text.as_str(), terminal.rule.as_deref()), ("NUMBER", Some("pair")));
    assert_eq!((place.line, place.column), (2, 16));
    let said = sentences(&at.why_text(b":x"), b":x", GrammarKind::Lark).join("\n");
    assert!(said.contains("Its first byte, `:`, may come; `x` after it may not."), "{said}");
    assert!(said.contains("NUMBER (in pair, 2:16)"), "{said}");
    let path = at.path().expect("it can be followed");
    assert_eq!(path.iter().map(|c| c.rule.as_str()).collect::<Vec<_>>(), ["start", "pair"]);
}

#[test]
fn forced_text_has_one_cut() {
    let mut explainer = lark("start: \"return\" /[0-9]/");
    let mut at = explainer.at(&[]).expect("the start");
    let forced = at.forced().expect("there is no choice");
    assert!(at.why(forced).is_allowed());
    let part = token("re");
    assert_ne!(part, forced);
    let Reason::Tokenization { forced: instead, bytes } = at.why(part) else { panic!() };
    assert_eq!((instead, &*bytes), (forced, nano::VOCABULARY.bytes(forced)));
    assert!(sentences(&at.why(part), b"re", GrammarKind::Lark)[1].contains("no_forcing"));
    // Only Lark has the option.
    assert_eq!(sentences(&at.why(part), b"re", GrammarKind::Gbnf).len(), 1);
    let other = at.why(token("x"));
    let Reason::Byte { expected, .. } = other else { panic!() };
    assert_eq!(expected.forced, b"return");
    // Without forcing both may come.
    let mut explainer = lark("%llguidance {\"no_forcing\": true}\nstart: \"return\" /[0-9]/");
    let mut at = explainer.at(&[]).expect("the start");
    assert_eq!(at.forced(), None);
    assert!(at.why(part).is_allowed() && at.why(forced).is_allowed());
}

#[test]
fn what_is_ignored_is_not_ignored_everywhere() {
    let ignored = |grammar: &str, text: &str, piece: &str| {
        let mut explainer = lark(grammar);
        let mut at = explainer.at_text(text.as_bytes()).expect("it may come");
        match at.why_text(piece.as_bytes()) {
            Reason::Byte { ignored, .. } => ignored,
            reason => panic!("{reason:?}"),
        }
    };
    let spaced = "start: \"a\" \"b\"\n%ignore \" \"";
    assert_eq!(ignored(spaced, "", " a"), Some(Ignored::BeforeFirst));
    assert_eq!(ignored(spaced, "ab", " "), Some(Ignored::AfterLast));
    assert_eq!(ignored(spaced, "a", "x"), None);
    assert_eq!(ignored("start: \"a\" \"b\"", "a", " b"), None);
    let nested = "start: \"a\" inner\ninner: %json {\"type\": \"object\", \"properties\": {\"k\": {\"type\": \"integer\"}}, \
                  \"required\": [\"k\"], \"additionalProperties\": false, \"x-guidance\": {\"whitespace_flexible\": false}}\n\
                  %ignore \" \"";
    assert_eq!(ignored(nested, "a{\"k\":", " "), Some(Ignored::Embedded));
    let mut explainer = lark(&format!("%llguidance {{\"allow_initial_skip\": true}}\n{spaced}"));
    assert!(explainer.at_text(b"").expect("the start").why_text(b" a").is_allowed());
}

#[test]
fn who_writes_a_schema_reads_nothing_of_lark() {
    let schema = "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}";
    let source = GrammarSource::json_schema("schema", schema);
    let mut explainer = Explainer::new(compile(&source), vocabulary());
    for (text, piece) in [("", " ["), ("[1]", " ")] {
        let reason = explainer.at_text(text.as_bytes()).expect("it may come").why_text(piece.as_bytes());
        let said = sentences(&reason, piece.as_bytes(), GrammarKind::JsonSchema).join(" ");
        assert!(said.contains("between the parts of an object or an array, but not here"), "{said}");
        assert!(!said.contains('%'), "{said}");
    }
}

#[test]
fn special_tokens_are_not_their_names() {
    let eos = nano::VOCABULARY.eos()[0];
    let name = String::from_utf8_lossy(nano::VOCABULARY.bytes(eos)).into_owned();
    let special = (0..nano::VOCABULARY.len() as TokenId)
        .find(|&t| nano::VOCABULARY.is_special(t) && t != eos)
        .map(|t| (t, String::from_utf8_lossy(nano::VOCABULARY.bytes(t)).into_owned()));
    let (special, special_name) = special.unwrap_or((eos, name));
    let mut explainer = lark("start: /<.*/");
    let mut at = explainer.at_text(b"").expect("the start");
    match at.why(special) {
        Reason::Special { name_fits, .. } => assert_eq!(name_fits, special_name.starts_with('<')),
        Reason::Incomplete { expected, .. } => assert_eq!(expected.bytes, b"<"),
        reason => panic!("{reason:?}"),
    }
    let mut explainer = lark(&format!("start: \"a\" {special_name} \"b\""));
    let mut at = explainer.at_text(b"a").expect("it may come");
    assert!(at.why(special).is_allowed());
    let reason = at.why_text(special_name.as_bytes());
    assert!(matches!(&reason, Reason::TextForSpecial { special: s, .. } if *s == special), "{reason:?}");
    let mut at = explainer.at(&[token("a"), special]).expect("they may come");
    assert!(at.why(token("b")).is_allowed());
}

#[test]
fn the_end_and_the_ids_without_a_token() {
    let eos = nano::VOCABULARY.eos()[0];
    let mut explainer = lark("start: \"(\" /[0-9]+/ \")\"");
    let Reason::Incomplete { expected, .. } = explainer.at_text(b"(1").expect("it may come").why(eos) else {
        panic!()
    };
    assert_eq!((expected.bytes.as_slice(), expected.may_end), (&b")0123456789"[..], Some(false)));
    assert_eq!(explainer.at_text(b"(1)").expect("it may come").why(eos), Reason::Allowed { ends: true });
    let mut at = explainer.at_text(b"(1)").expect("it may come");
    let Reason::Byte { expected, .. } = at.why_text(b")") else { panic!() };
    assert_eq!((expected.bytes.len(), expected.may_end), (0, Some(true)));
    assert_eq!(at.why(8192), Reason::Padding);
    if let Some(padding) = (0..8192).find(|&t| nano::VOCABULARY.is_padding(t)) {
        assert_eq!(at.why(padding), Reason::Padding);
        assert_eq!(at.all().class(padding), Class::Padding);
    }
    assert_eq!(explainer.at_text(b"(x").err(), Some(ExplainError::Left { taken: 1 }));
    let refused = explainer.at(&[token("("), token("x")]).err();
    assert_eq!(refused, Some(ExplainError::Refused { index: 1, token: token("x") }));
}

#[test]
fn dead_ends_and_limits_are_reasons_of_everything() {
    use maze::engine::grammar::Compiler;
    use maze::engine::vocabulary::SpecialTokens;
    // No token spells a `b`.
    let words = vec![b"</s>".to_vec(), b"a".to_vec(), b"c".to_vec()];
    let small = Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![0] }).expect("words");
    let compiler = Compiler::new(&small).expect("a compiler");
    let source = GrammarSource::lark("dead", "start: \"a\" /[b]/ \"c\" | \"c\"");
    let compiled = Arc::new(compiler.compile(&source).0.expect("it compiles"));
    let mut explainer = Explainer::new(compiled, Arc::new(small));
    let mut at = explainer.at(&[1]).expect("it may come");
    for token in 0..3 {
        assert_eq!(at.why(token), Reason::DeadEnd { wanted: b"b".to_vec() }, "{token}");
    }
    // Each repetition that leans to the right leaves an item in the row.
    let mut explainer = lark("start: \"a\" start | \"a\"");
    let text = vec![b'a'; 4000];
    let mut at = explainer.at_text(&text).expect("as far as the limit");
    let reason = at.why(token("a"));
    assert!(matches!(reason, Reason::Limit { limit: LimitKind::Row, .. }), "{reason:?}");
    assert_eq!(at.all().count(Class::Limit), nano::VOCABULARY.len() - at.all().count(Class::Padding));
    assert!(explainer.at_text(b"aa").expect("another place").why(token("a")).is_allowed());
}

#[test]
fn reasons_survive_json() {
    let mut explainer = lark("start: \"a\" | \"bcd\"");
    let mut at = explainer.at_text(b"").expect("the start");
    for token in (0..8192).step_by(97).chain(nano::VOCABULARY.eos().iter().copied()) {
        let reason = at.why(token);
        let text = serde_json::to_string(&reason).expect("JSON");
        assert_eq!(serde_json::from_str::<Reason>(&text).expect("a reason"), reason);
        assert!(text.starts_with(&format!("{{\"kind\":\"{}\"", reason.name())), "{text}");
    }
}

#[test]
fn where_a_model_thinks_the_grammar_has_not_begun() {
    use maze::engine::AllowedSet;
    use maze::engine::explain::while_thinking;
    let (end, other) = (nano::VOCABULARY.eos()[0], token("x"));
    let width = nano::VOCABULARY.len();
    let set = |tokens: &[TokenId]| {
        let mut words = vec![0_u32; width.div_ceil(32)];
        tokens.iter().for_each(|&t| words[t as usize / 32] |= 1 << (t % 32));
        AllowedSet::from_bits(&words, width)
    };
    let why = |allowed: &[TokenId], token| while_thinking(&set(allowed), token, &nano::VOCABULARY);
    assert!(why(&[other, token("y")], other).is_allowed());
    assert_eq!(why(&[other, token("y")], end), Reason::Thinking { forced: None, control: true });
    assert_eq!(why(&[other], token("y")), Reason::Thinking { forced: Some(other), control: false });
    let said = sentences(&why(&[other, token("y")], end), b"", GrammarKind::Lark).join(" ");
    assert!(said.contains("the model still thinks"), "{said}");
}
