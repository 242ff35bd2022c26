//! Evaluates all modulefiles of all hierarchies: what they are about, and which modules have to be loaded before others can
//! be reached.
//!
//! Side effects are off ([`Mode::Spider`]); a broken modulefile costs one warning, never the crawl. Source: Lmod user guide
//! "module spider", "Hierarchical modules".

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bstr::ByteSlice;
use camino::{Utf8Path, Utf8PathBuf};

use super::listing::{Entry, Tree};
use super::rc::RcEvaluator;
use super::recorder::Recorder;
use super::roots::Roots;
use crate::diag::Diagnostic;
use crate::env::{EnvOp, PathAction};
use crate::modulefile::{self, Evaluation, Languages, Mode, ModuleContext, RelationKind};

/// How many ways to a modulepath are looked for.
const MAX_WAYS: usize = 256;

/// How many modulepaths may lie behind one another.
const MAX_LEVELS: usize = 16;

/// What a modulefile tells about its module.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct About {
    /// Its lines of `whatis`.
    pub whatis: Vec<String>,
    /// Its help text.
    pub help: String,
    /// Its properties: key and value.
    pub properties: Vec<(String, String)>,
    /// The extensions it brings along: `numpy/1.26`.
    pub extensions: Vec<String>,
    /// Further facts for the catalog: key and value.
    pub facts: Vec<(String, String)>,
    /// The families it belongs to.
    pub families: Vec<String>,
    /// What it needs, as it is written.
    pub requires: Vec<String>,
    /// The modulepaths it opens.
    pub opens: Vec<Utf8PathBuf>,
    /// Whether it opens modulepaths in a way that depends on the user.
    pub is_dynamic: bool,
    /// The directories it puts in `PATH`.
    pub commands_in: Vec<Utf8PathBuf>,
    /// The directories it puts in `LD_LIBRARY_PATH`.
    pub libraries_in: Vec<Utf8PathBuf>,
}

impl About {
    /// What `whatis` says behind `key:` (`Description`, `Category`, ...), the first time; case has no meaning.
    pub fn whatis_of(&self, key: &str) -> Option<&str> {
        self.whatis.iter().find_map(|line| {
            let (found, text) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(key).then(|| text.trim())
        })
    }

    /// The categories it says it belongs to, joined by commas.
    pub fn category(&self) -> Option<&str> {
        let fact = self.facts.iter().find(|(key, _)| key == "category");
        fact.map(|(_, value)| value.as_str())
            .or_else(|| self.whatis_of("Category"))
    }

    /// What the module is: its description, else its first line of `whatis`.
    pub fn description(&self) -> &str {
        self.whatis_of("Description")
            .or_else(|| {
                self.whatis
                    .iter()
                    .find(|line| !is_keyed(line))
                    .map(String::as_str)
            })
            .unwrap_or_default()
    }

    /// Takes over what an evaluation collected.
    fn from_evaluation(evaluation: &Evaluation) -> About {
        let text = |bytes: &bstr::BString| bytes.to_str_lossy().into_owned();
        let paragraphs: Vec<String> = evaluation.help.iter().map(text).collect();
        let mut about = About {
            whatis: evaluation.whatis.iter().map(text).collect(),
            help: paragraphs.join("\n"),
            properties: evaluation.properties.clone(),
            extensions: evaluation.extensions.clone(),
            facts: evaluation.facts.clone(),
            is_dynamic: evaluation.dynamic_modulepath,
            ..About::default()
        };
        for recorded in &evaluation.ops {
            if let EnvOp::Path {
                action: PathAction::Prepend | PathAction::Append,
                var,
                value,
                delim,
                ..
            } = &recorded.op
            {
                let list = match var.as_str() {
                    "MODULEPATH" => &mut about.opens,
                    "PATH" => &mut about.commands_in,
                    "LD_LIBRARY_PATH" => &mut about.libraries_in,
                    _ => continue,
                };
                for dir in value.split_str(delim).filter_map(|dir| dir.to_str().ok()) {
                    let dir = Utf8PathBuf::from(dir.trim_end_matches('/'));
                    if dir.is_absolute() && !list.contains(&dir) {
                        list.push(dir);
                    }
                }
            }
        }
        for (relation, _) in &evaluation.relations {
            match relation.kind {
                RelationKind::Family => about.families.push(relation.family.clone()),
                RelationKind::Load
                | RelationKind::AlwaysLoad
                | RelationKind::DependsOn
                | RelationKind::DependsOnAny
                | RelationKind::PrereqAll
                | RelationKind::PrereqAny => {
                    about
                        .requires
                        .extend(relation.specs.iter().map(|spec| spec.text.clone()));
                }
                _ => {}
            }
        }
        about
    }
}

