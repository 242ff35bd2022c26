//! The modules of one modulepath as one text: what a listing needs to know of them, in the order in which it shows them.
//!
//! A cache holds this text as it is. Most requests look for a few names in it, so it is laid out to be searched as a whole
//! and read only where something was found:
//!
//! ```text
//! STX name US number-of-its-first-module US rank US chosen LF         one line a name, and below it
//! version US flags US file US symbols(RS between them) LF             one line a module
//! ```
//!
//! Names of modules hold no control characters (`Dir::read` leaves such files out), so those can separate the parts.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bstr::ByteSlice;
use camino::{Utf8Path, Utf8PathBuf};

use super::listing::Filter;
use super::roots::Rank;

const NAME: u8 = 0x02;
const PART: u8 = 0x1f;
const WORD: u8 = 0x1e;
const LINE: u8 = b'\n';

/// The modules of a modulepath.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    bytes: Vec<u8>,
    modules: u32,
}

/// All modules of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'i> {
    /// The name.
    pub name: &'i str,
    /// The number of its first module.
    pub first: u32,
    /// What its bare name means in this modulepath, as far as only the modulepath speaks: full name, and who marked it.
    pub choice: Option<(Cow<'i, str>, Rank)>,
    /// Its modules, lowest version first.
    pub rows: Vec<Row<'i>>,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'i> {
    /// The part behind the name; empty for a module without version.
    pub version: &'i str,
    /// Whether it is marked as the default of its directory.
    pub is_marked: bool,
    /// Its file in short.
    file: &'i str,
    /// Its symbolic versions.
    symbols: &'i str,
}

impl Row<'_> {
    /// Name with version.
    pub fn full_name(&self, name: &str) -> String {
        match self.version {
            "" => name.to_owned(),
            version => format!("{name}/{version}"),
        }
    }

    /// Its file.
    pub fn file(&self, root: &Utf8Path, full_name: &str) -> Utf8PathBuf {
        match self.file {
            "L" => Utf8PathBuf::from(format!("{root}/{full_name}.lua")),
            "T" => Utf8PathBuf::from(format!("{root}/{full_name}.toml")),
            "N" => Utf8PathBuf::from(format!("{root}/{full_name}")),
            // `join` takes an absolute path as it is.
            other => root.join(other.trim_start_matches('=')),
        }
    }

    /// Its file relative to the modulepath, or absolute where it lies elsewhere.
    pub fn relative_file(&self, full_name: &str) -> String {
        match self.file {
            "L" => format!("{full_name}.lua"),
            "T" => format!("{full_name}.toml"),
            "N" => full_name.to_owned(),
            other => other.trim_start_matches('=').to_owned(),
        }
    }

    /// Its symbolic versions, without the name.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        let symbols = self.symbols.split(WORD as char);
        symbols.filter(|symbol| !symbol.is_empty())
    }
}

