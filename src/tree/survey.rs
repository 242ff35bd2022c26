//! Everything that a listing needs to know of one modulepath, read from the disk once: its modules, what its rc files say
//! about them, and what has to be as it was for that to hold.
//!
//! A survey holds for everybody: rules are kept as rules, and judged for a user and a time when somebody lists the modules
//! ([`super::listing`]). A cache keeps surveys; where it has none, or an old one, the modulepath is surveyed anew.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::choose::{Choice, Want};
use super::dir::{Child, Dir};
use super::facts::{AliasKind, Facts};
use super::index::{Index, Writer};
use super::listing::{Named, named};
use super::rc::RcReader;
use super::reads::Reads;
use super::roots::{Global, MAX_DEPTH, Rank, Roots, file_path, joined};
use super::stamp::{self, Stamp};
use super::statement::{Places, Statement, relative};
use crate::diag::Diagnostic;
use crate::modulefile::Directive;
use crate::name::{VersionKey, VersionOrder};

/// Who may be told what a survey finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Readers {
    /// Those who can read what the present user can.
    #[default]
    User,
    /// Everybody: what not everybody may read is left out, and read live by those who may.
    Everybody,
}

/// What is known of a modulepath.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Its modules.
    pub index: Index,
    /// What its rc files say that has to be judged at the time of the listing.
    pub spoken: Spoken,
    /// What was looked at; empty where a cache has compared it already.
    pub sources: Vec<Source>,
    /// What its rc files asked about the session.
    pub reads: Reads,
    /// Whether the time was over before all was seen.
    pub is_cut: bool,
    /// Whether the index holds no more than the names that were wanted, though it counts all modules.
    pub is_part: bool,
    /// Mistakes in rc files.
    pub warnings: Vec<Diagnostic>,
    /// What rc files say, in the order in which they were read; empty where a cache keeps that.
    pub statements: Vec<Statement>,
    /// Whether a cache had to find out again about some names.
    pub is_renewed: bool,
}

/// Statements of rc files that are kept as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Spoken {
    /// Rules, each with the directory it was given in.
    pub rules: Vec<(Directive, String)>,
    /// Aliases and what they stand for.
    pub aliases: BTreeMap<String, String>,
    /// All names that stand for others.
    pub names: Vec<Named>,
    /// The title of the modulepath in listings.
    pub label: Option<String>,
}

/// A directory or file that a survey depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path relative to the modulepath, or absolute; empty for the modulepath itself.
    pub path: String,
    /// Its identity before it was read.
    pub stamp: Stamp,
    /// What it was.
    pub kind: SourceKind,
    /// The entries of a directory ([`Dir::to_text`]).
    pub entries: String,
}

/// What a survey found in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A directory; its stamp tells whether it has changed.
    Dir,
    /// A directory that changed just before it was read: its stamp cannot be trusted, the digest of its entries can.
    Unsettled(u64),
    /// A directory that could not be read, or not by everybody.
    Closed,
    /// A file.
    File,
    /// Nothing.
    Missing,
}

/// What is kept of a survey while it goes on.
#[derive(Debug, Default)]
pub(super) struct Surveying {
    readers: Readers,
    now: i64,
    sources: Vec<Source>,
    pub(super) reads: Reads,
    /// Directories that were read ahead, by their names.
    pub(super) ready: HashMap<String, (Source, Option<Dir>)>,
    /// What was said so far.
    statements: Vec<Statement>,
    /// Where only some names are surveyed again, those.
    again: Option<(Places, Vec<Statement>)>,
}

/// Some names of a modulepath that are surveyed again, the rest of which is known.
#[derive(Debug, Default)]
pub struct Again {
    /// Where they lie.
    pub places: Places,
    /// The directories above them, as they are.
    pub ready: HashMap<String, (Source, Option<Dir>)>,
    /// What rc files said when the whole modulepath was surveyed.
    pub statements: Vec<Statement>,
}

