//! Files from the hub into the cache: asked for, resumed, verified, and put in place whole.
//!
//! A content is written under its checksum with `.incomplete` at the end, and gets its name only
//! once every byte is there and the checksum is right. So what has its name is complete, whatever
//! happens in between, and what has not is never loaded.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use super::OnStatus;
use super::cache::RepoCache;
use super::checksum::{Checksum, Hasher};
use super::error::HubError;
use super::http::{Answer, Client, Trouble};
use super::listing::{self, Announced, Listing};
use super::name::HubModel;
use super::settings::Settings;
use super::status::{Meter, Status, bytes, time};

/// How long nobody is asked whether to go on.
const TICK: Duration = Duration::from_millis(50);

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Bytes that are read at once from what came earlier.
const BLOCK: usize = 1 << 20;

/// Gets the files of one model.
pub(super) struct Fetcher<'a> {
    model: &'a HubModel,
    settings: &'a Settings,
    cache: &'a RepoCache,
    client: Client,
    report: Report<'a>,
    /// How long the server has asked to be left alone.
    asked_pause: Option<Duration>,
}

/// Tells how it goes, and hears whether to go on.
struct Report<'a> {
    on: OnStatus<'a>,
    status: Status,
    meter: Meter,
}

impl Report<'_> {
    /// Takes in that bytes came, or that still none did.
    fn came(&mut self, count: usize) -> ControlFlow<()> {
        self.status.done += count as u64;
        self.status.speed = self.meter.add(count as u64, Instant::now());
        (self.on)(&self.status)
    }

    /// As [`came`](Self::came), in a place that cannot be left without an answer.
    fn tick(&mut self, count: usize) -> Result<(), Trouble> {
        match self.came(count) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Trouble::Cancelled),
        }
    }

    /// Waits, and tells why.
    fn pause(&mut self, length: Duration, note: &str) -> Result<(), HubError> {
        self.status.note = Some(note.into());
        self.meter.reset();
        let end = Instant::now() + length;
        loop {
            if (self.on)(&self.status).is_break() {
                return Err(HubError::Cancelled);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.status.note = None;
                return Ok(());
            }
            std::thread::sleep(left.min(TICK));
        }
    }
}

/// A file that is being written.
struct Partial {
    file: File,
    len: u64,
    hasher: Hasher,
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(
        model: &'a HubModel,
        settings: &'a Settings,
        cache: &'a RepoCache,
        on: OnStatus<'a>,
    ) -> Self {
        let status = Status { file: "list of files".into(), ..Status::default() };
        let client = Client::new(settings);
        let report = Report { on, status, meter: Meter::default() };
        Self { model, settings, cache, client, report, asked_pause: None }
    }

    pub(super) fn cache(&self) -> &RepoCache {
        self.cache
    }

    pub(super) fn unusable(&self, message: String) -> HubError {
        HubError::Unusable { model: self.model.clone(), message }
    }

    /// Asks what the repository holds.
    pub(super) fn listing(&mut self) -> Result<Listing, HubError> {
        let url = format!("{}/api/{}?blobs=true", self.settings.endpoint, self.cache.repo().api_url());
        let text = self.patiently("the list of files", |this, _| {
            let mut answer = this.client.get(&url, 0, &mut || this.report.came(0))?;
            if answer.status != 200 {
                return Ok(Err(this.refused(&answer, None)?));
            }
            let mut text = Vec::new();
            while let Some(piece) = answer.piece(&mut || this.report.came(0))? {
                text.extend(piece);
                if text.len() > listing::MOST_BYTES {
                    return Err(Trouble::Lasting(format!("it has more than {}", bytes(text.len() as u64))));
                }
            }
            Ok(Ok(text))
        })??;
        Listing::parse(&text).map_err(|message| HubError::Answer { what: self.model.to_string(), message })
    }

    /// Downloads those of the files that are not there, and shows all of them in the snapshot.
    pub(super) fn fetch(&mut self, listing: &Listing, names: &[String]) -> Result<(), HubError> {
        let mut files = Vec::new();
        for name in names {
            let announced = listing
                .file(name)
                .ok_or_else(|| self.unusable(format!("{name} is not in the repository")))?;
            files.push((name, announced));
        }
        self.report.status.total = files.iter().map(|(_, file)| file.size).sum();
        let present = |file: &Announced| {
            let len = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
            len(&self.cache.blob(&file.checksum)).max(len(&self.cache.partial(&file.checksum))).min(file.size)
        };
        let there: u64 = files.iter().map(|(_, file)| present(file)).sum();
        self.check_space(self.report.status.total - there)?;
        self.report.status.done = 0;
        for (name, announced) in files {
            let before = self.report.status.done;
            self.report.status.file = name.as_str().into();
            self.one(&listing.commit, name, announced)?;
            self.cache.link(&listing.commit, name, &announced.checksum)?;
            self.report.status.done = before + announced.size;
        }
        Ok(())
    }

