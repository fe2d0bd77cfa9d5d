//! Where the hub is, where its cache lies, and who asks: the variables that every program for the
//! hub knows, read once.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::HubError;

/// The hub itself.
const ENDPOINT: &str = "https://huggingface.co";

/// How the hub is used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server, without a slash at the end.
    pub endpoint: String,
    /// The cache's folder; `None` if there is no home to have one in.
    pub cache: Option<PathBuf>,
    /// Who asks, for models that are not for everybody.
    pub token: Option<Token>,
    /// Whether connections are forbidden.
    pub offline: bool,
    /// Whether the variables that name proxies are followed.
    pub proxy: bool,
    /// How long to wait for a server.
    pub patience: Patience,
    /// How many bytes may still be written to a folder.
    pub free_space: fn(&Path) -> io::Result<u64>,
}

/// How long to wait, and how often to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte.
    pub silence: Duration,
    /// Before the second try; twice as long before each further one.
    pub pause: Duration,
    /// How many tries in a row may fail.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), silence: seconds(30), pause: seconds(1), tries: 5 }
    }
}

/// A secret. It is never shown, not even to a debugger's print.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The value of the header that carries it.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Settings {
    /// As this process is told to. Values that are not Unicode count as absent.
    ///
    /// # Errors
    /// As [`from_environment`](Self::from_environment).
    pub fn of_process() -> Result<Self, HubError> {
        Self::from_environment(|name| std::env::var(name).ok())
    }

    /// From a view of the environment: `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`,
    /// `HOME`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE`.
    ///
    /// # Errors
    /// [`HubError::Setting`] if a value cannot be used; the message names its variable.
    pub fn from_environment(environment: impl Fn(&str) -> Option<String>) -> Result<Self, HubError> {
        let variable = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let home = variable("HOME").map(PathBuf::from);
        let folder = |name: &str| {
            let value = variable(name)?;
            Some(match (value.strip_prefix("~/"), &home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(value),
            })
        };
        let hf_home = folder("HF_HOME")
            .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("huggingface")))
            .or_else(|| Some(home.clone()?.join(".cache/huggingface")));
        let cache = folder("HF_HUB_CACHE")
            .or_else(|| folder("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| Some(hf_home.clone()?.join("hub")));
        let token_file = folder("HF_TOKEN_PATH").or_else(|| Some(hf_home?.join("token")));
        let from_file = || {
            let path = token_file?;
            Some((path.display().to_string(), std::fs::read_to_string(&path).ok()?))
        };
        let token = variable("HF_TOKEN")
            .map(|token| ("HF_TOKEN".to_owned(), token))
            .or_else(from_file)
            .filter(|(_, token)| !token.trim().is_empty());
        let is_on = |name| variable(name).is_some_and(|value| is_true(&value));
        Ok(Self {
            endpoint: endpoint(variable("HF_ENDPOINT"))?,
            cache,
            token: token.map(|(place, token)| parse_token(&place, token.trim())).transpose()?,
            offline: is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE"),
            proxy: true,
            patience: Patience::default(),
            free_space,
        })
    }

    /// The cache's folder.
    ///
    /// # Errors
    /// If there is none.
    pub fn cache(&self) -> Result<&Path, HubError> {
        self.cache.as_deref().ok_or_else(|| {
            HubError::Setting("there is no HOME, so no place for downloads: set HF_HOME to a folder".into())
        })
    }
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&value.trim().to_ascii_lowercase().as_str())
}

fn endpoint(value: Option<String>) -> Result<String, HubError> {
    let Some(value) = value else { return Ok(ENDPOINT.to_owned()) };
    let url = value.trim().trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || !url.chars().all(|c| c.is_ascii_graphic()) || url.contains(['?', '#']) {
        let message = format!("HF_ENDPOINT is {value:?}, not the address of a server such as {ENDPOINT}");
        return Err(HubError::Setting(message));
    }
    Ok(url.to_owned())
}

fn parse_token(place: &str, token: &str) -> Result<Token, HubError> {
    if token.chars().all(|c| c.is_ascii_graphic()) {
        Ok(Token(token.to_owned()))
    } else {
        let message =
            format!("what {place} holds is no token: a token has no spaces and no special characters");
        Err(HubError::Setting(message))
    }
}

fn free_space(folder: &Path) -> io::Result<u64> {
    let found = nix::sys::statvfs::statvfs(folder)?;
    Ok(found.blocks_available().saturating_mul(found.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Settings, HubError> {
        Settings::from_environment(|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_cache_is_where_other_programs_have_it() {
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[("HOME", "/h")], "/h/.cache/huggingface/hub"),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/f")], "/f/hub"),
            (&[("HOME", "/h"), ("HF_HOME", "~/f")], "/h/f/hub"),
            (&[("HF_HOME", "/f"), ("HF_HUB_CACHE", "/c")], "/c"),
            (&[("HF_HOME", ""), ("HOME", "/h")], "/h/.cache/huggingface/hub"),
        ];
        for (variables, wanted) in cases {
            assert_eq!(with(variables).expect("valid").cache, Some(wanted.into()), "{variables:?}");
        }
        let nowhere = with(&[]).expect("valid");
        assert!(nowhere.cache().is_err_and(|e| e.to_string().contains("HF_HOME")));
    }

    #[test]
    fn offline_endpoint_and_token() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "hf_file\n").expect("writable");
        let home = folder.path().to_str().expect("UTF-8");
        let found = with(&[("HF_HOME", home)]).expect("valid");
        assert_eq!(found.token, Some(Token("hf_file".into())));
        assert_eq!((found.endpoint.as_str(), found.offline), (ENDPOINT, false));
        let found = with(&[("HF_HOME", home), ("HF_TOKEN", "hf_env"), ("HF_ENDPOINT", "http://m:1/p/")]);
        let found = found.expect("valid");
        assert_eq!((found.token, found.endpoint.as_str()), (Some(Token("hf_env".into())), "http://m:1/p"));
        for (value, wanted) in [("1", true), ("YES", true), ("0", false), ("off", false)] {
            assert_eq!(with(&[("HF_HUB_OFFLINE", value)]).expect("valid").offline, wanted);
            assert_eq!(with(&[("TRANSFORMERS_OFFLINE", value)]).expect("valid").offline, wanted);
        }
    }

    #[test]
    fn wrong_values_are_named_and_secrets_are_not_shown() {
        for value in ["huggingface.co", "ftp://x", "https://", "https://a b", "https://a/?q"] {
            assert!(with(&[("HF_ENDPOINT", value)]).is_err_and(|e| e.to_string().contains("HF_ENDPOINT")));
        }
        let error = with(&[("HF_TOKEN", "hf_secret x")]).expect_err("a space").to_string();
        assert!(error.contains("HF_TOKEN") && !error.contains("secret"), "{error}");
        let settings = with(&[("HF_TOKEN", "hf_secret")]).expect("valid");
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
