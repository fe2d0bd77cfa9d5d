//! `maze replay`: what was recorded is found again, and what was changed is found out.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use maze::engine::load::{Loaded, load};
use maze::engine::replay::{self, Probabilities};
use maze::engine::{
    DeviceSpec, Engine, EngineError, FinishReason, GrammarSource, LanguageModel, ModelError, ModelInfo,
    ModelSpec, Request, StepKind, TokenId, Trace,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ran, str};

const ALICE: &str = "// JSON: a user with name Alice, age 30 and tags admin, rust\n";

fn nano() -> Loaded {
    load(&ModelSpec::Embedded, DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(())).expect("it loads")
}

/// A trace as `generate` saves it, and as JSON.
fn saved(folder: &TempDir) -> (PathBuf, Value) {
    let path = folder.path().join("trace.json");
    let (code, _, stderr) =
        ran(&["generate", ALICE, "--language", "user", "--trace", str(&path), "--stop", "zzz"]);
    assert_eq!(code, 0, "{stderr}");
    let value = serde_json::from_slice(&fs::read(&path).expect("the trace")).expect("JSON");
    (path, value)
}

fn number_of(value: &Value, is: impl Fn(&Value) -> bool) -> usize {
    value["steps"].as_array().expect("steps").iter().position(is).expect("there is such a step")
}

