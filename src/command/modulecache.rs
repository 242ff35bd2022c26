//! `module cachebuild` and `cacheclear`: the cache files of Environment Modules, for an Environment Modules that reads the
//! same modulepaths. xmod itself has its own cache (`xmod cache`), which notices changes, and never reads these.
//!
//! Source: `module(1)` `cachebuild`, `cacheclear`; the design notes "Module cache" of Environment Modules.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use bstr::ByteSlice;
use camino::{Utf8Path, Utf8PathBuf};

use super::{Context, change};
use crate::diag::{Diagnostic, Kind};
use crate::modulefile::tcl::join_elements;
use crate::tree::is_ignored;

/// The name of a cache file, in the modulepath that it is about.
const NAME: &str = ".modulecache";

/// Its first line: versions of Environment Modules before this one do not read it.
const COOKIE: &[u8] = b"#%Module5.3\n";

/// What a modulefile begins with.
const MAGIC: &[u8] = b"#%Module";

/// Deeper directories are links in a circle.
const MAX_DEPTH: usize = 64;

/// Writes the cache file of each directory, or of those in MODULEPATH.
pub(super) fn build(context: &mut Context) -> Result<(), Diagnostic> {
    for dir in directories(context) {
        if !dir.is_dir() {
            return Err(
                Diagnostic::new(Kind::Site, format!("`{dir}` is not a directory"))
                    .help("without a directory those of MODULEPATH are taken"),
            );
        }
        let file = dir.join(NAME);
        let lines = record(&dir);
        if lines.is_empty() {
            context.print(&format!("warning: nothing to record for `{dir}`\n"));
            continue;
        }
        match write(&dir, &file, &lines) {
            Ok(()) => context.print(&format!("Creating {file}\n")),
            Err(error) => context.print(&format!("warning: cannot write `{file}`: {error}\n")),
        }
    }
    Ok(())
}

/// Removes the cache files of the directories in MODULEPATH.
pub(super) fn clear(context: &mut Context) -> Result<(), Diagnostic> {
    for dir in directories(context) {
        let file = dir.join(NAME);
        if !file.exists() {
            continue;
        }
        match std::fs::remove_file(&file) {
            Ok(()) => context.print(&format!("Deleting {file}\n")),
            Err(error) => context.print(&format!("warning: cannot remove `{file}`: {error}\n")),
        }
    }
    Ok(())
}

fn directories(context: &Context) -> Vec<Utf8PathBuf> {
    if !context.words.is_empty() {
        let named = change::directories(context);
        let named = named.iter().flat_map(|dirs| dirs.split_str(":"));
        return named
            .map(|dir| dir.to_str_lossy().into_owned().into())
            .collect();
    }
    let paths = context.engine.state().modulepath();
    let paths = paths.iter().map(|path| Utf8PathBuf::from(path.to_string()));
    paths.filter(|path| path.is_dir()).collect()
}

/// A new file, then the rename: who reads it sees the old one or the new one.
fn write(dir: &Utf8Path, file: &Utf8Path, lines: &[Vec<u8>]) -> std::io::Result<()> {
    let mut temporary = tempfile::NamedTempFile::new_in(dir)?;
    temporary.write_all(COOKIE)?;
    for line in lines {
        temporary.write_all(line)?;
        temporary.write_all(b"\n")?;
    }
    let readable = std::fs::Permissions::from_mode(0o644);
    temporary.as_file().set_permissions(readable)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// The lines about everything below a modulepath, in the order of the names.
fn record(dir: &Utf8Path) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let walk = walkdir::WalkDir::new(dir)
        .follow_links(true)
        .min_depth(1)
        .max_depth(MAX_DEPTH)
        .sort_by_file_name();
    let mut walk = walk.into_iter();
    while let Some(entry) = walk.next() {
        // A link that leads nowhere or in a circle is no module.
        let Ok(entry) = entry else { continue };
        let (Some(path), Ok(meta)) = (Utf8Path::from_path(entry.path()), entry.metadata()) else {
            continue;
        };
        let Some(base) = path.file_name() else {
            continue;
        };
        let relative = path.strip_prefix(dir).unwrap_or(path).as_str();
        let is_rc = base == ".modulerc" || base == ".version";
        let mode = meta.permissions().mode();
        if meta.is_dir() {
            if is_ignored(base) {
                walk.skip_current_dir();
            } else if mode & 0o005 != 0o005 {
                lines.push(line(&["limited-access-directory", relative]));
                walk.skip_current_dir();
            }
        } else if is_rc || !is_ignored(base) {
            if mode & 0o004 == 0 {
                lines.push(line(&["limited-access-file", relative]));
            } else {
                lines.extend(record_file(path, relative, is_rc, &meta));
            }
        }
    }
    lines
}

/// The line about one file; none for rc files that are not of Tcl.
fn record_file(
    path: &Utf8Path,
    relative: &str,
    is_rc: bool,
    meta: &std::fs::Metadata,
) -> Option<Vec<u8>> {
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(error) => {
            let error = error.to_string();
            return Some(line(&["modulefile-invalid", relative, "accesserr", &error]));
        }
    };
    if !content.starts_with(MAGIC) {
        let reason = "Magic cookie '#%Module' missing";
        let invalid = line(&["modulefile-invalid", relative, "invalid", reason]);
        return (!is_rc).then_some(invalid);
    }
    let end = content
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(content.len());
    let header = &content[..end];
    Some(if is_rc {
        join_elements([b"modulerc-content", relative.as_bytes(), header, &content])
    } else {
        let changed = std::os::unix::fs::MetadataExt::mtime(meta).to_string();
        join_elements([
            b"modulefile-content".as_slice(),
            relative.as_bytes(),
            changed.as_bytes(),
            header,
            &content,
        ])
    })
}

fn line(words: &[&str]) -> Vec<u8> {
    join_elements(words.iter().map(|word| word.as_bytes()))
}
