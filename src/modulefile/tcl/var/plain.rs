//! The short ways to variables that nobody watches: how the commands of a loop find, read and change them.
//!
//! A name in a script remembers where in its table the variable was found last time, see [`Value::slot`].

use std::rc::Rc;

use super::{Var, VarName, VarState, VarTable};
use crate::modulefile::tcl::error::Outcome;
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::parse::{VarRef, Word, WordKind};
use crate::modulefile::tcl::value::Value;

impl Interp<'_> {
    /// The variable of the current scope when it is a plain one: no trace, no element. Its place is remembered with
    /// the name, so that a literal in a body finds it without hashing.
    fn plain_local(&self, name: &Value) -> Option<&Rc<Var>> {
        let frame = self.frame();
        let table = if frame.is_proc() {
            &frame.vars
        } else {
            &self.namespace(frame.namespace).vars
        };
        let text = name.bytes();
        let var = match table.get_index(name.slot()) {
            Some((key, var)) if same_name(key, text) => var,
            _ => {
                let (at, _, var) = table.get_full(text)?;
                name.set_slot(at);
                var
            }
        };
        (!var.traced.get()).then_some(var)
    }

    /// Does something with the value of a plain variable, or of the one that it is a link to; `None` when it is not one,
    /// and nothing was done.
    pub(in crate::modulefile::tcl) fn with_plain<T>(
        &self,
        name: &Value,
        run: impl FnOnce(&mut Value) -> T,
    ) -> Option<T> {
        let var = self.plain_local(name)?;
        match &mut *var.state.borrow_mut() {
            VarState::Scalar(value) => Some(run(value)),
            VarState::Link(target) if !target.traced.get() => {
                match &mut *target.state.borrow_mut() {
                    VarState::Scalar(value) => Some(run(value)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The same for an element of an array that nobody watches.
    pub(super) fn with_plain_element<T>(
        &self,
        name: &Value,
        index: &Value,
        run: impl FnOnce(&mut Value) -> T,
    ) -> Option<T> {
        let var = self.plain_local(name)?;
        match &*var.state.borrow() {
            VarState::Array(table) => plain_element(table, index, run),
            VarState::Link(target) if !target.traced.get() => match &*target.state.borrow() {
                VarState::Array(table) => plain_element(table, index, run),
                _ => None,
            },
            _ => None,
        }
    }

    /// Adds to a plain variable that holds a small integer: the usual case of `incr`.
    pub(in crate::modulefile::tcl) fn incr_local(
        &mut self,
        name: &Value,
        by: i64,
    ) -> Option<Value> {
        self.with_plain(name, |value| add_small(value, by))?
    }

    /// The same for an element of an array.
    pub(in crate::modulefile::tcl) fn incr_element(
        &mut self,
        name: &Value,
        index: &Value,
        by: i64,
    ) -> Option<Value> {
        self.with_plain_element(name, index, |value| add_small(value, by))?
    }

    /// The integer in a plain variable, when it is known to be one: the usual case of comparisons.
    pub(in crate::modulefile::tcl) fn peek_int(&self, variable: &VarRef) -> Option<i64> {
        if variable.index.is_some() {
            return None;
        }
        self.with_plain(&variable.name, |value| value.int_form())?
    }

    /// The same for a word of a script, whose variable is found more quickly the next time.
    pub(in crate::modulefile::tcl) fn set_word(&mut self, name: &Value, value: Value) -> Outcome {
        match self.set_plain(name, value.clone()) {
            Some(value) => Ok(value),
            None => self.set_var(name.bytes(), value),
        }
    }

    /// Sets a variable that is a plain one and exists; gives its new value.
    pub(in crate::modulefile::tcl) fn set_plain(
        &mut self,
        name: &Value,
        value: Value,
    ) -> Option<Value> {
        // No name of an element and no qualified name is a key of the table.
        self.with_plain(name, |old| *old = value.clone())?;
        Some(value)
    }

    /// Sets an element of an array whose name and index are known apart.
    pub(in crate::modulefile::tcl) fn set_element(
        &mut self,
        name: &Value,
        index: &Value,
        value: Value,
    ) -> Outcome {
        let set = |old: &mut Value| *old = value.clone();
        if self.with_plain_element(name, index, set).is_some() {
            return Ok(value);
        }
        let (name, index) = (name.bytes(), Some(index.bytes()));
        self.set_name(VarName { name, index }, value)
    }

    /// The value of a word that is a literal or a plain variable.
    pub(in crate::modulefile::tcl) fn plain_word(&self, word: &Word) -> Option<Value> {
        match &word.kind {
            _ if word.expand => None,
            WordKind::Const(value) => Some(value.clone()),
            WordKind::Var(variable) if variable.index.is_none() => {
                self.with_plain(&variable.name, |value| value.clone())
            }
            _ => None,
        }
    }

    /// The integer of a word that is a literal or a plain variable, when it is known to be a small one.
    pub(in crate::modulefile::tcl) fn plain_int(&self, word: &Word) -> Option<i64> {
        match &word.kind {
            _ if word.expand => None,
            WordKind::Const(value) => value.int_form(),
            WordKind::Var(variable) => self.peek_int(variable),
            _ => None,
        }
    }

    /// Reads a variable that a word of a script names.
    pub(in crate::modulefile::tcl) fn get_word(&mut self, name: &Value) -> Outcome {
        match self.with_plain(name, |value| value.clone()) {
            Some(value) => Ok(value),
            None => self.get_var(name.bytes()),
        }
    }

    /// Changes the value of a plain variable in place; `None` when it is not one, and nothing was done.
    pub(in crate::modulefile::tcl) fn change_word(
        &mut self,
        name: &Value,
        change: impl FnOnce(&mut Value) -> Outcome<()>,
    ) -> Option<Outcome> {
        self.with_plain(name, |value| change(value).map(|()| value.clone()))
    }
}

fn plain_element<T>(
    table: &VarTable,
    index: &Value,
    run: impl FnOnce(&mut Value) -> T,
) -> Option<T> {
    let element = table.get(index.bytes())?;
    match &mut *element.state.borrow_mut() {
        VarState::Scalar(value) if !element.traced.get() => Some(run(value)),
        _ => None,
    }
}

/// Adds to a value that is known to be a small integer.
fn add_small(value: &mut Value, by: i64) -> Option<Value> {
    let sum = value.int_form()?.checked_add(by)?;
    value.set_int(sum);
    Some(value.clone())
}

/// Whether two names are the same. Names are short: comparing them here is cheaper than calling `memcmp`.
fn same_name(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}
