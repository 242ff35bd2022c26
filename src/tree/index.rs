//! The modules of one modulepath as one text: what a listing needs to know of them, in the order in which it shows them.
//!
//! A cache holds this text as it is. Most requests look for a few names in it, so it is laid out to be searched as a whole
//! and read only where something was found:
//!
//! ```text
//! STX name US number-of-its-first-module US rank US chosen LF         one line a name, and below it
//! version US file [US flags US symbols(RS between them)] LF           one line a module
//! ```
//!
//! Names of modules hold no control characters (`Dir::read` leaves such files out), so those can separate the parts.

use std::collections::BTreeSet;

use bstr::ByteSlice;
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;

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
    /// What its bare name means in this modulepath, as far as only the modulepath speaks, and who marked it.
    pub choice: Option<(Meant<'i>, Rank)>,
    /// Its modules, lowest version first.
    pub rows: Vec<Row<'i>>,
}

/// What a bare name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant<'i> {
    /// A module of the name, by its number.
    Number(u32),
    /// A full name that lies elsewhere.
    Elsewhere(&'i str),
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

/// Where the file of a module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOf {
    /// Called as the module, with the ending of a language.
    Named(&'static str),
    /// Elsewhere: relative to the modulepath, or absolute.
    At(Box<str>),
}

impl FileOf {
    fn of(text: &str) -> FileOf {
        match ending(text) {
            Some(ending) => FileOf::Named(ending),
            None => FileOf::At(Box::from(elsewhere(text))),
        }
    }

    /// The path of the file of a module in a modulepath.
    pub fn path(&self, root: &Utf8Path, full_name: &str) -> Utf8PathBuf {
        match self {
            FileOf::Named(ending) => {
                Utf8PathBuf::from([root.as_str(), "/", full_name, ending].concat())
            }
            // `join` takes an absolute path as it is.
            FileOf::At(path) => root.join(&**path),
        }
    }
}

/// What is behind the name of a module in that of its file; `None` where that lies elsewhere.
fn ending(file: &str) -> Option<&'static str> {
    match file {
        "L" => Some(".lua"),
        "T" => Some(".toml"),
        "N" => Some(""),
        _ => None,
    }
}

/// A path that is written in full.
fn elsewhere(file: &str) -> &str {
    file.trim_start_matches('=')
}

impl Row<'_> {
    /// Where its file is.
    pub fn file_of(&self) -> FileOf {
        FileOf::of(self.file)
    }

    /// Name with version.
    pub fn full_name(&self, name: &str) -> String {
        match self.version {
            "" => name.to_owned(),
            version => {
                let mut full_name = String::with_capacity(name.len() + 1 + version.len());
                full_name.push_str(name);
                full_name.push('/');
                full_name.push_str(version);
                full_name
            }
        }
    }

    /// Its file.
    pub fn file(&self, root: &Utf8Path, full_name: &str) -> Utf8PathBuf {
        self.file_of().path(root, full_name)
    }

    /// Its file relative to the modulepath, or absolute where it lies elsewhere.
    pub fn relative_file(&self, full_name: &str) -> String {
        match self.file_of() {
            FileOf::Named(ending) => [full_name, ending].concat(),
            FileOf::At(path) => path.into(),
        }
    }

    /// Its symbolic versions, without the name.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        let symbols = self.symbols.split(WORD as char);
        symbols.filter(|symbol| !symbol.is_empty())
    }
}

/// A set of names.
pub(super) type Names = FxHashSet<String>;

