//! What a crawl found out, written to a cache.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::ByteSlice;
use camino::Utf8Path;

use super::file::{Block, File, Part, TakeAbout};
use super::look::{self, Seen};
use super::pack::{Packer, Unpacker};
use super::patch::{Abouts, Patch};
use super::programs::{Programs, ProgramsOfAll};
use super::stored::{Asked, Held};
use super::writer::{Parts, RootData, Writer};
use super::{Cache, CacheError, Freshness, Head, part, settings};
use crate::config::Config;
use crate::tree::{Crawl, Extra, Known, Mistake, Packed, ROOT, Reads, Record, Stamp};

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Saved {
    /// Modulepaths.
    pub roots: usize,
    /// Their modules.
    pub modules: u32,
    /// Names of programs.
    pub programs: usize,
}

/// What becomes of modulepaths in the old file that a crawl did not come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They stay as they are.
    Stay,
    /// They go.
    Go,
}

/// A part of the old file cannot be read: it has to be made from the ground up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveError {
    /// Nothing could be written.
    Cache(CacheError),
    /// What was to be kept is damaged.
    Damaged,
}

impl From<CacheError> for SaveError {
    fn from(error: CacheError) -> SaveError {
        SaveError::Cache(error)
    }
}

/// A file that holds what a crawl found out, but for a few modulefiles.
struct Standing<'f> {
    file: &'f File,
    saved: Saved,
    /// The modulepaths that those lie in, by their places in the crawl.
    edited: Vec<usize>,
}

/// One modulefile in so many may be another one than the file knows; with more it is written as a whole.
const ONE_OF: usize = 4;

impl Cache {
    /// Writes what a crawl found out to the file at `path`. `others` says what becomes of
    /// modulepaths that the crawl did not come to.
    ///
    /// # Errors
    /// The directory cannot be written, or the disk is full, or what was to be kept is damaged; the old file stays.
    pub fn save(
        &self,
        path: &Utf8Path,
        crawl: &Crawl,
        config: &Config,
        others: Others,
    ) -> Result<Saved, SaveError> {
        let is_written = |known: &Known| {
            is_whole(known) && (others == Others::Go || !self.is_held_elsewhere(path, known))
        };
        let found = crawl.known.iter().map(|known| {
            let programs = is_written(known).then(|| self.look_for_programs(known));
            (known, programs)
        });
        let found: Vec<(&Known, Option<Programs>)> = found.collect();
        if others == Others::Go
            && let Some(standing) = self.standing(path, &found, config)
            && (standing.edited.is_empty() || self.patch(&standing, &found, crawl, config)?)
        {
            return Ok(standing.saved);
        }
        let mut writer = Writer::new(path)?;
        let mut saved = Saved::default();
        let mut programs = ProgramsOfAll::default();
        for (tree, (known, found)) in found.into_iter().enumerate() {
            let Some(found) = found else {
                continue;
            };
            let data = self.root_data(tree, known, crawl, config, &found.digests);
            let (parts, blocks) = data.ok_or(SaveError::Damaged)?;
            let id = writer.root(RootData {
                path: known.modulepath.clone(),
                parts,
                blocks,
                abouts: &mut |take| self.each_about(known, take),
            })?;
            let id = id.ok_or(SaveError::Damaged)?;
            let old = self.stored.with(&known.modulepath, |_, held| {
                let moves = held.renewal.as_ref().map(|renewal| renewal.moves.clone());
                (held.file, held.id, moves)
            });
            programs.add(id, found, old.filter(|_| known.surveyed.is_remembered));
            saved.modules += known.surveyed.survey.index.modules();
            saved.roots = id as usize;
        }
        let old = match others {
            Others::Stay => super::file::open(path).ok().flatten(),
            Others::Go => None,
        };
        let mut copies = HashMap::new();
        if let Some(old) = &old {
            for (old_id, root) in &old.roots {
                let mut known = crawl.known.iter();
                if known.any(|known| known.modulepath == *root && is_whole(known)) {
                    continue;
                }
                let Some((parts, blocks)) = copied(old, *old_id) else {
                    continue;
                };
                let data = RootData {
                    path: root.clone(),
                    parts,
                    blocks,
                    abouts: &mut |take| old.each_about(*old_id, take),
                };
                let Some(id) = writer.root(data)? else {
                    continue;
                };
                copies.insert(*old_id, id);
            }
        }
        let copies = old.as_ref().map(|old| (old, copies));
        saved.programs = programs.write(&mut writer, &self.stored.files, copies)?;
        writer.finish(self.readers)?;
        Ok(saved)
    }

