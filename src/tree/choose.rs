//! Chooses one of several versions: the marked default, else the highest.
//!
//! Source: Lmod user guide "Picking modules when there are multiple directories in MODULEPATH"; `modulefile(4)` "Default
//! version".

use camino::{Utf8Path, Utf8PathBuf};

use super::dir::{Child, Dir};
use super::facts::{AliasKind, Subject};
use super::rc::RcReader;
use super::roots::{MAX_DEPTH, Rank, Roots, file_path, joined};
use crate::modulefile::relation::Hiding;
use crate::name::VersionKey;

/// Which versions of a directory come into question.
#[derive(Clone, Copy)]
pub struct Want<'a> {
    /// Whether a name in the directory does.
    pub accepts: &'a dyn Fn(&str) -> bool,
    /// Whether a mark beats a higher version.
    pub marks: bool,
    /// Whether it does so on a hidden module.
    pub hidden_marks: bool,
    /// Whether a name was given in full, so that it may be a hidden one.
    pub names: &'a dyn Fn(&str) -> bool,
    /// How many bytes of the full name were asked for: dots in them do not hide.
    pub revealed: usize,
}

impl Want<'_> {
    /// All of them; a mark counts.
    pub const DEFAULT: Want<'static> = Want {
        accepts: &|_| true,
        marks: true,
        hidden_marks: true,
        names: &|_| false,
        revealed: 0,
    };
}

/// What came of choosing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Nothing came into question.
    Nothing,
    /// There are versions, but none is marked and none may be guessed.
    NoDefault,
    /// This one.
    Module(Chosen),
}

/// A chosen module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its path below the modulepath.
    pub full_name: String,
    /// Its file; for a virtual module what is behind it.
    pub file: Utf8PathBuf,
    /// Who marked it.
    pub rank: Rank,
    /// Its version among its siblings.
    pub key: VersionKey,
}

impl Chosen {
    /// By what it is compared with the choices of other modulepaths.
    pub fn weight(&self) -> (Rank, &VersionKey) {
        (self.rank, &self.key)
    }
}

impl Roots {
    /// Chooses a module below the directory `dir`.
    pub fn choose(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        want: Want<'_>,
        rc: &mut dyn RcReader,
    ) -> Choice {
        self.choose_within(root, dir, want, 0, rc)
    }

    fn choose_within(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        want: Want<'_>,
        depth: usize,
        rc: &mut dyn RcReader,
    ) -> Choice {
        if depth > MAX_DEPTH {
            return Choice::Nothing;
        }
        let Some(read) = self.dir(root, dir, rc) else {
            return Choice::Nothing;
        };
        self.read_toml_facts(root, dir, &read.children, rc);
        if want.marks
            && let Some((child, rank)) = self.marked_child(root, dir, rc)
            && (want.accepts)(child.split('/').next().unwrap_or_default())
            && let Some(chosen) = self.take(root, dir, &child, &read, rank, &want, depth, rc)
        {
            return Choice::Module(chosen);
        }
        let order = rc.config().version_order;
        let added = self.added_children(root, dir, rc.config());
        let mut candidates: Vec<(VersionKey, &String)> = read
            .children
            .keys()
            .chain(
                added
                    .keys()
                    .filter(|name| !read.children.contains_key(*name)),
            )
            .filter(|name| (want.accepts)(name))
            .map(|name| (order.key(name), name))
            .collect();
        candidates.sort();
        let guess = rc.config().implicit_default || !want.marks;
        for (_, name) in candidates.into_iter().rev() {
            match self.take(root, dir, name, &read, Rank::Plain, &want, depth, rc) {
                Some(chosen) if guess => return Choice::Module(chosen),
                Some(_) => return Choice::NoDefault,
                None => {}
            }
        }
        Choice::Nothing
    }

    /// The marked default of a directory; a mark on a symbolic version means what that stands for.
    pub(crate) fn marked_child(
        &self,
        root: &Utf8Path,
        dir: &str,
        rc: &dyn RcReader,
    ) -> Option<(String, Rank)> {
        let (child, rank) = self.mark(root, dir, rc.config())?;
        let symbol = self.alias(root, &joined(dir, &child), rc.config());
        let target = symbol.and_then(|alias| alias.target.strip_prefix(dir)?.strip_prefix('/'));
        Some((target.map_or(child, str::to_owned), rank))
    }

    /// The module that `child` (a path below `dir`) is, or the default of the directory it is; `None` where it may not be
    /// chosen without being named in full.
    #[expect(
        clippy::too_many_arguments,
        reason = "one step of the descent, used twice beside its caller"
    )]
    fn take(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        child: &str,
        read: &Dir,
        rank: Rank,
        want: &Want<'_>,
        depth: usize,
        rc: &mut dyn RcReader,
    ) -> Option<Chosen> {
        let full_name = joined(dir, child);
        if let Some((first, rest)) = child.split_once('/') {
            let below = joined(dir, first);
            let read = self.dir(root, &below, rc)?;
            return self.take(root, &below, rest, &read, rank, want, depth + 1, rc);
        }
        let key = rc.config().version_order.key(child);
        let entry = read.children.get(child);
        let entry = entry.map(|entry| self.resolve_child(root, &full_name, entry, rc));
        let file = match entry {
            Some(Child::Dir) => {
                let below = Want {
                    accepts: &|_| true,
                    marks: true,
                    names: &|_| false,
                    ..*want
                };
                return match self.choose_within(root, &full_name, below, depth + 1, rc) {
                    Choice::Module(chosen) => Some(Chosen {
                        rank,
                        key,
                        ..chosen
                    }),
                    Choice::Nothing | Choice::NoDefault => None,
                };
            }
            Some(Child::File(file)) => {
                let path = file_path(root, dir, &file);
                if !self.is_loadable(&path, &file, rc.config()) {
                    return None;
                }
                path
            }
            None => {
                let alias = self.added_children(root, dir, rc.config()).remove(child)?;
                if alias.kind != AliasKind::Virtual {
                    // A name for another version of the directory; one that leads elsewhere cannot compete.
                    let target = alias.target.strip_prefix(dir)?.strip_prefix('/')?;
                    read.children.get(target.split('/').next()?)?;
                    return self.take(root, dir, target, read, rank, want, depth + 1, rc);
                }
                match alias.target.starts_with('/') {
                    true => Utf8PathBuf::from(alias.target),
                    false => self.file_named(root, &alias.target, rc)?,
                }
            }
        };
        let subject = Subject {
            name: dir,
            full_name: &full_name,
            file: &file,
        };
        let may_be_hidden = rank != Rank::Plain && want.hidden_marks || (want.names)(child);
        match self.verdict(root, &subject, want.revealed, rc).hiding {
            Some(Hiding::Hard) => None,
            Some(Hiding::Hidden) if !may_be_hidden => None,
            _ => Some(Chosen {
                full_name,
                file,
                rank,
                key,
            }),
        }
    }
}
