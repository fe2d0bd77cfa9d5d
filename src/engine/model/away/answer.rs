//! What a device answers, in plain sums in double precision: for tests.

use super::{Cut, Digest, Entry, Question};
use crate::engine::trace::CANDIDATES;

/// The answer to a question about a row.
pub fn answer(row: &[f32], question: &Question<'_>) -> Digest {
    let allows = |t: u32| question.allowed.is_none_or(|w| w[t as usize / 32] >> (t % 32) & 1 == 1);
    let sorted = |allows: &dyn Fn(u32) -> bool| {
        let entries = row.iter().zip(0u32..).map(|(&l, t)| (l, t));
        let mut entries: Vec<Entry> = entries.filter(|&(l, t)| l > f32::NEG_INFINITY && allows(t)).collect();
        entries.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        entries
    };
    let sides = [sorted(&|_| true), sorted(&allows)];
    let weight = |side: usize, l: f32, t: f32| ((l - sides[side][0].0) / t).exp() as f64;
    let sum = |side: usize, term: &dyn Fn(f32) -> f64| sides[side].iter().map(|e| term(e.0)).sum::<f64>();
    let mut digest = Digest {
        best: [sides[0].first().copied(), sides[1].first().copied()],
        totals: [sum(0, &|l| weight(0, l, 1.0)), sum(1, &|l| weight(1, l, 1.0))],
        moments: [0, 1].map(|s| sum(s, &|l| weight(s, l, 1.0) * f64::from(l - sides[s][0].0))),
        shaped: sum(1, &|l| weight(1, l, question.temperature)),
        ..Digest::default()
    };
    if question.listed {
        digest.lists = [0, 1].map(|s| sides[s].iter().copied().take(CANDIDATES).collect());
    }
    digest.token = digest.best[1].map_or(0, |e| e.1);
    if let (Some(u), Some(cut)) = (question.drawn, question.cut) {
        let first = &sides[1][..sides[1].len().min(CANDIDATES)];
        let kept = cut_of(&cut, first, digest.shaped, |e| weight(1, e.0, question.temperature));
        let total: f64 = kept.iter().map(|e| weight(1, e.0, question.temperature)).sum();
        let mut left = u * total;
        let falls = |e: &&Entry| {
            left -= weight(1, e.0, question.temperature);
            left < 0.0
        };
        digest.token = kept.iter().find(falls).or(kept.last()).map_or(0, |e| e.1);
    } else if let Some(u) = question.drawn {
        let mut left = u * digest.shaped;
        for (t, &l) in (0..).zip(row).filter(|&(t, _)| allows(t)) {
            left -= weight(1, l, question.temperature);
            if left < 0.0 {
                digest.token = t;
                break;
            }
        }
    }
    digest.logit = row[question.asked.unwrap_or(digest.token) as usize];
    digest
}

/// What is left of entries in order.
fn cut_of<'e>(cut: &Cut, all: &'e [Entry], shaped: f64, weight: impl Fn(&Entry) -> f64) -> &'e [Entry] {
    let mut kept = if cut.top_k > 0 { &all[..all.len().min(cut.top_k)] } else { all };
    let whole = if cut.top_k > 0 { kept.iter().map(&weight).sum() } else { shaped };
    let upto = |n: usize| kept[..n].iter().map(&weight).sum::<f64>();
    let enough = (1..=kept.len()).find(|&n| cut.top_p < 1.0 && upto(n) >= f64::from(cut.top_p) * whole);
    kept = &kept[..enough.unwrap_or(kept.len())];
    let likely = kept.iter().take_while(|e| weight(e) >= f64::from(cut.min_p)).count();
    &kept[..likely.max(1).min(kept.len())]
}
