//! Trees of modules and what their modulefiles are about, remembered between runs in SQLite.
//!
//! A cache holds, for each modulepath, the survey that the disk would give ([`crate::tree::Survey`]): the same listing is
//! made of either. What depends on the user and the time is not in it: rules are kept as rules, and a file that asked who the
//! user is, or for a variable, holds only for those who would get the same answers.
//!
//! There is a system cache, built by the site's admin, and one for each user, which fills by itself after a slow crawl. Both
//! are read without locks and never written in place: a new file is made beside the old one and renamed. A cache that is
//! damaged, from another version, or somebody else's to write is as if it were not there.
//!
//! Nobody outside this room knows SQL. `load` does not need it.

mod file;
mod fresh;
mod look;
mod looker;
mod moves;
mod pack;
mod part;
mod patch;
mod programs;
mod renew;
mod save;
mod stored;
mod texts;
mod writer;

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Config;
use crate::session::Session;
use crate::tree::{
    Depth, Dir, Memory, Mistake, Opener, Packed, RcReader, Readers, Reads, Record, Source, Spoken,
    Stamp, Store, Survey, Wanted, heads,
};

pub use file::CacheError;
pub use fresh::Freshness;
pub use save::{Others, SaveError, Saved};

use file::{Block, File, Part};
use look::Seen;
use part::Whole;
use stored::{Held, Renewal, Stored};

/// Which cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The site's.
    System,
    /// The user's.
    User,
}

/// What has to be known of a modulepath before the rest is read.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Head {
    /// The digest of the settings under which it was surveyed.
    settings: u64,
    modules: u32,
    spoken: Spoken,
    /// What its rc files asked about the session.
    reads: Reads,
    openers: Vec<Opener>,
    /// Their files, relative to the modulepath.
    opener_files: Vec<(String, Option<Stamp>)>,
    /// The modulefiles that are broken, by number.
    mistakes: Vec<(u32, Box<Mistake>)>,
    /// Where the blocks of names begin: one that is missing is noticed.
    blocks: Vec<u32>,
    /// Whether any modulefile asked about the session.
    has_readers: bool,
    /// The modulefiles that must not be remembered, by number.
    forgotten: Vec<u32>,
    /// The stamp file at that time.
    stamp: Option<Stamp>,
}

/// What a cache remembers of one module of a modulepath that has changed.
struct Old {
    file: usize,
    id: u32,
    number: u32,
    stamp: Option<Stamp>,
    reads: Reads,
    mistake: Option<Box<Mistake>>,
}

/// The caches of a session.
pub struct Cache {
    stored: Rc<Stored>,
    readers: Readers,
    /// All modulepaths are compared with the disk, whatever the setting: for a build.
    distrusts: bool,
    old: HashMap<Utf8PathBuf, HashMap<(String, String), Old>>,
    unknown: HashMap<Utf8PathBuf, Vec<u32>>,
    /// The digest of the settings.
    settings: Option<u64>,
    problems: Vec<CacheError>,
    /// The user's own is from an older version of the program.
    is_outdated: bool,
    progress: Option<Box<dyn Fn(usize, usize)>>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("files", &self.stored.files)
            .finish_non_exhaustive()
    }
}

/// What is known of a cache file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose it is.
    pub owner: Owner,
    /// Where it is, or would be.
    pub path: Utf8PathBuf,
    /// Its size in bytes; `None` where there is none.
    pub size_bytes: Option<u64>,
    /// The modulepaths it describes.
    pub roots: Vec<RootStatus>,
    /// Why it is not used.
    pub problem: Option<String>,
}

/// What is known of a modulepath in a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootStatus {
    /// The modulepath.
    pub modulepath: Utf8PathBuf,
    /// How many modules it holds.
    pub modules: u32,
    /// How it is decided whether it has changed.
    pub freshness: Freshness,
    /// Whether the cache would answer for it now.
    pub is_fresh: bool,
}

