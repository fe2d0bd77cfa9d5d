//! What a run can be written as.

use crate::engine::export::Format;

use super::{Pick, Row};

/// The kinds of files.
pub(super) fn rows() -> Vec<Row> {
    let row = |format: Format| {
        Row::new("", format.title(), Pick::Export(format))
            .about(format.about())
            .right(format!(".{}", format.extension()))
    };
    Format::ALL.map(row).into()
}
