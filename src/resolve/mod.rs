//! From what was asked for to a modulefile.
//!
//! `NAME/VERSION` looks at the few places that can hold it; `NAME` reads one directory of each modulepath. Nothing else of
//! a tree is touched, however large it is; one price of that is named in `docs/migrate/differences.md` (an rc file
//! speaks about names below it).
//!
//! Source: Lmod user guide "How Lmod picks a module"; `module(1)` "Module names"; `modulefile(4)`.

mod beyond;
mod error;
mod misses;

use camino::{Utf8Path, Utf8PathBuf};

pub use beyond::{Beyond, Elsewhere, Provider};
pub use error::ResolveError;

use crate::config::{Config, IgnoreCase};
use crate::diag::Diagnostic;
use crate::modulefile::relation::Hiding;
use crate::name::{Spec, VersionKey, Versions, automatic_symbol};
use crate::tree::{
    AliasKind, Child, Choice, Chosen, FileChild, Forbidden, NearlyForbidden, Rank, RcReader, Roots,
    Subject, Verdict, Want, file_path, is_ignored, joined,
};

/// How many aliases may stand for one another.
const MAX_ALIASES: usize = 32;

/// A module that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Name without version: `gcc`, `bio/bowtie`; the path of a file that was named by its place.
    pub name: String,
    /// Version; `None` for a module without one.
    pub version: Option<String>,
    /// Its file.
    pub file: Utf8PathBuf,
    /// The modulepath it was found in; empty for a file outside.
    pub modulepath: Utf8PathBuf,
    /// How it was asked for, completed: `gcc` stays, `gcc/12` becomes `gcc/12.3`, aliases are resolved.
    pub requested: String,
    /// The names that led here, and (by setting) those that stand for the module: aliases, symbolic versions.
    pub alternatives: Vec<String>,
    /// The variants that were asked for.
    pub variants: Vec<(String, String)>,
    /// How well it is hidden.
    pub hiding: Option<Hiding>,
    /// Not shown by `list` either.
    pub hidden_loaded: bool,
    /// Why it cannot be loaded; [`Resolver::resolve`] never returns such a module.
    pub forbidden: Option<Forbidden>,
    /// From when on it cannot be loaded, if that is soon.
    pub nearly_forbidden: Option<NearlyForbidden>,
    /// Its tags from rc files.
    pub tags: Vec<String>,
    /// What people are told who use it.
    pub warnings: Vec<String>,
}

impl Found {
    /// `name/version`, or the name alone.
    pub fn full_name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}/{version}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Finds modules in the modulepaths of a run.
#[derive(Debug, Default)]
pub struct Resolver {
    roots: Roots,
}

/// Where the words of a request lead in one modulepath.
struct Spot {
    root: Utf8PathBuf,
    place: Place,
    /// How many words belong to the name.
    name_parts: usize,
    /// The directory holds directories: versions with several parts.
    nested: bool,
}

/// What lies there.
enum Place {
    /// The file that was named in full.
    File {
        full_name: String,
        file: Utf8PathBuf,
        child: FileChild,
    },
    /// A directory whose default is meant.
    Dir(String),
    /// A directory, and a word that is no entry of it.
    Incomplete { dir: String, word: String },
}

impl Resolver {
    /// Nothing is read until something is asked for.
    pub fn new(modulepaths: Vec<Utf8PathBuf>) -> Resolver {
        Resolver {
            roots: Roots::new(modulepaths),
        }
    }

    /// Sets the modulepaths, in the order of `MODULEPATH`; call it whenever that variable changes.
    pub fn set_modulepaths(&mut self, modulepaths: Vec<Utf8PathBuf>) {
        self.roots.set_modulepaths(modulepaths);
    }

    /// The modulepaths in force.
    pub fn modulepaths(&self) -> &[Utf8PathBuf] {
        self.roots.modulepaths()
    }

    /// Forgets the site's and the user's rc files; call it when the setting that names them changes.
    pub fn forget_global_rc(&mut self) {
        self.roots.forget_global();
    }

    /// The trees behind the resolver, for listings.
    pub fn roots(&mut self) -> &mut Roots {
        &mut self.roots
    }

