//! The catalog as a value: the software of a site with its versions, and how each is loaded.
//!
//! Made from a [`Crawl`], the site's overlay and what is known of usage; nothing here depends on the time or on who asks, so
//! that the same tree gives the same bytes. Serialised it is the JSON document that `docs/reference/catalog.schema.json`
//! describes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;
use serde::Serialize;

use super::category;
use super::metadata::Metadata;
use super::overlay::{self, Overlay};
use crate::tree::{Crawl, Entry, Tree, Way};

/// The version of the JSON document; it grows when a reader of an earlier one would misunderstand.
pub(super) const FORMAT_VERSION: u32 = 1;

/// All software of a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Catalog {
    /// What kind of document this is.
    pub format: &'static str,
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// About the catalog as a whole.
    pub site: overlay::About,
    /// What the form for batch jobs offers.
    pub job: overlay::JobChoices,
    /// The period that usage was counted in; `None` where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsagePeriod>,
    /// The software, sorted by name.
    pub modules: Vec<Package>,
}

/// The period that usage was counted in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsagePeriod {
    /// The first day, `2026-01-31`.
    pub first: String,
    /// The last day.
    pub last: String,
    /// Loads of all modules a month, oldest first: `2026-01` and the number.
    pub months: Vec<(String, u64)>,
}

/// How often something was loaded, and by how many people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Usage {
    /// Loads.
    pub loads: u64,
    /// Different users.
    pub users: u64,
}

/// What is known of usage: of names, and of full names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageFigures {
    /// When it was counted.
    pub period: Option<UsagePeriod>,
    /// By name.
    pub names: HashMap<String, Usage>,
    /// By full name.
    pub versions: HashMap<String, Usage>,
}

/// One piece of software: all modules of one name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Package {
    /// The module's name without version.
    pub name: String,
    /// The software's own spelling of its name, where it differs.
    pub title: String,
    /// What it is, in one paragraph.
    pub description: String,
    /// The subjects it belongs to; the first is the one it is listed under.
    pub categories: Vec<String>,
    /// Words under which it should be found.
    pub keywords: Vec<String>,
    /// Its home page.
    pub url: String,
    /// Its licence.
    pub license: String,
    /// Who looks after it.
    pub maintainers: Vec<String>,
    /// Further facts, by key.
    pub metadata: BTreeMap<String, Vec<String>>,
    /// What `module load NAME` loads: a full name. `None` where nothing of it can be loaded.
    pub default: Option<String>,
    /// How often it was loaded; `None` where nobody counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Its versions, the highest first.
    pub versions: Vec<Version>,
}

/// One version of a piece of software.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Version {
    /// The name to load.
    pub full_name: String,
    /// The part behind the name; `None` for a module without version.
    pub version: Option<String>,
    /// Whether it is the one that the bare name means.
    pub is_default: bool,
    /// Its symbolic versions: `latest`.
    pub symbols: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What people are told who load it, for example that it goes away.
    pub warnings: Vec<String>,
    /// Why it cannot be loaded.
    pub forbidden: Option<String>,
    /// Its families: of each only one module is loaded at a time.
    pub families: Vec<String>,
    /// The modules it needs, as the modulefile names them.
    pub requires: Vec<String>,
    /// Further software it brings along: `numpy/1.26`.
    pub extensions: Vec<String>,
    /// The day its modulefile was last changed (UTC), `2026-01-31`.
    pub changed: Option<String>,
    /// The text of `module help`.
    pub help: String,
    /// How often it was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Its modulefiles: in a hierarchy the same version may be there for several compilers.
    pub files: Vec<File>,
}

/// One modulefile of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Where it is.
    pub path: String,
    /// The directory of `MODULEPATH` it was found in.
    pub modulepath: String,
    /// The modules to load first, one way a row; an empty row where it can be loaded at once.
    pub ways: Vec<Way>,
}

/// A module while the catalog is made.
struct Seen<'c> {
    tree: &'c Tree,
    entry: &'c Entry,
    ways: &'c [Way],
}

impl Catalog {
    /// Makes the catalog of a tree. Hidden modules are left out.
    pub fn new(crawl: &Crawl, overlay: &Overlay, usage: &UsageFigures) -> Catalog {
        let ways: Vec<Vec<Way>> = crawl
            .trees
            .iter()
            .map(|tree| crawl.ways(&tree.modulepath))
            .collect();
        let mut names: BTreeMap<&str, Vec<Seen>> = BTreeMap::new();
        for (tree, ways) in crawl.trees.iter().zip(&ways) {
            for entry in tree.modules.iter().filter(|entry| !entry.is_hidden()) {
                let seen = Seen { tree, entry, ways };
                names.entry(entry.name()).or_default().push(seen);
            }
        }
        let mut modules: Vec<Package> = names
            .into_iter()
            .filter(|(name, _)| !overlay.hides(name))
            .map(|(name, seen)| package(name, seen, crawl, overlay, usage))
            .collect();
        category::unify(&mut modules, &overlay.categories);
        Catalog {
            format: "xmod-catalog",
            format_version: FORMAT_VERSION,
            site: overlay.site.clone(),
            job: overlay.job.clone(),
            usage: usage.period.clone(),
            modules,
        }
    }

