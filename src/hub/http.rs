//! One request to the hub, on a thread of its own, so that a cancel need not wait for a server.
//!
//! Redirects are followed here and not by the HTTP library: the token goes to the hub and to
//! nobody else, wherever the hub leads.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::Agent;
use ureq::http::HeaderMap;

use super::settings::{Settings, Token};

/// Bytes in one piece of an answer.
const PIECE: usize = 256 * 1024;

/// Pieces that may wait for the disk.
const WAITING: usize = 8;

/// How long nobody is asked whether to go on.
const TICK: Duration = Duration::from_millis(50);

/// Redirects that are followed; the hub has one or two.
const REDIRECTS: usize = 8;

/// Why a request gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody wants it any more.
    Cancelled,
    /// There is no connection.
    Unreachable(String),
    /// It may go better next time.
    Passing(String),
    /// It would go the same way again.
    Lasting(String),
}

/// Asked while something takes time; may stop it.
pub(super) type Wait<'a> = &'a mut dyn FnMut() -> ControlFlow<()>;

/// Makes requests.
pub(super) struct Client {
    agent: Agent,
    origin: String,
    token: Option<Token>,
}

/// The beginning of an answer; the rest is read from it.
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The headers of the server that sends the content.
    pub(super) headers: HeaderMap,
    /// The headers of the hub, which may have led to another server.
    pub(super) hub: HeaderMap,
    pieces: Receiver<Result<Message, Trouble>>,
}

enum Message {
    Head { status: u16, headers: HeaderMap, hub: HeaderMap },
    Piece(Vec<u8>),
    End,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Self {
        let patience = settings.patience;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(if settings.proxy { ureq::Proxy::try_from_env() } else { None })
            .user_agent(concat!("maze/", env!("CARGO_PKG_VERSION")))
            // A compressed content has another size and another checksum.
            .accept_encoding("identity")
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .build()
            .new_agent();
        Self { agent, origin: origin(&settings.endpoint).to_owned(), token: settings.token.clone() }
    }

    /// Asks for `url`, from byte `start` on. Returns once the answer begins.
    pub(super) fn get(&self, url: &str, start: u64, wait: Wait<'_>) -> Result<Answer, Trouble> {
        let (sender, pieces) = sync_channel(WAITING);
        let request = Request {
            agent: self.agent.clone(),
            origin: self.origin.clone(),
            token: self.token.clone(),
            url: url.to_owned(),
            start,
        };
        // The thread ends by itself when nobody listens: at the latest when its server has been
        // silent for too long.
        std::thread::Builder::new()
            .name("maze-http".into())
            .spawn(move || request.answer(&sender))
            .map_err(|e| Trouble::Lasting(format!("the system gives no thread: {e}")))?;
        match next(&pieces, wait)? {
            Message::Head { status, headers, hub } => Ok(Answer { status, headers, hub, pieces }),
            Message::Piece(_) | Message::End => Err(Trouble::Lasting("an answer without a head".into())),
        }
    }
}

impl Answer {
    /// The next bytes; `None` at the end.
    pub(super) fn piece(&mut self, wait: Wait<'_>) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(match next(&self.pieces, wait)? {
            Message::Piece(bytes) => Some(bytes),
            Message::Head { .. } | Message::End => None,
        })
    }

    /// A header of the hub as text.
    pub(super) fn hub_header(&self, name: &str) -> Option<&str> {
        self.hub.get(name)?.to_str().ok()
    }

    /// A header of the server that sends the content, as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn next(pieces: &Receiver<Result<Message, Trouble>>, wait: Wait<'_>) -> Result<Message, Trouble> {
    loop {
        if wait().is_break() {
            return Err(Trouble::Cancelled);
        }
        match pieces.recv_timeout(TICK) {
            Ok(message) => return message,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Trouble::Passing("the connection broke".into()));
            }
        }
    }
}

/// What the thread needs.
struct Request {
    agent: Agent,
    origin: String,
    token: Option<Token>,
    url: String,
    start: u64,
}

impl Request {
    fn answer(self, out: &SyncSender<Result<Message, Trouble>>) {
        // Nobody listening is no error.
        let _ = out.send(self.stream(out).map(|()| Message::End));
    }

