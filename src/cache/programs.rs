//! The programs in the directories that modules put in `PATH`: how a cache keeps them, and which modules have others than it
//! knows.
//!
//! Names stand in order, many to a row. A digest of the directories of each module tells which have changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use camino::Utf8Path;

use super::file::{Block, File, Part, module_id};
use super::look::{self, Seen};
use super::looker::{Looker, common_dir};
use super::moves::Moves;
use super::pack::{Packer, Unpacker};
use super::save::lengthened;
use super::writer::Writer;
use super::{Cache, SaveError};
use crate::tree::{Known, SourceKind, Stamp, command_dirs, programs_in};

/// What was found out about the programs of the modules of a modulepath.
#[derive(Debug, Default)]
pub(super) struct Programs {
    /// The digests of their directories, eight bytes a module.
    pub(super) digests: Vec<u8>,
    /// The programs of those modules whose digest is another one than before.
    pub(super) changed: Vec<(u32, Vec<String>)>,
}

/// The directories of all modules: one text, and where in it each module's begin.
#[derive(Default)]
struct Dirs {
    text: String,
    starts: Vec<usize>,
}

impl Dirs {
    fn push<'d>(&mut self, number: u32, dirs: impl Iterator<Item = &'d str>) {
        self.starts.resize(number as usize, self.text.len());
        self.starts.push(self.text.len());
        for dir in dirs {
            self.text.push_str(dir);
            self.text.push('\n');
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }

    fn of(&self, number: usize) -> impl Iterator<Item = &Utf8Path> {
        let end = self.starts.get(number + 1).copied();
        let start = self.starts.get(number).copied().unwrap_or_default();
        let text = &self.text[start..end.unwrap_or(self.text.len())];
        text.split_terminator('\n').map(Utf8Path::new)
    }
}

impl Cache {
    /// Looks at the directories that modules put in `PATH`.
    pub(super) fn look_for_programs(&self, known: &Known) -> Programs {
        let root = &known.modulepath;
        let old = match known.surveyed.is_remembered {
            true => self.stored.part(root, Part::Programs).unwrap_or_default(),
            false => Vec::new(),
        };
        let (old, _) = old.as_chunks::<8>();
        let moves = self.stored.with(root, |_, held| {
            held.renewal.as_ref().map(|renewal| renewal.moves.clone())
        });
        let moves = moves.flatten().filter(|_| known.surveyed.is_remembered);
        let old_number = |number| match &moves {
            Some(moves) => moves.old(number),
            None => Some(number),
        };
        let mut dirs = Dirs::default();
        self.each_rest(known, &mut |number, rest| {
            dirs.push(number, command_dirs(&lengthened(rest, root)));
        });
        let count = dirs.starts.len();
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let inner = common_dir(dirs.all());
        // Those below the modulepath were looked at as such a moment ago.
        let blocks = self.stored.with(root, |_, held| held.blocks.clone());
        let blocks = blocks.filter(|_| known.surveyed.is_remembered);
        let blocks = blocks.unwrap_or_default();
        let work = |blocks: &[Block], numbers: Range<usize>| {
            let looker = Looker::within(Utf8Path::new("/"), inner.clone());
            let mut digests = Vec::with_capacity(numbers.len() * 8);
            let mut changed = Vec::new();
            let mut take = |number: usize, seen: &mut DirsSeen| {
                let stamp = |dir: &Utf8Path| {
                    let below = dir.as_str().strip_prefix(root.as_str());
                    let below = below.and_then(|below| below.strip_prefix('/'));
                    let seen = below.and_then(|below| seen.stamp(below));
                    seen.or_else(|| looker.stamp(dir.as_str()))
                };
                let digest = digest(dirs.of(number), stamp);
                digests.extend_from_slice(&digest);
                let known =
                    old_number(number as u32).and_then(|old_number| old.get(old_number as usize));
                if known.copied().unwrap_or_default() != digest {
                    let names = dirs.of(number).flat_map(programs_in);
                    changed.push((number as u32, names.collect()));
                }
            };
            let mut next = numbers.start;
            let mut seen = DirsSeen::default();
            for block in blocks {
                look::each(block, None, &mut |found| {
                    match found {
                        Seen::Source(path, stamp, SourceKind::Dir, _) => seen.push(path, stamp),
                        Seen::Module(number, ..) if number as usize == next => {
                            take(next, &mut seen);
                            seen.is_done = true;
                            next += 1;
                        }
                        Seen::Source(..) | Seen::Module(..) => {}
                    }
                    next < numbers.end
                });
            }
            (next..numbers.end).for_each(|number| take(number, &mut seen));
            (digests, changed)
        };
        let parts: Vec<(&[Block], Range<usize>)> = match blocks.len().div_ceil(threads) {
            0 => {
                let size = count.div_ceil(threads).max(64);
                let starts = (0..count).step_by(size);
                let part = |first: usize| (&blocks[..0], first..(first + size).min(count));
                starts.map(part).collect()
            }
            size => {
                let mut parts = blocks.chunks(size).peekable();
                let mut ranges = Vec::new();
                let mut first = 0;
                while let Some(part) = parts.next() {
                    let end = parts.peek().map_or(count, |next| next[0].first as usize);
                    let end = end.clamp(first, count);
                    ranges.push((part, first..end));
                    first = end;
                }
                ranges
            }
        };
        let mut found = Programs::default();
        std::thread::scope(|scope| {
            let work = &work;
            let workers = parts.into_iter();
            let workers: Vec<_> = workers
                .map(|(blocks, numbers)| scope.spawn(move || work(blocks, numbers)))
                .collect();
            for worker in workers {
                let (digests, changed) = worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                found.digests.extend(digests);
                found.changed.extend(changed);
            }
        });
        found
    }
}

