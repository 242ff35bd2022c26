//! The file of a cache: its tables, how it is opened and how it is replaced.
//!
//! Opened immutable: no locks, which network file systems refuse or do slowly, and no journal is looked for. Never in WAL
//! mode, which needs memory that hosts do not share. The schema is read at each opening, so it is short; what a request needs
//! stands in few pages.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::tree::Readers;

/// Tells our files from other SQLite files: "xmod".
const APPLICATION_ID: i32 = 0x786d_6f64;

/// The version of the tables and of what stands in them; another one is not read.
const FORMAT: i32 = 3;

/// Large enough that an index is read in few steps, small enough that one module is.
const PAGE_SIZE: u32 = 16384;

/// The parts of a modulepath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What has to be known before the rest is read.
    Head = 0,
    /// Its modules.
    Index = 1,
    /// What it was read from.
    Sources = 2,
    /// The stamps of its modulefiles.
    Stamps = 3,
    /// Properties and extensions.
    Extras = 4,
    /// The directories whose programs were listed.
    Programs = 5,
}

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

/// An open cache.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: Utf8PathBuf,
    connection: Connection,
}

/// Opens a cache for reading; `None` where there is none.
pub(super) fn open(path: &Utf8Path) -> Result<Option<File>, CacheError> {
    let broken = |reason: String| CacheError::Database {
        path: path.to_owned(),
        reason,
    };
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => {
            return match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(broken(error.to_string())),
            };
        }
    };
    let not_trusted = |reason| CacheError::NotTrusted {
        path: path.to_owned(),
        reason,
    };
    if meta.uid() != 0 && meta.uid() != nix::unistd::geteuid().as_raw() {
        return Err(not_trusted("it belongs to another user"));
    }
    if meta.permissions().mode() & 0o022 != 0 {
        return Err(not_trusted("others may write it"));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let uri = format!("file:{}?immutable=1", escaped(path));
    let connection =
        Connection::open_with_flags(uri, flags).map_err(|error| broken(error.to_string()))?;
    // Two numbers of the header, in one statement.
    let query = "SELECT application_id, user_version, page_count * page_size FROM \
        pragma_application_id, pragma_user_version, pragma_page_count, pragma_page_size";
    let header = connection.query_row(query, [], |row| {
        Ok((
            row.get::<_, i32>(0)?,
            row.get::<_, i32>(1)?,
            row.get::<_, i64>(2)?,
        ))
    });
    let (application, format, size) = header.map_err(|error| broken(error.to_string()))?;
    if application != APPLICATION_ID || format != FORMAT {
        return Err(CacheError::Foreign {
            path: path.to_owned(),
        });
    }
    if u64::try_from(size) != Ok(meta.len()) {
        return Err(broken("it is truncated".to_owned()));
    }
    Ok(Some(File {
        path: path.to_owned(),
        connection,
    }))
}

