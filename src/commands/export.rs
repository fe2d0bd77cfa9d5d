//! `maze export`: a saved trace as a web page, as text, or as JSON.

use std::io::Write;
use std::path::Path;

use super::output::Sink;
use super::replay::{other_tokens, read};
use super::{Failure, load};
use crate::atomic::AtomicFile;
use crate::cli::ExportArgs;
use crate::config::{self, Config};
use crate::engine::export::{self, Format};
use crate::engine::{ModelSpec, Trace, Vocabulary, replay};
use crate::ui::palette::palette;

pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let trace = read(&args.trace)?;
    let vocabulary = match args.format {
        Format::Json => None,
        Format::Html | Format::Text => vocabulary(args, &config, &trace)?,
    };
    let write =
        |out: &mut dyn Write| export::write(out, args.format, &trace, vocabulary.as_deref(), &palette());
    let Some(path) = &args.output else {
        let mut stdout = Sink::stdout();
        if stdout.is_plain() && args.format == Format::Text {
            return Ok(super::replay::plain::show(&mut stdout, &trace)?);
        }
        if !stdout.is_terminal() {
            return Ok(write(&mut stdout)?);
        }
        let mut bytes = Vec::new();
        write(&mut bytes)?;
        let text = stdout.shown(&String::from_utf8_lossy(&bytes)).into_owned();
        return Ok(writeln!(stdout, "{}", text.trim_end_matches('\n'))?);
    };
    save(path, write).map_err(|e| Failure::Run(format!("cannot write {}: {e}", path.display())))
}

/// Writes a file whole or not at all.
pub(super) fn save(
    path: &Path,
    write: impl Fn(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        // A pipe or a device that is there already.
        return write(&mut std::io::BufWriter::new(std::fs::OpenOptions::new().write(true).open(path)?));
    }
    let mut file = AtomicFile::create(path)?;
    write(&mut file)?;
    file.commit()
}

/// The tokens of the model that names the candidates; `None` if there is none to be had for nothing.
fn vocabulary(
    args: &ExportArgs,
    config: &Config,
    trace: &Trace,
) -> Result<Option<std::sync::Arc<Vocabulary>>, Failure> {
    if trace.steps.iter().all(|step| step.insight.is_none()) {
        return Ok(None);
    }
    let is_asked_for = args.model.model.is_some();
    // A model that nobody has named here is not loaded for its words alone, unless it is at hand.
    let embedded = Config { model: ModelSpec::Embedded, ..config.clone() };
    let loaded = load(if is_asked_for { config } else { &embedded })?;
    match replay::same_tokens(trace, &loaded.vocabulary) {
        Ok(()) => Ok(Some(loaded.vocabulary)),
        Err(difference) if is_asked_for => {
            let name = &loaded.model.info().name;
            Err(other_tokens(&args.trace.display().to_string(), trace, name, &difference))
        }
        Err(_) => {
            let mut stderr = Sink::stderr();
            let name = crate::sanitize::line(&trace.model.name);
            let note = "note: candidates are named by their numbers; --model";
            writeln!(stderr, "{note} with the trace's model ({name}) names them by their texts")?;
            Ok(None)
        }
    }
}
