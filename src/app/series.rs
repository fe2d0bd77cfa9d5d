//! What the graphs show of a run, step by step and for whole stretches of steps.
//!
//! An index over the trace, extended as steps come: a graph of any stretch of a run costs as much as it
//! has columns, never as much as the run has steps. It must be a function of the steps alone.

use std::sync::Arc;

use crate::engine::trace::Step;

/// The figures of a step, or the highest of several: `NAN` where nothing was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The probability that the mask removed, from 0 to 1.
    pub removed: f32,
    /// The entropy before the mask, in bits.
    pub before: f32,
    /// The entropy after the mask, in bits.
    pub after: f32,
    /// The time of the step, in seconds.
    pub time: f32,
}

impl Figures {
    fn of(step: &Step) -> Self {
        let insight = step.insight.as_deref();
        let figure = |figure: Option<f32>| figure.filter(|f| f.is_finite()).unwrap_or(f32::NAN);
        Self {
            removed: figure(insight.map(|i| i.mass_removed)),
            before: figure(insight.map(|i| i.entropy_before)),
            after: figure(insight.map(|i| i.entropy_after)),
            time: step.timings.total().as_secs_f32(),
        }
    }

    /// The higher of each; what was not recorded is not counted.
    fn highest(self, other: Self) -> Self {
        Self {
            removed: self.removed.max(other.removed),
            before: self.before.max(other.before),
            after: self.after.max(other.after),
            time: self.time.max(other.time),
        }
    }
}

/// The figures of a run.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Level 0 has the steps; each level above has the highest of every two below it. The last has one.
    levels: Vec<Vec<Figures>>,
}

impl Series {
    /// Appends `steps`.
    pub fn extend(&mut self, steps: &[Arc<Step>]) {
        for step in steps {
            self.push(Figures::of(step));
        }
    }

    /// Forgets all but the first `count` steps.
    pub fn truncate(&mut self, count: usize) {
        for level in 0..self.levels.len() {
            self.levels[level].truncate(count.div_ceil(1 << level));
            let Some(last) = self.levels[level].len().checked_sub(1) else { continue };
            if let Some(below) = level.checked_sub(1) {
                let pair = &self.levels[below][last * 2..];
                let highest = pair.iter().copied().reduce(Figures::highest);
                self.levels[level][last] = highest.unwrap_or(self.levels[level][last]);
            }
        }
        let enough = self.levels.iter().position(|level| level.len() <= 1).unwrap_or(0);
        self.levels.truncate(if count == 0 { 0 } else { enough + 1 });
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The figures of level `level`: each of `1 << level` steps, the last of fewer.
    pub fn level(&self, level: usize) -> &[Figures] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// The lowest level that has at most `columns` figures.
    pub fn level_within(&self, columns: usize) -> usize {
        self.levels.iter().position(|level| level.len() <= columns).unwrap_or(self.levels.len())
    }

    fn push(&mut self, figures: Figures) {
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        let index = self.len();
        for (level, all) in self.levels.iter_mut().enumerate() {
            match all.get_mut(index >> level) {
                Some(pair) => *pair = pair.highest(figures),
                None => all.push(figures),
            }
        }
        if let Some([first, second]) = self.levels.last().map(Vec::as_slice) {
            let pair = first.highest(*second);
            self.levels.push(vec![pair]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(i: usize) -> Figures {
        let noise = |factor: usize| (i * factor % 97) as f32;
        let removed = if i.is_multiple_of(5) { f32::NAN } else { noise(13) };
        Figures { removed, before: noise(29), after: noise(31), time: noise(7) }
    }

    fn series(count: usize) -> Series {
        let mut series = Series::default();
        (0..count).for_each(|i| series.push(figures(i)));
        series
    }

    /// What every level must hold, found the slow way.
    fn check(series: &Series, count: usize) {
        let steps: Vec<Figures> = (0..count).map(figures).collect();
        assert_eq!(series.len(), count);
        let mut level = 0;
        loop {
            let wanted: Vec<Figures> =
                steps.chunks(1 << level).filter_map(|c| c.iter().copied().reduce(Figures::highest)).collect();
            // NAN is not equal to itself, its text is.
            assert_eq!(format!("{wanted:?}"), format!("{:?}", series.level(level)), "{level} of {count}");
            if wanted.len() <= 1 {
                break;
            }
            level += 1;
        }
        assert_eq!(series.levels.len(), if count == 0 { 0 } else { level + 1 });
    }

    #[test]
    fn levels_hold_the_highest_of_their_steps() {
        for count in (0..70).chain([127, 128, 129, 1000]) {
            check(&series(count), count);
        }
    }

    #[test]
    fn what_is_cut_off_leaves_no_trace() {
        for count in [0, 1, 2, 3, 31, 32, 33, 64] {
            for from in [64, 65, 100] {
                let mut cut = series(from);
                cut.truncate(count);
                check(&cut, count);
                (count..count + 9).for_each(|i| cut.push(figures(i)));
                check(&cut, count + 9);
            }
        }
    }

    #[test]
    fn the_level_is_the_lowest_that_fits() {
        let series = series(100);
        let levels = [100, 99, 50, 49, 25, 1].map(|columns| series.level_within(columns));
        assert_eq!(levels, [0, 1, 1, 2, 2, 7]);
        assert_eq!(Series::default().level_within(0), 0);
    }
}