/// What becomes of the programs of a modulepath of an old file.
#[derive(Debug)]
struct Kept {
    /// The key of the modulepath in the new file.
    id: u32,
    /// The modules whose programs have changed.
    changed: HashSet<u32>,
    /// How modules are numbered now, if otherwise.
    moves: Option<Moves>,
}

/// The programs of all modulepaths of a new file.
#[derive(Debug, Default)]
pub(super) struct ProgramsOfAll {
    /// What stays, by the number of the old file and the key of the modulepath in it.
    kept: HashMap<usize, HashMap<u32, Kept>>,
    /// What is new, with the keys of its modules.
    added: BTreeMap<String, Vec<i64>>,
}

impl ProgramsOfAll {
    /// Takes in what was found out about a modulepath that has the key `id`; and where it stands in an old file, if it stays
    /// but for that.
    pub(super) fn add(
        &mut self,
        id: u32,
        found: Programs,
        old: Option<(usize, u32, Option<Moves>)>,
    ) {
        if let Some((file, old_id, moves)) = old {
            let changed = found.changed.iter().map(|(number, _)| *number).collect();
            let kept = self.kept.entry(file).or_default();
            kept.insert(old_id, Kept { id, changed, moves });
        }
        for (number, names) in found.changed {
            for name in names {
                let keys = self.added.entry(name).or_default();
                keys.push(module_id(id, number));
            }
        }
    }

