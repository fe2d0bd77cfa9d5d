//! The runs of the session: the one on the screen, and those before it, to be looked at again.
//!
//! A run is either on the screen, in this list, or on the disk; there is one of it. How many are kept is
//! bounded by their number and by the memory that they take.

use std::sync::Arc;

use crate::engine::trace::{FinishReason, Step, Trace};
use crate::store::RunToWrite;
use crate::store::run::Stored;
use crate::store::session::{RunNote, first_line};

use super::event::RunId;
use super::language::Language;
use super::state::{Journal, Run, RunStatus, State};

/// Most runs of a session.
pub const MOST_RUNS: usize = 20;

/// Most memory that runs which are not on the screen take, about.
const MOST_MEMORY: usize = 256 << 20;

/// The runs of the session.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// The oldest first.
    kept: Vec<Kept>,
    /// The latest run that the engine was asked for.
    id: RunId,
    /// Runs that are not kept any more, and whose files can go.
    dropped: Vec<u32>,
    /// The run that is being read from the disk, and what for.
    pub reading: Option<(u32, Purpose)>,
}

/// What a run is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be shown, with a word about it.
    Show,
    /// To be there again at the start.
    Recall,
    /// To be compared.
    Compare,
}

/// A run that has ended.
#[derive(Clone, Debug)]
struct Kept {
    note: RunNote,
    /// The run; `None` if it is on the screen or only on the disk.
    run: Option<Box<Run>>,
    disk: Disk,
    bytes: usize,
}

/// Whether a run has a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    /// No.
    Absent,
    /// It is asked for.
    Asked,
    /// Yes.
    Written,
}

impl Runs {
    /// Names for a new run: one that the engine has not heard, and its number in the session.
    pub fn names(&mut self) -> (RunId, u32) {
        (self.next_id(), self.kept.last().map_or(1, |kept| kept.note.number.saturating_add(1)))
    }

    /// A name that the engine has not heard, for a run that was gone back in.
    pub fn next_id(&mut self) -> RunId {
        self.id = RunId(self.id.0 + 1);
        self.id
    }

