//! The formats of Lmod's `spider -o STYLE`: Open OnDemand, site portals and XALT read them.
//!
//! Source: Lmod user guide "The spider tool"; what its readers look at.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use super::lmod_text;
use crate::name::lmod_canonical;
use crate::tree::{About, Crawl, Entry, Tree, Way};

/// A format of `spider -o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The files of all modules, one a line.
    List,
    /// Name, then file, then what is known of it.
    SpiderJson,
    /// The same without hidden modules: the dashboard of Open OnDemand would show them.
    OpenOnDemand,
    /// One element a name, with its versions.
    SoftwarePage,
    /// From the directories that modules put in search paths to the modules: for XALT.
    XaltReverseMap,
    /// The same with all details.
    ReverseMap,
    /// The same as Lua text.
    ReverseMapText,
    /// [`Style::SoftwarePage`] as Lua text.
    SoftwarePageText,
    /// [`Style::SpiderJson`] as Lua text, with the modules that bring extensions along.
    Database,
    /// The file that Lmod caches a tree in.
    CacheFile,
}

impl Style {
    /// The style by one of its names.
    pub fn find(name: &str) -> Option<Style> {
        Some(match name {
            "list" => Style::List,
            "spider-json" => Style::SpiderJson,
            "softwarePage" | "jsonSoftwarePage" => Style::SoftwarePage,
            "xalt_rmapT" | "xalt_rmap" => Style::XaltReverseMap,
            "jsonReverseMapT" | "jsonReverseMap" => Style::ReverseMap,
            "reverseMapT" | "reverseMap" => Style::ReverseMapText,
            "softwarePageLua" | "spA" => Style::SoftwarePageText,
            "dbT" => Style::Database,
            "moduleT" | "spiderT" => Style::CacheFile,
            _ => return None,
        })
    }

    /// The names of all styles, for messages.
    pub const NAMES: &'static [&'static str] = &[
        "list",
        "spider-json",
        "jsonSoftwarePage",
        "jsonReverseMapT",
        "xalt_rmapT",
        "reverseMapT",
        "softwarePageLua",
        "dbT",
        "moduleT",
    ];
}

/// The document of a style, ending in a newline.
pub fn render(crawl: &Crawl, style: Style, paths: &PathFilter) -> String {
    let document = match style {
        Style::List => {
            let mut files: Vec<_> = modules(crawl).map(|m| m.entry.file()).collect();
            files.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
            files.dedup();
            return files.iter().map(|file| format!("{file}\n")).collect();
        }
        Style::SpiderJson => spider_json(modules(crawl)),
        Style::OpenOnDemand => spider_json(modules(crawl).filter(|m| !m.entry.is_hidden())),
        Style::SoftwarePage => software_page(crawl),
        Style::XaltReverseMap => reverse_map(crawl, paths, true),
        Style::ReverseMap => reverse_map(crawl, paths, false),
        Style::ReverseMapText => return as_text(reverse_map(crawl, paths, false)),
        Style::SoftwarePageText => {
            return lmod_text::assignments([("spA", software_page(crawl))]);
        }
        Style::Database => return database(crawl),
        Style::CacheFile => return lmod_text::cache_file(crawl),
    };
    format!("{document}\n")
}

/// A module with what is known of it.
pub(super) struct Module<'c> {
    pub(super) tree: &'c Tree,
    pub(super) entry: &'c Entry,
    pub(super) about: &'c About,
    ways: Rc<[Way]>,
}

