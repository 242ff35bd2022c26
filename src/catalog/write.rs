//! Puts an export in its place: at any moment readers see the old one or the new one, whole.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;

use crate::diag::{Diagnostic, Kind};

/// Writes a file beside `path`, then renames it.
///
/// # Errors
/// The directory cannot be written, or the disk is full; the old file stays.
pub(super) fn file(path: &Utf8Path, content: &[u8]) -> Result<(), Diagnostic> {
    let write = || -> io::Result<()> {
        let mut temporary = tempfile::Builder::new()
            .prefix(".catalog-")
            .tempfile_in(parent(path))?;
        temporary.write_all(content)?;
        temporary
            .as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))?;
        temporary.as_file().sync_all()?;
        temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| failed(path, &error))
}

fn parent(path: &Utf8Path) -> &Utf8Path {
    path.parent()
        .filter(|dir| !dir.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."))
}

fn failed(path: &Utf8Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Kind::Site, format!("cannot write `{path}`: {error}"))
        .note("what was there before is untouched")
}