#[test]
fn a_saved_trace_is_shown_and_verified() {
    let folder = TempDir::new().expect("a folder");
    let (path, value) = saved(&folder);
    assert_eq!(value["maze_trace"], 1);
    assert_eq!(value.as_object().and_then(|o| o.keys().next()).map(String::as_str), Some("maze_trace"));
    let (code, stdout, stderr) = ran(&["replay", str(&path)]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("«{\"name\": \"»Alice\",«"), "{stdout}");
    let steps = value["steps"].as_array().expect("steps");
    let verified = format!(
        "Verified: {n} masks are reproduced;\nthe probabilities of {n} steps too, within ",
        n = steps.len()
    );
    assert!(stdout.contains(&verified), "{stdout}");
    assert!(stdout.lines().all(|l| l.chars().count() <= 80), "{stdout}");
    for (i, step) in steps.iter().enumerate() {
        let allowed = step["insight"]["allowed"]["count"].as_u64().expect("a count");
        let row = stdout
            .lines()
            .find(|l| l.split_whitespace().next() == Some(&(i + 1).to_string()))
            .expect("a row for each step");
        let columns: Vec<&str> = row.split_whitespace().rev().collect();
        assert_eq!(columns[2], allowed.to_string(), "{row}");
        let chosen = step["insight"]["chosen"]["before"].as_f64().expect("a probability");
        assert_eq!(columns[0], format!("{:.2}%", chosen as f32 * 100.0), "{row}");
    }
    let (code, stdout, _) = ran(&["replay", str(&path), "--step", "5", "--masks-only"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with(&format!("step 5 of {}: sampled, token ", steps.len())), "{stdout}");
    assert!(stdout.contains("probabilities are not verified"), "{stdout}");
    let (code, stdout, _) = ran(&["replay", str(&path), "--step", "5", "--json"]);
    let shown: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((code, shown["steps"].as_array().map(Vec::len)), (0, Some(1)));
    assert_eq!(shown["steps"][0]["token"], steps[4]["token"]);
    assert_eq!(
        (&shown["verified"]["masks"], &shown["verified"]["difference"]),
        (&json!(steps.len()), &Value::Null)
    );
    assert_eq!(ran(&["replay", str(&path), "--step", "999"]).0, 2);
}

#[test]
fn a_changed_trace_is_found_out() {
    let folder = TempDir::new().expect("a folder");
    let (path, original) = saved(&folder);
    let replayed = |value: &Value| {
        fs::write(&path, value.to_string()).expect("writable");
        let (code, _, stderr) = ran(&["replay", str(&path)]);
        (code, stderr)
    };
    // One token more in one allowed set.
    let at = number_of(&original, |s| {
        s["kind"] == "sampled" && s["insight"]["allowed"]["only"].as_array().is_some_and(|a| a.len() > 2)
    });
    let mut value = original.clone();
    let allowed = &mut value["steps"][at]["insight"]["allowed"];
    let count = allowed["count"].as_u64().expect("a count");
    let ids: Vec<u64> =
        allowed["only"].as_array().expect("ids").iter().map(|t| t.as_u64().expect("an id")).collect();
    let extra = (0..).find(|t| !ids.contains(t)).expect("a token that is not allowed");
    let mut more: Vec<u64> = ids.iter().copied().chain([extra]).collect();
    more.sort_unstable();
    (allowed["only"], allowed["count"]) = (json!(more), json!(count + 1));
    let (code, stderr) = replayed(&value);
    assert_eq!(code, 1);
    let expected = format!(
        "step {} (token {}): the trace has {} allowed tokens, the grammar allows {count}; \
         the first that differs is token {extra}\n",
        at + 1,
        original["steps"][at]["token"],
        count + 1
    );
    assert!(stderr.ends_with(&expected), "{stderr}");
    // As many tokens, but another one.
    more.retain(|&t| t == extra || t != ids[0]);
    let allowed = &mut value["steps"][at]["insight"]["allowed"];
    (allowed["only"], allowed["count"]) = (json!(more), json!(count));
    let (code, stderr) = replayed(&value);
    assert!(
        code == 1 && stderr.contains(&format!("has {count} allowed tokens, the grammar allows {count};"))
    );

    // Another grammar: the name may have a digit now.
    let mut value = original.clone();
    let text = original["request"]["grammar"]["text"].as_str().expect("a grammar");
    value["request"]["grammar"]["text"] = json!(text.replace("[A-Z][a-z]{1,20}(", "[A-Z][a-z0-9]{1,20}("));
    let (code, stderr) = replayed(&value);
    let second = number_of(&original, |s| s["kind"] == "sampled") + 2;
    assert!(code == 1 && stderr.contains(&format!(": step {second} (token ")), "{stderr}");

    // Another probability.
    let mut value = original.clone();
    let chosen = &mut value["steps"][0]["insight"]["chosen"]["before"];
    *chosen = json!(chosen.as_f64().expect("a number") / 2.0);
    let (code, stderr) = replayed(&value);
    assert!(
        code == 1 && stderr.contains("step 1 (token ") && stderr.contains("before the mask is 0."),
        "{stderr}"
    );

    // A grammar that does not compile.
    let mut value = original.clone();
    value["request"]["grammar"]["text"] = json!("start: naem\n");
    let (code, stderr) = replayed(&value);
    assert!(code == 2 && stderr.contains("error[M050 undefined-name]"), "{stderr}");

    // Nothing recorded.
    let mut value = original.clone();
    for step in value["steps"].as_array_mut().expect("steps") {
        step["insight"] = Value::Null;
    }
    fs::write(&path, value.to_string()).expect("writable");
    let (code, stdout, _) = ran(&["replay", str(&path)]);
    assert!(code == 0 && stdout.contains("there is nothing to verify"), "{stdout}");
}

#[test]
fn a_trace_of_another_model_says_which() {
    let folder = TempDir::new().expect("a folder");
    let (path, mut value) = saved(&folder);
    value["model"]["name"] = json!("big-one");
    // The same tokens, other weights: the masks can be verified, the probabilities cannot.
    value["model"]["fingerprint"] = json!("01\u{1b}[2J");
    fs::write(&path, value.to_string()).expect("writable");
    let (code, stdout, _) = ran(&["replay", str(&path)]);
    assert_eq!(code, 0);
    assert!(stdout.contains("probabilities are not verified: the trace is of other weights (Q4_K, 01␛[2J)"));
    // Other tokens.
    value["steps"][3]["bytes"] = json!([33, 33]);
    fs::write(&path, value.to_string()).expect("writable");
    let (code, _, stderr) = ran(&["replay", str(&path)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("of the model big-one (llama, Q4_K, fingerprint 01\u{1b}[2J)"), "{stderr}");
    assert!(stderr.contains("give the trace's model with --model"), "{stderr}");
}

#[test]
fn hostile_files_are_refused_with_their_place() {
    let folder = TempDir::new().expect("a folder");
    let (_, value) = saved(&folder);
    let changed = |pointer: &str, new: Value| {
        let mut value = value.clone();
        *value.pointer_mut(pointer).expect("there") = new;
        value.to_string()
    };
    let mut nameless = value.clone();
    nameless.as_object_mut().expect("an object").remove("maze_trace");
    for (text, expected) in [
        (String::new(), "1:0: not a trace: EOF"),
        ("[".repeat(100_000), "1:1: not a trace: invalid type"),
        ("{}".into(), "1:2: not a trace: missing field"),
        (nameless.to_string(), "missing field `maze_trace`"),
        (
            changed("/maze_trace", json!(2)),
            "1:15: not a trace: the trace has format 2, this version of maze reads format 1",
        ),
        (changed("/model/vocab", json!(0)), "model: a vocabulary of 0 tokens"),
        (changed("/model/vocab", json!(u64::MAX)), "model: a vocabulary of 18446744073709551615 tokens"),
        (
            changed("/steps/2/token", json!(99_999)),
            "step 3: token 99999 is outside of the vocabulary of 8192",
        ),
        (changed("/steps/2/token", json!(5)), "step 3: its token is 5, but token"),
        (changed("/steps/2/kind", json!("prompt")), "step 3: its kind cannot be Prompt here"),
        (changed("/prompt/0/kind", json!("forced")), "prompt token 1: its kind cannot be Forced here"),
        (
            changed("/steps/4/insight/allowed/of", json!(8193)),
            "step 5: its allowed set is out of 8193 tokens",
        ),
        (changed("/steps/4/insight/allowed/count", json!(1)), "1 tokens were announced"),
        (changed("/steps/4/insight/mass_removed", json!(-1)), "step 5: mass_removed is -1"),
        (changed("/steps/4/insight/chosen/before", json!(1e300)), "step 5: a probability is inf"),
        (changed("/steps/4/insight/before/0/token", json!(8192)), "step 5: token 8192 is outside"),
        (changed("/steps/4/timings/mask", json!(-1)), "-1 is no time in microseconds"),
        (changed("/outcome/elapsed", json!(1e300)), "is no time in microseconds"),
        (changed("/request/sampler/top_p", json!(7)), "request: top-p is 7"),
    ] {
        let error = Trace::from_json(text.as_bytes()).expect_err(expected);
        assert!(error.contains(expected), "{expected:?}: {error}");
    }
    let text = value.to_string();
    for sixteenth in 0..16 {
        let cut = &text.as_bytes()[..text.len() * sixteenth / 16];
        let error = Trace::from_json(cut).expect_err("it is cut");
        assert!(error.contains("not a trace: EOF"), "{error}");
    }
    // Flipped bits give an error or another trace, never a panic.
    let mut bytes = text.clone().into_bytes();
    for i in (0..2000).map(|i| i * 7919 % text.len()) {
        bytes[i] ^= 1 << (i % 8);
        let _ = Trace::from_json(&bytes);
        bytes[i] = text.as_bytes()[i];
    }
    let path = folder.path().join("broken.json");
    fs::write(&path, "{\"maze_trace\": 7}").expect("writable");
    let (code, stdout, stderr) = ran(&["replay", str(&path)]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.starts_with(&format!("error: {}:1:17: not a trace: the trace has format 7", str(&path))),
        "{stderr}"
    );
}

/// Sampling, forced tokens, a token of the person's, and a way back into forced tokens.
#[test]
fn a_steered_session_is_reproduced_after_a_round_trip() {
    let mut engine = Engine::new(nano()).expect("an engine");
    let request = Request {
        prompt: ALICE.into(),
        grammar: Some(GrammarSource::lark(
            "user",
            fs::read_to_string("grammars/user.lark").expect("shipped"),
        )),
        ..Request::default()
    };
    let mut session = engine.session(request).expect("it starts");
    while session.trace().outcome.is_none() {
        session.step().expect("a step");
    }
    session.rewind(2).expect("back into the forced tokens");
    session.step().expect("a step");
    let insight = session.trace().steps[4].insight.as_ref().expect("detail");
    let other = insight.after[1].token;
    session.rewind(4).expect("back to the choice");
    session.force(other).expect("it is allowed");
    while session.trace().outcome.is_none() {
        session.step().expect("a step");
    }
    let trace = engine.finish(session);
    assert_eq!(trace.steps[4].kind, StepKind::Overridden);
    let text = serde_json::to_vec(&trace).expect("JSON");
    let trace = Trace::from_json(&text).expect("as it was written");
    assert_eq!(serde_json::to_vec(&trace).expect("JSON"), text, "nothing is lost on the way");
    let verified = replay::verify(&mut engine, &trace, true).expect("the model runs");
    assert_eq!((verified.masks, verified.difference), (trace.steps.len(), None));
    let Probabilities::Compared { steps, largest, .. } = verified.probabilities else {
        panic!("not compared")
    };
    assert_eq!(steps, trace.steps.len());
    assert!(largest < 1e-5, "{largest}");
}

/// The embedded model, until its cache holds so many tokens.
struct Failing(Box<dyn LanguageModel>, usize);

impl LanguageModel for Failing {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError> {
        if self.0.len() >= self.1 {
            return Err(ModelError::Rows { rows: 0, tokens: 0 });
        }
        self.0.forward(tokens, rows)
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

#[test]
fn a_run_that_fails_leaves_its_trace() {
    let Loaded { model, vocabulary } = nano();
    let mut engine =
        Engine::new(Loaded { model: Box::new(Failing(model, 30)), vocabulary }).expect("an engine");
    let request = Request { prompt: ALICE.into(), ..Request::default() };
    let (trace, result) =
        engine.run_recorded(request.clone(), |_| ControlFlow::Continue(())).expect("it starts");
    assert!(matches!(result, Err(EngineError::Model(ModelError::Rows { .. }))), "{result:?}");
    assert_eq!(trace.prompt.len() + trace.steps.len(), 31, "one token after the last that fit");
    let outcome = trace.outcome.as_ref().expect("it ended");
    assert_eq!((outcome.reason, outcome.reason.is_success()), (FinishReason::Failed, false));
    assert_eq!(outcome.detail.as_deref(), Some("0 rows of logits asked for, with 0 tokens given"));
    assert!(engine.run(request).is_err(), "the plain way gives the error");
}