/// Reads a directory of a modulepath together with what identifies it: first the stamp, then the entries, so that a change
/// in between is noticed later.
pub(super) fn read_dir(
    root: &Utf8Path,
    dir: &str,
    default_links: bool,
    readers: Readers,
    now: i64,
) -> Option<(Source, Option<Dir>)> {
    let path = root.join(dir);
    let source = |stamp, kind| Source {
        path: dir.to_owned(),
        stamp,
        kind,
        entries: String::new(),
    };
    let Ok(meta) = std::fs::metadata(&path) else {
        // What is missing below is no entry of the directory above.
        return dir
            .is_empty()
            .then(|| (source(Stamp::default(), SourceKind::Missing), None));
    };
    let stamp = Stamp::new(&meta);
    if !meta.is_dir() {
        return dir
            .is_empty()
            .then(|| (source(stamp, SourceKind::File), None));
    }
    let open_to_all = meta.permissions().mode() & 0o005 == 0o005;
    if readers == Readers::Everybody && !open_to_all {
        return Some((source(stamp, SourceKind::Closed), None));
    }
    Some(match Dir::read(&path, default_links) {
        Ok(read) if stamp.is_settled(now) => (source(stamp, SourceKind::Dir), Some(read)),
        Ok(read) => (
            source(stamp, SourceKind::Unsettled(digest(&read))),
            Some(read),
        ),
        Err(_) => (source(stamp, SourceKind::Closed), None),
    })
}

/// A digest of the entries of a directory.
pub fn digest(dir: &Dir) -> u64 {
    let mut hasher = DefaultHasher::new();
    dir.hash(&mut hasher);
    hasher.finish()
}

impl Surveying {
    /// A directory, and a note of what it was.
    pub(super) fn read_dir(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        default_links: bool,
    ) -> Option<Dir> {
        let (mut source, read) = match self.ready.remove(dir) {
            Some(ready) => ready,
            None => read_dir(root, dir, default_links, self.readers, self.now)?,
        };
        if source.entries.is_empty() {
            source.entries = read.as_ref().map(Dir::to_text).unwrap_or_default();
        }
        self.sources.push(source);
        read
    }

    /// Takes note of what a file says.
    pub(super) fn statement(
        &mut self,
        root: &Utf8Path,
        directive: Directive,
        dir: &str,
        place: &Utf8Path,
        file: &Utf8Path,
    ) {
        self.statements.push(Statement {
            directive,
            dir: dir.to_owned(),
            place: place.to_owned(),
            file: relative(file, root),
        });
    }

    /// Takes note of a file whose content was read.
    pub(super) fn file(&mut self, root: &Utf8Path, file: &Utf8Path) {
        let path = relative(file, root);
        let stamp = Stamp::of(file).filter(|stamp| stamp.is_settled(self.now));
        self.sources.push(Source {
            path,
            // A file that has just changed has no stamp that could be relied on: this one never comes back.
            stamp: stamp.unwrap_or_default(),
            kind: SourceKind::File,
            entries: String::new(),
        });
    }
}

impl Survey {
    /// Surveys a modulepath; until `deadline`, if there is one. Directories that are known to be `unchanged` are not read.
    pub(super) fn of(
        root: &Utf8Path,
        rc: &mut dyn RcReader,
        readers: Readers,
        unchanged: HashMap<String, (Source, Option<Dir>)>,
        deadline: Option<std::time::Instant>,
        ignored: Option<Global>,
    ) -> Survey {
        let mut roots = Roots::new(vec![root.to_owned()]);
        let mut surveying = Surveying {
            readers,
            now: stamp::now(),
            ready: unchanged,
            ..Surveying::default()
        };
        if deadline.is_none() && surveying.ready.is_empty() {
            surveying.ready = super::ahead::read(root, rc.config(), readers, surveying.now);
        }
        roots.begin_survey(surveying, ignored);
        roots.walk_until = deadline;
        roots.survey(root, rc)
    }

    /// Surveys some names of a modulepath again: the index holds those alone, and the sources what was read for them; what is
    /// said holds for the whole. `None` where what rc files say does not let them be told from the others.
    pub fn again(
        root: &Utf8Path,
        rc: &mut dyn RcReader,
        readers: Readers,
        again: Again,
    ) -> Option<Survey> {
        let ties = |statement: &Statement| statement.ties(&again.places);
        let makes_names = |statement: &Statement| {
            let directive = &statement.directive;
            matches!(
                directive,
                Directive::Alias { .. } | Directive::Virtual { .. }
            )
        };
        let before = again.statements.iter();
        if before.clone().any(ties)
            || rc.config().names_make_directories && before.clone().any(makes_names)
        {
            return None;
        }
        let mut roots = Roots::new(vec![root.to_owned()]);
        let places = again.places.clone();
        let surveying = Surveying {
            readers,
            now: stamp::now(),
            ready: again.ready,
            again: Some((again.places, again.statements)),
            ..Surveying::default()
        };
        roots.begin_survey(surveying, None);
        let survey = roots.survey(root, rc);
        let mut after = survey.statements.iter();
        let is_clear = !after.any(|statement| {
            statement.ties(&places) || rc.config().names_make_directories && makes_names(statement)
        });
        is_clear.then_some(survey)
    }

