//! What is picked from afar is what is picked from the row.

use super::*;
use crate::engine::error::ModelError;
use crate::engine::model::away::answer::answer;
use crate::engine::sampler::SamplerSettings;

/// A device that is none.
struct Afar {
    rows: Vec<f32>,
    width: usize,
    fetched: usize,
    /// Whether it answers questions.
    tells: bool,
    /// Whether the last question was to decide, and the token of its answer.
    answered: Option<(bool, TokenId)>,
}

impl Afar {
    fn row(&self, row: usize) -> &[f32] {
        &self.rows[row * self.width..][..self.width]
    }
}

impl Away for Afar {
    fn is_done(&mut self) -> bool {
        true
    }

    fn done(&mut self) -> Result<std::time::Instant, ModelError> {
        Ok(std::time::Instant::now())
    }

    fn digest(&mut self, row: usize, question: &Question<'_>) -> Result<Option<Digest>, ModelError> {
        let digest = answer(self.row(row), question);
        self.answered = Some((question.decides, digest.token));
        Ok(Some(digest).filter(|_| self.tells))
    }

    fn fetch(&mut self, row: usize) -> Result<&[f32], ModelError> {
        self.fetched += 1;
        Ok(&self.rows[row * self.width..][..self.width])
    }
}

const WIDTH: usize = 3000;

/// Two rows of logits between -8 and 8.
fn afar() -> Afar {
    let rows = (0..2 * WIDTH as u64).map(|i| (uniform(7, i) * 16.0 - 8.0) as f32).collect();
    Afar { rows, width: WIDTH, fetched: 0, tells: true, answered: None }
}

fn every(n: u32) -> Mask {
    let mut mask = Mask::only(WIDTH, 5);
    (0..WIDTH as u32).filter(|t| t.is_multiple_of(n)).for_each(|t| mask.allow(t));
    mask
}

fn assert_same(here: &Insight, afar: &Insight) {
    let close = |a: f32, b: f32| (a - b).abs() <= 1e-5 * a.abs().max(1e-3);
    for (here, afar) in [(&here.before, &afar.before), (&here.after, &afar.after)] {
        assert_eq!(here.len(), afar.len());
        for (h, a) in here.iter().zip(afar) {
            assert_eq!(h.token, a.token);
            assert!(close(h.before, a.before) && close(h.after, a.after) && close(h.chance, a.chance));
        }
    }
    assert_eq!(here.chosen.token, afar.chosen.token);
    assert!(close(here.chosen.chance, afar.chosen.chance));
    assert!(close(here.chosen.before, afar.chosen.before));
    assert!((here.mass_removed - afar.mass_removed).abs() < 1e-5);
    assert!((here.entropy_before - afar.entropy_before).abs() < 1e-3);
    assert!((here.entropy_after - afar.entropy_after).abs() < 1e-3);
    assert_eq!(here.allowed, afar.allowed);
}

/// Picks at many positions, near and far. Returns how many rows had to be fetched.
fn compare(settings: &SamplerSettings, mask: &Mask) -> usize {
    let mut sampler = Sampler::new(settings.clone());
    let mut far = afar();
    let rows = far.rows.clone();
    for position in 0..40 {
        let history = vec![3; position];
        let row = position % 2;
        let here = sampler.pick(&rows[row * WIDTH..][..WIDTH], mask, &history, true).unwrap();
        let there = sampler.pick_row(&mut Logits::Away(&mut far), row, WIDTH, mask, &history, true).unwrap();
        assert_eq!(here.token, there.token, "{settings:?} at {position}");
        assert_same(&here.insight.unwrap(), &there.insight(mask).unwrap());
    }
    far.fetched
}

#[test]
fn the_same_tokens_are_picked_from_afar() {
    let base = SamplerSettings { temperature: 0.9, seed: 11, ..SamplerSettings::default() };
    let ways = [
        SamplerSettings::default(),
        base.clone(),
        SamplerSettings { temperature: 0.1, top_p: 0.9, ..base.clone() },
        SamplerSettings { top_k: 20, top_p: 0.8, min_p: 0.01, ..base.clone() },
        SamplerSettings { min_p: 0.8, ..base.clone() },
    ];
    for mask in [every(1), every(7), every(1500)] {
        for settings in &ways {
            assert_eq!(compare(settings, &mask), 0, "{settings:?} needs the whole row");
        }
    }
}

