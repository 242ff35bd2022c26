//! What a look at all hierarchies tells about a name that leads to no module here.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use crate::name::{Spec, VersionOrder, Versions};
use crate::tree::{Crawl, Entry, Way};

/// A module that exists behind others, or in a modulepath that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its full name.
    pub full_name: String,
    /// What to load first; one row for each way.
    pub ways: Vec<Way>,
}

impl Elsewhere {
    /// The shortest request that loads it.
    pub(super) fn shortest(&self) -> String {
        let way = self.ways.iter().min_by_key(|way| way.len());
        let before = way.into_iter().flatten().map(String::as_str);
        let words: Vec<&str> = before.chain([self.full_name.as_str()]).collect();
        words.join(" ")
    }
}

/// A module that brings along what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// What it brings: `numpy/1.26`; the path of a command.
    pub what: String,
    /// The module.
    pub module: Elsewhere,
}

/// What is known beyond the modulepaths in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Modules of the name that need others first.
    pub elsewhere: Vec<Elsewhere>,
    /// Names of modules in all hierarchies, without versions.
    pub names: Vec<String>,
    /// Modules that bring an extension of that name.
    pub extensions: Vec<Provider>,
    /// Modules that bring a command of that name.
    pub commands: Vec<Provider>,
}

impl Beyond {
    /// Looks for what `spec` may mean in what a crawl saw; directories of commands are looked into until `deadline`.
    pub fn of(
        crawl: &Crawl,
        spec: &Spec,
        order: VersionOrder,
        deadline: Option<Instant>,
    ) -> Beyond {
        let elsewhere = crawl
            .find(&spec.path)
            .into_iter()
            .filter(|(entry, ways)| {
                !entry.is_hidden()
                    && ways.iter().all(|way| !way.is_empty())
                    && allows(spec, entry, order)
            })
            .map(|(entry, ways)| Elsewhere {
                full_name: entry.full_name.clone(),
                ways,
            })
            .collect();
        let mut beyond = Beyond {
            elsewhere,
            ..Beyond::default()
        };
        let mut names = BTreeSet::new();
        let mut commands: BTreeMap<Utf8PathBuf, Option<Utf8PathBuf>> = BTreeMap::new();
        for tree in &crawl.trees {
            let entries = tree
                .modules
                .iter()
                .filter(|e| !e.is_hidden() && e.verdict().forbidden.is_none());
            for entry in entries {
                names.insert(entry.name().to_owned());
                let about = crawl.about(entry);
                let module = || Elsewhere {
                    full_name: entry.full_name.clone(),
                    ways: crawl.ways(&tree.modulepath),
                };
                let named = |extension: &&String| {
                    **extension == spec.path || extension.split('/').next() == Some(&spec.path)
                };
                if let Some(extension) = about.extensions.iter().find(named) {
                    beyond.extensions.push(Provider {
                        what: extension.clone(),
                        module: module(),
                    });
                }
                let late = deadline.is_some_and(|deadline| Instant::now() > deadline);
                let is_word = spec.versions == Versions::AsWritten && !spec.path.contains('/');
                if late || !is_word {
                    continue;
                }
                let command = about.commands_in.iter().find_map(|dir| {
                    let known = commands.entry(dir.clone());
                    known.or_insert_with(|| command_in(dir, &spec.path)).clone()
                });
                if let Some(command) = command {
                    beyond.commands.push(Provider {
                        what: command.into_string(),
                        module: module(),
                    });
                }
            }
        }
        beyond.names = names.into_iter().collect();
        beyond
    }
}

/// Whether a module is of a version that will do.
fn allows(spec: &Spec, entry: &Entry, order: VersionOrder) -> bool {
    match &spec.versions {
        Versions::AsWritten | Versions::Latest | Versions::Loaded => true,
        versions => entry
            .version()
            .is_some_and(|version| versions.accepts(version, order)),
    }
}

/// The program of that name in a directory.
fn command_in(dir: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    let file = dir.join(name);
    let meta = std::fs::metadata(&file).ok()?;
    (meta.is_file() && meta.permissions().mode() & 0o111 != 0).then_some(file)
}