    /// The facts of the modulepath that are judged at the time of a listing.
    pub(super) fn facts(&self, rc: &dyn RcReader) -> Facts {
        let mut facts = Facts::default();
        let rules = rc.config().spec_rules();
        for (directive, dir) in &self.spoken.rules {
            // A pattern that is none was complained about when the rc file was read.
            let _ = facts.add(directive.clone(), dir, Utf8Path::new("/"), &rules, true);
        }
        facts
    }
}

/// A module as the walk finds it.
struct Found {
    name: String,
    full_name: String,
    file: Utf8PathBuf,
    is_marked: bool,
}

impl Roots {
    /// Surveys a modulepath with the rc files in it alone.
    fn survey(&mut self, root: &Utf8Path, rc: &mut dyn RcReader) -> Survey {
        self.read_root_rc(root, rc);
        let mut files = Vec::new();
        self.walk(root, "", &mut Vec::new(), &mut files, rc);
        if let Some(surveying) = &mut self.surveying {
            // Its room is as large as all directories, however many are left in it.
            surveying.ready = HashMap::new();
        }
        let statements = self.all_statements(root, rc);
        let mut symbols: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut aliases = BTreeMap::new();
        let mut virtuals = Vec::new();
        for (name, alias) in &self.own_facts(root).aliases {
            let target = &alias.target;
            match alias.kind {
                AliasKind::Alias => {
                    aliases.insert(name.clone(), target.clone());
                }
                AliasKind::Symbol => {
                    let symbol = name.rsplit_once('/').map_or(name.as_str(), |(_, s)| s);
                    let known = symbols.entry(target.clone()).or_default();
                    known.push(symbol.to_owned());
                }
                AliasKind::Virtual if target.starts_with('/') => {
                    virtuals.push((name.clone(), Utf8PathBuf::from(target)));
                }
                AliasKind::Virtual => {
                    let behind = files.iter().find(|(full_name, _)| full_name == target);
                    virtuals.extend(behind.map(|(_, file)| (name.clone(), file.clone())));
                }
            }
        }
        virtuals.retain(|(name, _)| self.is_surveyed("", name));
        files.extend(virtuals);
        let mut found: Vec<Found> = files
            .into_iter()
            // What cannot stand in a line cannot be asked for either.
            .filter(|(name, file)| {
                !name.contains(is_separator) && !file.as_str().contains(is_separator)
            })
            .map(|(full_name, file)| {
                let parts = self.name_parts(root, &full_name, rc);
                let end = full_name.match_indices('/').nth(parts - 1);
                let name = full_name[..end.map_or(full_name.len(), |(at, _)| at)].to_owned();
                let (dir, child) = full_name.rsplit_once('/').unwrap_or(("", &full_name));
                let marked = self.marked_child(root, dir, rc);
                Found {
                    is_marked: marked.is_some_and(|(marked, _)| marked == child),
                    name,
                    full_name,
                    file,
                }
            })
            .collect();
        sort(&mut found, rc.config().version_order);
        let index = self.index(root, &found, &symbols, rc);
        let label = self.own_facts(root).labels.get(root).cloned();
        let names = named(self.own_facts(root), false);
        let rules = statements.iter().filter_map(Statement::rule).collect();
        let is_cut = (self.walk_until).is_some_and(|until| std::time::Instant::now() > until);
        let Surveying { sources, reads, .. } = *self.surveying.take().unwrap_or_default();
        Survey {
            index,
            spoken: Spoken {
                rules,
                aliases,
                names,
                label,
            },
            sources,
            reads,
            is_cut,
            is_part: false,
            warnings: self.take_warnings(),
            statements,
            is_renewed: false,
        }
    }

    /// What rc files say; where only some names are surveyed, together with what is known of the others.
    fn all_statements(&mut self, root: &Utf8Path, rc: &dyn RcReader) -> Vec<Statement> {
        let Some(surveying) = &mut self.surveying else {
            return Vec::new();
        };
        let mut statements = std::mem::take(&mut surveying.statements);
        let Some((places, known)) = &mut surveying.again else {
            return statements;
        };
        // What was read on the way was read again.
        let read: BTreeSet<&str> = surveying.sources.iter().map(|s| s.path.as_str()).collect();
        let is_old = |statement: &Statement| {
            let dir = statement.file.rsplit_once('/').map_or("", |(dir, _)| dir);
            let is_toml = statement.file.ends_with(".toml");
            places.holding(statement.scope()).is_none() && (is_toml || !read.contains(dir))
        };
        statements.extend(std::mem::take(known).into_iter().filter(is_old));
        statements.sort_by(|a, b| a.order().cmp(&b.order()));
        let (rules, redefine) = (rc.config().spec_rules(), rc.config().redefine_symbols);
        let mut facts = Facts::default();
        for Statement {
            directive,
            dir,
            place,
            ..
        } in &statements
        {
            // A pattern that is none was complained about when it was read.
            let _ = facts.add(directive.clone(), dir, place, &rules, redefine);
        }
        self.root(root).facts = facts;
        statements
    }

