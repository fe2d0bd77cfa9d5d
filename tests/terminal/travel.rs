//! Going back in a run and putting another token in place of one, with keys and with the mouse; and the
//! inspector's list over a large vocabulary.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::playground::Playground;
use super::steps;
use maze::app::event::{Event, RunEvent};
use maze::app::inspector::Part;
use maze::app::inspector::found::Found;
use maze::app::inspector::list::Listing;
use maze::app::scripted;
use maze::app::state::RunStatus;
use maze::app::transcript::Transcript;
use maze::engine::ModelSpec;
use maze::engine::grammar::Compiler;
use maze::engine::session::Session;
use maze::engine::trace::{FinishReason, StepKind, TokenId};
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use maze::sanitize;
use maze::ui::inspector::{Target, parts, target};

fn tokens(p: &Playground) -> Vec<(TokenId, StepKind)> {
    p.state.run.steps().iter().map(|step| (step.token, step.kind)).collect()
}

/// The latest sentence for the person.
fn said(p: &Playground) -> String {
    p.state.toasts.shown().last().map_or_else(String::new, |toast| toast.text.clone())
}

/// A run of so many decisions, held, and its tokens.
fn held(decisions: usize) -> (Playground, Vec<(TokenId, StepKind)>) {
    let mut p = Playground::new(160, 45);
    p.press("F5");
    p.advance(decisions);
    p.press("F5");
    let whole = tokens(&p);
    (p, whole)
}

/// Ends the run; toasts that lie on top go first.
fn stop(p: &mut Playground) {
    (0..3).for_each(|_| {
        if p.state.run.status.is_live() {
            p.press("Esc")
        }
    });
    assert_eq!(p.state.run.status, RunStatus::Ended);
}

/// Lets the run go on until it has so many tokens.
fn go_on(p: &mut Playground, count: usize) {
    p.press("F5");
    while p.state.run.steps().len() < count {
        p.advance(1);
    }
}

/// Selects a token of the run and leaves the focus in the inspector.
fn select(p: &mut Playground, index: usize) {
    p.press("Alt-3");
    p.press("Home");
    (0..index).for_each(|_| p.press("→"));
    assert_eq!(p.state.run.selected, Some(index));
    p.press("Alt-4");
}

/// The end of a session that takes this path from the start.
fn path(p: &Playground, keep: usize, put: TokenId) -> Vec<(TokenId, StepKind)> {
    let loaded = scripted::loader(0)(&ModelSpec::Embedded, &mut |_| ControlFlow::Continue(())).unwrap();
    let request = p.state.run.trace.as_ref().unwrap().request.clone();
    let compiler = Compiler::new(&loaded.vocabulary).unwrap();
    let grammar = compiler.compile(request.grammar.as_ref().unwrap()).0.map(Arc::new);
    let Ok(mut session) = Session::start(loaded.model, loaded.vocabulary, grammar, request) else {
        panic!("the request is sound")
    };
    while session.trace().steps.len() < keep {
        session.step().unwrap();
    }
    session.rewind(keep).unwrap();
    session.force(put).unwrap();
    while session.trace().outcome.is_none() {
        session.step().unwrap();
    }
    session.trace().steps.iter().map(|step| (step.token, step.kind)).collect()
}

#[test]
fn a_run_that_is_rewound_waits_and_goes_on_as_before() {
    let (mut p, whole) = held(20);
    for at in [7, 3, 0] {
        select(&mut p, at);
        p.press("r");
        assert_eq!(tokens(&p), whole[..at]);
        assert_eq!((p.state.run.status, p.state.run.selected), (RunStatus::Paused, None));
        assert_eq!(p.state.run.stats.tokens, at);
        let text = Transcript::of(p.state.run.steps());
        assert_eq!(format!("{:?}", p.state.run.transcript), format!("{text:?}"));
        let screen = p.screen();
        assert!(
            screen.contains("‖ paused") && said(&p).starts_with(&format!("Back before token {}:", at + 1))
        );
        p.press("F10");
        assert!(p.state.run.steps().len() > at, "a step adds to what stayed");
        go_on(&mut p, whole.len());
        assert_eq!(tokens(&p)[..whole.len()], whole[..]);
        p.press("F5");
    }
    // Without a token there is nothing to go back to.
    let mut p = Playground::new(80, 24);
    p.press("Alt-3");
    p.press("r");
    assert_eq!(said(&p), "There is no token to go back to.");
    p.press("f");
    assert_eq!(said(&p), "There is no token to put another one in place of.");
}

/// Also while tokens come: those of before the way back that come late are not taken.
#[test]
fn a_running_run_is_held_where_it_was_gone_back_to() {
    let mut p = Playground::new(80, 24);
    p.press("F5");
    p.advance(12);
    let (old, whole) = (p.state.run.id, tokens(&p));
    select(&mut p, 4);
    p.press("r");
    assert_eq!(p.state.run.status, RunStatus::Paused);
    p.event(Event::Run(old, RunEvent::Steps(steps::python(0, 3, 256))));
    p.event(Event::Run(old, RunEvent::Resumed));
    assert_eq!((tokens(&p), p.state.run.status), (whole[..4].to_vec(), RunStatus::Paused));
}

