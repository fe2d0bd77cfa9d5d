//! The sampler against plain double-precision formulas, and its promises.

use super::*;
use crate::engine::constraint::Mask;

/// Reproducible logits between -8 and 8.
fn logits(n: usize, seed: u64) -> Vec<f32> {
    (0..n as u64).map(|i| (uniform(seed, i) * 16.0 - 8.0) as f32).collect()
}

/// A mask of the tokens for which `wanted` holds.
fn mask(n: usize, wanted: impl Fn(u32) -> bool) -> Mask {
    let mut mask = Mask::only(n, n as u32);
    for t in (0..n as u32).filter(|&t| wanted(t)) {
        mask.allow(t);
    }
    mask
}

fn softmax64(logits: &[f32], keep: impl Fn(usize) -> bool, temperature: f64) -> Vec<f64> {
    let weights: Vec<f64> = logits
        .iter()
        .enumerate()
        .map(|(i, &l)| if keep(i) { (f64::from(l) / temperature).exp() } else { 0.0 })
        .collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}

#[test]
fn statistics_equal_the_formulas() {
    let logits = logits(5000, 3);
    let allowed = |t: u32| t.is_multiple_of(7) || (1000..1200).contains(&t);
    let mask = mask(5000, allowed);
    let mut sampler = Sampler::new(SamplerSettings::default());
    let insight = sampler.pick(&logits, &mask, &[], true).unwrap().insight.unwrap();

    let before = softmax64(&logits, |_| true, 1.0);
    let after = softmax64(&logits, |i| allowed(i as u32), 1.0);
    for c in insight.before.iter().chain(&insight.after) {
        let t = c.token as usize;
        assert!((f64::from(c.before) - before[t]).abs() < 1e-6 * before[t].max(1e-3), "before of {t}");
        assert!((f64::from(c.after) - after[t]).abs() < 1e-6 * after[t].max(1e-3), "after of {t}");
    }
    let entropy = |p: &[f64]| -p.iter().filter(|&&p| p > 0.0).map(|p| p * p.log2()).sum::<f64>();
    assert!((f64::from(insight.entropy_before) - entropy(&before)).abs() < 1e-3);
    assert!((f64::from(insight.entropy_after) - entropy(&after)).abs() < 1e-3);
    let removed: f64 = before.iter().enumerate().filter(|(i, _)| !allowed(*i as u32)).map(|(_, p)| p).sum();
    assert!((f64::from(insight.mass_removed) - removed).abs() < 1e-5);

    // The lists hold the most probable tokens, in order, and only allowed ones after the mask.
    let mut order: Vec<usize> = (0..5000).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
    let ids = |list: &[Candidate]| list.iter().map(|c| c.token as usize).collect::<Vec<_>>();
    assert_eq!(ids(&insight.before), order[..CANDIDATES]);
    let kept: Vec<usize> = order.into_iter().filter(|&i| allowed(i as u32)).take(CANDIDATES).collect();
    assert_eq!(ids(&insight.after), kept);
}

#[test]
fn probabilities_after_the_mask_sum_to_one() {
    let logits = logits(300, 9);
    let mask = mask(300, |t| (t + 5).is_multiple_of(9));
    let insight =
        Sampler::new(SamplerSettings::default()).pick(&logits, &mask, &[], true).unwrap().insight.unwrap();
    let sum: f32 = insight.after.iter().map(|c| c.after).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
}

/// Allowed tokens may all be far below the best one, where a shared maximum would lose them.
#[test]
fn a_mask_that_removes_nearly_everything_keeps_the_order_of_the_rest() {
    let mut logits = vec![-300.0; 64];
    logits[0] = 100.0;
    logits[5] = -290.0;
    let mask = mask(64, |t| t != 0);
    let pick = Sampler::new(SamplerSettings::default()).pick(&logits, &mask, &[], true).unwrap();
    assert_eq!(pick.token, 5);
    let insight = pick.insight.unwrap();
    assert!(insight.chosen.after > 0.99);
    assert!(insight.mass_removed > 0.999_999);
}

