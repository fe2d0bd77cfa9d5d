//! Models of the Hugging Face hub: from a name to files on the disk.
//!
//! The cache that other programs share is looked into first; what is not there is downloaded into
//! it. [`resolve`] is the way in:
//!
//! | where | what |
//! |---|---|
//! | [`name`] | `org/name[@revision][:file]` |
//! | [`settings`] | the variables of the environment that all hub programs know |
//! | [`cache`] | where things lie in the cache, and what lies there |
//! | [`choose`] | which files of a repository make up a model |
//! | `listing` | what the server says a repository holds |
//! | `http` | one request, which can be cancelled at any time |
//! | `download` | one file: resumed, verified, put in place whole |
//! | [`status`] | how a download goes |
//!
//! The layout, the types and the routes are those of the `hf-hub` crate. Its transfers are not used:
//! they cannot be cancelled, do not verify what came, and send the token to the host of a redirect.
//!
//! Nothing here prints or knows a terminal, and no text of a server becomes a path unless it is
//! plainly a name below the repository.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub mod cache;
pub mod checksum;
pub mod choose;
mod download;
pub mod error;
mod http;
mod listing;
pub mod name;
pub mod settings;
pub mod status;

pub use error::HubError;
pub use name::HubModel;
pub use settings::Settings;
pub use status::Status;

use cache::RepoCache;
use choose::Choice;
use download::Fetcher;
use listing::Listing;

/// Who is told how a download goes, and may stop it. Called at least ten times a second.
pub type OnStatus<'a> = &'a mut dyn FnMut(&Status) -> ControlFlow<()>;

/// The folder or the `.gguf` file of a model, downloaded if the cache does not have all of it.
///
/// If it is in the cache there is no connection at all. What a cancelled or failed download has
/// got so far stays, and the next one goes on from there.
///
/// # Errors
/// [`HubError`], which says what is missing and what to do.
pub fn resolve(model: &HubModel, settings: &Settings, on: OnStatus<'_>) -> Result<PathBuf, HubError> {
    let cache = RepoCache::new(settings.cache()?, model);
    let missing = match cache.complete(model.file.as_deref()) {
        Ok(path) => return Ok(path),
        Err(missing) => missing,
    };
    if settings.offline {
        return Err(HubError::Offline { model: model.clone(), missing });
    }
    let mut fetcher = Fetcher::new(model, settings, &cache, on);
    let listing = fetcher.listing()?;
    let choice = choose::choose(listing.names(), model.file.as_deref())
        .map_err(|message| HubError::Unusable { model: model.clone(), message })?;
    let files = files(&mut fetcher, &listing, &choice)?;
    fetcher.fetch(&listing, &files)?;
    cache.point(&listing.commit)?;
    Ok(cache.snapshot(&listing.commit).join(choice.entry()))
}

/// All files of a choice. What the index of sharded weights names is known once it is there.
fn files(fetcher: &mut Fetcher<'_>, listing: &Listing, choice: &Choice) -> Result<Vec<String>, HubError> {
    let mut files = choice.small.clone();
    match &choice.index {
        None => files.extend(choice.weights.clone()),
        Some(index) => {
            fetcher.fetch(listing, std::slice::from_ref(index))?;
            let path = fetcher.cache().snapshot(&listing.commit).join(index);
            files.push(index.clone());
            files.extend(shards(&path).map_err(|message| fetcher.unusable(message))?);
        }
    }
    Ok(files)
}

/// The weight files that an index names, each once.
fn shards(index: &Path) -> Result<Vec<String>, String> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let name = index.file_name().unwrap_or_default().to_string_lossy();
    let text = std::fs::read(index).map_err(|e| format!("{name} cannot be read: {e}"))?;
    let index: Index = serde_json::from_slice(&text).map_err(|e| format!("{name} is no index: {e}"))?;
    let mut shards: Vec<String> = index.weight_map.into_values().collect();
    shards.sort();
    shards.dedup();
    match shards.iter().find(|shard| !name::is_file_name(shard) || shard.contains('/')) {
        Some(wrong) => Err(format!("{name} names {wrong:?}, which is no file next to it")),
        None => Ok(shards),
    }
}
