//! What a request starts from and arrives at: variables, shell definitions, loaded modules with their journal.
//!
//! The environment at the start is borrowed and never copied; only what a request touches is kept here. A state can be
//! marked and rolled back, so that a module that gives up leaves nothing behind.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::delta::Change;
use super::foreign;
use super::journal::{self, Hidden, Ownership};
use super::loaded::{Entry, Loaded, Module};
use super::modulepath;
use super::op::{EnvOp, PathAction, VarName};
use super::path_list::{Last, Owner, PathEntry, PathList, PathRules};
use crate::session::Environment;

/// The variable with the names of the loaded modules.
pub const LOADED: &str = "LOADEDMODULES";
/// The variable with their files.
pub const FILES: &str = "_LMFILES_";
/// The variable with the directories that hold modulefiles.
pub const MODULEPATH: &str = "MODULEPATH";
/// The variable that says, for other programs, which directories of `MODULEPATH` have a priority.
pub const MODULEPATH_PRIORITY: &str = "__LMOD_Priority_MODULEPATH";

/// One state of a session.
#[derive(Debug, Clone)]
pub struct State<'s> {
    base: &'s Environment,
    changed: BTreeMap<BString, Option<BString>>,
    paths: Vec<PathVar>,
    rules: PathRules,
    /// Where relative entries of `MODULEPATH` begin, if its entries have to be resolved.
    modulepath_from: Option<camino::Utf8PathBuf>,
    /// What path variables begin with where they are unset.
    initial: Vec<(String, BString)>,
    pub(super) ownership: BTreeMap<String, Rc<Ownership>>,
    pub(super) stacks: BTreeMap<VarName, Vec<Hidden>>,
    definitions: Vec<Change>,
    first: Vec<BString>,
    /// The loaded modules.
    pub loaded: Loaded,
    /// What can be undone, newest last.
    pub history: Vec<Step>,
    /// `MODULEPATH` as the system gave it, once the user has changed it.
    pub system: Option<BString>,
    log: Vec<Undo>,
    written: Option<Written>,
}

/// What the variables say of a state that was read from them whole.
#[derive(Debug, Clone)]
struct Written {
    loaded: Loaded,
    steps: usize,
    system: Option<BString>,
}

/// A request of the past, as `undo` needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// The sub-command.
    pub command: String,
    /// The modules that it took away, in load order.
    pub removed: Vec<Past>,
    /// The full names of the modules that it loaded.
    pub added: Vec<String>,
    /// `MODULEPATH` before, where the user's own words changed it.
    pub modulepath: Option<BString>,
}

/// A module of the past.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// Its full name.
    pub full_name: String,
    /// How it was asked for.
    pub requested: String,
    /// Loaded only because another module depends on it.
    pub auto: bool,
}

/// What a request added to a path variable, apart from the value that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grown {
    /// The variable.
    pub name: VarName,
    /// What separates its entries.
    pub delim: BString,
    /// The entries in front of the earlier value, joined.
    pub front: Option<BString>,
    /// The entries behind it, joined.
    pub back: Option<BString>,
}

impl Grown {
    /// The variable's value where it was `before`; empty counts as unset.
    pub fn value(&self, before: Option<&BStr>) -> BString {
        let before = before.filter(|b| !b.is_empty());
        let pieces: Vec<&[u8]> = [
            self.front.as_ref().map(|f| f.as_slice()),
            before.map(|b| b.as_bytes()),
            self.back.as_ref().map(|b| b.as_slice()),
        ]
        .into_iter()
        .flatten()
        .collect();
        bstr::join(&self.delim, pieces).into()
    }
}

#[derive(Debug, Clone)]
struct PathVar {
    name: VarName,
    list: PathList,
    /// The joined value, once somebody asked.
    value: OnceCell<Option<BString>>,
    /// Whether this is the variable's present value: `setenv` replaces it as a whole.
    live: bool,
}