    /// Takes the mistakes that were found in rc files so far: warnings for people.
    pub fn take_warnings(&mut self) -> Vec<Diagnostic> {
        self.roots.take_warnings()
    }

    /// The module that a load of `spec` means.
    ///
    /// # Errors
    /// There is none, or it is forbidden.
    pub fn resolve(&mut self, spec: &Spec, rc: &mut dyn RcReader) -> Result<Found, ResolveError> {
        let found = self.find(spec, rc)?;
        match found.forbidden {
            Some(forbidden) => Err(ResolveError::Forbidden {
                full_name: match &found.version {
                    Some(version) => format!("{}/{version}", found.name),
                    None => found.name,
                },
                message: forbidden.message,
            }),
            None => Ok(found),
        }
    }

    /// The module that `spec` means, even one that is forbidden: for `help`, `whatis`, `path`.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&mut self, spec: &Spec, rc: &mut dyn RcReader) -> Result<Found, ResolveError> {
        let plain = spec.as_plain();
        let as_it_is = match &plain {
            Some(plain) if rc.config().at_in_names => self.find_name(plain, rc).ok(),
            _ => None,
        };
        if let Some(found) = as_it_is {
            return Ok(found);
        }
        let mut found = match self.find_name(spec, rc) {
            // A name may hold the characters of specifications.
            Err(error @ ResolveError::NotFound { .. }) => match &plain {
                Some(plain) if !rc.config().at_in_names => {
                    self.find_name(plain, rc).map_err(|_| error)?
                }
                _ => return Err(error),
            },
            other => other?,
        };
        found.variants = spec.variants.clone();
        if let Some(range) = spec.as_range() {
            found.requested = range.to_owned();
        }
        Ok(found)
    }

    fn find_name(&mut self, spec: &Spec, rc: &mut dyn RcReader) -> Result<Found, ResolveError> {
        if spec.is_file() {
            return self.find_file(spec, rc);
        }
        if spec.versions == Versions::Loaded {
            return Err(ResolveError::NotLoaded {
                name: spec.path.clone(),
            });
        }
        let mut path = spec.path.clone();
        let mut versions = spec.versions.clone();
        let mut alternatives = Vec::new();
        // A virtual module keeps its name, whatever is behind it.
        let mut own_name: Option<String> = None;
        let mut marked = None;
        for _ in 0..MAX_ALIASES {
            match self.step(&path, &versions, rc)? {
                Step::Alias(target) => {
                    // What `latest` stands for is known now; a range goes on to hold.
                    if versions == Versions::Latest {
                        versions = Versions::AsWritten;
                    }
                    alternatives.push(std::mem::replace(&mut path, target));
                }
                Step::Marked(target) => {
                    versions = Versions::AsWritten;
                    marked = Some(target.clone());
                    alternatives.push(std::mem::replace(&mut path, target));
                }
                Step::Virtual(target) => {
                    own_name.get_or_insert(std::mem::replace(&mut path, target));
                }
                Step::Module(root, mut chosen) => {
                    if let Some(name) = own_name {
                        chosen.full_name.clone_from(&name);
                        path = name;
                    }
                    return Ok(self.describe(&root, chosen, &path, alternatives, rc));
                }
                // The name that a mark led to is the one that is missing.
                Step::Nothing => {
                    let missing = marked.and_then(|name| Spec::plain(&name).ok());
                    let spec = missing.unwrap_or_else(|| spec.clone());
                    return Err(ResolveError::NotFound { spec });
                }
            }
        }
        Err(ResolveError::Loop {
            name: spec.path.clone(),
        })
    }

    /// One step towards a module: what `path` stands for, or where it is.
    fn step(
        &mut self,
        path: &str,
        versions: &Versions,
        rc: &mut dyn RcReader,
    ) -> Result<Step, ResolveError> {
        let full_name_first = rc.config().full_name_first;
        let mut spots = Vec::new();
        let mut not_modulefile = None;
        let mut ways = Vec::new();
        for root in self.roots.modulepaths().to_vec() {
            self.roots.read_root_rc(&root, rc);
            let spellings = self.spellings(&root, path, rc);
            ways.extend(spellings.into_iter().map(|path| (root.clone(), path)));
        }
        for (root, path) in ways {
            let spot = self.locate(&root, &path, rc);
            if let Some(step) = self.alias_step(&root, &path, versions, rc.config()) {
                return Ok(step);
            }
            let Some(spot) = spot else {
                continue;
            };
            if let Place::File {
                full_name,
                file,
                child,
            } = &spot.place
                && *versions == Versions::AsWritten
            {
                if self.is_hard_hidden(&root, &spot, full_name, file, rc) {
                    continue;
                }
                if !self.roots.is_loadable(file, child, rc.config()) {
                    let error = not_loadable(file);
                    if !full_name_first {
                        return Err(error);
                    }
                    not_modulefile.get_or_insert(error);
                    continue;
                }
                let has_version = spot.name_parts < full_name.split('/').count();
                if has_version || !full_name_first {
                    return Ok(Step::Module(root, exact(full_name, file)));
                }
            }
            if !full_name_first {
                match self.answer(&spot, versions, rc) {
                    Choice::Module(chosen) => return Ok(Step::Module(root, chosen)),
                    Choice::Name(name) => return Ok(Step::Marked(name)),
                    Choice::NoDefault => return Err(no_default(&path)),
                    Choice::Nothing => continue,
                }
            }
            spots.push(spot);
        }
        match (self.best(path, spots, versions, rc)?, not_modulefile) {
            (Step::Nothing, Some(error)) => Err(error),
            (step, _) => Ok(step),
        }
    }

    /// The names of a modulepath that `path` may mean: itself, and where upper and lower case are the same, all that are
    /// written in another way, the highest first.
    fn spellings(&mut self, root: &Utf8Path, path: &str, rc: &mut dyn RcReader) -> Vec<String> {
        if rc.config().ignore_case != IgnoreCase::Always {
            return vec![path.to_owned()];
        }
        let mut found = vec![String::new()];
        let mut words = path.split('/').peekable();
        while let Some(word) = words.next() {
            let same = |name: &&String| name.to_lowercase() == word.to_lowercase();
            let mut longer = Vec::new();
            for dir in &found {
                let Some(read) = self.roots.dir(root, dir, rc) else {
                    continue;
                };
                let count = longer.len();
                let names = read.children.keys().filter(same);
                longer.extend(names.map(|name| joined(dir, name)));
                // The beginning of a version.
                if longer.len() == count && words.peek().is_none() {
                    longer.push(joined(dir, word));
                }
            }
            found = longer;
        }
        let aliases = self.roots.scopes(root, rc.config());
        let aliases = aliases.flat_map(|facts| facts.aliases.keys());
        let same = |name: &&String| name.to_lowercase() == path.to_lowercase();
        found.extend(aliases.filter(same).cloned());
        found.push(path.to_owned());
        let order = rc.config().version_order;
        found.sort_by(|a, b| order.compare(b, a).then_with(|| b.cmp(a)));
        found.dedup();
        found
    }

    /// The best answer of all modulepaths, or that of the first one where the setting or the layout says so.
    fn best(
        &mut self,
        path: &str,
        mut spots: Vec<Spot>,
        versions: &Versions,
        rc: &mut dyn RcReader,
    ) -> Result<Step, ResolveError> {
        let longest = spots.iter().map(|spot| spot.name_parts).max().unwrap_or(0);
        spots.retain(|spot| spot.name_parts == longest);
        let first = rc.config().find_first || spots.iter().any(|spot| spot.nested);
        let mut best: Option<(Utf8PathBuf, Chosen)> = None;
        let mut undecided = false;
        for spot in spots {
            match self.answer(&spot, versions, rc) {
                Choice::Module(chosen) if first => return Ok(Step::Module(spot.root, chosen)),
                Choice::Name(name) if first => return Ok(Step::Marked(name)),
                Choice::Module(chosen) => {
                    if best
                        .as_ref()
                        .is_none_or(|(_, known)| chosen.weight() > known.weight())
                    {
                        best = Some((spot.root, chosen));
                    }
                }
                Choice::NoDefault => undecided = true,
                // What leads elsewhere cannot be compared.
                Choice::Nothing | Choice::Name(_) => {}
            }
        }
        match best {
            Some((root, chosen)) => Ok(Step::Module(root, chosen)),
            None if undecided => Err(no_default(path)),
            None => Ok(Step::Nothing),
        }
    }

    /// What one modulepath answers to a request that is not a full name.
    fn answer(&mut self, spot: &Spot, versions: &Versions, rc: &mut dyn RcReader) -> Choice {
        let order = rc.config().version_order;
        match (&spot.place, versions) {
            (
                Place::File {
                    full_name, file, ..
                },
                Versions::AsWritten,
            ) => Choice::Module(Chosen {
                rank: Rank::Meta,
                ..exact(full_name, file)
            }),
            (Place::File { .. }, _) => Choice::Nothing,
            (Place::Dir(dir), Versions::AsWritten) if rc.config().exact_match => {
                match self.roots.choose(&spot.root, dir, Want::DEFAULT, rc) {
                    Choice::Module(chosen) if chosen.rank == Rank::Plain => Choice::NoDefault,
                    choice => choice,
                }
            }
            (Place::Dir(dir), Versions::AsWritten | Versions::Loaded) => {
                let want = Want {
                    revealed: if rc.config().dot_reveals {
                        dir.len()
                    } else {
                        0
                    },
                    ..Want::DEFAULT
                };
                self.roots.choose(&spot.root, dir, want, rc)
            }
            // It is a symbol that exists by itself, like the default.
            (Place::Dir(_), Versions::Latest)
                if rc.config().automatic_symbols && !rc.config().implicit_default =>
            {
                Choice::Nothing
            }
            (Place::Dir(dir), Versions::Latest) => {
                let want = Want {
                    marks: false,
                    ..Want::DEFAULT
                };
                self.roots.choose(&spot.root, dir, want, rc)
            }
            (Place::Dir(dir), constraint) => {
                let want = Want {
                    accepts: &|version| constraint.accepts(version, order),
                    names: &|version| constraint.names(version),
                    hidden_marks: rc.config().hidden_default_in_ranges,
                    absent_marks: false,
                    ..Want::DEFAULT
                };
                self.roots.choose(&spot.root, dir, want, rc)
            }
            (Place::Incomplete { dir, word }, Versions::AsWritten) => {
                self.complete(&spot.root, dir, word, rc)
            }
            (Place::Incomplete { .. }, _) => Choice::Nothing,
        }
    }

    /// The module that an incomplete version means.
    fn complete(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        word: &str,
        rc: &mut dyn RcReader,
    ) -> Choice {
        let config = rc.config();
        if config.automatic_symbols && config.implicit_default && word == "latest" {
            let want = Want {
                marks: false,
                ..Want::DEFAULT
            };
            return self.roots.choose(root, dir, want, rc);
        }
        if config.dot_hidden_alias
            && let Some(chosen) = self.dotted(root, dir, word, rc)
        {
            return Choice::Module(chosen);
        }
        let config = rc.config();
        if !config.extended_default || config.exact_match {
            return Choice::Nothing;
        }
        let ignore_case = config.ignore_case == IgnoreCase::Always;
        let separators = config.extended_separators.clone();
        let open = config.extended_prefix
            && word.ends_with(|c: char| c.is_ascii_alphabetic() || separators.contains(c));
        let begins = |version: &str| {
            let lower = ignore_case.then(|| (version.to_lowercase(), word.to_lowercase()));
            let (version, word) = match &lower {
                Some((version, word)) => (version.as_str(), word.as_str()),
                None => (version, word),
            };
            version.strip_prefix(word).is_some_and(|rest| {
                open && !rest.is_empty() || rest.starts_with(|c| separators.contains(c))
            })
        };
        let want = Want {
            accepts: &begins,
            hidden_marks: rc.config().hidden_default_in_ranges,
            absent_marks: false,
            revealed: if rc.config().dot_reveals {
                dir.len() + 1 + word.len()
            } else {
                0
            },
            ..Want::DEFAULT
        };
        self.roots.choose(root, dir, want, rc)
    }

    /// The only version of a directory that is `word` behind a dot.
    fn dotted(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        word: &str,
        rc: &mut dyn RcReader,
    ) -> Option<Chosen> {
        let read = self.roots.dir(root, dir, rc)?;
        let hidden = format!(".{word}");
        match read.children.get(&hidden)? {
            Child::File(file) => {
                let full_name = joined(dir, &hidden);
                Some(exact(&full_name, &file_path(root, dir, file)))
            }
            Child::Dir => None,
        }
    }

    /// Whether a rule says that a file does not exist.
    fn is_hard_hidden(
        &self,
        root: &Utf8Path,
        spot: &Spot,
        full_name: &str,
        file: &Utf8Path,
        rc: &dyn RcReader,
    ) -> bool {
        let subject = Subject {
            name: first_parts(full_name, spot.name_parts),
            full_name,
            file,
        };
        self.roots.verdict(root, &subject, 0, rc).hiding == Some(Hiding::Hard)
    }

    /// What rc files say that `path` stands for.
    fn alias_step(
        &self,
        root: &Utf8Path,
        path: &str,
        versions: &Versions,
        config: &Config,
    ) -> Option<Step> {
        // `foo@latest` is the symbol where the site defines one.
        let symbol = (*versions == Versions::Latest).then(|| joined(path, "latest"));
        let alias = match &symbol {
            Some(symbol) => self.roots.alias(root, symbol, config)?,
            None => self.roots.alias(root, path, config)?,
        };
        if alias.kind == AliasKind::Virtual && alias.target.starts_with('/') {
            return Some(Step::Module(
                root.to_owned(),
                exact(path, Utf8Path::new(&alias.target)),
            ));
        }
        Some(match alias.kind {
            AliasKind::Virtual => Step::Virtual(alias.target.clone()),
            AliasKind::Alias | AliasKind::Symbol => Step::Alias(alias.target.clone()),
        })
    }

    /// Where the words of `path` lead in one modulepath.
    fn locate(&mut self, root: &Utf8Path, path: &str, rc: &mut dyn RcReader) -> Option<Spot> {
        let path = path.strip_suffix("/default").map_or(path, |name| {
            // A file or a directory may really bear that name.
            let real = self.lookup(root, path, rc);
            if real.is_some() { path } else { name }
        });
        let (dir, found, rest) = self.descend(root, path, rc)?;
        let place = match (found, rest) {
            (Child::File(file), None) => {
                let (parent, _) = dir.rsplit_once('/').unwrap_or(("", &dir));
                Place::File {
                    file: file_path(root, parent, &file),
                    full_name: dir,
                    child: file,
                }
            }
            (Child::Dir, None) => Place::Dir(dir),
            (Child::Dir, Some(word)) => Place::Incomplete { dir, word },
            (Child::File(_), Some(_)) => return None,
        };
        let (name_parts, nested) = match &place {
            Place::File { full_name, .. } => (self.roots.name_parts(root, full_name, rc), false),
            Place::Dir(dir) | Place::Incomplete { dir, .. } => {
                let parts = dir.split('/').count();
                let name_parts = self.roots.name_parts(root, &format!("{dir}/."), rc);
                let category = name_parts > parts;
                if category && !rc.config().category_default {
                    return None;
                }
                let read = self.roots.dir(root, dir, rc)?;
                let nested = read.children.values().any(|child| *child == Child::Dir);
                (name_parts, nested || name_parts < parts)
            }
        };
        Some(Spot {
            root: root.to_owned(),
            place,
            name_parts,
            nested,
        })
    }

    fn lookup(&mut self, root: &Utf8Path, path: &str, rc: &mut dyn RcReader) -> Option<Child> {
        match self.descend(root, path, rc)? {
            (_, child, None) => Some(child),
            _ => None,
        }
    }

    /// Where the words of `path` lead: how far, what is there, and the last word where it is no entry. Only the last
    /// directory on the way is listed.
    fn descend(
        &mut self,
        root: &Utf8Path,
        path: &str,
        rc: &mut dyn RcReader,
    ) -> Option<(String, Child, Option<String>)> {
        if path.split('/').any(is_ignored) {
            return None;
        }
        let Some((above, word)) = path.rsplit_once('/') else {
            let child = self.roots.top(root, path, rc)?;
            return Some((path.to_owned(), child, None));
        };
        // A directory is known by itself: the one above it may hold thousands of names.
        if self.roots.real_dir(root, path, rc).is_some() {
            return Some((path.to_owned(), Child::Dir, None));
        }
        let read = self.roots.dir(root, above, rc)?;
        let known = read.children.get_key_value(word);
        match known {
            Some((name, child)) => {
                let here = joined(above, name);
                let child = self.roots.resolve_child(root, &here, child, rc);
                Some((here, child, None))
            }
            None => Some((above.to_owned(), Child::Dir, Some(word.to_owned()))),
        }
    }

    /// A file that was named by its place.
    fn find_file(&mut self, spec: &Spec, rc: &mut dyn RcReader) -> Result<Found, ResolveError> {
        let not_found = || ResolveError::NotFound { spec: spec.clone() };
        if !rc.config().load_files {
            return Err(not_found());
        }
        let start = rc.session().cwd().cloned().unwrap_or_else(|| "/".into());
        let file = normal(&start.join(&spec.path));
        if !file.is_file() {
            return Err(not_found());
        }
        // Inside a modulepath it has a name.
        for root in self.roots.modulepaths().to_vec() {
            if let Ok(inside) = file.strip_prefix(&root) {
                self.roots.read_root_rc(&root, rc);
                let name = inside.as_str();
                let bare = name
                    .strip_suffix(".lua")
                    .or_else(|| name.strip_suffix(".toml"));
                let full_name = bare.unwrap_or(name).to_owned();
                let chosen = exact(&full_name, &file);
                return Ok(self.describe(&root, chosen, &full_name, Vec::new(), rc));
            }
        }
        Ok(Found {
            name: file.to_string(),
            requested: file.to_string(),
            file,
            ..Found::default()
        })
    }

    /// All that is known of a chosen module.
    fn describe(
        &mut self,
        root: &Utf8Path,
        chosen: Chosen,
        path: &str,
        mut alternatives: Vec<String>,
        rc: &mut dyn RcReader,
    ) -> Found {
        let Chosen {
            full_name, file, ..
        } = chosen;
        let parts = self.roots.name_parts(root, &full_name, rc);
        let name = first_parts(&full_name, parts).to_owned();
        let version = full_name.get(name.len() + 1..).map(str::to_owned);
        let subject = Subject {
            name: &name,
            full_name: &full_name,
            file: &file,
        };
        let verdict: Verdict = self.roots.verdict(root, &subject, 0, rc);
        if rc.config().loaded_symbols {
            for symbol in self.symbols_of(root, &full_name, rc) {
                if !alternatives.contains(&symbol) {
                    alternatives.push(symbol);
                }
            }
            if rc.config().automatic_symbols && rc.config().implicit_default {
                self.add_automatic_symbols(root, &full_name, &mut alternatives, rc);
            }
        }
        Found {
            requested: if path == name {
                name.clone()
            } else {
                full_name
            },
            name,
            version,
            file,
            modulepath: root.to_owned(),
            alternatives,
            variants: Vec::new(),
            hiding: verdict.hiding,
            hidden_loaded: verdict.hidden_loaded,
            forbidden: verdict.forbidden,
            nearly_forbidden: verdict.nearly_forbidden,
            tags: verdict.tags,
            warnings: verdict.warnings,
        }
    }

    /// The names that stand for a module: symbolic versions, aliases, and where it is the default of its directory also
    /// that.
    fn symbols_of(
        &mut self,
        root: &Utf8Path,
        full_name: &str,
        rc: &mut dyn RcReader,
    ) -> Vec<String> {
        let mut names = self.roots.names_for(root, full_name, rc.config());
        if let Some((dir, child)) = full_name.rsplit_once('/')
            && self
                .roots
                .marked_child(root, dir, rc)
                .is_some_and(|(marked, _)| marked == child)
        {
            names.push(joined(dir, "default"));
        }
        names
    }

    /// Who marked a module as the default of its directory.
    pub fn marked_by(
        &mut self,
        modulepath: &Utf8Path,
        full_name: &str,
        rc: &mut dyn RcReader,
    ) -> Rank {
        let Some((dir, child)) = full_name.rsplit_once('/') else {
            return Rank::Plain;
        };
        self.roots.read_root_rc(modulepath, rc);
        self.locate(modulepath, full_name, rc);
        match self.roots.marked_child(modulepath, dir, rc) {
            Some((marked, rank)) if marked == child => rank,
            _ => Rank::Plain,
        }
    }

    /// `default` and `latest` of the module's directory, where nobody has said what they stand for.
    fn add_automatic_symbols(
        &mut self,
        root: &Utf8Path,
        full_name: &str,
        names: &mut Vec<String>,
        rc: &mut dyn RcReader,
    ) {
        let Some((dir, _)) = full_name.rsplit_once('/') else {
            return;
        };
        for (symbol, marks) in [("default", true), ("latest", false)] {
            let name = joined(dir, symbol);
            let said =
                self.roots.alias(root, &name, rc.config()).is_some() || names.contains(&name);
            if said || marks && self.roots.marked_child(root, dir, rc).is_some() {
                continue;
            }
            let want = Want {
                marks,
                ..Want::DEFAULT
            };
            let chosen = self.roots.choose(root, dir, want, rc);
            if matches!(chosen, Choice::Module(chosen) if chosen.full_name == full_name) {
                names.push(automatic_symbol(symbol));
            }
        }
    }

    /// What the alias `name` stands for, as far as the rc files on the way to it say.
    pub fn alias_target(&mut self, name: &str, rc: &mut dyn RcReader) -> Option<String> {
        for root in self.roots.modulepaths().to_vec() {
            self.roots.read_root_rc(&root, rc);
            self.locate(&root, name, rc);
            if let Some(alias) = self.roots.alias(&root, name, rc.config()) {
                return Some(alias.target.clone());
            }
        }
        None
    }

    /// The symbolic versions that point at the module `full_name`, without its name: `default`, `stable`.
    pub fn symbols(&mut self, full_name: &str, rc: &mut dyn RcReader) -> Vec<String> {
        let mut symbols = Vec::new();
        for root in self.roots.modulepaths().to_vec() {
            self.roots.read_root_rc(&root, rc);
            self.locate(&root, full_name, rc);
            for name in self.symbols_of(&root, full_name, rc) {
                if let Some((dir, symbol)) = name.rsplit_once('/')
                    && full_name
                        .rsplit_once('/')
                        .is_some_and(|(own, _)| own == dir)
                    && !symbols.iter().any(|known| known == symbol)
                {
                    symbols.push(symbol.to_owned());
                }
            }
        }
        symbols
    }
}

