//! Figures about a run that are kept up to date step by step, so that a frame never reads them all.
//! It must stay a function of the trace.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::trace::{Step, StepKind};

/// Sums over the generated steps of a run.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Tokens generated.
    pub tokens: usize,
    /// How many of them the grammar forced.
    pub forced: usize,
    /// Time spent on them.
    pub busy: Duration,
    /// How long the masks took, rising. Most forced tokens have none.
    masks: Vec<Duration>,
}

impl Stats {
    /// The figures of a run of these steps.
    pub fn of(steps: &[Arc<Step>]) -> Self {
        let mut stats = Self::default();
        steps.iter().for_each(|step| stats.count(step));
        stats.masks = steps.iter().map(|s| s.timings.mask).filter(|mask| !mask.is_zero()).collect();
        stats.masks.sort_unstable();
        stats
    }

    /// Counts `steps`.
    pub fn extend(&mut self, steps: &[Arc<Step>]) {
        for step in steps {
            self.count(step);
            if !step.timings.mask.is_zero() {
                let at = self.masks.partition_point(|m| *m <= step.timings.mask);
                self.masks.insert(at, step.timings.mask);
            }
        }
    }

    fn count(&mut self, step: &Step) {
        self.tokens += 1;
        self.busy += step.timings.total();
        self.forced += usize::from(step.kind == StepKind::Forced);
    }

    /// The time that a share `p` (0 to 1) of the masks did not exceed.
    pub fn mask_percentile(&self, p: f64) -> Option<Duration> {
        let last = self.masks.len().checked_sub(1)?;
        self.masks.get((last as f64 * p).round() as usize).copied()
    }

    /// Tokens per second of time spent.
    pub fn rate(&self) -> Option<f64> {
        (!self.busy.is_zero()).then(|| self.tokens as f64 / self.busy.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trace::Timings;

    /// Counted one by one and counted at once, the figures are the same.
    #[test]
    fn a_cut_run_counts_what_is_left() {
        let step = |i: u64| {
            let micros = |n: u64| Duration::from_micros(n);
            Arc::new(Step {
                token: 0,
                bytes: [].into(),
                special: false,
                of_prompt: 0,
                thinking: false,
                kind: if i.is_multiple_of(3) { StepKind::Forced } else { StepKind::Sampled },
                insight: None,
                timings: Timings { mask: micros(i * 7919 % 31), forward: micros(i), ..Timings::default() },
            })
        };
        let steps: Vec<Arc<Step>> = (0..100).map(step).collect();
        let mut bit_by_bit = Stats::default();
        for at in 0..steps.len() {
            assert_eq!(format!("{:?}", Stats::of(&steps[..at])), format!("{bit_by_bit:?}"));
            bit_by_bit.extend(&steps[at..=at]);
        }
    }
}
