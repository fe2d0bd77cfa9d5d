//! A hub on this machine: the routes that downloads use, with the faults that networks have.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maze::hub::checksum::Checksum;
use serde_json::{Value, json};

/// What goes wrong with one answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection ends after so many bytes of the content.
    Cut(usize),
    /// So many bytes, then nothing more, with the connection open.
    Stall(usize),
    /// The whole file, whatever part was asked for.
    IgnoreRange,
    /// Another part than the one that was asked for.
    WrongPart,
    /// One byte is another.
    Flip,
    /// More bytes than announced.
    TooLong,
    /// This status and header instead of an answer.
    Status(u16, &'static str),
    /// Another checksum than the listing's.
    OtherEtag,
}

/// A request, as a server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub host: &'static str,
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

#[derive(Default)]
struct World {
    commit: String,
    files: BTreeMap<String, Vec<u8>>,
    /// What the listing says instead of the truth.
    listing: Option<Vec<u8>>,
    faults: Vec<(String, Fault)>,
    seen: Vec<Seen>,
    token: Option<String>,
    stalled: Option<Sender<()>>,
}

/// The server and the one that it redirects to.
pub struct Hub {
    pub endpoint: String,
    world: Arc<Mutex<World>>,
    stop: Arc<AtomicBool>,
    stalled: Receiver<()>,
}

const REPO: &str = "tiny/llama";

impl Hub {
    /// A hub with one model, whose repository holds these files.
    pub fn with(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let (sender, stalled) = channel();
        let world = World { stalled: Some(sender), ..World::default() };
        let (world, stop) = (Arc::new(Mutex::new(world)), Arc::new(AtomicBool::new(false)));
        let cdn = serve("cdn", String::new(), &world, &stop);
        let endpoint = serve("hub", cdn, &world, &stop);
        let hub = Self { endpoint, world, stop, stalled };
        hub.publish("a", files);
        hub
    }

    /// A hub with the files of a folder.
    pub fn of_folder(folder: &Path) -> Self {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        Self::with(entries.map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap())))
    }

    /// A new commit: its first digit, and its files.
    pub fn publish(&self, digit: &str, files: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let mut world = self.world.lock().unwrap();
        world.commit = digit.repeat(40);
        world.files = files.into_iter().collect();
    }

    /// Next time somebody asks for a path that contains `part`, this happens.
    pub fn fault(&self, part: &str, fault: Fault) {
        self.world.lock().unwrap().faults.push((part.to_owned(), fault));
    }

    /// The listing shall be this text.
    pub fn list(&self, text: impl Into<Vec<u8>>) {
        self.world.lock().unwrap().listing = Some(text.into());
    }

    /// Nobody may see the model without this token.
    pub fn require(&self, token: &str) {
        self.world.lock().unwrap().token = Some(format!("Bearer {token}"));
    }

    /// What has been asked for since the last time.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.world.lock().unwrap().seen)
    }

    /// The parts of the content of `file` that were asked for; `None` is all of it.
    pub fn ranges(&self) -> Vec<Option<String>> {
        self.seen().into_iter().filter(|s| s.host == "cdn").map(|s| s.range).collect()
    }

    /// Waits until an answer stalls.
    pub fn wait_for_stall(&self) {
        self.stalled.recv_timeout(Duration::from_secs(20)).expect("an answer stalls");
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn serve(host: &'static str, cdn: String, world: &Arc<Mutex<World>>, stop: &Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (world, stop) = (world.clone(), stop.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if stop.load(Ordering::Acquire) {
                return;
            }
            let (world, stop, cdn) = (world.clone(), stop.clone(), cdn.clone());
            // A client that goes away is no failure of the server.
            std::thread::spawn(move || drop(answer(host, &cdn, stream, &world, &stop)));
        }
    });
    address
}

