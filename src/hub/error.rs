//! What can go wrong with the hub, in words that say what to do.

use std::io;
use std::path::PathBuf;

use super::name::HubModel;
use super::status::bytes;

/// A model of the hub could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Somebody stopped it. What came so far is kept.
    #[error("the download was cancelled; the next one goes on from there")]
    Cancelled,
    /// Connections are forbidden and the cache does not have all of it.
    #[error(
        "{model} is not in the cache ({missing}), and HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to download it"
    )]
    Offline {
        /// The model.
        model: HubModel,
        /// What the cache lacks.
        missing: String,
    },
    /// The server knows no such model, revision or file.
    #[error("{0}")]
    NotFound(String),
    /// The server wants to know who asks, or does not let them.
    #[error("{0}")]
    Denied(String),
    /// The repository holds no model that can be used, or several.
    #[error("{model}: {message}")]
    Unusable {
        /// The model.
        model: HubModel,
        /// Why, and what there is.
        message: String,
    },
    /// The server answers with what no hub answers.
    #[error("the server's answer for {what} cannot be used: {message}")]
    Answer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        message: String,
    },
    /// No connection, or none that lasts.
    #[error("cannot download {what}: {reason}")]
    Network {
        /// What was asked for.
        what: String,
        /// The last reason.
        reason: String,
    },
    /// What came is not what was announced.
    #[error(
        "{file} is damaged: its checksum is {got}, expected {expected}; the download was deleted, try again"
    )]
    Checksum {
        /// The file.
        file: String,
        /// What the server announced.
        expected: String,
        /// What its bytes give.
        got: String,
    },
    /// The disk is too full for it.
    #[error(
        "{model} needs {} more, but {} has only {} free; delete something, or set HF_HOME to a folder on another disk",
        bytes(*.need), folder.display(), bytes(*.free)
    )]
    Space {
        /// The model.
        model: HubModel,
        /// How many bytes are needed.
        need: u64,
        /// How many there are.
        free: u64,
        /// Where.
        folder: PathBuf,
    },
    /// The cache cannot be read or written.
    #[error("cannot write {}: {source}", path.display())]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A variable of the environment has a value that cannot be used.
    #[error("{0}")]
    Setting(String),
}

impl HubError {
    /// Whether another input would help, rather than another try.
    pub fn is_input(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::NotFound(_)
                | Self::Denied(_)
                | Self::Unusable { .. }
                | Self::Setting(_)
        )
    }
}
