//! All modules of a modulepath, for listings and searches.
//!
//! Source: Lmod user guide "module avail"; `module(1)` avail.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::choose::{Choice, Want};
use super::crawl::{Depth, Memory, NoMemory};
use super::facts::{AliasKind, Facts, Subject, Verdict, has_dot};
use super::index::{FileOf, Group, Meant, Names, Wanted};
use super::rc::RcReader;
use super::roots::{Rank, Roots, joined};
use super::survey::Survey;
use crate::config::Config;
use crate::modulefile::relation::Hiding;
use crate::name::{LuaPattern, Spec, VersionKey, VersionOrder};

/// A modulepath with all its modules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// The modulepath.
    pub modulepath: Utf8PathBuf,
    /// Its title in listings (`modulepath-label`).
    pub label: Option<String>,
    /// Its modules, sorted by name and version.
    pub modules: Vec<Entry>,
    /// The aliases it defines and what they stand for, sorted.
    pub aliases: Vec<(String, String)>,
    /// All names that stand for others, as far as somebody gave them: aliases, symbolic versions, defaults.
    pub names: Vec<Named>,
}

/// A name that stands for another one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Named {
    /// The whole name: `gcc/stable`.
    pub name: String,
    /// What it stands for.
    pub target: String,
    /// How it was said.
    pub kind: AliasKind,
    /// Whether the site's or the user's rc file says it, for all modulepaths.
    pub is_global: bool,
}

/// A module of a [`Tree`]. There are tens of thousands: what can be told from the rest is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name with version.
    pub full_name: String,
    /// How much of it is the name.
    name_length: u32,
    /// Its number in the index of its modulepath.
    pub number: u32,
    /// Where its tree stands in the listing.
    pub tree: usize,
    /// Its modulepath.
    root: Rc<Utf8Path>,
    file: FileOf,
    /// Its symbolic versions, without the name.
    pub symbols: Vec<String>,
    /// What rules say about it, where they say anything but that it is hidden.
    verdict: Option<Box<Verdict>>,
    /// How well it is hidden.
    pub hiding: Option<Hiding>,
    /// Whether it is what its bare name means in all modulepaths together.
    pub is_default: bool,
    /// Whether somebody marked it as the default of its directory.
    pub is_marked: bool,
    /// Whether it is the only one of its name that is shown.
    pub is_alone: bool,
    /// How its versions are ordered.
    order: VersionOrder,
}

impl Entry {
    /// Name without version.
    pub fn name(&self) -> &str {
        &self.full_name[..self.name_length as usize]
    }

    /// The part behind the name; `None` for a module without version.
    pub fn version(&self) -> Option<&str> {
        self.full_name.get(self.name_length as usize + 1..)
    }

    /// Its file.
    pub fn file(&self) -> Utf8PathBuf {
        self.file.path(&self.root, &self.full_name)
    }

    /// Whether that is its file.
    pub fn is_file(&self, file: &Utf8Path) -> bool {
        match self.file {
            FileOf::Named(ending) => {
                let below = file.as_str().strip_suffix(ending);
                let below = below.and_then(|file| file.strip_suffix(self.full_name.as_str()));
                below.and_then(|root| root.strip_suffix('/')) == Some(self.root.as_str())
            }
            FileOf::At(_) => self.file() == file,
        }
    }

    /// Its place among the versions of its name.
    pub fn key(&self) -> VersionKey {
        self.order.key(self.version().unwrap_or_default())
    }

    /// Whether listings leave it out unless they are asked for what is hidden.
    pub fn is_hidden(&self) -> bool {
        self.hiding.is_some()
    }

    /// What rules say about it.
    pub fn verdict(&self) -> &Verdict {
        static NOTHING: Verdict = Verdict::NOTHING;
        self.verdict.as_deref().unwrap_or(&NOTHING)
    }
}

/// What a listing is restricted to.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Names that hold the text; upper and lower case are the same.
    Contains(String),
    /// Names that begin with the text; upper and lower case are the same where `ignore_case`.
    Begins {
        /// The text.
        text: String,
        /// Whether case has no meaning.
        ignore_case: bool,
    },
    /// Names in which the regular expression is found.
    Pattern(regex::Regex),
    /// Names in which Lua's pattern is found.
    LuaPattern(LuaPattern),
    /// Versions that a specification such as `gcc@12:` allows.
    Spec(Box<Spec>, VersionOrder),
}

impl Filter {
    /// Whether a module belongs to the listing: by its name or its full name.
    pub fn accepts(&self, entry: &Entry) -> bool {
        self.accepts_module(entry.name(), entry.version().unwrap_or_default())
    }

