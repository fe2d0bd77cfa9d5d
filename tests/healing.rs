//! Where a prompt ends within a token that a model would have written: the answer takes the prompt's last
//! token in, and everything that is made of a run says the same text.

use std::sync::{Arc, Mutex};

use maze::engine::explain::{Class, Explainer, Reason};
use maze::engine::grammar::{Compiled, Compiler, library};
use maze::engine::model::scripted::ScriptedModel;
use maze::engine::replay::{self, DifferenceKind, Probabilities};
use maze::engine::sampler::SamplerSettings;
use maze::engine::session::Session;
use maze::engine::trace::{FinishReason, Request, StepKind, TokenId, Trace};
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use maze::engine::{DeviceSpec, Engine, EngineError, GrammarSource, LanguageModel, ModelSpec};

/// A prompt whose last word, `):`, begins two longer ones.
const PROMPT: &str = "def f(x):";

/// What follows it: one of the longer ones, or neither.
const BODY: &str = "start: /\\n? [a-z]+/ \";\"";

/// Every printable ASCII character as a word, a line end, longer ones, and the end of sequence.
fn words() -> Arc<Vocabulary> {
    let mut words: Vec<Vec<u8>> = (b' '..=b'~').map(|b| vec![b]).collect();
    words.extend(["\n", "):", "):\n", "):;", "<end>\n", "<end>"].map(|word| word.as_bytes().to_vec()));
    let eos = words.len() as TokenId - 1;
    Arc::new(Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![eos] }).expect("words"))
}

fn word(v: &Vocabulary, text: &str) -> TokenId {
    v.find(text.as_bytes()).unwrap_or_else(|| panic!("no word {text:?}"))
}

/// The tokens that a model was shown when it was asked for the next one.
type Shown = Arc<Mutex<Vec<Vec<TokenId>>>>;

/// A model that knows one text, in the longest words. It ends with the text.
fn knows(v: &Arc<Vocabulary>, text: &str) -> (Box<dyn LanguageModel>, Shown) {
    let (words, text, shown) = (v.clone(), text.to_owned(), Shown::default());
    let seen = shown.clone();
    let model = ScriptedModel::new(v.len(), 4096, move |tokens| {
        seen.lock().expect("no panic").push(tokens.to_vec());
        let said = words.decode(tokens);
        let rest = text.as_bytes().strip_prefix(&said[..]).unwrap_or_default();
        let logit = |t: TokenId| match words.bytes(t) {
            _ if words.is_special(t) => {
                if rest.is_empty() {
                    20.0
                } else {
                    -20.0
                }
            }
            word if rest.starts_with(word) => 5.0 + word.len() as f32,
            _ => 0.0,
        };
        (0..words.len() as TokenId).map(logit).collect()
    });
    (Box::new(model), shown)
}

fn request(prompt: &str, grammar: Option<&str>) -> Request {
    let grammar = grammar.map(|text| GrammarSource::lark("test", text));
    Request { prompt: prompt.into(), grammar, max_tokens: 50, ..Request::default() }
}

fn compiled(v: &Arc<Vocabulary>, source: &GrammarSource) -> Arc<Compiled> {
    Arc::new(Compiler::new(v).expect("a compiler").compile(source).0.expect("it compiles"))
}

fn start(v: &Arc<Vocabulary>, model: Box<dyn LanguageModel>, request: Request) -> Session {
    let grammar = request.grammar.as_ref().map(|source| compiled(v, source));
    Session::start(model, v.clone(), grammar, request).unwrap_or_else(|(error, _)| panic!("{error}"))
}

fn run(session: &mut Session) -> FinishReason {
    while session.trace().outcome.is_none() {
        session.step().expect("the model works");
    }
    session.trace().outcome.as_ref().expect("it ended").reason
}

/// What a run of a model that knows `prompt` and `answer` says.
fn said(prompt: &str, answer: &str, grammar: Option<&str>) -> (Trace, Vec<Vec<TokenId>>) {
    let v = words();
    let (model, shown) = knows(&v, &format!("{prompt}{answer}"));
    let mut session = start(&v, model, request(prompt, grammar));
    run(&mut session);
    let shown = shown.lock().expect("no panic").clone();
    (session.trace().clone(), shown)
}

fn tokens(trace: &Trace) -> Vec<TokenId> {
    trace.steps.iter().map(|step| step.token).collect()
}

#[test]
fn the_answer_takes_the_prompts_last_token_in() {
    let v = words();
    let (trace, shown) = said(PROMPT, "\n yes;", Some(BODY));
    assert_eq!(trace.text(), "\n yes;");
    let first = &trace.steps[0];
    assert_eq!(
        (&*first.bytes, first.prompt_bytes(), first.text_bytes()),
        (&b"):\n"[..], &b"):"[..], &b"\n"[..])
    );
    assert_eq!(first.kind, StepKind::Sampled);
    // The prompt is told as it was tokenized, and its last token was never shown to the model.
    assert_eq!(v.decode(&trace.prompt.iter().map(|s| s.token).collect::<Vec<_>>()), PROMPT.as_bytes());
    assert_eq!(trace.read().len() + 1, trace.prompt.len());
    assert!(shown.iter().all(|tokens| !tokens.contains(&word(&v, "):"))));
    // Together they are what the tokenizer makes of the whole text.
    let read: Vec<TokenId> = trace.read().iter().chain(&trace.steps).map(|step| step.token).collect();
    assert_eq!(read, v.encode("def f(x):\n yes;"));
    // Exactly the words that go on as the grammar begins may come in its place.
    let allowed: Vec<TokenId> = first.insight.as_ref().expect("detail").allowed.iter().collect();
    assert_eq!(allowed, [word(&v, "):"), word(&v, "):\n")]);
}

