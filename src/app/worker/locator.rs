//! The thread that follows the run on the screen in its grammar, to say where it stands. It takes
//! one question at a time; the state asks the next one when it has the answer.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::mpsc::Sender;

use crate::app::event::{Event, RunId};
use crate::app::whereabouts::{Ask, Located, Reading};
use crate::engine::Vocabulary;
use crate::engine::alarm::first_endless;
use crate::engine::explain::{Explainer, sentences};
use crate::engine::grammar::Compiled;
use crate::engine::shadow::Shadow;
use crate::engine::trace::{Step, TokenId};

use super::guarded;

/// Starts the thread. It ends when the other end of its questions is dropped.
///
/// # Errors
/// If the system gives none.
pub(super) fn start(events: Sender<Event>) -> io::Result<SyncSender<Box<Ask>>> {
    // The state has one question under way at most.
    let (asks, inbox) = sync_channel(1);
    let thread = std::thread::Builder::new().name("maze-place".into());
    thread.spawn(move || answer_all(&inbox, &events))?;
    Ok(asks)
}

fn answer_all(inbox: &Receiver<Box<Ask>>, events: &Sender<Event>) {
    let mut locator = Locator::default();
    while let Ok(ask) = inbox.recv() {
        let run = ask.run;
        let answer = guarded(|| locator.answer(*ask)).unwrap_or_else(|panic| {
            locator = Locator::default();
            Err(panic)
        });
        if events.blocking_send(Event::Located(run, answer.map(Arc::new))).is_err() {
            return;
        }
    }
}

/// Follows one run at a time.
#[derive(Default)]
pub struct Locator {
    following: Option<Following>,
}

struct Following {
    run: RunId,
    grammar: Arc<Compiled>,
    shadow: Shadow,
    /// Says of tokens why they may come.
    explainer: Explainer,
    /// For each step: where it ends in the text, and how many tokens the answer has then.
    ends: Vec<(usize, usize)>,
    /// The tokens of the answer.
    tokens: Vec<TokenId>,
    /// How the text was read, if it is still the one that this was made from.
    reading: Option<Arc<Reading>>,
}

impl Locator {
    /// Where a run stands.
    ///
    /// # Errors
    /// What of the grammar cannot be followed, or where the text and the grammar part.
    pub fn answer(&mut self, ask: Ask) -> Result<Located, String> {
        let is_it = |f: &Following| f.run == ask.run && Arc::ptr_eq(&f.grammar, &ask.grammar);
        let mut following = match self.following.take().filter(is_it) {
            Some(following) => following,
            None if ask.from == 0 => Following::new(&ask)?,
            None => return Err("the beginning of the run is not known".into()),
        };
        following.take(&ask)?;
        let located = following.located(&ask);
        self.following = Some(following);
        Ok(located)
    }
}

impl Following {
    fn new(ask: &Ask) -> Result<Self, String> {
        let shadow = ask.grammar.shadow().map_err(|e| e.to_string())?;
        let grammar = ask.grammar.clone();
        let explainer = Explainer::new(grammar.clone(), ask.vocabulary.clone());
        let (ends, tokens) = (Vec::new(), Vec::new());
        Ok(Self { run: ask.run, grammar, shadow, explainer, ends, tokens, reading: None })
    }

    /// Makes the text that of the steps.
    fn take(&mut self, ask: &Ask) -> Result<(), String> {
        if ask.from < self.ends.len() {
            self.ends.truncate(ask.from);
            let (end, tokens) = self.end(ask.from);
            self.shadow.truncate(end);
            self.tokens.truncate(tokens);
            self.reading = None;
        }
        for step in &ask.steps {
            self.push(step)?;
            self.reading = None;
        }
        Ok(())
    }

    fn push(&mut self, step: &Step) -> Result<(), String> {
        self.shadow.follow(step)?;
        if self.ends.is_empty() {
            self.explainer.begin_with(step.prompt_bytes());
        }
        if !step.thinking {
            self.tokens.push(step.token);
        }
        self.ends.push((self.shadow.text().len(), self.tokens.len()));
        Ok(())
    }

    /// The length of the text and the number of its tokens after so many steps.
    fn end(&self, steps: usize) -> (usize, usize) {
        steps.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default()
    }

    fn located(&mut self, ask: &Ask) -> Located {
        let at = ask.at.min(self.ends.len());
        let (start, before) = self.end(at);
        let (place, end) = if start < self.shadow.text().len() {
            let mut there = self.shadow.fork();
            there.truncate(start);
            (there.place(), there.nearest_end())
        } else {
            (self.shadow.place(), self.shadow.nearest_end())
        };
        let (shadow, ends) = (&self.shadow, &self.ends);
        let read = || {
            let ends = ends.iter().map(|(end, _)| *end).collect();
            Arc::new(Reading { tree: shadow.tree(), text: shadow.text().to_vec(), ends })
        };
        let reading = self.reading.get_or_insert_with(read).clone();
        let reason = ask.token.map(|token| (token, self.why(before, token, &ask.vocabulary)));
        let endless = first_endless(&self.shadow, self.ends.iter().map(|(end, _)| *end));
        Located { run: self.run, at, place, reading, end, endless, reason }
    }

    /// Why `token` may come after so many tokens of the answer, or why not.
    fn why(&mut self, before: usize, token: TokenId, vocabulary: &Vocabulary) -> Vec<String> {
        let kind = self.explainer.grammar().source().kind;
        match self.explainer.at(&self.tokens[..before]) {
            Ok(mut at) => sentences(&at.why(token), vocabulary.bytes(token), kind),
            Err(error) => vec![error.to_string()],
        }
    }
}
