//! Answers of the terminal about its colours that come after the program has given up waiting.
//!
//! Through a slow connection they arrive among the keys, and what reads keys takes them for such: Alt-],
//! then `11;rgb:ffff/ffff/ffff`, then Ctrl-G or Alt-\. Nobody has typed that. A key that may belong to an
//! answer is held back until the next one tells.

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyModifiers};

/// So long after the question an answer may come.
const LATEST: Duration = Duration::from_secs(5);

/// The longest colour: three or four numbers of four digits.
const LONGEST: usize = 19;

/// Sorts answers out of keys.
#[derive(Default)]
pub struct Late {
    /// Until when there may be any.
    until: Option<Instant>,
    /// What has come of one.
    held: Vec<Event>,
    /// The same, as text.
    text: String,
}

impl Late {
    /// Answers may come: the question was asked just now, and not answered.
    pub fn expected(now: Instant) -> Self {
        Self { until: Some(now + LATEST), ..Self::default() }
    }

    /// Returns what the person has done, after this event.
    pub fn sort(&mut self, event: Event, now: Instant) -> Vec<Event> {
        let may_begin = self.held.is_empty() && self.until.is_some_and(|until| now < until);
        let key = event.as_key_event().map(|key| (key.code, key.modifiers - KeyModifiers::SHIFT));
        match key {
            Some((KeyCode::Char(']'), KeyModifiers::ALT)) if may_begin => {
                self.text.clear();
                self.held.push(event);
                return Vec::new();
            }
            Some((KeyCode::Char(c), KeyModifiers::NONE)) if !self.held.is_empty() => {
                self.text.push(c);
                if is_beginning(&self.text) {
                    self.held.push(event);
                    return Vec::new();
                }
            }
            Some((KeyCode::Char('g'), KeyModifiers::CONTROL) | (KeyCode::Char('\\'), KeyModifiers::ALT))
                if self.text.len() > "11;rgb:".len() && !self.held.is_empty() =>
            {
                self.held.clear();
                return Vec::new();
            }
            _ => {}
        }
        let mut all = std::mem::take(&mut self.held);
        all.push(event);
        all
    }
}

/// Whether an answer can begin like this.
fn is_beginning(text: &str) -> bool {
    let goes_on = |head: &str| {
        let is_colour =
            |rest: &str| rest.len() <= LONGEST && rest.chars().all(|c| c.is_ascii_hexdigit() || c == '/');
        head.starts_with(text) || text.strip_prefix(head).is_some_and(is_colour)
    };
    ["10;rgb:", "11;rgb:", "10;rgba:", "11;rgba:"].into_iter().any(goes_on)
}
