//! The programs in the directories that modules put in `PATH`: which modules have others than a cache knows.
//!
//! A cache keeps a digest of those directories for each module, so that only those that have changed are read again.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use camino::Utf8Path;

use super::Cache;
use super::file::{Part, module_id};
use super::pack::{Packer, Unpacker};
use super::save::lengthened;
use crate::tree::{Known, Stamp, command_dirs, programs_in};

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
        let mut dirs = Dirs::default();
        self.each_about(known, &mut |number, _, rest| {
            dirs.push(number, command_dirs(&lengthened(rest, root)));
        });
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let size = dirs.starts.len().div_ceil(threads).max(64);
        let work = |first: usize| {
            let mut digests = Vec::with_capacity(size * 8);
            let mut changed = Vec::new();
            for number in first..(first + size).min(dirs.starts.len()) {
                let digest = digest(dirs.of(number));
                digests.extend_from_slice(&digest);
                if old.get(number).copied().unwrap_or_default() != digest {
                    let names = dirs.of(number).flat_map(programs_in);
                    changed.push((number as u32, names.collect()));
                }
            }
            (digests, changed)
        };
        let mut found = Programs::default();
        std::thread::scope(|scope| {
            let work = &work;
            let workers: Vec<_> = (0..dirs.starts.len())
                .step_by(size)
                .map(|first| scope.spawn(move || work(first)))
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

    /// All programs of the modules of a modulepath, those that are as they were from the old file: their modules, which in
    /// the new one have the keys of the modulepath `id`.
    pub(super) fn add_programs(
        &self,
        known: &Known,
        id: u32,
        found: &Programs,
        programs: &mut BTreeMap<String, Vec<i64>>,
    ) {
        let mut add = |name: &str, number: u32| match programs.get_mut(name) {
            Some(modules) => modules.push(module_id(id, number)),
            None => {
                programs.insert(name.to_owned(), vec![module_id(id, number)]);
            }
        };
        let changed: HashMap<u32, &Vec<String>> = (found.changed.iter())
            .map(|(number, names)| (*number, names))
            .collect();
        if known.surveyed.is_remembered {
            self.stored.with(&known.modulepath, |file, held| {
                file.each_program(&mut |name, packed| {
                    for number in numbers(packed, held.id) {
                        if !changed.contains_key(&number) {
                            add(name, number);
                        }
                    }
                })
            });
        }
        for (number, names) in &found.changed {
            for name in names {
                add(name, *number);
            }
        }
    }
}

/// A digest of directories; zeros where there are none.
fn digest<'d>(dirs: impl Iterator<Item = &'d Utf8Path>) -> [u8; 8] {
    let mut hasher = None;
    for dir in dirs {
        (dir, Stamp::of(dir)).hash(hasher.get_or_insert_with(DefaultHasher::new));
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

/// The numbers of the modules of one modulepath among packed keys.
pub(super) fn numbers(packed: &[u8], root: u32) -> Vec<u32> {
    let mut unpacker = Unpacker::new(packed);
    let mut id = 0_u64;
    let mut numbers = Vec::new();
    while let Some(step) = unpacker.number() {
        id = id.wrapping_add(step);
        if id >> 24 == u64::from(root) {
            numbers.push((id & 0xff_ffff) as u32);
        }
    }
    numbers
}
