//! The modulepaths of a run, read as far as somebody asks.
//!
//! A directory is read once, an rc file is evaluated once. Only directories on the way to a name are touched: rc files that
//! speak about a name have to lie on that way, in the modulepath itself, or be the site's or the user's.

mod rules;

use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::children::Children;
use super::dir::{Begins, Child, Dir, FileChild, is_ignored, link_target};
use super::facts::{AliasKind, Clock, Facts};
use super::ignore::{is_ignored_path, lua_patterns};
use super::listing::Surveyed;
use super::rc::RcReader;
use super::survey::Surveying;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::{Config, NameSplit};
use crate::diag::{Diagnostic, Kind as DiagnosticKind, SourceFile};
use crate::modulefile::toml::{VersionEntry, versions_of};
use crate::modulefile::{self, Language};
use crate::name::LuaPattern;

pub use rules::{GlobalRc, Whose, global_files};

/// How deep directories are followed: links may form circles.
pub(crate) const MAX_DEPTH: usize = 64;

/// The rc files of a directory, the weightiest first.
const RC_FILES: [&str; 3] = [".modulerc.lua", ".modulerc", ".version"];

/// The modulepaths and what is known about them.
#[derive(Debug, Default)]
pub struct Roots {
    modulepaths: Vec<Utf8PathBuf>,
    known: Known,
    global: Option<Global>,
    clock: Clock,
    pub(super) warnings: Vec<Diagnostic>,
    /// Names of files that are not of modules, by the settings; read when the first name is looked at.
    file_patterns: Option<Vec<LuaPattern>>,
    /// When a walk through a tree has to end, done or not.
    pub(super) walk_until: Option<Instant>,
    /// Set while a modulepath is surveyed: then only its own rc files count, and what is read is taken note of.
    pub(super) surveying: Option<Box<Surveying>>,
    /// What is known of whole modulepaths.
    pub(super) surveyed: FxHashMap<Utf8PathBuf, Rc<Surveyed>>,
    /// Texts that were read to know what a file is: whoever loads it need not read it again.
    sources: FxHashMap<Utf8PathBuf, Arc<SourceFile>>,
}

/// What the rc files of the site and of the user say.
#[derive(Debug, Default)]
pub(super) struct Global {
    system: Facts,
    user: Facts,
}

/// What is known by modulepath. They are a handful: to compare their texts costs less than to hash a path, part by part,
/// and this is asked for at every step.
#[derive(Debug, Default)]
struct Known(Vec<(Utf8PathBuf, Root)>);

impl Known {
    fn at(&self, path: &Utf8Path) -> Option<usize> {
        self.0
            .iter()
            .position(|(known, _)| known.as_str() == path.as_str())
    }

    fn get(&self, path: &Utf8Path) -> Option<&Root> {
        self.at(path).map(|at| &self.0[at].1)
    }