fn answer(
    host: &'static str,
    cdn: &str,
    stream: TcpStream,
    world: &Mutex<World>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut seen = Seen { host, path: path.clone(), range: None, authorization: None };
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("range") => seen.range = Some(value.into()),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                seen.authorization = Some(value.into());
            }
            Some(_) => {}
        }
    }
    let mut world = world.lock().unwrap();
    world.seen.push(seen.clone());
    let is_here = |fault: &(String, Fault)| path.contains(&fault.0) && (host == "cdn" || at_hub(&fault.1));
    let at = world.faults.iter().position(is_here);
    let fault = at.map(|at| world.faults.remove(at).1);

    if let Some(Fault::Status(status, header)) = fault {
        return head(&mut out, status, &[header.into()], 0);
    }
    if host == "hub" && world.token.is_some() && seen.authorization != world.token {
        return head(&mut out, 401, &["X-Error-Code: RepoNotFound".into()], 0);
    }
    if let Some(content) = path.strip_prefix("/content/") {
        let name = content.replace("%20", " ");
        let Some(bytes) = world.files.get(&name).cloned() else { return head(&mut out, 404, &[], 0) };
        let stalled = world.stalled.clone();
        drop(world);
        return content_with(&mut out, bytes, &[], &seen, fault, stalled, stop);
    }
    if path == format!("/api/models/{REPO}/revision/main?blobs=true") {
        let text = world.listing.clone().unwrap_or_else(|| listing(&world).to_string().into_bytes());
        return head(&mut out, 200, &[], text.len()).and_then(|()| out.write_all(&text));
    }
    if let Some(name) = path.strip_prefix(&format!("/{REPO}/resolve/{}/", world.commit))
        && let Some(bytes) = world.files.get(name).cloned()
    {
        let etag =
            if matches!(fault, Some(Fault::OtherEtag)) { "0".repeat(64) } else { checksum(name, &bytes) };
        if is_large(name) {
            let headers = [
                format!("Location: {cdn}/content/{name}"),
                format!("X-Linked-Etag: \"{etag}\""),
                "ETag: \"x\"".into(),
            ];
            return head(&mut out, 302, &headers, 0);
        }
        drop(world);
        return content_with(&mut out, bytes, &[format!("ETag: \"{etag}\"")], &seen, fault, None, stop);
    }
    head(&mut out, 404, &[], 0)
}

/// Faults of the hub itself; the others are of whoever sends the content.
fn at_hub(fault: &Fault) -> bool {
    matches!(fault, Fault::Status(..) | Fault::OtherEtag)
}

fn content_with(
    out: &mut TcpStream,
    mut bytes: Vec<u8>,
    headers: &[String],
    seen: &Seen,
    fault: Option<Fault>,
    stalled: Option<Sender<()>>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let size = bytes.len();
    let start = seen.range.as_deref().and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let start: Option<usize> = start.filter(|_| !matches!(fault, Some(Fault::IgnoreRange)));
    if start.is_some_and(|s| s >= size) {
        return head(out, 416, &[format!("Content-Range: bytes */{size}")], 0);
    }
    let from = start.map_or(0, |s| if matches!(fault, Some(Fault::WrongPart)) { s + 1 } else { s });
    match fault {
        Some(Fault::Flip) => bytes[size / 2] ^= 1,
        Some(Fault::TooLong) => bytes.push(0),
        _ => {}
    }
    let mut headers = headers.to_vec();
    if start.is_some() {
        headers.push(format!("Content-Range: bytes {from}-{}/{size}", size - 1));
    }
    let body = &bytes[from..];
    head(out, if start.is_some() { 206 } else { 200 }, &headers, body.len())?;
    match fault {
        Some(Fault::Cut(count)) => out.write_all(&body[..count]),
        Some(Fault::Stall(count)) => {
            out.write_all(&body[..count])?;
            out.flush()?;
            stalled.map(|s| s.send(()));
            while !stop.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        _ => out.write_all(body),
    }
}

fn head(out: &mut TcpStream, status: u16, headers: &[String], length: usize) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for header in headers.iter().filter(|h| !h.is_empty()) {
        text += &format!("{header}\r\n");
    }
    out.write_all(format!("{text}\r\n").as_bytes())
}

/// The hub keeps these files apart from git, and checks them with SHA-256.
fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".gguf")
}

/// The checksum of a file as the hub announces it.
pub fn checksum(name: &str, bytes: &[u8]) -> String {
    let digits = "0".repeat(if is_large(name) { 64 } else { 40 });
    let mut hasher = Checksum::parse(&digits).unwrap().hasher(bytes.len() as u64);
    hasher.update(bytes);
    hasher.finish().to_string()
}

fn listing(world: &World) -> Value {
    let files: Vec<Value> = world
        .files
        .iter()
        .map(|(name, bytes)| {
            let sum = checksum(name, bytes);
            match is_large(name) {
                true => json!({ "rfilename": name, "size": bytes.len(), "blobId": "x", "lfs": { "sha256": sum, "size": bytes.len() } }),
                false => json!({ "rfilename": name, "size": bytes.len(), "blobId": sum }),
            }
        })
        .collect();
    json!({ "id": REPO, "sha": world.commit, "siblings": files })
}
