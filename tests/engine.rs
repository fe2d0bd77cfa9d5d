//! The constrained loop through its public face, on scripted models: what is allowed, how runs
//! end, and going back.

use std::sync::Arc;

use maze::engine::grammar::{Compiler, GrammarKind, GrammarSource};
use maze::engine::model::scripted::ScriptedModel;
use maze::engine::sampler::SamplerSettings;
use maze::engine::session::Session;
use maze::engine::trace::{FinishReason, Request, StepKind, TokenId};
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use maze::engine::{EngineError, LanguageModel};

/// Words of a small vocabulary; its last word is the end of sequence, and two ids are padding.
fn vocabulary(words: &[&str]) -> Arc<Vocabulary> {
    let mut words: Vec<Vec<u8>> = words.iter().map(|w| w.as_bytes().to_vec()).collect();
    words.push(b"<eos>".to_vec());
    let eos = words.len() as TokenId - 1;
    words.extend([vec![], vec![]]);
    Arc::new(Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![eos] }).unwrap())
}

/// Every printable ASCII character as a word, and the given longer ones.
fn ascii(more: &[&str]) -> Arc<Vocabulary> {
    let single: Vec<String> = (b' '..=b'~').map(|b| char::from(b).to_string()).collect();
    let words: Vec<&str> = single.iter().map(String::as_str).chain(more.iter().copied()).collect();
    vocabulary(&words)
}

/// A model that wants to say `text` from the prompt on, and the end of sequence after it.
fn wants(vocabulary: &Arc<Vocabulary>, prompt: &str, text: &str) -> Box<dyn LanguageModel> {
    let v = vocabulary.clone();
    let (skip, text) = (prompt.len(), text.to_owned());
    Box::new(ScriptedModel::new(v.len(), 4096, move |tokens| {
        let said = v.decode(tokens).len().saturating_sub(skip);
        let rest = text.as_bytes().get(said..).unwrap_or_default();
        let mut logits = vec![0.0; v.len()];
        for (t, logit) in logits.iter_mut().enumerate() {
            let word = v.bytes(t as TokenId);
            let special = v.is_special(t as TokenId);
            if !special && !word.is_empty() && rest.starts_with(word) {
                *logit = 5.0 + word.len() as f32;
            } else if special && rest.is_empty() {
                *logit = 20.0;
            }
        }
        logits
    }))
}

fn lark(text: &str) -> GrammarSource {
    GrammarSource::new(GrammarKind::Lark, "test", text)
}

fn request(grammar: Option<GrammarSource>) -> Request {
    Request { prompt: ">".into(), grammar, max_tokens: 200, ..Request::default() }
}

fn start(vocabulary: &Arc<Vocabulary>, model: Box<dyn LanguageModel>, request: Request) -> Session {
    try_start(vocabulary, model, request).unwrap_or_else(|e| panic!("{e}"))
}

fn try_start(
    vocabulary: &Arc<Vocabulary>,
    model: Box<dyn LanguageModel>,
    request: Request,
) -> Result<Session, EngineError> {
    let compiled =
        request.grammar.as_ref().and_then(|g| Compiler::new(vocabulary).unwrap().compile(g).0.map(Arc::new));
    Session::start(model, vocabulary.clone(), compiled, request).map_err(|(e, _)| e)
}

fn run(session: &mut Session) -> FinishReason {
    while session.trace().outcome.is_none() {
        session.step().unwrap();
    }
    session.trace().outcome.as_ref().unwrap().reason
}

