//! Whether a modulepath is still as it was when the cache was made.
//!
//! How much is looked at is a setting for each modulepath: all its directories (`dir`), one file (`stamp`), nothing
//! (`trust`). Stamps are compared for equality. Source: `docs/guide/cache.md`.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::file::Block;
use super::look::{self, Seen};
use super::looker::{Looker, common_dir};
use crate::config::Config;
use crate::tree::{Dir, Source, SourceKind, Stamp, digest, heads};

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

/// A file server answers that many at the same time; more threads are no help.
const MOST_THREADS: usize = 16;

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

/// What is looked at of blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    /// Only the names that begin with these modules; all, if that is not said.
    pub(super) only: Option<&'s BTreeSet<u32>>,
    /// Whether directories and rc files are.
    pub(super) sources: bool,
    /// Whether modulefiles are.
    pub(super) files: bool,
}

/// What is not as it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    /// The modulefiles, by number. A file without a stamp was not to be remembered.
    pub(super) files: Vec<u32>,
    /// Directories and rc files that belong to names.
    pub(super) sources: Vec<String>,
    /// Directories and rc files that belong to none.
    pub(super) common: BTreeSet<String>,
}

/// Where so much is not as it was in one part, nobody wants to know what else.
const ENOUGH: usize = 2000;

/// Looks at what the names of blocks were read from. `None` where they are damaged.
pub(super) fn changed(
    root: &Utf8Path,
    blocks: &[Block],
    scope: Scope<'_>,
    config: &Config,
) -> Option<Changes> {
    let results = in_threads(blocks, look::count(blocks), |part| {
        let looker = looker_for(root, part);
        let mut changes = Changes::default();
        let whole = part.iter().all(|block| {
            look::each(block, scope.only, &mut |seen| {
                match seen {
                    Seen::Source(path, stamp, kind, _) if scope.sources => {
                        if !is_unchanged(&looker, root, path, stamp, kind, config) {
                            changes.sources.push(path.to_owned());
                        }
                    }
                    Seen::Module(number, stamp, file) if scope.files => {
                        if stamp.is_none() || looker.stamp(file) != stamp {
                            changes.files.push(number);
                        }
                    }
                    Seen::Source(..) | Seen::Module(..) => {}
                }
                changes.sources.len() < ENOUGH
            })
        });
        whole.then_some(changes)
    });
    let mut all = Changes::default();
    for changes in results {
        let mut changes = changes?;
        all.files.append(&mut changes.files);
        all.sources.append(&mut changes.sources);
    }
    Some(all)
}

/// What a survey looked at in places that belong to no name and that is not as it was. `None` where that is damaged.
pub(super) fn changed_common(
    root: &Utf8Path,
    common: &[u8],
    config: &Config,
) -> Option<BTreeSet<String>> {
    let looker = Looker::new(root);
    let mut changed = BTreeSet::new();
    let whole = look::each_common(common, &mut |path, stamp, kind, _| {
        if !is_unchanged(&looker, root, path, stamp, kind, config) {
            changed.insert(path.to_owned());
        }
        true
    });
    whole.then_some(changed)
}

/// The directories among the sources that are as they were, with their entries.
pub(super) fn unchanged_dirs(
    root: &Utf8Path,
    common: &[u8],
    blocks: &[Block],
) -> Vec<(Source, Option<Dir>)> {
    let keep = |looker: &Looker, path: &str, stamp, kind, entries: &[u8]| {
        if kind != SourceKind::Dir || looker.stamp(path) != Some(stamp) {
            return None;
        }
        let entries = std::str::from_utf8(entries).ok()?;
        let dir = Dir::from_text(entries)?;
        let source = Source {
            path: path.to_owned(),
            stamp,
            kind,
            entries: entries.to_owned(),
        };
        Some((source, Some(dir)))
    };
    let mut found = Vec::new();
    let looker = Looker::new(root);
    look::each_common(common, &mut |path, stamp, kind, entries| {
        found.extend(keep(&looker, path, stamp, kind, entries));
        true
    });
    let results = in_threads(blocks, look::count(blocks), |part| {
        let looker = looker_for(root, part);
        let mut found = Vec::new();
        for block in part {
            look::each(block, None, &mut |seen| {
                if let Seen::Source(path, stamp, kind, entries) = seen {
                    found.extend(keep(&looker, path, stamp, kind, entries));
                }
                true
            });
        }
        found
    });
    found.extend(results.into_iter().flatten());
    found
}

/// Looks at what names of blocks were read from.
fn looker_for(root: &Utf8Path, blocks: &[Block]) -> Looker {
    let names = blocks.iter().flat_map(|block| heads(&block.names));
    Looker::within(root, common_dir(names.map(|(name, _)| name)))
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

/// Whether a file below a modulepath is the one that is known.
pub(super) fn is_file_unchanged(root: &Utf8Path, file: &str, stamp: Option<Stamp>) -> bool {
    stamp.is_some() && Stamp::of(&root.join(file)) == stamp
}

/// Does something with parts of a list, in threads where `looks` says that there are many files to look at.
fn in_threads<T: Sync, R: Send>(
    items: &[T],
    looks: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    let threads = match looks < WORTH_THREADS {
        true => 1,
        false => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    if threads == 1 || items.len() < 2 {
        return vec![work(items)];
    }
    let work = &work;
    std::thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(items.len().div_ceil(threads.min(MOST_THREADS)))
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        let joined = workers.into_iter().map(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    })
}