impl Module<'_> {
    /// The version as it is written in `whatis`, else in the file's name; `false` for a module without one.
    fn version(&self) -> Value {
        match self
            .about
            .whatis_of("Version")
            .or_else(|| self.entry.version())
        {
            Some(version) => version.into(),
            None => false.into(),
        }
    }

    fn canonical(&self) -> String {
        self.entry.version().map_or(String::new(), lmod_canonical)
    }

    /// The canonical version, with the mark of a default in front.
    fn weight(&self) -> String {
        let canonical = self.canonical();
        if self.entry.is_marked && !canonical.is_empty() {
            format!("^{}", &canonical[1..])
        } else {
            canonical
        }
    }

    /// The modules to load first, one way a row; nothing where it can be loaded at once.
    fn parents(&self) -> Option<Value> {
        let ways: Vec<&Way> = self.ways.iter().filter(|way| !way.is_empty()).collect();
        (!ways.is_empty()).then(|| json!(ways))
    }

    fn category(&self) -> Option<&str> {
        let fact = self.about.facts.iter().find(|(key, _)| key == "category");
        fact.map(|(_, value)| value.as_str())
            .or_else(|| self.about.whatis_of("Category"))
    }

    fn url(&self) -> Option<&str> {
        let fact = self.about.facts.iter().find(|(key, _)| key == "url");
        fact.map(|(_, value)| value.as_str())
            .or_else(|| self.about.whatis_of("URL"))
    }

    fn properties(&self) -> Option<Value> {
        let mut properties: BTreeMap<&str, BTreeMap<&str, u8>> = BTreeMap::new();
        for (key, value) in &self.about.properties {
            properties.entry(key).or_default().insert(value, 1);
        }
        (!properties.is_empty()).then(|| json!(properties))
    }

    /// What both the JSON and the Lua text tell of a module.
    pub(super) fn describe(&self, record: &mut Map<String, Value>) {
        record.insert("Version".to_owned(), self.version());
        put(record, "Description", text(self.about.description()));
        put(record, "Name", self.about.whatis_of("Name"));
        put(record, "Category", self.category());
        put(record, "URL", self.url());
        if !self.about.whatis.is_empty() {
            record.insert("whatis".to_owned(), json!(self.about.whatis));
        }
        put(record, "help", text(&self.about.help));
        put(
            record,
            "family",
            self.about.families.first().map(String::as_str),
        );
        put(record, "propT", self.properties());
        if !self.about.extensions.is_empty() {
            record.insert("provides".to_owned(), json!(self.about.extensions));
        }
        put(record, "parentAA", self.parents());
        for (key, dirs) in [
            ("pathA", &self.about.commands_in),
            ("lpathA", &self.about.libraries_in),
            ("dirA", &self.about.package_dirs),
        ] {
            if !dirs.is_empty() {
                let dirs: BTreeMap<&str, u8> = dirs.iter().map(|dir| (dir.as_str(), 1)).collect();
                record.insert(key.to_owned(), json!(dirs));
            }
        }
        if self.entry.is_marked {
            record.insert("markedDefault".to_owned(), true.into());
        }
        record.insert("mpath".to_owned(), self.tree.modulepath.as_str().into());
        record.insert("pV".to_owned(), self.canonical().into());
        record.insert("wV".to_owned(), self.weight().into());
    }

    /// The ways to it as XALT names them: `default`, or `default:gcc/11.4:mpich/3.4`.
    fn flavours(&self) -> Vec<String> {
        let flavours = self.ways.iter().map(|way| {
            let words: Vec<&str> = std::iter::once("default")
                .chain(way.iter().map(String::as_str))
                .collect();
            words.join(":")
        });
        flavours.collect()
    }
}

/// All modules but those that are as if they did not exist, sorted by name and version.
pub(super) fn modules(crawl: &Crawl) -> impl Iterator<Item = Module<'_>> {
    let mut modules: Vec<Module> = Vec::new();
    for tree in &crawl.trees {
        let ways: Rc<[Way]> = crawl.ways(&tree.modulepath).into();
        modules.extend(tree.modules.iter().map(|entry| Module {
            tree,
            entry,
            about: crawl.about(entry),
            ways: Rc::clone(&ways),
        }));
    }
    modules.sort_by_cached_key(|m| {
        (
            m.entry.name().to_owned(),
            m.weight(),
            m.entry.full_name.clone(),
            m.entry.file().clone(),
        )
    });
    modules.into_iter()
}

/// Sets a key where there is a value.
pub(super) fn put(record: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        record.insert(key.to_owned(), value.into());
    }
}

fn text(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

fn spider_json<'c>(modules: impl Iterator<Item = Module<'c>>) -> Value {
    let mut names: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for module in modules {
        let mut record = Map::new();
        record.insert(
            "fullName".to_owned(),
            module.entry.full_name.as_str().into(),
        );
        module.describe(&mut record);
        record.insert("hidden".to_owned(), module.entry.is_hidden().into());
        let files = names.entry(module.entry.name().to_owned()).or_default();
        let mut key = module.entry.file().to_string();
        // One TOML file may describe several versions, and a JSON object holds a key once.
        if files.contains_key(&key) {
            key = format!("{key}#{}", module.entry.version().unwrap_or_default());
        }
        files.insert(key, record.into());
    }
    json!(names)
}

fn software_page(crawl: &Crawl) -> Value {
    let mut packages: Vec<Map<String, Value>> = Vec::new();
    for module in modules(crawl).filter(|m| !m.entry.is_hidden()) {
        if packages
            .last()
            .is_none_or(|p| p["package"] != module.entry.name())
        {
            let mut package = Map::new();
            package.insert("package".to_owned(), module.entry.name().into());
            package.insert("defaultVersionName".to_owned(), false.into());
            package.insert("versions".to_owned(), Value::Array(Vec::new()));
            packages.push(package);
        }
        let package = packages.last_mut().expect("pushed above");
        let mut record = Map::new();
        record.insert("full".to_owned(), module.entry.full_name.as_str().into());
        if module.entry.version().is_some() {
            record.insert("versionName".to_owned(), module.version());
        }
        record.insert("path".to_owned(), module.entry.file().as_str().into());
        record.insert(
            "canonicalVersionString".to_owned(),
            module.canonical().into(),
        );
        record.insert("wV".to_owned(), module.weight().into());
        record.insert("markedDefault".to_owned(), module.entry.is_marked.into());
        put(&mut record, "description", text(module.about.description()));
        put(&mut record, "help", text(&module.about.help));
        put(
            &mut record,
            "family",
            module.about.families.first().map(String::as_str),
        );
        put(&mut record, "parent", module.parents());
        put(&mut record, "properties", module.properties());
        if !module.about.extensions.is_empty() {
            record.insert("provides".to_owned(), json!(module.about.extensions));
        }
        // The versions come lowest first, so that the highest has the last word.
        package.insert("defaultVersionName".to_owned(), module.version());
        put(package, "displayName", module.about.whatis_of("Name"));
        put(package, "description", text(module.about.description()));
        put(package, "categories", module.category());
        put(package, "keywords", module.about.whatis_of("Keywords"));
        put(package, "url", module.url());
        if let Some(Value::Array(versions)) = package.get_mut("versions") {
            versions.push(record.into());
        }
    }
    json!(packages)
}

