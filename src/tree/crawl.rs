//! All modules of all hierarchies: what they are about, and which modules have to be loaded before others can be reached.
//!
//! Modulefiles are evaluated with side effects off ([`Mode::Spider`]); a broken one costs one warning, never the crawl. What
//! a memory knows is not evaluated again. Source: Lmod user guide "module spider", "Hierarchical modules".

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;

use super::about::{About, Packed, Search, Texts, description_of};
use super::describe::{Subject, describe_all};
use super::dir::Dir;
use super::index::{Names, Wanted, heads};
use super::listing::{Entry, Filter, Surveyed, Tree};
use super::rc::{RcEvaluator, RcReader};
use super::reads::Reads;
use super::roots::Roots;
use super::stamp::Stamp;
use super::survey::{Readers, Source, Survey};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Place, Span};
use crate::modulefile;
use crate::session::Session;

/// How many ways to a modulepath are looked for.
const MAX_WAYS: usize = 256;

/// How many modulepaths may lie behind one another.
const MAX_LEVELS: usize = 16;

/// The modules to load, first to last, before a modulepath can be reached.
pub type Way = Vec<String>;

/// How far a crawl goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The names in the modulepaths in force; no modulefile is evaluated.
    Names,
    /// The modulepaths in force.
    Here,
    /// Those that can be reached by loading modules too.
    All,
}

/// What is kept of one modulefile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The identity of the file; `None` where it must not be remembered.
    pub stamp: Option<Stamp>,
    /// What the file asked about the session.
    pub reads: Reads,
    /// What the module is about.
    pub about: Packed,
    /// What is wrong with the file.
    pub mistake: Option<Box<Mistake>>,
}

/// What is wrong with a modulefile, as it is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mistake {
    message: String,
    /// The bytes of the file that are meant, with the words beside them.
    place: Option<(u32, u32, String)>,
    notes: Vec<String>,
    help: Vec<String>,
}

impl Mistake {
    /// `None` where it lies in another file: nobody would notice that it was mended.
    pub(super) fn of(diagnostic: &Diagnostic, file: &Utf8Path) -> Option<Mistake> {
        let place = diagnostic.place.as_ref();
        if place.is_some_and(|(place, _)| place.file.path() != file) {
            return None;
        }
        Some(Mistake {
            message: diagnostic.message.clone(),
            place: place.map(|(place, label)| (place.span.start, place.span.end, label.clone())),
            notes: diagnostic.notes.clone(),
            help: diagnostic.help.clone(),
        })
    }

    /// The message; the file is read again for the line that it shows.
    fn diagnostic(&self, file: &Utf8Path) -> Diagnostic {
        let place = self.place.as_ref().and_then(|(start, end, label)| {
            let file = modulefile::read(file).ok()?;
            let span = Span::new(*start as usize, *end as usize);
            Some((Place { file, span }, label.clone()))
        });
        Diagnostic {
            place,
            notes: self.notes.clone(),
            help: self.help.clone(),
            ..Diagnostic::new(Kind::Modulefile, self.message.clone())
        }
    }
}

/// What listings show of a module beside its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extra {
    /// Its number in the index.
    pub number: u32,
    /// Its properties: key and value.
    pub properties: Vec<(String, String)>,
    /// The extensions it brings along.
    pub extensions: Vec<String>,
}

impl Extra {
    /// What listings show of a module; `None` where that is nothing.
    pub fn of(number: u32, about: &About) -> Option<Extra> {
        let any = !about.properties.is_empty() || !about.extensions.is_empty();
        any.then(|| Extra {
            number,
            properties: about.properties.clone(),
            extensions: about.extensions.clone(),
        })
    }
}

/// A module that opens modulepaths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Opener {
    /// Its number in the index.
    pub number: u32,
    /// Its full name.
    pub full_name: String,
    /// The modulepaths.
    pub opens: Vec<Utf8PathBuf>,
}

/// What is remembered of modulepaths from earlier runs.
pub trait Memory {
    /// A modulepath, if it is still as it was and holds for this session; or the part of it that is wanted, if that is as
    /// it was and nothing else can belong to it. Unless only names are asked for, [`Memory::unknown`] will be asked next.
    fn survey(
        &mut self,
        root: &Utf8Path,
        wanted: Wanted<'_>,
        depth: Depth,
        rc: &mut dyn RcReader,
    ) -> Option<Survey>;

