//! Sessions by name: what comes back, which is opened, and two programs that want the same one.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use maze::engine::GrammarSource;
use maze::store::history::Addition;
use maze::store::name::DEFAULT;

use super::{open, prompt, save};

#[test]
fn everything_comes_back_and_only_this_person_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, opened) = open(folder.path(), None);
    assert_eq!((opened.name.as_str(), opened.session.is_some()), (DEFAULT, false));
    let mut all = save("a prompt\nwith lines");
    all.session.settings = vec![("seed".into(), u64::MAX.to_string())];
    (all.session.prompt.line, all.session.prompt.byte) = (1, 4);
    all.looks.theme = Some("light".into());
    let grammar = Arc::new(GrammarSource::lark("a.lark", "start: \"a\""));
    all.history = vec![Addition::Prompt("one".into()), Addition::Grammar(grammar.clone())];
    store.save(&all).unwrap();
    drop(store);

    let (mut store, opened) = open(folder.path(), None);
    let mut session = opened.session.unwrap();
    assert_eq!(opened.notes, [""; 0]);
    assert_eq!(std::mem::take(&mut session.name), DEFAULT);
    assert_eq!(session, all.session);
    assert_eq!(store.looks(), (all.looks, None));
    let (history, note) = store.history();
    assert_eq!((&*history.prompts[0], &history.grammars, note), ("one", &vec![grammar], None));

    let mode = |path: &str| {
        let path = folder.path().join("maze").join(path);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!([mode(""), mode("sessions"), mode("sessions/default")], [0o700; 3]);
    assert_eq!([mode("sessions/default/session.json"), mode("history.json"), mode("looks.json")], [0o600; 3]);
}

#[test]
fn the_session_saved_last_is_opened_and_each_has_its_own_draft() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path(), Some("Ünsere JSON/work"));
    store.save(&save("in json")).unwrap();
    let opened = store.switch("other").unwrap();
    assert_eq!((opened.name.as_str(), prompt(&opened).as_str()), ("other", ""));
    let mut last = save("in other");
    last.is_last = true;
    store.save(&last).unwrap();
    drop(store);

    let (mut store, opened) = open(folder.path(), None);
    assert_eq!((opened.name.as_str(), prompt(&opened).as_str()), ("other", "in other"));
    assert_eq!(prompt(&store.switch("Ünsere JSON/work").unwrap()), "in json");
    let names: Vec<String> = store.sessions().into_iter().map(|s| s.name).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"Ünsere JSON/work".to_owned()) && names.contains(&"other".to_owned()));
}

#[test]
fn two_programs_never_write_one_session() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, _) = open(folder.path(), None);
    let (mut second, opened) = open(folder.path(), None);
    assert_eq!(opened.name, "default 2");
    assert_eq!(opened.notes, ["The session default is open in another maze; this is default 2."]);
    first.save(&save("first")).unwrap();
    second.save(&save("second")).unwrap();
    assert_eq!(second.switch("default").unwrap_err(), "The session default is open in another maze.");
    assert_eq!(second.delete("default").unwrap_err(), "The session default is open.");
    let of_second = second.sessions();
    let elsewhere: Vec<_> = of_second.iter().filter(|s| s.is_elsewhere).map(|s| s.name.as_str()).collect();
    assert_eq!(elsewhere, ["default"]);
    drop(first);
    // A program that another test is just starting has all locks until it has begun.
    let deadline = Instant::now() + Duration::from_secs(10);
    let opened = loop {
        match second.switch("default") {
            Ok(opened) => break opened,
            Err(message) => assert!(Instant::now() < deadline, "{message}"),
        }
    };
    assert_eq!(prompt(&opened), "first");
}

/// What two programs add to the history at once is all there, whoever comes last.
#[test]
fn the_history_of_two_programs_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let writers: Vec<_> = ["a", "b", "c"]
        .map(|writer| {
            let (mut store, _) = open(&path, Some(writer));
            std::thread::spawn(move || {
                for i in 0..30 {
                    let mut new = save("");
                    new.history = vec![Addition::Prompt(format!("{writer}{i}").into())];
                    store.save(&new).unwrap();
                }
            })
        })
        .into();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let (store, _) = open(folder.path(), None);
    let mut prompts: Vec<String> = store.history().0.prompts.iter().map(|p| p.to_string()).collect();
    prompts.sort();
    let mut expected: Vec<String> =
        ["a", "b", "c"].iter().flat_map(|w| (0..30).map(move |i| format!("{w}{i}"))).collect();
    expected.sort();
    assert_eq!(prompts, expected);
}

#[test]
fn sessions_are_renamed_copied_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path(), None);
    store.save(&save("one")).unwrap();
    store.save_as("copy", &save("two")).unwrap();
    assert_eq!(store.name(), "copy");
    assert_eq!(store.save_as("default", &save("x")).unwrap_err(), "There is a session default already.");
    assert_eq!(store.rename("default").unwrap_err(), "There is a session default already.");
    store.rename("Copy of mine").unwrap();
    store.save(&save("three")).unwrap();
    assert_eq!(prompt(&store.switch("default").unwrap()), "two");
    assert_eq!(prompt(&store.switch("Copy of mine").unwrap()), "three");
    store.delete("default").unwrap();
    let names: Vec<String> = store.sessions().into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["Copy of mine"]);
    drop(store);
    assert_eq!(prompt(&open(folder.path(), None).1), "three");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = maze::store::Store::open(file.join("maze"), None).unwrap_err();
    assert!(error.starts_with("cannot make the folder ") && error.contains("file/maze"), "{error}");
}