    /// What the file at `path` holds, where that is what a crawl found out but for a few modulefiles that were evaluated.
    fn standing(
        &self,
        path: &Utf8Path,
        found: &[(&Known, Option<Programs>)],
        config: &Config,
    ) -> Option<Standing<'_>> {
        let file = self.stored.files.iter().find(|file| file.path == path)?;
        let mut standing = Standing {
            file,
            saved: Saved {
                roots: found.len(),
                ..Saved::default()
            },
            edited: Vec::new(),
        };
        if file.roots.len() != found.len() {
            return None;
        }
        for (tree, (known, programs)) in found.iter().enumerate() {
            let (root, survey) = (&known.modulepath, &known.surveyed.survey);
            let modules = survey.index.modules();
            let is_new = |held: &Held| held.head.stamp != stamp_now(root, config);
            let is_here = |file: &File, held: &Held| file.path == path && !is_new(held);
            if !known.surveyed.is_remembered
                || survey.is_renewed
                || known.records.len() * ONE_OF > modules as usize
                || self.stored.with(root, is_here) != Some(true)
                || !programs.as_ref()?.changed.is_empty()
            {
                return None;
            }
            if !known.records.is_empty() {
                standing.edited.push(tree);
            }
            standing.saved.modules += modules;
        }
        file.each_program(&mut |_, _| standing.saved.programs += 1)
            .then_some(standing)
    }

    /// Puts what was evaluated in its place in the file that stands. False where that file has to be written as a whole.
    fn patch(
        &self,
        standing: &Standing<'_>,
        found: &[(&Known, Option<Programs>)],
        crawl: &Crawl,
        config: &Config,
    ) -> Result<bool, SaveError> {
        let Some(patch) = Patch::of(standing.file)? else {
            return Ok(false);
        };
        for tree in &standing.edited {
            let Some((known, Some(programs))) = found.get(*tree) else {
                return Ok(false);
            };
            let root = &known.modulepath;
            let data = self.root_data(*tree, known, crawl, config, &programs.digests);
            let (Some((parts, blocks)), Some(id)) = (data, standing.file.root(root)) else {
                return Ok(false);
            };
            let looks = blocks.iter().map(|block| (block.first, &*block.looks));
            let mut abouts = Abouts::new();
            for (number, record) in &known.records {
                let (searched, rest) = record.about.parts();
                abouts.insert(*number, (searched, shortened(rest, root)));
            }
            if !patch.root(id, &parts, looks, &abouts)? {
                return Ok(false);
            }
        }
        patch.finish(self.readers)?;
        Ok(true)
    }

    /// Whether another file than that at `path` answered for a modulepath, and nothing was found out beside it.
    fn is_held_elsewhere(&self, path: &Utf8Path, known: &Known) -> bool {
        let elsewhere = self
            .stored
            .with(&known.modulepath, |file, _| file.path != path);
        let is_new = !known.surveyed.is_remembered || known.surveyed.survey.is_renewed;
        !is_new && known.records.is_empty() && elsewhere == Some(true)
    }

    /// A modulepath as it is written; `None` where what was to be kept is damaged.
    fn root_data(
        &self,
        tree: usize,
        known: &Known,
        crawl: &Crawl,
        config: &Config,
        digests: &[u8],
    ) -> Option<(Parts, Vec<Block>)> {
        let root = &known.modulepath;
        let survey = &known.surveyed.survey;
        let mut readers: BTreeMap<u32, Reads> = BTreeMap::new();
        let mut mistakes: BTreeMap<u32, Box<Mistake>> = BTreeMap::new();
        let mut forgotten: BTreeSet<u32> = BTreeSet::new();
        let looks = if known.surveyed.is_remembered {
            for (reads, numbers) in self.stored.asked(root) {
                readers.extend(numbers.into_iter().map(|number| (number, reads.clone())));
            }
            self.stored
                .with(root, |file, held| {
                    mistakes.extend(held.head.mistakes.iter().cloned());
                    forgotten.extend(&held.head.forgotten);
                    kept_looks(file, held, &known.records)
                })
                .flatten()
        } else {
            let count = survey.index.modules();
            forgotten.extend(0..count);
            let stamp = |number| known.records.get(&number).and_then(|record| record.stamp);
            let stamps: Vec<Option<Stamp>> = (0..count).map(stamp).collect();
            Some(look::pack(&survey.index, &survey.sources, &stamps))
        };
        let statements = match known.surveyed.is_remembered {
            true => self.stored.with(root, kept_statements).flatten(),
            false => serde_json::to_vec(&survey.statements).ok(),
        };
        let ((common, blocks), statements) = (looks?, statements?);
        for (number, record) in &known.records {
            match record.stamp {
                Some(_) => forgotten.remove(number),
                None => forgotten.insert(*number),
            };
            readers.remove(number);
            if !record.reads.is_empty() {
                readers.insert(*number, record.reads.clone());
            }
            mistakes.remove(number);
            if let Some(mistake) = &record.mistake {
                mistakes.insert(*number, mistake.clone());
            }
        }
        let head = Head {
            settings: settings(config),
            modules: survey.index.modules(),
            spoken: survey.spoken.clone(),
            reads: survey.reads.clone(),
            openers: known.openers.clone(),
            opener_files: opener_files(known, &blocks),
            mistakes: mistakes.into_iter().collect(),
            blocks: blocks.iter().map(|block| block.first).collect(),
            has_readers: !readers.is_empty(),
            forgotten: forgotten.into_iter().collect(),
            stamp: stamp_now(root, config),
        };
        let mut extras: Vec<Extra> = crawl.extras(tree).into_values().collect();
        extras.sort_by_key(|extra| extra.number);
        let parts = vec![
            (Part::Head, serde_json::to_vec(&head).unwrap_or_default()),
            (Part::Common, common),
            (Part::Extras, pack_extras(&extras)),
            (Part::Programs, digests.to_vec()),
            (Part::Readers, pack_asked(readers)),
            (Part::Statements, statements),
        ];
        Some((parts, blocks))
    }

    /// What of the modules is not searched, in the order of their numbers; for the rest as [`Cache::each_about`].
    pub(super) fn each_rest(&self, known: &Known, take: &mut dyn FnMut(u32, &[u8])) {
        let root = &known.modulepath;
        let mut records: Vec<u32> = known.records.keys().copied().collect();
        records.sort_unstable();
        let of_records = |number: &u32, take: &mut dyn FnMut(u32, &[u8])| {
            if let Some(record) = known.records.get(number) {
                take(*number, record.about.parts().1);
            }
        };
        if !known.surveyed.is_remembered {
            records.iter().for_each(|number| of_records(number, take));
            return;
        }
        self.stored.with(root, |file, held| {
            if held.renewal.is_some() {
                for number in 0..known.surveyed.survey.index.modules() {
                    match (known.records.get(&number), held.in_file(number)) {
                        (Some(record), _) => take(number, record.about.parts().1),
                        (None, Some(old)) => {
                            if let Some((_, rest)) = file.about(held.id, old) {
                                take(number, &rest);
                            }
                        }
                        (None, None) => {}
                    }
                }
                return true;
            }
            file.each_rest(
                held.id,
                &mut |number, rest| match known.records.contains_key(&number) {
                    true => of_records(&number, take),
                    false => take(number, rest),
                },
            )
        });
    }

    /// What all modules are about, in the order of their numbers: from this run, or else from the old file.
    pub(super) fn each_about(&self, known: &Known, take: TakeAbout<'_>) -> bool {
        let root = &known.modulepath;
        let count = known.surveyed.survey.index.modules();
        if !known.surveyed.is_remembered {
            let nothing = Packed::new(&crate::tree::About::default());
            for number in 0..count {
                let record = known.records.get(&number);
                let about = record.map_or(&nothing, |record| &record.about);
                let (searched, rest) = about.parts();
                take(number, searched, &shortened(rest, root));
            }
            return true;
        }
        let nothing = Packed::new(&crate::tree::About::default());
        let mut seen = 0;
        let whole = self.stored.with(root, |file, held| {
            if held.renewal.is_some() {
                // What is new lies between the others.
                return (0..count).all(|number| {
                    let (searched, rest) = match (known.records.get(&number), held.in_file(number))
                    {
                        (Some(record), _) => {
                            let (searched, rest) = record.about.parts();
                            (searched.to_vec(), shortened(rest, root).into_owned())
                        }
                        (None, Some(old)) => match file.about(held.id, old) {
                            Some(about) => about,
                            None => return false,
                        },
                        (None, None) => {
                            let (searched, rest) = nothing.parts();
                            (searched.to_vec(), rest.to_vec())
                        }
                    };
                    seen += 1;
                    take(number, &searched, &rest);
                    true
                });
            }
            file.each_about(held.id, &mut |number, searched, rest| {
                seen += 1;
                match known.records.get(&number) {
                    Some(record) => {
                        let (searched, rest) = record.about.parts();
                        take(number, searched, &shortened(rest, root));
                    }
                    None => take(number, searched, rest),
                }
            })
        });
        whole == Some(true) && seen == count
    }
}