    /// There must be room for all that is missing, and 5 % to spare.
    fn check_space(&self, missing: u64) -> Result<(), HubError> {
        let folder = self.settings.cache()?;
        let failed = |source| HubError::Storage { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let free = (self.settings.free_space)(folder).map_err(failed)?;
        let need = missing.saturating_add(missing / 20);
        if need > free {
            return Err(HubError::Space { model: self.model.clone(), need, free, folder: folder.to_owned() });
        }
        Ok(())
    }

    /// One content into the cache.
    fn one(&mut self, commit: &str, name: &str, announced: &Announced) -> Result<(), HubError> {
        let Announced { size, checksum } = announced;
        let blob = self.cache.blob(checksum);
        let is_there = || std::fs::metadata(&blob).is_ok_and(|m| m.len() == *size);
        if is_there() {
            return Ok(());
        }
        let _lock = self.lock(checksum)?;
        // Another program may have had the lock, and done the work.
        if is_there() {
            return Ok(());
        }
        let path = self.cache.partial(checksum);
        let failed = |source| HubError::Storage { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut partial = self.open(&path, announced)?;
        let url = format!(
            "{}/{}/resolve/{commit}/{}",
            self.settings.endpoint,
            self.cache.repo().url(),
            name.replace(' ', "%20").replace('+', "%2B")
        );
        self.patiently(name, |this, tries| this.receive(&url, name, announced, &mut partial, tries))??;
        let got = partial.hasher.finish();
        if got != *checksum {
            std::fs::remove_file(&path).map_err(failed)?;
            let (expected, got) = (checksum.to_string(), got.to_string());
            return Err(HubError::Checksum { file: name.to_owned(), expected, got });
        }
        partial.file.sync_all().and_then(|()| std::fs::rename(&path, &blob)).map_err(failed)
    }

    /// Waits until nobody else writes this content. The lock is the one that other programs take.
    fn lock(&mut self, checksum: &Checksum) -> Result<File, HubError> {
        let path = self.cache.lock(checksum);
        let failed = |source| HubError::Storage { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Where there are no locks, there is no other program that waits for one either.
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) => {
                    self.report.pause(TICK, "another program is downloading it")?;
                }
            }
        }
        Ok(file)
    }

