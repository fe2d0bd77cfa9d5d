//! Questions have bounds, what is kept has one, nobody waits for another, and whatever they do to an answer the
//! masks are llguidance's.

use std::cell::Cell;
use std::sync::mpsc;
use std::time::Duration;

use llguidance::api::TopLevelGrammar;

use super::super::tests::{Both, read, words};
use super::super::*;
use crate::engine::constraint::{Constraint, ConstraintFactory};
use crate::engine::grammar::library;
use crate::engine::model::tokenizer::synthetic;
use crate::engine::splitmix::{STEP, mix};

/// Each text leads to a row of its own: what was opened has to be closed.
fn mirrors() -> TopLevelGrammar {
    let rules: Vec<String> = ('a'..='z').map(|letter| format!("\"{letter}\" s \"{letter}\"")).collect();
    TopLevelGrammar::from_lark(format!("start: \".\" s\ns: \"!\" | {}", rules.join(" | ")))
}

/// Each text leads to a state of the lexer of its own, nearly: it has to know where the vowels were.
fn counters() -> TopLevelGrammar {
    TopLevelGrammar::from_lark("start: \".\" T \"!\"\nT: /[a-z]*[aeiou][a-z]{12}/".into())
}

fn create(factory: &ConstraintFactory, grammar: TopLevelGrammar) -> Constraint {
    factory.create(grammar).expect("it compiles").0
}

/// Looks at all that is known.
fn with<T>(constraint: &Constraint, look: impl FnOnce(&mut Known) -> T) -> T {
    look(constraint.places.shared.locked().known().expect("it is made"))
}

/// What a question made.
#[derive(Debug)]
struct Made {
    /// Rows, or states of the lexer.
    count: usize,
    looks: usize,
    is_answered: bool,
}

/// A question at the place after a text, in which only the first `looks` looks find that somebody waits.
fn cut_short(start: &Constraint, text: &[u8], looks: usize, count: fn(&Known) -> usize) -> Made {
    let mut constraint = start.fork();
    constraint.feed(text).expect("it is of the grammar");
    let grammar = constraint.parser.parser.grammar();
    let trie = constraint.parser.token_env.tok_trie();
    let place = constraint.places.after(grammar, &constraint.tokens, trie, &|| false).expect("a place");
    let words = constraint.masks.words();
    let looked = Cell::new(0);
    let is_cancelled = || looked.replace(looked.get() + 1) >= looks;
    with(&constraint, |known| {
        let before = count(known);
        let is_answered = known.mask(&words, place, &is_cancelled).is_some();
        Made { count: count(known) - before, looks: looked.get(), is_answered }
    })
}

#[test]
fn a_walk_that_is_cancelled_ends_soon() {
    let (_, factory) = words();
    let trie = factory.environment().tok_trie();
    let rows: fn(&Known) -> usize = |known| known.after.len();
    let states: fn(&Known) -> usize = |known| known.lexer.stats().num_states;
    for (grammar, count) in [(mirrors(), rows), (counters(), states)] {
        let whole = cut_short(&create(&factory, grammar.clone()), b".ab", usize::MAX, count);
        assert!(whole.looks > 2, "{whole:?}");
        for looks in [0, whole.looks / 2] {
            let start = create(&factory, grammar.clone());
            let cut = cut_short(&start, b".ab", looks, count);
            assert!(!cut.is_answered && cut.looks == looks + 1, "{looks} looks: {cut:?}");
            assert!(4 * cut.count < 3 * whole.count, "{looks} looks: {cut:?} of {whole:?}");
            let mut both = Both::new(&factory, &start);
            both.along(b".abba", trie);
            assert!(both.masks > 3);
        }
    }
}

