//! What is asked about logits on the device: the same picks and statistics as from the whole row.

use candle_core::quantized::GgmlDType;
use maze::engine::SamplerSettings;
use maze::engine::constraint::Mask;
use maze::engine::model::LanguageModel;
use maze::engine::model::away::{Cut, Logits, Question};
use maze::engine::model::config::{Architecture, Config};
use maze::engine::sampler::Sampler;
use maze::engine::trace::TokenId;

use super::{config, decoder, gpu};

#[test]
#[ignore = "needs a GPU"]
fn the_sampler_picks_there_what_it_picks_here() {
    let device = gpu();
    let config = Config { vocab: 151_936, layers: 1, ..config(Architecture::Qwen2) };
    let width = config.vocab;
    let base = SamplerSettings { temperature: 0.9, seed: 5, ..SamplerSettings::default() };
    let ways = [
        SamplerSettings::default(),
        base.clone(),
        SamplerSettings { temperature: 0.2, top_p: 0.9, ..base.clone() },
        SamplerSettings { top_k: 40, min_p: 0.01, ..base.clone() },
        SamplerSettings { temperature: 1.6, top_p: 0.95, repetition_penalty: 1.2, ..base },
    ];
    let mut model = decoder(&config, GgmlDType::BF16, &device);
    // Also of tokens that lie together, so that a few shares of the row have all that a list may hold.
    let masks = [(1, 0, width), (3, 0, width), (5000, 0, width), (1, 900, 12_000), (1, 70_001, 70_070)];
    let masks = masks.map(|(every, from, to)| {
        let mut mask = Mask::only(width, 11);
        (from as TokenId..to as TokenId).filter(|t| t.is_multiple_of(every)).for_each(|t| mask.allow(t));
        mask
    });
    let mut history = vec![1];
    for step in 0..75 {
        let mut sampler = Sampler::new(ways[step % ways.len()].clone());
        let mask = &masks[step / ways.len() % masks.len()];
        let last = [*history.last().unwrap()];
        let mut logits = model.run(&last, 1).unwrap();
        let there = sampler.pick_row(&mut logits, 0, width, mask, &history, true).unwrap();
        let plain = sampler.pick_row(&mut logits, 0, width, mask, &history, false).unwrap();
        let Logits::Away(away) = logits else { panic!("the logits were brought here") };
        let question = Question::of_set(Some(mask.words()), 11);
        assert!(away.digest(0, &question).unwrap().is_some(), "step {step} needs the whole row");
        let here = sampler.pick(away.fetch(0).unwrap(), mask, &history, true).unwrap();
        assert_eq!((there.token, plain.token), (here.token, here.token), "step {step}");
        let (here, there) = (here.insight.unwrap(), there.insight(mask).unwrap());
        let tokens = |list: &[maze::engine::Candidate]| list.iter().map(|c| c.token).collect::<Vec<_>>();
        assert_eq!(tokens(&here.before), tokens(&there.before), "step {step}");
        assert_eq!(tokens(&here.after), tokens(&there.after), "step {step}");
        let close = |a: f32, b: f32| (a - b).abs() < 1e-4 * a.abs().max(1.);
        assert!(close(here.mass_removed, there.mass_removed), "step {step}");
        assert!(close(here.entropy_before, there.entropy_before), "step {step}");
        assert!(close(here.entropy_after, there.entropy_after), "step {step}");
        assert!(close(here.chosen.chance, there.chosen.chance), "step {step}");
        history.push(plain.token);
    }
}