#[test]
fn a_prompt_that_the_model_would_write_so_stays() {
    let v = words();
    let (trace, shown) = said(PROMPT, " yes;", Some(BODY));
    assert_eq!((trace.text().as_str(), trace.steps[0].of_prompt), (" yes;", 0));
    assert_eq!(trace.read().len(), trace.prompt.len());
    // It was asked before its last token, and then after it.
    let whole = v.encode(PROMPT);
    assert_eq!(shown[..2], [whole[..whole.len() - 1].to_vec(), whole]);
    assert_eq!(trace.steps[0].insight.as_ref().expect("detail").allowed.count(), 2);
}

#[test]
fn nothing_is_healed_without_a_longer_token_that_fits() {
    let v = words();
    for (prompt, answer, grammar) in [
        // No grammar, no longer word that the grammar takes, no longer word, and nothing left to read.
        (PROMPT, "\n yes;", None),
        (PROMPT, "\n yes;", Some("start: /[ a-z]+\\n/")),
        ("def f(x)", "\n yes;", Some(BODY)),
        ("):", "\n yes;", Some(BODY)),
    ] {
        let (trace, shown) = said(prompt, answer, grammar);
        assert_eq!(trace.steps[0].of_prompt, 0, "{prompt:?} {grammar:?}");
        assert_eq!(shown[0], v.encode(prompt), "{prompt:?} {grammar:?}");
    }
    // A special token is no text.
    let trace = said("def f(x):<end>", "", Some(BODY)).0;
    assert_eq!(trace.steps[0].of_prompt, 0);
}

/// What a grammar forces at its start may be a part of the first token.
#[test]
fn forced_text_goes_on_after_the_first_token() {
    let v = words();
    let (trace, _) = said(PROMPT, "\n yes;", Some("start: \"\\n yes\" \";\""));
    assert_eq!(trace.text(), "\n yes;");
    assert_eq!(trace.steps[0].bytes[..], b"):\n"[..]);
    assert!(trace.steps[1..].iter().all(|step| step.kind == StepKind::Forced));
    let (trace, _) = said(PROMPT, " yes;", Some("start: \"\\n yes\" \";\""));
    // It would rather have written something else, and the line end is forced then.
    assert_eq!((trace.text().as_str(), trace.steps[0].token), ("\n yes;", word(&v, "\n")));
}

#[test]
fn a_run_goes_back_to_its_start_and_comes_again() {
    let v = words();
    let sampler = SamplerSettings { temperature: 1.5, seed: 3, ..SamplerSettings::default() };
    for answer in ["\n yes;", " yes;"] {
        for seed in 0..20 {
            let sampler = SamplerSettings { seed, ..sampler.clone() };
            let (model, _) = knows(&v, &format!("{PROMPT}{answer}"));
            let mut session = start(&v, model, Request { sampler, ..request(PROMPT, Some(BODY)) });
            run(&mut session);
            let before = session.trace().clone();
            for keep in (0..before.steps.len()).rev() {
                session.rewind(keep).expect("there is a way back");
                run(&mut session);
                assert_eq!(tokens(session.trace()), tokens(&before), "seed {seed}, back to {keep}");
                assert_eq!(session.trace().text(), before.text());
            }
            // A session that is new takes the steps up, as far as they go.
            for keep in 1..before.steps.len() {
                let (model, _) = knows(&v, &format!("{PROMPT}{answer}"));
                let mut session = start(&v, model, before.request.clone());
                session.retrace(&before.steps[..keep]).expect("the same grammar");
                run(&mut session);
                assert_eq!(tokens(session.trace()), tokens(&before), "seed {seed}, on from {keep}");
            }
        }
    }
}

#[test]
fn a_token_that_is_put_first_says_how_the_answer_begins() {
    let v = words();
    let new = || start(&v, knows(&v, "def f(x):\n yes;").0, request(PROMPT, Some(BODY)));
    for (put, of_prompt) in [("\n", 0), (" ", 0), ("):\n", 2)] {
        let mut session = new();
        session.force(word(&v, put)).expect("it may come");
        assert_eq!(session.trace().steps[0].of_prompt, of_prompt, "{put:?}");
        run(&mut session);
        assert!(session.trace().text().ends_with(" yes;") || put == " ", "{}", session.trace().text());
    }
    let mut session = new();
    for refused in ["):;", "x"] {
        let error = session.force(word(&v, refused));
        assert!(matches!(error, Err(EngineError::NotAllowed { step: 0, .. })), "{error:?}");
    }
    // Nothing has changed.
    run(&mut session);
    assert_eq!((session.trace().text().as_str(), session.trace().steps[0].of_prompt), ("\n yes;", 2));
    // In the place of the prompt's last token that token itself may be put: then the answer goes on after it.
    session.rewind(0).expect("there is a way back");
    session.force(word(&v, "):")).expect("it is one of the candidates");
    assert_eq!((session.trace().text().as_str(), session.trace().steps[0].of_prompt), ("", 2));
    run(&mut session);
    assert_eq!(session.trace().text(), "\n yes;");
}

