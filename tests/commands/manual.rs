//! `maze man` and `maze completions`: other programs understand what they print.

use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{ran, str};

/// What a program makes of a text; `None` if there is no such program here.
fn piped(program: &str, args: &[&str], text: &str) -> Option<(i32, String, String)> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some((output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr)))
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let (code, script, stderr) = ran(&["completions", "bash"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let Some((code, _, stderr)) = piped("bash", &["-n"], &script) else {
        assert!(script.contains("complete -F _maze"), "{script}");
        return;
    };
    assert_eq!((code, stderr.as_str()), (0, ""));
    let complete = |words: &str, at: usize| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words})\nCOMP_CWORD={at}\n_maze maze \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{}]}}\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            at - 1
        );
        piped("bash", &["--norc"], &ask).expect("bash was there").1
    };
    assert_eq!(complete("maze repl", 1), "replay\n");
    assert_eq!(complete("maze replay --mask", 2), "--masks-only\n");
    assert_eq!(complete("maze config un", 2), "unset\n");
    assert_eq!(complete("maze completions z", 2), "zsh\n");
}

#[test]
fn every_shell_has_completions() {
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = ran(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains("masks-only") && script.contains("doctor"), "{shell}");
    }
    let (code, _, stderr) = ran(&["completions", "tcsh"]);
    assert!(code == 2 && stderr.contains("bash, elvish, fish, powershell, zsh"), "{stderr}");
}

#[test]
fn the_pages_can_be_read() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("man");
    assert_eq!(ran(&["man", "--out", str(&out)]), (0, String::new(), String::new()));
    let mut pages: Vec<_> =
        std::fs::read_dir(&out).expect("it was made").flatten().map(|e| e.path()).collect();
    pages.sort();
    let names: Vec<_> = pages.iter().map(|p| p.file_name().expect("a name").to_string_lossy()).collect();
    for name in ["maze.1", "maze-generate.1", "maze-config.1", "maze-config-set.1"] {
        assert!(names.iter().any(|n| n == name), "{name} is not in {names:?}");
    }
    let help = ran(&["--help"]).1;
    for page in &pages {
        let text = std::fs::read_to_string(page).expect("text");
        for part in [".TH maze", ".SH NAME", ".SH SYNOPSIS"] {
            assert!(text.contains(part), "{}: {part}", page.display());
        }
        if let Some((code, shown, stderr)) = piped("groff", &["-man", "-Tutf8", "-ww"], &text) {
            assert_eq!((code, stderr.as_str()), (0, ""), "{}", page.display());
            assert!(shown.lines().count() > 5, "{}", page.display());
        }
    }
    assert_eq!(ran(&["man"]).1, std::fs::read_to_string(out.join("maze.1")).expect("text"));
    let page = ran(&["man", "replay"]).1;
    assert!(page.contains("masks\\-only") && help.contains("replay"), "{page}");
    assert!(ran(&["man", "config set"]).1.contains("maze\\-config\\-set"));
    let (code, _, stderr) = ran(&["man", "nothing"]);
    assert!(code == 2 && stderr.contains("there is no command \"nothing\"; there are generate"), "{stderr}");
}