#[test]
fn a_long_text_is_followed_in_parts() {
    let (_, factory) = words();
    let constraint = create(&factory, TopLevelGrammar::from_lark("start: /[a-z]*/ \"!\"".into()));
    let trie = factory.environment().tok_trie();
    let tokens = vec![trie.greedy_tokenize(b"a")[0]; 250_000];
    let grammar = constraint.parser.parser.grammar();
    let mut places = constraint.places.clone();
    // From the first look on nobody waits.
    let looked = Cell::new(0);
    assert!(places.after(grammar, &tokens[..1], trie, &|| false).is_some());
    assert_eq!(places.after(grammar, &tokens, trie, &|| looked.replace(looked.get() + 1) >= 0), None);
    let followed = places.places.len();
    assert!((3..20_000).contains(&followed), "{followed}");
    let mut parts = 1;
    while places.after(grammar, &tokens, trie, &|| false).is_none() {
        parts += 1;
        assert!(parts < 10, "{} tokens are followed", places.places.len());
    }
    assert!(parts > 1, "all of it is one question");
    assert_eq!(places.places.len(), tokens.len() + 1);
    // The same as after a short one.
    let mut short = constraint.places.clone();
    assert_eq!(places.places.last(), Some(&short.after(grammar, &tokens[..1], trie, &|| false)));
}

#[test]
fn nobody_waits_for_another_thread() {
    let (_, factory) = words();
    let start = create(&factory, mirrors());
    let trie = factory.environment().tok_trie();
    let mut both = Both::new(&factory, &start);
    both.along(b".a", trie);
    let before = start.remembered().expect("places")[0];
    let mut other = both.placed.fork();
    other.parser.parser.invalidate_bias_cache();
    let slot = start.places.shared.locked();
    let (send, receive) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = send.send(other.mask().map(|mask| mask.words().to_vec()));
    });
    let mask = receive.recv_timeout(Duration::from_secs(20)).expect("an answer while another one asks");
    drop(slot);
    thread.join().expect("no panic");
    assert_eq!(mask.expect("a mask"), both.plain.mask().expect("a mask").words());
    assert_eq!(start.remembered().expect("places")[0], before, "it was asked while another one did");
    both.along(b"b", trie);
    assert!(start.remembered().expect("places")[0] > before);
}

#[test]
fn two_threads_have_the_same_masks() {
    let (_, factory) = words();
    let source = library::find("python").expect("it is shipped").source().with_entry("function");
    let start = create(&factory, read(&source.expect("an entry")).expect("Lark"));
    let text = b"def f(a, b):\n    if a:\n        return [b, (a, 1)]\n    return {'x': f(b)[0]}\n";
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let mut both = Both::new(&factory, &start);
            let factory = &factory;
            scope.spawn(move || {
                both.along(text, factory.environment().tok_trie());
                assert!(both.masks > 20);
            });
        }
    });
    assert!(start.remembered().expect("places")[0] > 10);
}

#[test]
fn places_are_off_where_they_take_too_much_to_begin() {
    let (_, factory) = words();
    let constraint = create(&factory, counters());
    let grammar = constraint.parser.parser.grammar();
    let trie = factory.environment().tok_trie();
    let tokens = trie.greedy_tokenize(b".");
    let limits = ParserLimits { initial_lexer_fuel: 2, ..factory.limits().clone() };
    let mut places = Places::new(&limits, Some(false));
    for _ in 0..2 {
        assert_eq!(places.after(grammar, &tokens, trie, &|| false), None);
        assert!(matches!(*places.shared.locked(), follow::Slot::Off));
    }
    // One that nobody waits for says nothing about the grammar.
    let names: Vec<String> = (0..3000).map(|n| format!("r{n}")).collect();
    let rules: Vec<String> = names.iter().map(|name| format!("{name}: \"x\" \"y\"")).collect();
    let long = format!("start: \".\" all\nall: {}\n{}", names.join(" | "), rules.join("\n"));
    let constraint = create(&factory, TopLevelGrammar::from_lark(long));
    let grammar = constraint.parser.parser.grammar();
    let mut places = Places::new(factory.limits(), Some(false));
    assert_eq!(places.after(grammar, &tokens, trie, &|| true), None);
    assert!(matches!(*places.shared.locked(), follow::Slot::Unasked));
    assert!(places.after(grammar, &tokens, trie, &|| false).is_some());
}

