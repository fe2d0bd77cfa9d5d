//! What a device is told beside the work: that it may go on by itself, and with what.

use std::sync::{Arc, Mutex};

use super::*;
use crate::engine::error::ModelError;
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
}

/// A model that keeps its logits to itself, and goes on with its own answer where it may.
struct Far {
    model: Box<dyn LanguageModel>,
    rows: Vec<f32>,
    may: bool,
    begun: Option<TokenId>,
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
        let begun = self.begun.take();
        self.seen.lock().unwrap().used += usize::from(begun.is_some() && begun == tokens.first().copied());
        self.rows = self.model.forward(tokens, rows)?.to_vec();
        self.may = false;
        Ok(Logits::Away(self))
    }

    fn anticipate(&mut self, token: TokenId, _alone: bool) {
        assert!(self.begun.is_none_or(|begun| begun == token), "what began by itself is not what comes");
        self.seen.lock().unwrap().anticipated += 1;
    }

    fn truncate(&mut self, len: usize) {
        self.model.truncate(len);
    }
}

impl Away for Far {
    fn go_on(&mut self, _alone: bool) {
        self.may = true;
    }

    fn is_done(&mut self) -> bool {
        true
    }

    fn done(&mut self) -> Result<Instant, ModelError> {
        Ok(Instant::now())
    }

    fn digest(&mut self, row: usize, question: &Question<'_>) -> Result<Option<Digest>, ModelError> {
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

/// The tokens of a run of that many, here and afar, must be the same. Returns what was seen afar.
fn compare(sampler: SamplerSettings, max_tokens: usize, detail: bool) -> Seen {
    let words = (0..WIDTH).map(|i| vec![b'a' + i as u8]).collect();
    let special = SpecialTokens { bos: None, eos: vec![WIDTH as TokenId - 1] };
    let vocabulary = Arc::new(Vocabulary::from_words(words, &special).unwrap());
    // Something else at every position, never the end.
    let script = |tokens: &[TokenId]| {
        let at = tokens.len();
        (0..WIDTH - 1).map(|i| ((i * 7 + at * 5 + i * at) % 11) as f32).collect()
    };
    let model = || Box::new(ScriptedModel::new(WIDTH, 64, script));
    let request = Request { prompt: "a".into(), max_tokens, sampler, detail, ..Request::default() };
    let tokens = |model: Box<dyn LanguageModel>| -> Vec<TokenId> {
        let start = Session::start(model, vocabulary.clone(), None, request.clone());
        let Ok(mut session) = start else { panic!("the session does not start") };
        while session.trace().outcome.is_none() {
            session.step().unwrap();
        }
        session.trace().steps.iter().map(|step| step.token).collect()
    };
    let seen = Arc::new(Mutex::new(Seen::default()));
    let far = Far { model: model(), rows: Vec::new(), may: false, begun: None, seen: seen.clone() };
    assert_eq!(tokens(Box::new(far)), tokens(model()));
    std::mem::take(&mut seen.lock().unwrap())
}

#[test]
fn every_token_but_the_last_begins_by_itself_and_is_run_then() {
    let drawn = SamplerSettings { temperature: 1.3, seed: 3, ..SamplerSettings::default() };
    for settings in [SamplerSettings::default(), drawn] {
        for detail in [false, true] {
            let seen = compare(settings.clone(), 20, detail);
            assert_eq!((seen.begun, seen.used, seen.anticipated), (19, 19, 19), "{settings:?}");
        }
    }
}

#[test]
fn nothing_begins_where_the_host_picks_or_nothing_follows() {
    let base = SamplerSettings { temperature: 1.3, seed: 3, ..SamplerSettings::default() };
    let cut = SamplerSettings { top_k: 4, ..base.clone() };
    let seen = compare(cut, 20, true);
    assert_eq!((seen.begun, seen.anticipated), (0, 19));
    // The first token has no history to be penalised for.
    let seen = compare(SamplerSettings { repetition_penalty: 1.2, ..base.clone() }, 20, true);
    assert_eq!((seen.begun, seen.used, seen.anticipated), (1, 1, 19));
    let seen = compare(base, 1, true);
    assert_eq!((seen.begun, seen.anticipated), (0, 0));
}