#[test]
fn a_token_can_be_put_in_place_of_another() {
    let (mut p, whole) = held(20);
    let at = (2..whole.len())
        .find(|&at| p.state.run.steps()[at].insight.as_ref().unwrap().allowed.count() > 9)
        .expect("a place with a choice");
    // From the candidates after the mask, and from the list of what is allowed.
    for way in [&["↓", "f"][..], &["t", "End", "Enter"]] {
        select(&mut p, at);
        p.state.inspector.turn(Part::Candidates);
        let (keys, last) = way.split_at(way.len() - 1);
        keys.iter().for_each(|key| p.press(key));
        let token = p.state.inspector.token(&p.state.run).unwrap();
        assert_ne!(token, whole[at].0);
        p.press(last[0]);
        let put = tokens(&p);
        assert_eq!((&put[..at], put[at]), (&whole[..at], (token, StepKind::Overridden)));
        assert_eq!(put.len(), at + 1, "what came after is gone");
        let screen = p.screen();
        assert!(screen.contains("put by you") && screen.contains("paused"), "{screen}");
        let expected = path(&p, at, token);
        p.press("F5");
        p.advance(600);
        assert_eq!(p.state.run.status, RunStatus::Ended);
        assert_eq!(tokens(&p), expected);
        assert!(p.screen().contains("■"));
        // Back to the run of before, which is the latest but one of the session.
        let before = p.state.run.trace.as_ref().unwrap().request.clone();
        (p, _) = held(20);
        assert_eq!(p.state.run.trace.as_ref().unwrap().request, before);
    }
}

#[test]
fn a_rejected_token_is_refused_by_name() {
    let (mut p, whole) = held(20);
    let at = (0..whole.len())
        .find(|&at| p.state.run.steps()[at].insight.as_ref().unwrap().allowed.count() > 9)
        .expect("a place with a choice");
    select(&mut p, at);
    ["t", "/"].iter().for_each(|key| p.press(key));
    p.type_text("\\x0a");
    p.press("Enter");
    let token = p.state.inspector.token(&p.state.run).expect("a line may end there");
    assert!(p.vocabulary().bytes(token).contains(&b'\n'), "{}", p.screen());
    ["Esc", "t"].iter().for_each(|key| p.press(key));
    let token = p.state.inspector.token(&p.state.run).expect("something was rejected");
    let name = sanitize::token(p.vocabulary().bytes(token));
    p.press("f");
    let refusal =
        format!("“{name}” (#{token}) cannot be token {}: the grammar does not allow it there", at + 1);
    assert_eq!(said(&p), refusal + "; t turns to others.");
    assert_eq!(tokens(&p), whole);
    // Where the grammar left one way, it says so.
    let forced = whole.iter().position(|(_, kind)| *kind == StepKind::Forced).expect("the grammar forces");
    select(&mut p, forced);
    assert!(p.screen().contains("the grammar left one way"), "{}", p.screen());
    p.press("f");
    assert!(said(&p).contains("the grammar leaves one way there"), "{}", said(&p));
    assert_eq!(tokens(&p), whole);
}

/// What had ended stays as it was: the way back is a run of its own.
#[test]
fn an_ended_run_is_gone_back_in_as_another() {
    let mut p = Playground::new(120, 40);
    p.press("F5");
    p.advance(10);
    stop(&mut p);
    let whole = tokens(&p);
    assert_eq!(p.state.run.trace.as_ref().unwrap().outcome.as_ref().unwrap().reason, FinishReason::Cancelled);
    select(&mut p, 5);
    p.press("r");
    assert_eq!((p.state.run.number, p.state.run.status), (2, RunStatus::Paused));
    assert!(said(&p).starts_with("Back before token 6, as run 2:"), "{}", said(&p));
    p.press("F5");
    p.advance(3);
    stop(&mut p);
    let second = tokens(&p);
    assert!(second.len() > 5);
    // The first is there, and the engine takes it up again though another session came in between.
    assert!(p.state.show_run(1));
    assert_eq!(tokens(&p), whole);
    select(&mut p, 6);
    p.press("r");
    assert_eq!((p.state.run.number, tokens(&p)), (3, whole[..6].to_vec()));
    p.press("F5");
    p.advance(3);
    assert_eq!(tokens(&p)[..second.len().min(9)], second[..second.len().min(9)]);
}

/// A run keeps the grammar it began with, and the screen says that there is another.
#[test]
fn a_changed_grammar_changes_no_run() {
    let (mut p, whole) = held(20);
    assert!(!p.screen().contains("grammar changed"));
    p.press("Alt-1");
    p.press("Ctrl-End");
    p.type_text("// more\n");
    p.press("Alt-3");
    p.press("End");
    assert!(p.screen().contains("grammar changed since"), "{}", p.screen());
    select(&mut p, 3);
    p.press("r");
    assert!(said(&p).ends_with("It keeps the grammar it began with; a new run takes the changed one."));
    go_on(&mut p, whole.len());
    assert_eq!(tokens(&p)[..whole.len()], whole[..]);
    // A grammar with a mistake does not hold it either.
    p.press("Alt-1");
    p.type_text("broken");
    select(&mut p, 3);
    p.press("r");
    go_on(&mut p, whole.len());
    assert_eq!(tokens(&p)[..whole.len()], whole[..]);
}