/// Along texts of which no two are alike, all that is kept stays within its bound.
#[test]
fn memory_has_a_bound() {
    let factory = ConstraintFactory::new(&synthetic(3000).expect("words")).expect("a factory");
    let trie = factory.environment().tok_trie();
    let start = create(&factory, mirrors());
    Both::new(&factory, &start).along(b".", trie);
    let room = with(&start, |known| {
        known.room = known.kept() + (1 << 19);
        known.room
    });
    let (mut most, mut sum, mut last) = (0, 0, room);
    for seed in 0..60 {
        let mut both = Both::new(&factory, &start);
        let mut state = mix(seed);
        for step in 0..9 {
            state = mix(state.wrapping_add(STEP));
            let letter = b'a' + (state % 26) as u8;
            let token = trie.greedy_tokenize(&[if step == 0 { b'.' } else { letter }])[0];
            both.mask(trie).expect("a mask");
            assert!(both.commit(token));
            let kept = with(&start, |known| known.kept());
            most = most.max(kept);
            sum += kept.saturating_sub(last);
            last = kept;
        }
    }
    let age = with(&start, |known| known.age);
    assert!(age > 1, "nothing was forgotten: {most} bytes");
    assert!(most < room + (6 << 20), "{most} bytes for {room}");
    assert!(sum > 2 << 19, "{sum} bytes in all, which one bound has room for");
    assert!(start.remembered().expect("places")[0] > 20);
}

/// Where a step takes more than the lexer may spend llguidance answers, and what is lost is not lost every time.
#[test]
fn what_breaks_the_lexer_is_not_tried_every_time() {
    let (_, factory) = words();
    let trie = factory.environment().tok_trie();
    let start = create(&factory, counters());
    Both::new(&factory, &start).along(b".a", trie);
    let with_fuel = |fuel| with(&start, |known| known.limits.step_lexer_fuel = fuel);
    let mut both = Both::new(&factory, &start);
    let mut along = |count: usize| {
        for _ in 0..count {
            both.along(b".abcdefabcdef", trie);
            both.rollback(both.placed.tokens().len());
        }
        both.masks
    };
    with_fuel(1);
    let masks = along(20);
    let age = with(&start, |known| known.age);
    assert!((2..6).contains(&age), "it has been forgotten {age} times in {masks} masks");
    // It is not for good.
    let asked = start.remembered().expect("places")[0];
    with_fuel(factory.limits().step_lexer_fuel);
    along(40);
    assert!(start.remembered().expect("places")[0] > asked);
}

/// Near llguidance's limits there is a whole mask or none: no token that it would refuse.
#[test]
fn no_limit_allows_more() {
    let (vocabulary, free) = words();
    let trie = free.environment().tok_trie();
    let (mut whole, mut ended) = (0, 0);
    for (items, fuel) in [(20, 200_000), (300, 200_000), (250_000, 300), (250_000, 3000), (3000, 20_000)] {
        let mut factory = ConstraintFactory::new(&vocabulary).expect("a factory");
        factory.factory.limits_mut().step_max_items = items;
        factory.factory.limits_mut().step_lexer_fuel = fuel;
        for grammar in [mirrors(), counters()] {
            let Ok((limited, _)) = factory.create(grammar.clone()) else { continue };
            let start = create(&free, grammar);
            // What one text finds out the next one knows.
            for text in [&b".abcdefgh"[..], b".abcdefgh", b".xyzabcdxyz"] {
                let (mut limited, mut without) = (limited.fork(), start.by_llguidance());
                for token in trie.greedy_tokenize(text) {
                    let Ok(mask) = limited.mask() else {
                        ended += 1;
                        break;
                    };
                    whole += 1;
                    assert_eq!(mask.words(), without.mask().expect("a mask").words(), "{items}, {fuel}");
                    assert!(without.commit(token).expect("no limit"));
                    if !limited.commit(token).unwrap_or(false) {
                        break;
                    }
                }
            }
        }
    }
    assert!(whole > 5 && ended > 5, "{whole} masks, and {ended} times none");
}
