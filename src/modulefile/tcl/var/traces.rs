//! Traces of variables: the scripts that are called when one is read, written, unset or used as an array.
//!
//! Source: Tcl 8.6, `trace(n)`.

use std::cell::Cell;
use std::rc::Rc;

use super::{Var, VarName, VarState, VarTable};
use crate::modulefile::tcl::error::{Error, Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::list;
use crate::modulefile::tcl::value::Value;

/// A script that is called when a variable is used.
pub(in crate::modulefile::tcl) struct VarTrace {
    /// `array read write unset`, in the order of the definition.
    pub(in crate::modulefile::tcl) operations: Vec<&'static str>,
    pub(in crate::modulefile::tcl) script: Value,
    /// Made by `trace variable`, which tells operations by their first letters.
    letters: bool,
    /// It was removed, perhaps by a trace that runs before it.
    pub(super) removed: Cell<bool>,
}

/// The command behind `tcl_precision`; this trace is not shown.
pub(in crate::modulefile::tcl) const PRECISION_TRACE: &str = "::tcl::Precision";

impl VarTrace {
    pub(in crate::modulefile::tcl) fn new(
        operations: Vec<&'static str>,
        script: Value,
    ) -> VarTrace {
        VarTrace {
            operations,
            script,
            letters: false,
            removed: Cell::new(false),
        }
    }

    /// A trace of the old command `trace variable`.
    pub(in crate::modulefile::tcl) fn old_style(
        operations: Vec<&'static str>,
        script: Value,
    ) -> VarTrace {
        VarTrace {
            letters: true,
            ..VarTrace::new(operations, script)
        }
    }
}

impl Interp<'_> {
    /// Tells the traces of the variables of a proc that it has ended.
    pub(in crate::modulefile::tcl) fn unset_locals(&mut self, vars: VarTable) {
        for (name, var) in &vars {
            if var.is_link() {
                continue;
            }
            let elements = match var.state.replace(VarState::Undefined) {
                VarState::Array(table) => table,
                _ => VarTable::default(),
            };
            self.fire_unset(var, name, b"");
            for (index, element) in &elements {
                self.fire_unset(element, name, index);
            }
        }
    }

    /// Calls the traces of a variable and, for an element, of its array.
    pub(in crate::modulefile::tcl) fn fire(
        &mut self,
        var: &Rc<Var>,
        index: Option<&[u8]>,
        target: VarName<'_>,
        operation: &'static str,
    ) -> Outcome<()> {
        let element = match (&*var.state.borrow(), index) {
            (VarState::Array(table), Some(index)) => table.get(index).cloned(),
            _ => None,
        };
        for var in [Some(var), element.as_ref()].into_iter().flatten() {
            if var.traced.get()
                && let Err(error) = self.fire_all(
                    var,
                    target.name,
                    target.index.unwrap_or_default(),
                    operation,
                )
            {
                let verb = match operation {
                    "write" => "set",
                    "array" => "trace array",
                    _ => operation,
                };
                let mut failed = Error::new(bytes!(
                    "can't ",
                    verb,
                    " \"",
                    target.full(),
                    "\": ",
                    error.message
                ))
                .with_code(&["TCL", "WRITE", "VARNAME"]);
                failed.info = error.info();
                failed.add_info(bytes!(
                    "\n    (",
                    operation,
                    " trace on \"",
                    target.full(),
                    "\")"
                ));
                failed.place = error.place;
                return Err(failed.into());
            }
        }
        Ok(())
    }

    /// Calls the traces of a variable that is gone, and forgets them. All are called: none can prevent it.
    pub(super) fn fire_unset(&mut self, var: &Rc<Var>, name: &[u8], index: &[u8]) {
        if !var.traced.get() {
            return;
        }
        for trace in var.take_traces() {
            if trace.operations.contains(&"unset") {
                // Errors are not heard: that is Tcl's rule.
                let _ = self.call_trace(&trace, name, index, "unset");
            }
        }
    }

    fn call_trace(
        &mut self,
        trace: &VarTrace,
        name: &[u8],
        index: &[u8],
        operation: &'static str,
    ) -> Outcome {
        let told = if trace.letters {
            &operation[..1]
        } else {
            operation
        };
        let mut script = trace.script.bytes().to_vec();
        for word in [name, index, told.as_bytes()] {
            script.push(b' ');
            list::push_element(&mut script, word, false);
        }
        self.eval(&Value::new(script))
    }

    pub(super) fn fire_all(
        &mut self,
        var: &Rc<Var>,
        name: &[u8],
        index: &[u8],
        operation: &'static str,
    ) -> Result<(), Box<Error>> {
        if var.tracing.replace(true) {
            return Ok(());
        }
        let mut result = Ok(());
        for trace in var.traces() {
            if !trace.operations.contains(&operation) || trace.removed.get() {
                continue;
            }
            if let Err(Exit::Error(error)) = self.call_trace(&trace, name, index, operation) {
                result = Err(error);
                break;
            }
        }
        var.tracing.set(false);
        result
    }

    /// The variable that `trace` is to watch.
    pub(in crate::modulefile::tcl) fn traced_variable(&mut self, name: &[u8]) -> Outcome<Rc<Var>> {
        self.watches_variables = true;
        self.target_of(name, "trace")
    }
}
