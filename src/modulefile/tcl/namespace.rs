//! Namespaces: names of commands and variables, and how they are found.
//!
//! Commands are looked for in the current namespace, then in its `namespace path`, then in the global one. Tcl's own
//! commands sit in a static table and enter their namespace when they are first used. Source: Tcl 8.6, `namespace(n)`.

use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

use super::builtin;
use super::command::{Command, CommandKind};
use super::error::{Exit, Outcome};
use super::interp::Interp;
use super::library;
use super::value::Value;
use super::var::{Role, VarTable};

/// The number of a namespace.
pub(super) type NamespaceId = usize;

/// The namespace `::`.
pub(super) const GLOBAL: NamespaceId = 0;

/// Names and what they mean.
#[derive(Default)]
pub(super) struct Namespace {
    /// The full name; `::` for the global one.
    pub(super) name: Vec<u8>,
    pub(super) parent: Option<NamespaceId>,
    pub(super) children: IndexMap<Box<[u8]>, NamespaceId, FxBuildHasher>,
    pub(super) vars: VarTable,
    pub(super) commands: IndexMap<Box<[u8]>, Rc<Command>, FxBuildHasher>,
    /// Built-in commands that were renamed or deleted.
    pub(super) hidden: FxHashSet<&'static str>,
    pub(super) exports: Vec<Value>,
    pub(super) path: Vec<NamespaceId>,
    pub(super) unknown: Option<Value>,
    pub(super) deleted: bool,
    /// It is being deleted.
    pub(super) deleting: bool,
}

/// What `namespace ensemble create` makes.
#[derive(Clone, Default)]
pub(super) struct Ensemble {
    pub(super) namespace: NamespaceId,
    /// Sub-command to command words; empty means the exported commands.
    pub(super) map: IndexMap<Box<[u8]>, Value, FxBuildHasher>,
    pub(super) subcommands: Vec<Value>,
    pub(super) parameters: Vec<Value>,
    pub(super) no_prefixes: bool,
    pub(super) unknown: Option<Value>,
}

/// Takes a qualified name apart: everything before the last `::`, and the tail.
pub(super) fn split_name(name: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match name.windows(2).rposition(|pair| pair == b"::") {
        None => (None, name),
        Some(at) => {
            let tail = &name[at + 2..];
            let mut qualifier = &name[..at];
            while let [rest @ .., b':'] = qualifier {
                qualifier = rest;
            }
            (Some(qualifier), tail)
        }
    }
}

/// The parts of a namespace name between runs of colons.
fn parts(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = name;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = rest
                .windows(2)
                .position(|pair| pair == b"::")
                .unwrap_or(rest.len());
            let part = &rest[..end];
            rest = &rest[end..];
            while let [b':', after @ ..] = rest {
                rest = after;
            }
            if !part.is_empty() {
                return Some(part);
            }
        }
    })
}

impl<'h> Interp<'h> {
    pub(super) fn namespace(&self, id: NamespaceId) -> &Namespace {
        &self.namespaces[id]
    }

    pub(super) fn namespace_mut(&mut self, id: NamespaceId) -> &mut Namespace {
        &mut self.namespaces[id]
    }

    /// The namespace that code runs in.
    pub(super) fn current_namespace(&self) -> NamespaceId {
        self.frame().namespace
    }

    /// The namespace of this name, seen from `from`. Those of the parts of Tcl's own commands are made when they are first
    /// asked for.
    pub(super) fn find_namespace(&mut self, name: &[u8], from: NamespaceId) -> Option<NamespaceId> {
        let start = if name.starts_with(b"::") {
            GLOBAL
        } else {
            from
        };
        parts(name).try_fold(start, |at, part| {
            let space = self.namespace(at);
            match space.children.get(part) {
                Some(&child) => Some(child),
                None if space.name == b"::tcl" => {
                    builtin::parts_of(part).map(|_| self.make_namespace(part, at))
                }
                None => None,
            }
        })
    }

    /// The namespace of this name, made when it does not exist.
    pub(super) fn make_namespace(&mut self, name: &[u8], from: NamespaceId) -> NamespaceId {
        let mut at = if name.starts_with(b"::") {
            GLOBAL
        } else {
            from
        };
        for part in parts(name) {
            at = match self.namespace(at).children.get(part) {
                Some(&child) => child,
                None => {
                    let prefix: &[u8] = if at == GLOBAL {
                        b""
                    } else {
                        &self.namespace(at).name
                    };
                    let full = bytes!(prefix, "::", part);
                    let id = self.namespaces.len();
                    self.namespaces.push(Namespace {
                        name: full,
                        parent: Some(at),
                        ..Namespace::default()
                    });
                    self.namespace_mut(at).children.insert(part.into(), id);
                    id
                }
            };
        }
        at
    }

