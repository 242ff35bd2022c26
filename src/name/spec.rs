//! What was asked for: a name, perhaps with a constraint on its version.
//!
//! Source: Lmod user guide "Module names", `module(1)` "Advanced module version specifiers", Lmod `atleast`, `atmost`,
//! `between`, `latest`.

use std::fmt;

/// One module that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The text as it was written, for messages and for saving.
    pub text: String,
    /// The path part, without `@...`, trailing `/` and `.lua`: `gcc`, `gcc/13`, `bio/bowtie/2.3`, `/abs/file`.
    pub path: String,
    /// Which versions will do.
    pub versions: Versions,
    /// Variants that must hold: `+mpi`, `prec=8` (Environment Modules).
    pub variants: Vec<(String, String)>,
}

/// A constraint on versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// What `path` says: a bare name, a full name or the beginning of a version.
    AsWritten,
    /// The highest version, whatever is marked as default: `latest("gcc")`.
    Latest,
    /// Any of these ranges: `gcc@1.2,1.4:1.6`, `between("gcc", "1.2", "1.4")`.
    Ranges(Vec<Range>),
    /// A semantic version range: `gcc@^1.2`.
    Semver(semver::VersionReq),
}

/// Versions from `low` to `high`; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Lower bound.
    pub low: Option<Bound>,
    /// Upper bound.
    pub high: Option<Bound>,
}

/// One end of a [`Range`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The version as written.
    pub version: String,
    /// Whether the version itself belongs to the range.
    pub inclusive: bool,
}

/// Why a text is not a specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Nothing is left when decoration is taken away.
    #[error("empty module name")]
    Empty,
}

impl Spec {
    /// A specification that takes `text` as name and version, with no further meaning.
    ///
    /// # Errors
    /// An empty name.
    pub fn plain(text: &str) -> Result<Spec, SpecError> {
        let path = text
            .strip_suffix(".lua")
            .unwrap_or(text)
            .trim_end_matches('/');
        if path.is_empty() {
            return Err(SpecError::Empty);
        }
        Ok(Spec {
            text: text.to_owned(),
            path: path.to_owned(),
            versions: Versions::AsWritten,
            variants: Vec::new(),
        })
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