    /// The same for a name and a version, which is empty for a module without one.
    pub(super) fn accepts_module(&self, name: &str, version: &str) -> bool {
        if let Filter::Spec(spec, order) = self {
            return name == spec.path
                && !version.is_empty()
                && spec.versions.accepts(version, *order);
        }
        self.accepts_name(name)
            || !version.is_empty() && self.accepts_name(&format!("{name}/{version}"))
    }

    /// Whether a name does.
    pub fn accepts_name(&self, name: &str) -> bool {
        match self {
            Filter::Contains(text) if text.is_ascii() && name.is_ascii() => {
                let (text, name) = (text.as_bytes(), name.as_bytes());
                let Some(first) = text.first().map(u8::to_ascii_lowercase) else {
                    return true;
                };
                let mut parts = name.windows(text.len());
                parts.any(|part| {
                    part[0].to_ascii_lowercase() == first && part.eq_ignore_ascii_case(text)
                })
            }
            Filter::Contains(text) => name.to_lowercase().contains(&text.to_lowercase()),
            Filter::Begins { text, ignore_case } if *ignore_case => {
                name.to_lowercase().starts_with(&text.to_lowercase())
            }
            Filter::Begins { text, .. } => name.starts_with(text.as_str()),
            Filter::Pattern(pattern) => pattern.is_match(name),
            Filter::LuaPattern(pattern) => pattern.is_match(name),
            Filter::Spec(spec, _) => name == spec.path,
        }
    }
}

/// A modulepath whose survey is at hand.
#[derive(Debug)]
pub struct Surveyed {
    /// The survey.
    pub survey: Survey,
    /// Whether a cache knew it.
    pub is_remembered: bool,
    /// The rules, ready to be judged.
    facts: Facts,
}

/// What a bare name means, for each name and each modulepath that holds it.
#[derive(Debug, Default)]
struct Choices<'s>(FxHashMap<&'s str, Vec<Candidate>>);

/// What a modulepath takes for a bare name.
#[derive(Debug)]
struct Candidate {
    tree: usize,
    full_name: String,
    rank: Rank,
}

impl Roots {
    /// All modulepaths with all their modules, hidden ones too (but for those that are as if they did not exist).
    pub fn list(&mut self, rc: &mut dyn RcReader) -> Vec<Tree> {
        self.look_up(Wanted::All, rc, &mut NoMemory)
    }

    /// All modulepaths with the names that are wanted, each with all its modules. Modulepaths that `memory` knows are not
    /// read.
    pub fn look_up(
        &mut self,
        wanted: Wanted<'_>,
        rc: &mut dyn RcReader,
        memory: &mut dyn Memory,
    ) -> Vec<Tree> {
        let (surveys, names) = self.survey_all(wanted, Depth::Names, rc, memory);
        let wanted = names.as_ref().map_or(wanted, Wanted::Named);
        self.trees_of(&surveys, wanted, rc)
    }

    /// What is known of the modulepaths in force, at least of the names that are wanted; and those names, where one
    /// modulepath alone does not tell.
    pub(super) fn survey_all(
        &mut self,
        wanted: Wanted<'_>,
        depth: Depth,
        rc: &mut dyn RcReader,
        memory: &mut dyn Memory,
    ) -> (Vec<Rc<Surveyed>>, Option<Names>) {
        self.read_global(rc);
        let roots = self.modulepaths().to_vec();
        let mut surveys: Vec<_> = (roots.iter())
            .map(|root| self.surveyed(root, wanted, depth, rc, memory))
            .collect();
        let Wanted::Accepted(filters) = wanted else {
            return (surveys, None);
        };
        if surveys.len() < 2 {
            return (surveys, None);
        }
        // What a name means depends on all modulepaths that hold it, whether or not they hold what is looked for.
        let mut names = Names::default();
        for surveyed in &surveys {
            let groups = surveyed.survey.index.groups(wanted);
            names.extend(groups.into_iter().map(|group| group.name.to_owned()));
        }
        // Those that are wanted for their names are in each part already.
        let by_name = |name: &String| filters.iter().any(|f| f.accepts_name(name));
        if !names.iter().all(by_name) {
            for (root, surveyed) in roots.iter().zip(&mut surveys) {
                if surveyed.survey.is_part {
                    *surveyed = self.surveyed(root, Wanted::Named(&names), depth, rc, memory);
                }
            }
        }
        (surveys, Some(names))
    }