    /// The modules of a survey that [`Memory::survey`] gave whose files have to be evaluated, by their numbers.
    fn unknown(
        &mut self,
        root: &Utf8Path,
        survey: &Survey,
        session: &Session,
        config: &Config,
    ) -> Vec<u32>;

    /// The modules of such a modulepath that open others.
    fn openers(&mut self, root: &Utf8Path) -> Vec<Opener>;

    /// The modules of such a modulepath whose files are broken.
    fn mistakes(&mut self, _root: &Utf8Path) -> Vec<(u32, Box<Mistake>)> {
        Vec::new()
    }

    /// The directories of a modulepath that are still as they were, though the whole is not.
    fn unchanged(&mut self, _root: &Utf8Path) -> HashMap<String, (Source, Option<Dir>)> {
        HashMap::new()
    }

    /// One module of a modulepath that has changed as a whole, if its file has not.
    fn recall(
        &mut self,
        root: &Utf8Path,
        file: &Utf8Path,
        full_name: &str,
        session: &Session,
    ) -> Option<Record>;

    /// Where to read what modules are about.
    fn store(&self) -> Option<Rc<dyn Store>>;

    /// For whom surveys are made.
    fn readers(&self) -> Readers {
        Readers::User
    }

    /// A modulefile was evaluated, out of so many that are known to be left.
    fn progress(&self, _done: usize, _of: usize) {}
}

/// Takes a program with the modules that bring it along.
pub type TakeProgram<'t> = &'t mut dyn FnMut(&str, &[(Utf8PathBuf, u32)]);

/// What modules of remembered modulepaths are about.
pub trait Store {
    /// What a module is about, packed.
    fn about(&self, root: &Utf8Path, number: u32) -> Option<Packed>;

    /// Hands over the part of it that people search, if there is one.
    fn searched(&self, root: &Utf8Path, number: u32, take: &mut dyn FnMut(&[u8]));

    /// The same of all modules, row by row, each with the number of its first module.
    fn each_searched(&self, root: &Utf8Path, take: &mut dyn FnMut(u32, &Texts<'_>));

    /// What listings show of the modules beside their names.
    fn extras(&self, root: &Utf8Path) -> Vec<Extra>;

    /// The modules that bring along a program, as far as that is known: their modulepaths and numbers.
    fn program(&self, name: &str) -> Vec<(Utf8PathBuf, u32)>;

    /// All programs with the modules that bring them along.
    fn each_program(&self, take: TakeProgram<'_>);

    /// Whether something could not be read: then nothing that was answered counts.
    fn is_damaged(&self) -> bool;
}

/// Remembers nothing.
#[derive(Debug, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn survey(
        &mut self,
        _: &Utf8Path,
        _: Wanted<'_>,
        _: Depth,
        _: &mut dyn RcReader,
    ) -> Option<Survey> {
        None
    }

    fn unknown(&mut self, _: &Utf8Path, _: &Survey, _: &Session, _: &Config) -> Vec<u32> {
        Vec::new()
    }

    fn openers(&mut self, _: &Utf8Path) -> Vec<Opener> {
        Vec::new()
    }

    fn recall(&mut self, _: &Utf8Path, _: &Utf8Path, _: &str, _: &Session) -> Option<Record> {
        None
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        None
    }
}

/// A modulepath of a crawl with what was found out about its modules in this run.
#[derive(Debug)]
pub struct Known {
    /// The modulepath.
    pub modulepath: Utf8PathBuf,
    /// Its modules.
    pub surveyed: Rc<Surveyed>,
    /// What was evaluated or recalled in this run, by number. The rest stands in the store.
    pub records: HashMap<u32, Record>,
    /// The modules that open modulepaths.
    pub openers: Vec<Opener>,
    /// How many modulefiles were evaluated.
    pub evaluated: usize,
    unpacked: OnceCell<Vec<OnceCell<Box<About>>>>,
}

/// All hierarchies, as far as they were crawled.
#[derive(Default)]
pub struct Crawl {
    /// The modulepaths in the order they were found, those of `MODULEPATH` first.
    pub trees: Vec<Tree>,
    /// What was found out about their modules, in the same order.
    pub known: Vec<Known>,
    /// Mistakes in modulefiles, by file.
    pub mistakes: BTreeMap<Utf8PathBuf, Diagnostic>,
    /// Whether the time was over before all was seen.
    pub is_cut: bool,
    /// What [`Crawl::search`] finds, where that decided what is wanted.
    pub described: FxHashSet<(usize, u32)>,
    /// The modulepaths that can be reached at once.
    base: HashSet<Utf8PathBuf>,
    /// The modules that open a modulepath: full name, and their own modulepath.
    parents: BTreeMap<Utf8PathBuf, Vec<(String, Utf8PathBuf)>>,
    store: Option<Rc<dyn Store>>,
}

impl std::fmt::Debug for Crawl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crawl")
            .field("trees", &self.trees)
            .finish_non_exhaustive()
    }
}