    /// What is said about the runs, the oldest first.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = &RunNote> + ExactSizeIterator {
        self.kept.iter().map(|kept| &kept.note)
    }

    /// The number of the newest.
    pub fn newest(&self) -> Option<u32> {
        self.kept.last().map(|kept| kept.note.number)
    }

    /// Takes the list of a session, whose runs are on the disk.
    pub fn recall(&mut self, notes: &[RunNote]) {
        let mut notes: Vec<RunNote> = notes.iter().filter(|note| note.number > 0).cloned().collect();
        notes.sort_by_key(|note| note.number);
        notes.dedup_by_key(|note| note.number);
        let first = notes.len().saturating_sub(MOST_RUNS);
        let kept = |note| Kept { note, run: None, disk: Disk::Written, bytes: 0 };
        self.kept = notes.drain(first..).map(kept).collect();
        (self.reading, self.dropped) = (None, Vec::new());
    }

    /// A run that is not on the screen, if it is in memory.
    fn held(&self, number: u32) -> Option<&Run> {
        self.kept.iter().find(|kept| kept.note.number == number)?.run.as_deref()
    }

    fn at(&mut self, number: u32) -> Option<&mut Kept> {
        self.kept.iter_mut().find(|kept| kept.note.number == number)
    }

    /// Whether the list has this run.
    pub fn has(&self, number: u32) -> bool {
        self.kept.iter().any(|kept| kept.note.number == number)
    }

    /// Puts a run where it belongs; one that the list does not have is gone.
    fn put(&mut self, run: Run) {
        if let Some(kept) = self.at(run.number) {
            kept.bytes = bytes(&run);
            kept.run = Some(Box::new(run));
        }
    }

    /// Puts a run from the disk where it belongs. What it is written in stands in the list. The list was
    /// written before the end of one that was cut off, which gets a file like the others now.
    fn put_stored(&mut self, mut run: Run) {
        let is_cut_off = std::mem::take(&mut run.journal) != Journal::default();
        run.id = self.next_id();
        let Some(kept) = self.at(run.number) else { return };
        let language = Language::ALL.iter().find(|l| l.name() == kept.note.language);
        run.language = language.copied().unwrap_or_default();
        if is_cut_off {
            (kept.note.tokens, kept.note.is_cut_off) = (run.steps().len(), true);
            kept.disk = Disk::Absent;
        }
        self.put(run);
    }

    /// Keeps no more than there is room for, and these in any case. What is on the disk is read again
    /// when it is wanted; what cannot be (`is_stored` says whether anything is) is forgotten.
    fn bound(&mut self, wanted: [u32; 2], is_stored: bool) {
        let can_go = |kept: &Kept| !wanted.contains(&kept.note.number);
        while self.kept.len() > MOST_RUNS {
            let Some(oldest) = self.kept.iter().position(can_go) else { return };
            self.dropped.push(self.kept.remove(oldest).note.number);
        }
        let held = self.kept.iter().filter(|kept| kept.run.is_some());
        let mut memory: usize = held.map(|kept| kept.bytes).sum();
        while memory > MOST_MEMORY {
            let can_leave = |kept: &Kept| {
                can_go(kept) && kept.run.is_some() && (kept.disk == Disk::Written || !is_stored)
            };
            let Some(at) = self.kept.iter().position(can_leave) else { return };
            memory -= self.kept[at].bytes;
            if is_stored {
                self.kept[at].run = None;
            } else {
                self.kept.remove(at);
            }
        }
    }

    /// The files that can go; said once.
    pub fn take_dropped(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.dropped)
    }

    /// What became of writing runs: `Ok` for those that were written.
    pub fn written(&mut self, numbers: &[u32], is_done: bool) {
        for kept in &mut self.kept {
            if numbers.contains(&kept.note.number) && kept.disk == Disk::Asked {
                kept.disk = if is_done { Disk::Written } else { Disk::Absent };
            }
        }
    }
}

impl State {
    /// Puts a new run on the screen; the one before stays in the list if it has ended.
    pub fn begin_run(&mut self, run: Run) {
        let mut before = std::mem::replace(&mut self.run, run);
        // The next run was asked for in its name.
        before.rest();
        self.runs.put(before);
    }

    /// A run by its number, wherever it is in memory.
    pub fn run_of(&self, number: u32) -> Option<&Run> {
        if self.run.number == number { Some(&self.run) } else { self.runs.held(number) }
    }

    /// Takes in a run that was read from the disk.
    pub fn hold_run(&mut self, run: Run) {
        let wanted = [self.run.number, run.number];
        self.runs.put_stored(run);
        self.runs.bound(wanted, self.store.is_on());
    }

    /// Whether the run on the screen is not the newest.
    pub fn shows_earlier_run(&self) -> bool {
        self.run.status == RunStatus::Ended
            && self.runs.newest().is_some_and(|newest| newest > self.run.number)
            && self.runs.has(self.run.number)
    }

    /// Takes a run that is in memory from the list to the screen. Whether it was there.
    pub fn show_run(&mut self, number: u32) -> bool {
        if self.run.number == number {
            return true;
        }
        let Some(run) = self.runs.at(number).and_then(|kept| kept.run.take()) else { return false };
        self.begin_run(*run);
        let model = self.model.vocabulary().cloned();
        self.name_tokens(model.as_ref());
        self.inspector.to_top();
        true
    }

