//! How the file of a cache is written: a new one beside the old one, which then takes its place.

use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, params};

use super::file::{
    APPLICATION_ID, BLOCK, Block, CacheError, FORMAT, LOOKS, NAMES, PAGE_SIZE, PROGRAMS, Part,
    RESTS, SEARCHED, TakeAbout, module_id, part_id, sealed,
};
use super::programs;
use super::texts::TextsOf;
use crate::tree::Readers;

/// Parts of a modulepath with their bytes.
pub(super) type Parts = Vec<(Part, Vec<u8>)>;

/// A modulepath as it is written.
pub(super) struct RootData<'d> {
    pub(super) path: Utf8PathBuf,
    pub(super) parts: Parts,
    /// The blocks of names and what they were read from, each with the number of its first module.
    pub(super) blocks: Vec<Block>,
    /// Calls back with what each module is about, in the order of their numbers; false where the source was damaged.
    pub(super) abouts: &'d mut dyn FnMut(TakeAbout<'_>) -> bool,
}

/// Writes a new file beside the old one.
pub(super) struct Writer {
    path: Utf8PathBuf,
    temporary: tempfile::NamedTempFile,
    connection: Connection,
    roots: u32,
    programs: programs::Row,
}

impl Writer {
    /// Begins a file that will stand at `path`.
    pub(super) fn new(path: &Utf8Path) -> Result<Writer, CacheError> {
        let temporary = temporary(path)?;
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(temporary.path())?;
            // Nobody reads the file before it is whole, so it needs no journal; it is made safe at the end.
            connection.execute_batch(&format!(
                "PRAGMA page_size = {PAGE_SIZE}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                 PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -2000;
                 PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};
                 BEGIN;
                 CREATE TABLE root (id INTEGER PRIMARY KEY, path TEXT NOT NULL);
                 CREATE TABLE part (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
                 CREATE TABLE names (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
                 CREATE TABLE looks (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
                 CREATE TABLE searched (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
                 CREATE TABLE rests (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
                 CREATE TABLE program (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;"
            ))?;
            Ok(connection)
        };
        let connection = open().map_err(|error| failed(path, error))?;
        Ok(Writer {
            path: path.to_owned(),
            temporary,
            connection,
            roots: 0,
            programs: programs::Row::default(),
        })
    }

    fn failed(&self, error: impl std::fmt::Display) -> CacheError {
        failed(&self.path, error)
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
            let mut names = self
                .connection
                .prepare_cached("INSERT INTO names VALUES (?, ?)")?;
            for block in &data.blocks {
                let key = module_id(id, block.first);
                names.execute(params![key, sealed(NAMES | key, &block.names)])?;
            }
            let mut looks = self
                .connection
                .prepare_cached("INSERT INTO looks VALUES (?, ?)")?;
            for block in &data.blocks {
                let key = module_id(id, block.first);
                looks.execute(params![key, sealed(LOOKS | key, &block.looks)])?;
            }
            self.write_abouts(id, data.abouts)
        };
        let whole = write().map_err(|error| self.failed(error))?;
        if whole {
            self.roots = id;
            return Ok(Some(id));
        }
        let undo = format!(
            "DELETE FROM root WHERE id = {id}; DELETE FROM part WHERE id >= {}; \
             DELETE FROM names WHERE id >= {key}; DELETE FROM looks WHERE id >= {key}; \
             DELETE FROM searched WHERE id >= {key}; DELETE FROM rests WHERE id >= {key};",
            part_id(id, Part::Head),
            key = module_id(id, 0)
        );
        self.connection
            .execute_batch(&undo)
            .map_err(|error| self.failed(error))?;
        Ok(None)
    }

    /// Writes what the modules of a modulepath are about; false where the source of that was damaged.
    fn write_abouts(
        &self,
        root: u32,
        abouts: &mut dyn FnMut(TakeAbout<'_>) -> bool,
    ) -> rusqlite::Result<bool> {
        let connection = &self.connection;
        let mut searched = connection.prepare_cached("INSERT INTO searched VALUES (?, ?)")?;
        let mut rests = connection.prepare_cached("INSERT INTO rests VALUES (?, ?)")?;
        let (mut first, mut texts, mut others) = (0, TextsOf::default(), TextsOf::default());
        let mut write = |first: u32, texts: &mut TextsOf, others: &mut TextsOf| {
            let key = module_id(root, first);
            searched.execute(params![key, sealed(SEARCHED | key, &texts.take())])?;
            rests.execute(params![key, sealed(RESTS | key, &others.take())])
        };
        let mut result = Ok(0);
        let whole = abouts(&mut |number, text, other| {
            if texts.is_full(text.len(), BLOCK) && result.is_ok() {
                result = write(first, &mut texts, &mut others);
            }
            if texts.is_empty() {
                first = number;
            }
            texts.push(text);
            others.push(other);
        });
        if !texts.is_empty() && result.is_ok() {
            result = write(first, &mut texts, &mut others);
        }
        result.map(|_| whole)
    }

    /// Adds a program with the keys of its modules. Names come in order.
    pub(super) fn program(&mut self, name: &str, keys: &[u8]) -> Result<(), CacheError> {
        self.programs.push(name, keys);
        match self.programs.is_full() {
            true => self.write_programs(),
            false => Ok(()),
        }
    }

    /// Writes the row of programs that was begun.
    fn write_programs(&mut self) -> Result<(), CacheError> {
        let write = |(first, row): (&str, Vec<u8>)| -> rusqlite::Result<usize> {
            self.connection
                .prepare_cached("INSERT INTO program VALUES (?, ?)")?
                .execute(params![first, sealed(PROGRAMS, &row)])
        };
        match self.programs.take().map(write) {
            Some(Err(error)) => Err(self.failed(error)),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Puts the new file in the place of the old one.
    pub(super) fn finish(mut self, readers: Readers) -> Result<(), CacheError> {
        self.write_programs()?;
        finish(self.connection, self.temporary, &self.path, readers)
    }
}

/// Puts a new file in the place of the old one, once it is safe on the disk.
pub(super) fn finish(
    connection: Connection,
    temporary: tempfile::NamedTempFile,
    path: &Utf8Path,
    readers: Readers,
) -> Result<(), CacheError> {
    let close = || -> rusqlite::Result<()> {
        connection.execute_batch("COMMIT")?;
        connection.close().map_err(|(_, error)| error)
    };
    close().map_err(|error| failed(path, error))?;
    let put = || -> std::io::Result<()> {
        temporary.as_file().sync_all()?;
        // A system cache is read by everybody.
        let mode = match readers {
            Readers::Everybody => 0o644,
            Readers::User => 0o600,
        };
        let permissions = std::fs::Permissions::from_mode(mode);
        temporary.as_file().set_permissions(permissions)?;
        temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    put().map_err(|error| failed(path, error))?;
    // The name is only safe when the directory is; where that cannot be had, the file is still whole.
    let _ = std::fs::File::open(directory(path)).and_then(|dir| dir.sync_all());
    Ok(())
}

pub(super) fn failed(path: &Utf8Path, error: impl std::fmt::Display) -> CacheError {
    CacheError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// A file that will stand at `path`, beside it.
pub(super) fn temporary(path: &Utf8Path) -> Result<tempfile::NamedTempFile, CacheError> {
    let dir = directory(path);
    std::fs::create_dir_all(dir).map_err(|error| failed(path, error))?;
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".modules-").suffix(".new");
    builder
        .tempfile_in(dir)
        .map_err(|error| failed(path, error))
}

fn directory(path: &Utf8Path) -> &Utf8Path {
    path.parent()
        .filter(|dir| !dir.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."))
}
