//! Which files at a path hold a model's weights.
//!
//! Only names are looked at here; what is in the files is checked when they are opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::engine::error::LoadError;
use crate::engine::model::tokenizer::SideFiles;

/// What a folder may hold, for messages.
const EXPECTED: &str =
    "expected model.safetensors (or shards with model.safetensors.index.json) or a .gguf file";

/// The weight files at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// A GGUF file, or all parts of one, in their order.
    Gguf(Vec<PathBuf>),
    /// The shards in a folder with a `config.json`.
    Safetensors(PathBuf, Vec<PathBuf>),
}

/// Finds them.
///
/// # Errors
/// [`LoadError`], naming the path and what is there instead.
pub(super) fn at(path: &Path) -> Result<Files, LoadError> {
    if !std::fs::metadata(path).map_err(|e| unreadable(path, e))?.is_dir() {
        return match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("gguf") => Ok(Files::Gguf(parts(path))),
            _ => Err(wrong(path, "not a model: expected a .gguf file or a folder with safetensors".into())),
        };
    }
    if let Some(shards) = indexed(path)? {
        return Ok(Files::Safetensors(path.to_owned(), shards));
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect())
        .map_err(|e| unreadable(path, e))?;
    found.sort();
    if found.iter().any(|p| p.ends_with("adapter_config.json")) {
        return Err(wrong(path, "an adapter (LoRA) without its model; merge it into the model first".into()));
    }
    if let Some(only) = found.iter().find(|p| p.ends_with("model.safetensors")) {
        return Ok(Files::Safetensors(path.to_owned(), vec![only.clone()]));
    }
    let of = |extension: &str| -> Vec<PathBuf> {
        found.iter().filter(|p| p.extension().is_some_and(|e| e == extension)).cloned().collect()
    };
    let shards = of("safetensors");
    if !shards.is_empty() {
        return Ok(Files::Safetensors(path.to_owned(), shards));
    }
    // Projectors for images lie beside the models that they belong to.
    let mut models: Vec<Vec<PathBuf>> =
        of("gguf").iter().filter(|p| !name(p).starts_with("mmproj")).map(|p| parts(p)).collect();
    models.dedup();
    match models.as_slice() {
        [only] => Ok(Files::Gguf(only.clone())),
        [] => Err(wrong(path, nothing(&found))),
        several => {
            let names: Vec<_> = several.iter().filter_map(|parts| parts.first()).map(|p| name(p)).collect();
            let message = format!("the folder holds several models; name one of them: {}", names.join(", "));
            Err(wrong(path, message))
        }
    }
}

/// The shards that a folder's index names, if it has one.
fn indexed(folder: &Path) -> Result<Option<Vec<PathBuf>>, LoadError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let name = "model.safetensors.index.json";
    let index = folder.join(name);
    let Some(text) = SideFiles::Folder(folder.to_owned()).read(name)? else { return Ok(None) };
    let parsed: Index = serde_json::from_slice(&text).map_err(|e| wrong(&index, e.to_string()))?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    if let Some(name) = names.iter().find(|n| Path::new(n).file_name() != Some(n.as_ref())) {
        return Err(wrong(&index, format!("{name:?} is not the name of a file in the same folder")));
    }
    Ok(Some(names.into_iter().map(|name| folder.join(name)).collect()))
}

/// All parts of the model that a GGUF file is one of: `NAME-00002-of-00003.gguf` has three.
fn parts(path: &Path) -> Vec<PathBuf> {
    let split = || {
        let stem = path.file_stem()?.to_str()?;
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (name, number) = rest.rsplit_once('-')?;
        let five = |text: &str| (text.len() == 5).then(|| text.parse::<usize>().ok()).flatten();
        let (number, count) = (five(number)?, five(count)?);
        let extension = path.extension()?.to_str()?;
        (1..=count).contains(&number).then(|| {
            (1..=count)
                .map(|n| path.with_file_name(format!("{name}-{n:05}-of-{count:05}.{extension}")))
                .collect()
        })
    };
    split().unwrap_or_else(|| vec![path.to_owned()])
}

/// What to say about a folder without a model.
fn nothing(found: &[PathBuf]) -> String {
    let pickled = |p: &&PathBuf| {
        let name = name(p);
        (name.starts_with("pytorch_model") && name.ends_with(".bin"))
            || p.extension().is_some_and(|e| e == "pt" || e == "pth")
    };
    match found.iter().find(pickled) {
        Some(file) => format!(
            "the folder holds only {}, a Python pickle, which may run code and is not read; {EXPECTED} (the model's \
             save_pretrained(..., safe_serialization=True) in transformers writes the first)",
            name(file)
        ),
        None => format!("the folder holds no safetensors and no GGUF file; {EXPECTED}"),
    }
}

fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

fn unreadable(path: &Path, source: std::io::Error) -> LoadError {
    LoadError::Read { path: path.to_owned(), source }
}

fn wrong(path: &Path, message: String) -> LoadError {
    LoadError::Format { path: path.to_owned(), message }
}
