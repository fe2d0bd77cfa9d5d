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
    /// Counts `steps`.
    pub fn extend(&mut self, steps: &[Arc<Step>]) {
        for step in steps {
            self.tokens += 1;
            self.busy += step.timings.total();
            self.forced += usize::from(step.kind == StepKind::Forced);
            if !step.timings.mask.is_zero() {
                let at = self.masks.partition_point(|m| *m <= step.timings.mask);
                self.masks.insert(at, step.timings.mask);
            }
        }
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
