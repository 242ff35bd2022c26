//! What tells whether a file or a directory is still the one that was read, without reading it again.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::Utf8Path;

/// How long after its last change something is not yet to be trusted: another change may fall into the same tick of the
/// clock, and clocks of file servers differ.
pub const SETTLED: Duration = Duration::from_secs(2);

/// The identity of a file or directory. Stamps are compared for equality, never for age: clocks differ between hosts. The
/// number of the device is no part of it, because network file systems have another one on each host.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Stamp {
    /// Bytes; 0 for a directory.
    pub size: u64,
    /// The number of its inode.
    pub inode: u64,
    /// When its content changed, in nanoseconds since 1970.
    pub modified: i64,
    /// When its inode changed, in nanoseconds since 1970.
    pub changed: i64,
}

impl Stamp {
    /// The stamp of what `path` leads to; `None` where that is nothing.
    pub fn of(path: &Utf8Path) -> Option<Stamp> {
        std::fs::metadata(path).ok().map(|meta| Stamp::new(&meta))
    }

    /// The stamp from what the system says.
    pub fn new(meta: &std::fs::Metadata) -> Stamp {
        let nanoseconds = |s: i64, ns: i64| s.wrapping_mul(1_000_000_000).wrapping_add(ns);
        Stamp {
            size: if meta.is_dir() { 0 } else { meta.size() },
            inode: meta.ino(),
            modified: nanoseconds(meta.mtime(), meta.mtime_nsec()),
            changed: nanoseconds(meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Whether a change after the look at `now` (nanoseconds since 1970) is sure to give another stamp.
    pub fn is_settled(&self, now: i64) -> bool {
        let settled = i64::try_from(SETTLED.as_nanos()).unwrap_or(i64::MAX);
        now.saturating_sub(self.modified).saturating_abs() >= settled
    }
}

/// The time in nanoseconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))
}