/// Where the cache of `owner` is; `None` where the site or the user has no place for one.
pub fn path(session: &Session, config: &Config, owner: Owner) -> Option<Utf8PathBuf> {
    match owner {
        Owner::System => {
            (!config.system_cache.is_empty()).then(|| Utf8PathBuf::from(&config.system_cache))
        }
        Owner::User => session
            .cache_home()
            .map(|home| home.join("xmod").join(&config.user_cache)),
    }
}

/// Settings that change neither what a modulepath holds nor what its modulefiles say: users set many of them for themselves,
/// and read the same cache.
const WITHOUT_INFLUENCE: &[&str] = &[
    "quiet",
    "pager",
    "pager_options",
    "jobs",
    "redirect",
    "ignore_cache",
    "system_cache",
    "user_cache",
    "cache_after_ms",
    "cache_freshness",
    "show_hidden",
    "search_match",
    "listing_style",
    "avail_in_depth",
    "avail_output",
    "avail_terse_output",
    "list_output",
    "list_terse_output",
    "tag_abbreviations",
    "hide_auto_loaded",
    "questions_ask_for_any",
    "terse_decorations",
    "avail_extensions",
    "avail_styles",
    "rc_files",
    "ignore_user_rc",
    "find_first",
    "pin_versions",
    "system_name",
    "collection_format",
    "nearly_forbidden_days",
    "verbosity",
    "colour",
    "width",
    "option_letters",
    "contact",
    "editor",
    "paginate",
    "csh_limit",
    "unknown_module",
    "tells_outcome",
    "unknown_options_fail",
    "look_for_misses",
    "sort_ignores_case",
    "avail_matches_modulepaths",
    "reset_target",
    "restore_checks_modulepath",
    "pin_tags",
    "swap_needs_loaded",
    "reload_loaded",
    "abort_on_error",
    "sticky_purge",
    "unload_match_order",
    "admin_file",
    "spider_output",
    "spider_terse_output",
    "spider_in_depth",
    "pattern_language",
    "logger",
    "logged_events",
];

/// A digest of all that has an influence on a survey beside the files.
fn settings(config: &Config) -> u64 {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    (config.policy as u8).hash(&mut hasher);
    for (name, value, _) in config.list() {
        if !WITHOUT_INFLUENCE.contains(&name) {
            (name, value).hash(&mut hasher);
        }
    }
    for file in [&config.siteconfig, &config.extra_siteconfig] {
        if !file.is_empty() {
            std::fs::read(file).ok().hash(&mut hasher);
        }
    }
    hasher.finish()
}

impl Cache {
    /// Opens the caches that are there, the system's first.
    pub fn open(session: &Session, config: &Config) -> Cache {
        let mut cache = Cache::empty();
        if config.ignore_cache {
            return cache;
        }
        let mut stored = Stored::default();
        for owner in [Owner::System, Owner::User] {
            match path(session, config, owner).map(|path| file::open(&path)) {
                Some(Ok(Some(file))) => stored.files.push(file),
                // The user's own is made anew by whoever needs it, or belongs to a newer program in the same home.
                Some(Err(CacheError::OtherVersion { is_older, .. })) if owner == Owner::User => {
                    cache.is_outdated = is_older;
                }
                Some(Err(problem)) => cache.problems.push(problem),
                Some(Ok(None)) | None => {}
            }
        }
        cache.stored = Rc::new(stored);
        cache
    }

    /// A cache that remembers nothing yet.
    pub fn empty() -> Cache {
        Cache {
            stored: Rc::default(),
            readers: Readers::User,
            distrusts: false,
            old: HashMap::new(),
            unknown: HashMap::new(),
            settings: None,
            problems: Vec::new(),
            is_outdated: false,
            progress: None,
        }
    }

    /// What a build of a cache begins with: what the old one at `path` holds and the disk confirms. `progress` is told
    /// how many of how many modulefiles are done.
    pub fn for_build(
        path: Option<&Utf8Path>,
        owner: Owner,
        progress: Option<Box<dyn Fn(usize, usize)>>,
    ) -> Cache {
        let mut stored = Stored::default();
        if let Some(Ok(Some(file))) = path.map(file::open) {
            stored.files.push(file);
        }
        Cache {
            stored: Rc::new(stored),
            readers: match owner {
                Owner::System => Readers::Everybody,
                Owner::User => Readers::User,
            },
            distrusts: true,
            progress,
            ..Cache::empty()
        }
    }

