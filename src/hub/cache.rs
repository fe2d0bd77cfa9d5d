//! The cache on the disk, in the layout that all programs for the hub share.
//!
//! ```text
//! models--org--name/blobs/<checksum>                      the content of a file
//! models--org--name/blobs/<checksum>.incomplete           the part of it that has come so far
//! models--org--name/refs/<revision>                       the commit that a branch or tag stands for
//! models--org--name/snapshots/<commit>/<file>             a link to the content
//! .locks/models--org--name/<checksum>.lock                held by whoever writes the content
//! ```
//!
//! What it holds may have been put there by anybody: names are checked, nothing is deleted.

use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};

use super::checksum::Checksum;
use super::choose::{self, Choice, is_gguf_model};
use super::error::HubError;
use super::name::{HubModel, is_file_name};
use super::shards;

/// How deep files of a snapshot lie, at most.
const DEPTH: usize = 4;

/// More files than any model has.
const MOST_FILES: usize = 10_000;

/// One repository's part of the cache.
pub struct RepoCache {
    root: PathBuf,
    repo: Repo,
    paths: CacheRepo,
}

impl RepoCache {
    /// The part of the cache in `root` that is for this model.
    pub fn new(root: &Path, model: &HubModel) -> Self {
        let repo = Repo::with_revision(model.repo.clone(), RepoType::Model, model.revision().to_owned());
        Self { root: root.to_owned(), paths: Cache::new(root.to_owned()).repo(repo.clone()), repo }
    }

    /// The repository as the `hf-hub` crate knows it.
    pub(super) fn repo(&self) -> &Repo {
        &self.repo
    }

    fn folder(&self) -> PathBuf {
        self.root.join(self.repo.folder_name())
    }

    /// Where a content lies, once it is complete.
    pub(super) fn blob(&self, checksum: &Checksum) -> PathBuf {
        self.paths.blob_path(&checksum.to_string())
    }

    /// Where the part of a content lies that has come so far.
    pub(super) fn partial(&self, checksum: &Checksum) -> PathBuf {
        self.paths.blob_path(&format!("{checksum}.incomplete"))
    }

    /// The file that is locked by whoever writes a content.
    pub(super) fn lock(&self, checksum: &Checksum) -> PathBuf {
        self.root.join(".locks").join(self.repo.folder_name()).join(format!("{checksum}.lock"))
    }

    /// The folder that shows the files of a commit.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.paths.pointer_path(commit)
    }

    /// The commit that the revision stood for when it was last asked about.
    fn commit(&self) -> Option<String> {
        let revision = self.repo.revision();
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let text = std::fs::read_to_string(self.folder().join("refs").join(revision)).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// The model's path, if all of it is here.
    ///
    /// # Errors
    /// What is missing.
    pub fn complete(&self, wanted: Option<&str>) -> Result<PathBuf, String> {
        let commit = self.commit().ok_or("nothing of it is there")?;
        complete(&self.snapshot(&commit), wanted)
    }

    /// Shows a content as a file of a commit.
    pub(super) fn link(&self, commit: &str, name: &str, checksum: &Checksum) -> Result<(), HubError> {
        let link = self.snapshot(commit).join(name);
        let target = format!("{}../../blobs/{checksum}", "../".repeat(name.matches('/').count()));
        if std::fs::read_link(&link).is_ok_and(|found| found == Path::new(&target)) {
            return Ok(());
        }
        let failed = |source| HubError::Storage { path: link.clone(), source };
        let folder = link.parent().unwrap_or(&link);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let linked = replaced(folder, &link, |path| std::os::unix::fs::symlink(&target, path));
        // A file system without links: the content itself goes there, as other programs do it.
        linked.or_else(|_| std::fs::rename(self.blob(checksum), &link)).map_err(failed)
    }

    /// Notes which commit the revision stands for. Done last: until then the old one is in use.
    pub(super) fn point(&self, commit: &str) -> Result<(), HubError> {
        if is_commit(self.repo.revision()) {
            return Ok(());
        }
        let path = self.folder().join("refs").join(self.repo.revision());
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder)
            .and_then(|()| replaced(folder, &path, |new| std::fs::write(new, commit)))
            .map_err(|source| HubError::Storage { path: path.clone(), source })
    }
}

/// Makes something new next to `path`, then moves it there, so that nobody sees half of it.
fn replaced(folder: &Path, path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let new = tempfile::Builder::new().prefix(".maze-").make_in(folder, |new| make(new))?.into_temp_path();
    new.persist(path).map_err(io::Error::from)
}