/// Draws follow the tempered, truncated distribution: observed counts against expected ones.
#[test]
fn draws_follow_the_distribution() {
    let logits = logits(40, 21);
    let mask = mask(40, |t| !(t + 3).is_multiple_of(4));
    let settings =
        SamplerSettings { temperature: 0.8, top_k: 12, top_p: 0.9, min_p: 0.05, ..Default::default() };
    let mut order: Vec<usize> = (0..40_usize).filter(|i| !(i + 3).is_multiple_of(4)).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    order.truncate(12);
    let p = softmax64(&logits, |i| order.contains(&i), 0.8);
    let mut sum = 0.0;
    let cut = order.iter().position(|&i| {
        sum += p[i];
        sum >= 0.9
    });
    order.truncate(cut.unwrap() + 1);
    order.retain(|&i| p[i] / p[order_first(&logits)] >= 0.05);
    fn order_first(logits: &[f32]) -> usize {
        (0..logits.len())
            .filter(|i| !(i + 3).is_multiple_of(4))
            .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
            .unwrap()
    }
    let p = softmax64(&logits, |i| order.contains(&i), 0.8);

    let draws = 20_000;
    let mut seen = [0usize; 40];
    for seed in 0..draws {
        let mut sampler = Sampler::new(SamplerSettings { seed, ..settings.clone() });
        seen[sampler.pick(&logits, &mask, &[], false).unwrap().token as usize] += 1;
    }
    for i in 0..40 {
        let expected = p[i] * draws as f64;
        let deviation = (p[i] * (1.0 - p[i]) * draws as f64).sqrt();
        assert!(
            (seen[i] as f64 - expected).abs() <= 5.0 * deviation + 1e-9,
            "token {i}: {} of {expected}",
            seen[i]
        );
    }
    // What the inspector calls the chance is that same distribution.
    let insight = Sampler::new(settings).pick(&logits, &mask, &[], true).unwrap().insight.unwrap();
    for c in &insight.before {
        assert!((f64::from(c.chance) - p[c.token as usize]).abs() < 1e-5, "chance of {}", c.token);
    }
}

#[test]
fn the_same_seed_and_position_give_the_same_token() {
    let logits = logits(500, 2);
    let mask = mask(500, |_| true);
    let settings = SamplerSettings { temperature: 1.5, seed: 7, ..Default::default() };
    let pick =
        |history: &[u32]| Sampler::new(settings.clone()).pick(&logits, &mask, history, false).unwrap().token;
    let by_position: Vec<u32> = (0..50).map(|n| pick(&vec![0; n])).collect();
    assert_eq!(by_position, (0..50).map(|n| pick(&vec![0; n])).collect::<Vec<_>>());
    assert!(by_position.windows(2).any(|w| w[0] != w[1]), "positions draw apart");
}

#[test]
fn the_penalty_counts_each_token_once() {
    let logits = vec![4.0, 3.0, -2.0];
    let mask = mask(3, |_| true);
    let settings = SamplerSettings { repetition_penalty: 2.0, ..Default::default() };
    let pick =
        |history: &[u32]| Sampler::new(settings.clone()).pick(&logits, &mask, history, false).unwrap().token;
    assert_eq!(pick(&[]), 0);
    assert_eq!(pick(&[0, 0, 0]), 1, "4 / 2 is below 3");
}

#[test]
fn broken_logits_never_win() {
    let mask = mask(4, |t| t > 0);
    let mut sampler = Sampler::new(SamplerSettings::default());
    let token = |s: &mut Sampler, l: &[f32]| s.pick(l, &mask, &[], true).map(|p| p.token);
    assert_eq!(token(&mut sampler, &[9.0, f32::NAN, f32::NEG_INFINITY, -50.0]).unwrap(), 3);
    let error = token(&mut sampler, &[9.0, f32::NAN, f32::NEG_INFINITY, f32::NAN]).unwrap_err();
    assert_eq!(error.to_string(), "the model gave no usable logit for any of the 3 allowed tokens");
    let mut warm = Sampler::new(SamplerSettings { temperature: 1.0, ..Default::default() });
    assert_eq!(token(&mut warm, &[9.0, f32::INFINITY, 1.0, 1.0]).unwrap(), 1);
    assert!(token(&mut warm, &[9.0, f32::NAN, f32::NAN, f32::NAN]).is_err());
}

#[test]
fn settings_out_of_range_are_named() {
    let default = SamplerSettings::default;
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        let error = SamplerSettings { temperature: bad, ..default() }.validate().unwrap_err();
        assert_eq!(error, format!("temperature is {bad}, but must be a number of at least 0"));
        assert!(SamplerSettings { top_p: bad, ..default() }.validate().is_err());
        assert!(SamplerSettings { min_p: bad, ..default() }.validate().is_err());
        assert!(SamplerSettings { repetition_penalty: bad, ..default() }.validate().is_err());
    }
    assert!(SamplerSettings { repetition_penalty: 0.0, ..default() }.validate().is_err());
    assert!(SamplerSettings { top_p: 0.0, min_p: 1.0, temperature: 1e30, ..default() }.validate().is_ok());
}