    /// The trees of the modulepaths in force, each with the names that are wanted.
    pub(super) fn trees_of(
        &mut self,
        surveys: &[Rc<Surveyed>],
        wanted: Wanted<'_>,
        rc: &mut dyn RcReader,
    ) -> Vec<Tree> {
        let roots = self.modulepaths().to_vec();
        let mut choices = Choices::default();
        let mut trees = Vec::new();
        for (root, surveyed) in roots.iter().zip(surveys) {
            let tree = self.tree(trees.len(), root, surveyed, wanted, &mut choices, rc);
            trees.push(tree);
        }
        mark_defaults(&mut trees, choices, rc.config());
        trees
    }

    /// What is known of a modulepath: from this run, from the memory, or from the disk. It may be no more than the part
    /// that is wanted.
    fn surveyed(
        &mut self,
        root: &Utf8Path,
        wanted: Wanted<'_>,
        depth: Depth,
        rc: &mut dyn RcReader,
        memory: &mut dyn Memory,
    ) -> Rc<Surveyed> {
        if let Some(known) = self.surveyed.get(root) {
            return Rc::clone(known);
        }
        // What is left out by the site's or the user's rc files is left out of a survey of its own.
        let ignored = self.ignored_globally();
        let remembered = match ignored.is_some() {
            true => None,
            false => memory.survey(root, wanted, depth, rc),
        };
        let is_remembered = remembered.is_some();
        let mut survey = remembered.unwrap_or_else(|| {
            let unchanged = memory.unchanged(root);
            let is_special = ignored.is_some();
            let mut survey = Survey::of(
                root,
                rc,
                memory.readers(),
                unchanged,
                self.walk_until,
                ignored,
            );
            survey.reads.volatile |= is_special;
            survey
        });
        self.warnings.append(&mut survey.warnings);
        let surveyed = Rc::new(Surveyed {
            facts: survey.facts(rc),
            survey,
            is_remembered,
        });
        if !surveyed.survey.is_cut && !surveyed.survey.is_part {
            self.surveyed.insert(root.to_owned(), Rc::clone(&surveyed));
        }
        surveyed
    }

