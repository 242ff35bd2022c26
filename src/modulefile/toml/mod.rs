//! TOML modulefiles, format version 1: a description, not a program.
//!
//! Reference: `docs/reference/toml.md`.

mod availability;
mod document;

pub use availability::{VersionEntry, versions_of};