    fn get_or_default(&mut self, path: &Utf8Path) -> &mut Root {
        let at = self.at(path).unwrap_or_else(|| {
            self.0.push((path.to_owned(), Root::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

/// One modulepath.
#[derive(Debug, Default)]
pub(super) struct Root {
    pub(super) facts: Facts,
    rc_read: bool,
    dirs: FxHashMap<String, Option<Rc<Dir>>>,
    tops: FxHashMap<String, Option<Child>>,
    /// Directories that were only passed on the way to others: whether they bear a marker.
    passed: FxHashMap<String, bool>,
    toml: FxHashMap<String, Rc<Vec<VersionEntry>>>,
    /// Names whose TOML file could be read.
    toml_files: FxHashSet<String>,
}

/// What an entry of a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dir,
    File,
}

impl Roots {
    /// Nothing is read until somebody asks.
    pub fn new(modulepaths: Vec<Utf8PathBuf>) -> Roots {
        Roots {
            modulepaths,
            ..Roots::default()
        }
    }

    /// The same, with a clock for rules that depend on the time.
    pub fn with_clock(modulepaths: Vec<Utf8PathBuf>, clock: Clock) -> Roots {
        Roots {
            modulepaths,
            clock,
            ..Roots::default()
        }
    }

    /// Sets the modulepaths, in the order of `MODULEPATH`. What is known about those seen before is kept.
    pub fn set_modulepaths(&mut self, modulepaths: Vec<Utf8PathBuf>) {
        self.modulepaths = modulepaths;
    }

    /// The text of a file that had to be read to find the module; it is given away.
    pub fn take_source(&mut self, file: &Utf8Path) -> Option<Arc<SourceFile>> {
        self.sources.remove(file)
    }

    /// The modulepaths in the order of `MODULEPATH`.
    pub fn modulepaths(&self) -> &[Utf8PathBuf] {
        &self.modulepaths
    }

    /// What the site's and the user's rc files leave out, if anything.
    pub(super) fn ignored_globally(&self) -> Option<Global> {
        let global = self.global.as_ref()?;
        let ignored = |facts: &Facts| Facts {
            ignored: facts.ignored.clone(),
            ..Facts::default()
        };
        let any = !global.system.ignored.is_empty() || !global.user.ignored.is_empty();
        any.then(|| Global {
            system: ignored(&global.system),
            user: ignored(&global.user),
        })
    }

    /// Begins to survey, without what `ignored` leaves out.
    pub(super) fn begin_survey(&mut self, surveying: Surveying, ignored: Option<Global>) {
        self.surveying = Some(Box::new(surveying));
        self.global = ignored;
    }

    /// Forgets what the site's and the user's rc files say: their names were changed.
    pub fn forget_global(&mut self) {
        self.global = None;
    }

    /// Takes the mistakes that were found in rc files.
    pub fn take_warnings(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings)
    }

    /// Keeps only these of the mistakes found so far.
    pub fn set_warnings(&mut self, warnings: Vec<Diagnostic>) {
        self.warnings = warnings;
    }

    /// The directory `dir` (`bio/bowtie`) of a modulepath; `None` where there is none.
    pub fn dir(&mut self, root: &Utf8Path, dir: &str, rc: &mut dyn RcReader) -> Option<Rc<Dir>> {
        if let Some(known) = self.root(root).dirs.get(dir) {
            return known.clone();
        }
        if !dir.is_empty() && self.is_left_out(root, dir, Kind::Dir, rc.config()) {
            self.root(root).dirs.insert(dir.to_owned(), None);
            return None;
        }
        let links = rc.config().default_links;
        let read = match &mut self.surveying {
            Some(surveying) => surveying.read_dir(root, dir, links),
            None => Dir::read(&root.join(dir), links).ok(),
        };
        self.take_in(root, dir, read, rc)
    }

    /// Keeps what a directory holds, with what TOML files and rc files add to it and take away.
    fn take_in(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        mut read: Option<Dir>,
        rc: &mut dyn RcReader,
    ) -> Option<Rc<Dir>> {
        if !dir.is_empty() {
            self.add_toml_versions(root, dir, &mut read, rc);
            if rc.config().names_make_directories {
                self.add_named_directories(root, dir, &mut read, rc.config());
            }
        }
        let read = read.map(Rc::new);
        self.root(root).dirs.insert(dir.to_owned(), read.clone());
        if let Some(known) = &read
            && !dir.is_empty()
        {
            for (at, _) in dir.match_indices('/') {
                self.pass(root, &dir[..at], rc);
            }
            if !self.root(root).passed.contains_key(dir) {
                self.read_markers(root, dir, known, rc);
            }
        }
        self.leave_out(root, dir, read, rc.config())
    }

    /// A directory without those of its entries that are to be ignored; its own rc files have been read.
    fn leave_out(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        read: Option<Rc<Dir>>,
        config: &Config,
    ) -> Option<Rc<Dir>> {
        let known = read?;
        if !self.leaves_out(root, config) {
            return Some(known);
        }
        let mut kept = Dir::clone(&known);
        kept.children.retain(|name, child| {
            let (file_name, kind) = match child {
                Child::Dir => (name, Kind::Dir),
                Child::File(file) => (file.file_name.as_str(), Kind::File),
            };
            // A version that a TOML file beside the directory describes is no file here.
            file_name.starts_with("../")
                || !self.is_left_out(root, &joined(dir, file_name), kind, config)
        });
        let kept = Rc::new(kept);
        (self.root(root).dirs).insert(dir.to_owned(), Some(Rc::clone(&kept)));
        Some(kept)
    }

    /// Whether anything of a modulepath is to be ignored.
    fn leaves_out(&mut self, root: &Utf8Path, config: &Config) -> bool {
        let by_rc = config.modulepath_ignore
            && self
                .scopes(root, config)
                .any(|facts| !facts.ignored.is_empty());
        by_rc || !self.file_patterns(config).is_empty()
    }

    /// Whether an entry of a modulepath is to be ignored.
    fn is_left_out(&mut self, root: &Utf8Path, path: &str, kind: Kind, config: &Config) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        if self.file_patterns(config).iter().any(|p| p.is_match(name)) {
            return true;
        }
        let scopes = self.scopes(root, config).rev();
        let patterns = scopes.flat_map(|facts| &facts.ignored);
        config.modulepath_ignore && is_ignored_path(patterns, path, kind == Kind::Dir)
    }

    /// The patterns of the setting for names of files that are none of modules.
    fn file_patterns(&mut self, config: &Config) -> &[LuaPattern] {
        let warnings = &mut self.warnings;
        self.file_patterns.get_or_insert_with(|| {
            lua_patterns(&config.file_ignore_patterns).unwrap_or_else(|reason| {
                let warning = Diagnostic::new(DiagnosticKind::Site, reason);
                warnings.push(warning.note("in the setting `file_ignore_patterns`"));
                Vec::new()
            })
        })
    }

    /// The directory `path` (`bio/bowtie`), if it is one on disk that can be a part of a name; the one above it is not
    /// listed for that.
    pub(crate) fn real_dir(
        &mut self,
        root: &Utf8Path,
        path: &str,
        rc: &mut dyn RcReader,
    ) -> Option<Rc<Dir>> {
        if let Some(known) = self.root(root).dirs.get(path) {
            return known.clone();
        }
        // `default` may be a link that marks a version.
        let is_name = |word: &str| !is_ignored(word) && word != "default";
        if !path.split('/').all(is_name) || self.is_left_out(root, path, Kind::Dir, rc.config()) {
            return None;
        }
        // Whoever asks will want to know what is in it: reading it at once saves a question to the file system.
        let read = Dir::read(&root.join(path), rc.config().default_links).ok()?;
        self.take_in(root, path, Some(read), rc)
    }

    /// Reads the markers of a directory without listing it, which may be long; whether it bears any.
    fn pass(&mut self, root: &Utf8Path, dir: &str, rc: &mut dyn RcReader) -> bool {
        if let Some(known) = self.root(root).dirs.get(dir) {
            return known.as_ref().is_some_and(|dir| dir.markers.any());
        }
        if let Some(known) = self.root(root).passed.get(dir) {
            return *known;
        }
        let path = root.join(dir);
        let link = rc
            .config()
            .default_links
            .then(|| link_target(&path.join("default")))
            .flatten();
        let mut any = link.is_some();
        if let Some(link) = link {
            self.mark_by_link(root, dir, link);
        }
        for name in RC_FILES {
            if any && rc.config().single_marker {
                break;
            }
            any |= self.read_rc(root, dir, &path.join(name), rc);
        }
        self.root(root).passed.insert(dir.to_owned(), any);
        any
    }

    /// The versions that `NAME.toml` beside the directory describes, added to those in it.
    fn add_toml_versions(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        read: &mut Option<Dir>,
        rc: &mut dyn RcReader,
    ) {
        if !self.may_have_toml(root, dir) {
            return;
        }
        let file = Utf8PathBuf::from(format!("{root}/{dir}.toml"));
        let entries = self.toml_entries(root, dir, &file, rc);
        let file_name = || format!("../{}", file.file_name().unwrap_or_default());
        for version in entries.iter().filter_map(|entry| entry.version.as_ref()) {
            let child = Child::File(FileChild {
                file_name: file_name(),
                language: Some(Language::Toml),
                begins: None,
            });
            let dir = read.get_or_insert_with(Dir::default);
            dir.children.add(version, child);
        }
    }

    /// What rc files put below a name that is no directory on disk, or below names in one.
    fn add_named_directories(
        &self,
        root: &Utf8Path,
        dir: &str,
        read: &mut Option<Dir>,
        config: &Config,
    ) {
        let prefix = format!("{dir}/");
        for facts in self.scopes(root, config) {
            let names = facts.aliases.range(prefix.clone()..);
            for (name, alias) in names.take_while(|(name, _)| name.starts_with(&prefix)) {
                if alias.kind == AliasKind::Symbol {
                    continue;
                }
                let known = read.get_or_insert_with(Dir::default);
                if let Some((below, _)) = name[prefix.len()..].split_once('/') {
                    known.children.add(below, Child::Dir);
                }
            }
        }
    }

    /// What an entry of a directory is: a TOML file that describes several versions is as good as a directory.
    pub(crate) fn resolve_child(
        &mut self,
        root: &Utf8Path,
        full_name: &str,
        child: &Child,
        rc: &mut dyn RcReader,
    ) -> Child {
        match child {
            Child::File(file)
                if file.language == Some(Language::Toml)
                    && !file.file_name.starts_with("../")
                    && self.dir(root, full_name, rc).is_some() =>
            {
                Child::Dir
            }
            other => other.clone(),
        }
    }

    /// Whether there may be a TOML file beside a directory: where the directory above was listed, that is known.
    fn may_have_toml(&mut self, root: &Utf8Path, dir: &str) -> bool {
        let (above, name) = dir.rsplit_once('/').unwrap_or(("", dir));
        match self.root(root).dirs.get(above) {
            Some(Some(above)) => {
                above.toml_beside.contains(name)
                    || matches!(above.children.get(name), Some(Child::File(file)) if file.language == Some(Language::Toml))
            }
            Some(None) | None => true,
        }
    }

    /// What the rc files of a modulepath itself say.
    pub(crate) fn own_facts(&mut self, root: &Utf8Path) -> &Facts {
        &self.root(root).facts
    }

    /// What a TOML file says about the versions it describes. The statements are kept as those of an rc file beside it.
    fn toml_entries(
        &mut self,
        root: &Utf8Path,
        name: &str,
        file: &Utf8Path,
        rc: &mut dyn RcReader,
    ) -> Rc<Vec<VersionEntry>> {
        if let Some(known) = self.root(root).toml.get(name) {
            return Rc::clone(known);
        }
        let entries = match modulefile::read(file) {
            Ok(source) => {
                self.root(root).toml_files.insert(name.to_owned());
                if let Some(surveying) = &mut self.surveying {
                    surveying.file(root, file);
                }
                (self.sources).insert(file.to_owned(), Arc::clone(&source));
                match versions_of(&source) {
                    Ok(entries) => entries,
                    // Whoever loads the module is told; listings only lack what the file would say.
                    Err(mistake) => {
                        self.warnings.push(mistake);
                        Vec::new()
                    }
                }
            }
            Err(_) => Vec::new(),
        };
        let entries = Rc::new(entries);
        (self.root(root).toml).insert(name.to_owned(), Rc::clone(&entries));
        for entry in entries.iter().filter(|entry| !entry.is_plain()) {
            let full_name = match &entry.version {
                Some(version) => format!("{name}/{version}"),
                None => name.to_owned(),
            };
            for directive in entry.directives(&full_name) {
                self.add(root, directive, "", root, file, rc.config());
            }
        }
        entries
    }

    /// Reads what the TOML files of a directory say about themselves: which is the default, which are hidden.
    pub(crate) fn read_toml_facts(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        children: &Children,
        rc: &mut dyn RcReader,
    ) {
        for (name, child) in children.iter() {
            if let Child::File(file) = child
                && file.language == Some(Language::Toml)
                && !file.file_name.starts_with("../")
                && self.is_surveyed(dir, name)
            {
                let path = root.join(dir).join(&file.file_name);
                self.toml_entries(root, &joined(dir, name), &path, rc);
            }
        }
    }

    /// What bears `name` directly in the modulepath. The modulepath is not listed: it may hold thousands of names.
    pub fn top(&mut self, root: &Utf8Path, name: &str, rc: &mut dyn RcReader) -> Option<Child> {
        if let Some(known) = self.root(root).tops.get(name) {
            return known.clone();
        }
        let found = if is_ignored(name) {
            None
        } else if self.dir(root, name, rc).is_some() {
            Some(Child::Dir)
        } else {
            [".toml", ".lua", ""].iter().find_map(|ending| {
                let file_name = format!("{name}{ending}");
                let is_file = match *ending {
                    // Was opened a moment ago, to see whether it describes several versions.
                    ".toml" => self.root(root).toml_files.contains(name),
                    _ => std::fs::metadata(root.join(&file_name)).is_ok_and(|m| m.is_file()),
                };
                let is_file =
                    is_file && !self.is_left_out(root, &file_name, Kind::File, rc.config());
                is_file.then(|| {
                    Child::File(FileChild {
                        language: Language::of_name(&file_name),
                        file_name,
                        begins: None,
                    })
                })
            })
        };
        self.root(root).tops.insert(name.to_owned(), found.clone());
        found
    }

    /// The file of a module of the modulepath that is named in full.
    pub(crate) fn file_named(
        &mut self,
        root: &Utf8Path,
        full_name: &str,
        rc: &mut dyn RcReader,
    ) -> Option<Utf8PathBuf> {
        let (dir, child) = match full_name.rsplit_once('/') {
            Some((dir, name)) => (dir, self.dir(root, dir, rc)?.children.get(name)?.clone()),
            None => ("", self.top(root, full_name, rc)?),
        };
        match child {
            Child::File(file) => Some(file_path(root, dir, &file)),
            Child::Dir => None,
        }
    }

    pub(super) fn root(&mut self, root: &Utf8Path) -> &mut Root {
        self.known.get_or_default(root)
    }

    /// How many parts of `full_name` belong to the name; the rest is the version.
    pub fn name_parts(&mut self, root: &Utf8Path, full_name: &str, rc: &mut dyn RcReader) -> usize {
        let parts = full_name.split('/').count();
        if rc.config().name_split == NameSplit::LastSlash {
            return parts.saturating_sub(1).max(1);
        }
        let fixed = max_depth(&rc.config().max_depth, root);
        let ends: Vec<usize> = full_name.match_indices('/').map(|(at, _)| at).collect();
        let last = ends.len().saturating_sub(1);
        for (index, end) in ends.into_iter().enumerate() {
            let dir = &full_name[..end];
            // All but the last hold a directory: only a marker makes them end the name.
            let ends_name = match index == last {
                true => self.dir(root, dir, rc).is_some_and(|dir| dir.ends_name()),
                false => self.pass(root, dir, rc),
            };
            if ends_name || fixed == Some(index + 1) {
                return index + 1;
            }
        }
        parts
    }

    /// Whether a file is a modulefile: its name tells, or its first bytes.
    pub(super) fn is_listed(
        &mut self,
        root: &Utf8Path,
        file: &Utf8Path,
        child: &FileChild,
        rc: &dyn RcReader,
    ) -> bool {
        if child.language.is_some() {
            return true;
        }
        if !rc.config().allow_tcl {
            return false;
        }
        let begins = child.begins.unwrap_or_else(|| begins_as_modulefile(file));
        if begins == Begins::Unclear
            && let Some(surveying) = &mut self.surveying
        {
            surveying.file(root, file);
        }
        begins == Begins::AsModulefile
    }

    /// The same for a file that probably will be loaded: a text that has to be read is kept.
    pub(crate) fn is_loadable(
        &mut self,
        file: &Utf8Path,
        child: &FileChild,
        config: &Config,
    ) -> bool {
        if child.language.is_some() || self.sources.contains_key(file) {
            return true;
        }
        if self.surveying.is_some() {
            let begins = child.begins.unwrap_or_else(|| begins_as_modulefile(file));
            return config.allow_tcl && begins == Begins::AsModulefile;
        }
        if !config.allow_tcl {
            return false;
        }
        match modulefile::read_beginning_with(file, COOKIE) {
            Some(source) => {
                self.sources.insert(file.to_owned(), source);
                true
            }
            None => false,
        }
    }
}

/// Who marked a default; a higher one counts more. A module without version lies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Not marked.
    Plain,
    /// A module without version.
    Meta,
    /// Marked in the modulepath.
    Tree,
    /// Marked by the site's rc file.
    System,
    /// Marked by the user's rc file.
    User,
}

/// `dir/child`, or `child` alone in the modulepath itself.
pub(crate) fn joined(dir: &str, child: &str) -> String {
    if dir.is_empty() {
        child.to_owned()
    } else {
        format!("{dir}/{child}")
    }
}

/// The path of a file of a directory.
pub(crate) fn file_path(root: &Utf8Path, dir: &str, file: &FileChild) -> Utf8PathBuf {
    match file.file_name.strip_prefix("../") {
        Some(beside) => match dir.rsplit_once('/') {
            Some((parent, _)) => root.join(parent).join(beside),
            None => root.join(beside),
        },
        None if dir.is_empty() => root.join(&file.file_name),
        None => Utf8PathBuf::from(format!("{root}/{dir}/{}", file.file_name)),
    }
}

/// How a Tcl modulefile begins.
const COOKIE: &[u8] = b"#%Module";

/// How a file begins.
pub(super) fn begins_as_modulefile(file: &Utf8Path) -> Begins {
    let mut start = [0; COOKIE.len()];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Ok(()) if start == COOKIE => Begins::AsModulefile,
        Ok(()) => Begins::Otherwise,
        Err(_) => Begins::Unclear,
    }
}

/// The depth that `max_depth` (`DIR:DEPTH;...`) gives for a modulepath.
fn max_depth(setting: &str, root: &Utf8Path) -> Option<usize> {
    setting.split(';').find_map(|item| {
        let (dir, depth) = item.rsplit_once(':')?;
        let same = dir.trim().trim_end_matches('/') == root.as_str().trim_end_matches('/');
        same.then(|| depth.trim().parse().ok()).flatten()
    })
}