/// Whether a line of `whatis` begins with a key: `Category: ...`.
fn is_keyed(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, _)| {
        key.len() < 24 && key.chars().all(|c| c.is_alphanumeric() || c == ' ')
    })
}

/// The modules to load, first to last, before a modulepath can be reached.
pub type Way = Vec<String>;

/// All hierarchies, as far as they were crawled.
#[derive(Debug, Default)]
pub struct Crawl {
    /// The modulepaths in the order they were found, those of `MODULEPATH` first.
    pub trees: Vec<Tree>,
    /// What the modules are about, by file and full name (a TOML file may describe several).
    about: HashMap<(Utf8PathBuf, String), About>,
    /// Mistakes in modulefiles, by file.
    pub mistakes: BTreeMap<Utf8PathBuf, Diagnostic>,
    /// Whether the time was over before all was seen.
    pub is_cut: bool,
    /// The modulepaths that can be reached at once.
    base: HashSet<Utf8PathBuf>,
    /// The modules that open a modulepath: full name, and their own modulepath.
    parents: BTreeMap<Utf8PathBuf, Vec<(String, Utf8PathBuf)>>,
}

/// What is remembered of modulefiles from earlier crawls.
pub trait Memory {
    /// What a module is about, if its file has not changed since.
    fn recall(&mut self, entry: &Entry) -> Option<About>;

    /// Takes note of what a module is about.
    fn learn(&mut self, entry: &Entry, about: &About);
}

/// Remembers nothing.
#[derive(Debug, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn recall(&mut self, _: &Entry) -> Option<About> {
        None
    }

    fn learn(&mut self, _: &Entry, _: &About) {}
}

/// From this many modulefiles on, a crawl evaluates them on all cores.
const WORTH_THREADS: usize = 32;

impl Roots {
    /// Crawls all modulepaths that can be reached from those in force; until `deadline`, if there is one. Modulefiles that
    /// `memory` knows are not evaluated.
    pub fn crawl(
        &mut self,
        site: &mut RcEvaluator<'_>,
        memory: &mut dyn Memory,
        deadline: Option<Instant>,
    ) -> Crawl {
        let start = self.modulepaths().to_vec();
        let mut crawl = Crawl {
            base: start.iter().cloned().collect(),
            ..Crawl::default()
        };
        let mut waiting = start.clone();
        let mut seen = HashSet::new();
        self.walk_until = deadline;
        while !waiting.is_empty() {
            waiting.retain(|root| seen.insert(root.clone()));
            // Defaults depend on the modulepaths that are in force together; those of a level are.
            self.set_modulepaths(std::mem::take(&mut waiting));
            let trees = self.list(site);
            crawl.is_cut |= deadline.is_some_and(|deadline| Instant::now() > deadline);
            let all = trees.iter().flat_map(|tree| {
                tree.modules
                    .iter()
                    .map(move |entry| (entry, tree.modulepath.as_path()))
            });
            let mut known = Vec::new();
            let mut unknown = Vec::new();
            for (entry, modulepath) in all {
                match memory.recall(entry) {
                    Some(about) => known.push((entry, modulepath, about)),
                    None => unknown.push((entry, modulepath)),
                }
            }
            let described = describe_all(&unknown, site, deadline);
            crawl.is_cut |= described.iter().any(Option::is_none);
            for (entry, modulepath, about) in known {
                crawl.take(entry, modulepath, about, &mut waiting);
            }
            for ((entry, modulepath), described) in unknown.into_iter().zip(described) {
                let Some((about, mistake)) = described else {
                    continue;
                };
                match mistake {
                    Some(mistake) => {
                        crawl.mistakes.insert(entry.file.clone(), mistake);
                    }
                    None => memory.learn(entry, &about),
                }
                crawl.take(entry, modulepath, about, &mut waiting);
            }
            crawl.trees.extend(trees);
            if crawl.is_cut {
                break;
            }
        }
        self.walk_until = None;
        self.set_modulepaths(start);
        crawl
    }
}