#[test]
fn stop_strings_are_looked_for_in_the_answer_alone() {
    let v = words();
    for (stop, text) in [(":\n", "\n yes;"), ("\n y", "\n y")] {
        let (model, _) = knows(&v, "def f(x):\n yes;");
        let request = Request { stop: vec![stop.into()], ..request(PROMPT, Some(BODY)) };
        let mut session = start(&v, model, request);
        run(&mut session);
        assert_eq!(session.trace().text(), text, "{stop:?}");
    }
}

/// Reasons at the first step agree with its mask.
#[test]
fn the_first_step_is_explained_by_the_prompt() {
    let v = words();
    let source = GrammarSource::lark("test", BODY);
    let trace = said(PROMPT, "\n yes;", Some(BODY)).0;
    let mut explainer = Explainer::new(compiled(&v, &source), v.clone());
    explainer.begin_with(trace.steps[0].prompt_bytes());
    let mut at = explainer.at(&[]).expect("the start");
    let reasons = at.all();
    let allowed = &trace.steps[0].insight.as_ref().expect("detail").allowed;
    for token in 0..v.len() as TokenId {
        let is_allowed = allowed.contains(token);
        assert_eq!(reasons.class(token) == Class::Allowed, is_allowed, "{token}");
        assert_eq!(matches!(at.why(token), Reason::Allowed { .. }), is_allowed, "{token}");
    }
    assert_eq!(at.why(word(&v, ")")), Reason::Prompt { last: b"):".to_vec() });
    let Reason::Byte { accepted: 2, byte: b';', expected, .. } = at.why(word(&v, "):;")) else { panic!() };
    assert_eq!(expected.bytes, b"\n ");
    let Reason::Byte { accepted: 0, byte: b'x', expected, .. } = at.why(word(&v, "x")) else { panic!() };
    assert_eq!(expected.forced, b"):");
    // Of a text it is said what the answer may be.
    assert_eq!(at.why_text(b"\n y"), Reason::Allowed { ends: false });
    assert!(matches!(at.why_text(b"\n;"), Reason::Byte { accepted: 1, byte: b';', .. }));
    // The places after it are those of the text.
    let steps = tokens(&trace);
    for count in 1..steps.len() {
        let text: Vec<u8> = trace.steps[..count].iter().flat_map(|step| step.text_bytes()).copied().collect();
        let mut at = explainer.at(&steps[..count]).expect("it was taken");
        let there = (at.is_complete(), at.expected());
        let mut plain = Explainer::new(compiled(&v, &source), v.clone());
        let mut at = plain.at_text(&text).expect("it is accepted");
        assert_eq!((at.is_complete(), at.expected()), there, "{count}");
    }
}

/// With the embedded model and a shipped grammar, from the run to its file and its verification.
#[test]
fn a_body_begins_with_the_line_end_of_its_signature() {
    let mut engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu).expect("the embedded model");
    let python = library::find("python").expect("shipped").source();
    let request = Request {
        prompt: "# Return the larger of two numbers\ndef larger(a: int, b: int) -> int:".into(),
        grammar: Some(python.with_entry("body").expect("an entry point")),
        max_tokens: 60,
        ..Request::default()
    };
    let trace = engine.run(request).expect("a run");
    assert!(trace.text().starts_with("\n    "), "{}", trace.text());
    assert_eq!((&*trace.steps[0].bytes, trace.steps[0].prompt_bytes()), (&b":\n"[..], &b":"[..]));
    let mut file = Vec::new();
    trace.write(&[], &mut file).expect("it can be written");
    let read = Trace::from_json(&file).expect("it can be read");
    assert_eq!(read.text(), trace.text());
    let verified = replay::verify(&mut engine, &read, true).expect("it can be verified");
    assert_eq!((verified.difference, verified.masks), (None, trace.steps.len()));
    let Probabilities::Compared { steps, .. } = verified.probabilities else { panic!("they were asked for") };
    assert_eq!(steps, trace.steps.len());

    // A trace that says something else of its first step is found out.
    let mut changed = read.clone();
    Arc::make_mut(&mut changed.steps[0]).of_prompt = 0;
    let difference = replay::verify(&mut engine, &changed, false).expect("it can be verified").difference;
    assert!(matches!(difference.expect("one").kind, DifferenceKind::Mask { .. }));
    for of_prompt in [2, 3] {
        Arc::make_mut(&mut changed.steps[0]).of_prompt = of_prompt;
        assert!(changed.check().is_err_and(|e| e.starts_with("step 1: ")), "{of_prompt}");
    }
}
