//! Brings a modulepath of a cache up to date where little has changed: the names whose directories or rc files are not as
//! they were are surveyed again, the others are taken over.
//!
//! The answer is that of a survey of the whole, or there is none: where an rc file ties names to others, where a file that is
//! about many names has changed, where much has, the whole is surveyed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, VecDeque};

use super::Head;
use super::file::{Block, Part};
use super::fresh::Changes;
use super::look::{self, Owned, Owners};
use super::moves::Moves;
use super::part::{self, Question};
use super::stored::Asked;
use crate::name::VersionOrder;
use crate::tree::{
    Again, Dir, Finder, Places, RcReader, Readers, Source, SourceKind, Stamp, Statement, Survey,
    Wanted, heads, now, numbered, order_names, read_dir_ahead,
};

/// One name in so many may have changed.
const ONE_OF: usize = 10;

/// Up to so many are few in any case.
const FEW: usize = 8;

/// A modulepath as it is now.
pub(super) struct Renewed {
    pub(super) survey: Survey,
    /// The old one, with the numbers of now.
    pub(super) head: Head,
    pub(super) blocks: Vec<Block>,
    pub(super) common: Vec<u8>,
    pub(super) statements: Vec<Statement>,
    pub(super) moves: Moves,
    /// The modulefiles that have changed or are new.
    pub(super) changed: Vec<u32>,
}

/// What a cache holds of a modulepath, and what of it is not as it was.
pub(super) struct Before {
    pub(super) common: Vec<u8>,
    pub(super) blocks: Vec<Block>,
    pub(super) changes: Changes,
}

/// Surveys again what has changed.
pub(super) fn renew(
    asked: &Question<'_>,
    before: &Before,
    readers: Readers,
    rc: &mut dyn RcReader,
) -> Option<Renewed> {
    let names: BTreeSet<&str> = (before.blocks.iter())
        .flat_map(|block| heads(&block.names))
        .map(|(name, _)| name)
        .collect();
    let mut common = Vec::new();
    let whole = look::each_common(&before.common, &mut |path, stamp, kind, entries| {
        common.push(Source {
            path: path.to_owned(),
            stamp,
            kind,
            entries: String::from_utf8_lossy(entries).into_owned(),
        });
        true
    });
    if !whole {
        return None;
    }
    let mut paths = BTreeSet::new();
    let old = Owners::new(names.clone());
    for path in &before.changes.sources {
        paths.insert(old.of(path)?.to_owned());
    }
    for source in &mut common {
        if before.changes.common.contains(&source.path) {
            look_again(asked, source, readers, &mut paths, rc)?;
        }
    }
    // What changes in the directory of a name concerns all of the name.
    let widened = paths.into_iter().map(|path| {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        let name = above.into_iter().find(|above| names.contains(above));
        name.map_or_else(|| path.clone(), str::to_owned)
    });
    let places = Places::new(widened.collect());
    if places.len() > FEW && places.len() * ONE_OF > names.len() {
        return None;
    }
    let holds = |path: &str| {
        let beside = path.strip_suffix(".toml");
        places.holding(path).is_some() || beside.is_some_and(|name| places.holding(name).is_some())
    };
    common.retain(|source| !holds(&source.path));
    let mut ready = HashMap::new();
    for source in &common {
        let is_dir = matches!(source.kind, SourceKind::Dir | SourceKind::Unsettled(_));
        if is_dir && places.lead_to(&source.path) {
            let dir = Dir::from_text(&source.entries)?;
            ready.insert(source.path.clone(), (source.clone(), Some(dir)));
        }
    }
    let statements = asked.file.part(asked.id, Part::Statements)?;
    let again = Again {
        places: places.clone(),
        ready,
        statements: serde_json::from_slice(&statements).ok()?,
    };
    let mut survey = Survey::again(asked.root, rc, readers, again)?;
    let found = heads(survey.index.as_bytes());
    if found
        .clone()
        .any(|(name, _)| places.holding(name).is_none())
    {
        return None;
    }
    let found: Vec<String> = found.map(|(name, _)| name.to_owned()).collect();
    let stay = names
        .iter()
        .copied()
        .filter(|name| places.holding(name).is_none());
    let owners = Owners::new(stay.chain(found.iter().map(String::as_str)).collect());
    let mut sources: HashMap<String, Vec<Cow<'static, Source>>> = HashMap::new();
    for source in std::mem::take(&mut survey.sources) {
        // The directories above are known already.
        if holds(&source.path) {
            match owners.of(&source.path).map(str::to_owned) {
                Some(name) => sources.entry(name).or_default().push(Cow::Owned(source)),
                None => common.push(source),
            }
        }
    }
    let mut woven = Woven::default();
    woven.weave(
        asked,
        rc.config().version_order,
        before,
        &places,
        &survey,
        sources,
    )?;
    let Woven {
        blocks,
        mut moves,
        mut changed,
        modules,
        ..
    } = woven;
    moves.finish();
    let now_of = |number: &u32| moves.now(*number);
    let is_new = |number: &u32| moves.old(*number).is_none();
    let forgotten = asked.head.forgotten.iter().filter_map(now_of);
    let mut forgotten: Vec<u32> = forgotten
        .chain(changed.iter().copied().filter(is_new))
        .collect();
    forgotten.sort_unstable();
    changed.extend(before.changes.files.iter().filter_map(now_of));
    changed.sort_unstable();
    changed.dedup();
    let mut head = asked.head.clone();
    head.modules = modules;
    head.spoken = survey.spoken.clone();
    head.reads.add(survey.reads.clone());
    head.openers
        .retain_mut(|opener| match moves.now(opener.number) {
            Some(number) => {
                opener.number = number;
                true
            }
            None => false,
        });
    head.mistakes = head
        .mistakes
        .into_iter()
        .filter_map(|(number, mistake)| Some((moves.now(number)?, mistake)))
        .collect();
    head.blocks = blocks.iter().map(|block| block.first).collect();
    head.forgotten = forgotten;
    survey.index = part::index(&blocks, modules)?;
    survey.reads = head.reads.clone();
    survey.is_renewed = true;
    Some(Renewed {
        head,
        blocks,
        common: look::pack_common(&common),
        statements: std::mem::take(&mut survey.statements),
        moves,
        changed,
        survey,
    })
}