#[derive(Debug, Clone)]
enum Undo {
    Scalar(BString, Option<Option<BString>>),
    PathEdit(usize, usize),
    PathDropped(usize),
    PathSplit(usize),
    Stack(VarName, Option<Vec<Hidden>>),
}

/// A point to which a state can be rolled back.
#[derive(Debug)]
pub struct Mark {
    log: usize,
    definitions: usize,
    loaded: Loaded,
}

impl<'s> State<'s> {
    /// A state that holds `base` and nothing else: no module is loaded.
    pub fn new(base: &'s Environment, rules: PathRules) -> State<'s> {
        State {
            base,
            changed: BTreeMap::new(),
            paths: Vec::new(),
            rules,
            modulepath_from: None,
            initial: Vec::new(),
            ownership: BTreeMap::new(),
            stacks: BTreeMap::new(),
            definitions: Vec::new(),
            first: Vec::new(),
            loaded: Loaded::default(),
            history: Vec::new(),
            system: None,
            log: Vec::new(),
            written: None,
        }
    }

    /// Gives path variables a value to begin with where they are unset; where no other entry is left they are unset again.
    pub fn begin_paths_with(&mut self, initial: Vec<(String, BString)>) {
        self.initial = initial;
    }

    /// The entries that a path variable begins with, split.
    fn initial_list(&self, var: &VarName, delim: &BStr) -> Option<PathList> {
        let (_, value) = self.initial.iter().find(|(name, _)| name == var.as_str())?;
        // An empty value is an empty entry, as which a lone delimiter is read.
        let value = if value.is_empty() {
            delim
        } else {
            value.as_bstr()
        };
        Some(PathList::split(value, delim, self.rules_of(var.as_str())))
    }

    /// The value that the entries of a path variable make.
    fn joined(&self, path: &PathVar) -> Option<BString> {
        let value = path.list.join()?;
        let begun = self.initial_list(&path.name, path.list.delim());
        (begun.and_then(|list| list.join()).as_ref() != Some(&value)).then_some(value)
    }

    /// Remembers that the variables say all of this state.
    pub(super) fn note_written(&mut self) {
        self.written = Some(Written {
            loaded: self.loaded.clone(),
            steps: self.history.len(),
            system: self.system.clone(),
        });
    }

    /// Whether the variables already say all of this state: nothing has happened since they were read.
    pub(super) fn is_as_written(&self) -> bool {
        // To split a path for a look changes nothing.
        self.log
            .iter()
            .all(|undo| matches!(undo, Undo::PathSplit(_)))
            && self.written.as_ref().is_some_and(|written| {
                written.loaded == self.loaded
                    && written.steps == self.history.len()
                    && written.system == self.system
            })
    }

    /// The value of a variable.
    pub fn var(&self, name: impl AsRef<[u8]>) -> Option<&BStr> {
        let name = name.as_ref().as_bstr();
        if let Some(path) = self
            .paths
            .iter()
            .find(|p| p.live && p.name.as_bstr() == name)
            && path.list.mark() > 0
        {
            return path
                .value
                .get_or_init(|| self.joined(path))
                .as_ref()
                .map(|v| v.as_bstr());
        }
        match self.changed.get(name) {
            Some(value) => value.as_ref().map(|v| v.as_bstr()),
            None => self.base.get(name).map(|v| v.as_bstr()),
        }
    }

    /// The value of a variable as it was at the start of the request.
    pub fn var_before(&self, name: impl AsRef<[u8]>) -> Option<&'s BStr> {
        self.base.get(name.as_ref().as_bstr()).map(|v| v.as_bstr())
    }

    /// Variables at the start in which another module system remembers what is loaded.
    pub(super) fn foreign_names(&self) -> Vec<String> {
        let names = self.base.keys().map(|name| name.as_bstr());
        names
            .filter(|name| foreign::is_foreign(name))
            .map(|name| name.to_string())
            .collect()
    }

    /// A copy of all variables.
    pub fn environment(&self) -> Environment {
        let mut env = self.base.clone();
        for name in self.touched() {
            match self.var(name) {
                Some(value) => {
                    env.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    env.remove(name);
                }
            }
        }
        env
    }

