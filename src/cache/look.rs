//! What a modulepath was read from, as a cache keeps it: by name, so that a request for a few names looks at what they
//! depend on and at nothing else.
//!
//! A directory or rc file belongs to the name in whose directory it lies. What belongs to no name - the modulepath itself,
//! the directories above names, their rc files - is common: it tells whether there are new names.

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
    let owners = Owners::new(index);
    let mut common = Packer::default();
    let mut owned: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        match owners.of(source) {
            Some(name) => owned.entry(name).or_default().push(source),
            None => common.source(&source.path, source),
        }
    }
    let blocks = index.blocks(BLOCK).into_iter().map(|(first, names)| {
        let mut looks = Packer::default();
        let mut names_in = heads(names).peekable();
        let end_of_block = index.modules();
        while let Some((name, start)) = names_in.next() {
            // The last name of a block goes on to the first of the next.
            let end = names_in.peek().map(|(_, next)| *next);
            let end = end
                .or_else(|| owners.next_after(start))
                .unwrap_or(end_of_block);
            // A directory before what is in it: to look at neighbours together costs the system least.
            let sources = owned.get(name).map_or(&[][..], Vec::as_slice);
            looks.number(sources.len() as u64);
            for source in sources {
                looks.source(&source.path[name.len()..], source);
            }
            looks.number(u64::from(end - start));
            for number in start..end {
                let stamp = stamps.get(number as usize).copied().flatten();
                looks.stamp(stamp.unwrap_or_default());
            }
        }
        Block {
            first,
            names: names.to_vec(),
            looks: looks.finish(),
        }
    });
    let blocks = blocks.collect();
    (common.finish(), blocks)
}

/// The names of an index.
struct Owners<'i> {
    names: BTreeSet<&'i str>,
    firsts: BTreeSet<u32>,
}

impl<'i> Owners<'i> {
    fn new(index: &'i Index) -> Owners<'i> {
        Owners {
            names: heads(index.as_bytes()).map(|(name, _)| name).collect(),
            firsts: heads(index.as_bytes()).map(|(_, first)| first).collect(),
        }
    }

    fn next_after(&self, first: u32) -> Option<u32> {
        self.firsts.range(first + 1..).next().copied()
    }

    /// The name that a source belongs to.
    fn of(&self, source: &Source) -> Option<&'i str> {
        let path = source.path.as_str();
        let beside = path.strip_suffix(".toml").into_iter();
        let above = path.rmatch_indices('/').map(|(at, _)| &path[..at]);
        // The longest of them.
        let mut places = beside.chain([path]).chain(above);
        let name = places.find_map(|place| self.names.get(place))?;
        // Other names may begin in it.
        let below = format!("{name}/");
        let mut inside = self.names.range(below.as_str()..);
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