/// The stamp file of a modulepath as it is now, where one decides.
fn stamp_now(root: &Utf8Path, config: &Config) -> Option<Stamp> {
    match Freshness::of(root, config) {
        Freshness::Stamp(file) => Stamp::of(&file),
        Freshness::Dir | Freshness::Trust => None,
    }
}

/// The parts and blocks of a modulepath of another file.
fn copied(file: &File, id: u32) -> Option<(Parts, Vec<Block>)> {
    let parts = [
        Part::Head,
        Part::Common,
        Part::Extras,
        Part::Programs,
        Part::Readers,
        Part::Statements,
    ];
    let parts = parts.map(|part| Some((part, file.part(id, part)?)));
    let parts = parts.into_iter().collect::<Option<_>>()?;
    Some((parts, part::blocks(file, id)?))
}

/// What a modulepath of a cache was read from, with the stamps of modulefiles that were evaluated since.
fn kept_looks(
    file: &File,
    held: &Held,
    records: &HashMap<u32, Record>,
) -> Option<(Vec<u8>, Vec<Block>)> {
    let common = match &held.renewal {
        Some(renewal) => renewal.common.clone(),
        None => file.part(held.id, Part::Common)?,
    };
    let mut blocks = match held.blocks.len() == held.head.blocks.len() {
        true => held.blocks.clone(),
        false => part::blocks(file, held.id)?,
    };
    let block_of = |number: &u32| {
        let begun = blocks.partition_point(|block| block.first <= *number);
        begun.checked_sub(1)
    };
    let others: BTreeSet<usize> = records.keys().filter_map(block_of).collect();
    for at in others {
        let block = blocks.get_mut(at)?;
        let mut owned = look::owned(block)?;
        for name in &mut owned {
            for (number, stamp) in (name.first..).zip(&mut name.stamps) {
                if let Some(record) = records.get(&number) {
                    *stamp = record.stamp;
                }
            }
        }
        block.looks = look::pack_owned(&owned);
    }
    Some((common, blocks))
}