    /// The tree of a modulepath, rules judged for this user and this time.
    fn tree<'s>(
        &mut self,
        number: usize,
        root: &Utf8Path,
        surveyed: &'s Surveyed,
        wanted: Wanted<'_>,
        choices: &mut Choices<'s>,
        rc: &mut dyn RcReader,
    ) -> Tree {
        let spoken = &surveyed.survey.spoken;
        let mut aliases: BTreeMap<String, String> = BTreeMap::new();
        let mut symbols: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut label = None;
        // The weightiest come first.
        for facts in self.scopes_with(None, rc.config()) {
            for (name, alias) in &facts.aliases {
                match alias.kind {
                    AliasKind::Alias => {
                        let known = aliases.entry(name.clone());
                        known.or_insert_with(|| alias.target.clone());
                    }
                    AliasKind::Symbol => {
                        let symbol = name.rsplit_once('/').map_or(name.as_str(), |(_, s)| s);
                        let known = symbols.entry(alias.target.clone()).or_default();
                        known.push(symbol.to_owned());
                    }
                    AliasKind::Virtual => {}
                }
            }
            label = label.or_else(|| facts.labels.get(root).cloned());
        }
        for (name, target) in &spoken.aliases {
            let known = aliases.entry(name.clone());
            known.or_insert_with(|| target.clone());
        }
        let has_code = rc.has_site_code();
        let asks_for_files = has_code
            || (self.scopes_with(Some(&surveyed.facts), rc.config())).any(Facts::ask_for_files);
        let any_globally = (self.scopes_with(None, rc.config()))
            .any(|facts| !facts.defaults.is_empty() || !facts.aliases.is_empty());
        let mut modules: Vec<Entry> = Vec::new();
        let place: Rc<Utf8Path> = Rc::from(root);
        let order = rc.config().version_order;
        let index = &surveyed.survey.index;
        if matches!(wanted, Wanted::All) {
            modules.reserve_exact(index.modules() as usize);
        }
        index.each_group(wanted, &mut |group| {
            let globally = any_globally && self.speaks_globally_of(group.name, rc.config());
            let first = modules.len();
            let is_plain = !has_code
                && !(self.scopes_with(Some(&surveyed.facts), rc.config()))
                    .any(|facts| facts.may_mean(group.name));
            for (number_in_group, row) in (0..).zip(&group.rows) {
                let full_name = row.full_name(group.name);
                let mut verdict = None;
                let hiding = if is_plain {
                    has_dot(&full_name, 0).then_some(Hiding::Hidden)
                } else {
                    let file = match asks_for_files {
                        true => row.file(root, &full_name),
                        false => Utf8PathBuf::new(),
                    };
                    let subject = Subject {
                        name: group.name,
                        full_name: &full_name,
                        file: &file,
                    };
                    let said = self.verdict_of(Some(&surveyed.facts), root, &subject, 0, rc);
                    let hiding = said.hiding;
                    if !said.says_no_more_than_hidden() {
                        verdict = Some(Box::new(said));
                    }
                    hiding
                };
                if hiding == Some(Hiding::Hard) {
                    continue;
                }
                let mut is_marked = row.is_marked;
                if globally {
                    let (dir, child) = full_name.rsplit_once('/').unwrap_or(("", &full_name));
                    self.read_dir_facts(root, dir, rc);
                    let marked = self.marked_child(root, dir, rc);
                    is_marked = marked.is_some_and(|(marked, _)| marked == child);
                }
                let mut of_row = match symbols.is_empty() {
                    true => Vec::new(),
                    false => symbols.get(&full_name).cloned().unwrap_or_default(),
                };
                of_row.extend(row.symbols().map(str::to_owned));
                modules.push(Entry {
                    name_length: group.name.len() as u32,
                    number: group.first + number_in_group,
                    tree: number,
                    root: Rc::clone(&place),
                    file: row.file_of(),
                    symbols: of_row,
                    verdict,
                    hiding,
                    is_default: false,
                    is_marked,
                    is_alone: false,
                    order,
                    full_name,
                });
            }
            if modules.len() > first {
                let choice = self.choice(root, &group, &modules[first..], globally, rc);
                if let Some((full_name, rank)) = choice {
                    choices.0.entry(group.name).or_default().push(Candidate {
                        tree: number,
                        full_name,
                        rank,
                    });
                }
            }
        });
        Tree {
            modulepath: root.to_owned(),
            label: label.or_else(|| spoken.label.clone()),
            modules,
            aliases: aliases.into_iter().collect(),
            names: self.names(&spoken.names, rc.config()),
        }
    }

    /// The names that stand for others; of several that are the same the weightiest.
    fn names(&self, own: &[Named], config: &Config) -> Vec<Named> {
        let mut names: BTreeMap<String, Named> = BTreeMap::new();
        let global = self.scopes_with(None, config);
        let global = global.flat_map(|facts| named(facts, true));
        // What is nearer to the modulepath is weaker.
        for named in global.chain(own.iter().cloned()) {
            names.entry(named.name.clone()).or_insert(named);
        }
        names.into_values().collect()
    }

    /// What the bare name of a group means in its modulepath. The survey knows as far as no rule hides that module and only
    /// the modulepath speaks about the name; otherwise it is chosen as a load would do.
    fn choice(
        &mut self,
        root: &Utf8Path,
        group: &Group<'_>,
        entries: &[Entry],
        globally: bool,
        rc: &mut dyn RcReader,
    ) -> Option<(String, Rank)> {
        let choice = group.choice.map(|(meant, rank)| {
            let chosen = entries.iter().find(|entry| match meant {
                Meant::Number(number) => entry.number == number,
                Meant::Elsewhere(full_name) => entry.full_name == full_name,
            });
            (meant, chosen, rank)
        });
        let holds = match &choice {
            _ if globally => false,
            None => true,
            Some((_, chosen, rank)) => match (chosen.map(|entry| entry.hiding), rank) {
                (_, Rank::Meta) => true,
                (Some(Some(Hiding::Hidden)), Rank::Plain) | (None, _) => false,
                (Some(_), _) => true,
            },
        };
        if holds {
            let (meant, chosen, rank) = choice?;
            let full_name = match (chosen, meant) {
                (Some(chosen), _) => chosen.full_name.clone(),
                (None, Meant::Elsewhere(full_name)) => full_name.to_owned(),
                // One that a rule hides.
                (None, Meant::Number(number)) => {
                    let row = group.rows.get((number - group.first) as usize);
                    row?.full_name(group.name)
                }
            };
            return Some((full_name, rank));
        }
        if entries[0].full_name == group.name {
            return Some((group.name.to_owned(), Rank::Meta));
        }
        self.read_root_rc(root, rc);
        match self.choose(root, group.name, Want::DEFAULT, rc) {
            Choice::Module(chosen) => Some((chosen.full_name, chosen.rank)),
            Choice::Nothing | Choice::NoDefault | Choice::Name(_) => None,
        }
    }

    /// Reads what the rc files on the way to a directory say.
    fn read_dir_facts(&mut self, root: &Utf8Path, dir: &str, rc: &mut dyn RcReader) {
        self.read_root_rc(root, rc);
        self.dir(root, dir, rc);
    }

    /// Whether the site's or the user's rc files give a name a default or further names.
    fn speaks_globally_of(&self, name: &str, config: &Config) -> bool {
        let concerns = |key: &str| {
            key == name
                || key
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        self.scopes_with(None, config).any(|facts| {
            (facts.defaults.keys().chain(facts.aliases.keys())).any(|key| concerns(key))
        })
    }
}

