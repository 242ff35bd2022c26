//! The one table of a cache file, and how it is opened and replaced.
//!
//! Opened immutable: no locks, which network file systems refuse or do slowly, and no journal is looked for. Never in WAL
//! mode, which needs memory that hosts do not share.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{Learned, Stamp};
use crate::tree::About;

/// Tells our files from other SQLite files: "xmod".
const APPLICATION_ID: i32 = 0x786d_6f64;

/// The version of the table and of what stands in it; another one is not read.
const FORMAT: i32 = 2;

/// Why a cache cannot be used or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// A file or directory.
    #[error("cannot write the cache `{path}`: {reason}")]
    File {
        /// Which.
        path: Utf8PathBuf,
        /// What the system says.
        reason: String,
    },
    /// SQLite says no.
    #[error("the cache `{path}` cannot be used: {reason}")]
    Database {
        /// Which file.
        path: Utf8PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// Others could put anything into it.
    #[error("the cache `{path}` is not used: {reason}")]
    NotTrusted {
        /// Which file.
        path: Utf8PathBuf,
        /// Who could.
        reason: &'static str,
    },
    /// It is from another version of the program, or no cache at all.
    #[error("the cache `{path}` was not written by this version")]
    Foreign {
        /// Which file.
        path: Utf8PathBuf,
    },
}

/// Opens a cache for reading; `None` where there is none.
pub(super) fn open(path: &Utf8Path) -> Result<Option<Connection>, CacheError> {
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(_) => return Ok(None),
    };
    let not_trusted = |reason| CacheError::NotTrusted {
        path: path.to_owned(),
        reason,
    };
    let me = nix::unistd::geteuid().as_raw();
    if meta.uid() != 0 && meta.uid() != me {
        return Err(not_trusted("it belongs to another user"));
    }
    if meta.permissions().mode() & 0o022 != 0 {
        return Err(not_trusted("others may write it"));
    }
    let broken = |error: rusqlite::Error| CacheError::Database {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(format!("file:{}?immutable=1", escaped(path)), flags)
            .map_err(broken)?;
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = pragma("application_id").map_err(broken)?;
    let format = pragma("user_version").map_err(broken)?;
    if application != APPLICATION_ID || format != FORMAT {
        return Err(CacheError::Foreign {
            path: path.to_owned(),
        });
    }
    Ok(Some(connection))
}

/// A path inside a `file:` URI.
fn escaped(path: &Utf8Path) -> String {
    path.as_str()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

/// What a module is about, if its file still has this stamp. A damaged row is no row.
pub(super) fn find(
    connection: &Connection,
    file: &Utf8Path,
    full_name: &str,
    stamp: Stamp,
) -> Option<About> {
    let mut statement = connection
        .prepare_cached("SELECT about FROM module WHERE file = ? AND name = ? AND size = ? AND changed = ? AND inode = ?")
        .ok()?;
    let text: String = statement
        .query_row(
            params![
                file.as_str(),
                full_name,
                stamp.size,
                stamp.changed,
                stamp.inode
            ],
            |row| row.get(0),
        )
        .optional()
        .ok()??;
    serde_json::from_str(&text).ok()
}

/// How many modules a cache describes.
pub(super) fn count(connection: &Connection) -> usize {
    connection
        .query_row("SELECT count(*) FROM module", [], |row| {
            row.get::<_, i64>(0)
        })
        .map_or(0, |count| usize::try_from(count).unwrap_or(0))
}

/// Writes a cache with the rows of another file, if one is given, and new ones: beside the old file, then in its place.
pub(super) fn write(
    path: &Utf8Path,
    old: Option<&Utf8Path>,
    learned: &[Learned],
) -> Result<(), CacheError> {
    let failed = |reason: String| CacheError::File {
        path: path.to_owned(),
        reason,
    };
    let io = |error: std::io::Error| failed(error.to_string());
    let sql = |error: rusqlite::Error| failed(error.to_string());
    let dir = path
        .parent()
        .filter(|d| !d.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    std::fs::create_dir_all(dir).map_err(io)?;
    let temporary = tempfile::Builder::new()
        .prefix(".modules-")
        .suffix(".new")
        .tempfile_in(dir)
        .map_err(io)?;
    let mut connection = Connection::open(temporary.path()).map_err(sql)?;
    // Nobody reads the file before it is whole, so it needs no journal; it is made safe at the end.
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {FORMAT};
             CREATE TABLE module (file TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL,
             inode INTEGER NOT NULL, about TEXT NOT NULL, PRIMARY KEY (file, name)) WITHOUT ROWID;"
        ))
        .map_err(sql)?;
    let transaction = connection.transaction().map_err(sql)?;
    {
        let mut insert = transaction
            .prepare("INSERT OR REPLACE INTO module VALUES (?, ?, ?, ?, ?, ?)")
            .map_err(sql)?;
        if let Some(Ok(Some(old))) = old.map(open) {
            let mut rows = old.prepare("SELECT * FROM module").map_err(sql)?;
            let mut rows = rows.query([]).map_err(sql)?;
            // A damaged old file gives what it still holds.
            while let Ok(Some(row)) = rows.next() {
                let column = |index| row.get::<_, rusqlite::types::Value>(index);
                let values = (0..6).map(column).collect::<Result<Vec<_>, _>>();
                if let Ok(values) = values {
                    insert
                        .execute(rusqlite::params_from_iter(values))
                        .map_err(sql)?;
                }
            }
        }
        for row in learned {
            let about =
                serde_json::to_string(&row.about).map_err(|error| failed(error.to_string()))?;
            insert
                .execute(params![
                    row.file.as_str(),
                    row.full_name,
                    row.stamp.size,
                    row.stamp.changed,
                    row.stamp.inode,
                    about
                ])
                .map_err(sql)?;
        }
    }
    transaction.commit().map_err(sql)?;
    connection.close().map_err(|(_, error)| sql(error))?;
    temporary.as_file().sync_all().map_err(io)?;
    // Readable for all, writable for the owner: a system cache is read by everybody.
    temporary
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))
        .map_err(io)?;
    temporary.persist(path).map_err(|error| io(error.error))?;
    // The name is only safe when the directory is; where that cannot be had, the file is still whole.
    let _ = std::fs::File::open(dir).and_then(|dir| dir.sync_all());
    Ok(())
}
