//! How a download goes: how much, how fast, how long it still takes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far back the speed is measured.
const WINDOW: Duration = Duration::from_secs(4);

/// Time between two samples of it.
const SAMPLE: Duration = Duration::from_millis(100);

/// A moment in a download. It is shown as `12% of 1.19 GB, 23.1 MB/s, 45 s left, model.safetensors`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The file that is being downloaded.
    pub file: Arc<str>,
    /// Bytes of all files that are there.
    pub done: u64,
    /// Bytes of all files; 0 if not known yet.
    pub total: u64,
    /// Bytes a second, once known.
    pub speed: Option<u64>,
    /// Why nothing comes at the moment.
    pub note: Option<Arc<str>>,
}

impl Status {
    /// How long the rest takes at this speed.
    pub fn left(&self) -> Option<Duration> {
        let speed = self.speed.filter(|&s| s > 0)?;
        Some(Duration::from_secs(self.total.saturating_sub(self.done).div_ceil(speed)))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.total > 0 {
            let percent = u128::from(self.done) * 100 / u128::from(self.total);
            write!(f, "{percent}% of {}, ", bytes(self.total))?;
        }
        if let Some(note) = &self.note {
            return f.write_str(note);
        }
        if let (Some(speed), Some(left)) = (self.speed, self.left()) {
            write!(f, "{}/s, {} left, ", bytes(speed), time(left))?;
        }
        f.write_str(&self.file)
    }
}

/// An amount of bytes in at most 7 columns, in powers of 1000 as disks and the hub count: `812 B`,
/// `1.19 GB`.
pub fn bytes(count: u64) -> String {
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1e3;
    let mut units = ["kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 999.5 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1e3, next);
    }
    let places = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.places$} {unit}")
}

/// A time as people say it: `45 s`, `12 min`, `3 h 5 min`.
pub fn time(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..90 => format!("{s} s"),
        s @ 90..5400 => format!("{} min", s.div_ceil(60)),
        s => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

/// Measures the speed over the last seconds.
#[derive(Default)]
pub(super) struct Meter {
    received: u64,
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Takes in that bytes came. Returns the bytes a second, once there is something to tell.
    pub(super) fn add(&mut self, count: u64, now: Instant) -> Option<u64> {
        self.received += count;
        if self.samples.back().is_none_or(|(at, _)| now.duration_since(*at) >= SAMPLE) {
            self.samples.push_back((now, self.received));
        }
        while self.samples.len() > 2 && now.duration_since(self.samples[0].0) > WINDOW {
            self.samples.pop_front();
        }
        let (from, before) = *self.samples.front()?;
        let seconds = now.duration_since(from).as_secs_f64();
        (seconds >= 0.5).then(|| ((self.received - before) as f64 / seconds) as u64)
    }

    /// Forgets what was measured: after a pause the speed begins anew.
    pub(super) fn reset(&mut self) {
        self.samples.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_times_are_short() {
        let shown =
            [0, 999, 1000, 9_994, 9_996, 99_960, 999_499, 999_500, 1_190_000_000, u64::MAX].map(bytes);
        let wanted = "0 B|999 B|1.00 kB|9.99 kB|10.0 kB|100 kB|999 kB|1.00 MB|1.19 GB|18.4 EB";
        assert_eq!(shown.join("|"), wanted);
        let shown = [0, 89, 90, 5399, 5400, 100_000].map(|s| time(Duration::from_secs(s)));
        assert_eq!(shown.join("|"), "0 s|89 s|2 min|90 min|1 h 30 min|27 h 46 min");
    }

    #[test]
    fn a_status_tells_what_is_known() {
        let mut status = Status { file: "a.gguf".into(), done: 250, total: 1000, ..Status::default() };
        assert_eq!(status.to_string(), "25% of 1.00 kB, a.gguf");
        status.speed = Some(50);
        assert_eq!(status.to_string(), "25% of 1.00 kB, 50 B/s, 15 s left, a.gguf");
        status.note = Some("waiting".into());
        assert_eq!(status.to_string(), "25% of 1.00 kB, waiting");
    }

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut meter = Meter::default();
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(meter.add(1000, at(0)), None);
        for tick in 1..=100 {
            meter.add(100, at(tick * 100));
        }
        assert_eq!(meter.add(0, at(10_000)), Some(1000), "100 bytes every tenth of a second");
        for tick in 101..=200 {
            meter.add(0, at(tick * 100));
        }
        assert_eq!(meter.add(0, at(20_000)), Some(0), "nothing came for ten seconds");
    }
}
