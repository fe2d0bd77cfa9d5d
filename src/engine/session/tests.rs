//! What a device is told beside the work: that it may go on by itself, and with what.

use std::sync::{Arc, Mutex};

use super::*;
use crate::engine::error::ModelError;
use crate::engine::grammar::{Compiler, GrammarSource};
use crate::engine::model::ModelInfo;
use crate::engine::model::away::answer::answer;
use crate::engine::model::away::{Away, Digest, Logits, Question};
use crate::engine::model::scripted::ScriptedModel;
use crate::engine::sampler::SamplerSettings;
use crate::engine::vocabulary::SpecialTokens;

const WIDTH: usize = 12;

/// What was seen of the session.
#[derive(Default)]
struct Seen {
    /// Steps that began by themselves, and those of them that were run then.
    begun: usize,
    used: usize,
    /// Tokens that were said to come.
    anticipated: usize,
    /// Questions up to one that fails, and how many have failed.
    until_failure: usize,
    failed: usize,
}

impl Seen {
    /// Whether this question is the one that fails.
    fn fails(&mut self) -> bool {
        let fails = self.until_failure == 1;
        self.until_failure = self.until_failure.saturating_sub(1);
        self.failed += usize::from(fails);
        fails
    }
}

/// A model that keeps its logits to itself, and goes on with its own answer where it may.
struct Far {
    model: Box<dyn LanguageModel>,
    rows: Vec<f32>,
    may: bool,
    begun: Option<TokenId>,
    /// What was said to be run next.
    next: Option<(Vec<TokenId>, usize)>,
    seen: Arc<Mutex<Seen>>,
}

impl LanguageModel for Far {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    fn len(&self) -> usize {
        self.model.len()
    }

    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError> {
        self.model.forward(tokens, rows)
    }

    fn run(&mut self, tokens: &[TokenId], rows: usize) -> Result<Logits<'_>, ModelError> {
        if let Some(next) = self.next.take() {
            assert_eq!(next, (tokens.to_vec(), rows), "what was said to come next does not");
        }
        let begun = self.begun.take();
        self.seen.lock().unwrap().used += usize::from(begun.is_some() && begun == tokens.first().copied());
        self.rows = self.model.forward(tokens, rows)?.to_vec();
        self.may = false;
        Ok(Logits::Away(self))
    }

    fn anticipate(&mut self, tokens: &[TokenId], rows: usize) {
        assert!(self.begun.is_none_or(|begun| tokens[0] == begun), "what began by itself is not what comes");
        self.next = Some((tokens.to_vec(), rows));
        self.seen.lock().unwrap().anticipated += 1;
    }

    fn truncate(&mut self, len: usize) {
        self.model.truncate(len);
    }
}

impl Away for Far {
    fn go_on(&mut self) {
        self.may = true;
    }

    fn is_done(&mut self) -> bool {
        true
    }

    fn done(&mut self) -> Result<Instant, ModelError> {
        Ok(Instant::now())
    }

    fn digest(&mut self, row: usize, question: &Question<'_>) -> Result<Option<Digest>, ModelError> {
        if self.seen.lock().unwrap().fails() {
            return Err(ModelError::Tensor(candle_core::Error::msg("the device is gone for a moment")));
        }
        let digest = answer(&self.rows[row * WIDTH..][..WIDTH], question);
        if std::mem::take(&mut self.may) && question.decides {
            self.begun = Some(digest.token);
            self.seen.lock().unwrap().begun += 1;
        }
        Ok(Some(digest))
    }

    fn fetch(&mut self, row: usize) -> Result<&[f32], ModelError> {
        Ok(&self.rows[row * WIDTH..][..WIDTH])
    }
}

/// The tokens of a run of that many, here and afar, must be the same, and what is said of them. Returns what was
/// seen afar.
fn compare(sampler: SamplerSettings, max_tokens: usize, detail: bool, grammar: Option<&str>) -> Seen {
    compare_with(sampler, max_tokens, detail, grammar, Seen::default())
}

