//! All modules of a modulepath, for listings and searches.
//!
//! Source: Lmod user guide "module avail"; `module(1)` avail.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::choose::{Choice, Chosen, Want};
use super::dir::Child;
use super::facts::{AliasKind, Forbidden, NearlyForbidden, Subject};
use super::rc::RcReader;
use super::roots::{MAX_DEPTH, Rank, Roots, file_path, joined};
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A module of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name without version.
    pub name: String,
    /// Name with version.
    pub full_name: String,
    /// Its file.
    pub file: Utf8PathBuf,
    /// Whether it is what its bare name means in all modulepaths together.
    pub is_default: bool,
    /// Whether somebody marked it as the default of its directory.
    pub is_marked: bool,
    /// Whether it is the only one of its name that is shown.
    pub is_alone: bool,
    /// Its symbolic versions, without the name.
    pub symbols: Vec<String>,
    /// How well it is hidden.
    pub hiding: Option<Hiding>,
    /// Not shown by `list` either.
    pub hidden_loaded: bool,
    /// Why it cannot be loaded.
    pub forbidden: Option<Forbidden>,
    /// From when on it cannot be loaded, if that is soon.
    pub nearly_forbidden: Option<NearlyForbidden>,
    /// Its tags from rc files.
    pub tags: Vec<String>,
    /// What people are told who use it.
    pub warnings: Vec<String>,
    /// Its place among the versions of its name.
    pub key: VersionKey,
}

impl Entry {
    /// The part behind the name; `None` for a module without version.
    pub fn version(&self) -> Option<&str> {
        self.full_name.get(self.name.len() + 1..)
    }

    /// Whether listings leave it out unless they are asked for what is hidden.
    pub fn is_hidden(&self) -> bool {
        self.hiding.is_some()
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
        if let Filter::Spec(spec, order) = self {
            return entry.name == spec.path
                && entry
                    .version()
                    .is_some_and(|version| spec.versions.accepts(version, *order));
        }
        self.accepts_name(&entry.name) || self.accepts_name(&entry.full_name)
    }

