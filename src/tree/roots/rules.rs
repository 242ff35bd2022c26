//! What rc files say: those of the site and of the user, of the modulepath itself, and of the directories on the way to a
//! name. Aliases, marks of defaults, symbolic versions, and the rules that hide and forbid.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Global, RC_FILES, Rank, Roots};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind as DiagnosticKind};
use crate::modulefile::Directive;
use crate::modulefile::relation::Hiding;
use crate::session::Session;
use crate::tree::dir::Dir;
use crate::tree::facts::{Alias, AliasKind, Facts, Subject, Verdict, has_dot, judge};
use crate::tree::rc::RcReader;

/// Whose rc file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The site's.
    Site,
    /// The user's.
    User,
}

/// What an rc file of the site or of the user says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalRc {
    /// Whose it is.
    pub whose: Whose,
    /// Where it lies.
    pub file: Utf8PathBuf,
    /// Its statements.
    pub directives: Vec<Directive>,
}

/// The rc files of the site and of the user in the order of reading; of the user's the first that is there counts.
pub fn global_files(session: &Session, config: &Config) -> Vec<(Whose, Utf8PathBuf)> {
    let mut files: Vec<(Whose, Utf8PathBuf)> = site_files(&config.rc_files)
        .into_iter()
        .map(|file| (Whose::Site, file))
        .collect();
    if config.redefine_symbols {
        // What is read last stays: the first file of the list overrides the others.
        files.reverse();
    }
    if let (false, Some(home)) = (config.ignore_user_rc, session.home()) {
        let names = [".modulerc.lua", ".modulerc"];
        files.extend(names.map(|name| (Whose::User, home.join(name))));
    }
    files
}

/// The facts that hold for a modulepath: its own, the site's and the user's.
pub(crate) type Scopes<'f> = std::iter::Flatten<std::array::IntoIter<Option<&'f Facts>, 3>>;

impl Roots {
    /// Reads the rc files that lie in the modulepath itself, and the site's and the user's.
    pub fn read_root_rc(&mut self, root: &Utf8Path, rc: &mut dyn RcReader) {
        self.read_global(rc);
        if std::mem::replace(&mut self.root(root).rc_read, true) {
            return;
        }
        for name in RC_FILES {
            let found = self.read_rc(root, "", &root.join(name), rc);
            if found && rc.config().single_marker {
                break;
            }
        }
    }

    pub(super) fn read_markers(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        read: &Dir,
        rc: &mut dyn RcReader,
    ) {
        let single = rc.config().single_marker;
        let markers = &read.markers;
        if let Some(link) = &markers.link {
            self.mark_by_link(root, dir, link.clone());
            if single {
                return;
            }
        }
        let present = [markers.rc_lua, markers.rc_tcl, markers.version];
        for (_, name) in present
            .iter()
            .zip(RC_FILES)
            .filter(|(present, _)| **present)
        {
            self.read_rc(root, dir, &root.join(dir).join(name), rc);
            if single {
                return;
            }
        }
    }

    /// Takes note of what the link `default` in a directory points at.
    pub(super) fn mark_by_link(&mut self, root: &Utf8Path, dir: &str, version: String) {
        if let Some(surveying) = &mut self.surveying {
            let directive = Directive::Default {
                version: version.clone(),
            };
            let place = root.join(dir);
            surveying.statement(root, directive, dir, &place, &place.join("default"));
        }
        (self.root(root).facts.defaults).insert(dir.to_owned(), version);
    }

    /// Whether the file is there.
    pub(super) fn read_rc(
        &mut self,
        root: &Utf8Path,
        dir: &str,
        file: &Utf8Path,
        rc: &mut dyn RcReader,
    ) -> bool {
        let Some((directives, mistake)) = rc.read(file, dir, root) else {
            return false;
        };
        if let Some(surveying) = &mut self.surveying {
            surveying.file(root, file);
            surveying.reads.add(rc.take_reads());
        }
        self.warnings.extend(mistake);
        let place = file.parent().unwrap_or(root).to_owned();
        for directive in directives {
            self.add(root, directive, dir, &place, file, rc.config());
        }
        true
    }

