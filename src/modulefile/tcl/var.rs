//! Variables: scalars, arrays in insertion order, links, traces, and the live array `env`.
//!
//! Source: Tcl 8.6, `set(n)`, `upvar(n)`, `variable(n)`, `trace(n)`.

mod plain;
mod traces;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::error::{Exit, Outcome};
use super::interp::Interp;
use super::namespace::{GLOBAL, NamespaceId};
use super::parse::{VarRef, split_element};
use super::value::Value;

pub(super) use traces::{PRECISION_TRACE, VarTrace};

/// Variables by name.
pub(super) type VarTable = IndexMap<Box<[u8]>, Rc<Var>, FxBuildHasher>;

/// A variable or an element of an array. It stays in its table after `unset` as long as somebody may have a link to it.
#[derive(Default)]
pub(super) struct Var {
    pub(super) state: RefCell<VarState>,
    traced: Cell<bool>,
    traces: RefCell<Vec<Rc<VarTrace>>>,
    /// A trace of this variable runs: it does not fire again.
    tracing: Cell<bool>,
    role: Cell<Role>,
}

/// What a variable is besides its value.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    #[default]
    Plain,
    /// Named by `variable`: listed also while it has no value.
    Declared,
    /// Of an array: it cannot become an array itself.
    Element,
    /// Of an array that is gone, kept by a link.
    LostElement,
    /// Of a namespace that is gone, kept by a link.
    Lost,
}

#[derive(Default)]
pub(super) enum VarState {
    #[default]
    Undefined,
    Scalar(Value),
    Array(VarTable),
    /// `upvar`, `global`, `variable`
    Link(Rc<Var>),
    /// The environment.
    Env,
    /// A variable of the environment, linked by `upvar`.
    EnvElement(Box<[u8]>),
}

impl Var {
    /// An element of an array, without a value.
    fn element() -> Rc<Var> {
        Rc::new(Var {
            role: Cell::new(Role::Element),
            ..Var::default()
        })
    }

    fn with(state: VarState) -> Rc<Var> {
        Rc::new(Var {
            state: RefCell::new(state),
            ..Var::default()
        })
    }

    /// A link to another variable.
    pub(super) fn link(target: Rc<Var>) -> Rc<Var> {
        Var::with(VarState::Link(target))
    }

    /// The environment.
    pub(super) fn env() -> Rc<Var> {
        Var::with(VarState::Env)
    }

    pub(super) fn scalar(value: Value) -> Rc<Var> {
        Var::with(VarState::Scalar(value))
    }

    pub(super) fn array(table: VarTable) -> Rc<Var> {
        Var::with(VarState::Array(table))
    }

    /// Sets an element of an array that nobody watches yet.
    pub(super) fn set_element(&self, index: &[u8], value: Value) {
        if let VarState::Array(table) = &mut *self.state.borrow_mut() {
            table.insert(index.into(), Var::scalar(value));
        }
    }

    /// The variable that links lead to.
    pub(super) fn target(self: &Rc<Var>) -> Rc<Var> {
        let mut var = Rc::clone(self);
        loop {
            let next = match &*var.state.borrow() {
                VarState::Link(next) => Rc::clone(next),
                _ => break,
            };
            var = next;
        }
        var
    }

    pub(super) fn is_traced(&self) -> bool {
        self.traced.get()
    }

    pub(super) fn is_link(&self) -> bool {
        matches!(&*self.state.borrow(), VarState::Link(_))
    }

    pub(super) fn role(&self) -> Role {
        self.role.get()
    }

    pub(super) fn set_role(&self, role: Role) {
        self.role.set(role);
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(&*self.state.borrow(), VarState::Array(_) | VarState::Env)
    }

    pub(super) fn is_defined(&self) -> bool {
        match &*self.state.borrow() {
            VarState::Undefined => false,
            VarState::Link(target) => target.is_defined(),
            _ => true,
        }
    }