/// What the rc files of a modulepath of a cache say.
fn kept_statements(file: &File, held: &Held) -> Option<Vec<u8>> {
    match &held.renewal {
        Some(renewal) => serde_json::to_vec(&renewal.statements).ok(),
        None => file.part(held.id, Part::Statements),
    }
}

/// The files that open modulepaths, relative to their own.
fn opener_files(known: &Known, blocks: &[Block]) -> Vec<(String, Option<Stamp>)> {
    if known.openers.is_empty() {
        return Vec::new();
    }
    let numbers: BTreeSet<u32> = known.openers.iter().map(|opener| opener.number).collect();
    let mut files = Vec::new();
    for block in blocks {
        look::each(block, None, &mut |seen| {
            if let Seen::Module(number, stamp, file) = seen
                && numbers.contains(&number)
            {
                files.push((file.to_owned(), stamp));
            }
            true
        });
    }
    files
}

/// Whether all of a modulepath was seen.
fn is_whole(known: &Known) -> bool {
    !known.surveyed.survey.is_cut && !known.surveyed.survey.is_part
}

/// What modulefiles asked, each question once.
fn pack_asked(readers: BTreeMap<u32, Reads>) -> Vec<u8> {
    let mut asked: HashMap<Vec<u8>, (Reads, Vec<u32>)> = HashMap::new();
    for (number, reads) in readers {
        let key = serde_json::to_vec(&reads).unwrap_or_default();
        let known = asked.entry(key).or_insert_with(|| (reads, Vec::new()));
        known.1.push(number);
    }
    let mut asked: Asked = asked.into_values().collect();
    asked.sort_by(|(_, a), (_, b)| a.cmp(b));
    serde_json::to_vec(&asked).unwrap_or_default()
}

