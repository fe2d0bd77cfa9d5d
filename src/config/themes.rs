//! The person's own themes: `*.tmTheme` files in the folder `themes` beside the config file.
//!
//! A file that cannot be used is named with the reason; it never keeps the others from being used.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::grammar::closest;
use crate::ui::theme::{OwnTheme, ThemeName};

/// The most themes that are read.
const FILES: usize = 200;

/// No theme file is read further than this; it is refused then.
const MAX_BYTES: u64 = 2 << 20;

/// Where they are: `maze/themes` in `$XDG_CONFIG_HOME` or in `~/.config`.
pub fn folder(environment: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    super::file::folder(environment).map(|folder| folder.join("themes"))
}

/// All that can be used, by name, and what is wrong with the others.
pub fn read_all(environment: &impl Fn(&str) -> Option<String>) -> (Vec<Arc<OwnTheme>>, Vec<String>) {
    let (mut themes, mut problems) = (Vec::new(), Vec::new());
    for (name, path) in files(environment) {
        match read(&name, &path) {
            Ok(theme) => themes.push(theme),
            Err(problem) => problems.push(problem),
        }
    }
    (themes, problems)
}

/// The theme of this name, in any case.
///
/// # Errors
/// If there is none, or its file is no theme.
pub fn find(environment: &impl Fn(&str) -> Option<String>, name: &str) -> Result<ThemeName, String> {
    if let Some(shipped) = ThemeName::shipped(name) {
        return Ok(shipped);
    }
    let files = files(environment);
    if let Some((found, path)) = files.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
        return read(found, path).map(ThemeName::Own);
    }
    let names: Vec<&str> = ThemeName::ALL
        .iter()
        .map(ThemeName::name)
        .chain(files.iter().map(|(name, _)| name.as_str()))
        .collect();
    let meant = closest(name, names.iter().copied());
    Err(match meant {
        Some(meant) => format!("there is no theme `{name}`; did you mean `{meant}`?"),
        None => format!("there is no theme `{name}`; there are auto, {}", names.join(", ")),
    })
}

/// The names and paths of the files, by name.
fn files(environment: &impl Fn(&str) -> Option<String>) -> Vec<(String, PathBuf)> {
    let Some(folder) = folder(environment) else { return Vec::new() };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tmTheme")))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .take(FILES)
        .collect();
    files.sort();
    files
}

fn read(name: &str, path: &Path) -> Result<Arc<OwnTheme>, String> {
    let failed = |reason: String| format!("cannot use the theme {name}.tmTheme: {reason}");
    if ThemeName::shipped(name).is_some() {
        return Err(failed("a shipped theme has that name; rename the file".into()));
    }
    if !std::fs::metadata(path).is_ok_and(|about| about.is_file()) {
        return Err(failed("it is no file".into()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|e| failed(e.to_string()))?;
    OwnTheme::parse(name, &bytes).map(Arc::new).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_theme_is_named_and_the_others_are_used() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("maze/themes");
        std::fs::create_dir_all(&folder).expect("writable");
        let good = ThemeName::Light.source().expect("a file");
        for (name, text) in [
            ("Mine.tmTheme", good),
            ("broken.tmTheme", "<plist>"),
            ("dark.tmTheme", good),
            ("notes.txt", "x"),
        ] {
            std::fs::write(folder.join(name), text).expect("writable");
        }
        std::fs::write(folder.join("huge.tmTheme"), vec![b' '; 3 << 20]).expect("writable");
        std::fs::create_dir(folder.join("folder.tmTheme")).expect("writable");
        let environment = |name: &str| (name == "XDG_CONFIG_HOME").then(|| home.path().display().to_string());
        let (themes, problems) = read_all(&environment);
        assert_eq!(themes.iter().map(|t| t.name()).collect::<Vec<_>>(), ["Mine"]);
        for (problem, wanted) in problems.iter().zip([
            "broken.tmTheme: it is no theme",
            "dark.tmTheme: a shipped theme has that name",
            "folder.tmTheme: it is no file",
            "huge.tmTheme: it has more than 1024 KiB",
        ]) {
            assert!(problem.contains(wanted), "{problem}, not {wanted}");
        }
        assert_eq!(problems.len(), 4);
        assert_eq!(find(&environment, "mine").expect("in any case").name(), "Mine");
        assert_eq!(find(&environment, "DARK"), Ok(ThemeName::Dark));
        assert!(find(&environment, "mines").is_err_and(|e| e.contains("did you mean `Mine`?")));
        let error = find(&environment, "solarized").expect_err("there is none");
        assert!(
            error.ends_with(
                "there are auto, dark, light, contrast-dark, contrast-light, Mine, broken, dark, folder, huge"
            ),
            "{error}"
        );
    }
}
