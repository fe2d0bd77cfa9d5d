//! Texts of a megabyte: no frame and no key waits for them.
//!
//! The same is done several times, and of every key and frame the least time counts: that is what the
//! work takes, whatever else the machine does.

use std::time::{Duration, Instant};

use maze::app::event::Event;

use super::playground::Playground;

/// A frame has so long at 60 a second.
const FRAME: Duration = Duration::from_millis(16);

/// A key has so long.
const KEY: Duration = Duration::from_millis(50);

/// A machine that does other things takes as many times longer, at most.
const LOADED: u32 = 4;

const TIMES: usize = 3;

/// The times of what a person does, in its order.
fn times(work: impl Fn(&mut dyn FnMut(&str, &mut dyn FnMut()))) -> Vec<(String, Duration)> {
    let mut least: Vec<(String, Duration)> = Vec::new();
    for round in 0..TIMES {
        let mut at = 0;
        work(&mut |name, act| {
            let clock = Instant::now();
            act();
            let took = clock.elapsed();
            if round == 0 {
                least.push((name.to_owned(), took));
            } else {
                least[at].1 = least[at].1.min(took);
            }
            at += 1;
        });
    }
    least
}

fn check(what: &str, times: &[(String, Duration)]) {
    for (name, most) in [("paste", KEY), ("key", KEY), ("frame", FRAME)] {
        let of_name = || times.iter().filter(|(n, _)| n == name).map(|(_, took)| *took);
        let (slowest, sum) = (of_name().max().unwrap(), of_name().sum::<Duration>());
        let at = times.iter().position(|(n, took)| n == name && *took == slowest).unwrap();
        // Shown with --nocapture.
        eprintln!(
            "{what}: {name} at most {slowest:?} (no. {at}), on average {:?}",
            sum / of_name().count() as u32
        );
        assert!(slowest < most * LOADED, "{what}: a {name} took {slowest:?}");
    }
}

fn megabyte(line: &str) -> String {
    line.repeat((1 << 20) / line.len() + 1)
}

/// Pastes a text, then presses keys, with a frame after each, until everything is coloured.
fn paste(pane: &str, text: &str) -> Vec<(String, Duration)> {
    times(|take| {
        let mut p = Playground::new(160, 45);
        p.press(pane);
        p.press("Alt-A");
        p.draw();
        take("paste", &mut || p.event(Event::Paste(text.to_owned())));
        for key in ["x", "Backspace", "↑", "PgUp", "Ctrl-Home", "/", "Ctrl-End", "Enter", "Ctrl-F", "Esc"] {
            take("frame", &mut || _ = p.draw());
            take("key", &mut || p.press(key));
        }
        for _ in 0..400 {
            take("frame", &mut || _ = p.draw());
        }
        for key in ["a", "←", "Ctrl-U", "Ctrl-U", "PgDn"] {
            take("key", &mut || p.press(key));
            take("frame", &mut || _ = p.draw());
        }
    })
}

#[test]
fn a_megabyte_is_pasted_without_a_stall() {
    let grammar = megabyte("rule_name: \"text\" | /[a-z]+(x|y)/ other_rule* // a comment\n");
    check("grammar", &paste("Alt-1", &grammar));
    check("prompt", &paste("Alt-2", &megabyte("Some words of a prompt, then a line end.\n")));
    check("one line", &paste("Alt-1", &megabyte("a | \"b\" ")));
    check("one line in the prompt", &paste("Alt-2", &megabyte("word ")));
}
