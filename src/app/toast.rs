//! What the program says to the person: toasts that come, are seen for a while and go, and the last
//! of them to be read again.
//!
//! There is no clock here. A toast's time is asked for by [`Toasts::alarms`]; an error whose time has
//! passed stays until somebody is there, so that nobody misses it.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::{Effect, Wake};

/// So many are on the screen at once.
pub const SHOWN: usize = 3;

/// So many can be read again.
pub const HISTORY: usize = 50;

/// How long a short sentence and a short error are seen.
const SENTENCE: Duration = Duration::from_secs(4);
const ERROR: Duration = Duration::from_secs(10);

/// Characters that are read in that time, and the time for each one more.
const SHORT: usize = 80;
const READING: Duration = Duration::from_millis(50);

/// A sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Its number.
    pub id: u64,
    /// What to say; made safe when drawn.
    pub text: String,
    /// Whether something is wrong.
    pub is_error: bool,
    /// Whether its time has passed, and it waits for somebody to be there.
    was_seen: bool,
}

impl Toast {
    /// How long it is to be seen.
    fn time(&self) -> Duration {
        let more = self.text.chars().count().saturating_sub(SHORT).min(600) as u32;
        (if self.is_error { ERROR } else { SENTENCE }) + READING * more
    }
}

/// The toasts on the screen and those before them.
#[derive(Clone, Debug, Default)]
pub struct Toasts {
    shown: Vec<Toast>,
    history: VecDeque<Toast>,
    /// How many there have been.
    count: u64,
    /// For how many of them an alarm was asked.
    announced: u64,
}

impl Toasts {
    /// Those on the screen, the newest last.
    pub fn shown(&self) -> &[Toast] {
        &self.shown
    }

    /// The latest ones, the newest last.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Toast> {
        self.history.iter()
    }

    /// Says something. What is on the screen already is not said twice, but for longer. Where there
    /// are too many, sentences make room before errors do.
    pub fn push(&mut self, text: String, is_error: bool) {
        self.count += 1;
        let toast = Toast { id: self.count, text, is_error, was_seen: false };
        let is_same = |other: &Toast| other.text == toast.text && other.is_error == is_error;
        self.shown.retain(|other| !is_same(other));
        if self.shown.len() == SHOWN {
            self.shown.remove(self.shown.iter().position(|t| !t.is_error).unwrap_or(0));
        }
        if self.history.back().is_some_and(is_same) {
            self.history.pop_back();
        }
        self.shown.push(toast.clone());
        self.history.push_back(toast);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// The alarms of the toasts that have come since the last time.
    pub fn alarms(&mut self) -> Vec<Effect> {
        let new = self.shown.iter().filter(|t| t.id > self.announced);
        let alarms = new.map(|t| Effect::Wake(t.time(), Wake::Toast(t.id))).collect();
        self.announced = self.count;
        alarms
    }

    /// The time of a toast has passed.
    pub fn wake(&mut self, id: u64) {
        self.shown.retain(|t| t.id != id || t.is_error);
        self.shown.iter_mut().filter(|t| t.id == id).for_each(|t| t.was_seen = true);
    }

    /// Somebody is there: errors that had their time go.
    pub fn somebody_is_there(&mut self) {
        self.shown.retain(|t| !t.was_seen);
    }

    /// Sends one away.
    pub fn dismiss(&mut self, id: u64) {
        self.shown.retain(|t| t.id != id);
    }

    /// Sends all away; whether an error was among them. A sentence goes by itself: it takes no key from
    /// what the key is for.
    pub fn dismiss_all(&mut self) -> bool {
        std::mem::take(&mut self.shown).iter().any(|t| t.is_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(toasts: &Toasts) -> Vec<&str> {
        toasts.shown().iter().map(|t| t.text.as_str()).collect()
    }

    #[test]
    fn sentences_make_room_before_errors() {
        let mut toasts = Toasts::default();
        for (text, is_error) in [("a", true), ("b", false), ("c", false), ("d", true), ("c", false)] {
            toasts.push(text.into(), is_error);
        }
        assert_eq!(texts(&toasts), ["a", "d", "c"], "what is said again moves to the end");
        toasts.push("e".into(), true);
        assert_eq!(texts(&toasts), ["a", "d", "e"]);
        toasts.push("f".into(), true);
        assert_eq!(texts(&toasts), ["d", "e", "f"], "only then the oldest error");
        let all: String = toasts.history().map(|t| t.text.as_str()).collect();
        assert_eq!(all, "abcdcef", "none is lost");
    }

    #[test]
    fn an_error_waits_for_somebody_after_its_time() {
        let mut toasts = Toasts::default();
        toasts.push("sentence".into(), false);
        toasts.push("error".into(), true);
        let alarms = toasts.alarms();
        let [Effect::Wake(first, Wake::Toast(1)), Effect::Wake(second, Wake::Toast(2))] = alarms[..] else {
            panic!("{alarms:?}");
        };
        assert_eq!((first.as_secs(), second.as_secs()), (4, 10));
        assert!(toasts.alarms().is_empty(), "each is asked for once");
        toasts.somebody_is_there();
        assert_eq!(texts(&toasts), ["sentence", "error"], "a key does not take what is being read");
        toasts.wake(1);
        toasts.wake(2);
        assert_eq!(texts(&toasts), ["error"], "nobody may have seen it");
        toasts.somebody_is_there();
        assert!(texts(&toasts).is_empty());
    }

    #[test]
    fn long_sentences_are_seen_for_longer_and_old_ones_forgotten() {
        let mut toasts = Toasts::default();
        toasts.push("x".repeat(SHORT + 100), false);
        let alarms = toasts.alarms();
        assert!(matches!(alarms[..], [Effect::Wake(time, _)] if time.as_secs() == 9), "{alarms:?}");
        for i in 0..100 {
            toasts.push(i.to_string(), false);
        }
        let kept: Vec<&str> = toasts.history().map(|t| t.text.as_str()).collect();
        assert_eq!((kept.len(), kept[0], kept[49]), (50, "50", "99"));
    }
}