/// The names that a request is about.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'w> {
    /// All of them.
    All,
    /// Those with a module that one of the filters accepts.
    Accepted(&'w [Filter]),
    /// Those in the set.
    Named(&'w Names),
    /// Those with a module of which something is known that one of the filters accepts: a crawl finds out which.
    Described(&'w [Filter]),
}

/// Writes an [`Index`]; names and modules come in the order in which they are shown.
#[derive(Debug, Default)]
pub(super) struct Writer {
    index: Index,
}

impl Writer {
    /// Begins a name with what its bare name means: one of its own modules, by its place among them, or a full name that
    /// lies elsewhere.
    pub(super) fn name(&mut self, name: &str, choice: Option<(&str, Rank)>, place: Option<usize>) {
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
            match place {
                Some(place) => {
                    bytes.push(WORD);
                    bytes.extend_from_slice(place.to_string().as_bytes());
                }
                None => bytes.extend_from_slice(full_name.as_bytes()),
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
        if is_marked || !symbols.is_empty() {
            bytes.push(PART);
            bytes.extend_from_slice(if is_marked { b"m" } else { b"" });
            bytes.push(PART);
            bytes.extend_from_slice(symbols.join("\u{1e}").as_bytes());
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
        let mut groups = Vec::new();
        self.each_group(wanted, &mut |group| groups.push(group));
        groups
    }

    /// The same one by one: there may be many.
    pub fn each_group<'i>(&'i self, wanted: Wanted<'_>, take: &mut dyn FnMut(Group<'i>)) {
        match wanted {
            Wanted::All | Wanted::Described(_) => {
                let groups = starts(&self.bytes).filter_map(|start| group_at(&self.bytes, start));
                groups.for_each(take);
            }
            Wanted::Accepted(_) | Wanted::Named(_) => {
                let found = Finder::new(wanted).find(&self.bytes).into_iter();
                found.for_each(|(group, _)| take(group));
            }
        }
    }

    /// The text in blocks of whole names, none longer than `most` bytes but where one name is; each with the number of its
    /// first module.
    pub fn blocks(&self, most: usize) -> Vec<(u32, &[u8])> {
        let mut blocks = Vec::new();
        let (mut start, mut end) = (0, 0);
        while end < self.bytes.len() {
            let next = end_of_group(&self.bytes, end);
            if end > start && next - start > most {
                blocks.push(&self.bytes[start..end]);
                start = end;
            }
            end = next;
        }
        if end > start {
            blocks.push(&self.bytes[start..end]);
        }
        let first = |block: &[u8]| group_at(block, 0).map_or(0, |group| group.first);
        blocks
            .into_iter()
            .map(|block| (first(block), block))
            .collect()
    }
}

/// Looks for names in index texts, one block after the other.
#[derive(Debug)]
pub struct Finder<'w> {
    wanted: Wanted<'w>,
    /// What a group holds that plain filters accept, in small letters; `None` where only looking at each one tells.
    needles: Option<Vec<bstr::Finder<'static>>>,
    lower: Vec<u8>,
}

impl<'w> Finder<'w> {
    /// For the names that are wanted.
    pub fn new(wanted: Wanted<'w>) -> Finder<'w> {
        let needles = match wanted {
            Wanted::All | Wanted::Described(_) => None,
            Wanted::Named(names) if names.len() > FEW => None,
            Wanted::Named(names) => {
                let line = |name: &String| {
                    let name = name.to_ascii_lowercase();
                    [&[NAME], name.as_bytes(), &[PART]].concat()
                };
                Some(names.iter().map(line).collect())
            }
            Wanted::Accepted(filters) => needles(filters),
        };
        Finder {
            wanted,
            needles: needles.map(|needles: Vec<Vec<u8>>| {
                let finders = needles.iter().map(|n| bstr::Finder::new(n).into_owned());
                finders.collect()
            }),
            lower: Vec::new(),
        }
    }

    /// The groups of a block that are wanted, each with its text. What is damaged is left out.
    pub fn find<'b>(&mut self, block: &'b [u8]) -> Vec<(Group<'b>, &'b [u8])> {
        let group = |start: usize| {
            if let Wanted::Named(names) = self.wanted
                && !names.contains(name_at(block, start)?)
            {
                return None;
            }
            let group = group_at(block, start)?;
            Some((group, &block[start..end_of_group(block, start)]))
        };
        let wanted = |(group, _): &(Group<'_>, _)| match self.wanted {
            Wanted::All | Wanted::Described(_) | Wanted::Named(_) => true,
            Wanted::Accepted(filters) => accepted(group, filters),
        };
        let Some(needles) = self.needles.as_ref().filter(|_| block.is_ascii()) else {
            return starts(block).filter_map(group).filter(wanted).collect();
        };
        self.lower.clear();
        self.lower.extend_from_slice(block);
        self.lower.make_ascii_lowercase();
        let mut found = BTreeSet::new();
        for needle in needles {
            let mut from = 0;
            while let Some(at) = needle.find(&self.lower[from..]) {
                let at = from + at;
                found.insert(block[..=at].rfind_byte(NAME).unwrap_or(0));
                from = end_of_group(block, at);
            }
        }
        found.into_iter().filter_map(group).filter(wanted).collect()
    }
}

/// From so many names on each name of a block is looked up among them, instead of each of them in the block.
const FEW: usize = 8;

/// What a group holds that plain filters accept, in small letters.
fn needles(filters: &[Filter]) -> Option<Vec<Vec<u8>>> {
    let mut needles = Vec::new();
    for filter in filters {
        let (Filter::Contains(text) | Filter::Begins { text, .. }) = filter else {
            return None;
        };
        if !text.is_ascii() || text.is_empty() {
            return None;
        }
        let text = text.to_ascii_lowercase();
        needles.push(text.clone().into_bytes());
        // The end of a name and the begin of a version: they stand on different lines.
        for (at, _) in text.match_indices('/') {
            needles.push([&text.as_bytes()[..at], &[PART]].concat());
        }
    }
    Some(needles)
}

/// The names of a block, each with the number of its first module.
pub fn heads(block: &[u8]) -> impl Iterator<Item = (&str, u32)> + Clone {
    starts(block).filter_map(|start| {
        let line = block[start..].lines().next()?.to_str().ok()?;
        let mut parts = line.strip_prefix(NAME as char)?.split(PART as char);
        Some((parts.next()?, parts.next()?.parse().ok()?))
    })
}

/// A text of whole names with other numbers: those of their modules from `first` on; and the number behind the last.
pub fn numbered(names: &[u8], first: u32) -> Option<(Vec<u8>, u32)> {
    let mut bytes = Vec::with_capacity(names.len() + 16);
    let mut number = first;
    for start in starts(names) {
        let group = &names[start..end_of_group(names, start)];
        let (head, rows) = group.split_at(group.find_byte(LINE)? + 1);
        let mut parts = head.splitn(3, |byte| *byte == PART);
        let (name, _, rest) = (parts.next()?, parts.next()?, parts.next()?);
        for part in [
            name,
            &[PART],
            number.to_string().as_bytes(),
            &[PART],
            rest,
            rows,
        ] {
            bytes.extend_from_slice(part);
        }
        let modules = rows.iter().filter(|byte| **byte == LINE).count();
        number = number.checked_add(u32::try_from(modules).ok()?)?;
    }
    Some((bytes, number))
}

/// A line of an index text.
#[derive(Debug, Clone, Copy)]
pub enum Line<'b> {
    /// A name, with the number of its first module.
    Name(&'b str, u32),
    /// A module of the last name.
    Module(ModuleLine<'b>),
}

/// Where the file of a module is.
#[derive(Debug, Clone, Copy)]
pub struct ModuleLine<'b> {
    version: &'b str,
    file: &'b str,
}

impl<'b> ModuleLine<'b> {
    /// Makes the name of the module, with which `path` ends, the path of its file; or gives that path, where it lies elsewhere.
    pub fn add_file(&self, path: &mut String) -> Option<&'b str> {
        let Some(ending) = ending(self.file) else {
            return Some(elsewhere(self.file));
        };
        if !self.version.is_empty() {
            path.push('/');
            path.push_str(self.version);
        }
        path.push_str(ending);
        None
    }
}

