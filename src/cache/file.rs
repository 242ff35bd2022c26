//! The file of a cache: its tables, and how it is opened and read.
//!
//! Opened immutable: no locks, which network file systems refuse or do slowly, and no journal is looked for. Never in WAL
//! mode, which needs memory that hosts do not share. The schema is read at each opening, so it is short; what a request needs
//! stands in few pages.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use rustc_hash::FxHashMap;

use super::programs;
use super::texts;
use crate::tree::Texts;

/// Tells our files from other SQLite files: "xmod".
pub(super) const APPLICATION_ID: i32 = 0x786d_6f64;

/// The version of the tables and of what stands in them; another one is not read.
pub(super) const FORMAT: i32 = 8;

/// Large enough that an index is read in few steps, small enough that one module is.
pub(super) const PAGE_SIZE: u32 = 16384;

/// How many bytes of names stand in one block: as many as one page holds, which SQLite gives without copying them.
pub(super) const BLOCK: usize = 16_000;

/// How much of a file is mapped into memory instead of being read: all of it, up to this. Nobody ever writes into a cache
/// that is in its place, so the mapping cannot become shorter.
pub(super) const MAPPED: i64 = 1 << 30;

/// Where the header of an SQLite file says what we want to know of it.
mod header {
    pub(super) const LENGTH: usize = 100;
    pub(super) const PAGE_SIZE: usize = 16;
    pub(super) const PAGES: usize = 28;
    pub(super) const USER_VERSION: usize = 60;
    pub(super) const APPLICATION_ID: usize = 68;
}

/// The parts of a modulepath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What has to be known before the rest is read.
    Head = 0,
    /// What it was read from that belongs to no name.
    Common = 1,
    /// Properties and extensions.
    Extras = 2,
    /// The directories whose programs were listed.
    Programs = 3,
    /// The modulefiles that asked about the session.
    Readers = 4,
    /// What rc files say.
    Statements = 5,
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
    /// It is no cache at all.
    #[error("the cache `{path}` was not written by this version")]
    Foreign {
        /// Which file.
        path: Utf8PathBuf,
    },
    /// It is from another version of the program.
    #[error("the cache `{path}` was not written by this version, but by {}", if *.is_older { "an older one" } else { "a newer one" })]
    OtherVersion {
        /// Which file.
        path: Utf8PathBuf,
        /// Whether that was an older one.
        is_older: bool,
    },
}

/// An open cache.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: Utf8PathBuf,
    /// The modulepaths with their keys.
    pub(super) roots: Vec<(u32, Utf8PathBuf)>,
    /// The file itself: nobody else can get its inode as long as it is open.
    pub(super) raw: std::fs::File,
    connection: Connection,
    searched: Kept,
    rests: Kept,
}

/// The rows of a table of texts that were read last, one for each modulepath: listings go from one to the next and back.
#[derive(Debug)]
struct Kept {
    table: i64,
    query: &'static str,
    rows: RefCell<FxHashMap<u32, Row>>,
}