/// Reads a directory above names again: which of its entries are not as they were. `None` where it is not only that.
fn look_again(
    asked: &Question<'_>,
    source: &mut Source,
    readers: Readers,
    paths: &mut BTreeSet<String>,
    rc: &dyn RcReader,
) -> Option<()> {
    if !matches!(source.kind, SourceKind::Dir | SourceKind::Unsettled(_)) {
        return None;
    }
    let before = Dir::from_text(&source.entries)?;
    let (mut read, dir) = read_dir_ahead(asked.root, &source.path, rc.config(), readers, now())?;
    let dir = dir?;
    if before.markers != dir.markers || before.ends_name() != dir.ends_name() {
        return None;
    }
    let (links, beside) = (&before.links, &before.toml_beside);
    let mut differ: BTreeSet<&String> = links.symmetric_difference(&dir.links).collect();
    differ.extend(beside.symmetric_difference(&dir.toml_beside));
    let names = before.children.keys().chain(dir.children.keys());
    differ.extend(names.filter(|name| before.children.get(name) != dir.children.get(name)));
    for name in differ {
        paths.insert(match source.path.as_str() {
            "" => name.clone(),
            above => format!("{above}/{name}"),
        });
    }
    read.entries = dir.to_text();
    *source = read;
    Some(())
}

/// The blocks of a modulepath with the names that were surveyed again in their places.
#[derive(Default)]
struct Woven {
    blocks: Vec<Block>,
    moves: Moves,
    changed: Vec<u32>,
    modules: u32,
    names: Vec<u8>,
    owned: Vec<Owned<'static>>,
}

/// A name that was surveyed again.
struct New<'n> {
    name: &'n str,
    /// Its part of the index.
    text: &'n [u8],
    /// Its modules: full name and file.
    rows: Vec<(String, String)>,
}

/// What a file knows of a module: its number and stamp.
type OldRow = (u32, Option<Stamp>);