/// What is drawn there is what plain sums over the sorted row say.
#[test]
#[ignore = "needs a GPU"]
fn draws_among_what_is_left_fall_where_they_should() {
    let device = gpu();
    let config = Config { vocab: 20_011, layers: 1, ..config(Architecture::Qwen2) };
    let mut model = decoder(&config, GgmlDType::BF16, &device);
    let cuts =
        [(1, 1., 0.), (7, 1., 0.), (64, 0.5, 0.), (40, 0.9, 0.2), (0, 0.1, 0.), (0, 1., 0.7), (30, 1., 0.5)];
    let mut differ = 0;
    for (index, (top_k, top_p, min_p)) in cuts.into_iter().cycle().take(140).enumerate() {
        let (u, temperature) = ((index as f64 * 0.618_034) % 1., [0.05, 0.2, 0.4][index % 3]);
        let mut mask = Mask::only(config.vocab, 5);
        (0..20_011).filter(|t| t % (1 + index as TokenId % 5) == 0).for_each(|t| mask.allow(t));
        let Logits::Away(away) = model.run(&[index as TokenId], 1).unwrap() else { panic!("brought here") };
        let cut = Some(Cut { top_k, top_p, min_p });
        let question = Question {
            allowed: Some(mask.words()),
            temperature,
            drawn: Some(u),
            cut,
            listed: true,
            asked: None,
            decides: true,
        };
        let digest = away.digest(0, &question).unwrap().unwrap();
        let row = away.fetch(0).unwrap();
        let mut sorted: Vec<TokenId> = (0..20_011).filter(|&t| mask.allows(t)).collect();
        sorted.sort_by(|&a, &b| row[b as usize].total_cmp(&row[a as usize]).then(a.cmp(&b)));
        let most = row[sorted[0] as usize];
        let weight = |t: TokenId| f64::from((row[t as usize] - most) / temperature).exp();
        let mut kept = if top_k > 0 { &sorted[..top_k] } else { &sorted[..] };
        let whole: f64 = kept.iter().map(|&t| weight(t)).sum();
        let upto = |n: usize| kept[..n].iter().map(|&t| weight(t)).sum::<f64>();
        let enough =
            (1..=kept.len()).find(|&n| n == kept.len() || upto(n) >= f64::from(top_p) * whole).unwrap();
        kept = &kept[..if top_p < 1. { enough } else { kept.len() }];
        kept = &kept[..kept.iter().take_while(|&&t| weight(t) >= f64::from(min_p)).count()];
        assert!(kept.len() <= 64, "{} are left of {index}", kept.len());
        let mut left = u * kept.iter().map(|&t| weight(t)).sum::<f64>();
        let right = kept.iter().find(|&&t| {
            left -= weight(t);
            left < 0.
        });
        // A weight is a number of 24 bits there.
        differ += usize::from(Some(&digest.token) != right.or(kept.last()));
    }
    assert!(differ <= 1, "{differ} of 140 differ");
}

/// One question about many rows is answered as one about each, however many batches they come from.
#[test]
#[ignore = "needs a GPU"]
fn tokens_that_are_set_have_the_statistics_of_their_rows() {
    let device = gpu();
    let config = Config { vocab: 20_011, layers: 1, ..config(Architecture::Qwen2) };
    let width = config.vocab;
    let mut model = decoder(&config, GgmlDType::BF16, &device);
    let sampler = Sampler::new(SamplerSettings::default());
    let mut from = 1;
    for rows in [1, 2, 8, 9, 17, 30, 64, 70, 150] {
        let tokens: Vec<TokenId> = (from..from + rows).map(|i| i as TokenId * 31 % 20_011).collect();
        from += rows;
        let mut logits = model.run(&tokens, rows).unwrap();
        let set = &tokens[..rows - usize::from(rows > 2)];
        let there = sampler.forced_rows(&mut logits, width, set).unwrap();
        assert_eq!(there.len(), set.len());
        let Logits::Away(away) = logits else { panic!("the logits were brought here") };
        for (row, (told, &token)) in there.into_iter().zip(set).enumerate() {
            let here = sampler.forced(away.fetch(row).unwrap(), token);
            let there = told.insight(&Mask::only(width, token)).unwrap();
            let tokens = |list: &[maze::engine::Candidate]| list.iter().map(|c| c.token).collect::<Vec<_>>();
            assert_eq!(tokens(&here.before), tokens(&there.before), "row {row} of {rows}");
            assert_eq!(tokens(&here.after), [token]);
            let close = |a: f32, b: f32| (a - b).abs() < 1e-4 * a.abs().max(1e-2);
            assert!(close(here.chosen.before, there.chosen.before), "row {row} of {rows}");
            assert!(close(here.mass_removed, there.mass_removed), "row {row} of {rows}");
            assert!(close(here.entropy_before, there.entropy_before), "row {row} of {rows}");
        }
    }
}
