//! What a crawl found out, written to a cache.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::ByteSlice;
use camino::Utf8Path;

use super::file::{Block, File, Part, Parts, RootData, TakeAbout, Writer, module_id};
use super::look::{self, Seen};
use super::pack::{Packer, Unpacker};
use super::programs::{numbers, pack_keys};
use super::{Asked, Cache, CacheError, Freshness, Head, Held, part, settings, stamps};
use crate::config::Config;
use crate::tree::{Crawl, Extra, Known, Mistake, Packed, ROOT, Reads, Source, Stamp, Wanted};

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
        if others == Others::Go
            && let Some(saved) = self.is_saved(path, crawl, config)
        {
            return Ok(saved);
        }
        let mut writer = Writer::new(path)?;
        let mut saved = Saved::default();
        let mut programs: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (tree, known) in crawl.known.iter().enumerate() {
            let keeps = others == Others::Stay;
            let survey = &known.surveyed.survey;
            let is_whole = !survey.is_cut && !survey.is_part;
            if !is_whole || keeps && self.is_held_elsewhere(path, known) {
                continue;
            }
            let Some(id) =
                self.write_root(&mut writer, tree, known, crawl, config, &mut programs)?
            else {
                return Err(SaveError::Damaged);
            };
            saved.modules += known.surveyed.survey.index.modules();
            saved.roots = id as usize;
        }
        if others == Others::Stay
            && let Ok(Some(old)) = super::file::open(path)
        {
            for (old_id, root) in old.roots.clone() {
                let found = crawl.known.iter().find(|known| known.modulepath == root);
                let survey = found.map(|known| &known.surveyed.survey);
                if survey.is_some_and(|survey| !survey.is_cut && !survey.is_part) {
                    continue;
                }
                let Some((parts, blocks)) = copied(&old, old_id) else {
                    continue;
                };
                let data = RootData {
                    path: root,
                    parts,
                    blocks,
                    abouts: &mut |take| old.each_about(old_id, take),
                };
                let Some(id) = writer.root(data)? else {
                    continue;
                };
                old.each_program(&mut |name, packed| {
                    for number in numbers(packed, old_id) {
                        let modules = programs.entry(name.to_owned()).or_default();
                        modules.push(module_id(id, number));
                    }
                });
            }
        }
        saved.programs = programs.len();
        for (name, modules) in programs {
            writer.program(&name, &pack_keys(modules))?;
        }
        writer.finish(self.readers)?;
        Ok(saved)
    }

    /// What the file at `path` holds, where that is what a crawl found out: then it need not be written again.
    fn is_saved(&self, path: &Utf8Path, crawl: &Crawl, config: &Config) -> Option<Saved> {
        let file = self.stored.files.iter().find(|file| file.path == path)?;
        let mut saved = Saved {
            roots: crawl.known.len(),
            modules: 0,
            programs: file.count_programs()?,
        };
        for known in &crawl.known {
            let root = &known.modulepath;
            let is_new = |held: &Held| held.head.stamp != stamp_now(root, config);
            let is_here = |file: &File, held: &Held| file.path == path && !is_new(held);
            if !known.surveyed.is_remembered
                || !known.records.is_empty()
                || self.stored.with(root, is_here) != Some(true)
                || !self.look_for_programs(known).changed.is_empty()
            {
                return None;
            }
            saved.modules += known.surveyed.survey.index.modules();
        }
        (file.roots.len() == saved.roots).then_some(saved)
    }

    /// Whether another file than that at `path` answered for a modulepath, and nothing was found out beside it.
    fn is_held_elsewhere(&self, path: &Utf8Path, known: &Known) -> bool {
        let elsewhere = self
            .stored
            .with(&known.modulepath, |file, _| file.path != path);
        known.surveyed.is_remembered && known.records.is_empty() && elsewhere == Some(true)
    }

    fn write_root(
        &self,
        writer: &mut Writer,
        tree: usize,
        known: &Known,
        crawl: &Crawl,
        config: &Config,
        programs: &mut BTreeMap<String, Vec<i64>>,
    ) -> Result<Option<u32>, SaveError> {
        let root = &known.modulepath;
        let survey = &known.surveyed.survey;
        let count = survey.index.modules();
        let stored = known.surveyed.is_remembered;
        let (sources, mut stamps) = match stored {
            true => {
                let Some((sources, stamps)) = self.stored.with(root, old_sources).flatten() else {
                    return Ok(None);
                };
                (Cow::Owned(sources), stamps)
            }
            false => (
                Cow::Borrowed(survey.sources.as_slice()),
                vec![None; count as usize],
            ),
        };
        let mut readers: BTreeMap<u32, Reads> = BTreeMap::new();
        let mut mistakes: BTreeMap<u32, Box<Mistake>> = BTreeMap::new();
        if stored {
            for (reads, numbers) in self.stored.asked(root) {
                readers.extend(numbers.into_iter().map(|number| (number, reads.clone())));
            }
            let old = self.stored.with(root, |_, held| held.head.mistakes.clone());
            mistakes.extend(old.unwrap_or_default());
        }
        for (number, record) in &known.records {
            if let Some(stamp) = stamps.get_mut(*number as usize) {
                *stamp = record.stamp;
            }
            readers.remove(number);
            if !record.reads.is_empty() {
                readers.insert(*number, record.reads.clone());
            }
            mistakes.remove(number);
            if let Some(mistake) = &record.mistake {
                mistakes.insert(*number, mistake.clone());
            }
        }
        let (common, blocks) = look::pack(&survey.index, &sources, &stamps);
        let stamp = stamp_now(root, config);
        let head = Head {
            settings: settings(config),
            modules: count,
            spoken: survey.spoken.clone(),
            reads: survey.reads.clone(),
            openers: known.openers.clone(),
            opener_files: opener_files(known, &stamps),
            mistakes: mistakes.into_iter().collect(),
            blocks: blocks.iter().map(|block| block.first).collect(),
            has_readers: !readers.is_empty(),
            forgotten: (0..)
                .zip(&stamps)
                .filter(|(_, stamp)| stamp.is_none())
                .map(|(number, _)| number)
                .collect(),
            stamp,
        };
        let mut extras: Vec<Extra> = crawl.extras(tree).into_values().collect();
        extras.sort_by_key(|extra| extra.number);
        let found = self.look_for_programs(known);
        let parts = vec![
            (Part::Head, serde_json::to_vec(&head).unwrap_or_default()),
            (Part::Common, common),
            (Part::Extras, pack_extras(&extras)),
            (Part::Programs, found.digests.clone()),
            (Part::Readers, pack_asked(readers)),
        ];
        let data = RootData {
            path: root.clone(),
            parts,
            blocks,
            abouts: &mut |take| self.each_about(known, take),
        };
        let Some(id) = writer.root(data)? else {
            return Ok(None);
        };
        self.add_programs(known, id, &found, programs);
        Ok(Some(id))
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
        let mut seen = 0;
        let whole = self.stored.with(root, |file, held| {
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
    ];
    let parts = parts.map(|part| Some((part, file.part(id, part)?)));
    let parts = parts.into_iter().collect::<Option<_>>()?;
    Some((parts, part::blocks(file, id)?))
}

/// What a modulepath of a cache was read from, and the stamps of its modulefiles.
fn old_sources(file: &File, held: &Held) -> Option<(Vec<Source>, Vec<Option<Stamp>>)> {
    let common = file.part(held.id, Part::Common)?;
    let blocks = part::blocks(file, held.id)?;
    let mut sources = Vec::new();
    let mut add = |path: &str, stamp, kind, entries: &[u8]| {
        sources.push(Source {
            path: path.to_owned(),
            stamp,
            kind,
            entries: entries.to_str_lossy().into_owned(),
        });
        true
    };
    let mut whole = look::each_common(&common, &mut add);
    for block in &blocks {
        whole &= look::each(block, None, &mut |seen| match seen {
            Seen::Source(path, stamp, kind, entries) => add(path, stamp, kind, entries),
            Seen::Module(..) => true,
        });
    }
    whole.then(|| (sources, stamps(&blocks, held.head.modules)))
}

/// The files that open modulepaths, relative to their own.
fn opener_files(known: &Known, stamps: &[Option<Stamp>]) -> Vec<(String, Option<Stamp>)> {
    if known.openers.is_empty() {
        return Vec::new();
    }
    let numbers: BTreeSet<u32> = known.openers.iter().map(|opener| opener.number).collect();
    let mut files = Vec::new();
    for group in known.surveyed.survey.index.groups(Wanted::All) {
        for (number, row) in (group.first..).zip(&group.rows) {
            if numbers.contains(&number) {
                let file = row.relative_file(&row.full_name(group.name));
                files.push((file, stamps.get(number as usize).copied().flatten()));
            }
        }
    }
    files
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