    /// Makes it an array when it has no value; whether it is one now.
    pub(super) fn make_array(&self) -> bool {
        let mut state = self.state.borrow_mut();
        if matches!(&*state, VarState::Undefined) && self.may_be_array() {
            *state = VarState::Array(VarTable::default());
        }
        matches!(&*state, VarState::Array(_) | VarState::Env)
    }

    /// Whether elements may be set in it while it has no value.
    fn may_be_array(&self) -> bool {
        matches!(self.role.get(), Role::Plain | Role::Declared)
    }

    pub(super) fn add_trace(&self, trace: VarTrace) {
        self.traces.borrow_mut().push(Rc::new(trace));
        self.traced.set(true);
    }

    pub(super) fn remove_trace(&self, operations: &[&'static str], script: &Value) {
        let mut traces = self.traces.borrow_mut();
        if let Some(at) = traces
            .iter()
            .rposition(|trace| trace.operations == operations && trace.script == *script)
        {
            traces.remove(at).removed.set(true);
        }
        self.traced.set(!traces.is_empty());
    }

    /// Takes all traces away: those of `unset` are called without them.
    fn take_traces(&self) -> Vec<Rc<VarTrace>> {
        self.traced.set(false);
        let mut traces = self.traces.take();
        traces.reverse();
        for trace in &traces {
            trace.removed.set(true);
        }
        traces
    }

    pub(super) fn traces(&self) -> Vec<Rc<VarTrace>> {
        self.traces.borrow().iter().rev().cloned().collect()
    }
}

/// `name` or `name(index)` taken apart.
#[derive(Clone, Copy)]
pub(super) struct VarName<'a> {
    pub(super) name: &'a [u8],
    pub(super) index: Option<&'a [u8]>,
}

impl<'a> VarName<'a> {
    pub(super) fn parse(text: &'a [u8]) -> VarName<'a> {
        let (name, index) = split_element(text);
        VarName { name, index }
    }

    fn full(self) -> Vec<u8> {
        match self.index {
            Some(index) => bytes!(self.name, "(", index, ")"),
            None => self.name.to_vec(),
        }
    }
}

/// The error `can't VERB "NAME": WHY` for a name that means nothing.
pub(super) fn cannot(verb: &str, name: VarName<'_>, why: &str) -> Exit {
    let message = bytes!("can't ", verb, " \"", name.full(), "\": ", why);
    let shown = if why == NO_NAMESPACE {
        name.full()
    } else {
        name.name.to_vec()
    };
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"VARNAME", &shown])
}

/// The same for a variable that exists but cannot be used so.
fn unusable(verb: &str, name: VarName<'_>, why: &str) -> Exit {
    let message = bytes!("can't ", verb, " \"", name.full(), "\": ", why);
    let what = match verb {
        "read" => "READ",
        "unset" => "UNSET",
        _ => "WRITE",
    };
    Exit::coded(message, &["TCL", what, "VARNAME"])
}

/// The error for an element of what has no value and cannot become an array.
fn no_array(verb: &str, name: VarName<'_>, role: Role) -> Exit {
    let why = match role {
        Role::Lost => LOST_VARIABLE,
        _ => NOT_ARRAY,
    };
    let message = bytes!("can't ", verb, " \"", name.full(), "\": ", why);
    Exit::coded(message, &["TCL", "LOOKUP", "VARNAME"])
}

/// The error of `unset` for an element that is not there.
fn no_element(name: VarName<'_>) -> Exit {
    let message = bytes!("can't unset \"", name.full(), "\": ", NO_ELEMENT);
    let index = name.index.unwrap_or_default();
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"ELEMENT", index])
}

const NO_VARIABLE: &str = "no such variable";
const NO_ELEMENT: &str = "no such element in array";
const IS_ARRAY: &str = "variable is array";
pub(super) const NOT_ARRAY: &str = "variable isn't array";
const LOST_ELEMENT: &str = "upvar refers to element in deleted array";
const LOST_VARIABLE: &str = "upvar refers to variable in deleted namespace";
pub(super) const NO_NAMESPACE: &str = "parent namespace doesn't exist";