#[test]
fn a_run_whose_model_is_gone_is_not_gone_back_in() {
    let (mut p, whole) = held(10);
    let name = p.state.run.trace.as_ref().unwrap().model.name.clone();
    // As long as it is open, it has its model.
    p.switch("other");
    select(&mut p, 4);
    p.press("r");
    assert_eq!(tokens(&p), whole[..4]);
    go_on(&mut p, 8);
    assert_eq!(tokens(&p)[..8], whole[..8]);
    stop(&mut p);
    let ended = tokens(&p);
    select(&mut p, 4);
    p.press("r");
    assert_eq!(said(&p), format!("{name} wrote this run, other is in use; F4 picks another model."));
    assert_eq!(tokens(&p), ended);
}

#[test]
fn the_mouse_chooses_switches_and_puts() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut p = Playground::new(width, height);
        p.press("F5");
        p.advance(20);
        p.press("F5");
        let whole = tokens(&p);
        let at = (2..whole.len())
            .find(|&at| p.state.run.steps()[at].insight.as_ref().unwrap().allowed.count() > 9)
            .expect("a place with a choice");
        select(&mut p, at);
        p.state.inspector.turn(Part::Allowed);
        let list = parts(&p.state).unwrap().list;
        // Every heading is where it is clicked.
        let heading = |p: &mut Playground, part: Part| {
            let cell = (list.x..list.right())
                .find(|&x| target(&p.state, x, list.y) == Some(Target::Part(part)))
                .unwrap_or_else(|| panic!("no heading of {part:?} at {width}x{height}\n{}", p.screen()));
            p.click(cell, list.y);
            assert_eq!(p.state.inspector.part, part);
            p.wait(Duration::from_secs(1));
        };
        heading(&mut p, Part::Rejected);
        heading(&mut p, Part::Allowed);
        p.mouse(crossterm::event::MouseEventKind::ScrollDown, list.x + 3, list.y + 4);
        let row = p.state.inspector.list;
        assert!(row.top > 0, "the wheel scrolls");
        let y = list.y + 2 + 2;
        p.click(list.x + 3, y);
        assert_eq!(p.state.inspector.list.row, row.top + 2);
        assert_eq!(p.state.inspector.list.top, row.top, "nothing moves under the mouse");
        let token = p.state.inspector.token(&p.state.run).unwrap();
        assert!(p.screen().contains("▸"));
        // Two single clicks put nothing.
        p.wait(Duration::from_secs(1));
        p.click(list.x + 3, y);
        assert_eq!(tokens(&p), whole);
        p.click(list.x + 3, y);
        assert_eq!(tokens(&p)[at], (token, StepKind::Overridden));
        // The line of the query.
        p.click(list.x + 3, list.y + 1);
        assert!(p.state.inspector.is_searching);
        p.type_text("ab");
        p.press("Home");
        p.type_text("c");
        assert_eq!(p.state.inspector.query.text(), "cab");
        assert_eq!(p.cursor(), (list.x + 3, list.y + 1));
    }
}

/// Over 152,000 tokens a move in the list costs less than a millisecond and a new query less than five,
/// so no key waits for it. The least of several times is what the work takes.
#[test]
fn large_vocabularies_are_listed_at_once() {
    let width = 152_000;
    let mut words: Vec<Vec<u8>> = (0..width).map(|i| format!(" word{i}").into_bytes()).collect();
    words[0] = b"<end>".to_vec();
    let special = SpecialTokens { bos: None, eos: vec![0] };
    let vocabulary = Arc::new(Vocabulary::from_words(words, &special).unwrap());
    let least = |mut work: Box<dyn FnMut() + '_>| {
        let time = |_| {
            let clock = Instant::now();
            work();
            clock.elapsed()
        };
        (0..20).map(time).min().unwrap()
    };
    let all = Found::new(&vocabulary, "", None);
    let query = least(Box::new(|| drop(Found::new(&vocabulary, "d15", Some(&all)))));
    let step = steps::step(0, b"x", width);
    let insight = step.insight.as_ref().unwrap();
    let list = least(Box::new(|| assert!(Listing::new(insight, true, &all).len() > 70_000)));
    let mut p = Playground::new(160, 45);
    p.press("F10");
    p.steps(vec![step.clone()]);
    p.state.run.vocabulary = Some(vocabulary.clone());
    ["Alt-4", "t", "t", "End"].iter().for_each(|key| p.press(key));
    let key = least(Box::new(|| p.press("↑")));
    println!("a query {query:?}, a list {list:?}, a key {key:?}");
    let millis = Duration::from_millis;
    assert!(query < millis(5) && list < millis(1) && key < millis(1), "{query:?} {list:?} {key:?}");
    assert!(p.state.inspector.list.row > 70_000);
}
