//! What is known about places in the grammar, and when: of which text, of which step, of which run. What
//! the threads have not answered yet is made by taking in an event without doing what it asks for.

use std::sync::Arc;

use crossterm::event::MouseEventKind;
use maze::app::event::{Effect, Event};
use maze::app::inspector::Part;
use maze::app::update::update;
use maze::engine::load::Loaded;
use maze::engine::model::scripted::ScriptedModel;
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use maze::ui::inspector::parts;
use maze::ui::theme::{Role, Theme, ThemeName};

use super::kept::{SECOND, start};
use super::playground::{Playground, key};

/// Presses a key; nothing that is asked for then is done.
fn unanswered(p: &mut Playground, name: &str) -> Vec<Effect> {
    update(&mut p.state, Event::Key(key(name)))
}

/// Of what kind the questions to the thread that follows runs are.
fn asks(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Locate(_))).count()
}

fn sees(p: &mut Playground, text: &str) {
    let screen = p.screen();
    assert!(screen.contains(text), "{text} is not on the screen\n{screen}");
}

fn sees_not(p: &mut Playground, text: &str) {
    let screen = p.screen();
    assert!(!screen.contains(text), "{text} is on the screen\n{screen}");
}

/// A run of so many decisions, held; the inspector has the focus and shows this part.
fn held(width: u16, height: u16, decisions: usize, part: Part) -> Playground {
    let mut p = Playground::new(width, height);
    p.press("F5");
    p.advance(decisions);
    p.press("F5");
    p.press("Alt-3");
    p.press("Home");
    (0..3).for_each(|_| p.press("→"));
    p.state.inspector.turn(part);
    p.press("Alt-4");
    p
}

/// What came of the cases is said of the text that they ran for, and of no other.
#[test]
fn a_report_on_an_older_text_is_no_verdict() {
    let mut p = Playground::new(100, 30);
    p.press("Ctrl-End");
    p.type_text("// accept \"def f(x):\"\n");
    sees(&mut p, "✗ 1 of 1 case");
    p.press("Ctrl-Home");
    let later = update(&mut p.state, Event::Paste("// Above it.\n\n".into()));
    sees_not(&mut p, "✗ 1 of 1 case");
    sees(&mut p, "… 1 case");
    // Where the case stood there is something else now.
    let caret = p.state.grammar.buffer.caret();
    unanswered(&mut p, "Alt-;");
    unanswered(&mut p, "Enter");
    sees(&mut p, "to be accepted");
    assert_eq!(p.state.grammar.buffer.caret(), caret);
    unanswered(&mut p, "Esc");
    // The answer comes, and then its place is known.
    assert!(matches!(&later[..], [Effect::Check(..), ..]), "{later:?}");
    p.press("Alt-;");
    sees(&mut p, "Cases of the grammar");
    p.press("Enter");
    p.press("Esc");
    sees(&mut p, "✗ 1 of 1 case");
    assert_eq!(p.state.grammar.buffer.caret().line, 8);
    // Of a model with other tokens nothing is known either.
    p.state.grammar.forget_check();
    sees(&mut p, "… 1 case");
}

#[test]
fn cases_that_fail_by_a_bug_are_told_of() {
    let mut p = Playground::new(100, 30);
    p.press("Ctrl-End");
    p.type_text("// reject \"x\"\n");
    sees(&mut p, "✓ 1 case");
    let (revision, vocabulary) = (p.state.grammar.buffer.revision(), p.vocabulary());
    p.event(Event::Tested(revision, vocabulary, Err("this is a bug in maze: no such row".into())));
    sees_not(&mut p, "1 case");
    sees(&mut p, "The cases cannot run: this is a bug in maze: no such row");
}

/// Another session has a grammar of its own, even if it is written alike.
#[test]
fn nothing_of_a_grammar_is_left_in_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.resize(120, 40);
    p.press("Ctrl-End");
    p.type_text("// reject \"x\"\n");
    p.wait(SECOND);
    p.press("F7");
    p.type_text("other");
    p.press("Enter");
    p.press("Ctrl-Home");
    p.press("↓");
    p.press("End");
    p.press("←");
    p.press("F12");
    assert_eq!(p.state.grammar.jumps.len(), 1);
    p.press("F7");
    p.type_text("default");
    p.press("Enter");
    sees(&mut p, "session default now");
    sees(&mut p, "✓ 1 case");
    p.press("Ctrl-B");
    sees(&mut p, "The caret has not jumped.");
    p.press("Ctrl-Home");
    p.press("↓");
    p.press("End");
    p.press("←");
    p.press("F12");
    p.state.open_grammar(maze::app::files::beginning(maze::engine::GrammarKind::Lark), None);
    assert!(p.state.grammar.jumps.is_empty() && p.state.grammar.cases.is_none());
}