impl<'h> Interp<'h> {
    /// The variable of this name in the current scope, links followed.
    pub(super) fn find_var(&mut self, name: &[u8]) -> Option<Rc<Var>> {
        self.find_entry(name).map(|var| var.target())
    }

    /// The entry of this name in the current scope, which may be a link.
    pub(super) fn find_entry(&mut self, name: &[u8]) -> Option<Rc<Var>> {
        if is_qualified(name) {
            let (namespace, tail) = self.variable_namespace(name)?;
            return self.namespace(namespace).vars.get(tail).cloned();
        }
        let frame = self.frame();
        if frame.is_proc() {
            return frame.vars.get(name).cloned();
        }
        let namespace = frame.namespace;
        let found = self.namespace(namespace).vars.get(name);
        match found {
            Some(var) => Some(Rc::clone(var)),
            None => self.namespace(GLOBAL).vars.get(name).cloned(),
        }
    }

    /// The variable of this name, made when it does not exist; `None` when its namespace does not exist.
    pub(super) fn make_var(&mut self, name: &[u8]) -> Option<Rc<Var>> {
        if let Some(var) = self.find_entry(name) {
            return Some(var.target());
        }
        let var = Rc::new(Var::default());
        self.insert_var(name, Rc::clone(&var)).then_some(var)
    }

    /// Enters a variable into the current scope; false when its namespace does not exist.
    pub(super) fn insert_var(&mut self, name: &[u8], var: Rc<Var>) -> bool {
        if is_qualified(name) {
            let Some((namespace, tail)) = self.variable_namespace_for_new(name) else {
                return false;
            };
            let tail = tail.into();
            self.namespace_mut(namespace).vars.insert(tail, var);
            return true;
        }
        let frame = self.frame_mut();
        if frame.is_proc() {
            frame.vars.insert(name.into(), var);
        } else {
            let namespace = frame.namespace;
            self.namespace_mut(namespace).vars.insert(name.into(), var);
        }
        true
    }