    /// Writes them all: those of `copies`, a file that is copied from by the keys of modulepaths, too. Tells how many there
    /// are.
    ///
    /// # Errors
    /// They cannot be written, or an old file is damaged.
    pub(super) fn write(
        mut self,
        writer: &mut Writer,
        files: &[File],
        copies: Option<(&File, HashMap<u32, u32>)>,
    ) -> Result<usize, SaveError> {
        let mut sources: Vec<(&File, HashMap<u32, Kept>)> = Vec::new();
        for (number, kept) in self.kept {
            sources.extend(files.get(number).map(|file| (file, kept)));
        }
        if let Some((file, copies)) = copies {
            let kept = copies.into_iter().map(|(old, id)| {
                let changed = HashSet::new();
                let moves = None;
                (old, Kept { id, changed, moves })
            });
            sources.push((file, kept.collect()));
        }
        // One file is gone through name by name; of further ones, which are rare, all is taken in first.
        let main = sources.pop();
        for (file, kept) in &sources {
            let whole = file.each_program(&mut |name, packed| {
                let keys: Vec<i64> = keys(packed).filter_map(|key| now(kept, key)).collect();
                if !keys.is_empty() {
                    self.added.entry(name.to_owned()).or_default().extend(keys);
                }
            });
            if !whole {
                return Err(SaveError::Damaged);
            }
        }
        let mut count = 0;
        let mut result = Ok(());
        let mut write = |name: &str, keys: Vec<i64>| {
            if result.is_ok() && !keys.is_empty() {
                count += 1;
                result = writer.program(name, &pack_keys(keys));
            }
        };
        let mut added = self.added.into_iter().peekable();
        if let Some((file, kept)) = &main {
            let whole = file.each_program(&mut |name, packed| {
                while let Some((before, keys)) = added.next_if(|(new, _)| new.as_str() < name) {
                    write(&before, keys);
                }
                let mut keys: Vec<i64> = keys(packed).filter_map(|key| now(kept, key)).collect();
                keys.extend(
                    added
                        .next_if(|(new, _)| new == name)
                        .into_iter()
                        .flat_map(|(_, keys)| keys),
                );
                write(name, keys);
            });
            if !whole {
                return Err(SaveError::Damaged);
            }
        }
        for (name, keys) in added {
            write(&name, keys);
        }
        result?;
        Ok(count)
    }
}

/// The key of a module in the new file; `None` where it brings along other programs now.
fn now(kept: &HashMap<u32, Kept>, key: i64) -> Option<i64> {
    let root = kept.get(&u32::try_from(key >> 24).ok()?)?;
    let number = (key & 0xff_ffff) as u32;
    let number = match &root.moves {
        Some(moves) => moves.now(number)?,
        None => number,
    };
    (!root.changed.contains(&number)).then(|| module_id(root.id, number))
}

/// Some names of programs in order, each with the keys of its modules.
#[derive(Debug, Default)]
pub(super) struct Row {
    first: String,
    last: String,
    packer: Packer,
}

impl Row {
    pub(super) fn push(&mut self, name: &str, keys: &[u8]) {
        if self.packer.is_empty() {
            name.clone_into(&mut self.first);
            self.last.clear();
        }
        let mut common = (self.last.bytes().zip(name.bytes()))
            .take_while(|(a, b)| a == b)
            .count();
        while !name.is_char_boundary(common) {
            common -= 1;
        }
        self.packer.number(common as u64);
        self.packer.text(&name[common..]);
        self.packer.blob(keys);
        name.clone_into(&mut self.last);
    }

    /// Whether what comes next is to stand in another row.
    pub(super) fn is_full(&self) -> bool {
        self.packer.len() >= ROW
    }

    /// The first name and the bytes, if there are any; what follows begins a new row.
    pub(super) fn take(&mut self) -> Option<(&str, Vec<u8>)> {
        let bytes = std::mem::take(&mut self.packer).finish();
        (!bytes.is_empty()).then_some((self.first.as_str(), bytes))
    }
}

/// So many bytes make a row: a few of them fit in a page of SQLite together with their key.
const ROW: usize = 3_000;