/// What modulefiles asked.
pub(super) fn read_asked(bytes: &[u8]) -> Option<Asked> {
    serde_json::from_slice(bytes).ok()
}

fn pack_extras(extras: &[Extra]) -> Vec<u8> {
    let mut packer = Packer::default();
    for extra in extras {
        packer.number(u64::from(extra.number));
        packer.number(extra.properties.len() as u64);
        for (key, value) in &extra.properties {
            packer.text(key);
            packer.text(value);
        }
        packer.number(extra.extensions.len() as u64);
        for extension in &extra.extensions {
            packer.text(extension);
        }
    }
    packer.finish()
}

/// Properties and extensions of the modules of a modulepath.
pub(super) fn read_extras(bytes: &[u8]) -> Vec<Extra> {
    let mut unpacker = Unpacker::new(bytes);
    let mut extras = Vec::new();
    let mut one = || -> Option<Extra> {
        let number = u32::try_from(unpacker.number()?).ok()?;
        let mut extra = Extra {
            number,
            ..Extra::default()
        };
        for _ in 0..unpacker.number()? {
            let key = unpacker.text()?.to_owned();
            extra.properties.push((key, unpacker.text()?.to_owned()));
        }
        for _ in 0..unpacker.number()? {
            extra.extensions.push(unpacker.text()?.to_owned());
        }
        Some(extra)
    };
    while let Some(extra) = one() {
        extras.push(extra);
    }
    extras
}

/// The part of a packed text that is not searched, with the modulepath in its paths in short.
fn shortened<'r>(rest: &'r [u8], root: &Utf8Path) -> Cow<'r, [u8]> {
    match rest.contains_str(root.as_str()) {
        true => Cow::Owned(rest.replace(root.as_str(), [ROOT])),
        false => Cow::Borrowed(rest),
    }
}

/// The same as it was before it was shortened.
pub(super) fn lengthened<'r>(rest: &'r [u8], root: &Utf8Path) -> Cow<'r, [u8]> {
    match rest.contains(&ROOT) {
        true => Cow::Owned(rest.replace([ROOT], root.as_str())),
        false => Cow::Borrowed(rest),
    }
}