    /// What came earlier, read once for the checksum.
    fn open(&mut self, path: &Path, announced: &Announced) -> Result<Partial, HubError> {
        let failed = |source| HubError::Storage { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        if file.metadata().map_err(failed)?.len() > announced.size {
            file.set_len(0).map_err(failed)?;
        }
        let mut hasher = announced.checksum.hasher(announced.size);
        let mut block = vec![0; BLOCK];
        let mut len = 0;
        loop {
            let count = file.read(&mut block).map_err(failed)?;
            if count == 0 {
                return Ok(Partial { file, len, hasher });
            }
            hasher.update(&block[..count]);
            len += count as u64;
            self.report.status.done += count as u64;
            self.report.tick(0).map_err(|_| HubError::Cancelled)?;
        }
    }

    /// Asks for what is missing of a file and writes it. An error in here is one of the disk or of
    /// the input, trouble one of the connection.
    fn receive(
        &mut self,
        url: &str,
        name: &str,
        announced: &Announced,
        partial: &mut Partial,
        tries: &mut u32,
    ) -> Result<Result<(), HubError>, Trouble> {
        if partial.len == announced.size {
            return Ok(Ok(()));
        }
        let mut answer = self.client.get(url, partial.len, &mut || self.report.came(0))?;
        match answer.status {
            200 | 206 => {}
            // The server has fewer bytes than are here: they cannot be of this file.
            416 => {
                if let Err(error) = self.restart(partial, announced) {
                    return Ok(Err(self.storage(error, announced)));
                }
                return Err(Trouble::Passing("the server cannot go on from there".into()));
            }
            _ => return Ok(Err(self.refused(&answer, Some(name))?)),
        }
        let etag = answer.hub_header("x-linked-etag").or_else(|| answer.hub_header("etag"));
        if etag.and_then(Checksum::parse).is_some_and(|etag| etag != announced.checksum) {
            let message = "it has changed since the repository was listed; try again".into();
            return Ok(Err(HubError::Answer { what: name.to_owned(), message }));
        }
        let is_rest = answer.header("content-range").is_some_and(|r| is_from(r, partial.len, announced.size));
        // All of it, or another part than the one that was asked for.
        if partial.len > 0
            && !(answer.status == 206 && is_rest)
            && let Err(error) = self.restart(partial, announced)
        {
            return Ok(Err(self.storage(error, announced)));
        }
        if answer.status == 206 && !is_rest {
            return Err(Trouble::Passing("the server sends another part than it was asked for".into()));
        }
        if let Err(error) = partial.file.seek(SeekFrom::Start(partial.len)) {
            return Ok(Err(self.storage(error, announced)));
        }
        loop {
            let piece = match answer.piece(&mut || self.report.came(0)) {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(Trouble::Passing(reason)) => return Err(cut(&reason, partial, announced)),
                Err(trouble) => return Err(trouble),
            };
            let len = partial.len + piece.len() as u64;
            if len > announced.size {
                let message = format!("it is longer than the {} announced", bytes(announced.size));
                return Ok(Err(HubError::Answer { what: name.to_owned(), message }));
            }
            if let Err(error) = partial.file.write_all(&piece) {
                return Ok(Err(self.storage(error, announced)));
            }
            partial.hasher.update(&piece);
            partial.len = len;
            *tries = 0;
            self.report.tick(piece.len())?;
        }
        if partial.len < announced.size {
            return Err(cut("the connection ended", partial, announced));
        }
        Ok(Ok(()))
    }

    fn storage(&self, source: io::Error, announced: &Announced) -> HubError {
        HubError::Storage { path: self.cache.partial(&announced.checksum), source }
    }

    /// Forgets what came so far.
    fn restart(&mut self, partial: &mut Partial, announced: &Announced) -> io::Result<()> {
        partial.file.set_len(0)?;
        self.report.status.done -= partial.len;
        partial.len = 0;
        partial.hasher = announced.checksum.hasher(announced.size);
        Ok(())
    }

    /// What a status other than success means.
    fn refused(&mut self, answer: &Answer, file: Option<&str>) -> Result<HubError, Trouble> {
        let (model, endpoint) = (self.model, &self.settings.endpoint);
        let page = format!("{endpoint}/{}", model.repo);
        let is_gated = answer.hub_header("x-error-code") == Some("GatedRepo");
        let has_token = self.settings.token.is_some();
        Ok(match answer.status {
            _ if is_gated && has_token => HubError::Denied(format!(
                "{model} is gated, and the account of this token has no access: accept its licence at {page}"
            )),
            _ if is_gated => HubError::Denied(format!(
                "{model} is gated: accept its licence at {page}, then set HF_TOKEN to a token of that account"
            )),
            401 if has_token => HubError::Denied(format!(
                "{model} does not exist, or the token in use has no access to it; check the name at {endpoint}/models and the token in HF_TOKEN or HF_TOKEN_PATH"
            )),
            401 => HubError::Denied(format!(
                "{model} does not exist or is private; check the name at {endpoint}/models, or set HF_TOKEN"
            )),
            403 => HubError::Denied(format!(
                "{model} must not be downloaded with {}; see {page}",
                if has_token { "this token" } else { "no token; set HF_TOKEN" }
            )),
            404 => HubError::NotFound(match (file, &model.revision) {
                (Some(file), _) => format!("{model} has no file {file} any more; try again"),
                (None, Some(revision)) => {
                    format!(
                        "{} has no revision {revision}, or there is no such model; see {page}",
                        model.repo
                    )
                }
                (None, None) => {
                    format!(
                        "there is no model {model} on {endpoint}, and no file or folder of that name here; search at {endpoint}/models?search={}",
                        model.short()
                    )
                }
            }),
            429 | 500..=599 => {
                let seconds = answer.header("retry-after").and_then(|s| s.trim().parse().ok());
                self.asked_pause = seconds.map(Duration::from_secs);
                return Err(Trouble::Passing(format!("the server answers {}", answer.status)));
            }
            status => {
                let what = file.map_or_else(|| model.to_string(), str::to_owned);
                HubError::Answer { what, message: format!("its status is {status}") }
            }
        })
    }

    /// Tries until it works, with growing pauses in which the reason is told. `attempt` may set the
    /// number of failed tries back: as long as something comes, it is worth going on.
    fn patiently<T>(
        &mut self,
        what: &str,
        mut attempt: impl FnMut(&mut Self, &mut u32) -> Result<T, Trouble>,
    ) -> Result<T, HubError> {
        let patience = self.settings.patience;
        let mut tries = 0;
        loop {
            let reason = match attempt(self, &mut tries) {
                Ok(done) => return Ok(done),
                Err(Trouble::Cancelled) => return Err(HubError::Cancelled),
                Err(Trouble::Lasting(message)) => {
                    return Err(HubError::Answer { what: what.to_owned(), message });
                }
                // Without any connection yet, waiting would only hide what is wrong.
                Err(Trouble::Unreachable(reason)) if self.report.status.done == 0 => {
                    return Err(HubError::Network { what: self.model.to_string(), reason });
                }
                Err(Trouble::Unreachable(reason) | Trouble::Passing(reason)) => reason,
            };
            tries += 1;
            if tries >= patience.tries {
                let reason = format!("{reason} ({tries} tries)");
                return Err(HubError::Network { what: what.to_owned(), reason });
            }
            let growing = patience.pause.saturating_mul(1 << (tries - 1).min(5));
            let pause =
                self.asked_pause.take().unwrap_or_default().clamp(growing, LONGEST_PAUSE.max(growing));
            let note =
                format!("again in {} (try {} of {}): {reason}", time(pause), tries + 1, patience.tries);
            self.report.pause(pause, &note)?;
        }
    }
}

fn cut(reason: &str, partial: &Partial, announced: &Announced) -> Trouble {
    Trouble::Passing(format!("{reason} after {} of {}", bytes(partial.len), bytes(announced.size)))
}

/// Whether a `Content-Range` is from byte `start` to the end of a file of `size` bytes.
fn is_from(range: &str, start: u64, size: u64) -> bool {
    range.trim() == format!("bytes {start}-{}/{size}", size.saturating_sub(1))
}