/// A path inside a `file:` URI.
fn escaped(path: &Utf8Path) -> String {
    path.as_str()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

/// The key of a part.
fn part_id(root: u32, part: Part) -> i64 {
    i64::from(root) * 8 + part as i64
}

/// The key of a module.
pub(super) fn module_id(root: u32, number: u32) -> i64 {
    i64::from(root) << 24 | i64::from(number)
}

/// A sum of bytes that belong to a key: damage inside a page would otherwise go unnoticed.
fn sum(id: i64, bytes: &[u8]) -> [u8; 4] {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut sum = (id as u64 ^ bytes.len() as u64).wrapping_mul(FACTOR);
    let mut add = |lane: u64| sum = (sum ^ lane).wrapping_mul(FACTOR).rotate_left(29);
    let (lanes, rest) = bytes.as_chunks::<8>();
    for lane in lanes {
        add(u64::from_le_bytes(*lane));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    add(u64::from_le_bytes(last));
    ((sum ^ sum >> 32) as u32).to_le_bytes()
}

/// Bytes behind their sum.
fn sealed(id: i64, bytes: &[u8]) -> Vec<u8> {
    [&sum(id, bytes), bytes].concat()
}

/// Bytes that were sealed; `None` where they have changed since.
fn opened(id: i64, sealed: &[u8]) -> Option<&[u8]> {
    let (known, bytes) = sealed.split_at_checked(4)?;
    (known == sum(id, bytes)).then_some(bytes)
}

impl File {
    /// The modulepaths with their keys.
    pub(super) fn roots(&self) -> Vec<(u32, Utf8PathBuf)> {
        let read = || -> rusqlite::Result<Vec<(u32, Utf8PathBuf)>> {
            let mut statement = self
                .connection
                .prepare("SELECT id, path FROM root ORDER BY id")?;
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, Utf8PathBuf::from(row.get::<_, String>(1)?)))
            })?;
            rows.collect()
        };
        read().unwrap_or_default()
    }

    /// A part of a modulepath; `None` where it is missing or damaged.
    pub(super) fn part(&self, root: u32, part: Part) -> Option<Vec<u8>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT data FROM part WHERE id = ?")
            .ok()?;
        let id = part_id(root, part);
        let found = statement.query_row([id], |row| {
            Ok(opened(id, row.get_ref(0)?.as_blob().unwrap_or_default()).map(<[u8]>::to_vec))
        });
        found.optional().ok()??
    }

    /// What a module is about.
    pub(super) fn about(&self, root: u32, number: u32) -> Option<Vec<u8>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT about FROM module WHERE id = ?")
            .ok()?;
        let id = module_id(root, number);
        let found = statement.query_row([id], |row| {
            Ok(opened(id, row.get_ref(0)?.as_blob().unwrap_or_default()).map(<[u8]>::to_vec))
        });
        found.optional().ok()??
    }

    /// What all modules of a modulepath are about. False where the file is damaged.
    pub(super) fn each_about(&self, root: u32, take: TakeAbout<'_>) -> bool {
        let mut whole = true;
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self
                .connection
                .prepare_cached("SELECT id, about FROM module WHERE id BETWEEN ? AND ?")?;
            let (first, last) = (module_id(root, 0), module_id(root, 0xff_ffff));
            let mut rows = statement.query([first, last])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                match opened(id, row.get_ref(1)?.as_blob().unwrap_or_default()) {
                    Some(about) => take((id & 0xff_ffff) as u32, about),
                    None => whole = false,
                }
            }
            Ok(())
        };
        read().is_ok() && whole
    }

    /// The modules that bring along a program, as packed keys of modules.
    ///
    /// # Errors
    /// The file is damaged.
    pub(super) fn program(&self, name: &str) -> Result<Option<Vec<u8>>, ()> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT modules FROM program WHERE name = ?")
            .map_err(|_| ())?;
        let found = statement.query_row([name], |row| {
            Ok(opened(0, row.get_ref(0)?.as_blob().unwrap_or_default()).map(<[u8]>::to_vec))
        });
        match found.optional() {
            Ok(found) => found.map_or(Ok(None), |modules| modules.map(Some).ok_or(())),
            Err(_) => Err(()),
        }
    }

    /// All programs with their modules.
    pub(super) fn each_program(&self, take: &mut dyn FnMut(&str, &[u8])) -> bool {
        let mut whole = true;
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self
                .connection
                .prepare_cached("SELECT name, modules FROM program")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let name = row.get_ref(0)?.as_str().unwrap_or_default();
                match opened(0, row.get_ref(1)?.as_blob().unwrap_or_default()) {
                    Some(modules) => take(name, modules),
                    None => whole = false,
                }
            }
            Ok(())
        };
        read().is_ok() && whole
    }
}

/// Takes what a module is about, with its number.
pub(super) type TakeAbout<'t> = &'t mut dyn FnMut(u32, &[u8]);

/// A modulepath as it is written.
pub(super) struct RootData<'d> {
    pub(super) path: Utf8PathBuf,
    pub(super) parts: Vec<(Part, Vec<u8>)>,
    /// Calls back with what each module is about, in the order of their numbers; false where the source was damaged.
    pub(super) abouts: &'d mut dyn FnMut(TakeAbout<'_>) -> bool,
}

/// Writes a new file beside the old one.
pub(super) struct Writer {
    path: Utf8PathBuf,
    temporary: tempfile::NamedTempFile,
    connection: Connection,
    roots: u32,
}

