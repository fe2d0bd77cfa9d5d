//! The person's own editor: a text goes to a private file, a program edits it, and it comes back.
//!
//! The program that `$VISUAL` or else `$EDITOR` names is read by the shell, as git does: it may have
//! arguments and quotes. It has the terminal to itself until it ends; a thread waits for it, so that a
//! run goes on meanwhile.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Command;

use tempfile::TempPath;
use tokio::sync::mpsc::Sender;

use super::event::{Edited, Event};
use super::texts::TextId;

/// A file that comes back larger than this is not read.
const MAX_BYTES: u64 = 64 << 20;

/// A text to be edited.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Which text it is.
    pub id: TextId,
    /// The text.
    pub text: String,
    /// The extension of the file, by which editors find its syntax.
    pub extension: &'static str,
}

/// The editor's command, as the shell reads it.
///
/// # Errors
/// If no variable names one: what to do.
pub fn command(variable: impl Fn(&str) -> Option<OsString>) -> Result<OsString, String> {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(variable);
    named.into_iter().find(|value| !value.to_string_lossy().trim().is_empty()).ok_or_else(|| {
        "Neither $VISUAL nor $EDITOR names an editor: set one, for example EDITOR=\"vim\".".to_owned()
    })
}

/// Writes the text to a file of its own that only its owner can read.
///
/// # Errors
/// If that fails: why.
pub fn write(draft: &Draft) -> Result<TempPath, String> {
    let suffix = format!(".{}", draft.extension);
    let made = tempfile::Builder::new().prefix("maze-").suffix(&suffix).tempfile();
    let written = made.and_then(|mut file| file.write_all(draft.text.as_bytes()).map(|()| file));
    let folder = std::env::temp_dir();
    written
        .map(tempfile::NamedTempFile::into_temp_path)
        .map_err(|e| format!("The text cannot be written to a file in {}: {e}", folder.display()))
}

/// Starts a thread that runs the editor on a file and tells what came of it. The terminal must have
/// been given back.
///
/// # Errors
/// If the system gives no thread.
pub fn start(command: OsString, draft: Draft, file: TempPath, events: Sender<Event>) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("maze-editor".into());
    let work = move || {
        let edited = edit(&command, &draft, file).unwrap_or_else(Edited::Failed);
        // Without a receiver the program has ended.
        let _ = events.blocking_send(Event::Edited(draft.id, edited));
    };
    thread.spawn(work).map(drop)
}

fn edit(command: &OsString, draft: &Draft, file: TempPath) -> Result<Edited, String> {
    let name = command.to_string_lossy();
    // The shell splits the command; the file's name is an argument that it does not read.
    // Ctrl-C is for the editor; the shell waits on.
    let mut line = OsString::from("trap : INT; ");
    line.push(command);
    line.push(" \"$@\"");
    let ended = Command::new("/bin/sh").arg("-c").arg(line).arg(command).arg(&file).status();
    let status = ended.map_err(|e| format!("The editor {name} cannot be started: {e}"))?;
    match status.code() {
        Some(0) => {}
        Some(127) => return Err(format!("There is no editor {name}; nothing is changed.")),
        Some(code) => {
            return Err(format!("The editor {name} ended with exit code {code}; nothing is changed."));
        }
        None => return Err(format!("The editor {name} was ended by a signal; nothing is changed.")),
    }
    match read(&file) {
        Ok(text) => Ok(compared(&draft.text, text)),
        Err(reason) => {
            // What was typed there is not lost.
            let kept =
                file.keep().map_or_else(|_| String::new(), |p| format!("; it is kept as {}", p.display()));
            Err(format!("The edited file cannot be taken back: {reason}{kept}."))
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it has more than {} MiB", MAX_BYTES >> 20));
    }
    let text = String::from_utf8(bytes);
    text.map_err(|e| format!("it is not UTF-8 text (byte {})", e.utf8_error().valid_up_to()))
}

/// Many editors end every file with a line end; one that was not there is not the person's.
fn compared(before: &str, mut after: String) -> Edited {
    if !before.ends_with('\n') && after.ends_with('\n') {
        after.pop();
        if after.ends_with('\r') {
            after.pop();
        }
    }
    if after == before { Edited::Unchanged } else { Edited::Changed(after) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, script: &str) -> Result<Edited, String> {
        let draft = Draft { id: TextId::Prompt, text: text.to_owned(), extension: "md" };
        let file = write(&draft).expect("a temporary file");
        let command = format!("sh -c '{script}' editor");
        edit(&OsString::from(command), &draft, file)
    }

    #[test]
    fn what_comes_back_is_compared() {
        let changed = |text: &str| Ok(Edited::Changed(text.to_owned()));
        assert_eq!(edited("a", "printf b >> \"$1\""), changed("ab"));
        assert_eq!(edited("a", "echo >> \"$1\""), Ok(Edited::Unchanged), "the editor's own line end");
        assert_eq!(edited("a\n", "echo >> \"$1\""), changed("a\n\n"));
        assert_eq!(edited("a", ": > \"$1\""), changed(""));
        assert_eq!(edited("a", "true"), Ok(Edited::Unchanged));
    }

    #[test]
    fn what_goes_wrong_is_told() {
        let error = |script: &str| edited("a", script).expect_err(script);
        assert!(error("echo b > \"$1\"; exit 3").contains("exit code 3; nothing is changed"));
        assert!(error("kill -9 $$").contains("ended by a signal") || error("kill -9 $$").contains("137"));
        let kept = error("printf \"\\\\377\" > \"$1\"");
        assert!(kept.contains("not UTF-8 text (byte 0); it is kept as /"), "{kept}");
        let path = kept.rsplit("kept as ").next().expect("a path").trim_end_matches('.');
        assert_eq!(std::fs::read(path).expect("it is kept"), b"\xff");
        std::fs::remove_file(path).expect("it is ours");
        let draft = Draft { id: TextId::Prompt, text: String::new(), extension: "md" };
        let file = write(&draft).expect("a temporary file");
        let none = edit(&OsString::from("no-such-editor --wait"), &draft, file);
        assert!(none.is_err_and(|e| e.contains("There is no editor no-such-editor --wait")));
    }

    #[test]
    fn the_variables_are_read_in_their_order() {
        let of = |visual: &'static str, editor: &'static str| {
            command(move |name| Some(OsString::from(if name == "VISUAL" { visual } else { editor })))
        };
        assert_eq!(of("a --wait", "b"), Ok("a --wait".into()));
        assert_eq!(of(" ", "b"), Ok("b".into()));
        assert!(of("", "").is_err_and(|e| e.contains("$VISUAL") && e.contains("$EDITOR")));
    }

    #[test]
    fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let draft = Draft { id: TextId::Grammar, text: "a".into(), extension: "lark" };
        let file = write(&draft).expect("a temporary file");
        assert!(file.to_string_lossy().ends_with(".lark"));
        assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
}
