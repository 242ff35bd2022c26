//! What a modulepath was read from, as a cache keeps it: by name, so that a request for a few names looks at what they
//! depend on and at nothing else.
//!
//! A directory or rc file belongs to the name in whose directory it lies. What belongs to no name - the modulepath itself,
//! the directories above names, their rc files - is common: it tells whether there are new names.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::file::{BLOCK, Block};
use super::pack::{Packer, Unpacker};
use crate::tree::{Index, Line, Source, SourceKind, Stamp, heads, index_lines};

/// What is found in a block.
pub(super) enum Seen<'b> {
    /// A modulefile, by its number, with its path; without a stamp it must not be remembered.
    Module(u32, Option<Stamp>, &'b str),
    /// A source: path, identity, kind, and the entries of a directory.
    Source(&'b str, Stamp, SourceKind, &'b [u8]),
}

/// Takes a source that belongs to no name.
type TakeSource<'t> = &'t mut dyn FnMut(&str, Stamp, SourceKind, &[u8]) -> bool;

/// Packs the sources of an index, and the stamps of its modulefiles: what belongs to no name, and the blocks of names.
pub(super) fn pack(
    index: &Index,
    sources: &[Source],
    stamps: &[Option<Stamp>],
) -> (Vec<u8>, Vec<Block>) {
    let names = heads(index.as_bytes());
    let firsts: BTreeSet<u32> = names.clone().map(|(_, first)| first).collect();
    let owners = Owners::new(names.map(|(name, _)| name).collect());
    let mut common = Vec::new();
    let mut owned: BTreeMap<&str, Vec<Cow<'_, Source>>> = BTreeMap::new();
    for source in sources {
        match owners.of(&source.path) {
            Some(name) => owned.entry(name).or_default().push(Cow::Borrowed(source)),
            None => common.push(source),
        }
    }
    let mut blocks = Vec::new();
    for (first, names) in index.blocks(BLOCK) {
        let mut of_block = Vec::new();
        let mut names_in = heads(names).peekable();
        while let Some((name, start)) = names_in.next() {
            // The last name of a block goes on to the first of the next.
            let end = names_in.peek().map(|(_, next)| *next);
            let next = || firsts.range(start + 1..).next().copied();
            let end = end.or_else(next).unwrap_or(index.modules());
            let stamp = |number: u32| stamps.get(number as usize).copied().flatten();
            of_block.push(Owned {
                name: name.to_owned(),
                first: start,
                sources: owned.remove(name).unwrap_or_default(),
                stamps: (start..end).map(stamp).collect(),
            });
        }
        blocks.push(Block {
            first,
            names: names.to_vec(),
            looks: pack_owned(&of_block),
        });
    }
    (pack_common(common), blocks)
}

/// Sources that belong to no name, as bytes.
pub(super) fn pack_common<'s>(sources: impl IntoIterator<Item = &'s Source>) -> Vec<u8> {
    let mut packer = Packer::default();
    for source in sources {
        packer.source(&source.path, source);
    }
    packer.finish()
}

/// What a name of a block was read from.
pub(super) struct Owned<'s> {
    pub(super) name: String,
    /// The number of its first module.
    pub(super) first: u32,
    pub(super) sources: Vec<Cow<'s, Source>>,
    /// The stamps of its modulefiles.
    pub(super) stamps: Vec<Option<Stamp>>,
}

/// What the names of a block were read from, as bytes.
pub(super) fn pack_owned(names: &[Owned<'_>]) -> Vec<u8> {
    let mut looks = Packer::default();
    for owned in names {
        // A directory before what is in it: to look at neighbours together costs the system least.
        looks.number(owned.sources.len() as u64);
        for source in &owned.sources {
            looks.source(&source.path[owned.name.len()..], source);
        }
        looks.number(owned.stamps.len() as u64);
        for stamp in &owned.stamps {
            looks.stamp(stamp.unwrap_or_default());
        }
    }
    looks.finish()
}

/// What the names of a block were read from; `None` where that is damaged.
pub(super) fn owned(block: &Block) -> Option<Vec<Owned<'static>>> {
    let mut unpacker = Unpacker::new(&block.looks);
    let mut names = Vec::new();
    for (name, first) in heads(&block.names) {
        let mut sources = Vec::new();
        for _ in 0..unpacker.number()? {
            let (rest, stamp, kind, entries) = unpacker.source()?;
            sources.push(Cow::Owned(Source {
                path: [name, rest].concat(),
                stamp,
                kind,
                entries: std::str::from_utf8(entries).ok()?.to_owned(),
            }));
        }
        let mut stamps = Vec::new();
        for _ in 0..unpacker.number()? {
            let stamp = unpacker.stamp()?;
            stamps.push((stamp != Stamp::default()).then_some(stamp));
        }
        names.push(Owned {
            name: name.to_owned(),
            first,
            sources,
            stamps,
        });
    }
    Some(names)
}

