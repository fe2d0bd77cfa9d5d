//! The cases of the grammar: those that fail first, and what can be kept as another.

use crate::app::action::Action;
use crate::app::state::State;
use crate::engine::cases::{Ran, Wants, block};
use crate::engine::grammar::GrammarKind;

use super::{Pick, Row};

/// The rows of the menu Cases.
pub(super) fn rows(state: &State) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(report) = &state.grammar.cases {
        let listed = || report.ran.iter().enumerate();
        rows.extend(listed().filter(|(_, ran)| !ran.passes()).map(|(i, ran)| row("Failing", i, ran)));
        let passing = |wants: fn(&Wants) -> bool| {
            listed().filter(move |(_, ran)| ran.passes() && wants(&ran.case.wants))
        };
        rows.extend(
            passing(|w| *w == Wants::Accept).map(|(i, ran)| row("Accepted, as they should be", i, ran)),
        );
        rows.extend(
            passing(|w| *w != Wants::Accept).map(|(i, ran)| row("Rejected, as they should be", i, ran)),
        );
        rows.extend(report.problems.iter().map(|problem| {
            let file = problem.file.as_ref().and_then(|file| file.file_name());
            let title = match (file, problem.position) {
                (Some(name), Some(place)) => format!("{}:{}", name.to_string_lossy(), place.line),
                (Some(name), None) => name.to_string_lossy().into_owned(),
                (None, Some(place)) => format!("line {}", place.line),
                (None, None) => "too many".to_owned(),
            };
            Row::new("Not read", title, Pick::Act(Action::Cases)).blocked(Some(problem.message.clone()))
        }));
    }
    if rows.is_empty() {
        let how = match (block::mark(&state.grammar.source()), state.grammar.kind) {
            (Some(mark), _) => {
                format!(
                    "in the grammar, {mark} accept \"a text\" or {mark} reject \"a text\"; or the same without \
                     {mark} in NAME.cases beside it"
                )
            }
            (None, GrammarKind::JsonSchema) => {
                "the schema's \"examples\"; or accept \"a text\" in NAME.cases beside it".to_owned()
            }
            (None, _) => "accept \"a text\" or reject \"a text\" in NAME.cases beside it".to_owned(),
        };
        let row = Row::new("None yet", "How to write one", Pick::Act(Action::FocusGrammar));
        rows.push(row.about(how));
    }
    let has_none = state.run.steps().is_empty().then_some("there is no output yet");
    rows.extend([(Action::KeepAccepted, "accepted"), (Action::KeepRejected, "rejected")].map(
        |(action, word)| {
            Row::new("Do", format!("Keep the output, to be {word}"), Pick::Act(action))
                .about("beside the grammar's file, or in a comment at its end")
                .blocked(has_none)
        },
    ));
    rows
}

fn row(section: &'static str, index: usize, ran: &Ran) -> Row {
    let mark = if ran.passes() { "✓" } else { "✗" };
    let wants = if ran.case.wants == Wants::Accept { "accept" } else { "reject" };
    let entry = ran.case.entry.as_ref().map_or_else(String::new, |entry| format!(" {entry}"));
    Row::new(section, format!("{mark} {}", ran.case.name), Pick::Case(index))
        .about(ran.sentence.clone())
        .right(format!("{wants}{entry}"))
}
