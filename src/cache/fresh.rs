//! Whether a modulepath is still as it was when the cache was made.
//!
//! How much is looked at is a setting for each modulepath: all its directories (`dir`), one file (`stamp`), nothing
//! (`trust`). Stamps are compared for equality. Source: `docs/guide/cache.md`.

use std::os::fd::AsFd;

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::Mode;

use super::pack::Unpacker;
use crate::config::Config;
use crate::tree::{Dir, Source, SourceKind, Stamp, digest};

/// How it is decided whether a modulepath has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// By all its directories, and by the modulefiles where their content matters.
    Dir,
    /// By one file that the admin touches when something has changed.
    Stamp(Utf8PathBuf),
    /// Never: until the cache is built again.
    Trust,
}

/// The stamp file of a modulepath where none is named.
const STAMP_FILE: &str = ".xmod-stamp";

/// From this many on, files are looked at by several threads.
const WORTH_THREADS: usize = 4096;

impl Freshness {
    /// What the setting `cache_freshness` says about a modulepath: `LEVEL` for all, `DIR=LEVEL` for one, separated by `;`.
    pub fn of(root: &Utf8Path, config: &Config) -> Freshness {
        let mut words = config.cache_freshness.split(';').map(str::trim);
        let same = |dir: &str| dir.trim_end_matches('/') == root.as_str().trim_end_matches('/');
        let special = words.clone().find_map(|word| {
            let (dir, level) = word.split_once('=')?;
            same(dir.trim()).then_some(level.trim())
        });
        let level = special.or_else(|| words.rfind(|word| !word.is_empty() && !word.contains('=')));
        match level.unwrap_or("dir") {
            "trust" => Freshness::Trust,
            "stamp" => Freshness::Stamp(root.join(STAMP_FILE)),
            level => match level.strip_prefix("stamp:") {
                Some(file) => Freshness::Stamp(root.join(file)),
                None => Freshness::Dir,
            },
        }
    }
}

/// Looks at paths below a directory, which spares the system the way to it.
struct Looker {
    root: Option<std::fs::File>,
    path: Utf8PathBuf,
}

impl Looker {
    fn new(root: &Utf8Path) -> Looker {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let opened = nix::fcntl::open(root.as_std_path(), flags, Mode::empty());
        Looker {
            root: opened.ok().map(std::fs::File::from),
            path: root.to_owned(),
        }
    }

