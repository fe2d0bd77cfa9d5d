//! What the server says a repository holds. Nothing of it is believed before it is checked.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cache::is_commit;
use super::checksum::Checksum;

/// More bytes than the listing of any model has.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// A repository at one commit.
#[derive(Debug)]
pub(super) struct Listing {
    /// The commit.
    pub(super) commit: String,
    files: BTreeMap<String, Announced>,
}

/// What is known about a file before it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// Its size in bytes.
    pub(super) size: u64,
    /// Its checksum.
    pub(super) checksum: Checksum,
}

#[derive(Deserialize)]
struct Json {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
    size: u64,
}

impl Listing {
    /// From the answer to `/api/models/…?blobs=true`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let json: Json =
            serde_json::from_slice(text).map_err(|e| format!("it is no listing of a model: {e}"))?;
        if !is_commit(&json.sha) {
            return Err(format!("its commit is {:?}", json.sha));
        }
        let is_empty = json.siblings.is_empty();
        let files: BTreeMap<String, Announced> = json
            .siblings
            .into_iter()
            .filter_map(|file| {
                let announced = match file.lfs {
                    Some(lfs) => Announced { size: lfs.size, checksum: Checksum::parse(&lfs.sha256)? },
                    None => Announced { size: file.size?, checksum: Checksum::parse(&file.blob_id?)? },
                };
                Some((file.rfilename, announced))
            })
            .collect();
        if files.is_empty() && !is_empty {
            return Err("it has no sizes and checksums, without which no download can be verified".into());
        }
        Ok(Self { commit: json.sha, files })
    }

    /// The names of the files whose size and checksum are known.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// What is known about a file.
    pub(super) fn file(&self, name: &str) -> Option<&Announced> {
        self.files.get(name)
    }
}