    /// Whether the user's cache is from an older version of the program: the next crawl makes it anew.
    pub fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    /// Why caches are not used.
    pub fn take_problems(&mut self) -> Vec<CacheError> {
        std::mem::take(&mut self.problems)
    }

    fn freshness(&self, root: &Utf8Path, config: &Config) -> Freshness {
        match self.distrusts {
            true => Freshness::Dir,
            false => Freshness::of(root, config),
        }
    }
}

impl Memory for Cache {
    fn survey(
        &mut self,
        root: &Utf8Path,
        wanted: Wanted<'_>,
        depth: Depth,
        rc: &mut dyn RcReader,
    ) -> Option<Survey> {
        let settings = *(self.settings).get_or_insert_with(|| settings(rc.config()));
        let freshness = self.freshness(root, rc.config());
        let stored = Rc::clone(&self.stored);
        // The user's, which may know what only the user can read; but nobody notices when it is out of date where the
        // system's is trusted.
        let mut files: Vec<(usize, &File)> = stored.files.iter().enumerate().collect();
        if freshness != Freshness::Trust {
            files.reverse();
        }
        for (number, file) in files {
            let Some(id) = file.root(root) else {
                continue;
            };
            let head = file.part(id, Part::Head);
            let Some(head) = head.and_then(|head| serde_json::from_slice::<Head>(&head).ok())
            else {
                stored.damaged.set(true);
                continue;
            };
            if head.settings != settings || !head.reads.hold(rc.session()) {
                continue;
            }
            let looks = match &freshness {
                Freshness::Trust => false,
                Freshness::Stamp(stamp) if head.stamp.is_some() => {
                    if Stamp::of(stamp) != head.stamp {
                        self.remember_old(root, number, id, &head);
                        continue;
                    }
                    false
                }
                Freshness::Stamp(_) | Freshness::Dir => true,
            };
            let asked = part::Question {
                file,
                id,
                root,
                head: &head,
                looks,
                files: depth != Depth::Names,
            };
            let answer = match asked.part(wanted, rc.config()) {
                Ok(Some(part)) => Ok(Whole::Unchanged(part)),
                Ok(None) => asked.whole(rc.config()),
                Err(damaged) => Err(damaged),
            };
            let found = match answer {
                Ok(Whole::Unchanged(found)) => found,
                Ok(Whole::Changed(before)) => {
                    let renewed = renew::renew(&asked, &before, self.readers, rc);
                    let Some(renewed) = renewed else {
                        self.remember_old(root, number, id, &head);
                        continue;
                    };
                    let held = Held {
                        file: number,
                        id,
                        freshness,
                        blocks: renewed.blocks,
                        changed: (depth != Depth::Names).then_some(renewed.changed),
                        renewal: Some(Renewal {
                            moves: renewed.moves,
                            common: renewed.common,
                            statements: renewed.statements,
                            modules_in_file: head.modules,
                        }),
                        head: renewed.head,
                    };
                    (stored.held.borrow_mut()).insert(root.to_string(), held);
                    return Some(renewed.survey);
                }
                Err(part::Damaged) => {
                    stored.damaged.set(true);
                    continue;
                }
            };
            let survey = Survey {
                index: found.index,
                spoken: head.spoken.clone(),
                reads: head.reads.clone(),
                is_part: found.is_part,
                ..Survey::default()
            };
            let held = Held {
                file: number,
                id,
                head,
                freshness,
                blocks: found.blocks,
                changed: found.changed,
                renewal: None,
            };
            (stored.held.borrow_mut()).insert(root.to_string(), held);
            return Some(survey);
        }
        None
    }