impl Woven {
    fn weave(
        &mut self,
        asked: &Question<'_>,
        order: VersionOrder,
        before: &Before,
        places: &Places,
        survey: &Survey,
        mut sources: HashMap<String, Vec<Cow<'static, Source>>>,
    ) -> Option<()> {
        let mut finder = Finder::new(Wanted::All);
        let new = finder.find(survey.index.as_bytes()).into_iter();
        let mut new: VecDeque<New<'_>> = new
            .map(|(group, text)| New {
                name: group.name,
                text,
                rows: rows(&group),
            })
            .collect();
        let is_old =
            |block: &Block| heads(&block.names).any(|(name, _)| places.holding(name).is_some());
        let mut known: HashMap<(String, String), OldRow> = HashMap::new();
        for block in before.blocks.iter().filter(|block| is_old(block)) {
            let groups = finder.find(&block.names);
            for ((group, _), owned) in groups.iter().zip(look::owned(block)?) {
                if places.holding(group.name).is_some() {
                    let stamped = (group.first..).zip(owned.stamps);
                    known.extend(rows(group).into_iter().zip(stamped));
                }
            }
        }
        let mut blocks = before.blocks.iter().peekable();
        while let Some(block) = blocks.next() {
            let next = blocks.peek();
            let end = next.map_or(asked.head.modules, |next| next.first);
            let next = next.and_then(|next| heads(&next.names).next());
            let is_here = |new: &New<'_>| {
                next.is_none_or(|(next, _)| order_names(order, new.name, next) == Ordering::Less)
            };
            let first = self.modules;
            if !is_old(block) && !new.front().is_some_and(is_here) {
                let length = end.checked_sub(block.first)?;
                self.moves.add(first, block.first, length);
                self.modules += length;
                self.blocks.push(Block {
                    first,
                    names: match first == block.first {
                        true => block.names.clone(),
                        false => numbered(&block.names, first)?.0,
                    },
                    looks: block.looks.clone(),
                });
                continue;
            }
            for ((group, text), owned) in finder.find(&block.names).iter().zip(look::owned(block)?)
            {
                if places.holding(group.name).is_some() {
                    continue;
                }
                let is_earlier =
                    |new: &New<'_>| order_names(order, new.name, group.name) == Ordering::Less;
                while let Some(earlier) = next_if(&mut new, is_earlier) {
                    self.add_new(earlier, &known, &mut sources)?;
                }
                self.moves
                    .add(self.modules, group.first, group.rows.len() as u32);
                self.add(text, owned)?;
            }
            while let Some(last) = next_if(&mut new, is_here) {
                self.add_new(last, &known, &mut sources)?;
            }
            if !self.names.is_empty() {
                self.blocks.push(Block {
                    first,
                    names: std::mem::take(&mut self.names),
                    looks: look::pack_owned(&std::mem::take(&mut self.owned)),
                });
            }
        }
        new.is_empty().then_some(())
    }

    /// Adds a name to the block that was begun.
    fn add(&mut self, text: &[u8], owned: Owned<'static>) -> Option<()> {
        let (text, end) = numbered(text, self.modules)?;
        self.names.extend_from_slice(&text);
        self.owned.push(owned);
        self.modules = end;
        Some(())
    }

    /// Adds a name that was surveyed again.
    fn add_new(
        &mut self,
        new: New<'_>,
        known: &HashMap<(String, String), OldRow>,
        sources: &mut HashMap<String, Vec<Cow<'static, Source>>>,
    ) -> Option<()> {
        let mut stamps = Vec::new();
        for (number, row) in (self.modules..).zip(&new.rows) {
            let old = known.get(row);
            match old {
                Some((old, _)) => self.moves.add(number, *old, 1),
                None => self.changed.push(number),
            }
            stamps.push(old.and_then(|(_, stamp)| *stamp));
        }
        let owned = Owned {
            name: new.name.to_owned(),
            first: self.modules,
            sources: sources.remove(new.name).unwrap_or_default(),
            stamps,
        };
        self.add(new.text, owned)
    }
}

/// Takes the next one, if it is one of those.
fn next_if<'n>(new: &mut VecDeque<New<'n>>, is: impl Fn(&New<'n>) -> bool) -> Option<New<'n>> {
    match new.front() {
        Some(next) if is(next) => new.pop_front(),
        _ => None,
    }
}

/// The modules of a name: full name and file.
fn rows(group: &crate::tree::Group<'_>) -> Vec<(String, String)> {
    let rows = group.rows.iter().map(|row| {
        let full_name = row.full_name(group.name);
        let file = row.relative_file(&full_name);
        (full_name, file)
    });
    rows.collect()
}

/// What modulefiles asked, with the numbers of now.
pub(super) fn asked_now(asked: Asked, moves: &Moves) -> Asked {
    let moved = asked.into_iter().map(|(reads, numbers)| {
        let numbers = numbers.into_iter().filter_map(|number| moves.now(number));
        (reads, numbers.collect())
    });
    moved.collect()
}