/// The bytes, a token that ends the text and one that the grammar names.
fn with_a_named_token() -> Loaded {
    let special = |name: &str| [&[0xff], name.as_bytes()].concat();
    let mut words = vec![special("<|end|>"), special("<|sep|>")];
    words.extend((0..=u8::MAX).map(|byte| vec![byte]));
    words.extend(["bc", "de"].map(|word| word.as_bytes().to_vec()));
    let vocabulary = Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![0] }).unwrap();
    let width = vocabulary.len();
    // It would rather write words than letters.
    let model = ScriptedModel::new(width, 1 << 12, move |_| (0..width).map(|id| id as f32 / 99.0).collect());
    Loaded { model: Box::new(model), vocabulary: Arc::new(vocabulary) }
}

/// A token that the grammar names has no text in the output, but a part in the tree: what comes after
/// it is linked to the right tokens all the same.
#[test]
fn the_tree_and_the_output_agree_behind_a_named_token() {
    let mut p = Playground::of(160, 45, with_a_named_token());
    p.state.grammar.buffer.set_text("");
    p.event(Event::Paste(
        "start: \"a\" <|sep|> \"bcd\" rest\nrest: \"ef\" <|sep|> last\nlast: \"g\"\n".into(),
    ));
    p.press("F5");
    p.advance(20);
    let text = |p: &Playground| {
        p.state
            .run
            .steps()
            .iter()
            .map(|step| String::from_utf8_lossy(&step.bytes).into_owned())
            .collect::<Vec<_>>()
    };
    let tokens = text(&p);
    assert_eq!(tokens.concat(), "a<|sep|>bcdef<|sep|>g", "{}", p.screen());
    // Every part of the tree, from the last one up, selects the token that it begins with.
    p.press("Alt-4");
    p.state.inspector.turn(Part::Tree);
    p.press("End");
    sees(&mut p, "     <|sep|>      ");
    for (row, first) in
        [("\"g\"", "g"), ("last", "g"), ("<|sep|>", "<|sep|>"), ("\"ef\"", "e"), ("rest", "e")]
    {
        let screen = p.screen();
        let line = screen.lines().find(|line| line.contains("▸ ") && line.contains(row));
        assert!(line.is_some(), "the cursor is not at {row}\n{screen}");
        let selected = p.state.run.selected.map(|at| tokens[at].as_str());
        assert!(
            selected.is_some_and(|token| token.contains(first)),
            "{row} has selected {selected:?}\n{screen}"
        );
        p.press("↑");
    }
    // The name of a rule marks its own text in the output: after the first separator from the fourth byte.
    p.press("Alt-1");
    p.press("Ctrl-End");
    p.press("↑");
    p.press("Home");
    let linked: Vec<&str> = p.state.linked().into_iter().flatten().map(|at| tokens[at].as_str()).collect();
    assert_eq!(linked, ["g"]);
}

/// A question costs the making of a tree: it is asked anew only where the answer would be another one.
#[test]
fn a_token_that_stays_selected_is_not_asked_for_again_and_again() {
    let mut p = Playground::new(120, 40);
    p.state.grammar.buffer.set_text("");
    p.event(Event::Paste("start: /[^!]*/ \"!\"\n".into()));
    p.press("F5");
    p.advance(40);
    p.press("Alt-3");
    p.press("Home");
    p.press("→");
    let asked = p.state.whereabouts.asked;
    assert_eq!(asked.map(|(_, _, at, _)| at), Some(1));
    p.advance(30);
    assert_eq!(p.state.whereabouts.asked, asked, "thirty tokens change nothing about the second");
    p.advance(30);
    assert_ne!(p.state.whereabouts.asked, asked, "its tree has become much larger");
    let asked = p.state.whereabouts.asked;
    p.press("→");
    assert_ne!(p.state.whereabouts.asked, asked, "another token has another place");
    p.press("F5");
    let (_, steps, ..) = p.state.whereabouts.asked.unwrap();
    assert_eq!(steps, p.state.run.steps().len(), "a run that is held is known to its end");
}

