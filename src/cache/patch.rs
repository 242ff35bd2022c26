//! A new file for a cache of which little is otherwise: a copy of the old one in which what was read anew stands in the place
//! of what it said before. A thousand pages are copied by the system, a few are written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Seek;
use std::os::unix::fs::MetadataExt;

use camino::Utf8PathBuf;
use rusqlite::{Connection, params};

use super::file::{
    CacheError, File, LOOKS, MAPPED, NAMES, PARTS, PROGRAMS, RESTS, SEARCHED, module_id, opened,
    part_id, sealed,
};
use super::texts::{self, TextsOf};
use super::writer::{self, Parts, failed};
use crate::tree::Readers;

/// A copy of a file that will take its place.
pub(super) struct Patch {
    path: Utf8PathBuf,
    temporary: tempfile::NamedTempFile,
    connection: Connection,
}

/// What modules are about now, by their numbers: what is searched, and the rest.
pub(super) type Abouts<'a> = BTreeMap<u32, (&'a [u8], Cow<'a, [u8]>)>;

/// The tables with numbers for keys, and what tells them apart in sums.
const TABLES: [(&str, i64); 5] = [
    ("part", PARTS),
    ("names", NAMES),
    ("looks", LOOKS),
    ("searched", SEARCHED),
    ("rests", RESTS),
];

impl Patch {
    /// Copies a file. `None` where it is damaged, or another one stands in its place by now.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub(super) fn of(file: &File) -> Result<Option<Patch>, CacheError> {
        let path = file.path.clone();
        let mut temporary = writer::temporary(&path)?;
        let mut copy = || -> std::io::Result<bool> {
            let (known, now) = (file.raw.metadata()?, std::fs::metadata(&path)?);
            if (known.dev(), known.ino()) != (now.dev(), now.ino()) {
                return Ok(false);
            }
            (&file.raw).rewind()?;
            let copied = std::io::copy(&mut &file.raw, temporary.as_file_mut())?;
            Ok(copied == known.len())
        };
        if !copy().map_err(|error| failed(&path, error))? {
            return Ok(None);
        }
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(temporary.path())?;
            // Nobody reads the file before it is in its place, so it needs no journal; it is made safe at the end.
            connection.execute_batch(&format!(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                 PRAGMA mmap_size = {MAPPED}; BEGIN;"
            ))?;
            Ok(connection)
        };
        let connection = open().map_err(|error| failed(&path, error))?;
        let patch = Patch {
            path,
            temporary,
            connection,
        };
        // What is copied without a look would be damaged for ever.
        Ok(patch.is_whole().unwrap_or(false).then_some(patch))
    }

    fn is_whole(&self) -> rusqlite::Result<bool> {
        let mut whole = true;
        for (name, table) in TABLES {
            let query = format!("SELECT id, data FROM {name}");
            let mut statement = self.connection.prepare(&query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                whole &= opened(table | id, row.get_ref(1)?.as_blob()?).is_some();
            }
        }
        let mut statement = self.connection.prepare("SELECT data FROM program")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            whole &= opened(PROGRAMS, row.get_ref(0)?.as_blob()?).is_some();
        }
        Ok(whole)
    }

    /// Puts what is known now of the modulepath `id` in its place: its parts, what its names were read from by the first
    /// module of each block, and what modules are about. False where that has no place.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub(super) fn root<'l>(
        &self,
        id: u32,
        parts: &Parts,
        looks: impl Iterator<Item = (u32, &'l [u8])>,
        abouts: &Abouts<'_>,
    ) -> Result<bool, CacheError> {
        let write = || -> rusqlite::Result<bool> {
            let mut all = true;
            for (part, bytes) in parts {
                all &= self.replace("part", PARTS, part_id(id, *part), bytes)?;
            }
            for (first, bytes) in looks {
                all &= self.replace("looks", LOOKS, module_id(id, first), bytes)?;
            }
            let searched = abouts.iter().map(|(number, (text, _))| (*number, *text));
            all &= self.texts("searched", SEARCHED, id, searched.collect())?;
            let rests = abouts.iter().map(|(number, (_, rest))| (*number, &**rest));
            all &= self.texts("rests", RESTS, id, rests.collect())?;
            Ok(all)
        };
        write().map_err(|error| failed(&self.path, error))
    }

    /// Replaces a row, if it is another one. False where there is none.
    fn replace(&self, name: &str, table: i64, key: i64, bytes: &[u8]) -> rusqlite::Result<bool> {
        let sealed = sealed(table | key, bytes);
        let query = format!("SELECT data FROM {name} WHERE id = ?");
        let mut statement = self.connection.prepare_cached(&query)?;
        let known = statement.query_row([key], |row| Ok(row.get_ref(0)?.as_blob()? == sealed));
        match known {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(false),
            Err(error) => return Err(error),
        }
        let update = format!("UPDATE {name} SET data = ? WHERE id = ?");
        let mut statement = self.connection.prepare_cached(&update)?;
        Ok(statement.execute(params![sealed, key])? == 1)
    }

    /// Replaces texts in the rows of a table that hold many. False where one has no place.
    fn texts(
        &self,
        name: &str,
        table: i64,
        root: u32,
        mut texts: BTreeMap<u32, &[u8]>,
    ) -> rusqlite::Result<bool> {
        let query = format!("SELECT id, data FROM {name} WHERE id <= ? ORDER BY id DESC LIMIT 1");
        while let Some((number, _)) = texts.first_key_value() {
            let mut statement = self.connection.prepare_cached(&query)?;
            let row = statement.query_row([module_id(root, *number)], |row| {
                let key: i64 = row.get(0)?;
                let known = opened(table | key, row.get_ref(1)?.as_blob()?);
                let (Some(known), Ok(first)) = (
                    known.and_then(texts::unpack),
                    u32::try_from(key - module_id(root, 0)),
                ) else {
                    return Ok(None);
                };
                let (mut now, before) = (TextsOf::default(), texts.len());
                for (number, old) in (first..).zip(known.iter()) {
                    now.push(texts.remove(&number).unwrap_or(old));
                }
                Ok((texts.len() < before).then(|| (key, now.take())))
            })?;
            let Some((key, bytes)) = row else {
                return Ok(false);
            };
            self.replace(name, table, key, &bytes)?;
        }
        Ok(true)
    }

    /// Puts the copy in the place of the file.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub(super) fn finish(self, readers: Readers) -> Result<(), CacheError> {
        writer::finish(self.connection, self.temporary, &self.path, readers)
    }
}