    pub(super) fn add(
        &mut self,
        root: &Utf8Path,
        directive: Directive,
        dir: &str,
        place: &Utf8Path,
        file: &Utf8Path,
        config: &Config,
    ) {
        if let Some(surveying) = &mut self.surveying {
            surveying.statement(root, directive.clone(), dir, place, file);
        }
        let rules = config.spec_rules();
        let redefine = config.redefine_symbols;
        let added = (self.root(root).facts).add(directive, dir, place, &rules, redefine);
        self.warn(added, file);
    }

    pub(super) fn warn(&mut self, added: Result<(), String>, file: &Utf8Path) {
        if let Err(reason) = added {
            let warning = Diagnostic::new(DiagnosticKind::Modulefile, reason);
            self.warnings.push(warning.note(format!("in `{file}`")));
        }
    }

    pub(in crate::tree) fn read_global(&mut self, rc: &mut dyn RcReader) {
        if self.global.is_some() || self.surveying.is_some() {
            return;
        }
        let mut read = Vec::new();
        let mut of_user = false;
        for (whose, file) in global_files(rc.session(), rc.config()) {
            // Of the user's files the first one counts.
            if whose == Whose::User && of_user {
                continue;
            }
            let place = file.parent().unwrap_or(Utf8Path::new("/"));
            let Some((directives, mistake)) = rc.read_global(&file, place) else {
                continue;
            };
            of_user |= whose == Whose::User;
            self.warnings.extend(mistake);
            read.push(GlobalRc {
                whose,
                file,
                directives,
            });
        }
        self.know_global(read, rc.config());
    }

    /// Takes over what the modulefile of the module `name` says about names: as if the site had said it, until the end of
    /// the request.
    pub fn know_rule(
        &mut self,
        name: &str,
        file: &Utf8Path,
        directive: Directive,
        rc: &mut dyn RcReader,
    ) {
        self.read_global(rc);
        let place = file.parent().unwrap_or(Utf8Path::new("/"));
        let (rules, redefine) = (rc.config().spec_rules(), rc.config().redefine_symbols);
        let global = self.global.get_or_insert_default();
        let added = (global.system).add(directive, name, place, &rules, redefine);
        self.warn(added, file);
    }

    /// Takes over what the rc files of the site and of the user say.
    pub fn know_global(&mut self, read: Vec<GlobalRc>, config: &Config) {
        let mut global = Global::default();
        let rules = config.spec_rules();
        for rc in read {
            let facts = match rc.whose {
                Whose::Site => &mut global.system,
                Whose::User => &mut global.user,
            };
            let place = rc.file.parent().unwrap_or(Utf8Path::new("/"));
            for directive in rc.directives {
                let added = facts.add(directive, "", place, &rules, config.redefine_symbols);
                self.warn(added, &rc.file);
            }
        }
        self.global = Some(global);
    }

