//! Model files that a test opens, and what the errors must say.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use maze::engine::error::LoadError;
use maze::engine::load::{DeviceSpec, Loaded, ModelSpec, load};

/// A fixture or a file made from one, with a short context.
pub fn open(path: &Path) -> Result<Loaded, LoadError> {
    load(&ModelSpec::Path(path.to_owned()), DeviceSpec::Cpu, Some(16), &mut |_| ControlFlow::Continue(()))
}

/// The folder of a fixture.
pub fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(case)
}

/// The error's text; fails if it does not name the file.
pub fn message<T>(result: Result<T, LoadError>, path: &Path) -> String {
    let message = result.map(|_| ()).unwrap_err().to_string();
    assert!(message.contains(&*path.to_string_lossy()), "the file is not named: {message}");
    message
}

pub fn assert_says(message: &str, fragments: &[&str]) {
    for fragment in fragments {
        assert!(message.contains(fragment), "{fragment:?} is not in: {message}");
    }
}
