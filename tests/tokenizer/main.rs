//! Tokenizers against independent ones, masks against tokenizers, and tokenizers that are traps.
//!
//! The fixtures and what is in them: `tests/fixtures/tokenizers/make_tokenizers.py`.

mod corpus;
mod files;
mod hostile;
mod ids;
mod masks;
mod special;