    /// All categories that software is listed under, with how many pieces; sorted.
    pub fn categories(&self) -> BTreeMap<&str, usize> {
        let mut categories = BTreeMap::new();
        for package in &self.modules {
            *categories.entry(package.category()).or_default() += 1;
        }
        categories
    }
}

impl Package {
    /// The category it is listed under.
    pub fn category(&self) -> &str {
        self.categories.first().map_or(UNSORTED, String::as_str)
    }

    /// What is to be typed to load its default: the modules in front of it where it lies deep in a hierarchy.
    pub fn load_command(&self) -> Option<String> {
        let default = self.default.as_deref()?;
        let version = self.versions.iter().find(|v| v.full_name == default)?;
        let way = version
            .files
            .iter()
            .flat_map(|file| &file.ways)
            .min_by_key(|way| way.len());
        let mut words: Vec<&str> = way.into_iter().flatten().map(String::as_str).collect();
        // The default needs no version, unless it is one of several branches of a hierarchy.
        words.push(if words.is_empty() {
            &self.name
        } else {
            default
        });
        Some(format!("module load {}", words.join(" ")))
    }
}

/// Where software is listed whose category nobody has named.
pub(super) const UNSORTED: &str = "Other";

/// Makes one package of all its modules.
fn package(
    name: &str,
    mut seen: Vec<Seen>,
    crawl: &Crawl,
    overlay: &Overlay,
    usage: &UsageFigures,
) -> Package {
    // The highest version first; the modulepaths stay in their order.
    seen.sort_by(|a, b| {
        let keys = b.entry.key().cmp(&a.entry.key());
        keys.then_with(|| a.entry.full_name.cmp(&b.entry.full_name))
    });
    let default = seen
        .iter()
        .filter(|s| s.entry.verdict().forbidden.is_none())
        .max_by_key(|s| {
            // Several branches of a hierarchy may have a default each; one that can be had at once comes first.
            let direct = s.ways.iter().any(Vec::is_empty);
            (s.entry.is_default, direct, s.entry.is_marked)
        })
        .map(|s| s.entry.full_name.clone());
    let mut metadata = Metadata::default();
    let by_default = seen
        .iter()
        .filter(|s| Some(&s.entry.full_name) == default.as_ref());
    for module in by_default.chain(&seen) {
        metadata.fill_from(Metadata::of(crawl.about(module.entry), name));
    }
    if metadata.categories.is_empty() {
        metadata.categories.extend(category::of_name(name));
    }
    overlay.apply(name, &mut metadata);
    let mut versions: Vec<Version> = Vec::new();
    for module in &seen {
        let known = versions
            .iter_mut()
            .find(|version| version.full_name == module.entry.full_name);
        match known {
            Some(version) => version.files.push(file(module)),
            None => versions.push(version(module, crawl, default.as_deref(), usage)),
        }
    }
    let counted = usage.period.is_some();
    Package {
        title: if metadata.title.eq_ignore_ascii_case(name) && metadata.title == name {
            String::new()
        } else {
            metadata.title
        },
        name: name.to_owned(),
        description: metadata.description,
        categories: metadata.categories,
        keywords: metadata.keywords,
        url: metadata.url,
        license: metadata.license,
        maintainers: metadata.maintainers,
        metadata: metadata.facts,
        default,
        usage: counted.then(|| usage.names.get(name).copied().unwrap_or_default()),
        versions,
    }
}

fn version(module: &Seen, crawl: &Crawl, default: Option<&str>, usage: &UsageFigures) -> Version {
    let entry = module.entry;
    let about = crawl.about(entry);
    let mut requires = BTreeSet::new();
    requires.extend(about.requires.iter().cloned());
    let mut tags = entry.verdict().tags.clone();
    tags.sort();
    tags.dedup();
    Version {
        full_name: entry.full_name.clone(),
        version: entry.version().map(str::to_owned),
        is_default: default == Some(&entry.full_name),
        symbols: entry.symbols.clone(),
        tags,
        warnings: entry.verdict().warnings.clone(),
        forbidden: entry.verdict().forbidden.as_ref().map(|forbidden| {
            forbidden
                .message
                .clone()
                .unwrap_or_else(|| "it cannot be loaded".to_owned())
        }),
        families: about.families.clone(),
        requires: requires.into_iter().collect(),
        extensions: about.extensions.clone(),
        changed: changed(&entry.file()),
        help: about.help.trim().to_owned(),
        usage: usage.period.is_some().then(|| {
            usage
                .versions
                .get(&entry.full_name)
                .copied()
                .unwrap_or_default()
        }),
        files: vec![file(module)],
    }
}

fn file(module: &Seen) -> File {
    File {
        path: module.entry.file().to_string(),
        modulepath: module.tree.modulepath.to_string(),
        ways: module.ways.to_vec(),
    }
}

/// The day a file was last changed.
fn changed(file: &Utf8Path) -> Option<String> {
    let modified = std::fs::metadata(file).ok()?.modified().ok()?;
    let time = jiff::Timestamp::try_from(modified).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}
