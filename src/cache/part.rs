//! How a modulepath is read from a cache: all of it, or the names that are wanted.
//!
//! A request for names looks at the directories above names, at those of the names that it finds, and at nothing else. That
//! is enough where the text is found in names: a new name changes a directory above it, a new version that of its name.
//! Where it is found in versions too, or nowhere, any directory may hold a new version with it: then all are looked at.
//! Small modulepaths are looked at as a whole anyway. Source: `docs/guide/cache.md`.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::Head;
use super::file::{Block, File, Part};
use super::fresh::{self, Changes, Scope};
use super::renew::Before;
use crate::config::Config;
use crate::tree::{Finder, Index, Wanted};

/// Up to so many modules a modulepath is looked at as a whole, whatever is wanted.
const SMALL: u32 = 100;

/// A cache that cannot be read.
#[derive(Debug)]
pub(super) struct Damaged;

/// A modulepath of a cache that is asked for.
pub(super) struct Question<'q> {
    pub(super) file: &'q File,
    pub(super) id: u32,
    pub(super) root: &'q Utf8Path,
    pub(super) head: &'q Head,
    /// Whether the cache is compared with the disk.
    pub(super) looks: bool,
    /// Whether it is asked what modulefiles say: then they are looked at as well.
    pub(super) files: bool,
}

/// What a cache answers.
pub(super) struct Answer {
    pub(super) index: Index,
    pub(super) is_part: bool,
    /// What was read of the cache to compare it with the disk.
    pub(super) blocks: Vec<Block>,
    /// The modulefiles that have changed, where they were looked at.
    pub(super) changed: Option<Vec<u32>>,
}

/// What comes of looking at all of a modulepath.
pub(super) enum Whole {
    /// It is as it was.
    Unchanged(Answer),
    /// It is not.
    Changed(Before),
}