    /// The stamp of what `path` leads to.
    fn stamp(&self, path: &str) -> Option<Stamp> {
        let Some(root) = &self.root else {
            return Stamp::of(&self.path.join(path));
        };
        let path = if path.is_empty() { "." } else { path };
        let stat = nix::sys::stat::fstatat(root.as_fd(), path, AtFlags::empty()).ok()?;
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

/// Whether what a survey looked at is as it was. Every source is the same as before, or the modulepath has changed.
pub(super) fn are_unchanged(root: &Utf8Path, sources: &[u8], config: &Config) -> bool {
    each_chunk(sources, |mut unpacker, count| {
        let looker = Looker::new(root);
        for _ in 0..count {
            let Some((path, stamp, kind, _)) = unpacker.source() else {
                return false;
            };
            if !is_unchanged(&looker, root, path, stamp, kind, config) {
                return false;
            }
        }
        true
    })
    .is_some_and(|chunks| chunks.into_iter().all(|unchanged| unchanged))
}

/// The directories among the sources that are as they were, with their entries.
pub(super) fn unchanged_dirs(root: &Utf8Path, sources: &[u8]) -> Vec<(Source, Option<Dir>)> {
    let chunks = each_chunk(sources, |mut unpacker, count| {
        let looker = Looker::new(root);
        let mut found = Vec::new();
        for _ in 0..count {
            let Some((path, stamp, kind, entries)) = unpacker.source() else {
                break;
            };
            if kind == SourceKind::Dir && looker.stamp(path) == Some(stamp) {
                let source = Source {
                    path: path.to_owned(),
                    stamp,
                    kind,
                    entries: entries.to_owned(),
                };
                if let Some(dir) = Dir::from_text(entries) {
                    found.push((source, Some(dir)));
                }
            }
        }
        found
    });
    chunks.unwrap_or_default().into_iter().flatten().collect()
}

fn is_unchanged(
    looker: &Looker,
    root: &Utf8Path,
    path: &str,
    stamp: Stamp,
    kind: SourceKind,
    config: &Config,
) -> bool {
    match kind {
        SourceKind::Dir => looker.stamp(path) == Some(stamp),
        SourceKind::File => stamp != Stamp::default() && looker.stamp(path) == Some(stamp),
        SourceKind::Missing => looker.stamp(path).is_none(),
        SourceKind::Unsettled(known) => {
            let read = Dir::read(&root.join(path), config.default_links);
            read.is_ok_and(|dir| digest(&dir) == known)
        }
        // Whoever can read it sees more than the cache does.
        SourceKind::Closed => {
            looker.stamp(path) == Some(stamp) && std::fs::read_dir(root.join(path)).is_err()
        }
    }
}

/// The stamps of files that are no longer those that are known, by the files' numbers. A file without a stamp was not to be
/// remembered.
pub(super) fn changed_files(
    root: &Utf8Path,
    files: &[String],
    stamps: &[Option<Stamp>],
) -> Vec<u32> {
    let pairs: Vec<(usize, &String, &Option<Stamp>)> = files
        .iter()
        .zip(stamps)
        .enumerate()
        .map(|(number, (file, stamp))| (number, file, stamp))
        .collect();
    let changed = |part: &[(usize, &String, &Option<Stamp>)]| {
        let looker = Looker::new(root);
        let changed = part
            .iter()
            .filter(|(_, file, stamp)| stamp.is_none() || looker.stamp(file) != **stamp);
        let numbers = changed.filter_map(|(number, ..)| u32::try_from(*number).ok());
        numbers.collect::<Vec<u32>>()
    };
    let threads = threads(pairs.len());
    if threads == 1 {
        return changed(&pairs);
    }
    std::thread::scope(|scope| {
        let parts = pairs.chunks(pairs.len().div_ceil(threads));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(move || changed(part)))
            .collect();
        let results = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default());
        results.flatten().collect()
    })
}

fn threads(count: usize) -> usize {
    match count < WORTH_THREADS {
        true => 1,
        false => std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(16),
    }
}

/// How many sources stand in one chunk.
pub(super) const CHUNK: usize = 1024;

/// Does something with all chunks of the sources, in threads where there are many. `None` where the bytes are damaged.
fn each_chunk<T: Send>(
    bytes: &[u8],
    work: impl Fn(Unpacker<'_>, usize) -> T + Sync,
) -> Option<Vec<T>> {
    let mut chunks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (head, behind) = rest.split_at_checked(8)?;
        let length = u32::from_le_bytes(head[..4].try_into().ok()?) as usize;
        let count = u32::from_le_bytes(head[4..].try_into().ok()?) as usize;
        let (chunk, next) = behind.split_at_checked(length)?;
        chunks.push((chunk, count));
        rest = next;
    }
    let threads = threads(chunks.len() * CHUNK).min(chunks.len().max(1));
    if threads == 1 {
        return Some(
            chunks
                .into_iter()
                .map(|(chunk, count)| work(Unpacker::new(chunk), count))
                .collect(),
        );
    }
    let work = &work;
    let results = std::thread::scope(|scope| {
        let workers: Vec<_> = chunks
            .chunks(chunks.len().div_ceil(threads))
            .map(|part| {
                scope.spawn(move || {
                    let done = part
                        .iter()
                        .map(|(chunk, count)| work(Unpacker::new(chunk), *count));
                    done.collect::<Vec<T>>()
                })
            })
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join().ok());
        joined.collect::<Option<Vec<Vec<T>>>>()
    })?;
    Some(results.into_iter().flatten().collect())
}

/// Packs sources in chunks that can be read apart.
pub(super) fn pack_sources(sources: &[Source]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in sources.chunks(CHUNK) {
        let mut packer = super::pack::Packer::default();
        for source in chunk {
            packer.source(source);
        }
        let packed = packer.finish();
        bytes.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&packed);
    }
    bytes
}
