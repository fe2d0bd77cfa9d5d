//! `maze man`: the manual, made from the definition of the command line.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::Failure;
use super::output::Sink;
use crate::atomic::AtomicFile;
use crate::cli::{Cli, ManArgs};

pub(super) fn run(args: &ManArgs) -> Result<(), Failure> {
    let pages = pages();
    if let Some(folder) = &args.out {
        let failed =
            |e: std::io::Error| Failure::Input(format!("cannot write into {}: {e}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
        for page in &pages {
            write(&folder.join(format!("{}.1", page.name)), &page.text).map_err(failed)?;
        }
        return Ok(());
    }
    let page = match &args.command {
        None => pages.first(),
        Some(command) => pages.iter().find(|page| page.command == *command),
    };
    let page = page.ok_or_else(|| {
        let known: Vec<&str> = pages.iter().map(|p| p.command.as_str()).filter(|c| !c.is_empty()).collect();
        let wanted = args.command.as_deref().unwrap_or_default();
        Failure::Input(format!("there is no command {wanted:?}; there are {}", known.join(", ")))
    })?;
    Sink::stdout().write_all(&page.text)?;
    Ok(())
}

/// A page of the manual.
struct Page {
    /// The command it is about, `config set` for a command of a command; nothing for the main page.
    command: String,
    /// The page's own name: `maze-config-set`.
    name: String,
    text: Vec<u8>,
}

/// The main page, and one for every command.
fn pages() -> Vec<Page> {
    fn walk(command: &clap::Command, path: &str, pages: &mut Vec<Page>) {
        let mut text = Vec::new();
        // A Vec takes everything.
        let _ = Man::new(command.clone()).render(&mut text);
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        pages.push(Page { command: path.to_owned(), name, text });
        for sub in command.get_subcommands().filter(|s| !s.is_hide_set() && s.get_name() != "help") {
            walk(sub, format!("{path} {}", sub.get_name()).trim_start(), pages);
        }
    }
    let mut command = Cli::command();
    command.build();
    let mut pages = Vec::new();
    walk(&command, "", &mut pages);
    pages
}

fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text)?;
    file.commit()
}