/// Why a token may come or not is asked where it is shown.
#[test]
fn a_reason_is_asked_for_where_it_is_shown() {
    let token = |p: &Playground| p.state.whereabouts.asked.and_then(|(.., token)| token);
    for (width, height, part, wanted) in [
        (160, 45, Part::Rejected, true),
        (160, 45, Part::Allowed, false),
        (160, 45, Part::Candidates, false),
        (160, 45, Part::Where, false),
        (80, 24, Part::Rejected, true),
        (80, 24, Part::Candidates, false),
    ] {
        let mut p = held(width, height, 20, Part::Rejected);
        p.state.inspector.turn(Part::Allowed);
        p.state.inspector.turn(part);
        p.press("→");
        assert_eq!(token(&p).is_some(), wanted, "{part:?} at {width}x{height}");
    }
    // The list of the rejected ones that was shown last stays below the candidates, where there is room.
    for (width, height, wanted) in [(160, 45, true), (80, 24, false)] {
        let mut p = held(width, height, 20, Part::Rejected);
        p.state.inspector.turn(Part::Candidates);
        p.press("→");
        assert_eq!(token(&p).is_some(), wanted, "{width}x{height}");
    }
}

#[test]
fn what_is_known_of_another_step_is_not_said_of_this_one() {
    let mut p = held(160, 45, 20, Part::Rejected);
    // A byte that no text has is rejected at every step.
    p.press("/");
    p.type_text("#255\n");
    sees(&mut p, "may not come here.");
    assert_eq!(asks(&unanswered(&mut p, "→")), 1);
    sees_not(&mut p, "may not come here.");
    for part in [Part::Where, Part::Tree] {
        let mut p = held(160, 45, 20, part);
        p.press("→");
        let list = parts(&p.state).unwrap().list;
        let dim = Theme::shipped(ThemeName::Dark).text(Role::Dim).fg;
        // Below the headings, the first rule is told.
        let cells = |p: &mut Playground| {
            let buffer = p.draw();
            (list.x + 2..list.x + 6).map(|x| buffer[(x, list.y + 1)].style().fg).collect::<Vec<_>>()
        };
        assert!(cells(&mut p).iter().all(|fg| *fg != dim), "{part:?}\n{}", p.screen());
        assert_eq!(asks(&unanswered(&mut p, "→")), 1);
        assert!(cells(&mut p).iter().all(|fg| *fg == dim), "{part:?}\n{}", p.screen());
    }
}

#[test]
fn the_wheel_scrolls_the_tree_away_from_the_chosen_part() {
    for (width, height) in [(160, 45), (80, 24)] {
        let mut p = held(width, height, 30, Part::Tree);
        p.press("Home");
        let list = parts(&p.state).unwrap().list;
        let selected = p.state.run.selected;
        let top = |p: &mut Playground| {
            let buffer = p.draw();
            (list.x..list.right()).map(|x| buffer[(x, list.y + 1)].symbol()).collect::<String>()
        };
        let first = top(&mut p);
        assert!(first.starts_with("▸ start"), "{}", p.screen());
        let rows = p.state.located().unwrap().reading.tree.nodes.len();
        (0..rows / 3 + 1).for_each(|_| p.mouse(MouseEventKind::ScrollDown, list.x + 3, list.y + 3));
        assert_ne!(top(&mut p), first);
        let last = p.state.located().unwrap().reading.tree.nodes.last().unwrap().name.to_string();
        let screen = p.screen();
        assert!(screen.contains(&last), "{last}\n{screen}");
        (0..rows / 3 + 1).for_each(|_| p.mouse(MouseEventKind::ScrollUp, list.x + 3, list.y + 3));
        assert_eq!(top(&mut p).trim_start_matches(['▸', ' ']), first.trim_start_matches(['▸', ' ']));
        assert_eq!(p.state.run.selected, selected, "nothing was chosen");
    }
}

/// A run from the disk has the text of its grammar alone. On the screen that is compiled already; else it
/// is, once the run goes on.
#[test]
fn a_run_of_an_earlier_start_has_its_places() {
    let folder = tempfile::tempdir().unwrap();
    let mut p = start(folder.path());
    p.resize(160, 45);
    super::overlays::run(&mut p, 12);
    p.wait(SECOND);
    drop(p);
    let again = |broken: bool| {
        let mut p = start(folder.path());
        p.resize(160, 45);
        p.press("Alt-1");
        if broken {
            p.type_text("broken ");
        }
        p.press("Alt-3");
        p.press("Home");
        (0..5).for_each(|_| p.press("→"));
        p.state.inspector.turn(Part::Where);
        p.press("Alt-4");
        p
    };
    let mut p = again(false);
    sees(&mut p, "▸ \"    \"                                  4:7 line");
    drop(p);
    let mut p = again(true);
    p.wait(SECOND);
    drop(p);
    let mut p = again(false);
    sees(&mut p, "The grammar of this run is not compiled");
    p.press("r");
    p.press("F10");
    sees(&mut p, "4:7 line");
}