/// Goes through the names of a row until `take` says no. False where it is damaged.
pub(super) fn each_in_row(
    first: &str,
    row: &[u8],
    take: &mut dyn FnMut(&str, &[u8]) -> bool,
) -> bool {
    let mut unpacker = Unpacker::new(row);
    let mut name = String::new();
    let mut walk = || -> Option<()> {
        let mut is_first = true;
        while !unpacker.is_at_end() {
            let common = usize::try_from(unpacker.number()?).ok()?;
            let rest = unpacker.text()?;
            if !name.is_char_boundary(common) {
                return None;
            }
            name.truncate(common);
            name.push_str(rest);
            if std::mem::take(&mut is_first) && name != first {
                return None;
            }
            if !take(&name, unpacker.blob()?) {
                break;
            }
        }
        Some(())
    };
    walk().is_some()
}

/// The directories of a name, with the stamps that they have now.
#[derive(Default)]
struct DirsSeen {
    paths: String,
    /// Where each path ends.
    dirs: Vec<(usize, Stamp)>,
    /// The place behind the one that was asked for last.
    next: usize,
    /// Its modules have come: with the next directory another name begins.
    is_done: bool,
}

impl DirsSeen {
    fn push(&mut self, path: &str, stamp: Stamp) {
        if std::mem::take(&mut self.is_done) {
            self.paths.clear();
            self.dirs.clear();
            self.next = 0;
        }
        self.paths.push_str(path);
        self.dirs.push((self.paths.len(), stamp));
    }

    /// The stamp of a directory; they are mostly asked for in order.
    fn stamp(&mut self, path: &str) -> Option<Stamp> {
        let is_it = |place: &usize| {
            let start = match place.checked_sub(1) {
                Some(before) => self.dirs[before].0,
                None => 0,
            };
            self.paths[start..self.dirs[*place].0] == *path
        };
        let mut places = (self.next..self.dirs.len()).chain(0..self.next);
        let place = places.find(is_it)?;
        self.next = place + 1;
        Some(self.dirs[place].1)
    }
}

/// A digest of directories; zeros where there are none.
fn digest<'d>(
    dirs: impl Iterator<Item = &'d Utf8Path>,
    mut stamp: impl FnMut(&Utf8Path) -> Option<Stamp>,
) -> [u8; 8] {
    let mut hasher = None;
    for dir in dirs {
        (dir.as_str(), stamp(dir)).hash(hasher.get_or_insert_with(DefaultHasher::new));
    }
    hasher.map_or([0; 8], |hasher| hasher.finish().to_le_bytes())
}

/// The keys of the modules that bring along a program.
pub(super) fn pack_keys(mut modules: Vec<i64>) -> Vec<u8> {
    modules.sort_unstable();
    modules.dedup();
    let mut packer = Packer::default();
    let mut last = 0;
    for module in modules {
        packer.number((module - last) as u64);
        last = module;
    }
    packer.finish()
}

/// The keys of modules that were packed.
pub(super) fn keys(packed: &[u8]) -> impl Iterator<Item = i64> {
    let mut unpacker = Unpacker::new(packed);
    let mut key = 0_u64;
    std::iter::from_fn(move || {
        key = key.wrapping_add(unpacker.number()?);
        i64::try_from(key).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_come_back_and_damage_is_noticed() {
        let names = ["", "bam", "bamtools", "béa", "bé", "x"];
        let mut row = Row::default();
        for (number, name) in names.iter().enumerate() {
            row.push(
                name,
                &pack_keys(vec![number as i64, 7 << 24, number as i64]),
            );
        }
        let (first, bytes) = row.take().unwrap();
        let read = |first: &str, bytes: &[u8]| {
            let mut found = Vec::new();
            let whole = each_in_row(first, bytes, &mut |name, packed| {
                found.push((name.to_owned(), keys(packed).collect::<Vec<_>>()));
                true
            });
            (whole, found)
        };
        let (whole, found) = read(first, &bytes);
        assert!(whole && found.iter().map(|(name, _)| name).eq(&names));
        assert_eq!(found[3].1, [3, 7 << 24]);
        assert!(!read("y", &bytes).0 && !read("", &bytes[..bytes.len() - 1]).0);
        assert!(row.take().is_none());
    }
}
