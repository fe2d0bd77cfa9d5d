//! What a device answers, in plain sums in double precision: for tests.

use super::{Digest, Entry, Question};
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
    if let Some(u) = question.drawn {
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