/// The names of an index.
pub(super) struct Owners<'i>(BTreeSet<&'i str>);

impl<'i> Owners<'i> {
    pub(super) fn new(names: BTreeSet<&'i str>) -> Owners<'i> {
        Owners(names)
    }

    /// The name that a source belongs to.
    pub(super) fn of(&self, path: &str) -> Option<&'i str> {
        let beside = path.strip_suffix(".toml").into_iter();
        let above = path.rmatch_indices('/').map(|(at, _)| &path[..at]);
        // The longest of them.
        let mut places = beside.chain([path]).chain(above);
        let name = places.find_map(|place| self.0.get(place))?;
        // Other names may begin in it.
        let below = format!("{name}/");
        let mut inside = self.0.range(below.as_str()..);
        let is_above_others = inside.next().is_some_and(|other| other.starts_with(&below));
        (!is_above_others).then_some(*name)
    }
}

/// How many files and directories there are to look at in blocks, more or less.
pub(super) fn count(blocks: &[Block]) -> usize {
    const BYTES_OF_ONE: usize = 40;
    let bytes: usize = blocks.iter().map(|block| block.looks.len()).sum();
    bytes / BYTES_OF_ONE
}

/// Goes through the sources that belong to no name, until `take` says no. False where they are damaged.
pub(super) fn each_common(common: &[u8], take: TakeSource<'_>) -> bool {
    let mut unpacker = Unpacker::new(common);
    while !unpacker.is_at_end() {
        match unpacker.source() {
            Some((path, stamp, kind, entries)) => {
                if !take(path, stamp, kind, entries) {
                    return true;
                }
            }
            None => return false,
        }
    }
    true
}

/// Goes through a block, or the names in it whose first modules are given, until `take` says no. False where it is damaged.
pub(super) fn each(
    block: &Block,
    only: Option<&BTreeSet<u32>>,
    take: &mut dyn FnMut(Seen<'_>) -> bool,
) -> bool {
    let mut unpacker = Unpacker::new(&block.looks);
    let mut walk = || -> Option<()> {
        let mut path = String::new();
        let last = only.map(|only| only.last().copied().unwrap_or_default());
        let mut lines = index_lines(&block.names)?;
        while let Some(line) = lines.next() {
            let Line::Name(name, first) = line else {
                return None;
            };
            if last.is_some_and(|last| first > last) {
                break;
            }
            let is_wanted = only.is_none_or(|only| only.contains(&first));
            path.clear();
            path.push_str(name);
            for _ in 0..unpacker.number()? {
                let (rest, stamp, kind, entries) = unpacker.source()?;
                if is_wanted {
                    path.truncate(name.len());
                    path.push_str(rest);
                    if !take(Seen::Source(&path, stamp, kind, entries)) {
                        return Some(());
                    }
                }
            }
            let modules = u32::try_from(unpacker.number()?).ok()?;
            for number in first..first.checked_add(modules)? {
                let stamp = unpacker.stamp()?;
                let Line::Module(module) = lines.next()? else {
                    return None;
                };
                if is_wanted {
                    path.truncate(name.len());
                    let file = module.add_file(&mut path);
                    let stamp = (stamp != Stamp::default()).then_some(stamp);
                    if !take(Seen::Module(number, stamp, file.unwrap_or(&path))) {
                        return Some(());
                    }
                }
            }
        }
        Some(())
    };
    walk().is_some()
}