impl Roots {
    /// Crawls all modulepaths that can be reached from those in force; until `deadline`, if there is one. Modulefiles that
    /// `memory` knows are not evaluated.
    pub fn crawl(
        &mut self,
        site: &mut RcEvaluator<'_>,
        memory: &mut dyn Memory,
        deadline: Option<Instant>,
    ) -> Crawl {
        self.crawl_for(Wanted::All, Depth::All, site, memory, deadline)
    }

    /// The same without a listing of the modules: what a cache is made of.
    pub fn crawl_to_remember(
        &mut self,
        site: &mut RcEvaluator<'_>,
        memory: &mut dyn Memory,
    ) -> Crawl {
        let start = self.modulepaths().to_vec();
        let mut crawl = Crawl::of(&start, memory);
        self.learn_all(&mut crawl, Wanted::All, Depth::All, site, memory, None);
        self.set_modulepaths(start);
        crawl
    }

    /// The same for the names that are wanted, and as far as wanted; the modulepaths themselves are found either way.
    pub fn crawl_for(
        &mut self,
        wanted: Wanted<'_>,
        depth: Depth,
        site: &mut RcEvaluator<'_>,
        memory: &mut dyn Memory,
        deadline: Option<Instant>,
    ) -> Crawl {
        let start = self.modulepaths().to_vec();
        let mut crawl = Crawl::of(&start, memory);
        let levels = self.learn_all(&mut crawl, wanted, depth, site, memory, deadline);
        let described = match wanted {
            Wanted::Described(filters) => Some(crawl.describe(filters)),
            _ => None,
        };
        for (level, surveys, names) in levels {
            self.set_modulepaths(level);
            let names = described.as_ref().or(names.as_ref());
            let first = crawl.trees.len();
            let wanted = names.map_or(wanted, Wanted::Named);
            for mut tree in self.trees_of(&surveys, wanted, site) {
                for entry in &mut tree.modules {
                    entry.tree += first;
                }
                crawl.trees.push(tree);
            }
        }
        self.set_modulepaths(start);
        crawl
    }

    /// Finds all modulepaths, level by level, and out what their modules are about.
    fn learn_all(
        &mut self,
        crawl: &mut Crawl,
        wanted: Wanted<'_>,
        depth: Depth,
        site: &mut RcEvaluator<'_>,
        memory: &mut dyn Memory,
        deadline: Option<Instant>,
    ) -> Vec<Level> {
        let mut waiting = self.modulepaths().to_vec();
        let mut seen = HashSet::new();
        self.walk_until = deadline;
        let mut levels = Vec::new();
        while !waiting.is_empty() {
            waiting.retain(|root| seen.insert(root.clone()));
            let level = std::mem::take(&mut waiting);
            // Defaults depend on the modulepaths that are in force together; those of a level are.
            self.set_modulepaths(level.clone());
            let (surveys, names) = self.survey_all(wanted, depth, site, memory);
            for (root, surveyed) in level.iter().zip(&surveys) {
                crawl.is_cut |= surveyed.survey.is_cut;
                let known = crawl.learn(root, Rc::clone(surveyed), depth, site, memory, deadline);
                for opener in &known.openers {
                    for dir in &opener.opens {
                        let parents = crawl.parents.entry(dir.clone()).or_default();
                        parents.push((opener.full_name.clone(), root.clone()));
                    }
                    if depth == Depth::All {
                        waiting.extend(opener.opens.iter().cloned());
                    }
                }
                crawl.known.push(known);
            }
            levels.push((level, surveys, names));
            if crawl.is_cut {
                break;
            }
        }
        self.walk_until = None;
        levels
    }
}