/// A row of texts.
#[derive(Debug, Default)]
struct Row {
    /// The key of its first module.
    first: i64,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Kept {
    fn of(table: i64, query: &'static str) -> Kept {
        Kept {
            table,
            query,
            rows: RefCell::default(),
        }
    }

    /// Reads the row that can hold a module; `None` where that is damaged.
    fn read(&self, row: &mut Row, connection: &Connection, module: i64) -> Option<()> {
        let mut statement = connection.prepare_cached(self.query).ok()?;
        let mut rows = statement.query([module]).ok()?;
        let read = rows.next().ok()??;
        row.first = read.get(0).ok()?;
        row.ends.clear();
        let sealed = read.get_ref(1).ok()?.as_blob().unwrap_or_default();
        let texts = texts::unpack(opened(self.table | row.first, sealed)?)?;
        row.ends.extend_from_slice(&texts.ends);
        row.bytes.clear();
        row.bytes.extend_from_slice(texts.bytes);
        Some(())
    }
}

impl Row {
    /// The place of a module in it.
    fn place(&self, module: i64) -> Option<usize> {
        let place = usize::try_from(module - self.first).ok()?;
        (place < self.ends.len()).then_some(place)
    }
}

/// Opens a cache for reading; `None` where there is none.
pub(super) fn open(path: &Utf8Path) -> Result<Option<File>, CacheError> {
    let broken = |reason: String| CacheError::Database {
        path: path.to_owned(),
        reason,
    };
    let mut raw = match std::fs::File::open(path) {
        Ok(raw) => raw,
        Err(error) => {
            return match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(broken(error.to_string())),
            };
        }
    };
    let meta = raw.metadata().map_err(|error| broken(error.to_string()))?;
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
    // Read here, which spares four statements.
    let mut start = [0; header::LENGTH];
    (raw.read_exact(&mut start)).map_err(|error| broken(error.to_string()))?;
    let number =
        |at: usize| u32::from_be_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]]);
    if number(header::APPLICATION_ID) != APPLICATION_ID as u32 {
        return Err(CacheError::Foreign {
            path: path.to_owned(),
        });
    }
    let format = number(header::USER_VERSION);
    if format != FORMAT as u32 {
        return Err(CacheError::OtherVersion {
            path: path.to_owned(),
            is_older: format < FORMAT as u32,
        });
    }
    let page = u16::from_be_bytes([start[header::PAGE_SIZE], start[header::PAGE_SIZE + 1]]);
    if u64::from(page) * u64::from(number(header::PAGES)) != meta.len() {
        return Err(broken("it is truncated".to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let uri = format!("file:{}?immutable=1", escaped(path));
    let open = || -> rusqlite::Result<File> {
        let connection = Connection::open_with_flags(uri, flags)?;
        connection.pragma_update(None, "mmap_size", MAPPED)?;
        let mut roots = connection.prepare("SELECT id, path FROM root ORDER BY id")?;
        let rows = roots.query_map([], |row| {
            Ok((row.get(0)?, Utf8PathBuf::from(row.get::<_, String>(1)?)))
        })?;
        let known = rows.collect::<rusqlite::Result<_>>()?;
        drop(roots);
        Ok(File {
            path: path.to_owned(),
            roots: known,
            raw,
            connection,
            searched: Kept::of(
                SEARCHED,
                "SELECT id, data FROM searched WHERE id <= ? ORDER BY id DESC LIMIT 1",
            ),
            rests: Kept::of(
                RESTS,
                "SELECT id, data FROM rests WHERE id <= ? ORDER BY id DESC LIMIT 1",
            ),
        })
    };
    open().map(Some).map_err(|error| broken(error.to_string()))
}

/// A path inside a `file:` URI.
fn escaped(path: &Utf8Path) -> String {
    path.as_str()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

/// The key of a part.
pub(super) fn part_id(root: u32, part: Part) -> i64 {
    i64::from(root) * 8 + part as i64
}

/// The key of a module.
pub(super) fn module_id(root: u32, number: u32) -> i64 {
    i64::from(root) << 24 | i64::from(number)
}

/// What tells the tables apart in sums: a page in the place of another one is noticed.
pub(super) const PARTS: i64 = 0;
pub(super) const SEARCHED: i64 = 1 << 60;
pub(super) const NAMES: i64 = 2 << 60;
pub(super) const LOOKS: i64 = 3 << 60;
pub(super) const RESTS: i64 = 4 << 60;
pub(super) const PROGRAMS: i64 = 5 << 60;

/// A sum of bytes that belong to a key: damage inside a page would otherwise go unnoticed.
fn sum(id: i64, bytes: &[u8]) -> [u8; 4] {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let add = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let start = (id as u64 ^ bytes.len() as u64).wrapping_mul(FACTOR);
    // Four that do not wait for each other.
    let mut sums = [start, !start, start.swap_bytes(), !start.swap_bytes()];
    let (words, rest) = bytes.as_chunks::<8>();
    let (fours, words) = words.as_chunks::<4>();
    for four in fours {
        for (sum, word) in sums.iter_mut().zip(four) {
            *sum = add(*sum, u64::from_le_bytes(*word));
        }
    }
    let mut sum = sums.into_iter().fold(start, add);
    for word in words {
        sum = add(sum, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    sum = add(sum, u64::from_le_bytes(last));
    ((sum ^ sum >> 32) as u32).to_le_bytes()
}

/// Bytes behind their sum.
pub(super) fn sealed(id: i64, bytes: &[u8]) -> Vec<u8> {
    [&sum(id, bytes), bytes].concat()
}

/// Bytes that were sealed; `None` where they have changed since.
pub(super) fn opened(id: i64, sealed: &[u8]) -> Option<&[u8]> {
    let (known, bytes) = sealed.split_at_checked(4)?;
    (known == sum(id, bytes)).then_some(bytes)
}

impl File {
    /// The key of a modulepath.
    pub(super) fn root(&self, path: &Utf8Path) -> Option<u32> {
        let same = |(_, known): &&(u32, Utf8PathBuf)| known.as_str() == path.as_str();
        let found = self.roots.iter().find(same);
        found.map(|(id, _)| *id)
    }

    /// The blocks of names of a modulepath, each with the number of its first module. False where the file is damaged.
    pub(super) fn each_block(&self, root: u32, take: &mut dyn FnMut(u32, &[u8])) -> bool {
        let query = "SELECT id, data FROM names WHERE id BETWEEN ? AND ?";
        self.each(query, NAMES, root, take)
    }

    /// What names were read from, block by block.
    pub(super) fn each_look(&self, root: u32, take: &mut dyn FnMut(u32, &[u8])) -> bool {
        let query = "SELECT id, data FROM looks WHERE id BETWEEN ? AND ?";
        self.each(query, LOOKS, root, take)
    }

    /// What the names of one block were read from; `None` where it is missing or damaged.
    pub(super) fn look(&self, root: u32, first: u32) -> Option<Vec<u8>> {
        let id = module_id(root, first);
        self.blob("SELECT data FROM looks WHERE id = ?", LOOKS, id)
    }

    fn blob(&self, query: &str, table: i64, id: i64) -> Option<Vec<u8>> {
        let mut statement = self.connection.prepare_cached(query).ok()?;
        let found = statement.query_row([id], |row| {
            Ok(
                opened(table | id, row.get_ref(0)?.as_blob().unwrap_or_default())
                    .map(<[u8]>::to_vec),
            )
        });
        found.optional().ok()??
    }

    /// All rows of a modulepath, in the order of their numbers.
    fn each(&self, query: &str, table: i64, root: u32, take: &mut dyn FnMut(u32, &[u8])) -> bool {
        let mut whole = true;
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare_cached(query)?;
            let mut rows = statement.query([module_id(root, 0), module_id(root, 0xff_ffff)])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                match opened(table | id, row.get_ref(1)?.as_blob().unwrap_or_default()) {
                    Some(bytes) => take((id & 0xff_ffff) as u32, bytes),
                    None => whole = false,
                }
            }
            Ok(())
        };
        read().is_ok() && whole
    }

    /// A part of a modulepath; `None` where it is missing or damaged.
    pub(super) fn part(&self, root: u32, part: Part) -> Option<Vec<u8>> {
        self.blob(
            "SELECT data FROM part WHERE id = ?",
            PARTS,
            part_id(root, part),
        )
    }

    /// What a module is about: what is searched, and the rest.
    pub(super) fn about(&self, root: u32, number: u32) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut searched, mut rest) = (Vec::new(), Vec::new());
        self.text(&self.rests, root, number, &mut |text| rest = text.to_vec())?;
        self.searched(root, number, &mut |text| searched = text.to_vec())?;
        Some((searched, rest))
    }

    /// Hands over what is searched of a module; `None` where that is damaged.
    pub(super) fn searched(
        &self,
        root: u32,
        number: u32,
        take: &mut dyn FnMut(&[u8]),
    ) -> Option<()> {
        self.text(&self.searched, root, number, take)
    }

    /// What is searched of the modules of a modulepath, row by row. False where the file is damaged.
    pub(super) fn each_searched(&self, root: u32, take: &mut dyn FnMut(u32, &Texts<'_>)) -> bool {
        let query = "SELECT id, data FROM searched WHERE id BETWEEN ? AND ?";
        let mut whole = true;
        let read = self.each(
            query,
            SEARCHED,
            root,
            &mut |first, row| match texts::unpack(row) {
                Some(texts) => take(first, &texts),
                None => whole = false,
            },
        );
        read && whole
    }

    /// What all modules of a modulepath are about. False where the file is damaged.
    pub(super) fn each_about(&self, root: u32, take: TakeAbout<'_>) -> bool {
        let mut rows = Vec::new();
        let query = "SELECT id, data FROM rests WHERE id BETWEEN ? AND ?";
        let are_whole = self.each(query, RESTS, root, &mut |first, row| {
            rows.push((first, row.to_vec()));
        });
        rows.reverse();
        let mut whole = true;
        let read = self.each_searched(root, &mut |first, searched| {
            let row = rows.pop().filter(|(known, _)| *known == first);
            let rests = row.as_ref().and_then(|(_, row)| texts::unpack(row));
            for place in 0..searched.ends.len() {
                let rest = rests.as_ref().and_then(|rests| rests.get(place));
                match (searched.get(place), rest) {
                    (Some(searched), Some(rest)) => take(first + place as u32, searched, rest),
                    _ => whole = false,
                }
            }
        });
        are_whole && read && whole && rows.is_empty()
    }

    /// Hands over one of the texts of a table. Its row is kept: neighbours are asked for together.
    fn text(&self, kept: &Kept, root: u32, number: u32, take: &mut dyn FnMut(&[u8])) -> Option<()> {
        let wanted = module_id(root, number);
        let mut rows = kept.rows.borrow_mut();
        let row = rows.entry(root).or_default();
        if row.place(wanted).is_none() {
            kept.read(row, &self.connection, wanted)?;
        }
        let texts = Texts {
            ends: Cow::Borrowed(&row.ends),
            bytes: &row.bytes,
        };
        texts.get(row.place(wanted)?).map(take)
    }

    /// The modules that bring along a program, as packed keys of modules.
    ///
    /// # Errors
    /// The file is damaged.
    pub(super) fn program(&self, name: &str) -> Result<Option<Vec<u8>>, ()> {
        let query = "SELECT name, data FROM program WHERE name <= ? ORDER BY name DESC LIMIT 1";
        let mut found = None;
        let mut is_whole = true;
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare_cached(query)?;
            let mut rows = statement.query([name])?;
            while let Some(row) = rows.next()? {
                is_whole &= each_program_of(row, &mut |known, keys| {
                    if known == name {
                        found = Some(keys.to_vec());
                    }
                    known < name
                })?;
            }
            Ok(())
        };
        match read() {
            Ok(()) if is_whole => Ok(found),
            Ok(()) | Err(_) => Err(()),
        }
    }

    /// All programs with the keys of their modules, in order. False where the file is damaged.
    pub(super) fn each_program(&self, take: &mut dyn FnMut(&str, &[u8])) -> bool {
        let mut whole = true;
        let mut read = || -> rusqlite::Result<()> {
            let query = "SELECT name, data FROM program ORDER BY name";
            let mut statement = self.connection.prepare_cached(query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                whole &= each_program_of(row, &mut |name, keys| {
                    take(name, keys);
                    true
                })?;
            }
            Ok(())
        };
        read().is_ok() && whole
    }

    /// What of the modules of a modulepath is not searched. False where the file is damaged.
    pub(super) fn each_rest(&self, root: u32, take: &mut dyn FnMut(u32, &[u8])) -> bool {
        let query = "SELECT id, data FROM rests WHERE id BETWEEN ? AND ?";
        let mut whole = true;
        let read = self.each(query, RESTS, root, &mut |first, row| {
            let rests = texts::unpack(row);
            whole &= rests.is_some();
            for (place, rest) in (first..).zip(rests.iter().flat_map(Texts::iter)) {
                take(place, rest);
            }
        });
        read && whole
    }
}

/// Goes through the programs of a row; false where it is damaged.
fn each_program_of(
    row: &rusqlite::Row<'_>,
    take: &mut dyn FnMut(&str, &[u8]) -> bool,
) -> rusqlite::Result<bool> {
    let first = row.get_ref(0)?.as_str().unwrap_or_default();
    let row = opened(PROGRAMS, row.get_ref(1)?.as_blob().unwrap_or_default());
    Ok(row.is_some_and(|row| programs::each_in_row(first, row, take)))
}

/// Takes what a module is about, with its number: what is searched, and the rest.
pub(super) type TakeAbout<'t> = &'t mut dyn FnMut(u32, &[u8], &[u8]);

/// Some names of a modulepath.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The number of the first module.
    pub(super) first: u32,
    /// A part of the index.
    pub(super) names: Vec<u8>,
    /// What it was read from.
    pub(super) looks: Vec<u8>,
}