    /// The names of the variables that may differ from the start, sorted.
    pub fn touched(&self) -> std::collections::BTreeSet<&BStr> {
        let paths = self.paths.iter().filter(|p| p.live && p.list.mark() > 0);
        self.changed
            .keys()
            .map(|name| name.as_bstr())
            .chain(paths.map(|p| p.name.as_bstr()))
            .collect()
    }

    /// The names of all variables that have a value, sorted.
    pub fn names(&self) -> std::collections::BTreeSet<&BStr> {
        let mut names = self.touched();
        names.retain(|name| self.var(name).is_some());
        let untouched = |name: &&BString| !self.changed.contains_key(name.as_bstr());
        names.extend(self.base.keys().filter(untouched).map(|n| n.as_bstr()));
        names
    }

    /// What shells are to define, in the order in which it was asked for.
    pub fn definitions(&self) -> &[Change] {
        &self.definitions
    }

    /// Code that runs before all else, even where the request fails afterwards.
    pub fn first(&self) -> &[BString] {
        &self.first
    }

    /// Asks for a definition.
    pub fn define(&mut self, change: Change) {
        self.definitions.push(change);
    }

    /// Gives a variable a value, or takes it away.
    pub fn set(&mut self, name: &str, value: Option<BString>) {
        if let Some(slot) = self.slot(name) {
            self.paths[slot].live = false;
            self.log.push(Undo::PathDropped(slot));
        } else if self.var(name) == value.as_ref().map(|v| v.as_bstr()) {
            return;
        }
        let key = BString::from(name);
        let old = self.changed.insert(key.clone(), value);
        self.log.push(Undo::Scalar(key, old));
    }

    fn slot(&self, name: &str) -> Option<usize> {
        self.paths
            .iter()
            .position(|p| p.live && p.name.as_str() == name)
    }

    /// The split form of a path variable; `rule` may change how it behaves from now on.
    fn path(&mut self, var: &VarName, delim: &BStr) -> usize {
        if let Some(slot) = self.slot(var.as_str()) {
            if self.paths[slot].list.delim() == delim {
                return slot;
            }
            // The same variable with another delimiter is another list.
            let value = self.var(var.as_bstr()).map(|v| v.to_owned());
            self.set(var.as_str(), value);
        }
        let before = self.var(var.as_bstr());
        let value = before.unwrap_or_default();
        let begun = match before {
            None => self.initial_list(var, delim),
            Some(_) => None,
        };
        let mut list =
            begun.unwrap_or_else(|| PathList::split(value, delim, self.rules_of(var.as_str())));
        if !self.changed.contains_key(var.as_bstr())
            && let Some(ownership) = self.ownership.get(var.as_str())
            && ownership.delim == delim
        {
            if value.is_empty() && list.is_to_the_letter() && ownership.is_of(value) {
                list.hold_empty();
            }
            ownership.restore(&mut list, value);
        }
        self.paths.push(PathVar {
            name: var.clone(),
            list,
            value: OnceCell::new(),
            live: true,
        });
        let slot = self.paths.len() - 1;
        self.log.push(Undo::PathSplit(slot));
        slot
    }

    /// How a path variable behaves.
    fn rules_of(&self, var: &str) -> PathRules {
        PathRules {
            duplicates: self.rules.duplicates && var != MODULEPATH,
            keep_empty: self.rules.keep_empty
                && (self.rules.to_the_letter || !PathRules::drops_empty(var))
                && var != MODULEPATH,
            to_the_letter: self.rules.to_the_letter && var != MODULEPATH,
            ..self.rules
        }
    }

    /// Edits a path variable.
    pub fn edit_path(&mut self, var: &VarName, delim: &BStr, edit: impl FnOnce(&mut PathList)) {
        let slot = self.path(var, delim);
        let path = &mut self.paths[slot];
        let mark = path.list.mark();
        edit(&mut path.list);
        if path.list.mark() > mark {
            path.value = OnceCell::new();
            self.log.push(Undo::PathEdit(slot, mark));
        }
    }