impl Question<'_> {
    /// All of the modulepath.
    pub(super) fn whole(&self, config: &Config) -> Result<Whole, Damaged> {
        if !self.looks {
            let mut names = Vec::new();
            self.names(&mut |_, block| names.extend_from_slice(block))?;
            let index = Index::from_bytes(names, self.head.modules).ok_or(Damaged)?;
            return Ok(Whole::Unchanged(Answer {
                index,
                is_part: false,
                blocks: Vec::new(),
                changed: None,
            }));
        }
        let common = self.file.part(self.id, Part::Common).ok_or(Damaged)?;
        let common_changes = fresh::changed_common(self.root, &common, config);
        let blocks = blocks(self.file, self.id).ok_or(Damaged)?;
        let firsts = blocks.iter().map(|block| &block.first);
        if !firsts.eq(&self.head.blocks) {
            return Err(Damaged);
        }
        let mut changes = self.changes(&blocks, None, config)?;
        changes.common = common_changes.ok_or(Damaged)?;
        if !changes.common.is_empty() || !changes.sources.is_empty() {
            return Ok(Whole::Changed(Before {
                common,
                blocks,
                changes,
            }));
        }
        Ok(Whole::Unchanged(Answer {
            index: index(&blocks, self.head.modules).ok_or(Damaged)?,
            is_part: false,
            blocks,
            changed: self.files.then_some(changes.files),
        }))
    }

    /// What blocks were read from and is not as it was, as far as it is looked at.
    fn changes(
        &self,
        blocks: &[Block],
        only: Option<&BTreeSet<u32>>,
        config: &Config,
    ) -> Result<Changes, Damaged> {
        let scope = Scope {
            only,
            sources: true,
            files: self.files,
        };
        fresh::changed(self.root, blocks, scope, config).ok_or(Damaged)
    }

    /// The names that are wanted; `None` where only all of the modulepath tells.
    pub(super) fn part(
        &self,
        wanted: Wanted<'_>,
        config: &Config,
    ) -> Result<Option<Answer>, Damaged> {
        if matches!(wanted, Wanted::All | Wanted::Described(_)) || self.head.modules <= SMALL {
            return Ok(None);
        }
        let mut finder = Finder::new(wanted);
        let mut found = Vec::new();
        let mut hit: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut firsts = BTreeSet::new();
        let mut names = Vec::new();
        self.names(&mut |first, block| {
            let groups = finder.find(block);
            if !groups.is_empty() && self.looks {
                hit.push((first, block.to_vec()));
            }
            for (group, text) in groups {
                found.extend_from_slice(text);
                firsts.insert(group.first);
                names.push(group.name.to_owned());
            }
        })?;
        let answer = |blocks, changed| {
            let index = Index::from_bytes(found, self.head.modules).ok_or(Damaged)?;
            Ok(Some(Answer {
                index,
                is_part: true,
                blocks,
                changed,
            }))
        };
        if !self.looks {
            return answer(Vec::new(), None);
        }
        if !are_settled_by_names(wanted, &names)
            || !self.is_common_unchanged(config)?
            || !self.are_openers_unchanged()
        {
            return Ok(None);
        }
        let blocks = hit.into_iter().map(|(first, names)| {
            let looks = self.file.look(self.id, first)?;
            Some(Block {
                first,
                names,
                looks,
            })
        });
        let blocks: Vec<Block> = blocks.collect::<Option<_>>().ok_or(Damaged)?;
        let changes = self.changes(&blocks, Some(&firsts), config)?;
        match changes.sources.is_empty() {
            true => answer(blocks, self.files.then_some(changes.files)),
            false => Ok(None),
        }
    }

    /// Goes through the names of all blocks, one after the other.
    fn names(&self, take: &mut dyn FnMut(u32, &[u8])) -> Result<(), Damaged> {
        let mut expected = self.head.blocks.iter();
        let mut is_whole = true;
        let read = self.file.each_block(self.id, &mut |first, block| {
            is_whole &= expected.next() == Some(&first);
            take(first, block);
        });
        match read && is_whole && expected.next().is_none() {
            true => Ok(()),
            false => Err(Damaged),
        }
    }

    fn is_common_unchanged(&self, config: &Config) -> Result<bool, Damaged> {
        let common = self.file.part(self.id, Part::Common).ok_or(Damaged)?;
        let changed = fresh::changed_common(self.root, &common, config);
        Ok(changed.ok_or(Damaged)?.is_empty())
    }

    /// Whether the files that open modulepaths are as they were.
    fn are_openers_unchanged(&self) -> bool {
        let mut files = self.head.opener_files.iter();
        files.all(|(file, stamp)| fresh::is_file_unchanged(self.root, file, *stamp))
    }
}

/// Whether nothing but names decides: each filter finds some, and nothing is found for its version alone.
fn are_settled_by_names(wanted: Wanted<'_>, found: &[String]) -> bool {
    match wanted {
        Wanted::All | Wanted::Described(_) => false,
        Wanted::Named(_) => true,
        Wanted::Accepted(filters) => {
            let finds = |filter: &crate::tree::Filter| found.iter().any(|n| filter.accepts_name(n));
            let named = |name: &String| filters.iter().any(|f| f.accepts_name(name));
            filters.iter().all(finds) && found.iter().all(named)
        }
    }
}

/// The blocks of a modulepath; `None` where they are damaged.
pub(super) fn blocks(file: &File, id: u32) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    let whole = file.each_block(id, &mut |first, names| {
        blocks.push(Block {
            first,
            names: names.to_vec(),
            looks: Vec::new(),
        });
    });
    let mut filled = 0;
    let looks = file.each_look(id, &mut |first, looks| {
        if let Some(block) = blocks.get_mut(filled).filter(|block| block.first == first) {
            block.looks = looks.to_vec();
            filled += 1;
        }
    });
    (whole && looks && filled == blocks.len()).then_some(blocks)
}

/// The index that blocks make up.
pub(super) fn index(blocks: &[Block], modules: u32) -> Option<Index> {
    let names: Vec<&[u8]> = blocks.iter().map(|block| block.names.as_slice()).collect();
    Index::from_bytes(names.concat(), modules)
}