/// A device that has been told to goes on with the token of its own answer.
#[test]
fn a_question_that_decides_is_answered_with_the_picked_token() {
    let drawn = SamplerSettings { temperature: 0.9, seed: 5, ..SamplerSettings::default() };
    let ways = [
        SamplerSettings { top_k: 20, ..drawn.clone() },
        SamplerSettings { top_k: 50, top_p: 0.7, ..drawn.clone() },
        SamplerSettings { temperature: 0.1, top_p: 0.9, ..drawn.clone() },
        SamplerSettings { min_p: 0.8, ..drawn.clone() },
        SamplerSettings { top_k: 30, top_p: 0.9, min_p: 0.85, ..drawn.clone() },
    ];
    for settings in ways.into_iter().chain([SamplerSettings::default(), drawn]) {
        for (detail, mask) in [(false, every(1)), (true, every(7))] {
            let (mut sampler, mut far) = (Sampler::new(settings.clone()), afar());
            for position in 0..40 {
                let history = vec![3; position];
                let pick =
                    sampler.pick_row(&mut Logits::Away(&mut far), 0, WIDTH, &mask, &history, detail).unwrap();
                let (said, token) = far.answered.take().unwrap();
                assert_eq!((said, token), (true, pick.token), "{settings:?}");
            }
        }
    }
}

#[test]
fn what_a_digest_does_not_tell_is_picked_from_the_row() {
    let base = SamplerSettings { temperature: 1.5, seed: 2, ..SamplerSettings::default() };
    for settings in [
        SamplerSettings { top_k: 500, ..base.clone() },
        SamplerSettings { top_k: 1024, ..base.clone() },
        SamplerSettings { top_p: 0.99, ..base.clone() },
        SamplerSettings { min_p: 0.001, ..base.clone() },
    ] {
        assert_eq!(compare(&settings, &every(1)), 40, "{settings:?}");
        // A device that had gone on would have done so in vain every time.
        let (mut sampler, mut far) = (Sampler::new(settings.clone()), afar());
        let decided = (0..9).filter(|&position| {
            let history = vec![3; position];
            sampler.pick_row(&mut Logits::Away(&mut far), 0, WIDTH, &every(1), &history, true).unwrap();
            far.answered.is_some_and(|(decides, _)| decides)
        });
        assert!(decided.count() <= 1, "{settings:?}");
    }
    // The first token has no history to be penalised for.
    assert_eq!(compare(&SamplerSettings { repetition_penalty: 1.3, ..base }, &every(2)), 39);
}

#[test]
fn set_tokens_have_the_same_statistics_from_afar() {
    let sampler = Sampler::new(SamplerSettings::default());
    let mut far = afar();
    far.rows[9] = f32::NEG_INFINITY;
    let rows = far.rows.clone();
    let mask = every(3);
    let there = sampler.forced_rows(&mut Logits::Away(&mut far), WIDTH, &[9, 2997]).unwrap();
    assert_eq!(there.iter().map(|told| told.token).collect::<Vec<_>>(), [9, 2997]);
    for (row, told) in rows.chunks(WIDTH).zip(there) {
        let token = told.token;
        assert_same(&sampler.forced(row, token), &told.insight(&Mask::only(WIDTH, token)).unwrap());
    }
    assert!(far.answered.is_some_and(|(decides, _)| !decides));
    for token in [0, 9, 2997] {
        let here = sampler.overridden(&rows[..WIDTH], &mask, token);
        assert_same(&here, &sampler.overridden_row(&mut Logits::Away(&mut far), &mask, token).unwrap());
    }
    assert!(far.answered.is_some_and(|(decides, _)| !decides));
    assert_eq!(far.fetched, 0);
    // Where it cannot say it, its rows do.
    far.tells = false;
    for (row, told) in
        rows.chunks(WIDTH).zip(sampler.forced_rows(&mut Logits::Away(&mut far), WIDTH, &[9, 2997]).unwrap())
    {
        let token = told.token;
        assert_same(&sampler.forced(row, token), &told.insight(&Mask::only(WIDTH, token)).unwrap());
    }
    let here = sampler.overridden(&rows[..WIDTH], &mask, 9);
    assert_same(&here, &sampler.overridden_row(&mut Logits::Away(&mut far), &mask, 9).unwrap());
    assert_eq!(far.fetched, 3);
}

#[test]
fn no_usable_logit_is_an_error_from_afar_too() {
    let mut far = afar();
    far.rows.fill(f32::NAN);
    far.rows[1] = 0.0;
    let mut sampler = Sampler::new(SamplerSettings::default());
    let picked = sampler.pick_row(&mut Logits::Away(&mut far), 0, WIDTH, &every(7), &[], true);
    assert!(picked.is_err_and(|e| e.to_string().contains("no usable logit")));
}