/// The lines of a block, as far as files go; `None` where it is damaged, and so does it end.
pub fn index_lines(block: &[u8]) -> Option<impl Iterator<Item = Line<'_>>> {
    let lines = pieces(block.to_str().ok()?, LINE);
    Some(lines.map_while(|line| {
        let mut parts = pieces(line, PART);
        let (head, second) = (parts.next()?, parts.next()?);
        match head.strip_prefix(NAME as char) {
            Some(name) => {
                parts.next()?;
                Some(Line::Name(name, second.parse().ok()?))
            }
            None => Some(Line::Module(ModuleLine {
                version: head,
                file: second,
            })),
        }
    }))
}

/// The pieces of a text between bytes that are ASCII; the last one may lack its end. In a short text to look at each byte
/// costs less than to set up a search.
fn pieces(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    const SHORT: usize = 64;
    let mut rest = (!text.is_empty()).then_some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = match text.len() < SHORT {
            true => text.bytes().position(|byte| byte == separator),
            false => text.as_bytes().find_byte(separator),
        };
        let piece = &text[..end.unwrap_or(text.len())];
        rest = end.and_then(|end| text.get(end + 1..));
        Some(piece)
    })
}

/// The name of the group that begins at `start`.
fn name_at(block: &[u8], start: usize) -> Option<&str> {
    let name = block.get(start + 1..)?;
    name[..name.find_byte(PART)?].to_str().ok()
}

/// Where groups begin.
fn starts(block: &[u8]) -> impl Iterator<Item = usize> + Clone {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next;
        (start < block.len()).then(|| {
            next = end_of_group(block, start);
            start
        })
    })
}

/// Where the group around `at` ends.
fn end_of_group(block: &[u8], at: usize) -> usize {
    let rest = block.get(at + 1..).unwrap_or_default();
    rest.find_byte(NAME).map_or(block.len(), |end| at + 1 + end)
}

fn group_at(block: &[u8], start: usize) -> Option<Group<'_>> {
    let text = block[start..end_of_group(block, start)].to_str().ok()?;
    let mut lines = pieces(text, LINE);
    let mut head = pieces(lines.next()?.strip_prefix(NAME as char)?, PART);
    let (name, first, rank, chosen) = (head.next()?, head.next()?, head.next()?, head.next()?);
    let rank = match rank {
        "p" => Some(Rank::Plain),
        "m" => Some(Rank::Meta),
        "t" => Some(Rank::Tree),
        "s" => Some(Rank::System),
        "u" => Some(Rank::User),
        _ => None,
    };
    let mut rows: Vec<Row> = Vec::with_capacity(text.bytes().filter(|byte| *byte == LINE).count());
    rows.extend(lines.filter_map(|line| {
        let mut parts = pieces(line, PART);
        Some(Row {
            version: parts.next()?,
            file: parts.next()?,
            is_marked: parts.next() == Some("m"),
            symbols: parts.next().unwrap_or_default(),
        })
    }));
    let first: u32 = first.parse().ok()?;
    let choice = rank.and_then(|rank| {
        let meant = match chosen.strip_prefix(WORD as char) {
            Some(place) => {
                let place: u32 = place.parse().ok()?;
                rows.get(place as usize)?;
                Meant::Number(first.checked_add(place)?)
            }
            None => Meant::Elsewhere(chosen),
        };
        Some((meant, rank))
    });
    Some(Group {
        name,
        first,
        choice,
        rows,
    })
}

fn accepted(group: &Group<'_>, filters: &[Filter]) -> bool {
    filters
        .iter()
        .any(|filter| (group.rows.iter()).any(|row| filter.accepts_module(group.name, row.version)))
}
