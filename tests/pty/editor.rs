//! The person's own editor has the terminal, and what it saves comes back.

use std::os::unix::fs::PermissionsExt;

/// A folder with a program that edits the file it is given, and the variable that names it.
fn editor(script: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my editor");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!("'{}' --wait", path.display());
    (folder, command)
}

const ALT_E: &str = "\x1be";
const CTRL_Q: &str = "\x11";
const CTRL_U: &str = "\x15";

#[test]
fn the_text_comes_back_as_the_editor_has_saved_it() {
    // It waits for a line, so that the run can be seen to go on, and puts it into the text.
    let script = "echo \"editing $1 ${2##*.}\"; read line; printf %s \"$line\" >> \"$2\"";
    let (_folder, command) = editor(script);
    let arguments = ["--model=scripted:200", "--regex=(.|\\n)*", "--max-tokens=1000000", "--prompt=a prompt"];
    let mut t = super::start(45, 160, &arguments, &[("VISUAL", &command), ("EDITOR", "false")]);
    t.see("✓ grammar");
    t.send("\x1b2");
    t.see("▸Prompt");
    t.send("\x1b[15~");
    t.see("● running");
    t.send(ALT_E);
    t.see("editing --wait md");
    t.wait("the shell's screen", |s| !s.alternate_screen());
    t.send("-of mine\n");
    t.see("a prompt-of mine");
    t.see("● running");
    t.wait("the playground again", |s| s.alternate_screen() && s.bracketed_paste());
    t.send(CTRL_U);
    t.wait("the prompt as it was", |s| {
        s.contents().contains("a prompt") && !s.contents().contains("a prompt-of mine")
    });
    t.send("typed");
    t.see("typed");
    t.send(CTRL_Q);
    t.end(0);
}

#[test]
fn an_editor_that_fails_changes_nothing_and_none_is_told() {
    let (_folder, command) = editor("echo lost > \"$2\"; exit 7");
    let mut t = super::start(24, 80, &["--model=scripted:200"], &[("VISUAL", ""), ("EDITOR", &command)]);
    t.see("✓ grammar");
    t.send(ALT_E);
    t.see("is changed.");
    assert!(!t.text().contains("lost"));
    t.send(CTRL_Q);
    t.end(0);
    let mut t = super::start(24, 80, &["--model=scripted:200"], &[("VISUAL", ""), ("EDITOR", "")]);
    t.see("✓ grammar");
    t.send(ALT_E);
    t.see("$VISUAL");
    t.see("$EDITOR");
    t.send(CTRL_Q);
    t.end(0);
}

/// Ctrl-C in the editor is the editor's: the playground goes on, whatever the editor makes of it. (A shell
/// that waits for a command only hears of Ctrl-C once the command has ended: none here takes long.)
#[test]
fn an_interrupt_in_the_editor_is_the_editors() {
    for (script, told) in [
        ("trap 'exit 0' INT; echo at work; while :; do sleep 0.1; done", "is unchanged"),
        ("trap 'echo more >> \"$2\"; exit 0' INT; echo at work; while :; do read line; done", "has saved it"),
        // The test may have been started with interrupts ignored, which every program passes on.
        (
            "exec env --default-signal=INT sh -c 'echo at work; exec sleep 60'",
            "exit code 130; nothing is changed",
        ),
    ] {
        let (_folder, command) = editor(script);
        let mut t = super::start(45, 160, &["--model=scripted:200"], &[("VISUAL", &command)]);
        t.see("✓ grammar");
        t.send(ALT_E);
        t.see("at work");
        t.send("\x03");
        t.see(told);
        t.wait("the playground again", |s| s.alternate_screen() && s.bracketed_paste());
        t.send(CTRL_Q);
        t.end(0);
    }
}

/// The cursor is a block where keys are commands and a bar where they type.
#[test]
fn the_keys_of_vi_shape_the_cursor() {
    let mut t = super::start(24, 80, &["--model=scripted:200", "--vim"], &[]);
    t.see("NORMAL");
    t.send("ihello");
    t.see("INSERT");
    t.see("hello");
    t.send("\x1b");
    t.see("NORMAL");
    t.send(":q\r");
    t.end(0);
}