/// Whether a text is a commit and nothing else, so that it can name a folder.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The model in a snapshot, if all of it is there.
fn complete(snapshot: &Path, wanted: Option<&str>) -> Result<PathBuf, String> {
    let names = files_below(snapshot);
    let choice = choose::choose(names.iter().map(String::as_str), wanted)?;
    for name in weights(snapshot, &choice)? {
        if !snapshot.join(&name).exists() {
            return Err(format!("{name} is missing"));
        }
    }
    Ok(match &choice.gguf {
        Some(gguf) => snapshot.join(gguf),
        None => snapshot.to_owned(),
    })
}

fn weights(snapshot: &Path, choice: &Choice) -> Result<Vec<String>, String> {
    match &choice.index {
        Some(index) => shards(&snapshot.join(index)),
        None => Ok(choice.weights.clone()),
    }
}

/// The files below a folder, by their names from there. Links that lead nowhere are no files.
fn files_below(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<String>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let Ok(base) = entry.file_name().into_string() else { continue };
            let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
            let name = format!("{prefix}{base}");
            if found.len() >= MOST_FILES {
                return;
            } else if meta.is_file() {
                found.push(name);
            } else if meta.is_dir() && depth > 1 {
                walk(&entry.path(), &format!("{name}/"), depth - 1, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, "", DEPTH, &mut found);
    found.sort();
    found
}

/// A model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// Its name.
    pub model: HubModel,
    /// The folder or the file, or what is missing of it.
    pub path: Result<PathBuf, String>,
}

/// All models in the cache, by name.
pub fn list(root: &Path) -> Vec<Cached> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let repo = name.strip_prefix("models--").map(|rest| rest.replacen("--", "/", 1));
        let Some(Ok(model)) = repo.map(|repo| repo.parse::<HubModel>()) else { continue };
        found.extend(of_repo(root, model));
    }
    found.sort_by_key(|cached| cached.model.to_string().to_lowercase());
    found
}

/// The models of one repository: the folder of safetensors, and each GGUF file.
fn of_repo(root: &Path, model: HubModel) -> Vec<Cached> {
    let cache = RepoCache::new(root, &model);
    let known = cache.commit().map(|commit| (commit, None));
    let Some((commit, revision)) = known.or_else(|| other_revision(&cache.folder())) else {
        return unfinished(&cache, model);
    };
    let snapshot = cache.snapshot(&commit);
    let names = files_below(&snapshot);
    let ggufs = names.iter().filter(|name| is_file_name(name) && is_gguf_model(name));
    let mut found: Vec<Cached> = ggufs
        .map(|name| {
            let file = shortest(&names, name);
            let path = complete(&snapshot, Some(&file));
            Cached { model: HubModel { file: Some(file), ..model.clone() }, path }
        })
        .collect();
    for cached in &mut found {
        cached.model.revision.clone_from(&revision);
    }
    let path = complete(&snapshot, None);
    // A revision is worth naming if all of it is there; what is not, is asked for anew.
    let revision = revision.filter(|_| path.is_ok());
    // Nothing but a tokenizer, as some programs fetch it, is a model only if there is no other.
    if path.as_ref().is_ok_and(|path| path.is_dir()) || (found.is_empty() && path.is_err()) {
        found.push(Cached { model: HubModel { revision, ..model }, path });
    }
    found
}

/// How people name a GGUF file: by its quantisation, if that says which it is.
fn shortest(names: &[String], name: &str) -> String {
    let stem = name.strip_suffix(".gguf").unwrap_or(name);
    let last = stem.rsplit(['-', '.', '/']).next().unwrap_or(stem);
    let picks = choose::choose(names.iter().map(String::as_str), Some(last));
    if picks.is_ok_and(|choice| choice.entry() == name) { last.to_owned() } else { name.to_owned() }
}

/// A download that has not come as far as its first file.
fn unfinished(cache: &RepoCache, model: HubModel) -> Vec<Cached> {
    let has_blobs = std::fs::read_dir(cache.folder().join("blobs")).is_ok_and(|mut d| d.next().is_some());
    if has_blobs { vec![Cached { model, path: Err("its download is not complete".into()) }] } else { vec![] }
}

/// The commit that is there although `main` is not, and what it is called: a branch or a tag, else
/// the newest commit by its own name.
fn other_revision(repo: &Path) -> Option<(String, Option<String>)> {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(repo.join(folder)).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?)))
    };
    let mut branches = names("refs").filter(|(_, name)| is_file_name(name)).filter_map(|(path, name)| {
        let commit = std::fs::read_to_string(path).ok()?.trim().to_owned();
        (is_commit(&commit) && repo.join("snapshots").join(&commit).is_dir()).then_some((commit, Some(name)))
    });
    let newest = || {
        let dated = names("snapshots")
            .filter(|(_, name)| is_commit(name))
            .filter_map(|(path, name)| Some((std::fs::metadata(path).ok()?.modified().ok()?, name)));
        dated.max().map(|(_, commit)| (commit.clone(), Some(commit)))
    };
    branches.next().or_else(newest)
}
