//! `maze models`: what is at hand, and what would run.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::Failure;
use super::output::Sink;
use crate::catalog::{Catalog, Entry};
use crate::cli::ModelsArgs;
use crate::engine::ModelSpec;
use crate::hub::Settings;
use crate::hub::status::bytes;
use crate::ui::format;
use crate::ui::glyphs::width;

const HEADINGS: [&str; 7] = ["model", "format", "weights", "size", "context", "memory", "runs"];

pub(super) fn run(args: &ModelsArgs) -> Result<(), Failure> {
    let settings = Settings::of_process().map_err(|e| Failure::Input(e.to_string()))?;
    let cache = settings.cache.as_deref();
    let catalog = Catalog::read(cache, &args.paths);
    let mut stdout = Sink::stdout();
    if args.json {
        stdout.json(&as_json(&catalog, cache))?;
    } else {
        if stdout.is_plain() {
            list(&mut stdout, &catalog)?
        } else {
            table(&mut stdout, &catalog)?
        };
        let mut stderr = Sink::stderr();
        let place = match cache {
            Some(path) => format!("the cache is {}", path.display()),
            None => "there is no place for a cache: set HOME or HF_HOME".to_owned(),
        };
        let place = stderr.shown_in_line(&place).into_owned();
        let _ = writeln!(stderr, "{} of memory are free; {place}", bytes(catalog.free));
    }
    let is_broken = |entry: &Entry| matches!(entry.model, ModelSpec::Path(_)) && entry.survey.is_err();
    if catalog.entries.iter().any(is_broken) { Err(Failure::Told(2)) } else { Ok(()) }
}

fn table(stdout: &mut Sink, catalog: &Catalog) -> std::io::Result<()> {
    let rows: Vec<[String; 7]> = catalog
        .entries
        .iter()
        .map(|entry| cells(entry, catalog.free).map(|cell| stdout.shown_in_line(&cell).into_owned()))
        .collect();
    let heads = HEADINGS.map(str::to_owned);
    let columns: [usize; 7] = std::array::from_fn(|i| {
        rows.iter().chain([&heads]).map(|row| width(&row[i], 0)).max().unwrap_or_default()
    });
    for row in [&heads].into_iter().chain(&rows) {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            let blanks = " ".repeat(columns[i] - width(cell, 0));
            // Figures end together, words begin together; behind the last column is nothing.
            line += &match i {
                3..=5 => format!("{blanks}{cell}  "),
                6 => cell.clone(),
                _ => format!("{cell}{blanks}  "),
            };
        }
        writeln!(stdout, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Each figure on a line of its own, with its name.
fn list(stdout: &mut Sink, catalog: &Catalog) -> std::io::Result<()> {
    for entry in &catalog.entries {
        for (heading, cell) in HEADINGS.iter().zip(cells(entry, catalog.free)) {
            if !cell.is_empty() {
                let cell = stdout.shown_in_line(&cell).into_owned();
                writeln!(stdout, "{heading}: {cell}")?;
            }
        }
        writeln!(stdout)?;
    }
    Ok(())
}

fn cells(entry: &Entry, free: u64) -> [String; 7] {
    let name = entry.model.to_string();
    let runs = entry.obstacle(free).map_or_else(|| "yes".to_owned(), |reason| format!("no: {reason}"));
    let Ok(survey) = &entry.survey else {
        return [name, String::new(), String::new(), String::new(), String::new(), String::new(), runs];
    };
    [
        name,
        survey.format.clone(),
        survey.weights.clone(),
        bytes(survey.file_bytes),
        format::tokens(survey.context),
        entry.memory().map_or_else(String::new, bytes),
        runs,
    ]
}

fn as_json(catalog: &Catalog, cache: Option<&Path>) -> Value {
    let models: Vec<Value> = catalog
        .entries
        .iter()
        .map(|entry| {
            let reason = entry.obstacle(catalog.free);
            let mut value =
                json!({ "model": entry.model.to_string(), "runs": reason.is_none(), "reason": reason });
            if let Ok(survey) = &entry.survey {
                value["memory_bytes"] = json!(entry.memory());
                value["survey"] = json!(survey);
            }
            value
        })
        .collect();
    json!({ "free_memory": catalog.free, "cache": cache, "models": models })
}