/// The same where something is to be done afar.
fn compare_with(
    sampler: SamplerSettings,
    max_tokens: usize,
    detail: bool,
    grammar: Option<&str>,
    seen: Seen,
) -> Seen {
    let words = (0..WIDTH).map(|i| vec![b'a' + i as u8]).collect();
    let special = SpecialTokens { bos: None, eos: vec![WIDTH as TokenId - 1] };
    let vocabulary = Arc::new(Vocabulary::from_words(words, &special).unwrap());
    // Something else at every position, never the end.
    let script = |tokens: &[TokenId]| {
        let at = tokens.len();
        (0..WIDTH - 1).map(|i| ((i * 7 + at * 5 + i * at) % 11) as f32).collect()
    };
    let model = || Box::new(ScriptedModel::new(WIDTH, 64, script));
    let grammar = grammar.map(|regex| GrammarSource::regex("a grammar", regex));
    let compiler = Compiler::new(&vocabulary).unwrap();
    let compiled = grammar.as_ref().map(|source| Arc::new(compiler.compile(source).0.unwrap()));
    let request = Request { prompt: "a".into(), max_tokens, sampler, detail, grammar, ..Request::default() };
    type Told = (TokenId, StepKind, Option<Vec<TokenId>>);
    let told = |model: Box<dyn LanguageModel>| -> Vec<Told> {
        let start = Session::start(model, vocabulary.clone(), compiled.clone(), request.clone());
        let Ok(mut session) = start else { panic!("the session does not start") };
        let mut failed = 0;
        while session.trace().outcome.is_none() {
            failed += usize::from(session.step().is_err());
            assert!(failed <= 1, "it cannot be stepped again");
        }
        let listed = |insight: &Insight| insight.before.iter().map(|c| c.token).collect();
        let steps = session.trace().steps.iter();
        steps.map(|step| (step.token, step.kind, step.insight.as_deref().map(listed))).collect()
    };
    let seen = Arc::new(Mutex::new(seen));
    let far =
        Far { model: model(), rows: Vec::new(), may: false, begun: None, next: None, seen: seen.clone() };
    let afar = told(Box::new(far));
    assert_eq!(afar, told(model()));
    assert!(afar.iter().all(|(.., listed)| listed.is_some() == detail));
    std::mem::take(&mut seen.lock().unwrap())
}

#[test]
fn every_token_but_the_last_begins_by_itself_and_is_run_then() {
    let drawn = SamplerSettings { temperature: 1.3, seed: 3, ..SamplerSettings::default() };
    let cut = SamplerSettings { top_k: 4, ..drawn.clone() };
    for settings in [SamplerSettings::default(), drawn, cut] {
        for detail in [false, true] {
            let seen = compare(settings.clone(), 20, detail, None);
            assert_eq!((seen.begun, seen.used, seen.anticipated), (19, 19, 19), "{settings:?}");
        }
    }
}

#[test]
fn nothing_begins_where_the_host_picks_or_nothing_follows() {
    let base = SamplerSettings { temperature: 1.3, seed: 3, ..SamplerSettings::default() };
    // The first token has no history to be penalised for.
    let seen = compare(SamplerSettings { repetition_penalty: 1.2, ..base.clone() }, 20, true, None);
    assert_eq!((seen.begun, seen.used, seen.anticipated), (1, 1, 19));
    let seen = compare(base, 1, true, None);
    assert_eq!((seen.begun, seen.anticipated), (0, 0));
}

/// A question that fails, about a token that was picked or one that was forced, is asked again with the next step.
#[test]
fn a_failure_loses_nothing_but_time() {
    for until_failure in 1..=20 {
        let seen = Seen { until_failure, ..Seen::default() };
        let seen = compare_with(SamplerSettings::default(), 99, true, Some("([a-c]{2}defghij){3}"), seen);
        assert_eq!(seen.failed, 1, "there are not so many questions as {until_failure}");
    }
}

/// Forced tokens are run with the one they follow, and what is said of them does not hold that up.
#[test]
fn what_is_forced_is_said_to_come_with_what_it_follows() {
    let drawn = SamplerSettings { temperature: 1.3, seed: 3, ..SamplerSettings::default() };
    for settings in [SamplerSettings::default(), drawn] {
        for detail in [false, true] {
            // Ends with forced tokens, at a limit within them, and where the answer is open.
            for (regex, most) in
                [("([a-c]{2}defghij){3}", 99), ("([a-c]{2}defghij){3}", 14), ("(b[a-j]{1,9}){9}", 30)]
            {
                let seen = compare(settings.clone(), most, detail, Some(regex));
                assert!(seen.anticipated > 1);
            }
        }
    }
}
