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
    /// Whether a mark on what is not there counts, too: as a name that is looked for.
    pub absent_marks: bool,
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
        absent_marks: true,
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
    /// What bears this name, wherever that is.
    Name(String),
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
        {
            match self.take(root, dir, &child, &read, rank, &want, depth, rc) {
                Choice::Nothing | Choice::NoDefault
                    if want.absent_marks
                        && rc.config().marked_default_is_a_name
                        && !read.children.contains_key(&child)
                        && !child.contains('/') =>
                {
                    return Choice::Name(joined(dir, &child));
                }
                Choice::Nothing | Choice::NoDefault => {}
                taken => return taken,
            }
        }
        let order = rc.config().version_order;
        let added = self.added_children(root, dir, rc.config());
        let mut candidates: Vec<(VersionKey, &String)> = read
            .children
            .keys()
            .chain(
                added
                    .keys()
                    .filter(|name| !read.children.contains_key(name)),
            )
            .filter(|name| (want.accepts)(name))
            .map(|name| (order.key(name), name))
            .collect();
        candidates.sort();
        let guess = rc.config().implicit_default || !want.marks;
        for (_, name) in candidates.into_iter().rev() {
            match self.take(root, dir, name, &read, Rank::Plain, &want, depth, rc) {
                Choice::Nothing | Choice::NoDefault => {}
                taken if guess => return taken,
                _ => return Choice::NoDefault,
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
        let mut marked = child;
        // A symbol may stand for a symbol; in a circle none of them stands for anything.
        for _ in 0..MAX_DEPTH {
            let symbol = self.alias(root, &joined(dir, &marked), rc.config());
            let target = symbol.and_then(|alias| alias.target.strip_prefix(dir)?.strip_prefix('/'));
            match target {
                Some(target) => marked = target.to_owned(),
                None => break,
            }
        }
        Some((marked, rank))
    }

    /// The module that `child` (a path below `dir`) is, or the default of the directory it is; nothing where it may not be
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
    ) -> Choice {
        let full_name = joined(dir, child);
        if let Some((first, rest)) = child.split_once('/') {
            let below = joined(dir, first);
            let Some(read) = self.dir(root, &below, rc) else {
                return Choice::Nothing;
            };
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
                    Choice::Module(chosen) => Choice::Module(Chosen {
                        rank,
                        key,
                        ..chosen
                    }),
                    Choice::NoDefault => Choice::Nothing,
                    other => other,
                };
            }
            Some(Child::File(file)) => {
                let path = file_path(root, dir, &file);
                if !self.is_loadable(&path, &file, rc.config()) {
                    return Choice::Nothing;
                }
                path
            }
            None => {
                let Some(alias) = self.added_children(root, dir, rc.config()).remove(child) else {
                    return Choice::Nothing;
                };
                if alias.kind != AliasKind::Virtual {
                    // A name for another version of the directory.
                    let rest = alias.target.strip_prefix(dir);
                    let target = rest.and_then(|rest| rest.strip_prefix('/'));
                    let known = |target: &&str| {
                        let first = target.split('/').next().unwrap_or_default();
                        read.children.contains_key(first)
                    };
                    return match target.filter(known) {
                        Some(target) => {
                            self.take(root, dir, target, read, rank, want, depth + 1, rc)
                        }
                        None if rc.config().names_make_directories => Choice::Name(full_name),
                        // One that leads elsewhere cannot compete.
                        None => Choice::Nothing,
                    };
                }
                let file = match alias.target.starts_with('/') {
                    true => Some(Utf8PathBuf::from(alias.target)),
                    false => self.file_named(root, &alias.target, rc),
                };
                match file {
                    Some(file) => file,
                    None => return Choice::Nothing,
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
            Some(Hiding::Hard) => Choice::Nothing,
            Some(Hiding::Hidden) if !may_be_hidden => Choice::Nothing,
            _ => Choice::Module(Chosen {
                full_name,
                file,
                rank,
                key,
            }),
        }
    }
}
