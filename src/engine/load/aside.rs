//! Loading on a thread of its own, so that it can be given up at any moment.
//!
//! Reading a large tokenizer, laying out a matrix or waiting for a disk cannot be interrupted; but
//! nobody has to wait for it. Nothing here knows what is loaded.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::{OnProgress, Progress};
use crate::engine::error::LoadError;

/// How often the caller is asked whether to go on while there is nothing new.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs `work` on another thread. `progress` is called here, with what `work` reports and with the
/// last of it again every 50 ms. When it breaks, the thread is left to itself: its next report
/// fails, and then it ends.
///
/// # Errors
/// Those of `work`, and [`LoadError::Cancelled`].
pub(super) fn aside<T: Send + 'static>(
    progress: OnProgress<'_>,
    work: impl FnOnce(OnProgress<'_>) -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    enum News<T> {
        Progress(Progress),
        Done(Result<T, LoadError>),
    }
    let ended = |reason: String| LoadError::Device(format!("the loading thread {reason}"));
    let (sender, news) = sync_channel(1);
    let body = move || {
        let outcome = work(&mut |p| match sender.send(News::Progress(p)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
        // Nobody is there to listen if the load was given up.
        sender.send(News::Done(outcome)).ok();
    };
    std::thread::Builder::new()
        .name("maze-load".into())
        .spawn(body)
        .map_err(|e| ended(format!("could not start: {e}")))?;
    let mut last = None;
    loop {
        match news.recv_timeout(PATIENCE) {
            Ok(News::Done(outcome)) => return outcome,
            Ok(News::Progress(p)) => last = Some(p),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(ended("ended by itself".into())),
        }
        if let Some(p) = &last
            && progress(p.clone()).is_break()
        {
            return Err(LoadError::Cancelled);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;
    use crate::engine::load::Stage;

    const START: Progress = Progress { stage: Stage::Tokenizer, done: 0, total: 1 };

    /// Work that never comes back to look does not keep the caller.
    #[test]
    fn stuck_work_can_be_given_up() {
        let (release, stuck) = channel::<()>();
        let (ended, end) = channel();
        let start = Instant::now();
        let mut calls = 0;
        let outcome = aside(
            &mut |p| {
                assert_eq!(p, START);
                calls += 1;
                if calls == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
            move |progress| {
                assert!(progress(START).is_continue());
                stuck.recv().ok();
                ended.send(progress(START)).ok();
                Ok(())
            },
        );
        assert!(matches!(outcome, Err(LoadError::Cancelled)));
        assert!(start.elapsed() < Duration::from_secs(2), "it waited for the work");
        release.send(()).unwrap();
        assert_eq!(end.recv(), Ok(ControlFlow::Break(())), "the work learns of it at its next report");
    }

    #[test]
    fn results_errors_and_panics_come_back() {
        let mut seen = Vec::new();
        let outcome = aside(
            &mut |p| {
                seen.push(p.done);
                ControlFlow::Continue(())
            },
            |progress| {
                for done in 0..100 {
                    assert!(progress(Progress { done, ..START }).is_continue());
                }
                Ok(7)
            },
        );
        seen.dedup();
        assert_eq!((outcome.unwrap(), seen), (7, (0..100).collect()));
        let go_on = &mut |_| ControlFlow::Continue(());
        let failed = aside(go_on, |_| Err::<(), _>(LoadError::Device("no".into())));
        assert_eq!(failed.unwrap_err().to_string(), "no");
        let vanished = aside::<()>(go_on, |_| std::panic::resume_unwind(Box::new(())));
        assert!(vanished.unwrap_err().to_string().contains("ended by itself"));
    }
}