impl Crawl {
    /// What a module is about.
    pub fn about(&self, entry: &Entry) -> &About {
        static NOTHING: std::sync::LazyLock<About> = std::sync::LazyLock::new(About::default);
        let key = (entry.file.clone(), entry.full_name.clone());
        self.about.get(&key).unwrap_or(&NOTHING)
    }

    /// Takes in what a module is about, and follows the modulepaths it opens.
    fn take(
        &mut self,
        entry: &Entry,
        modulepath: &Utf8Path,
        about: About,
        waiting: &mut Vec<Utf8PathBuf>,
    ) {
        for opened in &about.opens {
            let parents = self.parents.entry(opened.clone()).or_default();
            parents.push((entry.full_name.clone(), modulepath.to_owned()));
            waiting.push(opened.clone());
        }
        self.about
            .insert((entry.file.clone(), entry.full_name.clone()), about);
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
                entry.name == name
                    || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(separators))
            })
            .map(|(tree, entry)| (entry, self.ways(&tree.modulepath)))
            .collect()
    }
}

/// What each modulefile says about its module, in the order of `modules`; `None` where the time was over.
fn describe_all(
    modules: &[(&Entry, &Utf8Path)],
    site: &RcEvaluator<'_>,
    deadline: Option<Instant>,
) -> Vec<Option<(About, Option<Diagnostic>)>> {
    let one = |(entry, modulepath): &(&Entry, &Utf8Path), site: &RcEvaluator<'_>| {
        let over = deadline.is_some_and(|deadline| Instant::now() > deadline);
        (!over).then(|| describe(entry, modulepath, site))
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if modules.len() < WORTH_THREADS || threads == 1 {
        return modules.iter().map(|module| one(module, site)).collect();
    }
    // The language machines belong to one thread; each makes its own.
    let (session, config, shell, loaded) = (site.session, site.config, site.shell, &site.loaded);
    let next = AtomicUsize::new(0);
    let work = || {
        let languages = Languages::default();
        let site = RcEvaluator {
            session,
            config,
            languages: &languages,
            shell,
            loaded: loaded.clone(),
        };
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(module) = modules.get(index) else {
                return done;
            };
            done.push((index, one(module, &site)));
        }
    };
    let mut described = Vec::new();
    described.resize_with(modules.len(), || None);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            for (index, result) in worker.join().unwrap_or_default() {
                described[index] = result;
            }
        }
    });
    described
}

/// What a modulefile says about its module; and its first mistake.
pub(crate) fn describe(
    entry: &Entry,
    modulepath: &Utf8Path,
    site: &RcEvaluator<'_>,
) -> (About, Option<Diagnostic>) {
    let source = match modulefile::read(&entry.file) {
        Ok(source) => source,
        Err(mistake) => return (About::default(), Some(mistake)),
    };
    let context = ModuleContext {
        name: entry.name.clone(),
        version: entry.version().map(str::to_owned),
        requested: entry.full_name.clone(),
        file: entry.file.clone(),
        modulepath: modulepath.to_owned(),
        ..ModuleContext::default()
    };
    let mut world = Recorder::new(site);
    match modulefile::evaluate(&source, &context, Mode::Spider, &mut world) {
        Ok(evaluation) => (About::from_evaluation(&evaluation), None),
        Err(failure) => {
            let about = About::from_evaluation(&failure.evaluation);
            (about, Some(*failure.diagnostic))
        }
    }
}