    fn stream(&self, out: &SyncSender<Result<Message, Trouble>>) -> Result<(), Trouble> {
        let mut url = self.url.clone();
        let mut hub = None;
        for _ in 0..=REDIRECTS {
            let mut request = self.agent.get(&url);
            if self.start > 0 {
                request = request.header("Range", format!("bytes={}-", self.start));
            }
            if let Some(token) = self.token.as_ref().filter(|_| origin(&url) == self.origin) {
                request = request.header("Authorization", token.header());
            }
            let response = request.call().map_err(|error| trouble(&url, &error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            // A redirect within the hub only says that the repository has another name now.
            let hub_headers = if origin(&url) == self.origin {
                hub.insert(headers.clone())
            } else {
                hub.get_or_insert_with(HeaderMap::new)
            };
            if status.is_redirection() {
                let location = headers.get("Location").and_then(|l| l.to_str().ok());
                url = location
                    .and_then(|location| join(&url, location))
                    .ok_or_else(|| Trouble::Lasting(format!("{} redirects to nowhere", origin(&url))))?;
                continue;
            }
            let head = Message::Head { status: status.as_u16(), headers, hub: hub_headers.clone() };
            if out.send(Ok(head)).is_err() {
                return Ok(());
            }
            return body(response.into_body().into_reader(), out);
        }
        Err(Trouble::Lasting("the server redirects in circles".into()))
    }
}

fn body(mut reader: impl Read, out: &SyncSender<Result<Message, Trouble>>) -> Result<(), Trouble> {
    loop {
        let mut piece = vec![0; PIECE];
        let count = reader
            .read(&mut piece)
            .map_err(|error| Trouble::Passing(format!("the connection broke: {error}")))?;
        piece.truncate(count);
        if count == 0 || out.send(Ok(Message::Piece(piece))).is_err() {
            return Ok(());
        }
    }
}

fn trouble(url: &str, error: &ureq::Error) -> Trouble {
    use ureq::{Error, Timeout};
    let host = origin(url);
    match error {
        Error::HostNotFound => Trouble::Unreachable(format!("{host} is not found; is there a network?")),
        Error::ConnectionFailed | Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            Trouble::Unreachable(format!("{host} cannot be reached; is there a network?"))
        }
        Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
            Trouble::Unreachable(format!("{host} refuses the connection"))
        }
        Error::Timeout(_) => Trouble::Passing(format!("{host} does not answer")),
        Error::Io(e) => Trouble::Passing(format!("the connection to {host} broke: {e}")),
        Error::Protocol(_) | Error::BodyStalled => {
            Trouble::Passing(format!("{host} does not speak HTTP: {error}"))
        }
        _ => Trouble::Lasting(format!("{host}: {error}")),
    }
}

/// The scheme and the host with its port: what a token is for.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#', '\\']).map_or(url.len(), |at| host + at);
    &url[..end]
}

/// Where a redirect leads; `None` if nowhere, or from an encrypted connection to an open one.
fn join(from: &str, location: &str) -> Option<String> {
    let scheme = from.split_once("://")?.0;
    let to = if location.starts_with("https://") || location.starts_with("http://") {
        location.to_owned()
    } else if let Some(rest) = location.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if location.starts_with('/') {
        format!("{}{location}", origin(from))
    } else {
        let path = from.split(['?', '#']).next()?;
        format!("{}/{location}", path.rsplit_once('/')?.0)
    };
    (scheme != "https" || to.starts_with("https://")).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_browsers_would_go() {
        let from = "https://hub.co/a/b?x=/y";
        for (location, wanted) in [
            ("https://cdn.co/f", Some("https://cdn.co/f")),
            ("//cdn.co/f", Some("https://cdn.co/f")),
            ("/f?q", Some("https://hub.co/f?q")),
            ("f", Some("https://hub.co/a/f")),
            ("http://hub.co/f", None),
        ] {
            assert_eq!(join(from, location).as_deref(), wanted, "{location}");
        }
    }

    #[test]
    fn a_look_alike_is_another_origin() {
        let hub = "https://hub.co";
        assert_eq!(origin("https://hub.co/api/models"), hub);
        for other in [
            "https://hub.co.evil.com/",
            "https://hub.co@evil.com/",
            "http://hub.co/",
            "https://hub.co:8443/",
            "https://evil.com/https://hub.co",
        ] {
            assert_ne!(origin(other), hub, "{other}");
        }
    }
}