/// Modulepaths that are in force together, what is known of them, and the names that are wanted.
type Level = (Vec<Utf8PathBuf>, Vec<Rc<Surveyed>>, Option<Names>);

impl Known {
    /// Its modules that are to be looked at.
    fn subjects(&self, is_wanted: impl Fn(u32) -> bool) -> Vec<Subject> {
        let mut subjects = Vec::new();
        for group in self.surveyed.survey.index.groups(Wanted::All) {
            for (number, row) in (group.first..).zip(&group.rows) {
                if is_wanted(number) {
                    let full_name = row.full_name(group.name);
                    subjects.push(Subject {
                        number,
                        name_length: group.name.len(),
                        file: row.file(&self.modulepath, &full_name),
                        full_name,
                    });
                }
            }
        }
        subjects
    }

    /// What the modules are about, as far as somebody asked.
    fn unpacked(&self, number: u32) -> Option<&OnceCell<Box<About>>> {
        let cells = self.unpacked.get_or_init(|| {
            let mut cells = Vec::new();
            cells.resize_with(self.surveyed.survey.index.modules() as usize, OnceCell::new);
            cells
        });
        cells.get(number as usize)
    }
}

impl Crawl {
    /// Nothing is known yet but where to begin.
    fn of(start: &[Utf8PathBuf], memory: &dyn Memory) -> Crawl {
        Crawl {
            base: start.iter().cloned().collect(),
            store: memory.store(),
            ..Crawl::default()
        }
    }

    /// Finds out what the modules of a modulepath are about, as far as the memory does not know.
    fn learn(
        &mut self,
        root: &Utf8Path,
        surveyed: Rc<Surveyed>,
        depth: Depth,
        site: &RcEvaluator<'_>,
        memory: &mut dyn Memory,
        deadline: Option<Instant>,
    ) -> Known {
        let mut known = Known {
            modulepath: root.to_owned(),
            records: HashMap::new(),
            openers: Vec::new(),
            evaluated: 0,
            unpacked: OnceCell::new(),
            surveyed,
        };
        let survey = &known.surveyed.survey;
        let mut missing: Vec<Subject> = Vec::new();
        if known.surveyed.is_remembered {
            known.openers = memory.openers(root);
            let unknown: HashSet<u32> = match depth {
                Depth::Names => HashSet::new(),
                Depth::Here | Depth::All => {
                    let unknown = memory.unknown(root, survey, site.session, site.config);
                    unknown.into_iter().collect()
                }
            };
            if !unknown.is_empty() {
                missing = known.subjects(|number| unknown.contains(&number));
            }
            if depth != Depth::Names {
                let broken = memory.mistakes(root).into_iter();
                let mut broken: HashMap<u32, Box<Mistake>> = broken.collect();
                broken.retain(|number, _| !unknown.contains(number));
                self.add_mistakes(&known, broken);
            }
        } else {
            missing = known.subjects(|_| true);
            missing.retain(|subject| {
                let record = memory.recall(root, &subject.file, &subject.full_name, site.session);
                let is_known = record.is_some();
                known
                    .records
                    .extend(record.map(|record| (subject.number, record)));
                !is_known
            });
            let records = known.records.iter();
            let broken =
                records.filter_map(|(number, record)| Some((*number, record.mistake.clone()?)));
            self.add_mistakes(&known, broken.collect());
        }
        if depth == Depth::Names {
            missing.clear();
        }
        known.records.reserve(missing.len());
        let all = describe_all(
            root,
            &missing,
            site,
            memory,
            deadline,
            &mut |subject, said| {
                let (record, mistake) = said;
                known.evaluated += 1;
                if let Some(mistake) = mistake {
                    self.mistakes.insert(subject.file.clone(), *mistake);
                }
                known.records.insert(subject.number, record);
            },
        );
        self.is_cut |= !all;
        drop(missing);
        let records = &known.records;
        (known.openers).retain(|opener| !records.contains_key(&opener.number));
        let mut opens: HashMap<u32, Vec<Utf8PathBuf>> = HashMap::new();
        for (number, record) in records {
            let about = record.about.unpack().unwrap_or_default();
            if !about.opens.is_empty() {
                opens.insert(*number, about.opens);
            }
        }
        if !opens.is_empty() {
            let found = known.subjects(|number| opens.contains_key(&number));
            let found = found.into_iter().map(|subject| Opener {
                number: subject.number,
                opens: opens.remove(&subject.number).unwrap_or_default(),
                full_name: subject.full_name,
            });
            known.openers.extend(found.collect::<Vec<_>>());
        }
        known.openers.sort();
        known
    }