    /// Whether an entry of a directory is surveyed, or something in it.
    pub(super) fn is_surveyed(&self, dir: &str, name: &str) -> bool {
        let surveying = self.surveying.as_ref();
        let again = surveying.and_then(|surveying| surveying.again.as_ref());
        again.is_none_or(|(places, _)| places.lead_to(&joined(dir, name)))
    }

    /// Writes the index of modules that are in order.
    fn index(
        &mut self,
        root: &Utf8Path,
        found: &[Found],
        symbols: &BTreeMap<String, Vec<String>>,
        rc: &mut dyn RcReader,
    ) -> Index {
        let mut writer = Writer::default();
        for group in found.chunk_by(|a, b| a.name == b.name) {
            let name = &group[0].name;
            let choice = if group[0].full_name == *name {
                Some((name.clone(), Rank::Meta))
            } else {
                match self.choose(root, name, Want::DEFAULT, rc) {
                    Choice::Module(chosen) => Some((chosen.full_name, chosen.rank)),
                    Choice::Nothing | Choice::NoDefault | Choice::Name(_) => None,
                }
            };
            let choice = choice.as_ref().map(|(name, rank)| (name.as_str(), *rank));
            let place = choice.and_then(|(chosen, _)| {
                let mut modules = group.iter();
                modules.position(|module| module.full_name == chosen)
            });
            writer.name(name, choice, place);
            for module in group {
                let version = module.full_name.get(name.len() + 1..).unwrap_or_default();
                let none = Vec::new();
                let symbols = symbols.get(&module.full_name).unwrap_or(&none);
                let (file, marked) = (&module.file, module.is_marked);
                writer.module(root, &module.full_name, version, file, marked, symbols);
            }
        }
        writer.finish()
    }

    /// Collects the modulefiles below a directory. `above` are the real places of linked directories on the way: a link
    /// that leads back is not followed.
    fn walk(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        above: &mut Vec<Utf8PathBuf>,
        found: &mut Vec<(String, Utf8PathBuf)>,
        rc: &mut dyn RcReader,
    ) {
        let late = (self.walk_until).is_some_and(|until| std::time::Instant::now() > until);
        if late || dir.split('/').count() > MAX_DEPTH {
            return;
        }
        let Some(read) = self.dir(root, dir, rc) else {
            return;
        };
        self.read_toml_facts(root, dir, &read.children, rc);
        for (name, child) in read.children.iter() {
            if !self.is_surveyed(dir, name) {
                continue;
            }
            let full_name = joined(dir, name);
            match self.resolve_child(root, &full_name, child, rc) {
                Child::Dir if read.links.contains(name) => {
                    let Ok(place) = root.join(&full_name).canonicalize_utf8() else {
                        continue;
                    };
                    let here = root.join(dir).canonicalize_utf8().unwrap_or_default();
                    if !above.contains(&place) && !here.starts_with(&place) {
                        above.push(place);
                        self.walk(root, &full_name, above, found, rc);
                        above.pop();
                    }
                }
                Child::Dir => self.walk(root, &full_name, above, found, rc),
                Child::File(file) => {
                    let path = file_path(root, dir, &file);
                    if self.is_listed(root, &path, &file, rc) {
                        found.push((full_name, path));
                    }
                }
            }
        }
    }
}

fn is_separator(c: char) -> bool {
    c.is_control()
}

/// The order of listings: by name, then by version.
fn sort(found: &mut [Found], order: VersionOrder) {
    found.sort_by_cached_key(|module| {
        let version = module.full_name.get(module.name.len() + 1..);
        let key = order.key(version.unwrap_or_default());
        (name_key(order, &module.name), key, module.full_name.clone())
    });
}

/// The order of the names of an index.
pub fn order_names(order: VersionOrder, a: &str, b: &str) -> Ordering {
    name_key(order, a).cmp(&name_key(order, b))
}

fn name_key(order: VersionOrder, name: &str) -> (Option<VersionKey>, String) {
    let key = match order {
        // Names are ordered as texts.
        VersionOrder::Lmod => None,
        VersionOrder::Dictionary => Some(order.key(name)),
    };
    // Names that the order takes for the same stay together.
    (key, name.to_owned())
}