    /// How many edits a path variable has seen in this request.
    pub fn edits_of(&self, name: &str) -> usize {
        self.slot(name)
            .map_or(0, |slot| self.paths[slot].list.mark())
    }

    /// The entries of a path variable, with who added them.
    pub fn path_entries(&mut self, var: &VarName, delim: &BStr) -> Vec<PathEntry<'_>> {
        let slot = self.path(var, delim);
        self.paths[slot].list.entries().collect()
    }

    /// The directories of `MODULEPATH`.
    pub fn modulepath(&self) -> Vec<camino::Utf8PathBuf> {
        self.var(MODULEPATH)
            .unwrap_or_default()
            .split_str(":")
            .filter(|dir| !dir.is_empty())
            .filter_map(|dir| dir.to_str().ok())
            .map(|dir| match &self.modulepath_from {
                None => camino::Utf8PathBuf::from(dir),
                Some(from) => modulepath::resolve(dir, from, |name| self.text(name)),
            })
            .collect()
    }

    /// From now on entries of `MODULEPATH` are resolved; relative ones begin in `from`.
    pub fn resolve_modulepath(&mut self, from: camino::Utf8PathBuf) {
        self.modulepath_from = Some(from);
    }

    fn text(&self, name: &str) -> Option<String> {
        self.var(name)
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned)
    }

    /// The directories of `MODULEPATH` with who added them.
    pub fn modulepath_entries(&mut self) -> Vec<PathEntry<'_>> {
        let var = VarName::new(MODULEPATH).expect("a name that shells know");
        self.path_entries(&var, BStr::new(":"))
    }

    /// `MODULEPATH` as the system gave it: as it was before the user's first own change of it, without what modules added.
    pub fn system_modulepath(&mut self) -> Option<BString> {
        if let Some(system) = &self.system {
            return Some(system.clone());
        }
        let entries = self.modulepath_entries();
        let own: Vec<&BStr> = entries
            .iter()
            .filter(|e| e.owners.is_empty() || e.user > 0)
            .map(|e| e.text)
            .collect();
        (!own.is_empty()).then(|| bstr::join(":", own).into())
    }

    /// Carries out one operation on behalf of `owner`. Gives what the owner's journal has to remember beyond that.
    pub fn apply(&mut self, op: &EnvOp, owner: Option<Owner>) -> Option<Entry> {
        match op {
            EnvOp::Set {
                var,
                value,
                if_unset,
            } => {
                let before = self.var(var.as_bstr()).map(|v| v.to_owned());
                if *if_unset && before.is_some() {
                    return None;
                }
                self.set(var.as_str(), Some(value.clone()));
                return Some(Entry::Set {
                    var: var.clone(),
                    replaced: before,
                });
            }
            EnvOp::Unset { var, on_unload } => {
                self.set(var.as_str(), None);
                return on_unload.as_ref().map(|value| Entry::Unset {
                    var: var.clone(),
                    on_unload: Some(value.clone()),
                });
            }
            EnvOp::Push { var, value } => self.push(var, value.clone(), owner.unwrap_or(0)),
            EnvOp::Path {
                action,
                var,
                value,
                delim,
                priority,
                duplicates,
            } => self.apply_path(*action, var, value, delim, *priority, *duplicates, owner),
            EnvOp::Alias { name, value } => {
                self.define(Change::SetAlias {
                    name: name.clone(),
                    value: value.clone(),
                });
                return Some(Entry::Alias { name: name.clone() });
            }
            EnvOp::Unalias { name } => self.define(Change::UnsetAlias { name: name.clone() }),
            EnvOp::Function { name, sh, csh } => {
                self.define(Change::SetFunction {
                    name: name.clone(),
                    sh: sh.clone(),
                    csh: csh.clone(),
                });
                return Some(Entry::Function { name: name.clone() });
            }
            EnvOp::RemoveFunction { name } => {
                self.define(Change::UnsetFunction { name: name.clone() });
            }
            EnvOp::ExportFunction { name } => {
                self.define(Change::ExportFunction { name: name.clone() });
                return Some(Entry::Function { name: name.clone() });
            }
            EnvOp::Complete {
                shell,
                command,
                spec,
            } => {
                self.define(Change::Complete {
                    shell: shell.clone(),
                    command: command.clone(),
                    spec: spec.clone(),
                });
                return Some(Entry::Complete {
                    shell: shell.clone(),
                    command: command.clone(),
                });
            }
            EnvOp::Uncomplete { shell, command } => self.define(Change::Uncomplete {
                shell: shell.clone(),
                command: command.clone(),
            }),
            EnvOp::Chdir { dir } => self.define(Change::Chdir { dir: dir.clone() }),
            EnvOp::Execute { code, first: true } => self.first.push(code.clone()),
            EnvOp::Execute { code, first: false } => {
                self.define(Change::Execute { code: code.clone() });
            }
        }
        None
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one operation, taken apart by its only caller"
    )]
    fn apply_path(
        &mut self,
        action: PathAction,
        var: &VarName,
        value: &BString,
        delim: &BString,
        priority: i32,
        duplicates: bool,
        owner: Option<Owner>,
    ) {
        let value = value.as_bstr();
        self.edit_path(var, delim.as_bstr(), |list| {
            if duplicates && var.as_str() != MODULEPATH {
                list.allow_duplicates();
            }
            match action {
                PathAction::Prepend => list.prepend(value, priority, owner),
                PathAction::Append => list.append(value, priority, owner),
                PathAction::Remove if list.allows_duplicates() => list.remove(value),
                PathAction::Remove => list.take_away(value),
            }
        });
    }

    fn push(&mut self, var: &VarName, value: Option<BString>, owner: Owner) {
        let hidden = Hidden {
            owner,
            value: self.var(var.as_bstr()).map(|v| v.to_owned()),
        };
        self.edit_stack(var, |stack| stack.push(hidden));
        self.set(var.as_str(), value);
    }

    /// Takes back what `owner` pushed on `var`.
    fn pop(&mut self, var: &VarName, owner: Owner) {
        let mut now = None;
        self.edit_stack(var, |stack| now = journal::pop(stack, owner));
        if let Some(value) = now {
            self.set(var.as_str(), value);
        }
    }

    /// What `owner` hides by `pushenv`: the value underneath.
    pub fn hidden_by(&self, var: &VarName, owner: Owner) -> Option<Option<BString>> {
        let stack = self.stacks.get(var)?;
        let hidden = stack.iter().rev().find(|h| h.owner == owner)?;
        Some(hidden.value.clone())
    }

    fn edit_stack(&mut self, var: &VarName, edit: impl FnOnce(&mut Vec<Hidden>)) {
        let old = self.stacks.get(var).cloned();
        let mut stack = old.clone().unwrap_or_default();
        edit(&mut stack);
        if stack.is_empty() {
            self.stacks.remove(var);
        } else {
            self.stacks.insert(var.clone(), stack);
        }
        self.log.push(Undo::Stack(var.clone(), old));
    }

    /// Takes back one operation of `owner` as its unloading file names it.
    pub fn take_back(&mut self, op: &EnvOp, owner: Owner) {
        match op {
            EnvOp::Set {
                var,
                value,
                if_unset,
            } => {
                if !if_unset || self.var(var.as_bstr()) == Some(value.as_bstr()) {
                    self.set(var.as_str(), None);
                }
            }
            EnvOp::Push { var, .. } => self.pop(var, owner),
            EnvOp::Path {
                action: action @ (PathAction::Prepend | PathAction::Append),
                var,
                value,
                delim,
                ..
            } => {
                let last = match action {
                    PathAction::Append => Last::Yes,
                    _ => Last::No,
                };
                self.edit_path(var, delim.as_bstr(), |list| {
                    list.release(value.as_bstr(), last, Some(owner));
                });
            }
            // Taken away again: an entry that somebody else put there meanwhile goes too.
            EnvOp::Path {
                action: PathAction::Remove,
                ..
            } => {
                self.apply(op, None);
            }
            _ => {
                for inverse in op.inverse() {
                    self.apply(&inverse, None);
                }
            }
        }
    }

    /// Takes back all that the journal says of `module`, without its file.
    pub fn take_back_all(&mut self, module: &Module) {
        for entry in module.journal.iter().rev() {
            match entry {
                Entry::Set { var, .. } => self.set(var.as_str(), None),
                Entry::Unset { var, on_unload } => self.set(var.as_str(), on_unload.clone()),
                Entry::Alias { name } => self.define(Change::UnsetAlias { name: name.clone() }),
                Entry::Function { name } => {
                    self.define(Change::UnsetFunction { name: name.clone() });
                }
                Entry::Complete { shell, command } => self.define(Change::Uncomplete {
                    shell: shell.clone(),
                    command: command.clone(),
                }),
            }
        }
        let pushed: Vec<VarName> = self
            .stacks
            .iter()
            .filter(|(_, stack)| stack.iter().any(|h| h.owner == module.id))
            .map(|(var, _)| var.clone())
            .collect();
        for var in pushed {
            while self
                .stacks
                .get(&var)
                .is_some_and(|stack| stack.iter().any(|h| h.owner == module.id))
            {
                self.pop(&var, module.id);
            }
        }
        for (var, delim) in self.owned_paths(module.id) {
            self.edit_path(&var, delim.as_bstr(), |list| list.release_all(module.id));
        }
    }

    /// Forgets that `owner` added anything to path variables: what is left of it becomes the user's.
    pub fn disown(&mut self, owner: Owner) {
        for (var, delim) in self.owned_paths(owner) {
            self.edit_path(&var, delim.as_bstr(), |list| list.disown(owner));
        }
    }

    /// Says that `owner` did what `op` says, some time before: nothing changes. Gives what its journal has to remember.
    pub fn claim(&mut self, op: &EnvOp, owner: Owner) -> Option<Entry> {
        match op {
            EnvOp::Set { var, .. } => Some(Entry::Set {
                var: var.clone(),
                replaced: None,
            }),
            EnvOp::Unset { var, on_unload } => on_unload.as_ref().map(|value| Entry::Unset {
                var: var.clone(),
                on_unload: Some(value.clone()),
            }),
            EnvOp::Path {
                action: PathAction::Prepend | PathAction::Append,
                var,
                value,
                delim,
                ..
            } => {
                self.edit_path(var, delim.as_bstr(), |list| {
                    list.claim(value.as_bstr(), owner);
                });
                None
            }
            EnvOp::Alias { name, .. } => Some(Entry::Alias { name: name.clone() }),
            EnvOp::Function { name, .. } | EnvOp::ExportFunction { name } => {
                Some(Entry::Function { name: name.clone() })
            }
            EnvOp::Complete { shell, command, .. } => Some(Entry::Complete {
                shell: shell.clone(),
                command: command.clone(),
            }),
            _ => None,
        }
    }

    /// Says that `owners`, in this order, pushed values on `var` some time before. Where nobody knows their owners, the
    /// stack holds all values that the variable had, its present one on top.
    pub fn claim_stack(&mut self, var: &VarName, owners: &[Owner]) {
        self.edit_stack(var, |stack| {
            if stack.iter().any(|h| h.owner != 0) {
                return;
            }
            let values: Vec<Option<BString>> = stack.drain(..).map(|h| h.value).collect();
            let below = (owners.len() + 1).saturating_sub(values.len());
            stack.extend(owners.iter().zip(0..).map(|(&owner, at)| {
                Hidden {
                    owner,
                    value: usize::checked_sub(at, below)
                        .and_then(|at| values.get(at).cloned())
                        .flatten(),
                }
            }));
        });
    }

    /// Makes everything that belongs to `from` belong to `to`.
    pub fn give(&mut self, from: Owner, to: Owner) {
        for (var, delim) in self.owned_paths(from) {
            self.edit_path(&var, delim.as_bstr(), |list| list.give(from, to));
        }
        let pushed: Vec<VarName> = self.stacks.keys().cloned().collect();
        for var in pushed {
            self.edit_stack(&var, |stack| {
                for hidden in stack.iter_mut().filter(|h| h.owner == from) {
                    hidden.owner = to;
                }
            });
        }
    }

    /// The path variables to which `owner` added something, with their delimiters.
    pub fn owned_paths(&self, owner: Owner) -> Vec<(VarName, BString)> {
        let split = self
            .paths
            .iter()
            .filter(|p| p.live)
            .filter(|p| p.list.has_of(owner));
        let mut out: Vec<(VarName, BString)> = split
            .map(|p| (p.name.clone(), p.list.delim().to_owned()))
            .collect();
        for (name, ownership) in self.unsplit() {
            if ownership.owners.contains(&owner)
                && let Some(name) = VarName::new(name)
            {
                out.push((name, ownership.delim.clone()));
            }
        }
        out
    }

    /// Ownerships of variables that this request has not touched.
    pub(super) fn unsplit(&self) -> impl Iterator<Item = (&String, &Rc<Ownership>)> {
        self.ownership.iter().filter(|(name, _)| {
            self.slot(name).is_none() && !self.changed.contains_key(name.as_bytes().as_bstr())
        })
    }

    /// All path variables that were split, with their lists.
    pub(super) fn split_paths(&self) -> impl Iterator<Item = (&VarName, &PathList)> {
        self.paths
            .iter()
            .filter(|p| p.live)
            .map(|p| (&p.name, &p.list))
    }

    /// The path variables to whose first value something was added, if it could be said without that value.
    pub fn grown_paths(&self) -> Vec<Grown> {
        let added = self
            .split_paths()
            .filter(|(name, list)| list.mark() > 0 && !self.changed.contains_key(name.as_bstr()));
        added
            .map(|(name, list)| {
                let (front, back) = list.grown();
                Grown {
                    name: name.clone(),
                    delim: list.delim().to_owned(),
                    front,
                    back,
                }
            })
            .collect()
    }

    /// Marks the present point.
    pub fn mark(&self) -> Mark {
        Mark {
            log: self.log.len(),
            definitions: self.definitions.len(),
            loaded: self.loaded.clone(),
        }
    }

    /// Goes back to a point marked before.
    pub fn roll_back(&mut self, mark: Mark) {
        while self.log.len() > mark.log {
            match self.log.pop().expect("longer than the mark") {
                Undo::Scalar(name, Some(value)) => {
                    self.changed.insert(name, value);
                }
                Undo::Scalar(name, None) => {
                    self.changed.remove(&name);
                }
                Undo::PathEdit(slot, mark) => {
                    self.paths[slot].list.roll_back(mark);
                    self.paths[slot].value = OnceCell::new();
                }
                Undo::PathDropped(slot) => self.paths[slot].live = true,
                Undo::PathSplit(slot) => self.paths[slot].live = false,
                Undo::Stack(var, Some(stack)) => {
                    self.stacks.insert(var, stack);
                }
                Undo::Stack(var, None) => {
                    self.stacks.remove(&var);
                }
            }
        }
        self.definitions.truncate(mark.definitions);
        self.loaded = mark.loaded;
    }
}

/// Two states are equal where a shell could not tell them apart and the same modules are loaded.
impl PartialEq for State<'_> {
    fn eq(&self, other: &Self) -> bool {
        let names = |state: &Self| {
            state
                .touched()
                .into_iter()
                .map(|n| n.to_owned())
                .collect::<Vec<_>>()
        };
        names(self)
            .iter()
            .chain(&names(other))
            .all(|name| self.var(name) == other.var(name))
            && self.loaded == other.loaded
            && self.definitions == other.definitions
    }
}