    fn unknown(
        &mut self,
        root: &Utf8Path,
        survey: &Survey,
        session: &Session,
        config: &Config,
    ) -> Vec<u32> {
        if let Some(known) = self.unknown.get(root)
            && !survey.is_part
        {
            return known.clone();
        }
        let looks = self
            .stored
            .with(root, |_, held| held.freshness == Freshness::Dir);
        let mut unknown = if looks == Some(true) {
            let changed = self.stored.with(root, |_, held| match &held.changed {
                Some(changed) => Some(changed.clone()),
                None => changed_files(root, survey, &held.blocks, config),
            });
            // What is damaged is evaluated.
            changed
                .flatten()
                .unwrap_or_else(|| (0..survey.index.modules()).collect())
        } else {
            let forgotten = self
                .stored
                .with(root, |_, held| held.head.forgotten.clone());
            forgotten.unwrap_or_default()
        };
        for (reads, numbers) in self.stored.asked(root) {
            if !reads.hold(session) {
                unknown.extend(numbers);
            }
        }
        if self.distrusts {
            // Whoever builds a cache wants to know whether they are mended: not everything that is wrong with a
            // modulefile has to lie in it.
            let broken = self.stored.with(root, |_, held| held.head.mistakes.clone());
            let broken = broken.unwrap_or_default().into_iter();
            unknown.extend(broken.map(|(number, _)| number));
        }
        unknown.sort_unstable();
        unknown.dedup();
        if !survey.is_part {
            self.unknown.insert(root.to_owned(), unknown.clone());
        }
        unknown
    }

    fn openers(&mut self, root: &Utf8Path) -> Vec<Opener> {
        let openers = self.stored.with(root, |_, held| held.head.openers.clone());
        openers.unwrap_or_default()
    }

    fn mistakes(&mut self, root: &Utf8Path) -> Vec<(u32, Box<Mistake>)> {
        let mistakes = self.stored.with(root, |_, held| held.head.mistakes.clone());
        mistakes.unwrap_or_default()
    }

    fn unchanged(&mut self, root: &Utf8Path) -> HashMap<String, (Source, Option<Dir>)> {
        for file in self.stored.files.iter().rev() {
            let Some(id) = file.root(root) else {
                continue;
            };
            if let (Some(common), Some(blocks)) =
                (file.part(id, Part::Common), part::blocks(file, id))
            {
                let dirs = fresh::unchanged_dirs(root, &common, &blocks).into_iter();
                return dirs
                    .map(|(source, dir)| (source.path.clone(), (source, dir)))
                    .collect();
            }
        }
        HashMap::new()
    }

    fn recall(
        &mut self,
        root: &Utf8Path,
        file: &Utf8Path,
        full_name: &str,
        session: &Session,
    ) -> Option<Record> {
        let relative = file.strip_prefix(root).unwrap_or(file);
        let key = (relative.to_string(), full_name.to_owned());
        let old = self.old.get(root)?.get(&key)?;
        let stamp = old.stamp.filter(|stamp| Stamp::of(file) == Some(*stamp))?;
        if !old.reads.hold(session) || self.distrusts && old.mistake.is_some() {
            return None;
        }
        let (searched, rest) = self.stored.files.get(old.file)?.about(old.id, old.number)?;
        Some(Record {
            stamp: Some(stamp),
            reads: old.reads.clone(),
            about: Packed::from_parts(&searched, &save::lengthened(&rest, root)),
            mistake: old.mistake.clone(),
        })
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        Some(Rc::clone(&self.stored) as Rc<dyn Store>)
    }

    fn readers(&self) -> Readers {
        self.readers
    }

    fn progress(&self, done: usize, of: usize) {
        if let Some(progress) = &self.progress {
            progress(done, of);
        }
    }
}

