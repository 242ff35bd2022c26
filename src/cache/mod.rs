//! What modulefiles are about, remembered between runs in SQLite.
//!
//! A crawl evaluates each modulefile; one that has not changed since (size, time of change, inode) is not evaluated again.
//! Names, defaults and what is hidden are always read from the tree, because they may depend on the user and the time.
//! Neither are modulefiles remembered that open modulepaths: what they open may depend on the user.
//!
//! There is a system cache, built by the site's admin, and one for each user, which fills by itself. Both are read without
//! locks and never written in place: a new file is made beside the old one and renamed. A cache that is damaged, from
//! another version, or somebody else's to write is as if it were not there.
//!
//! Nobody outside this room knows SQL.

mod schema;

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::Connection;

use crate::config::Config;
use crate::session::Session;
use crate::tree::{About, Entry, Memory};

pub use schema::CacheError;

/// How long after its last change a file is not yet to be trusted: another change may fall into the same tick of the
/// clock, and clocks of file servers differ.
const SETTLED: Duration = Duration::from_secs(2);

/// Which cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The site's.
    System,
    /// The user's.
    User,
}

/// What identifies the content of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: i64,
    /// Time of the last change, in nanoseconds.
    changed: i64,
    inode: i64,
}

impl Stamp {
    /// The stamp of a file; `None` where it is gone, or changed too recently to be told from its next change.
    fn of(file: &Utf8Path) -> Option<Stamp> {
        let meta = std::fs::metadata(file).ok()?;
        let age = SystemTime::now()
            .duration_since(meta.modified().ok()?)
            .ok()?;
        (age > SETTLED).then(|| Stamp {
            size: meta.len() as i64,
            changed: meta
                .mtime()
                .wrapping_mul(1_000_000_000)
                .wrapping_add(meta.mtime_nsec()),
            inode: meta.ino() as i64,
        })
    }
}

/// Something learned in this run.
#[derive(Debug)]
struct Learned {
    file: Utf8PathBuf,
    full_name: String,
    stamp: Stamp,
    about: About,
}

/// The caches of a session.
#[derive(Debug, Default)]
pub struct Cache {
    readers: Vec<Connection>,
    learned: Vec<Learned>,
    recalled: usize,
}

/// What is known of a cache file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose it is.
    pub owner: Owner,
    /// Where it is, or would be.
    pub path: Utf8PathBuf,
    /// Its size in bytes; `None` where there is none.
    pub size_bytes: Option<u64>,
    /// How many modules it describes.
    pub modules: usize,
    /// Why it is not used.
    pub problem: Option<String>,
}

/// Where the cache of `owner` is; `None` where the site or the user has no place for one.
pub fn path(session: &Session, config: &Config, owner: Owner) -> Option<Utf8PathBuf> {
    match owner {
        Owner::System => {
            (!config.system_cache.is_empty()).then(|| Utf8PathBuf::from(&config.system_cache))
        }
        Owner::User => session
            .cache_home()
            .map(|home| home.join("xmod/modules.sqlite")),
    }
}

impl Cache {
    /// Opens the caches that are there, the system's first.
    pub fn open(session: &Session, config: &Config) -> Cache {
        let mut cache = Cache::default();
        if config.ignore_cache {
            return cache;
        }
        for owner in [Owner::System, Owner::User] {
            if let Some(path) = path(session, config, owner)
                && let Ok(Some(connection)) = schema::open(&path)
            {
                cache.readers.push(connection);
            }
        }
        cache
    }

    /// A cache that remembers nothing yet: for a build from the ground up.
    pub fn empty() -> Cache {
        Cache::default()
    }

    /// How many modulefiles had to be evaluated.
    pub fn learned(&self) -> usize {
        self.learned.len()
    }

    /// How many did not.
    pub fn recalled(&self) -> usize {
        self.recalled
    }

    /// Writes what was learned to the file at `path`, together with what it held before.
    ///
    /// # Errors
    /// The directory cannot be written, or the disk is full; the old file stays.
    pub fn save(&self, path: &Utf8Path) -> Result<(), CacheError> {
        schema::write(path, Some(path), &self.learned)
    }

    /// Writes what was learned, and nothing else, to the file at `path`: what is gone from the tree goes from the cache.
    ///
    /// # Errors
    /// As for [`Cache::save`].
    pub fn replace(&self, path: &Utf8Path) -> Result<(), CacheError> {
        schema::write(path, None, &self.learned)
    }
}

impl Memory for Cache {
    fn recall(&mut self, entry: &Entry) -> Option<About> {
        if self.readers.is_empty() {
            return None;
        }
        let stamp = Stamp::of(&entry.file)?;
        let about = self
            .readers
            .iter()
            .find_map(|reader| schema::find(reader, &entry.file, &entry.full_name, stamp))?;
        self.recalled += 1;
        Some(about)
    }

    fn learn(&mut self, entry: &Entry, about: &About) {
        if !about.opens.is_empty() || about.is_dynamic {
            return;
        }
        if let Some(stamp) = Stamp::of(&entry.file) {
            self.learned.push(Learned {
                file: entry.file.clone(),
                full_name: entry.full_name.clone(),
                stamp,
                about: about.clone(),
            });
        }
    }
}

/// What is known of the caches of a session.
pub fn status(session: &Session, config: &Config) -> Vec<Status> {
    [Owner::System, Owner::User]
        .into_iter()
        .filter_map(|owner| path(session, config, owner).map(|path| (owner, path)))
        .map(|(owner, path)| {
            let size_bytes = std::fs::metadata(&path).ok().map(|meta| meta.len());
            let (modules, problem) = match schema::open(&path) {
                Ok(Some(connection)) => (schema::count(&connection), None),
                Ok(None) => (0, None),
                Err(error) => (0, Some(error.to_string())),
            };
            Status {
                owner,
                path,
                size_bytes,
                modules,
                problem,
            }
        })
        .collect()
}

/// Removes a cache. Tells whether there was one.
///
/// # Errors
/// It cannot be removed.
pub fn clear(path: &Utf8Path) -> Result<bool, CacheError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CacheError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests;