/// Which directories a reverse map tells about: those that begin with one of the first, else those that begin with none
/// of the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFilter {
    /// Beginnings of paths that are kept whatever else holds.
    pub keep: Vec<String>,
    /// Beginnings of paths that are left out.
    pub leave: Vec<String>,
}

impl Default for PathFilter {
    /// Directories of the system belong to no module.
    fn default() -> PathFilter {
        const OF_THE_SYSTEM: [&str; 7] = [
            "/bin",
            "/opt/local/bin",
            "/sbin",
            "/usr/bin",
            "/usr/lib",
            "/usr/local/share/bin",
            "/usr/sbin",
        ];
        PathFilter {
            keep: Vec::new(),
            leave: OF_THE_SYSTEM.map(str::to_owned).to_vec(),
        }
    }
}

impl PathFilter {
    fn keeps(&self, dir: &Utf8Path) -> bool {
        let begins_with = |dirs: &[String]| dirs.iter().any(|d| dir.as_str().starts_with(d));
        begins_with(&self.keep) || !begins_with(&self.leave)
    }
}

/// Directories that exist, with the module that puts them in a search path; of several the highest version.
fn reverse_map(crawl: &Crawl, paths: &PathFilter, for_xalt: bool) -> Value {
    let mut map: BTreeMap<String, Value> = BTreeMap::new();
    for module in modules(crawl) {
        let mut told = BTreeSet::new();
        let own = &module.about.package_dirs;
        let kinds = [
            ("bin", &module.about.commands_in),
            ("lib", &module.about.libraries_in),
            ("dir", own),
        ];
        // What a module says of its package's place holds for all its directories.
        let inside = |dir: &Utf8Path| {
            own.is_empty() || own.iter().any(|own| dir.as_str().starts_with(own.as_str()))
        };
        for (kind, dirs) in kinds {
            let kept = |dir: &&Utf8PathBuf| inside(dir) && paths.keeps(dir) && dir.is_dir();
            for dir in dirs.iter().filter(kept) {
                // A directory in several variables of a module is what the first of them says.
                if !told.insert(dir.clone()) {
                    continue;
                }
                let full_name = &module.entry.full_name;
                let flavours = module.flavours();
                let value = if for_xalt {
                    match flavours.iter().find(|f| *f != "default") {
                        Some(flavour) if !flavours.iter().any(|f| f == "default") => {
                            format!("{full_name}({flavour})").into()
                        }
                        _ => Value::from(full_name.as_str()),
                    }
                } else {
                    json!({
                        "pkg": full_name,
                        "moduleFn": module.entry.file().as_str(),
                        "kind": kind,
                        "flavor": flavours,
                    })
                };
                // Programs are known by where they really lie.
                if let Ok(real) = dir.canonicalize_utf8() {
                    map.insert(real.into_string(), value.clone());
                }
                map.insert(dir.to_string(), value);
            }
        }
    }
    // Readers expect Lua's empty table, which is written as a list.
    let map = if map.is_empty() {
        json!([])
    } else {
        json!(map)
    };
    if for_xalt {
        json!({ "reverseMapT": map, "xlibmap": [] })
    } else {
        json!({ "timestampFn": false, "reverseMapT": map, "xlibmap": [] })
    }
}

/// The fields of an object as Lua variables.
fn as_text(document: Value) -> String {
    let fields = match &document {
        Value::Object(fields) => fields.iter(),
        _ => return String::new(),
    };
    lmod_text::assignments(fields.map(|(name, value)| match value {
        Value::Bool(false) => (name.as_str(), json!([false])),
        value => (name.as_str(), value.clone()),
    }))
}

/// All modules by name and file, and the modules that bring each extension along.
fn database(crawl: &Crawl) -> String {
    let mut providers: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for module in modules(crawl) {
        for extension in &module.about.extensions {
            let name = extension.split('/').next().unwrap_or(extension);
            let of_name = providers.entry(name.to_owned()).or_default();
            let of_version = of_name.entry(extension.clone()).or_default();
            of_version.push(module.entry.full_name.clone());
        }
    }
    lmod_text::assignments([
        ("timestampFn", json!([false])),
        ("dbT", spider_json(modules(crawl))),
        ("provideByT", json!(providers)),
    ])
}
