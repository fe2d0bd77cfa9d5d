//! Names of models on the hub: `org/name`, with a revision and a file if wanted.
//!
//! A name becomes part of paths and URLs, so it is checked before it is used for anything.

use std::fmt;
use std::str::FromStr;

/// A model on the hub, as people write it: `org/name[@revision][:file]`.
///
/// ```
/// use maze::hub::HubModel;
/// let model: HubModel = "Qwen/Qwen3-0.6B-GGUF:Q8_0".parse()?;
/// assert_eq!((model.repo.as_str(), model.file.as_deref()), ("Qwen/Qwen3-0.6B-GGUF", Some("Q8_0")));
/// assert!("../etc".parse::<HubModel>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HubModel {
    /// The repository: its owner and its name, with a slash in between.
    pub repo: String,
    /// A branch, a tag or a commit; `main` if nothing is said.
    pub revision: Option<String>,
    /// A `.gguf` file in it, or a quantisation that is part of one file's name.
    pub file: Option<String>,
}

impl HubModel {
    /// The revision to look up.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// The model's name without its owner, for people.
    pub fn short(&self) -> &str {
        self.repo.rsplit('/').next().unwrap_or(&self.repo)
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repo)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        if let Some(file) = &self.file {
            write!(f, ":{file}")?;
        }
        Ok(())
    }
}

impl FromStr for HubModel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, file) = match text.split_once(':') {
            Some((rest, file)) => (rest, Some(file)),
            None => (text, None),
        };
        let (repo, revision) = match rest.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision)),
            None => (rest, None),
        };
        let wrong = |part: &str, what: &str| {
            Err(format!("{part:?} is no {what} of a model on the hub; expected org/name[@revision][:file]"))
        };
        let parts: Vec<&str> = repo.split('/').collect();
        match parts.as_slice() {
            [owner, name] if is_repo_part(owner) && is_repo_part(name) => {}
            _ => return wrong(repo, "name"),
        }
        if let Some(revision) = revision.filter(|r| !is_file_name(r)) {
            return wrong(revision, "revision");
        }
        if let Some(file) = file.filter(|f| !is_file_name(f)) {
            return wrong(file, "file");
        }
        Ok(Self {
            repo: repo.to_owned(),
            revision: revision.map(str::to_owned),
            file: file.map(str::to_owned),
        })
    }
}

/// The hub's own rule for owners and repositories.
fn is_repo_part(part: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=96).contains(&part.len())
        && part.chars().all(is_inside)
        && !part.starts_with(['-', '.'])
        && !part.ends_with(['-', '.'])
        && !part.contains("--")
        && !part.contains("..")
}

/// Whether a text is plainly the name of a file below a repository: no way out of its folder, no
/// character that means something to a terminal, a URL or a file system.
pub fn is_file_name(text: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "-_.+=/ ".contains(c);
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.trim() == part;
    (1..=255).contains(&text.len()) && text.chars().all(is_inside) && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_shown() {
        for text in ["a/b", "Qwen/Qwen3-0.6B", "a/b@refs/pr/3", "a/b:Q4_K_M", "a/b@v1.0:sub/x-Q8_0.gguf"] {
            assert_eq!(text.parse::<HubModel>().expect(text).to_string(), text);
        }
        let model: HubModel = "o/n@dev:f.gguf".parse().expect("valid");
        assert_eq!((model.revision(), model.short()), ("dev", "n"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let wrong = [
            "",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "../b",
            "a/..",
            "a--b/c",
            "a/.b",
            "a/b.",
            "a/b@",
            "a/b@../x",
            "a/b:",
            "a/b:../x.gguf",
            "a/b:/etc/passwd",
            "a/b:x\u{1b}[m",
            "a/b:.hidden",
            "a b/c",
            "a/b?x",
            "a/b:x\\y",
            "a/b:a//b",
            "ä/b",
        ];
        for text in wrong {
            let error = text.parse::<HubModel>().expect_err(text);
            assert!(error.contains("org/name"), "{error}");
        }
        assert!(format!("a/{}", "x".repeat(97)).parse::<HubModel>().is_err());
    }
}
