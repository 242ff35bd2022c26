//! Why a request leads to no module.

use camino::Utf8PathBuf;

use crate::diag::{Diagnostic, Kind};
use crate::name::Spec;

/// Why a request leads to no module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Nothing bears the name, or no version does what is asked.
    #[error("no module `{spec}`")]
    NotFound {
        /// What was asked for.
        spec: Spec,
    },
    /// The file of that name is no modulefile.
    #[error("`{file}` is not a modulefile")]
    NotModulefile {
        /// The file.
        file: Utf8PathBuf,
    },
    /// The file of that name cannot be read, so nothing tells what it is.
    #[error("cannot read `{file}`: permission denied")]
    Unreadable {
        /// The file.
        file: Utf8PathBuf,
    },
    /// The site forbids it.
    #[error("access to module `{full_name}` is denied")]
    Forbidden {
        /// The module.
        full_name: String,
        /// The site's reason.
        message: Option<String>,
    },
    /// There are versions, but none is marked as default and none may be guessed.
    #[error("no default version defined for `{name}`")]
    NoDefault {
        /// What was asked for.
        name: String,
    },
    /// Aliases that stand for one another.
    #[error("`{name}` is an alias that leads back to itself")]
    Loop {
        /// What was asked for.
        name: String,
    },
    /// `NAME@loaded` without a loaded version.
    #[error("no loaded version of `{name}`")]
    NotLoaded {
        /// The name.
        name: String,
    },
}

impl From<ResolveError> for Diagnostic {
    fn from(error: ResolveError) -> Diagnostic {
        let diagnostic = Diagnostic::new(Kind::Module, error.to_string());
        match error {
            ResolveError::Forbidden {
                message: Some(message),
                ..
            } => diagnostic.note(message),
            ResolveError::NoDefault { name } => {
                diagnostic.help(format!("name a version: `module avail {name}` lists them"))
            }
            ResolveError::NotModulefile { .. } => diagnostic.help(
                "the name of a modulefile ends in `.lua` or `.toml`, or its first line begins with `#%Module`",
            ),
            _ => diagnostic,
        }
    }
}