/// What one step of resolving arrived at.
enum Step {
    /// Another name.
    Alias(String),
    /// What a directory's default is called: it lies elsewhere, or is yet to be completed.
    Marked(String),
    /// A module of its own, with the file of another.
    Virtual(String),
    /// A module of a modulepath.
    Module(Utf8PathBuf, Chosen),
    /// Nothing bears the name.
    Nothing,
}

/// A module that was named in full.
fn exact(full_name: &str, file: &Utf8Path) -> Chosen {
    Chosen {
        full_name: full_name.to_owned(),
        file: file.to_owned(),
        rank: Rank::Plain,
        key: VersionKey::Lmod(String::new()),
    }
}

/// Why a file is no modulefile.
fn not_loadable(file: &Utf8Path) -> ResolveError {
    let file = file.to_owned();
    match std::fs::File::open(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            ResolveError::Unreadable { file }
        }
        _ => ResolveError::NotModulefile { file },
    }
}

fn no_default(path: &str) -> ResolveError {
    ResolveError::NoDefault {
        name: path.to_owned(),
    }
}

/// The first `count` parts of a name.
fn first_parts(full_name: &str, count: usize) -> &str {
    full_name
        .match_indices('/')
        .nth(count.saturating_sub(1))
        .map_or(full_name, |(at, _)| &full_name[..at])
}

/// A path without `.` and `..`; links are not followed, as a shell's `cd` does.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.as_str().split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    Utf8PathBuf::from(format!("/{}", parts.join("/")))
}