/// The names that a request is about.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'w> {
    /// All of them.
    All,
    /// Those with a module that one of the filters accepts.
    Accepted(&'w [Filter]),
    /// Those in the set.
    Named(&'w BTreeSet<String>),
}

/// Writes an [`Index`]; names and modules come in the order in which they are shown.
#[derive(Debug, Default)]
pub(super) struct Writer {
    index: Index,
}

impl Writer {
    /// Begins a name. `choice` is its version, or a full name where it lies elsewhere.
    pub(super) fn name(&mut self, name: &str, choice: Option<(&str, Rank)>) {
        let bytes = &mut self.index.bytes;
        bytes.push(NAME);
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(PART);
        bytes.extend_from_slice(self.index.modules.to_string().as_bytes());
        bytes.push(PART);
        if let Some((full_name, rank)) = choice {
            bytes.push(match rank {
                Rank::Plain => b'p',
                Rank::Meta => b'm',
                Rank::Tree => b't',
                Rank::System => b's',
                Rank::User => b'u',
            });
            bytes.push(PART);
            match full_name
                .strip_prefix(name)
                .map(|rest| rest.strip_prefix('/'))
            {
                Some(Some(version)) if !version.starts_with('=') => {
                    bytes.extend_from_slice(version.as_bytes())
                }
                Some(None) if full_name == name => {}
                _ => {
                    bytes.push(b'=');
                    bytes.extend_from_slice(full_name.as_bytes());
                }
            }
        } else {
            bytes.push(PART);
        }
        bytes.push(LINE);
    }

    /// Adds a module to the last name.
    pub(super) fn module(
        &mut self,
        root: &Utf8Path,
        full_name: &str,
        version: &str,
        file: &Utf8Path,
        is_marked: bool,
        symbols: &[String],
    ) {
        let bytes = &mut self.index.bytes;
        bytes.extend_from_slice(version.as_bytes());
        bytes.push(PART);
        bytes.extend_from_slice(if is_marked { b"m" } else { b"" });
        bytes.push(PART);
        let below = file
            .strip_prefix(root)
            .map_or(file.as_str(), Utf8Path::as_str);
        match below.strip_prefix(full_name) {
            Some("") => bytes.push(b'N'),
            Some(".lua") => bytes.push(b'L'),
            Some(".toml") => bytes.push(b'T'),
            _ => {
                bytes.push(b'=');
                bytes.extend_from_slice(below.as_bytes());
            }
        }
        bytes.push(PART);
        for (index, symbol) in symbols.iter().enumerate() {
            if index > 0 {
                bytes.push(WORD);
            }
            bytes.extend_from_slice(symbol.as_bytes());
        }
        bytes.push(LINE);
        self.index.modules += 1;
    }

    pub(super) fn finish(self) -> Index {
        self.index
    }
}

impl Index {
    /// The index of a cache. `None` where it is damaged.
    pub fn from_bytes(bytes: Vec<u8>, modules: u32) -> Option<Index> {
        let whole = bytes.is_empty() || bytes.starts_with(&[NAME]) && bytes.ends_with(&[LINE]);
        whole.then_some(Index { bytes, modules })
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many modules there are.
    pub fn modules(&self) -> u32 {
        self.modules
    }

    /// The names that a request is about, each with all its modules. What is damaged is left out.
    pub fn groups(&self, wanted: Wanted<'_>) -> Vec<Group<'_>> {
        match wanted {
            Wanted::All => self.all().collect(),
            Wanted::Named(names) => {
                let found = names.iter().filter_map(|name| self.named(name));
                found.collect()
            }
            Wanted::Accepted(filters) => match self.candidates(filters) {
                Some(starts) => {
                    let groups = starts.into_iter().filter_map(|start| self.group_at(start));
                    groups.filter(|group| accepted(group, filters)).collect()
                }
                None => {
                    let all = self.all();
                    all.filter(|group| accepted(group, filters)).collect()
                }
            },
        }
    }

    /// The modules of one name.
    pub fn named(&self, name: &str) -> Option<Group<'_>> {
        let line = [&[NAME], name.as_bytes(), &[PART]].concat();
        let start = self.bytes.find(&line)?;
        self.group_at(start)
    }

    fn all(&self) -> impl Iterator<Item = Group<'_>> {
        let mut next = 0;
        std::iter::from_fn(move || {
            while next < self.bytes.len() {
                let start = next;
                next = self.end_of_group(start);
                if let Some(group) = self.group_at(start) {
                    return Some(group);
                }
            }
            None
        })
    }

    /// Where the groups begin that may hold what plain filters look for; `None` where only looking at each one tells.
    fn candidates(&self, filters: &[Filter]) -> Option<BTreeSet<usize>> {
        let mut starts = BTreeSet::new();
        if !self.bytes.is_ascii() {
            return None;
        }
        let lower = self.bytes.to_ascii_lowercase();
        let mut add = |needle: &[u8]| {
            let finder = bstr::Finder::new(needle);
            let mut from = 0;
            while let Some(at) = finder.find(&lower[from..]) {
                let at = from + at;
                let start = self.bytes[..=at].rfind_byte(NAME).unwrap_or(0);
                starts.insert(start);
                from = self.end_of_group(at);
            }
        };
        for filter in filters {
            let (Filter::Contains(text) | Filter::Begins { text, .. }) = filter else {
                return None;
            };
            if !text.is_ascii() || text.is_empty() {
                return None;
            }
            let text = text.to_ascii_lowercase();
            add(text.as_bytes());
            // The end of a name and the begin of a version: they stand on different lines.
            for (at, _) in text.match_indices('/') {
                add(&[&text.as_bytes()[..at], &[PART]].concat());
            }
        }
        Some(starts)
    }

    /// Where the group around `at` ends.
    fn end_of_group(&self, at: usize) -> usize {
        let rest = &self.bytes[at + 1..];
        rest.find_byte(NAME)
            .map_or(self.bytes.len(), |end| at + 1 + end)
    }

    fn group_at(&self, start: usize) -> Option<Group<'_>> {
        let text = self.bytes[start..self.end_of_group(start)].to_str().ok()?;
        let mut lines = text.lines();
        let mut head = lines
            .next()?
            .strip_prefix(NAME as char)?
            .split(PART as char);
        let (name, first, rank, chosen) = (head.next()?, head.next()?, head.next()?, head.next()?);
        let rank = match rank {
            "p" => Some(Rank::Plain),
            "m" => Some(Rank::Meta),
            "t" => Some(Rank::Tree),
            "s" => Some(Rank::System),
            "u" => Some(Rank::User),
            _ => None,
        };
        let choice = rank.map(|rank| {
            let full_name = match (chosen, chosen.strip_prefix('=')) {
                (_, Some(full_name)) => Cow::Borrowed(full_name),
                ("", None) => Cow::Borrowed(name),
                (version, None) => Cow::Owned(format!("{name}/{version}")),
            };
            (full_name, rank)
        });
        let rows = lines.filter_map(|line| {
            let mut parts = line.split(PART as char);
            Some(Row {
                version: parts.next()?,
                is_marked: parts.next()? == "m",
                file: parts.next()?,
                symbols: parts.next()?,
            })
        });
        Some(Group {
            name,
            first: first.parse().ok()?,
            choice,
            rows: rows.collect(),
        })
    }
}

fn accepted(group: &Group<'_>, filters: &[Filter]) -> bool {
    filters
        .iter()
        .any(|filter| (group.rows.iter()).any(|row| filter.accepts_module(group.name, row.version)))
}