    /// Takes over mistakes that were remembered.
    fn add_mistakes(&mut self, known: &Known, broken: HashMap<u32, Box<Mistake>>) {
        if broken.is_empty() {
            return;
        }
        for subject in known.subjects(|number| broken.contains_key(&number)) {
            if let Some(mistake) = broken.get(&subject.number) {
                let diagnostic = mistake.diagnostic(&subject.file);
                self.mistakes.insert(subject.file, diagnostic);
            }
        }
    }

    /// What a module is about.
    pub fn about(&self, entry: &Entry) -> &About {
        static NOTHING: std::sync::LazyLock<About> = std::sync::LazyLock::new(About::default);
        let Some(known) = self.known.get(entry.tree) else {
            return &NOTHING;
        };
        let Some(cell) = known.unpacked(entry.number) else {
            return &NOTHING;
        };
        cell.get_or_init(|| {
            let about = match known.records.get(&entry.number) {
                Some(record) => record.about.unpack(),
                None => (self.store.as_ref())
                    .and_then(|store| store.about(&known.modulepath, entry.number)?.unpack()),
            };
            Box::new(about.unwrap_or_default())
        })
    }

    /// Searches, and takes note of what is found. Gives the names of those modules, and those that are accepted as names.
    fn describe(&mut self, filters: &[Filter]) -> Names {
        self.described = self.search(filters);
        let mut numbers: Vec<Vec<u32>> = vec![Vec::new(); self.known.len()];
        for (tree, number) in &self.described {
            numbers[*tree].push(*number);
        }
        let mut names = Names::default();
        for (known, mut numbers) in self.known.iter().zip(numbers) {
            numbers.sort_unstable();
            let mut numbers = numbers.into_iter().peekable();
            let index = &known.surveyed.survey.index;
            let mut heads = heads(index.as_bytes()).peekable();
            while let Some((name, _)) = heads.next() {
                let end = heads.peek().map_or(u32::MAX, |(_, next)| *next);
                let mut is_described = false;
                while numbers.next_if(|number| *number < end).is_some() {
                    is_described = true;
                }
                let is_wanted =
                    is_described || filters.iter().any(|filter| filter.accepts_name(name));
                if is_wanted && !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        }
        names
    }

    /// What a module is, in one line.
    pub fn description(&self, entry: &Entry) -> String {
        let mut description = String::new();
        let mut take = |searched: &[u8]| description.push_str(description_of(searched));
        if let Some(known) = self.known.get(entry.tree) {
            match (known.records.get(&entry.number), &self.store) {
                (Some(record), _) => take(record.about.parts().0),
                (None, Some(store)) => store.searched(&known.modulepath, entry.number, &mut take),
                (None, None) => {}
            }
        }
        description
    }

    /// The same of many modules, in their order: where most modules of a modulepath are among them, all texts are gone through.
    pub fn descriptions(&self, entries: &[&Entry]) -> Vec<String> {
        /// As many texts, more or less, are read together.
        const NEIGHBOURS: usize = 16;
        let mut descriptions = vec![String::new(); entries.len()];
        let mut of_trees: Vec<Vec<(u32, usize)>> = vec![Vec::new(); self.known.len()];
        for (place, entry) in entries.iter().enumerate() {
            if let Some(of_tree) = of_trees.get_mut(entry.tree) {
                of_tree.push((entry.number, place));
            }
        }
        for (known, mut wanted) in self.known.iter().zip(of_trees) {
            let survey = &known.surveyed.survey;
            let are_many = wanted.len() * NEIGHBOURS >= survey.index.modules() as usize;
            let store = self
                .store
                .as_ref()
                .filter(|_| are_many && known.surveyed.is_remembered && known.records.is_empty());
            let Some(store) = store else {
                for (_, place) in wanted {
                    descriptions[place] = self.description(entries[place]);
                }
                continue;
            };
            wanted.sort_unstable();
            store.each_searched(&known.modulepath, &mut |first, texts| {
                let begin = wanted.partition_point(|(number, _)| *number < first);
                for (number, place) in &wanted[begin..] {
                    let Some(text) = texts.get((number - first) as usize) else {
                        break;
                    };
                    description_of(text).clone_into(&mut descriptions[*place]);
                }
            });
        }
        descriptions
    }

    /// The modules whose description, help, extensions, properties or facts one of the filters accepts: the numbers of
    /// their trees and of themselves.
    pub fn search(&self, filters: &[Filter]) -> FxHashSet<(usize, u32)> {
        let mut search = Search::new(filters);
        let mut found = FxHashSet::default();
        for (tree, known) in self.known.iter().enumerate() {
            if known.surveyed.is_remembered
                && let Some(store) = &self.store
            {
                store.each_searched(&known.modulepath, &mut |first, texts| {
                    search.find(texts, &mut |place| {
                        let number = first + place as u32;
                        if known.records.is_empty() || !known.records.contains_key(&number) {
                            found.insert((tree, number));
                        }
                    });
                });
            }
            for (number, record) in &known.records {
                if search.accepts(record.about.parts().0) {
                    found.insert((tree, *number));
                }
            }
        }
        found
    }

    /// What listings show of the modules of a tree beside their names, by number.
    pub fn extras(&self, tree: usize) -> HashMap<u32, Extra> {
        let Some(known) = self.known.get(tree) else {
            return HashMap::new();
        };
        let mut extras = HashMap::new();
        if known.surveyed.is_remembered
            && let Some(store) = &self.store
        {
            let stored = store.extras(&known.modulepath).into_iter();
            extras.extend(stored.map(|extra| (extra.number, extra)));
        }
        for (number, record) in &known.records {
            let about = record.about.unpack().unwrap_or_default();
            match Extra::of(*number, &about) {
                Some(extra) => extras.insert(*number, extra),
                None => extras.remove(number),
            };
        }
        extras
    }

    /// The programs whose names are accepted, with the modules that bring them along: the numbers of their trees and of
    /// themselves.
    pub fn programs(&self, accepts: &dyn Fn(&str) -> bool) -> BTreeMap<String, Vec<(usize, u32)>> {
        let mut found: BTreeMap<String, Vec<(usize, u32)>> = BTreeMap::new();
        if let Some(store) = &self.store {
            store.each_program(&mut |name, places| {
                if accepts(name) {
                    let known = places.iter().filter_map(|place| self.place(place));
                    found.entry(name.to_owned()).or_default().extend(known);
                }
            });
        }
        for (place, program) in self.live_programs() {
            if accepts(&program) {
                found.entry(program).or_default().push(place);
            }
        }
        found.retain(|_, places| !places.is_empty());
        found
    }

    /// The modules that bring along one program.
    pub fn program(&self, name: &str) -> Vec<(usize, u32)> {
        let stored = self.store.as_ref().map(|store| store.program(name));
        let stored = stored.unwrap_or_default();
        let mut found: Vec<_> = stored
            .iter()
            .filter_map(|place| self.place(place))
            .collect();
        let live = self.live_programs().filter(|(_, program)| program == name);
        found.extend(live.map(|(place, _)| place));
        found
    }

    /// Where a remembered module stands in this crawl, if nothing newer is known of it.
    fn place(&self, (root, number): &(Utf8PathBuf, u32)) -> Option<(usize, u32)> {
        let tree = self
            .known
            .iter()
            .position(|known| known.modulepath == *root)?;
        let known = self.known.get(tree)?;
        let is_current = known.surveyed.is_remembered && !known.records.contains_key(number);
        is_current.then_some((tree, *number))
    }

    /// The programs of modules that were evaluated or recalled in this run.
    fn live_programs(&self) -> impl Iterator<Item = ((usize, u32), String)> {
        let known = self.known.iter().enumerate();
        let records = known.flat_map(|(tree, known)| {
            let records = known.records.iter();
            records.map(move |(number, record)| ((tree, *number), record))
        });
        records.flat_map(|(place, record)| {
            let dirs = record.about.unpack().unwrap_or_default().commands_in;
            let programs = dirs
                .into_iter()
                .flat_map(|dir| super::programs::programs_in(&dir));
            programs.map(move |program| (place, program))
        })
    }

    /// Whether everything that was remembered can be read. Reads it all.
    pub fn is_whole(&self) -> bool {
        for entry in self.trees.iter().flat_map(|tree| &tree.modules) {
            self.about(entry);
        }
        self.store.as_ref().is_none_or(|store| !store.is_damaged())
    }

    /// Where what was remembered is read, if there is anything.
    pub fn store(&self) -> Option<&Rc<dyn Store>> {
        self.store.as_ref()
    }

    /// Whether anything was found out that no memory knew.
    pub fn is_news(&self) -> bool {
        // A part of a modulepath is nothing that could be kept.
        let news = |known: &Known| {
            let survey = &known.surveyed.survey;
            let is_new = !known.surveyed.is_remembered || survey.is_renewed;
            !survey.is_part && (is_new || known.evaluated > 0)
        };
        !self.is_cut && self.known.iter().any(news)
    }

    /// How many modulefiles were evaluated.
    pub fn evaluated(&self) -> usize {
        self.known.iter().map(|known| known.evaluated).sum()
    }

    /// The modules that open each modulepath: full name, and the modulepath they lie in.
    pub fn parents(&self) -> impl Iterator<Item = (&Utf8PathBuf, &Vec<(String, Utf8PathBuf)>)> {
        self.parents.iter()
    }

    /// The ways to a modulepath, those with the fewest modules first; one without modules where it can be reached at once.
    pub fn ways(&self, modulepath: &Utf8Path) -> Vec<Way> {
        let mut ways = Vec::new();
        self.collect_ways(modulepath, &mut Vec::new(), &mut ways);
        ways.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        ways.dedup();
        ways
    }

    /// Follows the modules that open a modulepath backwards; `behind` are the steps from there on.
    fn collect_ways(
        &self,
        modulepath: &Utf8Path,
        behind: &mut Vec<(String, Utf8PathBuf)>,
        ways: &mut Vec<Way>,
    ) {
        if ways.len() >= MAX_WAYS || behind.len() > MAX_LEVELS {
            return;
        }
        if self.base.contains(modulepath) {
            ways.push(behind.iter().rev().map(|(name, _)| name.clone()).collect());
            return;
        }
        for (full_name, above) in self.parents.get(modulepath).into_iter().flatten() {
            if behind.iter().any(|(_, known)| known == above) || above == modulepath {
                continue;
            }
            behind.push((full_name.clone(), above.clone()));
            self.collect_ways(above, behind, ways);
            behind.pop();
        }
    }

    /// The modules whose name or full name is `name`, or begins with it where it is an incomplete version; each with the
    /// ways to it.
    pub fn find(&self, name: &str) -> Vec<(&Entry, Vec<Way>)> {
        self.trees
            .iter()
            .flat_map(|tree| tree.modules.iter().map(move |entry| (tree, entry)))
            .filter(|(_, entry)| {
                // Only what holds a version can be continued at a dot: `gcc` is not `gcc-libs`.
                let separators: &[char] = if name.contains('/') {
                    &['.', '-', '/']
                } else {
                    &['/']
                };
                let rest = entry.full_name.strip_prefix(name);
                entry.name() == name
                    || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(separators))
            })
            .map(|(tree, entry)| (entry, self.ways(&tree.modulepath)))
            .collect()
    }
}
