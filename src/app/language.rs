//! The languages that the output can be highlighted in.

/// What the output is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Python.
    Python,
    /// TypeScript.
    TypeScript,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Zig.
    Zig,
    /// JSON.
    Json,
    /// SQL.
    Sql,
    /// Nothing in particular.
    #[default]
    Plain,
}

impl Language {
    /// Every language.
    pub const ALL: &[Language] = &[
        Self::Python,
        Self::TypeScript,
        Self::Rust,
        Self::Go,
        Self::Zig,
        Self::Json,
        Self::Sql,
        Self::Plain,
    ];

    /// The name that people know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::TypeScript => "TypeScript",
            Self::Rust => "Rust",
            Self::Go => "Go",
            Self::Zig => "Zig",
            Self::Json => "JSON",
            Self::Sql => "SQL",
            Self::Plain => "text",
        }
    }

    /// The extension of its files, by which its syntax is found.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::TypeScript => "ts",
            Self::Rust => "rs",
            Self::Go => "go",
            Self::Zig => "zig",
            Self::Json => "json",
            Self::Sql => "sql",
            Self::Plain => "txt",
        }
    }

    /// The language whose files have this extension; plain text if there is none.
    pub fn from_extension(extension: &str) -> Self {
        Self::ALL.iter().copied().find(|l| l.extension() == extension).unwrap_or_default()
    }
}