impl Writer {
    /// Begins a file that will stand at `path`.
    pub(super) fn new(path: &Utf8Path) -> Result<Writer, CacheError> {
        let failed = |reason: String| CacheError::File {
            path: path.to_owned(),
            reason,
        };
        let dir = directory(path);
        std::fs::create_dir_all(dir).map_err(|error| failed(error.to_string()))?;
        let temporary = tempfile::Builder::new()
            .prefix(".modules-")
            .suffix(".new")
            .tempfile_in(dir)
            .map_err(|error| failed(error.to_string()))?;
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(temporary.path())?;
            // Nobody reads the file before it is whole, so it needs no journal; it is made safe at the end.
            connection.execute_batch(&format!(
                "PRAGMA page_size = {PAGE_SIZE}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                 PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16000;
                 PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};
                 BEGIN;
                 CREATE TABLE root (id INTEGER PRIMARY KEY, path TEXT NOT NULL);
                 CREATE TABLE part (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
                 CREATE TABLE module (id INTEGER PRIMARY KEY, about BLOB NOT NULL);
                 CREATE TABLE program (name TEXT PRIMARY KEY, modules BLOB NOT NULL) WITHOUT ROWID;"
            ))?;
            Ok(connection)
        };
        let connection = open().map_err(|error| failed(error.to_string()))?;
        Ok(Writer {
            path: path.to_owned(),
            temporary,
            connection,
            roots: 0,
        })
    }

    fn failed(&self, error: impl std::fmt::Display) -> CacheError {
        CacheError::File {
            path: self.path.clone(),
            reason: error.to_string(),
        }
    }

    /// Adds a modulepath; gives its key. `None` where what was to be copied is damaged: then nothing of it stays.
    pub(super) fn root(&mut self, data: RootData<'_>) -> Result<Option<u32>, CacheError> {
        let id = self.roots + 1;
        let mut write = || -> rusqlite::Result<bool> {
            self.connection.execute(
                "INSERT INTO root VALUES (?, ?)",
                params![id, data.path.as_str()],
            )?;
            for (part, bytes) in &data.parts {
                self.connection
                    .prepare_cached("INSERT INTO part VALUES (?, ?)")?
                    .execute(params![
                        part_id(id, *part),
                        sealed(part_id(id, *part), bytes)
                    ])?;
            }
            let mut insert = self
                .connection
                .prepare_cached("INSERT INTO module VALUES (?, ?)")?;
            let mut result = Ok(0);
            let whole = (data.abouts)(&mut |number, about| {
                if result.is_ok() {
                    let key = module_id(id, number);
                    result = insert.execute(params![key, sealed(key, about)]);
                }
            });
            result.map(|_| whole)
        };
        let whole = write().map_err(|error| self.failed(error))?;
        if whole {
            self.roots = id;
            return Ok(Some(id));
        }
        let undo = format!(
            "DELETE FROM root WHERE id = {id}; DELETE FROM part WHERE id >= {}; DELETE FROM module WHERE id >= {};",
            part_id(id, Part::Head),
            module_id(id, 0)
        );
        self.connection
            .execute_batch(&undo)
            .map_err(|error| self.failed(error))?;
        Ok(None)
    }

    /// Adds a program with the keys of its modules. Names come in order.
    pub(super) fn program(&mut self, name: &str, modules: &[u8]) -> Result<(), CacheError> {
        let write = || -> rusqlite::Result<()> {
            self.connection
                .prepare_cached("INSERT INTO program VALUES (?, ?)")?
                .execute(params![name, sealed(0, modules)])?;
            Ok(())
        };
        write().map_err(|error| self.failed(error))
    }

    /// Puts the new file in the place of the old one.
    pub(super) fn finish(self, readers: Readers) -> Result<(), CacheError> {
        let path = self.path.clone();
        let failed = |reason: String| CacheError::File {
            path: path.clone(),
            reason,
        };
        let io = |error: std::io::Error| failed(error.to_string());
        (self.connection.execute_batch("COMMIT")).map_err(|error| failed(error.to_string()))?;
        (self.connection.close()).map_err(|(_, error)| failed(error.to_string()))?;
        self.temporary.as_file().sync_all().map_err(io)?;
        // A system cache is read by everybody.
        let mode = match readers {
            Readers::Everybody => 0o644,
            Readers::User => 0o600,
        };
        let permissions = std::fs::Permissions::from_mode(mode);
        self.temporary
            .as_file()
            .set_permissions(permissions)
            .map_err(io)?;
        self.temporary
            .persist(&path)
            .map_err(|error| io(error.error))?;
        // The name is only safe when the directory is; where that cannot be had, the file is still whole.
        let _ = std::fs::File::open(directory(&path)).and_then(|dir| dir.sync_all());
        Ok(())
    }
}

fn directory(path: &Utf8Path) -> &Utf8Path {
    path.parent()
        .filter(|dir| !dir.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."))
}
