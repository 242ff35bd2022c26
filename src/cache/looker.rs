//! Looks at many files and directories below one, which spares the system the way to each of them.

use std::os::fd::AsFd;

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::Mode;

use crate::tree::Stamp;

/// Looks at paths below a directory.
pub(super) struct Looker {
    root: Option<std::fs::File>,
    path: Utf8PathBuf,
    /// A directory that most of the paths lie in, with the part of them that leads to it.
    inner: Option<(std::fs::File, String)>,
}

impl Looker {
    pub(super) fn new(root: &Utf8Path) -> Looker {
        Looker {
            root: open(root),
            path: root.to_owned(),
            inner: None,
        }
    }

    /// The same, where most of the paths begin with `inner`, which ends with a slash.
    pub(super) fn within(root: &Utf8Path, inner: String) -> Looker {
        let dir = match inner.is_empty() {
            true => None,
            false => open(&root.join(&inner)),
        };
        Looker {
            inner: dir.map(|dir| (dir, inner)),
            ..Looker::new(root)
        }
    }

    /// The stamp of what `path` leads to.
    pub(super) fn stamp(&self, path: &str) -> Option<Stamp> {
        let Some(root) = &self.root else {
            return Stamp::of(&self.path.join(path));
        };
        let below = self.inner.as_ref().and_then(|(dir, inner)| {
            let rest = path.strip_prefix(inner.as_str())?;
            Some((dir, rest))
        });
        let (dir, path) = match below {
            Some(below) => below,
            None => (root, path),
        };
        let path = if path.is_empty() { "." } else { path };
        let stat = nix::sys::stat::fstatat(dir.as_fd(), path, AtFlags::empty()).ok()?;
        let nanoseconds = |s: i64, ns: i64| s.wrapping_mul(1_000_000_000).wrapping_add(ns);
        let is_dir = stat.st_mode & nix::libc::S_IFMT == nix::libc::S_IFDIR;
        Some(Stamp {
            size: if is_dir {
                0
            } else {
                u64::try_from(stat.st_size).unwrap_or_default()
            },
            inode: stat.st_ino,
            modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        })
    }
}

fn open(dir: &Utf8Path) -> Option<std::fs::File> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let opened = nix::fcntl::open(dir.as_std_path(), flags, Mode::empty());
    opened.ok().map(std::fs::File::from)
}

/// The directory that all paths lie in, with a slash behind it; empty where that is none.
pub(super) fn common_dir<'p>(mut paths: impl Iterator<Item = &'p str>) -> String {
    let mut common = paths.next().unwrap_or_default();
    for path in paths {
        let same = common.bytes().zip(path.bytes()).take_while(|(a, b)| a == b);
        let same = same.count();
        // Up to a slash, so between characters.
        let end = common.as_bytes()[..same]
            .iter()
            .rposition(|byte| *byte == b'/');
        common = &common[..end.map_or(0, |end| end + 1)];
        if common.is_empty() {
            break;
        }
    }
    let end = common.rfind('/').map_or(0, |end| end + 1);
    common[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::common_dir;

    #[test]
    fn the_directory_of_all_paths_is_found() {
        let of = |paths: &[&str]| common_dir(paths.iter().copied());
        assert_eq!(of(&["q/b/one", "q/b/on/e", "q/b/other"]), "q/b/");
        assert_eq!(of(&["q/b/one"]), "q/b/");
        assert_eq!(of(&["/opt/é/1", "/opt/è/2"]), "/opt/");
        assert_eq!(of(&["q/b", "qb"]), "");
        assert_eq!(of(&[]), "");
    }
}