    /// Whether a name does.
    pub fn accepts_name(&self, name: &str) -> bool {
        match self {
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

impl Roots {
    /// All modulepaths with all their modules, hidden ones too (but for those that are as if they did not exist).
    pub fn list(&mut self, rc: &mut dyn RcReader) -> Vec<Tree> {
        let roots = self.modulepaths().to_vec();
        let mut trees: Vec<Tree> = roots.iter().map(|root| self.list_root(root, rc)).collect();
        self.mark_defaults(&mut trees, rc);
        trees
    }

    /// One modulepath with all its modules; defaults are not marked, they depend on the other modulepaths.
    fn list_root(&mut self, root: &Utf8Path, rc: &mut dyn RcReader) -> Tree {
        self.read_root_rc(root, rc);
        let mut found = Vec::new();
        self.walk(root, "", &mut Vec::new(), &mut found, rc);
        let mut symbols: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut aliases = Vec::new();
        for facts in self.scopes(root, rc.config()) {
            for (name, alias) in &facts.aliases {
                match alias.kind {
                    AliasKind::Alias => aliases.push((name.clone(), alias.target.clone())),
                    AliasKind::Symbol => {
                        let symbol = name.rsplit_once('/').map_or(name.as_str(), |(_, s)| s);
                        let known = symbols.entry(alias.target.clone()).or_default();
                        known.push(symbol.to_owned());
                    }
                    AliasKind::Virtual => {}
                }
            }
        }
        let files: BTreeMap<String, Utf8PathBuf> = found.iter().cloned().collect();
        for (name, alias) in &self.own_facts(root).aliases {
            if alias.kind == AliasKind::Virtual {
                let file = match alias.target.starts_with('/') {
                    true => Some(Utf8PathBuf::from(&alias.target)),
                    false => files.get(&alias.target).cloned(),
                };
                found.extend(file.map(|file| (name.clone(), file)));
            }
        }
        aliases.sort();
        aliases.dedup_by(|a, b| a.0 == b.0);
        let mut modules: Vec<Entry> = found
            .into_iter()
            .filter_map(|(full_name, file)| {
                let symbols = symbols.remove(&full_name).unwrap_or_default();
                self.entry(root, full_name, file, symbols, rc)
            })
            .collect();
        let order = rc.config().version_order;
        modules.sort_by(|a, b| {
            let names = match order {
                VersionOrder::Lmod => a.name.cmp(&b.name),
                VersionOrder::Dictionary => order.compare(&a.name, &b.name),
            };
            (names.then_with(|| a.key.cmp(&b.key))).then_with(|| a.full_name.cmp(&b.full_name))
        });
        let labels = self.scopes(root, rc.config());
        let label = labels
            .iter()
            .find_map(|facts| facts.labels.get(root).cloned());
        Tree {
            modulepath: root.to_owned(),
            label,
            modules,
            aliases,
            names: self.names(root, rc.config()),
        }
    }

    /// The names that stand for others; of several that are the same the weightiest.
    fn names(&self, root: &Utf8Path, config: &Config) -> Vec<Named> {
        let mut names: BTreeMap<String, Named> = BTreeMap::new();
        let own = self.own_scope(root);
        for facts in self.scopes(root, config) {
            let is_global = !own.is_some_and(|own| std::ptr::eq(own, facts));
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
            for named in aliases.chain(defaults) {
                names.entry(named.name.clone()).or_insert(named);
            }
        }
        names.into_values().collect()
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
        let late = self.walk_until.is_some_and(|until| Instant::now() > until);
        if late || dir.split('/').count() > MAX_DEPTH {
            return;
        }
        let Some(read) = self.dir(root, dir, rc) else {
            return;
        };
        self.read_toml_facts(root, dir, &read.children, rc);
        for (name, child) in &read.children {
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
                    if Roots::is_modulefile(&path, &file, rc.config()) {
                        found.push((full_name, path));
                    }
                }
            }
        }
    }

    fn entry(
        &mut self,
        root: &Utf8Path,
        full_name: String,
        file: Utf8PathBuf,
        symbols: Vec<String>,
        rc: &mut dyn RcReader,
    ) -> Option<Entry> {
        let parts = self.name_parts(root, &full_name, rc);
        let end = full_name.match_indices('/').nth(parts - 1);
        let name = full_name[..end.map_or(full_name.len(), |(at, _)| at)].to_owned();
        let subject = Subject {
            name: &name,
            full_name: &full_name,
            file: &file,
        };
        let verdict = self.verdict(root, &subject, 0, rc);
        if verdict.hiding == Some(Hiding::Hard) {
            return None;
        }
        let (dir, child) = full_name.rsplit_once('/').unwrap_or(("", &full_name));
        let is_marked =
            (self.marked_child(root, dir, rc)).is_some_and(|(marked, _)| marked == child);
        let version = full_name.get(name.len() + 1..).unwrap_or_default();
        Some(Entry {
            key: rc.config().version_order.key(version),
            name,
            file,
            is_default: false,
            is_marked,
            is_alone: false,
            symbols,
            hiding: verdict.hiding,
            hidden_loaded: verdict.hidden_loaded,
            forbidden: verdict.forbidden,
            nearly_forbidden: verdict.nearly_forbidden,
            tags: verdict.tags,
            warnings: verdict.warnings,
            full_name,
        })
    }

    /// Marks what bare names mean: the best of all modulepaths, or that of the first where the setting or the layout says
    /// so.
    fn mark_defaults(&mut self, trees: &mut [Tree], rc: &mut dyn RcReader) {
        let mut shown: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        for entry in trees.iter().flat_map(|tree| &tree.modules) {
            let versions = shown.entry(&entry.name).or_default();
            if !entry.is_hidden() || entry.is_marked {
                versions.insert(&entry.full_name);
            }
        }
        let names: Vec<(String, usize)> = shown
            .iter()
            .map(|(name, versions)| ((*name).to_owned(), versions.len()))
            .collect();
        let mut defaults: BTreeMap<String, (Utf8PathBuf, String, usize)> = BTreeMap::new();
        for (name, count) in names {
            let choices = self.choices_of(&name, trees, rc);
            if let Some((root, chosen)) = self.best_of(choices, &name, rc) {
                defaults.insert(name, (root, chosen.full_name, count));
            }
        }
        for tree in trees {
            for entry in &mut tree.modules {
                if let Some((root, full_name, count)) = defaults.get(&entry.name) {
                    entry.is_default = *root == tree.modulepath && *full_name == entry.full_name;
                    entry.is_alone = *count <= 1;
                }
            }
        }
    }

    /// What each modulepath takes for a bare name.
    fn choices_of(
        &mut self,
        name: &str,
        trees: &[Tree],
        rc: &mut dyn RcReader,
    ) -> Vec<(Utf8PathBuf, Chosen)> {
        let mut choices = Vec::new();
        for tree in trees {
            let start = tree
                .modules
                .partition_point(|entry| match rc.config().version_order {
                    VersionOrder::Lmod => entry.name.as_str() < name,
                    order => order.compare(&entry.name, name).is_lt(),
                });
            let Some(first) = tree.modules.get(start).filter(|entry| entry.name == name) else {
                continue;
            };
            if first.full_name == name {
                let chosen = Chosen {
                    full_name: name.to_owned(),
                    file: first.file.clone(),
                    rank: Rank::Meta,
                    key: first.key.clone(),
                };
                choices.push((tree.modulepath.clone(), chosen));
            } else if let Choice::Module(chosen) =
                self.choose(&tree.modulepath, name, Want::DEFAULT, rc)
            {
                choices.push((tree.modulepath.clone(), chosen));
            }
        }
        choices
    }

    /// The best of what the modulepaths answer.
    fn best_of(
        &mut self,
        choices: Vec<(Utf8PathBuf, Chosen)>,
        name: &str,
        rc: &mut dyn RcReader,
    ) -> Option<(Utf8PathBuf, Chosen)> {
        let nested = choices
            .iter()
            .any(|(_, chosen)| chosen.full_name[name.len()..].matches('/').count() > 1);
        if rc.config().find_first || nested {
            return choices.into_iter().next();
        }
        // The first of equals.
        choices.into_iter().reduce(|best, other| {
            if other.1.weight() > best.1.weight() {
                other
            } else {
                best
            }
        })
    }
}