impl Cache {
    /// Takes note of the modules of a modulepath that has changed: most of their files have not.
    fn remember_old(&mut self, root: &Utf8Path, number: usize, id: u32, head: &Head) {
        let Some(file) = self.stored.files.get(number) else {
            return;
        };
        let Some(blocks) = part::blocks(file, id) else {
            return;
        };
        let Some(index) = part::index(&blocks, head.modules) else {
            return;
        };
        let stamps = stamps(&blocks, head.modules);
        let asked = file.part(id, Part::Readers);
        let Some(asked) = asked.and_then(|asked| save::read_asked(&asked)) else {
            return;
        };
        let mut readers: HashMap<u32, &Reads> = HashMap::new();
        for (reads, numbers) in &asked {
            readers.extend(numbers.iter().map(|number| (*number, reads)));
        }
        let mut mistakes: HashMap<u32, Box<Mistake>> = head.mistakes.iter().cloned().collect();
        let old = self.old.entry(root.to_owned()).or_default();
        for group in index.groups(Wanted::All) {
            for (module, row) in (group.first..).zip(&group.rows) {
                let full_name = row.full_name(group.name);
                let file = row.file(root, &full_name);
                let relative = file.strip_prefix(root).unwrap_or(&file).to_string();
                let known = Old {
                    file: number,
                    id,
                    number: module,
                    stamp: stamps.get(module as usize).copied().flatten(),
                    reads: readers
                        .get(&module)
                        .map(|reads| (*reads).clone())
                        .unwrap_or_default(),
                    mistake: mistakes.remove(&module),
                };
                old.insert((relative, full_name), known);
            }
        }
    }
}

/// The modulefiles of a survey that have changed.
fn changed_files(
    root: &Utf8Path,
    survey: &Survey,
    blocks: &[Block],
    config: &Config,
) -> Option<Vec<u32>> {
    let firsts: BTreeSet<u32> = heads(survey.index.as_bytes())
        .map(|(_, first)| first)
        .collect();
    let scope = fresh::Scope {
        only: survey.is_part.then_some(&firsts),
        sources: false,
        files: true,
    };
    fresh::changed(root, blocks, scope, config).map(|changes| changes.files)
}

/// The stamps of the modulefiles of blocks, by their numbers. What is damaged is unknown.
fn stamps(blocks: &[Block], modules: u32) -> Vec<Option<Stamp>> {
    let mut stamps = vec![None; modules as usize];
    for block in blocks {
        look::each(block, None, &mut |seen| {
            if let Seen::Module(number, stamp, _) = seen
                && let Some(known) = stamps.get_mut(number as usize)
            {
                *known = stamp;
            }
            true
        });
    }
    stamps
}

/// What is known of the caches of a session.
pub fn status(session: &Session, rc: &mut dyn RcReader) -> Vec<Status> {
    let mut found = Vec::new();
    for owner in [Owner::System, Owner::User] {
        let Some(path) = path(session, rc.config(), owner) else {
            continue;
        };
        let mut status = Status {
            owner,
            size_bytes: std::fs::metadata(&path).ok().map(|meta| meta.len()),
            roots: Vec::new(),
            problem: None,
            path,
        };
        match file::open(&status.path) {
            Ok(Some(file)) => {
                let roots = file.roots.clone();
                let mut cache = Cache::empty();
                cache.stored = Rc::new(Stored {
                    files: vec![file],
                    ..Stored::default()
                });
                for (id, modulepath) in roots {
                    let head = cache.stored.files[0].part(id, Part::Head);
                    let head = head.and_then(|head| serde_json::from_slice::<Head>(&head).ok());
                    status.roots.push(RootStatus {
                        modules: head.map_or(0, |head| head.modules),
                        freshness: Freshness::of(&modulepath, rc.config()),
                        is_fresh: cache
                            .survey(&modulepath, Wanted::All, Depth::Names, rc)
                            .is_some_and(|survey| !survey.is_renewed),
                        modulepath,
                    });
                }
            }
            Ok(None) => {}
            Err(error) => status.problem = Some(error.to_string()),
        }
        found.push(status);
    }
    found
}

/// Removes a cache. Tells whether there was one.
///
/// # Errors
/// It cannot be removed.
pub fn clear(path: &Utf8Path) -> Result<bool, CacheError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CacheError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests;