    /// The namespace and the tail of a qualified name of an existing variable.
    fn variable_namespace<'n>(&mut self, name: &'n [u8]) -> Option<(NamespaceId, &'n [u8])> {
        let current = self.frame().namespace;
        let (namespace, tail) = self.resolve_qualified(name, current)?;
        if !name.starts_with(b"::")
            && !self.namespace(namespace).vars.contains_key(tail)
            && let Some((global, tail)) = self.resolve_qualified(name, GLOBAL)
            && self.namespace(global).vars.contains_key(tail)
        {
            return Some((global, tail));
        }
        Some((namespace, tail))
    }

    fn variable_namespace_for_new<'n>(
        &mut self,
        name: &'n [u8],
    ) -> Option<(NamespaceId, &'n [u8])> {
        let current = self.frame().namespace;
        self.resolve_qualified(name, current)
            .or_else(|| self.resolve_qualified(name, GLOBAL))
            .filter(|(_, tail)| !tail.is_empty() || name.ends_with(b"::"))
    }

    /// Reads `$name` or `$name(index)` of a script.
    pub(super) fn read_ref(&mut self, variable: &VarRef) -> Outcome {
        let name = &variable.name;
        if variable.index.is_none() {
            return match self.with_plain(name, |value| value.clone()) {
                Some(value) => Ok(value),
                None => self.read_scalar(name.bytes()),
            };
        }
        let index = self.index_value(variable)?;
        match self.with_plain_element(name, &index, |value| value.clone()) {
            Some(value) => Ok(value),
            None => self.read_element(name.bytes(), index.bytes()),
        }
    }

    /// The value of a variable by its text: `name` or `name(index)`.
    pub fn get_var(&mut self, name: &[u8]) -> Outcome {
        match VarName::parse(name) {
            VarName { name, index: None } => self.read_scalar(name),
            VarName {
                name,
                index: Some(index),
            } => self.read_element(name, index),
        }
    }

    fn read_scalar(&mut self, name: &[u8]) -> Outcome {
        let target = VarName { name, index: None };
        let Some(var) = self.find_var(name) else {
            return Err(cannot("read", target, NO_VARIABLE));
        };
        self.fire(&var, None, target, "read")?;
        let state = var.state.borrow();
        match &*state {
            VarState::Scalar(value) => Ok(value.clone()),
            VarState::Array(_) | VarState::Env => Err(unusable("read", target, IS_ARRAY)),
            VarState::EnvElement(index) => match self.host.env_get(index) {
                Some(value) => Ok(Value::new(value)),
                None => Err(cannot("read", target, NO_VARIABLE)),
            },
            VarState::Undefined | VarState::Link(_) => Err(unusable("read", target, NO_VARIABLE)),
        }
    }

    fn read_element(&mut self, name: &[u8], index: &[u8]) -> Outcome {
        let target = VarName {
            name,
            index: Some(index),
        };
        let Some(var) = self.find_var(name) else {
            return Err(cannot("read", target, NO_VARIABLE));
        };
        // What is no array has no elements that could be read.
        if matches!(&*var.state.borrow(), VarState::Array(_) | VarState::Env) {
            self.fire(&var, Some(index), target, "read")?;
        }
        let element = match &*var.state.borrow() {
            VarState::Array(table) => table.get(index).map(|element| element.target()),
            VarState::Env => {
                return match self.host.env_get(index) {
                    Some(value) => Ok(Value::new(value)),
                    None => Err(cannot("read", target, NO_VARIABLE)),
                };
            }
            VarState::Undefined | VarState::Link(_) => {
                return Err(cannot("read", target, NO_VARIABLE));
            }
            VarState::Scalar(_) | VarState::EnvElement(_) => {
                return Err(cannot("read", target, NOT_ARRAY));
            }
        };
        let state = element.as_ref().map(|element| element.state.borrow());
        match state.as_deref() {
            Some(VarState::Scalar(value)) => Ok(value.clone()),
            _ => Err(unusable("read", target, NO_ELEMENT)),
        }
    }

    /// Whether `name` or `name(index)` has a value.
    pub(super) fn var_exists(&mut self, name: &[u8]) -> bool {
        let target = VarName::parse(name);
        let Some(var) = self.find_var(target.name) else {
            return false;
        };
        if var.traced.get() && self.fire(&var, target.index, target, "read").is_err() {
            return false;
        }
        let state = var.state.borrow();
        match (&*state, target.index) {
            (VarState::Array(table), Some(index)) => {
                table.get(index).is_some_and(|element| element.is_defined())
            }
            (VarState::Env, Some(index)) => self.host.env_get(index).is_some(),
            (_, Some(_)) => false,
            (VarState::EnvElement(index), None) => self.host.env_get(index).is_some(),
            (state, None) => !matches!(state, VarState::Undefined),
        }
    }

    /// Sets a variable by its text: `name` or `name(index)`; gives its new value.
    pub fn set_var(&mut self, name: &[u8], value: Value) -> Outcome {
        self.set_name(VarName::parse(name), value)
    }

    /// Sets a variable whose name is taken apart already.
    pub(super) fn set_name(&mut self, target: VarName<'_>, value: Value) -> Outcome {
        self.change(target, "set", |slot| {
            *slot = Some(value);
            Ok(())
        })
    }

    /// Changes a variable in place: `change` finds the old value, if there is one, and leaves the new one. Traces fire.
    pub(super) fn change(
        &mut self,
        target: VarName<'_>,
        verb: &str,
        change: impl FnOnce(&mut Option<Value>) -> Outcome<()>,
    ) -> Outcome {
        let Some(var) = self.make_var(target.name) else {
            return Err(cannot(verb, target, NO_NAMESPACE));
        };
        self.change_var(&var, target, verb, change)
    }

    fn change_var(
        &mut self,
        var: &Rc<Var>,
        target: VarName<'_>,
        verb: &str,
        change: impl FnOnce(&mut Option<Value>) -> Outcome<()>,
    ) -> Outcome {
        let cell = match target.index {
            None => Rc::clone(var),
            Some(index) => {
                let mut state = var.state.borrow_mut();
                if matches!(&*state, VarState::Undefined) && var.may_be_array() {
                    *state = VarState::Array(VarTable::default());
                }
                match &mut *state {
                    VarState::Array(table) => match table.get(index) {
                        Some(element) => element.target(),
                        None => {
                            let element = Var::element();
                            table.insert(index.into(), Rc::clone(&element));
                            element
                        }
                    },
                    VarState::Env => {
                        drop(state);
                        return self.change_env(index, target, var, change);
                    }
                    VarState::Scalar(_) | VarState::EnvElement(_) => {
                        return Err(cannot(verb, target, NOT_ARRAY));
                    }
                    _ => return Err(no_array(verb, target, var.role.get())),
                }
            }
        };
        match cell.role.get() {
            Role::LostElement => return Err(unusable(verb, target, LOST_ELEMENT)),
            Role::Lost => return Err(unusable(verb, target, LOST_VARIABLE)),
            Role::Plain | Role::Declared | Role::Element => {}
        }
        // The old value is taken out, so that a change can be made in place when nobody else holds it.
        let mut slot = match &mut *cell.state.borrow_mut() {
            VarState::Array(_) | VarState::Env => return Err(unusable(verb, target, IS_ARRAY)),
            state @ VarState::Scalar(_) => match std::mem::take(state) {
                VarState::Scalar(value) => Some(value),
                _ => unreachable!("matched as a scalar"),
            },
            VarState::EnvElement(index) => {
                let index = index.clone();
                return self.change_env(&index, target, var, change);
            }
            VarState::Undefined | VarState::Link(_) => None,
        };
        let result = change(&mut slot);
        let Some(new) = slot else {
            return result.map(|()| Value::empty());
        };
        *cell.state.borrow_mut() = VarState::Scalar(new.clone());
        result?;
        if !var.traced.get() && !cell.traced.get() {
            return Ok(new);
        }
        drop(new);
        self.fire(var, target.index, target, "write")?;
        match &*cell.state.borrow() {
            VarState::Scalar(value) => Ok(value.clone()),
            _ => Ok(Value::empty()),
        }
    }

    fn change_env(
        &mut self,
        index: &[u8],
        target: VarName<'_>,
        var: &Rc<Var>,
        change: impl FnOnce(&mut Option<Value>) -> Outcome<()>,
    ) -> Outcome {
        let mut slot = self.host.env_get(index).map(Value::new);
        change(&mut slot)?;
        let new = slot.unwrap_or_default();
        if let Err(why) = self.host.env_set(index, new.bytes()) {
            return Err(cannot("set", target, &why));
        }
        self.fire(var, target.index, target, "write")?;
        Ok(new)
    }

    /// Removes a variable or an element.
    pub(super) fn unset_var(&mut self, name: &[u8]) -> Outcome<()> {
        let target = VarName::parse(name);
        let Some(var) = self.find_var(target.name) else {
            return Err(cannot("unset", target, NO_VARIABLE));
        };
        let Some(index) = target.index else {
            if !var.is_defined() {
                self.fire_unset(&var, target.name, b"");
                return Err(cannot("unset", target, NO_VARIABLE));
            }
            if let VarState::EnvElement(index) = &*var.state.borrow() {
                return self
                    .host
                    .env_unset(index)
                    .map_err(|why| cannot("unset", target, &why));
            }
            // Without its array the environment stays as it is.
            let old = var.state.replace(VarState::Undefined);
            if let VarState::Array(table) = &old {
                for (index, element) in table {
                    self.fire_unset(element, target.name, index);
                    element.state.replace(VarState::Undefined);
                    element.role.set(Role::LostElement);
                }
            }
            if var.role.get() == Role::Declared {
                var.role.set(Role::Plain);
            }
            self.fire_unset(&var, target.name, b"");
            self.forget_entry(target.name, &var);
            return Ok(());
        };
        let mut state = var.state.borrow_mut();
        let removed = match &mut *state {
            VarState::Array(table) => match table.get(index) {
                // A link to it keeps it.
                Some(element) if element.is_defined() && Rc::strong_count(element) > 1 => {
                    Some(Rc::clone(element))
                }
                Some(element) if element.is_defined() => table.shift_remove(index),
                // Nothing to remove but what watches for it.
                Some(_) => {
                    let element = table.shift_remove(index);
                    drop(state);
                    if let Some(element) = element {
                        self.fire_unset(&element, target.name, index);
                    }
                    return Err(no_element(target));
                }
                None => return Err(no_element(target)),
            },
            VarState::Env => {
                if self.host.env_get(index).is_none() {
                    return Err(no_element(target));
                }
                return self
                    .host
                    .env_unset(index)
                    .map_err(|why| cannot("unset", target, &why));
            }
            VarState::Undefined => return Err(cannot("unset", target, NO_VARIABLE)),
            _ => return Err(cannot("unset", target, NOT_ARRAY)),
        };
        drop(state);
        if let Some(element) = removed {
            element.state.replace(VarState::Undefined);
            self.fire_unset(&element, target.name, index);
            if var.traced.get() {
                // The array stays, and so do its traces; they cannot prevent the removal.
                let _ = self.fire_all(&var, target.name, index, "unset");
            }
        }
        Ok(())
    }

    /// Takes a variable without a value out of its namespace, so that the global one of its name is seen again. Who
    /// holds a link to it or watches it keeps it.
    fn forget_entry(&mut self, name: &[u8], var: &Rc<Var>) {
        let (namespace, tail) = if is_qualified(name) {
            match self.variable_namespace(name) {
                Some(found) => found,
                None => return,
            }
        } else if self.frame().is_proc() {
            return;
        } else {
            (self.frame().namespace, name)
        };
        let table = &mut self.namespace_mut(namespace).vars;
        // One is the table's, one is the caller's.
        if Rc::strong_count(var) == 2
            && !var.traced.get()
            && !var.is_defined()
            && table.get(tail).is_some_and(|entry| Rc::ptr_eq(entry, var))
        {
            table.shift_remove(tail);
        }
    }

    /// The array of this name; `None` when there is none.
    pub(super) fn find_array(&mut self, name: &[u8]) -> Option<Rc<Var>> {
        self.find_var(name).filter(|var| var.is_array())
    }

    /// The names of the elements of an array in insertion order.
    pub(super) fn element_names(&mut self, array: &Rc<Var>) -> Vec<Value> {
        match &*array.state.borrow() {
            VarState::Array(table) => table
                .iter()
                .filter(|(_, element)| element.is_defined())
                .map(|(name, _)| Value::from(&name[..]))
                .collect(),
            VarState::Env => self.host.env_names().into_iter().map(Value::new).collect(),
            _ => Vec::new(),
        }
    }

    /// The variable that `upvar` links to: an element is made when it does not exist.
    pub(super) fn link_target(&mut self, name: &[u8]) -> Outcome<Rc<Var>> {
        self.target_of(name, "access")
    }

    fn target_of(&mut self, name: &[u8], verb: &str) -> Outcome<Rc<Var>> {
        let target = VarName::parse(name);
        let Some(var) = self.make_var(target.name) else {
            return Err(cannot(verb, target, NO_NAMESPACE));
        };
        let Some(index) = target.index else {
            return Ok(var);
        };
        let mut state = var.state.borrow_mut();
        match &mut *state {
            VarState::Undefined if var.may_be_array() => {
                let element = Var::element();
                let mut table = VarTable::default();
                table.insert(index.into(), Rc::clone(&element));
                *state = VarState::Array(table);
                Ok(element)
            }
            VarState::Array(table) => Ok(match table.get(index) {
                Some(element) => element.target(),
                None => {
                    let element = Var::element();
                    table.insert(index.into(), Rc::clone(&element));
                    element
                }
            }),
            VarState::Env => Ok(Var::with(VarState::EnvElement(index.into()))),
            _ => Err(cannot(verb, target, NOT_ARRAY)),
        }
    }
}

/// Whether a name has `::` in it.
pub(super) fn is_qualified(name: &[u8]) -> bool {
    name.windows(2).any(|pair| pair == b"::")
}