    /// The facts that hold for a modulepath, the weightiest first.
    pub(crate) fn scopes(&self, root: &Utf8Path, config: &Config) -> Scopes<'_> {
        self.scopes_with(self.known.get(root).map(|root| &root.facts), config)
    }

    /// The same with the modulepath's own facts given.
    pub(in crate::tree) fn scopes_with<'f>(
        &'f self,
        own: Option<&'f Facts>,
        config: &Config,
    ) -> Scopes<'f> {
        let global = self.global.as_ref();
        let (user, system) = (global.map(|g| &g.user), global.map(|g| &g.system));
        let order = if config.redefine_symbols {
            [user, system, own]
        } else {
            [system, user, own]
        };
        order.into_iter().flatten()
    }

    /// What `name` stands for, as far as the modulepath and the site's and the user's rc files say.
    pub(crate) fn alias(&self, root: &Utf8Path, name: &str, config: &Config) -> Option<&Alias> {
        self.scopes(root, config)
            .find_map(|facts| facts.aliases.get(name))
    }

    /// The marked default of a directory: a path below it, and who marked it.
    pub(crate) fn mark(
        &self,
        root: &Utf8Path,
        dir: &str,
        config: &Config,
    ) -> Option<(String, Rank)> {
        let global = self.global.as_ref();
        let own = self.known.get(root).map(|root| &root.facts);
        let user = (global.map(|g| &g.user), Rank::User);
        let system = (global.map(|g| &g.system), Rank::System);
        let order = if config.redefine_symbols {
            [user, system, (own, Rank::Tree)]
        } else {
            [system, user, (own, Rank::Tree)]
        };
        order
            .into_iter()
            .find_map(|(facts, rank)| Some((facts?.defaults.get(dir)?.clone(), rank)))
    }

    /// The aliases and symbolic versions that stand for `target` directly.
    pub(crate) fn names_for(&self, root: &Utf8Path, target: &str, config: &Config) -> Vec<String> {
        let mut names = Vec::new();
        for facts in self.scopes(root, config) {
            for (name, alias) in &facts.aliases {
                if alias.kind != AliasKind::Virtual && alias.target == target {
                    names.push(name.clone());
                }
            }
        }
        names
    }

    /// The names right below a directory that rc files add to it: virtual modules, and by setting aliases.
    pub(crate) fn added_children(
        &self,
        root: &Utf8Path,
        dir: &str,
        config: &Config,
    ) -> BTreeMap<String, Alias> {
        let prefix = format!("{dir}/");
        let mut found = BTreeMap::new();
        for facts in self.scopes(root, config) {
            let range = facts.aliases.range(prefix.clone()..);
            for (name, alias) in range.take_while(|(name, _)| name.starts_with(&prefix)) {
                let child = &name[prefix.len()..];
                let counts = match alias.kind {
                    AliasKind::Virtual => true,
                    AliasKind::Alias => config.aliases_compete,
                    AliasKind::Symbol => false,
                };
                if counts && !child.contains('/') {
                    found
                        .entry(child.to_owned())
                        .or_insert_with(|| alias.clone());
                }
            }
        }
        found
    }

    /// What the rules say about a module; a dot hides it but for one in the first `revealed` bytes of its name.
    pub(crate) fn verdict(
        &self,
        root: &Utf8Path,
        subject: &Subject<'_>,
        revealed: usize,
        rc: &dyn RcReader,
    ) -> Verdict {
        let own = self.known.get(root).map(|root| &root.facts);
        self.verdict_of(own, root, subject, revealed, rc)
    }

    /// The same with the modulepath's own facts given.
    pub(in crate::tree) fn verdict_of(
        &self,
        own: Option<&Facts>,
        root: &Utf8Path,
        subject: &Subject<'_>,
        revealed: usize,
        rc: &dyn RcReader,
    ) -> Verdict {
        if self.surveying.is_some() {
            let hidden = has_dot(subject.full_name, revealed);
            return Verdict {
                hiding: hidden.then_some(Hiding::Hidden),
                ..Verdict::default()
            };
        }
        let scopes = self.scopes_with(own, rc.config());
        let mut verdict = if scopes.clone().all(|facts| facts.rules.is_empty()) {
            Verdict::default()
        } else {
            judge(scopes, subject, rc.session(), rc.config(), &self.clock)
        };
        if has_dot(subject.full_name, revealed) {
            verdict.hiding = verdict.hiding.max(Some(Hiding::Hidden));
        }
        rc.site_verdict(root, subject, verdict)
    }
}

/// The files of a list of rc files; a directory stands for those in it, in the order of their names.
fn site_files(list: &str) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    for item in list.split(':').filter(|item| !item.is_empty()) {
        let path = Utf8PathBuf::from(item);
        match path.read_dir_utf8() {
            Ok(entries) => {
                let mut inside: Vec<Utf8PathBuf> = entries
                    .filter_map(Result::ok)
                    .filter(|entry| !is_rest(entry.file_name()))
                    .map(camino::Utf8DirEntry::into_path)
                    .collect();
                inside.sort();
                files.extend(inside);
            }
            Err(_) => files.push(path),
        }
    }
    files
}

/// Whether a file in a directory of rc files is a rest of an editor.
fn is_rest(name: &str) -> bool {
    name.ends_with('~') || name.starts_with('#') || name.ends_with(".swp")
}
