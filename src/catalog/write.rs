//! Puts an export in its place: at any moment readers see the old one or the new one, whole.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::diag::{Diagnostic, Kind};

/// The file that tells a directory of ours from others.
const MARK: &str = ".xmod-catalog";

/// A file of a site: its path below the site's directory, and its content.
pub(super) type SiteFile = (String, Vec<u8>);

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

/// Writes a directory beside `path`, then exchanges the two.
///
/// # Errors
/// `path` holds something else than an export, cannot be written, or the disk is full; what was there stays.
pub(super) fn directory(path: &Utf8Path, files: &[SiteFile]) -> Result<(), Diagnostic> {
    let path = Utf8PathBuf::from(path.as_str().trim_end_matches('/'));
    let is_there = path.symlink_metadata().is_ok();
    let is_empty = || {
        path.read_dir_utf8()
            .is_ok_and(|mut entries| entries.next().is_none())
    };
    if is_there && !path.join(MARK).is_file() && !is_empty() {
        return Err(Diagnostic::new(
            Kind::Site,
            format!("`{path}` is there and holds something else than a catalog"),
        )
        .note("nothing was written")
        .help("name a directory that does not exist yet"));
    }
    let write = || -> io::Result<()> {
        fs::create_dir_all(parent(&path))?;
        let temporary = tempfile::Builder::new()
            .prefix(".catalog-")
            .tempdir_in(parent(&path))?;
        let root = Utf8Path::from_path(temporary.path())
            .ok_or_else(|| io::Error::other("the directory's name is not UTF-8"))?;
        fs::write(
            root.join(MARK),
            "written by `xmod catalog export --format html`\n",
        )?;
        for (name, content) in files {
            let file = root.join(name);
            fs::create_dir_all(parent(&file))?;
            fs::write(file, content)?;
        }
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        if is_there {
            exchange(root, &path)
        } else {
            fs::rename(root, &path)
        }
        // What the temporary name now stands for, the old export or nothing, goes with `temporary`.
    };
    write().map_err(|error| failed(&path, &error))
}

/// Gives two directories each other's name.
fn exchange(new: &Utf8Path, old: &Utf8Path) -> io::Result<()> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    let at_once = renameat2(
        AT_FDCWD,
        new.as_std_path(),
        AT_FDCWD,
        old.as_std_path(),
        RenameFlags::RENAME_EXCHANGE,
    );
    match at_once {
        Ok(()) => Ok(()),
        // Some network file systems cannot; there the name is missing for a moment.
        Err(_) => {
            let aside = Utf8PathBuf::from(format!("{new}.old"));
            fs::rename(old, &aside)?;
            if let Err(error) = fs::rename(new, old) {
                fs::rename(&aside, old)?;
                return Err(error);
            }
            fs::remove_dir_all(&aside)
        }
    }
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