    /// Gives the run on the screen the whole vocabulary of the model in use, if it was made by that
    /// model: a run from the disk knows only the names of the tokens that it speaks of.
    pub fn name_tokens(&mut self, of_model: Option<&Arc<crate::engine::Vocabulary>>) {
        let (Some(vocabulary), super::state::ModelState::Ready(info, _)) = (of_model, &self.model) else {
            return;
        };
        let Some(trace) = &self.run.trace else { return };
        let spells = |step: &Arc<Step>| vocabulary.bytes(step.token) == &*step.bytes;
        let is_same = (&info.name, &info.fingerprint, info.vocab)
            == (&trace.model.name, &trace.model.fingerprint, trace.model.vocab);
        if is_same && trace.steps.iter().all(spells) {
            self.run.vocabulary = Some(vocabulary.clone());
        }
    }

    /// Puts the run on the screen on the list once it has ended, or again if it has gone on since.
    pub(super) fn list_run(&mut self) {
        let run = &self.run;
        let Some(trace) = run.trace.as_ref().filter(|_| run.status == RunStatus::Ended && run.number > 0)
        else {
            return;
        };
        let (tokens, outcome) = (trace.steps.len(), trace.outcome.as_ref().map(|o| o.reason));
        // What could not even start has nothing to show.
        if tokens == 0 && outcome.is_none_or(|reason| reason == FinishReason::Failed) {
            return;
        }
        let number = run.number;
        let is_listed = self
            .runs
            .at(number)
            .is_some_and(|kept| (kept.note.tokens, kept.note.outcome) == (tokens, outcome));
        if is_listed {
            return;
        }
        let note = note(run, trace, self.now);
        match self.runs.at(number) {
            Some(kept) => (kept.note, kept.disk) = (note, Disk::Absent),
            None => self.runs.kept.push(Kept { note, run: None, disk: Disk::Absent, bytes: 0 }),
        }
        self.runs.kept.sort_by_key(|kept| kept.note.number);
        self.runs.bound([number, number], self.store.is_on());
    }

    /// The runs that have no file yet.
    pub(super) fn unwritten_runs(&mut self) -> Vec<RunToWrite> {
        let mut out = Vec::new();
        for kept in self.runs.kept.iter_mut().filter(|kept| kept.disk == Disk::Absent) {
            let is_shown = self.run.number == kept.note.number;
            let run = if is_shown { Some(&self.run) } else { kept.run.as_deref() };
            let Some((run, trace)) = run.and_then(|run| Some((run, run.trace.as_ref()?))) else { continue };
            kept.disk = Disk::Asked;
            out.push(RunToWrite {
                number: kept.note.number,
                trace: Arc::new(trace.clone()),
                vocabulary: run.vocabulary.clone(),
            });
        }
        out
    }
}

/// What a list says about a run that has ended.
pub(super) fn note(run: &Run, trace: &Trace, now: i64) -> RunNote {
    RunNote {
        number: run.number,
        prompt: first_line(&trace.request.prompt),
        grammar: trace.request.grammar.as_ref().map_or_else(String::new, |g| g.name.clone()),
        model: trace.model.name.clone(),
        language: run.language.name().to_owned(),
        tokens: trace.steps.len(),
        outcome: trace.outcome.as_ref().map(|outcome| outcome.reason),
        is_cut_off: false,
        when: now,
    }
}

/// A run from the disk, as it was when it ended. What it is written in stands in the list.
pub fn restored(number: u32, stored: Stored) -> Run {
    let mut run = Run { number, status: RunStatus::Ended, vocabulary: stored.vocabulary, ..Run::default() };
    run.follow(&stored.trace.steps);
    if stored.is_cut_off {
        run.journal.steps = stored.trace.steps.len();
    }
    run.trace = Some(stored.trace);
    run
}

/// The memory that a run takes, about.
fn bytes(run: &Run) -> usize {
    let of_step = |step: &Arc<Step>| {
        let insight = step.insight.as_ref().map_or(0, |insight| {
            let (all, allowed) = (insight.allowed.width(), insight.allowed.count());
            let candidates = insight.before.len() + insight.after.len();
            200 + candidates * 16 + 4 * allowed.min(all - allowed.min(all)).min(all / 32)
        });
        300 + step.bytes.len() + insight
    };
    run.steps().iter().map(of_step).sum()
}