/// The names of some facts that stand for others.
pub(super) fn named(facts: &Facts, is_global: bool) -> Vec<Named> {
    let aliases = facts.aliases.iter().map(|(name, alias)| Named {
        name: name.clone(),
        target: alias.target.clone(),
        kind: alias.kind,
        is_global,
    });
    let defaults = facts.defaults.iter().map(|(dir, child)| Named {
        name: joined(dir, "default"),
        target: joined(dir, child),
        kind: AliasKind::Symbol,
        is_global,
    });
    aliases.chain(defaults).collect()
}

/// Marks what bare names mean: the best of all modulepaths, or that of the first where the setting or the layout says
/// so.
fn mark_defaults(trees: &mut [Tree], choices: Choices<'_>, config: &Config) {
    let same = |a: &Entry, b: &Entry| a.name() == b.name();
    let defaults = choices.0.into_iter().filter_map(|(name, candidates)| {
        let best = best_of(candidates, name, config)?;
        Some((
            name,
            Meaning {
                best,
                is_alone: true,
            },
        ))
    });
    let mut defaults: FxHashMap<&str, Meaning> = defaults.collect();
    let is_only_tree = trees.len() == 1;
    let mut shown: FxHashMap<&str, Shown> = FxHashMap::default();
    if !is_only_tree {
        for group in trees.iter().flat_map(|tree| tree.modules.chunk_by(same)) {
            shown.entry(group[0].name()).or_default().add_all(group);
        }
    }
    for (name, _) in shown.into_iter().filter(|(_, shown)| shown.are_several) {
        if let Some(default) = defaults.get_mut(name) {
            default.is_alone = false;
        }
    }
    for group in (trees.iter_mut()).flat_map(|tree| tree.modules.chunk_by_mut(same)) {
        let Some(Meaning { best, is_alone }) = defaults.get(group[0].name()) else {
            continue;
        };
        let is_alone = match is_only_tree {
            true => {
                let mut shown = Shown::default();
                shown.add_all(group);
                !shown.are_several
            }
            false => *is_alone,
        };
        for entry in group {
            entry.is_default = best.tree == entry.tree && best.full_name == entry.full_name;
            entry.is_alone = is_alone;
        }
    }
}

/// What a bare name means in all modulepaths together.
struct Meaning {
    best: Candidate,
    /// Whether only one full name of it is shown.
    is_alone: bool,
}

/// The full names of a name that are shown: whether there are several.
#[derive(Default)]
struct Shown<'e> {
    first: Option<&'e str>,
    are_several: bool,
}

impl<'e> Shown<'e> {
    fn add_all(&mut self, group: &'e [Entry]) {
        for entry in group {
            if !entry.is_hidden() || entry.is_marked {
                self.add(&entry.full_name);
            }
        }
    }

    fn add(&mut self, full_name: &'e str) {
        match self.first {
            None => self.first = Some(full_name),
            Some(first) => self.are_several |= first != full_name,
        }
    }
}

/// The best of what the modulepaths answer.
fn best_of(candidates: Vec<Candidate>, name: &str, config: &Config) -> Option<Candidate> {
    if candidates.len() < 2 {
        return candidates.into_iter().next();
    }
    let below = |candidate: &Candidate| {
        candidate
            .full_name
            .get(name.len()..)
            .map_or(0, |rest| rest.matches('/').count())
    };
    if config.find_first || candidates.iter().any(|candidate| below(candidate) > 1) {
        return candidates.into_iter().next();
    }
    let key = |candidate: &Candidate| {
        let version = candidate.full_name.get(name.len() + 1..);
        config.version_order.key(version.unwrap_or_default())
    };
    // The first of equals.
    candidates.into_iter().reduce(|best, other| {
        let is_same = || other.full_name == best.full_name;
        let more = match other.rank.cmp(&best.rank) {
            Ordering::Equal => !is_same() && key(&other) > key(&best),
            order => order.is_gt(),
        };
        if more { other } else { best }
    })
}
