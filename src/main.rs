//! The program: arguments in, exit code out.

use std::ops::ControlFlow;
use std::process::ExitCode;

use maze::app::{self, Options, scripted, worker::Loader};
use maze::engine::load::{DeviceSpec, ModelSpec, load};
use maze::engine::trace::Request;

fn main() -> ExitCode {
    let rate = std::env::args().find_map(|a| a.strip_prefix("--model=scripted:")?.parse().ok());
    let loader: Loader = match rate {
        Some(rate) => scripted::loader(rate),
        None => Box::new(|on: &mut dyn FnMut(_) -> ControlFlow<()>| {
            load(&ModelSpec::Embedded, DeviceSpec::Auto, None, on)
        }),
    };
    let options = Options {
        loader,
        grammar: None,
        prompt: None,
        template: Request::default(),
        theme: None,
        probe: !std::env::args().any(|a| a == "--no-probe"),
        mouse: true,
    };
    match app::run(options) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("maze: {error}");
            ExitCode::from(2)
        }
    }
}
