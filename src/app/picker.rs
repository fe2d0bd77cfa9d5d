//! The picker of models: what is typed into it, and which models of the catalog it shows then.

use std::sync::Arc;

use crate::catalog::{Catalog, Entry};

use super::event::Wanted;
use super::field::Field;

/// What is known about the models that can be picked.
#[derive(Clone, Debug, Default)]
pub struct Picker {
    /// What is typed: a part of a name, or a name or path that is not in the list.
    pub query: Field,
    /// The models; `None` until they have been looked for.
    pub catalog: Option<Arc<Catalog>>,
    /// The model in use, as it was asked for.
    pub in_use: Option<Wanted>,
}

/// A row of the picker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Row<'a> {
    /// A model of the catalog.
    Listed(&'a Entry),
    /// What is typed, as it is.
    Typed(&'a str),
}

impl Picker {
    /// The rows: models whose name contains what is typed, then what is typed itself.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let query = self.query.text().trim();
        let wanted = query.to_lowercase();
        let entries = self.catalog.iter().flat_map(|catalog| &catalog.entries);
        let mut rows: Vec<Row<'_>> = entries
            .filter(|entry| entry.model.to_string().to_lowercase().contains(&wanted))
            .map(Row::Listed)
            .collect();
        let is_listed = rows.iter().any(|row| matches!(row, Row::Listed(e) if e.model.to_string() == query));
        if !query.is_empty() && !is_listed {
            rows.push(Row::Typed(query));
        }
        rows
    }
}

impl Row<'_> {
    /// What picking this row asks for.
    pub fn wanted(&self) -> Wanted {
        match self {
            Self::Listed(entry) => Wanted::Model(entry.model.clone()),
            Self::Typed(text) => Wanted::Named((*text).to_owned()),
        }
    }
}