#[test]
fn the_output_follows_the_grammar_and_not_the_model() {
    let v = ascii(&["hello", "world"]);
    let mut s = start(
        &v,
        wants(&v, ">", "hello world"),
        request(Some(lark(r#"start: /[a-z]{3}/ "!" | /[0-9]{2}/"#))),
    );
    assert_eq!(run(&mut s), FinishReason::GrammarComplete);
    assert_eq!(s.trace().text(), "hel!");
    assert_eq!(s.trace().steps[3].kind, StepKind::Forced);
}

#[test]
fn without_a_grammar_the_model_says_what_it_wants() {
    let v = ascii(&["hello"]);
    let mut s = start(&v, wants(&v, ">", "hello you"), request(None));
    assert_eq!(run(&mut s), FinishReason::Eos);
    assert_eq!(s.trace().text(), "hello you");
    let last = s.trace().steps.last().unwrap();
    assert!(last.special && last.text_bytes().is_empty());
}

#[test]
fn forced_tokens_are_recorded_with_what_the_model_thought() {
    let v = ascii(&["name", "\": \""]);
    let source = lark(r#"start: "{\"name\": \"" /[a-z]+/ "\"}""#);
    let mut s = start(&v, wants(&v, ">", "{\"kind\": \"bob\"}"), request(Some(source)));
    assert_eq!(run(&mut s), FinishReason::GrammarComplete);
    assert!(s.trace().text().starts_with("{\"name\": \""), "{}", s.trace().text());
    let step = &s.trace().steps[2];
    assert_eq!((step.kind, &*step.bytes), (StepKind::Forced, &b"name"[..]));
    let insight = step.insight.as_ref().unwrap();
    assert_eq!(insight.allowed.count(), 1);
    // The model wanted "k" here: forcing "name" removed nearly all it had.
    assert_eq!(v.bytes(insight.before[0].token), b"k");
    assert!(insight.mass_removed > 0.5 && insight.chosen.before < 0.5);
    assert_eq!(insight.chosen.after, 1.0);
}

/// Ids past the tokenizer's last have logits too, and what is in them is anything.
#[test]
fn padding_is_never_picked_however_likely_it_looks() {
    let v = ascii(&[]);
    let padding = v.len() - 1;
    assert!(v.is_padding(padding as TokenId));
    for grammar in [None, Some(lark("start: /[a-z]{9}/"))] {
        let model = ScriptedModel::new(v.len(), 64, move |_| (0..=padding).map(|t| t as f32).collect());
        let mut s = start(&v, Box::new(model), Request { max_tokens: 9, ..request(grammar) });
        run(&mut s);
        assert!(s.trace().steps.iter().all(|step| !v.is_padding(step.token)), "{:?}", tokens(&s));
    }
}

/// One forward pass for all forced tokens, and none for each.
#[test]
fn forced_tokens_share_one_forward_pass() {
    let v = ascii(&[]);
    let passes = Arc::new(std::sync::Mutex::new(Vec::new()));
    struct Counting(Box<dyn LanguageModel>, Arc<std::sync::Mutex<Vec<usize>>>);
    impl LanguageModel for Counting {
        fn info(&self) -> &maze::engine::ModelInfo {
            self.0.info()
        }
        fn len(&self) -> usize {
            self.0.len()
        }
        fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], maze::engine::ModelError> {
            self.1.lock().unwrap().push(tokens.len());
            self.0.forward(tokens, rows)
        }
        fn truncate(&mut self, len: usize) {
            self.0.truncate(len);
        }
    }
    let model = Counting(wants(&v, ">", "ayes!"), passes.clone());
    let mut s = start(&v, Box::new(model), request(Some(lark(r#"start: "a" ("yes" | "no") "!""#))));
    assert_eq!(run(&mut s), FinishReason::GrammarComplete);
    assert_eq!(s.trace().text(), "ayes!");
    // ">a" leads to "y"; "yes" leads to the "!" after it, and all is forced.
    assert_eq!(*passes.lock().unwrap(), [2, 3]);
}

#[test]
fn every_way_to_end_has_its_name() {
    let v = ascii(&[]);
    let end = |text: &str, request: Request| run(&mut start(&v, wants(&v, ">", text), request));
    let free = || request(None);
    assert_eq!(end("hello", Request { max_tokens: 3, ..free() }), FinishReason::MaxTokens);
    assert_eq!(end("hello", Request { max_tokens: 0, ..free() }), FinishReason::MaxTokens);
    assert_eq!(end("hello", free()), FinishReason::Eos);
    assert_eq!(
        end("say stop now", Request { stop: vec!["never".into(), "stop".into()], ..free() }),
        FinishReason::StopString
    );
    assert_eq!(end("ab", request(Some(lark(r#"start: "ab""#)))), FinishReason::GrammarComplete);
    assert_eq!(end("aaa", request(Some(lark("start: /a+/")))), FinishReason::Eos);
    let small: Box<dyn LanguageModel> = Box::new(ScriptedModel::new(v.len(), 8, |_| vec![1.0; 90]));
    let mut s = start(&v, small, free());
    assert_eq!(run(&mut s), FinishReason::ContextFull);
    assert_eq!(s.trace().steps.len(), 8, "one prompt token, seven cached, and the last needs no place");
    let mut s = start(&v, wants(&v, ">", "hello"), free());
    s.step().unwrap();
    s.canceller().cancel();
    assert_eq!(run(&mut s), FinishReason::Cancelled);
    assert_eq!(s.trace().text(), "h");
}

/// The vocabulary cannot spell what the grammar wants.
#[test]
fn a_dead_end_is_named_and_nothing_is_made_up() {
    let v = vocabulary(&["a", "b", "c", ">"]);
    let model = || wants(&v, ">", "abc");
    let mut s = start(&v, model(), request(Some(lark(r#"start: "a" ("bx" | "y")"#))));
    assert_eq!(run(&mut s), FinishReason::DeadEnd);
    assert!("ab".starts_with(&s.trace().text()), "{}", s.trace().text());
}

/// Fail closed: a grammar that does not compile, and settings that make no sense, start nothing.
#[test]
fn bad_requests_are_refused() {
    let v = ascii(&[]);
    let refused = |r: Request| try_start(&v, wants(&v, ">", "x"), r).err().expect("a refusal").to_string();
    assert!(refused(request(Some(lark("start: nowhere")))).starts_with("the grammar test does not compile"));
    assert!(refused(Request { prompt: String::new(), ..request(None) }).contains("prompt is empty"));
    assert!(refused(Request { prompt: "x".repeat(5000), ..request(None) }).contains("5000 tokens"));
    let sampler = SamplerSettings { temperature: f32::NAN, ..Default::default() };
    assert!(refused(Request { sampler, ..request(None) }).contains("temperature is NaN"));
}

fn tokens(session: &Session) -> Vec<TokenId> {
    session.trace().steps.iter().map(|s| s.token).collect()
}

#[test]
fn a_rewound_run_goes_on_as_if_nothing_had_happened() {
    let v = ascii(&["the", "cat"]);
    let grammar = lark(
        r#"start: (WORD " ")* WORD "." %json {"type": "integer"}
WORD: /[a-z]{1,5}/"#,
    );
    let settings = SamplerSettings { temperature: 1.2, seed: 11, ..Default::default() };
    let r = Request { sampler: settings, max_tokens: 40, ..request(Some(grammar)) };
    let mut whole = start(&v, wants(&v, ">", "the cat sat."), r.clone());
    run(&mut whole);
    let reference = tokens(&whole);
    for back in [0, 1, 2, reference.len() / 2, reference.len()] {
        let mut s = start(&v, wants(&v, ">", "the cat sat."), r.clone());
        run(&mut s);
        s.rewind(back).unwrap();
        assert_eq!(tokens(&s), reference[..back]);
        run(&mut s);
        assert_eq!(tokens(&s), reference, "after going back to {back}");
    }
}

/// llguidance 1.9.1 serves a stale mask after a rollback unless its cache is dropped: here `bc`,
/// which follows "a" and not "x".
#[test]
fn the_mask_after_a_rollback_is_not_the_one_from_before() {
    let v = vocabulary(&["a", "b", "c", "d", "x", "bc", "bd", ">", "e"]);
    let id = |w: &str| (0..9).find(|&t| v.bytes(t) == w.as_bytes()).unwrap();
    let source = lark(r#"start: "a" ("b" "c" | "e") | "x" ("b" "d" | "e")"#);
    let compiled = Compiler::new(&v).unwrap().compile(&source).0.unwrap();
    let mut c = compiled.constraint();
    assert!(c.commit(id("a")).unwrap());
    assert!(c.mask().unwrap().count() > 0);
    c.rollback(1, &compiled.constraint()).unwrap();
    assert!(c.commit(id("x")).unwrap());
    let mut fresh = compiled.constraint();
    assert!(fresh.commit(id("x")).unwrap());
    let words = |c: &mut maze::engine::constraint::Constraint| {
        c.mask().unwrap().iter().map(|t| String::from_utf8_lossy(v.bytes(t)).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words(&mut c), words(&mut fresh));

    // The same through a session.
    let mut s = start(&v, wants(&v, ">", "abc"), request(Some(source)));
    run(&mut s);
    assert_eq!(s.trace().text(), "abc");
    s.rewind(0).unwrap();
    s.force(id("x")).unwrap();
    s.force(id("b")).unwrap();
    run(&mut s);
    assert_eq!(s.trace().text(), "xbd");
}

#[test]
fn a_token_can_be_put_next_only_where_the_grammar_takes_it() {
    let v = ascii(&[]);
    let id = |w: &str| (0..v.len() as u32).find(|&t| v.bytes(t) == w.as_bytes()).unwrap();
    let mut s = start(&v, wants(&v, ">", "cat"), request(Some(lark("start: /[a-z]{3}/"))));
    s.step().unwrap();
    let error = s.force(id("7")).unwrap_err();
    assert!(matches!(error, EngineError::NotAllowed { step: 1, .. }), "{error}");
    assert_eq!(s.trace().text(), "c");
    s.force(id("u")).unwrap();
    assert_eq!(s.trace().steps[1].kind, StepKind::Overridden);
    assert_eq!(run(&mut s), FinishReason::GrammarComplete);
    assert_eq!(s.trace().text(), "cut");
    // Also after the end: go back and take another turn.
    s.rewind(2).unwrap();
    s.force(id("p")).unwrap();
    assert_eq!(s.trace().text(), "cup");
}

/// A grammar with `max_tokens=` cannot roll back in llguidance; it is replayed.
#[test]
fn grammars_that_cannot_roll_back_are_replayed() {
    let v = ascii(&[]);
    let grammar = lark("start: head \"!\" /[0-9]{2}/\nhead[max_tokens=3]: /[a-z]+/");
    let mut s = start(&v, wants(&v, ">", "abc!42"), request(Some(grammar)));
    run(&mut s);
    let whole = s.trace().text();
    s.rewind(2).unwrap();
    assert_eq!(s.trace().text(), whole[..2]);
    run(&mut s);
    assert_eq!(s.trace().text(), whole);
}

#[test]
fn a_cancelled_run_can_be_taken_up_again() {
    let v = ascii(&[]);
    let mut s = start(&v, wants(&v, ">", "abcdef"), request(Some(lark("start: /[a-z]{6}/"))));
    s.step().unwrap();
    s.canceller().cancel();
    assert_eq!(run(&mut s), FinishReason::Cancelled);
    s.rewind(1).unwrap();
    assert_eq!(run(&mut s), FinishReason::GrammarComplete);
    assert_eq!(s.trace().text(), "abcdef");
}

/// The recorded allowed set is llguidance's own mask, computed apart from the session.
#[test]
fn the_recorded_mask_is_the_grammar_s() {
    let v = ascii(&["tr", "true", "fal", "12"]);
    let source = lark(
        r#"start: "[" (item ("," item)*)? "]"
item: "true" | "false" | /[0-9]+/"#,
    );
    let mut s = start(&v, wants(&v, ">", "[12,true,7]"), request(Some(source.clone())));
    run(&mut s);
    assert_eq!(s.trace().text(), "[12,true,7]");
    let mut constraint = Compiler::new(&v).unwrap().compile(&source).0.unwrap().constraint();
    for step in &s.trace().steps {
        if step.kind != StepKind::Forced {
            let mask: Vec<TokenId> = constraint.mask().unwrap().iter().collect();
            assert_eq!(step.insight.as_ref().unwrap().allowed.iter().collect::<Vec<_>>(), mask);
        }
        assert!(constraint.commit(step.token).unwrap());
    }
}

/// With detail off the same tokens come, and nothing is recorded about them.
#[test]
fn detail_changes_the_record_and_not_the_tokens() {
    let v = ascii(&["name", "age"]);
    let grammar = lark(r#"start: "{name:" /[a-z]{2,9}/ ",age:" /[0-9]{1,3}/ "}""#);
    let settings = SamplerSettings { temperature: 0.9, top_p: 0.95, seed: 5, ..Default::default() };
    let r = Request { sampler: settings, ..request(Some(grammar)) };
    let mut on = start(&v, wants(&v, ">", "{name:bob,age:7}"), r.clone());
    let mut off = start(&v, wants(&v, ">", "{name:bob,age:7}"), Request { detail: false, ..r });
    assert_eq!(run(&mut on), run(&mut off));
    assert_eq!(tokens(&on), tokens(&off));
    assert!(off.trace().steps.iter().all(|s| s.insight.is_none()));
    assert!(on.trace().steps.iter().all(|s| s.insight.is_some()));
}

/// No choice is ever left, and no end: llguidance's limit ends it, in bounded time.
#[test]
fn a_grammar_that_forces_for_ever_ends_at_a_limit() {
    let v = ascii(&["ab", "abab"]);
    for grammar in [r#"start: "ab" start"#, "start: a\na: \"a\" b\nb: \"b\" a"] {
        let mut s = start(&v, wants(&v, ">", "abab"), request(Some(lark(grammar))));
        assert_eq!(run(&mut s), FinishReason::ParserLimit);
        let detail = s.trace().outcome.as_ref().unwrap().detail.clone().unwrap();
        assert!(detail.contains("Too many items (limit 250000"), "{detail}");
        assert_eq!(s.trace().text(), "");
    }
}

/// An ambiguous grammar whose every step costs more than the one before, tens of milliseconds
/// after a hundred: a cancel from another thread ends the run in the middle of one.
#[test]
fn a_cancel_interrupts_a_slow_grammar() {
    let v = ascii(&[]);
    let grammar = lark("start: e\ne: e e | e e e | \"a\"");
    let r = Request { max_tokens: 3000, detail: false, ..request(Some(grammar)) };
    let mut s = start(&v, wants(&v, ">", &"a".repeat(3000)), r);
    let canceller = s.canceller();
    let (step_begins, steps) = std::sync::mpsc::channel();
    let stopper = std::thread::spawn(move || {
        steps.iter().find(|&n: &usize| n == 120);
        canceller.cancel();
        std::time::Instant::now()
    });
    while s.trace().outcome.is_none() {
        step_begins.send(s.trace().steps.len()).ok();
        s.step().unwrap();
    }
    let took = stopper.join().unwrap().elapsed();
    assert_eq!(s.trace().outcome.as_ref().unwrap().reason, FinishReason::Cancelled);
    assert!(took < std::time::Duration::from_secs(1), "{took:?} after the cancel");
}

/// A stop string ends a run wherever it appears: among sampled tokens, among forced ones, across
/// both, and as soon as it is there.
#[test]
fn stop_strings_are_found_in_forced_text() {
    let v = ascii(&["END", "xyz"]);
    let run_with = |grammar: &str, stop: &str, detail: bool| {
        let r = Request { stop: vec![stop.into()], detail, ..request(Some(lark(grammar))) };
        let mut s = start(&v, wants(&v, ">", "x1ENDxyzxyz"), r);
        (run(&mut s), s.trace().text())
    };
    for detail in [true, false] {
        let grammar = r#"start: /[x][0-9]/ "ENDxyz" /[0-9]{5}/"#;
        assert_eq!(run_with(grammar, "END", detail), (FinishReason::StopString, "x1END".into()));
        assert_eq!(run_with(grammar, "1E", detail), (FinishReason::StopString, "x1END".into()));
        assert_eq!(run_with(r#"start: "ENDxyz""#, "END", detail), (FinishReason::StopString, "END".into()));
    }
}

/// A refused token leaves a run that has ended as it was.
#[test]
fn a_refused_token_does_not_reopen_a_run() {
    let v = ascii(&[]);
    let r = Request { stop: vec!["b".into()], ..request(Some(lark("start: /[a-z]{6}/"))) };
    let mut s = start(&v, wants(&v, ">", "abcdef"), r);
    assert_eq!(run(&mut s), FinishReason::StopString);
    let digit = (0..v.len() as u32).find(|&t| v.bytes(t) == b"7").unwrap();
    assert!(s.force(digit).is_err());
    assert_eq!(s.trace().outcome.as_ref().map(|o| o.reason), Some(FinishReason::StopString));
    assert_eq!(s.trace().text(), "ab");
}

/// A grammar may name the end of sequence where others leave it to the model.
#[test]
fn a_grammar_that_names_the_end_of_sequence_ends_there() {
    let v = ascii(&[]);
    let mut s = start(&v, wants(&v, ">", "hello"), request(Some(lark("start: \"hi\" <eos>"))));
    assert_eq!(run(&mut s), FinishReason::Eos);
    assert_eq!(s.trace().text(), "hi");
}
