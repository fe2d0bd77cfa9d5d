//! Makes the README's pictures: plays the scenes in `.github/scenes` against the program itself, in a
//! pseudo-terminal, and writes what is seen as SVG beside them.
//!
//! ```sh
//! cargo run --release --example record                    # all pictures of the README
//! cargo run --release --example record -- --to /tmp my-scene.txt
//! ```
//!
//! The program is built first, so no picture is of an older one. It starts with nothing remembered and
//! nobody's settings, computes with the embedded model and seed 0, and so does the same each time;
//! only the times on the screen are those of the machine. How a scene is written: `scene.rs`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

mod animation;
mod cells;
#[path = "../../tests/support/keys.rs"]
mod keys;
mod player;
#[path = "../../tests/support/pty.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod pty;
mod scene;
#[path = "../../tests/support/screen.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod screen;
mod svg;

fn main() -> Result<(), Box<dyn Error>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github");
    let (mut to, mut scenes) = (home.clone(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--to" => to = arguments.next().ok_or("--to needs a folder")?.into(),
            _ => scenes.push(PathBuf::from(argument)),
        }
    }
    if scenes.is_empty() {
        scenes = std::fs::read_dir(home.join("scenes"))?.flatten().map(|entry| entry.path()).collect();
        scenes.sort();
    }
    let program = build()?;
    for path in scenes {
        let shown = path.display();
        let script = std::fs::read_to_string(&path).map_err(|e| format!("{shown}: {e}"))?;
        let lines = scene::parse(&script).map_err(|e| format!("{shown}: {e}"))?;
        println!("{shown}");
        let mut written = Ok(());
        player::play(&program, &lines, |name, picture| {
            let path = to.join(name).with_extension("svg");
            println!("  {} ({} KB)", path.display(), picture.len() / 1000);
            if let Err(error) = std::fs::write(&path, picture) {
                written = Err(format!("{}: {error}", path.display()));
            }
        });
        written?;
    }
    Ok(())
}

/// Builds the program; returns where it is: beside the folder of this one.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--bin", "maze"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !status.success() {
        return Err("the program could not be built".into());
    }
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("this program is nowhere")?;
    Ok(folder.join("maze"))
}