    /// The namespace that a qualified name lies in, and its tail.
    pub(super) fn resolve_qualified<'n>(
        &mut self,
        name: &'n [u8],
        from: NamespaceId,
    ) -> Option<(NamespaceId, &'n [u8])> {
        match split_name(name) {
            (None, tail) => Some((from, tail)),
            (Some(qualifier), tail) => {
                let start = if name.starts_with(b"::") {
                    GLOBAL
                } else {
                    from
                };
                Some((self.find_namespace(qualifier, start)?, tail))
            }
        }
    }

    /// The full name of something called `tail` in a namespace.
    pub(super) fn full_name(&self, namespace: NamespaceId, tail: &[u8]) -> Vec<u8> {
        let prefix: &[u8] = if namespace == GLOBAL {
            b""
        } else {
            &self.namespace(namespace).name
        };
        bytes!(prefix, "::", tail)
    }

    /// The command that a name means in the current namespace.
    pub(super) fn find_command(&mut self, name: &[u8]) -> Option<Rc<Command>> {
        let current = self.current_namespace();
        self.find_command_from(name, current)
    }

    /// The command that a name means in a namespace.
    pub(super) fn find_command_from(
        &mut self,
        name: &[u8],
        from: NamespaceId,
    ) -> Option<Rc<Command>> {
        match split_name(name) {
            (None, tail) => {
                if let Some(command) = self.command_in(from, tail) {
                    return Some(command);
                }
                for at in self.namespace(from).path.clone() {
                    if let Some(command) = self.command_in(at, tail) {
                        return Some(command);
                    }
                }
                self.command_in(GLOBAL, tail)
            }
            (Some(qualifier), tail) => {
                let absolute = name.starts_with(b"::");
                let mut places = vec![if absolute { GLOBAL } else { from }];
                if !absolute {
                    places.extend(self.namespace(from).path.clone());
                    places.push(GLOBAL);
                }
                let found = places.iter().find_map(|place| {
                    let namespace = self.find_namespace(qualifier, *place)?;
                    self.command_in(namespace, tail)
                });
                if found.is_some() {
                    return found;
                }
                // What the library defines on demand enters its namespace when it is first called.
                let plain = qualifier.strip_prefix(b"::").unwrap_or(qualifier);
                let space = std::str::from_utf8(plain).unwrap_or_default();
                if !library::names(space).any(|name| name.as_bytes() == tail) {
                    return None;
                }
                let namespace = self.make_namespace(plain, GLOBAL);
                self.command_in(namespace, tail)
            }
        }
    }

    /// The command of a namespace; Tcl's own enter the table here.
    pub(super) fn command_in(
        &mut self,
        namespace: NamespaceId,
        tail: &[u8],
    ) -> Option<Rc<Command>> {
        if let Some(command) = self.namespace(namespace).commands.get(tail) {
            return Some(Rc::clone(command));
        }
        let kind = if namespace == GLOBAL {
            // Children have Tcl's commands only.
            let known = self.has_embedding().then(|| self.host.find_command(tail));
            match known.flatten() {
                Some(id) if !self.hidden_embedding.contains(tail) => CommandKind::Embedding(id),
                _ => self.library_command(namespace, b"", tail)?,
            }
        } else {
            let space = self.namespace(namespace).name.strip_prefix(b"::")?;
            if !space.starts_with(b"tcl") && space != b"safe" {
                return None;
            }
            match (space, super::math::find(tail)) {
                (b"tcl::mathfunc", Some(function))
                    if !self.namespace(namespace).hidden.contains(function.name) =>
                {
                    CommandKind::Function(function)
                }
                _ => self.library_command(namespace, space, tail)?,
            }
        };
        Some(self.enter_command(namespace, tail, kind))
    }

    /// A command that comes with Tcl, built in or written in Tcl; `None` after it was renamed or deleted.
    fn library_command(
        &self,
        namespace: NamespaceId,
        space: &[u8],
        tail: &[u8],
    ) -> Option<CommandKind> {
        let hidden = &self.namespace(namespace).hidden;
        if let Some(def) = builtin::find(space, tail) {
            return (!hidden.contains(def.name)).then_some(CommandKind::Builtin(def));
        }
        let (space, name) = (
            std::str::from_utf8(space).ok()?,
            std::str::from_utf8(tail).ok()?,
        );
        if hidden.contains(name) {
            return None;
        }
        library::find(space, tail).map(|found| CommandKind::Proc(Rc::new(found)))
    }

    fn enter_command(
        &mut self,
        namespace: NamespaceId,
        tail: &[u8],
        kind: CommandKind,
    ) -> Rc<Command> {
        let command = Rc::new(Command::new(tail, namespace, kind));
        self.namespace_mut(namespace)
            .commands
            .insert(tail.into(), Rc::clone(&command));
        command
    }

    /// Defines a command, replacing an older one of the same name.
    pub(super) fn define_command(
        &mut self,
        namespace: NamespaceId,
        tail: &[u8],
        kind: CommandKind,
    ) -> Rc<Command> {
        if let Some(old) = self.namespace(namespace).commands.get(tail).cloned() {
            self.retire(&old);
            self.namespace_mut(namespace).commands.shift_remove(tail);
        }
        self.commands_changed();
        if namespace != GLOBAL && self.namespace(namespace).name.ends_with(b"::mathfunc") {
            self.user_functions = true;
        }
        self.enter_command(namespace, tail, kind)
    }

    /// Deletes a command.
    pub(super) fn delete_command(&mut self, command: &Rc<Command>) {
        // Traces see the command under its name still; one may delete it again.
        if !command.deleted.get() {
            self.retire(command);
        }
        let namespace = command.namespace.get();
        let name = command.name.borrow().clone();
        self.hide(command, namespace, &name);
        let table = &mut self.namespace_mut(namespace).commands;
        if table
            .get(&name)
            .is_some_and(|found| Rc::ptr_eq(found, command))
        {
            table.shift_remove(&name);
        }
        self.commands_changed();
    }

    /// Takes a command out of its namespace for `interp hide`.
    pub(super) fn withdraw_command(&mut self, command: &Rc<Command>) {
        let namespace = command.namespace.get();
        let name = command.name.borrow().clone();
        self.hide(command, namespace, &name);
        self.namespace_mut(namespace).commands.shift_remove(&name);
        self.commands_changed();
    }

    /// Puts a command into the global namespace for `interp expose`.
    pub(super) fn restore_command(&mut self, command: &Rc<Command>, name: &[u8]) {
        *command.name.borrow_mut() = name.into();
        command.namespace.set(GLOBAL);
        self.namespace_mut(GLOBAL)
            .commands
            .insert(name.into(), Rc::clone(command));
        self.commands_changed();
    }

    /// Marks a command deleted and deletes what imports it.
    fn retire(&mut self, command: &Rc<Command>) {
        command.deleted.set(true);
        if let CommandKind::Child(id) = &command.kind {
            self.delete_realm(*id);
        }
        let name = self.command_name(command);
        self.fire_command_traces(command, &name, b"", "delete");
        command.traces.borrow_mut().clear();
        let imports: Vec<Rc<Command>> = self
            .namespaces
            .iter()
            .filter(|namespace| !namespace.deleted)
            .flat_map(|namespace| namespace.commands.values())
            .filter(|other| matches!(&other.kind, CommandKind::Import(source) if Rc::ptr_eq(source, command)))
            .cloned()
            .collect();
        for import in imports {
            self.delete_command(&import);
        }
    }

    /// Remembers that a built-in command is gone, so that the table does not bring it back.
    fn hide(&mut self, command: &Command, namespace: NamespaceId, name: &[u8]) {
        match &command.kind {
            CommandKind::Builtin(def) if def.name.as_bytes() == name => {
                self.namespace_mut(namespace).hidden.insert(def.name);
            }
            CommandKind::Function(function) => {
                self.namespace_mut(namespace).hidden.insert(function.name);
                self.user_functions = true;
            }
            CommandKind::Embedding(_) => {
                self.hidden_embedding.insert(name.into());
            }
            CommandKind::Proc(_) => {
                let space = &self.namespace(namespace).name;
                let known = space
                    .strip_prefix(b"::")
                    .and_then(|space| std::str::from_utf8(space).ok())
                    .and_then(|space| library::names(space).find(|known| known.as_bytes() == name));
                if let Some(known) = known {
                    self.namespace_mut(namespace).hidden.insert(known);
                }
            }
            _ => {}
        }
    }

    /// Renames a command.
    pub(super) fn rename_command(&mut self, old: &[u8], new: &[u8]) -> Outcome<()> {
        let Some(command) = self.find_command(old) else {
            let verb = if new.is_empty() { "delete" } else { "rename" };
            let message = bytes!("can't ", verb, " \"", old, "\": command doesn't exist");
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"COMMAND", old],
            ));
        };
        if new.is_empty() {
            self.delete_command(&command);
            return Ok(());
        }
        let place = self.resolve_qualified(new, self.current_namespace());
        let (namespace, tail) = place.ok_or_else(|| {
            let message = bytes!("can't rename to \"", new, "\": bad command name");
            Exit::coded(message, &["TCL", "VALUE", "COMMAND"])
        })?;
        if self.command_in(namespace, tail).is_some() {
            let message = bytes!("can't rename to \"", new, "\": command already exists");
            return Err(Exit::coded(
                message,
                &["TCL", "OPERATION", "RENAME", "TARGET_EXISTS"],
            ));
        }
        let from = command.namespace.get();
        let name = command.name.borrow().clone();
        let (old, full) = (self.full_name(from, &name), self.full_name(namespace, tail));
        *command.name.borrow_mut() = tail.into();
        command.namespace.set(namespace);
        if namespace != GLOBAL && self.namespace(namespace).name.ends_with(b"::mathfunc") {
            self.user_functions = true;
        }
        self.namespace_mut(namespace)
            .commands
            .insert(tail.into(), Rc::clone(&command));
        self.commands_changed();
        // Traces find it under both names.
        self.fire_command_traces(&command, &old, &full, "rename");
        self.hide(&command, from, &name);
        let table = &mut self.namespace_mut(from).commands;
        if table
            .get(&name)
            .is_some_and(|found| Rc::ptr_eq(found, &command))
        {
            table.shift_remove(&name);
        }
        self.commands_changed();
        Ok(())
    }

    /// The full name of a command: `::name`.
    pub(super) fn command_name(&self, command: &Command) -> Vec<u8> {
        self.full_name(command.namespace.get(), &command.name.borrow())
    }

    /// The names of the commands of a namespace, Tcl's own included, in the order of their names.
    pub(super) fn command_names(&self, namespace: NamespaceId) -> Vec<Vec<u8>> {
        let space = self.namespace(namespace);
        let mut names: HashMap<Vec<u8>, ()> = space
            .commands
            .keys()
            .map(|name| (name.to_vec(), ()))
            .collect();
        if let Some(prefix) = space.name.strip_prefix(b"::") {
            for def in builtin::table(prefix).filter(|def| !space.hidden.contains(def.name)) {
                names.insert(def.name.as_bytes().to_vec(), ());
            }
            if prefix == b"tcl::mathfunc" {
                for function in super::math::FUNCTIONS {
                    if !space.hidden.contains(function.name) {
                        names.insert(function.name.as_bytes().to_vec(), ());
                    }
                }
            }
        }
        if namespace == GLOBAL {
            let known = match self.has_embedding() {
                true => self.host.command_names(),
                false => Vec::new(),
            };
            for name in known {
                if !self.hidden_embedding.contains(name.as_bytes()) {
                    names.insert(name.as_bytes().to_vec(), ());
                }
            }
        }
        let mut names: Vec<Vec<u8>> = names.into_keys().collect();
        names.sort();
        names
    }

    /// Takes a namespace out of the one around it.
    fn detach_namespace(&mut self, id: NamespaceId) {
        let Some(parent) = self.namespace(id).parent else {
            return;
        };
        let name = self.namespace(id).name.clone();
        let (_, tail) = split_name(&name);
        let children = &mut self.namespace_mut(parent).children;
        if children.get(tail) == Some(&id) {
            children.shift_remove(tail);
        }
    }

    /// Deletes a namespace with everything in it.
    pub(super) fn delete_namespace(&mut self, id: NamespaceId) {
        // Traces may delete it once more; the global one lives as long as procs run in it.
        let busy = match id {
            GLOBAL => self.frames.len() > 1,
            _ => std::mem::replace(&mut self.namespace_mut(id).deleting, true),
        };
        if busy {
            return;
        }
        // One that code runs in is not found any more while it is taken apart.
        if id != GLOBAL && self.frames.iter().any(|frame| frame.namespace == id) {
            self.detach_namespace(id);
        }
        for child in self
            .namespace(id)
            .children
            .values()
            .copied()
            .collect::<Vec<_>>()
        {
            self.delete_namespace(child);
        }
        for command in self
            .namespace(id)
            .commands
            .values()
            .cloned()
            .collect::<Vec<_>>()
        {
            self.delete_command(&command);
        }
        // An ensemble that was renamed away goes with its namespace.
        let ensembles: Vec<Rc<Command>> = (self.namespaces.iter())
            .flat_map(|namespace| namespace.commands.values())
            .filter(|command| match &command.kind {
                CommandKind::Ensemble(ensemble) => {
                    id != GLOBAL && ensemble.borrow().namespace == id
                }
                _ => false,
            })
            .cloned()
            .collect();
        for ensemble in ensembles {
            self.delete_command(&ensemble);
        }
        for (name, var) in self.namespace(id).vars.clone() {
            let full = self.full_name(id, &name);
            // A trace may fail; the variable is gone all the same.
            let _ = self.unset_var(&full);
            if !var.is_link() {
                var.set_role(Role::Lost);
            }
        }
        self.namespace_mut(id).vars.clear();
        if id == GLOBAL {
            return;
        }
        self.detach_namespace(id);
        self.namespace_mut(id).deleted = true;
        for namespace in &mut self.namespaces {
            namespace.path.retain(|&at| at != id);
        }
        self.commands_changed();
    }
}
